"""The images that the suite sends: plain, unusual, of other formats, and damaged; the same bytes in every run.

With a ``salt`` they are of the same sorts, and show something else: nobody has seen them before, and the same salt
gives the same bytes. What is too short to hold anything, such as a signature alone, is the same with any.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageDraw

from conformance.cases import png_file
from conformance.formats.png import SIGNATURE

PNG, JPEG = "image/png", "image/jpeg"
_OCTETS = "application/octet-stream"
MOST_BYTES = 900_000
"""The heaviest plain picture that is made of a photograph, safely below what every implementation must take."""

_LONGEST_SEGMENT = 65537
_QUALITY = 90
_LAMP = (206, 204, 198)
"""The light over the belt: so bright that a dark defect is one for any detector."""
_EMPTY_BLOCK = b"\0\0\0\xff\xff"
"""A stored deflate block of no bytes: five bytes that inflate to nothing."""


@dataclass(frozen=True)
class Sample:
    """A payload with a name in words, the media type it truly has, and the size of its picture (0 x 0 for none)."""

    name: str
    data: bytes
    media_type: str
    width: int
    height: int


def scene_photo(width: int, height: int, number: int, defect: bool = False, salt: str = "") -> Image.Image:
    """Draw a part on a conveyor belt, another for each number, and on demand with a scratch and a stain on it. RGB."""
    chance = _chance(f"scene {number}", salt)
    light = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize((width, height))
    belt = _tinted(Image.blend(light, _texture(width, height, chance, 24), 0.35), _muted(chance), 0.55)
    metal = _tinted(Image.blend(light, _texture(width, height, chance, 6), 0.25), _muted(chance), 0.35)
    left, top = (round(width * chance.uniform(0.12, 0.25)), round(height * chance.uniform(0.12, 0.25)))
    box = (left, top, left + round(width * 0.6), top + round(height * 0.6))
    belt.paste(metal, (0, 0), _part(width, height, box, chance))
    lit = Image.blend(belt, Image.new("RGB", belt.size, _LAMP), 0.7)
    if defect:
        _damage(lit, box, chance)
    return lit


@lru_cache(maxsize=256)
def plain_png(width: int, height: int, number: int = 0, defect: bool = False, salt: str = "") -> Sample:
    """Give a scene as a PNG that every implementation must take: 8-bit RGB and three sorts of chunks."""
    scene = scene_photo(width, height, number, defect, salt)
    return Sample("plain-png", png_file.encode(scene, filters=(1,)), PNG, width, height)


@lru_cache(maxsize=256)
def plain_jpeg(width: int, height: int, number: int = 0, defect: bool = False, salt: str = "") -> Sample:
    """Give a scene as a JPEG that every implementation must take: baseline, JFIF, 4:2:0."""
    return Sample("plain-jpeg", _jpeg(scene_photo(width, height, number, defect, salt)), JPEG, width, height)


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


@lru_cache(maxsize=32)
def padded_png(width: int, height: int, size: int, salt: str = "") -> Sample:
    """Give a plain PNG of exactly ``size`` bytes; in rare cases of a few bytes more than the least with a tEXt chunk.

    Raises ``ValueError`` where no such picture is that small.
    """
    for compressed in _streams(width, height, salt):
        spare = size - len(_plain_file(width, height, compressed, 1))
        pieces = 1 + spare * 3 % 5
        blocks, odd = divmod(spare - 12 * (pieces - 1), 5)
        if blocks >= 0 and not odd:
            stream = compressed[:2] + _EMPTY_BLOCK * blocks + compressed[2:]
            return Sample("padded-png", _plain_file(width, height, stream, pieces), PNG, width, height)
    for compressed in _streams(width, height, salt):
        bare = _plain_file(width, height, compressed, 1)
        spare = size - len(bare) - 12
        if spare >= 2:
            text = png_file.chunk(b"tEXt", b"C\0" + b" " * (spare - 2))
            return Sample("padded-png", bare[: -len(png_file.END)] + text + png_file.END, PNG, width, height)
    raise ValueError(f"no PNG of {width} x {height} pixels is {size} bytes long")


@lru_cache(maxsize=32)
def padded_jpeg(width: int, height: int, size: int, salt: str = "") -> Sample:
    """Give a plain JPEG of exactly ``size`` bytes, comment segments included.

    Raises ``ValueError`` where no such picture is that small.
    """
    scene = scene_photo(width, height, 0, salt=salt)
    for quality in range(_QUALITY, 0, -8):
        data = _jpeg(scene, quality=quality)
        spare = size - len(data)
        if spare == 0 or spare >= 4:
            return Sample("padded-jpeg", data[:2] + _comments(spare) + data[2:], JPEG, width, height)
    raise ValueError(f"no JPEG of {width} x {height} pixels is {size} bytes long")


@lru_cache(maxsize=32)
def as_plain_png(photograph: bytes, salt: str = "") -> bytes:
    """Give a photograph as a plain PNG of the same size, in fewer colours where it would be too heavy."""
    picture = _grained(Image.open(BytesIO(photograph)).convert("RGB"), salt)
    data = png_file.encode(picture, filters=(1,))
    for colours in (256, 64, 16, 4, 2):
        if len(data) <= MOST_BYTES:
            break
        data = png_file.encode(picture.quantize(colours).convert("RGB"), filters=(0,), level=9)
    return data


@lru_cache(maxsize=32)
def as_plain_jpeg(photograph: bytes, salt: str = "") -> bytes:
    """Give a photograph as a plain JPEG of the same size, of a lower quality where it would be too heavy."""
    picture = _grained(Image.open(BytesIO(photograph)).convert("RGB"), salt)
    qualities = (_jpeg(picture, quality=quality) for quality in (_QUALITY, 75, 50, 25, 10, 1))
    return next((data for data in qualities if len(data) <= MOST_BYTES), _jpeg(picture, quality=1))


def size_of(photograph: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG file in pixels. Raises ``ValueError`` when it cannot be read as either."""
    try:
        with Image.open(BytesIO(photograph), formats=["PNG", "JPEG"]) as picture:
            picture.load()
            return picture.size
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from None


