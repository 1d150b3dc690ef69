"""A waivers file to begin with, drafted from a report: what failed is filled in, and why it may stand is to be said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from conformance.contract.clauses import Level
from conformance.report.record import Outcome
from conformance.report.visible import visible
from conformance.report.written import Written, WrittenClause


def draft(report: Written, owner: str, expires: date) -> str:
    """A waiver for each MUST clause that failed and is not among the known failures of the target file."""
    return "\n".join(_lines(report, owner, expires)) + "\n"


def _lines(report: Written, owner: str, expires: date) -> Iterator[str]:
    yield f"# Waivers for {report.title}, drafted from its report of {report.started}."
    yield "# Say in each reason why the failure may stand. With --gate it passes until that day; the conclusion stays."
    clauses = report.clauses.values()
    failed = [each for each in clauses if each.outcome is Outcome.FAILED and each.level is Level.MUST]
    if not failed:
        yield "# No MUST clause failed: there is nothing to waive."
    for clause in failed:
        yield ""
        if clause.known:
            yield f"# {clause.id} is a known failure of the target file: {clause.known}"
        else:
            yield from _entry(clause, owner, expires)


def _entry(clause: WrittenClause, owner: str, expires: date) -> Iterator[str]:
    found = [f"expected {each.expected}, got {each.actual}" for each in clause.failures[:1]]
    yield f"# {clause.requirement}"
    yield "[[waiver]]"
    yield f"clause = {_quoted(clause.id)}"
    yield f"reason = {_quoted(visible(': '.join(['not yet explained', *found]), 400))}"
    yield f"owner = {_quoted(visible(owner))}"
    yield f"expires = {expires.isoformat()}"
    yield '# link = "https://"'


def _quoted(text: str) -> str:
    """Printable ASCII as a TOML string."""
    return json.dumps(text)
