"""A clean run under the rules of certification, and what is signed when it came out well.

Three runs with fresh seeds, in which nothing tells the suite from an ordinary client, and one that says who asks.
What does not fulfil the requirements, or not the same way every time, gets no certificate, and hears why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance import run
from conformance.cases.disguise import Disguise, Marked
from conformance.certification import bundle, conduct, statement
from conformance.certification.identity import asserted, environment, suite
from conformance.certification.requirements import RequirementSet, shortfalls
from conformance.certification.statement import RunRecord
from conformance.contract.document import digest as contract_digest
from conformance.course import Progress
from conformance.evidence.book import Book
from conformance.exploration import DEPTHS
from conformance.message import Response
from conformance.mistake import OperatorMistake
from conformance.report.record import Conclusion, Report
from conformance.report.visible import visible
from conformance.staging import Served
from conformance.target import Target

DAYS = 365
"""How long a certificate is valid, where nobody says otherwise."""
MOST_DAYS = 1096
"""How long it may be."""
DEPTH = "standard"
MARKED_SEED = "0"
"""Of the run that says who asks: it is to be known beforehand."""


@dataclass(frozen=True)
class Order:
    """What is to be certified."""

    target: Target
    file: bytes
    """The target file as it lies there."""
    requirements: RequirementSet
    seed: str
    """What the seeds of the runs are derived of."""
    artifact: str = ""
    """SHA-256 of what the vendor ships, hexadecimal; empty where it is not named."""
    challenge: bytes = b""
    """The certifier's, revealed; empty where there is none."""
    depth: str = DEPTH
    days: int = DAYS


@dataclass
class Attempt:
    """What came of an order: the runs, and why there is no certificate, if there is none."""

    records: list[RunRecord] = field(default_factory=list)
    disguised: list[Report] = field(default_factory=list)
    marked: Report | None = None
    refusals: list[str] = field(default_factory=list)
    """Each a sentence; empty when a certificate is due."""
    cut_short: bool = False
    """Whether a run came to nothing: then nothing is known that would speak against the target."""


def seeds(master: str) -> tuple[str, ...]:
    """The seeds of the disguised runs."""
    return tuple(sha256(f"{master}:{number}".encode()).hexdigest() for number in range(1, len(bundle.RUNS) + 1))


def manners(master: str) -> Iterator[tuple[str, str, Disguise | Marked]]:
    """The runs of a certification: folder, seed, and how they look."""
    for folder, seed in zip(bundle.RUNS, seeds(master), strict=True):
        yield folder, seed, Disguise(seed)
    yield bundle.MARKED, MARKED_SEED, Marked()


def attempt(
    order: Order,
    out: Path,
    served: Callable[[], Served] | None = None,
    on_run: Callable[[str, run.Prepared], Callable[[Progress], None]] = lambda _name, _prepared: lambda _: None,
) -> Attempt:
    """Run everything, and leave reports and evidence in the folder. ``served`` takes the place of the target's URL.

    Raises OperatorMistake for a folder that holds something, and for what no run can begin with.
    """
    _check(order, out)
    found = Attempt()
    for name, seed, manner in manners(order.seed):
        prepared = run.prepare(order.target, seed=seed, depth=DEPTHS[order.depth], shrink=False, manner=manner)
        prepared = prepared.against(served()) if served else prepared
        run.make_room(out / name)
        report, _ = prepared.go(on_run(name, prepared), out / name)
        run.write_all(report, out / name)
        look = "marked" if name == bundle.MARKED else "disguised"
        found.records.append(RunRecord(name, look, seed, report.started, round(report.seconds, 3), report.course.sent))
        if look == "marked":
            found.marked = report
        else:
            found.disguised.append(report)
        if report.conclusion is Conclusion.INDETERMINATE or report.course.cut_off:
            found.cut_short = True
            found.refusals.append(f"{name}: the run came to nothing: {visible(report.course.cut_off or report.reason)}")
            return found
    found.refusals += refusals(order.requirements, found.disguised, report)
    return found


def _check(order: Order, out: Path) -> None:
    if not 0 < order.days <= MOST_DAYS:
        raise OperatorMistake(f"--days {order.days}: a certificate is valid for 1 to {MOST_DAYS} days")
    run.make_room(out)
    if any(out.iterdir()):
        raise OperatorMistake(f"{out}: a bundle goes into an empty folder")
    if order.target.known_failures:
        raise OperatorMistake("the target file lists known failures, and no certificate passes over any")


def refusals(requirements: RequirementSet, disguised: Sequence[Report], marked: Report) -> list[str]:
    """Why there can be no certificate, each a sentence; a pure function of the reports."""
    found = [
        f"{name}: {short.clause} is {short.reason}"
        for name, report in zip((*bundle.RUNS, bundle.MARKED), (*disguised, marked), strict=True)
        for short in shortfalls(requirements, report)
    ]
    found += [f"{clause} does not come out the same in all runs" for clause in conduct.flaky(disguised)]
    found += [f"conduct.same-for-all: {difference}" for difference in conduct.same_for_all(disguised, marked)]
    return found


def predicate(order: Order, attempt: Attempt, out: Path, finished: datetime) -> dict[str, Any]:
    """What the certificate says, of runs that lie in the folder together with all that it binds."""
    target, requirements = order.target, order.requirements
    identity = asserted(target.url, str(target.ca) if target.ca else None, server_of(out / bundle.RUNS[0], target))
    return {
        "suite": suite().to_document(),
        "contract": contract_digest(),
        "requirements": {"id": requirements.id, "sha256": requirements.sha256},
        "target": statement.target_facts(target, sha256(order.file).hexdigest(), order.artifact, identity),
        "seed": order.seed,
        "depth": order.depth,
        "runs": [asdict(record) for record in attempt.records],
        "files": bundle.Bundle(out).digests(),
        "outcomes": statement.outcomes(requirements.clauses, attempt.disguised),
        "interpretations": statement.interpretations(attempt.disguised),
        "limits": statement.limits(target),
        "environment": environment(),
        "redacted": target.auth is not None,
        "started": attempt.records[0].started,
        "finished": finished.strftime(statement.MOMENT),
        "expires": (finished + timedelta(days=order.days)).strftime(statement.MOMENT),
    }


def statement_of(order: Order, attempt: Attempt, out: Path) -> dict[str, Any]:
    """Write what is bound besides the runs, and give the statement that binds it all."""
    bundle.written(out, bundle.REQUIREMENTS, order.requirements.text)
    if order.challenge:
        bundle.written(out, bundle.CHALLENGE, order.challenge)
    facts = predicate(order, attempt, out, datetime.now(UTC))
    target = order.target
    return statement.certificate(statement.subject_of(target, order.artifact, facts["target"]["identity"]), facts)


def server_of(folder: Path, target: Target) -> str:
    """What the target calls itself, in the first of its answers; empty where it does not say."""
    with Book(folder) as book:
        for entry in book.entries(target):
            if isinstance(entry.exchange.answer, Response):
                return visible(b", ".join(entry.exchange.answer.values(b"server")).decode("latin-1"), 200)
    return ""
