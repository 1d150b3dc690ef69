"""Exit codes: what a shell, and with ``--gate`` a pipeline, makes of a report."""

from __future__ import annotations

from conformance.contract.clauses import Level
from conformance.report.record import Conclusion, Outcome, Report

_CODES = {
    Conclusion.CONFORMANT: 0,
    Conclusion.NON_CONFORMANT: 1,
    Conclusion.INDETERMINATE: 3,
    Conclusion.PARTIAL: 4,
}


def exit_code(report: Report, *, gate: bool) -> int:
    """0 conformant, 1 non-conformant, 3 indeterminate, 4 partial.

    With ``gate`` a report is 0 when all that it lacks was left undeclared or deselected, and all failures are listed as
    known or waived. A known failure that no longer fails is 1, and so is a waiver that expired, is not needed or names
    nothing.
    """
    if not gate or report.conclusion is Conclusion.INDETERMINATE:
        return _CODES[report.conclusion]
    if unlisted(report) or report.stale or any(each.fails_the_gate for each in report.waivers):
        return 1
    if report.course.cut_off or any(row.outcome is Outcome.ERROR for row in report.rows):
        return _CODES[Conclusion.INDETERMINATE]
    return _CODES[Conclusion.PARTIAL] if unexplained_gaps(report) else 0


def unexplained_gaps(report: Report) -> list[str]:
    """The MUST clauses that went unexercised although all that they need was declared."""
    gaps = (row for row in report.rows if row.outcome is Outcome.UNEXERCISED and not row.by_choice)
    return [row.clause.id for row in gaps if row.clause.level is Level.MUST]


def unlisted(report: Report) -> list[str]:
    """The MUST clauses that failed and are neither listed as known failures nor waived."""
    return [row.clause.id for row in report.failed(Level.MUST) if not (row.known or report.waiver_of(row))]
