"""The report as one HTML file, to be read without network, on any screen and on paper."""

from __future__ import annotations

from conformance.report.html.page import page
from conformance.report.html.views import view_of
from conformance.report.record import Report


def render(report: Report) -> str:
    """The HTML document. Whatever others said is in it as text, escaped, and in pictures that we painted ourselves."""
    return page("report.html.j2", report=view_of(report))
