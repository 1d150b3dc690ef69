"""Clients by scenarios: we ask the target, then each client asks it, and what the client said is judged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.cases.requests import Draft, Subject, measured, path
from conformance.clients.process import Hide, clean_environment, converse, hushed
from conformance.clients.relay import Relay
from conformance.clients.said import Failed, Said, read
from conformance.clients.table import ANY_MODEL, SCENARIOS, Client, Scenario
from conformance.clients.verdict import Outcome, Verdict, judge
from conformance.contract.reading import read as read_request
from conformance.exchange import Case, Exchange
from conformance.message import Answer, NoAnswer, Request, Response, Silence
from conformance.patience import Open
from conformance.target import Target

ATTEMPTS = 3
"""How often a client tries, and how often we do."""
STARTING, BETWEEN = 30.0, 20.0  # seconds that are granted to a client beyond the target's own: at first, and for waits
GIVEN_UP = 3
"""After so many calls that ended its driver a client is not started again."""


@dataclass(frozen=True)
class Call:
    """A scenario made ready for a target: the request as we send it, and the same in words for a client."""

    scenario: Scenario
    request: Request
    project: str
    version: str
    body: bytes


@dataclass(frozen=True)
class Cell:
    """What came of one scenario with one client."""

    client: str
    scenario: str
    verdict: Verdict
    said: Said | None = None
    attempts: int | None = None

    @property
    def outcome(self) -> Outcome:
        return self.verdict.outcome


@dataclass(frozen=True)
class Runner:
    """A client that is installed, and how to start its driver; or why there is none."""

    client: Client
    command: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Matrix:
    """Everything that was found."""

    target: Target
    started: str
    seconds: float
    clients: Mapping[str, str]
    """What each client calls itself, or why it did not run."""
    wire: Mapping[str, str]
    """What we were answered in each scenario, or why we did not ask."""
    cells: tuple[Cell, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(cell.outcome is outcome for cell in self.cells)

    @property
    def exit_code(self) -> int:
        """0 when all that ran was read, 1 when something was not, 3 when nothing ran."""
        if self.count(Outcome.MISREAD) or self.count(Outcome.CRASHED):
            return 1
        return 0 if self.count(Outcome.READ) else 3


def calls(target: Target, host: bytes) -> dict[str, Call | str]:
    """Each scenario made ready, or why it cannot be."""
    target = measured(target)
    return {scenario.id: _call(scenario, target, host) for scenario in SCENARIOS}


def _call(scenario: Scenario, target: Target, host: bytes) -> Call | str:
    running = next(iter(target.running()), None)
    scene = running if scenario.scene == ANY_MODEL else target.scenes.get(scenario.scene)
    if scene is None:
        if scenario.scene in target.absent:
            return f"the target has no {scenario.scene.replace('-', ' ')}"
        return f"declare scenes.{'classification' if scenario.scene == ANY_MODEL else scenario.scene}"
    pictured = scene if scene in target.running() or running is None else replace(scene, image=running.image)
    body = scenario.body(Subject(pictured, host, target.limits))
    project = scenario.project or scene.project
    labels = path(quote(project, safe=""), quote(scene.version, safe=""))
    draft = Draft(host, labels, body, scenario.content_type)
    return Call(scenario, draft.request(), project, scene.version, body)


def ask(call: Call, target: Target, opener: Open) -> Exchange:
    """Send a request once, and again when it is lost or throttled."""
    case = Case(call.scenario.id, call.request)
    reading = read_request(call.request, target)
    for attempt in range(ATTEMPTS):
        exchange = Exchange(case, reading, once(opener, call.request))
        if isinstance(exchange.answer, Response) and not exchange.throttled:
            break
        if attempt < ATTEMPTS - 1:
            time.sleep(1.0 if exchange.throttled else 0.1)
    return exchange


def once(opener: Open, request: Request) -> Answer:
    """One exchange on a connection of its own."""
    connection = opener()
    try:
        return connection.exchange(request)
    finally:
        connection.close()


def requests_at_most(target: Target, clients: int) -> int:
    """How many requests reach the target when everybody tries as often as they may."""
    ready = sum(isinstance(call, Call) for call in calls(target, b"target").values())
    return ready * ATTEMPTS * (1 + clients)


@dataclass(frozen=True)
class Drive:
    """How a target is driven."""

    target: Target
    host: bytes
    opener: Open
    """For our own requests: they carry whatever the target wants to see of who asks."""
    relayed: Open
    """For those of the clients, which carry it themselves."""
    region: str = "us-east-1"
    credentials: Mapping[str, str] | None = None
    """By the names of environment variables; None: dummies sign, for targets that do not look."""
    hide: Hide = str
    """What is taken out of all that clients say."""
    patience: float = STARTING + BETWEEN
    """Seconds for which a driver may be silent beyond the time that the target may take."""

    def run(self, runners: Sequence[Runner], on_cell: Callable[[Cell], None] = lambda _: None) -> Matrix:
        """Ask the target, have the clients ask it, and judge."""
        started, clock = datetime.now(UTC), time.perf_counter()
        ready = calls(self.target, self.host)
        answers = {
            name: ask(call, self.target, self.opener) if isinstance(call, Call) else call
            for name, call in ready.items()
        }
        cells: list[Cell] = []
        names: dict[str, str] = {}
        for runner in runners:
            course = _Course(self, runner, ready, answers, on_cell)
            cells += course.run()
            names[runner.client.id] = course.name or "it was not needed"
        return Matrix(
            self.target,
            started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            time.perf_counter() - clock,
            names,
            {name: each if isinstance(each, str) else each.outcome for name, each in answers.items()},
            tuple(cells),
        )


class _Course:
    """One client, put through all scenarios."""

    def __init__(
        self,
        drive: Drive,
        runner: Runner,
        ready: Mapping[str, Call | str],
        answers: Mapping[str, Exchange | str],
        on_cell: Callable[[Cell], None],
    ) -> None:
        self.name = runner.missing
        """What it calls itself, or why it does not run; empty until either is known."""
        self._drive = drive
        self._runner = runner
        self._ready = ready
        self._answers = answers
        self._on_cell = on_cell
        self._cells: dict[str, Cell] = {}
        self._relays: dict[str, Relay] = {}

    def run(self) -> list[Cell]:
        left = [name for name in self._ready if not self._excluded(name)]
        deaths = 0
        while left:
            trouble = self._converse(left)
            left = [name for name in left if name not in self._cells]
            if not self.name:
                self.name = f"it does not start: {trouble}"
                left = self._left_out(left, self.name)
            elif left:
                self._heard(left.pop(0), Failed(trouble))
                deaths += 1
            if deaths == GIVEN_UP:
                left = self._left_out(left, f"it was given up after {deaths} calls that it did not survive")
        return list(self._cells.values())

    def _left_out(self, names: Sequence[str], why: str) -> list[str]:
        """Note that these do not run; nothing is left."""
        for name in names:
            self._put(name, Verdict(Outcome.NOT_RUN, why))
        return []

    def _excluded(self, name: str) -> bool:
        """Whether there is a reason not to run it, which is then noted."""
        answer = self._answers[name]
        why = self._runner.missing or (answer if isinstance(answer, str) else "")
        if not why and isinstance(answer, Exchange):
            why = _unfit(answer)
        if why:
            self._put(name, Verdict(Outcome.NOT_RUN, why))
        return bool(why)

    def _converse(self, names: Sequence[str]) -> str:
        """Start the driver for these scenarios; how it ended."""
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            drive, seconds = self._drive, self._drive.target.limits.answer_seconds
            self._relays = {name: stack.enter_context(self._relay()) for name in names if self._call(name)[0].relayed}
            told = [self._told(name, home) for name in names]
            return converse(
                self._runner.command,
                {"seconds": seconds, "region": drive.region, "scenarios": told},
                clean_environment(home, drive.region, drive.credentials, drive.target.ca),
                home,
                ATTEMPTS * seconds + drive.patience,
                lambda line: self._line(hushed(line, drive.hide), names),
                drive.hide,
            ).trouble

    def _call(self, name: str) -> tuple[Scenario, Call]:
        call = self._ready[name]
        assert isinstance(call, Call)  # noqa: S101 (else it was excluded)
        return call.scenario, call

    def _relay(self) -> Relay:
        drive = self._drive
        host = None if drive.credentials else drive.host
        return Relay(lambda request: once(drive.relayed, request), host)

    def _told(self, name: str, home: Path) -> dict[str, str]:
        """A scenario as its driver is told of it."""
        scenario, call = self._call(name)
        body = home / f"{name}.body"
        body.write_bytes(call.body)
        return {
            "id": name,
            "endpoint": self._relays[name].url if scenario.relayed else self._drive.target.url,
            "project": call.project,
            "version": call.version,
            "content_type": scenario.content_type,
            "body": str(body),
        }

    def _line(self, line: Mapping[str, Any], names: Sequence[str]) -> None:
        """Take what a driver says: who it is, or what came of a scenario that it was told of."""
        name = line.get("scenario")
        if isinstance(line.get("hello"), str):
            self.name = line["hello"][:200]
        elif self.name and name in names and name not in self._cells:
            self._heard(str(name), read(line))

    def _heard(self, name: str, said: Said) -> None:
        scenario, answer = self._call(name)[0], self._answers[name]
        assert isinstance(answer, Exchange)  # noqa: S101 (else it was excluded)
        asked = self._relays[name].requests if name in self._relays else None
        self._put(name, judge(scenario, answer, said, asked), said, said.attempts or asked)

    def _put(self, name: str, verdict: Verdict, said: Said | None = None, attempts: int | None = None) -> None:
        self._cells[name] = cell = Cell(self._runner.client.id, name, verdict, said, attempts)
        self._on_cell(cell)


def _unfit(answer: Exchange) -> str:
    """Why no client need ask what we asked in vain."""
    if isinstance(answer.answer, NoAnswer) and answer.answer.kind is Silence.UNREACHABLE:
        return f"the target cannot be reached: {answer.answer.detail}"
    return ""
