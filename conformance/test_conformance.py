"""The suite as tests: ``pytest --pyargs conformance --conformance-target acme.toml``."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance import run
from conformance.contract.clauses import Level, catalogue
from conformance.exploration import DEPTHS
from conformance.judge import Verdict
from conformance.mistake import OperatorMistake
from conformance.report.gate import exit_code
from conformance.report.record import ClauseRow, Outcome, Report
from conformance.report.visible import visible
from conformance.rule import Rule
from conformance.rules import RULES
from conformance.scenes import SCENES
from conformance.serving import bundled
from conformance.targets import from_options

Outcomes = tuple[Report, dict[str, Verdict]]


class Remark(UserWarning):
    """A SHOULD clause failed."""


@pytest.fixture(scope="session")
def judged(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """The report of one run against the target that the options name; the reference when they name nothing."""

    def option(name: str) -> str | None:
        value: str | None = request.config.getoption(f"--conformance-{name}")
        return value

    with ExitStack() as stack:
        try:
            scenes = {scene: text for scene in SCENES if (text := option(scene))}
            file, url = option("target"), option("url")
            if file or url or scenes or option("image"):
                target = from_options(Path(file) if file else None, url, scenes, option("image"))
            else:
                target = stack.enter_context(bundled())
            depth = option("depth") or "standard"
            if depth not in DEPTHS:
                raise OperatorMistake(f"--conformance-depth {depth}: this is none of {', '.join(DEPTHS)}")
            report, verdicts = run.prepare(target, seed=option("seed") or "0", depth=DEPTHS[depth]).go()
            if folder := option("out"):
                run.write_all(report, Path(folder))
        except OperatorMistake as mistake:
            pytest.exit(f"conformance: {mistake}", returncode=2)
        except Exception:  # told plainly: pytest would show what our functions were called with, which may be secret
            pytest.fail(f"the suite itself failed:\n{traceback.format_exc()}", pytrace=False)
        yield report, {verdict.rule.id: verdict for verdict in verdicts}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.clause}:{rule.id}")
def test_rule(rule: Rule, judged: Outcomes, request: pytest.FixtureRequest) -> None:
    """One rule's verdict on everything that it saw."""
    report, verdicts = judged
    verdict = verdicts[rule.id]
    clause = catalogue().clauses[verdict.rule.clause]
    row = next(row for row in report.rows if row.clause.id == clause.id)
    for name, value in {"clause": clause.id, "level": clause.level, "outcome": row.outcome}.items():
        request.node.user_properties.append((name, str(value)))
    if verdict.error:
        pytest.fail(visible(verdict.error), pytrace=False)
    if verdict.breached:
        _fail(verdict, row)
    if not verdict.judged:
        pytest.skip(visible(row.reason) if row.outcome is not Outcome.PASSED else "another rule judged the clause")


def _fail(verdict: Verdict, row: ClauseRow) -> None:
    text = _story(verdict, row)
    if row.clause.level is Level.MUST and not row.known:
        pytest.fail(text, pytrace=False)
    if row.known:
        pytest.xfail(f"known failure: {visible(row.known)}")
    warnings.warn(Remark(text), stacklevel=2)


def _story(verdict: Verdict, row: ClauseRow) -> str:
    lines = [f"{row.clause.level} {row.clause.id}: {row.clause.requirement}"]
    for violation in verdict.violations:
        finding = violation.finding
        text = f"{violation.exchange.case.id}: {finding.where}: expected {finding.expected}, got {finding.actual}"
        lines.append(f"| {visible(text)}")
    return "\n".join([*lines, f"{verdict.breached} of {verdict.judged} exchanges"])


def test_conclusion(judged: Outcomes, request: pytest.FixtureRequest) -> None:
    """The run comes to what the command would call a success."""
    report, _ = judged
    code = exit_code(report, gate=bool(request.config.getoption("--conformance-gate")))
    if code:
        pytest.fail(visible(f"{report.conclusion}: {report.reason} (exit code {code})"), pytrace=False)
