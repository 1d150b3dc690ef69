"""``conformance clients``: installing, driving and judging, with fake clients and with real ones."""

from __future__ import annotations

import fcntl
import http.client
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from conformance.cli import main, targets
from conformance.clients import report
from conformance.clients.installation import NotInstalled, Step, default_cache, folder_of, install, run_step
from conformance.clients.matrix import Call, Cell, Drive, Matrix, Runner, calls
from conformance.clients.process import clean_environment, converse
from conformance.clients.relay import Relay
from conformance.clients.said import Failed, Member, Raised, Result, Said, read
from conformance.clients.table import CLIENTS, SCENARIOS, Language
from conformance.clients.verdict import Outcome, judge
from conformance.contract.reading import read as read_request
from conformance.exchange import Case, Exchange
from conformance.in_process import Server
from conformance.message import Answer, NoAnswer, Request, Response, Silence
from conformance.reference.app import HONEST
from conformance.reference.server import running
from conformance.shipped import shipped
from conformance.strains import BY_ID
from conformance.target import Target, load

BOTO3 = CLIENTS[0]
CACHE = Path(sys.prefix) / "clients"
"""Real clients are kept beside this environment, so that they are installed once."""
REFERENCE = shipped("fixtures", "targets", "reference.toml")
BY_NAME = {scenario.id: scenario for scenario in SCENARIOS}


def target() -> Target:
    return load(REFERENCE)


# What a client said, and what is made of it.

OK: dict[str, Any] = {"Source": {"Type": "direct"}, "IsAnomalous": True, "Confidence": 0.9}
ENTRY = {"Name": "background", "PixelAnomaly": {"TotalPercentageArea": 1.0, "Color": "#FFFFFF"}}
SEGMENTED = OK | {"Anomalies": [ENTRY], "AnomalyMask": "iVBORw0KGgo="}
PLAIN = {"IsAnomalous": Member("boolean", "true"), "Confidence": Member("number", "0.7")}
SOURCED = PLAIN | {"Source.Type": Member("string", '"direct"')}
LISTED = Member("array", length=1, entries=({"Name": "string", "Area": "number", "Color": "string"},))
MASKED = SOURCED | {"Anomalies": LISTED, "AnomalyMask": Member("bytes", length=8, png=True)}


def wire(name: str, answer: Answer) -> Exchange:
    call = calls(target(), b"host")[name]
    assert isinstance(call, Call)
    return Exchange(Case(name, call.request), read_request(call.request, target()), answer)


def success(**result: Any) -> Response:
    return Response(
        200, ((b"content-type", b"application/json"),), json.dumps({"DetectAnomalyResult": result}).encode()
    )


def refusal(status: int, name: str, message: str = "Why.") -> Response:
    headers = ((b"content-type", b"application/json"), (b"x-amzn-errortype", name.encode()))
    return Response(status, headers, json.dumps({"Message": message}).encode())


def raised(name: str, status: int | None = 404, typed: bool | None = True, message: str = "Why.") -> Raised:
    return Raised(name, name, message, service=True, typed=typed, status=status)


NOT_FOUND = refusal(404, "ResourceNotFoundException")
PAGE = Response(404, ((b"content-type", b"text/html"),), b"<html>no</html>")

