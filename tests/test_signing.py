"""Signing: as botocore signs, as the reference's own verifier reads it, and without a trace of the keys."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hostile import HostileServer, read_request, read_to_end, send

from conformance import run, selftest, serving, signing
from conformance.cases import authentication
from conformance.cases.requests import Subject
from conformance.cli import main
from conformance.discretion import Discretion
from conformance.evidence.log import BLOBS
from conformance.exchange import Case
from conformance.message import Answer, Delivery, Headers, NoAnswer, Request, Response, Silence
from conformance.mistake import OperatorMistake
from conformance.patience import authenticated
from conformance.provisions import Keys, SigV4, State, StaticHeader, auth_document
from conformance.reference.app import DEMO, HONEST, Call, Refused, Reply
from conformance.reference.credentials import Credentials
from conformance.reference.credentials import Principal as Known
from conformance.reference.server import running
from conformance.reference.sigv4 import Verifier
from conformance.reference.strains import CREDENTIALS, Mutant
from conformance.signing import Principal, Scope, Signature, examined, signed, signer
from conformance.target import Limits, Size, Target
from conformance.wire.client import Client, Endpoint
from conformance.wire.client import Limits as Patience

SCOPE = Scope("eu-central-1", "lookoutvision")
PLAIN = Principal("AKIAPLAINPRINCIPAL01", "a/plain+secret/of~forty=characters.......")
TEMPORARY = Principal("ASIATEMPORARYPRINCIP", "another/secret+of-forty-characters......", "a//token==with+all/of%it")
PRINCIPALS = {"plain": PLAIN, "temporary": TEMPORARY}
GOOD = Request.build(
    "POST",
    "/2020-11-20/projects/a%20b/models/1/detect",
    [("Host", "vision.example:8080"), ("Content-Type", "image/png"), ("Content-Length", "5")],
    b"image",
)
VALID = {
    "auth.boto3",
    "auth.javascript-v3",
    "auth.javascript-v2",
    "auth.go-v2",
    "auth.go-v1",
    "auth.escaped-path",
    "auth.a-little-late",
    "auth.a-little-early",
}
UNSIGNED_PAYLOAD = {"auth.unsigned-payload"}


def verifier(principal: Principal, scope: Scope = SCOPE, skew: timedelta = timedelta()) -> Verifier:
    """The reference's reading of the documents, which shares nothing with ours."""
    known = Known(principal.access_key, principal.secret_key, principal.token or None)
    credentials = Credentials((known,), scope.region, scope.service)
    return Verifier(credentials, clock=lambda: datetime.now(UTC) + skew)


def is_admitted(request: Request, verifier: Verifier) -> bool:
    try:
        verifier.admit(Call(request.method, request.target, request.headers, request.body))
    except Refused:
        return False
    return True


def cases(principal: Principal) -> list[Case]:
    subjects = [
        Subject(scene, b"vision.example:8080", Limits()) for scene in replace(selftest.reference(), name="x").running()
    ]
    return list(authentication.cases(subjects[0], subjects[1:], principal, SCOPE))


