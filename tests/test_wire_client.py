"""The client: bytes go out unchanged, and whatever the server does, an answer comes back in time."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import (
    Action,
    HostileServer,
    Peer,
    Script,
    drip,
    eventually,
    finish_writing,
    forever,
    hold,
    read_bytes,
    read_head,
    read_once,
    read_request,
    read_to_end,
    reset,
    send,
    sleep,
    within_watchdog,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.message import Answer, Delivery, NoAnswer, Request, Response, Silence
from conformance.wire.answers import Caps
from conformance.wire.client import Client, Endpoint, Limits

LIMITS = Limits(
    answer_seconds=0.4,
    caps=Caps(head_bytes=8192, body_bytes=128 * 1024),
    linger_seconds=0.05,
    continue_seconds=0.1,
)
PATIENT = Limits(answer_seconds=5.0, continue_seconds=0.1)


def post(body: bytes = b"image", *, announced: int | None = None) -> Request:
    length = str(len(body) if announced is None else announced)
    return Request.build("POST", "/", [("Host", "x"), ("Content-Length", length)], body)


def ok(body: bytes = b"hi", *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *lines, b"", body])


HEAD = b"HTTP/1.1 200 OK\r\n"
SIZED = HEAD + b"Content-Length: 100000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"
LARGE = post(bytes(20_000_000))
SMALL = post()


def client_of(server: HostileServer, limits: Limits = LIMITS) -> Client:
    return Client(Endpoint.of(server.url), limits)


def ask(server: HostileServer, request: Request, limits: Limits = LIMITS) -> Answer:
    def exchange() -> Answer:
        with client_of(server, limits).open() as connection:
            return connection.exchange(request)

    return within_watchdog(exchange)


ATTACKS: dict[str, tuple[Script, Request, int | Silence]] = {
    "drips-status-line": ([read_request, drip(HEAD)], SMALL, Silence.TIMEOUT),
    "drips-header": ([read_request, send(HEAD), drip(b"X-Slow: " + b"x" * 99)], SMALL, Silence.TIMEOUT),
    "drips-body": ([read_request, send(SIZED), drip(b"x" * 99)], SMALL, Silence.TIMEOUT),
    "drips-chunk-size": ([read_request, send(CHUNKED), drip(b"0" * 99)], SMALL, Silence.TIMEOUT),
    "drips-to-close": ([read_request, send(HEAD + b"\r\n"), drip(b"x" * 99)], SMALL, Silence.TIMEOUT),
    "drips-trailers": ([read_request, send(CHUNKED + b"0\r\n"), drip(b"A: b\r\n" * 20)], SMALL, Silence.TIMEOUT),
    "never-answers": ([read_request, hold], SMALL, Silence.TIMEOUT),
    "never-reads": ([hold], SMALL, Silence.TIMEOUT),
    "never-reads-upload": ([hold], LARGE, Silence.TIMEOUT),
    "reads-upload-slowly": ([lambda peer: slow_read(peer)], LARGE, Silence.TIMEOUT),
    "half-a-head": ([read_request, send(HEAD + b"Content-Le"), hold], SMALL, Silence.TIMEOUT),
    "half-a-body": ([read_request, send(SIZED + b"x" * 50000), hold], SMALL, Silence.TIMEOUT),
    "only-interim": ([read_request, send(CONTINUE), hold], SMALL, Silence.TIMEOUT),
    "body-without-end": ([read_request, send(HEAD + b"\r\nhi"), hold], SMALL, Silence.TIMEOUT),
    "one-byte-chunks": ([read_request, send(CHUNKED), drip(b"1\r\nx\r\n" * 99, 0.01, 6)], SMALL, Silence.TIMEOUT),
    "endless-one-byte-chunks": ([read_request, send(CHUNKED), forever(b"1\r\nx\r\n" * 99)], SMALL, Silence.TOO_LARGE),
    "endless-100": ([read_request, forever(CONTINUE)], SMALL, Silence.TOO_LARGE),
    "endless-102": ([read_request, forever(b"HTTP/1.1 102 Wait\r\n\r\n")], SMALL, Silence.TOO_LARGE),
    "endless-body": ([read_request, send(HEAD + b"\r\n"), forever(b"x" * 65536)], SMALL, Silence.TOO_LARGE),
    "endless-chunks": (
        [read_request, send(CHUNKED), forever(b"400\r\n%b\r\n" % bytes(1024))],
        SMALL,
        Silence.TOO_LARGE,
    ),
    "endless-trailers": ([read_request, send(CHUNKED + b"0\r\n"), forever(b"A: b\r\n")], SMALL, Silence.TOO_LARGE),
    "endless-trailer": ([read_request, send(CHUNKED + b"0\r\nA: "), forever(b"b" * 999)], SMALL, Silence.TOO_LARGE),
    "endless-headers": ([read_request, send(HEAD), forever(b"A: b\r\n")], SMALL, Silence.TOO_LARGE),
    "endless-header": ([read_request, send(HEAD + b"A: "), forever(b"b" * 999)], SMALL, Silence.TOO_LARGE),
    "endless-reason": ([read_request, send(b"HTTP/1.1 200 "), forever(b"O" * 999)], SMALL, Silence.TOO_LARGE),
    "endless-empty-lines": ([read_request, forever(b"\r\n" * 99)], SMALL, Silence.TOO_LARGE),
    "endless-extension": ([read_request, send(CHUNKED + b"1;"), forever(b"e" * 999)], SMALL, Silence.TOO_LARGE),
    "90-headers-of-60-KB": (
        [read_request, send(HEAD + (b"A: %b\r\n" % (b"x" * 60000)) * 90)],
        SMALL,
        Silence.TOO_LARGE,
    ),
    "huge-length": (
        [read_request, send(HEAD + b"Content-Length: 1%b\r\n\r\n" % (b"0" * 30))],
        SMALL,
        Silence.TOO_LARGE,
    ),
    "huge-chunk": ([read_request, send(CHUNKED + b"f" * 40 + b"\r\n"), hold], SMALL, Silence.TOO_LARGE),
    "http-0.9": ([read_request, send(b"<html>hello</html>"), hold], SMALL, Silence.MALFORMED),
    "tls-alert": ([read_request, send(b"\x15\x03\x03\x00\x02\x02\x46"), hold], SMALL, Silence.MALFORMED),
    "garbage": ([read_request, forever(bytes(range(256)))], SMALL, Silence.MALFORMED),
    "ssh-banner": ([send(b"SSH-2.0-OpenSSH_9.6\r\n"), hold], SMALL, Silence.MALFORMED),
    "bad-chunk-size": ([read_request, send(CHUNKED + b"zz\r\n"), hold], SMALL, Silence.MALFORMED),
    "closes-without-reading": ([sleep(0.05)], SMALL, Silence.RESET),
    "closes-after-request": ([read_request], SMALL, Silence.CLOSED),
    "closes-one-direction": ([read_request, finish_writing, hold], SMALL, Silence.CLOSED),
    "closes-in-head": ([read_request, send(HEAD)], SMALL, Silence.CLOSED),
    "closes-in-body": ([read_request, send(SIZED + b"x")], SMALL, Silence.CLOSED),
    "closes-in-chunk": ([read_request, send(CHUNKED + b"5\r\nx")], SMALL, Silence.CLOSED),
    "resets-after-request": ([read_request, reset], SMALL, Silence.RESET),
    "resets-in-head": ([read_request, send(HEAD), sleep(0.05), reset], SMALL, Silence.RESET),
    "resets-in-body": ([read_request, send(SIZED + b"x"), sleep(0.05), reset], SMALL, Silence.RESET),
    "resets-body-to-close": ([read_request, send(HEAD + b"\r\nx"), sleep(0.05), reset], SMALL, Silence.RESET),
    "resets-upload": ([read_head, reset], LARGE, Silence.RESET),
    "resets-after-answer": ([read_request, send(ok()), reset], SMALL, 200),
    "resets-behind-close": ([read_request, send(ok(b"hi", b"Connection: close")), reset], SMALL, 200),
    "413-and-stops-reading": ([read_head, send(REFUSAL), hold], LARGE, 413),
    "413-and-resets": ([read_head, send(REFUSAL), sleep(0.05), reset], LARGE, 413),
    "413-and-closes": ([read_head, send(REFUSAL)], LARGE, 413),
    "413-before-the-head": ([send(REFUSAL), hold], LARGE, 413),
    "413-to-close": ([read_head, send(b"HTTP/1.1 413 No\r\n\r\nno"), finish_writing, hold], LARGE, 413),
    "answers-in-single-bytes": ([read_request, drip(ok(), 0.001)], SMALL, 200),
    "answers-to-close": ([read_request, send(HEAD + b"\r\nhi")], SMALL, 200),
    "redirects": ([read_request, send(b"HTTP/1.1 307 Go\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")], SMALL, 307),
    "length-minus-one": ([read_request, send(HEAD + b"Content-Length: -1\r\n\r\nhi"), hold], SMALL, 200),
    "gzip-bomb": ([read_request, send(ok(b"\x1f\x8b" * 9, b"Content-Encoding: gzip"))], SMALL, 200),
}


def slow_read(peer: Peer) -> None:
    while not peer.stopping.wait(0.05) and peer.sock.recv(1024):
        pass


@pytest.mark.parametrize(("script", "request_", "expected"), ATTACKS.values(), ids=ATTACKS)
def test_every_attack_ends_with_a_value(script: Script, request_: Request, expected: int | Silence) -> None:
    """No server can keep the client beyond its deadline, crash it, or hide an answer it has given."""
    with HostileServer(script) as server:
        answer = ask(server, request_)
    found = answer.status if isinstance(answer, Response) else answer.kind
    assert found == expected, answer
    assert len(answer.wire) <= 2 * LIMITS.caps.body_bytes


@pytest.mark.parametrize("name", [name for name in ATTACKS if name.startswith("endless")])
def test_endless_answers_fill_no_memory(name: str) -> None:
    """What an endless answer costs is a small multiple of the caps."""
    script, request, _ = ATTACKS[name]
    with HostileServer(script) as server:
        tracemalloc.start()
        try:
            ask(server, request)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 16 * LIMITS.caps.body_bytes


@given(st.binary(max_size=2000), st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_bytes_arrive_unchanged(head: bytes, body: bytes) -> None:
    """What is asked for is what is sent, be it HTTP or not."""
    with HostileServer([read_bytes(lambda: len(head) + len(body)), send(ok())]) as server:
        answer = ask(server, Request(head, body), PATIENT)
        assert isinstance(answer, Response)
        assert server.received == [head + body]


def test_upload_arrives_whole() -> None:
    """Twenty megabytes go out in many pieces and arrive as one."""
    with HostileServer([read_request, send(ok())]) as server:
        answer = ask(server, LARGE, PATIENT)
        assert isinstance(answer, Response)
        assert server.received == [LARGE.wire]


def test_connection_is_kept() -> None:
    """Several exchanges share a connection until the server says that it closes."""
    script = [read_request, send(ok(b"1")), read_request, send(ok(b"2", b"Connection: close")), read_to_end]
    with HostileServer(script) as server, client_of(server).open() as connection:
        assert body_of(connection.exchange(SMALL)) == b"1"
        assert (connection.reusable, connection.used, connection.stray) == (True, 1, b"")
        assert body_of(connection.exchange(SMALL)) == b"2"
        assert (connection.reusable, connection.used) == (False, 2)
        refused = connection.exchange(SMALL)
        assert (kind_of(refused), connection.lost_idle) == (Silence.CLOSED, True)
    assert server.received == [SMALL.wire * 2]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [([], Silence.CLOSED), ([reset], Silence.CLOSED), ([read_request, reset], Silence.RESET)],
    ids=["closed-idle", "reset-idle", "reset-at-the-request"],
)
def test_connection_lost_while_idle_is_told_apart(ending: Script, kind: Silence) -> None:
    """A kept connection that breaks before the next answer begins says so: the caller may try a new one."""
    script = [read_request, send(ok()), sleep(0.05), *ending]
    with HostileServer(script) as server, client_of(server).open() as connection:
        assert body_of(connection.exchange(SMALL)) == b"hi"
        if read_request not in ending:
            time.sleep(0.15)
        assert kind_of(connection.exchange(SMALL)) == kind
        assert connection.lost_idle


def test_first_exchange_is_never_lost_idle() -> None:
    """A server that hangs up on a new connection refuses the request."""
    with HostileServer([read_request]) as server, client_of(server).open() as connection:
        assert kind_of(connection.exchange(SMALL)) == Silence.CLOSED
        assert (connection.lost_idle, connection.reusable) == (False, False)


def test_half_an_answer_on_a_kept_connection_is_not_lost_idle() -> None:
    """Once a byte has come the request was taken."""
    script = [read_request, send(ok()), read_request, send(HEAD)]
    with HostileServer(script) as server, client_of(server).open() as connection:
        connection.exchange(SMALL)
        assert kind_of(connection.exchange(SMALL)) == Silence.CLOSED
        assert not connection.lost_idle


def test_bytes_behind_the_answer_are_a_fault() -> None:
    """Poison for the next request is seen when it comes with the answer."""
    with HostileServer([read_request, send(ok() + REFUSAL), hold]) as server, client_of(server).open() as connection:
        answer = connection.exchange(SMALL)
        assert isinstance(answer, Response)
        assert (answer.closes, len(answer.faults), answer.wire) == (True, 1, ok() + REFUSAL)
        assert not connection.reusable


def test_late_bytes_are_found_by_settling() -> None:
    """Poison that comes a little later is found by whoever waits for it."""
    with HostileServer([read_request, send(ok()), sleep(0.01), send(REFUSAL), hold]) as server:
        limits = Limits(answer_seconds=5.0, linger_seconds=1.0)
        with client_of(server, limits).open() as connection:
            connection.exchange(SMALL)
            found = within_watchdog(connection.settle)
            assert found[:1] == b"H"
            assert (connection.stray, connection.reusable) == (found, False)


def test_settling_leaves_a_quiet_connection_alone() -> None:
    """Silence behind an answer is as it should be."""
    script = [read_request, send(ok()), read_request, send(ok())]
    with HostileServer(script) as server, client_of(server).open() as connection:
        connection.exchange(SMALL)
        assert (connection.settle(), connection.reusable) == (b"", True)
        assert body_of(connection.exchange(SMALL)) == b"hi"


def test_unasked_bytes_on_an_idle_connection_stop_the_next_request() -> None:
    """Nothing is sent on a connection that has something to say by itself."""
    with HostileServer([read_request, send(ok()), sleep(0.05), send(REFUSAL), read_to_end]) as server:
        with client_of(server).open() as connection:
            connection.exchange(SMALL)
            time.sleep(0.2)
            assert kind_of(connection.exchange(SMALL)) == Silence.CLOSED
            assert (connection.stray, connection.lost_idle, connection.reusable) == (REFUSAL, True, False)
        assert server.received == [SMALL.wire]


def test_early_answer_spends_the_connection() -> None:
    """An answer before the end of the upload is taken, and the rest is not sent."""
    with HostileServer([read_head, send(REFUSAL), hold]) as server, client_of(server).open() as connection:
        answer = within_watchdog(lambda: connection.exchange(LARGE))
        assert isinstance(answer, Response)
        assert (answer.status, connection.reusable) == (413, False)


def deliver(server: HostileServer, request: Request, delivery: Delivery) -> tuple[Answer, bool]:
    def exchange() -> tuple[Answer, bool]:
        with client_of(server, PATIENT).open() as connection:
            return connection.exchange(request, delivery), connection.reusable

    return within_watchdog(exchange)


CONTINUATIONS: dict[str, tuple[Script, int, tuple[int, ...], bool, bytes]] = {
    "continued": (
        [read_head, send(CONTINUE), read_bytes(lambda: len(SMALL.wire)), send(ok()), read_to_end],
        200,
        (100,),
        True,
        b"image",
    ),
    "not-continued": ([read_bytes(lambda: len(SMALL.wire)), send(ok()), read_to_end], 200, (), True, b"image"),
    "refused": ([read_head, send(REFUSAL), read_to_end], 413, (), False, b""),
    "expectation-failed": (
        [read_head, send(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"), read_to_end],
        417,
        (),
        False,
        b"",
    ),
}


@pytest.mark.parametrize(("script", "status", "interim", "kept", "body"), CONTINUATIONS.values(), ids=CONTINUATIONS)
def test_body_waits_for_continue(
    script: Script, status: int, interim: tuple[int, ...], kept: bool, body: bytes
) -> None:
    """The body follows a 100 or a second's patience, and never a final answer."""
    with HostileServer(script) as server:
        answer, reusable = deliver(server, SMALL, Delivery.AWAIT_CONTINUE)
        assert isinstance(answer, Response)
        assert (answer.status, answer.interim, reusable) == (status, interim, kept)
        assert server.received == [SMALL.head + body]


