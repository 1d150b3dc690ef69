"""The models that the reference offers when it is given none: trained in memory on pictures from a seed."""

from __future__ import annotations

from functools import cache

import numpy as np

from conformance.reference.vision.files import StoredModel
from conformance.reference.vision.learning import Taught, learn
from conformance.reference.vision.scenes import CIRCUIT_DEFECTS, circuit, cookie
from conformance.reference.vision.segmentation import Type

CIRCUIT_TYPES = (Type("scratch", (35, 164, 54)), Type("stain", (77, 216, 255)), Type("hole", (255, 107, 0)))
"""The anomaly types of ``circuits/2``, named as ``CIRCUIT_DEFECTS``."""

_NORMAL = 12  # pictures of each scene
_OF_EACH_DEFECT = 3
_DEFECTIVE = 1000  # seeds from here on are for defects


@cache
def demo_models() -> tuple[StoredModel, ...]:
    """``cookies/1`` classifies the scene that ``cookie`` draws; ``circuits/2`` segments what ``circuit`` draws."""
    cookies = learn([cookie(seed).picture for seed in range(_NORMAL)])
    anomalous = [taught(_DEFECTIVE + seed, kind) for kind in CIRCUIT_DEFECTS for seed in range(_OF_EACH_DEFECT)]
    circuits = learn([circuit(seed).picture for seed in range(_NORMAL)], anomalous, CIRCUIT_TYPES)
    return (
        StoredModel("cookies", 1, segments=False, trained=cookies.trained),
        StoredModel("circuits", 2, segments=True, trained=circuits.trained),
    )


def taught(seed: int, kind: str) -> Taught:
    """A circuit board with a defect, and the number of its type at each pixel."""
    scene = circuit(seed, kind)
    number = 1 + [each.name for each in CIRCUIT_TYPES].index(kind)
    return scene.picture, (np.asarray(scene.truth) > 0).astype(np.uint8) * np.uint8(number)
