"""The commands about the reference: serve, train, and the suite judged by it."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from conformance.cli.options import positive, say
from conformance.mistake import OperatorMistake


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_serve(commands.add_parser("serve", help="serve the reference, or one of its mutants or variants"))
    _add_train(commands.add_parser("train", help="train a model of the reference on photographs"))
    _add_selftest(commands.add_parser("selftest", help="judge the suite by its own mutants and variants"))


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--auth", choices=["none", "sigv4"], default="none", help="who may ask; default everybody")
    parser.add_argument("--credentials", type=Path, metavar="FILE", help="the principals of --auth sigv4 (TOML)")
    parser.add_argument("--admin-port", type=int, metavar="PORT", help="offer /healthz and states here, on loopback")
    parser.add_argument(
        "--log-format", choices=["none", "text", "json"], default="text", help="default text, to stderr"
    )
    parser.add_argument("--workers", type=positive, default=8, help="requests answered at a time; default 8")
    parser.add_argument("--queue", type=positive, default=256, help="requests in progress before 429; default 256")
    parser.add_argument("--max-pixels", type=positive, metavar="N", help="the most pixels that an image may have")
    strain = parser.add_mutually_exclusive_group()
    strain.add_argument("--models", type=Path, metavar="DIR", help="serve what `train` made; default the demo")
    strain.add_argument("--mutant", metavar="ID", help="the reference with this fault")
    strain.add_argument("--variant", metavar="ID", help="the reference with this freedom")
    parser.set_defaults(command=_serve)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="normal images, or folders normal and anomaly with images")
    parser.add_argument("--project", required=True, metavar="NAME", help="the project of the model")
    parser.add_argument("--version", type=positive, metavar="N", help="the model's version; default the next")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks of the anomalies; implies --segmentation")
    parser.add_argument("--segmentation", action="store_true", help="the model returns masks")
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="where models are kept")
    parser.set_defaults(command=_train)


def _add_selftest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depth", choices=["quick", "standard", "deep"], default="quick", help="default quick")
    parser.add_argument("--http", action="store_true", help="over sockets instead of in this process")
    parser.add_argument("--only", metavar="ID", help="one mutant or variant")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here as well")
    parser.set_defaults(command=_selftest)


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
            serve_forever(setup, options.host, options.port, lambda url: say(f"serving {summary} at {url}", *admin))
        except (OSError, OverflowError) as error:
            raise OperatorMistake(f"cannot listen on {options.host}:{options.port}: {error}") from None
    return 0


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
    say(visible(str(course)))
    return 0


def _selftest(options: argparse.Namespace) -> int:
    """0 when every mutant is caught and no variant accused, 1 otherwise."""
    from conformance import selftest

    return selftest.command(options.depth, http=options.http, only=options.only, file=options.markdown)
