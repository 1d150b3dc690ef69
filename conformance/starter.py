"""A first target file for somebody who has only a URL."""

from __future__ import annotations

from conformance.cases.requests import Draft, path
from conformance.message import NoAnswer
from conformance.mistake import OperatorMistake
from conformance.scenes import SCENES
from conformance.target import RUNNING, Scene, Target
from conformance.wire.client import Client, Endpoint, Limits

_SECONDS = 5.0
_STARTER = """\
# What this implementation declares of itself. Look whether it holds with: conformance doctor --target {file}

[target]
name = "{name}"
url = "{url}"
{auth}
[limits]
# requests = 2000           # the most that a run may send
# max_image_bytes = 8000000 # the largest encoded image that is taken
# rate = 5                  # requests a second beyond which it throttles

{scenes}
# [states.throttled]        # how to bring it into a state, and out of it again: an HTTP call, or a command
# enter = {{url = "http://127.0.0.1:8081/states/throttled/enter"}}
# leave = {{command = ["./leave-throttled.sh"]}}
"""
_AUTH = """
[auth] # it refused an unauthenticated request
kind = "sigv4"
region = "us-east-1"
access_key_env = "AWS_ACCESS_KEY_ID"
secret_key_env = "AWS_SECRET_ACCESS_KEY"
"""


def starter(target: Target, file: str) -> str:
    """A target file to begin with: what is known is filled in, and the rest stands there as comments.

    Sends one request, to see whether anybody is there and asks for authentication. Raises OperatorMistake when not.
    """
    try:
        endpoint = Endpoint.of(target.url)
    except ValueError as error:
        raise OperatorMistake(str(error)) from None
    connection = Client(endpoint, Limits(answer_seconds=_SECONDS)).open()
    answer = connection.exchange(Draft(endpoint.host_header, path("nobody-has-this-project", "1"), b"").request())
    connection.close()
    if isinstance(answer, NoAnswer):
        raise OperatorMistake(f"{target.url}: there is nobody to ask: {answer.kind}: {answer.detail}")
    scenes = "\n".join(_scene(name, target.scenes.get(name)) for name in SCENES)
    auth = _AUTH if answer.status in (401, 403) else ""
    return _STARTER.format(file=file, name=target.name, url=target.url, auth=auth, scenes=scenes)


def _scene(name: str, scene: Scene | None) -> str:
    mark = "" if scene else "# "
    note = f"{SCENES[name]}{'; false if it has none' if name in RUNNING else ''}"
    project, version = (scene.project, scene.version) if scene else ("PROJECT", "1")
    return f'{mark}[scenes.{name}] # {note}\n{mark}project = "{project}"\n{mark}version = "{version}"\n'
