"""The strict reader of PNG: every fault is named, and nothing that changes a file goes unnoticed."""

from __future__ import annotations

import time
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conformance.cases import images, odd_images
from conformance.cases.png_file import END, chunk, encode, header, image_data
from conformance.formats import png
from conformance.formats.png import SIGNATURE

PHOTO = images.scene_photo(13, 9, 1)
SMALL = encode(PHOTO)
ROWS = image_data(PHOTO)
IMAGE = chunk(b"IDAT", zlib.compress(ROWS))
PALETTE_HEADER = header(1, 1, 1, 3)
PALETTE_IMAGE = chunk(b"IDAT", zlib.compress(b"\0\0"))


def faults(data: bytes) -> tuple[str, ...]:
    found = png.read(data)
    assert found is not None
    return found.faults


@pytest.mark.parametrize(
    ("chunks", "fault"),
    [
        ((header(13, 9), IMAGE), "there is no IEND chunk"),
        ((header(13, 9), IMAGE, END, b"x" * 17), "17 bytes follow the IEND chunk"),
        ((header(13, 9), IMAGE, chunk(b"IEND", b"x")), "the IEND chunk holds 1 bytes"),
        ((header(13, 9), END), "there is no IDAT chunk"),
        ((header(13, 9), IMAGE[:-1] + b"?", END), "the checksum of chunk IDAT is wrong"),
        ((header(13, 9), header(13, 9), IMAGE, END), "there is more than one IHDR chunk"),
        ((IMAGE, header(13, 9), END), "the file does not begin with an IHDR chunk of 13 bytes"),
        ((header(13, 9), chunk(b"ABcD"), IMAGE, END), "the critical chunk ABcD is unknown"),
        ((header(13, 9), chunk(b"a\n1d"), IMAGE, END), r"the chunk type b'a\n1d' is not four letters"),
        ((header(13, 9), IMAGE, chunk(b"teXt"), chunk(b"IDAT"), END), "other chunks stand between the IDAT chunks"),
        ((header(13, 9), IMAGE, b"\xff\xff\xff\xffIEND"), "chunk IEND runs 4294967299 bytes past the end of the file"),
        ((header(13, 9), b"\0\0\0"), "the file ends inside the head of a chunk, after 36 bytes"),
        ((PALETTE_HEADER, PALETTE_IMAGE, END), "there is no PLTE chunk in a palette picture"),
        ((PALETTE_HEADER, PALETTE_IMAGE, chunk(b"PLTE", b"rgb"), END), "the PLTE chunk stands after the image data"),
        ((PALETTE_HEADER, chunk(b"PLTE", b"rgb" * 3), PALETTE_IMAGE, END), "the palette has more than 2 colours"),
        (
            (PALETTE_HEADER, chunk(b"PLTE", b"rg"), PALETTE_IMAGE, END),
            "the palette is 2 bytes, not three for each of its colours",
        ),
        (
            (PALETTE_HEADER, *[chunk(b"PLTE", b"rgb")] * 2, PALETTE_IMAGE, END),
            "there is more than one PLTE chunk",
        ),
        ((header(1, 1, 1, 0), chunk(b"PLTE", b"rgb"), PALETTE_IMAGE, END), "there is a PLTE chunk in a grey picture"),
        ((header(13, 9, 4), IMAGE, END), "there is no colour type 2 with 4 bits"),
        ((header(13, 9, 8, 7), IMAGE, END), "there is no colour type 7 with 8 bits"),
        ((header(0, 9), IMAGE, END), "the picture is 0 x 9 pixels"),
        ((header(2**31, 1), IMAGE, END), "the width or height is over 2^31-1"),
        ((chunk(b"IHDR", header(13, 9)[8:-7] + b"\1\1\2"), IMAGE, END), "there is no compression method 1"),
        ((chunk(b"IHDR", header(13, 9)[8:-7] + b"\1\1\2"), IMAGE, END), "there is no filter method 1"),
        ((chunk(b"IHDR", header(13, 9)[8:-7] + b"\1\1\2"), IMAGE, END), "there is no interlace method 2"),
        ((header(13, 9), chunk(b"IDAT", zlib.compress(ROWS[:25])), END), "the image data is 25 bytes, not 360"),
        ((header(13, 9), chunk(b"IDAT", zlib.compress(ROWS + b"x")), END), "the image data is more than 360 bytes"),
        ((header(13, 9), chunk(b"IDAT", zlib.compress(ROWS)[:-4]), END), "the compressed image data does not end"),
        ((header(13, 9), chunk(b"IDAT", zlib.compress(ROWS) + b"xy"), END), "2 bytes follow the compressed image data"),
        ((header(13, 9), IMAGE, chunk(b"IDAT", b"xyz"), END), "3 bytes follow the compressed image data"),
        ((header(13, 9), chunk(b"IDAT", zlib.compress(b"\5" + ROWS[1:])), END), "a row has the filter type 5"),
        (
            (header(13, 9), chunk(b"IDAT", zlib.compress(ROWS[:320] + b"\xff" * 40)), END),
            "a row has the filter type 255",
        ),
        (
            (header(13, 9), chunk(b"IDAT", zlib.compress(ROWS)[:-1] + b"?"), END),
            "the compressed image data is damaged: incorrect data check",
        ),
    ],
)
def test_names_the_fault(chunks: tuple[bytes, ...], fault: str) -> None:
    """Each fault has its own words."""
    assert fault in faults(SIGNATURE + b"".join(chunks))


