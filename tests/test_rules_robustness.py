"""Whatever a target answers, every rule has an opinion or none, and the same one again; no rule ever raises."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conformance.cases.plan import plan
from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.judge import Judge, Verdict, judge
from conformance.message import Answer, NoAnswer, Response, Silence
from conformance.rules import RULES
from conformance.target import Target, load

# a failure prints its exchange, images and all
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

ROOT = Path(__file__).parent.parent
LAWS = settings(deadline=None, derandomize=True, max_examples=250)


@cache
def target() -> Target:
    return load(ROOT / "fixtures" / "targets" / "reference.toml")


@cache
def cases() -> list[Case]:
    """The planned cases, those with heavy bodies left out."""
    return [case for case in plan(target(), b"127.0.0.1:8080").cases() if len(case.request.wire) < 300_000]


@cache
def mask(width: int = 8, height: int = 6, mode: str = "RGB") -> str:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


MASKS = st.sampled_from(
    [mask(), mask(mode="P"), mask(mode="RGBA"), mask(256, 192), mask()[:-8], mask() + "\n", "", "AAAA", "ä", "\ud800"]
)
STRINGS = (
    st.text(max_size=12)
    | MASKS
    | st.sampled_from(["background", "#FFFFFF", "#ffffff", "#GGGGGG", "#000000", "direct", "x" * 20_000, "\0", "\n"])
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 1e308, 5e-324, 0, 1, 0.5])
SCALARS = st.none() | st.booleans() | NUMBERS | STRINGS
NAMES = st.sampled_from(
    "DetectAnomalyResult IsAnomalous Confidence Source Type Anomalies Name PixelAnomaly Color TotalPercentageArea "
    "AnomalyMask Message message __type code ResourceId ResourceType".split()
) | st.text(max_size=4)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)


def or_anything(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return usual | usual | usual | ANYTHING


def shaped(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object that resembles another: members may be absent or anything at all."""
    return or_anything(st.fixed_dictionaries({}, optional={name: or_anything(each) for name, each in members.items()}))


PIXELS = shaped(Color=st.sampled_from(["#FFFFFF", "#000000", "#ffffff", "#GGGGGG"]), TotalPercentageArea=NUMBERS)
ANOMALIES = st.lists(shaped(Name=st.sampled_from(["background", "scratch", "dent"]), PixelAnomaly=PIXELS), max_size=4)
RESULTS = shaped(
    DetectAnomalyResult=shaped(
        IsAnomalous=st.booleans(),
        Confidence=NUMBERS,
        Source=shaped(Type=st.just("direct")),
        Anomalies=ANOMALIES,
        AnomalyMask=MASKS,
    )
)
ERROR_NAMES = st.sampled_from(
    "ValidationException ResourceNotFoundException ThrottlingException a#b:c # : InvalidSignatureException".split()
)
ERRORS = shaped(
    Message=st.text(max_size=5),
    message=st.text(max_size=5),
    __type=ERROR_NAMES,
    code=ERROR_NAMES,
    ResourceId=st.text(max_size=3),
    ResourceType=st.sampled_from(["PROJECT", "MODEL"]),
)
DOCUMENTS = (RESULTS | ERRORS | ANYTHING).map(lambda value: json.dumps(value).encode())
NESTED = st.integers(60, 1200).map(lambda depth: b"[" * depth + b"]" * depth)
BODIES = DOCUMENTS | DOCUMENTS | st.binary(max_size=200) | NESTED | st.just(b"1" * 5_000)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            b"Content-Type content-type x-amzn-ErrorType X-Amzn-Errortype Retry-After Content-Encoding".split()
        )
        | st.binary(max_size=6),
        st.sampled_from([b"application/json", b"text/html", b"ValidationException", b"a#b:c", b"gzip", b"1", b""])
        | st.binary(max_size=12),
    ),
    max_size=4,
).map(tuple)
JSON_HEADERS = ((b"Content-Type", b"application/json"),)
STATUSES = st.sampled_from([200, 200, 200, 400, 404, 409, 413, 429, 500, 501]) | st.integers(100, 999)
RESPONSES = st.builds(
    Response,
    status=STATUSES,
    headers=st.just(JSON_HEADERS) | HEADERS,
    body=BODIES,
    faults=st.just(()) | st.just(("a fault",)),
    interim=st.just(()) | st.just((100,)),
)
SILENCES = st.builds(NoAnswer, st.sampled_from(Silence), st.sampled_from(["", "after 10 s"]), st.binary(max_size=3))
ANSWERS: st.SearchStrategy[Answer] = RESPONSES | RESPONSES | RESPONSES | SILENCES


