"""From a picture of any kind to the pixels that a model looks at."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from conformance.reference.vision.arrays import Bytes

WORKING_SIDE = 512  # pixels: a finer look costs more than it finds


def factor_for(size: tuple[int, int]) -> int:
    """By how much pictures of a size (width, height) are reduced before they are looked at."""
    return max(1, math.ceil(max(size) / WORKING_SIDE))


def pixels(image: Image.Image, factor: int) -> Bytes:
    """Red, green and blue of a decoded picture of any mode, reduced: (rows, columns, 3), 0..255.

    Transparency is ignored, as a camera knows none. Raises what Pillow raises for pixels that cannot be decoded.
    """
    coloured = _coloured(image)
    return np.asarray(coloured.reduce(factor) if factor > 1 else coloured)


def _coloured(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):  # 16 bit grey, which convert("RGB") would clip instead of scale
        return image.convert("I").point(lambda level: level * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("P", "PA", "La", "RGBa"):  # a palette with transparency warns when it goes to RGB directly
        return image.convert("LA" if image.mode == "La" else "RGBA").convert("RGB")
    return image.convert("RGB")
