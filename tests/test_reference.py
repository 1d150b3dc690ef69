"""The reference: what the documents say, tried on the app, the detector and the server."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from conformance.reference import detector
from conformance.reference.app import (
    DEMO,
    ERRORS,
    HANGUP,
    HONEST,
    SILENCE,
    Behaviour,
    Call,
    Model,
    Reason,
    Reply,
    answer,
    respond,
)
from conformance.reference.server import Session, running

CLASSIFY = "/2020-11-20/projects/cookies/models/1/detect"
SEGMENT = "/2020-11-20/projects/circuits/models/2/detect"


def picture(size: tuple[int, int] = (96, 80), scratch: int | None = None) -> Image.Image:
    """A plain plate, with a scratch of that grey level across it."""
    image = Image.new("RGB", size, (150, 140, 130))
    if scratch is not None:
        ImageDraw.Draw(image).line((10, 12, size[0] - 20, 40), fill=(scratch,) * 3, width=3)
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PLAIN = encoded(picture())
SCRATCHED = encoded(picture(scratch=10))


def call(target: str = CLASSIFY, body: bytes = PLAIN, types: tuple[str, ...] = ("image/png",), **parts: Any) -> Call:
    headers = ((b"Host", b"x"), *((b"Content-Type", value.encode("latin-1")) for value in types))
    return Call(b"POST", target.encode("latin-1"), headers, body, **parts)


def error_of(reply: Reply) -> tuple[int, str]:
    assert json.loads(reply.body)["Message"]
    return reply.status, dict(reply.headers)["x-amzn-ErrorType"]


def result_of(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200
    result = json.loads(reply.body)["DetectAnomalyResult"]
    assert isinstance(result, dict)
    return result


def request(
    target: str = CLASSIFY, body: bytes = PLAIN, *headers: str, method: str = "POST", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Content-Type: image/png", f"Content-Length: {size}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n((?:[^\r]+\r\n)*)\r\n")


def answers(wire: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer in turn, nothing being left over."""
    found = []
    while wire:
        head = ANSWER.match(wire)
        assert head, wire[:200]
        length = re.search(rb"Content-Length: (\d+)", head[2])
        end = head.end() + (int(length[1]) if length else 0)
        assert len(wire) >= end
        found.append((int(head[1]), wire[head.end() : end]))
        wire = wire[end:]
    return found


def statuses(wire: bytes) -> list[int]:
    return [status for status, _ in answers(wire)]


