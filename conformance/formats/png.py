"""A strict walker over PNG files (ISO/IEC 15948): every chunk, every checksum, every filter byte.

Decoders forgive: Pillow paints a file with a wrong checksum, without an end or with a second file behind it. This
module forgives nothing that changes or might change the picture; the content of ancillary chunks is not looked at.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_PIXELS = 5000 * 5000
"""Larger pictures are walked but not inflated, unless the caller asks for more."""

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The seven passes of an interlaced picture: first column, first row, column step, row step."""

_MAX_DIMENSION = 2**31 - 1
_MAX_FAULTS = 20
_SLICE = 1 << 14
"""Compressed bytes fed at once: at most 16 MB can come out, in blocks of at most ``_BLOCK``."""
_BLOCK = 1 << 20

_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGBA: (8, 16)}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_CHUNK_TYPE = re.compile(rb"[A-Za-z]{4}")


@dataclass(frozen=True)
class Png:
    """What a PNG file declares, and everything that is wrong with it; zeros where the header cannot be read."""

    width: int
    height: int
    bit_depth: int
    colour_type: int
    interlaced: bool
    chunk_types: tuple[bytes, ...]
    """In file order, repeats kept."""
    faults: tuple[str, ...]
    """Fragments of sentences in printable ASCII, at most 20 and each once."""
    too_big: bool
    """The header demands more pixels than the caller allows: the image data was not looked at."""

    @property
    def sound(self) -> bool:
        """Everything was looked at and nothing is wrong."""
        return not self.faults and not self.too_big

    @property
    def plain(self) -> bool:
        """A sound file that every decoder takes: 8-bit RGB, not interlaced, no chunk beyond the three necessary."""
        return (
            self.sound
            and (self.bit_depth, self.colour_type, self.interlaced) == (8, _RGB, False)
            and set(self.chunk_types) == {b"IHDR", b"IDAT", b"IEND"}
        )


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    body: memoryview


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    bit_depth: int
    colour_type: int
    compression: int
    filtering: int
    interlacing: int


def read(data: bytes, max_pixels: int = MAX_PIXELS) -> Png | None:
    """Walk the whole file; None when the eight bytes of the signature are not there.

    Never inflates more than the header demands, and holds about a megabyte of it at a time.
    """
    if not data.startswith(SIGNATURE):
        return None
    chunks, faults = _walk(data)
    header = _header(chunks)
    faults += _order_faults([chunk.kind for chunk in chunks])
    too_big = False
    if header is None:
        faults.append("the file does not begin with an IHDR chunk of 13 bytes")
        header = _Header(0, 0, 0, 0, 0, 0, 0)
    else:
        header_faults = _header_faults(header)
        too_big = header.width * header.height > max_pixels
        faults += header_faults + _palette_faults(header, chunks)
        if not header_faults and not too_big:
            faults += _image_data_faults(_passes(header), [chunk.body for chunk in chunks if chunk.kind == b"IDAT"])
    return Png(
        width=header.width,
        height=header.height,
        bit_depth=header.bit_depth,
        colour_type=header.colour_type,
        interlaced=header.interlacing == 1,
        chunk_types=tuple(chunk.kind for chunk in chunks),
        faults=tuple(dict.fromkeys(faults))[:_MAX_FAULTS],
        too_big=too_big,
    )


def _walk(data: bytes) -> tuple[list[_Chunk], list[str]]:
    """Split the file into chunks, up to and including IEND or the first that does not fit; the last may be cut."""
    chunks: list[_Chunk] = []
    faults: list[str] = []
    view = memoryview(data)
    position = len(SIGNATURE)
    while position < len(data):
        if len(data) - position < 8:
            faults.append(f"the file ends inside the head of a chunk, after {len(data)} bytes")
            break
        length = int.from_bytes(view[position : position + 4], "big")
        kind = bytes(view[position + 4 : position + 8])
        end = position + 12 + length
        chunks.append(_Chunk(kind, view[position + 8 : min(end - 4, len(data))]))
        if end > len(data):
            faults.append(f"chunk {_name(kind)} runs {end - len(data)} bytes past the end of the file")
            break
        faults += _chunk_faults(kind, length, view[position + 4 : end])
        position = end
        if kind == b"IEND":
            if position < len(data):
                faults.append(f"{len(data) - position} bytes follow the IEND chunk")
            break
    return chunks, faults


def _chunk_faults(kind: bytes, length: int, checked: memoryview) -> list[str]:
    faults = []
    if zlib.crc32(checked[:-4]) != int.from_bytes(checked[-4:], "big"):
        faults.append(f"the checksum of chunk {_name(kind)} is wrong")
    if not _CHUNK_TYPE.fullmatch(kind):
        faults.append(f"the chunk type {_name(kind)} is not four letters")
    elif kind[:1].isupper() and kind not in _CRITICAL:
        faults.append(f"the critical chunk {_name(kind)} is unknown")
    if kind == b"IEND" and length:
        faults.append(f"the IEND chunk holds {length} bytes")
    return faults


def _name(kind: bytes) -> str:
    return kind.decode("ascii") if _CHUNK_TYPE.fullmatch(kind) else ascii(kind)


