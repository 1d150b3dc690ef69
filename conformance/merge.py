"""The shards of a run, put together: their evidence becomes the evidence of one run, and is judged as such."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from conformance.course import Course
from conformance.evidence.book import Book, DamagedEvidence, Entry
from conformance.evidence.log import EvidenceLog
from conformance.evidence.rejudge import closing, recalled
from conformance.mistake import OperatorMistake
from conformance.shards import Shard
from conformance.timings import Timings

_OWN = {"shard", "started"}
"""What one shard's opening may say and another's not."""


def merge(folders: Sequence[Path], out: Path) -> None:
    """Write the evidence of all shards of a run into a folder as that of one run.

    Raises OperatorMistake when a shard is missing, there twice, damaged, or of another run.
    """
    if out.resolve() in {folder.resolve() for folder in folders}:
        raise OperatorMistake(f"{out}: this is one of the shards; what is merged goes into a folder of its own")
    with ExitStack() as stack:
        books = [(stack.enter_context(Book(folder)), folder) for folder in folders]
        ordered = [book for _, book in sorted(_numbered(books).items())]
        opening = {key: value for key, value in ordered[0].opening.items() if key not in ("shard", "plan", "schema")}
        log = EvidenceLog(out, opening | {"started": min(str(book.opening["started"]) for book in ordered)})
        target = recalled(opening["target"], opening["states"])
        streams = [_judged(book.entries(target)) for book in ordered]
        for entry in heapq.merge(*streams, key=lambda entry: entry.place):
            log.add(entry.exchange, place=entry.place)
        log.close(_closing(ordered))


def _judged(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Without those that are only there for others, which are written with these."""
    return (entry for entry in entries if entry.judged)


def _numbered(books: Sequence[tuple[Book, Path]]) -> dict[int, Book]:
    """The shards by their numbers, when they are all there and of one run. Raises OperatorMistake."""
    found: dict[int, tuple[Book, Path]] = {}
    for book, folder in books:
        shard = _shard(book, folder)
        if shard.number in found:
            raise OperatorMistake(f"shard {shard} is there twice: {found[shard.number][1]} and {folder}")
        found[shard.number] = book, folder
    first, its_folder = books[0]
    whole = _shard(first, its_folder).of
    for book, folder in books[1:]:
        for key in ("target", *sorted((first.opening.keys() | book.opening.keys()) - _OWN)):
            if first.opening.get(key) != book.opening.get(key):
                raise OperatorMistake(f"{folder} is of another run than {its_folder}: its {key} is another one")
        if _shard(book, folder).of != whole:
            raise OperatorMistake(f"{folder} is one of {_shard(book, folder).of} shards, and {its_folder} of {whole}")
    missing = [str(Shard(number, whole)) for number in range(1, whole + 1) if number not in found]
    if missing:
        raise OperatorMistake(f"shard {', '.join(missing)} is missing")
    return {number: book for number, (book, _) in found.items()}


def _shard(book: Book, folder: Path) -> Shard:
    try:
        return Shard.parse(str(book.opening["shard"]))
    except (KeyError, ValueError):
        raise OperatorMistake(f"{folder}: this is no shard, but the evidence of a whole run") from None


def _closing(books: Sequence[Book]) -> dict[str, Any]:
    try:
        courses = [Course.of(book.closing) for book in books]
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedEvidence(f"the closing record of a shard cannot be read: {error!r}") from None
    return closing(_together(courses), round(sum(float(book.closing["seconds"]) for book in books), 3))


def _together(courses: Sequence[Course]) -> Course:
    """What happened in all of them; the end of one in bad time is that of the whole."""
    ends = [f"shard {number}: {course.cut_off}" for number, course in enumerate(courses, 1) if course.cut_off]
    return Course(
        sent=sum(course.sent for course in courses),
        seen=sum(course.seen for course in courses),
        answered=sum(course.answered for course in courses),
        throttled=sum(course.throttled for course in courses),
        echoes=sum(course.echoes for course in courses),
        unsteady=[case for course in courses for case in course.unsteady],
        cut_off="; ".join(ends),
        stopped_by_operator=any(course.stopped_by_operator for course in courses),
        turned_away=all(course.turned_away for course in courses),
        served=any(course.served for course in courses),
        mishaps={clause: what for course in courses for clause, what in course.mishaps.items()},
        timings=_all_timings([course.timings for course in courses]),
    )


def _all_timings(timings: Sequence[Timings]) -> Timings:
    counted = [each for each in timings if each.counts]
    if not counted:
        return Timings()
    counts = sum((each.counts for each in counted), Counter[int]())
    return Timings(counts, min(each.shortest for each in counted), max(each.longest for each in counted))
