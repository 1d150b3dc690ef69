"""Anomalies and mask: what they say of each other, of the model, and of the image that was sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from conformance.contract.schema import shown
from conformance.exchange import Exchange
from conformance.formats import raster
from conformance.rule import Finding, rule
from conformance.rules.selectors import returned_a_result

MASK_BYTES = 5_242_880
TOLERANCE = 0.001 + 1e-9
"""How far areas may be off (`anomalies.area-sum`, `mask.areas`), and a little for the arithmetic."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_MEMBERS = ("Anomalies", "AnomalyMask")


@rule("anomalies.kind", when=returned_a_result)
def the_members_are_those_of_the_model(exchange: Exchange) -> Iterator[Finding]:
    found = [member for member in _MEMBERS if member in exchange.result]
    actual = " and ".join(found) or "neither"
    if exchange.reading.scene == "classification":
        if found:
            yield Finding("DetectAnomalyResult", "neither Anomalies nor AnomalyMask (a classification model)", actual)
    elif exchange.reading.scene == "segmentation":
        if len(found) < len(_MEMBERS):
            yield Finding("DetectAnomalyResult", "Anomalies and AnomalyMask (a segmentation model)", actual)
    elif len(found) == 1:
        yield Finding("DetectAnomalyResult", "both Anomalies and AnomalyMask or neither", actual)


def listed_anomalies(exchange: Exchange) -> bool:
    return returned_a_result(exchange) and bool(exchange.anomalies)


@rule("anomalies.background-colour", when=listed_anomalies)
def the_background_is_white(exchange: Exchange) -> Iterator[Finding]:
    colour = _colour(exchange.anomalies[0])
    if colour is None or colour.upper() != "#FFFFFF":
        yield Finding("Anomalies[0].PixelAnomaly.Color", "#FFFFFF", shown(colour))


@rule("anomalies.names", when=listed_anomalies)
def no_name_is_listed_twice(exchange: Exchange) -> Iterator[Finding]:
    for name, times in Counter(_texts(entry.get("Name") for entry in exchange.anomalies)).items():
        if times > 1:
            yield Finding("Anomalies", "each name once", f"{shown(name)} {times} times")


@rule("anomalies.colours", when=listed_anomalies)
def no_colour_is_listed_twice(exchange: Exchange) -> Iterator[Finding]:
    colours = (colour.upper() for colour in _texts(map(_colour, exchange.anomalies)))
    for colour, times in Counter(colours).items():
        if times > 1:
            yield Finding("Anomalies", "each colour once", f"{shown(colour)} {times} times")


@rule("anomalies.colours-hex", when=listed_anomalies)
def colours_are_hexadecimal(exchange: Exchange) -> Iterator[Finding]:
    for index, entry in enumerate(exchange.anomalies):
        colour = _colour(entry)
        if colour is not None and not _HEX.fullmatch(colour):
            yield Finding(f"Anomalies[{index}].PixelAnomaly.Color", "six hexadecimal digits", shown(colour))


def _gave_every_area(exchange: Exchange) -> bool:
    return listed_anomalies(exchange) and all(_area(entry) is not None for entry in exchange.anomalies)


@rule("anomalies.area-sum", when=_gave_every_area)
def the_areas_add_up_to_one(exchange: Exchange) -> Iterator[Finding]:
    total = sum(_area(entry) or 0.0 for entry in exchange.anomalies)
    if not abs(total - 1) <= TOLERANCE:
        yield Finding("Anomalies", "areas that add up to 1", f"{total:.6g}")


def returned_a_mask(exchange: Exchange) -> bool:
    return returned_a_result(exchange) and isinstance(exchange.result.get("AnomalyMask"), str)


def returned_bytes_as_mask(exchange: Exchange) -> bool:
    return returned_a_mask(exchange) and exchange.mask is not None


@rule("mask.length", when=returned_bytes_as_mask)
def the_mask_has_a_lawful_length(exchange: Exchange) -> Iterator[Finding]:
    length = len(exchange.mask or b"")
    if not 1 <= length <= MASK_BYTES:
        yield Finding("AnomalyMask", f"1 to {MASK_BYTES} bytes", f"{length} bytes")


@rule("mask.png", when=returned_bytes_as_mask)
def the_mask_is_a_sound_png(exchange: Exchange) -> Iterator[Finding]:
    file = exchange.mask_file
    if file is None:
        yield Finding("AnomalyMask", "a PNG file", f"bytes that begin {shown((exchange.mask or b'')[:8])}")
        return
    for fault in file.faults:
        yield Finding("AnomalyMask", "a sound PNG file", fault)
    if not file.faults and not file.too_big and exchange.mask_raster is None:
        yield Finding("AnomalyMask", "a PNG file that can be painted", "one that cannot")


