"""``conformance replay``: what a report found is sent again, and what is said of it is true."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hostile import HostileServer, finish_writing, read_request, read_to_end, send, within_watchdog

from conformance import replay, run, selftest
from conformance.cli import main
from conformance.in_process import Connection, Server
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.patience import Open
from conformance.reference.app import HONEST, Behaviour, Reason
from conformance.reference.server import Session, running
from conformance.replay import Replayed
from conformance.report import document
from conformance.run import opener_for
from conformance.strains import behaviour_of
from conformance.target import Target, load

REFERENCE = load(selftest.REFERENCE)
ERRORS = dict(HONEST.errors)
FAULTY = replace(HONEST, success_status=201, errors=ERRORS | {Reason.IMAGE: (422, ERRORS[Reason.IMAGE][1])})
"""Two faults, one of good requests and one of bad ones."""
TYPED = "Content-Type: application/json\r\nx-amzn-RequestId: 6fe0ab26-6a3c-4c94-9c6a-7a1d0a6e3a52\r\n"
LINE = re.compile(r"(\S+): (still fails: expected .+, got .+|fails no longer|nothing can be said: .+)")


@dataclass(frozen=True)
class Run:
    """A run that found something, written into a folder."""

    folder: Path
    behaviour: Behaviour
    target: Target

    @property
    def failures(self) -> dict[str, dict[str, Any]]:
        rows = document.load(self.folder / "report.json")["clauses"]
        return {each["id"]: each for row in rows for each in row["failures"]}

    def connections(self, name: str) -> list[int]:
        """How many requests a failure has, on each of its connections."""
        return [len(row) for row in replay.unpack(self.folder / self.failures[name]["repeat"]["requests"])]

    def replayed(self, opener: Open, wanted: str | None = None, target: Target | None = None) -> dict[str, Replayed]:
        found = list(replay.replay(self.folder, wanted, opener, target or self.target))
        return {each.id: each for each in found}


def in_process(folder: Path, behaviour: Behaviour) -> Run:
    """A quick run in this process, one request at a time."""
    target = selftest.one_by_one(REFERENCE)
    report, _ = run.prepare(target, opener=Server(behaviour).open).go()
    run.write_all(report, folder, ())
    return Run(folder, behaviour, replay.target_of(document.load(folder / "report.json")))


def mutant(name: str) -> Behaviour:
    return behaviour_of(name, None)[0]


def target_file(folder: Path, url: str, more: str = "") -> Path:
    text = selftest.REFERENCE.read_text(encoding="utf-8")
    file = folder / "target.toml"
    file.write_text(text.replace(REFERENCE.url, url).replace("[limits]", f"[limits]\n{more}"), "utf-8")
    return file


@pytest.fixture(scope="module")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command's own run against a faulty server, which is gone by now."""
    folder = tmp_path_factory.mktemp("http")
    with running(FAULTY) as url:
        file = target_file(folder, url)
        assert main(["run", "--target", str(file), "--depth", "quick", "--out", str(folder), "--quiet"]) == 1
    return Run(folder, FAULTY, replay.target_of(document.load(folder / "report.json")))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return in_process(tmp_path_factory.mktemp("local"), FAULTY)


