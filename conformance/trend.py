"""How an implementation has come along: all reports below a folder, by target, in the order of time.

One report is in memory at a time; of each only a line is kept.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.text import Text

from conformance.mistake import OperatorMistake
from conformance.report.markdown import plain
from conformance.report.record import Conclusion, Outcome
from conformance.report.visible import visible
from conformance.report.written import Written, load

WIDTH = 60
"""Runs that a sparkline shows, the last ones."""
SHOWN = 20
"""Runs and changes of a target that are shown on a terminal, the last ones; Markdown has all."""

LETTERS: Mapping[Outcome, str] = {
    Outcome.PASSED: ".",
    Outcome.FAILED: "F",
    Outcome.OBSERVED: "o",
    Outcome.UNEXERCISED: "-",
    Outcome.NOT_APPLICABLE: "/",
    Outcome.ERROR: "!",
}
ABSENT = " "
_LEGEND = ". passed, F failed, o observed, - unexercised, / not applicable, ! error, blank: no such clause"
_OUTCOMES = {letter: str(outcome) for outcome, letter in LETTERS.items()} | {ABSENT: "no such clause"}
_BARS = {True: "_.:-=+*#", False: "▁▂▃▄▅▆▇█"}


@dataclass(frozen=True)
class Point:
    """One run, on one line."""

    started: str
    path: str
    version: str
    suite: str
    contract: str
    conclusion: Conclusion
    names: tuple[str, ...]
    """The clauses; runs of the same set share this tuple."""
    letters: str
    """What became of each of them."""

    @property
    def counts(self) -> Mapping[Outcome, int]:
        found = Counter(self.letters)
        return {outcome: found[letter] for outcome, letter in LETTERS.items()}

    def letter(self, name: str) -> str:
        """What became of a clause."""
        return self.letters[self.names.index(name)] if name in self.names else ABSENT


@dataclass(frozen=True)
class Step:
    """A clause that a run found otherwise than the run before."""

    clause: str
    before: Point
    now: Point

    def __str__(self) -> str:
        was, is_now = (_OUTCOMES[each.letter(self.clause)] for each in (self.before, self.now))
        return f"{was} -> {is_now}"

    @property
    def beside(self) -> str:
        """What else is not as it was, so that the change may be due to it."""
        facts = {
            "target": (self.before.version, self.now.version),
            "suite": (self.before.suite, self.now.suite),
            "contract": (self.before.contract[:19], self.now.contract[:19]),
        }
        changed = [f"{what} {was or 'none'} -> {now or 'none'}" for what, (was, now) in facts.items() if was != now]
        return ", ".join(changed)


@dataclass(frozen=True)
class Trend:
    """Every target's runs in the order of time, and the files that are none of them."""

    targets: Mapping[str, tuple[Point, ...]]
    skipped: tuple[str, ...]


def trend(folder: Path) -> Trend:
    """Read all reports below a folder. Raises OperatorMistake when there are none that can be read."""
    if not folder.is_dir():
        raise OperatorMistake(f"{folder}: there is no such folder")
    targets: dict[str, list[Point]] = {}
    skipped: list[str] = []
    seen: dict[str, str] = {}
    sets: dict[tuple[str, ...], tuple[str, ...]] = {}
    for file in _reports(folder):
        try:
            report = load(file)
        except OperatorMistake as mistake:
            skipped.append(str(mistake))
            continue
        if report.sha256 in seen:
            skipped.append(f"{file}: this is the report {seen[report.sha256]} once more")
            continue
        seen[report.sha256] = str(file)
        targets.setdefault(report.name, []).append(_point(report, sets))
    if not targets:
        found = f"; the first of {len(skipped)}: {skipped[0]}" if skipped else ""
        raise OperatorMistake(f"{folder}: there is no report below it that can be read{found}")
    ordered = {
        name: tuple(sorted(targets[name], key=lambda each: (each.started, each.path))) for name in sorted(targets)
    }
    return Trend(ordered, tuple(skipped))


