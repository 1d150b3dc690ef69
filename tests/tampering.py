"""Bundles, honest and doctored ones. Whoever doctors them holds the vendor's key, and makes every digest fit again.

What a bundle takes seconds for is done once: the same evidence is judged again once, the same seed followed once.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from signing_keys import CERTIFIER, VENDOR, listed
from test_evidence import sealed, small, unpacked

from conformance import exploration, run, selftest
from conformance.certification import bundle, certify, challenge, envelope, inputs, issue, requirements, statement
from conformance.certification import substance as judged
from conformance.certification.certify import Attempt, Order
from conformance.certification.ed25519 import SigningKey
from conformance.certification.identity import digest_of
from conformance.certification.keys import Key, Role
from conformance.certification.refusal import Refused
from conformance.certification.verify import Verified, verify
from conformance.evidence.book import Book
from conformance.evidence.log import BLOBS, LINES
from conformance.evidence.rejudge import described, rejudged
from conformance.exchange import Case
from conformance.exploration import Depth
from conformance.in_process import Server
from conformance.reference.strains import Mutant, Variant
from conformance.report.record import Report
from conformance.target import Target

Said = dict[str, Any]
Rows = list[dict[str, Any]]

ARTIFACT = "b" * 64
FILE = b"# the target file\n"
RUNS = (*bundle.RUNS, bundle.MARKED)
SEED = bytes(range(32))
FIXED_ALONE = Depth(0, 0)
"""In the place of the standard depth: drawing takes most of the time."""


def valid(key: SigningKey, role: Role, **more: Any) -> Key:
    """A key that is in force today."""
    today = datetime.now(UTC).date()
    return replace(listed(key, role), **({"since": date(2026, 1, 1), "until": today + timedelta(days=400)} | more))


KEYS = {each.id: each for each in (valid(VENDOR, Role.VENDOR), valid(CERTIFIER, Role.CERTIFIER))}


@cache
def declared() -> Target:
    """The reference with small images; requests in flight together are judged, too."""
    return replace(small(), limits=replace(small().limits, concurrency=2))


def enclosed(data: bytes) -> dict[str, str]:
    return {"sha256": sha256(data).hexdigest(), "envelope": base64.b64encode(data).decode()}


def revealed(vendor: SigningKey = VENDOR, target: bytes = FILE, artifact: str = ARTIFACT, seed: bytes = SEED) -> bytes:
    """A challenge, pledged for and revealed: the same bytes every day."""
    schema, day = "urn:detect-anomalies-conformance:", "2026-06-01T1"
    dates = {"issued": f"{day}2:00:00Z", "expires": "2099-12-31"}
    posed = {"schema": f"{schema}challenge:1", "commitment": sha256(seed).hexdigest(), **dates}
    first = envelope.sign(posed, CERTIFIER, challenge.CHALLENGE)
    bound = {"challenge": sha256(first).hexdigest(), "target": sha256(target).hexdigest(), "artifact": artifact}
    second = envelope.sign(
        {"schema": f"{schema}pledge:1", "pledged": f"{day}3:00:00Z", **bound}, vendor, challenge.PLEDGE
    )
    parts = {"challenge": enclosed(first), "pledge": enclosed(second), "revealed": f"{day}4:00:00Z"}
    return envelope.sign({"schema": f"{schema}reveal:1", "seed": seed.hex(), **parts}, CERTIFIER, challenge.REVEAL)


def order(target: Target | None = None, **more: Any) -> Order:
    """An order with a challenge."""
    posed = revealed()
    whole = Order(
        target or declared(), FILE, requirements.load("core-1"), challenge.seed_of(posed), ARTIFACT, posed, days=30
    )
    return replace(whole, **more)


@contextmanager
def at_depth(depth: Depth) -> Iterator[None]:
    """The standard depth is another one meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(exploration.DEPTHS, "standard", depth)
        yield


def attempted(out: Path, ordered: Order, served: Callable[[], Server]) -> Attempt:
    with at_depth(FIXED_ALONE), pytest.MonkeyPatch.context() as patch:
        for name, value in selftest.KEYS.items():
            patch.setenv(name, value)
        return certify.attempt(ordered, out, served)


