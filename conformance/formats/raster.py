"""The pixels of a PNG: which colours, how many of each, and where the first of one stands. Pillow decodes."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, cast

from conformance.formats.png import MAX_PIXELS, SIGNATURE

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""

MOST_COLOURS = 2**17
"""When there are more the counting ends: a small file can hold 16 million."""

_STRIP = 2**16
"""Pixels that are looked at together, about, and colours for which Pillow's table stays small."""


@dataclass(frozen=True)
class Raster:
    """A picture as its size and the number of pixels of each colour, whatever their transparency."""

    width: int
    height: int
    colours: dict[Colour, int]
    whole: bool = True
    """All pixels were counted: there are no more than ``MOST_COLOURS``."""


def paint(data: bytes, max_pixels: int = MAX_PIXELS) -> Raster | None:
    """Count the colours of a PNG that ``png.read`` found sound; None where it has more pixels or cannot be painted.

    Samples of 16 bits count by their high byte, fewer than 8 are scaled to 0..255.
    """
    picture = _decoded(data, max_pixels)
    if picture is None:
        return None
    colours: Counter[Colour] = Counter()
    for _, strip in _strips(picture):
        counted = strip.getcolors(strip.width * strip.height) or []
        colours.update({cast(Colour, value): count for count, value in counted})
        if len(colours) > MOST_COLOURS:
            return Raster(picture.width, picture.height, dict(colours), whole=False)
    return Raster(picture.width, picture.height, dict(colours))


def first_pixel_of(data: bytes, colour: Colour, max_pixels: int = MAX_PIXELS) -> tuple[int, int] | None:
    """Find the first pixel of a colour, row by row: x and y from the upper left corner, both from 0."""
    picture = _decoded(data, max_pixels)
    if picture is None or not all(0 <= level <= 255 for level in colour):
        return None
    found = ((top, _first(strip, colour)) for top, strip in _strips(picture))
    return next(((at[0], top + at[1]) for top, at in found if at), None)


def _first(picture: Image, colour: Colour) -> tuple[int, int] | None:
    from PIL import ImageChops

    red, green, blue = (
        band.point([255 * (level == wanted) for level in range(256)])
        for band, wanted in zip(picture.split(), colour, strict=True)
    )
    hits = ImageChops.darker(ImageChops.darker(red, green), blue)
    box = hits.getbbox()
    if box is None:
        return None
    row = hits.crop((0, box[1], hits.width, box[1] + 1)).getbbox()
    return (row[0], box[1]) if row else None


def _strips(picture: Image) -> Iterator[tuple[int, Image]]:
    """The picture in RGB, a few rows at a time, each with the number of its first row."""
    rows = max(1, _STRIP // picture.width)
    for top in range(0, picture.height, rows):
        yield top, _in_rgb(picture.crop((0, top, picture.width, min(top + rows, picture.height))))


def _decoded(data: bytes, max_pixels: int) -> Image | None:
    from PIL import Image

    if not data.startswith(SIGNATURE) or len(data) < 24:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    if width * height > max_pixels:
        return None
    try:
        with Image.open(BytesIO(_critical(data)), formats=["PNG"]) as picture:
            picture.load()
            return picture
    except Exception:  # Pillow documents no closed set: OSError, SyntaxError, ValueError and struct.error were all seen
        return None


def _critical(data: bytes) -> bytes:
    """The file without what stands beside the picture: Pillow would unpack that, and refuse where it is too much."""
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 5].isupper():
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _in_rgb(picture: Image) -> Image:
    from PIL import Image

    if picture.mode.startswith("I"):
        high_bytes = picture.convert("I;16").tobytes()[1::2]
        return Image.frombytes("L", picture.size, high_bytes).convert("RGB")
    return picture.convert("RGB")
