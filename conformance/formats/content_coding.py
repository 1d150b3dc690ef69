"""Undoing content codings (RFC 9110, 8.4.1): gzip, deflate, and br where a decoder for it is installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from importlib import import_module

Undo = Callable[[bytes, int], bytes | None]
"""From coded bytes and the most that may come out of them; None when they are not so coded, or too much comes out."""

MOST_CODINGS = 4
"""On top of each other."""
_GZIP, _ZLIB, _RAW = 31, 15, -15  # window sizes, by which zlib is told what to look for


def decoded(body: bytes, fields: Iterable[bytes], most: int) -> bytes | None:
    """A body without the codings that these values of Content-Encoding name, at most ``most`` bytes of it.

    None where that cannot be told: an unknown coding, damaged or cut bytes, or too many that come out. Nothing is
    coded in an empty body. Never raises.
    """
    names = [name.strip().lower() for field in fields for name in field.split(b",")]
    codings = [name for name in names if name not in (b"", b"identity")]
    if not body:
        return body
    if len(codings) > MOST_CODINGS:
        return None
    left: bytes | None = body
    for coding in reversed(codings):
        undo = _UNDO.get(coding)
        left = undo(left, most) if undo and left is not None else None
    return left


def _gunzipped(body: bytes, most: int) -> bytes | None:
    """All members, one behind the other."""
    whole = bytearray()
    while body:
        expand = zlib.decompressobj(_GZIP)
        piece = _expanded(expand, body, most - len(whole))
        if piece is None:
            return None
        whole += piece
        body = expand.unused_data
    return bytes(whole)


def _inflated(body: bytes, most: int) -> bytes | None:
    """As the standard has it, or without the wrapping of zlib, as some servers have it."""
    for window in (_ZLIB, _RAW):
        expand = zlib.decompressobj(window)
        whole = _expanded(expand, body, most)
        if whole is not None and not expand.unused_data:
            return whole
    return None


def _expanded(expand: zlib._Decompress, body: bytes, most: int) -> bytes | None:
    try:
        whole = expand.decompress(body, most + 1)
    except zlib.error:
        return None
    return whole if expand.eof and len(whole) <= most else None


def _unbrotlied(body: bytes, most: int) -> bytes | None:
    try:
        expand = import_module("brotli").Decompressor()
        whole: bytes = expand.process(body, output_buffer_limit=most + 1)
        return whole if expand.is_finished() and len(whole) <= most else None
    except Exception:  # not installed, too old to be bounded, or its own error for damaged bytes
        return None


_UNDO: dict[bytes, Undo] = {b"gzip": _gunzipped, b"x-gzip": _gunzipped, b"deflate": _inflated, b"br": _unbrotlied}
