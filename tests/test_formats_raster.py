"""The pixels of a PNG, counted and found."""

from __future__ import annotations

import time
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conformance.cases import images, odd_images
from conformance.cases.png_file import chunk, encode
from conformance.formats import images as formats
from conformance.formats.raster import MOST_COLOURS, Raster, first_pixel_of, paint

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def spotted(mode: str) -> Image.Image:
    picture = Image.new("RGB", (7, 5), WHITE)
    picture.putpixel((4, 2), RED)
    picture.putpixel((1, 3), RED)
    if mode == "P":
        return picture.quantize(2)
    return picture.convert(mode)


@pytest.mark.parametrize(
    "data",
    [
        encode(spotted("RGB")),
        encode(spotted("RGB"), interlaced=True),
        encode(spotted("RGB"), 16),
        encode(spotted("RGB"), ancillary=chunk(b"tRNS", b"\0\xff\0\0\0\0")),
        encode(spotted("RGBA")),
        encode(spotted("RGBA"), 16),
        encode(spotted("P"), 1),
        encode(spotted("P"), 4),
        encode(spotted("P"), 8, ancillary=chunk(b"tRNS", b"\0\x80")),
    ],
)
def test_the_sort_of_png_does_not_matter(data: bytes) -> None:
    """Palette, alpha, depth and interlacing change no colour."""
    assert paint(data) == Raster(7, 5, {WHITE: 33, RED: 2})
    assert first_pixel_of(data, RED) == (4, 2)
    assert first_pixel_of(data, WHITE) == (0, 0)
    assert first_pixel_of(data, BLACK) is None


def test_transparency_is_ignored() -> None:
    """A pixel that cannot be seen has its colour all the same."""
    assert paint(encode(Image.new("RGBA", (2, 2), (1, 2, 3, 0)))) == Raster(2, 2, {(1, 2, 3): 4})
    assert paint(encode(Image.new("LA", (2, 2), (9, 0)))) == Raster(2, 2, {(9, 9, 9): 4})


def test_what_stands_beside_the_picture_is_not_unpacked() -> None:
    """Pillow refuses a comment of more than a megabyte, and a mask may have one."""
    beside = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**21)))
    assert paint(encode(spotted("RGB"), ancillary=beside)) == Raster(7, 5, {WHITE: 33, RED: 2})


def test_a_pixel_far_below_is_found() -> None:
    picture = Image.new("RGB", (900, 900), WHITE)
    picture.putpixel((450, 800), RED)
    picture.putpixel((3, 801), RED)
    data = encode(picture)
    assert paint(data) == Raster(900, 900, {WHITE: 809_998, RED: 2})
    assert first_pixel_of(data, RED) == (450, 800)


def test_not_all_of_very_many_colours_are_counted() -> None:
    """Millions of them fit into a small file, and would fill the memory."""
    picture = Image.frombytes("RGB", (1024, 512), b"".join(n.to_bytes(3, "big") for n in range(2**19)))
    painted = paint(encode(picture))
    assert painted is not None
    assert not painted.whole
    assert MOST_COLOURS < len(painted.colours) < 2 * MOST_COLOURS


@pytest.mark.parametrize(("depth", "grey"), [(1, 255), (2, 170), (4, 187), (8, 179), (16, 179)])
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_samples_are_scaled(mode: str, depth: int, grey: int) -> None:
    """Samples of every depth are brought to 0..255, those of 16 bits by their high byte."""
    if mode == "LA" and depth < 8:
        return
    picture = Image.new(mode, (3, 1), 179 if mode == "L" else (179, 5))
    assert paint(encode(picture, depth)) == Raster(3, 1, {(grey, grey, grey): 3})


def test_photographs_are_counted() -> None:
    """More colours than Pillow's small table holds are counted too."""
    noise = Image.frombytes("RGB", (400, 200), bytes(number * 7919 >> 5 & 0xFF for number in range(240_000)))
    found = paint(encode(noise))
    assert found
    assert sum(found.colours.values()) == 80_000
    ramp = Image.frombytes("RGB", (300, 300), b"".join(number.to_bytes(3, "big") for number in range(90_000)))
    assert paint(encode(ramp)) == Raster(300, 300, {(n >> 16, n >> 8 & 255, n & 255): 1 for n in range(90_000)})


@given(st.lists(st.sampled_from([RED, WHITE, BLACK, (0, 0, 1)]), min_size=6, max_size=6))
def test_the_first_pixel_is_the_first(pixels: list[tuple[int, int, int]]) -> None:
    """Pixels are looked at row by row from the upper left corner."""
    data = encode(Image.frombytes("RGB", (3, 2), bytes(level for pixel in pixels for level in pixel)))
    for colour in (RED, BLACK):
        index = pixels.index(colour) if colour in pixels else None
        assert first_pixel_of(data, colour) == (None if index is None else (index % 3, index // 3))


def test_what_cannot_be_painted_is_none() -> None:
    """No bytes make it raise, and large pictures are left alone."""
    photo = images.plain_png(20, 10)
    assert paint(photo.data, max_pixels=199) is None
    assert paint(photo.data, max_pixels=200) is not None
    assert first_pixel_of(photo.data, (-1, 0, 256)) is None
    for sample in (*odd_images.damaged(20, 10), *odd_images.other_formats(20, 10)):
        paint(sample.data)
        first_pixel_of(sample.data, RED)
    assert paint(images.plain_jpeg(20, 10).data) is None
    assert paint(b"") is None


@given(st.binary(max_size=40), st.integers(8, 100))
def test_any_bytes_are_painted_or_not(junk: bytes, place: int) -> None:
    """Pillow's many exceptions all end here."""
    data = images.plain_png(9, 9).data
    paint(data[:place] + junk + data[place + len(junk) :], max_pixels=10_000)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b"\x89", "prefix"),
        (b"\x89PNG\r\n\x1a", "prefix"),
        (b"\xff", "prefix"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8", "jpeg"),
        (b"\xff\xd9", "unknown"),
        (b"BM is no bitmap", "unknown"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- part -->\n<svg/>", "unknown"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- part -->\n<svg width='1'/>", "svg"),
        (b"/9j/4AAQSkZJRg==", "base64"),
        (b"iVBOR\nw0KGgoAAAANSUhEUg==\n", "base64"),
        (b"iVBORw0K", "unknown"),
        (b"--\r\n\r\n", "unknown"),
    ],
)
def test_identifies(data: bytes, name: str) -> None:
    """What the first bytes look like has one name."""
    assert formats.identify(data) == name


@given(st.binary(max_size=100))
def test_identifies_anything(data: bytes) -> None:
    """No bytes are without a name."""
    assert formats.identify(data)


@pytest.mark.parametrize("start", [b" ", b"A", b"<?xml", b"--a\r\n", b"data:", b"\n<!--", b"--", b"\r\n"])
def test_identifies_in_little_time(start: bytes) -> None:
    """A megabyte of anything has a name in bounded time."""
    moment = time.perf_counter()
    assert formats.identify(start * 200_000 + b"!") == formats.identify(start * 200_000 + b"!")
    assert time.perf_counter() - moment < 1


def test_pillow_and_the_writer_agree() -> None:
    """Interlaced and filtered files hold the picture that went in."""
    photo = images.scene_photo(29, 17, 3)
    for options in ({"interlaced": True}, {"filters": (0, 1, 2, 3, 4)}, {"interlaced": True, "filters": (4, 3)}):
        with Image.open(BytesIO(encode(photo, **options))) as picture:
            assert picture.convert("RGB").tobytes() == photo.tobytes()
