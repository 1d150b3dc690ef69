"""A bundle under inspection: what the checks share, and what they find out for each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from conformance.certification import bundle
from conformance.certification.bundle import Bundle
from conformance.certification.keys import Key
from conformance.certification.requirements import RequirementSet
from conformance.certification.requirements import load as load_requirements
from conformance.report.record import Report


@dataclass
class Inspection:
    """A bundle under inspection. What one check has found out, the next ones build on."""

    bundle: Bundle
    keys: Mapping[str, Key]
    now: datetime
    trusted: bool = True
    """Whether the keys are those of somebody who vouches for them."""
    statement: Mapping[str, Any] = field(default_factory=dict)
    key_id: str = ""
    countersigned: str = ""
    """Who has verified it before; empty when nobody has."""
    reports: dict[str, Report] = field(default_factory=dict)
    """By folder: what the evidence comes to when it is judged again."""

    @property
    def predicate(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.statement["predicate"]
        return said

    @cached_property
    def requirements(self) -> RequirementSet:
        return load_requirements(str(self.predicate["requirements"]["id"]))

    @property
    def disguised(self) -> list[Report]:
        return [self.reports[name] for name in bundle.RUNS]