JUDGED: dict[str, tuple[str, Answer, Said, Outcome, str]] = {
    "a whole result": ("png", success(**OK), Result(SOURCED), Outcome.READ, ""),
    "a result where we got none": ("png", NoAnswer(Silence.TIMEOUT), Result(PLAIN), Outcome.READ, ""),
    "other numbers": ("png", success(**OK | {"IsAnomalous": False}), Result(SOURCED), Outcome.READ, ""),
    "nulls are absent": ("png", success(**OK | {"AnomalyMask": None}), Result(SOURCED), Outcome.READ, ""),
    "a lost source": ("png", success(**OK), Result(PLAIN), Outcome.MISREAD, "Source.Type is missing"),
    "nothing": ("png", success(), Result({}), Outcome.MISREAD, "it returned an empty result"),
    "no decision": (
        *("png", success(**OK), Result({"Confidence": Member("number", "1")}), Outcome.MISREAD),
        "IsAnomalous is missing, and on the wire it is a boolean",
    ),
    "a silent conversion": (
        *("png", success(**OK | {"IsAnomalous": 1}), Result(SOURCED), Outcome.MISREAD),
        "IsAnomalous came out as a boolean, true, and on the wire it is a number",
    ),
    "a decision in words": (
        *("png", success(**OK), Result(SOURCED | {"IsAnomalous": Member("string", '"yes"')}), Outcome.MISREAD),
        "IsAnomalous came out as a string",
    ),
    "an error for a result": (
        *("png", refusal(403, "AccessDeniedException"), raised("AccessDeniedException", 403), Outcome.MISREAD),
        "a result is due, and it raised 403 AccessDeniedException",
    ),
    "a parser's trouble": (
        *("png", success(**OK), Raised("SyntaxError", "", "odd", service=False), Outcome.CRASHED),
        "SyntaxError: odd",
    ),
    "no word": ("png", success(**OK), Failed("it said nothing"), Outcome.CRASHED, "it said nothing"),
    "a mask": ("mask", success(**SEGMENTED), Result(MASKED), Outcome.READ, ""),
    "no mask at all": (
        *("mask", success(**OK), Result(SOURCED), Outcome.MISREAD),
        "Anomalies is missing; AnomalyMask is missing",
    ),
    "a mask that is no picture": (
        *("mask", success(**SEGMENTED), Result(MASKED | {"AnomalyMask": Member("bytes", length=8)}), Outcome.MISREAD),
        "AnomalyMask, 8 bytes, does not begin as a PNG file does",
    ),
    "a mask that is text": (
        *("mask", success(**SEGMENTED), Result(MASKED | {"AnomalyMask": Member("string", '"x"')}), Outcome.MISREAD),
        "AnomalyMask came out as a string",
    ),
    "no anomalies": (
        *("mask", success(**SEGMENTED), Result(MASKED | {"Anomalies": Member("array", length=0)}), Outcome.MISREAD),
        "Anomalies are empty",
    ),
    "an anomaly without its colour": (
        "mask",
        success(**SEGMENTED),
        Result(MASKED | {"Anomalies": replace(LISTED, entries=({"Name": "string", "Area": "string"},))}),
        Outcome.MISREAD,
        "Area of an anomaly came out as a string; Color of an anomaly is missing",
    ),
    "the error": ("missing-project", NOT_FOUND, raised("ResourceNotFoundException"), Outcome.READ, ""),
    "an error of a client without classes": (
        *("missing-project", NOT_FOUND, raised("ResourceNotFoundException", None, None), Outcome.READ),
        "",
    ),
    "a generic error": (
        *("missing-project", PAGE, raised("404", typed=False), Outcome.MISREAD),
        "ResourceNotFoundException or AccessDeniedException is due, and it raised a generic error, 404 404",
    ),
    "another error than is due": (
        *("missing-project", refusal(500, "InternalServerException"), raised("InternalServerException", 500)),
        *(Outcome.MISREAD, "ResourceNotFoundException or AccessDeniedException is due, and it raised 500 Int"),
    ),
    "another error than on the wire": (
        *("stopped", refusal(409, "ConflictException"), raised("ValidationException", 400), Outcome.MISREAD),
        "it raised ValidationException, and on the wire it is ConflictException; it tells of status 400",
    ),
    "a message that is lost": (
        *("missing-project", NOT_FOUND, raised("ResourceNotFoundException", message=""), Outcome.MISREAD),
        "the message was lost",
    ),
    "a result for an error": (
        *("missing-project", success(**OK), Result(SOURCED), Outcome.MISREAD),
        "ResourceNotFoundException or AccessDeniedException is due, and it returned IsAnomalous true",
    ),
    "a throttle": (
        *("png", refusal(429, "ThrottlingException"), raised("ThrottlingException", 429), Outcome.NOT_RUN),
        "the target throttled it until it gave up",
    ),
}


