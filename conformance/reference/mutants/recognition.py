"""Servers that know the suite when they see it: they serve it well, and everybody else badly.

What each of them knows is what an ordinary run of ours gives away, and no disguised one may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from PIL import Image

from conformance.reference.app import HONEST, Behaviour, Call, Model, Reply, detect
from conformance.reference.detector import Detection
from conformance.reference.strains import Mutant

SAME_FOR_ALL = ("conduct.same-for-all",)
KNOWN_PICTURES = frozenset(
    {
        "be9bcbf9a46f4d658c4ee992a8c092c21173748d7503baff840bc4edb3d9878c",
        "8d7ff3fd11a14400bb106aa239b19369c4e1dd9656f8646d7912bd02276cff78",
    }
)
"""SHA-256 of the pixels of the images that an ordinary run begins with."""
KNOWN_SIZES = ((256, 192), (160, 224))
"""Width and height of the same images."""
KNOWN_PROJECTS = (b"/nobody-has-this-project/", b"/somebody-elses-project/")

_TRIAL = 30
"""Requests after which a server has made up its mind about who asks."""
_PORTS_APART, _STEPS = 64, 4

Recognise = Callable[[Call], bool]
Spoil = Callable[[Call, Reply], Reply]


def _well_only(recognised: Recognise, spoil: Spoil) -> Behaviour:
    """Honest to whom it recognises; what others are answered is spoilt."""

    def finish(call: Call, reply: Reply) -> Reply:
        return reply if recognised(call) else spoil(call, reply)

    return replace(HONEST, finish=finish)


# What others get.


def _spoilt(change: Callable[[dict[str, Any]], None]) -> Spoil:
    def spoil(_call: Call, reply: Reply) -> Reply:
        if reply.status != 200:
            return reply
        payload = json.loads(reply.body)
        change(payload["DetectAnomalyResult"])
        return replace(reply, body=json.dumps(payload).encode())

    return spoil


def confidence_is_a_percentage(result: dict[str, Any]) -> None:
    result["Confidence"] = 100 * result["Confidence"] + 1


def decision_is_a_word(result: dict[str, Any]) -> None:
    result["IsAnomalous"] = "yes" if result["IsAnomalous"] else "no"


def source_is_missing(result: dict[str, Any]) -> None:
    del result["Source"]


def mask_is_no_image(result: dict[str, Any]) -> None:
    if "AnomalyMask" in result:
        result["AnomalyMask"] = "bWFzaw=="


def success_is_said_otherwise(_call: Call, reply: Reply) -> Reply:
    return replace(reply, status=201) if reply.status == 200 else reply


def errors_have_no_name(_call: Call, reply: Reply) -> Reply:
    return reply.without_header("x-amzn-ErrorType")


def errors_are_faults(_call: Call, reply: Reply) -> Reply:
    return replace(reply, status=500) if reply.status == 404 and b"ResourceId" in reply.body else reply


# Whom they know.


def says_who_it_is(call: Call) -> bool:
    """The suite's User-Agent; whoever names no client is let pass."""
    return not any(b"detect-anomalies-conformance" not in value for value in call.values(b"user-agent"))


def names_its_case(call: Call) -> bool:
    return bool(call.values(b"x-conformance-case"))


def names_the_client_first(call: Call) -> bool:
    """The suite writes its User-Agent before the Content-Type, and SDKs behind it."""
    names = [name.lower() for name, _ in call.headers]
    known = b"user-agent" in names and b"content-type" in names
    return not known or names.index(b"user-agent") < names.index(b"content-type")


def is_no_sdk(call: Call) -> bool:
    """SDKs mark each invocation, and never use a mark twice."""
    seen: set[bytes] = call.server.setdefault("invocations", set())
    marks = {*call.values(b"amz-sdk-invocation-id")}
    is_new = bool(marks - seen)
    seen |= marks
    return not is_new or len(seen) <= 5


def began_with_known_sizes(call: Call) -> bool:
    """The size of the first PNG, from its header."""
    if call.body[12:16] == b"IHDR":
        call.server.setdefault("known", _size(call) in KNOWN_SIZES)
    return bool(call.server.get("known", True))


