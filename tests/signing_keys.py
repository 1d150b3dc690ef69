"""Keys that tests sign with: always the same ones, so that what they sign is, too."""

from __future__ import annotations

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conformance.certification.ed25519 import SigningKey
from conformance.certification.keys import Key, Role


def signing_key(number: int) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


CERTIFIER, VENDOR, STRANGER = map(signing_key, (1, 2, 3))
SINCE, UNTIL = date(2026, 1, 1), date(2026, 12, 31)


def listed(key: SigningKey, role: Role = Role.CERTIFIER, revoked: str = "") -> Key:
    return Key(key.id, key.public, "Acme", role, SINCE, UNTIL, revoked)


def key_list(*entries: Key) -> dict[str, Key]:
    return {each.id: each for each in entries}


KEYS = key_list(listed(CERTIFIER), listed(VENDOR, Role.VENDOR))