@st.composite
def exchanges(draw: st.DrawFn, like: Exchange | None = None) -> Exchange:
    """Any planned case with any answer, or another answer to the request of a given exchange."""
    case = like.case if like else draw(st.integers(0, 10_000).map(lambda number: cases()[number % len(cases())]))
    lost = draw(st.lists(SILENCES, max_size=2).map(tuple))
    return Exchange(case, read(case.request, target()), draw(ANSWERS), lost=lost)


@st.composite
def in_company(draw: st.DrawFn) -> Exchange:
    """An exchange after and beside others, each of them answered anyhow when alone."""
    exchange = draw(exchanges())
    before, near = draw(exchanges()), draw(exchanges())
    alone = draw(st.none() | exchanges(exchange))
    if alone and draw(st.booleans()):
        alone = replace(alone, alone=draw(exchanges(exchange)))
    return replace(
        exchange,
        before=draw(st.sampled_from([None, before, replace(before, alone=near)])),
        alone=alone,
        beside=draw(st.sampled_from([(), (near,), (near, before)])),
    )


def account(verdicts: list[Verdict]) -> list[Any]:
    """What there is to compare of verdicts."""
    return [
        (
            verdict.rule.id,
            verdict.judged,
            verdict.breached,
            [violation.finding for violation in verdict.violations],
            dict(verdict.readings),
            verdict.error,
        )
        for verdict in verdicts
    ]


def fresh(exchange: Exchange) -> Exchange:
    """The same exchange with nothing computed yet."""
    return replace(
        exchange,
        before=fresh(exchange.before) if exchange.before else None,
        alone=fresh(exchange.alone) if exchange.alone else None,
        beside=tuple(map(fresh, exchange.beside)),
    )


@LAWS
@given(exchanges())
def test_no_rule_raises(exchange: Exchange) -> None:
    """Whatever answers whichever case, the judge has no fault of its own to report."""
    assert [verdict.error for verdict in judge([exchange], RULES) if verdict.error] == []


@LAWS
@given(in_company())
def test_no_rule_raises_in_company(exchange: Exchange) -> None:
    """Nor when an exchange is compared with others that were answered anyhow."""
    assert [verdict.error for verdict in judge([exchange], RULES) if verdict.error] == []


@settings(LAWS, max_examples=80)
@given(st.lists(in_company(), max_size=5))
def test_the_judge_is_deterministic(seen: list[Exchange]) -> None:
    """The same exchanges get the same verdicts, findings and readings."""
    assert account(judge(seen, RULES)) == account(judge(map(fresh, seen), RULES))


@settings(LAWS, max_examples=80)
@given(st.lists(exchanges(), max_size=5))
def test_exchanges_are_judged_one_by_one(seen: list[Exchange]) -> None:
    """What is counted over a run is the sum of what single exchanges give, in any order."""
    whole = judge(reversed(seen), RULES)
    parts = [judge([exchange], RULES) for exchange in seen]
    for place, verdict in enumerate(whole):
        assert sum(part[place].judged for part in parts) == verdict.judged
        assert sum(part[place].breached for part in parts) == verdict.breached


@settings(LAWS, max_examples=120)
@given(exchanges())
def test_findings_are_texts_that_can_be_printed(exchange: Exchange) -> None:
    """A finding names place, expectation and fact on short lines, whatever bytes the target put there."""
    bench = Judge(RULES)
    named = bench.see(exchange)
    findings = [violation.finding for verdict in bench.verdicts for violation in verdict.violations]
    assert bool(named) == bool(findings)
    for finding in findings:
        for text in (finding.where, finding.expected, finding.actual):
            assert len(text) < 400
            assert text.encode("utf-8").isascii() or text.isprintable()
