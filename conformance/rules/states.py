"""Models that are missing or not running, callers who may not, a service that is overrun or has a fault of its own."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.exchange import Circumstance, Exchange
from conformance.rule import Finding, Selector, rule
from conformance.rules.selectors import asked_properly


def asked_for(scene: str) -> Selector:
    """A sound request whose path names this scene."""

    def selector(exchange: Exchange) -> bool:
        named = exchange.reading.sound and exchange.reading.scene == scene
        return named and exchange.circumstance in _AS_DECLARED and asked_properly(exchange) and not exchange.throttled

    return selector


def asked_in(circumstance: Circumstance, scene: str = "") -> Selector:
    """A sound request in a state that a hook made, or one for a scene that always is in it."""
    always = asked_for(scene) if scene else lambda _: False

    def selector(exchange: Exchange) -> bool:
        brought = exchange.circumstance is circumstance and exchange.reading.sound and not exchange.throttled
        return brought or always(exchange)

    return selector


_AS_DECLARED = frozenset({Circumstance.NONE, Circumstance.RECOVERED})


def _is(exchange: Exchange, status: int, error: str) -> Iterator[Finding]:
    if (exchange.status, exchange.error_id) != (status, error):
        yield Finding("answer", f"{status} {error}", exchange.outcome)


@rule("state.no-project", when=asked_for("missing-project"))
def a_missing_project_is_not_found(exchange: Exchange) -> Iterator[Finding]:
    yield from _is(exchange, 404, "ResourceNotFoundException")


@rule("state.no-version", when=asked_for("missing-version"))
def a_missing_version_is_not_found(exchange: Exchange) -> Iterator[Finding]:
    yield from _is(exchange, 404, "ResourceNotFoundException")


@rule("state.not-running-refused", when=asked_in(Circumstance.STOPPED, "stopped"))
def a_stopped_model_refuses(exchange: Exchange) -> Iterator[Finding]:
    if not (exchange.well_formed_error and exchange.status in (400, 404, 409)):
        yield Finding("answer", "a well-formed error, 409, 404 or 400", exchange.outcome)


@rule("state.conflict", when=asked_in(Circumstance.CONFLICT))
def a_conflict_is_named(exchange: Exchange) -> Iterator[Finding]:
    yield from _is(exchange, 409, "ConflictException")


@rule("state.forbidden", when=asked_in(Circumstance.FORBIDDEN, "forbidden"))
def who_has_no_permission_is_refused(exchange: Exchange) -> Iterator[Finding]:
    yield from _is(exchange, 403, "AccessDeniedException")


@rule("state.fault", when=asked_in(Circumstance.FAULT))
def a_fault_is_owned_up_to(exchange: Exchange) -> Iterator[Finding]:
    yield from _is(exchange, 500, "InternalServerException")
    if not (exchange.is_json and exchange.message):
        yield Finding("answer", "a JSON object with a message", "none")


def overrun(exchange: Exchange) -> bool:
    """Throttled by a hook or by too many requests, or asked again after that."""
    before = exchange.before
    waited = exchange.circumstance is Circumstance.RECOVERED and before is not None
    in_state = exchange.circumstance is Circumstance.THROTTLED
    flooded = exchange.circumstance is Circumstance.FLOODED and exchange.status != 200
    return exchange.reading.sound and (in_state or flooded or bool(waited and before and _was_overrun(before)))


def _was_overrun(exchange: Exchange) -> bool:
    return exchange.circumstance in (Circumstance.THROTTLED, Circumstance.FLOODED)


@rule("state.throttled", when=overrun)
def a_throttled_request_is_served_later(exchange: Exchange) -> Iterator[Finding]:
    if exchange.circumstance is not Circumstance.RECOVERED:
        yield from _is(exchange, 429, "ThrottlingException")
        if exchange.status == 429 and not exchange.well_formed_error:
            yield Finding("answer", "a JSON object with an error id and a message", exchange.outcome)
    elif exchange.status != 200:
        yield Finding("answer", "200 after waiting", exchange.outcome)


RULES = (
    a_missing_project_is_not_found,
    a_missing_version_is_not_found,
    a_stopped_model_refuses,
    a_conflict_is_named,
    who_has_no_permission_is_refused,
    a_fault_is_owned_up_to,
    a_throttled_request_is_served_later,
)
