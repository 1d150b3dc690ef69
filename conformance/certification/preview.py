"""What a requirement set would find in the evidence of a run that was made before, and maybe for another set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from conformance.certification.bundle import REQUIREMENTS
from conformance.certification.requirements import (
    RequirementSet,
    Unmet,
    available,
    find,
    load,
    not_applicable,
    remarks,
    shortfalls,
)
from conformance.contract.clauses import catalogue
from conformance.evidence.rejudge import rejudged
from conformance.report.record import Report

DEFAULT_NAME = "full"
MOST_BYTES = 1024 * 1024
"""Of the set that lies beside a certificate."""


@dataclass(frozen=True)
class Preview:
    """A set, and the report on the evidence by the rules that are installed now."""

    demanded: RequirementSet
    report: Report

    @cached_property
    def shortfalls(self) -> tuple[Unmet, ...]:
        """The clauses that the evidence does not fulfil."""
        return shortfalls(self.demanded, self.report)

    @cached_property
    def remarks(self) -> tuple[Unmet, ...]:
        """What a certificate would say besides."""
        return remarks(self.demanded, self.report)

    @cached_property
    def not_applicable(self) -> tuple[str, ...]:
        """The clauses from which the target is excused."""
        return not_applicable(self.demanded, self.report)

    @property
    def passes(self) -> tuple[str, ...]:
        """The clauses that the evidence fulfils."""
        others = {*self.not_applicable, *(each.clause for each in (*self.shortfalls, *self.remarks))}
        return tuple(name for name in self.demanded.clauses if name not in others)

    @property
    def fulfilled(self) -> bool:
        """As far as one run can tell. One that was cut off fulfils nothing: the rest might have failed."""
        return not self.shortfalls and not self.report.course.cut_off


def preview(folder: Path, demanded: RequirementSet) -> Preview:
    """Judge the evidence in a folder by a set, whatever was selected when the run was made. Raises OperatorMistake.

    A clause that is newer than the run is judged like the others: what was sent then may well exercise it.
    """
    tested = {clause.id for clause in catalogue().tested()}
    return Preview(demanded, rejudged(folder, wanted=frozenset(demanded.clauses) & tested))


def newest_for(folder: Path) -> RequirementSet:
    """The newest set of the name for which the run in a folder was made; where no certificate says it, of ``full``."""
    above = folder.absolute().parents
    texts = {_beginning(place / REQUIREMENTS) for place in (folder, *above[:2])}
    names = [released.name for released in map(load, available()) if released.text in texts]
    return find(names[0] if names else DEFAULT_NAME)


def _beginning(path: Path) -> bytes:
    """As much of a file as a requirement set may have; empty where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""
