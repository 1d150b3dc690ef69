"""How long answers took, as a histogram whose memory does not grow with the run."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BOUNDS = tuple(float(f"{10 ** (step / 20):.3g}") for step in range(-100, 81))
"""Seconds at which buckets end, twenty to a factor of ten: from ten microseconds to some hours."""
DIGITS = 6
"""Of a second: microseconds are kept."""


@dataclass
class Timings:
    """The seconds that answers took, from the first byte of the request to their last."""

    counts: Counter[int] = field(default_factory=Counter)
    """By place in ``BOUNDS``: how many took at most that long, and longer than the bound before."""
    shortest: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one answer."""
        seconds = round(seconds, DIGITS)
        self.shortest = min(self.shortest, seconds) if self.counts else seconds
        self.longest = max(self.longest, seconds)
        self.counts[min(bisect_left(BOUNDS, seconds), len(BOUNDS) - 1)] += 1

    @property
    def number(self) -> int:
        """How many answers were counted."""
        return self.counts.total()

    def quantile(self, share: float) -> float:
        """The time within which that share of the answers came, up to the width of a bucket; 0 without answers."""
        seen = 0
        for place, count in sorted(self.counts.items()):
            seen += count
            if seen >= share * self.number:
                return min(max(BOUNDS[place], self.shortest), self.longest)
        return 0.0

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Every bucket between the first and the last that hold anything: its bound and its count."""
        if self.counts:
            for place in range(min(self.counts), max(self.counts) + 1):
                yield BOUNDS[place], self.counts[place]

    def to_document(self) -> dict[str, Any]:
        """As JSON-able data, in seconds; buckets without answers are left out."""
        return {
            "answers": self.number,
            "min": self.shortest,
            "median": self.quantile(0.5),
            "p99": self.quantile(0.99),
            "max": self.longest,
            "buckets": [{"until": until, "answers": count} for until, count in self.buckets() if count],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Timings:
        """What was written. Raises KeyError, TypeError or ValueError for what was not."""
        counts = Counter({BOUNDS.index(each["until"]): int(each["answers"]) for each in document["buckets"]})
        return cls(counts, float(document["min"]), float(document["max"]))
