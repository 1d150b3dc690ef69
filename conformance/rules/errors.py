"""Errors: their status, name, shape and manners."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.contract.document import document
from conformance.contract.schema import checks, shown
from conformance.exchange import ERROR_HEADER, Circumstance, Exchange, bare, shown_name
from conformance.formats import strict_json
from conformance.rule import Finding, rule
from conformance.rules.selectors import answered, failed, failed_below_the_operation, failed_in_the_operation

_RESOURCE_ERRORS = ("ResourceNotFoundException", "ConflictException")
_LEAK_WINDOW = 65_536  # bytes of an answer that are searched for leaks
_DELTA_SECONDS = re.compile(rb"[0-9]+")
_LEAKS = re.compile(
    rb"Traceback \(most recent call last\)|File \\?\"[^\"]+\\?\", line \d+|\bat [\w.$<>]+\([\w.]+\.\w+:\d+\)"
    rb"|goroutine \d+ \[|(?<![\w:/])/(?:usr|home|var|opt|srv|root|app|tmp)/[\w./-]+|\b[A-Za-z]:\\\\?[\w\\]+"
    rb"|\b\w+\.(?:py|java|go|rs|js|ts|cs|cpp|rb|php):\d+"
)


def named_itself(exchange: Exchange) -> bool:
    return failed_in_the_operation(exchange) and exchange.error_id is not None


@rule("error.pair", when=named_itself)
def status_and_name_belong_together(exchange: Exchange) -> Iterator[Finding]:
    status = document().errors.get(exchange.error_id or "")
    if status != exchange.status:
        expected = f"status {status}" if status else "one of the documented errors"
        yield Finding("answer", expected, exchange.outcome)


@rule("error.id", when=failed_in_the_operation)
def an_error_names_itself(exchange: Exchange) -> Iterator[Finding]:
    if exchange.error_id is None:
        yield Finding("answer", "x-amzn-ErrorType, __type or code", "no error id")


@rule("error.id-header", when=named_itself)
def the_name_is_bare_and_in_the_header(exchange: Exchange) -> Iterator[Finding]:
    values = exchange.response.values(ERROR_HEADER) if exchange.response else ()
    if not values:
        yield Finding("x-amzn-ErrorType", "the error id", "absent")
    elif bare(values[0].decode("latin-1")) != values[0].decode("latin-1"):
        yield Finding("x-amzn-ErrorType", "the bare name", shown(values[0].decode("latin-1")))


@rule("error.id-agreement", when=named_itself)
def header_and_body_name_one_error(exchange: Exchange) -> Iterator[Finding]:
    header = exchange.response.values(ERROR_HEADER) if exchange.response else ()
    names = {bare(value.decode("latin-1")) for value in header} | set(exchange.error_names.values())
    if len(names - {""}) > 1:
        yield Finding("answer", "one error id", ", ".join(sorted(map(shown_name, names))))


@rule("error.json", when=failed_in_the_operation)
def an_error_is_a_json_object(exchange: Exchange) -> Iterator[Finding]:
    if not exchange.is_json:
        values = exchange.response.values(b"content-type") if exchange.response else ()
        yield Finding("Content-Type", "application/json", shown(b", ".join(values).decode("latin-1")))
    if isinstance(exchange.body, strict_json.Flaw):
        yield Finding("body", "one JSON object", exchange.body.reason)
    elif not isinstance(exchange.body.value, dict):
        yield Finding("body", "one JSON object", shown(exchange.body.value))


@rule("error.message", when=failed_in_the_operation)
def an_error_has_a_message(exchange: Exchange) -> Iterator[Finding]:
    if not exchange.message:
        yield Finding("Message", "a string that is not empty", shown(exchange.members.get("Message")))


@rule("error.message-spelling", when=lambda exchange: failed_in_the_operation(exchange) and bool(exchange.message))
def the_message_is_spelt_with_a_capital(exchange: Exchange) -> Iterator[Finding]:
    if not isinstance(exchange.members.get("Message"), str):
        yield Finding("Message", "present", "only `message`")


def named_a_resource_error(exchange: Exchange) -> bool:
    is_one = exchange.error_id in _RESOURCE_ERRORS or exchange.status in (404, 409)
    return failed_in_the_operation(exchange) and is_one


@rule("error.resource", when=named_a_resource_error)
def a_resource_error_names_the_resource(exchange: Exchange) -> Iterator[Finding]:
    schema = document().error_schemas[_RESOURCE_ERRORS[0]]
    for check in checks(schema, dict(exchange.members)):
        if check.actual is not None:
            yield Finding(check.where, check.expected, check.actual)


@rule("error.retry-after", when=failed)
def retry_after_is_whole_seconds(exchange: Exchange) -> Iterator[Finding]:
    for value in exchange.response.values(b"retry-after") if exchange.response else ():
        if not _DELTA_SECONDS.fullmatch(value):
            yield Finding("Retry-After", "whole seconds", shown(value.decode("latin-1")))


@rule("error.discretion", when=failed)
def an_error_shows_nothing_of_the_inside(exchange: Exchange) -> Iterator[Finding]:
    if exchange.response and (leak := _LEAKS.search(exchange.response.body[:_LEAK_WINDOW])):
        yield Finding("body", "no stack trace, file path or source line", shown(leak[0].decode("latin-1"), 60))


@rule("error.blame", when=answered)
def no_request_earns_a_server_error(exchange: Exchange) -> Iterator[Finding]:
    excused = exchange.circumstance is Circumstance.FAULT or _is_about_http(exchange)
    if exchange.status is not None and exchange.status >= 500 and not excused:
        yield Finding("status", "not 5xx", exchange.outcome)


def _is_about_http(exchange: Exchange) -> bool:
    """501 for a method or coding, 505 for a version that a server does not know: RFC 9110 asks for these."""
    request = exchange.request
    if exchange.status == 501:
        codings = {value.lower() for value in request.values(b"transfer-encoding")}
        return request.method != b"POST" or not codings <= {b"chunked"}
    return exchange.status == 505 and request.version != b"HTTP/1.1"


@rule("error.transport", when=failed_below_the_operation)
def a_refusal_below_the_operation_is_json_too(exchange: Exchange) -> Iterator[Finding]:
    if not (exchange.is_json and exchange.error_id):
        yield Finding("answer", "JSON with an error id", "neither" if not exchange.is_json else "no error id")


RULES = (
    status_and_name_belong_together,
    an_error_names_itself,
    the_name_is_bare_and_in_the_header,
    header_and_body_name_one_error,
    an_error_is_a_json_object,
    an_error_has_a_message,
    the_message_is_spelt_with_a_capital,
    a_resource_error_names_the_resource,
    retry_after_is_whole_seconds,
    an_error_shows_nothing_of_the_inside,
    no_request_earns_a_server_error,
    a_refusal_below_the_operation_is_json_too,
)
