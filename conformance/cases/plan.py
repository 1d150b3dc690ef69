"""Everything that a run sends, in the order in which it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from conformance.cases import boundary, corpus, images, odd_images
from conformance.cases.corpus import encoded
from conformance.cases.requests import Draft, Subject, any_size, path
from conformance.contract.document import document
from conformance.contract.reading import read
from conformance.contract.schema import Schema
from conformance.exchange import Case
from conformance.message import Delivery, Request
from conformance.target import RUNNING, Target

FLIGHT = 4
"""How many requests of a mixed flight are sent at the same time."""
ROUNDS = 2
HEAVY_UPLOAD = 300_000
"""Bytes of an upload that a server is likely to refuse before it has read them all."""

# Model time is what real targets pay for: of the sound variants the fixed cases send those that differ most
VARIANTS = (
    "grey-1-bit grey-4-bit grey-8-bit grey-16-bit palette-4-bit palette-8-bit colour-with-alpha-8-bit colour-16-bit "
    "grey-with-alpha-8-bit palette-with-transparency interlaced every-filter-and-gamma many-ancillary-chunks "
    "grey progressive 4-4-4 restart-markers exif not-jfif quality-100"
).split()


Factory = Callable[[int, int, str], tuple[images.Sample, ...]]


@dataclass(frozen=True)
class Plan:
    """What is sent: witnesses first, single requests next, then sequences, then flights."""

    witnesses: tuple[Case, ...]
    """Good requests, each sent alone and then once more."""
    singles: tuple[Case, ...]
    sequences: tuple[tuple[Case, ...], ...]
    """Requests sent one after the other on one connection."""
    flights: tuple[tuple[Case, ...], ...]
    """Requests sent at the same time."""
    again: tuple[Case, ...] = ()
    """The witnesses as they are sent once more, where that is not byte for byte the same."""

    @property
    def rounds(self) -> tuple[Case, ...]:
        """Every witness, and every one once more."""
        return (*self.witnesses, *(self.again or self.witnesses))

    def cases(self) -> Iterator[Case]:
        """Every case, in the order of sending; witnesses twice."""
        yield from self.rounds
        yield from self.singles
        for group in (*self.sequences, *self.flights):
            yield from group

    def looks(self, target: Target) -> int:
        """How many of the requests have a running model look at a sound image, unless the server refuses first."""
        readings = (read(case.request, target) for case in self.cases())
        return sum(
            not reading.breaks and reading.scene in RUNNING and bool(reading.picture and reading.picture.sound)
            for reading in readings
        )


def plan(target: Target, host: bytes, salt: str = "") -> Plan:
    """Plan the fixed cases for a target: the same target gets the same plan, and with a salt other images and names."""
    subjects = [Subject(scene, host, target.limits, salt) for scene in target.running()]
    if not subjects:
        singles = [Case(f"scene.{name}", request) for name, request in _absent(target, host, salt)]
        return Plan((), tuple(singles), (), ())
    singles = [
        *_missing(target, subjects),
        *_pictures(subjects),
        *_labels(subjects),
        *_content_types(subjects),
        *_corpus(subjects),
        *_limits(target, subjects),
    ]
    return Plan(
        tuple(_witnesses(subjects)),
        tuple(singles),
        tuple(_sequences(subjects)),
        tuple(_flights(subjects)) if target.limits.concurrency > 1 else (),
    )


def _witnesses(subjects: Iterable[Subject]) -> Iterator[Case]:
    for subject in subjects:
        for number, request in enumerate(subject.witnesses(), 1):
            yield Case(f"witness.{subject.scene.name}-{number}", request)


def _pick(subjects: Sequence[Subject], name: str) -> Subject:
    """Spread the cases over the scenes, each always to the same one."""
    return subjects[crc32(name.encode()) % len(subjects)]


def _absent(target: Target, host: bytes, salt: str) -> Iterator[tuple[str, Request]]:
    """Good requests for the scenes that do not answer 200."""
    size = any_size(salt)
    body = images.plain_png(size.width, size.height, salt=salt).data
    for name, scene in target.scenes.items():
        if name not in RUNNING:
            yield name, Draft(host, path(scene.project, scene.version), body).request()


def _missing(target: Target, subjects: Sequence[Subject]) -> Iterator[Case]:
    (width, height), host, salt = _least(subjects), subjects[0].host, subjects[0].salt
    png, jpeg = (each(width, height, salt=salt).data for each in (images.plain_png, images.plain_jpeg))
    bodies = {"png": png, "jpeg": jpeg}
    for name, scene in target.scenes.items():
        if name not in RUNNING:
            for kind, body in bodies.items():
                draft = Draft(host, path(scene.project, scene.version), body, f"image/{kind}")
                yield Case(f"scene.{name}-{kind}", draft.request())


def _least(subjects: Sequence[Subject]) -> tuple[int, int]:
    return min((subject.size.width, subject.size.height) for subject in subjects)


def _pictures(subjects: Sequence[Subject]) -> Iterator[Case]:
    for subject in subjects:
        name = subject.scene.name
        yield Case(f"body.plain-jpeg-for-{name}", subject.draft(subject.jpeg(3), "image/jpeg").request())
        for number, photograph in enumerate(subject.photographs, 1):
            draft = subject.draft(photograph.data, images.media_type_of(photograph.data))
            yield Case(f"body.photograph-{number}-for-{name}", draft.request())
    for factory in (odd_images.png_variants, odd_images.jpeg_variants):
        yield from _samples(factory, subjects, VARIANTS)
    for factory in (odd_images.damaged, odd_images.other_formats):
        yield from _samples(factory, subjects)
    yield from _sizes(subjects)


def _samples(factory: Factory, subjects: Sequence[Subject], chosen: Sequence[str] = ()) -> Iterator[Case]:
    group = factory.__name__.replace("_", "-")
    salt = subjects[0].salt
    names = [sample.name for sample in factory(subjects[0].size.width, subjects[0].size.height, salt)]
    for position, name in enumerate(names):
        if name in chosen or not chosen:
            # of a variant a segmentation model shows more: its mask may betray how the image was read
            subject = subjects[-1] if chosen else _pick(subjects, name)
            sample = factory(subject.size.width, subject.size.height, salt)[position]
            media_type = sample.media_type if sample.media_type in document().media_types else "image/png"
            yield Case(f"body.{group}-{name}", subject.draft(sample.data, media_type).request())


def _sizes(subjects: Sequence[Subject]) -> Iterator[Case]:
    """Images of other sizes than the model's, or, where it takes any, small, tall and wide ones."""
    salt = subjects[-1].salt
    for width, height in ((64, 64), (63, 64), (650, 475), (4097, 64)):
        name = f"body.size-{width}x{height}"
        yield Case(name, subjects[-1].draft(images.plain_png(width, height, 4, salt=salt).data).request())
    for subject in subjects[:-1]:
        if not subject.takes_any_size:
            name = f"body.another-size-for-{subject.scene.name}"
            other = images.plain_png(subject.size.width + 8, subject.size.height, 4, salt=salt).data
            yield Case(name, subject.draft(other).request())


