"""An answer depends on its request: not on the one before, not on those beside it, and on the model it names.

Witnesses are what a mix-up cannot fake: the size of the mask, the members that a kind of model has, and a decision
that is steady when the image comes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.exchange import Exchange
from conformance.rule import Finding, rule
from conformance.rules.http import followed_on_the_connection
from conformance.rules.selectors import demanded

OFTEN = 6
"""How many times a request must have been decided alike, sent alone, before another decision counts as a mix-up."""


@rule("isolation.sequence", when=followed_on_the_connection)
def an_answer_owes_nothing_to_the_one_before(exchange: Exchange) -> Iterator[Finding]:
    neighbours = [exchange.before.alone or exchange.before] if exchange.before else []
    yield from _mix_ups(exchange, neighbours)


def was_in_flight_with_others(exchange: Exchange) -> bool:
    known = exchange.alone is not None and exchange.alone.succeeded
    return bool(exchange.beside) and known and demanded(exchange)


@rule("isolation.concurrent", when=was_in_flight_with_others)
def an_answer_owes_nothing_to_those_beside_it(exchange: Exchange) -> Iterator[Finding]:
    yield from _mix_ups(exchange, exchange.beside)


def _had_another_model_near(exchange: Exchange) -> bool:
    near = [*([exchange.before] if exchange.before else []), *exchange.beside]
    other = any(each.reading.scene != exchange.reading.scene for each in near)
    return other and exchange.alone is not None and exchange.alone.succeeded and demanded(exchange)


@rule("isolation.models", when=_had_another_model_near)
def the_path_picks_the_model(exchange: Exchange) -> Iterator[Finding]:
    if exchange.succeeded and exchange.alone and _kind(exchange) != _kind(exchange.alone):
        yield Finding("DetectAnomalyResult", f"{_kind(exchange.alone)}, as alone", _kind(exchange))


def _mix_ups(exchange: Exchange, neighbours: Iterable[Exchange]) -> Iterator[Finding]:
    alone = exchange.alone
    if alone is None:
        return
    if exchange.status != alone.status:
        yield Finding("status", f"{alone.status}, as alone", exchange.outcome)
    elif _kind(exchange) != _kind(alone):
        yield Finding("DetectAnomalyResult", f"{_kind(alone)}, as alone", _kind(exchange))
    elif _mask_size(exchange) != _mask_size(alone):
        yield Finding("AnomalyMask", f"{_mask_size(alone)}, as alone", _mask_size(exchange))
    elif exchange.decision != alone.decision and _is_anothers(exchange, neighbours):
        where = "IsAnomalous and Confidence"
        yield Finding(where, f"{' and '.join(alone.decision)}, as alone", f"{' and '.join(exchange.decision)}")


def _is_anothers(exchange: Exchange, neighbours: Iterable[Exchange]) -> bool:
    """The decision is a neighbour's, although the request alone is always decided in its own way."""
    alone = exchange.alone
    if alone is None or not _is_steady(alone) or len(alone.repeats) < OFTEN:
        return False
    return any(_is_steady(other) and exchange.decision == other.decision for other in neighbours)


def _is_steady(exchange: Exchange) -> bool:
    """Decided alike however often it was sent alone. A coin may fall on one side twice, hardly eight times."""
    return len({each.decision for each in exchange.repeats}) == 1


def _kind(exchange: Exchange) -> str:
    found = [member for member in ("Anomalies", "AnomalyMask") if member in exchange.result]
    return " and ".join(found) or "no segmentation"


def _mask_size(exchange: Exchange) -> str:
    return f"{exchange.mask_file.width}x{exchange.mask_file.height}" if exchange.mask_file else "no mask"


RULES = (
    an_answer_owes_nothing_to_the_one_before,
    an_answer_owes_nothing_to_those_beside_it,
    the_path_picks_the_model,
)
