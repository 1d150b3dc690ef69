"""The report as workflow commands, which GitHub shows as annotations: the conclusion, then what failed.

GitHub shows only so many of a kind for each step, so no more are written, and the last line says what they leave out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.contract.clauses import Level
from conformance.contract.clients import breaches_of, in_short
from conformance.report.document import script_name
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report, tally
from conformance.report.visible import visible

MOST = 10
"""Errors that GitHub shows of a step, and as many warnings."""

_KINDS = {
    Conclusion.CONFORMANT: "notice",
    Conclusion.NON_CONFORMANT: "error",
    Conclusion.INDETERMINATE: "error",
    Conclusion.PARTIAL: "warning",
}
_LONGEST = 500


@dataclass(frozen=True)
class _Annotation:
    kind: str
    """error, warning or notice."""
    title: str
    text: str

    def __str__(self) -> str:
        return f"::{self.kind} title={_property(self.title)}::{_data(self.text)}"


def render(report: Report) -> str:
    """The commands, one on a line."""
    wanted = list(_annotations(report))
    shown: list[_Annotation] = []
    taken = Counter[str]()
    for each in wanted:
        taken[each.kind] += 1
        if taken[each.kind] <= MOST:
            shown.append(each)
    if left_out := len(wanted) - len(shown):
        shown.append(_the_rest(left_out))
    return "".join(f"{each}\n" for each in shown)


def _the_rest(left_out: int) -> _Annotation:
    shows = f"GitHub shows at most {MOST} errors and {MOST} warnings of a step"
    return _Annotation("notice", f"{left_out} more", f"{shows}; {left_out} more are in the job summary and the report")


def _annotations(report: Report) -> Iterator[_Annotation]:
    counts = ", ".join(f"{count} {word}" for word, count in tally(report.rows).items())
    title = f"DetectAnomalies: {report.conclusion}"
    yield _Annotation(_KINDS[report.conclusion], title, f"{visible(report.reason)}\n{counts}")
    for row in report.failed(Level.MUST):
        excused = "known failure" if row.known else "waived failure" if report.waiver_of(row) else ""
        yield _Annotation("warning" if excused else "error", f"MUST {row.clause.id} {excused or 'failed'}", _story(row))
    yield from _of_the_lists(report)
    for row in report.rows:
        if row.outcome is Outcome.ERROR:
            yield _Annotation("error", f"{row.clause.level} {row.clause.id} not judged", visible(row.reason, _LONGEST))
    for row in report.failed(Level.SHOULD):
        yield _Annotation("warning", f"SHOULD {row.clause.id} remark", _story(row))


def _of_the_lists(report: Report) -> Iterator[_Annotation]:
    """What keeps the gate shut although nothing failed."""
    for name in report.stale:
        yield _Annotation("error", f"stale {visible(name)}", "it is listed as a known failure and does not fail")
    for waived in report.waivers:
        if waived.fails_the_gate:
            yield _Annotation("error", f"waiver {visible(waived.waiver.names)}", visible(str(waived), _LONGEST))


def _story(row: ClauseRow) -> str:
    failure = row.failures[0]
    finding = failure.finding
    lines = [
        row.clause.requirement,
        f"{visible(finding.where, _LONGEST)}: expected {visible(finding.expected, _LONGEST)}, "
        f"got {visible(finding.actual, _LONGEST)}",
        f"{row.breached} of {row.judged} exchanges breach it, such as {failure.case}",
    ]
    if breaches := breaches_of(row.clause.id):
        lines.append(f"breaks: {in_short(breaches)}")
    if failure.connections:
        lines.append(f"repeat: python {script_name(failure)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
