"""What the benchmarks stand on: two cores, the other tools, runs without fixed cases, and tables.

Importing it loads nothing of the suite, so that what is measured in a fresh process is not paid for by its parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.run import Prepared
    from conformance.target import Target

HERE = Path(__file__).resolve().parent
OPENAPI = HERE.parent / "schemas" / "openapi.yaml"
TOOLS = Path(sys.executable).parent
"""Where the commands are installed."""


def cores() -> tuple[int, int]:
    """The core of the client and the core of the server; the same one where there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pin(core: int) -> None:
    """Keep this process, and what it starts from now on, on one core."""
    os.sched_setaffinity(0, {core})


def setting() -> str:
    """When and on what this is measured, in a line."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}"


@dataclass(frozen=True)
class Tally:
    """What a server counted: requests, and the seconds from the first answer to the last."""

    requests: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second, whatever came before the first and after the last."""
        return (self.requests - 1) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Echo:
    """The echo server in its own process."""

    url: str

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def tally(self) -> Tally:
        """What it counted since it was asked last."""
        with urllib.request.urlopen(f"{self.url}/tally", timeout=10) as answer:  # noqa: S310 - our own URL
            counted = json.load(answer)
        return Tally(counted["requests"], counted["seconds"])


@contextmanager
def echo(core: int | None = None, delay: float = 0.0, status: int = 400) -> Iterator[Echo]:
    """The echo server on a free port for as long as the block runs."""
    command = [sys.executable, str(HERE / "echo_server.py"), "--delay", str(delay), "--status", str(status)]
    pinned = [] if core is None else ["--core", str(core)]
    with announced([*command, *pinned]) as url:
        yield Echo(url)


@contextmanager
def announced(command: Sequence[str]) -> Iterator[str]:
    """A server that says its URL as the last word of its first line; ended with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            words = process.stdout.readline().split() if process.stdout else []
            if not words:
                raise SystemExit(f"{command[1]} did not start")
            yield words[-1]
        finally:
            process.terminate()


def target_at(url: str, concurrency: int) -> Target:
    """The bundled reference's target, somewhere else."""
    from dataclasses import replace

    from conformance.selftest import REFERENCE
    from conformance.target import load

    target = load(REFERENCE)
    return replace(target, url=url, limits=replace(target.limits, concurrency=concurrency))


def exploration(target: Target, requests: int) -> Prepared:
    """A run of nothing but so many explored requests, in the proportions of the deep one."""
    from dataclasses import replace

    from conformance import run
    from conformance.cases.plan import Plan
    from conformance.exploration import Depth

    prepared = run.prepare(target, depth=Depth(requests, requests // 5), shrink=False)
    return replace(prepared, plan=Plan((), (), (), ()), planned=requests)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in (head, ["-" * width for width in widths], *rows))
    ]
    return "\n".join(line.rstrip() for line in lines)


def met(holds: bool) -> str:
    """Whether a target is met, for people."""
    return "met" if holds else "missed"
