"""Requirement sets: what was released stays as it is, and what a report does not fulfil of it is told by its reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from comparing import edited, judged
from comparing import row as row_of
from jsonschema import Draft202012Validator

from conformance import run, selftest
from conformance.certification import requirements
from conformance.certification.preview import newest_for, preview
from conformance.certification.requirements import (
    Difference,
    Reason,
    RequirementSet,
    Unmet,
    available,
    diff,
    find,
    load,
    not_applicable,
    remarks,
    shortfalls,
)
from conformance.cli import main
from conformance.contract import clauses
from conformance.contract.clauses import Level, catalogue, load_yaml, parse_yaml, retired
from conformance.evidence import rejudge
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.reference.app import HONEST
from conformance.reference.mutants import MUTANTS
from conformance.report import written
from conformance.report.record import ClauseRow, Outcome, Report
from conformance.shipped import shipped
from conformance.strains import behaviour_of
from conformance.target import RUNNING, Target

RELEASED = {
    "core-1": "7becb6719980c4143ce46e078e9eacd7780a78c064acf899d7ac362cf718299c",
    "full-1": "ddd0c82fe99fd478cd53ca6a85a53b4fb2107de7f570912bcc11d679e84449ae",
    "secure-1": "bfb1527a8d1e41335c240f2567f32d96dc9675ac53052261aea86819a83ee971",
}
"""SHA-256 of each set. A set that was released never changes: add the next number instead."""
WAITING: frozenset[str] = frozenset()
"""Clauses that are newer than the newest sets, or of another level since, and wait for the next ones."""

SETS = {name: load(name) for name in available()}
TESTED = {clause.id: clause for clause in catalogue().tested()}
STATED = {
    name for name, clause in TESTED.items() if any(need.startswith(("states.", "auth.")) for need in clause.needs)
}
"""Clauses that take the operator's help, or signatures."""
CONDUCT = "conduct.same-for-all"


def schema(name: str) -> Draft202012Validator:
    document = json.loads(shipped("schemas", name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def file_of(name: str) -> Path:
    return shipped("schemas", "requirements", f"{name}.yaml")


class TestReleased:
    """The sets that there are."""

    def test_none_has_changed(self) -> None:
        """To the byte, comments included: certificates name these digests."""
        found = {name: sha256(file_of(name).read_bytes()).hexdigest() for name in available()}
        assert found == RELEASED
        assert {name: each.sha256 for name, each in SETS.items()} == RELEASED

    @pytest.mark.parametrize("name", SETS)
    def test_it_keeps_to_its_schema(self, name: str) -> None:
        document = parse_yaml(file_of(name).read_bytes())
        assert [each.message for each in schema("requirements.schema.json").iter_errors(document)] == []
        assert f"{document['name']}-{document['number']}" == name == SETS[name].id

    @pytest.mark.parametrize("name", SETS)
    def test_no_clause_is_in_it_twice(self, name: str) -> None:
        """A YAML reader would not say so."""
        text = file_of(name).read_text(encoding="utf-8")
        ids = re.findall(r"^  ([a-z-]+\.[a-z0-9-]+):", text, re.MULTILINE)
        assert [each for each, times in Counter([*ids, *SETS[name].beyond]).items() if times > 1] == []
        assert ids == list(SETS[name].clauses)

    @pytest.mark.parametrize("name", SETS)
    def test_every_id_is_known_or_was(self, name: str) -> None:
        assert {*SETS[name].clauses, *SETS[name].beyond} - {*catalogue().clauses, *retired()} == set()

    @pytest.mark.parametrize("name", SETS)
    def test_what_is_beyond_a_run_is_judged_by_no_rule(self, name: str) -> None:
        """And the other way round: what a report accounts for is not beyond a run."""
        known = catalogue().clauses
        assert [each for each in SETS[name].beyond if each in TESTED] == []
        assert [each for each in SETS[name].clauses if each in known and known[each].untested] == []
        assert CONDUCT in SETS[name].beyond

    def test_only_a_certification_can_judge_the_conduct(self) -> None:
        assert catalogue().clauses[CONDUCT].level is Level.MUST
        assert "a certification" in catalogue().clauses[CONDUCT].untested

    def test_each_asks_for_more_than_the_one_before(self) -> None:
        core, full, secure = (find(name).clauses.items() for name in ("core", "full", "secure"))
        assert core < full < secure

    def test_nothing_is_left_out_of_the_newest(self) -> None:
        """What is tested is demanded by one of them, as hard as it is."""
        levels = {name: clause.level for name, clause in TESTED.items() if name not in WAITING}
        assert levels.items() <= find("secure").clauses.items()
        assert {name for name in levels if name not in STATED} <= find("full").clauses.keys()

    def test_core_is_what_the_page_says(self) -> None:
        """Every MUST of the page, but for those that requests alone cannot show; these are in the secure set."""
        on_the_page = {name for name, each in TESTED.items() if any(word.startswith("page ") for word in each.sources)}
        musts = {name for name in on_the_page if TESTED[name].level is Level.MUST} - WAITING
        assert musts - STATED - find("core").clauses.keys() == set()
        assert musts & STATED == {"state.throttled", "state.fault", "state.forbidden", "state.conflict"}
        assert find("core").clauses.keys() - retired().keys() <= on_the_page

    def test_they_say_what_to_declare(self) -> None:
        running = ("scenes.classification", "scenes.segmentation")
        absent = [("scenes.missing-project",), ("scenes.missing-version",), ("scenes.stopped",)]
        full = [running, ("limits.max_image_bytes",), ("scenes.segmentation",), *absent]
        assert list(find("core").needs) == [running, *absent]
        assert list(find("full").needs) == full
        assert {("auth.sigv4",), ("states.fault",)} < set(find("secure").needs)


SAMPLE: dict[str, Any] = {
    "name": "core",
    "number": 2,
    "title": "Core",
    "released": "2026-12-24",
    "says": "It is so.",
    "may_lack": ["segmentation"],
    "beyond_a_run": [],
    "clauses": {"a.b": "MUST"},
}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"number": 0}, False),
        ({"number": "1"}, False),
        ({"name": "core-2"}, False),
        ({"released": "soon"}, False),
        ({"says": "It is so. And so."}, False),
        ({"may_lack": ["auth"]}, False),
        ({"beyond_a_run": ["a.b", "a.b"]}, False),
        ({"clauses": {}}, False),
        ({"clauses": {"a": "MUST"}}, False),
        ({"clauses": {"a.b": "MAY"}}, False),
        ({"note": "x"}, False),
    ],
    ids=str,
)
def test_the_schema_is_strict(change: dict[str, Any], valid: bool) -> None:
    """A set is as its schema says, or refused."""
    assert valid is schema("requirements.schema.json").is_valid(SAMPLE | change)