@pytest.mark.parametrize("name", JUDGED)
def test_judging(name: str) -> None:
    scenario, answer, said, outcome, words = JUDGED[name]
    verdict = judge(BY_NAME[scenario], wire(scenario, answer), said)
    assert (verdict.outcome, verdict.reason[: len(words)]) == (outcome, words)


@pytest.mark.parametrize(
    ("said", "asked", "outcome"),
    [
        (Result(SOURCED), 2, Outcome.READ),
        (Result(SOURCED), 0, Outcome.MISREAD),
        (raised("ThrottlingException", 429), 1, Outcome.MISREAD),
        (raised("ThrottlingException", 429), 3, Outcome.NOT_RUN),
    ],
)
def test_whoever_is_throttled_once_has_to_come_again(said: Said, asked: int, outcome: Outcome) -> None:
    assert judge(BY_NAME["throttled"], wire("throttled", success(**OK)), said, asked).outcome is outcome


@pytest.mark.parametrize(
    "line",
    [{}, {"members": 1}, {"error": "x"}, {"members": {"A": 3, "B": {"length": "x", "entries": [1, {"y": []}]}}}],
)
def test_lines_of_any_form_are_read(line: dict[str, Any]) -> None:
    assert isinstance(read(line), Failed | Result)


# Fake clients.

FAKE = """
import json, os, subprocess, sys, time
job = json.load(sys.stdin)
def say(line):
    print(line if isinstance(line, str) else json.dumps(line), flush=True)
def good(each):
    say({"scenario": each["id"], "members": {
        "IsAnomalous": {"type": "boolean", "shown": "true"}, "Confidence": {"type": "number", "shown": "0.5"},
        "Source.Type": {"type": "string", "shown": "direct"}}})
"""
LOOP = """
say({"hello": "fake 1"})
for each in job["scenarios"]:
    if each["id"] == "jpeg":
        %s
    good(each)
"""


def fake(body: str) -> Runner:
    return Runner(BOTO3, (sys.executable, "-I", "-c", FAKE + body))


def driven(body: str, *names: str) -> dict[str, Cell]:
    """What came of a fake client in two or more scenarios."""
    server, limits = Server(), replace(target().limits, answer_seconds=2)
    whole = Drive(replace(target(), limits=limits), b"host", server.open, server.open, patience=0.0).run([fake(body)])
    return {cell.scenario: cell for cell in whole.cells if cell.scenario in (names or ("png", "jpeg"))}


def outcomes(cells: dict[str, Cell]) -> list[Outcome]:
    return [cell.outcome for cell in cells.values()]


def test_a_client_that_reads() -> None:
    assert outcomes(driven(LOOP % "pass")) == [Outcome.READ, Outcome.READ]


def test_garbage_between_the_lines_is_ignored() -> None:
    noise = "say('NOTE: {an upgrade}'); say({'scenario': 'odd'}); say('[1]'); say(''); os.write(1, b'\\xff\\n')"
    assert outcomes(driven(LOOP % noise)) == [Outcome.READ, Outcome.READ]


def test_a_client_that_dies_is_started_again_for_the_rest() -> None:
    cells = driven(LOOP % "sys.exit('out of luck')", "png", "jpeg", "mask", "missing-project")
    assert outcomes(cells) == [Outcome.READ, Outcome.CRASHED, Outcome.MISREAD, Outcome.MISREAD]
    assert cells["jpeg"].verdict.reason == "it ended with exit code 1, saying: out of luck"


def test_a_client_that_keeps_dying_is_given_up() -> None:
    cells = driven("say({'hello': 'fake'}); os.abort()", *BY_NAME)
    assert outcomes(cells) == [Outcome.CRASHED] * 3 + [Outcome.NOT_RUN] * (len(SCENARIOS) - 3)
    assert cells["png"].verdict.reason == "signal 6 ended it"


