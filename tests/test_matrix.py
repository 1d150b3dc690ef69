"""``conformance matrix``: implementations side by side, by section, by clause, and by what they read into silence."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from comparing import CREATED, NASTY, REFERENCE, complaints, edited, judged, row
from markdown_it import MarkdownIt

from conformance.cli import main
from conformance.contract.clauses import Level, catalogue
from conformance.in_process import Server
from conformance.matrix import side_by_side
from conformance.reference.app import HONEST
from conformance.report import matrix
from conformance.report.matrix import Matrix
from conformance.report.record import Outcome

STATUS = "success.status"
Place = Callable[[str], Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three implementations: one that is honest, one with a fault, and one without a segmentation model."""
    folder = tmp_path_factory.mktemp("runs")
    less = replace(
        REFERENCE,
        name="less",
        scenes={name: each for name, each in REFERENCE.scenes.items() if name != "segmentation"},
    )

    def named(name: str) -> Callable[[dict[str, Any]], object]:
        return lambda whole: whole["target"].update(name=name)

    return {
        "honest": judged(folder / "honest", Server(), evidence=False, edit=named("honest")),
        "created": judged(folder / "created", Server(CREATED), evidence=False, edit=named("created")),
        "less": judged(folder / "less", Server(HONEST), less, evidence=False),
    }


@pytest.fixture
def found(folders: dict[str, Path]) -> Matrix:
    return side_by_side(list(folders.values()))


class TestCells:
    """What the numbers are."""

    def test_every_clause_counts_once(self, found: Matrix) -> None:
        for place, report in enumerate(found.reports):
            total = sum(found.cells()[place].counts.values())
            by_section = sum(sum(found.cells(section)[place].counts.values()) for section in found.sections)
            assert total == by_section == len(report.clauses) == len(catalogue().tested())
        assert list(found.sections) == [each for each in catalogue().sections if each in found.sections]

    def test_a_failure_a_gap_and_a_section_that_is_kept(self, found: Matrix) -> None:
        assert [cell.verdict for cell in found.cells("success")] == ["kept", "failed", "kept"]
        assert [cell.verdict for cell in found.cells("mask")] == ["kept", "kept", "gaps"]
        assert [cell.verdict for cell in found.cells()] == ["kept", "failed", "gaps"]
        masks = sum(each.section == "mask" for each in found.clauses)
        assert found.cells("mask")[2].shown(ascii_only=False) == f"– 0/0/{masks}"
        assert found.cells("mask")[0].shown(ascii_only=True) == f"+ {masks}/0/0"

    @pytest.mark.parametrize(
        ("level", "outcomes", "verdict"),
        [
            (Level.MUST, ["failed", "error", "unexercised"], "failed"),
            (Level.SHOULD, ["failed", "error", "unexercised"], "error"),
            (Level.SHOULD, ["failed", "unexercised"], "remarks"),
            (Level.MUST, ["passed", "unexercised"], "gaps"),
            (Level.SHOULD, ["passed", "unexercised"], "kept"),
            (Level.MUST, ["passed", "not applicable"], "kept"),
            (Level.OBSERVE, ["observed"], "kept"),
            (Level.MUST, [], ""),
        ],
    )
    def test_the_worst_counts(self, level: Level, outcomes: list[str], verdict: str, found: Matrix) -> None:
        clauses = [replace(found.clauses[0], level=level, outcome=Outcome(each)) for each in outcomes]
        assert matrix.Cell.of(clauses).verdict == verdict

    def test_clauses_that_tell(self, found: Matrix) -> None:
        telling = {each.id for each in found.telling}
        assert STATUS in telling
        assert "mask.png" in telling
        assert "route.method" not in telling
        assert found.outcomes(STATUS) == [Outcome.PASSED, Outcome.FAILED, Outcome.PASSED]

    def test_interpretations(self, found: Matrix) -> None:
        """Each OBSERVE clause, with what each implementation was seen to do."""
        readings = {clause.id: cells for clause, cells in found.interpretations}
        assert set(readings) == {each.id for each in catalogue().tested() if each.level is Level.OBSERVE}
        assert readings["http.expect"][0] != readings["http.expect"][1]
        assert any("201" in each for each in readings["http.expect"][1])
        assert all(cell for cells in readings.values() for cell in cells)


