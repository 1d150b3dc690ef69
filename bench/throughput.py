"""How many requests a second one core sends and judges, against Schemathesis and against a bare loop.

The client stays on one core, an echo server on the other. Measured one after the other, on the same server:

* our exploration, everything drawn, read, sent and judged, at 1 and at 4 requests in flight: requests judged by the
  seconds of the whole run, the drawing of the pools included;
* ``st run`` on ``schemas/openapi.yaml``, fuzzing only, which goes on after a failure and shrinks none: requests by the
  seconds between the first answer and the last, so that its start is not counted;
* a bare loop, which sends the bytes of the same explored requests over one kept-alive socket and reads the answers by
  their Content-Length.

Then every part of our way is timed by itself, one request after the other. The server refuses everything, so that
more findings are made and kept than on a decent one.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from echo_server import read_head
from ground import OPENAPI, TOOLS, Echo, Tally, cores, echo, exploration, met, pin, setting, table, target_at

from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.judge import Judge
from conformance.message import Answer, Delivery, Request
from conformance.patience import Connection, Sender
from conformance.rules import RULES
from conformance.run import Prepared, opener_for
from conformance.target import Target

AT_LEAST = 20
"""Times Schemathesis' rate."""
AT_MOST = 3
"""Times slower than the bare loop."""

_OWN, _THEIRS = "generation, our own", "generation, Schemathesis'"
_ODD, _NEW, _USED = (f"  exchange {how}" for how in ("in an odd delivery", "on a new connection", "on a used one"))
_STRAY = "  looking for stray bytes"
_PARTS = (_OWN, _THEIRS, "reading", "sending", _NEW, _USED, _ODD, _STRAY, "judging")


@dataclass(frozen=True)
class Measured:
    """So many requests in so many seconds, of which the client's core was busy for some."""

    name: str
    requests: int
    seconds: float
    busy: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def row(self) -> list[str]:
        micro = 1e6 * self.busy / self.requests
        return [self.name, f"{self.requests}", f"{self.seconds:.2f}", f"{self.rate:.0f}", f"{micro:.0f}"]


def busy_seconds(who: int) -> float:
    """Processor time of this process, or of its children that have ended."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def explored(server: Echo, requests: int, concurrency: int) -> Measured:
    """Our exploration."""
    prepared = exploration(target_at(server.url, concurrency), requests)
    before, started = busy_seconds(resource.RUSAGE_SELF), perf_counter()
    report, _ = prepared.go()
    seconds, busy = perf_counter() - started, busy_seconds(resource.RUSAGE_SELF) - before
    return Measured(f"ours, {concurrency} in flight", report.course.seen, seconds, busy)


def fuzzed(server: Echo, examples: int) -> Measured:
    """The command line of Schemathesis."""
    server.tally()
    before = busy_seconds(resource.RUSAGE_CHILDREN)
    schemathesis(server.url, examples)
    counted: Tally = server.tally()
    busy = busy_seconds(resource.RUSAGE_CHILDREN) - before
    return Measured("Schemathesis, fuzzing", counted.requests, counted.requests / counted.rate, busy)


def schemathesis(url: str, examples: int) -> None:
    """Run it where it leaves nothing behind."""
    options = ["--phases", "fuzzing", "--max-examples", str(examples), "--seed", "1", "--generation-database", "none"]
    command = [str(TOOLS / "st"), "run", str(OPENAPI), "--url", url, *options, "--continue-on-failure", "--no-shrink"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, cwd=folder, capture_output=True, check=False)


def ordinary(prepared: Prepared, count: int) -> list[Request]:
    """Explored requests that are answered by one answer, behind which the connection is kept."""
    requests = (case.request for case in prepared.explorer.singles() if case.delivery is Delivery.WHOLE)
    return list(itertools.islice((each for each in requests if is_ordinary(each, prepared.target)), count))


def is_ordinary(request: Request, target: Target) -> bool:
    head = read_head(request.head)
    return read(request, target).proper and not (head.closes or head.is_head or head.waits)


def bare(server: Echo, requests: Sequence[Request], rounds: int = 3) -> Measured:
    """The bare loop: the fastest of a few rounds."""
    wires = [request.wire for request in requests]
    return min((looped(server, wires) for _ in range(rounds)), key=lambda each: each.seconds)


def looped(server: Echo, wires: Sequence[bytes]) -> Measured:
    """Send the bytes and read the answers, and nothing else."""
    with socket.create_connection(server.address) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before, started = busy_seconds(resource.RUSAGE_SELF), perf_counter()
        for wire in wires:
            line.sendall(wire)
            read_answer(line)
        seconds, busy = perf_counter() - started, busy_seconds(resource.RUSAGE_SELF) - before
    return Measured("bare loop", len(wires), seconds, busy)


def read_answer(line: socket.socket) -> bytes:
    """One answer with a Content-Length."""
    data = line.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += more(line)
    start = data.index(b"Content-Length: ") + 16
    whole = end + 4 + int(data[start : data.index(b"\r", start)])
    while len(data) < whole:
        data += more(line)
    return data


def more(line: socket.socket) -> bytes:
    data = line.recv(65536)
    if not data:
        raise SystemExit("the echo server hung up on the bare loop")
    return data


@dataclass
class Watch:
    """How long everything took that has a name, and how often it was done."""

    seconds: dict[str, float] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.times[name] = self.times.get(name, 0) + 1

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Count the block in."""
        started = perf_counter()
        yield
        self.add(name, perf_counter() - started)

    def rows(self) -> list[list[str]]:
        """Each part: how often, at what cost, and its share in the whole; indented ones are parts of *sending*."""
        whole = sum(seconds for name, seconds in self.seconds.items() if not name.startswith(" "))
        return [
            [name, f"{self.times[name]}", f"{1e6 * seconds / self.times[name]:.0f}", f"{seconds / whole:.1%}"]
            for name, seconds in sorted(self.seconds.items(), key=lambda each: _PARTS.index(each[0]))
        ]


class Watched:
    """A connection of which it is known how long it took for what."""

    def __init__(self, inner: Connection, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch
        self._used = False
        self.lost_idle = False

    @property
    def reusable(self) -> bool:
        return self._inner.reusable

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        with self._watch.on(_kind(delivery, self._used)):
            answer = self._inner.exchange(request, delivery)
        self._used, self.lost_idle = True, self._inner.lost_idle
        return answer

    def settle(self) -> bytes:
        with self._watch.on(_STRAY):
            return self._inner.settle()

    def close(self) -> None:
        self._inner.close()


def _kind(delivery: Delivery, used: bool) -> str:
    if delivery is not Delivery.WHOLE:
        return _ODD
    return _USED if used else _NEW


def split(server: Echo, requests: int) -> Watch:
    """Where the time of our way goes: each part timed by itself, one request after the other."""
    prepared = exploration(target_at(server.url, 1), requests)
    watch, judge, target = Watch(), Judge(RULES), prepared.target
    opener = opener_for(target)
    sender = Sender(lambda: Watched(opener(), watch), 1, None)
    sender.careful = False  # as in exploration
    drawn = prepared.explorer.singles()
    while (case := _next(drawn, watch)) is not None:
        with watch.on("reading"):
            reading = read(case.request, target)
        with watch.on("sending"):
            sent = sender.alone(case, reading)
        with watch.on("judging"):
            judge.see(Exchange(case, reading, sent.answer, sent.seconds, sent.lost))
    sender.close()
    return watch


def _next(drawn: Iterator[Case], watch: Watch) -> Case | None:
    """The next case, on the account of whoever drew it."""
    started = perf_counter()
    case = next(drawn, None)
    if case is not None:
        own = not case.id.startswith("schemathesis.")
        watch.add(_OWN if own else _THEIRS, perf_counter() - started)
    return case


def main() -> None:
    """Measure all on the same server, and print two ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000, help="explored requests; default 5000, as a deep run has")
    parser.add_argument("--examples", type=int, default=300, help="of Schemathesis; default 300")
    options = parser.parse_args()
    own_core, server_core = cores()
    pin(own_core)
    print(f"throughput: client on core {own_core}, echo server on core {server_core}; {setting()}\n", flush=True)
    with echo(server_core) as server:
        ours = [explored(server, options.requests, concurrency) for concurrency in (1, 4)]
        theirs = fuzzed(server, options.examples)
        loop = bare(server, ordinary(exploration(target_at(server.url, 1), options.requests), options.requests))
        watch = split(server, options.requests)
    rows = [each.row() for each in (*ours, theirs, loop)]
    print(table(["", "requests", "seconds", "requests/s", "client CPU us each"], rows), "\n")
    for each in ours:
        print(_ratios(each, theirs, loop))
    print("\nwhere the time goes, 1 in flight (server's time included in sending):\n")
    print(table(["part", "times", "us each", "of all"], watch.rows()))


def _ratios(own: Measured, theirs: Measured, loop: Measured) -> str:
    faster, slower = own.rate / theirs.rate, loop.rate / own.rate
    return (
        f"{own.name}: {faster:.1f} x Schemathesis (target at least {AT_LEAST}: {met(faster >= AT_LEAST)}), "
        f"{slower:.1f} x slower than the bare loop (target at most {AT_MOST}: {met(slower <= AT_MOST)})"
    )


if __name__ == "__main__":
    main()
