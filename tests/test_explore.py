"""The exploration keeps its seed, its budgets and its promises about what it sends."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from conformance.cases import explore
from conformance.cases.explore import Exploration
from conformance.cases.requests import Subject
from conformance.contract import picture
from conformance.contract.clauses import Level, catalogue
from conformance.contract.picture import look_at
from conformance.contract.reading import Reading, read
from conformance.exchange import Case
from conformance.formats import http
from conformance.target import RUNNING, Limits, Scene, Size, Target

HOST = b"127.0.0.1:8080"
SIZE = Size(96, 80)
SCENES = {
    "classification": Scene("classification", "cookies", "1"),
    "segmentation": Scene("segmentation", "circuits", "2"),
    "missing-project": Scene("missing-project", "nobody-has-this-project", "1"),
    "missing-version": Scene("missing-version", "cookies", "7"),
    "stopped": Scene("stopped", "boards", "1"),
}
SIZED = {name: replace(scene, image=SIZE) if name in RUNNING else scene for name, scene in SCENES.items()}
OPEN = Target("open", "http://127.0.0.1:8080", scenes=SCENES)
STRICT = Target("strict", "http://127.0.0.1:8080", limits=Limits(max_image_bytes=300_000), scenes=SIZED)
TARGETS = [OPEN, STRICT]
REQUESTS = 2000
SMALL = {
    "RENEWAL": 2000,
    "VALUES": 20,
    "SPELLINGS": 20,
    "METHODS": 10,
    "LAWFUL_DRESSES": 10,
    "SOUND": 6,
    "DAMAGED": 10,
    "OTHERS": 10,
}


def exploration(
    target: Target = OPEN, requests: int = REQUESTS, looks: int = REQUESTS, seed: str = "a seed"
) -> Exploration:
    return Exploration(target, HOST, seed, requests, looks)


def cases(one: Exploration) -> Iterator[Case]:
    yield from one.singles()
    for sequence in one.sequences():
        yield from sequence


def digest(one: Exploration) -> str:
    found = sha256()
    for case in cases(one):
        found.update(f"{case.id} {case.delivery} {len(case.request.wire)} ".encode() + case.request.wire)
    return found.hexdigest()


def makes_a_model_look(reading: Reading) -> bool:
    return not reading.breaks and reading.scene in RUNNING and bool(reading.picture and reading.picture.sound)


@cache
def singles(name: str) -> list[tuple[Case, Reading]]:
    target = next(each for each in TARGETS if each.name == name)
    return [(case, read(case.request, target)) for case in exploration(target).singles()]


def everything() -> list[tuple[Case, Reading]]:
    return [each for target in TARGETS for each in singles(target.name)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice in one process, and other bytes for another seed."""
    first = digest(exploration(requests=300))
    assert first == digest(exploration(requests=300))
    assert first != digest(exploration(requests=300, seed="another seed"))


def test_nothing_but_the_seed_decides(tmp_path: Path) -> None:
    """Neither the hash seed nor the constants of a module that happens to be loaded."""
    constants = ", ".join(map(str, range(2, 400))) + ", 'cookies!', 'image/pngs', b'\\x89PNG'"
    (tmp_path / "bystander.py").write_text(f"CONSTANTS = [{constants}]\n", encoding="utf-8")
    script = "import bystander, test_explore as t; print(t.digest(t.exploration(requests=300)))"
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(exploration(requests=300))


