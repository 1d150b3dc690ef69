"""What gets no certificate: runs that came to nothing, terms without an end, and folders that hold something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance import run, selftest
from conformance.certification import requirements
from conformance.certification.certify import MOST_DAYS, Order, attempt
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.report.record import Conclusion
from conformance.strains import behaviour_of

ORDER = Order(selftest.reference(), b"", requirements.load("core-1"), "7")


def test_a_run_that_was_cut_off_comes_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where something failed that the set does not demand: who knows what else would have."""
    faulty, _ = behaviour_of("mask-is-one-pixel-too-narrow", None)
    report, _ = run.prepare(ORDER.target, only=("mask",)).against(Server(faulty)).go()
    cut = replace(report, course=replace(report.course, cut_off="the time is up"))
    assert cut.conclusion is Conclusion.NON_CONFORMANT
    monkeypatch.setattr(run.Prepared, "go", lambda *_: (cut, []))
    tried = attempt(ORDER, tmp_path / "bundle", served=Server)
    assert tried.refusals == ["runs/1: the run came to nothing: the time is up"]
    assert tried.cut_short
    assert len(tried.records) == 1


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1, 10**14])
def test_a_certificate_has_a_term(tmp_path: Path, days: int) -> None:
    with pytest.raises(OperatorMistake, match=f"^--days {days}: a certificate is valid for 1 to {MOST_DAYS} days$"):
        attempt(replace(ORDER, days=days), tmp_path / "bundle", served=Server)
    assert not (tmp_path / "bundle").exists()


def test_a_bundle_goes_into_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "note").touch()
    with pytest.raises(OperatorMistake, match="a bundle goes into an empty folder"):
        attempt(ORDER, tmp_path, served=Server)


def test_nothing_is_passed_over(tmp_path: Path) -> None:
    known = replace(ORDER.target, known_failures={"mask.png": "ticket 4711"})
    with pytest.raises(OperatorMistake, match="no certificate passes over any"):
        attempt(replace(ORDER, target=known), tmp_path / "bundle", served=Server)
