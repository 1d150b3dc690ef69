"""Commit and reveal: a seed for the runs of a certification that nobody could prepare for.

1. The certifier draws 32 bytes s and publishes SHA-256(s): the challenge.
2. The vendor binds itself to what will be certified, and to how: the pledge.
3. The certifier reveals s, with challenge and pledge enclosed. The runs are seeded with SHA-256(s || SHA-256(pledge)).

The vendor cannot know s when it pledges, the certifier cannot change s afterwards, nor know the pledge when it draws s.
Nothing of it helps against the two together. Each file is a DSSE envelope with one signature, in the one form that
``envelope`` writes, so that nobody can look for a seed that suits by writing the same pledge in another way.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from conformance.certification import envelope, shapes
from conformance.certification.ed25519 import SigningKey, verifies
from conformance.certification.keys import Key, Role
from conformance.certification.secret import Secret
from conformance.mistake import OperatorMistake

_FAMILY = "application/vnd.detect-anomalies-conformance"
CHALLENGE, PLEDGE, REVEAL = f"{_FAMILY}.challenge+json", f"{_FAMILY}.pledge+json", f"{_FAMILY}.reveal+json"
"""Payload types."""
MOST_BYTES = 256 * 1024
"""Of each file."""
MOST_DAYS = 366
"""That a challenge is open."""
SKEW = timedelta(minutes=5)
"""How far the clocks of certifier and vendor may differ."""
_SEED_BYTES = 32
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Reason(StrEnum):
    """Why a challenge is not taken."""

    UNREADABLE = "unreadable"  # one of the files is not what it should be
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"
    REVOKED_KEY = "revoked key"
    BAD_SIGNATURE = "bad signature"
    UNFIT_KEY = "unfit key"  # the key may not sign this, or not on that day
    COMMITMENT = "commitment"  # what is revealed is not what was committed to
    MIXED = "mixed"  # pledge, challenge and reveal do not belong together
    OTHER_TARGET = "other target"
    OTHER_ARTIFACT = "other artifact"
    OTHER_VENDOR = "other vendor"
    EXPIRED = "expired"
    TIMES = "times"  # something happened before what it rests on, or has yet to come


class BadChallenge(OperatorMistake):
    """A challenge, a pledge or a reveal is not taken, and ``reason`` says why."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Challenge:
    """A challenge that was answered: everything fits."""

    seed: str
    """Master seed of the runs, 64 hexadecimal digits."""
    certifier: str
    """The id of the key that signed challenge and reveal."""
    vendor: str
    """The id of the key that signed the pledge."""
    issued: datetime
    pledged: datetime
    revealed: datetime
    expires: date
    """The last day on which runs may be made with it."""
    verified: bool
    """Whether the signatures were verified. If not, whoever wrote the file may have made it all up."""


@dataclass(frozen=True)
class _Signed:
    """One of the three files, of the right shape."""

    what: str
    data: bytes = field(repr=False)
    payload_type: str
    document: Mapping[str, Any] = field(repr=False)
    signer: str
    signature: bytes

    @property
    def digest(self) -> str:
        return sha256(self.data).hexdigest()

    def moment(self, name: str) -> datetime:
        try:
            return datetime.strptime(self.document[name], _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            raise BadChallenge(Reason.UNREADABLE, f"the {self.what}: {name}: there is no such moment") from None

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.document[name])
        except ValueError:
            raise BadChallenge(Reason.UNREADABLE, f"the {self.what}: {name}: there is no such day") from None


def new(key: SigningKey, days: int, now: datetime) -> tuple[bytes, Secret]:
    """A signed challenge that is open for so many days, and what is to be kept secret. Raises OperatorMistake."""
    if not 0 < days <= MOST_DAYS:
        raise OperatorMistake(f"--days {days}: a challenge is open for 1 to {MOST_DAYS} days")
    seed = secrets.token_bytes(_SEED_BYTES)
    document = {
        "schema": "urn:detect-anomalies-conformance:challenge:1",
        "commitment": sha256(seed).hexdigest(),
        "issued": now.strftime(_MOMENT),
        "expires": (now.date() + timedelta(days=days)).isoformat(),
    }
    data = envelope.sign(document, key, CHALLENGE)
    return data, Secret(seed, sha256(data).hexdigest())


