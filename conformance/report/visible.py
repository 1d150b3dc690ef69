"""Text that others wrote, made safe to show anywhere: printable ASCII, bounded, one line."""

from __future__ import annotations

LIMIT = 2000


def visible(text: str | bytes, limit: int = LIMIT) -> str:
    """Escape everything that is not printable ASCII and cut what is too long, saying how much there was.

    Terminal escapes, bidirectional controls and characters that XML forbids all become backslash escapes.
    """
    if isinstance(text, bytes):
        text = text[: limit + 1].decode("latin-1") if len(text) <= limit else _cut(text.decode("latin-1"), limit)
    elif len(text) > limit:
        text = _cut(text, limit)
    return "".join(letter if " " <= letter <= "~" else _escaped(letter) for letter in text)


def _cut(text: str, limit: int) -> str:
    return f"{text[:limit]}... ({len(text)} in all)"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