def media_type_of(photograph: bytes) -> str:
    """The media type of a file that is a PNG or a JPEG."""
    return PNG if photograph.startswith(SIGNATURE) else JPEG


def speck(salt: str, kind: str = PNG) -> bytes:
    """Give an image of a single pixel."""
    picture = Image.new("RGB", (1, 1), tuple(_chance("speck", salt).randbytes(3)))
    return _jpeg(picture, quality=100) if kind == JPEG else png_file.encode(picture)


def noise(length: int, salt: str) -> bytes:
    """Give so many bytes that are nothing."""
    return _chance("noise", salt).randbytes(length)


def some_words(salt: str) -> bytes:
    """Give a sentence that nobody has written before."""
    return _said("some words of no importance", salt).encode()


def foreign_chunk(salt: str) -> bytes:
    """Give the type of a chunk that a decoder must understand, and that nobody has heard of."""
    return b"X" + bytes(_chance("chunk", salt).choices(b"BCDFGJKMQVWZ", k=3))


def private_chunk(salt: str) -> bytes:
    """Give the type of a chunk that a decoder may pass over, and that nobody has heard of."""
    return "".join(map(_chance("private", salt).choice, ("abcdef", "abcdef", "JKLMNO", "uvwxyz"))).encode()


def _chance(seed: str, salt: str = "") -> Random:
    return Random(f"{seed} {salt}" if salt else seed)  # noqa: S311 (the same numbers in every run are the point)


def _grained(picture: Image.Image, salt: str) -> Image.Image:
    """The same picture for whoever looks at it, a few of its pixels one shade brighter or darker."""
    if not salt:
        return picture
    grain = Image.frombytes("L", picture.size, _chance("grain", salt).randbytes(picture.width * picture.height))
    brighter, darker = (grain.point([255 * (value == which) for value in range(256)]) for which in (0, 1))
    shade = Image.new("RGB", picture.size, (1, 1, 1))
    picture.paste(ImageChops.add(picture, shade), (0, 0), brighter)
    picture.paste(ImageChops.subtract(picture, shade), (0, 0), darker)
    return picture


