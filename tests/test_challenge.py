"""Challenges: a seed that nobody could choose or know, and that nobody can pass off for another one."""

from __future__ import annotations

import base64
import json
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_keys import CERTIFIER, KEYS, STRANGER, VENDOR, key_list, listed

from conformance.certification import challenge, envelope
from conformance.certification.challenge import BadChallenge, Reason
from conformance.certification.ed25519 import SigningKey
from conformance.certification.keys import Key, Role, load_keys
from conformance.certification.secret import Secret
from conformance.cli import main

LAWS = settings(deadline=None, derandomize=True, max_examples=200)
NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGET, ARTIFACT = "a" * 64, "b" * 64
SEED = bytes(range(32))
ADDRESSED: dict[str, Any] = {"target_file_sha256": TARGET, "artifact": ARTIFACT, "vendor_key_id": VENDOR.id}

BY_HAND = """\
sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' challenge.json | base64 -d > reveal.json
jq -r .seed reveal.json | xxd -r -p > seed.bin
jq -r .pledge.envelope reveal.json | base64 -d > pledge.json
jq -r .challenge.envelope reveal.json | base64 -d | jq -r .payload | base64 -d | jq -r .commitment
openssl dgst -sha256 -r seed.bin
{ cat seed.bin; openssl dgst -sha256 -binary pledge.json; } | openssl dgst -sha256 -r
"""
"""How to compute the seed of a certificate without a line of ours; docs/certification.md shows the same."""


@dataclass(frozen=True)
class Story:
    """A challenge as it comes about; a test changes one thing about it."""

    certifier: SigningKey = CERTIFIER
    revealer: SigningKey = CERTIFIER
    vendor: SigningKey = VENDOR
    issued: str = "2026-06-01T12:00:00Z"
    expires: str = "2026-06-08"
    pledged: str = "2026-06-01T13:00:00Z"
    revealed: str = "2026-06-01T14:00:00Z"
    commitment: str = sha256(SEED).hexdigest()
    seed: str = SEED.hex()
    pledged_challenge: str = ""
    digest: str = ""
    challenge_type: str = challenge.CHALLENGE
    more: Mapping[str, str] = field(default_factory=dict)

    def challenge(self) -> bytes:
        document = {"commitment": self.commitment, "issued": self.issued, "expires": self.expires, **self.more}
        schema = {"schema": "urn:detect-anomalies-conformance:challenge:1"}
        return envelope.sign(schema | document, self.certifier, self.challenge_type)

    def pledge(self) -> bytes:
        document = {
            "schema": "urn:detect-anomalies-conformance:pledge:1",
            "challenge": self.pledged_challenge or sha256(self.challenge()).hexdigest(),
            "target": TARGET,
            "artifact": ARTIFACT,
            "pledged": self.pledged,
        }
        return envelope.sign(document, self.vendor, challenge.PLEDGE)

    def reveal(self, written: Callable[[bytes], bytes] = lambda data: data) -> bytes:
        """``written`` may write the envelope of the pledge in another way."""
        document = {
            "schema": "urn:detect-anomalies-conformance:reveal:1",
            "seed": self.seed,
            "challenge": self.enclosed(self.challenge()),
            "pledge": self.enclosed(written(self.pledge())),
            "revealed": self.revealed,
        }
        return envelope.sign(document, self.revealer, challenge.REVEAL)

    def enclosed(self, data: bytes) -> dict[str, str]:
        return {"sha256": self.digest or sha256(data).hexdigest(), "envelope": base64.b64encode(data).decode()}


STORY = Story()
REVEALED = STORY.reveal()
TODAY = date(2026, 6, 2)


def checked(data: bytes = REVEALED, keys: Mapping[str, Key] | None = KEYS, **changes: Any) -> challenge.Challenge:
    return challenge.check(data, keys, **(ADDRESSED | {"today": TODAY} | changes))


def reason(data: bytes = REVEALED, keys: Mapping[str, Key] | None = KEYS, **changes: Any) -> tuple[Reason, str]:
    with pytest.raises(BadChallenge) as caught:
        checked(data, keys, **changes)
    return caught.value.reason, str(caught.value)