@pytest.mark.parametrize("script", [[read_to_end], [hold], [reset]], ids=["reads", "holds", "resets"])
def test_aborting_hangs_up_half_way(script: Script) -> None:
    """Half of the body is sent, then nobody is there."""
    with HostileServer(script) as server:
        answer, reusable = deliver(server, SMALL, Delivery.ABORT)
        assert (kind_of(answer), reusable) == (Silence.ABORTED, False)
        if script == [read_to_end]:
            assert eventually(lambda: server.received == [SMALL.head + b"im"])


def test_pipelined_requests_are_answered_in_order() -> None:
    """All requests go out at once, and each gets its own answer."""
    requests = [post(bytes([number])) for number in range(5)]
    answers_sent = b"".join(ok(b"%d" % number) for number in range(5))
    wire = b"".join(request.wire for request in requests)
    with HostileServer([read_bytes(lambda: len(wire)), send(answers_sent)]) as server:
        answers = within_watchdog(lambda: client_of(server).pipeline(requests))
        assert [body_of(answer) for answer in answers] == [b"0", b"1", b"2", b"3", b"4"]
        assert all(isinstance(answer, Response) and not answer.faults for answer in answers)
        assert server.received == [wire]


PIPELINES: dict[str, tuple[bytes, list[Action], list[int | Silence]]] = {
    "closes-politely": (ok(b"hi", b"Connection: close"), [], [200, Silence.CLOSED, Silence.CLOSED]),
    "closes": (ok() + HEAD, [], [200, Silence.CLOSED, Silence.CLOSED]),
    "hangs": (ok() * 2, [hold], [200, 200, Silence.TIMEOUT]),
    "garbage": (ok() + b"poison", [hold], [200, Silence.MALFORMED, Silence.MALFORMED]),
    "too-many": (ok() * 4, [hold], [200, 200, 200]),
}


