"""Models that are missing or not running."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.rule import Finding, Selector, rule
from conformance.rules.selectors import asked_properly


def asked_for(scene: str) -> Selector:
    """A sound request whose path names this scene."""

    def selector(exchange: Exchange) -> bool:
        named = exchange.reading.sound and exchange.reading.scene == scene
        return named and asked_properly(exchange) and not exchange.throttled

    return selector


def _not_found(exchange: Exchange) -> Iterator[Finding]:
    if (exchange.status, exchange.error_id) != (404, "ResourceNotFoundException"):
        yield Finding("answer", "404 ResourceNotFoundException", exchange.outcome)


@rule("state.no-project", when=asked_for("missing-project"))
def a_missing_project_is_not_found(exchange: Exchange) -> Iterator[Finding]:
    yield from _not_found(exchange)


@rule("state.no-version", when=asked_for("missing-version"))
def a_missing_version_is_not_found(exchange: Exchange) -> Iterator[Finding]:
    yield from _not_found(exchange)


@rule("state.not-running-refused", when=asked_for("stopped"))
def a_stopped_model_refuses(exchange: Exchange) -> Iterator[Finding]:
    if not (exchange.well_formed_error and exchange.status in (400, 404, 409)):
        yield Finding("answer", "a well-formed error, 409, 404 or 400", exchange.outcome)


RULES = (a_missing_project_is_not_found, a_missing_version_is_not_found, a_stopped_model_refuses)
