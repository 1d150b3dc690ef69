"""What CI systems read: all renderings count the same, show it as those want it, and obey nobody else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase
from lxml import etree, html  # type: ignore[import-untyped]  # there are no stubs among our tools
from markdown_it import MarkdownIt
from rich.console import Console
from test_reports import (
    CUT,
    DEAD,
    FAILURE,
    FROZEN,
    MUST,
    MUST_TOO,
    NASTY,
    SHOULD,
    nasty_target,
    partial,
    report_of,
    with_rows,
)

from conformance import run
from conformance.contract.clauses import Level, catalogue
from conformance.report import badge, ctrf, document, junit, markdown, summary, terminal, workflow
from conformance.report import html as page
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report, tally
from conformance.rule import Finding
from conformance.waivers import Waiver

COLUMNS = list(tally(()))
COMMANDS = (
    "add-mask add-matcher add-path debug echo endgroup error group notice remove-matcher save-state set-env "
    "set-output stop-commands warning"
).split()


def judged(*args: Any, finding: Finding = FAILURE.finding, **kwargs: Any) -> Report:
    """A report with these outcomes, and what failed has a finding with a request that shows it."""
    whole, real = with_rows(*args, **kwargs), report_of("another-status").failed(Level.MUST)[0].failures[0]

    def with_one(row: ClauseRow) -> ClauseRow:
        failure = replace(real, id=f"{row.clause.id}-1", finding=finding)
        return replace(row, failures=(failure,)) if row.failures else row

    return replace(whole, rows=tuple(map(with_one, whole.rows)))


def everything() -> Report:
    """Every outcome there is, of each level, and hostile words in all that a target or an operator may say."""
    musts = [clause.id for clause in catalogue().tested() if clause.level is Level.MUST]
    shoulds = [clause.id for clause in catalogue().tested() if clause.level is Level.SHOULD]
    outcomes = dict.fromkeys(musts[:13] + shoulds[:12], Outcome.FAILED)
    outcomes |= dict.fromkeys(musts[13:16] + shoulds[12:13], Outcome.UNEXERCISED)
    outcomes |= dict.fromkeys(musts[16:18], Outcome.NOT_APPLICABLE) | dict.fromkeys(musts[18:20], Outcome.ERROR)
    whole = judged(tuple(musts[:2]), outcomes=outcomes, finding=Finding(NASTY, NASTY, NASTY))
    rows = (replace(row, reason=NASTY if row.reason else "") for row in whole.rows)
    read = {Outcome.OBSERVED: {NASTY: 3}}
    return replace(whole, rows=tuple(replace(row, readings=read.get(row.outcome)) for row in rows))


def waived() -> Report:
    """Two MUST failed: one is waived, and one waiver is not needed."""
    found = judged(outcomes={MUST: Outcome.FAILED, MUST_TOO: Outcome.FAILED, SHOULD: Outcome.FAILED})
    last = date(2027, 1, 31)
    waivers = [Waiver(NASTY, NASTY, last, clause=MUST), Waiver("it was", "me", last, clause="mask.png")]
    return found.waived_by(waivers, date(2027, 1, 1))


def huge() -> Report:
    """More to say than fits into a job summary."""
    levels = {clause.id: clause.level for clause in catalogue().tested()}
    outcomes = {name: Outcome.FAILED for name, level in levels.items() if level is not Level.OBSERVE}
    whole = judged(outcomes=outcomes, finding=Finding("here", "x" * 2000, "\u202e" * 2000))
    return replace(whole, rows=tuple(replace(row, failures=row.failures * 2) for row in whole.rows))


REPORTS: Mapping[str, Callable[[], Report]] = {
    "conformant": judged,
    "conformant-as-run": lambda: report_of("honest"),
    "with-a-remark": lambda: judged(outcomes={SHOULD: Outcome.FAILED}),
    "non-conformant": lambda: report_of("nasty-result"),
    "nasty-target": nasty_target,
    "partial": partial,
    "partial-with-a-remark": lambda: judged(outcomes={MUST: Outcome.UNEXERCISED, SHOULD: Outcome.FAILED}),
    "our-fault": lambda: judged(outcomes={MUST: Outcome.ERROR, SHOULD: Outcome.FAILED}),
    "cut-off": lambda: judged(course=CUT),
    "dead": lambda: judged(course=DEAD, outcomes=dict.fromkeys(FROZEN, Outcome.UNEXERCISED)),
    "waived": waived,
    "stale": lambda: judged((MUST,)),
    "everything": everything,
    "huge": huge,
}
CONCLUSIONS = {
    **dict.fromkeys(("conformant", "conformant-as-run", "with-a-remark", "stale"), Conclusion.CONFORMANT),
    **dict.fromkeys(("non-conformant", "nasty-target", "waived", "everything", "huge"), Conclusion.NON_CONFORMANT),
    **dict.fromkeys(("partial", "partial-with-a-remark"), Conclusion.PARTIAL),
    **dict.fromkeys(("our-fault", "cut-off", "dead"), Conclusion.INDETERMINATE),
}


@cache
def named(name: str) -> Report:
    return REPORTS[name]()


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return named(request.param)


@pytest.mark.parametrize("name", REPORTS)
def test_the_reports_are_what_they_are_called(name: str) -> None:
    assert named(name).conclusion is CONCLUSIONS[name]
    assert set(CONCLUSIONS.values()) == set(Conclusion)


def column(level: str, outcome: str) -> str:
    """The column of every summary that a clause belongs into."""
    if outcome == "not applicable":
        return "n/a"
    return "remarks" if (level, outcome) == ("SHOULD", "failed") else outcome


def counted(words: list[str]) -> dict[str, int]:
    found = Counter(words)
    assert set(found) <= set(COLUMNS)
    return {word: found[word] for word in COLUMNS}


def in_json(report: Report) -> dict[str, int]:
    whole = json.loads(json.dumps(document.to_document(report)))
    return counted([column(row["level"], row["outcome"]) for row in whole["clauses"]])


def in_junit(report: Report) -> dict[str, int]:
    words = []
    for suite in JUnitXml.fromstring(junit.render(report).encode()):
        properties = {each.name: each.value for each in suite.properties()}  # type: ignore[no-untyped-call]  # it has no types
        words += [_word(case, properties[case.name]) for case in suite if case.name != "conclusion"]
    return counted(words)


def _word(case: TestCase, told: str) -> str:
    """What a case says; one that has no result passed, was observed or is a remark."""
    level, _, outcome = told.partition(" ")
    output = case.system_out or ""
    if not case.result:
        assert outcome in ("passed", "observed") or output.startswith("remark: ")
        return column(level, outcome)
    (result,) = case.result
    if isinstance(result, Skipped):
        return column(level, str(result.message).partition(":")[0])
    return {Failure: "failed", Error: "error"}[type(result)]


def in_markdown(report: Report) -> dict[str, int]:
    table = tables(markdown.render(report))[0]
    words = [
        column(level, outcome)
        for level, *numbers in table[1:]
        for outcome, number in zip(table[0][1:], numbers, strict=True)
        for _ in range(int(number))
    ]
    return counted(words)


def in_html(report: Report) -> dict[str, int]:
    articles = html.document_fromstring(page.render(report)).findall(".//article")
    return counted([column(each.get("data-level"), each.get("data-outcome")) for each in articles])


def in_summary(report: Report) -> dict[str, int]:
    (table,) = (table for table in tables(summary.render(report)) if table[0][0] == "section")
    rows = [dict(zip(table[0][1:], map(int, numbers), strict=True)) for _, *numbers in table[1:]]
    *sections, whole = rows
    assert whole == {word: sum(row[word] for row in sections) for word in COLUMNS}
    return whole


def in_ctrf(report: Report) -> dict[str, int]:
    results = json.loads(ctrf.render(report))["results"]
    tests = [test for test in results["tests"] if test["name"] != "conclusion"]
    allowed = {
        "passed": {("passed", "passed"), ("observed", "passed"), ("remarks", "passed")},
        "other": {("failed", "failed"), ("unexercised", "pending"), ("n/a", "skipped"), ("error", "other")},
    }
    words = [column(test["tags"][0], test["rawStatus"]) for test in tests]
    pairs = {(word, test["status"]) for word, test in zip(words, tests, strict=True)}
    assert pairs <= allowed["passed"] | allowed["other"]
    return counted(words)


def in_annotations(report: Report) -> dict[str, int]:
    _, _, data = obeyed(workflow.render(report).splitlines()[0]) or ("", {}, "")
    pairs = [words.split(" ", 1) for words in data.rpartition("\n")[2].split(", ")]
    return {word: int(number) for number, word in pairs}


def in_terminal(report: Report) -> dict[str, int]:
    lines = printed(report).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("section "))
    titles = set(catalogue().sections.values())
    rows = [re.split(r"  +", line.strip()) for line in lines[start + 1 :] if line.split("  ")[0].strip() in titles]
    numbers = [[int(cell.replace(".", "0")) for cell in cells[1:]] for cells in rows]
    return dict(zip(lines[start].split()[1:], (sum(each) for each in zip(*numbers, strict=True)), strict=True))


def printed(report: Report) -> str:
    screen = StringIO()
    terminal.show(report, Path("reports/x"), Console(file=screen, width=80, highlight=False, soft_wrap=True))
    return screen.getvalue()


def tables(text: str) -> list[list[list[str]]]:
    tree = html.fragment_fromstring(rendered(text), create_parent="div")
    return [
        [[" ".join(cell.text_content().split()) for cell in row] for row in table.iterfind(".//tr")]
        for table in tree.iterfind(".//table")
    ]


def rendered(text: str) -> str:
    """Markdown as HTML, with the HTML in it, as GitHub takes it."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


