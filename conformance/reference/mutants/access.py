"""Faults in who is let in, in what the server says in unusual states, and in what an SDK makes of that."""

from __future__ import annotations

import gzip
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import NoReturn
from urllib.parse import quote_from_bytes, unquote_to_bytes

from conformance.reference.app import (
    DEMO,
    ERRORS,
    HANGUP,
    HONEST,
    Behaviour,
    Call,
    Json,
    NoReply,
    Reason,
    Refused,
    Reply,
    Resource,
    name_error,
    path_of,
    render,
    write_error,
)
from conformance.reference.sigv4 import (
    ALGORITHM,
    CHECKS,
    TERMINATOR,
    Check,
    Claim,
    Verifier,
    canonical_request,
    date_is_current,
    payload_is_the_signed_one,
    principal_is_allowed,
    scope_is_ours,
    signature_is_the_principals,
    signing_key,
)
from conformance.reference.strains import CREDENTIALS, Mutant

_VERIFIER = Verifier(CREDENTIALS)
_STAMP = "%Y%m%dT%H%M%SZ"
_BASIC = {"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
_HASHED = 256 * 1024  # bytes
_TRACE = (
    'Traceback (most recent call last):\n  File "/srv/app/detect.py", line 42, in detect\nRuntimeError: out of memory'
)
_PAGE = b"<html><head><title>Sorry</title></head><body><h1>Please try again later.</h1></body></html>"
_ABOUT = Resource("all", "MODEL")


def _guarded_by(admit: Callable[[Call], None]) -> Behaviour:
    return replace(HONEST, admit=admit)


def _without(*checks: Check) -> Behaviour:
    """The reference whose verifier leaves these checks out."""
    return _guarded_by(replace(_VERIFIER, checks=tuple(check for check in CHECKS if check not in checks)).admit)


def _instead(honest: Check, faulty: Check) -> Behaviour:
    """The reference whose verifier makes one check in the place of another."""
    checks = tuple(faulty if check is honest else check for check in CHECKS)
    return _guarded_by(replace(_VERIFIER, checks=checks).admit)


def _also(faulty: Check) -> Behaviour:
    """The reference whose verifier makes one check too many."""
    return _guarded_by(replace(_VERIFIER, checks=(faulty, *CHECKS)).admit)


def _passing(*reasons: Reason) -> Behaviour:
    """The reference that takes those for guests of honour whom it should turn away for these reasons."""

    def admit(call: Call) -> None:
        try:
            _VERIFIER.admit(call)
        except Refused as refused:
            if refused.reason not in reasons:
                raise

    return _guarded_by(admit)


def _answering(earned: tuple[int, str], *reasons: Reason, guarded: bool = True) -> Behaviour:
    """The reference that answers these reasons with another status and id."""
    base = _guarded_by(_VERIFIER.admit) if guarded else HONEST
    return replace(base, errors={**ERRORS, **dict.fromkeys(reasons, earned)})


def _in_state(error: str, fault: Callable[[Reply], Reply]) -> Behaviour:
    """The reference with a fault in every answer that is named so; for errors that nothing but a state earns."""

    def finish(_call: Call, reply: Reply) -> Reply:
        return fault(reply) if ("x-amzn-ErrorType", error) in reply.headers else reply

    return replace(HONEST, finish=finish)


def _in_members_of(reason: Reason, fault: Callable[[Json], Json]) -> Behaviour:
    def spoilt(refused: Refused) -> Json:
        members = write_error(refused)
        return fault(members) if refused.reason is reason else members

    return replace(HONEST, error_payload=spoilt)


def _on(error: str, wire: NoReply) -> Behaviour:
    """The reference that gives no answer in the place of this error."""

    def rendered(call: Call, reply: Reply) -> bytes | NoReply:
        return wire if ("x-amzn-ErrorType", error) in reply.headers else render(call, reply)

    return replace(HONEST, render=rendered)


# The signature.


def _signature_over(claim: Claim, canonical: str) -> str:
    """What the principal's secret gives for a canonical request."""
    digest = sha256(canonical.encode("latin-1")).hexdigest()
    scope = claim.authorization.scope
    text = "\n".join([ALGORITHM, claim.signed_at.strftime(_STAMP), "/".join(scope), digest])
    return hmac.digest(signing_key(claim.principal.secret, scope), text.encode("latin-1"), "sha256").hex()


def _canonical(claim: Claim) -> str:
    return canonical_request(claim.call, claim.authorization.signed_headers)


def _expected(claim: Claim) -> str:
    return _signature_over(claim, _canonical(claim))


def _mismatch() -> NoReturn:
    raise Refused(Reason.INVALID_SIGNATURE, "The request signature we calculated does not match.")


def _verifying(rewrite: Callable[[Claim, str], str]) -> Behaviour:
    """The reference that expects another canonical request than clients sign."""

    def check(claim: Claim) -> None:
        if _signature_over(claim, rewrite(claim, _canonical(claim))) != claim.authorization.signature:
            _mismatch()

    return _instead(signature_is_the_principals, check)


def _trying(others: Callable[[Call], tuple[Call, ...]]) -> Behaviour:
    """The reference that lets a call pass when the signature is that of another call."""

    def check(claim: Claim) -> None:
        calls = (claim.call, *others(claim.call))
        if all(_expected(replace(claim, call=call)) != claim.authorization.signature for call in calls):
            _mismatch()

    return _instead(signature_is_the_principals, check)


def eight_digits_are_compared(claim: Claim) -> None:
    if _expected(claim)[:8] != claim.authorization.signature[:8]:
        _mismatch()


def a_beginning_is_enough(claim: Claim) -> None:
    if not _expected(claim).startswith(claim.authorization.signature):
        _mismatch()


def any_hash_will_do(claim: Claim) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", claim.authorization.signature):
        _mismatch()


def without_a_query(call: Call) -> tuple[Call, ...]:
    return (replace(call, target=call.target.partition(b"?")[0]),)


def of_any_model(call: Call) -> tuple[Call, ...]:
    paths = (f"/2020-11-20/projects/{model.project}/models/{model.version}/detect" for model in DEMO)
    return tuple(replace(call, target=path.encode()) for path in paths)


def of_either_type(call: Call) -> tuple[Call, ...]:
    others = tuple((key, value) for key, value in call.headers if key.lower() != b"content-type")
    types = (b"image/png", b"image/jpeg")
    return tuple(replace(call, headers=(*others, (b"content-type", each))) for each in types)


def path_as_it_was_sent(claim: Claim, canonical: str) -> str:
    return _with_line(canonical, 1, path_of(claim.call.target).decode("latin-1"))


def path_decoded(claim: Claim, canonical: str) -> str:
    return _with_line(canonical, 1, quote_from_bytes(unquote_to_bytes(path_of(claim.call.target)), safe="/"))


def content_length_is_lost(_claim: Claim, canonical: str) -> str:
    """As where a framework takes the header away before the verifier can see it."""
    return re.sub(r"(?m)^content-length:.*$", "content-length:", canonical)


def beginning_of_the_body(claim: Claim, canonical: str) -> str:
    if claim.call.values(b"x-amz-content-sha256"):
        return canonical
    return _with_line(canonical, -1, sha256(claim.call.body[:_HASHED]).hexdigest())


def headers_as_botocore_sends_them(_claim: Claim, canonical: str) -> str:
    """Only these go into the hash, whatever else the client has signed."""
    method, path, query, *headers, names, digest = canonical.split("\n")
    kept = [line for line in headers if not line or line.partition(":")[0] in _BASIC]
    known = ";".join(name for name in names.split(";") if name in _BASIC)
    return "\n".join([method, path, query, *kept, known, digest])


def _with_line(text: str, number: int, line: str) -> str:
    lines = text.split("\n")
    lines[number] = line
    return "\n".join(lines)


# What else the claim says.


def _scope_but_for(part: str) -> Check:
    """The check of the scope that does not look at one part of it."""
    right = {"region": CREDENTIALS.region, "service": CREDENTIALS.service, "terminator": TERMINATOR}

    def check(claim: Claim) -> None:
        value = right.get(part, claim.signed_at.strftime("%Y%m%d"))
        scope = claim.authorization.scope._replace(**{part: value})
        scope_is_ours(replace(claim, authorization=replace(claim.authorization, scope=scope)))

    return check


def any_time_of_today_will_do(claim: Claim) -> None:
    if claim.signed_at.date() != claim.now.date():
        raise Refused(Reason.INVALID_SIGNATURE, "Signature expired.")


def the_future_is_never_late(claim: Claim) -> None:
    date_is_current(replace(claim, signed_at=min(claim.signed_at, claim.now)))


def only_the_usual_headers_are_signed(claim: Claim) -> None:
    if not _BASIC.issuperset(claim.authorization.signed_headers):
        raise Refused(Reason.INVALID_SIGNATURE, "SignedHeaders has headers that this service does not verify.")


def content_type_is_signed(claim: Claim) -> None:
    if "content-type" not in claim.authorization.signed_headers:
        raise Refused(Reason.INVALID_SIGNATURE, "'content-type' must be a 'SignedHeader' in the AWS Authorization.")


def user_agent_is_signed(claim: Claim) -> None:
    if "x-amz-user-agent" not in claim.authorization.signed_headers:
        raise Refused(Reason.INVALID_SIGNATURE, "'x-amz-user-agent' must be a 'SignedHeader'.")


def content_hash_is_sent(claim: Claim) -> None:
    if not claim.call.values(b"x-amz-content-sha256"):
        raise Refused(Reason.INVALID_SIGNATURE, "The X-Amz-Content-Sha256 header is missing.")


def content_hash_is_not_sent(claim: Claim) -> None:
    if claim.call.values(b"x-amz-content-sha256"):
        raise Refused(Reason.INVALID_SIGNATURE, "The X-Amz-Content-Sha256 header is for S3.")


def credentials_are_permanent(claim: Claim) -> None:
    if claim.call.values(b"x-amz-security-token"):
        raise Refused(Reason.UNKNOWN_CLIENT, "The security token included in the request is invalid.")


def date_is_in_capitals(call: Call) -> None:
    if not any(key == b"X-Amz-Date" for key, _ in call.headers):
        raise Refused(Reason.INCOMPLETE_SIGNATURE, "Authorization header requires existence of a 'X-Amz-Date' header.")
    _VERIFIER.admit(call)


# Verifiers that do not verify.


def presence_is_enough(call: Call) -> None:
    if not call.values(b"authorization"):
        raise Refused(Reason.UNSIGNED, "Missing Authentication Token")


def algorithm_is_enough(call: Call) -> None:
    presence_is_enough(call)
    if not call.values(b"authorization")[0].startswith(ALGORITHM.encode()):
        raise Refused(Reason.INCOMPLETE_SIGNATURE, "The signature does not conform to AWS standards.")


def known_key_is_enough(call: Call) -> None:
    presence_is_enough(call)
    sent = call.values(b"authorization")[0].decode("latin-1")
    who = next((each for each in CREDENTIALS.principals if f"Credential={each.access_key}/" in sent), None)
    if who is None:
        raise Refused(Reason.UNKNOWN_CLIENT, "The security token included in the request is invalid.")
    if not who.allowed:
        raise Refused(Reason.FORBIDDEN, "You are not authorized to perform the action.")


def signature_may_be_left_out(call: Call) -> None:
    presence_is_enough(call)
    if any(re.search(rb"Signature=[^,\s]", value) for value in call.values(b"authorization")):
        _VERIFIER.admit(call)


def other_schemes_are_left_to_others(call: Call) -> None:
    if any(not value.startswith(b"AWS4-") for value in call.values(b"authorization")):
        return
    _VERIFIER.admit(call)


def signatures_in_the_query_are_believed(call: Call) -> None:
    if b"X-Amz-Signature=" not in call.target:
        _VERIFIER.admit(call)


def connection_is_trusted(call: Call) -> None:
    if not call.connection.get("trusted"):
        _VERIFIER.admit(call)
    call.connection["trusted"] = True


def what_was_good_stays_good(call: Call) -> None:
    seen, sent = call.server.setdefault("good", set()), call.values(b"authorization")
    if sent not in seen:
        _VERIFIER.admit(call)
        seen.add(sent)


def one_model_is_open(call: Call) -> None:
    if b"/circuits/" not in call.target:
        _VERIFIER.admit(call)


def verifier_crashes(call: Call) -> None:
    try:
        _VERIFIER.admit(call)
    except Refused as refused:
        if refused.reason in (Reason.UNSIGNED, Reason.INCOMPLETE_SIGNATURE):
            raise ValueError("not enough values to unpack") from None
        raise


def key_table_crashes(call: Call) -> None:
    try:
        _VERIFIER.admit(call)
    except Refused as refused:
        if refused.reason is Reason.UNKNOWN_CLIENT:
            raise KeyError("access key") from None
        raise


def to_the_door(call: Call, reply: Reply) -> Reply:
    del call
    if ("x-amzn-ErrorType", "InvalidSignatureException") not in reply.headers:
        return reply
    return replace(reply, status=302).with_header("Location", "https://signin.example.com/")


# Answers in states.


def _as_page(status: int) -> Callable[[Reply], Reply]:
    def fault(reply: Reply) -> Reply:
        page = replace(reply, status=status, body=_PAGE).without_header("x-amzn-ErrorType")
        return page.with_header("Content-Type", "text/html")

    return fault


def _waiting(value: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.with_header("Retry-After", value)


def nameless(reply: Reply) -> Reply:
    return reply.without_header("x-amzn-ErrorType")


def plain_text(reply: Reply) -> Reply:
    return replace(reply, body=b"Internal Server Error").with_header("Content-Type", "text/plain")


def an_array(reply: Reply) -> Reply:
    return replace(reply, body=b"[" + reply.body + b"]")


def a_text(reply: Reply) -> Reply:
    return replace(reply, body=b'"You are not authorized to perform the action."')


def empty_success(reply: Reply) -> Reply:
    return replace(reply, status=200, body=b"").without_header("x-amzn-ErrorType").without_header("Retry-After")


def success_with_an_error(reply: Reply) -> Reply:
    return replace(reply, status=200)


def accepted_for_later(reply: Reply) -> Reply:
    return replace(reply, status=202, body=b"{}").without_header("x-amzn-ErrorType")


def compressed(_call: Call, reply: Reply) -> Reply:
    if reply.status < 400:
        return reply
    return replace(reply, body=gzip.compress(reply.body)).with_header("Content-Encoding", "gzip")


def in_sixteen_bits(_call: Call, reply: Reply) -> Reply:
    return reply if reply.status < 400 else replace(reply, body=reply.body.decode().encode("utf-16"))


def named_after_the_class(error: str) -> tuple[tuple[str, str], ...]:
    return name_error(f"<class 'lookoutvision.errors.{error}'>")


def conflict_is_about_nothing(members: Json) -> Json:
    return {"Message": members["Message"]}


def conflict_is_about_a_type_in_lower_case(members: Json) -> Json:
    return {**members, "ResourceType": str(members["ResourceType"]).lower()}


def without_a_word(_members: Json) -> Json:
    return {}


def message_under_another_name(members: Json) -> Json:
    return {"errorMessage": members["Message"]}


def message_is_an_object(members: Json) -> Json:
    return {"Message": {"text": members["Message"]}}


def message_is_a_trace(_members: Json) -> Json:
    return {"Message": _TRACE}


def guest_is_told_that_there_is_nothing(refused: Refused) -> Json:
    about = _ABOUT if refused.reason is Reason.FORBIDDEN else refused.resource
    return write_error(Refused(refused.reason, refused.message, about))


_REFUSED = (
    Mutant(
        "nobody-is-asked-who-they-are",
        "Requests are served whoever signed them, or nobody.",
        ("auth.refused",),
        HONEST,
    ),
    Mutant(
        "unsigned-requests-are-anonymous",
        "Only those are verified who sign; all others are served.",
        ("auth.refused",),
        _passing(Reason.UNSIGNED),
    ),
    Mutant(
        "any-authorization-is-enough",
        "It is only looked whether there is an Authorization header.",
        ("auth.refused", "state.forbidden"),
        _guarded_by(presence_is_enough),
    ),
    Mutant(
        "name-of-the-algorithm-is-enough",
        "Any Authorization that begins with AWS4-HMAC-SHA256 is good.",
        ("auth.refused", "state.forbidden"),
        _guarded_by(algorithm_is_enough),
    ),
    Mutant(
        "known-key-is-enough",
        "The access key is looked up; the signature is not looked at.",
        ("auth.refused",),
        _guarded_by(known_key_is_enough),
    ),
    Mutant(
        "unknown-keys-are-served",
        "An access key that nobody has is let in.",
        ("auth.refused",),
        _passing(Reason.UNKNOWN_CLIENT),
    ),
    Mutant(
        "unreadable-signatures-are-served",
        "An Authorization header that cannot be read is passed over.",
        ("auth.refused",),
        _passing(Reason.INCOMPLETE_SIGNATURE),
    ),
    Mutant(
        "signature-may-be-left-out",
        "An Authorization header with an empty Signature, or with none, is good.",
        ("auth.refused",),
        _guarded_by(signature_may_be_left_out),
    ),
    Mutant(
        "other-schemes-are-left-to-others",
        "An Authorization of another scheme, Basic or Bearer, is not verified, and served.",
        ("auth.refused",),
        _guarded_by(other_schemes_are_left_to_others),
    ),
    Mutant(
        "signatures-in-the-query-are-believed",
        "A request with X-Amz-Signature in its query is served unverified.",
        ("auth.refused",),
        _guarded_by(signatures_in_the_query_are_believed),
    ),
    Mutant(
        "signature-is-not-compared",
        "Everything about the claim is checked but the signature itself.",
        ("auth.refused",),
        _without(signature_is_the_principals),
    ),
    Mutant(
        "any-hash-is-a-signature",
        "64 hexadecimal digits are a good signature, whichever they are.",
        ("auth.refused",),
        _instead(signature_is_the_principals, any_hash_will_do),
    ),
    Mutant(
        "eight-digits-are-compared",
        "Only the first eight digits of the signature are compared.",
        ("auth.refused",),
        _instead(signature_is_the_principals, eight_digits_are_compared),
    ),
    Mutant(
        "beginning-of-a-signature-is-enough",
        "A signature that is cut short is good.",
        ("auth.refused",),
        _instead(signature_is_the_principals, a_beginning_is_enough),
    ),
    Mutant(
        "claimed-hash-of-the-body-is-believed",
        "The body is not compared with X-Amz-Content-Sha256, so that it may be changed after signing.",
        ("auth.refused",),
        _without(payload_is_the_signed_one),
    ),
    Mutant(
        "signature-for-one-model-is-good-for-all",
        "The path may be changed to another model's after signing.",
        ("auth.refused",),
        _trying(of_any_model),
    ),
    Mutant(
        "query-may-be-added-after-signing",
        "The query is not part of what is verified.",
        ("auth.refused",),
        _trying(without_a_query),
    ),
    Mutant(
        "content-type-may-be-changed-after-signing",
        "A request signed as a PNG may be sent as a JPEG.",
        ("auth.refused",),
        _trying(of_either_type),
    ),
    Mutant(
        "signatures-never-expire",
        "A signature of last year is as good as one of today.",
        ("auth.refused",),
        _without(date_is_current),
    ),
    Mutant(
        "signatures-expire-at-midnight",
        "A signature is good all day.",
        ("auth.refused",),
        _instead(date_is_current, any_time_of_today_will_do),
    ),
    Mutant(
        "signatures-of-the-future-are-good",
        "A request that says that it was signed tomorrow is served, though RequestExpired is for those as well.",
        ("auth.refused",),
        _instead(date_is_current, the_future_is_never_late),
    ),
    Mutant(
        "any-region-will-do",
        "The region of the scope is not looked at.",
        ("auth.refused",),
        _instead(scope_is_ours, _scope_but_for("region")),
    ),
    Mutant(
        "any-service-will-do",
        "The service of the scope is not looked at.",
        ("auth.refused",),
        _instead(scope_is_ours, _scope_but_for("service")),
    ),
    Mutant(
        "any-day-in-the-scope-will-do",
        "A key for another day than that of the request is good.",
        ("auth.refused",),
        _instead(scope_is_ours, _scope_but_for("date")),
    ),
    Mutant(
        "any-terminator-will-do",
        "The scope need not end in aws4_request.",
        ("auth.refused",),
        _instead(scope_is_ours, _scope_but_for("terminator")),
    ),
    Mutant(
        "connection-is-trusted-after-one-signature",
        "Who has signed one request need not sign those that follow on the connection.",
        ("auth.refused",),
        _guarded_by(connection_is_trusted),
    ),
    Mutant(
        "signature-that-was-good-stays-good",
        "An Authorization header that was good once is good again, whatever it comes with.",
        ("auth.refused",),
        _guarded_by(what_was_good_stays_good),
    ),
    Mutant(
        "one-model-is-open-to-everybody",
        "The segmentation model is served to whoever asks.",
        ("auth.refused",),
        _guarded_by(one_model_is_open),
    ),
    Mutant(
        "malformed-signature-crashes-the-verifier",
        "A missing or malformed Authorization header is a server error.",
        ("auth.refused", "error.blame"),
        _guarded_by(verifier_crashes),
    ),
    Mutant(
        "unknown-key-crashes-the-verifier",
        "An access key that nobody has is a server error.",
        ("auth.refused", "error.blame"),
        _guarded_by(key_table_crashes),
    ),
    Mutant(
        "bad-signature-is-a-success-with-an-error",
        "A signature that does not match is answered 200 with the error as its body.",
        ("auth.refused",),
        _answering((200, "InvalidSignatureException"), Reason.INVALID_SIGNATURE),
    ),
    Mutant(
        "bad-signature-is-shown-to-the-door",
        "A signature that does not match is redirected to a page for signing in.",
        ("auth.refused",),
        replace(_guarded_by(_VERIFIER.admit), finish=to_the_door),
    ),
    Mutant(
        "bad-signature-is-not-found",
        "A signature that does not match is answered 404.",
        ("auth.refused",),
        _answering((404, "UnknownOperationException"), Reason.INVALID_SIGNATURE),
    ),
    Mutant(
        "bad-signature-is-a-fault",
        "A signature that does not match is answered 500.",
        ("auth.refused", "error.blame"),
        _answering((500, "InternalServerException"), Reason.INVALID_SIGNATURE),
    ),
    Mutant(
        "missing-signature-is-unavailable",
        "An unsigned request is answered 503.",
        ("auth.refused", "error.blame"),
        _answering((503, "ServiceUnavailableException"), Reason.UNSIGNED),
    ),
    Mutant(
        "bad-signature-is-not-answered",
        "Where a signature does not match, the connection closes without a word.",
        ("auth.refused", "http.answered"),
        replace(_on("InvalidSignatureException", HANGUP), admit=_VERIFIER.admit),
    ),
)

_ACCEPTED = (
    Mutant(
        "clocks-agree-to-the-minute",
        "A request that was signed more than a minute ago is refused; the documents give it five, or fifteen.",
        ("auth.accepted",),
        _guarded_by(replace(_VERIFIER, window=timedelta(minutes=1)).admit),
    ),
    Mutant(
        "other-signed-headers-are-refused",
        "Clients that sign more than botocore does are refused.",
        ("auth.accepted",),
        _also(only_the_usual_headers_are_signed),
    ),
    Mutant(
        "other-signed-headers-are-left-out",
        "What clients sign beyond botocore's headers is not put into the hash, which then differs from theirs.",
        ("auth.accepted",),
        _verifying(headers_as_botocore_sends_them),
    ),
    Mutant(
        "content-type-has-to-be-signed",
        "Clients that do not sign Content-Type are refused, the SDK for JavaScript v2 among them.",
        ("auth.accepted",),
        _also(content_type_is_signed),
    ),
    Mutant(
        "user-agent-has-to-be-signed",
        "Clients that do not sign X-Amz-User-Agent are refused: all but the SDK for JavaScript v3.",
        ("auth.accepted", "route.operation"),
        _also(user_agent_is_signed),
    ),
    Mutant(
        "hash-of-the-body-has-to-be-sent",
        "Clients that send no X-Amz-Content-Sha256 are refused, as if this were S3.",
        ("auth.accepted", "route.operation"),
        _also(content_hash_is_sent),
    ),
    Mutant(
        "hash-of-the-body-must-not-be-sent",
        "Clients that send X-Amz-Content-Sha256 are refused: the SDKs for JavaScript.",
        ("auth.accepted",),
        _also(content_hash_is_not_sent),
    ),
    Mutant(
        "content-length-is-lost-before-verification",
        "Content-Length, where it is signed, is verified as if it were empty.",
        ("auth.accepted",),
        _verifying(content_length_is_lost),
    ),
    Mutant(
        "temporary-credentials-are-refused",
        "Requests with a session token are refused.",
        ("auth.accepted", "route.operation"),
        _also(credentials_are_permanent),
    ),
    Mutant(
        "date-is-read-in-capitals",
        "X-Amz-Date is only found in the spelling of botocore, and not as x-amz-date.",
        ("auth.accepted", "route.operation"),
        _guarded_by(date_is_in_capitals),
    ),
    Mutant(
        "only-the-beginning-of-the-body-is-hashed",
        "Images of more than 256 KB never have the right signature.",
        ("auth.accepted", "route.operation"),
        _verifying(beginning_of_the_body),
    ),
    Mutant(
        "path-is-verified-as-it-was-sent",
        "The path is not encoded once more, so that the signature of any path with an escape is wrong.",
        ("auth.accepted", "path.unreserved", "project.pattern", "version.pattern"),
        _verifying(path_as_it_was_sent),
    ),
    Mutant(
        "path-is-verified-decoded",
        "The path is decoded and encoded once, so that the signature of any path with an escape is wrong.",
        ("auth.accepted", "path.unreserved", "project.pattern", "version.pattern"),
        _verifying(path_decoded),
    ),
)

_GUESTS = (
    Mutant(
        "guests-are-served",
        "Who signs well is served, with or without the permission.",
        ("state.forbidden",),
        _without(principal_is_allowed),
    ),
    Mutant(
        "guests-find-nothing",
        "A principal without the permission is answered 404 ResourceNotFoundException.",
        ("state.forbidden",),
        replace(
            _answering((404, "ResourceNotFoundException"), Reason.FORBIDDEN),
            error_payload=guest_is_told_that_there_is_nothing,
        ),
    ),
    Mutant(
        "guests-are-unknown",
        "A principal without the permission is answered UnrecognizedClientException.",
        ("state.forbidden",),
        _answering((403, "UnrecognizedClientException"), Reason.FORBIDDEN),
    ),
    Mutant(
        "guests-sign-badly",
        "A principal without the permission is answered InvalidSignatureException.",
        ("state.forbidden",),
        _answering((403, "InvalidSignatureException"), Reason.FORBIDDEN),
    ),
)

_FORBIDDEN = (
    Mutant(
        "forbidden-has-no-effect",
        "Who loses the permission is served as before.",
        ("state.forbidden",),
        HONEST,
        deaf_to=frozenset({"forbidden"}),
    ),
    Mutant(
        "forbidden-without-a-name",
        "403 without an error id, so that no SDK raises AccessDeniedException.",
        ("error.id", "state.forbidden", "sdk.reads"),
        _in_state("AccessDeniedException", nameless),
    ),
    Mutant(
        "forbidden-under-another-name",
        "403 ForbiddenException, which no SDK knows.",
        ("state.forbidden", "error.pair", "sdk.reads"),
        _answering((403, "ForbiddenException"), Reason.FORBIDDEN, guarded=False),
    ),
    Mutant(
        "forbidden-is-unauthorized",
        "AccessDeniedException is answered 401.",
        ("state.forbidden", "error.pair"),
        _answering((401, "AccessDeniedException"), Reason.FORBIDDEN, guarded=False),
    ),
    Mutant(
        "forbidden-is-invalid",
        "AccessDeniedException is answered 400, as the older common errors have it.",
        ("state.forbidden", "error.pair"),
        _answering((400, "AccessDeniedException"), Reason.FORBIDDEN, guarded=False),
    ),
    Mutant(
        "forbidden-without-a-word",
        "403 AccessDeniedException with an empty object.",
        ("error.message", "state.forbidden"),
        _in_members_of(Reason.FORBIDDEN, without_a_word),
    ),
    Mutant(
        "forbidden-is-a-text",
        "The body of the 403 is a JSON string, which crashes botocore's parser.",
        ("error.json", "sdk.reads", "state.forbidden"),
        _in_state("AccessDeniedException", a_text),
    ),
    Mutant(
        "forbidden-is-an-empty-success",
        "Who may not call the operation gets 200 and nothing.",
        ("state.forbidden", "success.json"),
        _in_state("AccessDeniedException", empty_success),
    ),
)

_THROTTLED = (
    Mutant(
        "throttling-has-no-effect",
        "Who should be throttled is served.",
        ("state.throttled",),
        HONEST,
        deaf_to=frozenset({"throttled"}),
    ),
    Mutant(
        "throttling-never-ends",
        "Who is throttled once is throttled for ever.",
        ("state.throttled",),
        HONEST,
        stuck_in=frozenset({"throttled"}),
    ),
    Mutant(
        "throttling-under-another-name",
        "429 ThrottledException, which no SDK knows.",
        ("state.throttled", "error.pair", "sdk.reads"),
        _answering((429, "ThrottledException"), Reason.THROTTLED, guarded=False),
    ),
    Mutant(
        "throttling-without-a-name",
        "429 without an error id.",
        ("error.id", "state.throttled", "sdk.reads"),
        _in_state("ThrottlingException", nameless),
    ),
    Mutant(
        "throttling-is-invalid",
        "ThrottlingException is answered 400, as the common errors have it, and not 429, as the operation has it.",
        ("state.throttled", "error.pair"),
        _answering((400, "ThrottlingException"), Reason.THROTTLED, guarded=False),
    ),
    Mutant(
        "throttling-is-unavailable",
        "ThrottlingException is answered 503.",
        ("state.throttled", "error.pair", "error.blame"),
        _answering((503, "ThrottlingException"), Reason.THROTTLED, guarded=False),
    ),
    Mutant(
        "throttling-ends-on-a-date",
        "The 429 has an HTTP date in Retry-After, which crashes four SDKs.",
        ("error.retry-after", "state.throttled", "sdk.reads"),
        _in_state("ThrottlingException", _waiting("Fri, 31 Oct 2025 23:59:59 GMT")),
    ),
    Mutant(
        "throttling-ends-within-the-second",
        "The 429 has a fraction in Retry-After.",
        ("error.retry-after", "state.throttled", "sdk.reads"),
        _in_state("ThrottlingException", _waiting("0.5")),
    ),
    Mutant(
        "throttling-ended-before",
        "The 429 has a negative number in Retry-After.",
        ("error.retry-after", "state.throttled"),
        _in_state("ThrottlingException", _waiting("-1")),
    ),
    Mutant(
        "throttling-ends-in-words",
        "The 429 has a unit in Retry-After.",
        ("error.retry-after", "state.throttled", "sdk.reads"),
        _in_state("ThrottlingException", _waiting("1s")),
    ),
    Mutant(
        "throttling-is-a-page",
        "The 429 is a proxy's HTML page.",
        ("error.json", "state.throttled", "error.id", "sdk.reads"),
        _in_state("ThrottlingException", _as_page(429)),
    ),
    Mutant(
        "throttling-is-an-empty-success",
        "Who is throttled gets 200 and nothing, which SDKs take for a result.",
        ("state.throttled", "success.json", "success.result"),
        _in_state("ThrottlingException", empty_success),
    ),
    Mutant(
        "throttled-requests-are-accepted-for-later",
        "Who is throttled gets 202 and never a result.",
        ("state.throttled", "success.status"),
        _in_state("ThrottlingException", accepted_for_later),
    ),
    Mutant(
        "throttled-requests-are-not-answered",
        "Who is throttled is hung up on.",
        ("state.throttled", "http.answered"),
        _on("ThrottlingException", HANGUP),
    ),
    Mutant(
        "throttling-is-a-list",
        "The body of the 429 is an array, which crashes botocore's parser.",
        ("error.json", "sdk.reads", "state.throttled"),
        _in_state("ThrottlingException", an_array),
    ),
)

_FAULT = (
    Mutant(
        "fault-has-no-effect",
        "Who should see the fault is served.",
        ("state.fault",),
        HONEST,
        deaf_to=frozenset({"fault"}),
    ),
    Mutant(
        "fault-is-plain-text",
        "The 500 is plain text.",
        ("error.json", "state.fault"),
        _in_state("InternalServerException", plain_text),
    ),
    Mutant(
        "fault-is-a-gateways",
        "The fault is answered 502, with a page of HTML.",
        ("state.fault", "error.json", "error.pair"),
        _in_state("InternalServerException", _as_page(502)),
    ),
    Mutant(
        "fault-is-unavailable",
        "The fault is answered 503 ServiceUnavailableException.",
        ("state.fault", "error.pair"),
        _answering((503, "ServiceUnavailableException"), Reason.FAULT, guarded=False),
    ),
    Mutant(
        "fault-under-another-name",
        "500 InternalServerErrorException, which no SDK knows for this service.",
        ("state.fault", "error.pair", "sdk.reads"),
        _answering((500, "InternalServerErrorException"), Reason.FAULT, guarded=False),
    ),
    Mutant(
        "fault-without-a-name",
        "500 without an error id.",
        ("error.id", "state.fault", "sdk.reads"),
        _in_state("InternalServerException", nameless),
    ),
    Mutant(
        "fault-is-the-clients",
        "InternalServerException is answered 400.",
        ("state.fault", "error.pair"),
        _answering((400, "InternalServerException"), Reason.FAULT, guarded=False),
    ),
    Mutant(
        "fault-is-a-success-with-an-error",
        "The fault is answered 200 with the error as its body.",
        ("state.fault", "success.result"),
        _in_state("InternalServerException", success_with_an_error),
    ),
    Mutant(
        "fault-hides-its-message",
        "The message of the 500 is `errorMessage`, as AWS Lambda spells it.",
        ("error.message", "state.fault"),
        _in_members_of(Reason.FAULT, message_under_another_name),
    ),
    Mutant(
        "fault-shows-its-trace",
        "The message of the 500 is a stack trace.",
        ("error.discretion",),
        _in_members_of(Reason.FAULT, message_is_a_trace),
    ),
    Mutant(
        "fault-ends-on-a-date",
        "The 500 has an HTTP date in Retry-After.",
        ("error.retry-after", "state.fault", "sdk.reads"),
        _in_state("InternalServerException", _waiting("Fri, 31 Oct 2025 23:59:59 GMT")),
    ),
    Mutant(
        "fault-is-not-answered",
        "In the state of fault every connection is hung up on.",
        ("state.fault", "http.answered"),
        _on("InternalServerException", HANGUP),
    ),
)

_CONFLICT = (
    Mutant(
        "conflict-has-no-effect",
        "Who should conflict is served.",
        ("state.conflict",),
        HONEST,
        deaf_to=frozenset({"conflict"}),
    ),
    Mutant(
        "conflict-is-invalid",
        "The conflict is answered 400 ValidationException.",
        ("state.conflict",),
        _answering((400, "ValidationException"), Reason.CONFLICT, guarded=False),
    ),
    Mutant(
        "conflict-has-the-status-of-invalid-input",
        "ConflictException is answered 400.",
        ("state.conflict", "error.pair"),
        _answering((400, "ConflictException"), Reason.CONFLICT, guarded=False),
    ),
    Mutant(
        "conflict-is-not-found",
        "The conflict is answered 404 ResourceNotFoundException.",
        ("state.conflict",),
        _answering((404, "ResourceNotFoundException"), Reason.CONFLICT, guarded=False),
    ),
    Mutant(
        "conflict-is-locked",
        "ConflictException is answered 423.",
        ("state.conflict", "error.pair"),
        _answering((423, "ConflictException"), Reason.CONFLICT, guarded=False),
    ),
    Mutant(
        "conflict-under-another-name",
        "409 ResourceConflictException, which no SDK knows for this service.",
        ("state.conflict", "error.pair", "sdk.reads"),
        _answering((409, "ResourceConflictException"), Reason.CONFLICT, guarded=False),
    ),
    Mutant(
        "conflict-is-about-nothing",
        "The ConflictException of the state has neither ResourceId nor ResourceType.",
        ("error.resource", "state.conflict"),
        _in_members_of(Reason.CONFLICT, conflict_is_about_nothing),
    ),
    Mutant(
        "conflict-is-about-a-type-in-lower-case",
        "The ConflictException of the state is about a `model`, which is none of the five types.",
        ("error.resource", "state.conflict"),
        _in_members_of(Reason.CONFLICT, conflict_is_about_a_type_in_lower_case),
    ),
    Mutant(
        "conflict-has-an-object-for-a-message",
        "The message of the conflict is an object.",
        ("error.message", "state.conflict"),
        _in_members_of(Reason.CONFLICT, message_is_an_object),
    ),
)

_STOPPED = (
    Mutant(
        "stopping-has-no-effect",
        "A model that is stopped while the server runs is served as before.",
        ("state.not-running-refused",),
        HONEST,
        deaf_to=frozenset({"stopped"}),
    ),
    Mutant(
        "stopped-model-is-unavailable",
        "A model that is not running is answered 503.",
        ("state.not-running-refused", "error.blame"),
        _answering((503, "ServiceUnavailableException"), Reason.NOT_RUNNING, guarded=False),
    ),
)

_READ = (
    Mutant(
        "errors-are-compressed-unasked",
        "Every error comes compressed to clients that never asked for it, and crashes botocore's parser.",
        ("sdk.reads", "error.json", "success.encoding"),
        replace(HONEST, finish=compressed),
    ),
    Mutant(
        "errors-have-sixteen-bits-a-letter",
        "Every error is JSON in UTF-16.",
        ("error.json", "sdk.reads"),
        replace(HONEST, finish=in_sixteen_bits),
    ),
    Mutant(
        "errors-are-named-after-the-class",
        "The error id is what Python prints of a class, so that no SDK raises the modelled exception.",
        ("error.pair", "error.id", "sdk.reads"),
        replace(HONEST, error_headers=named_after_the_class),
    ),
)

MUTANTS: tuple[Mutant, ...] = (
    *(replace(mutant, guarded=True) for mutant in (*_REFUSED, *_ACCEPTED, *_GUESTS)),
    *_FORBIDDEN,
    *_THROTTLED,
    *_FAULT,
    *_CONFLICT,
    *_STOPPED,
    *_READ,
)
