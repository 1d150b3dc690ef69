"""Certificates as they are signed, without any run behind them."""

from __future__ import annotations

from typing import Any

from conformance.certification import bundle, requirements
from conformance.contract.clauses import Level

DIGEST = "0123456789abcdef" * 4
NASTY = "<script>alert(1)</script>\"'&|`{{ 7 }}\x1b[31m\u202e](javascript:alert(2)) ::error::@somebody #1"
"""Whatever might be more than text somewhere."""


def statement(
    name: str = "Acme Vision",
    version: str = "1.4.2",
    url: str = "https://vision.acme.example",
    demanded: str = "full-1",
    **predicate: Any,
) -> dict[str, Any]:
    """A statement that keeps to the schema; ``predicate`` replaces members."""
    released = requirements.load(demanded)
    outcomes = {
        clause: "observed" if level is Level.OBSERVE else "passed" for clause, level in released.clauses.items()
    }
    said = {
        "suite": {
            "name": "detect-anomalies-conformance",
            "version": "0.1.0",
            "sha256": DIGEST,
            "origin": "wheel",
        },
        "contract": f"sha256:{DIGEST}",
        "requirements": {"id": demanded, "sha256": released.sha256},
        "target": {
            "name": name,
            "version": version,
            "url": url,
            "file": DIGEST,
            "declared": DIGEST,
            "identity": {"url": url, "server": "acme"},
            "artifact": DIGEST,
            "vouched": True,
            "photographs": False,
        },
        "seed": DIGEST,
        "depth": "standard",
        "runs": [
            {
                "folder": folder,
                "manner": "marked" if folder == bundle.MARKED else "disguised",
                "seed": DIGEST,
                "started": "2026-11-23T10:00:00Z",
                "seconds": 12.345,
                "requests": 779,
            }
            for folder in (*bundle.RUNS, bundle.MARKED)
        ],
        "files": {bundle.KEY: DIGEST, bundle.CHALLENGE: DIGEST},
        "outcomes": outcomes,
        "interpretations": {},
        "limits": {},
        "environment": {},
        "redacted": False,
        "started": "2026-11-23T10:00:00Z",
        "finished": "2026-11-23T10:01:00Z",
        "expires": "2027-11-23T10:01:00Z",
    }
    subject = [{"name": f"{name} {version}".rstrip(), "digest": {"sha256": DIGEST}}]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "urn:detect-anomalies-conformance:certificate:1",
        "predicate": said | predicate,
    }


def limited(
    name: str = "Acme Vision", version: str = "1.4.2", url: str = "https://vision.acme.example"
) -> dict[str, Any]:
    """One with every limit there is, and a SHOULD that failed, of the largest set."""
    said = statement(name, version, url, "secure-1")
    predicate = said["predicate"]
    predicate["suite"]["origin"] = "self-built"
    predicate["target"] |= {"vouched": False, "artifact": None}
    predicate["redacted"] = True
    del predicate["files"][bundle.CHALLENGE]
    clauses = list(predicate["outcomes"])
    predicate["outcomes"] |= {clauses[5]: "failed", clauses[6]: "unexercised"}
    predicate["outcomes"] |= dict.fromkeys((each for each in clauses if each.startswith("mask.")), "not applicable")
    return said