def _labels(subjects: Sequence[Subject]) -> Iterator[Case]:
    contract = document()
    known = subjects[0].scene.project if subjects[0].salt else "cookies"
    for name, project in _values(contract.project, [known]):
        subject = _pick(subjects, name)
        yield Case(f"project.{name}", _aimed(subject, path(encoded(project), subject.scene.version)))
    for name, version in _values(contract.version, ["1", "latest"]):
        subject = _pick(subjects, name)
        yield Case(f"version.{name}", _aimed(subject, path(subject.scene.project, encoded(version))))


def _values(schema: Schema, examples: list[str]) -> Iterator[tuple[str, str]]:
    yield from boundary.lengths(schema, examples[0])
    yield from boundary.mutated(schema, examples)


def _aimed(subject: Subject, target: str) -> Request:
    draft = subject.draft(subject.png(0))
    return Draft(draft.host, target, draft.body).request()


def _content_types(subjects: Sequence[Subject]) -> Iterator[Case]:
    schema = document().content_type
    for name, value in boundary.lengths(schema, "image/png; x=a"):
        if name != "shortest":
            subject = _pick(subjects, name)
            yield Case(f"content-type.{name}", subject.draft(subject.png(0), value).request())


def _corpus(subjects: Sequence[Subject]) -> Iterator[Case]:
    for section, entry in corpus.entries():
        name = f"{section}.{entry['id']}"
        request, delivery = corpus.build(entry, _pick(subjects, name))
        yield Case(name, request, delivery)


