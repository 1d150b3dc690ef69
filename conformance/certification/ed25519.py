"""Ed25519 key pairs: made, written, read, and named. Nothing here ever shows a private key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from conformance.certification import private
from conformance.mistake import OperatorMistake

KEY_ID = re.compile(r"[0-9a-f]{64}")
SHORTEST_PASSPHRASE = 16
"""Bytes. PKCS#8 as OpenSSL writes it slows guessing down only 2048 times: the passphrase has to be hard by itself."""
_MOST_BYTES = 64 * 1024
_WHAT = "private key"
_WEAK = frozenset(
    bytes.fromhex(each)
    for each in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""The points of small order, without their signs: under such a key one signature fits many messages."""


@dataclass(frozen=True)
class SigningKey:
    """A private key that can sign, and can neither be printed nor be pickled."""

    _private: Ed25519PrivateKey = field(repr=False)

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"

    @property
    def id(self) -> str:
        """The id of its public key."""
        return key_id(self.public)

    @property
    def public(self) -> Ed25519PublicKey:
        """What its signatures are verified with."""
        return self._private.public_key()

    def sign(self, message: bytes) -> bytes:
        """The signature of a message: 64 bytes, always the same ones (RFC 8032)."""
        return self._private.sign(message)


def key_id(public: Ed25519PublicKey) -> str:
    """SHA-256 of the public key as SubjectPublicKeyInfo in DER, hexadecimal.

    By hand: ``openssl pkey -pubin -in key.pub -outform DER | sha256sum``.
    """
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pem(public: Ed25519PublicKey) -> str:
    """A public key as PEM, with a line break at the end."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """The Ed25519 key of a PEM text that holds nothing else. Raises ValueError with a sentence that quotes nothing."""
    if "PRIVATE KEY" in text:
        raise ValueError("this is a private key: take it out, and do not use it any more")
    try:
        found = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("this is no public key in PEM") from None
    if not isinstance(found, Ed25519PublicKey):
        raise ValueError("this is no Ed25519 key")
    if pem(found).split() != text.split():
        raise ValueError("there is more in it than one public key")
    raw = found.public_bytes_raw()
    if raw[:31] + bytes([raw[31] & 0x7F]) in _WEAK:
        raise ValueError("this key is of small order: anybody could sign with it")
    return found


def verifies(public: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether a signature is of that key and message."""
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_path(path: Path) -> Path:
    """Where the public key to a private one lies: ``acme.pub`` beside ``acme.pem``."""
    return path.with_suffix(".pub")


def generate(path: Path, passphrase: bytes | None = None) -> SigningKey:
    """Make a key pair: PKCS#8 in PEM that its owner alone may read, and the public key in PEM beside it.

    Raises OperatorMistake when either file is there already, and for a short passphrase.
    """
    public = public_path(path)
    if public == path:
        raise OperatorMistake(f"{path}: this is where the public key goes; name the private one otherwise")
    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        raise OperatorMistake(f"the passphrase is shorter than {SHORTEST_PASSPHRASE} bytes")
    made = Ed25519PrivateKey.generate()
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    private.make(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), private.SECRET)
    try:
        private.make(public, pem(made.public_key()).encode())
    except OperatorMistake:
        path.unlink()
        raise
    return SigningKey(made)


def load_signing_key(path: Path, passphrase: bytes | None = None) -> SigningKey:
    """Read a private key. Raises OperatorMistake when it is none, is locked otherwise than said, or open to others."""
    content = private.read(path, _WHAT, _MOST_BYTES, secret=True)
    try:
        found = load_pem_private_key(content, passphrase)
    except TypeError:
        said = "it needs a passphrase; name the environment variable that holds it with --passphrase-env"
        raise OperatorMistake(f"{path}: {'it is not locked with a passphrase' if passphrase else said}") from None
    except (ValueError, UnsupportedAlgorithm):
        said = ", or this is not its passphrase" if passphrase else ""
        raise OperatorMistake(f"{path}: this is no private key in PEM (PKCS#8){said}") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise OperatorMistake(f"{path}: this is no Ed25519 key")
    return SigningKey(found)


def passphrase_of(name: str | None, environ: Mapping[str, str]) -> bytes | None:
    """The passphrase in the environment variable of that name; None without a name. Raises OperatorMistake."""
    if name is None:
        return None
    if not environ.get(name):
        raise OperatorMistake(f"--passphrase-env: the environment variable {name} is not set")
    return environ[name].encode("utf-8", "surrogateescape")
