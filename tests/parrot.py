"""A target that repeats what it was told, in every place and in every spelling; and a search that finds all of it.

The search shares nothing with what hides secrets: it undoes whatever can be undone, and looks.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import itertools
import json
import quopri
import random
import re
import struct
import textwrap
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from PIL import Image

from conformance.evidence.log import BLOBS
from conformance.in_process import Connection, Server
from conformance.message import Answer, Delivery, Request, Response
from conformance.reference.app import HONEST
from conformance.reference.sigv4 import Verifier
from conformance.reference.strains import CREDENTIALS
from conformance.wire.answers import Caps, Reader

Spelling = Callable[[str], str]
Place = Callable[[str], bytes]


def _in_base64(before: str, *, url: bool = False, width: int = 0) -> Spelling:
    def spelt(secret: str) -> str:
        data = f"{before}{secret} and more of it".encode()
        text = (base64.urlsafe_b64encode(data) if url else base64.b64encode(data)).decode()
        return "\r\n".join(textwrap.wrap(text, width)) if width else text

    return spelt


def _each(form: str) -> Spelling:
    return lambda secret: "".join(form.format(ord(letter)) for letter in secret)


SPELLINGS: dict[str, Spelling] = {
    "plain": lambda secret: secret,
    "upper": str.upper,
    "lower": str.lower,
    "url": lambda secret: quote(secret, safe=""),
    "url-lower": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "url-all": _each("%{:02X}"),
    "url-some": lambda secret: "".join(f"%{ord(each):02x}" if at % 3 else each for at, each in enumerate(secret)),
    "url-twice": lambda secret: quote(_each("%{:02X}")(secret), safe=""),
    "json": _each("\\u{:04x}"),
    "json-upper": _each("\\u{:04X}"),
    "json-some": lambda secret: "".join(f"\\u{ord(each):04x}" if at % 2 else each for at, each in enumerate(secret)),
    "json-slash": lambda secret: secret.replace("/", "\\/"),
    "hex": lambda secret: secret.encode().hex(),
    "hex-upper": lambda secret: secret.encode().hex().upper(),
    "hex-colons": lambda secret: secret.encode().hex(":"),
    "hex-blanks": lambda secret: secret.encode().hex(" ").upper(),
    "hex-dashes": lambda secret: secret.encode().hex("-", 4),
    "hex-list": lambda secret: ", ".join(f"0x{ord(letter):02x}" for letter in secret),
    "html": html.escape,
    "html-decimal": _each("&#{};"),
    "html-hex": _each("&#x{:x};"),
    "quoted-printable": _each("={:02X}"),
    **{f"base64-{at}": _in_base64("xyz"[:at]) for at in range(3)},
    **{f"base64-url-{at}": _in_base64("xyz"[:at], url=True) for at in range(3)},
    "base64-lines": _in_base64("x", width=76),
    "base64-short-lines": _in_base64("", width=19),
    "base64-twice": lambda secret: _in_base64("a")(_in_base64("")(secret)),
    "base64-json": lambda secret: _in_base64("{")(_each("\\u{:04x}")(secret)),
    "base64-gzip": lambda secret: base64.b64encode(gzip.compress(f"token: {secret}".encode())).decode(),
}


def _written(body: bytes, head: str = "", reason: str = "OK", status: int = 200) -> bytes:
    length = "" if "chunked" in head else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} {reason}\r\n{head}{length}\r\n".encode("latin-1") + body


def _in_json(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _error(name: str = "Message") -> Place:
    return lambda text: _written(f'{{"Message": "no", "{name}": "said {_in_json(text)}."}}'.encode(), status=400)


def _chunked(body: bytes, size: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    return _written(chunks + b"0\r\n" + trailer + b"\r\n", "Transfer-Encoding: chunked\r\n")


def _in_chunks(size: int) -> Place:
    return lambda text: _chunked(b'{"a": "' + text.encode() + b'"}', size)


def picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((24, 16), 90).convert("RGB").save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunk(kind: bytes, before: bytes, *, pack: bool = False) -> Callable[[str], bytes]:
    def made(text: str) -> bytes:
        data = zlib.compress(text.encode()) if pack else text.encode()
        return PICTURE[:33] + _chunk(kind, before + data) + PICTURE[33:]

    return made


def _masked(made: Callable[[str], bytes], slash: bool = False) -> Place:
    def answer(text: str) -> bytes:
        mask = base64.b64encode(made(text)).decode()
        mask = mask.replace("/", "\\/") if slash else mask
        return _written(f'{{"DetectAnomalyResult": {{"IsAnomalous": true, "AnomalyMask": "{mask}"}}}}'.encode())

    return answer


PICTURES: dict[str, Callable[[str], bytes]] = {
    "tEXt": _with_chunk(b"tEXt", b"Comment\0"),
    "zTXt": _with_chunk(b"zTXt", b"Comment\0\0", pack=True),
    "iTXt": _with_chunk(b"iTXt", b"Comment\0\0\0en\0\0"),
    "iTXt-compressed": _with_chunk(b"iTXt", b"Comment\0\1\0en\0\0", pack=True),
    "private": _with_chunk(b"prVt", b""),
}
PLACES: dict[str, Place] = {
    "reason": lambda text: _written(b"{}", reason=f"Not {text} now"),
    "header": lambda text: _written(b"{}", f"X-Echo: a {text} b\r\n"),
    "header-name": lambda text: _written(b"{}", f"X-{text}: a\r\n"),
    "error-type": lambda text: _written(b'{"Message": "no"}', f"x-amzn-ErrorType: {text}\r\n", status=400),
    "message": _error(),
    "type": _error("__type"),
    "member": _error("Anything"),
    "member-name": lambda text: _written(f'{{"said {_in_json(text)}": 1}}'.encode(), status=400),
    "result": lambda text: _written(
        f'{{"DetectAnomalyResult": {{"Source": {{"Type": "{_in_json(text)}"}}}}}}'.encode()
    ),
    "raw": lambda text: _written(b"\x00\xff raw: " + text.encode() + b" \xfe"),
    "html": lambda text: _written(
        f"<html><p>No entry with {text} here.".encode(), "Content-Type: text/html\r\n", "No", 403
    ),
    **{f"mask-{name}": _masked(made) for name, made in PICTURES.items()},
    "mask-php": _masked(PICTURES["zTXt"], slash=True),
    "mask-behind": _masked(lambda text: PICTURE + text.encode()),
    "picture": lambda text: _written(PICTURES["zTXt"](text), "Content-Type: image/png\r\n"),
    "picture-behind": lambda text: _written(PICTURE + text.encode(), "Content-Type: image/png\r\n"),
    "stray": lambda text: _written(b"{}") + f"late: {text}".encode(),
    "interim": lambda text: f"HTTP/1.1 103 Early\r\nLink: {text}\r\n\r\n".encode() + _written(b"{}"),
    "extension": lambda text: _chunked(b"{}", 2, b';said="' + text.encode() + b'"'),
    "trailer": lambda text: _chunked(b"{}", 2, trailer=b"X-Echo: " + text.encode() + b"\r\n"),
    **{f"chunks-{size}": _in_chunks(size) for size in (1, 7, 90)},
    "gzip": lambda text: _written(gzip.compress(f'{{"a": "{text}"}}'.encode()), "Content-Encoding: gzip\r\n"),
    "gzip-silent": lambda text: _written(gzip.compress(f'{{"a": "{text}"}}'.encode())),
    "gzip-chunks": lambda text: _chunked(gzip.compress(f'{{"a": "{text}"}}'.encode()), 7),
    "deflate": lambda text: _written(zlib.compress(f'{{"a": "{text}"}}'.encode()), "Content-Encoding: deflate\r\n"),
    "cut": lambda text: _written(b"{}" + text.encode()).replace(b"Content-Length: ", b"Content-Length: 9"),
}
ONE_LINE = {"reason", "header", "header-name", "error-type", "interim", "extension", "trailer"}
"""Places that have no room for a line break."""

LOUD = {"cut", "stray"}
"""Places after which a connection is of no use."""


def ways() -> Iterator[tuple[str, str]]:
    """Every place with every spelling that fits there."""
    for place, spelling in itertools.product(PLACES, SPELLINGS):
        if not (place in ONE_LINE and "lines" in spelling):
            yield place, spelling


def answer_of(wire: bytes, request: Request) -> Answer:
    """What a client makes of these bytes."""
    reader = Reader(request.method, Caps())
    reader.feed(wire)
    if reader.answer is None:
        reader.feed_eof()
    assert reader.answer is not None
    return reader.answer


class Parrot(Server):
    """The reference in this process, which now and then answers with what it should not know, in ever new ways."""

    def __init__(self, secrets: list[str], every: int = 2) -> None:
        super().__init__(replace(HONEST, admit=Verifier(CREDENTIALS).admit))
        self.said = 0
        """How many ways were gone."""
        self.signatures: set[str] = set()
        """Of all requests that came."""
        self._secrets = itertools.cycle(secrets)
        chosen = [way for way in ways() if way[0] not in LOUD]
        random.Random(1).shuffle(chosen)  # noqa: S311
        self._ways = itertools.cycle(chosen)
        self._every = every
        self._turn = 0
        self._heard = ""
        self._lock = threading.Lock()

    def open(self) -> Connection:
        return _Parroting(self, super().open())  # type: ignore[return-value] # it is used as one

    def parroted(self, answer: Answer, request: Request) -> Answer:
        """The answer, or another one that repeats a secret, or the signature of an earlier request."""
        with self._lock:
            self._turn += 1
            earlier, self._heard = self._heard, _signature_of(request) or self._heard
            self.signatures |= {self._heard} - {""}
            if self._turn % self._every or not isinstance(answer, Response):
                return answer
            place, spelling = next(self._ways)
            self.said += 1
            secret = earlier if earlier and self.said % 5 == 0 else next(self._secrets)
        return answer_of(PLACES[place](SPELLINGS[spelling](secret)), request)


class _Parroting:
    def __init__(self, parrot: Parrot, inner: Connection) -> None:
        self._parrot = parrot
        self._inner = inner

    @property
    def lost_idle(self) -> bool:
        return self._inner.lost_idle

    @property
    def reusable(self) -> bool:
        return self._inner.reusable

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        return self._parrot.parroted(self._inner.exchange(request, delivery), request)

    def settle(self) -> bytes:
        return b""

    def close(self) -> None:
        self._inner.close()


def _signature_of(request: Request) -> str:
    values = request.values(b"authorization")
    found = re.search(rb"Signature=([0-9a-f]{64})\Z", values[0]) if values else None
    return found[1].decode() if found and len(set(found[1])) > 3 else ""


# The search.

DEPTH = 6
"""Wrappings in each other that are looked into."""

_RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_CHUNK_LINE = re.compile(rb"\r\n[0-9A-Fa-f]+(?:;[^\r\n]*)?\r\n")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff")
_UNICODE = re.compile(rb"\\u([0-9A-Fa-f]{4})")


class Search:
    """Finds secrets however they are written. What it has looked into once it does not look into again."""

    def __init__(self, secrets: Iterable[str], signatures: Iterable[str] = ()) -> None:
        self._wanted = {secret: secret.lower().encode() for secret in secrets}
        self._signatures = {signature.encode() for signature in signatures}
        self._known: dict[bytes, frozenset[str]] = {}

    def traces(self, data: bytes, depth: int = DEPTH) -> frozenset[str]:
        """The secrets that can be read in some bytes, one way or another."""
        key = sha256(data).digest()
        if key not in self._known:
            self._known[key] = frozenset()
            self._known[key] = frozenset(self._found(data, depth))
        return self._known[key]

    def _found(self, data: bytes, depth: int) -> Iterator[str]:
        plain = _readings(data)
        for text in {*plain, *(decoded for each in plain for decoded in _out_of_hex(each))}:
            lower = text.lower()
            yield from (secret for secret, needle in self._wanted.items() if needle in lower)
            for run in re.findall(rb"[0-9a-f]{64,}", lower) if self._signatures else ():
                if len(set(run)) > 3:  # and no row of dots
                    yield from (each.decode() for each in self._signatures if each in run)
        if depth:
            for inner in {inner for text in plain for inner in _unwrapped(text)}:
                yield from self.traces(inner, depth - 1)


def traces(data: bytes, secrets: list[str]) -> list[str]:
    """The secrets that can be read in some bytes, one way or another."""
    return [*Search(secrets).traces(data)]


def _readings(data: bytes) -> set[bytes]:
    """The bytes as they are, and with their escapes undone; of pictures that would take long, and give nothing."""
    if data.startswith(_MAGIC):
        return {data}
    plain = {data, _CHUNK_LINE.sub(b"", data)}
    for text in list(plain):
        if b"\\" in text:
            plain.add(_UNICODE.sub(lambda found: chr(int(found[1], 16)).encode(), text).replace(b"\\/", b"/"))
        if b"&#" in text or b"&amp;" in text or b"&lt;" in text:
            plain.add(html.unescape(text.decode("latin-1")).encode("utf-8"))
        if re.search(rb"=[0-9A-F]{2}", text):
            plain.add(quopri.decodestring(text))
        if re.search(rb"%[0-9A-Fa-f]{2}", text):
            plain |= {unquote_to_bytes(text), unquote_to_bytes(unquote_to_bytes(text))}
    return plain


def _out_of_hex(text: bytes) -> Iterator[bytes]:
    bare = text.replace(b"0x", b"").translate(None, b" ,:;-\r\n")
    for found in re.finditer(rb"[0-9A-Fa-f]{16,}", bare):
        for digits in (found[0], found[0][1:]):
            yield binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _unwrapped(text: bytes) -> Iterator[bytes]:
    """What stands in base64 in it, from whichever character on, in the chunks of a picture, and what is compressed."""
    if text.startswith(_MAGIC):
        yield from _chunks(text)
        return
    joined = text.replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\", b"").translate(None, b"\r\n")
    for run in {found[0] for each in {text, joined} for found in _RUN.finditer(each)}:
        for skipped in range(4):
            part = run[skipped:].replace(b"-", b"+").replace(b"_", b"/")
            part = part[: len(part) - (len(part) % 4 == 1)]
            data = base64.b64decode(part + b"=" * (-len(part) % 4))
            yield data
            if data.startswith(_MAGIC):
                break
    for mark in (b"\x1f\x8b\x08", b"\x78\x9c"):
        for found in re.finditer(re.escape(mark), text):
            with suppress(zlib.error):
                yield zlib.decompressobj(47).decompress(text[found.start() :])


def _chunks(data: bytes) -> Iterator[bytes]:
    """What a PNG file holds besides its pixels."""
    place = 8
    while data[:4] == _MAGIC[0] and data[place + 4 : place + 8] not in (b"", b"IEND"):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if data[place + 4 : place + 8] != b"IDAT":
            yield data[place + 8 : end - 4]
        place = end
    yield data[place:]


def sweep(folder: Path, secrets: Iterable[str], signatures: Iterable[str] = ()) -> dict[str, list[str]]:
    """The files below a folder in which secrets can be read, with these."""
    search, found = Search(secrets, signatures), {}
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = file.read_bytes()
        data = zlib.decompressobj(-15).decompress(data) if file.name == BLOBS else data
        if seen := search.traces(data + file.name.encode()):
            found[str(file.relative_to(folder))] = sorted(seen)
    return found


def parsed(body: bytes) -> object:
    """What JSON there is, or nothing."""
    try:
        return json.loads(body)
    except ValueError:
        return None
