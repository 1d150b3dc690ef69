"""What a target provides for the clauses that need its help: keys to sign with, and hooks that change its state.

Secrets are never here: a target file names the environment variables, or the profile, that hold them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATES = ("stopped", "conflict", "forbidden", "throttled", "fault")
"""The states that hooks can put a target into, in the order in which a run enters them."""


@dataclass(frozen=True)
class Keys:
    """Where the keys of a principal are found: in environment variables of these names, or in a profile."""

    access_key_env: str = "AWS_ACCESS_KEY_ID"
    secret_key_env: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 (a name)
    session_token_env: str = "AWS_SESSION_TOKEN"  # noqa: S105 (a name)
    profile: str | None = None
    """The name of a profile in the shared AWS configuration; it takes the place of the variables."""


@dataclass(frozen=True)
class SigV4:
    """Requests are signed with AWS Signature Version 4."""

    region: str
    service: str = "lookoutvision"
    keys: Keys = field(default_factory=Keys)


@dataclass(frozen=True)
class StaticHeader:
    """Requests carry a header of a fixed value, which an environment variable holds."""

    header: str
    value_env: str


Auth = SigV4 | StaticHeader


@dataclass(frozen=True)
class HttpCall:
    """A hook that is called over HTTP; any 2xx answer means that it worked."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {re.sub('//[^/?#]*@', '//', self.url)}"


@dataclass(frozen=True)
class Command:
    """A hook that is a program with its arguments; exit code 0 means that it worked. No shell is involved."""

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.arguments)


Hook = HttpCall | Command


@dataclass(frozen=True)
class State:
    """A state that the target can be put into: by hooks, or by the keys of a principal who always is in it."""

    name: str
    enter: Hook | None = None
    leave: Hook | None = None
    keys: Keys | None = None
    seconds: float = 10.0
    """For one attempt at a hook."""
    retries: int = 0
    """Further attempts at a hook that fails."""
    scene: str | None = None
    """The running scene that is asked in that state; None for the first."""


def parse_auth(entry: Mapping[str, Any]) -> Auth:
    """The authentication of a document's ``auth`` table, which has no complaints."""
    if entry["kind"] == "header":
        return StaticHeader(entry["header"], entry["value_env"])
    return SigV4(entry["region"], entry.get("service", SigV4.service), _keys(entry))


def parse_state(name: str, entry: Mapping[str, Any]) -> State:
    """One of a document's ``states`` tables, which has no complaints."""
    return State(
        name,
        _hook(entry.get("enter")),
        _hook(entry.get("leave")),
        _keys(entry["keys"]) if "keys" in entry else None,
        float(entry.get("seconds", State.seconds)),
        int(entry.get("retries", State.retries)),
        entry.get("scene"),
    )


def auth_document(auth: Auth) -> dict[str, Any]:
    """The ``auth`` table that declares this: the names of what is used, and never a value."""
    if isinstance(auth, StaticHeader):
        return {"kind": "header", **vars(auth)}
    keys = {name: value for name, value in vars(auth.keys).items() if value is not None}
    return {"kind": "sigv4", "region": auth.region, "service": auth.service, **keys}


def _hook(entry: Mapping[str, Any] | None) -> Hook | None:
    if entry is None:
        return None
    if "command" in entry:
        return Command(tuple(entry["command"]))
    return HttpCall(entry.get("method", "POST"), entry["url"], entry.get("headers", {}), entry.get("body", ""))


def _keys(entry: Mapping[str, Any]) -> Keys:
    named = ("access_key_env", "secret_key_env", "session_token_env", "profile")
    return Keys(**{name: entry[name] for name in named if name in entry})
