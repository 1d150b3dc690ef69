"""PNG files written chunk by chunk, for every sort that Pillow reads and does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import cycle, pairwise

from PIL import Image, ImageChops

from conformance.formats.png import ADAM7, SIGNATURE

COLOUR_TYPES = {"L": 0, "RGB": 2, "P": 3, "LA": 4, "RGBA": 6}
"""Pillow's modes, and the colour types they become."""

END = b"\0\0\0\0IEND\xaeB`\x82"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """Give one chunk with its length and checksum."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def header(width: int, height: int, depth: int = 8, colour_type: int = 2, interlaced: bool = False) -> bytes:
    """Give an IHDR chunk, whether or not there can be such a picture."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced))


def encode(
    picture: Image.Image,
    depth: int = 8,
    *,
    interlaced: bool = False,
    filters: Sequence[int] = (0,),
    level: int = 3,
    pieces: int = 1,
    ancillary: bytes = b"",
) -> bytes:
    """Write a picture of one of the modes of ``COLOUR_TYPES`` with ``depth`` bits per sample.

    Rows take the ``filters`` in turn; the compressed data is cut into ``pieces`` IDAT chunks; ``ancillary`` chunks
    stand in front of them, behind the palette.
    """
    compressed = zlib.compress(image_data(picture, depth, interlaced=interlaced, filters=filters), level)
    head = header(picture.width, picture.height, depth, COLOUR_TYPES[picture.mode], interlaced)
    palette = chunk(b"PLTE", bytes(picture.getpalette("RGB") or ())[: 3 << depth]) if picture.mode == "P" else b""
    return b"".join((SIGNATURE, head, palette, ancillary, image_chunks(compressed, pieces), END))


def image_chunks(compressed: bytes, pieces: int) -> bytes:
    """Cut compressed data into that many IDAT chunks of about the same length."""
    cuts = [len(compressed) * number // pieces for number in range(pieces + 1)]
    return b"".join(chunk(b"IDAT", compressed[start:end]) for start, end in pairwise(cuts))


def image_data(
    picture: Image.Image, depth: int = 8, *, interlaced: bool = False, filters: Sequence[int] = (0,)
) -> bytes:
    """Give the filtered rows of all passes, not compressed."""
    channels = len(picture.getbands())
    data = bytearray()
    for first_column, first_row, column_step, row_step in ADAM7 if interlaced else ((0, 0, 1, 1),):
        if first_column >= picture.width:
            continue
        above = b""
        rows = range(first_row, picture.height, row_step)
        for row, filter_type in zip(rows, cycle(filters), strict=False):
            samples = _samples(picture, row, first_column, column_step)
            line = _packed(samples, depth, indexed=picture.mode == "P")
            data.append(filter_type)
            data += _filtered(filter_type, line, above or bytes(len(line)), max(1, channels * depth // 8))
            above = line
    return bytes(data)


def _samples(picture: Image.Image, row: int, first_column: int, column_step: int) -> bytes:
    """Give one row's samples in every ``column_step``-th column, a byte each."""
    line = picture.crop((0, row, picture.width, row + 1)).tobytes()
    channels = len(picture.getbands())
    width = len(range(first_column, picture.width, column_step))
    samples = bytearray(width * channels)
    for channel in range(channels):
        samples[channel::channels] = line[channel + first_column * channels :: column_step * channels]
    return bytes(samples)


def _packed(samples: bytes, depth: int, *, indexed: bool) -> bytes:
    if depth == 8:
        return samples
    if depth == 16:
        wide = bytearray(2 * len(samples))
        wide[0::2] = samples
        wide[1::2] = samples[::-1]
        return bytes(wide)
    if not indexed:
        samples = samples.translate(bytes(level >> 8 - depth for level in range(256)))
    shared = 8 // depth
    samples += bytes(-len(samples) % shared)
    packed = 0
    for place in range(shared):
        packed |= int.from_bytes(samples[place::shared], "big") << depth * (shared - 1 - place)
    return packed.to_bytes(len(samples) // shared, "big")


def _filtered(filter_type: int, line: bytes, above: bytes, step: int) -> bytes:
    """Apply one of the five filters (ISO/IEC 15948, 9.2); ``step`` is the distance to the pixel on the left."""
    if filter_type == 0:
        return line
    left, corner = (bytes(step) + line)[: len(line)], (bytes(step) + above)[: len(line)]
    if filter_type == 1:
        predicted = left
    elif filter_type == 2:
        predicted = above
    elif filter_type == 3:
        predicted = bytes((a + b) // 2 for a, b in zip(left, above, strict=True))
    else:
        predicted = bytes(_paeth(a, b, c) for a, b, c in zip(left, above, corner, strict=True))
    return ImageChops.subtract_modulo(_as_picture(line), _as_picture(predicted)).tobytes()


def _as_picture(line: bytes) -> Image.Image:
    """Wrap bytes as one row of pixels, for arithmetic outside Python."""
    return Image.frombytes("L", (len(line), 1), line)


def _paeth(left: int, above: int, corner: int) -> int:
    to_left, to_above, to_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner
