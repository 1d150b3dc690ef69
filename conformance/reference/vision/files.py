"""Models as plain files: ``DIR/<project>/<version>/model.json`` and ``model.npz``.

A file may come from anywhere. What it says is checked before it is believed, and nothing in it is ever run: numbers
and arrays of numbers are all that it can hold. What is refused is named in one sentence.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from conformance.reference.vision.arrays import Floats
from conformance.reference.vision.calibration import Scale, Threshold
from conformance.reference.vision.features import CELL, FEATURES, FINE
from conformance.reference.vision.fields import Fields, ModelMistake
from conformance.reference.vision.ground import Ground
from conformance.reference.vision.maps import Norms, Sorter
from conformance.reference.vision.norm import KINDS, Norm
from conformance.reference.vision.segmentation import MOST_TYPES, Type
from conformance.reference.vision.trained import Trained

FORMAT, FORMAT_VERSION = "detect-anomalies-model", 1
PROJECT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]{0,254}")
LAST_VERSION = 9_999_999_999
"""The versions that a path can name have ten digits at most."""

_MOST_JSON = 64 * 1024  # bytes
_MOST_ARRAYS = 256 * 1024 * 1024  # bytes
_HEADER = 1024  # bytes at most that an array has before its numbers
_MOST_FACTOR = 64
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_NAME = re.compile(r"[a-zA-Z0-9]{1,256}")
_COLOUR = re.compile(r"#[0-9A-F]{6}")

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A trained model and whose it is; ``segments`` when it is to return masks."""

    project: str
    version: int
    segments: bool
    trained: Trained


def load(models: Path) -> tuple[StoredModel, ...]:
    """All models below a folder, by project and version. Raises ModelMistake for whatever is none of ours."""
    found = [
        _read(folder, project.name) for project in _folders(models, PROJECT) for folder in _folders(project, _VERSION)
    ]
    if not found:
        raise ModelMistake(f"{models} holds no model")
    return tuple(sorted(found, key=lambda model: (model.project, model.version)))


def next_version(models: Path, project: str) -> int:
    """One more than the highest version of a project; 1 for a new one."""
    folder = models / project
    taken = [int(each.name) for each in folder.iterdir() if _VERSION.fullmatch(each.name)] if folder.is_dir() else []
    return max(taken, default=0) + 1