def test_a_client_that_hangs_is_ended() -> None:
    cells = driven(LOOP % "time.sleep(1000)")
    assert outcomes(cells) == [Outcome.READ, Outcome.CRASHED]
    assert cells["jpeg"].verdict.reason == "it said nothing for 6 s"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_client_that_never_stops_talking_is_ended(stream: str) -> None:
    cells = driven(LOOP % f"[sys.{stream}.write('x' * 65536) for _ in iter(int, 1)]")
    assert outcomes(cells) == [Outcome.READ, Outcome.CRASHED]
    assert cells["jpeg"].verdict.reason == "it printed more than 4096 KiB"


@pytest.mark.parametrize("body", ["sys.exit(3)", "say('hello')", "good(job['scenarios'][0])"])
def test_a_client_that_does_not_say_hello_has_not_run(body: str) -> None:
    cells = driven(body)
    assert outcomes(cells) == [Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert cells["png"].verdict.reason.startswith("it does not start: it ended with exit code ")


def test_a_client_that_is_not_there_has_not_run() -> None:
    server = Server()
    drive = Drive(target(), b"host", server.open, server.open)
    gone = drive.run([Runner(BOTO3, ("/nowhere/python",))])
    missing = drive.run([Runner(BOTO3, missing="it is not installed: no pip")])
    assert gone.exit_code == missing.exit_code == 3
    assert gone.clients["boto3"] == "it does not start: it cannot be started: No such file or directory"
    assert {cell.verdict.reason for cell in missing.cells} == {"it is not installed: no pip"}


def test_nothing_of_the_operator_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    cells = driven(LOOP % "sys.exit(json.dumps([each for each in os.environ.items() if 'mine' in each[1]]))")
    assert cells["jpeg"].verdict.reason == "it ended with exit code 1, saying: []"


def test_credentials_are_those_that_are_given(tmp_path: Path) -> None:
    given = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "HOME": "/elsewhere"}
    environment = clean_environment(tmp_path, "eu-central-1", given, tmp_path / "ca.pem")
    assert (environment["AWS_ACCESS_KEY_ID"], environment["HOME"]) == ("A", str(tmp_path))
    assert environment["AWS_CA_BUNDLE"] == environment["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "ca.pem")


def test_whatever_a_program_started_ends_with_it(tmp_path: Path) -> None:
    """A child of its own holds a lock for as long as it lives."""
    lock = tmp_path / "lock"
    child = (
        f"import fcntl, time; f = open({str(lock)!r}, 'w'); fcntl.flock(f, 2); print(1, flush=True); time.sleep(999)"
    )
    body = f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=-1); child.stdout.readline(); say({{}})"
    heard = converse((sys.executable, "-c", FAKE + body), {}, {}, tmp_path, 60.0)
    assert heard.lines == [{}]
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits for ever if it were still alive


# Scenes and the relay.


def test_scenes_that_are_not_declared_are_not_provoked() -> None:
    whole = target()
    few = {name: whole.scenes[name] for name in ("segmentation", "missing-project")}
    found = calls(replace(whole, scenes=few, absent=frozenset({"stopped"})), b"host")
    reasons = {name: call for name, call in found.items() if isinstance(call, str)}
    assert reasons == {
        "png": "declare scenes.classification",
        "jpeg": "declare scenes.classification",
        "missing-version": "declare scenes.missing-version",
        "stopped": "the target has no stopped",
    }


def test_what_we_send_is_what_clients_send() -> None:
    call = calls(target(), b"host")["invalid-name"]
    assert isinstance(call, Call)
    assert call.project == "not!a name"
    assert call.request.target == b"/2020-11-20/projects/not%21a%20name/models/1/detect"


def test_a_target_that_cannot_be_reached_is_not_driven(tmp_path: Path) -> None:
    class Nobody:
        reusable = lost_idle = False

        def exchange(self, *_: Any) -> Answer:
            return NoAnswer(Silence.UNREACHABLE, "Connection refused")

        def settle(self) -> bytes:
            return b""

        def close(self) -> None:
            return

    whole = Drive(target(), b"host", Nobody, Nobody).run([fake(LOOP % "pass")])
    assert whole.exit_code == 3
    assert whole.cells[0].verdict.reason == "the target cannot be reached: Connection refused"
    report.write(whole, tmp_path)


