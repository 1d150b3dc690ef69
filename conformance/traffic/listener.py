"""What the proxy tells of the traffic: it waits here to be judged, in a thread of its own, and within bounds.

Nothing that goes wrong here may reach the traffic: what there is no time to judge is counted, and a terminal that is
gone is not spoken to.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from conformance.report.record import Report
from conformance.traffic.ear import Heard
from conformance.traffic.recorded import Spoken, remarks

MOST_WAITING = 1000
"""Exchanges that wait to be judged; what comes beyond them is passed on and counted, and not judged."""
MOST_WAITING_BYTES = 256 * 1024 * 1024
"""Of all bodies of these."""
NO_TIME = "there was no time for them"

Say = Callable[[str], None]


class Hears(Protocol):
    """What judges: an ``Ear``, here or apart."""

    def hear(self, spoken: Spoken) -> list[str]: ...

    def end(self) -> Heard: ...


class Listener:
    """Has judged what it is told, in a thread of its own, and says what is found."""

    def __init__(self, ear: Hears, say: Say) -> None:
        self._ear = ear
        self._say = say
        self._waiting: queue.SimpleQueue[Spoken | None] = queue.SimpleQueue()
        self._told = self._told_bytes = self._taken = self._taken_bytes = 0  # each written by one thread only
        self._unjudged: Counter[str] = Counter()
        self._remarks: tuple[str, ...] = ()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def tell(self, spoken: Spoken) -> None:
        """Have an exchange judged, when there is time; never waits and never raises."""
        number, size = self._told - self._taken, self._told_bytes - self._taken_bytes + _size(spoken)
        if number >= MOST_WAITING or size > MOST_WAITING_BYTES:
            self._unjudged[NO_TIME] += 1
            return
        self._told += 1
        self._told_bytes += _size(spoken)
        self._waiting.put(spoken)

    def announce(self, line: str) -> None:
        """Say something; a terminal or a pipe that is gone is no reason to stop."""
        with suppress(OSError, ValueError):
            self._say(line)

    def end(self) -> Report:
        """Wait for what is waiting, and sum up."""
        self._waiting.put(None)
        self._thread.join()
        heard = self._ear.end()
        for line in heard.said:
            self.announce(line)
        self._remarks = (*remarks(self._unjudged), *heard.remarks)
        return heard.report

    def remarks(self) -> list[str]:
        """After the end: what was not judged and why, and whether there is no evidence."""
        return list(self._remarks)

    def _listen(self) -> None:
        while (spoken := self._waiting.get()) is not None:
            for line in self._ear.hear(spoken):
                self.announce(line)
            self._taken += 1
            self._taken_bytes += _size(spoken)


def _size(spoken: Spoken) -> int:
    return len(spoken.body or b"") + len(spoken.answer_body or b"")
