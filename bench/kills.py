"""What a request and a second find: ours and Schemathesis on a sample of the reference's mutants, over HTTP.

Each mutant is served afresh, in its own process, to each tool:

* ours: fixed cases and standard exploration, one request in flight, until a clause that the mutant names has caught it;
* ``st run`` with its default phases, checks and number of examples, and again with ``--max-examples 1000``, on
  ``schemas/openapi.yaml``. It goes on after a failure: with the stop that is its default, a false one ends its search.

Which projects and versions there are, Schemathesis is told by nothing: the document's examples name no model of the
reference, most of what it sends is met with 404, and it never sees a result. ``--told`` gives it a running model's
labels by its configuration file; then it sends an image of 1x1 pixels, and blames the reference for refusing that.

A kill of Schemathesis is a failure in its NDJSON report of a kind (check, code, status) that the honest reference does
not get from it under the same seed. Time counts from the planning of our run and from the start of Schemathesis'
engine; what comes before, imports and the loading of the document, is in ``bench/startup.py``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from ground import OPENAPI, TOOLS, announced, setting, table, target_at

from conformance import run, selftest
from conformance.exploration import DEPTHS
from conformance.reference.mutants import MUTANTS, access
from conformance.reference.strains import Mutant
from conformance.wire.client import Client, Endpoint, Limits

OURS = "ours, standard"
THEIRS = {
    "Schemathesis, default": (),
    "Schemathesis, 1000 examples": ("--max-examples", "1000"),
}
TOLD = '[parameters]\n"path.projectName" = "circuits"\n"path.modelVersion" = "2"\n'
"""A configuration that names a running model."""
LONGEST = 60
"""Seconds that Schemathesis may take for a mutant; its report is read as far as it got."""

Kind = tuple[str, str, int | None]
"""Of a failure of Schemathesis: the check, its code, and the status of the answer."""


@dataclass(frozen=True)
class Hunt:
    """What a tool made of a mutant."""

    caught: bool
    requests: int
    """Until the first finding, or all."""
    seconds: float
    """Likewise."""


@dataclass(frozen=True)
class Seen:
    """A request of Schemathesis: when it was answered, and what was wrong with the answer."""

    seconds: float
    failures: frozenset[Kind]


def ours(mutant: Mutant, url: str) -> Hunt:
    """Judge until caught, as the self-test does."""
    opener = Client(Endpoint.of(url), Limits(answer_seconds=selftest.ANSWER_SECONDS)).open
    started = perf_counter()
    trial = selftest.try_mutant(mutant, run.prepare(target_at(url, 1), depth=DEPTHS["standard"], opener=opener))
    caught = trial.caught_by(mutant.clauses)
    return Hunt(bool(caught), min(caught.values(), default=trial.seen), perf_counter() - started)


def theirs(url: str, options: Sequence[str], configuration: str) -> list[Seen]:
    """What Schemathesis sent and failed."""
    common = ["--continue-on-failure", "--seed", "1", "--generation-database", "none", "--request-timeout", "2"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "schemathesis.toml").write_text(configuration, encoding="utf-8")
        report = Path(folder, "report.ndjson")
        command = [str(TOOLS / "st"), "run", str(OPENAPI), "--url", url, *common, *options]
        try:
            subprocess.run(
                [*command, "--report", "ndjson", "--report-ndjson-path", str(report)],
                cwd=folder,
                capture_output=True,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            print(f"Schemathesis was stopped after {LONGEST} s", file=sys.stderr)
        lines = report.read_text(encoding="utf-8").splitlines(keepends=True) if report.exists() else []
        return list(seen([line for line in lines if line.endswith("\n")]))


def seen(lines: Sequence[str]) -> Iterator[Seen]:
    """The requests in a report, in the order of sending."""
    events: dict[str, list[Any]] = {}
    for line in lines:
        for name, event in json.loads(line).items():
            events.setdefault(name, []).append(event)
    began = next((event["timestamp"] for event in events.get("EngineStarted", ())), 0.0)
    for scenario in events.get("ScenarioFinished", ()):
        recorder = scenario["recorder"]
        for case, interaction in recorder["interactions"].items():
            failures = frozenset(_failures(recorder["checks"].get(case, ()), interaction))
            yield Seen(interaction["timestamp"] - began, failures)


def _failures(checks: Sequence[dict[str, Any]], interaction: dict[str, Any]) -> Iterator[Kind]:
    status = (interaction.get("response") or {}).get("status_code")
    for check in checks:
        if check["status"] == "failure":
            yield check["name"], check["failure_info"]["failure"]["code"], status


def hunted(requests: Sequence[Seen], honest: frozenset[Kind]) -> Hunt:
    """The first failure of a kind that the honest reference does not have."""
    for number, each in enumerate(requests, 1):
        if each.failures - honest:
            return Hunt(True, number, each.seconds)
    return Hunt(False, len(requests), requests[-1].seconds if requests else 0.0)


def serving(mutant: Mutant | None) -> list[str]:
    """The command that serves a mutant, or the honest reference."""
    command = [sys.executable, "-m", "conformance.cli", "serve", "--log-format", "none", "--port", "0"]
    return [*command, "--mutant", mutant.id] if mutant else command


def sample(every: int, first: int) -> list[Mutant]:
    """Every so manieth of the mutants that can be told one request at a time."""
    # what needs hooks or signatures to show is not for a comparison with a tool that has neither
    assisted = {mutant.id for mutant in access.MUTANTS}
    return [each for each in MUTANTS if not (each.needs_sockets or each.recognises) and each.id not in assisted][
        first::every
    ]


def row(name: str, hunts: Sequence[Hunt]) -> list[str]:
    """A tool's kills, its medians over what it killed, and its kills by all that it sent and all the time it took."""
    kills = [hunt for hunt in hunts if hunt.caught]
    sent, seconds = sum(hunt.requests for hunt in hunts), sum(hunt.seconds for hunt in hunts)
    medians = [_median([each.requests for each in kills], 0), _median([each.seconds for each in kills], 2)]
    rates = [f"{1000 * len(kills) / max(sent, 1):.2f}", f"{60 * len(kills) / max(seconds, 1e-9):.2f}"]
    return [name, f"{len(kills)} of {len(hunts)}", *medians, *rates]


