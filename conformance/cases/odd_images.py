"""The other images that the suite sends: unusual, of other formats, and damaged; the same bytes in every run.

With a ``salt`` they show something else, as plain ones do.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image

from conformance.cases import png_file
from conformance.cases.images import (
    JPEG,
    PNG,
    Sample,
    as_jpeg,
    chance_of,
    foreign_chunk,
    noise,
    plain_jpeg,
    plain_png,
    private_chunk,
    said,
    saved,
    scene_photo,
)
from conformance.formats.png import SIGNATURE

_OCTETS = "application/octet-stream"


@lru_cache(maxsize=16)
def png_variants(width: int, height: int, salt: str = "") -> tuple[Sample, ...]:
    """Give sound PNGs of every sort that is not plain."""
    return tuple(Sample(name, data, PNG, width, height) for name, data in _png_variants(width, height, salt))


@lru_cache(maxsize=16)
def jpeg_variants(width: int, height: int, salt: str = "") -> tuple[Sample, ...]:
    """Give sound JPEGs, most of a sort that is not plain."""
    return tuple(Sample(name, data, JPEG, width, height) for name, data in _jpeg_variants(width, height, salt))


@lru_cache(maxsize=16)
def other_formats(width: int, height: int, salt: str = "") -> tuple[Sample, ...]:
    """Give what is neither PNG nor JPEG: other formats, wrappers around a PNG, text and noise; never empty."""
    return (*_other_images(width, height, salt), *_wrapped(width, height, salt), *_no_images(salt))


@lru_cache(maxsize=16)
def damaged(width: int, height: int, salt: str = "") -> tuple[Sample, ...]:
    """Give files with one fault each, named for it; ``width`` and ``height`` are those of the file before."""
    pngs = [Sample(f"png-{name}", data, PNG, width, height) for name, data in _damaged_pngs(width, height, salt)]
    jpegs = [Sample(f"jpeg-{name}", data, JPEG, width, height) for name, data in _damaged_jpegs(width, height, salt)]
    return (*pngs, *jpegs)


def _png_variants(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    scene = scene_photo(width, height, 1, True, salt)
    grey, alpha = scene.convert("L"), Image.linear_gradient("L").resize((width, height))
    veiled, veiled_grey = scene.copy(), Image.merge("LA", (grey, alpha))
    veiled.putalpha(alpha)
    ancillary = _ancillary(salt)
    for depth in (1, 2, 4, 8, 16):
        yield f"grey-{depth}-bit", png_file.encode(grey, depth)
    for depth in (1, 2, 4, 8):
        yield f"palette-{depth}-bit", png_file.encode(_quantised(scene, 1 << depth), depth)
    for depth in (8, 16):
        yield f"grey-with-alpha-{depth}-bit", png_file.encode(veiled_grey, depth)
        yield f"colour-with-alpha-{depth}-bit", png_file.encode(veiled, depth)
    yield "colour-16-bit", png_file.encode(scene, 16)
    translucent = png_file.chunk(b"tRNS", bytes(range(0, 256, 16)))
    yield "palette-with-transparency", png_file.encode(_quantised(scene, 16), 4, ancillary=translucent)
    yield "colour-with-transparency", png_file.encode(scene, ancillary=png_file.chunk(b"tRNS", b"\0\1\0\2\0\3"))
    yield "grey-with-transparency", png_file.encode(grey, ancillary=png_file.chunk(b"tRNS", b"\0\x80"))
    yield "interlaced", png_file.encode(scene, interlaced=True)
    yield "interlaced-grey-1-bit", png_file.encode(grey, 1, interlaced=True)
    yield "interlaced-palette", png_file.encode(_quantised(scene, 16), 4, interlaced=True)
    yield "every-filter-and-gamma", png_file.encode(scene, filters=(4, 3, 2, 1, 0), ancillary=ancillary["gamma"])
    yield "stored-and-gamma", png_file.encode(scene, level=0, ancillary=ancillary["gamma"])
    for name, chunks in ancillary.items():
        yield name, png_file.encode(scene, filters=(1,), ancillary=chunks)
    yield "many-idats-and-gamma", png_file.encode(scene, pieces=16, ancillary=ancillary["gamma"])
    everything = b"".join(chunks for name, chunks in ancillary.items() if name != "standard-colours")
    yield "many-ancillary-chunks", png_file.encode(scene, ancillary=everything)


_PROFILE = b"".join(
    (
        (132).to_bytes(4, "big") + b"none" + bytes((2, 0x20, 0, 0)) + b"mntrRGB XYZ ",
        bytes((7, 0xE9, 0, 10, 0, 31, 0, 12, 0, 0, 0, 0)) + b"acsp" + bytes(28),
        bytes((0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D)) + bytes(48) + bytes(4),
    )
)
"""An ICC profile of a display: the header, and no tags."""


def _ancillary(salt: str) -> dict[str, bytes]:
    text = said("a part on a conveyor belt", salt)
    private = private_chunk(salt) if salt else b"coNf"
    second = noise(1, salt)[0] % 61 if salt else 60
    return {
        "gamma": png_file.chunk(b"gAMA", (45455).to_bytes(4, "big")),
        "standard-colours": png_file.chunk(b"sRGB", b"\0"),
        "colour-profile": png_file.chunk(b"iCCP", b"least\0\0" + zlib.compress(_PROFILE)),
        "resolution": png_file.chunk(b"pHYs", (2835).to_bytes(4, "big") * 2 + b"\1"),
        "text": png_file.chunk(b"tEXt", b"Comment\0" + text.encode()),
        "time": png_file.chunk(b"tIME", (2025).to_bytes(2, "big") + bytes((10, 31, 23, 59, second))),
        "exif-chunk": png_file.chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\1\0\0\0\0\0\0"),
        "private-chunk": png_file.chunk(private, said("anything", salt).encode()),
    }


def _quantised(scene: Image.Image, colours: int) -> Image.Image:
    return scene.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _jpeg_variants(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    scene = scene_photo(width, height, 2, True, salt)
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = said("conveyor camera", salt)
    yield "grey", as_jpeg(scene.convert("L"))
    yield "progressive", as_jpeg(scene, progressive=True)
    yield "progressive-grey", as_jpeg(scene.convert("L"), progressive=True)
    yield "4-4-4", as_jpeg(scene, subsampling=0)
    yield "4-2-2", as_jpeg(scene, subsampling=1)
    yield "4-2-0", as_jpeg(scene, subsampling=2)
    yield "restart-markers", as_jpeg(scene, restart_marker_blocks=3)
    yield "exif", as_jpeg(scene, exif=exif)
    yield "not-jfif", _without_segments(as_jpeg(scene), 0xE0)
    yield "optimised", as_jpeg(scene, optimize=True)
    yield "quality-1", as_jpeg(scene, quality=1)
    yield "quality-100", as_jpeg(scene, quality=100)
    yield "comment", as_jpeg(scene, comment=said("a part on a conveyor belt", salt).encode())


def _other_images(width: int, height: int, salt: str) -> Iterator[Sample]:
    scene = scene_photo(width, height, 3, salt=salt)
    fill = noise(3, salt).hex() if salt else "808890"
    drawing = f'<rect width="{width}" height="{height}" fill="#{fill}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{drawing}</svg>\n'
    small = (min(width, 256), min(height, 256))
    for name, data, media_type in (
        ("gif", saved(_quantised(scene, 64), "GIF"), "image/gif"),
        ("bmp", saved(scene, "BMP"), "image/bmp"),
        ("webp", saved(scene, "WEBP", lossless=True, method=0), "image/webp"),
        ("tiff", saved(scene, "TIFF"), "image/tiff"),
        ("svg", svg.encode(), "image/svg+xml"),
        ("pdf", _pdf(width, height, salt), "application/pdf"),
    ):
        yield Sample(name, data, media_type, width, height)
    yield Sample("ico", saved(scene, "ICO", sizes=[small]), "image/x-icon", *small)


def _pdf(width: int, height: int, salt: str) -> bytes:
    """Write a PDF of one empty page by hand: Pillow's would hold the time of day."""
    rotated = b" /LastModified (%s)" % noise(8, salt).hex().encode() if salt else b""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d]%s >>" % (width, height, rotated),
    )
    file = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(places)
    return file + table + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(file)


