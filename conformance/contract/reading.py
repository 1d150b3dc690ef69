"""What the documents say of a request: which clauses its bytes break, and what they leave open.

Nothing here knows what a case was meant to be. A request breaks a clause, or raises a matter on which the documents
are silent, because its bytes do; an answer is judged against that and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from conformance.contract.document import document
from conformance.contract.picture import Picture, look_at
from conformance.contract.schema import Schema, checks
from conformance.formats import http, media_type, uri
from conformance.message import Request
from conformance.target import Scene, Size, Target

FREE = "free"
"""Stands among the open matters for whatever no clause names, such as a header that may change what is answered."""

HEAD_BYTES = 8192
"""Request heads up to this size are taken (`route.operation`)."""
IMAGE_BYTES = 1_000_000
"""Images up to this size are taken, unless the target declares otherwise (`route.operation`)."""
IMAGE_SIDES = (64, 4096)
"""The sides, in pixels, that are published for training images (`body.limits`)."""
HEADER_LINES = 64
"""More header lines than this some servers refuse by number, whatever their size."""
BOMB_BYTES, BOMB_LINES = 65_536, 1000
"""A head that passes either is a header bomb (`http.malformed`)."""
HEAVY_HEAD = "free: a heavy head"
"""Stands among the open matters for a head that nobody has to take, and that is no bomb yet."""

_PATH = frozenset({"route.literals", "path.encoding"})
_BELOW = frozenset({"http.malformed", "route.method", *_PATH})
_ABOVE = frozenset(
    {"route.query", "route.trailing-slash", "route.encoded-literals", "route.absolute-form", "body.length"}
    | {"http.expect", FREE, HEAVY_HEAD}
)
"""Open matters that a router, a proxy or a server may refuse before any operation is reached."""

# Headers that may lawfully change the answer: whoever sends one leaves it open what comes back
_MEANINGFUL = frozenset(
    b"accept-charset authorization content-digest content-encoding content-md5 content-range cookie digest "
    b"forwarded http2-settings keep-alive max-forwards method origin proxy-authorization proxy-connection range "
    b"repr-digest te trailer upgrade via want-digest x-http-method x-http-method-override "
    b"x-method-override".split()
)
_MEANINGFUL_PREFIXES = (b"if-", b"sec-", b"x-amz-", b"x-forwarded-", b"x-original-", b"x-rewrite-", b"access-control-")
_HARMLESS = frozenset({b"x-amz-user-agent"})
_ACCEPTABLE = frozenset({b"*/*", b"application/json"})
_NEAR_TYPES = frozenset({"image/jpg", "image/pjpeg", "image/x-png"})


@dataclass(frozen=True)
class Reading:
    """What one request is, by the documents."""

    breaks: frozenset[str] = frozenset()
    """The clauses that its bytes break."""
    open: frozenset[str] = frozenset()
    """The matters it raises on which the documents are silent."""
    wishes: frozenset[str] = frozenset()
    """The SHOULD clauses that ask for it to be taken."""
    project: str | None = None
    version: str | None = None
    scene: str | None = None
    """The declared scene that its path names."""
    exists: bool = False
    """Its project is one that the target declares to exist."""
    picture: Picture | None = None
    escaped: bool = False
    """A label holds percent-escapes."""
    media_type: str | None = None
    """The listed media type that the request names."""
    at_limit: bool = False
    """The image is exactly at a limit that the target declares."""

    @property
    def proper(self) -> bool:
        """It is proper HTTP."""
        return "http.malformed" not in self.breaks

    @property
    def reaches_operation(self) -> bool:
        """Method and literals are right, the labels decode, and nothing about it is for routers or transport to refuse.

        Whatever answers then, answers for the operation.
        """
        return bool(self.project and self.version) and self.breaks.isdisjoint(_BELOW) and self.open.isdisjoint(_ABOVE)

    @property
    def sound(self) -> bool:
        """It breaks nothing, and raises nothing that the documents leave open."""
        return not self.breaks and not self.open and not self.wishes


def read(request: Request, target: Target) -> Reading:
    """Read a request by the documents and by what the target declares. Never raises, whatever the bytes."""
    message = http.read(request)
    if message.faults or len(request.head) > BOMB_BYTES or len(request.headers) > BOMB_LINES:
        return Reading(breaks=frozenset({"http.malformed"}))
    if request.method != document().method.encode():
        return Reading(breaks=frozenset({"route.method"}))
    breaks: set[str] = set()
    matters: set[str] = set(_header_matters(request))
    labels = _labels(request, breaks, matters)
    project, version = (uri.decode(label) if label is not None else None for label in labels)
    breaks.update(_broken("project", project), _broken("version", version))
    scene = _scene(target, project, version)
    kind = _content_type(request, breaks, matters)
    picture = look_at(message.payload)
    wishes = set(_picture_matters(picture, kind, scene, len(message.payload), target, breaks, matters))
    if message.chunked or not request.values(b"content-length"):
        matters.add("body.length")
    return Reading(
        frozenset(breaks),
        frozenset(matters),
        frozenset(wishes),
        project,
        version,
        scene.name if scene else None,
        any(each.project == project and name != "missing-project" for name, each in target.scenes.items()),
        picture,
        any(uri.has_escapes(label) for label in labels if label is not None),
        kind,
        _is_at_limit(picture, len(message.payload), target),
    )


def _labels(request: Request, breaks: set[str], matters: set[str]) -> tuple[bytes | None, bytes | None]:
    """Project and version as written, or None where the path is not the operation's or cannot be decoded."""
    target = uri.split(request.target)
    if target is None:
        breaks.add("http.malformed")
        return None, None
    matters.update(_target_matters(target))
    template = document().path
    if any(uri.decode(segment) is None for segment in target.segments):
        breaks.add("path.encoding")
    if len(target.segments) != len(template):
        breaks.add("route.literals")
        return None, None
    pairs = list(zip(template, target.segments, strict=True))
    for wanted, written in pairs:
        if not wanted.startswith("{") and written != wanted.encode():
            same = uri.percent_decoded(written) == wanted.encode()
            (matters if same else breaks).add("route.encoded-literals" if same else "route.literals")
    if breaks & _PATH:
        return None, None
    project, version = (written for wanted, written in pairs if wanted.startswith("{"))
    if any(uri.is_risky(uri.decode(label) or "") for label in (project, version)):
        breaks.add("path.encoding")
    return project, version


