"""What texts come wrapped in: base64, the chunks of a PNG file, compression.

Whatever is changed inside, the wrapping stays as long as it was and as sound as it was.
"""

from __future__ import annotations

import base64
import re
import zlib
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator

from conformance.discretion.spelling import View, places, views
from conformance.formats.content_coding import decoded
from conformance.formats.png import SIGNATURE

MOST = 16 * 1024 * 1024
"""Bytes that may come out of compressed ones; what holds more is not looked into, and not kept."""
LEFT_OUT = b"<left out: what is compressed here may hold a secret>"

Hide = Callable[[bytes], bytes]
"""From bytes to as many bytes."""

_FIRST = 16
"""Characters of the first line of a run that is broken into lines, but for very short secrets."""
_LINES = rb"(?:[ \t]*\r?\n[ \t]*[A-Za-z0-9+/_-]++(?!:))*={0,2}"
"""Further ones; what stands before a colon is the name of the next header."""
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}" + _LINES)
_SHORT_RUN = re.compile(rb"[A-Za-z0-9+/_-]{8,}" + _LINES)
_UNBROKEN = re.compile(rb"[A-Za-z0-9+/]+")
_PICTURE = base64.b64encode(SIGNATURE)[:10]
_SHORT = 36
"""Characters of the longest run in which nothing compressed and no picture has room."""
_FORM = bytes.maketrans(b"-_", b"+/")
_SEEN = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_WINDOWS = _EITHER, _RAW = 47, -15  # sizes by which zlib is told what to look for


def of_pictures(kept: bytearray, hide: Hide) -> list[tuple[int, int]]:
    """Hide what is in PNG files that stand whole in a text as base64; where they stand."""
    found: list[tuple[int, int]] = []
    for place in places(bytes(kept), _PICTURE):
        run = _UNBROKEN.match(kept, place)
        if run and (length := _whole_picture(data := _bytes_of(run[0]))):
            end = place + length // 3 * 4
            if (shown := hide(data)) != data:
                kept[place:end] = _again(run[0][: end - place], data, shown)
            found.append((place, end))
    return found


def in_base64(kept: bytearray, whole: View, hide: Hide, is_innocent: Callable[[bytes], bool], least: int) -> None:
    """Hide what is in the base64 of a view of a text, from whichever character on it is to be read.

    ``is_innocent`` is asked at once of all that is too short to be wrapped once more; less than ``least`` bytes nobody
    looks for.
    """
    shortest = least * 4 // 3
    pattern = _RUN if shortest >= _FIRST else _SHORT_RUN
    for view in views(whole):
        runs = [run for run in pattern.finditer(view.text) if run.end() - run.start() >= shortest]
        short = [run for run in runs if run.end() - run.start() <= _SHORT]
        innocent = is_innocent(_readings(b"".join(run[0].split()) for run in short))
        for run in runs:
            if run.end() - run.start() > _SHORT or not innocent:
                _rewrite(kept, view, run, hide, is_innocent)


def _readings(runs: Iterable[bytes]) -> bytes:
    """What runs stand for, from each of their first characters on, one below the other."""
    return b"\n".join(_bytes_of(run.rstrip(b"=")[skipped:]) for run in runs for skipped in range(4))


def _bytes_of(chars: bytes) -> bytes:
    """What characters of base64 stand for; a last one that stands for nothing is left out."""
    return a2b_base64(chars[: len(chars) - (len(chars) % 4 == 1)].translate(_FORM) + b"=" * (-len(chars) % 4 % 3))


def _rewrite(
    kept: bytearray, view: View, run: re.Match[bytes], hide: Hide, is_innocent: Callable[[bytes], bool]
) -> None:
    """Hide what is in a run, whose lines may belong together or not."""
    lines = run[0].split()
    whole = b"".join(lines)
    new = _hidden_inside(whole, hide)
    if new == whole and len(lines) > 1 and not is_innocent(_readings(lines)):
        new = b"".join(_hidden_inside(line, hide) for line in lines)
    if new != whole:
        _write(kept, view, run, new)


def _hidden_inside(run: bytes, hide: Hide) -> bytes:
    """The characters of a run, as many, with what they stand for hidden."""
    bare = run.rstrip(b"=")
    for skipped in range(4):
        chars = bare[skipped:]
        chars = chars[: len(chars) - (len(chars) % 4 == 1)]
        data = _bytes_of(chars)
        if (shown := hide(data)) != data:
            bare = bare[:skipped] + _again(chars, data, shown) + bare[skipped + len(chars) :]
        if data.startswith(SIGNATURE):
            break
    return bare + run[len(bare) :]


