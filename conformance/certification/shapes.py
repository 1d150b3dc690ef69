"""Whether a document has the shape that its JSON schema demands. No complaint quotes a value: it may be a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from conformance.mistake import did_you_mean
from conformance.shipped import shipped

_SHOWN = 40
_WORDS = {
    "const": "this is not {0!r}",
    "enum": "this is none of {0}",
    "maxItems": "there are more than {0}",
    "maxLength": "this is longer than {0} characters",
    "minItems": "there are fewer than {0}",
    "oneOf": "this has neither of the forms that it may have",
    "pattern": "this is not of the form {0}",
    "type": "this is no {0}",
}


@cache
def _schema(name: str, part: str) -> Mapping[str, Any]:
    whole: dict[str, Any] = json.loads(shipped("schemas", name).read_text(encoding="utf-8"))
    return {**whole, "$ref": f"#/$defs/{part}"} if part else whole


def complaints(document: Any, name: str, part: str = "") -> Iterator[str]:
    """What is wrong with a document, each as ``place: sentence``; ``part`` is a definition of the schema file."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(_schema(name, part)).iter_errors(document)
    for error in sorted(errors, key=lambda each: ([str(step) for step in each.absolute_path], each.validator)):
        place = " ".join(f"{step + 1}" if isinstance(step, int) else _name(step) for step in error.absolute_path)
        yield ": ".join(each for each in (place, _said(error)) if each)


def _said(error: Any) -> str:
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        stray = next(name for name in error.instance if name not in known)
        return f"there is no such key: {_name(stray)}{did_you_mean(stray[:_SHOWN], known)}"
    if error.validator == "required":
        return f"{next(name for name in error.validator_value if name not in error.instance)} is missing"
    return _WORDS[error.validator].format(error.validator_value)


def _name(name: str) -> str:
    """A name as somebody else wrote it, harmless and short."""
    return ascii(name[:_SHOWN]).strip("'")


def with_dates_as_words(value: Any) -> Any:
    """A TOML document with its dates as text: JSON schemas know none."""
    if isinstance(value, dict):
        return {key: with_dates_as_words(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_dates_as_words(each) for each in value]
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
