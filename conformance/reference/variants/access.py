"""Freedoms in how signatures are verified and refused, and in what the server says in unusual states."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote_from_bytes

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
    detect,
    name_error,
    path_of,
    refuse,
    write_error,
)
from conformance.reference.detector import Detection
from conformance.reference.sigv4 import (
    ALGORITHM,
    CHECKS,
    Check,
    Claim,
    Verifier,
    canonical_uri,
    required_headers_are_signed,
    signature_is_the_principals,
    token_is_the_principals,
    utc_now,
)
from conformance.reference.strains import CREDENTIALS, Variant

_VERIFIER = Verifier(CREDENTIALS)
_GUARDED = replace(HONEST, admit=_VERIFIER.admit)
_UNPROVEN = (Reason.UNSIGNED, Reason.INCOMPLETE_SIGNATURE, Reason.UNKNOWN_CLIENT, Reason.INVALID_SIGNATURE)
_NAMES = frozenset(ERRORS[reason][1] for reason in _UNPROVEN)
_TRANSPORT = frozenset({"MalformedHttpRequestException", "RequestEntityTooLargeException", "RequestTimeoutException"})
_SUFFIX = ":http://internal.amazon.com/coral/com.amazon.coral.service/"
_POLICY = (
    "User: arn:aws:sts::123456789012:assumed-role/line-7/camera is not authorized to perform: "
    "lookoutvision:DetectAnomalies on resource: arn:aws:lookoutvision:us-east-1:123456789012:model/cookies/1 because "
    "no identity-based policy allows the lookoutvision:DetectAnomalies action"
)


def _verified(verifier: Verifier) -> Behaviour:
    return replace(HONEST, admit=verifier.admit)


def _checking(*checks: Check) -> Behaviour:
    return _verified(replace(_VERIFIER, checks=checks))


def _earning(*earned: tuple[int, str]) -> Behaviour:
    """The guarded reference that answers unproven requests so; in the order of ``_UNPROVEN``."""
    return replace(_GUARDED, errors={**ERRORS, **dict(zip(_UNPROVEN, earned, strict=True))})


def _id_of(reply: Reply) -> str:
    return dict(reply.headers).get("x-amzn-ErrorType", "")


def _on(names: frozenset[str], change: Callable[[Reply], Reply]) -> Callable[[Call, Reply], Reply]:
    def finish(_call: Call, reply: Reply) -> Reply:
        return change(reply) if _id_of(reply) in names else reply

    return finish


def _in_state(error: str, change: Callable[[Reply], Reply]) -> Behaviour:
    return replace(HONEST, finish=_on(frozenset({error}), change))


# How unproven requests are refused.


def challenged(_call: Call, reply: Reply) -> Reply:
    """RFC 9110, 15.5.2: a 401 says what it asks for."""
    return reply.with_header("WWW-Authenticate", ALGORITHM) if reply.status == 401 else reply


def bare(reply: Reply) -> Reply:
    return replace(reply, body=b"").without_header("Content-Type")


def closing(reply: Reply) -> Reply:
    return replace(reply, closes=True)


def message_in_lower_case(refused: Refused) -> Json:
    """As services with rest-json answer that leave authentication to what stands before them."""
    return {"message": refused.message} if refused.reason in _UNPROVEN else write_error(refused)


def terse_message(refused: Refused) -> Json:
    if refused.reason not in _UNPROVEN:
        return write_error(refused)
    return {"message": "Missing Authentication Token" if refused.reason is Reason.UNSIGNED else "Forbidden"}


def id_in_the_type_member(refused: Refused) -> Json:
    """As services with aws-json answer."""
    if refused.reason not in _UNPROVEN:
        return write_error(refused)
    return {"__type": f"com.amazon.coral.service#{ERRORS[refused.reason][1]}", "message": refused.message}


def id_in_a_header_of_the_operation(error: str) -> Pairs:
    return () if error in _NAMES else name_error(error)


def id_with_a_suffix(error: str) -> Pairs:
    return name_error(error + _SUFFIX)


def expiry_is_400(reply: Reply) -> Reply:
    if not re.search(rb"Signature (?:expired|not yet current)", reply.body):
        return reply
    return replace(reply, status=400).with_header("x-amzn-ErrorType", "RequestExpired")


# When and what is verified.


def verified_first(call: Call, reply: Reply) -> Reply:
    """Route, method and labels included: only the transport comes before."""
    if not call.method or _id_of(reply) in _TRANSPORT:
        return reply
    try:
        _VERIFIER.admit(call)
    except Refused as refused:
        return replace(refuse(call, refused), closes=reply.closes)
    return reply


def verified_last(call: Call, model: Model, image: Image.Image) -> Detection:
    _VERIFIER.admit(call)
    return detect(call, model, image)


def path_with_its_dots(claim: Claim) -> None:
    """Where the canonical path is the path as sent, what clients normalise before they sign has another signature."""
    if canonical_uri(claim.call.target) != quote_from_bytes(path_of(claim.call.target), safe="/"):
        raise Refused(Reason.INVALID_SIGNATURE, "The request signature we calculated does not match.")
    signature_is_the_principals(claim)


def digits_in_any_case(claim: Claim) -> None:
    authorization = replace(claim.authorization, signature=claim.authorization.signature.lower())
    signature_is_the_principals(replace(claim, authorization=authorization))


def read_as_any_other_scheme(call: Call) -> None:
    """The scheme and the names of parameters in any case, values in quotes, empty list elements (RFC 9110, 5.6.1)."""
    headers = tuple((key, _usual(value) if key.lower() == b"authorization" else value) for key, value in call.headers)
    _VERIFIER.admit(replace(call, headers=headers))


def _usual(value: bytes) -> bytes:
    scheme, _, rest = value.partition(b" ")
    names = {name.lower(): name for name in (b"Credential", b"SignedHeaders", b"Signature")}
    pairs = (part.strip(b" \t").partition(b"=")[::2] for part in rest.split(b","))
    parameters = (names.get(name.lower(), name) + b"=" + _unquoted(to) for name, to in pairs if name)
    return scheme.upper() + b" " + b", ".join(parameters)


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) > 1 and value.startswith(b'"') and value.endswith(b'"') else value


# What it says in states.


def policy_is_quoted(refused: Refused) -> Json:
    if refused.reason is not Reason.FORBIDDEN:
        return write_error(refused)
    return {"Message": _POLICY, "message": _POLICY, "Type": "User", "EncodedAuthorizationMessage": "x" * 600}


def quota_is_named(refused: Refused) -> Json:
    quota = {"QuotaCode": "L-12345678", "ServiceCode": "lookoutvision"}
    return {**write_error(refused), **(quota if refused.reason is Reason.THROTTLED else {})}


def quota_is_null(refused: Refused) -> Json:
    quota = {"QuotaCode": None, "ServiceCode": None}
    return {**write_error(refused), **(quota if refused.reason is Reason.THROTTLED else {})}


def conflict_about(kind: str) -> Behaviour:
    """The reference whose conflicts are about something of this type."""

    def payload(refused: Refused) -> Json:
        members = write_error(refused)
        return {**members, "ResourceType": kind} if refused.reason is Reason.CONFLICT else members

    return replace(HONEST, error_payload=payload)


def _waiting(value: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.with_header("Retry-After", value)


_SIGNED = (
    Variant(
        "signatures-are-verified",
        "auth.*: a target may ask for signatures; this one takes no other freedom.",
        _GUARDED,
    ),
    Variant(
        "unproven-requests-are-401",
        "auth.*: 401, 403 or 400; and RFC 9110, 15.5.2 asks for a WWW-Authenticate with it.",
        replace(_earning(*((401, ERRORS[reason][1]) for reason in _UNPROVEN)), finish=challenged),
    ),
    Variant(
        "unproven-requests-are-400",
        "auth.*: 401, 403 or 400; services with aws-json answer InvalidSignatureException with 400 (dossier 5).",
        _earning(*((400, ERRORS[reason][1]) for reason in _UNPROVEN)),
    ),
    Variant(
        "malformed-signatures-are-400",
        "IncompleteSignature is 400 in the older common errors (dossier 3), and MissingAuthenticationToken 403.",
        _earning(
            (403, "MissingAuthenticationToken"),
            (400, "IncompleteSignature"),
            (403, "InvalidClientTokenId"),
            (403, "InvalidSignatureException"),
        ),
    ),
    Variant(
        "signatures-are-refused-in-the-words-of-iam",
        "The names of authentication errors are not asserted; SignatureDoesNotMatch 403 is IAM's, and RequestExpired "
        "400 the common errors' (dossier 3 and 5).",
        replace(
            _earning(
                (403, "MissingAuthenticationToken"),
                (403, "IncompleteSignature"),
                (403, "InvalidClientTokenId"),
                (403, "SignatureDoesNotMatch"),
            ),
            finish=_on(frozenset({"SignatureDoesNotMatch"}), expiry_is_400),
        ),
    ),
    Variant(
        "missing-authentication-has-no-body",
        "So AWS answers: the name in the header and an empty body (dossier 5, selling-partner-api-models #749).",
        replace(_GUARDED, finish=_on(frozenset({ERRORS[Reason.UNSIGNED][1]}), bare)),
    ),
    Variant(
        "authentication-errors-have-messages-in-lower-case",
        "error.message: `Message` or `message`; rest-json Batch answers a wrong scope so (dossier 5).",
        replace(_GUARDED, error_payload=message_in_lower_case),
    ),
    Variant(
        "authentication-errors-are-a-gateways",
        "Below the operation a common error or a plain refusal: Amazon's API gateway says `Forbidden`, and no more.",
        replace(
            _earning((403, ERRORS[Reason.UNSIGNED][1]), *[(403, "ForbiddenException")] * 3),
            error_payload=terse_message,
        ),
    ),
    Variant(
        "authentication-errors-are-aws-jsons",
        "error.id: `__type` will do, and what precedes `#` is dropped (dossier 4.1 and 5).",
        replace(_GUARDED, error_headers=id_in_a_header_of_the_operation, error_payload=id_in_the_type_member),
    ),
    Variant(
        "authentication-errors-have-a-suffix",
        "error.id: what follows `:` is dropped, as with real AWS (dossier 4.1).",
        replace(_GUARDED, error_headers=id_with_a_suffix),
    ),
    Variant(
        "connection-ends-with-a-bad-signature",
        "http.keep-alive: a server may close after any answer when it says so (RFC 9112, 9.6).",
        replace(_GUARDED, finish=_on(_NAMES, closing)),
    ),
    Variant(
        "signature-is-verified-first",
        "Order of validation is never judged: nobody unsigned learns which routes and labels there are.",
        replace(HONEST, finish=verified_first),
    ),
    Variant(
        "signature-is-verified-last",
        "Several faults at once: any of the errors that one of them would earn is right.",
        replace(HONEST, detect=verified_last),
    ),
    Variant(
        "unsigned-payload-is-refused",
        "auth.unsigned-payload is OBSERVE, and a 4xx is one of its readings.",
        _verified(replace(_VERIFIER, unsigned_payload=False)),
    ),
    Variant(
        "unsigned-amz-headers-are-tolerated",
        "auth.*: what has to be signed, beyond what the client has signed, is not among the things to be refused.",
        _checking(*(check for check in CHECKS if check is not required_headers_are_signed)),
    ),
    Variant(
        "session-tokens-are-not-looked-at",
        "auth.*: session tokens are to be taken; a server without temporary credentials has no use for them.",
        _checking(*(check for check in CHECKS if check is not token_is_the_principals)),
    ),
    Variant(
        "clocks-may-differ-by-twenty-minutes",
        "auth.*: expired requests are refused; no clause says how late is late, and 15 minutes are AWS's own choice.",
        _verified(replace(_VERIFIER, window=timedelta(minutes=20))),
    ),
    Variant(
        "clocks-may-differ-by-five-minutes",
        "No clause says how late is late, and the IAM User Guide gives five minutes: `in most cases, a request must "
        "reach AWS within five minutes of the time stamp in the request`.",
        _verified(replace(_VERIFIER, window=timedelta(minutes=5))),
    ),
    Variant(
        "clock-of-the-server-is-slow",
        "Two minutes behind the client's: differences of clocks are what the window is for.",
        _verified(replace(_VERIFIER, clock=lambda: utc_now() - timedelta(minutes=2))),
    ),
    Variant(
        "dots-in-a-path-are-not-removed-before-verification",
        "path.encoding: dot segments get a 4xx, and a signature that does not match is one (dossier 5).",
        _checking(*(path_with_its_dots if check is signature_is_the_principals else check for check in CHECKS)),
    ),
    Variant(
        "signature-may-be-in-capitals",
        "auth.*: it is the same number, and none of the things that are to be refused.",
        _checking(*(digits_in_any_case if check is signature_is_the_principals else check for check in CHECKS)),
    ),
    Variant(
        "authorization-is-read-as-any-other-scheme",
        "RFC 9110, 11.1, 11.2 and 5.6.1: scheme and parameter names have no case, values may be quoted, and empty "
        "list elements are ignored.",
        replace(HONEST, admit=read_as_any_other_scheme),
    ),
    Variant(
        "guests-are-told-at-length",
        "error.message: the text is never judged; AWS's begins `User: arn:…` (dossier 5). Extra members are free.",
        replace(_GUARDED, error_payload=policy_is_quoted),
    ),
)

_IN_STATES = (
    Variant(
        "forbidden-is-told-at-length",
        "error.message: the text is never judged; AWS's begins `User: arn:…` (dossier 5). Extra members are free.",
        replace(HONEST, error_payload=policy_is_quoted),
    ),
    Variant(
        "throttling-does-not-say-when-it-ends",
        "error.retry-after: `where present`; the model does not require RetryAfterSeconds.",
        _in_state("ThrottlingException", lambda reply: reply.without_header("Retry-After")),
    ),
    Variant(
        "throttling-ends-at-once",
        "error.retry-after: 0 is a whole number of seconds (RFC 9110, 10.2.3).",
        _in_state("ThrottlingException", _waiting("0")),
    ),
    Variant(
        "throttling-has-leading-noughts",
        "error.retry-after: delay-seconds is 1*DIGIT (RFC 9110, 10.2.3).",
        _in_state("ThrottlingException", _waiting("001")),
    ),
    Variant(
        "throttling-names-its-quota",
        "The model has QuotaCode and ServiceCode in ThrottlingException (dossier 1.5).",
        replace(HONEST, error_payload=quota_is_named),
    ),
    Variant(
        "throttling-names-no-quota-with-nulls",
        "null counts as absent everywhere.",
        replace(HONEST, error_payload=quota_is_null),
    ),
    Variant(
        "throttling-ends-the-connection",
        "http.keep-alive: a server may close after any answer when it says so (RFC 9112, 9.6).",
        _in_state("ThrottlingException", closing),
    ),
    Variant(
        "faults-say-when-to-come-back",
        "The model has Retry-After in InternalServerException too (dossier 1.5).",
        _in_state("InternalServerException", _waiting("1")),
    ),
    Variant(
        "faults-end-the-connection",
        "http.keep-alive: a server may close after any answer when it says so (RFC 9112, 9.6).",
        _in_state("InternalServerException", closing),
    ),
    Variant(
        "conflicts-are-about-data-sets",
        "error.resource: any of the five types, and which of them is never judged.",
        conflict_about("DATASET"),
    ),
    Variant(
        "conflicts-are-about-package-jobs",
        "error.resource: any of the five types, and which of them is never judged.",
        conflict_about("MODEL_PACKAGE_JOB"),
    ),
)

VARIANTS: tuple[Variant, ...] = (*(replace(variant, guarded=True) for variant in _SIGNED), *_IN_STATES)
