"""Several implementations side by side: one value, from which terminal, Markdown, JSON and HTML all derive.

Sections, clauses, and how each of them reads what the documents leave open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance import __version__
from conformance.contract.clauses import Level
from conformance.report.markdown import MARKS, plain
from conformance.report.record import Outcome
from conformance.report.visible import visible
from conformance.report.written import Written, WrittenClause, cited, section_title

SCHEMA = "urn:detect-anomalies-conformance:matrix:1"
NO_SUCH_CLAUSE = "no such clause"

SYMBOLS = {"failed": ("✗", "x"), "error": ("!", "!"), "remarks": ("△", "~"), "gaps": ("–", "-"), "kept": ("✓", "+")}
"""What a section comes to, in Markdown and on a terminal; the worst counts."""
_LEGEND = "passed/failed/unexercised; {} failed, {} an error of ours, {} remarks, {} a MUST not exercised, {} kept"


@dataclass(frozen=True)
class Cell:
    """What became of the clauses of a section, or of all."""

    counts: Mapping[Outcome, int]
    verdict: str
    """failed, error, remarks, gaps or kept; empty where there is no such clause."""

    @classmethod
    def of(cls, clauses: Sequence[WrittenClause]) -> Cell:
        counts = Counter(clause.outcome for clause in clauses)
        must = {clause.outcome for clause in clauses if clause.level is Level.MUST}
        facts = {
            "failed": Outcome.FAILED in must,
            "error": counts[Outcome.ERROR],
            "remarks": counts[Outcome.FAILED],
            "gaps": Outcome.UNEXERCISED in must,
        }
        verdict = next((name for name, holds in facts.items() if holds), "kept" if clauses else "")
        return cls({outcome: counts[outcome] for outcome in Outcome}, verdict)

    @property
    def numbers(self) -> str:
        """How many passed (or were observed), failed, and were not exercised."""
        kept = self.counts[Outcome.PASSED] + self.counts[Outcome.OBSERVED]
        return f"{kept}/{self.counts[Outcome.FAILED]}/{self.counts[Outcome.UNEXERCISED]}"

    def shown(self, *, ascii_only: bool) -> str:
        """The symbol, then the numbers."""
        return f"{SYMBOLS[self.verdict][ascii_only]} {self.numbers}" if self.verdict else ""


@dataclass(frozen=True)
class Matrix:
    """Reports side by side, aligned by the ids of clauses."""

    reports: tuple[Written, ...]
    labels: tuple[str, ...]
    """How each report's target is called here; no two are called the same."""
    clauses: tuple[WrittenClause, ...]
    """Every clause that any of the reports has, as the first that has it tells it."""

    @property
    def sections(self) -> dict[str, list[WrittenClause]]:
        """The clauses by section."""
        found: dict[str, list[WrittenClause]] = {}
        for clause in self.clauses:
            found.setdefault(clause.section, []).append(clause)
        return found

    def cells(self, section: str | None = None) -> list[Cell]:
        """What a section, or everything, comes to for each implementation."""
        return [
            Cell.of([each for each in report.clauses.values() if section in (None, each.section)])
            for report in self.reports
        ]

    def outcomes(self, name: str) -> list[Outcome | None]:
        """What became of a clause for each implementation; None where its report has no such clause."""
        return [report.clauses[name].outcome if name in report.clauses else None for report in self.reports]

    @property
    def telling(self) -> list[WrittenClause]:
        """The clauses that somebody breaches, or in which implementations differ."""
        return [each for each in self.clauses if self.tells(each.id)]

    def tells(self, name: str) -> bool:
        """Whether somebody breaches a clause, or implementations differ in it."""
        outcomes = self.outcomes(name)
        return Outcome.FAILED in outcomes or Outcome.ERROR in outcomes or len(set(outcomes)) > 1

    @property
    def interpretations(self) -> list[tuple[WrittenClause, list[tuple[str, ...]]]]:
        """Each OBSERVE clause with the readings that each implementation took."""
        return [
            (clause, [_readings(report.clauses.get(clause.id)) for report in self.reports])
            for clause in self.clauses
            if clause.level is Level.OBSERVE
        ]

    @property
    def differences(self) -> list[str]:
        """Where the reports are not of the same suite, so that they are compared with care."""
        facts = {
            "suite": [report.suite for report in self.reports],
            "contract": [report.contract[:19] for report in self.reports],
        }
        found = []
        for what, values in facts.items():
            if len(set(values)) > 1:
                told = ", ".join(f"{value} ({label})" for label, value in zip(self.labels, values, strict=True))
                found.append(f"not all were judged by the same {what}: {told}")
        for label, report in zip(self.labels, self.reports, strict=True):
            if lacking := [each.id for each in self.clauses if each.id not in report.clauses]:
                found.append(f"{label} was not judged by: {', '.join(lacking)}")
        return found


