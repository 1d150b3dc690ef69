"""What is signed: in-toto statements, one with a predicate of ours and one with that of test results.

The predicate is described by ``schemas/certificate.schema.json``; the other one is test-result v0.1 of in-toto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformance.certification import shapes
from conformance.certification.identity import digest_of
from conformance.contract.clauses import Level
from conformance.evidence.rejudge import described
from conformance.report.record import Outcome, Report
from conformance.report.visible import visible
from conformance.target import Target

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:detect-anomalies-conformance:certificate:1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
"""How moments are written: UTC, whole seconds."""


@dataclass(frozen=True)
class RunRecord:
    """One of the runs that a certificate rests on."""

    folder: str
    manner: str
    """``disguised`` as an ordinary client, or ``marked`` as what it is."""
    seed: str
    started: str
    seconds: float
    requests: int


def subject_of(target: Target, artifact: str, identity: Mapping[str, str]) -> dict[str, Any]:
    """What was certified: the artifact of that SHA-256, or, where its vendor names none, whatever it said of itself."""
    name = f"{target.name} {target.version}".rstrip()
    return {"name": name, "digest": {"sha256": artifact or digest_of(identity)}}


def certificate(subject: Mapping[str, Any], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The statement of ours."""
    return {"_type": STATEMENT, "subject": [subject], "predicateType": PREDICATE, "predicate": predicate}


def target_facts(target: Target, file: str, artifact: str, identity: Mapping[str, str]) -> dict[str, Any]:
    """Who was certified. ``file`` is the SHA-256 of its target file."""
    return {
        "name": target.name,
        "version": target.version,
        "url": target.url,
        "file": file,
        "declared": digest_of(described(target)),
        "identity": dict(identity),
        "artifact": artifact or None,
        "vouched": bool(artifact),
        "photographs": any(scene.samples for scene in target.scenes.values()),
    }


def limits(target: Target) -> dict[str, Any]:
    """What a target declares of its limits."""
    return {key: value for key, value in vars(target.limits).items() if value is not None}


def outcomes(demanded: Mapping[str, Level], reports: Sequence[Report]) -> dict[str, str]:
    """What became of every demanded clause, the same in all runs."""
    first = {row.clause.id: row.outcome for row in reports[0].rows}
    return {clause: str(first[clause]) for clause in demanded if clause in first}


def interpretations(reports: Sequence[Report]) -> dict[str, dict[str, int]]:
    """For each clause on which the documents are silent: the readings seen, and how often."""
    found: dict[str, dict[str, int]] = {}
    for report in reports:
        for row in report.rows:
            for reading, count in (row.readings or {}).items():
                counts = found.setdefault(row.clause.id, {})
                counts[visible(reading)] = counts.get(visible(reading), 0) + count
    return found


def test_result(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the words that tools read. A clause that does not apply was not tested, and is in no list."""
    predicate = statement["predicate"]
    found = predicate["outcomes"]
    failed = sorted(clause for clause, outcome in found.items() if outcome == Outcome.FAILED)
    requirements = {
        "name": predicate["requirements"]["id"],
        "digest": {"sha256": predicate["requirements"]["sha256"]},
    }
    suite = {
        "name": f"{predicate['suite']['name']} {predicate['suite']['version']}",
        "digest": {"sha256": predicate["suite"]["sha256"]},
    }
    result = {
        "result": "WARNED" if failed else "PASSED",
        "configuration": [suite, requirements],
        "passedTests": sorted(clause for clause, outcome in found.items() if outcome == Outcome.PASSED),
        "warnedTests": failed,
        "failedTests": [],
    }
    return {"_type": STATEMENT, "subject": statement["subject"], "predicateType": TEST_RESULT, "predicate": result}


def moment(text: str) -> datetime:
    """A moment as it is written here. Raises ValueError."""
    return datetime.strptime(f"{text}+0000", f"{MOMENT}%z")


def complaints(statement: Any) -> Iterator[str]:
    """What is wrong with a statement by its schema, each with the place."""
    yield from shapes.complaints(statement, "certificate.schema.json")
