"""Calling a target's hooks: over HTTP, or as a program.

A hook that fails is a fault of the set-up, and never of the target.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from conformance.provisions import Command, Hook, HttpCall, State

SHOWN = 400
"""Characters of a hook's output that are told."""
PAUSE = 0.5
"""Seconds between two attempts."""


KEPT = 65_536
"""Bytes of it that are looked at: whoever hides secrets in it must see them whole."""


class HookFailed(Exception):
    """A hook did not work; the message says which, how, and what it said."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message + _quoted(said))
        self._message = message
        self._said = said

    def told(self, hide: Callable[[str], str]) -> str:
        """The message, in which something is hidden before anything is cut."""
        return hide(self._message) + _quoted(hide(self._said))


@dataclass(frozen=True)
class _Trouble:
    """What went wrong, and what was said of it."""

    what: str
    said: str = ""


def enter(state: State) -> None:
    """Put the target into a state. Raises HookFailed."""
    if state.enter:
        _call(f"states.{state.name}.enter", state.enter, state)


def leave(state: State) -> None:
    """Take the target out of a state. Raises HookFailed."""
    if state.leave:
        _call(f"states.{state.name}.leave", state.leave, state)


def _call(name: str, hook: Hook, state: State) -> None:
    for left in reversed(range(state.retries + 1)):
        trouble = _http(hook, state.seconds) if isinstance(hook, HttpCall) else _program(hook, state.seconds)
        if trouble is None:
            return
        if not left:
            raise HookFailed(f"the hook {name} ({_on_one_line(str(hook))}) failed: {trouble.what}", trouble.said)
        time.sleep(PAUSE)


def _http(hook: HttpCall, seconds: float) -> _Trouble | None:
    """Call it: what went wrong, or nothing. Waits no longer than ``seconds``, however slowly the answer drips."""
    trouble: list[_Trouble | None] = []
    calling = threading.Thread(target=lambda: trouble.append(_called(hook, seconds)), daemon=True)
    calling.start()
    calling.join(seconds)
    return trouble[0] if trouble else _Trouble(_too_long(seconds))


def _called(hook: HttpCall, seconds: float) -> _Trouble | None:
    import requests

    session = requests.Session()
    session.trust_env = False  # neither proxies nor passwords of the operator's are for it
    try:
        with (
            session,
            session.request(
                hook.method,
                hook.url,
                headers=dict(hook.headers),
                data=hook.body.encode() or None,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            if 200 <= answer.status_code <= 299:
                return None
            said = b""
            with suppress(requests.RequestException):  # what is told is the status
                said = next(answer.iter_content(KEPT), b"")
            return _Trouble(f"status {answer.status_code}", said.decode("utf-8", "replace"))
    except requests.Timeout:
        return _Trouble(_too_long(seconds))
    except Exception as error:  # a URL or a header that cannot be, and whatever the library makes of an answer
        return _Trouble(_reason(error))


def _reason(error: Exception) -> str:
    """What went wrong without the inside of the library."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return _on_one_line(str(getattr(cause, "strerror", None) or cause))


def _program(hook: Command, seconds: float) -> _Trouble | None:
    """Run it: what went wrong, or nothing."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(  # noqa: S603 (the operator's own program, and no shell)
                hook.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return _Trouble(error.strerror or str(error))
        except ValueError as error:  # a NUL in an argument
            return _Trouble(str(error))
        return _waited(process, seconds, lambda: _tail(output.fileno()))


def _waited(process: subprocess.Popen[bytes], seconds: float, output: Callable[[], str]) -> _Trouble | None:
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return _Trouble(_too_long(seconds), output())
    except BaseException:
        _kill(process)
        raise
    return _Trouble(f"exit code {code}", output()) if code else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    os.lseek(descriptor, max(0, size - KEPT), os.SEEK_SET)
    return os.read(descriptor, KEPT).decode("utf-8", "replace")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _too_long(seconds: float) -> str:
    return f"it took longer than {seconds:g} s"


def _quoted(text: str) -> str:
    text = _on_one_line(text)[-SHOWN:].strip()
    return f", saying: {text}" if text else ""
