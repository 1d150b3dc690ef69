"""What the page of a comparison says, in the order in which it says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from conformance.contract.clauses import Level
from conformance.report.comparison import Cause, Change, Comparison, Row
from conformance.report.html import marks, standing
from conformance.report.html.standing import Side, Standing
from conformance.report.record import Outcome
from conformance.report.visible import visible
from conformance.report.written import WrittenClause, section_title

BRIEF = 100
ADDED, REMOVED = "added", "removed"
"""What is said of clauses that only one of the reports has."""

_LOOKS = {
    Change.REGRESSED: ("failed", "↓"),
    Change.FIXED: ("passed", "↑"),
    Change.STILL_FAILING: ("stuck", "✗"),
    Change.NEWLY_EXERCISED: ("observed", "+"),
    Change.GONE: ("remark", "–"),
    Change.REREAD: ("error", "○"),
    Change.UNCHANGED: ("same", "="),
    ADDED: ("observed", "»"),
    REMOVED: ("remark", "«"),
}
"""The class of the style and the glyph of each change."""
_NOTES = {
    Change.REGRESSED: "Kept before, and breached now.",
    Change.FIXED: "Breached before, and kept now.",
    Change.STILL_FAILING: "Breached before and now.",
    Change.NEWLY_EXERCISED: "Judged now and not before, whatever came of it.",
    Change.GONE: "Judged before and not now: how these stand is no longer known.",
    Change.REREAD: "The documents are silent here, and what is read into them is not what it was.",
    Change.UNCHANGED: "They came to the same, or were exercised in neither.",
    ADDED: "Clauses that only the new report has.",
    REMOVED: "Clauses that only the old report has.",
}
_CAUSES = {
    Cause.TARGET: "The same rules judge the same requests otherwise: the implementation answers otherwise.",
    Cause.SUITE: "The rules that are installed judge the old evidence as the new report does.",
    Cause.FILE: "The target file declares something else than before.",
    Cause.RUN: "The run was another: another selection, or it was cut off.",
    Cause.UNSTEADY: "One and the same request is answered now this way and now that.",
    Cause.UNKNOWN: "What there is does not tell.",
}


@dataclass(frozen=True)
class RowView:
    """A clause, what it was and what it is."""

    id: str
    section: str
    level: str
    change: str
    kind: str
    mark: str
    told: str
    """Everything that its cell on the map stands for, in a line."""
    requirement: str
    question: str
    cause: str
    because: str
    old: Standing | None
    """None where that report has no such clause."""
    new: Standing | None

    @property
    def outcomes(self) -> tuple[str, str]:
        """Before and now; empty where a report has no such clause."""
        return (self.old.mark.text if self.old else "", self.new.mark.text if self.new else "")


@dataclass(frozen=True)
class SectionView:
    """A row of the map."""

    id: str
    title: str
    rows: Sequence[RowView]
    tally: str


@dataclass(frozen=True)
class GroupView:
    """Clauses that changed alike."""

    id: str
    kind: str
    mark: str
    name: str
    note: str
    rows: Sequence[RowView]

    @property
    def lone(self) -> bool:
        """Only one of the reports has these."""
        return self.name in (ADDED, REMOVED)

    @property
    def unfolded(self) -> bool:
        return self.name == Change.REGRESSED

    @property
    def parts(self) -> list[tuple[str, list[RowView]]]:
        """Those that did not change under the titles of their sections, others under none."""
        if self.name != Change.UNCHANGED:
            return [("", list(self.rows))]
        return [(section_title(section), list(rows)) for section, rows in groupby(self.rows, lambda row: row.section)]


@dataclass(frozen=True)
class ComparisonView:
    """The page."""

    name: str
    title: str
    kind: str
    sides: Sequence[Side]
    headline: str
    notes: Sequence[str]
    groups: Sequence[GroupView]
    """Every kind of change that there may be, also those of no clause."""
    sections: Sequence[SectionView]
    levels: Sequence[str]
    causes: Sequence[tuple[str, int, str]]
    """Cause, number of clauses, and what it means."""
    outcomes: Sequence[str]
    flow: Sequence[tuple[str, Sequence[int]]]
    """For each outcome before: how many clauses have which of ``outcomes`` now."""
    differences: Sequence[tuple[str, str, str]]
    total: int


def view_of(found: Comparison) -> ComparisonView:
    """The page of a comparison."""
    rows = _rows(found)
    old, new = (visible(side.title, BRIEF) for side in (found.old, found.new))
    name = new if old == new else f"{old} → {new}"
    groups = list(_groups(rows))
    headline = standing.tally({group.name: len(group.rows) for group in groups}) or "no clause in common"
    pairs = Counter(row.outcomes for row in rows if row.old and row.new)
    shown = [str(outcome) for outcome in Outcome if any(str(outcome) in pair for pair in pairs)]
    causes = Counter(row.cause for row in rows)
    return ComparisonView(
        name,
        f"{headline}: {name}",
        marks.of_conclusion(found.new.conclusion).kind,
        [standing.side("Before", found.old, BRIEF), standing.side("Now", found.new, BRIEF)],
        headline,
        [visible(note) for note in found.notes],
        groups,
        list(_sections(rows)),
        [str(level) for level in Level if any(row.level == level for row in rows)],
        [(str(cause), causes[str(cause)], told) for cause, told in _CAUSES.items() if causes[str(cause)]],
        shown,
        [(before, [pairs[before, now] for now in shown]) for before in shown],
        [(visible(each.what, BRIEF), visible(each.old), visible(each.new)) for each in found.differences],
        len(rows),
    )


def _rows(found: Comparison) -> list[RowView]:
    """Every clause of either report, section by section."""
    rows = [
        *map(_row, found.rows),
        *(_lone(clause, ADDED) for clause in found.added),
        *(_lone(clause, REMOVED) for clause in found.removed),
    ]
    order = standing.in_order(row.section for row in rows)
    return sorted(rows, key=lambda row: order.index(row.section))


def _row(row: Row) -> RowView:
    told = (str(row.told.cause), visible(row.told.because)) if row.told else ("", "")
    return _view(row.new, str(row.change), told, standing.standing(row.old), standing.standing(row.new))


def _lone(clause: WrittenClause, change: str) -> RowView:
    stands = standing.standing(clause)
    return _view(clause, change, ("", ""), *((None, stands) if change == ADDED else (stands, None)))


def _view(
    clause: WrittenClause, change: str, told: tuple[str, str], old: Standing | None, new: Standing | None
) -> RowView:
    kind, mark = _LOOKS[change]
    outcomes = " → ".join(side.mark.text for side in (old, new) if side)
    question = visible(clause.question) if clause.level is Level.OBSERVE else ""
    return RowView(
        clause.id,
        clause.section,
        str(clause.level),
        change,
        kind,
        mark,
        f"{clause.id}: {clause.level}, {change}, {outcomes}",
        visible(clause.requirement),
        question if question != visible(clause.requirement) else "",
        *told,
        old,
        new,
    )


def _groups(rows: Sequence[RowView]) -> Iterator[GroupView]:
    for change, note in _NOTES.items():
        mine = [row for row in rows if row.change == change]
        yield GroupView(marks.css(change), *_LOOKS[change], str(change), note, mine)


def _sections(rows: Sequence[RowView]) -> Iterator[SectionView]:
    for section, mine in groupby(rows, lambda row: row.section):
        every = list(mine)
        told = standing.tally({change: sum(row.change == change for row in every) for change in _LOOKS})
        yield SectionView(section, section_title(section), every, told)
