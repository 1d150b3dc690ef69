"""The suite judged by its own mutants and variants: which clause catches which fault, and whom it accuses wrongly."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.campaign import Campaign, Progress
from conformance.cases.plan import Plan
from conformance.in_process import Server
from conformance.judge import Judge
from conformance.patience import CutOff, Open
from conformance.reference.strains import Mutant, Variant
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.target import Target, parse

REFERENCE = shipped("fixtures", "targets", "reference.toml")


@dataclass(frozen=True)
class Trial:
    """What came of a mutant: the clauses that it was seen to breach, each with the requests that it took."""

    breached: Mapping[str, int]
    seen: int

    def caught_by(self, clauses: Collection[str]) -> dict[str, int]:
        """Those of the clauses that caught it."""
        return {clause: self.breached[clause] for clause in clauses if clause in self.breached}


def try_mutant(mutant: Mutant, plan: Plan, target: Target, opener: Open | None = None) -> Trial:
    """Judge a mutant until a clause that it names has caught it, or to the end. In this process, unless told where."""
    judge = Judge(RULES)
    breached: dict[str, int] = {}

    def stop_when_caught(progress: Progress) -> None:
        for verdict in judge.verdicts:
            if verdict.breached:
                breached.setdefault(verdict.rule.clause, progress.seen)
        if any(clause in breached for clause in mutant.clauses):
            raise CutOff("caught")

    course = Campaign(target, opener or Server(mutant.behaviour).open, judge).run(plan, stop_when_caught)
    return Trial(breached, course.seen)


def target_of(variant: Variant) -> Target:
    """The reference's target with what the variant declares beyond it."""
    document = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
    return parse(_merged(document, variant.declares), REFERENCE)


def _merged(document: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for key, value in more.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged
