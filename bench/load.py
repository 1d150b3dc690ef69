"""What the reference takes: requests a second and latencies under load, its memory, and what malformed traffic leaves.

The server has one core, the load the other. Load comes from wrk (Debian: ``apt-get install wrk``), a refusal and a
256x256 image at 1, 8 and 64 connections. Then images for ``--minutes``, with the server's memory at the begin and the
end; then our own deep exploration as malformed traffic, after which no answer may have been a 5xx and no descriptor
may be left open.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from ground import cores, exploration, met, pin, setting, table, target_at
from PIL import Image, ImageDraw

from conformance.message import Response

CONNECTIONS = (1, 8, 64)
SIDE = 256  # pixels
PATH = "/2020-11-20/projects/{}/models/{}/detect"
LEAST_REFUSALS = 1500
"""Requests a second."""
STEADY = 1.1
"""Times the memory at the begin."""


@dataclass(frozen=True)
class Served:
    """The server in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    @property
    def descriptors(self) -> int:
        """Open files and sockets."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def served(core: int) -> Iterator[Served]:
    """``conformance serve`` with its demo models, on one core."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "conformance.cli", "serve", "--port", "0"]
    with subprocess.Popen([*command, "--log-format", "none"], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SystemExit("the reference did not start")
            yield Served(line.split()[-1], process)
        finally:
            process.terminate()


def photograph() -> bytes:
    """A scratched surface."""
    image = Image.effect_noise((SIDE, SIDE), 12).convert("RGB")
    ImageDraw.Draw(image).line((30, 40, 200, 180), fill=(20, 20, 20), width=5)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def loaded(url: str, body: bytes, connections: int, seconds: float, core: int) -> list[str]:
    """One run of wrk: requests a second, median and 99th percentile in ms, answers that were not asked for."""
    script = (
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "image/png"\nlocal file = io.open(BODY, "rb")\n'
        'wrk.body = file:read("*a")\n'
        'done = function(summary, latency, _) io.write(string.format("%d %d %.3f %.3f %d %d\\n", summary.requests, '
        "summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status, "
        "summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout)) end\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        lua, file = Path(folder, "post.lua"), Path(folder, "body")
        file.write_bytes(body)
        lua.write_text(script.replace("BODY", json.dumps(str(file))), encoding="utf-8")
        run = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--timeout",
            "30s",
            "--latency",
            "-s",
            str(lua),
            url,
        ]
        done = subprocess.run(["taskset", "-c", str(core), *run], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


def row(name: str, connections: int, figures: list[str], refused: bool) -> list[str]:
    """A line of the table; a refusal that is answered with an error was meant to be."""
    requests, micros, median, worst, errors, broken = figures
    unexpected = int(broken) + (int(requests) - int(errors) if refused else int(errors))
    rate = f"{1e6 * int(requests) / int(micros):.0f}"
    return [name, str(connections), rate, median, worst, str(unexpected)]


def soaked(server: Served, requests: int) -> Counter[int]:
    """The statuses with which malformed traffic is answered."""
    target = target_at(server.url, 4)
    statuses: Counter[int] = Counter()
    prepared = exploration(target, requests)
    inner = prepared.stage.unsigned

    class Counting:
        """A connection of which the statuses are counted."""

        def __init__(self) -> None:
            self._inner = inner()

        def exchange(self, *details: object) -> object:
            answer = self._inner.exchange(*details)  # type: ignore[arg-type]
            if isinstance(answer, Response):
                statuses[answer.status] += 1
            return answer

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    from dataclasses import replace

    replace(prepared, stage=replace(prepared.stage, unsigned=Counting)).go()  # type: ignore[arg-type]
    return statuses


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for each line of the table; default 5")
    parser.add_argument("--minutes", type=float, default=0.5, help="of images, with a look at the memory; default 0.5")
    parser.add_argument("--requests", type=int, default=5000, help="of malformed traffic; default 5000")
    options = parser.parse_args()
    if not (shutil.which("wrk") and shutil.which("taskset")):
        raise SystemExit("this needs wrk and taskset: apt-get install wrk util-linux")
    load_core, server_core = cores()
    pin(load_core)
    print(f"load: wrk on core {load_core}, server on core {server_core}; {setting()}\n", flush=True)
    image = photograph()
    with served(server_core) as server:
        measure(server, image, options, load_core)


def measure(server: Served, image: bytes, options: argparse.Namespace, core: int) -> None:
    """The table, the memory and the soak."""
    refusal, look = server.url + PATH.format("nobody", 1), server.url + PATH.format("circuits", 2)
    kinds = {"refusal": (refusal, b"x"), f"image {SIDE}x{SIDE}": (look, image)}
    rows = [
        row(name, count, loaded(url, body, count, options.seconds, core), url is refusal)
        for name, (url, body) in kinds.items()
        for count in CONNECTIONS
    ]
    print(table(["", "connections", "requests/s", "p50 ms", "p99 ms", "unexpected"], rows), "\n")
    slowest = min(int(each[2]) for each in rows if each[0] == "refusal")
    print(f"refusals: at least {slowest}/s (target at least {LEAST_REFUSALS}: {met(slowest >= LEAST_REFUSALS)})")
    before = server.megabytes
    loaded(look, image, 8, options.minutes * 60, core)
    growth = server.megabytes / before
    print(
        f"memory after {options.minutes:g} minutes of images: {server.megabytes:.0f} MB, {growth:.2f} x that before "
        f"(target at most {STEADY}: {met(growth <= STEADY)})"
    )
    descriptors = server.descriptors
    statuses = soaked(server, options.requests)
    faults = sum(count for status, count in statuses.items() if status >= 500)
    sleep(1)  # for the last connections to close
    left = server.descriptors - descriptors
    print(
        f"malformed traffic, {statuses.total()} answers: {faults} of them 5xx ({met(not faults)}), "
        f"{left} descriptors left open ({met(left <= 0)})"
    )


if __name__ == "__main__":
    main()
