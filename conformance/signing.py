"""AWS Signature Version 4: signing requests that are built already, and telling from bytes whether one is signed.

botocore computes; here is only what goes in and what comes out. Keys live in memory alone, and are never shown.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from conformance.discretion import Discretion
from conformance.formats import http
from conformance.message import Headers, Request
from conformance.mistake import OperatorMistake
from conformance.provisions import Auth, HttpCall, Keys, SigV4, State, StaticHeader

if TYPE_CHECKING:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
CLOSE = timedelta(minutes=4, seconds=30)
"""A date this near to the server's is in time for everybody: some documents speak of 5 minutes, some of 15."""
FAR = timedelta(minutes=17)
"""A date this far away is out of time for everybody."""
TERMINATOR = "aws4_request"
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


def discretion(auth: Auth | None, states: Iterable[State], environ: Mapping[str, str] = os.environ) -> Discretion:
    """All secrets with which a target is asked. Raises OperatorMistake when one is not to be found."""
    secrets: dict[str, str] = {}
    if isinstance(auth, StaticHeader):
        secrets |= told_by(auth.header, _variable(auth.value_env, environ, "auth.value_env"))
    states = tuple(states)
    for hook in (hook for state in states for hook in (state.enter, state.leave) if isinstance(hook, HttpCall)):
        for header, value in hook.headers.items():
            secrets |= told_by(header, value) if is_confidential(header) else {}
    keys = [(auth.keys, "auth")] if isinstance(auth, SigV4) else []
    keys += [(state.keys, f"states.{state.name}.keys") for state in states if state.keys]
    for each, where in keys:
        who = found(each, environ, where)
        named = {"secret access key": who.secret_key, "session token": who.token, "access key": who.access_key}
        secrets |= {f"{name} of {where}": value for name, value in named.items()}
    return Discretion(secrets)


def is_confidential(header: str) -> bool:
    """Whether a header by its name is one that says who asks."""
    return bool(_CONFIDENTIAL.search(header))


def told_by(header: str, value: str) -> dict[str, str]:
    """What nobody is to know of a header's value: all of it, and the parts that others might repeat alone."""
    words = value.split()
    parts = words[1:] if len(words) > 1 and words[0].isalpha() else words  # without the name of the scheme
    secrets = {f"part of {header}": part for part in parts} | {f"value of {header}": value}
    if len(parts) == 1 and words[0].lower() == "basic":
        with suppress(ValueError):
            plain = b64decode(parts[0], validate=True).decode("latin-1")
            secrets |= {f"user of {header}": plain, f"password of {header}": plain.partition(":")[2]}
    return secrets


def secrets_of(request: Request) -> dict[str, str]:
    """What a request of somebody else's says of who asks, each under what it is called. Signatures are not in it."""
    secrets: dict[str, str] = {}
    for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers):
        if scope := _AUTHORIZATION.match(value):
            secrets["access key"] = scope[1]
        elif name.lower() in ("cookie", "set-cookie"):
            secrets |= {f"cookie {cookie[0]}": cookie[2] for cookie in _cookies(value)}
        elif is_confidential(name):
            secrets |= told_by(name, value)
    query = parse_qsl(request.target.partition(b"?")[2].decode("latin-1"))
    named = ((name, value) for name, value in query if _ASKED.fullmatch(name))
    return secrets | {name: value.split("/")[0] if "redential" in name else value for name, value in named}


def _cookies(value: str) -> Iterator[tuple[str, str, str]]:
    """Name, equals sign and value of each cookie in a header; attributes of one that is set are none."""
    for cookie in value.split(";"):
        name, sign, text = cookie.strip().partition("=")
        if name.lower() not in ("path", "domain", "expires", "max-age", "samesite"):
            yield name, sign, text.strip('"')


def found(keys: Keys, environ: Mapping[str, str] = os.environ, where: str = "auth") -> Principal:
    """The principal of these keys. Raises OperatorMistake when the variables are not set or the profile is unknown."""
    if keys.profile:
        return _of_profile(keys.profile, where)
    access_key, secret_key = (_variable(name, environ, where) for name in (keys.access_key_env, keys.secret_key_env))
    token = _variable(keys.session_token_env, environ, where) if environ.get(keys.session_token_env) else ""
    return Principal(access_key, secret_key, token)


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
    return as_principal(found(auth.keys, environ), scope_of(auth, skew))


