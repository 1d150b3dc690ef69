"""One run: send everything that was planned, hand every exchange to the judge, and know when to stop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from conformance.cases.plan import Plan
from conformance.contract.reading import read
from conformance.evidence.log import EvidenceLog
from conformance.exchange import Case, Exchange
from conformance.exploration import Explorer
from conformance.judge import Judge, Verdict
from conformance.message import Delivery, Request, Response
from conformance.patience import CutOff, Open, Sender
from conformance.reduce import reduced
from conformance.rules.selectors import AUTHENTICATION_ERRORS
from conformance.staging import Stage
from conformance.target import Target
from conformance.timings import Timings

PATIENCE = 6
"""After this many requests in a row without an answer the target is asked for a sign of life."""
SECOND_OPINIONS = 8
"""How often a request is sent alone before its decision counts as steady and another one as a mix-up."""
WINDOW = 128
"""Exchanges that may be waiting for the judge."""

_Item = TypeVar("_Item")
_Got = TypeVar("_Got")


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    seen: int
    planned: int | None
    """None where the clock ends the run."""
    breached: int
    """Exchanges so far that breach a clause."""
    unexercised: int
    """Clauses that nothing was judged by yet."""
    budget_left: int | None
    """Requests that may still be sent, where the target file has a budget."""


@dataclass
class Course:
    """What happened in a run, besides the verdicts."""

    sent: int = 0
    seen: int = 0
    answered: int = 0
    throttled: int = 0
    unsteady: list[str] = field(default_factory=list)
    """Cases whose answer was lost at first and came when they were sent again."""
    cut_off: str = ""
    """Why the run ended before everything was sent; empty when it did not."""
    stopped_by_operator: bool = False
    turned_away: bool = False
    """Nothing was ever served, and our credentials were refused: they may well be wrong."""
    served: bool = False
    """At least one request was answered 200."""
    recorded: bool = False
    """Others asked, and we were told: what was not exercised is nobody's doing."""
    mishaps: Mapping[str, str] = field(default_factory=dict)
    """By clause: what of the set-up did not work, so that the clause could not be judged."""
    timings: Timings = field(default_factory=Timings)
    """Of the answers to requests that were sent whole, without waits of our own."""

    def to_document(self) -> dict[str, Any]:
        """The course as JSON-able data."""
        return {**vars(self), "mishaps": dict(self.mishaps), "timings": self.timings.to_document()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Course:
        """The course of such data. Raises KeyError, TypeError or ValueError when it is none."""
        named = {each.name: document[each.name] for each in fields(cls)}
        return cls(**{**named, "timings": Timings.of(document["timings"])})


class Campaign:
    """Runs a plan against a target and lets a judge see what comes back."""

    def __init__(
        self,
        target: Target,
        open_connection: Open,
        judge: Judge,
        stage: Stage | None = None,
        log: EvidenceLog | None = None,
        sent: int = 0,
    ) -> None:
        """``sent`` requests went out already, and count."""
        self._log = log
        self._target = target
        self._stage = stage
        self._judge = judge
        self._sender = Sender(open_connection, target.limits.concurrency, target.limits.requests)
        self._sender.sent = sent
        self._alone: dict[bytes, Exchange] = {}
        self._recurring: set[bytes] = set()
        self._silent = 0
        self._breached = 0
        self._sign_of_life: Case | None = None
        self.course = Course()

    def run(
        self,
        plan: Plan,
        on_progress: Callable[[Progress], None] = lambda _: None,
        *,
        explorer: Explorer | None = None,
        shrink: bool = False,
    ) -> Course:
        """Send the plan, then what the explorer draws, and shrink what was found, if asked to.

        Ctrl-C ends the run early and leaves a true account of what was seen.
        """
        counts = Counter(case.request.wire for case in plan.cases())
        self._recurring = {wire for wire, count in counts.items() if count > 1}
        timed = explorer is not None and explorer.depth.minutes is not None
        further = (explorer.requests if explorer else 0) + (self._stage.requests if self._stage else 0)
        planned = None if timed else sum(counts.values()) + further
        exchanges = self._exchanges(plan, explorer, shrink)
        try:
            for exchange in exchanges:
                self._see(exchange)
                unexercised = len(self._judge.unexercised())
                on_progress(Progress(self.course.seen, planned, self._breached, unexercised, self._sender.budget_left))
        except CutOff as reason:
            self.course.cut_off = str(reason)
        except KeyboardInterrupt:
            self.course.cut_off, self.course.stopped_by_operator = "stopped by the operator", True
        finally:
            self._sender.stop()
            exchanges.close()
        self.course.sent, self.course.throttled = self._sender.sent, self._sender.throttled
        self.course.mishaps = self._stage.mishaps if self._stage else {}
        return self.course

    def _exchanges(self, plan: Plan, explorer: Explorer | None, shrink: bool) -> Generator[Exchange, None, None]:
        with ThreadPoolExecutor(self._target.limits.concurrency) as pool:
            try:
                yield from self._phases(plan, pool)
                if explorer:
                    self._sender.careful = False
                    yield from self._in_order(pool, self._alone_one, explorer.singles())
                    for exchanges in self._in_order(pool, self._in_turn, explorer.sequences()):
                        yield from exchanges
                if self._stage:
                    yield from self._stage.exchanges(self._sender)
                if shrink and plan.witnesses:
                    self._shrink(plan.witnesses)
            finally:
                self._sender.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                self._sender.close()

    def _phases(self, plan: Plan, pool: ThreadPoolExecutor) -> Iterator[Exchange]:
        for place, case in enumerate((*plan.witnesses, *plan.witnesses)):
            yield self._witness(case)
            if place and not self.course.answered:
                raise CutOff("the target answered nothing")
        if self._target.auth and self._turned_away:
            if self._stage:
                yield from self._stage.signatures(self._sender)
            self.course.turned_away = not self.course.served
            raise CutOff(f"the target refuses our credentials: {self._turned_away}")
        self._sign_of_life = plan.witnesses[0] if plan.witnesses else None
        yield from self._in_order(pool, self._alone_one, plan.singles)
        self._recurring = set()  # what begins a sequence would be a witness for some of the others, if it came in time
        for exchanges in self._in_order(pool, self._in_turn, plan.sequences):
            yield from exchanges
        for flight in plan.flights:
            yield from self._at_once(pool, flight)

    @property
    def _turned_away(self) -> str:
        """How the witnesses were refused, if all of them were for who asks."""
        outcomes = {exchange.outcome for exchange in self._alone.values()}
        refused = all(
            exchange.status in (401, 403) or exchange.error_id in AUTHENTICATION_ERRORS
            for exchange in self._alone.values()
        )
        return ", ".join(sorted(outcomes)) if refused else ""

    def _in_order(
        self, pool: ThreadPoolExecutor, send: Callable[[_Item], _Got], batch: Iterable[_Item]
    ) -> Iterator[_Got]:
        """Keep as many in flight as the pool has threads; yield in the order of sending."""
        waiting: deque[Future[_Got]] = deque()
        for each in batch:
            waiting.append(pool.submit(send, each))
            if len(waiting) >= WINDOW:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _alone_one(self, case: Case) -> Exchange:
        reading = read(case.request, self._target)
        sent = self._sender.alone(case, reading)
        return Exchange(case, reading, sent.answer, sent.seconds, sent.lost, alone=self._alone.get(case.request.wire))

    def _witness(self, case: Case) -> Exchange:
        """A request sent when nothing else is: how it is answered by itself."""
        reading = read(case.request, self._target)
        sent = self._sender.alone(case, reading, quietly=True)
        return Exchange(case, reading, sent.answer, sent.seconds, sent.lost, alone=self._alone.get(case.request.wire))

    def _in_turn(self, cases: Sequence[Case]) -> list[Exchange]:
        readings = [read(case.request, self._target) for case in cases]
        exchanges: list[Exchange] = []
        for case, reading, sent in zip(cases, readings, self._sender.in_turn(cases, readings), strict=True):
            before = exchanges[-1] if exchanges else None
            exchange = Exchange(case, reading, sent.answer, sent.seconds, sent.lost, before)
            exchanges.append(self._beside_its_witness(exchange) if before else exchange)
        return exchanges

    def _beside_its_witness(self, exchange: Exchange) -> Exchange:
        """The exchange with its like, sent alone; many of these where the two were decided differently."""
        alone = self._alone.get(exchange.request.wire)
        if alone and exchange.succeeded and alone.succeeded and exchange.decision != alone.decision:
            for _ in range(SECOND_OPINIONS - len(alone.repeats)):
                alone = replace(self._witness(exchange.case), alone=alone)
        return replace(exchange, alone=alone)

    def _at_once(self, pool: ThreadPoolExecutor, flight: Sequence[Case]) -> Iterator[Exchange]:
        sent = self._sender.at_once(pool, flight)
        exchanges = [
            Exchange(case, read(case.request, self._target), each.answer, each.seconds, each.lost)
            for case, each in zip(flight, sent, strict=True)
        ]
        judged = [self._beside_its_witness(exchange) for exchange in exchanges]
        for place, exchange in enumerate(judged):
            others = judged[:place] + judged[place + 1 :]
            yield replace(exchange, beside=tuple(other.alone for other in others if other.alone))

    def _shrink(self, witnesses: Sequence[Case]) -> None:
        """Make the requests of what was found smaller. What is sent for that is shown to the one rule alone.

        All that was planned has been sent by then: a budget that does not last for this cuts nothing off.
        """
        with suppress(CutOff):
            for verdict in self._judge.verdicts:
                if verdict.breached and verdict.violations[0].exchange.before is None:
                    self._shrink_one(verdict, witnesses)

    def _shrink_one(self, verdict: Verdict, witnesses: Sequence[Case]) -> None:
        worst = verdict.violations[0].exchange
        if worst.beside or worst.circumstance or worst.case.delivery is not Delivery.WHOLE:
            return
        own = (case for case in witnesses if read(case.request, self._target).scene == worst.reading.scene)
        ordinary = next(own, witnesses[0]).request

        def still_shows(request: Request) -> bool:
            exchange = self._alone_one(Case(f"{worst.case.id}-shrunk", request))
            if self._log:
                self._log.add(exchange, rule=verdict.rule.id)
            return verdict.look_again(exchange)

        reduced(worst.request, ordinary, still_shows)

    def _see(self, exchange: Exchange) -> None:
        course = self.course
        course.seen += 1
        course.served = course.served or exchange.status == 200
        if self._log:
            self._log.add(exchange)
        self._breached += bool(self._judge.see(exchange))
        if exchange.before is None and not exchange.beside and exchange.request.wire in self._recurring:
            self._alone[exchange.request.wire] = exchange
        if isinstance(exchange.answer, Response) and exchange.case.delivery is Delivery.WHOLE:
            course.timings.add(exchange.seconds)
        if isinstance(exchange.answer, Response) or exchange.answer.spoke:
            course.answered += 1
            self._silent = 0
            if exchange.lost:
                course.unsteady.append(exchange.case.id)
        elif exchange.reading.proper and exchange.case.delivery is not Delivery.ABORT:
            self._silent += 1
            self._look_for_life()

    def _look_for_life(self) -> None:
        """Go on with a target that is silent on odd requests, but not with one that is silent altogether."""
        if self._silent < PATIENCE:
            return
        self._silent = 0
        case = self._sign_of_life
        if case is None or not isinstance(self._sender.alone(case, read(case.request, self._target)).answer, Response):
            raise CutOff(f"the target stopped answering: {PATIENCE} requests in a row got nothing")