def _order_faults(kinds: list[bytes]) -> list[str]:
    faults = []
    if kinds.count(b"IHDR") > 1:
        faults.append("there is more than one IHDR chunk")
    if b"IDAT" not in kinds:
        faults.append("there is no IDAT chunk")
    else:
        first = kinds.index(b"IDAT")
        if kinds[first : first + kinds.count(b"IDAT")].count(b"IDAT") < kinds.count(b"IDAT"):
            faults.append("other chunks stand between the IDAT chunks")
        if b"PLTE" in kinds[first:]:
            faults.append("the PLTE chunk stands after the image data")
    if kinds.count(b"PLTE") > 1:
        faults.append("there is more than one PLTE chunk")
    if b"IEND" not in kinds:
        faults.append("there is no IEND chunk")
    return faults


def _header(chunks: list[_Chunk]) -> _Header | None:
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].body) != 13:
        return None
    return _Header(*struct.unpack(">IIBBBBB", chunks[0].body))


def _header_faults(header: _Header) -> list[str]:
    faults = []
    if header.width == 0 or header.height == 0:
        faults.append(f"the picture is {header.width} x {header.height} pixels")
    if max(header.width, header.height) > _MAX_DIMENSION:
        faults.append("the width or height is over 2^31-1")
    if header.bit_depth not in _DEPTHS.get(header.colour_type, ()):
        faults.append(f"there is no colour type {header.colour_type} with {header.bit_depth} bits")
    if header.compression != 0:
        faults.append(f"there is no compression method {header.compression}")
    if header.filtering != 0:
        faults.append(f"there is no filter method {header.filtering}")
    if header.interlacing not in (0, 1):
        faults.append(f"there is no interlace method {header.interlacing}")
    return faults


def _palette_faults(header: _Header, chunks: list[_Chunk]) -> list[str]:
    sizes = [len(chunk.body) for chunk in chunks if chunk.kind == b"PLTE"]
    if not sizes:
        return ["there is no PLTE chunk in a palette picture"] if header.colour_type == _PALETTE else []
    if header.colour_type in (_GREY, _GREY_ALPHA):
        return ["there is a PLTE chunk in a grey picture"]
    room = 1 << header.bit_depth if header.colour_type == _PALETTE else 256
    faults = []
    if sizes[0] % 3 or not sizes[0]:
        faults.append(f"the palette is {sizes[0]} bytes, not three for each of its colours")
    if sizes[0] > 3 * room:
        faults.append(f"the palette has more than {room} colours")
    return faults


@dataclass(frozen=True)
class _Pass:
    """Where the rows of one pass lie in the inflated data; each row begins with its filter byte."""

    start: int
    rows: int
    stride: int

    @property
    def end(self) -> int:
        return self.start + self.rows * self.stride


def _passes(header: _Header) -> list[_Pass]:
    bits = _CHANNELS[header.colour_type] * header.bit_depth
    steps = ADAM7 if header.interlacing else ((0, 0, 1, 1),)
    passes: list[_Pass] = []
    start = 0
    for first_column, first_row, column_step, row_step in steps:
        columns = -(-(header.width - first_column) // column_step)
        rows = -(-(header.height - first_row) // row_step)
        if columns > 0 and rows > 0:
            passes.append(_Pass(start, rows, 1 + (columns * bits + 7) // 8))
            start = passes[-1].end
    return passes


def _image_data_faults(passes: list[_Pass], bodies: list[memoryview]) -> list[str]:
    demanded = passes[-1].end
    inflater = zlib.decompressobj()
    received = 0
    behind = 0
    faults: list[str] = []
    try:
        for piece in _pieces(bodies):
            if inflater.eof:
                behind += len(piece)
                continue
            for block in _inflated(inflater, piece):
                faults += _filter_faults(passes, received, block)
                received += len(block)
                if received > demanded:
                    return [*faults, f"the image data is more than {demanded} bytes"]
            behind += len(inflater.unused_data)
    except zlib.error as error:
        return [*faults, f"the compressed image data is damaged: {str(error).rpartition(': ')[2]}"]
    if received < demanded:
        faults.append(f"the image data is {received} bytes, not {demanded}")
    elif not inflater.eof:
        faults.append("the compressed image data does not end")
    if behind:
        faults.append(f"{behind} bytes follow the compressed image data")
    return faults


def _pieces(bodies: Iterable[memoryview]) -> Iterator[memoryview]:
    for body in bodies:
        for start in range(0, len(body), _SLICE):
            yield body[start : start + _SLICE]


def _inflated(inflater: zlib._Decompress, piece: memoryview) -> Iterator[bytes]:
    pending: bytes | memoryview = piece
    while True:
        block = inflater.decompress(pending, _BLOCK)
        yield block
        pending = inflater.unconsumed_tail
        if inflater.eof or (not pending and len(block) < _BLOCK):
            return


def _filter_faults(passes: list[_Pass], offset: int, block: bytes) -> list[str]:
    """Look at the filter bytes among the inflated bytes from ``offset`` on."""
    for span in passes:
        start = max(span.start, offset)
        start += (span.start - start) % span.stride
        filters = block[start - offset : max(span.end - offset, 0) : span.stride]
        if filters and max(filters) > 4:
            return [f"a row has the filter type {max(filters)}"]
    return []
