"""Whether a client read an answer: what it said, held against what is due and what is on the wire.

Two calls need not have equal results, so numbers are never compared: types and presence are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from conformance.clients.said import ENTRY, Failed, Member, Raised, Result, Said
from conformance.clients.table import Scenario
from conformance.contract.document import document
from conformance.exchange import Exchange, present
from conformance.formats import strict_json

_TYPES = {"IsAnomalous": "boolean", "Confidence": "number", "Source.Type": "string"}
_SEGMENTED = {"Anomalies": "array", "AnomalyMask": "bytes"}
_JSON = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
_THROTTLE = "ThrottlingException"


class Outcome(StrEnum):
    """What came of a client's call."""

    READ = "read"  # what is due came out, whole, and of the types that it has on the wire
    MISREAD = "misread"  # something else came out, and the client did not mind
    CRASHED = "crashed"  # the client failed over the answer, or never came back
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Verdict:
    """An outcome and, unless it was read, why."""

    outcome: Outcome
    reason: str = ""


def judge(scenario: Scenario, wire: Exchange, said: Said, asked: int | None = None) -> Verdict:
    """Judge what a client said; ``asked`` is how many requests of this call passed the relay."""
    if isinstance(said, Failed) or (isinstance(said, Raised) and not said.service):
        return Verdict(Outcome.CRASHED, str(said))
    if isinstance(said, Raised) and _was_throttled(said, scenario, asked):
        return Verdict(Outcome.NOT_RUN, "the target throttled it until it gave up")
    complaints = list(_complaints(scenario, wire, said))
    if scenario.relayed and not complaints and (asked or 0) < 2:
        complaints = ["nothing passed the relay a second time"]
    return Verdict(Outcome.MISREAD, "; ".join(complaints)) if complaints else Verdict(Outcome.READ)


def _was_throttled(said: Raised, scenario: Scenario, asked: int | None) -> bool:
    """By the target, that is, and properly: the relay throttles once only."""
    proper = said.name == _THROTTLE and said.typed is not False and said.status in (429, None)
    return proper and not (scenario.relayed and (asked or 0) < 2)


def _complaints(scenario: Scenario, wire: Exchange, said: Result | Raised) -> Iterator[str]:
    if scenario.due:
        expected = f"{' or '.join(scenario.due)} is due"
        if isinstance(said, Raised):
            yield from _about_an_error(expected, scenario, wire, said)
        else:
            yield f"{expected}, and it returned {said}{_on_the_wire(wire)}"
    elif isinstance(said, Raised):
        yield f"a result is due, and it raised {said}{_on_the_wire(wire)}"
    elif not said.members:
        yield f"it returned an empty result{_on_the_wire(wire)}"
    else:
        yield from _about_a_result(scenario, wire, said)


def _on_the_wire(wire: Exchange) -> str:
    return f" (on the wire: {wire.outcome})"


def _about_an_error(expected: str, scenario: Scenario, wire: Exchange, said: Raised) -> Iterator[str]:
    if said.typed is False or said.name not in document().errors:
        yield f"{expected}, and it raised a generic error, {said}{_on_the_wire(wire)}"
        return
    if said.name not in scenario.due:
        yield f"{expected}, and it raised {said}{_on_the_wire(wire)}"
    if wire.response is None or wire.succeeded:
        return
    if wire.error_id and said.name != wire.error_id and wire.error_id in document().errors:
        yield f"it raised {said.name or 'an error without a name'}, and on the wire it is {wire.error_id}"
    if said.status is not None and said.status != wire.status:
        yield f"it tells of status {said.status}, and on the wire it is {wire.status}"
    if wire.message and not said.message:
        yield "the message was lost"


def _about_a_result(scenario: Scenario, wire: Exchange, said: Result) -> Iterator[str]:
    written = _written(wire) if wire.succeeded else None
    needed = {"IsAnomalous", "Confidence"} | (set(_SEGMENTED) if scenario.masked else set())
    for name, kind in (_TYPES | _SEGMENTED).items():
        member = said.members.get(name)
        there = written[name] if written is not None and name in written else None
        if member is None:
            if name in needed or there:
                yield f"{name} is missing" + (f", and on the wire it is {_a(there)}" if there else "")
        elif member.type != kind:
            yield f"{name} came out as {_a(member.type)}"
        elif there and there != kind and not (kind == "bytes" and there == "string"):
            yield f"{name} came out as {_a(kind)}, {member}, and on the wire it is {_a(there)}"
    yield from _about_anomalies(scenario, wire, said)


def _about_anomalies(scenario: Scenario, wire: Exchange, said: Result) -> Iterator[str]:
    mask, listed = said.members.get("AnomalyMask"), said.members.get("Anomalies")
    if scenario.masked and mask and mask.type == "bytes" and not mask.png:
        yield f"AnomalyMask, {mask}, does not begin as a PNG file does"
    if scenario.masked and listed and listed.length == 0:
        yield "Anomalies are empty"
    for part, kind in ENTRY.items():
        yield from _about_entries(part, kind, listed, wire)


def _about_entries(part: str, kind: str, listed: Member | None, wire: Exchange) -> Iterator[str]:
    """A part of the entries: of its type in each, and in each if it is so on the wire."""
    found = {entry.get(part, "") for entry in listed.entries} if listed else set()
    written = {_entry(anomaly).get(part, "") for anomaly in wire.anomalies}
    for odd in sorted(found - {kind, ""}):
        yield f"{part} of an anomaly came out as {_a(odd)}"
    if "" in found and "" not in written:
        yield f"{part} of an anomaly is missing"
    if kind in found and written and written.isdisjoint({kind}):
        yield f"{part} of an anomaly came out as {_a(kind)}, and on the wire it is {_a(min(written))}"


def _entry(anomaly: Mapping[str, Any]) -> dict[str, str]:
    area = present(anomaly.get("PixelAnomaly"))
    found = {"Name": anomaly.get("Name"), "Area": area.get("TotalPercentageArea"), "Color": area.get("Color")}
    return {part: _JSON[type(value)] for part, value in found.items() if value is not None}


def _written(wire: Exchange) -> dict[str, str] | None:
    """The types of the members on the wire, of those that are there; None where the body is no JSON at all."""
    if isinstance(wire.body, strict_json.Flaw):
        return None
    result = wire.result
    found = {name: result.get(name) for name in ("IsAnomalous", "Confidence", *_SEGMENTED)}
    found["Source.Type"] = present(result.get("Source")).get("Type")
    return {name: _JSON[type(value)] for name, value in found.items() if value is not None}


def _a(kind: str) -> str:
    if not kind:
        return "missing"
    return kind if kind == "bytes" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
