"""Judging a run again, from its evidence and with the rules that are installed now. No target is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.contract.clauses import catalogue
from conformance.course import Course
from conformance.evidence.book import Book, DamagedEvidence
from conformance.judge import Judge
from conformance.mistake import OperatorMistake
from conformance.provisions import State, auth_document
from conformance.report.record import Report, compile_report
from conformance.rule import Rule
from conformance.rules import RULES
from conformance.target import Target, complaints, parse


def opening(report_of: Target, selected: frozenset[str], **facts: Any) -> dict[str, Any]:
    """What a log begins with: the target as it was declared, what was to be judged, and the facts of the run."""
    return {"target": described(report_of), "states": sorted(report_of.states), "selected": sorted(selected), **facts}


def closing(course: Course, seconds: float) -> dict[str, Any]:
    """What a log ends with: what happened besides the exchanges."""
    return {"seconds": seconds, **course.to_document()}


def described(target: Target) -> dict[str, Any]:
    """A target as a target file would declare it, without files and hooks."""
    scenes: dict[str, Any] = dict.fromkeys(sorted(target.absent), False)
    for name, scene in target.scenes.items():
        scenes[name] = {"project": scene.project, "version": scene.version}
        if scene.image:
            scenes[name]["image"] = {"width": scene.image.width, "height": scene.image.height}
    limits = {key: value for key, value in vars(target.limits).items() if value is not None}
    about = {"name": target.name, "url": target.url, "version": target.version, **target.about}
    whole: dict[str, Any] = {"target": about, "scenes": scenes, "limits": limits}
    if target.auth:
        whole["auth"] = auth_document(target.auth)
    if target.known_failures:
        whole["known-failures"] = dict(target.known_failures)
    return whole


def recalled(document: Any, states: Any) -> Target:
    """The target of such a description. Raises DamagedEvidence."""
    if not isinstance(document, dict) or not isinstance(states, list):
        raise DamagedEvidence("the evidence does not say which target it is of")
    if named := _files_of(document):
        raise DamagedEvidence(f"the target of the evidence names files: {named}")
    for complaint in complaints(document):
        raise DamagedEvidence(f"the target of the evidence is no longer a valid one: {complaint}")
    return replace(parse(document, Path()), states={str(name): State(str(name)) for name in states})


def _files_of(document: Mapping[str, Any]) -> str:
    """What in a description stands for files: no run writes that, and others are not to choose what is read."""
    scenes = document["scenes"].values() if isinstance(document.get("scenes"), dict) else ()
    parts = (document.get("target"), *scenes)
    keys = {key for part in parts if isinstance(part, dict) for key in part}
    return ", ".join(sorted(keys & {"ca", "samples"}))


def rejudged(
    folder: Path,
    declared: Target | None = None,
    bench: Callable[[Iterable[Rule]], Judge] = Judge,
    wanted: frozenset[str] | None = None,
) -> Report:
    """The report on the evidence in a folder. Raises OperatorMistake when it is damaged or of another version.

    ``declared`` takes the place of the target that the evidence was declared to be of, ``bench`` that of the judge, and
    ``wanted`` that of the clauses that were to be judged.
    """
    with Book(folder) as book:
        first, last = book.opening, book.closing
        if "shard" in first:
            raise OperatorMistake(
                f"{folder}: this is shard {first['shard']} of a run, and no verdict; merge the shards"
            )
        target = declared or recalled(first.get("target"), first.get("states", []))
        known = {clause.id for clause in catalogue().tested()}
        selected = _selected(first, last, wanted)
        judge = bench(rule for rule in RULES if rule.clause in selected & known)
        verdicts = {verdict.rule.id: verdict for verdict in judge.verdicts}
        for entry in book.entries(target):
            if entry.rule:
                if entry.rule in verdicts:
                    verdicts[entry.rule].look_again(entry.exchange)
            elif entry.judged:
                judge.see(entry.exchange)
        return compile_report(
            target,
            judge.verdicts,
            _course(last),
            planned=int(first["planned"]),
            looks=int(first["looks"]),
            seed=str(first["seed"]),
            started=str(first["started"]),
            seconds=float(last["seconds"]),
            selected=selected,
        )


def _selected(first: dict[str, Any], last: dict[str, Any], wanted: frozenset[str] | None) -> frozenset[str]:
    """The clauses to judge: of what others said and we were told, no more than was selected then can be judged."""
    selected = frozenset(first["selected"])
    if wanted is None:
        return selected
    return wanted & selected if last.get("recorded") else wanted


def _course(last: dict[str, Any]) -> Course:
    try:
        return Course.of(last)
    except KeyError as error:
        raise OperatorMistake(f"the closing record of the evidence lacks {error}") from None
    except (TypeError, ValueError) as error:
        raise OperatorMistake(f"the timings of the evidence cannot be read: {error}") from None
