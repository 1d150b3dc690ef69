"""The commands with which certifier and vendor agree on a seed: keygen, and challenge new, pledge and reveal."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.cli.options import positive, say
from conformance.cli.signers import (
    add_artifact,
    add_key,
    add_keys,
    add_passphrase,
    artifact_of,
    key_of,
    keys_of,
    passphrase_of,
)
from conformance.mistake import OperatorMistake

_MOST_OF_A_TARGET = 16 * 1024 * 1024
"""Bytes of a target file."""


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    keygen = commands.add_parser("keygen", help="make a key pair to sign with")
    keygen.add_argument("--out", type=Path, required=True, metavar="FILE", help="the private key goes here, as PEM")
    add_passphrase(keygen)
    keygen.set_defaults(command=_keygen)
    steps = commands.add_parser("challenge", help="agree on a seed that nobody could prepare for")
    whole = steps.add_subparsers(required=True, metavar="STEP")
    _add_new(whole.add_parser("new", help="certifier: commit to a seed"))
    _add_pledge(whole.add_parser("pledge", help="vendor: say what will be certified"))
    _add_reveal(whole.add_parser("reveal", help="certifier: reveal the seed to who has pledged"))


def _add_new(parser: argparse.ArgumentParser) -> None:
    add_key(parser)
    parser.add_argument("--days", type=positive, required=True, metavar="N", help="how long it is open, from today")
    parser.add_argument("--secret", type=Path, required=True, metavar="FILE", help="the seed goes here; show nobody")
    _add_out(parser)
    parser.set_defaults(command=_new)


def _add_pledge(parser: argparse.ArgumentParser) -> None:
    _add_challenge(parser)
    parser.add_argument("--target", type=Path, required=True, metavar="FILE", help="the target file of the runs")
    add_artifact(parser, required=True)
    add_key(parser)
    add_keys(parser)
    _add_out(parser)
    parser.set_defaults(command=_pledge)


def _add_reveal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--secret", type=Path, required=True, metavar="FILE", help="what `challenge new` kept")
    _add_challenge(parser)
    parser.add_argument("--pledge", type=Path, required=True, metavar="FILE", help="what the vendor has signed")
    add_key(parser)
    add_keys(parser)
    _add_out(parser)
    parser.set_defaults(command=_reveal)


def _add_challenge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--challenge", type=Path, required=True, metavar="FILE", help="what the certifier has signed")


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="write a new file")


def _keygen(options: argparse.Namespace) -> int:
    from conformance.certification import ed25519
    from conformance.certification.keys import draft

    key = ed25519.generate(options.out, passphrase_of(options))
    say(
        f"key {key.id}",
        f"private: {options.out} (keep it to yourself)",
        f"public: {ed25519.public_path(options.out)}",
        "for a list of keys:",
        "",
        draft(key.public, _now().date()),
    )
    return 0


def _new(options: argparse.Namespace) -> int:
    from conformance.certification import challenge, private, secret

    data, kept = challenge.new(key_of(options), options.days, _now())
    private.make(options.out, data)
    try:
        secret.write(kept, options.secret)
    except OperatorMistake:
        options.out.unlink()
        raise
    say(f"wrote {options.out}, for the vendor", f"wrote {options.secret}: show nobody before there is a pledge")
    return 0


def _pledge(options: argparse.Namespace) -> int:
    from conformance.certification import challenge, private

    artifact = artifact_of(options)
    posed, keys = _read(options.challenge, "challenge"), keys_of(options)
    target = sha256(private.read(options.target, "target file", _MOST_OF_A_TARGET)).hexdigest()
    made = challenge.pledge(posed, target, artifact, key_of(options), _now(), keys)
    private.make(options.out, made)
    say(f"wrote {options.out}, for the certifier", *_warning(keys is None, "the challenge"))
    return 0


def _reveal(options: argparse.Namespace) -> int:
    from conformance.certification import challenge, private, secret

    posed, given, keys = _read(options.challenge, "challenge"), _read(options.pledge, "pledge"), keys_of(options)
    kept = secret.load(options.secret)
    if options.out.exists():
        raise OperatorMistake(f"{options.out}: there is such a file already, and it is not overwritten")
    revealed = challenge.reveal(kept, posed, given, key_of(options), _now(), keys)
    secret.spend(kept, options.secret, sha256(given).hexdigest())
    private.make(options.out, revealed)
    say(f"wrote {options.out}, for the vendor", *_warning(keys is None, "the pledge"))
    return 0


def _read(path: Path, what: str) -> bytes:
    from conformance.certification import challenge, private

    return private.read(path, what, challenge.MOST_BYTES)


def _warning(unverified: bool, what: str) -> list[str]:
    return [f"who has signed {what} was not verified: name a key list with --keys"] if unverified else []


def _now() -> datetime:
    return datetime.now(UTC)