def _target_matters(target: uri.Target) -> Iterator[str]:
    if target.query:
        yield "route.query"
    if target.absolute:
        yield "route.absolute-form"
    if target.trailing_slashes:
        yield "route.trailing-slash"
    if target.leading_slashes > 1:
        yield FREE


@lru_cache(maxsize=1024)
def _broken(part: Literal["project", "version", "content_type"], value: str | None) -> frozenset[str]:
    """The clauses that a text breaks in that part of a request."""
    schema: Schema = getattr(document(), part)
    broken = (check.clause for check in checks(schema, value) if check.actual is not None) if value is not None else ()
    # an empty label is too short; that it does not match the pattern either says nothing more
    return frozenset(clause for clause in broken if value or clause.endswith(".length"))


def _scene(target: Target, project: str | None, version: str | None) -> Scene | None:
    """The scene that a path names. A missing project is missing whatever the version."""
    named = [scene for scene in target.scenes.values() if scene.project == project]
    exact = [scene for scene in named if scene.version == version]
    missing = [scene for scene in named if scene.name == "missing-project" and version is not None]
    return next(iter(exact or missing), None)


def _header_matters(request: Request) -> Iterator[str]:
    if len(request.head) > HEAD_BYTES or len(request.headers) > HEADER_LINES:
        yield HEAVY_HEAD
    if request.version != b"HTTP/1.1":
        yield FREE
    if b",".join(request.values(b"content-length")).count(b","):
        yield FREE  # the same length twice may be taken as one (RFC 9110 8.6)
    for name, value in request.headers:
        if name.lower() == b"expect":
            yield "http.expect"
        elif _may_change_the_answer(name.lower(), value.lower()):
            yield FREE


