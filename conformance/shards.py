"""Parts of a run, each sent by somebody else: whose share is what, and how their evidence becomes that of one run.

Everything that is planned has a place in the run, counted from 1, and goes to one of the shards by it. The requests
that others are compared with are sent by every shard, and judged in the first. What needs the target for itself, its
states and signatures, is sent by the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """One of several parts of a run."""

    number: int = 1
    """Counted from 1."""
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard of such a text as ``2/3``. Raises ValueError."""
        found = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text, re.ASCII)
        shard = cls(*map(int, found.groups())) if found else None
        if shard is None or shard.number > shard.of:
            raise ValueError(f"{text!r} is no shard such as 2/3")
        return shard

    @property
    def first(self) -> bool:
        """Whether this one judges what all of them send."""
        return self.number == 1

    @property
    def last(self) -> bool:
        """Whether this one sends what needs the target for itself."""
        return self.number == self.of

    def has(self, place: int) -> bool:
        """Whether what stands at a place of the run is for this one to send."""
        return place % self.of == self.number % self.of


WHOLE = Shard()
