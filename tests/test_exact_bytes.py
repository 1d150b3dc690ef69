"""Every planned request arrives byte for byte, however odd it is."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

from conformance.cases.plan import plan
from conformance.exchange import Case
from conformance.message import Delivery, Response
from conformance.shipped import shipped
from conformance.target import load
from conformance.wire.client import Client, Endpoint, Limits

CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def wanted(case: Case) -> bytes:
    """What is to arrive: all of it, unless the case is to be broken off in the middle of the body."""
    body = case.request.body
    return case.request.head + (body[: len(body) // 2] if case.delivery is Delivery.ABORT else body)


class Echo:
    """A listener that reads as many bytes as are due, answers, and reads on to the end."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._due: Queue[int] = Queue()
        self._came: Queue[bytes] = Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while (due := self._due.get()) >= 0:
            sock, _ = self._listener.accept()
            sock.settimeout(10)
            with sock:
                pieces, count = [], 0
                while count < due and (piece := sock.recv(1 << 20)):
                    pieces.append(piece)
                    count += len(piece)
                sock.sendall(CLOSING)
                while piece := sock.recv(1 << 20):
                    pieces.append(piece)
            self._came.put(b"".join(pieces))

    def received(self, client: Client, case: Case) -> bytes:
        """What arrives when a client sends the case."""
        self._due.put(len(wanted(case)))
        with client.open() as connection:
            answer = connection.exchange(case.request, case.delivery)
        assert isinstance(answer, Response) == (case.delivery is not Delivery.ABORT), case.id
        return self._came.get(timeout=10)

    def close(self) -> None:
        self._due.put(-1)
        self._listener.close()


def test_every_planned_request_arrives_as_it_was_planned() -> None:
    target = load(shipped("fixtures", "targets", "reference.toml"))
    cases = {case.id: case for case in plan(target, b"127.0.0.1:8080").cases()}

    def altered(names: list[str]) -> list[str]:
        echo = Echo()
        client = Client(Endpoint.of(echo.url), Limits(continue_seconds=0.01))
        try:
            return [name for name in names if echo.received(client, cases[name]) != wanted(cases[name])]
        finally:
            echo.close()

    names = list(cases)
    with ThreadPoolExecutor(2) as pool:
        assert [name for found in pool.map(altered, (names[::2], names[1::2])) for name in found] == []
    assert len(names) > 400


def test_the_plan_holds_every_kind_of_delivery() -> None:
    target = load(shipped("fixtures", "targets", "reference.toml"))
    assert {case.delivery for case in plan(target, b"x").cases()} == set(Delivery)


def test_the_same_target_gets_the_same_plan() -> None:
    target = load(shipped("fixtures", "targets", "reference.toml"))
    first, second = ([(case.id, case.request.wire) for case in plan(target, b"x").cases()] for _ in range(2))
    assert first == second