@pytest.mark.parametrize(("host", "seen"), [(b"target:8080", b"target:8080"), (None, b"relay")])
def test_the_relay_throttles_the_first_and_hands_on_the_rest(host: bytes | None, seen: bytes) -> None:
    handed: list[Request] = []

    def exchange(request: Request) -> Answer:
        handed.append(request)
        return Response(200, wire=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Odd:  kept\r\n\r\nok")

    answers = []
    with Relay(exchange, host) as relay:
        for _ in range(3):
            connection = http.client.HTTPConnection(relay.url.removeprefix("http://"), timeout=30)
            connection.request("POST", "/a%20b", b"image", {"Host": "relay"})
            answer = connection.getresponse()
            answers.append((answer.status, answer.getheader("Retry-After"), answer.read()[:2]))
            connection.close()
    assert answers == [(429, "1", b'{"'), (200, None, b"ok"), (200, None, b"ok")]
    assert relay.requests == 3
    assert [(each.target, each.values(b"host"), each.body) for each in handed] == [(b"/a%20b", (seen,), b"image")] * 2


# Installing.


def writing(text: str) -> Callable[[Path], tuple[Step, ...]]:
    """A fake pip that writes a file."""
    return lambda _: (Step("pip", (sys.executable, "-c", f"open('client', 'w').write({text!r})")),)


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir())


def test_a_client_is_installed_once(tmp_path: Path) -> None:
    steps: list[str] = []
    first = install(BOTO3, tmp_path, writing("1"), lambda _: "", steps.append)
    second = install(BOTO3, tmp_path, writing("2"), lambda _: "never asked", steps.append)
    assert first == second == folder_of(BOTO3, tmp_path)
    assert ((first / "client").read_text(), steps, kept(tmp_path)) == ("1", ["pip", "check"], [first.name])


def test_what_cannot_be_installed_leaves_nothing(tmp_path: Path) -> None:
    program = "open('half', 'w'); import sys; sys.exit('see https://user:secret@index.example/simple')"
    with pytest.raises(NotInstalled) as refused:
        install(BOTO3, tmp_path, lambda _: (Step("pip", (sys.executable, "-c", program)),), lambda _: "")
    assert str(refused.value) == "pip failed: exit code 1, saying: see (an address)"
    with pytest.raises(NotInstalled, match="what was installed does not work: no module"):
        install(BOTO3, tmp_path, writing("1"), lambda _: "no module")
    assert kept(tmp_path) == []


def test_an_installation_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(_: Path) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(BOTO3, tmp_path, writing("1"), interrupted)
    assert kept(tmp_path) == []


def test_half_an_installation_of_somebody_who_was_killed_is_not_used(tmp_path: Path) -> None:
    """A draft is never under the name that is looked for."""
    (tmp_path / ".boto3-abc").mkdir()
    assert (install(BOTO3, tmp_path, writing("1"), lambda _: "") / "client").read_text() == "1"


def test_who_is_slower_takes_what_is_there(tmp_path: Path) -> None:
    def beaten(_: Path) -> str:
        install(BOTO3, tmp_path, writing("theirs"), lambda _: "")
        return ""

    folder = install(BOTO3, tmp_path, writing("ours"), beaten)
    assert ((folder / "client").read_text(), kept(tmp_path)) == ("theirs", [folder.name])


def test_a_cache_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotInstalled, match="nothing can be kept here"):
        install(BOTO3, tmp_path / "file", writing("1"), lambda _: "")


def test_a_step_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    step = Step("pip", (sys.executable, "-c", "import time; time.sleep(999)"))
    assert run_step(step, tmp_path, 0.2) == "it took longer than 0.2 s"


