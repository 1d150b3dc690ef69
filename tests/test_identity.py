"""Who judged is told truly: a wheel that nobody has touched, or something else; and nobody is named who ran it."""

from __future__ import annotations

import getpass
import json
import platform
import socket
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.certification.identity import Origin, Suite, environment, suite

ROOT = Path(__file__).parent.parent
TELL = "import json; from conformance.certification.identity import suite; print(json.dumps(suite().to_document()))"


class Installed:
    """The suite in an environment of its own, from a wheel; what it needs is ours."""

    def __init__(self, at: Path) -> None:
        self.at = at
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(at / "wheels"), str(ROOT)], check=True)
        (wheel,) = (at / "wheels").glob("*.whl")
        venv.create(at / "venv", with_pip=False)
        self.python = at / "venv" / "bin" / "python"
        (self.site,) = (at / "venv" / "lib").glob("python*/site-packages")
        subprocess.run([*pip, "--python", str(self.python), "install", "--no-deps", str(wheel)], check=True)
        # behind what is installed there, and without the .pth of our own checkout
        (self.site / "ours.pth").write_text(str(Path(pytest.__file__).parent.parent), encoding="utf-8")

    def suite(self) -> dict[str, str]:
        """What it says of itself."""
        done = subprocess.run([self.python, "-c", TELL], cwd=self.at, capture_output=True, text=True, check=True)
        said: dict[str, str] = json.loads(done.stdout)
        return said


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"))


def test_a_wheel_and_the_checkout_are_the_same_suite(installed: Installed) -> None:
    """So that whoever verifies with a checkout agrees with a vendor who has the wheel."""
    said = installed.suite()
    assert said == suite().to_document() | {"origin": "wheel"}


def test_a_checkout_is_self_built() -> None:
    assert suite().origin is Origin.SELF_BUILT


def one_byte(package: Path) -> Path:
    file = package / "judge.py"
    file.write_bytes(file.read_bytes() + b"\n")
    return file


def a_byte_of_the_contract(package: Path) -> Path:
    file = package / "_shipped" / "schemas" / "clauses.yaml"
    file.write_bytes(file.read_bytes() + b"#")
    return file


def a_file_more(package: Path) -> Path:
    file = package / "rules" / "lenient.py"
    file.touch()
    return file


def a_file_less(package: Path) -> Path:
    file = package / "py.typed"
    file.unlink()
    return file


@pytest.mark.parametrize("change", [one_byte, a_byte_of_the_contract, a_file_more, a_file_less])
def test_what_was_changed_is_self_built(installed: Installed, change: Callable[[Path], Path]) -> None:
    """And another suite, which a verifier with the released one refuses."""
    package = installed.site / "conformance"
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    changed = change(package)
    try:
        said = installed.suite()
    finally:
        if changed in before:
            changed.write_bytes(before[changed])
        else:
            changed.unlink()
    assert said["origin"] == "self-built"
    assert said["sha256"] != suite().sha256
    assert installed.suite()["origin"] == "wheel"


def test_what_python_has_compiled_is_no_change(installed: Installed) -> None:
    subprocess.run([installed.python, "-m", "compileall", "-q", str(installed.site / "conformance")], check=True)
    assert installed.suite()["origin"] == "wheel"


def test_a_suite_is_written_down() -> None:
    said = Suite("1.2.3", "ab" * 32, Origin.WHEEL).to_document()
    assert said == {"name": "detect-anomalies-conformance", "version": "1.2.3", "sha256": "ab" * 32, "origin": "wheel"}


def test_the_environment_names_versions_and_nobody() -> None:
    said = environment()
    assert {"python", "system", "openssl", "hypothesis", "schemathesis", "pillow", "numpy"} <= set(said)
    text = json.dumps(said)
    told = {getpass.getuser(), socket.gethostname(), platform.node(), str(Path.home()), str(ROOT)}
    assert not [each for each in told if len(each) > 3 and each in text]
    assert said["system"] == f"{platform.system()} {platform.machine()}"
