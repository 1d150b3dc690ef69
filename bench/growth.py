"""Whether time grows with the number of requests and memory does not.

Each size is explored in a fresh process, judged and all, against the echo server, 4 requests in flight: the wall time
of the run, and the peak of the process' resident memory. What a run costs before its first request, the first pools,
would make any growth look mild; so the ratio to linear compares what each *further* request costs from one size to the
next: the last step against the step before. Of the first 3200 requests Schemathesis draws one in eight, at milliseconds
each, and of the others none: the first step is dear, and only from the second on is the ratio a fair one (``--full``).
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from ground import cores, echo, exploration, met, pin, setting, table, target_at

SIZES = (1_000, 3_000, 10_000)
FULL = (*SIZES, 100_000)
LINEAR = 1.1
"""Times what a further request cost in the step before."""
STEADY = 1.25
"""Times the smallest run's memory that a larger run may take."""


@dataclass(frozen=True)
class Grown:
    """What a run of some size took."""

    requests: int
    seconds: float
    megabytes: float

    def further(self, smaller: Grown) -> float:
        """Seconds for each request beyond those of a smaller run."""
        return (self.seconds - smaller.seconds) / (self.requests - smaller.requests)


def rows(grown: Sequence[Grown]) -> Iterator[list[str]]:
    """Each run beside the one before and the smallest."""
    for smaller, each in zip((None, *grown), grown, strict=False):
        further = f"{1000 * each.further(smaller):.2f}" if smaller else "-"
        memory = f"{each.megabytes / grown[0].megabytes:.2f}"
        mean = f"{1000 * each.seconds / each.requests:.2f}"
        yield [f"{each.requests}", f"{each.seconds:.1f}", mean, further, f"{each.megabytes:.0f}", memory]


def steps(grown: Sequence[Grown]) -> list[float]:
    """What a further request costs, from size to size."""
    return [each.further(smaller) for smaller, each in itertools.pairwise(grown)]


def explored(url: str, requests: int) -> Grown:
    """Explore in this process."""
    prepared = exploration(target_at(url, 4), requests)
    started = perf_counter()
    report, _ = prepared.go()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Grown(report.course.seen, perf_counter() - started, kilobytes / 1024)


def in_a_fresh_process(url: str, requests: int) -> Grown:
    """Explore in a process of its own, whose memory is nobody else's."""
    command = [sys.executable, __file__, "--one", str(requests), "--url", url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Grown(**json.loads(done.stdout))


def main() -> None:
    """Explore each size and print how time and memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="default 1000 3000 10000")
    parser.add_argument("--full", action="store_true", help="100000 as well")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(vars(explored(options.url, options.one))))
        return
    own_core, server_core = cores()
    pin(own_core)
    print(f"growth: client on core {own_core}, echo server on core {server_core}; {setting()}\n", flush=True)
    with echo(server_core) as server:
        grown = [in_a_fresh_process(server.url, size) for size in (FULL if options.full else options.sizes)]
    head = ["requests", "seconds", "ms each", "ms each further", "peak MB", "to smallest"]
    print(table(head, list(rows(grown))), "\n")
    costs, memory = steps(grown), grown[-1].megabytes / grown[0].megabytes
    if len(costs) > 1:
        time = costs[-1] / costs[-2]
        verdict = f"target at most {LINEAR}: {met(time <= LINEAR)}"
        print(f"a further request costs {time:.2f} x that of the step before ({verdict})")
    print(f"memory {memory:.2f} x that of the smallest run (target at most {STEADY}: {met(memory <= STEADY)})")


if __name__ == "__main__":
    main()
