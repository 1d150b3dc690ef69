"""Who may call the reference: requests that are signed well are let in, whoever signed them; all others are refused.

Signatures come from three hands: AWS's published test suite, botocore, and a signer of a few lines below.
"""

from __future__ import annotations

import hmac
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from botocore import auth as botocore_auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from conformance.message import Headers
from conformance.reference.app import HONEST, Call, Model, Reason, Refused, answer
from conformance.reference.credentials import Credentials, CredentialsMistake, Principal, load_credentials
from conformance.reference.server import Session
from conformance.reference.sigv4 import (
    CHECKS,
    Verifier,
    canonical_headers,
    canonical_query,
    canonical_uri,
    payload_is_the_signed_one,
    read_authorization,
)

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
STAMP = "20150830T123600Z"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105 - the one of AWS's examples
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="  # noqa: S105, E501 - as above

INSPECTOR = Principal("AKIDEXAMPLE", SECRET)
VISITOR = Principal("ASIAVISITOR", "another secret", TOKEN, name="visitor")
OUTSIDER = Principal("AKIDOUTSIDER", "a third secret", allowed=False, name="outsider")
VERIFIER = Verifier(Credentials((INSPECTOR, VISITOR, OUTSIDER)), lambda: NOW)

TARGET = "/2020-11-20/projects/cookies/models/1/detect"
SCOPE = ("20150830", "us-east-1", "lookoutvision", "aws4_request")
DATED = {"Host": "localhost:8080", "X-Amz-Date": STAMP}
USUAL = {"Content-Type": "image/png", **DATED}


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (150, 140, 130)).save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


def unsigned(
    headers: dict[str, str] = USUAL, target: str = TARGET, body: bytes = PICTURE, method: str = "POST"
) -> Call:
    pairs = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return Call(method.encode(), target.encode(), pairs, body)


def signed(
    call: Call | None = None,
    names: str = "content-type;host;x-amz-date",
    *,
    principal: Principal = INSPECTOR,
    scope: tuple[str, str, str, str] = SCOPE,
    stamp: str = STAMP,
    payload: str | None = None,
) -> Call:
    """The call with its Authorization: a short second reading of the rules, for paths without dots and escapes."""
    call = call or unsigned()
    values = {name.lower().decode(): value.decode() for name, value in call.headers}
    path, _, query = call.target.decode().partition("?")
    lines = [f"{name}:{values.get(name, '')}" for name in names.split(";")]
    body = payload or values.get("x-amz-content-sha256") or sha256(call.body).hexdigest()
    canonical = [call.method.decode(), quote(path), query, *lines, "", names, body]
    text = ["AWS4-HMAC-SHA256", stamp, "/".join(scope), sha256("\n".join(canonical).encode()).hexdigest()]
    key = f"AWS4{principal.secret}".encode()
    for part in (*scope, "\n".join(text)):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return authorized(call, credential(principal.access_key, *scope), names, key.hex())


def credential(*parts: str) -> str:
    return "/".join(parts)


def authorized(call: Call, whose: str, names: str, signature: str) -> Call:
    return with_header(
        call, "Authorization", f"AWS4-HMAC-SHA256 Credential={whose}, SignedHeaders={names}, Signature={signature}"
    )


def with_header(call: Call, name: str, *values: str) -> Call:
    """The same with these in the place of all headers of that name."""
    kept = tuple(pair for pair in call.headers if pair[0].lower() != name.lower().encode())
    return replace(call, headers=(*kept, *((name.encode(), value.encode("latin-1")) for value in values)))


def authorization_of(call: Call) -> str:
    return call.values(b"authorization")[0].decode("latin-1")


def refusal(call: Call, verifier: Verifier = VERIFIER) -> Reason:
    with pytest.raises(Refused) as caught:
        verifier.admit(call)
    assert caught.value.message
    assert not any(each.secret in caught.value.message for each in verifier.credentials.principals)
    return caught.value.reason


UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
SUITE = {
    "GET /": VANILLA,
    "GET /example/..": VANILLA,
    "GET /example1/example2/../..": VANILLA,
    "GET //": VANILLA,
    "GET /./": VANILLA,
    "GET /./example": "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    "GET //example//": "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    f"GET /{UNRESERVED}": "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    "GET /?Param1=value1": "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    "GET /?Param2=value2&Param1=value1": "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    "GET /?Param1=value2&Param1=value1": "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
    f"GET /?{UNRESERVED}={UNRESERVED}": "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    "GET /?ሴ=bar": "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    "POST /": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    "POST /?Param1=value1": "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
}
SUITE_DATED = {"Host": "example.amazonaws.com", "X-Amz-Date": STAMP}
SUITE_VERIFIER = replace(VERIFIER, credentials=Credentials((INSPECTOR,), service="service"))
SUITE_CREDENTIAL = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"


