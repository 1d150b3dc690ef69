"""What docs/certification.md tells people to do works, in its order, and comes to what it says."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Result
from in_toto_attestation.predicates.vsa.v1.vsa_pb2 import VerificationSummary
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from test_envelopes import BY_HAND

from conformance import cli
from conformance.certification import bundle, envelope, issue, page, paper
from conformance.certification import statement as statements
from conformance.certification.bundle import Bundle
from conformance.certification.challenge import REVEAL, seed_of
from conformance.certification.inspection import Inspection
from conformance.certification.keys import load_keys
from conformance.certification.refusal import Reason
from conformance.certification.verify import Verified
from conformance.cli import certifying
from conformance.reference.server import running

DOCUMENT = (Path(__file__).parent.parent / "docs" / "certification.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^conformance .*", DOCUMENT, re.MULTILINE)
RECIPE: str = re.findall(r"<!-- openssl -->\n+```sh\n(.*?)```", DOCUMENT, re.DOTALL)[0]
SUBMISSION = Path("reports/acme/1.4.2")
NOT_RUN = [line for line in COMMANDS if line.endswith("--out bundle") or "verify bundle" in line]
"""The same is done with a challenge, and takes its time."""
EXITS = {"upgrade-preview": 1}
"""Those that do not end with 0: what is previewed declares less than the set wants."""
TARGET = """\
[target]
name = "Acme Vision"
version = "1.4.2"
url = "{url}"

[limits]
max_image_bytes = 8388608

[scenes.classification]
project = "cookies"
version = "1"
image = {{width = 64, height = 64}}

[scenes.segmentation]
project = "circuits"
version = "2"
image = {{width = 64, height = 64}}

[scenes.missing-project]
project = "nobody-has-this-project"
version = "1"

[scenes.missing-version]
project = "cookies"
version = "8"

[scenes.stopped]
project = "boards"
version = "1"
"""


@dataclass
class Told:
    """What was done, in a folder, and what was said to it."""

    folder: Path
    codes: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """By command, as the document has it: what it printed."""

    def do(self, line: str) -> None:
        words = line.replace("reports/acme/2026-11-23T10-00-00Z", "challenged/runs/1").split()[1:]
        said = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            self.codes[line] = cli.main(words)
        self.said[line] = said.getvalue()

    def answer(self, beginning: str) -> str:
        """What the one command that begins so has printed."""
        (found,) = (said for line, said in self.said.items() if line.startswith(f"conformance {beginning}"))
        return found

    def statement(self, name: str) -> Mapping[str, Any]:
        return envelope.read((self.folder / SUBMISSION / "bundle" / name).read_bytes()).statement


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Every command of the document that can be run, in order."""
    found = Told(tmp_path_factory.mktemp("certified"))
    (found.folder / "acme-1.4.2.tar.gz").write_bytes(b"what is shipped")
    with running() as url:
        (found.folder / "acme.toml").write_text(TARGET.format(url=url), encoding="utf-8")
        lines = [line for line in COMMANDS if line not in NOT_RUN]
        late = [line for line in lines if "upgrade-preview" in line]
        for line in [*(each for each in lines if each not in late), *late]:
            if line.startswith("conformance submit-check"):
                _hand_in(found.folder)
            found.do(line)
            if line.startswith("conformance keygen"):
                _list_keys(found)
    return found


def _list_keys(told: Told) -> None:
    """The key list, of the entries that keygen has printed, filled in."""
    entries = ["[[key]]" + said.partition("[[key]]")[2] for line, said in told.said.items() if "keygen" in line]
    filled = zip(entries, ("Acme", "The Body"), ("vendor", "certifier"), strict=False)
    text = "\n".join(
        entry.replace("whose key it is", owner).replace('"vendor"', f'"{role}"') for entry, owner, role in filled
    )
    (told.folder / "keys.toml").write_text(text, encoding="utf-8")


def _hand_in(folder: Path) -> None:
    """The submission, of what was certified."""
    there = folder / SUBMISSION
    there.mkdir(parents=True)
    shutil.copytree(folder / "challenged", there / "bundle")
    shutil.copy(folder / "acme.toml", there / "target.toml")
    line = next(line for line in COMMANDS if "certify" in line and "--challenge" in line)
    (there / "README.md").write_text(f"# Acme\n\n## How to reproduce it\n\n    {line}\n", encoding="utf-8")


