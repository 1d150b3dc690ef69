"""Heads and bodies of messages as lines of printable text, whoever wrote them, and never more than a screen or two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from conformance.formats import strict_json
from conformance.message import Answer, NoAnswer, Request
from conformance.report.visible import visible

LINES, LETTERS = 60, 300
"""How many lines are shown, and how much of each."""
HEX_BYTES, HEX_WIDTH = 256, 16
TEXT_BYTES = 3000
ENTRIES = 20
"""Members of an object and entries of an array that are shown."""
STRING = 120
SHORT = 16
"""Bodies of at most so many lines are shown unfolded."""


@dataclass(frozen=True)
class Body:
    """The body of a message, as it is shown."""

    title: str
    text: str

    @property
    def short(self) -> bool:
        return self.text.count("\n") < SHORT


@dataclass(frozen=True)
class Message:
    """A request or an answer, as it is shown."""

    title: str
    head: str
    body: Body | None
    faults: tuple[str, ...] = ()


def sent(request: Request) -> Message:
    """A request, its head as it was written."""
    lines = request.head.removesuffix(b"\r\n\r\n").split(b"\n")
    title = visible(b" ".join((request.method, request.target)), 120)
    return Message(title, _lines(line.removesuffix(b"\r") for line in lines), body(request.body))


def received(answer: Answer) -> Message:
    """An answer, or what there is instead."""
    if isinstance(answer, NoAnswer):
        told = visible(f"no answer: {answer.kind}. {answer.detail}")
        return Message(f"no answer: {answer.kind}", told, body(answer.wire, "Received by then"))
    line = b" ".join((answer.version, str(answer.status).encode(), answer.reason))
    fields = (name + b": " + value for name, value in answer.headers)
    faults = tuple(visible(fault, LETTERS) for fault in answer.faults[:ENTRIES])
    title = visible(f"{answer.status} {answer.reason.decode('latin-1')}".rstrip(), 120)
    return Message(title, _lines([line, *fields]), body(answer.body), faults)


def body(data: bytes, name: str = "Body") -> Body | None:
    """A body as JSON that was laid out, as text, or as a dump of its first bytes; None when there is none."""
    if not data:
        return None
    size = f"{name}, {len(data)} byte{'' if len(data) == 1 else 's'}"
    parsed = strict_json.parse(data)
    if isinstance(parsed, strict_json.Json):
        laid_out = json.dumps(_shortened(parsed.value), indent=2)
        return Body(f"{size} of JSON, laid out", _lines(laid_out.split("\n")))
    if _is_text(data):
        text = data[:TEXT_BYTES].decode("utf-8", "backslashreplace")
        left = len(data) - TEXT_BYTES
        return Body(f"{size} of text", _lines([*text.splitlines(), *([f"... {left} more bytes"] if left > 0 else [])]))
    return Body(size, "\n".join(_dump(data)))


def _lines(lines: Iterable[str | bytes]) -> str:
    every = list(lines)
    shown = [visible(line, LETTERS) for line in every[:LINES]]
    return "\n".join([*shown, *([f"... {len(every) - LINES} more lines"] if len(every) > LINES else [])])


def _shortened(value: strict_json.Value) -> strict_json.Value:
    """The same value without its long strings and lists."""
    if isinstance(value, str):
        return value if len(value) <= STRING else f"{value[:STRING]}... ({len(value)} letters in all)"
    if isinstance(value, list):
        more: list[strict_json.Value] = [f"... {len(value) - ENTRIES} more"] if len(value) > ENTRIES else []
        return [*map(_shortened, value[:ENTRIES]), *more]
    if isinstance(value, dict):
        short = {visible(name, STRING): _shortened(each) for name, each in islice(value.items(), ENTRIES)}
        return short | ({"...": f"{len(value) - ENTRIES} more"} if len(value) > ENTRIES else {})
    return value


def _is_text(data: bytes) -> bool:
    start = data[:TEXT_BYTES]
    return sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in start) >= 0.9 * len(start)


def _dump(data: bytes) -> Iterator[str]:
    for at in range(0, min(len(data), HEX_BYTES), HEX_WIDTH):
        row = data[at : min(at + HEX_WIDTH, HEX_BYTES)]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:04x} {row.hex(' '):<{3 * HEX_WIDTH}}{letters}"
    if len(data) > HEX_BYTES:
        yield f"... {len(data) - HEX_BYTES} more bytes"