class TestPublishedSuite:
    """AWS's own examples; where a path needs no escape, those of S3 and of other services agree."""

    @pytest.mark.parametrize(("line", "signature"), SUITE.items(), ids=SUITE)
    def test_requests(self, line: str, signature: str) -> None:
        method, _, target = line.partition(" ")
        call = unsigned(SUITE_DATED, target, b"", method)
        SUITE_VERIFIER.admit(authorized(call, SUITE_CREDENTIAL, "host;x-amz-date", signature))

    def test_white_space_is_folded(self) -> None:
        headers = {**SUITE_DATED, "My-Header1": " value1", "My-Header2": ' "a   b   c"'}
        SUITE_VERIFIER.admit(
            authorized(
                unsigned(headers, "/", b"", "GET"),
                SUITE_CREDENTIAL,
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            )
        )

    @pytest.mark.parametrize(
        ("values", "signature"),
        [
            (
                ["value2", "value2", "value1"],
                "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
            ),
            (
                ["value4", "value1", "value3", "value2"],
                "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
            ),
        ],
    )
    def test_repeated_headers_keep_their_order(self, values: list[str], signature: str) -> None:
        call = with_header(unsigned(SUITE_DATED, "/", b"", "GET"), "My-Header1", *values)
        SUITE_VERIFIER.admit(authorized(call, SUITE_CREDENTIAL, "host;my-header1;x-amz-date", signature))

    def test_the_body_takes_part(self) -> None:
        headers = {**SUITE_DATED, "Content-Type": "application/x-www-form-urlencoded"}
        call = unsigned(headers, "/", b"Param1=value1")
        signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        SUITE_VERIFIER.admit(authorized(call, SUITE_CREDENTIAL, "content-type;host;x-amz-date", signature))

    def test_session_tokens(self) -> None:
        temporary = Credentials((replace(INSPECTOR, session_token=TOKEN),), service="service")
        call = unsigned({**SUITE_DATED, "X-Amz-Security-Token": TOKEN}, "/", b"")
        names = "host;x-amz-date;x-amz-security-token"
        signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        replace(SUITE_VERIFIER, credentials=temporary).admit(authorized(call, SUITE_CREDENTIAL, names, signature))

    def test_a_payload_hash_in_a_header(self) -> None:
        """The example of the S3 guide, with its own secret."""
        key = Principal("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        s3 = Verifier(Credentials((key,), service="s3"), lambda: datetime(2013, 5, 24, tzinfo=UTC))
        headers = {
            "Host": "examplebucket.s3.amazonaws.com",
            "Range": "bytes=0-9",
            "x-amz-content-sha256": sha256(b"").hexdigest(),
            "x-amz-date": "20130524T000000Z",
        }
        s3.admit(
            authorized(
                unsigned(headers, "/test.txt", b"", "GET"),
                "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
                "host;range;x-amz-content-sha256;x-amz-date",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            )
        )


class TestBotocore:
    """What botocore signs is let in."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(botocore_auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))

    def sign(
        self,
        target: str = TARGET,
        principal: Principal = INSPECTOR,
        headers: dict[str, str] | None = None,
        body: bytes = PICTURE,
        sign_body: bool = True,
    ) -> Call:
        sent = {"Content-Type": "image/png", **(headers or {})}
        request = AWSRequest("POST", f"https://localhost:8080{target}", sent, body)
        request.context["payload_signing_enabled"] = sign_body
        credentials = BotocoreCredentials(principal.access_key, principal.secret, principal.session_token)
        botocore_auth.SigV4Auth(credentials, "lookoutvision", "us-east-1").add_auth(request)
        return unsigned({"Host": "localhost:8080", **dict(request.headers.items())}, target, body)

    @pytest.mark.parametrize(
        "target",
        [
            TARGET,
            "/2020-11-20/projects/a%20b/models/1/detect",
            "/2020-11-20/projects/a%5Fb/models/latest/detect",
            "/2020-11-20/projects/a%2Fb/models/1/detect",
            "/2020-11-20/projects/a%252Fb/models/1/detect",
            "/2020-11-20/projects/%c3%a9/models/1/detect",
            "/2020-11-20/projects/%C3%A9%F0%9F%8D%AA/models/1/detect",
            "/2020-11-20/projects/a-._~b/models/1/detect",
            "/2020-11-20/projects/a%21b%27%28c%29%2A/models/1/detect",
            "/2020-11-20/projects/a!b'(c)*;:@&=+$,/models/1/detect",
            "/2020-11-20/projects/../models/1/detect",
            "/2020-11-20//projects/./cookies/models/1/detect/",
            "/",
            TARGET + "?b=2&a=1&a=0&c=%2F&d=",
        ],
    )
    def test_targets(self, target: str) -> None:
        VERIFIER.admit(self.sign(target))

    def test_session_tokens(self) -> None:
        VERIFIER.admit(self.sign(principal=VISITOR))

    def test_unsigned_payload(self) -> None:
        call = self.sign(sign_body=False)
        assert call.values(b"x-amz-content-sha256") == (b"UNSIGNED-PAYLOAD",)
        VERIFIER.admit(call)
        VERIFIER.admit(replace(call, body=b"another"))
        assert refusal(call, replace(VERIFIER, unsigned_payload=False)) is Reason.INVALID_SIGNATURE

    def test_a_date_header(self) -> None:
        call = self.sign(headers={"Date": "whatever"})
        assert call.values(b"date") == (b"Sun, 30 Aug 2015 12:36:00 -0000",)
        VERIFIER.admit(call)

    def test_empty_bodies_and_odd_headers(self) -> None:
        odd = {"X-Empty": "", "X-Spaces": "  a \t b  ", "X-Unicode": "é é", "User-Agent": "Boto3/1", "Expect": "x"}
        VERIFIER.admit(self.sign(headers=odd, body=b""))

    def test_over_the_wire(self) -> None:
        """A whole request, with a header more and in another order than were signed."""
        call = self.sign(principal=VISITOR)
        fields = [*reversed(call.headers), (b"Via", b"1.1 proxy"), (b"Content-Length", str(len(PICTURE)).encode())]
        head = b"".join(name.upper() + b":   " + value + b" \r\n" for name, value in fields)
        session = Session(replace(HONEST, admit=VERIFIER.admit))
        request = b"POST " + call.target + b" HTTP/1.1\r\n" + head + b"\r\n" + PICTURE
        assert session.receive(request).startswith(b"HTTP/1.1 200 ")
        assert session.receive(request.replace(b"models/1", b"models/2")).startswith(b"HTTP/1.1 403 ")


MORE = {
    "accept-encoding": "gzip",
    "amz-sdk-invocation-id": "6b9a8c5e-3f0e-4f8c-9f5c-2d9c0c9d1b2a",
    "amz-sdk-request": "attempt=1; max=3",
    "connection": "keep-alive",
    "content-length": str(len(PICTURE)),
    "user-agent": "aws-sdk-java/2.29 md/io#sync",
    "x-amz-content-sha256": sha256(PICTURE).hexdigest(),
    "x-amz-user-agent": "aws-sdk-js/3.918.0",
}
CLIENTS = {
    "boto3": "content-type;host;x-amz-date",
    "JavaScript v3": (
        "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-user-agent"
    ),
    "JavaScript v2": "host;x-amz-content-sha256;x-amz-date",
    "Go v2": "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-date",
    "Go v1": "content-length;content-type;host;x-amz-date",
    "Java v2": (
        "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date"
    ),
    "Java v1": "amz-sdk-invocation-id;content-length;content-type;host;user-agent;x-amz-date",
    "least": "host;x-amz-date",
    "most": ";".join(sorted({*MORE, "content-type", "host", "x-amz-date"})),
}


def sent_by(client: str, principal: Principal = INSPECTOR, **changed: str) -> Call:
    """A request with the headers that a client sends and its own choice of those that it signs."""
    names = CLIENTS[client].split(";")
    amz = {name: value for name, value in MORE.items() if name in names or not name.startswith("x-amz-")}
    token = {"x-amz-security-token": principal.session_token} if principal.session_token else {}
    headers = {**USUAL, **amz, **token, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return signed(unsigned(headers), ";".join(sorted([*names, *token])), principal=principal)


class TestClients:
    """Every client signs its own set of headers."""

    @pytest.mark.parametrize("client", CLIENTS)
    @pytest.mark.parametrize("principal", [INSPECTOR, VISITOR], ids=["lasting", "temporary"])
    def test_sets_of_signed_headers(self, client: str, principal: Principal) -> None:
        VERIFIER.admit(sent_by(client, principal))

    def test_streams_of_javascript(self) -> None:
        VERIFIER.admit(sent_by("JavaScript v3", x_amz_content_sha256="UNSIGNED-PAYLOAD"))

    @pytest.mark.parametrize("client", CLIENTS)
    def test_what_is_not_signed_may_change(self, client: str) -> None:
        """Headers outside the set and outside x-amz-* are what proxies change."""
        call = sent_by(client)
        for name in {"via", *MORE} - {*CLIENTS[client].split(";")}:
            if not name.startswith("x-amz-"):
                VERIFIER.admit(with_header(call, name, "another"))

    @pytest.mark.parametrize("client", CLIENTS)
    def test_every_signed_header_counts(self, client: str) -> None:
        call = sent_by(client)
        for name in {*CLIENTS[client].split(";")} - {"x-amz-date"}:
            [value] = call.values(name.encode())
            for changed in (["another"], [f"{value.decode()}x"], [value.decode(), "again"], [""], []):
                assert refusal(with_header(call, name, *changed)) is Reason.INVALID_SIGNATURE

    def test_parameters_may_stand_in_any_order(self) -> None:
        text = authorization_of(signed()).removeprefix("AWS4-HMAC-SHA256 ")
        first, second, third = text.split(", ")
        for parameters in (f"{third},{first},{second}", f" {second} ,\t{third} , {first} "):
            VERIFIER.admit(with_header(signed(), "Authorization", f"AWS4-HMAC-SHA256 {parameters}"))


MALFORMED = [
    " ",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 ",
    "Basic dXNlcjpwYXNz",
    "Bearer abc",
    "AWS AKIDEXAMPLE:signature",
    "aws4-hmac-sha256 {credential}, {names}, {signature}",
    "AWS4-HMAC-SHA1 {credential}, {names}, {signature}",
    "AWS4-ECDSA-P256-SHA256 {credential}, {names}, {signature}",
    "AWS4-HMAC-SHA256 {credential}",
    "AWS4-HMAC-SHA256 {credential}, {names}",
    "AWS4-HMAC-SHA256 {credential}, {signature}",
    "AWS4-HMAC-SHA256 {names}, {signature}",
    "AWS4-HMAC-SHA256 {credential} {names} {signature}",
    "AWS4-HMAC-SHA256 {credential}; {names}; {signature}",
    "AWS4-HMAC-SHA256 {credential}, {names}, {signature},",
    "AWS4-HMAC-SHA256 {credential}, {names}, {signature}, {signature}",
    "AWS4-HMAC-SHA256 {credential}, {names}, {signature}, Extra=1",
    "AWS4-HMAC-SHA256 {credential}, {names}, Signature=",
    "AWS4-HMAC-SHA256 {credential}, {names}, Signature",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=;, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;content-type;x-amz-date, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=Content-Type;Host;X-Amz-Date, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;host;x-amz-date, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;x-amz-date;, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host x-amz-date, {signature}",
    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;\xe9, {signature}",
    "AWS4-HMAC-SHA256 Credential=, {names}, {signature}",
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, {names}, {signature}",
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lookoutvision, {names}, {signature}",
    "AWS4-HMAC-SHA256 {credential}/more, {names}, {signature}",
    "AWS4-HMAC-SHA256 {credential}, {names}, {signature}" + "0" * 9000,
    "\0\xff",
]


class TestRefusals:
    """Each fault, and what AWS calls it."""

    def test_unsigned(self) -> None:
        assert refusal(unsigned()) is Reason.UNSIGNED
        assert refusal(with_header(unsigned(), "Authorization", "")) is Reason.UNSIGNED

    def test_presigned(self) -> None:
        """The query is no place for a signature."""
        query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830&X-Amz-Signature=00"
        assert refusal(unsigned(target=f"{TARGET}?{query}")) is Reason.UNSIGNED

    @pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
    def test_malformed(self, text: str) -> None:
        first, second, third = authorization_of(signed()).removeprefix("AWS4-HMAC-SHA256 ").split(", ")
        call = with_header(unsigned(), "Authorization", text.format(credential=first, names=second, signature=third))
        assert refusal(call) is Reason.INCOMPLETE_SIGNATURE

    def test_two_authorizations(self) -> None:
        text = authorization_of(signed())
        for pair in ((text, text), (text, ""), ("", text), ("Basic eA==", text)):
            assert refusal(with_header(unsigned(), "Authorization", *pair)) is Reason.INCOMPLETE_SIGNATURE

    @pytest.mark.parametrize(
        "dates",
        [
            [],
            [""],
            ["20150830"],
            ["2015-08-30T12:36:00Z"],
            ["20150830T123600"],
            ["20150830T123600z"],
            ["20150830T123660Z"],
            ["20150231T123600Z"],
            ["20150830T12360Z"],
            ["00000101T000000Z"],
            ["99999999T999999Z"],
            ["Sun, 30 Aug 2015 12:36:00 GMT"],
            ["1440938160"],
            ["\xb20150830T123600Z"],
            [STAMP, STAMP],
        ],
        ids=str,
    )
    def test_no_date_or_no_good_one(self, dates: list[str]) -> None:
        assert refusal(with_header(signed(), "X-Amz-Date", *dates)) is Reason.INCOMPLETE_SIGNATURE

    def test_a_date_is_taken_when_there_is_no_other(self) -> None:
        for date in (STAMP, "Sun, 30 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 -0000"):
            dated = unsigned({"Content-Type": "image/png", "Date": date, "Host": "localhost"})
            VERIFIER.admit(signed(dated, "content-type;date;host"))
            VERIFIER.admit(signed(dated, "content-type;host"))
        for date in ("Mon, 30 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 +0000", "Sun, 30 Aug 15 12:36:00 GMT"):
            dated = unsigned({"Content-Type": "image/png", "Date": date, "Host": "localhost"})
            assert refusal(signed(dated, "content-type;host")) is Reason.INCOMPLETE_SIGNATURE

    def test_x_amz_date_goes_before_date(self) -> None:
        VERIFIER.admit(signed(unsigned({**USUAL, "Date": "Mon, 01 Jan 2001 00:00:00 GMT"})))

    def test_unknown_key(self) -> None:
        for key in ("AKIDUNKNOWN", "akidexample", "", "AKIDEXAMPLE ", "\xe9"):
            assert refusal(signed(principal=replace(INSPECTOR, access_key=key))) is Reason.UNKNOWN_CLIENT

    def test_wrong_secret(self) -> None:
        for secret in ("", SECRET.lower(), SECRET + "x", VISITOR.secret):
            assert refusal(signed(principal=replace(INSPECTOR, secret=secret))) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize("seconds", [-900, -1, 0, 1, 900])
    def test_the_window(self, seconds: int) -> None:
        replace(VERIFIER, clock=lambda: NOW + timedelta(seconds=seconds)).admit(signed())

    @pytest.mark.parametrize(("seconds", "message"), [(901, "Signature expired"), (-901, "Signature not yet current")])
    def test_outside_the_window(self, seconds: int, message: str) -> None:
        late = replace(VERIFIER, clock=lambda: NOW + timedelta(seconds=seconds))
        assert refusal(signed(), late) is Reason.INVALID_SIGNATURE
        with pytest.raises(Refused, match=message):
            late.admit(signed())
        replace(late, window=timedelta(minutes=16)).admit(signed())

    def test_the_clock_of_the_machine(self) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        call = unsigned({**USUAL, "X-Amz-Date": stamp})
        Verifier(VERIFIER.credentials).admit(signed(call, scope=(stamp[:8], *SCOPE[1:]), stamp=stamp))
        assert refusal(signed(), Verifier(VERIFIER.credentials)) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize("place", range(4))
    @pytest.mark.parametrize("part", ["20150829", "us-east-2", "rekognition", "aws4_reques", "", "US-EAST-1", "é"])
    def test_scope(self, place: int, part: str) -> None:
        date, region, service, terminator = [part if at == place else own for at, own in enumerate(SCOPE)]
        assert refusal(signed(scope=(date, region, service, terminator))) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize(
        "change",
        [
            lambda call: replace(call, body=b""),
            lambda call: replace(call, body=PICTURE + b"\0"),
            lambda call: replace(call, target=call.target + b"/"),
            lambda call: replace(call, target=call.target.replace(b"cookies", b"circuits")),
            lambda call: replace(call, target=call.target.replace(b"cookies", b"cooki%65s")),
            lambda call: replace(call, target=call.target + b"?a=1"),
            lambda call: replace(call, method=b"PUT"),
            lambda call: with_header(call, "Host", "elsewhere"),
            lambda call: with_header(call, "Content-Type", "image/jpeg"),
            lambda call: with_header(call, "Content-Type", "IMAGE/PNG"),
            lambda call: with_header(call, "Content-Type", "image/png", "image/png"),
            lambda call: with_header(call, "X-Amz-Date", "20150830T123601Z"),
            lambda call: with_header(call, "Content-Type"),
            lambda call: with_header(call, "X-Amz-Target", "unsigned"),
            lambda call: with_header(call, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ],
        ids=range(15),
    )
    def test_changed_after_signing(self, change: Callable[[Call], Call]) -> None:
        assert refusal(change(signed())) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize("change", [str.upper, lambda text: text[:-1], lambda text: text + "0", lambda _: "é"])
    def test_other_spellings_of_the_signature(self, change: Callable[[str], str]) -> None:
        text, _, signature = authorization_of(signed()).rpartition("=")
        changed = with_header(signed(), "Authorization", f"{text}={change(signature)}")
        assert refusal(changed) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize("names", ["content-type;x-amz-date", "content-type;host", "content-type"])
    def test_too_few_headers_are_signed(self, names: str) -> None:
        assert refusal(signed(names=names)) is Reason.INVALID_SIGNATURE

    def test_every_amz_header_is_to_be_signed(self) -> None:
        """Those of tracing, which proxies add, begin otherwise."""
        assert refusal(signed(unsigned({**USUAL, "X-Amz-Anything": ""}))) is Reason.INVALID_SIGNATURE
        VERIFIER.admit(signed(unsigned({**USUAL, "X-Amzn-Trace-Id": "Root=1-2-3"})))

    def test_a_header_that_is_signed_but_missing(self) -> None:
        names = "content-type;host;x-amz-date;x-missing"
        assert refusal(signed(names=names)) is Reason.INVALID_SIGNATURE
        VERIFIER.admit(signed(unsigned({**USUAL, "X-Missing": ""}), names))

    @pytest.mark.parametrize("claimed", ["", "0" * 64, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "unsigned-payload"])
    def test_a_payload_hash_that_is_signed_but_wrong(self, claimed: str) -> None:
        call = unsigned({**USUAL, "X-Amz-Content-Sha256": claimed})
        names = "content-type;host;x-amz-content-sha256;x-amz-date"
        assert refusal(signed(call, names)) is Reason.INVALID_SIGNATURE

    @pytest.mark.parametrize(
        ("principal", "tokens"),
        [
            (VISITOR, []),
            (VISITOR, [""]),
            (VISITOR, [TOKEN[:-1]]),
            (VISITOR, [TOKEN, TOKEN]),
            (VISITOR, [TOKEN, ""]),
            (INSPECTOR, [TOKEN]),
        ],
    )
    def test_session_tokens(self, principal: Principal, tokens: list[str]) -> None:
        call = with_header(unsigned(), "X-Amz-Security-Token", *tokens)
        names = "content-type;host;x-amz-date" + ";x-amz-security-token" * bool(tokens)
        assert refusal(signed(call, names, principal=principal)) is Reason.UNKNOWN_CLIENT

    def test_an_empty_token_is_none(self) -> None:
        call = with_header(unsigned(), "X-Amz-Security-Token", "")
        VERIFIER.admit(signed(call, "content-type;host;x-amz-date;x-amz-security-token"))

    def test_no_permission(self) -> None:
        """Only who has proved to be somebody learns what they may not do."""
        assert refusal(signed(principal=OUTSIDER)) is Reason.FORBIDDEN
        assert refusal(signed(principal=replace(OUTSIDER, secret=SECRET))) is Reason.INVALID_SIGNATURE

    def test_a_check_can_be_left_out(self) -> None:
        """That is how a verifier becomes a mutant."""
        careless = tuple(check for check in CHECKS if check is not payload_is_the_signed_one)
        call = replace(sent_by("JavaScript v2"), body=b"another")
        assert refusal(call) is Reason.INVALID_SIGNATURE
        replace(VERIFIER, checks=careless).admit(call)


class TestAnswers:
    """What the caller sees."""

    GUARDED = replace(HONEST, admit=VERIFIER.admit)

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            (signed(), None),
            (unsigned(), "MissingAuthenticationTokenException"),
            (with_header(unsigned(), "Authorization", "Bearer x"), "IncompleteSignatureException"),
            (signed(principal=replace(INSPECTOR, access_key="AKIDUNKNOWN")), "UnrecognizedClientException"),
            (signed(principal=replace(INSPECTOR, secret=VISITOR.secret)), "InvalidSignatureException"),
            (signed(principal=OUTSIDER), "AccessDeniedException"),
        ],
        ids=["none", "unsigned", "incomplete", "unknown", "invalid", "forbidden"],
    )
    def test_error_ids(self, call: Call, expected: str | None) -> None:
        reply = answer(call, self.GUARDED)
        assert (reply.status, dict(reply.headers).get("x-amzn-ErrorType")) == (403 if expected else 200, expected)
        assert expected is None or json.loads(reply.body)["Message"]

    def test_nobody_learns_unsigned_which_models_exist(self) -> None:
        for project in ("cookies", "boards", "unknown"):
            call = unsigned(target=TARGET.replace("cookies", project))
            assert answer(replace(call, store=(Model("cookies", 1),)), self.GUARDED).status == 403


class TestCanonicalForms:
    """The pure parts, by example."""

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (b"", "/"),
            (b"/", "/"),
            (b"/a/b", "/a/b"),
            (b"/a%20b", "/a%2520b"),
            (b"/a%5Fb", "/a%255Fb"),
            (b"/a%5fb", "/a%255fb"),
            (b"/a~b_c-d.e", "/a~b_c-d.e"),
            (b"/a b+c", "/a%20b%2Bc"),
            (b"/\xc3\xa9", "/%C3%A9"),
            (b"/../..", "/"),
            (b"/a/../b/./c//d/", "/b/c/d/"),
            (b"/...", "/..."),
            (b"/%2E%2E/a", "/%252E%252E/a"),
            (b"/a?b/../c", "/a"),
            (b"http://host/a", "/a"),
            (b"http://host", "/"),
        ],
    )
    def test_uri(self, target: bytes, expected: str) -> None:
        assert expected == canonical_uri(target)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (b"", ""),
            (b"a", "a="),
            (b"a=", "a="),
            (b"&&a=1&", "a=1"),
            (b"b=1&a=2&a=1", "a=1&a=2&b=1"),
            (b"a=b=c", "a=b%3Dc"),
            (b"a=%7e%2f+ ", "a=~%2F%2B%20"),
            (b"a=%", "a=%25"),
            (b"a-b=1&a=2&aB=3", "a=2&a-b=1&aB=3"),
            (b"a=\xff", "a=%FF"),
            (b"a=?", "a=%3F"),
        ],
    )
    def test_query(self, query: bytes, expected: str) -> None:
        assert expected == canonical_query(b"/a?" + query)

    def test_headers(self) -> None:
        headers: Headers = ((b"B", b"  1 \t 2 "), (b"a", b""), (b"b", b"3"), (b"c", b"unsigned"))
        assert canonical_headers(Call(headers=headers), ("a", "b")) == "a:\nb:1 2,3\n"


FULL = sent_by("most", VISITOR, x_extra="one;two=three")
FULL = signed(
    replace(with_header(FULL, "Authorization"), target=FULL.target + b"?a=1&bc=2"),
    ";".join(sorted({*CLIENTS["most"].split(";"), "x-amz-security-token", "x-extra"})),
    principal=VISITOR,
)


def part_of(call: Call, part: str) -> bytes:
    """The method, the target, the body, or the value of the header of that name."""
    parts = {"method": call.method, "target": call.target, "body": call.body}
    return parts[part] if part in parts else call.values(part.lower().encode())[0]


def with_part(call: Call, part: str, changed: bytes) -> Call:
    match part:
        case "method":
            return replace(call, method=changed)
        case "target":
            return replace(call, target=changed)
        case "body":
            return replace(call, body=changed)
    return with_header(call, part, changed.decode("latin-1"))


def flipped(text: bytes, position: int, mask: int) -> bytes:
    return text[:position] + bytes([text[position] ^ mask]) + text[position + 1 :]


WORDS = (
    "Credential= SignedHeaders= Signature= AKIDEXAMPLE 20150830 us-east-1 lookoutvision aws4_request "
    "/ host ; x-amz-date"
).split()


class TestLaws:
    """What holds for all bytes."""

    @given(st.data(), st.integers(1, 255))
    def test_one_flipped_byte_is_refused(self, data: st.DataObject, mask: int) -> None:
        VERIFIER.admit(FULL)
        part = data.draw(st.sampled_from(["method", "target", "body", *(name.decode() for name, _ in FULL.headers)]))
        text = part_of(FULL, part)
        changed = flipped(text, data.draw(st.integers(0, len(text) - 1)), mask)
        assume(changed.split() != text.split())
        call = with_part(FULL, part, changed)
        assume(part != "Authorization" or not reads_the_same(call))
        refusal(call)

    @given(st.binary(max_size=200))
    def test_no_authorization_crashes(self, text: bytes) -> None:
        refusal(with_header(FULL, "Authorization", text.decode("latin-1")))

    @given(st.lists(st.sampled_from([*WORDS, ", ", ",", "=", " ", "é", "\0"]), max_size=20))
    def test_no_arrangement_of_its_words_crashes(self, words: list[str]) -> None:
        refusal(with_header(unsigned(DATED), "Authorization", "AWS4-HMAC-SHA256 " + "".join(words)))

    @given(
        st.sampled_from(["X-Amz-Date", "Date", "Host", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Content-Type"]),
        st.lists(st.binary(max_size=40), max_size=3),
        st.binary(max_size=40),
    )
    def test_no_other_bytes_crash(self, name: str, values: list[bytes], target: bytes) -> None:
        call = with_header(signed(), name, *(value.decode("latin-1") for value in values))
        for each in (call, replace(signed(), target=target), replace(call, target=target)):
            with suppress(Refused):
                VERIFIER.admit(each)

    @given(st.text(st.characters(codec="utf-8"), max_size=20))
    def test_every_path_can_be_signed(self, name: str) -> None:
        target = f"/2020-11-20/projects/{quote(name, safe='')}/models/1/detect"
        assume(name not in ("", ".", ".."))
        VERIFIER.admit(signed(unsigned(target=target)))


def reads_the_same(call: Call) -> bool:
    try:
        return read_authorization(call) == read_authorization(FULL)
    except Refused:
        return False


COMPLETE = """
region = "eu-west-1"
service = "vision"

[[principals]]
access_key_id = "AKIDEXAMPLE"
secret_access_key = "a secret"

[[principals]]
access_key_id = "ASIAVISITOR"
secret_access_key = "another secret"
session_token = "token=="
allowed = false
name = "vísitor"
"""


class TestCredentialsFile:
    """What is read, and what is said of a file that cannot be."""

    def test_complete(self, tmp_path: Path) -> None:
        path = tmp_path / "credentials.toml"
        path.write_text(COMPLETE, encoding="utf-8")
        expected = (
            Principal("AKIDEXAMPLE", "a secret"),
            Principal("ASIAVISITOR", "another secret", "token==", False, "vísitor"),
        )
        assert Credentials(expected, "eu-west-1", "vision") == load_credentials(path)

    def test_least(self, tmp_path: Path) -> None:
        path = tmp_path / "credentials.toml"
        path.write_text('[[principals]]\naccess_key_id = "a"\nsecret_access_key = "s"\n')
        assert Credentials((Principal("a", "s"),), "us-east-1", "lookoutvision") == load_credentials(path)

    KEY = '[[principals]]\naccess_key_id = "AKID"\n'
    BOTH = KEY + 'secret_access_key = "hidden"\n'

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "principals: this key is missing"),
            ("principals = []", "principals: this must be one or more [[principals]] tables"),
            ('principals = ["hidden"]', "principals: this must be one or more [[principals]] tables"),
            ('principals = "hidden"', "principals: this must be one or more [[principals]] tables"),
            (KEY, "principals[1].secret_access_key: this key is missing"),
            ('[[principals]]\nsecret_access_key = "hidden"', "principals[1].access_key_id: this key is missing"),
            (BOTH + 'sesion_token = "hidden"', "principals[1].sesion_token: there is no such key"),
            (BOTH + '"\\u001b[31m" = "hidden"', "principals[1].\\x1b[31m: there is no such key"),
            ('regoin = "hidden"\n' + BOTH, "regoin: there is no such key"),
            ('region = "hidden hidden"\n' + BOTH, "region: this must be text of 1 to 64 letters"),
            ("service = 1\n" + BOTH, "service: this must be text of 1 to 64 letters"),
            (BOTH + "allowed = 1", "principals[1].allowed: this must be true or false"),
            (BOTH + 'allowed = "hidden"', "principals[1].allowed: this must be true or false"),
            (BOTH + 'session_token = ""', "principals[1].session_token: this must be text of 1 to 8192"),
            (BOTH + 'session_token = "hidden hidden"', "principals[1].session_token: this must be text of"),
            (BOTH + 'name = "hid\\nden"', "principals[1].name: this must be text of"),
            (KEY + 'secret_access_key = ""', "principals[1].secret_access_key: this must be text of 1 to 1024"),
            (KEY + 'secret_access_key = ["hidden"]', "principals[1].secret_access_key: this must be text of"),
            (BOTH + BOTH.replace("AKID", "hidden/hidden"), "principals[2].access_key_id: this must be text of"),
            (BOTH + BOTH, "principals: two have the same access_key_id"),
            (KEY + "secret_access_key = hidden", "this is not TOML in UTF-8 (at line 3, column 21)"),
            (KEY + 'secret_access_key = "hidden', "this is not TOML in UTF-8 (at end of document)"),
            (BOTH + "hidden = 1\nhidden = 1\n", "this is not TOML in UTF-8 (at line 5, column 11)"),
            (BOTH + "a = " + "[" * 5000, "this is not TOML in UTF-8"),
        ],
        ids=range(24),
    )
    def test_mistakes(self, tmp_path: Path, text: str, complaint: str) -> None:
        path = tmp_path / "credentials.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CredentialsMistake) as caught:
            load_credentials(path)
        assert str(caught.value).startswith(f"{path}: {complaint}")
        assert "hidden" not in str(caught.value)

    def test_a_file_that_is_not_there_or_not_text(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsMistake, match=r"this file cannot be read: No such file"):
            load_credentials(tmp_path / "absent.toml")
        with pytest.raises(CredentialsMistake, match=r"this file cannot be read: Is a directory"):
            load_credentials(tmp_path)
        (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(CredentialsMistake, match=r"this is not TOML in UTF-8\Z"):
            load_credentials(tmp_path / "bytes.toml")

    def test_nothing_shows_a_secret(self) -> None:
        for shown in (repr(VERIFIER), str(VERIFIER.credentials), f"{VISITOR}", repr(read_authorization(signed()))):
            assert not any(secret in shown for secret in (SECRET, VISITOR.secret, OUTSIDER.secret, TOKEN))
            assert authorization_of(signed())[-64:] not in shown
