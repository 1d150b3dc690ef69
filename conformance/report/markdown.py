"""The report as Markdown: the conclusion, what failed and why, and every clause in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.contract.clauses import Level, catalogue
from conformance.contract.clients import breaches_of, measured
from conformance.report.document import curl_line, script_name
from conformance.report.record import ClauseRow, Failure, Outcome, Report
from conformance.report.visible import visible

MARKS = {
    Outcome.PASSED: "✓ passed",
    Outcome.FAILED: "✗ failed",
    Outcome.OBSERVED: "○ observed",
    Outcome.UNEXERCISED: "– unexercised",
    Outcome.NOT_APPLICABLE: "· not applicable",
    Outcome.ERROR: "! error",
}


def render(report: Report) -> str:
    """The Markdown document, ended by a newline."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    course = report.course
    yield f"# {plain(report.target.name)} {plain(report.target.version)}".rstrip()
    yield ""
    yield f"**{report.conclusion}**: {plain(report.reason)}."
    yield ""
    yield f"{course.sent} requests in {report.seconds:.1f} s to {code(report.target.url)}, begun {report.started}; "
    yield f"suite {report.suite}, contract {code(report.contract[:19])}, seed {code(report.seed)}."
    yield ""
    yield from _counts(report)
    for heading, level in {"Failures": Level.MUST, "Remarks": Level.SHOULD}.items():
        rows = report.failed(level)
        if rows:
            yield f"## {heading}"
            yield ""
        for row in rows:
            yield from breached(row, report)
    yield from _measured(report)
    yield from notes(report)
    yield from waivers(report)
    yield from _clauses(report)


def _counts(report: Report) -> Iterator[str]:
    yield "| level | " + " | ".join(str(outcome) for outcome in Outcome) + " |"
    yield "| --- |" + " ---: |" * len(Outcome)
    for level, counts in report.counts.items():
        yield f"| {level} | " + " | ".join(str(counts[outcome]) for outcome in Outcome) + " |"
    yield ""


def breached(row: ClauseRow, report: Report) -> Iterator[str]:
    """The lines on a clause that failed: what it demands, what came instead, what that breaks, how to see it again."""
    yield f"### {row.clause.id}"
    yield ""
    yield f"{plain(row.clause.requirement)} ({'; '.join(map(plain, row.clause.sources)) or 'no source'})"
    yield ""
    yield from _breaks(row)
    yield f"{row.breached} of {row.judged} exchanges breach it."
    if row.known:
        yield f"Listed as known: {plain(row.known)}."
    if waived := report.waiver_of(row):
        waiver = waived.waiver
        yield f"Waived until {waiver.expires} by {plain(waiver.owner)}: {plain(waiver.reason)}."
    yield ""
    for failure in row.failures:
        yield from _failure(failure, report)
    yield ""


def _breaks(row: ClauseRow) -> Iterator[str]:
    breaches = breaches_of(row.clause.id)
    if breaches:
        yield "What it breaks:"
        yield ""
        for breach in breaches:
            yield f"- {plain(str(breach))}"
        yield ""


def _failure(failure: Failure, report: Report) -> Iterator[str]:
    finding = failure.finding
    yield f"- {code(failure.case)}, {plain(finding.where)}"
    yield f"  - expected: {plain(finding.expected)}"
    yield f"  - actual: {code(finding.actual)}"
    if failure.connections:
        yield f"  - repeat: {code('python ' + script_name(failure))}"
    if line := curl_line(failure, report.target.url):
        yield f"  - or: {code(line)}"


def _measured(report: Report) -> Iterator[str]:
    if any(row.outcome is Outcome.FAILED and breaches_of(row.clause.id) for row in report.rows):
        yield f"What breaks was measured with {', '.join(plain(str(each)) for each in measured().clients.values())}."
        yield ""


def notes(report: Report) -> Iterator[str]:
    """The lines on what no clause has: the undeclared, the unsteady, and what is wrongly listed as known."""
    if report.credentials:
        yield f"With credentials: {report.credentials}."
        yield ""
    for note in report.undeclared:
        yield f"Not declared: {note}."
        yield ""
    if report.course.unsteady:
        names = ", ".join(code(name) for name in report.course.unsteady[:20])
        yield f"Unsteady, answered only when sent again: {names}."
        yield ""
    if report.stale:
        yield f"Listed as known failures, yet not failing: {', '.join(map(code, report.stale))}."
        yield ""


def waivers(report: Report) -> Iterator[str]:
    """The lines on what was to be waived, and what of it is."""
    if not report.waivers:
        return
    yield "## Waivers"
    yield ""
    yield "| waives | standing | owner | until | reason |"
    yield "| --- | --- | --- | --- | --- |"
    for each in report.waivers:
        waiver, note = each.waiver, f": {plain(each.note)}" if each.note else ""
        link = f" ({plain(waiver.link)})" if waiver.link else ""
        standing = f"**{each.standing}**" if each.fails_the_gate else str(each.standing)
        cells = (plain(waiver.names), f"{standing}{note}", plain(waiver.owner), str(waiver.expires))
        yield f"| {' | '.join(cells)} | {plain(waiver.reason)}{link} |"
    yield ""


def _clauses(report: Report) -> Iterator[str]:
    yield "## Clauses"
    yield ""
    for section, title in catalogue().sections.items():
        rows = [row for row in report.rows if row.clause.section == section]
        if rows:
            yield f"### {title}"
            yield ""
            yield "| clause | level | outcome | exchanges | note |"
            yield "| --- | --- | --- | ---: | --- |"
            for row in rows:
                mark = MARKS[row.outcome]
                yield f"| {row.clause.id} | {row.clause.level} | {mark} | {row.judged} | {_note(row)} |"
            yield ""


def _note(row: ClauseRow) -> str:
    if row.readings:
        return ", ".join(f"{plain(reading)} ({count})" for reading, count in row.readings.items())
    if row.known:
        return f"known: {plain(row.known)}"
    return plain(row.reason)


def plain(text: str) -> str:
    """Text that Markdown leaves alone, whoever wrote it."""
    return re.sub(r"([\\`*_{}\[\]<>|#~!&])", r"\\\1", visible(text))


def code(text: str) -> str:
    """Text as a code span, with a fence longer than any run of backticks in it."""
    shown = visible(text) or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
