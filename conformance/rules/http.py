"""HTTP conduct: answers come, whole and well-framed, and a connection survives what went over it."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.reading import HEAVY_HEAD
from conformance.exchange import Exchange
from conformance.message import NoAnswer, Silence
from conformance.rule import Finding, rule
from conformance.rules.selectors import asked_properly, demanded

_HANG_UPS = (Silence.CLOSED, Silence.RESET)


def _may_go_unanswered(exchange: Exchange) -> bool:
    """A server that turns away a head or an upload past its limits may hang up before its answer can be read."""
    reading = exchange.reading
    too_much = not reading.open.isdisjoint({"body.limits", HEAVY_HEAD}) or "body.declared-limits" in reading.breaks
    return too_much and isinstance(exchange.answer, NoAnswer) and exchange.answer.kind in _HANG_UPS


@rule("http.answered", when=lambda exchange: asked_properly(exchange) and not _may_go_unanswered(exchange))
def every_request_is_answered(exchange: Exchange) -> Iterator[Finding]:
    losses = [*exchange.lost, *([exchange.answer] if isinstance(exchange.answer, NoAnswer) else [])]
    # a single loss that was made good when tried again is unsteady, and no breach
    if isinstance(exchange.answer, NoAnswer) or len(losses) > 1:
        yield Finding("answer", "one complete answer in time", f"{losses[-1].kind}: {losses[-1].detail}")


def _said_anything(exchange: Exchange) -> bool:
    """Bytes came back. Where a request is no HTTP, both sides may disagree on where it ends, and so may the answers."""
    spoke = not isinstance(exchange.answer, NoAnswer) or exchange.answer.spoke
    return spoke and asked_properly(exchange)


@rule("http.framing", when=_said_anything)
def answers_are_proper_messages(exchange: Exchange) -> Iterator[Finding]:
    answer = exchange.answer
    for fault in (answer.detail,) if isinstance(answer, NoAnswer) else answer.faults:
        yield Finding("answer", "a proper HTTP message", fault)


def followed_on_the_connection(exchange: Exchange) -> bool:
    """Came after something else from the same client, and is known to be served when it comes alone."""
    known = exchange.alone is not None and exchange.alone.succeeded
    return exchange.before is not None and known and demanded(exchange)


@rule("http.keep-alive", when=followed_on_the_connection)
def the_next_request_is_answered_as_alone(exchange: Exchange) -> Iterator[Finding]:
    if exchange.before and exchange.alone and exchange.status != exchange.alone.status:
        where = f"after a request that got {exchange.before.outcome}"
        yield Finding(where, f"{exchange.alone.status}, as alone", exchange.outcome)


RULES = (every_request_is_answered, answers_are_proper_messages, the_next_request_is_answered_as_alone)
