"""The report: every rendering of it says the same, whatever a target says, and none can be taken for another."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from lxml import etree  # type: ignore[import-untyped]  # there are no stubs among our tools
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console

from conformance import run, selftest
from conformance.cases.plan import plan
from conformance.contract.clauses import Level, catalogue
from conformance.exchange import Case
from conformance.in_process import Server
from conformance.message import Request, Response
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST, Behaviour, Call, Pairs, Refused, Reply, refuse
from conformance.reference.app import render as rendered
from conformance.reference.app import write_error as honest_error
from conformance.reference.app import write_headers as honest_headers
from conformance.reference.app import write_result as honest_result
from conformance.reference.server import running
from conformance.report import document, junit, markdown, repeat, terminal
from conformance.report.gate import exit_code
from conformance.report.record import ClauseRow, Conclusion, Failure, Outcome, Report
from conformance.report.visible import LIMIT, visible
from conformance.rule import Finding
from conformance.shipped import shipped
from conformance.target import load

REFERENCE = load(shipped("fixtures", "targets", "reference.toml"))
FROZEN = [clause.id for clause in catalogue().tested()]

NASTY = (
    "::error::x <script>alert(1)</script> <http://evil.example> http://evil.example www.evil.example a|b"
    " `c` ```d``` *e* _f_ ~~g~~ [h](http://evil.example)"
    " ![i](http://evil.example/i.png) &lt; &#60; # x \\ ]]> <!-- {{ 7 }} $HOME"
    " \x1b[2J\x1b]0;title\x07\x9b31m ::error::x ##[error]x \x00 \u202egnp\u2066 \u2028\ufeff\ud83d\ufffe"
    "\r\n::error::a line of its own\r\n##[group]x\n\n# Heading\n\n<b>bold</b>\n\n| a | b |\n| --- | --- |\n"
)
ON_THE_WIRE = re.sub(r"[\r\n\0]", " ", NASTY).encode("latin-1", "ignore").decode("latin-1")


def nasty_headers(call: Call) -> Pairs:
    return (*honest_headers(call), ("X-Nasty", ON_THE_WIRE), (f"X-{ON_THE_WIRE}", "y"))


def nasty_error(refused: Refused) -> dict[str, Any]:
    return {**honest_error(refused), "Message": NASTY, "__type": NASTY, "ResourceId": NASTY, "ResourceType": NASTY}


def nasty_phrase(call: Call, reply: Reply) -> bytes:
    data = rendered(call, reply)
    assert isinstance(data, bytes)
    first, _, rest = data.partition(b"\r\n")
    return first + b" " + ON_THE_WIRE.encode("latin-1") + b"\r\n" + rest


def nasty_result(*args: Any) -> dict[str, Any]:
    return {**honest_result(*args), "Source": {"Type": NASTY, NASTY: NASTY}, "IsAnomalous": NASTY, NASTY: NASTY}


def nasty_anomaly(*_: Any) -> dict[str, Any]:
    return {"Name": NASTY, NASTY: NASTY, "PixelAnomaly": {"TotalPercentageArea": NASTY, "Color": NASTY, NASTY: NASTY}}


def nasty_after_an_error(call: Call, reply: Reply) -> Reply:
    """Once an error was answered on a connection, the next answers are errors too."""
    if call.connection.get("odd"):
        return refuse(call, Refused(next(iter(HONEST.errors)), NASTY))
    call.connection["odd"] = reply.status != 200
    return reply


BEHAVIOURS: Mapping[str, Behaviour] = {
    "honest": HONEST,
    "another-status": replace(HONEST, success_status=201),
    "nothing-found": replace(HONEST, segments=lambda _: ()),
    "small-heads": replace(HONEST, max_head=2048),
    "nasty-errors": replace(
        HONEST, error_payload=nasty_error, error_headers=lambda _: (("x-amzn-ErrorType", ON_THE_WIRE),)
    ),
    "nasty-headers": replace(HONEST, headers=nasty_headers, render=nasty_phrase),
    "nasty-content-type": replace(HONEST, finish=lambda _, reply: reply.with_header("Content-Type", ON_THE_WIRE)),
    "nasty-result": replace(HONEST, result=nasty_result, anomaly=nasty_anomaly, blob=lambda _: NASTY),
    "nasty-body": replace(HONEST, to_json=lambda _: NASTY.encode("utf-8", "surrogatepass")),
    "nasty-answer": replace(HONEST, render=lambda *_: NASTY.encode("utf-8", "surrogatepass")),
    "nasty-after-an-error": replace(HONEST, finish=nasty_after_an_error),
}


@cache
def report_of(name: str) -> Report:
    report, _ = run.prepare(selftest.staged(REFERENCE)).against(Server(BEHAVIOURS[name])).go()
    return report


@cache
def partial() -> Report:
    report, _ = run.prepare(REFERENCE, only=("mask",)).against(Server()).go()
    return report


@cache
def nasty_target() -> Report:
    """A report on a target whose own file says hostile things."""
    report = report_of("nasty-result")
    known = dict.fromkeys(FROZEN, NASTY)
    target = replace(report.target, name=NASTY, version=NASTY, about={"contact": NASTY}, known_failures=known)
    rows = tuple(replace(row, known=NASTY) for row in report.rows)
    return replace(report, target=target, rows=rows)


ALL: Mapping[str, Callable[[], Report]] = {
    **{name: (lambda name=name: report_of(name)) for name in BEHAVIOURS},  # type: ignore[misc]
    "partial": partial,
    "nasty-target": nasty_target,
}


@pytest.fixture(params=ALL)
def report(request: pytest.FixtureRequest) -> Report:
    return ALL[request.param]()


class TestRecord:
    """The one value that all renderings derive from."""

    def test_outcomes_add_up_to_the_frozen_set(self, report: Report) -> None:
        assert [row.clause.id for row in report.rows] == FROZEN
        assert sum(sum(counts.values()) for counts in report.counts.values()) == len(FROZEN)

    def test_the_honest_reference_is_conformant(self) -> None:
        assert report_of("honest").conclusion is Conclusion.CONFORMANT

    @pytest.mark.parametrize("name", [name for name in BEHAVIOURS if name != "honest"])
    def test_each_of_these_behaviours_is_caught(self, name: str) -> None:
        """Otherwise the tests below would prove little."""
        found = report_of(name)
        assert found.failed(Level.MUST) or found.failed(Level.SHOULD)
        assert not [row.reason for row in found.rows if row.outcome is Outcome.ERROR]

    def test_failures_are_named_once(self, report: Report) -> None:
        names = [failure.id for row in report.rows for failure in row.failures]
        assert len(names) == len(set(names))

    def test_a_selection_leaves_the_rest_deselected(self) -> None:
        found = partial()
        assert found.conclusion is Conclusion.PARTIAL
        for row in found.rows:
            assert (row.reason == "deselected") == (row.clause.section != "mask")


class TestJson:
    """report.json, and the record that closes it."""

    def test_it_keeps_its_schema(self, report: Report) -> None:
        schema = json.loads(shipped("schemas", "report.schema.json").read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        text = json.dumps(document.to_document(report), allow_nan=False)
        assert [error.message[:300] for error in Draft202012Validator(schema).iter_errors(json.loads(text))] == []

    def test_what_is_written_is_read_again(self, report: Report, tmp_path: Path) -> None:
        assert document.load(document.write(report, tmp_path)) == json.loads(json.dumps(document.to_document(report)))

    def test_bodies_are_kept_or_cut_with_their_digest(self, report: Report) -> None:
        written = {
            failure["id"]: failure for row in document.to_document(report)["clauses"] for failure in row["failures"]
        }
        for failure in (failure for row in report.rows for failure in row.failures):
            body = written[failure.id]["request"]["body"]
            whole = failure.request.body
            assert base64.b64decode(body["base64"]) == whole[: document.KEPT_BODY]
            assert (body["bytes"], body["sha256"]) == (len(whole), sha256(whole).hexdigest())
            assert body["cut"] == (len(whole) > document.KEPT_BODY)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda whole: whole.update(conclusion="conformant"),
            lambda whole: whole.update(reason="all is well"),
            lambda whole: whole.pop("run"),
            lambda whole: whole.pop("closing"),
            lambda whole: whole.pop("clauses"),
            lambda whole: whole.update(clauses=7),
            lambda whole: whole.update(clauses=[]),
            lambda whole: whole.update(closing={}),
            lambda whole: whole.update(closing=None),
            lambda whole: whole.update(note="seen by me"),
            lambda whole: whole["clauses"].pop(),
            lambda whole: whole["clauses"].reverse(),
            lambda whole: whole["clauses"][0].update(outcome="passed", breached=0),
            lambda whole: whole["counts"]["MUST"].update(failed=0),
            lambda whole: whole["closing"].update(clauses=0),
            lambda whole: whole["closing"].update(more=1),
        ],
        ids="conclusion reason no-run no-closing no-clauses clauses-number clauses-empty closing-empty closing-null "
        "member clause-less reversed outcome count closing-count closing-member".split(),
    )
    def test_an_edited_report_is_refused(self, edit: Callable[[dict[str, Any]], object], tmp_path: Path) -> None:
        path = document.write(report_of("nothing-found"), tmp_path)
        whole = json.loads(path.read_text(encoding="utf-8"))
        edit(whole)
        path.write_text(json.dumps(whole), encoding="utf-8")
        with pytest.raises(OperatorMistake, match=re.escape(str(path))):
            document.load(path)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
    def test_a_report_that_was_cut_is_refused(self, share: float, tmp_path: Path) -> None:
        path = document.write(report_of("honest"), tmp_path)
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: int(len(text) * share)], encoding="utf-8")
        with pytest.raises(OperatorMistake, match=re.escape(str(path))):
            document.load(path)

    @pytest.mark.parametrize(
        "data",
        [b"", b"{}", b"[]", b"null", b"7", b'"closing"', b'{"closing": {}}', b"\xff\xfe\x00", b"[" * 100_000],
        ids="nothing object list null number text closing-alone binary deep".split(),
    )
    def test_what_is_no_report_is_refused(self, data: bytes, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        path.write_bytes(data)
        with pytest.raises(OperatorMistake, match=re.escape(str(path))):
            document.load(path)

    def test_a_report_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match=r"report\.json"):
            document.load(tmp_path / "report.json")


class TestJunit:
    """junit.xml, as others read it."""

    def test_its_counts_are_those_of_the_report(self, report: Report) -> None:
        suites = JUnitXml.fromstring(junit.render(report).encode())
        outcomes = Counter(row.outcome for row in report.rows)
        conclusion = report.conclusion
        assert suites.tests == len(FROZEN) + 1
        assert suites.failures == len(report.failed(Level.MUST)) + (conclusion is Conclusion.NON_CONFORMANT)
        assert suites.errors == outcomes[Outcome.ERROR] + (conclusion is Conclusion.INDETERMINATE)
        idle = outcomes[Outcome.UNEXERCISED] + outcomes[Outcome.NOT_APPLICABLE]
        assert sum(suite.skipped for suite in suites) == idle + (conclusion is Conclusion.PARTIAL)

    def test_each_suite_counts_what_is_in_it(self, report: Report) -> None:
        root = etree.fromstring(junit.render(report).encode())
        for suite in [root, *root.findall("testsuite")]:
            for attribute, tag in {"tests": "testcase", "failures": "failure", "errors": "error"}.items():
                assert int(suite.get(attribute)) == len(suite.findall(f".//{tag}"))
            if suite is not root:
                assert int(suite.get("skipped")) == len(suite.findall(".//skipped"))

    def test_every_clause_is_one_case_and_the_conclusion_another(self, report: Report) -> None:
        root = etree.fromstring(junit.render(report).encode())
        names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
        assert len(names) == len(set(names))
        assert sorted(name for _, name in names) == sorted([*FROZEN, "conclusion"])
        properties = {each.get("name"): each.get("value") for each in root.iterfind("testsuite/properties/property")}
        expected = {row.clause.id: f"{row.clause.level} {row.outcome}" for row in report.rows}
        assert properties.items() >= expected.items()

    @pytest.mark.parametrize("outcome", Outcome)
    def test_nothing_looks_like_passed_that_did_not_pass(self, outcome: Outcome) -> None:
        found = with_rows(outcomes={MUST: outcome})
        case = etree.fromstring(junit.render(found).encode()).find(f".//testcase[@name='{MUST}']")
        assert case is not None
        marks = [child.tag for child in case if child.tag not in ("properties", "system-out")]
        expected = {
            Outcome.PASSED: [],
            Outcome.OBSERVED: [],
            Outcome.FAILED: ["failure"],
            Outcome.ERROR: ["error"],
            Outcome.UNEXERCISED: ["skipped"],
            Outcome.NOT_APPLICABLE: ["skipped"],
        }
        assert marks == expected[outcome]

    def test_it_is_printable_ascii(self, report: Report) -> None:
        assert re.fullmatch(r"[ -~\n]*", junit.render(report))
        root = etree.fromstring(junit.render(report).encode())
        lines = [line for element in root.iter() for line in (element.text or "").splitlines()]
        assert not [line for line in lines if line.lstrip().startswith(("::", "##"))]


def tokens_of(report: Report) -> list[Token]:
    """The tokens of the Markdown, those inside others after them."""
    found = MarkdownIt("commonmark").enable("table").parse(markdown.render(report))
    return [token for each in found for token in (each, *(each.children or ()))]


def shown(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


class TestMarkdown:
    """report.md, as others read it."""

    def test_the_tables_hold_every_clause_once(self, report: Report) -> None:
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(report))
        cells = [shown(after) for token, after in pairwise(tokens) if token.type == "td_open"]
        levels = len(report.counts) * (len(Outcome) + 1)
        rows = [cells[at : at + 5] for at in range(levels, len(cells), 5)]
        expected = [
            [row.clause.id, str(row.clause.level), markdown.MARKS[row.outcome], str(row.judged)] for row in report.rows
        ]
        assert sorted(row[:4] for row in rows) == sorted(expected)

    def test_nothing_in_it_is_active(self, report: Report) -> None:
        """No raw HTML, link, image or code block, whatever the target says."""
        kinds = {token.type for token in tokens_of(report)}
        assert kinds.isdisjoint({"html_inline", "html_block", "link_open", "image", "fence", "code_block", "hr"})

    def test_no_address_stands_in_plain_text(self, report: Report) -> None:
        """GitHub makes links of them; those in the target's own file are the operator's."""
        if report.target.name == NASTY:
            return
        texts = [token.content for token in tokens_of(report) if token.type == "text"]
        assert [text for text in texts if re.search(r"https?://|www\.", text)] == []

    def test_its_headings_are_ours(self, report: Report) -> None:
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(report))
        found = [shown(after) for token, after in pairwise(tokens) if token.type == "heading_open"]
        must, should = ([row.clause.id for row in report.failed(level)] for level in (Level.MUST, Level.SHOULD))
        used = {row.clause.section for row in report.rows}
        titles = [title for section, title in catalogue().sections.items() if section in used]
        expected = [*(["Failures", *must] if must else []), *(["Remarks", *should] if should else []), "Clauses"]
        assert found[1:] == [*expected, *titles]

    def test_it_shows_what_the_target_said(self, report: Report) -> None:
        """Each finding's actual value and each command stand there exactly, ready to be copied."""
        spans = {token.content for token in tokens_of(report) if token.type == "code_inline"}
        for row in report.rows:
            for failure in row.failures:
                assert visible(failure.finding.actual) in spans
                line = document.curl_line(failure, report.target.url)
                assert line is None or line in spans

    def test_it_is_printable(self, report: Report) -> None:
        assert re.fullmatch(r"[ -~\n✓✗○–·]*", markdown.render(report))


