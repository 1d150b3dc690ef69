"""Exploration: requests drawn from the whole space, as many as are asked for, the same for the same seed.

Hypothesis takes about a millisecond for a value, so it fills pools of parts, and requests are combined of these: an
ordinary request in which one part is replaced, seldom more. A server that refuses such a request has one reason to,
and one that does not has no excuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

from hypothesis.strategies import SearchStrategy, just

from conformance.cases import images, strategies
from conformance.cases.corpus import encoded
from conformance.cases.requests import Subject
from conformance.cases.strategies import Dress, drawn, escaped
from conformance.contract.document import document
from conformance.contract.picture import look_at
from conformance.contract.reading import IMAGE_BYTES, IMAGE_SIDES, Reading, read
from conformance.exchange import Case
from conformance.formats import jpeg, png
from conformance.message import Delivery, Request
from conformance.target import RUNNING, Limits, Scene, Size, Target

RENEWAL = 8000
"""Requests that are combined of one set of pools."""
VALUES = 120
"""Values in each pool of small parts."""
METHODS, LAWFUL_DRESSES, SPELLINGS = 40, 50, 240
SOUND, DAMAGED, OTHERS = 30, 80, 40
"""Bodies in each pool, for images of the usual size; fewer where images are large or scenes differ in size."""
SEQUENCE_LENGTHS = (2, 5)
SEQUENCE_LOOKS = 2
"""Looks that a sequence may take: the witness at its end, and at most one before it."""
HEAVIEST = 10_000_000
"""A declared limit above this is not tried again and again."""
USUAL_PIXELS = 40_000
"""Scenes whose images are larger get fewer of them, in proportion."""
SMALL_FILES = 10
"""The sound files that are wrapped into something else."""

ORDINARY = Dress()
_STARTS = {png.SIGNATURE[:1]: images.PNG.encode(), jpeg.START[:1]: images.JPEG.encode()}
_GOOD = 0.18
_ONE_FAULT, _TWO_FAULTS = 0.7, 0.85
_AIMED_AT_RUNNING = 0.85
_REDRAWS = 4
_WEIGHTED = (
    "project project project version version version path path path method "
    "content_types content_types content_types body body body body dress dress"
).split()
_PROJECT, _VERSION = (segment.encode() for segment in document().path if segment.startswith("{"))


@dataclass(frozen=True)
class Parts:
    """A request in the parts that are replaced one by one."""

    host: bytes
    scene: Scene
    project: bytes
    version: bytes
    body: bytes
    content_types: tuple[bytes, ...]
    path: bytes = ("/" + "/".join(document().path)).encode()
    """With the labels and the host standing as in the document."""
    method: bytes = document().method.encode()
    dress: Dress = ORDINARY

    def request(self) -> Request:
        target = self.path.replace(_PROJECT, self.project).replace(_VERSION, self.version)
        return self.dress.request(
            self.method, target.replace(b"{host}", self.host), self.host, self.content_types, self.body
        )


@dataclass(frozen=True)
class Bodies:
    """What is sent to scenes that take images of one size, or of any."""

    plain: tuple[bytes, ...]
    """Of the sorts that every implementation must take, and as large as it must."""
    sound: tuple[bytes, ...]
    """The plain ones too."""
    damaged: tuple[bytes, ...]
    others: tuple[bytes, ...]
    beyond: tuple[bytes, ...]
    """Sound but for being past a limit that is declared or published."""

    @cached_property
    def _plain_jpegs(self) -> tuple[bytes, ...]:
        return tuple(body for body in self.plain if body.startswith(jpeg.START)) or self.plain

    @cached_property
    def _plain_pngs(self) -> tuple[bytes, ...]:
        return tuple(body for body in self.plain if body.startswith(png.SIGNATURE)) or self.plain

    def plain_of(self, is_jpeg: bool) -> tuple[bytes, ...]:
        return self._plain_jpegs if is_jpeg else self._plain_pngs

    def faulty(self, chance: Random) -> bytes:
        """Any but those that must be taken."""
        which = chance.random()
        if which < 0.08:
            return b""
        if which < 0.1 and self.beyond:
            return chance.choice(self.beyond)
        return chance.choice(self.damaged if which < 0.65 else self.others)


@dataclass(frozen=True)
class Pools:
    """The parts that requests are combined of."""

    parts: Mapping[str, tuple[Any, ...]]
    """By the name of a part: mostly faulty values."""
    lawful: tuple[Dress, ...]
    bodies: Mapping[Size | None, Bodies]
    faults: set[tuple[str, Any]] = field(default_factory=set)
    """Parts and values of which it is known by now that they break something, whatever the rest."""

    @cached_property
    def visible(self) -> frozenset[bytes]:
        """The bodies that a model can look at."""
        return frozenset(body for pool in self.bodies.values() for body in (*pool.sound, *pool.beyond))

    def replacement(self, part: str, bodies: Bodies, chance: Random) -> Any:
        return bodies.faulty(chance) if part == "body" else chance.choice(self.parts[part])


@dataclass(frozen=True)
class Exploration:
    """So many requests to a target, none of them planned; the same target, seed and counts give the same bytes.

    ``requests`` bounds singles and sequences together, ``looks`` the requests among them that make a running model look
    at a sound image. Nothing is kept but the pools of the moment, whatever the counts.
    """

    target: Target
    host: bytes
    seed: str
    requests: int
    looks: int
    salt: str = ""
    """What makes the images others than those of the same seed without it."""
    _kept: dict[int, Pools] = field(default_factory=dict, repr=False, compare=False)
    """The pools of the moment, by their number."""

    def singles(self) -> Iterator[Case]:
        """Requests to be sent one by one."""
        if not self.target.scenes:
            return
        chance = self._chance("singles")
        total, looks, spent = self._single_count, self.looks - SEQUENCE_LOOKS * len(self._lengths), 0
        for number, pools in zip(range(1, total + 1), self._renewed(0), strict=False):
            may_look = spent < looks * number // total
            parts, request, looked = self._one(pools, chance, may_look)
            spent += looked
            yield Case(f"explored.{number}", request, parts.dress.delivery)

    def sequences(self) -> Iterator[tuple[Case, ...]]:
        """Two to five requests for one connection each, of which the last is a witness."""
        witnesses = [request for subject in self._subjects for request in subject.witnesses()]
        chance = self._chance("sequences")
        fresh = self._renewed(max(0, self._single_count - 1) // RENEWAL)  # the last ones of the singles serve on
        for number, length in enumerate(self._lengths, self._single_count + 1):
            cases, looked = [], False
            for place in range(1, length):
                parts, request, looks = self._one(next(fresh), chance, not looked and chance.random() < 0.3)
                looked = looked or looks
                delivery = Delivery.ABORT if chance.random() < 0.04 else parts.dress.delivery
                cases.append(Case(f"explored.{number}-{place}", request, delivery))
            yield (*cases, Case(f"explored.{number}-{length}", chance.choice(witnesses)))

    @cached_property
    def _subjects(self) -> list[Subject]:
        return [Subject(scene, self.host, salt=self.salt) for scene in self.target.running()]

    @cached_property
    def _resting(self) -> list[Scene]:
        return [scene for name, scene in self.target.scenes.items() if name not in RUNNING]

    @cached_property
    def _lengths(self) -> list[int]:
        """How long each sequence is; a tenth of the requests and at most half of the looks go into them."""
        chance = self._chance("lengths")
        lengths: list[int] = []
        room = self.requests // 10
        most = self.looks // (2 * SEQUENCE_LOOKS) if self._subjects else 0
        while len(lengths) < most and (length := chance.randint(*SEQUENCE_LENGTHS)) <= room:
            lengths.append(length)
            room -= length
        return lengths

    @cached_property
    def _single_count(self) -> int:
        return self.requests - sum(self._lengths)

    def _chance(self, purpose: str) -> Random:
        return Random(f"{self.seed} {purpose}")  # noqa: S311 (the same numbers in every run are the point)

    def _renewed(self, first: int) -> Iterator[Pools]:
        """The pools for one request after the other, from the set of that number on."""
        for number in count(first):
            if number not in self._kept:
                self._kept.clear()
                self._kept[number] = _pools(self.target, self.host, f"{self.seed} {number}", self.salt)
            for _ in range(RENEWAL):
                yield self._kept[number]

    def _one(self, pools: Pools, chance: Random, may_look: bool) -> tuple[Parts, Request, bool]:
        """A request, and whether it makes a model look; none does that may not."""
        for _ in range(_REDRAWS):
            parts, replaced = self._drawn(pools, chance, may_look)
            request = parts.request()
            looked = parts.body in pools.visible and self._makes_a_model_look(request, parts.scene, replaced, pools)
            if may_look or not looked:
                return parts, request, looked
        parts = replace(parts, body=chance.choice(pools.bodies[_size_for(self.target, parts.scene)].damaged))
        return parts, parts.request(), False

    def _drawn(self, pools: Pools, chance: Random, may_look: bool) -> tuple[Parts, dict[str, Any]]:
        """A request in parts, and those of them that replace the ordinary ones."""
        scene = self._scene(chance)
        bodies = pools.bodies[_size_for(self.target, scene)]
        if may_look and chance.random() < _GOOD:
            return _in_odd_dress(_ordinary(self.host, scene, chance.choice(bodies.sound)), pools, chance), {}
        ordinary = _ordinary(self.host, scene, chance.choice(bodies.plain))
        replaced = {part: pools.replacement(part, bodies, chance) for part in _replaced(chance)}
        return _in_accord(ordinary, replaced, bodies, chance), replaced

    def _makes_a_model_look(self, request: Request, scene: Scene, replaced: Mapping[str, Any], pools: Pools) -> bool:
        """As ``Plan.looks`` has it. Reading takes longest, so what one part breaks alone, anywhere, is read once."""
        if not replaced:
            return scene.name in RUNNING
        alone = next(iter(replaced.items())) if len(replaced) == 1 else None
        if alone in pools.faults:
            return False
        reading = read(request, self.target)
        if alone and reading.breaks:
            pools.faults.add(alone)
        picture = reading.picture
        return not reading.breaks and reading.scene in RUNNING and bool(picture and picture.sound)

    def _scene(self, chance: Random) -> Scene:
        if self._subjects and (not self._resting or chance.random() < _AIMED_AT_RUNNING):
            return chance.choice(self._subjects).scene
        return chance.choice(self._resting)


def _ordinary(host: bytes, scene: Scene, body: bytes) -> Parts:
    media_type = images.media_type_of(body).encode()
    return Parts(host, scene, _written(scene.project), _written(scene.version), body, (media_type,))


@lru_cache(maxsize=64)
def _written(label: str) -> bytes:
    return encoded(label).encode()


def _in_odd_dress(parts: Parts, pools: Pools, chance: Random) -> Parts:
    """The same request for whoever reads it right."""
    if chance.random() < 0.5:
        bits = chance.getrandbits(32)
        parts = replace(
            parts, project=escaped(parts.scene.project, bits), version=escaped(parts.scene.version, bits >> 7)
        )
    return replace(parts, dress=chance.choice(pools.lawful))


def _in_accord(parts: Parts, replaced: Mapping[str, Any], bodies: Bodies, chance: Random) -> Parts:
    """Put the parts in; keep media type and body in accord, unless their discord is the fault."""
    parts = replace(parts, **replaced)
    if "content_types" in replaced:
        value = b", ".join(parts.content_types)
        is_jpeg = b"jp" in value.lower()
        listed = value.decode("latin-1") in document().media_types
        return parts if "body" in replaced else replace(parts, body=chance.choice(bodies.plain_of(is_jpeg != listed)))
    if "body" in replaced:
        kind = next((kind for start, kind in _STARTS.items() if parts.body.startswith(start)), None)
        return replace(parts, content_types=(kind,)) if kind else parts
    return parts


def _replaced(chance: Random) -> tuple[str, ...]:
    """Which parts of a request are replaced: mostly one, so that the answer can have one reason only."""
    which = chance.random()
    number = 1 if which < _ONE_FAULT else 2 if which < _TWO_FAULTS else chance.randint(1, len(set(_WEIGHTED)))
    chosen: dict[str, None] = {}
    while len(chosen) < number:
        chosen[chance.choice(_WEIGHTED)] = None
    return tuple(chosen)


def _size_for(target: Target, scene: Scene) -> Size | None:
    """The size of the images for a scene; for one that declares none beside a model that does, the model's."""
    if scene.image or scene.name in RUNNING:
        return scene.image
    return next((running.image for running in target.running()), None)