def _wrapped(width: int, height: int, salt: str) -> Iterator[Sample]:
    plain = plain_png(width, height, 3, salt=salt)
    text = base64.b64encode(plain.data)
    boundary = noise(8, salt).hex().encode() if salt else b"conveyor-7d1f"
    part = b'Content-Disposition: form-data; name="file"; filename="part.png"\r\nContent-Type: image/png\r\n\r\n'
    form = b"--%s\r\n%s%s\r\n--%s--\r\n" % (boundary, part, plain.data, boundary)
    yield Sample("base64-of-a-png", text, "text/plain", width, height)
    yield Sample("data-url-of-a-png", b"data:image/png;base64," + text, "text/plain", width, height)
    yield Sample("json-around-a-png", json.dumps({"image": text.decode()}).encode(), "application/json", width, height)
    yield Sample("form-around-a-png", form, f"multipart/form-data; boundary={boundary.decode()}", width, height)
    yield Sample("zlib-around-a-png", zlib.compress(plain.data), "application/zlib", width, height)


def _no_images(salt: str) -> Iterator[Sample]:
    sentence = said("No image here.", salt)
    page = f"<!DOCTYPE html>\n<html><head><title>part</title></head><body><p>{sentence}</p></body></html>\n"
    document = {"image": said("photograph", salt)} if salt else {"image": None}
    yield Sample("plain-text", said("This is not an image.", salt).encode() + b"\n", "text/plain", 0, 0)
    yield Sample("html", page.encode(), "text/html", 0, 0)
    yield Sample("json", json.dumps(document).encode(), "application/json", 0, 0)
    yield Sample("one-byte", b"\0", _OCTETS, 0, 0)
    yield Sample("zeros", bytes(4096 + (noise(1, salt)[0] if salt else 0)), _OCTETS, 0, 0)
    yield Sample("random-bytes", chance_of("no image", salt).randbytes(4096), _OCTETS, 0, 0)


