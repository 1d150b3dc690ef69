"""The wire: bytes in, calls out, answers back in order; first without any socket, then on asyncio's.

``Session`` is one connection and does no I/O. The socket server reads, feeds it, runs the app in a bounded pool of
threads, and writes. Every decision about an answer is the behaviour's.
"""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from time import monotonic
from typing import Any

import h11

from conformance.reference.access_log import Answered, Log, nothing
from conformance.reference.app import (
    DEMO,
    HONEST,
    SILENCE,
    Behaviour,
    Call,
    NoReply,
    Outcome,
    Reason,
    Refused,
    Store,
    refuse,
    respond,
    transmit,
)
from conformance.reference.service import throttle

_END_OF_HEAD = re.compile(rb"\n\r?\n")

READ_SIZE = 64 * 1024  # bytes
WORKERS = 8  # threads: enough for requests to overtake each other
QUEUE = 256  # calls that are answered or wait to be; whoever comes then is told to come back
BACKLOG = 1024  # connections not yet accepted
LINGER_SIZE = 16 * 1024 * 1024  # bytes of a refused upload that are read and dropped
LINGER_TIME = 2.0  # seconds for that, so that a reset does not destroy the answer
TURNS = 10  # of the event loop, until a connection that was just accepted has its conversation
GRACE = 2.0  # seconds for calls in progress when the server stops


class _Phase(Enum):
    HEAD = auto()
    BODY = auto()
    REPLY = auto()
    SILENT = auto()
    CLOSED = auto()


class Session:
    """One connection, sans I/O: ``receive`` does it all in place; ``feed``, ``next_call``, ``reply_to`` and
    ``outgoing`` are its parts, for a driver that answers calls elsewhere.

    ``server`` is the memory that the connections of one server share.
    """

    def __init__(
        self,
        behaviour: Behaviour = HONEST,
        store: Store = DEMO,
        server: dict[str, Any] | None = None,
        on_answer: Callable[[Call, int], None] = lambda _call, _status: None,
        peer_port: int = 0,
    ) -> None:
        self._behaviour = behaviour
        self._on_answer = on_answer
        self._blank = Call(store=store, connection={}, server={} if server is None else server, peer_port=peer_port)
        self._call = self._blank
        self._parser = h11.Connection(h11.SERVER)
        self._buffer = b""
        self._body = bytearray()
        self._outgoing = bytearray()
        self._phase = _Phase.HEAD

    @property
    def closed(self) -> bool:
        """Whether the server closes the connection once ``outgoing`` is sent."""
        return self._phase is _Phase.CLOSED

    @property
    def silent(self) -> bool:
        """Whether the server keeps the connection open but will never say anything again."""
        return self._phase is _Phase.SILENT

    @property
    def busy(self) -> bool:
        """Whether a call waits for its reply."""
        return self._phase is _Phase.REPLY

    @property
    def idle(self) -> bool:
        """Whether the connection is between two requests."""
        return self._phase is _Phase.HEAD and not self._buffer

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent, answer every request that is now whole, and return what is to be sent."""
        self.feed(data)
        while (call := self.next_call()) is not None:
            self.reply_to(call, respond(call, self._behaviour))
        return self.outgoing()

    def receive_eof(self) -> bytes:
        """The client sends no more: half a request is refused, anything else needs no answer."""
        return self._end(Reason.MALFORMED, "The request is incomplete.")

    def receive_timeout(self) -> bytes:
        """The client has had its time."""
        return self._end(Reason.TIMEOUT, "The request did not arrive in time.")

    def feed(self, data: bytes) -> None:
        """Take what the client sent, without acting on it."""
        if self._phase is _Phase.BODY:
            self._parser.receive_data(data)
        elif self._phase not in (_Phase.CLOSED, _Phase.SILENT):
            self._buffer += data

    def next_call(self) -> Call | None:
        """The next whole request that is to be answered; None when more bytes, or a reply to the last, are needed."""
        try:
            if self._phase is _Phase.HEAD:
                self._read_head()
            if self._phase is _Phase.BODY:
                self._read_body()
        except Refused as refused:
            self._refuse(refused)
        except h11.RemoteProtocolError as error:
            self._refuse(Refused(Reason.MALFORMED, f"The request is not proper HTTP: {_first_words(error)}"))
        return self._call if self._phase is _Phase.REPLY else None

    def reply_to(self, call: Call, outcome: Outcome) -> None:
        """Queue the answer to the call that ``next_call`` gave."""
        self._buffer = outcome.unread + self._buffer
        self._phase = _after(outcome)
        self._on_answer(call, outcome.status)
        if not isinstance(outcome.wire, NoReply):
            self._outgoing += outcome.wire
        if self._call is call:
            self._call = self._blank

    def outgoing(self) -> bytes:
        """What is to be sent now; it is handed out once."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def _read_head(self) -> None:
        while self._buffer.startswith(b"\r\n"):  # empty lines before a request are ignored (RFC 9112, 2.2)
            self._buffer = self._buffer[2:]
        end = _END_OF_HEAD.search(self._buffer, 0, self._behaviour.max_head)
        if end is None:
            return self._check_start(self._buffer[: self._behaviour.max_head])
        head = self._buffer[: end.end()]
        if not self._behaviour.well_formed(head):
            raise Refused(Reason.MALFORMED, "The head of the request is not proper HTTP/1.1.")
        return self._begin_body(end.end())

    def _check_start(self, start: bytes) -> None:
        if start and start != b"\r" and self._behaviour.hopeless(start):
            raise Refused(Reason.MALFORMED, "This is not HTTP/1.1.")
        if len(start) >= self._behaviour.max_head:
            raise Refused(Reason.HEAD_SIZE, "The head of the request is too large.")

    def _begin_body(self, head_size: int) -> None:
        waits = len(self._buffer) == head_size
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=self._behaviour.max_head)
        self._parser.receive_data(self._buffer)
        self._buffer = b""
        self._body.clear()
        event = self._parser.next_event()
        assert isinstance(event, h11.Request)  # noqa: S101 - h11 gives nothing else for a whole head, or raises
        self._call = _opened(self._blank, event)
        self._check_fields()
        self._phase = _Phase.BODY
        if waits and self._parser.they_are_waiting_for_100_continue and self._call.version > b"1.0":
            self._outgoing += self._behaviour.interim(self._call)

    def _check_fields(self) -> None:
        if not self._behaviour.fields_agree(self._call):
            raise Refused(Reason.MALFORMED, "The request has conflicting or meaningless header fields.")
        if not self._behaviour.expectation_known(self._call):
            raise Refused(Reason.EXPECTATION, "The expectation cannot be met.")
        self._check_size(sum(int(length) for length in self._call.values(b"content-length")[:1]))

    def _check_size(self, size: int) -> None:
        if size > self._behaviour.max_body:
            raise Refused(Reason.BODY_SIZE, "The body is too large.")

    def _read_body(self) -> None:
        while isinstance(event := self._parser.next_event(), h11.Data):
            self._body += event.data
            self._check_size(len(self._body))
        if isinstance(event, h11.EndOfMessage):
            self._buffer = self._parser.trailing_data[0]
            self._call = replace(self._call, body=bytes(self._body))
            self._phase = _Phase.REPLY

    def _refuse(self, refused: Refused) -> None:
        """Answer below the operation. What follows on the connection cannot be told from the rest, so it closes."""
        reply = replace(refuse(self._call, refused, self._behaviour), closes=True)
        self._buffer = b""
        self.reply_to(self._call, transmit(self._call, reply, self._behaviour))

    def _end(self, reason: Reason, message: str) -> bytes:
        if self._phase in (_Phase.HEAD, _Phase.BODY) and not self.idle:
            self._refuse(Refused(reason, message))
        if not self.silent:
            self._phase = _Phase.CLOSED
        return self.outgoing()


