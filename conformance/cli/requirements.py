"""The commands about what certificates demand: requirements, upgrade-preview."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import say


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_requirements(commands.add_parser("requirements", help="show the requirement sets that certificates name"))
    _add_preview(
        commands.add_parser("upgrade-preview", help="say what a requirement set would find in the evidence of a run")
    )


def _add_requirements(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True, metavar="list|show|diff")
    kinds.add_parser("list", help="list all sets").set_defaults(command=_list)
    show = kinds.add_parser("show", help="show all that a set demands")
    show.add_argument("set", metavar="ID", help="such as full-1, or full for the newest")
    show.set_defaults(command=_show)
    diff = kinds.add_parser("diff", help="say what one set demands otherwise than another")
    diff.add_argument("old", metavar="A")
    diff.add_argument("new", metavar="B")
    diff.set_defaults(command=_diff)


def _add_preview(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, help="a folder with a report and its evidence, or its report.json")
    parser.add_argument(
        "--set",
        metavar="ID",
        help="such as core-1, or core for the newest; default the newest of the certificate's name",
    )
    parser.set_defaults(command=_preview)


def _list(_: argparse.Namespace) -> int:
    from conformance.certification import listing
    from conformance.certification.requirements import available, load

    say(*(listing.in_short(load(each)) for each in available()))
    return 0


def _show(options: argparse.Namespace) -> int:
    from conformance.certification import listing
    from conformance.certification.requirements import find

    say(*listing.in_full(find(options.set)))
    return 0


def _diff(options: argparse.Namespace) -> int:
    """Always 0: that sets differ is nobody's fault."""
    from conformance.certification import listing
    from conformance.certification.requirements import diff, find

    old, new = find(options.old), find(options.new)
    lines = list(listing.differences(diff(old, new)))
    say(*lines or [f"{old.id} and {new.id} demand the same"])
    return 0


def _preview(options: argparse.Namespace) -> int:
    """0 when the evidence fulfils the set, else 1."""
    from conformance.certification import listing
    from conformance.certification.preview import newest_for, preview
    from conformance.certification.requirements import find

    folder = options.report.parent if options.report.name == "report.json" else options.report
    found = preview(folder, find(options.set) if options.set else newest_for(folder))
    say(*listing.foresight(found))
    return 0 if found.fulfilled else 1
