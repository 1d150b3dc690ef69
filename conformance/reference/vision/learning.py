"""Learning from pictures: which kind of scene they show, what is normal in it, and where anomalous begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from conformance.reference.vision import ground as grounds
from conformance.reference.vision.arrays import Bytes, Flags, Floats
from conformance.reference.vision.calibration import Scale, as_floats, growth_of, scale_of, score_of, threshold_of
from conformance.reference.vision.features import CELL, FEATURES, FINE, brightness, features
from conformance.reference.vision.ground import Ground
from conformance.reference.vision.maps import LEAST_SPREADS, Maps, Norms, Sorter, afar, maps_from
from conformance.reference.vision.norm import aligned_norm, share_of_places, texture_norm
from conformance.reference.vision.pixels import factor_for, pixels
from conformance.reference.vision.segmentation import Type, labels_of
from conformance.reference.vision.trained import DEFAULT_TYPE, Trained

FEWEST = 5
"""Normal pictures without which there is nothing to learn: each fold must leave four."""

FOLDS = 5
ALIGNED = 0.35  # share of the variance that the place must explain
SAME_PLACE = 0.85  # agreement of the objects' places beyond which the scene is an aligned one
DEPTH = 0.5
DEPTHS = (0.4, 0.5, 0.6)

_MEMORY = 256 * 2**20  # bytes of features that are held at once
_SHOWN = 40  # pictures that are enough to tell what kind of scene they show
_ABSENT = -1e6  # the vote for a type of which no cell was ever seen

Progress = Callable[[int, int], None]
Taught = tuple[Image.Image, Bytes | None]
"""An anomalous picture and, if known, its truth: (rows, columns) with 0 or the number of a type at each pixel."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A trained model, and how many pictures it tells right of how many it was shown.

    Each normal picture is judged by a norm that never saw it. The anomalous ones have moved the threshold.
    """

    trained: Trained
    normal_right: int
    normal: int
    anomalous_right: int
    anomalous: int


@dataclass(frozen=True, eq=False)
class _Seen:
    """The peaks of the maps of a picture that the norm never saw, and those of its quarters."""

    peaks: list[float]
    quarters: list[list[float]]


@dataclass(frozen=True, eq=False)
class _Scene:
    """What the pictures show, and so how a norm is made of some of them."""

    ground: Ground | None
    aligned: bool

    def norms(self, pictures: Sequence[Floats]) -> Norms:
        """What is normal in these, each as ``features`` gives it."""
        if self.aligned:
            return Norms(
                aligned_norm([afar(cells) for cells in pictures]), aligned_norm([cells[:FINE] for cells in pictures])
            )
        where = [self._surface(cells) for cells in pictures]
        return Norms(
            texture_norm((afar(cells, flags) for cells, flags in zip(pictures, where, strict=True)), where),
            texture_norm((cells[:FINE] for cells in pictures), where),
        )

    def _surface(self, cells: Floats) -> Flags | None:
        return None if self.ground is None else grounds.surface(self.ground.object_in(cells))


def nobody(_done: int, _of: int) -> None:
    """For whoever does not want to know how far learning is."""


def learn(
    normal: Sequence[Image.Image],
    anomalous: Sequence[Taught] = (),
    types: tuple[Type, ...] = (DEFAULT_TYPE,),
    on_progress: Progress = nobody,
) -> Lesson:
    """Learn from at least ``FEWEST`` normal images of one size, and calibrate on anomalous ones of the same size.

    The sequences may load their images when these are asked for; each but the first is asked for once. The same
    images in the same order give the same model. Raises ValueError for too few images or mixed sizes.
    """
    if len(normal) < FEWEST:
        raise ValueError(f"{FEWEST} normal images are needed, not {len(normal)}")
    size = normal[0].size
    steps = _Steps(on_progress, len(normal) + len(anomalous) + FOLDS)
    fitted, rest = _described(normal, size, steps)
    scene = _scene_of(fitted)
    norms = scene.norms(fitted)
    seen = [*_held_out(fitted, scene, steps)]
    for place in rest:
        seen.append(_see(_features(normal[place], size), norms, scene))
        steps.step()
    untaught = _calibrated(norms, scene, size, seen, fitted[0][0].size)
    return _taught(untaught, seen, anomalous, types, steps)


class _Steps:
    def __init__(self, on_progress: Progress, of: int) -> None:
        self._tell, self._of, self._done = on_progress, of, 0

    def step(self) -> None:
        self._done += 1
        self._tell(self._done, self._of)


def _features(image: Image.Image, size: tuple[int, int]) -> Floats:
    if image.size != size:
        raise ValueError(f"an image has {image.size[0]}x{image.size[1]} pixels, the first {size[0]}x{size[1]}")
    seen = pixels(image, factor_for(size))
    return features(seen, brightness(seen))


def _described(normal: Sequence[Image.Image], size: tuple[int, int], steps: _Steps) -> tuple[list[Floats], list[int]]:
    """As many pictures as memory holds, evenly from all; and the places of the others, which can only calibrate."""
    cell = CELL * factor_for(size)
    each = (size[0] // cell + 1) * (size[1] // cell + 1) * FEATURES * 4
    most = max(FOLDS, _MEMORY // each)
    chosen = np.unique(np.linspace(0, len(normal) - 1, min(most, len(normal))).astype(int)).tolist()
    fitted = []
    for place in chosen:
        fitted.append(_features(normal[place], size))
        steps.step()
    return fitted, sorted(set(range(len(normal))) - set(chosen))


def _scene_of(pictures: Sequence[Floats]) -> _Scene:
    """An object that lies freely, an aligned scene, or texture, whichever the pictures speak for."""
    shown = pictures[:: -(-len(pictures) // _SHOWN)]
    ground = grounds.learn(shown)
    aligned = share_of_places(shown) > ALIGNED
    if ground is not None and not (aligned and grounds.agreement(ground, shown) > SAME_PLACE):
        return _Scene(ground, aligned=False)
    return _Scene(None, aligned)


def _held_out(pictures: Sequence[Floats], scene: _Scene, steps: _Steps) -> Iterator[_Seen]:
    """Each picture as it looks to a norm made of the other folds."""
    for fold in range(FOLDS):
        norms = scene.norms([cells for place, cells in enumerate(pictures) if place % FOLDS != fold])
        for cells in pictures[fold::FOLDS]:
            yield _see(cells, norms, scene)
        steps.step()


def _see(cells: Floats, norms: Norms, scene: _Scene) -> _Seen:
    odd = maps_from(cells, norms, scene.ground).odd
    rows, columns = (side // 2 for side in odd[0].shape)
    parts = [np.s_[top : top + rows, left : left + columns] for top in (0, rows) for left in (0, columns)]
    return _Seen([_peak(each) for each in odd], [[_peak(each[part]) for each in odd] for part in parts])


def _peak(odd: Floats) -> float:
    return float(odd.max(initial=0))


def _calibrated(norms: Norms, scene: _Scene, size: tuple[int, int], seen: Sequence[_Seen], cells: int) -> Trained:
    """The model as the normal pictures alone make it."""
    peaks = as_floats([each.peaks for each in seen]).T
    scales = tuple(scale_of(each, least) for each, least in zip(peaks, LEAST_SPREADS, strict=False))
    scores = _scores(seen, scales)
    free = scene.ground is None and not scene.aligned
    growth = 0.0
    if free:
        quarters = as_floats([[score_of(part, scales) for part in each.quarters] for each in seen])
        growth = growth_of(quarters.mean(axis=1), scores, quarters.shape[1])
    threshold = threshold_of(scores, as_floats([]), cells, growth)
    return Trained(norms, scene.ground, None if free else size, factor_for(size), scales, threshold, DEPTH)


def _scores(seen: Sequence[_Seen], scales: Sequence[Scale]) -> Floats:
    return as_floats([score_of(each.peaks, scales) for each in seen])


# Anomalous pictures.


def _taught(
    trained: Trained, seen: Sequence[_Seen], anomalous: Sequence[Taught], types: tuple[Type, ...], steps: _Steps
) -> Lesson:
    """The model with threshold, depth and types as anomalous pictures show them."""
    normal = _scores(seen, trained.scales)
    scores, truths, deviations = [], [], []
    for image, truth in anomalous:
        cells = _features(image, image.size if trained.size is None else trained.size)
        maps = maps_from(cells, trained.norms, trained.ground)
        scores.append(trained.score(maps))
        if truth is not None:
            small = _reduced(truth, maps.odd[0].shape, CELL * trained.factor)
            truths.append((maps, small > 0))
            deviations.append((trained.norms.fine.whitened(cells)[:, small > 0].T, small[small > 0]))
        steps.step()
    usual = trained.threshold
    threshold = threshold_of(normal, as_floats(scores), usual.cells, usual.growth)
    changed = replace(trained, threshold=threshold, types=types)
    finished = replace(changed, depth=_depth(changed, truths), sorter=_sorter(deviations, len(types)))
    odd = sum(score > threshold.at for score in scores)
    return Lesson(finished, int((normal <= threshold.at).sum()), len(normal), odd, len(scores))


def _reduced(truth: Bytes, shape: tuple[int, ...], cell: int) -> Bytes:
    """The truth at the middle of each cell."""
    small = truth[cell // 2 :: cell, cell // 2 :: cell]
    return np.pad(small, ((0, shape[0] - small.shape[0]), (0, shape[1] - small.shape[1])))


def _depth(trained: Trained, truths: Sequence[tuple[Maps, Flags]]) -> float:
    """The depth whose masks are most like the truth; the first of equals."""
    if not truths:
        return trained.depth
    return max(DEPTHS, key=lambda depth: sum(_likeness(trained, maps, truth, depth) for maps, truth in truths))


def _likeness(trained: Trained, maps: Maps, truth: Flags, depth: float) -> float:
    found = labels_of(maps, trained.scales, trained.threshold.for_cells(truth.size), depth) > 0
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def _sorter(deviations: Sequence[tuple[Floats, Bytes]], types: int) -> Sorter | None:
    """Linear discriminants of the types, or None where there is nothing to choose from."""
    if types < 2 or not deviations:
        return None
    cells = np.concatenate([white for white, _ in deviations])
    kinds = np.concatenate([kind for _, kind in deviations])
    within = np.eye(FINE)
    means = np.zeros((types, FINE))
    for kind in np.unique(kinds):
        means[kind - 1] = cells[kinds == kind].mean(axis=0)
        away = cells[kinds == kind] - means[kind - 1]
        within += away.T @ away / len(cells)
    weights = np.linalg.solve(within, means.T).T
    bias = -(means * weights).sum(axis=1) / 2
    bias[[kind for kind in range(types) if not (kinds == kind + 1).any()]] = _ABSENT
    return Sorter(weights.astype(np.float32), bias.astype(np.float32))
