"""Freedoms in HTTP itself: framing, connections, status lines, expectations, and how strictly requests are read."""

from __future__ import annotations

import gzip
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

from conformance.reference.app import (
    HANGUP,
    HONEST,
    Call,
    NoReply,
    Reply,
    frame_by_length,
    head_is_well_formed,
    render,
    start_is_hopeless,
)
from conformance.reference.strains import Variant
from conformance.reference.variants.routes import methods_in_lower_case_are_no_wonder, methods_in_lower_case_are_read

_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_ASKS_FOR_GZIP = re.compile(rb"(?:.*,)?[ \t]*gzip[ \t]*(?:,.*)?", re.IGNORECASE)


# Framing.


def _takes_chunks(call: Call, reply: Reply) -> bool:
    """Whether the answer has a body and the client is known to speak HTTP/1.1 (RFC 9112, 6.1)."""
    return call.method not in (b"", b"HEAD") and call.version >= b"1.1" and reply.status not in (204, 304)


def _chunked(reply: Reply, body: bytes, coding: str = "chunked") -> Reply:
    closing = (("Connection", "close"),) if reply.closes else ()
    return replace(reply, headers=(*reply.headers, ("Transfer-Encoding", coding), *closing), body=body)


def _doubling_pieces(body: bytes) -> Iterator[bytes]:
    size = 1
    while body:
        yield body[:size]
        body, size = body[size:], 2 * size


def chunks_grow(call: Call, reply: Reply) -> Reply:
    if not _takes_chunks(call, reply):
        return frame_by_length(call, reply)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in _doubling_pieces(reply.body))
    return _chunked(reply, chunks + b"0\r\n\r\n")


