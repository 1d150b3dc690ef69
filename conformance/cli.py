"""The command line: judge a target, serve the reference, list and explain what the suite knows."""

from __future__ import annotations

import argparse
import dataclasses
import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from conformance import __version__
from conformance.mistake import OperatorMistake

EXIT_MISTAKE, EXIT_STOPPED = 2, 3

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
    except KeyboardInterrupt:
        print("conformance: stopped before anything was judged", file=sys.stderr)  # noqa: T201
        return EXIT_STOPPED
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
    _add_replay(commands.add_parser("replay", help="send what a report found again"))
    _add_selftest(commands.add_parser("selftest", help="judge the suite by its own mutants and variants"))
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
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="standard", help="default standard")
    parser.add_argument("--examples", type=_positive, metavar="N", help="explore as many requests, whatever the depth")
    parser.add_argument("--minutes", type=float, metavar="M", help="explore that long, whatever the depth")
    parser.add_argument("--seed", help="seed of whatever is drawn; default 0, and for deep runs a fresh one")
    parser.add_argument("--known-first", action="store_true", help="begin with the requests that failed before")
    parser.add_argument("--no-shrink", action="store_true", help="send nothing more to make findings smaller")
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


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, help="a folder with a report, or its report.json")
    parser.add_argument("id", nargs="?", help="one failure, such as mask.size-1; default all")
    parser.add_argument("--url", help="send to another base URL")
    parser.set_defaults(command=_replay)


def _add_selftest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="quick", help="default quick")
    parser.add_argument("--http", action="store_true", help="over sockets instead of in this process")
    parser.add_argument("--only", metavar="ID", help="one mutant or variant")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here as well")
    parser.set_defaults(command=_selftest)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    strain = parser.add_mutually_exclusive_group()
    strain.add_argument("--mutant", metavar="ID", help="the reference with this fault")
    strain.add_argument("--variant", metavar="ID", help="the reference with this freedom")
    parser.set_defaults(command=_serve)


def _run(options: argparse.Namespace) -> int:
    from conformance import run
    from conformance.exploration import DEPTHS, Depth
    from conformance.known import Known
    from conformance.report import gate, terminal
    from conformance.report.visible import visible
    from conformance.targets import from_options, reference_target

    with ExitStack() as stack:
        if options.target or options.url or _declared(options) or options.image:
            target = from_options(options.target, options.url, _declared(options), options.image)
        else:
            target = stack.enter_context(reference_target())
        depth = Depth.of(options.depth, examples=options.examples, minutes=options.minutes)
        prepared = run.prepare(
            target,
            only=tuple(options.only),
            seed=options.seed or (_fresh_seed() if depth.requests > DEPTHS["standard"].requests else "0"),
            depth=depth,
            shrink=not options.no_shrink,
        )
        folder = options.out or default_folder(target.name)
        run.make_room(folder)
        known = Known((options.out or folder.parent) / "known", target.name)
        if options.known_first:
            prepared = prepared.beginning_with(known.cases())
        if not options.quiet:
            print(visible(f"judging {prepared}"), file=sys.stderr, flush=True)  # noqa: T201
        with terminal.progress(prepared.planned, quiet=options.quiet) as on_progress:
            report, _ = prepared.go(on_progress)
    known.keep(report)
    run.write_all(report, folder, tuple(name for name in options.format or run.FORMATS if name != "json"))
    if not options.quiet:
        terminal.show(report, folder)
    return gate.exit_code(report, gate=options.gate)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _fresh_seed() -> str:
    return str(secrets.randbits(48))


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


def _replay(options: argparse.Namespace) -> int:
    """0 when nothing fails any more, 1 when something still does."""
    from conformance import replay
    from conformance.report import document
    from conformance.report.visible import visible
    from conformance.run import opener_for

    folder = options.report.parent if options.report.name == "report.json" else options.report
    target = replay.target_of(document.load(folder / "report.json"))
    target = dataclasses.replace(target, url=options.url) if options.url else target
    still = 0
    for each in replay.replay(folder, options.id, opener_for(target), target):
        still += bool(each.still)
        _say(visible(f"{each.id}: still fails: expected {each.still}" if each.still else f"{each.id}: fails no longer"))
    return 1 if still else 0


def _selftest(options: argparse.Namespace) -> int:
    """0 when every mutant is caught and no variant accused, 1 otherwise."""
    from conformance import selftest

    return selftest.command(options.depth, http=options.http, only=options.only, file=options.markdown)


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
