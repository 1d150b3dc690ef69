"""An ear in a process of its own: judging takes no time from the traffic, and cannot take it down.

Of what is judged the processor's time is shared, and nothing else. A judge that dies leaves the traffic as it is.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from conformance.mistake import OperatorMistake
from conformance.target import Target
from conformance.traffic.ear import OUR_FAULT, Ear, Heard
from conformance.traffic.recorded import Hearing, Spoken, remarks

_PATIENCE = 30.0
"""Seconds for the process to end when there is nothing left to do."""


class Apart:
    """Hears as ``Ear`` does, in another process. To be used by one thread at a time."""

    def __init__(self, target: Target, folder: Path | None) -> None:
        """Raises OperatorMistake when evidence cannot be kept in ``folder``."""
        self._target, self._folder = target, folder
        self._lost = 0
        spawned = multiprocessing.get_context("spawn")
        self._line, theirs = spawned.Pipe()
        self._process = spawned.Process(target=_hear_all, args=(theirs, target, folder), name="judge", daemon=True)
        with _interrupts_ignored():  # which the process inherits: Ctrl-C ends the traffic first, and then the judge
            self._process.start()
        theirs.close()
        first = self._reply()
        if isinstance(first, OperatorMistake):
            raise first

    def hear(self, spoken: Spoken) -> list[str]:
        """Judge an exchange; returns what there is to say of it."""
        with suppress(OSError):
            self._line.send(spoken)
        said = self._reply()
        if isinstance(said, list):
            return said
        self._lost += 1
        return ["the judge has ended: from here on nothing is judged"] if self._lost == 1 else []

    def end(self) -> Heard:
        """Sum up, and close the evidence; of a judge that died there is nothing but that to tell."""
        with suppress(OSError):
            self._line.send(None)
        heard = self._reply()
        self._line.close()
        self._process.join(_PATIENCE)
        self._process.kill()
        return heard if isinstance(heard, Heard) else self._nothing()

    def _reply(self) -> object:
        """What the process says; None when it is gone."""
        try:
            return self._line.recv()
        except (OSError, EOFError):
            return None

    def _nothing(self) -> Heard:
        hearing = Hearing(self._target)
        hearing.course.cut_off = "the judge ended before its time"
        report = hearing.report(datetime.now(UTC), 0.0)
        return Heard(report, tuple(remarks({OUR_FAULT: self._lost})))


def _hear_all(line: Connection, target: Target, folder: Path | None) -> None:
    """The process: hear until there is an end, or nobody who listens."""
    try:
        ear = Ear(target, folder)
    except OperatorMistake as mistake:
        line.send(mistake)
        return
    line.send(None)
    with suppress(EOFError, OSError):
        while (spoken := line.recv()) is not None:
            line.send(ear.hear(spoken))
        line.send(ear.end())


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
