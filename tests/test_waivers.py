"""Waivers: they open the gate until a certain day, change no conclusion, and are listed in every report."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from comparing import CREATED, NASTY, REFERENCE, complaints, edited, row
from lxml import etree  # type: ignore[import-untyped]  # there are no stubs among our tools
from markdown_it import MarkdownIt

from conformance import run, waivers
from conformance.cli import main, reports
from conformance.contract.clauses import catalogue
from conformance.in_process import Server
from conformance.judge import KEPT
from conformance.mistake import OperatorMistake
from conformance.reference.server import running
from conformance.report import document, junit, markdown, terminal, waiving, written
from conformance.report.gate import exit_code
from conformance.report.record import Conclusion, Report
from conformance.waivers import Standing, Waiver

STATUS = "success.status"
TODAY = date(2026, 6, 15)
TARGETS = REFERENCE


@cache
def whole(faulty: bool) -> Report:
    server = Server(CREATED) if faulty else Server()
    report, _ = run.prepare(TARGETS).against(server).go()
    return report


@cache
def partial() -> Report:
    report, _ = run.prepare(TARGETS, only=("mask",)).against(Server()).go()
    return report


def waiver(clause: str = STATUS, days: int = 10, **more: str) -> Waiver:
    names = {"clause": clause} if "finding" not in more else {}
    return Waiver("ticket 7", "quality@acme.example", TODAY + timedelta(days=days), **names, **more)


def standing(report: Report, *wanted: Waiver) -> list[Standing]:
    return [each.standing for each in report.waived_by(wanted, TODAY).waivers]


def known(report: Report, *clauses: str) -> Report:
    rows = tuple(replace(each, known="listed") if each.clause.id in clauses else each for each in report.rows)
    return replace(report, rows=rows, target=replace(report.target, known_failures=dict.fromkeys(clauses, "listed")))


REPORTS: Mapping[str, Callable[[], Report]] = {
    "faulty": lambda: whole(True),
    "honest": lambda: whole(False),
    "partial": partial,
    "known": lambda: known(whole(True), STATUS),
    "stale": lambda: known(whole(True), "mask.png"),
}


class TestGate:
    """What waivers do to exit codes."""

    @pytest.mark.parametrize(
        ("name", "wanted", "expected", "gated"),
        [
            ("faulty", [], [], 1),
            ("faulty", [waiver()], [Standing.IN_FORCE], 0),
            ("faulty", [waiver(days=0)], [Standing.IN_FORCE], 0),
            ("faulty", [waiver(days=-1)], [Standing.EXPIRED], 1),
            ("faulty", [waiver(days=-1), waiver()], [Standing.EXPIRED, Standing.IN_FORCE], 1),
            ("faulty", [waiver("success.statsu")], [Standing.UNKNOWN], 1),
            ("faulty", [waiver(), waiver("qqqqqq.x")], [Standing.IN_FORCE, Standing.UNKNOWN], 1),
            ("faulty", [waiver(), waiver("mask.png")], [Standing.IN_FORCE, Standing.NOT_NEEDED], 1),
            ("faulty", [waiver("route.query"), waiver()], [Standing.NOT_NEEDED, Standing.IN_FORCE], 1),
            ("faulty", [waiver("mask.png", -5)], [Standing.EXPIRED], 1),
            ("faulty", [waiver(finding=f"{STATUS}-1")], [Standing.IN_FORCE], 0),
            ("faulty", [waiver(finding=f"{STATUS}-9")], [Standing.NOT_NEEDED], 1),
            ("faulty", [waiver(finding="mask.png-1"), waiver()], [Standing.NOT_NEEDED, Standing.IN_FORCE], 1),
            ("faulty", [waiver(finding="success.statsu-1"), waiver()], [Standing.UNKNOWN, Standing.IN_FORCE], 1),
            ("honest", [waiver()], [Standing.NOT_NEEDED], 1),
            ("honest", [], [], 0),
            ("partial", [waiver()], [Standing.UNTOLD], 0),
            ("partial", [waiver(days=-1)], [Standing.EXPIRED], 1),
            ("known", [], [], 0),
            ("known", [waiver()], [Standing.IN_FORCE], 0),
            ("stale", [waiver()], [Standing.IN_FORCE], 1),
            ("known", [waiver("mask.png")], [Standing.NOT_NEEDED], 1),
        ],
        ids="none in-force last-day expired renewed-beside-expired unknown one-unknown one-not-needed observed "
        "expired-and-not-needed finding no-such-finding finding-of-a-kept-clause unknown-finding kept conformant "
        "not-exercised expired-not-exercised known known-and-waived stale-and-waived known-and-not-needed".split(),
    )
    def test_exit_codes(self, name: str, wanted: list[Waiver], expected: list[Standing], gated: int) -> None:
        report = REPORTS[name]()
        found = report.waived_by(wanted, TODAY)
        assert [each.standing for each in found.waivers] == expected
        assert exit_code(found, gate=True) == gated
        assert exit_code(found, gate=False) == exit_code(report, gate=False)
        assert (found.conclusion, found.reason) == (report.conclusion, report.reason)

    def test_the_nearest_name_is_told(self) -> None:
        found = whole(True).waived_by([waiver("success.statsu"), waiver(finding=f"{STATUS}-9")], TODAY)
        assert [each.note for each in found.waivers] == [
            "there is no clause 'success.statsu'; did you mean 'success.status'?",
            "there is no such finding; did you mean 'success.status-1'?",
        ]

    def test_each_finding_has_to_be_waived(self) -> None:
        """One that is not keeps the clause failing; and where findings were left out, none of them can be."""
        rows = whole(True).rows
        at = next(place for place, each in enumerate(rows) if each.clause.id == STATUS)
        (failure,) = rows[at].failures

        def with_findings(count: int) -> Report:
            more = tuple(replace(failure, id=f"{STATUS}-{number}") for number in range(1, count + 1))
            return replace(whole(True), rows=(*rows[:at], replace(rows[at], failures=more), *rows[at + 1 :]))

        each = [waiver(finding=f"{STATUS}-{number}") for number in range(1, KEPT + 1)]
        assert exit_code(with_findings(2).waived_by(each[:1], TODAY), gate=True) == 1
        assert exit_code(with_findings(2).waived_by(each[:2], TODAY), gate=True) == 0
        assert exit_code(with_findings(KEPT).waived_by(each, TODAY), gate=True) == 1
        assert exit_code(with_findings(KEPT).waived_by([waiver()], TODAY), gate=True) == 0

    def test_clauses_that_nothing_judges_are_unknown(self) -> None:
        untested = [each.id for each in catalogue().clauses.values() if each.untested]
        assert {*standing(whole(True), *map(waiver, untested))} <= {Standing.UNKNOWN}

    def test_an_indeterminate_run_passes_no_gate(self) -> None:
        dead = replace(whole(True), course=replace(whole(True).course, answered=0))
        assert dead.conclusion is Conclusion.INDETERMINATE
        assert exit_code(dead.waived_by([waiver()], TODAY), gate=True) == 3


ENTRY = {"clause": STATUS, "reason": "r", "owner": "o", "expires": date(2026, 6, 30)}


def toml(entries: list[Mapping[str, Any]], more: str = "") -> str:
    lines = [more]
    for entry in entries:
        lines.append("[[waiver]]")
        lines += [
            f"{key} = {value if isinstance(value, date | int) else json.dumps(value)}" for key, value in entry.items()
        ]
    return "\n".join(lines)


def but(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (ENTRY | changes).items() if value is not None}


class TestFile:
    """The file, and what may be wrong with it."""

    def test_it_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "waivers.toml"
        link = "https://tracker.example/7"
        file.write_text(
            toml([ENTRY, but(clause=None, finding=f"{STATUS}-1", expires="2026-07-01", link=link)]), "utf-8"
        )
        first, second = waivers.load(file)
        assert first == Waiver("r", "o", date(2026, 6, 30), STATUS)
        assert second == Waiver("r", "o", date(2026, 7, 1), "", f"{STATUS}-1", link)
        assert second.of == STATUS

    def test_an_empty_file_waives_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "w.toml").write_text("", "utf-8")
        assert waivers.load(tmp_path / "w.toml") == ()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (toml([but(reason=None)]), "waiver 1: reason is missing"),
            (toml([ENTRY, but(owner=None)]), "waiver 2: owner is missing"),
            (toml([but(expires=None)]), "waiver 1: expires is missing"),
            (toml([but(clause=None)]), "waiver 1: it needs either clause, or finding, and not both"),
            (toml([but(finding="a.b-1")]), "waiver 1: it needs either clause, or finding, and not both"),
            (toml([but(reason="")]), "waiver 1: reason: this is empty"),
            (toml([but(owner="  ")]), "waiver 1: owner: this is empty"),
            (toml([but(onwer="x")]), "waiver 1: there is no such key: 'onwer'; did you mean 'owner'?"),
            (toml([but(expires="tomorrow")]), "waiver 1: expires: 'tomorrow' is not of the form"),
            (toml([but(expires="2026-02-31")]), "waiver 1: expires: '2026-02-31' is no date"),
            (toml([but(expires=7)]), "waiver 1: expires: this is no string"),
            (toml([but(link="tracker")]), "waiver 1: link: 'tracker' is not of the form"),
            ("[[waiver]]\nexpires = 2026-01-01T00:00:00Z\n", "waiver 1: "),
            ("[[waivers]]\n", "there is no such key: 'waivers'; did you mean 'waiver'?"),
            ("[waiver]\n", "waiver: this is no array; write [[waiver]]"),
            ('"\\u001b[2J" = 1', "there is no such key: '\\x1b[2J'"),
            ("[[waiver]", "this cannot be read as TOML"),
            ("\x00", "this cannot be read as TOML"),
            ("a = " + "[" * 5000, "this cannot be read as TOML"),
        ],
        ids="reason owner expires neither both empty blank typo word no-such-day number link moment plural single "
        "hostile-key cut binary deep".split(),
    )
    def test_a_mistake_is_one_sentence(
        self, text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Before anything is sent: nobody listens there."""
        file = tmp_path / "waivers.toml"
        file.write_text(text, encoding="utf-8")
        command = ["run", "http://127.0.0.1:9", "--classification", "a/1", "--out", str(tmp_path / "o")]
        assert main([*command, "--waivers", str(file)]) == 2
        out, errors = capsys.readouterr()
        assert (out, not (tmp_path / "o").exists()) == ("", True)
        (line,) = errors.splitlines()
        assert line.startswith(f"conformance: {file}: {said}")
        assert re.fullmatch(r"[ -~]*", line)

    @pytest.mark.parametrize("place", ["nowhere.toml", "."])
    def test_a_file_that_is_not_there(self, place: str, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match=re.escape(str(tmp_path / place))):
            waivers.load(tmp_path / place)

    def test_a_file_that_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(waivers, "MOST_BYTES", 10)
        (tmp_path / "w.toml").write_text(toml([ENTRY]), "utf-8")
        with pytest.raises(OperatorMistake, match="larger than"):
            waivers.load(tmp_path / "w.toml")


