"""The rules, gathered in reading order. A rule is in force because it is listed here, never because it was imported."""

from conformance.rule import Rule
from conformance.rules import accepted, enforced, errors, http, isolation, observations, segmentation, states, success

RULES: tuple[Rule, ...] = (
    *enforced.RULES,
    *accepted.RULES,
    *success.RULES,
    *segmentation.RULES,
    *errors.RULES,
    *states.RULES,
    *http.RULES,
    *isolation.RULES,
    *observations.RULES,
)
