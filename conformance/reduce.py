"""Smaller requests that may still show a finding: each is the ordinary request in one part more, or shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.message import Headers, Request

TRIES = 60
"""Requests that are sent, at most, to make one finding's request smaller."""

_FRAMING = (b"host", b"content-length", b"transfer-encoding")
"""Headers without which a request would be no HTTP: they stay, and their values go with the body."""


def reduced(request: Request, ordinary: Request, still_shows: Callable[[Request], bool], tries: int = TRIES) -> Request:
    """The smallest request found that still shows the finding; ``still_shows`` sends one and is asked ``tries`` times.

    A part that equals the ordinary request's counts as no part of the cause, so it is the differences that shrink.
    """
    best, asked = request, {request.wire}
    while candidate := _next(best, ordinary, asked):
        if len(asked) > tries:
            break
        asked.add(candidate.wire)
        if still_shows(candidate):
            best = candidate
    return best


def _next(best: Request, ordinary: Request, asked: set[bytes]) -> Request | None:
    size = _size(best, ordinary)
    fresh = (each for each in _candidates(best, ordinary) if each.wire not in asked)
    return next((each for each in fresh if _size(each, ordinary) < size), None)


def _size(request: Request, ordinary: Request) -> tuple[int, int, int]:
    """How many parts differ from the ordinary request, how long the target is, and how long the whole."""
    theirs, ours = _parts(request), _parts(ordinary)
    differing = sum(mine != own for mine, own in zip(theirs, ours, strict=False)) + abs(len(theirs) - len(ours))
    strange = len(set(request.headers) ^ set(ordinary.headers))
    return differing + strange, len(request.target), len(request.wire)


def _parts(request: Request) -> list[bytes]:
    return [request.method, request.version, request.body, *request.target.split(b"/")]


def _candidates(request: Request, ordinary: Request) -> Iterator[Request]:
    yield _with(request, headers=_sized(ordinary.headers, request.body))
    yield _with(request, target=ordinary.target)
    yield _with(request, method=ordinary.method)
    yield _with(request, body=ordinary.body)
    for position, pair in enumerate(request.headers):
        if pair not in ordinary.headers and pair[0].lower() not in _FRAMING:
            yield _with(request, headers=request.headers[:position] + request.headers[position + 1 :])
    yield from _other_segments(request, ordinary)
    yield from (_with(request, body=request.body[:length]) for length in _shorter(len(request.body)))


def _other_segments(request: Request, ordinary: Request) -> Iterator[Request]:
    segments, wanted = request.target.split(b"/"), ordinary.target.split(b"/")
    for position, segment in enumerate(segments):
        if len(segments) == len(wanted) and segment != wanted[position]:
            yield _with(request, target=b"/".join([*segments[:position], wanted[position], *segments[position + 1 :]]))
            for length in _shorter(len(segment)):
                for part in (segment[:length], segment[-length:] if length else b""):
                    yield _with(request, target=b"/".join([*segments[:position], part, *segments[position + 1 :]]))


def _shorter(length: int) -> Iterator[int]:
    """Lengths to try: none, the half, three quarters, one less."""
    yield from dict.fromkeys(each for each in (0, length // 2, length * 3 // 4, length - 1) if 0 <= each < length)


def _with(
    request: Request,
    *,
    method: bytes | None = None,
    target: bytes | None = None,
    headers: Headers | None = None,
    body: bytes | None = None,
) -> Request:
    """The request with parts replaced, and its Content-Length, where it has one, made to fit a new body."""
    payload = request.body if body is None else body
    kept = request.headers if headers is None else headers
    return Request.build(
        request.method if method is None else method,
        request.target if target is None else target,
        kept if body is None else _sized(kept, payload),
        payload,
        request.version,
    )


def _sized(headers: Headers, body: bytes) -> Headers:
    length = str(len(body)).encode()
    return tuple((name, length if name.lower() == b"content-length" else value) for name, value in headers)
