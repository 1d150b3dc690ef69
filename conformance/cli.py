"""The command line: judge a target, serve the reference, list and explain what the suite knows."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from conformance import __version__
from conformance.mistake import OperatorMistake

EXIT_MISTAKE = 2

_SCENES = ("classification", "segmentation", "missing-project", "missing-version", "stopped")
_KINDS = ("clauses", "rules", "cases", "mutants", "variants")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code; a mistake of the operator is one sentence on standard error and 2."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except OperatorMistake as mistake:
        print(f"conformance: {mistake}", file=sys.stderr)  # noqa: T201
        return EXIT_MISTAKE
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_MISTAKE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="conformance",
        description="Judges whether an implementation of DetectAnomalies keeps the contract.",
        epilog="Exit codes of run: 0 conformant, 1 non-conformant, 2 operator's mistake, 3 indeterminate, 4 partial.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="judge a target; without one, the bundled reference"))
    _add_serve(commands.add_parser("serve", help="serve the reference, or one of its mutants or variants"))
    listing = commands.add_parser("list", help="list what the suite knows")
    listing.add_argument("kind", nargs="?", choices=_KINDS, default="clauses")
    listing.set_defaults(command=_list)
    explain = commands.add_parser("explain", help="say what a clause, rule, case, mutant or variant is")
    explain.add_argument("id")
    explain.set_defaults(command=_explain)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", help="scheme, host and port of the target")
    parser.add_argument("--target", type=Path, metavar="FILE", help="a target file (TOML) that declares everything")
    for scene in _SCENES:
        parser.add_argument(f"--{scene}", metavar="PROJECT/VERSION", help=f"the {scene.replace('-', ' ')} scene")
    parser.add_argument("--image", metavar="WIDTHxHEIGHT", help="the only image size that the models take")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here")
    parser.add_argument("--seed", default="0", help="seed of whatever is drawn; default 0")
    parser.add_argument("--only", action="append", default=[], metavar="SECTION|CLAUSE", help="judge this alone")
    parser.add_argument(
        "--format",
        action="append",
        choices=["json", "junit", "markdown"],
        help="write this beside report.json; default all",
    )
    parser.add_argument("--gate", action="store_true", help="exit 0 when nothing unlisted failed, even if partial")
    parser.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    parser.set_defaults(command=_run)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    strain = parser.add_mutually_exclusive_group()
    strain.add_argument("--mutant", metavar="ID", help="the reference with this fault")
    strain.add_argument("--variant", metavar="ID", help="the reference with this freedom")
    parser.set_defaults(command=_serve)


def _run(options: argparse.Namespace) -> int:
    from conformance import run
    from conformance.report import gate, terminal
    from conformance.report.visible import visible
    from conformance.targets import from_options, reference_target

    with ExitStack() as stack:
        if options.target or options.url:
            target = from_options(options.target, options.url, _declared(options), options.image)
        else:
            if any(_declared(options).values()) or options.image:
                raise OperatorMistake("scenes are declared, but there is no URL to judge")
            target = stack.enter_context(reference_target())
        prepared = run.prepare(target, only=tuple(options.only), seed=options.seed)
        folder = options.out or default_folder(target.name)
        if not options.quiet:
            print(visible(str(prepared)), file=sys.stderr, flush=True)  # noqa: T201
        with terminal.progress(prepared.planned, quiet=options.quiet) as on_progress:
            report, _ = prepared.go(on_progress)
    run.write_all(report, folder, tuple(name for name in options.format or run.FORMATS if name != "json"))
    if not options.quiet:
        terminal.show(report, folder)
    return gate.exit_code(report, gate=options.gate)


def _declared(options: argparse.Namespace) -> dict[str, str]:
    given = {scene: getattr(options, scene.replace("-", "_")) for scene in _SCENES}
    return {scene: text for scene, text in given.items() if text}


def default_folder(name: str) -> Path:
    """``reports/<target>/<time>`` below the working directory, the name reduced to safe characters."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "target"
    return Path("reports") / safe[:80] / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def _serve(options: argparse.Namespace) -> int:
    from conformance.reference.server import serve_forever
    from conformance.strains import behaviour_of

    behaviour, summary = behaviour_of(options.mutant, options.variant)
    try:
        serve_forever(behaviour, options.host, options.port, lambda url: _say(f"serving {summary} at {url}"))
    except (OSError, OverflowError) as error:
        raise OperatorMistake(f"cannot listen on {options.host}:{options.port}: {error}") from None
    return 0


def _list(options: argparse.Namespace) -> int:
    from conformance import catalog

    for line in catalog.listing(options.kind):
        _say(line)
    return 0


def _explain(options: argparse.Namespace) -> int:
    from conformance import catalog

    for line in catalog.explanation(options.id):
        _say(line)
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
