"""Freedoms in paths and methods: how targets are read, what is redirected, what other methods get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPMethod

from conformance.reference.app import (
    ERRORS,
    HONEST,
    Call,
    Labels,
    Reason,
    Refused,
    Reply,
    SameLiteral,
    head_is_well_formed,
    match_template,
    path_of,
    start_is_hopeless,
)
from conformance.reference.strains import Variant

_OPERATION = re.compile(
    rb"/2020-11-20/projects/[A-Za-z0-9][A-Za-z0-9_\-]{0,254}/models/(?:[1-9][0-9]{0,9}|latest)/detect"
)
_URI_ONLY = re.compile(rb"[A-Z]+ [A-Za-z0-9\-._~%!$&'()*+,;=:@/?]+ ")


def query_is_refused(target: bytes) -> bytes:
    if b"?" in target:
        raise Refused(Reason.PATH, "The operation has no query parameters.")
    return path_of(target)


def query_is_part_of_the_route(target: bytes) -> bytes:
    return path_of(target.replace(b"?", b"%3F"))


def slashes_at_the_end_are_ignored(target: bytes) -> bytes:
    return path_of(target).rstrip(b"/")


def slash_at_the_end_is_redirected(call: Call, reply: Reply) -> Reply:
    tidy = path_of(call.target).rstrip(b"/")
    if tidy == path_of(call.target) or not _OPERATION.fullmatch(tidy) or reply.status != 404:
        return reply
    headers = (("Location", tidy.decode("ascii")), ("Content-Type", "text/html"))
    return Reply(301, headers, b"<h1>Moved Permanently</h1>", reply.closes)


def doubled_slashes_are_redirected(call: Call, reply: Reply) -> Reply:
    tidy = re.sub(rb"/+", b"/", path_of(call.target)).rstrip(b"/")
    if tidy == path_of(call.target) or not _OPERATION.fullmatch(tidy) or reply.status != 404:
        return reply
    return Reply(308, (("Location", tidy.decode("ascii")),), b"", reply.closes)


def absolute_form_is_no_route(target: bytes) -> bytes:
    return target.partition(b"?")[0]


def absolute_form_is_invalid(target: bytes) -> bytes:
    if not target.startswith(b"/"):
        raise Refused(Reason.PATH, "The request target must be a path.")
    return path_of(target)


def literals_are_compared_as_written(segment: bytes, literal: bytes) -> bool:
    return segment == literal


def empty_labels_are_no_route(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    labels = match_template(segments, same)
    return labels if labels and all(labels) else None


def targets_are_uris(head: bytes) -> bool:
    return head_is_well_formed(head) and _URI_ONLY.match(head) is not None


def long_targets_are_414(call: Call, reply: Reply) -> Reply:
    if len(call.target) <= 8000:
        return reply
    return Reply(414, (("Content-Type", "text/plain"),), b"URI Too Long\n", reply.closes)


def _method_in_capitals(head: bytes) -> bytes:
    method, space, rest = head.partition(b" ")
    return method.upper() + space + rest


def methods_in_lower_case_are_read(head: bytes) -> bool:
    return head_is_well_formed(_method_in_capitals(head))


def methods_in_lower_case_are_no_wonder(start: bytes) -> bool:
    return start_is_hopeless(_method_in_capitals(start))


def head_and_options_are_welcome(call: Call, reply: Reply) -> Reply:
    if reply.status != 405 or not _OPERATION.fullmatch(path_of(call.target)):
        return reply
    if call.method == b"HEAD":
        return Reply(200, (("Content-Type", "application/json"),), b"", reply.closes)
    if call.method == b"OPTIONS":
        allowed = (("Allow", "OPTIONS, HEAD, POST"), ("Access-Control-Allow-Methods", "POST"))
        return Reply(204, allowed, b"", reply.closes)
    return reply


def get_shows_a_page(call: Call, reply: Reply) -> Reply:
    if call.method != b"GET" or reply.status != 405 or not _OPERATION.fullmatch(path_of(call.target)):
        return reply
    page = b"<!doctype html><title>DetectAnomalies</title><p>POST an image here."
    return Reply(200, (("Content-Type", "text/html; charset=utf-8"),), page, reply.closes)


def strange_methods_are_not_implemented(call: Call, reply: Reply) -> Reply:
    known = call.method.decode("latin-1") in HTTPMethod.__members__
    return replace(reply, status=501) if reply.status == 405 and not known else reply


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "query-is-refused",
        "route.query is OBSERVE, and refused with a 4xx is one of its readings.",
        replace(HONEST, path=query_is_refused),
    ),
    Variant(
        "query-is-part-of-the-route",
        "route.query is OBSERVE: a path with anything behind `detect` is another route here, and refused as one.",
        replace(HONEST, path=query_is_part_of_the_route),
    ),
    Variant(
        "slashes-at-the-end-are-ignored",
        "route.trailing-slash is OBSERVE: slashes at the end are served as without them.",
        replace(HONEST, path=slashes_at_the_end_are_ignored),
    ),
    Variant(
        "slash-at-the-end-is-redirected",
        "route.trailing-slash is OBSERVE, and a redirect is one of its readings.",
        replace(HONEST, finish=slash_at_the_end_is_redirected),
    ),
    Variant(
        "doubled-slashes-are-redirected",
        "route.literals asks that a doubled slash be never 2xx, and 308 is not.",
        replace(HONEST, finish=doubled_slashes_are_redirected),
    ),
    Variant(
        "absolute-form-is-no-route",
        "route.absolute-form is OBSERVE: h11 and WSGI servers hand the whole target over and answer 404.",
        replace(HONEST, path=absolute_form_is_no_route),
    ),
    Variant(
        "absolute-form-is-invalid",
        "route.absolute-form is OBSERVE, and refused with a 4xx is one of its readings.",
        replace(HONEST, path=absolute_form_is_invalid),
    ),
    Variant(
        "literals-are-compared-as-written",
        "route.encoded-literals is OBSERVE: percent-encoded letters of `projects` are another route here.",
        replace(HONEST, same_literal=literals_are_compared_as_written),
    ),
    Variant(
        "empty-labels-are-no-route",
        "project.length leaves to an empty segment any well-formed 4xx, and routers know none that match one.",
        replace(HONEST, route=empty_labels_are_no_route),
    ),
    Variant(
        "ambiguous-paths-are-no-route",
        "path.encoding asks for a 4xx, and the dossier (7, 11) allows 400 and 404.",
        replace(HONEST, errors={**ERRORS, Reason.PATH: (404, "UnknownOperationException")}),
    ),
    Variant(
        "targets-are-uris",
        "RFC 3986 allows no raw braces, quotes, carets or backslashes: such a request is no proper HTTP.",
        replace(HONEST, well_formed=targets_are_uris),
    ),
    Variant(
        "long-targets-are-414",
        "414 is a refusal below the operation; RFC 9112, 3 asks for room for 8000 octets.",
        replace(HONEST, finish=long_targets_are_414),
    ),
    Variant(
        "methods-in-lower-case-are-read",
        "A method is any token (RFC 9110, 9.1): `post` is proper HTTP and another method, so 405.",
        replace(HONEST, well_formed=methods_in_lower_case_are_read, hopeless=methods_in_lower_case_are_no_wonder),
    ),
    Variant(
        "other-methods-are-404",
        "route.method asks only that no result be given; the dossier (7, 9) forbids to tell 405 from 404.",
        replace(HONEST, errors={**ERRORS, Reason.METHOD: (404, "UnknownOperationException")}),
    ),
    Variant(
        "head-and-options-are-welcome",
        "route.method: HEAD and OPTIONS may be answered 200 or 204 without a result.",
        replace(HONEST, finish=head_and_options_are_welcome),
    ),
    Variant(
        "get-shows-a-page",
        "route.method forbids a 2xx with a result, and success.* judges POST alone.",
        replace(HONEST, finish=get_shows_a_page),
    ),
    Variant(
        "strange-methods-are-not-implemented",
        "RFC 9110, 15.6.2: 501 is the appropriate answer to a method that a server does not recognize.",
        replace(HONEST, finish=strange_methods_are_not_implemented),
    ),
)