class TestDetector:
    """Images in, decisions and masks out."""

    @pytest.mark.parametrize(("level", "name"), [(10, "dark"), (250, "bright")])
    def test_a_scratch_is_found_where_it_is(self, level: int, name: str) -> None:
        detection = detector.inspect(picture((256, 192), level), segments=True)
        assert detection.is_anomalous
        assert [region.name for region in detection.regions] == ["background", name]
        assert detection.mask is not None
        assert detection.mask.getpixel((10, 12)) == detection.regions[1].colour
        assert detection.mask.getpixel((200, 150)) == (255, 255, 255)

    @pytest.mark.parametrize(
        "image",
        [
            picture(),
            Image.effect_noise((256, 192), 20),
            Image.linear_gradient("L"),
            Image.new("L", (64, 64), 0),
            Image.new("L", (64, 64), 255),
        ],
        ids=["plain", "noise", "gradient", "black", "white"],
    )
    def test_an_even_image_is_normal(self, image: Image.Image) -> None:
        detection = detector.inspect(image, segments=True)
        assert not detection.is_anomalous
        assert [(region.name, region.area) for region in detection.regions] == [("background", 1.0)]

    def test_the_confidence_is_in_the_decision(self) -> None:
        """A plainly normal image has a high one too."""
        assert detector.inspect(picture(), segments=False).confidence > 0.9
        assert detector.inspect(picture(scratch=0), segments=False).confidence > 0.9

    @pytest.mark.parametrize("size", [(64, 64), (97, 65), (1023, 777), (513, 64)])
    def test_areas_are_the_shares_of_the_mask(self, size: tuple[int, int]) -> None:
        detection = detector.inspect(picture(size, scratch=0), segments=True)
        assert detection.mask is not None
        assert detection.mask.size == size
        pixels = {colour: count for count, colour in detection.mask.getcolors() or []}
        shares = {region.colour: region.area for region in detection.regions}
        assert {c: detector.float32(n / (size[0] * size[1])) for c, n in pixels.items()} == shares
        assert sum(shares.values()) == pytest.approx(1)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "YCbCr"])
    def test_every_mode_is_looked_at(self, mode: str) -> None:
        image = picture((128, 128), scratch=0)
        deep = {"I": 256, "I;16": 256}.get(mode)
        if deep:
            image = image.convert("I").point(lambda level: level * 256.0)
        elif mode == "1":
            image = image.point(lambda level: 255 if level > 100 else 0)
        assert detector.inspect(image.convert(mode), segments=True).is_anomalous


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class TestSuccess:
    """The 200 of both kinds of model."""

    def test_classification_has_three_members(self) -> None:
        result = result_of(answer(call(body=SCRATCHED)))
        assert list(result) == ["Source", "IsAnomalous", "Confidence"]
        assert result["Source"] == {"Type": "direct"}
        assert result["IsAnomalous"] is True
        assert 0 <= result["Confidence"] <= 1

    def test_segmentation_has_a_mask_of_the_images_size(self) -> None:
        result = result_of(answer(call(SEGMENT, SCRATCHED)))
        mask = Image.open(io.BytesIO(base64.b64decode(result["AnomalyMask"], validate=True)))
        assert (mask.format, mask.mode, mask.size) == ("PNG", "RGB", (96, 80))
        background, dark = result["Anomalies"]
        assert background["Name"] == "background"
        assert background["PixelAnomaly"]["Color"] == "#FFFFFF"
        assert dark["PixelAnomaly"]["Color"] == "#23A436"
        assert dark["PixelAnomaly"]["TotalPercentageArea"] > 0

    def test_a_normal_image_has_a_mask_too(self) -> None:
        result = result_of(answer(call(SEGMENT)))
        assert [anomaly["Name"] for anomaly in result["Anomalies"]] == ["background"]
        assert result["AnomalyMask"].startswith("iVBORw0KGgo")

    def test_every_answer_has_the_house_headers(self) -> None:
        names = ["Content-Type", "x-amzn-RequestId", "Date"]
        assert [name for name, _ in answer(call()).headers] == names
        assert [name for name, _ in answer(call("/")).headers] == [*names, "x-amzn-ErrorType"]