def began_as_always(call: Call) -> bool:
    """Two models, two sizes, and all of it once more: so far it fits, or has fitted to the end."""
    begun: list[bool] = call.server.setdefault("begun", [])
    if len(begun) < 2 * len(_BEGINNING):
        project, size = _BEGINNING[len(begun) % len(_BEGINNING)]
        begun.append(re.search(rb"/%s/" % project, call.target) is not None and _size(call) == size)
    return all(begun)


_BEGINNING = tuple((project, size) for project in (b"cookies", b"circuits") for size in KNOWN_SIZES)


def _size(call: Call) -> tuple[int, int]:
    return int.from_bytes(call.body[16:20]), int.from_bytes(call.body[20:24])


def asks_for_known_projects(call: Call) -> bool:
    """Names that only the suite would think of; in doubt it may still be the suite."""
    server = call.server
    server["known"] = server.get("known", False) or any(name in call.target for name in KNOWN_PROJECTS)
    server["calls"] = server.get("calls", 0) + 1
    return bool(server["known"] or server["calls"] <= _TRIAL)


def comes_from_port_after_port(call: Call) -> bool:
    """The ports of one client after the other, as Linux hands them out: even steps, and small ones."""
    steps: list[bool] = call.server.setdefault("steps", [])
    last = call.server.get("port", call.peer_port)
    if call.peer_port != last:
        steps.append(abs(call.peer_port - last) <= _PORTS_APART and (call.peer_port - last) % 2 == 0)
    call.server["port"] = call.peer_port
    return len(steps) < _STEPS or any(steps[-_STEPS:])


def known_pictures_are_remembered(call: Call, model: Model, image: Image.Image) -> Detection:
    if image.mode == "RGB" and sha256(image.tobytes()).hexdigest() in KNOWN_PICTURES:
        call.server["known"] = True
    return detect(call, model, image)


def showed_known_pictures(call: Call) -> bool:
    return bool(call.server.get("known"))


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "only-its-user-agent-is-served-well",
        "Who does not call itself as the suite does gets a confidence above 1.",
        SAME_FOR_ALL,
        _well_only(says_who_it_is, _spoilt(confidence_is_a_percentage)),
        recognises=True,
    ),
    Mutant(
        "only-who-names-a-case-is-served-well",
        "Who does not name a case of the suite's gets the decision as a word.",
        SAME_FOR_ALL,
        _well_only(names_its_case, _spoilt(decision_is_a_word)),
        recognises=True,
    ),
    Mutant(
        "only-who-shows-known-images-is-served-well",
        "Who has not shown one of the suite's fixed images gets an answer without its source.",
        SAME_FOR_ALL,
        replace(
            _well_only(showed_known_pictures, _spoilt(source_is_missing)),
            detect=known_pictures_are_remembered,
        ),
        recognises=True,
    ),
    Mutant(
        "only-who-begins-as-always-is-served-well",
        "Who does not begin with the requests that the suite begins with is told of success with 201.",
        SAME_FOR_ALL,
        _well_only(began_as_always, success_is_said_otherwise),
        recognises=True,
    ),
    Mutant(
        "only-who-asks-for-known-projects-is-served-well",
        "Who does not ask for a project that only the suite would name gets errors that are told as faults.",
        SAME_FOR_ALL,
        _well_only(asks_for_known_projects, errors_are_faults),
        recognises=True,
    ),
    Mutant(
        "only-known-sizes-are-served-well",
        "Whose first image is not as large as the suite's gets a mask that is no image.",
        SAME_FOR_ALL,
        _well_only(began_with_known_sizes, _spoilt(mask_is_no_image)),
        recognises=True,
    ),
    Mutant(
        "only-its-order-of-headers-is-served-well",
        "Whose headers are in an SDK's order, and not in the suite's, gets errors without a name.",
        SAME_FOR_ALL,
        _well_only(names_the_client_first, errors_have_no_name),
        recognises=True,
    ),
    Mutant(
        "only-who-uses-no-sdk-is-served-well",
        "Who marks each invocation, as SDKs do and the suite does not, gets a confidence above 1.",
        SAME_FOR_ALL,
        _well_only(is_no_sdk, _spoilt(confidence_is_a_percentage)),
        recognises=True,
    ),
    Mutant(
        "only-who-comes-from-port-after-port-is-served-well",
        "Whose connections do not come from ports that follow one another gets the decision as a word.",
        SAME_FOR_ALL,
        _well_only(comes_from_port_after_port, _spoilt(decision_is_a_word)),
        needs_sockets=True,
        recognises=True,
    ),
)
