"""One line for each answer: when, what was asked, how it was answered, and how long that took."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Answered:
    """One request and its answer; method and target are empty where the request could not be read."""

    method: bytes
    target: bytes
    status: int
    seconds: float
    """From the whole request to the answer."""


Log = Callable[[Answered], None]


def nothing(_answered: Answered) -> None:
    """For servers that keep no log."""


def as_text(answered: Answered) -> str:
    """``time method target status ms``; whatever a client wrote is in printable ASCII and without spaces."""
    method, target = (_shown(each) or "-" for each in (answered.method, answered.target))
    return f"{_now()} {method} {target} {answered.status} {answered.seconds * 1000:.1f}ms"


def as_json(answered: Answered) -> str:
    """The same as one JSON object."""
    return json.dumps(
        {
            "time": _now(),
            "method": _shown(answered.method),
            "path": _shown(answered.target),
            "status": answered.status,
            "ms": round(answered.seconds * 1000, 3),
        }
    )


FORMATS: Mapping[str, Callable[[Answered], str]] = {"text": as_text, "json": as_json}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _shown(octets: bytes) -> str:
    return repr(octets)[2:-1].replace(" ", "\\x20")
