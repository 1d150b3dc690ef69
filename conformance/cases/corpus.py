"""The hand-written cases of ``fixtures/cases``: odd requests as data, one file for each section.

An entry names itself and says how its request differs from an ordinary one. It never says what the request breaks or
how it should be answered: that is computed from the bytes. ``fixtures/cases/README.md`` lists the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import yaml

from conformance.cases.requests import MARK, Draft, Subject
from conformance.message import Delivery, Request
from conformance.shipped import shipped

KEYS = frozenset("id method target headers without header-names content-type body chunked delivery head".split())

Entry = Mapping[str, Any]

_BARE_HOST = "\nHost: {host}\n"
_USUAL_HOST = f"\nHost: {{host}}\nAccept-Encoding: identity\nUser-Agent: {MARK.decode()}\n"
"""What ordinary clients send besides: a head that is written by hand goes without, where nobody minds."""


def entries() -> Iterator[tuple[str, Entry]]:
    """Yield the section and each entry of the corpus, in the order of file names."""
    for file in sorted(shipped("fixtures", "cases").glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
            yield file.stem, entry


def build(entry: Entry, subject: Subject) -> tuple[Request, Delivery]:
    """The request of an entry, written for a scene."""
    draft = subject.draft(_body(entry, subject))
    head = entry.get("head")
    if head is not None:
        whole = head.replace(_BARE_HOST, _USUAL_HOST, 1) if subject.salt else head
        return Request(
            _filled(whole, draft, subject).replace("\n", "\r\n").encode("latin-1"), draft.body
        ), Delivery.WHOLE
    body = _chunked(draft.body, entry["chunked"]) if "chunked" in entry else draft.body
    target = _filled(entry["target"], draft, subject) if "target" in entry else draft.target
    headers = [(name, _filled_octets(value, draft)) for name, value in _headers(entry, draft)]
    request = Request.build(entry.get("method", "POST"), _octets(target), headers, body)
    return request, Delivery(entry.get("delivery", "whole"))


def _headers(entry: Entry, draft: Draft) -> list[tuple[str | bytes, str | bytes]]:
    named = {"content-type": entry.get("content-type")}
    left_out = {name.lower() for name in entry.get("without", ())}
    if "chunked" in entry or (_is_bodiless(entry) and "body" not in entry):
        left_out.add("content-length")
    headers: list[tuple[str | bytes, str | bytes]] = []
    for name, value in draft.headers():
        key = name.decode().lower()
        if key not in left_out:
            replacement = named.get(key)
            spelt = _SPELLINGS[entry.get("header-names", "usual")](name)
            headers.append((spelt, value if replacement is None else _octets(replacement)))
    headers += [(_octets(name), _octets(_value(value))) for name, value in entry.get("headers", ())]
    return headers + ([("Transfer-Encoding", "chunked")] if "chunked" in entry else [])


def _value(value: Any) -> str:
    """A header value: text, or ``{repeat: text, times: n}``."""
    return value["repeat"] * value["times"] if isinstance(value, dict) else str(value)


def _body(entry: Entry, subject: Subject) -> bytes:
    """The body that an entry names: a text, ``{bytes: hex}``, or one of our pictures."""
    body = entry.get("body", "empty" if _is_bodiless(entry) else "png")
    if isinstance(body, dict):
        return bytes.fromhex(body["hex"]) if "hex" in body else body["text"].encode()
    return _BODIES[body](subject)


def _is_bodiless(entry: Entry) -> bool:
    return entry.get("method") in ("GET", "HEAD", "OPTIONS", "TRACE")


def _filled(text: str, draft: Draft, subject: Subject) -> str:
    """Put the scene's names into a template; ``{project%}`` is the name with its first character percent-encoded."""
    scene = subject.scene
    places = {
        "{project}": scene.project,
        "{version}": scene.version,
        "{project%}": f"%{ord(scene.project[0]):02x}{scene.project[1:]}",
        "{version%}": f"%{ord(scene.version[0]):02X}{scene.version[1:]}",
        "{project-overlong}": f"%{0xC0 | ord(scene.project[0]) >> 6:X}%{0x80 | ord(scene.project[0]) & 0x3F:X}"
        + scene.project[1:],
        "{project%%}": "".join(f"%{ord(letter):02X}" for letter in scene.project),
        "{PROJECT%25}": f"%25{ord(scene.project[0]):02X}{scene.project[1:]}",
        "{version%25}": f"%25{ord(scene.version[0]):02X}{scene.version[1:]}",
        "{host}": draft.host.decode(),
        "{length}": str(len(draft.body)),
        "{target}": draft.target,
    }
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _octets(text: str) -> bytes:
    """Text with ``\\xNN`` standing for single bytes, anything else as UTF-8."""
    return text.encode("utf-8") if any(ord(letter) > 255 for letter in text) else text.encode("latin-1")


def _filled_octets(value: str | bytes, draft: Draft) -> str | bytes:
    return value.replace(b"{length}", str(len(draft.body)).encode()) if isinstance(value, bytes) else value


def _chunked(body: bytes, manner: str) -> bytes:
    return _CHUNKINGS[manner](body)


def _in_chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n\r\n"


_CHUNKINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "one": lambda body: _in_chunks(body, max(1, len(body))),
    "many": lambda body: _in_chunks(body, max(1, len(body) // 50)),
    "with-extensions": lambda body: _in_chunks(body, max(1, len(body)), b";name=value"),
    "with-trailers": lambda body: _in_chunks(body, max(1, len(body)))[:-2] + b"X-Sum: 1\r\n\r\n",
    "broken": lambda body: b"zz\r\n" + body + b"\r\n0\r\n\r\n",
}

_SPELLINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "usual": lambda name: name,
    "lower": bytes.lower,
    "upper": bytes.upper,
}

_BODIES: Mapping[str, Callable[[Subject], bytes]] = {
    "png": lambda subject: subject.png(0),
    "jpeg": lambda subject: subject.jpeg(0),
    "empty": lambda _: b"",
}


def encoded(label: str) -> str:
    """A label as real clients write it: everything but unreserved characters percent-encoded (restJson1, labels)."""
    return quote(label, safe="-._~")
