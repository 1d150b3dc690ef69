"""DSSE envelopes: what is signed, by whom, and whether that is so.

The format is DSSE 1.0 (https://github.com/secure-systems-lab/dsse) with Ed25519 signatures. What is read here is held
to more than it demands: standard base64 in its one canonical form, no members beyond its own, a key id on every
signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from conformance.certification.ed25519 import KEY_ID, SigningKey, verifies
from conformance.certification.keys import Key
from conformance.formats import strict_json
from conformance.mistake import OperatorMistake

IN_TOTO = "application/vnd.in-toto+json"
"""The payload type of in-toto statements."""
MOST_BYTES = 4 * 1024 * 1024
"""Of an envelope. Objects and arrays in it nest no deeper than ``strict_json.MAX_DEPTH``."""
MOST_SIGNATURES = 16
_SIGNATURE_BYTES = 64


class Reason(StrEnum):
    """Why an envelope is not taken."""

    UNREADABLE = "unreadable"  # it is no such envelope, or its payload is none of that type
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"  # none of its signatures claims a key that is known
    REVOKED_KEY = "revoked key"  # those that are known are revoked
    BAD_SIGNATURE = "bad signature"  # a key that is known did not make the signature that claims it


class Unopened(OperatorMistake):
    """An envelope is not taken, and ``reason`` says why."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Envelope:
    """What an envelope holds. Nothing of it is verified yet."""

    payload_type: str
    payload: bytes
    statement: Mapping[str, Any]
    """The JSON object that the payload is."""
    signatures: Mapping[str, bytes]
    """By the id of the key that each claims; at least one."""

    def encoded(self) -> bytes:
        """The one form in which it is written: canonical JSON, and a line break."""
        return _encoded(self.payload_type, self.payload, self.signatures)

    @property
    def is_canonical(self) -> bool:
        """Whether the payload is written the way it is written here."""
        return canonical(self.statement) == self.payload


@dataclass(frozen=True)
class Opened:
    """What an envelope holds, verified."""

    statement: Mapping[str, Any]
    signers: tuple[str, ...]
    """The ids of the keys whose signatures hold, in order of writing; at least one."""
    strangers: tuple[str, ...] = ()
    """The ids that other signatures claim, of keys that are unknown or revoked: they prove nothing."""

    @property
    def key_id(self) -> str:
        """The id of the first key whose signature holds."""
        return self.signers[0]


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document as JSON in one form: members sorted by code point, no blanks, UTF-8.

    Raises ValueError or TypeError for what is not plain JSON: NaN and infinities, lone surrogates, cycles, sets, and
    what nests too deep.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    data = text.encode("utf-8")
    if isinstance(found := strict_json.parse(data), strict_json.Flaw):
        raise ValueError(found.reason)
    return data


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is really signed: DSSE's pre-authentication encoding, by which no payload passes for one of another type."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(statement: Mapping[str, Any], key: SigningKey, payload_type: str = IN_TOTO) -> bytes:
    """An envelope with a signed statement: the same bytes for the same statement and key.

    Raises ValueError or TypeError for a statement that is not plain JSON, or too large.
    """
    payload = canonical(statement)
    data = _encoded(payload_type, payload, {key.id: key.sign(pae(payload_type, payload))})
    if len(data) > MOST_BYTES:
        raise ValueError(f"the envelope would be larger than {MOST_BYTES} bytes")
    return data


def read(data: bytes, payload_type: str = IN_TOTO) -> Envelope:
    """What an envelope holds, without a look at keys. Raises Unopened: UNREADABLE or UNSIGNED."""
    if len(data) > MOST_BYTES:
        raise _unreadable(f"the envelope is larger than {MOST_BYTES} bytes")
    outer = _object(data, "the envelope")
    _check_members(outer, {"payload", "payloadType", "signatures"}, "the envelope")
    if outer["payloadType"] != payload_type:
        raise _unreadable(f"what is signed is not of the type {payload_type}")
    payload = _decoded(outer["payload"], "the payload")
    statement = _object(payload, "the payload")
    return Envelope(payload_type, payload, statement, _signatures(outer["signatures"]))