@pytest.mark.parametrize(("wire", "ending", "expected"), PIPELINES.values(), ids=PIPELINES)
def test_pipeline_always_gives_an_answer_for_each_request(
    wire: bytes, ending: list[Action], expected: list[int | Silence]
) -> None:
    """A pipeline that breaks off gives the reason for the requests behind as well."""
    with HostileServer([read_bytes(lambda: 3 * len(SMALL.wire)), send(wire), *ending]) as server:
        answers = within_watchdog(lambda: client_of(server).pipeline([SMALL] * 3))
    assert [answer.status if isinstance(answer, Response) else answer.kind for answer in answers] == expected


def test_empty_pipeline_connects_to_nothing() -> None:
    """No requests, no answers."""
    assert Client(Endpoint.of("http://127.0.0.1:1"), LIMITS).pipeline([]) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("http://127.0.0.1:1", "refused"), ("http://no-such-host.invalid", "cannot be resolved")],
    ids=["refused", "unresolved"],
)
def test_unreachable_is_a_value(url: str, sentence: str) -> None:
    """Where no connection comes about, the reason is said in plain words."""
    client = Client(Endpoint.of(url), LIMITS)
    with client.open() as connection:
        answer = connection.exchange(SMALL)
    assert isinstance(answer, NoAnswer)
    assert answer.kind is Silence.UNREACHABLE
    assert sentence in answer.detail
    assert [kind_of(answer) for answer in client.pipeline([SMALL] * 2)] == [Silence.UNREACHABLE] * 2