def _pools(target: Target, host: bytes, seed: str, salt: str) -> Pools:
    """Draw new pools."""
    scenes = target.scenes.values()
    labels = tuple(sorted({scene.project for scene in scenes})), tuple(sorted({scene.version for scene in scenes}))
    sizes = {"method": METHODS, "lawful": LAWFUL_DRESSES, "path": SPELLINGS, "content_types": SPELLINGS}
    parts = {name: drawn(each, sizes.get(name, VALUES), _number(seed, name)) for name, each in _small_parts(*labels)}
    by_size: dict[Size | None, Scene] = {}
    for scene in (*target.running(), *scenes):
        by_size.setdefault(_size_for(target, scene), scene)
    bodies = {
        size: _bodies(target, Subject(replace(scene, image=size), host, salt=salt), f"{seed} {size}", len(by_size))
        for size, scene in by_size.items()
    }
    dresses = parts.pop("lawful")
    ordinary = _ordinary(host, next(iter(by_size.values())), next(iter(bodies.values())).plain[0])
    lawful = tuple(dress for dress in dresses if _is_lawful(read(replace(ordinary, dress=dress).request(), target)))
    return Pools(parts, lawful or (Dress(),), bodies)


# Hypothesis keeps a thousand strategies: were they made anew for each set of pools, memory would grow for long
@lru_cache(maxsize=4)
def _small_parts(projects: tuple[str, ...], versions: tuple[str, ...]) -> tuple[tuple[str, SearchStrategy[Any]], ...]:
    contract = document()
    return (
        ("project", strategies.segments(strategies.names(contract.project, projects))),
        ("version", strategies.segments(strategies.names(contract.version, versions))),
        ("path", strategies.paths(contract.path)),
        ("method", strategies.methods(contract.method)),
        ("content_types", strategies.content_types(contract.content_type)),
        ("dress", strategies.odd_dresses()),
        ("lawful", strategies.lawful_dresses()),
    )


