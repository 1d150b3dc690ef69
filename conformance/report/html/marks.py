"""How outcomes and conclusions look on a page: a class of the style, a glyph, and the word itself."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.contract.clauses import Level
from conformance.report.markdown import MARKS
from conformance.report.record import Conclusion, Outcome

REMARK = "△"


@dataclass(frozen=True)
class Mark:
    """A word that is marked."""

    kind: str
    """The class by which the style knows it."""
    glyph: str
    text: str


_CONCLUSIONS = {
    Conclusion.CONFORMANT: ("passed", "✓"),
    Conclusion.NON_CONFORMANT: ("failed", "✗"),
    Conclusion.INDETERMINATE: ("error", "!"),
    Conclusion.PARTIAL: ("partial", "–"),
}


def of_conclusion(conclusion: Conclusion) -> Mark:
    """The mark of a report's conclusion."""
    return Mark(*_CONCLUSIONS[conclusion], str(conclusion))


def of_outcome(outcome: Outcome, level: Level) -> Mark:
    """The mark of a clause's outcome; a failed SHOULD is a remark."""
    if outcome is Outcome.FAILED and level is Level.SHOULD:
        return Mark("remark", REMARK, str(outcome))
    return Mark(css(outcome), MARKS[outcome][0], str(outcome))


def css(word: str) -> str:
    """A word, or words, as the name of a class."""
    return str(word).replace(" ", "-")
