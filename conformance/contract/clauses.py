"""The clauses: every demand that the suite knows, how hard it is, and on whose word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import yaml

from conformance.mistake import OperatorMistake, did_you_mean
from conformance.shipped import shipped


class Level(StrEnum):
    """How hard a clause is."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    OBSERVE = "OBSERVE"


@dataclass(frozen=True)
class Clause:
    """One demand, or for OBSERVE one question on which the documents are silent."""

    id: str
    level: Level
    requirement: str
    sources: tuple[str, ...]
    earns: str = ""
    """What a request that breaks the clause must be answered with; empty where requests cannot break it."""
    question: str = ""
    readings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """What a target must declare before the clause can be exercised; of several scenes one is enough."""
    untested: str = ""
    """Why no rule judges the clause. Such a clause is outside the set that a report accounts for."""

    @property
    def section(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Catalogue:
    """All clauses by id, in the order of the document, and the titles of their sections."""

    clauses: Mapping[str, Clause]
    sections: Mapping[str, str]

    def tested(self) -> list[Clause]:
        """The frozen set: every clause that a report accounts for."""
        return [clause for clause in self.clauses.values() if not clause.untested]

    def find(self, word: str) -> Clause:
        """The clause of that id. Raises OperatorMistake with the nearest id."""
        if word not in self.clauses:
            raise OperatorMistake(f"there is no clause {word!r}{did_you_mean(word, self.clauses)}")
        return self.clauses[word]


@cache
def catalogue() -> Catalogue:
    """The clauses that travel with this version of the suite."""
    document = load_yaml("clauses.yaml")
    clauses = {entry["id"]: _clause(entry) for entry in document["clauses"]}
    return Catalogue(clauses, document["sections"])


def retired() -> Mapping[str, str]:
    """The ids of clauses that are no more, each with the version of the suite that first was without it."""
    return {entry["id"]: entry["left"] for entry in load_yaml("tombstones.yaml")["retired"]}


def load_yaml(name: str) -> Any:
    """A shipped YAML document from ``schemas/``."""
    return parse_yaml(shipped("schemas", name).read_bytes())


def parse_yaml(text: bytes) -> Any:
    """A YAML document of ours."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506 (both loaders are safe)


def _clause(entry: Mapping[str, Any]) -> Clause:
    parts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Clause(**{**parts, "level": Level(entry["level"])})
