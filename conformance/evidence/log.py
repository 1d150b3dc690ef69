"""Writing the evidence of a run: one line for each exchange, as it is judged, and the bytes beside them.

The format is described by ``schemas/evidence.schema.json``. What is written never holds a secret: requests come here
as they were before they were signed, and secrets in answers are replaced before anybody sees these.
"""

from __future__ import annotations

import json
import weakref
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.evidence.blobs import BlobWriter
from conformance.exchange import Exchange
from conformance.message import Answer, Delivery, NoAnswer
from conformance.mistake import OperatorMistake

SCHEMA = "urn:detect-anomalies-conformance:evidence:1"
LINES, BLOBS = "evidence.jsonl", "evidence.blobs"
DIGITS = 6
"""Of a second: microseconds are kept."""


class _Numbers:
    """The numbers of exchanges that were written and are still alive."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[weakref.ref[Exchange], int]] = {}

    def get(self, exchange: Exchange) -> int | None:
        reference, number = self._of.get(id(exchange), (None, 0))
        return number if reference is not None and reference() is exchange else None

    def set(self, exchange: Exchange, number: int) -> None:
        key = id(exchange)
        self._of[key] = (weakref.ref(exchange, lambda _: self._of.pop(key, None)), number)


class EvidenceLog:
    """The evidence of one run, in a folder. Its memory does not grow with the run."""

    def __init__(self, folder: Path, opening: dict[str, Any]) -> None:
        self._chain = sha256()
        self._folder = folder
        try:
            self._lines = (folder / LINES).open("wb")
            self._blobs = BlobWriter(folder / BLOBS, self._chain.update)
        except OSError as error:
            raise OperatorMistake(f"{folder}: no evidence can be kept here: {error}") from None
        self._numbers = _Numbers()
        self._count = 0
        self._write({"schema": SCHEMA, **opening})

    def add(self, exchange: Exchange, *, place: int = 0, judged: bool = True, rule: str = "") -> int:
        """Write an exchange, and before it those that it is compared with; its number is given back.

        ``place`` is where in the run it stands, counted from 1; what was not planned has none. ``judged`` is False for
        an exchange that is only compared with, ``rule`` the one rule that was asked about it.
        """
        if (known := self._numbers.get(exchange)) is not None:
            return known
        references = self._references(exchange)  # first, so that bytes and lines stand in one order
        row = self._row(exchange) | references
        if place:
            row["place"] = place
        if rule:
            row["rule"] = rule
        elif not judged:
            row["judged"] = False
        self._count += 1
        self._write({"n": self._count, **row})
        self._numbers.set(exchange, self._count)
        return self._count

    def close(self, closing: dict[str, Any]) -> None:
        """Write the closing record, by which a log that was cut or edited is recognised."""
        self._blobs.close()
        self._write({"closing": {"exchanges": self._count, **closing}}, chained=True)
        self._lines.close()

    def abandon(self) -> None:
        """Give up and leave nothing behind: a log without its end cannot be judged again. Never raises."""
        for file in (self._blobs, self._lines):
            with suppress(OSError, ValueError, zlib.error):  # what is still to be written may fail once more
                file.close()
        for name in (LINES, BLOBS):
            with suppress(OSError):
                (self._folder / name).unlink()

    def _write(self, record: dict[str, Any], *, chained: bool = False) -> None:
        line = json.dumps(record, separators=(",", ":")).encode()
        self._chain.update(line)
        if chained:
            line = line[:-1] + b',"sha256":"' + self._chain.hexdigest().encode() + b'"}'
        self._lines.write(line + b"\n")

    def _row(self, exchange: Exchange) -> dict[str, Any]:
        """The exchange as JSON-able data; whatever is as usual is left out."""
        row: dict[str, Any] = {"case": exchange.case.id, "request": self._request(exchange)}
        if exchange.case.delivery is not Delivery.WHOLE:
            row["delivery"] = str(exchange.case.delivery)
        row["answer"] = self._answer(exchange.answer)
        row["seconds"] = round(exchange.seconds, DIGITS)
        if exchange.lost:
            row["lost"] = [self._answer(each) for each in exchange.lost]
        if exchange.circumstance:
            row["circumstance"] = str(exchange.circumstance)
        return row

    def _references(self, exchange: Exchange) -> dict[str, Any]:
        """The numbers of the exchanges that this one is compared with, which are written when they were not yet."""
        row: dict[str, Any] = {}
        for name, other in (("before", exchange.before), ("alone", exchange.alone)):
            if other:
                row[name] = self.add(other, judged=False)
        if exchange.beside:
            row["beside"] = [self.add(other, judged=False) for other in exchange.beside]
        return row

    def _request(self, exchange: Exchange) -> list[int]:
        return [self._blobs.number(part) for part in (exchange.request.head, exchange.request.body)]

    def _answer(self, answer: Answer) -> list[Any]:
        """The status or the silence, then the bytes in one part or two, then what cannot be read from the bytes."""
        if isinstance(answer, NoAnswer):
            return [str(answer.kind), self._blobs.number(answer.wire), answer.detail]
        head = answer.wire.removesuffix(answer.body) if answer.body else answer.wire
        parts = [self._blobs.number(head), self._blobs.number(answer.wire[len(head) :])]
        oddities = {"faults": list(answer.faults), "interim": list(answer.interim), "closes": answer.closes}
        kept = {name: value for name, value in oddities.items() if value}
        return [answer.status, *parts, *([kept] if kept else [])]
