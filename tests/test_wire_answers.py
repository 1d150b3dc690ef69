"""The reader: what it takes, what it names, what it refuses."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.message import Answer, NoAnswer, Response, Silence
from conformance.wire.answers import Caps, Reader

CAPS = Caps(head_bytes=2048, interim_answers=3, body_bytes=4096, headers=20)


def read(wire: bytes, method: bytes = b"POST", *, eof: bool = False, upgrade: bool = False) -> Answer | None:
    reader = Reader(method, CAPS, upgrade_asked=upgrade)
    reader.feed(wire)
    if eof:
        reader.feed_eof()
    return reader.answer


def response(wire: bytes, method: bytes = b"POST", *, eof: bool = False, upgrade: bool = False) -> Response:
    answer = read(wire, method, eof=eof, upgrade=upgrade)
    assert isinstance(answer, Response)
    return answer


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *lines, b"", b""])


CHUNKED = head(b"Transfer-Encoding: chunked")
SIZED = head(b"Content-Length: 2")

LAWFUL = {
    "sized": (SIZED + b"hi", b"hi", False),
    "sized-empty": (head(b"Content-Length: 0"), b"", False),
    "length-with-zeros": (head(b"content-length:002\t") + b"hi", b"hi", False),
    "announced-close": (head(b"Content-Length: 2", b"Connection: Close") + b"hi", b"hi", True),
    "chunked": (CHUNKED + b"1\r\nh\r\n01\r\ni\r\n0\r\n\r\n", b"hi", False),
    "chunk-extension": (CHUNKED + b'2;a=b;c="d"\r\nhi\r\n0 ;x\r\n\r\n', b"hi", False),
    "trailers": (CHUNKED + b"2\r\nhi\r\n0\r\nA: b\r\nC: d\r\n\r\n", b"hi", False),
    "capitals": (
        head(b"TRANSFER-ENCODING: Chunked") + b"A\r\n0123456789\r\n0\r\n\r\n",
        b"0123456789",
        False,
    ),
    "old-version": (head(b"Content-Length: 2", status=b"HTTP/1.0 200 OK") + b"hi", b"hi", True),
    "old-keep-alive": (
        head(b"Content-Length: 2", b"Connection: foo, keep-alive", status=b"HTTP/1.0 200 OK") + b"hi",
        b"hi",
        False,
    ),
    "no-reason": (head(b"Content-Length: 2", status=b"HTTP/1.1 200 ") + b"hi", b"hi", False),
    "obs-text": (head(b"Content-Length: 2", b"X: \xe9\xff", status=b"HTTP/1.1 400 \xe9") + b"hi", b"hi", False),
    "empty-value": (head(b"Content-Length: 2", b"X:") + b"hi", b"hi", False),
}


@pytest.mark.parametrize(("wire", "body", "closes"), LAWFUL.values(), ids=LAWFUL)
def test_lawful_answers_have_no_fault(wire: bytes, body: bytes, closes: bool) -> None:
    """Whatever freedom an answer takes within the law is no fault."""
    answer = response(wire)
    assert (body, (), closes, wire) == (answer.body, answer.faults, answer.closes, answer.wire)


@pytest.mark.parametrize("announced", [b"Connection: close", b"X: y"])
def test_answer_ended_by_closing_is_lawful(announced: bytes) -> None:
    """A body without length lasts until the server closes, announced or not."""
    answer = response(head(announced) + b"hi", eof=True)
    assert (answer.body, answer.faults, answer.closes) == (b"hi", (), True)


BODILESS = {
    "head": (head(b"Content-Length: 500"), b"HEAD"),
    "head-chunked": (CHUNKED, b"HEAD"),
    "204": (head(status=b"HTTP/1.1 204 No Content"), b"POST"),
    "304": (head(b"Content-Length: 9", status=b"HTTP/1.1 304 Not Modified"), b"GET"),
}


@pytest.mark.parametrize(("wire", "method"), BODILESS.values(), ids=BODILESS)
def test_bodiless_answers_end_with_the_head(wire: bytes, method: bytes) -> None:
    """HEAD, 204 and 304 have no body, whatever length they announce; bytes behind are a fault."""
    assert (response(wire, method).faults, response(wire, method).body, False) == ((), b"", False)
    broken = response(wire + b"body", method)
    assert len(broken.faults) == 1
    assert "has no body, but 4 bytes follow" in broken.faults[0]
    assert broken.closes
    assert wire + b"body" == broken.wire


FAULTS = {
    "bare-lf": (b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi", "bare LF"),
    "bare-lf-empty-line": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi", "bare LF"),
    "leading-empty-line": (b"\r\n" + SIZED + b"hi", "empty line"),
    "space-before-colon": (head(b"Content-Length : 2") + b"hi", "White space stands before the colon"),
    "no-colon": (head(b"Content-Length: 2", b"nonsense") + b"hi", "no colon"),
    "folded": (head(b"A: b", b" c", b"Content-Length: 2") + b"hi", "folded"),
    "fold-first": (head(b" c", b"Content-Length: 2") + b"hi", "folded"),
    "nul-in-value": (head(b"A: b\0c", b"Content-Length: 2") + b"hi", "control character"),
    "escape-in-value": (head(b"A: \x1b[31m", b"Content-Length: 2") + b"hi", "control character"),
    "bare-cr-in-value": (head(b"A: b\rC: d", b"Content-Length: 2") + b"hi", "control character"),
    "escape-in-fold": (head(b"A: b", b" \x1b", b"Content-Length: 2") + b"hi", "value of the header 'A' holds"),
    "escape-in-reason": (head(b"Content-Length: 2", status=b"HTTP/1.1 200 \x1bOK") + b"hi", "reason holds"),
    "illegal-name": (head(b"A b: c", b"Content-Length: 2") + b"hi", "header name 'A b' is illegal"),
    "empty-name": (head(b": c", b"Content-Length: 2") + b"hi", "is illegal"),
    "status-999": (head(b"Content-Length: 2", status=b"HTTP/1.1 999 OK") + b"hi", "status code '999'"),
    "status-20": (head(b"Content-Length: 2", status=b"HTTP/1.1 20 OK") + b"hi", "status code '20'"),
    "status-099": (head(b"Content-Length: 2", status=b"HTTP/1.1 099 OK") + b"hi", "status code '099'"),
    "status-0200": (head(b"Content-Length: 2", status=b"HTTP/1.1 0200 OK") + b"hi", "status code '0200'"),
    "no-space-after-code": (head(b"Content-Length: 2", status=b"HTTP/1.1 200") + b"hi", "status line is not"),
    "two-spaces": (head(b"Content-Length: 2", status=b"HTTP/1.1  200 OK") + b"hi", "status line is not"),
    "version-2": (head(b"Content-Length: 2", status=b"HTTP/2 200 OK") + b"hi", "version 'HTTP/2'"),
    "version-in-lower-case": (head(b"Content-Length: 2", status=b"http/1.1 200 OK") + b"hi", "version 'http/1.1'"),
    "lengths-differ": (head(b"Content-Length: 2", b"Content-Length: 3") + b"hi", "values differ"),
    "length-list-differs": (head(b"Content-Length: 2, 3") + b"hi", "values differ"),
    "length-repeated": (head(b"Content-Length: 2", b"Content-Length: 2") + b"hi", "is repeated"),
    "length-with-plus": (head(b"Content-Length: +2") + b"hi", "'+2' is not a plain decimal"),
    "length-in-hex": (head(b"Content-Length: 2", b"Content-Length: 0x2") + b"hi", "not a plain decimal"),
    "length-and-chunks": (
        head(b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"2\r\nhi\r\n0\r\n\r\n",
        "together with Transfer-Encoding",
    ),
    "gzip-chunked": (head(b"Transfer-Encoding: gzip, chunked") + b"2\r\nhi\r\n0\r\n\r\n", "not chunked alone"),
    "chunked-twice": (
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"2\r\nhi\r\n0\r\n\r\n",
        "not chunked alone",
    ),
    "xchunked-with-length": (head(b"Transfer-Encoding: xchunked", b"Content-Length: 2") + b"hi", "not chunked alone"),
    "old-and-chunked": (
        head(b"Transfer-Encoding: chunked", status=b"HTTP/1.0 200 OK") + b"2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.0 answer has a Transfer-Encoding",
    ),
    "space-after-chunk-size": (CHUNKED + b"2 \r\nhi\r\n0\r\n\r\n", "behind a chunk size"),
    "bare-lf-chunks": (CHUNKED + b"2\nhi\n0\n\n", "bare LF"),
    "control-in-extension": (CHUNKED + b"2;\x00\r\nhi\r\n0\r\n\r\n", "chunk extension"),
    "trailer-without-colon": (CHUNKED + b"2\r\nhi\r\n0\r\nnonsense\r\n\r\n", "no colon"),
    "folded-trailer": (CHUNKED + b"2\r\nhi\r\n0\r\nA: b\r\n c\r\n\r\n", "folded"),
    "stray-bytes": (SIZED + b"hi" + b"HTTP/1.1 418", "12 bytes follow"),
    "stray-after-chunks": (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n\n", "1 bytes follow"),
}
HARMLESS = {"escape-in-value", "escape-in-reason", "no-space-after-code", "two-spaces"}
"""Faults that leave no doubt where the message ends. (A control character in a fold comes with the fold.)"""


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named(name: str) -> None:
    """Every breach is one sentence; what blurs the end of the message spends the connection."""
    wire, sentence = FAULTS[name]
    answer = response(wire)
    assert any(sentence in fault for fault in answer.faults)
    assert all(fault.endswith(".") and fault.isascii() and fault.isprintable() for fault in answer.faults)
    assert (name not in HARMLESS) == answer.closes
    assert (b"hi", wire) == (answer.body, answer.wire)


UNREADABLE_LENGTH = {
    "negative": b"Content-Length: -1",
    "word": b"Content-Length: two",
    "empty": b"Content-Length:",
    "te-identity": b"Transfer-Encoding: identity",
    "no-colon": b"Content-Length 2",
}


@pytest.mark.parametrize("line", UNREADABLE_LENGTH.values(), ids=UNREADABLE_LENGTH)
@pytest.mark.parametrize("kind", [None, Silence.TIMEOUT])
def test_answer_with_illegible_length_lasts_as_long_as_it_lasts(line: bytes, kind: Silence | None) -> None:
    """The fault is the thing to know, even when the server keeps the connection open."""
    reader = Reader(b"POST", CAPS)
    reader.feed(head(line) + b"hi")
    assert reader.answer is None
    if kind:
        reader.give_up(kind, "Time is up.")
    else:
        reader.feed_eof()
    assert isinstance(reader.answer, Response)
    assert (reader.answer.body, len(reader.answer.faults), reader.answer.closes) == (b"hi", 1, True)


NO_ANSWERS = {
    "http-0.9": (b"<html>hello", False, Silence.MALFORMED, "begins with '<html>hello'"),
    "tls-alert": (b"\x15\x03\x01\x00\x02\x02\x46", False, Silence.MALFORMED, "begins with"),
    "garbage-line": (b"HTTP/banana\r\n\r\n", False, Silence.MALFORMED, "cannot be read"),
    "status-word": (head(status=b"HTTP/1.1 abc OK"), False, Silence.MALFORMED, "cannot be read"),
    "status-negative": (head(status=b"HTTP/1.1 -200 OK"), False, Silence.MALFORMED, "cannot be read"),
    "status-enormous": (head(status=b"HTTP/1.1 " + b"2" * 99), False, Silence.MALFORMED, "cannot be read"),
    "chunk-size-word": (CHUNKED + b"xyz\r\n", False, Silence.MALFORMED, "chunk line 'xyz'"),
    "chunk-size-0x": (CHUNKED + b"0x2\r\nhi\r\n", False, Silence.MALFORMED, "chunk line"),
    "chunk-size-negative": (CHUNKED + b"-2\r\nhi\r\n", False, Silence.MALFORMED, "chunk line"),
    "chunk-size-empty": (CHUNKED + b"\r\n", False, Silence.MALFORMED, "chunk line"),
    "chunk-too-long": (CHUNKED + b"2\r\nhiho\r\n", False, Silence.MALFORMED, "A chunk goes on with"),
    "nothing": (b"", True, Silence.CLOSED, "Nothing had come"),
    "closed-in-head": (b"HTTP/1.1 200 OK\r\nCont", True, Silence.CLOSED, "head had not ended"),
    "closed-in-body": (SIZED + b"h", True, Silence.CLOSED, "Of 2 bytes of the body 1 had come"),
    "closed-in-chunk": (CHUNKED + b"5\r\nhi", True, Silence.CLOSED, "chunks had not ended"),
    "closed-before-last-chunk": (CHUNKED + b"2\r\nhi\r\n", True, Silence.CLOSED, "chunks had not ended"),
    "closed-in-trailers": (CHUNKED + b"0\r\nA: b\r\n", True, Silence.CLOSED, "trailer section had not ended"),
    "closed-after-interim": (head(status=b"HTTP/1.1 100 Continue"), True, Silence.CLOSED, "final head"),
    "closed-with-faults": (head(b"x", b"Content-Length: 9"), True, Silence.CLOSED, "Faults before that: The header"),
    "length-beyond-cap": (head(b"Content-Length: 4097"), False, Silence.TOO_LARGE, "announces more than 4096"),
    "length-enormous": (head(b"Content-Length: " + b"9" * 99), False, Silence.TOO_LARGE, "announces more"),
    "chunk-beyond-cap": (CHUNKED + b"1001\r\n", False, Silence.TOO_LARGE, "longer than 4096"),
    "chunk-enormous": (CHUNKED + b"f" * 99 + b"\r\n", False, Silence.TOO_LARGE, "longer than 4096"),
    "chunks-beyond-cap": (CHUNKED + b"800\r\n%b\r\n" % bytes(2048) * 3, False, Silence.TOO_LARGE, "longer than"),
    "chunk-lines-beyond-cap": (CHUNKED + b"1;%b\r\nx\r\n" % (b"e" * 999) * 9, False, Silence.TOO_LARGE, "chunk lines"),
    "chunk-extension-beyond-cap": (CHUNKED + b"1;" + b"e" * 2048, False, Silence.TOO_LARGE, "A chunk line is"),
    "body-to-close-beyond-cap": (head() + bytes(4097), False, Silence.TOO_LARGE, "longer than 4096"),
    "status-line-beyond-cap": (b"HTTP/1.1 200 " + b"x" * 2048, False, Silence.TOO_LARGE, "The head is longer"),
    "head-beyond-cap": (head(b"A: " + b"x" * 1000, b"B: " + b"x" * 1100), False, Silence.TOO_LARGE, "The head is"),
    "empty-lines-beyond-cap": (b"\r\n" * 1025, False, Silence.TOO_LARGE, "The head is longer"),
    "too-many-headers": (head(*[b"A: b"] * 21), False, Silence.TOO_LARGE, "more than 20 lines"),
    "too-many-trailers": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 21, False, Silence.TOO_LARGE, "more than 20 lines"),
    "trailers-beyond-cap": (CHUNKED + b"0\r\nA: " + b"x" * 2048, False, Silence.TOO_LARGE, "The trailer section"),
    "too-many-interim": (head(status=b"HTTP/1.1 102 Processing") * 4, False, Silence.TOO_LARGE, "interim answers"),
}


@pytest.mark.parametrize(("wire", "eof", "kind", "sentence"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_cannot_be_read_is_no_answer(wire: bytes, eof: bool, kind: Silence, sentence: str) -> None:
    """Each end without an answer has its kind, a sentence, and the bytes (of too many: the first)."""
    answer = read(wire, eof=eof)
    assert isinstance(answer, NoAnswer)
    assert (kind, True) == (answer.kind, sentence in answer.detail)
    assert answer.detail.isascii()
    assert wire[: 2 * CAPS.head_bytes if kind is Silence.TOO_LARGE else None] == answer.wire


def test_interim_answers_are_collected() -> None:
    """1xx answers come before the final one and are seen while it is awaited."""
    reader = Reader(b"POST", CAPS)
    reader.feed(head(status=b"HTTP/1.1 100 Continue") + head(b"Link: x", status=b"HTTP/1.1 103 Early Hints"))
    assert (reader.interim, reader.waiting_for_final, reader.answer) == ((100, 103), True, None)
    reader.feed(SIZED + b"hi")
    assert isinstance(reader.answer, Response)
    assert (
        reader.answer.interim,
        reader.answer.status,
        reader.answer.faults,
        reader.waiting_for_final,
    ) == ((100, 103), 200, (), False)
    assert reader.answer.headers == ((b"Content-Length", b"2"),)


def test_switching_protocols_unasked_is_a_fault() -> None:
    """A 101 is lawful only for a request with Upgrade; then what follows is another protocol."""
    wire = head(b"Upgrade: x", status=b"HTTP/1.1 101 Switching Protocols")
    assert "no upgrade was asked" in response(wire).faults[0]
    assert (response(wire + b"x", upgrade=True).faults, response(wire + b"x", upgrade=True).closes) == ((), True)


def test_connect_opens_a_tunnel() -> None:
    """After a 2xx to CONNECT the bytes are not HTTP any more."""
    answer = response(head(b"Content-Length: 5") + b"x", b"CONNECT")
    assert (answer.body, answer.faults, answer.closes) == (b"", (), True)


def test_server_that_closes_behind_the_answer_closes() -> None:
    """An end right behind a whole answer is known to the answer."""
    assert response(SIZED + b"hi", eof=True).closes


def test_pipelined_answers_are_told_apart() -> None:
    """Bytes behind a followed answer belong to the next one."""
    reader = Reader(b"POST", CAPS, followed=True)
    reader.feed(SIZED + b"hi" + SIZED + b"ho")
    assert isinstance(reader.answer, Response)
    assert (reader.answer.faults, reader.answer.wire, reader.answer.closes) == ((), SIZED + b"hi", False)
    assert reader.leftover == SIZED + b"ho"


def test_bytes_behind_a_closing_answer_are_stray_even_in_a_pipeline() -> None:
    """After Connection: close nothing may follow."""
    reader = Reader(b"POST", CAPS, followed=True)
    reader.feed(head(b"Content-Length: 0", b"Connection: close") + SIZED + b"hi")
    assert isinstance(reader.answer, Response)
    assert len(reader.answer.faults) == 1


WIRES = [wire for wire, *_ in (*LAWFUL.values(), *FAULTS.values(), *NO_ANSWERS.values())]


@given(st.sampled_from(WIRES), st.lists(st.integers(0, 200), max_size=5), st.booleans())
def test_cuts_do_not_matter(wire: bytes, cuts: list[int], eof: bool) -> None:
    """However TCP slices the bytes, the answer is the same."""
    reader = Reader(b"POST", CAPS)
    edges = [0, *sorted(cuts), len(wire)]
    for start, end in pairwise(edges):
        reader.feed(wire[start:end])
    if eof:
        reader.feed_eof()
    expected = read(wire, eof=eof)
    if isinstance(expected, NoAnswer) and isinstance(reader.answer, NoAnswer):
        assert expected.kind == reader.answer.kind
    else:
        assert expected == reader.answer


@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 ", SIZED, CHUNKED, CHUNKED + b"2\r\n"]))
def test_reader_survives_anything(data: bytes, opening: bytes) -> None:
    """Whatever comes, an end is an answer or a NoAnswer."""
    assert read(opening + data, eof=True) is not None


@pytest.mark.parametrize("opening", [head(b"Content-Length: 400000"), CHUNKED + b"61A80\r\n", head()], ids=str)
def test_dripping_is_read_in_linear_time(opening: bytes) -> None:
    """Four hundred thousand single bytes are read while a quadratic reader would still be at the beginning."""
    reader = Reader(b"POST", Caps())
    reader.feed(opening)
    before = time.process_time()
    for _ in range(400_000):
        reader.feed(b"x")
    assert time.process_time() - before < 10


def test_one_byte_chunks_are_read_in_linear_time() -> None:
    """So are four hundred thousand chunks."""
    reader = Reader(b"POST", Caps())
    reader.feed(CHUNKED)
    before = time.process_time()
    for _ in range(4000):
        reader.feed(b"1\r\nx\r\n" * 100)
    reader.feed(b"0\r\n\r\n")
    assert isinstance(reader.answer, Response)
    assert len(reader.answer.body) == 400_000
    assert time.process_time() - before < 10
