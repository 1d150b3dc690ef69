"""Every rule on exchanges built by hand: one that it passes, one in which it finds something, and the fine points."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from PIL import Image

from conformance.contract.clauses import Level, catalogue
from conformance.contract.reading import read
from conformance.exchange import Case, Circumstance, Exchange
from conformance.judge import judge
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.rules import RULES, observations
from conformance.target import Limits, Scene, Target

TARGET = Target(
    name="sample",
    url="http://127.0.0.1:8080",
    limits=Limits(max_image_bytes=1_200_000, min_image_side=64, max_image_side=512),
    scenes={
        "classification": Scene("classification", "cookies", "1"),
        "segmentation": Scene("segmentation", "circuits", "2"),
        "missing-project": Scene("missing-project", "nobody", "1"),
        "missing-version": Scene("missing-version", "cookies", "7"),
        "stopped": Scene("stopped", "boards", "1"),
    },
)
JUDGING = {rule.id: rule for rule in RULES if rule not in observations.RULES}
HEADERS = ((b"Content-Type", b"application/json"),)
SIDES = (100, 100)


# ---- requests


@cache
def picture(kind: str = "PNG", size: tuple[int, int] = SIDES, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


PNG, JPEG = picture(), picture("JPEG")


def path(project: str = "cookies", version: str = "1") -> str:
    return f"/2020-11-20/projects/{project}/models/{version}/detect"


def post(
    target: str = path(),
    *extra: tuple[str, str],
    body: bytes = PNG,
    content_type: str | None = "image/png",
    method: str = "POST",
    length: bool = True,
) -> Request:
    headers: list[tuple[str | bytes, str | bytes]] = [("Host", "a")]
    headers += [("Content-Type", content_type)] if content_type is not None else []
    headers += [("Content-Length", str(len(body)))] if length else []
    return Request.build(method, target, [*headers, *extra], body)


GOOD = post()
SEGMENT = post(path("circuits", "2"))
ELSEWHERE = post("/elsewhere")
UNKNOWN = post(path("unheard-of"))
BAD_PROJECT = post(path("-bad-"))
BAD_TYPE = post(content_type="text/plain")
EMPTY = post(body=b"")
TEXT = post(body=b"This is not an image.")
CHUNKED = post(path(), ("Transfer-Encoding", "chunked"), body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG), length=False)
NONSENSE = Request(b"NONSENSE\r\n\r\n")
TOO_NARROW = post(body=picture(size=(63, 100)))
NARROWEST = post(body=picture(size=(64, 100)))


# ---- answers


def said(status: int, document: Any, *headers: tuple[bytes, bytes], kind: bytes = b"application/json") -> Response:
    """A JSON answer."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, ((b"Content-Type", kind), *headers), body)


def error(status: int, name: str | None, *headers: tuple[bytes, bytes], **members: Any) -> Response:
    """An error as a careful implementation writes it; members of None are left out."""
    whole: dict[str, Any] = {"Message": "no"}
    if name in ("ResourceNotFoundException", "ConflictException"):
        whole |= {"ResourceId": "cookies", "ResourceType": "PROJECT"}
    named = ((b"x-amzn-ErrorType", name.encode()),) if name else ()
    return said(status, {key: each for key, each in (whole | members).items() if each is not None}, *named, *headers)


def succeeded(document: Any = None, **members: Any) -> Response:
    """A classification, or with members more of it; a member of ... is left out."""
    whole = {"IsAnomalous": False, "Confidence": 0.9, "Source": {"Type": "direct"}, **members}
    whole = {name: each for name, each in whole.items() if each is not ...}
    return said(200, {"DetectAnomalyResult": whole} if document is None else document)


WHITE, RED, BLACK = (255, 255, 255), (255, 0, 0), (0, 0, 0)


def mask(
    red: int = 10, *, mode: str = "RGB", size: tuple[int, int] = SIDES, stray: int = 0, behind: bytes = b""
) -> str:
    """A white mask with some rows of red at the top and some black pixels at the bottom, in base64."""
    image = Image.new("RGB", size, WHITE)
    image.paste(RED, (0, 0, size[0], red))
    image.paste(BLACK, (0, size[1] - 1, stray, size[1]))
    if mode == "RGBA":
        image.putalpha(7)
    if mode == "P":
        image = image.quantize(4)
    file = io.BytesIO()
    (image if mode in ("RGBA", "P") else image.convert(mode)).save(file, "PNG")
    return base64.b64encode(file.getvalue() + behind).decode()


def entry(name: Any, colour: Any, area: Any, **members: Any) -> dict[str, Any]:
    return {"Name": name, "PixelAnomaly": {"Color": colour, "TotalPercentageArea": area}, **members}


BACKGROUND = entry("background", "#FFFFFF", 0.9)
SCRATCH = entry("scratch", "#FF0000", 0.1)


PAINTED = mask()


def segmented(*entries: Any, mask: Any = PAINTED, **members: Any) -> Response:
    """A segmentation: a tenth is scratched unless other entries are given."""
    listed = list(entries) or [BACKGROUND, SCRATCH]
    return succeeded(Anomalies=listed, **({} if mask is None else {"AnomalyMask": mask}), **members)


def only(area: Any, colour: str = "#FFFFFF", painted: str | None = None) -> Response:
    """Nothing but background, with a mask that shows it or another."""
    return segmented(entry("background", colour, area), mask=painted or mask(0))


OK, SEGMENTED = succeeded(), segmented()
INVALID = error(400, "ValidationException")
NOT_FOUND = error(404, "ResourceNotFoundException")
DENIED = error(403, "AccessDeniedException")
CONFLICT = error(409, "ConflictException")
THROTTLED = error(429, "ThrottlingException", (b"Retry-After", b"1"))
HTML = Response(404, ((b"Content-Type", b"text/html"),), b"<h1>404</h1>")
LOST = NoAnswer(Silence.TIMEOUT, "10 s")
CLOSED = NoAnswer(Silence.CLOSED)


def plain(status: int, body: bytes = b"") -> Response:
    return Response(status, ((b"Content-Type", b"text/html"),), body)


def empty(status: int) -> Response:
    return Response(status)


# ---- exchanges


def seen(request: Request, answer: Answer, delivery: Delivery = Delivery.WHOLE, **beside: Any) -> Exchange:
    return Exchange(Case("case", request, delivery), read(request, TARGET), answer, **beside)


ALONE = seen(GOOD, OK)
OTHER_ALONE = seen(SEGMENT, SEGMENTED)


def after(answer: Answer, before: Exchange = OTHER_ALONE, request: Request = GOOD, alone: Response = OK) -> Exchange:
    """A good request on a connection that was used before."""
    return seen(request, answer, before=before, alone=seen(request, alone))


def among(answer: Answer, request: Request = GOOD, alone: Response = OK, near: Exchange = OTHER_ALONE) -> Exchange:
    """A good request beside another."""
    return seen(request, answer, beside=(near,), alone=seen(request, alone))


def often(request: Request, answer: Response, times: int = 10) -> Exchange:
    """The last of many exchanges of the same request, each sent alone and answered alike."""
    exchange = seen(request, answer)
    for _ in range(times):
        exchange = seen(request, answer, alone=exchange)
    return exchange


SURE, DOUBTFUL = succeeded(Confidence=0.99), succeeded(IsAnomalous=True, Confidence=0.51)
OTHER_PICTURE = post(body=picture(size=(120, 100)))


@dataclass(frozen=True)
class Row:
    """What a rule makes of an exchange: `keeps`, `breaks`, or `leaves` it alone."""

    rule: str
    outcome: str
    words: str
    exchange: Exchange


