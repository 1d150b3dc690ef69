"""Request targets and their segments (RFC 3986), read from bytes without mending anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ABSOLUTE = re.compile(rb"(?i)https?://[^/?#]*")
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Target:
    """A request target in its parts: ``segments`` are those of the path, raw, without the slashes at its end."""

    segments: tuple[bytes, ...]
    query: bool
    absolute: bool
    trailing_slashes: int
    leading_slashes: int


def split(target: bytes) -> Target | None:
    """Split a target in origin or absolute form; None for any other form."""
    prefix = _ABSOLUTE.match(target)
    path, question_mark, _ = target[prefix.end() if prefix else 0 :].partition(b"?")
    if not path.startswith(b"/"):
        return None
    inner = path.strip(b"/")
    leading = len(path) - len(path.lstrip(b"/"))
    trailing = len(path) - len(path.rstrip(b"/")) if inner else 0
    return Target(tuple(inner.split(b"/")), bool(question_mark), bool(prefix), trailing, leading)


def percent_decoded(segment: bytes) -> bytes:
    """Decode the well-formed escapes of a segment once and leave the rest."""
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), segment)


@lru_cache(maxsize=1024)
def decode(segment: bytes) -> str | None:
    """The text of a segment; None when it cannot safely be one.

    That is: a broken percent sign, bytes that are not UTF-8, a separator or NUL inside, or a dot segment.
    """
    if _BROKEN_PERCENT.search(segment):
        return None
    try:
        text = percent_decoded(segment).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if text in (".", "..") or "/" in text or "\0" in text else text


def is_risky(text: str) -> bool:
    """Whether a decoded segment holds a backslash, which some servers take for a separator and refuse by themselves."""
    return "\\" in text


def has_escapes(segment: bytes) -> bool:
    return b"%" in segment
