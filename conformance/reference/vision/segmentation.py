"""From maps to a mask: which pixels are of which anomaly type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from PIL import Image
from scipy.ndimage import binary_closing, binary_dilation, binary_fill_holes, binary_opening, label
from scipy.ndimage import maximum as maximum_of
from scipy.ndimage import mean as mean_of

from conformance.reference.detector import BACKGROUND, Colour, Region, float32
from conformance.reference.vision.arrays import Bytes, Flags, Floats
from conformance.reference.vision.calibration import Scale
from conformance.reference.vision.features import CELL
from conformance.reference.vision.maps import AFAR_MAP, GAP_MAP, NEAR, NEAR_MAP, SHARP_MAP, Maps, whole_gap

MOST_TYPES = 16
"""Anomaly types that a model has at most."""

_SPECK = 4  # cells: what is smaller is noise, unless there is nothing else
_WIDE = NEAR + 2  # cells: a patch that is wider is no scratch, which near makes as wide as its box
_SMEAR = 2  # cells by which a feature carries an anomaly beyond its rim


@dataclass(frozen=True)
class Type:
    """An anomaly type: its name as an answer gives it, and its colour in the mask."""

    name: str
    colour: Colour


def labels_of(
    maps: Maps, scales: Sequence[Scale], threshold: float, depth: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The type of each cell, (rows, columns): 0 for the background, then 1, 2, ... as the votes have it.

    A cell counts that is beyond ``threshold`` (in spreads) and beyond ``depth`` (0..1) of the peak of its patch. The
    sharpest map that explains an anomaly says where it is: the blurred ones smear it over what is around.
    """
    beyond = [scale.centre + threshold * scale.spread for scale in scales]
    found = _patches(maps.odd[SHARP_MAP], beyond[SHARP_MAP], depth)
    smeared = _patches(maps.odd[NEAR_MAP], beyond[NEAR_MAP], depth)
    found |= binary_opening(smeared, np.ones((_WIDE, _WIDE), dtype=bool))
    found |= _apart(smeared, found)
    found |= _apart(_patches(maps.odd[AFAR_MAP], beyond[AFAR_MAP], depth), found)
    if len(maps.odd) > GAP_MAP:
        found |= _gaps(maps.odd[GAP_MAP], beyond[GAP_MAP])
    return _sorted(_cleaned(found, _oddest(maps, scales)), maps.votes)


def painted(
    labels: Bytes, types: Sequence[Type], size: tuple[int, int], factor: int
) -> tuple[tuple[Region, ...], Image.Image]:
    """The mask (RGB, ``size`` = width and height) of cells' labels, and its regions, the background first."""
    full = np.zeros((size[1], size[0]), dtype=np.uint8)
    for number in range(1, len(types) + 1):
        if (labels == number).any():
            full[_enlarged(labels == number, size, factor)] = number
    listed = [Type(*BACKGROUND), *types]
    counts = np.bincount(full.ravel(), minlength=len(listed))
    regions = tuple(
        Region(each.name, each.colour, float32(count / full.size))
        for each, count in zip(listed, counts.tolist(), strict=True)
        if count or each is listed[0]
    )
    return regions, Image.fromarray(np.array([each.colour for each in listed], dtype=np.uint8)[full])


def _patches(odd: Floats, beyond: float, depth: float) -> Flags:
    patches, number = label(odd > beyond)
    if not number:
        return patches > 0
    peaks = np.concatenate([[np.inf], np.atleast_1d(maximum_of(odd, patches, np.arange(1, number + 1)))])
    return odd > np.maximum(beyond, depth * peaks[patches])


def _widened(found: Flags) -> Flags:
    return binary_dilation(found, iterations=_SMEAR) if found.any() else found


def _apart(patches: Flags, found: Flags) -> Flags:
    """Those patches in which nothing was found yet."""
    numbered, _ = label(patches)
    return patches & ~np.isin(numbered, np.unique(numbered[_widened(found)]))


def _oddest(maps: Maps, scales: Sequence[Scale]) -> Flags:
    """The cells where the oddest of the maps peaks."""
    scores = [(float(odd.max()) - scale.centre) / scale.spread for odd, scale in zip(maps.odd, scales, strict=True)]
    peaking = maps.odd[int(np.argmax(scores))]
    return cast(Flags, peaking == peaking.max())


def _gaps(gap: Floats, beyond: float) -> Flags:
    missing, number = label(gap > 0)
    found = np.zeros(gap.shape, dtype=bool)
    peaks = np.atleast_1d(maximum_of(gap, missing, np.arange(1, number + 1))) if number else np.zeros(0)
    for each in np.flatnonzero(peaks > beyond):
        found |= whole_gap(np.where(missing == each + 1, gap, np.float32(0)), float(peaks[each]))
    return found


def _cleaned(found: Flags, oddest: Flags) -> Flags:
    solid = binary_fill_holes(binary_closing(np.pad(found, 1))[1:-1, 1:-1] | found)
    patches, number = label(solid)
    sizes = np.bincount(patches.ravel(), minlength=number + 1)
    keep = sizes >= _SPECK
    keep[0] = False
    if keep.any():
        return keep[patches]
    if not number:  # an anomaly must be somewhere: where it is oddest
        return oddest
    return cast(Flags, patches == 1 + int(np.argmax(sizes[1:])))


def _sorted(found: Flags, votes: Floats | None) -> Bytes:
    """Give each patch the type for which its cells speak loudest together."""
    if votes is None:
        return found.astype(np.uint8)
    patches, number = label(found)
    each = [np.atleast_1d(mean_of(vote, patches, np.arange(1, number + 1))) for vote in votes]
    types = np.concatenate([[0], 1 + np.argmax(np.stack(each), axis=0)])
    return cast(Bytes, types[patches].astype(np.uint8))


def _enlarged(flags: Flags, size: tuple[int, int], factor: int) -> Flags:
    """The pixels of a picture that cells cover, the staircase at their edges smoothed."""
    cell = CELL * factor
    rows, columns = flags.shape
    levels = Image.fromarray(flags.astype(np.uint8) * 255)
    smooth = levels.resize((columns * cell, rows * cell), Image.Resampling.BILINEAR)
    return np.asarray(smooth.crop((0, 0, *size))) >= 128
