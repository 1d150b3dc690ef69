"""Pictures from a seed, with and without defects, and the exact truth about each defect.

``cookies`` is one scene, always seen from the same place: a round cookie on a belt. ``circuits`` is a texture
without a place of its own: the weave of traces and pads on a circuit board, from wherever it is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from conformance.reference.vision.arrays import Flags

COOKIES_SIZE = (160, 128)  # width, height
CIRCUITS_SIZE = (192, 192)

_FINER = 2  # times: what is drawn is drawn larger, then reduced, so that edges are soft
_PITCH = 16  # pixels from trace to trace

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture (RGB) and where its defect is (the picture's size, mode L, 0 or 255); ``kind`` is "" for none."""

    picture: Image.Image
    truth: Image.Image
    kind: str


def cookie(seed: int, kind: str = "", size: tuple[int, int] = COOKIES_SIZE) -> Scene:
    """A cookie on a belt; ``kind`` is one of ``COOKIE_DEFECTS``. Raises KeyError for any other."""
    rng = np.random.default_rng([seed, 1])
    sheet = _belt(size, rng)
    centre, radius = _draw_cookie(sheet, rng)
    truth = Image.new("L", sheet.size)
    if kind:
        COOKIE_DEFECTS[kind](sheet, truth, rng, centre, radius)
    return _photographed(sheet, truth, size, kind, rng)


def circuit(seed: int, kind: str = "", size: tuple[int, int] = CIRCUITS_SIZE) -> Scene:
    """A cut from a circuit board; ``kind`` is one of ``CIRCUIT_DEFECTS``. Raises KeyError for any other."""
    rng = np.random.default_rng([seed, 2])
    sheet = _board(size, rng)
    truth = Image.new("L", sheet.size)
    if kind:
        CIRCUIT_DEFECTS[kind](sheet, truth, rng)
    return _photographed(sheet, truth, size, kind, rng)


def _photographed(sheet: Image.Image, truth: Image.Image, size: tuple[int, int], kind: str, rng: Rng) -> Scene:
    """What a camera makes of it: softer, a little brighter or darker, and with noise."""
    small = np.asarray(sheet.reduce(_FINER), dtype=np.float32)
    light = rng.uniform(0.94, 1.06)
    noisy = small * light + rng.normal(0, 3.0, small.shape)
    picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    exact = truth.reduce(_FINER).point([255 if level >= 128 else 0 for level in range(256)])
    return Scene(picture.crop((0, 0, *size)), exact.crop((0, 0, *size)), kind)


# The cookie.

Centre = tuple[float, float]


