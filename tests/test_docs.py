"""The documents keep what they promise: their commands run, and what is committed is current."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from conformance import cli, serving
from conformance.reference.server import running

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:conformance|make|pip|pytest|SCHEMA\w+=\S+) .*", README.replace("\\\n", " "), re.MULTILINE)
OURS = [line for line in COMMANDS if line.startswith("conformance ")]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
SHELL = {
    (path.name, line)
    for path in DOCUMENTS
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
}
"""Every line of shell in the documents, with its document."""
BY_OPENSSL = "mkdir type= sed { openssl (cd".split()
"""What else a line may begin with: those by hand, which test_certification_docs.py runs."""


def renewer() -> ModuleType:
    """The script that renews the committed files."""
    spec = spec_from_file_location("renew", ROOT / "reports" / "reference" / "renew.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["report.md", "terminal.svg"])
def test_what_is_committed_is_current(name: str) -> None:
    """The reference's report and the picture are what the suite makes today: else run reports/reference/renew.py."""
    assert (ROOT / "reports" / "reference" / name).read_text(encoding="utf-8") == renewer().files()[name]


def test_every_command_of_the_readme_is_known_here() -> None:
    """A command that is added to the README gets a test."""
    first_words = {line.split()[0] for line in COMMANDS}
    assert {"conformance", "make", "pip", "pytest", "SCHEMATHESIS_HOOKS=conformance.schemathesis"} >= first_words
    assert {"make run", "make test"} == {line for line in COMMANDS if line.startswith("make")}


@pytest.mark.parametrize("line", sorted({*OURS, *(line for _, line in SHELL if line.startswith("conformance "))}))
def test_our_commands_are_understood(line: str) -> None:
    """The command line takes every command that the README and the documents show, options and all."""
    options = cli.parser().parse_args(line.split()[1:])
    assert callable(options.command)


def test_every_line_of_shell_in_the_documents_is_known_here() -> None:
    """A line that is added gets a test."""
    known = ("conformance ", *BY_OPENSSL)
    assert [line for _, line in sorted(SHELL) if not line.startswith(known)] == []
    assert {name for name, line in SHELL if not line.startswith("conformance ")} == {"certification.md"}


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "SECURITY.md", *DOCUMENTS], ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    """Those to files; a section that is named is there."""
    for goal in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, section = goal.partition("#")
        if "://" not in goal:
            assert (path.parent / file).exists(), goal
            assert not section, goal


def test_a_server_is_judged_as_the_readme_says(tmp_path: Path) -> None:
    """The run from a URL alone ends partial, and the one from a target file conformant."""
    line = next(line for line in OURS if "--classification" in line)
    with running() as url:
        words = line.replace("http://127.0.0.1:8080", url).split()[1:]
        assert cli.main([*words, "--depth", "quick", "--quiet", "--out", str(tmp_path)]) == 4
        file = ROOT / "fixtures" / "targets" / "reference.toml"
        run = ["run", url, "--target", str(file), "--depth", "quick", "--quiet", "--out", str(tmp_path)]
        assert (cli.main(run), cli.main([*run, "--gate"])) == (4, 0)


def test_the_rule_in_the_readme_is_one() -> None:
    """The example of a rule is Python."""
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "@rule" in block)
    compile("\n".join(line.removeprefix("   ") for line in example.splitlines()), "README.md", "exec")


def test_the_wheel_runs_from_an_empty_directory(tmp_path: Path) -> None:
    """Installed as others install it, the suite brings its documents along, and judges the reference."""
    wheels, room = tmp_path / "wheels", tmp_path / "room"
    room.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(tmp_path / "site"), str(wheel)], check=True)
    code = "import conformance.cli as c; print(c.__file__); exit(c.main(['run', '--depth', 'quick', '--quiet']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=room,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "site") in done.stdout
    written = {file.name for file in room.glob("reports/reference/*/*")}
    assert written >= {"report.json", "report.md", "report.html", "junit.xml"}


def test_the_boto3_client_in_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From photographs to a decision, as written: train, serve, ask."""
    from conformance.reference.vision.scenes import cookie

    (tmp_path / "photos").mkdir()
    for seed in range(10):
        cookie(seed).picture.save(tmp_path / "photos" / f"{seed}.jpg", quality=95)
    cookie(1000, "bite").picture.save(tmp_path / "part.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    training = next(line for line in OURS if line.startswith("conformance train"))
    assert cli.main(training.split()[1:]) == 0
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "boto3" in block)
    store = serving.store_of(Path("models"))
    with running(store=store) as url:
        program = example.replace("http://127.0.0.1:8080", url)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "'IsAnomalous': True" in done.stdout
