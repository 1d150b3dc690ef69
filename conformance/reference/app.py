"""The operation: one parsed request in, one answer out. All limits, patterns and error tables are read by hand.

The honest server is ``HONEST``, one value made of small functions. A server that is wrong, or right in another way,
is ``dataclasses.replace(HONEST, stage=other)``. Nothing here opens a socket or keeps state of its own.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from enum import Enum, StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from PIL import Image

from conformance.message import Headers
from conformance.reference import detector
from conformance.reference.detector import Detection, Region

_log = logging.getLogger(__name__)

Json = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]


Look = Callable[[Image.Image, bool], Detection]
"""How a model judges an image; the flag asks for the mask as well."""


@dataclass(frozen=True)
class Model:
    """One version of a project's model; ``segments`` when it returns a mask."""

    project: str
    version: int
    segments: bool = False
    running: bool = True
    size: tuple[int, int] | None = None
    """Width and height of the only images it takes; None when it takes any."""
    look: Look = detector.inspect


Store = tuple[Model, ...]

DEMO: Store = (
    Model("cookies", 1),
    Model("circuits", 2, segments=True),
    Model("boards", 1, running=False),
)


@dataclass(frozen=True, eq=False)
class Call:
    """One request as it was read: ``target`` and ``headers`` as on the wire, ``body`` without transfer coding."""

    method: bytes = b""
    target: bytes = b""
    headers: Headers = ()
    body: bytes = b""
    version: bytes = b"1.1"
    store: Store = DEMO
    connection: dict[str, Any] = field(default_factory=dict)
    """Lives as long as the connection. The honest server never touches it."""
    server: dict[str, Any] = field(default_factory=dict)
    """Lives as long as the server. The honest server never touches it."""
    peer_port: int = 0
    """The port at the client's end of the connection; 0 where there is no socket. The honest server never looks."""

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """All values of a header, in order; ``name`` in lower case."""
        return tuple(value for key, value in self.headers if key.lower() == name)


@dataclass(frozen=True)
class Reply:
    """An answer before it is framed and written; with ``closes`` it is the last one on its connection."""

    status: int
    headers: Pairs = ()
    body: bytes = b""
    closes: bool = False

    def with_header(self, name: str, value: str) -> Reply:
        """The same with this header, in the place of any of that name."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, name: str) -> Reply:
        """The same without the headers of that name, whatever their case."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() != name.lower()))


class NoReply(Enum):
    """What ``render`` gives in the place of bytes when there is to be no answer. Empty bytes hang up too."""

    HANGUP = "close the connection without a word"
    SILENCE = "keep the connection open and never answer"


HANGUP, SILENCE = NoReply.HANGUP, NoReply.SILENCE


@dataclass(frozen=True)
class Outcome:
    """What the connection does with a call: the bytes to send, if any, then whether it closes."""

    wire: bytes | NoReply
    closes: bool
    unread: bytes = b""
    """Bytes of the body that the next request is read from. Honest servers leave none."""
    status: int = 0


class Reason(StrEnum):
    """Why a request is refused; ``Behaviour.errors`` gives each its status and error id."""

    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    HEAD_SIZE = "head-size"
    BODY_SIZE = "body-size"
    EXPECTATION = "expectation"
    ROUTE = "route"
    METHOD = "method"
    PATH = "path"
    PROJECT = "project"
    VERSION = "version"
    UNSIGNED = "unsigned"
    INCOMPLETE_SIGNATURE = "incomplete-signature"
    UNKNOWN_CLIENT = "unknown-client"
    INVALID_SIGNATURE = "invalid-signature"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    NO_PROJECT = "no-project"
    NO_MODEL = "no-model"
    NOT_RUNNING = "not-running"
    CONFLICT = "conflict"
    CONTENT_TYPE = "content-type"
    BODY = "body"
    IMAGE = "image"
    IMAGE_SIZE = "image-size"
    FAULT = "fault"


