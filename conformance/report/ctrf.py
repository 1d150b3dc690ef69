"""The report in the Common Test Report Format (ctrf.io): one test for each clause, and one for the conclusion.

As in ``junit``: only a failed MUST is failed, a failed SHOULD is a remark on a passed test, and what was not exercised
never passed. It is pending, what does not apply skipped, and an error of ours other. The conclusion is a test too, so
that a run that came to nothing cannot look green.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from conformance.contract.clauses import Level, catalogue
from conformance.report.junit import message, story
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report
from conformance.report.visible import visible

SPECIFICATION = "0.0.0"

_STATUSES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.OBSERVED: "passed",
    Outcome.UNEXERCISED: "pending",
    Outcome.NOT_APPLICABLE: "skipped",
    Outcome.ERROR: "other",
}
_CONCLUSIONS = {
    Conclusion.CONFORMANT: "passed",
    Conclusion.NON_CONFORMANT: "failed",
    Conclusion.INDETERMINATE: "failed",
    Conclusion.PARTIAL: "pending",
}


def render(report: Report) -> str:
    """The JSON document."""
    return json.dumps(_document(report), indent=2, allow_nan=False) + "\n"


def _document(report: Report) -> dict[str, Any]:
    began = _began(report.started)
    tests = [*(_test(row, report) for row in report.rows), _conclusion(report)]
    return {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        **({"timestamp": began.isoformat()} if began else {}),
        "generatedBy": "detect-anomalies-conformance",
        "results": {
            "tool": {"name": "detect-anomalies-conformance", "version": report.suite},
            "summary": _summary(tests, began, report.seconds),
            "tests": tests,
            "environment": {"appName": visible(report.target.name), "appVersion": visible(report.target.version)},
        },
    }


def _summary(tests: list[dict[str, Any]], began: datetime | None, seconds: float) -> dict[str, Any]:
    counts = Counter(test["status"] for test in tests)
    start, lasted = round(began.timestamp() * 1000) if began else 0, round(seconds * 1000)
    return {
        "tests": len(tests),
        **{status: counts[status] for status in ("passed", "failed", "skipped", "pending", "other")},
        "suites": len({tuple(test["suite"]) for test in tests}),
        "start": start,
        "stop": start + lasted,
        "duration": lasted,
    }


def _test(row: ClauseRow, report: Report) -> dict[str, Any]:
    clause = row.clause
    remark = row.outcome is Outcome.FAILED and clause.level is not Level.MUST
    tags = [str(clause.level), *(["remark"] if remark else [])]
    test: dict[str, Any] = {
        "name": clause.id,
        "testId": clause.id,
        "status": "passed" if remark else _STATUSES[row.outcome],
        "rawStatus": str(row.outcome),
        "duration": 0,
        "suite": [catalogue().sections[clause.section]],
        "tags": tags,
    }
    if row.outcome is Outcome.FAILED:
        test |= {"message": f"{'remark: ' if remark else ''}{message(row)}", "trace": story(row)}
        tags += [word for word, is_so in {"known": row.known, "waived": report.waiver_of(row)}.items() if is_so]
    elif row.reason:
        test["message"] = visible(row.reason)
    elif row.readings:
        readings = (f"{visible(reading)} ({count})" for reading, count in row.readings.items())
        test["message"] = f"observed: {', '.join(readings)}"
    return test


def _conclusion(report: Report) -> dict[str, Any]:
    return {
        "name": "conclusion",
        "testId": "conclusion",
        "status": _CONCLUSIONS[report.conclusion],
        "rawStatus": str(report.conclusion),
        "duration": round(report.seconds * 1000),
        "suite": ["conclusion"],
        "message": visible(f"{report.conclusion}: {report.reason}"),
    }


def _began(started: str) -> datetime | None:
    """When a run began; None where its evidence says so in no way that can be read."""
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