def _rows() -> Iterator[Row]:
    for rule, outcomes in TABLE.items():
        for outcome, exchanges in outcomes.items():
            for words, exchange in exchanges.items():
                yield Row(rule, outcome, words, exchange)


Outcomes = dict[str, dict[str, Exchange]]


def served(request: Request, answer: Response = OK) -> Outcomes:
    """The outcomes of every rule that wants a request to be served."""
    return {
        "keeps": {"served": seen(request, answer)},
        "breaks": {
            "refused": seen(request, INVALID),
            "not found": seen(request, NOT_FOUND),
            "not answered": seen(request, LOST),
            "redirected": seen(request, empty(302)),
        },
        "leaves": {"throttled": seen(request, THROTTLED)},
    }


def in_state(circumstance: Circumstance, keeps: dict[str, Answer], breaks: dict[str, Answer]) -> Outcomes:
    """The outcomes of a rule on good requests in a circumstance, and on others nowhere else."""
    return {
        "keeps": {words: seen(GOOD, answer, circumstance=circumstance) for words, answer in keeps.items()},
        "breaks": {words: seen(GOOD, answer, circumstance=circumstance) for words, answer in breaks.items()},
        "leaves": {
            "throttled": seen(GOOD, THROTTLED, circumstance=circumstance),
            "ordinary": seen(GOOD, OK),
            "a bad request": seen(BAD_TYPE, INVALID, circumstance=circumstance),
        },
    }


def recovered(answer: Answer, since: Circumstance = Circumstance.THROTTLED) -> Exchange:
    """A good request after a state was left."""
    before = seen(GOOD, THROTTLED, circumstance=since)
    return seen(GOOD, answer, before=before, circumstance=Circumstance.RECOVERED)


def validated(request: Request) -> Outcomes:
    """The outcomes of every rule that wants 400 ValidationException, on a running model or a bad label."""
    by_code = said(400, {"code": "ValidationException", "message": "no"})
    return {
        "keeps": {
            "400": seen(request, INVALID),
            "named by __type": seen(request, error(400, None, __type="com.example#ValidationException")),
            "named by code, lower-case message": seen(request, by_code),
            "name and URI": seen(request, error(400, "ValidationException:http://internal.example/coral/")),
        },
        "breaks": {
            "served": seen(request, OK),
            "404": seen(request, NOT_FOUND),
            "other name": seen(request, error(400, "BadRequestException")),
            "no name": seen(request, error(400, None)),
            "415": seen(request, error(415, "UnsupportedMediaTypeException")),
            "422": seen(request, error(422, "ValidationException")),
            "500": seen(request, error(500, "InternalServerException")),
            "not answered": seen(request, LOST),
        },
        "leaves": {"throttled": seen(request, THROTTLED), "cut short": seen(request, OK, Delivery.ABORT)},
    }


def refused(request: Request) -> Outcomes:
    """The outcomes of every rule that wants any well-formed 4xx."""
    return {
        "keeps": {
            "400": seen(request, INVALID),
            "422": seen(request, error(422, "UnprocessableEntity")),
            "by __type": seen(request, error(400, None, __type="Other")),
        },
        "breaks": {
            "served": seen(request, OK),
            "204": seen(request, empty(204)),
            "500": seen(request, error(500, "InternalServerException")),
            "no message": seen(request, error(400, "ValidationException", Message=None)),
            "HTML": seen(request, plain(400, b"<h1>no</h1>")),
        },
        "leaves": {"throttled": seen(request, THROTTLED)},
    }


def broken(result: dict[str, Response], kept: dict[str, Response], request: Request = SEGMENT) -> Outcomes:
    """The outcomes of a rule about the result."""
    return {
        "keeps": {"plain": seen(request, SEGMENTED)} | {words: seen(request, each) for words, each in kept.items()},
        "breaks": {words: seen(request, each) for words, each in result.items()},
        "leaves": {"an error": seen(request, INVALID), "a success of GET": seen(post(method="GET"), SEGMENTED)},
    }


def failed(breaks: dict[str, Response], keeps: dict[str, Response], leaves: dict[str, Exchange]) -> Outcomes:
    """The outcomes of a rule about errors, on a request that the operation refuses."""
    return {
        "keeps": {words: seen(BAD_TYPE, each) for words, each in keeps.items()},
        "breaks": {words: seen(BAD_TYPE, each) for words, each in breaks.items()},
        "leaves": leaves | {"a success": seen(GOOD, OK), "not answered": seen(BAD_TYPE, LOST)},
    }


LEAKS = {
    "python": b'Traceback (most recent call last):\\n  File \\"/srv/app.py\\", line 3',
    "java": b"at com.example.Detect.handle(Detect.java:42)",
    "go": b"goroutine 7 [running]:",
    "a path": b"cannot open /var/lib/models/1.onnx",
    "a windows path": b"cannot open C:\\\\models\\\\one",
    "a line": b"failed in handler.go:77",
}
LONG_TYPE = "image/png; x=" + "a" * 243
CODED = (b"Content-Encoding", b"gzip")

