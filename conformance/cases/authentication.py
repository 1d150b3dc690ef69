"""Requests whose signature is the point: as real clients sign, and in every way in which a signature can be wrong.

What a case is, is read from its bytes again: nothing here says whether it is to be served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from conformance.cases import images
from conformance.cases.corpus import encoded
from conformance.cases.requests import Subject
from conformance.exchange import Case
from conformance.message import Headers, Request
from conformance.signing import ALGORITHM, STAMP, UNSIGNED, USUAL, Principal, Scope, signed, with_lines

_INVOCATION = (b"amz-sdk-invocation-id", b"8b0c1c7e-2f9b-4d0c-a1f5-6f1f2c3d4e5f")
_ATTEMPT = (b"amz-sdk-request", b"attempt=1; max=3")
_AGENT = (b"x-amz-user-agent", b"aws-sdk-js/3.918.0")

# What each client signs, of what it sends (measured on the clients themselves)
_CLIENTS: Mapping[str, tuple[Headers, tuple[bytes, ...]]] = {
    "boto3": ((_INVOCATION, _ATTEMPT), USUAL),
    "javascript-v3": (
        (_INVOCATION, _ATTEMPT, _AGENT),
        (*USUAL, _INVOCATION[0], _ATTEMPT[0], _AGENT[0], b"content-length", b"x-amz-content-sha256"),
    ),
    "javascript-v2": ((), (b"host", b"x-amz-content-sha256", b"x-amz-date", b"x-amz-security-token")),
    "go-v2": ((_INVOCATION, _ATTEMPT), (*USUAL, _INVOCATION[0], _ATTEMPT[0], b"content-length")),
    "go-v1": ((), (*USUAL, b"content-length")),
}
_NEVER_ISSUED = Principal("AKIANOBODYHASTHISKEY", "nobody has this secret either")
_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

_SPOILT: Mapping[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "algorithm-alone": lambda text: text.partition(" ")[0],
    "another-algorithm": lambda text: text.replace("SHA256", "SHA1", 1),
    "without-credential": lambda text: re.sub(r"Credential=[^,]*, ", "", text),
    "without-signed-headers": lambda text: re.sub(r"SignedHeaders=[^,]*, ", "", text),
    "without-signature": lambda text: text.partition(", Signature=")[0],
    "empty-signature": lambda text: text.partition("Signature=")[0] + "Signature=",
    "cut-signature": lambda text: text[:-1],
    "changed-signature": lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
    "zero-signature": lambda text: text[:-64] + "0" * 64,
    "no-hex": lambda text: text[:-64] + "x" * 64,
    "short-credential": lambda text: text.replace("/aws4_request", "", 1),
    "no-headers-signed": lambda text: re.sub(r"SignedHeaders=[^,]*", "SignedHeaders=", text),
    "basic": lambda _: "Basic eDp5",
    "bearer": lambda _: "Bearer eDp5",
    "nonsense": lambda _: "nonsense",
}


def cases(subject: Subject, others: Sequence[Subject], principal: Principal, scope: Scope) -> Iterator[Case]:
    """Requests for a running model, signed now; they are good for a few minutes. ``others`` are running models too."""
    for name, request in (*_as_clients_sign(subject, principal, scope), *_wrong(subject, others, principal, scope)):
        yield Case(f"auth.{name}", request)


def _as_clients_sign(subject: Subject, principal: Principal, scope: Scope) -> Iterator[tuple[str, Request]]:
    plain = subject.draft(subject.png(0)).request()
    digest = (b"x-amz-content-sha256", sha256(plain.body).hexdigest().encode())
    for client, (lines, names) in _CLIENTS.items():
        lines = _renewed(lines, f"{subject.salt} {client}") if subject.salt else lines
        with_digest = (*lines, digest) if digest[0] in names else lines
        lower = client == "javascript-v3"
        yield client, signed(plain, principal, scope, lines=with_digest, names=names, lower_case=lower)
    yield "escaped-path", signed(_respelt(subject, plain), principal, scope)
    for name, minutes in (("a-little-late", -4), ("a-little-early", 4)):
        yield name, signed(plain, principal, scope, when=scope.now() + timedelta(minutes=minutes))
    unsigned = ((digest[0], UNSIGNED.encode()),)
    yield "unsigned-payload", signed(plain, principal, scope, lines=unsigned, names=(*USUAL, digest[0]))


def _renewed(lines: Headers, purpose: str) -> Headers:
    """The same lines for an invocation that nobody has seen."""
    fresh = str(UUID(bytes=images.noise(16, purpose), version=4)).encode()
    return tuple((name, fresh if name == _INVOCATION[0] else value) for name, value in lines)


def _nobody(salt: str) -> Principal:
    """Keys that were never issued."""
    letters = "".join(_KEY_LETTERS[octet % 32] for octet in images.noise(16, f"{salt} key"))
    return Principal(f"AKIA{letters}", images.noise(20, f"{salt} secret").hex()) if salt else _NEVER_ISSUED


def _respelt(subject: Subject, request: Request) -> Request:
    """The same path in another spelling: the first letter of the project escaped."""
    project = subject.scene.project
    old, new = f"/{encoded(project)}/".encode(), f"/%{ord(project[0]):02X}{encoded(project[1:])}/".encode()
    return replace(request, head=request.head.replace(old, new, 1))


def _wrong(
    subject: Subject, others: Sequence[Subject], principal: Principal, scope: Scope
) -> Iterator[tuple[str, Request]]:
    plain = subject.draft(subject.png(0)).request()
    good = signed(plain, principal, scope)
    yield "unsigned", plain
    yield "wrong-secret", signed(plain, replace(principal, secret_key=principal.secret_key[::-1] + "x"), scope)
    yield "unknown-key", signed(plain, _nobody(subject.salt), scope)
    for name, away in (("expired", -40), ("long-expired", -60 * 26), ("from-the-future", 40)):
        yield name, signed(plain, principal, scope, when=scope.now() + timedelta(minutes=away))
    yield "another-region", signed(plain, principal, replace(scope, region=f"{scope.region}-x"))
    yesterday = (scope.now() - timedelta(days=1)).strftime("%Y%m%d")
    yield "another-day", signed(plain, principal, scope, day=yesterday)
    yield "another-terminator", signed(plain, principal, scope, terminator="aws5_request")
    yield "another-service", signed(plain, principal, replace(scope, service=f"{scope.service}-x"))
    yield "image-changed", _with_other_image(subject, good)
    digest = (b"x-amz-content-sha256", sha256(plain.body).hexdigest().encode())
    told = signed(plain, principal, scope, lines=(digest,), names=(*USUAL, digest[0]))
    yield "image-changed-behind-its-digest", _with_other_image(subject, told)
    for other in others:
        target = other.draft(b"").target.encode()
        yield "path-changed", replace(good, head=good.head.replace(good.target, target, 1))
    yield "query-dropped", _without(signed(_asking(plain, b"now=1"), principal, scope), b"?now=1")
    yield "query-added", _asking(good, b"now=1")
    yield "signature-in-the-query", _asking(plain, _presigned(principal, scope))
    yield "type-changed", _typed(signed(_typed(plain, b"image/jpeg"), principal, scope), b"image/png")
    yield "date-changed", _redated(good)
    yield "date-missing", _without_line(good, b"x-amz-date")
    yield (
        "header-missing",
        _without_line(signed(plain, principal, scope, lines=(_AGENT,), names=(*USUAL, _AGENT[0])), _AGENT[0]),
    )
    if principal.token:
        yield "token-missing", _without_line(good, b"x-amz-security-token")
    yield "authorization-missing", _without_line(good, b"authorization")
    for name, spoil in _SPOILT.items():
        yield f"authorization-{name}", _reauthorized(good, spoil)


def _with_other_image(subject: Subject, good: Request) -> Request:
    """The signature of one image on another, whose length is announced rightly."""
    other = subject.draft(subject.png(1)).request()
    kept = [
        (name, value)
        for name, value in good.headers
        if name.lower() in (b"x-amz-date", b"authorization", b"x-amz-security-token", b"x-amz-content-sha256")
    ]
    return with_lines(other, kept)


def _asking(request: Request, query: bytes) -> Request:
    return replace(request, head=request.head.replace(b" HTTP/1.1", b"?" + query + b" HTTP/1.1", 1))


def _presigned(principal: Principal, scope: Scope) -> bytes:
    """A query as presigned URLs have it, with a signature of nobody's."""
    stamp = scope.now().strftime(STAMP)
    credential = f"{principal.access_key}%2F{stamp[:8]}%2F{scope.region}%2F{scope.service}%2Faws4_request"
    return (
        f"X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={stamp}"
        f"&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
    ).encode()


def _without(request: Request, octets: bytes) -> Request:
    return replace(request, head=request.head.replace(octets, b"", 1))


def _lines(request: Request) -> Sequence[bytes]:
    return request.head.split(b"\r\n")


def _without_line(request: Request, name: bytes) -> Request:
    kept = [line for line in _lines(request) if not line.lower().startswith(name + b":")]
    return replace(request, head=b"\r\n".join(kept))


def _typed(request: Request, kind: bytes) -> Request:
    return replace(request, head=re.sub(rb"(?i)(\r\ncontent-type: )[^\r]*", rb"\g<1>" + kind, request.head, count=1))


def _redated(request: Request) -> Request:
    """The date a second later than the one that was signed."""

    def later(match: re.Match[bytes]) -> bytes:
        return match[1] + b"%02d" % ((int(match[2]) + 1) % 60) + b"Z"

    return replace(request, head=re.sub(rb"(X-Amz-Date: \d{8}T\d{4})(\d\d)Z", later, request.head, count=1))


def _reauthorized(request: Request, spoil: Callable[[str], str]) -> Request:
    [value] = request.values(b"authorization")
    return with_lines(_without_line(request, b"authorization"), [(b"Authorization", spoil(value.decode()).encode())])
