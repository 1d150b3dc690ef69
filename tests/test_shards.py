"""Shards: whatever a run is cut into, what is merged is the run, and what does not belong together is refused."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance import run, selftest
from conformance.cli import main
from conformance.course import Progress
from conformance.evidence.log import LINES
from conformance.evidence.rejudge import rejudged
from conformance.exploration import Depth
from conformance.merge import merge
from conformance.mistake import OperatorMistake
from conformance.reference.mutants import MUTANTS
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report import document, junit
from conformance.report.record import Conclusion, Report
from conformance.shards import Shard
from conformance.target import Limits

STRAINS: dict[str, Mutant | Variant] = {
    **{mutant.id: mutant for mutant in MUTANTS},
    **{variant.id: variant for variant in VARIANTS},
}
JUDGED = """
mask-is-one-pixel-too-narrow confidence-is-a-string unknown-project-is-invalid stopped-model-is-served
mask-of-a-jpeg-is-half-as-large message-in-lower-case
""".split()
GUARDED = next(each.id for each in MUTANTS if each.guarded)
OF_THE_MOMENT = re.compile(r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"|"[A-Z][a-z]{2}, [^"]* GMT"')
TIMES = ("started", "seconds", "timings")


@cache
def prepared(signed: bool) -> run.Prepared:
    target = selftest.reference()
    target = selftest.guarded(target) if signed else target
    whole = run.prepare(target, depth=Depth(60, 10), environ=selftest.KEYS, shrink=False)
    few = tuple(case for number, case in enumerate(whole.plan.singles) if number % 3 == 0)
    return replace(whole, plan=replace(whole.plan, singles=few), explorer=whole.explorer.remembering())


def part(strain: str, shard: Shard, folder: Path) -> Report:
    """A shard of the run against a strain of its own, as it would be in a job of its own."""
    folder.mkdir(parents=True)
    chosen = STRAINS[strain]
    ready = prepared(chosen.guarded).only_shard(shard).against(selftest.in_process(chosen))
    return ready.go(evidence=folder)[0]


def parts(strain: str, many: int, folder: Path) -> list[Path]:
    folders = [folder / str(number) for number in range(1, many + 1)]
    for number, each in enumerate(folders, 1):
        part(strain, Shard(number, many), each)
    return folders


def merged(folders: list[Path], out: Path) -> Report:
    out.mkdir()
    merge(folders, out)
    return rejudged(out)


def timeless(report: Report) -> dict[str, Any]:
    """The report without what is never twice the same: times, the ids of answers, and the digest over these."""
    said = json.loads(OF_THE_MOMENT.sub('"x"', json.dumps(document.to_document(report))))
    run_ = {key: value for key, value in said["run"].items() if key not in TIMES}
    return {key: value for key, value in said.items() if key != "closing"} | {"run": run_}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three shards of a run against a strain with findings."""
    return parts("confidence-is-a-string", 3, tmp_path_factory.mktemp("three"))


@pytest.mark.parametrize("many", [2, 5])
@pytest.mark.parametrize("strain", [*JUDGED, GUARDED])
def test_merged_shards_are_the_run(strain: str, many: int, tmp_path: Path) -> None:
    """Every clause, every count, every finding and every example."""
    (tmp_path / "whole").mkdir()
    chosen = STRAINS[strain]
    whole, _ = prepared(chosen.guarded).against(selftest.in_process(chosen)).go(evidence=tmp_path / "whole")
    report = merged(parts(strain, many, tmp_path), tmp_path / "merged")
    assert timeless(report) == timeless(whole)
    again = replace(report, started=whole.started, seconds=whole.seconds)
    assert junit.render(again) == junit.render(whole)


def test_merged_evidence_is_that_of_the_run(tmp_path: Path) -> None:
    """The same requests in the same places; so whatever reads evidence need not know of shards."""
    (tmp_path / "whole").mkdir()
    prepared(False).against(selftest.in_process(STRAINS["message-in-lower-case"])).go(evidence=tmp_path / "whole")
    merged(parts("message-in-lower-case", 3, tmp_path), tmp_path / "merged")
    placed = [
        [(row["place"], row["case"]) for row in rows(tmp_path / name) if "place" in row] for name in ("whole", "merged")
    ]
    assert placed[0] == placed[1]
    assert [place for place, _ in placed[0]] == sorted(place for place, _ in placed[0])


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LINES).read_text(encoding="utf-8").splitlines()]


def test_every_shard_sends_a_share(three: list[Path]) -> None:
    """Shards take part evenly; what is for all of them is judged once."""
    judged = [[row["case"] for row in rows(folder) if "place" in row] for folder in three]
    together = [case for shard in judged for case in shard]
    plan = prepared(False).plan
    assert {case.id for case in plan.cases()} <= set(together)
    assert len(together) == len(set(together)) + len(plan.witnesses)
    fair = len(together) / 3
    assert all(fair / 2 < len(shard) < 2 * fair for shard in judged)


