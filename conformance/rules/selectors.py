"""Which exchanges a rule judges. Every name reads aloud after `when`."""

from __future__ import annotations

from conformance.earned import explained
from conformance.exchange import SERVED, Circumstance, Exchange
from conformance.message import Delivery
from conformance.rule import Selector
from conformance.target import RUNNING

BELOW = frozenset({405, 408, 411, 413, 414, 417, 431, 501, 505})
"""Statuses with which servers and proxies refuse before any operation is reached."""

AUTHENTICATION_ERRORS = frozenset(
    "AccessDenied ExpiredToken ExpiredTokenException IncompleteSignature IncompleteSignatureException "
    "InvalidClientTokenId InvalidSignatureException MissingAuthenticationToken MissingAuthenticationTokenException "
    "NotAuthorized OptInRequired RequestExpired SignatureDoesNotMatch UnrecognizedClientException".split()
)
"""Common errors that are about who asks, not about what is asked (page, Common Errors)."""


_AT_THE_GATE = frozenset({Circumstance.BADLY_SIGNED, Circumstance.UNSIGNED_PAYLOAD})


def asked_properly(exchange: Exchange) -> bool:
    """The request is proper HTTP, and was sent to be answered."""
    return exchange.reading.proper and exchange.case.delivery is not Delivery.ABORT


def answered(exchange: Exchange) -> bool:
    return exchange.response is not None


def named_running(exchange: Exchange) -> bool:
    """The path names a scene whose model runs, and nothing about the moment or the sender stands against it."""
    return exchange.reading.scene in RUNNING and exchange.circumstance in SERVED


def demanded(exchange: Exchange) -> bool:
    """A sound request for a running model: nothing but 200 is right, or a throttle."""
    return exchange.reading.sound and named_running(exchange) and asked_properly(exchange) and not exchange.throttled


def wished(clause: str) -> Selector:
    """Sound in an uncommon way: 200 is asked for by a SHOULD clause."""

    def selector(exchange: Exchange) -> bool:
        reading = exchange.reading
        alone = reading.wishes == {clause} and not reading.breaks and not reading.open
        return alone and named_running(exchange) and not exchange.throttled

    return selector


def raised(matter: str) -> Selector:
    """The request raises this matter, and nothing else that may change the answer."""

    def selector(exchange: Exchange) -> bool:
        reading = exchange.reading
        alone = reading.open == {matter} and not reading.breaks and not reading.wishes
        return alone and named_running(exchange) and not exchange.throttled

    return selector


def blamed(clause: str) -> Selector:
    """The request breaks this clause, and nothing else about it explains the answer.

    An answer that another fault explains says nothing about this one.
    """

    def selector(exchange: Exchange) -> bool:
        reading = exchange.reading
        if clause not in reading.breaks or exchange.throttled or exchange.case.delivery is Delivery.ABORT:
            return False
        return (reading.breaks == {clause} and _nothing_else(exchange)) or not explained(exchange)

    return selector


def _nothing_else(exchange: Exchange) -> bool:
    """Content and body are judged on running models: elsewhere a 404 may come first."""
    (clause,) = exchange.reading.breaks
    about_content = clause.startswith(("content-type.", "body."))
    return named_running(exchange) if about_content else True


def succeeded(exchange: Exchange) -> bool:
    """A POST on the operation's path was answered 2xx."""
    return exchange.succeeded and exchange.request.method == b"POST" and exchange.reading.project is not None


def returned_a_result(exchange: Exchange) -> bool:
    return succeeded(exchange) and bool(exchange.result)


def failed_in_the_operation(exchange: Exchange) -> bool:
    """An error that the operation itself answers for, not a proxy, a router or a gate-keeper."""
    status = exchange.status
    if exchange.circumstance in _AT_THE_GATE:
        return False  # gate-keepers have errors of their own
    if status is None or not (400 <= status < 500 or status == 500) or status in BELOW:
        return False
    return exchange.reading.reaches_operation and exchange.error_id not in AUTHENTICATION_ERRORS


def failed_below_the_operation(exchange: Exchange) -> bool:
    """A proper request that was refused before it reached the operation; answers to HEAD have nothing to show."""
    if not (exchange.refused and asked_properly(exchange)) or exchange.request.method == b"HEAD":
        return False
    return exchange.status in BELOW or not exchange.reading.reaches_operation


def failed(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 400
