"""Sending one case with patience: throttles are obeyed, a hiccup is told from a habit, a budget is kept.

Nothing is decided here. What every try came to is handed on, and what that means is for the rules to say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from conformance.contract.reading import Reading
from conformance.discretion import Discretion
from conformance.doors import Doors
from conformance.exchange import Case, Exchange
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence

TRIES_WHEN_THROTTLED = 3
LONGEST_PAUSE = 5.0
"""Seconds for which a Retry-After is obeyed, at most."""
ENOUGH = 3
"""How many requests must be answered only when sent in quiet before everything is, and how many attempts at that must
be in vain before it is no longer tried."""
SECOND_LOOKS = 8
"""How often a request is sent again after its connection broke once and then did not."""


class Connection(Protocol):
    """One connection to the target."""

    @property
    def lost_idle(self) -> bool:
        """It had been used before, and broke before a byte of this answer came."""
        ...

    @property
    def reusable(self) -> bool: ...

    def exchange(self, request: Request, delivery: Delivery = ...) -> Answer: ...

    def settle(self) -> bytes:
        """Bytes that nobody asked for, sent a moment after the answer."""
        ...

    def close(self) -> None: ...


Open = Callable[[], Connection]
"""The one seam: a socket to a live target, or a session with the reference in this process."""


class _Authenticated:
    """A connection whose requests are signed on the way out; whoever sends them sees them as they were before.

    A target may echo what it was sent: secrets are taken out of its answers before anybody sees them.
    """

    def __init__(self, inner: Connection, sign: Callable[[Request], Request], discretion: Discretion) -> None:
        self._inner = inner
        self._sign = sign
        self._discretion = discretion
        self._sent = Request(b"")

    @property
    def lost_idle(self) -> bool:
        return self._inner.lost_idle

    @property
    def reusable(self) -> bool:
        return self._inner.reusable

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        self._sent = self._sign(request)
        self._discretion.remember(self._sent)  # what is answered elsewhere meanwhile may hold its signature
        try:
            answer = self._inner.exchange(self._sent, delivery)
        except Exception as error:  # our own fault, whose words may quote what was sent
            words = self._discretion.text(f"{type(error).__name__}: {error}")
            raise RuntimeError(words).with_traceback(error.__traceback__) from None
        return self._discretion.answer(answer, self._sent)

    def settle(self) -> bytes:
        return self._discretion.octets(self._inner.settle(), self._sent)

    def close(self) -> None:
        self._inner.close()


def authenticated(open_connection: Open, sign: Callable[[Request], Request], discretion: Discretion) -> Open:
    """Connections on which every request is signed. What is judged and reported never holds a signature or a secret."""
    return lambda: _Authenticated(open_connection(), sign, discretion)


def discreetly(open_connection: Open, discretion: Discretion) -> Open:
    """Connections on which requests, signed or not, go out as they are, and no secret comes back."""
    return authenticated(open_connection, lambda request: request, discretion)


class CutOff(Exception):
    """There is no point in going on, or no leave to."""


@dataclass(frozen=True)
class Sent:
    """What sending a case came to."""

    answer: Answer
    seconds: float
    lost: tuple[NoAnswer, ...] = ()


class Sender:
    """Sends cases, from any thread, within the budget of the run."""

    def __init__(self, open_connection: Open, width: int, budget: int | None) -> None:
        self._open = open_connection
        self._width = width
        self._budget = budget
        self._lock = threading.Lock()
        self._doors = Doors()
        self._idle: list[Connection] = []
        self._stopped = threading.Event()
        self._helped = 0
        self._in_vain = 0
        self._waited_in_vain = 0
        self.careful = True
        """Each connection is looked at for stray bytes a moment later, and only good answers leave it in use."""
        self.sent = 0
        self.throttled = 0

    @property
    def quiet(self) -> bool:
        """The target has shown that it serves one connection at a time: from then on it gets one."""
        return self._helped >= ENOUGH

    @property
    def budget_left(self) -> int | None:
        """Requests that may still be sent; None where there is no budget."""
        return None if self._budget is None else self._budget - self.sent

    def stop(self) -> None:
        """Send nothing more; what is under way ends by its own deadline."""
        self._stopped.set()

    def alone(self, case: Case, reading: Reading, *, quietly: bool = False) -> Sent:
        """Send a case by itself, and once more if its answer is lost; quietly: while nothing else is in flight."""
        first = self.in_quiet(case, reading) if quietly else self._with_company(case, reading)
        if not _was_lost(first.answer, case, reading):
            return first
        again = self._with_company(case, reading) if self._in_vain >= ENOUGH else self.in_quiet(case, reading)
        losses = [first.answer] if isinstance(first.answer, NoAnswer) else []
        self._learn(again.answer)
        if isinstance(again.answer, Response) and losses and losses[0].kind is not Silence.TIMEOUT:
            looks = (self._with_company(case, reading).answer for _ in range(SECOND_LOOKS))
            losses += [look for look in looks if isinstance(look, NoAnswer)]
        return Sent(again.answer, again.seconds, tuple(losses))

    def in_quiet(self, case: Case, reading: Reading) -> Sent:
        """Send with no other request in flight and no other connection open, as the most patient client would."""
        with self._doors.alone():
            self.close()
            sent = self._unthrottled(case, reading)
            self.close()
        return sent

    def once(self, case: Case, open_connection: Open | None = None) -> Sent:
        """Send a case once, on a connection of its own, and whatever comes back."""
        connection = (open_connection or self._open)()
        sent = self._once(connection, case)
        connection.close()
        return sent

    def conversation(self, cases: Sequence[Case], open_connection: Open | None = None) -> list[Sent]:
        """Send cases once each, one after the other, on one connection as long as it lasts."""
        if self._idle:
            self._idle.pop().close()  # never more connections than requests in flight
        opened, sent = open_connection or self._open, []
        connection = opened()
        for case in cases:
            if not connection.reusable:
                connection.close()
                connection = opened()
            attempt = self._once(connection, case)
            if isinstance(attempt.answer, NoAnswer) and connection.lost_idle:
                connection.close()
                connection = opened()
                attempt = self._once(connection, case)
            sent.append(attempt)
        connection.close()
        return sent

    def at_once(self, pool: ThreadPoolExecutor, cases: Sequence[Case]) -> list[Sent]:
        """Send cases at the same time, each on a connection that is closed as soon as it is answered.

        A server that serves one connection after the other answers all of them. If an answer is lost, all are sent
        again, as a hiccup would be forgiven.
        """
        first = self._flight(pool, cases)
        if not any(isinstance(sent.answer, NoAnswer) for sent in first):
            return first
        again = self._flight(pool, cases)
        return [
            replace(new, lost=(old.answer,) if isinstance(old.answer, NoAnswer) else ())
            for old, new in zip(first, again, strict=True)
        ]

    def _flight(self, pool: ThreadPoolExecutor, cases: Sequence[Case]) -> list[Sent]:
        self.close()
        start = threading.Barrier(min(len(cases), self._width))

        def send(case: Case) -> Sent:
            with suppress(threading.BrokenBarrierError):
                start.wait(timeout=1.0)  # so that they really are in flight together
            return self.once(case)

        return list(pool.map(send, cases))

    def in_turn(self, cases: Sequence[Case], readings: Sequence[Reading]) -> list[Sent]:
        """Send cases on one connection, or on the next where the server closes it; all again if one was lost."""
        with self._doors.together():
            first = self.conversation(cases)
        lost = [
            _was_lost(sent.answer, case, reading) for sent, case, reading in zip(first, cases, readings, strict=True)
        ]
        if not any(lost):
            return first
        with self._doors.alone():
            again = self.conversation(cases)
        return [
            Sent(new.answer, new.seconds, (old.answer,) if isinstance(old.answer, NoAnswer) and was_lost else ())
            for old, new, was_lost in zip(first, again, lost, strict=True)
        ]

    def _with_company(self, case: Case, reading: Reading) -> Sent:
        if self.quiet:
            return self.in_quiet(case, reading)
        with self._doors.together():
            return self._unthrottled(case, reading)

    def _learn(self, answer: Answer) -> None:
        with self._lock:
            self._helped += isinstance(answer, Response)
            self._in_vain += isinstance(answer, NoAnswer)

    def _unthrottled(self, case: Case, reading: Reading) -> Sent:
        for attempt in range(TRIES_WHEN_THROTTLED + 1):
            sent = self._on_an_idle_connection(case)
            exchange = Exchange(case, reading, sent.answer)
            if not exchange.throttled:
                self._waited_in_vain = 0
                break
            with self._lock:
                self.throttled += 1
            if attempt == TRIES_WHEN_THROTTLED or self._waited_in_vain >= ENOUGH:
                self._waited_in_vain += 1
                break
            self._stopped.wait(pause(sent.answer, attempt))
        return sent

    def _on_an_idle_connection(self, case: Case) -> Sent:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        sent = self._once(connection, case)
        if isinstance(sent.answer, NoAnswer) and connection.lost_idle:
            connection.close()
            connection = self._open()
            sent = self._once(connection, case)
        if connection.reusable and self._is_clean(sent.answer, case):
            self._idle.append(connection)
        else:
            connection.close()
        return sent

    def _is_clean(self, answer: Answer, case: Case) -> bool:
        """Whether the connection may carry the next case.

        Where care is taken, only a good answer leaves one that another case may be judged on. In exploration haste
        counts for more, and that connections carry all sorts of things is one more thing explored.
        """
        if not isinstance(answer, Response) or answer.faults or case.delivery is not Delivery.WHOLE:
            return False
        return answer.status == 200 or (not self.careful and answer.status < 500)

    def _once(self, connection: Connection, case: Case) -> Sent:
        if reason := self._hindrance():
            connection.close()
            raise CutOff(reason)
        started = time.perf_counter()
        answer = connection.exchange(case.request, case.delivery)
        seconds = time.perf_counter() - started
        if self.careful and isinstance(answer, Response) and (stray := connection.settle()):
            fault = f"{len(stray)} bytes follow the answer a moment later"
            answer = replace(answer, faults=(*answer.faults, fault), wire=answer.wire + stray)
        return Sent(answer, seconds)

    def _hindrance(self) -> str:
        """Why nothing more may be sent; empty when one request may, which is then counted."""
        with self._lock:
            if self._stopped.is_set():
                return "the run was stopped"
            if self._budget is not None and self.sent >= self._budget:
                return f"the budget of {self._budget} requests is used up"
            self.sent += 1
            return ""

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()


def _was_lost(answer: Answer, case: Case, reading: Reading) -> bool:
    """No answer came where one was due. What is not HTTP may be met with silence."""
    return isinstance(answer, NoAnswer) and reading.proper and case.delivery is not Delivery.ABORT


def pause(answer: Answer, attempt: int) -> float:
    """Seconds to wait before a throttled request is sent again."""
    values = answer.values(b"retry-after") if isinstance(answer, Response) else ()
    asked = float(values[0]) if values and values[0].isdigit() and len(values[0]) < 7 else 0.2 * 2**attempt
    return min(asked, LONGEST_PAUSE)
