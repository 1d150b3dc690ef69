"""The proxy between real clients and implementations: what passes, what is judged, and what is said of the rest."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import http.client
import json
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hostile import HostileServer, Script, drip, eventually, finish_writing, read_request, reset, send
from PIL import Image
from test_boto3 import client_of

from conformance.evidence import log
from conformance.evidence.blobs import BlobReader
from conformance.evidence.rejudge import rejudged
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST, Behaviour, Call, Reply
from conformance.reference.server import running
from conformance.report.record import Conclusion, Outcome, Report
from conformance.target import Target, load
from conformance.traffic import apart, ear, listener, proxy, recorded

PATH = "/2020-11-20/projects/circuits/models/2/detect"
WAIT = 20.0
MEGABYTE = 1_000_000


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 80), "grey").save(file, "PNG")
    return file.getvalue()


PHOTOGRAPH = photograph()


def failed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.FAILED}


def passed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.PASSED}


def target() -> Target:
    return load(Path(__file__).parent.parent / "fixtures" / "targets" / "reference.toml")


class Between:
    """The proxy in a thread, and what it said."""

    def __init__(self, upstream: str, folder: Path | None = None) -> None:
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self.listener = listener.Listener(ear.Ear(replace(target(), url=upstream), folder), self._say)
        self.proxy = proxy.Proxy(upstream, self.listener)
        self._task = self._loop.create_task(proxy._serve(self.proxy, "127.0.0.1", 0, self._say))
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
        with contextlib.suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(WAIT)
        return self.listener.end()

    def remarks(self) -> list[str]:
        return [*self.listener.remarks(), *self.proxy.remarks()]


@contextlib.contextmanager
def between(behaviour: Behaviour = HONEST, folder: Path | None = None) -> Iterator[tuple[Between, str]]:
    """The proxy before the reference, and where the reference is."""
    with running(behaviour) as url:
        yield Between(url, folder), urlsplit(url).netloc


@contextlib.contextmanager
def before(*scripts: Script) -> Iterator[tuple[Between, HostileServer]]:
    """The proxy before a server that plays scripts."""
    with HostileServer(*scripts) as server:
        proxy_ = Between(server.url)
        yield proxy_, server


Answered = tuple[int, list[tuple[str, str]], bytes]


def asked(address: str, path: str = PATH, body: bytes = PHOTOGRAPH, method: str = "POST", **headers: str) -> Answered:
    connection = http.client.HTTPConnection(address, timeout=WAIT)
    try:
        connection.request(method, path, body, {"Content-Type": "image/png", **headers})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def line_to(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=WAIT)


def spoken_to(address: str, *pieces: bytes) -> bytes:
    """The one answer that comes back for bytes on a connection of their own."""
    with line_to(address) as line:
        for piece in pieces:
            line.sendall(piece)
        answer = b""
        while not is_whole(answer) and (data := line.recv(65536)):
            answer += data
        return answer


def is_whole(answer: bytes) -> bool:
    """An answer with a Content-Length."""
    head, end, body = answer.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0])


def posted(*fields: bytes, body: bytes = PHOTOGRAPH, length: int | None = None) -> bytes:
    lines = [b"POST " + PATH.encode() + b" HTTP/1.1", b"Host: here", b"Content-Type: image/png", *fields]
    announced = [b"Content-Length: %d" % (len(body) if length is None else length)] if length != -1 else []
    return b"\r\n".join([*lines, *announced, b"", body])


@contextlib.contextmanager
def noting() -> Iterator[tuple[list[Call], Behaviour]]:
    """The reference, and the calls that reach it."""
    calls: list[Call] = []

    def note(call: Call, reply: Reply) -> Reply:
        calls.append(call)
        return reply

    yield calls, replace(HONEST, finish=note, max_body=1 << 30)


def numbered(detection: Any) -> dict[str, Any]:
    return {"Source": {"Type": "direct"}, "IsAnomalous": int(detection.is_anomalous), "Confidence": 0.5}


class TestPassing:
    """Nothing is altered."""

    @pytest.mark.parametrize(
        "path", [PATH, PATH + "?x=%41&y", PATH.replace("circuits", "a%2Fb%20c"), "/elsewhere/../x//y", "/%zz"]
    )
    def test_nothing_is_altered_on_the_way_there(self, path: str) -> None:
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, direct):
            for address in (direct, proxy_.address):
                asked(address, path, Host="example.com", Authorization="secret", lower="1", Odd="a  b")
            proxy_.end()
        straight, through = calls
        assert (through.method, through.target, through.body) == (straight.method, straight.target, straight.body)
        assert sorted(through.headers) == sorted(straight.headers)

    @pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS"])
    def test_nothing_is_altered_on_the_way_back(self, method: str) -> None:
        def fixed(_call: Call, reply: Reply) -> Reply:
            return replace(reply.with_header("Date", "then").with_header("x-amzn-RequestId", "1"), body=b'{"a":\xff}')

        with between(replace(HONEST, finish=fixed)) as (proxy_, direct):
            straight, through = (asked(address, method=method) for address in (direct, proxy_.address))
            proxy_.end()
        assert (through[0], through[2]) == (straight[0], straight[2])
        assert set(through[1]) == set(straight[1])

    def test_a_large_body(self) -> None:
        """Beyond the megabyte at which aiohttp stops by itself."""
        body = os.urandom(2 * MEGABYTE)
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, direct):
            for address in (direct, proxy_.address):
                asked(address, body=body, Host="here")
            proxy_.end()
        assert [call.body == body for call in calls] == [True, True]
        assert sorted(calls[0].headers) == sorted(calls[1].headers)
        assert not proxy_.remarks()

    @pytest.mark.parametrize("fields", [1, 600], ids=["one line", "many lines"])
    def test_a_large_head(self, fields: int) -> None:
        head = {f"Field-{number}": "x" * (60_000 // fields) for number in range(fields)}
        answer = b"HTTP/1.1 400 Odd\r\nContent-Length: 2\r\n" + b"".join(
            f"{name}: {value}\r\n".encode() for name, value in head.items()
        )
        with before([read_request, send(answer + b"\r\n{}")]) as (proxy_, server):
            status, headers, body = asked_of_many(proxy_.address, head)
            proxy_.end()
        assert (status, body) == (400, b"{}")
        assert headers >= {f"{name}: {value}".encode() for name, value in head.items()}
        assert all(f"{name}: {value}\r\n".encode() in server.received[0] for name, value in head.items())

    def test_a_long_target(self) -> None:
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            asked(proxy_.address, PATH + "?" + "x" * 7000)
            asked(proxy_.address, PATH + "?" + "x" * 30_000)
            proxy_.end()
        assert len(calls[0].target) > 7000

    def test_odd_bytes_in_a_header(self) -> None:
        """UTF-8 goes through; what is none cannot be written by aiohttp and is refused, not garbled."""
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            assert spoken_to(proxy_.address, posted("Odd: é".encode(), b"Connection: close")).startswith(
                b"HTTP/1.1 200"
            )
            garbled = spoken_to(proxy_.address, posted(b"Odd: \xe9", b"Connection: close"))
            target = spoken_to(proxy_.address, posted().replace(b"circuits", b"\xe9"))
            proxy_.end()
        assert (b"Odd", "é".encode()) in calls[0].headers
        assert (garbled[8:12], target[8:12]) == (b" 400", b" 400")
        assert len(calls) == 1

    def test_a_coded_request_stays_coded(self) -> None:
        coded = zipped(PHOTOGRAPH)
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            asked(proxy_.address, body=coded, **{"Content-Encoding": "gzip"})
            report = proxy_.end()
        assert calls[0].body == coded
        assert (b"Content-Encoding", b"gzip") in calls[0].headers
        assert failed(report) == set()

    def test_chunks(self) -> None:
        chunked = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (10, PHOTOGRAPH[:10], len(PHOTOGRAPH) - 10, PHOTOGRAPH[10:])
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            answer = spoken_to(proxy_.address, posted(b"Transfer-Encoding: chunked", body=chunked, length=-1))
            report = proxy_.end()
        assert answer.startswith(b"HTTP/1.1 200")
        assert calls[0].body == PHOTOGRAPH
        assert "result.is-anomalous" in passed(report)

    def test_who_waits_to_be_asked_is_asked(self) -> None:
        """``Expect: 100-continue`` is between the client and us; the answer is judged as if it had not been there."""
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            with line_to(proxy_.address) as line:
                head, _, body = posted(b"Expect: 100-continue").partition(b"\r\n\r\n")
                line.sendall(head + b"\r\n\r\n")
                assert line.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
                line.sendall(body)
                assert line.recv(65536).startswith(b"HTTP/1.1 200 ")
            report = proxy_.end()
        assert b"expect" not in {name.lower() for name, _ in calls[0].headers}
        assert "result.is-anomalous" in passed(report)

    def test_a_connection_is_kept(self) -> None:
        with between() as (proxy_, _):
            connection = http.client.HTTPConnection(proxy_.address, timeout=WAIT)
            for _ in range(3):
                connection.request("POST", PATH, PHOTOGRAPH, {"Content-Type": "image/png"})
                local = connection.sock.getsockname()
                assert connection.getresponse().read()
                assert connection.sock.getsockname() == local
            connection.close()
            assert proxy_.end().course.seen == 3

    def test_what_belongs_to_the_connection_stays(self) -> None:
        """A Java client offers HTTP/2 with every request."""
        fields = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            assert b" 200 " in spoken_to(proxy_.address, posted(*fields)).partition(b"\r\n")[0]
            report = proxy_.end()
        assert {b"upgrade", b"http2-settings"}.isdisjoint(name.lower() for name, _ in calls[0].headers)
        assert "result.is-anomalous" in passed(report)

    def test_cookies_are_the_clients(self) -> None:
        calls: list[Call] = []

        def baking(call: Call, reply: Reply) -> Reply:
            calls.append(call)
            return reply.with_header("Set-Cookie", "a=1")

        with between(replace(HONEST, finish=baking)) as (proxy_, _):
            assert ("Set-Cookie", "a=1") in asked(proxy_.address)[1]
            asked(proxy_.address)
            proxy_.end()
        assert not [value for call in calls for value in call.values(b"cookie")]

    def test_nobody_is_led_elsewhere(self) -> None:
        """An absolute target names whom the client thinks it asks; asked is the implementation."""
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            asked(proxy_.address, "http://127.0.0.1:9" + PATH)
            refused = asked(proxy_.address, "*", method="OPTIONS")
            proxy_.end()
        assert [call.target for call in calls] == [PATH.encode()]
        assert (refused[0], dict(refused[1])["Proxy-Status"]) == (400, "conformance")

    def test_a_real_client(self) -> None:
        """Signed, as boto3 does it, host and all."""
        with between() as (proxy_, _), client_of(f"http://{proxy_.address}") as client:
            asked_for = {"ProjectName": "circuits", "ModelVersion": "2", "ContentType": "image/png"}
            result = client.detect_anomalies(**asked_for, Body=PHOTOGRAPH)["DetectAnomalyResult"]
            with pytest.raises(client.exceptions.ResourceNotFoundException):
                client.detect_anomalies(**asked_for | {"ProjectName": "nobody-has-this-project"}, Body=PHOTOGRAPH)
            report = proxy_.end()
        assert result["AnomalyMask"].startswith(b"\x89PNG")
        assert (failed(report), report.course.seen) == (set(), 2)
        assert {"mask.png", "state.no-project"} <= passed(report)


def asked_of_many(address: str, head: dict[str, str]) -> tuple[int, set[bytes], bytes]:
    """Ask with a head that Python's own client would not read an answer to."""
    fields = [f"{name}: {value}".encode() for name, value in head.items()]
    answer = spoken_to(address, posted(*fields, b"Connection: close"))
    lines, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = lines.split(b"\r\n")
    return int(first.split()[1]), set(rest), body


