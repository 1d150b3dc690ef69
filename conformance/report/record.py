"""The report: one value from which exit code, JSON, JUnit, Markdown and terminal all derive.

Every clause of the frozen set has exactly one outcome in it, so the outcomes always add up to the set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from conformance import __version__
from conformance.contract.clauses import Clause, Level, catalogue
from conformance.contract.document import digest
from conformance.course import Course
from conformance.exchange import Case, Circumstance, Exchange
from conformance.judge import KEPT, Verdict, Violation
from conformance.message import Answer, Request
from conformance.provisions import SigV4
from conformance.rule import Finding
from conformance.target import Target
from conformance.waivers import Standing, Waived, Waiver, weighed


class Outcome(StrEnum):
    """What became of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    OBSERVED = "observed"  # OBSERVE clauses only: the reading taken was recorded
    UNEXERCISED = "unexercised"  # nothing provoked it, or it was deselected
    NOT_APPLICABLE = "not applicable"  # the target declares that it has no such thing
    ERROR = "error"  # our fault


class Conclusion(StrEnum):
    """What a run comes to."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"  # a MUST failed
    INDETERMINATE = "indeterminate"  # an error of ours, nothing answered, or cut off
    PARTIAL = "partial"  # a MUST unexercised or deselected


@dataclass(frozen=True)
class Failure:
    """One finding, with the exchange that shows it."""

    id: str
    rule: str
    case: str
    finding: Finding
    request: Request
    answer: Answer
    connections: tuple[tuple[Case, ...], ...]
    """What to send to see it again: over each connection one request after the other, the connections in parallel.

    Empty where it takes a signature, or a state of the target, to see it.
    """


@dataclass(frozen=True)
class ClauseRow:
    """A clause and what became of it."""

    clause: Clause
    outcome: Outcome
    reason: str = ""
    """Why it was not exercised, does not apply, or is in error."""
    judged: int = 0
    """Exchanges that its rules judged."""
    breached: int = 0
    """Exchanges that breach it."""
    failures: tuple[Failure, ...] = ()
    """A few of the breaches, the smallest requests first."""
    readings: Mapping[str, int] | None = None
    """For OBSERVE: the readings seen, and how often."""
    known: str = ""
    """The reason for which the target lists it among its known failures."""
    by_choice: bool = False
    """It was not exercised because the operator deselected it, or left out what it needs."""


@dataclass(frozen=True)
class Report:
    """Everything that a run has to say."""

    target: Target
    rows: tuple[ClauseRow, ...]
    course: Course
    planned: int
    looks: int
    """Planned requests that may make a model look at an image."""
    seed: str
    started: str
    """UTC, ISO 8601, whole seconds."""
    seconds: float
    suite: str = __version__
    contract: str = ""
    waivers: tuple[Waived, ...] = ()
    """What was to be waived, and what of it is. No conclusion depends on them."""

    @property
    def counts(self) -> Mapping[Level, Mapping[Outcome, int]]:
        """How many clauses of each level had each outcome; together they are the frozen set."""
        found = Counter((row.clause.level, row.outcome) for row in self.rows)
        return {level: {outcome: found[level, outcome] for outcome in Outcome} for level in Level}

    def failed(self, level: Level) -> list[ClauseRow]:
        return [row for row in self.rows if row.outcome is Outcome.FAILED and row.clause.level is level]

    @property
    def stale(self) -> list[str]:
        """Clauses listed as known failures that were exercised and did not fail."""
        outcomes = {row.clause.id: row.outcome for row in self.rows}
        return [name for name in self.target.known_failures if outcomes.get(name) in (Outcome.PASSED, Outcome.OBSERVED)]

    def waived_by(self, waivers: Iterable[Waiver], today: date) -> Report:
        """The same report with these waivers, as they stand on that day."""
        failed = {row.clause.id: [each.id for each in row.failures] for row in self.rows if row.breached}
        kept = {row.clause.id for row in self.rows if row.outcome in (Outcome.PASSED, Outcome.OBSERVED)}
        return replace(self, waivers=weighed(tuple(waivers), failed, kept, today))

    def waiver_of(self, row: ClauseRow) -> Waived | None:
        """The waiver by which a clause that failed is let pass: one for the clause, or one for each finding.

        Of many causes only a few findings are kept; waivers of single findings cannot speak for the others.
        """
        in_force = {each.waiver.names: each for each in self.waivers if each.standing is Standing.IN_FORCE}
        if row.clause.id in in_force:
            return in_force[row.clause.id]
        by_rule = Counter(failure.rule for failure in row.failures)
        whole = row.failures and max(by_rule.values()) < KEPT
        each_is = all(failure.id in in_force for failure in row.failures)
        return in_force[row.failures[0].id] if whole and each_is else None

    @property
    def credentials(self) -> str:
        """That credentials were in use, and what became of answers that repeat one; empty when there were none."""
        echoes = self.course.echoes
        if not (self.target.auth or echoes):
            return ""
        whose = "clients sent credentials" if self.course.recorded else "requests carried credentials"
        many = f"{echoes} answer{'' if echoes == 1 else 's'} repeated one" if echoes else "no answer repeated one"
        behind = ", which was overwritten before anything was judged or kept" if echoes else ""
        return f"{whose}; {many}{behind}"

    @property
    def undeclared(self) -> list[str]:
        """What the target can do, or does, without having declared it, each in a sentence."""
        readings = {row.clause.id: row.readings or {} for row in self.rows}
        served = {
            "body.dimensions": "images of another size than the declared one are served, too",
            "body.limits": "images beyond the published limits are served, too",
        }
        notes = [sentence for clause, sentence in served.items() if readings.get(clause, {}).get("served")]
        if self.course.throttled and self.target.limits.rate is None:
            notes.append("it throttles, and declares no limits.rate")
        return notes

    @property
    def conclusion(self) -> Conclusion:
        return self._concluded()[0]

    @property
    def reason(self) -> str:
        """The conclusion's reason, in one sentence."""
        return self._concluded()[1]

    def _concluded(self) -> tuple[Conclusion, str]:
        course, failed = self.course, self.failed(Level.MUST)
        errors = [row for row in self.rows if row.outcome is Outcome.ERROR]
        if not course.answered:
            return Conclusion.INDETERMINATE, course.cut_off or "nothing was answered"
        if course.turned_away:
            return Conclusion.INDETERMINATE, course.cut_off
        if course.stopped_by_operator:
            return Conclusion.INDETERMINATE, course.cut_off
        if failed:
            return Conclusion.NON_CONFORMANT, f"{_count(failed, 'MUST clause')} failed"
        if errors:
            return Conclusion.INDETERMINATE, f"{_count(errors, 'clause')} could not be judged: {errors[0].reason}"
        if course.cut_off:
            return Conclusion.INDETERMINATE, course.cut_off
        idle = [row for row in self.rows if row.clause.level is Level.MUST and row.outcome is Outcome.UNEXERCISED]
        unkept = [row for row in idle if row.clause.needs and not row.by_choice]
        if unkept and not course.recorded:
            return (
                Conclusion.INDETERMINATE,
                f"{unkept[0].clause.id} was never exercised, though what it needs is declared",
            )
        if idle:
            return Conclusion.PARTIAL, f"{_count(idle, 'MUST clause')} not exercised"
        return Conclusion.CONFORMANT, "every MUST clause was exercised and kept"


