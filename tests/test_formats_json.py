"""The strict reader of JSON: what it refuses, and that it agrees with the standard library on the rest."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.formats.strict_json import Flaw, Json, Value, parse

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("data", "part_of_the_reason"),
    [
        (b"", "nothing was sent"),
        (b" \n", "ends before"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
        ("{}".encode("utf-16-le"), "not JSON at character 1"),
        (b'"\xed\xa0\x80"', "byte 1 is not UTF-8"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"-Infinity", "-Infinity is not a JSON number"),
        (b'{"Confidence":1,"Confidence":1}', "the name 'Confidence' is repeated in one object"),
        (b'[{"a":{"b":1,"\\u0062":2}}]', "the name 'b' is repeated in one object"),
        (b'{"' + b"\xc3\xa9" * 50 + b'":1,"' + b"\xc3\xa9" * 50 + b'":2}', "'" + r"\xe9" * 40 + "'... is repeated"),
        (b"{}{}", "more follows the JSON value, from character 2 on"),
        (b"{}\0", "more follows"),
        (b"01", "more follows"),
        (b"[1,]", "not JSON at character 3"),
        (b"[1", "ends before"),
        (b'"abc', "ends before"),
        (b'"\x1f"', "invalid control character"),
        (b"'a'", "not JSON at character 0"),
        (b"+1", "not JSON at character 0"),
        (b".5", "not JSON at character 0"),
        (b"True", "not JSON at character 0"),
        (b"[\xc2\xa01]", "not JSON at character 1"),
        (b"[" * 65 + b"]" * 65, "nested more than 64 deep"),
        (b'{"a":' * 65, "nested more than 64 deep"),
    ],
)
def test_refuses(data: bytes, part_of_the_reason: str) -> None:
    """What is not RFC 8259 is a flaw that names what and where."""
    answer = parse(data)
    assert isinstance(answer, Flaw)
    assert part_of_the_reason in answer.reason


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b" {} \r\n\t", {}),
        (b"null", None),
        (b'{"a":1,"b":{"a":1}}', {"a": 1, "b": {"a": 1}}),
        (b"1e400", math.inf),
        (b"-" + b"9" * 400, -math.inf),
        (b"1" * 300, int("1" * 300)),
        (b"1E-2", 0.01),
        (b'"\\ud800"', "\ud800"),
        (b'"' + b"[" * 1000 + b'\\""', "[" * 1000 + '"'),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    ],
)
def test_takes(data: bytes, value: Value) -> None:
    """What RFC 8259 allows is read, in whatever notation."""
    assert parse(data) == Json(value)


@pytest.mark.parametrize("data", [b"[" * 10**6, b'{"":' * 250_000, b'"' + b'\\"' * 500_000, b"[" + b"9" * 10**6])
def test_takes_little_time(data: bytes) -> None:
    """A megabyte of anything is read in bounded time, without deep recursion."""
    start = time.perf_counter()
    assert isinstance(parse(data), Flaw)
    assert time.perf_counter() - start < 2


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_agrees_with_the_standard_library(value: Value, indent: int | None, ascii_only: bool) -> None:
    """Whatever json.dumps writes is read back as it was."""
    assert parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()) == Json(value)


@given(st.binary() | st.text(alphabet='{}[]",:\\u0tn1-.eE ').map(str.encode))
def test_takes_nothing_that_the_standard_library_refuses(data: bytes) -> None:
    """Any bytes are either a value that json.loads also reads, or a flaw in printable ASCII."""
    answer = parse(data)
    if isinstance(answer, Json):
        assert json.loads(data) == answer.value
    else:
        assert answer.reason.isascii()
        assert answer.reason.isprintable()
