"""The commands that get to know a target before it is judged: init, doctor, clients."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from conformance.cli.options import (
    EXIT_INDETERMINATE,
    add_scenes,
    add_target,
    declared,
    default_folder,
    say,
    target_of,
    target_or_reference,
)
from conformance.mistake import OperatorMistake

CLIENTS = ("boto3", "aws-cli", "js-v3", "js-v2")


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_doctor(commands.add_parser("doctor", help="look whether a target is there, and what its file says"))
    _add_init(commands.add_parser("init", help="write a target file to begin with"))
    _add_clients(commands.add_parser("clients", help="drive the real AWS clients against a target"))


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.set_defaults(command=_doctor)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="scheme, host and port of the target")
    add_scenes(parser)
    parser.add_argument("--out", type=Path, default=Path("target.toml"), metavar="FILE", help="default target.toml")
    parser.set_defaults(command=_init)


def _add_clients(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--client", action="append", default=[], choices=CLIENTS, help="drive this one; default all")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where clients are installed; default this user's")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write clients.json and clients.md here")
    parser.set_defaults(command=_clients)


def _doctor(options: argparse.Namespace) -> int:
    """0 when all is as declared, 1 when something is not or could not be looked at, 3 when there is nobody."""
    from conformance import doctor
    from conformance.report.visible import visible

    target = target_of(options)
    found = []
    for check in doctor.examine(target):
        found.append(check)
        say(visible(f"{check.health:<8} {check.name}: {check.text}"))
    for clause, needs in doctor.unexercised(target):
        say(f"{'':<8} {clause.level} {clause.id} will be unexercised; declare {needs}")
    if found[0].health is doctor.Health.BAD:
        return EXIT_INDETERMINATE
    return int(any(check.health in (doctor.Health.BAD, doctor.Health.UNTRIED) for check in found))


def _init(options: argparse.Namespace) -> int:
    from conformance.starter import starter
    from conformance.targets import from_options

    known = declared(options)
    target = from_options(None, options.url, known or {"classification": "PROJECT/1"}, None)
    text = starter(target if known else dataclasses.replace(target, scenes={}), options.out.name)
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OperatorMistake(f"{options.out}: this file cannot be made: {error.strerror}") from None
    say(f"wrote {options.out}; next: conformance doctor --target {options.out}")
    return 0


def _clients(options: argparse.Namespace) -> int:
    """0 when all was read, 1 when something was misread or crashed a client, 3 when no client ran."""
    from conformance.clients.command import REGION, command, declared_keys

    with target_or_reference(options) as target:
        folder = default_folder(target.name)
        out = options.out or folder.with_name(f"{folder.name}-clients")
        region = getattr(target.auth, "region", REGION)
        return command(target, options.client, options.cache, out, declared_keys(target), region)
