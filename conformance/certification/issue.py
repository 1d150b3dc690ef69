"""Signing: what an attempt came to becomes a certificate, and somebody else's certificate a verification summary."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.certification import bundle, certify, envelope, page, statement
from conformance.certification.bundle import Bundle
from conformance.certification.certify import Attempt, Order
from conformance.certification.ed25519 import SigningKey, pem
from conformance.certification.identity import DISTRIBUTION
from conformance.certification.verify import Verified


def issue(order: Order, attempt: Attempt, out: Path, key: SigningKey) -> dict[str, Any]:
    """Sign what came of an order, beside its runs; returns the statement. Of an attempt that was refused, never."""
    if attempt.refusals:
        raise ValueError("what was refused cannot be signed")
    bundle.written(out, bundle.KEY, pem(key.public))
    said = certify.statement_of(order, attempt, out)
    bundle.written(out, bundle.CERTIFICATE, envelope.sign(said, key))
    bundle.written(out, bundle.TEST_RESULT, envelope.sign(statement.test_result(said), key))
    bundle.written(out, bundle.PAGE, page.certificate(said, key.id))
    bundle.written(out, bundle.BADGE, page.badge(said))
    return said


def countersign(folder: Path, verified: Verified, key: SigningKey) -> dict[str, Any]:
    """Sign that a bundle was verified, in the words of SLSA's verification summaries; returns the statement."""
    predicate, certificate = verified.statement["predicate"], Bundle(folder).digest(bundle.CERTIFICATE)
    summary = {
        "verifier": {
            "id": f"urn:{DISTRIBUTION}:key:{key.id}",
            "version": {DISTRIBUTION: predicate["suite"]["version"]},
        },
        "timeVerified": datetime.now(UTC).strftime(statement.MOMENT),
        "resourceUri": predicate["target"]["url"],
        "policy": {
            "uri": f"urn:{DISTRIBUTION}:requirements:{predicate['requirements']['id']}",
            "digest": {"sha256": predicate["requirements"]["sha256"]},
        },
        "inputAttestations": [{"uri": f"urn:{DISTRIBUTION}:sha256:{certificate}", "digest": {"sha256": certificate}}],
        "verificationResult": "PASSED",
        "verifiedLevels": [predicate["requirements"]["id"]],
    }
    said = {
        "_type": statement.STATEMENT,
        "subject": verified.statement["subject"],
        "predicateType": statement.SUMMARY,
        "predicate": summary,
    }
    bundle.written(folder, bundle.SUMMARY, envelope.sign(said, key))
    return said