def save(model: StoredModel, models: Path) -> Path:
    """Write a model, whole or not at all; gives its folder.

    Raises ModelMistake when that version exists, and OSError when it cannot be written.
    """
    folder = models / model.project / str(model.version)
    if os.path.lexists(folder):
        raise ModelMistake(f"{folder} exists: a version is never written twice")
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".half-", dir=folder.parent))
    try:
        arrays = _archive(_arrays(model.trained))
        (half / "model.npz").write_bytes(arrays)
        written = {**_description(model), "arrays": hashlib.sha256(arrays).hexdigest()}
        (half / "model.json").write_text(json.dumps(written, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        half.chmod(0o755)
        half.rename(folder)
    except OSError:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return folder


def _folders(parent: Path, name: re.Pattern[str]) -> list[Path]:
    try:
        found = sorted(each for each in parent.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise ModelMistake(f"{parent} cannot be read: {error.strerror}") from None
    for each in found:
        if not each.is_dir() or not name.fullmatch(each.name):
            raise ModelMistake(f"{each} is not part of a model: there are only folders <project>/<version>")
    return found


# Writing.


def _description(model: StoredModel) -> dict[str, Any]:
    trained = model.trained
    threshold, ground = trained.threshold, trained.ground
    return {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "project": model.project,
        "version": model.version,
        "segments": model.segments,
        "kind": trained.kind,
        "size": list(trained.size) if trained.size else None,
        "factor": trained.factor,
        "scales": [[scale.centre, scale.spread] for scale in trained.scales],
        "threshold": [threshold.at, threshold.steepness, threshold.growth, threshold.cells],
        "depth": trained.depth,
        "types": [[each.name, "#{:02X}{:02X}{:02X}".format(*each.colour)] for each in trained.types],
        "sorts": trained.sorter is not None,
        "ground": [*ground.weights.tolist(), ground.cut, ground.share] if ground else None,
        "kinds": [len(trained.norms.coarse.bank), len(trained.norms.fine.bank)],
    }


def _arrays(trained: Trained) -> dict[str, Floats]:
    arrays: dict[str, Floats] = {}
    for prefix, norm in (("coarse", trained.norms.coarse), ("fine", trained.norms.fine)):
        each = {"mean": norm.mean, "scale": norm.scale, "whiten": norm.whiten, "bank": norm.bank}
        arrays |= {f"{prefix}-{name}": array for name, array in each.items()}
    if trained.sorter is not None:
        arrays |= {"sorter-weights": trained.sorter.weights, "sorter-bias": trained.sorter.bias}
    return arrays


def _archive(arrays: dict[str, Floats]) -> bytes:
    """An npz file that numpy reads, the same bytes for the same arrays: its dates are those of no day."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array, dtype="<f4"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED, 1)
    return file.getvalue()


# Reading.


def _read(folder: Path, project: str) -> StoredModel:
    file = folder / "model.json"
    fields = Fields.parse(file, _bytes(file, _MOST_JSON))
    if fields.get("format") != FORMAT:
        raise ModelMistake(f"{file} does not describe a model of ours")
    if fields.get("format-version") != FORMAT_VERSION:
        raise ModelMistake(f"{file} has a format of another version than {FORMAT_VERSION}")
    fields.expect(fields.get("project") == project and str(fields.get("version")) == folder.name, "its folder's name")
    trained = _trained(fields, _Archive(folder / "model.npz", fields.text("arrays")))
    fields.expect(fields.get("kind") == trained.kind, "kind")
    return StoredModel(project, int(folder.name), fields.flag("segments"), trained)


def _trained(fields: Fields, archive: _Archive) -> Trained:
    size = _size(fields)
    factor = fields.whole("factor", 1, _MOST_FACTOR)
    ground = _ground(fields)
    types = _types(fields)
    kinds = fields.numbers("kinds", 2, 1, KINDS)
    grid = (1, 1)
    if size is not None and ground is None:
        grid = (_cells(size[1], factor), _cells(size[0], factor))
    coarse, fine = (
        archive.norm(name, length, grid, int(kind))
        for name, length, kind in zip(("coarse", "fine"), (FEATURES, FINE), kinds, strict=True)
    )
    sorter = None
    if fields.flag("sorts"):
        sorter = Sorter(
            archive.array("sorter-weights", (len(types), FINE)), archive.array("sorter-bias", (len(types),))
        )
    at, steepness, growth = fields.numbers("threshold", 4)[:3]
    cells = fields.numbers("threshold", 4)[3]
    fields.expect(steepness > 0 and growth >= 0 and cells >= 1 and cells == int(cells), "threshold")
    return Trained(
        Norms(coarse, fine),
        ground,
        size,
        factor,
        _scales(fields, 5 if ground else 3),
        Threshold(at, steepness, growth, int(cells)),
        fields.number("depth", 0, 1),
        types,
        sorter,
    )


def _size(fields: Fields) -> tuple[int, int] | None:
    if fields.get("size") is None:
        return None
    width, height = fields.numbers("size", 2, 1, 65535)
    fields.expect(width == int(width) and height == int(height), "size")
    return int(width), int(height)


def _cells(side: int, factor: int) -> int:
    return ceil(ceil(side / factor) / CELL)


def _ground(fields: Fields) -> Ground | None:
    if fields.get("ground") is None:
        return None
    *weights, cut, share = fields.numbers("ground", 5)
    return Ground(np.asarray(weights, dtype=np.float32), cut, share)


def _scales(fields: Fields, number: int) -> tuple[Scale, ...]:
    listed = fields.get("scales")
    fields.expect(isinstance(listed, list) and len(listed) == number, "scales")
    scales = tuple(Scale(*fields.pair(each, "scales")) for each in listed)
    fields.expect(all(scale.spread > 0 for scale in scales), "scales")
    return scales


def _types(fields: Fields) -> tuple[Type, ...]:
    listed = fields.get("types")
    fields.expect(isinstance(listed, list) and 1 <= len(listed) <= MOST_TYPES, "types")
    types = tuple(_type(fields, each) for each in listed)
    names, colours = {each.name for each in types}, {each.colour for each in types}
    fields.expect(len(names) == len(colours) == len(types), "types")
    fields.expect("background" not in names and (255, 255, 255) not in colours, "types")
    return types


def _type(fields: Fields, entry: object) -> Type:
    fields.expect(isinstance(entry, list) and len(entry) == 2, "types")
    name, colour = map(str, entry) if isinstance(entry, list) else ("", "")
    fields.expect(bool(_NAME.fullmatch(name) and _COLOUR.fullmatch(colour)), "types")
    red, green, blue = bytes.fromhex(colour[1:])
    return Type(name, (red, green, blue))


def _bytes(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise ModelMistake(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise ModelMistake(f"{file} is larger than any model of ours")
    return content


class _Archive:
    """The arrays of a model. Each is read only if it has the shape that the description promises."""

    def __init__(self, file: Path, digest: str) -> None:
        self._file = file
        content = _bytes(file, _MOST_ARRAYS)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ModelMistake(f"{file} is damaged, or belongs to another model.json")
        self._stream = io.BytesIO(content)

    def norm(self, name: str, length: int, grid: Shape, kinds: int) -> Norm:
        """What is normal in the first so many features."""
        place = (length, *grid)
        return Norm(
            self.array(f"{name}-mean", place),
            self.array(f"{name}-scale", place),
            self.array(f"{name}-whiten", (length, length)),
            self.array(f"{name}-bank", (kinds, length)),
        )

    def array(self, name: str, shape: Shape) -> Floats:
        """One array of finite numbers, 32 bit. Raises ModelMistake when it has not this shape."""
        wanted = 4 * int(np.prod(shape))
        try:
            with zipfile.ZipFile(self._stream) as archive:
                if archive.getinfo(f"{name}.npy").file_size > wanted + _HEADER:
                    raise ValueError("too large")
                member = io.BytesIO(archive.read(f"{name}.npy"))
            return _checked(member, shape)
        except Exception:  # zipfile and numpy raise a dozen kinds for bytes that are no arrays
            raise ModelMistake(f"{self._file} has no proper array {name}") from None


def _checked(member: io.BytesIO, shape: Shape) -> Floats:
    if np.lib.format.read_magic(member) != (1, 0):
        raise ValueError("another version")
    found, fortran, kind = np.lib.format.read_array_header_1_0(member)
    numbers = member.read()
    if found != shape or fortran or kind != np.dtype("<f4") or len(numbers) != 4 * int(np.prod(shape)):
        raise ValueError("another shape")
    array = np.frombuffer(numbers, dtype="<f4").reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError("not finite")
    return array