NASTY_ONES = [
    replace(waiver(), reason=NASTY, owner=NASTY, link=f"https://{NASTY}"),
    replace(waiver("mask.png"), reason=NASTY, owner=NASTY),
    replace(waiver(), clause=NASTY, reason=NASTY, owner=NASTY),
    replace(waiver(finding=f"{NASTY}-1"), reason=NASTY, owner=NASTY),
    waiver("success.json", -3),
]


class TestShown:
    """They are listed in every report."""

    @pytest.fixture(params=["plain", "nasty"])
    def report(self, request: pytest.FixtureRequest) -> Report:
        wanted = NASTY_ONES if request.param == "nasty" else [waiver(link="https://t.example/7"), waiver("mask.png")]
        return whole(True).waived_by(wanted, TODAY)

    def test_json(self, report: Report) -> None:
        found = document.to_document(report)
        assert complaints("report.schema.json", found) == []
        assert [each["standing"] for each in found["waivers"]] == [str(each.standing) for each in report.waivers]
        assert found["conclusion"] == "non-conformant"

    def test_a_report_without_waivers_keeps_the_schema(self) -> None:
        found = document.to_document(whole(True))
        assert found["waivers"] == []
        del found["waivers"], found["target"]["states"]
        assert complaints("report.schema.json", found) == []

    def test_markdown(self, report: Report) -> None:
        text = markdown.render(report)
        assert re.fullmatch(r"[ -~\n✓✗○–·]*", text)
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        kinds = {token.type for each in tokens for token in (each, *(each.children or ()))}
        assert kinds.isdisjoint({"html_inline", "html_block", "link_open", "image", "fence", "code_block"})
        section = text.partition("## Waivers\n")[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("|")][2:]
        assert len(rows) == len(report.waivers)
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {6}
        assert "Waived until 2026-06-25 by" in text

    def test_junit(self, report: Report) -> None:
        text = junit.render(report)
        assert re.fullmatch(r"[ -~\n]*", text)
        root = etree.fromstring(text.encode())
        told = {
            case.get("name"): [
                each.get("value") for each in suite.iterfind("properties/property") if each.get("name") == "waiver"
            ]
            for suite in root.iter("testsuite")
            for case in suite.iterfind("testcase")
        }
        assert len(told["conclusion"]) == len(report.waivers)
        assert any(each.startswith(f"{STATUS}: in force; ") for each in told[STATUS])
        unneeded = "mask.png: no longer needed: mask.png did not fail; "
        assert any(each.startswith(unneeded) for each in told["mask.png"])

    def test_terminal(self, report: Report, capsys: pytest.CaptureFixture[str]) -> None:
        terminal.show(report, None)
        out = capsys.readouterr().out
        assert re.fullmatch(r"[ -~\n]*", out)
        assert not [line for line in out.splitlines() if line.lstrip().startswith(("::", "##"))]
        assert f"MUST {STATUS} waived failure: " in out
        assert out.count("\n  waiver ") == len(report.waivers)


