"""HTTP archives as real recorders write them: what each of them loses, and that nobody is accused of it.

The entries are our own; their form follows Chrome's, Firefox's, mitmproxy's and Playwright's exporters.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conformance import selftest
from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.in_process import Server
from conformance.message import Request, Response
from conformance.reference.app import HONEST
from conformance.report.record import Outcome, Report
from conformance.traffic import har, recorded
from conformance.traffic.recorded import ELSEWHERE, LOST, Spoken

PATH = "/2020-11-20/projects/circuits/models/2/detect"
URL = f"http://127.0.0.1:8080{PATH}"
Entry = dict[str, Any]


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 80), "grey").save(file, "PNG")
    return file.getvalue()


PHOTOGRAPH = photograph()


def numbered(detection: Any) -> dict[str, Any]:
    return {"Source": {"Type": "direct"}, "IsAnomalous": int(detection.is_anomalous), "Confidence": 0.5}


@cache
def answered(fault: bool, body: bytes = PHOTOGRAPH) -> Response:
    """What the reference says to a photograph, or one whose decision is a number."""
    length = str(len(body))
    fields: list[tuple[str | bytes, str | bytes]] = [
        ("Host", "h"),
        ("Content-Type", "image/png"),
        ("Content-Length", length),
    ]
    behaviour = replace(HONEST, result=numbered) if fault else HONEST
    answer = Server(behaviour).open().exchange(Request.build("POST", PATH, fields, body))
    assert isinstance(answer, Response)
    return answer


def pairs(**fields: str) -> list[dict[str, str]]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in fields.items()]


def entry(request: Entry, response: Entry, **more: Any) -> Entry:
    plain = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1}
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "time": 3.5,
        "request": {"method": "POST", "url": URL, "queryString": [], **plain, **request},
        "response": {"status": 200, "statusText": "OK", "redirectURL": "", **plain, **response},
        "cache": {},
        "timings": {"send": 0, "wait": 3, "receive": 0},
        **more,
    }


def chrome(answer: bytes, body: bytes = PHOTOGRAPH) -> Entry:
    """It makes a text of what was sent, counts that, and decodes what came."""
    text = body.decode("utf-8", "replace")
    headers = pairs(Content_Type="image/png", Accept_Encoding="gzip, deflate, br, zstd", Origin="http://127.0.0.1")
    came = pairs(
        Content_Type="application/json", Content_Encoding="gzip", Content_Length=str(len(gzip.compress(answer)))
    )
    size = len(answer)
    return entry(
        {"headers": headers, "bodySize": len(text.encode()), "postData": {"mimeType": "image/png", "text": text}},
        {
            "headers": came,
            "content": {"size": size, "mimeType": "application/json", "compression": 9, "text": answer.decode()},
            "bodySize": size - 9,
            "_transferSize": size + 200,
            "_error": None,
            "_fetchedViaServiceWorker": False,
        },
        _priority="High",
        _resourceType="fetch",
    )


def chrome_blob(answer: bytes) -> Entry:
    """Of a Blob it sees nothing, and says that nothing was sent."""
    made = chrome(answer)
    del made["request"]["postData"]
    made["request"]["bodySize"] = 0
    return made


def firefox(answer: bytes) -> Entry:
    """A text of what was sent, in which bytes are lost; what came is decoded."""
    text = PHOTOGRAPH.decode("utf-8", "replace")
    headers = pairs(Content_Type="image/png", Content_Length=str(len(PHOTOGRAPH)))
    return entry(
        {
            "headers": headers,
            "bodySize": len(PHOTOGRAPH),
            "postData": {"mimeType": "image/png", "params": [], "text": text},
        },
        {
            "headers": pairs(content_type="application/json", content_encoding="br"),
            "content": {"mimeType": "application/json", "size": len(answer), "text": answer.decode()},
            "bodySize": 700,
        },
    )


def mitmproxy(answer: bytes) -> Entry:
    """Latin-1 of what was sent; what came is decoded, but its size is of what was coded."""
    coded = gzip.compress(answer)
    return entry(
        {
            "headers": pairs(Content_Type="image/png", Content_Length=str(len(PHOTOGRAPH))),
            "bodySize": len(PHOTOGRAPH),
            "postData": {"mimeType": "image/png", "text": PHOTOGRAPH.decode("latin-1"), "params": []},
        },
        {
            "headers": pairs(Content_Type="application/json", Content_Encoding="gzip", Content_Length=str(len(coded))),
            "content": {
                "size": len(coded),
                "compression": len(answer) - len(coded),
                "mimeType": "application/json",
                "text": answer.decode(),
            },
            "bodySize": len(coded),
        },
    )


def playwright(answer: bytes) -> Entry:
    """It embeds what came, and leaves a text empty where it does not embed what was sent."""
    return entry(
        {
            "headers": pairs(content_type="image/png", content_length=str(len(PHOTOGRAPH))),
            "bodySize": len(PHOTOGRAPH),
            "postData": {"mimeType": "image/png", "text": "", "params": []},
        },
        {
            "headers": pairs(content_type="application/json"),
            "content": {
                "size": len(answer),
                "mimeType": "application/json",
                "compression": 0,
                "text": base64.b64encode(answer).decode(),
                "encoding": "base64",
            },
            "bodySize": len(answer),
            "_transferSize": len(answer) + 100,
        },
    )


def slim(answer: bytes) -> Entry:
    """Playwright's smallest form knows no sizes."""
    made = playwright(answer)
    made["request"] |= {"bodySize": -1, "headers": pairs(content_type="image/png")}
    made["response"] |= {"bodySize": -1}
    made["response"]["content"]["size"] = -1
    return made


