"""Sending what a report found once more, byte for byte, to see whether it still fails.

The requests were written beside the report, so nothing has to be drawn or planned again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.campaign import Campaign
from conformance.cases.plan import Plan
from conformance.cases.requests import Subject
from conformance.exchange import Case, Exchange
from conformance.judge import Judge
from conformance.message import Delivery, NoAnswer, Request
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.patience import Open
from conformance.report import document
from conformance.rule import Rule
from conformance.rules import RULES
from conformance.rules.http import every_request_is_answered
from conformance.rules.selectors import BELOW
from conformance.target import Target, complaints, parse

Connections = tuple[tuple[Case, ...], ...]


@dataclass(frozen=True)
class Replayed:
    """What came of one failure when it was sent again."""

    id: str
    still: str
    """What is found now, in a few words; empty when nothing is."""
    untold: str = ""
    """Why nothing can be said of it, in a few words; empty when something can."""

    def __str__(self) -> str:
        if self.untold:
            return f"{self.id}: nothing can be said: {self.untold}"
        return f"{self.id}: still fails: expected {self.still}" if self.still else f"{self.id}: fails no longer"


def pack(connections: Connections) -> str:
    """The requests of a failure as JSON: over each connection a list, each request in base64."""
    rows = [[written_case(case) for case in cases] for cases in connections]
    return json.dumps({"connections": rows}, indent=1) + "\n"


def unpack(path: Path) -> Connections:
    """The requests of a failure. Raises OperatorMistake when the file is missing or none of ours."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["connections"]
        found = tuple(_read_row(row, number) for number, row in enumerate(rows, 1))
        if not found or not all(found):
            raise ValueError("a connection without requests")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OperatorMistake(f"{path}: the requests of this failure cannot be read: {error!r}") from None
    return found


def _read_row(row: list[dict[str, str]], number: int) -> tuple[Case, ...]:
    return tuple(read_case(each, f"replay.{number}-{place}") for place, each in enumerate(row, 1))


def target_of(report: dict[str, Any]) -> Target:
    """The target that a report was made of, as far as the report knows it. Raises OperatorMistake."""
    told = report["target"]
    scenes = {name: dict(scene) for name, scene in told["scenes"].items()}
    for scene in scenes.values():
        scene.pop("samples", None)
    about = {"name": told["name"] or "target", "url": told["url"]}
    whole: dict[str, Any] = {
        "target": about,
        "limits": told["limits"],
        "scenes": scenes | dict.fromkeys(told["absent"], False),
    }
    whole |= {"auth": told["auth"]} if "auth" in told else {}
    for complaint in complaints(whole):
        raise OperatorMistake(f"the report's target is no longer a valid one: {complaint}")
    return parse(whole, Path())


def replay(folder: Path, wanted: str | None, open_connection: Open, target: Target) -> Iterator[Replayed]:
    """Send the failures of the report in a folder again: the one of that id, or all. Raises OperatorMistake."""
    rows = document.load(folder / "report.json")["clauses"]
    failures = {each["id"]: each for row in rows for each in row["failures"]}
    if wanted and wanted not in failures:
        raise OperatorMistake(f"the report has no failure {wanted!r}{did_you_mean(wanted, failures)}")
    chosen = {name: each for name, each in failures.items() if wanted in (None, name)}
    kept = {name: unpack(folder / each["repeat"]["requests"]) for name, each in chosen.items() if each["repeat"]}
    rules = {each.id: each for each in RULES}
    for failure in chosen.values():
        if failure["rule"] not in rules:
            raise OperatorMistake(f"this version has no rule {failure['rule']!r}")
    round_ = _Round(target, open_connection)
    for name, failure in chosen.items():
        if name in kept:
            yield round_.replayed(name, rules[failure["rule"]], kept[name])
        else:
            yield Replayed(name, "", "it takes a whole run, with a signature or a state of the target, to see it again")


