"""Exchanges that others have recorded: what clients asked and servers answered, without the bytes on the wire.

A recording has been through somebody's parser: of framing, connections and timing it tells nothing. So it is judged by
the rules that look at what was said, and by none that look at how. What it shows of other things than the operation,
and what it has lost, is not judged at all, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from conformance.contract.clauses import catalogue
from conformance.contract.document import document
from conformance.contract.reading import FREE, Reading, read
from conformance.course import Course
from conformance.discretion import Discretion
from conformance.exchange import Case, Exchange
from conformance.formats import uri
from conformance.judge import Judge
from conformance.message import Headers, Request, Response
from conformance.report.record import Report, compile_report
from conformance.rule import Rule
from conformance.rules import RULES
from conformance.signing import anonymous, discreet, secrets_of
from conformance.target import Target

UNSEEN = frozenset({"http", "isolation", "conduct", "state", "auth"})
"""Sections of which recorded traffic shows nothing, or not how it came about."""
SHOWN = frozenset({"state.no-project", "state.no-version", "state.not-running", "state.not-running-refused"})
"""Clauses of those that it does show."""
ELSEWHERE = "what was asked for is not the operation"
LOST = "the body of the answer is not known"
_FRAMING = frozenset({b"transfer-encoding", b"content-length", b"connection"})
_DECODED = _FRAMING | {b"content-encoding"}


@dataclass(frozen=True)
class Spoken:
    """One request and its answer in parts."""

    name: str
    method: bytes
    target: bytes
    """As it was written in the request line."""
    headers: Headers
    body: bytes | None
    """None where the recording has lost it."""
    status: int
    answer_headers: Headers
    answer_body: bytes | None
    """Without its content coding; None where the recording has lost it, or it cannot be decoded."""
    seconds: float = 0.0


def rules() -> tuple[Rule, ...]:
    """Those by which recorded traffic can be judged."""
    sections = {clause.id: clause.section for clause in catalogue().tested()}
    return tuple(rule for rule in RULES if sections.get(rule.clause) not in UNSEEN or rule.clause in SHOWN)


def unjudgeable(spoken: Spoken) -> str:
    """Why an exchange cannot be judged; empty when it can."""
    if not _is_for_the_operation(spoken.target):
        return ELSEWHERE
    return LOST if spoken.answer_body is None else ""


def _is_for_the_operation(target: bytes) -> bool:
    """The path is the operation's, however it is written. What else a server offers keeps contracts of its own."""
    template, found = document().path, uri.split(target)
    if found is None or len(found.segments) != len(template):
        return False
    pairs = zip(template, found.segments, strict=True)
    return all(part.startswith("{") or uri.percent_decoded(segment) == part.encode() for part, segment in pairs)


def remarks(unjudged: Mapping[str, int]) -> list[str]:
    """What was not judged and why, a line for each reason."""
    return [f"{count} not judged: {reason}" for reason, count in sorted(unjudged.items()) if count]


def exchange_of(spoken: Spoken, target: Target, discretion: Discretion | None = None) -> Exchange:
    """The exchange that a recording shows, framed plainly, and without whatever is about who asked.

    ``discretion`` knows who asked before, whom the answer may speak of; it gets to know whoever asks now.
    """
    discretion = discretion or Discretion({})
    body, answered = spoken.body or b"", spoken.answer_body or b""
    # a coded request stays one: nobody has to take it, and what is in it is not looked into
    headers = [(name, value) for name, value in spoken.headers if name.lower() not in _FRAMING]
    length = (b"Content-Length", str(len(body)).encode())
    request = Request.build(spoken.method, spoken.target, [*headers, length], body)
    discretion.learn(secrets_of(request) | secrets_of(Request.build(b"", b"", list(spoken.answer_headers))))
    asked = discretion.request(discreet(request))
    reading = read(anonymous(asked), target)
    reading = _without_a_body(reading) if spoken.body is None else reading
    kept = tuple((name, value) for name, value in spoken.answer_headers if name.lower() not in _DECODED)
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in kept)
    wire = b"HTTP/1.1 %d \r\n%s\r\n%s" % (spoken.status, lines, answered)
    answer = discretion.answer(Response(spoken.status, kept, answered, wire=wire), request)
    return Exchange(Case(spoken.name, asked), reading, answer, spoken.seconds)


def _without_a_body(reading: Reading) -> Reading:
    """Of a body that nobody knows nothing follows; what the answer says of itself can still be judged."""
    breaks = frozenset(clause for clause in reading.breaks if not clause.startswith("body."))
    return replace(reading, breaks=breaks, open=reading.open | {FREE}, wishes=frozenset(), picture=None)


class Hearing:
    """Judges recorded exchanges one by one."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._judge = Judge(rules())
        self._discretion = Discretion({})
        self.course = Course(recorded=True)
        self.clauses = frozenset(verdict.rule.clause for verdict in self._judge.verdicts)
        """Those by which recorded traffic is judged."""

    def exchange_of(self, spoken: Spoken) -> Exchange:
        """What was spoken, as it may be judged and kept: nobody's secret is in it, not even of who asked before."""
        exchange = exchange_of(spoken, self._target, self._discretion)
        self.course.echoes = self._discretion.echoes
        return exchange

    def told(self, sentence: str) -> str:
        """A sentence of ours without the secrets of who asked."""
        return self._discretion.text(sentence)

    def hear(self, exchange: Exchange) -> Sequence[str]:
        """Judge one; returns the clauses that it breaches."""
        self.course.seen += 1
        self.course.answered += 1
        return self._judge.see(exchange)

    def report(self, started: datetime, seconds: float) -> Report:
        """What is to be said of everything that was heard."""
        return compile_report(
            self._target,
            self._judge.verdicts,
            self.course,
            planned=self.course.seen,
            looks=0,
            seed="",
            started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            seconds=seconds,
            selected=self.clauses,
        )


def heard(all_spoken: Iterable[Spoken], target: Target, started: datetime) -> Report:
    """The report on a recording, as far as it can be judged."""
    hearing = Hearing(target)
    seconds = 0.0
    for spoken in all_spoken:
        seconds += spoken.seconds
        if not unjudgeable(spoken):
            hearing.hear(hearing.exchange_of(spoken))
    return hearing.report(started, seconds)


def unheard(all_spoken: Iterable[Spoken]) -> Counter[str]:
    """How much of a recording is not judged, by reason."""
    return Counter(reason for spoken in all_spoken if (reason := unjudgeable(spoken)))
