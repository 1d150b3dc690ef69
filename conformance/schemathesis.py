"""Our rules inside Schemathesis: a hooks module for its command line.

    SCHEMATHESIS_HOOKS=conformance.schemathesis CONFORMANCE_TARGET=acme.toml st run schemas/openapi.yaml --url ...

Importing it registers the check ``conformance``, which judges what was really sent and what came back by every MUST
rule that one exchange can show, and a hook that lends the declared scenes and real pictures to the cases. Without
CONFORMANCE_TARGET no scene is declared, and what needs one is not judged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.core.failures import Failure, FailureGroup

from conformance.cases import images
from conformance.cases.openapi import TEMPLATE, example_scene, lend_labels, picture_for
from conformance.cases.requests import Subject, measured
from conformance.contract.clauses import Clause, Level, catalogue
from conformance.contract.reading import read
from conformance.discretion import Discretion
from conformance.exchange import Case, Exchange
from conformance.judge import Violation, judge
from conformance.message import Answer, Request, Response
from conformance.report.visible import visible
from conformance.rules import RULES, accepted
from conformance.signing import secrets_of
from conformance.target import Target, load

if TYPE_CHECKING:
    import requests

BEYOND = ("http", "isolation")
"""Sections that need what requests hides: the bytes of the framing, and which connection an answer came on."""


def _declared() -> Target:
    file = os.environ.get("CONFORMANCE_TARGET")
    return measured(load(Path(file))) if file else Target("undeclared", "")


TARGET = _declared()
"""What CONFORMANCE_TARGET declares. Raises OperatorMistake at import when that file is wrong."""
# what must be taken can be demanded only of pictures of a size that the target has declared its models to take
UNDEMANDED = frozenset() if TARGET.running() else frozenset(rule.id for rule in accepted.RULES)
JUDGING = tuple(
    rule
    for rule in RULES
    if (clause := catalogue().clauses[rule.clause]).level is Level.MUST
    and clause.section not in BEYOND
    and rule.id not in UNDEMANDED
)


class Breach(Failure):
    """A MUST clause that an exchange breaches. Schemathesis counts and shows one of each clause."""

    __slots__ = ()

    @property
    def _unique_key(self) -> str:
        return self.title


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Aim what names the document's examples at a declared model, and send pictures in place of 1x1 samples."""
    if case.path == TEMPLATE:
        scenes = TARGET.running() or [example_scene()]
        # most cases are PNG: they go where there is most to judge, to the segmentation model
        scene = scenes[0 if case.media_type == images.JPEG else -1]
        lend_labels(case, scene)
        picture = picture_for(case, Subject(scene, b""))
        if picture:
            # put into the case itself, it would be taken for an empty string, and the case for a negative one
            kwargs["data"] = picture


@schemathesis.check
def conformance(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """Keeps the contract of DetectAnomalies."""
    exchange = _exchange(response, case)
    if exchange is None:
        return True  # to Schemathesis: not checked
    breaches = list(_breaches(exchange, case))
    if breaches:
        raise FailureGroup(breaches)
    return None


def _breaches(exchange: Exchange, case: schemathesis.Case[Any]) -> Iterator[Breach]:
    for verdict in judge([exchange], JUDGING):
        clause = catalogue().clauses[verdict.rule.clause]
        texts = [(clause.id, _text(clause, violation)) for violation in verdict.violations]
        if verdict.error:
            texts.append(("a fault of the suite, not of the target", visible(verdict.error)))
        for title, text in texts:
            yield Breach(operation=case.operation.label, title=title, message=text, case_id=case.id)


def _text(clause: Clause, violation: Violation) -> str:
    finding = violation.finding
    lines = {
        "Requirement": " ".join(clause.requirement.split()),
        "Where": visible(finding.where),
        "Expected": visible(finding.expected),
        "Actual": visible(finding.actual, 500),
    }
    return "\n".join(f"{label + ':':<13}{text}" for label, text in lines.items())


def _exchange(response: schemathesis.Response, case: schemathesis.Case[Any]) -> Exchange | None:
    """What was sent and what came back; None where another operation was asked, or bytes are missing on either side."""
    is_whole = response.content_size == len(response.content) and not response.stream_cut_short
    if case.path != TEMPLATE or not is_whole:
        return None
    request = _request(response.request, urlsplit(case.operation.base_url or "").path.rstrip("/"))
    if request is None:
        return None
    headers = tuple((_octets(name), _octets(value)) for name, values in response.headers.items() for value in values)
    # a content coding that was asked for is already undone, and its header is still there: no rule minds
    answer: Answer = Response(response.status_code, headers, response.content, _octets(response.message or ""))
    answer = Discretion(secrets_of(request)).answer(answer, request)
    return Exchange(Case(f"schemathesis.{case.id}", request), read(request, TARGET), answer, response.elapsed)


def _request(sent: requests.PreparedRequest, base: str) -> Request | None:
    """The bytes that requests made of a case, below the path of the base URL; None when its body cannot be seen."""
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    if not isinstance(body, bytes):
        return None
    path = sent.path_url
    # as the adapter of requests does, lest two slashes begin an authority
    path = ("/" + path.lstrip("/") if path.startswith("//") else path).removeprefix(base)
    headers = tuple((_octets(name), _octets(value)) for name, value in sent.headers.items())
    if "host" not in (name.lower() for name in sent.headers):
        headers = ((b"Host", _octets(urlsplit(sent.url or "").netloc)), *headers)
    return Request.build(sent.method or "", path, headers, body)


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")
