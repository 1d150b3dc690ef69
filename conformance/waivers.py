"""Waivers: which failures somebody answers for, why and until when. They open the gate and change no conclusion."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from conformance.contract.clauses import catalogue
from conformance.mistake import OperatorMistake, did_you_mean
from conformance.shipped import shipped

MOST_BYTES = 16 * 1024 * 1024
"""Of a waivers file."""


class Standing(StrEnum):
    """What a waiver is worth on a certain day, for a certain report."""

    IN_FORCE = "in force"  # what it names failed, and the gate lets that pass
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # there is no such clause
    NOT_NEEDED = "no longer needed"  # what it names was exercised, and did not fail
    UNTOLD = "untold"  # the clause was not exercised, so whether it is needed cannot be said


@dataclass(frozen=True)
class Waiver:
    """One entry of a waivers file: it names a clause, or one finding such as ``mask.size-1``."""

    reason: str
    owner: str
    expires: date
    """The last day on which it holds."""
    clause: str = ""
    finding: str = ""
    link: str = ""

    @property
    def names(self) -> str:
        """The id of the clause or finding that it is for."""
        return self.clause or self.finding

    @property
    def of(self) -> str:
        """The clause that it is for, or that its finding belongs to."""
        return self.clause or re.sub(r"-[1-9][0-9]*$", "", self.finding)


@dataclass(frozen=True)
class Waived:
    """A waiver, and what it is worth."""

    waiver: Waiver
    standing: Standing
    note: str = ""
    """Why it is worth no more, in a few words; empty where it is in force."""

    @property
    def fails_the_gate(self) -> bool:
        """The list has to be put right before anything passes."""
        return self.standing in (Standing.EXPIRED, Standing.UNKNOWN, Standing.NOT_NEEDED)

    def __str__(self) -> str:
        told = f"{self.standing}: {self.note}" if self.note else str(self.standing)
        until, link = f"until {self.waiver.expires}", f" ({self.waiver.link})" if self.waiver.link else ""
        return f"{self.waiver.names}: {told}; {self.waiver.owner}, {until}: {self.waiver.reason}{link}"


def load(path: Path) -> tuple[Waiver, ...]:
    """Read a waivers file. Raises OperatorMistake, naming file and key, when anything in it is wrong."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        document = tomllib.loads(text.decode("utf-8"))
    except FileNotFoundError:
        raise OperatorMistake(f"{path}: there is no such waivers file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorMistake(f"{path}: this cannot be read as TOML: {error}") from None
    return parse(document, path)


def parse(document: Mapping[str, Any], path: Path) -> tuple[Waiver, ...]:
    """The waivers of a TOML document; ``path`` is only for complaints. Raises OperatorMistake."""
    plain: dict[str, Any] = _with_dates_as_words(document)
    for complaint in _complaints(plain):
        raise OperatorMistake(f"{path}: {complaint}")
    return tuple(
        Waiver(
            entry["reason"],
            entry["owner"],
            date.fromisoformat(entry["expires"]),
            entry.get("clause", ""),
            entry.get("finding", ""),
            entry.get("link", ""),
        )
        for entry in plain.get("waiver", ())
    )


def _with_dates_as_words(value: Any) -> Any:
    """TOML has dates, and JSON schemas have none."""
    if isinstance(value, dict):
        return {key: _with_dates_as_words(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_dates_as_words(each) for each in value]
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _complaints(document: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    schema = json.loads(shipped("schemas", "waivers.schema.json").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(document)
    for error in sorted(errors, key=lambda each: ([str(step) for step in each.absolute_path], each.message)):
        yield _complaint(error)
    for number, entry in enumerate(document.get("waiver", ()), 1):
        try:
            date.fromisoformat(entry["expires"])
        except ValueError as error:
            yield f"waiver {number}: expires: {entry['expires']!r} is no date: {error}"


def _complaint(error: Any) -> str:
    steps = [f"{step + 1}" if isinstance(step, int) else ascii(step).strip("'") for step in error.absolute_path]
    place = f"{' '.join(steps[:2])}: {'.'.join(steps[2:])}".removesuffix(": ") if steps else ""
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        stray = next(name for name in error.instance if name not in known)
        said = f"there is no such key: {stray!a}{did_you_mean(stray, known)}"
    elif error.validator == "required":
        said = f"{next(name for name in error.validator_value if name not in error.instance)} is missing"
    elif error.validator == "oneOf":
        said = "it needs either clause, or finding, and not both"
    elif error.validator == "pattern" and not error.instance.strip():
        said = "this is empty"
    elif error.validator == "pattern":
        said = f"{error.instance!a} is not of the form {error.validator_value}"
    elif error.validator == "type":
        said = f"this is no {error.validator_value}" + ("; write [[waiver]]" if len(steps) == 1 else "")
    else:
        said = ascii(error.message)
    return ": ".join(part for part in (place, said) if part)


def weighed(
    waivers: Collection[Waiver], failed: Mapping[str, Collection[str]], kept: Collection[str], today: date
) -> tuple[Waived, ...]:
    """What each waiver is worth today.

    ``failed`` maps the clauses that failed to the ids of their findings; ``kept`` are those that were exercised and did
    not fail.
    """
    return tuple(Waived(each, *_standing(each, failed, kept, today)) for each in waivers)


def _standing(
    waiver: Waiver, failed: Mapping[str, Collection[str]], kept: Collection[str], today: date
) -> tuple[Standing, str]:
    known = {clause.id for clause in catalogue().tested()}
    if waiver.of not in known:
        near = did_you_mean(waiver.of, known)
        return Standing.UNKNOWN, f"there is no clause {waiver.of!r}{near}"
    if waiver.expires < today:
        return Standing.EXPIRED, f"since {waiver.expires}; today is {today}"
    if waiver.of in kept:
        return Standing.NOT_NEEDED, f"{waiver.of} did not fail"
    if waiver.of not in failed:
        return Standing.UNTOLD, f"{waiver.of} was not exercised"
    if waiver.finding and waiver.finding not in failed[waiver.of]:
        return Standing.NOT_NEEDED, f"there is no such finding{did_you_mean(waiver.finding, failed[waiver.of])}"
    return Standing.IN_FORCE, ""


def until(today: date, days: int) -> date:
    """The day that many days from now. Raises OperatorMistake when the calendar has none."""
    try:
        return today + timedelta(days=days)
    except OverflowError:
        raise OperatorMistake(f"--days {days}: no calendar goes that far") from None
