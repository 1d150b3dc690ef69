"""What a certifier keeps to itself between a challenge and its reveal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.certification import private, shapes
from conformance.formats import strict_json
from conformance.mistake import OperatorMistake

SCHEMA = "urn:detect-anomalies-conformance:secret:1"
_MOST_BYTES = 64 * 1024
_WHAT = "secret"


@dataclass(frozen=True)
class Secret:
    """The seed of a challenge, which nobody else may know before it is revealed."""

    seed: bytes = field(repr=False)
    challenge: str
    """SHA-256 of the signed challenge, hexadecimal."""
    pledge: str = ""
    """SHA-256 of the one signed pledge that it was revealed for; empty before."""


def write(secret: Secret, path: Path) -> None:
    """Write a new file that its owner alone may read. Raises OperatorMistake."""
    private.make(path, _encoded(secret), private.SECRET)


def load(path: Path) -> Secret:
    """Read the file. Raises OperatorMistake, without a word of what is in it."""
    found = strict_json.parse(private.read(path, _WHAT, _MOST_BYTES, secret=True))
    if isinstance(found, strict_json.Flaw) or any(shapes.complaints(found.value, "challenge.schema.json", "secret")):
        raise OperatorMistake(f"{path}: this is not the secret of a challenge")
    document = found.value
    assert isinstance(document, dict)  # noqa: S101  (the schema has seen to it)
    return Secret(bytes.fromhex(str(document["seed"])), str(document["challenge"]), str(document["pledge"]))


def spend(secret: Secret, path: Path, pledge: str) -> None:
    """Note for which pledge it is revealed, before it is. Raises OperatorMistake when that was another one.

    Whoever knows the seed could make as many pledges as it takes to get runs that suit it.
    """
    if secret.pledge not in ("", pledge):
        raise OperatorMistake(f"{path}: this was revealed for another pledge already; a challenge is good for one")
    private.replace(path, _encoded(replace(secret, pledge=pledge)))


def _encoded(secret: Secret) -> bytes:
    document = {"schema": SCHEMA, "seed": secret.seed.hex(), "challenge": secret.challenge, "pledge": secret.pledge}
    return json.dumps(document, indent=2).encode() + b"\n"