def tally(rows: Iterable[ClauseRow]) -> dict[str, int]:
    """What became of these clauses, in the words and the order of every summary: a failed SHOULD is a remark."""
    found = Counter(_word(row) for row in rows)
    return {word: found[word] for word in ("passed", "failed", "remarks", "observed", "unexercised", "n/a", "error")}


def _word(row: ClauseRow) -> str:
    if row.outcome is Outcome.FAILED and row.clause.level is Level.SHOULD:
        return "remarks"
    return "n/a" if row.outcome is Outcome.NOT_APPLICABLE else str(row.outcome)


def compile_report(
    target: Target,
    verdicts: Iterable[Verdict],
    course: Course,
    *,
    planned: int,
    looks: int,
    seed: str,
    started: str,
    seconds: float,
    selected: frozenset[str],
) -> Report:
    """Account for every clause of the frozen set. ``selected`` are the clauses that were to be judged."""
    by_clause: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_clause.setdefault(verdict.rule.clause, []).append(verdict)
    rows = tuple(
        _row(clause, by_clause.get(clause.id, []), target, clause.id in selected, course.mishaps.get(clause.id, ""))
        for clause in catalogue().tested()
    )
    return Report(target, rows, course, planned, looks, seed, started, seconds, contract=digest())


def _row(clause: Clause, verdicts: Sequence[Verdict], target: Target, selected: bool, mishap: str) -> ClauseRow:
    known = target.known_failures.get(clause.id, "")
    if not selected:
        return ClauseRow(clause, Outcome.UNEXERCISED, "deselected", known=known, by_choice=True)
    judged = sum(verdict.judged for verdict in verdicts)
    breached = sum(verdict.breached for verdict in verdicts)
    readings = sum((verdict.readings for verdict in verdicts), Counter[str]())
    outcome, reason = _outcome(clause, verdicts, judged, breached, target)
    if mishap and not breached:
        outcome, reason = Outcome.ERROR, mishap
    return ClauseRow(
        clause,
        outcome,
        reason,
        judged,
        breached,
        _failures(clause, verdicts),
        dict(readings.most_common()) if clause.level is Level.OBSERVE else None,
        known,
        outcome is Outcome.UNEXERCISED and bool(clause.needs) and missing(clause, target) == list(clause.needs),
    )


