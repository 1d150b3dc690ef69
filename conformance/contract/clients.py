"""What breaks whom: the clients that were measured, and what each makes of a server that breaches a clause.

Nothing here is judged by. It says why a clause matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from conformance.contract.clauses import load_yaml


@dataclass(frozen=True)
class Client:
    """A real client that was measured."""

    id: str
    name: str
    version: str
    alike: str = ""
    """Another client, measured to read the same."""

    def __str__(self) -> str:
        return f"{self.name} ({self.version}{f' and {self.alike}' if self.alike else ''})"


@dataclass(frozen=True)
class Breach:
    """One way to breach a clause."""

    breach: str
    """What the server does."""
    clients: Mapping[str, str]
    """What that is in each client that it harms, by id. Whoever was measured and is not here is not harmed."""

    def __str__(self) -> str:
        return f"{self.breach}: {_told([self]) or f'harms none of the {len(measured().clients)} clients'}"


@dataclass(frozen=True)
class Measured:
    """Everything that was measured: the clients by id, and the breaches by the id of their clause."""

    clients: Mapping[str, Client]
    breaches: Mapping[str, tuple[Breach, ...]]


@cache
def measured() -> Measured:
    """What travels with this version of the suite."""
    document = load_yaml("clients.yaml")
    clients = {entry["id"]: Client(**entry) for entry in document["clients"]}
    return Measured(clients, {clause: _breaches(entries) for clause, entries in document["breaches"].items()})


def breaches_of(clause: str) -> tuple[Breach, ...]:
    """The breaches of a clause that were measured; none where nothing was."""
    return measured().breaches.get(clause, ())


def in_short(breaches: Sequence[Breach]) -> str:
    """What breaches of one clause come to, in a line; empty where none was measured.

    It takes a look at the answer to know which breach it is, so of several all effects are named.
    """
    if len(breaches) <= 1:
        return "".join(map(str, breaches))
    harmless = [] if all(breach.clients for breach in breaches) else ["no harm"]
    return "depending on how: " + "; or ".join([_told(breaches), *harmless])


def _breaches(entries: Iterable[Mapping[str, Any]]) -> tuple[Breach, ...]:
    return tuple(Breach(entry["breach"], entry["clients"]) for entry in entries)


def _told(breaches: Iterable[Breach]) -> str:
    """Each effect with the clients that it is seen in."""
    seen: dict[str, set[str]] = {}
    for breach in breaches:
        for client, effect in breach.clients.items():
            seen.setdefault(effect, set()).add(client)
    return "; ".join(f"{effect} in {_names(clients)}" for effect, clients in seen.items())


def _names(ids: set[str]) -> str:
    """Names of clients in the order of the table, those of a kind together: ``boto3 1.26/1.40, Go v1``."""
    known = measured().clients
    if ids == set(known):
        return f"all {len(known)} clients"
    kinds: dict[str, list[str]] = {}
    for client in known.values():
        if client.id in ids:
            kind, _, which = client.name.partition(" ")
            kinds.setdefault(kind, []).append(which)
    return ", ".join(f"{kind} {'/'.join(which)}" for kind, which in kinds.items())
