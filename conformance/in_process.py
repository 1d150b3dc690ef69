"""A session with the reference in this process, in the place of a socket: the same bytes, and no waiting."""

from __future__ import annotations

from typing import Any

from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.provisions import State
from conformance.reference.app import DEMO, HONEST, Behaviour, Store
from conformance.reference.server import Session
from conformance.reference.service import Service
from conformance.wire.answers import Caps, Reader


class Operator:
    """Does to the reference in this process what hooks would do from outside.

    ``deaf_to`` are states that it fails to bring about, ``stuck_in`` those that it fails to end.
    """

    def __init__(
        self, service: Service, deaf_to: frozenset[str] = frozenset(), stuck_in: frozenset[str] = frozenset()
    ) -> None:
        self._service = service
        self._deaf_to = deaf_to
        self._stuck_in = stuck_in

    def enter(self, state: State) -> None:
        """Put the server into a state."""
        if state.name in self._deaf_to:
            return
        if state.name == "stopped":
            self._run_models(False)
        else:
            self._service.enter(state.name)

    def leave(self, state: State) -> None:
        """Take the server out of a state."""
        if state.name in self._stuck_in:
            return
        if state.name == "stopped":
            self._run_models(True)
        else:
            self._service.leave(state.name)

    def _run_models(self, wanted: bool) -> None:
        """Run the models that run from the start, or none."""
        for model in self._service.store:
            self._service.set_running(model.project, model.version, wanted and model.running)


class Server(Operator):
    """A server of the reference whose connections are sessions. They share what a server's connections share."""

    def __init__(
        self,
        behaviour: Behaviour = HONEST,
        store: Store = DEMO,
        deaf_to: frozenset[str] = frozenset(),
        stuck_in: frozenset[str] = frozenset(),
    ) -> None:
        service = Service(store)
        super().__init__(service, deaf_to, stuck_in)
        self._behaviour = service.behaviour(behaviour)
        self._store = store
        self._memory: dict[str, Any] = {}

    def open(self) -> Connection:
        """A new connection."""
        return Connection(Session(self._behaviour, self._store, self._memory))

    def wait(self, seconds: float) -> None:
        """Nothing here takes time."""


class Connection:
    """One session, used as a connection. A server that would never answer counts as timed out at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._used = False
        self.lost_idle = False
        self.reusable = True

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        """Hand over a request and read what comes back."""
        was_used, self._used = self._used, True
        if delivery is Delivery.ABORT:
            return self._abort(request)
        if not self.reusable or self._session.closed:
            self.lost_idle, self.reusable = was_used, False
            return NoAnswer(Silence.CLOSED, "the connection was closed before")
        reader = Reader(request.method, Caps())
        for piece in _handed_over(request, delivery):
            try:
                reader.feed(self._session.receive(piece))
            except Exception as error:  # the mutant's own crash: on a socket the connection drops
                reader.feed_eof()
                return self._settled(reader, f"the server crashed: {error!r}")
            if self._session.closed:
                reader.feed_eof()
                break
        return self._settled(reader, "nothing more came")

    def _settled(self, reader: Reader, reason: str) -> Answer:
        answer = reader.answer or reader.give_up(Silence.TIMEOUT, reason)
        self.reusable = isinstance(answer, Response) and not answer.closes and not self._session.closed
        return answer

    def _abort(self, request: Request) -> Answer:
        self._session.receive(request.head + request.body[: len(request.body) // 2])
        self._session.receive_eof()
        self.reusable = False
        return NoAnswer(Silence.ABORTED, "hung up on purpose")

    def settle(self) -> bytes:
        """Nothing is ever late here."""
        return b""

    def close(self) -> None:
        """Hang up."""
        self._session.receive_eof()


def _handed_over(request: Request, delivery: Delivery) -> tuple[bytes, ...]:
    if delivery is Delivery.AWAIT_CONTINUE:
        return request.head, request.body
    return request.pieces if delivery is Delivery.PIECES else (request.wire,)
