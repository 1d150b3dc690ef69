"""What an implementation under test declares of itself: its target file, read and checked before anything is sent."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.mistake import OperatorMistake, did_you_mean
from conformance.provisions import Auth, State, parse_auth, parse_state
from conformance.shipped import shipped

RUNNING = ("classification", "segmentation")
"""The scenes whose model answers 200."""


@dataclass(frozen=True)
class Size:
    """Width and height of an image, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Scene:
    """A project and version that the target declares to be in a certain state."""

    name: str
    project: str
    version: str
    image: Size | None = None
    """The only size that the model takes; None when it takes any."""
    samples: tuple[Path, ...] = ()
    """Photographs of the user's own that the model takes."""


@dataclass(frozen=True)
class Limits:
    """What the target asks of those who call it, and declares of itself."""

    answer_seconds: float = 10.0
    concurrency: int = 4
    requests: int | None = None
    max_image_bytes: int | None = None
    min_image_side: int | None = None
    max_image_side: int | None = None
    rate: float | None = None
    """Requests a second beyond which it throttles."""

    def within(self, size: Size) -> Size:
        """The nearest size that the declared sides allow."""
        low, high = self.min_image_side or 1, self.max_image_side or 16384
        return Size(*(min(max(side, low), high) for side in (size.width, size.height)))


@dataclass(frozen=True)
class Target:
    """An implementation under test."""

    name: str
    url: str
    version: str = ""
    ca: Path | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    """Organization, contact and homepage, as far as given."""
    limits: Limits = field(default_factory=Limits)
    scenes: Mapping[str, Scene] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    """Scenes of which the target says that it has no such thing."""
    known_failures: Mapping[str, str] = field(default_factory=dict)
    auth: Auth | None = None
    states: Mapping[str, State] = field(default_factory=dict)
    """The states that it can be put into, by name."""

    def running(self) -> list[Scene]:
        """The scenes whose model answers 200, in order."""
        return [self.scenes[name] for name in RUNNING if name in self.scenes]


def load(path: Path) -> Target:
    """Read a target file. Raises OperatorMistake, naming file and key, when anything in it is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OperatorMistake(f"{path}: there is no such target file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise OperatorMistake(f"{path}: this cannot be read as TOML: {error}") from None
    for complaint in complaints(document):
        raise OperatorMistake(f"{path}: {complaint}")
    return parse(document, path)


def complaints(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a target document, each as ``key: sentence``."""
    from jsonschema import Draft202012Validator, validators

    schema = json.loads(shipped("schemas", "target.schema.json").read_text(encoding="utf-8"))
    strict = validators.extend(Draft202012Validator, {"pattern": _matches_to_the_end})  # type: ignore[no-untyped-call]
    errors = strict(schema).iter_errors(document)
    for error in sorted(errors, key=lambda each: ([str(step) for step in each.absolute_path], each.message)):
        yield _complaint(error)
    yield from _no_numbers(document)
    yield from _contradictions(document.get("limits"))
    yield from _loose_ends(document)


def _no_numbers(value: Any, *place: str) -> Iterator[str]:
    """What no schema says: that numbers are numbers."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _no_numbers(each, *place, key)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{_joined(*place)}: {value} is not a finite number"


def _contradictions(limits: Any) -> Iterator[str]:
    """What no schema says, either: that the least is no more than the most."""
    if not isinstance(limits, dict):
        return
    low, high = limits.get("min_image_side"), limits.get("max_image_side")
    if low and high and low > high:
        yield f"limits.min_image_side: {low} is more than limits.max_image_side, {high}"


def _loose_ends(document: Mapping[str, Any]) -> Iterator[str]:
    """States that name what is not declared."""
    states, scenes = document.get("states"), document.get("scenes")
    if not (isinstance(states, dict) and isinstance(scenes, dict)):
        return
    for name, entry in states.items():
        if not isinstance(entry, dict):
            continue
        scene = entry.get("scene")
        if scene is not None and not scenes.get(scene):
            yield f"states.{name}.scene: the scene {scene!r} is not declared"
        if "keys" in entry and (document.get("auth") or {}).get("kind") != "sigv4":
            yield f'states.{name}.keys: keys are of use only with auth.kind = "sigv4"'


def _matches_to_the_end(_: Any, pattern: str, text: Any, __: Any) -> Iterator[Any]:
    """Like the validator's own, but `$` is the end of the text and not also the place before a last newline."""
    from jsonschema import ValidationError

    if isinstance(text, str) and (text.endswith("\n") or not re.search(pattern, text)):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


