"""Freedoms in a success: how its JSON is written, and what is decided. Masks and their types are in ``masks``."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.app import (
    HONEST,
    Call,
    Json,
    Pairs,
    Refused,
    Reply,
    write_anomaly,
    write_error,
    write_headers,
    write_json,
    write_payload,
    write_result,
)
from conformance.reference.detector import Detection, Region
from conformance.reference.strains import Variant

_EXTRA: Json = {"ÜbersichtMitAkzent": "✓ 😀 \x00 </script>", "nested": {"list": [1, -2.5e-7, None, {}, []], "": False}}
_SHORT = 300  # characters: longer texts are masks


def _written(value: Any, name: Callable[[str], str] = json.dumps, number: Callable[[float], str] = repr) -> str:
    """JSON with names and floats in a notation of one's own."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name(key)}:{_written(each, name, number)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(each, name, number) for each in value) + "]"
    if isinstance(value, float):
        return number(value)
    return name(value) if isinstance(value, str) and len(value) < _SHORT else json.dumps(value)


def _escaped(text: str) -> str:
    return '"' + "".join(f"\\u{ord(letter):04X}" for letter in text) + '"'


# How the JSON is written.


def result_has_extra_members(detection: Detection) -> Json:
    source = {"Type": "direct", "Uri": "s3://bucket/key"}
    return {"Severity": "low", "ModelArn": "arn:x", **write_result(detection), "Source": source, **_EXTRA}


def anomalies_have_extra_members(region: Region) -> Json:
    written = write_anomaly(region)
    return {"Score": 3, **written, "PixelAnomaly": {**written["PixelAnomaly"], "Pixels": 12345, **_EXTRA}, **_EXTRA}


def payload_has_extra_members(call: Call, result: Json) -> Json:
    return {"ResponseMetadata": {"HTTPStatusCode": 200}, **write_payload(call, result), **_EXTRA}


def errors_have_extra_members(refused: Refused) -> Json:
    return {"requestId": "1-2-3", **write_error(refused), "help": "https://example.com/errors", **_EXTRA}


def json_is_unescaped_utf8(payload: Json) -> bytes:
    return json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()


def members_are_in_reverse_order(payload: Json) -> bytes:
    def reverse(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reverse(each) for key, each in reversed(value.items())}
        return [reverse(each) for each in value] if isinstance(value, list) else value

    return write_json(reverse(payload))


def json_is_indented(payload: Json) -> bytes:
    return json.dumps(payload, indent="\t", separators=(" ,", " : ")).replace("\n", "\r\n").encode()


def json_has_white_space_around_it(payload: Json) -> bytes:
    return b"\r\n\t " + write_json(payload) + b" \n"


def json_escapes_every_letter(payload: Json) -> bytes:
    return _written(payload, name=_escaped).encode()


def json_escapes_slashes(payload: Json) -> bytes:
    return write_json(payload).replace(b"/", rb"\/")


def numbers_have_exponents(payload: Json) -> bytes:
    return _written(payload, number="{:.9E}".format).encode()


def numbers_have_thirty_places(payload: Json) -> bytes:
    return _written(payload, number="{:.30f}".format).encode()


def whole_numbers_have_no_point(payload: Json) -> bytes:
    return _written(payload, number=lambda value: f"{value:.0f}" if value.is_integer() else repr(value)).encode()


def json_is_sent_with_a_charset(_call: Call, reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "application/json;charset=UTF-8")


def json_is_sent_in_capitals(_call: Call, reply: Reply) -> Reply:
    return reply.with_header("Content-Type", 'Application/JSON ; Charset="utf-8"; v=1')


# What is decided.


def absent_members_are_null(detection: Detection) -> Json:
    absent = {"Anomalies": None, "AnomalyMask": None} if detection.mask is None else {}
    return {**write_result(detection), "Source": None, **absent}


def absent_error_members_are_null(refused: Refused) -> Json:
    return {"ResourceId": None, "ResourceType": None, "QuotaCode": None, "ServiceCode": None, **write_error(refused)}


def source_is_left_out(detection: Detection) -> Json:
    return {name: value for name, value in write_result(detection).items() if name != "Source"}


def source_has_no_type(detection: Detection) -> Json:
    return {**write_result(detection), "Source": {}}


def confidence_is_always_a_half(detection: Detection) -> Json:
    return {**write_result(detection), "Confidence": 0.5}


def confidence_is_zero(detection: Detection) -> Json:
    return {**write_result(detection), "Confidence": 0}


def confidence_is_one(detection: Detection) -> Json:
    return {**write_result(detection), "Confidence": 1}


def decision_is_thrown_like_dice(detection: Detection) -> Json:
    thrown = {"IsAnomalous": secrets.choice((True, False)), "Confidence": secrets.randbelow(1001) / 1000}
    return {**write_result(detection), **thrown}


def decision_contradicts_the_types(detection: Detection) -> Json:
    return {**write_result(detection), "IsAnomalous": not detection.is_anomalous}


# The headers of every answer.


def answers_have_one_header_only(_call: Call) -> Pairs:
    return (("Content-Type", "application/json"),)


def request_id_is_always_the_same(call: Call) -> Pairs:
    return tuple((name, "0" if name == "x-amzn-RequestId" else value) for name, value in write_headers(call))


