"""Dead targets: whatever a broken server does, the run comes back, accounts for every clause and is never green."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import (
    Action,
    HostileServer,
    Peer,
    drip,
    finish_writing,
    forever,
    read_once,
    read_to_end,
    send,
    within_watchdog,
)

from conformance import run
from conformance.contract.clauses import catalogue
from conformance.course import Progress
from conformance.reference.app import DEMO, HONEST, SILENCE, Behaviour, Call, NoReply, Reply
from conformance.reference.app import render as rendered
from conformance.reference.server import Session, running
from conformance.report import document
from conformance.report.gate import exit_code
from conformance.report.record import Conclusion, Outcome, Report
from conformance.shipped import shipped
from conformance.target import Limits, Target, load

LONGEST = 10.0
"""Seconds in which the suite has to be done with any of these."""
REFERENCE = load(shipped("fixtures", "targets", "reference.toml"))
ERROR = b'{"Message": "no", "__type": "%s"}'
TYPED = ("Content-Type: application/json", "x-amzn-RequestId: 6fe0ab26-6a3c-4c94-9c6a-7a1d0a6e3a52")
NAMED = "x-amzn-ErrorType: "


def target_at(url: str) -> Target:
    limits = Limits(answer_seconds=0.4)
    return replace(REFERENCE, name="dead", url=url, limits=limits)


def judged(url: str, folder: Path, on_progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """The report of a run that must come back in time, written and read again."""

    def go() -> Report:
        report, _ = run.prepare(target_at(url)).go(on_progress)
        run.write_all(report, folder)
        return report

    started = time.monotonic()
    report = within_watchdog(go)
    assert time.monotonic() - started < LONGEST
    return report


def assert_is_no_success(report: Report, folder: Path) -> None:
    """Neither exit code nor conclusion can be taken for a success, and the written report says the same."""
    assert report.conclusion is not Conclusion.CONFORMANT
    assert exit_code(report, gate=False) not in (0, 2)
    assert exit_code(report, gate=True) not in (0, 2)
    written = document.load(folder / "report.json")
    assert written["conclusion"] == report.conclusion
    assert [row["id"] for row in written["clauses"]] == [clause.id for clause in catalogue().tested()]
    assert sum(sum(row.values()) for row in written["counts"].values()) == len(catalogue().tested())
    assert not any(row.outcome is Outcome.ERROR for row in report.rows)
    assert (folder / "junit.xml").read_text(encoding="utf-8").count('name="conclusion"') == 2
    assert f"**{report.conclusion}**" in (folder / "report.md").read_text(encoding="utf-8")


def answer(status: str, body: bytes, *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines, "", ""]
    return "\r\n".join(head).encode() + body


LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)


def read_politely(peer: Peer) -> None:
    """Read a head, and the body that it announces unless the client waits to be asked; odd requests too."""
    while b"\n\r\n" not in peer.received and b"\n\n" not in peer.received:
        if not peer.read():
            return
    head, _, body = peer.received.partition(b"\r\n\r\n")
    length = LENGTH.search(head + b"\r\n")
    missing = int(length[1]) - len(body) if length and b"100-continue" not in head else 0
    while missing > 0 and (data := peer.read()):
        missing -= len(data)


def always(data: bytes) -> HostileServer:
    """A server with one answer for everything."""
    return HostileServer([read_politely, send(data), finish_writing, read_to_end])


def error(status: str, name: str, *lines: str) -> HostileServer:
    """A server with one well-formed error for everything."""
    return always(answer(status, ERROR % name.encode(), *TYPED, NAMED + name, *lines))


def html(status: str) -> HostileServer:
    return always(answer(status, b"<!doctype html><h1>Welcome to nginx!</h1>", "Content-Type: text/html"))


def one_good_result() -> HostileServer:
    """A server that answers everything with the honest answer to the first witness."""
    prepared = run.prepare(REFERENCE)
    honest = Session(HONEST, DEMO).receive(prepared.plan.witnesses[0].request.wire)
    return always(honest.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))


def playing(*script: Action) -> HostileServer:
    return HostileServer(script)


ANSWERING: dict[str, Callable[[], HostileServer]] = {
    "404-plain": lambda: always(answer("404 Not Found", b"not found\n", "Content-Type: text/plain")),
    "404-well-formed": lambda: error("404 Not Found", "ResourceNotFoundException"),
    "403-well-formed": lambda: error("403 Forbidden", "AccessDeniedException"),
    "429-well-formed": lambda: error("429 Too Many Requests", "ThrottlingException", "Retry-After: 0"),
    "500": lambda: error("500 Internal Server Error", "InternalServerException"),
    "200-empty-object": lambda: always(answer("200 OK", b"{}", *TYPED)),
    "200-the-same-good-result": one_good_result,
    "200-html": lambda: html("200 OK"),
    "404-html": lambda: html("404 Not Found"),
    "307-to-elsewhere": lambda: always(answer("307 Temporary Redirect", b"", "Location: http://127.0.0.1:9/")),
    "garbage": lambda: always(bytes(range(256)) * 8),
    "half-an-answer": lambda: playing(read_politely, send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")),
    "endless-garbage": lambda: playing(read_once, forever(b"A" * 4096)),
}
SILENT: dict[str, Callable[[], HostileServer]] = {
    "accepts-and-closes": playing,
    "reads-and-closes": lambda: playing(read_politely),
    "never-answers": lambda: playing(read_to_end),
    "drips": lambda: playing(read_once, drip(answer("200 OK", b"{}" * 50), gap=0.1)),
    "endless-head": lambda: playing(read_once, send(b"HTTP/1.1 200 OK\r\n"), forever(b"X: y\r\n" * 512)),
    "only-100-continue": lambda: playing(read_politely, send(b"HTTP/1.1 100 Continue\r\n\r\n"), read_to_end),
}


@pytest.mark.parametrize("name", ANSWERING)
def test_a_server_with_one_answer_for_everything_is_non_conformant(name: str, tmp_path: Path) -> None:
    with ANSWERING[name]() as server:
        report = judged(server.url, tmp_path)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.NON_CONFORMANT


@pytest.mark.parametrize("name", SILENT)
def test_a_server_that_answers_nothing_is_indeterminate(name: str, tmp_path: Path) -> None:
    with SILENT[name]() as server:
        report = judged(server.url, tmp_path)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.INDETERMINATE
    assert report.course.sent < report.planned


def test_a_port_where_nobody_listens_is_indeterminate(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = judged(f"http://127.0.0.1:{port}", tmp_path)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.INDETERMINATE


def test_a_name_that_does_not_resolve_is_indeterminate(tmp_path: Path) -> None:
    report = judged("http://nobody.invalid", tmp_path)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.INDETERMINATE


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """Behind it stands a server that would keep every clause."""
    calls: list[Call] = []

    def finish(call: Call, reply: Reply) -> Reply:
        calls.append(call)
        return reply

    with (
        running(replace(HONEST, finish=finish)) as url,
        always(answer("307 Temporary Redirect", b"", f"Location: {url}/")) as server,
    ):
        report = judged(server.url, tmp_path)
    assert calls == []
    assert_is_no_success(report, tmp_path)


class Count:
    """Calls so far, counted from any thread."""

    def __init__(self, enough: int) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._enough = enough
        self.reached = threading.Event()

    def one_more(self) -> bool:
        """Whether there were enough before."""
        with self._lock:
            self._calls += 1
            if self._calls > self._enough:
                self.reached.set()
        return self.reached.is_set()


@contextmanager
def stops_listening(count: Count) -> Iterator[str]:
    """The reference, until it has had enough: then its port is closed."""

    def finish(_call: Call, reply: Reply) -> Reply:
        count.one_more()
        return reply

    with ExitStack() as stack:
        url = stack.enter_context(running(replace(HONEST, finish=finish)))

        def close_when_reached() -> None:
            count.reached.wait(15)
            stack.close()

        watcher = threading.Thread(target=close_when_reached, daemon=True)
        watcher.start()
        yield url
        count.reached.set()
        watcher.join()


def falls_silent(count: Count) -> AbstractContextManager[str]:
    def render(call: Call, reply: Reply) -> bytes | NoReply:
        return SILENCE if count.one_more() else rendered(call, reply)

    return running(replace(HONEST, render=render))


def turns_into(count: Count, status: int, name: str) -> AbstractContextManager[str]:
    """The reference, until it has had enough: then it has one well-formed error for everything."""

    def finish(_call: Call, reply: Reply) -> Reply:
        if not count.one_more():
            return reply
        named = reply.with_header("x-amzn-ErrorType", name).with_header("Retry-After", "0")
        return replace(named, status=status, body=b'{"Message": "no"}')

    return running(replace(HONEST, finish=finish))


HALF_WAY: dict[str, Callable[[Count], AbstractContextManager[str]]] = {
    "stops-listening": stops_listening,
    "falls-silent": falls_silent,
    "says-500": lambda count: turns_into(count, 500, "InternalServerException"),
    "says-429": lambda count: turns_into(count, 429, "ThrottlingException"),
    "says-404": lambda count: turns_into(count, 404, "ResourceNotFoundException"),
}


# the server is killed while connections are being accepted, and asyncio may then leave one to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("stops-listening", 8),
        ("falls-silent", 100),
        ("says-500", 100),
        ("says-429", 100),
        ("says-404", 300),
    ],
)
def test_a_server_that_dies_half_way_is_no_success(name: str, after: int, tmp_path: Path) -> None:
    with HALF_WAY[name](Count(after)) as url:
        report = judged(url, tmp_path)
    assert_is_no_success(report, tmp_path)


@pytest.mark.parametrize("after", [1, 300])
def test_a_run_that_is_stopped_is_indeterminate(after: int, tmp_path: Path) -> None:
    """Ctrl-C at any time: what was seen is accounted for, and it is no verdict."""

    def interrupt(at: Progress) -> None:
        if at.seen == after:
            raise KeyboardInterrupt

    with running() as url:
        report = judged(url, tmp_path, interrupt)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.INDETERMINATE
    assert report.course.seen == after
    assert report.course.stopped_by_operator


def test_a_faulty_target_that_is_stopped_is_indeterminate(tmp_path: Path) -> None:
    """Failures that were seen before Ctrl-C stay in the report, but half a run condemns nobody."""

    def interrupt(at: Progress) -> None:
        if at.breached:
            raise KeyboardInterrupt

    with running(replace(HONEST, success_status=201)) as url:
        report = judged(url, tmp_path, interrupt)
    assert_is_no_success(report, tmp_path)
    assert report.conclusion is Conclusion.INDETERMINATE


def test_a_budget_that_is_used_up_is_indeterminate(tmp_path: Path) -> None:
    with running() as url:
        target = replace(target_at(url), limits=Limits(requests=50))
        report, _ = within_watchdog(run.prepare(target).go)
    run.write_all(report, tmp_path)
    assert_is_no_success(report, tmp_path)
    assert (report.conclusion, report.course.sent) == (Conclusion.INDETERMINATE, 50)


def slowly(seconds: float) -> Behaviour:
    def finish(_call: Call, reply: Reply) -> Reply:
        time.sleep(seconds)
        return reply

    return replace(HONEST, finish=finish)


def test_the_command_that_gets_sigint_writes_what_it_has(tmp_path: Path) -> None:
    """A real process: exit code 3, a whole report, and no traceback."""
    with running(slowly(0.03)) as url:
        file = tmp_path / "target.toml"
        text = shipped("fixtures", "targets", "reference.toml").read_text(encoding="utf-8")
        file.write_text(text.replace(REFERENCE.url, url), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "conformance.cli",
            "run",
            "--depth",
            "quick",
            "--target",
            str(file),
            "--out",
            str(tmp_path),
            "--gate",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            progress = next(line for line in process.stderr if "judged" in line)
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=LONGEST)
    assert process.returncode == 3, (progress, out, errors)
    assert "Traceback" not in errors
    assert "indeterminate" in out
    written = document.load(tmp_path / "report.json")
    assert written["conclusion"] == "indeterminate"
    assert 0 < written["run"]["judged"] < written["run"]["planned"]


@pytest.mark.parametrize("where", [lambda: nullcontext(None), lambda: playing(read_to_end)], ids=["nobody", "silent"])
def test_the_command_says_the_same(
    where: Callable[[], AbstractContextManager[HostileServer | None]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from conformance.cli import main

    with where() as server:
        url = server.url if server else "http://127.0.0.1:9"
        file = tmp_path / "target.toml"
        text = shipped("fixtures", "targets", "reference.toml").read_text(encoding="utf-8")
        text = text.replace(REFERENCE.url, url).replace("[limits]", "[limits]\nanswer_seconds = 0.4")
        file.write_text(text, encoding="utf-8")
        command = ["run", "--depth", "quick", "--target", str(file), "--out", str(tmp_path)]
        codes = [within_watchdog(lambda: main(command)), within_watchdog(lambda: main([*command, "--gate"]))]
    assert codes == [3, 3]
    assert "indeterminate" in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["conclusion"] == "indeterminate"