class TestTerminal:
    """What is printed."""

    def test_it_can_neither_move_the_cursor_nor_speak_to_a_ci_system(
        self, report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for folder in (None, tmp_path):
            terminal.show(report, folder)
            out, errors = capsys.readouterr()
            assert errors == ""
            assert re.fullmatch(r"[ -~\n]*", out)
            assert not [line for line in out.splitlines() if line.lstrip().startswith(("::", "##"))]
            assert not re.search(r"##\w*\[", out), "GitHub and Azure obey these anywhere in a line"

    def test_it_names_the_conclusion_and_the_failures(
        self, report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        terminal.show(report, tmp_path)
        out = capsys.readouterr().out
        assert str(report.conclusion) in out
        assert str(tmp_path) in out
        for row in report.failed(Level.MUST)[: terminal.SHOWN]:
            assert row.clause.id in out

    def test_commands_are_whole(self, report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What cannot be copied as it stands is not offered."""
        terminal.show(report, tmp_path)
        offered = [line for line in capsys.readouterr().out.splitlines() if "&& curl" in line]
        assert not [line for line in offered if line.endswith("in all)")]


class TestVisible:
    """Text that others wrote."""

    @given(st.text() | st.binary(), st.integers(0, 50))
    def test_it_is_printable_ascii_and_bounded(self, text: str | bytes, limit: int) -> None:
        found = visible(text, limit)
        assert re.fullmatch(r"[ -~]*", found)
        assert len(found) <= limit * len("\\U0010ffff") + len(f"... ({len(text)} in all)")

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=LIMIT))
    def test_printable_ascii_stays_as_it_is(self, text: str) -> None:
        assume("##" not in text)
        assume("::" not in text)
        assert visible(text) == visible(text.encode()) == text

    @pytest.mark.parametrize("text", ["http://[::1]:8080", "fe80::1%eth0", "# [x]", "std::vector<int>", "#[x]", "a::"])
    def test_what_only_looks_like_a_command_stays_as_it_is(self, text: str) -> None:
        assert visible(text) == text

    @given(st.text(st.sampled_from("#:[]ab- \n")))
    def test_no_ci_system_finds_a_command_in_it(self, text: str) -> None:
        """GitHub looks for `##[name]` anywhere, and for `::name ...::` where a line begins, wherever it is wrapped."""
        found = visible(text)
        assert not re.search(r"##\w*\[|::[A-Za-z][\w.-]*(?: [^:]*)?::", found)
        assert visible(found) == found

    @given(st.binary(max_size=LIMIT))
    def test_bytes_are_read_as_latin_1(self, data: bytes) -> None:
        assert visible(data) == visible(data.decode("latin-1"))

    @given(st.text(min_size=LIMIT + 1, max_size=LIMIT + 40))
    def test_what_is_cut_says_how_much_there_was(self, text: str) -> None:
        assert visible(text).endswith(f"... ({len(text)} in all)")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("\x1b[31m", "\\x1b[31m"),
            ("\u202e", "\\u202e"),
            ("\0", "\\x00"),
            ("\ud800", "\\ud800"),
            ("a\r\nb", "a\\r\\nb"),
            ("a ##[error]b", "a \\x23#[error]b"),
            ("##vso[task.setvariable x]b", "\\x23#vso[task.setvariable x]b"),
            ("::stop-commands::b", "\\x3a:stop-commands::b"),
            ("::error title=a::b", "\\x3a:error title=a::b"),
        ],
        ids=["escape", "bidi", "nul", "surrogate", "lines", "old-command", "azure", "command", "with-properties"],
    )
    def test_what_is_not_printable_is_escaped(self, text: str, expected: str) -> None:
        assert visible(text) == expected


MUST, MUST_TOO, SHOULD = (
    next(clause.id for clause in clauses if clause.level is level)
    for clauses, level in (
        (catalogue().tested(), Level.MUST),
        (catalogue().tested()[::-1], Level.MUST),
        (catalogue().tested(), Level.SHOULD),
    )
)
FAILURE = Failure("x-1", "a-rule", "a.case", Finding("here", "this", "that"), Request(b""), Response(200), ((),))


def with_rows(
    known: tuple[str, ...] = (),
    course: Mapping[str, Any] | None = None,
    outcomes: Mapping[str, Outcome] | None = None,
) -> Report:
    """A report on which all clauses but those named passed."""
    whole = report_of("honest")

    def row(each: ClauseRow) -> ClauseRow:
        clause = each.clause
        default = Outcome.OBSERVED if clause.level is Level.OBSERVE else Outcome.PASSED
        outcome = (outcomes or {}).get(clause.id, default)
        failures = (FAILURE,) if outcome is Outcome.FAILED else ()
        reason = "ticket" if clause.id in known else ""
        idle = outcome is Outcome.UNEXERCISED
        return ClauseRow(clause, outcome, "why", 1, len(failures), failures, known=reason, by_choice=idle)

    target = replace(whole.target, known_failures=dict.fromkeys(known, "ticket"))
    return replace(
        whole,
        target=target,
        rows=tuple(map(row, whole.rows)),
        course=replace(whole.course, **(course or {})),
    )


def test_what_works_undeclared_is_noted() -> None:
    """It is no fault, and worth a word to whoever declares the target."""
    whole = with_rows(course={"throttled": 2})
    served = {"body.dimensions": {"served": 3}, "body.limits": {"refused with 400 ValidationException": 1}}
    rows = tuple(replace(row, readings=served.get(row.clause.id, row.readings)) for row in whole.rows)
    report = replace(whole, rows=rows)
    said = ["images of another size than the declared one are served, too", "it throttles, and declares no limits.rate"]
    assert report.undeclared == said
    assert report.conclusion is Conclusion.CONFORMANT
    screen = io.StringIO()
    terminal.show(report, None, Console(file=screen, width=200))
    for text in (markdown.render(report), screen.getvalue()):
        assert all(sentence in text for sentence in said)
    assert with_rows().undeclared == []


FAILED, ERROR, IDLE, NOT_THERE = Outcome.FAILED, Outcome.ERROR, Outcome.UNEXERCISED, Outcome.NOT_APPLICABLE
CUT: Mapping[str, Any] = {"cut_off": "the target stopped answering"}
STOPPED: Mapping[str, Any] = {"cut_off": "stopped by the operator", "stopped_by_operator": True}
DEAD: Mapping[str, Any] = {"answered": 0, "seen": 0, "cut_off": "the target answered nothing"}


class TestGate:
    """Exit codes, without and with --gate."""

    @pytest.mark.parametrize(
        ("found", "plain", "gated"),
        [
            (with_rows(), 0, 0),
            (with_rows(outcomes={SHOULD: FAILED}), 0, 0),
            (with_rows(outcomes={MUST: NOT_THERE}), 0, 0),
            (with_rows(outcomes={MUST: FAILED}), 1, 1),
            (with_rows((MUST,), outcomes={MUST: FAILED}), 1, 0),
            (with_rows((MUST,), outcomes={MUST: FAILED, MUST_TOO: FAILED}), 1, 1),
            (with_rows((MUST,), outcomes={MUST: FAILED, MUST_TOO: IDLE}), 1, 0),
            (with_rows((SHOULD,), outcomes={SHOULD: FAILED}), 0, 0),
            (with_rows(outcomes={MUST: IDLE}), 4, 0),
            (with_rows((MUST,), outcomes={MUST: IDLE}), 4, 0),
            (with_rows(outcomes={SHOULD: IDLE}), 0, 0),
            (with_rows((MUST,)), 0, 1),
            (with_rows((SHOULD,)), 0, 1),
            (with_rows((MUST,), outcomes={MUST_TOO: IDLE}), 4, 1),
            (with_rows((MUST, MUST_TOO), outcomes={MUST: FAILED}), 1, 1),
            (with_rows(outcomes={MUST: ERROR}), 3, 3),
            (with_rows((MUST,), outcomes={MUST: ERROR}), 3, 3),
            (with_rows(outcomes={SHOULD: ERROR}), 3, 3),
            (with_rows(outcomes={MUST: FAILED, MUST_TOO: ERROR}), 1, 1),
            (with_rows(course=CUT), 3, 3),
            (with_rows(course=CUT, outcomes={MUST: FAILED}), 1, 1),
            (with_rows(course=STOPPED), 3, 3),
            (with_rows(course=STOPPED, outcomes={MUST: FAILED}), 3, 3),
            (with_rows(course=DEAD, outcomes={MUST: IDLE}), 3, 3),
            (with_rows(course=DEAD, outcomes={MUST: FAILED}), 3, 3),
        ],
        ids="passed should-failed not-applicable failed known known-and-failed known-and-idle known-should idle "
        "known-idle should-idle stale stale-should stale-and-idle stale-and-known error known-error should-error "
        "failed-and-error cut-off cut-off-and-failed stopped stopped-and-failed dead dead-and-failed".split(),
    )
    def test_exit_codes(self, found: Report, plain: int, gated: int) -> None:
        assert (exit_code(found, gate=False), exit_code(found, gate=True)) == (plain, gated)

    @pytest.mark.parametrize(
        "found",
        [
            with_rows((MUST,), outcomes={MUST: FAILED, MUST_TOO: ERROR}),
            with_rows((MUST,), outcomes={MUST: FAILED, SHOULD: ERROR}),
            with_rows((MUST,), CUT, outcomes={MUST: FAILED}),
            with_rows((MUST,), STOPPED, outcomes={MUST: FAILED}),
        ],
        ids=["error", "error-of-a-should", "cut-off", "stopped"],
    )
    def test_known_failures_do_not_hide_what_could_not_be_judged(self, found: Report) -> None:
        """A run with an error of ours, or cut off, passes no gate, even when all that failed is listed."""
        assert exit_code(found, gate=True) != 0


def run_script(path: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class TestRepeat:
    """Scripts and curl lines that show a failure again."""

    def test_every_failure_has_a_script_that_compiles(self, report: Report, tmp_path: Path) -> None:
        run.write_all(report, tmp_path)
        for row in report.rows:
            for failure in row.failures:
                if not failure.connections:
                    continue
                text = (tmp_path / document.script_name(failure)).read_text(encoding="utf-8")
                compile(text, failure.id, "exec", dont_inherit=True)
                if document.curl_line(failure, report.target.url):
                    assert (tmp_path / document.body_name(failure)).read_bytes() == failure.request.body

    def test_a_script_shows_the_answer(self, tmp_path: Path) -> None:
        run.write_all(report_of("another-status"), tmp_path)
        script = next((tmp_path / "repeat").glob("success.status-1.py"))
        with running(BEHAVIOURS["another-status"]) as url:
            out = run_script(script, url)
        assert re.match(r"--- connection 1: \d+ bytes\n'HTTP/1\.1 201 Created\n", out)

    def test_a_script_leads_up_to_the_failure(self, tmp_path: Path) -> None:
        """What went before goes before, on the same connection."""
        found = report_of("nasty-after-an-error")
        run.write_all(found, tmp_path)
        led = [
            failure
            for row in found.rows
            for failure in row.failures
            if len(failure.connections[0]) == 2 and isinstance(failure.answer, Response)
        ]
        assert led
        with running(BEHAVIOURS["nasty-after-an-error"]) as url:
            out = run_script(tmp_path / document.script_name(led[0]), url)
        first, second = re.findall(r"--- connection 1: \d+ bytes\n'HTTP/1\.1 (\d+) ", out)
        assert isinstance(led[0].answer, Response)
        assert first != "200"
        assert int(second) == led[0].answer.status
        assert re.fullmatch(r"[ -~\n]*", out)

    def test_a_script_sends_in_parallel(self, tmp_path: Path) -> None:
        one, other = run.prepare(REFERENCE).plan.witnesses[:2]
        with running() as url:
            script = tmp_path / "both.py"
            text = repeat.script("both", url, [[one], [other, one]], 5.0)
            script.write_text(text, encoding="utf-8")
            out = run_script(script)
        assert out.count("--- connection 1: ") == 1
        assert out.count("--- connection 2: ") == 2
        assert out.count("HTTP/1.1 200 OK") == 3

    def test_a_script_says_so_when_nobody_is_there(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        case = run.prepare(REFERENCE).plan.witnesses[0]
        script = tmp_path / "nobody.py"
        script.write_text(repeat.script("x", f"http://127.0.0.1:{port}", [[case]], 1.0), encoding="utf-8")
        assert "no answer" in run_script(script)


def received_from(command: list[str], listener: socket.socket, folder: Path) -> Request:
    """What a command sends to a listener that answers once."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(10)
            data = b""
            while b"\r\n\r\n" not in data:
                data += sock.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            while len(body) < (int(length[1]) if length else 0):
                body += sock.recv(1 << 20)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        process.wait(10)
    return Request(head + b"\r\n\r\n", body)


def parts(request: Request) -> tuple[bytes, bytes, bytes, list[tuple[bytes, bytes]], bytes]:
    headers = sorted((name.lower(), value) for name, value in request.headers)
    return request.method, request.target, request.version, headers, request.body


def test_curl_lines_send_the_same_request(tmp_path: Path) -> None:
    """Every planned request of which a curl line is offered, sent by curl where it is installed."""
    light = replace(REFERENCE, limits=replace(REFERENCE.limits, max_image_bytes=None))
    cases = {case.id: case for case in plan(light, b"127.0.0.1:8080").cases()}
    offered = {
        name: line
        for name, case in cases.items()
        if (line := repeat.curl("http://127.0.0.1:8080", case.request, f"{name}.body"))
    }
    assert len(offered) > len(cases) / 2
    assert all(shlex.split(line)[0] == "curl" for line in offered.values())
    if shutil.which("curl") is None:
        return

    def differs(name: str) -> list[str]:
        (tmp_path / f"{name}.body").write_bytes(cases[name].request.body)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(10)
            port = listener.getsockname()[1]
            line = repeat.curl(f"http://127.0.0.1:{port}", cases[name].request, f"{name}.body")
            assert line is not None
            try:
                got = parts(received_from(shlex.split(line), listener, tmp_path))
            except OSError as error:
                return [f"{name}: curl cannot be run with {len(line)} letters: {error}"]
        wanted = parts(cases[name].request)
        return [f"{name}: {w[:300]!r} became {g[:300]!r}" for w, g in zip(wanted, got, strict=True) if w != g]

    with ThreadPoolExecutor(2) as pool:
        found = [line for lines in pool.map(differs, offered) for line in lines]
    assert found == []


def test_cases_are_named_safely() -> None:
    """Names of cases and failures become file names and words in a docstring."""
    cases: list[Case] = list(plan(REFERENCE, b"x").cases())
    assert not [case.id for case in cases if not re.fullmatch(r"[a-z0-9.-]+", case.id)]


class TestFolder:
    """What is written where."""

    def test_everything_is_there(self, tmp_path: Path) -> None:
        run.write_all(report_of("another-status"), tmp_path / "a" / "b")
        names = {file.name for file in (tmp_path / "a" / "b").iterdir()}
        assert names == {"report.json", "repeat", *(file for file, _ in run.FORMATS.values())}

    def test_without_failures_there_is_nothing_to_repeat(self, tmp_path: Path) -> None:
        run.write_all(report_of("honest"), tmp_path)
        assert not (tmp_path / "repeat").exists()

    def test_a_second_run_leaves_nothing_of_the_first(self, tmp_path: Path) -> None:
        """Else a green report would lie beside the scripts of old failures."""
        run.write_all(report_of("another-status"), tmp_path)
        run.write_all(report_of("honest"), tmp_path)
        assert not (tmp_path / "repeat").exists()

    def test_a_place_that_cannot_be_written_is_the_operators_mistake(self, tmp_path: Path) -> None:
        file = tmp_path / "taken"
        file.write_text("", encoding="utf-8")
        with pytest.raises(OperatorMistake, match="taken"):
            run.write_all(report_of("honest"), file)


@pytest.mark.parametrize(("clause", "code"), [("mask.size", 3), ("http.framing", 4)])
def test_a_gap_that_nothing_explains_passes_no_gate(clause: str, code: int) -> None:
    """What was declared and never came about leaves all open; what needs nothing is partial, gate or not."""
    whole = with_rows(outcomes={clause: Outcome.UNEXERCISED})
    rows = tuple(replace(row, by_choice=False) for row in whole.rows)
    report = replace(whole, rows=rows)
    assert (exit_code(report, gate=False), exit_code(report, gate=True)) == (code, code)
