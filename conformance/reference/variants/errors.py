"""Freedoms in an error: where its id stands, how its message is spelt, which of the lawful errors it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from conformance.reference.app import (
    ERRORS,
    HONEST,
    Call,
    Json,
    Pairs,
    Reason,
    Refused,
    Reply,
    Resource,
    name_error,
    refuse,
    write_error,
)
from conformance.reference.strains import Variant

_NAMESPACE = "com.amazonaws.lookoutvision#"
_SUFFIX = ":http://internal.amazon.com/coral/com.amazonaws.lookoutvision/"
_BELOW = {"UnknownOperationException", "MalformedHttpRequestException"} | {
    "RequestEntityTooLargeException",
    "RequestTimeoutException",
}
_FOREIGN = 'Ungültig 无效的请求 ❌ \x00\x1b[31m "quoted" \\ \r\n' + "blah " * 600
_THROTTLED = "Slow down, and try again."


def _id_of(refused: Refused) -> str:
    return ERRORS[refused.reason][1]


# Where the id stands.


def id_is_not_in_a_header(_error: str) -> Pairs:
    return ()


def id_is_in_the_type_member(refused: Refused) -> Json:
    return {"__type": _id_of(refused), **write_error(refused)}


def id_is_in_the_type_member_with_all_its_trimmings(refused: Refused) -> Json:
    return {"__type": f"{_NAMESPACE}{_id_of(refused)}{_SUFFIX}", **write_error(refused)}


def id_is_in_the_code_member(refused: Refused) -> Json:
    return {"code": _id_of(refused), **write_error(refused)}


def id_has_a_namespace(error: str) -> Pairs:
    return name_error(_NAMESPACE + error)


def id_has_a_suffix(error: str) -> Pairs:
    return name_error(error + _SUFFIX)


def id_has_namespace_and_suffix(error: str) -> Pairs:
    return (("X-Amzn-Errortype", f"aws.protocols#{error}{_SUFFIX}"),)


def id_is_everywhere_and_the_same(refused: Refused) -> Json:
    return {"code": _id_of(refused), "__type": _NAMESPACE + _id_of(refused), **write_error(refused)}


# The message and the other members.


def message_in_lower_case(refused: Refused) -> Json:
    return {"message" if name == "Message" else name: value for name, value in write_error(refused).items()}


def message_in_both_cases(refused: Refused) -> Json:
    return {"message": "1 validation error detected.", **write_error(refused)}


def message_is_null_beside_another(refused: Refused) -> Json:
    return {"message": None, **write_error(refused)}


def message_is_long_and_foreign(refused: Refused) -> Json:
    return {**write_error(refused), "Message": _FOREIGN}


def message_is_one_letter(refused: Refused) -> Json:
    return {**write_error(refused), "Message": "x"}


def invalid_fields_are_listed(refused: Refused) -> Json:
    """As servers do that were generated from the Smithy model."""
    fields = {"fieldList": [{"path": "/projectName", "message": refused.message}]}
    return {**write_error(refused), **(fields if _id_of(refused) == "ValidationException" else {})}


def resource_is_an_arn(refused: Refused) -> Json:
    written = write_error(refused)
    arn = f"arn:aws:lookoutvision:us-east-1:123456789012:model/{written.get('ResourceId')}"
    return {**written, "ResourceId": arn} if refused.resource else written


def every_resource_is_a_project(refused: Refused) -> Json:
    written = write_error(refused)
    return {**written, "ResourceType": "PROJECT"} if refused.resource else written


# Refusals below the operation.


def _below(replace_answer: Callable[[Reply], Reply]) -> Callable[[Call, Reply], Reply]:
    """The honest answer, but for refusals that a proxy in front might have made."""

    def finish(_call: Call, reply: Reply) -> Reply:
        return replace_answer(reply) if dict(reply.headers).get("x-amzn-ErrorType") in _BELOW else reply

    return finish


def _bare(reply: Reply, media_type: str, body: bytes) -> Reply:
    bare = replace(reply, body=body).without_header("x-amzn-ErrorType").without_header("x-amzn-RequestId")
    return bare.with_header("Content-Type", media_type) if media_type else bare.without_header("Content-Type")


def refusal_in_html(reply: Reply) -> Reply:
    return _bare(reply, "text/html", b"<html><head><title>%d</title></head><body>nginx</body></html>" % reply.status)


def refusal_in_plain_text(reply: Reply) -> Reply:
    return _bare(reply, "text/plain; charset=utf-8", b"%d page not found\n" % reply.status)


def refusal_without_a_body(reply: Reply) -> Reply:
    return _bare(reply, "", b"")


def refusal_without_an_id(reply: Reply) -> Reply:
    return _bare(reply, "application/json", b'{"detail":"Not Found"}')


def refusal_as_a_missing_token(reply: Reply) -> Reply:
    """As Amazon's API gateway answers for routes and methods that it does not know."""
    if reply.status not in (404, 405):
        return reply
    refused = replace(reply, status=403, body=b'{"message":"Missing Authentication Token"}')
    return refused.with_header("x-amzn-ErrorType", "MissingAuthenticationTokenException")


