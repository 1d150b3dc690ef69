"""Installing clients into a cache: on demand, from their pins, and whole or not at all."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from conformance.clients.process import end, last_lines
from conformance.clients.table import Client, Language

STEP_SECONDS = 900.0
"""The most that one step of an installation may take."""
OLDEST_NODE = 18

_NOT_THEIRS = re.compile("AWS_.*|PYTHON(PATH|HOME|STARTUP)|VIRTUAL_ENV|NODE_(OPTIONS|PATH)")
_ADDRESS = re.compile(r"\b[a-z]+://\S+")


class NotInstalled(Exception):
    """A client cannot be had; the message says why."""


@dataclass(frozen=True)
class Step:
    """One program of an installation."""

    title: str
    command: tuple[str, ...]


Recipe = Callable[[Path], Sequence[Step]]
"""The steps that fill a folder with a client."""
Check = Callable[[Path], str]
"""What is wrong with a client that was installed; nothing when it works."""


def default_cache(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where this platform keeps what can be had again."""
    home = Path.home()
    if system == "darwin":
        base = home / "Library" / "Caches"
    elif system == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "detect-anomalies-conformance" / "clients"


def folder_of(client: Client, cache_folder: Path) -> Path:
    """The folder that is this client's for as long as its pins, this Python and this platform are what they are."""
    runtime = f"{sys.version_info[:2]} {sys.base_prefix} {platform.machine()} {sys.platform}"
    digest = sha256(client.pins.read_bytes() + f"{client.language} {runtime}".encode()).hexdigest()
    return cache_folder / f"{client.id}-{digest[:16]}"


def install(
    client: Client, cache_folder: Path, recipe: Recipe, check: Check, on_step: Callable[[str], None] = lambda _: None
) -> Path:
    """The folder with the client, which is filled first when there is none. Raises NotInstalled.

    It is filled under another name, checked, and renamed: under its own name there is never half of one.
    """
    folder = folder_of(client, cache_folder)
    if folder.is_dir():
        return folder
    with _draft(client, cache_folder) as draft_name:
        draft = Path(draft_name)
        for step in recipe(draft):
            on_step(step.title)
            if trouble := run_step(step, draft):
                raise NotInstalled(f"{step.title} failed: {trouble}")
        on_step("check")
        if trouble := check(draft):
            raise NotInstalled(f"what was installed does not work: {trouble}")
        with suppress(OSError):  # somebody else was faster
            draft.rename(folder)
    if not folder.is_dir():
        raise NotInstalled(f"{folder}: it cannot be moved here")
    return folder


def _draft(client: Client, cache_folder: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        cache_folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=f".{client.id}-", dir=cache_folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise NotInstalled(f"{cache_folder}: nothing can be kept here: {error.strerror or error}") from None


def run_step(step: Step, folder: Path, seconds: float = STEP_SECONDS) -> str:
    """Run one step in a folder: what went wrong, or nothing."""
    environment = {name: value for name, value in os.environ.items() if not _NOT_THEIRS.fullmatch(name)}
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(  # noqa: S603 (pip or npm, and no shell)
                step.command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return f"{step.command[0]}: {error.strerror or error}"
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"it took longer than {seconds:g} s"
        finally:
            end(process)
        return f"exit code {code}, saying: {_tail(output.fileno())}" if code else ""


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    os.lseek(descriptor, max(0, size - 2000), os.SEEK_SET)
    return _ADDRESS.sub("(an address)", last_lines(os.read(descriptor, 2000)))


def recipe_for(client: Client) -> Recipe:
    """How this client is installed. Raises NotInstalled when what it takes is not there."""
    return _with_npm(client) if client.language is Language.NODE else _with_pip(client)


def runner(client: Client, folder: Path) -> tuple[str, ...]:
    """The command that drives a client which is installed in this folder. Raises NotInstalled."""
    if client.language is Language.NODE:
        return node(), str(client.driver), str(folder)
    return str(_python(folder)), "-I", str(client.driver)


def _with_pip(client: Client) -> Recipe:
    def steps(folder: Path) -> Sequence[Step]:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        return (
            Step("python -m venv", (sys.executable, "-m", "venv", str(folder))),
            Step(
                "pip install",
                (str(_python(folder)), "-m", "pip", "install", *quiet, "--only-binary=:all:", "-r", str(client.pins)),
            ),
        )

    return steps


def _python(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _with_npm(client: Client) -> Recipe:
    node()
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("there is no npm")
    flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-update-notifier")

    def steps(folder: Path) -> Sequence[Step]:
        shutil.copy(client.pins, folder / "package.json")
        return (Step("npm install", (npm, "install", *flags)),)

    return steps


@cache
def node() -> str:
    """The path of Node itself, past all shims. Raises NotInstalled when there is none, or only an old one."""
    wanted = f"Node {OLDEST_NODE} or later is needed"
    found = shutil.which("node")
    if found is None:
        raise NotInstalled(f"{wanted}, and there is none")
    script = "console.log(process.execPath); console.log(process.versions.node)"
    try:
        done = subprocess.run((found, "-e", script), capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
        path, version = done.stdout.splitlines()
        old = int(version.partition(".")[0]) < OLDEST_NODE
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NotInstalled(f"{wanted}, and what there is does not work: {type(error).__name__}") from None
    if old:
        raise NotInstalled(f"{wanted}, and there is {version}")
    return path
