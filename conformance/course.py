"""What happens in a run besides the verdicts: how far it has come, and what there is to tell of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from conformance.timings import Timings


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    seen: int
    planned: int | None
    """None where the clock ends the run."""
    breached: int
    """Exchanges so far that breach a clause."""
    unexercised: int
    """Clauses that nothing was judged by yet."""
    budget_left: int | None
    """Requests that may still be sent, where the target file has a budget."""


@dataclass
class Course:
    """What happened in a run, besides the verdicts."""

    sent: int = 0
    seen: int = 0
    answered: int = 0
    throttled: int = 0
    unsteady: list[str] = field(default_factory=list)
    """Cases whose answer was lost at first and came when they were sent again."""
    cut_off: str = ""
    """Why the run ended before everything was sent; empty when it did not."""
    stopped_by_operator: bool = False
    turned_away: bool = False
    """Nothing was ever served, and our credentials were refused: they may well be wrong."""
    served: bool = False
    """At least one request was answered 200."""
    echoes: int = 0
    """Answers that repeated a secret, which was overwritten before they were judged."""
    recorded: bool = False
    """Others asked, and we were told: what was not exercised is nobody's doing."""
    mishaps: Mapping[str, str] = field(default_factory=dict)
    """By clause: what of the set-up did not work, so that the clause could not be judged."""
    timings: Timings = field(default_factory=Timings)
    """Of the answers to requests that were sent whole, without waits of our own."""

    def to_document(self) -> dict[str, Any]:
        """The course as JSON-able data."""
        return {**vars(self), "mishaps": dict(self.mishaps), "timings": self.timings.to_document()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Course:
        """The course of such data. Raises KeyError, TypeError or ValueError when it is none."""
        told = {"echoes": 0, **document}  # which was not always told
        named = {each.name: told[each.name] for each in fields(cls)}
        return cls(**{**named, "timings": Timings.of(document["timings"])})