def test_threads_share_a_client() -> None:
    """Each thread has its connection, all have the client."""
    with HostileServer([*[read_request, send(ok())] * 20]) as server:
        client = client_of(server, PATIENT)

        def work() -> list[bytes]:
            with client.open() as connection:
                return [body_of(connection.exchange(SMALL)) for _ in range(20)]

        results: list[list[bytes]] = []
        threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15)
        assert results == [[b"hi"] * 20] * 8
        assert client.address == "127.0.0.1"


ENDPOINTS = {
    "http://127.0.0.1": ("http", "127.0.0.1", 80, b"127.0.0.1"),
    "http://127.0.0.1:80/": ("http", "127.0.0.1", 80, b"127.0.0.1"),
    "https://api.example.com/": ("https", "api.example.com", 443, b"api.example.com"),
    "HTTPS://api.example.com:8443": ("https", "api.example.com", 8443, b"api.example.com:8443"),
    "http://[::1]:8080/": ("http", "::1", 8080, b"[::1]:8080"),
    "https://[2001:db8::1]": ("https", "2001:db8::1", 443, b"[2001:db8::1]"),
}


@pytest.mark.parametrize(("url", "expected"), ENDPOINTS.items(), ids=list(ENDPOINTS))
def test_endpoint_is_read_from_a_url(url: str, expected: tuple[str, str, int, bytes]) -> None:
    """Scheme, host, port, and what belongs into Host."""
    endpoint = Endpoint.of(url)
    assert (endpoint.scheme, endpoint.host, endpoint.port, endpoint.host_header) == expected


