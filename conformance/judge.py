"""The judge: every rule sees every exchange. A pure function of both, which knows no socket and no clock."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.exchange import Exchange
from conformance.rule import Finding, Rule, Selector

KEPT = 5
"""How many violations of a rule are kept whole; all are counted."""


@dataclass(frozen=True)
class Violation:
    """A finding and the exchange that shows it."""

    finding: Finding
    exchange: Exchange

    @property
    def cause(self) -> tuple[str, ...]:
        """What tells causes apart: the finding, whatever numbers are in it."""
        texts = (self.finding.where, self.finding.expected, self.finding.actual)
        return tuple(re.sub(r"\d+", "#", text) for text in texts)


@dataclass
class Verdict:
    """What one rule has to say after all that it has seen."""

    rule: Rule
    judged: int = 0
    """How many exchanges it judged."""
    breached: int = 0
    """How many of them it found something in."""
    violations: list[Violation] = field(default_factory=list)
    """One for each of a few causes, the smallest requests first."""
    readings: Counter[str] = field(default_factory=Counter)
    """For OBSERVE: the readings seen, and how often."""
    error: str = ""
    """Our own fault: the rule raised, on which case and what."""

    def weigh(self, exchange: Exchange) -> bool:
        """Judge one exchange of the rule's own; whether it is in breach."""
        try:
            findings = list(self.rule.check(exchange)) if self.rule.check else []
            reading = self.rule.observe(exchange) if self.rule.observe else None
        except Exception as error:
            self.fail(exchange, error)
            return False
        self.judged += 1
        if reading is not None:
            self.readings[reading] += 1
        if findings:
            self.breached += 1
            self._keep([Violation(finding, exchange) for finding in findings])
        return bool(findings)

    def fail(self, exchange: Exchange, error: Exception) -> None:
        """Note that the rule itself went wrong; the first time counts."""
        self.error = self.error or f"rule {self.rule.id} raised {error!r} on case {exchange.case.id}"

    def look_again(self, exchange: Exchange) -> bool:
        """Whether the rule finds something in an exchange that is not counted; what it finds is kept all the same."""
        if not (self.rule.check and self.rule.when(exchange)):
            return False
        findings = list(self.rule.check(exchange))
        self._keep([Violation(finding, exchange) for finding in findings])
        return bool(findings)

    def _keep(self, violations: list[Violation]) -> None:
        """Keep the smallest request for each cause, and the causes with the smallest requests."""
        smallest: dict[tuple[str, ...], Violation] = {}
        for each in sorted([*self.violations, *violations], key=lambda each: len(each.exchange.request.wire)):
            smallest.setdefault(each.cause, each)
        self.violations = list(smallest.values())[:KEPT]


class Judge:
    """Sees exchanges one by one and keeps what the rules say of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.verdicts = [Verdict(rule) for rule in rules]
        # rules that judge the same exchanges share the look at whether they do
        self._groups: dict[Selector, list[Verdict]] = {}
        for verdict in self.verdicts:
            self._groups.setdefault(verdict.rule.when, []).append(verdict)

    def see(self, exchange: Exchange) -> list[str]:
        """Judge one exchange; returns the clauses that it breaches."""
        breached = []
        for when, verdicts in self._groups.items():
            try:
                if not when(exchange):
                    continue
            except Exception as error:
                for verdict in verdicts:
                    verdict.fail(exchange, error)
                continue
            breached += [verdict.rule.clause for verdict in verdicts if verdict.weigh(exchange)]
        return breached

    def unexercised(self) -> set[str]:
        """The clauses by which nothing was judged so far."""
        judged = {verdict.rule.clause for verdict in self.verdicts if verdict.judged}
        return {verdict.rule.clause for verdict in self.verdicts} - judged


def judge(exchanges: Iterable[Exchange], rules: Iterable[Rule]) -> list[Verdict]:
    """The verdicts of all rules on all exchanges."""
    bench = Judge(rules)
    for exchange in exchanges:
        bench.see(exchange)
    return bench.verdicts