def _readings(clause: WrittenClause | None) -> tuple[str, ...]:
    """The readings of an implementation; why there are none, in brackets."""
    if clause is None:
        return (f"({NO_SUCH_CLAUSE})",)
    return tuple(reading for reading, _ in clause.readings) or (f"({clause.outcome})",)


def to_document(found: Matrix) -> dict[str, Any]:
    """The whole matrix as JSON-able data."""
    return {
        "schema": SCHEMA,
        "suite": __version__,
        "implementations": [
            {"label": visible(label), **cited(each)} for label, each in zip(found.labels, found.reports, strict=True)
        ],
        "differences": [visible(each) for each in found.differences],
        "total": [_cell(cell) for cell in found.cells()],
        "sections": [
            {
                "section": section,
                "title": section_title(section),
                "cells": [_cell(cell) for cell in found.cells(section)],
                "clauses": [
                    {"id": each.id, "level": str(each.level), "outcomes": [*map(_name, found.outcomes(each.id))]}
                    for each in clauses
                ],
            }
            for section, clauses in found.sections.items()
        ],
        "interpretations": [
            {
                "id": clause.id,
                "question": clause.question,
                "readings": [dict(_seen(report, clause.id)) for report in found.reports],
            }
            for clause, _ in found.interpretations
        ],
    }


def _seen(report: Written, name: str) -> tuple[tuple[str, int], ...]:
    return report.clauses[name].readings if name in report.clauses else ()


def _cell(cell: Cell) -> dict[str, Any]:
    return {"verdict": cell.verdict or None, "counts": {str(key): count for key, count in cell.counts.items()}}


def _name(outcome: Outcome | None) -> str | None:
    return None if outcome is None else str(outcome)


def markdown(found: Matrix) -> str:
    """The matrix as Markdown, ended by a newline."""
    return "\n".join(_markdown_lines(found)) + "\n"


def _markdown_lines(found: Matrix) -> Iterator[str]:
    labels = [plain(label) for label in found.labels]
    yield "# Implementations side by side"
    yield ""
    yield from _table(["section", *labels])
    for section in found.sections:
        yield _line([section_title(section), *(cell.shown(ascii_only=False) for cell in found.cells(section))])
    yield _line(["**all**", *(cell.shown(ascii_only=False) for cell in found.cells())])
    yield _line(["**conclusion**", *(str(report.conclusion) for report in found.reports)])
    yield ""
    yield f"{_LEGEND.format(*(pair[0] for pair in SYMBOLS.values()))}."
    yield ""
    if found.differences:
        yield from (f"- {plain(each)}" for each in found.differences)
        yield ""
    yield "## Interpretations"
    yield ""
    yield "What the documents leave open, and how each implementation reads it. Nobody is blamed."
    yield ""
    yield from _table(["clause", "question", *labels])
    for clause, readings in found.interpretations:
        yield _line([clause.id, plain(clause.question), *(plain(", ".join(each)) for each in readings)])
    yield ""
    yield "## Clauses"
    yield ""
    for section, clauses in found.sections.items():
        yield f"### {section_title(section)}"
        yield ""
        yield from _table(["clause", "level", *labels])
        for clause in clauses:
            marks = [MARKS[each] if each else NO_SUCH_CLAUSE for each in found.outcomes(clause.id)]
            yield _line([clause.id, str(clause.level), *marks])
        yield ""


def _table(titles: Sequence[str]) -> Iterator[str]:
    yield _line(titles)
    yield "|" + " --- |" * len(titles)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def show(found: Matrix, sections: Sequence[str] = (), console: Console | None = None) -> None:
    """Print the matrix, the clauses that tell, or all of the ``sections``, and how each reads what is left open."""
    console = console or Console(highlight=False, soft_wrap=True)
    for line in _shown(found, sections):
        console.print(Text(line))


def _shown(found: Matrix, sections: Sequence[str]) -> Iterator[str]:
    labels = [visible(label, 40) for label in found.labels]
    rows = [
        ["section", *labels],
        *(
            [section_title(name), *(cell.shown(ascii_only=True) for cell in found.cells(name))]
            for name in found.sections
        ),
        ["all", *(cell.shown(ascii_only=True) for cell in found.cells())],
        ["conclusion", *(str(report.conclusion) for report in found.reports)],
    ]
    yield from _aligned(rows)
    yield ""
    yield _LEGEND.format(*(pair[1] for pair in SYMBOLS.values()))
    yield from (f"note: {visible(each)}" for each in found.differences)
    yield ""
    drilled = [each for each in found.clauses if each.section in sections] if sections else found.telling
    if drilled:
        told = ([str(each) if each else NO_SUCH_CLAUSE for each in found.outcomes(clause.id)] for clause in drilled)
        named = [[f"{clause.level} {clause.id}", *cells] for clause, cells in zip(drilled, told, strict=True)]
        yield from _aligned([["clause", *labels], *named])
        yield ""
    read = [[clause.id, *(", ".join(each) for each in readings)] for clause, readings in found.interpretations]
    yield from _aligned([["reading", *labels], *read])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