class TestBrokenOff:
    """Whoever breaks off, the others go on, and nothing is made up."""

    @pytest.mark.parametrize(
        "script",
        [
            [read_request, reset],
            [read_request, finish_writing],
            [read_request, send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), finish_writing],
            [read_request, send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), reset],
            [read_request, send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), finish_writing],
            [read_request, send(b"HTTP/1.1 200 OK\r\n\r\n{}"), reset],
            [read_request, send(b"This is no HTTP\r\n\r\n"), finish_writing],
        ],
        ids=["reset", "closed", "short", "short and reset", "chunks", "until the end", "no HTTP"],
    )
    def test_an_answer_that_breaks_off_is_none(self, script: Script) -> None:
        with before(script) as (proxy_, _):
            status, headers, body = asked(proxy_.address)
            report = proxy_.end()
        assert (status, dict(headers)["Proxy-Status"]) == (502, "conformance")
        assert json.loads(body)["Message"].startswith("The proxy says: it could not be asked")
        assert report.course.seen == 0
        assert proxy_.remarks() == [
            "1 not answered by the implementation: it could not be asked, or broke off its answer"
        ]

    def test_nobody_upstream(self) -> None:
        proxy_ = Between("http://127.0.0.1:9")
        status, _, body = asked(proxy_.address)
        report = proxy_.end()
        assert (status, report.course.seen) == (502, 0)
        assert b"could not be asked" in body

    def test_an_answer_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proxy, "SECONDS", 0.3)
        with before([read_request, send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), read_request]) as (
            proxy_,
            _,
        ):
            assert asked(proxy_.address)[0] == 504
            assert proxy_.end().course.seen == 0

    def test_an_answer_in_pieces_comes_whole(self) -> None:
        answer = b"HTTP/1.1 400 Odd\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
        with before([read_request, drip(answer, 0.01)]) as (proxy_, _):
            assert asked(proxy_.address)[::2] == (400, b"{}")
            assert proxy_.end().course.seen == 1

    def test_a_client_that_hangs_up_over_its_request(self) -> None:
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            with line_to(proxy_.address) as line:
                line.sendall(posted(length=2 * len(PHOTOGRAPH)))
            assert eventually(lambda: proxy_.proxy.refused.total() == 1)
            assert asked(proxy_.address)[0] == 200
            report = proxy_.end()
        assert (len(calls), report.course.seen) == (1, 1)
        assert proxy_.remarks() == ["1 not answered by the implementation: the client broke off its request"]

    def test_broken_chunks(self) -> None:
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            answer = spoken_to(
                proxy_.address, posted(b"Transfer-Encoding: chunked", body=b"", length=-1), b"2\r\nab\r\nzz\r\n"
            )
            proxy_.end()
        assert not calls
        assert proxy_.proxy.refused.total() == 1
        assert not answer or b"Proxy-Status: conformance" in answer

    def test_a_client_that_does_not_wait_for_its_answer(self) -> None:
        """What the implementation said, it said."""
        release = threading.Event()

        def slow(_call: Call, reply: Reply) -> Reply:
            release.wait(WAIT)
            return reply

        with between(replace(HONEST, finish=slow)) as (proxy_, _):
            with line_to(proxy_.address) as line:
                line.sendall(posted())
                time.sleep(0.2)
            release.set()
            assert asked(proxy_.address)[0] == 200
            report = proxy_.end()
        assert (report.course.seen, failed(report), proxy_.remarks()) == (2, set(), [])