def _again(chars: bytes, data: bytes, shown: bytes) -> bytes:
    """The characters, those of them in base64 once more whose bytes are others than they were."""
    fresh = base64.b64encode(shown)[: len(chars)]
    if b"-" in chars or b"_" in chars:
        fresh = fresh.translate(bytes.maketrans(b"+/", b"-_"))
    kept = bytearray(chars)
    for at, place in zip(range(0, len(data), 3), range(0, len(chars), 4), strict=False):
        if data[at : at + 3] != shown[at : at + 3]:
            kept[place : place + 4] = fresh[place : place + 4]
    return bytes(kept)


def _write(kept: bytearray, view: View, run: re.Match[bytes], new: bytes) -> None:
    """Put the characters of a run where they were; escaped ones plainly, and then blanks behind the closing quote."""
    places = [at for at in range(run.start(), run.end()) if not view.text[at : at + 1].isspace()]
    spans = [view.spans(at, at + 1)[0] for at in places]
    if all(end - start == 1 for start, end in spans):
        for (start, _), char in zip(spans, new, strict=True):
            kept[start] = char
        return
    start, end = spans[0][0], spans[-1][1]
    room = end - start
    if bytes(kept[end : end + 1]) == b'"':
        kept[start : end + 1] = (new + b'"').ljust(room + 1)
    else:
        kept[start:end] = LEFT_OUT.ljust(room, b"*")[:room]


def _whole_picture(data: bytes) -> int:
    """How long a PNG file is that these bytes begin with; 0 when none is there whole and with the right checksums."""
    place = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    while place + 12 <= len(data):
        begun, place = place, place + 12 + int.from_bytes(data[place : place + 4])
        if zlib.crc32(data[begun + 4 : place - 4]).to_bytes(4) != data[place - 4 : place]:
            return 0
        if data[begun + 4 : begun + 8] == b"IEND":
            return place
    return 0


def in_picture(data: bytes, hide: Hide, hide_by_chance: Hide) -> bytes:
    """A PNG file with its words hidden. What makes the picture is only looked at by ``hide_by_chance``."""
    kept, place = bytearray(data), len(SIGNATURE)
    while place + 8 <= len(data):
        kind, body = data[place + 4 : place + 8], slice(place + 8, place + 8 + int.from_bytes(data[place : place + 4]))
        shown = hide_by_chance(data[body]) if kind in _SEEN else _chunk(data[body], hide)
        if shown != data[body]:
            _put(kept, body, kind, shown)
        place = body.stop + 4
        if kind == b"IEND":
            break
    kept[place:] = hide(data[place:])
    return bytes(kept)


def _put(kept: bytearray, body: slice, kind: bytes, shown: bytes) -> None:
    """Write the body of a chunk, and its checksum when the old one was right."""
    check = slice(body.stop, body.stop + 4)
    was_right = zlib.crc32(kind + kept[body]).to_bytes(4) == kept[check]
    kept[body.start : body.start + len(shown)] = shown
    if was_right:
        kept[check] = zlib.crc32(kind + shown).to_bytes(4)


def _chunk(body: bytes, hide: Hide) -> bytes:
    """The body of a chunk that is not the picture; compressed texts stand behind keywords that end with a zero."""
    body = hide(body)
    for place in _compressed_from(body):
        found = inflated(body[place:])
        if found and hide(found) != found:
            return body[:place] + LEFT_OUT.ljust(len(body) - place, b"*")[: len(body) - place]
    return body


def _compressed_from(body: bytes) -> Iterator[int]:
    """Where a compressed text may begin: behind a zero or two, and a byte that says how."""
    for found in re.finditer(rb"\0(?=[\x00-\xff]?\x78)|\0\0(?=\x78)", body[:4096]):
        yield body.index(b"\x78", found.end())


def inflated(data: bytes) -> bytes | None:
    """What comes out of compressed bytes, as far as they go; None when they are none, or too much comes out."""
    for window in _WINDOWS:
        expand = zlib.decompressobj(window)
        try:
            found = expand.decompress(data, MOST)
        except zlib.error:
            continue
        return None if expand.unconsumed_tail else found
    return None


def is_wrapped(data: bytes) -> bool:
    """Whether the bytes are a picture, or compressed."""
    return data.startswith(SIGNATURE) or is_compressed(data)


def is_compressed(data: bytes) -> bool:
    """Whether the bytes begin as gzip or zlib has it, and go on as they should."""
    if data[:2] != b"\x1f\x8b" and (data[:1] != b"x" or len(data) < 2 or int.from_bytes(data[:2]) % 31):
        return False
    try:
        return bool(zlib.decompressobj(_EITHER).decompress(data, 1))
    except zlib.error:
        return False


def in_compressed(body: bytes, codings: tuple[bytes, ...], hide: Hide) -> bytes:
    """A compressed body as it is, unless there is something to hide in it or it cannot be looked into.

    ``codings`` are values of Content-Encoding; without them it is for the bytes to say how they are compressed.
    """
    plain = decoded(body, codings, MOST) if codings else None
    plain = inflated(body) if plain is None else plain
    if plain is not None and hide(plain) == plain:
        return body
    return LEFT_OUT.ljust(len(body), b"*")[: len(body)]