def _said(text: str, salt: str) -> str:
    """A text of ours, or with a salt, some words that say as little."""
    chance = _chance(text, salt)
    letters = ("".join(chance.choices("adeilnorstu", k=chance.randint(3, 8))) for _ in text.split())
    return " ".join(letters) if salt else text


def _texture(width: int, height: int, chance: Random, grain: int) -> Image.Image:
    across, down = width // grain + 2, height // grain + 2
    return Image.frombytes("L", (across, down), chance.randbytes(across * down)).resize((width, height))


def _tinted(grey: Image.Image, colour: tuple[int, int, int], strength: float) -> Image.Image:
    return Image.blend(grey.convert("RGB"), Image.new("RGB", grey.size, colour), strength)


def _muted(chance: Random) -> tuple[int, int, int]:
    return chance.randrange(60, 200), chance.randrange(60, 200), chance.randrange(60, 200)


def _part(width: int, height: int, box: tuple[int, int, int, int], chance: Random) -> Image.Image:
    mask = Image.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    if chance.random() < 0.5:
        pen.ellipse(box, fill=255)
    else:
        pen.rectangle(box, fill=255)
    hole = min(width, height) // 16
    x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
    pen.ellipse((x - hole, y - hole, x + hole, y + hole), fill=0)
    return mask


