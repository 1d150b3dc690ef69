"""Programs of others, run with bounds: their own process group, a clean environment, limited time and output."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

MOST_OUTPUT = 4 * 1024 * 1024
"""Bytes that a program may print, both streams together."""
_TAIL = 2000
_PIECE = 64 * 1024
_LEAVE = 1.0  # seconds for a program that has said everything to end

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_DUMMY = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "of-no-account"}


def clean_environment(
    home: Path, region: str, credentials: Mapping[str, str] | None = None, ca: Path | None = None
) -> dict[str, str]:
    """The whole environment of a client: nothing of the operator's is in it but what is given here.

    ``credentials`` are by the names of ``KEYS``; without them dummies sign.
    """
    given = {name: value for name, value in (credentials or _DUMMY).items() if name in KEYS}
    authorities = {"AWS_CA_BUNDLE": str(ca), "NODE_EXTRA_CA_CERTS": str(ca)} if ca else {}
    return given | authorities | {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "3",
        "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
    }  # fmt: skip


Hide = Callable[[str], str]
"""From a text to what of it may be told."""


def hushed(value: Any, hide: Hide) -> Any:
    """JSON-able data without what is to be hidden in the texts of it."""
    if isinstance(value, dict):
        return {hide(name): hushed(each, hide) for name, each in value.items()}
    if isinstance(value, list):
        return [hushed(each, hide) for each in value]
    return hide(value) if isinstance(value, str) else value


@dataclass
class Heard:
    """What a program printed until it ended, or was ended."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    """The lines that are JSON objects, in order."""
    trouble: str = ""
    """How it ended, in one sentence, for whoever misses something."""


@dataclass
class _Streams:
    """What has come so far, in pieces."""

    take: Callable[[dict[str, Any]], None]
    rest: bytes = b""
    total: int = 0
    tail: bytes = b""
    """The end of what is no line of ours, for people."""
    hide: Hide = str
    """What is taken out of what is for people."""
    renewed: bool = False
    """A line of ours has come since the last look."""
    done: bool = False
    """Nothing more will come on standard output."""

    def out(self, piece: bytes) -> None:
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            found = _object(line)
            if found is None:
                self.odd(line + b"\n")
            else:
                self.take(found)
                self.renewed = True

    def odd(self, piece: bytes) -> None:
        self.tail = (self.tail + piece)[-_TAIL:]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def converse(
    command: Sequence[str],
    job: Mapping[str, Any],
    environment: Mapping[str, str],
    home: Path,
    seconds: float,
    on_line: Callable[[dict[str, Any]], None] = lambda _: None,
    hide: Hide = str,
) -> Heard:
    """Hand a program its job and hear what it says, line by line; it may be silent for so many seconds.

    Whatever happens, the program and all that it started are gone afterwards.
    """
    heard = Heard()

    def take(line: dict[str, Any]) -> None:
        heard.lines.append(line)
        on_line(line)

    with tempfile.TemporaryFile() as paper:
        paper.write(json.dumps(job).encode())
        paper.seek(0)
        try:
            process = _started(command, environment, home, paper)
        except OSError as error:
            heard.trouble = f"it cannot be started: {error.strerror or error}"
            return heard
        try:
            heard.trouble = _listen(process, _Streams(take, hide=hide), seconds)
        finally:
            end(process)
    return heard


def _started(
    command: Sequence[str], environment: Mapping[str, str], home: Path, paper: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (a client that we installed, and no shell)
        list(command),
        stdin=paper,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=home,
        start_new_session=True,
    )


def _listen(process: subprocess.Popen[bytes], streams: _Streams, seconds: float) -> str:
    """Read until both streams end, or for too long, or too much; how it ended."""
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for stream, take in ((process.stdout, streams.out), (process.stderr, streams.odd)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, take)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready or time.monotonic() >= until:
                break
            for key, _ in ready:
                streams.total += _pass_on(selector, key)
            streams.done = process.stdout not in {key.fileobj for key in selector.get_map().values()}
            if streams.total > MOST_OUTPUT:
                return f"it printed more than {MOST_OUTPUT // 1024} KiB"
            if streams.renewed:
                until, streams.renewed = time.monotonic() + seconds, False
            if streams.done:  # its errors may be kept open by something that it started
                until = min(until, time.monotonic() + _LEAVE)
    return _farewell(process, streams) if streams.done else _told(f"it said nothing for {seconds:g} s", streams)


def _pass_on(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> int:
    """Hand on what one stream has, and look at it no more when that is its end; how many bytes it was."""
    piece = os.read(key.fd, _PIECE)
    if not piece:
        selector.unregister(key.fileobj)
    key.data(piece)
    return len(piece)


def _farewell(process: subprocess.Popen[bytes], streams: _Streams) -> str:
    streams.odd(streams.rest)
    try:
        code = process.wait(_LEAVE)
    except subprocess.TimeoutExpired:
        return _told("it closed its output and did not end", streams)
    return _told(f"it ended with exit code {code}" if code >= 0 else f"signal {-code} ended it", streams)


def _told(sentence: str, streams: _Streams) -> str:
    said = last_lines(streams.hide(streams.tail.decode("utf-8", "replace")).encode())
    return f"{sentence}, saying: {said}" if said else sentence


def last_lines(output: bytes, most: int = 300) -> str:
    """The end of an output in one line."""
    return " ".join(output.decode("utf-8", "replace").split())[-most:]


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and whatever it started in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
