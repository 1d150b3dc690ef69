"""Reading the evidence of a run: the same exchanges again, in the same order. Nothing in it is believed unchecked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from conformance.contract.reading import read
from conformance.evidence.blobs import BlobReader, DamagedBlobs
from conformance.evidence.log import BLOBS, LINES, SCHEMA
from conformance.exchange import Case, Circumstance, Exchange
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.mistake import OperatorMistake
from conformance.shipped import shipped
from conformance.signing import anonymous
from conformance.target import Target
from conformance.wire.answers import read_again

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line; a longer one is none of ours."""
FAMILY = SCHEMA.rpartition(":")[0]


@dataclass(frozen=True)
class Entry:
    """An exchange of a log, and what it is there for."""

    exchange: Exchange
    judged: bool
    rule: str
    """The one rule that was asked about it; empty for all."""
    place: int
    """Where in the run it stands, counted from 1; 0 for what was not part of the plan."""


class DamagedEvidence(OperatorMistake):
    """The evidence is not what a run has written."""


class Book:
    """The evidence in a folder. Raises DamagedEvidence as soon as something in it is not as it was written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LINES
        try:
            self.opening, self.closing, blobs = self._survey()
            self._blobs = BlobReader(folder / BLOBS, blobs)
        except DamagedBlobs as error:
            raise DamagedEvidence(f"{folder / BLOBS}: {error}") from None
        except OSError as error:
            raise DamagedEvidence(f"{folder}: there is no evidence to be read here: {error}") from None
        try:
            self._check_the_chain()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._blobs.close()

    def entries(self, target: Target) -> Iterator[Entry]:
        """Every exchange, in the order of writing. Only those that others are compared with stay in memory."""
        kept: dict[int, Exchange] = {}
        with self._path.open("rb") as file:
            for number, row in _rows(file, self._path):
                if "n" not in row:
                    continue
                try:
                    exchange = self._exchange(row, kept, target)
                    judged, place = bool(row.get("judged", True)), int(row.get("place", 0))
                    entry = Entry(exchange, judged, str(row.get("rule", "")), place)
                except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
                    raise DamagedEvidence(f"{self._path}:{number}: this exchange cannot be read: {error!r}") from None
                if row["n"] in self._wanted:
                    kept[row["n"]] = exchange
                yield entry

    def _survey(self) -> tuple[dict[str, Any], dict[str, Any], int]:
        """The opening and the closing record, and how many blobs there must be."""
        opening: dict[str, Any] = {}
        closing: dict[str, Any] = {}
        self._wanted: set[int] = set()
        """The exchanges that others refer to."""
        count = blobs = 0
        with self._path.open("rb") as file:
            for number, row in _rows(file, self._path):
                if closing:
                    raise DamagedEvidence(f"{self._path}:{number}: something follows the closing record")
                if number == 1:
                    opening = self._opened(row)
                elif "closing" in row:
                    closing = row["closing"]
                else:
                    count += 1
                    if row.get("n") != count:
                        raise DamagedEvidence(f"{self._path}:{number}: exchange {count} should stand here")
                    blobs = max(blobs, self._referred(row, number) + 1)
        if not closing:
            raise DamagedEvidence(f"{self._path}: the closing record is missing: the log was cut, or the run killed")
        if not isinstance(closing, dict) or closing.get("exchanges") != count:
            raise DamagedEvidence(f"{self._path}: the closing record does not fit {count} exchanges")
        for complaint in (*_complaints("opening", opening), *_complaints("closing", closing)):
            raise DamagedEvidence(f"{self._path}: {complaint}")
        return opening, closing, blobs

    def _referred(self, row: Mapping[str, Any], number: int) -> int:
        """Note the exchanges that a row refers to, and give the last of the blobs."""
        try:
            earlier, blobs = set(_references(row)), list(_blobs_of(row))
            if not all(type(each) is int and each >= 0 for each in (*earlier, *blobs)):
                raise ValueError("a reference is no number")
        except (TypeError, ValueError, LookupError) as error:
            raise DamagedEvidence(f"{self._path}:{number}: this exchange cannot be read: {error!r}") from None
        self._wanted |= earlier
        return max(blobs, default=-1)

    def _opened(self, row: dict[str, Any]) -> dict[str, Any]:
        schema = row.get("schema")
        if schema == SCHEMA:
            return row
        if isinstance(schema, str) and schema.startswith(FAMILY):
            raise DamagedEvidence(
                f"{self._path}: this evidence is of another version, {schema}; this suite reads {SCHEMA}"
            )
        raise DamagedEvidence(f"{self._path}: this is no evidence of ours")

    def _check_the_chain(self) -> None:
        """Everything that was written, bytes included, goes into the digest of the closing record."""
        chain, known, shown = sha256(), 0, ""
        with self._path.open("rb") as file:
            for line in file:
                record = line.rstrip(b"\n")
                if record.startswith(b'{"closing":'):
                    body, _, digest = record.rpartition(b',"sha256":"')
                    shown = digest.removesuffix(b'"}').decode("ascii", "replace")
                    record = body + b"}"
                for number in sorted(self._new_blobs(record, known)):
                    chain.update(blake2b(self._blobs[number], digest_size=16).digest())
                    known = number + 1
                chain.update(record)
        if shown != chain.hexdigest():
            raise DamagedEvidence(f"{self._path}: the digest does not fit: the evidence was changed")

    def _new_blobs(self, record: bytes, known: int) -> set[int]:
        """The blobs that were written just before this line."""
        row = json.loads(record)
        return {number for number in _blobs_of(row) if number >= known} if "n" in row else set()

    def _exchange(self, row: Mapping[str, Any], kept: Mapping[int, Exchange], target: Target) -> Exchange:
        head, body = (self._blobs[number] for number in row["request"])
        request, circumstance = Request(head, body), Circumstance(row.get("circumstance", ""))
        return Exchange(
            Case(str(row["case"]), request, Delivery(row.get("delivery", "whole"))),
            read(anonymous(request) if circumstance else request, target),
            self._answer(row["answer"], request),
            float(row["seconds"]),
            tuple(map(self._loss, row.get("lost", ()))),
            kept[row["before"]] if "before" in row else None,
            kept[row["alone"]] if "alone" in row else None,
            tuple(kept[number] for number in row.get("beside", ())),
            circumstance,
        )

    def _loss(self, parts: list[Any]) -> NoAnswer:
        return NoAnswer(Silence(parts[0]), str(parts[2]), self._blobs[parts[1]])

    def _answer(self, parts: list[Any], request: Request) -> Answer:
        if isinstance(parts[0], str):
            return self._loss(parts)
        wire = self._blobs[parts[1]] + self._blobs[parts[2]]
        oddities = parts[3] if len(parts) > 3 else {}
        response = read_again(wire, request)
        if not isinstance(response, Response):
            raise ValueError("the bytes are no answer")
        if response.status != parts[0]:
            raise ValueError("the status is not that of the bytes")
        return replace(
            response,
            faults=tuple(map(str, oddities.get("faults", ()))),
            interim=tuple(map(int, oddities.get("interim", ()))),
            closes=bool(oddities.get("closes", False)),
            wire=wire,
        )


def _rows(file: IO[bytes], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a log with their line numbers."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        row: Any = None
        with suppress(ValueError, RecursionError):
            row = json.loads(line, parse_constant=_no_number)
        if not isinstance(row, dict) or not line.endswith(b"\n"):
            raise DamagedEvidence(f"{path}:{number}: this line is no record")
        yield number, row
    if not number:
        raise DamagedEvidence(f"{path}: it is empty")


def _references(row: Mapping[str, Any]) -> Iterator[int]:
    for name in ("before", "alone"):
        if name in row:
            yield row[name]
    yield from row.get("beside", ())


def _blobs_of(row: Mapping[str, Any]) -> Iterator[int]:
    """The numbers of blobs in a row, whoever refers to them."""
    yield from row.get("request", ())
    for answer in (row["answer"], *row.get("lost", ())):
        yield from answer[1 : 2 if isinstance(answer[0], str) else 3]


def _complaints(kind: str, record: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the opening or the closing record."""
    from jsonschema import Draft202012Validator

    schema = json.loads(shipped("schemas", "evidence.schema.json").read_text(encoding="utf-8"))
    for error in Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]}).iter_errors(record):
        where = ".".join(map(str, (kind, *error.absolute_path)))
        yield f"{where} is not as it should be: {error.message[:200]}"


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
