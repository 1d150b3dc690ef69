"""Runs in this process, written into folders, for the tests of what is made of reports afterwards."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from jsonschema import Draft202012Validator

from conformance import run, selftest
from conformance.exchange import Case
from conformance.in_process import Server
from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.reference.app import HONEST, Behaviour, Call, Reply
from conformance.run import Prepared
from conformance.shipped import shipped
from conformance.target import Target

REFERENCE = selftest.one_by_one(selftest.reference())
NASTY = "\x1b[2J\r\n::error::x ##[error] | `a` <b> \u202e http://evil.example [h](x)\x00"
CREATED = replace(HONEST, success_status=201)
"""It breaches success.status and nothing else, always."""


def thinned(prepared: Prepared) -> Prepared:
    """Half of the run, which exercises almost as much."""
    dense = ("body", "path", "project", "version")
    needed = ("body.empty", "body.one", "body.heav", "body.length")

    def stays(case: Case) -> bool:
        return crc32(case.id.encode()) % 3 == 0 or not case.id.startswith(dense) or case.id.startswith(needed)

    return replace(prepared, plan=replace(prepared.plan, singles=tuple(filter(stays, prepared.plan.singles))))


@cache
def _prepared(seed: str, only: tuple[str, ...]) -> Prepared:
    return thinned(run.prepare(REFERENCE, seed=seed, only=only))


def judged(
    folder: Path,
    server: Server,
    target: Target | None = None,
    *,
    seed: str = "0",
    only: tuple[str, ...] = (),
    evidence: bool = True,
    edit: Callable[[dict[str, Any]], object] = lambda _: None,
) -> Path:
    """A quick run against a server, written into a folder; ``edit`` changes the report before it is sealed."""
    folder.mkdir(parents=True, exist_ok=True)
    prepared = thinned(run.prepare(target, seed=seed, only=only)) if target else _prepared(seed, only)
    report, _ = prepared.against(server).go(evidence=folder if evidence else None)
    run.write_all(report, folder, ())
    return edited(folder, edit)


def edited(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """The report in a folder, changed and sealed again."""
    path = folder / "report.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    del whole["closing"]
    edit(whole)
    canonical = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    closing = {"clauses": len(whole["clauses"]), "sha256": sha256(canonical.encode()).hexdigest()}
    path.write_text(json.dumps(whole | {"closing": closing}), encoding="utf-8")
    return folder


def row(whole: Mapping[str, Any], clause: str) -> dict[str, Any]:
    """A clause of a report's document."""
    return next(each for each in whole["clauses"] if each["id"] == clause)


def complaints(name: str, document: Any) -> list[str]:
    """What a document has against its schema."""
    schema = json.loads(shipped("schemas", name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    text = json.dumps(document, allow_nan=False)
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(json.loads(text))
    ]


def flipping() -> Behaviour:
    """Whenever a request is sent again, its success is another one."""
    times = Counter[tuple[bytes, bytes]]()

    def finish(call: Call, reply: Reply) -> Reply:
        times[call.target, call.body] += 1
        return replace(reply, status=201) if reply.status == 200 and times[call.target, call.body] % 2 else reply

    return replace(HONEST, finish=finish)


def wrong_once() -> Behaviour:
    """The second empty body that it gets is answered 200."""
    empty = [0]

    def finish(call: Call, reply: Reply) -> Reply:
        empty[0] += call.body == b"" and reply.status == 400
        return replace(reply, status=200) if call.body == b"" and empty[0] == 2 else reply

    return replace(HONEST, finish=finish)


@dataclass
class Hiccup:
    """A connection on which the first empty body gets no answer."""

    inner: Any
    server: HiccupServer

    @property
    def lost_idle(self) -> bool:
        return bool(self.inner.lost_idle)

    @property
    def reusable(self) -> bool:
        return bool(self.inner.reusable)

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        answer: Answer = self.inner.exchange(request, delivery)
        if request.body == b"" and isinstance(answer, Response) and answer.status == 400:
            self.server.empty += 1
            if self.server.empty == 1:
                return NoAnswer(Silence.TIMEOUT, "a hiccup")
        return answer

    def settle(self) -> bytes:
        return b""

    def close(self) -> None:
        self.inner.close()


class HiccupServer(Server):
    """The reference, with a hiccup."""

    empty = 0

    def open(self) -> Any:
        return Hiccup(super().open(), self)
