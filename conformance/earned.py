"""Whether an answer is one that the request's faults, or the state of what it names, have earned.

Where a request has several faults, any of the errors that one of them would earn is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conformance.contract.clauses import catalogue
from conformance.exchange import Exchange
from conformance.message import NoAnswer, Silence

_OF_LABELS = frozenset({"project.pattern", "project.length", "version.pattern", "version.length"})
_OF_PROJECTS = frozenset({"project.pattern", "project.length"})


def fulfils(exchange: Exchange, clause: str) -> bool:
    """Whether the answer is what a breach of this one clause earns."""
    if clause.endswith(".length") and "" in (exchange.reading.project, exchange.reading.version):
        return exchange.well_formed_error  # an empty segment: whoever routes may be the one who refuses
    return _EARNINGS[catalogue().clauses[clause].earns](exchange)


def explained(exchange: Exchange) -> bool:
    """Whether anything about the request explains that it was answered so."""
    reading = exchange.reading
    if any(fulfils(exchange, clause) for clause in reading.breaks):
        return True
    return _by_the_resource(exchange) or (_by_open_matters(exchange) if reading.breaks else False)


def _by_the_resource(exchange: Exchange) -> bool:
    """The project or version may not exist, may not run, or may not be ours to use."""
    reading = exchange.reading
    if reading.project is None or reading.breaks & _OF_PROJECTS or not exchange.refused:
        return False
    if reading.scene in ("missing-project", "missing-version"):
        return exchange.status == 404
    if reading.scene == "stopped":
        return exchange.status in (400, 404, 409)
    if reading.scene or (reading.exists and reading.breaks & _OF_LABELS):
        return False
    return exchange.status in ((400, 403, 404, 409) if reading.exists else (403, 404))


def _by_open_matters(exchange: Exchange) -> bool:
    """A matter that is nobody's fault may be refused before the fault is looked at."""
    matters = exchange.reading.open
    if any(matter.startswith("route.") for matter in matters):
        return exchange.status is not None and 300 <= exchange.status < 500
    return exchange.refused and any(not matter.startswith("content-type.") for matter in matters)


def _is_validation_error(exchange: Exchange) -> bool:
    return exchange.status == 400 and exchange.error_id == "ValidationException"


def _is_no_success(exchange: Exchange) -> bool:
    if exchange.request.method == b"POST":
        return not exchange.succeeded
    return not (exchange.succeeded and "DetectAnomalyResult" in exchange.members)


def _is_shown_the_door(exchange: Exchange) -> bool:
    if isinstance(exchange.answer, NoAnswer):
        return exchange.answer.kind in (Silence.CLOSED, Silence.RESET)
    return exchange.refused or exchange.status in (501, 505)


_EARNINGS: Mapping[str, Callable[[Exchange], bool]] = {
    "400 ValidationException": _is_validation_error,
    "a well-formed 4xx error": lambda exchange: exchange.well_formed_error,
    "4xx": lambda exchange: exchange.refused,
    "no success": _is_no_success,
    "4xx or a closed connection": _is_shown_the_door,
}
