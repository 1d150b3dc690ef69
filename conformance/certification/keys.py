"""Key lists: whose keys are believed, for what, and how long."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from conformance.certification import ed25519, private, shapes
from conformance.mistake import OperatorMistake

MOST_BYTES = 4 * 1024 * 1024
"""Of a key list."""
DAYS = 730
"""How long a key is believed, where nobody says otherwise."""


class Role(StrEnum):
    """What a key may sign."""

    VENDOR = "vendor"
    CERTIFIER = "certifier"


@dataclass(frozen=True)
class Key:
    """A public key, whose it is, and how far it is believed."""

    id: str
    public: Ed25519PublicKey
    owner: str
    role: Role
    since: date
    """The first day whose signatures count."""
    until: date
    """The last day whose signatures count."""
    revoked: str = ""
    """Why it is believed no more, whatever day a signature claims; empty while it is."""

    @property
    def fate(self) -> str:
        """That it is revoked, whose it was, and why: the rest of a sentence."""
        return f"({self.owner}) is revoked: {self.revoked}"

    def objection(self, role: Role, day: date) -> str:
        """Why what it signed on that day, in that role, does not count: the rest of a sentence. Empty when it does."""
        if self.revoked:
            return self.fate
        if self.role is not role:
            return f"({self.owner}) is a {self.role}'s, and this is for a {role} to sign"
        if day < self.since:
            return f"({self.owner}) is not in force before {self.since}, and this was signed on {day}"
        if day > self.until:
            return f"({self.owner}) is not in force after {self.until}, and this was signed on {day}"
        return ""


def load_keys(path: Path) -> Mapping[str, Key]:
    """The keys of a key list, by id. Raises OperatorMistake, naming file and entry, when anything in it is wrong."""
    content = private.read(path, "key list", MOST_BYTES)
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise OperatorMistake(f"{path}: this key list is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        # a TOML error says where, and at most which character
        raise OperatorMistake(f"{path}: this cannot be read as TOML: {error}") from None
    plain = shapes.with_dates_as_words(document)
    for complaint in shapes.complaints(plain, "keys.schema.json"):
        raise OperatorMistake(f"{path}: {complaint}")
    try:
        return {each.id: each for each in _listed(plain["key"])}
    except ValueError as error:
        raise OperatorMistake(f"{path}: {error}") from None


def _listed(entries: list[Mapping[str, Any]]) -> Iterator[Key]:
    """Every entry. Raises ValueError with a sentence that names it."""
    seen = set()
    for number, entry in enumerate(entries, 1):
        try:
            found = _one(entry)
        except ValueError as error:
            raise ValueError(f"key {number}: {error}") from None
        if found.id in seen:
            raise ValueError(f"key {number}: id: this key is listed already")
        seen.add(found.id)
        yield found


def _one(entry: Mapping[str, Any]) -> Key:
    try:
        public = ed25519.public_key(entry["public"])
    except ValueError as error:
        raise ValueError(f"public: {error}") from None
    if entry["id"] != ed25519.key_id(public):
        raise ValueError(f"id: this is not the id of its public key, which is {ed25519.key_id(public)}")
    revoked = entry.get("revoked")
    since, until = _day(entry, "from"), _day(entry, "until")
    if since > until:
        raise ValueError(f"until: {until} is before {since}, its first day")
    if revoked:
        _day(revoked, "on")
    why = f"{revoked['reason']} ({revoked['on']})" if revoked else ""
    return Key(entry["id"], public, entry["owner"], Role(entry["role"]), since, until, why)


def _day(entry: Mapping[str, Any], key: str) -> date:
    try:
        return date.fromisoformat(entry[key])
    except ValueError:
        raise ValueError(f"{key}: there is no such day") from None


def draft(public: Ed25519PublicKey, today: date, role: Role = Role.VENDOR) -> str:
    """The entry for a key list, as TOML. Whose key it is remains to be filled in."""
    return "\n".join(
        (
            "[[key]]",
            f'id = "{ed25519.key_id(public)}"',
            f'public = """\n{ed25519.pem(public)}"""',
            'owner = "whose key it is"',
            f'role = "{role}" # vendor or certifier',
            f"from = {today}",
            f"until = {today + timedelta(days=DAYS)}",
        )
    )