class TestProtocol:
    """What comes of it when everybody does as they should."""

    def test_a_challenge_that_was_answered_fits(self) -> None:
        posed, kept = challenge.new(CERTIFIER, 7, NOW)
        given = challenge.pledge(posed, TARGET, ARTIFACT, VENDOR, NOW + HOUR, KEYS)
        revealed = challenge.reveal(kept, posed, given, CERTIFIER, NOW + 2 * HOUR, KEYS)
        assert checked(revealed) == challenge.Challenge(
            seed=sha256(kept.seed + sha256(given).digest()).hexdigest(),
            certifier=CERTIFIER.id,
            vendor=VENDOR.id,
            issued=NOW,
            pledged=NOW + HOUR,
            revealed=NOW + 2 * HOUR,
            expires=date(2026, 6, 8),
            verified=True,
        )
        assert challenge.seed_of(revealed) == checked(revealed).seed

    def test_the_seed_depends_on_secret_and_pledge(self) -> None:
        other = bytes(32)
        stories = [
            STORY,
            replace(STORY, seed=other.hex(), commitment=sha256(other).hexdigest()),
            replace(STORY, pledged="2026-06-01T13:00:01Z"),
        ]
        assert len({checked(each.reveal()).seed for each in stories}) == 3
        later = replace(STORY, revealed="2026-06-01T15:00:00Z")
        assert checked(later.reveal()).seed == checked().seed

    def test_no_two_challenges_are_the_same(self) -> None:
        drawn = {challenge.new(CERTIFIER, 7, NOW)[1].seed for _ in range(50)}
        assert len(drawn) == 50
        assert {len(each) for each in drawn} == {32}

    def test_a_challenge_gives_nothing_away(self) -> None:
        posed, kept = challenge.new(CERTIFIER, 7, NOW)
        assert kept.seed.hex() not in base64.b64decode(json.loads(posed)["payload"]).decode()
        assert kept.seed.hex() not in repr(kept)
        assert repr(kept.seed) not in repr(kept)

    def test_without_keys_it_is_said_that_nothing_was_verified(self) -> None:
        assert checked(keys=None) == replace(checked(), verified=False)

    def test_the_last_day_is_a_day_like_another(self) -> None:
        assert checked(today=date(2026, 6, 8)).expires == date(2026, 6, 8)

    def test_clocks_may_differ_by_minutes(self) -> None:
        assert checked(replace(STORY, pledged="2026-06-01T11:56:00Z").reveal())
        assert checked(replace(STORY, revealed="2026-06-01T12:56:00Z").reveal())


OTHER = replace(STORY, issued="2026-06-01T11:00:00Z")
EXPIRED = key_list(replace(listed(CERTIFIER), until=date(2026, 5, 31)), listed(VENDOR, Role.VENDOR))


