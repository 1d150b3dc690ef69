"""What changed between two runs, and why: the target, its file, the suite, or nothing but luck.

The suite is told from the target by the old evidence, judged by the rules that are installed now. Without evidence most
causes cannot be told, and then that is what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from conformance import __version__
from conformance.contract.clauses import catalogue
from conformance.contract.document import digest
from conformance.evidence.log import LINES
from conformance.evidence.rejudge import rejudged
from conformance.exchange import Circumstance, Exchange
from conformance.judge import Judge
from conformance.mistake import OperatorMistake
from conformance.provisions import State
from conformance.replay import target_of
from conformance.report.comparison import Cause, Change, Comparison, Difference, Row, Told, change
from conformance.report.record import Outcome, Report, inapplicable, missing
from conformance.report.written import Written, WrittenClause, load
from conformance.rule import Rule
from conformance.target import Target

MOST_REMEMBERED = 50_000
"""Distinct requests of which it is remembered how they were judged; those that recur come early in a run."""

_DRAWN = ("explored.", "schemathesis.", "known.")
"""What the names of cases begin with that are not the same in every run."""
_REACH: Mapping[str, tuple[str, ...]] = {
    "limits.requests": (),
    "limits.answer_seconds": ("http",),
    "limits.concurrency": ("http", "isolation"),
    "limits.rate": ("state",),
    "limits.max_image_bytes": ("body",),
}
"""The sections whose answers may depend on a declaration. Any other declaration may matter to every clause."""

Result = tuple[Outcome, frozenset[str]]
"""What became of a clause: its outcome, and for OBSERVE its readings."""


def compare(old: Path, new: Path) -> Comparison:
    """Compare two reports, given as their folders or files. Raises OperatorMistake when one of them cannot be read."""
    before, now = load(old), load(new)
    common = [name for name in now.clauses if name in before.clauses]
    pairs = {name: change(before.clauses[name], now.clauses[name]) for name in common}
    needed = any(_is_to_be_told(each) for each in pairs.values())
    inquiry = Inquiry(Side.of(before, needed), Side.of(now, needed))
    rows = tuple(
        Row(
            before.clauses[name],
            now.clauses[name],
            kind,
            inquiry.told(before.clauses[name], now.clauses[name], kind) if _is_to_be_told(kind) else None,
        )
        for name, kind in pairs.items()
    )
    return Comparison(
        before,
        now,
        rows,
        tuple(clause for name, clause in now.clauses.items() if name not in before.clauses),
        tuple(clause for name, clause in before.clauses.items() if name not in now.clauses),
        tuple(_differences(before, now)),
        tuple(inquiry.notes()) if needed else (),
    )


def _is_to_be_told(kind: Change) -> bool:
    return kind not in (Change.UNCHANGED, Change.STILL_FAILING)


def _differences(old: Written, new: Written) -> Iterator[Difference]:
    facts = {
        "target": (old.name, new.name),
        "target version": (old.version, new.version),
        "url": (old.url, new.url),
        "suite": (old.suite, new.suite),
        "contract": (old.contract, new.contract),
        "seed": (old.seed, new.seed),
        "planned requests": (str(old.planned), str(new.planned)),
        "cut off": (old.cut_off, new.cut_off),
    }
    yield from (Difference(what, *values) for what, values in facts.items() if values[0] != values[1])
    yield from _declarations(old, new)
    for name, clause in new.clauses.items():
        if name in old.clauses and old.clauses[name].level is not clause.level:
            yield Difference(f"level of {name}", str(old.clauses[name].level), str(clause.level))


def _declarations(old: Written, new: Written) -> list[Difference]:
    keys = dict.fromkeys([*old.declared, *new.declared])
    pairs = {key: (old.declared.get(key, ""), new.declared.get(key, "")) for key in keys}
    return [Difference(key, *values) for key, values in pairs.items() if values[0] != values[1]]


class Watch(Judge):
    """A judge that also notes which cases it saw, and which requests fared differently when they were sent again."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__(rules)
        self.flipping: set[str] = set()
        """Clauses that one and the same request, sent alone, both kept and broke."""
        self._cases: dict[str, bytes] = {}
        self._fared: dict[bytes, _Fared] = {}
        self._before = self._tally()

    def see(self, exchange: Exchange) -> list[str]:
        """Judge one exchange, and compare it with its like."""
        breached = super().see(exchange)
        before, self._before = self._before, self._tally()
        key = blake2b(exchange.request.wire + exchange.case.delivery.encode(), digest_size=16).digest()
        if len(self._cases) < MOST_REMEMBERED and exchange.circumstance is Circumstance.NONE:
            self._cases[exchange.case.id] = key
        if exchange.before is None and not exchange.beside and exchange.circumstance is Circumstance.NONE:
            pairs = zip(self.verdicts, before, self._before, strict=True)
            judged = frozenset(verdict.rule.clause for verdict, was, now in pairs if now > was)
            self._put_beside_its_like(key, _Fared({exchange.outcome}, set(breached), set(judged.difference(breached))))
        return breached

    def saw(self, cases: Iterable[str]) -> bool:
        """Whether any of these cases is among what was seen."""
        return any(case in self._cases for case in cases)

    def wavers(self, cases: Iterable[str]) -> bool:
        """Whether each of these requests, sent alone, was answered now this way and now that."""
        fared = [self._fared.get(self._cases.get(case, b"")) for case in cases]
        return bool(fared) and all(each is not None and len(each.outcomes) > 1 for each in fared)

    def _tally(self) -> list[int]:
        return [verdict.judged for verdict in self.verdicts]

    def _put_beside_its_like(self, key: bytes, fared: _Fared) -> None:
        like = self._fared.get(key)
        if like is None:
            if len(self._fared) < MOST_REMEMBERED:
                self._fared[key] = fared
            return
        self.flipping |= (fared.broken & like.kept) | (fared.kept & like.broken)
        like.outcomes |= fared.outcomes
        like.broken |= fared.broken
        like.kept |= fared.kept


