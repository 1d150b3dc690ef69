"""Sending what a report found once more, byte for byte, to see whether it still fails.

The requests were written beside the report, so nothing has to be drawn or planned again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.campaign import Campaign
from conformance.cases.plan import Plan
from conformance.exchange import Case
from conformance.judge import Judge
from conformance.message import Delivery, Request
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.patience import Open
from conformance.report import document
from conformance.rules import RULES
from conformance.target import Target, complaints, parse

Connections = tuple[tuple[Case, ...], ...]


@dataclass(frozen=True)
class Replayed:
    """What came of one failure when it was sent again."""

    id: str
    still: str
    """What is found now, in a few words; empty when it fails no longer."""


def pack(connections: Connections) -> str:
    """The requests of a failure as JSON: over each connection a list, each request in base64."""
    rows = [[written_case(case) for case in cases] for cases in connections]
    return json.dumps({"connections": rows}, indent=1) + "\n"


def unpack(path: Path) -> Connections:
    """The requests of a failure. Raises OperatorMistake when the file is missing or none of ours."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["connections"]
        return tuple(_read_row(row, number) for number, row in enumerate(rows, 1))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorMistake(f"{path}: the requests of this failure cannot be read: {error!r}") from None


def _read_row(row: list[dict[str, str]], number: int) -> tuple[Case, ...]:
    return tuple(read_case(each, f"replay.{number}-{place}") for place, each in enumerate(row, 1))


def target_of(report: dict[str, Any]) -> Target:
    """The target that a report was made of, as far as the report knows it. Raises OperatorMistake."""
    told = report["target"]
    scenes = {name: dict(scene) for name, scene in told["scenes"].items()}
    for scene in scenes.values():
        scene.pop("samples", None)
    about = {"name": told["name"] or "target", "url": told["url"]}
    whole = {"target": about, "limits": told["limits"], "scenes": scenes | dict.fromkeys(told["absent"], False)}
    for complaint in complaints(whole):
        raise OperatorMistake(f"the report's target is no longer a valid one: {complaint}")
    return parse(whole, Path())


def replay(folder: Path, wanted: str | None, open_connection: Open, target: Target) -> Iterator[Replayed]:
    """Send the failures of the report in a folder again: the one of that id, or all. Raises OperatorMistake."""
    rows = document.load(folder / "report.json")["clauses"]
    failures = {each["id"]: each for row in rows for each in row["failures"]}
    if wanted and wanted not in failures:
        raise OperatorMistake(f"the report has no failure {wanted!r}{did_you_mean(wanted, failures)}")
    for name, failure in failures.items():
        if wanted in (None, name):
            connections = unpack(folder / failure["repeat"]["requests"])
            yield Replayed(name, _found(failure["rule"], connections, open_connection, target))


def _found(rule: str, connections: Connections, open_connection: Open, target: Target) -> str:
    judge = Judge(each for each in RULES if each.id == rule)
    if not judge.verdicts:
        raise OperatorMistake(f"this version has no rule {rule!r}")
    Campaign(target, open_connection, judge).run(_plan(connections))
    violations = judge.verdicts[0].violations
    return f"{violations[0].finding.expected}, got {violations[0].finding.actual}" if violations else ""


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