@pytest.mark.parametrize(
    "read",
    [in_json, in_junit, in_markdown, in_html, in_summary, in_ctrf, in_annotations, in_terminal],
    ids=lambda read: str(read.__name__),
)
def test_all_renderings_count_the_same(report: Report, read: Callable[[Report], dict[str, int]]) -> None:
    expected = tally(report.rows)
    assert sum(expected.values()) == len(FROZEN)
    assert read(report) == expected


class TestBadge:
    """badge.json, as a Shields endpoint."""

    def test_it_says_what_the_report_says(self, report: Report) -> None:
        found, counts = json.loads(badge.render(report)), tally(report.rows)
        head, _, tail = found["message"].partition(" · ")
        numbers = [int(each) for each in re.findall(r"\d+", tail)]
        idle = report.counts[Level.MUST][Outcome.UNEXERCISED]
        remarks = [counts["remarks"]] if counts["remarks"] else []
        expected = {
            Conclusion.CONFORMANT: [counts["passed"] + counts["observed"], *remarks],
            Conclusion.NON_CONFORMANT: [counts["failed"]],
            Conclusion.PARTIAL: [idle],
            Conclusion.INDETERMINATE: [],
        }
        assert (head, numbers) == (str(report.conclusion), expected[report.conclusion])

    def test_it_is_green_for_conformant_alone(self, report: Report) -> None:
        found = json.loads(badge.render(report))
        assert ("green" in found["color"]) == (report.conclusion is Conclusion.CONFORMANT)

    def test_it_is_what_an_endpoint_may_answer(self, report: Report) -> None:
        """Shields refuses members that it does not know."""
        schema = {
            "type": "object",
            "required": ["schemaVersion", "label", "message", "color"],
            "properties": {
                "schemaVersion": {"const": 1},
                "label": {"type": "string", "pattern": "^[ -~]+$"},
                "message": {"type": "string", "pattern": "^[ -~·]{1,60}$"},
                "color": {"enum": ["brightgreen", "green", "yellow", "red", "lightgrey"]},
                "isError": {"const": True},
            },
            "additionalProperties": False,
        }
        Draft202012Validator(schema).validate(json.loads(badge.render(report)))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The schema in the format's own npm package, where that can be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm")
    folder = tmp_path_factory.mktemp("ctrf")
    pack = [npm, "pack", "ctrf@0.3.0", "--silent", "--pack-destination", str(folder)]
    try:
        subprocess.run(pack, capture_output=True, check=True, timeout=60, cwd=folder)
    except subprocess.SubprocessError:
        pytest.skip("the package could not be fetched")
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder, "gztar", filter="data")
    return json.loads((folder / "package" / "dist" / "ctrf-schema-0.0.json").read_text(encoding="utf-8"))


