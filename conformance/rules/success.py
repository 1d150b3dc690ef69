"""Answers that say the request went well: status, type, JSON, and the shape of the result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance.contract.clauses import catalogue
from conformance.contract.document import document
from conformance.contract.schema import Schema, shown
from conformance.exchange import Exchange
from conformance.formats import strict_json
from conformance.rule import Check, Finding, Rule, rule
from conformance.rules.selectors import returned_a_result, succeeded


@rule("success.status", when=succeeded)
def a_success_is_200(exchange: Exchange) -> Iterator[Finding]:
    if exchange.status != 200:
        yield Finding("status", "200", str(exchange.status))


@rule("success.media-type", when=succeeded)
def a_success_says_that_it_is_json(exchange: Exchange) -> Iterator[Finding]:
    if not exchange.is_json:
        yield Finding("Content-Type", "application/json", _header(exchange, b"content-type"))


@rule("success.json", when=succeeded)
def a_success_is_strict_json(exchange: Exchange) -> Iterator[Finding]:
    if isinstance(exchange.body, strict_json.Flaw):
        yield Finding("body", "one JSON value", exchange.body.reason)


@rule("success.encoding", when=succeeded)
def a_success_is_not_encoded_unasked(exchange: Exchange) -> Iterator[Finding]:
    asked = set(_asked_codings(exchange))
    for coding in _codings(exchange):
        if coding not in asked and b"*" not in asked:
            yield Finding("Content-Encoding", "none that was not asked for", shown(coding.decode("latin-1")))


def _asked_codings(exchange: Exchange) -> Iterator[bytes]:
    for member in b",".join(exchange.request.values(b"accept-encoding")).lower().split(b","):
        coding, _, weight = member.replace(b" ", b"").partition(b";")
        if not re.fullmatch(rb"q=0(\.0*)?", weight):
            yield coding


def _codings(exchange: Exchange) -> Iterator[bytes]:
    values = exchange.response.values(b"content-encoding") if exchange.response else ()
    codings = (coding.strip().lower() for coding in b",".join(values).split(b","))
    return (coding for coding in codings if coding not in (b"", b"identity"))


def _header(exchange: Exchange, name: bytes) -> str:
    values = exchange.response.values(name) if exchange.response else ()
    return shown(b", ".join(values).decode("latin-1")) if values else "absent"


def _kept(clause: str) -> Rule:
    """A rule for the constraints of the result's schema that carry this clause."""

    def met(exchange: Exchange) -> bool:
        return succeeded(exchange) and any(check.clause == clause for check in exchange.checks)

    return Rule(f"{clause}-is-kept", clause, met, check=_broken(clause))


def _broken(clause: str) -> Check:
    def check(exchange: Exchange) -> Iterator[Finding]:
        for each in exchange.checks:
            if each.clause == clause and each.actual is not None:
                yield Finding(each.where or "body", each.expected, each.actual)

    return check


def _clauses_in(schema: Schema) -> Iterator[str]:
    """The clauses that a schema carries, in the order of the document."""
    clause = schema.get("x-clause")
    yield from clause.values() if isinstance(clause, dict) else [clause] if clause else []
    for part in _parts(schema):
        yield from _clauses_in(part)


def _parts(schema: Schema) -> Iterator[Schema]:
    """The schemas directly inside a schema."""
    yield from schema.get("properties", {}).values()
    yield from schema.get("prefixItems", ())
    yield from schema.get("allOf", ())
    if "items" in schema:
        yield schema["items"]


@rule("result.source", when=returned_a_result)
def a_source_is_direct_or_absent(exchange: Exchange) -> Iterator[Finding]:
    yield from _broken("result.source")(exchange)


@rule("result.source-present", when=returned_a_result)
def a_source_is_present(exchange: Exchange) -> Iterator[Finding]:
    source = exchange.result.get("Source")
    if not (isinstance(source, dict) and source.get("Type") is not None):
        yield Finding("DetectAnomalyResult.Source.Type", "present", "absent")


@rule("result.no-nulls", when=returned_a_result)
def nothing_is_null(exchange: Exchange) -> Iterator[Finding]:
    for where in _nulls(exchange.members, ""):
        if where.rpartition(".")[2].partition("[")[0] in _DOCUMENTED:  # what a server adds is its own business
            yield Finding(where, "left out", "null")


def _nulls(value: Any, where: str) -> Iterator[str]:
    for path, each in _inside(value, where):
        if each is None:
            yield path
        else:
            yield from _nulls(each, path)


def _inside(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{where}.{name}" if where else name, each) for name, each in value.items())
    elif isinstance(value, list):
        yield from ((f"{where}[{index}]", each) for index, each in enumerate(value))


def _names_in(schema: Schema) -> Iterator[str]:
    yield from schema.get("properties", {})
    for part in _parts(schema):
        yield from _names_in(part)


_DOCUMENTED = frozenset(_names_in(document().result))

RULES = (
    a_success_is_200,
    a_success_says_that_it_is_json,
    a_success_is_strict_json,
    a_success_is_not_encoded_unasked,
    *(_kept(clause) for clause in dict.fromkeys(_clauses_in(document().result)) if clause != "result.source"),
    a_source_is_direct_or_absent,
    a_source_is_present,
    nothing_is_null,
)

assert {each.clause for each in RULES} <= set(catalogue().clauses)  # noqa: S101 (a misspelt clause in the document)
