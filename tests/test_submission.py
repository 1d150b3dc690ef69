"""What a vendor hands in: every fault of it is named, and nothing that a vendor wrote is alive in the table."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from certificates import NASTY, statement
from markdown_it import MarkdownIt
from signing_keys import CERTIFIER, KEYS, STRANGER, VENDOR, key_list, listed

from conformance.certification import bundle, envelope, page, requirements, submission
from conformance.certification.identity import digest_of
from conformance.certification.keys import Role
from conformance.certification.submission import Check, checked, table
from conformance.certification.verify import Verified
from conformance.cli import main
from conformance.evidence.rejudge import described
from conformance.target import load

NOW = datetime(2026, 11, 24, tzinfo=UTC)
README = "# Acme Vision\n\n## How to reproduce it\n\n`conformance certify --target target.toml --requirements full-1`\n"
TARGET = """\
[target]
name = "Acme Vision"
version = "1.4.2"
url = "https://vision.acme.example"

[scenes]
segmentation = false

[scenes.classification]
project = "bottles"
version = "3"
image = {width = 64, height = 64}

[states.stopped]
enter = {url = "http://127.0.0.1:1/stop"}
leave = {url = "http://127.0.0.1:1/start"}
"""
Edit = Callable[[Path], object]


def pipe(at: Path) -> None:
    """Whoever opens the README waits for ever."""
    (at / "README.md").unlink()
    os.mkfifo(at / "README.md")


class Submitted:
    """A submission whose bundle is taken as verified."""

    def __init__(self, at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = at / "reports" / "acme" / "1.4.2"
        self.bundle = self.folder / "bundle"
        self.bundle.mkdir(parents=True)
        (self.folder / "README.md").write_text(README, encoding="utf-8")
        (self.folder / "target.toml").write_text(TARGET, encoding="utf-8")
        self.statement = statement()
        self.statement["predicate"]["target"] |= {
            "file": sha256(TARGET.encode()).hexdigest(),
            "declared": digest_of(described(load(self.folder / "target.toml"))),
        }
        self.stamps: tuple[str, ...] = ("no challenge: the seed is the vendor's own",)
        self.signer = VENDOR
        self.keys = KEYS
        self.draw()
        monkeypatch.setattr(submission, "verify", lambda *_: Verified(self.statement, self.signer.id, self.stamps))

    def draw(self) -> None:
        (self.bundle / bundle.PAGE).write_text(page.certificate(self.statement, self.signer.id), encoding="utf-8")
        (self.bundle / bundle.BADGE).write_text(page.badge(self.statement), encoding="utf-8")

    def checked(self) -> list[Check]:
        return checked(self.folder, self.keys, NOW)

    def fault(self) -> Check:
        """The one that does not hold."""
        (found,) = (each for each in self.checked() if not each.holds)
        return found


@pytest.fixture
def submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return Submitted(tmp_path, monkeypatch)


class TestWhatIsLookedAt:
    """Layout, README, names, target file, pictures."""

    def test_a_good_one_is_accepted(self, submitted: Submitted) -> None:
        found = submitted.checked()
        assert [each.what for each in found] == [
            "layout",
            "reproduction",
            "bundle",
            "names",
            "target file",
            "pictures",
            "note",
        ]
        assert all(each.holds for each in found)
        assert table(found).startswith("**accepted**\n")

    @pytest.mark.parametrize(
        ("edit", "what", "said"),
        {
            "no README": (lambda at: (at / "README.md").unlink(), "layout", "and there is bundle, target.toml"),
            "a stray file": (lambda at: (at / "run.sh").touch(), "layout", "run.sh"),
            "a link": (
                lambda at: [(at / "README.md").unlink(), (at / "README.md").symlink_to("/dev/zero")],
                "layout",
                "README.md is no plain file",
            ),
            "a pipe": (
                pipe,
                "layout",
                "README.md is no plain file",
            ),
            "a bundle elsewhere": (
                lambda at: (at / "bundle").rename(at.parent / "b") and (at / "bundle").symlink_to(at.parent / "b"),
                "layout",
                "bundle is no plain folder",
            ),
            "no heading": (
                lambda at: (at / "README.md").write_text("conformance certify, reproducible"),
                "reproduction",
                "needs a section",
            ),
            "no command": (
                lambda at: (at / "README.md").write_text("# How to reproduce it\n\nAsk us."),
                "reproduction",
                "needs a section",
            ),
            "no UTF-8": (lambda at: (at / "README.md").write_bytes(b"\xff"), "reproduction", "cannot be read"),
            "no end": (
                lambda at: (at / "README.md").write_text(README + " " * (1 << 20)),
                "reproduction",
                "larger than 1048576 bytes",
            ),
            "no TOML": (lambda at: (at / "target.toml").write_text("="), "target file", "cannot be read as TOML"),
            "a byte more": (
                lambda at: (at / "target.toml").write_text(TARGET + "\n"),
                "target file",
                "not the one that was certified",
            ),
            "another page": (
                lambda at: (at / "bundle" / bundle.PAGE).write_text("<script>alert(1)</script>"),
                "pictures",
                f"{bundle.PAGE} is not a picture of the certificate",
            ),
            "another badge": (
                lambda at: (at / "bundle" / bundle.BADGE).write_text("<svg onload='alert(1)'/>"),
                "pictures",
                f"{bundle.BADGE} is not",
            ),
        }.values(),
    )
    def test_a_fault_is_named(self, submitted: Submitted, edit: Edit, what: str, said: str) -> None:
        edit(submitted.folder)
        found = submitted.fault()
        assert found.what == what
        assert said in found.said
        assert table([found]).startswith("**not accepted**\n")

    def test_no_pictures_are_none_that_lie(self, submitted: Submitted) -> None:
        for name in (bundle.PAGE, bundle.BADGE):
            (submitted.bundle / name).unlink()
        assert all(each.holds for each in submitted.checked())

    @pytest.mark.parametrize("place", ["acme/1.4.2", "submissions/acme/1.4.2", "reports/acme", "reports/a b/1.4.2"])
    def test_it_lies_where_it_should(self, submitted: Submitted, tmp_path: Path, place: str) -> None:
        there = tmp_path / "elsewhere" / place
        there.parent.mkdir(parents=True)
        submitted.folder.rename(there)
        (found,) = checked(there, KEYS, NOW)
        assert (found.what, found.holds) == ("layout", False)
        assert "reports/VENDOR/VERSION" in found.said

    def test_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        (found,) = checked(tmp_path / "reports" / "acme" / "1.4.2", KEYS, NOW)
        assert found.said.endswith("and there is nothing")


class TestNames:
    """Vendor and version are those of key and certificate."""

    def test_the_version_is_that_of_the_folder(self, submitted: Submitted) -> None:
        submitted.folder = submitted.folder.rename(submitted.folder.with_name("1.4.3"))
        assert submitted.fault() == Check(
            "names", False, "the folder is named 1.4.3, and the target's version is 1.4.2"
        )

    @pytest.mark.parametrize(
        ("owner", "fits"),
        {"Acme": True, "ACME": True, "  acme!": True, "Acme GmbH": False, "Acm": False, "アクメ": False}.items(),
    )
    def test_the_vendor_is_the_owner_of_the_key(self, submitted: Submitted, owner: str, fits: bool) -> None:
        submitted.keys = key_list(replace(listed(VENDOR, Role.VENDOR), owner=owner))
        found = next(each for each in submitted.checked() if each.what == "names")
        assert found.holds is fits
        assert owner in found.said

    def test_a_certifier_signs_for_anybody(self, submitted: Submitted) -> None:
        submitted.signer = CERTIFIER
        submitted.keys = key_list(replace(listed(CERTIFIER), owner="The Body"))
        submitted.draw()
        (found,) = (each for each in submitted.checked() if each.what == "names")
        assert found == Check("names", True, "Acme Vision 1.4.2 of acme, signed by The Body (certifier)")


class TestTargetFile:
    """It declares what the runs were told, and leads the bot nowhere."""

    def certify(self, submitted: Submitted, text: str, **said: Any) -> None:
        (submitted.folder / "target.toml").write_text(text, encoding="utf-8")
        submitted.statement["predicate"]["target"] |= {"file": sha256(text.encode()).hexdigest(), **said}
        submitted.draw()

    @pytest.mark.parametrize(
        ("old", "new"), [("bottles", "boards"), ('"1.4.2"', '"1.4.3"'), ("64}", "65}"), ("segmentation = false", "")]
    )
    def test_one_that_declares_something_else(self, submitted: Submitted, old: str, new: str) -> None:
        self.certify(submitted, TARGET.replace(old, new, 1))
        assert submitted.fault().said == "target.toml declares something else than the runs were made with"

    def test_one_that_is_none_by_its_schema(self, submitted: Submitted) -> None:
        self.certify(submitted, TARGET + '[scenes.nowhere]\nproject = "a"\n')
        assert submitted.fault().said.startswith("target.toml: scenes.nowhere")

    def test_files_that_it_names_are_not_looked_for(self, submitted: Submitted) -> None:
        named = TARGET.replace("url =", 'ca = "/etc/no-such-authority"\nurl =', 1).replace(
            "image = {width = 64, height = 64}", 'samples = "/**/*.jpg"'
        )
        self.certify(submitted, named, photographs=True)
        assert [each for each in submitted.checked() if not each.holds] == []

    def test_photographs_leave_names_to_compare(self, submitted: Submitted) -> None:
        self.certify(submitted, TARGET.replace("vision.acme", "other.acme"), photographs=True)
        assert submitted.fault().what == "target file"


def test_a_newer_set_is_noted(submitted: Submitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no fault."""
    newest = replace(requirements.load("full-1"), number=2)
    monkeypatch.setattr(requirements, "find", lambda name: newest if name == "full" else None)
    found = submitted.checked()
    assert found[-1] == Check("note", True, "superseded: full-2 has been released since full-1")
    assert all(each.holds for each in found)


