"""What several commands share: options that name a target, numbers, folders, and speaking."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.scenes import SCENES
from conformance.shards import Shard

if TYPE_CHECKING:
    from conformance.target import Target

EXIT_INDETERMINATE = 3
FORMATS = "junit markdown html github annotations badge ctrf".split()
"""The names in ``run.FORMATS``, which is not imported just to be offered."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The options that name a target."""
    parser.add_argument("url", nargs="?", help="scheme, host and port of the target")
    parser.add_argument("--target", type=Path, metavar="FILE", help="a target file (TOML) that declares everything")
    add_scenes(parser)
    parser.add_argument("--image", metavar="WIDTHxHEIGHT", help="the only image size that the models take")


def add_scenes(parser: argparse.ArgumentParser) -> None:
    """The options that declare scenes."""
    for scene, meaning in SCENES.items():
        parser.add_argument(f"--{scene}", metavar="PROJECT/VERSION", help=meaning)


def target_of(options: argparse.Namespace) -> Target:
    """The target that the options name. Raises OperatorMistake."""
    from conformance.targets import from_options

    return from_options(options.target, options.url, declared(options), options.image)


@contextmanager
def target_or_reference(options: argparse.Namespace) -> Iterator[Target]:
    """The target that the options name; the bundled reference, served meanwhile, when they name nothing."""
    if options.target or options.url or declared(options) or options.image:
        yield target_of(options)
    else:
        from conformance.serving import bundled

        with bundled() as target:
            yield target


def declared(options: argparse.Namespace) -> dict[str, str]:
    """The scenes that the options declare."""
    given = {scene: getattr(options, scene.replace("-", "_")) for scene in SCENES}
    return {scene: text for scene, text in given.items() if text}


def default_folder(name: str) -> Path:
    """``reports/<target>/<time>`` below the working directory, the name reduced to safe characters."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "target"
    return Path("reports") / safe[:80] / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def minutes(text: str) -> float:
    """A number of minutes above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes above 0")
    return number


def shard(text: str) -> Shard:
    """A part of a run, such as ``2/3``."""
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def say(*lines: str) -> None:
    """Print lines at once."""
    for line in lines:
        print(line, flush=True)  # noqa: T201
