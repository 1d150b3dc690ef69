"""How a run presents itself: as an ordinary client whom nobody has met before, or as what it is.

A disguise changes no case into another one. It gives every request the headers of an SDK in the SDK's order, puts other
words in the place of those that only the suite uses, and another order in the place of the planned one. The images are
made fresh where they are made. A request's reading is computed from its bytes, whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import ClassVar, TypeVar
from uuid import UUID

from conformance.cases.plan import Plan
from conformance.cases.requests import MARK
from conformance.exchange import Case
from conformance.message import Request
from conformance.signing import with_lines
from conformance.target import Target

CASE = b"X-Conformance-Case"
"""The header that says which case a request is."""
INVOCATION, ATTEMPT = b"amz-sdk-invocation-id", b"amz-sdk-request"
LARGE_HEAD = 4096
"""Bytes of a head whose size is likely to be what it is about: it keeps its size."""

_MARKED = re.compile(rb"(user-agent)([ \t]*:[ \t]*)" + re.escape(MARK) + rb"[ \t]*", re.IGNORECASE)
_OF_THE_SENDER = (b"x-amz-date", b"x-amz-security-token", b"authorization")
_TOLD_APART = re.compile(rb"\r\n(?:" + INVOCATION + rb"|" + CASE + rb"):[^\r\n]*", re.IGNORECASE)

_OUR_INVOCATION = "6f1c6a52-4d0c-4c0c-9d2e-0a4f0e1f7c11"
# Of the words that stand in the cases, those that hardly stand anywhere else
_OURS = (
    "nobody-has-this-project n%6Fb%6fdy%2dhas%5fthis%2Dproject somebody-elses-project elsewhere Nobody.Nothing "
    f"nonsense detect-anomalies x_odd.name X-Injected rot13 {_OUR_INVOCATION}"
).split()
_OUR_HEADERS = "Bare Bell Bomb Empty Huge Injected Line Long Many Nul Odd Place Space Sum Unknown".split()
_KEPT = re.compile(r"%[0-9A-Fa-f]{2}|detect-|[Xx][-_]|[^A-Za-z0-9]")
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstv"
_VERSIONS, _PYTHONS = ("1.44.1", "1.44.2", "1.44.3", "1.44.4", "1.44.5"), ("3.11.9", "3.12.3", "3.12.8", "3.13.1")
_KERNELS = (
    "5.10.0-28-amd64",
    "5.15.0-113-generic",
    "6.1.0-21-amd64",
    "6.1.94-99.176.amzn2023.x86_64",
    "6.8.0-45-generic",
)

_Item = TypeVar("_Item")
Clothe = Callable[[Case], Case]


def alike(request: Request) -> tuple[bytes, bytes]:
    """What requests have in common that differ in nothing but a mark by which each sending is told from the others."""
    return _TOLD_APART.sub(b"", request.head), request.body


@dataclass(frozen=True)
class Usual:
    """A run as it always is: it says what it is, and is the same every time."""

    salt: ClassVar[str] = ""
    hides: ClassVar[bool] = False
    """Whether connections, too, are to give nothing away."""

    def clothing(self, _target: Target, _host: bytes) -> Clothe:
        """How a case is to be dressed before it is sent."""
        return lambda case: case

    def arranged(self, plan: Plan, _clothe: Clothe) -> Plan:
        """The plan as it is to be sent."""
        return plan


@dataclass(frozen=True)
class Marked:
    """A run as it always is, that says with every request who asks, and for which case."""

    salt: ClassVar[str] = ""
    hides: ClassVar[bool] = False

    def clothing(self, _target: Target, _host: bytes) -> Clothe:
        return _with_its_name

    def arranged(self, plan: Plan, clothe: Clothe) -> Plan:
        return _dressed(plan, clothe)


@dataclass(frozen=True)
class Disguise:
    """A run in which nothing tells the suite from an ordinary client; the same seed gives the same bytes."""

    seed: str
    hides: ClassVar[bool] = True

    @cached_property
    def salt(self) -> str:
        """What makes images and names others than the usual ones. It says nothing of the seed."""
        return sha256(f"disguise {self.seed}".encode()).hexdigest()

    def clothing(self, target: Target, host: bytes) -> Clothe:
        """Dress a case as boto3 would write it, in words that are not ours."""
        names = (name for scene in target.scenes.values() for name in (scene.project, scene.version))
        declared = " ".join((*names, host.decode("latin-1"))).lower()
        return _Clothing(self.salt, declared, target.auth is not None)

    def arranged(self, plan: Plan, clothe: Clothe) -> Plan:
        """The same cases in an order of our own: witnesses first, and what belongs together stays together."""
        chance = _chance(self.salt, "order")
        witnesses, singles = _shuffled(plan.witnesses, chance), _shuffled(plan.singles, chance)
        sequences, flights = _shuffled(plan.sequences, chance), _shuffled(plan.flights, chance)
        again = tuple(Case(f"{case.id}{_AGAIN}", case.request, case.delivery) for case in witnesses)
        dressed = _dressed(Plan(witnesses, singles, sequences, flights, again), clothe)
        named = tuple(replace(case, id=case.id.removesuffix(_AGAIN)) for case in dressed.again)
        return replace(dressed, again=named)


_AGAIN = ", again"
Manner = Usual | Marked | Disguise
USUAL = Usual()


def as_an_sdk_has_it(request: Request) -> Request:
    """The same request, its signature where boto3 writes it: in front of what marks the invocation."""
    lines = request.head.split(b"\r\n")
    own = [line for line in lines[1:] if _name(line) in _OF_THE_SENDER]
    place = _first(lines, (INVOCATION,))
    if place is None or not own or lines.index(own[-1]) < place:
        return request
    rest = [line for line in lines[place:] if line not in own]
    return replace(request, head=b"\r\n".join([*(line for line in lines[:place] if line not in own), *own, *rest]))


def _shuffled(each: tuple[_Item, ...], chance: Random) -> tuple[_Item, ...]:
    return tuple(chance.sample(each, len(each)))


def _dressed(plan: Plan, clothe: Clothe) -> Plan:
    return Plan(
        tuple(map(clothe, plan.witnesses)),
        tuple(map(clothe, plan.singles)),
        tuple(tuple(map(clothe, group)) for group in plan.sequences),
        tuple(tuple(map(clothe, group)) for group in plan.flights),
        tuple(map(clothe, plan.again)),
    )


def _with_its_name(case: Case) -> Case:
    """The case with its name in its request, unless that is too far from HTTP to have headers."""
    request = case.request
    if not request.version.startswith(b"HTTP/") or not request.head.endswith(b"\r\n\r\n"):
        return case
    kept = [line for line in request.head.split(b"\r\n") if _name(line) != CASE.lower()]
    named = with_lines(replace(request, head=b"\r\n".join(kept)), [(CASE, case.id.encode())])
    return replace(case, request=_as_large_as(request, named))


def _as_large_as(before: Request, after: Request) -> Request:
    """The request with the longest line of a large head cut, so that the head is no larger than it was before."""
    lines, surplus = after.head.split(b"\r\n"), len(after.head) - len(before.head)
    place = max(range(1, len(lines)), key=lambda number: len(lines[number]), default=0)
    if len(before.head) < LARGE_HEAD or surplus <= 0 or not place or len(lines[place]) < 2 * surplus:
        return after
    lines[place] = lines[place][:-surplus]
    return replace(after, head=b"\r\n".join(lines))


class _Clothing:
    """One disguise, cut for one target: what that declares is no word of ours."""

    def __init__(self, salt: str, declared: str, signs: bool) -> None:
        self._salt = salt
        self._agent = _user_agent(_chance(salt, "agent"), signs)
        ours = [word for word in _OURS if word.lower() not in declared]
        headers = "|".join(_OUR_HEADERS)
        self._words = re.compile(
            "|".join([*map(re.escape, ours), rf"(?<=\n)X-(?:{headers})(?=[-:\s])", "(?<=/)-bad-(?=/)"]).encode(),
            re.IGNORECASE,
        )

    def __call__(self, case: Case) -> Case:
        request = case.request
        lines = _completed(request.head.split(b"\r\n"))
        place = next((number for number, line in enumerate(lines) if _MARKED.fullmatch(line)), None)
        lines = self._invoked_again(lines, case.id) if place is None else self._as_an_sdk(lines, place, case.id)
        head, body = self._reworded(b"\r\n".join(lines)), request.body
        if b"chunked" in head:
            body = body[:-_TRAILER] + self._reworded(body[-_TRAILER:])
        clothed = as_an_sdk_has_it(Request(head, body))
        return replace(case, request=_as_large_as(request, clothed))

    def _as_an_sdk(self, lines: list[bytes], place: int, name: str) -> list[bytes]:
        """The headers that boto3 sends, in its order where ours were in their usual one."""
        match = _MARKED.fullmatch(lines[place])
        spell, colon = _spelling(match[1] if match else b""), match[2] if match else b": "
        agent = spell(b"User-Agent") + colon + self._agent
        in_order = [_name(line) for line in lines[1:place]] == [b"host", b"accept-encoding"]
        rest = [line for number, line in enumerate(lines) if number != place]
        kind = _first(rest, (b"content-type",)) if in_order else None
        place = place if kind is None else kind + 1
        whole = [*rest[:place], agent, *rest[place:]]
        if _first(whole, (INVOCATION,)) is not None:
            return whole
        framing = _first(whole, (b"content-length", b"transfer-encoding"))
        at = place + 1 if framing is None else framing
        marks = [(INVOCATION, self._invocation(name)), (ATTEMPT, b"attempt=1; max=3")]
        return [*whole[:at], *(spell(key) + colon + value for key, value in marks), *whole[at:]]

    def _invoked_again(self, lines: list[bytes], name: str) -> list[bytes]:
        """What was dressed already, for another invocation; what is signed is left as it is."""
        place = _first(lines, (INVOCATION,))
        if place is None or b"\n".join(lines).count(INVOCATION) > 1:
            return lines
        key, colon, value = lines[place].partition(b":")
        space = value[: len(value) - len(value.lstrip())]
        return [*lines[:place], key + colon + space + self._invocation(name), *lines[place + 1 :]]

    def _invocation(self, name: str) -> bytes:
        return str(UUID(bytes=_chance(self._salt, f"invocation {name}").randbytes(16), version=4)).encode()

    def _reworded(self, octets: bytes) -> bytes:
        return self._words.sub(lambda match: self._instead(match[0]), octets)

    def _instead(self, word: bytes) -> bytes:
        """Another word of the same length, of which nobody has heard; the same one every time."""
        text = word.decode()
        chance = _chance(self._salt, f"word {text.lower()}")
        if text == _OUR_INVOCATION:
            return str(UUID(bytes=chance.randbytes(16), version=4)).encode()
        letters = _syllables(chance, len(text))
        kept = {place for match in _KEPT.finditer(text) for place in range(*match.span())}
        return "".join(
            old if place in kept else _as_was(old, letters[place]) for place, old in enumerate(text)
        ).encode()


_TRAILER = 64
"""Bytes at the end of a body in chunks in which a trailer may stand."""


def _completed(lines: list[bytes]) -> list[bytes]:
    """A head that names its host and nothing else, with what ordinary clients send besides."""
    if [_name(line) for line in lines[1:]] != [b"host", b"", b""]:
        return lines
    return [*lines[:2], b"Accept-Encoding: identity", b"User-Agent: " + MARK, b"", b""]


def _user_agent(chance: Random, signs: bool) -> bytes:
    """What boto3 calls itself on somebody's Linux."""
    version, python, kernel = map(chance.choice, (_VERSIONS, _PYTHONS, _KERNELS))
    features = ["Z", "b", "E", "N", *(["e"] if signs else [])]
    chance.shuffle(features)
    return (
        f"Boto3/{version} md/Botocore#{version} ua/2.1 os/linux#{kernel} md/arch#x86_64 lang/python#{python} "
        f"md/pyimpl#CPython m/{','.join(features)} cfg/retry-mode#standard Botocore/{version}"
    ).encode()


def _spelling(name: bytes) -> Callable[[bytes], bytes]:
    """How header names are spelt where User-Agent is spelt like this."""
    ways: dict[bytes, Callable[[bytes], bytes]] = {
        b"user-agent": bytes.lower,
        b"USER-AGENT": bytes.upper,
        b"uSER-aGENT": bytes.swapcase,
    }
    return ways.get(name, bytes)


def _syllables(chance: Random, length: int) -> str:
    start = chance.randrange(2)
    return "".join(chance.choice((_CONSONANTS, _VOWELS)[(start + place) % 2]) for place in range(length))


def _as_was(old: str, new: str) -> str:
    return new.upper() if old.isupper() else new


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def _first(lines: Sequence[bytes], names: Sequence[bytes]) -> int | None:
    """The place of the first header of one of these names."""
    return next((place for place, line in enumerate(lines) if place and _name(line) in names), None)


def _chance(salt: str, purpose: str) -> Random:
    return Random(f"{salt} {purpose}")  # noqa: S311 (the same numbers for the same seed are the point)