BAD_URLS = {
    "ftp://host": "scheme",
    "host:80": "scheme",
    "": "scheme",
    "http://": "no host",
    "http://:80": "no host",
    "http://user:pw@host": "user name",
    "http://host/path": "path",
    "http://host/?q": "query",
    "http://host#f": "fragment",
    "http://host:0": "port",
    "http://host:65536": "port",
    "http://host:http": "port",
    "http://host:": "port",
    "http://host:+80": "port",
    "http://ho st": "space",
    "http://host\n": "control",
    "http://höst": "ASCII",
    "http://[::1": "Invalid IPv6",
    "http://ho$t": "no host",
}


@pytest.mark.parametrize(("url", "sentence"), BAD_URLS.items(), ids=[ascii(url) for url in BAD_URLS])
def test_bad_url_is_refused_with_a_reason(url: str, sentence: str) -> None:
    """What is no base URL says why."""
    with pytest.raises(ValueError, match=sentence):
        Endpoint.of(url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, as one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", *kind, *names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def start_tls(certificate: Path) -> Action:
    def action(peer: Peer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        peer.sock = context.wrap_socket(peer.sock, server_side=True)

    return action


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[HostileServer]:
    """Answers two requests on each connection, over TLS, the second with 100 KB."""
    large = [read_request, send(ok(bytes(100_000)))]
    with HostileServer([start_tls(certificate), read_request, send(ok()), *large]) as server:
        yield server


def exchange_over_tls(host: str, port: int, ca_file: Path | None, count: int = 1) -> list[Answer]:
    endpoint = Endpoint.of(f"https://{host}:{port}", None if ca_file is None else str(ca_file))

    def exchange() -> list[Answer]:
        limits = Limits(answer_seconds=5.0 if count > 1 else 0.5)
        with Client(endpoint, limits).open() as connection:
            return [connection.exchange(post(bytes(1_000_000))) for _ in range(count)]

    return within_watchdog(exchange)


def test_tls_carries_the_exchanges(tls_server: HostileServer, certificate: Path) -> None:
    """With the right authority TLS is the same wire."""
    answers = exchange_over_tls("localhost", tls_server.port, certificate, 2)
    assert [len(body_of(answer)) for answer in answers] == [2, 100_000]
    assert tls_server.received == [post(bytes(1_000_000)).wire * 2]


def test_unknown_authority_is_unreachable(tls_server: HostileServer) -> None:
    """A certificate nobody vouches for is refused before a byte of the request is sent."""
    (answer,) = exchange_over_tls("localhost", tls_server.port, None)
    assert_unreachable(answer, "certificate was refused: self-signed certificate.")


def test_wrong_name_is_unreachable(tls_server: HostileServer, certificate: Path) -> None:
    """So is one for another host."""
    (answer,) = exchange_over_tls("127.0.0.1", tls_server.port, certificate)
    assert_unreachable(answer, "certificate was refused: IP address mismatch")


def test_missing_authority_file_is_unreachable(tmp_path: Path) -> None:
    """A CA file that is not there is a sentence, too."""
    (answer,) = exchange_over_tls("localhost", 1, tmp_path / "none.pem")
    assert_unreachable(answer, "cannot be used")


NO_TLS: dict[str, tuple[Script, str]] = {
    "speaks-plainly": ([send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), read_to_end], "does not speak it"),
    "says-nothing": ([hold], "in time"),
    "drips": ([drip(b"\x16\x03\x03\x10\x00" + bytes(99), 0.1)], "in time"),
    "hangs-up": ([read_once], "hung up"),
    "resets": ([read_once, reset], "reset"),
}


@pytest.mark.parametrize(("script", "sentence"), NO_TLS.values(), ids=NO_TLS)
def test_failed_handshake_is_unreachable(script: Script, sentence: str) -> None:
    """A handshake that fails or does not end leaves nobody hanging."""
    with HostileServer(script) as server:
        (answer,) = exchange_over_tls("127.0.0.1", server.port, None)
    assert_unreachable(answer, sentence)


def test_plain_request_to_a_tls_port_is_malformed_or_closed(tls_server: HostileServer) -> None:
    """A TLS server answers plain HTTP with an alert or not at all."""
    assert kind_of(ask(tls_server, SMALL)) in (Silence.MALFORMED, Silence.CLOSED, Silence.RESET)


def test_many_descriptors_do_no_harm() -> None:
    """File descriptors beyond 1024 work."""
    with HostileServer([read_request, send(ok())]) as server:
        held = [socket.socket() for _ in range(1100)]
        try:
            assert body_of(ask(server, SMALL)) == b"hi"
        finally:
            for sock in held:
                sock.close()


def body_of(answer: Answer) -> bytes:
    assert isinstance(answer, Response), answer
    return answer.body


def kind_of(answer: Answer) -> Silence:
    assert isinstance(answer, NoAnswer), answer
    return answer.kind


def assert_unreachable(answer: Answer, sentence: str) -> None:
    assert isinstance(answer, NoAnswer), answer
    assert answer.kind is Silence.UNREACHABLE
    assert sentence in answer.detail