TABLE: dict[str, Outcomes] = {
    "route.literals-is-enforced": {
        "keeps": {
            "404 HTML": seen(ELSEWHERE, HTML),
            "404": seen(ELSEWHERE, error(404, "UnknownOperationException")),
            "redirected": seen(ELSEWHERE, empty(301)),
            "403": seen(ELSEWHERE, plain(403)),
        },
        "breaks": {
            "served": seen(ELSEWHERE, OK),
            "204": seen(ELSEWHERE, empty(204)),
            "other date served": seen(post(path().replace("11-20", "11-21")), OK),
            "doubled slash served": seen(post(path().replace("/models", "//models")), OK),
            "welcome page": seen(post("/"), plain(200, b"<h1>hello</h1>")),
        },
        "leaves": {"throttled": seen(ELSEWHERE, THROTTLED), "query": seen(post(path() + "?x=1"), OK)},
    },
    "route.method-is-enforced": {
        "keeps": {
            "405": seen(post(method="GET"), plain(405)),
            "404": seen(post(method="PUT"), HTML),
            "501 for an unknown method": seen(post(method="DETECT"), plain(501)),
            "HEAD answered 200": seen(post(method="HEAD", body=b""), Response(200, HEADERS)),
            "OPTIONS answered 204": seen(post(method="OPTIONS", body=b""), empty(204)),
            "GET answered with a page": seen(post(method="GET", body=b""), plain(200, b"<h1>hello</h1>")),
        },
        "breaks": {"PUT served": seen(post(method="PUT"), OK), "GET served": seen(post(method="GET"), SEGMENTED)},
        "leaves": {"throttled": seen(post(method="PUT"), THROTTLED)},
    },
    "project.pattern-is-enforced": validated(BAD_PROJECT),
    "project.length-is-enforced": {
        **validated(post(path("a" * 256))),
        "keeps": {
            "400": seen(post(path("a" * 256)), INVALID),
            "empty, 404": seen(post(path("")), NOT_FOUND),
            "empty, 405": seen(post(path("")), error(405, "MethodNotAllowed")),
        },
    },
    "version.pattern-is-enforced": validated(post(path(version="01"))),
    "version.length-is-enforced": {
        **validated(post(path(version="1" * 11))),
        "keeps": {
            "400": seen(post(path(version="1" * 11)), INVALID),
            "empty, 404": seen(post(path(version="")), NOT_FOUND),
        },
    },
    "path.encoding-is-enforced": {
        "keeps": {
            "400": seen(post(path("a%2Fb")), INVALID),
            "404 HTML": seen(post(path("a%2Fb")), HTML),
            "a proxy's 400": seen(post(path("%2E%2E")), plain(400)),
        },
        "breaks": {
            "served": seen(post(path("cookies%00")), OK),
            "500": seen(post(path("cookies%FF")), plain(500)),
            "not answered": seen(post(path("cookies%zz")), LOST),
            "redirected": seen(post(path("%2E%2E")), empty(301)),
        },
        "leaves": {"throttled": seen(post(path("a%2Fb")), THROTTLED)},
    },
    "content-type.required-is-enforced": validated(post(content_type=None)),
    "content-type.values-is-enforced": validated(BAD_TYPE),
    "content-type.length-is-enforced": validated(post(content_type=LONG_TYPE)),
    "body.required-is-enforced": refused(EMPTY),
    "body.image-is-enforced": refused(TEXT),
    "body.declared-limits-is-enforced": {
        "keeps": {"413 HTML": seen(TOO_NARROW, plain(413)), "400": seen(TOO_NARROW, INVALID)},
        "breaks": {"served": seen(TOO_NARROW, OK), "500": seen(TOO_NARROW, plain(500))},
        "leaves": {"throttled": seen(TOO_NARROW, THROTTLED)},
    },
    "http.malformed-is-enforced": {
        "keeps": {
            "400": seen(NONSENSE, plain(400)),
            "closed": seen(NONSENSE, CLOSED),
            "reset": seen(NONSENSE, NoAnswer(Silence.RESET)),
        },
        "breaks": {"served": seen(NONSENSE, OK), "silence": seen(NONSENSE, LOST), "500": seen(NONSENSE, plain(500))},
        "leaves": {"cut short": seen(NONSENSE, OK, Delivery.ABORT)},
    },
    "an-empty-body-is-a-validation-error": {
        "keeps": {"400": seen(EMPTY, INVALID)},
        "breaks": {"411": seen(EMPTY, error(411, "LengthRequired")), "other": seen(EMPTY, error(400, "BadRequest"))},
        "leaves": {
            "throttled": seen(EMPTY, THROTTLED),
            "served": seen(EMPTY, OK),
            "two faults": seen(post(body=b"", content_type=None), plain(415)),
            "unknown project": seen(post(path("unheard-of"), body=b""), NOT_FOUND),
        },
    },
    "a-body-that-is-no-image-is-a-validation-error": {
        "keeps": {"400": seen(TEXT, INVALID)},
        "breaks": {"422": seen(TEXT, error(422, "Unprocessable")), "415": seen(TEXT, plain(415))},
        "leaves": {"throttled": seen(TEXT, THROTTLED), "served": seen(TEXT, OK)},
    },
    "a-sound-request-is-served": served(GOOD),
    "an-escaped-letter-is-the-letter": served(post(path("%63ookies"))),
    "an-escaped-name-is-never-called-invalid": {
        "keeps": {
            "unknown project, 404": seen(post(path("%75nheard-of")), NOT_FOUND),
            "unknown project, 403": seen(post(path("%75nheard-of")), DENIED),
            "unknown version, 404": seen(post(path(version="%39999999999")), NOT_FOUND),
        },
        "breaks": {
            "project called invalid": seen(post(path("%75nheard%2Dof")), INVALID),
            "version called invalid": seen(post(path(version="%39999999999")), INVALID),
        },
        "leaves": {
            "throttled": seen(post(path("%75nheard-of")), THROTTLED),
            "plainly written": seen(UNKNOWN, INVALID),
            "invalid": seen(post(path("%2Dbad")), INVALID),
        },
    },
    "both-media-types-are-taken": served(post(body=JPEG, content_type="image/jpeg")),
    "a-plain-png-is-taken": served(GOOD),
    "a-plain-jpeg-is-taken": served(post(body=JPEG, content_type="image/jpeg")),
    "every-sound-png-is-taken": served(post(body=picture(mode="L"))),
    "every-sound-jpeg-is-taken": served(post(body=picture("JPEG", mode="L"), content_type="image/jpeg")),
    "an-image-at-a-declared-limit-is-taken": {
        **served(NARROWEST),
        "leaves": {"within": seen(GOOD, INVALID), "past": seen(TOO_NARROW, plain(413))},
    },
    "a-good-name-is-never-called-invalid": {
        "keeps": {
            "404": seen(UNKNOWN, NOT_FOUND),
            "403": seen(UNKNOWN, DENIED),
            "200": seen(UNKNOWN, OK),
            "255 letters, 404": seen(post(path("a" * 255)), NOT_FOUND),
        },
        "breaks": {
            "400": seen(UNKNOWN, INVALID),
            "500": seen(UNKNOWN, error(500, "InternalServerException")),
            "414": seen(post(path("a" * 255)), plain(414)),
        },
        "leaves": {
            "throttled": seen(UNKNOWN, THROTTLED),
            "wrong type": seen(post(path("x"), content_type=""), INVALID),
        },
    },
    "a-good-version-is-never-called-invalid": {
        "keeps": {
            "unknown, 404": seen(post(path(version="9999999999")), NOT_FOUND),
            "unknown, 403": seen(post(path(version="2147483648")), DENIED),
            "latest of an unknown project": seen(post(path("unheard-of", "latest")), NOT_FOUND),
        },
        "breaks": {
            "called invalid": seen(post(path(version="2147483648")), INVALID),
            "500": seen(post(path(version="9999999999")), error(500, "InternalServerException")),
            "latest of an unknown project": seen(post(path("unheard-of", "latest")), INVALID),
        },
        "leaves": {"throttled": seen(post(path(version="9999999999")), THROTTLED)},
    },
    "an-expectation-gets-a-final-answer": {
        "keeps": {
            words: seen(post(path(), ("Expect", "100-continue")), answer, Delivery.AWAIT_CONTINUE)
            for words, answer in {
                "100": replace(OK, interim=(100,)),
                "at once": OK,
                "417": plain(417),
            }.items()
        },
        "breaks": {"silence": seen(post(path(), ("Expect", "100-continue")), LOST, Delivery.AWAIT_CONTINUE)},
        "leaves": {"nothing expected": seen(GOOD, LOST)},
    },
    "a-success-is-200": broken({"201": replace(OK, status=201), "204": empty(204)}, {}),
    "a-success-says-that-it-is-json": broken(
        {
            "amazon's": said(200, OK.body, kind=b"application/x-amz-json-1.1"),
            "none": replace(OK, headers=()),
            "text": said(200, OK.body, kind=b"text/plain"),
            "two": said(200, OK.body, (b"Content-Type", b"text/plain")),
        },
        {
            "parameters": said(200, OK.body, kind=b"application/json; charset=utf-8"),
            "upper case": said(200, OK.body, kind=b"Application/JSON"),
            "header name in upper case": replace(OK, headers=((b"CONTENT-TYPE", b"application/json"),)),
        },
    ),
    "a-success-is-strict-json": broken(
        {
            "empty": said(200, b""),
            "byte order mark": said(200, b"\xef\xbb\xbf" + OK.body),
            "NaN": said(200, OK.body.replace(b"0.9", b"NaN")),
            "name repeated": said(200, b'{"DetectAnomalyResult": {"Confidence": 1, "Confidence": 1}}'),
            "more behind": said(200, OK.body + b"{}"),
            "no UTF-8": said(200, b'{"a": "\xff"}'),
            "HTML": said(200, b"<html>"),
        },
        {"white space around": said(200, b"\r\n " + OK.body + b"\n"), "exponents": said(200, b'{"a": 9e-1}')},
    ),
    "a-success-is-not-encoded-unasked": {
        "keeps": {
            "plain": seen(GOOD, OK),
            "identity": seen(GOOD, said(200, OK.body, (b"Content-Encoding", b"identity"))),
            "asked for": seen(post(path(), ("Accept-Encoding", "br, GZIP;q=0.5")), said(200, OK.body, CODED)),
            "anything asked for": seen(post(path(), ("Accept-Encoding", "*")), said(200, OK.body, CODED)),
        },
        "breaks": {
            "unasked": seen(GOOD, said(200, OK.body, CODED)),
            "identity asked for": seen(post(path(), ("Accept-Encoding", "identity")), said(200, OK.body, CODED)),
            "declined": seen(post(path(), ("Accept-Encoding", "gzip;q=0, br")), said(200, OK.body, CODED)),
        },
        "leaves": {"an error": seen(GOOD, said(400, OK.body, CODED))},
    },
    "success.result-is-kept": broken(
        {
            "a list": succeeded([]),
            "nothing inside": succeeded({}),
            "null": succeeded({"DetectAnomalyResult": None}),
            "the inner object alone": succeeded({"IsAnomalous": True, "Confidence": 1}),
            "lower case": succeeded({"detectAnomalyResult": {"IsAnomalous": True, "Confidence": 1}}),
            "text": succeeded({"DetectAnomalyResult": "{}"}),
        },
        {"extra members": succeeded({"DetectAnomalyResult": {"IsAnomalous": True, "Confidence": 1}, "More": [1]})},
    ),
    "result.is-anomalous-is-kept": broken(
        {
            "absent": succeeded(IsAnomalous=...),
            "null": succeeded(IsAnomalous=None),
            "text": succeeded(IsAnomalous="no"),
        },
        {"true, and nothing found": succeeded(IsAnomalous=True)},
    ),
    "result.confidence-is-kept": broken(
        {
            "absent": succeeded(Confidence=...),
            "null": succeeded(Confidence=None),
            "text": succeeded(Confidence="0.9"),
            "percent": succeeded(Confidence=90),
            "negative": succeeded(Confidence=-0.01),
            "boolean": succeeded(Confidence=True),
        },
        {"zero": succeeded(Confidence=0), "one": succeeded(Confidence=1), "float": succeeded(Confidence=1.0)},
    ),
    "anomalies.kind-is-kept": broken(
        {
            "an object": succeeded(Anomalies=BACKGROUND, AnomalyMask=mask()),
            "text": succeeded(Anomalies="none", AnomalyMask=mask()),
        },
        {},
    ),
    "anomalies.background-is-kept": broken(
        {
            "none": succeeded(Anomalies=[], AnomalyMask=mask()),
            "second": segmented(SCRATCH, BACKGROUND),
            "upper case": segmented(entry("BACKGROUND", "#FFFFFF", 0.9), SCRATCH),
        },
        {"alone": only(1), "null before it": segmented(None, BACKGROUND, SCRATCH)},
    ),
    "anomalies.names-is-kept": broken(
        {
            "empty": segmented(BACKGROUND, entry("", "#FF0000", 0.1)),
            "a hyphen": segmented(BACKGROUND, entry("deep-scratch", "#FF0000", 0.1)),
            "too long": segmented(BACKGROUND, entry("a" * 257, "#FF0000", 0.1)),
            "a newline": segmented(BACKGROUND, entry("scratch\n", "#FF0000", 0.1)),
        },
        {
            "longest": segmented(BACKGROUND, entry("a" * 256, "#FF0000", 0.1)),
            "extra members": segmented(BACKGROUND, {**SCRATCH, "Severity": None}),
        },
    ),
    "anomalies.area-is-kept": broken(
        {
            "percent": segmented(entry("background", "#FFFFFF", 90), SCRATCH),
            "absent": segmented({"Name": "background", "PixelAnomaly": {"Color": "#FFFFFF"}}),
            "null": segmented(entry("background", "#FFFFFF", None)),
            "no pixels": segmented({"Name": "background"}),
            "text": segmented(entry("background", "#FFFFFF", "0.9")),
        },
        {"integers": only(1), "of nothing": segmented(entry("background", "#FFFFFF", 0))},
    ),
    "anomalies.colours-is-kept": broken(
        {
            "a name": segmented(entry("background", "white", 1)),
            "three digits": segmented(entry("background", "#FFF", 1)),
            "with alpha": segmented(entry("background", "#FFFFFFFF", 1)),
            "a list": segmented(entry("background", [255, 255, 255], 1)),
        },
        {"lower case": only(1, "#ffffff"), "not hex": only(1, "#GGGGGG")},
    ),
    "mask.base64-is-kept": broken(
        {
            "unpadded": segmented(mask="AAAAAA"),
            "for URLs": segmented(mask="_-_-"),
            "line breaks": segmented(mask=mask()[:76] + "\n" + mask()[76:]),
            "data URL": segmented(mask="data:image/png;base64," + mask()),
            "a number": segmented(mask=1),
        },
        {},
    ),
    "mask.length-is-kept": broken({"empty": segmented(mask="")}, {}),
    "a-source-is-direct-or-absent": broken(
        {
            "other": succeeded(Source={"Type": "s3"}),
            "upper case": succeeded(Source={"Type": "Direct"}),
            "a word": succeeded(Source="direct"),
        },
        {
            "absent": succeeded(Source=...),
            "null": succeeded(Source=None),
            "empty": succeeded(Source={}),
            "null type": succeeded(Source={"Type": None}),
        },
    ),
    "a-source-is-present": broken(
        {"absent": succeeded(Source=...), "null": succeeded(Source=None), "empty": succeeded(Source={})}, {}
    ),
    "nothing-is-null": broken(
        {
            "anomalies": succeeded(Anomalies=None),
            "type": succeeded(Source={"Type": None}),
            "in a list": segmented(BACKGROUND, None, SCRATCH),
        },
        {},
    ),
    "the-members-are-those-of-the-model": {
        "keeps": {
            "classified": seen(GOOD, OK),
            "segmented": seen(SEGMENT, SEGMENTED),
            "classified with nulls": seen(GOOD, succeeded(Anomalies=None, AnomalyMask=None)),
            "undeclared with both": seen(UNKNOWN, SEGMENTED),
            "undeclared with neither": seen(UNKNOWN, OK),
        },
        "breaks": {
            "classification with both": seen(GOOD, SEGMENTED),
            "classification with an empty list": seen(GOOD, succeeded(Anomalies=[])),
            "segmentation with neither": seen(SEGMENT, OK),
            "segmentation without mask": seen(SEGMENT, segmented(mask=None)),
            "segmentation with null mask": seen(SEGMENT, succeeded(Anomalies=[BACKGROUND], AnomalyMask=None)),
            "undeclared with one": seen(UNKNOWN, segmented(mask=None)),
        },
        "leaves": {"an error": seen(SEGMENT, INVALID)},
    },
    "the-background-is-white": broken({"black": only(1, "#000000")}, {"lower case": only(1, "#ffffff")}),
    "no-name-is-listed-twice": broken(
        {"twice": segmented(BACKGROUND, SCRATCH, entry("scratch", "#00FF00", 0))},
        {"by case": segmented(BACKGROUND, SCRATCH, entry("Scratch", "#00FF00", 0))},
    ),
    "no-colour-is-listed-twice": broken(
        {
            "twice": segmented(BACKGROUND, SCRATCH, entry("dent", "#FF0000", 0)),
            "in lower case": segmented(BACKGROUND, SCRATCH, entry("dent", "#ff0000", 0)),
        },
        {"nearly": segmented(BACKGROUND, SCRATCH, entry("dent", "#FF0001", 0))},
    ),
    "colours-are-hexadecimal": broken({"letters": only(1, "#GGGGGG")}, {"lower case": only(1, "#fffffa")}),
    "the-areas-add-up-to-one": broken(
        {
            "too little": segmented(entry("background", "#FFFFFF", 0.8), SCRATCH),
            "too much": segmented(entry("background", "#FFFFFF", 1), SCRATCH),
            "just too little": only(0.9989),
            "in percent": only(100),
        },
        {
            "at the tolerance": only(0.999),
            "integer": only(1),
            "in thirds": segmented(
                entry("background", "#FFFFFF", 0.3333), entry("a", "#FF0000", 0.3333), entry("b", "#00FF00", 0.3333)
            ),
        },
    ),
    "the-mask-has-a-lawful-length": broken(
        {
            "empty": segmented(mask=""),
            "a byte too long": segmented(mask=base64.b64encode(bytes(5_242_881)).decode()),
        },
        {
            "longest": segmented(mask=base64.b64encode(bytes(5_242_880)).decode()),
            "one byte": segmented(mask="AA=="),
        },
    ),
    "the-mask-is-a-sound-png": broken(
        {
            "a JPEG": segmented(mask=base64.b64encode(JPEG).decode()),
            "cut": segmented(mask=base64.b64encode(PNG[:-20]).decode()),
            "text": segmented(mask="AAAA"),
        },
        {"palette": segmented(mask=mask(mode="P")), "RGBA": segmented(mask=mask(mode="RGBA"))},
    ),
    "the-mask-is-as-large-as-the-image": broken(
        {
            "one pixel": segmented(mask=mask(0, size=(1, 1))),
            "turned": segmented(mask=mask(size=(100, 99))),
        },
        {"palette": segmented(mask=mask(mode="P"))},
    ),
    "every-pixel-has-a-listed-colour": broken(
        {
            "one stray": segmented(mask=mask(stray=1)),
            "an anomaly that is not listed": segmented(entry("background", "#FFFFFF", 1)),
            "one stray in a palette": segmented(mask=mask(stray=1, mode="P")),
        },
        {
            "palette": segmented(mask=mask(mode="P")),
            "RGBA, nearly transparent": segmented(mask=mask(mode="RGBA")),
            "grey": only(1, painted=mask(0, mode="L")),
            "one bit": only(1, painted=mask(0, mode="1")),
            "colours in lower case": segmented(entry("background", "#ffffff", 0.9), entry("scratch", "#ff0000", 0.1)),
            "listed and not painted": segmented(BACKGROUND, SCRATCH, entry("dent", "#00FF00", 0)),
            "all anomaly": segmented(entry("background", "#FFFFFF", 0), entry("a", "#FF0000", 1), mask=mask(100)),
        },
    ),
    "every-area-is-its-share-of-the-pixels": broken(
        {
            "twice": segmented(entry("background", "#FFFFFF", 0.8), entry("scratch", "#FF0000", 0.2)),
            "just past": segmented(entry("background", "#FFFFFF", 0.8985), entry("scratch", "#FF0000", 0.1)),
        },
        {
            "at the tolerance": segmented(entry("background", "#FFFFFF", 0.901), entry("scratch", "#FF0000", 0.101)),
            "below it": segmented(entry("background", "#FFFFFF", 0.8991), entry("scratch", "#FF0000", 0.1009)),
            "palette": segmented(mask=mask(mode="P")),
        },
    ),
    "status-and-name-belong-together": failed(
        {
            "404 and 400": error(404, "ValidationException"),
            "400 and 404": error(400, "ResourceNotFoundException"),
            "undocumented": error(400, "BadRequestException"),
            "429 by another name": error(429, "TooManyRequestsException"),
            "402": error(402, "ServiceQuotaExceededException"),
        },
        {
            "400": INVALID,
            "403": DENIED,
            "404": NOT_FOUND,
            "409": CONFLICT,
            "429": THROTTLED,
            "500": error(500, "InternalServerException"),
            "namespace and URI": error(400, "aws.protocols#ValidationException:http://x.example/#a"),
        },
        {
            "a proxy's 413": seen(BAD_TYPE, error(413, "RequestEntityTooLarge")),
            "unknown route": seen(ELSEWHERE, error(404, "UnknownOperationException")),
            "signature": seen(GOOD, error(403, "InvalidSignatureException")),
            "undecodable": seen(post(path("a%2Fb")), error(400, "BadRequest")),
        },
    ),
    "an-error-names-itself": failed(
        {"none": error(400, None), "HTML": plain(400), "empty": error(400, None, __type=""), "null": HTML},
        {
            "header": INVALID,
            "__type": error(400, None, __type="ValidationException"),
            "code": error(400, None, code="ValidationException"),
        },
        {"a proxy's 413": seen(BAD_TYPE, plain(413)), "another route": seen(ELSEWHERE, HTML)},
    ),
    "the-name-is-bare-and-in-the-header": failed(
        {
            "in the body": error(400, None, __type="ValidationException"),
            "with a URI": error(400, "ValidationException:http://x.example/"),
            "with a namespace": error(400, "com.example#ValidationException"),
        },
        {"bare": INVALID},
        {"no name": seen(BAD_TYPE, error(400, None))},
    ),
    "header-and-body-name-one-error": failed(
        {
            "__type differs": error(400, "ValidationException", __type="BadRequestException"),
            "code differs": error(400, "ValidationException", code="BadRequestException"),
            "both in the body": error(400, None, __type="ValidationException", code="Other"),
            "two headers": error(400, "ValidationException", (b"X-Amzn-Errortype", b"Other")),
        },
        {
            "header alone": INVALID,
            "alike": error(400, "ValidationException", __type="ValidationException"),
            "alike but for the namespace": error(400, "ValidationException", __type="com.example#ValidationException"),
        },
        {},
    ),
    "an-error-is-a-json-object": failed(
        {
            "HTML": plain(400),
            "a list": said(400, []),
            "text": said(400, "no"),
            "broken": said(400, b"{"),
            "amazon's type": said(400, INVALID.body, kind=b"application/x-amz-json-1.0"),
            "empty": said(400, b""),
        },
        {"plain": INVALID, "parameters": said(400, {"Message": "no"}, kind=b"application/json;charset=utf-8")},
        {"a proxy's 414": seen(BAD_TYPE, plain(414))},
    ),
    "an-error-has-a-message": failed(
        {
            "none": error(400, "ValidationException", Message=None),
            "empty": error(400, "ValidationException", Message=""),
            "a number": error(400, "ValidationException", Message=5),
            "another spelling": error(400, "ValidationException", Message=None, MESSAGE="no"),
        },
        {"small": error(400, "ValidationException", Message=None, message="no"), "capital": INVALID},
        {},
    ),
    "the-message-is-spelt-with-a-capital": failed(
        {"small": error(400, "ValidationException", Message=None, message="no")},
        {"both": error(400, "ValidationException", message="no")},
        {"none": seen(BAD_TYPE, error(400, "ValidationException", Message=None))},
    ),
    "a-resource-error-names-the-resource": failed(
        {
            "no id": error(404, "ResourceNotFoundException", ResourceId=None),
            "no type": error(409, "ConflictException", ResourceType=None),
            "other type": error(404, "ResourceNotFoundException", ResourceType="BUCKET"),
            "type in lower case": error(404, "ResourceNotFoundException", ResourceType="project"),
            "id is a number": error(404, "ResourceNotFoundException", ResourceId=7),
        },
        {
            kind.lower(): error(404, "ResourceNotFoundException", ResourceType=kind)
            for kind in "PROJECT DATASET MODEL TRIAL MODEL_PACKAGE_JOB".split()
        },
        {"400": seen(BAD_TYPE, INVALID), "another route": seen(ELSEWHERE, NOT_FOUND)},
    ),
    "retry-after-is-whole-seconds": failed(
        {
            words: error(429, "ThrottlingException", (b"Retry-After", value))
            for words, value in {
                "a date": b"Wed, 21 Oct 2026 07:28:00 GMT",
                "a fraction": b"1.5",
                "negative": b"-1",
                "signed": b"+1",
                "empty": b"",
                "in words": b"soon",
            }.items()
        },
        {
            "seconds": THROTTLED,
            "zero": error(429, "ThrottlingException", (b"Retry-After", b"0")),
            "absent": error(429, "ThrottlingException"),
        },
        {},
    ),
    "an-error-shows-nothing-of-the-inside": failed(
        {words: said(400, b'{"Message": "' + leak + b'"}') for words, leak in LEAKS.items()},
        {
            "plain": INVALID,
            "the request's path": error(400, "ValidationException", Message="no such path: /2020-11-20/projects/tmp/x"),
            "a URL": error(400, "ValidationException", Message="see https://example.com/app/errors.html"),
            "a time": error(400, "ValidationException", Message="at 12:30:11"),
        },
        {},
    ),
    "no-request-earns-a-server-error": {
        "keeps": {
            "400": seen(BAD_TYPE, INVALID),
            "501 for an unknown method": seen(post(method="DETECT"), plain(501)),
            "501 for GET": seen(post(method="GET", body=b""), plain(501)),
            "501 for an unknown coding": seen(post(path(), ("Transfer-Encoding", "rot13"), length=False), plain(501)),
            "505 for another version": seen(Request(b"POST / HTTP/3.7\r\nHost: a\r\n\r\n"), plain(505)),
        },
        "breaks": {
            "500": seen(GOOD, error(500, "InternalServerException")),
            "500 for a bad type": seen(BAD_TYPE, error(500, "InternalServerException")),
            "502": seen(GOOD, plain(502)),
            "503 for a bad path": seen(post(path("cookies%FF")), plain(503)),
            "500 for GET": seen(post(method="GET", body=b""), plain(500)),
            "500 for nonsense": seen(NONSENSE, plain(500)),
            "501 for POST": seen(GOOD, plain(501)),
            "501 for chunks": seen(CHUNKED, plain(501)),
            "505 for 1.1": seen(GOOD, plain(505)),
        },
        "leaves": {"not answered": seen(GOOD, LOST)},
    },
    "a-refusal-below-the-operation-is-json-too": {
        "keeps": {
            "named": seen(ELSEWHERE, error(404, "UnknownOperationException")),
            "by code": seen(post(method="PUT"), said(405, {"code": "MethodNotAllowed"})),
        },
        "breaks": {
            "HTML": seen(ELSEWHERE, HTML),
            "405": seen(post(method="PUT"), plain(405)),
            "413": seen(TOO_NARROW, plain(413)),
            "JSON without a name": seen(ELSEWHERE, said(404, {"message": "no"})),
        },
        "leaves": {
            "HEAD": seen(post(method="HEAD", body=b""), plain(405)),
            "malformed": seen(NONSENSE, plain(400)),
            "served": seen(post(path() + "/"), OK),
            "redirected": seen(post(path() + "/"), empty(308)),
        },
    },
    **{
        rule: {
            "keeps": {"404": seen(post(there), NOT_FOUND)},
            "breaks": {
                "served": seen(post(there), OK),
                "400": seen(post(there), INVALID),
                "403": seen(post(there), DENIED),
                "409": seen(post(there), CONFLICT),
                "another name": seen(post(there), error(404, "NotFound")),
                "HTML": seen(post(there), HTML),
                "500": seen(post(there), error(500, "InternalServerException")),
                "not answered": seen(post(there), LOST),
            },
            "leaves": {
                "throttled": seen(post(there), THROTTLED),
                "bad type": seen(post(there, content_type="text/plain"), INVALID),
            },
        }
        for rule, there in {
            "a-missing-project-is-not-found": path("nobody"),
            "a-missing-version-is-not-found": path(version="7"),
        }.items()
    },
    "a-stopped-model-refuses": {
        "keeps": {
            words: seen(post(path("boards")), answer)
            for words, answer in {"409": CONFLICT, "404": NOT_FOUND, "400": INVALID}.items()
        },
        "breaks": {
            words: seen(post(path("boards")), answer)
            for words, answer in {
                "served": OK,
                "202": empty(202),
                "500": error(500, "InternalServerException"),
                "503": plain(503),
                "HTML": plain(409),
                "403": DENIED,
            }.items()
        },
        "leaves": {"throttled": seen(post(path("boards")), THROTTLED)},
    },
    "a-conflict-is-named": in_state(
        Circumstance.CONFLICT,
        {"409": CONFLICT},
        {"served": OK, "400": error(400, "ConflictException"), "named otherwise": error(409, "ConflictError")},
    ),
    "who-has-no-permission-is-refused": in_state(
        Circumstance.FORBIDDEN,
        {"403": DENIED, "named in the body": error(403, None, code="AccessDeniedException")},
        {"served": OK, "404": NOT_FOUND, "401": error(401, "AccessDeniedException"), "nameless": plain(403)},
    ),
    "a-fault-is-owned-up-to": in_state(
        Circumstance.FAULT,
        {"500": error(500, "InternalServerException")},
        {
            "served": OK,
            "502": plain(502),
            "named otherwise": error(500, "InternalFailure"),
            "without a message": error(500, "InternalServerException", Message=None),
            "not answered": LOST,
        },
    ),
    "a-throttled-request-is-served-later": {
        "keeps": {
            "429": seen(GOOD, THROTTLED, circumstance=Circumstance.THROTTLED),
            "429 in a burst": seen(GOOD, THROTTLED, circumstance=Circumstance.FLOODED),
            "served afterwards": recovered(OK),
        },
        "breaks": {
            "served": seen(GOOD, OK, circumstance=Circumstance.THROTTLED),
            "503": seen(GOOD, plain(503), circumstance=Circumstance.THROTTLED),
            "nameless": seen(GOOD, plain(429), circumstance=Circumstance.THROTTLED),
            "a burst is too much": seen(GOOD, plain(503), circumstance=Circumstance.FLOODED),
            "throttled for ever": recovered(THROTTLED),
        },
        "leaves": {
            "served in a burst": seen(GOOD, OK, circumstance=Circumstance.FLOODED),
            "recovered from something else": recovered(NOT_FOUND, Circumstance.STOPPED),
            "an ordinary throttle": seen(GOOD, THROTTLED),
        },
    },
    "a-bad-signature-is-refused": in_state(
        Circumstance.BADLY_SIGNED,
        {"403": DENIED, "401": plain(401), "400": INVALID, "without a body": empty(403)},
        {"served": OK, "202": empty(202), "404": NOT_FOUND, "500": plain(500), "redirected": empty(302)},
    ),
    "a-good-signature-is-taken": in_state(
        Circumstance.SIGNED, {"served": OK}, {"403": DENIED, "400": INVALID, "not answered": LOST, "202": empty(202)}
    ),
    "the-sdk-reads-a-whole-result": {
        "keeps": {"classified": seen(GOOD, OK), "segmented": seen(SEGMENT, SEGMENTED)},
        "breaks": {
            "a number for the decision": seen(GOOD, succeeded(IsAnomalous=1)),
            "a string for the confidence": seen(GOOD, succeeded(Confidence="0.5")),
            "an empty page": seen(GOOD, plain(200, b"<h1>fine</h1>")),
            "a wrapper in lower case": seen(GOOD, said(200, {"detectAnomalyResult": {"IsAnomalous": True}})),
            "a mask that is no base64": seen(SEGMENT, segmented(mask="-_-_")),
        },
        "leaves": {"refused": seen(BAD_TYPE, INVALID), "not answered": seen(GOOD, LOST)},
    },
    "the-sdk-raises-the-modelled-exception": {
        "keeps": {
            "named in the header": seen(BAD_TYPE, INVALID),
            "named in the body": seen(BAD_TYPE, error(400, None, __type="x#ValidationException")),
            "throttled": seen(GOOD, THROTTLED),
        },
        "breaks": {
            "a date in Retry-After": seen(
                GOOD, error(429, "ThrottlingException", (b"Retry-After", b"Wed, 21 Oct 2026 07:28:00 GMT"))
            ),
            "a name of nobody's": seen(GOOD, error(400, "BadRequest")),
            "no name": seen(GOOD, error(400, None)),
            "a name that is a list": seen(GOOD, error(400, None, code=["ValidationException"])),
        },
        "leaves": {
            "a gate-keeper's name": seen(GOOD, error(403, "InvalidSignatureException")),
            "below the operation": seen(ELSEWHERE, HTML),
            "served": seen(GOOD, OK),
        },
    },
    "every-request-is-answered": {
        "keeps": {
            "answered": seen(GOOD, OK),
            "refused": seen(BAD_TYPE, INVALID),
            "lost once": seen(GOOD, OK, lost=(LOST,)),
            "500": seen(GOOD, plain(500)),
        },
        "breaks": {
            "never": seen(GOOD, LOST, lost=(LOST,)),
            "never, and not tried again": seen(GOOD, LOST),
            "lost twice": seen(GOOD, OK, lost=(CLOSED, CLOSED)),
            "closed on a bad type": seen(BAD_TYPE, CLOSED, lost=(CLOSED,)),
            "closed on a bad path": seen(post(path("%00")), CLOSED, lost=(CLOSED,)),
            "closed on another method": seen(post(method="DETECT"), CLOSED, lost=(CLOSED,)),
            "closed on a cookie": seen(post(path(), ("Cookie", "a=b")), CLOSED, lost=(CLOSED,)),
        },
        "leaves": {
            "closed on nonsense": seen(NONSENSE, CLOSED, lost=(CLOSED,)),
            "cut short": seen(GOOD, NoAnswer(Silence.ABORTED), Delivery.ABORT),
        },
    },
    "answers-are-proper-messages": {
        "keeps": {"proper": seen(GOOD, OK), "ended by closing": seen(GOOD, replace(OK, closes=True))},
        "breaks": {"stray bytes": seen(GOOD, replace(OK, faults=("7 bytes follow the answer",)))},
        "leaves": {
            "not answered": seen(GOOD, LOST),
            "to nonsense": seen(NONSENSE, replace(OK, faults=("7 bytes follow the answer",))),
        },
    },
    "the-next-request-is-answered-as-alone": {
        "keeps": {"served": after(OK), "after an error": after(OK, seen(BAD_TYPE, INVALID))},
        "breaks": {"refused": after(INVALID), "not answered": after(LOST, seen(BAD_TYPE, INVALID))},
        "leaves": {
            "throttled": after(THROTTLED),
            "alone": ALONE,
            "never served": seen(GOOD, INVALID, before=OTHER_ALONE, alone=seen(GOOD, INVALID)),
        },
    },
    "an-answer-owes-nothing-to-the-one-before": {
        "keeps": {
            "served": after(OK),
            "unsteady by itself": after(DOUBTFUL, seen(OTHER_PICTURE, DOUBTFUL)),
            "other confidence, not the neighbour's": seen(
                GOOD, succeeded(Confidence=0.7), before=often(OTHER_PICTURE, DOUBTFUL), alone=often(GOOD, SURE)
            ),
        },
        "breaks": {
            "another model's": after(SEGMENTED),
            "another status": after(INVALID),
            "another's mask": after(segmented(mask=mask(size=(50, 60))), ALONE, SEGMENT, SEGMENTED),
            "another's decision": seen(GOOD, DOUBTFUL, before=often(OTHER_PICTURE, DOUBTFUL), alone=often(GOOD, SURE)),
        },
        "leaves": {"alone": ALONE, "throttled": after(THROTTLED)},
    },
    "an-answer-owes-nothing-to-those-beside-it": {
        "keeps": {"served": among(OK)},
        "breaks": {
            "another model's": among(SEGMENTED),
            "another status": among(error(500, "InternalServerException")),
            "another's mask": among(segmented(mask=mask(size=(50, 60))), SEGMENT, SEGMENTED, ALONE),
            "another's decision": seen(
                GOOD, DOUBTFUL, beside=(often(OTHER_PICTURE, DOUBTFUL),), alone=often(GOOD, SURE)
            ),
        },
        "leaves": {"alone": ALONE, "throttled": among(THROTTLED)},
    },
    "the-path-picks-the-model": {
        "keeps": {"served": among(OK), "after the other": after(OK)},
        "breaks": {"the other's": among(SEGMENTED), "the one before": after(SEGMENTED)},
        "leaves": {"same model near": among(OK, near=ALONE), "throttled": among(THROTTLED)},
    },
}
ROWS = list(_rows())