def test_plain_file_is_described() -> None:
    """A sound file is described by its header and chunks, and nothing is held against it."""
    assert png.read(SMALL) == png.Png(13, 9, 8, 2, False, (b"IHDR", b"IDAT", b"IEND"), (), False)


@pytest.mark.parametrize("data", [b"", SIGNATURE[:7], b"\xff\xd8\xff", b"GIF89a"])
def test_other_bytes_are_no_png(data: bytes) -> None:
    """Without the signature there is nothing to describe."""
    assert png.read(data) is None


def test_animation_is_ancillary() -> None:
    """The animation control chunk of APNG is a chunk like others."""
    file = BytesIO()
    PHOTO.save(file, "PNG", save_all=True, append_images=[images.scene_photo(13, 9, 2)])
    found = png.read(file.getvalue())
    assert found
    assert b"acTL" in found.chunk_types
    assert (found.sound, found.plain) == (True, False)


def test_large_pictures_are_not_inflated() -> None:
    """A picture of more pixels than allowed is flagged, not inflated and not blamed."""
    bomb = next(sample for sample in odd_images.damaged(13, 9) if sample.name == "png-bomb")
    start = time.perf_counter()
    found = png.read(bomb.data)
    assert time.perf_counter() - start < 1
    assert found
    assert (found.too_big, found.sound, found.faults) == (True, False, ())


def test_a_bomb_in_a_small_picture_is_cut_off() -> None:
    """No more is inflated than the header demands and one block."""
    data = SIGNATURE + header(13, 9) + chunk(b"IDAT", zlib.compress(bytes(10**8))) + END
    start = time.perf_counter()
    assert faults(data) == ("the image data is more than 360 bytes",)
    assert time.perf_counter() - start < 1


def test_faults_are_bounded() -> None:
    """A file of a thousand different faults is described by twenty."""
    strange = [b"".join((b"Q", bytes((97 + number // 26 % 26, 65, 97 + number % 26)))) for number in range(500)]
    assert len(faults(SIGNATURE + header(13, 9) + b"".join(map(chunk, strange)) + IMAGE + END)) == 20


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    """The checksums cover every byte."""
    found = png.read(SMALL[:place] + bytes((SMALL[place] ^ change,)) + SMALL[place + 1 :])
    assert found is None or not found.sound


@pytest.mark.parametrize("interlaced", [False, True])
def test_no_truncation_goes_unnoticed(interlaced: bool) -> None:
    """Whatever is missing at the end is missed."""
    data = encode(PHOTO, interlaced=interlaced, pieces=3)
    for length in range(len(data)):
        found = png.read(data[:length])
        assert found is None or found.faults, length


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 3))
def test_any_bytes_are_read(junk: bytes, place: int, kind: int) -> None:
    """No input raises, and what is said of it is printable ASCII."""
    data = (SIGNATURE + junk, SIGNATURE + header(13, 9) + junk, SMALL[:place] + junk + SMALL[place:], junk)[kind]
    found = png.read(data)
    if found:
        assert all(fault.isascii() and fault.isprintable() for fault in found.faults)


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 2, 4, 8, 16]), st.booleans())
def test_all_sizes_are_sound(width: int, height: int, depth: int, interlaced: bool) -> None:
    """The passes of every small size add up."""
    assert faults(encode(Image.new("L", (width, height), 7), depth, interlaced=interlaced, pieces=2)) == ()
