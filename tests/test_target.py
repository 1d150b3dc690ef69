"""Target files: what is wrong in one is said with file and key, what is right is read as it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from conformance import run
from conformance.mistake import OperatorMistake
from conformance.shipped import shipped
from conformance.target import Limits, Scene, Size, Target, load

TARGET = '[target]\nname = "x"\nurl = "http://127.0.0.1:9"\n'
SCENE = '[scenes.classification]\nproject = "cookies"\nversion = "1"\n'
GOOD = TARGET + SCENE


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "acme.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return file


def mistake(file: Path) -> str:
    """What is said of a file that is wrong, here or when the run is planned: one line that names the file."""
    with pytest.raises(OperatorMistake) as refused:
        run.prepare(load(file))
    said = str(refused.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["target: this key is missing"]),
        (SCENE, ["target: this key is missing"]),
        (TARGET, ["scenes: this key is missing"]),
        ("[target]\nname = 'x'\n" + SCENE, ["target.url: this key is missing"]),
        ("[target]\nurl = 'http://x'\n" + SCENE, ["target.name: this key is missing"]),
        ("name = 'x'\n" + GOOD, ["name: there is no such key"]),
        (GOOD + "[limit]\n", ["limit: there is no such key", "did you mean 'limits'?"]),
        (TARGET + "uri = 'x'\n" + SCENE, ["target.uri: there is no such key", "did you mean 'url'?"]),
        (TARGET + "name = 'y'\n" + SCENE, ["cannot be read as TOML"]),
        (GOOD + "[limits]\nanswer_second = 1\n", ["limits.answer_second", "did you mean 'answer_seconds'?"]),
        (GOOD + "[limits]\nanswer_seconds = 0\n", ["limits.answer_seconds: 0"]),
        (GOOD + "[limits]\nanswer_seconds = 601\n", ["limits.answer_seconds: 601"]),
        (GOOD + "[limits]\nanswer_seconds = nan\n", ["limits.answer_seconds"]),
        (GOOD + "[limits]\nanswer_seconds = inf\n", ["limits.answer_seconds"]),
        (GOOD + "[limits]\nanswer_seconds = '1'\n", ["limits.answer_seconds", "not of type 'number'"]),
        (GOOD + "[limits]\nanswer_seconds = true\n", ["limits.answer_seconds", "not of type 'number'"]),
        (GOOD + "[limits]\nconcurrency = 0\n", ["limits.concurrency: 0"]),
        (GOOD + "[limits]\nconcurrency = 2.5\n", ["limits.concurrency", "not of type 'integer'"]),
        (GOOD + "[limits]\nrequests = 0\n", ["limits.requests: 0"]),
        (GOOD + "[limits]\nmax_image_bytes = 1\n", ["limits.max_image_bytes: 1"]),
        (GOOD + "[limits]\nmin_image_side = 99\nmax_image_side = 98\n", ["limits.min_image_side"]),
        (GOOD + "[scenes.classifcation]\n", ["scenes.classifcation", "did you mean 'classification'?"]),
        (TARGET + "[scenes.classification]\nversion = '1'\n", ["scenes.classification.project: this key is missing"]),
        (TARGET + "[scenes.stopped]\nproject = 'x'\n", ["scenes.stopped.version: this key is missing"]),
        (GOOD.replace('"1"', "1"), ["scenes.classification.version", "not of type 'string'"]),
        (GOOD.replace('"1"', '"01"'), ["scenes.classification.version: '01'"]),
        (GOOD.replace('"1"', '"1\\n"'), ["scenes.classification.version: '1\\n'"]),
        (GOOD.replace('"cookies"', '"-cookies"'), ["scenes.classification.project: '-cookies'"]),
        (GOOD.replace('"cookies"', '"cookies\\n"'), ["scenes.classification.project: 'cookies\\n'"]),
        (GOOD.replace('"cookies"', f'"{"x" * 256}"'), ["scenes.classification.project"]),
        (GOOD + "colour = 'red'\n", ["scenes.classification.colour: there is no such key"]),
        (GOOD + "image = {width = 64}\n", ["scenes.classification.image.height: this key is missing"]),
        (
            GOOD + "image = {width = 64, height = 64, heigth = 64}\n",
            ["scenes.classification.image.heigth", "'height'?"],
        ),
        (GOOD + "image = {width = 0, height = 64}\n", ["scenes.classification.image.width: 0"]),
        (GOOD + "image = '64x64'\n", ["scenes.classification.image", "not of type 'object'"]),
        (TARGET + "[scenes]\nclassification = true\n", ["scenes.classification"]),
        (TARGET + "[scenes]\nclassification = 'none'\n", ["scenes.classification", "not of type 'object'"]),
        (TARGET + "[scenes]\nstopped = false\n", ["scenes.stopped", "not of type 'object'"]),
        (GOOD + "samples = ''\n", ["scenes.classification.samples"]),
        (GOOD + "samples = 'photos/*.png'\n", ["scenes.classification.samples: no PNG or JPEG", "'photos/*.png'"]),
        (GOOD + "samples = '.'\n", ["scenes.classification.samples"]),
        (GOOD + "samples = '/'\n", ["scenes.classification.samples"]),
        (GOOD + "samples = 'a/**.png'\n", ["scenes.classification.samples"]),
        (GOOD + 'samples = "a\\u0000.png"\n', ["scenes.classification.samples"]),
        (TARGET + "ca = 'ca.pem'\n" + SCENE, ["target.ca: there is no file 'ca.pem'"]),
        (TARGET + "ca = '.'\n" + SCENE, ["target.ca: there is no file '.'"]),
        (GOOD + '[known-failures]\n"mask.png" = ""\n', ["known-failures.mask.png"]),
        (GOOD + "[known-failures]\nmask.png = 'ticket'\n", ["known-failures.mask"]),
        (GOOD.replace("http:", "ftp:"), ["target.url: 'ftp://127.0.0.1:9'"]),
        ("[target", ["cannot be read as TOML"]),
        ("[[" * 5000, ["cannot be read as TOML"]),
        ("a = " + "[" * 5000, ["cannot be read as TOML"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ["cannot be read as TOML"]),
        (bytes(64), ["cannot be read as TOML"]),
        (b"\xff\xfe[\x00t\x00", ["cannot be read as TOML"]),
        (b"\xef\xbb\xbf" + GOOD.encode(), ["cannot be read as TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(text: str | bytes, words: list[str], tmp_path: Path) -> None:
    file = written(tmp_path, text)
    said = mistake(file)
    assert said.startswith(f"{file}: ")
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://x/api", "it must not hold a path"),
        ("http://u:p@x", "it must not hold a user name or password"),
        ("http://x:99999", "the port must be"),
        ("http://", "it has no host"),
    ],
)
def test_a_bad_url_is_said_with_its_key(url: str, words: str, tmp_path: Path) -> None:
    said = mistake(written(tmp_path, GOOD.replace("http://127.0.0.1:9", url)))
    assert "target.url: " in said
    assert words in said


@pytest.mark.parametrize(
    ("clause", "nearest"),
    [("mask.pgn", "did you mean 'mask.png'?"), ("succes.status", "did you mean 'success.status'?"), ("zzz", "")],
)
def test_an_unknown_clause_among_the_known_failures(clause: str, nearest: str, tmp_path: Path) -> None:
    said = mistake(written(tmp_path, f'{GOOD}[known-failures]\n"{clause}" = "ticket"\n'))
    assert f"known-failures.{clause}: there is no such clause" in said
    assert said.endswith(nearest or "clause")


def test_a_directory_is_no_target_file(tmp_path: Path) -> None:
    assert mistake(tmp_path).startswith(f"{tmp_path}: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert mistake(tmp_path / "no.toml") == f"{tmp_path / 'no.toml'}: there is no such target file"


class TestPhotographs:
    """Photographs of the user's own."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda file: file.write_bytes(b""),
            lambda file: file.write_bytes(b"not an image"),
            lambda file: file.write_bytes(b"\x89PNG\r\n\x1a\n"),
            lambda file: file.write_bytes(b"\xff\xd8\xff"),
            lambda file: file.write_bytes(b"GIF89a" + bytes(30)),
            lambda file: file.mkdir(),
        ],
        ids=["empty", "text", "png-signature", "jpeg-start", "gif", "directory"],
    )
    def test_an_unreadable_one_is_named(self, make: Callable[[Path], object], tmp_path: Path) -> None:
        make(tmp_path / "broken.png")
        said = mistake(written(tmp_path, GOOD + "samples = '*.png'\n"))
        assert said.startswith(f"{tmp_path / 'broken.png'}: this photograph cannot be read: ")

    @pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
    def test_they_give_the_size_of_the_model(self, absolute: bool, tmp_path: Path) -> None:
        folder = tmp_path / "photos"
        folder.mkdir()
        for name in ("a.png", "b.JPG", "c.jpeg"):
            Image.new("RGB", (96, 80), (100, 90, 80)).save(folder / name)
        (folder / "notes.txt").write_text("", encoding="utf-8")
        pattern = f"{tmp_path if absolute else '.'}/photos/*"
        target = load(written(tmp_path, f"{GOOD}samples = '{pattern}'\n"))
        assert [each.name for each in target.scenes["classification"].samples] == ["a.png", "b.JPG", "c.jpeg"]
        assert run.prepare(target).target.scenes["classification"].image == Size(96, 80)


