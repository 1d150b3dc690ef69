"""The judge: every rule sees every exchange. A pure function of both, which knows no socket and no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.exchange import Exchange
from conformance.rule import Finding, Rule

KEPT = 5
"""How many violations of a rule are kept whole; all are counted."""


@dataclass(frozen=True)
class Violation:
    """A finding and the exchange that shows it."""

    finding: Finding
    exchange: Exchange


@dataclass
class Verdict:
    """What one rule has to say after all that it has seen."""

    rule: Rule
    judged: int = 0
    """How many exchanges it judged."""
    breached: int = 0
    """How many of them it found something in."""
    violations: list[Violation] = field(default_factory=list)
    """A few of those, the smallest requests first."""
    readings: Counter[str] = field(default_factory=Counter)
    """For OBSERVE: the readings seen, and how often."""
    examples: dict[str, str] = field(default_factory=dict)
    """For OBSERVE: a case for each reading."""
    error: str = ""
    """Our own fault: the rule raised, on which case and what."""

    def see(self, exchange: Exchange) -> None:
        """Let the rule judge one exchange, if it is one of its own."""
        try:
            if not self.rule.when(exchange):
                return
            findings = list(self.rule.check(exchange)) if self.rule.check else []
            reading = self.rule.observe(exchange) if self.rule.observe else None
        except Exception as error:
            self.error = self.error or f"rule {self.rule.id} raised {error!r} on case {exchange.case.id}"
            return
        self.judged += 1
        if reading is not None:
            self.readings[reading] += 1
            self.examples.setdefault(reading, exchange.case.id)
        if findings:
            self.breached += 1
            self._keep([Violation(finding, exchange) for finding in findings])

    def _keep(self, violations: list[Violation]) -> None:
        self.violations.extend(violations)
        self.violations.sort(key=lambda each: len(each.exchange.request.wire))
        del self.violations[KEPT:]


class Judge:
    """Sees exchanges one by one and keeps what the rules say of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.verdicts = [Verdict(rule) for rule in rules]

    def see(self, exchange: Exchange) -> list[str]:
        """Judge one exchange; returns the clauses that it breaches."""
        before = [verdict.breached for verdict in self.verdicts]
        for verdict in self.verdicts:
            verdict.see(exchange)
        return [
            verdict.rule.clause
            for verdict, count in zip(self.verdicts, before, strict=True)
            if verdict.breached > count
        ]


def judge(exchanges: Iterable[Exchange], rules: Iterable[Rule]) -> list[Verdict]:
    """The verdicts of all rules on all exchanges."""
    bench = Judge(rules)
    for exchange in exchanges:
        bench.see(exchange)
    return bench.verdicts
