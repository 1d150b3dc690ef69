"""How long the command takes before it does anything: the best of five, beside an empty Python and Schemathesis."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter

from ground import TOOLS, met, setting, table

COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "conformance --help": (str(TOOLS / "conformance"), "--help"),
    "conformance list": (str(TOOLS / "conformance"), "list"),
    "st --version": (str(TOOLS / "st"), "--version"),
}


def seconds(command: Sequence[str]) -> float:
    """The wall time of a command. Raises CalledProcessError when it fails."""
    started = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - started


def best(times: int) -> dict[str, float]:
    """The best time of each command; the commands take turns, so that a busy moment hits all of them."""
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(times)]
    return {name: min(each[name] for each in rounds) for name in COMMANDS}


def main() -> None:
    """Time each command and print it beside the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="default 5")
    options = parser.parse_args()
    print(f"startup: best of {options.times}; {setting()}\n", flush=True)
    took = best(options.times)
    empty, other = took["python -c pass"], took["st --version"]
    rows = [[name, f"{1000 * each:.0f}", f"{each / empty:.1f}", f"{each / other:.2f}"] for name, each in took.items()]
    print(table(["", "ms", "to an empty Python", "to st --version"], rows), "\n")
    slowest = max(took["conformance --help"], took["conformance list"])
    print(f"slower of ours: {slowest / other:.2f} x st --version (target below 1: {met(slowest < other)})")


if __name__ == "__main__":
    main()
