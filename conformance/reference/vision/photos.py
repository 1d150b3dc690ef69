"""Photographs to learn from, and their masks: found, checked, and loaded when they are needed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from conformance.reference.detector import BACKGROUND, Colour
from conformance.reference.vision.arrays import Bytes
from conformance.reference.vision.learning import Taught
from conformance.reference.vision.segmentation import MOST_TYPES, Type
from conformance.reference.vision.trained import DEFAULT_TYPE

SIDES = (64, 4096)
"""Pixels that an image has at least and at most, as DetectAnomalies takes them."""

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_NAME = re.compile(r"[a-zA-Z0-9]{1,256}")
_SPARE: tuple[Colour, ...] = (DEFAULT_TYPE.colour, *((0, 15 * step, 255) for step in range(MOST_TYPES)))
"""Colours for a type that would be as white as the background; one more than the others can have."""

Key = int
"""A pixel's red, green, blue as one number, or TRANSPARENT."""
TRANSPARENT = 1 << 24


class TrainingMistake(ValueError):
    """Why pictures are not learnt from: one sentence that names the file."""


@dataclass(frozen=True)
class Found:
    """The files of a folder of photographs, by name."""

    normal: tuple[Path, ...]
    anomalous: tuple[Path, ...]


def find(photos: Path) -> Found:
    """The PNG and JPEG files in ``photos``, or in ``normal`` and ``anomaly`` below it. Raises TrainingMistake."""
    if not (photos / "normal").is_dir():
        return Found(_pictures_in(photos), ())
    anomaly = photos / "anomaly"
    return Found(_pictures_in(photos / "normal"), _pictures_in(anomaly) if anomaly.is_dir() else ())


def _pictures_in(folder: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(each for each in folder.iterdir() if _is_picture(each)))
    except OSError as error:
        raise TrainingMistake(f"{folder} cannot be read: {error.strerror}") from None


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")


class Photographs(Sequence[Image.Image]):
    """Image files that are decoded one at a time. Raises TrainingMistake where one is damaged or of another size."""

    def __init__(self, files: Sequence[Path], size: tuple[int, int] | None = None) -> None:
        self._files = files
        self._size = size

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, place: int) -> Image.Image: ...
    @overload
    def __getitem__(self, place: slice) -> Photographs: ...
    def __getitem__(self, place: int | slice) -> Image.Image | Photographs:
        if isinstance(place, slice):
            return Photographs(self._files[place], self._size)
        image = opened(self._files[place])
        if self._size is not None and image.size != self._size:
            raise TrainingMistake(f"{self._files[place]} has {_pixels(image.size)}, the first {_pixels(self._size)}")
        return image


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]} pixels"


def opened(file: Path) -> Image.Image:
    """A decoded PNG or JPEG. Raises TrainingMistake, which names the file, for anything else."""
    try:
        with Image.open(file, formats=["PNG", "JPEG"]) as image:
            if not all(SIDES[0] <= side <= SIDES[1] for side in image.size):
                raise TrainingMistake(f"{file} has {_pixels(image.size)}, not {SIDES[0]} to {SIDES[1]} a side")
            image.load()
            return image
    except TrainingMistake:
        raise
    except Exception:  # Pillow raises a dozen kinds, and every one of them means the same here
        raise TrainingMistake(f"{file} cannot be read as a PNG or JPEG image") from None


# Masks.


@dataclass(frozen=True)
class Masks:
    """The mask of each anomalous picture that has one, the anomaly types, and the colour that stands for each."""

    files: Mapping[Path, Path]
    types: tuple[Type, ...]
    keys: tuple[Key, ...]

    def truth(self, picture: Path, size: tuple[int, int]) -> Bytes | None:
        """The number of each pixel's type, from 1, or 0, (rows, columns); None for a picture without a mask."""
        file = self.files.get(picture)
        if file is None:
            return None
        mask = opened(file)
        if mask.size != size:
            raise TrainingMistake(f"{file} has {_pixels(mask.size)}, its picture {_pixels(size)}")
        keys = _keys(mask)
        truth = np.zeros(keys.shape, dtype=np.uint8)
        for number, key in enumerate(self.keys, 1):
            truth[keys == key] = number
        return truth


