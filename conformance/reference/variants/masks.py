"""Freedoms in segmentation: which types are listed, in what colours, and what kind of PNG the mask is."""

from __future__ import annotations

import io
import secrets
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from PIL import Image

from conformance.reference.app import HONEST, Call, Json, Model, detect, write_anomaly, write_mask
from conformance.reference.detector import BACKGROUND, TYPES, Colour, Detection, Region, float32
from conformance.reference.strains import Variant

Detect = Callable[[Call, Model, Image.Image], Detection]

_COLOURS = [colour for _, colour in TYPES]
_UNPACKED_BYTES = 4_000_000  # of pixels: an uncompressed mask of them is below 5242880 bytes, base64 not counted
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _labels(mask: Image.Image) -> Image.Image:
    """Of each pixel the position of its type in TYPES; the reds tell the types apart."""
    positions = [0] * 256
    for position, (red, _, _) in enumerate(_COLOURS):
        positions[red] = position
    return mask.getchannel("R").point(positions)


def _repainted(mask: Image.Image, colours: Sequence[Colour]) -> Image.Image:
    labels = _labels(mask)
    channels = [labels.point([*levels, *[0] * (256 - len(colours))]) for levels in zip(*colours, strict=True)]
    return Image.merge("RGB", channels)


def _in_colours(*colours: Colour) -> Detect:
    """The honest detection, its types in these colours."""
    other = dict(zip(_COLOURS, colours, strict=True))

    def detect_in_colours(call: Call, model: Model, image: Image.Image) -> Detection:
        found = detect(call, model, image)
        if found.mask is None:
            return found
        regions = tuple(replace(region, colour=other[region.colour]) for region in found.regions)
        return replace(found, regions=regions, mask=_repainted(found.mask, colours))

    return detect_in_colours


def _with_types(found: Detection, types: Iterable[Region]) -> Detection:
    return found if found.mask is None else replace(found, regions=(*found.regions, *types))


# Which types are listed.


def types_without_pixels_are_listed(call: Call, model: Model, image: Image.Image) -> Detection:
    return _with_types(detect(call, model, image), [Region("scratch", (1, 2, 3), 0.0), Region("0", (0, 0, 0), 0.0)])


def names_are_as_long_as_they_may_be(call: Call, model: Model, image: Image.Image) -> Detection:
    return _with_types(detect(call, model, image), [Region("a1B2" * 64, (1, 2, 3), 0.0), Region("a", (3, 2, 1), 0.0)])


def names_differ_in_case_only(call: Call, model: Model, image: Image.Image) -> Detection:
    return _with_types(detect(call, model, image), [Region("Dent", (1, 2, 3), 0.0), Region("dent", (3, 2, 1), 0.0)])


def only_background_is_ever_found(call: Call, model: Model, image: Image.Image) -> Detection:
    found = detect(call, model, image)
    return found if found.mask is None else _plain(found, [Region(*BACKGROUND, 1.0)], BACKGROUND[1])


def everything_is_a_defect(call: Call, model: Model, image: Image.Image) -> Detection:
    found, colour = detect(call, model, image), (77, 216, 255)
    regions = [Region(*BACKGROUND, 0.0), Region("defect", colour, 1.0)]
    return found if found.mask is None else _plain(found, regions, colour)


def _plain(found: Detection, regions: Iterable[Region], colour: Colour) -> Detection:
    size = found.mask.size if found.mask else (1, 1)
    return replace(found, regions=tuple(regions), mask=Image.new("RGB", size, colour))