class TestCtrf:
    """ctrf.json."""

    def test_the_summary_counts_the_tests(self, report: Report) -> None:
        results = json.loads(ctrf.render(report))["results"]
        found = Counter(test["status"] for test in results["tests"])
        summed = {status: results["summary"][status] for status in ("passed", "failed", "skipped", "pending", "other")}
        assert summed == {status: found[status] for status in summed}
        assert results["summary"]["tests"] == len(FROZEN) + 1 == sum(summed.values())

    def test_no_run_looks_green_that_is_not_conformant(self, report: Report) -> None:
        (found,) = (
            test for test in json.loads(ctrf.render(report))["results"]["tests"] if test["name"] == "conclusion"
        )
        assert (found["status"] == "passed") == (report.conclusion is Conclusion.CONFORMANT)

    def test_it_keeps_the_part_of_the_schema_that_it_uses(self, report: Report) -> None:
        """Written down from the published one, version 0.0, with nothing in it that we leave out."""
        text, number = {"type": "string"}, {"type": "integer"}

        def closed(required: str, **properties: Any) -> dict[str, Any]:
            return {
                "type": "object",
                "required": required.split(),
                "properties": properties,
                "additionalProperties": False,
            }

        statuses = "passed failed skipped pending other"
        test = closed(
            "name status duration",
            name={"type": "string", "minLength": 1},
            testId={"type": "string", "minLength": 1},
            status={"enum": statuses.split()},
            duration=number,
            rawStatus=text,
            message=text,
            trace=text,
            suite={"type": "array", "minItems": 1, "items": text},
            tags={"type": "array", "items": text},
        )
        counts = dict.fromkeys(f"tests {statuses} suites start stop duration".split(), number)
        results = closed(
            "tool summary tests",
            tool=closed("name", name={"type": "string", "minLength": 1}, version=text),
            summary=closed(f"tests {statuses} start stop", **counts),
            tests={"type": "array", "items": test},
            environment=closed("", appName=text, appVersion=text),
        )
        schema = closed(
            "results reportFormat specVersion",
            reportFormat={"const": "CTRF"},
            specVersion={"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
            timestamp={"type": "string", "format": "date-time"},
            generatedBy=text,
            results=results,
        )
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            json.loads(ctrf.render(report))
        )

    @pytest.mark.parametrize("name", REPORTS)
    def test_it_keeps_the_published_schema(self, published: Any, name: str) -> None:
        Draft7Validator.check_schema(published)
        found = json.loads(ctrf.render(named(name)))
        Draft7Validator(published, format_checker=Draft7Validator.FORMAT_CHECKER).validate(found)

    @pytest.mark.parametrize("started", ["", "yesterday", NASTY, "2026-11-23T06:33:38", "2026-11-23T06:33:38+02:00"])
    def test_it_takes_what_evidence_calls_its_beginning(self, started: str) -> None:
        found = json.loads(ctrf.render(replace(with_rows(), started=started)))
        assert ("timestamp" in found) == started.startswith("2026")
        assert found["results"]["summary"]["stop"] >= found["results"]["summary"]["start"]


