"""Keeping secrets out of what a target says: some servers echo what they were sent.

A secret is overwritten by a text of the same length, which says what it was: lengths that an answer announces stay
true. What is left is read again, and that is what is judged: the evidence, which is read once more, gives the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace

from conformance.discretion.eraser import DIGITS, Eraser, Span, forms, is_worth_it, spread
from conformance.discretion.packing import is_wrapped
from conformance.message import Answer, NoAnswer, Request, Response, Silence
from conformance.wire.answers import read_again
from conformance.wire.layout import payload

MOST_SIGNATURES = 200_000
"""That are remembered."""

_SIGNATURE = re.compile(rb"(?i)Signature=([!-~]{8,})")
_QUOTED = re.compile(r"'[^']*'?|\"[^\"]*\"?")
_FRAMED = re.compile(rb"(?i)\n(?:content-encoding|transfer-encoding)[ \t]*:")
_CODING = re.compile(rb"(?im)^content-encoding[ \t]*:([^\r\n]*)")


class Discretion:
    """What nobody is to read: secrets, each under what it is called. It may be shared by threads."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._signatures: dict[bytes, None] = {}
        self._eraser = Eraser({}, self._signatures)
        self._lock = threading.Lock()
        self.echoes = 0
        """Answers in which something was overwritten."""
        self.learn(secrets)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def learn(self, secrets: Mapping[str, str]) -> None:
        """Keep further secrets, each under what it is called."""
        found = {form: name for name, secret in secrets.items() for form in forms(secret)}
        if not found.keys() <= self._eraser.names.keys():
            self._eraser = self._eraser.also(found)

    def remember(self, request: Request) -> None:
        """Know the signature of a request, which any later answer may hold."""
        for signature in _signatures(request):
            if len(signature) == DIGITS and len(self._signatures) < MOST_SIGNATURES:
                self._signatures[signature] = None

    def text(self, text: str) -> str:
        """A text without the secrets."""
        return self._eraser.hidden(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def octets(self, octets: bytes, request: Request) -> bytes:
        """Bytes that came behind the answer to this request, without the secrets."""
        return self._eraser_for(request).hidden(octets)

    def request(self, request: Request) -> Request:
        """A request without the secrets in its head."""
        return replace(request, head=self._eraser.hidden(request.head))

    def answer(self, answer: Answer, request: Request) -> Answer:
        """An answer to this request without the secrets; the same object when there are none in it."""
        self.remember(request)
        shown = _without(answer, request, self._eraser_for(request))
        if shown is not answer:
            with self._lock:
                self.echoes += 1
        return shown

    def _eraser_for(self, request: Request) -> Eraser:
        """What is sought in an answer: of the request's signatures those too that are of no usual length."""
        own = [each for each in _signatures(request) if each not in self._signatures and is_worth_it(each)]
        return self._eraser.also(dict.fromkeys(own, "signature")) if own else self._eraser


def _without(answer: Answer, request: Request, eraser: Eraser) -> Answer:
    if isinstance(answer, Response) and not answer.wire:
        return _in_parts(answer, eraser)
    wire = _erased(answer.wire, eraser)
    if wire == answer.wire:
        return answer
    if isinstance(answer, NoAnswer):
        return replace(answer, detail=_unquoted(answer.detail), wire=wire)
    again = read_again(wire, request)
    if not isinstance(again, Response) or again.status != answer.status:
        return NoAnswer(Silence.MALFORMED, "Without a secret that it repeats the answer cannot be read.", wire)
    faults = tuple(dict.fromkeys(map(_unquoted, answer.faults)))
    return replace(again, faults=faults, interim=answer.interim, closes=answer.closes, wire=wire)


def _in_parts(answer: Response, eraser: Eraser) -> Response:
    """An answer that never was on a wire."""
    headers = tuple((eraser.hidden(name), eraser.hidden(value)) for name, value in answer.headers)
    reason, body = eraser.hidden(answer.reason), eraser.hidden(answer.body)
    if (headers, reason, body) == (answer.headers, answer.reason, answer.body):
        return answer
    return replace(answer, headers=headers, reason=reason, body=body)


def _erased(wire: bytes, eraser: Eraser) -> bytes:
    """The bytes as they came; a secret may go on in the next chunk, and the body may be compressed."""
    inside = payload(wire)
    if len(inside) == 1 and not is_wrapped(wire[inside[0][0] :]) and not _FRAMED.search(wire, 0, inside[0][0]):
        return eraser.hidden(wire)  # which is the usual case, and quick
    outside = _between(inside, len(wire))
    head, body = _joined(wire, outside), _joined(wire, inside)
    in_chunks = b"chunked" in head.lower()
    shown = eraser.hidden(head), eraser.hidden(body, codings=_codings(head), in_chunks=in_chunks)
    if shown == (head, body):
        return wire
    kept = bytearray(wire)
    spread(kept, outside, shown[0])
    spread(kept, inside, shown[1])
    return bytes(kept)


def _codings(head: bytes) -> tuple[bytes, ...]:
    """The values of Content-Encoding in a head that name a coding."""
    found = (value.strip() for value in _CODING.findall(head))
    return tuple(value for value in found if value.lower() not in (b"", b"identity"))


def _between(spans: list[Span], length: int) -> list[Span]:
    """What lies between these parts, and around them."""
    ends, starts = [0, *(end for _, end in spans)], [*(start for start, _ in spans), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def _joined(wire: bytes, spans: list[Span]) -> bytes:
    return b"".join(wire[start:end] for start, end in spans)


def _signatures(request: Request) -> list[bytes]:
    """What is the signature in a request, in lower case."""
    values = (*request.values(b"authorization"), request.target)
    found = (_SIGNATURE.search(value) for value in values if b"ignature=" in value)
    return [each[1].partition(b"&")[0].lower() for each in found if each]


def _unquoted(sentence: str) -> str:
    """A sentence of ours without what it quotes: it may be a part of a secret."""
    return _QUOTED.sub("'<left out>'", sentence)
