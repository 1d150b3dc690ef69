"""What the page of implementations side by side says, in the order in which it says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.contract.clauses import Level
from conformance.report.html import marks, standing
from conformance.report.html.marks import Mark
from conformance.report.html.standing import Side, Standing
from conformance.report.markdown import MARKS
from conformance.report.matrix import NO_SUCH_CLAUSE, SYMBOLS, Cell, Matrix
from conformance.report.record import Conclusion, Outcome
from conformance.report.visible import visible
from conformance.report.written import WrittenClause, section_title

BRIEF = 60
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_KINDS = {"failed": "failed", "error": "error", "remarks": "remark", "gaps": "gaps", "kept": "passed"}
"""The class of the style for what a section comes to."""
_VERDICTS = {
    "failed": "a MUST failed",
    "error": "an error of ours",
    "remarks": "remarks",
    "gaps": "a MUST not exercised",
    "kept": "kept",
}


@dataclass(frozen=True)
class CellView:
    """What a section, or everything, came to for an implementation."""

    kind: str
    mark: str
    numbers: str
    told: str
    parts: Sequence[tuple[str, float, float]]
    """Outcomes as a bar: class, where it begins, and its length, of 100."""


@dataclass(frozen=True)
class OneView:
    """A clause for one implementation."""

    label: str
    mark: Mark
    stands: Standing | None
    """None where its report has no such clause."""


@dataclass(frozen=True)
class RowView:
    """A clause, and what became of it everywhere."""

    id: str
    section: str
    level: str
    kind: str
    requirement: str
    question: str
    tells: bool
    each: Sequence[OneView]

    @property
    def outcomes(self) -> str:
        """The outcomes that it has anywhere."""
        return " ".join(dict.fromkeys(one.mark.text for one in self.each))


@dataclass(frozen=True)
class SectionView:
    """A row of the table, and the clauses behind it."""

    id: str
    title: str
    cells: Sequence[CellView]
    rows: Sequence[RowView]

    @property
    def telling(self) -> int:
        """How many of its clauses somebody breaches, or fare differently."""
        return sum(row.tells for row in self.rows)


@dataclass(frozen=True)
class ReadingView:
    """What one implementation reads into the documents; the same letter is the same reading."""

    letter: str
    texts: Sequence[str]


@dataclass(frozen=True)
class QuestionView:
    """What the documents leave open, and everybody's reading."""

    id: str
    question: str
    each: Sequence[ReadingView]

    @property
    def differ(self) -> bool:
        return len({reading.letter for reading in self.each} - {""}) > 1


@dataclass(frozen=True)
class MatrixView:
    """The page."""

    title: str
    headline: str
    kind: str
    notes: Sequence[str]
    columns: Sequence[Side]
    sections: Sequence[SectionView]
    total: Sequence[CellView]
    legend: Sequence[tuple[str, str, str]]
    """Class, mark and meaning of what a section may come to."""
    outcomes: Sequence[tuple[str, str, int]]
    """Mark and name of each outcome, and how many clauses have it anywhere."""
    levels: Sequence[str]
    questions: Sequence[QuestionView]
    """Those first in which implementations differ."""
    clauses: int
    telling: int


def view_of(found: Matrix) -> MatrixView:
    """The page of a matrix."""
    labels = [visible(label, BRIEF) for label in found.labels]
    sections = [_section(found, labels, section) for section in found.sections]
    rows = [row for section in sections for row in section.rows]
    met = Counter(outcome for clause in found.clauses for outcome in set(found.outcomes(clause.id)))
    many = f"{len(labels)} implementation{'' if len(labels) == 1 else 's'} side by side"
    concluded = Counter(report.conclusion for report in found.reports)
    return MatrixView(
        many,
        standing.tally({conclusion: concluded[conclusion] for conclusion in Conclusion}),
        _cell(Cell.of([clause for report in found.reports for clause in report.clauses.values()])).kind,
        [visible(note) for note in found.differences],
        [standing.side(label, report, BRIEF) for label, report in zip(labels, found.reports, strict=True)],
        sections,
        [_cell(cell) for cell in found.cells()],
        [(_KINDS[name], SYMBOLS[name][0], told) for name, told in _VERDICTS.items()],
        [(MARKS[outcome][0], str(outcome), met[outcome]) for outcome in Outcome if met[outcome]],
        [str(level) for level in Level if any(row.level == level for row in rows)],
        sorted(_questions(found), key=lambda question: not question.differ),
        len(rows),
        sum(row.tells for row in rows),
    )


def _section(found: Matrix, labels: Sequence[str], section: str) -> SectionView:
    return SectionView(
        section,
        section_title(section),
        [_cell(cell) for cell in found.cells(section)],
        [_row(found, labels, clause) for clause in found.sections[section]],
    )


def _cell(cell: Cell) -> CellView:
    if not cell.verdict:
        return CellView("none", "", "", "no such section", [])
    if not any(count for outcome, count in cell.counts.items() if outcome is not Outcome.NOT_APPLICABLE):
        return CellView("idle", MARKS[Outcome.NOT_APPLICABLE][0], cell.numbers, standing.tally(cell.counts), [])
    told = f"{_VERDICTS[cell.verdict]}: {standing.tally(cell.counts)}"
    return CellView(_KINDS[cell.verdict], SYMBOLS[cell.verdict][0], cell.numbers, told, list(_parts(cell)))


def _parts(cell: Cell) -> Iterator[tuple[str, float, float]]:
    total, begun = sum(cell.counts.values()), 0
    for outcome, count in cell.counts.items():
        if count:
            yield marks.css(outcome), round(100 * begun / total, 2), round(100 * count / total, 2)
        begun += count


def _row(found: Matrix, labels: Sequence[str], clause: WrittenClause) -> RowView:
    mine = [report.clauses.get(clause.id) for report in found.reports]
    question, requirement = visible(clause.question), visible(clause.requirement)
    return RowView(
        clause.id,
        clause.section,
        str(clause.level),
        _cell(Cell.of([each for each in mine if each])).kind,
        requirement,
        question if question != requirement else "",
        found.tells(clause.id),
        [_one(label, each) for label, each in zip(labels, mine, strict=True)],
    )


def _one(label: str, clause: WrittenClause | None) -> OneView:
    if clause is None:
        return OneView(label, Mark("none", "", NO_SUCH_CLAUSE), None)
    return OneView(label, marks.of_outcome(clause.outcome, clause.level), standing.standing(clause))


def _questions(found: Matrix) -> Iterator[QuestionView]:
    for clause, everybody in found.interpretations:
        seen = [clause.id in each.clauses and bool(each.clauses[clause.id].readings) for each in found.reports]
        taken = dict.fromkeys(frozenset(texts) for texts, any_taken in zip(everybody, seen, strict=True) if any_taken)
        letters = {reading: _letter(place) for place, reading in enumerate(taken)}
        each = [_reading(texts, letters if any_taken else {}) for texts, any_taken in zip(everybody, seen, strict=True)]
        yield QuestionView(clause.id, visible(clause.question), each)


def _reading(texts: Sequence[str], letters: Mapping[frozenset[str], str]) -> ReadingView:
    return ReadingView(letters.get(frozenset(texts), ""), [visible(text, standing.WORDS) for text in texts])


def _letter(place: int) -> str:
    """A, B and so on, then A2."""
    return LETTERS[place % 26] + (str(place // 26 + 1) if place >= 26 else "")
