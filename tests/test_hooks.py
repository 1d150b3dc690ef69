"""Hooks: what works, what does not, and what is said of it. A hook can neither hang the run nor fill its memory."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import (
    HostileServer,
    Script,
    drip,
    eventually,
    finish_writing,
    forever,
    hold,
    read_request,
    read_to_end,
    reset,
    send,
    within_watchdog,
)

from conformance import hooks
from conformance.provisions import Command, Hook, HttpCall, State

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def state(hook: Hook, *, seconds: float = 10.0, retries: int = 0) -> State:
    return State("fault", enter=hook, leave=hook, seconds=seconds, retries=retries)


def complaint(hook: Hook, *, seconds: float = 10.0, retries: int = 0) -> str:
    """What is said of a hook that must fail, and come back: one line that names it."""

    def go() -> str:
        with pytest.raises(hooks.HookFailed) as failed:
            hooks.enter(state(hook, seconds=seconds, retries=retries))
        return str(failed.value)

    said = within_watchdog(go)
    assert "\n" not in said
    assert said.startswith(f"the hook states.fault.enter ({' '.join(str(hook).split())}) failed: ")
    return said.partition(") failed: ")[2]


def playing(answer: bytes) -> Script:
    return [read_request, send(answer), finish_writing, read_to_end]


def answered(status: str, body: bytes = b"", *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def python(code: str, *arguments: str) -> Command:
    return Command((sys.executable, "-c", code, *arguments))


class TestHttp:
    """Hooks that are called over HTTP."""

    @pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Odd"])
    def test_any_2xx_will_do(self, status: str) -> None:
        with HostileServer(playing(answered(status))) as server:
            hooks.enter(state(HttpCall("POST", server.url)))
            hooks.leave(state(HttpCall("POST", server.url)))

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (answered("500 Oops", b"sorry,\r\n\tnot  today \x07"), "status 500, saying: sorry, not today \x07"),
            (answered("404 Not Found"), "status 404"),
            (answered("300 Multiple Choices"), "status 300"),
            (answered("304 Not Modified"), "status 304"),
            (answered("302 Found"), "status 302"),
            (answered("503 No", b"x" * 100_000), "status 503, saying: " + "x" * hooks.SHOWN),
            (b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\nshort", "status 500"),
            (b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", "status 500"),
            (b"SSH-2.0-x\r\n", "SSH-2.0-x"),
            (b"", "Remote end closed connection without response"),
        ],
        ids="500 404 300 304 302-without-location 503-long cut no-gzip no-http nothing".split(),
    )
    def test_anything_else_is_told(self, answer: bytes, said: str) -> None:
        with HostileServer(playing(answer)) as server:
            assert complaint(HttpCall("POST", server.url)) == said

    def test_a_redirect_is_not_followed(self) -> None:
        with HostileServer(playing(OK)) as elsewhere:
            answer = answered("307 Go", b"", f"Location: {elsewhere.url}/")
            with HostileServer(playing(answer)) as server:
                assert complaint(HttpCall("POST", server.url)) == "status 307"
            assert not elsewhere.peers

    def test_what_is_sent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """What the file says, and nothing of the operator's: neither a proxy nor a password."""
        (tmp_path / "netrc").write_text("default login somebody password hidden\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        hook = "/states?to=fault"
        with HostileServer(playing(OK)) as server:
            hooks.enter(state(HttpCall("PUT", server.url + hook, {"X-Team": "vision"}, "now, ü")))
            assert eventually(lambda: b"\xbc" in server.received[0])
            [received] = server.received
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"PUT /states?to=fault HTTP/1.1\r\n")
        assert b"\r\nX-Team: vision" in head
        assert body == "now, ü".encode()
        assert b"uthorization" not in head

    @pytest.mark.parametrize(
        "headers", [{"A": "\u20ac"}, {"A": "x\r\nB: y"}, {"A\n": "x"}], ids=["euro", "line", "name"]
    )
    def test_a_header_that_cannot_be(self, headers: dict[str, str]) -> None:
        with HostileServer(playing(OK)) as server:
            assert complaint(HttpCall("POST", server.url, headers))
            assert not any(server.received)

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("http://", "No host supplied"),
            ("http://[::1", "not a valid host"),
            ("http://a b", "invalid character"),
            ("http://x:99999999", ""),
            ("http://nobody.invalid", "not known"),
            (f"http://{'a' * 70}.invalid", "too long"),
        ],
    )
    def test_a_url_that_cannot_be(self, url: str, said: str) -> None:
        assert said in complaint(HttpCall("POST", url))

    def test_a_refused_connection(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        assert complaint(HttpCall("POST", f"http://127.0.0.1:{port}/x")) == "Connection refused"

    def test_a_reset(self) -> None:
        with HostileServer([read_request, reset]) as server:
            assert complaint(HttpCall("POST", server.url)) == "Connection reset by peer"

    def test_a_password_is_not_told(self) -> None:
        hook = HttpCall("POST", "http://me:hidden@127.0.0.1:9/a@b")
        assert "hidden" not in complaint(hook)
        assert str(hook) == "POST http://127.0.0.1:9/a@b"

    @pytest.mark.parametrize(
        "script",
        [
            [hold],
            [read_request, hold],
            [read_request, drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, gap=0.05)],
            [read_request, send(b"HTTP/1.1 500 No\r\n\r\n"), drip(b"y" * 1000, gap=0.05)],
            [read_request, send(b"HTTP/1.1 500 No\r\nX: "), forever(b"y" * 4096)],
        ],
        ids=["deaf", "mute", "dripped-head", "dripped-body", "endless-head"],
    )
    def test_the_time_is_kept(self, script: Script) -> None:
        """However slowly it comes, or however much."""
        with HostileServer(script) as server:
            said = complaint(HttpCall("POST", server.url), seconds=0.3)
        assert said == "it took longer than 0.3 s" or said.startswith("got more than 65536 bytes")

    def test_an_endless_body_is_cut(self) -> None:
        with HostileServer([read_request, send(b"HTTP/1.1 500 No\r\n\r\n"), forever(b"y" * 65536)]) as server:
            assert complaint(HttpCall("POST", server.url)) == "status 500, saying: " + "y" * hooks.SHOWN

    @pytest.mark.parametrize(("retries", "works"), [(0, False), (1, False), (2, True), (5, True)])
    def test_retries(self, retries: int, works: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hooks, "PAUSE", 0.0)
        bad = playing(answered("503 Not yet"))
        with HostileServer(bad, bad, playing(OK)) as server:
            if works:
                hooks.enter(state(HttpCall("POST", server.url), retries=retries))
            else:
                assert complaint(HttpCall("POST", server.url), retries=retries) == "status 503"
            assert len(server.peers) == min(retries + 1, 3)