class TestItsOwnWords:
    """What the proxy says by itself names it, is counted, and is nobody's breach."""

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"GET /" + b"x" * 2_000_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        ],
        ids=["line", "TLS", "header", "lengths", "too long"],
    )
    def test_malformed_requests(self, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            with contextlib.suppress(ConnectionError):  # an answer may be lost where more is sent than is read
                answer = spoken_to(proxy_.address, request_)
                assert answer.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
                assert b"Proxy-Status: conformance" in answer
            assert eventually(lambda: bool(proxy_.proxy.refused))
            assert asked(proxy_.address)[0] == 200
            report = proxy_.end()
        assert (len(calls), report.course.seen) == (1, 1)
        assert proxy_.remarks() == ["1 not answered by the implementation: the request is no proper HTTP"]
        assert not caplog.records

    @pytest.mark.parametrize("announced", [True, False])
    def test_a_body_that_is_too_large(self, announced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proxy, "MOST_BYTES", 10_000)
        large = bytes(20_000)
        request = posted(body=large) if announced else posted(b"Transfer-Encoding: chunked", body=b"", length=-1)
        chunks = () if announced else (b"%x\r\n%s\r\n0\r\n\r\n" % (len(large), large),)
        with noting() as (calls, behaviour), between(behaviour) as (proxy_, _):
            answer = spoken_to(proxy_.address, request, *chunks)
            report = proxy_.end()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"Proxy-Status: conformance" in answer
        assert (calls, report.course.seen, failed(report)) == ([], 0, set())
        assert proxy_.remarks() == [
            "1 not answered by the implementation: a body of more than 10000 bytes is not passed on"
        ]

    def test_an_answer_that_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proxy, "MOST_BYTES", 10_000)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + bytes(20_000)
        with before([read_request, send(answer)]) as (proxy_, _):
            assert asked(proxy_.address)[0] == 502
            assert proxy_.end().course.seen == 0

    def test_a_fault_of_the_proxy(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        monkeypatch.setattr(proxy, "_as_it_came", lambda *_: 1 / 0)
        with between() as (proxy_, _):
            status, headers, _ = asked(proxy_.address)
            proxy_.end()
        assert (status, dict(headers)["Proxy-Status"]) == (500, "conformance")
        assert proxy_.remarks() == ["1 not answered by the implementation: the proxy itself failed"]
        assert not caplog.records


def coded(coding: str, pack: Callable[[bytes], bytes]) -> Callable[[Call, Reply], Reply]:
    def finish(_call: Call, reply: Reply) -> Reply:
        return replace(reply.with_header("Content-Encoding", coding), body=pack(reply.body))

    return finish


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)  # the same at any time