def pledge(
    challenge: bytes, target: str, artifact: str, key: SigningKey, now: datetime, keys: Mapping[str, Key] | None = None
) -> bytes:
    """A vendor's signed pledge for a challenge; ``target`` and ``artifact`` are SHA-256, hexadecimal.

    With ``keys`` the challenge has to be a certifier's. Raises BadChallenge.
    """
    posed = _challenge(challenge, keys)
    _check_open(posed, now)
    document = {
        "schema": "urn:detect-anomalies-conformance:pledge:1",
        "challenge": posed.digest,
        "target": target,
        "artifact": artifact,
        "pledged": now.strftime(_MOMENT),
    }
    return envelope.sign(document, key, PLEDGE)


def reveal(
    secret: Secret,
    challenge: bytes,
    given: bytes,
    key: SigningKey,
    now: datetime,
    keys: Mapping[str, Key] | None = None,
) -> bytes:
    """The signed reveal of a secret, for a pledge that was given; with ``keys`` it has to be a vendor's.

    It is for the caller to see that a secret is revealed for one pledge only. Raises BadChallenge.
    """
    posed, pledged = _challenge(challenge, None), _pledge(given, keys)
    if posed.signer != key.id:
        raise BadChallenge(Reason.MIXED, "the challenge is signed with another key than it is to be revealed with")
    if not verifies(key.public, posed.signature, envelope.pae(CHALLENGE, envelope.canonical(posed.document))):
        raise BadChallenge(Reason.BAD_SIGNATURE, "the signature of the challenge does not fit what is signed")
    if secret.challenge != posed.digest:
        raise BadChallenge(Reason.MIXED, "the secret belongs to another challenge")
    _check_commitment(posed, secret.seed)
    _check_course(posed, pledged, now)
    _check_open(posed, now)
    document = {
        "schema": "urn:detect-anomalies-conformance:reveal:1",
        "seed": secret.seed.hex(),
        "challenge": _enclosed(challenge),
        "pledge": _enclosed(given),
        "revealed": now.strftime(_MOMENT),
    }
    return envelope.sign(document, key, REVEAL)


def seed_of(revealed: bytes) -> str:
    """The master seed that follows from a reveal, 64 hexadecimal digits: SHA-256(s || SHA-256(pledge)).

    Nothing is verified here. Raises BadChallenge when it cannot be read.
    """
    return _seed(_reveal(revealed, None))


def check(
    revealed: bytes,
    keys: Mapping[str, Key] | None,
    *,
    target_file_sha256: str,
    artifact: str,
    vendor_key_id: str,
    today: date,
) -> Challenge:
    """A reveal, once it is known to be one for this target file, this artifact, and this vendor's key.

    Digests are SHA-256, hexadecimal. ``today`` is the day (UTC) of the runs. Without ``keys`` no signature is verified,
    and ``verified`` is False in what is returned. Raises BadChallenge.
    """
    whole = _reveal(revealed, keys)
    posed = _challenge(_unenclosed(whole, "challenge"), keys)
    pledged = _pledge(_unenclosed(whole, "pledge"), keys)
    if whole.signer != posed.signer:
        raise BadChallenge(Reason.MIXED, "challenge and reveal are signed with different keys")
    _check_commitment(posed, bytes.fromhex(whole.document["seed"]))
    issued, expires, moment = posed.moment("issued"), posed.day("expires"), whole.moment("revealed")
    _check_course(posed, pledged, moment)
    if today > expires:
        raise BadChallenge(Reason.EXPIRED, f"the challenge expired on {expires}, and the runs are of {today}")
    if (moment - SKEW).date() > today:
        raise BadChallenge(Reason.TIMES, f"the challenge was revealed on {moment:%Y-%m-%d}, after the runs of {today}")
    _check_binding(pledged, target_file_sha256, artifact, vendor_key_id)
    seed, verified = _seed(whole), keys is not None
    return Challenge(seed, posed.signer, pledged.signer, issued, pledged.moment("pledged"), moment, expires, verified)


def _check_binding(pledged: _Signed, target: str, artifact: str, vendor: str) -> None:
    if pledged.document["target"] != target:
        raise BadChallenge(Reason.OTHER_TARGET, "the pledge is for another target file")
    if pledged.document["artifact"] != artifact:
        raise BadChallenge(Reason.OTHER_ARTIFACT, "the pledge is for another artifact")
    if pledged.signer != vendor:
        raise BadChallenge(Reason.OTHER_VENDOR, f"the pledge is signed with another key: {pledged.signer}")


