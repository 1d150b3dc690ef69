"""Puts the reports of several implementations side by side, aligned by the ids of clauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.contract.clauses import catalogue
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.report.matrix import Matrix
from conformance.report.written import Written, WrittenClause, load


def side_by_side(paths: Sequence[Path]) -> Matrix:
    """Put reports side by side, given as their folders or files. Raises OperatorMistake for one that cannot be read."""
    reports = tuple(load(path) for path in paths)
    clauses: dict[str, WrittenClause] = {}
    for report in reports:
        for name, clause in report.clauses.items():
            clauses.setdefault(name, clause)
    order = {section: place for place, section in enumerate(catalogue().sections)}
    ordered = sorted(clauses.values(), key=lambda each: order.get(each.section, len(order)))
    return Matrix(reports, tuple(_labels(reports)), tuple(ordered))


def _labels(reports: Sequence[Written]) -> Iterator[str]:
    """Names that tell the reports apart, as short as can be."""
    short, long = [each.name for each in reports], [each.title for each in reports]
    for number, report in enumerate(reports):
        if short.count(short[number]) == 1:
            yield report.name
        elif long.count(long[number]) == 1:
            yield report.title
        else:
            yield f"{report.title} #{long[: number + 1].count(long[number])}"


def check(found: Matrix, sections: Sequence[str]) -> None:
    """Raise OperatorMistake for a section that no report has."""
    for section in sections:
        if section not in found.sections:
            raise OperatorMistake(f"there is no section {section!r}{did_you_mean(section, found.sections)}")