def _opened(blank: Call, request: h11.Request) -> Call:
    return replace(
        blank,
        method=request.method,
        target=request.target,
        headers=tuple((bytes(name), bytes(value)) for name, value in request.headers.raw_items()),
        version=request.http_version,
    )


def _after(outcome: Outcome) -> _Phase:
    if outcome.wire is SILENCE:
        return _Phase.SILENT
    hangs_up = isinstance(outcome.wire, NoReply) or not outcome.wire
    return _Phase.CLOSED if hangs_up or outcome.closes else _Phase.HEAD


def _first_words(error: h11.RemoteProtocolError) -> str:
    """What h11 says, without the bytes that it quotes."""
    return str(error).partition(":")[0].partition("(")[0].strip()


@dataclass(frozen=True)
class Setup:
    """What a server serves, and how much of it at a time."""

    behaviour: Behaviour = HONEST
    store: Store = DEMO
    workers: int = WORKERS
    """Threads that answer calls."""
    queue: int = QUEUE
    """Calls in progress or waiting, beyond which the next is throttled."""
    log: Log = nothing


class _Server:
    """The connections of one listening socket, and what they share."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.memory: dict[str, Any] = {}
        self.stopping = False
        self._pool = ThreadPoolExecutor(setup.workers, thread_name_prefix="reference")
        self._in_progress = 0
        self._conversations: dict[asyncio.Task[None], _Conversation] = {}

    async def run(self, host: str, port: int, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; ``ready`` gets the base URL once connections are accepted."""
        server = await asyncio.start_server(self._accept, host, port, limit=READ_SIZE, backlog=BACKLOG)
        try:
            ready(_base_url(host, server.sockets[0].getsockname()[1]))
            await stop.wait()
        finally:
            server.close()
            await self._wind_up()
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def respond(self, call: Call) -> Outcome:
        """Have a call answered by the pool, or tell its client to come back when too many are waiting."""
        if self._in_progress >= self.setup.queue:
            reply = refuse(call, throttle("Too many requests are in progress."), self.setup.behaviour)
            return transmit(call, reply, self.setup.behaviour)
        self._in_progress += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, respond, call, self.setup.behaviour)
        finally:
            self._in_progress -= 1

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = _Conversation(self, reader, writer)
        task = asyncio.get_running_loop().create_task(conversation.run())
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)

    async def _wind_up(self) -> None:
        self.stopping = True
        for _ in range(TURNS):  # connections that were just accepted become conversations, which close themselves
            await asyncio.sleep(0)
        for task, conversation in list(self._conversations.items()):
            if not conversation.session.busy:
                task.cancel()
        await _settle(list(self._conversations), GRACE)
        for task in list(self._conversations):
            task.cancel()
        await _settle(list(self._conversations), GRACE)