def _may_change_the_answer(name: bytes, value: bytes) -> bool:
    if not value.isascii():
        return True  # obsolete text (RFC 9110 5.5): some parsers refuse it
    if name == b"accept":
        return value not in _ACCEPTABLE
    if name == b"connection":
        return value not in (b"keep-alive", b"close")
    return name in _MEANINGFUL or (name.startswith(_MEANINGFUL_PREFIXES) and name not in _HARMLESS)


def _content_type(request: Request, breaks: set[str], matters: set[str]) -> str | None:
    """The one listed media type that the request names, however it writes it; faults and doubts go into the sets."""
    values = request.values(b"content-type")
    if len(values) > 1:
        matters.add("content-type.repeated")
        return None
    value = values[0].decode("latin-1") if values else ""
    if not value:
        breaks.add("content-type.required")
        return None
    broken = _broken("content_type", value)
    breaks.update(broken - {"content-type.values"})
    if "," in value:
        matters.add("content-type.repeated")  # a list is the same as several headers
        return None
    if "content-type.values" not in broken:
        return value
    return _other_type(value, breaks, matters)


def _other_type(value: str, breaks: set[str], matters: set[str]) -> str | None:
    listed = document().media_types
    parsed = media_type.essence(value)
    essence, has_parameters = parsed or (value.lower(), False)
    if essence in listed:
        if has_parameters:
            matters.add("content-type.parameters")
        if not value.startswith(essence):
            matters.add("content-type.case")
        return essence
    if essence in _NEAR_TYPES:
        matters.add("content-type.jpg")
    elif parsed is None and any(each in essence for each in listed):
        matters.add(FREE)  # garbled around a listed type: some parser somewhere makes sense of it
    else:
        breaks.add("content-type.values")
    return None


def _picture_matters(
    picture: Picture,
    kind: str | None,
    scene: Scene | None,
    length: int,
    target: Target,
    breaks: set[str],
    matters: set[str],
) -> Iterator[str]:
    """Yield the SHOULD clause that asks for the picture; its faults and doubts go into the sets."""
    if picture.kind == "empty":
        breaks.add("body.required")
    elif picture.kind == "prefix":
        matters.add("body.damaged")
    elif picture.kind not in ("png", "jpeg"):
        breaks.add("body.image")
    elif not picture.sound:
        matters.add("body.damaged")
    elif not picture.plain:
        yield f"body.{picture.kind}-variants"
    if picture.size and kind and kind != picture.media_type:
        matters.add("body.mismatch")
    if picture.sound and picture.size:
        _size_matters(picture.size, scene, target, breaks, matters)
    _weight_matters(length, target, breaks, matters)


def _size_matters(size: Size, scene: Scene | None, target: Target, breaks: set[str], matters: set[str]) -> None:
    if scene and scene.image and scene.image != size:
        matters.add("body.dimensions")
    low, high = target.limits.min_image_side, target.limits.max_image_side
    sides = (size.width, size.height)
    if (low and min(sides) < low) or (high and max(sides) > high):
        breaks.add("body.declared-limits")
    elif scene and scene.image == size:
        return  # the size that the target declares needs no other permission
    elif min(sides) < (low or IMAGE_SIDES[0]) or max(sides) > (high or IMAGE_SIDES[1]):
        matters.add("body.limits")


def _weight_matters(length: int, target: Target, breaks: set[str], matters: set[str]) -> None:
    declared = target.limits.max_image_bytes
    if declared and length > declared:
        breaks.add("body.declared-limits")
    elif length > (declared or IMAGE_BYTES):
        matters.add("body.limits")


def _is_at_limit(picture: Picture, length: int, target: Target) -> bool:
    limits = target.limits
    sides = (picture.size.width, picture.size.height) if picture.size else ()
    return length == limits.max_image_bytes or bool({limits.min_image_side, limits.max_image_side} & set(sides))
