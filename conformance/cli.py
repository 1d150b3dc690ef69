"""The command line: judge a target, serve the reference, list and explain what the suite knows."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import __version__, afterwards
from conformance.mistake import OperatorMistake

if TYPE_CHECKING:
    from conformance.report.record import Report

EXIT_MISTAKE, EXIT_STOPPED = 2, 3

_SCENES = ("classification", "segmentation", "missing-project", "missing-version", "stopped")
_CLIENTS = ("boto3", "aws-cli", "js-v3", "js-v2")
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
    _add_doctor(commands.add_parser("doctor", help="look whether a target is there, and what its file says"))
    _add_init(commands.add_parser("init", help="write a target file to begin with"))
    _add_serve(commands.add_parser("serve", help="serve the reference, or one of its mutants or variants"))
    _add_replay(commands.add_parser("replay", help="send what a report found again"))
    _add_judge(commands.add_parser("judge", help="judge the evidence of a run again, without its target"))
    _add_proxy(commands.add_parser("proxy", help="sit between clients and an implementation, and judge what passes"))
    _add_selftest(commands.add_parser("selftest", help="judge the suite by its own mutants and variants"))
    _add_clients(commands.add_parser("clients", help="drive the real AWS clients against a target"))
    _add_train(commands.add_parser("train", help="train a model of the reference on photographs"))
    afterwards.add_to(commands, _positive)
    listing = commands.add_parser("list", help="list what the suite knows")
    listing.add_argument("kind", nargs="?", choices=_KINDS, default="clauses")
    listing.set_defaults(command=_list)
    explain = commands.add_parser("explain", help="say what a clause, rule, case, mutant or variant is")
    explain.add_argument("id")
    explain.set_defaults(command=_explain)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_target(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here")
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="standard", help="default standard")
    parser.add_argument("--examples", type=_positive, metavar="N", help="explore as many requests, whatever the depth")
    parser.add_argument("--minutes", type=_minutes, metavar="M", help="explore that long, whatever the depth")
    parser.add_argument("--seed", help="seed of whatever is drawn; default 0, and for deep runs a fresh one")
    parser.add_argument("--known-first", action="store_true", help="begin with the requests that failed before")
    parser.add_argument("--no-shrink", action="store_true", help="send nothing more to make findings smaller")
    parser.add_argument("--only", action="append", default=[], metavar="SECTION|CLAUSE", help="judge this alone")
    parser.add_argument(
        "--format",
        action="append",
        choices=["json", "junit", "markdown", "html"],
        help="write this beside report.json; default all",
    )
    parser.add_argument("--no-evidence", action="store_true", help="keep no record of what was sent and answered")
    parser.add_argument("--gate", action="store_true", help="exit 0 when nothing unlisted failed, even if partial")
    parser.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    afterwards.add_waivers(parser)
    parser.set_defaults(command=_run)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, help="a folder with a report, or its report.json")
    parser.add_argument("id", nargs="?", help="one failure, such as mask.size-1; default all")
    parser.add_argument("--url", help="send to another base URL")
    parser.set_defaults(command=_replay)


def _add_proxy(parser: argparse.ArgumentParser) -> None:
    _add_target(parser)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090, help="where clients find it; default 8090")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report and evidence here")
    parser.set_defaults(command=_proxy)


def _add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("evidence", type=Path, help="a folder that a run has written, or an HTTP archive (.har)")
    parser.add_argument("--target", type=Path, metavar="FILE", help="the target file, for an archive")
    parser.add_argument("--har", type=Path, metavar="FILE", help="write the exchanges as an HTTP archive")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here; default nowhere")
    parser.add_argument("--gate", action="store_true", help="exit 0 when nothing unlisted failed, even if partial")
    parser.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    afterwards.add_waivers(parser)
    parser.set_defaults(command=_judge)


def _add_selftest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="quick", help="default quick")
    parser.add_argument("--http", action="store_true", help="over sockets instead of in this process")
    parser.add_argument("--only", metavar="ID", help="one mutant or variant")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here as well")
    parser.set_defaults(command=_selftest)


def _add_clients(parser: argparse.ArgumentParser) -> None:
    _add_target(parser)
    parser.add_argument("--client", action="append", default=[], choices=_CLIENTS, help="drive this one; default all")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where clients are installed; default this user's")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write clients.json and clients.md here")
    parser.set_defaults(command=_clients)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    _add_target(parser)
    parser.set_defaults(command=_doctor)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="scheme, host and port of the target")
    for scene in _SCENES:
        parser.add_argument(f"--{scene}", metavar="PROJECT/VERSION", help=f"the {scene.replace('-', ' ')} scene")
    parser.add_argument("--out", type=Path, default=Path("target.toml"), metavar="FILE", help="default target.toml")
    parser.set_defaults(command=_init)


def _add_target(parser: argparse.ArgumentParser) -> None:
    """The options that name a target."""
    parser.add_argument("url", nargs="?", help="scheme, host and port of the target")
    parser.add_argument("--target", type=Path, metavar="FILE", help="a target file (TOML) that declares everything")
    for scene in _SCENES:
        parser.add_argument(f"--{scene}", metavar="PROJECT/VERSION", help=f"the {scene.replace('-', ' ')} scene")
    parser.add_argument("--image", metavar="WIDTHxHEIGHT", help="the only image size that the models take")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="normal images, or folders normal and anomaly with images")
    parser.add_argument("--project", required=True, metavar="NAME", help="the project of the model")
    parser.add_argument("--version", type=_positive, metavar="N", help="the model's version; default the next")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks of the anomalies; implies --segmentation")
    parser.add_argument("--segmentation", action="store_true", help="the model returns masks")
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="where models are kept")
    parser.set_defaults(command=_train)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--auth", choices=["none", "sigv4"], default="none", help="who may ask; default everybody")
    parser.add_argument("--credentials", type=Path, metavar="FILE", help="the principals of --auth sigv4 (TOML)")
    parser.add_argument("--admin-port", type=int, metavar="PORT", help="offer /healthz and states here, on loopback")
    parser.add_argument(
        "--log-format", choices=["none", "text", "json"], default="text", help="default text, to stderr"
    )
    parser.add_argument("--workers", type=_positive, default=8, help="requests answered at a time; default 8")
    parser.add_argument("--queue", type=_positive, default=256, help="requests in progress before 429; default 256")
    parser.add_argument("--max-pixels", type=_positive, metavar="N", help="the most pixels that an image may have")
    strain = parser.add_mutually_exclusive_group()
    strain.add_argument("--models", type=Path, metavar="DIR", help="serve what `train` made; default the demo")
    strain.add_argument("--mutant", metavar="ID", help="the reference with this fault")
    strain.add_argument("--variant", metavar="ID", help="the reference with this freedom")
    parser.set_defaults(command=_serve)


def _run(options: argparse.Namespace) -> int:
    from conformance import run
    from conformance.exploration import DEPTHS, Depth
    from conformance.known import Known
    from conformance.report import gate, terminal
    from conformance.report.visible import visible
    from conformance.serving import bundled
    from conformance.targets import from_options

    waivers = afterwards.waivers(options)
    with ExitStack() as stack:
        if options.target or options.url or _declared(options) or options.image:
            target = from_options(options.target, options.url, _declared(options), options.image)
        else:
            target = stack.enter_context(bundled())
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
        with terminal.progress(None if options.minutes else prepared.planned, quiet=options.quiet) as on_progress:
            report, _ = prepared.go(on_progress, None if options.no_evidence else folder)
    report = report.waived_by(waivers, afterwards.today())
    known.keep(report)
    run.write_all(report, folder, tuple(name for name in options.format or run.FORMATS if name != "json"))
    if not options.quiet:
        terminal.show(report, folder)
    return gate.exit_code(report, gate=options.gate)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes above 0")
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


def _doctor(options: argparse.Namespace) -> int:
    """0 when all is as declared, 1 when something is not or could not be looked at, 3 when there is nobody."""
    from conformance import doctor
    from conformance.report.visible import visible
    from conformance.targets import from_options

    target = from_options(options.target, options.url, _declared(options), options.image)
    found = []
    for check in doctor.examine(target):
        found.append(check)
        _say(visible(f"{check.health:<8} {check.name}: {check.text}"))
    for clause, needs in doctor.unexercised(target):
        _say(f"{'':<8} {clause.level} {clause.id} will be unexercised; declare {needs}")
    if found[0].health is doctor.Health.BAD:
        return EXIT_STOPPED
    return int(any(check.health in (doctor.Health.BAD, doctor.Health.UNTRIED) for check in found))


def _init(options: argparse.Namespace) -> int:
    from conformance.starter import starter
    from conformance.targets import from_options

    declared = _declared(options) or {"classification": "PROJECT/1"}
    target = from_options(None, options.url, declared, None)
    target = target if _declared(options) else dataclasses.replace(target, scenes={})
    text = starter(target, options.out.name)
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OperatorMistake(f"{options.out}: this file cannot be made: {error.strerror}") from None
    _say(f"wrote {options.out}; next: conformance doctor --target {options.out}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from conformance import serving
    from conformance.reference.admin import administered
    from conformance.reference.server import Setup, serve_forever

    if (options.auth == "sigv4") != (options.credentials is not None):
        raise OperatorMistake("--auth sigv4 and --credentials FILE go together")
    behaviour, summary, store = serving.offer(options.mutant, options.variant, options.models, options.max_pixels)
    service = serving.guarded(store, options.credentials)
    log = serving.log(options.log_format)
    setup = Setup(service.behaviour(behaviour), store, options.workers, options.queue, log)
    with ExitStack() as stack:
        try:
            admin = []
            if options.admin_port is not None:
                admin = [f"states and health at {stack.enter_context(administered(service, options.admin_port))}"]
            serve_forever(
                setup, options.host, options.port, lambda url: _say_all(f"serving {summary} at {url}", *admin)
            )
        except (OSError, OverflowError) as error:
            raise OperatorMistake(f"cannot listen on {options.host}:{options.port}: {error}") from None
    return 0


def _replay(options: argparse.Namespace) -> int:
    """0 when nothing fails any more, 1 when something still does, else 3 when of something nothing can be said."""
    from conformance import replay
    from conformance.report import document
    from conformance.report.visible import visible
    from conformance.run import opener_for

    folder = options.report.parent if options.report.name == "report.json" else options.report
    target = replay.target_of(document.load(folder / "report.json"))
    target = dataclasses.replace(target, url=options.url) if options.url else target
    still = untold = False
    for each in replay.replay(folder, options.id, opener_for(target), target):
        still, untold = still or bool(each.still), untold or bool(each.untold)
        _say(visible(str(each)))
    return 1 if still else EXIT_STOPPED if untold else 0


def _judge(options: argparse.Namespace) -> int:
    """The exit codes of a run."""
    from conformance import har, run
    from conformance.evidence.rejudge import rejudged
    from conformance.report import gate, terminal

    waivers = afterwards.waivers(options)
    if options.evidence.suffix == ".har":
        report = _heard(options.evidence, options.target)
    else:
        report = rejudged(options.evidence)
        if options.har:
            har.convert(options.evidence, options.har)
    report = report.waived_by(waivers, afterwards.today())
    if options.out:
        run.write_all(report, options.out)
    if not options.quiet:
        terminal.show(report, options.out)
    return gate.exit_code(report, gate=options.gate)


def _heard(archive: Path, target: Path | None) -> Report:
    """The report on an HTTP archive."""
    from conformance import har
    from conformance.recorded import heard
    from conformance.target import Target, load

    started, spoken = har.load(archive)
    return heard(spoken, load(target) if target else Target(archive.name, "http://recorded.invalid"), started)


def _proxy(options: argparse.Namespace) -> int:
    """The exit codes of a run."""
    from conformance import proxy, run
    from conformance.report import gate, terminal
    from conformance.report.visible import visible
    from conformance.targets import from_options

    target = from_options(options.target, options.url, _declared(options), options.image)
    folder = options.out or default_folder(target.name)
    run.make_room(folder)
    try:
        report, unjudged = proxy.serve(target, options.host, options.port, lambda line: _say(visible(line)), folder)
    except OSError as error:
        raise OperatorMistake(f"cannot listen on {options.host}:{options.port}: {error}") from None
    run.write_all(report, folder)
    terminal.show(report, folder)
    if unjudged:
        _say(f"{unjudged} exchanges were passed on and not judged: there was no time for them")
    return gate.exit_code(report, gate=False)


def _selftest(options: argparse.Namespace) -> int:
    """0 when every mutant is caught and no variant accused, 1 otherwise."""
    from conformance import selftest

    return selftest.command(options.depth, http=options.http, only=options.only, file=options.markdown)


def _clients(options: argparse.Namespace) -> int:
    """0 when all was read, 1 when something was misread or crashed a client, 3 when no client ran."""
    from conformance.clients.command import REGION, command, declared_keys
    from conformance.serving import bundled
    from conformance.targets import from_options

    with ExitStack() as stack:
        if options.target or options.url or _declared(options) or options.image:
            target = from_options(options.target, options.url, _declared(options), options.image)
        else:
            target = stack.enter_context(bundled())
        folder = default_folder(target.name)
        out = options.out or folder.with_name(f"{folder.name}-clients")
        region = getattr(target.auth, "region", REGION)
        return command(target, options.client, options.cache, out, declared_keys(target), region)


def _train(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from conformance.reference.vision.photos import TrainingMistake
    from conformance.reference.vision.training import train
    from conformance.report.visible import visible

    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("learning", total=None)
        try:
            course = train(
                options.photos,
                project=options.project,
                version=options.version,
                masks=options.masks,
                segmentation=options.segmentation,
                models=options.models,
                on_progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        except TrainingMistake as mistake:
            raise OperatorMistake(str(mistake)) from None
    _say(visible(str(course)))
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


def _say_all(*lines: str) -> None:
    for line in lines:
        _say(line)


if __name__ == "__main__":
    sys.exit(main())
