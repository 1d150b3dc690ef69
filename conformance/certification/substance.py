"""The checks that judge again: whether evidence is whole and of these runs, and what was written is what it says.

Each raises Refused at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance import run
from conformance.certification import bundle, certify, challenge, conduct, paper, statement
from conformance.certification import inputs as derived
from conformance.certification.html_counts import outcomes_in
from conformance.certification.identity import digest_of
from conformance.certification.inspection import Inspection
from conformance.certification.refusal import Reason, Refused
from conformance.certification.requirements import shortfalls
from conformance.contract.clauses import catalogue
from conformance.evidence.book import Book
from conformance.evidence.log import BLOBS, LINES
from conformance.evidence.rejudge import described, recalled, rejudged
from conformance.mistake import OperatorMistake
from conformance.report import document
from conformance.report.record import Conclusion, Report
from conformance.report.visible import visible

_PAGE = "report.html"
_MOST_PHOTOGRAPHS = 10_000
_OF_FILES = {"junit.xml": Reason.JUNIT, _PAGE: Reason.HTML}


def evidence(found: Inspection) -> None:
    """Every run has evidence that is whole, of this target, and of this run; it is judged again."""
    for record in found.predicate["runs"]:
        name = record["folder"]
        folder = found.bundle.folder / name
        try:
            with Book(folder) as book:
                _fits_the_record(book, record, found.predicate)
            found.reports[name] = rejudged(folder)
        except (OperatorMistake, ArithmeticError) as error:
            raise Refused(Reason.EVIDENCE, visible(str(error))) from None
    _names_itself(found)


def _names_itself(found: Inspection) -> None:
    """What a target says of itself stands in its first answers; who looks it up there has nothing to believe."""
    first, facts = bundle.RUNS[0], found.predicate["target"]
    server = certify.server_of(found.bundle.folder / first, found.reports[first].target)
    if (facts["identity"].get("url"), facts["identity"].get("server")) != (facts["url"], server):
        raise Refused(Reason.SUBJECT, "the target does not say of itself in the evidence what the certificate says")


def _fits_the_record(book: Book, record: Mapping[str, Any], predicate: Mapping[str, Any]) -> None:
    name, opening = record["folder"], book.opening
    target = recalled(opening["target"], opening["states"])
    if {digest_of(opening["target"]), digest_of(described(target))} != {predicate["target"]["declared"]}:
        raise Refused(Reason.OTHER_TARGET, f"the evidence of {name} is of another target")
    if target.known_failures:
        raise Refused(Reason.WAIVER, f"{name}: known failures are declared, and no certificate passes over any")
    said = tuple(predicate["target"][key] for key in ("name", "version", "url"))
    if (target.name, target.version, target.url) != said:
        raise Refused(Reason.OTHER_TARGET, f"the evidence of {name} is of {visible(target.name)}")
    for key in ("seed", "started"):
        if opening[key] != record[key]:
            raise Refused(Reason.OTHER_RUN, f"the evidence of {name} is of another run: its {key} is another one")
    if (book.closing["sent"], book.closing["seconds"]) != (record["requests"], record["seconds"]):
        raise Refused(Reason.OTHER_RUN, f"the evidence of {name} is of another run: it sent {book.closing['sent']}")
    missing = sorted({clause.id for clause in catalogue().tested()} - set(opening["selected"]))
    if missing:
        raise Refused(Reason.DESELECTED, f"{name}: {missing[0]} was deselected")


def inputs(found: Inspection) -> None:
    """What was sent is what the seeds lead to, where that can be told."""
    if underivable(found):
        return
    for name, seed, manner in certify.manners(found.predicate["seed"]):
        folder = found.bundle.folder / name
        try:
            planned = derived.planned(found.reports[name].target, seed, found.predicate["depth"], manner)
        except OperatorMistake as mistake:
            raise Refused(Reason.INPUTS, f"{name}: {visible(str(mistake))}") from None
        if departure := derived.departure(folder, found.reports[name].target, planned):
            raise Refused(Reason.INPUTS, f"{name}: {visible(departure)}")


def underivable(found: Inspection) -> str:
    """Why the requests of the runs cannot be derived here; empty when they can."""
    if found.predicate["target"]["photographs"]:
        return "the vendor's own photographs were sent"
    return derived.others(found.predicate["environment"])


def reports(found: Inspection) -> None:
    """What was written is what the evidence says: as JSON, as JUnit and as a page."""
    for name, judged in found.reports.items():
        try:
            said = found.bundle.report(name)
        except OperatorMistake as mistake:
            raise Refused(Reason.REPORT, visible(str(mistake))) from None
        if said.get("waivers"):
            raise Refused(Reason.WAIVER, f"{name}: the report has waivers, and no certificate passes over anything")
        if found.predicate["target"]["photographs"]:
            judged = _with_photographs(judged, said)
        _compare(name, said, document.to_document(judged))
        _compare_files(found, name, judged)


def _with_photographs(judged: Report, said: Mapping[str, Any]) -> Report:
    """The same report of a target with photographs: how many there were, no evidence says."""
    many = {name: min(scene.get("samples", 0), _MOST_PHOTOGRAPHS) for name, scene in said["target"]["scenes"].items()}
    scenes = {name: replace(scene, samples=(Path(),) * many[name]) for name, scene in judged.target.scenes.items()}
    return replace(judged, target=replace(judged.target, scenes=scenes))


def _compare(name: str, said: Mapping[str, Any], due: Mapping[str, Any]) -> None:
    """Refuse a report that says something else than its evidence, the telling differences first."""
    outcomes, theirs = ({row["id"]: row["outcome"] for row in each["clauses"]} for each in (due, said))
    if sum(sum(row.values()) for row in said["counts"].values()) != len(said["clauses"]):
        raise Refused(Reason.CONSERVATION, f"{name}: the outcomes of the report do not add up to its clauses")
    for clause in sorted(outcomes.keys() | theirs.keys()):
        if outcomes.get(clause) != theirs.get(clause):
            told = f"is {outcomes.get(clause)} by the evidence, and {visible(str(theirs.get(clause)))} in the report"
            raise Refused(Reason.VERDICT, f"{name}: {visible(clause)} {told}")
    if said["counts"] != due["counts"]:
        raise Refused(Reason.COUNTS, f"{name}: the counts of the report are not those of its clauses")
    for key in due:
        if said.get(key) != due[key]:
            raise Refused(Reason.REPORT, f"{name}: the report's {key} is not what the evidence says")


def _compare_files(found: Inspection, name: str, judged: Report) -> None:
    """Refuse whatever lies beside the evidence of a run and is not, byte for byte, what is written of it."""
    said = {
        file.removeprefix(f"{name}/"): digest
        for file, digest in found.predicate["files"].items()
        if file.startswith(f"{name}/") and file.removeprefix(f"{name}/") not in (LINES, BLOBS)
    }
    with TemporaryDirectory() as folder:
        run.write_all(judged, Path(folder))
        due = bundle.Bundle(Path(folder)).digests()
    for file in sorted(due.keys() | said.keys()):
        if file not in said:
            raise Refused(Reason.MISSING_FILE, f"{name}/{file} is missing")
        if file not in due:
            raise Refused(Reason.STRAY_FILE, f"{name}/{visible(file)} is not of this bundle")
        if said[file] != due[file] and not (file == _PAGE and _shows_the_same(found, name, judged)):
            raise Refused(_OF_FILES.get(file, Reason.REPORT), f"{name}/{file} is not what the evidence comes to")


def _shows_the_same(found: Inspection, name: str, judged: Report) -> bool:
    """Whether a page that was drawn with other versions of what draws images shows the same outcomes at least."""
    shown = outcomes_in(found.bundle.read(f"{name}/{_PAGE}"))
    outcomes = {row.clause.id: str(row.outcome) for row in judged.rows}
    return bool(derived.others(found.predicate["environment"])) and shown == outcomes


def demands(found: Inspection) -> None:
    for name, report in found.reports.items():
        if report.conclusion is Conclusion.INDETERMINATE:
            raise Refused(Reason.REQUIREMENT, f"{name}: the run came to nothing: {visible(report.reason)}")
        for short in shortfalls(found.requirements, report):
            raise Refused(Reason.REQUIREMENT, f"{name}: {short.clause} is {short.reason}")


def steadiness(found: Inspection) -> None:
    for clause in conduct.flaky(found.disguised):
        raise Refused(Reason.FLAKY, f"{clause} does not come out the same in all runs")


def conduct_for_all(found: Inspection) -> None:
    for difference in conduct.same_for_all(found.disguised, found.reports[bundle.MARKED]):
        raise Refused(Reason.CONDUCT, f"conduct.same-for-all: {difference}")


def challenged(found: Inspection) -> None:
    """The seed is the certifier's, where it is said to be."""
    if bundle.CHALLENGE not in found.predicate["files"]:
        return
    target = found.predicate["target"]
    try:
        answered = challenge.check(
            found.bundle.read(bundle.CHALLENGE),
            found.keys if found.trusted else None,
            target_file_sha256=target["file"],
            artifact=target["artifact"] or "",
            vendor_key_id=found.key_id,
            today=statement.moment(found.predicate["started"]).date(),
        )
    except challenge.BadChallenge as error:
        raise Refused(Reason.CHALLENGE, str(error)) from None
    if answered.seed != found.predicate["seed"]:
        raise Refused(Reason.CHALLENGE, "the seed is not the one that follows from the challenge")


def outcomes(found: Inspection) -> None:
    predicate, reports = found.predicate, found.disguised
    if predicate["outcomes"] != statement.outcomes(found.requirements.clauses, reports):
        raise Refused(Reason.OUTCOMES, "the outcomes of the certificate are not those of its runs")
    if predicate["interpretations"] != statement.interpretations(reports):
        raise Refused(Reason.OUTCOMES, "the interpretations of the certificate are not those of its runs")
    if predicate["limits"] != statement.limits(reports[0].target):
        raise Refused(Reason.OUTCOMES, "the limits of the certificate are not those of its target")
    if predicate["redacted"] != (reports[0].target.auth is not None):
        raise Refused(Reason.OUTCOMES, "the certificate does not say truly whether its evidence was redacted")


def test_result(found: Inspection) -> None:
    said, key_id = paper.opened(found, bundle.TEST_RESULT)
    if said != statement.test_result(found.statement) or key_id != found.key_id:
        raise Refused(Reason.TEST_RESULT, f"{bundle.TEST_RESULT} is not what the certificate comes to")
