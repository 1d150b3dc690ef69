"""A run from end to end: plan, announce, send, judge, account. The command and the pytest plugin both call this."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance import __version__, replay
from conformance.campaign import Campaign
from conformance.cases.disguise import USUAL, Manner, as_an_sdk_has_it
from conformance.cases.plan import Plan, plan
from conformance.cases.requests import measured
from conformance.contract.clauses import catalogue
from conformance.course import Progress
from conformance.evidence.log import EvidenceLog
from conformance.evidence.rejudge import closing, opening
from conformance.exchange import Case
from conformance.exploration import DEPTHS, Depth, Explorer
from conformance.judge import Judge, Verdict
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.patience import Open, authenticated
from conformance.provisions import SigV4
from conformance.report import badge, ctrf, document, html, junit, markdown, repeat, summary, workflow
from conformance.report.record import Report, compile_report
from conformance.rules import RULES
from conformance.shards import WHOLE, Shard
from conformance.signing import signer
from conformance.staging import Served, Stage, clock_skew
from conformance.target import Target
from conformance.wire.client import Client, Endpoint, Limits

FORMATS: dict[str, tuple[str, Callable[[Report], str]]] = {
    "junit": ("junit.xml", junit.render),
    "markdown": ("report.md", markdown.render),
    "html": ("report.html", html.render),
    "github": ("github-summary.md", summary.render),
    "annotations": ("annotations.txt", workflow.render),
    "badge": ("badge.json", badge.render),
    "ctrf": ("ctrf.json", ctrf.render),
}
"""What is written beside ``report.json``: name of the file and how it is rendered."""


_UNAUTHENTICATED = "; sent without authentication, which `conformance replay` adds"


@dataclass(frozen=True)
class Prepared:
    """A run that has been planned and not yet begun: nothing has been sent."""

    target: Target
    plan: Plan
    clauses: frozenset[str]
    seed: str
    planned: int
    looks: int
    explorer: Explorer
    shrink: bool
    stage: Stage
    """What is sent with the target's help, if any clause is judged that needs it."""
    shard: Shard = WHOLE
    """The part of it that is to be sent."""
    manner: Manner = USUAL
    """How it presents itself."""

    def __str__(self) -> str:
        limit = self.explorer.depth.minutes
        many = f"as many requests as fit into {limit:g} minutes" if limit else f"{self.planned} requests"
        many = many if self.shard == WHOLE else f"shard {self.shard} of {many}"
        return (
            f"{self.target.name} at {self.target.url}: {many}, "
            f"of which at most {self.looks} have a model look at a sound image; seed {self.seed}"
        )

    @property
    def share(self) -> int:
        """How many requests the shard sends, more or less."""
        return self.planned // self.shard.of

    def only_shard(self, shard: Shard) -> Prepared:
        """One part of the same run. Nothing is made smaller, since no shard knows what the others find."""
        return replace(self, shard=shard, shrink=False)

    def beginning_with(self, cases: Iterable[Case]) -> Prepared:
        """The same run with further cases sent first."""
        more = tuple(map(self.stage.clothe, cases))
        whole = replace(self.plan, singles=(*more, *self.plan.singles))
        before = self.explorer.depth
        fixed = self.planned - before.requests + len(more)
        depth = before.within(self.target.limits.requests, fixed)
        return replace(
            self,
            plan=whole,
            planned=fixed + depth.requests,
            looks=self.looks - before.looks + depth.looks + len(more),
            explorer=replace(self.explorer, depth=depth),
        )

    def against(self, served: Served) -> Prepared:
        """The same run against somebody else."""
        stage = replace(self.stage, unsigned=served.open, enter=served.enter, leave=served.leave, wait=served.wait)
        return replace(self, stage=stage)

    def campaign(self, judge: Judge, log: EvidenceLog | None = None) -> Campaign:
        """A campaign that is ready to run. What the target says of its clock is asked for here."""
        stage = replace(self.stage, mishaps={})
        stage.unsigned = self._hidden(stage)
        opener = _authenticated(stage)
        staged = stage if is_staged(self.clauses) else None
        sent = _beforehand(self.target)
        return Campaign(self.target, opener, judge, staged, log, sent, self.shard, stage.discretion)

    def _hidden(self, stage: Stage) -> Open:
        """The connections of a stage; where nobody is to know us, signatures stand where those of an SDK do."""
        if not (self.manner.hides and self.target.auth):
            return stage.unsigned
        return authenticated(stage.unsigned, as_an_sdk_has_it, stage.discretion)

    def go(
        self, on_progress: Callable[[Progress], None] = lambda _: None, evidence: Path | None = None
    ) -> tuple[Report, list[Verdict]]:
        """Send everything and account for it; keep what was sent and answered in the folder ``evidence``."""
        judge = Judge(rule for rule in RULES if rule.clause in self.clauses)
        started, clock = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), time.perf_counter()
        facts: dict[str, Any] = {"planned": self.planned, "looks": self.looks, "seed": self.seed, "started": started}
        log = (
            EvidenceLog(evidence, opening(self.target, self.clauses, **facts, **self._of_shards()))
            if evidence
            else None
        )
        campaign = self.campaign(judge, log)
        try:
            campaign.run(self.plan, on_progress, explorer=self.explorer, shrink=self.shrink)
        finally:
            seconds = round(time.perf_counter() - clock, 3)  # as it is written, whoever reads it
            if log:
                log.close(closing(campaign.course, seconds))
        report = compile_report(
            self.target,
            judge.verdicts,
            campaign.course,
            seconds=seconds,
            selected=self.clauses,
            **facts,
        )
        return report, judge.verdicts

    def _of_shards(self) -> dict[str, str]:
        """What the evidence of a shard says of itself, so that only shards of one run are put together."""
        if self.shard == WHOLE:
            return {}
        digest = sha256(f"{__version__} {self.explorer.depth}".encode())
        for case in self.plan.cases():
            digest.update(case.id.encode() + b"\0" + sha256(case.request.wire).digest())
        return {"shard": str(self.shard), "plan": digest.hexdigest()}