class TestTombstones:
    """Ids that are never used again."""

    def test_they_keep_to_their_schema(self) -> None:
        errors = schema("tombstones.schema.json").iter_errors(load_yaml("tombstones.yaml"))
        assert [each.message for each in errors] == []

    @pytest.mark.parametrize(
        ("entry", "valid"),
        [
            ({"id": "of.old", "left": "0.2.0", "why": "It was split."}, True),
            ({"id": "of.old", "left": "0.2", "why": "It was split."}, False),
            ({"id": "of", "left": "0.2.0", "why": "It was split."}, False),
            ({"id": "of.old", "left": "0.2.0"}, False),
        ],
        ids=["sound", "no-version", "no-id", "no-reason"],
    )
    def test_the_schema_is_strict(self, entry: dict[str, str], valid: bool) -> None:
        assert valid is schema("tombstones.schema.json").is_valid({"retired": [entry]})

    def test_nobody_is_alive_and_dead(self) -> None:
        ids = [entry["id"] for entry in load_yaml("tombstones.yaml")["retired"]]
        assert set(ids) & set(catalogue().clauses) == set()
        assert len(ids) == len(retired())

    def test_whoever_demands_a_retired_clause_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It was released with the set, and no newer suite judges it."""
        stones = {"retired": [{"id": "of.old", "left": "0.2.0", "why": "It was split."}]}
        monkeypatch.setattr(clauses, "load_yaml", lambda _: stones)
        assert retired() == {"of.old": "0.2.0"}
        old = replace(find("core"), clauses={"of.old": Level.MUST, "of.nobody": Level.OBSERVE})
        note = "it left the suite with version 0.2.0"
        assert shortfalls(old, honest()) == (Unmet("of.old", Level.MUST, Reason.MISSING, note),)
        assert remarks(old, honest()) == (Unmet("of.nobody", Level.OBSERVE, Reason.MISSING),)


class TestLoading:
    """By id, and by name."""

    def test_a_set_is_what_its_file_says(self) -> None:
        full = load("full-1")
        assert (full.name, full.number, full.id, full.title) == ("full", 1, "full-1", "Full")
        assert full.released.isoformat() == "2026-11-23"
        assert full.clauses["mask.size"] is Level.MUST
        assert full.beyond == (CONDUCT,)
        assert full.may_lack == {"classification", "segmentation"}
        assert full.text == file_of("full-1").read_bytes()

    @pytest.mark.parametrize("word", ["ful-1", "full", "full-2", "", "../clauses", "full-1.yaml"])
    def test_another_is_a_mistake(self, word: str) -> None:
        with pytest.raises(OperatorMistake, match=re.escape(f"there is no requirement set {word!r}")):
            load(word)

    def test_the_nearest_is_told(self) -> None:
        with pytest.raises(OperatorMistake, match="did you mean 'secure-1'"):
            load("secur-1")

    def test_the_newest_of_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ten is newer than nine."""
        for number in (1, 9, 10):
            text = file_of("core-1").read_text(encoding="utf-8").replace("number: 1\n", f"number: {number}\n")
            (tmp_path / f"core-{number}.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(requirements, "_folder", lambda: tmp_path)
        assert available() == ("core-1", "core-9", "core-10")
        assert (find("core").id, find("core-9").id) == ("core-10", "core-9")
        assert diff(find("core-1"), find("core")) == Difference({}, {}, {})


def small(demands: Mapping[str, Level], **more: Any) -> RequirementSet:
    return replace(find("core"), clauses=demands, **{"beyond": (), **more})


def test_what_differs() -> None:
    """Added, removed, and demanded otherwise, what is beyond a run included."""
    old = small({"a.a": Level.MUST, "a.b": Level.SHOULD, "a.c": Level.OBSERVE}, may_lack=frozenset({"stopped"}))
    new = small({"a.b": Level.MUST, "a.c": Level.OBSERVE, "a.d": Level.SHOULD}, beyond=("a.e",), may_lack=frozenset())
    assert diff(old, new) == Difference(
        {"a.d": Level.SHOULD, "a.e": Level.MUST},
        {"a.a": Level.MUST},
        {"a.b": (Level.SHOULD, Level.MUST)},
        no_longer_excused=frozenset({"stopped"}),
    )
    assert diff(new, old).excused == {"stopped"}


# ---- reports


def report_on(mutant: str = "", target: Target | None = None, only: tuple[str, ...] = ()) -> Report:
    behaviour = behaviour_of(mutant, None)[0] if mutant else HONEST
    report, _ = run.prepare(target or selftest.reference(), only=only).against(Server(behaviour)).go()
    return report


@cache
def honest() -> Report:
    return report_on()


def told(unmet: tuple[Unmet, ...]) -> dict[str, Reason]:
    return {each.clause: each.reason for each in unmet}


class TestShortfalls:
    """What of a set a report does not fulfil."""

    def test_the_reference_fulfils_what_it_declares(self) -> None:
        """No signatures are declared, and a set does not excuse from them."""
        assert [shortfalls(find(name), honest()) for name in ("core", "full")] == [(), ()]
        assert told(shortfalls(find("secure"), honest())) == dict.fromkeys(
            ["auth.refused", "auth.accepted"], Reason.UNEXERCISED
        )
        assert not_applicable(find("secure"), honest()) == ()

    def test_what_was_not_observed_is_a_remark(self) -> None:
        assert told(remarks(find("full"), honest())) == {"body.dimensions": Reason.UNEXERCISED}
        assert remarks(find("core"), honest()) == ()

    def test_a_must_that_failed(self) -> None:
        report = report_on("mask-is-one-pixel-too-narrow")
        [found] = shortfalls(find("full"), report)
        assert (found.clause, found.level, found.reason) == ("mask.size", Level.MUST, Reason.FAILED)
        assert re.fullmatch(r"\d+ of \d+ exchanges breach it", found.note)
        assert shortfalls(find("core"), report) == ()

    def test_a_should_that_failed_is_a_remark(self) -> None:
        report = report_on(next(each.id for each in MUTANTS if each.clauses == ("anomalies.background-colour",)))
        assert shortfalls(find("full"), report) == ()
        assert told(remarks(find("full"), report))["anomalies.background-colour"] is Reason.FAILED

    def test_what_was_deselected(self) -> None:
        """Must or should: nobody is spared a remark by not being asked."""
        report = report_on(only=("mask.png",))
        found = told(shortfalls(find("full"), report))
        assert set(found.values()) == {Reason.DESELECTED}
        assert {"mask.size", "mask.areas"} <= found.keys()
        assert "mask.png" not in found
        assert {Reason.DESELECTED} == set(told(remarks(find("full"), report)).values())

    def test_what_was_not_declared(self) -> None:
        target = selftest.reference()
        bare = replace(target, scenes={name: each for name, each in target.scenes.items() if name != "segmentation"})
        found = told(shortfalls(find("full"), report_on(target=bare)))
        assert found["mask.png"] is Reason.UNEXERCISED
        assert found["mask.areas"] is Reason.UNEXERCISED

    @pytest.mark.parametrize("form", ["record", "written"])
    def test_what_the_target_does_not_have(self, form: str, tmp_path: Path) -> None:
        """It is excused, in both forms of a report, and the certificate can list it."""
        target = without("segmentation")
        report = written.load(judged(tmp_path, Server(), target)) if form == "written" else report_on(target=target)
        excused = not_applicable(find("full"), report)
        assert {"mask.png", "mask.areas", "anomalies.area"} <= set(excused)
        assert {name.partition(".")[0] for name in excused} == {"mask", "anomalies"}
        assert [each.clause for each in shortfalls(find("full"), report)] in ([], ["isolation.concurrent"])
        strict = replace(find("full"), may_lack=frozenset())
        assert not_applicable(strict, report) == ()
        assert told(shortfalls(strict, report))["mask.png"] is Reason.UNEXERCISED

    def test_a_server_without_any_model_is_excused_from_nothing(self) -> None:
        report = report_on(target=without(*RUNNING), only=("route", "mask"))
        assert not_applicable(find("full"), report) == ()
        assert told(shortfalls(find("core"), report))["route.operation"] is Reason.UNEXERCISED

    def test_the_permission_of_strangers_is_no_excuse(self) -> None:
        """Who declares that nobody is forbidden anything gets no certificate of security."""
        target = selftest.reference()
        states = {name: each for name, each in target.states.items() if name != "forbidden"}
        report = report_on(target=replace(target, states=states, absent=frozenset({"forbidden"})), only=("state",))
        assert told(shortfalls(find("secure"), report))["state.forbidden"] is Reason.UNEXERCISED

    def test_one_request_at_a_time_is_no_excuse(self) -> None:
        report = report_on(target=selftest.one_by_one(selftest.reference()), only=("isolation",))
        [found] = [each for each in shortfalls(find("core"), report) if each.reason is not Reason.DESELECTED]
        assert (found.clause, found.reason) == ("isolation.concurrent", Reason.UNEXERCISED)
        assert found.note == "the target declares that it serves one request at a time"

    @pytest.mark.parametrize(
        ("outcome", "reason", "must", "should", "observe"),
        [
            (Outcome.PASSED, "", None, None, None),
            (Outcome.OBSERVED, "", Reason.MISSING, Reason.MISSING, None),
            (Outcome.FAILED, "", Reason.FAILED, Reason.FAILED, Reason.FAILED),
            (Outcome.ERROR, "boom", Reason.ERROR, Reason.ERROR, Reason.ERROR),
            (Outcome.UNEXERCISED, "no occasion", Reason.UNEXERCISED, Reason.UNEXERCISED, Reason.UNEXERCISED),
            (Outcome.UNEXERCISED, "deselected", Reason.DESELECTED, Reason.DESELECTED, Reason.DESELECTED),
            (Outcome.NOT_APPLICABLE, "no", Reason.UNEXERCISED, Reason.UNEXERCISED, Reason.UNEXERCISED),
        ],
        ids=str,
    )
    def test_the_level_is_the_set_s(
        self, outcome: Outcome, reason: str, must: Reason | None, should: Reason | None, observe: Reason | None
    ) -> None:
        """Whatever level the clause has by now. A SHOULD that failed and any OBSERVE count as remarks."""
        rows = (ClauseRow(TESTED["success.status"], outcome, reason),)
        report = replace(honest(), rows=rows)
        for level, expected in ((Level.MUST, must), (Level.SHOULD, should), (Level.OBSERVE, observe)):
            demanded = small({"success.status": level})
            is_remark = level is Level.OBSERVE or (level is Level.SHOULD and expected is Reason.FAILED)
            found = [expected] if expected else []
            assert [each.reason for each in remarks(demanded, report)] == (found if is_remark else [])
            assert [each.reason for each in shortfalls(demanded, report)] == ([] if is_remark else found)

    def test_both_forms_of_a_report_say_the_same(self, tmp_path: Path) -> None:
        behaviour, _ = behaviour_of("mask-is-one-pixel-too-narrow", None)
        report, _ = run.prepare(selftest.reference()).against(Server(behaviour)).go()
        run.write_all(report, tmp_path, ())
        again = written.load(tmp_path)
        for weigh in (shortfalls, remarks, not_applicable):
            for name in SETS:
                assert weigh(SETS[name], again) == weigh(SETS[name], report)

    def test_a_report_that_does_not_know_a_clause(self, tmp_path: Path) -> None:
        """One of an older suite, as it was written."""
        folder = edited(judged(tmp_path, Server(), evidence=False), forget("mask.size"))
        assert told(shortfalls(find("full"), written.load(folder)))["mask.size"] is Reason.MISSING


def without(*scenes: str) -> Target:
    """The reference, declaring that it has no such scenes."""
    target = selftest.reference()
    left = {name: scene for name, scene in target.scenes.items() if name not in scenes}
    return replace(target, scenes=left, absent=frozenset(scenes))


def forget(clause: str) -> Callable[[dict[str, Any]], None]:
    def edit(whole: dict[str, Any]) -> None:
        whole["clauses"].remove(row_of(whole, clause))

    return edit


# ---- the commands


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Runs with their evidence: of an honest server, a faulty one, and one of which little was asked."""
    found = {}
    chosen: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "honest": ("", ()),
        "faulty": ("mask-is-one-pixel-too-narrow", ()),
        "narrow": ("", ("mask", "state")),
    }
    for name, (mutant, only) in chosen.items():
        found[name] = tmp_path_factory.mktemp(name)
        behaviour = behaviour_of(mutant, None)[0] if mutant else HONEST
        prepared = run.prepare(selftest.reference(), only=only)
        report, _ = prepared.against(Server(behaviour)).go(evidence=found[name])
        run.write_all(report, found[name], ())
    return found


class TestPreview:
    """What a set would find in the evidence of a run."""

    @pytest.mark.parametrize(
        ("folder", "word", "code"),
        [
            ("honest", "full", 0),
            ("honest", "secure-1", 1),
            ("faulty", "core", 0),
            ("faulty", "full-1", 1),
            ("narrow", "full", 0),
            ("narrow", "secure", 1),
        ],
    )
    def test_exit_codes(
        self, folders: Mapping[str, Path], folder: str, word: str, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["upgrade-preview", str(folders[folder]), "--set", word]) == code
        verdict = capsys.readouterr().out.splitlines()[-1]
        assert verdict.startswith(f"{find(word).id} is {'not ' * code}fulfilled")

    def test_it_says_what_fails_and_what_passes(
        self, folders: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["upgrade-preview", str(folders["faulty"] / "report.json"), "--set", "secure"]) == 1
        out = capsys.readouterr().out
        assert re.search(r"^  MUST    mask\.size +fails: \d+ of \d+ exchanges breach it$", out, re.MULTILINE)
        assert re.search(r"^  MUST    auth\.refused +never exercised: the target declares no SigV4", out, re.MULTILINE)
        assert re.search(r"^  OBSERVE body\.dimensions +remark: never exercised: declare ", out, re.MULTILINE)
        assert re.search(r"^  passes: route\.operation, ", out, re.MULTILINE)
        assert f"  beyond a run: {CONDUCT}\n" in out
        assert out.endswith("secure-1 is not fulfilled: 1 fails, 2 never exercised\n")

    def test_every_clause_has_one_place(self, folders: Mapping[str, Path]) -> None:
        for word in SETS:
            found = preview(folders["faulty"], load(word))
            unmet = [each.clause for each in (*found.shortfalls, *found.remarks)]
            assert sorted([*unmet, *found.not_applicable, *found.passes]) == sorted(SETS[word].clauses)

    def test_evidence_of_an_older_suite(self, tmp_path: Path) -> None:
        """A clause that is newer than the run is judged on what was sent then."""
        older = replace(run.prepare(selftest.reference()), clauses=frozenset(TESTED) - {"mask.size"})
        behaviour, _ = behaviour_of("mask-is-one-pixel-too-narrow", None)
        older.against(Server(behaviour)).go(evidence=tmp_path)
        assert rejudge.rejudged(tmp_path).failed(Level.MUST) == []
        assert told(preview(tmp_path, find("full")).shortfalls) == {"mask.size": Reason.FAILED}

    def test_a_run_that_was_cut_off_fulfils_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        prepared = run.prepare(selftest.reference())

        def interrupt(at: Any) -> None:
            if at.seen == prepared.planned - 30:
                raise KeyboardInterrupt

        prepared.against(Server()).go(interrupt, tmp_path)
        lone = small({"success.status": Level.MUST})
        assert (preview(tmp_path, lone).shortfalls, preview(tmp_path, lone).fulfilled) == ((), False)
        assert main(["upgrade-preview", str(tmp_path), "--set", "core"]) == 1
        assert "the run was cut off: stopped by the operator\n" in capsys.readouterr().out

    def test_recorded_traffic_is_judged_by_what_it_shows(self, tmp_path: Path) -> None:
        """Of connections it shows nothing, whatever a set demands."""
        from conformance.evidence.log import EvidenceLog
        from conformance.evidence.rejudge import closing, opening

        report, _ = run.prepare(selftest.reference(), only=("success",)).against(Server()).go(evidence=tmp_path)
        course = replace(report.course, recorded=True)
        folder = tmp_path / "recorded"
        folder.mkdir()
        facts = {"planned": 0, "looks": 0, "seed": "", "started": report.started}
        EvidenceLog(folder, opening(report.target, frozenset({"success.status"}), **facts)).close(closing(course, 1.0))
        found = told(preview(folder, find("full")).shortfalls)
        assert (found["success.status"], found["http.framing"]) == (Reason.UNEXERCISED, Reason.DESELECTED)

    def test_the_newest_of_the_name_that_was_certified(self, tmp_path: Path) -> None:
        """A bundle has its set in it, above the runs; without one it is the full set."""
        (tmp_path / "runs" / "1").mkdir(parents=True)
        assert newest_for(tmp_path / "runs" / "1").id == "full-1"
        (tmp_path / "requirements.yaml").write_bytes(find("core").text)
        for folder in (tmp_path, tmp_path / "marked", tmp_path / "runs" / "1"):
            assert newest_for(folder) == find("core")
        (tmp_path / "requirements.yaml").write_bytes(b"name: core")
        assert newest_for(tmp_path).id == "full-1"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (
                ["upgrade-preview", "{}", "--set", "cor-1"],
                "there is no requirement set 'cor-1'; did you mean 'core-1'?",
            ),
            (["upgrade-preview", "{}/nowhere"], "there is no evidence to be read here"),
            (["requirements", "show", "cor"], "there is no requirement set 'cor'"),
            (
                ["requirements", "diff", "core", "full-7"],
                "there is no requirement set 'full-7'; did you mean 'full-1'?",
            ),
        ],
        ids=["set", "evidence", "show", "diff"],
    )
    def test_mistakes(
        self,
        folders: Mapping[str, Path],
        arguments: list[str],
        words: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert main([each.format(folders["honest"]) for each in arguments]) == 2
        assert words in capsys.readouterr().err


class TestRequirements:
    """conformance requirements."""

    def test_they_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["requirements", "list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines] == [[name, str(each.released)] for name, each in SETS.items()]
        assert "30 MUST, 5 SHOULD, 4 OBSERVE" in lines[0]

    @pytest.mark.parametrize("name", SETS)
    def test_one_is_shown(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["requirements", "show", name]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{name} (")
        for part in (SETS[name].sha256, "scenes.classification or scenes.segmentation", CONDUCT, "may lack"):
            assert part in out
        lines = [line.split() for line in out.splitlines()]
        shown = {line[1]: Level(line[0]) for line in lines if line[0] in list(Level)}
        assert shown == SETS[name].clauses

    def test_two_are_compared(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["requirements", "diff", "full-1", "secure-1"]) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert {tuple(line[:2]) for line in lines} == {("added", name) for name in STATED}
        assert main(["requirements", "diff", "secure-1", "full"]) == 0
        assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"removed"}
        assert main(["requirements", "diff", "core", "core-1"]) == 0
        assert capsys.readouterr().out == "core-1 and core-1 demand the same\n"
