"""Signed envelopes: others can verify them, we can verify others', and nothing else passes for one."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # exported by __init__ alone
from signing_keys import CERTIFIER, KEYS, STRANGER, VENDOR, key_list, listed

from conformance.certification import envelope
from conformance.certification.ed25519 import SigningKey, pem
from conformance.certification.envelope import IN_TOTO, Reason, Unopened, canonical, opened, pae, sign

LAWS = settings(deadline=None, derandomize=True, max_examples=300)
STATEMENT: Mapping[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "ä", "digest": {"sha256": "0" * 64}}],
    "predicate": {"share": 0.25, "passed": True, "note": None, "runs": [1, 2, 3]},
}
SIGNED = sign(STATEMENT, VENDOR)

BY_HAND = """\
type=application/vnd.in-toto+json
sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' certificate.json | base64 -d > payload.json
sed 's/.*"sig":"\\([^"]*\\)".*/\\1/' certificate.json | base64 -d > signature.bin
{ printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(wc -c < payload.json)"; cat payload.json; } > pae.bin
openssl pkeyutl -verify -rawin -pubin -inkey acme.pub -in pae.bin -sigfile signature.bin
openssl pkey -pubin -in acme.pub -outform DER | openssl dgst -sha256
"""
"""How to verify a certificate without a line of ours; docs/certification.md shows the same."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def resigned(payload: bytes, key: SigningKey = VENDOR, kind: str = IN_TOTO) -> bytes:
    """An envelope with exactly these bytes as payload, truly signed."""
    return assembled(payload, kind, {key.id: key.sign(pae(kind, payload))})


def assembled(payload: bytes, kind: str, signatures: Mapping[str, bytes]) -> bytes:
    rows = [{"keyid": name, "sig": base64.b64encode(each).decode()} for name, each in signatures.items()]
    return json.dumps({"payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": rows}).encode()


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(SIGNED) | members).encode()


def row(**members: Any) -> list[dict[str, Any]]:
    return [json.loads(SIGNED)["signatures"][0] | members]


def reason(data: bytes) -> Reason:
    with pytest.raises(Unopened) as caught:
        opened(data, KEYS)
    return caught.value.reason


class TestSigning:
    """What is signed can be opened, by whoever knows the key."""

    def test_what_was_signed_is_what_is_read(self) -> None:
        found = opened(SIGNED, KEYS)
        assert (found.statement, found.signers, found.strangers) == (STATEMENT, (VENDOR.id,), ())
        assert found.key_id == VENDOR.id

    @LAWS
    @given(st.dictionaries(st.text(), JSON, max_size=4))
    def test_every_statement_comes_back(self, statement: dict[str, Any]) -> None:
        """And has one form, whatever the order of its members."""
        again = dict(reversed(statement.items()))
        assert opened(sign(statement, VENDOR), KEYS).statement == statement
        assert sign(statement, VENDOR) == sign(again, VENDOR)
        assert envelope.read(sign(statement, VENDOR)).is_canonical

    def test_an_envelope_is_written_in_one_form(self) -> None:
        assert envelope.read(SIGNED).encoded() == SIGNED
        assert SIGNED.endswith(b"}\n")
        assert SIGNED.count(b"\n") == 1
        pretty = json.dumps(json.loads(SIGNED), indent=2).encode()
        assert envelope.read(pretty).encoded() == SIGNED != pretty

    @pytest.mark.parametrize(
        "statement",
        [
            {"a": float("nan")},
            {"a": float("inf")},
            {"a": "\ud800"},
            {"a": {1, 2}},
            {1: "a", "1": "b"},
            {"a": b""},
            {"a": json.loads("[" * 70 + "]" * 70)},
            {"a": "x" * envelope.MOST_BYTES},
        ],
        ids=str,
    )
    def test_what_nobody_could_read_is_not_signed(self, statement: dict[str, Any]) -> None:
        with pytest.raises((ValueError, TypeError)):
            sign(statement, VENDOR)

    def test_the_encoding_is_the_one_of_the_specification(self) -> None:
        """The example of the protocol document."""
        expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        assert pae("http://example.com/HelloWorld", b"hello world") == expected
        assert pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