def certified(out: Path, ordered: Order, strain: Mutant | Variant | None = None) -> Path:
    """A bundle on a strain of the reference; its certificate is signed, come what may."""
    came = attempted(out, ordered, lambda: selftest.in_process(strain) if strain else Server())
    came.refusals.clear()
    issue.issue(ordered, came, out, VENDOR)
    return out


def verified(folder: Path, keys: dict[str, Key] | None = KEYS, now: datetime | None = None) -> Verified:
    with at_depth(FIXED_ALONE):
        return verify(folder, keys, now or datetime.now(UTC))


def word(folder: Path, keys: dict[str, Key] | None = KEYS, now: datetime | None = None) -> str:
    """Why a bundle is refused; ``verified`` when it is not."""
    try:
        verified(folder, keys, now)
    except Refused as refused:
        return str(refused).partition(": ")[0]
    return "verified"


def once(function: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which is asked once for the same key."""
    known: dict[Any, Any] = {}

    def again(*asked: Any) -> Any:
        which = key(*asked)
        if which not in known:
            known[which] = function(*asked)
        return known[which]

    return again


def content(folder: Path) -> str:
    """What stands for evidence: the same for the same bytes."""
    files = [folder / name for name in (LINES, BLOBS)]
    return sha256(b"".join(file.read_bytes() if file.exists() else b"none" for file in files)).hexdigest()


judged_again: Callable[[Path], Report] = once(rejudged, content)
"""The report on evidence."""


@contextmanager
def remembering() -> Iterator[None]:
    """What follows from the same bytes, or from the same seed, is worked out once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged, "Book", once(opened, content))
        patch.setattr(judged, "rejudged", judged_again)
        patch.setattr(certify, "server_of", once(certify.server_of, lambda folder, _: content(folder)))
        patch.setattr(inputs, "planned", once(planned(inputs.planned), asked_for))
        patch.setattr(inputs, "departure", once(inputs.departure, lambda folder, _, due: (content(folder), id(due))))
        yield


def planned(plan: Callable[..., Iterable[Case]]) -> Callable[..., tuple[Case, ...]]:
    return lambda *asked: tuple(plan(*asked))


def asked_for(target: Target, *more: Any) -> str:
    return f"{digest_of(described(target))} {sorted(target.states)} {more} {exploration.DEPTHS}"


def opened(folder: Path) -> Opened:
    with Book(folder) as book:
        return Opened(book.opening, book.closing)


