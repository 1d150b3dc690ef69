"""A proxy between the user's own clients and the implementation: passes everything on, and has it judged on the side.

aiohttp speaks HTTP in both directions. Bodies go through byte for byte, targets and headers as they were written; what
belongs to a single connection does not. Requests and answers are read whole before they are passed on: an answer that
breaks off is never passed on as if it were whole. What the proxy says by itself names it, and is never judged.
"""

from __future__ import annotations

import asyncio
import io
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession, web
from aiohttp.http import HttpVersion11
from multidict import CIMultiDict
from yarl import URL

from conformance.message import Headers
from conformance.report.record import Report
from conformance.target import Target
from conformance.traffic import conduit
from conformance.traffic.apart import Apart
from conformance.traffic.conduit import Door, Plain, look_for_a_reset
from conformance.traffic.listener import Listener, Say
from conformance.traffic.recorded import Spoken

MOST_BYTES = 256 * 1024 * 1024
"""Of a body; what has a larger one is refused."""
SECONDS = 600.0
"""For one answer of the implementation."""
GRACE = 10.0
"""Seconds for requests in progress, at the end."""
LATER = 0.01
"""Seconds after which the judge hears of an exchange: by then the client has its answer, and nobody is in its way."""
_LARGE = 1024 * 1024  # bytes beyond which aiohttp wants a file to send

_OF_A_CONNECTION = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade http2-settings".split()
)
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_ABSOLUTE = re.compile(r"(?i)https?://[^/?#]*")


class _Refused(Exception):
    """The proxy answers by itself: with a status, and a reason that can be counted."""

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        self.status = status
        self.reason = reason
        self.detail = f"{reason}: {detail}" if detail else reason


def _said_by_the_proxy(status: int, why: str) -> web.Response:
    """An answer that nobody takes for the implementation's (RFC 9209); what is refused ends its connection."""
    answer = web.json_response({"Message": f"The proxy says: {why}."}, status=status)
    answer.headers["Proxy-Status"] = "conformance"
    if status < 500:
        answer.force_close()
    return answer


class Proxy:
    """Passes requests on, tells a listener of what was answered, and counts what it answers by itself."""

    def __init__(self, upstream: str, listener: Listener) -> None:
        self.upstream = upstream.rstrip("/")
        self.refused: Counter[str] = Counter()
        """Requests that got no answer of the implementation's, by reason."""
        self._listener = listener
        self._count = 0

    def remarks(self) -> list[str]:
        """What the proxy answered by itself and why, a line for each reason."""
        return [f"{count} not answered by the implementation: {why}" for why, count in sorted(self.refused.items())]

    def refuse(self, status: int, reason: str, detail: str) -> web.Response:
        """Answer for ourselves, and count it."""
        self.refused[reason] += 1
        return _said_by_the_proxy(status, detail)

    async def pass_on(self, request: web.BaseRequest, session: ClientSession) -> web.StreamResponse:
        """Send a request on as it came, and its answer back as it came."""
        self._count += 1
        number, begun = self._count, time.perf_counter()
        try:
            target = _target(request)
            body = await _body(request)
            headers = _passing(request.raw_headers)
            async with self._asked(session, request.method, target, headers, body) as answer:
                status, reason = answer.status, answer.reason
                kept, content = _passing(answer.raw_headers), await _content(answer)
            passing = _as_it_came(request.method, status, reason, kept, content)
        except _Refused as refused:
            return self.refuse(refused.status, refused.reason, refused.detail)
        spoken = Spoken(
            f"proxy.{number}",
            request.method.encode("latin-1"),
            target.encode("utf-8", "surrogateescape"),
            headers,
            body,
            status,
            kept,
            content,
            time.perf_counter() - begun,
        )
        asyncio.get_running_loop().call_later(LATER, self._listener.tell, spoken)
        return passing

    @asynccontextmanager
    async def _asked(
        self, session: ClientSession, method: str, target: str, headers: Headers, body: bytes
    ) -> AsyncIterator[ClientResponse]:
        try:
            async with session.request(
                method,
                URL(self.upstream + target, encoded=True),
                headers=_texts(headers, 400),
                data=(io.BytesIO(body) if len(body) > _LARGE else body) or None,
                allow_redirects=False,
                skip_auto_headers=_AUTOMATIC,
            ) as answer:
                yield answer
        except TimeoutError:
            raise _Refused(504, "it did not answer in time") from None
        except (ClientError, OSError, ValueError) as error:
            raise _Refused(502, "it could not be asked, or broke off its answer", str(error)) from None


