"""``conformance compare`` and ``trend``: what changed is found, and every cause is provoked for real."""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from comparing import (
    CREATED,
    NASTY,
    REFERENCE,
    HiccupServer,
    complaints,
    edited,
    flipping,
    judged,
    row,
    wrong_once,
)
from markdown_it import MarkdownIt

from conformance import run
from conformance import trend as trends
from conformance.cli import main
from conformance.compare import Side, compare
from conformance.evidence import rejudge
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST, Call, Reply
from conformance.report import comparison, written
from conformance.report.comparison import Cause, Change, Comparison
from conformance.report.record import Outcome
from conformance.rules import RULES
from conformance.target import Target

STATUS = "success.status"
Edit = Callable[[dict[str, Any]], object]


def without(scene: str) -> Target:
    return replace(REFERENCE, scenes={name: each for name, each in REFERENCE.scenes.items() if name != scene})


def limited(**limits: Any) -> Target:
    return replace(REFERENCE, limits=replace(REFERENCE.limits, **limits))


def dying() -> Server:
    """It crashes on everything after the first hundred requests."""
    count = [0]

    def finish(_: Call, reply: Reply) -> Reply:
        count[0] += 1
        if count[0] > 100:
            raise RuntimeError("out of order")
        return reply

    return Server(replace(HONEST, finish=finish))


