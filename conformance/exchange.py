"""A case that was sent, what came back, and the judge's strict look at it. Nothing here decides anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from conformance.contract.document import document
from conformance.contract.reading import Reading
from conformance.contract.schema import Check, checks, shown
from conformance.formats import media_type, png, raster, strict_json
from conformance.message import Answer, Delivery, NoAnswer, Request, Response

ERROR_HEADER = b"x-amzn-errortype"
ERROR_MEMBERS = ("__type", "code")


@dataclass(frozen=True)
class Case:
    """A request with a name. What it breaks, and what it should be answered with, stands nowhere."""

    id: str
    request: Request
    delivery: Delivery = Delivery.WHOLE


class Circumstance(StrEnum):
    """What is so unusual about the moment, or the sender, that another answer than the usual one is due."""

    NONE = ""
    STOPPED = "stopped"  # the states that a hook put the target into
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    FAULT = "fault"
    RECOVERED = "recovered"  # a moment after that; ``before`` was in the state
    FLOODED = "flooded"  # one of more requests than the target's declared rate
    SIGNED = "signed"  # the signature is part of the case, and valid
    BADLY_SIGNED = "badly signed"
    UNSIGNED_PAYLOAD = "unsigned payload"


SERVED = frozenset({Circumstance.NONE, Circumstance.RECOVERED, Circumstance.FLOODED, Circumstance.SIGNED})
"""Circumstances in which a good request gets what it asks for, or a throttle."""


@dataclass(frozen=True)
class Exchange:
    """A case and its answer, together with the exchanges that it is to be compared with."""

    case: Case
    reading: Reading
    answer: Answer
    seconds: float = 0.0
    lost: tuple[NoAnswer, ...] = ()
    """What earlier tries came to, oldest first."""
    before: Exchange | None = None
    """What the same client did just before, on the same connection unless the server closed it."""
    alone: Exchange | None = None
    """The same request sent by itself, as a witness of how it is answered."""
    beside: tuple[Exchange, ...] = ()
    """The requests that were in flight at the same time, each as it was answered by itself."""
    circumstance: Circumstance = Circumstance.NONE

    @cached_property
    def request(self) -> Request:
        return self.case.request

    @property
    def repeats(self) -> tuple[Exchange, ...]:
        """This exchange and its like before it, each sent alone."""
        return (self, *(self.alone.repeats if self.alone else ()))

    @cached_property
    def response(self) -> Response | None:
        return self.answer if isinstance(self.answer, Response) else None

    @cached_property
    def status(self) -> int | None:
        return self.answer.status if isinstance(self.answer, Response) else None

    @cached_property
    def succeeded(self) -> bool:
        """Answered 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @cached_property
    def refused(self) -> bool:
        """Answered 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @cached_property
    def body(self) -> strict_json.Json | strict_json.Flaw:
        """The body of the answer as strict JSON, or what is wrong with it."""
        return strict_json.parse(self.answer.body if isinstance(self.answer, Response) else b"")

    @cached_property
    def is_json(self) -> bool:
        """The answer says that it is application/json."""
        values = self.response.values(b"content-type") if self.response else ()
        found = media_type.essence(values[0].decode("latin-1")) if len(values) == 1 else None
        return found is not None and found[0] == "application/json"

    @cached_property
    def members(self) -> Mapping[str, Any]:
        """The members of the body's object that are not null; empty when the body is no object."""
        value = self.body.value if isinstance(self.body, strict_json.Json) else None
        return present(value)

    @cached_property
    def result(self) -> Mapping[str, Any]:
        """The members of DetectAnomalyResult that are not null; empty when there is none."""
        return present(self.members.get("DetectAnomalyResult"))

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every constraint of the result's schema that applied to the body, kept or broken."""
        return tuple(checks(document().result, self.body.value)) if isinstance(self.body, strict_json.Json) else ()

    @property
    def decision(self) -> tuple[str, str]:
        """IsAnomalous and Confidence, whatever they are, in a few words."""
        return shown(self.result.get("IsAnomalous")), shown(self.result.get("Confidence"))

    @cached_property
    def anomalies(self) -> tuple[Mapping[str, Any], ...]:
        """The entries of Anomalies that are objects, each without its nulls."""
        listed = self.result.get("Anomalies")
        return tuple(present(entry) for entry in listed if isinstance(entry, dict)) if isinstance(listed, list) else ()

    @cached_property
    def mask(self) -> bytes | None:
        """The decoded AnomalyMask; None when there is none or it is not proper base64."""
        text = self.result.get("AnomalyMask")
        try:
            return base64.b64decode(text, validate=True) if isinstance(text, str) else None
        except ValueError:
            return None

    @cached_property
    def mask_file(self) -> png.Png | None:
        """The mask as a PNG file; None when there is none or it is something else."""
        return png.read(self.mask) if self.mask else None

    @cached_property
    def mask_raster(self) -> raster.Raster | None:
        """The pixels of a mask whose file is sound."""
        file = self.mask_file
        return raster.paint(self.mask or b"") if file and not file.faults and not file.too_big else None

    @cached_property
    def error_names(self) -> Mapping[str, str]:
        """Where the answer names an error, and the bare names given there."""
        header = self.response.values(ERROR_HEADER) if self.response else ()
        named: dict[str, Any] = {"x-amzn-ErrorType": header[0].decode("latin-1")} if header else {}
        named |= {member: self.members[member] for member in ERROR_MEMBERS if member in self.members}
        return {where: bare(name) for where, name in named.items() if isinstance(name, str) and bare(name)}

    @cached_property
    def error_id(self) -> str | None:
        """The error that the answer names, the header before the body."""
        return next(iter(self.error_names.values()), None)

    @cached_property
    def message(self) -> str:
        """The message of an error, or empty."""
        texts = (self.members.get(member) for member in ("Message", "message"))
        return next((text for text in texts if isinstance(text, str) and text), "")

    @cached_property
    def well_formed_error(self) -> bool:
        """A 4xx JSON object with an error id and a message."""
        return self.refused and bool(self.members and self.is_json and self.error_id and self.message)

    @cached_property
    def throttled(self) -> bool:
        """A well-formed 429: never a breach by itself, whatever the request."""
        return self.status == 429 and self.well_formed_error

    @cached_property
    def outcome(self) -> str:
        """The answer in a few words, such as ``400 ValidationException`` or ``timeout``."""
        if isinstance(self.answer, NoAnswer):
            return f"no answer ({self.answer.kind})"
        return f"{self.answer.status} {shown_name(self.error_id)}".rstrip()


def present(value: Any) -> Mapping[str, Any]:
    """The members of an object that are not null; empty for anything that is no object."""
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else {}


def bare(name: str) -> str:
    """An error id without the namespace before `#` and the URI after `:` (restJson1, errors)."""
    return name.partition(":")[0].rpartition("#")[2].strip()


def shown_name(name: str | None) -> str:
    """An error id for people: known ones as they are, others shortened and escaped."""
    if name is None or name in document().errors:
        return name or ""
    return ascii(name[:60])
