"""Our command in a process of its own, one run after the other: what each cost, touched and left behind.

The process is used again, since most of a short run is spent on imports; its peak is counted anew for every run.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

WATCHDOG_SECONDS = 60.0
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAKING = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "os.truncate": 0, "os.chmod": 0}
_STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile")


@dataclass(frozen=True)
class Ran:
    """What came of one command."""

    code: int
    seconds: float
    peak: int
    """Bytes of memory, at most, while it ran."""
    out: str
    errors: str
    written: list[str]
    """Paths that were opened for writing, made, or moved to."""
    dialled: list[list[Any]]
    """Addresses of sockets that it was going to connect to."""
    started: list[str]
    """Programs, as far as it started any."""
    threads: list[str]
    """Threads that were still there when it was done."""
    sockets: int
    """Sockets that were still open then."""


class Watched:
    """The process. It starts with the first command, and again after one that did not come back."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def run(self, *arguments: str | Path) -> Ran:
        """Run the command; fails when it does not come back before the watchdog barks."""
        process = self._process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([str(each) for each in arguments]).encode() + b"\n")
        process.stdin.flush()
        if select.select([process.stdout], [], [], WATCHDOG_SECONDS)[0] and (line := process.stdout.readline()):
            return Ran(**json.loads(line))
        self._stop()
        raise AssertionError(f"conformance {' '.join(map(str, arguments))} hangs, or took its process along")

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-X", "dev", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._folder,
            env=dict(self._environment),
        )

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


class _Witness:
    """Takes note of what Python is asked to touch, as long as a command runs."""

    def __init__(self) -> None:
        self._noting = False
        self._forget()
        sys.addaudithook(self._hook)

    def watch(self, arguments: Sequence[str]) -> Ran:
        from conformance.cli import main

        self._forget()
        _forget_peak()
        started = time.monotonic()
        with Path("out").open("w+") as out, Path("errors").open("w+") as errors:
            self._noting = True
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                code = main(arguments)
                gc.collect()
            self._noting = False
            seconds = time.monotonic() - started
            out.seek(0)
            errors.seek(0)
            said = (out.read(), errors.read())
        return Ran(code, seconds, _peak(), *said, self._written, self._dialled, self._started, *_left_behind())

    def _forget(self) -> None:
        self._written: list[str] = []
        self._dialled: list[list[Any]] = []
        self._started: list[str] = []

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._noting:
            return
        if event == "open" and isinstance(args[0], str | bytes | os.PathLike) and args[2] & _WRITING:
            self._written.append(os.path.realpath(os.fsdecode(args[0])))
        elif event in _MAKING:
            self._written.append(os.path.realpath(os.fsdecode(args[_MAKING[event]])))
        elif event == "socket.connect":
            self._dialled.append(list(args[1]))
        elif event in _STARTING:
            self._started.append(str(args))


def _left_behind() -> tuple[list[str], int]:
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    return threads, sum(isinstance(each, socket.socket) and each.fileno() >= 0 for each in gc.get_objects())


def _forget_peak() -> None:
    """Count the peak from now on, where the system can do that; elsewhere it is the whole process'."""
    gc.collect()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _serve() -> None:
    witness = _Witness()
    for line in sys.stdin:
        print(json.dumps(asdict(witness.watch(json.loads(line)))), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
