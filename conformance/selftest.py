"""The suite judged by its own mutants and variants: which clause catches which fault, and whom it accuses wrongly."""

from __future__ import annotations

import json
import sys
import time
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from conformance import run
from conformance.cases.disguise import USUAL, Disguise, Manner, Marked
from conformance.certification.conduct import same_for_all
from conformance.contract.clauses import Level
from conformance.course import Progress
from conformance.exploration import DEPTHS, Depth
from conformance.in_process import Operator, Server
from conformance.judge import Judge
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.patience import CutOff
from conformance.provisions import STATES, Keys, SigV4, State
from conformance.reference.app import DEMO
from conformance.reference.mutants import MUTANTS
from conformance.reference.server import running
from conformance.reference.service import Service
from conformance.reference.strains import GUEST, MASTER, Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report.record import Report
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.staging import Served
from conformance.target import Target, load, parse
from conformance.wire.client import Client, Endpoint, Limits

REFERENCE = shipped("fixtures", "targets", "reference.toml")
ANSWER_SECONDS = 2.0
"""How long a mutant may take to answer over sockets; many of them never do."""
DISGUISE = Disguise("selftest")
"""How mutants are asked that recognise the suite; and once more with a name tag."""
CONDUCT = "conduct.same-for-all"


@dataclass(frozen=True)
class Trial:
    """What came of a mutant: the clauses that it was seen to breach, each with the requests that it took."""

    breached: Mapping[str, int]
    seen: int

    def caught_by(self, clauses: Collection[str]) -> dict[str, int]:
        """Those of the clauses that caught it, with the requests that it took."""
        return {clause: self.breached[clause] for clause in clauses if clause in self.breached}


def reference() -> Target:
    """The reference's target, with all states that it can be put into."""
    return staged(load(REFERENCE))


def staged(target: Target) -> Target:
    """The target with every state; whoever serves it knows how to enter them without hooks."""
    return replace(target, states={name: State(name) for name in STATES})


def one_by_one(target: Target) -> Target:
    """The target with a single request in flight, so that what a forgetful mutant does is the same every time."""
    return replace(target, limits=replace(target.limits, concurrency=1))


def guarded(target: Target) -> Target:
    """The target of a strain that asks for signatures, with a guest who may do nothing."""
    guest = State("forbidden", keys=_keys("GUEST"))
    return replace(target, auth=SigV4("us-east-1", keys=_keys("MASTER")), states={**target.states, "forbidden": guest})


def _keys(name: str) -> Keys:
    return Keys(*(f"CONFORMANCE_{name}_{part}" for part in ("ACCESS_KEY", "SECRET_KEY", "SESSION_TOKEN")))


KEYS: Mapping[str, str] = {
    f"CONFORMANCE_{name}_{part}": value
    for name, principal in (("MASTER", MASTER), ("GUEST", GUEST))
    for part, value in (
        ("ACCESS_KEY", principal.access_key),
        ("SECRET_KEY", principal.secret),
        ("SESSION_TOKEN", principal.session_token or ""),
    )
}
"""The environment in which guarded strains are judged."""


@cache
def for_mutants(depth: Depth, *, http: bool, signed: bool = False, manner: Manner = USUAL) -> run.Prepared:
    """The run that every mutant goes through, planned and drawn once for all of them."""
    target = guarded(reference()) if signed else reference()
    prepared = run.prepare(
        target if http else one_by_one(target), depth=depth, shrink=False, environ=KEYS, manner=manner
    )
    return replace(prepared, explorer=prepared.explorer.remembering())


def try_mutant(mutant: Mutant, prepared: run.Prepared) -> Trial:
    """Judge a mutant until a clause that it names has caught it, or to the end."""
    judge = Judge(RULES)
    breached: dict[str, int] = {}

    def stop_when_caught(progress: Progress) -> None:
        for verdict in judge.verdicts:
            if verdict.breached:
                breached.setdefault(verdict.rule.clause, progress.seen)
        if any(clause in breached for clause in mutant.clauses):
            raise CutOff("caught")

    course = prepared.campaign(judge).run(prepared.plan, stop_when_caught, explorer=prepared.explorer)
    return Trial(breached, course.seen)


def tried(mutant: Mutant, depth: str, *, http: bool) -> Trial:
    """A mutant's trial: by the fixed cases alone, and at that depth if these do not catch it."""
    if mutant.recognises:
        return by_two_passes(mutant, http=http)
    for each in dict.fromkeys(("quick", depth)):
        with served(mutant, http=http) as reached:
            prepared = for_mutants(DEPTHS[each], http=http, signed=mutant.guarded)
            trial = try_mutant(mutant, prepared.against(reached))
        if trial.caught_by(mutant.clauses):
            break
    return trial


def by_two_passes(mutant: Mutant, *, http: bool) -> Trial:
    """Whether a mutant answers an ordinary client as it answers the suite; by the fixed cases alone."""
    reports = []
    for manner in (DISGUISE, Marked()):
        with served(mutant, http=http, hides=manner.hides) as reached:
            prepared = for_mutants(DEPTHS["quick"], http=http, signed=mutant.guarded, manner=manner)
            reports.append(prepared.against(reached).go()[0])
    seen = sum(report.course.seen for report in reports)
    return Trial({CONDUCT: seen} if same_for_all(reports[:1], reports[1]) else {}, seen)


