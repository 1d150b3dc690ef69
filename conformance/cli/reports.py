"""The commands that work on reports: compare, trend, matrix, waive."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.options import positive
from conformance.mistake import OperatorMistake

if TYPE_CHECKING:
    from conformance.waivers import Waiver

_FAIL_ON = ("regressed", "failing", "gone")
_REPORT = "a folder with a report, or its report.json"


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_compare(commands.add_parser("compare", help="say what changed between two reports, and why"))
    _add_trend(commands.add_parser("trend", help="say how targets came along, from all reports in a folder"))
    _add_matrix(commands.add_parser("matrix", help="put the reports of several implementations side by side"))
    _add_waive(commands.add_parser("waive", help="draft a waivers file for what failed in a report"))


def add_waivers(parser: argparse.ArgumentParser) -> None:
    """The option of the commands that judge."""
    parser.add_argument(
        "--waivers", type=Path, metavar="FILE", help="failures that --gate lets pass for a while (TOML)"
    )


def waivers(options: argparse.Namespace) -> tuple[Waiver, ...]:
    """The waivers that a command line names. Raises OperatorMistake."""
    from conformance.waivers import load

    return load(options.waivers) if options.waivers else ()


def today() -> date:
    """The day, in UTC: what everything is told that depends on it."""
    return datetime.now(UTC).date()


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", type=Path, help=_REPORT)
    parser.add_argument("new", type=Path, help=_REPORT)
    parser.add_argument(
        "--fail-on", action="append", default=[], choices=_FAIL_ON, help="exit 1 when there is any such clause"
    )
    _add_files(parser)
    parser.set_defaults(command=_compare)


def _add_trend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="every report below it is read")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it here as well")
    parser.set_defaults(command=_trend)


def _add_matrix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT", help=_REPORT)
    parser.add_argument(
        "--section", action="append", default=[], help="show all clauses of it; default those that tell"
    )
    _add_files(parser)
    parser.set_defaults(command=_matrix)


def _add_waive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, help=_REPORT)
    parser.add_argument("--owner", required=True, metavar="NAME", help="who answers for it")
    parser.add_argument("--days", required=True, type=positive, metavar="N", help="how long it holds, from today")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a new file; default standard output")
    parser.set_defaults(command=_waive)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it here as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it here as well")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it here as a page as well")


def _compare(options: argparse.Namespace) -> int:
    """0, or 1 when there is anything that --fail-on names."""
    from conformance.compare import compare
    from conformance.report import comparison, html

    found = compare(options.old, options.new)
    _write_files(
        options, comparison.markdown(found), comparison.to_document(found), lambda: html.render_comparison(found)
    )
    comparison.show(found)
    return int(any(comparison.GATES[name](found) for name in options.fail_on))


def _trend(options: argparse.Namespace) -> int:
    """Always 0: a trend is no verdict."""
    from conformance import trend

    found = trend.trend(options.folder)
    if options.markdown:
        _write(options.markdown, trend.markdown(found))
    trend.show(found)
    return 0


def _matrix(options: argparse.Namespace) -> int:
    """Always 0: whoever is compared was judged before."""
    from conformance.matrix import check, side_by_side
    from conformance.report import html, matrix

    found = side_by_side(options.reports)
    check(found, options.section)
    _write_files(options, matrix.markdown(found), matrix.to_document(found), lambda: html.render_matrix(found))
    matrix.show(found, options.section)
    return 0


def _waive(options: argparse.Namespace) -> int:
    """Always 0; a file that is there already is left alone."""
    from conformance.report import waiving, written
    from conformance.waivers import until

    if not options.owner.strip():
        raise OperatorMistake("--owner: somebody has to answer for it")
    text = waiving.draft(written.load(options.report), options.owner, until(today(), options.days))
    if options.out:
        _write(options.out, text, mode="x")
    print(f"wrote {options.out}; say why in each reason" if options.out else text, end="\n" if options.out else "")  # noqa: T201
    return 0


def _write_files(options: argparse.Namespace, markdown: str, document: dict[str, Any], page: Callable[[], str]) -> None:
    if options.markdown:
        _write(options.markdown, markdown)
    if options.json:
        _write(options.json, json.dumps(document, indent=2) + "\n")
    if options.html:
        _write(options.html, page())


def _write(path: Path, text: str, mode: str = "w") -> None:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OperatorMistake(f"{path}: this file cannot be written: {error.strerror or error}") from None
