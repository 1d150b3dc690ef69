"""What a request's payload is, as far as the contract tells payloads apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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


@lru_cache(maxsize=512)
def look_at(payload: bytes) -> Picture:
    """Tell what a payload is. Looks at the bytes alone."""
    kind = identify(payload)
    if kind == "png" and (found := png.read(payload)):
        sound = not found.faults and not found.too_big
        return Picture(kind, sound, sound and found.plain, Size(found.width, found.height))
    if kind == "jpeg" and (photo := jpeg.read(payload)):
        sound = not photo.faults and not photo.unusual
        return Picture(kind, sound, sound and photo.plain, Size(photo.width, photo.height))
    return Picture(kind)