def outcome(rule: str, exchange: Exchange) -> str:
    """What the judge notes of one rule on one exchange."""
    (verdict,) = judge([exchange], [JUDGING[rule]])
    assert verdict.error == ""
    return ("breaks" if verdict.breached else "keeps") if verdict.judged else "leaves"


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.outcome}-{row.words}" for row in ROWS])
def test_a_rule_sees_what_it_should(row: Row) -> None:
    """A rule keeps quiet, finds something, or does not judge, as the contract has it."""
    assert row.outcome == outcome(row.rule, row.exchange)


def test_every_rule_has_its_rows() -> None:
    """Each rule that can find something is in the table, with an exchange that it passes and one that it does not."""
    assert set(JUDGING) == set(TABLE)
    for rule, outcomes in TABLE.items():
        assert outcomes["keeps"], rule
        assert outcomes["breaks"], rule


def breached(exchange: Exchange, *levels: Level) -> set[str]:
    """The clauses of these levels that any rule finds broken."""
    verdicts = judge([exchange], RULES)
    assert [verdict.error for verdict in verdicts if verdict.error] == []
    found = {verdict.rule.clause for verdict in verdicts if verdict.breached}
    return {clause for clause in found if catalogue().clauses[clause].level in levels}


ASKED = {
    "good": GOOD,
    "segmentation": SEGMENT,
    "another route": ELSEWHERE,
    "another method": post(method="PUT"),
    "unknown project": UNKNOWN,
    "missing project": post(path("nobody")),
    "missing version": post(path(version="7")),
    "stopped": post(path("boards")),
    "bad project": BAD_PROJECT,
    "bad version": post(path(version="0")),
    "bad path": post(path("a%2Fb")),
    "bad type": BAD_TYPE,
    "no type": post(content_type=None),
    "long type": post(content_type=LONG_TYPE),
    "empty": EMPTY,
    "text": TEXT,
    "too narrow": TOO_NARROW,
    "narrowest": NARROWEST,
    "grey": post(body=picture(mode="L")),
    "chunked": CHUNKED,
    "query": post(path() + "?x=1"),
    "nonsense": NONSENSE,
}


