"""What a request that breaks a clause must be answered with: one rule for each clause that says what it earns."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clauses import Clause, catalogue
from conformance.earned import explained
from conformance.exchange import Exchange
from conformance.rule import Finding, Rule, rule
from conformance.rules.selectors import blamed, named_running


def _enforced(clause: Clause) -> Rule:
    def check(exchange: Exchange) -> Iterator[Finding]:
        if not explained(exchange):
            yield Finding("answer", _earnings(exchange), exchange.outcome)

    return Rule(f"{clause.id}-is-enforced", clause.id, blamed(clause.id), check=check)


def _earnings(exchange: Exchange) -> str:
    earnings = {catalogue().clauses[clause].earns for clause in exchange.reading.breaks}
    return ", or ".join(sorted(earnings))


def _refused_for(clause: str, exchange: Exchange) -> bool:
    alone = exchange.reading.breaks == {clause} and exchange.reading.reaches_operation
    return alone and named_running(exchange) and exchange.refused and not exchange.throttled


def _by_validation(exchange: Exchange) -> Iterator[Finding]:
    if (exchange.status, exchange.error_id) != (400, "ValidationException"):
        yield Finding("answer", "400 ValidationException", exchange.outcome)


@rule("body.required-kind", when=lambda exchange: _refused_for("body.required", exchange))
def an_empty_body_is_a_validation_error(exchange: Exchange) -> Iterator[Finding]:
    yield from _by_validation(exchange)


@rule("body.image-kind", when=lambda exchange: _refused_for("body.image", exchange))
def a_body_that_is_no_image_is_a_validation_error(exchange: Exchange) -> Iterator[Finding]:
    yield from _by_validation(exchange)


RULES = (
    *(_enforced(clause) for clause in catalogue().tested() if clause.earns),
    an_empty_body_is_a_validation_error,
    a_body_that_is_no_image_is_a_validation_error,
)
