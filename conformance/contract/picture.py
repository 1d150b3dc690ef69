"""What a request's payload is, as far as the contract tells payloads apart."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from conformance.formats import jpeg, png
from conformance.formats.images import identify
from conformance.target import Size


@dataclass(frozen=True)
class Picture:
    """A payload: ``kind`` is ``png``, ``jpeg``, ``empty``, or the name of something that is no PNG or JPEG."""

    kind: str
    sound: bool = False
    plain: bool = False
    """Of the sort that every implementation must take: 8-bit RGB PNG, baseline colour JPEG."""
    size: Size | None = None

    @property
    def media_type(self) -> str:
        return f"image/{self.kind}"


REMEMBERED = 32_000_000
"""Bytes of payloads that are remembered together with what they are."""


class _Memory:
    """What was looked at last, bounded by the bytes that it keeps alive. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()
        self._bytes = 0

    def of(self, payload: bytes) -> Picture:
        with self._lock:
            if found := self._pictures.get(payload):
                self._pictures.move_to_end(payload)
                return found
        picture = _seen(payload)
        with self._lock:
            if payload not in self._pictures:
                self._bytes += len(payload)
            self._pictures[payload] = picture
            while self._bytes > REMEMBERED:
                self._bytes -= len(self._pictures.popitem(last=False)[0])
        return picture


_memory = _Memory()


def look_at(payload: bytes) -> Picture:
    """Tell what a payload is. Looks at the bytes alone, and at the same bytes once, if that is not long ago."""
    return _memory.of(payload)


def _seen(payload: bytes) -> Picture:
    kind = identify(payload)
    if kind == "png" and (found := png.read(payload)):
        sound = not found.faults and not found.too_big
        return Picture(kind, sound, sound and found.plain, Size(found.width, found.height))
    if kind == "jpeg" and (photo := jpeg.read(payload)):
        sound = not photo.faults and not photo.unusual
        return Picture(kind, sound, sound and photo.plain, Size(photo.width, photo.height))
    return Picture(kind)
