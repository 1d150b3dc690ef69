"""A proxy between the user's own clients and the implementation: passes everything on, and judges it on the side.

aiohttp speaks HTTP in both directions. Bodies go through byte for byte, targets and headers as they were written; what
belongs to a single connection does not. Judging happens in a thread of its own and can neither delay nor break traffic.
"""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from conformance.evidence.log import EvidenceLog
from conformance.evidence.rejudge import closing, opening
from conformance.recorded import Hearing, Spoken, exchange_of
from conformance.report.record import Report
from conformance.target import Target

MOST_WAITING = 1000
"""Exchanges that wait to be judged; what comes beyond them is passed on and counted, and not judged."""
MOST_BYTES = 256 * 1024 * 1024
"""Of a body."""
SECONDS = 600.0
"""For one answer of the implementation."""
_OF_A_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

Say = Callable[[str], None]


class Listener:
    """Judges what it is told, in a thread of its own, and says what it finds."""

    def __init__(self, target: Target, say: Say, folder: Path | None) -> None:
        self._target = target
        self._say = say
        self._waiting: queue.Queue[Spoken | None] = queue.Queue(MOST_WAITING)
        self._hearing = Hearing(target)
        self._started, self._clock = datetime.now(UTC), time.perf_counter()
        self._log = self._opened(folder) if folder else None
        self._thread = threading.Thread(target=self._listen, name="judge", daemon=True)
        self._thread.start()
        self.unjudged = 0
        """Exchanges that were passed on and not judged."""

    def tell(self, spoken: Spoken) -> None:
        """Have an exchange judged, when there is time; never waits and never raises."""
        try:
            self._waiting.put_nowait(spoken)
        except queue.Full:
            self.unjudged += 1

    def end(self) -> Report:
        """Wait for what is waiting, and sum up."""
        self._waiting.put(None)
        self._thread.join()
        seconds = time.perf_counter() - self._clock
        if self._log:
            self._log.close(closing(self._hearing.course, seconds))
        return self._hearing.report(self._started, seconds)

    def _opened(self, folder: Path) -> EvidenceLog:
        facts = {"planned": 0, "looks": 0, "seed": "", "started": self._started.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return EvidenceLog(folder, opening(self._target, self._hearing.clauses, **facts))

    def _listen(self) -> None:
        while (spoken := self._waiting.get()) is not None:
            try:
                self._hear(spoken)
            except Exception as error:  # our own fault must not end the judging of the rest
                self.unjudged += 1
                self._say(f"{spoken.name}: this exchange could not be judged: {error!r}")

    def _hear(self, spoken: Spoken) -> None:
        exchange = exchange_of(spoken, self._target)
        if self._log:
            self._log.add(exchange)
        for clause in dict.fromkeys(self._hearing.hear(exchange)):
            asked = f"{spoken.method.decode('latin-1')} {spoken.target.decode('latin-1')}"
            self._say(f"{spoken.name} breaches {clause}: {asked} was answered {exchange.outcome}")


class _Unsigned(web.Response):
    """An answer to which aiohttp adds no word of its own. Overrides a hook that is not public; a test notices."""

    async def _prepare_headers(self) -> None:
        own = set(self.headers)
        await super()._prepare_headers()
        for name in ("Server", "Date", "Content-Type"):
            if name not in own:
                self.headers.pop(name, None)


class _Proxy:
    def __init__(self, upstream: str, listener: Listener, session: ClientSession) -> None:
        self._upstream = upstream.rstrip("/")
        self._listener = listener
        self._session = session
        self._count = 0

    async def pass_on(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send a request on as it came, and its answer back as it came."""
        self._count += 1
        number, begun = self._count, time.perf_counter()
        body = await request.read()
        path = request.raw_path
        url = URL(self._upstream + path if path.startswith("/") else path, encoded=True)
        headers = CIMultiDict((_text(name), _text(value)) for name, value in _passing(request.raw_headers))
        try:
            async with self._session.request(
                request.method,
                url,
                headers=headers,
                data=body or None,
                allow_redirects=False,
                skip_auto_headers=_AUTOMATIC,
            ) as answer:
                content = await answer.read()
                passing = tuple(_passing(answer.raw_headers))
                status, reason = answer.status, answer.reason
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            return web.json_response({"Message": f"The implementation cannot be asked: {error}"}, status=502)
        spoken = Spoken(
            f"proxy.{number}",
            request.method.encode("latin-1"),
            path.encode("utf-8", "surrogateescape"),
            tuple(request.raw_headers),
            body,
            status,
            passing,
            content,
            time.perf_counter() - begun,
        )
        self._listener.tell(spoken)
        kept = CIMultiDict((_text(name), _text(value)) for name, value in passing)
        if request.method == "HEAD" or status in (204, 304):
            return _Unsigned(status=status, reason=reason, headers=kept)
        kept.popall("Content-Length", None)
        return _Unsigned(status=status, reason=reason, headers=kept, body=content)


def _passing(headers: Sequence[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The headers that are meant for the other end."""
    return (pair for pair in headers if pair[0].lower() not in _OF_A_CONNECTION)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def serve(target: Target, host: str, port: int, say: Say, folder: Path | None) -> tuple[Report, int]:
    """Pass traffic on until Ctrl-C or SIGTERM; then the report, and how much was not judged.

    Raises OSError when it cannot listen.
    """
    listener = Listener(target, say, folder)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(target.url, host, port, say, listener))
    return listener.end(), listener.unjudged


async def _serve(upstream: str, host: str, port: int, say: Say, listener: Listener) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connector, timeout = TCPConnector(limit=0), ClientTimeout(total=SECONDS)
    async with ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        proxy = _Proxy(upstream, listener, session)
        runner = web.ServerRunner(web.Server(proxy.pass_on, access_log=None))
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            bound = site._server.sockets[0].getsockname()[1] if site._server else port  # type: ignore[attr-defined]
            say(f"passing on to {upstream} what comes to http://{host}:{bound}")
            await stop.wait()
        finally:
            await runner.cleanup()
