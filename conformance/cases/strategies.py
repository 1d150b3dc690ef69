"""What a request can be made of, as Hypothesis strategies over the contract's own keywords.

The pattern, lengths, media types and path come from the document; the strategies add ways of leaving them. What a
value breaks is never said here: it is read from the bytes. Importing this module imports Hypothesis: only exploration
does.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any, TypeVar
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.strategies import SearchStrategy
from PIL import Image

from conformance.cases import images, odd_images, png_file
from conformance.cases.boundary import MUTATIONS, stretched
from conformance.cases.corpus import encoded
from conformance.cases.odd_images import flipped, patched
from conformance.cases.requests import Draft
from conformance.contract.schema import Schema
from conformance.formats.png import SIGNATURE
from conformance.message import Delivery, Request
from conformance.target import Size

_Value = TypeVar("_Value")

BATCH = 10
"""Values in one example: the engine's toll is paid for each example, and too long ones overrun its buffer."""


class _Unmoved(HypothesisProvider):
    """Hypothesis without the constants that it finds in whatever modules are loaded: only the seed may decide."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


UNMOVED = "conformance"
"""The name under which Hypothesis knows it."""
AVAILABLE_PROVIDERS[UNMOVED] = _Unmoved


def drawn(strategy: SearchStrategy[_Value], count: int, number: int) -> tuple[_Value, ...]:
    """At most ``count`` values, repeats kept; the same for the same ``number``, versions of Python and libraries."""
    values: list[_Value] = []

    @seed(number)
    @settings(
        max_examples=-(-count // BATCH),
        backend=UNMOVED,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(strategy, min_size=BATCH, max_size=BATCH))
    def collect(batch: list[_Value]) -> None:
        values.extend(batch)

    collect()
    return tuple(values[:count])


_PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
_LETTERS = st.one_of(
    _PRINTABLE,
    _PRINTABLE,
    st.sampled_from("ſKｋａ１а²Ⅰαеıİﬁ０٣"),
    st.characters(categories=["Nd"]),
    st.characters(categories=["L"]),
    st.characters(categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Mn"]),
)
_PLACES = st.integers(0, 400)

_EDITS: Mapping[str, Callable[[str, str, str, str], str]] = {
    "insert": lambda before, here, after, letter: before + letter + here + after,
    "delete": lambda before, _, after, __: before + after,
    "replace": lambda before, _, after, letter: before + letter + after,
    "double": lambda before, here, after, _: before + here + here + after,
    "swap": lambda before, here, after, _: before + after[:1] + here + after[1:],
    "other-case": lambda before, here, after, _: before + here.swapcase() + after,
    "append": lambda before, here, after, letter: before + here + after + letter,
}


def edits(texts: SearchStrategy[str], letters: SearchStrategy[str] = _PRINTABLE) -> SearchStrategy[str]:
    """Texts that are one edit away."""
    return st.builds(_edited, texts, st.sampled_from(list(_EDITS)), _PLACES, letters)


def _edited(text: str, kind: str, place: int, letter: str) -> str:
    at = place % max(1, len(text))
    return _EDITS[kind](text[:at], text[at : at + 1], text[at + 1 :], letter)


def names(schema: Schema, examples: Sequence[str]) -> SearchStrategy[str]:
    """Labels inside their language, at its limits, just outside, and far outside; ``examples`` are inside."""
    pattern: str = schema["pattern"]
    inside = st.from_regex(pattern, fullmatch=True)
    valid = st.sampled_from(list(examples)) | inside
    shortest, longest = schema["minLength"], schema["maxLength"]
    lengths = st.sampled_from([shortest, longest - 1, longest, longest + 1, 2 * longest, 4 * longest])
    mutated = st.builds(lambda text, name: MUTATIONS[name](text), valid, st.sampled_from(list(MUTATIONS)))
    far = st.text(min_size=1, max_size=longest // 8 + 8)
    return st.one_of(inside, st.builds(stretched, valid, lengths), mutated, mutated, edits(valid, _LETTERS), far)


_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "usual": encoded,
    "every-letter": lambda text: _escaped_octets(text.encode()),
    "first-letter": lambda text: _escaped_octets(text[:1].encode()).lower() + encoded(text[1:]),
    "twice": lambda text: quote(_escaped_octets(text[:1].encode())) + encoded(text[1:]),
    "delimiters-as-they-are": lambda text: quote(text, safe="!$&'()*+,;=:@-._~"),
    "raw": lambda text: "".join(letter if _may_stand_raw(letter) else quote(letter) for letter in text),
}
_SPOILS = (
    "%2F %2f %5C %00 %FF %C3 %C0%AF %ED%A0%80 %F4%90%80%80 % %4 %zz %u0061 %0D%0A %2E%2E%2F %7F %1B ; %3B %252F %25"
).split()
_ODD_SEGMENTS = ["", ".", "..", "%2e", "%2E%2E", ".%2e", "...", "%2F", "%00", "%20", "~", "*", "%7BprojectName%7D"]


def segments(texts: SearchStrategy[str]) -> SearchStrategy[bytes]:
    """The ways of writing labels into a path: as clients do, oddly, and wrongly."""
    usual = texts.map(lambda text: encoded(text).encode())
    odd = st.builds(lambda text, name: _SPELLINGS[name](text).encode(), texts, st.sampled_from(list(_SPELLINGS)))
    spoilt = st.builds(
        lambda text, spoil, place: _edited(encoded(text), "insert", place, spoil).encode(),
        texts,
        st.sampled_from(_SPOILS),
        _PLACES,
    )
    return st.one_of(usual, usual, usual, odd, spoilt, st.sampled_from(_ODD_SEGMENTS).map(str.encode))


def escaped(label: str, choice: int) -> bytes:
    """A label with those letters percent-encoded whose bits are set: another spelling, and the same name."""
    written = (
        _escaped_octets(letter.encode()) if choice >> place & 1 else encoded(letter)
        for place, letter in enumerate(label)
    )
    text = "".join(written)
    return (text if choice % 3 or "%" not in text else text.replace("%5F", "%5f").replace("%2D", "%2d")).encode()


def _escaped_octets(octets: bytes) -> str:
    return "".join(f"%{octet:02X}" for octet in octets)


def _may_stand_raw(letter: str) -> bool:
    return letter > " " and letter not in "/?#%\x7f\x85\u2028\u2029"


_HOLE = "<path>"
_FRAMES = (
    "//<path> ///<path> /./<path> /../<path> /x/../<path> /prod/<path> <path> * /<path>/ /<path>// /<path>/. "
    "http://{host}/<path> HTTP://{host}/<path> https://{host}/<path> /http://{host}/<path> /<path>? /<path>?x=1 "
    "/<path># /<path>#x /<path>;x=1 /<path>%3F /<path>%20 /<path>%0A /<path>.json /<path>/detect /<path>/now "
    "/<path>%2F /<path>\\ /<path>%5C"
).split()
_SEPARATORS = ["//", "%2F", "%2f", "/./", "/x/../", "\\", "%5C", ";/", "/%2e/", "/%2e%2e/", "/;/"]


def paths(template: tuple[str, ...]) -> SearchStrategy[bytes]:
    """Paths beside the template. Labels that are left stand as in the template, the host as ``{host}``."""
    count = len(template)
    literals = [place for place, segment in enumerate(template) if not segment.startswith("{")]
    places, whole = st.integers(0, count - 1), st.just(template)
    foreign = st.sampled_from([*template, *_ODD_SEGMENTS[:-1], "x", "versions", "latest"])
    altered = st.builds(_altered, whole, st.sampled_from(literals), st.sampled_from(list(_EDITS)), places, _LETTERS)
    respelt = st.builds(_respelt, whole, st.sampled_from(literals), st.integers(1, 2**10))
    lists = st.one_of(
        altered,
        altered,
        respelt,
        st.builds(lambda at: template[:at] + template[at + 1 :], places),
        st.builds(lambda at: template[: at + 1] + template[at:], places),
        st.builds(lambda at, segment: (*template[:at], segment, *template[at:]), st.integers(0, count), foreign),
        st.permutations(list(range(count))).map(lambda order: tuple(template[place] for place in order)),
    )
    queries = st.text(_PRINTABLE, max_size=20).map(lambda text: f"/{_HOLE}?" + text.replace("#", "").replace("{", ""))
    framed = st.builds(_framed, whole, st.one_of(*[st.sampled_from(_FRAMES)] * 3, queries))
    separated = st.builds(_separated, whole, st.integers(1, count - 1), st.sampled_from(_SEPARATORS))
    ordinary = st.builds(_framed, lists, st.just(f"/{_HOLE}"))
    return st.one_of(ordinary, ordinary, ordinary, framed, separated).map(str.encode)


def _altered(template: tuple[str, ...], at: int, kind: str, place: int, letter: str) -> tuple[str, ...]:
    return (*template[:at], encoded(_edited(template[at], kind, place, letter)), *template[at + 1 :])


def _respelt(template: tuple[str, ...], at: int, choice: int) -> tuple[str, ...]:
    """A literal with letters in other case, or percent-encoded."""
    literal = template[at]
    bits = [choice >> place & 1 for place in range(len(literal))]
    cased = "".join(letter.upper() if bit else letter for letter, bit in zip(literal, bits, strict=True))
    return (*template[:at], cased if choice % 2 else escaped(literal, choice).decode(), *template[at + 1 :])


def _framed(parts: tuple[str, ...], frame: str) -> str:
    return frame.replace(_HOLE, "/".join(parts), 1)


def _separated(template: tuple[str, ...], at: int, separator: str) -> str:
    return "/" + "/".join(template[:at]) + separator + "/".join(template[at:])


_TOKEN_LETTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # noqa: S105 (a grammar)
_TOKENS: SearchStrategy[str] = st.text(_TOKEN_LETTERS, min_size=1, max_size=8)
_VISIBLE = st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])
_SPACES = st.sampled_from(["", "", " ", "\t", "  "])
_QUOTINGS = "\"{}\" '{}' <{}> {}, ,{} {}; ;{} {}/ /{} {}/x x-{} {}+xml {}-x .{} {}; x {} {};; a,{} {}{}".split()
_OTHER_TYPES = (
    "image/gif image/webp image/bmp image/tiff image/svg+xml image/heic image/apng image/x-icon image/jp2 image/jpg "
    "image/pjpeg image/x-png image image/ /png png jpeg */* image/* text/plain application/json multipart/form-data "
    "application/octet-stream binary/octet-stream application/x-www-form-urlencoded text/png application/png null"
).split()


def content_types(schema: Schema) -> SearchStrategy[tuple[bytes, ...]]:
    """Values of the Content-Type headers of a request, mostly one, sometimes none or more."""
    listed = st.sampled_from(list(schema["enum"]))
    value = st.one_of(_TOKENS, st.text(_TOKEN_LETTERS + " ,;=/", max_size=8).map('"{}"'.format))
    parameter = st.builds("{}{};{}{}={}".format, st.just(""), _SPACES, _SPACES, _TOKENS, value)
    parameters = st.lists(parameter, min_size=1, max_size=3).map("".join)
    lengths = st.sampled_from([schema["maxLength"], schema["maxLength"] + 1, 4 * schema["maxLength"]])
    single = st.one_of(
        listed,
        st.builds(_cased, listed, st.integers(1, 2**9)),
        st.builds(str.__add__, listed, parameters),
        st.builds("{}/{}".format, _TOKENS, _TOKENS),
        st.builds(lambda text, quoting: quoting.replace("{}", text), listed, st.sampled_from(_QUOTINGS)),
        edits(listed, _VISIBLE),
        edits(listed),
        st.sampled_from(_OTHER_TYPES),
        st.sampled_from(_OTHER_TYPES),
        st.builds(lambda text, length: stretched(f"{text}; x=a", length), listed, lengths),
        st.builds(stretched, _TOKENS, lengths),
        st.text(_VISIBLE, max_size=30),
    )
    one = single.map(lambda text: (text,))
    several = st.lists(listed | single, min_size=2, max_size=3)
    return st.one_of(
        *[one] * 7, several.map(tuple), several.map(lambda values: (", ".join(values),)), st.sampled_from([(), ("",)])
    ).map(lambda values: tuple(text.encode("latin-1") for text in values))


def _cased(text: str, choice: int) -> str:
    return "".join(letter.upper() if choice >> place & 1 else letter for place, letter in enumerate(text))


def methods(method: str) -> SearchStrategy[bytes]:
    """Other methods than that one, mostly tokens."""
    # not CONNECT: a tunnel that it opens is no connection for requests any more
    known = st.sampled_from("GET HEAD PUT DELETE PATCH OPTIONS TRACE PROPFIND QUERY PRI".split())
    found = st.one_of(known, known, edits(st.just(method)), st.just(method.lower()), _TOKENS)
    return found.filter(lambda text: text not in (method, "CONNECT")).map(str.encode)


_DEPTHS = [("L", 1), ("L", 2), ("L", 4), ("L", 8), ("L", 16), ("P", 1), ("P", 2), ("P", 4), ("P", 8)] + [
    (mode, depth) for mode in ("RGB", "LA", "RGBA") for depth in (8, 16)
]
_SLOW_FILTERS_UP_TO = 80 * 80
"""Pixels of a picture that is written with the filters that Python computes byte by byte."""
_CONTENTS = ("scene", "scene", "blocks", "smooth", "flat", "noise")


def sizes(low: int, high: int) -> SearchStrategy[Size]:
    """Mostly small sizes, a few large, all with sides between ``low`` and ``high``."""
    small, medium, large = (st.integers(low, max(low, min(high, most))) for most in (144, 320, 1500))
    of_small = st.builds(Size, small, small)
    return st.one_of(*[of_small] * 18, *[st.builds(Size, medium, medium)] * 5, st.builds(Size, large, medium))


def sound_images(of_size: SearchStrategy[Size], salt: str = "") -> SearchStrategy[bytes]:
    """PNG and JPEG files of every sort that is sound, of random content."""
    pictures = st.builds(_picture, of_size, st.sampled_from(_CONTENTS), st.integers(0, 2**32), st.just(salt))
    levels = st.integers(1, 9)
    plain = st.builds(lambda picture, level: images.saved(picture, "PNG", compress_level=level), pictures, levels)
    odd = st.builds(
        _odd_png,
        pictures,
        st.sampled_from(_DEPTHS),
        st.booleans(),
        st.lists(st.integers(0, 4), min_size=1, max_size=5),
        levels,
        st.integers(1, 12),
        st.lists(_harmless_chunks(images.private_chunk(salt) if salt else b"exPl"), max_size=3),
    )
    photos = st.builds(
        _jpeg,
        pictures,
        st.booleans(),
        quality=st.integers(1, 100),
        subsampling=st.integers(0, 2),
        progressive=st.booleans(),
        optimize=st.booleans(),
        restart_marker_blocks=st.sampled_from([0, 0, 1, 7]),
        comment=st.binary(max_size=20),
    )
    plain_photos = st.builds(
        lambda picture, quality: images.saved(picture, "JPEG", quality=quality), pictures, levels.map(lambda n: 10 * n)
    )
    return st.one_of(plain, odd, plain_photos, photos)


def _harmless_chunks(private: bytes) -> SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=40).map(lambda body: png_file.chunk(private, body)),
        st.text(_TOKEN_LETTERS, max_size=40).map(lambda text: png_file.chunk(b"tEXt", b"Comment\0" + text.encode())),
        st.just(png_file.chunk(b"gAMA", (45455).to_bytes(4, "big"))),
    )


def _picture(size: Size, content: str, number: int, salt: str) -> Image.Image:
    wide, high = size.width, size.height
    chance = Random(f"{number} {salt}" if salt else number)  # noqa: S311 (the same numbers in every run are the point)
    if content == "scene":
        return images.scene_photo(wide, high, number, bool(number % 2), salt)
    if content == "noise" and wide * high <= _SLOW_FILTERS_UP_TO:
        return Image.frombytes("RGB", (wide, high), chance.randbytes(3 * wide * high))
    if content == "flat":
        return Image.new("RGB", (wide, high), tuple(chance.randbytes(3)))
    grain = 2 + number % 7
    kind = Image.Resampling.BILINEAR if content == "smooth" else Image.Resampling.NEAREST
    return Image.frombytes("RGB", (grain, grain), chance.randbytes(3 * grain * grain)).resize((wide, high), kind)


def _odd_png(
    picture: Image.Image,
    kind: tuple[str, int],
    interlaced: bool,
    filters: list[int],
    level: int,
    pieces: int,
    ancillary: list[bytes],
) -> bytes:
    mode, depth = kind
    quick = [each % 3 for each in filters] if picture.width * picture.height > _SLOW_FILTERS_UP_TO else filters
    converted = picture.quantize(1 << depth, dither=Image.Dither.NONE) if mode == "P" else picture.convert(mode)
    chunks = b"".join(dict.fromkeys(ancillary))
    return png_file.encode(
        converted, depth, interlaced=interlaced, filters=quick, level=level, pieces=pieces, ancillary=chunks
    )


def _jpeg(picture: Image.Image, grey: bool, **options: Any) -> bytes:
    return images.saved(picture.convert("L") if grey else picture, "JPEG", **options)


Pieces = tuple[bytes, ...]


def pieces(data: bytes) -> Pieces:
    """A sound PNG or JPEG file cut at the seams of its structure: chunks, or segments."""
    cut = [data[: len(SIGNATURE) if data.startswith(SIGNATURE) else 2]]
    at = len(cut[0])
    while at < len(data):
        end = _seam(data, at)
        cut.append(data[at:end])
        at = end
    return tuple(cut)


def _seam(data: bytes, at: int) -> int:
    if data.startswith(SIGNATURE):
        return at + 12 + int.from_bytes(data[at : at + 4], "big")
    if data[at + 1] == 0xDA:  # a scan has no length: all of it is one piece, up to the end of the image
        return len(data) - 2
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") if data[at + 1] != 0xD9 else len(data)


_DAMAGES: Mapping[str, Callable[[Pieces, int, int, bytes], bytes]] = {
    "drop": lambda cut, at, _, __: b"".join(cut[:at] + cut[at + 1 :]),
    "double": lambda cut, at, _, __: b"".join(cut[: at + 1] + cut[at:]),
    "move-to-end": lambda cut, at, _, __: b"".join((*cut[:at], *cut[at + 1 :], cut[at])),
    "reverse": lambda cut, at, _, __: b"".join(cut[:at] + cut[at:][::-1]),
    "cut-at-seam": lambda cut, at, _, __: b"".join(cut[:at]) or cut[0],
    "cut-inside": lambda cut, at, place, _: b"".join(cut[:at]) + cut[at][: 1 + place % len(cut[at])],
    "cut-from-end": lambda cut, _, place, __: b"".join(cut)[: -1 - place],
    "flip": lambda cut, at, place, _: _rejoined(cut, at, flipped(cut[at], place)),
    "flip-last": lambda cut, at, _, __: _rejoined(cut, at, flipped(cut[at], -1)),
    "patch-length": lambda cut, at, _, filler: _rejoined(cut, at, patched(cut[at], 2, filler[:2])),
    "patch": lambda cut, at, place, filler: _rejoined(cut, at, patched(cut[at], place % len(cut[at]), filler)),
    "stuff": lambda cut, at, _, filler: b"".join((*cut[:at], filler, *cut[at:])),
    "critical-chunk": lambda cut, at, _, filler: b"".join((*cut[:at], filler, *cut[at:])),
    "header-field": lambda cut, _, place, filler: _header_changed(cut, place, filler),
    "append": lambda cut, _, __, filler: b"".join(cut) + filler,
    "append-zeros": lambda cut, _, place, __: b"".join(cut) + bytes(1 + place),
    "prepend": lambda cut, _, __, filler: filler + b"".join(cut),
    "twice": lambda cut, _, __, ___: b"".join(cut) * 2,
}


Way = Callable[[Sequence[bytes]], bytes]
"""Makes one body of sound files. The files are no part of the strategy: Hypothesis keeps strategies for long."""


def damages(foreign: bytes = b"EXPL") -> SearchStrategy[Way]:
    """Ways of doing something to the structure of a sound file; now and then that does not hurt.

    ``foreign`` is the type of a chunk that nobody knows.
    """
    which, filler = st.integers(0, 2**16), st.binary(min_size=1, max_size=24)
    kinds = st.sampled_from(list(_DAMAGES))
    damaged = st.builds(_damaging, which, kinds, st.integers(0, 40), _PLACES, filler, st.just(foreign))
    spliced = st.builds(_splicing, which, which, st.integers(1, 8))
    return st.one_of(*[damaged] * 8, spliced)


def _damaging(which: int, kind: str, at: int, place: int, filler: bytes, foreign: bytes) -> Way:
    stuffing = png_file.chunk(foreign, filler) if kind == "critical-chunk" else filler
    return lambda sound: _damaged(_nth(sound, which), kind, at, place, stuffing)


def _splicing(first: int, second: int, part: int) -> Way:
    """The beginning of one file and the rest of another; in the end all of both."""

    def spliced(sound: Sequence[bytes]) -> bytes:
        one, other = _nth(sound, first), _nth(sound, second)
        return one[: len(one) * part // 8] + other[len(other) * part // 8 % len(other) :]

    return spliced


def _nth(sound: Sequence[bytes], number: int) -> bytes:
    return sound[number % len(sound)]


def _damaged(data: bytes, kind: str, at: int, place: int, filler: bytes) -> bytes:
    cut = pieces(data)
    return _DAMAGES[kind](cut, at % len(cut), place, filler)


def _rejoined(cut: Pieces, at: int, piece: bytes) -> bytes:
    return b"".join((*cut[:at], piece, *cut[at + 1 :]))


def _header_changed(cut: Pieces, place: int, filler: bytes) -> bytes:
    """Other values in the header that tells size and sort, its checksum mended."""
    wide = place % 2 and place % 13 < 10
    if cut[0] == SIGNATURE:
        body = patched(cut[1][8:-4], place % 13, filler[: 2 if wide else 1])[:13]
        return _rejoined(cut, 1, png_file.chunk(b"IHDR", body))
    frames = [at for at, piece in enumerate(cut) if piece[:1] == b"\xff" and piece[1:2] in (b"\xc0", b"\xc1", b"\xc2")]
    return _rejoined(cut, frames[0], patched(cut[frames[0]], 4 + place % 13, filler[: 2 if wide else 1]))


_STARTS = [
    *(
        SIGNATURE,
        SIGNATURE + b"\0\0\0\rIHDR",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"BM",
        b"RIFF",
        b"PK\3\4",
        b"{",
    ),
    *(b"%PDF-1.7\n", b"<svg", b"<!DOCTYPE html>", b"--x\r\n", b"\x1f\x8b", b"II*\0", b"\xef\xbb\xbf", b"\0", b"MZ"),
]


def other_bodies(salt: str = "") -> SearchStrategy[Way]:
    """What is no PNG and no JPEG: empty, other formats, wrappers, and random bytes behind any beginning."""
    formats = st.sampled_from([sample.data for sample in odd_images.other_formats(96, 72, salt)])
    noise = st.binary(max_size=300)
    behind = st.builds(bytes.__add__, st.sampled_from(_STARTS), noise)
    fixed = st.one_of(st.just(b""), formats, formats, noise, behind).map(_always)
    wrapped = st.builds(_wrapping, st.integers(0, 2**16), st.sampled_from(list(_WRAPPERS)))
    return st.one_of(fixed, fixed, fixed, wrapped)


_WRAPPERS: Mapping[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "byte-in-front": lambda data: b"\0" + data,
    "line-in-front": lambda data: b"\r\n" + data,
    "reversed": lambda data: data[::-1],
    "hexadecimal": lambda data: data.hex().encode(),
}


def _always(body: bytes) -> Way:
    return lambda _: body


def _wrapping(which: int, kind: str) -> Way:
    return lambda sound: _WRAPPERS[kind](_nth(sound, which))


@dataclass(frozen=True)
class Dress:
    """How a request is written around its parts: the sort, order and spelling of its headers, and its framing."""

    order: tuple[int, ...] = ()
    """Which of the ordinary headers comes when; empty for the usual order."""
    spelling: str = "usual"
    colon: bytes = b": "
    without: tuple[bytes, ...] = ()
    """Ordinary headers that are left out, in lower case."""
    lines: tuple[bytes, ...] = ()
    """Header lines behind the ordinary ones, as they are."""
    length: bytes = b"%d"
    chunks: tuple[int, ...] = ()
    """The sizes of the chunks, in turn; empty for a body with a length."""
    extension: bytes = b""
    trailer: bytes = b""
    version: bytes = b"HTTP/1.1"
    delivery: Delivery = Delivery.WHOLE

    def request(
        self, method: bytes, target: bytes, host: bytes, content_types: Sequence[bytes], body: bytes
    ) -> Request:
        """The request in this dress. Nothing is checked."""
        lines = [self._spelt(name) + self.colon + value for name, value in self._headers(host, content_types, body)]
        head = b"\r\n".join([b" ".join((method, target, self.version)), *lines, *self.lines, b"", b""])
        return Request(head, self._chunked(body) if self.chunks else body)

    def _headers(self, host: bytes, content_types: Sequence[bytes], body: bytes) -> list[tuple[bytes, bytes]]:
        usual = Draft(host, "", b"").headers()
        ordered = [usual[place] for place in self.order] or usual
        headers: list[tuple[bytes, bytes]] = []
        for name, value in ordered:
            if name == b"Content-Type":
                headers += [(name, each) for each in content_types]
            elif name == b"Content-Length":
                framing = (b"Transfer-Encoding", b"chunked") if self.chunks else (name, self._length(len(body)))
                headers.append(framing)
            elif name.lower() not in self.without:
                headers.append((name, value))
        return headers

    def _length(self, length: int) -> bytes:
        return self.length.replace(b"%d", str(length).encode())

    def _spelt(self, name: bytes) -> bytes:
        return _SPELT[self.spelling](name)

    def _chunked(self, body: bytes) -> bytes:
        least = len(body) // 200 + 1
        written = bytearray()
        at = 0
        for size in cycle(self.chunks):
            part = body[at : at + max(size, least)]
            written += b"%x%s\r\n%s" % (len(part), self.extension, part) + (b"\r\n" if part else self.trailer + b"\r\n")
            if not part:
                return bytes(written)
            at += len(part)
        raise AssertionError("a body has an end")


_SPELT: Mapping[str, Callable[[bytes], bytes]] = {
    "usual": lambda name: name,
    "lower": bytes.lower,
    "upper": bytes.upper,
    "swapped": bytes.swapcase,
}
_ORDINARY = len(Draft(b"", "", b"").headers())


def lawful_dresses() -> SearchStrategy[Dress]:
    """Dresses that change nothing about a request; some of them in chunks."""
    names = st.text(_TOKEN_LETTERS, min_size=1, max_size=20).map(lambda text: b"X-" + text.encode())
    values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(str.encode)
    unknown = st.builds(
        lambda name, value, times: name + b": " + value * times, names, values, st.sampled_from([1, 1, 1, 20])
    )
    accepting = st.sampled_from(
        [b"Accept: */*", b"accept: application/json", b"Connection: close", b"Connection: keep-alive"]
    )
    chunks = st.lists(st.sampled_from([1, 2, 3, 15, 16, 17, 255, 256, 4095, 65535, 2**24]), min_size=1, max_size=4).map(
        tuple
    )
    return st.builds(
        Dress,
        order=st.permutations(list(range(_ORDINARY))).map(tuple),
        spelling=st.sampled_from(list(_SPELT)),
        colon=st.sampled_from([b": ", b": ", b":", b":  ", b":\t"]),
        without=st.sampled_from([(), (b"user-agent",), (b"accept-encoding",), (b"user-agent", b"accept-encoding")]),
        lines=st.lists(unknown | accepting, max_size=8).map(tuple),
        chunks=st.one_of(st.just(()), st.just(()), st.just(()), chunks),
        extension=st.sampled_from([b"", b"", b";x", b";name=value", b' ; name="a b"']),
        trailer=st.sampled_from([b"", b"", b"X-Sum: 1\r\n"]),
        delivery=st.sampled_from([*[Delivery.WHOLE] * 39, Delivery.PIECES]),
    )


_ODD_LINES = [
    *(
        b"Host: elsewhere.invalid",
        b"Content-Length: 5",
        b"Transfer-Encoding: rot13",
        b"Transfer-Encoding: gzip, chunked",
    ),
    *(
        b"Nonsense",
        b"X Y: 1",
        b": 1",
        b"X-Space : 1",
        b"X-Nul: a\0b",
        b"X-Bare: a\rb",
        b" folded",
        b"X-Bell: \a",
        b"(): 1",
    ),
    *(
        b"Content-Type: text/plain",
        b"Content-Type: image/png",
        b"Content-Encoding: gzip",
        b"Content-Encoding: identity",
    ),
    *(b"Accept: text/html", b"Accept: image/*;q=0.1", b"Accept-Charset: utf-16", b"TE: trailers", b"Cookie: a=b"),
    *(
        b"If-Match: *",
        b"If-None-Match: *",
        b"Range: bytes=0-9",
        b"Authorization: Basic eDp5",
        b"Authorization: nonsense",
    ),
    *(b"X-HTTP-Method-Override: GET", b"X-Forwarded-Host: elsewhere.invalid", b"X-Original-URL: /", b"Origin: null"),
    *(
        b"Upgrade: h2c",
        b"Connection: upgrade",
        b"Max-Forwards: 0",
        b"X-Amz-Target: Nobody.Nothing",
        b"Content-MD5: AAAA",
    ),
    *(
        b"X-Place: K\xf6ln",
        b"X-Many: 1\r\n" * 99 + b"X-Many: 1",
        b"X-Long: " + b"a" * 9000,
        b"X-Long: " + b"a" * 70_000,
    ),
]
_ODD_LENGTHS = [b"+%d", b"-1", b"many", b"%d, %d", b"%d,%d", b"0x%d", b"%d.0", b"%d;x", b"%d 5", b'"%d"', b""]
_ODD_VERSIONS = [
    b"HTTP/2.0",
    b"HTTP/1.10",
    b"http/1.1",
    b"HTTQ/1.1",
    b"HTTP/11",
    b"HTTP/1,1",
    b"HTTP/-1.1",
    b"x",
]
_UNFRAMED = [Dress(without=(b"host",)), Dress(chunks=(64,), lines=(b"Content-Length: 3",))]
_EXPECTING = Dress(lines=(b"Expect: 100-continue",), delivery=Delivery.AWAIT_CONTINUE)


def odd_dresses() -> SearchStrategy[Dress]:
    """Dresses with one oddity, lawful or not. None announces more bytes than come: that would earn only time-outs."""
    lines = st.sampled_from(_ODD_LINES).map(lambda line: Dress(lines=(line,)))
    names = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
    any_line = st.builds(
        lambda name, value: (name + ": " + value).encode("latin-1"), names, st.text(_VISIBLE, max_size=30)
    )
    chunked = st.sampled_from([b" x", b"zz", b"\0", b"h", b",", b" 1"]).map(
        lambda text: Dress(chunks=(64,), extension=text)
    )
    return st.one_of(
        lines,
        lines,
        lines,
        any_line.map(lambda line: Dress(lines=(line,))),
        st.sampled_from(_ODD_LENGTHS).map(lambda text: Dress(length=text)),
        st.sampled_from(_ODD_VERSIONS).map(lambda text: Dress(version=text)),
        chunked,
        # whoever does not know the expectation lets us wait a second each time: seldom, then
        st.sampled_from([*_UNFRAMED * 4, _EXPECTING]),
        st.integers(1, 5000).map(lambda size: Dress(chunks=(size,))),
    )
