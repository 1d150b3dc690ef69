"""Schemathesis as a generator: the same bytes for the same seed, proper HTTP, and cases that reach a model."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from conformance import in_process, selftest
from conformance.cases import openapi
from conformance.cases.openapi import generated, plain_document
from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.formats import http
from conformance.judge import judge
from conformance.reference.app import HONEST
from conformance.rules import RULES
from conformance.target import Target, load

HOST = b"127.0.0.1:8080"
ROOT = Path(__file__).parent.parent

DIGEST = """
import hashlib
from conformance import selftest
from conformance.cases.openapi import generated
from conformance.target import load
cases = generated(load(selftest.REFERENCE), b"127.0.0.1:8080", "another process", 30)
print(hashlib.sha256(b"".join(case.request.wire for case in cases)).hexdigest())
"""


@cache
def reference() -> Target:
    return load(selftest.REFERENCE)


@cache
def drawn() -> tuple[Case, ...]:
    return tuple(generated(reference(), HOST, "0", 120))


def mode(case: Case) -> str:
    return case.id.removeprefix("schemathesis.").rpartition("-")[0]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice in one process, caches of Schemathesis' own notwithstanding; and another seed gives others."""
    first, again, other = (tuple(generated(reference(), HOST, seed, 40)) for seed in ("0", "0", "1"))
    assert first == again
    assert first != other


def test_another_process_draws_the_same_bytes() -> None:
    """Two fresh processes agree, however their hashes are seeded, and with the profile that CI machines get."""
    digests = set()
    for salt in ("1", "2"):
        environment = {"PYTHONHASHSEED": salt, "CI": "true", "PATH": ""}
        command = [sys.executable, "-c", DIGEST]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
        digests.add(process.stdout)
    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2


def test_ids_and_requests_are_unique() -> None:
    """No two cases have the same id, or send the same bytes."""
    assert len({case.id for case in drawn()}) == len(drawn())
    assert len({case.request.wire for case in drawn()}) == len(drawn())


def test_every_source_has_its_share() -> None:
    """Coverage, positive and negative cases are all there, most of what was asked for."""
    assert {mode(case) for case in drawn()} == {"coverage", "positive", "negative"}
    assert 90 <= len(drawn()) <= 120


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_count_is_the_most_that_is_drawn(count: int) -> None:
    """A small count is kept to as well."""
    assert len(list(generated(reference(), HOST, "0", count))) <= count


def test_every_case_is_proper_http() -> None:
    """What is written is one proper message, and can be read."""
    assert [case.id for case in drawn() if http.read(case.request).faults] == []
    assert [case.id for case in drawn() if not read(case.request, reference()).proper] == []


def test_labels_are_encoded_once() -> None:
    """No escape is escaped again: each label decodes to what Schemathesis meant, not to percent signs."""
    readings = [read(case.request, reference()) for case in drawn()]
    projects = [reading.project for reading in readings if reading.project and reading.escaped]
    assert projects
    assert [project for project in projects if "%2" in project or "%C" in project] == []


def test_cases_reach_every_running_model() -> None:
    """Sound requests for each declared model, and requests for it whose only fault is one of theirs."""
    readings = [read(case.request, reference()) for case in drawn()]
    assert {reading.scene for reading in readings if reading.sound} >= {"classification", "segmentation"}
    alone = {
        clause for reading in readings if len(reading.breaks) == 1 and not reading.open for clause in reading.breaks
    }
    expected = (
        "project.pattern project.length version.pattern version.length route.method content-type.values body.required"
    )
    assert alone >= set(expected.split())


def test_a_target_without_running_models_gets_cases_too() -> None:
    """The document's own examples stand in."""
    target = replace(reference(), scenes={"missing-project": reference().scenes["missing-project"]})
    assert {mode(case) for case in generated(target, HOST, "0", 30)} == {"coverage", "positive", "negative"}


def test_the_honest_reference_is_not_accused() -> None:
    """Whatever Schemathesis calls them, the cases get from the reference what their bytes have earned."""
    exchanges = []
    for case in drawn():
        answer = in_process.Server(HONEST).open().exchange(case.request)
        exchanges.append(Exchange(case, read(case.request, reference()), answer))
    verdicts = judge(exchanges, RULES)
    assert [(verdict.rule.id, verdict.error) for verdict in verdicts if verdict.error] == []
    breached = [(verdict.rule.id, verdict.violations[0]) for verdict in verdicts if verdict.breached]
    assert breached == []


def test_the_document_is_handed_over_without_extensions() -> None:
    """No extension key is left, and the header whose name begins like one is."""
    plain = plain_document()
    text = str(plain)
    assert "x-clause" not in text
    assert "x-content-type" not in text
    assert "x-error" not in text
    assert "x-amzn-ErrorType" in plain["components"]["responses"]["ConflictException"]["headers"]


def test_the_coverage_phase_is_where_it_was() -> None:
    """Schemathesis does not document how its coverage cases are had: when this fails, a new version has moved them."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(plain_document(), config=schemathesis.Config(seed=1))
    operation = schema[openapi.TEMPLATE]["POST"]
    cases = openapi._coverage(schema, operation)
    assert {case.method for case in cases} >= {"POST", "GET", "PUT", "DELETE"}
    assert len(cases) > 20
