"""AWS Signature Version 4: signing requests that are built already, and telling from bytes whether one is signed.

botocore computes; here is only what goes in and what comes out. Keys live in memory alone, and are never shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from conformance.formats import http
from conformance.message import Headers, Request
from conformance.mistake import OperatorMistake
from conformance.provisions import Auth, Keys, SigV4, StaticHeader

if TYPE_CHECKING:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
WINDOW = timedelta(minutes=15)
"""How far a request's date may be from the server's."""
DOUBT = timedelta(minutes=2)
"""Dates this near to the end of the window are on neither side of it."""
STAMP = "%Y%m%dT%H%M%SZ"
USUAL = (b"content-type", b"host", b"x-amz-date", b"x-amz-security-token")
"""What boto3 signs, of what is there."""

WITHOUT = (b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256", b"x-amz-user-agent")
"""Headers that are about who asks: what is asked is read without them."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Principal:
    """Somebody's keys."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Scope:
    """What a signature is good for, and the server's clock."""

    region: str
    service: str
    skew: timedelta = timedelta()
    """How far the server's clock is ahead of ours."""

    def now(self) -> datetime:
        """The time by the server's clock."""
        return datetime.now(UTC) + self.skew


def found(keys: Keys, environ: Mapping[str, str] = os.environ, where: str = "auth") -> Principal:
    """The principal of these keys. Raises OperatorMistake when the variables are not set or the profile is unknown."""
    if keys.profile:
        return _of_profile(keys.profile, where)
    access_key, secret_key = (_variable(name, environ, where) for name in (keys.access_key_env, keys.secret_key_env))
    return Principal(access_key, secret_key, environ.get(keys.session_token_env, ""))


def _variable(name: str, environ: Mapping[str, str], where: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise OperatorMistake(f"{where}: the environment variable {name} is not set")
    if not (value.isascii() and value.isprintable()):
        raise OperatorMistake(f"{where}: the value of {name} is not printable ASCII")
    return value


def _of_profile(profile: str, where: str) -> Principal:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        credentials = Session(profile=profile).get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    except BotoCoreError as error:
        raise OperatorMistake(f"{where}: the profile {profile!r} cannot be used: {error}") from None
    if not frozen or not frozen.access_key or not frozen.secret_key:
        raise OperatorMistake(f"{where}: the profile {profile!r} holds no keys")
    return Principal(frozen.access_key, frozen.secret_key, frozen.token or "")


Sign = Callable[[Request], Request]
"""A request as its sender would authenticate it."""


def signer(auth: Auth, environ: Mapping[str, str] = os.environ, skew: timedelta = timedelta()) -> Sign:
    """How a target's requests are authenticated. Raises OperatorMistake when a secret is not to be found."""
    if isinstance(auth, StaticHeader):
        return _with_header(auth, environ)
    principal, scope = found(auth.keys, environ), scope_of(auth, skew)
    return lambda request: signed(request, principal, scope)


def scope_of(auth: SigV4, skew: timedelta = timedelta()) -> Scope:
    return Scope(auth.region, auth.service, skew)


def _with_header(auth: StaticHeader, environ: Mapping[str, str]) -> Sign:
    line = auth.header.encode(), _variable(auth.value_env, environ, "auth.value_env").encode()
    return lambda request: with_lines(request, [line])


def with_lines(request: Request, lines: Sequence[tuple[bytes, bytes]]) -> Request:
    """The same request with further header lines behind its own. A head that does not end as one is left as it is."""
    if not request.head.endswith(b"\r\n\r\n"):
        return request
    added = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return Request(request.head[:-2] + added + b"\r\n", request.body)


def signed(
    request: Request,
    principal: Principal,
    scope: Scope,
    *,
    when: datetime | None = None,
    names: Sequence[bytes] = USUAL,
    lines: Headers = (),
) -> Request:
    """Add ``lines``, a date, a session token and the signature over those of the headers that ``names`` lists.

    ``when`` is the date; None for now. A request that is not proper HTTP is signed as far as that goes.
    """
    moment = when or scope.now()
    stamp = moment.strftime(STAMP)
    more = [*lines, (b"X-Amz-Date", stamp.encode())]
    if principal.token:
        more.append((b"X-Amz-Security-Token", principal.token.encode()))
    dated = with_lines(request, more)
    present = {name.lower() for name, _ in dated.headers}
    chosen = sorted({name for name in names if name in present})
    signature = _signature(dated, chosen, stamp, principal, scope.region, scope.service)
    credential = f"{principal.access_key}/{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    listed = b";".join(chosen).decode("latin-1")
    value = f"{ALGORITHM} Credential={credential}, SignedHeaders={listed}, Signature={signature}"
    return with_lines(dated, [(b"Authorization", value.encode("latin-1"))])


def anonymous(request: Request) -> Request:
    """The request without whatever is about who asks."""
    lines = request.head.split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in WITHOUT]
    return replace(request, head=b"\r\n".join(kept))


