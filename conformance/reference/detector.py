"""What the image shows: pixels in, a decision and a mask out.

The image is its own norm: most of a sound part has about one brightness, and what lies far from the median, measured
by the spread of the rest, is an anomaly. Knows images only, nothing of HTTP or JSON.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from PIL import Image, ImageFilter

Colour = tuple[int, int, int]

BACKGROUND: tuple[str, Colour] = ("background", (255, 255, 255))
TYPES: tuple[tuple[str, Colour], ...] = (BACKGROUND, ("dark", (35, 164, 54)), ("bright", (77, 216, 255)))
"""Name and colour of each type; the position is the pixel's label."""

WORKING_SIDE = 512  # pixels: finer than this a defect is noise
LEAST_TOLERANCE = 24  # grey levels: what JPEG and lighting do to a plain surface
SPREADS = 6  # median absolute deviations, about four standard deviations of a normal texture
SPECK = 1 / 5000  # share of the image that must stand out before it counts
STEEPNESS = 6.0


@dataclass(frozen=True)
class Region:
    """One anomaly type, or the background: its name, its colour in the mask, its share of the pixels (0..1)."""

    name: str
    colour: Colour
    area: float


@dataclass(frozen=True)
class Detection:
    """The decision on one image; ``regions`` and ``mask`` (RGB, as large as the image) for segmentation only."""

    is_anomalous: bool
    confidence: float
    """How sure the decision is, 0..1."""
    regions: tuple[Region, ...] = ()
    mask: Image.Image | None = None


@dataclass(frozen=True)
class Norm:
    """What is usual in an image: the median grey level, and how far from it a pixel may lie."""

    level: int
    tolerance: int


def inspect(image: Image.Image, segments: bool) -> Detection:
    """Decide on one decoded image of any mode; with ``segments`` also say which pixels are of which type."""
    grey = _working_copy(image)
    counts = grey.histogram()
    norm = _norm(counts)
    strength = _peak(_by_deviation(counts, norm.level)) / norm.tolerance
    is_anomalous = strength > 1
    confidence = _confidence(strength)
    if not segments:
        return Detection(is_anomalous, confidence)
    labels = _labels(grey, norm) if is_anomalous else Image.new("L", grey.size)
    full = labels.resize(image.size, Image.Resampling.NEAREST)
    return Detection(is_anomalous, confidence, _regions(full), _painted(full))


def float32(value: float) -> float:
    """The nearest 32-bit float: the model declares every number of the result as one."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _working_copy(image: Image.Image) -> Image.Image:
    factor = math.ceil(max(image.size) / WORKING_SIDE)
    copy = _grey(image).reduce(factor).filter(ImageFilter.BoxBlur(1))
    copy.info.clear()  # a colour profile or transparent colour of the photograph is none of the mask
    return copy


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bit grey, which convert("L") would clip instead of scale
        return image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if image.mode == "P":  # a palette with transparency warns when it goes to grey directly
        return image.convert("RGBA").convert("L")
    return image.convert("L")


def _norm(counts: Sequence[int]) -> Norm:
    level = _median(counts)
    spread = _median(_by_deviation(counts, level))
    return Norm(level, max(LEAST_TOLERANCE, SPREADS * spread))


def _median(counts: Sequence[int]) -> int:
    half = sum(counts) / 2
    return next(value for value, seen in enumerate(accumulate(counts)) if seen >= half)


def _by_deviation(counts: Sequence[int], level: int) -> list[int]:
    """How many pixels lie 0, 1, 2, ... grey levels away from ``level``."""
    deviations = [0] * 256
    for value, count in enumerate(counts):
        deviations[abs(value - level)] += count
    return deviations


def _peak(deviations: Sequence[int]) -> int:
    """The largest deviation that more than a speck of the image reaches."""
    enough = max(4.0, SPECK * sum(deviations))
    reached = list(accumulate(reversed(deviations)))
    return next(255 - index for index, seen in enumerate(reached) if seen >= enough)


def _confidence(strength: float) -> float:
    anomalous = 1 / (1 + math.exp(-STEEPNESS * (strength - 1)))
    return float32(max(anomalous, 1 - anomalous))


def _labels(grey: Image.Image, norm: Norm) -> Image.Image:
    darkest, brightest = norm.level - norm.tolerance, norm.level + norm.tolerance
    return grey.point([1 if level < darkest else 2 if level > brightest else 0 for level in range(256)])


def _regions(labels: Image.Image) -> tuple[Region, ...]:
    counts = labels.histogram()
    total = labels.width * labels.height
    listed = [(types, count) for types, count in zip(TYPES, counts, strict=False) if count or types is BACKGROUND]
    return tuple(Region(name, colour, float32(count / total)) for (name, colour), count in listed)


def _painted(labels: Image.Image) -> Image.Image:
    channels = [
        labels.point([*levels, *[0] * (256 - len(TYPES))]) for levels in zip(*(c for _, c in TYPES), strict=True)
    ]
    return Image.merge("RGB", channels)
