"""How far a run goes beyond the fixed cases, and who draws what: our own strategies, and Schemathesis beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from conformance.exchange import Case
from conformance.target import Target

if TYPE_CHECKING:
    from conformance.cases.explore import Exploration

_Drawn = TypeVar("_Drawn")

SHARE_OF_SCHEMATHESIS = 8
"""Of so many explored requests one is drawn by Schemathesis."""
MOST_OF_SCHEMATHESIS = 60
"""It takes milliseconds for each request, and is asked for no more than these."""
RESERVE = 10
"""Of so many requests of a budget one is kept for trying again."""
SHARE_OF_SEQUENCES = 10
"""Of so much of the time one part is kept for sequences, which come last."""


@dataclass(frozen=True)
class Depth:
    """How many requests are explored, and how many of them may make a model look at an image."""

    requests: int
    looks: int
    minutes: float | None = None
    """When to stop, however many are left."""

    @classmethod
    def of(cls, name: str, *, examples: int | None = None, minutes: float | None = None) -> Depth:
        """The depth of that name, or as many requests, or as long, as asked for."""
        if minutes is not None:
            examples = examples or 1_000_000
        if examples is not None:
            return cls(examples, examples // 5, minutes)
        return DEPTHS[name]

    def within(self, budget: int | None, planned: int) -> Depth:
        """The depth that a target's budget leaves room for beside the fixed cases."""
        if budget is None:
            return self
        room = max(0, budget - budget // RESERVE - planned)
        return Depth(min(self.requests, room), min(self.looks, room // 5), self.minutes)


DEPTHS = {"quick": Depth(0, 0), "standard": Depth(300, 40), "deep": Depth(5000, 1000)}


def _as_it_is(case: Case) -> Case:
    return case


@dataclass(frozen=True)
class Explorer:
    """Draws the cases of a run, one by one, so that any number of them fits into memory."""

    target: Target
    host: bytes
    seed: str
    depth: Depth
    drawn: tuple[tuple[Case, ...], tuple[tuple[Case, ...], ...]] | None = None
    """What was drawn before: singles and sequences."""
    salt: str = ""
    """What makes the images others than the usual ones."""
    clothe: Callable[[Case], Case] = _as_it_is

    @property
    def requests(self) -> int:
        """How many requests are drawn, at most."""
        return self.depth.requests

    def remembering(self) -> Explorer:
        """The same explorer, having drawn everything once and for all."""
        return replace(self, drawn=(tuple(self.singles()), tuple(self.sequences())))

    def singles(self) -> Iterator[Case]:
        """Cases to be sent by themselves."""
        if self.drawn:
            yield from self.drawn[0]
        elif self.depth.requests:
            yield from map(self.clothe, self._for_a_while(self._drawn(), 1 - 1 / SHARE_OF_SEQUENCES))

    def sequences(self) -> Iterator[tuple[Case, ...]]:
        """Cases to be sent one after the other on one connection."""
        if self.drawn:
            yield from self.drawn[1]
        elif self.depth.requests:
            for sequence in self._for_a_while(self._own.sequences(), 1 / SHARE_OF_SEQUENCES):
                yield tuple(map(self.clothe, sequence))

    def _drawn(self) -> Iterator[Case]:
        yield from self._schemathesis()
        yield from self._own.singles()

    @cached_property
    def _own(self) -> Exploration:
        from conformance.cases.explore import Exploration

        theirs = self._of_schemathesis
        return Exploration(
            self.target, self.host, self.seed, self.depth.requests - theirs, self.depth.looks - theirs // 4, self.salt
        )

    @property
    def _of_schemathesis(self) -> int:
        return min(self.depth.requests // SHARE_OF_SCHEMATHESIS, MOST_OF_SCHEMATHESIS)

    def _schemathesis(self) -> Iterator[Case]:
        from conformance.cases.openapi import generated

        yield from generated(self.target, self.host, self.seed, self._of_schemathesis, self.salt)

    def _for_a_while(self, drawn: Iterator[_Drawn], share: float) -> Iterator[_Drawn]:
        """What is drawn, until that share of the time is used up, where there is a limit to it."""
        if self.depth.minutes is None:
            yield from drawn
            return
        end = time.monotonic() + self.depth.minutes * 60 * share
        for each in drawn:
            if time.monotonic() > end:
                return
            yield each
