"""The last part of a run, for which the target's help is needed: signatures, too many requests, states made by hooks.

Nothing else is in flight meanwhile. Whatever state is entered is left again, however the run ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from conformance import hooks
from conformance.cases import authentication
from conformance.cases.requests import Subject
from conformance.contract.reading import read
from conformance.exchange import Case, Circumstance, Exchange
from conformance.message import NoAnswer, Request, Response
from conformance.patience import ENOUGH, Connection, Open, Sender, Sent, authenticated, discreetly, pause
from conformance.provisions import STATES, SigV4, State
from conformance.signing import (
    Principal,
    Scope,
    Signature,
    anonymous,
    as_principal,
    discreet,
    discretion,
    examined,
    found,
    scope_of,
    signed,
)
from conformance.target import Target

LEAST_BURST, MOST_BURST = 8, 200
"""Requests of a burst: three seconds' worth of the declared rate, within these."""
RECOVERIES = 5
"""How often a target is asked whether it serves again."""
TRIES = 4
"""How often a request is sent that is throttled where it should be something else."""
_CIRCUMSTANCES: Mapping[Signature, Circumstance] = {
    Signature.VALID: Circumstance.SIGNED,
    Signature.INVALID: Circumstance.BADLY_SIGNED,
    Signature.UNSIGNED_PAYLOAD: Circumstance.UNSIGNED_PAYLOAD,
}

_OF_RATES = frozenset({Circumstance.THROTTLED, Circumstance.FLOODED, Circumstance.RECOVERED})

Hook = Callable[[State], None]
Clothe = Callable[[Case], Case]


def _as_it_is(case: Case) -> Case:
    return case


class Served(Protocol):
    """A target within reach: how to connect to it, and to change its state."""

    def open(self) -> Connection: ...

    def enter(self, state: State) -> None: ...

    def leave(self, state: State) -> None: ...

    def wait(self, seconds: float) -> None: ...


