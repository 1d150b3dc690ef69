"""An object that lies freely on a plain ground: which cells are the object, and where its outline has gaps.

Colour alone tells the object from the ground, whatever the exposure: colours are taken relative to the ground at the
picture's rim. A gap is what is ground but lies within the object's convex hull, and is the worse the wider it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from scipy.ndimage import (
    binary_closing,
    binary_erosion,
    binary_opening,
    distance_transform_edt,
    label,
)

from conformance.reference.vision.arrays import Flags, Floats, single, some
from conformance.reference.vision.features import COLOURS

RIM = 0.04  # share of each side in which only ground is expected
INSIDE = 2  # cells: what is nearer to the object's outline than that is not looked at as its surface

_SHARES = (0.04, 0.7)  # of a picture's cells that an object may take
_SHARE_OF_RIM = 0.12  # of the rim's cells that it may touch
_SEPARATION = 0.7  # share of the colours' variance that parting object and ground must explain
_DARK = 0.05  # of the mean brightness: a ground darker than that is not made brighter
_ROUNDS = 3
_PIECE = 0.1  # of the largest piece: what is smaller is a crumb, and none of the object
_DIRECTIONS = 48  # that the hull is drawn in
_SAMPLES = 20_000  # cells that are enough to learn colours from


@dataclass(frozen=True, eq=False)
class Ground:
    """How object and ground are told apart: a cell is object where ``weights`` (3) times its colour exceeds ``cut``.

    ``share`` is what the object usually takes of the picture, 0..1.
    """

    weights: Floats
    cut: float
    share: float = 0.0

    def amount_off(self, thing: Flags) -> float:
        """How far an object is from the usual size: the logarithm of the ratio, without its sign."""
        least = 1 / thing.size
        return abs(float(np.log(max(float(thing.mean()), least) / max(self.share, least))))

    def object_in(self, cells: Floats) -> Flags:
        """The object's cells, without crumbs and holes in it filled by nothing; ``cells`` as ``features`` gives."""
        found = _along(self.weights, _relative(cells)) > self.cut
        return _pieces(binary_opening(binary_closing(found, iterations=1), iterations=1))


def surface(thing: Flags) -> Flags:
    """The cells of an object that are safely within its outline."""
    return binary_erosion(thing, iterations=INSIDE)


def gaps(thing: Flags) -> Floats:
    """How wide the gap is that a cell lies in: its distance, in cells, to what is no gap; 0 outside gaps."""
    missing = hull(thing) & ~thing
    padded = np.pad(missing, 1)
    return cast(Floats, distance_transform_edt(padded)[1:-1, 1:-1].astype(np.float32))


def hull(thing: Flags) -> Flags:
    """The cells within the convex hull of the object's."""
    rows, columns = np.nonzero(thing & ~binary_erosion(thing))
    within = np.ones(thing.shape, dtype=bool)
    if not rows.size:
        return ~within
    down, right = np.arange(thing.shape[0], dtype=np.float32)[:, None], np.arange(thing.shape[1], dtype=np.float32)
    for angle in np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False):
        sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
        within &= down * sine + right * cosine <= (rows * sine + columns * cosine).max()
    return within


def learn(pictures: Sequence[Floats]) -> Ground | None:
    """Learn to tell an object from its ground, or find that there is none; ``pictures`` as ``features`` gives."""
    colours = [_relative(cells) for cells in pictures]
    rim = _rim(pictures[0].shape[1:])
    sample = _sample(np.concatenate([colour.reshape(COLOURS, -1) for colour in colours], axis=1)).T
    spread = np.concatenate([colour[:, rim] for colour in colours], axis=1)
    plain = 1.4826 * np.median(np.abs(spread), axis=1) + 1e-3
    far = np.abs(sample / plain).max(axis=1)
    thing = np.log1p(far) > _cut(np.log1p(far))[0]
    ground, separation = None, 0.0
    for _ in range(_ROUNDS):
        if not 0.01 < thing.mean() < 0.9:
            return None
        weights = _direction(sample[~thing], sample[thing])
        cut, separation = _cut(sample @ weights)
        ground = Ground(weights, cut)
        thing = sample @ weights > cut
    if ground is None or separation < _SEPARATION:
        return None
    things = [ground.object_in(cells) for cells in pictures]
    share = float(np.median([thing.mean() for thing in things]))
    return replace(ground, share=share) if all(_plausible(thing, rim) for thing in things) else None


def agreement(ground: Ground, pictures: Sequence[Floats]) -> float:
    """How much the objects of several pictures lie in one place: what all pairs share of what either covers, 0..1."""
    shapes = np.stack([ground.object_in(cells) for cells in pictures])
    total = shapes.sum(axis=0, dtype=np.float64)
    number = len(shapes)
    both = (total * (total - 1) / 2).sum()
    either = (number * (number - 1) / 2 - (number - total) * (number - total - 1) / 2).sum()
    return float(both / max(1.0, either))


def _relative(cells: Floats) -> Floats:
    """Colours relative to the ground's, in units of the ground's brightness."""
    colours = cells[:COLOURS]
    ground = np.median(colours[:, _rim(cells.shape[1:])], axis=1)
    return single((colours - ground[:, None, None]) / np.float32(max(float(ground[0]), _DARK)))


def _along(weights: Floats, colours: Floats) -> Floats:
    return single(weights[0] * colours[0] + weights[1] * colours[1] + weights[2] * colours[2])


def _rim(shape: tuple[int, ...]) -> Flags:
    wide = max(1, round(RIM * min(shape[0], shape[1])))
    rim = np.ones((shape[0], shape[1]), dtype=bool)
    rim[wide:-wide, wide:-wide] = False
    return rim


def _sample(colours: Floats) -> Floats:
    return colours[:, some(_SAMPLES, colours.shape[1])]


def _direction(ground: Floats, thing: Floats) -> Floats:
    """Fisher's: the direction in which two kinds of colours are farthest apart for their spread."""
    within = np.cov(ground, rowvar=False) + np.cov(thing, rowvar=False) + 1e-4 * np.eye(COLOURS)
    direction = np.linalg.solve(within, thing.mean(axis=0) - ground.mean(axis=0))
    return single(direction / np.linalg.norm(direction))


def _cut(values: Floats) -> tuple[float, float]:
    """Otsu's: the value that parts two kinds best, and the share of the variance that parting them explains."""
    ordered = np.sort(values.astype(np.float64))
    number = len(ordered)
    below = np.arange(1, number)
    sums = np.cumsum(ordered)
    low, high = sums[:-1] / below, (sums[-1] - sums[:-1]) / (number - below)
    between = below * (number - below) / number**2 * (high - low) ** 2
    best = int(np.argmax(between))
    middle = (low[best] + high[best]) / 2
    return float(middle), float(between[best] / max(ordered.var(), 1e-12))


def _pieces(found: Flags) -> Flags:
    labels, number = label(found)
    if not number:
        return found
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return cast(Flags, (sizes >= _PIECE * sizes.max())[labels])


def _plausible(thing: Flags, rim: Flags) -> bool:
    return bool(_SHARES[0] < thing.mean() < _SHARES[1] and thing[rim].mean() < _SHARE_OF_RIM)
