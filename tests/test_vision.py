"""Trained detection: what it tells apart, what it writes and reads, and whatever it must refuse."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conformance import cli
from conformance.reference.detector import Detection
from conformance.reference.vision.demo import CIRCUIT_TYPES, demo_models
from conformance.reference.vision.fields import ModelMistake
from conformance.reference.vision.files import StoredModel, load, save
from conformance.reference.vision.learning import FEWEST, learn
from conformance.reference.vision.photos import TrainingMistake
from conformance.reference.vision.scenes import CIRCUIT_DEFECTS, COOKIE_DEFECTS, COOKIES_SIZE, Scene, circuit, cookie
from conformance.reference.vision.trained import Trained
from conformance.reference.vision.training import train

COOKIES, CIRCUITS = demo_models()
UNSEEN = 50_000  # seeds from here on are in no training
WHITE = (255, 255, 255)


def scores(trained: Trained, scenes: list[Scene]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([trained.score(trained.look(scene.picture)) for scene in scenes])


def segmented(image: Image.Image, model: StoredModel = CIRCUITS) -> Detection:
    return model.trained.inspect(image, segments=True)


def mask_of(detection: Detection) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert detection.mask is not None
    return np.asarray(detection.mask)


def jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return Image.open(file)


# What it tells apart.


@pytest.mark.parametrize(
    ("model", "draw", "kinds"), [(COOKIES, cookie, COOKIE_DEFECTS), (CIRCUITS, circuit, CIRCUIT_DEFECTS)]
)
def test_defects_look_odder_than_normal_pictures(
    model: StoredModel, draw: Callable[..., Scene], kinds: dict[str, object]
) -> None:
    """The probability that a defect of a kind scores higher than a normal picture, for pictures never seen."""
    normal = scores(model.trained, [draw(UNSEEN + seed) for seed in range(12)])
    for place, kind in enumerate(kinds):
        odd = scores(model.trained, [draw(UNSEEN + 100 * (place + 1) + seed, kind) for seed in range(8)])
        assert (odd[:, None] > normal).mean() >= 0.97, kind


def test_most_decisions_are_right_and_their_confidence_says_so() -> None:
    """Decisions on pictures never seen, and confidence neither boasting nor idle."""
    normal = [COOKIES.trained.inspect(cookie(UNSEEN + seed).picture, False) for seed in range(20)]
    odd = [
        COOKIES.trained.inspect(cookie(UNSEEN + 500 + seed, kind).picture, False)
        for kind in COOKIE_DEFECTS
        for seed in range(6)
    ]
    assert sum(each.is_anomalous for each in normal) <= 3
    assert sum(each.is_anomalous for each in odd) >= 15
    assert all(0.5 <= each.confidence <= 1 for each in [*normal, *odd])
    assert len({each.confidence for each in normal}) > 10
    assert 0.75 < np.mean([each.confidence for each in [*normal, *odd]]) < 0.999


def test_a_border_case_is_decided_with_little_confidence() -> None:
    """Confidence is about the decision: lowest where a defect just begins to be one, whichever way it goes."""
    plain, odd = cookie(UNSEEN).picture, cookie(UNSEEN, "stain").picture
    between = [COOKIES.trained.inspect(Image.blend(plain, odd, share), False) for share in np.linspace(0, 1, 21)]
    decisions = [each.is_anomalous for each in between]
    first = decisions.index(True)
    assert decisions == [False] * first + [True] * (21 - first)
    assert min(each.confidence for each in between) < 0.75
    assert between[0].confidence > 0.8
    assert between[-1].confidence > 0.9


def test_the_mask_is_where_the_defect_is() -> None:
    """Intersection over union with the exact truth; a mask of everything or of the wrong place would not do."""
    overlaps = []
    for place, kind in enumerate(CIRCUIT_DEFECTS):
        for seed in range(4):
            scene = circuit(UNSEEN + 10 * place + seed, kind)
            marked, truth = (mask_of(segmented(scene.picture)) != 255).any(-1), np.asarray(scene.truth) > 0
            overlaps.append((marked & truth).sum() / (marked | truth).sum())
    assert np.mean(overlaps) > 0.45


@pytest.mark.parametrize("kind", CIRCUIT_DEFECTS)
def test_anomalies_are_named_by_their_type(kind: str) -> None:
    """The largest region beside the background has the name of the defect, in three of four pictures."""
    named = 0
    for seed in range(4):
        regions = segmented(circuit(UNSEEN + 900 + seed, kind).picture).regions
        named += max(regions[1:], key=lambda region: region.area).name == kind
    assert named >= 3


def test_a_scene_is_taken_for_what_it_is() -> None:
    """Aligned, free texture, or an object that lies freely; only texture is taken in any size."""

    def rolled(seed: int) -> Image.Image:
        image = Image.new("RGB", (192, 160), (70, 74, 78))
        across, down = np.random.default_rng(seed).integers(-22, 22, 2)
        thing = cookie(seed).picture.crop((28, 12, 132, 116))
        image.paste(thing, (44 + int(across), 28 + int(down)), Image.fromarray(_disc(104)))
        return image

    free = learn([rolled(seed) for seed in range(8)]).trained
    assert [free.kind, COOKIES.trained.kind, CIRCUITS.trained.kind] == ["object", "aligned", "texture"]
    assert [free.size, COOKIES.trained.size, CIRCUITS.trained.size] == [(192, 160), COOKIES_SIZE, None]
    assert not free.inspect(rolled(77), False).is_anomalous
    bitten = rolled(78)
    bitten.paste((70, 74, 78), (80, 30, 112, 90))
    assert free.inspect(bitten, False).is_anomalous
    assert free.inspect(Image.new("RGB", (192, 160), (70, 74, 78)), False).is_anomalous, "the object is missing"


def _disc(side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    places = np.arange(side) - side / 2 + 0.5
    return ((places[:, None] ** 2 + places**2 < (0.47 * side) ** 2) * 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (65, 67), (193, 64), (96, 700)])
def test_texture_is_judged_in_any_size(size: tuple[int, int]) -> None:
    """Size alone makes no anomaly, and the mask has the image's."""
    plain = segmented(circuit(UNSEEN + 7, size=size).picture)
    assert not plain.is_anomalous
    assert plain.mask is not None
    assert plain.mask.size == size
    assert segmented(circuit(UNSEEN + 8, "hole", size).picture).is_anomalous


