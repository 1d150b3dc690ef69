"""The strict reader of JPEG: markers, tables, and the entropy-coded data code by code."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conformance.cases import images
from conformance.formats import jpeg


def encoded(width: int = 37, height: int = 21, mode: str = "RGB", **options: Any) -> bytes:
    file = BytesIO()
    images.scene_photo(width, height, 1).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def described(data: bytes, **options: int) -> jpeg.Jpeg:
    found = jpeg.read(data, **options)
    assert found is not None
    return found


SMALL = encoded()
SCAN = SMALL.index(b"\xff\xda") + 14
FRAME = SMALL.index(b"\xff\xc0")
RESTARTING = encoded(restart_marker_blocks=1)
PROGRESSIVE = encoded(progressive=True)


def with_byte(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes((value,)) + data[place + 1 :]


def test_plain_file_is_described() -> None:
    """Pillow's default is the plain file."""
    found = described(SMALL)
    assert (found.width, found.height, found.components, found.precision) == (37, 21, 3, 8)
    assert found.sampling == ((2, 2), (1, 1), (1, 1))
    assert found.markers[:2] == ("SOI", "APP0")
    assert found.markers[-2:] == ("SOS", "EOI")
    assert (found.baseline, found.progressive, found.unusual) == (True, False, False)
    assert (found.jfif, found.exif, found.adobe) == (True, False, False)
    assert (found.plain, found.entropy_checked, found.faults) == (True, True, ())


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        ({"progressive": True}, {"progressive": True, "baseline": False, "entropy_checked": False}),
        ({"subsampling": 0}, {"sampling": ((1, 1), (1, 1), (1, 1))}),
        ({"subsampling": 1}, {"sampling": ((2, 1), (1, 1), (1, 1))}),
        ({"mode": "L"}, {"components": 1, "sampling": ((1, 1),)}),
        ({"mode": "CMYK"}, {"components": 4, "adobe": True, "jfif": False}),
        ({"restart_marker_blocks": 2}, {"restart_interval": 2}),
        ({"exif": Image.Exif()}, {}),
        ({"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}, {"exif": True}),
        ({"optimize": True, "quality": 100}, {"plain": True}),
        ({"width": 1, "height": 1}, {"plain": True}),
    ],
)
def test_variants_are_described(options: dict[str, Any], differs: dict[str, object]) -> None:
    """Each property shows where it should, and all the files are sound."""
    found = described(encoded(**options))
    assert found.faults == ()
    assert {name: getattr(found, name) for name in differs} == differs


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (SMALL[:-2], "there is no EOI marker"),
        (SMALL + b"xyz", "3 bytes follow the EOI marker"),
        (SMALL[:30], "the DQT segment runs past the end of the file"),
        (SMALL[:2] + SMALL[-2:], "there is no frame header"),
        (SMALL[:2] + SMALL[-2:], "there is no scan"),
        (SMALL[:FRAME] + SMALL[FRAME : FRAME + 19] + SMALL[FRAME:], "there is more than one frame header"),
        (SMALL[: FRAME + 5] + b"\0\0" + SMALL[FRAME + 7 :], "the picture is 37 x 0 pixels"),
        (with_byte(SMALL, FRAME + 4, 12), "samples of 12 bits are outside SOF0"),
        (with_byte(SMALL, FRAME + 11, 0), "a sampling factor is not 1 to 4"),
        (with_byte(SMALL, FRAME + 11, 0x44), "an MCU has more than 10 blocks"),
        (with_byte(SMALL, FRAME + 12, 3), "there is no quantisation table 3"),
        (with_byte(SMALL, SCAN - 8, 0x23), "there is no DC Huffman table 2"),
        (with_byte(SMALL, SCAN - 8, 0x23), "there is no AC Huffman table 3"),
        (with_byte(SMALL, SCAN - 9, 9), "a scan is of components that the frame header does not have"),
        (with_byte(SMALL, SCAN - 2, 5), "a sequential scan does not cover the 64 coefficients"),
        (SMALL[:2] + b"\xff\xd8" + SMALL[2:], "the marker SOI stands outside its place"),
        (SMALL[:2] + b"\xff\xd0" + SMALL[2:], "the marker RST0 stands outside its place"),
        (SMALL[:2] + b"\xff\x02\0\2" + SMALL[2:], "there is no marker FF02"),
        (SMALL[:2] + b"?" + SMALL[2:], "there is no marker at byte 2"),
        (SMALL[:2] + b"\xff\xfe\0\1" + SMALL[2:], "the COM segment has the length 1"),
        (SMALL[:2] + b"\xff\xdb\0\x43\0" + bytes(64) + SMALL[2:], "quantisation table 0 holds a zero"),
        (SMALL[:2] + b"\xff\xc4\0\x13\0\3" + bytes(15) + SMALL[2:], "the DHT segment is not a list of Huffman tables"),
        (
            SMALL[:2] + b"\xff\xc4\0\x16\0\3" + bytes(18) + SMALL[2:],
            "Huffman table 0 has more codes than fit its lengths",
        ),
        (SMALL[:SCAN] + b"\xff\xd0" + SMALL[SCAN:], "restart markers stand in the scan, and none were declared"),
        (SMALL[: SCAN + 9] + b"\xff\xff\0" + SMALL[SCAN + 9 :], "a stray FF byte stands in the entropy-coded data"),
        (SMALL[:-2] + bytes(9) + SMALL[-2:], "9 bytes of entropy-coded data are left over"),
        (SMALL[:-40] + SMALL[-2:], " of 6"),
        (SMALL[: FRAME + 5] + b"\xff\xff\xff\xff" + SMALL[FRAME + 9 :], "cannot hold 16777216 MCUs"),
        (RESTARTING.replace(b"\xff\xd1", b"\xff\xd5"), "the restart markers are out of order"),
        (RESTARTING.replace(b"\xff\xd4", b""), "a scan has 4 restart markers, not 5"),
        (PROGRESSIVE[:-2], "there is no EOI marker"),
    ],
)
def test_names_the_fault(data: bytes, fault: str) -> None:
    """Each fault has its own words."""
    assert [said for said in described(data).faults if said.endswith(fault)]


