"""A small HTTP surface for operators and test set-ups, on the loopback interface and a port of its own.

    GET  /healthz                           the server is up
    GET  /models                            the models and whether they run
    POST /models/PROJECT/VERSION/start      and /stop
    POST /states/STATE/enter                and /leave; forbidden, throttled or fault

Every answer is JSON. Requests that a web page may have sent are refused: nobody else's page is to stop a model.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conformance.reference.service import STATES, Service, UnknownModel

HOST = "127.0.0.1"
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")
_MODEL = re.compile(r"/models/([A-Za-z0-9][A-Za-z0-9_-]{0,254})/([1-9][0-9]{0,9})/(start|stop)")
_STATE = re.compile(rf"/states/({'|'.join(STATES)})/(enter|leave)")

Answer = tuple[int, dict[str, Any]]


def _models(service: Service) -> dict[str, Any]:
    rows = [
        {
            "project": model.project,
            "version": model.version,
            "state": "running" if service.is_running(model) else "stopped",
            "segmentation": model.segments,
        }
        for model in service.store
    ]
    return {"models": rows, "states": service.entered()}


def _health(_service: Service) -> dict[str, Any]:
    return {"status": "ok"}


_PAGES: dict[str, Callable[[Service], dict[str, Any]]] = {"/healthz": _health, "/models": _models}


def answer(service: Service, method: str, path: str) -> Answer:
    """Status and JSON for one request; this does what it asks for."""
    if path in _PAGES:
        return (200, _PAGES[path](service)) if method == "GET" else (405, {"error": "read it with GET"})
    model, state = _MODEL.fullmatch(path), _STATE.fullmatch(path)
    if not (model or state):
        return 404, {"error": "there is no such thing to see or to change here"}
    if method != "POST":
        return 405, {"error": "change it with POST"}
    if state:
        (service.enter if state[2] == "enter" else service.leave)(state[1])
    elif model:
        try:
            service.set_running(model[1], int(model[2]), model[3] == "start")
        except UnknownModel as error:
            return 404, {"error": f"there is no model {error}"}
    return 200, _models(service)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        foreign = self.headers.get("Origin") or not _LOOPBACK.fullmatch(self.headers.get("Host", ""))
        status, payload = (
            (403, {"error": "this is for programs on this machine, not for web pages"})
            if foreign
            else answer(self.server.service, self.command, self.path)
        )
        body = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # a body that came is of no interest, and is not read
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing: the access log is for the operation."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, service: Service) -> None:
        super().__init__((HOST, port), _Handler)
        self.service = service


@contextmanager
def administered(service: Service, port: int = 0) -> Iterator[str]:
    """The admin surface for as long as the block runs; gives its base URL. Raises OSError when it cannot listen."""
    with _Server(port, service) as server:
        thread = threading.Thread(target=server.serve_forever, name="reference admin", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
