"""Text that others wrote, made safe to show anywhere: printable ASCII, bounded, one line, no command to a CI system."""

from __future__ import annotations

import re

LIMIT = 2000

_COMMAND = re.compile(r"#(?=#\w*\[)|:(?=:[A-Za-z][\w.-]*(?: |::))")
"""Where ``##[error]``, ``##vso[...]`` or ``::error::`` begins.

GitHub and Azure obey the first two anywhere in a line, and the last where a line begins, as a wrapped one may.
"""


def visible(text: str | bytes, limit: int = LIMIT) -> str:
    """Escape everything that is not printable ASCII and cut what is too long, saying how much there was.

    Terminal escapes, bidirectional controls and characters that XML forbids all become backslash escapes, and so does
    the first character of what a CI system that reads our output would take for a command.
    """
    if isinstance(text, bytes):
        text = text[: limit + 1].decode("latin-1") if len(text) <= limit else _cut(text.decode("latin-1"), limit)
    elif len(text) > limit:
        text = _cut(text, limit)
    shown = "".join(letter if " " <= letter <= "~" else _escaped(letter) for letter in text)
    return _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)


def _cut(text: str, limit: int) -> str:
    return f"{text[:limit]}... ({len(text)} in all)"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