class TestJunit:
    """junit.xml, as GitLab, Jenkins and GitHub's reporters take it."""

    def test_it_is_what_jenkins_xunit_plugin_takes(self, report: Report) -> None:
        """Written down from its schema, version 10: it refuses elements and attributes that are not in it."""
        told = {"message", "type"}
        counts = {"name", "tests", "failures", "errors", "time"}
        known: dict[str, tuple[set[str], set[str]]] = {
            "testsuites": (counts, {"testsuite"}),
            "testsuite": (counts | {"skipped", "timestamp"}, {"properties", "testcase"}),
            "properties": (set(), {"property"}),
            "property": ({"name", "value"}, set()),
            "testcase": ({"name", "time", "classname"}, {"skipped", "error", "failure", "system-out"}),
            "failure": (told, set()),
            "error": (told, set()),
            "skipped": (told, set()),
            "system-out": (set(), set()),
        }
        for element in etree.fromstring(junit.render(report).encode()).iter():
            attributes, children = known[element.tag]
            assert set(element.attrib) <= attributes, element.tag
            assert {child.tag for child in element} <= children, element.tag

    def test_its_times_add_up(self, report: Report) -> None:
        suites = JUnitXml.fromstring(junit.render(report).encode())
        cases = [case for suite in suites for case in suite]
        assert suites.time == pytest.approx(report.seconds, abs=0.001)
        assert sum(case.time for case in cases) == pytest.approx(suites.time)
        assert sum(suite.time for suite in suites) == pytest.approx(suites.time)

    def test_results_say_why_in_text_and_in_the_attribute(self, report: Report) -> None:
        """GitLab shows the one, and others the other."""
        root = etree.fromstring(junit.render(report).encode())
        for element in root.xpath("//failure | //error | //skipped"):
            assert element.get("message")
            assert (element.text or "").strip()

    def test_gitlab_takes_no_two_cases_for_one(self, report: Report) -> None:
        """It knows them by class and name."""
        names = [
            (case.classname, case.name)
            for suite in JUnitXml.fromstring(junit.render(report).encode())
            for case in suite
        ]
        assert len(names) == len(set(names)) == len(FROZEN) + 1


