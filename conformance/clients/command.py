"""The command: have the clients there, drive the target, leave the matrix."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from conformance.clients import report
from conformance.clients.installation import Check, NotInstalled, default_cache, install, recipe_for, runner
from conformance.clients.matrix import STARTING, Cell, Drive, Matrix, Runner, requests_at_most
from conformance.clients.process import KEYS, clean_environment, converse
from conformance.clients.table import CLIENTS, SCENARIOS, Client
from conformance.discretion import Discretion
from conformance.mistake import OperatorMistake
from conformance.provisions import SigV4
from conformance.report.visible import visible
from conformance.run import make_room, opener_for
from conformance.signing import found
from conformance.target import Target
from conformance.wire.client import Client as WireClient
from conformance.wire.client import Endpoint, Limits

Say = Callable[[str], None]

REGION = "us-east-1"
"""What clients sign for, unless the target wants another region."""


def command(
    target: Target,
    names: Sequence[str],
    cache: Path | None,
    folder: Path,
    credentials: Mapping[str, str] | None = None,
    region: str = REGION,
) -> int:
    """Drive a target with these clients, or with all. Returns the exit code; raises OperatorMistake.

    ``credentials`` are by the names of environment variables, for targets that check signatures; ``declared_keys``
    gives those of a target file.
    """
    chosen = [client for client in CLIENTS if not names or client.id in names]
    drive = _drive(target, region, credentials)
    _within_budget(target, len(chosen))
    make_room(folder)
    with _progress(len(chosen) * len(SCENARIOS)) as (say, advance):
        runners = [_runner(client, cache or default_cache(), say) for client in chosen]
        say(f"driving {target.name}")
        matrix = _run(drive, runners, say, advance)
    report.write(matrix, folder)
    report.show(matrix, folder)
    return matrix.exit_code


def declared_keys(target: Target) -> dict[str, str] | None:
    """The keys that a target file names for its target, by the names that clients know; None where it names none.

    Raises OperatorMistake when they are not found, or when it is not with keys that the target is asked.
    """
    if target.auth is None:
        return None
    if not isinstance(target.auth, SigV4):
        raise OperatorMistake("auth.kind: AWS clients sign what they send, and can send no header of ours")
    principal = found(target.auth.keys)
    values = (principal.access_key, principal.secret_key, principal.token)
    return {name: value for name, value in zip(KEYS, values, strict=True) if value}


def _drive(target: Target, region: str, credentials: Mapping[str, str] | None) -> Drive:
    opener = opener_for(target)
    endpoint = Endpoint.of(target.url, str(target.ca) if target.ca else None)
    relayed = WireClient(endpoint, Limits(answer_seconds=target.limits.answer_seconds)).open
    hide = Discretion({f"{name} of auth": value for name, value in (credentials or {}).items()}).text
    return Drive(target, endpoint.host_header, opener, relayed, region, credentials, hide)


def _within_budget(target: Target, clients: int) -> None:
    most, budget = requests_at_most(target, clients), target.limits.requests
    if budget is not None and most > budget:
        raise OperatorMistake(
            f"limits.requests: {clients} clients may send up to {most} requests, more than {budget}; choose --client"
        )


def _run(drive: Drive, runners: Sequence[Runner], say: Say, advance: Callable[[], None]) -> Matrix:
    titles = {client.id: client.title for client in CLIENTS}

    def on_cell(cell: Cell) -> None:
        say(titles[cell.client])
        advance()

    return drive.run(runners, on_cell)


def _runner(client: Client, cache: Path, say: Say) -> Runner:
    """A client that is installed by now, or the reason why it is not."""
    try:
        folder = install(
            client,
            cache,
            lambda folder: recipe_for(client)(folder),
            _check(client),
            lambda step: say(f"installing {client.title}: {step}"),
        )
        return Runner(client, runner(client, folder))
    except NotInstalled as error:
        say(f"{client.title} will not run: {error}")
        return Runner(client, missing=f"it is not installed: {error}")


def _check(client: Client) -> Check:
    """Start the driver without any scenario: it has to say hello."""

    def check(folder: Path) -> str:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            job = {"seconds": 1, "region": REGION, "scenarios": []}
            environment = clean_environment(Path(home), REGION)
            heard = converse(runner(client, folder), job, environment, Path(home), STARTING)
        return "" if any("hello" in line for line in heard.lines) else heard.trouble

    return check


@contextmanager
def _progress(total: int) -> Iterator[tuple[Say, Callable[[], None]]]:
    """A bar on a terminal; elsewhere a line for each new thing that is done."""
    console = Console(file=sys.stderr, highlight=False)
    if not console.is_terminal:
        said: list[str] = []

        def line(text: str) -> None:
            if text not in said:
                said.append(text)
                console.print(Text(visible(text, 400)), soft_wrap=True)

        yield line, lambda: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("clients", total=total)
        yield lambda text: bar.update(task, description=visible(text, 60)), lambda: bar.advance(task)