def prepare(
    target: Target,
    *,
    only: tuple[str, ...] = (),
    seed: str = "0",
    depth: Depth = DEPTHS["quick"],
    shrink: bool = True,
    opener: Open | None = None,
    environ: Mapping[str, str] = os.environ,
    manner: Manner = USUAL,
) -> Prepared:
    """Plan a run; nothing is sent. ``manner`` is how it presents itself: as it is, or as an ordinary client.

    Raises OperatorMistake for a bad URL, an unknown clause, unreadable photographs, or secrets not in ``environ``.
    """
    clauses = selected(only)
    target = measured(target)
    unknown = next((name for name in target.known_failures if name not in catalogue().clauses), None)
    if unknown:
        raise OperatorMistake(
            f"known-failures.{unknown}: there is no such clause{did_you_mean(unknown, catalogue().clauses)}"
        )
    client = _client(target, manner)
    host = client.endpoint.host_header
    clothe = manner.clothing(target, host)
    whole = manner.arranged(plan(target, host, manner.salt), clothe)
    stage = Stage(target, host, opener or client.open, environ, salt=manner.salt, clothe=clothe)
    staged = stage.requests if is_staged(clauses) else 0
    planned = sum(1 for _ in whole.cases()) + staged + _beforehand(target)
    fitting = depth.within(target.limits.requests, planned)
    drawn_from = f"{seed} {manner.salt}" if manner.salt else seed
    explorer = Explorer(target, host, drawn_from, fitting, salt=manner.salt, clothe=clothe)
    looks = whole.looks(target) + staged + fitting.looks
    planned += fitting.requests
    return Prepared(target, whole, clauses, seed, planned, looks, explorer, shrink, stage, manner=manner)