@pytest.mark.parametrize("level", [0, 120, 255])
def test_pictures_of_nothing_are_learnt_as_well(level: int) -> None:
    """Not even rounding is an anomaly where nothing ever varied; a spot is."""
    blank = Image.new("RGB", (100, 80), (level, level, level))
    trained = learn([blank] * FEWEST).trained
    assert not trained.inspect(blank, True).is_anomalous
    spot = blank.copy()
    spot.paste((128 ^ level, 128 ^ level, level), (40, 30, 52, 42))
    marked = (mask_of(trained.inspect(spot, True)) != 255).any(-1)
    assert marked[30:42, 40:52].mean() > 0.8
    assert marked.mean() < 0.2


def test_an_image_of_another_size_is_refused() -> None:
    """A model of an aligned scene knows no other place."""
    with pytest.raises(ValueError, match="160x128"):
        COOKIES.trained.inspect(circuit(1).picture, False)


# Regions and mask.


@pytest.mark.parametrize("kind", CIRCUIT_DEFECTS)
def test_regions_are_the_masks_own(kind: str) -> None:
    """Background first; each area is the share of exactly the pixels that have the colour, in 32 bit."""
    detection = segmented(circuit(UNSEEN + 3, kind).picture)
    pixels = mask_of(detection).reshape(-1, 3)
    assert (detection.regions[0].name, detection.regions[0].colour) == ("background", WHITE)
    assert len(detection.regions) > 1
    for region in detection.regions:
        share = np.float32((pixels == region.colour).all(axis=1).sum() / len(pixels))
        assert region.area == float(share)
        assert region.area > 0
    assert {tuple(colour) for colour in np.unique(pixels, axis=0)} == {region.colour for region in detection.regions}
    known = {("background", WHITE), *((each.name, each.colour) for each in CIRCUIT_TYPES)}
    assert {(region.name, region.colour) for region in detection.regions} <= known