def opened(data: bytes, keys: Mapping[str, Key], payload_type: str = IN_TOTO) -> Opened:
    """What an envelope holds, once a key of the list vouches for it. ``keys`` are by id.

    Signatures of keys that are unknown or revoked are passed over as long as one holds; one of another key of the list
    that does not hold spoils all. Whether the key was in force that day, and may sign such a thing, is for the caller
    to say (``Key.objection``): only the statement tells the day. Raises Unopened.
    """
    envelope = read(data, payload_type)
    known = {name: signature for name, signature in envelope.signatures.items() if name in keys}
    if not known:
        first = next(iter(envelope.signatures))
        raise Unopened(Reason.UNKNOWN_KEY, f"it is signed with a key that is not known: {first}")
    believed = {name: signature for name, signature in known.items() if not keys[name].revoked}
    if not believed:
        raise Unopened(Reason.REVOKED_KEY, " and ".join(f"the key {name} {keys[name].fate}" for name in known))
    message = pae(envelope.payload_type, envelope.payload)
    for name, signature in believed.items():
        if not verifies(keys[name].public, signature, message):
            raise Unopened(Reason.BAD_SIGNATURE, f"the signature of the key {name} does not fit what is signed")
    strangers = tuple(name for name in envelope.signatures if name not in believed)
    return Opened(envelope.statement, tuple(believed), strangers)


def _encoded(payload_type: str, payload: bytes, signatures: Mapping[str, bytes]) -> bytes:
    rows = [{"keyid": name, "sig": _armoured(signature)} for name, signature in signatures.items()]
    return canonical({"payload": _armoured(payload), "payloadType": payload_type, "signatures": rows}) + b"\n"


def _armoured(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: Any, what: str) -> bytes:
    """What base64 stands for; other ways to write the same bytes are refused, so that an envelope has one form."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        data = None
    if data is None or _armoured(data) != text:
        raise _unreadable(f"{what} is not in standard base64")
    return data


def _object(data: bytes, what: str) -> Mapping[str, Any]:
    found = strict_json.parse(data)
    if isinstance(found, strict_json.Flaw):
        raise _unreadable(f"{what} is no JSON: {found.reason}")
    if not isinstance(found.value, dict):
        raise _unreadable(f"{what} is no JSON object")
    try:
        canonical(found.value)
    except ValueError:
        raise _unreadable(f"{what} holds a number or a text that nobody can write down again") from None
    return found.value


def _check_members(document: Mapping[str, Any], names: set[str], what: str) -> None:
    if set(document) != names:
        raise _unreadable(f"{what} needs {', '.join(sorted(names))}, and nothing else")


def _signatures(rows: Any) -> Mapping[str, bytes]:
    if not isinstance(rows, list) or len(rows) > MOST_SIGNATURES:
        raise _unreadable(f"signatures is no list of at most {MOST_SIGNATURES}")
    if not rows:
        raise Unopened(Reason.UNSIGNED, "nobody has signed it")
    found = dict(map(_signature, rows))
    if len(found) < len(rows):
        raise _unreadable("one key has signed it twice")
    return found


def _signature(row: Any) -> tuple[str, bytes]:
    if not isinstance(row, dict):
        raise _unreadable("a signature is no JSON object")
    _check_members(row, {"keyid", "sig"}, "a signature")
    name, signature = row["keyid"], _decoded(row["sig"], "a signature")
    if not (isinstance(name, str) and KEY_ID.fullmatch(name)):
        raise _unreadable("a signature has no key id of 64 hexadecimal digits, lower case")
    if len(signature) != _SIGNATURE_BYTES:
        raise _unreadable(f"a signature is not {_SIGNATURE_BYTES} bytes long, as Ed25519 has it")
    return name, signature


def _unreadable(sentence: str) -> Unopened:
    return Unopened(Reason.UNREADABLE, sentence)
