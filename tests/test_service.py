"""What an operator can do with a served reference: states, the admin surface, the access log, the limit on waiting."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from conformance.reference.access_log import FORMATS, Answered
from conformance.reference.admin import administered
from conformance.reference.app import DEMO, HONEST, Call, Model, Reason, Refused, answer
from conformance.reference.detector import Detection
from conformance.reference.server import Setup, running
from conformance.reference.service import STATES, Service, UnknownModel

PATH = "/2020-11-20/projects/{}/models/{}/detect"
COOKIES, BOARDS, NOBODY = PATH.format("cookies", 1), PATH.format("boards", 1), PATH.format("nobody", 1)
WAIT = 20.0
"""Seconds after which something hangs."""


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), "grey").save(file, "PNG")
    return file.getvalue()


PHOTOGRAPH = photograph()


def asked(service: Service, path: str = COOKIES, body: bytes = PHOTOGRAPH) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of a request to a server in the service's state."""
    call = Call(b"POST", path.encode(), ((b"Content-Type", b"image/png"),), body, store=service.store)
    reply = answer(call, service.behaviour())
    return reply.status, dict(reply.headers), json.loads(reply.body)


class TestService:
    """The state behind the operation."""

    @pytest.mark.parametrize(
        ("state", "status", "error"),
        [
            ("forbidden", 403, "AccessDeniedException"),
            ("throttled", 429, "ThrottlingException"),
            ("fault", 500, "InternalServerException"),
        ],
    )
    def test_a_state_refuses_until_it_is_left(self, state: str, status: int, error: str) -> None:
        service = Service(DEMO)
        service.enter(state)
        found, headers, body = asked(service)
        assert (found, headers["x-amzn-ErrorType"], set(body)) == (status, error, {"Message"})
        assert headers.get("Retry-After", "none").isdigit() == (state == "throttled")
        service.leave(state)
        assert asked(service)[0] == 200

    def test_every_state_is_known(self) -> None:
        service = Service(DEMO)
        for state in STATES:
            service.enter(state)
        assert service.entered() == list(STATES)
        service.leave("throttled")
        service.leave("throttled")
        assert set(service.entered()) == {*STATES} - {"throttled"}

    def test_invalid_requests_stay_invalid_in_every_state(self) -> None:
        """Labels are looked at before anybody is turned away."""
        service = Service(DEMO)
        service.enter("throttled")
        assert asked(service, PATH.format("-", 1))[0] == 400

    def test_models_start_and_stop(self) -> None:
        service = Service(DEMO)
        assert asked(service, BOARDS)[0] == 409
        service.set_running("boards", 1, True)
        service.set_running("cookies", 1, False)
        assert (asked(service, BOARDS)[0], asked(service, COOKIES)[0]) == (200, 409)
        with pytest.raises(UnknownModel, match="cookies/9"):
            service.set_running("cookies", 9, True)

    def test_guards_come_first(self) -> None:
        def nobody(_call: Call) -> None:
            raise Refused(Reason.FORBIDDEN, "Nobody may.")

        service = Service(DEMO, [nobody])
        service.enter("throttled")
        assert asked(service)[0] == 403

    def test_a_model_of_one_size_takes_no_other(self) -> None:
        service = Service((Model("cookies", 1, size=(64, 64)), Model("cookies", 2, size=(64, 65))))
        assert asked(service, COOKIES)[0] == 200
        status, headers, _ = asked(service, PATH.format("cookies", 2))
        assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")


@pytest.fixture
def service() -> Service:
    return Service(DEMO)


@pytest.fixture
def admin(service: Service) -> Iterator[str]:
    with administered(service) as url:
        yield url


