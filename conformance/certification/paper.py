"""The checks that look at what a bundle claims, before anything in it is judged again.

Each raises Refused at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from conformance.certification import bundle, certify, envelope, statement
from conformance.certification.ed25519 import key_id, public_key
from conformance.certification.identity import digest_of
from conformance.certification.identity import suite as installed
from conformance.certification.inspection import Inspection
from conformance.certification.keys import Key, Role
from conformance.certification.refusal import Reason, Refused
from conformance.contract.document import digest as contract_digest
from conformance.mistake import OperatorMistake
from conformance.report.visible import visible


def signature(found: Inspection) -> None:
    found.statement, found.key_id = opened(found, bundle.CERTIFICATE)


def own_key(paper: bundle.Bundle) -> Mapping[str, Key]:
    """The key that lies in the bundle. Raises Refused."""
    try:
        public = public_key(paper.read(bundle.KEY).decode("ascii"))
    except ValueError as error:
        raise Refused(Reason.UNREADABLE, f"{bundle.KEY}: {error}") from None
    name = key_id(public)
    return {name: Key(name, public, "nobody we know", Role.VENDOR, date.min, date.max)}


_OF_ENVELOPES = {
    envelope.Reason.UNREADABLE: Reason.UNREADABLE,
    envelope.Reason.UNSIGNED: Reason.UNSIGNED,
    envelope.Reason.UNKNOWN_KEY: Reason.UNKNOWN_KEY,
    envelope.Reason.REVOKED_KEY: Reason.REVOKED_KEY,
    envelope.Reason.BAD_SIGNATURE: Reason.SIGNATURE,
}


def opened(found: Inspection, name: str) -> tuple[Mapping[str, Any], str]:
    """The statement in an envelope, and whose key fits. Raises Refused."""
    try:
        opened = envelope.opened(found.bundle.read(name), found.keys)
    except envelope.Unopened as error:
        raise Refused(_OF_ENVELOPES[error.reason], f"{name}: {error}") from None
    return opened.statement, opened.key_id


def form(found: Inspection) -> None:
    for complaint in statement.complaints(found.statement):
        raise Refused(Reason.STATEMENT, f"the certificate is not as its schema wants it: {complaint}")
    folders = [record["folder"] for record in found.predicate["runs"]]
    if folders != [*bundle.RUNS, bundle.MARKED]:
        raise Refused(Reason.STATEMENT, f"the certificate rests on other runs than it should: {', '.join(folders)}")
    try:
        moments = list(map(statement.moment, _moments(found.predicate)))
    except ValueError:
        raise Refused(Reason.STATEMENT, "the certificate names a moment that there is not") from None
    if moments != sorted(moments) or moments[0] != moments[1]:
        raise Refused(Reason.STATEMENT, "the certificate and its runs do not follow each other in time")


def _moments(predicate: Mapping[str, Any]) -> Iterator[str]:
    """All that it names, in the order in which they have to be; the first two are one."""
    yield predicate["started"]
    yield from (record["started"] for record in predicate["runs"])
    yield from (predicate["finished"], predicate["expires"])


def freshness(found: Inspection) -> None:
    finished, expires = (statement.moment(found.predicate[name]) for name in ("finished", "expires"))
    key = found.keys[found.key_id]
    if objection := key.objection(key.role, finished.date()):
        raise Refused(Reason.KEY_PERIOD, f"the key {key.id} {objection}")
    if found.now < finished:
        raise Refused(Reason.NOT_YET, f"the certificate is of {finished:%Y-%m-%d %H:%M} UTC, which is yet to come")
    if found.now > expires:
        raise Refused(Reason.EXPIRED, f"the certificate expired on {expires:%Y-%m-%d}")


def requirements(found: Inspection) -> None:
    said = found.predicate["requirements"]
    try:
        frozen = found.requirements
    except OperatorMistake as mistake:
        raise Refused(Reason.REQUIREMENTS, str(mistake)) from None
    if frozen.sha256 != said["sha256"] or found.bundle.digest(bundle.REQUIREMENTS) != frozen.sha256:
        raise Refused(Reason.REQUIREMENTS, f"{said['id']} is not the set of that name which was released")


def contract(found: Inspection) -> None:
    if found.predicate["contract"] != contract_digest():
        raise Refused(Reason.CONTRACT, "it was judged by another contract than the installed suite's")


def suite(found: Inspection) -> None:
    theirs, ours = found.predicate["suite"], installed()
    if theirs["version"] != ours.version:
        raise Refused(Reason.SUITE_VERSION, f"judged by suite {theirs['version']}: verify it with that one")
    if theirs["sha256"] != ours.sha256:
        raise Refused(Reason.SUITE_FILES, "the files of the suite that judged are not those of the one installed here")


def files(found: Inspection) -> None:
    said, there = found.predicate["files"], set(found.bundle.files()) - bundle.UNBOUND
    for name in sorted({*said, bundle.KEY, bundle.REQUIREMENTS} - there):
        raise Refused(Reason.MISSING_FILE, f"{visible(name)} is missing")
    for name in sorted(there):
        if name not in said or not _belongs(name):
            raise Refused(Reason.STRAY_FILE, f"{visible(name)} is not of this bundle")
    for name in sorted(said):
        if said[name] != found.bundle.digest(name):
            raise Refused(Reason.DIGEST, f"{visible(name)} was changed")
    if key_id(public_key(found.bundle.read(bundle.KEY).decode("ascii"))) != found.key_id:
        raise Refused(Reason.SIGNATURE, f"{bundle.KEY} is another key than the one that signed")


def _belongs(name: str) -> bool:
    """Whether there is a place for it in a bundle. What lies beside the reports of a run is looked at later."""
    rooms = tuple(f"{folder}/" for folder in (*bundle.RUNS, bundle.MARKED))
    return name in (bundle.REQUIREMENTS, bundle.KEY, bundle.CHALLENGE) or name.startswith(rooms)


def subject(found: Inspection) -> None:
    target, subject = found.predicate["target"], found.statement["subject"][0]
    due = target["artifact"] or digest_of(target["identity"])
    if subject["digest"]["sha256"] != due or target["vouched"] != bool(target["artifact"]):
        raise Refused(Reason.SUBJECT, "the subject of the certificate is not the target that it describes")
    if subject["name"] != f"{target['name']} {target['version']}".rstrip():
        raise Refused(Reason.SUBJECT, "the subject of the certificate has another name than its target")


def seeds(found: Inspection) -> None:
    due = [seed for _, seed, _ in certify.manners(found.predicate["seed"])]
    if [record["seed"] for record in found.predicate["runs"]] != due:
        raise Refused(Reason.SEEDS, "the seeds of the runs are not those that follow from the certificate's")
    looks = [record["manner"] for record in found.predicate["runs"]]
    if looks != ["disguised"] * len(bundle.RUNS) + ["marked"] or found.predicate["depth"] == "quick":
        raise Refused(Reason.SEEDS, "the runs were not made as the rules of certification want them")


def countersignature(found: Inspection) -> None:
    """Where a certifier has verified it before, that is true of this certificate."""
    if bundle.SUMMARY not in found.bundle.files():
        return
    if not found.trusted:
        found.countersigned = "countersigned, by a key that nobody vouches for"
        return
    said, key_id = opened(found, bundle.SUMMARY)
    if (said["_type"], said["predicateType"]) != (statement.STATEMENT, statement.SUMMARY):
        raise Refused(Reason.COUNTERSIGNATURE, f"{bundle.SUMMARY} is no verification summary")
    key, summary = found.keys[key_id], said["predicate"]
    moment = statement.moment(summary["timeVerified"])
    if objection := key.objection(Role.CERTIFIER, moment.date()):
        raise Refused(Reason.COUNTERSIGNATURE, f"the key {key.id} {objection}")
    digests = [each["digest"]["sha256"] for each in summary["inputAttestations"]]
    demanded = found.predicate["requirements"]["id"]
    if digests != [found.bundle.digest(bundle.CERTIFICATE)] or summary["verifiedLevels"] != [demanded]:
        raise Refused(Reason.COUNTERSIGNATURE, "what a certifier has verified is another certificate")
    if said["subject"] != found.statement["subject"] or summary["verificationResult"] != "PASSED":
        raise Refused(Reason.COUNTERSIGNATURE, "what a certifier has verified is not this target")
    found.countersigned = f"countersigned by {key.owner} on {moment:%Y-%m-%d}"