def chunks_are_small(call: Call, reply: Reply) -> Reply:
    if not _takes_chunks(call, reply):
        return frame_by_length(call, reply)
    pieces = (reply.body[start : start + 7] for start in range(0, len(reply.body), 7))
    return _chunked(reply, b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")


def chunk_has_extensions_and_trailers(call: Call, reply: Reply) -> Reply:
    if not _takes_chunks(call, reply):
        return frame_by_length(call, reply)
    chunk = b'%08X;a=b;c="d;\\"e"\r\n%s\r\n' % (len(reply.body), reply.body) if reply.body else b""
    end = b"000;last\r\nX-Checksum: 1234\r\nX-Took: 5 ms\r\n\r\n"
    return _chunked(reply.with_header("Trailer", "X-Checksum, X-Took"), chunk + end, "Chunked")


def length_has_leading_zeros(call: Call, reply: Reply) -> Reply:
    framed = frame_by_length(call, reply)
    length = dict(framed.headers).get("Content-Length")
    return framed if length is None else framed.with_header("Content-Length", length.zfill(12))


def body_ends_with_the_connection_unannounced(call: Call, reply: Reply) -> Reply:
    return replace(reply, body=b"" if call.method == b"HEAD" else reply.body)


def body_ends_with_the_connection(call: Call, reply: Reply) -> Reply:
    return body_ends_with_the_connection_unannounced(call, reply).with_header("Connection", "close")


def every_answer_is_the_last(_call: Call) -> bool:
    return True


def closing_is_not_announced(call: Call, reply: Reply) -> Reply:
    return frame_by_length(call, reply).without_header("Connection")


def errors_end_the_connection(_call: Call, reply: Reply) -> Reply:
    return replace(reply, closes=reply.closes or reply.status >= 400)


def third_answer_ends_the_connection(call: Call, reply: Reply) -> Reply:
    count = call.connection["count"] = call.connection.get("count", 0) + 1
    return replace(reply, closes=reply.closes or count >= 3)


def keep_alive_is_said(_call: Call, reply: Reply) -> Reply:
    said = (("Connection", "keep-alive"), ("Keep-Alive", "timeout=30, max=100"))
    return reply if reply.closes else replace(reply, headers=(*reply.headers, *said))


def answer_is_packed_on_request(call: Call, reply: Reply) -> Reply:
    """Only for clients that name gzip without a weight, as both Go clients do."""
    if not reply.body or not any(_ASKS_FOR_GZIP.fullmatch(value) for value in call.values(b"accept-encoding")):
        return reply
    coded = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return replace(reply, headers=(*reply.headers, *coded), body=gzip.compress(reply.body))


# The head of an answer.


def _rewritten(pattern: bytes, by: bytes, wire: bytes | NoReply) -> bytes | NoReply:
    """The same with every match in the head changed."""
    if isinstance(wire, NoReply):
        return wire
    head, end, body = wire.partition(b"\r\n\r\n")
    return re.sub(pattern, by, head) + end + body


def status_line_is_http_1_0(call: Call, reply: Reply) -> bytes | NoReply:
    return _rewritten(rb"\AHTTP/1\.1", b"HTTP/1.0", render(call, reply))


def no_reason_is_given(call: Call, reply: Reply) -> bytes | NoReply:
    return _rewritten(rb"\A(\S+ \d+ )[^\r]*", rb"\1", render(call, reply))


def reason_is_given_in_other_words(call: Call, reply: Reply) -> bytes | NoReply:
    return _rewritten(rb"\A(\S+ \d+ )[^\r]*", b"\\1OK, c'est \xe7a:\t200", render(call, reply))


def header_names_are_in_lower_case(call: Call, reply: Reply) -> bytes | NoReply:
    return render(call, replace(reply, headers=tuple((name.lower(), value) for name, value in reply.headers)))


def header_names_are_in_capitals(call: Call, reply: Reply) -> bytes | NoReply:
    return render(call, replace(reply, headers=tuple((name.upper(), value) for name, value in reply.headers)))


def headers_are_in_reverse_order(call: Call, reply: Reply) -> bytes | NoReply:
    return render(call, replace(reply, headers=reply.headers[::-1]))


def header_values_have_space_around_them(call: Call, reply: Reply) -> bytes | NoReply:
    """In front only of the error id: botocore does not strip what follows it (sdk.reads)."""
    spaced = ((name, f"\t  {value}" + ("" if name == "x-amzn-ErrorType" else " \t")) for name, value in reply.headers)
    return render(call, replace(reply, headers=tuple(spaced)))


def header_values_follow_the_colon_at_once(call: Call, reply: Reply) -> bytes | NoReply:
    return _rewritten(rb"(\r\n[^:\r]+:) ", rb"\1", render(call, reply))


def continue_is_said_before_every_answer(call: Call, reply: Reply) -> bytes | NoReply:
    """To HTTP/1.1 clients, who have to read 100 although they did not ask for it (RFC 9110, 15.2)."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" if call.method and call.version >= b"1.1" else b""
    wire = render(call, reply)
    return wire if isinstance(wire, NoReply) else interim + wire


# Expectations.


def no_expectation_is_met(call: Call) -> bool:
    return not call.values(b"expect")


def any_expectation_is_known(_call: Call) -> bool:
    return True


def nobody_is_told_to_continue(_call: Call) -> bytes:
    return b""


# How requests are read, and how long answers take.


def bare_line_feed_ends_a_line(head: bytes) -> bool:
    return head_is_well_formed(_BARE_LINE_FEED.sub(b"\r\n", head))


def bare_line_feed_is_no_wonder(start: bytes) -> bool:
    return start_is_hopeless(_BARE_LINE_FEED.sub(b"\r\n", start))


def what_is_no_http_is_hung_up_on(call: Call, reply: Reply) -> bytes | NoReply:
    """Where not even a request line and headers could be read, nobody is there to be answered."""
    return HANGUP if reply.status == 400 and not call.method else render(call, reply)


def one_answer_in_ten_is_slow(_call: Call, reply: Reply) -> Reply:
    if secrets.randbelow(10) == 0:
        time.sleep(0.05)
    return reply


_LAST = replace(HONEST, closes=every_answer_is_the_last)

VARIANTS: tuple[Variant, ...] = (
    Variant(
        "chunks-grow",
        "http.framing: chunks are as good as a length, of one byte and of thousands.",
        replace(HONEST, frame=chunks_grow),
    ),
    Variant(
        "chunks-are-small",
        "http.framing: chunks are as good as a length, however many.",
        replace(HONEST, frame=chunks_are_small),
    ),
    Variant(
        "chunk-has-extensions-and-trailers",
        "RFC 9112, 7.1: sizes with zeros in front, extensions with quotes, trailers; coding names have no case.",
        replace(HONEST, frame=chunk_has_extensions_and_trailers),
    ),
    Variant(
        "length-has-leading-zeros",
        "RFC 9110, 8.6: Content-Length is one or more digits.",
        replace(HONEST, frame=length_has_leading_zeros),
    ),
    Variant(
        "body-ends-with-the-connection",
        "http.framing: an answer ended by closing is lawful.",
        replace(_LAST, frame=body_ends_with_the_connection),
    ),
    Variant(
        "body-ends-with-the-connection-unannounced",
        "http.framing: an answer ended by closing is lawful, announced or not.",
        replace(_LAST, frame=body_ends_with_the_connection_unannounced),
    ),
    Variant(
        "status-line-is-http-1-0",
        "http.framing: an HTTP/1.0 status line is lawful; such a server closes without saying so, and knows no 100.",
        replace(
            _LAST,
            frame=closing_is_not_announced,
            render=status_line_is_http_1_0,
            interim=nobody_is_told_to_continue,
        ),
    ),
    Variant(
        "status-line-is-http-1-0-without-a-length",
        "http.framing: HTTP/1.0 as it was, the end of the connection being the end of the answer.",
        replace(
            _LAST,
            frame=body_ends_with_the_connection_unannounced,
            render=status_line_is_http_1_0,
            interim=nobody_is_told_to_continue,
        ),
    ),
    Variant(
        "every-answer-is-the-last",
        "http.keep-alive: the next request goes to a new connection where the server closes.",
        _LAST,
    ),
    Variant(
        "every-answer-is-the-last-unannounced",
        "RFC 9112, 9.6: Connection: close is a SHOULD, and a server may close at any time.",
        replace(_LAST, frame=closing_is_not_announced),
    ),
    Variant(
        "errors-end-the-connection",
        "http.keep-alive: the next request goes to a new connection where the server closes.",
        replace(HONEST, finish=errors_end_the_connection),
    ),
    Variant(
        "third-answer-ends-the-connection",
        "http.keep-alive: the next request goes to a new connection where the server closes.",
        replace(HONEST, finish=third_answer_ends_the_connection),
    ),
    Variant(
        "idle-connections-end-soon",
        "RFC 9112, 9.5: a server may close what has been idle for as long as it likes.",
        replace(HONEST, patience=5.0),
    ),
    Variant(
        "keep-alive-is-said",
        "Extra headers are free; Connection: keep-alive says what HTTP/1.1 does anyway.",
        replace(HONEST, finish=keep_alive_is_said),
    ),
    Variant(
        "answer-is-packed-on-request",
        "success.encoding forbids only a content coding that the request did not ask for.",
        replace(HONEST, finish=answer_is_packed_on_request),
    ),
    Variant(
        "no-reason-is-given",
        "RFC 9112, 4: the reason phrase may be empty.",
        replace(HONEST, render=no_reason_is_given),
    ),
    Variant(
        "reason-is-given-in-other-words",
        "RFC 9112, 4: a client ignores the reason phrase, which may have obs-text and tabs.",
        replace(HONEST, render=reason_is_given_in_other_words),
    ),
    Variant(
        "header-names-are-in-lower-case",
        "RFC 9110, 5.1: header names have no case.",
        replace(HONEST, render=header_names_are_in_lower_case),
    ),
    Variant(
        "header-names-are-in-capitals",
        "RFC 9110, 5.1: header names have no case.",
        replace(HONEST, render=header_names_are_in_capitals),
    ),
    Variant(
        "headers-are-in-reverse-order",
        "RFC 9110, 5.3: the order of headers with different names means nothing.",
        replace(HONEST, render=headers_are_in_reverse_order),
    ),
    Variant(
        "header-values-have-space-around-them",
        "RFC 9112, 5.1: optional white space around a value is no part of it, that of Content-Length included.",
        replace(HONEST, render=header_values_have_space_around_them),
    ),
    Variant(
        "header-values-follow-the-colon-at-once",
        "RFC 9112, 5.1: the white space before a value is optional.",
        replace(HONEST, render=header_values_follow_the_colon_at_once),
    ),
    Variant(
        "continue-is-said-before-every-answer",
        "RFC 9110, 15.2: a client reads interim answers that it did not ask for.",
        replace(HONEST, render=continue_is_said_before_every_answer),
    ),
    Variant(
        "no-expectation-is-met",
        "http.expect is OBSERVE, and 417 is one of its readings.",
        replace(HONEST, expectation_known=no_expectation_is_met),
    ),
    Variant(
        "nobody-is-told-to-continue",
        "http.expect is OBSERVE: the client sends its body after a second's wait, and then gets its answer.",
        replace(HONEST, interim=nobody_is_told_to_continue),
    ),
    Variant(
        "any-expectation-is-known",
        "RFC 9110, 10.1.1: 417 for an unknown expectation is a MAY.",
        replace(HONEST, expectation_known=any_expectation_is_known),
    ),
    Variant(
        "bare-line-feed-ends-a-line",
        "RFC 9112, 2.2: a recipient may take a single line feed as the end of a line.",
        replace(HONEST, well_formed=bare_line_feed_ends_a_line, hopeless=bare_line_feed_is_no_wonder),
    ),
    Variant(
        "what-is-no-http-is-hung-up-on",
        "http.malformed: 4xx or close; a method in lower case is proper HTTP and gets its 405.",
        replace(
            HONEST,
            render=what_is_no_http_is_hung_up_on,
            well_formed=methods_in_lower_case_are_read,
            hopeless=methods_in_lower_case_are_no_wonder,
        ),
    ),
    Variant(
        "heads-have-8-kilobytes",
        "route.operation asks for heads up to 8 KB; 431 is a refusal below the operation.",
        replace(HONEST, max_head=8 * 1024),
    ),
    Variant(
        "one-answer-in-ten-is-slow",
        "http.answered: within the target's time limit, which is ten seconds.",
        replace(HONEST, finish=one_answer_in_ten_is_slow),
    ),
)
