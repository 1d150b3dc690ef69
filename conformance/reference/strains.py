"""The reference gone wrong, and the reference gone its own way: what the suite is tested with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.reference.app import Behaviour
from conformance.reference.credentials import Credentials, Principal

MASTER = Principal("AKIAMASTEROFTHEMODEL", "a secret that only tests know", "a token that only tests know")
GUEST = Principal("AKIAGUESTWITHOUTANY1", "another secret that only tests know", allowed=False)
CREDENTIALS = Credentials((MASTER, GUEST))
"""Whom guarded strains know."""


@dataclass(frozen=True)
class Mutant:
    """The reference with one fault."""

    id: str
    """The false sentence that it lives by, as words: ``mask-is-one-pixel-too-narrow``."""
    fault: str
    """What is wrong, in one sentence."""
    clauses: tuple[str, ...]
    """The clauses any of which must catch it, the most telling one first."""
    behaviour: Behaviour
    needs_sockets: bool = False
    """It only shows over real sockets, with requests in flight at the same time."""
    guarded: bool = False
    """It asks for signatures, of ``CREDENTIALS``: its ``behaviour.admit`` looks at them."""
    deaf_to: frozenset[str] = frozenset()
    """States that it is not brought into, though the hook says so."""
    stuck_in: frozenset[str] = frozenset()
    """States that it does not leave, though the hook says so."""
    recognises: bool = False
    """It serves the suite well: it takes two passes to show it, of which one says who asks and the other does not."""


@dataclass(frozen=True)
class Variant:
    """The reference with one permitted freedom, which nothing may catch."""

    id: str
    """The freedom that it takes, as words: ``message-in-lower-case``."""
    freedom: str
    """Why it is lawful, in one sentence that names the source."""
    behaviour: Behaviour
    declares: Mapping[str, Any] = field(default_factory=dict)
    """What its target file says beyond the reference's: a fragment of one, such as ``{"limits": {...}}``."""
    guarded: bool = False
    """It asks for signatures, of ``CREDENTIALS``: its ``behaviour.admit`` looks at them."""