def _target(request: web.BaseRequest) -> str:
    """The target in the form that servers get; who takes us for a general proxy is not led elsewhere. Raises."""
    target = _ABSOLUTE.sub("", request.raw_path, count=1) if request.raw_path[:1] != "/" else request.raw_path
    if request.method == "CONNECT" or target[:1] not in ("", "/", "?"):
        raise _Refused(400, "such a target cannot be passed on")
    return target if target.startswith("/") else "/" + target


async def _body(request: web.BaseRequest) -> bytes:
    """The whole body of a request, for which the client may be waiting to be asked. Raises."""
    if (request.content_length or 0) > MOST_BYTES:
        raise _Refused(413, f"a body of more than {MOST_BYTES} bytes is not passed on")
    expects = request.headers.get("Expect", "").lower() == "100-continue"
    if expects and request.version >= HttpVersion11 and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _Refused(413, f"a body of more than {MOST_BYTES} bytes is not passed on") from None
    except (OSError, ClientError, web.RequestPayloadError):
        raise _Refused(400, "the client broke off its request") from None


async def _content(answer: ClientResponse) -> bytes:
    """The whole body of an answer as it came. Raises."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > MOST_BYTES:
            raise _Refused(502, f"an answer of more than {MOST_BYTES} bytes is not passed on")
    look_for_a_reset(answer)
    return bytes(content)


def _as_it_came(method: str, status: int, reason: str | None, headers: Headers, content: bytes) -> web.Response:
    kept = _texts(headers, 502)
    if method == "HEAD" or status in (204, 304):
        return Plain(status=status, reason=reason, headers=kept)
    kept.popall("Content-Length", None)
    return Plain(status=status, reason=reason, headers=kept, body=content)


def _passing(headers: Headers) -> Headers:
    """The headers that are meant for the other end. What was expected of us, we have done."""
    return tuple(pair for pair in headers if not _stays(pair[0].lower(), pair[1]))


def _stays(name: bytes, value: bytes) -> bool:
    return name in _OF_A_CONNECTION or (name == b"expect" and value.lower() == b"100-continue")


def _texts(headers: Headers, status: int) -> CIMultiDict[str]:
    """Headers as aiohttp takes them, which would garble what is not UTF-8. Raises, with the status to be answered."""
    try:
        return CIMultiDict((name.decode(), value.decode()) for name, value in headers)
    except UnicodeDecodeError:
        raise _Refused(status, "a head that is not UTF-8 cannot be passed on") from None


def serve(target: Target, host: str, port: int, say: Say, folder: Path | None) -> tuple[Report, list[str]]:
    """Pass traffic on until Ctrl-C or SIGTERM; then the report, and what it cannot say: what was not judged and why.

    Raises OSError when it cannot listen.
    """
    listener = Listener(Apart(target, folder), say)
    proxy = Proxy(target.url, listener)
    try:
        asyncio.run(_serve(proxy, host, port, listener.announce))
    except KeyboardInterrupt:
        pass
    except OSError:
        listener.end()
        raise
    return listener.end(), [*listener.remarks(), *proxy.remarks()]


async def _serve(proxy: Proxy, host: str, port: int, say: Say) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
            loop.add_signal_handler(number, stop.set)
    async with conduit.session(SECONDS) as session:
        server = conduit.server(lambda request: proxy.pass_on(request, session), MOST_BYTES)
        listening = await loop.create_server(lambda: Door(server, proxy.refuse), host, port)
        try:
            bound = listening.sockets[0].getsockname()[1]
            say(f"passing on to {proxy.upstream} what comes to http://{host}:{bound}")
            await stop.wait()
        finally:
            listening.close()
            server.pre_shutdown()
            await server.shutdown(GRACE)
            await asyncio.sleep(2 * LATER)
