"""The pytest plugin: the run as tests in the user's own pytest, and nothing at all until it is asked for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.contract.clauses import Level, catalogue
from conformance.reference.app import HONEST, Behaviour, Refused, write_error
from conformance.reference.server import running
from conformance.report import document
from conformance.rules import RULES

pytest_plugins = ["pytester"]

ASKED = ["-p", "no:schemathesis", "--pyargs", "conformance", "--conformance-depth", "quick"]
SCENES = ["--classification", "cookies/1", "--segmentation", "circuits/2"]
FAULTY = replace(HONEST, success_status=201, error_headers=lambda _: ())


def message_in_lower_case(refused: Refused) -> dict[str, Any]:
    """What a SHOULD advises against and no MUST forbids."""
    return {"message" if name == "Message" else name: value for name, value in write_error(refused).items()}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as base:
        yield base


def judged(pytester: pytest.Pytester, url: str, *options: str) -> pytest.RunResult:
    """A run of the suite's own tests against a target, in a process of its own."""
    scenes = [f"--conformance-{word[2:]}" if word.startswith("--") else word for word in SCENES]
    return pytester.runpytest_subprocess(*ASKED, "--conformance-url", url, *scenes, *options)


def failed_clauses(junit: Path) -> set[str]:
    """The clauses of the test cases that failed."""
    found = set()
    for case in ET.parse(junit).getroot().iter("testcase"):  # noqa: S314 (pytest's own)
        if case.find("failure") is not None:
            found |= {each.get("value", "") for each in case.iter("property") if each.get("name") == "clause"}
    return found


class TestRun:
    """pytest --pyargs conformance."""

    def test_the_reference_passes_with_the_gate(self, url: str, pytester: pytest.Pytester) -> None:
        result = judged(pytester, url, "--conformance-gate", "--junitxml", "out.xml")
        outcomes = result.parseoutcomes()
        assert result.ret == 0
        assert set(outcomes) <= {"passed", "skipped"}
        assert sum(outcomes.values()) == len(RULES) + 1
        cases = list(ET.parse(pytester.path / "out.xml").getroot().iter("testcase"))  # noqa: S314
        clauses = [
            each.get("value") for case in cases for each in case.iter("property") if each.get("name") == "clause"
        ]
        assert set(clauses) == {rule.clause for rule in RULES}

    def test_a_partial_run_fails_without_the_gate(self, url: str, pytester: pytest.Pytester) -> None:
        result = judged(pytester, url, "--conformance-out", "report")
        assert result.ret == 1
        assert result.parseoutcomes()["failed"] == 1
        result.stdout.re_match_lines([r"partial: .* \(exit code 4\)"])
        assert document.load(pytester.path / "report" / "report.json")["conclusion"] == "partial"

    def test_rules_are_selected_by_clause(self, pytester: pytest.Pytester) -> None:
        """And the reference is judged when nothing is named."""
        result = pytester.runpytest_subprocess(*ASKED, "-k", "mask")
        chosen = [rule for rule in RULES if "mask" in f"{rule.clause}:{rule.id}"]
        assert result.ret == 0
        outcomes = result.parseoutcomes()
        assert outcomes.pop("deselected") == len(RULES) + 1 - len(chosen)
        assert sum(outcomes.values()) == len(chosen)

    def test_it_says_the_same_as_the_command(self, pytester: pytest.Pytester, tmp_path: Path) -> None:
        with running(FAULTY) as url:
            code = main(["run", "--depth", "quick", url, *SCENES, "--out", str(tmp_path), "--quiet"])
            result = judged(pytester, url, "--junitxml", "out.xml")
        rows = document.load(tmp_path / "report.json")["clauses"]
        failed = {row["id"] for row in rows if row["level"] == Level.MUST and row["outcome"] == "failed"}
        assert code == result.ret == 1
        assert failed_clauses(pytester.path / "out.xml") == failed
        assert len(failed) > 1

    def test_remarks_are_warnings(self, pytester: pytest.Pytester) -> None:
        """A failed SHOULD is told and fails nothing."""
        shoulds = {clause.id for clause in catalogue().tested() if clause.level is Level.SHOULD}
        with running(replace(HONEST, error_payload=message_in_lower_case)) as url:
            result = judged(pytester, url, "--conformance-gate")
        assert result.ret == 0
        told = set(re.findall(r"Remark: SHOULD ([a-z.-]+):", result.stdout.str()))
        assert told
        assert told <= shoulds

    def test_known_failures_pass_the_gate(self, pytester: pytest.Pytester) -> None:
        text = """\
[target]
name = "x"
url = "{}"
[scenes.classification]
project = "cookies"
version = "1"
[known-failures]
"success.status" = "ticket 4711"
"""
        with running(replace(HONEST, success_status=201)) as url:
            pytester.path.joinpath("x.toml").write_text(text.format(url), encoding="utf-8")
            command = [*ASKED, "--conformance-target", "x.toml", "-rx"]
            gated = pytester.runpytest_subprocess(*command, "--conformance-gate")
        assert gated.ret == 0
        assert gated.parseoutcomes()["xfailed"] >= 1
        gated.stdout.fnmatch_lines(["*known failure: ticket 4711*"])

    def test_a_dead_port_fails(self, pytester: pytest.Pytester) -> None:
        result = judged(pytester, "http://127.0.0.1:9", "--conformance-gate")
        outcomes = result.parseoutcomes()
        assert result.ret == 1
        assert "passed" not in outcomes
        assert outcomes["failed"] >= 1
        result.stdout.re_match_lines([r"indeterminate: .* \(exit code 3\)"])