class TestRefusals:
    """What does not make one run is refused, and the sentence names what is wrong."""

    def refused(self, folders: list[Path], out: Path) -> str:
        out.mkdir(exist_ok=True)
        with pytest.raises(OperatorMistake) as told:
            merge(folders, out)
        return str(told.value)

    def test_one_is_missing(self, three: list[Path], tmp_path: Path) -> None:
        assert self.refused(three[:1], tmp_path / "out") == "shard 2/3, 3/3 is missing"

    def test_one_is_there_twice(self, three: list[Path], tmp_path: Path) -> None:
        copy = shutil.copytree(three[1], tmp_path / "copy")
        assert self.refused([*three, copy], tmp_path / "out") == f"shard 2/3 is there twice: {three[1]} and {copy}"

    def test_one_is_of_another_cut(self, three: list[Path], tmp_path: Path) -> None:
        part("confidence-is-a-string", Shard(4, 4), tmp_path / "fourth")
        assert "is one of 4 shards" in self.refused([*three, tmp_path / "fourth"], tmp_path / "out")

    @pytest.mark.parametrize(
        ("word", "change"),
        [
            ("seed", {"seed": "7"}),
            ("target", {"target": replace(selftest.reference(), limits=Limits(max_image_bytes=70_000_000))}),
            ("selected", {"clauses": frozenset({"mask.size"})}),
            ("plan", {"plan": replace(prepared(False).plan, flights=())}),
        ],
    )
    def test_one_is_of_another_run(self, word: str, change: dict[str, Any], three: list[Path], tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        server = selftest.in_process(STRAINS["confidence-is-a-string"])
        replace(prepared(False), **change).only_shard(Shard(3, 3)).against(server).go(evidence=tmp_path / "other")
        said = self.refused([*three[:2], tmp_path / "other"], tmp_path / "out")
        assert said == f"{tmp_path / 'other'} is of another run than {three[0]}: its {word} is another one"

    def test_one_is_a_whole_run(self, three: list[Path], tmp_path: Path) -> None:
        (tmp_path / "whole").mkdir()
        prepared(False).against(selftest.in_process(STRAINS["message-in-lower-case"])).go(evidence=tmp_path / "whole")
        assert "this is no shard" in self.refused([*three[:2], tmp_path / "whole"], tmp_path / "out")

    def test_one_was_edited(self, three: list[Path], tmp_path: Path) -> None:
        copy = shutil.copytree(three[2], tmp_path / "copy")
        text = (copy / LINES).read_text(encoding="utf-8")
        (copy / LINES).write_text(text.replace('"seconds":0.0', '"seconds":1.0', 1), encoding="utf-8")
        assert "the evidence was changed" in self.refused([*three[:2], copy], tmp_path / "out")

    def test_the_result_would_overwrite_one(self, three: list[Path]) -> None:
        assert "this is one of the shards" in self.refused(three, three[0])
        assert rows(three[0])

    def test_a_shard_is_no_verdict(self, three: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["judge", str(three[0])]) == 2
        assert "this is shard 1/3 of a run" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "x/y", "-1/3", "1/3/5", "１/3"])
    def test_no_such_shard(self, text: str) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["run", "--shard", text])

    @pytest.mark.parametrize("options", [["--minutes", "1"], ["--known-first"], ["--no-evidence"], ["--depth", "deep"]])
    def test_shards_that_would_not_fit(self, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["run", "http://127.0.0.1:9", "--classification", "c/1", "--shard", "1/2", *options]) == 2
        assert "--shard" in capsys.readouterr().err


def test_a_shard_that_was_cut_off_leaves_the_whole_open(tmp_path: Path) -> None:
    """Nothing that one shard did not send may look as if it had been sent."""
    folders = parts("message-in-lower-case", 3, tmp_path)
    shutil.rmtree(folders[1])
    folders[1].mkdir()

    def stop(progress: Progress) -> None:
        if progress.seen == 20:
            raise KeyboardInterrupt

    server = selftest.in_process(STRAINS["message-in-lower-case"])
    prepared(False).only_shard(Shard(2, 3)).against(server).go(stop, folders[1])
    report = merged(folders, tmp_path / "merged")
    assert report.conclusion is Conclusion.INDETERMINATE
    assert report.course.cut_off == "shard 2: stopped by the operator"


def test_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shards write evidence and no verdict; merging gives the report and the exit code of a run."""
    from conformance.reference.server import running

    chosen = STRAINS["confidence-is-a-string"]
    with running(chosen.behaviour) as url:
        common = ["run", url, "--classification", "cookies/1", "--depth", "quick", "--only", "result"]
        for number in (1, 2):
            assert main([*common, "--shard", f"{number}/2", "--out", str(tmp_path / str(number))]) == 0
    assert "exchanges kept in" in capsys.readouterr().out
    assert not list(tmp_path.glob("*/report*"))
    assert main(["merge", str(tmp_path / "2"), str(tmp_path / "1"), "--out", str(tmp_path / "m"), "--quiet"]) == 1
    assert json.loads((tmp_path / "m/report.json").read_text(encoding="utf-8"))["conclusion"] == "non-conformant"
    assert (tmp_path / "m/report.html").exists()
    assert main(["judge", str(tmp_path / "m"), "--quiet"]) == 1
