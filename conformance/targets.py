"""Which target a command means: one from a file, or one from a URL and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.mistake import OperatorMistake
from conformance.target import RUNNING, Target, complaints, load, parse


def from_options(file: Path | None, url: str | None, scenes: Mapping[str, str], image: str | None) -> Target:
    """The target that a command line names. Raises OperatorMistake.

    ``scenes`` maps names of scenes to ``PROJECT/VERSION``; ``image`` is ``WIDTHxHEIGHT``. A URL beside a file takes the
    place of the file's own.
    """
    if file:
        if scenes or image:
            raise OperatorMistake("scenes and image sizes belong into the target file when there is one")
        target = load(file)
        return replace(target, url=url) if url else target
    if not url:
        raise OperatorMistake("scenes are declared, but there is no URL to judge")
    document: dict[str, Any] = {"target": {"name": _name(url or ""), "url": url}, "scenes": {}}
    for name, text in scenes.items():
        project, slash, version = text.partition("/")
        if not slash:
            raise OperatorMistake(f"--{name} {text}: this is not of the form PROJECT/VERSION")
        document["scenes"][name] = {"project": project, "version": version}
        if image and name in RUNNING:
            document["scenes"][name]["image"] = _size(image)
    if not document["scenes"]:
        raise OperatorMistake("a URL alone is not enough: declare --classification or --segmentation PROJECT/VERSION")
    for complaint in complaints(document):
        raise OperatorMistake(f"command line: {complaint}")
    return parse(document, Path())


def _name(url: str) -> str:
    return url.partition("://")[2].strip("/") or url or "target"


def _size(image: str) -> dict[str, int]:
    width, cross, height = image.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise OperatorMistake(f"--image {image}: this is not of the form WIDTHxHEIGHT")
    return {"width": int(width), "height": int(height)}
