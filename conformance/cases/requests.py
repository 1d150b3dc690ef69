"""How an ordinary request for a scene is written; every case is one of these with something changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from conformance.cases import images
from conformance.message import Headers, Request
from conformance.mistake import OperatorMistake
from conformance.target import Limits, Scene, Size, Target

PATH = "/2020-11-20/projects/{project}/models/{version}/detect"
ANY_SIZE = Size(256, 192)
"""The size of our pictures for models that take any."""
OTHER_SIZE = Size(160, 224)
"""A second size, so that masks bear witness whose image they were made for."""
MARK = b"detect-anomalies-conformance"
"""What the suite calls itself."""
_STEP = 32
"""Sizes that differ by a multiple of this one are the same to whoever counts in powers of two."""


@dataclass(frozen=True)
class Draft:
    """An ordinary request in parts, before it becomes bytes."""

    host: bytes
    target: str
    body: bytes
    content_type: str = "image/png"
    method: str = "POST"
    extra: Headers = ()

    def headers(self) -> Headers:
        """What real clients send, in a common order."""
        return (
            (b"Host", self.host),
            (b"Accept-Encoding", b"identity"),
            (b"User-Agent", MARK),
            (b"Content-Type", self.content_type.encode("latin-1")),
            (b"Content-Length", str(len(self.body)).encode()),
            *self.extra,
        )

    def request(self) -> Request:
        return Request.build(self.method, self.target, self.headers(), self.body)


def path(project: str, version: str) -> str:
    """The operation's path, with labels already encoded as they shall be sent."""
    return PATH.format(project=project, version=version)


def any_size(salt: str = "", *, other: bool = False) -> Size:
    """The size of our pictures for models that take any, or the second one; with a salt not the usual ones."""
    usual = OTHER_SIZE if other else ANY_SIZE
    wider, higher = images.noise(2, f"{salt} {other}") if salt else (0, 0)
    return Size(usual.width + _STEP * (1 + wider % 3), usual.height + _STEP * (1 + higher % 3)) if salt else usual


@dataclass(frozen=True)
class Subject:
    """A scene together with the pictures that are sent to it."""

    scene: Scene
    host: bytes
    limits: Limits = field(default_factory=Limits)
    """What the target declares of itself: our pictures keep to it."""
    salt: str = ""
    """What makes our pictures others than the usual ones."""

    @cached_property
    def size(self) -> Size:
        return self.scene.image or self.limits.within(any_size(self.salt))

    @cached_property
    def photographs(self) -> tuple[Photograph, ...]:
        """The user's own of the scene's size, the two smallest files."""
        return tuple(each for each in photographs(self.scene) if each.size == self.size)[:2]

    @property
    def takes_any_size(self) -> bool:
        return self.scene.image is None

    def draft(self, body: bytes, content_type: str = "image/png") -> Draft:
        """A request for this scene's model."""
        return Draft(self.host, path(self.scene.project, self.scene.version), body, content_type)

    def png(self, number: int = 0) -> bytes:
        """A plain picture, every other one with a defect; made of the user's photographs where there are any."""
        if self.photographs:
            return images.as_plain_png(self.photographs[number % len(self.photographs)].data, self.salt)
        return images.plain_png(self.size.width, self.size.height, number, bool(number % 2), self.salt).data

    def jpeg(self, number: int = 0) -> bytes:
        if self.photographs:
            return images.as_plain_jpeg(self.photographs[number % len(self.photographs)].data, self.salt)
        return images.plain_jpeg(self.size.width, self.size.height, number, bool(number % 2), self.salt).data

    def witnesses(self) -> tuple[Request, ...]:
        """Two good requests whose answers can be told apart: by size where any is taken, else by what they show."""
        first = self.draft(self.png(0)).request()
        size = self.limits.within(any_size(self.salt, other=True))
        other = replace(self, scene=replace(self.scene, image=size)) if self.takes_any_size else self
        return first, other.draft(other.png(1)).request()


@dataclass(frozen=True)
class Photograph:
    """A photograph of the user's own: its bytes, untouched, and its size."""

    data: bytes
    size: Size

    @classmethod
    def load(cls, file: Path) -> Photograph:
        """Read a photograph. Raises OperatorMistake, naming the file, when it is no PNG or JPEG."""
        try:
            data = file.read_bytes()
            width, height = images.size_of(data)
        except (OSError, ValueError) as error:
            raise OperatorMistake(f"{file}: this photograph cannot be read: {error}") from None
        return cls(data, Size(width, height))


def photographs(scene: Scene) -> list[Photograph]:
    """A scene's photographs, the smallest files first. Raises OperatorMistake when one cannot be read."""
    return sorted(map(Photograph.load, scene.samples), key=lambda each: (len(each.data), each.data))


def measured(target: Target) -> Target:
    """The target with the size of its photographs as the size that its models take, where it declares none."""
    sized = {
        name: replace(scene, image=photographs(scene)[0].size) if scene.samples and not scene.image else scene
        for name, scene in target.scenes.items()
    }
    return replace(target, scenes=sized)
