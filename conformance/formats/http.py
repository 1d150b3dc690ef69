"""Whether the bytes of a request are one proper HTTP/1.1 message, and what its payload is (RFC 9112).

Strict on purpose: a request with any fault here is one that a server may refuse for that alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.message import Request

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[!-~]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t -~\x80-\xff]*)?\r\n")


@dataclass(frozen=True)
class Message:
    """What an HTTP parser makes of a request: its payload without transfer coding, and what is wrong with it."""

    payload: bytes
    chunked: bool
    faults: tuple[str, ...]


def read(request: Request) -> Message:
    """Read a request as RFC 9112 has it. Never raises."""
    faults = [*_head_faults(request.head), *_field_faults(request)]
    codings = [value.lower() for value in request.values(b"transfer-encoding")]
    if codings == [b"chunked"]:
        payload = _dechunked(request.body)
        if payload is None:
            faults.append("the chunks are broken")
        return Message(payload or b"", True, tuple(faults))
    if codings:
        faults.append("the transfer coding is not just chunked")
    faults.extend(_length_faults(request))
    return Message(request.body, False, tuple(faults))


def _head_faults(head: bytes) -> list[str]:
    if not head.endswith(b"\r\n\r\n"):
        return ["the head does not end in an empty line"]
    line, *fields = head[:-4].split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.partition(b" ")
    faults = []
    if not TOKEN.fullmatch(method):
        faults.append("the method is not a token")
    if not _TARGET.fullmatch(target) or b"#" in target:
        faults.append("the request target holds what no target may")
    if not re.fullmatch(rb"HTTP/1\.[0-9]", version):
        faults.append("the version is not one of HTTP/1")
    for field in fields:
        name, colon, value = field.partition(b":")
        if not (colon and TOKEN.fullmatch(name) and _VALUE.fullmatch(value)):
            faults.append("a header line is broken")
    return faults


def _field_faults(request: Request) -> list[str]:
    faults = []
    if len(request.values(b"host")) != 1 and request.version != b"HTTP/1.0":
        faults.append("there is not exactly one Host")
    if request.values(b"content-length") and request.values(b"transfer-encoding"):
        faults.append("there are both a length and a transfer coding")
    return faults


def _length_faults(request: Request) -> list[str]:
    lengths = request.values(b"content-length")
    if not lengths:
        return ["bytes follow a head that announces none"] if request.body else []
    listed = {length.strip() for value in lengths for length in value.split(b",")}
    if len(listed) > 1:
        return ["there is more than one length"]
    (length,) = listed
    if not re.fullmatch(rb"[0-9]{1,18}", length):
        return ["the length is not a number"]
    return [] if int(length) == len(request.body) else ["the length is not that of the body"]


def _dechunked(body: bytes) -> bytes | None:
    parts: list[bytes] = []
    at = 0
    while match := _CHUNK.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(parts) if _trailers_end_at(body, match.end()) else None
        at = match.end() + size
        if body[at : at + 2] != b"\r\n":
            return None
        parts.append(body[match.end() : at])
        at += 2
    return None


def _trailers_end_at(body: bytes, at: int) -> bool:
    return body[at:] == b"\r\n" or (body.endswith(b"\r\n\r\n") and body.index(b"\r\n\r\n", at) == len(body) - 4)