class TestSummary:
    """github-summary.md."""

    def test_nothing_in_it_is_active(self, report: Report) -> None:
        """Only our own tags, and nobody's attributes."""
        tree = html.fragment_fromstring(rendered(summary.render(report)), create_parent="div")
        ours = set("div h1 h2 h3 p strong code ul li table thead tbody tr th td details summary".split())
        assert {element.tag for element in tree.iter()} <= ours
        assert {name for element in tree.iter() for name in element.attrib} <= {"style"}

    def test_what_failed_comes_first(self, report: Report) -> None:
        tree = html.fragment_fromstring(rendered(summary.render(report)), create_parent="div")
        found = [(each.tag, each.text_content()) for each in tree if each.tag in ("h1", "h2", "h3")]
        head, *rest = found
        assert head[0] == "h1"
        assert head[1].endswith(f"DetectAnomalies: {report.conclusion}")
        must, should = ([("h3", row.clause.id) for row in report.failed(level)] for level in (Level.MUST, Level.SHOULD))
        if report is named("huge"):
            assert rest[:6] == [("h2", "Failures"), *must[:5]]
            return
        error = [("h2", "Not judged, by our own fault")] if tally(report.rows)["error"] else []
        expected = [*([("h2", "Failures")] if must else []), *must, *error]
        expected += [*([("h2", "Remarks")] if should else []), *should, ("h2", "Sections")]
        assert rest == [*expected, *([("h2", "Waivers")] if report.waivers else [])]

    def test_a_failure_says_all_that_is_needed(self) -> None:
        text = summary.render(named("non-conformant"))
        for row in named("non-conformant").failed(Level.MUST):
            part = text.partition(f"### {row.clause.id}\n")[2].partition("\n#")[0]
            assert markdown.plain(row.clause.requirement) in part
            assert f"{row.breached} of {row.judged} exchanges breach it" in part
            assert all(word in part for word in ("expected: ", "actual: ", "repeat: "))

    def test_what_was_not_exercised_is_folded_and_complete(self, report: Report) -> None:
        tree = html.fragment_fromstring(rendered(summary.render(report)), create_parent="div")
        counts = tally(report.rows)
        told = {"not exercised": counts["unexercised"], "not applicable": counts["n/a"]}
        found = {each.find("summary").text_content(): len(each.findall(".//li")) for each in tree.findall("details")}
        expected = {f"{n} clause{'' if n == 1 else 's'} {words}": n for words, n in told.items() if n}
        assert found == expected

    def test_it_is_never_more_than_github_takes(self, report: Report) -> None:
        text = summary.render(report)
        assert len(text.encode()) <= 1024 * 1024
        assert ("did not fit in here" in text) == (report is named("huge"))

    def test_what_does_not_fit_is_counted(self) -> None:
        text = summary.render(named("huge"))
        failed = tally(named("huge").rows)
        left_out = failed["failed"] + failed["remarks"] - text.count("\n### ")
        assert re.search(rf"^{left_out} parts of this did not fit in here; `report\.md` has everything\.$", text, re.M)
        assert in_summary(named("huge")) == tally(named("huge").rows)

    def test_it_is_printable(self, report: Report) -> None:
        assert re.fullmatch(r"[ -~\n✓✗–]*", summary.render(report))


def obeyed(line: str) -> tuple[str, dict[str, str], str] | None:
    """The command that GitHub's runner finds in a line of output, read as it reads it; None where there is none."""
    text, begin, end = line.lstrip(), "::", "::"
    split, escapes = ",", {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    if not text.startswith("::") or "::" not in text[2:] or text[2:].partition("::")[0].split(" ")[0] not in COMMANDS:
        begin, end, split = "##[", "]", ";"
        escapes = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%25": "%"}
    _, found, rest = text.partition(begin)
    head, ended, data = rest.partition(end)
    name, _, properties = head.partition(" ")
    if not (found and ended and name in COMMANDS):
        return None

    def plain(escaped: str) -> str:
        for word, letter in escapes.items():
            escaped = escaped.replace(word, letter)
        return escaped

    pairs = (pair.partition("=") for pair in properties.split(split) if pair)
    return name, {key.strip(): plain(value) for key, _, value in pairs}, plain(data)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("::error::x", "error"),
        ("  ::error title=a%3A,file=b::x", "error"),
        ("| got ##[add-mask]x", "add-mask"),
        ("::stop-commands::x", "stop-commands"),
        ("a ::error::x", None),
        ("::nothing::x", None),
        ("##[error", None),
    ],
)
def test_the_runner_is_understood(line: str, command: str | None) -> None:
    """Otherwise the tests below would prove little."""
    found = obeyed(line)
    assert (found[0] if found else None) == command