def discreet(request: Request) -> Request:
    """The request as it may be written down: nobody's key, token or signature is in it."""
    lines = (
        line.partition(b":")[0] + b": <left out>" if line.partition(b":")[0].lower() in WITHOUT else line
        for line in request.head.split(b"\r\n")
    )
    return replace(request, head=b"\r\n".join(lines))


class Signature(StrEnum):
    """What a request's bytes say of who sent it."""

    VALID = "valid"
    UNSIGNED_PAYLOAD = "unsigned payload"  # valid, but for the body, which nobody vouches for
    INVALID = "invalid"
    OPEN = "open"  # near the end of the window, or written so that servers may differ


def examined(request: Request, principals: Sequence[Principal], scope: Scope) -> Signature:
    """Whether a request is signed by one of the principals, for the scope, and in time. Judges the bytes alone."""
    values = request.values(b"authorization")
    if len(values) > 1 or len(request.values(b"x-amz-date")) > 1:
        return Signature.OPEN
    match = _AUTHORIZATION.fullmatch(values[0].decode("latin-1")) if values else None
    stamps = request.values(b"x-amz-date")
    if match is None or not stamps:
        return Signature.INVALID
    key, day, region, service, listed, signature = match.groups()
    stamp = stamps[0].decode("latin-1")
    principal = next((each for each in principals if each.access_key == key), None)
    names = listed.encode().split(b";")
    if principal is None or (region, service, day) != (scope.region, scope.service, stamp[:8]):
        return Signature.INVALID
    if not compare_digest(_signature(request, names, stamp, principal, region, service), signature):
        return Signature.INVALID
    same_token = principal.token.encode() == b"".join(request.values(b"x-amz-security-token"))
    if not same_token or b"host" not in names:
        return Signature.OPEN
    return _in_time(stamp, scope) or _of_payload(request)


def _in_time(stamp: str, scope: Scope) -> Signature | None:
    """INVALID or OPEN for a date that is out of the window or at its end, None for one inside."""
    try:
        distance = abs(scope.now() - datetime.strptime(stamp, STAMP).replace(tzinfo=UTC))
    except ValueError:
        return Signature.INVALID
    if abs(distance - WINDOW) < DOUBT:
        return Signature.OPEN
    return Signature.INVALID if distance > WINDOW else None


def _of_payload(request: Request) -> Signature:
    declared = b"".join(request.values(b"x-amz-content-sha256")).decode("latin-1")
    if not declared or declared == _digest(request):
        return Signature.VALID
    return Signature.UNSIGNED_PAYLOAD if declared == UNSIGNED else Signature.INVALID


def _digest(request: Request) -> str:
    return sha256(http.read(request).payload).hexdigest()


def _signature(
    request: Request, names: Sequence[bytes], stamp: str, principal: Principal, region: str, service: str
) -> str:
    """The signature that the request should have, in lower-case hex."""
    calculator = _calculator(principal, region, service)
    aws = _aws_request(request, stamp)
    calculator.names = [name.decode("latin-1") for name in names]
    canonical = calculator.canonical_request(aws)
    return str(calculator.signature(calculator.string_to_sign(aws, canonical), aws))


def _aws_request(request: Request, stamp: str) -> AWSRequest:
    from botocore.awsrequest import AWSRequest

    url = "https://host" + request.target.decode("latin-1")
    aws = AWSRequest(request.method.decode("latin-1"), url)
    for name, value in request.headers:
        aws.headers.add_header(name.decode("latin-1"), value.decode("latin-1"))
    if "X-Amz-Content-SHA256" not in aws.headers:
        aws.headers["X-Amz-Content-SHA256"] = _digest(request)
    aws.context["timestamp"] = stamp
    return aws


def _calculator(principal: Principal, region: str, service: str) -> Any:
    from botocore.credentials import Credentials

    keys = Credentials(principal.access_key, principal.secret_key, principal.token or None)
    return _chooser()(keys, service, region)


@lru_cache(maxsize=1)
def _chooser() -> type[SigV4Auth]:
    """botocore's signer, with headers chosen by us. A class made late, so that botocore is imported only where used."""
    from botocore.auth import SigV4Auth
    from botocore.compat import HTTPHeaders

    class Chooser(SigV4Auth):  # type: ignore[misc]
        names: Sequence[str] = ()

        def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
            chosen = HTTPHeaders()
            for name, value in request.headers.items():
                if name.lower() in self.names:
                    chosen.add_header(name.lower(), value)
            return chosen

    return Chooser
