"""A trained model: pixels in, a decision and a mask out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from conformance.reference.detector import Detection, float32
from conformance.reference.vision.arrays import Bytes
from conformance.reference.vision.calibration import Scale, Threshold, score_of
from conformance.reference.vision.ground import Ground
from conformance.reference.vision.maps import Maps, Norms, Sorter, maps_of
from conformance.reference.vision.pixels import pixels
from conformance.reference.vision.segmentation import Type, labels_of, painted

DEFAULT_TYPE = Type("anomaly", (35, 164, 54))


@dataclass(frozen=True, eq=False)
class Trained:
    """What training gives. Nothing in it changes, so threads may share it."""

    norms: Norms
    ground: Ground | None
    """How to find the object, where the pictures show one that lies freely."""
    size: tuple[int, int] | None
    """Width and height in pixels of the only images it takes; None when it takes any."""
    factor: int
    """By how much an image is reduced first."""
    scales: tuple[Scale, ...]
    threshold: Threshold
    depth: float
    """Share of a patch's peak that its rim must reach."""
    types: tuple[Type, ...] = (DEFAULT_TYPE,)
    sorter: Sorter | None = None

    @property
    def kind(self) -> str:
        """``object``, ``aligned`` or ``texture``: what it takes its pictures for."""
        return "object" if self.ground else "aligned" if self.norms.fine.aligned else "texture"

    def inspect(self, image: Image.Image, segments: bool) -> Detection:
        """Decide on a decoded image of any mode; with ``segments`` also say which pixels are of which type.

        Raises ValueError when the image has not the ``size`` it was trained for.
        """
        maps = self.look(image)
        score, cells = self.score(maps), maps.odd[0].size
        probability = self.threshold.probability(score, cells)
        is_anomalous = score > self.threshold.for_cells(cells)
        confidence = float32(max(probability, 1 - probability))
        if not segments:
            return Detection(is_anomalous, confidence)
        labels: Bytes = np.zeros(maps.odd[0].shape, dtype=np.uint8)
        if is_anomalous:
            labels = labels_of(maps, self.scales, self.threshold.for_cells(cells), self.depth)
        regions, mask = painted(labels, self.types, image.size, self.factor)
        return Detection(is_anomalous, confidence, regions, mask)

    def look(self, image: Image.Image) -> Maps:
        """How odd each cell of an image is. Raises ValueError as ``inspect`` does."""
        if self.size is not None and image.size != self.size:
            raise ValueError(f"the model takes images of {self.size[0]}x{self.size[1]} pixels, not {image.size}")
        return maps_of(pixels(image, self.factor), self.norms, self.ground, self.sorter)

    def score(self, maps: Maps) -> float:
        """How odd an image is as a whole, in spreads of normal ones."""
        return score_of([float(odd.max()) for odd in maps.odd], self.scales)
