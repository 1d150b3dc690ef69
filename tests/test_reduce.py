"""Requests are made smaller while they still show what was found."""

from __future__ import annotations

from conformance.message import Request
from conformance.reduce import TRIES, reduced

ORDINARY = Request.build(
    "POST", "/2020-11-20/projects/cookies/models/1/detect", [("Host", "x"), ("Content-Length", "4")], b"good"
)


def odd(project: str, *headers: tuple[str, str], body: bytes = b"good") -> Request:
    """The ordinary request with another project, further headers and another body."""
    target = f"/2020-11-20/projects/{project}/models/1/detect"
    fields: list[tuple[str | bytes, str | bytes]] = [("Host", "x"), ("Content-Length", str(len(body))), *headers]
    return Request.build("POST", target, fields, body)


def test_what_has_no_part_in_the_cause_goes() -> None:
    """Headers and body that do not matter become those of the ordinary request; the name shrinks to its odd letter."""
    found = odd("abc!defgh", ("X-One", "1"), ("X-Two", "2"), body=b"something else")
    small = reduced(found, ORDINARY, lambda request: b"!" in request.target)
    assert odd("!").wire == small.wire


def test_what_matters_stays() -> None:
    """A header that the finding needs is kept."""
    found = odd("other", ("X-One", "1"), ("X-Two", "2"))
    small = reduced(found, ORDINARY, lambda request: bool(request.values(b"x-two")))
    assert odd("cookies", ("X-Two", "2")).wire == small.wire


def test_the_length_fits_the_body() -> None:
    """A shorter body has its own Content-Length."""
    small = reduced(odd("cookies", body=b"x" * 1000), ORDINARY, lambda request: b"x" in request.body)
    assert (small.body, small.values(b"content-length")) == (b"x", (b"1",))


def test_a_finding_that_does_not_come_back_is_left_as_it_was() -> None:
    """Where nothing smaller shows it, the request stays."""
    found = odd("abc!", ("X-One", "1"))
    assert found == reduced(found, ORDINARY, lambda _: False)


def test_no_more_is_sent_than_allowed() -> None:
    """The number of requests is bounded, however much there is to try."""
    asked: list[Request] = []

    def never(request: Request) -> bool:
        asked.append(request)
        return False

    reduced(odd("a" * 200 + "!", *((f"X-{n}", "1") for n in range(100))), ORDINARY, never)
    assert len(asked) == TRIES
    assert len({request.wire for request in asked}) == len(asked)
