"""The report as a badge, in the form that a Shields endpoint takes. Green is for conformant, and for nothing else."""

from __future__ import annotations

import json
from typing import Any

from conformance.contract.clauses import Level
from conformance.report.record import Conclusion, Outcome, Report, tally

LABEL = "DetectAnomalies"


def render(report: Report) -> str:
    """The JSON document. Nothing in it is said by the target."""
    return json.dumps(_badge(report), indent=2, ensure_ascii=False) + "\n"


def _badge(report: Report) -> dict[str, Any]:
    message, color = _shown(report)
    badge = {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}
    # To Shields this is a badge that failed: who embeds it cannot give it another colour.
    return badge | ({"isError": True} if report.conclusion is Conclusion.INDETERMINATE else {})


def _shown(report: Report) -> tuple[str, str]:
    counts, conclusion = tally(report.rows), report.conclusion
    if conclusion is Conclusion.CONFORMANT:
        remarks = counts["remarks"]
        also = f", {remarks} remark{'' if remarks == 1 else 's'}" if remarks else ""
        held = f"{counts['passed'] + counts['observed']} clauses"
        return f"{conclusion} · {held}{also}", "green" if remarks else "brightgreen"
    if conclusion is Conclusion.NON_CONFORMANT:
        return f"{conclusion} · {counts['failed']} MUST failed", "red"
    if conclusion is Conclusion.PARTIAL:
        return f"{conclusion} · {report.counts[Level.MUST][Outcome.UNEXERCISED]} MUST not exercised", "yellow"
    return str(conclusion), "lightgrey"
