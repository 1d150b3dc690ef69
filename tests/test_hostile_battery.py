"""Hostile targets, over real sockets, against whole runs of the command.

Whatever a target does, the command comes back in time and within its memory, its conclusion is the true one, what it
writes can be read by others, and nothing in it is the target's doing.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hostile import Action, HostileServer, drip, finish_writing, forever, read_once, read_to_end, reset, send, serves
from hostile import sleep as pause
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from lxml import etree  # type: ignore[import-untyped]  # there are no stubs among our tools
from lxml import html as third_party
from markdown_it import MarkdownIt
from PIL import Image
from watched import Ran, Watched

from conformance import run
from conformance.contract.reading import read
from conformance.exchange import Case, Exchange
from conformance.judge import judge
from conformance.message import Request, Response
from conformance.reference.admin import administered
from conformance.reference.app import DEMO, HONEST, SILENCE, Behaviour, Call, NoReply, Pairs, Refused, Reply
from conformance.reference.app import render as rendered
from conformance.reference.app import write_error as honest_error
from conformance.reference.app import write_headers as honest_headers
from conformance.reference.app import write_mask as honest_mask
from conformance.reference.app import write_result as honest_result
from conformance.reference.server import Setup, running
from conformance.reference.service import Service
from conformance.report import document
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.target import load
from conformance.wire.client import Client, Endpoint, Limits

MB, GB = 1024**2, 1024**3
MOST_MEMORY = 400 * MB
MOST_FOLDER = 24 * MB
STARTING, OVERHEAD = 15.0, 0.2
"""Seconds that a run may take, and each of its requests, besides what a target may take to answer."""
CODES = {"conformant": 0, "non-conformant": 1, "indeterminate": 3, "partial": 4}
REFERENCE = shipped("fixtures", "targets", "reference.toml")
SEGMENTS = b"/circuits/"


@dataclass(frozen=True)
class Hostility:
    """What a target does, and what a true report says of it."""

    serve: Callable[[str], AbstractContextManager[str]]
    """Serves at the URL that it gives; told is an address where nobody should ever be asked for anything."""
    conclusion: str = "non-conformant"
    fails: str = ""
    """A clause that must have failed."""
    requests: int = 60
    seconds: float = 5.0
    """That it has for an answer. Most answer at once."""
    memory: int = MOST_MEMORY


@contextmanager
def playing(*script: Action) -> Iterator[str]:
    with HostileServer(script) as server:
        yield server.url


def instead(*actions: Action, requests: int = 28) -> Hostility:
    """An honest server, but for its segmentation model: that plays these actions in the place of an answer."""

    def render(call: Call, reply: Reply) -> bytes | NoReply:
        return SILENCE if SEGMENTS in call.target else rendered(call, reply)

    behaviour = replace(HONEST, render=render)
    script = serves(behaviour, *actions)
    return Hostility(lambda _: playing(script), fails="http.answered", requests=requests, seconds=0.25)


def always(*actions: Action, conclusion: str = "indeterminate") -> Hostility:
    """A server that does this to everybody."""
    return Hostility(lambda _: playing(*actions), conclusion, seconds=0.25)


def honestly(fails: str, *, requests: int = 60, **stages: Any) -> Hostility:
    """The reference with other stages."""
    return Hostility(lambda _: running(replace(HONEST, **stages)), fails=fails, requests=requests)


# What never ends, breaks off, or is framed so that it can be read in two ways.

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SIZED = HEAD + b"Content-Length: 400\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PIECE = bytes(64 * 1024)

WIRE: Mapping[str, Hostility] = {
    "endless-body": instead(send(HEAD + b"\r\n"), forever(PIECE), requests=16),
    "endless-body-for-everybody": always(read_once, send(HEAD + b"\r\n"), forever(PIECE)),
    "endless-chunks": instead(send(CHUNKED), forever(b"10000\r\n%b\r\n" % PIECE), requests=16),
    "body-of-an-exabyte": instead(send(HEAD + b"Content-Length: 1%b\r\n\r\n" % (b"0" * 18)), forever(PIECE)),
    "drip": instead(drip(HEAD + b"X: " + b"x" * 10**6, gap=0.05), requests=20),
    "drip-of-the-body": instead(send(SIZED), drip(b"x" * 399, gap=0.05), requests=20),
    "endless-headers": instead(send(HEAD), forever(b"X: y\r\n" * 512)),
    "endless-header": instead(send(HEAD + b"X: "), forever(b"y" * 4096)),
    "endless-reason": instead(send(b"HTTP/1.1 200 "), forever(b"O" * 4096)),
    "endless-100-continue": instead(forever(CONTINUE)),
    "slow-100-continue": instead(drip(CONTINUE * 999, gap=0.05, size=len(CONTINUE)), requests=20),
    "endless-chunk-extension": instead(send(CHUNKED + b"1;"), forever(b"x=y;" * 1024)),
    "endless-chunk-extensions": instead(send(CHUNKED), forever(b"1;%b\r\nx\r\n" % (b"x" * 4096)), requests=16),
    "endless-trailers": instead(send(CHUNKED + b"0\r\n"), forever(b"X: y\r\n" * 512)),
    "reset-on-accept": always(reset),
    "reset-in-the-request": always(read_once, reset),
    "reset-after-the-request": instead(reset),
    "reset-after-the-status-line": instead(send(b"HTTP/1.1 200 OK\r\n"), pause(0.05), reset),
    "reset-in-the-head": instead(send(HEAD[:30]), pause(0.05), reset),
    "reset-in-the-body": instead(send(SIZED + b"{"), pause(0.05), reset),
    "reset-before-the-last-byte": instead(send(SIZED + b"x" * 399), pause(0.05), reset),
    "reset-before-the-last-byte-for-everybody": always(
        read_once, send(SIZED + b"x" * 399), pause(0.05), reset, conclusion="non-conformant"
    ),
    "conflicting-lengths": replace(
        instead(send(HEAD + b"Content-Length: 2\r\nContent-Length: 400\r\n\r\n{}" + b"x" * 398), finish_writing),
        fails="http.framing",
    ),
    "length-and-chunks": replace(
        instead(send(HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")),
        fails="http.framing",
    ),
    "garbage": instead(send(bytes(range(256))), finish_writing, read_to_end),
}


def followed_by_more(call: Call, reply: Reply) -> bytes | NoReply:
    data = rendered(call, reply)
    return data if isinstance(data, NoReply) else data + HEAD + b"Content-Length: 2\r\n\r\n{}"


# What looks small and is not, and what is no JSON, or hardly.


@cache
def zeros(size: int) -> bytes:
    """A zlib stream of so many bytes, made in no time."""
    squeeze, step = zlib.compressobj(9, zlib.DEFLATED, -15), 4 * MB
    block = squeeze.compress(bytes(step)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    rest = squeeze.compress(bytes(size % step)) + squeeze.flush()
    return b"\x78\xda" + block * (size // step) + rest + struct.pack(">HH", size % 65521, 1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, packed: bytes, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def largest_sound_png(_: Image.Image) -> bytes:
    """As many pixels as are looked at, of the heaviest kind: 200 MB when they are unpacked."""
    return png(5000, 5000, 16, 6, zeros((5000 * 8 + 1) * 5000))


@cache
def png_of_all_colours() -> bytes:
    """16 million pixels, no two of them alike; each row is as the one above, and a little more."""
    row = b"".join(struct.pack(">I", number << 8)[:3] for number in range(4096))
    first = b"\0" + row
    step, carry = b"\2" + b"\0\x10\0" * 4096, b"\2" + b"\1\x10\0" * 4096
    data = first + b"".join(carry if top % 16 == 0 else step for top in range(1, 4096))
    return png(4096, 4096, 8, 2, zlib.compress(data, 9))


def corrupt(mask: Image.Image) -> bytes:
    data = honest_mask(mask)
    return data[: len(data) // 2] + b"\xff" * 8 + data[len(data) // 2 + 8 :]


def with_bombs_beside(mask: Image.Image) -> bytes:
    """The honest mask, with a colour profile and a comment beside the picture that would be 64 MB each."""
    data, bomb = honest_mask(mask), zeros(64 * MB)
    bombs = chunk(b"iCCP", b"icc\0\0" + bomb) + chunk(b"zTXt", b"Comment\0\0" + bomb)
    return data[:33] + bombs + data[33:]


@cache
def gigabyte_in_gzip() -> bytes:
    return gzip.compress(bytes(16 * MB)) * 64


def gzipped(_call: Call, reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    return replace(reply.with_header("Content-Encoding", "gzip"), body=gigabyte_in_gzip())


def saying(body: bytes) -> Callable[[Call, Reply], Reply]:
    """The same body in every success."""
    return lambda _, reply: replace(reply, body=body) if reply.status == 200 else reply


def written(old: bytes, new: bytes) -> Callable[[Call, Reply], Reply]:
    """Other bytes in every body."""
    return lambda _, reply: replace(reply, body=reply.body.replace(old, new))


def fattened() -> Callable[[Call, Reply], Reply]:
    """A lawful member as large as the largest lawful mask, never the same twice."""
    number = count()

    def finish(_call: Call, reply: Reply) -> Reply:
        fat = b'"Model":"%d%b","DetectAnomalyResult":' % (next(number), b"x" * 7_000_000)
        return replace(reply, body=reply.body.replace(b'"DetectAnomalyResult":', fat))

    return finish


CONFIDENCE = b'"Confidence":'
ANSWERS: Mapping[str, Hostility] = {
    "more-behind-the-answer": honestly("http.framing", render=followed_by_more),
    "gzip-bomb": honestly("success.encoding", finish=gzipped),
    "png-of-four-billion-pixels": honestly("mask.size", mask=lambda _: png(2**31 - 1, 2**31 - 1, 8, 2, zeros(4 * MB))),
    "png-that-inflates-to-gigabytes": honestly(
        "mask.png", mask=lambda _: png(64, 64, 8, 2, zeros(2 * GB)), requests=12
    ),
    "largest-sound-png": honestly("mask.size", mask=largest_sound_png, requests=5),
    "png-of-all-colours": honestly("mask.colours", mask=lambda _: png_of_all_colours(), requests=9),
    "corrupt-png": honestly("mask.png", mask=corrupt),
    "megabyte-of-arrays": honestly("success.json", finish=saying(b"[" * (MB // 2) + b"]" * (MB // 2))),
    "megabyte-of-objects": honestly("success.json", finish=saying(b'{"a":' * (MB // 5))),
    "huge-exponent": honestly("result.confidence", finish=written(CONFIDENCE, CONFIDENCE + b'1e999999,"x":')),
    "hundred-thousand-digits": honestly(
        "result.confidence", finish=written(CONFIDENCE, CONFIDENCE + b"1" * 100_000 + b',"x":')
    ),
    "duplicate-keys": honestly("success.json", finish=written(CONFIDENCE, b'"Confidence":0.5,"Confidence":')),
    "invalid-utf-8": honestly("success.json", finish=written(b'"direct"', b'"\xff\xfe\xc0\xaf\xed\xa0\x80"')),
    "fat-answers": Hostility(
        lambda _: running(replace(HONEST, finish=fattened())), "indeterminate", requests=60, memory=2 * MOST_MEMORY
    ),
}


# Ways to be led elsewhere.


def leading(status: int, *headers: tuple[str, str]) -> Hostility:
    """A server that points to another, with this status."""

    def serve(elsewhere: str) -> AbstractContextManager[str]:
        pointing = tuple((name, value.replace("{}", elsewhere)) for name, value in headers)

        def finish(_call: Call, reply: Reply) -> Reply:
            return replace(reply, status=status, headers=(*reply.headers, *pointing))

        return running(replace(HONEST, finish=finish))

    return Hostility(serve, fails="route.operation", requests=30)


REDIRECTS: Mapping[str, Hostility] = {
    "redirect-301": leading(301, ("Location", "http://{}/")),
    "redirect-302-without-a-protocol": leading(302, ("Location", "//{}/here")),
    "redirect-303": leading(303, ("Location", "http://{}/")),
    "redirect-307": leading(307, ("Location", "http://{}/")),
    "redirect-308-with-a-password": leading(308, ("Location", "http://target:secret@{}/")),
    "redirect-300-with-choices": leading(300, ("Location", "http://{}/"), ("Link", "<http://{}/>; rel=alternate")),
    "proxy-305": leading(305, ("Location", "http://{}/")),
    "proxy-authentication-407": leading(407, ("Proxy-Authenticate", 'Basic realm="http://{}/"')),
    "authentication-401": leading(401, ("WWW-Authenticate", 'Digest realm="x", domain="http://{}/", nonce="y"')),
}
LURES = (
    ("Refresh", "0; url=http://{}/"),
    ("Location", "//{}/"),
    ("Content-Location", "http://{}/"),
    ("Link", '<http://{}/>; rel=preload, <//{}/>; rel="canonical"'),
    ("Alt-Svc", 'h2="{}", h3="{}"; ma=86400'),
    ("NEL", '{"report_to": "x", "max_age": 9}'),
    ("Report-To", '{"group": "x", "max_age": 9, "endpoints": [{"url": "http://{}/"}]}'),
    ("SourceMap", "http://{}/map"),
    ("Strict-Transport-Security", "max-age=31536000"),
)
"""Headers that a lawful answer may carry, and that lead a browser elsewhere."""


# What a target can say, wherever it can say anything.

URL = "http://canary.example"
SAYINGS: Mapping[str, tuple[str, ...]] = {
    "html": (
        '"><canary canary=1 onclick=canary()>',
        f"</title></style></script></pre></svg><script src={URL}>canary</script>",
        f"<img src='{URL}' onerror=canary()><base href={URL}><meta http-equiv=refresh content=0;url={URL}>",
        "' onmouseover='canary()' canary='",
        "&lt;canary&gt;&#60;canary&#62;",
    ),
    "terminal": (
        "canary\x1b[2J\x1b[1A\x1b[31m",
        f"\x1b]8;;{URL}\x07canary\x1b]8;;\x07",
        "\x1b]52;c;Y2FuYXJ5\x07\x1b]0;canary\x1b\\",
        "canary\x9b31m\x90q\x9c\x08\x08\x08\x7f\r",
        "\x1bc\x1b(0canary",
    ),
    "forbidden-in-xml": (
        "canary\0",
        "\x0b\x0c\x1fcanary",
        "\ud800canary\udfff",
        "\ufffe\uffffcanary",
        "]]>&canary;<![CDATA[",
    ),
    "bidi": ("\u202eyranac", "canary\u2066\u2069\u200f\u061c", "\ufeffcanary\u200b", "canary\u2028\u2029\x85"),
    "paths": (
        "../../../../../../tmp/canary",
        "/tmp/canary",
        "C:\\Windows\\canary",
        "\\\\canary.example\\share",
        "CON",
        "file:///tmp/canary",
        "canary" * 700,
    ),
    "formulas": ("=cmd|' /C canary'!A0", f'=HYPERLINK("{URL}")', "+canary", "-canary", "@SUM(canary)", "\tcanary"),
    "workflow-commands": (
        "::set-env name=canary::1",
        "\n::error file=canary::canary",
        "\r\n##[error]canary",
        "::stop-commands::canary",
        "##vso[task.setvariable variable=canary]1",
        "%0A::warning::canary",
    ),
    "markdown": (
        "| canary | canary |\n| --- | --- |",
        "``` canary ` canary `` ```",
        f"[canary]({URL}) ![canary]({URL}/x.png)",
        f"<{URL}> {URL} www.canary.example canary@canary.example",
        "\n\n# canary\n\n<b>canary</b>\n\n- [x] canary",
        "[^canary]: @canary #1 canary/canary#1 :tada:",
    ),
    "templates-and-shells": (
        "{{ canary }}{% raw %}",
        "${canary}$(touch canary)`touch canary`",
        "'; touch canary; '",
        "%s%n{0}",
    ),
}


def saying_everywhere(texts: tuple[str, ...]) -> Behaviour:
    """A server that says these things in every place there is, one after the other."""
    turn = count()

    def said() -> str:
        return texts[next(turn) % len(texts)]

    def on_the_wire() -> str:
        return re.sub(r"[\r\n]", " ", said()).encode("utf-8", "surrogatepass").decode("latin-1")

    def headers(call: Call) -> Pairs:
        named = re.sub(r"[\0:]", "", on_the_wire())
        kept = [pair for pair in honest_headers(call) if pair[0] != "x-amzn-RequestId"]
        return (*kept, ("x-amzn-RequestId", on_the_wire()), ("X-Canary", on_the_wire()), (f"X-{named}", "y"))

    def with_reason(call: Call, reply: Reply) -> bytes | NoReply:
        data = rendered(call, reply)
        return (
            data
            if isinstance(data, NoReply)
            else data.replace(b"\r\n", b" %b\r\n" % on_the_wire().encode("latin-1"), 1)
        )

    def error(refused: Refused) -> dict[str, Any]:
        more = dict.fromkeys(("Message", "__type", "ResourceId", "ResourceType", said()))
        return {**honest_error(refused), **{name: said() for name in more}}

    def result(*args: Any) -> dict[str, Any]:
        return {
            **honest_result(*args),
            "Source": {"Type": said(), said(): said()},
            "IsAnomalous": said(),
            said(): said(),
        }

    def anomaly(*_: Any) -> dict[str, Any]:
        area = {"TotalPercentageArea": said(), "Color": said(), said(): [said()]}
        return {"Name": said(), "PixelAnomaly": area, said(): {said(): said()}}

    def mask(picture: Image.Image) -> bytes:
        data, text = honest_mask(picture), said().encode("utf-8", "surrogatepass")
        return data[:33] + chunk(b"tEXt", b"Comment\0" + text) + chunk(text[:4], text) + data[33:]

    return replace(
        HONEST,
        headers=headers,
        render=with_reason,
        error_payload=error,
        error_headers=lambda _: (("x-amzn-ErrorType", on_the_wire()),),
        result=result,
        anomaly=anomaly,
        mask=mask,
        blob=lambda data: HONEST.blob(data) if next(turn) % 2 else said(),
    )


def talking(texts: tuple[str, ...]) -> Hostility:
    return Hostility(lambda _: running(saying_everywhere(texts)), fails="result.is-anomalous")


STRINGS: Mapping[str, Hostility] = {f"says-{name}": talking(texts) for name, texts in SAYINGS.items()}

HOSTILITIES: Mapping[str, Hostility] = {**WIRE, **ANSWERS, **REDIRECTS, **STRINGS}


# Judging them.


@dataclass(frozen=True)
class Lab:
    """Where the command runs, and an address that everything leads to and nobody may ask."""

    folder: Path
    command: Watched
    elsewhere: HostileServer

    @property
    def address(self) -> str:
        return self.elsewhere.url.removeprefix("http://")

    def judged(self, url: str, requests: int | None, seconds: float, states: str = "") -> tuple[Path, Ran]:
        """Run the command against a URL: the folder of the report, and what came of it."""
        self.scratch.mkdir(exist_ok=True)
        name = f"run-{len(list(self.folder.iterdir()))}"
        text = (
            REFERENCE.read_text(encoding="utf-8")
            .replace(load(REFERENCE).url, url)
            .replace("max_image_bytes = 8388608", "")
        )
        limits = f"[limits]\nanswer_seconds = {seconds}\n" + (f"requests = {requests}\n" if requests else "")
        file = self.folder / f"{name}.toml"
        file.write_text(text.replace("[limits]\n", limits) + states, encoding="utf-8")
        ran = self.command.run("run", "--depth", "quick", "--no-shrink", "--target", file, "--out", self.folder / name)
        return self.folder / name, ran

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab").resolve()
    with HostileServer([read_once]) as elsewhere:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "scratch"),
            "TMPDIR": str(folder / "scratch"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8:surrogatepass",
            **dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"), elsewhere.url),
        }
        (folder / "scratch").mkdir()
        with Watched(folder / "scratch", environment) as command:
            yield Lab(folder, command, elsewhere)
        assert elsewhere.received == [], "somebody was led elsewhere"


@pytest.mark.parametrize("name", HOSTILITIES)
def test_a_hostile_target_is_judged(name: str, lab: Lab) -> None:
    """In time, within memory, truly, and all that is written is ours; and its evidence says the same once more."""
    hostility = HOSTILITIES[name]
    with hostility.serve(lab.address) as url:
        folder, ran = lab.judged(url, hostility.requests, hostility.seconds)
        assert_nothing_else_was_touched(ran, lab, folder, url)
    report = assert_is_true(ran, folder, hostility.conclusion)
    if hostility.fails:
        outcomes = {row["id"]: row["outcome"] for row in report["clauses"]}
        assert outcomes[hostility.fails] == "failed"
    assert ran.seconds < STARTING + report["run"]["sent"] * (hostility.seconds + OVERHEAD)
    assert ran.peak < hostility.memory
    assert_can_be_read(folder, ran)
    if name in STRINGS:
        assert (folder / "report.md").read_text(encoding="utf-8").count("canary") > 2, "nothing of it was shown"
    assert_is_judged_alike_again(lab, folder, ran, report)


def assert_nothing_else_was_touched(ran: Ran, lab: Lab, folder: Path, url: str) -> None:
    """No other socket was dialled, no program started, no file written elsewhere, nothing left open."""
    port = int(url.rpartition(":")[2])
    assert {tuple(address[:2]) for address in ran.dialled} == {("127.0.0.1", port)}
    assert (ran.started, ran.threads, ran.sockets) == ([], [], 0)
    assert [
        path for path in ran.written if not Path(path).is_relative_to(folder) and Path(path).parent != lab.scratch
    ] == []
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MOST_FOLDER
    assert {path.name for path in lab.scratch.iterdir()} <= {"out", "errors", ".hypothesis"}


def assert_is_true(ran: Ran, folder: Path, conclusion: str) -> dict[str, Any]:
    """The command says this conclusion by its exit code, on the screen and in the report, which is given."""
    report = document.load(folder / "report.json")
    schema = json.loads(shipped("schemas", "report.schema.json").read_text(encoding="utf-8"))
    assert [error.message[:300] for error in Draft202012Validator(schema).iter_errors(report)] == []
    assert (report["conclusion"], ran.code) == (conclusion, CODES[conclusion]), report["reason"]
    assert f": {conclusion} (" in ran.out
    assert [row["id"] for row in report["clauses"] if row["outcome"] == "error"] == []
    return report


def assert_can_be_read(folder: Path, ran: Ran) -> None:
    """Everything that was written or printed, as others read it: nothing in it lives, and nothing is commanded."""
    written = {file for file, _ in run.FORMATS.values()} | {"report.json", "evidence.jsonl", "evidence.blobs"}
    assert written <= {path.name for path in folder.iterdir()}
    for text in (ran.out, ran.errors):
        assert re.fullmatch(r"[ -~\n]*", text)
        assert not re.search(r"^\s*(::|##)|Traceback|Exception ignored|Warning:", text, re.MULTILINE)
    for file in ("report.json", "evidence.jsonl"):
        assert re.fullmatch(rb"[ -~\n]*", (folder / file).read_bytes())
    assert_junit_is_inert((folder / "junit.xml").read_bytes())
    for rendering in folder.glob("*.md"):
        assert_markdown_is_inert(rendering.read_text(encoding="utf-8"))
    assert_page_is_inert((folder / "report.html").read_text(encoding="utf-8"))
    for script in folder.glob("repeat/*.py"):
        compile(script.read_bytes(), script.name, "exec", dont_inherit=True)
    annotations = (
        (folder / "annotations.txt").read_text(encoding="utf-8") if (folder / "annotations.txt").exists() else ""
    )
    assert all(re.match(r"::(error|warning|notice) title=", line) for line in annotations.splitlines())


def assert_junit_is_inert(data: bytes) -> None:
    assert re.fullmatch(rb"[ -~\n]*", data)
    assert JUnitXml.fromstring(data).tests
    lines = [line for element in etree.fromstring(data).iter() for line in (element.text or "").splitlines()]
    assert not [line for line in lines if line.lstrip().startswith(("::", "##"))]


def assert_markdown_is_inert(text: str) -> None:
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    tokens = [token for block in blocks for token in (block, *(block.children or ()))]
    assert {token.type for token in tokens}.isdisjoint({"link_open", "image", "fence"})
    ours = re.compile(r"</?(?:details|summary)>")
    assert not [token for token in tokens if token.type.startswith("html") and "<" in ours.sub("", token.content)]
    headings = [after.content for block, after in pairwise(blocks) if block.type == "heading_open"]
    assert not [heading for heading in headings if "canary" in heading]
    spoken = [token.content for token in tokens if token.type == "text"]
    assert not [text for text in spoken if re.search(r"https?://|www\.", text)]


def assert_page_is_inert(text: str) -> None:
    page = third_party.document_fromstring(text)
    assert len(page.findall(".//script")) == len(page.findall(".//style")) == 1
    for element in page.iter():
        assert isinstance(element.tag, str), "a comment"
        assert element.tag not in ("canary", "base", "iframe", "object", "embed", "frame")
        for attribute, value in element.attrib.items():
            assert "canary" not in attribute
            assert not attribute.startswith("on")
            if attribute in ("src", "href", "action", "srcset", "formaction", "background", "poster"):
                assert value.startswith(("#", "data:image/")) or value == "data:,"


def assert_is_judged_alike_again(lab: Lab, folder: Path, ran: Ran, report: Mapping[str, Any]) -> None:
    """`conformance judge` comes to the same from the evidence alone, without asking anybody."""
    lab.scratch.mkdir(exist_ok=True)
    again = folder.parent / f"{folder.name}-again"
    judged = lab.command.run("judge", folder, "--out", again)
    assert (judged.code, judged.dialled, judged.started, judged.threads) == (ran.code, [], [], [])
    assert judged.peak < 2 * MOST_MEMORY
    found = document.load(again / "report.json")
    assert found["conclusion"] == report["conclusion"]
    assert [(row["id"], row["outcome"]) for row in found["clauses"]] == [
        (row["id"], row["outcome"]) for row in report["clauses"]
    ]


# What is odd and lawful deserves no blame.


@dataclass
class Jar:
    """Gives cookies and lures to everybody, and notes who brings a cookie."""

    elsewhere: str
    brought: list[bytes]

    def finish(self, call: Call, reply: Reply) -> Reply:
        self.brought += call.values(b"cookie")
        lures = tuple((name, value.replace("{}", self.elsewhere)) for name, value in LURES)
        cookies = (("Set-Cookie", "canary=1; Path=/; Max-Age=999999"), ("Set-Cookie", "x=" + "y" * 3000))
        return replace(reply, headers=(*reply.headers, *lures, *cookies))


def chatty_result(*args: Any) -> dict[str, Any]:
    """The honest result, and members that nobody asked for, which say all there is to say."""
    sayings = {name: {text: [text] for text in texts} for name, texts in SAYINGS.items()}
    return {**honest_result(*args), "Canary": sayings, "Digits": 10**250, "Deep": json.loads("[" * 50 + "]" * 50)}


def chatty_error(refused: Refused) -> dict[str, Any]:
    return {**honest_error(refused), "Message": "".join(SAYINGS["html"] + SAYINGS["markdown"] + SAYINGS["terminal"])}


def chatty_phrase(call: Call, reply: Reply) -> bytes | NoReply:
    """Any reason will do, and any octets beyond ASCII in it."""
    data = rendered(call, reply)
    return data if isinstance(data, NoReply) else data.replace(b"\r\n", b" <canary> \x9b31m \xff\xfe\r\n", 1)


def with_long_decimals(payload: dict[str, Any]) -> bytes:
    """Confidence to a hundred thousand digits."""
    return re.sub(rb'("Confidence":[0-9.]+)', rb"\g<1>" + b"0" * 100_000, HONEST.to_json(payload))


STATE = """
[states.{0}]
enter = {{url = "{1}/states/{0}/enter"}}
leave = {{url = "{1}/states/{0}/leave"}}
"""


@pytest.mark.parametrize("leaves_idle_clients", [False, True])
def test_an_odd_target_that_keeps_the_contract_is_conformant(leaves_idle_clients: bool, lab: Lab) -> None:
    """Cookies are not kept, lures not followed, and what servers may say and do is held against none of them."""
    jar = Jar(lab.address, [])
    odd = replace(
        HONEST,
        finish=jar.finish,
        result=chatty_result,
        error_payload=chatty_error,
        render=chatty_phrase,
        to_json=with_long_decimals,
        mask=with_bombs_beside,
    )
    service = Service(DEMO)
    behaviour = service.behaviour(odd)
    with administered(service) as admin:
        states = "".join(STATE.format(name, admin) for name in ("throttled", "fault", "forbidden", "conflict"))
        serving = (
            playing(serves(behaviour, patience=0.002)) if leaves_idle_clients else running(setup=Setup(behaviour, DEMO))
        )
        with serving as url:
            folder, ran = lab.judged(url, None, 5.0, states)
    report = assert_is_true(ran, folder, "conformant")
    assert [row["id"] for row in report["clauses"] if row["outcome"] == "failed"] == []
    assert jar.brought == []
    assert {address[1] for address in ran.dialled} == {int(each.rpartition(":")[2]) for each in (url, admin)}
    assert (ran.threads, ran.sockets) == ([], 0)
    assert ran.peak < MOST_MEMORY
    assert_can_be_read(folder, ran)
    assert_is_judged_alike_again(lab, folder, ran, report)


def test_what_was_asked_to_be_packed_is_not_unpacked() -> None:
    """A coding that the request asked for is no breach, and a gigabyte of zeros in it is not looked into."""
    request = run.prepare(load(REFERENCE)).plan.witnesses[0].request
    asking = Request(request.head.replace(b"Accept-Encoding: identity", b"Accept-Encoding: gzip"), request.body)
    with running(replace(HONEST, finish=gzipped)) as url, Client(Endpoint.of(url), Limits()).open() as connection:
        answer = connection.exchange(asking)
    assert isinstance(answer, Response)
    assert answer.body == gigabyte_in_gzip()
    exchange = Exchange(Case("asking", asking), read(asking, load(REFERENCE)), answer)
    verdicts = {verdict.rule.clause: verdict for verdict in judge([exchange], RULES)}
    assert (verdicts["success.encoding"].judged, verdicts["success.encoding"].breached) == (1, 0)
    assert verdicts["success.json"].breached == 1
    assert [verdict.error for verdict in verdicts.values() if verdict.error] == []
