"""Who signed a request: AWS Signature Version 4 in the Authorization header, from the server's side.

``Verifier.admit`` is a stage for ``Behaviour.admit``: it lets a call pass, or raises Refused. What is verified is a
table of checks, so that a verifier that is wrong, or strict in another way, is ``dataclasses.replace`` of this one.

Sources: *AWS Signature Version 4 for API requests* in the IAM User Guide for the canonical request, the string to sign
and the signing key; AWS's published test suite for dot segments, slashes and white space; RFC 9110, 5.6.7 for dates;
the messages are those that AWS services give. What these leave open is decided at the function that needs it.
Signatures in the query (presigned URLs) are not offered: such a request counts as unsigned.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from conformance.reference.app import Call, Reason, Refused, path_of
from conformance.reference.credentials import Credentials, Principal

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
MAX_AUTHORIZATION = 8 * 1024  # bytes
WINDOW = timedelta(minutes=15)

_STAMP = "%Y%m%dT%H%M%SZ"
_DATES = (_STAMP, "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000")  # the last is botocore's
_PARAMETERS = ["Credential", "SignedHeaders", "Signature"]
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_WHITE_SPACE = re.compile(rb"\s+")


# What a request says of itself.


class Scope(NamedTuple):
    """What a signing key is good for; ``date`` is YYYYMMDD in UTC."""

    date: str
    region: str
    service: str
    terminator: str


@dataclass(frozen=True)
class Authorization:
    """The parameters of an Authorization header, well-formed but not yet believed."""

    access_key: str
    scope: Scope
    signed_headers: tuple[str, ...]
    """Names in lower case, sorted, each once."""
    signature: str = field(repr=False)


@dataclass(frozen=True, eq=False)
class Claim:
    """A request that says who signed it, and whom and what the verifier holds against that."""

    call: Call
    authorization: Authorization
    signed_at: datetime
    principal: Principal
    verifier: Verifier
    now: datetime


def read_authorization(call: Call) -> Authorization:
    """The one Authorization header. Raises Refused: UNSIGNED when it is missing or empty, or INCOMPLETE_SIGNATURE."""
    values = call.values(b"authorization")
    if not any(values):
        raise Refused(Reason.UNSIGNED, "Missing Authentication Token")
    if len(values) > 1 or len(values[0]) > MAX_AUTHORIZATION:
        raise _incomplete(f"There must be one Authorization header of at most {MAX_AUTHORIZATION} bytes.")
    algorithm, _, rest = values[0].decode("latin-1").partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': it must be {ALGORITHM!r}.")
    return _authorization(rest)


def _authorization(text: str) -> Authorization:
    """The three parameters, in any order, with or without white space about the commas."""
    pairs = [part.strip(" \t").partition("=")[::2] for part in text.split(",")]
    if sorted(name for name, _ in pairs) != sorted(_PARAMETERS) or not all(value for _, value in pairs):
        raise _incomplete(f"Authorization header requires each of {', '.join(map(repr, _PARAMETERS))} once.")
    credential, names, signature = (dict(pairs)[name] for name in _PARAMETERS)
    access_key, *scope = credential.split("/")
    if len(scope) != len(Scope._fields):
        raise _incomplete("Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/term.")
    return Authorization(access_key, Scope(*scope), _signed_headers(names), signature)


def _signed_headers(text: str) -> tuple[str, ...]:
    names = text.split(";")
    if names != sorted(set(names)) or not all(map(_HEADER_NAME.fullmatch, names)):
        raise _incomplete("SignedHeaders must be header names in lower case, sorted, each once, with ';' between them.")
    return tuple(names)


def read_date(call: Call) -> datetime:
    """When the request says that it was signed: X-Amz-Date, or else Date. Raises Refused, INCOMPLETE_SIGNATURE.

    X-Amz-Date is ISO 8601 in the basic format; Date may also be an HTTP date, as botocore sends it.
    """
    name, forms = (b"x-amz-date", _DATES[:1]) if call.values(b"x-amz-date") else (b"date", _DATES)
    values = call.values(name)
    if not values:
        raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    moment = _moment(values[0].decode("latin-1"), forms)
    if len(values) > 1 or moment is None:
        raise _incomplete("Date must be in ISO-8601 'basic format', and there must be one.")
    return moment


def _moment(text: str, forms: tuple[str, ...]) -> datetime | None:
    """The moment that is written in exactly one of the forms; ``strptime`` alone would forgive missing zeros."""
    for form in forms:
        with suppress(ValueError):
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
            if moment.strftime(form) == text:
                return moment
    return None


def _incomplete(message: str) -> Refused:
    return Refused(Reason.INCOMPLETE_SIGNATURE, message)


def _invalid(message: str) -> Refused:
    return Refused(Reason.INVALID_SIGNATURE, message)


def _unknown_client() -> Refused:
    return Refused(Reason.UNKNOWN_CLIENT, "The security token included in the request is invalid.")


# The canonical request.


def canonical_request(call: Call, signed_headers: tuple[str, ...]) -> str:
    """What a client has signed, but for its time and scope. Six parts, a line feed after each but the last."""
    return "\n".join(
        [
            call.method.decode("latin-1"),
            canonical_uri(call.target),
            canonical_query(call.target),
            canonical_headers(call, signed_headers),
            ";".join(signed_headers),
            payload_hash(call),
        ]
    )


def canonical_uri(target: bytes) -> str:
    """The path as sent, without dot segments and empty segments, and percent-encoded once more.

    So it is for every service but S3, and so all SDKs sign. What arrives encoded is not decoded first: ``%20`` becomes
    ``%2520``, ``%5F`` becomes ``%255F``.
    """
    path = path_of(target)
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    end = b"/" if kept and path.endswith(b"/") else b""
    return quote_from_bytes(b"/" + b"/".join(kept) + end, safe="/")


def canonical_query(target: bytes) -> str:
    """The parameters in the order of their encoded names, then values; ``+`` is itself and no space (RFC 3986)."""
    parts = [part.partition(b"=")[::2] for part in target.partition(b"?")[2].split(b"&") if part]
    return "&".join(f"{name}={value}" for name, value in sorted((_encoded(each), _encoded(to)) for each, to in parts))


def _encoded(part: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(part), safe="")


def canonical_headers(call: Call, names: tuple[str, ...]) -> str:
    """A line for each name: its values in the order of arrival, comma between them, white space folded to one space."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for key, value in call.headers:
        name = key.lower().decode("latin-1")
        if name in found:
            found[name].append(_WHITE_SPACE.sub(b" ", value).strip().decode("latin-1"))
    return "".join(f"{name}:{','.join(values)}\n" for name, values in found.items())


