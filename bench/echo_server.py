"""A server for benchmarks: every request gets the same well-formed answer, in a few dozen microseconds.

It reads framing and nothing else: a length, chunks, ``Expect``, ``Connection: close``. What it cannot frame it answers
and hangs up on. With ``--delay`` each answer comes so much later, and other connections do not wait for it. ``GET
/tally`` gives the requests answered since it was last asked, and the seconds from the first of them to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from ground import pin

REFUSAL = b'{"Message":"This is the answer to everything."}'
RESULT = b'{"DetectAnomalyResult":{"Source":{"Type":"direct"},"IsAnomalous":false,"Confidence":0.9}}'
ANSWERS = {
    200: (b"OK", b"", RESULT),
    400: (b"Bad Request", b"ValidationException", REFUSAL),
    404: (b"Not Found", b"ResourceNotFoundException", REFUSAL),
}
MOST_HEAD = 256 * 1024

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_CHUNKED = re.compile(rb"\ntransfer-encoding:[ \t]*chunked[ \t]*\r?\n")
_CLOSE = re.compile(rb"\nconnection[ \t]*:[^\r\n]*close|\A[^\n]* http/1\.0\r?\n")
_SIZE = re.compile(rb"[0-9a-f]{1,8}", re.IGNORECASE)


@dataclass
class Counter:
    """Requests answered, and when the first and the last of them were."""

    requests: int = 0
    first: float = 0.0
    last: float = 0.0

    def count(self) -> None:
        self.last = perf_counter()
        self.first = self.first or self.last
        self.requests += 1

    def handed_over(self) -> bytes:
        """The counts as JSON; from here on they start again."""
        told = json.dumps({"requests": self.requests, "seconds": self.last - self.first}).encode()
        self.requests, self.first, self.last = 0, 0.0, 0.0
        return told


@dataclass(frozen=True)
class Head:
    """What has to be known of a request to answer it."""

    length: int | None
    """Bytes of its body; None for chunks."""
    closes: bool
    """The connection is over behind it: the client said so, or the end of the body cannot be told."""
    is_head: bool
    waits: bool
    """For a word before it sends its body."""
    is_tally: bool


def read_head(head: bytes) -> Head:
    """Read the framing of a request, forgiving everything else."""
    lower = head.lower()
    is_head, waits = lower.startswith(b"head "), b"\nexpect:" in lower
    is_tally = lower.startswith(b"get /tally ")
    closes = _CLOSE.search(lower) is not None
    lengths = _LENGTH.findall(lower)
    if b"transfer-encoding" in lower:
        if _CHUNKED.search(lower) and not lengths:
            return Head(None, closes, is_head, waits, is_tally)
        return Head(0, True, is_head, waits, is_tally)
    if not lengths:
        return Head(0, closes, is_head, waits, is_tally)
    proper = len(lengths) == 1 and lengths[0].isdigit()
    return Head(int(lengths[0]) if proper else 0, closes or not proper, is_head, waits, is_tally)


def written(status: int, body: bytes, name: bytes, reason: bytes, *more: bytes) -> bytes:
    """An answer as bytes; its body stands behind its only empty line."""
    lines = [
        b"HTTP/1.1 %d %s" % (status, reason),
        b"Content-Type: application/json",
        b"x-amzn-RequestId: 6b1f4a52-0d6e-4a3c-9a55-2f6f0b1d7c11",
        *([b"x-amzn-ErrorType: " + name] if name else []),
        b"Content-Length: %d" % len(body),
        *more,
    ]
    return b"\r\n".join([*lines, b"", body])


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self, counter: Counter, delay: float, status: int) -> None:
        self._counter = counter
        self._delay = delay
        reason, name, body = ANSWERS[status]
        self._kept = written(status, body, name, reason)
        self._closed = written(status, body, name, reason, b"Connection: close")
        self._buffer = bytearray()
        self._head: Head | None = None
        self._left = 0
        self._is_over = self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return  # a socket closed over unread bytes would reset the connection
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not (self._is_over or self._is_waiting) and self._next():
            pass

    def _next(self) -> bool:
        """Take a head, or the rest of a body: whether anything could be taken."""
        if self._head is None:
            return self._take_head()
        if self._head.length is None:
            return self._take_chunk()
        taken = min(self._left, len(self._buffer))
        del self._buffer[:taken]
        self._left -= taken
        if self._left:
            return False
        self._answer(self._head)
        return True

    def _take_head(self) -> bool:
        end = _END_OF_HEAD.search(self._buffer)
        if end is None:
            if len(self._buffer) > MOST_HEAD:
                self._answer(Head(0, True, False, False, False))
            return False
        self._head = read_head(bytes(self._buffer[: end.end()]))
        del self._buffer[: end.end()]
        self._left = self._head.length or 0
        if self._head.waits and not self._buffer and self._left:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _take_chunk(self) -> bool:
        assert self._head is not None
        line, found, _ = bytes(self._buffer[:4096]).partition(b"\r\n")
        if not found:
            return False
        size = _SIZE.fullmatch(line.partition(b";")[0].rstrip())
        if size is None:
            self._answer(Head(0, True, self._head.is_head, False, False))
            return False
        length = int(size[0], 16)
        if length:
            whole = len(line) + length + 4
            is_here = len(self._buffer) >= whole
            if is_here:
                del self._buffer[:whole]
            return is_here
        return self._take_trailer(len(line) + 2, self._head)

    def _take_trailer(self, start: int, head: Head) -> bool:
        rest = bytes(self._buffer[start:])
        end = 2 if rest.startswith(b"\r\n") else rest.find(b"\r\n\r\n") + 4
        if end < 4 and not rest.startswith(b"\r\n"):
            return False
        del self._buffer[: start + end]
        self._answer(head)
        return True

    def _answer(self, head: Head) -> None:
        self._head = None
        if head.is_tally:
            self._transport.write(written(200, self._counter.handed_over(), b"", b"OK"))
        elif self._delay:
            self._is_waiting = True
            asyncio.get_running_loop().call_later(self._delay, self._reply, head)
        else:
            self._reply(head)

    def _reply(self, head: Head) -> None:
        was_waiting, self._is_waiting = self._is_waiting, False
        self._counter.count()
        answer = self._closed if head.closes else self._kept
        self._transport.write(answer[: answer.index(b"\r\n\r\n") + 4] if head.is_head else answer)
        if head.closes:
            self._is_over = True
            if not self._transport.is_closing():
                self._transport.write_eof()
        elif was_waiting:
            self._go_on()


async def serve(port: int, make: Callable[[], asyncio.Protocol]) -> None:
    """Serve until SIGTERM or Ctrl-C; the first line on standard output says where."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(make, "127.0.0.1", port, backlog=1024)
    print(f"serving at http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    """Serve one answer to everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="default any that is free")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before each answer; default none")
    parser.add_argument("--status", type=int, choices=sorted(ANSWERS), default=400, help="default 400")
    parser.add_argument("--core", type=int, help="stay on this core")
    options = parser.parse_args()
    if options.core is not None:
        pin(options.core)
    counter = Counter()
    asyncio.run(serve(options.port, lambda: Echo(counter, options.delay, options.status)))


if __name__ == "__main__":
    main()
