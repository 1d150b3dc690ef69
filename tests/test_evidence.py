"""Evidence: what a run has seen can be judged again, to the byte, and nobody can change it unnoticed."""

from __future__ import annotations

import copy
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance import run, selftest
from conformance.cli import main
from conformance.contract.clauses import Level
from conformance.course import Course, Progress
from conformance.evidence import blobs, book, rejudge
from conformance.evidence.blobs import BlobReader, BlobWriter, DamagedBlobs
from conformance.evidence.book import Book, DamagedEvidence
from conformance.evidence.log import BLOBS, LINES, SCHEMA, EvidenceLog
from conformance.evidence.rejudge import closing, opening, rejudged
from conformance.exchange import Exchange
from conformance.exploration import DEPTHS, Depth
from conformance.in_process import Server
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST
from conformance.reference.mutants import MUTANTS
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report import document, junit, markdown
from conformance.report.record import Conclusion, Outcome, Report
from conformance.rule import Rule
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.target import RUNNING, Limits, Size, Target

STRAINS: dict[str, Mutant | Variant] = {
    **{mutant.id: mutant for mutant in MUTANTS},
    **{variant.id: variant for variant in VARIANTS},
}
FAULTY = """
answer-ends-ten-bytes-early answer-is-sent-twice answer-to-head-has-a-body chunk-has-no-end
chunked-uploads-are-hung-up-on connection-is-trusted-after-one-signature connection-repeats-its-first-answer
continue-has-a-body continue-has-no-end every-thirteenth-answer-is-a-fault fault-is-not-answered head-has-no-end
header-has-a-nul header-is-folded last-chunk-follows-the-answer length-stands-beside-chunks
line-end-precedes-the-next-answer members-stay-from-the-answer-before success-has-a-byte-order-mark
throttled-requests-are-not-answered unknown-resources-are-never-answered
""".split()
SHRUNK = {"answer-is-sent-twice", "chunked-uploads-are-hung-up-on", "head-has-no-end"}
"""Those whose findings are made smaller, too."""
LAWFUL = """
body-ends-with-the-connection chunk-has-extensions-and-trailers continue-is-said-before-every-answer
decision-is-thrown-like-dice every-answer-is-the-last status-line-is-http-1-0-without-a-length
""".split()

NOWHERE = "run http://127.0.0.1:9 --classification cookies/1 --depth quick --quiet --out".split()


@cache
def small() -> Target:
    """The reference with every state and small pictures, one request at a time."""
    target = selftest.one_by_one(selftest.reference())
    scenes = {
        name: replace(scene, image=Size(64, 64)) if name in RUNNING else scene for name, scene in target.scenes.items()
    }
    return replace(target, scenes=scenes)


@cache
def prepared(signed: bool = False) -> run.Prepared:
    target = selftest.guarded(small()) if signed else small()
    return run.prepare(target, environ=selftest.KEYS)


@cache
def short() -> run.Prepared:
    """A run that sends a handful of requests."""
    whole = prepared()
    plan = replace(whole.plan, singles=whole.plan.singles[:10], sequences=whole.plan.sequences[:1], flights=())
    return replace(whole, plan=plan)


def kept(strain: str, folder: Path) -> Report:
    """The report on a strain, whose evidence lies in the folder."""
    chosen = STRAINS[strain]
    ready = prepared(chosen.guarded)
    thinned = [
        case
        for number, case in enumerate(ready.plan.singles)
        if not case.id.startswith(("version.", "project.", "path.", "route.", "body.")) or number % 5 == 0
    ]
    ready = replace(ready, plan=replace(ready.plan, singles=tuple(thinned)), shrink=strain in SHRUNK)
    report, _ = ready.against(selftest.in_process(chosen)).go(evidence=folder)
    return report


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LINES).read_text(encoding="utf-8").splitlines()]


def assert_is_the_same_again(report: Report, folder: Path) -> None:
    """All three forms, byte for byte, and the closing record of the report with them."""
    again = rejudged(folder)
    assert json.dumps(document.to_document(again), indent=2) == json.dumps(document.to_document(report), indent=2)
    assert junit.render(again) == junit.render(report)
    assert markdown.render(again) == markdown.render(report)


@cache
def schema() -> Draft202012Validator:
    text = shipped("schemas", "evidence.schema.json").read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))
    return Draft202012Validator(json.loads(text))