def a_hundred_types_are_found(call: Call, model: Model, image: Image.Image) -> Detection:
    """Upright stripes, each of a type and colour of its own; narrow images have fewer stripes than types."""
    found, (width, height) = detect(call, model, image), image.size
    if not found.mask:
        return found
    types = [BACKGROUND, *((f"type{number}", (number, 255 - number, 7)) for number in range(99))]
    edges = [width * position // len(types) for position in range(len(types) + 1)]
    mask = Image.new("RGB", (width, height))
    for (_, colour), (left, right) in zip(types, pairwise(edges), strict=True):
        mask.paste(colour, (left, 0, right, height))
    shares = ((right - left) / width for left, right in pairwise(edges))
    regions = tuple(Region(name, colour, share) for (name, colour), share in zip(types, shares, strict=True))
    return replace(found, regions=regions, mask=mask)


def defect_is_thrown_like_dice(call: Call, model: Model, image: Image.Image) -> Detection:
    found, (width, height) = detect(call, model, image), image.size
    if not found.mask:
        return found
    right, lower = secrets.randbelow(width + 1), secrets.randbelow(height + 1)
    share, colour = float32(right * lower / (width * height)), (1, 2, 3)
    mask = Image.new("RGB", image.size, BACKGROUND[1])
    mask.paste(colour, (0, 0, right, lower))
    return replace(found, regions=(Region(*BACKGROUND, 1 - share), Region("spot", colour, share)), mask=mask)


def one_type_for_all_in_black(call: Call, model: Model, image: Image.Image) -> Detection:
    found = detect(call, model, image)
    if found.mask is None or len(found.regions) < 2:
        return found
    background, black = found.regions[0], (0, 0, 0)
    defect = Region("defect", black, 1 - background.area)
    return replace(found, regions=(background, defect), mask=_repainted(found.mask, (BACKGROUND[1], black, black)))


# How they are written.


def hex_digits_are_small(region: Region) -> Json:
    written = write_anomaly(region)
    return {**written, "PixelAnomaly": {**written["PixelAnomaly"], "Color": written["PixelAnomaly"]["Color"].lower()}}


def colours_of_absent_types_are_no_hex(region: Region) -> Json:
    written = write_anomaly(region)
    colour = written["PixelAnomaly"]["Color"] if region.area else f"#GgZz{region.colour[0]:02d}"
    return {**written, "PixelAnomaly": {**written["PixelAnomaly"], "Color": colour}}


def areas_are_rounded_to_three_places(region: Region) -> Json:
    return write_anomaly(replace(region, area=round(region.area, 3)))


def background_is_half_a_thousandth_off(region: Region) -> Json:
    off = 0.0005 if region.name == BACKGROUND[0] else 0.0
    return write_anomaly(replace(region, area=abs(region.area - off)))


def areas_are_guesses(region: Region) -> Json:
    return write_anomaly(replace(region, area=0.25))


# What kind of PNG.


def _saved(
    image: Image.Image, level: int = 1, bits: int | None = None, clear: bytes | int | Colour | None = None
) -> bytes:
    file = io.BytesIO()
    options = {name: value for name, value in (("bits", bits), ("transparency", clear)) if value is not None}
    image.save(file, "PNG", compress_level=level, **options)
    return file.getvalue()


def _indexed(mask: Image.Image) -> Image.Image:
    """The same with a palette; a mask in other colours than the honest ones has at most as many."""
    labels = _labels(mask)
    labels.putpalette([level for colour in _COLOURS for level in colour])
    return labels


def mask_has_a_palette(mask: Image.Image) -> bytes:
    return _saved(_indexed(mask))


def mask_has_a_palette_of_two_bits(mask: Image.Image) -> bytes:
    return _saved(_indexed(mask), bits=2)


def mask_has_a_palette_with_clear_entries(mask: Image.Image) -> bytes:
    return _saved(_indexed(mask), clear=bytes([0, 128, 255]))


def mask_is_grey(mask: Image.Image) -> bytes:
    return _saved(mask.getchannel("R"))


def mask_is_grey_with_alpha(mask: Image.Image) -> bytes:
    return _saved(Image.merge("LA", (mask.getchannel("R"), Image.new("L", mask.size, 9))))


def mask_is_grey_of_one_bit(mask: Image.Image) -> bytes:
    return _saved(mask.getchannel("R").convert("1", dither=Image.Dither.NONE))


def mask_has_alpha(mask: Image.Image) -> bytes:
    layered = mask.convert("RGBA")
    layered.putalpha(255)
    return _saved(layered)


def mask_is_wholly_transparent(mask: Image.Image) -> bytes:
    layered = mask.convert("RGBA")
    layered.putalpha(0)
    return _saved(layered)


def mask_has_a_clear_colour(mask: Image.Image) -> bytes:
    return _saved(mask, clear=BACKGROUND[1])


def mask_is_not_compressed(mask: Image.Image) -> bytes:
    small = 3 * mask.width * mask.height <= _UNPACKED_BYTES
    return _saved(mask, level=0) if small else write_mask(mask)


def mask_has_sixteen_bits(mask: Image.Image) -> bytes:
    """Each sample twice, for 65535 is to 16 bits what 255 is to 8 (PNG, 13.12)."""
    pixels = mask.tobytes()
    deep = bytearray(2 * len(pixels))
    deep[0::2] = deep[1::2] = pixels
    stride = 6 * mask.width
    rows = (bytes(deep[start : start + stride]) for start in range(0, len(deep), stride))
    return _png(mask.size, rows, depth=16, kind=2)


def mask_is_interlaced(mask: Image.Image) -> bytes:
    labels = _labels(mask)
    pixels, width = labels.tobytes(), labels.width
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    passes = (row[x::dx] for x, y, dx, dy in _ADAM7 if x < width for row in rows[y::dy])
    palette = bytes(level for colour in _COLOURS for level in colour)
    return _png(mask.size, passes, depth=8, kind=3, interlace=1, before=[(b"PLTE", palette)])


def mask_has_many_chunks(mask: Image.Image) -> bytes:
    pixels, stride = mask.tobytes(), 3 * mask.width
    rows = (pixels[start : start + stride] for start in range(0, len(pixels), stride))
    before = [
        *((b"gAMA", struct.pack(">I", 45455)), (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)), (b"bKGD", bytes(6))),
        *((b"tIME", bytes([7, 233, 10, 31, 23, 59, 59])), (b"tEXt", b"Comment\0drawn by hand"), (b"maSk", b"?")),
    ]
    return _png(mask.size, rows, depth=8, kind=2, before=before, piece=997, after=[(b"tEXt", b"Title\0behind")])


