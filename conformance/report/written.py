"""A report that was written, read back: as much of it as comparing takes, and nothing of it unchecked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract.clauses import Level, catalogue
from conformance.mistake import OperatorMistake
from conformance.report import document
from conformance.report.record import Conclusion, Outcome
from conformance.report.visible import visible

MOST_BYTES = 512 * 1024 * 1024
"""Of a report; no run writes a larger one."""
_FAMILY = document.SCHEMA.rpartition(":")[0]


@dataclass(frozen=True)
class WrittenFailure:
    """A finding of a report."""

    id: str
    case: str
    where: str
    expected: str
    actual: str


@dataclass(frozen=True)
class WrittenClause:
    """A clause of a report, and what became of it."""

    id: str
    section: str
    level: Level
    requirement: str
    outcome: Outcome
    reason: str = ""
    judged: int = 0
    breached: int = 0
    failures: tuple[WrittenFailure, ...] = ()
    readings: tuple[tuple[str, int], ...] = ()
    """For OBSERVE: the readings seen, and how often."""
    question: str = ""
    known: str = ""
    """The reason for which the target listed it among its known failures."""


@dataclass(frozen=True)
class Written:
    """A report that was read."""

    path: Path
    sha256: str
    name: str
    version: str
    url: str
    target: Mapping[str, Any]
    """What the report says of its target, as it stands there."""
    declared: Mapping[str, str]
    """What the target declared of itself, flat, such as ``limits.rate``."""
    suite: str
    contract: str
    started: str
    seed: str
    planned: int
    sent: int
    unsteady: frozenset[str]
    cut_off: str
    conclusion: Conclusion
    reason: str
    clauses: Mapping[str, WrittenClause]

    @property
    def folder(self) -> Path:
        """Where the report lies, and its evidence if it has any."""
        return self.path.parent

    @property
    def title(self) -> str:
        """Name and version of the target."""
        return f"{self.name} {self.version}".rstrip()


def cited(report: Written) -> dict[str, Any]:
    """Which report it is, as JSON-able data: for what is made of reports."""
    return {
        "report": visible(str(report.path)),
        "sha256": report.sha256,
        "target": report.name,
        "version": report.version,
        "started": report.started,
        "suite": report.suite,
        "contract": report.contract,
        "conclusion": str(report.conclusion),
    }


def section_title(section: str) -> str:
    """The title of a section of a report; its id where the installed suite does not know it."""
    return catalogue().sections.get(section, section)


def load(path: Path) -> Written:
    """Read a report: a folder that has one, or its ``report.json``. Raises OperatorMistake, naming the file.

    One that was cut or changed is refused, and so is one of another schema.
    """
    file = path / "report.json" if path.is_dir() else path
    whole = _raw(file)
    try:
        return _written(whole, file)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OperatorMistake(f"{file}: this report cannot be understood: {visible(repr(error), 200)}") from None


def _raw(file: Path) -> dict[str, Any]:
    """The document of a report, its schema checked. Raises OperatorMistake."""
    try:
        if file.exists() and not file.is_file():
            raise OperatorMistake(f"{file}: this is no report: it is no file")
        if file.is_file() and file.stat().st_size > MOST_BYTES:
            raise OperatorMistake(f"{file}: this is no report: it is larger than {MOST_BYTES} bytes")
        whole = document.load(file)
    except OSError as error:
        raise OperatorMistake(f"{file}: this is no report: {error}") from None
    except OperatorMistake:
        _refuse_another_schema(_schema_of(file), file)
        raise
    _refuse_another_schema(whole.get("schema"), file)
    return whole


def _schema_of(file: Path) -> Any:
    """What a document that cannot be read as a report says that it is."""
    with suppress(OSError, ValueError, RecursionError):
        if file.is_file() and file.stat().st_size <= MOST_BYTES:
            whole = json.loads(file.read_bytes())
            return whole.get("schema") if isinstance(whole, dict) else None
    return None


def _refuse_another_schema(schema: Any, file: Path) -> None:
    if isinstance(schema, str) and schema != document.SCHEMA and schema.startswith(_FAMILY):
        raise OperatorMistake(
            f"{file}: this report is of another version, {visible(schema, 100)}; this suite reads {document.SCHEMA}"
        )


def _written(whole: Mapping[str, Any], file: Path) -> Written:
    if whole["schema"] != document.SCHEMA:
        raise ValueError("the schema is not that of a report")
    target, suite, run = (_table(whole[name]) for name in ("target", "suite", "run"))
    clauses = [_clause(_table(entry)) for entry in _list(whole["clauses"])]
    by_id = {clause.id: clause for clause in clauses}
    if len(by_id) < len(clauses):
        raise ValueError("a clause stands there twice")
    return Written(
        file,
        _words(whole["closing"]["sha256"]),
        _words(target["name"]),
        _words(target["version"]),
        _words(target["url"]),
        target,
        dict(_flat({key: target[key] for key in ("scenes", "absent", "limits", "auth", "states") if key in target})),
        _words(suite["version"]),
        _words(suite["contract"]),
        _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run["started"]),
        _words(run["seed"]),
        _count(run["planned"]),
        _count(run["sent"]),
        frozenset(map(_words, _list(run["unsteady"]))),
        _words(run["cut_off"]),
        Conclusion(whole["conclusion"]),
        _words(whole["reason"]),
        by_id,
    )


def _clause(entry: Mapping[str, Any]) -> WrittenClause:
    readings = _table(entry.get("readings", {}))
    return WrittenClause(
        _matching(r"[a-z-]+\.[a-z0-9-]+", entry["id"]),
        _matching(r"[a-z-]+", entry["section"]),
        Level(entry["level"]),
        _words(entry["requirement"]),
        Outcome(entry["outcome"]),
        _words(entry["reason"]),
        _count(entry["judged"]),
        _count(entry["breached"]),
        tuple(_failure(_table(each)) for each in _list(entry["failures"])),
        tuple((_words(reading), _count(times)) for reading, times in readings.items()),
        _words(entry.get("question", "")),
        _words(entry["known"]),
    )


def _failure(entry: Mapping[str, Any]) -> WrittenFailure:
    return WrittenFailure(*(_words(entry[name]) for name in ("id", "case", "where", "expected", "actual")))


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a document by their dotted keys; the words of a list are keys, too."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _flat(each, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        yield from ((visible(f"{key}.{each}", 200), "declared") for each in value)
    else:
        yield visible(key, 200), visible(str(value), 200)


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is no object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.60} is no list")
    return value


def _words(value: Any) -> str:
    """Text, made safe to show once more: whoever wrote the file may not have been us."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return visible(value, 24_000)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r:.60} is no number of things")
    return value


def _matching(pattern: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII) or len(value) > 200:
        raise ValueError(f"{value!r:.60} is not of the form {pattern}")
    return value
