"""Exit codes: what a shell, and with ``--gate`` a pipeline, makes of a report."""

from __future__ import annotations

from conformance.contract.clauses import Level
from conformance.report.record import Conclusion, Report

OPERATOR_MISTAKE = 2

_CODES = {
    Conclusion.CONFORMANT: 0,
    Conclusion.NON_CONFORMANT: 1,
    Conclusion.INDETERMINATE: 3,
    Conclusion.PARTIAL: 4,
}


def exit_code(report: Report, *, gate: bool) -> int:
    """0 conformant, 1 non-conformant, 3 indeterminate, 4 partial.

    With ``gate`` a partial report is 0, and so is one whose failures are all listed as known; a known failure that no
    longer fails is 1.
    """
    if not gate or report.conclusion is Conclusion.INDETERMINATE:
        return _CODES[report.conclusion]
    return 1 if unlisted(report) or report.stale or report.course.cut_off else 0


def unlisted(report: Report) -> list[str]:
    """The MUST clauses that failed and are not listed as known failures."""
    return [row.clause.id for row in report.failed(Level.MUST) if not row.known]
