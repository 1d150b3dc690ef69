"""Where in the bytes of an answer its body lies, as far as that can be told from bytes that may be cut or wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = re.compile(rb"\s*HTTP/1\.[0-9] 1(?!01)[0-9][0-9]\b")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding[ \t]*:[^\n]*chunked")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[^\n]*\n")
_CHUNK_END = re.compile(rb"\r?\n")


def payload(wire: bytes) -> list[tuple[int, int]]:
    """The parts of an answer that together are its body: none without a whole head, one for each chunk."""
    begun = 0
    while (found := _HEAD_END.search(wire, begun)) and _INTERIM.match(wire, begun):
        begun = found.end()
    if found is None:
        return []
    if _CHUNKED.search(wire, begun, found.end()):
        return list(_chunks(wire, found.end()))
    return [(found.end(), len(wire))] if found.end() < len(wire) else []


def _chunks(wire: bytes, place: int) -> Iterator[tuple[int, int]]:
    """What the chunks hold; where one is not as it should be, all the rest is taken for one."""
    while line := _CHUNK_LINE.match(wire, place):
        size = int(line[1], 16)
        if not size:
            return
        end = min(line.end() + size, len(wire))
        yield line.end(), end
        behind = _CHUNK_END.match(wire, end)
        place = behind.end() if behind else end
        if behind is None:
            break
    if place < len(wire):
        yield place, len(wire)
