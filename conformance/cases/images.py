"""The plain images that the suite sends, and what others are made of; the same bytes in every run.

With a ``salt`` they are of the same sorts, and show something else: nobody has seen them before, and the same salt
gives the same bytes. What is too short to hold anything, such as a signature alone, is the same with any.
"""

from __future__ import annotations

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
    chance = chance_of(f"scene {number}", salt)
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
    return Sample("plain-jpeg", as_jpeg(scene_photo(width, height, number, defect, salt)), JPEG, width, height)


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
        data = as_jpeg(scene, quality=quality)
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
    qualities = (as_jpeg(picture, quality=quality) for quality in (_QUALITY, 75, 50, 25, 10, 1))
    return next((data for data in qualities if len(data) <= MOST_BYTES), as_jpeg(picture, quality=1))


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
    picture = Image.new("RGB", (1, 1), tuple(chance_of("speck", salt).randbytes(3)))
    return as_jpeg(picture, quality=100) if kind == JPEG else png_file.encode(picture)


def noise(length: int, salt: str) -> bytes:
    """Give so many bytes that are nothing."""
    return chance_of("noise", salt).randbytes(length)


def some_words(salt: str) -> bytes:
    """Give a sentence that nobody has written before."""
    return said("some words of no importance", salt).encode()


def foreign_chunk(salt: str) -> bytes:
    """Give the type of a chunk that a decoder must understand, and that nobody has heard of."""
    return b"X" + bytes(chance_of("chunk", salt).choices(b"BCDFGJKMQVWZ", k=3))


def private_chunk(salt: str) -> bytes:
    """Give the type of a chunk that a decoder may pass over, and that nobody has heard of."""
    return "".join(map(chance_of("private", salt).choice, ("abcdef", "abcdef", "JKLMNO", "uvwxyz"))).encode()


def chance_of(seed: str, salt: str = "") -> Random:
    """Dice that fall the same way for the same seed and salt."""
    return Random(f"{seed} {salt}" if salt else seed)  # noqa: S311 (the same numbers in every run are the point)


def _grained(picture: Image.Image, salt: str) -> Image.Image:
    """The same picture for whoever looks at it, a few of its pixels one shade brighter or darker."""
    if not salt:
        return picture
    grain = Image.frombytes("L", picture.size, chance_of("grain", salt).randbytes(picture.width * picture.height))
    brighter, darker = (grain.point([255 * (value == which) for value in range(256)]) for which in (0, 1))
    shade = Image.new("RGB", picture.size, (1, 1, 1))
    picture.paste(ImageChops.add(picture, shade), (0, 0), brighter)
    picture.paste(ImageChops.subtract(picture, shade), (0, 0), darker)
    return picture


def said(text: str, salt: str) -> str:
    """A text of ours, or with a salt, some words that say as little."""
    chance = chance_of(text, salt)
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


def saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    """A picture as a file, with the options of Pillow's writer."""
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def as_jpeg(picture: Image.Image, **options: Any) -> bytes:
    """A picture as a JPEG of the usual quality."""
    return saved(picture, "JPEG", **{"quality": _QUALITY, **options})


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