def features(folder: Path) -> Iterator[str]:
    """What there is to be found in a log."""
    for row in rows_of(folder)[1:-1]:
        yield from row.keys() - {"n", "case", "request", "answer", "seconds"}
        status, *_, last = row["answer"]
        yield from [status] if isinstance(status, str) else []
        yield from last if isinstance(last, dict) else []


class TestAgain:
    """The same report, from the evidence alone."""

    def test_of_an_honest_server(self, tmp_path: Path) -> None:
        report, _ = prepared().against(Server()).go(evidence=tmp_path)
        assert report.conclusion is Conclusion.CONFORMANT
        assert report.seconds == round(report.seconds, 3)  # or Markdown, which rounds it further, might differ
        assert_is_the_same_again(report, tmp_path)
        assert {"before", "alone", "delivery", "circumstance", "interim", "closes", "aborted"} <= set(
            features(tmp_path)
        )

    @pytest.mark.parametrize("strain", LAWFUL)
    def test_of_an_odd_one(self, strain: str, tmp_path: Path) -> None:
        report = kept(strain, tmp_path)
        assert report.failed(Level.MUST) == []
        assert_is_the_same_again(report, tmp_path)

    def test_of_flights(self, tmp_path: Path) -> None:
        """Requests in flight together are compared with each as it was answered by itself."""
        strain = STRAINS["answer-is-a-global"]
        whole = run.prepare(replace(small(), states={}, limits=Limits(concurrency=4)), only=("isolation",))
        flights = replace(whole, plan=replace(whole.plan, singles=(), sequences=()))
        with selftest.served(strain, http=True) as reached:
            report, _ = flights.against(reached).go(evidence=tmp_path)
        assert_is_the_same_again(report, tmp_path)
        assert {"beside", "alone"} <= set(features(tmp_path))
        assert [row.clause.id for row in report.rows if row.outcome is Outcome.FAILED]
        for row in rows_of(tmp_path):
            schema().validate(row)

    @pytest.mark.parametrize("strain", FAULTY)
    def test_of_a_faulty_one(self, strain: str, tmp_path: Path) -> None:
        report = kept(strain, tmp_path)
        assert [row for row in report.rows if row.outcome is Outcome.FAILED]
        assert_is_the_same_again(report, tmp_path)

    def test_they_have_everything_in_them(self, tmp_path: Path) -> None:
        """Shrunk findings, stray bytes, broken answers: what is hard to keep is among what is tried."""
        found = set()
        chosen = "answer-is-sent-twice head-has-no-end unknown-resources-are-never-answered continue-has-no-end".split()
        for strain in chosen:
            folder = tmp_path / strain
            folder.mkdir()
            kept(strain, folder)
            found |= set(features(folder))
            for row in rows_of(folder):
                schema().validate(row)
        assert {"rule", "faults", "interim", "closes", "timeout", "malformed"} <= found

    def test_of_a_flaky_one(self, tmp_path: Path) -> None:
        """Answers that were lost at first are part of the evidence."""
        report, _ = prepared().against(Flaky(7)).go(evidence=tmp_path)
        assert report.course.unsteady
        assert_is_the_same_again(report, tmp_path)
        assert {"lost", "closed"} <= set(features(tmp_path))
        for row in rows_of(tmp_path):
            schema().validate(row)

    def test_of_an_exploration(self, tmp_path: Path) -> None:
        """Three thousand requests: little is kept of each beyond the bodies, and memory does not grow with them."""
        alive: list[int] = []
        explored = run.prepare(small(), depth=Depth(3000, 300), shrink=False)

        def watched(_: Progress) -> None:
            if len(alive) % 500 == 0:
                [log] = [log for log in logs if log]
                alive.append(len(log._numbers._of))
            else:
                alive.append(0)

        logs: list[EvidenceLog] = []
        original = EvidenceLog.__init__

        def remembered(self: EvidenceLog, *more: Any) -> None:
            original(self, *more)
            logs.append(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EvidenceLog, "__init__", remembered)
            report, _ = explored.against(Server()).go(watched, tmp_path)
        logs.clear()
        assert report.course.seen > 3400
        assert_is_the_same_again(report, tmp_path)
        assert alive[-1] <= max(alive) < 600
        assert extra_bytes(tmp_path) / report.course.seen < 200

    def test_of_one_who_remembers_little(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A blob that was forgotten is written again, and everything still fits."""
        monkeypatch.setattr(blobs, "REMEMBERED", 4)
        report = kept("answer-is-sent-twice", tmp_path)
        assert_is_the_same_again(report, tmp_path)
        with Book(tmp_path) as read:
            everything = [read._blobs[number] for number in range(len(read._blobs))]
        assert len(set(everything)) < len(everything)

    def test_what_others_are_compared_with_need_not_have_been_judged(self, tmp_path: Path) -> None:
        """It is written before them, with its bytes, and is not judged again either."""
        first, second = prepared().plan.witnesses[:2]
        reading = prepared_reading(first.request)
        alone = Exchange(first, reading, answered(b"alone"))
        again = Exchange(first, reading, answered(b"again"), alone=alone)
        before = Exchange(second, prepared_reading(second.request), answered(b"before"))
        last = Exchange(first, reading, answered(b"last"), before=before, alone=again, beside=(again, alone))
        log = begun(tmp_path)
        log.add(last)
        log.add(again)
        log.close(closing(Course(), 1.0))
        with Book(tmp_path) as read:
            entries = list(read.entries(small()))
        assert [
            (each.exchange.answer.body, each.judged) for each in entries if isinstance(each.exchange.answer, Response)
        ] == [
            (b"before", False),
            (b"alone", False),
            (b"again", False),
            (b"last", True),
        ]
        assert entries[-1].exchange == last
        assert entries[-1].exchange.beside[0] is entries[-1].exchange.alone

    def test_of_a_run_that_was_stopped(self, tmp_path: Path) -> None:
        def interrupt(at: Progress) -> None:
            if at.seen == 20:
                raise KeyboardInterrupt

        report, _ = prepared().against(Server()).go(interrupt, tmp_path)
        assert_is_the_same_again(report, tmp_path)
        again = rejudged(tmp_path)
        assert again.course.stopped_by_operator
        assert (again.conclusion, again.reason) == (Conclusion.INDETERMINATE, "stopped by the operator")
        assert rows_of(tmp_path)[-1]["closing"]["exchanges"] == 20

    def test_of_a_run_in_which_we_failed(self, tmp_path: Path) -> None:
        """An error of ours leaves evidence, too."""

        def fail(at: Progress) -> None:
            if at.seen == 20:
                raise RuntimeError("ours")

        with pytest.raises(RuntimeError, match="ours"):
            prepared().against(Server()).go(fail, tmp_path)
        assert rejudged(tmp_path).course.seen == 20

    def test_of_a_mishap(self, tmp_path: Path) -> None:
        from conformance.hooks import HookFailed
        from conformance.provisions import State

        class Failing(Server):
            def enter(self, state: State) -> None:
                raise HookFailed(f"the hook {state.name} failed: \x1b[31mred")

        report, _ = short().against(Failing()).go(evidence=tmp_path)
        assert_is_the_same_again(report, tmp_path)
        assert any("the hook" in row.reason for row in rejudged(tmp_path).rows)

    def test_of_every_kind_of_answer(self, tmp_path: Path) -> None:
        """Read from the bytes again, an answer is the one that it was."""
        from conformance.wire.answers import Caps, Reader

        wires = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodystray",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nTrailer: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\nstray",
            b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
            b"HTTP/1.1 204 None\r\n\r\nbody all the same",
            b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\nX : y\r\n folded\r\n\r\nbody",
            b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            b"HTTP/1.1  200\r\nContent-Length: x\r\n\r\nwhatever",
            b"HTTP/1.1 101 Switching\r\n\r\n",
            b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: " + bytes(range(128, 256)) + b"\0\r\n\r\nbody",
            b"",
        ]
        log = begun(tmp_path)
        written: list[Exchange] = []
        for number, wire in enumerate(wires):
            for method in ("POST", "HEAD", "CONNECT"):
                request = Request.build(method, "/", [("Host", "x"), ("Upgrade", "y")] if number % 2 else [])
                reader = Reader(request.method, Caps(), upgrade_asked=bool(number % 2))
                reader.feed(wire)
                if reader.answer is None:
                    reader.feed_eof()
                answer = reader.answer
                assert answer is not None
                late = replace(answer, wire=answer.wire + b"late") if isinstance(answer, Response) else answer
                until_the_end = wire.endswith((b"until the end", b"whatever")) and method == "POST"
                for each in (answer, *([] if until_the_end else [late])):
                    case = replace(prepared().plan.witnesses[0], request=request)
                    written.append(Exchange(case, prepared_reading(request), each))
                    log.add(written[-1])
        log.close(closing(Course(), 1.0))
        with Book(tmp_path) as read:
            assert [entry.exchange for entry in read.entries(small())] == written


class Flaky(Server):
    """Hangs up on every so-manieth request without a word."""

    def __init__(self, every: int) -> None:
        super().__init__(HONEST)
        self._every = every
        self._count = 0

    def open(self) -> Any:
        connection = super().open()
        exchange = connection.exchange

        def sometimes(request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
            self._count += 1
            if self._count % self._every == 0:
                connection.reusable = False
                return NoAnswer(Silence.CLOSED, "hung up", b"HTTP/1.1 2")
            return exchange(request, delivery)

        connection.exchange = sometimes  # type: ignore[method-assign]
        return connection


def prepared_reading(request: Request) -> Any:
    from conformance.contract.reading import read

    return read(request, small())


def answered(body: bytes) -> Response:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return Response(200, ((b"Content-Length", b"%d" % len(body)),), body, b"OK", wire=head + body)


def begun(folder: Path) -> EvidenceLog:
    facts = {"planned": 1, "looks": 1, "seed": "0", "started": "2026-01-01T00:00:00Z"}
    return EvidenceLog(folder, opening(small(), prepared().clauses, **facts))


def extra_bytes(folder: Path) -> int:
    """What the evidence takes beyond what its distinct bodies take by themselves."""
    written = sum((folder / name).stat().st_size for name in (LINES, BLOBS))
    bodies: dict[bytes, None] = {}
    with Book(folder) as read:
        for entry in read.entries(small()):
            bodies[entry.exchange.request.body] = None
            if isinstance(entry.exchange.answer, Response):
                bodies[entry.exchange.answer.body] = None
    return written - len(zlib.compress(b"".join(bodies), 6))


class TestRules:
    """Other rules than those that were there when the run was made."""

    def test_a_rule_is_gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its findings, shrunk ones included, are gone as well; the clauses are accounted for as ever."""
        report = kept("chunked-uploads-are-hung-up-on", tmp_path)
        failed = {failure.rule for row in report.rows for failure in row.failures}
        assert failed
        monkeypatch.setattr(rejudge, "RULES", [rule for rule in RULES if rule.id not in failed])
        again = rejudged(tmp_path)
        assert not [row for row in again.rows if row.outcome is Outcome.FAILED]
        assert [row.clause.id for row in again.rows] == [row.clause.id for row in report.rows]

    def test_a_rule_is_new(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from conformance.rule import Finding

        def check(exchange: Exchange) -> Iterator[Finding]:
            if exchange.succeeded:
                yield Finding("answer", "less", "more")

        short().against(Server()).go(evidence=tmp_path)
        model = next(rule for rule in RULES if rule.clause == "success.status")
        new: Rule = replace(model, id="newly-found", check=check)
        monkeypatch.setattr(rejudge, "RULES", [*RULES, new])
        [row] = [row for row in rejudged(tmp_path).rows if row.clause.id == "success.status"]
        assert row.outcome is Outcome.FAILED
        assert {failure.rule for failure in row.failures} == {"newly-found"}

    def test_a_clause_is_gone_or_new(self, tmp_path: Path) -> None:
        """Selected clauses that are no more are passed over; those that were not selected stay so."""
        short().against(Server()).go(evidence=tmp_path)
        rows, bytes_ = unpacked(tmp_path)
        rows[0]["selected"] = ["success.status", "of.old"]
        sealed(tmp_path, rows, bytes_)
        again = rejudged(tmp_path)
        assert {row.clause.id for row in again.rows if row.judged} == {"success.status"}
        assert all(row.reason == "deselected" for row in again.rows if row.clause.id != "success.status")


def unpacked(folder: Path) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The records of a log, and its blobs."""
    packed = zlib.decompressobj(-15).decompress((folder / BLOBS).read_bytes())
    found, at = [], 0
    while at < len(packed):
        end = at + 4 + int.from_bytes(packed[at : at + 4], "big")
        found.append(packed[at + 4 : end])
        at = end
    return rows_of(folder), found


def sealed(folder: Path, rows: list[dict[str, Any]], found: list[bytes]) -> None:
    """Write a log of our own, with the digest as the schema describes it: it is no secret how that is made."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = b"".join(squeeze.compress(len(blob).to_bytes(4, "big") + blob) for blob in found)
    (folder / BLOBS).write_bytes(packed + squeeze.flush())
    digest, lines, known = sha256(), [], 0
    for row in rows:
        line = json.dumps({key: value for key, value in row.items() if key != "sha256"}, separators=(",", ":")).encode()
        for number in sorted({each for each in referred(row) if each >= known}):
            if number < len(found):
                digest.update(blake2b(found[number], digest_size=16).digest())
            known = number + 1
        digest.update(line)
        if "closing" in row:
            line = line[:-1] + b',"sha256":"%s"}' % digest.hexdigest().encode()
        lines.append(line + b"\n")
    (folder / LINES).write_bytes(b"".join(lines))


def referred(row: dict[str, Any]) -> Iterator[int]:
    """The blobs of a row, as far as it is one."""
    answers = [row.get("answer"), *(row["lost"] if isinstance(row.get("lost"), list) else [])]
    parts = [part for each in answers if isinstance(each, list) for part in each[1:3]]
    request = row.get("request")
    for part in (*(request if isinstance(request, list) else ()), *parts):
        if type(part) is int and 0 <= part < 10**6:
            yield part


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log, not to be changed."""
    folder = tmp_path_factory.mktemp("evidence")
    short().against(Flaky(9)).go(evidence=folder)
    return folder


@pytest.fixture
def copied(evidence: Path, tmp_path: Path) -> Path:
    for name in (LINES, BLOBS):
        (tmp_path / name).write_bytes((evidence / name).read_bytes())
    return tmp_path


def complaint(folder: Path) -> str:
    """What is said of evidence that is not what it was: one line, with the name of a file."""
    with pytest.raises(DamagedEvidence) as refused:
        rejudged(folder)
    said = str(refused.value)
    assert "\n" not in said
    return said


def changed(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> str:
    file = folder / LINES
    lines = change(file.read_bytes().splitlines(keepends=True))
    file.write_bytes(b"".join(lines))
    said = complaint(folder)
    assert said.startswith(str(file))
    return said


def numbered(lines: list[bytes]) -> list[bytes]:
    """The exchanges counted anew, and the closing record with them."""
    rows = [json.loads(line) for line in lines]
    for number, row in enumerate(rows[1:-1], 1):
        row["n"] = number
    rows[-1]["closing"]["exchanges"] = len(rows) - 2
    return [json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows]


class TestChanged:
    """Whoever changes the evidence is found out."""

    def test_what_was_not_changed_is_taken(self, copied: Path) -> None:
        """Our own digest is the one that the schema describes."""
        before = (copied / LINES).read_bytes()
        sealed(copied, *unpacked(copied))
        assert (copied / LINES).read_bytes() == before
        assert rejudged(copied).course.seen > 20

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda _: [], "it is empty"),
            (lambda lines: lines[:-1], "the closing record is missing"),
            (lambda lines: lines[:1], "the closing record is missing"),
            (lambda lines: [*lines[:-1], lines[-1][:-1]], "this line is no record"),
            (lambda lines: [*lines[:-1], lines[-1][:40]], "this line is no record"),
            (lambda lines: [*lines, lines[-1]], "something follows the closing record"),
            (lambda lines: [*lines, lines[5]], "something follows the closing record"),
            (lambda lines: lines[1:], "this is no evidence of ours"),
            (lambda lines: [*lines[:7], *lines[8:]], "exchange 7 should stand here"),
            (lambda lines: [*lines[:7], lines[8], lines[7], *lines[9:]], "exchange 7 should stand here"),
            (lambda lines: [*lines[:7], lines[7], *lines[7:]], "exchange 8 should stand here"),
            (lambda lines: [lines[0], *lines[2:4], lines[1], *lines[4:]], "exchange 1 should stand here"),
            (lambda lines: numbered([*lines[:20], *lines[21:]]), "the digest does not fit"),
            (lambda lines: numbered([*lines[:3], lines[4], lines[3], *lines[5:]]), "the digest does not fit"),
            (lambda lines: numbered([*lines[:3], lines[3], *lines[3:]]), "the digest does not fit"),
            (lambda lines: [lines[0].replace(b'"seed":"0"', b'"seed":"1"'), *lines[1:]], "the digest does not fit"),
            (lambda lines: [*lines[:2], lines[2].replace(b'"seconds":0.', b'"seconds":1.'), *lines[3:]], "digest"),
            (lambda lines: [*lines[:2], lines[2].replace(b":", b": ", 1), *lines[3:]], "the digest does not fit"),
            (lambda lines: [*lines[:-1], lines[-1].replace(b'"sent":', b'"sent":1')], "the digest does not fit"),
            (lambda lines: [*lines[:-1], lines[-1].replace(b'"sha256":"', b'"sha256":"0')], "the digest does not fit"),
            (lambda lines: [*lines[:2], b"\n", *lines[2:]], "this line is no record"),
            (lambda lines: [*lines[:2], b"[]\n", *lines[2:]], "this line is no record"),
            (lambda lines: [*lines[:2], b"[" * 100_000 + b"\n", *lines[2:]], "this line is no record"),
            (lambda lines: [*lines[:2], b'{"n":2,"x":NaN}\n', *lines[2:]], "this line is no record"),
            (lambda lines: [*lines[:2], b"\xff\xfe\n", *lines[2:]], "this line is no record"),
            (lambda _: [b"\x1f\x8b\x08 something else"], "this line is no record"),
            (lambda lines: [lines[0].replace(b"evidence:1", b"evidence:0"), *lines[1:]], "of another version"),
            (lambda lines: [lines[0].replace(b"evidence:1", b"evidence:2"), *lines[1:]], "of another version"),
            (lambda lines: [lines[0].replace(b"evidence:1", b"report:1"), *lines[1:]], "no evidence of ours"),
        ],
        ids=[
            *"empty no-closing opening-alone no-line-end cut closing-twice exchange-behind no-opening removed".split(),
            *"swapped doubled moved spliced reordered repeated edited-opening edited-seconds space".split(),
            "edited-closing",
            *"edited-digest empty-line array deep nan no-utf-8 gzip older newer report".split(),
        ],
    )
    def test_the_lines(self, change: Callable[[list[bytes]], list[bytes]], words: str, copied: Path) -> None:
        assert words in changed(copied, change)

    def test_both_versions_are_named(self, copied: Path) -> None:
        said = changed(copied, lambda lines: [lines[0].replace(b"evidence:1", b"evidence:2"), *lines[1:]])
        assert SCHEMA in said
        assert "evidence:2" in said

    def test_a_line_without_an_end(self, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(book, "LONGEST_LINE", 1000)
        assert "this line is no record" in changed(
            copied, lambda lines: [*lines[:2], b'{"n":2}' + b" " * 5000, *lines[2:]]
        )

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda _: b"", "it was cut short"),
            (lambda data: data[: len(data) // 2], "it was cut short"),
            (lambda data: data[:-1], "it was cut short"),
            (lambda data: data + b"x", "something follows its end"),
            (lambda data: data + data, "something follows its end"),
            (lambda data: b"PK\x03\x04" + data, "it cannot be unpacked"),
            (lambda _: bytes(100), "it cannot be unpacked"),
            (lambda data: repacked(data, lambda raw: raw.replace(b"200 OK", b"201 OK")), "the digest does not fit"),
            (lambda data: repacked(data, lambda raw: raw + bytes(4)), "it holds more than it should"),
            (lambda data: repacked(data, lambda raw: raw + b"\0\0\0\x09one more!"), "it holds more than it should"),
            (lambda data: repacked(data, lambda raw: raw[: 4 + int.from_bytes(raw[:4], "big")]), "it was cut short"),
            (lambda data: repacked(data, lambda raw: b"\xff" * 4 + raw), "it holds more than it should"),
            (lambda data: repacked(data, lambda raw: bytes(4) + raw), "it holds more than it should"),
        ],
        ids="empty half cut trailing twice zip zeros edited empty-blob another-blob one-blob endless shifted".split(),
    )
    def test_the_bytes(self, change: Callable[[bytes], bytes], words: str, copied: Path) -> None:
        file = copied / BLOBS
        file.write_bytes(change(file.read_bytes()))
        said = complaint(copied)
        assert said.startswith(str(copied))
        assert words in said

    def test_any_flipped_bit(self, copied: Path) -> None:
        """Wherever it is."""
        for name, step in ((LINES, 997), (BLOBS, 9973)):
            data = (copied / name).read_bytes()
            for at in range(3, len(data), step):
                (copied / name).write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
                with pytest.raises(DamagedEvidence):
                    Book(copied)
            (copied / name).write_bytes(data)
        Book(copied).close()

    def test_the_bytes_of_another_run(self, copied: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = tmp_path_factory.mktemp("other")
        short().against(Server(replace(HONEST, success_status=201))).go(evidence=other)
        (copied / BLOBS).write_bytes((other / BLOBS).read_bytes())
        assert complaint(copied)

    @pytest.mark.parametrize("name", [LINES, BLOBS])
    def test_a_file_is_missing(self, name: str, copied: Path) -> None:
        (copied / name).unlink()
        assert complaint(copied).startswith(f"{copied}: there is no evidence to be read here")

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        assert "there is no evidence to be read here" in complaint(tmp_path / "nowhere")


def repacked(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(change(zlib.decompressobj(-15).decompress(data))) + squeeze.flush()


Rows = list[dict[str, Any]]


def put(place: int, *keys: str | int, to: Any) -> Callable[[Rows], None]:
    """A change of one value somewhere in a row."""

    def change(rows: Rows) -> None:
        value: Any = rows[place]
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = to

    return change


def drop(place: int, *keys: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        value: Any = rows[place]
        for key in keys[:-1]:
            value = value[key]
        del value[keys[-1]]

    return change


class TestForged:
    """Whoever can make the digest fit, too, gets no further than an odd report: nothing of ours breaks."""

    @pytest.mark.parametrize(
        "forge",
        [
            drop(0, "selected"),
            drop(0, "target"),
            put(0, "selected", to=5),
            put(0, "selected", to=[["x"]]),
            put(0, "planned", to="many"),
            put(0, "planned", to=1e400),
            put(0, "states", to=5),
            put(0, "target", to={}),
            put(0, "target", "scenes", to=[]),
            put(0, "target", "target", "url", to=5),
            put(0, "n", to=1),
            drop(-1, "closing", "sent"),
            drop(-1, "closing", "timings"),
            put(-1, "closing", "timings", to=[]),
            put(-1, "closing", "timings", "buckets", to=[{"until": 5, "answers": 1}]),
            put(-1, "closing", "seconds", to=-1),
            put(-1, "closing", "unsteady", to=5),
            put(-1, "closing", "mishaps", to={"state.fault": 5}),
            put(-1, "closing", "exchanges", to="x"),
            put(-1, "closing", to=5),
            drop(1, "request"),
            drop(1, "answer"),
            drop(1, "case"),
            put(1, "request", to=[]),
            put(1, "request", to=5),
            put(1, "request", to=[0, 10**9]),
            put(1, "request", to=[0, -1]),
            put(1, "request", to=[0, True]),
            put(1, "request", to=["0", "1"]),
            put(1, "answer", to=[]),
            put(1, "answer", to=5),
            put(1, "answer", to=[200]),
            put(1, "answer", to=["shouted", 0, ""]),
            put(1, "answer", to=["timeout", None, ""]),
            put(1, "answer", 0, to=201),
            put(1, "answer", 1, to=0),
            put(1, "answer", to=[200, 2, 3, {"faults": 5}]),
            put(1, "answer", to=[200, 2, 3, {"interim": ["x"]}]),
            put(1, "seconds", to="x"),
            put(1, "seconds", to=None),
            put(1, "delivery", to="by pigeon"),
            put(1, "circumstance", to="drunk"),
            put(1, "lost", to=5),
            put(1, "lost", to=[[]]),
            put(1, "before", to=1),
            put(1, "before", to=2),
            put(1, "before", to=0),
            put(1, "before", to=-1),
            put(1, "before", to="1"),
            put(1, "alone", to=None),
            put(1, "beside", to=5),
            put(1, "beside", to=[[1]]),
            put(1, "beside", to=[10**9]),
        ],
    )
    def test_it_is_a_mistake(self, forge: Callable[[Rows], None], copied: Path) -> None:
        rows, found = unpacked(copied)
        forge(rows)
        sealed(copied, rows, found)
        with pytest.raises(OperatorMistake) as refused:
            rejudged(copied)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 1000

    def test_whatever_is_forged_nothing_breaks(self, copied: Path) -> None:
        """A report, or one sentence."""
        rows, found = unpacked(copied)
        draw = random.Random(11)  # noqa: S311
        odd = [
            None,
            True,
            -1,
            0,
            3,
            10**30,
            0.5,
            "",
            "x",
            [],
            [1],
            {},
            {"a": 1},
            "timeout",
            "signed",
            ["closed", 1, ""],
        ]
        for _ in range(150):
            forged = copy.deepcopy(rows)
            for _ in range(draw.randrange(1, 4)):
                row = draw.choice([forged[0], forged[-1]["closing"], *forged[1:-1]])
                if isinstance(row, dict) and row:
                    row[draw.choice([*row, "before", "alone", "beside", "lost", "rule"])] = draw.choice(odd)
            sealed(copied, forged, found)
            with suppress(OperatorMistake):
                assert document.to_document(rejudged(copied))


class TestBlobs:
    """The side file by itself."""

    def written(self, file: Path, each: list[bytes]) -> list[int]:
        writer = BlobWriter(file, lambda _: None)
        numbers = [writer.number(blob) for blob in each]
        writer.close()
        return numbers

    def test_what_is_written_is_found_again(self, tmp_path: Path) -> None:
        each = [b"", b"x", bytes(300_000), b"x", random.Random(3).randbytes(700_000), b"", b"y" * 262_140]  # noqa: S311
        numbers = self.written(tmp_path / "b", each)
        assert numbers == [0, 1, 2, 1, 3, 0, 4]
        with BlobReader(tmp_path / "b", 5) as reader:
            assert len(reader) == 5
            assert [reader[number] for number in numbers] == each
            for number in (-1, 5, 10**12):
                with pytest.raises(DamagedBlobs):
                    reader[number]

    def bomb(self, file: Path, pieces: Iterator[bytes]) -> None:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        with file.open("wb") as out:
            for piece in pieces:
                out.write(squeeze.compress(piece))
            out.write(squeeze.flush())

    def peak(self, file: Path, count: int) -> int:
        """The most bytes that are held while it is read in vain."""
        tracemalloc.start()
        try:
            with pytest.raises(DamagedBlobs, match="it holds more than it should"):
                BlobReader(file, count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_a_bomb_of_nothings(self, tmp_path: Path) -> None:
        """Millions of empty blobs take no space in the file."""
        self.bomb(tmp_path / "b", (bytes(1 << 20) for _ in range(16)))
        assert (tmp_path / "b").stat().st_size < 100_000
        assert self.peak(tmp_path / "b", 100) < 4_000_000

    def test_a_bomb_of_one(self, tmp_path: Path) -> None:
        """A single blob that is longer than any answer can be."""
        self.bomb(tmp_path / "b", iter([(2**32 - 1).to_bytes(4, "big"), *(bytes(1 << 20) for _ in range(16))]))
        assert self.peak(tmp_path / "b", 100) < 4_000_000

    def test_a_bomb_of_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Blobs that are large together."""
        monkeypatch.setattr(blobs, "MOST_TOTAL", 8 << 20)
        blob = (1 << 20).to_bytes(4, "big") + bytes(1 << 20)
        self.bomb(tmp_path / "b", (blob for _ in range(32)))
        assert self.peak(tmp_path / "b", 100) < 8_000_000


class TestCommand:
    """``conformance judge``."""

    def test_it_says_what_the_run_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder, out = tmp_path / "run", tmp_path / "again"
        folder.mkdir()
        report = kept("header-is-folded", folder)
        run.write_all(report, folder)
        assert main(["judge", str(folder), "--out", str(out), "--quiet"]) == 1
        assert capsys.readouterr().out == ""
        names = [
            file.relative_to(folder) for file in folder.rglob("*") if file.is_file() and file.name not in (LINES, BLOBS)
        ]
        assert len(names) > 4
        for name in names:
            assert (out / name).read_bytes() == (folder / name).read_bytes(), name
        assert main(["judge", str(folder)]) == 1
        assert "verdict on reference: non-conformant (" in capsys.readouterr().out

    def test_damage_is_a_mistake(self, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (copied / BLOBS).write_bytes(bytes(100))
        assert main(["judge", str(copied)]) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        assert len(errors.splitlines()) == 1
        assert errors.startswith(f"conformance: {copied / BLOBS}: it cannot be unpacked")

    def test_a_place_where_no_evidence_can_be_kept(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / LINES).mkdir()
        assert main([*NOWHERE, str(tmp_path)]) == 2
        assert capsys.readouterr().err.startswith(f"conformance: {tmp_path}: no evidence can be kept here: ")

    def test_none_is_kept_when_none_is_wanted(self, tmp_path: Path) -> None:
        assert main([*NOWHERE, str(tmp_path), "--no-evidence"]) == 3
        assert not (tmp_path / LINES).exists()
        assert main([*NOWHERE, str(tmp_path)]) == 3
        assert rejudged(tmp_path).conclusion is Conclusion.INDETERMINATE


def test_the_schema_knows_what_is_written_and_nothing_else(evidence: Path) -> None:
    rows = rows_of(evidence)
    for row in rows:
        schema().validate(row)
    assert schema().is_valid(rows[1])
    for odd in (
        {**rows[1], "more": 1},
        {**rows[0], "more": 1},
        {**rows[1], "n": 0},
        {**rows[1], "answer": ["x", 1, ""]},
    ):
        assert not schema().is_valid(odd)
    for key in ("case", "request", "answer", "seconds"):
        assert not schema().is_valid({name: value for name, value in rows[1].items() if name != key})


def test_depths_are_as_they_were() -> None:
    """The run above is deeper than what most people do."""
    assert DEPTHS["standard"].requests < 3000