class TestRefusals:
    """What does not fit is refused, and told apart."""

    @pytest.mark.parametrize(
        ("story", "expected", "said"),
        [
            (replace(STORY, seed="0" * 64), Reason.COMMITMENT, "is not what the challenge commits to"),
            (
                replace(STORY, pledged_challenge=sha256(OTHER.challenge()).hexdigest()),
                Reason.MIXED,
                "another challenge",
            ),
            (replace(STORY, digest="0" * 64), Reason.MIXED, "the digest does not fit"),
            (replace(STORY, vendor=STRANGER), Reason.UNKNOWN_KEY, "the pledge: it is signed with a key"),
            (replace(STORY, certifier=STRANGER), Reason.UNKNOWN_KEY, "the challenge: it is signed with a key"),
            (replace(STORY, revealer=STRANGER), Reason.UNKNOWN_KEY, "the reveal: it is signed with a key"),
            (replace(STORY, vendor=CERTIFIER), Reason.UNFIT_KEY, "the pledge: the key .* is a certifier's"),
            (replace(STORY, certifier=VENDOR), Reason.UNFIT_KEY, "the challenge: the key .* is a vendor's"),
            (replace(STORY, revealer=VENDOR), Reason.UNFIT_KEY, "the reveal: the key .* is a vendor's"),
            (replace(STORY, pledged="2027-06-01T13:00:00Z"), Reason.UNFIT_KEY, "the pledge: .* is not in force after"),
            (replace(STORY, issued="2026-06-01T13:06:00Z"), Reason.TIMES, "the pledge is older than the challenge"),
            (replace(STORY, revealed="2026-06-01T12:54:00Z"), Reason.TIMES, "before the pledge was made"),
            (replace(STORY, revealed="2026-06-09T00:00:00Z"), Reason.TIMES, "revealed after it had expired"),
            (replace(STORY, revealed="2026-06-03T00:06:00Z"), Reason.TIMES, "after the runs of 2026-06-02"),
            (replace(STORY, expires="2026-06-01"), Reason.EXPIRED, "expired on 2026-06-01"),
            (replace(STORY, expires="2026-06-31"), Reason.UNREADABLE, "the challenge: expires: there is no such day"),
            (
                replace(STORY, revealed="2026-06-01T25:00:00Z"),
                Reason.UNREADABLE,
                "the reveal: revealed: .* no such moment",
            ),
            (replace(STORY, expires="2026-06-08\n"), Reason.UNREADABLE, "the challenge: expires: this is longer"),
            (replace(STORY, seed="0" * 62), Reason.UNREADABLE, "the reveal: seed: this is not of the form"),
            (replace(STORY, more={"note": ""}), Reason.UNREADABLE, "the challenge: there is no such key: note"),
            (replace(STORY, more={"schema": ""}), Reason.UNREADABLE, "the challenge: schema: this is not"),
            (replace(STORY, challenge_type=envelope.IN_TOTO), Reason.UNREADABLE, "the challenge: .* not of the type"),
            (replace(STORY, challenge_type=challenge.PLEDGE), Reason.UNREADABLE, "the challenge: .* not of the type"),
        ],
    )
    def test_a_story_that_does_not_add_up_is_refused(self, story: Story, expected: Reason, said: str) -> None:
        found, sentence = reason(story.reveal())
        assert found is expected
        assert re.search(said, sentence)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"target_file_sha256": "0" * 64}, Reason.OTHER_TARGET),
            ({"artifact": "0" * 64}, Reason.OTHER_ARTIFACT),
            ({"artifact": ""}, Reason.OTHER_ARTIFACT),
            ({"vendor_key_id": STRANGER.id}, Reason.OTHER_VENDOR),
            ({"today": date(2026, 6, 9)}, Reason.EXPIRED),
            ({"today": date(2026, 5, 31)}, Reason.TIMES),
        ],
    )
    def test_a_pledge_is_good_for_what_it_names_alone(self, changes: dict[str, Any], expected: Reason) -> None:
        assert reason(**changes)[0] is expected
        assert reason(keys=None, **changes)[0] is expected

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({}, Reason.UNKNOWN_KEY),
            (key_list(listed(CERTIFIER)), Reason.UNKNOWN_KEY),
            (key_list(listed(CERTIFIER, revoked="lost"), listed(VENDOR, Role.VENDOR)), Reason.REVOKED_KEY),
            (key_list(listed(CERTIFIER), listed(VENDOR, Role.VENDOR, revoked="lost")), Reason.REVOKED_KEY),
            (EXPIRED, Reason.UNFIT_KEY),
            ({**KEYS, CERTIFIER.id: replace(KEYS[CERTIFIER.id], public=STRANGER.public)}, Reason.BAD_SIGNATURE),
            ({**KEYS, VENDOR.id: replace(KEYS[VENDOR.id], public=STRANGER.public)}, Reason.BAD_SIGNATURE),
        ],
    )
    def test_the_keys_have_to_be_good(self, keys: Mapping[str, Key], expected: Reason) -> None:
        assert reason(keys=keys)[0] is expected

    def test_two_certifiers_do_not_mix(self) -> None:
        keys = {**KEYS, **key_list(listed(STRANGER))}
        assert reason(replace(STORY, revealer=STRANGER).reveal(), keys)[0] is Reason.MIXED

    def test_a_vendor_does_not_challenge_itself(self) -> None:
        own = replace(STORY, certifier=VENDOR, revealer=VENDOR)
        assert reason(own.reveal(), None)[0] is Reason.MIXED

    @pytest.mark.parametrize(
        "written",
        [
            lambda data: data.rstrip(),
            lambda data: data + b"\n",
            lambda data: json.dumps(json.loads(data), indent=1).encode(),
            lambda data: data.replace(b"payload", b"p\\u0061yload", 1),
            lambda data: signed_besides(data),
        ],
    )
    def test_a_pledge_written_in_another_way_is_refused(self, written: Callable[[bytes], bytes]) -> None:
        """Else whoever reveals could try ways of writing it until the seed suits."""
        assert reason(STORY.reveal(written))[0] is Reason.UNREADABLE

    def test_a_payload_written_in_another_way_is_refused(self) -> None:
        def indented(data: bytes) -> bytes:
            payload = json.dumps(envelope.read(data, challenge.PLEDGE).statement, indent=1).encode()
            signature = VENDOR.sign(envelope.pae(challenge.PLEDGE, payload))
            return envelope._encoded(challenge.PLEDGE, payload, {VENDOR.id: signature})

        assert reason(STORY.reveal(indented))[0] is Reason.UNREADABLE

    def test_no_flipped_bit_is_taken(self) -> None:
        for place in range(len(REVEALED)):
            data = REVEALED[:place] + bytes([REVEALED[place] ^ 1 << place % 8]) + REVEALED[place + 1 :]
            assert reason(data)[0] in (Reason.UNREADABLE, Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE)

    @LAWS
    @given(st.data())
    def test_no_cut_or_insertion_is_taken(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(REVEALED)))
        end = data.draw(st.integers(start, len(REVEALED)))
        found = REVEALED[:start] + data.draw(st.binary(max_size=20)) + REVEALED[end:]
        if found != REVEALED:
            assert reason(found)[0] in (Reason.UNREADABLE, Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE)

    def test_what_is_too_large_is_not_even_read(self) -> None:
        for keys in (KEYS, None):
            assert "is larger than 262144 bytes" in reason(REVEALED.ljust(challenge.MOST_BYTES + 1), keys)[1]

    @pytest.mark.parametrize("text", ["e30", "e3\n0=", "e31=", "-_-_", "ä"])
    def test_what_is_enclosed_has_one_form(self, text: str) -> None:
        document = dict(envelope.read(REVEALED, challenge.REVEAL).statement)
        document["pledge"] = {"sha256": sha256(b"{}").hexdigest(), "envelope": text}
        found = reason(envelope.sign(document, CERTIFIER, challenge.REVEAL))[0]
        assert found in (Reason.UNREADABLE, Reason.MIXED)

    @LAWS
    @given(st.binary(max_size=200))
    def test_no_bytes_are_more_than_refused(self, data: bytes) -> None:
        assert reason(data)[0] is reason(data, None)[0] is Reason.UNREADABLE
        with pytest.raises(BadChallenge):
            challenge.seed_of(data)

    @LAWS
    @given(
        st.sampled_from("schema seed challenge pledge revealed".split()),
        st.none() | st.integers() | st.text() | st.lists(st.none()),
    )
    def test_no_member_is_more_than_refused(self, name: str, value: Any) -> None:
        """Even when it is truly signed."""
        document = {**envelope.read(REVEALED, challenge.REVEAL).statement, name: value}
        assert reason(envelope.sign(document, CERTIFIER, challenge.REVEAL))[0] is Reason.UNREADABLE


