"""What a rule is, and what it can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.exchange import Exchange

Selector = Callable[[Exchange], bool]


@dataclass(frozen=True)
class Finding:
    """A breach: where it is, what the clause expects there, and what was there instead."""

    where: str
    expected: str
    actual: str


Check = Callable[[Exchange], Iterator[Finding]]
Observe = Callable[[Exchange], str]


@dataclass(frozen=True)
class Rule:
    """Judges every exchange that ``when`` picks, for one clause.

    ``check`` yields what it finds and never raises or returns a verdict. An OBSERVE clause has ``observe`` instead,
    which names the reading that the answer takes.
    """

    id: str
    clause: str
    when: Selector
    check: Check | None = None
    observe: Observe | None = None


def rule(clause: str, *, when: Selector) -> Callable[[Check], Rule]:
    """Make a rule of a generator; its name is the true sentence that the clause states."""
    return lambda check: Rule(_words(check), clause, when, check=check)


def observation(clause: str, *, when: Selector) -> Callable[[Observe], Rule]:
    """Make a rule of a function that names the reading an answer takes."""
    return lambda observe: Rule(_words(observe), clause, when, observe=observe)


def _words(function: Callable[..., object]) -> str:
    return function.__name__.replace("_", "-")
