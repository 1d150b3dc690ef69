"""What judges the exchanges that pass a proxy, one by one, and keeps them as evidence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.evidence.log import EvidenceLog
from conformance.evidence.rejudge import closing, opening
from conformance.exchange import Exchange
from conformance.formats.content_coding import decoded
from conformance.report.record import Report
from conformance.target import Target
from conformance.traffic.recorded import Hearing, Spoken, remarks, unjudgeable

MOST_DECODED = 64 * 1024 * 1024
"""Bytes of an answer without its content coding."""
OUR_FAULT = "the suite itself failed"


@dataclass(frozen=True)
class Heard:
    """What there is to say at the end."""

    report: Report
    remarks: tuple[str, ...]
    """What was not judged and why, and whether there is no evidence."""
    said: tuple[str, ...] = ()
    """What there is to say at once."""


class Ear:
    """Hears exchanges one by one. Nothing that goes wrong is raised: it is counted, and said."""

    def __init__(self, target: Target, folder: Path | None) -> None:
        """Evidence goes into ``folder``. Raises OperatorMistake when it cannot."""
        self._target = target
        self._hearing = Hearing(target)
        self._started, self._clock = datetime.now(UTC), time.perf_counter()
        self._unjudged: Counter[str] = Counter()
        self._trouble = ""
        self._log = self._opened(folder) if folder else None

    def hear(self, spoken: Spoken) -> list[str]:
        """Judge an exchange; returns what there is to say of it."""
        try:
            return self._judged(spoken)
        except Exception as error:  # our own fault must not end the judging of the rest
            self._unjudged[OUR_FAULT] += 1
            return [self._hearing.told(f"{spoken.name}: this exchange could not be judged: {error!r}")]

    def end(self) -> Heard:
        """Sum up, and close the evidence."""
        seconds = time.perf_counter() - self._clock
        said = self._write(lambda log: log.close(closing(self._hearing.course, seconds)))
        notes = [*remarks(self._unjudged), *([self._trouble] if self._trouble else [])]
        return Heard(self._hearing.report(self._started, seconds), tuple(notes), tuple(said))

    def _opened(self, folder: Path) -> EvidenceLog:
        facts = {"planned": 0, "looks": 0, "seed": "", "started": self._started.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return EvidenceLog(folder, opening(self._target, self._hearing.clauses, **facts))

    def _judged(self, spoken: Spoken) -> list[str]:
        plain = _decoded(spoken)
        if reason := unjudgeable(plain):
            self._unjudged[reason] += 1
            return []
        exchange = self._hearing.exchange_of(plain)
        breached = dict.fromkeys(self._hearing.hear(exchange))
        what = f"{_asked(exchange)} was answered {exchange.outcome}"
        trouble = self._write(lambda log: log.add(exchange))
        return [*trouble, *(f"{spoken.name} breaches {clause}: {what}" for clause in breached)]

    def _write(self, what: Callable[[EvidenceLog], object]) -> list[str]:
        """Evidence that is not whole cannot be judged again: at the first failure there is none."""
        if self._log is None:
            return []
        try:
            what(self._log)
        except OSError as error:
            self._log.abandon()
            self._log = None
            self._trouble = f"no evidence is kept: it could not be written: {error}"
            return [self._trouble]
        return []


def _decoded(spoken: Spoken) -> Spoken:
    codings = [value for name, value in spoken.answer_headers if name.lower() == b"content-encoding"]
    return replace(spoken, answer_body=decoded(spoken.answer_body or b"", codings, MOST_DECODED)) if codings else spoken


def _asked(exchange: Exchange) -> str:
    return f"{exchange.request.method.decode('latin-1')} {exchange.request.target.decode('latin-1')}"