class TestCommand:
    """Hooks that are programs."""

    def test_exit_code_0_will_do(self) -> None:
        hooks.enter(state(Command(("true",))))

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (Command(("no-such-program-anywhere",)), "No such file or directory"),
            (Command(("/",)), "Permission denied"),
            (Command(("a\0b",)), "embedded null byte"),
            (Command(("false",)), "exit code 1"),
            (python("import sys; print('one\\n\\ttwo'); print('three', file=sys.stderr); sys.exit(3)"), ""),
            (python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"), "exit code -15"),
            (python("print('x' * 10**7); raise SystemExit(9)"), "exit code 9, saying: " + "x" * hooks.SHOWN),
            (python("import sys; sys.stdout.buffer.write(b'\\xff\\xfe'); sys.exit(2)"), "saying: \ufffd\ufffd"),
        ],
        ids=["unknown", "directory", "nul", "false", "both-outputs", "signal", "huge", "no-utf-8"],
    )
    def test_anything_else_is_told(self, command: Command, said: str) -> None:
        found = complaint(command)
        assert said in found
        assert len(found) < 2 * hooks.SHOWN

    def test_both_outputs_are_one_line(self) -> None:
        said = complaint(python("import sys; print('one\\n\\ttwo', flush=True); sys.exit('three')"))
        assert said == "exit code 1, saying: one two three"

    def test_no_shell_reads_it(self, tmp_path: Path) -> None:
        touched = tmp_path / "touched"
        hooks.enter(state(Command(("echo", f"x; touch {touched}", f"$(touch {touched})", f"| touch {touched}"))))
        assert not touched.exists()

    def test_it_gets_no_input(self) -> None:
        hooks.enter(state(python("import sys; raise SystemExit(sys.stdin.read() != '')")))

    def test_the_time_is_kept_and_its_children_go_too(self, tmp_path: Path) -> None:
        """The grandchild would go on writing to the file."""
        file = tmp_path / "alive"
        file.write_bytes(b"")
        child = f"import time\nwhile True:\n open({str(file)!r}, 'ab').write(b'x'); time.sleep(0.01)"
        parent = "import subprocess, sys, time; subprocess.run([sys.executable, '-c', sys.argv[1]])"
        said = complaint(python(f"print('up', flush=True); {parent}", child), seconds=1.5)
        assert said == "it took longer than 1.5 s, saying: up"
        size = file.stat().st_size
        time.sleep(0.2)
        assert file.stat().st_size == size

    def test_what_it_leaves_running_is_let_be(self, tmp_path: Path) -> None:
        """A hook may well start a server."""
        file = tmp_path / "later"
        child = f"import time; time.sleep(0.3); print('still here'); open({str(file)!r}, 'w').close()"
        hooks.enter(
            state(python("import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])", child))
        )
        assert eventually(file.exists)

    def test_ctrl_c_ends_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does not hang on to the terminal's session, so we end it."""
        file = tmp_path / "pid"
        code = f"import os, time; open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

        def interrupted(_process: object, _seconds: float) -> int:
            assert eventually(lambda: file.exists() and bool(file.read_text()))
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr("subprocess.Popen.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            hooks.enter(state(python(code)))
        assert not Path(f"/proc/{file.read_text()}").exists()

    def test_retries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hooks, "PAUSE", 0.0)
        file = tmp_path / "tries"
        command = python(f"import sys; f = open({str(file)!r}, 'a+'); f.write('x'); sys.exit(f.tell() < 3)")
        assert complaint(command, retries=1) == "exit code 1"
        hooks.enter(state(command, retries=4))
        assert file.read_text() == "xxx"


@pytest.mark.parametrize("call", [hooks.enter, hooks.leave])
def test_a_state_without_hooks_needs_none(call: Callable[[State], None]) -> None:
    call(State("forbidden"))


def test_leaving_is_named_so() -> None:
    with pytest.raises(hooks.HookFailed, match=r"^the hook states\.fault\.leave \(false\) failed: exit code 1$"):
        hooks.leave(state(Command(("false",))))


def test_nothing_is_left_waiting() -> None:
    """A call that works leaves no thread behind."""
    before = threading.active_count()
    with HostileServer(playing(OK)) as server:
        for _ in range(5):
            hooks.enter(state(HttpCall("POST", server.url)))
    assert eventually(lambda: threading.active_count() <= before)
