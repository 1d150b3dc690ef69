"""Requirement sets in words, line by line: what they demand, how they differ, what evidence has to say to them."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from conformance.certification.preview import Preview
from conformance.certification.requirements import Difference, Reason, RequirementSet, Unmet
from conformance.contract.clauses import Level
from conformance.report.visible import visible

_WORDS = {
    Reason.FAILED: "fails",
    Reason.ERROR: "could not be judged",
    Reason.UNEXERCISED: "never exercised",
    Reason.DESELECTED: "not judged",
    Reason.MISSING: "unknown here",
}


def in_short(demanded: RequirementSet) -> str:
    """A set on one line."""
    counts = Counter(demanded.clauses.values())
    levels = ", ".join(f"{counts[level]} {level}" for level in Level)
    return f"{demanded.id:<10} {demanded.released}  {levels}: {demanded.says}"


def in_full(demanded: RequirementSet) -> Iterator[str]:
    """Everything that a set says."""
    yield f"{demanded.id} ({demanded.title}, released {demanded.released})"
    yield from _wrapped("says", demanded.says)
    yield from _wrapped("sha256", demanded.sha256)
    for number, group in enumerate(demanded.needs):
        yield from _wrapped("" if number else "declare", " or ".join(group))
    yield from _wrapped("may lack", ", ".join(sorted(demanded.may_lack)) or "nothing")
    yield from _wrapped("beyond", ", ".join(demanded.beyond) or "nothing")
    for name, level in demanded.clauses.items():
        yield f"  {level:<11} {name}"


def differences(found: Difference) -> Iterator[str]:
    """What changed from one set to the other, a line for each clause."""
    yield from (f"added    {name:<28} {level}" for name, level in found.added.items())
    yield from (f"removed  {name:<28} {level}" for name, level in found.removed.items())
    yield from (f"changed  {name:<28} {before}, now {now}" for name, (before, now) in found.changed.items())
    yield from (f"excused  a target may lack {scene} now" for scene in sorted(found.excused))
    yield from (f"demanded a target may no longer lack {scene}" for scene in sorted(found.no_longer_excused))


def foresight(found: Preview) -> Iterator[str]:
    """What a set would find: the shortfalls, what is to be said besides, what passes, and the sum of it."""
    demanded, report = found.demanded, found.report
    name = visible(f"{report.target.name} {report.target.version}".rstrip(), 200)
    yield f"{demanded.id} on the evidence of {name}, {visible(report.started, 40)}, by the rules of {report.suite}"
    yield from _unmet("", found.shortfalls)
    yield from _unmet("remark: ", found.remarks)
    lists = {"not applicable": found.not_applicable, "passes": found.passes, "beyond a run": demanded.beyond}
    for label, names in lists.items():
        yield from _wrapped_list(label, names) if names else ()
    if report.course.cut_off:
        yield f"the run was cut off: {visible(report.course.cut_off, 300)}"
    yield _sum(found)


def _sum(found: Preview) -> str:
    if found.fulfilled:
        return f"{found.demanded.id} is fulfilled, as far as one run can tell"
    counts = Counter(_WORDS[each.reason] for each in found.shortfalls)
    told = ", ".join(f"{count} {word}" for word, count in counts.items()) or "the run was cut off"
    return f"{found.demanded.id} is not fulfilled: {told}"


def _unmet(prefix: str, clauses: Iterable[Unmet]) -> Iterator[str]:
    for each in clauses:
        note = f": {visible(each.note, 300)}" if each.note else ""
        yield f"  {each.level:<7} {each.clause:<28} {prefix}{_WORDS[each.reason]}{note}"


def _wrapped_list(label: str, names: Iterable[str]) -> list[str]:
    text = f"{label}: {', '.join(names)}"
    return textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent=f"  {label:<12}", subsequent_indent=" " * 14, break_on_hyphens=False)
