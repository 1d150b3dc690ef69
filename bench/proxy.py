"""What the proxy costs: the same requests directly and through it, turn by turn, while it judges and keeps evidence.

A client sends an image over a kept-alive socket and reads the answer, once to a server that answers at once and once
through the proxy to the same server. Nobody is kept on a core: the judge's thread goes where there is room. Without a
pause the judge is always busy while traffic passes, which is the worst that can happen; what it has no time for is
passed on and counted. With a pause it is done before the next request comes, and everybody has to be woken.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep

from ground import TOOLS, announced, echo, met, setting, table
from PIL import Image
from throughput import read_answer

PATH = "/2020-11-20/projects/cookies/models/1/detect"
WARM = 10
"""Requests that open connections and load what is loaded late; they are not counted."""
AT_MOST = 1.0
"""Milliseconds that the proxy adds, at the median."""
PAUSE = 0.05
"""Seconds between two requests, in which the judge is done with the first."""
DISTINCT = 97
"""Pictures of a kind: what was seen before would be judged in no time."""


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each request, directly and through the proxy."""

    name: str
    direct: list[float]
    through: list[float]

    @property
    def added(self) -> float:
        return median(self.through) - median(self.direct)

    def row(self) -> list[str]:
        slowest = quantiles(self.through, n=20)[-1] - quantiles(self.direct, n=20)[-1]
        figures = [median(self.direct), median(self.through), self.added, slowest]
        return [self.name, f"{len(self.through)}", *(f"{each:.2f}" for each in figures)]


def photographs(side: int, kind: str) -> list[bytes]:
    """Pictures with much in them, no two alike: 64 pixels are 12 KB as PNG, 340 some 100 KB as JPEG."""
    return [_photograph(random.Random(seed), side, kind) for seed in range(DISTINCT)]  # noqa: S311


def _photograph(source: random.Random, side: int, kind: str) -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), source.randbytes(3 * side * side)).save(file, kind, quality=90)
    return file.getvalue()


def wire(address: tuple[str, int], picture: bytes, kind: str) -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: {kind}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(picture) + picture


@contextmanager
def proxy(url: str, folder: Path) -> Iterator[tuple[str, int]]:
    """The command, and where it listens."""
    command = [str(TOOLS / "conformance"), "proxy", url, "--classification", "cookies/1"]
    with announced([*command, "--port", "0", "--out", str(folder)]) as through:
        host, _, port = through.removeprefix("http://").partition(":")
        yield host, int(port)


def compare(
    requests: int, pause: float, ways: tuple[tuple[str, int], tuple[str, int]], pictures: Sequence[bytes], kind: str
) -> Taken:
    """Send pictures both ways in turns."""
    lines = [socket.create_connection(way) for way in ways]
    taken: tuple[list[float], list[float]] = ([], [])
    for line in lines:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(requests + WARM):
        for line, way, times in zip(lines, ways, taken, strict=True):
            took = timed(line, wire(way, pictures[number % DISTINCT], f"image/{kind.lower()}"))
            if number >= WARM:
                times.append(took)
        sleep(pause)
    for line in lines:
        line.close()
    name = f"{kind}, {len(pictures[0]) / 1000:.0f} KB, {'with' if pause else 'without'} pauses"
    return Taken(name, *taken)


def timed(line: socket.socket, request: bytes) -> float:
    started = perf_counter()
    line.sendall(request)
    answer = read_answer(line)
    took = 1000 * (perf_counter() - started)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"unexpected: {answer[:200]!r}")
    return took


def main() -> None:
    """Send each kind of picture both ways, with and without a pause."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400, help="of each kind; default 400")
    options = parser.parse_args()
    print(f"proxy: {setting()}\n", flush=True)
    pictures = {"PNG": photographs(64, "PNG"), "JPEG": photographs(340, "JPEG")}
    with tempfile.TemporaryDirectory() as name, echo(status=200) as server:
        folder = Path(name)
        with proxy(server.url, folder) as through:
            ways = (server.address, through)
            taken = [
                compare(options.requests, pause, ways, each, kind)
                for pause in (PAUSE, 0.0)
                for kind, each in pictures.items()
            ]
        judged = json.loads((folder / "report.json").read_text(encoding="utf-8"))["run"]["judged"]
    head = ["", "requests", "direct ms", "through ms", "added ms, median", "added ms, p95"]
    print(table(head, [each.row() for each in taken]), "\n")
    passed = sum(len(each.through) + WARM for each in taken)
    print(f"judged: {judged} of the {passed} that were passed on")
    worst = max(each.added for each in taken)
    print(f"added at the median, at worst: {worst:.2f} ms (target at most {AT_MOST:g}: {met(worst <= AT_MOST)})")


if __name__ == "__main__":
    main()
