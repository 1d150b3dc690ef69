"""What the page says, in the order in which it says it: plain values for the templates, all strings made visible."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby, islice

from conformance.contract.clauses import Level, catalogue
from conformance.contract.clients import breaches_of, measured
from conformance.contract.reading import Reading
from conformance.exchange import Case, Exchange
from conformance.message import Delivery
from conformance.report.document import curl_line, script_name
from conformance.report.html import bodies, chart, marks
from conformance.report.html.bodies import Message
from conformance.report.html.pictures import Painter, Picture
from conformance.report.markdown import MARKS
from conformance.report.record import ClauseRow, Failure, Outcome, Report
from conformance.report.visible import LIMIT, visible
from conformance.rules import RULES
from conformance.waivers import Waived

EXCHANGES, PICTURES = 1_000_000, 800_000
"""Letters of a page that exchanges may take, and pictures; what is left out is in ``report.json``."""
LONGEST_COMMAND = 20_000
BRIEF = 100
READINGS = 12
UNSTEADY = 20

_TOOLS = ("hypothesis", "schemathesis", "pillow")


@dataclass(frozen=True)
class FailureView:
    """One finding and what shows it."""

    id: str
    rule: str
    case: str
    where: str
    expected: str
    actual: str
    context: str
    """What is unusual about the way in which it was sent; empty where nothing is."""
    request: Message | None
    """None where the page had no more room."""
    answer: Message | None
    pictures: Sequence[Picture]
    script: str
    curl: str


@dataclass(frozen=True)
class ReadingView:
    """A reading taken, and how often; ``share`` is of 100."""

    text: str
    count: int
    share: float


@dataclass(frozen=True)
class RowView:
    """A clause and what became of it."""

    id: str
    section: str
    section_title: str
    level: str
    outcome: str
    kind: str
    """The outcome as a CSS class; a failed SHOULD is a ``remark``."""
    mark: str
    told: str
    """Everything that its cell on the map stands for, in a line."""
    requirement: str
    sources: Sequence[str]
    rules: Sequence[str]
    counts: str
    gist: str
    """What is most worth knowing of it, in a line."""
    reason: str
    known: str
    waived: str
    breaks: Sequence[str]
    question: str
    readings: Sequence[ReadingView]
    more_readings: int
    failures: Sequence[FailureView]

    @property
    def documents(self) -> str:
        """The documents that its sources are of, such as ``page rfc``."""
        return " ".join(dict.fromkeys(source.split()[0] for source in self.sources))


@dataclass(frozen=True)
class SectionView:
    """A row of the map."""

    id: str
    title: str
    rows: Sequence[RowView]
    tally: str


@dataclass(frozen=True)
class GroupView:
    """Clauses that came to the same."""

    id: str
    title: str
    note: str
    rows: Sequence[RowView]
    unfolded: bool = False
    by_section: bool = False

    @property
    def parts(self) -> list[tuple[str, list[RowView]]]:
        """Its clauses under the titles of their sections, or all under none."""
        if not self.by_section:
            return [("", list(self.rows))]
        return [(title, list(rows)) for title, rows in groupby(self.rows, lambda row: row.section_title)]


@dataclass(frozen=True)
class ReportView:
    """The page."""

    name: str
    title: str
    conclusion: str
    kind: str
    mark: str
    reason: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    outcomes: Sequence[tuple[str, str, str, int]]
    """Class, mark, name and number of clauses of each outcome."""
    counts: Sequence[tuple[str, Sequence[int]]]
    sections: Sequence[SectionView]
    broken: Sequence[RowView]
    """What failed, MUST before SHOULD."""
    documents: Sequence[str]
    groups: Sequence[GroupView]
    clients: str
    """Who was measured for what breaks; empty where nothing is said of that."""
    timings: chart.Chart | None
    environment: Sequence[tuple[str, str]]
    total: int


def view_of(report: Report) -> ReportView:
    """The page of a report."""
    rows = _rows(report)
    mark = marks.of_conclusion(report.conclusion)
    name = visible(f"{report.target.name} {report.target.version}".rstrip(), BRIEF)
    return ReportView(
        name=name,
        title=f"{report.conclusion}: {name}",
        conclusion=mark.text,
        kind=mark.kind,
        mark=mark.glyph,
        reason=visible(report.reason),
        facts=list(_facts(report)),
        notes=list(_notes(report)),
        outcomes=[
            (marks.css(outcome), MARKS[outcome][0], str(outcome), sum(row.outcome == outcome for row in rows))
            for outcome in Outcome
        ],
        counts=[(str(level), [counts[outcome] for outcome in Outcome]) for level, counts in report.counts.items()],
        sections=list(_sections(rows)),
        broken=[row for kind in ("failed", "remark") for row in rows if row.kind == kind],
        documents=sorted({word for row in rows for word in row.documents.split()}),
        groups=[group for group in _groups(rows) if group.rows],
        clients=", ".join(map(str, measured().clients.values())) if any(row.breaks for row in rows) else "",
        timings=chart.of(report.course.timings),
        environment=list(_environment(report)),
        total=len(rows),
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    course, target = report.course, report.target
    yield "Target", visible(target.url)
    yield from ((name.capitalize(), visible(value)) for name, value in target.about.items())
    many = f"{course.sent} sent, {course.seen} judged, {course.answered} answered"
    yield "Requests", many + (f", {course.throttled} throttled" if course.throttled else "")
    yield "Begun", f"{visible(report.started)}, took {report.seconds:.1f} s"
    yield "Seed", visible(report.seed)
    yield "Suite", f"{report.suite}, contract {report.contract[:19]}"


def _notes(report: Report) -> Iterator[str]:
    course = report.course
    if course.cut_off and visible(course.cut_off) != visible(report.reason):
        yield f"Cut off: {visible(course.cut_off)}."
    if report.credentials:
        yield f"With credentials: {report.credentials}."
    if course.unsteady:
        more = f" and {len(course.unsteady) - UNSTEADY} more" if len(course.unsteady) > UNSTEADY else ""
        names = ", ".join(visible(name, BRIEF) for name in course.unsteady[:UNSTEADY])
        yield f"Unsteady, answered only when sent again: {names}{more}."
    yield from (f"Waiver {visible(str(waived))}" for waived in report.waivers)
    if report.stale:
        yield f"Listed as known failures, yet not failing: {', '.join(map(visible, report.stale))}."


def _environment(report: Report) -> Iterator[tuple[str, str]]:
    yield "Suite", report.suite
    yield "Contract", report.contract
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()})"
    yield from ((name.capitalize(), version(name)) for name in _TOOLS)


def _sections(rows: Sequence[RowView]) -> Iterator[SectionView]:
    for section, title in catalogue().sections.items():
        mine = [row for row in rows if row.section == section]
        if mine:
            yield SectionView(section, title, mine, _tally(mine))


def _tally(rows: Sequence[RowView]) -> str:
    """How many clauses came to what, such as ``5 passed, 1 failed``."""
    found = Counter(row.outcome for row in rows)
    return ", ".join(f"{found[outcome]} {outcome}" for outcome in Outcome if found[outcome])


def _groups(rows: Sequence[RowView]) -> Iterator[GroupView]:
    def group(kind: str, title: str, note: str, **options: bool) -> GroupView:
        return GroupView(kind, title, note, [row for row in rows if row.kind == kind], **options)

    yield group("failed", "Failures", "What makes the target non-conformant.", unfolded=True)
    yield group("remark", "Remarks", "A breach of a SHOULD counts against nobody.", unfolded=True)
    yield group("error", "Errors", "Our own fault, or the set-up's: these could not be judged.", unfolded=True)
    yield group("unexercised", "Not exercised", "What would have to be declared to have these judged.")
    yield group(
        "observed",
        "Interpretations",
        "The documents are silent here. The reading that the target takes is recorded, and nobody is blamed.",
    )
    yield group("passed", "Kept", "Judged on at least one exchange, and kept in all.", by_section=True)
    yield group("not-applicable", "Not applicable", "The target declares that it has no such thing.")


def _rows(report: Report) -> list[RowView]:
    """Every clause. Those that failed a MUST get the page's room first."""
    teller = _Teller(report)
    told = {row.clause.id: teller.failures(row) for level in (Level.MUST, Level.SHOULD) for row in report.failed(level)}
    return [_row(row, told.get(row.clause.id, []), _waived(report.waiver_of(row))) for row in report.rows]


