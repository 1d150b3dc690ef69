"""Whether the requests of a run are those that its seed leads to: nobody can have chosen easier ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from conformance import run
from conformance.cases.disguise import Disguise, Marked
from conformance.certification.identity import environment
from conformance.evidence.book import Book, Entry
from conformance.exchange import Case, Circumstance
from conformance.exploration import DEPTHS
from conformance.target import Target

DRAWS = ("hypothesis", "schemathesis", "pillow", "numpy", "python")
"""Whose versions decide what is drawn, and how it is written down."""
_STAGED = ("auth.", "burst.", "state.")
"""Cases that hold moments and signatures, and are not the same twice."""


def others(made_with: Mapping[str, str]) -> str:
    """What of ours draws other requests than what the run was made with; empty when nothing does."""
    ours = environment()
    return ", ".join(
        f"{name} {made_with.get(name, 'of no version')} instead of {ours[name]}"
        for name in DRAWS
        if made_with.get(name) != ours[name]
    )


def planned(target: Target, seed: str, depth: str, manner: Disguise | Marked) -> Iterable[Case]:
    """What such a run sends of its own accord, in order. Raises OperatorMistake for a target that has no such run."""
    prepared = run.prepare(target, seed=seed, depth=DEPTHS[depth], shrink=False, manner=manner, environ=_NOBODY)
    return _cases(prepared)


def departure(folder: Path, target: Target, planned: Iterable[Case]) -> str:
    """Where the evidence in a folder departs from what was planned; empty when it nowhere does.

    Of what is sent with the target's help, and follows last, only the names are looked at.
    """
    staged: set[str] = set()
    with Book(folder) as book:
        sent = (entry for entry in book.entries(target) if entry.judged)
        for number, (due, found) in enumerate(zip_longest(planned, sent), 1):
            name = found.exchange.case.id if found else ""
            if due is None and name.startswith(_STAGED) and name not in staged:
                staged.add(name)
            elif found is None or (due, Circumstance.NONE, "") != _as_sent(found):
                return (
                    f"request {number} should be {_name(due)}, and is {_name(found.exchange.case if found else None)}"
                )
    return ""


def _as_sent(entry: Entry) -> tuple[Case, Circumstance, str]:
    """What was sent, when, and for which rule alone."""
    return entry.exchange.case, entry.exchange.circumstance, entry.rule


def _cases(prepared: run.Prepared) -> Iterator[Case]:
    """Everything that a run sends of its own accord, in order."""
    yield from prepared.plan.cases()
    yield from prepared.explorer.singles()
    for sequence in prepared.explorer.sequences():
        yield from sequence


def _name(case: Case | None) -> str:
    return case.id if case else "none"


class _Nobody(dict[str, str]):
    """An environment in which every secret is a placeholder: nothing of it is in what is compared."""

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]  # noqa: ARG002
        return f"placeholder-of-{name}"


_NOBODY = _Nobody()
