"""The report as JUnit XML: one test case for each clause, in a suite for each section.

A failed MUST is a failure, an error of ours an error, what was not exercised is skipped, and never passed. A failed
SHOULD is a remark in the output of a passed case, since JUnit has no warnings. The suite ``conclusion`` holds one
case, so that a run that came to nothing cannot look green.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from conformance.contract.clauses import Level, catalogue
from conformance.contract.clients import breaches_of
from conformance.report.record import ClauseRow, Conclusion, Failure, Outcome, Report
from conformance.report.visible import visible
from conformance.waivers import Waived

_NAME = "DetectAnomalies conformance"


def render(report: Report) -> str:
    """The JUnit document. All text is printable ASCII, which every XML parser takes."""
    suites = Element("testsuites", name=_NAME)
    for section, title in catalogue().sections.items():
        rows = [row for row in report.rows if row.clause.section == section]
        if rows:
            suite = SubElement(suites, "testsuite", name=title)
            for row in rows:
                _case(suite, row, report)
            _count(suite)
    _conclude(SubElement(suites, "testsuite", name="conclusion"), report)
    _count(suites)
    suites.set("time", f"{report.seconds:.3f}")
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _case(suite: Element, row: ClauseRow, report: Report) -> None:
    clause = row.clause
    case = SubElement(suite, "testcase", classname=f"conformance.{clause.section}", name=clause.id, time="0")
    properties = SubElement(case, "properties")
    for name, value in {"clause": clause.id, "level": clause.level, "outcome": row.outcome}.items():
        SubElement(properties, "property", name=name, value=str(value))
    _waivers(properties, [each for each in report.waivers if each.waiver.of == clause.id])
    if row.outcome is Outcome.FAILED and clause.level is Level.MUST:
        first = row.failures[0].finding
        message = f"{first.where}: expected {first.expected}, got {first.actual}"
        SubElement(case, "failure", message=visible(message), type=clause.id).text = _story(row)
    elif row.outcome is Outcome.ERROR:
        SubElement(case, "error", message=visible(row.reason), type="error")
    elif row.outcome in (Outcome.UNEXERCISED, Outcome.NOT_APPLICABLE):
        SubElement(case, "skipped", message=visible(f"{row.outcome}: {row.reason}"))
    elif row.outcome is Outcome.FAILED:
        SubElement(case, "system-out").text = f"remark: {_story(row)}"
    elif row.readings:
        readings = (f"{visible(reading)} ({count})" for reading, count in row.readings.items())
        SubElement(case, "system-out").text = "observed: " + ", ".join(readings)


def _waivers(properties: Element, waivers: Iterable[Waived]) -> None:
    for each in waivers:
        SubElement(properties, "property", name="waiver", value=visible(str(each)))


def _story(row: ClauseRow) -> str:
    lines = [visible(row.clause.requirement), f"{row.breached} of {row.judged} exchanges breach it"]
    lines += [f"breaks: {breach}" for breach in breaches_of(row.clause.id)]
    if row.known:
        lines.append(f"known failure: {visible(row.known)}")
    return "\n".join([*lines, *(_line(failure) for failure in row.failures)])


def _line(failure: Failure) -> str:
    finding = failure.finding
    text = f"{failure.case}: {finding.where}: expected {finding.expected}, got {finding.actual}"
    return f"| {visible(text)}; repeat with repeat/{failure.id}.py"


def _conclude(suite: Element, report: Report) -> None:
    case = SubElement(suite, "testcase", classname="conformance", name="conclusion", time="0")
    if report.waivers:
        _waivers(SubElement(case, "properties"), report.waivers)
    message = visible(f"{report.conclusion}: {report.reason}")
    if report.conclusion is Conclusion.NON_CONFORMANT:
        SubElement(case, "failure", message=message, type="conclusion")
    elif report.conclusion is Conclusion.INDETERMINATE:
        SubElement(case, "error", message=message, type="conclusion")
    elif report.conclusion is Conclusion.PARTIAL:
        SubElement(case, "skipped", message=message)
    _count(suite)


def _count(suite: Element) -> None:
    suite.set("tests", str(_number(suite.iter("testcase"))))
    for attribute, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(attribute, str(_number(suite.iter(tag))))


def _number(elements: Iterable[Element]) -> int:
    return sum(1 for _ in elements)