def returned_a_png_as_mask(exchange: Exchange) -> bool:
    return returned_a_mask(exchange) and exchange.mask_file is not None


def _sent_a_sound_image(exchange: Exchange) -> bool:
    return exchange.reading.picture is not None and exchange.reading.picture.sound


@rule("mask.size", when=lambda exchange: returned_a_png_as_mask(exchange) and _sent_a_sound_image(exchange))
def the_mask_is_as_large_as_the_image(exchange: Exchange) -> Iterator[Finding]:
    image, file = exchange.reading.picture, exchange.mask_file
    if image and file and image.size and (file.width, file.height) != (image.size.width, image.size.height):
        yield Finding("AnomalyMask", f"{image.size} pixels, as the image", f"{file.width}x{file.height}")


def _returned_pixels(exchange: Exchange) -> bool:
    return returned_a_mask(exchange) and listed_anomalies(exchange) and exchange.mask_raster is not None


def _returned_colours_for_pixels(exchange: Exchange) -> bool:
    """Every listed colour is one that a pixel can have."""
    return all(_HEX.fullmatch(_colour(entry) or "") for entry in exchange.anomalies)


def _returned_judgeable_pixels(exchange: Exchange) -> bool:
    """A pixel of no listed colour may be of a type whose colour is lawful, yet none that a pixel can have."""
    return _returned_pixels(exchange) and (_returned_colours_for_pixels(exchange) or not _strays(exchange))


def _strays(exchange: Exchange) -> list[raster.Colour]:
    colours = (_colour(entry) or "" for entry in exchange.anomalies)
    listed = {_rgb(colour) for colour in colours if _HEX.fullmatch(colour)}
    return sorted(set(exchange.mask_raster.colours) - listed) if exchange.mask_raster else []


@rule("mask.colours", when=_returned_judgeable_pixels)
def every_pixel_has_a_listed_colour(exchange: Exchange) -> Iterator[Finding]:
    painted, strays = exchange.mask_raster, _strays(exchange)
    if painted and strays:
        count = sum(painted.colours[stray] for stray in strays)
        at = raster.first_pixel_of(exchange.mask or b"", strays[0])
        first = "#{:02X}{:02X}{:02X}".format(*strays[0])
        total = f"{count} such pixels in all" if painted.whole else f"{count} such pixels and more"
        yield Finding(f"AnomalyMask, pixel {at}", "the colour of a listed type", f"{first}; {total}")


def _returned_areas_of_pixels(exchange: Exchange) -> bool:
    painted = exchange.mask_raster if _returned_pixels(exchange) else None
    known = painted is not None and painted.whole and _returned_colours_for_pixels(exchange)
    return known and _gave_every_area(exchange)


@rule("mask.areas", when=_returned_areas_of_pixels)
def every_area_is_its_share_of_the_pixels(exchange: Exchange) -> Iterator[Finding]:
    painted = exchange.mask_raster
    if not painted:
        return
    for index, entry in enumerate(exchange.anomalies):
        share = painted.colours.get(_rgb(_colour(entry) or ""), 0) / (painted.width * painted.height)
        area = _area(entry) or 0.0
        if not abs(share - area) <= TOLERANCE:
            where = f"Anomalies[{index}].PixelAnomaly.TotalPercentageArea"
            yield Finding(where, f"{share:.6g}, its share of the mask", f"{area:.6g}")


def _pixel_anomaly(entry: Any) -> Any:
    found = entry.get("PixelAnomaly")
    return found if isinstance(found, dict) else {}


def _colour(entry: Any) -> str | None:
    colour = _pixel_anomaly(entry).get("Color")
    return colour if isinstance(colour, str) else None


def _area(entry: Any) -> float | None:
    area = _pixel_anomaly(entry).get("TotalPercentageArea")
    return float(area) if isinstance(area, int | float) and not isinstance(area, bool) else None


def _texts(values: Any) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


RULES = (
    the_members_are_those_of_the_model,
    the_background_is_white,
    no_name_is_listed_twice,
    no_colour_is_listed_twice,
    colours_are_hexadecimal,
    the_areas_add_up_to_one,
    the_mask_has_a_lawful_length,
    the_mask_is_a_sound_png,
    the_mask_is_as_large_as_the_image,
    every_pixel_has_a_listed_colour,
    every_area_is_its_share_of_the_pixels,
)