def _damaged_pngs(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    scene = scene_photo(width, height, 4, salt=salt)
    foreign = png_file.chunk(foreign_chunk(salt) if salt else b"ABCD", said("what", salt).encode())
    rubble = b"\xff" + (noise(63, salt) if salt else b"\xff" * 63)
    sound = png_file.encode(scene, filters=(1,))
    rows = png_file.image_data(scene)
    head, image, end = png_file.header(width, height), sound[33 : -len(png_file.END)], png_file.END
    yield "cut-in-signature", sound[:5]
    yield "cut-after-signature", sound[:8]
    yield "cut-in-header", sound[:20]
    yield "cut-after-header", sound[:33]
    yield "cut-in-image-data", sound[: len(sound) // 2]
    yield "without-end", sound[: -len(end)]
    yield "cut-in-end", sound[:-3]
    yield "wrong-checksum-of-header", flipped(sound, 29)
    yield "wrong-checksum-of-image-data", flipped(sound, len(sound) - len(end) - 1)
    yield "with-bytes-behind", sound + bytes(1000)
    yield "twice", sound + sound
    yield "without-header", SIGNATURE + image + end
    yield "without-image-data", SIGNATURE + head + end
    yield "zero-width", SIGNATURE + png_file.header(0, height) + image + end
    yield "zero-height", SIGNATURE + png_file.header(width, 0) + image + end
    yield "absurdly-large", SIGNATURE + png_file.header(2**31 - 1, 2**31 - 1) + image + end
    yield "larger-than-allowed", SIGNATURE + png_file.header(2**32 - 1, 2**32 - 1) + image + end
    yield "with-3-bits", SIGNATURE + png_file.header(width, height, 3) + image + end
    yield "with-unknown-colour-type", SIGNATURE + png_file.header(width, height, 8, 5) + image + end
    yield "palette-missing", SIGNATURE + png_file.header(width, height, 8, 3) + image + end
    yield "with-unknown-critical-chunk", SIGNATURE + head + foreign + image + end
    yield "with-two-headers", SIGNATURE + head + head + image + end
    yield "with-unknown-filter", SIGNATURE + head + _idat(b"\x07" + rows[1:]) + end
    yield "with-broken-deflate-data", SIGNATURE + head + png_file.chunk(b"IDAT", b"\x78\x9c" + rubble) + end
    yield "with-wrong-adler", SIGNATURE + head + png_file.chunk(b"IDAT", flipped(zlib.compress(rows), -1)) + end
    yield "image-data-too-short", SIGNATURE + head + _idat(rows[: len(rows) // 2]) + end
    yield "image-data-too-long", SIGNATURE + head + _idat(rows + rows) + end
    yield "bomb", _bomb(noise(1, salt) if salt else b"\0")
    yield "signature-before-jpeg", SIGNATURE + plain_jpeg(width, height, 4, salt=salt).data


def _idat(rows: bytes) -> bytes:
    return png_file.chunk(b"IDAT", zlib.compress(rows))


@lru_cache(maxsize=4)
def _bomb(shade: bytes) -> bytes:
    """Give a PNG of 48 KB that inflates to 50 MB and 400 million pixels."""
    return SIGNATURE + png_file.header(20000, 20000, 1, 0) + _idat((b"\0" + shade * 2500) * 20000) + png_file.END


def _damaged_jpegs(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    sound = plain_jpeg(width, height, 5, salt=salt).data
    frame = sound.index(b"\xff\xc0")
    scan = sound.index(b"\xff\xda") + 14
    yield "cut-after-start", sound[:2]
    yield "cut-in-header", sound[: frame + 6]
    yield "cut-in-scan", sound[: (scan + len(sound)) // 2]
    yield "without-end", sound[:-2]
    yield "with-half-a-scan", sound[: (scan + len(sound)) // 2].rstrip(b"\xff") + b"\xff\xd9"
    yield "with-bytes-behind", sound + bytes(1000)
    yield "zero-height", patched(sound, frame + 5, b"\0\0")
    yield "zero-width", patched(sound, frame + 7, b"\0\0")
    yield "absurdly-large", patched(sound, frame + 5, b"\xff\xff\xff\xff")
    yield "without-huffman-tables", _without_segments(sound, 0xC4)
    yield "without-quantisation-tables", _without_segments(sound, 0xDB)
    yield "without-frame-header", _without_segments(sound, 0xC0)
    yield "with-a-stray-marker", patched(sound, scan, b"\xff\x05")
    yield "start-before-png", sound[:2] + plain_png(width, height, 5, salt=salt).data


def flipped(data: bytes, place: int) -> bytes:
    """The bytes with one bit turned over; places beyond the end go round."""
    place %= len(data)
    return patched(data, place, bytes((data[place] ^ 1,)))


def patched(data: bytes, place: int, patch: bytes) -> bytes:
    """The bytes with others written over them from a place on."""
    return data[:place] + patch + data[place + len(patch) :]


def _without_segments(data: bytes, marker: int) -> bytes:
    """Leave out all segments of one sort that stand in front of the scan."""
    kept = bytearray(data[:2])
    position = 2
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] != marker:
            kept += data[position:end]
        position = end
    return bytes(kept) + data[position:]
