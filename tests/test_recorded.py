"""Traffic of others: HTTP archives of our own making, and what is judged of them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarParser
from PIL import Image

from conformance import cli, run, selftest
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST
from conformance.report.record import Conclusion, Outcome, Report
from conformance.traffic import har, recorded

PATH = "/2020-11-20/projects/circuits/models/2/detect"
WAIT = 20.0


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 80), "grey").save(file, "PNG")
    return file.getvalue()


PHOTOGRAPH = photograph()
UNHEARD = recorded.UNSEEN - {"state"}


def failed(report: Report) -> set[str]:
    return {row.clause.id for row in report.rows if row.outcome is Outcome.FAILED}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Archives of runs against the honest reference and one whose decision is a number."""
    strains = {"honest": HONEST, "number": replace(HONEST, result=numbered)}
    prepared = run.prepare(selftest.reference(), shrink=False)
    files = {}
    for name, behaviour in strains.items():
        folder = tmp_path_factory.mktemp(name)
        prepared.against(Server(behaviour)).go(evidence=folder)
        files[name] = folder / "traffic.har"
        har.convert(folder, files[name])
    return files


def numbered(detection: Any) -> dict[str, Any]:
    return {"Source": {"Type": "direct"}, "IsAnomalous": int(detection.is_anomalous), "Confidence": 0.5}


class TestArchives:
    """HTTP archives in and out."""

    def test_somebody_elses_parser_reads_them(self, archives: dict[str, Path]) -> None:
        parsed = HarParser(json.loads(archives["honest"].read_text(encoding="utf-8")))
        entries = parsed.har_data["entries"]
        assert len(entries) > 300
        assert {entry["request"]["method"] for entry in entries} >= {"POST", "GET"}
        assert {entry["response"]["status"] for entry in entries} >= {200, 400, 404}

    def test_the_innocent_is_not_accused(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["honest"])
        report = recorded.heard(spoken, selftest.reference(), started)
        assert failed(report) == set()
        assert report.conclusion is Conclusion.PARTIAL

    def test_a_fault_is_heard(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["number"])
        assert "result.is-anomalous" in failed(recorded.heard(spoken, selftest.reference(), started))

    def test_what_no_recording_shows_is_not_judged(self, archives: dict[str, Path]) -> None:
        started, spoken = har.load(archives["honest"])
        rows = recorded.heard(spoken, selftest.reference(), started).rows
        assert not [row.clause.id for row in rows if row.clause.section in UNHEARD and row.judged]

    @pytest.mark.parametrize(
        ("data", "known"),
        [
            ({"text": base64.b64encode(PHOTOGRAPH).decode(), "encoding": "base64"}, True),
            ({"text": PHOTOGRAPH.decode("latin-1")}, True),
            ({"text": PHOTOGRAPH.decode("utf-8", "replace")}, False),
            ({}, False),
        ],
        ids=["base64", "latin-1", "replaced", "left out"],
    )
    def test_a_body_that_was_lost_is_not_guessed(self, tmp_path: Path, data: dict[str, str], known: bool) -> None:
        """An image that a recorder made into text would look like none, and a 200 for it like a breach."""
        url = f"http://127.0.0.1:1{PATH}"
        request: dict[str, Any] = {"method": "POST", "url": url}
        request["headers"] = [{"name": "content-type", "value": "image/png"}]
        request |= {"bodySize": len(PHOTOGRAPH), "postData": {"mimeType": "image/png", **data}}
        answer = Server().open().exchange(recorded_request())
        content = {"text": base64.b64encode(answer.body).decode(), "encoding": "base64"}  # type: ignore[union-attr]
        response = {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": content,
        }
        entry = {"startedDateTime": "2026-01-01T00:00:00Z", "time": 3, "request": request, "response": response}
        file = tmp_path / "one.har"
        file.write_text(json.dumps({"log": {"entries": [entry]}}), encoding="utf-8")
        started, spoken = har.load(file)
        assert (spoken[0].body == PHOTOGRAPH) is known
        report = recorded.heard(spoken, selftest.reference(), started)
        assert failed(report) == set()
        assert {row.clause.id: row.judged for row in report.rows}["mask.png"] == 1

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"log": {"entries": 3}}', '{"log": {"entries": [{}]}}', "[" * 9999]
    )
    def test_anything_else_is_a_mistake(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "no.har"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(OperatorMistake, match=r"no\.har"):
            har.load(file)

    def test_the_command_judges_them(self, archives: dict[str, Path], tmp_path: Path) -> None:
        target = Path(__file__).parent.parent / "fixtures" / "targets" / "reference.toml"
        judge = ["judge", str(archives["number"]), "--target", str(target), "--out", str(tmp_path), "--quiet"]
        assert cli.main(judge) == 1
        assert (tmp_path / "report.json").exists()


def recorded_request() -> Any:
    from conformance.message import Request

    length = str(len(PHOTOGRAPH))
    headers: list[tuple[str | bytes, str | bytes]] = [
        ("Host", "h"),
        ("Content-Type", "image/png"),
        ("Content-Length", length),
    ]
    return Request.build("POST", PATH, headers, PHOTOGRAPH)
