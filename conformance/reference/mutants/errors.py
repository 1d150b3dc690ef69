"""Errors that are wrong: status and id, body, message, resource, discretion; and refusals that blame the server."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from conformance.reference.app import (
    ERRORS,
    HONEST,
    Behaviour,
    Call,
    Json,
    Model,
    Pairs,
    Reason,
    Refused,
    Reply,
    Store,
    find_model,
    name_error,
    path_of,
    write_error,
    write_json,
)
from conformance.reference.strains import Mutant

_OPERATION = frozenset({"ValidationException", "ResourceNotFoundException", "ConflictException"})


def _earning(earned: tuple[int, str], *reasons: Reason) -> Behaviour:
    """The reference that answers these reasons with another status and id."""
    return replace(HONEST, errors={**ERRORS, **dict.fromkeys(reasons, earned)})


def _in_reply(fault: Callable[[Reply], Reply]) -> Behaviour:
    return replace(HONEST, finish=lambda _call, reply: fault(reply) if _is_of_the_operation(reply) else reply)


def _below(fault: Callable[[Reply], Reply]) -> Behaviour:
    """In the refusals that come before the operation is known."""
    return replace(
        HONEST,
        finish=lambda _call, reply: reply if reply.status < 400 or _is_of_the_operation(reply) else fault(reply),
    )


def _in_members(fault: Callable[[Json], Json]) -> Behaviour:
    return replace(HONEST, error_payload=lambda refused: fault(write_error(refused)))


def _in_members_of(fault: Callable[[Json], Json], *reasons: Reason) -> Behaviour:
    def spoilt(refused: Refused) -> Json:
        members = write_error(refused)
        return fault(members) if refused.reason in reasons else members

    return replace(HONEST, error_payload=spoilt)


def _in_id(fault: Callable[[str], Pairs]) -> Behaviour:
    return replace(HONEST, error_headers=fault)


def _waiting(value: str) -> Behaviour:
    """The reference with this Retry-After on every error."""
    return replace(HONEST, error_headers=lambda error: (*name_error(error), ("Retry-After", value)))


def _is_of_the_operation(reply: Reply) -> bool:
    return not _OPERATION.isdisjoint(value for _, value in reply.headers)


def _as_page(reply: Reply) -> Reply:
    page = f"<html><head><title>{reply.status}</title></head><body><h1>Error {reply.status}</h1></body></html>"
    return replace(reply, body=page.encode()).with_header("Content-Type", "text/html; charset=utf-8")


def _without(members: Json, *names: str) -> Json:
    return {name: value for name, value in members.items() if name not in names}


# Status and id.


def every_error_is_400(reply: Reply) -> Reply:
    return replace(reply, status=400)


def errors_are_200(reply: Reply) -> Reply:
    return replace(reply, status=200)


def error_is_nameless(_error: str) -> Pairs:
    return ()


def error_id_is_in_another_header(error: str) -> Pairs:
    return (("x-error-type", error),)


def error_id_is_in_lower_case(error: str) -> Pairs:
    return name_error(error.lower())


def error_id_has_lost_its_ending(error: str) -> Pairs:
    return name_error(error.removesuffix("Exception"))


def error_id_is_a_java_class(error: str) -> Pairs:
    return name_error(f"com.amazonaws.lookoutvision.{error}")


def error_id_is_behind_a_namespace(error: str) -> Pairs:
    return name_error(f"com.amazonaws.lookoutvision#{error}")


def error_id_is_nested_in_the_body(refused: Refused) -> Json:
    return {**write_error(refused), "error": {"code": ERRORS[refused.reason][1]}}


def error_id_is_in_the_body_alone(refused: Refused) -> Json:
    return {"__type": ERRORS[refused.reason][1], **write_error(refused)}


def error_code_is_the_status(refused: Refused) -> Json:
    return {**write_error(refused), "code": ERRORS[refused.reason][0]}


def type_in_the_body_is_always_the_servers(members: Json) -> Json:
    return {"__type": "InternalServerException", **members}


def code_in_the_body_is_the_frameworks(members: Json) -> Json:
    return {"code": "BadRequest", **members}


def type_in_the_body_is_copied(members: Json) -> Json:
    return {"__type": "ValidationException", **members}


# The body and the message.


def error_is_plain_text(reply: Reply) -> Reply:
    return replace(reply, body=b"Bad request").with_header("Content-Type", "text/plain")


def error_is_xml(reply: Reply) -> Reply:
    xml = b"<ErrorResponse><Error><Message>Bad request</Message></Error></ErrorResponse>"
    return replace(reply, body=xml).with_header("Content-Type", "application/xml")


def error_is_sent_as_text(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "text/plain; charset=utf-8")


def error_is_sent_as_a_problem(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "application/problem+json")


def error_has_no_body(reply: Reply) -> Reply:
    return replace(reply, body=b"")


def error_is_a_list(reply: Reply) -> Reply:
    return replace(reply, body=b"[" + reply.body + b"]")


def error_is_a_json_string(reply: Reply) -> Reply:
    return replace(reply, body=json.dumps(reply.body.decode()).encode())


def error_is_pasted_together(payload: Json) -> bytes:
    members = ",".join(f'"{name}":"{value}"' for name, value in payload.items())
    return write_json(payload) if "DetectAnomalyResult" in payload else f"{{{members}}}".encode()


def message_is_missing(members: Json) -> Json:
    return _without(members, "Message")


def message_is_empty(members: Json) -> Json:
    return {**members, "Message": ""}


def message_is_null(members: Json) -> Json:
    return {**members, "Message": None}


def message_is_a_number(members: Json) -> Json:
    return {**members, "Message": 400}


def message_is_a_list(members: Json) -> Json:
    return {**members, "Message": [{"loc": ["path"], "msg": members["Message"]}]}


def message_is_called_detail(members: Json) -> Json:
    return {"detail": members["Message"], **_without(members, "Message")}


def message_is_called_error_message(members: Json) -> Json:
    return {"errorMessage": members["Message"], **_without(members, "Message")}


def message_stands_inside_error(members: Json) -> Json:
    return {"error": {"Message": members["Message"]}, **_without(members, "Message")}


def message_begins_in_lower_case(members: Json) -> Json:
    return {"message": members["Message"], **_without(members, "Message")}


# The resource.


def resource_id_is_missing(members: Json) -> Json:
    return _without(members, "ResourceId")


def resource_id_is_null(members: Json) -> Json:
    return {**members, "ResourceId": None} if "ResourceId" in members else members


def resource_id_is_a_number(members: Json) -> Json:
    return {**members, "ResourceId": 4711} if "ResourceId" in members else members


def resource_type_is_missing(members: Json) -> Json:
    return _without(members, "ResourceType")


def resource_type_is_in_lower_case(members: Json) -> Json:
    return {name: value.lower() if name == "ResourceType" else value for name, value in members.items()}


def resource_type_is_made_up(members: Json) -> Json:
    return {name: "MODEL_VERSION" if name == "ResourceType" else value for name, value in members.items()}


def resource_is_nested(members: Json) -> Json:
    resource = {"Id": members["ResourceId"], "Type": members["ResourceType"]}
    return {"Message": members["Message"], "Resource": resource}


def resource_is_missing(members: Json) -> Json:
    return _without(members, "ResourceId", "ResourceType")


# Discretion.


def error_shows_the_stack(members: Json) -> Json:
    stack = 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 87, in detect\n    raise Refused\n'
    return {**members, "stackTrace": stack}


def message_is_a_stack_trace(members: Json) -> Json:
    stack = "java.lang.IllegalArgumentException: bad\n\tat com.example.Detect.handle(Detect.java:42)"
    return {**members, "Message": stack}


def message_names_a_file(members: Json) -> Json:
    return {**members, "Message": "No such file or directory: '/usr/src/app/models/circuits.onnx'"}


# What is answered 5xx although the request is to blame.


def fault_on_bytes_beyond_ascii(call: Call) -> None:
    for _, value in call.headers:
        value.decode("ascii")


def fault_on_a_repeated_header(call: Call) -> None:
    names = [name.lower() for name, _ in call.headers]
    if len(set(names)) < len(names):
        raise RuntimeError("a header is not a string but a list")


def fault_without_a_user_agent(call: Call) -> None:
    _ = call.values(b"user-agent")[0]


def fault_without_accept(call: Call) -> None:
    _ = call.values(b"accept")[0]


def fault_without_a_content_type(call: Call) -> list[str]:
    return [call.values(b"content-type")[0].decode("latin-1")]


def fault_on_a_query(target: bytes) -> bytes:
    (path,) = target.split(b"?")
    return path_of(path)


def fault_on_a_name_too_long_for_a_file(store: Store, project: str, version: str) -> Model:
    if len(f"{project}.json") > 255:
        raise OSError("File name too long")
    return find_model(store, project, version)


def fault_on_an_empty_upload(body: bytes) -> bool:
    return body[0] >= 0


def fault_on_bytes_that_are_no_image(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body), formats=["PNG", "JPEG"])


def fault_on_a_damaged_image(image: Image.Image) -> Image.Image:
    image.load()
    return image


_VALIDATION = tuple(reason for reason, earned in ERRORS.items() if earned == (400, "ValidationException"))

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "validation-errors-are-422",
        "Invalid requests are answered 422.",
        ("error.pair",),
        _earning((422, "ValidationException"), *_VALIDATION),
    ),
    Mutant(
        "content-type-refusal-is-415",
        "A ValidationException about the content type has status 415.",
        ("error.pair", "content-type.values"),
        _earning((415, "ValidationException"), Reason.CONTENT_TYPE),
    ),
    Mutant(
        "image-refusal-is-422",
        "A ValidationException about the image has status 422.",
        ("error.pair",),
        _earning((422, "ValidationException"), Reason.IMAGE),
    ),
    Mutant(
        "unknown-project-is-400",
        "A ResourceNotFoundException about a project has status 400.",
        ("error.pair", "state.no-project"),
        _earning((400, "ResourceNotFoundException"), Reason.NO_PROJECT),
    ),
    Mutant(
        "unknown-version-is-a-validation-error",
        "An unknown version is a ValidationException with status 404.",
        ("error.pair", "state.no-version"),
        _earning((404, "ValidationException"), Reason.NO_MODEL),
    ),
    Mutant(
        "stopped-model-is-400",
        "A ConflictException has status 400.",
        ("error.pair",),
        _earning((400, "ConflictException"), Reason.NOT_RUNNING),
    ),
    Mutant(
        "stopped-model-is-in-use",
        "A stopped model is a ResourceInUseException, which belongs to other services.",
        ("error.pair",),
        _earning((409, "ResourceInUseException"), Reason.NOT_RUNNING),
    ),
    Mutant(
        "invalid-project-is-not-found",
        "An invalid project name is a ResourceNotFoundException with status 400.",
        ("error.pair", "project.pattern"),
        _earning((400, "ResourceNotFoundException"), Reason.PROJECT),
    ),
    Mutant(
        "invalid-version-is-a-value-error",
        "An invalid version is named after an exception of Python.",
        ("error.pair", "version.pattern"),
        _earning((400, "ValueError"), Reason.VERSION),
    ),
    Mutant(
        "invalid-image-is-an-image-error",
        "What is no image is an InvalidImageException.",
        ("error.pair",),
        _earning((400, "InvalidImageException"), Reason.IMAGE),
    ),
    Mutant(
        "wrong-content-type-is-an-internal-error",
        "A wrong content type is an InternalServerException with status 400.",
        ("error.pair", "content-type.values"),
        _earning((400, "InternalServerException"), Reason.CONTENT_TYPE),
    ),
    Mutant("every-error-is-400", "Every error has status 400.", ("error.pair",), _in_reply(every_error_is_400)),
    Mutant(
        "errors-are-200",
        "Every error has status 200.",
        ("success.result", "error.pair", "project.pattern"),
        _in_reply(errors_are_200),
    ),
    Mutant(
        "error-id-is-in-lower-case",
        "The error id is in lower case.",
        ("error.pair",),
        _in_id(error_id_is_in_lower_case),
    ),
    Mutant(
        "error-id-has-lost-its-ending",
        "The error id lacks the word Exception.",
        ("error.pair",),
        _in_id(error_id_has_lost_its_ending),
    ),
    Mutant(
        "error-id-is-a-java-class",
        "The error id has a package in front, with a dot.",
        ("error.pair",),
        _in_id(error_id_is_a_java_class),
    ),
    Mutant("error-is-nameless", "Errors have no id.", ("error.id",), _in_id(error_is_nameless)),
    Mutant(
        "error-id-is-in-another-header",
        "The error id is in x-error-type.",
        ("error.id",),
        _in_id(error_id_is_in_another_header),
    ),
    Mutant(
        "error-id-is-nested-in-the-body",
        "The error id is only in a member of a member of the body.",
        ("error.id",),
        replace(_in_id(error_is_nameless), error_payload=error_id_is_nested_in_the_body),
    ),
    Mutant(
        "error-code-is-the-status",
        "The body has the status for a code, and no header has an id.",
        ("error.id", "error.pair"),
        replace(_in_id(error_is_nameless), error_payload=error_code_is_the_status),
    ),
    Mutant(
        "refusal-of-an-image-has-an-empty-id",
        "The error id of what is no image is empty.",
        ("error.id",),
        _earning((400, ""), Reason.IMAGE),
    ),
    Mutant(
        "error-id-is-behind-a-namespace",
        "The error id in the header has a namespace in front.",
        ("error.id-header",),
        _in_id(error_id_is_behind_a_namespace),
    ),
    Mutant(
        "error-id-is-in-the-body-alone",
        "The error id is in the body only.",
        ("error.id-header",),
        replace(_in_id(error_is_nameless), error_payload=error_id_is_in_the_body_alone),
    ),
    Mutant(
        "type-in-the-body-is-always-the-servers",
        "The header has the right id, the body InternalServerException.",
        ("error.id-agreement",),
        _in_members(type_in_the_body_is_always_the_servers),
    ),
    Mutant(
        "code-in-the-body-is-the-frameworks",
        "The header has the right id, the body BadRequest.",
        ("error.id-agreement",),
        _in_members(code_in_the_body_is_the_frameworks),
    ),
    Mutant(
        "type-in-the-body-is-copied",
        "The body of a 404 says ValidationException.",
        ("error.id-agreement",),
        _in_members_of(type_in_the_body_is_copied, Reason.NO_PROJECT, Reason.NO_MODEL),
    ),
    Mutant("error-is-a-page", "Errors are HTML.", ("error.json",), _in_reply(_as_page)),
    Mutant("error-is-plain-text", "Errors are plain text.", ("error.json",), _in_reply(error_is_plain_text)),
    Mutant("error-is-xml", "Errors are XML.", ("error.json",), _in_reply(error_is_xml)),
    Mutant(
        "error-is-sent-as-text",
        "Errors are JSON, sent as text/plain.",
        ("error.json",),
        _in_reply(error_is_sent_as_text),
    ),
    Mutant(
        "error-is-sent-as-a-problem",
        "Errors are sent as application/problem+json.",
        ("error.json",),
        _in_reply(error_is_sent_as_a_problem),
    ),
    Mutant("error-has-no-body", "Errors have no body.", ("error.json", "error.message"), _in_reply(error_has_no_body)),
    Mutant("error-is-a-list", "Errors are lists of one object.", ("error.json",), _in_reply(error_is_a_list)),
    Mutant(
        "error-is-a-json-string", "Errors are JSON strings of JSON.", ("error.json",), _in_reply(error_is_a_json_string)
    ),
    Mutant(
        "error-is-pasted-together",
        "Errors are JSON without escapes, so a message with a backslash breaks them.",
        ("error.json",),
        replace(HONEST, to_json=error_is_pasted_together),
    ),
    Mutant("message-is-missing", "There is no message.", ("error.message",), _in_members(message_is_missing)),
    Mutant("message-is-empty", "The message is empty.", ("error.message",), _in_members(message_is_empty)),
    Mutant("message-is-null", "The message is null.", ("error.message",), _in_members(message_is_null)),
    Mutant(
        "message-is-a-number", "The message is the number 400.", ("error.message",), _in_members(message_is_a_number)
    ),
    Mutant(
        "message-is-a-list", "The message is a list of complaints.", ("error.message",), _in_members(message_is_a_list)
    ),
    Mutant(
        "message-is-called-detail",
        "The message is called detail.",
        ("error.message",),
        _in_members(message_is_called_detail),
    ),
    Mutant(
        "message-is-called-error-message",
        "The message is called errorMessage.",
        ("error.message",),
        _in_members(message_is_called_error_message),
    ),
    Mutant(
        "message-stands-inside-error",
        "The message is a member of the member error.",
        ("error.message",),
        _in_members(message_stands_inside_error),
    ),
    Mutant(
        "message-is-missing-from-image-refusals",
        "The refusal of an image has no message.",
        ("error.message",),
        _in_members_of(message_is_missing, Reason.IMAGE),
    ),
    Mutant(
        "message-begins-in-lower-case",
        "The message is called message.",
        ("error.message-spelling",),
        _in_members(message_begins_in_lower_case),
    ),
    Mutant(
        "resource-id-is-missing", "There is no ResourceId.", ("error.resource",), _in_members(resource_id_is_missing)
    ),
    Mutant("resource-id-is-null", "ResourceId is null.", ("error.resource",), _in_members(resource_id_is_null)),
    Mutant(
        "resource-id-is-a-number", "ResourceId is a number.", ("error.resource",), _in_members(resource_id_is_a_number)
    ),
    Mutant(
        "resource-type-is-missing",
        "There is no ResourceType.",
        ("error.resource",),
        _in_members(resource_type_is_missing),
    ),
    Mutant(
        "resource-type-is-in-lower-case",
        "ResourceType is in lower case.",
        ("error.resource",),
        _in_members(resource_type_is_in_lower_case),
    ),
    Mutant(
        "resource-type-is-made-up",
        "ResourceType is MODEL_VERSION.",
        ("error.resource",),
        _in_members(resource_type_is_made_up),
    ),
    Mutant(
        "resource-is-nested",
        "A 404 has the resource in a member of its own.",
        ("error.resource",),
        _in_members_of(resource_is_nested, Reason.NO_PROJECT, Reason.NO_MODEL),
    ),
    Mutant(
        "resource-is-missing-from-unknown-versions",
        "The 404 of a version does not say what is missing.",
        ("error.resource",),
        _in_members_of(resource_is_missing, Reason.NO_MODEL),
    ),
    Mutant(
        "resource-is-missing-from-conflicts",
        "A 409 does not say what it is about.",
        ("error.resource",),
        _in_members_of(resource_is_missing, Reason.NOT_RUNNING),
    ),
    Mutant(
        "retry-after-is-a-date",
        "Errors carry a date in Retry-After.",
        ("error.retry-after",),
        _waiting("Fri, 31 Oct 2025 23:59:59 GMT"),
    ),
    Mutant(
        "retry-after-is-a-fraction",
        "Errors carry half seconds in Retry-After.",
        ("error.retry-after",),
        _waiting("1.5"),
    ),
    Mutant("retry-after-has-a-unit", "Errors carry a unit in Retry-After.", ("error.retry-after",), _waiting("30s")),
    Mutant(
        "error-shows-the-stack",
        "Errors show a stack trace beside the message.",
        ("error.discretion",),
        _in_members(error_shows_the_stack),
    ),
    Mutant(
        "message-is-a-stack-trace",
        "The message is a stack trace.",
        ("error.discretion",),
        _in_members(message_is_a_stack_trace),
    ),
    Mutant(
        "message-names-a-file",
        "The message has the path of a file in it.",
        ("error.discretion",),
        _in_members(message_names_a_file),
    ),
    Mutant(
        "other-refusals-are-pages", "Refusals below the operation are HTML.", ("error.transport",), _below(_as_page)
    ),
    Mutant(
        "other-refusals-are-text",
        "Refusals below the operation are plain text.",
        ("error.transport",),
        _below(error_is_plain_text),
    ),
    Mutant(
        "other-refusals-are-nameless",
        "Refusals below the operation have no id.",
        ("error.transport",),
        _below(lambda reply: reply.without_header("x-amzn-ErrorType")),
    ),
    Mutant(
        "unknown-route-is-a-fault",
        "A path that is not there is the fault of the server.",
        ("error.blame",),
        _earning((500, "InternalServerException"), Reason.ROUTE),
    ),
    Mutant(
        "large-head-is-a-fault",
        "A head that is too large is the fault of the server.",
        ("error.blame", "http.malformed"),
        _earning((500, "InternalServerException"), Reason.HEAD_SIZE),
    ),
    Mutant(
        "large-body-is-a-fault",
        "A body that is too large is the fault of the server.",
        ("error.blame",),
        _earning((500, "InternalServerException"), Reason.BODY_SIZE),
    ),
    Mutant(
        "fault-on-bytes-beyond-ascii",
        "A header with bytes beyond ASCII crashes the server.",
        ("error.blame",),
        replace(HONEST, admit=fault_on_bytes_beyond_ascii),
    ),
    Mutant(
        "fault-on-a-repeated-header",
        "A header that is there twice crashes the server.",
        ("error.blame", "route.operation"),
        replace(HONEST, admit=fault_on_a_repeated_header),
    ),
    Mutant(
        "fault-without-a-user-agent",
        "A request without User-Agent crashes the server.",
        ("route.operation", "error.blame"),
        replace(HONEST, admit=fault_without_a_user_agent),
    ),
    Mutant(
        "fault-without-accept",
        "A request without Accept crashes the server.",
        ("route.operation", "error.blame"),
        replace(HONEST, admit=fault_without_accept),
    ),
    Mutant(
        "fault-without-a-content-type",
        "A request without Content-Type crashes the server.",
        ("content-type.required", "error.blame"),
        replace(HONEST, content_types=fault_without_a_content_type),
    ),
    Mutant(
        "fault-on-a-query",
        "A query string crashes the server.",
        ("error.blame",),
        replace(HONEST, path=fault_on_a_query),
    ),
    Mutant(
        "fault-on-a-name-too-long-for-a-file",
        "A project name of 251 characters or more crashes the server.",
        ("project.accepted", "error.blame"),
        replace(HONEST, find_model=fault_on_a_name_too_long_for_a_file),
    ),
    Mutant(
        "fault-on-an-empty-upload",
        "An empty body crashes the server.",
        ("body.required", "error.blame"),
        replace(HONEST, body_length=fault_on_an_empty_upload),
    ),
    Mutant(
        "fault-on-bytes-that-are-no-image",
        "Bytes that are no image crash the server.",
        ("body.image", "error.blame"),
        replace(HONEST, open_image=fault_on_bytes_that_are_no_image),
    ),
    Mutant(
        "fault-on-a-damaged-image",
        "Damaged pixels crash the server.",
        ("error.blame",),
        replace(HONEST, load_image=fault_on_a_damaged_image),
    ),
)
