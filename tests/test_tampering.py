"""Doctored bundles: each is refused for its own reason, whoever signs it; honest ones are believed.

Who doctors them holds the vendor's key, and signs anew whatever was changed. What a signature alone would give away is
not what is tried here, unless it says so.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from signing_keys import CERTIFIER, STRANGER, VENDOR
from tampering import (
    FILE,
    FIXED_ALONE,
    KEYS,
    RUNS,
    Forger,
    Rows,
    Said,
    adopted,
    at_depth,
    attempted,
    certified,
    compacted,
    copied,
    declared,
    judged_again,
    order,
    remembering,
    renumbered,
    replaced,
    revealed,
    shifted,
    valid,
    verified,
    word,
)
from test_evidence import STRAINS, sealed, unpacked

from conformance import run, selftest
from conformance.cases.disguise import USUAL, Disguise, Manner, Marked
from conformance.certification import bundle, certify, envelope, issue, requirements, statement
from conformance.certification.certify import seeds
from conformance.certification.ed25519 import generate, pem
from conformance.certification.identity import digest_of
from conformance.certification.keys import Key, Role, draft
from conformance.certification.refusal import Reason, Refused
from conformance.certification.verify import verify
from conformance.cli import main
from conformance.evidence.log import BLOBS, LINES
from conformance.exploration import Depth
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.reference.server import running
from conformance.target import Target

REMARK = STRAINS["source-is-left-out"]
FAULTY = STRAINS["confidence-is-a-string"]
FLAKY = STRAINS["every-thirteenth-answer-is-a-fault"]
MASTER = order().seed
REPORTS = ("report.json", *(file for file, _ in run.FORMATS.values()))
ESCAPE = "\x1b]0;pwned\x07\x1b[31m\u202e\x9b2J::error::x"


@pytest.fixture(scope="module")
def memory() -> Iterator[None]:
    with remembering():
        yield


@pytest.fixture(autouse=True)
def quickly(request: pytest.FixtureRequest) -> None:
    """What was worked out for one bundle is not worked out again for the next, but where a test asks for it."""
    if "forgetful" not in request.fixturenames:
        request.getfixturevalue("memory")


@pytest.fixture
def forgetful() -> None:
    """Nothing is remembered."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified(tmp_path_factory.mktemp("honest") / "b", order())


@pytest.fixture(scope="module")
def remarked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a server that keeps a SHOULD not: the same order."""
    return certified(tmp_path_factory.mktemp("remarked") / "b", order(), REMARK)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, certify.Attempt]:
    """Of a server with a fault: what certify leaves of it."""
    folder = tmp_path_factory.mktemp("faulty") / "b"
    return folder, attempted(folder, order(), lambda: selftest.in_process(FAULTY))


@pytest.fixture
def faulty(refused: tuple[Path, certify.Attempt], tmp_path: Path) -> Forger:
    """The same, signed all the same."""
    folder, came = refused
    forged = copied(folder, tmp_path / "faulty")
    issue.issue(order(), replace(came, refusals=[]), forged.folder, VENDOR)
    return forged


def lacking_target() -> Target:
    target = declared()
    scenes = {name: scene for name, scene in target.scenes.items() if name != "segmentation"}
    return replace(target, scenes=scenes, absent=frozenset({"segmentation"}))


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a target that has no model which segments."""
    return certified(
        tmp_path_factory.mktemp("lacking") / "b", order(lacking_target(), requirements=requirements.load("full-1"))
    )


@pytest.fixture
def forger(honest: Path, tmp_path: Path) -> Forger:
    return copied(honest, tmp_path)


def one_run(folder: Path, seed: str, manner: Manner, target: Target | None = None) -> Path:
    """A run of its own, with its reports."""
    folder.mkdir(parents=True)
    ready = run.prepare(target or declared(), seed=seed, depth=FIXED_ALONE, shrink=False, manner=manner)
    report, _ = ready.against(Server()).go(evidence=folder)
    run.write_all(report, folder)
    return folder