MAKERS: dict[str, Callable[[Path], Path]] = {
    "honest": lambda folder: judged(folder, Server()),
    "created": lambda folder: judged(folder, Server(CREATED)),
    "flipping": lambda folder: judged(folder, Server(flipping())),
    "hiccup": lambda folder: judged(folder, HiccupServer(wrong_once())),
    "dying": lambda folder: judged(folder, dying()),
    "no-segmentation": lambda folder: judged(folder, Server(), without("segmentation")),
    "no-segmentation-at-all": lambda folder: judged(
        folder, Server(), replace(without("segmentation"), absent=frozenset({"segmentation"}))
    ),
    "no-states": lambda folder: judged(folder, Server(), replace(REFERENCE, states={})),
    "smaller": lambda folder: judged(folder, Server(), limited(max_image_bytes=4_000_000)),
    "slower-and-created": lambda folder: judged(folder, Server(CREATED), limited(answer_seconds=5.0)),
    "other-model-and-created": lambda folder: judged(
        folder,
        Server(CREATED),
        replace(REFERENCE, scenes={**REFERENCE.scenes, "stopped": replace(REFERENCE.scenes["stopped"], version="2")}),
    ),
    "masks-alone": lambda folder: judged(folder, Server(), only=("mask",)),
    "another-seed": lambda folder: judged(folder, Server(CREATED), seed="7"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Runs by name; each is made once."""
    folder, done = tmp_path_factory.mktemp("runs"), dict[str, Path]()

    def make(name: str) -> Path:
        if name not in done:
            done[name] = MAKERS[name](folder / name)
        return done[name]

    return make


Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def bare(made: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The same without evidence, for what depends on no cause."""
    folder, done = tmp_path_factory.mktemp("bare"), dict[str, Path]()

    def make(name: str) -> Path:
        if name not in done:
            done[name] = folder / name
            done[name].mkdir()
            shutil.copy(made(name) / "report.json", done[name])
        return done[name]

    return make


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """A suite whose rule on the status finds nothing, as long as it is switched on."""
    blind = tuple(replace(rule, check=lambda _: iter(())) if rule.clause == STATUS else rule for rule in RULES)

    def switch(on: bool) -> None:
        for module in (run, rejudge):
            monkeypatch.setattr(module, "RULES", blind if on else RULES)

    return switch  # type: ignore[return-value]


def told(found: Comparison, clause: str) -> tuple[Change, Cause | None]:
    entry = next(each for each in found.rows if each.id == clause)
    return entry.change, entry.told.cause if entry.told else None


def causes(found: Comparison, change: Change) -> set[Cause]:
    return {each.told.cause for each in found.of(change) if each.told}


def copied(folder: Path, place: Path, edit: Edit = lambda _: None, *, evidence: bool = True) -> Path:
    shutil.copytree(folder, place)
    if not evidence:
        for file in place.glob("evidence.*"):
            file.unlink()
    return edited(place, edit)


Compared = Callable[[str, str], Comparison]


@pytest.fixture(scope="module")
def compared(made: Made) -> Compared:
    """Runs compared by their names; each pair is compared once."""
    return cache(lambda old, new: compare(made(old), made(new)))


@pytest.fixture(scope="module", autouse=True)
def judged_once() -> Iterator[None]:
    """The same evidence is judged by the same rules only once, since that is what takes time."""

    @cache
    def side(_: str, needed: bool, rules: object, place: Path) -> Side:  # noqa: ARG001
        return make(written.load(place), needed)

    make = Side.of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Side, "of", lambda report, needed: side(report.sha256, needed, vars(rejudge)["RULES"], report.path)
        )
        yield


class TestCauses:
    """Why a clause changed."""

    def test_nothing_changed(self, made: Made) -> None:
        found = compare(made("honest"), made("honest") / "report.json")
        assert {each.change for each in found.rows} == {Change.UNCHANGED}
        assert (found.added, found.removed, found.differences, found.notes) == ((), (), (), ())

    @pytest.mark.parametrize(
        ("old", "new", "change"), [("honest", "created", Change.REGRESSED), ("created", "honest", Change.FIXED)]
    )
    def test_the_target_changed(self, old: str, new: str, change: Change, compared: Compared) -> None:
        found = compared(old, new)
        assert told(found, STATUS) == (change, Cause.TARGET)
        assert found.counts[change] == 1
        assert found.notes == ()

    def test_the_target_reads_otherwise_what_is_left_open(self, compared: Compared) -> None:
        found = compared("honest", "created")
        assert told(found, "http.expect") == (Change.REREAD, Cause.TARGET)

    def test_the_suite_became_stricter(self, tmp_path: Path, lenient: Callable[[bool], None], made: Made) -> None:
        """The same faulty server, judged before a rule was made to see the fault."""
        lenient(True)
        old = judged(tmp_path / "old", Server(CREATED))
        lenient(False)
        assert told(compare(old, made("created")), STATUS) == (Change.REGRESSED, Cause.SUITE)
        lenient(True)
        assert told(compare(made("created"), old), STATUS) == (Change.FIXED, Cause.SUITE)

    def test_the_suite_became_stricter_and_the_target_better(
        self, tmp_path: Path, lenient: Callable[[bool], None], made: Made
    ) -> None:
        """Passed before, by a blind rule, and rightly now: nothing to tell of."""
        lenient(True)
        old = judged(tmp_path / "old", Server(CREATED))
        lenient(False)
        assert told(compare(old, made("honest")), STATUS) == (Change.UNCHANGED, None)

    def test_a_new_report_of_another_suite_does_not_count_as_judged_by_this_one(
        self, tmp_path: Path, made: Made
    ) -> None:
        def older(whole: dict[str, Any]) -> None:
            whole["suite"].update(version="0.0.9")

        alone = copied(made("created"), tmp_path / "alone", older, evidence=False)
        assert told(compare(made("honest"), alone), STATUS) == (Change.REGRESSED, Cause.UNKNOWN)
        with_evidence = copied(made("created"), tmp_path / "both", older)
        assert told(compare(made("honest"), with_evidence), STATUS) == (Change.REGRESSED, Cause.TARGET)

    @pytest.mark.parametrize(
        ("old", "new", "change"),
        [
            ("honest", "no-segmentation", Change.GONE),
            ("no-segmentation", "honest", Change.NEWLY_EXERCISED),
            ("honest", "no-segmentation-at-all", Change.GONE),
            ("honest", "no-states", Change.GONE),
            ("no-states", "honest", Change.NEWLY_EXERCISED),
        ],
    )
    def test_the_file_declares_more_or_less(
        self, old: str, new: str, change: Change, bare: Made, compared: Compared
    ) -> None:
        """That follows from the declarations alone; evidence says nothing else."""
        found = compared(old, new)
        assert causes(found, change) == {Cause.FILE}
        assert causes(compare(bare(old), bare(new)), change) == {Cause.FILE}
        assert {each.change for each in found.rows} == {change, Change.UNCHANGED}

    def test_the_file_declares_another_limit(self, compared: Compared) -> None:
        found = compared("honest", "smaller")
        assert told(found, "body.declared-limits") == (Change.REGRESSED, Cause.FILE)
        (entry,) = found.of(Change.REGRESSED)
        assert entry.told is not None
        assert entry.told.because == "the old evidence is judged failed by what is declared now"

    def test_a_declaration_that_cannot_matter_is_no_cause(self, compared: Compared) -> None:
        found = compared("honest", "slower-and-created")
        assert told(found, STATUS) == (Change.REGRESSED, Cause.TARGET)
        assert "limits.answer_seconds: 10.0, now 5.0" in map(str, found.differences)

    def test_a_declaration_that_may_matter_is_the_cause(self, made: Made, compared: Compared, tmp_path: Path) -> None:
        found = compared("honest", "other-model-and-created")
        assert told(found, STATUS) == (Change.REGRESSED, Cause.FILE)
        blind = compare(copied(made("honest"), tmp_path / "old", evidence=False), made("other-model-and-created"))
        assert told(blind, STATUS) == (Change.REGRESSED, Cause.UNKNOWN)

    @pytest.mark.parametrize(("old", "new"), [("honest", "hiccup"), ("hiccup", "honest")])
    def test_what_the_run_notes_as_unsteady(self, old: str, new: str, bare: Made, compared: Compared) -> None:
        """That stands in the report, and needs no evidence."""
        change = Change.REGRESSED if new == "hiccup" else Change.FIXED
        assert told(compared(old, new), "body.required") == (change, Cause.UNSTEADY)
        assert told(compare(bare(old), bare(new)), "body.required") == (change, Cause.UNSTEADY)

    @pytest.mark.parametrize(("old", "new"), [("honest", "flipping"), ("flipping", "honest")])
    def test_what_flips_within_one_run_is_unsteady(self, old: str, new: str, compared: Compared) -> None:
        change = Change.REGRESSED if new == "flipping" else Change.FIXED
        assert told(compared(old, new), STATUS) == (change, Cause.UNSTEADY)

    def test_what_was_deselected(self, compared: Compared) -> None:
        found = compared("honest", "masks-alone")
        assert causes(found, Change.GONE) == {Cause.RUN}
        assert causes(compared("masks-alone", "honest"), Change.NEWLY_EXERCISED) == {Cause.RUN}

    def test_a_target_that_stopped_answering(self, compared: Compared) -> None:
        found = compared("honest", "dying")
        assert found.new.cut_off.startswith("the target stopped answering")
        assert causes(found, Change.GONE) == {Cause.TARGET}
        assert found.of(Change.GONE)

    def test_another_seed_does_not_matter_to_fixed_cases(self, compared: Compared) -> None:
        found = compared("honest", "another-seed")
        assert told(found, STATUS) == (Change.REGRESSED, Cause.TARGET)

    def test_requests_that_were_not_sent_before_tell_nothing(self, made: Made, tmp_path: Path) -> None:
        def explored(whole: dict[str, Any]) -> None:
            for failure in row(whole, STATUS)["failures"]:
                failure["case"] = "explored.12"

        new = copied(made("another-seed"), tmp_path / "new", explored)
        assert told(compare(made("honest"), new), STATUS) == (Change.REGRESSED, Cause.UNKNOWN)

    def test_without_evidence_nothing_is_guessed(self, made: Made, tmp_path: Path) -> None:
        found = compare(copied(made("honest"), tmp_path / "old", evidence=False), made("created"))
        assert told(found, STATUS) == (Change.REGRESSED, Cause.UNKNOWN)
        assert found.notes == ("OLD: it has no evidence",)

    def test_evidence_of_another_run_is_no_evidence(self, made: Made, tmp_path: Path) -> None:
        old = copied(made("honest"), tmp_path / "old", lambda whole: whole["run"].update(seed="8"))
        found = compare(old, made("created"))
        assert told(found, STATUS) == (Change.REGRESSED, Cause.UNKNOWN)
        assert found.notes == ("OLD: the evidence beside it is of another run",)

    @pytest.mark.parametrize("file", ["evidence.jsonl", "evidence.blobs"])
    def test_damaged_evidence_is_named(self, file: str, made: Made, tmp_path: Path) -> None:
        old = copied(made("honest"), tmp_path / "old")
        data = (old / file).read_bytes()
        (old / file).write_bytes(data[: len(data) // 2])
        found = compare(old, made("created"))
        assert told(found, STATUS) == (Change.REGRESSED, Cause.UNKNOWN)
        assert file in found.notes[0]


class TestSets:
    """Reports on different sets of clauses."""

    def test_added_and_removed_clauses_are_listed(self, bare: Made, tmp_path: Path) -> None:
        def fewer(whole: dict[str, Any]) -> None:
            whole["clauses"].remove(row(whole, STATUS))
            whole["clauses"].append(row(whole, "mask.png") | {"id": "mask.former"})
            whole["suite"].update(version="0.0.9", contract="sha256:" + 64 * "0")

        found = compare(copied(bare("honest"), tmp_path / "old", fewer), bare("created"))
        assert [each.id for each in found.added] == [STATUS]
        assert [each.id for each in found.removed] == ["mask.former"]
        assert found.failing == [STATUS]
        assert [each.what for each in found.differences] == ["suite", "contract"]
        assert complaints("compare.schema.json", comparison.to_document(found)) == []

    def test_another_level_is_named(self, bare: Made, tmp_path: Path) -> None:
        old = copied(bare("honest"), tmp_path / "old", lambda whole: row(whole, STATUS).update(level="SHOULD"))
        assert list(map(str, compare(old, bare("honest")).differences)) == [f"level of {STATUS}: SHOULD, now MUST"]

    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            ("passed", "failed", Change.REGRESSED),
            ("failed", "passed", Change.FIXED),
            ("failed", "failed", Change.STILL_FAILING),
            ("unexercised", "failed", Change.NEWLY_EXERCISED),
            ("error", "passed", Change.NEWLY_EXERCISED),
            ("not applicable", "observed", Change.NEWLY_EXERCISED),
            ("failed", "unexercised", Change.GONE),
            ("failed", "not applicable", Change.GONE),
            ("passed", "error", Change.GONE),
            ("observed", "unexercised", Change.GONE),
            ("unexercised", "error", Change.UNCHANGED),
            ("passed", "passed", Change.UNCHANGED),
        ],
    )
    def test_changes(self, before: str, now: str, expected: Change, bare: Made) -> None:
        clause = written.load(bare("honest")).clauses[STATUS]
        old, new = (replace(clause, outcome=Outcome(each)) for each in (before, now))
        assert comparison.change(old, new) is expected


def hostile(whole: dict[str, Any]) -> None:
    """Everything that a report can say is what somebody else wrote."""
    whole["target"].update(name=NASTY, version=NASTY, url=NASTY)
    whole["target"]["scenes"]["classification"]["project"] = NASTY
    whole["target"]["limits"][NASTY] = NASTY
    whole["run"].update(seed=NASTY, cut_off=NASTY, unsteady=[NASTY])
    whole["suite"].update(version=NASTY, contract=NASTY)
    whole.update(reason=NASTY)
    for entry in whole["clauses"]:
        entry.update(reason=NASTY, requirement=NASTY, known=NASTY)
        if "readings" in entry:
            entry.update(readings={NASTY: 3}, question=NASTY)
        for failure in entry["failures"]:
            failure.update(id=NASTY, case=NASTY, where=NASTY, expected=NASTY, actual=NASTY)


def assert_harmless(markdown: str, shown: str) -> None:
    """Neither terminal nor CI system nor Markdown obeys what a target said."""
    assert re.fullmatch(r"[ -~\n]*", shown)
    for text in (shown, markdown):
        assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##["))]
    assert re.fullmatch(r"[ -~\n✓✗○–·△▁▂▃▄▅▆▇█]*", markdown)
    found = MarkdownIt("commonmark").enable("table").parse(markdown)
    kinds = {token.type for each in found for token in (each, *(each.children or ()))}
    assert kinds.isdisjoint({"html_inline", "html_block", "link_open", "image", "fence", "code_block"})
    for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


class TestShown:
    """Terminal, Markdown, JSON, and what they exit with."""

    @pytest.mark.parametrize("pair", [("honest", "created"), ("created", "honest"), ("honest", "no-states")])
    def test_json_keeps_its_schema(self, pair: tuple[str, str], bare: Made, tmp_path: Path) -> None:
        file = tmp_path / "c.json"
        assert main(["compare", *(str(bare(name)) for name in pair), "--json", str(file)]) == 0
        assert complaints("compare.schema.json", json.loads(file.read_text(encoding="utf-8"))) == []

    @pytest.mark.parametrize("pair", [("honest", "created"), ("created", "honest"), ("masks-alone", "created")])
    def test_hostile_reports_are_harmless(
        self, pair: tuple[str, str], bare: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folders = [copied(bare(pair[0]), tmp_path / "old", hostile), copied(bare(pair[1]), tmp_path / "new", hostile)]
        found = compare(*folders)
        comparison.show(found)
        assert_harmless(comparison.markdown(found), capsys.readouterr().out)
        assert complaints("compare.schema.json", comparison.to_document(found)) == []

    @pytest.mark.parametrize(
        ("old", "new", "kinds", "code"),
        [
            ("honest", "created", [], 0),
            ("honest", "created", ["regressed"], 1),
            ("honest", "created", ["gone"], 0),
            ("honest", "created", ["gone", "failing"], 1),
            ("created", "created", ["regressed", "gone"], 0),
            ("created", "created", ["failing"], 1),
            ("created", "honest", ["regressed", "failing", "gone"], 0),
            ("honest", "no-states", ["gone"], 1),
            ("no-states", "honest", ["gone", "regressed", "failing"], 0),
        ],
    )
    def test_exit_codes(self, old: str, new: str, kinds: list[str], code: int, bare: Made) -> None:
        options = [part for kind in kinds for part in ("--fail-on", kind)]
        assert main(["compare", str(bare(old)), str(bare(new)), *options]) == code

    def test_the_terminal_says_it_all(self, made: Made, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = tmp_path / "c.md"
        main(["compare", str(made("honest")), str(made("created")), "--markdown", str(file)])
        out = capsys.readouterr().out
        assert f"regressed       MUST {STATUS}  passed    failed    | target changed: " in out
        assert re.search(r": 1 regressed, 1 read otherwise, \d+ unchanged$", out.rstrip())
        text = file.read_text(encoding="utf-8")
        assert f"| {STATUS} | MUST | ✓ passed | ✗ failed | **target changed** |" in text

    def test_a_long_list_is_cut_on_the_terminal_alone(self, bare: Made, capsys: pytest.CaptureFixture[str]) -> None:
        found = compare(bare("honest"), bare("masks-alone"))
        comparison.show(found)
        assert (
            f"... and {found.counts[Change.GONE] - comparison.SHOWN} more no longer exercised"
            in capsys.readouterr().out
        )
        assert comparison.markdown(found).count("run changed") == found.counts[Change.GONE]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another_version(path: Path) -> None:
    edited(path.parent, lambda whole: whole.update(schema="urn:detect-anomalies-conformance:report:2"))


def another_version_sealed_otherwise(path: Path) -> None:
    path.write_text('{"schema": "urn:detect-anomalies-conformance:report:9"}', encoding="utf-8")


def misshapen(edit: Edit) -> Callable[[Path], object]:
    return lambda path: edited(path.parent, edit)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "folder": a_folder,
    "empty": lambda path: path.write_bytes(b""),
    "cut": truncate,
    "edited": lambda path: path.write_text(path.read_text("utf-8").replace('"passed"', '"failed"', 1), "utf-8"),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "version": another_version,
    "later": another_version_sealed_otherwise,
    "other-schema": misshapen(lambda whole: whole.update(schema="urn:of-somebody-else")),
    "no-run": misshapen(lambda whole: whole.pop("run")),
    "no-text": misshapen(lambda whole: whole["target"].update(name=7)),
    "time": misshapen(lambda whole: whole["run"].update(started="yesterday")),
    "number": misshapen(lambda whole: whole["run"].update(planned="many")),
    "outcome": misshapen(lambda whole: whole["clauses"][0].update(outcome="splendid")),
    "clause-id": misshapen(lambda whole: whole["clauses"][0].update(id="::error::x\x1b")),
    "twice": misshapen(lambda whole: whole["clauses"].append(whole["clauses"][0])),
    "clauses": misshapen(lambda whole: whole.update(clauses={"a": 1})),
    "failures": misshapen(lambda whole: whole["clauses"][0].update(failures=[7])),
    "readings": misshapen(lambda whole: whole["clauses"][0].update(readings=["x"])),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_report_is_one_sentence(
    damage: str, bare: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever of the two it is, and for every command that reads reports."""
    bad = judged_copy(bare, tmp_path)
    DAMAGES[damage](bad / "report.json")
    commands = [
        ["compare", str(bad), str(bare("honest"))],
        ["compare", str(bare("honest")), str(bad / "report.json")],
        ["matrix", str(bare("honest")), str(bad)],
        ["waive", str(bad), "--owner", "x", "--days", "3"],
        ["trend", str(bad)],
    ]
    for command in commands:
        assert main(command) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        (line,) = errors.splitlines()
        assert line.startswith("conformance: ")
        assert str(tmp_path) in line
        assert re.fullmatch(r"[ -~]*", line)


def judged_copy(bare: Made, tmp_path: Path) -> Path:
    (tmp_path / "bad").mkdir()
    shutil.copy(bare("honest") / "report.json", tmp_path / "bad" / "report.json")
    return tmp_path / "bad"


def at(moment: str, name: str = "reference", version: str = "1") -> Edit:
    def edit(whole: dict[str, Any]) -> None:
        whole["run"]["started"] = moment
        whole["target"].update(name=name, version=version)

    return edit


def on_day(day: int) -> Edit:
    return lambda whole: whole["run"].update(started=f"2026-01-{day:02}T00:00:00Z")


class TestTrend:
    """conformance trend."""

    @pytest.fixture
    def history(self, made: Made, tmp_path: Path) -> Path:
        """Three runs of one target and one of another, in folders whose order is not that of time."""
        folder = tmp_path / "reports"
        runs = {
            "z/first": ("honest", at("2026-01-01T00:00:00Z")),
            "a/second": ("created", at("2026-01-02T00:00:00Z", version="2")),
            "m/third": ("honest", at("2026-01-03T00:00:00Z", version="2")),
            "other": ("no-states", at("2026-01-02T12:00:00Z", "other")),
        }
        for place, (name, edit) in runs.items():
            (folder / place).mkdir(parents=True)
            shutil.copy(made(name) / "report.json", folder / place)
            edited(folder / place, edit)
        return folder

    def test_runs_are_in_the_order_of_time_and_apart_by_target(self, history: Path) -> None:
        found = trends.trend(history)
        assert {name: [point.started[:10] for point in points] for name, points in found.targets.items()} == {
            "other": ["2026-01-02"],
            "reference": ["2026-01-01", "2026-01-02", "2026-01-03"],
        }
        assert [point.counts[Outcome.FAILED] for point in found.targets["reference"]] == [0, 1, 0]
        assert [str(point.conclusion) for point in found.targets["reference"]][1] == "non-conformant"

    def test_it_says_which_clause_changed_when(self, history: Path) -> None:
        found = [
            (step.now.started[:10], step.clause, str(step), step.beside)
            for step in trends.steps(trends.trend(history).targets["reference"])
        ]
        assert found == [
            ("2026-01-02", STATUS, "passed -> failed", "target 1 -> 2"),
            ("2026-01-03", STATUS, "failed -> passed", ""),
        ]

    def test_it_is_shown(self, history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["trend", str(history), "--markdown", str(tmp_path / "t.md")]) == 0
        out, text = capsys.readouterr().out, (tmp_path / "t.md").read_text(encoding="utf-8")
        assert f"  {STATUS} |.F.|" in out
        assert f"| {STATUS} | `.F.` |" in text
        assert "Failed clauses, run by run: ▁█▁" in text
        assert "failed clauses |_#_|" in out
        assert_harmless(text, out)

    def test_what_cannot_be_read_is_named_and_skipped(self, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
        truncate(history / "z/first/report.json")
        shutil.copytree(history / "m", history / "copy")
        (history / "loop").symlink_to(history)
        assert main(["trend", str(history)]) == 0
        out = capsys.readouterr().out
        assert re.search(r"skipped: .*z/first/report\.json: ", out)
        assert "once more" in out
        assert "target reference: 2 runs" in out

    def test_a_hostile_history_is_harmless(
        self, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number, name in enumerate(("honest", "created")):
            (tmp_path / name).mkdir()
            shutil.copy(made(name) / "report.json", tmp_path / name)
            edited(tmp_path / name, hostile)
            edited(tmp_path / name, on_day(number + 1))
        found = trends.trend(tmp_path)
        trends.show(found)
        assert_harmless(trends.markdown(found), capsys.readouterr().out)
        assert sum(1 for _ in trends.steps(*found.targets.values())) == 1

    @pytest.mark.parametrize("content", [None, b"", b"{}"])
    def test_nothing_to_read_is_a_mistake(
        self, content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        if content is not None:
            (tmp_path / "report.json").write_bytes(content)
        assert main(["trend", str(tmp_path)]) == 2
        assert main(["trend", str(tmp_path / "nowhere")]) == 2
        out, errors = capsys.readouterr()
        assert (out, len(errors.splitlines())) == ("", 2)

    def test_memory_is_bounded(self, made: Made, tmp_path: Path) -> None:
        """One report is in memory at a time, and of each a line is kept."""
        for number in range(60):
            folder = tmp_path / str(number)
            folder.mkdir()
            shutil.copy(made("created") / "report.json", folder)
            edited(folder, at(f"2026-01-01T00:00:{number:02}Z"))
        size = (tmp_path / "1" / "report.json").stat().st_size
        tracemalloc.start()
        try:
            found = trends.trend(tmp_path)
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(found.targets["reference"]) == 60
        assert peak < 30 * size
        assert kept < 60 * 4096 + size

    def test_a_long_history_is_cut_on_the_terminal(
        self, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(trends.SHOWN + 5):
            folder = tmp_path / str(number)
            folder.mkdir()
            shutil.copy(made("created" if number % 2 else "honest") / "report.json", folder)
            edited(folder, at(f"2026-01-01T00:00:{number:02}Z"))
        found = trends.trend(tmp_path)
        trends.show(found)
        assert "... and 5 earlier runs" in capsys.readouterr().out
        assert trends.markdown(found).count("| conformant |") == (trends.SHOWN + 5 + 1) // 2

    @pytest.mark.parametrize(
        ("numbers", "expected"),
        [([], ""), ([0, 0], "__"), ([0, 1], "_#"), ([7, 0, 1], "#_."), ([0] * 99, "_" * trends.WIDTH)],
    )
    def test_sparklines(self, numbers: list[int], expected: str) -> None:
        assert trends.sparkline(numbers, ascii_only=True) == expected


def test_a_report_that_grew_too_large_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST_BYTES", 1000)
    with pytest.raises(OperatorMistake, match="larger than"):
        written.load(made("honest"))
