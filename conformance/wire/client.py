"""Sends requests byte for byte over plain or TLS sockets and waits for the answers, never longer than agreed.

No proxies, redirects, cookies, retries or decompression. What a server does is never an exception: every exchange
ends in an ``Answer`` before its deadline.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import ECONNREFUSED, EINPROGRESS, EWOULDBLOCK
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.wire.answers import Caps, Reader

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?/?", re.IGNORECASE)
_PIECE = 64 * 1024
_PIECE_OUT = 256 * 1024

_PORTS = range(32768, 60999)
"""Where most systems take the ports of clients from."""
_TRIES_FOR_A_PORT = 16

_TLS_TROUBLE = {
    "WRONG_VERSION_NUMBER": "the port does not speak it",
    "UNEXPECTED_EOF_WHILE_READING": "the server hung up",
}

_Address = tuple[Any, ...]  # one entry of socket.getaddrinfo


@dataclass(frozen=True)
class Endpoint:
    """Where the target listens."""

    scheme: str
    host: str
    """A name or an address; IPv6 without brackets."""
    port: int
    ca_file: str | None = None
    """PEM file with the only authorities to trust; None: the system's."""

    @classmethod
    def of(cls, url: str, ca_file: str | None = None) -> Endpoint:
        """The endpoint of ``http[s]://host[:port][/]``; ValueError says what else the URL holds."""
        parts = _ORIGIN.fullmatch(url)
        if parts is None:
            raise ValueError(f"{_without_user(url)!r} is no base URL: {_objection(url)}")
        scheme = parts[1].lower()
        port = int(parts[4]) if parts[4] else _DEFAULT_PORTS[scheme]
        if not 1 <= port <= 65535:
            raise ValueError(f"{url!r} is no base URL: the port must be from 1 to 65535")
        return cls(scheme, parts[2] or parts[3], port, ca_file)

    @property
    def host_header(self) -> bytes:
        """The value for a Host header: IPv6 in brackets, the scheme's default port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}").encode("ascii")


@dataclass(frozen=True)
class Limits:
    """How long and how much. Times are in seconds."""

    answer_seconds: float = 10.0
    """For one whole exchange: connecting, TLS, sending and the answer. Only name resolution is outside."""
    caps: Caps = field(default_factory=Caps)
    linger_seconds: float = 0.002
    """How long ``Connection.settle`` looks for stray bytes."""
    piece_seconds: float = 0.005
    """The moment between two of the pieces of ``Delivery.PIECES``."""
    continue_seconds: float = 1.0
    """How long ``Delivery.AWAIT_CONTINUE`` keeps the body back."""


class Client:
    """Opens connections to one endpoint, whose address is looked up once and pinned. May be shared by threads."""

    def __init__(self, endpoint: Endpoint, limits: Limits, *, any_port: bool = False) -> None:
        """``any_port``: each connection comes from a port drawn by us. A system's own choices follow one another."""
        self._any_port = any_port
        self.endpoint = endpoint
        self.limits = limits
        self._lock = threading.Lock()
        self._addresses: list[_Address] = []
        self._tls: ssl.SSLContext | None = None

    @property
    def address(self) -> str | None:
        """The pinned IP address; None before the first connection."""
        return str(self._addresses[0][4][0]) if len(self._addresses) == 1 else None

    def open(self) -> Connection:
        """A connection, which connects at its first exchange."""
        return Connection(self)

    def pipeline(self, requests: Sequence[Request]) -> list[Answer]:
        """Write all requests at once on a new connection and read their answers in order, one for each request.

        Each answer has the whole time limit, counted from the end of the answer before.
        """
        with self.open() as connection:
            return connection._exchange_all(requests)

    def _prepare(self) -> None:
        """What has to be done once and has no deadline; raises _UnreachableError."""
        with self._lock:
            if not self._addresses:
                self._addresses = _resolve(self.endpoint)
            if self.endpoint.scheme == "https" and self._tls is None:
                self._tls = _tls_context(self.endpoint.ca_file)

    def _connect(self, until: float) -> socket.socket:
        """A connected non-blocking socket; raises _UnreachableError."""
        try:
            sock = self._dial_any(until)
            return sock if self._tls is None else _secure(sock, self._tls, self.endpoint.host, until)
        except (OSError, ValueError) as error:
            raise _UnreachableError(_plainly(error)) from error

    def _dial_any(self, until: float) -> socket.socket:
        """Try the addresses in turn, each with its share of the time, and pin the one that answers."""
        addresses = list(self._addresses)
        trouble = OSError("no address")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            now = time.monotonic()
            try:
                sock = _dial(address, now + (until - now) / left, any_port=self._any_port)
            except OSError as error:
                trouble = error
                continue
            self._addresses = [address]
            return sock
        raise trouble