def raw_deflate(body: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(body) + squeeze.flush()


def in_two(body: bytes) -> bytes:
    return zipped(body[:7]) + zipped(body[7:])


CODINGS: list[Any] = [
    pytest.param("gzip", zipped, id="gzip"),
    pytest.param("X-GZip", in_two, id="two members"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", raw_deflate, id="raw deflate"),
    pytest.param("deflate, gzip", lambda body: zipped(zlib.compress(body)), id="two codings"),
    pytest.param("identity", bytes, id="identity"),
]


def bomb(_: bytes) -> bytes:
    return zipped(bytes(2 * MEGABYTE))


class TestCodings:
    """Coded answers are judged by what is in them, and passed on as they are."""

    @pytest.mark.parametrize(("coding", "pack"), CODINGS)
    def test_the_innocent_is_not_accused(self, coding: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
        with between(replace(HONEST, finish=coded(coding, pack)), tmp_path) as (proxy_, direct):
            straight, through = (asked(address) for address in (direct, proxy_.address))
            report = proxy_.end()
        assert through[2] == straight[2]
        assert dict(through[1])["Content-Encoding"] == coding
        assert failed(report) == set()
        assert {"result.is-anomalous", "mask.png"} <= passed(report)
        assert failed(rejudged(tmp_path)) == set()
        assert passed(rejudged(tmp_path)) == passed(report)

    @pytest.mark.parametrize(("coding", "pack"), CODINGS)
    def test_a_fault_is_heard(self, coding: str, pack: Callable[[bytes], bytes]) -> None:
        with between(replace(HONEST, result=numbered, finish=coded(coding, pack))) as (proxy_, _):
            asked(proxy_.address)
            assert "result.is-anomalous" in failed(proxy_.end())

    @pytest.mark.parametrize(
        ("coding", "pack"),
        [
            ("zstd", bytes),
            ("gzip", bytes),
            ("gzip", lambda body: zipped(body)[:-9]),
            ("deflate", lambda body: zlib.compress(body) + b"x"),
            ("br", lambda _: b"\xff" * 20),
            ("gzip, gzip, gzip, gzip, gzip", bytes),
            ("gzip", bomb),
            ("deflate", lambda _: zlib.compress(bytes(2 * MEGABYTE))),
        ],
        ids=["unknown", "plain", "cut", "more", "br", "too many", "bomb", "another bomb"],
    )
    def test_what_cannot_be_decoded_is_passed_on_and_not_judged(
        self, coding: str, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ear, "MOST_DECODED", MEGABYTE)
        with between(replace(HONEST, finish=coded(coding, pack))) as (proxy_, direct):
            straight, through = (asked(address) for address in (direct, proxy_.address))
            report = proxy_.end()
        assert (through[0], through[2]) == (200, straight[2])
        assert (failed(report), passed(report), report.course.seen) == (set(), set(), 0)
        assert proxy_.remarks() == ["1 not judged: the body of the answer is not known"]

    def test_nothing_is_coded_in_nothing(self) -> None:
        with between(replace(HONEST, finish=coded("gzip", zipped))) as (proxy_, _):
            assert asked(proxy_.address, method="HEAD", body=b"")[2] == b""
            report = proxy_.end()
        assert (failed(report), report.course.seen) == (set(), 1)

    def test_brotli_where_it_is_installed(self) -> None:
        brotli = pytest.importorskip("brotli")
        with between(replace(HONEST, finish=coded("br", brotli.compress))) as (proxy_, _):
            asked(proxy_.address)
            assert "mask.png" in passed(proxy_.end())


class TestJudging:
    """Beside the traffic, and never in its way."""

    def test_breaches_are_told_as_they_pass_and_reported(self, tmp_path: Path) -> None:
        with between(replace(HONEST, result=numbered), tmp_path) as (proxy_, _):
            assert asked(proxy_.address)[0] == 200
            report = proxy_.end()
        assert any("breaches result.is-anomalous" in line for line in proxy_.said)
        assert "result.is-anomalous" in failed(report)
        assert failed(rejudged(tmp_path)) == failed(report)

    def test_an_honest_server_is_not_accused(self) -> None:
        with between() as (proxy_, _):
            for path in (PATH, PATH.replace("circuits", "nobody"), PATH.replace("2/", "0/")):
                asked(proxy_.address, path)
            report = proxy_.end()
        assert (failed(report), len(proxy_.said), report.course.seen) == (set(), 1, 3)
        assert report.conclusion is Conclusion.PARTIAL

    def test_other_pages_of_a_server_keep_other_contracts(self, tmp_path: Path) -> None:
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        with HostileServer([read_request, send(page)]) as server:
            proxy_ = Between(server.url, tmp_path)
            assert asked(proxy_.address, "/login", b"name=me")[2] == b"hi"
            report = proxy_.end()
        assert (failed(report), report.course.seen) == (set(), 0)
        assert proxy_.remarks() == [f"1 not judged: {recorded.ELSEWHERE}"]

    def test_a_fault_of_the_judge_disturbs_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("our own fault")

        monkeypatch.setattr(recorded, "exchange_of", broken)
        with between() as (proxy_, _):
            assert asked(proxy_.address)[0] == 200
            assert asked(proxy_.address)[0] == 200
            proxy_.end()
        assert proxy_.remarks() == ["2 not judged: the suite itself failed"]

    @pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
    def test_a_terminal_that_is_gone_disturbs_nobody(self, error: Exception) -> None:
        with between(replace(HONEST, result=numbered)) as (proxy_, _):

            def gone(_: str) -> None:
                raise error

            proxy_.listener._say = gone
            assert [asked(proxy_.address)[0] for _ in range(2)] == [200, 200]
            report = proxy_.end()
        assert report.course.seen == 2

    @pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_WAITING_BYTES"])
    def test_what_waits_is_bounded(self, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """By number and by bytes: three requests come while the judge is held up by the first."""
        monkeypatch.setattr(listener, bound, 2 if bound == "MOST_WAITING" else 5 * len(PHOTOGRAPH))
        release = threading.Event()
        exchange_of = recorded.exchange_of

        def held_up(*parts: Any) -> Any:
            release.wait(WAIT)
            return exchange_of(*parts)

        monkeypatch.setattr(recorded, "exchange_of", held_up)
        spoken = recorded.Spoken("x", b"POST", PATH.encode(), (), PHOTOGRAPH, 400, (), bytes(len(PHOTOGRAPH)))
        judge = listener.Listener(ear.Ear(target(), None), lambda _: None)
        for _ in range(3):
            judge.tell(spoken)
        release.set()
        assert judge.end().course.seen == 2
        assert judge.remarks() == ["1 not judged: there was no time for them"]

    def test_a_judge_that_dies_disturbs_nobody(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """It is said once, and nothing looks as if it had been judged."""
        away = apart.Apart(target(), tmp_path)
        monkeypatch.setattr(ear, "Ear", lambda *_: away)
        with between() as (proxy_, _):
            assert asked(proxy_.address)[0] == 200
            assert eventually(lambda: proxy_.listener._taken == 1)
            away._process.kill()
            away._process.join()
            assert [asked(proxy_.address)[0] for _ in range(2)] == [200, 200]
            report = proxy_.end()
        assert sum("the judge has ended" in line for line in proxy_.said) == 1
        assert report.conclusion is Conclusion.INDETERMINATE
        assert proxy_.remarks() == ["2 not judged: the suite itself failed"]

    def test_a_judge_apart_says_the_same(self, tmp_path: Path) -> None:
        """The same findings, report and evidence as in this process."""
        spoken = [
            recorded.Spoken(f"x.{number}", b"POST", PATH.encode(), (), PHOTOGRAPH, status, (), b"{}")
            for number, status in enumerate((200, 400, 500))
        ]
        found = []
        for name, kind in (("here", ear.Ear), ("apart", apart.Apart)):
            (tmp_path / name).mkdir()
            judge = kind(target(), tmp_path / name)
            said = [judge.hear(each) for each in spoken]
            heard = judge.end()
            again = rejudged(tmp_path / name)
            assert failed(again) == failed(heard.report)
            found.append((said, heard.remarks, failed(heard.report), heard.report.conclusion))
        assert found[0] == found[1]
        assert any(found[0][0])

    def test_a_folder_that_takes_no_evidence_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match="no evidence can be kept here"):
            apart.Apart(target(), tmp_path / "missing")

    @pytest.mark.parametrize("moment", ["while it runs", "at the end"])
    def test_a_full_disk_disturbs_nobody(self, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is said once, what cannot be judged again is not kept, and the report says what it would have said."""

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(log.EvidenceLog, "add" if moment == "while it runs" else "close", full)
        with between(replace(HONEST, result=numbered), tmp_path) as (proxy_, _):
            assert [asked(proxy_.address)[0] for _ in range(3)] == [200, 200, 200]
            report = proxy_.end()
        assert (report.course.seen, failed(report) >= {"result.is-anomalous"}) == (3, True)
        assert sum("No space left" in line for line in proxy_.said) == 1
        assert [line.partition(":")[0] for line in proxy_.remarks()] == ["no evidence is kept"]
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(OperatorMistake):
            rejudged(tmp_path)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
    def test_a_disk_that_is_really_full(self, tmp_path: Path) -> None:
        (tmp_path / log.BLOBS).symlink_to("/dev/full")
        with between(folder=tmp_path) as (proxy_, _):
            for _ in range(3):
                assert asked(proxy_.address, body=os.urandom(MEGABYTE))[0] in (200, 400)
            report = proxy_.end()
        assert report.course.seen == 3
        assert "No space left" in proxy_.remarks()[0]
        assert list(tmp_path.iterdir()) == []

    def test_secrets_are_not_written(self, tmp_path: Path) -> None:
        with between(folder=tmp_path) as (proxy_, _):
            asked(proxy_.address, Authorization="AWS4-HMAC-SHA256 Credential=AKIASECRET/x, Signature=0123")
            proxy_.end()
        with BlobReader(tmp_path / "evidence.blobs") as blobs:
            assert not any(b"AKIASECRET" in blobs[number] for number in range(len(blobs)))