class TestHonest:
    """What nobody has doctored is believed, and what limits it is said."""

    def test_with_a_challenge(self, honest: Path) -> None:
        assert [stamp.split(":")[0] for stamp in verified(honest).stamps] == ["self-built"]

    def test_without_one(self, forger: Forger) -> None:
        forger.path(bundle.CHALLENGE).unlink()
        forger.sign()
        assert "no challenge: the seed is the vendor's own" in verified(forger.folder).stamps

    def test_by_its_own_key(self, honest: Path) -> None:
        """Then nobody vouches for whoever has challenged the vendor, either."""
        stamps = verified(honest, None).stamps
        assert "nobody vouches for the key: it is the one that came with the bundle" in stamps
        assert [each for each in stamps if each.startswith("unchecked challenge: ")]

    def test_with_a_remark(self, remarked: Path) -> None:
        found = verified(remarked).statement["predicate"]["outcomes"]
        assert found["result.source-present"] == "failed"
        assert Forger(remarked).said(bundle.TEST_RESULT)["predicate"]["result"] == "WARNED"

    def test_of_one_who_lacks_a_scene(self, lacking: Path) -> None:
        [stamp] = [each for each in verified(lacking).stamps if each.startswith("not applicable: ")]
        assert "mask." in stamp

    def test_with_credentials(self, tmp_path: Path) -> None:
        guarded = next(each for each in STRAINS.values() if each.guarded and each.id.startswith("unproven"))
        folder = certified(tmp_path / "b", order(selftest.guarded(declared())), guarded)
        assert any(stamp.startswith("redacted: ") for stamp in verified(folder).stamps)
        everything = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
        assert not any(value.encode() in everything for value in selftest.KEYS.values() if value)

    def test_with_photographs(self, tmp_path: Path) -> None:
        """What was sent cannot be derived then, and that is said."""
        from PIL import Image

        Image.effect_noise((64, 64), 50).save(tmp_path / "one.png")
        scenes = {
            name: replace(scene, samples=(tmp_path / "one.png",)) if scene.image else scene
            for name, scene in declared().scenes.items()
        }
        folder = certified(tmp_path / "b", order(replace(declared(), scenes=scenes)))
        assert "inputs not derived: the vendor's own photographs were sent" in verified(folder).stamps

    def test_countersigned(self, forger: Forger) -> None:
        issue.countersign(forger.folder, verified(forger.folder), CERTIFIER)
        assert any(stamp.startswith("countersigned by Acme") for stamp in verified(forger.folder).stamps)

    @pytest.mark.usefixtures("forgetful")
    def test_over_sockets(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """By the commands, and nothing is remembered: what was drawn is drawn again."""
        key = generate(tmp_path / "vendor.pem")
        keys = tmp_path / "keys.toml"
        keys.write_text(draft(key.public, datetime.now(UTC).date()), encoding="utf-8")
        target, out = tmp_path / "target.toml", tmp_path / "b"
        with running() as url, at_depth(Depth(8, 2)):
            text = selftest.REFERENCE.read_text(encoding="utf-8").replace("http://127.0.0.1:8080", url)
            for name in ("classification", "segmentation"):
                text = text.replace(f"[scenes.{name}]", f"[scenes.{name}]\nimage = {{ width = 64, height = 64 }}")
            target.write_text(text, encoding="utf-8")
            order_ = ["certify", "--target", target, "--requirements", "core", "--key", tmp_path / "vendor.pem"]
            assert main([*map(str, order_), "--out", str(out)]) == 0
            assert main(["verify", str(out), "--keys", str(keys)]) == 0
            said = capsys.readouterr().out
            assert "verified: reference 0.1.0 fulfils core-1" in said
            assert "inputs not derived" not in said
            (out / "runs" / "2" / "report.md").write_text("all is well", encoding="utf-8")
            assert main(["verify", str(out), "--keys", str(keys)]) == Reason.DIGEST.code
        assert capsys.readouterr().err == "refused: digest: runs/2/report.md was changed\n"


Doctor = Callable[[Forger], Any]


def says(*path: str | int, is_: Any) -> Doctor:
    """The certificate says something else somewhere."""

    def doctor(forger: Forger) -> None:
        def change(predicate: Said) -> None:
            value: Any = predicate
            for step in path[:-1]:
                value = value[step]
            value[path[-1]] = is_

        forger.change(change)

    return doctor


def whole(change: Callable[[Said], Any]) -> Doctor:
    """The statement around the predicate is changed."""

    def doctor(forger: Forger) -> None:
        said = forger.said()
        change(said)
        forger.sign(said)

    return doctor


def reported(change: Callable[[Said], Any], folder: str = "runs/1") -> Doctor:
    return lambda forger: forger.report(folder, change)


def witnessed(change: Callable[[Rows], Rows | None], *, told: bool = True, folder: str = "runs/1") -> Doctor:
    """The evidence is changed, all that follows of it written anew, and signed."""

    def doctor(forger: Forger) -> None:
        forger.evidence(folder, change)
        with suppress(OperatorMistake):
            forger.tell(folder) if told else None
        adopted(forger, folder)

    return doctor


def file(name: str, content: bytes | str, *, signed: bool = True) -> Doctor:
    def doctor(forger: Forger) -> None:
        forger.write(name, content)
        if signed:
            forger.sign()

    return doctor


def edited(name: str, *pairs: tuple[str, str]) -> Doctor:
    return lambda forger: forger.edit(name, *pairs)


def other_envelope(name: str, change: Callable[[Said], Any]) -> Doctor:
    """The envelope is changed, and nothing signed."""

    def doctor(forger: Forger) -> None:
        outer = json.loads(forger.path(name).read_bytes())
        change(outer)
        forger.write(name, json.dumps(outer))

    return doctor


def clause_of(document: Said, name: str) -> Said:
    return next(row for row in document["clauses"] if row["id"] == name)


def flip(document: Said) -> None:
    clause_of(document, "route.query")["outcome"] = "passed"


def drop_a_clause(document: Said) -> None:
    gone = document["clauses"].pop()
    document["counts"][gone["level"]][gone["outcome"]] -= 1


def shifted_counts(document: Said) -> None:
    document["counts"]["MUST"]["passed"] -= 1
    document["counts"]["SHOULD"]["passed"] += 1


def resigned_by(number: str) -> Doctor:
    def doctor(forger: Forger) -> None:
        forger.key = {"stranger": STRANGER, "certifier": CERTIFIER}[number]
        forger.sign()

    return doctor


def signature_of_the_test_result(forger: Forger) -> None:
    outer, other = (json.loads(forger.path(name).read_bytes()) for name in (bundle.CERTIFICATE, bundle.TEST_RESULT))
    forger.write(bundle.CERTIFICATE, json.dumps(outer | {"signatures": other["signatures"]}))


def another_key_in_it(forger: Forger) -> None:
    forger.write(bundle.KEY, pem(STRANGER.public))
    forger.sign()


def other_requirements(forger: Forger) -> None:
    """A clause less, and the digest of what is there now."""
    text = forger.path(bundle.REQUIREMENTS).read_bytes().replace(b"  success.status: MUST\n", b"")
    forger.write(bundle.REQUIREMENTS, text)
    forger.change(lambda said: said["requirements"].update(sha256=sha256(text).hexdigest()))


def harder_set(forger: Forger) -> None:
    """The certificate of one set becomes that of a harder one."""
    secure = requirements.load("secure-1")
    forger.write(bundle.REQUIREMENTS, secure.text)

    def change(said: Said) -> None:
        said["requirements"] = {"id": secure.id, "sha256": secure.sha256}
        said["outcomes"] = statement.outcomes(secure.clauses, [judged_again(forger.path(name)) for name in bundle.RUNS])

    forger.change(change)


def without(*names: str, signed: bool) -> Doctor:
    def doctor(forger: Forger) -> None:
        for name in names:
            forger.path(name).unlink()
        if signed:
            forger.sign()

    return doctor


def thrice(forger: Forger) -> None:
    """The first run is the second and the third, too, with their seeds written into it."""
    for number, seed in zip((2, 3), seeds(MASTER)[1:], strict=True):
        name = f"runs/{number}"
        replaced(forger, name, forger.path("runs/1"))
        forger.evidence(name, lambda rows, seed=seed: rows[0].update(seed=seed))  # type: ignore[misc]
        forger.tell(name)
        adopted(forger, name)


def thrice_as_it_is(forger: Forger) -> None:
    for name in ("runs/2", "runs/3"):
        replaced(forger, name, forger.path("runs/1"))
        adopted(forger, name)


def spliced(forger: Forger) -> None:
    """The first half of one run, and the second half of another."""
    rows, blobs = unpacked(forger.path("runs/1"))
    theirs, more = unpacked(forger.path("runs/2"))
    middle = len(rows) // 2
    for row in theirs[middle:-1]:
        row["request"] = [len(blobs) + each for each in row["request"]]
        row["answer"] = shifted(row["answer"], len(blobs))
        for name in ("before", "alone", "beside"):
            row.pop(name, None)
    whole = renumbered([*rows[:middle], *theirs[middle:-1], rows[-1]])
    sealed(forger.path("runs/1"), *compacted(whole, [*blobs, *more]))
    forger.tell("runs/1")


def marked_is_disguised(forger: Forger) -> None:
    """A fourth disguised run, which says that it is the marked one."""
    folder = one_run(forger.folder.parent / "fourth", certify.MARKED_SEED, Disguise("fourth"))
    replaced(forger, bundle.MARKED, folder)
    late(forger, bundle.MARKED)


def late(forger: Forger, name: str) -> None:
    """A run was made after all the others: it says otherwise."""
    started = next(each["started"] for each in forger.said()["predicate"]["runs"] if each["folder"] == name)
    forger.evidence(name, lambda rows: rows[0].update(started=started))
    forger.tell(name)
    adopted(forger, name)


def run_of(manner: Manner) -> Doctor:
    """A run that looks otherwise in the place of the first."""

    def doctor(forger: Forger) -> None:
        replaced(forger, "runs/1", one_run(forger.folder.parent / "other", seeds(MASTER)[0], manner))
        late(forger, "runs/1")

    return doctor


def picked_seeds(forger: Forger) -> None:
    """Each seed the vendor's choice, and everything as it follows from them."""
    own = "a lucky one"
    replaced(forger, "runs/1", one_run(forger.folder.parent / "lucky", own, Disguise(own)))
    late(forger, "runs/1")
    forger.change(lambda said: said["runs"][0].update(seed=own))


def a_better_answer(rows: Rows) -> None:
    """That of the exchange before."""
    good = [row for row in rows[1:-1] if row["answer"][0] == 200]
    bad = next(row for row in rows[1:-1] if row["answer"][0] == 400)
    bad["answer"] = good[0]["answer"]


def swapped(rows: Rows) -> Rows:
    plain = [at for at, row in enumerate(rows[:-1]) if at > 20 and not {"before", "alone", "beside"} & set(row)]
    one, two = plain[0], plain[5]
    rows[one], rows[two] = rows[two], rows[one]
    return rows


def lessened(rows: Rows) -> Rows:
    """Every other of the pictures is gone; what is left is as it was."""
    return [row for at, row in enumerate(rows) if not (row.get("case", "").startswith("body.") and at % 2)]


def told_apart(**more: Any) -> Callable[[Rows], None]:
    """A refused request gets a remark by which no rule looks at it, or not as it should."""

    def change(rows: Rows) -> None:
        next(row for row in rows[30:-1] if row["answer"][0] == 400 and row.get("judged", True)).update(more)

    return change


def staged_is_more(rows: Rows) -> Rows:
    """After the end of what was planned, something that nobody has drawn."""
    extra = {**rows[5], "n": 10**6}
    extra.pop("place", None)
    return [*rows[:-1], extra, rows[-1]]


def staged_twice(rows: Rows) -> Rows:
    last = next(row for row in reversed(rows) if str(row.get("case", "")).startswith("state."))
    return [*rows[:-1], {**last, "n": 10**6}, rows[-1]]


def known_failures(forger: Forger) -> None:
    """All four runs are of a target file with known failures."""
    for name in RUNS:
        forger.evidence(name, lambda rows: rows[0]["target"].update({"known-failures": {"mask.size": "soon"}}))
    rows, _ = unpacked(forger.path("runs/1"))
    forger.change(lambda said: said["target"].update(declared=digest_of(rows[0]["target"])))


def names_files(**more: Any) -> Doctor:
    """The evidence describes a target that names files, on whoever's machine it is verified."""

    def doctor(forger: Forger) -> None:
        for name in RUNS:
            forger.evidence(name, lambda rows: rows[0]["target"]["scenes"]["classification"].update(more))
        rows, _ = unpacked(forger.path("runs/1"))
        forger.change(lambda said: said["target"].update(declared=digest_of(rows[0]["target"])))

    return doctor


def other_identity(forger: Forger) -> None:
    """What the server calls itself is another thing, and the subject follows."""
    said = forger.said()
    target = said["predicate"]["target"]
    target["identity"]["server"] = "something better"
    target |= {"artifact": None, "vouched": False}
    said["subject"][0]["digest"]["sha256"] = digest_of(target["identity"])
    forger.path(bundle.CHALLENGE).unlink()
    said["predicate"]["files"] = bundle.Bundle(forger.folder).digests()
    forger.sign(said)


def other_artifact(forger: Forger) -> None:
    """Another artifact than the one that was pledged; everything else fits."""
    said = forger.said()
    said["predicate"]["target"]["artifact"] = "c" * 64
    said["subject"][0]["digest"]["sha256"] = "c" * 64
    forger.sign(said)


def challenged_by(**changes: Any) -> Doctor:
    def doctor(forger: Forger) -> None:
        forger.write(bundle.CHALLENGE, revealed(**changes))
        forger.sign()

    return doctor


def countersigned(change: Callable[[Said], Any], key: Any = CERTIFIER) -> Doctor:
    """A certifier has said something else, or somebody else has said it."""

    def doctor(forger: Forger) -> None:
        issue.countersign(forger.folder, verified(forger.folder), key)
        said = forger.said(bundle.SUMMARY)
        change(said)
        forger.write(bundle.SUMMARY, envelope.sign(said, key))

    return doctor


def countersigned_before(forger: Forger) -> None:
    """It was countersigned, and signed again afterwards with a longer validity."""
    issue.countersign(forger.folder, verified(forger.folder), CERTIFIER)
    forger.change(lambda said: said.update(expires="2090-01-01T00:00:00Z"))


def linked(name: str, to: str) -> Doctor:
    def doctor(forger: Forger) -> None:
        forger.path(name).unlink(missing_ok=True)
        forger.path(name).symlink_to(to)

    return doctor


def piped(name: str) -> Doctor:
    def doctor(forger: Forger) -> None:
        forger.path(name).unlink(missing_ok=True)
        os.mkfifo(forger.path(name))

    return doctor


def endless(name: str) -> Doctor:
    """Two gigabytes of nothing, which take no room on the disk."""

    def doctor(forger: Forger) -> None:
        with forger.path(name).open("ab") as end:
            end.truncate(2 << 30)

    return doctor


def duplicate_in_the_payload(forger: Forger) -> None:
    """Who reads the first of two members reads another certificate than who reads the last."""
    payload = envelope.canonical(forger.said()).replace(b'{"_type"', b'{"_type":"https://in-toto.io/x","_type"', 1)
    outer = json.loads(forger.path(bundle.CERTIFICATE).read_bytes())
    outer["payload"] = base64.b64encode(payload).decode()
    signature = VENDOR.sign(envelope.pae(envelope.IN_TOTO, payload))
    outer["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    forger.write(bundle.CERTIFICATE, json.dumps(outer))


def many_files(forger: Forger) -> None:
    for number in range(bundle.MOST_FILES):
        forger.write(f"runs/1/{number}.txt", b"")


def cut_off(rows: Rows) -> None:
    rows[-1]["closing"].update(cut_off="stopped by the operator", stopped_by_operator=True)


def two_test_results(forger: Forger) -> None:
    said = forger.said(bundle.TEST_RESULT)
    said["predicate"]["passedTests"].append("mask.is-lovely")
    forger.write(bundle.TEST_RESULT, envelope.sign(said, VENDOR))


def later_page(forger: Forger) -> None:
    """The page shows the same outcomes, and praise in the place of the verdict."""
    page = forger.path("runs/1/report.html").read_text(encoding="utf-8")
    forger.write("runs/1/report.html", page.replace("</body>", "<script>alert('buy')</script></body>", 1))
    forger.sign()


def edited_line(forger: Forger) -> None:
    path = forger.path("runs/1") / LINES
    path.write_bytes(path.read_bytes().replace(b'"answer":[400', b'"answer":[200', 1))
    forger.sign()


def cut_lines(forger: Forger) -> None:
    path = forger.path("runs/1") / LINES
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-5]))
    forger.sign()