class TestMistakes:
    """What an operator gets wrong."""

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--conformance-target", "no.toml"], "no.toml: there is no such target file"),
            (["--conformance-url", "http://x/api", "--conformance-classification", "a/1"], "must not hold a path"),
            (["--conformance-classification", "a/1"], "there is no URL"),
        ],
        ids=["no-file", "path", "scenes-alone"],
    )
    def test_one_sentence_and_exit_code_2(self, options: list[str], words: str, pytester: pytest.Pytester) -> None:
        result = pytester.runpytest_subprocess(*ASKED, *options)
        assert result.ret == 2
        text = result.stdout.str() + result.stderr.str()
        assert len([line for line in text.splitlines() if words in line]) == 1
        assert "Traceback" not in text


class TestOtherSuites:
    """A suite that has nothing to do with us."""

    SUITE = """
        import sys

        def test_nothing_of_ours_is_loaded():
            ours = {name for name in sys.modules if name.split(".")[0] == "conformance"}
            assert ours <= {"conformance", "conformance.pytest_plugin", "conformance.scenes"}
            assert not {"schemathesis", "hypothesis", "PIL", "yaml", "jsonschema", "rich", "h11"} & set(sys.modules)

        def test_fails():
            assert 1 == 2

        def test_warns():
            import warnings
            warnings.warn("mine")
    """

    def test_it_runs_undisturbed(self, pytester: pytest.Pytester) -> None:
        """The same output to the letter, but for times and the list of plugins."""
        pytester.makepyfile(self.SUITE)
        others = ["-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:_hypothesis_pytestplugin"]
        texts = []
        for more in ([], ["-p", "no:conformance"]):
            result = pytester.runpytest_subprocess(*others, *more)
            assert result.ret == 1
            result.assert_outcomes(passed=2, failed=1, warnings=1)
            text = re.sub(r"in [0-9.]+s|plugins: .*", "", result.stdout.str())
            texts.append(re.sub(r"=+", "=", text))
        assert texts[0] == texts[1]

    def test_the_options_are_told(self, pytester: pytest.Pytester) -> None:
        result = pytester.runpytest_subprocess("--help")
        result.stdout.fnmatch_lines(["DetectAnomalies conformance:", "*--conformance-target*", "*--conformance-gate*"])


def test_the_behaviour_that_is_compared_is_faulty() -> None:
    assert isinstance(FAULTY, Behaviour)
    assert FAULTY != HONEST
