"""What is normal: Gaussians over the cells' features, for each place of an aligned scene or for all places alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from conformance.reference.vision.arrays import Flags, Floats, covariance, product, single, some

KINDS = 8
"""How many kinds of places a free texture is taken to have, such as thread, gap and knot."""

_SAMPLES = 12_000  # cells that are enough for a covariance
_ROUNDS = 8
_PER_CENTRE = 4  # cells of the sample, of which one is enough to place the centres
_SHRINK = 0.05  # towards no correlation, so that few pictures give no direction without width
_PRIOR = 8  # pictures' worth of trust in the spread of all places where one place has its own
_LENT = 7  # cells a side: places so near lend each other what they saw
_NARROWEST = np.float32(5e-3)  # of a feature's spread: a camera sees no finer, and drawn scenes have none
_FLATTEST = 0.05  # of a direction's variance, once each feature has one: what is less is rounding
_RAREST = 0.003  # of the cells that a kind must have: less may be a defect that nobody saw
_COMMON = 0.3  # of the spread of all kinds that each kind has: a rare place is of none, and yet normal
_EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class Norm:
    """Gaussians with one covariance over the first so many features.

    ``mean`` and ``scale`` are (features, 1, 1), or (features, rows, columns) where each place has its own; ``whiten``
    is (features, features), and ``bank`` (kinds, features) has the centres in the whitened space.
    """

    mean: Floats
    scale: Floats
    whiten: Floats
    bank: Floats

    @property
    def aligned(self) -> bool:
        """Whether each place has its own Gaussian."""
        return self.mean.shape[1:] != (1, 1)

    def whitened(self, cells: Floats) -> Floats:
        """The deviations of cells (FEATURES, rows, columns) in standard deviations, without correlation."""
        deviations = cells[: len(self.whiten)] - self.mean
        deviations *= self.scale
        return product(self.whiten, deviations.reshape(len(deviations), -1)).reshape(deviations.shape)

    def distances(self, cells: Floats) -> Floats:
        """How far each cell (FEATURES, rows, columns) is from normal, (rows, columns); about 1 for what is normal."""
        white = self.whitened(cells)
        flat = white.reshape(len(white), -1)
        squares = np.einsum("fc,fc->c", flat, flat)
        if self.bank.any():
            squares += _to_bank(flat, self.bank).min(axis=0)
        return single(np.sqrt(np.maximum(squares, 0) / np.float32(len(white)))).reshape(white.shape[1:])


def aligned_norm(pictures: Sequence[Floats]) -> Norm:
    """One Gaussian for each place; neighbouring places lend theirs, which allows for a small shift."""
    number = np.float32(len(pictures))
    mean = _lent(sum_of(pictures) / number)
    variance = _lent(sum_of((cells - mean) ** 2 for cells in pictures) / number)
    overall = variance.mean(axis=(1, 2), keepdims=True)
    scale = 1 / np.maximum(np.sqrt((number * variance + _PRIOR * overall) / (number + _PRIOR)), _NARROWEST)
    sample = _sample((cells - mean) * scale for cells in _fewer(pictures))
    return Norm(mean, scale, _whitening(sample), np.zeros((1, len(mean)), dtype=np.float32))


def texture_norm(pictures: Iterable[Floats], where: Sequence[Flags | None]) -> Norm:
    """A few Gaussians for all places alike; ``where`` leaves out, picture by picture, what is not of the texture."""
    sample = _sample(cells if flags is None else cells[:, flags] for cells, flags in zip(pictures, where, strict=True))
    mean = sample.mean(axis=1, keepdims=True)
    scale = 1 / np.maximum(sample.std(axis=1, keepdims=True), _NARROWEST)
    rough = (sample - mean) * scale
    white = product(_whitening(rough), rough)
    centres = _centres(white[:, ::_PER_CENTRE])
    nearest = _kinds(white, centres)
    whiten = _whitening(white - centres[nearest].T, _COMMON) @ _whitening(rough)
    white = product(whiten, rough)
    bank = np.stack([white[:, nearest == kind].mean(axis=1) for kind in np.unique(nearest)])
    return Norm(mean[..., None], scale[..., None], whiten, bank)


def share_of_places(pictures: Sequence[Floats]) -> float:
    """How much of the features' variance the place explains: near 1 for an aligned scene, near 0 for free texture."""
    number = len(pictures)
    mean = sum_of(pictures) / np.float32(number)
    within = sum_of((cells - mean) ** 2 for cells in pictures).mean(axis=(1, 2)) / (number - 1)
    between = mean.var(axis=(1, 2)) - within / number
    return float(np.mean(between / np.maximum(between + within, _EPSILON)))


def sum_of(arrays: Iterable[Floats]) -> Floats:
    """The sum of arrays of one shape, of which only one is held at a time."""
    each = iter(arrays)
    total = next(each).copy()
    for array in each:
        total += array
    return total


def _lent(places: Floats) -> Floats:
    return single(uniform_filter(places, (1, _LENT, _LENT)))


def _fewer(pictures: Sequence[Floats]) -> Sequence[Floats]:
    return pictures[:: -(-len(pictures) * pictures[0][0].size // (_SAMPLES * 20))]


def _sample(parts: Iterable[Floats]) -> Floats:
    """Cells of all parts in proportion, (features, about _SAMPLES)."""
    flat = [part.reshape(len(part), -1) for part in parts]
    share = min(1.0, _SAMPLES / max(1, sum(part.shape[1] for part in flat)))
    return np.concatenate([part[:, some(ceil(share * part.shape[1]), part.shape[1])] for part in flat], axis=1)


def _whitening(sample: Floats, common: float = 0.0) -> Floats:
    """The matrix that makes the covariance of a sample (features, cells) one, mixed with so much of one itself."""
    found = (1 - common) * covariance(sample) + common * np.eye(len(sample))
    diagonal = np.diag(np.diag(found) + _EPSILON)
    values, vectors = np.linalg.eigh((1 - _SHRINK) * found + _SHRINK * diagonal)
    return np.ascontiguousarray((vectors / np.sqrt(np.maximum(values, _FLATTEST))).T, dtype=np.float32)


def _centres(white: Floats) -> Floats:
    """Lloyd's k-means, begun with cells far from each other, lest a rare kind be missed; (kinds, features)."""
    chosen = white[:, :1].T
    while len(chosen) < KINDS:
        squares = _to_bank(white, chosen).min(axis=0) + (white**2).sum(axis=0)
        chosen = np.concatenate([chosen, white[:, [int(np.argmax(squares))]].T])
    for _ in range(_ROUNDS):
        nearest = _kinds(white, chosen)
        shares = [nearest == kind for kind in range(len(chosen))]
        chosen = np.stack([white[:, flags].mean(axis=1) for flags in shares if flags.mean() > _RAREST])
    return chosen


def _kinds(white: Floats, centres: Floats) -> NDArray[np.intp]:
    nearest: NDArray[np.intp] = np.argmin(_to_bank(white, centres), axis=0)
    return nearest


def _to_bank(white: Floats, bank: Floats) -> Floats:
    """Squared distances of cells (features, cells) to centres, less each cell's own square: (kinds, cells)."""
    return single((bank**2).sum(axis=1)[:, None] - 2 * product(bank, white))
