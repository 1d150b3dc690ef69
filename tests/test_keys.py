"""Keys: made and kept so that nobody else gets at them, named as OpenSSL would, listed by whoever believes them."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import stat
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator
from signing_keys import CERTIFIER, SINCE, UNTIL, VENDOR, listed

from conformance.certification import ed25519, shapes
from conformance.certification.ed25519 import generate, key_id, load_signing_key, pem, public_key
from conformance.certification.keys import Role, draft, load_keys
from conformance.cli import main
from conformance.mistake import OperatorMistake

PASSPHRASE = "correct horse battery staple"  # noqa: S105  (of keys that are thrown away)
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="there is no OpenSSL here")


def openssl(*words: str | Path, secret: str = "") -> bytes:
    done = subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, check=False, env=os.environ | {"P": secret}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secrets_of(path: Path) -> list[str]:
    """What must not be seen of a private key: its PEM body, and its bytes in hexadecimal."""
    body = "".join(path.read_text(encoding="ascii").splitlines()[1:-1])
    key = load_signing_key(path)
    return [body, body[-40:], key._private.private_bytes_raw().hex()]


class TestFiles:
    """The files of a key pair."""

    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
    def test_only_its_owner_may_read_a_private_key(self, tmp_path: Path, mask: int) -> None:
        before = os.umask(mask)
        try:
            generate(tmp_path / "k.pem")
        finally:
            os.umask(before)
        assert mode(tmp_path / "k.pem") == 0o600
        assert mode(tmp_path / "k.pub") == 0o644 & ~mask

    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        made = generate(tmp_path / "k.pem")
        found = load_signing_key(tmp_path / "k.pem")
        assert found.id == made.id
        assert public_key((tmp_path / "k.pub").read_text(encoding="ascii")) == made.public
        assert ed25519.verifies(made.public, found.sign(b"a"), b"a")
        assert not ed25519.verifies(made.public, found.sign(b"a"), b"b")

    def test_no_two_keys_are_the_same(self, tmp_path: Path) -> None:
        assert generate(tmp_path / "a.pem").id != generate(tmp_path / "b.pem").id

    @pytest.mark.parametrize("there", ["k.pem", "k.pub"])
    def test_nothing_is_overwritten(self, tmp_path: Path, there: str) -> None:
        (tmp_path / there).write_text("mine", encoding="ascii")
        with pytest.raises(OperatorMistake, match=r"there is such a file already"):
            generate(tmp_path / "k.pem")
        assert [path.name for path in tmp_path.iterdir()] == [there]
        assert (tmp_path / there).read_text(encoding="ascii") == "mine"

    def test_no_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "k.pem").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OperatorMistake, match=r"there is such a file already"):
            generate(tmp_path / "k.pem")
        assert not (tmp_path / "elsewhere").exists()

    def test_no_private_key_takes_the_place_of_the_public_one(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match="name the private one otherwise"):
            generate(tmp_path / "k.pub")

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o610, 0o777])
    def test_a_private_key_that_is_open_to_others_is_refused(self, tmp_path: Path, bits: int) -> None:
        generate(tmp_path / "k.pem")
        (tmp_path / "k.pem").chmod(bits)
        with pytest.raises(OperatorMistake, match="others may open this private key; chmod 600 it"):
            load_signing_key(tmp_path / "k.pem")

    def test_a_passphrase_locks_it(self, tmp_path: Path) -> None:
        path = tmp_path / "k.pem"
        made = generate(path, PASSPHRASE.encode())
        assert path.read_text(encoding="ascii").startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert load_signing_key(path, PASSPHRASE.encode()).id == made.id
        with pytest.raises(OperatorMistake, match="it needs a passphrase"):
            load_signing_key(path)
        with pytest.raises(OperatorMistake, match="this is not its passphrase"):
            load_signing_key(path, b"another passphrase")
        generate(tmp_path / "open.pem")
        with pytest.raises(OperatorMistake, match="not locked with a passphrase"):
            load_signing_key(tmp_path / "open.pem", PASSPHRASE.encode())

    def test_a_short_passphrase_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match="shorter than 16 bytes"):
            generate(tmp_path / "k.pem", b"123456789012345")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 99, b"-" * 70_000, pem(VENDOR.public).encode()])
    def test_what_is_no_private_key_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "k.pem"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(OperatorMistake, match=re.escape(f"{path}: ")):
            load_signing_key(path)

    def test_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorMistake, match="there is no such private key"):
            load_signing_key(tmp_path / "k.pem")
        with pytest.raises(OperatorMistake, match="cannot be written"):
            generate(tmp_path / "nowhere" / "k.pem")
        with pytest.raises(OperatorMistake, match="this key list cannot be read"):
            load_keys(tmp_path)


@needs_openssl
class TestOpenSSL:
    """Keys go to and fro between OpenSSL and us."""

    def test_it_computes_the_same_id(self, tmp_path: Path) -> None:
        made = generate(tmp_path / "k.pem")
        (tmp_path / "k.der").write_bytes(openssl("pkey", "-pubin", "-in", tmp_path / "k.pub", "-outform", "DER"))
        assert openssl("dgst", "-sha256", "-r", tmp_path / "k.der").decode().startswith(f"{made.id} ")

    def test_it_reads_our_keys(self, tmp_path: Path) -> None:
        generate(tmp_path / "open.pem")
        generate(tmp_path / "locked.pem", PASSPHRASE.encode())
        for name, words in {"open": (), "locked": ("-passin", "env:P")}.items():
            found = openssl("pkey", "-in", tmp_path / f"{name}.pem", "-pubout", *words, secret=PASSPHRASE)
            assert found == (tmp_path / f"{name}.pub").read_bytes()

    @pytest.mark.parametrize("locked", [(), ("-aes256", "-pass", "env:P")])
    def test_we_read_its_keys(self, tmp_path: Path, locked: tuple[str, ...]) -> None:
        path = tmp_path / "k.pem"
        openssl("genpkey", "-algorithm", "ed25519", *locked, "-out", path, secret=PASSPHRASE)
        path.chmod(0o600)
        found = load_signing_key(path, PASSPHRASE.encode() if locked else None)
        public = openssl("pkey", "-in", path, "-passin", "env:P", "-pubout", secret=PASSPHRASE)
        assert public.decode() == pem(found.public)

    def test_keys_of_another_kind_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "k.pem"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        path.chmod(0o600)
        with pytest.raises(OperatorMistake, match="this is no Ed25519 key"):
            load_signing_key(path)
        with pytest.raises(ValueError, match="this is no Ed25519 key"):
            public_key(openssl("pkey", "-in", path, "-pubout").decode())


class TestSecrecy:
    """A private key is not to be seen."""

    def test_a_signing_key_shows_its_id_alone(self) -> None:
        assert repr(VENDOR) == str(VENDOR) == f"{VENDOR}" == f"SigningKey({VENDOR.id})"
        assert "02" * 8 not in repr(vars(VENDOR))
        with pytest.raises(TypeError):
            pickle.dumps(VENDOR)

    def test_the_command_shows_no_private_key(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "k.pem"
        assert main(["keygen", "--out", str(path)]) == 0
        said = "".join(capfd.readouterr())
        assert key_id(load_signing_key(path).public) in said
        assert not [each for each in secrets_of(path) if each in said]

    def test_the_passphrase_comes_from_the_environment(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACME_PASSPHRASE", PASSPHRASE)
        words = ["keygen", "--out", str(tmp_path / "k.pem"), "--passphrase-env"]
        assert main([*words, "ACME_PASSPHRASES"]) == 2
        assert "the environment variable ACME_PASSPHRASES is not set" in capfd.readouterr().err
        assert main([*words, "ACME_PASSPHRASE"]) == 0
        assert PASSPHRASE not in "".join(capfd.readouterr())
        assert load_signing_key(tmp_path / "k.pem", PASSPHRASE.encode())

    def test_no_complaint_shows_what_was_put_into_the_wrong_place(self, tmp_path: Path) -> None:
        """A private key in a key list is refused without being quoted, wherever it stands."""
        generate(tmp_path / "k.pem")
        text = (tmp_path / "k.pem").read_text(encoding="ascii")
        for name in ("id", "public", "owner", "role", "from"):
            path = tmp_path / f"{name}.toml"
            entry = re.sub(rf'^{name} = ("""[^"]*"""|[^\n]*)', f'{name} = """{text}"""', ENTRY, flags=re.MULTILINE)
            assert text in entry
            path.write_text(entry, encoding="utf-8")
            with pytest.raises(OperatorMistake) as caught:
                load_keys(path)
            assert not [each for each in secrets_of(tmp_path / "k.pem") if each in str(caught.value)]


