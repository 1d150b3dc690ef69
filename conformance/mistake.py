"""The one exception that an operator sees: something that they gave us is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class OperatorMistake(Exception):
    """A mistake of the operator: its text is one sentence that names the place. The command exits with 2."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word, as the tail of a sentence; empty when none is near."""
    nearest = get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