def _waived(waived: Waived | None) -> str:
    if waived is None:
        return ""
    return visible(f"until {waived.waiver.expires} by {waived.waiver.owner}: {waived.waiver.reason}")


def _row(row: ClauseRow, failures: Sequence[FailureView], waived: str) -> RowView:
    clause = row.clause
    failed = row.outcome is Outcome.FAILED
    mark = marks.of_outcome(row.outcome, clause.level)
    counts = _counts(row)
    told = f"{clause.id}: {clause.level}, {'remark' if mark.kind == 'remark' else row.outcome}"
    readings = list(_readings(row))
    return RowView(
        clause.id,
        clause.section,
        catalogue().sections[clause.section],
        str(clause.level),
        mark.text,
        mark.kind,
        mark.glyph,
        f"{told}, {counts}" if counts else told,
        visible(clause.requirement),
        [visible(source) for source in clause.sources],
        [rule.id for rule in RULES if rule.clause == clause.id],
        counts,
        visible(row.reason or clause.question or clause.requirement),
        visible(row.reason),
        visible(row.known),
        waived,
        [visible(str(breach)) for breach in breaches_of(clause.id)] if failed else [],
        visible(clause.question),
        readings,
        len(row.readings or ()) - len(readings),
        failures,
    )


def _counts(row: ClauseRow) -> str:
    if not row.judged:
        return ""
    many = f"{row.judged} exchange{'' if row.judged == 1 else 's'}"
    return f"{row.breached} of {many} breach it" if row.breached else many


