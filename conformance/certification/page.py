"""The certificate as people look at it: a page to print, and a badge. Both are pictures, and prove nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from conformance.certification import bundle, requirements
from conformance.certification.identity import Origin
from conformance.certification.requirements import RequirementSet
from conformance.contract.clauses import Level
from conformance.report.html.marks import Mark, of_outcome
from conformance.report.html.page import page
from conformance.report.record import Outcome
from conformance.report.visible import visible

_LETTER = 6.6
"""The width of a letter on the badge, in pixels, as Shields' badges have it."""
_LABEL = "DetectAnomalies"
_BRIEF = 120
COMMAND = "conformance verify --keys keys.toml ."
"""What whoever holds the page is told to do, in the folder where it lies."""


@dataclass(frozen=True)
class _Run:
    folder: str
    manner: str
    started: str
    requests: int
    seconds: float


@dataclass(frozen=True)
class _View:
    name: str
    set: str
    title: str
    says: str
    dates: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    digests: list[tuple[str, str]]
    runs: list[_Run]
    command: str
    limits: list[tuple[str, str]]
    """Each a word, and what it means here."""
    clauses: list[tuple[Mark, int, list[str]]]
    """By outcome: its mark, how many there are, and which."""


def certificate(statement: Mapping[str, Any], key_id: str) -> str:
    """The page, as one HTML file that loads nothing."""
    predicate = statement["predicate"]
    demanded = requirements.load(predicate["requirements"]["id"])
    return page(
        "certificate.html.j2",
        it=_View(
            name=_name(predicate),
            set=demanded.id,
            title=demanded.title,
            says=demanded.says,
            dates=[("Certified", predicate["finished"][:10]), ("Valid until", predicate["expires"][:10])],
            facts=list(_facts(predicate)),
            digests=list(_digests(statement, key_id)),
            runs=[
                _Run(each["folder"], each["manner"], _moment(each["started"]), each["requests"], each["seconds"])
                for each in predicate["runs"]
            ],
            command=COMMAND,
            limits=[(word, text) for word, _, text in (limit.partition(": ") for limit in limits(predicate))],
            clauses=list(_clauses(demanded, predicate["outcomes"])),
        ),
    )


def _name(predicate: Mapping[str, Any]) -> str:
    target = predicate["target"]
    return visible(f"{target['name']} {target['version']}".rstrip(), _BRIEF)


def _moment(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")


def _facts(predicate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Target", visible(predicate["target"]["url"], _BRIEF)
    yield "Suite", f"{visible(predicate['suite']['version'], _BRIEF)}, {predicate['suite']['origin']}"
    yield "Seed of the runs", "the certifier's" if bundle.CHALLENGE in predicate["files"] else "the vendor's own"


def _digests(statement: Mapping[str, Any], key_id: str) -> Iterator[tuple[str, str]]:
    predicate = statement["predicate"]
    vouched = predicate["target"]["vouched"]
    yield "Artifact" if vouched else "What the target says of itself", statement["subject"][0]["digest"]["sha256"]
    yield "Signed with key", key_id
    yield f"Requirement set {predicate['requirements']['id']}", predicate["requirements"]["sha256"]
    yield "Suite", predicate["suite"]["sha256"]


def _clauses(demanded: RequirementSet, outcomes: Mapping[str, str]) -> Iterator[tuple[Mark, int, list[str]]]:
    """In the order of the set. Of what it demands only a SHOULD can have failed."""
    for outcome in Outcome:
        found = [clause for clause in demanded.clauses if outcomes.get(clause) == outcome]
        if found:
            yield of_outcome(outcome, Level.SHOULD), len(found), found


def limits(predicate: Mapping[str, Any]) -> Iterator[str]:
    """What whoever believes a certificate has to know, each with a word first."""
    if predicate["suite"]["origin"] != Origin.WHEEL:
        yield "self-built: the suite that judged was not an untouched wheel"
    if not predicate["target"]["vouched"]:
        yield "asserted: the vendor names no artifact; the target is known by what it says of itself"
    if bundle.CHALLENGE not in predicate["files"]:
        yield "no challenge: the seed is the vendor's own"
    if predicate["redacted"]:
        yield "redacted: credentials were replaced in requests and answers before these were kept"
    if budget := predicate["limits"].get("requests"):
        yield f"budget: the target allows no more than {budget} requests a run, so less may have been explored"
    absent = sorted(clause for clause, each in predicate["outcomes"].items() if each == Outcome.NOT_APPLICABLE)
    if absent:
        yield f"not applicable: {', '.join(absent)}"


def badge(statement: Mapping[str, Any]) -> str:
    """The badge, as SVG: the set, and until when it holds."""
    predicate = statement["predicate"]
    message = f"{predicate['requirements']['id']} until {predicate['expires'][:10]}"
    left, right = (round(len(text) * _LETTER + 12) for text in (_LABEL, message))
    title = quoteattr(f"{_LABEL}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label={title}>'
        f"<title>{escape(f'{_LABEL}: {message} ({_name(predicate)})')}</title>"
        f'<rect rx="3" width="{left + right}" height="20" fill="#17693a"/>'
        f'<path d="M3 0h{left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#444c56"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">{escape(_LABEL)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(message)}</text></g></svg>\n'
    )
