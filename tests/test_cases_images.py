"""The image factory: what it calls sound is sound, what it calls damaged is not, and all of it repeats."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image, ImageChops

from conformance.cases import images, odd_images
from conformance.cases.images import Sample
from conformance.formats import jpeg, png
from conformance.formats.images import identify
from conformance.formats.raster import paint

SIZES = [(96, 64), (1, 1), (13, 200)]
DIGEST = """
import hashlib
from conformance.cases import odd_images as i
samples = (*i.png_variants(31, 17), *i.jpeg_variants(31, 17), *i.other_formats(31, 17), *i.damaged(31, 17))
print(hashlib.sha256(b"".join(sample.data for sample in samples)).hexdigest())
"""


def everything(width: int, height: int) -> tuple[Sample, ...]:
    return (
        *odd_images.png_variants(width, height),
        *odd_images.jpeg_variants(width, height),
        *odd_images.other_formats(width, height),
        *odd_images.damaged(width, height),
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_plain_files_are_plain(width: int, height: int) -> None:
    """The plain files are sound, plain, of their size, and different for each number."""
    for number in range(3):
        photo, scan = images.plain_png(width, height, number).data, images.plain_jpeg(width, height, number).data
        found, described = png.read(photo), jpeg.read(scan)
        assert found
        assert described
        assert (found.plain, found.width, found.height) == (True, width, height)
        assert (described.plain, described.width, described.height) == (True, width, height)
    assert len({images.plain_png(width, height, number).data for number in range(8)}) > 1


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_png_variants_are_sound_and_not_plain(width: int, height: int) -> None:
    """Each variant is a PNG that Pillow opens, without a fault, and not what the plain files are."""
    for sample in odd_images.png_variants(width, height):
        found, raster = png.read(sample.data), paint(sample.data)
        assert found, sample.name
        assert (found.faults, found.plain) == ((), False), sample.name
        assert raster, sample.name
        assert (raster.width, raster.height) == (width, height), sample.name


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_jpeg_variants_are_sound(width: int, height: int) -> None:
    """Each variant is a JPEG that Pillow opens, without a fault."""
    for sample in odd_images.jpeg_variants(width, height):
        found = jpeg.read(sample.data)
        assert found, sample.name
        assert (found.faults, found.width, found.height) == ((), width, height), sample.name
        with Image.open(BytesIO(sample.data)) as picture:
            picture.load()
            assert picture.size == (width, height), sample.name


def test_jpeg_variants_are_what_they_are_called() -> None:
    """The properties that the contract names are all there."""
    found = {sample.name: jpeg.read(sample.data) for sample in odd_images.jpeg_variants(96, 64)}
    plain = {name for name, each in found.items() if each and each.plain}
    assert plain == {"4-2-0", "optimised", "quality-1", "quality-100", "comment"}
    assert {name for name, each in found.items() if each and each.progressive} == {"progressive", "progressive-grey"}
    assert {name for name, each in found.items() if each and each.restart_interval} == {"restart-markers"}
    assert {name for name, each in found.items() if each and each.exif} == {"exif"}
    assert {name for name, each in found.items() if each and not each.jfif} == {"not-jfif"}


def test_other_formats_are_identified() -> None:
    """Nothing among the other formats passes for a PNG or a JPEG, and Pillow knows the images."""
    named = {sample.name: identify(sample.data) for sample in odd_images.other_formats(96, 64)}
    assert {"gif", "bmp", "webp", "tiff", "svg", "pdf"} == {name for name, kind in named.items() if name == kind}
    assert {"base64-of-a-png", "data-url-of-a-png"} == {name for name, kind in named.items() if kind == "base64"}
    assert named["form-around-a-png"] == "multipart"
    assert not {"png", "jpeg", "empty", "prefix"} & set(named.values())
    for sample in odd_images.other_formats(96, 64):
        if sample.media_type in ("image/gif", "image/bmp", "image/webp", "image/tiff", "image/x-icon"):
            with Image.open(BytesIO(sample.data)) as picture:
                picture.load()
                assert picture.size == (sample.width, sample.height)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_damaged_files_are_damaged(width: int, height: int) -> None:
    """Every damaged file is noticed by the strict readers."""
    for sample in odd_images.damaged(width, height):
        if sample.media_type == images.PNG:
            found = png.read(sample.data)
            assert found is None or not found.sound, sample.name
        else:
            described = jpeg.read(sample.data)
            assert described is None or described.faults, sample.name


def test_names_are_words_and_unique() -> None:
    """A name says which sample is meant."""
    names = [sample.name for sample in everything(13, 9)]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)


@pytest.mark.parametrize("size", [20_000, 65_536, 100_001, 999_999, 1_000_000, 1_048_576])
def test_padded_files_have_their_size(size: int) -> None:
    """Files of an exact size are as plain as others, and Pillow opens them."""
    for sample in (images.padded_png(96, 64, size), images.padded_jpeg(96, 64, size)):
        found = png.read(sample.data) or jpeg.read(sample.data)
        assert found
        assert (len(sample.data), found.plain) == (size, True), sample.name
        with Image.open(BytesIO(sample.data)) as picture:
            picture.load()


def test_every_size_can_be_hit() -> None:
    """There are no gaps between the sizes, from a little above the least on."""
    for size in range(9_000, 9_040):
        assert len(images.padded_png(64, 48, size).data) == size
        assert len(images.padded_jpeg(64, 48, size).data) == size


def test_impossible_sizes_are_refused() -> None:
    """A file cannot be smaller than its picture allows."""
    with pytest.raises(ValueError, match="no PNG of 64 x 48 pixels is 60 bytes long"):
        images.padded_png(64, 48, 60)
    with pytest.raises(ValueError, match="no JPEG of 64 x 48 pixels is 60 bytes long"):
        images.padded_jpeg(64, 48, 60)


def test_a_defect_is_dark_and_small() -> None:
    """The defect darkens some of the part, and leaves most of the picture as it was."""
    whole, defective = images.scene_photo(256, 192, 5), images.scene_photo(256, 192, 5, defect=True)
    changed = ImageChops.difference(whole, defective).convert("L").point([0] + [255] * 255).histogram()[255]
    assert 0.002 < changed / (256 * 192) < 0.1


def test_samples_repeat_in_another_process() -> None:
    """Another run, with another hash seed, gives the same bytes."""
    samples = everything(31, 17)
    run = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == hashlib.sha256(b"".join(sample.data for sample in samples)).hexdigest()
