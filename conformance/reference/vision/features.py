"""What a place in a picture looks like: colour, and structure at four scales, as a short vector.

A picture is described on a grid of cells of two by two pixels. Everything is local (``REACH``), so a large picture may
be described strip by strip.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from conformance.reference.vision.arrays import Bytes, Floats, single

CELL = 2  # pixels a side
SCALES = (3, 7, 15)  # cells a side: the boxes whose differences are the bands
REACH = 48  # pixels: no feature looks farther than that, not even averaged over the boxes of ``maps``
COLOURS = 3
FEATURES = COLOURS + 4 + 5 * len(SCALES)
"""Length of a cell's vector: colours, pixel-fine structure, and five of each scale."""
FINE = COLOURS + 4 + 5
"""So many of them, the first, say just where something is."""

_FAINT = np.float32(0.02)  # of the mean brightness: what a camera's noise is about
_DARK = 4.0  # grey levels: a picture darker than that is not made brighter


def brightness(pixels: Bytes) -> float:
    """The mean grey level of a picture (rows, columns, 3), from which its exposure is taken out."""
    return max(_DARK, float(pixels[::CELL, ::CELL].mean(dtype=np.float64)))


def features(pixels: Bytes, gain: float) -> Floats:
    """Describe each cell of a picture (rows, columns, 3); ``gain`` is the whole picture's ``brightness``.

    Gives (FEATURES, ceil(rows / CELL), ceil(columns / CELL)). The first three are luminance, red against green, and
    blue against yellow, in units of the gain.
    """
    colours = _opponents(_padded(pixels).astype(np.float32) / np.float32(gain))
    luminance = colours[0]
    cells = [_pooled(colour) for colour in colours]
    found = [*cells, *_fine(luminance)]
    for narrow, wide in zip((1, *SCALES), SCALES, strict=False):
        found += _band(cells, narrow, wide)
    return np.stack(found)


def _padded(pixels: Bytes) -> Bytes:
    rows, columns = pixels.shape[:2]
    if rows % CELL == 0 and columns % CELL == 0:
        return pixels
    return np.pad(pixels, ((0, -rows % CELL), (0, -columns % CELL), (0, 0)), mode="edge")


def _opponents(rgb: Floats) -> list[Floats]:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return [(red + green + blue) / 3, red - green, blue - (red + green) / 2]


def _pooled(plane: Floats) -> Floats:
    return single((plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4)


def _fine(luminance: Floats) -> list[Floats]:
    """What is lost between pixels and cells: edges across and along, the darkest and the brightest pixel."""
    detail = luminance - uniform_filter(luminance, 5)
    across = np.abs(luminance[:, ::2] - luminance[:, 1::2])
    along = np.abs(luminance[::2] - luminance[1::2])
    return [
        _energy((across[::2] + across[1::2]) / 2, 3),
        _energy((along[:, ::2] + along[:, 1::2]) / 2, 3),
        _pooled(np.maximum(detail, 0)),
        _pooled(np.maximum(-detail, 0)),
    ]


def _band(cells: list[Floats], narrow: int, wide: int) -> list[Floats]:
    """One scale of a picture: brighter and darker than around, how much goes on, and which way it runs."""
    blurred = uniform_filter(cells[0], narrow) if narrow > 1 else cells[0]
    band = blurred - uniform_filter(cells[0], wide)
    step = max(1, narrow // 2)
    return [
        np.maximum(band, 0),
        np.maximum(-band, 0),
        _energy(np.abs(band), wide),
        _energy(np.abs(_slope(blurred, step, 1)), narrow + 2),
        _energy(np.abs(_slope(blurred, step, 0)), narrow + 2),
    ]


def _slope(plane: Floats, step: int, axis: int) -> Floats:
    padding = [(0, 0), (0, 0)]
    padding[axis] = (step, step)
    wide = np.pad(plane, padding, mode="edge")
    ahead, behind = (wide[2 * step :], wide[: -2 * step]) if axis == 0 else (wide[:, 2 * step :], wide[:, : -2 * step])
    return ahead - behind


def _energy(strength: Floats, box: int) -> Floats:
    """The logarithm of what is there on average: strong structure should not drown the faint."""
    return single(np.log(uniform_filter(strength, box) + _FAINT))