class TestThirdParties:
    """Nobody has to take our word."""

    def test_securesystemslib_verifies_ours(self) -> None:
        theirs = TheirEnvelope.from_dict(json.loads(SIGNED))
        key = SSlibKey.from_crypto(VENDOR.public, keyid=VENDOR.id)
        assert theirs.verify([key], 1) == {VENDOR.id: key}
        assert theirs.pae() == pae(IN_TOTO, canonical(STATEMENT))

    def test_securesystemslib_refuses_what_we_refuse(self) -> None:
        forged = json.loads(changed(payload=base64.b64encode(b"{}").decode()))
        key = SSlibKey.from_crypto(VENDOR.public, keyid=VENDOR.id)
        with pytest.raises(VerificationError):
            TheirEnvelope.from_dict(forged).verify([key], 1)

    def test_what_securesystemslib_has_signed_is_opened(self) -> None:
        signer = CryptoSigner(VENDOR._private, SSlibKey.from_crypto(VENDOR.public, keyid=VENDOR.id))
        theirs = TheirEnvelope(json.dumps(STATEMENT, indent=1).encode(), IN_TOTO, {})
        theirs.sign(signer)
        found = opened(json.dumps(theirs.to_dict()).encode(), KEYS)
        assert (found.statement, found.signers) == (STATEMENT, (VENDOR.id,))

    @pytest.mark.skipif(not shutil.which("openssl"), reason="there is no OpenSSL here")
    @pytest.mark.parametrize("shell", ["sh", "bash"])
    @pytest.mark.parametrize("size", [0, 300_000])
    def test_openssl_verifies_ours_by_hand(self, tmp_path: Path, shell: str, size: int) -> None:
        if not shutil.which(shell):
            pytest.skip(f"there is no {shell} here")
        data = sign({**STATEMENT, "long": "ü" * size}, VENDOR)
        assert verified_by_hand(tmp_path, data, shell) == (True, VENDOR.id)
        flipped = data.replace(b'"payload":"eyJ', b'"payload":"eyI', 1)
        assert flipped != data
        assert verified_by_hand(tmp_path, flipped, shell) == (False, VENDOR.id)


def verified_by_hand(folder: Path, data: bytes, shell: str) -> tuple[bool, str]:
    """What OpenSSL says of the signature, and of the id of the key."""
    (folder / "certificate.json").write_bytes(data)
    (folder / "acme.pub").write_text(pem(VENDOR.public), encoding="ascii")
    done = subprocess.run([shell], input=BY_HAND, cwd=folder, capture_output=True, text=True, check=False)
    found = re.search("[0-9a-f]{64}", done.stdout)
    assert found
    return "Signature Verified Successfully" in done.stdout, found[0]


