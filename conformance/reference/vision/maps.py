"""From a picture to maps of how odd each cell is: by itself, seen near and from afar, and gaps in an outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.ndimage import distance_transform_edt, uniform_filter

from conformance.reference.vision.arrays import Bytes, Flags, Floats, product, single
from conformance.reference.vision.features import CELL, REACH, brightness, features
from conformance.reference.vision.ground import Ground, gaps, surface
from conformance.reference.vision.norm import Norm

NEAR, AFAR = 5, 9
"""Cells a side over which oddness, or what a place looks like, is averaged: a scratch is narrow, a stain is wide."""
SHARP_MAP, NEAR_MAP, AFAR_MAP, GAP_MAP, AMOUNT_MAP = range(5)
"""The places of the maps in ``Maps.odd``; only pictures of an object have the last two, of gaps and of its size."""
LEAST_SPREADS = (0.1, 0.1, 0.1, 0.5, 0.1)
"""How far the peak of each map strays at least among normal pictures: for gaps by half a cell."""
STRIP = 512  # pixels: so many rows are described at a time

_SUPPORT = 0.4  # of a box that must be surface before its average counts in full
_LEAST = np.float32(0.01)  # of a box, lest an average of nothing is taken
_CORE = 0.35  # of a gap's width that its narrow ends must have to belong to it


@dataclass(frozen=True, eq=False)
class Maps:
    """One picture's maps, each (rows, columns) of cells; ``votes`` (types, rows, columns) sorts what is odd.

    Maps of surface are about 1 where all is normal, a map of gaps is in cells, and the one of the object's size is
    the same everywhere: how many times e it is larger or smaller than usual.
    """

    odd: tuple[Floats, ...]
    votes: Floats | None = None


@dataclass(frozen=True, eq=False)
class Sorter:
    """Linear discriminants of the anomaly types: ``weights`` (types, FINE) and ``bias`` (types)."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Norms:
    """What is normal: in the finest features, which say where something is, and in all of them as seen from ``afar``,
    which tell what is faint but wide.
    """

    coarse: Norm
    fine: Norm


def maps_of(pixels: Bytes, norms: Norms, ground: Ground | None, sorter: Sorter | None = None) -> Maps:
    """Look at a picture (rows, columns, 3), strip by strip if its places are all alike."""
    if norms.fine.aligned or ground is not None:
        return maps_from(features(pixels, brightness(pixels)), norms, ground, sorter)
    fine, coarse, votes = [], [], []
    for cells in strips(pixels):
        fine.append(norms.fine.distances(cells))
        coarse.append(norms.coarse.distances(afar(cells)))
        if sorter is not None:
            votes.append(votes_of(cells, norms, sorter))
    odd = _odd(np.concatenate(fine), _without_rim(np.concatenate(coarse)))
    return Maps(odd, np.concatenate(votes, axis=1) if votes else None)


def maps_from(cells: Floats, norms: Norms, ground: Ground | None, sorter: Sorter | None = None) -> Maps:
    """The same from features, (FEATURES, rows, columns)."""
    votes = None if sorter is None else votes_of(cells, norms, sorter)
    fine = norms.fine.distances(cells)
    if ground is None:
        coarse = norms.coarse.distances(afar(cells))
        return Maps(_odd(fine, coarse if norms.fine.aligned else _without_rim(coarse)), votes)
    thing = ground.object_in(cells)
    coarse = norms.coarse.distances(afar(cells, surface(thing)))
    amount = np.full_like(fine, ground.amount_off(thing))
    return Maps((*_odd_within(surface(thing), fine, coarse), gaps(thing), amount), votes)


def strips(pixels: Bytes) -> Iterator[Floats]:
    """The features of a picture in strips that lie below each other."""
    gain, rows = brightness(pixels), len(pixels)
    for top in range(0, rows, STRIP):
        above, bottom = max(0, top - REACH), min(rows, top + STRIP)
        cells = features(pixels[above : min(rows, bottom + REACH)], gain)
        start = (top - above) // CELL
        yield cells[:, start : start - (-(bottom - top) // CELL)]


def votes_of(cells: Floats, norms: Norms, sorter: Sorter) -> Floats:
    """How much each cell speaks for each anomaly type, (types, rows, columns)."""
    white = norms.fine.whitened(cells)
    return cast(
        Floats,
        (product(sorter.weights, white.reshape(len(white), -1)) + sorter.bias[:, None]).reshape(-1, *white.shape[1:]),
    )


def whole_gap(gap: Floats, peak: float) -> Flags:
    """The cells of gaps about as wide as ``peak``, from rim to rim, without the slivers along the outline."""
    reach = max(1.0, _CORE * peak)
    return (distance_transform_edt(gap < reach) <= reach) & (gap > 0)


def afar(cells: Floats, where: Flags | None = None) -> Floats:
    """Features (FEATURES, rows, columns) averaged over boxes; ``where`` leaves out what is of no surface."""
    if where is None:
        return single(uniform_filter(cells, (1, AFAR, AFAR)))
    weight = where.astype(np.float32)
    return single(uniform_filter(cells * weight, (1, AFAR, AFAR)) / np.maximum(uniform_filter(weight, AFAR), _LEAST))


def near(distances: Floats) -> Floats:
    """Distances (rows, columns) as they look from near."""
    return single(uniform_filter(distances, NEAR))


def _odd(fine: Floats, coarse: Floats) -> tuple[Floats, Floats, Floats]:
    return fine, near(fine), coarse


def _without_rim(coarse: Floats) -> Floats:
    """A map in which the rim is as usual: what a picture's edge cuts off looks odd in free texture, and is not."""
    inner = np.minimum(coarse, 1)
    reach = AFAR // 2
    inner[reach:-reach, reach:-reach] = coarse[reach:-reach, reach:-reach]
    return inner


def _odd_within(where: Flags, fine: Floats, coarse: Floats) -> tuple[Floats, Floats, Floats]:
    """The same for a surface that ends: what lies beyond it takes no part in the averages."""
    weight = where.astype(np.float32)
    blurred = uniform_filter(fine * weight, NEAR) / np.maximum(uniform_filter(weight, NEAR), _SUPPORT)
    return single(fine * weight), single(blurred * weight), single(coarse * weight)
