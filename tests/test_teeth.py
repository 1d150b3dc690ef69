"""The suite bites what is wrong and leaves alone what is merely unusual."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from conformance import run, selftest
from conformance.contract.clauses import Level, catalogue
from conformance.exploration import DEPTHS
from conformance.in_process import Server
from conformance.reference.app import HONEST
from conformance.reference.mutants import MUTANTS
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report.record import Conclusion, Outcome

MATRIX = Path(__file__).parent.parent / "reports" / "reference" / "selftest.md"
IN_PROCESS = [mutant for mutant in MUTANTS if not mutant.needs_sockets]
OVER_SOCKETS = [*IN_PROCESS[::40], *(mutant for mutant in MUTANTS if mutant.needs_sockets)]


@cache
def _committed() -> frozenset[str]:
    return frozenset(MATRIX.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("mutant", IN_PROCESS, ids=lambda each: each.id)
def test_every_mutant_is_caught_by_a_clause_that_it_names(mutant: Mutant) -> None:
    """In process, a fault breaches one of the clauses that its author named, as the committed matrix says."""
    trial = selftest.tried(mutant, "standard", http=False)
    assert trial.caught_by(mutant.clauses), f"breached instead: {dict(trial.breached)}"
    assert selftest.kill_row(mutant, trial) in _committed(), "renew reports/reference/selftest.md"


@pytest.mark.parametrize("mutant", OVER_SOCKETS, ids=lambda each: each.id)
def test_mutants_are_caught_over_sockets_too(mutant: Mutant) -> None:
    """Over real sockets and in flight together, a fault breaches one of the clauses that its author named."""
    trial = selftest.tried(mutant, "quick", http=True)
    assert trial.caught_by(mutant.clauses), f"breached instead: {dict(trial.breached)}"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.id)
def test_no_variant_is_accused(variant: Variant) -> None:
    """A permitted freedom fails no MUST, and costs no clause its exercise."""
    report = selftest.try_variant(variant, DEPTHS["standard"], selftest.in_process(variant))
    failed = {row.clause.id: (row.failures[0].case, row.failures[0].finding) for row in report.failed(Level.MUST)}
    assert failed == {}
    assert (report.conclusion, report.reason) == (Conclusion.CONFORMANT, "every MUST clause was exercised and kept")
    assert selftest.variant_row(variant, report) in _committed(), "renew reports/reference/selftest.md"


def test_the_matrix_lists_nobody_else() -> None:
    """The committed matrix has a row for each strain that is tried in process, and no other."""
    rows = [line for line in _committed() if line.startswith("| ") and " | " in line]
    heads = {"| mutant | caught by | requests until then |", "| variant | conclusion |", "| --- | --- | ---: |"}
    assert len(IN_PROCESS) + len(VARIANTS) == len({*rows} - heads - {"| --- | --- |"})


def test_the_reference_is_conformant() -> None:
    """The reference keeps every clause, remarks included, and the run exercises all that its target declares."""
    report, _ = run.prepare(selftest.reference()).against(Server(HONEST)).go()
    left = {row.clause.id for row in report.rows if row.outcome not in (Outcome.PASSED, Outcome.OBSERVED)}
    assert Conclusion.CONFORMANT is report.conclusion
    undeclared = {"body.dimensions", "auth.refused", "auth.accepted", "auth.unsigned-payload"}
    assert undeclared == left, "images of one size, and signatures, are for the target that is bundled"


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
    """A mutant names clauses of the set, or the one that takes more than one run."""
    known = {*(clause.id for clause in catalogue().tested()), selftest.CONDUCT}
    assert set() == {clause for mutant in MUTANTS for clause in mutant.clauses} - known