def told(url: str, method: str, path: str, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


class TestAdmin:
    """The surface for operators."""

    def test_it_is_on_loopback_only(self, admin: str) -> None:
        assert urlsplit(admin).hostname == "127.0.0.1"

    def test_health(self, admin: str) -> None:
        assert told(admin, "GET", "/healthz") == (200, {"status": "ok"})

    def test_models_are_listed_started_and_stopped(self, admin: str, service: Service) -> None:
        _, listed = told(admin, "GET", "/models")
        assert [(each["project"], each["state"]) for each in listed["models"]] == [
            ("cookies", "running"),
            ("circuits", "running"),
            ("boards", "stopped"),
        ]
        status, after = told(admin, "POST", "/models/boards/1/start")
        assert (status, after["models"][2]["state"]) == (200, "running")
        assert asked(service, BOARDS)[0] == 200
        told(admin, "POST", "/models/boards/1/stop")
        assert asked(service, BOARDS)[0] == 409

    @pytest.mark.parametrize("state", STATES)
    def test_states_are_entered_and_left(self, admin: str, service: Service, state: str) -> None:
        assert told(admin, "POST", f"/states/{state}/enter")[1]["states"] == [state]
        assert service.entered() == [state]
        assert told(admin, "POST", f"/states/{state}/leave")[1]["states"] == []
        assert service.entered() == []

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/states/fault/enter", 405),
            ("GET", "/models/boards/1/start", 405),
            ("POST", "/models", 405),
            ("POST", "/states/asleep/enter", 404),
            ("POST", "/models/boards/2/start", 404),
            ("POST", "/models/boards/latest/start", 404),
            ("GET", "/models/../healthz", 404),
            ("GET", "/", 404),
        ],
    )
    def test_nothing_else_is_there(self, admin: str, service: Service, method: str, path: str, status: int) -> None:
        found, body = told(admin, method, path)
        assert (found, set(body)) == (status, {"error"})
        assert service.entered() == []

    @pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1"}, {"Host": "rebound.invalid"}])
    def test_web_pages_are_refused(self, admin: str, service: Service, headers: dict[str, str]) -> None:
        assert told(admin, "POST", "/states/fault/enter", **headers)[0] == 403
        assert service.entered() == []


class TestAccessLog:
    """A line for each answer."""

    def test_text(self) -> None:
        time, *rest = FORMATS["text"](Answered(b"POST", b"/a b\x1b[31m\n", 200, 0.0123)).split(" ")
        assert datetime.fromisoformat(time).tzinfo is not None
        assert rest == ["POST", r"/a\x20b\x1b[31m\n", "200", "12.3ms"]

    def test_json(self) -> None:
        line = json.loads(FORMATS["json"](Answered(b"POST", b"/\xff", 404, 0.5)))
        assert line.pop("time")
        assert line == {"method": "POST", "path": r"/\xff", "status": 404, "ms": 500.0}

    def test_every_answer_is_logged(self) -> None:
        """Those below the operation too."""
        seen: list[Answered] = []
        with running(setup=Setup(log=seen.append)) as url:
            for method, path in (("POST", COOKIES), ("POST", NOBODY), ("PUT", "/elsewhere")):
                told(url, method, path, **{"Content-Type": "image/png"})
            told(url, "POST", COOKIES, Expect="the unexpected")
        assert [each.status for each in seen] == [400, 404, 404, 417]
        assert [each.target.decode() for each in seen] == [COOKIES, NOBODY, "/elsewhere", COOKIES]
        assert all(each.seconds >= 0 for each in seen)


class TestWaiting:
    """No more is in progress than the server was set up for."""

    def test_whoever_comes_too_many_is_told_to_come_back(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slowly(_call: Call, _model: Model, _image: Image.Image) -> Detection:
            begun.set()
            assert go_on.wait(WAIT)
            return Detection(False, 1.0)

        setup = Setup(replace(HONEST, detect=slowly), workers=1, queue=1)
        with running(setup=setup) as url:
            first, second = (http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT) for _ in range(2))
            try:
                send(first)
                assert begun.wait(WAIT)
                send(second)
                refusal = second.getresponse()
                assert (refusal.status, refusal.headers["x-amzn-ErrorType"]) == (429, "ThrottlingException")
                assert int(refusal.headers["Retry-After"]) >= 1
                refusal.read()
                go_on.set()
                assert first.getresponse().status == 200
                send(second)  # on the same connection
                assert second.getresponse().status == 200
            finally:
                go_on.set()
                first.close()
                second.close()

    def test_stopping_waits_for_what_is_in_flight(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slowly(_call: Call, _model: Model, _image: Image.Image) -> Detection:
            begun.set()
            assert go_on.wait(WAIT)
            return Detection(False, 1.0)

        with running(replace(HONEST, detect=slowly)) as url:
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT)
            send(connection)
            assert begun.wait(WAIT)
            threading.Timer(0.3, go_on.set).start()
        try:
            assert connection.getresponse().status == 200
        finally:
            connection.close()


def send(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", COOKIES, PHOTOGRAPH, {"Content-Type": "image/png"})
