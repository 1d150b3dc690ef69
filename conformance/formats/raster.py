"""The pixels of a PNG: which colours, how many of each, and where the first of one stands. Pillow decodes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, cast

from conformance.formats.png import MAX_PIXELS, SIGNATURE

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""

_FEW = 65536
"""Colours for which Pillow's table stays small; masks have a handful, photographs may need the second try."""


@dataclass(frozen=True)
class Raster:
    """A picture as its size and the number of pixels of each colour, whatever their transparency."""

    width: int
    height: int
    colours: dict[Colour, int]


def paint(data: bytes, max_pixels: int = MAX_PIXELS) -> Raster | None:
    """Count the colours of a PNG that ``png.read`` found sound; None where it has more pixels or cannot be painted.

    Samples of 16 bits count by their high byte, fewer than 8 are scaled to 0..255.
    """
    picture = _decoded(data, max_pixels)
    if picture is None:
        return None
    counted = picture.getcolors(_FEW) or picture.getcolors(picture.width * picture.height) or []
    return Raster(picture.width, picture.height, {cast(Colour, value): count for count, value in counted})


def first_pixel_of(data: bytes, colour: Colour, max_pixels: int = MAX_PIXELS) -> tuple[int, int] | None:
    """Find the first pixel of a colour, row by row: x and y from the upper left corner, both from 0."""
    from PIL import ImageChops

    picture = _decoded(data, max_pixels)
    if picture is None or not all(0 <= level <= 255 for level in colour):
        return None
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


def _decoded(data: bytes, max_pixels: int) -> Image | None:
    from PIL import Image

    if not data.startswith(SIGNATURE) or len(data) < 24:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    if width * height > max_pixels:
        return None
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as picture:
            return _in_rgb(picture)
    except Exception:  # Pillow documents no closed set: OSError, SyntaxError, ValueError and struct.error were all seen
        return None


def _in_rgb(picture: Image) -> Image:
    from PIL import Image

    if picture.mode.startswith("I"):
        high_bytes = picture.convert("I;16").tobytes()[1::2]
        return Image.frombytes("L", picture.size, high_bytes).convert("RGB")
    picture.load()
    picture.info.pop("transparency", None)  # Pillow would warn of it, or mix it in
    return picture.convert("RGB")
