"""The commands that judge: run, judge, merge, proxy, replay."""

from __future__ import annotations

import argparse
import dataclasses
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli import reports
from conformance.cli.options import (
    EXIT_INDETERMINATE,
    FORMATS,
    add_target,
    default_folder,
    minutes,
    positive,
    say,
    shard,
    target_of,
    target_or_reference,
)
from conformance.mistake import OperatorMistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.report.record import Report
    from conformance.run import Prepared
    from conformance.target import Target
    from conformance.waivers import Waiver


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_run(commands.add_parser("run", help="judge a target; without one, the bundled reference"))
    _add_replay(commands.add_parser("replay", help="send what a report found again"))
    _add_judge(commands.add_parser("judge", help="judge the evidence of a run again, without its target"))
    _add_merge(commands.add_parser("merge", help="put the shards of a run together, and judge the whole"))
    _add_proxy(commands.add_parser("proxy", help="sit between clients and an implementation, and judge what passes"))


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here")
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="standard", help="default standard")
    parser.add_argument("--examples", type=positive, metavar="N", help="explore as many requests, whatever the depth")
    parser.add_argument("--minutes", type=minutes, metavar="M", help="explore that long, whatever the depth")
    parser.add_argument("--seed", help="seed of whatever is drawn; default 0, and for deep runs a fresh one")
    parser.add_argument(
        "--shard", type=shard, metavar="I/N", help="send this part of the run, and keep evidence for `merge`"
    )
    parser.add_argument("--known-first", action="store_true", help="begin with the requests that failed before")
    parser.add_argument("--no-shrink", action="store_true", help="send nothing more to make findings smaller")
    parser.add_argument("--only", action="append", default=[], metavar="SECTION|CLAUSE", help="judge this alone")
    parser.add_argument("--no-evidence", action="store_true", help="keep no record of what was sent and answered")
    _add_outcome(parser)
    parser.set_defaults(command=_run)


def _add_outcome(parser: argparse.ArgumentParser) -> None:
    """What every command takes that comes to a conclusion."""
    parser.add_argument(
        "--format",
        action="append",
        choices=["json", *FORMATS],
        help="write this beside report.json; default all",
    )
    parser.add_argument("--gate", action="store_true", help="exit 0 when nothing unlisted failed, even if partial")
    parser.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    reports.add_waivers(parser)


def _add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("evidence", type=Path, help="a folder that a run has written, or an HTTP archive (.har)")
    parser.add_argument("--target", type=Path, metavar="FILE", help="the target file, for an archive")
    parser.add_argument("--har", type=Path, metavar="FILE", help="write the exchanges as an HTTP archive")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here; default nowhere")
    _add_outcome(parser)
    parser.set_defaults(command=_judge)


def _add_merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shards", type=Path, nargs="+", metavar="DIR", help="the folders of all shards")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write report and evidence here")
    _add_outcome(parser)
    parser.set_defaults(command=_merge)


def _add_proxy(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090, help="where clients find it; default 8090")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report and evidence here")
    parser.set_defaults(command=_proxy)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, help="a folder with a report, or its report.json")
    parser.add_argument("id", nargs="?", help="one failure, such as mask.size-1; default all")
    parser.add_argument("--url", help="send to another base URL")
    parser.set_defaults(command=_replay)


def _run(options: argparse.Namespace) -> int:
    from conformance import run
    from conformance.known import Known
    from conformance.report import terminal
    from conformance.report.visible import visible

    waivers = reports.waivers(options)
    with target_or_reference(options) as target:
        prepared = _prepared(options, target)
        folder = options.out or default_folder(target.name)
        run.make_room(folder)
        known = Known((options.out or folder.parent) / "known", target.name)
        if options.known_first:
            prepared = prepared.beginning_with(known.cases())
        if not options.quiet:
            print(visible(f"judging {prepared}"), file=sys.stderr, flush=True)  # noqa: T201
        with terminal.progress(None if options.minutes else prepared.share, quiet=options.quiet) as on_progress:
            report, _ = prepared.go(on_progress, None if options.no_evidence else folder)
    if options.shard:
        return _kept(report, options, folder)
    known.keep(report)
    return _concluded(report, options, waivers, folder)