Chunks = Sequence[tuple[bytes, bytes]]


def _png(
    size: tuple[int, int],
    rows: Iterable[bytes],
    *,
    depth: int,
    kind: int,
    interlace: int = 0,
    before: Chunks = (),
    after: Chunks = (),
    piece: int = 2**30,
) -> bytes:
    """A PNG file by hand: unfiltered rows, in IDAT chunks of ``piece`` bytes, an empty one at the end of them."""
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, interlace)
    idats = [(b"IDAT", data[start : start + piece]) for start in range(0, len(data) + 1, piece)]
    chunks = [(b"IHDR", header), *before, *idats, (b"IDAT", b""), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


_KINDS: tuple[tuple[str, str, Callable[[Image.Image], bytes]], ...] = (
    ("mask-has-a-palette", "palette files are as good as RGB.", mask_has_a_palette),
    ("mask-has-a-palette-of-two-bits", "palettes are as good as RGB, of any depth.", mask_has_a_palette_of_two_bits),
    ("mask-has-a-palette-with-clear-entries", "transparency is free.", mask_has_a_palette_with_clear_entries),
    ("mask-has-alpha", "RGBA files are as good as RGB.", mask_has_alpha),
    ("mask-is-wholly-transparent", "red, green and blue are compared, alpha is not.", mask_is_wholly_transparent),
    ("mask-has-a-clear-colour", "transparency is free, as a colour of an RGB file too.", mask_has_a_clear_colour),
    ("mask-is-not-compressed", "any sound PNG will do, up to 5242880 bytes.", mask_is_not_compressed),
    ("mask-has-sixteen-bits", "any sound PNG will do; a colour is the same in 16 bits.", mask_has_sixteen_bits),
    ("mask-is-interlaced", "any sound PNG will do.", mask_is_interlaced),
    ("mask-has-many-chunks", "ancillary chunks and many IDATs change no pixel.", mask_has_many_chunks),
)

_DETECTIONS: tuple[tuple[str, str, Detect], ...] = (
    (
        "types-without-pixels-are-listed",
        "A listed type may have the area 0 (dossier 7, 3), and anomalies.names allows a digit.",
        types_without_pixels_are_listed,
    ),
    (
        "names-are-as-long-as-they-may-be",
        "anomalies.names allows 1 to 256 characters.",
        names_are_as_long_as_they_may_be,
    ),
    (
        "names-differ-in-case-only",
        "anomalies.names asks for each once, and only anomalies.colours says: whatever the case.",
        names_differ_in_case_only,
    ),
    (
        "only-background-is-ever-found",
        "Anomalies need not have more than one entry, whatever the decision (dossier 7, 3).",
        only_background_is_ever_found,
    ),
    (
        "everything-is-a-defect",
        "anomalies.background asks that it be listed first, not that it have pixels.",
        everything_is_a_defect,
    ),
    ("a-hundred-types-are-found", "No document bounds the number of types.", a_hundred_types_are_found),
    (
        "defect-is-thrown-like-dice",
        "conduct.steady is OBSERVE, and determinism is not to be asserted (dossier 7, 2).",
        defect_is_thrown_like_dice,
    ),
    (
        "background-is-not-white",
        "anomalies.background: #FFFFFF is a SHOULD, and the mask keeps to what is listed.",
        _in_colours((0, 0, 0), (255, 255, 255), (255, 0, 0)),
    ),
    (
        "colours-are-nearly-the-same",
        "anomalies.colours asks that no two be the same, and one level apart they are not.",
        _in_colours((255, 255, 255), (255, 255, 254), (255, 254, 255)),
    ),
)

_WRITINGS: tuple[tuple[str, str, Callable[[Region], Json]], ...] = (
    ("hex-digits-are-small", "Hex case is free.", hex_digits_are_small),
    (
        "areas-are-rounded-to-three-places",
        "anomalies.area-sum and mask.areas are SHOULD, and every document leaves precision open.",
        areas_are_rounded_to_three_places,
    ),
    (
        "background-is-half-a-thousandth-off",
        "anomalies.area-sum and mask.areas are SHOULD, and forgive 0.001.",
        background_is_half_a_thousandth_off,
    ),
    ("areas-are-guesses", "anomalies.area-sum and mask.areas are SHOULD.", areas_are_guesses),
)

_IN_GREYS = _in_colours((255, 255, 255), (0, 0, 0), (128, 128, 128))

VARIANTS: tuple[Variant, ...] = (
    *(Variant(name, f"mask.png, mask.colours: {why}", replace(HONEST, mask=kind)) for name, why, kind in _KINDS),
    *(Variant(name, why, replace(HONEST, detect=detection)) for name, why, detection in _DETECTIONS),
    *(Variant(name, why, replace(HONEST, anomaly=writing)) for name, why, writing in _WRITINGS),
    Variant(
        "mask-file-is-grey",
        "mask.colours: grey files are as good as RGB, where all listed colours are greys.",
        replace(HONEST, detect=_IN_GREYS, mask=mask_is_grey),
    ),
    Variant(
        "mask-is-grey-with-alpha",
        "mask.colours: grey files are as good as RGB, and transparency is free.",
        replace(HONEST, detect=_IN_GREYS, mask=mask_is_grey_with_alpha),
    ),
    Variant(
        "mask-is-grey-of-one-bit",
        "mask.colours: grey files are as good as RGB, and one bit is enough for two types.",
        replace(HONEST, detect=one_type_for_all_in_black, mask=mask_is_grey_of_one_bit),
    ),
    Variant(
        "colours-of-absent-types-are-no-hex",
        "anomalies.colours: hex is a SHOULD, and the type has no pixel in the mask.",
        replace(HONEST, detect=types_without_pixels_are_listed, anomaly=colours_of_absent_types_are_no_hex),
    ),
)