class TestSigned:
    """The signature itself."""

    @pytest.mark.parametrize("principal", PRINCIPALS.values(), ids=PRINCIPALS)
    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [
            ("POST", "/2020-11-20/projects/cookies/models/1/detect", b"image"),
            ("POST", "/2020-11-20/projects/a%20b/models/%C3%BC/detect", b""),
            ("GET", "/?b=2&a=1&a=0&c", b""),
            ("PUT", "/a//b/../c/./d/", bytes(range(256))),
        ],
    )
    def test_it_is_what_botocore_computes(self, principal: Principal, method: str, target: str, body: bytes) -> None:
        """Asked to sign the same request at the same time, it comes to the same header."""
        plain = Request.build(method, target, [("Host", "vision.example"), ("Content-Type", "image/png")], body)
        ours = signed(plain, principal, SCOPE)
        [stamp] = ours.values(b"x-amz-date")
        theirs = AWSRequest(method, f"https://vision.example{target}", {"Content-Type": "image/png"}, body)
        theirs.context["timestamp"] = stamp.decode()
        theirs.headers["X-Amz-Date"] = stamp.decode()
        keys = BotoCredentials(principal.access_key, principal.secret_key, principal.token or None)
        auth = SigV4Auth(keys, SCOPE.service, SCOPE.region)
        auth._modify_request_before_signing(theirs)
        canonical = auth.canonical_request(theirs)
        auth._inject_signature_to_request(theirs, auth.signature(auth.string_to_sign(theirs, canonical), theirs))
        assert ours.values(b"authorization") == (theirs.headers["Authorization"].encode(),)

    @pytest.mark.parametrize("principal", PRINCIPALS.values(), ids=PRINCIPALS)
    def test_the_reference_takes_it(self, principal: Principal) -> None:
        assert is_admitted(signed(GOOD, principal, SCOPE), verifier(principal))
        assert not is_admitted(GOOD, verifier(principal))
        assert not is_admitted(signed(GOOD, replace(principal, secret_key="x" * 40), SCOPE), verifier(principal))

    def test_nothing_else_of_the_request_changes(self) -> None:
        ours = signed(GOOD, TEMPORARY, SCOPE)
        assert ours.body == GOOD.body
        assert ours.head.startswith(GOOD.head[:-2])
        added = [name for name, _ in ours.headers[len(GOOD.headers) :]]
        assert added == [b"X-Amz-Date", b"X-Amz-Security-Token", b"Authorization"]

    def test_a_skewed_clock_is_signed_by(self) -> None:
        ahead = timedelta(minutes=40)
        ours = signed(GOOD, PLAIN, replace(SCOPE, skew=ahead))
        assert is_admitted(ours, verifier(PLAIN, skew=ahead))
        assert not is_admitted(ours, verifier(PLAIN))

    def test_whatever_the_bytes_it_never_raises(self) -> None:
        """Odd requests are signed as far as that goes."""
        parts = [b"GET", b" ", b"/", b"[", b"]", b"://", b"?", b"#", b"%", b"\xff", b"\0", b"\r\n", b"\n", b"Host: x"]
        parts += [b":", b"HTTP/1.1", b"@", b"[::1", b"http://x", b"*", b";", b"=", b"&", b"Content-Type: \xe4", b""]
        draw = random.Random(7)  # noqa: S311
        for _ in range(3000):
            head = b"".join(draw.choice(parts) for _ in range(draw.randrange(14))) + draw.choice([b"\r\n\r\n", b""])
            request = Request(head, b"x")
            ours = signed(request, PLAIN, SCOPE)
            assert ours.head.startswith(head[:-2])
            examined(ours, [PLAIN], SCOPE)

    def test_an_absolute_target_is_signed_as_its_path(self) -> None:
        ours = signed(replace(GOOD, head=GOOD.head.replace(b"POST /", b"POST http://vision.example/")), PLAIN, SCOPE)
        back = replace(ours, head=ours.head.replace(b"http://vision.example", b""))
        assert is_admitted(back, verifier(PLAIN))