class Connection:
    """One connection, for one thread at a time. To be closed by whoever opened it."""

    def __init__(self, client: Client) -> None:
        self.reusable = True
        """Another request may be sent on it."""
        self.used = 0
        """Requests sent on it."""
        self.lost_idle = False
        """At the last exchange the connection, used before, broke before a byte of the answer came: try a new one."""
        self.stray = b""
        """Bytes that came unasked between two exchanges or were found by ``settle``."""
        self._client = client
        self._limits = client.limits
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._events = 0
        self._unsent = memoryview(b"")
        self._deaf = False

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        """Send one request and wait for its answer. Sends once: trying again is the caller's business."""
        was_used = self.used > 0
        obstacle, until = self._make_ready()
        if obstacle is not None:
            self.lost_idle = was_used
            self.close()
            return obstacle
        self.used += 1
        reader = self._reader(request)
        answer = self._deliver(request, delivery, reader, until)
        if isinstance(answer, NoAnswer):
            self.lost_idle = was_used and not reader.started and answer.kind in (Silence.CLOSED, Silence.RESET)
            self.close()
        else:
            self.lost_idle = False
            self.reusable = not (answer.closes or self._unsent or self._deaf)
        return answer

    def settle(self) -> bytes:
        """Wait ``linger_seconds`` for bytes behind the last answer; any byte or end makes the connection unusable."""
        found = b""
        until = time.monotonic() + self._limits.linger_seconds
        while self._socket is not None and len(found) < _PIECE:
            piece = self._glance()
            if piece:
                found += piece
            if piece == b"":
                self.reusable = False
                break
            if time.monotonic() >= until:
                break
            if piece is None:
                self._wait(select.POLLIN, until)
        self.stray += found
        self.reusable = self.reusable and not found
        return found

    def close(self) -> None:
        """Hang up; harmless when done twice."""
        self.reusable = False
        self._unsent = memoryview(b"")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _make_ready(self) -> tuple[NoAnswer | None, float]:
        """Connect, or make sure that the idle connection is sound: what hinders, and the deadline."""
        seconds = self._limits.answer_seconds
        if self._socket is not None and self.reusable:
            return self._idle_trouble(), time.monotonic() + seconds
        if self.used or not self.reusable:
            return NoAnswer(Silence.CLOSED, "The connection was finished with; nothing was sent."), 0.0
        try:
            self._client._prepare()
            until = time.monotonic() + seconds
            self._socket = self._client._connect(until)
        except _UnreachableError as error:
            return NoAnswer(Silence.UNREACHABLE, str(error)), 0.0
        self._events = select.POLLIN
        self._poll.register(self._socket, self._events)
        return None, until

    def _idle_trouble(self) -> NoAnswer | None:
        piece = self._glance()
        if piece is None:
            return None
        if not piece:
            return NoAnswer(Silence.CLOSED, "The server had closed the idle connection; nothing was sent.")
        self.stray += piece
        return NoAnswer(Silence.CLOSED, "Unasked bytes had come on the idle connection; nothing was sent.")

    def _reader(self, request: Request, *, followed: bool = False) -> Reader:
        upgrade_asked = b"\nupgrade" in request.head.lower()
        return Reader(request.method, self._limits.caps, upgrade_asked=upgrade_asked, followed=followed)

    def _deliver(self, request: Request, delivery: Delivery, reader: Reader, until: float) -> Answer:
        if delivery is Delivery.ABORT:
            return self._send_half(request, reader, until)
        if delivery is Delivery.AWAIT_CONTINUE:
            self._unsent = memoryview(request.head)
            patience = min(until, time.monotonic() + self._limits.continue_seconds)
            self._pump(reader, patience, lambda: reader.answer is not None or 100 in reader.interim)
            self._unsent = memoryview(bytes(self._unsent) + request.body)
        elif delivery is Delivery.PIECES:
            for piece in request.pieces:
                self._unsent = memoryview(bytes(self._unsent) + piece)
                patience = min(until, time.monotonic() + self._limits.piece_seconds)
                self._pump(reader, patience, lambda: reader.answer is not None)
        else:
            self._unsent = memoryview(request.wire)
        return self._look_behind(reader, self._read_answer(reader, until))

    def _send_half(self, request: Request, reader: Reader, until: float) -> NoAnswer:
        half = request.body[: len(request.body) // 2]
        self._unsent = memoryview(request.head + half)
        self._pump(reader, until, lambda: not self._unsent or reader.answer is not None)
        early = reader.answer or reader.give_up(Silence.ABORTED, "")
        return NoAnswer(Silence.ABORTED, "We hung up on purpose after the head and half of the body.", early.wire)

    def _read_answer(self, reader: Reader, until: float) -> Answer:
        """Send what is unsent until the answer is complete."""
        self._pump(reader, until, lambda: reader.answer is not None)
        answer = reader.answer or reader.give_up(
            Silence.TIMEOUT, f"No whole answer came within {self._limits.answer_seconds:g} s."
        )
        if isinstance(answer, NoAnswer) and answer.kind is Silence.CLOSED and self._deaf:
            return replace(answer, kind=Silence.RESET)
        return answer

    def _look_behind(self, reader: Reader, answer: Answer) -> Answer:
        """The answer, with what already stands behind it on a connection that is to be kept."""
        if isinstance(answer, NoAnswer) or answer.closes:
            return answer
        piece = self._glance()
        if piece:
            reader.feed(piece)
        elif piece == b"":
            reader.feed_eof()
        return reader.answer or answer

    def _exchange_all(self, requests: Sequence[Request]) -> list[Answer]:
        if not requests:
            return []
        obstacle, until = self._make_ready()
        if obstacle is not None:
            return [obstacle] * len(requests)
        self._unsent = memoryview(b"".join(request.wire for request in requests))
        answers: list[Answer] = []
        rest = b""
        for request in requests:
            self.used += 1
            reader = self._reader(request, followed=self.used < len(requests))
            reader.feed(rest)
            answer = self._read_answer(reader, until)
            answers.append(answer)
            if isinstance(answer, NoAnswer) or answer.closes:
                break
            rest = reader.leftover
            until = time.monotonic() + self._limits.answer_seconds
        if len(answers) == len(requests):
            answers[-1] = self._look_behind(reader, answers[-1])
        return answers + _unanswered(answers, len(requests))

    def _pump(self, reader: Reader, until: float, is_enough: Callable[[], bool]) -> None:
        """Send and read at the same time, so that an early answer is seen, until it is enough or the time is up."""
        while not is_enough() and time.monotonic() < until:
            push = self._push()
            pull = self._pull(reader)
            if push is not None and pull is not None:
                self._wait(push | pull, until)

    def _push(self) -> int | None:
        """Send a piece: the events to wait for, 0 when there is nothing to send, None when something happened."""
        if not self._unsent or self._socket is None:
            return 0
        try:
            sent = self._socket.send(self._unsent[:_PIECE_OUT])
        except ssl.SSLWantReadError:
            return select.POLLIN
        except (BlockingIOError, ssl.SSLWantWriteError):
            return select.POLLOUT
        except OSError:
            # What the server said before it stopped listening can still be read.
            self._deaf = True
            self._unsent = memoryview(b"")
            return None
        self._unsent = self._unsent[sent:]
        return None

    def _pull(self, reader: Reader) -> int | None:
        """Read a piece: the events to wait for, None when something happened."""
        if self._socket is None:
            return 0
        try:
            piece = self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLIN | select.POLLOUT
        except OSError as error:
            # A server that wants a client certificate says so only after the handshake of TLS 1.3.
            never_worked = isinstance(error, ssl.SSLError) and self.used == 1 and not reader.started
            reader.give_up(Silence.UNREACHABLE if never_worked else Silence.RESET, _plainly(error))
            return None
        if piece:
            reader.feed(piece)
        else:
            reader.feed_eof()
        return None

    def _glance(self) -> bytes | None:
        """What can be read without waiting: None for nothing, b"" for the end of the connection."""
        if self._socket is None:
            return b""
        try:
            return self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return b""

    def _wait(self, events: int, until: float) -> None:
        if self._socket is None:
            return
        if events != self._events:
            self._poll.modify(self._socket, events)
            self._events = events
        self._poll.poll(_milliseconds(until))


class _UnreachableError(Exception):
    """No connection, and why, as a sentence. Never leaves this module."""


def _without_user(url: str) -> str:
    """The URL as it may be shown: a password in it is nobody's business."""
    return re.sub(r"//[^/?#]*@", "//...@", url)


def _objection(url: str) -> str:
    """What is wrong with a URL that does not match _ORIGIN."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it holds a space, a control character or a letter outside of ASCII"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return str(error)
    host = re.sub(r":[^\]:]*\Z", "", parts.netloc)
    objections = {
        "the scheme must be http or https": parts.scheme not in _DEFAULT_PORTS,
        "it must not hold a user name or password": "@" in parts.netloc,
        "it must not hold a query or a fragment": "?" in url or "#" in url,
        "it must not hold a path": parts.path not in ("", "/"),
        "it has no host": not host,
        "the port must be a number from 1 to 65535": host != parts.netloc,
    }
    return next((sentence for sentence, holds in objections.items() if holds), f"{host!r} is no host")


def _resolve(endpoint: Endpoint) -> list[_Address]:
    try:
        return list(socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        raise _UnreachableError(f"The host name {endpoint.host!r} cannot be resolved: {error}.") from error


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise _UnreachableError(f"The CA file {ca_file!r} cannot be used: {error}.") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _bind_anywhere(sock: socket.socket) -> None:
    """Take a port that is free and follows from nothing; after some tries the choice is left to the system."""
    for _ in range(_TRIES_FOR_A_PORT):
        with suppress(OSError):
            sock.bind(("", secrets.choice(_PORTS)))
            return


def _dial(address: _Address, until: float, *, any_port: bool = False) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        if any_port:
            _bind_anywhere(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(place)
        if code in (EINPROGRESS, EWOULDBLOCK):
            _await(sock, select.POLLOUT, until)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        # Dialling a free port of one's own machine can end in a connection of the socket with itself.
        if not code and sock.getsockname() == sock.getpeername():
            code = ECONNREFUSED
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, until: float) -> ssl.SSLSocket:
    try:
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        _shake_hands(secured, until)
    except BaseException:
        secured.close()
        raise
    return secured


def _shake_hands(secured: ssl.SSLSocket, until: float) -> None:
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            _await(secured, select.POLLIN, until)
        except ssl.SSLWantWriteError:
            _await(secured, select.POLLOUT, until)


def _await(sock: socket.socket, events: int, until: float) -> None:
    poll = select.poll()
    poll.register(sock, events)
    if time.monotonic() >= until or not poll.poll(_milliseconds(until)):
        raise TimeoutError


def _milliseconds(until: float) -> int:
    return max(0, math.ceil((until - time.monotonic()) * 1000))


def _plainly(error: OSError | ValueError) -> str:
    """What went wrong with a connection, as a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The server's certificate was refused: {error.verify_message.rstrip('.')}."
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {_TLS_TROUBLE.get(error.reason, error.reason or error)}."
    if isinstance(error, TimeoutError):
        return "No connection was made in time."
    if isinstance(error, ConnectionResetError):
        return "The server reset the connection."
    return f"The connection failed: {getattr(error, 'strerror', None) or error}."


def _unanswered(answers: Sequence[Answer], count: int) -> list[NoAnswer]:
    """For the requests of a pipeline behind its last answer."""
    last = answers[-1] if answers else None
    kind = Silence.CLOSED if last is None or isinstance(last, Response) else last.kind
    return [NoAnswer(kind, "The connection ended with an earlier answer.")] * (count - len(answers))