ENTRY = draft(VENDOR.public, date(2026, 3, 1)) + "\n"
REVOKED = '[key.revoked]\non = 2026-06-01\nreason = "the notebook was lost"\n'


def complaint(folder: Path, text: str | bytes) -> str:
    path = folder / "keys.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(OperatorMistake) as caught:
        load_keys(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


class TestLists:
    """Key lists: what is right in them, and what is not."""

    def test_what_keygen_prints_is_an_entry(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["keygen", "--out", str(tmp_path / "k.pem")]) == 0
        text = capfd.readouterr().out
        (tmp_path / "keys.toml").write_text(text[text.index("[[key]]") :], encoding="utf-8")
        (found,) = load_keys(tmp_path / "keys.toml").values()
        assert found.id == load_signing_key(tmp_path / "k.pem").id
        assert found.role is Role.VENDOR

    def test_every_key_is_found_by_its_id(self, tmp_path: Path) -> None:
        other = draft(CERTIFIER.public, date(2026, 3, 1), Role.CERTIFIER)
        (tmp_path / "keys.toml").write_text(f"{ENTRY}{REVOKED}\n{other}", encoding="utf-8")
        found = load_keys(tmp_path / "keys.toml")
        assert list(found) == [VENDOR.id, CERTIFIER.id]
        assert found[VENDOR.id].revoked == "the notebook was lost (2026-06-01)"
        assert (found[CERTIFIER.id].role, found[CERTIFIER.id].revoked) == (Role.CERTIFIER, "")
        assert (found[CERTIFIER.id].since, found[CERTIFIER.id].until) == (date(2026, 3, 1), date(2028, 2, 29))

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("[[key]]", "[[keys]]", "there is no such key: keys; did you mean 'key'?"),
            ("[[key]]", "[key]", "key: this is no array"),
            ("role = ", "rolle = ", "key 1: there is no such key: rolle; did you mean 'role'?"),
            ('owner = "whose key it is"\n', "", "key 1: owner is missing"),
            ("whose key it is", "", "key 1 owner: this is not of the form "),
            ("whose key it is", r"\u001b[2J", "key 1 owner: this is not of the form "),
            ('"vendor"', '"customer"', "key 1 role: this is none of ['vendor', 'certifier']"),
            (VENDOR.id, CERTIFIER.id, "key 1: id: this is not the id of its public key, which is " + VENDOR.id),
            (VENDOR.id, VENDOR.id.upper(), "key 1 id: this is not of the form ^[0-9a-f]{64}$"),
            (VENDOR.id, VENDOR.id + r"\n", "key 1 id: this is longer than 64 characters"),
            (
                "PUBLIC KEY",
                "PRIVATE KEY",
                "key 1: public: this is a private key: take it out, and do not use it any more",
            ),
            ("PUBLIC KEY", "KEY", "key 1: public: this is no public key in PEM"),
            ("-----BEGIN", "hello\n-----BEGIN", "key 1: public: there is more in it than one public key"),
            ("from = 2026-03-01", "from = 2026-02-30", "this cannot be read as TOML: "),
            ("from = 2026-03-01", 'from = "2026-02-30"', "key 1: from: there is no such day"),
            ("from = 2026-03-01", "from = 2026-03-01T10:00:00Z", "key 1 from: this is no string"),
            ("from = 2026-03-01", "from = 2036-03-01", "key 1: until: 2028-02-29 is before 2036-03-01, its first day"),
            ("until = 2028-02-29", "until = 3028-02-29", "key 1 until: this is not of the form "),
            ("from = ", "revoked = true\nfrom = ", "key 1 revoked: this is no object"),
            ("from = ", "revoked = {on = 2026-06-01}\nfrom = ", "key 1 revoked: reason is missing"),
            ("from = ", 'revoked = {on = "2026-06-31", reason = "lost"}\nfrom = ', "key 1: on: there is no such day"),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path: Path, old: str, new: str, expected: str) -> None:
        assert old in ENTRY
        assert complaint(tmp_path, ENTRY.replace(old, new)).startswith(expected)

    def test_files_that_are_no_key_lists_are_refused(self, tmp_path: Path) -> None:
        assert complaint(tmp_path, "") == "key is missing"
        assert complaint(tmp_path, "key = []") == "key: there are fewer than 1"
        assert complaint(tmp_path, b"\xff") == "this key list is not UTF-8"
        assert complaint(tmp_path, "#" * 5_000_000) == "this key list is larger than 4194304 bytes"
        assert complaint(tmp_path, "a = " + "[" * 100_000).startswith("this cannot be read as TOML: ")
        assert complaint(tmp_path, ENTRY * 2) == "key 2: id: this key is listed already"
        with pytest.raises(OperatorMistake, match="there is no such key list"):
            load_keys(tmp_path / "none.toml")

    def test_a_key_counts_from_its_first_day_to_its_last_in_its_role(self) -> None:
        key = listed(CERTIFIER)
        assert [key.objection(Role.CERTIFIER, day) for day in (SINCE, UNTIL)] == ["", ""]
        assert "is not in force before 2026-01-01" in key.objection(Role.CERTIFIER, date(2025, 12, 31))
        assert "is not in force after 2026-12-31" in key.objection(Role.CERTIFIER, date(2027, 1, 1))
        assert "is a certifier's, and this is for a vendor" in key.objection(Role.VENDOR, SINCE)
        assert "is revoked: lost" in listed(CERTIFIER, revoked="lost").objection(Role.CERTIFIER, SINCE)

    @pytest.mark.parametrize("raw", sorted(ed25519._WEAK), ids=lambda raw: raw.hex()[:8])
    @pytest.mark.parametrize("sign", [0, 0x80])
    def test_keys_with_which_anybody_could_sign_are_refused(self, raw: bytes, sign: int) -> None:
        """They are weak indeed: a signature that nobody made fits one of a few hundred messages."""
        key = Ed25519PublicKey.from_public_bytes(raw[:31] + bytes([raw[31] | sign]))
        nothing = [bytes([1]) + bytes(63), bytes([1]) + bytes(30) + b"\x80" + bytes(32)]
        fits = any(ed25519.verifies(key, each, b"%d" % number) for number in range(300) for each in nothing)
        assert fits
        with pytest.raises(ValueError, match="of small order"):
            public_key(pem(key))

    @pytest.mark.parametrize("name", ["keys.schema.json", "challenge.schema.json"])
    def test_the_schemas_are_schemas(self, name: str) -> None:
        Draft202012Validator.check_schema(shapes._schema(name, ""))

    def test_the_entry_is_toml_as_the_schema_wants_it(self) -> None:
        plain = shapes.with_dates_as_words(tomllib.loads(ENTRY + REVOKED))
        assert list(shapes.complaints(plain, "keys.schema.json")) == []