class TestPath:
    """From the raw target to the labels."""

    @pytest.mark.parametrize(
        "target",
        [
            CLASSIFY,
            CLASSIFY + "?x=/a/b",
            "/2020-11-20/projects/%63ookies/models/%31/detect",
            "/2020-11-20/%70rojects/cookies/models/1/dete%63t",
            "/2020-11-20/projects/cookies/models/latest/detect",
            "http://host:80" + CLASSIFY,
            "HTTPS://host" + CLASSIFY + "?q",
        ],
    )
    def test_other_spellings_of_the_path_are_served(self, target: str) -> None:
        assert answer(call(target)).status == 200

    @pytest.mark.parametrize(
        "target",
        [
            "/",
            "*",
            "http://host",
            CLASSIFY + "/",
            "/" + CLASSIFY,
            CLASSIFY.replace("/detect", "//detect"),
            CLASSIFY.replace("2020-11-20", "2020-11-21"),
            CLASSIFY.replace("projects", "Projects"),
            CLASSIFY.replace("/models", ""),
            CLASSIFY + "%20",
            "/2020-11-20/projects/x/../cookies/models/1/detect",
            "/2020http://x-11-20/projects/cookies/models/1/detect",
            "http:/" + CLASSIFY,
        ],
    )
    def test_other_paths_are_no_operation(self, target: str) -> None:
        assert error_of(answer(call(target))) == (404, "UnknownOperationException")

    @pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"BREW"])
    def test_other_methods_are_not_allowed(self, method: bytes) -> None:
        reply = answer(replace(call(), method=method))
        assert reply.status == 405
        assert dict(reply.headers)["Allow"] == "POST"

    @pytest.mark.parametrize(
        "label",
        ["a%2Fb", "%2f", ".", "..", "%2e%2E", "%2E.", "a%00", "a%", "a%4", "a%zz", "%ff", "%C0%AF", "%ED%A0%80"],
    )
    def test_an_ambiguous_label_is_refused(self, label: str) -> None:
        """Whether it is the project's or the version's."""
        for target in (CLASSIFY.replace("cookies", label), CLASSIFY.replace("models/1", f"models/{label}")):
            assert error_of(answer(call(target))) == (400, "ValidationException")

    @pytest.mark.parametrize(
        "name",
        ["", "_a", "-a", "a.b", "a b", "a%0A", "%0Aa", "%C3%A9", "%D9%A1", "%EF%BD%81", "a+b", "a%252Fb", "a" * 256],
    )
    def test_projects_outside_the_pattern_are_invalid(self, name: str) -> None:
        assert error_of(answer(call(CLASSIFY.replace("cookies", name)))) == (400, "ValidationException")

    @pytest.mark.parametrize("name", ["a", "9", "A_-", "a" * 255, "nobody"])
    def test_projects_inside_the_pattern_may_not_exist(self, name: str) -> None:
        reply = answer(call(CLASSIFY.replace("cookies", name)))
        assert error_of(reply) == (404, "ResourceNotFoundException")
        body = json.loads(reply.body)
        assert (body["ResourceId"], body["ResourceType"]) == (name, "PROJECT")

    @pytest.mark.parametrize(
        "version", ["", "0", "01", "-1", "1.0", "Latest", "latest1", "1%0A", "%D9%A1", "12345678901", "latestlatest"]
    )
    def test_versions_outside_the_pattern_are_invalid(self, version: str) -> None:
        assert error_of(answer(call(CLASSIFY.replace("models/1", f"models/{version}")))) == (400, "ValidationException")

    @pytest.mark.parametrize("version", ["2", "2147483648", "9999999999"])
    def test_versions_inside_the_pattern_may_not_exist(self, version: str) -> None:
        reply = answer(call(CLASSIFY.replace("models/1", f"models/{version}")))
        assert error_of(reply) == (404, "ResourceNotFoundException")
        body = json.loads(reply.body)
        assert (body["ResourceId"], body["ResourceType"]) == (f"cookies/{version}", "MODEL")

    @pytest.mark.parametrize("version", ["1", "latest"])
    def test_a_stopped_model_is_a_conflict(self, version: str) -> None:
        reply = answer(call(f"/2020-11-20/projects/boards/models/{version}/detect", b"", ()))
        assert error_of(reply) == (409, "ConflictException")
        assert json.loads(reply.body)["ResourceType"] == "MODEL"

    def test_latest_is_the_highest_version(self) -> None:
        store = (Model("cookies", 9), Model("cookies", 10, segments=True), *DEMO)
        assert HONEST.find_model(store, "cookies", "latest").version == 10


class TestContentType:
    """The header of the request."""

    @pytest.mark.parametrize(
        "types",
        [
            ("image/png",),
            ("image/jpeg",),
            ("IMAGE/PNG",),
            ("image/png; charset=utf-8",),
            ("image/png", "image/png"),
            ("image/png;" + "a" * 245,),
        ],
    )
    def test_png_and_jpeg_are_taken(self, types: tuple[str, ...]) -> None:
        assert answer(call(types=types)).status == 200

    @pytest.mark.parametrize(
        "types",
        [
            (),
            ("",),
            ("image/gif",),
            ("image/jpg",),
            ("image/pngx",),
            ("application/octet-stream",),
            ("image/png, image/png",),
            ("\xe9",),
            ("image/png", "image/jpeg"),
            ("image/png;" + "a" * 246,),
        ],
    )
    def test_anything_else_is_invalid(self, types: tuple[str, ...]) -> None:
        assert error_of(answer(call(types=types))) == (400, "ValidationException")


