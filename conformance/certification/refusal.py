"""Why a bundle is refused: one reason for each, with a word and an exit code of its own."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """Why a bundle is refused: a word, the exit code that goes with it, and what it means."""

    UNREADABLE = "unreadable", 10, "a file of the bundle is not there, or is not of the kind that it should be"
    UNSIGNED = "unsigned", 11, "nobody has signed the certificate"
    UNKNOWN_KEY = "unknown-key", 12, "the key that signed is not in the key list"
    REVOKED_KEY = "revoked-key", 13, "the key that signed was revoked"
    SIGNATURE = "signature", 14, "the signature does not fit what is signed"
    KEY_PERIOD = "key-period", 15, "the key was not in force on the day of the certificate"
    STATEMENT = "statement", 16, "what is signed is no certificate by its schema, or rests on other runs"
    NOT_YET = "not-yet", 17, "the certificate is of a moment that is yet to come"
    EXPIRED = "expired", 18, "the certificate has expired"
    REQUIREMENTS = "requirements", 19, "the requirement set is not the one that was released under that name"
    CONTRACT = "contract", 20, "it was judged by another contract than the installed suite's"
    SUITE_VERSION = "suite-version", 21, "another version of the suite has judged; verify with that one"
    SUITE_FILES = "suite-files", 22, "the suite that judged has the same version, and other files"
    MISSING_FILE = "missing-file", 23, "a file that the certificate binds is not there"
    STRAY_FILE = "stray-file", 24, "a file is there that the certificate does not bind"
    DIGEST = "digest", 25, "a file is not the one that the certificate binds"
    SUBJECT = "subject", 26, "the subject is not the target that the certificate describes"
    SEEDS = "seeds", 27, "seeds, manners or depth of the runs are not those of a certification"
    EVIDENCE = "evidence", 28, "the evidence of a run is not there, or damaged"
    OTHER_TARGET = "other-target", 29, "the evidence is of another target"
    OTHER_RUN = "other-run", 30, "the evidence is of another run"
    DESELECTED = "deselected", 31, "a clause was not judged in a run"
    INPUTS = "inputs", 32, "the requests are not those that the seeds lead to"
    REPORT = "report", 33, "a report says something else than its evidence"
    WAIVER = "waiver", 34, "a report has waivers"
    CONSERVATION = "conservation", 35, "the counts of a report do not add up to its clauses"
    VERDICT = "verdict", 36, "a clause came out otherwise than its report says"
    COUNTS = "counts", 37, "the counts of a report are not those of its clauses"
    JUNIT = "junit", 38, "`junit.xml` says something else than the evidence"
    HTML = "html", 39, "`report.html` shows something else than the evidence"
    FLAKY = "flaky", 40, "a clause is breached in some of the runs, and kept in others"
    CONDUCT = "conduct", 41, "the target behaves differently when it recognises the suite"
    REQUIREMENT = "requirement", 42, "what the set demands is not fulfilled in a run"
    CHALLENGE = "challenge", 43, "the challenge is not a certifier's, or not the one that the seed is from"
    OUTCOMES = "outcomes", 44, "the outcomes that the certificate lists are not those of its runs"
    TEST_RESULT = "test-result", 45, "`test-result.json` is not what the certificate comes to"
    COUNTERSIGNATURE = "countersignature", 46, "what was countersigned is another certificate, or not by a certifier"

    def __init__(self, word: str, code: int, meaning: str) -> None:
        self.word, self.code, self.meaning = word, code, meaning


class Refused(Exception):
    """The bundle is not to be believed."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(f"{reason.word}: {sentence}")
        self.reason = reason