ERRORS: dict[Reason, tuple[int, str]] = {
    Reason.MALFORMED: (400, "MalformedHttpRequestException"),
    Reason.TIMEOUT: (408, "RequestTimeoutException"),
    Reason.HEAD_SIZE: (431, "MalformedHttpRequestException"),
    Reason.BODY_SIZE: (413, "RequestEntityTooLargeException"),
    Reason.EXPECTATION: (417, "MalformedHttpRequestException"),
    Reason.ROUTE: (404, "UnknownOperationException"),
    Reason.METHOD: (405, "UnknownOperationException"),
    Reason.PATH: (400, "ValidationException"),
    Reason.PROJECT: (400, "ValidationException"),
    Reason.VERSION: (400, "ValidationException"),
    Reason.UNSIGNED: (403, "MissingAuthenticationTokenException"),
    Reason.INCOMPLETE_SIGNATURE: (403, "IncompleteSignatureException"),
    Reason.UNKNOWN_CLIENT: (403, "UnrecognizedClientException"),
    Reason.INVALID_SIGNATURE: (403, "InvalidSignatureException"),
    Reason.FORBIDDEN: (403, "AccessDeniedException"),
    Reason.THROTTLED: (429, "ThrottlingException"),
    Reason.NO_PROJECT: (404, "ResourceNotFoundException"),
    Reason.NO_MODEL: (404, "ResourceNotFoundException"),
    Reason.NOT_RUNNING: (409, "ConflictException"),
    Reason.CONFLICT: (409, "ConflictException"),
    Reason.CONTENT_TYPE: (400, "ValidationException"),
    Reason.BODY: (400, "ValidationException"),
    Reason.IMAGE: (400, "ValidationException"),
    Reason.IMAGE_SIZE: (400, "ValidationException"),
    Reason.FAULT: (500, "InternalServerException"),
}


@dataclass(frozen=True)
class Resource:
    """What a 404 or 409 is about: an id, and PROJECT or MODEL."""

    id: str
    type: str