def _complaint(error: Any) -> str:
    key = ".".join(str(step) for step in error.absolute_path)
    if error.validator == "additionalProperties" and "properties" in error.schema:
        known = error.schema["properties"]
        stray = next(name for name in error.instance if name not in known)
        return f"{_joined(key, stray)}: there is no such key{did_you_mean(stray, known)}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{_joined(key, missing)}: this key is missing"
    if error.validator == "oneOf":
        ways = [" and ".join(each["required"]) for each in error.schema["oneOf"]]
        return f"{key}: it needs either {', or '.join(ways)}, and not both"
    if error.validator == "pattern":
        return f"{key}: {error.instance!r} is not of the form {error.validator_value}"
    return f"{key}: {error.message}"


def _joined(*keys: str) -> str:
    return ".".join(key for key in keys if key)


def parse(document: Mapping[str, Any], path: Path) -> Target:
    """The target of a document without complaints; ``path`` is the file that relative names start from."""
    about = dict(document["target"])
    ca = about.pop("ca", None)
    declared = document["scenes"]
    scenes = {name: _scene(name, entry, path) for name, entry in declared.items() if entry is not False}
    return Target(
        name=about.pop("name"),
        url=about.pop("url"),
        version=about.pop("version", ""),
        ca=_existing(path, "target.ca", ca) if ca else None,
        about=about,
        limits=_limits(document.get("limits", {})),
        scenes=scenes,
        absent=frozenset(name for name, entry in declared.items() if entry is False),
        known_failures=document.get("known-failures", {}),
        auth=parse_auth(document["auth"]) if "auth" in document else None,
        states={name: parse_state(name, entry) for name, entry in document.get("states", {}).items()},
    )


def _limits(entry: Mapping[str, Any]) -> Limits:
    # to a schema 4.0 is an integer, too
    real = {key: float(entry[key]) for key in ("answer_seconds", "rate") if key in entry}
    return Limits(**{key: int(value) for key, value in entry.items() if key not in real} | real)  # type: ignore[arg-type]


def _scene(name: str, entry: Mapping[str, Any], path: Path) -> Scene:
    image = entry.get("image")
    return Scene(
        name,
        entry["project"],
        entry["version"],
        Size(int(image["width"]), int(image["height"])) if image else None,
        _samples(path, name, entry["samples"]) if "samples" in entry else (),
    )


def _samples(path: Path, scene: str, pattern: str) -> tuple[Path, ...]:
    try:
        found = _absolute_glob(pattern) if Path(pattern).is_absolute() else sorted(path.parent.glob(pattern))
    except (ValueError, IndexError, OSError) as error:
        raise OperatorMistake(f"{path}: scenes.{scene}.samples: {pattern!r} is no pattern of files: {error}") from None
    photographs = tuple(each for each in found if each.suffix.lower() in {".png", ".jpg", ".jpeg"})
    if not photographs:
        raise OperatorMistake(f"{path}: scenes.{scene}.samples: no PNG or JPEG file matches {pattern!r}")
    return photographs


def _absolute_glob(pattern: str) -> list[Path]:
    anchor = Path(pattern).anchor
    return sorted(Path(anchor).glob(str(Path(pattern).relative_to(anchor))))


def _existing(path: Path, key: str, name: str) -> Path:
    found = path.parent / name
    if not found.is_file():
        raise OperatorMistake(f"{path}: {key}: there is no file {name!r}")
    return found
