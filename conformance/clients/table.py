"""What is driven: the clients, each with its pins and its driver, and the scenarios that each is put through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from conformance.cases.requests import Subject

HERE = Path(__file__).resolve().parent


class Language(StrEnum):
    """What a client, and so its driver, is written in."""

    PYTHON = "python"
    NODE = "node"


@dataclass(frozen=True)
class Client:
    """A real client: which versions are installed, and the program that drives it."""

    id: str
    title: str
    language: Language
    pins: Path
    driver: Path


CLIENTS = (
    Client("boto3", "boto3", Language.PYTHON, HERE / "boto3.requirements.txt", HERE / "drivers" / "boto3_driver.py"),
    Client(
        "aws-cli", "AWS CLI", Language.PYTHON, HERE / "aws-cli.requirements.txt", HERE / "drivers/aws_cli_driver.py"
    ),
    Client("js-v3", "JS v3", Language.NODE, HERE / "js-v3" / "package.json", HERE / "drivers" / "js_v3.cjs"),
    Client("js-v2", "JS v2", Language.NODE, HERE / "js-v2" / "package.json", HERE / "drivers" / "js_v2.cjs"),
)

ANY_MODEL = "running"
"""In the place of a scene: the first model that answers 200."""


@dataclass(frozen=True)
class Scenario:
    """A call that every client makes, and what is due to it."""

    id: str
    title: str
    scene: str
    """The scene that has to be declared."""
    body: Callable[[Subject], bytes]
    content_type: str = "image/png"
    project: str | None = None
    """In the place of the scene's own."""
    due: tuple[str, ...] = ()
    """The modelled errors of which one is due; none where a result is."""
    masked: bool = False
    """The result has anomalies and a mask."""
    relayed: bool = False
    """The call goes through the suite's own relay, which throttles its first request."""


_INVALID, _MISSING = ("ValidationException",), ("ResourceNotFoundException",)
_STRANGE = (*_MISSING, "AccessDeniedException")  # whose a project is may be nobody else's business
_UNFIT = (*_INVALID, "ConflictException")  # which 4xx is not said for what is no image
_STOPPED = ("ConflictException", "ResourceNotFoundException", "ValidationException")  # the documents are silent


def _defect(subject: Subject) -> bytes:
    return subject.png(1)


SCENARIOS = (
    Scenario("png", "classification, PNG", "classification", _defect),
    Scenario("jpeg", "classification, JPEG", "classification", lambda subject: subject.jpeg(1), "image/jpeg"),
    Scenario("mask", "segmentation with mask", "segmentation", _defect, masked=True),
    Scenario("missing-project", "missing project", "missing-project", _defect, due=_STRANGE),
    Scenario("missing-version", "missing version", "missing-version", _defect, due=_MISSING),
    Scenario("stopped", "stopped model", "stopped", _defect, due=_STOPPED),
    Scenario("invalid-name", "invalid project name", ANY_MODEL, _defect, project="not!a name", due=_INVALID),
    Scenario("wrong-type", "Content-Type text/plain", ANY_MODEL, _defect, "text/plain", due=_INVALID),
    Scenario("empty-body", "empty body", ANY_MODEL, lambda _: b"", due=_UNFIT),
    Scenario("no-image", "not an image", ANY_MODEL, lambda _: b"This is not an image.\n", due=_UNFIT),
    Scenario("throttled", "throttled once", ANY_MODEL, _defect, relayed=True),
)
