"""Servers that misbehave: answers lost or badly framed, connections spoilt, requests mixed up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PIL import Image

from conformance.reference.app import (
    ERRORS,
    HANGUP,
    HONEST,
    SILENCE,
    Behaviour,
    Call,
    Json,
    Model,
    NoReply,
    Reason,
    Refused,
    Reply,
    detect,
    frame_by_length,
    render,
    write_error,
    write_payload,
)
from conformance.reference.detector import Detection
from conformance.reference.strains import Mutant

Wire = bytes | NoReply

OVERLAP = 0.02  # seconds in which another request may come in between


def _rendered(call: Call, reply: Reply) -> bytes:
    wire = render(call, reply)
    return b"" if isinstance(wire, NoReply) else wire


def _rendering(fault: Callable[[Call, Reply], Wire]) -> Behaviour:
    return replace(HONEST, render=fault)


def _finishing(fault: Callable[[Call, Reply], Reply]) -> Behaviour:
    return replace(HONEST, finish=fault)


def _detecting(fault: Callable[[Call, Model, Image.Image], Detection]) -> Behaviour:
    return replace(HONEST, detect=fault)


def _serving(fault: Callable[[Call, Json], Json]) -> Behaviour:
    return replace(HONEST, payload=fault)


def _in_wire(fault: Callable[[bytes], bytes]) -> Behaviour:
    return _rendering(lambda call, reply: fault(_rendered(call, reply)))


def _in_head(fault: Callable[[bytes], bytes]) -> Behaviour:
    def spoilt(call: Call, reply: Reply) -> bytes:
        head, end, body = _rendered(call, reply).partition(b"\r\n\r\n")
        return fault(head) + end + body

    return _rendering(spoilt)


def _in_length(fault: Callable[[int], str]) -> Behaviour:
    """In the Content-Length of answers that have a body."""
    return _rendering(
        lambda call, reply: render(
            call, reply.with_header("Content-Length", fault(len(reply.body))) if reply.body else reply
        )
    )


def _in_chunks(fault: Callable[[bytes], bytes]) -> Behaviour:
    """In answers whose body goes out in chunks; those without a body are left alone."""

    def spoilt(call: Call, reply: Reply) -> Wire:
        bare = reply.without_header("Content-Length").with_header("Transfer-Encoding", "chunked")
        return render(call, replace(bare, body=fault(reply.body)) if reply.body else reply)

    return _rendering(spoilt)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _count(memory: dict[str, Any]) -> int:
    memory["count"] = memory.get("count", 0) + 1
    return int(memory["count"])


def _is_refusal(reply: Reply) -> bool:
    return reply.status >= 400


def _resized(detection: Detection, size: tuple[int, int]) -> Detection:
    mask = detection.mask and detection.mask.resize(size, Image.Resampling.NEAREST)
    return replace(detection, mask=mask)


_LAST = b"0\r\n\r\n"
_FAULT = Refused(Reason.FAULT, "The service experienced an issue. Try your call again.")


def _faulty(reply: Reply) -> Reply:
    """A well-formed 500 in the place of an answer."""
    body = json.dumps(write_error(_FAULT)).encode()
    return replace(reply, status=500, body=body).with_header("x-amzn-ErrorType", "InternalServerException")


# No answer, or half of one.


def invalid_requests_are_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if reply.status == 400 else render(call, reply)


def unknown_resources_are_never_answered(call: Call, reply: Reply) -> Wire:
    unknown = ("x-amzn-ErrorType", "ResourceNotFoundException") in reply.headers
    return SILENCE if unknown else render(call, reply)


def other_methods_are_never_answered(call: Call, reply: Reply) -> Wire:
    return render(call, reply) if call.method in (b"POST", b"") else SILENCE


def head_is_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if call.method == b"HEAD" else render(call, reply)


def anonymous_clients_are_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if call.method and not call.values(b"user-agent") else render(call, reply)


def chunked_uploads_are_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if call.values(b"transfer-encoding") else render(call, reply)


def refused_uploads_are_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if _is_refusal(reply) and len(call.body) > 65536 else render(call, reply)


def every_seventh_request_is_dropped(call: Call, reply: Reply) -> Wire:
    return HANGUP if _count(call.server) % 7 == 0 else render(call, reply)


def answer_ends_ten_bytes_early(call: Call, reply: Reply) -> Wire:
    return _rendered(call, reply)[:-10] if reply.body else render(call, reply)


def every_answer_is_the_last(_call: Call, reply: Reply) -> Reply:
    return replace(reply, closes=True)


def answer_is_a_head_alone(wire: bytes) -> bytes:
    return wire[: wire.index(b"\r\n\r\n") + 4]


def head_has_no_end(wire: bytes) -> bytes:
    return wire[: wire.index(b"\r\n\r\n") + 2]


def status_line_is_all_there_is(wire: bytes) -> bytes:
    return wire[: wire.index(b"\r\n") + 2]


# Framing.


def length_is_one_too_small(length: int) -> str:
    return str(length - 1)


def length_is_one_too_large(length: int) -> str:
    return str(length + 1)


def length_has_a_plus(length: int) -> str:
    return f"+{length}"


def length_has_a_unit(length: int) -> str:
    return f"{length} bytes"


def length_is_minus_one(_length: int) -> str:
    return "-1"


def length_is_there_twice(call: Call, reply: Reply) -> Wire:
    another = (("Content-Length", str(len(reply.body) + 1)),)
    return render(call, replace(reply, headers=(*reply.headers, *another)))


def length_is_missing(call: Call, reply: Reply) -> Reply:
    return frame_by_length(call, reply).without_header("Content-Length")


def length_counts_characters(call: Call, reply: Reply) -> Reply:
    framed = frame_by_length(call, reply)
    return framed.with_header("Content-Length", str(len(reply.body.decode()))) if framed.body else framed


def message_goes_beyond_ascii(refused: Refused) -> Json:
    members = write_error(refused)
    return {**members, "Message": f"„{members['Message']}“"}


def write_utf_8(payload: Json) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def length_stands_beside_chunks(call: Call, reply: Reply) -> Wire:
    chunked = reply.with_header("Transfer-Encoding", "chunked")
    return render(call, replace(chunked, body=_chunk(reply.body) + _LAST) if reply.body else reply)


def chunks_are_announced_only(body: bytes) -> bytes:
    return body


def chunk_sizes_are_decimal(body: bytes) -> bytes:
    return b"%d\r\n%s\r\n" % (len(body), body) + _LAST


def chunk_size_is_one_too_small(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body) - 1, body) + _LAST


def chunk_has_no_end(body: bytes) -> bytes:
    return b"%x\r\n%s" % (len(body), body) + _LAST


def last_chunk_is_missing(body: bytes) -> bytes:
    return _chunk(body)


def trailer_section_has_no_end(body: bytes) -> bytes:
    return _chunk(body) + b"0\r\n"


def line_end_follows_the_answer(wire: bytes) -> bytes:
    return wire + b"\r\n"


def last_chunk_follows_the_answer(wire: bytes) -> bytes:
    return wire + _LAST


def answer_is_sent_twice(wire: bytes) -> bytes:
    return wire * 2


def page_follows_every_error(call: Call, reply: Reply) -> Wire:
    page = b"<html><body>Error</body></html>" if _is_refusal(reply) else b""
    return _rendered(call, reply) + page


def line_end_precedes_the_next_answer(call: Call, reply: Reply) -> Wire:
    late = b"\r\n" if _count(call.connection) > 1 else b""
    return late + _rendered(call, reply)


def answer_to_head_has_a_body(call: Call, reply: Reply) -> Reply:
    return frame_by_length(replace(call, method=b"GET"), reply)


def answer_without_content_has_some(call: Call, reply: Reply) -> Wire:
    if call.method != b"OPTIONS":
        return render(call, reply)
    return _rendered(call, Reply(204, (("Allow", "POST"),))) + b"{}"


def lines_end_in_line_feeds(call: Call, reply: Reply) -> Wire:
    head, _, body = _rendered(call, reply).partition(b"\r\n\r\n")
    return head.replace(b"\r\n", b"\n") + b"\n\n" + body


def status_line_has_no_version(head: bytes) -> bytes:
    return head.replace(b"HTTP/1.1 ", b"HTTP ", 1)


def status_line_says_http_2(head: bytes) -> bytes:
    return head.replace(b"HTTP/1.1 ", b"HTTP/2 ", 1)


def status_is_in_words(head: bytes) -> bytes:
    return b"HTTP/1.1 " + head[len(b"HTTP/1.1 200 ") :]


def header_has_a_nul(head: bytes) -> bytes:
    return head + b"\r\nX-Trace: a\0b"


def header_has_a_space_before_the_colon(head: bytes) -> bytes:
    return head.replace(b"Content-Length:", b"Content-Length :")


def header_has_no_colon(head: bytes) -> bytes:
    return head + b"\r\nServed by the reference"


def header_is_folded(head: bytes) -> bytes:
    return head + b"\r\nX-Trace: a;\r\n b"


# The connection after an answer, and the expectation.


def connection_is_dead_after_an_error(call: Call, reply: Reply) -> Wire:
    dead = call.connection.get("dead", False)
    call.connection["dead"] = _is_refusal(reply)
    return SILENCE if dead else render(call, reply)


def refused_upload_is_the_next_request(call: Call, reply: Reply) -> bytes:
    return call.body if reply.status in (404, 405) else b""


def last_byte_of_an_upload_is_unread(call: Call, _reply: Reply) -> bytes:
    return call.body[-1:]


def last_chunk_of_an_upload_is_unread(call: Call, _reply: Reply) -> bytes:
    return _LAST if call.values(b"transfer-encoding") else b""


def connection_repeats_its_first_answer(call: Call, reply: Reply) -> Reply:
    first: Reply = call.connection.setdefault("first", reply)
    return first


def error_sticks_to_the_connection(call: Call, reply: Reply) -> Reply:
    error: Reply | None = call.connection.get("error")
    if _is_refusal(reply):
        call.connection.setdefault("error", reply)
    return error or reply


def malformed_requests_are_never_answered(call: Call, reply: Reply) -> Wire:
    malformed = ("x-amzn-ErrorType", "MalformedHttpRequestException") in reply.headers
    return SILENCE if malformed else render(call, reply)


def malformed_requests_end_the_service(call: Call, reply: Reply) -> Wire:
    if ("x-amzn-ErrorType", "MalformedHttpRequestException") in reply.headers:
        call.server["ended"] = True
    return HANGUP if call.server.get("ended") else render(call, reply)


def framing_may_conflict(_call: Call) -> bool:
    return True


def waiting_client_is_not_answered(call: Call, reply: Reply) -> Wire:
    return SILENCE if call.values(b"expect") else render(call, reply)


def waiting_client_is_hung_up_on(call: Call, reply: Reply) -> Wire:
    return HANGUP if call.values(b"expect") else render(call, reply)


def nothing_is_said_meanwhile(_call: Call) -> bytes:
    return b""


def continue_has_a_body(_call: Call) -> bytes:
    return b"HTTP/1.1 100 Continue\r\nContent-Length: 8\r\n\r\nContinue"


def continue_has_no_end(_call: Call) -> bytes:
    return b"HTTP/1.1 100 Continue\r\n"


# One request after another.


def answers_are_kept_by_path(call: Call, result: Json) -> Json:
    kept: Json = call.server.setdefault(call.target.decode("latin-1"), write_payload(call, result))
    return kept


def answers_are_kept_by_length(call: Call, result: Json) -> Json:
    kept: Json = call.server.setdefault(f"{len(call.body)}", write_payload(call, result))
    return kept


def answers_are_kept_by_first_bytes(call: Call, result: Json) -> Json:
    kept: Json = call.server.setdefault(f"{call.target!r} {call.body[:16]!r}", write_payload(call, result))
    return kept


def answers_are_kept_by_image(call: Call, result: Json) -> Json:
    kept: Json = call.server.setdefault(f"{call.body!r}", write_payload(call, result))
    return kept


def answers_are_kept_by_media_type(call: Call, result: Json) -> Json:
    kept: Json = call.server.setdefault(f"{call.target!r} {call.values(b'content-type')}", write_payload(call, result))
    return kept


def success_is_the_one_before(call: Call, result: Json) -> Json:
    before: Json = call.server.get("before", result)
    call.server["before"] = result
    return write_payload(call, before)


def anomalies_add_up(call: Call, result: Json) -> Json:
    if "Anomalies" not in result:
        return write_payload(call, result)
    seen: list[Json] = call.server.setdefault("anomalies", [])
    seen += result["Anomalies"]
    return write_payload(call, {**result, "Anomalies": list(seen)})


def members_stay_from_the_answer_before(call: Call, result: Json) -> Json:
    members: Json = call.server.setdefault("members", {})
    members |= result
    return write_payload(call, dict(members))


def mask_has_the_size_of_the_image_before(call: Call, model: Model, image: Image.Image) -> Detection:
    before = call.server.get("size", image.size)
    call.server["size"] = image.size
    return _resized(detect(call, model, image), before)


def mask_has_the_size_of_the_first_image(call: Call, model: Model, image: Image.Image) -> Detection:
    return _resized(detect(call, model, image), call.server.setdefault("size", image.size))


def images_must_be_as_large_as_the_first(call: Call, model: Model, image: Image.Image) -> Detection:
    if image.size != call.server.setdefault(f"{model.project}", image.size):
        raise Refused(Reason.IMAGE_SIZE, "The image must be as large as the others.")
    return detect(call, model, image)


def images_must_be_of_the_first_ones_format(call: Call, model: Model, image: Image.Image) -> Detection:
    if image.format != call.server.setdefault("format", image.format):
        raise Refused(Reason.IMAGE, "The image cannot be decoded.")
    return detect(call, model, image)


def error_is_told_twice(call: Call, reply: Reply) -> Reply:
    late: Reply | None = call.server.pop("error", None)
    if _is_refusal(reply) and late is None:
        call.server["error"] = reply
    return late or reply


def every_thirteenth_answer_is_a_fault(call: Call, reply: Reply) -> Reply:
    return _faulty(reply) if _count(call.server) % 13 == 0 else reply


def service_fails_after_forty_requests(call: Call, reply: Reply) -> Reply:
    return _faulty(reply) if _count(call.server) > 40 else reply


def every_error_costs_a_worker(call: Call, reply: Reply) -> Wire:
    busy = call.server.get("count", 0) >= 8
    if _is_refusal(reply):
        _count(call.server)
    return HANGUP if busy else render(call, reply)


# One model and another.


def first_model_stays_loaded(call: Call, model: Model, image: Image.Image) -> Detection:
    return detect(call, call.server.setdefault("model", model), image)


def first_model_stays_with_the_connection(call: Call, model: Model, image: Image.Image) -> Detection:
    return detect(call, call.connection.setdefault("model", model), image)


def model_is_the_one_before(call: Call, model: Model, image: Image.Image) -> Detection:
    before = call.server.get("model", model)
    call.server["model"] = model
    return detect(call, before, image)


def media_type_picks_the_model(call: Call, model: Model, image: Image.Image) -> Detection:
    return detect(call, replace(model, segments=image.format == "JPEG"), image)


# One request beside another: honest as long as there is only one at a time.


def answers_change_places(call: Call, reply: Reply) -> Reply:
    desk: list[Reply] = call.server.setdefault("desk", [])
    desk.append(reply)
    time.sleep(OVERLAP)
    return desk.pop()


def answer_is_a_global(call: Call, reply: Reply) -> Reply:
    call.server["reply"] = reply
    time.sleep(OVERLAP)
    last: Reply = call.server["reply"]
    return last


def upload_is_a_global(call: Call) -> bytes:
    call.server["body"] = call.body
    time.sleep(OVERLAP)
    return bytes(call.server["body"])


def model_is_a_global(call: Call, model: Model, image: Image.Image) -> Detection:
    call.server["model"] = model
    time.sleep(OVERLAP)
    return detect(call, call.server["model"], image)


def size_is_a_global(call: Call, model: Model, image: Image.Image) -> Detection:
    call.server["size"] = image.size
    time.sleep(OVERLAP)
    return _resized(detect(call, model, image), call.server["size"])


def second_at_a_time_is_dropped(call: Call, reply: Reply) -> Wire:
    return render(call, reply) if _alone(call) else HANGUP


def second_at_a_time_is_a_fault(call: Call, reply: Reply) -> Reply:
    return reply if _alone(call) else _faulty(reply)


def second_at_a_time_is_never_answered(call: Call, reply: Reply) -> Wire:
    return render(call, reply) if _alone(call) else SILENCE


def second_at_a_time_loses_its_body(call: Call) -> bytes:
    return call.body if _alone(call) else b""


def _alone(call: Call) -> bool:
    """Whether no other request is at this place now; it takes a while to find out."""
    door: threading.Lock = call.server.setdefault("door", threading.Lock())
    if not door.acquire(blocking=False):
        return False
    time.sleep(OVERLAP)
    door.release()
    return True


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "invalid-requests-are-hung-up-on",
        "What deserves a 400 gets no answer.",
        ("http.answered",),
        _rendering(invalid_requests_are_hung_up_on),
    ),
    Mutant(
        "unknown-resources-are-never-answered",
        "What deserves a ResourceNotFoundException waits for ever.",
        ("http.answered", "state.no-project"),
        _rendering(unknown_resources_are_never_answered),
    ),
    Mutant(
        "other-methods-are-never-answered",
        "Methods other than POST wait for ever.",
        ("http.answered",),
        _rendering(other_methods_are_never_answered),
    ),
    Mutant("head-is-hung-up-on", "HEAD gets no answer.", ("http.answered",), _rendering(head_is_hung_up_on)),
    Mutant(
        "anonymous-clients-are-hung-up-on",
        "Requests without User-Agent get no answer.",
        ("http.answered", "route.operation"),
        _rendering(anonymous_clients_are_hung_up_on),
    ),
    Mutant(
        "chunked-uploads-are-hung-up-on",
        "Uploads in chunks get no answer.",
        ("http.answered",),
        _rendering(chunked_uploads_are_hung_up_on),
    ),
    Mutant(
        "refused-uploads-are-hung-up-on",
        "A refusal of more than 64 KB of upload is lost.",
        ("http.answered", "http.keep-alive"),
        _rendering(refused_uploads_are_hung_up_on),
    ),
    Mutant(
        "every-seventh-request-is-dropped",
        "Every seventh request gets no answer.",
        ("http.answered",),
        _rendering(every_seventh_request_is_dropped),
    ),
    Mutant(
        "answer-ends-ten-bytes-early",
        "The connection is closed ten bytes before the end of the answer.",
        ("http.answered", "http.framing"),
        replace(_finishing(every_answer_is_the_last), render=answer_ends_ten_bytes_early),
    ),
    Mutant(
        "answer-is-a-head-alone",
        "The body of an answer never comes.",
        ("http.answered", "http.framing"),
        _in_wire(answer_is_a_head_alone),
    ),
    Mutant(
        "head-has-no-end",
        "The empty line and all behind it never come.",
        ("http.answered", "http.framing"),
        _in_wire(head_has_no_end),
    ),
    Mutant(
        "status-line-is-all-there-is",
        "An answer is a status line, and then the connection is closed.",
        ("http.answered", "http.framing"),
        replace(_in_wire(status_line_is_all_there_is), finish=every_answer_is_the_last),
    ),
    Mutant(
        "length-is-one-too-small",
        "Content-Length is one byte short.",
        ("http.framing",),
        _in_length(length_is_one_too_small),
    ),
    Mutant(
        "length-is-one-too-large",
        "Content-Length promises a byte that never comes.",
        ("http.framing", "http.answered"),
        _in_length(length_is_one_too_large),
    ),
    Mutant("length-has-a-plus", "Content-Length has a sign.", ("http.framing",), _in_length(length_has_a_plus)),
    Mutant("length-has-a-unit", "Content-Length has a unit.", ("http.framing",), _in_length(length_has_a_unit)),
    Mutant(
        "length-is-minus-one",
        "Content-Length is -1, and the connection is closed behind the body.",
        ("http.framing",),
        replace(_in_length(length_is_minus_one), finish=every_answer_is_the_last),
    ),
    Mutant(
        "length-is-there-twice",
        "There are two Content-Lengths, one of them wrong.",
        ("http.framing",),
        _rendering(length_is_there_twice),
    ),
    Mutant(
        "length-is-missing",
        "No header tells where an answer ends, and the connection stays open.",
        ("http.framing", "http.answered"),
        replace(HONEST, frame=length_is_missing),
    ),
    Mutant(
        "length-counts-characters",
        "Content-Length counts characters, and the messages have some of three bytes.",
        ("http.framing",),
        replace(HONEST, error_payload=message_goes_beyond_ascii, to_json=write_utf_8, frame=length_counts_characters),
    ),
    Mutant(
        "length-stands-beside-chunks",
        "An answer has both Content-Length and chunks.",
        ("http.framing",),
        _rendering(length_stands_beside_chunks),
    ),
    Mutant(
        "chunks-are-announced-only",
        "Chunks are announced, and the body comes as it is.",
        ("http.framing", "http.answered"),
        _in_chunks(chunks_are_announced_only),
    ),
    Mutant(
        "chunk-sizes-are-decimal",
        "The sizes of chunks are decimal.",
        ("http.framing", "http.answered"),
        _in_chunks(chunk_sizes_are_decimal),
    ),
    Mutant(
        "chunk-size-is-one-too-small",
        "The size of the chunk is one byte short.",
        ("http.framing",),
        _in_chunks(chunk_size_is_one_too_small),
    ),
    Mutant("chunk-has-no-end", "No line end stands behind a chunk.", ("http.framing",), _in_chunks(chunk_has_no_end)),
    Mutant(
        "last-chunk-is-missing",
        "The last chunk never comes.",
        ("http.framing", "http.answered"),
        _in_chunks(last_chunk_is_missing),
    ),
    Mutant(
        "trailer-section-has-no-end",
        "The empty line behind the last chunk never comes.",
        ("http.framing", "http.answered"),
        _in_chunks(trailer_section_has_no_end),
    ),
    Mutant(
        "line-end-follows-the-answer",
        "An empty line follows every answer.",
        ("http.framing",),
        _in_wire(line_end_follows_the_answer),
    ),
    Mutant(
        "last-chunk-follows-the-answer",
        "A last chunk follows answers that have a Content-Length.",
        ("http.framing",),
        _in_wire(last_chunk_follows_the_answer),
    ),
    Mutant(
        "answer-is-sent-twice",
        "Every answer is sent twice.",
        ("http.framing", "http.keep-alive"),
        _in_wire(answer_is_sent_twice),
    ),
    Mutant(
        "page-follows-every-error",
        "An HTML page follows every error.",
        ("http.framing", "http.keep-alive"),
        _rendering(page_follows_every_error),
    ),
    Mutant(
        "line-end-precedes-the-next-answer",
        "An empty line comes late, just before the next answer on the connection.",
        ("http.framing", "http.keep-alive"),
        _rendering(line_end_precedes_the_next_answer),
    ),
    Mutant(
        "answer-to-head-has-a-body",
        "The answer to HEAD has a body.",
        ("http.framing",),
        replace(HONEST, frame=answer_to_head_has_a_body),
    ),
    Mutant(
        "answer-without-content-has-some",
        "OPTIONS is answered 204 with a body.",
        ("http.framing",),
        _rendering(answer_without_content_has_some),
    ),
    Mutant(
        "lines-end-in-line-feeds",
        "The lines of a head end in LF alone.",
        ("http.framing",),
        _rendering(lines_end_in_line_feeds),
    ),
    Mutant(
        "status-line-has-no-version",
        "The status line says HTTP without a version.",
        ("http.framing",),
        _in_head(status_line_has_no_version),
    ),
    Mutant(
        "status-line-says-http-2", "The status line says HTTP/2.", ("http.framing",), _in_head(status_line_says_http_2)
    ),
    Mutant("status-is-in-words", "The status line has no number.", ("http.framing",), _in_head(status_is_in_words)),
    Mutant("header-has-a-nul", "A header has a zero byte in it.", ("http.framing",), _in_head(header_has_a_nul)),
    Mutant(
        "header-has-a-space-before-the-colon",
        "A space stands between Content-Length and its colon.",
        ("http.framing",),
        _in_head(header_has_a_space_before_the_colon),
    ),
    Mutant(
        "header-has-no-colon", "One line of the head has no colon.", ("http.framing",), _in_head(header_has_no_colon)
    ),
    Mutant("header-is-folded", "A header goes on in a second line.", ("http.framing",), _in_head(header_is_folded)),
    Mutant(
        "connection-is-dead-after-an-error",
        "After an error the next request on the connection is never answered.",
        ("http.keep-alive",),
        _rendering(connection_is_dead_after_an_error),
    ),
    Mutant(
        "refused-upload-is-the-next-request",
        "The body of a request with the wrong path or method is read as the next request.",
        ("http.keep-alive", "http.framing"),
        replace(HONEST, unread=refused_upload_is_the_next_request),
    ),
    Mutant(
        "last-byte-of-an-upload-is-unread",
        "The last byte of a body is read as the start of the next request.",
        ("http.keep-alive", "http.framing"),
        replace(HONEST, unread=last_byte_of_an_upload_is_unread),
    ),
    Mutant(
        "last-chunk-of-an-upload-is-unread",
        "The last chunk of an upload is read as the next request.",
        ("http.keep-alive", "http.framing"),
        replace(HONEST, unread=last_chunk_of_an_upload_is_unread),
    ),
    Mutant(
        "connection-repeats-its-first-answer",
        "Every request on a connection gets the answer of the first.",
        ("http.keep-alive", "isolation.sequence"),
        _finishing(connection_repeats_its_first_answer),
    ),
    Mutant(
        "error-sticks-to-the-connection",
        "After an error every request on the connection gets the same.",
        ("http.keep-alive", "isolation.sequence"),
        _finishing(error_sticks_to_the_connection),
    ),
    Mutant(
        "malformed-requests-are-never-answered",
        "What is not HTTP waits for ever.",
        ("http.malformed",),
        _rendering(malformed_requests_are_never_answered),
    ),
    Mutant(
        "malformed-requests-end-the-service",
        "After a request that is not HTTP nobody is answered.",
        ("isolation.sequence", "http.malformed", "http.answered"),
        _rendering(malformed_requests_end_the_service),
    ),
    Mutant(
        "malformed-requests-are-a-fault",
        "What is not HTTP is answered 500.",
        ("http.malformed",),
        replace(HONEST, errors={**ERRORS, Reason.MALFORMED: (500, "InternalServerException")}),
    ),
    Mutant(
        "framing-may-conflict",
        "A request with both Content-Length and chunks is taken.",
        ("http.malformed",),
        replace(HONEST, fields_agree=framing_may_conflict),
    ),
    Mutant(
        "waiting-client-is-not-answered",
        "A client that waits for 100 gets nothing, then or later.",
        ("http.expect-answered", "http.answered"),
        replace(_rendering(waiting_client_is_not_answered), interim=nothing_is_said_meanwhile),
    ),
    Mutant(
        "continue-is-the-last-word",
        "A client that waits for 100 gets it, and nothing more.",
        ("http.expect-answered", "http.answered"),
        _rendering(waiting_client_is_not_answered),
    ),
    Mutant(
        "waiting-client-is-hung-up-on",
        "A client that waits for 100 gets it, and then the connection is closed.",
        ("http.expect-answered", "http.answered"),
        _rendering(waiting_client_is_hung_up_on),
    ),
    Mutant(
        "continue-has-a-body",
        "The answer 100 has a body.",
        ("http.framing", "http.expect-answered"),
        replace(HONEST, interim=continue_has_a_body),
    ),
    Mutant(
        "continue-has-no-end",
        "The answer 100 lacks its empty line.",
        ("http.framing", "http.expect-answered"),
        replace(HONEST, interim=continue_has_no_end),
    ),
    Mutant(
        "answers-are-kept-by-path",
        "A model gives the answer of its first image to every other.",
        ("isolation.sequence", "mask.size"),
        _serving(answers_are_kept_by_path),
    ),
    Mutant(
        "answers-are-kept-by-length",
        "Bodies of the same length get the same answer, whatever the model.",
        ("isolation.models", "isolation.sequence", "anomalies.kind"),
        _serving(answers_are_kept_by_length),
    ),
    Mutant(
        "answers-are-kept-by-first-bytes",
        "Images that begin with the same 16 bytes get the same answer.",
        ("isolation.sequence", "mask.size"),
        _serving(answers_are_kept_by_first_bytes),
    ),
    Mutant(
        "answers-are-kept-by-image",
        "An image gets the same answer from every model.",
        ("isolation.models", "anomalies.kind"),
        _serving(answers_are_kept_by_image),
    ),
    Mutant(
        "answers-are-kept-by-media-type",
        "Images of the same media type get the same answer from a model.",
        ("isolation.sequence", "mask.size"),
        _serving(answers_are_kept_by_media_type),
    ),
    Mutant(
        "success-is-the-one-before",
        "A success carries the result of the one before.",
        ("isolation.sequence", "isolation.models"),
        _serving(success_is_the_one_before),
    ),
    Mutant(
        "anomalies-add-up",
        "The anomalies of all images are listed.",
        ("isolation.sequence", "anomalies.names"),
        _serving(anomalies_add_up),
    ),
    Mutant(
        "members-stay-from-the-answer-before",
        "Members of earlier results stay in later ones.",
        ("isolation.sequence", "isolation.models", "anomalies.kind"),
        _serving(members_stay_from_the_answer_before),
    ),
    Mutant(
        "mask-has-the-size-of-the-image-before",
        "The mask has the size of the image before.",
        ("isolation.sequence", "mask.size"),
        _detecting(mask_has_the_size_of_the_image_before),
    ),
    Mutant(
        "mask-has-the-size-of-the-first-image",
        "The mask has the size of the first image that the server saw.",
        ("isolation.sequence", "mask.size"),
        _detecting(mask_has_the_size_of_the_first_image),
    ),
    Mutant(
        "images-must-be-as-large-as-the-first",
        "A model refuses images of another size than its first.",
        ("isolation.sequence", "route.operation"),
        _detecting(images_must_be_as_large_as_the_first),
    ),
    Mutant(
        "images-must-be-of-the-first-ones-format",
        "PNG is refused after JPEG, and the reverse.",
        ("isolation.sequence", "body.png", "body.jpeg"),
        _detecting(images_must_be_of_the_first_ones_format),
    ),
    Mutant(
        "error-is-told-twice",
        "The request after an error gets the same error.",
        ("isolation.sequence",),
        _finishing(error_is_told_twice),
    ),
    Mutant(
        "every-thirteenth-answer-is-a-fault",
        "Every thirteenth answer is a 500.",
        ("error.blame", "isolation.sequence"),
        _finishing(every_thirteenth_answer_is_a_fault),
    ),
    Mutant(
        "service-fails-after-forty-requests",
        "After forty requests every answer is a 500.",
        ("error.blame", "isolation.sequence"),
        _finishing(service_fails_after_forty_requests),
    ),
    Mutant(
        "every-error-costs-a-worker",
        "After eight errors nobody is answered.",
        ("isolation.sequence", "http.answered"),
        _rendering(every_error_costs_a_worker),
    ),
    Mutant(
        "first-model-stays-loaded",
        "The first model that was asked answers for all.",
        ("isolation.models", "anomalies.kind"),
        _detecting(first_model_stays_loaded),
    ),
    Mutant(
        "first-model-stays-with-the-connection",
        "The first model that was asked on a connection answers for all on it.",
        ("isolation.models", "isolation.sequence"),
        _detecting(first_model_stays_with_the_connection),
    ),
    Mutant(
        "model-is-the-one-before",
        "The model is that of the request before.",
        ("isolation.models", "isolation.sequence"),
        _detecting(model_is_the_one_before),
    ),
    Mutant(
        "media-type-picks-the-model",
        "JPEG goes to a segmentation model, PNG to a classification model, whatever the path.",
        ("isolation.models", "anomalies.kind"),
        _detecting(media_type_picks_the_model),
    ),
    Mutant(
        "answers-change-places",
        "Two requests at the same time get each other's answers.",
        ("isolation.concurrent",),
        _finishing(answers_change_places),
        needs_sockets=True,
    ),
    Mutant(
        "answer-is-a-global",
        "Of requests at the same time all get the last one's answer.",
        ("isolation.concurrent",),
        _finishing(answer_is_a_global),
        needs_sockets=True,
    ),
    Mutant(
        "upload-is-a-global",
        "Of requests at the same time all are judged by the last one's image.",
        ("isolation.concurrent",),
        replace(HONEST, body=upload_is_a_global),
        needs_sockets=True,
    ),
    Mutant(
        "model-is-a-global",
        "Of requests at the same time all are judged by the last one's model.",
        ("isolation.concurrent", "isolation.models"),
        _detecting(model_is_a_global),
        needs_sockets=True,
    ),
    Mutant(
        "size-is-a-global",
        "Of requests at the same time all get a mask of the last one's size.",
        ("isolation.concurrent", "mask.size"),
        _detecting(size_is_a_global),
        needs_sockets=True,
    ),
    Mutant(
        "second-at-a-time-is-dropped",
        "A request beside another gets no answer.",
        ("isolation.concurrent", "http.answered"),
        _rendering(second_at_a_time_is_dropped),
        needs_sockets=True,
    ),
    Mutant(
        "second-at-a-time-is-a-fault",
        "A request beside another is answered 500.",
        ("isolation.concurrent", "error.blame"),
        _finishing(second_at_a_time_is_a_fault),
        needs_sockets=True,
    ),
    Mutant(
        "second-at-a-time-is-never-answered",
        "A request beside another waits for ever.",
        ("isolation.concurrent", "http.answered"),
        _rendering(second_at_a_time_is_never_answered),
        needs_sockets=True,
    ),
    Mutant(
        "second-at-a-time-loses-its-body",
        "A request beside another is read without its body.",
        ("isolation.concurrent",),
        replace(HONEST, body=second_at_a_time_loses_its_body),
        needs_sockets=True,
    ),
)
