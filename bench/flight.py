"""Whether the requests that are in flight at the same time really are.

The server takes 100 ms for an answer and lets nobody else wait for it; 8 requests are in flight. N requests then take
N x 0.1 / 8 s at best, and the ratio is to that. Only explored single requests are sent, drawn before the clock starts,
of which each is proper HTTP and is delivered whole: one that is not may be met with silence and is sent again with
nothing beside it, one in pieces pauses by intent, and a sequence is sent one by one. The second row is the whole
exploration with all of these in it, the drawing too, which no server makes faster.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from ground import Echo, cores, echo, exploration, met, pin, setting, table, target_at

from conformance.campaign import Campaign
from conformance.contract.reading import read
from conformance.exchange import Case
from conformance.judge import Judge
from conformance.message import Delivery
from conformance.rules import RULES
from conformance.run import Prepared

WIDTH = 8
AT_MOST = 1.25
"""Times the ideal."""


@dataclass(frozen=True)
class Flown:
    """So many requests in so many seconds; more may have been sent than were judged."""

    name: str
    judged: int
    sent: int
    seconds: float

    def ratio(self, delay: float) -> float:
        return self.seconds / (self.judged * delay / WIDTH)

    def row(self, delay: float) -> list[str]:
        ideal = self.judged * delay / WIDTH
        counts = [f"{self.judged}", f"{self.sent}"]
        return [self.name, *counts, f"{ideal:.2f}", f"{self.seconds:.2f}", f"{self.ratio(delay):.2f}"]


def proper(prepared: Prepared) -> Iterator[Case]:
    """Explored requests that take one answer and nothing else."""
    for case in prepared.explorer.singles():
        if case.delivery is Delivery.WHOLE and read(case.request, prepared.target).proper:
            yield case


def singles(server: Echo, count: int) -> Flown:
    """Requests that were drawn before."""
    prepared = exploration(target_at(server.url, WIDTH), 2 * count)
    cases = tuple(itertools.islice(proper(prepared), count))
    campaign = Campaign(prepared.target, prepared.stage.unsigned, Judge(RULES))
    started = perf_counter()
    course = campaign.run(replace(prepared.plan, singles=cases))
    return Flown("proper singles", course.seen, course.sent, perf_counter() - started)


def everything(server: Echo, count: int) -> Flown:
    """An exploration from drawing to report."""
    prepared = exploration(target_at(server.url, WIDTH), count)
    started = perf_counter()
    report, _ = prepared.go()
    return Flown("whole exploration", report.course.seen, report.course.sent, perf_counter() - started)


def main() -> None:
    """Send both kinds to a slow server and print how far from ideal they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=800, help="default 800")
    parser.add_argument("--delay", type=float, default=0.1, metavar="SECONDS", help="default 0.1")
    options = parser.parse_args()
    own_core, server_core = cores()
    pin(own_core)
    print(f"flight: {WIDTH} in flight, {options.delay:g} s an answer; {setting()}\n", flush=True)
    with echo(server_core, options.delay) as server:
        flown = [singles(server, options.requests), everything(server, options.requests)]
    head = ["", "judged", "sent", "ideal s", "seconds", "ratio"]
    print(table(head, [each.row(options.delay) for each in flown]), "\n")
    ratio = flown[0].ratio(options.delay)
    print(f"proper singles: {ratio:.2f} x ideal (target at most {AT_MOST}: {met(ratio <= AT_MOST)})")


if __name__ == "__main__":
    main()
