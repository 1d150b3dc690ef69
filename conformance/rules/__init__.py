"""The rules, gathered in reading order. A rule is in force because it is listed here, never because it was imported."""

from conformance.rule import Rule
from conformance.rules import (
    accepted,
    auth,
    enforced,
    errors,
    http,
    isolation,
    observations,
    sdk,
    segmentation,
    states,
    success,
)

RULES: tuple[Rule, ...] = (
    *enforced.RULES,
    *accepted.RULES,
    *success.RULES,
    *segmentation.RULES,
    *errors.RULES,
    *states.RULES,
    *auth.RULES,
    *http.RULES,
    *isolation.RULES,
    *sdk.RULES,
    *observations.RULES,
)
