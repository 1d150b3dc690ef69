"""All mutants and variants of the reference, by id."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.mistake import OperatorMistake, did_you_mean
from conformance.reference.app import HONEST, Behaviour
from conformance.reference.mutants import MUTANTS
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS

Strain = Mutant | Variant

BY_ID: Mapping[str, Strain] = {mutant.id: mutant for mutant in MUTANTS} | {variant.id: variant for variant in VARIANTS}


def behaviour_of(mutant: str | None, variant: str | None) -> tuple[Behaviour, str]:
    """The behaviour that a mutant's or variant's id stands for, and what it is called. Raises OperatorMistake."""
    if mutant:
        return _find(mutant, "mutant", MUTANTS).behaviour, f"mutant {mutant}"
    if variant:
        return _find(variant, "variant", VARIANTS).behaviour, f"variant {variant}"
    return HONEST, "the reference"


def _find(word: str, noun: str, strains: tuple[Mutant, ...] | tuple[Variant, ...]) -> Strain:
    names = {strain.id: strain for strain in strains}
    if word not in names:
        raise OperatorMistake(f"there is no {noun} {word!r}{did_you_mean(word, names)}")
    return names[word]