class TestAnnotations:
    """annotations.txt, as GitHub's runner reads it."""

    def test_every_line_is_a_command_of_ours(self, report: Report) -> None:
        found = [obeyed(line) for line in workflow.render(report).splitlines()]
        assert {each[0] for each in found if each} <= {"error", "warning", "notice"}
        assert all(each and set(each[1]) == {"title"} for each in found)
        assert re.fullmatch(r"[ -~\n]*", workflow.render(report))

    def test_the_conclusion_comes_first(self, report: Report) -> None:
        found = obeyed(workflow.render(report).splitlines()[0])
        assert found
        assert found[1]["title"] == f"DetectAnomalies: {report.conclusion}"
        kinds = {Conclusion.CONFORMANT: "notice", Conclusion.PARTIAL: "warning"}
        assert found[0] == kinds.get(report.conclusion, "error")

    def test_there_are_no_more_than_github_shows(self, report: Report) -> None:
        """And what they leave out is counted."""
        lines = [obeyed(line) for line in workflow.render(report).splitlines()]
        shown = Counter(each[0] for each in lines if each)
        assert max(shown["error"], shown["warning"]) <= workflow.MOST
        failed = [row for row in report.rows if row.outcome in (Outcome.FAILED, Outcome.ERROR)]
        wanted = 1 + len(failed) + len(report.stale) + sum(each.fails_the_gate for each in report.waivers)
        last = lines[-1]
        assert last
        more = re.fullmatch(r"(\d+) more", last[1]["title"])
        assert wanted == (len(lines) - 1 + int(more[1]) if more else len(lines))

    def test_a_failure_keeps_what_the_target_said(self) -> None:
        found = [obeyed(line) for line in workflow.render(named("non-conformant")).splitlines()]
        titles = {each[1]["title"]: each[2] for each in found if each}
        for row in named("non-conformant").failed(Level.MUST):
            data = titles[f"MUST {row.clause.id} failed"]
            assert row.clause.requirement in data
            assert f"{row.breached} of {row.judged} exchanges" in data
            assert f"repeat: python repeat/{row.failures[0].id}.py" in data

    @pytest.mark.parametrize("actual", ["50%25, a:b", "100%", "%0A::error::x", "a,title=b::c", "%3A%2C"])
    def test_percent_signs_and_colons_survive(self, actual: str) -> None:
        whole = judged(outcomes={MUST: Outcome.FAILED}, finding=Finding("here", "this", actual))
        found = obeyed(workflow.render(whole).splitlines()[1])
        assert found
        assert f"got {actual.replace('::error', chr(92) + 'x3a:error')}\n" in found[2]

    def test_what_the_gate_lets_pass_is_a_warning(self) -> None:
        found = [obeyed(line) for line in workflow.render(named("waived")).splitlines()]
        kinds = {each[1]["title"]: each[0] for each in found if each}
        assert kinds[f"MUST {MUST} waived failure"] == "warning"
        assert kinds[f"MUST {MUST_TOO} failed"] == "error"
        assert kinds["waiver mask.png"] == "error"


@pytest.mark.parametrize("name", [*(name for name in run.FORMATS if name != "annotations"), "json", "terminal"])
def test_no_target_speaks_to_the_ci_system(report: Report, name: str) -> None:
    """Whatever is printed into a log, by us or by `cat`, has no command in it."""
    if name == "terminal":
        text = printed(report)
    elif name == "json":
        text = json.dumps(document.to_document(report), indent=2)
    else:
        text = run.FORMATS[name][1](report)
    assert [line for line in text.splitlines() if obeyed(line)] == []
    assert not re.search(r"##(?:vso|teamcity)\[", text)
