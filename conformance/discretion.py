"""Keeping secrets out of what a target says: some servers echo what they were sent.

A secret is overwritten by a text of the same length, which says what it was: lengths that an answer announces stay
true, and what is kept of it can be read again.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from conformance.message import Answer, NoAnswer, Request, Response

SHORTEST = 8
"""Characters of the shortest secret: anything shorter may well stand in an answer for reasons of its own."""

_CHUNK_LINE = rb"\r?\n[0-9A-Fa-f]{1,15}[^\n]{0,80}\n"
_SIGNATURE = re.compile(rb"Signature=([!-~]{8,})")
_ECHOED_SIGNATURE = rb"(?<=Signature=)[0-9A-Fa-f]{16,}|(?<=Signature%3D)[0-9A-Fa-f]{16,}"
_QUOTED = re.compile(r"'[^']*'?|\"[^\"]*\"?")


class Discretion:
    """What nobody is to read: secrets, each under what it is called."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        names = {form: name for name, secret in secrets.items() for form in _forms(secret)}
        self._names = dict(sorted(names.items(), key=lambda each: -len(each[0])))
        self._pattern = _compiled(self._names, b"")
        self._chunked = _compiled(self._names, rb"(?:%s)?" % _CHUNK_LINE)

    def text(self, text: str) -> str:
        """A text without the secrets."""
        return self._hidden(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def answer(self, answer: Answer, request: Request) -> Answer:
        """An answer to this request without the secrets, and without the request's signature."""
        if isinstance(answer, NoAnswer):
            if not self._speaks_in(answer.wire, request):
                return answer
            return replace(answer, detail=self._told(answer.detail, request), wire=self._wire(answer.wire, request))
        if not (self._speaks_in(answer.wire, request) or self._speaks_in(answer.body, request)):
            return answer
        return Response(
            status=answer.status,
            headers=tuple(
                (self._hidden(name, request), self._hidden(value, request)) for name, value in answer.headers
            ),
            body=self._hidden(answer.body, request),
            reason=self._hidden(answer.reason, request),
            version=answer.version,
            faults=tuple(self._told(fault, request) for fault in answer.faults),
            interim=answer.interim,
            wire=self._wire(answer.wire, request),
            closes=answer.closes,
        )

    def octets(self, octets: bytes, request: Request) -> bytes:
        """Bytes that came behind the answer to this request, without the secrets."""
        return self._hidden(octets, request)

    def _speaks_in(self, octets: bytes, request: Request) -> bool:
        """Whether there is anything to be hidden."""
        found = self._pattern.search(octets) or (_is_chunked(octets) and self._chunked.search(octets))
        return bool(found) or any(signature in octets for signature in _signatures(request))

    def _wire(self, wire: bytes, request: Request) -> bytes:
        """The bytes as they came; a secret may go on behind the line that begins the next chunk."""
        return self._hidden(self._chunked.sub(self._over, wire) if _is_chunked(wire) else wire, request)

    def _hidden(self, octets: bytes, request: Request | None = None) -> bytes:
        for signature in _signatures(request):
            octets = octets.replace(signature, _placeholder("signature", len(signature)))
        return self._pattern.sub(self._over, octets)

    def _over(self, match: re.Match[bytes]) -> bytes:
        parts = re.split(rb"(%s)" % _CHUNK_LINE, match[0])
        shown = _placeholder(self._names.get(b"".join(parts[::2]), "signature"), sum(map(len, parts[::2])))
        for at in range(0, len(parts), 2):
            parts[at], shown = shown[: len(parts[at])], shown[len(parts[at]) :]
        return b"".join(parts)

    def _told(self, sentence: str, request: Request) -> str:
        """A sentence of ours, in which a part of a secret may be quoted."""
        secrets = [*self._names, *_signatures(request)]
        parts = {secret[at : at + SHORTEST] for secret in secrets for at in range(len(secret) - SHORTEST + 1)}
        found = any(part.decode("latin-1") in sentence for part in parts)
        return _QUOTED.sub("'<left out>'", sentence) if found else sentence


def _forms(secret: str) -> Iterator[bytes]:
    """A secret as servers write it: plainly, and as JSON, URLs and HTML have it. None for one that is too short."""
    if len(secret) >= SHORTEST:
        quoted = json.dumps(secret)[1:-1]
        escaped = [quote(secret), quote(secret, safe="")]
        lower = [re.sub("%..", lambda found: found[0].lower(), text) for text in escaped]
        for form in (secret, quoted, quoted.replace("/", "\\/"), *escaped, *lower, html.escape(secret)):
            yield form.encode()


def _is_chunked(wire: bytes) -> bool:
    return b"chunked" in wire[:65536].lower()


def _compiled(names: Mapping[bytes, str], between: bytes) -> re.Pattern[bytes]:
    """A pattern of all secrets, the longest first; ``between`` may stand between any two of their bytes."""
    spelt = (between.join(re.escape(secret[at : at + 1]) for at in range(len(secret))) for secret in names)
    return re.compile(b"|".join([*spelt, _ECHOED_SIGNATURE]))


def _signatures(request: Request | None) -> list[bytes]:
    values = request.values(b"authorization") if request else ()
    return [found[1] for value in values if (found := _SIGNATURE.search(value))]


def _placeholder(name: str, length: int) -> bytes:
    return f"<{name}>".encode().ljust(length, b"*")[:length]