def test_a_normal_image_is_all_background() -> None:
    detection = segmented(circuit(UNSEEN).picture)
    assert not detection.is_anomalous
    assert [(region.name, region.colour, region.area) for region in detection.regions] == [("background", WHITE, 1.0)]
    assert (mask_of(detection) == 255).all()


def test_a_mask_has_nothing_of_the_photograph_but_its_size() -> None:
    """No profile, no transparency, no resolution: RGB and pixels alone."""
    image = circuit(UNSEEN, "hole").picture
    image.info |= {"icc_profile": b"profile", "dpi": (72, 72), "transparency": (1, 2, 3)}
    mask = segmented(image).mask
    assert mask is not None
    assert (mask.mode, mask.size, mask.info) == ("RGB", image.size, {})


def test_classification_gives_no_mask() -> None:
    detection = CIRCUITS.trained.inspect(circuit(UNSEEN, "hole").picture, segments=False)
    assert (detection.regions, detection.mask) == ((), None)


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "1": lambda image: image.convert("1"),
    "L": lambda image: image.convert("L"),
    "LA": lambda image: image.convert("LA"),
    "P": lambda image: image.quantize(64),
    "RGBA": lambda image: image.convert("RGBA"),
    "I;16": lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 256),
    "CMYK": lambda image: jpeg(image.convert("CMYK")),
    "RGB": jpeg,
}


def see_through(image: Image.Image) -> Image.Image:
    palette = image.quantize(64)
    palette.info["transparency"] = bytes(range(64))
    return palette


@pytest.mark.parametrize("mode", [*MODES, "P, transparent"])
def test_images_of_every_mode_are_taken(mode: str) -> None:
    """Whatever Pillow makes of a PNG or JPEG; no warning, and the mask has its size."""
    image = (see_through if mode == "P, transparent" else MODES[mode])(circuit(UNSEEN, "hole").picture)
    assert image.mode == mode.partition(",")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detection = segmented(image)
    assert mask_of(detection).shape == (image.height, image.width, 3)
    assert sum(region.area for region in detection.regions) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "P, transparent"])
def test_colour_modes_do_not_change_the_decision(mode: str) -> None:
    """The same picture in another mode is as normal, or not, as in RGB."""
    change = see_through if mode == "P, transparent" else MODES[mode]
    if mode == "RGBA":
        assert not segmented(change(circuit(UNSEEN).picture)).is_anomalous
    assert segmented(change(circuit(UNSEEN, "hole").picture)).is_anomalous


def test_grey_of_8_and_of_16_bit_is_the_same() -> None:
    """A model of grey pictures sees the same in either depth."""
    grey = learn([circuit(seed).picture.convert("L") for seed in range(6)]).trained
    for kind in ("", "hole"):
        image = circuit(UNSEEN, kind).picture
        eight, sixteen = (grey.inspect(MODES[mode](image), False) for mode in ("L", "I;16"))
        assert eight == sixteen
        assert eight.is_anomalous == bool(kind)


# Files.


