"""The command: what it does, prints and exits with."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance import __version__, run
from conformance.cli import main
from conformance.cli.options import FORMATS, default_folder
from conformance.contract.clauses import catalogue
from conformance.reference.app import HONEST, Call, Reply
from conformance.reference.mutants import MUTANTS
from conformance.reference.server import running
from conformance.reference.variants import VARIANTS
from conformance.report import document
from conformance.rules import RULES
from conformance.shipped import shipped

COMMAND = [sys.executable, "-m", "conformance.cli"]
RUN = ["run", "--depth", "quick"]
SCENES = ["--classification", "cookies/1", "--segmentation", "circuits/2"]
OTHERS = ["--missing-project", "nobody/1", "--missing-version", "cookies/7", "--stopped", "boards/1"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as base:
        yield base


def conclusion(folder: Path) -> str:
    return str(document.load(folder / "report.json")["conclusion"])


def outcomes(folder: Path) -> dict[str, str]:
    return {row["id"]: row["outcome"] for row in document.load(folder / "report.json")["clauses"]}


def mistake(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command complains of: one line on standard error, nothing on standard output, exit code 2."""
    assert main(arguments) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    lines = errors.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("conformance: ")
    return str(lines[0].removeprefix("conformance: "))


class TestRun:
    """conformance run."""

    def test_the_reference_is_judged_when_nothing_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(RUN) == 0
        out, errors = capsys.readouterr()
        (folder,) = (tmp_path / "reports" / "reference").iterdir()
        assert conclusion(folder) == "conformant"
        written = {"report.json", "junit.xml", "report.md", "report.html", "evidence.jsonl", "evidence.blobs"}
        assert {file.name for file in folder.iterdir()} >= written
        last = out.splitlines()[-2:]
        assert last[0].startswith("verdict on reference: conformant (")
        assert last[1] == f"report: {folder.relative_to(tmp_path)}"
        assert re.match(
            r"(judging )?reference at http://127\.0\.0\.1:\d+: \d+ requests, of which .*\d+ have a model look", errors
        )

    @pytest.mark.parametrize(("gate", "code"), [([], 4), (["--gate"], 0)], ids=["plain", "gate"])
    def test_a_url_and_two_scenes_are_a_partial_run(self, url: str, gate: list[str], code: int, tmp_path: Path) -> None:
        assert main([*RUN, url, *SCENES, "--out", str(tmp_path), "--quiet", *gate]) == code
        assert conclusion(tmp_path) == "partial"

    def test_a_url_and_all_scenes_are_a_whole_run_but_for_states(self, url: str, tmp_path: Path) -> None:
        """Declared limits are not needed, hooks are."""
        assert main([*RUN, url, *SCENES, *OTHERS, "--out", str(tmp_path), "--quiet"]) == 4
        written = document.load(tmp_path / "report.json")["clauses"]
        missing = {row["id"] for row in written if row["level"] == "MUST" and row["outcome"] == "unexercised"}
        assert missing == {"state.throttled", "state.fault", "state.forbidden", "state.conflict"}

    def test_one_scene_is_a_partial_run(self, url: str, tmp_path: Path) -> None:
        assert main([*RUN, url, *SCENES[:2], "--image", "256x192", "--out", str(tmp_path), "--quiet"]) == 4
        assert conclusion(tmp_path) == "partial"

    def test_a_failure_is_exit_code_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with running(replace(HONEST, success_status=201)) as url:
            assert main([*RUN, url, *SCENES, *OTHERS, "--out", str(tmp_path)]) == 1
        out = capsys.readouterr().out
        assert out.startswith("MUST success.status failed: ")
        assert f"python {tmp_path}/repeat/success.status-1.py" in out
        assert (tmp_path / "repeat" / "success.status-1.py").is_file()

    def test_known_failures_and_stale_ones(self, tmp_path: Path) -> None:
        """Listed failures pass the gate only; a listed clause that passes again fails it."""
        text = shipped("fixtures", "targets", "reference.toml").read_text(encoding="utf-8")
        file = tmp_path / "target.toml"
        file.write_text(text + '\n[known-failures]\n"success.status" = "ticket 7"\n', encoding="utf-8")
        command = [*RUN, "--target", str(file), "--out", str(tmp_path), "--quiet"]
        with running(replace(HONEST, success_status=201)) as url:
            assert main([*command, url]) == 1
            assert main([*command, url, "--gate"]) == 0
        with running() as url:
            assert main([*command, url, "--gate"]) == 1
        assert document.load(tmp_path / "report.json")["stale_known_failures"] == ["success.status"]

    @pytest.mark.parametrize(
        ("words", "selected"),
        [
            (["mask"], [clause.id for clause in catalogue().tested() if clause.section == "mask"]),
            (["success.status", "http.answered"], ["success.status", "http.answered"]),
        ],
        ids=["section", "clauses"],
    )
    def test_a_selection_deselects_the_rest(
        self, url: str, words: list[str], selected: list[str], tmp_path: Path
    ) -> None:
        only = [part for word in words for part in ("--only", word)]
        assert main([*RUN, url, *SCENES, "--out", str(tmp_path), "--quiet", *only]) == 4
        found = document.load(tmp_path / "report.json")["clauses"]
        deselected = [row["id"] for row in found if row["reason"] == "deselected"]
        assert deselected == [clause.id for clause in catalogue().tested() if clause.id not in selected]
        assert all(outcomes(tmp_path)[name] == "passed" for name in selected)

    def test_every_format_is_offered(self) -> None:
        assert list(FORMATS) == list(run.FORMATS)

    @pytest.mark.parametrize(
        ("formats", "files"),
        [
            (["junit"], {"report.json", "junit.xml"}),
            (["markdown", "json"], {"report.json", "report.md"}),
            (["html"], {"report.json", "report.html"}),
        ],
        ids=["junit", "markdown-json", "html"],
    )
    def test_formats_are_chosen(self, url: str, formats: list[str], files: set[str], tmp_path: Path) -> None:
        chosen = [part for name in formats for part in ("--format", name)]
        main([*RUN, url, *SCENES, "--only", "mask", "--out", str(tmp_path), "--quiet", "--no-evidence", *chosen])
        assert {file.name for file in tmp_path.iterdir()} == files

    def test_quiet_prints_nothing(self, url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        main([*RUN, url, *SCENES, "--out", str(tmp_path), "--quiet"])
        assert capfd.readouterr() == ("", "")

    def test_the_announcement_cannot_speak_to_a_ci_system(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        text = shipped("fixtures", "targets", "reference.toml").read_text(encoding="utf-8")
        file = tmp_path / "target.toml"
        file.write_text(text.replace('"reference"', '"::error::x"'), encoding="utf-8")
        main([*RUN, "http://127.0.0.1:9", "--target", str(file), "--out", str(tmp_path)])
        lines = "\n".join(capfd.readouterr()).splitlines()
        assert not [line for line in lines if line.lstrip().startswith(("::", "##"))]


class TestMistakes:
    """What an operator gets wrong is one sentence and exit code 2, and nothing is sent."""

    @pytest.mark.parametrize(
        ("bad", "words"),
        [
            ("ftp://{host}", "ftp://"),
            ("{host}", "{host}"),
            ("http://{host}/api", "it must not hold a path"),
            ("http://{host}?a=b", "it must not hold a query or a fragment"),
            ("http://{host}#a", "it must not hold a query or a fragment"),
            ("http://user:secret@{host}", "it must not hold a user name or password"),
            ("http://127.0.0.1:0", "the port must be"),
            ("http://127.0.0.1:65536", "the port must be"),
            ("http://127.0.0.1:http", "the port must be"),
            ("http://", "it has no host"),
            ("http://{host}\n", "{host}"),
            ("http://a b", "a space"),
        ],
        ids="scheme no-scheme path query fragment user port-0 port-65536 port-word no-host newline space".split(),
    )
    def test_a_bad_url(self, bad: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host = f"127.0.0.1:{listener.getsockname()[1]}"
            said = mistake(capsys, "run", bad.format(host=host), *SCENES)
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
        assert "target.url" in said
        assert words.format(host=host) in said

    def test_a_password_is_not_repeated(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "secret" not in mistake(capsys, "run", "http://user:secret@127.0.0.1:9", *SCENES)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--only", "msk"], "did you mean 'mask'?"),
            (["--only", "success.statsu"], "did you mean 'success.status'?"),
            (["--only", "qqqqqq"], "there is no section or clause 'qqqqqq'"),
            (["--only", ""], "there is no section or clause ''"),
            (["--classification", "cookies"], "--classification cookies: this is not of the form PROJECT/VERSION"),
            (["--classification", "cookies/"], "scenes.classification.version"),
            (["--classification", "/1"], "scenes.classification.project"),
            (["--classification", "cookies/1/2"], "scenes.classification.version"),
            (["--classification", "coo kies/1"], "scenes.classification.project"),
            (["--classification", "cookies/0"], "scenes.classification.version"),
            (["--classification", "cookies/1\n"], "scenes.classification.version"),
            (["--image", "wide"], "--image wide: this is not of the form WIDTHxHEIGHT"),
            (["--image", "0x7"], "scenes.classification.image.width"),
            (["--image", "7"], "--image 7"),
        ],
    )
    def test_a_bad_option(self, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert words in mistake(capsys, "run", "http://127.0.0.1:9", *SCENES, *arguments)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["http://127.0.0.1:9"], "declare --classification or --segmentation"),
            (SCENES, "there is no URL to judge"),
            (["--image", "7x7"], "there is no URL to judge"),
            (["--target", "nowhere.toml"], "nowhere.toml: there is no such target file"),
            (["--target", "nowhere.toml", *SCENES], "belong into the target file"),
        ],
        ids=["url-alone", "scenes-alone", "image-alone", "no-file", "file-and-scenes"],
    )
    def test_too_little_or_too_much(self, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert words in mistake(capsys, "run", *arguments)

    @pytest.mark.parametrize(
        "arguments",
        [["run", "--format", "pdf"], ["list", "things"], ["explain"], ["jump"], [], ["serve", "--port", "x"]],
    )
    def test_words_that_the_command_does_not_know(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "usage: conformance" in capsys.readouterr().err

    def test_a_place_that_cannot_be_written_is_named_before_anything_is_sent(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        calls: list[Call] = []

        def finish(call: Call, reply: Reply) -> Reply:
            calls.append(call)
            return reply

        (tmp_path / "taken").write_text("", encoding="utf-8")
        with running(replace(HONEST, finish=finish)) as url:
            said = main([*RUN, url, *SCENES, "--quiet", "--out", str(tmp_path / "taken")])
        assert said == 2
        assert "taken" in capsys.readouterr().err
        assert len(calls) == 0


class TestListAndExplain:
    """What the suite knows of itself."""

    @pytest.mark.parametrize(
        ("kind", "ids"),
        [
            ("clauses", list(catalogue().clauses)),
            ("rules", [rule.id for rule in RULES]),
            ("mutants", [mutant.id for mutant in MUTANTS]),
            ("variants", [variant.id for variant in VARIANTS]),
        ],
    )
    def test_everything_is_listed(self, kind: str, ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["list", kind]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ids
        assert ids

    def test_cases_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["list", "cases"]) == 0
        lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        assert lines["witness.classification-1"] == "sound"
        assert lines["body.empty"] == "body.required"

    def test_clauses_are_listed_when_nothing_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["list"]) == 0
        assert capsys.readouterr().out.startswith(next(iter(catalogue().clauses)))

    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("mask.png", ["mask.png (MUST, section Mask)", "demands", "sources", "proven by"]),
            ("route.query", ["(OBSERVE, section Route)", "asks", "readings", "nobody is blamed"]),
            ("a-success-is-200", ["rule a-success-is-200", "success.status (MUST"]),
            ("witness.classification-1", ["as it is sent", "POST /2020-11-20/projects/cookies/models/1/detect"]),
            (MUTANTS[0].id, [f"mutant {MUTANTS[0].id}", "fault", f"serve --mutant {MUTANTS[0].id}"]),
            (VARIANTS[0].id, [f"variant {VARIANTS[0].id}", "freedom", f"serve --variant {VARIANTS[0].id}"]),
        ],
        ids=["clause", "observe", "rule", "case", "mutant", "variant"],
    )
    def test_each_kind_is_explained(self, word: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", word]) == 0
        out = capsys.readouterr().out
        for part in expected:
            assert part in re.sub(r"\s+", " ", out)

    @pytest.mark.parametrize(
        ("begin", "words"),
        [
            ("{} (", list(catalogue().clauses)),
            ("rule {}\n", [rule.id for rule in RULES]),
            ("mutant {}\n", [mutant.id for mutant in MUTANTS]),
            ("variant {}\n", [variant.id for variant in VARIANTS]),
        ],
        ids=["clauses", "rules", "mutants", "variants"],
    )
    def test_everything_can_be_explained(
        self, begin: str, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each as what it is: where names meet, the explanation of one would hide the other's."""
        hidden = []
        for word in words:
            assert main(["explain", word]) == 0
            if not capsys.readouterr().out.startswith(begin.format(word)):
                hidden.append(word)
        assert hidden == []

    @pytest.mark.parametrize(
        ("word", "nearest"),
        [("mask.pgn", "mask.png"), ("a-succes-is-200", "a-success-is-200"), (f"{MUTANTS[0].id}x", MUTANTS[0].id)],
    )
    def test_a_typo_is_answered_with_the_nearest_name(
        self, word: str, nearest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert mistake(capsys, "explain", word).endswith(f"did you mean {nearest!r}?")

    def test_a_list_can_be_cut_off(self) -> None:
        """As by ``| head -1``: no traceback."""
        with subprocess.Popen(
            [*COMMAND, "list", "mutants"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""


class TestServe:
    """conformance serve."""

    @pytest.mark.parametrize(
        ("options", "said", "number"),
        [
            ([], "serving the reference at ", signal.SIGTERM),
            (["--mutant", MUTANTS[0].id], f"serving mutant {MUTANTS[0].id} at ", signal.SIGINT),
            (["--variant", VARIANTS[0].id], f"serving variant {VARIANTS[0].id} at ", signal.SIGTERM),
        ],
        ids=["reference", "mutant", "variant"],
    )
    def test_it_says_where_answers_and_ends(self, options: list[str], said: str, number: signal.Signals) -> None:
        command = [*COMMAND, "serve", "--port", "0", "--log-format", "none", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(said)
            with pytest.raises(urllib.error.HTTPError) as answer:
                urllib.request.urlopen(line.removeprefix(said).strip(), timeout=5)  # noqa: S310
            answer.value.close()
            process.send_signal(number)
            assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0
        assert 400 <= answer.value.code < 500

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (
                ["--mutant", f"{MUTANTS[0].id}x"],
                f"there is no mutant '{MUTANTS[0].id}x'; did you mean '{MUTANTS[0].id}'?",
            ),
            (["--variant", "qqqqqqqq"], "there is no variant 'qqqqqqqq'"),
            (["--port", "65536"], "cannot listen on 127.0.0.1:65536"),
            (["--port", "-1"], "cannot listen on 127.0.0.1:-1"),
            (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1:8080"),
        ],
        ids=["mutant", "variant", "port-high", "port-low", "host"],
    )
    def test_what_cannot_be_served_is_a_mistake(
        self, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert words in mistake(capsys, "serve", *arguments)

    def test_a_port_that_is_taken_is_a_mistake(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
            assert f"cannot listen on 127.0.0.1:{port}" in mistake(capsys, "serve", "--port", port)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("reference", "reference"),
        ("ACME Vision Gateway", "ACME-Vision-Gateway"),
        ("127.0.0.1:8080", "127.0.0.1-8080"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "target"),
        ("/", "target"),
        ("", "target"),
        ("ärger\0\x1b", "rger"),
        ("x" * 300, "x" * 80),
    ],
)
def test_the_default_folder_is_safe(name: str, safe: str) -> None:
    folder = default_folder(name)
    assert folder.parts[:2] == ("reports", safe)
    moment = datetime.strptime(folder.parts[2], "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert len(folder.parts) == 3


def test_the_command_is_a_program(tmp_path: Path) -> None:
    """The real thing: a process, its exit code, and a report that can be read."""
    done = subprocess.run(
        [*COMMAND, *RUN, "--out", "here", "--only", "mask"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert done.stdout.splitlines()[-1] == "report: here"
    assert json.loads((tmp_path / "here" / "report.json").read_text(encoding="utf-8"))["conclusion"] == "partial"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"conformance {__version__}\n"
