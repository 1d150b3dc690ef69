"""Renews what is committed in this folder: the reference's report, and the picture of a run in the README.

Run it after a change that alters either; a test compares. Times and ports are left out, so only meaning differs.
"""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

from rich.console import Console

from conformance import run, selftest
from conformance.in_process import Server
from conformance.reference.app import HONEST, Behaviour
from conformance.report import markdown, terminal
from conformance.report.record import Report
from conformance.strains import behaviour_of

HERE = Path(__file__).parent
SHOWN = "mask-is-one-pixel-too-narrow"
"""The mutant whose run the picture shows."""


def judged(behaviour: Behaviour = HONEST, name: str = "reference") -> Report:
    """The report on a behaviour, judged in this process, without anything that differs from run to run."""
    target = replace(selftest.reference(), name=name)
    report, _ = run.prepare(target).against(Server(behaviour)).go()
    return replace(report, seconds=0.0, started="at any time")


def picture() -> str:
    """The terminal's view of a run against a faulty server, as SVG."""
    behaviour, _ = behaviour_of(SHOWN, None)
    console = Console(record=True, file=StringIO(), width=118, force_terminal=True, highlight=False)
    terminal.show(judged(behaviour, "faulty"), Path("reports/faulty"), console)
    return console.export_svg(title="conformance run", unique_id="run")


def files() -> dict[str, str]:
    """What belongs into this folder: name to content."""
    return {"report.md": markdown.render(judged()), "terminal.svg": picture()}


if __name__ == "__main__":
    for file, content in files().items():
        (HERE / file).write_text(content, encoding="utf-8")