@dataclass
class _Fared:
    """How a request fared, whenever it was sent alone."""

    outcomes: set[str]
    broken: set[str]
    kept: set[str]


@dataclass(frozen=True)
class Side:
    """One of the two reports, and its evidence judged by the installed rules, if it has any."""

    report: Written
    again: Report | None = None
    watch: Watch | None = None
    hindrance: str = ""
    """Why the evidence is of no use; empty where it is."""

    @classmethod
    def of(cls, report: Written, needed: bool) -> Side:
        """The side of a report. Its evidence is judged only where something is to be told from it."""
        if not needed:
            return cls(report)
        if not (report.folder / LINES).exists():
            return cls(report, hindrance="it has no evidence")
        benches: list[Watch] = []

        def bench(rules: Iterable[Rule]) -> Judge:
            benches.append(Watch(rules))
            return benches[-1]

        try:
            again = rejudged(report.folder, bench=bench)
        except OperatorMistake as mistake:
            return cls(report, hindrance=f"its evidence cannot be read: {mistake}")
        except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
            return cls(report, hindrance=f"its evidence cannot be read: {error!r}")
        if (again.started, again.seed, again.course.sent) != (report.started, report.seed, report.sent):
            return cls(report, hindrance="the evidence beside it is of another run")
        return cls(report, again, benches[-1])

    @cached_property
    def by_installed_suite(self) -> bool:
        """The report was made by the version and contract that are installed."""
        return (self.report.suite, self.report.contract) == (__version__, digest())

    @cached_property
    def results(self) -> Mapping[str, Result]:
        """What the installed rules make of the evidence."""
        return _results(self.again) if self.again else {}

    @cached_property
    def target(self) -> Target | None:
        """The target as it was declared, as far as it can be known."""
        try:
            states = [str(name) for name in self.report.target.get("states", [])]
            target = target_of({"target": self.report.target})
        except (OperatorMistake, KeyError, ValueError, TypeError, AttributeError):
            return None
        return replace(target, states={name: State(name) for name in states})

    def sent(self, clause: WrittenClause, like: Written) -> bool:
        """Whether one of the requests by which a clause fails in the report ``like`` was sent in this one, too."""
        same = (self.report.seed, self.report.planned) == (like.seed, like.planned)
        cases = _cases_of(clause)
        if not cases:
            return same
        comparable = cases if same else {case for case in cases if not case.startswith(_DRAWN)}
        if self.watch:
            return self.watch.saw(comparable)
        return bool(comparable) and (self.report.suite, self.report.contract) == (like.suite, like.contract)


