"""Traffic of others: HTTP archives, and the proxy that judges what passes through it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from haralyzer import HarParser
from PIL import Image

from conformance import cli, har, proxy, recorded, run, selftest
from conformance.evidence.rejudge import rejudged
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST, Behaviour, Call, Reply
from conformance.reference.server import running
from conformance.report.record import Conclusion, Outcome, Report
from conformance.target import Target, load

PATH = "/2020-11-20/projects/circuits/models/2/detect"
WAIT = 20.0


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 80), "grey").save(file, "PNG")
    return file.getvalue()


PHOTOGRAPH = photograph()
UNHEARD = recorded.UNSEEN - {"state"}


def failed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.FAILED}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Archives of runs against the honest reference and one whose decision is a number."""
    strains = {"honest": HONEST, "number": replace(HONEST, result=numbered)}
    prepared = run.prepare(selftest.reference(), shrink=False)
    files = {}
    for name, behaviour in strains.items():
        folder = tmp_path_factory.mktemp(name)
        prepared.against(Server(behaviour)).go(evidence=folder)
        files[name] = folder / "traffic.har"
        har.convert(folder, files[name])
    return files


def numbered(detection: Any) -> dict[str, Any]:
    return {"Source": {"Type": "direct"}, "IsAnomalous": int(detection.is_anomalous), "Confidence": 0.5}


