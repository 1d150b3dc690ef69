"""A small server between a client and the target, which throttles the first request and hands on all others.

Thus every target can be seen through a client that had to try again, and how often it tried is known.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Callable
from types import TracebackType

from conformance.message import Answer, Request

_MOST_HEAD, _MOST_BODY = 64 * 1024, 32 * 1024 * 1024
_BODY = b'{"Message":"Too many requests: the first one is always refused here."}'
THROTTLE = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nx-amzn-ErrorType: ThrottlingException\r\n"
    b"Retry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(_BODY) + _BODY
)
"""What the first request is answered with."""


class Relay:
    """Listens on a free port of this machine for one client's one call, while the context lasts.

    What is handed on is the client's request byte for byte, but for Host, which is ``host`` unless that is None: whose
    signature is checked needs the host that it signed. The target's answer is handed back byte for byte.
    """

    def __init__(self, exchange: Callable[[Request], Answer], host: bytes | None, seconds: float = 60.0) -> None:
        self.requests = 0
        """How many requests came."""
        self._exchange = exchange
        self._host = host
        self._lock = threading.Lock()
        self._server = _server(self._serve, seconds)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="relay", daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def _serve(self, stream: Stream) -> None:
        request = _read(stream)
        if request is None:
            return
        with self._lock:
            self.requests += 1
            first = self.requests == 1
        stream.write(THROTTLE if first else self._handed_on(request))

    def _handed_on(self, request: Request) -> bytes:
        answer = self._exchange(_addressed(request, self._host) if self._host else request)
        return answer.wire


class Stream(socketserver.StreamRequestHandler):
    """One connection from a client; it is closed after one answer."""

    def write(self, data: bytes) -> None:
        """Send it all."""
        self.wfile.write(data)


def _server(serve: Callable[[Stream], None], seconds: float) -> socketserver.ThreadingTCPServer:
    class Handler(Stream):
        timeout = seconds

        def handle(self) -> None:
            try:
                serve(self)
            except OSError:
                return  # the client left

        def finish(self) -> None:
            try:
                self.connection.shutdown(socket.SHUT_WR)
                super().finish()
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    return Server(("127.0.0.1", 0), Handler)


def _read(stream: Stream) -> Request | None:
    """One request; None when it is not whole, too large, or of a length that is not told."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.rfile.readline(_MOST_HEAD)
        head += line
        if not line or len(head) > _MOST_HEAD:
            return None
    length = b"".join(Request(head).values(b"content-length")) or b"0"
    if not re.fullmatch(rb"[0-9]{1,9}", length) or int(length) > _MOST_BODY:
        return None
    body = stream.rfile.read(int(length))
    return Request(head, body) if len(body) == int(length) else None


def _addressed(request: Request, host: bytes) -> Request:
    """The same request to another host."""
    return Request(re.sub(rb"(?im)^host:[^\r\n]*", lambda _: b"Host: " + host, request.head, count=1), request.body)