def _damage(picture: Image.Image, box: tuple[int, int, int, int], chance: Random) -> None:
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = box
    across, down = right - left, bottom - top
    start = (left + round(across * chance.uniform(0.2, 0.4)), top + round(down * chance.uniform(0.2, 0.8)))
    end = (left + round(across * chance.uniform(0.6, 0.8)), top + round(down * chance.uniform(0.2, 0.8)))
    pen.line((start, end), fill=(24, 20, 22), width=max(1, min(picture.size) // 48))
    radius = max(1, min(picture.size) // 20)
    x, y = start
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(38, 26, 20))


def _saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def _jpeg(picture: Image.Image, **options: Any) -> bytes:
    return _saved(picture, "JPEG", **{"quality": _QUALITY, **options})


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
    text = _said("a part on a conveyor belt", salt)
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
        "private-chunk": png_file.chunk(private, _said("anything", salt).encode()),
    }


def _quantised(scene: Image.Image, colours: int) -> Image.Image:
    return scene.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _jpeg_variants(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    scene = scene_photo(width, height, 2, True, salt)
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = _said("conveyor camera", salt)
    yield "grey", _jpeg(scene.convert("L"))
    yield "progressive", _jpeg(scene, progressive=True)
    yield "progressive-grey", _jpeg(scene.convert("L"), progressive=True)
    yield "4-4-4", _jpeg(scene, subsampling=0)
    yield "4-2-2", _jpeg(scene, subsampling=1)
    yield "4-2-0", _jpeg(scene, subsampling=2)
    yield "restart-markers", _jpeg(scene, restart_marker_blocks=3)
    yield "exif", _jpeg(scene, exif=exif)
    yield "not-jfif", _without_segments(_jpeg(scene), 0xE0)
    yield "optimised", _jpeg(scene, optimize=True)
    yield "quality-1", _jpeg(scene, quality=1)
    yield "quality-100", _jpeg(scene, quality=100)
    yield "comment", _jpeg(scene, comment=_said("a part on a conveyor belt", salt).encode())


def _other_images(width: int, height: int, salt: str) -> Iterator[Sample]:
    scene = scene_photo(width, height, 3, salt=salt)
    fill = noise(3, salt).hex() if salt else "808890"
    drawing = f'<rect width="{width}" height="{height}" fill="#{fill}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{drawing}</svg>\n'
    small = (min(width, 256), min(height, 256))
    for name, data, media_type in (
        ("gif", _saved(_quantised(scene, 64), "GIF"), "image/gif"),
        ("bmp", _saved(scene, "BMP"), "image/bmp"),
        ("webp", _saved(scene, "WEBP", lossless=True, method=0), "image/webp"),
        ("tiff", _saved(scene, "TIFF"), "image/tiff"),
        ("svg", svg.encode(), "image/svg+xml"),
        ("pdf", _pdf(width, height, salt), "application/pdf"),
    ):
        yield Sample(name, data, media_type, width, height)
    yield Sample("ico", _saved(scene, "ICO", sizes=[small]), "image/x-icon", *small)


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
    sentence = _said("No image here.", salt)
    page = f"<!DOCTYPE html>\n<html><head><title>part</title></head><body><p>{sentence}</p></body></html>\n"
    document = {"image": _said("photograph", salt)} if salt else {"image": None}
    yield Sample("plain-text", _said("This is not an image.", salt).encode() + b"\n", "text/plain", 0, 0)
    yield Sample("html", page.encode(), "text/html", 0, 0)
    yield Sample("json", json.dumps(document).encode(), "application/json", 0, 0)
    yield Sample("one-byte", b"\0", _OCTETS, 0, 0)
    yield Sample("zeros", bytes(4096 + (noise(1, salt)[0] if salt else 0)), _OCTETS, 0, 0)
    yield Sample("random-bytes", _chance("no image", salt).randbytes(4096), _OCTETS, 0, 0)


def _damaged_pngs(width: int, height: int, salt: str) -> Iterator[tuple[str, bytes]]:
    scene = scene_photo(width, height, 4, salt=salt)
    foreign = png_file.chunk(foreign_chunk(salt) if salt else b"ABCD", _said("what", salt).encode())
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
    yield "wrong-checksum-of-header", _flipped(sound, 29)
    yield "wrong-checksum-of-image-data", _flipped(sound, len(sound) - len(end) - 1)
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
    yield "with-wrong-adler", SIGNATURE + head + png_file.chunk(b"IDAT", _flipped(zlib.compress(rows), -1)) + end
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
    yield "zero-height", _patched(sound, frame + 5, b"\0\0")
    yield "zero-width", _patched(sound, frame + 7, b"\0\0")
    yield "absurdly-large", _patched(sound, frame + 5, b"\xff\xff\xff\xff")
    yield "without-huffman-tables", _without_segments(sound, 0xC4)
    yield "without-quantisation-tables", _without_segments(sound, 0xDB)
    yield "without-frame-header", _without_segments(sound, 0xC0)
    yield "with-a-stray-marker", _patched(sound, scan, b"\xff\x05")
    yield "start-before-png", sound[:2] + plain_png(width, height, 5, salt=salt).data


def _flipped(data: bytes, place: int) -> bytes:
    place %= len(data)
    return _patched(data, place, bytes((data[place] ^ 1,)))


def _patched(data: bytes, place: int, patch: bytes) -> bytes:
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


def _streams(width: int, height: int, salt: str) -> Iterator[bytes]:
    """Give the compressed data of pictures, the richest first and the smallest last."""
    rows = png_file.image_data(scene_photo(width, height, 0, salt=salt), filters=(1,))
    for level in (0, 6, 9, 1, 2, 3, 4, 5, 7, 8):
        yield zlib.compress(rows, level)
    colour = tuple(noise(3, salt)) if salt else (128, 136, 144)
    flat = png_file.image_data(Image.new("RGB", (width, height), colour), filters=(1,))
    for level in (6, 9, 1, 2):
        yield zlib.compress(flat, level)


def _plain_file(width: int, height: int, compressed: bytes, pieces: int) -> bytes:
    return SIGNATURE + png_file.header(width, height) + png_file.image_chunks(compressed, pieces) + png_file.END


def _comments(size: int) -> bytes:
    """Give comment segments of ``size`` bytes in all, which is 0 or at least 4."""
    segments = bytearray()
    while size:
        length = size if size <= _LONGEST_SEGMENT else min(_LONGEST_SEGMENT, size - 4)
        segments += b"\xff\xfe" + (length - 2).to_bytes(2, "big") + b" " * (length - 4)
        size -= length
    return bytes(segments)
