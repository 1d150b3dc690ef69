"""The report on a terminal: live progress, then the failures, a summary by section, and the verdict.

Whatever a target said goes through ``visible`` and behind a bar, so that it can neither move the cursor nor speak to a
CI system that reads our output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from conformance import course
from conformance.contract.clauses import Level, catalogue
from conformance.contract.clients import breaches_of, in_short
from conformance.report.document import curl_line, script_name
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report, tally
from conformance.report.visible import visible

MOST_BETWEEN_LINES = 2000
"""Requests between two lines of progress, where there is no terminal for a bar."""
SHOWN = 10
"""Failed clauses that are shown in full; the rest is in the report."""

_STYLES = {
    Conclusion.CONFORMANT: "bold green",
    Conclusion.NON_CONFORMANT: "bold red",
    Conclusion.INDETERMINATE: "bold yellow",
    Conclusion.PARTIAL: "bold yellow",
}


@contextmanager
def progress(
    planned: int | None, *, quiet: bool, console: Console | None = None
) -> Iterator[Callable[[course.Progress], None]]:
    """A progress bar on a terminal, a line now and then elsewhere, nothing when quiet."""
    console = console or Console(file=sys.stderr)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task("judging", total=planned, state="")
            yield lambda at: bar.update(task, completed=at.seen, state=", ".join(_state(at)))
    else:
        yield _in_lines(max(1, min((planned or sys.maxsize) // 5, MOST_BETWEEN_LINES)), console)


def _in_lines(step: int, console: Console) -> Callable[[course.Progress], None]:
    started = time.monotonic()

    def say(at: course.Progress) -> None:
        if at.seen % step == 0:
            rate = at.seen / max(time.monotonic() - started, 0.001)
            far = f"{at.seen} of {at.planned} judged" if at.planned else f"{at.seen} judged"
            console.print(Text(", ".join([far, f"{rate:.0f}/s", *_state(at)])), soft_wrap=True)

    return say


def _state(at: course.Progress) -> Iterator[str]:
    yield f"{at.breached} with findings"
    yield f"{at.unexercised} clause{'' if at.unexercised == 1 else 's'} unexercised"
    if at.budget_left is not None:
        yield f"{at.budget_left} requests left of the budget"


class _Rate(ProgressColumn):
    """Requests a second, of late."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _Rate(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def show(report: Report, folder: Path | None, console: Console | None = None) -> None:
    """Print the report: failures first, then the sections, then the verdict and where the files are."""
    console = console or Console(highlight=False, soft_wrap=True)
    failed = [*report.failed(Level.MUST), *report.failed(Level.SHOULD)]
    for row in failed[:SHOWN]:
        _show_failure(console, row, report, folder)
    if len(failed) > SHOWN:
        console.print(f"... and {len(failed) - SHOWN} more clauses that failed, in the report\n")
    console.print(_sections(report))
    _show_gaps(console, report)
    verdict = Text(f"verdict on {visible(report.target.name)}: ").append(
        str(report.conclusion), _STYLES[report.conclusion]
    )
    console.print(verdict.append(f" ({visible(report.reason)})"))
    if folder:
        console.print(Text(f"report: {folder}"))


def _show_failure(console: Console, row: ClauseRow, report: Report, folder: Path | None) -> None:
    style = "red" if row.clause.level is Level.MUST else "yellow"
    mark = "known failure" if row.known else "waived failure" if report.waiver_of(row) else "failed"
    console.print(Text(f"{row.clause.level} {row.clause.id} {mark}: {row.breached} of {row.judged} exchanges", style))
    failure = row.failures[0]
    lines = {
        "requirement": row.clause.requirement,
        "case": f"{failure.case}, {failure.finding.where}",
        "expected": failure.finding.expected,
        "actual": failure.finding.actual,
    }
    if breaches := breaches_of(row.clause.id):
        lines["breaks"] = in_short(breaches)
    if folder and failure.connections:
        lines["repeat"] = f"python {folder / script_name(failure)}"
    if folder and (line := curl_line(failure, report.target.url)):
        lines["or"] = f"cd {folder} && {line}"
    for label, text in lines.items():
        console.print(Text(f"  | {label:<11} {visible(text, 3000)}"))
    console.print()


def _sections(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("section")
    for title in tally(()):
        table.add_column(title, justify="right")
    for section, title in catalogue().sections.items():
        rows = [row for row in report.rows if row.clause.section == section]
        if rows:
            table.add_row(title, *map(_number, tally(rows).values()))
    return table


def _number(count: int) -> str:
    return str(count) if count else "."


def _show_gaps(console: Console, report: Report) -> None:
    gaps = [row for row in report.rows if row.outcome is Outcome.UNEXERCISED and row.reason != "deselected"]
    console.print()
    for row in gaps:
        console.print(Text(f"  unexercised {row.clause.id}: {visible(row.reason)}"))
    if report.course.echoes:
        console.print(Text(f"  credentials: {report.credentials}"))
    for note in report.undeclared:
        console.print(Text(f"  not declared: {note}"))
    for name in report.stale:
        console.print(Text(f"  stale: {name} is listed as a known failure and does not fail"))
    for waived in report.waivers:
        console.print(Text(f"  waiver {visible(str(waived))}"))
    if report.course.unsteady:
        console.print(Text(f"  unsteady: {len(report.course.unsteady)} requests were answered only when sent again"))
    if report.course.throttled:
        console.print(Text(f"  throttled: {report.course.throttled} times, obeyed and tried again"))
    if gaps or report.stale or report.waivers or report.undeclared:
        console.print()
