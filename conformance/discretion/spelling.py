"""How a text may be written so that it can still be read: escaped, in hex, in pieces, in letters of another case.

A view is one reading of some bytes, and knows for each byte of it where that stands in what was read.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

ROUNDS = 4
"""How often escapes are undone: some are escaped once more."""
_ESCAPE = re.compile(
    rb"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'/\\nrt]|&#[0-9]{1,7};?|&#[Xx][0-9A-Fa-f]{1,6};?"
    rb"|&[A-Za-z]{2,20};"
)
_LEADERS = (b"%", b"\\", b"&")
_CONTROLS = {b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t"}
_QUOTED_PRINTABLE = re.compile(rb"=[0-9A-Fa-f]{2}|=[ \t]*\r?\n")
_BETWEEN_HEX = b" :,;_\r\n\t\\x-"
_HEX_GAP = re.compile(rb"(?:[ :,;_\r\n\t-]|\\x|0x)+")
_HEX_RUN = re.compile(rb"[0-9A-Fa-f]{16,}")
_IS_HEX = bytes(0x68 if chr(code) in "0123456789abcdefABCDEF" else 0x20 for code in range(256))
_CHUNK_LINE = re.compile(rb"\r?\n[0-9A-Fa-f]{1,15}[ \t]*(?:;[^\n]{0,4096})?\r?\n")


_Piece = tuple[int, int, int, int]
"""Bytes of a view that stand for others: where they are and how many, and from where to where those are."""


def _nowhere() -> Iterator[_Piece]:
    return iter(())


@dataclass(frozen=True)
class View:
    """One reading of some bytes: of those themselves, or of another reading of them."""

    text: bytes
    of: View | None = None
    differing: Callable[[], Iterable[_Piece]] = _nowhere
    """Where it differs from what was read, in order. To be asked only when something was found: there may be many."""
    begun: int = 0
    """Where it begins in what was read."""
    width: int = 1
    """How many bytes each byte of it was there."""

    @cached_property
    def _pieces(self) -> tuple[list[int], list[_Piece]]:
        pieces = list(self.differing())
        return [piece[0] for piece in pieces], pieces

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Where these bytes of the view stand in what was read at first, in parts that do not touch."""
        found: list[tuple[int, int]] = []
        for place in range(start, end):
            first, last = self._span(place)
            if found and found[-1][1] >= first:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return found

    def _span(self, place: int) -> tuple[int, int]:
        if self.of is None:
            return place, place + 1
        start, end = self._below(place)
        return self.of._span(start)[0], self.of._span(end - 1)[1]

    def _below(self, place: int) -> tuple[int, int]:
        starts, pieces = self._pieces
        number = bisect_right(starts, place) - 1
        if number < 0:
            start = self.begun + self.width * place
            return start, start + self.width
        at, length, start, end = pieces[number]
        beyond = place - at - length
        return (start, end) if beyond < 0 else (end + beyond, end + beyond + 1)


def views(plain: View, *, in_chunks: bool = False) -> Iterator[View]:
    """A view as it is, and as whoever undoes its escapes reads it.

    ``in_chunks``: it may also be read without lines that look as if a chunk began behind them.
    """
    yield from _unescaped(plain)
    if in_chunks and (joined := _without(plain, _CHUNK_LINE)):
        yield from _unescaped(joined)
    if b"=" in plain.text and (decoded := _replaced(plain, _QUOTED_PRINTABLE, _from_quoted_printable)):
        yield decoded


def in_hex(view: View, least: int) -> Iterator[View]:
    """What stands in a view in hex, at least so many bytes, with or without something between the digits."""
    digits_in_a_row = b"h" * (2 * least)
    if digits_in_a_row not in view.text.translate(_IS_HEX, _BETWEEN_HEX):
        return
    squeezed = _without(view, _HEX_GAP) or view
    for run in _HEX_RUN.finditer(squeezed.text):
        for start in (run.start(), run.start() + 1):
            digits = squeezed.text[start : run.end() - (run.end() - start) % 2]
            yield View(bytes.fromhex(digits.decode("ascii")), squeezed, begun=start, width=2)


def places(text: bytes, needle: bytes) -> Iterator[int]:
    """Where a needle begins, without overlaps."""
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + len(needle))


def unescaped(text: bytes) -> bytes:
    """A text without its escapes, whatever they are."""
    *_, last = _unescaped(View(text))
    return last.text


def _unescaped(view: View) -> Iterator[View]:
    """The view, and what comes of it as its escapes are undone again and again."""
    yield view
    for _ in range(ROUNDS):
        if not any(leader in view.text for leader in _LEADERS):
            return
        further = _replaced(view, _ESCAPE, _character)
        if further is None:
            return
        view = further
        yield view


def around(text: bytes, spans: Sequence[tuple[int, int]]) -> View:
    """A text without these parts, in the place of each of which there is a blank."""
    whole = View(text)
    if not spans:
        return whole
    ends, starts = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    kept = b" ".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return View(kept, whole, lambda: _moved((start, end, 1) for start, end in spans))


def _without(view: View, pattern: re.Pattern[bytes]) -> View | None:
    return _replaced(view, pattern, lambda _: b"")


def _replaced(view: View, pattern: re.Pattern[bytes], meaning: Callable[[bytes], bytes]) -> View | None:
    """The view with each match read as what it means; None where there is none."""
    text, count = pattern.subn(lambda found: meaning(found[0]), view.text)
    if not count:
        return None
    found = pattern.finditer
    return View(text, view, lambda: _moved((*each.span(), len(meaning(each[0]))) for each in found(view.text)))


def _moved(found: Iterable[tuple[int, int, int]]) -> Iterator[_Piece]:
    """From where to where something stood, and what length it has now: where it stands now."""
    shift = 0
    for start, end, length in found:
        yield start + shift, length, start, end
        shift += length - (end - start)


def _character(escape: bytes) -> bytes:
    """What an escape stands for."""
    if escape in _CONTROLS:
        return _CONTROLS[escape]
    if escape[:1] == b"&":
        return html.unescape(escape.decode("ascii")).encode("utf-8", "replace")
    if escape[:1] == b"%" or escape[:2] == b"\\x":
        return bytes.fromhex(escape[-2:].decode("ascii"))
    if escape[:2] == b"\\u":
        return chr(int(escape[2:], 16)).encode("utf-8", "replace")
    return escape[1:]


def _from_quoted_printable(escape: bytes) -> bytes:
    return b"" if escape.endswith(b"\n") else bytes.fromhex(escape[1:].decode("ascii"))