class _Conversation:
    """One connection: reads, lets the session and the server answer, writes."""

    def __init__(self, server: _Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        setup = server.setup
        peer = writer.get_extra_info("peername")
        self.session = Session(setup.behaviour, setup.store, server.memory, self._log, peer[1] if peer else 0)
        self._server = server
        self._reader = reader
        self._writer = writer
        self._since = monotonic()

    async def run(self) -> None:
        """Converse until either side has had enough."""
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._converse()
        finally:
            self._writer.close()

    async def _converse(self) -> None:
        session, patience = self.session, self._server.setup.behaviour.patience
        clock = asyncio.get_running_loop()
        deadline = clock.time() + patience
        while not (session.closed or session.silent or self._server.stopping):
            fresh = session.idle
            data = await _read(self._reader, deadline)
            if fresh and data:
                deadline = clock.time() + patience
            if await self._exchange(data):
                deadline = clock.time() + patience
        await _part(session, self._reader, self._writer)

    async def _exchange(self, data: bytes | None) -> bool:
        """Act on what was read, ``b""`` being the end and None a time-out; give whether anything was answered."""
        session = self.session
        self._since = monotonic()
        if not data:
            await _send(self._writer, session.receive_timeout() if data is None else session.receive_eof())
            return False
        session.feed(data)
        answered = False
        while (call := session.next_call()) is not None:
            await _send(self._writer, session.outgoing())
            session.reply_to(call, await self._server.respond(call))
            await _send(self._writer, session.outgoing())
            self._since = monotonic()
            answered = True
        await _send(self._writer, session.outgoing())
        return answered

    def _log(self, call: Call, status: int) -> None:
        self._server.setup.log(Answered(call.method, call.target, status, monotonic() - self._since))


async def _settle(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


async def _read(reader: asyncio.StreamReader, deadline: float) -> bytes | None:
    try:
        async with asyncio.timeout_at(deadline):
            return await reader.read(READ_SIZE)
    except TimeoutError:
        return None


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(data)
        await writer.drain()


async def _part(session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Leave so that the client can still read its answer: a socket closed over unread bytes resets the connection."""
    if session.silent:
        await _drop(reader, None, None)
    elif not reader.at_eof() and writer.can_write_eof():
        writer.write_eof()
        await _drop(reader, LINGER_SIZE, LINGER_TIME)


async def _drop(reader: asyncio.StreamReader, size: int | None, seconds: float | None) -> None:
    """Read and forget until the client is done, or has sent ``size`` bytes, or ``seconds`` have passed."""
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (data := await reader.read(READ_SIZE)) and (size is None or dropped < size):
                dropped += len(data)


def _base_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def running(
    behaviour: Behaviour = HONEST,
    host: str = "127.0.0.1",
    port: int = 0,
    store: Store = DEMO,
    setup: Setup | None = None,
) -> Iterator[str]:
    """Serve from a daemon thread while the block runs; gives the base URL. Raises OSError when it cannot listen.

    ``setup`` takes the place of ``behaviour`` and ``store``.
    """
    server = setup or Setup(behaviour, store)
    address: Future[str] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(_Server(server).run(host, port, address.set_result, stop))
            except Exception as error:
                if address.done():
                    raise
                address.set_exception(error)

    thread = threading.Thread(target=work, name="reference server", daemon=True)
    thread.start()
    try:
        yield address.result()
    finally:
        with suppress(RuntimeError):  # the loop is closed already: it could not listen
            loop.call_soon_threadsafe(stop.set)
        thread.join()


def serve_forever(
    setup: Setup | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    announce: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM; ``announce`` gets the base URL. Raises OSError when it cannot listen."""

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _Server(setup or Setup()).run(host, port, announce, stop)

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
