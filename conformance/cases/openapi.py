"""Schemathesis as a second, independent generator: it knows the OpenAPI document and none of our rules.

This is the only module of cases that imports it, and only inside functions. What it calls a case, positive or negative,
counts for nothing: its data are written out here, byte for byte, and what a request breaks is read from the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.cases import images
from conformance.cases.requests import MARK, Subject
from conformance.contract.clauses import load_yaml
from conformance.contract.document import document
from conformance.exchange import Case
from conformance.formats import http
from conformance.message import Request
from conformance.target import Scene, Target

if TYPE_CHECKING:
    import schemathesis

    Drawn = schemathesis.Case[Any]
    Operation = schemathesis.APIOperation[Any, Any, Any, Any]

TEMPLATE = "/" + "/".join(document().path)
"""The path of the operation, as the document has it."""

# Schemathesis knows no project of the target's: of three drawn cases one names a model, and one its project only
LENT: tuple[tuple[str, ...], ...] = (("projectName", "modelVersion"), ("projectName",), ())
OWN_SAMPLE = 5
"""One drawn case in so many keeps the sample of 1x1 pixels that Schemathesis takes for an image."""


def generated(target: Target, host: bytes, seed: str, count: int, salt: str = "") -> Iterator[Case]:
    """Yield up to ``count`` cases: a third from the coverage phase, then as many positive as negative ones.

    The same seed gives the same bytes as long as nothing that is installed changes. Requests that equal an earlier one,
    or that HTTP cannot carry, are left out.
    """
    scenes = target.running() or [example_scene()]
    subjects = [Subject(scene, host, salt=salt) for scene in scenes]
    seen: set[bytes] = set()
    for mode, drawn in _drawn(seed, count):
        for number, case in enumerate(drawn, 1):
            # coverage varies one thing at a time around the examples, and those are lent in any case
            is_drawn = mode != "coverage"
            subject = subjects[number // len(LENT) % len(subjects)]
            lend_labels(case, subject.scene, LENT[number % len(LENT)] if is_drawn else ())
            keeps_sample = is_drawn and number % OWN_SAMPLE == 0
            picture = None if keeps_sample else picture_for(case, subject, number)
            body = picture or (_respecked(case, salt) if salt else b"") or _octets(case.body)
            request = _written(case, body, host)
            if request.wire not in seen and not http.read(request).faults:
                seen.add(request.wire)
                yield Case(f"schemathesis.{mode}-{number}", request)


def plain_document() -> dict[str, Any]:
    """The OpenAPI document without its extension keys."""
    plain: dict[str, Any] = _stripped(load_yaml("openapi.yaml"))
    return plain


def example_scene() -> Scene:
    """The document's own examples, for targets that declare no running model."""
    examples = _examples()
    return Scene("examples", examples["projectName"], examples["modelVersion"])


def lend_labels(case: Drawn, scene: Scene, names: Sequence[str] = ()) -> None:
    """Put the scene's labels in place of the document's examples, and of whatever stands under ``names``."""
    own = {"projectName": scene.project, "modelVersion": scene.version}
    case.path_parameters = {
        name: quote(own[name], safe="") if name in names or value == _examples()[name] else value
        for name, value in case.path_parameters.items()
    }


def picture_for(case: Drawn, subject: Subject, number: int = 0) -> bytes | None:
    """A picture that the model takes, for cases whose body is Schemathesis' own sample of 1x1 pixels.

    None for other bodies, samples of another type than the request names among them: those shall stay.
    """
    sample = getattr(case.body, "data", b"")
    if not sample or images.media_type_of(sample) != case.media_type:
        return None
    return subject.jpeg(number) if case.media_type == images.JPEG else subject.png(number)


@cache
def _examples() -> dict[str, str]:
    parameters = load_yaml("openapi.yaml")["components"]["parameters"]
    return {each["name"]: each["example"] for each in parameters.values()}


def _respecked(case: Drawn, salt: str) -> bytes:
    """A sample of ours in the place of Schemathesis' own, which is the same everywhere; empty where it is none."""
    sample = getattr(case.body, "data", b"")
    kind = images.media_type_of(sample)
    return images.speck(f"{salt} {case.media_type}", kind) if sample else b""


def _stripped(part: Any, *, names: bool = False) -> Any:
    """A part of the document without extensions; with ``names`` its keys are names of headers, and stay."""
    if isinstance(part, list):
        return [_stripped(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: value for key, value in part.items() if names or not key.startswith("x-")}
    return {key: _stripped(value, names=key == "headers") for key, value in kept.items()}


def _drawn(seed: str, count: int) -> Iterator[tuple[str, list[Drawn]]]:
    """What Schemathesis makes of the document, by mode."""
    import schemathesis

    # a configuration of our own, or one that lies in the working directory would be read
    config = schemathesis.Config(seed=_number(seed))
    schema = schemathesis.openapi.from_dict(plain_document(), config=config)
    operation = schema[TEMPLATE][document().method]
    coverage = _coverage(schema, operation)[: -(-count // 3)]
    yield "coverage", coverage
    rest = count - len(coverage)
    modes = {schemathesis.GenerationMode.POSITIVE: rest // 2, schemathesis.GenerationMode.NEGATIVE: -(-rest // 2)}
    for mode, share in modes.items():
        yield str(mode.value), _fuzzed(operation.as_strategy(generation_mode=mode), f"{seed} {mode.value}", share)


def _coverage(schema: schemathesis.BaseSchema, operation: Operation) -> list[Drawn]:
    """The cases of the coverage phase.

    ``iter_coverage_cases`` bears a public name on a public class, and no documentation mentions it: a new version of
    Schemathesis may move it, and then a test says so.
    """
    import schemathesis

    generation = schema.config.generation_for(operation=operation)
    modes = list(schemathesis.GenerationMode)
    return list(schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=generation))


def _fuzzed(strategy: Any, seed: str, count: int) -> list[Drawn]:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    from conformance.cases.strategies import UNMOVED

    drawn: list[Drawn] = []
    if not count:
        return drawn

    @seeded(_number(seed))
    @settings(
        max_examples=count,
        backend=UNMOVED,
        phases=[Phase.generate],
        database=None,
        derandomize=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Drawn) -> None:
        drawn.append(case)

    draw()
    return drawn


def _number(seed: str) -> int:
    return int.from_bytes(sha256(seed.encode()).digest()[:8])


def _written(case: Drawn, body: bytes, host: bytes) -> Request:
    """A case as bytes. The document declares neither query nor cookies, so there are none."""
    named = {name.lower() for name in case.headers}
    media_type = [("Content-Type", case.media_type)] if case.media_type and "content-type" not in named else []
    given = [(name.encode(), str(value).encode()) for name, value in (*case.headers.items(), *media_type)]
    headers: list[tuple[str | bytes, str | bytes]] = [
        (b"Host", host),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", MARK),
        *given,
        (b"Content-Length", str(len(body)).encode()),
    ]
    # Schemathesis hands its labels out percent-encoded; whatever it left is encoded here, once
    return Request.build(case.method, quote(case.formatted_path, safe="/%"), headers, body)


def _octets(body: Any) -> bytes:
    from schemathesis.core import NotSet

    if isinstance(body, NotSet):
        return b""
    if isinstance(body, bytes) or hasattr(body, "data"):
        return body if isinstance(body, bytes) else bytes(body.data)
    return (body if isinstance(body, str) else json.dumps(body)).encode()