def try_variant(variant: Variant, depth: Depth, served: Served) -> Report:
    """The report on a variant."""
    report, _ = _prepared(json.dumps(variant.declares), depth, variant.guarded).against(served).go()
    return report


@cache
def _prepared(declared: str, depth: Depth, signed: bool) -> run.Prepared:
    """The run against a target that declares this beyond the reference's, planned and drawn once for all that do."""
    document = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
    target = staged(parse(_merged(document, json.loads(declared)), REFERENCE))
    prepared = run.prepare(guarded(target) if signed else target, depth=depth, shrink=False, environ=KEYS)
    return replace(prepared, explorer=prepared.explorer.remembering())


class OverSockets(Operator):
    """A strain that is served over sockets."""

    def __init__(self, url: str, service: Service, strain: Mutant | Variant, *, hides: bool = False) -> None:
        super().__init__(service, *_failings(strain))
        self.open = Client(Endpoint.of(url), Limits(answer_seconds=ANSWER_SECONDS), any_port=hides).open
        self.wait = time.sleep


def _failings(strain: Mutant | Variant) -> tuple[frozenset[str], frozenset[str]]:
    """The states that a strain is not brought into, and those that it is not brought out of."""
    return (strain.deaf_to, strain.stuck_in) if isinstance(strain, Mutant) else (frozenset(), frozenset())


def in_process(strain: Mutant | Variant) -> Server:
    """A strain of the reference in this process."""
    return Server(strain.behaviour, DEMO, *_failings(strain))


@contextmanager
def served(strain: Mutant | Variant, *, http: bool, hides: bool = False) -> Iterator[Served]:
    """A strain of the reference, within reach: over sockets, which may hide whose they are, or in this process."""
    if not http:
        yield in_process(strain)
        return
    service = Service(DEMO)
    with running(service.behaviour(strain.behaviour)) as url:
        yield OverSockets(url, service, strain, hides=hides)


def command(depth: str, *, http: bool, only: str | None, file: Path | None) -> int:
    """Try all strains, or one, and print the two tables. 0 when all is as it should be, else 1."""
    mutants = [each for each in MUTANTS if only in (None, each.id)]
    variants = [each for each in VARIANTS if only in (None, each.id)]
    if not (mutants or variants):
        known = [*(each.id for each in MUTANTS), *(each.id for each in VARIANTS)]
        raise OperatorMistake(f"there is no mutant or variant {only!r}{did_you_mean(only or '', known)}")
    fitting = [mutant for mutant in mutants if http or not mutant.needs_sockets]
    if not (fitting or variants):
        raise OperatorMistake(f"the mutant {only!r} only shows over sockets: try it with --http")
    kills = [_kill_row(mutant, depth, http=http) for mutant in _told(fitting, "mutants")]
    innocents = [_variant_row(variant, DEPTHS[depth], http=http) for variant in _told(variants, "variants")]
    text = tables(kills, innocents)
    print(text)  # noqa: T201
    if file:
        try:
            file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise OperatorMistake(f"{file}: the tables cannot be written: {error}") from None
    return int(any("**" in row for row in (*kills, *innocents)))


def kill_row(mutant: Mutant, trial: Trial) -> str:
    """A row of the kill matrix: the mutant, the clauses of its own that caught it, and the requests until then."""
    caught = trial.caught_by(mutant.clauses)
    clauses = ", ".join(caught) or "**survived**"
    return f"| {mutant.id} | {clauses} | {min(caught.values(), default=trial.seen)} |"


def tables(kills: Sequence[str], innocents: Sequence[str]) -> str:
    """The kill matrix and the table of false accusations, as Markdown."""
    return "\n".join(
        [
            "# Kill matrix",
            "",
            f"{sum('**' not in row for row in kills)} of {len(kills)} mutants are caught by a clause that they name.",
            "",
            "| mutant | caught by | requests until then |",
            "| --- | --- | ---: |",
            *kills,
            "",
            "# False accusations",
            "",
            f"{sum('**' in row for row in innocents)} of {len(innocents)} variants are accused.",
            "",
            "| variant | conclusion |",
            "| --- | --- |",
            *innocents,
        ]
    )


def _kill_row(mutant: Mutant, depth: str, *, http: bool) -> str:
    return kill_row(mutant, tried(mutant, depth, http=http))


def _variant_row(variant: Variant, depth: Depth, *, http: bool) -> str:
    with served(variant, http=http) as reached:
        return variant_row(variant, try_variant(variant, depth, reached))


def variant_row(variant: Variant, report: Report) -> str:
    """A row of the table of false accusations: the variant, and what the run came to."""
    accused = ", ".join(row.clause.id for row in report.failed(Level.MUST))
    return f"| {variant.id} | {report.conclusion}{f' **accused by {accused}**' if accused else ''} |"


def _told(strains: Sequence[Any], noun: str) -> Iterator[Any]:
    """The strains one by one, with a word now and then on how far it is."""
    for number, strain in enumerate(strains, 1):
        if number % 25 == 0 or number == len(strains):
            print(f"{number} of {len(strains)} {noun}", file=sys.stderr, flush=True)  # noqa: T201
        yield strain


def _merged(document: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for key, value in more.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged
