"""``conformance selftest``: the command, its exit codes and its tables, for one strain at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import selftest
from conformance.cli import main
from conformance.reference.app import HONEST
from conformance.reference.mutants import MUTANTS
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS

MUTANT = next(mutant for mutant in MUTANTS if not mutant.needs_sockets)
ON_SOCKETS = next(mutant for mutant in MUTANTS if mutant.needs_sockets)
HARMLESS = Mutant("nothing-is-wrong-with-it", "nothing", ("success.status",), HONEST)
FAULTY = Variant("says-created", "201 is a success, too", replace(HONEST, success_status=201))


def tables(out: str) -> tuple[list[str], list[str]]:
    """The rows of the kill matrix, and of the table of false accusations."""
    head, _, tail = out.partition("# False accusations")
    assert head.startswith("# Kill matrix\n")
    rows = [[line for line in part.splitlines() if line.startswith("| ")] for part in (head, tail)]
    assert [part[:2] for part in rows] == [
        ["| mutant | caught by | requests until then |", "| --- | --- | ---: |"],
        ["| variant | conclusion |", "| --- | --- |"],
    ]
    return rows[0][2:], rows[1][2:]


def test_one_mutant(capsys: pytest.CaptureFixture[str]) -> None:
    """Caught by a clause that it names, and nothing else is tried."""
    assert main(["selftest", "--only", MUTANT.id]) == 0
    out, errors = capsys.readouterr()
    ((row,), variants) = tables(out)
    assert variants == []
    assert re.fullmatch(rf"\| {MUTANT.id} \| [a-z., -]+ \| \d+ \|", row)
    assert set(row.split(" | ")[1].split(", ")) <= set(MUTANT.clauses)
    assert "1 of 1 mutants are caught by a clause that they name." in out
    assert "0 of 0 variants are accused." in out
    assert errors == "1 of 1 mutants\n"


def test_one_variant(capsys: pytest.CaptureFixture[str]) -> None:
    """Accused of nothing."""
    assert main(["selftest", "--only", VARIANTS[0].id]) == 0
    out, errors = capsys.readouterr()
    assert tables(out) == ([], [f"| {VARIANTS[0].id} | conformant |"])
    assert "0 of 1 variants are accused." in out
    assert errors == "1 of 1 variants\n"


def test_a_mutant_that_survives(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(selftest, "MUTANTS", (HARMLESS,))
    assert main(["selftest", "--only", HARMLESS.id]) == 1
    out = capsys.readouterr().out
    (row,), _ = tables(out)
    assert row.startswith(f"| {HARMLESS.id} | **survived** | ")
    assert "0 of 1 mutants are caught" in out


def test_a_variant_that_is_accused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(selftest, "VARIANTS", (FAULTY,))
    assert main(["selftest", "--only", FAULTY.id]) == 1
    out = capsys.readouterr().out
    (row,) = tables(out)[1]
    assert row.startswith(f"| {FAULTY.id} | non-conformant **accused by success.status")
    assert "1 of 1 variants are accused." in out


def test_both_tables_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --only all are tried, but for those that only show over sockets; one of them gone wrong is enough."""
    monkeypatch.setattr(selftest, "MUTANTS", (MUTANT, ON_SOCKETS))
    monkeypatch.setattr(selftest, "VARIANTS", (FAULTY,))
    assert main(["selftest"]) == 1
    mutants, variants = tables(capsys.readouterr().out)
    assert [row.split()[1] for row in mutants] == [MUTANT.id]
    assert [row.split()[1] for row in variants] == [FAULTY.id]


def test_markdown_is_written_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file says what was printed, whatever it said before."""
    file = tmp_path / "matrix.md"
    file.write_text("old\n" * 1000, encoding="utf-8")
    assert main(["selftest", "--only", MUTANT.id, "--markdown", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == capsys.readouterr().out


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tables are printed all the same."""
    file = tmp_path / "nowhere" / "matrix.md"
    assert main(["selftest", "--only", MUTANT.id, "--markdown", str(file)]) == 2
    out, errors = capsys.readouterr()
    assert len(tables(out)[0]) == 1
    last = errors.splitlines()[-1]
    assert last.startswith(f"conformance: {file}: the tables cannot be written: ")
    assert "Traceback" not in errors


def test_a_mutant_over_sockets(capsys: pytest.CaptureFixture[str]) -> None:
    """It is tried with --http; without, nothing would be, and that is no success."""
    assert main(["selftest", "--only", ON_SOCKETS.id]) == 2
    out, errors = capsys.readouterr()
    assert (out, errors) == (
        "",
        f"conformance: the mutant {ON_SOCKETS.id!r} only shows over sockets: try it with --http\n",
    )
    assert main(["selftest", "--only", MUTANT.id, "--http"]) == 0
    assert len(tables(capsys.readouterr().out)[0]) == 1


@pytest.mark.parametrize(
    ("word", "nearest"),
    [(f"{MUTANT.id}x", MUTANT.id), (f"{VARIANTS[0].id}x", VARIANTS[0].id), ("qqqqqqqq", None), ("", None)],
    ids=["mutant", "variant", "nothing-like-it", "empty"],
)
def test_an_unknown_id(word: str, nearest: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--only", word]) == 2
    hint = f"; did you mean {nearest!r}?" if nearest else ""
    assert capsys.readouterr() == ("", f"conformance: there is no mutant or variant {word!r}{hint}\n")
