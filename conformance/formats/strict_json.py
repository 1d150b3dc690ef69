"""JSON exactly as RFC 8259 has it: what the standard library forgives is a flaw here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"

MAX_DEPTH = 64
"""Arrays and objects inside one another; deeper input is refused before it is parsed."""

_MAX_INTEGER_DIGITS = 300
"""Longer integers become floats: Python refuses to convert 4300 digits, and takes quadratic time below."""

_SHOWN = 40
_BOM = b"\xef\xbb\xbf"
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True)
class Json:
    """The one value that the bytes hold."""

    value: Value


@dataclass(frozen=True)
class Flaw:
    """Why the bytes are not JSON: a fragment of a sentence in printable ASCII."""

    reason: str


class _HookError(ValueError):
    """Carries a reason out of the hooks of ``json.loads``."""


def parse(data: bytes) -> Json | Flaw:
    """Read one JSON value in UTF-8 without a byte order mark; names are unique within each object (RFC 8259, 4).

    Numbers of any notation are taken (very large ones become infinite), and so are lone surrogates in escapes.
    """
    if not data:
        return Flaw("there is no JSON: nothing was sent")
    if data.startswith(_BOM):
        return Flaw("a byte order mark precedes the JSON")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Flaw(f"byte {error.start} is not UTF-8")
    if _nests_too_deep(text):
        return Flaw(f"arrays and objects are nested more than {MAX_DEPTH} deep")
    try:
        return Json(json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse_constant))
    except json.JSONDecodeError as error:
        return Flaw(_reason(error))
    except _HookError as error:
        return Flaw(str(error))


def shown(text: str) -> str:
    """Give untrusted text quoted, escaped to ASCII, and cut to 40 characters."""
    return ascii(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!a}..."


def _nests_too_deep(text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _STRINGS_AND_BRACKETS.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first != '"':
            depth -= 1
    return False


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _HookError(f"the name {shown(_first_repeated([name for name, _ in pairs]))} is repeated in one object")
    return members


def _first_repeated(names: list[str]) -> str:
    seen: set[str] = set()
    return next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _integer(literal: str) -> int | float:
    return int(literal) if len(literal.lstrip("-")) <= _MAX_INTEGER_DIGITS else float(literal)


def _refuse_constant(literal: str) -> Value:
    raise _HookError(f"{literal} is not a JSON number")


def _reason(error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data":
        return f"more follows the JSON value, from character {error.pos} on"
    if error.pos >= len(error.doc.rstrip(" \t\r\n")) or error.msg.startswith("Unterminated string"):
        return "the JSON ends before its value does"
    found = ascii(error.doc[error.pos])
    return f"it is not JSON at character {error.pos}, {found}: {error.msg.removesuffix(' at').rstrip(': ').lower()}"