def is_staged(clauses: frozenset[str]) -> bool:
    """Whether any of the clauses needs the target's help."""
    return any(clause.startswith(("state.", "auth.")) for clause in clauses)


def opener_for(target: Target) -> Open:
    """How to open connections to a target. Raises OperatorMistake for a bad URL, or secrets that are not found."""
    client = _client(target)
    return _authenticated(Stage(target, client.endpoint.host_header, client.open))


def _authenticated(stage: Stage) -> Open:
    """Connections that carry what the target wants to see of who asks, and its clock's time."""
    auth = stage.target.auth
    if auth is None:
        return stage.unsigned
    if isinstance(auth, SigV4):
        stage.skew = clock_skew(stage.unsigned, stage.host, stage.clothe)
    return authenticated(stage.unsigned, signer(auth, stage.environ, stage.skew), stage.discretion)


def _beforehand(target: Target) -> int:
    """How many requests are sent before the first that is judged: one, to whoever's clock must be known."""
    return int(isinstance(target.auth, SigV4))


def _client(target: Target, manner: Manner = USUAL) -> Client:
    try:
        endpoint = Endpoint.of(target.url, str(target.ca) if target.ca else None)
    except ValueError as error:
        raise OperatorMistake(f"target.url: {error}") from None
    return Client(endpoint, Limits(answer_seconds=target.limits.answer_seconds), any_port=manner.hides)


def selected(words: tuple[str, ...]) -> frozenset[str]:
    """The clauses that a selection names: sections or clause ids; all of the set when it is empty."""
    tested = {clause.id: clause.section for clause in catalogue().tested()}
    if not words:
        return frozenset(tested)
    chosen: set[str] = set()
    for word in words:
        found = {clause for clause, section in tested.items() if word in (clause, section)}
        if not found:
            known = [*tested, *tested.values()]
            raise OperatorMistake(f"there is no section or clause {word!r} to select{did_you_mean(word, known)}")
        chosen |= found
    return frozenset(chosen)


def make_room(folder: Path) -> None:
    """Make sure that a report can be written into a folder. Raises OperatorMistake."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("it may not be written to")
    except OSError as error:
        raise OperatorMistake(f"{folder}: no report can be written here: {error}") from None


def write_all(report: Report, folder: Path, formats: tuple[str, ...] = tuple(FORMATS)) -> None:
    """Write the report and its renderings, and a way to repeat each failure, into a folder."""
    make_room(folder)
    clear(folder)
    try:
        _write_repeats(report, folder)
        for name in formats:
            file, render = FORMATS[name]
            (folder / file).write_text(render(report), encoding="utf-8")
        document.write(report, folder)
    except OSError as error:
        raise OperatorMistake(f"{folder}: the report cannot be written: {error}") from None


def clear(folder: Path) -> None:
    """Take away what an earlier run left, so that nothing of it looks like this one's."""
    stale = [folder / file for file, _ in FORMATS.values()]
    stale += [file for ending in ("py", "json", "body") for file in (folder / "repeat").glob(f"*.{ending}")]
    for file in (*stale, folder / "report.json"):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's files in it
        (folder / "repeat").rmdir()


def _write_repeats(report: Report, folder: Path) -> None:
    failures = [failure for row in report.rows for failure in row.failures if failure.connections]
    if failures:
        (folder / "repeat").mkdir(exist_ok=True)
    seconds = report.target.limits.answer_seconds
    for failure in failures:
        title = f"{failure.id}, case {failure.case}{_UNAUTHENTICATED if report.target.auth else ''}"
        text = repeat.script(title, report.target.url, failure.connections, seconds)
        (folder / document.script_name(failure)).write_text(text, encoding="utf-8")
        (folder / document.requests_name(failure)).write_text(replay.pack(failure.connections), encoding="utf-8")
        if document.curl_line(failure, report.target.url):
            (folder / document.body_name(failure)).write_bytes(failure.request.body)
