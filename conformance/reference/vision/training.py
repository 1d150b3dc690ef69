"""From a folder of photographs to a stored model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.reference.detector import Colour
from conformance.reference.vision import photos as photographs
from conformance.reference.vision.fields import ModelMistake
from conformance.reference.vision.files import LAST_VERSION, PROJECT, StoredModel, next_version, save
from conformance.reference.vision.learning import FEWEST, Lesson, Progress, learn, nobody
from conformance.reference.vision.photos import Examples, Found, Photographs, TrainingMistake
from conformance.reference.vision.trained import DEFAULT_TYPE, Trained


@dataclass(frozen=True, eq=False)
class Course:
    """What training made: the model, its folder, and how it did on the pictures."""

    model: StoredModel
    folder: Path
    lesson: Lesson

    def __str__(self) -> str:
        """One line for people; how it did only where there were anomalous pictures to do it on."""
        kind = "segmentation" if self.model.segments else "classification"
        made = f"{self.model.project}/{self.model.version} ({kind}, {_takes(self.model.trained)}) in {self.folder}"
        shown = self.lesson
        if not shown.anomalous:
            return made
        normal = f"{shown.normal_right} of {shown.normal} normal images (each held out when it was judged)"
        return f"{made}; tells right {normal} and {shown.anomalous_right} of {shown.anomalous} anomalous ones"


def _takes(trained: Trained) -> str:
    return f"images of {trained.size[0]}x{trained.size[1]} pixels" if trained.size else "images of any size"


def train(
    photos: Path,
    *,
    project: str,
    version: int | None = None,
    masks: Path | None = None,
    segmentation: bool = False,
    models: Path,
    names: Mapping[Colour, str] | None = None,
    on_progress: Progress = nobody,
) -> Course:
    """Learn from the photographs in a folder and write ``models/<project>/<version>``, by default the next version.

    ``photos`` holds at least ``FEWEST`` normal images of one size, or has them in ``normal`` and anomalous ones in
    ``anomaly``. ``masks`` has their masks, and makes a segmentation model, as ``segmentation`` does without them;
    ``names`` names the types by the masks' colours. The same files give the same model. Raises TrainingMistake,
    one sentence, for whatever cannot be learnt from or written.
    """
    _check_names(project, version)
    found = photographs.find(photos)
    lesson = _lesson(found, photos, masks, names or {}, on_progress)
    number = next_version(models, project) if version is None else version
    model = StoredModel(project, number, segmentation or masks is not None, lesson.trained)
    try:
        return Course(model, save(model, models), lesson)
    except ModelMistake as mistake:
        raise TrainingMistake(str(mistake)) from None
    except OSError as error:
        raise TrainingMistake(f"{models} cannot be written: {error.strerror}") from None


def _check_names(project: str, version: int | None) -> None:
    if not PROJECT.fullmatch(project):
        raise TrainingMistake(f"{project!r} cannot name a project: 1 to 255 letters, digits, _ and -, not _ or - first")
    if version is not None and not 1 <= version <= LAST_VERSION:
        raise TrainingMistake(f"{version} cannot be a version: 1 to {LAST_VERSION}")


def _lesson(
    found: Found, folder: Path, masks: Path | None, names: Mapping[Colour, str], on_progress: Progress
) -> Lesson:
    if len(found.normal) < FEWEST:
        raise TrainingMistake(f"{folder} has {len(found.normal)} normal images, PNG or JPEG: {FEWEST} are needed")
    size = photographs.opened(found.normal[0]).size
    truths = None if masks is None else photographs.find_masks(masks, found.anomalous, names)
    examples = Examples(found.anomalous, size, truths)
    types = truths.types if truths else (DEFAULT_TYPE,)
    return learn(Photographs(found.normal, size), examples, types, on_progress)
