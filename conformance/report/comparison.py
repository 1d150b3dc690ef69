"""Two reports side by side: one value, from which terminal, Markdown, JSON and HTML all derive.

Clauses are aligned by their ids. Where the reports are of different sets, or of different circumstances, that is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance import __version__
from conformance.report.markdown import MARKS, code, plain
from conformance.report.record import Outcome
from conformance.report.visible import visible
from conformance.report.written import Written, WrittenClause, cited

SCHEMA = "urn:detect-anomalies-conformance:comparison:1"

SHOWN = 20
"""Clauses of each kind that are shown on a terminal; all that regressed are."""

EXERCISED = (Outcome.PASSED, Outcome.FAILED, Outcome.OBSERVED)


class Change(StrEnum):
    """What became of a clause from one report to the other."""

    REGRESSED = "regressed"  # kept, and now breached
    FIXED = "fixed"
    STILL_FAILING = "still failing"
    NEWLY_EXERCISED = "newly exercised"  # whatever came of it
    GONE = "no longer exercised"
    REREAD = "read otherwise"  # OBSERVE clauses only: observed in both, with other readings
    UNCHANGED = "unchanged"


class Cause(StrEnum):
    """Why a clause changed, as far as that can be told."""

    TARGET = "target changed"
    SUITE = "suite changed"
    FILE = "target file changed"
    RUN = "run changed"  # another selection, or it was cut off
    UNSTEADY = "unsteady"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Told:
    """A cause, and what tells it, in one sentence."""

    cause: Cause
    because: str


@dataclass(frozen=True)
class Row:
    """A clause that both reports have."""

    old: WrittenClause
    new: WrittenClause
    change: Change
    told: Told | None = None
    """Why it changed; None where it did not."""

    @property
    def id(self) -> str:
        return self.new.id


@dataclass(frozen=True)
class Difference:
    """Something besides outcomes that is not the same in both reports. Empty where one of them lacks it."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what}: {self.old or 'none'}, now {self.new or 'none'}"


