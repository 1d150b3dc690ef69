"""What has to be taken: sound requests, whatever the liberties they use."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.message import Delivery
from conformance.rule import Finding, rule
from conformance.rules.selectors import asked_properly, demanded, wished


def _served(exchange: Exchange) -> Iterator[Finding]:
    if not exchange.succeeded:
        yield Finding("answer", "200", exchange.outcome)


@rule("route.operation", when=demanded)
def a_sound_request_is_served(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("path.unreserved", when=lambda exchange: demanded(exchange) and exchange.reading.escaped)
def an_escaped_letter_is_the_letter(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("path.unreserved", when=lambda exchange: _named_any_version(exchange) and exchange.reading.escaped)
def an_escaped_name_is_never_called_invalid(exchange: Exchange) -> Iterator[Finding]:
    yield from _not_called_invalid(exchange)


@rule("content-type.accepted", when=demanded)
def both_media_types_are_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("body.png", when=lambda exchange: demanded(exchange) and exchange.reading.media_type == "image/png")
def a_plain_png_is_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("body.jpeg", when=lambda exchange: demanded(exchange) and exchange.reading.media_type == "image/jpeg")
def a_plain_jpeg_is_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("body.png-variants", when=wished("body.png-variants"))
def every_sound_png_is_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


@rule("body.jpeg-variants", when=wished("body.jpeg-variants"))
def every_sound_jpeg_is_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


def _at_a_declared_limit(exchange: Exchange) -> bool:
    return demanded(exchange) and exchange.reading.at_limit


@rule("body.declared-limits", when=_at_a_declared_limit)
def an_image_at_a_declared_limit_is_taken(exchange: Exchange) -> Iterator[Finding]:
    yield from _served(exchange)


def _named_an_unknown_project(exchange: Exchange) -> bool:
    reading = exchange.reading
    return reading.sound and reading.project is not None and not reading.exists and asked_properly(exchange)


def _named_an_unlikely_version(exchange: Exchange) -> bool:
    """Of a project that exists, a version so high that it cannot merely be stopped."""
    reading = exchange.reading
    high = reading.version is not None and reading.version.isdecimal() and int(reading.version) >= 10**6
    return reading.sound and reading.exists and reading.scene is None and high and asked_properly(exchange)


def _named_any_version(exchange: Exchange) -> bool:
    return not exchange.throttled and (_named_an_unknown_project(exchange) or _named_an_unlikely_version(exchange))


def _not_called_invalid(exchange: Exchange) -> Iterator[Finding]:
    if exchange.reading.exists:
        if exchange.status not in (200, 403, 404, 409):
            yield Finding("answer", "200, 403, 404 or 409", exchange.outcome)
    elif exchange.status not in (200, 403, 404):
        yield Finding("answer", "200, 403 or 404", exchange.outcome)


@rule("project.accepted", when=lambda exchange: not exchange.throttled and _named_an_unknown_project(exchange))
def a_good_name_is_never_called_invalid(exchange: Exchange) -> Iterator[Finding]:
    yield from _not_called_invalid(exchange)


@rule("version.accepted", when=_named_any_version)
def a_good_version_is_never_called_invalid(exchange: Exchange) -> Iterator[Finding]:
    yield from _not_called_invalid(exchange)


@rule("http.expect-answered", when=lambda exchange: exchange.case.delivery is Delivery.AWAIT_CONTINUE)
def an_expectation_gets_a_final_answer(exchange: Exchange) -> Iterator[Finding]:
    if exchange.response is None:
        yield Finding("answer", "a final answer, with or without 100", exchange.outcome)


RULES = (
    a_sound_request_is_served,
    an_escaped_letter_is_the_letter,
    an_escaped_name_is_never_called_invalid,
    both_media_types_are_taken,
    a_plain_png_is_taken,
    a_plain_jpeg_is_taken,
    every_sound_png_is_taken,
    every_sound_jpeg_is_taken,
    an_image_at_a_declared_limit_is_taken,
    a_good_name_is_never_called_invalid,
    a_good_version_is_never_called_invalid,
    an_expectation_gets_a_final_answer,
)