def _check_commitment(posed: _Signed, seed: bytes) -> None:
    if sha256(seed).hexdigest() != posed.document["commitment"]:
        raise BadChallenge(Reason.COMMITMENT, "what is revealed is not what the challenge commits to")


def _check_course(posed: _Signed, pledged: _Signed, revealed: datetime) -> None:
    """What happened has to have happened in order, while the challenge was open, and to the same challenge."""
    if pledged.document["challenge"] != posed.digest:
        raise BadChallenge(Reason.MIXED, "the pledge is for another challenge")
    if pledged.signer == posed.signer:
        raise BadChallenge(Reason.MIXED, "challenge and pledge are signed with the same key")
    if pledged.moment("pledged") < posed.moment("issued") - SKEW:
        raise BadChallenge(Reason.TIMES, "the pledge is older than the challenge")
    if revealed < pledged.moment("pledged") - SKEW:
        raise BadChallenge(Reason.TIMES, "the challenge was revealed before the pledge was made")
    if revealed.date() > posed.day("expires"):
        raise BadChallenge(Reason.TIMES, "the challenge was revealed after it had expired")


def _check_open(posed: _Signed, now: datetime) -> None:
    if now.date() > posed.day("expires"):
        raise BadChallenge(Reason.EXPIRED, f"the challenge expired on {posed.day('expires')}")
    if now < posed.moment("issued") - SKEW:
        raise BadChallenge(Reason.TIMES, "the challenge is of a moment that is yet to come")


def _seed(whole: _Signed) -> str:
    enclosed = sha256(_unenclosed(whole, "pledge")).digest()
    return sha256(bytes.fromhex(whole.document["seed"]) + enclosed).hexdigest()


def _challenge(data: bytes, keys: Mapping[str, Key] | None) -> _Signed:
    return _signed(data, "challenge", CHALLENGE, keys, Role.CERTIFIER, "issued")


def _pledge(data: bytes, keys: Mapping[str, Key] | None) -> _Signed:
    return _signed(data, "pledge", PLEDGE, keys, Role.VENDOR, "pledged")


def _reveal(data: bytes, keys: Mapping[str, Key] | None) -> _Signed:
    return _signed(data, "reveal", REVEAL, keys, Role.CERTIFIER, "revealed")


def _signed(data: bytes, what: str, kind: str, keys: Mapping[str, Key] | None, role: Role, when: str) -> _Signed:
    """One of the files: readable, of one form, and, with ``keys``, signed by whoever may. Raises BadChallenge."""
    if len(data) > MOST_BYTES:
        raise BadChallenge(Reason.UNREADABLE, f"the {what} is larger than {MOST_BYTES} bytes")
    try:
        held = envelope.read(data, kind)
        if keys is not None:
            envelope.opened(data, keys, kind)
    except envelope.Unopened as refused:
        raise BadChallenge(Reason(refused.reason.value), f"the {what}: {refused}") from None
    for complaint in shapes.complaints(held.statement, "challenge.schema.json", what):
        raise BadChallenge(Reason.UNREADABLE, f"the {what}: {complaint}")
    if len(held.signatures) != 1 or held.encoded() != data or not held.is_canonical:
        raise BadChallenge(Reason.UNREADABLE, f"the {what} is not in its one form, with one signature")
    ((signer, signature),) = held.signatures.items()
    found = _Signed(what, data, kind, held.statement, signer, signature)
    if keys is not None and (why := keys[signer].objection(role, found.moment(when).date())):
        raise BadChallenge(Reason.UNFIT_KEY, f"the {what}: the key {signer} {why}")
    return found


def _enclosed(data: bytes) -> dict[str, str]:
    return {"sha256": sha256(data).hexdigest(), "envelope": base64.b64encode(data).decode("ascii")}


def _unenclosed(whole: _Signed, name: str) -> bytes:
    """The bytes of a file that a reveal encloses. Raises BadChallenge."""
    held = whole.document[name]
    try:
        data = base64.b64decode(held["envelope"], validate=True)
    except ValueError:
        raise BadChallenge(Reason.UNREADABLE, f"the reveal: {name}: this is not in base64") from None
    if held != _enclosed(data):
        raise BadChallenge(Reason.MIXED, f"the reveal: {name}: the digest does not fit what is enclosed")
    return data
