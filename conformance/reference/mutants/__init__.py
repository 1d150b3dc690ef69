"""The reference with one fault each. Every one of them must be caught by a clause that it names."""

from conformance.reference.mutants import access, bodies, conduct, errors, recognition, requests, results
from conformance.reference.strains import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *requests.MUTANTS,
    *bodies.MUTANTS,
    *results.MUTANTS,
    *errors.MUTANTS,
    *conduct.MUTANTS,
    *access.MUTANTS,
    *recognition.MUTANTS,
)
