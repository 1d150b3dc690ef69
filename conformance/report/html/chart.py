"""The timings as a histogram: where its bars and ticks stand. The template draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.timings import Timings

WIDTH, HEIGHT, BASE = 720, 170, 140
"""Units of the drawing; bars stand on ``BASE``."""


@dataclass(frozen=True)
class Bar:
    """The answers of one bucket."""

    x: float
    y: float
    width: float
    height: float
    told: str


@dataclass(frozen=True)
class Chart:
    """A histogram with a logarithmic axis of time."""

    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    facts: Sequence[tuple[str, str]]
    """What it comes to: name and value."""
    median: float
    """Where the median stands."""

    @property
    def told(self) -> str:
        """The chart in words."""
        return "Histogram of answer times: " + ", ".join(f"{name} {value}" for name, value in self.facts)


def of(timings: Timings) -> Chart | None:
    """The chart; None where nothing was answered."""
    buckets = list(timings.buckets())
    if not buckets:
        return None
    width, most = WIDTH / max(len(buckets), 12), max(count for _, count in buckets)
    bars = [_bar(place * width, width, count / most, until, count) for place, (until, count) in enumerate(buckets)]
    first, last = (math.log10(until) for until in (buckets[0][0], buckets[-1][0]))

    def place(seconds: float) -> float:
        """Where a time stands; the end of the first bucket is at the end of the first bar."""
        steps = (math.log10(seconds) - first) * 20 + 1
        return round(min(max(steps * width, 0), WIDTH), 1)

    ticks = [(place(seconds), shown(seconds)) for seconds in _round_times(first - 0.05, last)]
    facts = [
        ("answers", str(timings.number)),
        ("shortest", shown(timings.shortest)),
        ("median", shown(timings.quantile(0.5))),
        ("99%", shown(timings.quantile(0.99))),
        ("longest", shown(timings.longest)),
    ]
    return Chart(bars, ticks, facts, place(max(timings.quantile(0.5), buckets[0][0])))


def shown(seconds: float) -> str:
    """Seconds for people, three digits of them."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1000:.3g} ms"


def _bar(x: float, width: float, share: float, until: float, count: int) -> Bar:
    height = max(share * (BASE - 10), 2 if count else 0)
    told = f"{count} answer{'' if count == 1 else 's'} within {shown(until)}"
    return Bar(round(x + 1, 1), round(BASE - height, 1), round(max(width - 2, 1), 1), round(height, 1), told)


def _round_times(first: float, last: float) -> Iterator[float]:
    for power in range(math.floor(first), math.ceil(last) + 1):
        for digit in (1, 2, 5):
            if first <= math.log10(digit * 10.0**power) <= last:
                yield digit * 10.0**power