def payload_hash(call: Call) -> str:
    """X-Amz-Content-Sha256 as sent, or else the SHA-256 of the body, 64 hexadecimal digits in lower case."""
    claimed = call.values(b"x-amz-content-sha256")
    return claimed[0].decode("latin-1") if claimed else sha256(call.body).hexdigest()


def string_to_sign(claim: Claim) -> str:
    """The canonical request's hash with the time and the scope of its signature."""
    canonical = canonical_request(claim.call, claim.authorization.signed_headers)
    scope = "/".join(claim.authorization.scope)
    return "\n".join([ALGORITHM, claim.signed_at.strftime(_STAMP), scope, sha256(_octets(canonical)).hexdigest()])


def signing_key(secret: str, scope: Scope) -> bytes:
    """The key of a secret for one day, region and service: four HMACs, too cheap to keep a table of keys for."""
    key = b"AWS4" + secret.encode()
    for part in scope:
        key = hmac.digest(key, _octets(part), "sha256")
    return key


def _octets(text: str) -> bytes:
    """The bytes as they arrived: all text of a request is read as Latin-1."""
    return text.encode("latin-1")


# The checks.

Check = Callable[[Claim], None]


def scope_is_ours(claim: Claim) -> None:
    """Region, service and terminator are the server's, and the day is that of the signature."""
    date, region, service, terminator = claim.authorization.scope
    ours = claim.verifier.credentials
    if terminator != TERMINATOR:
        raise _invalid(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    if region != ours.region:
        raise _invalid(f"Credential should be scoped to a valid region: '{ours.region}'.")
    if service != ours.service:
        raise _invalid(f"Credential should be scoped to correct service: '{ours.service}'.")
    if date != claim.signed_at.strftime(_STAMP)[:8]:
        raise _invalid("Date in Credential scope does not match YYYYMMDD from the date of the request.")


def date_is_current(claim: Claim) -> None:
    """The clocks differ by the window at most, either way."""
    window, minutes = claim.verifier.window, claim.verifier.window // timedelta(minutes=1)
    signed, now = claim.signed_at.strftime(_STAMP), claim.now.strftime(_STAMP)
    if claim.now - claim.signed_at > window:
        edge = (claim.now - window).strftime(_STAMP)
        raise _invalid(f"Signature expired: {signed} is now earlier than {edge} ({now} - {minutes} min.)")
    if claim.signed_at - claim.now > window:
        edge = (claim.now + window).strftime(_STAMP)
        raise _invalid(f"Signature not yet current: {signed} is still later than {edge} ({now} + {minutes} min.)")


def token_is_the_principals(claim: Claim) -> None:
    """The session token is that of the credentials; none, or an empty one, where they are not temporary."""
    sent = claim.call.values(b"x-amz-security-token")
    expected = (claim.principal.session_token or "").encode()
    if len(sent) > 1 or not hmac.compare_digest(b"".join(sent), expected):
        raise _unknown_client()


def required_headers_are_signed(claim: Claim) -> None:
    """Host and every x-amz-* header are signed.

    Nothing else has to be: the AWS SDK for JavaScript v2 leaves Content-Type out.
    """
    amz = {name for name in _names(claim.call) if name.startswith("x-amz-")}
    if missing := {"host", *amz}.difference(claim.authorization.signed_headers):
        raise _invalid(f"'{min(missing)}' must be a 'SignedHeader' in the AWS Authorization.")


def signed_headers_are_present(claim: Claim) -> None:
    """Every header that is named as signed is there, be it empty."""
    if set(claim.authorization.signed_headers) - _names(claim.call):
        raise _invalid("A header that is named in SignedHeaders is missing.")


def _names(call: Call) -> set[str]:
    return {key.lower().decode("latin-1") for key, _ in call.headers}


def signature_is_the_principals(claim: Claim) -> None:
    """The signature is what the principal's secret gives, in lower-case hexadecimal; compared in constant time."""
    key = signing_key(claim.principal.secret, claim.authorization.scope)
    expected = hmac.digest(key, _octets(string_to_sign(claim)), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), _octets(claim.authorization.signature)):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def payload_is_the_signed_one(claim: Claim) -> None:
    """X-Amz-Content-Sha256, where sent, is the body's hash; or UNSIGNED-PAYLOAD, which JavaScript v3 sends for streams.

    The forms of a body that is signed in chunks (``STREAMING-…``) are not offered.
    """
    claimed = claim.call.values(b"x-amz-content-sha256")
    if not claimed or (claimed == (UNSIGNED_PAYLOAD,) and claim.verifier.unsigned_payload):
        return
    if claimed != (sha256(claim.call.body).hexdigest().encode(),):
        raise _invalid("The X-Amz-Content-Sha256 header does not match what was computed of the body.")


