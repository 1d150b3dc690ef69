"""What a client said of one call, read from its driver's line without trusting the form of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENTRY = {"Name": "string", "Area": "number", "Color": "string"}
"""What an entry of Anomalies holds, in the words of the drivers, and of which type."""


@dataclass(frozen=True)
class Member:
    """A member of a result, as the client gave it."""

    type: str
    shown: str = ""
    length: int | None = None
    png: bool = False
    entries: tuple[Mapping[str, str], ...] = ()

    def __str__(self) -> str:
        if self.length is None:
            return self.shown
        return f"{self.length} {'entries' if self.type == 'array' else 'bytes'}"


@dataclass(frozen=True)
class Result:
    """The call returned: the members that were there."""

    members: Mapping[str, Member]
    status: int | None = None
    attempts: int | None = None

    def __str__(self) -> str:
        return ", ".join(f"{name} {member}" for name, member in self.members.items()) or "an empty result"


@dataclass(frozen=True)
class Raised:
    """The call raised: an error of the service, or one of the client's own."""

    kind: str
    """The exception's class; empty where the client has no classes."""
    name: str
    """The error's name, as the service gives it."""
    message: str
    service: bool
    """It is an error that the service answered with."""
    typed: bool | None = None
    """It is of a class made for it; None where the client has no such classes."""
    status: int | None = None
    attempts: int | None = None

    def __str__(self) -> str:
        if not self.service:
            return f"{self.kind}: {self.message}" if self.message else self.kind
        return f"{self.status or ''} {self.name or 'an error without a name'}".strip()


@dataclass(frozen=True)
class Failed:
    """There is nothing to be read from the driver; how it ended."""

    trouble: str
    attempts: int | None = field(default=None, init=False)

    def __str__(self) -> str:
        return self.trouble


Said = Result | Raised | Failed


def read(line: Mapping[str, Any]) -> Said:
    """What a driver's line says. Never raises."""
    error, members = line.get("error"), line.get("members")
    attempts = _number(line.get("attempts"))
    if isinstance(error, dict):
        return _raised(error, attempts)
    if isinstance(members, dict):
        found = {str(name): _member(value) for name, value in members.items() if isinstance(value, dict)}
        return Result(found, _number(line.get("status")), attempts)
    return Failed("its driver said neither what was returned nor what was raised")


def _raised(error: Mapping[str, Any], attempts: int | None) -> Raised:
    kind, name, message = (str(error.get(key) or "") for key in ("class", "name", "message"))
    typed = error.get("typed")
    return Raised(
        kind or name or "an exception",
        name,
        message,
        error.get("service") is True,
        typed if isinstance(typed, bool) else None,
        _number(error.get("status")),
        attempts or _number(error.get("attempts")),
    )


def _member(value: Mapping[str, Any]) -> Member:
    entries = value.get("entries")
    kept = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return Member(
        str(value.get("type")),
        str(value.get("shown", "")),
        _number(value.get("length")),
        value.get("png") is True,
        tuple({str(key): str(kind) for key, kind in each.items()} for each in kept),
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