def swap_runs(forger: Forger) -> None:
    for name in (LINES, BLOBS, *REPORTS):
        one, two = forger.path("runs/1") / name, forger.path("runs/2") / name
        first = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(first)
    forger.sign()


ATTACKS: dict[str, tuple[Reason, Doctor]] = {
    # the envelope
    "payload-of-another-statement": (
        Reason.SIGNATURE,
        other_envelope(bundle.CERTIFICATE, lambda outer: outer.update(payload="e30=")),
    ),
    "signature-of-another-statement": (Reason.SIGNATURE, signature_of_the_test_result),
    "payload-type-changed": (
        Reason.UNREADABLE,
        other_envelope(bundle.CERTIFICATE, lambda outer: outer.update(payloadType="application/json")),
    ),
    "unsigned": (Reason.UNSIGNED, other_envelope(bundle.CERTIFICATE, lambda outer: outer.update(signatures=[]))),
    "signed-by-a-stranger": (Reason.UNKNOWN_KEY, resigned_by("stranger")),
    "key-in-the-bundle-is-another-one": (Reason.SIGNATURE, another_key_in_it),
    "members-twice-in-what-is-signed": (Reason.UNREADABLE, duplicate_in_the_payload),
    "members-twice-in-the-envelope": (
        Reason.UNREADABLE,
        lambda forger: forger.write(
            bundle.CERTIFICATE,
            forger.path(bundle.CERTIFICATE).read_bytes().replace(b'{"payload"', b'{"payload":"e30=","payload"', 1),
        ),
    ),
    "nested-beyond-measure": (Reason.UNREADABLE, file(bundle.CERTIFICATE, b"[" * 100_000, signed=False)),
    "a-number-beyond-measure": (
        Reason.UNREADABLE,
        file(bundle.CERTIFICATE, b'{"payload":1e999,"payloadType":0,"signatures":[]}', signed=False),
    ),
    "nothing": (Reason.UNREADABLE, file(bundle.CERTIFICATE, b"", signed=False)),
    # the statement
    "a-member-of-another-type": (Reason.STATEMENT, says("seed", is_=5)),
    "a-member-too-many": (Reason.STATEMENT, says("approved", is_=True)),
    "another-predicate-type": (Reason.STATEMENT, whole(lambda said: said.update(predicateType="urn:x"))),
    "a-day-that-there-is-not": (Reason.STATEMENT, says("expires", is_="2027-13-45T99:00:00Z")),
    "finished-before-it-began": (Reason.STATEMENT, says("finished", is_="2026-01-02T00:00:00Z")),
    "began-when-the-challenge-was-open": (Reason.STATEMENT, says("started", is_="2026-06-02T00:00:00Z")),
    "runs-in-another-order": (Reason.STATEMENT, lambda forger: forger.change(lambda said: said["runs"].reverse())),
    "from-the-future": (
        Reason.NOT_YET,
        lambda forger: forger.change(
            lambda said: said.update(finished=in_days(3), expires=in_days(30)),
        ),
    ),
    # what it was judged by
    "a-clause-less-in-the-set": (Reason.REQUIREMENTS, other_requirements),
    "set-is-called-otherwise": (Reason.REQUIREMENTS, says("requirements", "id", is_="full-1")),
    "set-that-there-is-not": (Reason.REQUIREMENTS, says("requirements", "id", is_="../../core-1")),
    "certified-for-a-harder-set": (Reason.REQUIREMENT, harder_set),
    "contract-of-others": (Reason.CONTRACT, says("contract", is_="sha256:" + "0" * 64)),
    "suite-of-another-version": (Reason.SUITE_VERSION, says("suite", "version", is_="9.9.9")),
    "suite-with-other-files": (Reason.SUITE_FILES, says("suite", "sha256", is_="0" * 64)),
    # the files
    "stray-file": (Reason.STRAY_FILE, file("read-me-first.txt", "approved", signed=False)),
    "stray-file-that-is-bound": (Reason.STRAY_FILE, file("read-me-first.txt", "approved")),
    "stray-file-beside-a-report": (Reason.STRAY_FILE, file("runs/1/approved.txt", "approved")),
    "a-program-to-repeat-nothing": (Reason.STRAY_FILE, file("runs/1/repeat/0.py", "import os")),
    "stray-name-full-of-escapes": (Reason.STRAY_FILE, file(ESCAPE, "", signed=False)),
    "missing-file": (Reason.MISSING_FILE, without("runs/2/junit.xml", signed=False)),
    "missing-file-that-nobody-misses": (Reason.MISSING_FILE, without("runs/2/ctrf.json", signed=True)),
    "missing-evidence": (Reason.EVIDENCE, without(f"runs/2/{LINES}", signed=True)),
    "missing-certificate": (Reason.UNREADABLE, without(bundle.CERTIFICATE, signed=False)),
    "a-path-out-of-the-bundle": (
        Reason.MISSING_FILE,
        says("files", "../../etc/hostname", is_="0" * 64),
    ),
    "an-absolute-path": (Reason.MISSING_FILE, says("files", "/etc/hostname", is_="0" * 64)),
    "changed-file": (Reason.DIGEST, file("runs/2/report.md", "all is well", signed=False)),
    "link-out-of-the-bundle": (Reason.UNREADABLE, linked("runs/1/junit.xml", "/etc/hostname")),
    "certificate-is-endless": (Reason.UNREADABLE, linked(bundle.CERTIFICATE, "/dev/zero")),
    "certificate-is-a-pipe": (Reason.UNREADABLE, piped(bundle.CERTIFICATE)),
    "set-is-a-pipe": (Reason.UNREADABLE, piped(bundle.REQUIREMENTS)),
    "two-gigabytes-of-nothing": (Reason.UNREADABLE, endless(f"runs/1/{BLOBS}")),
    "two-gigabytes-of-certificate": (Reason.UNREADABLE, endless(bundle.CERTIFICATE)),
    "too-many-files": (Reason.UNREADABLE, many_files),
    # whom
    "another-artifact-in-the-subject": (
        Reason.SUBJECT,
        whole(lambda said: said["subject"][0]["digest"].update(sha256="0" * 64)),
    ),
    "another-name-in-the-subject": (Reason.SUBJECT, whole(lambda said: said["subject"][0].update(name="better 2"))),
    "vouched-for-without-an-artifact": (Reason.SUBJECT, says("target", "vouched", is_=False)),
    "another-identity": (Reason.SUBJECT, other_identity),
    "another-artifact": (Reason.CHALLENGE, other_artifact),
    "another-target": (Reason.OTHER_TARGET, says("target", "declared", is_="0" * 64)),
    "another-url": (Reason.OTHER_TARGET, says("target", "url", is_="http://better.example")),
    "another-target-file": (Reason.CHALLENGE, says("target", "file", is_="0" * 64)),
    # the seeds
    "another-seed": (Reason.SEEDS, says("seed", is_="0")),
    "hand-picked-seeds": (Reason.SEEDS, picked_seeds),
    "marked-run-is-called-disguised": (Reason.SEEDS, says("runs", 3, "manner", is_="disguised")),
    "quick-runs": (Reason.SEEDS, says("depth", is_="quick")),
    "deeper-than-it-was": (Reason.INPUTS, says("depth", is_="deep")),
    # the evidence
    "better-answer": (
        Reason.EVIDENCE,
        edited_line,
    ),
    "better-answer-with-its-chain": (Reason.VERDICT, witnessed(a_better_answer, told=False)),
    "reordered": (Reason.INPUTS, witnessed(swapped)),
    "truncated": (Reason.INPUTS, witnessed(lambda rows: [*rows[: len(rows) // 2], rows[-1]])),
    "truncated-without-its-end": (Reason.EVIDENCE, cut_lines),
    "exchanges-removed": (Reason.INPUTS, witnessed(lessened)),
    "exchange-that-nobody-judges": (Reason.INPUTS, witnessed(told_apart(judged=False))),
    "exchange-for-one-rule-alone": (Reason.INPUTS, witnessed(told_apart(rule="status-is-200"))),
    "exchange-in-another-state": (Reason.INPUTS, witnessed(told_apart(circumstance="fault"))),
    "exchange-delivered-otherwise": (Reason.INPUTS, witnessed(told_apart(delivery="abort"))),
    "exchange-after-the-end": (Reason.INPUTS, witnessed(staged_is_more)),
    "no-state-entered": (
        Reason.REQUIREMENT,
        witnessed(lambda rows: [row for row in rows if not str(row.get("case")).startswith("state.")]),
    ),
    "state-entered-twice": (Reason.INPUTS, witnessed(staged_twice)),
    "two-runs-spliced": (Reason.INPUTS, spliced),
    "the-same-run-three-times": (Reason.OTHER_RUN, thrice_as_it_is),
    "the-same-run-under-three-seeds": (Reason.INPUTS, thrice),
    "run-of-another-seed": (Reason.OTHER_RUN, swap_runs),
    "plain-run": (Reason.INPUTS, run_of(USUAL)),
    "marked-run-as-a-disguised-one": (Reason.INPUTS, run_of(Marked())),
    "disguised-run-as-the-marked-one": (Reason.INPUTS, marked_is_disguised),
    "deselected-clause": (Reason.DESELECTED, witnessed(lambda rows: rows[0]["selected"].remove("mask.size"))),
    "shard-of-a-run": (Reason.EVIDENCE, witnessed(lambda rows: rows[0].update(shard="1/2"), told=False)),
    "run-that-was-cut-off": (Reason.REQUIREMENT, witnessed(cut_off)),
    "known-failures": (Reason.WAIVER, known_failures),
    "photographs-of-the-verifier": (Reason.EVIDENCE, names_files(samples="/**/*.png")),
    "seconds-beyond-measure": (
        Reason.EVIDENCE,
        witnessed(lambda rows: rows[5].update(seconds=10**400), told=False),
    ),
    "requests-that-were-never-sent": (Reason.OTHER_RUN, says("runs", 0, "requests", is_=10**6)),
    # the reports
    "verdict-flipped": (Reason.VERDICT, reported(flip)),
    "verdict-of-the-whole": (Reason.REPORT, reported(lambda document: document.update(conclusion="excellent"))),
    "clause-dropped": (Reason.VERDICT, reported(drop_a_clause)),
    "clause-dropped-and-not-counted-out": (Reason.CONSERVATION, reported(lambda said: said["clauses"].pop())),
    "counts-edited": (Reason.COUNTS, reported(shifted_counts)),
    "judged-more-often": (
        Reason.REPORT,
        reported(lambda document: clause_of(document, "success.status").update(judged=10**9)),
    ),
    "waived": (
        Reason.WAIVER,
        reported(lambda document: document.update(waivers=[{"clause": "mask.size", "reason": "soon"}])),
    ),
    "one-word-more": (Reason.REPORT, reported(lambda document: document.update(approved="by everybody"))),
    "members-twice-in-a-report": (
        Reason.REPORT,
        edited("runs/1/report.json", ('  "conclusion"', '  "conclusion": "excellent",\n  "conclusion"')),
    ),
    "a-report-whose-digest-does-not-fit": (
        Reason.REPORT,
        edited("runs/1/report.json", ('"passed"', '"failed"')),
    ),
    "report-nested-beyond-measure": (Reason.REPORT, file("runs/1/report.json", b"[" * 100_000)),
    "report-of-another-target": (
        Reason.REPORT,
        reported(lambda document: document["target"].update(name="better", url="http://better.example")),
    ),
    "junit-edited": (Reason.JUNIT, edited("runs/3/junit.xml", ('name="', 'name="very '))),
    "page-edited": (Reason.HTML, edited("runs/3/report.html", ('data-outcome="observed"', 'data-outcome="passed"'))),
    "page-with-a-program": (Reason.HTML, later_page),
    "markdown-edited": (Reason.REPORT, edited("marked/report.md", ("passed", "excelled"))),
    "badge-edited": (Reason.REPORT, edited("runs/1/badge.json", ("conformant", "excellent"))),
    # the certificate beside the runs
    "observation-changed-in-the-certificate": (Reason.OUTCOMES, says("outcomes", "route.query", is_="passed")),
    "remark-changed-in-the-certificate": (Reason.OUTCOMES, says("outcomes", "result.source-present", is_="observed")),
    "interpretation-changed": (Reason.OUTCOMES, says("interpretations", is_={})),
    "limits-changed": (Reason.OUTCOMES, says("limits", "max_image_bytes", is_=10**9)),
    "redacted-or-not": (Reason.OUTCOMES, says("redacted", is_=True)),
    "test-result-edited": (Reason.TEST_RESULT, two_test_results),
    "test-result-missing": (Reason.UNREADABLE, without(bundle.TEST_RESULT, signed=False)),
    "test-result-unsigned": (
        Reason.UNSIGNED,
        other_envelope(bundle.TEST_RESULT, lambda outer: outer.update(signatures=[])),
    ),
    # the challenge
    "challenge-of-another-vendor": (Reason.CHALLENGE, challenged_by(vendor=STRANGER)),
    "challenge-for-another-target": (Reason.CHALLENGE, challenged_by(target=b"another")),
    "challenge-for-another-artifact": (Reason.CHALLENGE, challenged_by(artifact="c" * 64)),
    "seed-of-another-challenge": (Reason.CHALLENGE, challenged_by(seed=bytes(32))),
    "challenge-that-is-none": (Reason.CHALLENGE, file(bundle.CHALLENGE, b"{}")),
    # the countersignature
    "countersignature-of-the-one-before": (Reason.COUNTERSIGNATURE, countersigned_before),
    "countersigned-by-the-vendor": (Reason.COUNTERSIGNATURE, countersigned(lambda _: None, VENDOR)),
    "countersigned-by-a-stranger": (Reason.UNKNOWN_KEY, countersigned(lambda _: None, STRANGER)),
    "countersigned-as-failed": (
        Reason.COUNTERSIGNATURE,
        countersigned(lambda said: said["predicate"].update(verificationResult="FAILED")),
    ),
    "countersignature-of-another-kind": (
        Reason.COUNTERSIGNATURE,
        countersigned(lambda said: said.update(predicateType="https://slsa.dev/provenance/v1")),
    ),
    "countersigned-for-another-set": (
        Reason.COUNTERSIGNATURE,
        countersigned(lambda said: said["predicate"].update(verifiedLevels=["secure-1"])),
    ),
    "countersigned-for-another-subject": (
        Reason.COUNTERSIGNATURE,
        countersigned(lambda said: said["subject"][0].update(name="another")),
    ),
}


def in_days(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).strftime(statement.MOMENT)


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_for_its_own_reason(attack: str, forger: Forger) -> None:
    reason, doctor = ATTACKS[attack]
    doctor(forger)
    assert word(forger.folder) == reason.word


class TestKeys:
    """Who may sign, and when."""

    @pytest.mark.parametrize(
        ("reason", "keys"),
        [
            (Reason.UNKNOWN_KEY, {}),
            (Reason.UNKNOWN_KEY, {CERTIFIER.id: KEYS[CERTIFIER.id]}),
            (Reason.REVOKED_KEY, {VENDOR.id: valid(VENDOR, Role.VENDOR, revoked="lost")}),
            (Reason.KEY_PERIOD, {VENDOR.id: valid(VENDOR, Role.VENDOR, since=date(2099, 1, 1))}),
            (Reason.KEY_PERIOD, {VENDOR.id: valid(VENDOR, Role.VENDOR, until=date(2026, 1, 2))}),
        ],
    )
    def test_a_key_that_does_not_count(self, reason: Reason, keys: dict[str, Key], honest: Path) -> None:
        assert word(honest, keys) == reason.word

    def test_another_key_under_its_id(self, honest: Path) -> None:
        assert word(honest, {VENDOR.id: replace(KEYS[VENDOR.id], public=STRANGER.public)}) == Reason.SIGNATURE.word

    def test_the_day(self, honest: Path) -> None:
        now = datetime.now(UTC)
        assert word(honest, now=now + timedelta(days=31)) == Reason.EXPIRED.word
        assert word(honest, now=now - timedelta(days=1)) == Reason.NOT_YET.word

    def test_a_backdated_certificate(self, forger: Forger) -> None:
        """Of a day before the runs."""
        forger.change(lambda said: said.update(finished="2026-02-01T00:00:00Z"))
        assert word(forger.folder) == Reason.STATEMENT.word


def taken_from(other: Path, *names: str) -> Doctor:
    """Parts of another bundle, whose runs are said to be of the same time."""

    def doctor(forger: Forger) -> None:
        for name in names:
            replaced(forger, name, other / name)
            late(forger, name)

    return doctor


class TestMixed:
    """Parts of several bundles, all of them signed by the same vendor."""

    def test_a_remark_in_one_run_alone(self, forger: Forger, remarked: Path) -> None:
        taken_from(remarked, "runs/1")(forger)
        assert word(forger.folder) == Reason.FLAKY.word

    def test_a_remark_in_all_but_the_marked_run(self, forger: Forger, remarked: Path) -> None:
        taken_from(remarked, *bundle.RUNS)(forger)
        assert word(forger.folder) == Reason.CONDUCT.word

    def test_runs_of_a_server_with_a_fault(self, faulty: Forger) -> None:
        assert word(faulty.folder) == Reason.REQUIREMENT.word

    def test_a_remark_that_the_certificate_conceals(self, remarked: Path, tmp_path: Path) -> None:
        forger = copied(remarked, tmp_path)
        forger.change(lambda said: said["outcomes"].update({"result.source-present": "passed"}))
        assert word(forger.folder) == Reason.OUTCOMES.word

    def test_the_run_of_another_target(self, forger: Forger, lacking: Path) -> None:
        taken_from(lacking, "runs/1")(forger)
        assert word(forger.folder) == Reason.OTHER_TARGET.word

    @pytest.mark.parametrize(
        ("reason", "name"),
        [
            (Reason.TEST_RESULT, bundle.TEST_RESULT),
            (Reason.REPORT, "runs/1/report.json"),
            (Reason.JUNIT, "runs/1/junit.xml"),
            (Reason.HTML, "runs/1/report.html"),
            (Reason.EVIDENCE, f"runs/1/{BLOBS}"),
            (Reason.OTHER_RUN, ""),
        ],
    )
    def test_a_file_of_the_next_run(self, reason: Reason, name: str, forger: Forger, lacking: Path) -> None:
        """Or of another certificate."""
        for each in [name] if name else [f"runs/1/{file}" for file in (LINES, BLOBS)]:
            there = lacking if name == bundle.TEST_RESULT else forger.folder
            forger.write(each, (there / each.replace("runs/1", "runs/2")).read_bytes())
        if name != bundle.TEST_RESULT:
            forger.sign()
        assert word(forger.folder) == reason.word

    def test_the_countersignature_of_another_certificate(self, forger: Forger, remarked: Path) -> None:
        other = copied(remarked, forger.folder.parent / "other")
        issue.countersign(other.folder, verified(other.folder), CERTIFIER)
        forger.write(bundle.SUMMARY, other.path(bundle.SUMMARY).read_bytes())
        assert word(forger.folder) == Reason.COUNTERSIGNATURE.word

    def test_quick_runs_in_the_place_of_whole_ones(self, honest: Path) -> None:
        """Nothing is drawn in them."""
        with at_depth(Depth(4, 1)), pytest.raises(Refused) as caught:
            verify(honest, KEYS, datetime.now(UTC))
        assert caught.value.reason is Reason.INPUTS


def with_fewer_states(rows: Rows) -> Rows:
    """One request in each state is enough for a verdict."""
    return [row for row in rows if not re.fullmatch(r"state\.[a-z]+-[2-9]", str(row.get("case")))]


class TestWhatRemains:
    """What whoever holds the key can do all the same: docs/certification.md says so."""

    def test_all_answers_are_invented(self, faulty: Forger, honest: Path) -> None:
        """Nobody can tell that another server gave them: where that matters, a certifier runs certify."""
        for name in RUNS:
            faulty.answers(name, honest / name)
        faulty.tell()
        assert word(faulty.folder) == "verified"

    def test_it_was_made_with_something_else(self, forger: Forger) -> None:
        """Then nobody here can derive what was to be sent; whoever believes it is told so."""
        witnessed(lessened)(forger)
        forger.change(lambda said: said["environment"].update(python="CPython 4.0.0"))
        [stamp] = [each for each in verified(forger.folder).stamps if each.startswith("inputs not derived: ")]
        assert "CPython 4.0.0" in stamp

    def test_pictures_prove_nothing(self, forger: Forger) -> None:
        forger.write(bundle.PAGE, "excellent")
        assert word(forger.folder) == "verified"

    def test_a_part_of_what_took_the_help_of_the_target_is_gone(self, forger: Forger) -> None:
        """What is sent in a state depends on answers, and only its names are looked at."""
        before = len(unpacked(forger.path("runs/1"))[0])
        witnessed(with_fewer_states)(forger)
        assert len(unpacked(forger.path("runs/1"))[0]) < before
        assert word(forger.folder) == "verified"


ODD: tuple[Any, ...] = (
    None, True, -1, 0.5, 10**400, "", "x", ESCAPE, "\x00", "9" * 5000, [], [[]], {}, {"": None}, {"sha256": 5},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    steps: Iterator[Any] = iter(())
    if isinstance(value, dict):
        steps = iter(value)
    elif isinstance(value, list):
        steps = iter(range(len(value)))
    for step in steps:
        yield (*path, step)
        yield from places(value[step], (*path, step))


def put(document: Any, path: tuple[Any, ...], odd: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = odd


class TestNonsense:
    """Validly signed, and nonsense: refused, whatever it is, and never more than that."""

    def test_in_the_statement(self, forger: Forger) -> None:
        draw, said = random.Random(5), forger.said()  # noqa: S311
        free = [path for path in places(said) if not {"files", "outcomes"} & set(path[:-1])]
        for path in draw.sample(free, 45):
            odd = draw.choice(ODD)
            whole_ = forger.said()
            put(whole_, path, odd)
            forger.write(bundle.CERTIFICATE, envelope.sign(whole_, VENDOR))
            assert word(forger.folder) != "verified" or path[1] == "environment", (path, odd)
            forger.sign(said)

    @pytest.mark.parametrize("name", [bundle.SUMMARY, bundle.TEST_RESULT, bundle.CHALLENGE, "runs/1/report.json"])
    def test_in_another_file(self, name: str, forger: Forger) -> None:
        issue.countersign(forger.folder, verified(forger.folder), CERTIFIER)
        kept = {each: forger.path(each).read_bytes() for each in (name, bundle.CERTIFICATE, bundle.TEST_RESULT)}
        draw = random.Random(7)  # noqa: S311
        plain = name.endswith("report.json")
        document = json.loads(kept[name]) if plain else envelope.read(kept[name], kind_of(kept[name])).statement
        found = list(places(document))
        for path in draw.sample(found, min(len(found), 6)):
            changed = json.loads(json.dumps(document))
            put(changed, path, draw.choice(ODD))
            if plain:
                forger.report("runs/1", lambda said, to=changed: said.update(to))  # type: ignore[misc]
            else:
                signer = VENDOR if name == bundle.TEST_RESULT else CERTIFIER
                forger.write(name, envelope.sign(changed, signer, kind_of(kept[name])))
                forger.sign() if name == bundle.CHALLENGE else None
            word(forger.folder)
            for each, content in kept.items():
                forger.write(each, content)

    def test_in_the_evidence(self, forger: Forger) -> None:
        draw = random.Random(9)  # noqa: S311
        rows, blobs = unpacked(forger.path("runs/1"))
        spots = [(at, path) for at in (0, 1, 40, len(rows) - 1) for path in places(rows[at])]
        for at, path in draw.sample(spots, 15):
            changed = [*rows[:at], json.loads(json.dumps(rows[at])), *rows[at + 1 :]]
            put(changed[at], path, draw.choice(ODD))
            sealed(forger.path("runs/1"), changed, blobs)
            forger.sign()
            word(forger.folder)


def kind_of(data: bytes) -> str:
    return str(json.loads(data)["payloadType"])


MARKS = "✓✗·"
"""Of the table that submit-check prints."""


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed; nothing in it but text."""
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert {letter for letter in said if not " " <= letter <= "~"} <= {"\n", *MARKS}
    assert "::error::" not in said
    assert "Traceback" not in said
    return said


@pytest.fixture
def desk(tmp_path: Path, forger: Forger) -> tuple[Path, Path, Path]:
    """A submission, a key list, and the key of who countersigns."""
    folder = tmp_path / "reports" / "acme" / "0.1.0"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# How to reproduce it\n\n    conformance certify\n", encoding="utf-8")
    (folder / "target.toml").write_bytes(FILE)
    forger.folder = forger.folder.rename(folder / "bundle")
    keys, key = tmp_path / "keys.toml", tmp_path / "certifier.pem"
    mine = generate(key)
    signers = ((VENDOR, Role.VENDOR), (CERTIFIER, Role.CERTIFIER), (mine, Role.CERTIFIER))
    entries = [draft(signer.public, date(2026, 1, 1), role) for signer, role in signers]
    keys.write_text(re.sub("(?m)^until = .*$", "until = 2099-12-31", "\n".join(entries)), encoding="utf-8")
    return folder, keys, key


def commands(desk: tuple[Path, Path, Path]) -> list[list[str]]:
    folder, keys, key = map(str, desk)
    listed = ["--keys", keys]
    return [
        ["verify", f"{folder}/bundle"],
        ["verify", f"{folder}/bundle", *listed],
        ["submit-check", folder, *listed],
        ["countersign", f"{folder}/bundle", *listed, "--key", key],
    ]


class TestSaid:
    """Nothing but text reaches a terminal."""

    def test_of_an_honest_one(self, desk: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
        with at_depth(FIXED_ALONE):
            verify_, listed, _, countersign = [main(command) for command in commands(desk)]
        assert (verify_, listed, countersign) == (0, 0, 0)
        said = printed(capsys)
        assert "countersigned with key" in said

    @pytest.mark.parametrize("number", range(3))
    def test_escapes_in_every_text(
        self, number: int, forger: Forger, desk: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """In front, behind, and instead."""
        said = forger.said()
        texts = [path for path in places(said) if isinstance(at(said, path), str)]
        for path in texts:
            changed = forger.said()
            old = at(changed, path)
            put(changed, path, (ESCAPE + old, old + ESCAPE, ESCAPE)[number])
            forger.write(bundle.CERTIFICATE, envelope.sign(changed, VENDOR))
            if texts.index(path) % 12 == number:
                assert all(main(command) for command in commands(desk)) or path[1] == "environment"
                printed(capsys)
            forger.sign(said)

    def test_a_name_full_of_escapes(
        self, forger: Forger, desk: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """In all of it, and so it is verified."""
        for name in RUNS:
            forger.evidence(name, lambda rows: rows[0]["target"]["target"].update(name=ESCAPE))
        forger.tell()
        said = forger.said()
        said["predicate"]["target"]["name"] = ESCAPE
        said["predicate"]["target"]["declared"] = digest_of(unpacked(forger.path("runs/1"))[0][0]["target"])
        said["subject"][0]["name"] = f"{ESCAPE} 0.1.0"
        forger.sign(said)
        with at_depth(FIXED_ALONE):
            verify_, listed, _, countersign = [main(command) for command in commands(desk)]
        assert (verify_, listed, countersign) == (0, 0, 0)
        assert r"verified: \x1b]0;pwned" in printed(capsys)

    @pytest.mark.parametrize("name", [b"\xff\xfe", b"\x1b[2J", "\u202e".encode(), b"`x` | y", b"-rf"])
    def test_names_of_files(
        self, name: bytes, forger: Forger, desk: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path(os.fsdecode(os.fsencode(forger.folder) + b"/" + name)).write_bytes(b"")
        codes = [main(command) for command in commands(desk)]
        assert codes == [Reason.STRAY_FILE.code, Reason.STRAY_FILE.code, 1, Reason.STRAY_FILE.code]
        assert not forger.path(bundle.SUMMARY).exists()
        printed(capsys)


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


@contextmanager
def few_cases() -> Iterator[None]:
    """Runs send a part of what is planned."""
    whole = run.prepare

    def prepare(*arguments: Any, **more: Any) -> run.Prepared:
        ready = whole(*arguments, **more)
        return replace(ready, plan=replace(ready.plan, singles=ready.plan.singles[::8]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "prepare", prepare)
        yield


class TestNotSigned:
    """What certify refuses, it does not sign."""

    def test_a_fault(self, refused: tuple[Path, certify.Attempt]) -> None:
        folder, came = refused
        assert all(f"{name}: result.confidence is failed" in came.refusals for name in RUNS)
        assert sorted(path.name for path in folder.iterdir()) == ["marked", "runs"]
        with pytest.raises(ValueError, match="what was refused cannot be signed"):
            issue.issue(order(), came, folder, VENDOR)
        assert sorted(path.name for path in folder.iterdir()) == ["marked", "runs"]

    def test_one_who_fails_now_and_then(self, tmp_path: Path) -> None:
        with few_cases():
            came = attempted(tmp_path / "b", order(), lambda: selftest.in_process(FLAKY))
        assert any(re.fullmatch(r"runs/\d: [a-z.-]+ is failed", each) for each in came.refusals)
        assert not (tmp_path / "b" / bundle.CERTIFICATE).exists()

    def test_one_who_fails_in_one_run_alone(self, honest: Path, remarked: Path) -> None:
        runs = [judged_again(folder) for folder in (remarked / "runs/1", honest / "runs/2", honest / "runs/3")]
        found = certify.refusals(order().requirements, runs, judged_again(honest / "marked"))
        assert found == ["result.source-present does not come out the same in all runs"]

    def test_one_who_knows_the_suite(self, honest: Path, remarked: Path) -> None:
        runs = [judged_again(remarked / name) for name in bundle.RUNS]
        [found] = certify.refusals(order().requirements, runs, judged_again(honest / "marked"))
        assert found.startswith("conduct.same-for-all: result.source-present is breached in all 3 runs")

    def test_a_partial_one(self, honest: Path) -> None:
        """What is demanded was not exercised."""
        reports = [judged_again(honest / name) for name in RUNS]
        found = certify.refusals(requirements.load("secure-1"), reports[:3], reports[3])
        assert "runs/1: auth.accepted is unexercised" in found or found[0].endswith(" is unexercised")

    def test_known_failures(self, tmp_path: Path) -> None:
        target = replace(declared(), known_failures={"mask.size": "soon"})
        with pytest.raises(OperatorMistake, match="known failures"):
            certify.attempt(order(target), tmp_path / "b", Server)

    def test_a_folder_that_holds_something(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").touch()
        with pytest.raises(OperatorMistake, match="an empty folder"):
            certify.attempt(order(), tmp_path, Server)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_nobody_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        generate(tmp_path / "vendor.pem")
        text = selftest.REFERENCE.read_text(encoding="utf-8").replace("http://127.0.0.1:8080", "http://127.0.0.1:9")
        (tmp_path / "target.toml").write_text(text, encoding="utf-8")
        command = ["certify", "--target", tmp_path / "target.toml", "--requirements", "core", "--quiet"]
        rest = ["--key", tmp_path / "vendor.pem", "--out", tmp_path / "b"]
        assert main(list(map(str, [*command, *rest]))) == 3
        assert "runs/1: the run came to nothing" in capsys.readouterr().out
        assert not (tmp_path / "b" / bundle.CERTIFICATE).exists()