def _belt(size: tuple[int, int], rng: Rng) -> Image.Image:
    width, height = (_FINER * side for side in size)
    grain = rng.normal(0, 5, (height // 2, width // 2)).astype(np.float32)
    rough = np.asarray(Image.fromarray(grain).resize((width, height)))
    ribs = 5 * np.sin(np.arange(width) * (2 * np.pi / 32)).astype(np.float32)
    grey = rough + ribs + 70
    return Image.fromarray(np.clip(np.stack([grey, grey + 4, grey + 8], -1), 0, 255).astype(np.uint8))


def _draw_cookie(sheet: Image.Image, rng: Rng) -> tuple[Centre, float]:
    draw = ImageDraw.Draw(sheet)
    centre = (sheet.width / 2 + rng.uniform(-3, 3), sheet.height / 2 + rng.uniform(-3, 3))
    radius = min(sheet.size) * 0.38
    draw.polygon(_round(centre, radius + 3, rng), fill=(150, 98, 50))
    draw.polygon(_round(centre, radius - 2, rng), fill=(205, 152, 90))
    for _ in range(60):  # crumbs in the dough
        draw.ellipse(_box(_within(centre, radius * 0.9, rng), rng.uniform(1, 3)), fill=(190, 136, 76))
    for place in _spread(centre, radius * 0.72, 9, rng):
        draw.ellipse(_box(place, rng.uniform(7, 9)), fill=(70, 42, 26))
    return centre, radius


def _bite(sheet: Image.Image, truth: Image.Image, rng: Rng, centre: Centre, radius: float) -> None:
    angle = rng.uniform(0, 2 * np.pi)
    place = (centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle))
    hole = Image.new("L", sheet.size)
    ImageDraw.Draw(hole).ellipse(_box(place, radius * rng.uniform(0.28, 0.45)), fill=255)
    whole = Image.new("L", sheet.size)
    ImageDraw.Draw(whole).ellipse(_box(centre, radius), fill=255)
    gone = Image.fromarray(np.minimum(np.asarray(hole), np.asarray(whole)))
    size = (sheet.width // _FINER, sheet.height // _FINER)
    sheet.paste(_belt(size, rng).crop((0, 0, *sheet.size)), (0, 0), hole)
    truth.paste(gone)


def _crack(sheet: Image.Image, truth: Image.Image, rng: Rng, centre: Centre, radius: float) -> None:
    angle = rng.uniform(0, np.pi)
    reach = np.linspace(-0.85, 0.85, 9) * radius
    aside = np.cumsum(rng.uniform(-6, 6, 9))
    line = [
        (
            centre[0] + along * np.cos(angle) - across * np.sin(angle),
            centre[1] + along * np.sin(angle) + across * np.cos(angle),
        )
        for along, across in zip(reach, aside, strict=True)
    ]
    _stroke(sheet, truth, line, (60, 44, 34), int(rng.integers(6, 9)))


def _stain(sheet: Image.Image, truth: Image.Image, rng: Rng, centre: Centre, radius: float) -> None:
    _blot(sheet, truth, _within(centre, radius * 0.7, rng), radius * rng.uniform(0.2, 0.32), (96, 112, 60), rng)


CookieDefect = Callable[[Image.Image, Image.Image, Rng, Centre, float], None]
COOKIE_DEFECTS: dict[str, CookieDefect] = {"bite": _bite, "crack": _crack, "stain": _stain}


# The circuit board.


def _board(size: tuple[int, int], rng: Rng) -> Image.Image:
    width, height = (_FINER * side for side in size)
    sheet = Image.new("RGB", (width, height), (26, 84, 52))
    draw = ImageDraw.Draw(sheet)
    pitch = _FINER * _PITCH
    left, top = rng.uniform(0, pitch, 2)
    for x in np.arange(left - pitch, width + pitch, pitch):
        draw.line([(x, 0), (x, height)], fill=(60, 128, 82), width=8)
    for x in np.arange(left - pitch, width + pitch, pitch):
        for y in np.arange(top - pitch, height + pitch, pitch):
            _pad(draw, (x, y), rng)
    return sheet.filter(ImageFilter.BoxBlur(1))


def _pad(draw: ImageDraw.ImageDraw, place: Centre, rng: Rng) -> None:
    x, y = place[0] + rng.uniform(-0.6, 0.6), place[1] + rng.uniform(-0.6, 0.6)
    draw.ellipse(_box((x, y), 8 + rng.uniform(-0.4, 0.4)), fill=(196, 170, 96))
    draw.ellipse(_box((x, y), 3), fill=(30, 30, 28))


def _scratch(sheet: Image.Image, truth: Image.Image, rng: Rng) -> None:
    x, y, angle = rng.uniform(0.25, 0.75) * sheet.width, rng.uniform(0.25, 0.75) * sheet.height, rng.uniform(0, np.pi)
    half = rng.uniform(0.12, 0.22) * min(sheet.size)
    line = [
        (x + step * half * np.cos(angle) + rng.uniform(-4, 4), y + step * half * np.sin(angle) + rng.uniform(-4, 4))
        for step in (-1.0, -0.4, 0.3, 1.0)
    ]
    _stroke(sheet, truth, line, (206, 214, 208), int(rng.integers(4, 7)))


def _spill(sheet: Image.Image, truth: Image.Image, rng: Rng) -> None:
    place = (rng.uniform(0.2, 0.8) * sheet.width, rng.uniform(0.2, 0.8) * sheet.height)
    _blot(sheet, truth, place, rng.uniform(16, 34), (92, 62, 40), rng)


def _hole(sheet: Image.Image, truth: Image.Image, rng: Rng) -> None:
    place = (rng.uniform(0.15, 0.85) * sheet.width, rng.uniform(0.15, 0.85) * sheet.height)
    outline = _round(place, rng.uniform(14, 22), rng)
    ImageDraw.Draw(sheet).polygon(outline, fill=(12, 10, 10))
    ImageDraw.Draw(truth).polygon(outline, fill=255)


CircuitDefect = Callable[[Image.Image, Image.Image, Rng], None]
CIRCUIT_DEFECTS: dict[str, CircuitDefect] = {"scratch": _scratch, "stain": _spill, "hole": _hole}


# What both draw with.


def _stroke(
    sheet: Image.Image, truth: Image.Image, line: list[Centre], colour: tuple[int, int, int], width: int
) -> None:
    for canvas, fill in ((sheet, colour), (truth, 255)):
        ImageDraw.Draw(canvas).line(line, fill=fill, width=width, joint="curve")


def _blot(
    sheet: Image.Image,
    truth: Image.Image,
    place: Centre,
    radius: float,
    colour: tuple[int, int, int],
    rng: Rng,
) -> None:
    """A stain: what is below shines through, most at the rim."""
    shape = Image.new("L", sheet.size)
    ImageDraw.Draw(shape).polygon(_round(place, radius, rng), fill=255)
    truth.paste(shape, (0, 0), shape)
    sheet.paste(Image.new("RGB", sheet.size, colour), (0, 0), shape.filter(ImageFilter.BoxBlur(2)).point(_see_through))


def _see_through(level: int) -> float:
    return level * 0.7


def _round(centre: Centre, radius: float, rng: Rng) -> list[Centre]:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = np.full(len(angles), radius)
    for wave in (2, 3, 5):
        reach += radius * rng.uniform(-0.02, 0.02) * np.sin(wave * angles + rng.uniform(0, 2 * np.pi))
    return list(zip(centre[0] + reach * np.cos(angles), centre[1] + reach * np.sin(angles), strict=True))


def _box(centre: Centre, radius: float) -> tuple[float, float, float, float]:
    return centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius


def _within(centre: Centre, radius: float, rng: Rng) -> Centre:
    angle, reach = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
    return centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)


def _spread(centre: Centre, radius: float, number: int, rng: Rng) -> list[Centre]:
    """Places that keep off each other: on a sunflower, turned at random."""
    turn = rng.uniform(0, 2 * np.pi)
    order = np.arange(number)
    reach, angles = radius * np.sqrt((order + 0.5) / number), order * 2.39996 + turn
    return list(zip(centre[0] + reach * np.cos(angles), centre[1] + reach * np.sin(angles), strict=True))


def truth_of(scene: Scene) -> Flags:
    """Where the defect is, (rows, columns)."""
    return np.asarray(scene.truth) > 0