class TestNames:
    """No two columns are called the same."""

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            ([("a", "1"), ("b", "1")], ["a", "b"]),
            ([("a", "1"), ("a", "2"), ("b", "")], ["a 1", "a 2", "b"]),
            ([("a", "1"), ("a", "1"), ("a", "2")], ["a 1 #1", "a 1 #2", "a 2"]),
            ([("a", ""), ("a", "")], ["a #1", "a #2"]),
        ],
    )
    def test_labels(
        self, names: list[tuple[str, str]], expected: list[str], folders: dict[str, Path], tmp_path: Path
    ) -> None:
        places = []
        for number, (name, version) in enumerate(names):
            place = tmp_path / str(number)
            place.mkdir()
            shutil.copy(folders["honest"] / "report.json", place)

            def edit(whole: dict[str, Any], name: str = name, version: str = version) -> None:
                whole["target"].update(name=name, version=version)

            places.append(edited(place, edit))
        assert list(side_by_side(places).labels) == expected


def hostile(whole: dict[str, Any]) -> None:
    whole["target"].update(name=NASTY, version=NASTY)
    whole["suite"].update(version=NASTY, contract=NASTY)
    for entry in whole["clauses"]:
        entry.update(reason=NASTY, requirement=NASTY)
        if "readings" in entry:
            entry.update(readings={NASTY: 3}, question=NASTY)


class TestShown:
    """Terminal, Markdown and JSON."""

    def test_the_command(self, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        files = ["--markdown", str(tmp_path / "m.md"), "--json", str(tmp_path / "m.json")]
        assert main(["matrix", *map(str, folders.values()), *files]) == 0
        out = capsys.readouterr().out
        text, whole = ((tmp_path / name).read_text(encoding="utf-8") for name in ("m.md", "m.json"))
        assert complaints("matrix.schema.json", json.loads(whole)) == []
        assert re.search(rf"^MUST {STATUS} +\| passed +\| failed +\| passed$", out, re.MULTILINE)
        assert f"| {STATUS} | MUST | ✓ passed | ✗ failed | ✓ passed |" in text
        assert re.search(r"^section +\| honest +\| created +\| less$", out, re.MULTILINE)
        assert re.fullmatch(r"[ -~\n]*", out)

    def test_every_clause_is_in_every_rendering(self, found: Matrix) -> None:
        text, whole = matrix.markdown(found), matrix.to_document(found)
        listed = [each["id"] for section in whole["sections"] for each in section["clauses"]]
        assert sorted(listed) == sorted(each.id for each in catalogue().tested())
        assert all(f"| {name} | " in text for name in listed)

    def test_a_section_is_shown_whole(self, folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["matrix", *map(str, folders.values()), "--section", "route"]) == 0
        out = capsys.readouterr().out
        assert "MUST route.method" in out
        assert f"MUST {STATUS}" not in out

    def test_a_section_that_is_none(self, folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["matrix", str(folders["honest"]), "--section", "rout"]) == 2
        out, errors = capsys.readouterr()
        assert (out, errors) == ("", "conformance: there is no section 'rout'; did you mean 'route'?\n")

    def test_other_suites_and_sets_are_named(self, folders: dict[str, Path], tmp_path: Path) -> None:
        def older(whole: dict[str, Any]) -> None:
            whole["suite"].update(version="0.0.9")
            whole["target"].update(name="older")
            whole["clauses"].remove(row(whole, STATUS))
            whole["clauses"].append(row(whole, "mask.png") | {"id": "former.clause", "section": "former"})

        shutil.copy(folders["honest"] / "report.json", tmp_path)
        found = side_by_side([folders["honest"], edited(tmp_path, older)])
        assert found.outcomes(STATUS) == [Outcome.PASSED, None]
        assert [each.partition(":")[0] for each in found.differences] == [
            "not all were judged by the same suite",
            "honest was not judged by",
            "older was not judged by",
        ]
        assert [cell.shown(ascii_only=True) for cell in found.cells("former")] == ["", "+ 1/0/0"]
        assert complaints("matrix.schema.json", matrix.to_document(found)) == []
        assert matrix.NO_SUCH_CLAUSE in matrix.markdown(found)

    def test_hostile_reports_are_harmless(
        self, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shutil.copy(folders["created"] / "report.json", tmp_path)
        found = side_by_side([edited(tmp_path, hostile), folders["honest"]])
        matrix.show(found)
        out, text = capsys.readouterr().out, matrix.markdown(found)
        assert re.fullmatch(r"[ -~\n]*", out)
        assert not [line for line in (out + text).splitlines() if line.lstrip().startswith(("::", "##["))]
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        kinds = {token.type for each in tokens for token in (each, *(each.children or ()))}
        assert kinds.isdisjoint({"html_inline", "html_block", "link_open", "image", "fence", "code_block"})
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("| route.query")}
        assert widths == {5}
        assert complaints("matrix.schema.json", matrix.to_document(found)) == []
