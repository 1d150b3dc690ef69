"""What a named certificate demands: sets of clauses that are released once, and never change.

A report is held against a set here. What the documents behind the clauses say, and how hard, is frozen in the set: a
suite that judges harder later on takes nothing away from it, and one that forgets a clause does not fulfil it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from conformance.contract.clauses import Level, catalogue, parse_yaml, retired
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.report.record import ClauseRow, Outcome, Report
from conformance.report.written import Written, WrittenClause
from conformance.shipped import shipped
from conformance.target import RUNNING

DESELECTED = "deselected"
"""The reason that a report gives where it was told not to judge a clause."""


@dataclass(frozen=True)
class RequirementSet:
    """A requirement set, as it was released."""

    name: str
    number: int
    title: str
    released: date
    says: str
    """What fulfilling it says of an implementation, in one sentence."""
    clauses: Mapping[str, Level]
    """What reports account for, in the order of the document."""
    beyond: tuple[str, ...]
    """Clauses that only a certification can judge, since they take several passes."""
    may_lack: frozenset[str]
    """The scenes for which a target may declare ``false``; what needs them may then be not applicable."""
    text: bytes = field(repr=False)
    """The file, byte for byte."""

    @property
    def id(self) -> str:
        """Such as ``full-1``."""
        return f"{self.name}-{self.number}"

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return sha256(self.text).hexdigest()

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """What a target must declare: of each group one, or ``false`` for a scene that it may lack."""
        known = catalogue().clauses
        demanded = (known[name] for name, level in self.clauses.items() if level is not Level.OBSERVE and name in known)
        return tuple(dict.fromkeys(clause.needs for clause in demanded if clause.needs))


def available() -> tuple[str, ...]:
    """The ids of all sets that were released, by name, the oldest of a name first."""
    return tuple(sorted((path.stem for path in _folder().glob("*-*.yaml")), key=_name_and_number))


def load(word: str) -> RequirementSet:
    """The set of that id. Raises OperatorMistake with the nearest id."""
    if word not in available():
        raise OperatorMistake(f"there is no requirement set {word!r}{did_you_mean(word, available())}")
    return parse((_folder() / f"{word}.yaml").read_bytes())


def find(word: str) -> RequirementSet:
    """The set of that id, or the newest of that name. Raises OperatorMistake with the nearest id."""
    newest = {_name_and_number(each)[0]: each for each in available()}
    return load(newest.get(word, word))


def parse(text: bytes) -> RequirementSet:
    """The set that a file holds; it keeps to its schema."""
    document = parse_yaml(text)
    return RequirementSet(
        document["name"],
        document["number"],
        document["title"],
        date.fromisoformat(document["released"]),
        document["says"],
        {name: Level(level) for name, level in document["clauses"].items()},
        tuple(document["beyond_a_run"]),
        frozenset(document["may_lack"]),
        text,
    )


def _folder() -> Path:
    return shipped("schemas", "requirements")


def _name_and_number(word: str) -> tuple[str, int]:
    name, _, number = word.rpartition("-")
    return name, int(number)


@dataclass(frozen=True)
class Difference:
    """What one set demands otherwise than another."""

    added: Mapping[str, Level]
    removed: Mapping[str, Level]
    changed: Mapping[str, tuple[Level, Level]]
    """The level before, and the level now."""
    excused: frozenset[str] = frozenset()
    """Scenes that a target may lack now, and might not before."""
    no_longer_excused: frozenset[str] = frozenset()


def diff(old: RequirementSet, new: RequirementSet) -> Difference:
    """What the new set demands otherwise than the old one."""
    before, now = _demands(old), _demands(new)
    return Difference(
        {name: level for name, level in now.items() if name not in before},
        {name: level for name, level in before.items() if name not in now},
        {name: (before[name], level) for name, level in now.items() if before.get(name, level) is not level},
        new.may_lack - old.may_lack,
        old.may_lack - new.may_lack,
    )


def _demands(demanded: RequirementSet) -> dict[str, Level]:
    """Every clause of a set; what lies beyond a run is demanded without exception."""
    return {**demanded.clauses, **dict.fromkeys(demanded.beyond, Level.MUST)}


class Reason(StrEnum):
    """Why a report does not fulfil a clause."""

    MISSING = "missing"  # the suite that made the report does not judge it, or not as a demand
    DESELECTED = "deselected"
    UNEXERCISED = "unexercised"  # or said to be not applicable, from which the set does not excuse
    FAILED = "failed"
    ERROR = "error"  # our fault


@dataclass(frozen=True)
class Unmet:
    """A clause of a set that a report does not fulfil."""

    clause: str
    level: Level
    """As the set has it."""
    reason: Reason
    note: str = ""
    """More of the reason, as the report tells it; not made safe to show."""


def shortfalls(demanded: RequirementSet, report: Report | Written) -> tuple[Unmet, ...]:
    """What of a set a report does not fulfil.

    Every MUST has to be judged and kept. Every SHOULD has to be judged, so that nobody is spared a remark by not being
    asked. Whether the report as a whole came to a conclusion, and what lies beyond a run, is not looked at.
    """
    return tuple(each for each in _unmet(demanded, report) if _counts(each))


def remarks(demanded: RequirementSet, report: Report | Written) -> tuple[Unmet, ...]:
    """What a certificate says besides: each SHOULD that failed, and each OBSERVE of which no reading was recorded."""
    return tuple(each for each in _unmet(demanded, report) if not _counts(each))


def not_applicable(demanded: RequirementSet, report: Report | Written) -> tuple[str, ...]:
    """The clauses of a set from which the target is excused, since it declares that it has no such scene."""
    rows, absent = _rows(report), _absent(report)
    return tuple(
        name
        for name in demanded.clauses
        if name in rows and rows[name].outcome is Outcome.NOT_APPLICABLE and _is_excused(name, demanded, absent)
    )


def _counts(unmet: Unmet) -> bool:
    if unmet.level is Level.SHOULD:
        return unmet.reason is not Reason.FAILED
    return unmet.level is Level.MUST


def _unmet(demanded: RequirementSet, report: Report | Written) -> Iterator[Unmet]:
    rows, absent = _rows(report), _absent(report)
    for name, level in demanded.clauses.items():
        if name not in rows:
            left = retired().get(name)
            yield Unmet(name, level, Reason.MISSING, f"it left the suite with version {left}" if left else "")
        elif reason := _reason(rows[name], level, _is_excused(name, demanded, absent)):
            yield Unmet(name, level, reason, _note(rows[name]))


def _reason(row: ClauseRow | WrittenClause, level: Level, excused: bool) -> Reason | None:
    """Why a row does not fulfil what is demanded; None when it does."""
    match row.outcome:
        case Outcome.PASSED:
            return None
        case Outcome.OBSERVED:
            return None if level is Level.OBSERVE else Reason.MISSING
        case Outcome.NOT_APPLICABLE:
            return None if excused else Reason.UNEXERCISED
        case Outcome.UNEXERCISED:
            return Reason.DESELECTED if row.reason == DESELECTED else Reason.UNEXERCISED
        case Outcome.FAILED:
            return Reason.FAILED
        case Outcome.ERROR:
            return Reason.ERROR


def _note(row: ClauseRow | WrittenClause) -> str:
    if row.outcome is Outcome.FAILED:
        return f"{row.breached} of {row.judged} exchanges breach it"
    return "" if row.reason == DESELECTED else row.reason


def _is_excused(name: str, demanded: RequirementSet, absent: frozenset[str]) -> bool:
    """Whether the clause needs a scene that the target may lack, and does. One running model there must be."""
    clause = catalogue().clauses.get(name)
    scenes = {need.split(".")[1] for need in clause.needs if need.startswith("scenes.")} if clause else set()
    return bool(scenes & absent & demanded.may_lack) and not absent.issuperset(RUNNING)


def _rows(report: Report | Written) -> Mapping[str, ClauseRow | WrittenClause]:
    if isinstance(report, Written):
        return report.clauses
    return {row.clause.id: row for row in report.rows}


def _absent(report: Report | Written) -> frozenset[str]:
    if isinstance(report, Written):
        return frozenset(key.removeprefix("absent.") for key in report.declared if key.startswith("absent."))
    return report.target.absent
