"""The walk through the schemas: it agrees with a validator, nulls count as absent, unknown keywords are refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.contract.document import document
from conformance.contract.schema import checks, shown

RESULT = document().result
ORACLE = Draft202012Validator(RESULT)
LAWS = settings(deadline=None, derandomize=True, max_examples=300)

Path = tuple[str | int, ...]


def broken(value: Any) -> list[str]:
    """The clauses that a document breaks, once for each broken constraint."""
    return [check.clause for check in checks(RESULT, value) if check.actual is not None]


# JSON Schema lets `$` match before a final newline; the contract wants full matches, so the oracle gets no newlines
TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-2, 2) | st.floats(-2, 2, allow_nan=False)
SCALARS = st.booleans() | NUMBERS | TEXTS | st.sampled_from(["direct", "background", "#FFFFFF", "", "AAAA", "A" * 257])
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
NAMES = st.text("azAZ09", min_size=1, max_size=8)
FRACTIONS = st.floats(0, 1) | st.sampled_from([0, 1])
PIXELS = st.fixed_dictionaries(
    {"Color": st.from_regex(r"\A#[a-zA-Z0-9]{6}\Z"), "TotalPercentageArea": FRACTIONS}, optional={"Extra": SCALARS}
)
BACKGROUND = st.fixed_dictionaries({"Name": st.just("background"), "PixelAnomaly": PIXELS})
ANOMALIES = st.tuples(BACKGROUND, st.lists(st.fixed_dictionaries({"Name": NAMES, "PixelAnomaly": PIXELS}), max_size=2))
SOUND = st.fixed_dictionaries(
    {
        "DetectAnomalyResult": st.fixed_dictionaries(
            {"IsAnomalous": st.booleans(), "Confidence": FRACTIONS},
            optional={
                "Source": st.sampled_from([{}, {"Type": "direct"}, {"Type": "direct", "Extra": 1}]),
                "Anomalies": ANOMALIES.map(lambda parts: [parts[0], *parts[1]]),
                "AnomalyMask": st.sampled_from(["AAAA", "iVBORw==", "AAA=", "+/+/"]),
                "Extra": ANYTHING,
            },
        )
    },
    optional={"Extra": ANYTHING},
)


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in a document, the whole first."""
    yield at
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(each, (*at, key))


def replaced(value: Any, at: Path, new: Any) -> Any:
    """A copy of a document with something else in one place."""
    if not at:
        return new
    value = copy.copy(value)
    value[at[0]] = replaced(value[at[0]], at[1:], new)
    return value


def removed(value: Any, at: Path) -> Any:
    """A copy of a document without one place."""
    if len(at) > 1:
        return replaced(value, at[:1], removed(value[at[0]], at[1:]))
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if key != at[0]}
    return [each for index, each in enumerate(value) if index != at[0]]


@st.composite
def mutated(draw: st.DrawFn, new: st.SearchStrategy[Any] = ANYTHING) -> Any:
    """A sound result with up to three places replaced or removed."""
    value = draw(SOUND)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(value))
        at = draw(st.sampled_from(places[1:] or places))
        gone = draw(st.booleans())
        value = removed(value, at) if gone and at else replaced(value, at, draw(new))
    return value


@LAWS
@given(SOUND)
def test_sound_results_break_nothing(value: Any) -> None:
    """What is written by the contract is kept by both."""
    assert (ORACLE.is_valid(value), broken(value)) == (True, [])


@LAWS
@given(mutated())
def test_the_walk_agrees_with_a_validator(value: Any) -> None:
    """A result without nulls is valid if and only if no constraint is broken."""
    assert ORACLE.is_valid(value) == (not broken(value))


@LAWS
@given(ANYTHING)
def test_the_walk_agrees_with_a_validator_on_anything(value: Any) -> None:
    """Whatever the JSON value, result or not."""
    assert ORACLE.is_valid(value) == (not broken(value))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value if each is not None] if isinstance(value, list) else value


@LAWS
@given(mutated(st.none()))
def test_nulls_count_as_absent(value: Any) -> None:
    """A result with nulls meets and breaks what it would without them."""

    def outcome(each: Any) -> list[tuple[str, str, str, bool]]:
        found = checks(RESULT, each)
        return [(check.clause, check.keyword, check.where, check.actual is None) for check in found]

    assert outcome(without_nulls(value)) == outcome(value)


def result(**members: Any) -> Any:
    return {"DetectAnomalyResult": {"IsAnomalous": True, "Confidence": 0.5, **members}}


def listed(**members: Any) -> Any:
    """A result with one anomaly behind the background."""
    pixels = {"Color": "#FFFFFF", "TotalPercentageArea": 1}
    entry = {"Name": "scratch", "PixelAnomaly": {**pixels, "Color": "#000000"}, **members}
    return result(Anomalies=[{"Name": "background", "PixelAnomaly": pixels}, entry])


def coloured(**members: Any) -> Any:
    return listed(PixelAnomaly={"Color": "#000000", "TotalPercentageArea": 0, **members})