class _Bench(Judge):
    """A judge that remembers what it saw."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__(rules)
        self.seen: list[Exchange] = []

    @property
    def is_content(self) -> bool:
        """There were answers, and nothing was found in them."""
        return any(map(_spoke, self.seen)) and not any(verdict.violations for verdict in self.verdicts)

    def see(self, exchange: Exchange) -> list[str]:
        """Judge one exchange, and remember it."""
        self.seen.append(exchange)
        return super().see(exchange)


class _Round:
    """Sends one failure after the other, within one budget, until that is used up or the target proves to be dead."""

    def __init__(self, target: Target, open_connection: Open) -> None:
        self._target = target
        self._open = open_connection
        self._left = target.limits.requests
        self._over = ""
        """Why nothing more is sent; empty while something is."""

    def replayed(self, name: str, rule: Rule, connections: Connections) -> Replayed:
        """What comes of a failure when it is sent again, and, if that shows nothing, in company, as in the run."""
        bench = _Bench([rule])
        cut_off = "" if self._over else self._sent(bench, _plan(connections))
        if bench.is_content and len(connections) == len(connections[0]) == 1:
            cut_off = self._sent(bench, self._in_company(connections[0][0]))
        heard = any(map(_spoke, bench.seen))
        if not (heard or self._over or self._is_alive()):
            details = [each.answer.detail for each in bench.seen[-1:] if isinstance(each.answer, NoAnswer)]
            self._over = self._over or ": ".join(["the target answered nothing", *details])
        (verdict,) = bench.verdicts
        if verdict.violations and (heard or not self._over):
            finding = verdict.violations[0].finding
            return Replayed(name, f"{finding.expected}, got {finding.actual}")
        hindrances = (each.outcome for each in bench.seen if _says_nothing(each))
        return Replayed(name, "", self._over or cut_off or verdict.error or next(hindrances, ""))

    def _is_alive(self) -> bool:
        """Whether a good request is answered, by whatever."""
        bench = _Bench(())
        self._sent(bench, Plan((), tuple(self._good_ones())[:1], (), ()))
        return any(map(_spoke, bench.seen))

    def _in_company(self, case: Case) -> Plan:
        """The request behind good ones on a connection, and beside them where several may be in flight."""
        good = tuple(self._good_ones())
        flight = (case, *good, case) if self._target.limits.concurrency > 1 else ()
        return Plan((), (), ((*good, case),), (flight,) if flight else ())

    def _good_ones(self) -> Iterator[Case]:
        """A sound request for each running model."""
        host, limits = urlsplit(self._target.url).netloc.encode(), self._target.limits
        for scene in self._target.running():
            yield Case(f"replay.{scene.name}", Subject(scene, host, limits).witnesses()[0])

    def _sent(self, judge: Judge, plan: Plan) -> str:
        """Send a plan; returns why that was cut off, if it was."""
        limits = replace(self._target.limits, requests=self._left)
        course = Campaign(replace(self._target, limits=limits), self._open, judge).run(plan)
        if course.stopped_by_operator:
            raise KeyboardInterrupt
        if self._left is not None:
            self._left -= course.sent
            if course.cut_off and not self._left:
                self._over = f"the budget of {self._target.limits.requests} requests is used up"
        return course.cut_off


def _spoke(exchange: Exchange) -> bool:
    return not isinstance(exchange.answer, NoAnswer) or exchange.answer.spoke


def _says_nothing(exchange: Exchange) -> bool:
    """No answer where one was due, or one that holds for nothing but the moment: who is out of order is not mended."""
    if isinstance(exchange.answer, NoAnswer):
        return every_request_is_answered.when(exchange)
    return exchange.throttled or (exchange.answer.status >= 500 and exchange.answer.status not in BELOW)


def _plan(connections: Sequence[Sequence[Case]]) -> Plan:
    """A plan of nothing but these requests, with their witnesses where they went together."""
    if len(connections) > 1:
        flight = tuple(cases[-1] for cases in connections)
        return Plan(flight, (), (), (flight, flight))
    if len(connections[0]) > 1:
        return Plan((connections[0][-1],), (), (tuple(connections[0]),), ())
    return Plan((), tuple(connections[0]), (), ())


def written_case(case: Case) -> dict[str, str]:
    """A case as JSON-able data: head and body in base64, and the delivery."""
    head, body = (base64.b64encode(part).decode() for part in (case.request.head, case.request.body))
    return {"head": head, "body": body, "delivery": str(case.delivery)}


def read_case(entry: dict[str, str], name: str) -> Case:
    """The case of such data, under a new name. Raises ValueError, KeyError or TypeError when it is none."""
    head, body = (base64.b64decode(entry[part], validate=True) for part in ("head", "body"))
    return Case(name, Request(head, body), Delivery(entry["delivery"]))