@pytest.mark.parametrize("request_", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    "answer", [THROTTLED, error(429, "ThrottlingException")], ids=["with Retry-After", "without Retry-After"]
)
def test_a_well_formed_throttle_is_never_a_breach(request_: Request, answer: Response) -> None:
    """Wherever a well-formed 429 comes, nobody is blamed for it and nothing is remarked."""
    assert set() == breached(seen(request_, answer), Level.MUST, Level.SHOULD)


def test_a_throttle_on_a_connection_is_no_breach() -> None:
    """Nor is it one after or beside another request."""
    for exchange in (after(THROTTLED), among(THROTTLED), after(THROTTLED, seen(GOOD, THROTTLED))):
        assert set() == breached(exchange, Level.MUST, Level.SHOULD)


EVERYTHING = post("/2020-11-20/projects/-/models/0/detect", body=b"", content_type="text/plain")
UNKNOWN_AND_BAD_TYPE = post(path("unheard-of"), content_type="text/plain")
UNKNOWN_AND_EMPTY = post(path("unheard-of"), body=b"")
UNKNOWN_VERSION_AND_TEXT = post(path(version="8"), body=b"text")
TRAILING = post(path() + "/")

LAWFUL = {
    "served": seen(GOOD, OK),
    "segmented": seen(SEGMENT, SEGMENTED),
    "unknown project and bad type, 404": seen(UNKNOWN_AND_BAD_TYPE, NOT_FOUND),
    "unknown project and bad type, 400": seen(UNKNOWN_AND_BAD_TYPE, INVALID),
    "unknown project and bad type, 403": seen(UNKNOWN_AND_BAD_TYPE, DENIED),
    "unknown project and empty body, 404": seen(UNKNOWN_AND_EMPTY, NOT_FOUND),
    "unknown version and no image, 404": seen(UNKNOWN_VERSION_AND_TEXT, NOT_FOUND),
    "missing version and bad type, 404": seen(post(path(version="7"), content_type="text/plain"), NOT_FOUND),
    "missing project and bad type, 404": seen(post(path("nobody"), content_type="text/plain"), NOT_FOUND),
    "stopped and bad type, 409": seen(post(path("boards"), content_type="text/plain"), CONFLICT),
    "unknown project, 403": seen(UNKNOWN, DENIED),
    "unknown project, 404": seen(UNKNOWN, NOT_FOUND),
    "several faults, 400": seen(EVERYTHING, INVALID),
    "several faults, route and body, 404": seen(post("/elsewhere", body=b""), HTML),
    "several faults, path and type, 404": seen(post(path("a%2Fb"), content_type="text/plain"), HTML),
    "too heavy text, 413": seen(post(body=bytes(1_200_001)), plain(413)),
    "too heavy text, 400": seen(post(body=bytes(1_200_001)), INVALID),
    "narrow and of a bad type, 400": seen(post(body=picture(size=(63, 99)), content_type="text/plain"), INVALID),
    "trailing slash served": seen(TRAILING, OK),
    "trailing slash redirected": seen(TRAILING, empty(308)),
    "trailing slash not found": seen(TRAILING, HTML),
    "trailing slash and bad type, 404": seen(post(path() + "/", content_type="text/plain"), HTML),
    "query refused": seen(post(path() + "?x=1"), INVALID),
    "absolute form refused": seen(post("http://a" + path()), plain(400)),
    "type in upper case refused": seen(post(content_type="IMAGE/PNG"), INVALID),
    "type in upper case taken": seen(post(content_type="IMAGE/PNG"), OK),
    "jpg refused": seen(post(body=JPEG, content_type="image/jpg"), INVALID),
    "two types refused": seen(post(path(), ("Content-Type", "image/png")), INVALID),
    "chunks taken": seen(CHUNKED, OK),
    "chunks refused": seen(CHUNKED, plain(411)),
    "mismatch refused": seen(post(content_type="image/jpeg"), INVALID),
    "mismatch taken": seen(post(content_type="image/jpeg"), OK),
    "damaged image taken": seen(post(body=PNG[:-20]), OK),
    "damaged image refused": seen(post(body=PNG[:-20]), INVALID),
    "empty body without length, 411": seen(post(body=b"", length=False), plain(411)),
    "HEAD answered 200": seen(post(method="HEAD", body=b""), Response(200, HEADERS)),
    "OPTIONS answered 204": seen(post(method="OPTIONS", body=b""), empty(204)),
    "unknown method, 501": seen(post(method="DETECT"), plain(501)),
    "expectation failed": seen(post(path(), ("Expect", "100-continue")), plain(417), Delivery.AWAIT_CONTINUE),
    "another route, 401": seen(ELSEWHERE, plain(401)),
    "nulls": seen(GOOD, succeeded(Source=None, Anomalies=None, AnomalyMask=None)),
    "extra members and headers": seen(GOOD, replace(succeeded(Extra=[1]), headers=(*HEADERS, (b"X-Extra", b"1")))),
    "anomalous with background alone": seen(SEGMENT, replace(only(1), body=only(1).body.replace(b"false", b"true"))),
    "version 1.0 of HTTP": seen(GOOD, replace(OK, version=b"HTTP/1.0", closes=True)),
    "error in the body alone": seen(BAD_TYPE, error(400, None, code="ValidationException")),
    "error with more members": seen(BAD_TYPE, error(400, "ValidationException", fieldList=[], requestId="1")),
    "conflict about a version": seen(post(path(version="9999999999")), CONFLICT),
}