def as_principal(principal: Principal, scope: Scope) -> Sign:
    """Requests signed by somebody, as boto3 would."""
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
    lower_case: bool = False,
    day: str = "",
    terminator: str = TERMINATOR,
) -> Request:
    """Add ``lines``, a date, a session token and the signature over those of the headers that ``names`` lists.

    ``when`` is the date; None for now. ``lower_case`` writes the names of the added headers so. ``day`` and
    ``terminator`` are those of the scope, if they are to be others than they should. A request that is not proper HTTP
    is signed as far as that goes, and a header whose value is not ASCII is not.
    """
    spelt = bytes.lower if lower_case else bytes
    moment = when or scope.now()
    stamp = moment.strftime(STAMP)
    more = [*lines, (spelt(b"X-Amz-Date"), stamp.encode())]
    if principal.token:
        more.append((spelt(b"X-Amz-Security-Token"), principal.token.encode()))
    dated = with_lines(request, more)
    present = {name.lower() for name, value in dated.headers if value.isascii()}
    chosen = sorted({name for name in names if name in present})
    place = (day or stamp[:8], scope.region, scope.service, terminator)
    signature = _signature(dated, chosen, stamp, principal, place)
    credential = "/".join((principal.access_key, *place))
    listed = b";".join(chosen).decode("latin-1")
    value = f"{ALGORITHM} Credential={credential}, SignedHeaders={listed}, Signature={signature}"
    return with_lines(dated, [(spelt(b"Authorization"), value.encode("latin-1"))])


def anonymous(request: Request) -> Request:
    """The request without whatever is about who asks."""
    lines = request.head.split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in WITHOUT]
    return replace(request, head=b"\r\n".join(kept))


def discreet(request: Request) -> Request:
    """The request as it may be written down: nobody's key, token or signature is in it."""
    first, *lines = request.head.split(b"\r\n")
    return replace(request, head=b"\r\n".join([_IN_QUERY.sub(rb"\1left-out", first), *map(_discreet, lines)]))


def _discreet(line: bytes) -> bytes:
    name = line.partition(b":")[0]
    hidden = name.lower() in WITHOUT or is_confidential(name.decode("latin-1"))
    return name + b": <left out>" if hidden else _IN_QUERY.sub(rb"\1left-out", line)


_NAMES = "X-Amz-(?:Credential|Security-Token|Signature)|access_token|api_?key"
_ASKED = re.compile(f"(?i){_NAMES}")
_IN_QUERY = re.compile(rf"(?i)([?&](?:{_NAMES})=)[^& \r\n]+".encode())
_CONFIDENTIAL = re.compile(
    r"(?i)\A(?:(?:proxy-)?authorization|(?:set-)?cookie|.*(?:api-?key|access-?key|token|secret|password|credential).*)\Z"
)
"""Headers that are about who asks, or well may be."""
_ABSOLUTE = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)


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
    place = (day, region, service, TERMINATOR)
    if not compare_digest(_signature(request, names, stamp, principal, place), signature):
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
    if distance > FAR:
        return Signature.INVALID
    return Signature.OPEN if distance > CLOSE else None


def _of_payload(request: Request) -> Signature:
    declared = b"".join(request.values(b"x-amz-content-sha256")).decode("latin-1")
    if not declared or declared == _digest(request):
        return Signature.VALID
    return Signature.UNSIGNED_PAYLOAD if declared == UNSIGNED else Signature.INVALID


def _digest(request: Request) -> str:
    return sha256(http.read(request).payload).hexdigest()


def _signature(
    request: Request, names: Sequence[bytes], stamp: str, principal: Principal, place: tuple[str, str, str, str]
) -> str:
    """The signature that the request should have, in lower-case hex; ``place`` is the scope in its four parts.

    botocore writes the canonical request. The rest is five digests, which it would only make for the day of the date.
    """
    calculator = _calculator(principal, place[1], place[2])
    calculator.names = [name.decode("latin-1") for name in names]
    canonical = sha256(calculator.canonical_request(_aws_request(request, stamp)).encode()).hexdigest()
    key = f"AWS4{principal.secret_key}".encode()
    for part in (*place, "\n".join((ALGORITHM, stamp, "/".join(place), canonical))):
        key = digest(key, part.encode(), "sha256")
    return key.hex()


def _aws_request(request: Request, stamp: str) -> AWSRequest:
    from botocore.awsrequest import AWSRequest

    url = "https://host/" + _ABSOLUTE.sub("", request.target.decode("latin-1")).removeprefix("/")
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