class TestGoodFiles:
    """What is right."""

    def test_the_least_that_a_file_must_say(self, tmp_path: Path) -> None:
        expected = Target("x", "http://127.0.0.1:9", scenes={"classification": Scene("classification", "cookies", "1")})
        assert load(written(tmp_path, GOOD)) == expected

    def test_everything_that_it_may_say(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_text("", encoding="utf-8")
        text = """\
[target]
name = "ACME"
version = "2"
url = "https://acme.example:8443/"
ca = "ca.pem"
organization = "ACME Inc."
contact = "q@acme.example"
homepage = "https://acme.example"
[limits]
answer_seconds = 2.5
concurrency = 1
requests = 900
max_image_bytes = 100000
min_image_side = 1
max_image_side = 64
[scenes]
segmentation = false
[scenes.classification]
project = "a-B_9"
version = "latest"
image = { width = 640, height = 480 }
[scenes.missing-project]
project = "b"
version = "1"
[scenes.missing-version]
project = "c"
version = "9999999999"
[scenes.stopped]
project = "d"
version = "1"
[known-failures]
"mask.png" = "ticket 4711"
"""
        assert load(written(tmp_path, text)) == Target(
            "ACME",
            "https://acme.example:8443/",
            "2",
            tmp_path / "ca.pem",
            {"organization": "ACME Inc.", "contact": "q@acme.example", "homepage": "https://acme.example"},
            Limits(2.5, 1, 900, 100000, 1, 64),
            {
                "classification": Scene("classification", "a-B_9", "latest", Size(640, 480)),
                "missing-project": Scene("missing-project", "b", "1"),
                "missing-version": Scene("missing-version", "c", "9999999999"),
                "stopped": Scene("stopped", "d", "1"),
            },
            frozenset({"segmentation"}),
            {"mask.png": "ticket 4711"},
        )

    @pytest.mark.parametrize("name", ["acme", "reference"])
    def test_those_that_we_ship(self, name: str) -> None:
        prepared = run.prepare(load(shipped("fixtures", "targets", f"{name}.toml")))
        assert prepared.planned > 400

    def test_what_the_example_has_commented_out_is_valid_too(self, tmp_path: Path) -> None:
        """Except for the files that it names."""
        text = shipped("fixtures", "targets", "acme.toml").read_text(encoding="utf-8")
        lines = text.splitlines()[1:]
        lines = [line.removeprefix("# ") for line in lines if not line.startswith(("# ca", "# samples"))]
        target = load(written(tmp_path, "\n".join(lines)))
        assert target.limits == Limits(10, 4, 2000, 8_000_000, 64, 4096)
        assert list(target.known_failures) == ["mask.png"]

    @pytest.mark.parametrize(
        "more",
        [
            "image = { width = 1, height = 1 }",
            "image = { width = 320, height = 256 }\n[limits]\nmax_image_bytes = 100000",
            "[limits]\nmax_image_bytes = 100000",
            "[limits]\nmax_image_bytes = 8000000.0",
            "[limits]\nconcurrency = 4.0",
            "image = { width = 64.0, height = 64.0 }",
            "[limits]\nmin_image_side = 1",
            "[limits]\nmin_image_side = 400\nmax_image_side = 400",
            "[limits]\nmax_image_side = 64",
        ],
    )
    def test_a_file_that_is_taken_can_be_planned_for(self, more: str, tmp_path: Path) -> None:
        """Nothing that the schema lets pass makes us fail later."""
        prepared = run.prepare(load(written(tmp_path, f"{GOOD}{more}\n")))
        assert sum(len(case.request.wire) for case in prepared.plan.cases()) > 0

    def test_scenes_without_a_model_can_be_planned_for(self, tmp_path: Path) -> None:
        text = TARGET + "[scenes]\nclassification = false\nsegmentation = false\n"
        assert run.prepare(load(written(tmp_path, text))).planned == 0
        text += "[scenes.stopped]\nproject = 'x'\nversion = '1'\n"
        assert run.prepare(load(written(tmp_path, text))).planned > 0
