"""How a clause, or a whole report, that was read from a file stands on a page that shows several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.contract.clauses import catalogue
from conformance.report.html import marks
from conformance.report.html.marks import Mark
from conformance.report.visible import visible
from conformance.report.written import Written, WrittenClause, WrittenFailure

FINDINGS = 2
"""Findings of a clause that are shown; ``report.json`` has all."""
READINGS = 6
WORDS = 300
"""Letters of a text, at most, that stands there once for each report."""


@dataclass(frozen=True)
class FindingView:
    """A finding, without its exchange."""

    id: str
    case: str
    where: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Standing:
    """A clause in one of the reports."""

    mark: Mark
    counts: str
    reason: str
    known: str
    findings: Sequence[FindingView]
    more: int
    readings: Sequence[tuple[str, int]]
    more_readings: int


@dataclass(frozen=True)
class Side:
    """One of the reports."""

    label: str
    name: str
    mark: Mark
    reason: str
    facts: Sequence[tuple[str, str]]


def side(label: str, report: Written, brief: int) -> Side:
    """A report, under a label of its own; names are cut to so many letters."""
    mark = marks.of_conclusion(report.conclusion)
    return Side(label, visible(report.title, brief), mark, visible(report.reason, WORDS), list(_facts(report)))


def standing(clause: WrittenClause) -> Standing:
    """What a report says of a clause."""
    return Standing(
        marks.of_outcome(clause.outcome, clause.level),
        _counts(clause),
        visible(clause.reason, WORDS),
        visible(clause.known, WORDS),
        [_finding(failure) for failure in clause.failures[:FINDINGS]],
        max(len(clause.failures) - FINDINGS, 0),
        [(visible(reading, WORDS), count) for reading, count in clause.readings[:READINGS]],
        max(len(clause.readings) - READINGS, 0),
    )


def _facts(report: Written) -> Iterator[tuple[str, str]]:
    """Where a report comes from: name and value."""
    yield "Target", visible(report.url, WORDS)
    yield "Begun", report.started
    yield "Requests", f"{report.sent} sent of {report.planned} planned"
    yield "Seed", visible(report.seed, WORDS)
    yield "Suite", visible(f"{report.suite}, contract {report.contract[:19]}", WORDS)
    yield "Report", visible(str(report.path), WORDS)


def tally(counts: Mapping[Any, int]) -> str:
    """How many of each there are, such as ``5 passed, 1 failed``."""
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def in_order(sections: Iterable[str]) -> list[str]:
    """Sections in the order of the contract, those that it does not know at the end."""
    given = list(dict.fromkeys(sections))
    known = [section for section in catalogue().sections if section in given]
    return [*known, *(section for section in given if section not in known)]


def _counts(clause: WrittenClause) -> str:
    if not clause.judged:
        return ""
    many = f"{clause.judged} exchange{'' if clause.judged == 1 else 's'}"
    return f"{clause.breached} of {many} breach it" if clause.breached else many


def _finding(failure: WrittenFailure) -> FindingView:
    texts = (failure.id, failure.case, failure.where, failure.expected, failure.actual)
    return FindingView(*(visible(text, WORDS) for text in texts))
