"""The reference through the eyes of a real client: boto3 with the published model, signed and unsigned."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw

from conformance.reference.app import DEMO
from conformance.reference.credentials import Principal
from conformance.reference.server import Setup, running
from conformance.reference.service import Service
from conformance.reference.sigv4 import Verifier
from conformance.reference.strains import CREDENTIALS, GUEST, MASTER

SIZE = (120, 90)
GOOD = {"ProjectName": "cookies", "ModelVersion": "1", "ContentType": "image/png"}


def photograph(kind: str = "PNG") -> bytes:
    image = Image.new("RGB", SIZE, (180, 180, 180))
    ImageDraw.Draw(image).line((10, 20, 100, 60), fill=(20, 20, 20), width=4)
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


PHOTOGRAPH = photograph()


@contextmanager
def client_of(url: str, principal: Principal | None = None) -> Iterator[Any]:
    """A boto3 client that tries once, signing as the principal; None for unsigned requests."""
    boto3 = pytest.importorskip("boto3")
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1}, proxies={}, signature_version=None if principal else UNSIGNED)
    keys = {
        "aws_access_key_id": principal.access_key if principal else None,
        "aws_secret_access_key": principal.secret if principal else None,
        "aws_session_token": principal.session_token if principal else None,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = boto3.client("lookoutvision", endpoint_url=url, region_name="us-east-1", config=config, **keys)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def open_service() -> Service:
    return Service(DEMO)


@pytest.fixture(scope="module")
def open_url(open_service: Service) -> Iterator[str]:
    """The reference, for everybody."""
    with running(setup=Setup(open_service.behaviour(), DEMO)) as url:
        yield url


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    """The reference, for those whom it knows."""
    service = Service(DEMO, [Verifier(CREDENTIALS).admit])
    with running(setup=Setup(service.behaviour(), DEMO)) as url:
        yield url


@pytest.mark.parametrize("principal", [None, MASTER], ids=["unsigned", "signed"])
def test_whoever_asks_an_open_server_is_answered(open_url: str, principal: Principal | None) -> None:
    with client_of(open_url, principal) as client:
        result = client.detect_anomalies(**GOOD, Body=PHOTOGRAPH)["DetectAnomalyResult"]
    assert result["Source"] == {"Type": "direct"}
    assert result["IsAnomalous"] is True
    assert 0.5 <= result["Confidence"] <= 1
    assert "AnomalyMask" not in result


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_mask_comes_out_as_an_image(guarded_url: str, kind: str) -> None:
    asked = {"ProjectName": "circuits", "ModelVersion": "2", "ContentType": f"image/{kind.lower()}"}
    with client_of(guarded_url, MASTER) as client:
        result = client.detect_anomalies(**asked, Body=photograph(kind))["DetectAnomalyResult"]
    names = [each["Name"] for each in result["Anomalies"]]
    assert names[0] == "background"
    assert sum(each["PixelAnomaly"]["TotalPercentageArea"] for each in result["Anomalies"]) == pytest.approx(1)
    with Image.open(BytesIO(result["AnomalyMask"])) as mask:
        assert (mask.format, mask.size) == ("PNG", SIZE)


@pytest.mark.parametrize(
    ("change", "error", "resource"),
    [
        ({"ProjectName": "nobody-has-this"}, "ResourceNotFoundException", "PROJECT"),
        ({"ModelVersion": "77"}, "ResourceNotFoundException", "MODEL"),
        ({"ProjectName": "boards"}, "ConflictException", "MODEL"),
        ({"ProjectName": "a b"}, "ValidationException", None),
        ({"ProjectName": "é"}, "ValidationException", None),
        ({"ModelVersion": "0"}, "ValidationException", None),
        ({"ContentType": "image/gif"}, "ValidationException", None),
        ({"Body": b""}, "ValidationException", None),
        ({"Body": b"no image"}, "ValidationException", None),
    ],
)
@pytest.mark.parametrize("principal", [None, MASTER], ids=["unsigned", "signed"])
def test_errors_are_the_modelled_exceptions(
    open_url: str, principal: Principal | None, change: dict[str, Any], error: str, resource: str | None
) -> None:
    with client_of(open_url, principal) as client, pytest.raises(getattr(client.exceptions, error)) as caught:
        client.detect_anomalies(**{**GOOD, "Body": PHOTOGRAPH, **change})
    response = caught.value.response
    assert response["Error"]["Message"] == response["Message"]
    assert response.get("ResourceType") == resource


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("forbidden", "AccessDeniedException"),
        ("conflict", "ConflictException"),
        ("throttled", "ThrottlingException"),
        ("fault", "InternalServerException"),
    ],
)
def test_states_are_the_modelled_exceptions(open_url: str, open_service: Service, state: str, error: str) -> None:
    open_service.enter(state)
    try:
        with client_of(open_url) as client, pytest.raises(getattr(client.exceptions, error)) as caught:
            client.detect_anomalies(**GOOD, Body=PHOTOGRAPH)
    finally:
        open_service.leave(state)
    assert isinstance(caught.value.response.get("RetryAfterSeconds", 0), int)


@pytest.mark.parametrize(
    ("principal", "code"),
    [
        (None, "MissingAuthenticationTokenException"),
        (Principal(MASTER.access_key, "another secret", MASTER.session_token), "InvalidSignatureException"),
        (Principal("AKIANOBODY", "another secret"), "UnrecognizedClientException"),
        (GUEST, "AccessDeniedException"),
    ],
    ids=["unsigned", "wrong secret", "unknown", "guest"],
)
def test_strangers_are_turned_away(guarded_url: str, principal: Principal | None, code: str) -> None:
    from botocore.exceptions import ClientError

    with client_of(guarded_url, principal) as client, pytest.raises(ClientError) as caught:
        client.detect_anomalies(**GOOD, Body=PHOTOGRAPH)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_any_project_name_that_boto3_can_write_is_verified(guarded_url: str) -> None:
    """Its path is signed as it is written, and refused for what it is, not for its signature."""
    with client_of(guarded_url, MASTER) as client:
        for name in ("a/b", "a%2Fb", "a+b", "a!b'(c)*", "~", "%"):
            with pytest.raises(client.exceptions.ValidationException):
                client.detect_anomalies(**{**GOOD, "ProjectName": name}, Body=PHOTOGRAPH)
