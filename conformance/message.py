"""The wire types: what goes out and what comes back, as bytes.

Everything here is a value. Nothing here knows a socket, a clause or a rule, so the judge, the wire and the
reference implementation can share this module without sharing an opinion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

Headers = tuple[tuple[bytes, bytes], ...]
"""Header pairs in wire order, repeats kept, values without the white space around them."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, byte for byte: ``wire`` is what is written to the socket, nothing added, nothing mended.

    ``method``, ``target``, ``version`` and ``headers`` are a forgiving look at ``head``: they never raise, whatever
    the bytes. Whether the bytes are proper HTTP is for ``formats.http`` to say.
    """

    head: bytes
    """Request line and header section, closing empty line included."""
    body: bytes = b""
    """Everything after the head, transfer coding included."""

    @classmethod
    def build(
        cls,
        method: str | bytes,
        target: str | bytes,
        headers: Headers | list[tuple[str | bytes, str | bytes]] = (),
        body: bytes = b"",
        version: str | bytes = b"HTTP/1.1",
    ) -> Request:
        """Join the parts of a request with single spaces and CRLF. No part is checked, encoded or added."""
        line = b" ".join(_octets(part) for part in (method, target, version))
        fields = [_octets(name) + b": " + _octets(value) for name, value in headers]
        return cls(b"\r\n".join([line, *fields, b"", b""]), body)

    @cached_property
    def wire(self) -> bytes:
        """The bytes that are sent."""
        return self.head + self.body

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes cut inside the head, behind it, and a little into the body."""
        middle = len(self.head) // 2
        return self.head[:middle], self.head[middle:], self.body[:10], self.body[10:]

    @cached_property
    def _line(self) -> tuple[bytes, bytes, bytes]:
        first = self.head.split(b"\n", 1)[0].rstrip(b"\r")
        method, _, rest = first.partition(b" ")
        target, _, version = rest.rpartition(b" ")
        return method, target, version

    @property
    def method(self) -> bytes:
        return self._line[0]

    @property
    def target(self) -> bytes:
        """The request target as written, between the first and the last space of the request line."""
        return self._line[1]

    @property
    def version(self) -> bytes:
        return self._line[2]

    @cached_property
    def headers(self) -> Headers:
        lines = self.head.split(b"\n")[1:]
        pairs = (line.rstrip(b"\r").partition(b":") for line in lines if line.strip())
        return tuple((name, value.strip(b" \t")) for name, _, value in pairs)

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """All values of a header, in order; ``name`` in lower case."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[bytes, tuple[bytes, ...]]:
        return _by_name(self.headers)


@dataclass(frozen=True)
class Response:
    """One complete HTTP answer, and what is wrong with the way it was written.

    ``body`` is without transfer coding; content codings are left as they are. ``wire`` is everything that arrived
    for this answer, interim answers and stray bytes included.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: bytes = b""
    version: bytes = b"HTTP/1.1"
    faults: tuple[str, ...] = ()
    """Breaches of HTTP in the answer itself, each one sentence, in the order in which they were met."""
    interim: tuple[int, ...] = ()
    """Status codes of the 1xx answers that came first."""
    wire: bytes = field(default=b"", repr=False)
    closes: bool = False
    """The connection cannot be used again: the server said or did so, or the framing leaves no other way."""

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """All values of a header, in order; ``name`` in lower case."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[bytes, tuple[bytes, ...]]:
        return _by_name(self.headers)


class Silence(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  # no connection: refused, unresolved, TLS failed
    TIMEOUT = "timeout"  # the deadline passed before the answer was whole
    RESET = "reset"  # the connection was reset
    CLOSED = "closed"  # the connection was closed before the answer was whole
    MALFORMED = "malformed"  # what came cannot be read as HTTP
    TOO_LARGE = "too-large"  # the answer passed a cap on head, interim answers or body
    ABORTED = "aborted"  # we hung up on purpose before an answer was due


@dataclass(frozen=True)
class NoAnswer:
    """What there is instead of a ``Response``. Never an exception: a target may do what it likes."""

    kind: Silence
    detail: str = ""
    wire: bytes = field(default=b"", repr=False)
    """What had arrived by then."""

    @property
    def spoke(self) -> bool:
        """An answer had begun, and was broken or broken off; the deadline and we had no part in that."""
        return bool(self.wire) and self.kind in (Silence.MALFORMED, Silence.CLOSED, Silence.RESET)


Answer = Response | NoAnswer


class Delivery(StrEnum):
    """How the bytes of a request are handed over."""

    WHOLE = "whole"  # all at once
    AWAIT_CONTINUE = "await-continue"  # the head; at most a second for 100 or a final answer; then the body
    PIECES = "pieces"  # in four pieces with a moment between them, as slow networks do
    ABORT = "abort"  # the head and half of the body, then hang up


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _by_name(headers: Headers) -> Mapping[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = (*found[key], value) if key in found else (value,)
    return found
