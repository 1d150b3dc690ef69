"""The command line: judge a target, serve the reference, list and explain what the suite knows.

Each module here adds its commands to the parser. What does the work is imported when a command is run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from conformance import __version__
from conformance.cli import certifying, challenges, judging, knowledge, reference, reports, requirements, targets
from conformance.mistake import OperatorMistake

EXIT_MISTAKE, EXIT_STOPPED = 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code; a mistake of the operator is one sentence on standard error and 2."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except OperatorMistake as mistake:
        print(f"conformance: {mistake}", file=sys.stderr)  # noqa: T201
        return EXIT_MISTAKE
    except KeyboardInterrupt:
        print("conformance: stopped before anything was judged", file=sys.stderr)  # noqa: T201
        return EXIT_STOPPED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_MISTAKE


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``command`` of what it parses is the function to call."""
    whole = argparse.ArgumentParser(
        prog="conformance",
        description="Judges whether an implementation of DetectAnomalies keeps the contract.",
        epilog="Exit codes of run: 0 conformant, 1 non-conformant, 2 operator's mistake, 3 indeterminate, 4 partial.",
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for room in (judging, targets, reference, reports, knowledge, requirements, challenges, certifying):
        room.add_to(commands)
    return whole