def answers_have_many_headers(call: Call) -> Pairs:
    """Fewer than a hundred: Python's http.client reads no more, and botocore sits on it."""
    return (
        *write_headers(call),
        *(
            ("Vary", "Accept-Encoding"),
            ("Vary", "Accept-Encoding"),
            ("Set-Cookie", "a=b; Path=/"),
            ("Set-Cookie", "c=d"),
        ),
        *(("Server", "Jos\xe9's (caf\xe9/1.0)"), ("X-Empty", ""), ("X-Long", "a" * 4096), ("ETag", 'W/"1"')),
        *(("Cache-Control", "no-store"), ("Via", "1.1 a, 1.1 b"), ("Allow", "POST"), ("Alt-Svc", 'h3=":443"; ma=60')),
        *(("Link", "</a>; rel=x, </b>; rel=y"), ("Content-Language", "en"), ("!#$%&'*+-.^_`|~1", "a token it is")),
        *((f"X-Number-{number}", str(number)) for number in range(60)),
    )


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "extra-members-everywhere",
        "Extra members are free, in successes and errors, at every depth.",
        replace(
            HONEST,
            result=result_has_extra_members,
            anomaly=anomalies_have_extra_members,
            payload=payload_has_extra_members,
            error_payload=errors_have_extra_members,
        ),
    ),
    Variant(
        "extra-members-in-unescaped-utf8",
        "Extra members are free, and JSON is UTF-8 (RFC 8259, 8.1) that need not be escaped.",
        replace(HONEST, payload=payload_has_extra_members, to_json=json_is_unescaped_utf8),
    ),
    Variant(
        "members-are-in-reverse-order",
        "Member order is free; only the array of Anomalies has one.",
        replace(HONEST, to_json=members_are_in_reverse_order),
    ),
    Variant(
        "json-is-indented",
        "RFC 8259, 2 allows white space between tokens.",
        replace(HONEST, to_json=json_is_indented),
    ),
    Variant(
        "json-has-white-space-around-it",
        "RFC 8259, 2 makes white space around the value part of the JSON text; many servers end it in a line feed.",
        replace(HONEST, to_json=json_has_white_space_around_it),
    ),
    Variant(
        "json-escapes-every-letter",
        "RFC 8259, 7 and 8.3: names are the same names when their letters are escaped.",
        replace(HONEST, to_json=json_escapes_every_letter),
    ),
    Variant(
        "json-escapes-slashes",
        "RFC 8259, 7: `\\/` is a slash, as PHP writes it in base64.",
        replace(HONEST, to_json=json_escapes_slashes),
    ),
    Variant(
        "numbers-have-exponents",
        "Number notation is free.",
        replace(HONEST, to_json=numbers_have_exponents),
    ),
    Variant(
        "numbers-have-thirty-places",
        "Number notation is free, and so is precision.",
        replace(HONEST, to_json=numbers_have_thirty_places),
    ),
    Variant(
        "whole-numbers-have-no-point",
        "Number notation is free: the area of a background alone is the integer 1.",
        replace(HONEST, to_json=whole_numbers_have_no_point),
    ),
    Variant(
        "json-is-sent-with-a-charset",
        "success.media-type allows parameters.",
        replace(HONEST, finish=json_is_sent_with_a_charset),
    ),
    Variant(
        "json-is-sent-in-capitals",
        "Media types are compared without regard to case and may have several parameters (RFC 9110, 8.3.1).",
        replace(HONEST, finish=json_is_sent_in_capitals),
    ),
    Variant(
        "members-without-a-value-are-null",
        "null counts as absent everywhere, and result.no-nulls is a SHOULD.",
        replace(HONEST, result=absent_members_are_null, error_payload=absent_error_members_are_null),
    ),
    Variant(
        "source-is-left-out",
        "result.source: Source SHOULD be present, and only where it is must its Type be `direct`.",
        replace(HONEST, result=source_is_left_out),
    ),
    Variant(
        "source-has-no-type",
        "result.source judges Source.Type where it is present, and its presence is a SHOULD.",
        replace(HONEST, result=source_has_no_type),
    ),
    Variant(
        "confidence-is-always-a-half",
        "Any confidence value or threshold is never judged.",
        replace(HONEST, result=confidence_is_always_a_half),
    ),
    Variant(
        "confidence-is-zero",
        "result.confidence is 0..1, both included, in any notation.",
        replace(HONEST, result=confidence_is_zero),
    ),
    Variant(
        "confidence-is-one",
        "result.confidence is 0..1, both included, in any notation.",
        replace(HONEST, result=confidence_is_one),
    ),
    Variant(
        "decision-is-thrown-like-dice",
        "conduct.steady is OBSERVE: the same bytes may get another decision.",
        replace(HONEST, result=decision_is_thrown_like_dice),
    ),
    Variant(
        "decision-contradicts-the-types",
        "IsAnomalous against Anomalies is never judged: the documents forbid assuming a relation.",
        replace(HONEST, result=decision_contradicts_the_types),
    ),
    Variant(
        "answers-have-one-header-only",
        "No clause asks for Date or a request id, and a server without a clock sends no Date (RFC 9110, 6.6.1).",
        replace(HONEST, headers=answers_have_one_header_only),
    ),
    Variant(
        "request-id-is-always-the-same",
        "Extra headers are free, and so are their values.",
        replace(HONEST, headers=request_id_is_always_the_same),
    ),
    Variant(
        "answers-have-many-headers",
        "Extra headers are free: repeated, empty, long, with obs-text (RFC 9110, 5.5), with odd tokens as names.",
        replace(HONEST, headers=answers_have_many_headers),
    ),
)
