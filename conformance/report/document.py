"""The report as a JSON document: the primary form, closed by a record without which it is not a report."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.contract.clients import breaches_of
from conformance.message import Answer, Delivery, Headers, NoAnswer, Request
from conformance.mistake import OperatorMistake
from conformance.provisions import auth_document
from conformance.report import repeat
from conformance.report.record import ClauseRow, Failure, Outcome, Report
from conformance.report.visible import visible
from conformance.target import Scene, Target
from conformance.waivers import Waived

SCHEMA = "urn:detect-anomalies-conformance:report:1"
KEPT_BODY = 65_536
"""Bytes of a body that the report keeps; longer ones are cut, their digest and length are of the whole."""


def to_document(report: Report) -> dict[str, Any]:
    """The whole report as JSON-able data, closing record included."""
    course = report.course
    document = {
        "schema": SCHEMA,
        "suite": {"version": report.suite, "contract": report.contract},
        "target": _target(report.target),
        "run": {
            "started": report.started,
            "seconds": round(report.seconds, 3),
            "seed": report.seed,
            "planned": report.planned,
            "looks": report.looks,
            "sent": course.sent,
            "judged": course.seen,
            "answered": course.answered,
            "throttled": course.throttled,
            **({"echoes": course.echoes} if report.credentials else {}),
            "unsteady": list(course.unsteady),
            "cut_off": visible(course.cut_off),
            "timings": course.timings.to_document(),
        },
        "conclusion": str(report.conclusion),
        "reason": visible(report.reason),
        "counts": {str(level): {str(key): n for key, n in row.items()} for level, row in report.counts.items()},
        "stale_known_failures": report.stale,
        "waivers": [_waiver(each) for each in report.waivers],
        "clauses": [_row(row, report) for row in report.rows],
    }
    return document | {"closing": _closing(document)}


def write(report: Report, folder: Path) -> Path:
    """Write ``report.json`` into a folder; returns its path."""
    path = folder / "report.json"
    path.write_text(json.dumps(to_document(report), indent=2) + "\n", encoding="utf-8")
    return path


def load(path: Path) -> dict[str, Any]:
    """Read a report that was written. Raises OperatorMistake when it is none, or was cut or changed since."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        closing = document.pop("closing")
        fitting = _closing(document)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise OperatorMistake(f"{path}: this is no report: {type(error).__name__}: {error}") from None
    if closing != fitting:
        raise OperatorMistake(f"{path}: the closing record does not fit: the report was cut or changed")
    return document | {"closing": closing}


def _closing(document: Mapping[str, Any]) -> dict[str, Any]:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return {"clauses": len(document["clauses"]), "sha256": sha256(canonical.encode()).hexdigest()}


def _target(target: Target) -> dict[str, Any]:
    limits = {key: value for key, value in vars(target.limits).items() if value is not None}
    auth = {"auth": auth_document(target.auth)} if target.auth else {}
    return {
        "name": visible(target.name),
        "version": visible(target.version),
        "url": visible(target.url),
        "about": {key: visible(value) for key, value in target.about.items()},
        "scenes": {name: _scene(scene) for name, scene in target.scenes.items()},
        "absent": sorted(target.absent),
        "limits": limits,
        "states": sorted(target.states),
        **auth,
    }


def _scene(scene: Scene) -> dict[str, Any]:
    parts: dict[str, Any] = {"project": scene.project, "version": scene.version}
    if scene.image:
        parts["image"] = {"width": scene.image.width, "height": scene.image.height}
    return parts | ({"samples": len(scene.samples)} if scene.samples else {})


def _row(row: ClauseRow, report: Report) -> dict[str, Any]:
    clause = row.clause
    document: dict[str, Any] = {
        "id": clause.id,
        "section": clause.section,
        "level": str(clause.level),
        "requirement": clause.requirement,
        "sources": list(clause.sources),
        "outcome": str(row.outcome),
        "reason": visible(row.reason),
        "judged": row.judged,
        "breached": row.breached,
        "known": visible(row.known),
        "breaks": _breaks(row),
        "failures": [_failure(failure, report) for failure in row.failures],
    }
    if row.readings is not None:
        document["question"] = clause.question
        document["readings"] = {visible(reading): count for reading, count in row.readings.items()}
    return document


def _waiver(waived: Waived) -> dict[str, Any]:
    waiver = waived.waiver
    link = {"link": visible(waiver.link)} if waiver.link else {}
    return {
        "clause" if waiver.clause else "finding": visible(waiver.names),
        "reason": visible(waiver.reason),
        "owner": visible(waiver.owner),
        "expires": waiver.expires.isoformat(),
        **link,
        "standing": str(waived.standing),
        "note": visible(waived.note),
    }


def _breaks(row: ClauseRow) -> list[dict[str, Any]]:
    """What breaches of a failed clause do to real clients, as far as it was measured."""
    breaches = breaches_of(row.clause.id) if row.outcome is Outcome.FAILED else ()
    return [{"breach": breach.breach, "clients": dict(breach.clients)} for breach in breaches]


def _failure(failure: Failure, report: Report) -> dict[str, Any]:
    finding = failure.finding
    return {
        "id": failure.id,
        "rule": failure.rule,
        "case": failure.case,
        "where": visible(finding.where),
        "expected": visible(finding.expected),
        "actual": visible(finding.actual),
        "request": request_document(failure.request),
        "answer": answer_document(failure.answer),
        "repeat": _repeat(failure, report) if failure.connections else None,
    }


def _repeat(failure: Failure, report: Report) -> dict[str, Any]:
    return {
        "script": script_name(failure),
        "requests": requests_name(failure),
        "curl": curl_line(failure, report.target.url),
    }


def script_name(failure: Failure) -> str:
    return f"repeat/{failure.id}.py"


def requests_name(failure: Failure) -> str:
    return f"repeat/{failure.id}.json"


def body_name(failure: Failure) -> str:
    return f"repeat/{failure.id}.body"


def curl_line(failure: Failure, url: str) -> str | None:
    """A curl line that shows the failure, to be run beside the report; None where curl cannot."""
    if len(failure.connections) != 1 or len(failure.connections[0]) > 1:
        return None
    if failure.connections[0][0].delivery is not Delivery.WHOLE:
        return None
    return repeat.curl(url, failure.request, body_name(failure))


def request_document(request: Request) -> dict[str, Any]:
    return {
        "method": visible(request.method),
        "target": visible(request.target),
        "headers": _headers(request.headers),
        "body": _body(request.body),
    }


def answer_document(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, NoAnswer):
        return {"silence": str(answer.kind), "detail": visible(answer.detail), "received": _body(answer.wire)}
    return {
        "status": answer.status,
        "reason": visible(answer.reason),
        "headers": _headers(answer.headers),
        "body": _body(answer.body),
        "faults": [visible(fault) for fault in answer.faults],
    }


def _headers(headers: Headers) -> list[list[str]]:
    return [[visible(name, 200), visible(value, 500)] for name, value in headers[:100]]


def _body(body: bytes) -> dict[str, Any]:
    kept = body[:KEPT_BODY]
    return {
        "bytes": len(body),
        "sha256": sha256(body).hexdigest(),
        "cut": len(kept) < len(body),
        "base64": base64.b64encode(kept).decode(),
    }