def test_the_cache_is_where_the_platform_has_it() -> None:
    tail = Path("detect-anomalies-conformance", "clients")
    assert default_cache({"XDG_CACHE_HOME": "/c"}, "linux") == Path("/c") / tail
    assert default_cache({}, "linux") == Path.home() / ".cache" / tail
    assert default_cache({}, "darwin") == Path.home() / "Library" / "Caches" / tail
    assert default_cache({"LOCALAPPDATA": "/l"}, "win32") == Path("/l") / tail


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_every_version_is_pinned(client: Any) -> None:
    text = client.pins.read_text(encoding="utf-8")
    assert "://" not in text
    if client.language is Language.NODE:
        versions = json.loads(text)["dependencies"].values()
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    else:
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9-]+==[0-9a-z.]+", line) for line in lines)
    assert client.driver.is_file()


def test_the_command_knows_the_clients() -> None:
    assert tuple(client.id for client in CLIENTS) == targets.CLIENTS


# The report and the command.


def hostile() -> Matrix:
    evil = "\x1b[2J|`<b>\u202e\n::error::"
    server = Server()
    body = LOOP % "say({'scenario': 'jpeg', 'error': {'class': %r, 'message': %r}}); continue" % (evil, evil)
    whole = Drive(replace(target(), name=evil), b"host", server.open, server.open).run([fake(body)])
    return replace(whole, clients={"boto3": evil})


def test_whatever_a_client_says_is_harmless_to_show(tmp_path: Path) -> None:
    whole, screen = hostile(), StringIO()
    report.show(whole, tmp_path, Console(file=screen, width=100))
    report.write(whole, tmp_path)
    markdown, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("clients.md", "clients.json"))
    for shown in (screen.getvalue(), markdown, text):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)
    assert "<b>" not in markdown
    assert not re.search("^::", screen.getvalue(), re.MULTILINE)
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    cells = {cell["scenario"]: cell for cell in json.loads(text)["cells"]}
    assert (cells["jpeg"]["outcome"], cells["png"]["returned"]["IsAnomalous"]["type"]) == ("crashed", "boolean")


def test_a_budget_is_not_exceeded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "target.toml"
    file.write_text(REFERENCE.read_text(encoding="utf-8").replace("[limits]", "[limits]\nrequests = 20"), "utf-8")
    assert main(["clients", "--target", str(file), "--cache", str(tmp_path / "cache")]) == 2
    assert "limits.requests: 4 clients may send up to " in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


def test_a_client_that_nobody_knows() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["clients", "--client", "cobol"])


# Real clients.


def conducted(folder: Path, client: str, strain: str | None = None) -> tuple[int, dict[str, str]]:
    """Exit code and outcomes of the command with a real client and the reference, or a mutant of it."""
    with running(BY_ID[strain].behaviour if strain else HONEST) as url:
        words = ["clients", url, "--target", str(REFERENCE), "--cache", str(CACHE), "--out", str(folder)]
        code = main([*words, "--client", client])
    found = json.loads((folder / "clients.json").read_text(encoding="utf-8"))
    return code, {cell["scenario"]: cell["outcome"] for cell in found["cells"]}


def test_boto3_reads_the_reference_and_not_a_mutant(tmp_path: Path) -> None:
    assert conducted(tmp_path, "boto3") == (0, dict.fromkeys(BY_NAME, "read"))
    code, found = conducted(tmp_path, "boto3", "decision-is-a-number")
    assert (code, found["png"], found["missing-project"]) == (1, "misread", "read")


def test_boto3_signs_what_it_sends(tmp_path: Path) -> None:
    """The bundled reference checks signatures, also of what came through the relay; its keys are the target file's."""
    assert main(["clients", "--client", "boto3", "--cache", str(CACHE), "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "clients.json").read_text(encoding="utf-8"))["counts"]["read"] == len(SCENARIOS)


def test_javascript_reads_the_reference_and_not_a_mutant(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not here")
    assert conducted(tmp_path, "js-v3") == (0, dict.fromkeys(BY_NAME, "read"))
    code, found = conducted(tmp_path, "js-v3", "error-is-a-page")
    assert (code, found["png"], found["missing-project"]) == (1, "read", "crashed")