class TestCommands:
    """run, judge and waive."""

    @pytest.fixture
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(reports, "today", lambda: TODAY)
        return tmp_path

    def test_a_run_a_draft_and_a_judgement(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The draft of what failed is a file that opens the gate, as long as it says."""
        file, out = here / "w.toml", here / "out"
        evidence = here / "evidence"
        evidence.mkdir()
        report, _ = run.prepare(TARGETS).against(Server(CREATED)).go(evidence=evidence)
        run.write_all(report, evidence, ())
        assert main(["waive", str(evidence), "--owner", "Q", "--days", "10", "--out", str(file)]) == 0
        assert main(["waive", str(evidence), "--owner", "Q", "--days", "10", "--out", str(file)]) == 2
        judge = ["judge", str(evidence), "--quiet", "--out", str(out)]
        assert main([*judge, "--gate"]) == 1
        assert main([*judge, "--gate", "--waivers", str(file)]) == 0
        assert main([*judge, "--waivers", str(file)]) == 1
        (entry,) = document.load(out / "report.json")["waivers"]
        assert (entry["clause"], entry["owner"], entry["expires"], entry["standing"]) == (
            STATUS,
            "Q",
            "2026-06-25",
            "in force",
        )
        capsys.readouterr()

    def test_a_waiver_that_expired_fails_the_gate(self, here: Path) -> None:
        (here / "w.toml").write_text(toml([but(expires=date(2026, 6, 14))]), "utf-8")
        with running(CREATED) as url:
            command = ["run", url, "--depth", "quick", "--quiet", "--classification", "cookies/1", "--out", str(here)]
            assert main([*command, "--gate", "--waivers", str(here / "w.toml")]) == 1
        assert [each["standing"] for each in document.load(here / "report.json")["waivers"]] == ["expired"]

    @pytest.fixture
    def folder(self, here: Path) -> Path:
        run.write_all(whole(True), here / "r", ())
        return here / "r"

    def test_a_draft_is_printed(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["waive", str(folder / "report.json"), "--owner", "Q", "--days", "1"]) == 0
        out = capsys.readouterr().out
        (entry,) = tomllib.loads(out)["waiver"]
        assert (entry["clause"], entry["expires"]) == (STATUS, date(2026, 6, 16))
        assert entry["reason"] == "not yet explained: expected 200, got 201"

    def test_known_failures_need_no_waiver(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        edited(folder, lambda report: row(report, STATUS).update(known="ticket 4711"))
        assert main(["waive", str(folder), "--owner", "Q", "--days", "1"]) == 0
        out = capsys.readouterr().out
        assert tomllib.loads(out) == {}
        assert f"# {STATUS} is a known failure of the target file: ticket 4711" in out

    def test_a_report_without_failures_has_nothing_to_waive(self, here: Path) -> None:
        run.write_all(whole(False), here, ())
        text = waiving.draft(written.load(here), "Q", TODAY)
        assert tomllib.loads(text) == {}
        assert "there is nothing to waive" in text

    def test_a_hostile_report_is_drafted_harmlessly(self, folder: Path, tmp_path: Path) -> None:
        def hostile(report: dict[str, Any]) -> None:
            report["target"].update(name=NASTY, version=NASTY)
            row(report, STATUS).update(requirement=NASTY)
            row(report, STATUS)["failures"][0].update(expected=NASTY + '"\\', actual=NASTY * 100)

        edited(folder, hostile)
        text = waiving.draft(written.load(folder), NASTY + "\x7f\ud800", TODAY)
        assert re.fullmatch(r"[ -~\n]*", text)
        assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##"))]
        (tmp_path / "w.toml").write_text(text, "utf-8")
        (found,) = waivers.load(tmp_path / "w.toml")
        assert found.clause == STATUS

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [(["--owner", " ", "--days", "1"], "--owner"), (["--owner", "x", "--days", "9" * 14], "--days 99999999999999")],
    )
    def test_mistakes(self, arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["waive", str(folder), *arguments]) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        assert errors.startswith(f"conformance: {said}: ")
        assert len(errors.splitlines()) == 1