def _median(values: Sequence[float], places: int) -> str:
    return f"{median(values):.{places}f}" if values else "-"


def honest_kinds(options: Sequence[str], configuration: str) -> frozenset[Kind]:
    """The failures that Schemathesis reports of the honest reference."""
    with announced(serving(None)) as url:
        return frozenset(kind for each in theirs(url, options, configuration) for kind in each.failures)


def main() -> None:
    """Hunt the sample with each tool and print who found what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=25, help="take one mutant in so many; default 25")
    parser.add_argument("--first", type=int, default=0, help="beginning with this one; default 0")
    parser.add_argument("--only-default", action="store_true", help="leave out the run with 1000 examples")
    parser.add_argument("--told", action="store_true", help="tell Schemathesis of a running model")
    parser.add_argument("--verbose", action="store_true", help="a line for each hunt")
    options = parser.parse_args()
    configuration = TOLD if options.told else ""
    tools = dict(list(THEIRS.items())[:1]) if options.only_default else THEIRS
    mutants = sample(options.every, options.first)
    print(f"kills: {len(mutants)} mutants; {setting()}\n", flush=True)
    honest = {name: honest_kinds(more, configuration) for name, more in tools.items()}
    hunts: dict[str, list[Hunt]] = {name: [] for name in (OURS, *tools)}
    for mutant in mutants:
        for name in hunts:
            with announced(serving(mutant)) as url:
                if name == OURS:
                    hunt = ours(mutant, url)
                else:
                    hunt = hunted(theirs(url, tools[name], configuration), honest[name])
            hunts[name].append(hunt)
            if options.verbose:
                print(f"{mutant.id}: {name}: {hunt}", file=sys.stderr, flush=True)
    head = ["", "kills", "median requests", "median s", "kills/1000 requests", "kills/minute"]
    print(table(head, [row(name, found) for name, found in hunts.items()]), "\n")
    print("Medians are of the kills alone. Requests and time of what survived count in the last two columns.")
    for name, kinds in honest.items():
        accused = ", ".join(_shown(kind) for kind in sorted(kinds, key=str))
        print(f"{name} accuses the honest reference: {accused or 'of nothing'}")


def _shown(kind: Kind) -> str:
    check, code, status = kind
    return f"{check} ({code}, {status})"


if __name__ == "__main__":
    main()