class TestArchives:
    """HTTP archives in and out."""

    def test_somebody_elses_parser_reads_them(self, archives: dict[str, Path]) -> None:
        parsed = HarParser(json.loads(archives["honest"].read_text(encoding="utf-8")))
        entries = parsed.har_data["entries"]
        assert len(entries) > 300
        assert {entry["request"]["method"] for entry in entries} >= {"POST", "GET"}
        assert {entry["response"]["status"] for entry in entries} >= {200, 400, 404}

    def test_the_innocent_is_not_accused(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["honest"])
        report = recorded.heard(spoken, selftest.reference(), started)
        assert failed(report) == set()
        assert report.conclusion is Conclusion.PARTIAL

    def test_a_fault_is_heard(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["number"])
        assert "result.is-anomalous" in failed(recorded.heard(spoken, selftest.reference(), started))

    def test_what_no_recording_shows_is_not_judged(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["honest"])
        rows = recorded.heard(spoken, selftest.reference(), started).rows
        assert not [row.clause.id for row in rows if row.clause.section in UNHEARD and row.judged]

    @pytest.mark.parametrize(
        ("data", "known"),
        [
            ({"text": base64.b64encode(PHOTOGRAPH).decode(), "encoding": "base64"}, True),
            ({"text": PHOTOGRAPH.decode("latin-1")}, True),
            ({"text": PHOTOGRAPH.decode("utf-8", "replace")}, False),
            ({}, False),
        ],
        ids=["base64", "latin-1", "replaced", "left out"],
    )
    def test_a_body_that_was_lost_is_not_guessed(self, tmp_path: Path, data: dict[str, str], known: bool) -> None:
        """An image that a recorder made into text would look like none, and a 200 for it like a breach."""
        url = f"http://127.0.0.1:1{PATH}"
        request: dict[str, Any] = {"method": "POST", "url": url}
        request["headers"] = [{"name": "content-type", "value": "image/png"}]
        request |= {"bodySize": len(PHOTOGRAPH), "postData": {"mimeType": "image/png", **data}}
        answer = Server().open().exchange(recorded_request())
        content = {"text": base64.b64encode(answer.body).decode(), "encoding": "base64"}  # type: ignore[union-attr]
        response = {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": content,
        }
        entry = {"startedDateTime": "2026-01-01T00:00:00Z", "time": 3, "request": request, "response": response}
        file = tmp_path / "one.har"
        file.write_text(json.dumps({"log": {"entries": [entry]}}), encoding="utf-8")
        started, spoken = har.load(file)
        assert (spoken[0].body == PHOTOGRAPH) is known
        report = recorded.heard(spoken, selftest.reference(), started)
        assert failed(report) == set()
        assert {row.clause.id: row.judged for row in report.rows}["mask.png"] == 1

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"log": {"entries": 3}}', '{"log": {"entries": [{}]}}', "[" * 9999]
    )
    def test_anything_else_is_a_mistake(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "no.har"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(OperatorMistake, match=r"no\.har"):
            har.load(file)

    def test_the_command_judges_them(self, archives: dict[str, Path], tmp_path: Path) -> None:
        target = Path(__file__).parent.parent / "fixtures" / "targets" / "reference.toml"
        judge = ["judge", str(archives["number"]), "--target", str(target), "--out", str(tmp_path), "--quiet"]
        assert cli.main(judge) == 1
        assert (tmp_path / "report.json").exists()


def recorded_request() -> Any:
    from conformance.message import Request

    length = str(len(PHOTOGRAPH))
    headers: list[tuple[str | bytes, str | bytes]] = [
        ("Host", "h"),
        ("Content-Type", "image/png"),
        ("Content-Length", length),
    ]
    return Request.build("POST", PATH, headers, PHOTOGRAPH)


class Between:
    """The proxy in a thread, and what it said."""

    def __init__(self, upstream: str, folder: Path | None = None) -> None:
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self.listener = proxy.Listener(replace(target(), url=upstream), self._say, folder)
        serving = proxy._serve(upstream, "127.0.0.1", 0, self._say, self.listener)
        self._task = self._loop.create_task(serving)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        with self._heard:
            assert self._heard.wait_for(lambda: self.said, WAIT)
        self.address = urlsplit(self.said[0].split()[-1]).netloc

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    def _say(self, line: str) -> None:
        with self._heard:
            self.said.append(line)
            self._heard.notify_all()

    def end(self) -> Report:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(WAIT)
        return self.listener.end()


def target() -> Target:
    return load(Path(__file__).parent.parent / "fixtures" / "targets" / "reference.toml")


@contextlib.contextmanager
def between(behaviour: Behaviour = HONEST, folder: Path | None = None) -> Iterator[tuple[Between, str]]:
    with running(behaviour) as url:
        yield Between(url, folder), urlsplit(url).netloc


def asked(
    address: str, path: str = PATH, body: bytes = PHOTOGRAPH, method: str = "POST", **headers: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(address, timeout=WAIT)
    try:
        connection.request(method, path, body, {"Content-Type": "image/png", **headers})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


class TestProxy:
    """Between real clients and an implementation."""

    @pytest.mark.parametrize(
        "path", [PATH, PATH + "?x=%41&y", PATH.replace("circuits", "a%2Fb%20c"), "/elsewhere/../x//y", "/%zz"]
    )
    def test_nothing_is_altered_on_the_way_there(self, path: str) -> None:
        calls: list[Call] = []

        def note(call: Call, reply: Reply) -> Reply:
            calls.append(call)
            return reply

        with between(replace(HONEST, finish=note)) as (proxy_, direct):
            for address in (direct, proxy_.address):
                asked(address, path, Host="example.com", Authorization="secret", lower="1", Odd="a  b")
            proxy_.end()
        straight, passed = calls
        assert (passed.method, passed.target, passed.body) == (straight.method, straight.target, straight.body)
        assert sorted(passed.headers) == sorted(straight.headers)

    @pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS"])
    def test_nothing_is_altered_on_the_way_back(self, method: str) -> None:
        def fixed(_call: Call, reply: Reply) -> Reply:
            return replace(reply.with_header("Date", "then").with_header("x-amzn-RequestId", "1"), body=b'{"a":\xff}')

        with between(replace(HONEST, finish=fixed)) as (proxy_, direct):
            straight, passed = (asked(address, method=method) for address in (direct, proxy_.address))
            proxy_.end()
        assert (passed[0], passed[2]) == (straight[0], straight[2])
        assert set(passed[1]) == set(straight[1])

    def test_breaches_are_told_as_they_pass_and_reported(self, tmp_path: Path) -> None:
        with between(replace(HONEST, result=numbered), tmp_path) as (proxy_, _):
            assert asked(proxy_.address)[0] == 200
            report = proxy_.end()
        assert any("breaches result.is-anomalous" in line for line in proxy_.said)
        assert "result.is-anomalous" in failed(report)
        assert failed(rejudged(tmp_path)) == failed(report)

    def test_an_honest_server_is_not_accused(self) -> None:
        with between() as (proxy_, _):
            for path in (PATH, PATH.replace("circuits", "nobody"), PATH.replace("2/", "0/"), "/"):
                asked(proxy_.address, path)
            report = proxy_.end()
        assert (failed(report), len(proxy_.said), report.course.seen) == (set(), 1, 4)
        assert report.conclusion is Conclusion.PARTIAL

    def test_a_fault_of_the_judge_disturbs_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("our own fault")

        monkeypatch.setattr(proxy, "exchange_of", broken)
        with between() as (proxy_, _):
            assert asked(proxy_.address)[0] == 200
            assert asked(proxy_.address)[0] == 200
            proxy_.end()
        assert proxy_.listener.unjudged == 2

    def test_nobody_upstream_is_a_502(self) -> None:
        proxy_ = Between("http://127.0.0.1:9")
        status, _, body = asked(proxy_.address)
        report = proxy_.end()
        assert (status, report.course.seen) == (502, 0)
        assert b"cannot be asked" in body

    def test_secrets_are_not_written(self, tmp_path: Path) -> None:
        with between(folder=tmp_path) as (proxy_, _):
            asked(proxy_.address, Authorization="AWS4-HMAC-SHA256 Credential=AKIASECRET/x, Signature=0123")
            proxy_.end()
        from conformance.evidence.blobs import BlobReader

        with BlobReader(tmp_path / "evidence.blobs") as blobs:
            assert not any(b"AKIASECRET" in blobs[number] for number in range(len(blobs)))