@pytest.fixture(scope="module")
def silent_in_part(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Some requests are not answered at all, and just that is the failure."""
    return in_process(tmp_path_factory.mktemp("silent"), mutant("invalid-requests-are-hung-up-on"))


@pytest.fixture
def copy(over_http: Run, tmp_path: Path) -> Run:
    """A copy of the run over HTTP, to be damaged."""
    shutil.copytree(over_http.folder, tmp_path / "copy")
    return replace(over_http, folder=tmp_path / "copy")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code, and what is said of each failure; not a word on standard error."""
    code = within_watchdog(lambda: main(["replay", *arguments]))
    out, errors = capsys.readouterr()
    assert errors == ""
    found = [LINE.fullmatch(line) for line in out.splitlines()]
    assert None not in found, out
    return code, {each[1]: each[2] for each in found if each}


def mistake(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """One sentence on standard error, exit code 2, nothing else."""
    assert main(["replay", *arguments]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert line.startswith("conformance: ")
    return line


class TestTheCommand:
    """conformance replay REPORT [ID], against a server on a socket."""

    def test_a_server_that_is_still_faulty_and_one_that_is_mended(
        self, over_http: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = list(over_http.failures)
        assert {"success.status-1", "error.pair-1"} <= set(names)
        with running(FAULTY) as url:
            code, found = said(capsys, str(over_http.folder), "--url", url)
            assert (code, list(found)) == (1, names)
            assert all(text.startswith("still fails: expected ") for text in found.values())
            assert found["success.status-1"] == "still fails: expected 200, got 201"
        with running() as url:
            code, found = said(capsys, str(over_http.folder), "--url", url)
        assert (code, found) == (0, dict.fromkeys(names, "fails no longer"))

    def test_the_server_of_the_report_is_asked(self, over_http: Run, capsys: pytest.CaptureFixture[str]) -> None:
        """Without --url it is the address in the report; the path of report.json itself will do."""
        with running(FAULTY, port=int(over_http.target.url.rpartition(":")[2])) as url:
            assert url == over_http.target.url
            code, found = said(capsys, str(over_http.folder / "report.json"), "success.status-1")
        assert (code, found) == (1, {"success.status-1": "still fails: expected 200, got 201"})

    def test_one_that_is_mended_and_one_that_is_not(self, over_http: Run, capsys: pytest.CaptureFixture[str]) -> None:
        with running(replace(HONEST, success_status=201)) as url:
            folder, at = str(over_http.folder), ("--url", url)
            assert said(capsys, folder, "error.pair-1", *at) == (0, {"error.pair-1": "fails no longer"})
            code, found = said(capsys, folder, *at)
        assert code == 1
        assert (found["success.status-1"], found["error.pair-1"]) == (
            "still fails: expected 200, got 201",
            "fails no longer",
        )

    @pytest.mark.parametrize(("word", "nearest"), [("success.statsu-1", "success.status-1"), ("q", None)])
    def test_an_unknown_id(
        self, word: str, nearest: str | None, over_http: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = mistake(capsys, str(over_http.folder), word)
        assert f"the report has no failure {word!r}" in line
        assert line.endswith(f"; did you mean {nearest!r}?" if nearest else "'q'")

    def test_a_server_that_is_gone_is_not_mended(self, over_http: Run, capsys: pytest.CaptureFixture[str]) -> None:
        code, found = said(capsys, str(over_http.folder), "--url", "http://127.0.0.1:9")
        assert code == 3
        assert list(found) == list(over_http.failures)
        assert set(found.values()) == {
            "nothing can be said: the target answered nothing: The connection failed: Connection refused."
        }

    @pytest.mark.parametrize("url", ["ftp://x", "http://127.0.0.1:8080/api"])
    def test_a_bad_url(self, url: str, over_http: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert "target.url" in mistake(capsys, str(over_http.folder), "--url", url)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def removed(path: Path) -> None:
    path.unlink()


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def holding(value: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")

    write.__name__ = "holding " + json.dumps(value)[:40]
    return write


def changed(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace('"sent": ', '"sent": 1'), encoding="utf-8")


ANYTHING = [cut, emptied, binary, removed, made_a_folder, holding([]), holding("{}"), holding("null")]
DEEP = holding("[" * 100_000)
HEAD = base64.b64encode(b"GET / HTTP/1.1\r\n\r\n").decode()
GOOD = {"head": HEAD, "body": "", "delivery": "whole"}


@pytest.mark.parametrize("damage", [*ANYTHING, DEEP, changed], ids=lambda each: each.__name__)
def test_a_damaged_report(damage: Callable[[Path], None], copy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    damage(copy.folder / "report.json")
    assert str(copy.folder / "report.json") in mistake(capsys, str(copy.folder))


def test_no_report_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert str(tmp_path / "nowhere" / "report.json") in mistake(capsys, str(tmp_path / "nowhere"))
    assert str(tmp_path / "report.json") in mistake(capsys, str(tmp_path))


@pytest.mark.parametrize(
    "damage",
    [
        *ANYTHING,
        DEEP,
        holding({"connections": []}),
        holding({"connections": [[]]}),
        holding({"connections": [[GOOD], []]}),
        holding({"connections": {"a": 1}}),
        holding({"connections": [[{**GOOD, "head": "%%%"}]]}),
        holding({"connections": [[{**GOOD, "body": 7}]]}),
        holding({"connections": [[{**GOOD, "delivery": "by mule"}]]}),
        holding({"connections": [[{**GOOD, "delivery": []}]]}),
        holding({"connections": [[{"head": HEAD, "delivery": "whole"}]]}),
    ],
    ids=lambda each: each.__name__,
)
def test_damaged_requests(damage: Callable[[Path], None], copy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the last failure: nothing is said of the others either, and nothing is sent."""
    name = list(copy.failures)[-1]
    damage(copy.folder / "repeat" / f"{name}.json")
    with running(replace(FAULTY, finish=refusing_to_be_asked)) as url:
        assert str(copy.folder / "repeat" / f"{name}.json") in mistake(capsys, str(copy.folder), "--url", url)


def refusing_to_be_asked(*_: object) -> Any:
    pytest.fail("something was sent")


def test_a_rule_that_there_is_no_more(copy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    written = document.load(copy.folder / "report.json")
    written.pop("closing")
    failure = next(each for row in written["clauses"] for each in row["failures"])
    failure["rule"] = "a-rule-of-old"
    written["closing"] = document._closing(written)
    (copy.folder / "report.json").write_text(json.dumps(written), encoding="utf-8")
    assert "this version has no rule 'a-rule-of-old'" in mistake(capsys, str(copy.folder))


class TestWhatIsSentAgain:
    """Failures of every shape, in this process."""

    def test_failures_of_sequences(self, tmp_path: Path) -> None:
        """One request after the other, on one connection: the first is needed to see the second go wrong."""
        found = in_process(tmp_path, mutant("error-sticks-to-the-connection"))
        assert any(found.connections(each) == [2] for each in found.failures)
        assert all(each.still for each in found.replayed(Server(found.behaviour).open).values())
        assert [str(each) for each in found.replayed(Server().open).values()] == [
            f"{each}: fails no longer" for each in found.failures
        ]

    @pytest.mark.parametrize("name", ["answers-are-kept-by-path", "first-model-stays-loaded"])
    def test_failures_that_need_a_past(self, name: str, tmp_path: Path) -> None:
        """A server that goes wrong only after other requests has not been mended by being started again."""
        found = in_process(tmp_path, mutant(name))
        assert any(found.connections(each) == [1] for each in found.failures)
        said = {each.id: each.still for each in found.replayed(Server(found.behaviour).open).values()}
        assert all(said.values()), said
        assert not any(each.still or each.untold for each in found.replayed(Server().open).values())

    def test_silence_that_was_the_failure(self, silent_in_part: Run) -> None:
        """A server that is alive and leaves this one request unanswered still fails, and says so of itself."""
        name = "http.answered-1"
        (again,) = silent_in_part.replayed(Server(silent_in_part.behaviour).open, name).values()
        assert again.still.startswith("one complete answer in time, got closed: ")
        (mended,) = silent_in_part.replayed(Server().open, name).values()
        assert str(mended) == f"{name}: fails no longer"

    def test_requests_that_are_no_http(self, tmp_path: Path) -> None:
        """A mended server may hang up on them: that is an answer."""
        found = in_process(tmp_path, mutant("malformed-requests-are-never-answered"))
        assert "http.malformed-1" in found.failures
        assert found.replayed(Server(found.behaviour).open)["http.malformed-1"].still
        hanging_up = replace(HONEST, render=mutant("malformed-requests-end-the-service").render)
        assert not found.replayed(Server(hanging_up).open)["http.malformed-1"].still


def test_failures_of_flights(tmp_path: Path) -> None:
    """Several requests at the same time, over sockets: only together do they go wrong."""
    behaviour = mutant("size-is-a-global")
    with running(behaviour) as url:
        target = replace(REFERENCE, url=url)
        report, _ = run.prepare(target).go()
        run.write_all(report, tmp_path, ())
        found = Run(tmp_path, behaviour, replay.target_of(document.load(tmp_path / "report.json")))
        flights = [name for name in found.failures if len(found.connections(name)) > 1]
        assert flights
        assert any(found.replayed(opener_for(target), name)[name].still for name in flights)
    with running() as url:
        mended = found.replayed(opener_for(replace(target, url=url)), target=replace(found.target, url=url))
    assert {str(each) for each in mended.values()} == {f"{name}: fails no longer" for name in found.failures}


class Dead:
    """Connections that all come to the same."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = 0

    def open(self) -> DeadConnection:
        return DeadConnection(self)


class DeadConnection(Connection):
    """One of them."""

    def __init__(self, server: Dead) -> None:
        super().__init__(Session(HONEST))
        self.server = server

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:  # noqa: ARG002
        self.server.asked += 1
        return self.server.answer


def refusing(status: int, name: str, *headers: tuple[bytes, bytes]) -> Response:
    pairs = ((b"content-type", b"application/json"), (b"x-amzn-errortype", name.encode()), *headers)
    return Response(status, pairs, b'{"Message": "no"}')


SILENCES = [NoAnswer(kind, "as if") for kind in Silence]


class TestDeadTargets:
    """Of a target that is not there, nothing can be said: least of all that it is mended."""

    @pytest.mark.parametrize("answer", SILENCES, ids=[each.kind for each in SILENCES])
    def test_no_answer(self, answer: NoAnswer, local: Run) -> None:
        server = Dead(answer)
        found = local.replayed(server.open)
        assert list(found) == list(local.failures)
        assert {each.untold for each in found.values()} == {"the target answered nothing: as if"}
        assert server.asked < 10, "one that is dead is not asked for everything"

    @pytest.mark.parametrize("kind", [Silence.CLOSED, Silence.TIMEOUT, Silence.UNREACHABLE])
    def test_silence_of_one_that_is_dead_is_no_finding(self, kind: Silence, silent_in_part: Run) -> None:
        """What failed by being unanswered, too."""
        found = silent_in_part.replayed(Dead(NoAnswer(kind, "as if")).open)
        assert not any(each.still for each in found.values())
        assert all(each.untold for each in found.values())

    @pytest.mark.parametrize(
        "answer",
        [
            refusing(502, "BadGateway"),
            refusing(503, "ServiceUnavailable"),
            refusing(429, "ThrottlingException", (b"retry-after", b"0")),
        ],
        ids=["502", "503", "429"],
    )
    def test_one_that_is_out_of_order(self, answer: Response, local: Run) -> None:
        found = local.replayed(Dead(answer).open)
        assert [str(each) for each in found.values() if not (each.still or each.untold)] == []
        assert str(answer.status) in found["success.status-1"].untold

    @pytest.mark.parametrize("how", ["accepts-and-closes", "502"])
    def test_the_command_says_so(self, how: str, over_http: Run, capsys: pytest.CaptureFixture[str]) -> None:
        page = f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\nConnection: close\r\n{TYPED}\r\n{{}}".encode()
        script = [read_request, send(page), finish_writing, read_to_end] if how == "502" else []
        with HostileServer(script) as server:
            code, found = said(capsys, str(over_http.folder), "success.status-1", "--url", server.url)
        assert code == 3
        assert found["success.status-1"].startswith("nothing can be said: ")

    def test_one_that_dies_half_way(self, local: Run) -> None:
        """What was still seen to fail is said, of the rest nothing is."""
        server, dead = Server(FAULTY), Dead(NoAnswer(Silence.RESET, "as if"))
        opened: list[int] = []

        def open_connection() -> Connection:
            opened.append(len(opened))
            return server.open() if len(opened) <= 1 else dead.open()

        found = list(local.replayed(open_connection).values())
        assert found[0].still
        assert found[-1].untold
        assert all(each.still or each.untold for each in found)


class TestLimits:
    """What the target asks of those who call it holds for a replay, too."""

    @pytest.mark.parametrize("budget", [1, 2, 5])
    def test_the_budget_is_kept(self, budget: int, local: Run) -> None:
        server = Dead(refusing(400, "ValidationException"))
        found = local.replayed(server.open, target=with_budget(local.target, budget))
        assert server.asked == budget
        assert list(found.values())[-1].untold == f"the budget of {budget} requests is used up"

    def test_a_budget_is_not_spent_on_nothing(self, local: Run) -> None:
        """One request, unanswered: there is none left for trying again or for a sign of life."""
        server = Dead(NoAnswer(Silence.CLOSED, "as if"))
        found = local.replayed(server.open, target=with_budget(local.target, 1))
        assert server.asked == 1
        assert {each.untold for each in found.values()} == {"the budget of 1 requests is used up"}

    def test_ctrl_c_ends_it(self, local: Run) -> None:
        """And is no mending."""

        def interrupted() -> Connection:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            local.replayed(interrupted)


def with_budget(target: Target, requests: int) -> Target:
    return replace(target, limits=replace(target.limits, requests=requests))
