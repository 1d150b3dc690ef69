"""Reports as HTML, one file each, to be read without network, on any screen and on paper.

Whatever others said is in them as text, escaped, and in pictures that we painted ourselves.
"""

from __future__ import annotations

from conformance.report.comparison import Comparison
from conformance.report.html import comparison, matrix, views
from conformance.report.html.page import page
from conformance.report.matrix import Matrix
from conformance.report.record import Report


def render(report: Report) -> str:
    """The page of a run."""
    return page("report.html.j2", report=views.view_of(report))


def render_comparison(found: Comparison) -> str:
    """The page of two reports: what changed, and why."""
    return page("comparison.html.j2", found=comparison.view_of(found))


def render_matrix(found: Matrix) -> str:
    """The page of several implementations side by side."""
    return page("matrix.html.j2", found=matrix.view_of(found))