@pytest.mark.parametrize(("requests", "looks"), [(0, 0), (1, 0), (1, 1), (30, 4), (400, 0), (400, 20), (400, 4000)])
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_budgets_are_kept(target: Target, requests: int, looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more requests and no more looks than allowed, and all the requests."""
    small_pools(monkeypatch)
    found = list(cases(exploration(target, requests, looks)))
    assert len(found) == requests
    assert sum(makes_a_model_look(read(case.request, target)) for case in found) <= looks


def test_ids_are_unique() -> None:
    """Singles and members of sequences, all together."""
    names = [case.id for case in cases(exploration())]
    assert len(set(names)) == len(names)


def test_sequences_end_in_a_witness() -> None:
    """Two to five requests, about a tenth of all, at most one look before the witness."""
    one = exploration(STRICT)
    witnesses = {request for scene in STRICT.running() for request in Subject(scene, HOST).witnesses()}
    sequences = list(one.sequences())
    assert 0.08 * REQUESTS < sum(map(len, sequences)) <= 0.1 * REQUESTS
    assert {len(sequence) for sequence in sequences} == {2, 3, 4, 5}
    for sequence in sequences:
        assert sequence[-1].request in witnesses
        assert sum(makes_a_model_look(read(case.request, STRICT)) for case in sequence) <= 2


def test_every_demand_on_requests_is_broken_alone() -> None:
    """One request at least for each clause that says what its breach earns."""
    alone = Counter(next(iter(reading.breaks)) for _, reading in everything() if len(reading.breaks) == 1)
    assert {clause.id for clause in catalogue().clauses.values() if clause.earns} - set(alone) == set()


def test_every_open_matter_is_raised() -> None:
    """All but images of a size that the model was not trained for: those only the fixed cases send."""
    raised = {matter for _, reading in everything() for matter in reading.open}
    asked = {clause.id for clause in catalogue().clauses.values() if clause.level is Level.OBSERVE}
    of_requests = {each for each in asked if each.startswith(("route.", "content-type.", "body."))} | {
        "http.expect",
        "free",
    }
    assert of_requests - raised == {"body.dimensions"}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_faults_come_mostly_alone(target: Target) -> None:
    """Most requests that break something break one thing; sound ones exist, and are no more than a fifth or so."""
    readings = [reading for _, reading in singles(target.name)]
    faults = Counter(len(reading.breaks) for reading in readings)
    assert faults[1] > 4 * sum(number for count, number in faults.items() if count > 1)
    assert faults[1] > 0.4 * len(readings)
    good = sum(not reading.breaks and not reading.open and reading.scene is not None for reading in readings)
    assert 0.1 * len(readings) < good < 0.25 * len(readings)
    assert {reading.scene for reading in readings} == {None, *SCENES}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_space_is_wide(target: Target) -> None:
    """Many paths, types, methods and bodies among two thousand requests."""
    requests = [case.request for case, _ in singles(target.name)]
    assert len({request.target for request in requests}) > 350
    assert len({request.values(b"content-type") for request in requests}) > 80
    assert len({request.body for request in requests}) > 100
    assert len({request.method for request in requests}) > 15


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_sound_images_have_a_size_that_may_be_sent(target: Target) -> None:
    """The declared one where there is one, else 64 to 4096 pixels a side."""
    for case, reading in singles(target.name):
        seen = look_at(http.read(case.request).payload)
        if seen.sound and seen.size:
            sides = (seen.size.width, seen.size.height)
            assert seen.size == SIZE if target is STRICT else 64 <= min(sides) <= max(sides) <= 4096, case.id
            assert "body.dimensions" not in reading.open


def test_memory_is_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as many requests, and sets of pools, hold hardly more."""
    small_pools(monkeypatch)
    monkeypatch.setattr(picture, "REMEMBERED", 100_000)
    monkeypatch.setattr(explore, "VALUES", 30)
    monkeypatch.setattr(explore, "RENEWAL", 400)
    one, held = exploration(STRICT, 2_400, 400), []
    tracemalloc.start()
    try:
        for number, _ in enumerate(one.singles(), 1):
            if number % 200 == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(held) >= 10
    # caches of a thousand short texts may fill; the requests alone have a hundred times as many bytes
    assert max(held) - min(held) < 1_000_000


def test_nothing_is_sent_to_nobody() -> None:
    """A target without scenes, and one without a running model, are no mistake."""
    resting = {name: scene for name, scene in SCENES.items() if name not in RUNNING}
    assert list(cases(exploration(replace(OPEN, scenes={})))) == []
    assert len(list(cases(exploration(replace(OPEN, scenes=resting), 100, 100)))) == 100


def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw little, and often."""
    for name, value in SMALL.items():
        monkeypatch.setattr(explore, name, value)