class Refused(Exception):
    """Raised by any stage to end the call with the error of its reason."""

    def __init__(self, reason: Reason, message: str, resource: Resource | None = None, headers: Pairs = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.resource = resource
        self.headers = headers


# The connection, before the operation is known.

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_REQUEST_LINE = rb"[!#$%&'*+\-.^_`|~0-9A-Z]+ [!-~]+ HTTP/1\.[0-9]\r\n"
_HEAD = re.compile(_REQUEST_LINE + rb"(?:" + _TOKEN + rb"+:[\t -~\x80-\xff]*\r\n)*\r\n")
_FIRST_LINE = re.compile(_REQUEST_LINE)
_LONE_CR = re.compile(rb"\r(?!\n|\Z)")
_AUTHORITY = re.compile(rb"[0-9A-Za-z\-._~%!$&'()*+;=\[\]:]*")


def head_is_well_formed(head: bytes) -> bool:
    """Whether a head keeps RFC 9112 where h11 is lenient: case of the method, version, folds, line ends, controls."""
    return _HEAD.fullmatch(head) is not None


def start_is_hopeless(start: bytes) -> bool:
    """Whether the first bytes of a head already show that it will never be well-formed."""
    line, end, _ = start.partition(b"\n")
    return bool(
        not re.match(_TOKEN, start) or _LONE_CR.search(start) or (end and not _FIRST_LINE.fullmatch(line + end))
    )


def fields_agree(call: Call) -> bool:
    """Whether Host is an authority, and at most one way of framing the body is used, known to the client's version."""
    chunked = call.values(b"transfer-encoding")
    if chunked and (call.values(b"content-length") or call.version < b"1.1"):
        return False
    return all(_AUTHORITY.fullmatch(host) for host in call.values(b"host"))


def expectation_is_known(call: Call) -> bool:
    """Whether the client expects nothing, or 100-continue (RFC 9110, 10.1.1)."""
    return all(value.lower() == b"100-continue" for value in call.values(b"expect"))


def sends_continue(_call: Call) -> bytes:
    """What a client gets that waits for it before the body."""
    return b"HTTP/1.1 100 Continue\r\n\r\n"


def client_is_leaving(call: Call) -> bool:
    """Whether the connection ends after this call: the client says so, or speaks HTTP/1.0."""
    options = b",".join(call.values(b"connection")).lower().split(b",")
    return call.version < b"1.1" or b"close" in (option.strip() for option in options)


def nothing_unread(_call: Call, _reply: Reply) -> bytes:
    return b""


# The path.

_ABSOLUTE = re.compile(rb"\Ahttps?://[^/?]*", re.IGNORECASE)
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_TEMPLATE = (b"", b"2020-11-20", b"projects", None, b"models", None, b"detect")
_PROJECT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*")
_VERSION = re.compile(r"[1-9][0-9]*|latest")

SameLiteral = Callable[[bytes, bytes], bool]
Labels = tuple[bytes, bytes]


def path_of(target: bytes) -> bytes:
    """The path of a target in origin or absolute form, still encoded, without the query."""
    return _ABSOLUTE.sub(b"", target).partition(b"?")[0]


def split_at_slashes(path: bytes) -> Sequence[bytes]:
    return path.split(b"/")


def literal_decodes_to(segment: bytes, literal: bytes) -> bool:
    return unquote_to_bytes(segment) == literal


def match_template(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    """The project and version as written, or None when the path is not the operation's."""
    if len(segments) != len(_TEMPLATE):
        return None
    pairs = zip(segments, _TEMPLATE, strict=True)
    if not all(same(segment, literal) for segment, literal in pairs if literal is not None):
        return None
    return segments[3], segments[5]


def method_is_post(method: bytes) -> bool:
    return method == b"POST"


def decode_once(label: bytes) -> str:
    """Percent-decode a label as UTF-8. Raises Refused when it has a broken ``%`` or is not UTF-8."""
    if _BROKEN_PERCENT.search(label):
        raise Refused(Reason.PATH, "The path has an incomplete percent-encoding.")
    try:
        return unquote_to_bytes(label).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Reason.PATH, "The path is not UTF-8.") from None


def label_is_one_segment(label: str) -> bool:
    """No separator, no dot segment and no NUL: nothing that another server would read as another path."""
    return label not in (".", "..") and not {"/", "\0"} & set(label)


def project_has_length(name: str) -> bool:
    return 1 <= len(name) <= 255


def project_matches(name: str) -> bool:
    return _PROJECT.fullmatch(name) is not None


def version_has_length(version: str) -> bool:
    return 1 <= len(version) <= 10


def version_matches(version: str) -> bool:
    return _VERSION.fullmatch(version) is not None


# The resources.


def admit_everybody(_call: Call) -> None:
    """Where authorisation and throttling would be. Raises Refused to turn a caller away."""


def find_model(store: Store, project: str, version: str) -> Model:
    """Look a version up; ``latest`` is the highest. Raises Refused when the project or the version is unknown."""
    of_project = {str(model.version): model for model in store if model.project == project}
    if not of_project:
        raise Refused(Reason.NO_PROJECT, "The project could not be found.", Resource(project, "PROJECT"))
    if version == "latest":
        return max(of_project.values(), key=lambda model: model.version)
    if version not in of_project:
        resource = Resource(f"{project}/{version}", "MODEL")
        raise Refused(Reason.NO_MODEL, "The model version could not be found.", resource)
    return of_project[version]


def is_running(model: Model) -> bool:
    return model.running


# Content type and body.


def content_types_sent(call: Call) -> Sequence[str]:
    return [value.decode("latin-1") for value in call.values(b"content-type")]


def content_type_has_length(value: str) -> bool:
    return 1 <= len(value) <= 255


def without_parameters(value: str) -> str:
    return value.partition(";")[0].strip(" \t").lower()


def body_sent(call: Call) -> bytes:
    return call.body


def body_has_length(body: bytes) -> bool:
    return len(body) > 0


def open_image(body: bytes) -> Image.Image:
    """Read the header of a PNG or JPEG. Raises Refused for any other bytes."""
    try:
        return Image.open(io.BytesIO(body), formats=["PNG", "JPEG"])
    except Exception:  # Pillow raises a dozen kinds, and every one of them means the same here
        raise Refused(Reason.IMAGE, "The body is not a PNG or JPEG image.") from None


def size_is_allowed(size: tuple[int, int]) -> bool:
    return all(64 <= side <= 4096 for side in size)


def size_suits(model: Model, size: tuple[int, int]) -> bool:
    return model.size in (None, size)


def load_image(image: Image.Image) -> Image.Image:
    """Decode all pixels. Raises Refused when they are damaged or missing."""
    try:
        image.load()
    except Exception:  # as above
        raise Refused(Reason.IMAGE, "The image cannot be decoded.") from None
    return image


def detect(_call: Call, model: Model, image: Image.Image) -> Detection:
    return model.look(image, model.segments)


# The answer.

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def write_result(detection: Detection) -> Json:
    """The members that both kinds of model return."""
    return {
        "Source": {"Type": "direct"},
        "IsAnomalous": detection.is_anomalous,
        "Confidence": detection.confidence,
    }


def write_anomaly(region: Region) -> Json:
    colour = "#{:02X}{:02X}{:02X}".format(*region.colour)
    return {"Name": region.name, "PixelAnomaly": {"TotalPercentageArea": region.area, "Color": colour}}


def write_mask(mask: Image.Image) -> bytes:
    """The mask as a PNG file; flat areas need no effort to be small."""
    file = io.BytesIO()
    mask.save(file, "PNG", compress_level=1)
    return file.getvalue()


def write_blob(blob: bytes) -> str:
    return base64.b64encode(blob).decode("ascii")


def write_payload(_call: Call, result: Json) -> Json:
    return {"DetectAnomalyResult": result}


def write_error(refused: Refused) -> Json:
    about = refused.resource
    resource = {"ResourceId": about.id, "ResourceType": about.type} if about else {}
    return {"Message": refused.message, **resource}


def name_error(error: str) -> Pairs:
    return (("x-amzn-ErrorType", error),)


def write_json(payload: Json) -> bytes:
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()


def write_headers(_call: Call) -> Pairs:
    """The headers of every answer; ``frame`` adds those about its length and the connection."""
    return (
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", str(uuid.uuid4())),
        ("Date", formatdate(usegmt=True)),
    )


def unchanged(_call: Call, reply: Reply) -> Reply:
    return reply


def frame_by_length(call: Call, reply: Reply) -> Reply:
    """Add Content-Length, and Connection when it closes; a HEAD answer has the length but not the body, 204 neither."""
    closing = (("Connection", "close"),) if reply.closes else ()
    length = () if reply.status in (204, 304) else (("Content-Length", str(len(reply.body))),)
    body = reply.body if length and call.method != b"HEAD" else b""
    return replace(reply, headers=(*reply.headers, *length, *closing), body=body)


def render(_call: Call, reply: Reply) -> bytes | NoReply:
    """The bytes of a framed answer."""
    phrase = _PHRASES.get(reply.status, "")
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body


@dataclass(frozen=True)
class Behaviour:
    """All decisions of a server, in the order in which they are taken. Any stage may raise Refused."""

    max_head: int = 16 * 1024
    """Bytes of request line and headers."""
    max_body: int = 8 * 1024 * 1024
    """Bytes without transfer coding."""
    patience: float = 30.0
    """Seconds in which a request must have arrived."""
    hopeless: Callable[[bytes], bool] = start_is_hopeless
    well_formed: Callable[[bytes], bool] = head_is_well_formed
    fields_agree: Callable[[Call], bool] = fields_agree
    expectation_known: Callable[[Call], bool] = expectation_is_known
    interim: Callable[[Call], bytes] = sends_continue
    closes: Callable[[Call], bool] = client_is_leaving
    unread: Callable[[Call, Reply], bytes] = nothing_unread

    path: Callable[[bytes], bytes] = path_of
    segments: Callable[[bytes], Sequence[bytes]] = split_at_slashes
    same_literal: SameLiteral = literal_decodes_to
    route: Callable[[Sequence[bytes], SameLiteral], Labels | None] = match_template
    method_accepted: Callable[[bytes], bool] = method_is_post
    decode_label: Callable[[bytes], str] = decode_once
    label_accepted: Callable[[str], bool] = label_is_one_segment
    project_length: Callable[[str], bool] = project_has_length
    project_pattern: Callable[[str], bool] = project_matches
    version_length: Callable[[str], bool] = version_has_length
    version_pattern: Callable[[str], bool] = version_matches

    admit: Callable[[Call], None] = admit_everybody
    find_model: Callable[[Store, str, str], Model] = find_model
    running: Callable[[Model], bool] = is_running

    content_types: Callable[[Call], Sequence[str]] = content_types_sent
    content_type_length: Callable[[str], bool] = content_type_has_length
    media_type: Callable[[str], str] = without_parameters
    media_types: frozenset[str] = frozenset({"image/png", "image/jpeg"})
    body: Callable[[Call], bytes] = body_sent
    body_length: Callable[[bytes], bool] = body_has_length
    open_image: Callable[[bytes], Image.Image] = open_image
    image_size: Callable[[tuple[int, int]], bool] = size_is_allowed
    image_suits: Callable[[Model, tuple[int, int]], bool] = size_suits
    load_image: Callable[[Image.Image], Image.Image] = load_image

    detect: Callable[[Call, Model, Image.Image], Detection] = detect
    result: Callable[[Detection], Json] = write_result
    anomaly: Callable[[Region], Json] = write_anomaly
    mask: Callable[[Image.Image], bytes] = write_mask
    blob: Callable[[bytes], str] = write_blob
    payload: Callable[[Call, Json], Json] = write_payload
    success_status: int = 200

    errors: Mapping[Reason, tuple[int, str]] = field(default_factory=lambda: ERRORS)
    error_payload: Callable[[Refused], Json] = write_error
    error_headers: Callable[[str], Pairs] = name_error

    to_json: Callable[[Json], bytes] = write_json
    headers: Callable[[Call], Pairs] = write_headers
    finish: Callable[[Call, Reply], Reply] = unchanged
    """The last look at a whole answer, before its length is known."""
    frame: Callable[[Call, Reply], Reply] = frame_by_length
    render: Callable[[Call, Reply], bytes | NoReply] = render


HONEST = Behaviour()


def respond(call: Call, behaviour: Behaviour = HONEST) -> Outcome:
    """Answer a call and write the answer. Raises only what ``finish``, ``frame``, ``render`` or ``unread`` raise."""
    return transmit(call, answer(call, behaviour), behaviour)


def answer(call: Call, behaviour: Behaviour = HONEST) -> Reply:
    """From a request to an answer that is not yet finished, framed or written. Never raises: a crash is a 500."""
    try:
        return _succeed(call, _operate(call, behaviour), behaviour)
    except Refused as refused:
        return refuse(call, refused, behaviour)
    except Exception:
        _log.exception("the reference crashed")
        return refuse(call, Refused(Reason.FAULT, "The service experienced an issue. Try your call again."), behaviour)


def refuse(call: Call, refused: Refused, behaviour: Behaviour = HONEST) -> Reply:
    """The error answer of a refusal."""
    status, error = behaviour.errors[refused.reason]
    headers = (*behaviour.headers(call), *behaviour.error_headers(error), *refused.headers)
    return Reply(status, headers, behaviour.to_json(behaviour.error_payload(refused)), behaviour.closes(call))


def transmit(call: Call, reply: Reply, behaviour: Behaviour = HONEST) -> Outcome:
    """Finish, frame and write an answer."""
    finished = behaviour.finish(call, reply)
    wire = behaviour.render(call, behaviour.frame(call, finished))
    return Outcome(wire, finished.closes, behaviour.unread(call, finished), finished.status)


def _operate(call: Call, behaviour: Behaviour) -> Detection:
    project, version = _labels(call, behaviour)
    _check_labels(project, version, behaviour)
    behaviour.admit(call)
    model = _running_model(call.store, project, version, behaviour)
    _check_content_type(behaviour.content_types(call), behaviour)
    return behaviour.detect(call, model, _image(behaviour.body(call), model, behaviour))


def _labels(call: Call, behaviour: Behaviour) -> tuple[str, str]:
    segments = behaviour.segments(behaviour.path(call.target))
    labels = behaviour.route(segments, behaviour.same_literal)
    if labels is None:
        raise Refused(Reason.ROUTE, "There is no such operation.")
    if not behaviour.method_accepted(call.method):
        raise Refused(Reason.METHOD, "The operation is called with POST.", headers=(("Allow", "POST"),))
    project, version = (behaviour.decode_label(label) for label in labels)
    if not (behaviour.label_accepted(project) and behaviour.label_accepted(version)):
        raise Refused(Reason.PATH, "The path is ambiguous.")
    return project, version


def _check_labels(project: str, version: str, behaviour: Behaviour) -> None:
    if not behaviour.project_length(project):
        raise Refused(Reason.PROJECT, "projectName must have 1 to 255 characters.")
    if not behaviour.project_pattern(project):
        raise Refused(Reason.PROJECT, r"projectName must match [a-zA-Z0-9][a-zA-Z0-9_\-]*.")
    if not behaviour.version_length(version):
        raise Refused(Reason.VERSION, "modelVersion must have 1 to 10 characters.")
    if not behaviour.version_pattern(version):
        raise Refused(Reason.VERSION, "modelVersion must match ([1-9][0-9]*|latest).")


def _running_model(store: Store, project: str, version: str, behaviour: Behaviour) -> Model:
    model = behaviour.find_model(store, project, version)
    if not behaviour.running(model):
        resource = Resource(f"{model.project}/{model.version}", "MODEL")
        raise Refused(Reason.NOT_RUNNING, "The model is not running.", resource)
    return model


def _check_content_type(values: Sequence[str], behaviour: Behaviour) -> None:
    if not values or not all(behaviour.content_type_length(value) for value in values):
        raise Refused(Reason.CONTENT_TYPE, "content-type must have 1 to 255 characters.")
    types = {behaviour.media_type(value) for value in values}
    if len(types) > 1 or not types <= behaviour.media_types:
        raise Refused(Reason.CONTENT_TYPE, "content-type must be one of the following. image/jpeg, image/png")


def _image(body: bytes, model: Model, behaviour: Behaviour) -> Image.Image:
    if not behaviour.body_length(body):
        raise Refused(Reason.BODY, "The body must not be empty.")
    image = behaviour.open_image(body)
    if not behaviour.image_size(image.size):
        raise Refused(Reason.IMAGE_SIZE, "The image must have 64 to 4096 pixels a side.")
    if not behaviour.image_suits(model, image.size):
        raise Refused(Reason.IMAGE_SIZE, "The image must have the size of the images that the model was trained with.")
    return behaviour.load_image(image)


def _succeed(call: Call, detection: Detection, behaviour: Behaviour) -> Reply:
    payload = behaviour.payload(call, _result(detection, behaviour))
    return Reply(behaviour.success_status, behaviour.headers(call), behaviour.to_json(payload), behaviour.closes(call))


def _result(detection: Detection, behaviour: Behaviour) -> Json:
    result = behaviour.result(detection)
    if detection.mask is None:
        return result
    return {
        **result,
        "Anomalies": [behaviour.anomaly(region) for region in detection.regions],
        "AnomalyMask": behaviour.blob(behaviour.mask(detection.mask)),
    }
