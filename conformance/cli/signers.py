"""Options of the commands that sign or verify: whose private key, and which keys are believed."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.mistake import OperatorMistake

if TYPE_CHECKING:
    from conformance.certification.ed25519 import SigningKey
    from conformance.certification.keys import Key


def add_key(parser: argparse.ArgumentParser) -> None:
    """The options that name a private key."""
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="your private key (PEM)")
    add_passphrase(parser)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """The option that names a passphrase; itself it is never on the command line, where others could see it."""
    parser.add_argument("--passphrase-env", metavar="NAME", help="the environment variable that holds its passphrase")


def add_keys(parser: argparse.ArgumentParser) -> None:
    """The option that names a key list."""
    parser.add_argument("--keys", type=Path, metavar="FILE", help="a key list (TOML): verify what others have signed")


def add_artifact(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """The option that names what the vendor ships."""
    said = "what is shipped, or its digest" + ("" if required else "; else the target is known by its own word alone")
    parser.add_argument("--artifact", required=required, metavar="FILE|sha256:HEX", help=said)


def artifact_of(options: argparse.Namespace) -> str:
    """SHA-256 of what the vendor ships, hexadecimal; empty where it is not named. Raises OperatorMistake."""
    given = options.artifact
    if given is None:
        return ""
    if not given.startswith("sha256:"):
        return sha256(content_of(Path(given))).hexdigest()
    if not (found := re.fullmatch("sha256:([0-9a-f]{64})", given)):
        raise OperatorMistake(f"--artifact {given!a}: this is not sha256: and 64 hexadecimal digits, lower case")
    return found[1]


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises OperatorMistake."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperatorMistake(f"{path}: this cannot be read: {error.strerror}") from None


def passphrase_of(options: argparse.Namespace) -> bytes | None:
    """The passphrase, where one is named. Raises OperatorMistake."""
    from conformance.certification import ed25519

    return ed25519.passphrase_of(options.passphrase_env, os.environ)


def key_of(options: argparse.Namespace) -> SigningKey:
    """The private key. Raises OperatorMistake."""
    from conformance.certification.ed25519 import load_signing_key

    return load_signing_key(options.key, passphrase_of(options))


def keys_of(options: argparse.Namespace) -> Mapping[str, Key] | None:
    """The keys that are believed, by id; None when no list is named. Raises OperatorMistake."""
    from conformance.certification.keys import load_keys

    return load_keys(options.keys) if options.keys else None
