"""Overwriting in bytes what is not to be read, however it is spelt and wrapped; there are as many bytes afterwards."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.discretion import packing
from conformance.discretion.spelling import View, around, in_hex, places, unescaped, views
from conformance.formats.png import SIGNATURE as PNG

SHORTEST = 8
"""Characters of the shortest secret: anything shorter may well stand in an answer for reasons of its own."""
LEAST_VARIETY = 4
"""Different characters of a secret: what has fewer stands in pictures, as a row of zeros does."""
CERTAIN = 16
"""Bytes of the shortest secret that is looked for among the pixels of a picture."""
DEEPEST = 4
"""Wrappings in each other that are looked into."""
DIGITS = 64
"""Of a signature."""

_ECHOED = re.compile(rb"(?<=signature=)[0-9a-f]{16,}")
_SIGNED = re.compile(rb"[0-9a-f]{64,}")
_ZEROS = b"0" * DIGITS
_IS_HEX = bytes(0x30 if chr(code) in "0123456789abcdef" else 0x20 for code in range(256))
_EVERYDAY = (
    "application/json application/x-amz-json-1.1 application/octet-stream image/png;base64 image/jpeg text/html "
    "charset=utf-8 keep-alive chunked no-cache no-store lookoutvision detectanomalies detectanomalyresult "
    "isanomalous confidence anomalies anomalymask pixelanomaly totalpercentagearea resourceid resourcetype "
    "accessdeniedexception validationexception resourcenotfoundexception conflictexception throttlingexception "
    "internalserverexception aws4-hmac-sha256 aws4_request us-east-1 eu-central-1"
)
"""Words that answers are made of: who takes one for a secret has none."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Hit:
    """Something that is not to be read, and where its parts stand."""

    name: str
    spans: list[Span]


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is looked for: in lower case, and without what looks like an escape. None for what is none."""
    plain = secret.lower()
    if is_worth_it(plain) and plain not in _EVERYDAY:
        yield plain.encode()
        bare = unescaped(secret.encode()).lower()
        if is_worth_it(bare):
            yield bare


def is_worth_it(secret: str | bytes) -> bool:
    """Whether a secret is long and varied enough not to be met by chance."""
    return len(secret) >= SHORTEST and len(set(secret)) >= LEAST_VARIETY


@dataclass(frozen=True)
class Eraser:
    """Knows what to overwrite."""

    names: Mapping[bytes, str]
    """What is looked for, in lower case, the longest first, and what stands there afterwards."""
    signatures: Collection[bytes] = ()
    """Further texts of hexadecimal digits, of which there may be many."""

    def __bool__(self) -> bool:
        return bool(self.names or self.signatures)

    def also(self, names: Mapping[bytes, str]) -> Eraser:
        """One that knows more."""
        known = sorted({**names, **self.names}.items(), key=lambda each: -len(each[0]))
        return Eraser(dict(known), self.signatures)

    @cached_property
    def _least(self) -> int:
        return min(map(len, self.names), default=DIGITS)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.names), default=0)

    @cached_property
    def _ends(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """What begins one of them, and what ends one."""
        beginnings = dict.fromkeys(needle[:SHORTEST] for needle in self.names)
        return tuple(beginnings), tuple(dict.fromkeys(needle[-SHORTEST:] for needle in self.names))

    def hidden(
        self, octets: bytes, *, codings: tuple[bytes, ...] = (), in_chunks: bool = False, depth: int = 0
    ) -> bytes:
        """As many bytes, in which nothing of it can be read. ``codings`` are values of Content-Encoding."""

        def inside(wrapped: bytes) -> bytes:
            return self.hidden(wrapped, depth=depth + 1)

        if not (octets and self):
            return octets
        if codings or packing.is_compressed(octets):
            octets = packing.in_compressed(octets, codings, inside)
        if octets.startswith(PNG):
            by_chance = self._hidden_for_certain if self._is_sure_of(octets) else bytes
            return packing.in_picture(octets, inside, by_chance)
        kept = bytearray(octets)
        pictures = packing.of_pictures(kept, inside) if depth < DEEPEST else []
        if depth < DEEPEST:
            packing.in_base64(kept, around(octets, pictures), inside, self._is_innocent, self._least)
        _overwrite(kept, self._hits(around(bytes(kept), pictures), in_chunks=in_chunks))
        return bytes(kept)

    def _is_innocent(self, octets: bytes) -> bool:
        return not octets or next(self._hits(View(octets)), None) is None

    def _is_sure_of(self, octets: bytes) -> bool:
        """Whether there is more in the bytes of a picture than stands there by chance."""
        lower = octets.lower()
        return any(needle in lower for needle in self.names if len(needle) >= CERTAIN)

    def _hidden_for_certain(self, octets: bytes) -> bytes:
        kept, lower = bytearray(octets), octets.lower()
        sure = ((needle, name) for needle, name in self.names.items() if len(needle) >= CERTAIN)
        _overwrite(kept, (Hit(name, [(at, at + len(needle))]) for needle, name in sure for at in places(lower, needle)))
        return bytes(kept)

    def _hits(self, whole: View, *, in_chunks: bool = False) -> Iterator[Hit]:
        for view in views(whole, in_chunks=in_chunks):
            yield from self._hits_in(view)
            for decoded in in_hex(view, self._least):
                yield from self._hits_in(decoded)

    def _hits_in(self, view: View) -> Iterator[Hit]:
        lower = view.text.lower()
        for needle, name in self.names.items():
            if needle in lower:
                yield from (Hit(name, view.spans(at, at + len(needle))) for at in places(lower, needle))
        for name, start, end in (*self._cut_off(lower), *self._signed(lower)):
            yield Hit(name, view.spans(start, end))

    def _cut_off(self, lower: bytes) -> Iterator[tuple[str, int, int]]:
        """Where a text begins with the end of something, or ends with the beginning of it."""
        beginnings, endings = self._ends
        first, last = lower[: self._longest], lower[-self._longest :]
        for part in (part for part in beginnings if part in last):
            start = len(lower) - len(last) + last.find(part)
            rest = lower[start:]
            yield from ((name, start, len(lower)) for needle, name in self.names.items() if needle.startswith(rest))
        for part in (part for part in endings if part in first):
            rest = first[: first.rfind(part) + len(part)]
            yield from ((name, 0, len(rest)) for needle, name in self.names.items() if needle.endswith(rest))

    def _signed(self, lower: bytes) -> Iterator[tuple[str, int, int]]:
        """Where signatures stand: those that are known, and whatever is called one."""
        if b"signature=" in lower:
            yield from (("signature", *found.span()) for found in _ECHOED.finditer(lower))
        if _ZEROS not in lower.translate(_IS_HEX):
            return
        for run in _SIGNED.finditer(lower):
            for at in range(run.start(), run.end() - DIGITS + 1):
                if lower[at : at + DIGITS] in self.signatures:
                    yield "signature", at, at + DIGITS


def spread(kept: bytearray, spans: Iterable[Span], text: bytes) -> None:
    """Write a text into these parts, one after the other."""
    place = 0
    for start, end in spans:
        kept[start:end] = text[place : place + end - start]
        place += end - start


def _overwrite(kept: bytearray, hits: Iterable[Hit]) -> None:
    """Overwrite each hit by what it is called; what was overwritten before stays."""
    taken = bytearray()
    for hit in hits:
        taken = taken or bytearray(len(kept))
        free = [(at, at + 1) for start, end in hit.spans for at in range(start, end) if not taken[at]]
        spread(kept, free, f"<{hit.name}>".encode().ljust(len(free), b"*"))
        for start, end in hit.spans:
            taken[start:end] = b"\1" * (end - start)