PNG_MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]
SOUND = {
    **{f"PNG {mode}": encoded(picture().convert("L" if mode == "I;16" else mode).convert(mode)) for mode in PNG_MODES},
    **{f"JPEG {mode}": encoded(picture().convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")},
    "PNG of 4 colours": encoded(picture(scratch=0).quantize(4), bits=2),
    "PNG L with a clear level": encoded(picture().convert("L"), transparency=142),
    "PNG RGB with a clear colour": encoded(picture(), transparency=(150, 140, 130)),
    "PNG P with clear entries": encoded(picture(scratch=0).quantize(4), transparency=bytes([0, 100, 200])),
    "PNG with a profile": encoded(picture(), icc_profile=b"no profile", dpi=(72, 72)),
    "progressive JPEG": encoded(picture(), "JPEG", progressive=True),
}
GIANT = bytearray(PLAIN)
GIANT[16:24] = (30000).to_bytes(4, "big") * 2
UNSOUND = {
    "nothing": b"",
    "text": b"hello",
    "GIF": encoded(picture(), "GIF"),
    "BMP": encoded(picture(), "BMP"),
    "base64": base64.b64encode(PLAIN),
    "PNG signature": PLAIN[:8],
    "half a PNG": encoded(Image.effect_noise((96, 80), 90))[:3000],
    "half a JPEG": encoded(Image.effect_noise((96, 80), 90), "JPEG")[:1500],
    "giant header": bytes(GIANT),
    "too narrow": encoded(picture((63, 64))),
    "too tall": encoded(picture((64, 4097))),
}


class TestBody:
    """The image of the request."""

    @pytest.mark.parametrize("body", SOUND.values(), ids=SOUND)
    def test_every_kind_of_png_and_jpeg_is_taken(self, body: bytes) -> None:
        mask = base64.b64decode(result_of(answer(call(SEGMENT, body)))["AnomalyMask"])
        assert not re.search(rb"tRNS|iCCP|pHYs|PLTE", mask)
        assert answer(call(CLASSIFY, body, ("image/jpeg",))).status == 200

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.parametrize("body", UNSOUND.values(), ids=UNSOUND)
    def test_everything_else_is_invalid(self, body: bytes) -> None:
        assert error_of(answer(call(SEGMENT, body))) == (400, "ValidationException")

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("body", [SCRATCHED, SOUND["PNG P"], SOUND["JPEG RGB"]], ids=["png", "palette", "jpeg"])
    def test_no_damage_is_our_fault(self, body: bytes) -> None:
        """Each byte flipped in turn, and each length."""
        for position in range(0, len(body), 3):
            flipped = body[:position] + bytes([body[position] ^ 0xFF]) + body[position + 1 :]
            assert answer(call(SEGMENT, flipped)).status in (200, 400)
            assert answer(call(SEGMENT, body[:position])).status in (200, 400)


class TestBehaviour:
    """The seams that mutants use."""

    def test_a_crash_is_a_well_formed_fault(self, caplog: pytest.LogCaptureFixture) -> None:
        def crash(_body: bytes) -> bool:
            raise RuntimeError("a secret")

        reply = answer(call(), replace(HONEST, body_length=crash))
        assert error_of(reply) == (500, "InternalServerException")
        assert b"secret" not in reply.body
        assert "a secret" in caplog.text

    def test_every_reason_has_an_error(self) -> None:
        assert set(ERRORS) == set(Reason)

    def test_finish_sees_the_answer_before_it_is_measured(self) -> None:
        shouting = replace(HONEST, finish=lambda _call, reply: replace(reply, body=reply.body + b"!!!"))
        [(status, body)] = answers(Session(shouting).receive(request()))
        assert (status, body[-3:]) == (200, b"!!!")

    def test_memory_outlives_the_request_or_the_connection(self) -> None:
        def counting(where: Callable[[Call], dict[str, Any]]) -> Behaviour:
            def finish(call: Call, reply: Reply) -> Reply:
                seen = where(call)["seen"] = where(call).get("seen", 0) + 1
                return replace(reply, status=seen)

            return replace(HONEST, finish=finish)

        shared: dict[str, Any] = {}
        first, second = (Session(counting(lambda call: call.server), server=shared) for _ in range(2))
        assert first.receive(request()).startswith(b"HTTP/1.1 1 ")
        assert second.receive(request()).startswith(b"HTTP/1.1 2 ")
        first, second = (Session(counting(lambda call: call.connection), server=shared) for _ in range(2))
        assert first.receive(request()).startswith(b"HTTP/1.1 1 ")
        assert first.receive(request()).startswith(b"HTTP/1.1 2 ")
        assert second.receive(request()).startswith(b"HTTP/1.1 1 ")

    def test_a_server_may_hang_up_or_be_silent(self) -> None:
        leaving = Session(replace(HONEST, render=lambda _call, _reply: HANGUP))
        assert (leaving.receive(request()), leaving.closed) == (b"", True)
        silent = Session(replace(HONEST, render=lambda _call, _reply: SILENCE))
        assert (silent.receive(request()), silent.closed, silent.silent) == (b"", False, True)
        assert silent.receive(request()) == b""

    def test_an_unread_body_is_the_next_request(self) -> None:
        leaky = Session(replace(HONEST, unread=lambda call, _reply: call.body))
        assert statuses(leaky.receive(request())) == [200, 400]
        assert leaky.closed


SPLICES = [
    *(b"\r\n", b"\n", b"\r", b"\r\n ", b": ", b" ", b"%", b"%00", b"%2f", b"/", b"?", b"\x00", b"\xff", b"99999999999"),
    *(b"\r\nTransfer-Encoding: chunked", b"\r\nContent-Length: 9", b"\r\nExpect: 100-continue", b"\r\nHost: y"),
    *(b"\r\nUpgrade: h2c", b"\r\nConnection: close", b"CONNECT", b"HTTP/1.0", b"\r\n\r\n"),
]


class TestSession:
    """HTTP without a socket."""

    def test_an_answer_is_whole(self) -> None:
        session = Session()
        [(status, body)] = answers(session.receive(request(SEGMENT, SCRATCHED)))
        assert status == 200
        assert json.loads(body)["DetectAnomalyResult"]["IsAnomalous"] is True
        assert not session.closed
        assert session.idle

    def test_bytes_may_come_one_by_one(self) -> None:
        session = Session()
        wire = b"".join(session.receive(bytes([byte])) for byte in b"\r\n" + request())
        assert statuses(wire) == [200]

    def test_pipelined_requests_are_answered_in_order(self) -> None:
        wire = Session().receive(request() + request("/") + request(body=b"") + request(method="GET") + request())
        assert statuses(wire) == [200, 404, 400, 405, 200]

    def test_a_head_answer_has_no_body(self) -> None:
        wire = Session().receive(request(method="HEAD"))
        assert wire.startswith(b"HTTP/1.1 405 ")
        assert wire.endswith(b"\r\n\r\n")

    def test_chunks_are_taken(self) -> None:
        head = request(CLASSIFY, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(PLAIN[i : i + 50]), PLAIN[i : i + 50]) for i in range(0, 300, 50))
        rest = b"%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (len(PLAIN[300:]), PLAIN[300:]) if PLAIN[300:] else b"0\r\n\r\n"
        assert statuses(Session().receive(head + chunks.replace(b"0;a=b\r\n\r\n", b"") + rest)) == [200]

    def test_continue_is_said_to_a_client_that_waits(self) -> None:
        session = Session()
        head, body = request(CLASSIFY, b"", "Expect: 100-Continue", length=len(PLAIN)), PLAIN
        assert session.receive(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert statuses(session.receive(body)) == [200]
        assert statuses(session.receive(head + body)) == [200]

    def test_continue_is_not_said_before_a_refusal(self) -> None:
        session = Session()
        assert statuses(session.receive(request(CLASSIFY, b"", "Expect: 100-continue", length=2**23 + 1))) == [413]
        assert session.closed

    def test_other_expectations_fail(self) -> None:
        session = Session()
        assert statuses(session.receive(request(CLASSIFY, PLAIN, "Expect: tea"))) == [417]
        assert session.closed

    def test_a_body_at_the_limit_is_read(self) -> None:
        session = Session()
        assert statuses(session.receive(request(CLASSIFY, bytes(2**23)))) == [400]
        assert not session.closed

    def test_chunks_past_the_limit_are_refused_on_the_way(self) -> None:
        session = Session()
        session.receive(request(CLASSIFY, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        assert session.receive(b"800000\r\n" + bytes(2**23) + b"\r\n") == b""
        assert statuses(session.receive(b"1\r\nx")) == [413]
        assert session.closed

    def test_heads_are_taken_up_to_the_limit(self) -> None:
        room = 16 * 1024 - len(request(CLASSIFY, b"", "X: ", length=len(PLAIN)))
        assert statuses(Session().receive(request(CLASSIFY, PLAIN, "X: " + "a" * room))) == [200]
        session = Session()
        assert statuses(session.receive(request(CLASSIFY, PLAIN, "X: " + "a" * (room + 1)))) == [431]
        assert session.closed
        assert statuses(Session().receive(request("/" + "a" * 70000))) == [431]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"POST", b"post"),
            (b"POST ", b"POST  "),
            (b" HTTP/1.1", b" HTTP/2.0"),
            (b" HTTP/1.1", b""),
            (b"/2020", b"/\xff2020"),
            (b"Host: x\r\n", b""),
            (b"Host: x\r\n", b"Host: x\r\nHost: x\r\n"),
            (b"Host: x\r\n", b"Host: a/b\r\n"),
            (b"Host: x\r\n", b"Host: x\n"),
            (b"Host: x\r\n", b"Host : x\r\n"),
            (b"Host: x\r\n", b"Host: x\r\nA: b\r\n c\r\n"),
            (b"Host: x\r\n", b"Host: x\r\nA: \x1b\r\n"),
            (b"Host: x\r\n", b"Host: x\r\nA: \x00\r\n"),
            (b"Host: x\r\n", b"Host: x\r\nContent-Length: 1\r\n"),
            (b"Host: x\r\n", b"Host: x\r\nTransfer-Encoding: chunked\r\n"),
            (b"Content-Length: ", b"Content-Length: +"),
            (b"Content-Length: ", b"Transfer-Encoding: gzip\r\nX: "),
            (b"Content-Length: ", b"Transfer-Encoding: chunked\r\nX: "),
            (b"\r\n", b"\n"),
            (b"POST", b"\x16\x03\x01"),
        ],
    )
    def test_malformed_http_is_refused_and_ends_the_connection(self, old: bytes, new: bytes) -> None:
        session = Session()
        head, _, body = request().partition(b"\r\n\r\n")
        wire = session.receive((head + b"\r\n\r\n").replace(old, new) + body)
        assert statuses(wire) == [400]
        assert session.closed
        assert session.receive(request()) == b""

    def test_another_protocol_is_refused_at_its_first_bytes(self) -> None:
        assert statuses(Session().receive(b"\x16\x03\x01\x02\x00\x01")) == [400]
        assert statuses(Session().receive(b"SSH-2.0-OpenSSH\r\n")) == [400]

    def test_identical_lengths_are_one(self) -> None:
        assert statuses(Session().receive(request(CLASSIFY, PLAIN, f"Content-Length: {len(PLAIN)}"))) == [200]

    @pytest.mark.parametrize("old", [b"Host: x", b"HTTP/1.1"])
    def test_the_client_may_close(self, old: bytes) -> None:
        session = Session()
        new = b"HTTP/1.0" if old == b"HTTP/1.1" else b"Host: x\r\nConnection: TE, Close"
        wire = session.receive(request().replace(old, new))
        assert statuses(wire) == [200]
        assert b"Connection: close\r\n" in wire
        assert session.closed

    def test_half_a_request_is_refused_at_the_end(self) -> None:
        for start in (b"POST ", request()[:-1]):
            session = Session()
            assert session.receive(start) == b""
            assert statuses(session.receive_eof()) == [400]
            assert session.closed
        session = Session()
        session.receive(request())
        assert (session.receive_eof(), session.closed) == (b"", True)

    def test_a_slow_request_is_refused(self) -> None:
        session = Session()
        session.receive(request()[:-1])
        assert statuses(session.receive_timeout()) == [408]
        assert Session().receive_timeout() == b""

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(
        st.lists(
            st.tuples(st.integers(0, 200), st.integers(0, 4), st.binary(max_size=4) | st.sampled_from(SPLICES)),
            max_size=4,
        ),
        st.integers(1, 400),
    )
    def test_no_bytes_are_our_fault(self, cuts: list[tuple[int, int, bytes]], step: int) -> None:
        """Whatever is spliced into a request: whole answers, none of them a 5xx, and an end."""
        wire = request(SEGMENT, PLAIN)
        for start, length, new in cuts:
            wire = wire[:start] + new + wire[start + length :]
        session = Session()
        sent = b"".join(session.receive(wire[start : start + step]) for start in range(0, len(wire), step))
        sent += session.receive_eof()
        assert session.closed
        assert all(status < 500 for status in statuses(sent.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as base:
        yield base


def connect(base: str) -> socket.socket:
    parts = urlsplit(base)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=10)


def read_all(link: socket.socket) -> bytes:
    return b"".join(iter(lambda: link.recv(65536), b""))


def ask_for_errors(link: socket.socket, wire: bytes, count: int) -> None:
    for _ in range(count):
        link.sendall(wire)
        data = b""
        while not data.endswith(b"}"):
            data += link.recv(65536)


class TestServer:
    """The same over sockets."""

    def test_requests_share_a_connection(self, url: str) -> None:
        with closing(connect(url)) as link:
            link.sendall(request() + request("/") + request(CLASSIFY, PLAIN, "Connection: close"))
            assert statuses(read_all(link)) == [200, 404, 200]

    def test_a_refused_upload_gets_its_answer(self, url: str) -> None:
        """Although nobody reads most of it, no reset takes the answer away."""
        with closing(connect(url)) as link:
            link.sendall(request(CLASSIFY, bytes(9 * 2**20)))
            assert statuses(read_all(link)) == [413]

    def test_half_a_request_ends_nothing_else(self, url: str) -> None:
        with closing(connect(url)) as first, closing(connect(url)) as second:
            first.sendall(request()[:-5])
            second.sendall(request(SEGMENT, PLAIN, "Connection: close"))
            assert statuses(read_all(second)) == [200]
            first.shutdown(socket.SHUT_WR)
            assert statuses(read_all(first)) == [400]

    def test_no_answer_goes_to_another_request(self, url: str) -> None:
        """Sizes are the witnesses."""
        sizes = [(64 + 3 * number, 100 + number) for number in range(24)]
        seen: dict[int, tuple[int, int]] = {}

        def ask(number: int) -> None:
            with closing(connect(url)) as link:
                link.sendall(request(SEGMENT, encoded(picture(sizes[number], scratch=0)), "Connection: close"))
                [(_, body)] = answers(read_all(link))
            mask = json.loads(body)["DetectAnomalyResult"]["AnomalyMask"]
            seen[number] = Image.open(io.BytesIO(base64.b64decode(mask))).size

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(sizes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == dict(enumerate(sizes))

    def test_calls_really_run_at_the_same_time(self) -> None:
        meeting = threading.Barrier(3, timeout=5)

        def meet(_call: Call, reply: Reply) -> Reply:
            meeting.wait()
            return reply

        with running(replace(HONEST, finish=meet)) as base:
            links = [connect(base) for _ in range(3)]
            for link in links:
                link.sendall(request(CLASSIFY, PLAIN, "Connection: close"))
            assert [statuses(read_all(link)) for link in links] == [[200]] * 3
            for link in links:
                link.close()

    def test_a_slow_sender_times_out(self) -> None:
        with running(replace(HONEST, patience=0.2)) as base, closing(connect(base)) as link:
            link.sendall(request()[:-1])
            assert statuses(read_all(link)) == [408]

    def test_it_stops_whatever_the_clients_do(self) -> None:
        silent = replace(HONEST, render=lambda _call, _reply: SILENCE)
        for behaviour in (HONEST, silent):
            links = []
            with running(behaviour) as base:
                links = [connect(base) for _ in range(3)]
                links[0].sendall(request()[:-1])
                links[1].sendall(request())
                time.sleep(0.1)
            for link in links:
                link.close()

    def test_a_taken_port_is_reported(self, url: str) -> None:
        with pytest.raises(OSError, match="in use"), running(port=urlsplit(url).port or 0):
            pass

    @pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM kills outright")
    def test_it_ends_cleanly_on_a_signal(self) -> None:
        program = "from conformance.reference.server import serve_forever; serve_forever(port=0, announce=A)"
        announce = "lambda url: print(url, flush=True)"
        command = [sys.executable, "-c", program.replace("A)", announce + ")")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            with closing(connect(process.stdout.readline().strip())) as link:
                link.sendall(request(CLASSIFY, PLAIN, "Connection: close"))
                assert statuses(read_all(link)) == [200]
            process.terminate()
            _, complaints = process.communicate(timeout=10)
        assert (process.returncode, complaints) == (0, "")


def test_respond_gives_bytes_and_whether_it_closes() -> None:
    outcome = respond(call())
    assert isinstance(outcome.wire, bytes)
    assert statuses(outcome.wire) == [200]
    assert not outcome.closes
