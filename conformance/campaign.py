"""One run: send everything that was planned, hand every exchange to the judge, and know when to stop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from typing import TypeVar

from conformance.cases.disguise import alike
from conformance.cases.plan import Plan
from conformance.contract.reading import read
from conformance.course import Course, Progress
from conformance.discretion import Discretion
from conformance.evidence.log import EvidenceLog
from conformance.exchange import Case, Exchange
from conformance.exploration import Explorer
from conformance.judge import Judge, Verdict
from conformance.message import Delivery, Request, Response
from conformance.patience import CutOff, Open, Sender
from conformance.reduce import reduced
from conformance.rules.selectors import AUTHENTICATION_ERRORS
from conformance.shards import WHOLE, Shard
from conformance.shelf import Shelf
from conformance.staging import Stage
from conformance.target import Target

PATIENCE = 6
"""After this many requests in a row without an answer the target is asked for a sign of life."""
SECOND_OPINIONS = 8
"""How often a request is sent alone before its decision counts as steady and another one as a mix-up."""
WINDOW = 128
"""Exchanges that may be waiting for the judge."""

_Item = TypeVar("_Item")
_Got = TypeVar("_Got")


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
        shard: Shard = WHOLE,
        discretion: Discretion | None = None,
    ) -> None:
        """``sent`` requests went out already, and count. Of what is planned only the share of ``shard`` is sent."""
        self._log = log
        self._target = target
        self._stage = stage
        self._discretion = discretion
        self._judge = judge
        self._sender = Sender(open_connection, target.limits.concurrency, target.limits.requests)
        self._sender.sent = sent
        self._alone: dict[tuple[bytes, bytes], Exchange] = {}
        """By what was sent, marks aside: how it was answered when nothing else was in flight."""
        self._shard = shard
        self._planned = 0
        """How many places of the run were given away so far."""
        self._place = 0
        """Where in the run the exchange stands that is being judged."""
        self._elsewhere = Counter[str]()
        """What of our sending another shard accounts for."""
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
        timed = explorer is not None and explorer.depth.minutes is not None
        further = (explorer.requests if explorer else 0) + (self._stage.requests if self._stage else 0)
        fixed = sum(1 for _ in plan.cases())
        planned = None if timed else (fixed + further) // self._shard.of
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
        self.course.sent = self._sender.sent - self._elsewhere["sent"]
        self.course.throttled = self._sender.throttled - self._elsewhere["throttled"]
        self.course.mishaps = self._stage.mishaps if self._stage else {}
        self.course.echoes = self._echoes - self._elsewhere["echoes"]
        return self.course

    @property
    def _echoes(self) -> int:
        """Answers so far that repeated a secret."""
        return self._discretion.echoes if self._discretion else 0

    def _exchanges(self, plan: Plan, explorer: Explorer | None, shrink: bool) -> Generator[Exchange, None, None]:
        with ThreadPoolExecutor(self._target.limits.concurrency) as pool:
            try:
                yield from self._phases(plan, pool)
                if explorer:
                    self._sender.careful = False
                    yield from self._in_order(pool, self._alone_one, explorer.singles())
                    for exchanges in self._in_order(pool, self._in_turn, explorer.sequences()):
                        yield from exchanges
                if self._stage and self._shard.last:
                    yield from self._placed(self._stage.exchanges(self._sender))
                if shrink and plan.witnesses:
                    self._shrink(plan.witnesses)
            finally:
                self._sender.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                self._sender.close()

    def _phases(self, plan: Plan, pool: ThreadPoolExecutor) -> Iterator[Exchange]:
        for exchange in self._placed(self._witnesses(plan)):
            if self._shard.first:
                yield exchange
        if not self._shard.first:
            sent, throttled = self._sender.sent, self._sender.throttled
            self._elsewhere.update(sent=sent, throttled=throttled, echoes=self._echoes)
        if self._target.auth and self._turned_away:
            if self._stage and self._shard.last:
                yield from self._placed(self._stage.signatures(self._sender))
            self.course.turned_away = not self.course.served
            raise CutOff(f"the target refuses our credentials: {self._turned_away}")
        self._sign_of_life = plan.witnesses[0] if plan.witnesses else None
        yield from self._in_order(pool, self._alone_one, plan.singles)
        for exchanges in self._in_order(pool, self._in_turn, plan.sequences):
            yield from exchanges
        for self._place, flight in self._share(plan.flights):  # noqa: B020
            yield from self._at_once(pool, flight)

    def _witnesses(self, plan: Plan) -> Generator[Exchange, None, None]:
        """Every witness, and once more; the later one counts."""
        for place, case in enumerate(plan.rounds):
            exchange = self._alone_one(case, quietly=True)
            self._alone[alike(case.request)] = exchange
            yield exchange
            if place and not any(map(_spoke, self._alone.values())):
                raise CutOff("the target answered nothing")

    def _share(self, batch: Iterable[_Item]) -> Iterator[tuple[int, _Item]]:
        """What of it is for us to send, with its place in the run."""
        for each in batch:
            self._planned += 1
            if self._shard.has(self._planned):
                yield self._planned, each

    def _placed(self, batch: Generator[_Item, None, None]) -> Iterator[_Item]:
        """All of it, each at the next place."""
        with closing(batch):  # whose end, in time or not, takes the target out of its states
            for each in batch:
                self._planned += 1
                self._place = self._planned
                yield each

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
        """Send our share, as many in flight as the pool has threads; yield in the order of sending."""
        waiting: deque[tuple[int, Future[_Got]]] = deque()
        shelf = Shelf()
        try:
            for turn, (place, each) in enumerate(self._share(batch)):
                waiting.append((place, pool.submit(shelf.filled, turn, send, each)))
                if len(waiting) >= WINDOW:
                    yield self._next(waiting, shelf)
            while waiting:
                yield self._next(waiting, shelf)
        finally:
            shelf.clear()

    def _next(self, waiting: deque[tuple[int, Future[_Got]]], shelf: Shelf) -> _Got:
        place, coming = waiting.popleft()
        got = coming.result()
        shelf.take(got)
        self._place = place
        return got

    def _alone_one(self, case: Case, *, quietly: bool = False) -> Exchange:
        """A request sent by itself; ``quietly`` when nothing else is in flight."""
        reading = read(case.request, self._target)
        sent = self._sender.alone(case, reading, quietly=quietly)
        return Exchange(case, reading, sent.answer, sent.seconds, sent.lost, alone=self._alone.get(alike(case.request)))

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
        alone = self._alone.get(alike(exchange.request))
        if alone and exchange.succeeded and alone.succeeded and exchange.decision != alone.decision:
            for _ in range(SECOND_OPINIONS - len(alone.repeats)):
                alone = replace(self._alone_one(exchange.case, quietly=True), alone=alone)
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
            self._log.add(exchange, place=self._place)
        self._breached += bool(self._judge.see(exchange))
        if isinstance(exchange.answer, Response) and exchange.case.delivery is Delivery.WHOLE:
            course.timings.add(exchange.seconds)
        if _spoke(exchange):
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


def _spoke(exchange: Exchange) -> bool:
    """Whether anything at all came back."""
    return isinstance(exchange.answer, Response) or exchange.answer.spoke
