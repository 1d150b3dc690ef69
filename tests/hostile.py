"""A raw-socket server that misbehaves by script: every connection plays a list of actions, then is closed."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from conformance.reference.app import DEMO, Behaviour, Store
from conformance.reference.server import Session

T = TypeVar("T")

_TICK = 0.02
_WATCHDOG_SECONDS = 15.0


class Peer:
    """The server's end of one connection, and whether the server is still wanted."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self.stopping = stopping
        self.received = b""

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self) -> bytes:
        """The next bytes, kept in ``received`` as well; b"" at the end."""
        data = self.sock.recv(65536)
        self.received += data
        return data


Action = Callable[[Peer], None]
Script = Sequence[Action]


class HostileServer:
    """Listens on 127.0.0.1; the n-th connection plays the n-th script, later ones the last."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.peers: list[Peer] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> HostileServer:
        accepting = threading.Thread(target=self._accept, daemon=True)
        accepting.start()
        self._threads.append(accepting)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        with self._lock:
            for peer in self.peers:
                _shut(peer.sock)
            threads = list(self._threads)
        for thread in threads:
            thread.join(_WATCHDOG_SECONDS)
        for peer in self.peers:
            peer.sock.close()
        self._listener.close()

    @property
    def received(self) -> list[bytes]:
        """What came on each connection, as far as the script read it."""
        return [peer.received for peer in self.peers]

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                peer = Peer(sock, self._stopping)
                script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
                self.peers.append(peer)
                if self._stopping.is_set():
                    _shut(sock)
                playing = threading.Thread(target=_play, args=(peer, script), daemon=True)
                self._threads.append(playing)
                playing.start()


def within_watchdog(call: Callable[[], T]) -> T:
    """The result of a call that must come back; fails when it hangs."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(_WATCHDOG_SECONDS)
    assert not thread.is_alive(), "the call hangs"
    assert results, "the call raised"
    return results[0]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes true before the watchdog barks."""
    end = time.monotonic() + _WATCHDOG_SECONDS
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    return holds()


def send(data: bytes) -> Action:
    """Write it all."""
    return lambda peer: peer.write(data)


def drip(data: bytes, gap: float = 0.1, size: int = 1) -> Action:
    """Write a few bytes at a time, ``gap`` seconds apart."""

    def action(peer: Peer) -> None:
        for at in range(0, len(data), size):
            peer.write(data[at : at + size])
            if peer.stopping.wait(gap):
                return

    return action


def forever(data: bytes) -> Action:
    """Write it again and again, as fast as it goes."""

    def action(peer: Peer) -> None:
        while not peer.stopping.is_set():
            peer.write(data)

    return action


def sleep(seconds: float) -> Action:
    """Do nothing for a while."""

    def action(peer: Peer) -> None:
        peer.stopping.wait(seconds)

    return action


def hold(peer: Peer) -> None:
    """Keep the connection open, neither reading nor writing, until the test is over."""
    peer.stopping.wait(_WATCHDOG_SECONDS)


def read_request(peer: Peer) -> None:
    """Read one request with a Content-Length or without a body."""
    request = b""
    while b"\r\n\r\n" not in request:
        data = peer.read()
        if not data:
            return
        request += data
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0 and (data := peer.read()):
        missing -= len(data)


def read_once(peer: Peer) -> None:
    """Read whatever comes first."""
    peer.read()


def read_head(peer: Peer) -> None:
    """Read until an empty line has come."""
    while b"\r\n\r\n" not in peer.received and peer.read():
        pass


def read_to_end(peer: Peer) -> None:
    """Read until the client hangs up."""
    while peer.read():
        pass


def read_bytes(count: Callable[[], int]) -> Action:
    """Read as many bytes as are wanted when the connection begins."""

    def action(peer: Peer) -> None:
        wanted = count()
        while len(peer.received) < wanted and peer.read():
            pass

    return action


def finish_writing(peer: Peer) -> None:
    """Close one direction only."""
    peer.sock.shutdown(socket.SHUT_WR)


def reset(peer: Peer) -> None:
    """Close with RST."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sock.close()


def serves(behaviour: Behaviour, *instead: Action, store: Store = DEMO, patience: float | None = None) -> Action:
    """Answer as the reference would. Where it falls silent these actions are played in the place of its answer.

    Whoever was answered and asks nothing more for ``patience`` seconds is left without a word.
    """
    memory: dict[str, Any] = {}

    def action(peer: Peer) -> None:
        session, answer = Session(behaviour, store, memory), b""
        while not (session.closed or session.silent):
            peer.sock.settimeout(patience if answer and session.idle else None)
            if not (data := peer.sock.recv(65536)):
                return
            answer = session.receive(data)
            peer.write(answer)
        for each in instead if session.silent else (finish_writing, _drain):
            each(peer)

    return action


def _drain(peer: Peer) -> None:
    """Read what is still being sent, so that a reset does not destroy the answer."""
    while peer.sock.recv(65536):
        pass


def _play(peer: Peer, script: Script) -> None:
    with peer.sock, contextlib.suppress(OSError):  # the client hung up, or the test is over
        for action in script:
            action(peer)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