def test_uncommon_codings_are_flagged() -> None:
    """Lossless, arithmetic and hierarchical files are unusual, whatever else they are."""
    for code in (0xC3, 0xC5, 0xC9, 0xCA, 0xCF):
        assert described(with_byte(SMALL, FRAME + 1, code)).unusual


def test_long_scans_are_not_walked() -> None:
    """Beyond the limit the codes are not looked at, and that is said."""
    found = described(SMALL, entropy_limit=50)
    assert (found.entropy_checked, found.faults, found.plain) == (False, (), True)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x89PNG\r\n\x1a\n"])
def test_other_bytes_are_no_jpeg(data: bytes) -> None:
    """Without FF D8 there is nothing to describe."""
    assert jpeg.read(data) is None


@pytest.mark.parametrize(
    "data",
    [
        SMALL[:SCAN] + b"\xff" * 10**6 + b"\0",
        SMALL[:SCAN] + b"\xff\xd0" * 500_000,
        SMALL[: SCAN - 14] + SMALL[SCAN - 14 : SCAN] * 70_000,
        SMALL[:2] + b"\xff\xfe\0\2" * 250_000,
    ],
)
def test_takes_little_time(data: bytes) -> None:
    """A megabyte of anything is read in bounded time."""
    start = time.perf_counter()
    assert described(data).faults
    assert time.perf_counter() - start < 3


def test_fill_bytes_are_lawful() -> None:
    """Any number of FF bytes may stand in front of a marker."""
    data = SMALL[:2] + b"\xff\xff" + SMALL[2:-2] + b"\xff\xff\xff" + SMALL[-2:]
    assert described(data).faults == ()


def test_walks_fast() -> None:
    """The largest scan that is walked takes well below a second."""
    data = encoded(256, 256, quality=100, subsampling=0)
    start = time.perf_counter()
    assert described(data).entropy_checked
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("data", [SMALL, RESTARTING, PROGRESSIVE], ids=["baseline", "restarting", "progressive"])
def test_no_truncation_goes_unnoticed(data: bytes) -> None:
    """Whatever is missing at the end is missed."""
    for length in range(2, len(data)):
        assert described(data[:length]).faults, length


@given(st.sampled_from([SMALL, RESTARTING]), st.integers(0), st.integers(1, 255))
def test_changed_entropy_data_is_faulty_or_decodes(data: bytes, place: int, change: int) -> None:
    """Where a changed byte goes unnoticed, Pillow decodes the file too."""
    place = SCAN + place % (len(data) - SCAN)
    changed = with_byte(data, place, data[place] ^ change)
    if not described(changed).faults:
        with Image.open(BytesIO(changed)) as picture:
            picture.load()
            assert picture.size == (37, 21)


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 1, 2]), st.integers(1, 100), st.integers(0, 3))
def test_all_sizes_are_sound(width: int, height: int, subsampling: int, quality: int, restart: int) -> None:
    """What libjpeg writes is walked to its last bit."""
    data = encoded(width, height, subsampling=subsampling, quality=quality, restart_marker_blocks=restart)
    found = described(data)
    assert (found.faults, found.entropy_checked) == ((), True)


@given(st.binary(max_size=80), st.integers(2, len(SMALL)), st.integers(0, 80))
def test_any_bytes_are_read(junk: bytes, place: int, lost: int) -> None:
    """No input raises, and what is said of it is printable ASCII."""
    for data in (jpeg.START + junk, SMALL[:place] + junk + SMALL[place + lost :], PROGRESSIVE[:place] + junk):
        assert all(fault.isascii() and fault.isprintable() for fault in described(data).faults)
    jpeg.read(junk)
