"""The suite judged by its own mutants and variants: which clause catches which fault, and whom it accuses wrongly."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from conformance import run
from conformance.campaign import Campaign, Progress
from conformance.contract.clauses import Level
from conformance.exploration import DEPTHS, Depth
from conformance.in_process import Server
from conformance.judge import Judge
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.patience import CutOff, Open
from conformance.reference.app import Behaviour
from conformance.reference.mutants import MUTANTS
from conformance.reference.server import running
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report.record import Report
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.target import Target, load, parse
from conformance.wire.client import Client, Endpoint, Limits

REFERENCE = shipped("fixtures", "targets", "reference.toml")
ANSWER_SECONDS = 2.0
"""How long a mutant may take to answer over sockets; many of them never do."""


@dataclass(frozen=True)
class Trial:
    """What came of a mutant: the clauses that it was seen to breach, each with the requests that it took."""

    breached: Mapping[str, int]
    seen: int

    def caught_by(self, clauses: Collection[str]) -> dict[str, int]:
        """Those of the clauses that caught it, with the requests that it took."""
        return {clause: self.breached[clause] for clause in clauses if clause in self.breached}


def reference() -> Target:
    """The reference's target."""
    return load(REFERENCE)


def one_by_one(target: Target) -> Target:
    """The target with a single request in flight, so that what a forgetful mutant does is the same every time."""
    return replace(target, limits=replace(target.limits, concurrency=1))


@cache
def for_mutants(depth: Depth, *, http: bool) -> run.Prepared:
    """The run that every mutant goes through, planned and drawn once for all of them."""
    prepared = run.prepare(reference() if http else one_by_one(reference()), depth=depth, shrink=False)
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

    campaign = Campaign(prepared.target, prepared.open_connection, judge)
    course = campaign.run(prepared.plan, stop_when_caught, explorer=prepared.explorer)
    return Trial(breached, course.seen)


def try_variant(variant: Variant, depth: Depth, opener: Open) -> Report:
    """The report on a variant."""
    report, _ = replace(_prepared(json.dumps(variant.declares), depth), open_connection=opener).go()
    return report


@cache
def _prepared(declared: str, depth: Depth) -> run.Prepared:
    """The run against a target that declares this beyond the reference's, planned and drawn once for all that do."""
    document = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
    prepared = run.prepare(parse(_merged(document, json.loads(declared)), REFERENCE), depth=depth, shrink=False)
    return replace(prepared, explorer=prepared.explorer.remembering())


@contextmanager
def served(behaviour: Behaviour, *, http: bool) -> Iterator[Open]:
    """How to open connections to a strain of the reference: over sockets, or in this process."""
    if not http:
        yield Server(behaviour).open
        return
    with running(behaviour) as url:
        yield Client(Endpoint.of(url), Limits(answer_seconds=ANSWER_SECONDS)).open


def command(depth: str, *, http: bool, only: str | None, file: Path | None) -> int:
    """Try all strains, or one, and print the two tables. 0 when all is as it should be, else 1."""
    mutants = [each for each in MUTANTS if only in (None, each.id)]
    variants = [each for each in VARIANTS if only in (None, each.id)]
    if not (mutants or variants):
        known = [*(each.id for each in MUTANTS), *(each.id for each in VARIANTS)]
        raise OperatorMistake(f"there is no mutant or variant {only!r}{did_you_mean(only or '', known)}")
    fitting = [mutant for mutant in mutants if http or not mutant.needs_sockets]
    kills = [_kill_row(mutant, depth, http=http) for mutant in _told(fitting, "mutants")]
    innocents = [_variant_row(variant, DEPTHS[depth], http=http) for variant in _told(variants, "variants")]
    text = tables(kills, innocents)
    print(text)  # noqa: T201
    if file:
        file.write_text(text + "\n", encoding="utf-8")
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
    with served(mutant.behaviour, http=http) as opener:
        prepared = replace(for_mutants(DEPTHS[depth], http=http), open_connection=opener)
        return kill_row(mutant, try_mutant(mutant, prepared))


def _variant_row(variant: Variant, depth: Depth, *, http: bool) -> str:
    with served(variant.behaviour, http=http) as opener:
        return variant_row(variant, try_variant(variant, depth, opener))


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