RECORDERS: list[Callable[[bytes], Entry]] = [chrome, chrome_blob, firefox, mitmproxy, playwright, slim]


def loaded(made: Entry, folder: Path) -> list[Spoken]:
    file = folder / "one.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": [made]}}), encoding="utf-8")
    return har.load(file)[1]


def judged(spoken: list[Spoken]) -> Report:
    return recorded.heard(spoken, selftest.reference(), datetime.now(UTC))


def failed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.FAILED}


def passed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.PASSED}


@pytest.mark.parametrize("recorder", RECORDERS)
class TestRecorders:
    """Each as it is."""

    def test_the_innocent_is_not_accused(self, recorder: Callable[[bytes], Entry], tmp_path: Path) -> None:
        spoken = loaded(recorder(answered(False).body), tmp_path)
        report = judged(spoken)
        assert (failed(report), recorded.unheard(spoken)) == (set(), {})
        assert {"result.is-anomalous", "mask.png"} <= passed(report)

    def test_a_fault_is_heard(self, recorder: Callable[[bytes], Entry], tmp_path: Path) -> None:
        assert "result.is-anomalous" in failed(judged(loaded(recorder(answered(True).body), tmp_path)))

    def test_a_refusal_is_nobodys_fault_when_the_request_is_lost(
        self, recorder: Callable[[bytes], Entry], tmp_path: Path
    ) -> None:
        """Only where the image was kept can it be said that it was refused without a reason."""
        made = recorder(answered(False, b"no image").body)
        made["response"] |= {"status": 400}
        made["response"]["headers"] += pairs(x_amzn_ErrorType="ValidationException")
        spoken = loaded(made, tmp_path)
        assert bool(failed(judged(spoken))) is (spoken[0].body is not None)
        assert (spoken[0].body == PHOTOGRAPH) is (recorder is mitmproxy)


def with_content(**content: Any) -> Callable[[Entry], None]:
    def change(made: Entry) -> None:
        made["response"]["content"] = {"mimeType": "application/json", **content}

    return change


def without_text(made: Entry) -> None:
    del made["response"]["content"]["text"]


def without_text_and_size(made: Entry) -> None:
    """mitmproxy, when it streams."""
    made["response"]["content"] |= {"text": None, "size": 0}


def cut(made: Entry) -> None:
    """Firefox keeps only the beginning of what is long."""
    made["response"]["content"]["text"] = made["response"]["content"]["text"][:100]


def empty(made: Entry) -> None:
    made["response"]["content"]["text"] = ""


def attached(made: Entry) -> None:
    """Playwright can put it in a file of its own."""
    made["response"]["content"] = {"size": 900, "mimeType": "application/json", "_file": "0123.json"}


def replaced(made: Entry) -> None:
    made["response"]["content"] |= {"text": '{"a": "\ufffd"}', "size": 10}


class TestLost:
    """What an archive has not got is not judged, and counted."""

    @pytest.mark.parametrize("change", [without_text, without_text_and_size, cut, empty, attached, replaced])
    def test_an_answer_that_was_lost(self, change: Callable[[Entry], None], tmp_path: Path) -> None:
        made = firefox(answered(False).body)
        change(made)
        spoken = loaded(made, tmp_path)
        report = judged(spoken)
        assert (spoken[0].answer_body, recorded.unheard(spoken)) == (None, {LOST: 1})
        assert (failed(report), passed(report), report.course.seen) == (set(), set(), 0)
        assert recorded.remarks(recorded.unheard(spoken)) == [f"1 not judged: {LOST}"]

    @pytest.mark.parametrize(
        ("method", "status", "length"),
        [("HEAD", 200, "900"), ("GET", 304, "900"), ("OPTIONS", 204, ""), ("GET", 405, "0")],
    )
    def test_an_answer_that_has_no_body_is_not_lost(
        self, method: str, status: int, length: str, tmp_path: Path
    ) -> None:
        made = entry(
            {"method": method, "headers": [], "bodySize": 0},
            {
                "status": status,
                "headers": pairs(Content_Length=length) if length else [],
                "content": {"size": 0},
                "bodySize": 0,
            },
        )
        assert loaded(made, tmp_path)[0].answer_body == b""

    @pytest.mark.parametrize(
        ("coding", "pack", "known"),
        [
            ("gzip", gzip.compress, True),
            ("deflate", zlib.compress, True),
            ("zstd", lambda _: b"\x28\xb5\x2f\xfd", False),
        ],
        ids=["gzip", "deflate", "zstd"],
    )
    def test_a_recorder_that_did_not_decode(
        self, coding: str, pack: Callable[[bytes], bytes], known: bool, tmp_path: Path
    ) -> None:
        made = playwright(pack(answered(False).body))
        made["response"]["headers"] += pairs(content_encoding=coding)
        spoken = loaded(made, tmp_path)
        assert spoken[0].answer_body == (answered(False).body if known else None)

    @pytest.mark.parametrize(("coding", "kept"), [("gzip", 1), ("zstd", 0)])
    def test_our_own_archives_hold_what_can_be_decoded(self, coding: str, kept: int, tmp_path: Path) -> None:
        request = Request.build("POST", PATH, [("Host", "h"), ("Content-Type", "image/png"), ("Content-Length", "0")])
        answer = Response(400, ((b"Content-Encoding", coding.encode()),), gzip.compress(b"{}"))
        exchange = Exchange(Case("one", request), read(request, selftest.reference()), answer)
        har.save(tmp_path / "own.har", [exchange], "http://h", datetime.now(UTC))
        spoken = har.load(tmp_path / "own.har")[1]
        assert [each.answer_body for each in spoken] == [b"{}"] * kept

    @pytest.mark.parametrize(
        "mark",
        [
            {"_wasFulfilled": True},
            {"_fromCache": "disk"},
            {"_wasAborted": True},
            {"response": {"_error": "net::ERR_ABORTED"}},
            {"response": {"_failureText": "aborted"}},
            {"response": {"_fetchedViaServiceWorker": True}},
            {"response": {"status": 0}},
            {"response": {"status": -1}},
        ],
        ids=str,
    )
    def test_what_the_server_did_not_say_whole(self, mark: Entry, tmp_path: Path) -> None:
        made = playwright(answered(True).body)
        response = mark.get("response", {})
        assert loaded({**made, **mark, "response": made["response"] | response}, tmp_path) == []

    @pytest.mark.parametrize(
        ("headers", "data", "body"),
        [
            ({}, None, None),
            ({"Content_Length": "0"}, None, b""),
            ({"Content_Length": "9"}, None, None),
            ({"Content_Length": "2"}, {"text": "ab"}, b"ab"),
            ({"Content_Length": "3"}, {"text": "ab"}, None),
            ({}, {"text": "ab"}, None),
            ({"Content_Length": "2"}, {"text": "\xff\xfe"}, b"\xff\xfe"),
            ({"Content_Length": "4"}, {"text": "\xff\xfe"}, "\xff\xfe".encode()),
            ({"Content_Length": "2"}, {"text": "\udcff\udcfe"}, b"\xff\xfe"),
            ({"Content_Length": "3"}, {"text": "\ud800"}, None),
            ({}, {"text": "YWI=", "encoding": "base64"}, b"ab"),
            ({"Content_Length": "9"}, {"params": [{"name": "a", "value": "b"}]}, None),
        ],
    )
    def test_a_request_of_unknown_size(
        self, headers: dict[str, str], data: Entry | None, body: bytes | None, tmp_path: Path
    ) -> None:
        made = playwright(answered(False).body)
        made["request"] |= {"bodySize": -1, "headers": pairs(**headers), "postData": data}
        assert loaded(made, tmp_path)[0].body == body

    def test_other_pages_keep_other_contracts(self, tmp_path: Path) -> None:
        """A browser's archive is full of them."""
        made = entry(
            {"url": "https://example.com/login", "headers": [], "bodySize": 0},
            {"headers": pairs(Content_Type="text/html"), "content": {"size": 2, "text": "hi"}, "bodySize": 2},
        )
        spoken = loaded(made, tmp_path)
        assert (failed(judged(spoken)), recorded.unheard(spoken)) == (set(), {ELSEWHERE: 1})

    def test_a_coded_request_may_be_refused(self, tmp_path: Path) -> None:
        """mitmproxy decodes it; what was sent was something else."""
        made = mitmproxy(answered(False, b"no image").body)
        made["request"]["headers"] = pairs(Content_Type="image/png", Content_Encoding="gzip")
        made["response"] |= {"status": 400}
        made["response"]["headers"] += pairs(x_amzn_ErrorType="ValidationException")
        assert failed(judged(loaded(made, tmp_path))) == set()