class TestStory:
    """The commands, in order."""

    def test_every_command_does_what_it_should(self, told: Told) -> None:
        expected = {line: EXITS.get(line.split()[1], 0) for line in told.codes}
        assert told.codes == expected
        assert {*told.codes, *NOT_RUN} == set(COMMANDS)

    def test_nobody_is_left_unverified(self, told: Told) -> None:
        """With a key list the signatures of the others are verified."""
        assert not [line for line, said in told.said.items() if "was not verified" in said]

    def test_the_certificate_is_of_artifact_target_and_challenge(self, told: Told) -> None:
        said = told.statement(bundle.CERTIFICATE)
        assert said["subject"] == [
            {"name": "Acme Vision 1.4.2", "digest": {"sha256": sha256(b"what is shipped").hexdigest()}}
        ]
        revealed = (told.folder / "revealed.json").read_bytes()
        assert said["predicate"]["seed"] == seed_of(revealed)
        number = bytes.fromhex(envelope.read(revealed, REVEAL).statement["seed"])
        pledged = sha256((told.folder / "pledge.json").read_bytes()).digest()
        assert seed_of(revealed) == sha256(number + pledged).hexdigest()
        assert list(statements.complaints(said)) == []

    def test_the_bundle_holds_what_the_document_lists(self, told: Told) -> None:
        (table,) = re.findall(r"## What is in a bundle\n\n(.*?)\n\n", DOCUMENT, re.DOTALL)
        listed = set(re.findall(r"`([^`]+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:])))
        names = set(Bundle(told.folder / SUBMISSION / "bundle").files())
        found = {re.sub(r"^(marked|runs/[123])/.*", r"\1", name) for name in names}
        assert found - {"runs/2"} == listed

    def test_the_verifier_says_what_it_does_not_prove(self, told: Told) -> None:
        said = told.answer("verify challenged")
        assert said.startswith("verified: Acme Vision 1.4.2 fulfils full-1\n")
        assert "nobody vouches" not in said
        assert "no challenge" not in said

    def test_the_submission_is_accepted(self, told: Told) -> None:
        said = told.answer("submit-check")
        assert said.startswith("**accepted**\n")
        assert "✗" not in said
        assert "| ✓ | names | `Acme Vision 1.4.2 of acme, signed by Acme (vendor)` |" in said

    def test_the_page_is_what_anybody_can_draw(self, told: Told) -> None:
        shown = (told.folder / SUBMISSION / "bundle" / bundle.PAGE).read_text(encoding="utf-8")
        key = told.answer("keygen --out vendor.pem").split()[1]
        assert shown == page.certificate(told.statement(bundle.CERTIFICATE), key)

    def test_a_countersignature_is_found_and_told(self, told: Told) -> None:
        keys = load_keys(told.folder / "keys.toml")
        found = Inspection(Bundle(told.folder / SUBMISSION / "bundle"), keys, datetime.now(UTC))
        paper.signature(found)
        paper.countersignature(found)
        assert found.countersigned == f"countersigned by The Body on {datetime.now(UTC):%Y-%m-%d}"

    @pytest.mark.parametrize(
        ("key", "said"),
        [("vendor.pem", "is a vendor's, and this is for a certifier to sign"), ("other.pem", "this key is not in")],
    )
    def test_only_a_listed_certifier_countersigns(
        self, told: Told, capsys: pytest.CaptureFixture[str], key: str, said: str
    ) -> None:
        """Or the bundle would be worth less than before."""
        if key == "other.pem":
            assert cli.main(["keygen", "--out", str(told.folder / key)]) == 0
        folder, keys = told.folder / SUBMISSION / "bundle", told.folder / "keys.toml"
        before = (folder / bundle.SUMMARY).read_bytes()
        assert cli.main(["countersign", str(folder), "--keys", str(keys), "--key", str(told.folder / key)]) == 2
        assert said in capsys.readouterr().err
        assert (folder / bundle.SUMMARY).read_bytes() == before

    def test_nobody_countersigns_what_it_has_signed(
        self, told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nobody else would have looked at it."""
        own = told.answer("keygen --out certifier.pem").split()[1]
        monkeypatch.setattr(certifying, "_verified", lambda _: Verified({}, own))
        folder, keys, key = (str(told.folder / name) for name in (SUBMISSION / "bundle", "keys.toml", "certifier.pem"))
        assert cli.main(["countersign", folder, "--keys", keys, "--key", key]) == 2
        assert "it is for another to countersign" in capsys.readouterr().err


class TestOpenSSL:
    """Without a line of ours."""

    @pytest.fixture
    def copy(self, told: Told, tmp_path: Path) -> Path:
        """A place with the bundle in it."""
        if not shutil.which("openssl"):
            pytest.skip("there is no OpenSSL here")
        shutil.copytree(told.folder / SUBMISSION / "bundle", tmp_path / "bundle")
        return tmp_path

    def by_hand(self, folder: Path, shell: str = "sh") -> str:
        done = subprocess.run([shell], input=RECIPE, cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def test_the_commands_are_those_of_the_tested_recipe(self) -> None:
        assert BY_HAND.replace("acme.pub", "key.pub") in RECIPE

    @pytest.mark.parametrize("shell", ["sh", "bash"])
    def test_signature_key_and_digests_fit(self, told: Told, copy: Path, shell: str) -> None:
        if not shutil.which(shell):
            pytest.skip(f"there is no {shell} here")
        said = self.by_hand(copy, shell)
        assert "Signature Verified Successfully" in said
        assert told.answer("keygen --out vendor.pem").split()[1] in said
        assert said.endswith("every digest fits\n")
        digests = (copy / "by-hand" / "digests.txt").read_text(encoding="ascii").splitlines()
        files = told.statement(bundle.CERTIFICATE)["predicate"]["files"]
        assert sorted(digests) == sorted(f"{digest}  {name}" for name, digest in files.items())

    def test_another_payload_is_told(self, copy: Path) -> None:
        file = copy / "bundle" / bundle.CERTIFICATE
        file.write_bytes(file.read_bytes().replace(b'"payload":"eyJ', b'"payload":"eyI', 1))
        assert "Signature Verification Failure" in self.by_hand(copy)

    def test_another_file_is_told(self, copy: Path) -> None:
        file = copy / "bundle" / "runs" / "2" / "evidence.jsonl"
        file.write_bytes(file.read_bytes() + b"\n")
        said = self.by_hand(copy)
        assert "runs/2/evidence.jsonl: FAILED" in said
        assert "every digest fits" not in said

    def test_another_key_is_told(self, told: Told, copy: Path) -> None:
        shutil.copy(told.folder / "certifier.pub", copy / "bundle" / bundle.KEY)
        assert "Signature Verification Failure" in self.by_hand(copy)


class TestThirdParties:
    """What was signed, as the parsers of in-toto read it."""

    @pytest.mark.parametrize("name", [bundle.CERTIFICATE, bundle.TEST_RESULT, bundle.SUMMARY])
    def test_every_statement_is_one(self, told: Told, name: str) -> None:
        read = json_format.ParseDict(told.statement(name), StatementMessage())
        Statement.copy_from_pb(read).validate()
        assert dict(read.subject[0].digest) == told.statement(name)["subject"][0]["digest"]

    def test_the_test_result_is_one(self, told: Told) -> None:
        said = told.statement(bundle.TEST_RESULT)
        assert said["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
        read = json_format.ParseDict(said["predicate"], Result())
        outcomes = told.statement(bundle.CERTIFICATE)["predicate"]["outcomes"]
        assert list(read.passed_tests) == sorted(name for name, each in outcomes.items() if each == "passed")
        assert (read.result, list(read.failed_tests)) == ("PASSED", [])
        assert all(each.digest["sha256"] and each.name for each in read.configuration)

    def test_the_summary_is_one(self, told: Told) -> None:
        """All that SLSA demands of a verification summary v1, and no value of a kind that is SLSA's own."""
        said = told.statement(bundle.SUMMARY)
        assert said["predicateType"] == "https://slsa.dev/verification_summary/v1"
        known = said["predicate"] | {"verifier": {"id": said["predicate"]["verifier"]["id"]}}
        assert known.pop("verifiedLevels") == ["full-1"]  # a list by the specification, and one text to this parser
        read = json_format.ParseDict(known, VerificationSummary())
        assert set(said["predicate"]["verifier"]) == {"id", "version"}
        assert read.verification_result == "PASSED"
        assert abs(read.time_verified.ToDatetime(UTC) - datetime.now(UTC)).total_seconds() < 3600
        certificate = (told.folder / SUBMISSION / "bundle" / bundle.CERTIFICATE).read_bytes()
        (input_,) = read.input_attestations
        assert dict(input_.digest) == {"sha256": sha256(certificate).hexdigest()}
        uris = (read.verifier.id, read.policy.uri, input_.uri, read.resource_uri)
        assert [uri for uri in uris if not re.fullmatch(r"(urn|https?):[!-~]+", uri)] == []
        assert dict(read.policy.digest) == {
            "sha256": sha256((told.folder / "challenged" / bundle.REQUIREMENTS).read_bytes()).hexdigest()
        }


def test_every_reason_is_in_the_document() -> None:
    """Word, exit code and meaning, in order."""
    (table,) = re.findall(r"<!-- reasons -->\n\n(.*?)\n\n", DOCUMENT, re.DOTALL)
    header = ["| exit code | reason | |", "| ---: | --- | --- |"]
    assert table.splitlines() == [*header, *(f"| {each.code} | `{each.word}` | {each.meaning} |" for each in Reason)]


def test_reasons_are_told_apart() -> None:
    assert len({each.word for each in Reason}) == len({each.code for each in Reason}) == len(Reason)
    assert [each.code for each in Reason] == list(range(10, 10 + len(Reason)))
    assert all(len(each.meaning) < 90 and not each.meaning.endswith(".") for each in Reason)


def test_what_was_refused_is_not_signed(tmp_path: Path) -> None:
    from conformance.certification.certify import Attempt

    with pytest.raises(ValueError, match="cannot be signed"):
        issue.issue(None, Attempt(refusals=["no"]), tmp_path, None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