def find_masks(folder: Path, pictures: Sequence[Path], names: Mapping[Colour, str]) -> Masks:
    """The masks of pictures, by the names of their files without suffix. The commonest colour is the background.

    ``names`` has the names of types by colour; the others are ``anomaly``, or ``anomaly1``, ``anomaly2``, ... where
    there are several. Raises TrainingMistake when no picture has a mask, or when masks are damaged or have no type.
    """
    by_stem = {file.stem: file for file in _pictures_in(folder)}
    files = {picture: by_stem[picture.stem] for picture in pictures if picture.stem in by_stem}
    if not files:
        raise TrainingMistake(f"{folder} has no mask for any picture in anomaly: a mask is named as its picture")
    counts: Counter[Key] = Counter()
    for file in files.values():
        counts.update(_counted(file))
    keys = _foreground(folder, counts)
    return Masks(files, _types(keys, names), keys)


def _counted(file: Path) -> dict[Key, int]:
    keys, counts = np.unique(_keys(opened(file)), return_counts=True)
    if len(keys) > MOST_TYPES + 1:
        raise TrainingMistake(f"{file} has {len(keys)} colours: a mask has one flat colour for each anomaly type")
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def _keys(mask: Image.Image) -> NDArray[np.uint32]:
    coloured = np.asarray(mask.convert("RGBA"), dtype=np.uint32)
    keys = np.asarray((coloured[..., 0] << 16) | (coloured[..., 1] << 8) | coloured[..., 2], dtype=np.uint32)
    keys[coloured[..., 3] == 0] = TRANSPARENT
    return keys


def _foreground(folder: Path, counts: Counter[Key]) -> tuple[Key, ...]:
    background = counts.most_common(1)[0][0]
    keys = tuple(sorted(set(counts) - {background, TRANSPARENT}))
    if not keys:
        raise TrainingMistake(f"{folder} has only masks of one colour: an anomaly must stand out from the background")
    if len(keys) > MOST_TYPES:
        raise TrainingMistake(f"{folder} has masks of {len(keys)} colours: there are at most {MOST_TYPES} types")
    return keys


def _types(keys: Sequence[Key], names: Mapping[Colour, str]) -> tuple[Type, ...]:
    colours: list[Colour] = [((key >> 16) & 255, (key >> 8) & 255, key & 255) for key in keys]
    usual = [DEFAULT_TYPE.name] if len(keys) == 1 else [f"anomaly{number}" for number in range(1, len(keys) + 1)]
    types = [Type(names.get(colour, name), colour) for colour, name in zip(colours, usual, strict=True)]
    named = [each.name for each in types]
    for name in named:
        if not _NAME.fullmatch(name) or name == BACKGROUND[0] or named.count(name) > 1:
            raise TrainingMistake(f"{name!r} cannot name an anomaly type: letters and digits, and each once")
    spare = next(colour for colour in _SPARE if colour not in colours)
    return tuple(Type(each.name, spare if each.colour == BACKGROUND[1] else each.colour) for each in types)


class Examples(Sequence[Taught]):
    """Anomalous pictures with their truth, as far as it is known, decoded one at a time."""

    def __init__(self, files: Sequence[Path], size: tuple[int, int], masks: Masks | None) -> None:
        self._files = files
        self._photographs = Photographs(files, size)
        self._masks = masks

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, place: int) -> Taught: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Taught]: ...
    def __getitem__(self, place: int | slice) -> Taught | Sequence[Taught]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        image = self._photographs[place]
        return image, self._masks.truth(self._files[place], image.size) if self._masks else None