def signed_besides(data: bytes) -> bytes:
    """A pledge with another signature, of whoever wants to find a seed that suits."""
    held = envelope.read(data, challenge.PLEDGE)
    more = {STRANGER.id: STRANGER.sign(envelope.pae(challenge.PLEDGE, held.payload))}
    return replace(held, signatures={**held.signatures, **more}).encoded()


class TestMaking:
    """What is not in order is not even made."""

    @pytest.mark.parametrize("late", [timedelta(days=8), timedelta(minutes=-6)])
    def test_nothing_is_pledged_or_revealed_out_of_time(self, late: timedelta) -> None:
        posed, kept = challenge.new(CERTIFIER, 7, NOW)
        given = challenge.pledge(posed, TARGET, ARTIFACT, VENDOR, NOW)
        expected = Reason.EXPIRED if late > timedelta() else Reason.TIMES
        with pytest.raises(BadChallenge) as caught:
            challenge.pledge(posed, TARGET, ARTIFACT, VENDOR, NOW + late)
        assert caught.value.reason is expected
        with pytest.raises(BadChallenge) as caught:
            challenge.reveal(kept, posed, given, CERTIFIER, NOW + late)
        assert caught.value.reason is Reason.TIMES

    def test_nothing_is_revealed_for_what_does_not_fit(self) -> None:
        posed, kept = challenge.new(CERTIFIER, 7, NOW)
        other, _ = challenge.new(CERTIFIER, 7, NOW)
        given = challenge.pledge(posed, TARGET, ARTIFACT, VENDOR, NOW)
        strange = challenge.pledge(posed, TARGET, ARTIFACT, STRANGER, NOW)
        forged = given.replace(given[-70:-60], b"AAAAAAAAAA")
        tries: dict[Reason, tuple[Secret, bytes, bytes, SigningKey]] = {
            Reason.MIXED: (kept, other, given, CERTIFIER),
            Reason.COMMITMENT: (replace(kept, seed=SEED), posed, given, CERTIFIER),
            Reason.UNKNOWN_KEY: (kept, posed, strange, CERTIFIER),
            Reason.BAD_SIGNATURE: (kept, posed, forged, CERTIFIER),
        }
        for expected, (secret, one, pledged, key) in tries.items():
            with pytest.raises(BadChallenge) as caught:
                challenge.reveal(secret, one, pledged, key, NOW, KEYS)
            assert caught.value.reason is expected
        with pytest.raises(BadChallenge, match="another key than it is to be revealed with"):
            challenge.reveal(kept, posed, given, STRANGER, NOW, KEYS)

    def test_a_challenge_of_ours_that_was_changed_is_not_answered(self) -> None:
        posed, kept = challenge.new(CERTIFIER, 7, NOW)
        held = envelope.read(posed, challenge.CHALLENGE)
        longer = envelope.canonical({**held.statement, "expires": "2026-12-31"})
        forged = replace(held, payload=longer).encoded()
        given = challenge.pledge(forged, TARGET, ARTIFACT, VENDOR, NOW)
        with pytest.raises(BadChallenge) as caught:
            challenge.reveal(replace(kept, challenge=sha256(forged).hexdigest()), forged, given, CERTIFIER, NOW)
        assert caught.value.reason is Reason.BAD_SIGNATURE

    def test_a_strange_challenge_is_not_pledged_for(self) -> None:
        with pytest.raises(BadChallenge) as caught:
            challenge.pledge(challenge.new(STRANGER, 7, NOW)[0], TARGET, ARTIFACT, VENDOR, NOW, KEYS)
        assert caught.value.reason is Reason.UNKNOWN_KEY


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    """A folder with keys and a target file, in which commands are run."""
    monkeypatch.chdir(tmp_path)
    for name in ("certifier", "vendor"):
        assert main(["keygen", "--out", f"{name}.pem"]) == 0
        text = capfd.readouterr().out
        entry = text[text.index("[[key]]") :].replace('role = "vendor"', f'role = "{name}"')
        with Path("keys.toml").open("a", encoding="utf-8") as file:
            file.write(entry)
    Path("acme.toml").write_text("[target]\n", encoding="utf-8")
    return tmp_path