def _readings(row: ClauseRow) -> Iterator[ReadingView]:
    total = sum((row.readings or {}).values())
    for reading, count in islice((row.readings or {}).items(), READINGS):
        yield ReadingView(visible(reading, 160), count, round(100 * count / total, 1))


class _Teller:
    """Tells failures in full as long as the page has room, and in brief after that."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._painter = Painter(PICTURES)
        self._left = EXCHANGES

    def failures(self, row: ClauseRow) -> list[FailureView]:
        return [self._failure(failure) for failure in row.failures]

    def _failure(self, failure: Failure) -> FailureView:
        full = self._view(failure, brief=False)
        letters = sum(map(_letters, _texts(full)))
        if letters > self._left:
            return self._view(failure, brief=True)
        self._left -= letters
        exchange = Exchange(Case(failure.case, failure.request), Reading(), failure.answer)
        return replace(full, pictures=self._painter.paint(exchange))

    def _view(self, failure: Failure, *, brief: bool) -> FailureView:
        finding, url = failure.finding, self._report.target.url
        limit = BRIEF if brief else LIMIT
        return FailureView(
            id=failure.id,
            rule=failure.rule,
            case=visible(failure.case),
            where=visible(finding.where, limit),
            expected=visible(finding.expected, limit),
            actual=visible(finding.actual, limit),
            context=_context(failure),
            request=None if brief else bodies.sent(failure.request),
            answer=None if brief else bodies.received(failure.answer),
            pictures=[],
            script=script_name(failure) if failure.connections else "",
            curl="" if brief else visible(curl_line(failure, url) or "", LONGEST_COMMAND),
        )


def _context(failure: Failure) -> str:
    if not failure.connections:
        return "It takes a signature, or a state of the target, to see it again."
    own, *others = failure.connections
    parts = []
    if len(own) > 1:
        parts.append(f"after {', '.join(visible(case.id) for case in own[:-1])} on the same connection")
    if others:
        parts.append(f"while {len(others)} other request{'' if len(others) == 1 else 's'} were in flight")
    if own and own[-1].delivery is not Delivery.WHOLE:
        parts.append(f"delivered {own[-1].delivery}")
    return f"Sent {'; '.join(parts)}." if parts else ""


def _texts(view: FailureView) -> Iterator[str]:
    yield from (view.where, view.expected, view.actual, view.curl)
    for message in (view.request, view.answer):
        if message:
            yield from (message.head, message.body.text if message.body else "", *message.faults)


def _letters(text: str) -> int:
    """Letters that a text takes in the page."""
    return len(text) + 4 * sum(map(text.count, "\"'<>&"))
