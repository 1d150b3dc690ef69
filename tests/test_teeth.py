"""The suite bites what is wrong and leaves alone what is merely unusual."""

from __future__ import annotations

from functools import cache

import pytest

from conformance import run, selftest
from conformance.cases.plan import Plan, plan
from conformance.contract.clauses import Level, catalogue
from conformance.in_process import Server
from conformance.reference.mutants import MUTANTS
from conformance.reference.server import running
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report.record import Conclusion, Outcome
from conformance.target import Target, load
from conformance.wire.client import Client, Endpoint, Limits

SAMPLE = [mutant for mutant in MUTANTS if not mutant.needs_sockets][::40]


@cache
def _reference() -> tuple[Target, Plan]:
    target = load(selftest.REFERENCE)
    return target, plan(target, b"127.0.0.1:8080")


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if not each.needs_sockets], ids=lambda each: each.id)
def test_every_mutant_is_caught_by_a_clause_that_it_names(mutant: Mutant) -> None:
    """In process, a fault breaches one of the clauses that its author named."""
    target, whole = _reference()
    trial = selftest.try_mutant(mutant, whole, target)
    assert trial.caught_by(mutant.clauses), f"breached instead: {dict(trial.breached)}"


@pytest.mark.parametrize(
    "mutant", [*SAMPLE, *(each for each in MUTANTS if each.needs_sockets)], ids=lambda each: each.id
)
def test_mutants_are_caught_over_sockets_too(mutant: Mutant) -> None:
    """Over real sockets and in flight together, a fault breaches one of the clauses that its author named."""
    target, whole = _reference()
    with running(mutant.behaviour) as url:
        client = Client(Endpoint.of(url), Limits(answer_seconds=1.0))
        trial = selftest.try_mutant(mutant, whole, target, client.open)
    assert trial.caught_by(mutant.clauses), f"breached instead: {dict(trial.breached)}"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.id)
def test_no_variant_is_accused(variant: Variant) -> None:
    """A permitted freedom fails no MUST, and costs no clause its exercise."""
    report, _ = run.prepare(selftest.target_of(variant), opener=Server(variant.behaviour).open).go()
    failed = {row.clause.id: row.failures[0] for row in report.failed(Level.MUST)}
    assert failed == {}
    assert (report.conclusion, report.reason) == (Conclusion.CONFORMANT, "every MUST clause was exercised and kept")


def test_the_reference_is_conformant() -> None:
    """The reference keeps every clause, remarks included, and the run exercises all that its target declares."""
    report, _ = run.prepare(load(selftest.REFERENCE), opener=Server().open).go()
    left = {row.clause.id for row in report.rows if row.outcome not in (Outcome.PASSED, Outcome.OBSERVED)}
    assert Conclusion.CONFORMANT is report.conclusion
    assert {"body.dimensions"} == left, "the reference takes images of any size"


@pytest.mark.parametrize("level", [Level.MUST, Level.SHOULD])
def test_every_clause_has_a_mutant(level: Level) -> None:
    """No clause is untried: for each that can be breached some mutant names it."""
    proven = {clause for mutant in MUTANTS for clause in mutant.clauses}
    assert set() == {clause.id for clause in catalogue().tested() if clause.level is level} - proven


def test_the_zoo_is_as_large_as_promised() -> None:
    """Ids are unique, and there are enough of both kinds."""
    ids = [*(mutant.id for mutant in MUTANTS), *(variant.id for variant in VARIANTS)]
    assert len(set(ids)) == len(ids)
    assert len(MUTANTS) >= 150
    assert len(VARIANTS) >= 40


def test_every_mutant_names_known_clauses() -> None:
    """A mutant names clauses of the set."""
    known = {clause.id for clause in catalogue().tested()}
    assert set() == {clause for mutant in MUTANTS for clause in mutant.clauses} - known
