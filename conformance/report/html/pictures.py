"""The image that was sent, the mask that came back, and one laid over the other, painted anew by Pillow.

Only what the judge's own readers found sound is handed to Pillow, and only what Pillow painted goes into the page.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from conformance.contract.picture import look_at
from conformance.exchange import Exchange
from conformance.formats import http
from conformance.report.visible import visible

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 4_000_000
"""Larger pictures are not painted."""
FEW_PIXELS = 500_000
"""Of larger masks the colours are not counted."""
SIDE = 240
"""Pixels of the longer side, at most, of what is painted."""
HEAVY = 24_000
"""Bytes of a PNG above which a JPEG is made instead."""
WHITE = (255, 255, 255)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_TINT = (214, 0, 110)


@dataclass(frozen=True)
class Picture:
    """A picture of the page, or why there is none."""

    title: str
    note: str
    uri: str = ""
    width: int = 0
    height: int = 0


@dataclass
class Painter:
    """Paints the pictures of a page, each once, as long as they are not too many bytes."""

    letters_left: int
    _painted: dict[tuple[bytes, ...], str] = field(default_factory=dict)

    def paint(self, exchange: Exchange) -> list[Picture]:
        """What there is to be seen of an exchange: up to three pictures."""
        image, mask = self._image(exchange), self._mask(exchange)
        overlay = self._overlay(exchange, image, mask) if image and mask else None
        return [picture for picture in (image, mask, overlay) if picture]

    def _image(self, exchange: Exchange) -> Picture | None:
        payload = http.read(exchange.request).payload
        if not payload:
            return None
        found, title = look_at(payload), "Image sent"
        if not found.sound or not found.size:
            return Picture(title, "not shown: it is no sound PNG or baseline JPEG, as the case wants it")
        size = (found.size.width, found.size.height)
        return self._picture(title, f"{found.kind.upper()}, {_size(*size)}", size, payload)

    def _mask(self, exchange: Exchange) -> Picture | None:
        title = "Mask returned"
        if "AnomalyMask" not in exchange.result:
            return None
        if exchange.mask is None:
            return Picture(title, "not shown: it is no base64")
        file = exchange.mask_file
        if file is None:
            return Picture(title, "not shown: it is no PNG")
        if not file.sound:
            return Picture(title, f"not shown: {visible((*file.faults, 'it has too many pixels')[0], 200)}")
        raster = exchange.mask_raster if file.width * file.height <= FEW_PIXELS else None
        few = f", {_colours(len(raster.colours))}" if raster else ""
        return self._picture(title, _size(file.width, file.height) + few, (file.width, file.height), exchange.mask)

    def _overlay(self, exchange: Exchange, image: Picture, mask: Picture) -> Picture | None:
        if not (image.uri and mask.uri and exchange.mask):
            return None
        payload, background = http.read(exchange.request).payload, _background(exchange)
        key = (payload, exchange.mask, bytes(background))
        same = (image.width, image.height) == (mask.width, mask.height)
        note = "mask on image" if same else "their sizes differ: the mask starts at the upper left corner"
        if key not in self._painted:
            self._painted[key] = _encoded(_laid_over(_opened(payload), _opened(exchange.mask), background))
        canvas = (max(image.width, mask.width), max(image.height, mask.height))
        return self._within("Overlay", note, self._painted[key], canvas)

    def _picture(self, title: str, note: str, size: tuple[int, int], data: bytes) -> Picture:
        if size[0] * size[1] > MOST_PIXELS:
            return Picture(title, f"{note}; not shown: too many pixels for this page")
        if (data,) not in self._painted:
            try:
                self._painted[data,] = _encoded(_opened(data))
            except Exception as error:  # Pillow documents no closed set
                self._painted[data,] = ""
                return Picture(title, f"{note}; not shown: {type(error).__name__} while it was painted")
        return self._within(title, note, self._painted[data,], size)

    def _within(self, title: str, note: str, uri: str, size: tuple[int, int]) -> Picture:
        if not uri or len(uri) > self.letters_left:
            return Picture(title, f"{note}; not shown: this page holds enough pictures")
        self.letters_left -= len(uri)
        return Picture(title, note, uri, *size)


def _size(width: int, height: int) -> str:
    return f"{width}x{height} pixels"


def _colours(number: int) -> str:
    return f"{number} colour{'' if number == 1 else 's'}"


def _background(exchange: Exchange) -> tuple[int, int, int]:
    """The colour that the answer gives to what is no anomaly; white where it names none."""
    for entry in exchange.anomalies:
        area: Any = entry.get("PixelAnomaly")
        colour = area.get("Color") if isinstance(area, dict) and entry.get("Name") == "background" else None
        if isinstance(colour, str) and _COLOUR.fullmatch(colour):
            red, green, blue = bytes.fromhex(colour[1:])
            return red, green, blue
    return WHITE


def _opened(data: bytes) -> Image:
    """The pixels of a sound file that is not too large, in RGB, without whatever else is in it."""
    from PIL import Image

    with Image.open(BytesIO(data), formats=["PNG", "JPEG"]) as file:
        file.load()
        file.info.clear()
        if file.mode.startswith("I"):  # 16 bits: the high bytes
            return Image.frombytes("L", file.size, file.convert("I;16").tobytes()[1::2]).convert("RGB")
        return file.convert("RGB")


def _laid_over(image: Image, mask: Image, background: tuple[int, int, int]) -> Image:
    """The image in grey, what the mask marks in its own colours on it; what lies outside of the image is dark.

    Where they differ in size the mask is framed.
    """
    from PIL import Image, ImageChops, ImageDraw

    canvas = Image.new("RGB", (max(image.width, mask.width), max(image.height, mask.height)), (90, 90, 96))
    canvas.paste(image.convert("L").convert("RGB"))
    bands = ImageChops.difference(mask, Image.new("RGB", mask.size, background)).split()
    marked = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2]).point([0, *[215] * 255])
    canvas.paste(mask, (0, 0), marked)
    if image.size != mask.size:
        ImageDraw.Draw(canvas).rectangle((0, 0, mask.width - 1, mask.height - 1), outline=_TINT)
    return canvas


def _encoded(picture: Image) -> str:
    """The picture as a data URI: at most ``SIDE`` pixels a side, and not heavy."""
    from PIL.Image import Resampling

    if max(picture.size) > SIDE:
        few = picture.getcolors(64) is not None
        share = SIDE / max(picture.size)
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        picture = picture.resize(size, Resampling.NEAREST if few else Resampling.BOX)
    file = BytesIO()
    picture.save(file, "PNG")
    kind = "png"
    if file.tell() > HEAVY:
        file, kind = BytesIO(), "jpeg"
        picture.save(file, "JPEG", quality=80)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
