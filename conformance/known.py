"""Requests that have failed before, kept in a Hypothesis example database below the report directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from conformance.exchange import Case
from conformance.report.record import Report

MOST_BYTES = 262_144
"""Requests larger than this are not kept."""


class Known:
    """The failing requests of one target."""

    def __init__(self, folder: Path, target: str) -> None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        self._database = DirectoryBasedExampleDatabase(folder)
        self._key = b"conformance:" + target.encode()

    def cases(self) -> Iterator[Case]:
        """The requests kept, in a stable order. What cannot be read any more is forgotten."""
        from conformance.replay import read_case

        for number, value in enumerate(sorted(self._database.fetch(self._key)), 1):
            try:
                yield read_case(json.loads(value), f"known.{number}")
            except (ValueError, KeyError, TypeError, RecursionError):
                self._database.delete(self._key, value)

    def keep(self, report: Report) -> None:
        """Keep the single requests that a report's failures show."""
        from conformance.replay import written_case

        for row in report.rows:
            for failure in row.failures:
                if len(failure.connections) == 1 and len(failure.connections[0]) == 1:
                    value = json.dumps(written_case(failure.connections[0][0]), sort_keys=True).encode()
                    if len(value) <= MOST_BYTES:
                        self._database.save(self._key, value)
