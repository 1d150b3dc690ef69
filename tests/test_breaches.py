"""What breaks whom: the data is sound, one of the clients bears it out, and whoever explains or reports tells it."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from conformance import run
from conformance.cli import main
from conformance.contract.clauses import catalogue, load_yaml
from conformance.contract.clients import Breach, breaches_of, in_short, measured
from conformance.in_process import Server
from conformance.message import Response
from conformance.report import document, junit, markdown, terminal
from conformance.report.record import Outcome, Report
from conformance.rules import sdk
from conformance.shipped import shipped
from conformance.strains import behaviour_of
from conformance.target import load

DATA = load_yaml("clients.yaml")
SCHEMA = json.loads(shipped("schemas", "clients.schema.json").read_text(encoding="utf-8"))
REPORT_SCHEMA = json.loads(shipped("schemas", "report.schema.json").read_text(encoding="utf-8"))
CLAUSES = list(catalogue().clauses)
BREACHES = {clause: breaches_of(clause) for clause in CLAUSES if breaches_of(clause)}
ALL = [(clause, breach) for clause, breaches in BREACHES.items() for breach in breaches]


# ---- the data


def test_the_clients_keep_to_their_schema() -> None:
    """No unknown key, nothing missing, printable ASCII throughout."""
    Draft202012Validator.check_schema(SCHEMA)
    errors = Draft202012Validator(SCHEMA).iter_errors(DATA)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


CLIENT = {"id": "a-1.0", "name": "A 1.0", "version": "1.0"}
BREACH = {"breach": "it is so", "clients": {"a-1.0": "a crash"}}
ENTRIES: dict[str, tuple[dict[str, Any], dict[str, Any], str, bool]] = {
    "sound": (CLIENT, BREACH, "a.b", True),
    "harmless": (CLIENT, {**BREACH, "clients": {}}, "a.b", True),
    "alike": ({**CLIENT, "alike": "B 1"}, BREACH, "a.b", True),
    "version-as-a-number": ({**CLIENT, "version": 1.0}, BREACH, "a.b", False),
    "name-of-one-word": ({**CLIENT, "name": "A"}, BREACH, "a.b", False),
    "unknown-key": ({**CLIENT, "note": "x"}, BREACH, "a.b", False),
    "no-clients": (CLIENT, {"breach": "it is so"}, "a.b", False),
    "effect-beyond-ascii": (CLIENT, {**BREACH, "clients": {"a-1.0": "ein Stoß"}}, "a.b", False),
    "effect-of-two": (CLIENT, {**BREACH, "clients": {"a-1.0": "a crash; a scream"}}, "a.b", False),
    "breach-on-two-lines": (CLIENT, {**BREACH, "breach": "it\nis"}, "a.b", False),
    "breach-with-a-full-stop": (CLIENT, {**BREACH, "breach": "It is so."}, "a.b", False),
    "clause-without-section": (CLIENT, BREACH, "b", False),
}


@pytest.mark.parametrize(("client", "breach", "clause", "valid"), ENTRIES.values(), ids=ENTRIES)
def test_the_schema_is_strict(client: dict[str, Any], breach: dict[str, Any], clause: str, valid: bool) -> None:
    """An entry is as its schema says, or refused."""
    whole = {"clients": [client], "breaches": {clause: [breach]}}
    assert valid is Draft202012Validator(SCHEMA).is_valid(whole)


def test_breaches_are_of_clauses() -> None:
    """Each clause that is named exists, and they stand in the order of the clauses."""
    named = list(DATA["breaches"])
    assert [name for name in named if name not in CLAUSES] == []
    assert named == [clause for clause in CLAUSES if clause in named]


def test_effects_are_of_clients() -> None:
    """Each client that is named was measured, and each that was measured is named."""
    named = {client for _, breach in ALL for client in breach.clients}
    assert named == set(measured().clients)


def test_clients_and_breaches_are_told_apart() -> None:
    """No id, name or breach of one clause is there twice."""
    clients = DATA["clients"]
    names = [each[key] for key in ("id", "name") for each in clients]
    names += [f"{clause}: {breach.breach}" for clause, breach in ALL]
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert len(clients) == 7


def test_clients_stand_in_the_order_of_the_table() -> None:
    """In every breach, so that a missing one is seen."""
    order = list(measured().clients)
    assert [breach.breach for _, breach in ALL if list(breach.clients) != sorted(breach.clients, key=order.index)] == []


# ---- one of the clients is here, and can be asked


def result(**members: Any) -> bytes:
    return json.dumps({"DetectAnomalyResult": members}).encode()


WHOLE = result(IsAnomalous=True)
NOT_FOUND = ((b"x-amzn-ErrorType", b"ResourceNotFoundException"),)
CRASH, EMPTY, MESSAGE_LOST = "a crash", "an empty result", "the message lost"
SUCCESSES = [
    ("success.json", "the body is empty", b"", EMPTY),
    ("success.json", "the body is HTML, cut-off JSON", b"<html>", EMPTY),
    ("success.json", "the body is HTML, cut-off JSON", WHOLE[:-3], EMPTY),
    ("success.json", "the body is HTML, cut-off JSON", b"\xef\xbb\xbf" + WHOLE, EMPTY),
    ("success.json", "a number is a bare NaN", b'{"DetectAnomalyResult": {"Confidence": NaN}}', "read as NaN"),
    ("success.encoding", "the body is gzip", b"\x1f\x8b\x08\x00\xff", CRASH),
    ("success.result", "DetectAnomalyResult is missing", b"{}", EMPTY),
    ("success.result", "DetectAnomalyResult is missing", b'{"DetectAnomalyResult": null}', EMPTY),
    ("success.result", "DetectAnomalyResult is missing", b'{"detectAnomalyResult": {"IsAnomalous": true}}', EMPTY),
    ("success.result", "the body is a JSON array", b"[1]", CRASH),
    ("result.is-anomalous", "IsAnomalous is 1", result(IsAnomalous=1), "read as False"),
    ("result.is-anomalous", "IsAnomalous is the string", result(IsAnomalous="true"), ""),
    ("result.is-anomalous", "IsAnomalous is missing or null", result(IsAnomalous=None, Confidence=1.0), "no value"),
    ("result.confidence", "Confidence is a string", result(IsAnomalous=True, Confidence="0.9"), ""),
    ("result.confidence", 'Confidence is the string "NaN"', result(Confidence="NaN"), "read as NaN"),
    ("result.confidence", "Confidence is greater", result(Confidence=99.5), "handed on as it is"),
    ("mask.base64", "the base64 is of the alphabet for URLs", result(AnomalyMask="a-_b"), CRASH),
    ("mask.base64", "the base64 is of the alphabet for URLs", result(AnomalyMask="YWI"), CRASH),
    ("mask.base64", "there is a line break", result(IsAnomalous=True, AnomalyMask="YWJ\nj"), ""),
    ("mask.base64", "the mask is no base64 at all", result(AnomalyMask=[1, 2]), CRASH),
    ("mask.length", "AnomalyMask is empty", result(AnomalyMask=""), "a mask of 0 bytes"),
]
ERRORS = [
    ("error.id", "there is no error id", (), b'{"Message": "m"}', "a generic error"),
    ("error.id-header", "the id is in `__type`", (), b'{"Message": "m", "__type": "ResourceNotFoundException"}', ""),
    ("error.id-header", "the id is in `code`", (), b'{"Message": "m", "code": "ResourceNotFoundException"}', ""),
    (
        "error.id-header",
        "the id in the header has a namespace",
        ((b"x-amzn-ErrorType", b"com.example#ResourceNotFoundException"),),
        b'{"Message": "m"}',
        "",
    ),
    (
        "error.id-agreement",
        "header and body name two",
        NOT_FOUND,
        b'{"Message": "m", "__type": "ConflictException"}',
        "the error of the header",
    ),
    ("error.json", "the body is HTML, XML or plain text", (), b"<html>", "a generic error"),
    ("error.json", "the body is HTML or cut-off JSON", NOT_FOUND, b"<html>", MESSAGE_LOST),
    ("error.json", "the body is a JSON array", NOT_FOUND, b"[1]", CRASH),
    ("error.json", "the body is a JSON string", NOT_FOUND, b'"m"', CRASH),
    ("error.json", "the body is empty, with the id", NOT_FOUND, b"", MESSAGE_LOST),
    ("error.json", "the body is empty, and no header", (), b"", "a generic error"),
    ("error.message", "the message is missing or null", NOT_FOUND, b"{}", "no message"),
    ("error.message-spelling", "the message is spelt", NOT_FOUND, b'{"message": "m"}', ""),
    ("error.resource", "ResourceId and ResourceType", NOT_FOUND, b'{"Message": "m"}', ""),
    (
        "error.retry-after",
        "Retry-After is a date",
        ((b"x-amzn-ErrorType", b"ThrottlingException"), (b"Retry-After", b"Fri, 31 Oct 2025 23:59:59 GMT")),
        b'{"Message": "m"}',
        CRASH,
    ),
]


def said(clause: str, beginning: str) -> str:
    """The effect on boto3 that the data names for a breach; nothing where it harms not."""
    (found,) = (breach for breach in breaches_of(clause) if breach.breach.startswith(beginning))
    return found.clients.get("boto3-1.44", "")


def effect_of_success(body: bytes) -> str:
    """What botocore makes of a success, in the words of the data; nothing where it is what was meant."""
    parsed = sdk.read_success(Response(200, headers=((b"Content-Type", b"application/json"),), body=body))
    if isinstance(parsed, str):
        return CRASH
    members = parsed.get("DetectAnomalyResult")
    if not members:
        return EMPTY
    confidence, decision = members.get("Confidence", 0), members.get("IsAnomalous", True)
    readings = {
        "read as NaN": confidence != confidence,
        "handed on as it is": confidence > 1,
        "a mask of 0 bytes": members.get("AnomalyMask") == b"",
        "read as False": decision is False,
        "no value": "IsAnomalous" not in members,
    }
    return next((words for words, is_so in readings.items() if is_so), "")


def effect_of_error(headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> str:
    """What botocore makes of an error, in the words of the data; nothing where it is what was meant."""
    parsed = sdk.read_error(Response(404, headers=headers, body=body))
    if isinstance(parsed, str):
        return CRASH
    if "shape" not in parsed:
        return "a generic error"
    if b"__type" in body and headers:
        return "the error of the header" if parsed["shape"] == headers[0][1].decode() else "the error of the body"
    message = parsed["Error"].get("Message")
    return "" if message == "m" else "no message" if body == b"{}" else MESSAGE_LOST


@pytest.mark.parametrize(("clause", "breach", "body", "effect"), SUCCESSES)
def test_boto3_reads_successes_as_the_data_says(clause: str, breach: str, body: bytes, effect: str) -> None:
    """The one client that is installed here is asked again."""
    assert said(clause, breach) == effect == effect_of_success(body)


@pytest.mark.parametrize(("clause", "breach", "headers", "body", "effect"), ERRORS)
def test_boto3_reads_errors_as_the_data_says(
    clause: str, breach: str, headers: tuple[tuple[bytes, bytes], ...], body: bytes, effect: str
) -> None:
    """The one client that is installed here is asked again."""
    assert said(clause, breach) == effect == effect_of_error(headers, body)


# ---- the words


def test_a_breach_reads_aloud() -> None:
    """Effects in the order of the data, clients of a kind together."""
    (one, *_) = breaches_of("result.is-anomalous")
    assert str(one) == (
        "IsAnomalous is 1: read as 1 in boto3 1.26; read as False in boto3 1.40/1.44, JS v2; read as True in JS v3; "
        "a crash in Go v1/v2"
    )


def test_whatever_harms_nobody_or_everybody_says_so() -> None:
    """Silence would look like something that was not measured."""
    everybody = dict.fromkeys(measured().clients, "a crash")
    assert str(Breach("it hums", {})) == "it hums: harms none of the 7 clients"
    assert str(Breach("it hums", everybody)) == "it hums: a crash in all 7 clients"


def test_several_breaches_are_told_in_short() -> None:
    """All that may happen, harm or not; one breach alone is told as it is, none not at all."""
    hums, barks = Breach("it hums", {"js-v3": "a crash"}), Breach("it barks", {"go-v1": "a crash", "js-v2": "a sigh"})
    assert in_short([hums, barks]) == "depending on how: a crash in JS v3, Go v1; a sigh in JS v2"
    assert in_short([hums, Breach("it sits", {})]) == "depending on how: a crash in JS v3; or no harm"
    assert in_short([hums]) == str(hums)
    assert in_short([]) == ""


@pytest.mark.parametrize("clause", BREACHES)
def test_it_stays_short(clause: str) -> None:
    """A line of a report is a line or two on a screen."""
    assert all(len(str(breach)) <= 240 for breach in BREACHES[clause])
    assert len(in_short(BREACHES[clause])) <= 260


# ---- explain


@pytest.mark.parametrize("clause", BREACHES)
def test_a_clause_is_explained_with_its_breaches(clause: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every breach that was measured, and with which versions."""
    assert main(["explain", clause]) == 0
    lines = capsys.readouterr().out.splitlines()
    out = re.sub(r"\s+", " ", " ".join(lines))
    assert f" breaks {BREACHES[clause][0]} " in out
    assert all(f" {breach} " in out for breach in BREACHES[clause])
    assert sum(line.startswith("  breaks") for line in lines) == 1
    assert " measured with boto3 1.26 (1.26.165), boto3 1.40 (1.40.60 and AWS CLI 1.42.60), " in out
    assert all(len(line) <= 110 for line in lines)