def _outcome(
    clause: Clause, verdicts: Sequence[Verdict], judged: int, breached: int, target: Target
) -> tuple[Outcome, str]:
    errors = [verdict.error for verdict in verdicts if verdict.error]
    if breached:
        return Outcome.FAILED, ""
    if errors:
        return Outcome.ERROR, errors[0]
    if judged:
        return (Outcome.OBSERVED if clause.level is Level.OBSERVE else Outcome.PASSED), ""
    return _why_not(clause, target)


def _why_not(clause: Clause, target: Target) -> tuple[Outcome, str]:
    if reason := inapplicable(clause, target):
        return Outcome.NOT_APPLICABLE, reason
    needs = " or ".join(missing(clause, target))
    if needs and not any(_declared(need, target) for need in clause.needs):
        return Outcome.UNEXERCISED, f"declare {needs} to have it exercised"
    hint = f"; {needs}, declared as well, might" if needs else ""
    return Outcome.UNEXERCISED, f"no answer gave an occasion to judge it{hint}"


def inapplicable(clause: Clause, target: Target) -> str:
    """Why the clause does not apply to what the target declares itself to be; empty where it does."""
    scenes = [need.split(".")[1] for need in clause.needs if need.startswith("scenes.")]
    none_is_there = bool(scenes) and all(scene in target.absent for scene in scenes)
    if none_is_there or (clause.id == "isolation.models" and target.absent):
        return f"the target declares that it has no {' or '.join(sorted(target.absent))} model"
    if clause.section == "auth" and not isinstance(target.auth, SigV4):
        return "the target declares no SigV4; auth would"
    if clause.id == "isolation.concurrent" and target.limits.concurrency == 1:
        return "the target declares that it serves one request at a time"
    if clause.id == "body.declared-limits" and target.limits.max_image_bytes is None:
        return "the target declares no limits; limits.max_image_bytes would"
    if clause.id == "body.limits" and target.limits.max_image_bytes is not None:
        return "the target declares its limits, and is judged by them"
    return ""


def missing(clause: Clause, target: Target) -> list[str]:
    """What the clause needs and the target does not declare."""
    return [need for need in clause.needs if not _declared(need, target)]


def _declared(need: str, target: Target) -> bool:
    kind, _, rest = need.partition(".")
    if kind == "limits":
        return getattr(target.limits, rest) is not None
    if kind == "states":
        return rest in target.states
    if kind == "auth":
        return isinstance(target.auth, SigV4)
    name, _, part = rest.partition(".")
    return name in target.scenes and (not part or target.scenes[name].image is not None)


def _failures(clause: Clause, verdicts: Sequence[Verdict]) -> tuple[Failure, ...]:
    found = [(verdict, violation) for verdict in verdicts for violation in verdict.violations]
    found.sort(key=lambda each: len(each[1].exchange.request.wire))
    return tuple(_failure(clause, verdict, each, number) for number, (verdict, each) in enumerate(found, 1))


def _failure(clause: Clause, verdict: Verdict, violation: Violation, number: int) -> Failure:
    exchange = violation.exchange
    return Failure(
        f"{clause.id}-{number}",
        verdict.rule.id,
        exchange.case.id,
        violation.finding,
        exchange.request,
        exchange.answer,
        _connections(exchange),
    )


def _connections(exchange: Exchange) -> tuple[tuple[Case, ...], ...]:
    if exchange.circumstance is not Circumstance.NONE:
        return ()
    return (_led_up_to(exchange), *((other.case,) for other in exchange.beside))


def _led_up_to(exchange: Exchange) -> tuple[Case, ...]:
    """The cases of a connection up to and with this one."""
    return (*(_led_up_to(exchange.before) if exchange.before else ()), exchange.case)


def _count(rows: Sequence[ClauseRow], noun: str) -> str:
    return f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}"
