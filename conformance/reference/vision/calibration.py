"""From how odd a picture looks to a decision and how sure it is, learnt from pictures that the norm never saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from conformance.reference.vision.arrays import Floats

_SPREADS = 3.0  # from the mean of normal pictures to the threshold
_STRAY = 6  # spreads from their median beyond which a normal picture is taken for a stray
_LEAST_SPREAD = 0.1  # of a map's usual peak: few pictures look more alike than they are
_LEAST_WIDTH = 0.6  # of a spread: the same for the score
_FEW = 3  # anomalies that are too few to move the threshold
_STEPS = 60
_RIDGE = 1e-3


@dataclass(frozen=True)
class Scale:
    """What a map's peak usually is in a normal picture, and how far it strays."""

    centre: float
    spread: float


@dataclass(frozen=True)
class Threshold:
    """Where anomalous begins, in spreads, and how fast doubt ends there; ``growth`` is what a picture e times as large
    as ``cells`` may score more.
    """

    at: float
    steepness: float
    growth: float = 0.0
    cells: int = 1

    def for_cells(self, number: int) -> float:
        """The threshold for a picture of so many cells: the largest of many is larger than that of few."""
        return self.at + self.growth * max(0.0, math.log(max(1, number) / self.cells))

    def probability(self, score: float, number: int) -> float:
        """How probable it is that a picture of so many cells with this score is anomalous; 0.5 at the threshold."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.steepness * (score - self.for_cells(number))))))


def scale_of(peaks: Floats, least: float) -> Scale:
    """The scale of a map from its peaks in held-out normal pictures; its spread is ``least`` at least."""
    centre = float(np.median(peaks))
    return Scale(centre, max(_spread(_kept(peaks, 0.0)), _LEAST_SPREAD * abs(centre), least, 1e-3))


def score_of(peaks: Sequence[float], scales: Sequence[Scale]) -> float:
    """How odd a picture is, in spreads, by its oddest map."""
    return max((peak - scale.centre) / scale.spread for peak, scale in zip(peaks, scales, strict=True))


def threshold_of(normal: Floats, anomalous: Floats, cells: int, growth: float) -> Threshold:
    """The threshold from the scores of held-out normal pictures and, where there are enough, of anomalous ones."""
    at, steepness = _from_normals(normal)
    if len(anomalous) >= _FEW:
        at, steepness = _from_both(normal, anomalous) or (at, steepness)
    return Threshold(at, steepness, growth, cells)


def _from_normals(scores: Floats) -> tuple[float, float]:
    """Of n normal pictures none was anomalous: by Laplace's rule the usual one is so with 1 in n + 2."""
    middle = float(np.median(scores))
    kept = _kept(scores, _LEAST_WIDTH)
    width = max(_spread(kept), _LEAST_WIDTH)
    doubt = 1 + 3 / len(scores)  # about what Student has for a spread that is known from few
    at = float(kept.mean()) + _SPREADS * doubt * width
    return at, math.log(len(scores) + 1) / (at - middle)


def _from_both(normal: Floats, anomalous: Floats) -> tuple[float, float] | None:
    """Platt's: the logistic curve through both, with his doubts about few. None if it runs downhill."""
    scores = np.concatenate([normal, anomalous]).astype(np.float64)
    shift, stretch = float(np.median(normal)), max(_deviation(normal), _LEAST_WIDTH)
    inputs = np.log1p(np.maximum(0.0, (scores - shift) / stretch + 1))
    targets = np.concatenate(
        [np.full(len(normal), 1 / (len(normal) + 2)), np.full(len(anomalous), 1 - 1 / (len(anomalous) + 2))]
    )
    slope, offset = _logistic(inputs, targets)
    if slope <= 0:
        return None
    at = shift + stretch * (math.expm1(min(20.0, max(0.0, -offset / slope))) - 1)
    return at, slope / (stretch * (1 + (at - shift) / stretch + 1))


def _logistic(
    inputs: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    targets: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[float, float]:
    design = np.stack([inputs, np.ones_like(inputs)], axis=1)
    weights = np.zeros(2)
    for _ in range(_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (expected - targets) + _RIDGE * weights
        curve = (design * (expected * (1 - expected) + 1e-6)[:, None]).T @ design + _RIDGE * np.eye(2)
        weights = weights - np.linalg.solve(curve, slope)
    return float(weights[0]), float(weights[1])


def _kept(values: Floats, least: float) -> Floats:
    """The values, strays brought near: a defect among the normal pictures must not blind the model."""
    stray = float(np.median(values)) + _STRAY * max(_deviation(values), least)
    return as_floats(np.minimum(values, stray).tolist())


def _spread(values: Floats) -> float:
    return float(values.std(ddof=1))


def _deviation(values: Floats) -> float:
    """The standard deviation of all but the strays."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def growth_of(parts: Floats, wholes: Floats, ratio: float) -> float:
    """How much the score grows when a picture grows e-fold, from parts of pictures that are ``ratio`` smaller."""
    return max(0.0, float(np.mean(wholes - parts))) / math.log(ratio)


def as_floats(values: Sequence[float] | Sequence[Sequence[float]]) -> Floats:
    """Numbers as an array, 32 bit."""
    return cast(Floats, np.asarray(values, dtype=np.float32))