def principal_is_allowed(claim: Claim) -> None:
    """The principal has the permission ``lookoutvision:DetectAnomalies``."""
    who = claim.principal
    if not who.allowed:
        message = f"User: {who.name or who.access_key} is not authorized to perform: lookoutvision:DetectAnomalies"
        raise Refused(Reason.FORBIDDEN, message)


CHECKS: tuple[Check, ...] = (
    token_is_the_principals,
    scope_is_ours,
    date_is_current,
    required_headers_are_signed,
    signed_headers_are_present,
    signature_is_the_principals,
    payload_is_the_signed_one,
    principal_is_allowed,
)
"""In the order in which they are made. The cheap ones come first, and nobody learns of permissions unsigned."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Verifier:
    """Lets requests pass that one of the principals signed for this region and service, a short time ago."""

    credentials: Credentials
    clock: Callable[[], datetime] = utc_now
    """Gives the time, with its time zone UTC."""
    window: timedelta = WINDOW
    """How far a signature's time may be from the clock's, before or after."""
    unsigned_payload: bool = True
    """Whether UNSIGNED-PAYLOAD is taken: the body is then not authenticated."""
    checks: tuple[Check, ...] = CHECKS

    def admit(self, call: Call) -> None:
        """A stage for ``Behaviour.admit``. Raises Refused, with the reasons that ``ERRORS`` translates:

        UNSIGNED, INCOMPLETE_SIGNATURE (the claim cannot be read), UNKNOWN_CLIENT (access key or session token),
        INVALID_SIGNATURE (scope, time, headers, signature, body) or FORBIDDEN. All are 403.
        """
        claim = self._claim(call)
        for check in self.checks:
            check(claim)

    def _claim(self, call: Call) -> Claim:
        authorization = read_authorization(call)
        signed_at = read_date(call)
        principal = self.credentials.find(authorization.access_key)
        if principal is None:
            raise _unknown_client()
        return Claim(call, authorization, signed_at, principal, self, self.clock())