def _reports(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        if "report.json" in files:
            yield Path(place) / "report.json"


def _point(report: Written, sets: dict[tuple[str, ...], tuple[str, ...]]) -> Point:
    names = tuple(report.clauses)
    return Point(
        report.started,
        str(report.path),
        report.version,
        report.suite,
        report.contract,
        report.conclusion,
        sets.setdefault(names, names),
        "".join(LETTERS[clause.outcome] for clause in report.clauses.values()),
    )


def steps(points: tuple[Point, ...]) -> Iterator[Step]:
    """What changed from each run to the next."""
    for before, now in pairwise(points):
        if (before.names, before.letters) != (now.names, now.letters):
            names = dict.fromkeys([*before.names, *now.names])
            yield from (Step(name, before, now) for name in names if before.letter(name) != now.letter(name))


def sparkline(numbers: list[int], *, ascii_only: bool) -> str:
    """The last numbers as bars; nothing is the lowest."""
    bars, shown = _BARS[ascii_only], numbers[-WIDTH:]
    top = max([*shown, 1])
    return "".join(bars[-(-number * (len(bars) - 1) // top)] for number in shown)


def _strips(points: tuple[Point, ...]) -> Iterator[tuple[str, str]]:
    """For each clause that ever changed, what became of it run by run."""
    for name in dict.fromkeys(step.clause for step in steps(points)):
        yield name, "".join(point.letter(name) for point in points[-WIDTH:])


def markdown(found: Trend) -> str:
    """The trend as Markdown, ended by a newline."""
    return "\n".join(_markdown_lines(found)) + "\n"


def _markdown_lines(found: Trend) -> Iterator[str]:
    yield "# Trend"
    yield ""
    for name, points in found.targets.items():
        yield f"## {plain(name)}"
        yield ""
        yield f"Failed clauses, run by run: {sparkline(_failed(points), ascii_only=False)}"
        yield ""
        yield "| begun | version | suite | conclusion | " + " | ".join(map(str, Outcome)) + " | report |"
        yield "| --- | --- | --- | --- |" + " ---: |" * len(Outcome) + " --- |"
        for point in points:
            counts = " | ".join(str(count) for count in point.counts.values())
            words = (plain(each) for each in (point.started, point.version, point.suite, str(point.conclusion)))
            yield f"| {' | '.join(words)} | {counts} | {plain(point.path)} |"
        yield ""
        yield from _markdown_steps(points)
    if found.skipped:
        yield "## Skipped"
        yield ""
        yield from (f"- {plain(note)}" for note in found.skipped)
        yield ""


def _markdown_steps(points: tuple[Point, ...]) -> Iterator[str]:
    if next(steps(points), None) is None:
        yield "No clause changed."
        yield ""
        return
    yield "| clause | run by run |"
    yield "| --- | --- |"
    yield from (f"| {name} | `{strip.replace(ABSENT, '_')}` |" for name, strip in _strips(points))
    yield ""
    yield f"In it: {plain(_LEGEND.replace('blank', '_'))}."
    yield ""
    yield "| when | clause | change | what else changed |"
    yield "| --- | --- | --- | --- |"
    for step in steps(points):
        yield f"| {step.now.started} | {step.clause} | {plain(str(step))} | {plain(step.beside)} |"
    yield ""


def _failed(points: tuple[Point, ...]) -> list[int]:
    return [point.counts[Outcome.FAILED] for point in points]


def show(found: Trend, console: Console | None = None) -> None:
    """Print the trend: each target's last runs, what became of the clauses that changed, and what was skipped."""
    console = console or Console(highlight=False, soft_wrap=True)
    for line in _shown(found):
        console.print(Text(line))


def _shown(found: Trend) -> Iterator[str]:
    for name, points in found.targets.items():
        yield f"target {name}: {len(points)} run{'' if len(points) == 1 else 's'}"
        yield f"  failed clauses |{sparkline(_failed(points), ascii_only=True)}|"
        if len(points) > SHOWN:
            yield f"  ... and {len(points) - SHOWN} earlier runs"
        for point in points[-SHOWN:]:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in point.counts.items() if count)
            yield f"  {point.started}  {point.conclusion:<14} {counts}  | {point.version}"
        strips = list(_strips(points))
        width = max((len(clause) for clause, _ in strips), default=0)
        yield from (f"  {clause:<{width}} |{strip}|" for clause, strip in strips)
        if strips:
            yield f"  {_LEGEND}"
        changes = list(steps(points))[-SHOWN:]
        for step in changes:
            beside = f" (besides: {step.beside})" if step.beside else ""
            yield f"  {step.now.started}  {step.clause}: {step}{beside}"
        yield ""
    yield from (f"skipped: {visible(note)}" for note in found.skipped)
