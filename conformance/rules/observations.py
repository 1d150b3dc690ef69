"""The interpretation register: what the target does where the documents are silent. Nobody is blamed for any of it."""

from __future__ import annotations

from conformance.exchange import Circumstance, Exchange
from conformance.message import Delivery
from conformance.rule import Rule, observation
from conformance.rules.auth import sent
from conformance.rules.selectors import answered, raised
from conformance.rules.states import asked_in

_MATTERS = (
    "route.query",
    "route.trailing-slash",
    "route.encoded-literals",
    "route.absolute-form",
    "content-type.case",
    "content-type.parameters",
    "content-type.jpg",
    "content-type.repeated",
    "body.damaged",
    "body.mismatch",
    "body.dimensions",
    "body.limits",
    "body.length",
)


def reading_taken(exchange: Exchange) -> str:
    """What an answer amounts to: served, refused with what, redirected, or none."""
    if exchange.succeeded:
        return "served"
    if exchange.status is not None and 300 <= exchange.status < 400:
        return "redirected"
    return f"refused with {exchange.outcome}" if exchange.refused else exchange.outcome


def _watched(matter: str) -> Rule:
    return Rule(f"{matter}-is-noted", matter, raised(matter), observe=reading_taken)


@observation("state.not-running", when=asked_in(Circumstance.STOPPED, "stopped"))
def the_error_of_a_stopped_model_is_noted(exchange: Exchange) -> str:
    return exchange.outcome


def _waited_for_continue(exchange: Exchange) -> bool:
    return answered(exchange) and exchange.case.delivery is Delivery.AWAIT_CONTINUE


@observation("http.expect", when=_waited_for_continue)
def the_answer_to_an_expectation_is_noted(exchange: Exchange) -> str:
    first = "100 and then " if exchange.response and 100 in exchange.response.interim else "at once "
    return f"{first}{exchange.status}"


def _was_repeated_alone(exchange: Exchange) -> bool:
    return exchange.alone is not None and exchange.before is None and not exchange.beside


@observation("conduct.steady", when=_was_repeated_alone)
def the_same_bytes_are_decided_alike(exchange: Exchange) -> str:
    alone = exchange.alone
    return "yes" if alone and (alone.status, alone.decision) == (exchange.status, exchange.decision) else "no"


@observation("auth.unsigned-payload", when=sent(Circumstance.UNSIGNED_PAYLOAD))
def what_an_unsigned_payload_gets_is_noted(exchange: Exchange) -> str:
    return reading_taken(exchange)


RULES = (
    *(_watched(matter) for matter in _MATTERS),
    the_error_of_a_stopped_model_is_noted,
    the_answer_to_an_expectation_is_noted,
    the_same_bytes_are_decided_alike,
    what_an_unsigned_payload_gets_is_noted,
)