NEW = "challenge new --key certifier.pem --days 7 --out challenge.json --secret secret.json"
PLEDGE = (
    "challenge pledge --challenge challenge.json --target acme.toml "
    f"--artifact sha256:{ARTIFACT} --key vendor.pem --out pledge.json"
)
REVEAL = (
    "challenge reveal --secret secret.json --challenge challenge.json "
    "--pledge pledge.json --key certifier.pem --out revealed.json"
)


def run(line: str, *more: str) -> int:
    return main([*line.split(), *more])


class TestCommands:
    """The same by hand, with files."""

    @pytest.mark.parametrize("more", [(), ("--keys", "keys.toml")])
    def test_the_files_fit(self, office: Path, capfd: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
        assert [run(NEW), run(PLEDGE, *more), run(REVEAL, *more)] == [0, 0, 0]
        keys = load_keys(office / "keys.toml")
        certifier, vendor = keys
        found = challenge.check(
            (office / "revealed.json").read_bytes(),
            keys,
            target_file_sha256=sha256((office / "acme.toml").read_bytes()).hexdigest(),
            artifact=ARTIFACT,
            vendor_key_id=vendor,
            today=datetime.now(UTC).date(),
        )
        assert (found.certifier, found.vendor, found.verified) == (certifier, vendor, True)
        assert ("was not verified" in capfd.readouterr().out) == (not more)

    def test_no_secret_is_shown(self, office: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Nor can anybody else read it, before and after it was revealed."""
        path = office / "secret.json"
        assert run(NEW) == 0
        seed = json.loads(path.read_text(encoding="utf-8"))["seed"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [run(PLEDGE), run(REVEAL), run(REVEAL), run(NEW), run(PLEDGE)] == [0, 0, 2, 2, 2]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert seed not in "".join(capfd.readouterr())
        assert sorted(each.name for each in office.iterdir() if seed in each.read_text(encoding="utf-8")) == [
            "secret.json"
        ]

    def test_a_secret_is_revealed_for_one_pledge_only(self, office: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """For the same one again, should the file be lost."""
        assert [run(NEW), run(PLEDGE), run(REVEAL)] == [0, 0, 0]
        first = challenge.seed_of((office / "revealed.json").read_bytes())
        (office / "revealed.json").unlink()
        assert run(REVEAL) == 0
        assert challenge.seed_of((office / "revealed.json").read_bytes()) == first
        (office / "revealed.json").unlink()
        (office / "pledge.json").unlink()
        assert run(PLEDGE.replace(ARTIFACT, "c" * 64)) == 0
        assert run(REVEAL) == 2
        assert "was revealed for another pledge already" in capfd.readouterr().err
        assert not (office / "revealed.json").exists()

    @pytest.mark.parametrize(
        ("prepare", "line", "said"),
        [
            ("", NEW.replace("--days 7", "--days 367"), "a challenge is open for 1 to 366 days"),
            ("", PLEDGE, "challenge.json: there is no such challenge"),
            ("new", PLEDGE.replace("acme.toml", "acme.yaml"), "acme.yaml: there is no such target file"),
            ("new", PLEDGE.replace("--challenge challenge", "--challenge secret"), "the challenge: the envelope needs"),
            (
                "new",
                REVEAL.replace("--pledge pledge", "--pledge challenge"),
                "the pledge: what is signed is not of the type",
            ),
            ("new pledge", REVEAL.replace("certifier.pem", "vendor.pem"), "signed with another key"),
            ("new pledge", REVEAL.replace("--secret secret", "--secret challenge"), "others may open this secret"),
            ("new pledge chmod", REVEAL, "secret.json: others may open this secret; chmod 600 it"),
            ("new pledge empty", REVEAL, "secret.json: this is not the secret of a challenge"),
        ],
    )
    def test_a_mistake_is_one_sentence(
        self, office: Path, capfd: pytest.CaptureFixture[str], prepare: str, line: str, said: str
    ) -> None:
        steps: dict[str, Callable[[], object]] = {
            "new": lambda: run(NEW),
            "pledge": lambda: run(PLEDGE),
            "chmod": lambda: (office / "secret.json").chmod(0o640),
            "empty": lambda: (office / "secret.json").write_text('{"seed": "0"}', encoding="utf-8"),
        }
        for each in prepare.split():
            steps[each]()
        capfd.readouterr()
        assert run(line) == 2
        out, errors = capfd.readouterr()
        assert out == ""
        assert len(errors.splitlines()) == 1
        assert said in errors

    @pytest.mark.parametrize(
        "text", ["sha256:", ARTIFACT, f"sha256:{ARTIFACT}0", f"sha256:{ARTIFACT}\n", f"sha512:{ARTIFACT}"]
    )
    def test_an_artifact_is_a_file_or_its_digest(
        self, text: str, office: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        words = PLEDGE.split()
        words[words.index("--artifact") + 1] = text
        assert main(words) == 2
        assert ascii(text).strip("'")[:70] in capfd.readouterr().err
        assert not (office / "pledge.json").exists()

    def test_a_challenge_without_its_secret_is_not_left_behind(self, office: Path) -> None:
        (office / "secret.json").write_text("mine", encoding="utf-8")
        assert run(NEW) == 2
        assert not (office / "challenge.json").exists()
        assert (office / "secret.json").read_text(encoding="utf-8") == "mine"

    @pytest.mark.skipif(
        not all(map(shutil.which, ("openssl", "jq", "xxd"))), reason="there is no OpenSSL, jq or xxd here"
    )
    def test_the_seed_can_be_computed_by_hand(self, tmp_path: Path) -> None:
        (tmp_path / "challenge.json").write_bytes(REVEALED)
        done = subprocess.run(["sh"], input=BY_HAND, cwd=tmp_path, capture_output=True, text=True, check=True)
        committed, revealed, seed = (line.split()[0] for line in done.stdout.splitlines())
        assert committed == revealed == STORY.commitment
        assert seed == challenge.seed_of(REVEALED)
        assert (tmp_path / "pledge.json").read_bytes() == STORY.pledge()