def test_a_clause_that_was_not_measured_breaks_nobody_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said where nothing is known."""
    assert main(["explain", "mask.size"]) == 0
    out = capsys.readouterr().out
    assert "breaks" not in out
    assert "measured" not in out


# ---- the reports


DECISION, HARMLESS, UNMEASURED = "result.is-anomalous", "success.media-type", "mask.size"
MUTANTS = {
    DECISION: "decision-is-a-number",
    HARMLESS: "success-is-plain-text",
    UNMEASURED: "mask-is-one-pixel-too-narrow",
    "error.message-spelling": "message-begins-in-lower-case",
}
"""A clause, and a server that breaches it."""


@cache
def report_of(clause: str) -> Report:
    """The report on the mutant of a clause, of that clause alone."""
    behaviour, _ = behaviour_of(MUTANTS[clause], None)
    target = load(shipped("fixtures", "targets", "reference.toml"))
    report, _ = run.prepare(target, only=(clause, "success.status")).against(Server(behaviour)).go()
    assert [row.clause.id for row in report.rows if row.outcome is Outcome.FAILED] == [clause]
    return report


@pytest.fixture(params=MUTANTS)
def clause(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_the_terminal_says_in_a_line_whom_it_breaks(clause: str) -> None:
    """One line for the failed clause, and none where nothing was measured."""
    file = StringIO()
    terminal.show(report_of(clause), None, Console(file=file, soft_wrap=True))
    lines = [line for line in file.getvalue().splitlines() if "breaks" in line]
    expected = in_short(breaches_of(clause))
    assert lines == ([f"  | breaks      {expected}"] if expected else [])


def test_markdown_lists_what_it_breaks(clause: str) -> None:
    """Each breach is an item, and the clients stand there with their versions."""
    text = markdown.render(report_of(clause))
    expected = [f"- {markdown.plain(str(breach))}" for breach in breaches_of(clause)]
    found = text.partition("What it breaks:\n\n")[2].partition("\n\n")[0].splitlines()
    assert found == expected
    assert ("What breaks was measured with boto3 1.26 (1.26.165), " in text) is bool(expected)


def test_junit_tells_it_in_the_failure(clause: str) -> None:
    """In the text of a failure, or of a remark."""
    case = fromstring(junit.render(report_of(clause))).find(f".//testcase[@name='{clause}']")  # noqa: S314 - our own
    assert case is not None
    (text,) = (child.text for child in case if child.tag in ("failure", "system-out"))
    assert text is not None
    found = [line for line in text.splitlines() if line.startswith("breaks: ")]
    assert found == [f"breaks: {breach}" for breach in breaches_of(clause)]


def test_json_holds_it_as_data(clause: str) -> None:
    """On the row of the failed clause and on no other, by the schema and the same every time."""
    written = document.to_document(report_of(clause))
    assert [error.message for error in Draft202012Validator(REPORT_SCHEMA).iter_errors(written)] == []
    rows = {row["id"]: row["breaks"] for row in written["clauses"]}
    assert rows.pop(clause) == DATA["breaches"].get(clause, [])
    assert [name for name, breaks in rows.items() if breaks] == []
    assert json.dumps(written) == json.dumps(document.to_document(report_of(clause)))


@pytest.mark.parametrize(
    "breaks",
    [
        None,
        [{"breach": "it is so"}],
        [{"breach": "it is so", "clients": ["go-v1"]}],
        [{"breach": "it is so", "clients": {"go-v1": "\x1b"}}],
    ],
    ids=["missing", "no-clients", "list", "escape"],
)
def test_the_report_schema_is_strict(breaks: list[Any] | None) -> None:
    """A row without it, or with something else in it, is none."""
    written = json.loads(json.dumps(document.to_document(report_of(DECISION))))
    (row,) = (row for row in written["clauses"] if row["id"] == DECISION)
    row.pop("breaks") if breaks is None else row.update(breaks=breaks)
    assert not Draft202012Validator(REPORT_SCHEMA).is_valid(written)


def test_only_failed_rows_may_break_anything() -> None:
    """What was kept breaks nobody."""
    written = json.loads(json.dumps(document.to_document(report_of(DECISION))))
    (row,) = (row for row in written["clauses"] if row["id"] == "success.status")
    assert row["outcome"] == "passed"
    row.update(breaks=DATA["breaches"]["success.status"])
    assert not Draft202012Validator(REPORT_SCHEMA).is_valid(written)