def _limits(target: Target, subjects: Sequence[Subject]) -> Iterator[Case]:
    """An image of a megabyte, and those at and past each limit that the target declares."""
    limits, subject = target.limits, subjects[-1]
    size = subject.size
    heavy = limits.max_image_bytes or 1_000_000
    yield Case("body.heaviest", _weighing(subject, heavy))
    yield Case("body.one-byte-too-heavy", _weighing(subject, heavy + 1))
    if not subject.takes_any_size:
        return
    sides = {"narrowest": (limits.min_image_side, -1), "widest": (limits.max_image_side, 1)}
    for name, (side, step) in sides.items():
        if side:
            for label, width in ((name, side), (f"past-the-{name}", max(1, side + step))):
                body = images.plain_png(width, max(size.height, limits.min_image_side or 1), 5, salt=subject.salt).data
                yield Case(f"body.{label}", subject.draft(body).request())


def _weighing(subject: Subject, weight: int) -> Request:
    size = subject.size
    return subject.draft(images.padded_png(size.width, size.height, weight, subject.salt).data).request()


def _sequences(subjects: Sequence[Subject]) -> Iterator[tuple[Case, ...]]:
    """A good request after every kind of odd one; then the witnesses in turn, of one scene and of all."""
    for position, (name, request, delivery) in enumerate(_odd_ones(subjects)):
        subject = subjects[-1 - position % len(subjects)]
        odd = Case(f"after.{name}-odd", request, delivery)
        yield odd, Case(f"after.{name}", subject.witnesses()[position % 2])
    turns = [request for subject in subjects for request in subject.witnesses()]
    turns.append(turns[0])
    yield tuple(Case(f"turn.{number}", request) for number, request in enumerate(turns, 1))


def _odd_ones(subjects: Sequence[Subject]) -> Iterator[tuple[str, Request, Delivery]]:
    subject = subjects[0]
    heavy = images.noise(HEAVY_UPLOAD, subject.salt) if subject.salt else b"\x00" * HEAVY_UPLOAD
    no_image = images.some_words(subject.salt) if subject.salt else b"This is not an image."
    drafts = {
        "an-unknown-project": Draft(subject.host, path("nobody-has-this-project", "1"), subject.png(0)),
        "a-bad-name": Draft(subject.host, path("-bad-", subject.scene.version), subject.png(0)),
        "another-route": Draft(subject.host, "/2020-11-20/elsewhere", subject.png(0)),
        "another-method": Draft(subject.host, subject.draft(b"").target, subject.png(0), method="PUT"),
        "another-type": subject.draft(subject.png(0), "text/plain"),
        "an-empty-body": subject.draft(b""),
        "no-image": subject.draft(no_image),
        "half-an-image": subject.draft(subject.png(0)[: len(subject.png(0)) // 2]),
        "an-upload-to-another-route": Draft(subject.host, "/2020-11-20/elsewhere", heavy),
        "an-upload-of-another-type": subject.draft(heavy, "text/plain"),
        "an-upload-to-a-bad-name": Draft(subject.host, path("-bad-", "1"), heavy),
    }
    for name, draft in drafts.items():
        yield name, draft.request(), Delivery.WHOLE
    yield "an-upload-cut-short", subject.draft(subject.png(0)).request(), Delivery.ABORT
    yield "nonsense", Request(b"NONSENSE\r\n\r\n"), Delivery.WHOLE


def _flights(subjects: Sequence[Subject]) -> Iterator[tuple[Case, ...]]:
    requests = [subject.witnesses()[number] for number in range(2) for subject in subjects]
    for number in range(1, ROUNDS + 1):
        flight = (requests * FLIGHT)[:FLIGHT]
        yield tuple(Case(f"flight.{number}-{place}", request) for place, request in enumerate(flight, 1))
