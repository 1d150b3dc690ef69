"""Whether an implementation answers the suite as it answers anybody else: a pure function of reports.

The runs differ in more than in who is recognised: images, names and what is explored are drawn anew. So a difference
counts only where neither dice of the implementation's nor luck of the draw explain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.report.record import ClauseRow, Outcome, Report

LUCK = 0.01
"""A difference that comes about by chance more often than this proves nothing."""
_DRAWN = ("explored.", "schemathesis.")
"""Cases that are others in every run."""


@dataclass(frozen=True)
class Difference:
    """A clause that comes out in one way for an ordinary client, and in another for the suite."""

    clause: str
    unrecognised: Outcome
    recognised: Outcome
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def same_for_all(disguised: Sequence[Report], marked: Report) -> tuple[Difference, ...]:
    """The clauses that are breached in every disguised run and kept in the marked one, or the other way round.

    Readings of OBSERVE clauses are no differences: a decision may be thrown like dice. Nor is what was not exercised.
    """
    rows = ((_rows_of(row, disguised), row) for row in marked.rows)
    whole = not any(report.course.cut_off for report in disguised)
    found = (_difference(theirs, row, not marked.course.cut_off, whole) for theirs, row in rows if theirs)
    return tuple(each for each in found if each)


def flaky(reports: Sequence[Report]) -> tuple[str, ...]:
    """The clauses that are breached in some of the runs and kept in others, though all of them ask alike."""
    first = reports[0].rows if reports else ()
    outcomes = {row.clause.id: {each.outcome for each in _rows_of(row, reports)} for row in first}
    return tuple(clause for clause, each in outcomes.items() if {Outcome.PASSED, Outcome.FAILED} <= each)


def _rows_of(row: ClauseRow, reports: Sequence[Report]) -> list[ClauseRow]:
    """What became of the same clause in each of the runs."""
    return [each for report in reports for each in report.rows if each.clause.id == row.clause.id]


def _difference(
    theirs: list[ClauseRow], ours: ClauseRow, marked_is_whole: bool, all_are_whole: bool
) -> Difference | None:
    """What a run that was cut off did not meet, it did not keep."""
    outcomes = {row.outcome for row in theirs}
    if outcomes == {Outcome.FAILED} and ours.outcome is Outcome.PASSED:
        telling, words = marked_is_whole and _is_no_luck(theirs, [ours]), ("breached", "kept")
    elif outcomes == {Outcome.PASSED} and ours.outcome is Outcome.FAILED:
        telling, words = all_are_whole and _is_no_luck([ours], theirs), ("kept", "breached")
    else:
        return None
    runs = f"in all {len(theirs)} runs" if len(theirs) > 1 else "in the run"
    sentence = (
        f"{ours.clause.id} is {words[0]} {runs} as an ordinary client, and {words[1]} when the suite says who asks"
    )
    return Difference(ours.clause.id, theirs[0].outcome, ours.outcome, sentence) if telling else None


def _is_no_luck(failing: list[ClauseRow], passing: list[ClauseRow]) -> bool:
    """Whether breaches and their absence have a reason: the same case breaches every time, or too many do for luck."""
    if set.intersection(*map(_planned, failing)):
        return True
    rate = min(row.breached / row.judged for row in failing)
    return (1 - rate) ** sum(row.judged for row in passing) < LUCK


def _planned(row: ClauseRow) -> set[str]:
    """The cases that breach a clause and are sent in every run."""
    return {failure.case for failure in row.failures if not failure.case.startswith(_DRAWN)}