class TestRefusals:
    """Every other envelope is refused, and told apart."""

    @pytest.mark.parametrize(
        ("data", "expected"),
        {
            "nothing": (b"", Reason.UNREADABLE),
            "no JSON": (b"signed", Reason.UNREADABLE),
            "a list": (b"[]", Reason.UNREADABLE),
            "a byte order mark": (b"\xef\xbb\xbf" + SIGNED, Reason.UNREADABLE),
            "UTF-16": (SIGNED.decode().encode("utf-16"), Reason.UNREADABLE),
            "more behind": (SIGNED + b"{}", Reason.UNREADABLE),
            "a stray member": (changed(note=""), Reason.UNREADABLE),
            "another type": (changed(payloadType="text/plain"), Reason.UNREADABLE),
            "another type, signed": (resigned(b"{}", kind="text/plain"), Reason.UNREADABLE),
            "a type that is none": (changed(payloadType=[IN_TOTO]), Reason.UNREADABLE),
            "a payload that is none": (changed(payload=None), Reason.UNREADABLE),
            "no base64": (changed(payload="e30"), Reason.UNREADABLE),
            "base64 for URLs": (changed(payload="e30-_w=="), Reason.UNREADABLE),
            "base64 with a break": (changed(payload="e3\n0="), Reason.UNREADABLE),
            "base64 with spare bits": (changed(payload="e31="), Reason.UNREADABLE),
            "base64 in other letters": (changed(payload="ｅ３０="), Reason.UNREADABLE),
            "signed, but no JSON": (resigned(b"hello"), Reason.UNREADABLE),
            "signed, but no object": (resigned(b"[]"), Reason.UNREADABLE),
            "signed, a name twice": (resigned(b'{"a":1,"a":2}'), Reason.UNREADABLE),
            "signed, a name twice inside": (resigned(b'{"a":[{"b":1,"\\u0062":2}]}'), Reason.UNREADABLE),
            "signed, no number": (resigned(b'{"a":NaN}'), Reason.UNREADABLE),
            "signed, an infinite number": (resigned(b'{"a":1e999}'), Reason.UNREADABLE),
            "signed, a lone surrogate": (resigned(b'{"a":"\\ud800"}'), Reason.UNREADABLE),
            "signed, too deep": (resigned(b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"), Reason.UNREADABLE),
            "a member twice": (SIGNED.replace(b'{"payload"', b'{"payload":"e30=","payload"', 1), Reason.UNREADABLE),
            "no list of signatures": (changed(signatures={}), Reason.UNREADABLE),
            "no signatures": (changed(signatures=[]), Reason.UNSIGNED),
            "a signature that is none": (changed(signatures=[5]), Reason.UNREADABLE),
            "no key id": (changed(signatures=[{"sig": row()[0]["sig"]}]), Reason.UNREADABLE),
            "an empty key id": (changed(signatures=row(keyid="")), Reason.UNREADABLE),
            "a key id in capitals": (changed(signatures=row(keyid="A" * 64)), Reason.UNREADABLE),
            "a key id and a break": (changed(signatures=row(keyid=VENDOR.id + "\n")), Reason.UNREADABLE),
            "a short signature": (changed(signatures=row(sig="AAAA")), Reason.UNREADABLE),
            "signed twice": (changed(signatures=row() * 2), Reason.UNREADABLE),
            "too many": (changed(signatures=row() * 17), Reason.UNREADABLE),
            "a stranger's": (sign(STATEMENT, STRANGER), Reason.UNKNOWN_KEY),
            "a stranger's, as ours": (
                assembled(b"{}", IN_TOTO, {VENDOR.id: STRANGER.sign(pae(IN_TOTO, b"{}"))}),
                Reason.BAD_SIGNATURE,
            ),
            "another's, as ours": (changed(signatures=row(keyid=CERTIFIER.id)), Reason.BAD_SIGNATURE),
            "of the bare payload": (
                assembled(b"{}", IN_TOTO, {VENDOR.id: VENDOR.sign(b"{}")}),
                Reason.BAD_SIGNATURE,
            ),
            "of another payload": (changed(payload="e30="), Reason.BAD_SIGNATURE),
            "of another type": (
                assembled(b"{}", IN_TOTO, {VENDOR.id: VENDOR.sign(pae("text/plain", b"{}"))}),
                Reason.BAD_SIGNATURE,
            ),
        }.values(),
    )
    def test_an_envelope_that_is_none_is_refused(self, data: bytes, expected: Reason) -> None:
        assert reason(data) is expected

    def test_what_is_too_large_is_not_even_read(self) -> None:
        """Blanks would mean nothing."""
        assert opened(SIGNED.ljust(envelope.MOST_BYTES), KEYS)
        with pytest.raises(Unopened, match="is larger than 4194304 bytes"):
            opened(SIGNED.ljust(envelope.MOST_BYTES + 1), KEYS)

    def test_a_revoked_key_vouches_for_nothing(self) -> None:
        keys = key_list(listed(VENDOR, revoked="lost (2026-06-01)"))
        with pytest.raises(Unopened, match="is revoked: lost") as caught:
            opened(SIGNED, keys)
        assert caught.value.reason is Reason.REVOKED_KEY

    def test_the_signature_of_a_stranger_beside_ours_proves_nothing_and_spoils_nothing(self) -> None:
        signatures = {key.id: key.sign(pae(IN_TOTO, b"{}")) for key in (STRANGER, VENDOR)}
        found = opened(assembled(b"{}", IN_TOTO, signatures), KEYS)
        assert (found.signers, found.strangers) == ((VENDOR.id,), (STRANGER.id,))

    def test_one_signature_that_does_not_hold_spoils_all(self) -> None:
        signatures = {VENDOR.id: VENDOR.sign(pae(IN_TOTO, b"{}")), CERTIFIER.id: bytes(64)}
        assert reason(assembled(b"{}", IN_TOTO, signatures)) is Reason.BAD_SIGNATURE

    def test_the_order_of_a_signature_may_not_be_added_to_it(self) -> None:
        """S + L solves the same equation, and RFC 8032 has it refused: else one statement had many signatures."""
        order = 2**252 + 27742317777372353535851937790883648493
        signature = VENDOR.sign(pae(IN_TOTO, b"{}"))
        twin = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
        assert reason(assembled(b"{}", IN_TOTO, {VENDOR.id: twin})) is Reason.BAD_SIGNATURE


class TestTampering:
    """Whatever is done to an envelope, it is refused or means what it meant."""

    def test_no_flipped_bit_changes_what_it_means(self) -> None:
        for place in range(len(SIGNED)):
            for bit in range(8):
                check_means_the_same(SIGNED[:place] + bytes([SIGNED[place] ^ 1 << bit]) + SIGNED[place + 1 :])

    @LAWS
    @given(st.data())
    def test_no_cut_or_insertion_changes_what_it_means(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(SIGNED)))
        end = data.draw(st.integers(start, min(len(SIGNED), start + 80)))
        middle = data.draw(st.binary(max_size=20) | st.sampled_from([b" ", b'"', b"{}", b",", b"\\", b"null"]))
        check_means_the_same(SIGNED[:start] + middle + SIGNED[end:])

    @LAWS
    @given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
    def test_no_bytes_are_more_than_refused(self, data: bytes) -> None:
        assert reason(data) is Reason.UNREADABLE

    @LAWS
    @given(st.fixed_dictionaries({"payload": JSON, "payloadType": JSON | st.just(IN_TOTO), "signatures": JSON}))
    def test_no_members_are_more_than_refused(self, document: dict[str, Any]) -> None:
        assert reason(json.dumps(document).encode()) in (Reason.UNREADABLE, Reason.UNSIGNED)


def check_means_the_same(data: bytes) -> None:
    try:
        found = opened(data, KEYS)
    except Unopened:
        return
    assert (found.statement, found.signers) == (STATEMENT, (VENDOR.id,))


HALF = envelope.MOST_BYTES // 2


@pytest.mark.parametrize(
    "data",
    [
        bytes(100 * envelope.MOST_BYTES),
        b"[" * envelope.MOST_BYTES,
        b'{"a":' * (envelope.MOST_BYTES // 5),
        b'"' + b"\\" * HALF,
        b"9" * envelope.MOST_BYTES,
        b'{"payload":"' + b"A" * HALF + b'","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b"[" + b"{}," * HALF + b"]",
    ],
    ids=["huge", "deep", "deep objects", "a string", "a number", "a payload", "a list"],
)
def test_large_inputs_are_refused_soon(data: bytes) -> None:
    """Within seconds, on the slowest of machines."""
    started = time.monotonic()
    assert reason(data) is Reason.UNREADABLE
    assert time.monotonic() - started < 5