@dataclass
class Opened:
    """The opening and the closing record of evidence that was found whole."""

    opening: Said
    closing: Said

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class Forger:
    """Somebody with the vendor's key, and a bundle of which nobody else has a copy."""

    folder: Path
    key: SigningKey = VENDOR

    def said(self, name: str = bundle.CERTIFICATE) -> Said:
        whole: Said = json.loads(json.dumps(envelope.read(self.path(name).read_bytes()).statement))
        return whole

    def path(self, name: str) -> Path:
        return self.folder / name

    def sign(self, said: Said | None = None) -> None:
        """Bind what lies there, whatever it is, and sign it; and the test result with it."""
        whole = self.said() if said is None else said
        if said is None:
            whole["predicate"]["files"] = bundle.Bundle(self.folder).digests()
        self.write(bundle.CERTIFICATE, envelope.sign(whole, self.key))
        self.write(bundle.TEST_RESULT, envelope.sign(statement.test_result(whole), self.key))

    def write(self, name: str, content: bytes | str) -> None:
        bundle.written(self.folder, name, content)

    def change(self, change: Callable[[Said], Any]) -> None:
        """Say something else, and sign it. ``change`` is given the predicate."""
        whole = self.said()
        whole["predicate"]["files"] = bundle.Bundle(self.folder).digests()
        change(whole["predicate"])
        self.sign(whole)

    def edit(self, name: str, *pairs: tuple[str, str]) -> None:
        """Replace words in a file, each once, and sign."""
        text = self.path(name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        self.write(name, text)
        self.sign()

    def report(self, folder: str, change: Callable[[Said], Any]) -> None:
        """Edit a report, make its own digest fit, and sign."""
        path = self.path(folder) / "report.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        del document["closing"]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        document["closing"] = {
            "clauses": len(document["clauses"]),
            "sha256": sha256(canonical.encode()).hexdigest(),
        }
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        self.sign()

    def evidence(self, folder: str, change: Callable[[Rows], Rows | None]) -> None:
        """Edit evidence, count its exchanges anew, and make its digest fit."""
        rows, blobs = unpacked(self.path(folder))
        rows = change(rows) or rows
        sealed(self.path(folder), *compacted(renumbered(rows), blobs))

    def answers(self, folder: str, better: Path) -> None:
        """Put the answers of another server in the place of these: nothing else of the evidence changes."""
        rows, blobs = unpacked(self.path(folder))
        theirs, others = unpacked(better)
        for row, other in zip(rows[1:-1], theirs[1:-1], strict=True):
            row["answer"] = shifted(other["answer"], len(blobs))
        sealed(self.path(folder), *compacted(rows, [*blobs, *others]))

    def tell(self, *folders: str) -> None:
        """Write down anew what the evidence comes to, in every form; and what follows of it for the certificate."""
        for name in folders or RUNS:
            run.write_all(judged_again(self.path(name)), self.path(name))
        self.change(self._follow)

    def _follow(self, predicate: Said) -> None:
        reports = [judged_again(self.path(name)) for name in bundle.RUNS]
        predicate["outcomes"] = statement.outcomes(requirements.load("core-1").clauses, reports)
        predicate["interpretations"] = statement.interpretations(reports)


def renumbered(rows: Rows) -> Rows:
    """The exchanges counted anew, and what refers to one that is gone refers to none."""
    numbers = {row["n"]: number for number, row in enumerate(rows[1:-1], 1)}
    for row in rows[1:-1]:
        row["n"] = numbers[row["n"]]
        for name in ("before", "alone"):
            if name in row and (there := numbers.get(row.pop(name))):
                row[name] = there
        if "beside" in row:
            row["beside"] = [numbers[each] for each in row["beside"] if each in numbers]
    rows[-1]["closing"]["exchanges"] = len(rows) - 2
    return rows


def shifted(answer: list[Any], by: int) -> list[Any]:
    """An answer of a row whose blobs stand further behind."""
    at = 2 if isinstance(answer[0], str) else 3
    return [answer[0], *(each + by for each in answer[1:at]), *answer[at:]]


def compacted(rows: Rows, blobs: list[bytes]) -> tuple[Rows, list[bytes]]:
    """The same with the blobs in the order in which rows need them, and no other ones."""
    numbers: dict[int, int] = {}

    def number(old: int) -> int:
        return numbers.setdefault(old, len(numbers))

    def answered(answer: list[Any]) -> list[Any]:
        at = 2 if isinstance(answer[0], str) else 3
        return [answer[0], *map(number, answer[1:at]), *answer[at:]]

    for row in rows[1:-1]:
        row["request"] = [number(each) for each in row["request"]]
        row["answer"] = answered(row["answer"])
        if "lost" in row:
            row["lost"] = [answered(each) for each in row["lost"]]
    return rows, [blobs[old] for old in numbers]


def copied(folder: Path, out: Path) -> Forger:
    return Forger(Path(shutil.copytree(folder, out / "bundle")))


def replaced(forger: Forger, run_: str, other: Path) -> None:
    """Another run in the place of one: evidence and reports."""
    shutil.rmtree(forger.path(run_))
    shutil.copytree(other, forger.path(run_))


def adopted(forger: Forger, name: str) -> None:
    """Let the certificate say of a run what its evidence says."""
    rows, _ = unpacked(forger.path(name))

    def change(predicate: Said) -> None:
        record = next(each for each in predicate["runs"] if each["folder"] == name)
        record |= {"started": rows[0]["started"], "seconds": rows[-1]["closing"]["seconds"]}
        record["requests"] = rows[-1]["closing"]["sent"]

    forger.change(change)
