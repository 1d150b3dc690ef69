"""How deep a run goes: what --examples, --minutes, --seed, --known-first and --no-shrink have it send, and no more."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hostile import within_watchdog
from PIL import Image

from conformance import exploration, run, selftest
from conformance.cases import explore
from conformance.cli import main
from conformance.contract.clauses import Level
from conformance.contract.picture import look_at
from conformance.exchange import Case
from conformance.exploration import DEPTHS, Depth
from conformance.in_process import Connection, Server
from conformance.known import MOST_BYTES, Known
from conformance.message import Answer, Delivery, Request
from conformance.reduce import TRIES
from conformance.reference.app import HONEST, Behaviour, Call, Model, Reason
from conformance.reference.detector import Detection
from conformance.reference.server import running
from conformance.report import document
from conformance.report.record import Conclusion, Report
from conformance.strains import behaviour_of
from conformance.target import Target, load

ERRORS = dict(HONEST.errors)
FAULTY = replace(HONEST, success_status=201)
REFUSING_ODDLY = replace(HONEST, errors=ERRORS | {Reason.PROJECT: (422, ERRORS[Reason.PROJECT][1])})
LARGE = behaviour_of("names-have-at-most-63-characters", None)[0]
"""Its smallest failing request is not a small one."""
STRAINS = {"successes": FAULTY, "refusals": REFUSING_ODDLY, "long names": LARGE}
ANNOUNCED = re.compile(
    r"judging .+ at http://\S+: (\d+) requests, of which at most (\d+) have a model look at a sound image; seed (\S+)"
)


SMALL = {"VALUES": 20, "SPELLINGS": 20, "METHODS": 10, "LAWFUL_DRESSES": 10, "SOUND": 6, "DAMAGED": 10, "OTHERS": 10}


@pytest.fixture(autouse=True)
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw little: how much is sent has nothing to do with it."""
    for name, value in SMALL.items():
        monkeypatch.setattr(explore, name, value)