@dataclass
class Stage:
    """What a target provides, ready for use. Raises OperatorMistake when it is made and a secret is not to be found."""

    target: Target
    host: bytes
    unsigned: Open
    """Connections on which requests go out as they are."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    enter: Hook = hooks.enter
    leave: Hook = hooks.leave
    wait: Callable[[float], None] = time.sleep
    mishaps: dict[str, str] = field(default_factory=dict)
    """By clause: which part of the set-up did not work, and how."""
    salt: str = ""
    """What makes the images others than the usual ones."""
    clothe: Clothe = _as_it_is
    """How a case is dressed before it is sent."""

    def __post_init__(self) -> None:
        self.subjects = [Subject(scene, self.host, self.target.limits, self.salt) for scene in self.target.running()]
        auth = self.target.auth
        self.discretion = discretion(auth, self.target.states.values(), self.environ)
        self._principal = found(auth.keys, self.environ) if isinstance(auth, SigV4) else None
        self._others = {
            name: found(state.keys, self.environ, f"states.{name}.keys")
            for name, state in self.target.states.items()
            if state.keys
        }
        self._in_vain = 0
        """How often an answer was lost once more when it was asked for again."""
        self._stuck = ""
        """Why no further state can be judged: the target does not come out of the last one."""
        self.skew = timedelta()
        """How far the target's clock is ahead of ours; to be set by whoever has measured it."""

    def exchanges(self, sender: Sender) -> Generator[Exchange, None, None]:
        """Send everything, and yield it with the circumstances in which it was answered."""
        if not self.subjects:
            return
        sender.close()  # whoever serves one connection at a time must not wait for an idle one
        yield from self.signatures(sender)
        yield from self._burst(sender)
        for state in (self.target.states[name] for name in STATES if name in self.target.states):
            if self._stuck:
                self._note(state, self._stuck)
            else:
                yield from self._state(sender, state)

    @property
    def requests(self) -> int:
        """How many requests this takes, at most."""
        signatures = sum(1 for _ in self._signed_cases()) + (2 if self._principal else 0)
        burst = self._burst_size() + RECOVERIES if self.target.limits.rate else 0
        return (
            signatures + burst + sum(1 + len(self._good(state)) + RECOVERIES for state in self.target.states.values())
        )

    def _signed_cases(self) -> Iterator[Case]:
        if self._own and self.subjects:
            first, *others = self.subjects
            yield from authentication.cases(first, others, *self._own)

    @property
    def _as_they_are(self) -> Open:
        """Connections for requests that are signed already, or are not to be."""
        return discreetly(self.unsigned, self.discretion)

    @property
    def _own(self) -> tuple[Principal, Scope] | None:
        """Whom we sign for, and where, by the target's clock; None where nothing is signed."""
        auth = self.target.auth
        return (self._principal, scope_of(auth, self.skew)) if isinstance(auth, SigV4) and self._principal else None

    def signatures(self, sender: Sender) -> Generator[Exchange, None, None]:
        """Every way of signing, right and wrong."""
        for case in self._signed_cases():
            what = self._said_by(case.request)
            if what:
                yield self._asked(sender, case, what, self._as_they_are)
        yield from self._on_one_connection(sender)

    def _on_one_connection(self, sender: Sender) -> Iterator[Exchange]:
        """A good signature, and then none, on the same connection: whoever was let in once is not let in for good."""
        if not self._own:
            return
        plain = self.subjects[0].witnesses()[0]
        requests = (signed(plain, *self._own), plain)
        cases = [self.clothe(Case(f"auth.connection-{number}", request)) for number, request in enumerate(requests, 1)]
        before = None
        for case, sent in zip(cases, sender.conversation(cases, self._as_they_are), strict=True):
            what = self._said_by(case.request) or Circumstance.SIGNED
            before = replace(self._exchange(case, sent, what), before=before)
            yield before

    def _said_by(self, request: Request) -> Circumstance | None:
        """What the bytes say of the signature; None where servers may differ."""
        if not self._own:
            return None
        principal, scope = self._own
        return _CIRCUMSTANCES.get(examined(request, [principal], scope))

    def _asked(self, sender: Sender, case: Case, circumstance: Circumstance, opened: Open | None = None) -> Exchange:
        """Ask, and ask again after a throttle that is not what it is about."""
        case = self.clothe(case)
        for attempt in range(TRIES):
            sent = self._sent(sender, case, opened)
            exchange = self._exchange(case, sent, circumstance)
            if circumstance in _OF_RATES or not exchange.throttled:
                break
            self.wait(pause(sent.answer, attempt))
        return exchange

    def _sent(self, sender: Sender, case: Case, opened: Open | None) -> Sent:
        """Send a case, and once more if its answer is lost, as a hiccup is forgiven elsewhere."""
        first = sender.once(case, opened)
        if not isinstance(first.answer, NoAnswer) or self._in_vain >= ENOUGH:
            return first
        again = replace(sender.once(case, opened), lost=(first.answer,))
        self._in_vain += isinstance(again.answer, NoAnswer)
        return again

    def _exchange(self, case: Case, sent: Sent, circumstance: Circumstance) -> Exchange:
        """What came of a case, without anybody's key or signature in it."""
        reading, shown = read(anonymous(case.request), self.target), replace(case, request=discreet(case.request))
        return Exchange(shown, reading, sent.answer, sent.seconds, sent.lost, circumstance=circumstance)

    def _burst_size(self) -> int:
        return max(LEAST_BURST, min(MOST_BURST, round(3 * (self.target.limits.rate or 0))))

    def _burst(self, sender: Sender) -> Iterator[Exchange]:
        """More requests than the target says it takes, as fast as they go out; then one, after the time asked for."""
        if not self.target.limits.rate:
            return
        good = self.subjects[0].witnesses()
        cases = [Case(f"burst.{number}", good[number % len(good)]) for number in range(1, self._burst_size() + 1)]
        with ThreadPoolExecutor(self.target.limits.concurrency) as pool:
            flooded = list(pool.map(lambda case: self._asked(sender, case, Circumstance.FLOODED), cases))
        yield from flooded
        refused = [exchange for exchange in flooded if exchange.status == 429]
        if refused:
            yield self._recovered(sender, "burst", refused[-1])

    def _good(self, state: State) -> tuple[Request, ...]:
        chosen = [subject for subject in self.subjects if state.scene in (None, subject.scene.name)]
        return chosen[0].witnesses() if chosen else ()

    def _state(self, sender: Sender, state: State) -> Iterator[Exchange]:
        opened = self._opened_for(state)
        was_well = self._serves(sender, state)
        seen: list[Exchange] = []
        try:
            if not state.keys:  # whose principal always is in it
                self.enter(state)
            for number, request in enumerate(self._good(state), 1):
                seen.append(
                    self._asked(sender, Case(f"state.{state.name}-{number}", request), Circumstance(state.name), opened)
                )
                yield seen[-1]
        except hooks.HookFailed as error:
            self._note(state, error.told(self.discretion.text))
        finally:
            left = bool(state.keys) or self._left(state)
        if left and seen and was_well and not state.keys:
            yield from self._after(sender, state, seen[0])

    def _serves(self, sender: Sender, state: State) -> bool:
        """Whether a good request is served at all: only then can it be served again."""
        good = self._good(state)[:1]
        cases = [Case(f"state.{state.name}-before", request) for request in good]
        return any(self._asked(sender, case, Circumstance.NONE).status == 200 for case in cases)

    def _opened_for(self, state: State) -> Open | None:
        """Connections of the principal who always is in the state; None for the usual ones."""
        if state.name not in self._others or not self._own:
            return None
        sign = as_principal(self._others[state.name], self._own[1])
        return authenticated(self.unsigned, sign, self.discretion)

    def _left(self, state: State) -> bool:
        try:
            self.leave(state)
        except hooks.HookFailed as error:
            told = error.told(self.discretion.text)
            self._note(state, told)
            self._stuck = f"the target was not brought out of states.{state.name}: {told}"
            return False
        return True

    def _after(self, sender: Sender, state: State, before: Exchange) -> Iterator[Exchange]:
        """The same request again: a target that serves no more after a hook was left is for its operator to look at."""
        recovered = self._recovered(sender, f"state.{state.name}", before)
        if recovered.status != 200:
            self._stuck = f"after the hook states.{state.name}.leave a good request is answered {recovered.outcome}"
        if recovered.status == 200 or state.name == "throttled":
            yield recovered
        else:
            self._note(state, self._stuck)

    def _recovered(self, sender: Sender, name: str, before: Exchange) -> Exchange:
        case = Case(f"{name}-afterwards", before.request)
        for attempt in range(RECOVERIES):
            if attempt or before.status == 429:
                self.wait(pause(before.answer, attempt))
            exchange = self._asked(sender, case, Circumstance.RECOVERED)
            if exchange.status == 200:
                break
        return replace(exchange, before=before)

    def _note(self, state: State, trouble: str) -> None:
        clause = _CLAUSES.get(state.name, f"state.{state.name}")
        self.mishaps.setdefault(clause, self.discretion.text(trouble))


_CLAUSES = {"stopped": "state.not-running-refused"}
_YEARS = range(1970, 9999)
"""In which clocks are believed to be: a date a few days before or after one of these is still a date."""


def clock_skew(open_connection: Open, host: bytes, clothe: Clothe = _as_it_is) -> timedelta:
    """How far the target's clock is ahead of ours, as its Date header has it; nothing where it tells no time."""
    connection = open_connection()
    asked = clothe(Case("clock", Request.build("GET", "/", [("Host", host.decode("latin-1"))])))
    answer = connection.exchange(asked.request)
    connection.close()
    values = answer.values(b"date") if isinstance(answer, Response) else ()
    try:
        told = parsedate_to_datetime(b"".join(values).decode("latin-1"))
        return told - datetime.now(UTC) if told.year in _YEARS else timedelta()
    except (ValueError, TypeError, OverflowError):
        return timedelta()
