"""What the suite knows, for reading: lists of everything, and an explanation of any one thing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from conformance.contract.clauses import Clause, Level, catalogue
from conformance.contract.clients import breaches_of, measured
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.shipped import shipped
from conformance.target import Target, load

if TYPE_CHECKING:
    from conformance.exchange import Case


def listing(kind: str) -> Iterator[str]:
    """Yield a line for each clause, rule, case, mutant or variant: id first, then what it is."""
    return _LISTS[kind]()


def explanation(word: str) -> Iterator[str]:
    """Yield the lines that explain whatever has this id. Raises OperatorMistake with the nearest id."""
    known = {
        **dict.fromkeys(catalogue().clauses, _explain_clause),
        **dict.fromkeys(_rule_ids(), _explain_rule),
        **dict.fromkeys(_strain_ids(), _explain_strain),
        **dict.fromkeys(_case_ids(), _explain_case),
    }
    if word not in known:
        raise OperatorMistake(f"nothing here is called {word!r}{did_you_mean(word, known)}")
    return known[word](word)


def _clauses() -> Iterator[str]:
    for clause in catalogue().clauses.values():
        yield f"{clause.id:<28} {clause.level:<8} {clause.requirement}"


def _rules() -> Iterator[str]:
    from conformance.rules import RULES

    return (f"{rule.id:<52} {rule.clause}" for rule in RULES)


def _cases() -> Iterator[str]:
    from conformance.contract.reading import read

    target, cases = _planned()
    for case in cases:
        reading = read(case.request, target)
        yield f"{case.id:<52} {', '.join(sorted(reading.breaks | reading.open | reading.wishes)) or 'sound'}"


def _mutants() -> Iterator[str]:
    from conformance.reference.mutants import MUTANTS

    return (f"{mutant.id:<52} {', '.join(mutant.clauses)}" for mutant in MUTANTS)


def _variants() -> Iterator[str]:
    from conformance.reference.variants import VARIANTS

    return (f"{variant.id:<52} {variant.freedom}" for variant in VARIANTS)


_LISTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "clauses": _clauses,
    "rules": _rules,
    "cases": _cases,
    "mutants": _mutants,
    "variants": _variants,
}


def _explain_clause(word: str) -> Iterator[str]:
    from conformance.reference.mutants import MUTANTS
    from conformance.rules import RULES

    clause = catalogue().clauses[word]
    yield f"{clause.id} ({clause.level}, section {catalogue().sections[clause.section]})"
    yield from _wrapped("demands", clause.requirement)
    yield from _wrapped("hardness", _HARDNESS[clause.level])
    yield from _wrapped("sources", "; ".join(clause.sources) or "none: a house rule")
    yield from _more(clause)
    yield from _breaks(clause)
    yield from _wrapped("rules", ", ".join(rule.id for rule in RULES if rule.clause == word) or "none")
    proofs = [mutant.id for mutant in MUTANTS if word in mutant.clauses]
    yield from _wrapped("proven by", ", ".join(proofs) or f"no mutant: {_UNPROVEN[bool(clause.untested)]}")


_HARDNESS = {
    Level.MUST: "a breach makes a target non-conformant",
    Level.SHOULD: "a breach is a remark, never fatal",
    Level.OBSERVE: "the reading taken is recorded, nobody is blamed",
}

_UNPROVEN = {False: "nobody is blamed", True: "no rule judges it"}


def _more(clause: Clause) -> Iterator[str]:
    texts = {
        "earns": clause.earns,
        "asks": clause.question,
        "readings": "; ".join(clause.readings),
        "needs": " or ".join(clause.needs),
        "untested": clause.untested,
    }
    for label, text in texts.items():
        if text:
            yield from _wrapped(label, text)


def _breaks(clause: Clause) -> Iterator[str]:
    """What the clause is good for: what each client makes of a server that breaches it."""
    breaches = breaches_of(clause.id)
    for number, breach in enumerate(breaches):
        yield from _wrapped("" if number else "breaks", str(breach))
    if breaches:
        yield from _wrapped("measured", "with " + ", ".join(map(str, measured().clients.values())))


def _explain_rule(word: str) -> Iterator[str]:
    from conformance.rules import RULES

    rule = next(rule for rule in RULES if rule.id == word)
    yield f"rule {rule.id}"
    yield ""
    yield from _explain_clause(rule.clause)


def _explain_strain(word: str) -> Iterator[str]:
    from conformance.reference.strains import Mutant
    from conformance.strains import BY_ID

    strain = BY_ID[word]
    if isinstance(strain, Mutant):
        yield f"mutant {strain.id}"
        yield from _wrapped("fault", strain.fault)
        yield from _wrapped("caught by", ", ".join(strain.clauses))
        yield from _wrapped("try it", f"conformance serve --mutant {strain.id}")
    else:
        yield f"variant {strain.id}"
        yield from _wrapped("freedom", strain.freedom)
        yield from _wrapped("try it", f"conformance serve --variant {strain.id}")


def _explain_case(word: str) -> Iterator[str]:
    from conformance.contract.reading import read
    from conformance.report.visible import visible

    target, cases = _planned()
    case = next(case for case in cases if case.id == word)
    reading = read(case.request, target)
    yield f"case {case.id}, as it is sent to the reference"
    yield from _wrapped("breaks", ", ".join(sorted(reading.breaks)) or "nothing")
    yield from _wrapped("leaves open", ", ".join(sorted(reading.open)) or "nothing")
    for line in case.request.head.rstrip(b"\r\n").split(b"\r\n"):
        yield f"  | {visible(line, 300)}"
    yield f"  | ({len(case.request.body)} bytes of body)"


@cache
def _planned() -> tuple[Target, tuple[Case, ...]]:
    """The cases as the reference gets them, each once."""
    from conformance.cases.plan import plan

    target = load(shipped("fixtures", "targets", "reference.toml"))
    return target, tuple({case.id: case for case in plan(target, b"127.0.0.1:8080").cases()}.values())


def _rule_ids() -> list[str]:
    from conformance.rules import RULES

    return [rule.id for rule in RULES]


def _strain_ids() -> list[str]:
    from conformance.strains import BY_ID

    return list(BY_ID)


def _case_ids() -> list[str]:
    return [case.id for case in _planned()[1]]


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent=f"  {label:<12}", subsequent_indent=" " * 14, break_on_hyphens=False)