BREACHES = {
    "no-object": ([], "success.result"),
    "no-result": ({}, "success.result"),
    "null-result": ({"DetectAnomalyResult": None}, "success.result"),
    "result-misspelt": ({"detectAnomalyResult": {}}, "success.result"),
    "result-is-a-list": ({"DetectAnomalyResult": []}, "success.result"),
    "no-decision": ({"DetectAnomalyResult": {"Confidence": 1}}, "result.is-anomalous"),
    "decision-in-words": (result(IsAnomalous="true"), "result.is-anomalous"),
    "decision-is-a-number": (result(IsAnomalous=1), "result.is-anomalous"),
    "no-confidence": ({"DetectAnomalyResult": {"IsAnomalous": True}}, "result.confidence"),
    "null-confidence": (result(Confidence=None), "result.confidence"),
    "confidence-in-words": (result(Confidence="0.5"), "result.confidence"),
    "confidence-is-a-boolean": (result(Confidence=True), "result.confidence"),
    "confidence-in-percent": (result(Confidence=50), "result.confidence"),
    "confidence-just-below": (result(Confidence=-1e-9), "result.confidence"),
    "confidence-just-above": (result(Confidence=1.0000001), "result.confidence"),
    "confidence-endless": (result(Confidence=float("inf")), "result.confidence"),
    "source-is-a-word": (result(Source="direct"), "result.source"),
    "other-source": (result(Source={"Type": "s3"}), "result.source"),
    "source-in-upper-case": (result(Source={"Type": "DIRECT"}), "result.source"),
    "anomalies-are-no-list": (result(Anomalies={}), "anomalies.kind"),
    "no-background": (result(Anomalies=[]), "anomalies.background"),
    "only-nulls": (result(Anomalies=[None]), "anomalies.background"),
    "background-in-upper-case": (
        result(Anomalies=[{"Name": "BACKGROUND", "PixelAnomaly": {"Color": "#FFFFFF", "TotalPercentageArea": 1}}]),
        "anomalies.background",
    ),
    "empty-name": (listed(Name=""), "anomalies.names"),
    "name-of-257": (listed(Name="a" * 257), "anomalies.names"),
    "name-with-a-hyphen": (listed(Name="deep-scratch"), "anomalies.names"),
    "name-with-an-umlaut": (listed(Name="ä"), "anomalies.names"),
    "name-and-newline": (listed(Name="scratch\n"), "anomalies.names"),
    "name-is-a-number": (listed(Name=7), "anomalies.names"),
    "no-pixels": (listed(PixelAnomaly=None), "anomalies.area"),
    "no-area": (coloured(TotalPercentageArea=None), "anomalies.area"),
    "area-in-percent": (coloured(TotalPercentageArea=1.5), "anomalies.area"),
    "negative-area": (coloured(TotalPercentageArea=-0.1), "anomalies.area"),
    "area-in-words": (coloured(TotalPercentageArea="0.1"), "anomalies.area"),
    "colour-without-hash": (coloured(Color="0000000"), "anomalies.colours"),
    "colour-of-six": (coloured(Color="#00000"), "anomalies.colours"),
    "colour-of-eight": (coloured(Color="#0000000"), "anomalies.colours"),
    "colour-and-newline": (coloured(Color="#00000\n"), "anomalies.colours"),
    "mask-unpadded": (result(AnomalyMask="AAAAAA"), "mask.base64"),
    "mask-for-urls": (result(AnomalyMask="-_-_"), "mask.base64"),
    "mask-with-line-break": (result(AnomalyMask="AAAA\n"), "mask.base64"),
    "mask-is-a-number": (result(AnomalyMask=1), "mask.base64"),
    "empty-mask": (result(AnomalyMask=""), "mask.length"),
}


@pytest.mark.parametrize(("value", "clause"), BREACHES.values(), ids=BREACHES)
def test_a_breach_has_its_clause(value: Any, clause: str) -> None:
    """One fault in a result breaks one clause."""
    assert {clause} == set(broken(value))


KEPT = {
    "least": result(),
    "integers": result(Confidence=1),
    "zero": result(Confidence=0.0),
    "extra-members": {**result(Extra=[None]), "More": {"DetectAnomalyResult": None}},
    "nulls": result(Source=None, Anomalies=None, AnomalyMask=None),
    "null-type": result(Source={"Type": None}),
    "null-between-anomalies": result(
        Anomalies=[None, {"Name": "background", "PixelAnomaly": {"Color": "#FFFFFF", "TotalPercentageArea": 1}}]
    ),
    "name-of-256": listed(Name="a" * 256),
    "colour-that-is-not-hex": coloured(Color="#GGGGGG"),
    "colour-in-lower-case": coloured(Color="#abcdef"),
    "area-of-nothing": coloured(TotalPercentageArea=0),
}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_liberties_break_nothing(value: Any) -> None:
    """Null counts as absent, and what the contract leaves free is free."""
    assert broken(value) == []


def test_a_constraint_that_was_never_met_is_not_reported() -> None:
    """A result without anomalies says nothing about their names."""
    assert {"success.result", "result.is-anomalous", "result.confidence"} == {
        check.clause for check in checks(RESULT, result())
    }


@pytest.mark.parametrize(
    "keyword",
    "$ref not oneOf if const2 uniqueItems additionalProperties exclusiveMinimum multipleOf maxItems contains".split(),
)
def test_unknown_keywords_are_refused(keyword: str) -> None:
    """What the walk does not know it must not pass over."""
    with pytest.raises(NotImplementedError, match=keyword.replace("$", r"\$")):
        list(checks({"x-clause": "success.result", keyword: True}, {}))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(ANYTHING | st.text(max_size=500), st.integers(1, 200))
def test_values_are_shown_on_one_short_line(value: Any, limit: int) -> None:
    """Whatever a target answers, a report shows a line of limited length."""
    text = shown(value, limit)
    assert len(text) <= limit + len("... (9999 characters)")
    assert text.isprintable()
