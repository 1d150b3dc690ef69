"""The report as a job summary for GitHub: the conclusion, what failed, the numbers, and the rest folded away.

It is Markdown with a few HTML tags of our own, and never more than GitHub takes of a step: of more it shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.contract.clauses import Level, catalogue
from conformance.report.markdown import breached, code, notes, plain, waivers
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report, tally

MOST_BYTES = 1_000_000
"""GitHub takes 1 MiB; the rest is left to what else the step may have to say."""

_MARKS = {
    Conclusion.CONFORMANT: "✓",
    Conclusion.NON_CONFORMANT: "✗",
    Conclusion.INDETERMINATE: "!",
    Conclusion.PARTIAL: "–",
}
_LEFT_OUT = "{} of this did not fit in here; `report.md` has everything."


def render(report: Report) -> str:
    """The Markdown document, ended by a newline; what does not fit is left out, the first things last."""
    room = MOST_BYTES - len(_LEFT_OUT) - 20
    shown: list[str] = []
    left_out = 0
    for block in ("".join(f"{line}\n" for line in lines) for lines in _blocks(report)):
        size = len(block.encode())
        if size <= room:
            room -= size
            shown.append(block)
        else:
            left_out += 1
    if left_out:
        shown.append(_LEFT_OUT.format(f"{left_out} part{'' if left_out == 1 else 's'}") + "\n")
    return "".join(shown)


def _blocks(report: Report) -> Iterator[Iterable[str]]:
    """Its parts, in the order of their weight; each can be left out without harm to the others."""
    yield _head(report)
    failed, remarks = report.failed(Level.MUST), report.failed(Level.SHOULD)
    errors = [row for row in report.rows if row.outcome is Outcome.ERROR]
    yield from _titled("Failures", [breached(row, report) for row in failed])
    yield from _titled("Not judged, by our own fault", [_list(errors)] if errors else [])
    yield from _titled("Remarks", [breached(row, report) for row in remarks])
    yield _sections(report)
    yield notes(report)
    yield waivers(report)
    yield _folded(Outcome.UNEXERCISED, "not exercised", report)
    yield _folded(Outcome.NOT_APPLICABLE, "not applicable", report)


def _titled(title: str, blocks: list[Iterable[str]]) -> Iterator[Iterable[str]]:
    for block in blocks:
        yield (f"## {title}", "", *block) if block is blocks[0] else block


def _head(report: Report) -> Iterator[str]:
    target, course = report.target, report.course
    yield f"# {_MARKS[report.conclusion]} DetectAnomalies: {report.conclusion}"
    yield ""
    yield f"**{f'{plain(target.name)} {plain(target.version)}'.rstrip()}**: {plain(report.reason)}."
    yield ""
    yield f"{course.sent} requests in {report.seconds:.1f} s to {code(target.url)}, begun {plain(report.started)}; "
    yield f"suite {report.suite}, contract {code(report.contract[:19])}, seed {code(report.seed)}."
    yield ""


def _sections(report: Report) -> Iterator[str]:
    yield "## Sections"
    yield ""
    yield f"| section | {' | '.join(tally(()))} |"
    yield "| --- |" + " ---: |" * len(tally(()))
    for section, title in catalogue().sections.items():
        rows = [row for row in report.rows if row.clause.section == section]
        if rows:
            yield _numbers(title, rows)
    yield _numbers("**all**", report.rows)
    yield ""


def _numbers(title: str, rows: Iterable[ClauseRow]) -> str:
    return f"| {title} | {' | '.join(map(str, tally(rows).values()))} |"


def _folded(outcome: Outcome, words: str, report: Report) -> Iterator[str]:
    rows = [row for row in report.rows if row.outcome is outcome]
    if rows:
        yield f"<details><summary>{len(rows)} clause{'' if len(rows) == 1 else 's'} {words}</summary>"
        yield ""
        yield from _list(rows)
        yield "</details>"
        yield ""


def _list(rows: Iterable[ClauseRow]) -> Iterator[str]:
    for row in rows:
        yield f"- {row.clause.level} {code(row.clause.id)}: {plain(row.reason)}"
    yield ""
