"""A walk through a schema of the contract and a value at once: which constraints applied, and which were broken.

A validator stops at *valid*. A judge must also know which constraints the value ever met, since what was never met
was never passed. Only the keywords that the contract uses are known; any other is refused when the walk meets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One constraint that applied to a value, with its clause."""

    clause: str
    keyword: str
    where: str
    """A path into the value, such as ``Anomalies[0].Name``."""
    expected: str
    actual: str | None
    """What was there instead; None when the constraint was kept."""


def checks(schema: Schema, value: Any, where: str = "") -> Iterator[Check]:
    """Yield every constraint of ``schema`` that has a clause and applies to ``value``. Null members count as absent."""
    for keyword, operand in schema.items():
        if judge := _KEYWORDS.get(keyword):
            clause = _clause_of(schema, keyword)
            if clause:
                kept = judge[0](operand, value)
                yield Check(clause, keyword, where, judge[1](operand), None if kept else shown(value))
        elif keyword not in _STRUCTURE:
            raise NotImplementedError(f"the contract uses {keyword!r}, which the walk does not know")
    yield from _members(schema, value, where)
    yield from _elements(schema, value, where)
    for part in schema.get("allOf", ()):
        yield from checks(part, value, where)


def shown(value: Any, limit: int = 120) -> str:
    """A value from an answer, on one short line of ASCII."""
    text = ascii(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def _members(schema: Schema, value: Any, where: str) -> Iterator[Check]:
    if not isinstance(value, dict):
        return
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        present = value.get(name) is not None
        clause = _clause_of(properties.get(name, {}), "type") or _clause_of(schema, "required")
        if clause:
            yield Check(clause, "required", _join(where, name), "present", None if present else "absent")
    for name, part in properties.items():
        if value.get(name) is not None:
            yield from checks(part, value[name], _join(where, name))


def _elements(schema: Schema, value: Any, where: str) -> Iterator[Check]:
    if not isinstance(value, list):
        return
    first = schema.get("prefixItems", ())
    present = [element for element in value if element is not None]
    for index, element in enumerate(present):
        part = first[index] if index < len(first) else schema.get("items", {})
        yield from checks(part, element, f"{where}[{index}]")


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _clause_of(schema: Schema, keyword: str) -> str | None:
    clause = schema.get("x-clause")
    return clause.get(keyword) if isinstance(clause, dict) else clause


def _is_type(names: str | list[str], value: Any) -> bool:
    return any(_TYPES[name](value) for name in ([names] if isinstance(names, str) else names))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "null": lambda value: value is None,
}


def _type_words(names: str | list[str]) -> str:
    words = [names] if isinstance(names, str) else [name for name in names if name != "null"]
    return f"of type {' or '.join(words)}"


def _length_fits(bound: Callable[[int, int], bool]) -> Callable[[Any, Any], bool]:
    return lambda limit, value: not isinstance(value, str) or bound(len(value), limit)


_KEYWORDS: Mapping[str, tuple[Callable[[Any, Any], bool], Callable[[Any], str]]] = {
    "type": (_is_type, _type_words),
    "const": (lambda wanted, value: bool(value == wanted), lambda wanted: repr(wanted)),
    "enum": (
        lambda wanted, value: any(value == each and type(value) is type(each) for each in wanted),
        lambda wanted: "one of " + ", ".join(str(each) for each in wanted if each is not None),
    ),
    # `$` in Python also matches before a final newline: only a full match of the anchored pattern is one
    "pattern": (
        lambda pattern, value: not isinstance(value, str) or bool(_compiled(pattern).fullmatch(value)),
        lambda pattern: f"a full match of {pattern}",
    ),
    "minLength": (_length_fits(int.__ge__), lambda limit: f"at least {limit} characters"),
    "maxLength": (_length_fits(int.__le__), lambda limit: f"at most {limit} characters"),
    "minimum": (lambda limit, value: not _is_number(value) or value >= limit, lambda limit: f"at least {limit}"),
    "maximum": (lambda limit, value: not _is_number(value) or value <= limit, lambda limit: f"at most {limit}"),
    "minItems": (
        lambda limit, value: not isinstance(value, list) or sum(each is not None for each in value) >= limit,
        lambda limit: f"at least {limit} entry",
    ),
}

_STRUCTURE = frozenset(
    "x-clause required properties items prefixItems allOf anyOf description format contentEncoding "
    "contentMediaType example".split()
)
