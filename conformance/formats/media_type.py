"""Media types (RFC 9110 8.3.1)."""

from __future__ import annotations

import re

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 (a grammar rule, not a secret)
_PARAMETERS = rf"(?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_TOKEN}|\"[^\"]*\"))?)*[ \t]*"
_MEDIA_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})({_PARAMETERS})")


def essence(value: str) -> tuple[str, bool] | None:
    """Type and subtype in lower case, and whether anything follows them; None when the value is no media type."""
    match = _MEDIA_TYPE.fullmatch(value.strip(" \t"))
    return (match[1].lower(), bool(match[2])) if match else None
