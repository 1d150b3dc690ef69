"""aiohttp in both directions, kept from adding, decoding, remembering or saying anything by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import (
    ClientOSError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    StreamReader,
    TCPConnector,
    web,
)
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawRequestMessage

MOST_HEAD = 1024 * 1024
"""Bytes of a line of a head; it may have as many lines as ``MOST_LINES``."""
MOST_LINES = 10_000
IDLE = 1.0
"""Seconds for which a connection to the implementation is kept for the next request: less than servers keep one."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refuse = Callable[[int, str, str], web.Response]
"""From a status, a reason that can be counted, and the reason in detail."""


class Plain(web.Response):
    """An answer to which aiohttp adds no word of its own. Overrides a hook that is not public; a test notices."""

    async def _prepare_headers(self) -> None:
        own = set(self.headers)
        await super()._prepare_headers()
        for name in ("Server", "Date", "Content-Type"):
            if name not in own:
                self.headers.pop(name, None)


class Door(web.RequestHandler):
    """A client's connection, on which aiohttp answers nothing in words of its own."""

    __slots__ = ("_refuse",)

    def __init__(self, server: web.Server, refuse: Refuse) -> None:
        self._refuse = refuse
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # aiohttp takes None for none
            auto_decompress=False,
            max_line_size=MOST_HEAD,
            max_field_size=MOST_HEAD,
            max_headers=MOST_LINES,
        )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and what went wrong in the proxy."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer is sent already") from exc
        reason = "the request is no proper HTTP" if status < 500 else "the proxy itself failed"
        answer = self._refuse(status, reason, f"{reason}: {message or repr(exc)}")
        answer.force_close()
        return answer


def server(handler: Handler, most_bytes: int) -> web.Server:
    """What ``Door`` needs of a server: a handler, and requests with a body of up to so many bytes."""

    def request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most_bytes)

    return web.Server(handler, request_factory=request)


def session(seconds: float) -> ClientSession:
    """The way to the implementation. It keeps no cookies: these are the clients'."""
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=IDLE),
        timeout=ClientTimeout(total=seconds),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MOST_HEAD,
        max_field_size=MOST_HEAD,
        max_headers=MOST_LINES,
    )


def look_for_a_reset(answer: ClientResponse) -> None:
    """Raise what aiohttp takes for the end of an answer without a length. Not public there; a test notices."""
    if answer.headers.keys() & {"Content-Length", "Transfer-Encoding"}:
        return
    protocol = getattr(answer.content, "_protocol", None)
    error = protocol.exception() if isinstance(protocol, ResponseHandler) else None
    if isinstance(error, ClientOSError):
        raise error
