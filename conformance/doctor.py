"""A look at a target before it is judged: is it there, is it what its file says, and what will go unexercised.

A handful of requests, ten seconds at most; hooks take what the target file allows them. Nothing here is a verdict:
what a scene answers is looked at, not judged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from conformance import hooks
from conformance.cases import images
from conformance.cases.requests import Draft, Subject, measured, path
from conformance.contract.clauses import Clause, catalogue
from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.message import NoAnswer, Request
from conformance.mistake import OperatorMistake
from conformance.patience import Open, authenticated, discreetly
from conformance.provisions import SigV4, State
from conformance.report.record import inapplicable, missing
from conformance.signing import discretion, signer
from conformance.staging import clock_skew
from conformance.target import RUNNING, Scene, Target
from conformance.wire.client import Client, Endpoint, Limits

SECONDS = 10.0
"""For everything together."""
ANSWER_SECONDS = 3.0
"""For one answer, at most."""
SKEW = timedelta(minutes=5)
"""A clock that is further off is worth a word; at fifteen minutes signatures fail."""


_RESTING: Mapping[str, tuple[int, ...]] = {
    "missing-project": (404,),
    "missing-version": (404,),
    "stopped": (400, 404, 409),
    "forbidden": (403,),
}


class Health(StrEnum):
    """How a check came out."""

    GOOD = "ok"
    ODD = "note"  # nothing hinders, but it should be known
    BAD = "not ok"
    UNTRIED = "untried"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    health: Health
    text: str


def examine(target: Target, environ: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Look at a target. Raises OperatorMistake for a bad URL, a missing secret, an unreadable photograph."""
    yield from _Examination(measured(target), environ).checks()


def unexercised(target: Target) -> Iterator[tuple[Clause, str]]:
    """The clauses that a run will leave unexercised, each with what would have to be declared."""
    for clause in catalogue().tested():
        needs = missing(clause, target)
        if needs and len(needs) == len(clause.needs) and not inapplicable(clause, target):
            yield clause, " or ".join(needs)


class _Examination:
    def __init__(self, target: Target, environ: Mapping[str, str]) -> None:
        try:
            self._endpoint = Endpoint.of(target.url, str(target.ca) if target.ca else None)
        except ValueError as error:
            raise OperatorMistake(f"target.url: {error}") from None
        # a missing secret is told before anything is sent
        self._discretion = discretion(target.auth, target.states.values(), environ)
        self._target = target
        self._environ = environ
        seconds = min(target.limits.answer_seconds, ANSWER_SECONDS)
        self._unsigned: Open = discreetly(Client(self._endpoint, Limits(answer_seconds=seconds)).open, self._discretion)
        self._open: Open = self._unsigned
        self._until = time.monotonic() + SECONDS

    def checks(self) -> Iterator[Check]:
        """All checks, until the time is up or nothing more can come of them."""
        reached = self._reach()
        yield reached
        if reached.health is Health.BAD:
            return
        yield self._set_the_clock()
        for name, look in self._looks():
            if time.monotonic() > self._until:
                yield Check(name, Health.UNTRIED, f"the {SECONDS:g} seconds were over")
            else:
                yield look()

    def _looks(self) -> Iterator[tuple[str, Callable[[], Check]]]:
        """What is looked at, in order, each under its name."""
        for scene in self._target.scenes.values():
            yield f"scenes.{scene.name}", partial(self._running if scene.name in RUNNING else self._resting, scene)
        if isinstance(self._target.auth, SigV4) and self._target.running():
            yield "auth", self._unsigned_request
        for state in self._target.states.values():
            if state.enter:
                yield f"states.{state.name}", partial(self._hooks, state)

    def _reach(self) -> Check:
        connection = self._unsigned()
        answer = connection.exchange(Request.build("GET", "/", [("Host", self._host)]))
        connection.close()
        if isinstance(answer, NoAnswer):
            return Check("reachable", Health.BAD, f"{answer.kind}: {answer.detail}")
        tls = " over TLS, with a certificate that is trusted" if self._endpoint.scheme == "https" else ""
        return Check("reachable", Health.GOOD, f"{self._target.url} answers{tls}")

    def _set_the_clock(self) -> Check:
        """Measure the target's clock, and sign by it from now on."""
        skew = clock_skew(self._unsigned, self._endpoint.host_header)
        if self._target.auth:
            sign = signer(self._target.auth, self._environ, skew)
            self._open = authenticated(self._unsigned, sign, self._discretion)
        seconds = round(skew.total_seconds())
        if abs(skew) > SKEW:
            return Check("clock", Health.ODD, f"it is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} ours")
        return Check("clock", Health.GOOD, f"within {abs(seconds) + 1} s of ours, or untold")

    def _running(self, scene: Scene) -> Check:
        """A good request, and one with each of two photographs of the user's own."""
        subject = Subject(scene, self._endpoint.host_header, self._target.limits)
        bodies = [photograph.data for photograph in subject.photographs] or [subject.png(0)]
        for number, body in enumerate(bodies, 1):
            exchange = self._asked(subject.draft(body, images.media_type_of(body)).request())
            what = f"photograph {number}" if subject.photographs else f"a picture of {subject.size}"
            if exchange.status != 200:
                return Check(f"scenes.{scene.name}", Health.BAD, f"{what} is answered {exchange.outcome}")
        segments = exchange.mask is not None
        if segments != (scene.name == "segmentation"):
            kind = "a mask comes back" if segments else "no mask comes back"
            return Check(f"scenes.{scene.name}", Health.BAD, f"it is served, but {kind}")
        return Check(f"scenes.{scene.name}", Health.GOOD, f"{scene.project}/{scene.version} serves {what}")

    def _resting(self, scene: Scene) -> Check:
        """A good request for a scene that must not be served."""
        sizes = [Subject(each, b"", self._target.limits).size for each in self._target.running()]
        body = images.plain_png(sizes[0].width, sizes[0].height).data if sizes else images.plain_png(256, 192).data
        draft = Draft(self._endpoint.host_header, path(scene.project, scene.version), body)
        exchange = self._asked(draft.request())
        health = Health.GOOD if exchange.status in _RESTING[scene.name] else Health.BAD
        return Check(f"scenes.{scene.name}", health, f"{scene.project}/{scene.version} is answered {exchange.outcome}")

    def _unsigned_request(self) -> Check:
        """Whoever declares signatures must turn away who has none."""
        subject = Subject(self._target.running()[0], self._endpoint.host_header, self._target.limits)
        exchange = self._asked(subject.draft(subject.png(0)).request(), self._unsigned)
        health = Health.GOOD if exchange.refused else Health.BAD
        return Check("auth", health, f"an unsigned request is answered {exchange.outcome}")

    def _hooks(self, state: State) -> Check:
        name = f"states.{state.name}"
        try:
            try:
                hooks.enter(state)
            finally:
                hooks.leave(state)
        except hooks.HookFailed as error:
            first = error.__context__ if isinstance(error.__context__, hooks.HookFailed) else error
            return Check(name, Health.BAD, first.told(self._discretion.text))
        return Check(name, Health.GOOD, "it was entered and left")

    @property
    def _host(self) -> str:
        return self._endpoint.host_header.decode("latin-1")

    def _asked(self, request: Request, opened: Open | None = None) -> Exchange:
        connection = (opened or self._open)()
        answer = connection.exchange(request)
        connection.close()
        return Exchange(Case("doctor", request), read(request, self._target), answer)
