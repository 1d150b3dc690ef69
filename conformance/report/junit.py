"""The report as JUnit XML: one test case for each clause, in a suite for each section.

A failed MUST is a failure, an error of ours an error, what was not exercised is skipped, and never passed. A failed
SHOULD is a remark in the output of a passed case, since JUnit has no warnings. The suite ``conclusion`` holds one
case, so that a run that came to nothing cannot look green; it also has the time that all took, which nobody can share
out among the clauses, so that whoever adds up the cases gets it right.

Jenkins' xUnit plugin refuses what its schema does not know: no properties of a case, and no ``skipped`` of all suites.
Properties are therefore the suites'. GitLab shows the text of a failure, an error or a skipped case and no attribute,
others the attribute ``message`` alone: everything is said in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from conformance.contract.clauses import Level, catalogue
from conformance.contract.clients import breaches_of
from conformance.report.record import ClauseRow, Conclusion, Failure, Outcome, Report
from conformance.report.visible import visible
from conformance.waivers import Waived

_NAME = "DetectAnomalies conformance"
_CONCLUSIONS = {
    Conclusion.NON_CONFORMANT: "failure",
    Conclusion.INDETERMINATE: "error",
    Conclusion.PARTIAL: "skipped",
}


def render(report: Report) -> str:
    """The JUnit document. All text is printable ASCII, which every XML parser takes."""
    suites = Element("testsuites", name=_NAME)
    for section, title in catalogue().sections.items():
        rows = [row for row in report.rows if row.clause.section == section]
        if rows:
            suite = _suite(suites, title, report)
            properties = {row.clause.id: f"{row.clause.level} {row.outcome}" for row in rows}
            clauses = {row.clause.id for row in rows}
            _properties(suite, properties, [each for each in report.waivers if each.waiver.of in clauses])
            for row in rows:
                _case(suite, row)
            _count(suite, 0.0)
    _conclude(_suite(suites, "conclusion", report), report)
    _count(suites, report.seconds)
    del suites.attrib["skipped"]
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _suite(suites: Element, name: str, report: Report) -> Element:
    return SubElement(suites, "testsuite", name=name, timestamp=visible(report.started))


def _properties(suite: Element, properties: Mapping[str, str], waivers: Iterable[Waived]) -> None:
    element = SubElement(suite, "properties")
    for name, value in properties.items():
        SubElement(element, "property", name=name, value=visible(value))
    for each in waivers:
        SubElement(element, "property", name="waiver", value=visible(str(each)))


def _case(suite: Element, row: ClauseRow) -> None:
    clause = row.clause
    case = SubElement(suite, "testcase", classname=f"conformance.{clause.section}", name=clause.id, time="0")
    if row.outcome is Outcome.FAILED and clause.level is Level.MUST:
        SubElement(case, "failure", message=message(row), type=clause.id).text = story(row)
    elif row.outcome is Outcome.ERROR:
        _say(case, "error", row.reason)
    elif row.outcome in (Outcome.UNEXERCISED, Outcome.NOT_APPLICABLE):
        _say(case, "skipped", f"{row.outcome}: {row.reason}")
    elif row.outcome is Outcome.FAILED:
        SubElement(case, "system-out").text = f"remark: {story(row)}"
    elif row.readings:
        readings = (f"{visible(reading)} ({count})" for reading, count in row.readings.items())
        SubElement(case, "system-out").text = "observed: " + ", ".join(readings)


def _say(case: Element, tag: str, text: str) -> None:
    SubElement(case, tag, message=visible(text), type=tag).text = visible(text)


def message(row: ClauseRow) -> str:
    """What is wrong with a clause that failed, in a line: its smallest finding."""
    first = row.failures[0].finding
    return visible(f"{first.where}: expected {first.expected}, got {first.actual}")


def story(row: ClauseRow) -> str:
    """All about a clause that failed, in lines: what it demands, how often it is breached, what for, and where."""
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
    target = {"target": f"{report.target.name} {report.target.version}".rstrip(), "url": report.target.url}
    _properties(suite, target | {"suite": report.suite, "seed": report.seed}, report.waivers)
    took = f"{report.seconds:.3f}"
    case = SubElement(suite, "testcase", classname="conformance", name="conclusion", time=took)
    text = f"{report.conclusion}: {report.reason}"
    if report.conclusion is not Conclusion.CONFORMANT:
        _say(case, _CONCLUSIONS[report.conclusion], text)
    else:
        SubElement(case, "system-out").text = visible(text)
    _count(suite, report.seconds)


def _count(suite: Element, seconds: float) -> None:
    suite.set("tests", str(_number(suite.iter("testcase"))))
    for attribute, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(attribute, str(_number(suite.iter(tag))))
    suite.set("time", f"{seconds:.3f}")


def _number(elements: Iterable[Element]) -> int:
    return sum(1 for _ in elements)