def _prepared(options: argparse.Namespace, target: Target) -> Prepared:
    """The run that the options ask for. Raises OperatorMistake."""
    from conformance.exploration import DEPTHS, Depth
    from conformance.run import prepare

    depth = Depth.of(options.depth, examples=options.examples, minutes=options.minutes)
    deep = depth.requests > DEPTHS["standard"].requests
    if options.shard:
        _check_for_shards(options, deep)
    seed = options.seed or (_fresh_seed() if deep else "0")
    prepared = prepare(target, only=tuple(options.only), seed=seed, depth=depth, shrink=not options.no_shrink)
    return prepared.only_shard(options.shard) if options.shard else prepared


def _check_for_shards(options: argparse.Namespace, deep: bool) -> None:
    """Raise OperatorMistake for what would make shards of different runs, or leave nothing to merge."""
    ill = {"--minutes": options.minutes, "--known-first": options.known_first, "--no-evidence": options.no_evidence}
    for name in (name for name, given in ill.items() if given):
        raise OperatorMistake(f"--shard and {name} exclude each other: shards that fit together would not come of it")
    if deep and not options.seed:
        raise OperatorMistake("--shard needs --seed here: all shards have to draw the same")


def _kept(report: Report, options: argparse.Namespace, folder: Path) -> int:
    """What a shard ends with: 0 when all of it was sent, else 3. It comes to no conclusion."""
    from conformance import run
    from conformance.report.visible import visible

    run.clear(folder)
    if report.course.cut_off:
        why = f"shard {options.shard} was cut off: {report.course.cut_off}"
        print(visible(why), file=sys.stderr)  # noqa: T201
        return EXIT_INDETERMINATE
    if not options.quiet:
        say(f"shard {options.shard}: {report.course.seen} exchanges kept in {folder}; next: conformance merge")
    return 0


def _fresh_seed() -> str:
    return str(secrets.randbits(48))


def _judge(options: argparse.Namespace) -> int:
    """The exit codes of a run."""
    from conformance.evidence.rejudge import rejudged
    from conformance.traffic import har

    waivers = reports.waivers(options)
    archive = options.evidence.suffix == ".har"
    if archive and options.har:
        raise OperatorMistake(f"--har writes an archive of a run's evidence, and {options.evidence} is an archive")
    if options.target and not archive:
        raise OperatorMistake("--target is for an archive: the evidence of a run says of which target it is")
    if archive:
        report = _heard(options)
    else:
        report = rejudged(options.evidence)
        if options.har:
            har.convert(options.evidence, options.har)
    return _concluded(report, options, waivers, options.out)


def _merge(options: argparse.Namespace) -> int:
    """The exit codes of a run."""
    from conformance import run
    from conformance.evidence.rejudge import rejudged
    from conformance.merge import merge

    waivers = reports.waivers(options)
    run.make_room(options.out)
    merge(options.shards, options.out)
    return _concluded(rejudged(options.out), options, waivers, options.out)


def _concluded(report: Report, options: argparse.Namespace, waivers: Sequence[Waiver], folder: Path | None) -> int:
    """Show a report, and write it into the folder if there is one; returns the exit code."""
    from conformance import run
    from conformance.report import gate, terminal

    report = report.waived_by(waivers, reports.today())
    if folder:
        run.write_all(report, folder, tuple(name for name in options.format or run.FORMATS if name != "json"))
    if not options.quiet:
        terminal.show(report, folder)
    return gate.exit_code(report, gate=options.gate)


def _heard(options: argparse.Namespace) -> Report:
    """The report on an HTTP archive."""
    from conformance.report.visible import visible
    from conformance.target import Target, load
    from conformance.traffic import har
    from conformance.traffic.recorded import heard, remarks, unheard

    started, spoken = har.load(options.evidence)
    if not options.quiet:
        say(*map(visible, remarks(unheard(spoken))))
    target = load(options.target) if options.target else Target(options.evidence.name, "http://recorded.invalid")
    return heard(spoken, target, started)


def _proxy(options: argparse.Namespace) -> int:
    """The exit codes of a run."""
    from conformance import run
    from conformance.report import gate, terminal
    from conformance.report.visible import visible
    from conformance.traffic import proxy

    target = target_of(options)
    folder = options.out or default_folder(target.name)
    run.make_room(folder)
    try:
        report, notes = proxy.serve(target, options.host, options.port, lambda line: say(visible(line)), folder)
    except OSError as error:
        raise OperatorMistake(f"cannot listen on {options.host}:{options.port}: {error}") from None
    run.write_all(report, folder)
    terminal.show(report, folder)
    say(*map(visible, notes))
    return gate.exit_code(report, gate=False)


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
        say(visible(str(each)))
    return 1 if still else EXIT_INDETERMINATE if untold else 0