# Which error.


def bad_image_is_a_conflict(refused: Refused) -> Json:
    about = refused.resource or Resource("model", "MODEL")
    return write_error(replace_resource(refused, about) if refused.reason in (Reason.BODY, Reason.IMAGE) else refused)


def replace_resource(refused: Refused, resource: Resource) -> Refused:
    return Refused(refused.reason, refused.message, resource, refused.headers)


# Throttling.


def every_twentieth_request_is_throttled(call: Call, reply: Reply) -> Reply:
    count = call.server["count"] = call.server.get("count", 0) + 1
    if not call.method or count % 20:
        return reply
    throttled = Refused(Reason.THROTTLED, _THROTTLED, headers=(("Retry-After", "0"),))
    return replace(refuse(call, throttled), closes=reply.closes)


def first_second_is_throttled(call: Call) -> None:
    """Retry-After is meant: who comes sooner is turned away again."""
    if time.monotonic() < call.server.setdefault("open from", time.monotonic() + 1):
        raise Refused(Reason.THROTTLED, _THROTTLED, headers=(("Retry-After", "1"),))


def throttling_names_its_quota(refused: Refused) -> Json:
    return {**write_error(refused), "QuotaCode": "L-12345678", "ServiceCode": "lookoutvision"}


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "error-id-is-in-the-type-member-only",
        "error.id: header, `__type` or `code`; the header is a SHOULD.",
        replace(HONEST, error_headers=id_is_not_in_a_header, error_payload=id_is_in_the_type_member),
    ),
    Variant(
        "error-id-is-in-the-type-member-with-all-its-trimmings",
        "error.id: what follows `:` and precedes `#` is dropped, in the body too.",
        replace(
            HONEST, error_headers=id_is_not_in_a_header, error_payload=id_is_in_the_type_member_with_all_its_trimmings
        ),
    ),
    Variant(
        "error-id-is-in-the-code-member-only",
        "error.id: header, `__type` or `code`; the header is a SHOULD.",
        replace(HONEST, error_headers=id_is_not_in_a_header, error_payload=id_is_in_the_code_member),
    ),
    Variant(
        "error-id-has-a-namespace",
        "error.id: what precedes `#` is dropped; the bare name is a SHOULD.",
        replace(HONEST, error_headers=id_has_a_namespace),
    ),
    Variant(
        "error-id-has-a-suffix",
        "error.id: what follows `:` is dropped, as with real AWS (dossier 4.1).",
        replace(HONEST, error_headers=id_has_a_suffix),
    ),
    Variant(
        "error-id-has-namespace-and-suffix",
        "error.id: both are dropped, and header names have no case.",
        replace(HONEST, error_headers=id_has_namespace_and_suffix),
    ),
    Variant(
        "error-id-is-everywhere-and-the-same",
        "error.id-agreement: header, `__type` and `code` name one error, once what surrounds it is dropped.",
        replace(HONEST, error_headers=id_has_a_suffix, error_payload=id_is_everywhere_and_the_same),
    ),
    Variant(
        "message-in-lower-case",
        "error.message: `Message` or `message`; the capital is a SHOULD.",
        replace(HONEST, error_payload=message_in_lower_case),
    ),
    Variant(
        "message-in-both-cases",
        "error.message: the text is never judged, and `message` beside `Message` is free (dossier 7, 8).",
        replace(HONEST, error_payload=message_in_both_cases),
    ),
    Variant(
        "message-is-null-beside-another",
        "null counts as absent everywhere.",
        replace(HONEST, error_payload=message_is_null_beside_another),
    ),
    Variant(
        "message-is-long-and-foreign",
        "error.message: the text is never judged, controls and 3000 characters included.",
        replace(HONEST, error_payload=message_is_long_and_foreign),
    ),
    Variant(
        "message-is-one-letter",
        "error.message: the text is never judged, only that there is one.",
        replace(HONEST, error_payload=message_is_one_letter),
    ),
    Variant(
        "invalid-fields-are-listed",
        "fieldList is never judged (dossier 7, 8): servers generated from Smithy models write it.",
        replace(HONEST, error_payload=invalid_fields_are_listed),
    ),
    Variant(
        "resource-is-an-arn",
        "error.resource asks for a ResourceId, not for what is in it.",
        replace(HONEST, error_payload=resource_is_an_arn),
    ),
    Variant(
        "every-resource-is-a-project",
        "error.resource: ResourceType is any of five, and which of them is never judged.",
        replace(HONEST, error_payload=every_resource_is_a_project),
    ),
    Variant(
        "refusals-below-are-html",
        "Below the operation only the status class is demanded; error.transport is a SHOULD.",
        replace(
            HONEST,
            finish=_below(refusal_in_html),
            errors={**ERRORS, Reason.PATH: (400, "MalformedHttpRequestException")},
        ),
    ),
    Variant(
        "refusals-below-are-plain-text",
        "Below the operation only the status class is demanded; error.transport is a SHOULD.",
        replace(HONEST, finish=_below(refusal_in_plain_text)),
    ),
    Variant(
        "refusals-below-have-no-body",
        "Below the operation only the status class is demanded; error.transport is a SHOULD.",
        replace(HONEST, finish=_below(refusal_without_a_body)),
    ),
    Variant(
        "refusals-below-have-no-id",
        "Below the operation only the status class is demanded: FastAPI writes `detail`.",
        replace(HONEST, finish=_below(refusal_without_an_id)),
    ),
    Variant(
        "refusals-below-are-missing-tokens",
        "Below the operation only the status class is demanded: API gateways answer 403 for unknown routes.",
        replace(HONEST, finish=_below(refusal_as_a_missing_token)),
    ),
    Variant(
        "bad-images-are-conflicts",
        "body.required and body.image: any well-formed 4xx; 400 ValidationException is a SHOULD.",
        replace(
            HONEST,
            error_payload=bad_image_is_a_conflict,
            errors={**ERRORS, Reason.BODY: (409, "ConflictException"), Reason.IMAGE: (409, "ConflictException")},
        ),
    ),
    Variant(
        "stopped-models-are-not-found",
        "state.not-running is OBSERVE, and 404 is one of its readings.",
        replace(HONEST, errors={**ERRORS, Reason.NOT_RUNNING: (404, "ResourceNotFoundException")}),
    ),
    Variant(
        "stopped-models-are-invalid",
        "state.not-running is OBSERVE, and 400 is one of its readings.",
        replace(HONEST, errors={**ERRORS, Reason.NOT_RUNNING: (400, "ValidationException")}),
    ),
    Variant(
        "every-twentieth-request-is-throttled",
        "A well-formed 429 is never a breach by itself, wherever it comes: before the route is known here.",
        replace(HONEST, finish=every_twentieth_request_is_throttled),
    ),
    Variant(
        "first-second-is-throttled",
        "A well-formed 429 is obeyed and tried again: Retry-After in whole seconds, and the quota's name.",
        replace(HONEST, admit=first_second_is_throttled, error_payload=throttling_names_its_quota),
    ),
)