@lru_cache(maxsize=8)
def _sound_images(size: Size | None, low: int, high: int, salt: str) -> SearchStrategy[bytes]:
    return strategies.sound_images(just(size) if size else strategies.sizes(low, high), salt)


_damages = lru_cache(maxsize=4)(strategies.damages)
_other_bodies = lru_cache(maxsize=4)(strategies.other_bodies)


def _number(seed: str, purpose: str) -> int:
    return int.from_bytes(sha256(f"{seed} {purpose}".encode()).digest()[:8], "big")


def _is_lawful(reading: Reading) -> bool:
    return not reading.breaks and reading.open <= {"body.length"}


def _bodies(target: Target, subject: Subject, seed: str, sorts: int) -> Bodies:
    limits, size = target.limits, subject.scene.image
    low = max(IMAGE_SIDES[0], limits.min_image_side or 0)
    high = min(IMAGE_SIDES[1], limits.max_image_side or IMAGE_SIDES[1])
    share = min(1.0, USUAL_PIXELS / (size.width * size.height) if size else 1.0) / sorts
    found = drawn(_sound_images(size, low, high, subject.salt), _part(SOUND, share), _number(seed, "sound"))
    own = (subject.png(0), subject.png(1), subject.jpeg(0), subject.jpeg(1))
    sound = tuple(body for body in (*own, *found) if _is_taken(target, subject, body)) or own
    foreign = (images.foreign_chunk(subject.salt),) if subject.salt else ()
    ways = drawn(_damages(*foreign), _part(DAMAGED, share), _number(seed, "damaged"))
    damaged = [way(sound) for way in ways]
    small = sorted(sound, key=len)[:SMALL_FILES]
    return Bodies(
        plain=tuple(body for body in sound if look_at(body).plain) or own,
        sound=sound,
        # what the walker cannot see is no damage to it, and no answer could be held against the target
        damaged=tuple(body for body in damaged if not look_at(body).sound) or (b"",),
        others=tuple(way(small) for way in drawn(_other_bodies(subject.salt), OTHERS, _number(seed, "others"))),
        beyond=tuple(_beyond(limits, subject)),
    )


def _part(usual: int, share: float) -> int:
    return max(6, round(usual * share))


def _is_taken(target: Target, subject: Subject, body: bytes) -> bool:
    """Nothing is wrong with the image, nor with its size."""
    reading = read(subject.draft(body, images.media_type_of(body)).request(), target)
    return not reading.breaks and not reading.open


def _beyond(limits: Limits, subject: Subject) -> Iterator[bytes]:
    """Images just past the limits."""
    wide, high = subject.size.width, subject.size.height
    weight = (limits.max_image_bytes or IMAGE_BYTES) + 1
    if weight <= HEAVIEST:
        with suppress(ValueError):  # no image of that size is so light
            yield images.padded_png(wide, high, weight, subject.salt).data
    if subject.takes_any_size:
        low, most = (limits.min_image_side or 0) - 1, (limits.max_image_side or IMAGE_SIDES[1]) + 1
        for side in (low, most):
            if IMAGE_SIDES[0] <= side <= IMAGE_SIDES[1]:
                yield images.plain_png(side, max(high, low + 1), 5, salt=subject.salt).data