def _cases_of(clause: WrittenClause) -> set[str]:
    """The cases by which a clause fails."""
    return {failure.case.removesuffix("-shrunk") for failure in clause.failures}


def _results(report: Report) -> dict[str, Result]:
    return {row.clause.id: (row.outcome, frozenset(row.readings or {})) for row in report.rows}


def _result(clause: WrittenClause) -> Result:
    return clause.outcome, frozenset(reading for reading, _ in clause.readings)


@dataclass(frozen=True)
class Inquiry:
    """Asks for the cause of each change. What comes first is what is surest."""

    old: Side
    new: Side

    def notes(self) -> Iterator[str]:
        """What kept causes from being told."""
        for name, side in {"OLD": self.old, "NEW": self.new}.items():
            if side.hindrance:
                yield f"{name}: {side.hindrance}"

    def told(self, old: WrittenClause, new: WrittenClause, kind: Change) -> Told:
        """The cause of one change."""
        ways = (self._suite, self._luck, self._run, self._file, self._target)
        return next(told for way in ways if (told := way(old, new, kind)))

    def _suite(self, old: WrittenClause, new: WrittenClause, _: Change) -> Told | None:
        """The old evidence, judged now, tells the suite's part."""
        again, now = self.old.results.get(old.id), self._now(new)
        if again is None or again == _result(old):
            return None
        if again == now:
            return Told(Cause.SUITE, f"the installed rules judge the old evidence {_words(again)}, too")
        told = f"the installed rules judge the old evidence {_words(again)}, neither as OLD nor as NEW"
        return Told(Cause.UNKNOWN, told)

    def _luck(self, old: WrittenClause, new: WrittenClause, kind: Change) -> Told | None:
        """What flips within one run may do so between two."""
        for name, side, clause in (("OLD", self.old, old), ("NEW", self.new, new)):
            cases = _cases_of(clause)
            if cases and cases <= side.report.unsteady:
                return Told(Cause.UNSTEADY, f"{name} notes as unsteady: {', '.join(sorted(cases)[:3])}")
            if kind in (Change.REGRESSED, Change.FIXED) and side.watch and clause.id in side.watch.flipping:
                return Told(Cause.UNSTEADY, f"in {name} one and the same request both keeps and breaches it")
            if side.watch and side.watch.wavers(cases):
                return Told(Cause.UNSTEADY, f"in {name} what breaches it is answered now this way and now that")
        return None

    def _run(self, old: WrittenClause, new: WrittenClause, kind: Change) -> Told | None:
        """What was not exercised because the run was another."""
        if kind not in (Change.GONE, Change.NEWLY_EXERCISED):
            return None
        name, idle, side = ("NEW", new, self.new) if kind is Change.GONE else ("OLD", old, self.old)
        if idle.outcome is Outcome.UNEXERCISED and idle.reason == "deselected":
            return Told(Cause.RUN, f"it was deselected in {name}")
        if idle.outcome is Outcome.ERROR:
            return Told(Cause.UNKNOWN, f"it could not be judged in {name}: {idle.reason}")
        if cut := side.report.cut_off:
            cause = Cause.TARGET if cut.startswith("the target ") else Cause.RUN
            return Told(cause, f"{name} was cut off: {cut}")
        return None

    def _file(self, old: WrittenClause, new: WrittenClause, kind: Change) -> Told | None:
        """What the target file says now and did not say before."""
        found = _declarations(self.old.report, self.new.report)
        if not found:
            return None
        if kind in (Change.GONE, Change.NEWLY_EXERCISED) and (told := self._needed(new.id)):
            return Told(Cause.FILE, told)
        again = self._under_the_new_file.get(old.id)
        if again is not None and again != self.old.results.get(old.id) and again == self._now(new):
            return Told(Cause.FILE, f"the old evidence is judged {_words(again)} by what is declared now")
        reaching = [each for each in found if _reaches(each.what, new, kind)]
        if not reaching:
            return None
        listed = "; ".join(str(each) for each in reaching[:3])
        if not self.old.results:
            return Told(Cause.UNKNOWN, f"OLD: {self.old.hindrance}; besides, other things are declared: {listed}")
        return Told(Cause.FILE, listed)

    @cached_property
    def _under_the_new_file(self) -> Mapping[str, Result]:
        """What the installed rules make of the old evidence if the target is what is declared now."""
        if not (self.old.again and self.new.target):
            return {}
        try:
            return _results(rejudged(self.old.report.folder, self.new.target))
        except (OperatorMistake, KeyError, ValueError, TypeError, AttributeError, OSError):
            return {}

    def _needed(self, name: str) -> str:
        """How it follows from the declarations alone that a clause is exercised, or not."""
        clause, old, new = catalogue().clauses.get(name), self.old.target, self.new.target
        if not (clause and old and new):
            return ""
        was, is_now = inapplicable(clause, old), inapplicable(clause, new)
        if was != is_now:
            return is_now or f"no longer so: {was}"
        lacked, lacks = missing(clause, old), missing(clause, new)
        if lacks == list(clause.needs) and lacked != lacks:
            return f"no longer declared: {', '.join(need for need in lacks if need not in lacked)}"
        if lacked == list(clause.needs) and lacked != lacks:
            return f"declared now: {', '.join(need for need in lacked if need not in lacks)}"
        return ""

    def _target(self, old: WrittenClause, new: WrittenClause, kind: Change) -> Told:
        """What remains when everything else is out of the question."""
        if not self.old.results:
            same = (self.old.report.suite, self.old.report.contract) == (
                self.new.report.suite,
                self.new.report.contract,
            )
            alike = "suite and contract are of the same version" if same else "suite or contract are not the same"
            return Told(
                Cause.UNKNOWN, f"OLD: {self.old.hindrance}, and so the target cannot be told from the suite; {alike}"
            )
        if old.id not in self.old.results:
            return Told(Cause.UNKNOWN, "the installed suite does not know this clause")
        if self._now(new) is None:
            return Told(Cause.UNKNOWN, "NEW was judged by another suite than is installed, and its evidence is no help")
        if self._now(new) != _result(new):
            return Told(Cause.UNKNOWN, f"the installed rules judge the evidence of NEW {_words(self._now(new))}")
        failing, side, like = (old, self.new, self.old) if kind is Change.FIXED else (new, self.old, self.new)
        if not side.sent(failing, like.report):
            return Told(Cause.UNKNOWN, "other requests were sent: those that show it were not sent in both")
        judged = "as before" if old.readings else str(old.outcome)
        return Told(Cause.TARGET, f"the old evidence is still judged {judged}")

    def _now(self, new: WrittenClause) -> Result | None:
        """What the installed rules make of the new run; None when that cannot be known."""
        if self.new.results:
            return self.new.results.get(new.id)
        return _result(new) if self.new.by_installed_suite else None


def _reaches(what: str, clause: WrittenClause, kind: Change) -> bool:
    """Whether what a clause is judged by may depend on a declaration."""
    if kind in (Change.GONE, Change.NEWLY_EXERCISED):
        return True
    if what.startswith("states."):
        return clause.section == "state"
    return what not in _REACH or clause.section in _REACH[what]


def _words(result: Result | None) -> str:
    if result is None:
        return "not at all"
    outcome, readings = result
    return f"as {', '.join(sorted(readings))}" if readings else str(outcome)
