"""Who asks: signatures that must be refused, and those that must be taken."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.exchange import Circumstance, Exchange
from conformance.rule import Finding, Selector, rule
from conformance.target import RUNNING

_BESIDE_THE_POINT = frozenset({"route.query"})
"""Matters that the documents leave open, and that make no bad signature better."""
_REFUSALS = (400, 401, 403)


def sent(circumstance: Circumstance) -> Selector:
    """A good request for a running model, but for its signature."""

    def selector(exchange: Exchange) -> bool:
        reading = exchange.reading
        good = not (reading.breaks or reading.wishes) and reading.open <= _BESIDE_THE_POINT and reading.scene in RUNNING
        return good and exchange.circumstance is circumstance and not exchange.throttled

    return selector


@rule("auth.refused", when=sent(Circumstance.BADLY_SIGNED))
def a_bad_signature_is_refused(exchange: Exchange) -> Iterator[Finding]:
    if exchange.status not in _REFUSALS:
        yield Finding("status", "403, 401 or 400", exchange.outcome)


@rule("auth.accepted", when=sent(Circumstance.SIGNED))
def a_good_signature_is_taken(exchange: Exchange) -> Iterator[Finding]:
    if exchange.status != 200:
        yield Finding("status", "200", exchange.outcome)


RULES = (a_bad_signature_is_refused, a_good_signature_is_taken)
