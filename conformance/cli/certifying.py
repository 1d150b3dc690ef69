"""The commands that make and check certificates: certify, verify, countersign, submit-check."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.options import EXIT_INDETERMINATE, positive, say
from conformance.cli.signers import add_artifact, add_key, add_keys, artifact_of, content_of, key_of, keys_of
from conformance.mistake import OperatorMistake

if TYPE_CHECKING:
    from conformance.certification.certify import Order
    from conformance.certification.ed25519 import SigningKey
    from conformance.certification.verify import Verified
    from conformance.course import Progress
    from conformance.run import Prepared


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    _add_certify(commands.add_parser("certify", help="run under the rules of certification, and sign what comes of it"))
    _add_verify(commands.add_parser("verify", help="judge whether a certificate may be believed"))
    _add_countersign(commands.add_parser("countersign", help="verify a certificate, and sign that it was"))
    _add_submit_check(
        commands.add_parser("submit-check", help="check what a vendor hands in, as a table for a pull request")
    )


def _add_certify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", type=Path, required=True, metavar="FILE", help="the target file (TOML)")
    parser.add_argument("--requirements", required=True, metavar="ID", help="such as full-1, or full for the newest")
    add_key(parser)
    add_artifact(parser)
    parser.add_argument("--challenge", type=Path, metavar="FILE", help="the certifier's challenge, revealed")
    add_keys(parser)
    parser.add_argument("--days", type=positive, default=365, metavar="N", help="how long it is valid; default 365")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="an empty folder for the bundle")
    parser.add_argument("--quiet", action="store_true", help="print nothing but mistakes and refusals")
    parser.set_defaults(command=_certify)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="the folder that certify has written")
    add_keys(parser)
    parser.set_defaults(command=_verify)


def _add_countersign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="the folder that certify has written")
    parser.add_argument("--keys", type=Path, required=True, metavar="FILE", help="whose keys are believed (TOML)")
    add_key(parser)
    parser.set_defaults(command=_countersign)


def _add_submit_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a submission, reports/VENDOR/VERSION")
    parser.add_argument("--keys", type=Path, required=True, metavar="FILE", help="whose keys are believed (TOML)")
    parser.set_defaults(command=_submit_check)


def _certify(options: argparse.Namespace) -> int:
    """0 when a certificate was signed, 1 when it was refused, 3 when a run came to nothing."""
    from conformance.certification.certify import attempt
    from conformance.certification.issue import issue
    from conformance.report.visible import visible

    key = key_of(options)
    order = _order(options, key)
    with ExitStack() as stack:
        tried = attempt(order, options.out, on_run=_announced(stack, quiet=options.quiet))
    if tried.refusals:
        say("no certificate:", *(visible(f"  {each}") for each in tried.refusals))
        return EXIT_INDETERMINATE if tried.cut_short else 1
    statement = issue(order, tried, options.out, key)
    if not options.quiet:
        name = statement["subject"][0]["name"]
        say(visible(f"certified {name} for {order.requirements.id} in {options.out}; key {key.id}"))
        say(f"next: conformance verify {options.out}")
    return 0


def _order(options: argparse.Namespace, key: SigningKey) -> Order:
    from conformance.certification import challenge
    from conformance.certification.certify import Order
    from conformance.certification.requirements import find
    from conformance.target import load

    target = load(options.target)
    file = options.target.read_bytes()
    artifact = artifact_of(options)
    revealed, seed = b"", secrets.token_hex(32)
    if options.challenge:
        revealed = content_of(options.challenge)
        seed = challenge.check(
            revealed,
            keys_of(options),
            target_file_sha256=sha256(file).hexdigest(),
            artifact=artifact,
            vendor_key_id=key.id,
            today=datetime.now(UTC).date(),
        ).seed
    return Order(target, file, find(options.requirements), seed, artifact, revealed, days=options.days)


def _announced(stack: ExitStack, *, quiet: bool) -> Callable[[str, Prepared], Callable[[Progress], None]]:
    """Tells which run begins, and how far it has come."""
    from conformance.report import terminal
    from conformance.report.visible import visible

    def begun(name: str, prepared: Prepared) -> Callable[[Progress], None]:
        stack.close()  # the run before has ended
        if not quiet:
            print(visible(f"{name}: {prepared}"), file=sys.stderr, flush=True)  # noqa: T201
        return stack.enter_context(terminal.progress(prepared.planned, quiet=quiet))

    return begun


def _verify(options: argparse.Namespace) -> int:
    """0 when it may be believed; else the exit code of the reason for which it is refused."""
    from conformance.certification.refusal import Refused
    from conformance.report.visible import visible

    try:
        verified = _verified(options)
    except Refused as refused:
        print(visible(f"refused: {refused}"), file=sys.stderr)  # noqa: T201
        return refused.reason.code
    predicate = verified.statement["predicate"]
    say(visible(f"verified: {verified.statement['subject'][0]['name']} fulfils {predicate['requirements']['id']}"))
    say(f"  until {predicate['expires']}; signed with key {verified.key_id}")
    say(*(visible(f"  {stamp}") for stamp in verified.stamps))
    return 0


def _verified(options: argparse.Namespace) -> Verified:
    from conformance.certification.verify import verify

    if not options.bundle.is_dir():
        raise OperatorMistake(f"{options.bundle}: there is no bundle here")
    return verify(options.bundle, keys_of(options), datetime.now(UTC))


def _countersign(options: argparse.Namespace) -> int:
    """0 when it was countersigned; else the exit code of the reason for which it is refused."""
    from conformance.certification.issue import countersign
    from conformance.certification.refusal import Refused
    from conformance.report.visible import visible

    key = key_of(options)
    _check_certifier(key, options)
    try:
        verified = _verified(options)
    except Refused as refused:
        print(visible(f"refused: {refused}"), file=sys.stderr)  # noqa: T201
        return refused.reason.code
    if verified.key_id == key.id:
        raise OperatorMistake(f"{options.key}: this key has signed the certificate; it is for another to countersign")
    countersign(options.bundle, verified, key)
    say(f"countersigned with key {key.id}")
    return 0


def _check_certifier(key: SigningKey, options: argparse.Namespace) -> None:
    """Raise OperatorMistake for a key whose countersignature nobody with the same key list would believe."""
    from conformance.certification.keys import Role, load_keys

    listed = load_keys(options.keys).get(key.id)
    if listed is None:
        raise OperatorMistake(f"{options.key}: this key is not in {options.keys}")
    if objection := listed.objection(Role.CERTIFIER, datetime.now(UTC).date()):
        raise OperatorMistake(f"{options.key}: the key {key.id} {objection}")


def _submit_check(options: argparse.Namespace) -> int:
    """0 when the submission may be accepted, 1 when not."""
    from conformance.certification.keys import load_keys
    from conformance.certification.submission import checked, table

    found = checked(options.folder, load_keys(options.keys), datetime.now(UTC))
    say(table(found))
    return int(not all(each.holds for each in found))
