"""Where answers wait for the judge, however heavy they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Condition
from typing import TypeVar

from conformance.exchange import Exchange

HEAVY = 32 * 1024 * 1024
"""Bytes of answers beyond which nothing more is asked for until the judge has seen some of them."""

_Item = TypeVar("_Item")
_Got = TypeVar("_Got")


class Shelf:
    """Where answers wait for the judge. While they weigh too much, nothing is asked for but what the judge awaits."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._weight = 0
        self._awaited: float = 0

    def filled(self, turn: int, send: Callable[[_Item], _Got], item: _Item) -> _Got:
        """What is sent when there is room for its answer, or its turn has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._weight < HEAVY or turn <= self._awaited)
        got = send(item)
        with self._changed:
            self._weight += _weight(got)
        return got

    def take(self, got: object) -> None:
        """What was awaited is with the judge."""
        with self._changed:
            self._weight -= _weight(got)
            self._awaited += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Nothing is awaited any longer, and nobody shall wait."""
        with self._changed:
            self._awaited = math.inf
            self._changed.notify_all()


def _weight(got: object) -> int:
    """Bytes of the answers in an exchange, or in a list of them."""
    if isinstance(got, Exchange):
        return len(got.answer.wire)
    return sum(map(_weight, got)) if isinstance(got, list) else 0