@dataclass(frozen=True)
class Comparison:
    """Everything that two reports have to say together."""

    old: Written
    new: Written
    rows: tuple[Row, ...]
    added: tuple[WrittenClause, ...]
    """Clauses that only the new report has."""
    removed: tuple[WrittenClause, ...]
    """Clauses that only the old report has."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    """What kept causes from being told."""

    @property
    def counts(self) -> Mapping[Change, int]:
        found = Counter(row.change for row in self.rows)
        return {change: found[change] for change in Change}

    def of(self, change: Change) -> list[Row]:
        return [row for row in self.rows if row.change is change]

    @property
    def failing(self) -> list[str]:
        """The clauses that fail in the new report, whatever they did before."""
        now = (*(row.new for row in self.rows), *self.added)
        return [clause.id for clause in now if clause.outcome is Outcome.FAILED]


GATES: Mapping[str, Callable[[Comparison], list[str]]] = {
    "regressed": lambda found: [row.id for row in found.of(Change.REGRESSED)],
    "failing": lambda found: found.failing,
    "gone": lambda found: [row.id for row in found.of(Change.GONE)],
}
"""What ``--fail-on`` may name, and the clauses that make it fail."""


def change(old: WrittenClause, new: WrittenClause) -> Change:
    """What became of a clause."""
    before, now = old.outcome, new.outcome
    if before not in EXERCISED and now not in EXERCISED:
        return Change.UNCHANGED
    if before not in EXERCISED:
        return Change.NEWLY_EXERCISED
    if now not in EXERCISED:
        return Change.GONE
    if now is Outcome.FAILED:
        return Change.STILL_FAILING if before is Outcome.FAILED else Change.REGRESSED
    if before is Outcome.FAILED:
        return Change.FIXED
    return Change.REREAD if set(dict(old.readings)) != set(dict(new.readings)) else Change.UNCHANGED


def to_document(found: Comparison) -> dict[str, Any]:
    """The whole comparison as JSON-able data."""
    return {
        "schema": SCHEMA,
        "suite": __version__,
        "old": cited(found.old),
        "new": cited(found.new),
        "differences": [{"what": each.what, "old": each.old, "new": each.new} for each in found.differences],
        "notes": [visible(note) for note in found.notes],
        "counts": {str(key): count for key, count in found.counts.items()},
        "clauses": [_entry(row) for row in found.rows],
        "added": [_lone(clause) for clause in found.added],
        "removed": [_lone(clause) for clause in found.removed],
    }


def _entry(row: Row) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": row.id,
        "section": row.new.section,
        "level": str(row.new.level),
        "change": str(row.change),
        "old": str(row.old.outcome),
        "new": str(row.new.outcome),
        "cause": str(row.told.cause) if row.told else None,
        "because": visible(row.told.because) if row.told else "",
        "failures": {
            "old": [failure.id for failure in row.old.failures],
            "new": [failure.id for failure in row.new.failures],
        },
    }
    if row.old.readings or row.new.readings:
        entry["readings"] = {"old": dict(row.old.readings), "new": dict(row.new.readings)}
    return entry


def _lone(clause: WrittenClause) -> dict[str, Any]:
    return {"id": clause.id, "section": clause.section, "level": str(clause.level), "outcome": str(clause.outcome)}


def markdown(found: Comparison) -> str:
    """The comparison as Markdown, ended by a newline."""
    return "\n".join(_markdown_lines(found)) + "\n"


def _markdown_lines(found: Comparison) -> Iterator[str]:
    old, new = found.old, found.new
    yield f"# {plain(new.title)}: what changed"
    yield ""
    yield "| | old | new |"
    yield "| --- | --- | --- |"
    for what, before, now in _sides(old, new):
        yield f"| {what} | {plain(before)} | {plain(now)} |"
    yield ""
    yield "| " + " | ".join(str(key) for key in Change) + " |"
    yield "|" + " ---: |" * len(Change)
    yield "| " + " | ".join(str(count) for count in found.counts.values()) + " |"
    yield ""
    for kind in Change:
        if kind is not Change.UNCHANGED and (rows := found.of(kind)):
            yield f"## {str(kind).capitalize()}"
            yield ""
            yield from _markdown_rows(rows)
            yield ""
    for title, clauses in {"Added clauses": found.added, "Removed clauses": found.removed}.items():
        if clauses:
            yield f"## {title}"
            yield ""
            yield from (f"- {clause.id} ({clause.level}): {MARKS[clause.outcome]}" for clause in clauses)
            yield ""
    if found.differences:
        yield "## What else is different"
        yield ""
        yield from (f"- {plain(str(each))}" for each in found.differences)
        yield ""
    if found.notes:
        yield "## Notes"
        yield ""
        yield from (f"- {plain(note)}" for note in found.notes)
        yield ""


def _markdown_rows(rows: Sequence[Row]) -> Iterator[str]:
    yield "| clause | level | before | now | cause | told by |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        told = (f"**{row.told.cause}**", plain(row.told.because)) if row.told else ("", "")
        before, now = (_mark(clause) for clause in (row.old, row.new))
        yield f"| {row.id} | {row.new.level} | {before} | {now} | {' | '.join(told)} |"
    for row in rows:
        if row.new.failures:
            first = row.new.failures[0]
            yield ""
            found = f"expected {plain(first.expected)}, got {code(first.actual)}"
            yield f"{row.id} now, {code(first.case)}, {plain(first.where)}: {found}."


def _mark(clause: WrittenClause) -> str:
    if clause.readings:
        return ", ".join(f"{plain(reading)} ({count})" for reading, count in clause.readings)
    return MARKS[clause.outcome]


def _sides(old: Written, new: Written) -> Iterator[tuple[str, str, str]]:
    yield "report", str(old.path), str(new.path)
    yield "target", old.title, new.title
    yield "begun", old.started, new.started
    yield "conclusion", str(old.conclusion), str(new.conclusion)
    yield "suite", f"{old.suite}, {old.contract[:19]}", f"{new.suite}, {new.contract[:19]}"


def show(found: Comparison, console: Console | None = None) -> None:
    """Print the comparison: what changed, clause by clause, then what else is different, then the numbers."""
    console = console or Console(highlight=False, soft_wrap=True)
    for line, style in _shown(found):
        console.print(Text(line, style))


def _shown(found: Comparison) -> Iterator[tuple[str, str]]:
    table = list(_table(found))
    widths = [max((len(cells[column]) for _, cells in table), default=0) for column in range(4)]
    for kind, cells in table:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells[:4], widths, strict=True))
        yield f"{padded}  | {cells[4]}", _STYLES.get(kind, "")
    for kind in Change:
        if (more := len(_shown_of(found, kind)[1])) and kind is not Change.UNCHANGED:
            yield f"... and {more} more {kind}", ""
    if table:
        yield "", ""
    for title, clauses in {"added": found.added, "removed": found.removed}.items():
        yield from ((f"{title} clause {clause.id} ({clause.level}): {clause.outcome}", "") for clause in clauses)
    yield from ((f"different: {visible(str(each))}", "") for each in found.differences)
    yield from ((f"note: {visible(note)}", "yellow") for note in found.notes)
    told = ", ".join(f"{count} {kind}" for kind, count in found.counts.items() if count)
    yield f"from {found.old.started} to {found.new.started}: {told or 'no clause in common'}", "bold"


_STYLES = {Change.REGRESSED: "red", Change.FIXED: "green", Change.GONE: "yellow"}


def _table(found: Comparison) -> Iterator[tuple[Change, tuple[str, ...]]]:
    for kind in Change:
        for row in _shown_of(found, kind)[0] if kind is not Change.UNCHANGED else ():
            because = f"{row.told.cause}: {row.told.because}" if row.told else "as before"
            if kind is Change.REREAD:
                because = f"{because}; it was {_readings(row.old)}, and is {_readings(row.new)}"
            yield (
                kind,
                (str(kind), f"{row.new.level} {row.id}", str(row.old.outcome), str(row.new.outcome), visible(because)),
            )


def _shown_of(found: Comparison, kind: Change) -> tuple[list[Row], list[Row]]:
    """The rows of a kind that a terminal shows, and those that it only counts."""
    rows = found.of(kind)
    many = len(rows) if kind is Change.REGRESSED else SHOWN
    return rows[:many], rows[many:]


def _readings(clause: WrittenClause) -> str:
    return ", ".join(visible(reading, 60) for reading, _ in clause.readings) or "nothing"