class Ledger(Server):
    """The reference in this process; it lists everything that is sent, and counts the looks at sound images."""

    def __init__(self, behaviour: Behaviour = HONEST) -> None:
        self.looks = 0
        self.sent: list[tuple[bytes, Delivery]] = []
        self._lock = threading.Lock()
        super().__init__(replace(behaviour, detect=self._looking(behaviour.detect)))

    def _looking(self, detect: Callable[[Call, Model, Image.Image], Detection]) -> Any:
        def counted(call: Call, model: Model, image: Image.Image) -> Detection:
            with self._lock:
                self.looks += look_at(call.body).sound
            return detect(call, model, image)

        return counted

    def open(self) -> Connection:
        connection = super().open()
        exchange = connection.exchange

        def noted(request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
            with self._lock:
                self.sent.append((request.wire, delivery))
            return exchange(request, delivery)

        connection.exchange = noted  # type: ignore[method-assign]
        return connection

    @property
    def digest(self) -> str:
        """Of all requests, whatever the order in which they came."""
        lines = sorted(f"{sha256(wire).hexdigest()} {delivery}" for wire, delivery in self.sent)
        return sha256("\n".join(lines).encode()).hexdigest()


def reference(requests: int | None = None, *, concurrency: int = 4) -> Target:
    """The reference's target, with a budget."""
    target = load(selftest.REFERENCE)
    return replace(target, limits=replace(target.limits, requests=requests, concurrency=concurrency))


def prepared(ledger: Ledger, depth: Depth, target: Target | None = None, **options: Any) -> run.Prepared:
    return run.prepare(target or reference(), depth=depth, opener=ledger.open, **options)


@cache
def honest(depth: str) -> tuple[Ledger, run.Prepared, Report]:
    """A run against the honest reference, done once."""
    ledger = Ledger()
    whole = prepared(ledger, DEPTHS[depth])
    return ledger, whole, whole.go()[0]


def assert_is_fine(report: Report) -> None:
    """Nothing failed, and nothing was left out for want of time or leave."""
    assert report.failed(Level.MUST) == []
    assert report.course.cut_off == ""
    assert report.conclusion in (Conclusion.CONFORMANT, Conclusion.PARTIAL)


def fixed() -> int:
    """How many requests every run sends."""
    return honest("quick")[1].planned


def target_file(folder: Path, url: str, more: str = "") -> Path:
    text = selftest.REFERENCE.read_text(encoding="utf-8")
    file = folder / "target.toml"
    file.write_text(text.replace(reference().url, url).replace("[limits]", f"[limits]\n{more}"), "utf-8")
    return file


def announced(errors: str) -> tuple[int, int, str]:
    """Requests, looks and seed, as announced on standard error."""
    found = ANNOUNCED.match(" ".join(errors.split("\n")[:1]))
    assert found, errors
    return int(found[1]), int(found[2]), found[3]


class TestWhatIsAnnounced:
    """The number of requests, and of those among them that cost model time, is never exceeded."""

    @pytest.mark.parametrize("depth", ["quick", "standard"])
    def test_no_more_is_sent_than_announced(self, depth: str) -> None:
        ledger, whole, report = honest(depth)
        assert_is_fine(report)
        assert 0.95 * whole.planned <= len(ledger.sent) <= whole.planned
        assert len(ledger.sent) == report.course.sent
        assert 0.5 * whole.looks <= ledger.looks <= whole.looks
        assert (report.planned, report.looks) == (whole.planned, whole.looks)

    def test_standard_is_some_300_more_than_quick(self) -> None:
        (quick, _, _), (standard, _, _) = honest("quick"), honest("standard")
        assert 280 <= len(standard.sent) - len(quick.sent) <= 300
        assert 0 < standard.looks - quick.looks <= DEPTHS["standard"].looks


class TestExamples:
    """--examples N, and a budget beside it."""

    def test_about_as_many_more_are_sent(self) -> None:
        ledger, number = Ledger(), 60
        whole = prepared(ledger, Depth.of("standard", examples=number))
        assert whole.planned == fixed() + number
        assert_is_fine(whole.go()[0])
        assert 0.9 * number <= len(ledger.sent) - fixed() <= number

    def test_a_budget_leaves_room_for_fewer(self) -> None:
        """And for trying again: the run is not cut off, and the budget not used up."""
        ledger, budget = Ledger(), fixed() + 120
        whole = prepared(ledger, Depth.of("quick", examples=400), reference(budget))
        report, _ = whole.go()
        assert fixed() < len(ledger.sent) <= whole.planned < budget
        assert_is_fine(report)

    @pytest.mark.parametrize(
        ("short", "behaviour"),
        [(30, HONEST), (0, HONEST), (0, REFUSING_ODDLY), (-3, REFUSING_ODDLY)],
        ids=["too-small", "just-enough", "nothing-left-for-shrinking", "hardly-anything-left-for-it"],
    )
    def test_a_budget_is_never_exceeded(self, short: int, behaviour: Behaviour) -> None:
        """Shrinking included."""
        ledger, budget = Ledger(behaviour), fixed() - short
        report, _ = prepared(ledger, Depth.of("quick", examples=400), reference(budget)).go()
        assert len(ledger.sent) == report.course.sent <= budget
        assert bool(report.course.cut_off) is (short > 0)

    @pytest.mark.parametrize("option", ["--examples", "--minutes"])
    @pytest.mark.parametrize("value", ["0", "-1", "-0.5", "nan", "inf", "1e999", "many", "", "1,5", "²"])
    def test_what_is_no_number(self, option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
        """One sentence, and nothing is sent."""
        with pytest.raises(SystemExit) as ended:
            main(["run", "http://127.0.0.1:9", "--classification", "cookies/1", option, value])
        assert ended.value.code == 2
        last = capsys.readouterr().err.splitlines()[-1]
        kind = "whole number of at least 1" if option == "--examples" else "number of minutes above 0"
        assert last == f"conformance run: error: argument {option}: {value!r} is no {kind}"


class Clock:
    """A clock that moves on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


class TestMinutes:
    """--minutes M: all fixed cases, and then as many as fit."""

    def test_it_ends_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Singles and sequences together, and the clock is no reason to call the run cut off."""
        monkeypatch.setattr(exploration, "time", Clock())
        ledger = Ledger()
        whole = prepared(ledger, Depth.of("standard", minutes=2))
        report, _ = within_watchdog(whole.go)
        more = list(whole.explorer.singles())
        assert 100 <= len(more) <= 108
        assert len(more) + 12 <= len(ledger.sent) - fixed() <= len(more) + 12 * 5
        assert_is_fine(report)

    def test_examples_and_minutes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whichever is used up first."""
        monkeypatch.setattr(exploration, "time", Clock())
        ledger = Ledger()
        prepared(ledger, Depth.of("standard", minutes=100, examples=20)).go()
        assert 18 <= len(ledger.sent) - fixed() <= 20

    def test_a_budget_ends_it_sooner(self) -> None:
        ledger, budget = Ledger(), fixed() + 100
        whole = prepared(ledger, Depth.of("standard", minutes=100), reference(budget))
        report, _ = within_watchdog(whole.go)
        assert fixed() < len(ledger.sent) <= budget
        assert_is_fine(report)

    def test_the_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Hardly a second, by the real clock."""
        with running() as url:
            command = [
                "run",
                "--target",
                str(target_file(tmp_path, url)),
                "--out",
                str(tmp_path),
                "--minutes",
                "0.01",
                "--gate",
            ]
            assert within_watchdog(lambda: main(command)) == 0
        out, errors = capsys.readouterr()
        assert "as many requests as fit into 0.01 minutes, " in errors
        assert "verdict on reference: " in out
        written = document.load(tmp_path / "report.json")
        assert (written["conclusion"], written["run"]["cut_off"]) in (("conformant", ""), ("partial", ""))
        assert written["run"]["sent"] >= fixed()


class TestSeeds:
    """The same seed, the same requests."""

    def test_the_seed_decides(self) -> None:
        digests = []
        for seed in ("7", "7", "8"):
            ledger = Ledger()
            prepared(ledger, Depth.of("quick", examples=40), seed=seed).go()
            digests.append(ledger.digest)
        assert digests[0] == digests[1]
        assert digests[0] != digests[2]

    @pytest.mark.parametrize(
        ("options", "fresh"),
        [
            (["--depth", "deep"], True),
            (["--minutes", "1"], True),
            (["--depth", "quick", "--examples", "300"], False),
        ],
        ids=lambda each: " ".join(each) if isinstance(each, list) else "",
    )
    def test_deep_runs_draw_a_fresh_one(
        self, options: list[str], fresh: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Announced before anything is sent, here to nobody."""
        command = ["run", "--target", str(target_file(tmp_path, "http://127.0.0.1:9")), "--out", str(tmp_path)]
        seeds = []
        for _ in range(2):
            assert main([*command, *options]) == 3
            seeds.append(capsys.readouterr().err.splitlines()[0].rpartition("; seed ")[2])
        assert (len(set(seeds)) == 2) is fresh
        assert fresh or seeds[0] == "0"
        assert document.load(tmp_path / "report.json")["run"]["seed"] == seeds[-1]

    def test_a_seed_that_was_printed_can_be_given(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A deep run, kept short by a budget: what came to the server is the same the second time."""
        calls: set[str] = set()
        with running(replace(HONEST, finish=noting(calls))) as url:
            file = target_file(tmp_path, url, f"requests = {fixed() + 90}")
            command = ["run", "--target", str(file), "--out", str(tmp_path), "--depth", "deep"]
            main(command)
            requests, looks, seed = announced(capsys.readouterr().err)
            first = set(calls)
            calls.clear()
            main([*command, "--seed", seed])
            assert announced(capsys.readouterr().err) == (requests, looks, seed)
        assert calls == first
        assert len(first) > 300


def noting(calls: set[str]) -> Any:
    def finish(call: Call, reply: Any) -> Any:
        calls.add(sha256(repr((call.method, call.target, call.headers, call.body)).encode()).hexdigest())
        return reply

    return finish


@cache
def shrunk(shrink: bool, strain: str) -> tuple[Ledger, run.Prepared, Report]:
    """A quick run, done once, with one request in flight."""
    ledger = Ledger(STRAINS[strain])
    whole = prepared(ledger, DEPTHS["quick"], reference(concurrency=1), shrink=shrink)
    return ledger, whole, whole.go()[0]


class TestShrinking:
    """Findings are made smaller with a bounded number of requests, or with none."""

    @pytest.mark.parametrize("strain", STRAINS)
    def test_no_shrink_sends_nothing_more(self, strain: str) -> None:
        ledger, whole, report = shrunk(False, strain)
        assert report.conclusion is Conclusion.NON_CONFORMANT
        assert len(ledger.sent) <= whole.planned
        assert ledger.looks <= whole.looks

    @pytest.mark.parametrize("strain", STRAINS)
    def test_the_number_is_bounded(self, strain: str) -> None:
        (without, whole, _), (ledger, _, report) = shrunk(False, strain), shrunk(True, strain)
        failed = {failure.rule for row in report.rows for failure in row.failures}
        assert 0 < len(ledger.sent) - len(without.sent) <= TRIES * len(failed)
        assert ledger.sent[: len(without.sent)] == without.sent
        assert report.planned == whole.planned

    def test_findings_do_become_smaller(self) -> None:
        (_, _, before), (_, _, after) = shrunk(False, "long names"), shrunk(True, "long names")
        assert sizes(after).keys() == sizes(before).keys()
        assert all(sizes(after)[clause] <= size for clause, size in sizes(before).items())
        assert sum(sizes(after).values()) < sum(sizes(before).values())
        assert counts(after) == counts(before), "what is sent for shrinking is not counted"

    def test_a_budget_that_does_not_last_for_it_cuts_nothing_off(self) -> None:
        """A remark alone: all that was planned has been sent, and a remark makes nobody non-conformant."""
        ledger = Ledger(behaviour_of("message-begins-in-lower-case", None)[0])
        target = reference(shrunk(False, "successes")[1].planned + 1, concurrency=1)
        report, _ = prepared(ledger, DEPTHS["quick"], target).go()
        assert [row.clause.id for row in report.rows if row.failures] == ["error.message-spelling"]
        assert len(ledger.sent) == target.limits.requests
        assert_is_fine(report)


def sizes(report: Report) -> dict[str, int]:
    """Of the smallest request that shows it, for each clause that failed."""
    return {row.clause.id: len(row.failures[0].request.wire) for row in report.rows if row.failures}


def counts(report: Report) -> list[tuple[str, int, int]]:
    return [(row.clause.id, row.judged, row.breached) for row in report.rows]


def singles(report: Report) -> set[tuple[bytes, Delivery]]:
    """The requests that show a failure by themselves."""
    failures = [failure for row in report.rows for failure in row.failures]
    alone = [each.connections[0][0] for each in failures if [len(row) for row in each.connections] == [1]]
    return {(case.request.wire, case.delivery) for case in alone}


class TestKnownFirst:
    """--known-first: what failed before is sent first."""

    def test_what_failed_is_kept_and_sent_first(self, tmp_path: Path) -> None:
        _, _, report = shrunk(True, "refusals")
        Known(tmp_path, "one").keep(report)
        cases = list(Known(tmp_path, "one").cases())
        assert {(case.request.wire, case.delivery) for case in cases} == singles(report) != set()
        assert [case.id for case in cases] == [f"known.{number}" for number in range(1, len(cases) + 1)]
        assert list(Known(tmp_path, "one").cases()) == cases, "in a stable order"
        assert list(Known(tmp_path, "another").cases()) == []

        ledger = Ledger(REFUSING_ODDLY)
        whole = prepared(ledger, DEPTHS["quick"], reference(concurrency=1), shrink=False)
        more = whole.beginning_with(cases)
        assert (more.planned, more.looks) == (whole.planned + len(cases), whole.looks + len(cases))
        again, _ = more.go()
        first = 2 * len(whole.plan.witnesses)
        assert ledger.sent[first : first + len(cases)] == [(case.request.wire, case.delivery) for case in cases]
        assert len(ledger.sent) <= more.planned
        assert "known.1" in {failure.case for row in again.rows for failure in row.failures}

    def test_what_was_mended_fails_no_longer(self, tmp_path: Path) -> None:
        Known(tmp_path, "one").keep(shrunk(True, "refusals")[2])
        cases = list(Known(tmp_path, "one").cases())
        ledger = Ledger()
        report, _ = prepared(ledger, DEPTHS["quick"]).beginning_with(cases).go()
        assert cases
        assert_is_fine(report)
        assert len(ledger.sent) == fixed() + len(cases)

    def test_what_cannot_be_read_is_forgotten(self, tmp_path: Path) -> None:
        known = Known(tmp_path, "one")
        known.keep(shrunk(True, "successes")[2])
        kept = list(known.cases())
        good = base64.b64encode(b"GET / HTTP/1.1\r\n\r\n").decode()
        damaged = [
            b"",
            b"\xff\xfe",
            b"{",
            b"[]",
            b"null",
            b"7",
            b'"text"',
            b"[" * 100_000,
            b'{"head": 7, "body": "", "delivery": "whole"}',
            b'{"head": "%%", "body": "", "delivery": "whole"}',
            json.dumps({"head": good, "delivery": "whole"}).encode(),
            json.dumps({"head": good, "body": "", "delivery": "by mule"}).encode(),
            json.dumps({"head": good, "body": "", "delivery": []}).encode(),
        ]
        for value in damaged:
            known._database.save(known._key, value)
        (folder,) = {file.parent for file in tmp_path.rglob("*") if file.is_file() and file.read_bytes() in damaged}
        (folder / "altered").write_bytes(b"altered")
        (folder / "folder").mkdir()
        assert [case.request for case in known.cases()] == [case.request for case in kept]
        assert set(known._database.fetch(known._key)).isdisjoint(damaged)

    def test_nothing_but_requests_of_some_size_is_kept(self, tmp_path: Path) -> None:
        """No answer, no URL, no name; nothing large; nothing that takes several requests."""
        report = shrunk(True, "successes")[2]
        row = next(row for row in report.rows if row.failures)
        one = row.failures[0]
        wire = one.connections[0][0].request

        def like(name: str, *connections: tuple[Case, ...]) -> Any:
            return replace(one, id=name, connections=connections)

        large = Case("large", replace(wire, body=b"x" * MOST_BYTES))
        small = Case("small", replace(wire, body=b"x"))
        failures = (
            like("large", (large,)),
            like("turn", (small, small)),
            like("flight", (small,), (small,)),
            like("small", (Case("small", wire, Delivery.PIECES),)),
        )
        Known(tmp_path, "one").keep(replace(report, rows=(replace(row, failures=failures),)))
        (case,) = Known(tmp_path, "one").cases()
        assert (case.request, case.delivery) == (wire, Delivery.PIECES)
        written = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
        (entry,) = [json.loads(data) for data in written if data.startswith(b"{")]
        assert entry.keys() == {"head", "body", "delivery"}
        assert sum(map(len, written)) < len(json.dumps(entry)) + 100

    def test_a_budget_is_kept(self) -> None:
        """Less is explored, and the run is not cut off for what is known."""
        ledger, budget = Ledger(), fixed() + 220
        whole = prepared(ledger, DEPTHS["standard"], reference(budget))
        odd = [
            Case(f"known.{n}", Request.build("POST", f"/{n}", [("Host", "x"), ("Content-Length", "0")]))
            for n in range(100)
        ]
        more = whole.beginning_with(odd)
        report, _ = more.go()
        assert more.planned < budget
        assert fixed() + len(odd) < len(ledger.sent) <= more.planned
        assert_is_fine(report)

    def test_a_budget_that_is_too_small_for_it_is_kept_too(self) -> None:
        ledger = Ledger()
        cases = [Case("known.1", Request(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))] * 50
        report, _ = prepared(ledger, DEPTHS["quick"], reference(fixed())).beginning_with(cases).go()
        assert len(ledger.sent) == fixed()
        assert report.conclusion is Conclusion.INDETERMINATE

    def test_the_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Kept by every run, and used when asked for; over sockets, requests in flight."""
        with running(FAULTY) as url:
            file = target_file(tmp_path, url)
            command = ["run", "--target", str(file), "--out", str(tmp_path), "--depth", "quick"]
            assert main([*command, "--known-first"]) == 1
            assert announced(capsys.readouterr().err)[0] == fixed()
            kept = list(Known(tmp_path / "known", "reference").cases())
            assert kept
            assert main([*command, "--known-first", "--no-shrink"]) == 1
            requests, looks, _ = announced(capsys.readouterr().err)
        assert requests == fixed() + len(kept)
        written = document.load(tmp_path / "report.json")
        assert (written["run"]["planned"], written["run"]["looks"]) == (requests, looks)
        assert written["run"]["sent"] <= requests, "nothing is sent for shrinking"
        failures = [each for row in written["clauses"] for each in row["failures"]]
        assert any(each["case"].startswith("known.") for each in failures)

    def test_a_place_where_nothing_can_be_kept(self, tmp_path: Path) -> None:
        """That is no reason for a run to fail."""
        (tmp_path / "known").write_text("in the way", encoding="utf-8")
        known = Known(tmp_path / "known", "one")
        known.keep(shrunk(True, "successes")[2])
        assert list(known.cases()) == []
        assert (tmp_path / "known").read_text(encoding="utf-8") == "in the way"