class TestTable:
    """As a third party's parser reads it."""

    @pytest.mark.parametrize(
        "text",
        [
            NASTY,
            "a | b | c",
            "\\| x |",
            "\\",
            "``` ` `` \\`",
            "[a](https://evil.example) ![b](c) <img src=x> https://evil.example @somebody #12 **b**",
            "line\nline\r\n\n| a | b |\n# heading",
            "&lt;script&gt; &#124;",
            "\u2028\u202e\x00",
            "x" * 10_000,
        ],
    )
    def test_what_was_said_is_one_code_span(self, text: str) -> None:
        parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
        tokens = parser.parse(table([Check("names", False, text), Check("note", True, text)]))
        cells = [token for token in tokens if token.type == "inline"]
        assert [cell.content for cell in cells[:4]] == ["**not accepted**", "", "Check", ""]
        assert [cell.content for cell in cells[4:]][0::3] == ["✗", "·"]
        for cell in cells[6::3]:
            assert cell.children is not None
            (span,) = cell.children
            assert span.type == "code_inline"
            assert span.content.isascii()
            assert len(span.content) < 4000
        assert len([token for token in tokens if token.type == "tr_open"]) == 3
        assert not [token for token in tokens if token.type in ("html_block", "heading_open", "fence")]


class TestBundle:
    """With the real verifier."""

    def test_an_unknown_key_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        submitted = Submitted(tmp_path, monkeypatch)
        monkeypatch.undo()
        (submitted.bundle / bundle.CERTIFICATE).write_bytes(envelope.sign(statement(), STRANGER))
        found = submitted.fault()
        assert found.what == "bundle"
        assert found.said.startswith("unknown-key: certificate.json: it is signed with a key that is not known")

    def test_no_certificate_is_unreadable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        submitted = Submitted(tmp_path, monkeypatch)
        monkeypatch.undo()
        assert submitted.fault().said.startswith("unreadable: certificate.json cannot be read")

    def test_the_command_prints_the_table_and_exits_1(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        submitted = Submitted(tmp_path, monkeypatch)
        monkeypatch.undo()
        keys = tmp_path / "keys.toml"
        assert main(["keygen", "--out", str(tmp_path / "a.pem")]) == 0
        keys.write_text(capsys.readouterr().out.partition("[[key]]")[2].join(["[[key]]", ""]), encoding="utf-8")
        assert main(["submit-check", str(submitted.folder), "--keys", str(keys)]) == 1
        assert capsys.readouterr().out.startswith("**not accepted**\n\n| | Check | |\n|---|---|---|\n| ✓ | layout |")
