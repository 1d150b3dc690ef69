"""The matrix for people and programs: on a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance import __version__
from conformance.clients.matrix import Cell, Matrix
from conformance.clients.said import Raised, Result, Said
from conformance.clients.table import CLIENTS, SCENARIOS
from conformance.clients.verdict import Outcome
from conformance.mistake import OperatorMistake
from conformance.report.markdown import code, plain
from conformance.report.visible import visible

SCHEMA = "urn:detect-anomalies-conformance:clients:1"
FILES = ("clients.json", "clients.md")
MARKS = {Outcome.READ: "✓", Outcome.MISREAD: "✗", Outcome.CRASHED: "✗✗", Outcome.NOT_RUN: "–"}

_STYLES = {Outcome.READ: "green", Outcome.MISREAD: "red", Outcome.CRASHED: "bold red", Outcome.NOT_RUN: "dim"}
_TITLES = {scenario.id: scenario.title for scenario in SCENARIOS}
_NAMES = {client.id: client.title for client in CLIENTS}
_SHORT = 60


def brief(cell: Cell) -> str:
    """What the client said, in a few words."""
    if cell.outcome is Outcome.NOT_RUN:
        return "not run"
    if isinstance(cell.said, Result):
        found = cell.said.members
        parts = [" ".join(found[name].shown[:6] for name in ("IsAnomalous", "Confidence") if name in found)]
        parts += [f"{len(found['Anomalies'].entries)} anomalies"] if "Anomalies" in found else []
        parts += [f"mask {found['AnomalyMask']}"] if "AnomalyMask" in found else []
        return _tried(", ".join(filter(None, parts)) or "an empty result", cell)
    if isinstance(cell.said, Raised):
        name = cell.said.name.removesuffix("Exception") or "an error without a name"
        return _tried(name if cell.said.service else cell.said.kind, cell)
    return _tried(cell.verdict.reason, cell)


def _tried(text: str, cell: Cell) -> str:
    return f"{text}, {cell.attempts} tries" if (cell.attempts or 1) > 1 else text


def summary(matrix: Matrix) -> str:
    """How many cells came to what."""
    return ", ".join(f"{matrix.count(outcome)} {outcome}" for outcome in Outcome)


def show(matrix: Matrix, folder: Path, console: Console | None = None) -> None:
    """Print the matrix, then in full what was not read and why, and where the files are."""
    console = console or Console(highlight=False)
    console.print(_table(matrix))
    for outcome, told in complaints(matrix):
        console.print(Text(f"  | {visible(told, 600)}", _STYLES[outcome]), soft_wrap=True)
    for client, name in matrix.clients.items():
        console.print(Text(f"  {_NAMES[client]}: {visible(name, 400)}"), soft_wrap=True)
    console.print(Text(f"clients of {visible(matrix.target.name)}: {summary(matrix)}"), soft_wrap=True)
    console.print(Text(f"report: {folder}"), soft_wrap=True)


def _table(matrix: Matrix) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("scenario")
    for client in matrix.clients:
        table.add_column(_NAMES[client], overflow="fold")
    for scenario, cells in _rows(matrix):
        table.add_row(_TITLES[scenario], *map(_shown, cells))
    return table


def _shown(cell: Cell) -> Text:
    text = brief(cell).replace("ResourceNotFound", "NotFound")  # it fits into 80 columns
    return Text(f"{MARKS[cell.outcome]} {visible(text, _SHORT)}", _STYLES[cell.outcome])


def _rows(matrix: Matrix) -> Iterator[tuple[str, list[Cell]]]:
    found = {(cell.scenario, cell.client): cell for cell in matrix.cells}
    for scenario in matrix.wire:
        yield scenario, [found[scenario, client] for client in matrix.clients]


def write(matrix: Matrix, folder: Path) -> None:
    """Write ``clients.json`` and ``clients.md`` into a folder. Raises OperatorMistake."""
    texts = dict(zip(FILES, (json.dumps(to_document(matrix), indent=2) + "\n", to_markdown(matrix)), strict=True))
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperatorMistake(f"{folder}: the matrix cannot be written: {error}") from None


def to_document(matrix: Matrix) -> dict[str, Any]:
    """The whole matrix as JSON-able data."""
    return {
        "schema": SCHEMA,
        "suite": {"version": __version__},
        "target": {"name": matrix.target.name, "version": matrix.target.version, "url": matrix.target.url},
        "started": matrix.started,
        "seconds": round(matrix.seconds, 3),
        "counts": {str(outcome): matrix.count(outcome) for outcome in Outcome},
        "clients": [{"id": key, "title": _NAMES[key], "is": visible(name)} for key, name in matrix.clients.items()],
        "scenarios": [{"id": key, "title": _TITLES[key], "wire": visible(wire)} for key, wire in matrix.wire.items()],
        "cells": [_cell(cell) for cell in matrix.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "client": cell.client,
        "scenario": cell.scenario,
        "outcome": str(cell.outcome),
        "reason": visible(cell.verdict.reason),
        "attempts": cell.attempts,
        **_said(cell.said),
    }


def _said(said: Said | None) -> dict[str, Any]:
    if isinstance(said, Result):
        members = {
            visible(name): {"type": visible(each.type), "is": visible(str(each)), "png": each.png}
            for name, each in said.members.items()
        }
        return {"status": said.status, "returned": members}
    if isinstance(said, Raised):
        raised = {"class": said.kind, "name": said.name, "message": said.message}
        told = {key: visible(text) for key, text in raised.items()}
        return {"status": said.status, "raised": told | {"service": said.service, "typed": said.typed}}
    return {}


def to_markdown(matrix: Matrix) -> str:
    """The matrix as Markdown, ended by a newline."""
    return "\n".join(_lines(matrix)) + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    target = matrix.target
    yield f"# Clients of {plain(target.name)} {plain(target.version)}".rstrip()
    yield ""
    yield f"{code(target.url)}, begun {matrix.started}, {matrix.seconds:.1f} s; suite {__version__}."
    yield f"Of {len(matrix.cells)} calls: {summary(matrix)}."
    yield ""
    yield "| scenario | on the wire | " + " | ".join(_NAMES[client] for client in matrix.clients) + " |"
    yield "| --- | --- |" + " --- |" * len(matrix.clients)
    for scenario, cells in _rows(matrix):
        shown = (f"{MARKS[cell.outcome]} {plain(visible(brief(cell), 200))}" for cell in cells)
        yield f"| {_TITLES[scenario]} | {plain(visible(matrix.wire[scenario], 200))} | {' | '.join(shown)} |"
    yield ""
    yield "✓ read, ✗ misread, ✗✗ crashed, – not run."
    yield ""
    for client, name in matrix.clients.items():
        yield f"- {_NAMES[client]}: {plain(name)}"
    if wrong := complaints(matrix):
        yield ""
        yield "## Not read"
        yield ""
    for _, told in wrong:
        yield f"- {plain(told)}"


def complaints(matrix: Matrix) -> list[tuple[Outcome, str]]:
    """What was not read and why, each with the clients and the scenarios where it was so."""
    found: dict[tuple[str, Outcome, str], list[str]] = {}
    for cell in matrix.cells:
        if cell.outcome is not Outcome.READ and cell.verdict.reason != matrix.clients[cell.client]:
            found.setdefault((cell.client, cell.outcome, cell.verdict.reason), []).append(_TITLES[cell.scenario])
    alike: dict[tuple[Outcome, str, str], list[str]] = {}
    for (client, outcome, reason), titles in found.items():
        alike.setdefault((outcome, reason, "; ".join(titles)), []).append(_NAMES[client])
    return [
        (outcome, f"{outcome} by {', '.join(names)} ({titles}): {reason}")
        for (outcome, reason, titles), names in alike.items()
    ]