@pytest.mark.parametrize("exchange", LAWFUL.values(), ids=LAWFUL)
def test_what_the_contract_allows_breaches_nothing(exchange: Exchange) -> None:
    """No rule of any MUST clause finds anything in what the contract leaves open or allows."""
    assert set() == breached(exchange, Level.MUST)


UNLAWFUL = {
    "bad project, 404": (seen(BAD_PROJECT, NOT_FOUND), {"project.pattern"}),
    "bad project and bad type, 404": (
        seen(post(path("-"), content_type="text/plain"), NOT_FOUND),
        {"project.pattern", "content-type.values"},
    ),
    "bad version of a known project, 404": (seen(post(path(version="0")), NOT_FOUND), {"version.pattern"}),
    "bad type on a running model, 403": (seen(BAD_TYPE, DENIED), {"content-type.values"}),
    "bad type on a running model, 415": (seen(BAD_TYPE, plain(415)), {"content-type.values"}),
    "empty project, ill-formed 404": (seen(post(path("")), HTML), {"project.length"}),
    "empty version, ill-formed 404": (seen(post(path(version="")), HTML), {"version.length"}),
    "good name called invalid": (seen(UNKNOWN, INVALID), {"project.accepted"}),
    "served in spite of several faults": (
        seen(EVERYTHING, OK),
        {"project.pattern", "version.pattern", "content-type.values", "body.required"},
    ),
    "mask of another size": (seen(SEGMENT, segmented(mask=mask(size=(50, 100)))), {"mask.size"}),
    "server error for a damaged image": (seen(post(body=PNG[:-20]), plain(500)), {"error.blame"}),
    "server error for a query": (seen(post(path() + "?x=1"), plain(500)), {"error.blame"}),
    "silence on a damaged image": (seen(post(body=PNG[:-20]), LOST, lost=(LOST,)), {"http.answered"}),
    "silence on chunks": (seen(CHUNKED, CLOSED, lost=(CLOSED,)), {"http.answered"}),
}


@pytest.mark.parametrize(("exchange", "clauses"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_what_the_contract_forbids_is_found(exchange: Exchange, clauses: set[str]) -> None:
    """The MUST clauses that an exchange breaches are among those that the rules name."""
    assert clauses <= breached(exchange, Level.MUST)
