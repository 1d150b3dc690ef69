"""What changes while the reference serves: which models run, and which states an operator has it enter.

The operation asks through two stages of its behaviour, ``admit`` and ``running``; the admin surface, or whoever else
holds the ``Service``, changes it meanwhile from another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from conformance.reference.app import HONEST, Behaviour, Call, Model, Reason, Refused, Resource, Store

RETRY_AFTER = 1  # seconds

_REFUSALS: Mapping[str, Callable[[], Refused]] = {
    "forbidden": lambda: Refused(Reason.FORBIDDEN, "You are not authorized to perform the action."),
    "conflict": lambda: Refused(Reason.CONFLICT, "The model is being changed.", Resource("all", "MODEL")),
    "throttled": lambda: throttle("The rate of requests is exceeded."),
    "fault": lambda: Refused(Reason.FAULT, "The service experienced an issue. Try your call again."),
}
STATES = tuple(_REFUSALS)
"""The states that can be entered; in each of them every well-formed request is refused."""


def throttle(message: str) -> Refused:
    """A refusal that says when to come back."""
    return Refused(Reason.THROTTLED, message, headers=(("Retry-After", str(RETRY_AFTER)),))


class UnknownModel(LookupError):
    """No such version of no such project."""


class Service:
    """The state of one server. May be shared by threads."""

    def __init__(self, store: Store, admit: Iterable[Callable[[Call], None]] = ()) -> None:
        self.store = store
        self._guards = tuple(admit)
        self._lock = threading.Lock()
        self._running = {(model.project, model.version): model.running for model in store}
        self._entered: set[str] = set()

    def behaviour(self, base: Behaviour = HONEST) -> Behaviour:
        """A server that is in this state, whatever becomes of it."""

        def admit(call: Call) -> None:
            base.admit(call)
            self._admit(call)

        def running(model: Model) -> bool:
            return base.running(replace(model, running=self.is_running(model)))

        return replace(base, admit=admit, running=running)

    def is_running(self, model: Model) -> bool:
        """Whether a model runs now; one that is not in the store runs as it says."""
        with self._lock:
            return self._running.get((model.project, model.version), model.running)

    def set_running(self, project: str, version: int, running: bool) -> None:
        """Start or stop a model. Raises UnknownModel."""
        with self._lock:
            if (project, version) not in self._running:
                raise UnknownModel(f"{project}/{version}")
            self._running[project, version] = running

    def enter(self, state: str) -> None:
        """Refuse everything for that reason, one of ``STATES``, until it is left."""
        with self._lock:
            self._entered.add(state)

    def leave(self, state: str) -> None:
        with self._lock:
            self._entered.discard(state)

    def entered(self) -> list[str]:
        """The states that it is in."""
        with self._lock:
            return [state for state in STATES if state in self._entered]

    def _admit(self, call: Call) -> None:
        for guard in self._guards:
            guard(call)
        for state in self.entered():
            raise _REFUSALS[state]()