class TestExamined:
    """What the bytes of a request say of who sent it."""

    @pytest.mark.parametrize("principal", PRINCIPALS.values(), ids=PRINCIPALS)
    def test_every_case_is_what_it_is_meant_to_be(self, principal: Principal) -> None:
        """And the reference's own verifier thinks the same of each."""
        found = cases(principal)
        assert len({case.id for case in found}) == len(found) > 40
        assert ("auth.token-missing" in {case.id for case in found}) is bool(principal.token)
        verdicts = {case.id: examined(case.request, [principal], SCOPE) for case in found}
        assert {name for name, verdict in verdicts.items() if verdict is Signature.VALID} == VALID
        assert {name for name, verdict in verdicts.items() if verdict is Signature.UNSIGNED_PAYLOAD} == UNSIGNED_PAYLOAD
        assert {verdict for name, verdict in verdicts.items() if name not in VALID | UNSIGNED_PAYLOAD} == {
            Signature.INVALID
        }
        ours = verifier(principal)
        for case in found:
            assert is_admitted(case.request, ours) is (verdicts[case.id] is not Signature.INVALID), case.id
            assert not is_admitted(case.request, verifier(replace(principal, secret_key="x" * 40))), case.id

    @pytest.mark.parametrize("sign", [-1, 1], ids=["late", "early"])
    @pytest.mark.parametrize(
        ("minutes", "verdict"),
        [
            (0, Signature.VALID),
            (4, Signature.VALID),
            (5, Signature.OPEN),
            (14.9, Signature.OPEN),
            (15.1, Signature.OPEN),
            (16.9, Signature.OPEN),
            (17.1, Signature.INVALID),
            (60 * 24 * 8, Signature.INVALID),
        ],
    )
    def test_dates_near_the_end_of_a_window_are_on_neither_side(
        self, minutes: float, verdict: Signature, sign: int
    ) -> None:
        when = datetime.now(UTC) + sign * timedelta(minutes=minutes)
        assert examined(signed(GOOD, PLAIN, SCOPE, when=when), [PLAIN], SCOPE) is verdict

    def test_the_servers_clock_counts(self) -> None:
        ahead = replace(SCOPE, skew=timedelta(hours=1))
        assert examined(signed(GOOD, PLAIN, ahead), [PLAIN], ahead) is Signature.VALID
        assert examined(signed(GOOD, PLAIN, SCOPE), [PLAIN], ahead) is Signature.INVALID

    @pytest.mark.parametrize(
        "line",
        [
            (b"Authorization", b"AWS4-HMAC-SHA256 x"),
            (b"X-Amz-Date", b"20260101T000000Z"),
            (b"X-Amz-Security-Token", b"not asked for"),
        ],
        ids=["two-authorizations", "two-dates", "an-unknown-token"],
    )
    def test_where_servers_may_differ_it_is_open(self, line: tuple[bytes, bytes]) -> None:
        request = signing.with_lines(signed(GOOD, PLAIN, SCOPE), [line])
        assert examined(request, [PLAIN], SCOPE) is Signature.OPEN

    @pytest.mark.parametrize("text", ["20269901T000000Z", "today", "20260101T000000", ""])
    def test_a_date_that_is_none_is_invalid(self, text: str) -> None:
        good = signed(GOOD, PLAIN, SCOPE)
        request = replace(good, head=re.sub(rb"X-Amz-Date: \S+", b"X-Amz-Date: " + text.encode(), good.head))
        assert examined(request, [PLAIN], SCOPE) is Signature.INVALID

    def test_any_of_several_principals_may_have_signed(self) -> None:
        assert examined(signed(GOOD, TEMPORARY, SCOPE), [PLAIN, TEMPORARY], SCOPE) is Signature.VALID
        assert examined(signed(GOOD, TEMPORARY, SCOPE), [PLAIN], SCOPE) is Signature.INVALID