def test_training_is_repeatable(tmp_path: Path) -> None:
    """The same pictures give the same bytes."""
    folders = []
    for name in "ab":
        trained = learn([cookie(seed).picture for seed in range(6)]).trained
        folders.append(save(StoredModel("cookies", 1, False, trained), tmp_path / name))
    for file in ("model.json", "model.npz"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """Models answer after the round trip exactly as before."""
    for model in (COOKIES, CIRCUITS):
        save(model, tmp_path)
    circuits, cookies = load(tmp_path)
    assert [(each.project, each.version, each.segments) for each in (cookies, circuits)] == [
        ("cookies", 1, False),
        ("circuits", 2, True),
    ]
    assert (cookies.trained.size, circuits.trained.size) == (COOKIES_SIZE, None)
    stain, scratch = cookie(UNSEEN, "stain").picture, circuit(UNSEEN, "scratch").picture
    assert cookies.trained.inspect(stain, False) == COOKIES.trained.inspect(stain, False)
    before, after = segmented(scratch), segmented(scratch, circuits)
    assert (before.confidence, before.regions) == (after.confidence, after.regions)
    assert (mask_of(before) == mask_of(after)).all()
    assert not list(tmp_path.rglob(".half*"))


def test_a_version_is_never_overwritten(tmp_path: Path) -> None:
    folder = save(COOKIES, tmp_path)
    before = (folder / "model.npz").read_bytes()
    with pytest.raises(ModelMistake, match="exists"):
        save(COOKIES, tmp_path)
    assert (folder / "model.npz").read_bytes() == before


def changed(**members: object) -> Callable[[Path], None]:
    """Another description: these members changed."""

    def change(folder: Path) -> None:
        file = folder / "model.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | members))

    return change


def damaged(name: str, content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(content((folder / name).read_bytes()))

    return change


def swapped(folder: Path) -> None:
    """Arrays of huge promised size, with the right digest: the shape must be refused before it is believed."""
    import hashlib
    import zipfile

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 4)})
    with zipfile.ZipFile(folder / "model.npz", "w") as archive:
        archive.writestr("coarse-mean.npy", header.getvalue())
    changed(arrays=hashlib.sha256((folder / "model.npz").read_bytes()).hexdigest())(folder)


DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "no json": ("model.json", lambda folder: (folder / "model.json").unlink()),
    "no npz": ("model.npz", lambda folder: (folder / "model.npz").unlink()),
    "cut npz": ("model.npz", damaged("model.npz", lambda content: content[:-100])),
    "flipped bit": ("model.npz", damaged("model.npz", lambda content: content[:500] + b"\0\0" + content[502:])),
    "huge arrays": ("model.npz", swapped),
    "no JSON": ("model.json", damaged("model.json", lambda _: b"\x80model")),
    "nested JSON": ("model.json", damaged("model.json", lambda _: b"[" * 50_000)),
    "large JSON": ("model.json", damaged("model.json", lambda content: content + b" " * 100_000)),
    "list": ("model.json", damaged("model.json", lambda _: b"[]")),
    "foreign": ("model.json", changed(format="anomalib")),
    "newer": ("model.json", changed(**{"format-version": 2})),
    "project": ("model.json", changed(project="other")),
    "version": ("model.json", changed(version=9)),
    "size": ("model.json", changed(size=[160, 1 << 40])),
    "other size": ("model.npz", changed(size=[320, 128])),
    "fraction": ("model.json", changed(size=[160.5, 128])),
    "factor": ("model.json", changed(factor=0)),
    "true factor": ("model.json", changed(factor=True)),
    "kinds": ("model.json", changed(kinds=[10**9, 1])),
    "scales": ("model.json", changed(scales=[[1, 1]])),
    "spread": ("model.json", changed(scales=[[1, 0]] * 3)),
    "threshold": ("model.json", changed(threshold=[1, 1, 0, "x"])),
    "infinite": ("model.json", changed(depth=1e999)),
    "types": ("model.json", changed(types=[["a b", "#000000"]])),
    "background": ("model.json", changed(types=[["background", "#000000"]])),
    "white": ("model.json", changed(types=[["anomaly", "#FFFFFF"]])),
    "colour": ("model.json", changed(types=[["anomaly", 5]])),
    "twice": ("model.json", changed(types=[["a", "#000000"], ["a", "#000001"]])),
    "ground": ("model.json", changed(ground=[1, 2])),
    "flag": ("model.json", changed(segments=1)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_in_a_sentence_with_its_file(tmp_path: Path, damage: str) -> None:
    file, change = DAMAGES[damage]
    folder = save(COOKIES, tmp_path)
    change(folder)
    with pytest.raises(ModelMistake) as caught:
        load(tmp_path)
    assert str(folder / file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["readme.txt", "bad name/1", "cookies/0", "cookies/latest", "cookies/2"])
def test_whatever_is_no_model_is_named(tmp_path: Path, name: str) -> None:
    save(COOKIES, tmp_path)
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(ModelMistake, match=name.split("/")[-1]):
        load(tmp_path)


def test_no_models_are_a_mistake_too(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ModelMistake, match=str(folder)):
            load(folder)


# Training from files.


def photographed(folder: Path, number: int = 6, draw: Callable[[int], Scene] = cookie) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(number):
        draw(seed).picture.save(folder / f"normal-{seed}.png")
    return folder


def with_anomalies(folder: Path, *, alike: bool = False) -> Path:
    """Normal and anomalous circuits, and masks: palettes with a colour for each type, or all of one."""
    photographed(folder / "normal", 6, circuit)
    for name in ("anomaly", "masks"):
        (folder / name).mkdir()
    for number, kind in enumerate(("scratch", "hole"), 1):
        for seed in range(3):
            scene = circuit(UNSEEN + seed, kind)
            jpeg(scene.picture).save(folder / "anomaly" / f"{kind}-{seed}.jpg", quality=95)
            mask = scene.truth.point([0] * 255 + [1 if alike else number]).convert("P")
            mask.putpalette([0, 0, 0, 0x23, 0xA4, 0x36, 0x4D, 0xD8, 0xFF])
            mask.save(folder / "masks" / f"{kind}-{seed}.png", transparency=0)
    return folder


def test_each_training_makes_the_next_version(tmp_path: Path) -> None:
    photos = photographed(tmp_path / "photos")
    made = [train(photos, project="p", version=version, models=tmp_path / "m") for version in (None, None, 7, None)]
    assert [course.model.version for course in made] == [1, 2, 7, 8]
    assert [model.version for model in load(tmp_path / "m")] == [1, 2, 7, 8]
    with pytest.raises(TrainingMistake, match="exists"):
        train(photos, project="p", version=7, models=tmp_path / "m")


def test_masks_of_several_colours_make_named_types(tmp_path: Path) -> None:
    photos = with_anomalies(tmp_path / "photos")
    names = {(0x4D, 0xD8, 0xFF): "hole"}
    steps: list[tuple[int, int]] = []
    course = train(
        photos,
        project="circuits",
        masks=photos / "masks",
        models=tmp_path / "m",
        names=names,
        on_progress=lambda done, of: steps.append((done, of)),
    )
    assert course.model.segments
    assert {(each.name, each.colour) for each in course.model.trained.types} == {
        ("anomaly1", (0x23, 0xA4, 0x36)),
        ("hole", (0x4D, 0xD8, 0xFF)),
    }
    assert "hole" in [region.name for region in segmented(circuit(UNSEEN + 50, "hole").picture, course.model).regions]
    assert course.lesson.anomalous_right >= 5
    assert steps == [(done, steps[-1][1]) for done in range(1, steps[-1][1] + 1)]


def test_masks_of_one_colour_make_one_type(tmp_path: Path) -> None:
    photos = with_anomalies(tmp_path / "photos", alike=True)
    course = train(photos, project="circuits", masks=photos / "masks", models=tmp_path / "m")
    assert [(each.name, each.colour) for each in course.model.trained.types] == [("anomaly", (0x23, 0xA4, 0x36))]


def test_a_white_defect_on_black_is_not_painted_as_background(tmp_path: Path) -> None:
    photos = with_anomalies(tmp_path / "photos")
    for file in (photos / "masks").iterdir():
        Image.open(file).convert("RGBA").convert("L").point([0] + [255] * 255).save(file)
    course = train(photos, project="circuits", masks=photos / "masks", models=tmp_path / "m")
    assert WHITE not in [each.colour for each in course.model.trained.types]


Spoil = Callable[[Path], Path]


def spoilt(name: str, image: Image.Image | bytes) -> Spoil:
    def spoil(photos: Path) -> Path:
        file = photos / name
        file.parent.mkdir(exist_ok=True)
        if isinstance(image, bytes):
            file.write_bytes(image)
        else:
            image.save(file)
        return file

    return spoil


def too_few(photos: Path) -> Path:
    for file in list((photos / "normal").iterdir())[FEWEST - 1 :]:
        file.unlink()
    return photos


def masks_of_others(photos: Path) -> Path:
    for file in (photos / "masks").iterdir():
        file.rename(file.with_name(f"x{file.name}"))
    return photos / "masks"


def noise(colours: int) -> Image.Image:
    drawn = np.random.default_rng(1).integers(0, colours, (192, 192, 3))
    return Image.fromarray(drawn.astype(np.uint8))


def written(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


PHOTO = circuit(1).picture
SPOILS: dict[str, Spoil] = {
    "too few": too_few,
    "another size": spoilt("normal/z.png", PHOTO.resize((200, 192))),
    "another size, anomalous": spoilt("anomaly/z.png", PHOTO.resize((200, 192))),
    "no image": spoilt("normal/z.jpg", b"no image"),
    "half an image": spoilt("normal/z.png", written(PHOTO, "PNG")[:3000]),
    "a GIF": spoilt("normal/z.png", written(PHOTO, "GIF")),
    "tiny": spoilt("normal/a.png", PHOTO.resize((63, 63))),
    "mask of another size": spoilt("masks/hole-0.png", Image.new("L", (10, 192))),
    "mask of many colours": spoilt("masks/hole-0.png", noise(256)),
    "damaged mask": spoilt("masks/hole-0.png", b"\x89PNG"),
    "masks of other pictures": masks_of_others,
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_pictures_that_cannot_be_learnt_from_are_named(tmp_path: Path, spoil: str) -> None:
    photos = with_anomalies(tmp_path / "photos")
    named = SPOILS[spoil](photos)
    with pytest.raises(TrainingMistake) as caught:
        train(photos, project="p", masks=photos / "masks", models=tmp_path / "m")
    assert str(named) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("project", ["", "-a", "_a", "a/b", "a b", "..", "ä", "a\n", "a" * 256])
def test_project_names_that_no_path_could_have_are_refused(tmp_path: Path, project: str) -> None:
    with pytest.raises(TrainingMistake, match="project"):
        train(photographed(tmp_path / "photos"), project=project, models=tmp_path / "m")


@pytest.mark.parametrize("version", [0, -1, 10**10])
def test_versions_that_no_path_could_have_are_refused(tmp_path: Path, version: int) -> None:
    with pytest.raises(TrainingMistake, match="version"):
        train(photographed(tmp_path / "photos"), project="p", version=version, models=tmp_path / "m")


def test_a_defect_among_normal_pictures_does_not_blind_the_model() -> None:
    """One stray picture is outvoted."""
    trained = learn([*(circuit(seed).picture for seed in range(11)), circuit(UNSEEN, "hole").picture]).trained
    found = [trained.inspect(circuit(UNSEEN + 60 + seed, "hole").picture, False).is_anomalous for seed in range(4)]
    assert sum(found) >= 3


# The command.


def test_the_command_trains_and_says_how_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = with_anomalies(tmp_path / "photos")
    folders = ["--masks", str(photos / "masks"), "--models", str(tmp_path / "m")]
    assert cli.main(["train", str(photos), "--project", "circuits", *folders]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("circuits/1 (segmentation, images of any size)")
    assert str(tmp_path / "m" / "circuits" / "1") in line
    assert "of 6 normal images" in line
    assert "of 6 anomalous ones" in line
    (model,) = load(tmp_path / "m")
    assert segmented(circuit(UNSEEN + 70, "hole").picture, model).is_anomalous


def test_the_command_without_anomalies_says_nothing_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = photographed(tmp_path / "photos")
    assert cli.main(["train", str(photos), "--project", "c", "--version", "3", "--models", str(tmp_path / "m")]) == 0
    output = capsys.readouterr().out
    assert output.startswith("c/3 (classification, images of 160x128 pixels)")
    assert "anomalous" not in output


def test_a_mistake_on_the_command_line_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", str(tmp_path / "none"), "--project", "c", "--models", str(tmp_path / "m")]) == 2
    assert capsys.readouterr().err == f"conformance: {tmp_path / 'none'} cannot be read: No such file or directory\n"


def test_the_command_line_starts_without_numpy() -> None:
    """Whoever does not train or serve should not wait for it."""
    code = "import sys, conformance.cli; print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
