"""The commands that tell what the suite knows: list and explain."""

from __future__ import annotations

import argparse
from typing import Any

from conformance.cli.options import say

KINDS = ("clauses", "rules", "cases", "mutants", "variants")


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    listing = commands.add_parser("list", help="list what the suite knows")
    listing.add_argument("kind", nargs="?", choices=KINDS, default="clauses")
    listing.set_defaults(command=_list)
    explain = commands.add_parser("explain", help="say what a clause, rule, case, mutant or variant is")
    explain.add_argument("id")
    explain.set_defaults(command=_explain)


def _list(options: argparse.Namespace) -> int:
    from conformance import catalog

    say(*catalog.listing(options.kind))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from conformance import catalog

    say(*catalog.explanation(options.id))
    return 0