class TestFound:
    """Where keys come from."""

    FULL: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "AKIDFULL", "AWS_SECRET_ACCESS_KEY": "top secret"}

    def test_in_the_environment(self) -> None:
        assert signing.found(Keys(), self.FULL) == Principal("AKIDFULL", "top secret")
        full = {**self.FULL, "AWS_SESSION_TOKEN": "token"}
        assert signing.found(Keys(), full) == Principal("AKIDFULL", "top secret", "token")

    @pytest.mark.parametrize(
        ("spoilt", "words"),
        [
            ({"AWS_ACCESS_KEY_ID": ""}, "the environment variable AWS_ACCESS_KEY_ID is not set"),
            ({"AWS_SECRET_ACCESS_KEY": ""}, "the environment variable AWS_SECRET_ACCESS_KEY is not set"),
            ({"AWS_SECRET_ACCESS_KEY": "hidden\n"}, "the value of AWS_SECRET_ACCESS_KEY is not printable ASCII"),
            ({"AWS_ACCESS_KEY_ID": "hidden\u20ac"}, "the value of AWS_ACCESS_KEY_ID is not printable ASCII"),
            ({"AWS_SESSION_TOKEN": "hidden\r\nX: y"}, "the value of AWS_SESSION_TOKEN is not printable ASCII"),
        ],
    )
    def test_what_is_wrong_is_said_without_the_value(self, spoilt: Mapping[str, str], words: str) -> None:
        with pytest.raises(OperatorMistake) as refused:
            signing.found(Keys(), {**self.FULL, **spoilt}, "states.x.keys")
        assert str(refused.value) == f"states.x.keys: {words}"

    @pytest.fixture
    def aws(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """A shared AWS configuration of our own, and nothing else to find keys in."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

        def write(text: str) -> None:
            (tmp_path / "credentials").write_text(text, encoding="utf-8")

        return write

    def test_in_a_profile(self, aws: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "not this one")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nor this")
        aws("[team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = hidden\naws_session_token = token\n")
        assert signing.found(Keys(profile="team")) == Principal("AKIDTEAM", "hidden", "token")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[other]\n", "the profile 'team' cannot be used"),
            ("[team]\nregion = x\n", "the profile 'team' holds no keys"),
            ("[team]\naws_access_key_id = AKIDHIDDEN\n", "the profile 'team' cannot be used"),
            ("team\naws_secret_access_key = AKIDHIDDEN", "the profile 'team' cannot be used"),
        ],
        ids=["unknown", "empty", "half", "no-ini"],
    )
    def test_a_profile_without_keys(self, aws: Callable[[str], None], text: str, words: str) -> None:
        aws(text)
        with pytest.raises(OperatorMistake) as refused:
            signing.found(Keys(profile="team"), {}, "auth")
        assert words in str(refused.value)
        assert "AKIDHIDDEN" not in str(refused.value)

    def test_a_run_asks_for_them_before_anything_is_sent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("ACME_SECRET_KEY", raising=False)
        monkeypatch.setenv("ACME_ACCESS_KEY", "AKIDHIDDEN")
        file = tmp_path / "target.toml"
        file.write_text(
            '[target]\nname = "x"\nurl = "http://127.0.0.1:9"\n[scenes.classification]\nproject = "c"\nversion = "1"\n'
            '[auth]\nkind = "sigv4"\nregion = "r"\naccess_key_env = "ACME_ACCESS_KEY"\n'
            'secret_key_env = "ACME_SECRET_KEY"\n',
            encoding="utf-8",
        )
        for command in ("run", "doctor"):
            assert main([command, "--target", str(file)]) == 2
            said = capsys.readouterr().err
            assert said == "conformance: auth: the environment variable ACME_SECRET_KEY is not set\n"

    def test_nothing_shows_a_secret_by_accident(self) -> None:
        environ = {**selftest.KEYS}
        shown = [repr(TEMPORARY), str(TEMPORARY), repr(auth_document(SigV4("r")))]
        target = selftest.guarded(selftest.reference())
        shown.append(repr(run.prepare(target, environ=environ).stage))
        for text in shown:
            for secret in (*environ.values(), TEMPORARY.secret_key, TEMPORARY.token, TEMPORARY.access_key):
                assert not secret or secret not in text


def has_secrets(octets: bytes, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if secret and secret.encode() in octets]


class TestStaticHeader:
    """Whoever asks for a fixed header gets it."""

    AUTH = StaticHeader("X-Api-Key", "ACME_KEY")
    VALUE = "Bearer a-key-that-nobody-knows/+=="

    def test_it_is_sent_over_a_real_socket(self) -> None:
        sign = signer(self.AUTH, {"ACME_KEY": self.VALUE})
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        with HostileServer([read_request, send(answer), read_to_end]) as server:
            client = Client(Endpoint.of(server.url), Patience())
            secrets = signing.discretion(self.AUTH, (), {"ACME_KEY": self.VALUE})
            connection = authenticated(client.open, sign, secrets)()
            assert isinstance(connection.exchange(GOOD), Response)
            connection.close()
            [received] = server.received
        line = f"X-Api-Key: {self.VALUE}\r\n\r\n".encode()
        assert received == GOOD.head[:-2] + line + GOOD.body

    def test_a_run_sends_it_with_every_request_and_writes_it_nowhere(self, tmp_path: Path) -> None:
        """Not even when the target has nothing better to do than to say it again."""
        seen: list[bool] = []

        def admit(call: Call) -> None:
            seen.append(call.values(b"x-api-key") == (self.VALUE.encode(),))

        with running(replace(ECHOING, admit=admit)) as url:
            target = replace(SMALL, url=url, auth=self.AUTH)
            report, _ = run.prepare(target, environ={"ACME_KEY": self.VALUE}).go(evidence=tmp_path)
            run.write_all(report, tmp_path)
        assert all(seen)
        assert len(seen) > 200
        assert_no_trace(tmp_path, [self.VALUE, self.VALUE.split()[1]])

    @pytest.mark.parametrize("value", ["", "hidden\n", "hidden\u20ac"])
    def test_a_missing_or_odd_value_is_a_mistake(self, value: str) -> None:
        with pytest.raises(OperatorMistake, match=r"^auth\.value_env: .*ACME_KEY") as refused:
            signer(self.AUTH, {"ACME_KEY": value})
        assert "hidden" not in str(refused.value)


def echo(call: Call, reply: Reply) -> Reply:
    """Everything that the caller said of themselves, in header, in JSON and in the name of the error."""
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers}
    told = {name: value for name, value in said.items() if name.lower() not in ("host", "content-length")}
    body = json.dumps({**json.loads(reply.body or b"{}"), "echo": told}).replace("/", "\\/").encode()
    credentials = " ".join(said.get(name, "") for name in ("Authorization", "X-Amz-Security-Token", "X-Api-Key"))
    echoing = reply.with_header("X-Echo", credentials).with_header("X-Escaped", quote(credentials, safe=""))
    return replace(echoing, body=body)


ECHOING = replace(HONEST, finish=echo)
SMALL = replace(
    selftest.reference(),
    states={},
    limits=Limits(),
    scenes={
        name: replace(scene, image=Size(64, 64)) if name in ("classification", "segmentation") else scene
        for name, scene in selftest.reference().scenes.items()
    },
)


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a report, what is base64 in JSON decoded beside it, and all bytes of the evidence."""
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            yield str(file), data
            if file.name == BLOBS:
                yield str(file), zlib.decompressobj(-15).decompress(data)
            for text in re.findall(rb'"base64": "([^"]*)"', data):
                yield f"{file} (base64)", base64.b64decode(text)


def assert_no_trace(folder: Path, secrets: list[str]) -> None:
    found = 0
    escaped = [form for secret in secrets for form in (secret, secret.replace("/", "\\/"), quote(secret, safe=""))]
    for file, data in texts(folder):
        found += 1
        assert has_secrets(data, escaped) == [], file
        assert not re.search(rb"Signature(?:=|%3D)(?!0{32})[0-9a-f]{32}", data), file
    assert found > 3


class TestNothingIsWrittenDown:
    """Neither secret, nor token, nor access key, nor signature stands anywhere afterwards."""

    def test_the_bundled_target(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """The whole of ``conformance run``, with everything that it writes and prints."""
        monkeypatch.chdir(tmp_path)
        held: list[str] = []
        variables = serving._variables

        def remembered(prefix: str, principal: Known) -> dict[str, str]:
            held.extend(variables(prefix, principal).values())
            return variables(prefix, principal)

        monkeypatch.setattr(serving, "_variables", remembered)
        monkeypatch.setattr(serving, "store_of", lambda _: DEMO)  # without training
        assert main(["run", "--depth", "quick", "--only", "auth", "--only", "state", "--only", "success"]) == 4
        assert len(held) == 4
        assert_no_trace(tmp_path, held)
        out, errors = capfd.readouterr()
        assert has_secrets((out + errors).encode(), held) == []
        assert all(name not in os.environ for name in ("CONFORMANCE_REFERENCE_SECRET_KEY",))

    def test_a_faulty_target_that_echoes_everything(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Failures are told at length, with the answer; scripts, known requests and terminal have it, too."""
        from conformance.known import Known as KnownCases
        from conformance.report import terminal

        target = selftest.guarded(SMALL)
        served = selftest.in_process(GUARDED_ECHO)
        report, _ = run.prepare(target, environ=selftest.KEYS).against(served).go(evidence=tmp_path)
        run.write_all(report, tmp_path)
        KnownCases(tmp_path / "known", target.name).keep(report)
        terminal.show(report, tmp_path)
        out, errors = capfd.readouterr()
        (tmp_path / "printed").write_text(out + errors, encoding="utf-8")
        assert [row.clause.id for row in report.rows if row.outcome == "failed"]
        assert any(tmp_path.rglob("*.py"))
        wire = b"".join(data for name, data in texts(tmp_path) if name.endswith(BLOBS))
        assert b"<secret access key" not in wire  # nobody sends it
        assert b"<session token of auth>" in wire
        assert b"<access key of auth>" in wire
        assert b"<access key of state" in wire
        assert b"<signature>***" in wire
        assert_no_trace(tmp_path, [*selftest.KEYS.values()])


def guarded_echo() -> Mutant:
    """A faulty server that asks for signatures, and repeats what it hears."""
    behaviour = replace(ECHOING, admit=Verifier(CREDENTIALS).admit, success_status=201)
    return Mutant("echo", "", (), behaviour, guarded=True)


GUARDED_ECHO = guarded_echo()


class TestDiscretion:
    """What is overwritten in an answer, byte by byte."""

    SECRET = "wJalrXUtnFEMI/K7MDENG&bPxRfiCYEXAMPLEKEY"  # noqa: S105
    HUSH = Discretion({"secret": SECRET, "short": "text"})
    REQUEST = signed(GOOD, PLAIN, SCOPE)

    def said(self, wire: bytes, method: bytes = b"POST") -> Answer:
        """An answer, as it is handed on after it was read."""
        from conformance.wire.answers import Caps, Reader

        reader = Reader(method, Caps())
        reader.feed(wire)
        if reader.answer is None:
            reader.feed_eof()
        assert reader.answer is not None
        return self.HUSH.answer(reader.answer, self.REQUEST)

    @staticmethod
    def read_again(answer: Response) -> Response:
        from conformance.wire.answers import Caps, Reader

        reader = Reader(b"POST", Caps())
        reader.feed(answer.wire)
        if reader.answer is None:
            reader.feed_eof()
        assert isinstance(reader.answer, Response)
        return reader.answer

    @pytest.mark.parametrize(
        "form",
        [
            lambda secret: secret,
            lambda secret: json.dumps(secret)[1:-1],
            lambda secret: secret.replace("/", "\\/"),
            lambda secret: quote(secret, safe=""),
            lambda secret: quote(secret, safe="").replace("%2F", "%2f"),
            lambda secret: secret.replace("&", "&amp;"),
        ],
        ids=["plain", "json", "php-json", "url", "lower-case-url", "html"],
    )
    def test_every_way_of_writing_it(self, form: Callable[[str], str]) -> None:
        text = form(self.SECRET).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Echo: %s\r\n\r\n" % (len(text) + 2, text)
        answer = self.said(head + b"<" + text + b">")
        assert isinstance(answer, Response)
        assert answer.body == b"<" + b"<secret>".ljust(len(text), b"*") + b">"
        assert answer.values(b"x-echo") == (b"<secret>".ljust(len(text), b"*"),)
        assert answer == self.read_again(answer)

    def test_its_own_signature(self) -> None:
        [value] = self.REQUEST.values(b"authorization")
        signature = value.rpartition(b"=")[2]
        answer = self.said(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + signature)
        assert isinstance(answer, Response)
        assert answer.body == b"<signature>".ljust(64, b"*")

    def test_the_signature_of_another_request(self) -> None:
        text = b"Credential=x, Signature=" + b"0123456789abcdef" * 4
        answer = self.said(b"HTTP/1.1 200 OK\r\nContent-Length: 88\r\n\r\n" + text)
        assert isinstance(answer, Response)
        assert answer.body == b"Credential=x, Signature=" + b"<signature>".ljust(64, b"*")

    @pytest.mark.parametrize("size", [1, 3, 16, 64])
    def test_a_secret_in_chunks(self, size: int) -> None:
        """What is kept of the wire holds no part of it either, and can be read again."""
        text = b"before " + self.SECRET.encode() + b" after"
        chunks = [text[at : at + size] for at in range(0, len(text), size)]
        body = b"".join(b"%x;a=b\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
        answer = self.said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        assert isinstance(answer, Response)
        assert answer.body == b"before " + b"<secret>".ljust(len(self.SECRET), b"*") + b" after"
        assert answer == self.read_again(answer)
        assert not answer.faults

    def test_an_answer_that_breaks_off(self) -> None:
        answer = self.said(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + self.SECRET.encode())
        assert isinstance(answer, NoAnswer)
        assert answer.kind is Silence.CLOSED
        assert self.SECRET.encode() not in answer.wire
        assert answer.wire.endswith(b"<secret>".ljust(len(self.SECRET), b"*"))

    @pytest.mark.parametrize(
        "wire",
        [
            b"%s is what I was told\r\n\r\n",
            b"HTTP/1.1 %s\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX%s\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n%s",
            b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n%s",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
        ],
        ids="start status length header stray half-stray chunk-line".split(),
    )
    def test_sentences_about_an_answer_quote_none_of_it(self, wire: bytes) -> None:
        """A fault quotes some forty bytes, which may be a part of a secret."""
        answer = self.said(wire % self.SECRET.encode())
        told = " ".join(answer.faults) if isinstance(answer, Response) else answer.detail
        assert told
        for at in range(len(self.SECRET) - 8):
            assert self.SECRET[at : at + 8] not in told

    def test_what_holds_none_is_left_as_it_is(self) -> None:
        """The very same object: nothing of an innocent answer is touched. What is too short is no secret."""
        answer = Response(200, ((b"X", b"text"),), b'{"text": 1}', wire=b"text")
        assert self.HUSH.answer(answer, self.REQUEST) is answer
        silence = NoAnswer(Silence.TIMEOUT, "nothing came", b"text")
        assert self.HUSH.answer(silence, self.REQUEST) is silence

    def test_stray_bytes_and_hooks(self) -> None:
        assert self.HUSH.octets(b"late: " + self.SECRET.encode(), self.REQUEST) == b"late: " + b"<secret>".ljust(
            40, b"*"
        )
        assert self.HUSH.text(f"exit code 1, saying: \udc80{self.SECRET}").endswith("\udc80<secret>" + "*" * 32)

    def test_the_whole_of_a_header_and_its_words(self) -> None:
        hush = signing.discretion(StaticHeader("X-Key", "K"), (), {"K": "Bearer abcdefgh12345678"})
        assert hush.text("Bearer abcdefgh12345678") == "<value of X-Key>*******"
        assert hush.text("token abcdefgh12345678 here") == "token <part of X-Key>* here"

    def test_all_principals_are_meant(self) -> None:
        state = State("forbidden", keys=selftest.guarded(selftest.reference()).states["forbidden"].keys)
        target: Target = selftest.guarded(selftest.reference())
        hush = signing.discretion(target.auth, [state], selftest.KEYS)
        for secret in filter(None, selftest.KEYS.values()):
            assert secret not in hush.text(f"he said {secret}")


def test_requests_are_signed_on_the_wire_and_seen_unsigned() -> None:
    """Whoever sends over such a connection sees what they sent, and what goes out is signed."""

    class Inner:
        lost_idle, reusable = False, True

        def __init__(self) -> None:
            self.sent: list[tuple[Request, Delivery]] = []

        def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
            self.sent.append((request, delivery))
            return Response(200)

        def settle(self) -> bytes:
            return b"late " + self.sent[-1][0].values(b"authorization")[0]

        def close(self) -> None:
            self.lost_idle = True

    inner = Inner()
    auth = SigV4(SCOPE.region)
    environ = {"AWS_ACCESS_KEY_ID": PLAIN.access_key, "AWS_SECRET_ACCESS_KEY": PLAIN.secret_key}
    connection = authenticated(lambda: inner, signer(auth, environ), signing.discretion(auth, (), environ))()
    assert connection.exchange(GOOD, Delivery.PIECES) == Response(200)
    [(sent, delivery)] = inner.sent
    assert delivery is Delivery.PIECES
    assert is_admitted(sent, verifier(PLAIN))
    assert PLAIN.access_key.encode() not in connection.settle()
    assert connection.reusable
    connection.close()
    assert connection.lost_idle


def headers_of(request: Request) -> Headers:
    return tuple((name.lower(), value) for name, value in request.headers)


@pytest.mark.parametrize("principal", PRINCIPALS.values(), ids=PRINCIPALS)
def test_what_is_shown_of_a_signed_request_holds_nothing(principal: Principal) -> None:
    secrets = [principal.access_key, principal.secret_key, principal.token]
    for case in cases(principal):
        shown, bare = signing.discreet(case.request), signing.anonymous(case.request)
        assert has_secrets(shown.wire, secrets) == [], case.id
        assert not re.search(rb"Signature=[0-9a-f]", shown.wire), case.id
        assert shown.body == case.request.body
        assert [name for name, _ in headers_of(shown)] == [name for name, _ in headers_of(case.request)]
        assert headers_of(signing.anonymous(shown)) == headers_of(bare)
