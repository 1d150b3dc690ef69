"""A disguised run tells nothing of who asks, judges as much as any other, and shows who minds who asks."""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conformance import run, selftest
from conformance.cases import images, odd_images
from conformance.cases.disguise import (
    USUAL,
    Disguise,
    Manner,
    Marked,
    alike,
    as_an_sdk_has_it,
)
from conformance.cases.plan import plan
from conformance.certification import conduct
from conformance.contract.clauses import Level
from conformance.contract.reading import read
from conformance.evidence.rejudge import rejudged
from conformance.exchange import Case
from conformance.exploration import DEPTHS
from conformance.in_process import Server
from conformance.message import Answer, Delivery, Request
from conformance.patience import Connection
from conformance.reference.mutants import MUTANTS, recognition
from conformance.reference.strains import Mutant, Variant
from conformance.reference.variants import VARIANTS
from conformance.report.record import ClauseRow, Conclusion, Outcome, Report
from conformance.signing import examined, signed
from conformance.target import Target
from conformance.wire import client as wire

HOST = b"127.0.0.1:8080"
TELLING = re.compile(
    rb"(?i:conformance|detect-anomalies|nobody|somebody|elsewhere|conveyor|an image\b|no image here|nonsense|rot13"
    rb"|\nx-(?:bomb|long|many|huge|line|unknown|nul|sum|place|odd)|8b0c1c7e|6f1c6a52)|exPl|EXPL|coNf|ABCD"
)
"""What only the suite says, and the chunks that only it knows."""
SHORTEST = 200
"""Bytes in which no image fits: the beginning of a file, or none of it."""
DRAWN = ("explored.", "schemathesis.")
GUARDED = next(variant for variant in VARIANTS if variant.guarded)


class _Heard:
    """A connection that notes what goes out."""

    def __init__(self, inner: Connection, heard: list[Request]) -> None:
        self._inner = inner
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
        self._heard.append(request)
        return self._inner.exchange(request, delivery)


class _Overheard(Server):
    """A server in this process that knows every request it was sent."""

    def __init__(self, strain: Variant | None) -> None:
        super().__init__(*((strain.behaviour,) if strain else ()))
        self.heard: list[Request] = []

    def open(self) -> Any:
        return _Heard(super().open(), self.heard)


def declared(*, signs: bool = False) -> Target:
    """The reference's target, with a missing project that its operator has thought of."""
    target = selftest.one_by_one(selftest.reference())
    scenes = dict(target.scenes)
    scenes["missing-project"] = replace(scenes["missing-project"], project="lathe-9")
    target = replace(target, scenes=scenes)
    return selftest.guarded(target) if signs else target


def prepared(manner: Manner, depth: str = "quick", *, signs: bool = False) -> run.Prepared:
    return run.prepare(declared(signs=signs), manner=manner, depth=DEPTHS[depth], shrink=False, environ=selftest.KEYS)


@cache
def course(manner: Manner, depth: str = "quick", *, signs: bool = False) -> tuple[Report, list[Request]]:
    """A run against the reference: the report, and everything that was sent."""
    server = _Overheard(GUARDED if signs else None)
    report, _ = prepared(manner, depth, signs=signs).against(server).go()
    return report, server.heard


def report_on(strain: Variant | Mutant, manner: Manner) -> Report:
    ready = run.prepare(declared(signs=strain.guarded), manner=manner, shrink=False, environ=selftest.KEYS)
    return ready.against(selftest.in_process(strain)).go()[0]


def names(request: Request) -> tuple[bytes, ...]:
    return tuple(name for name, _ in request.headers)


# What is sent.


@pytest.mark.parametrize("signs", [False, True], ids=["anonymous", "signed"])
def test_nothing_that_is_sent_tells_who_asks(signs: bool) -> None:
    """Plan, exploration and what takes the target's help: not a byte of it is a word of ours."""
    _, heard = course(Disguise("a"), "standard", signs=signs)
    assert Counter(match[0] for request in heard for match in TELLING.finditer(request.wire)) == Counter()


def test_the_sweep_would_find_them() -> None:
    """An ordinary run is full of such words."""
    _, heard = course(USUAL, "standard")
    assert len({match[0].lower() for request in heard for match in TELLING.finditer(request.wire)}) > 10


def pixels(body: bytes) -> str:
    """A digest of what an image shows; empty where it shows nothing, or is a bomb."""
    try:
        with Image.open(BytesIO(body)) as picture:
            if picture.width * picture.height > 10_000_000:
                return ""
            return sha256(picture.convert("RGBA").tobytes()).hexdigest()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return ""


@pytest.mark.filterwarnings("ignore:.*[Pp]alette images:UserWarning", "ignore:.*exceeds limit")
def test_two_seeds_have_no_image_in_common() -> None:
    """Neither file nor pixels; what is too short to show anything is the same for anybody."""
    sent = [{request.body for request in course(manner, "standard")[1]} for manner in (Disguise("a"), Disguise("b"))]
    sent.append({request.body for request in course(USUAL, "standard")[1]})
    assert min(map(len, sent)) > 100
    shown = [{pixels(body) for body in bodies} - {""} for bodies in sent]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert [body for body in sent[one] & sent[other] if len(body) > SHORTEST] == []
        assert shown[one] & shown[other] == set()


def test_every_factory_takes_a_salt() -> None:
    """Of each sort of image, another salt gives other bytes, and the same salt the same ones."""
    for factory in (odd_images.png_variants, odd_images.jpeg_variants, odd_images.damaged, odd_images.other_formats):
        one, again, other = ({each.name: each.data for each in factory(72, 64, salt)} for salt in ("a", "a", "b"))
        assert one == again
        same = {name for name in one if one[name] == other[name]}
        assert {name for name in same if len(one[name]) > SHORTEST} == set()
        assert [each.name for each in factory(72, 64)] == list(one)


def test_photographs_of_the_users_are_hardly_changed() -> None:
    """What is made of a photograph is fresh, too, and a model sees no difference."""
    photograph = images.plain_png(80, 64, 3).data
    plain, fresh = (Image.open(BytesIO(images.as_plain_png(photograph, salt))) for salt in ("", "a"))
    apart = [abs(a - b) for a, b in zip(plain.tobytes(), fresh.tobytes(), strict=True)]
    assert (max(apart), 0 < sum(map(bool, apart)) < len(apart) / 50) == (1, True)
    assert images.as_plain_jpeg(photograph, "a") != images.as_plain_jpeg(photograph, "b")


PIECES = [
    *(b"POST / HTTP/1.1\r\n", b"Host: x\r\n", b"Accept-Encoding: identity\r\n", b"\r\n", b"\n", b":", b" "),
    *(b"User-Agent: detect-anomalies-conformance\r\n", b"uSER-aGENT:\tdetect-anomalies-conformance\r\n"),
    *(b"Content-Type: image/png\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Authorization: x\r\n", b"amz-sdk-invocation-id: 1\r\n", b"X-Long: " + b"a" * 5000 + b"\r\n", b"nonsense"),
    *(b"X-Conformance-Case: y\r\n", b"/elsewhere", b"X-Sum: 1\r\n"),
]


@contextmanager
def listening(heard: list[tuple[int, bytes]]) -> Iterator[int]:
    """A socket server that notes ports and heads, and answers 404; gives its port."""
    refusal = b"HTTP/1.1 404 No\r\nx-amzn-ErrorType: ResourceNotFoundException\r\nContent-Length: 2\r\n\r\n{}"

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                    head += piece
                heard.append((peer[1], head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"))
                connection.sendall(refusal.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def as_boto3_asks(**options: Any) -> Request:
    boto3 = pytest.importorskip("boto3")
    heard: list[tuple[int, bytes]] = []
    with listening(heard) as port:
        client = boto3.client(
            "lookoutvision", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **options
        )
        with pytest.raises(ClientError):
            client.detect_anomalies(ProjectName="cookies", ModelVersion="1", ContentType="image/png", Body=b"x" * 10)
        client.close()
    return Request(heard[0][1])


def shape(value: bytes) -> bytes:
    """A value without what differs from one client, day or request to the next."""
    value = re.sub(rb"os/linux#\S+", b"os/linux#K", value)
    value = re.sub(rb" m/\S+", lambda match: b" m/" + b",".join(sorted(match[0][3:].split(b","))), value)
    return re.sub(rb"\d+(?:\.\d+)+|[0-9a-f]{8}-[0-9a-f-]{27}", b"N", value)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
def test_headers_are_those_of_boto3() -> None:
    """Name by name, in order, and value by value but for who asks for what."""
    theirs = as_boto3_asks(config=Config(signature_version=UNSIGNED))
    ours = prepared(Disguise("a")).plan.witnesses[0].request
    assert names(ours) == names(theirs)
    for name in (b"accept-encoding", b"content-type", b"user-agent", b"amz-sdk-invocation-id", b"amz-sdk-request"):
        assert shape(*ours.values(name)) == shape(*theirs.values(name)), name


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
def test_signed_headers_are_those_of_boto3() -> None:
    """A signature that is added later stands where boto3 has it, and is good."""
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), "abc", strict=True))
    theirs = as_boto3_asks(**keys)
    report, heard = course(Disguise("a"), signs=True)
    assert Conclusion.CONFORMANT is report.conclusion
    ordinary = Counter(names(request) for request in heard).most_common(1)[0][0]
    assert ordinary == names(theirs)
    ours = next(request for request in heard if names(request) == ordinary)
    assert shape(*ours.values(b"user-agent")) == shape(*theirs.values(b"user-agent"))


def test_what_asks_for_the_time_is_dressed_as_well() -> None:
    """The request by which a target's clock is read has no bare head."""
    _, heard = course(Disguise("a"), signs=True)
    [asked] = [request for request in heard if request.method == b"GET" and request.target == b"/"]
    assert names(asked)[:3] == (b"Host", b"Accept-Encoding", b"User-Agent")


def test_nearly_every_request_has_an_sdks_headers() -> None:
    """Only those whose headers are the point go without."""
    _, heard = course(Disguise("a"), "standard")
    dressed = [request for request in heard if b"boto3/" in request.head.lower()]
    assert len(dressed) > 0.97 * len(heard)


def test_no_invocation_is_sent_twice() -> None:
    """Each request is marked as one of its own, as an SDK does; what is compared is compared all the same."""
    _, heard = course(Disguise("a"), "standard")
    marks = Counter(mark for request in heard for mark in request.values(b"amz-sdk-invocation-id"))
    assert (max(marks.values()), len(marks) > 700) == (1, True)
    whole = prepared(Disguise("a")).plan
    [first, *_] = whole.witnesses
    again = next(case for case in whole.again if case.id == first.id)
    assert (first.request == again.request, alike(first.request) == alike(again.request)) == (False, True)


# The same seed, and the same cases.


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Byte for byte, what is planned and what is drawn."""
    one, other = prepared(Disguise("a"), "standard"), prepared(Disguise("a"), "standard")
    assert list(one.plan.cases()) == list(other.plan.cases())
    assert list(one.explorer.singles()) == list(other.explorer.singles())
    assert list(one.explorer.sequences()) == list(other.explorer.sequences())
    _, heard = course(Disguise("a"))
    server = _Overheard(None)
    one.against(server)  # nothing is sent by that
    assert server.heard == []
    prepared(Disguise("a")).against(server).go()
    assert server.heard == heard


def test_an_ordinary_run_is_as_it_was() -> None:
    """Without a disguise the plan is the fixed one, in its order."""
    ready = prepared(USUAL)
    assert ready.plan == plan(ready.target, HOST)
    assert prepared(Marked()).plan != ready.plan


def test_the_cases_are_the_same_in_another_order() -> None:
    """Witnesses come first; sequences and flights stay whole."""
    target = selftest.reference()
    usual, other = (run.prepare(target, manner=manner).plan for manner in (USUAL, Disguise("a")))
    for one, two in (
        (usual.witnesses, other.witnesses),
        (usual.witnesses, other.again),
        (usual.singles, other.singles),
    ):
        assert sorted(case.id for case in one) == sorted(case.id for case in two)
    for each, every in ((usual.sequences, other.sequences), (usual.flights, other.flights)):
        groups = [{tuple(case.id for case in group) for group in groups} for groups in (each, every)]
        assert groups[0] == groups[1]
    assert [case.id for case in usual.singles] != [case.id for case in other.singles]
    assert [case.id for case in other.singles] != [
        case.id for case in run.prepare(target, manner=Disguise("b")).plan.singles
    ]


def test_every_case_breaks_what_it_breaks_undisguised() -> None:
    """A disguise makes no other case of a case: the reading is the same, matters that are left open included."""
    target = declared()
    usual = {case.id: case for case in prepared(USUAL).plan.cases()}
    for case in prepared(Disguise("a")).plan.cases():
        before, after = (read(each.request, target) for each in (usual[case.id], case))
        assert (before.breaks, before.open, before.wishes, before.scene, before.media_type) == (
            after.breaks,
            after.open,
            after.wishes,
            after.scene,
            after.media_type,
        ), case.id
        assert case.delivery is usual[case.id].delivery


def test_large_heads_keep_their_size() -> None:
    """A head whose size is the point is no larger in a disguise, nor with a name tag."""
    usual = {case.id: len(case.request.head) for case in prepared(USUAL).plan.cases()}
    for manner in (Disguise("a"), Marked()):
        sizes = {case.id: len(case.request.head) for case in prepared(manner).plan.cases()}
        large = {name for name, size in usual.items() if size > 4096}
        assert {name: usual[name] for name in large} == {name: sizes[name] for name in large}
        assert large


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=14).map(b"".join), st.binary(max_size=80))
def test_anything_can_be_dressed(head: bytes, body: bytes) -> None:
    """However odd the bytes are, a disguise and a name tag are put on without a word, and the same way every time."""
    for manner in (Disguise("a"), Marked(), USUAL):
        clothe = manner.clothing(declared(), HOST)
        case = Case("odd", Request(head, body))
        assert clothe(case) == clothe(case)
        assert len(clothe(case).request.body) == len(body)


def test_what_is_sent_first_is_dressed_as_well() -> None:
    """What failed before is known by nothing but its fault."""
    known = Case("known", prepared(USUAL).plan.witnesses[0].request)
    [first, *_] = prepared(Disguise("a")).beginning_with([known]).plan.singles
    assert b"Boto3/" in first.request.head
    assert TELLING.search(first.request.head) is None


def test_what_the_target_declares_is_no_word_of_ours() -> None:
    """Names that the operator has chosen stay, even if they are those that we would use."""
    paths = {case.request.target for case in run.prepare(selftest.reference(), manner=Disguise("a")).plan.cases()}
    assert b"/2020-11-20/projects/nobody-has-this-project/models/1/detect" in paths


@pytest.mark.parametrize("depth", ["quick", "standard"])
@pytest.mark.parametrize("signs", [False, True], ids=["anonymous", "signed"])
def test_nothing_goes_unexercised(depth: str, signs: bool) -> None:
    """Every clause that a plain run judges is judged in disguise and with a name tag, and the reference keeps all."""
    plain, *others = (
        {row.clause.id: row.outcome for row in course(manner, depth, signs=signs)[0].rows}
        for manner in (USUAL, Disguise("a"), Marked())
    )
    assert [plain] * 2 == others


def test_a_disguised_run_judges_as_much() -> None:
    """Not only some of it: the fixed cases are judged as often by each clause."""
    plain, hidden, marked = (
        {row.clause.id: row.judged for row in course(manner)[0].rows} for manner in (USUAL, Disguise("a"), Marked())
    )
    assert plain == hidden == marked


def test_evidence_of_a_disguised_run_is_judged_again(tmp_path: Path) -> None:
    """It holds what was sent, and comes to the same."""
    server = _Overheard(None)
    ready = prepared(Disguise("a"))
    report, _ = ready.against(server).go(evidence=tmp_path)
    again = rejudged(tmp_path)
    assert [(row.clause.id, row.outcome, row.judged) for row in again.rows] == [
        (row.clause.id, row.outcome, row.judged) for row in report.rows
    ]


# The name tag.


def test_a_marked_run_says_who_asks() -> None:
    """The suite's name stands in every ordinary request, and the case in all that have a proper head."""
    for case in prepared(Marked(), "standard").plan.cases():
        tags = case.request.values(b"x-conformance-case")
        proper = case.request.version.startswith(b"HTTP/")
        assert tags == ((case.id.encode(),) if proper else ()), case.id
    _, heard = course(Marked(), "standard")
    assert sum(bool(request.values(b"x-conformance-case")) for request in heard) > 0.98 * len(heard)
    assert sum(b"detect-anomalies-conformance" in request.head for request in heard) > 0.9 * len(heard)


def test_a_marked_run_is_otherwise_the_ordinary_one() -> None:
    """Order, names and images are the fixed ones."""
    for usual, marked in zip(prepared(USUAL).plan.cases(), prepared(Marked()).plan.cases(), strict=True):
        assert (usual.id, usual.request.body) == (marked.id, marked.request.body)
        if len(usual.request.head) < 4096:
            assert alike(usual.request) == alike(marked.request)


# Signatures, and ports.


def test_a_signature_survives_its_place() -> None:
    """Moving its lines changes nothing of what is signed."""
    ready = prepared(Disguise("a"), signs=True)
    own = ready.stage._own
    assert own
    principal, scope = own
    request = signed(ready.plan.witnesses[0].request, principal, scope)
    moved = as_an_sdk_has_it(request)
    assert moved != request
    assert sorted(moved.headers) == sorted(request.headers)
    assert examined(moved, [principal], scope) == examined(request, [principal], scope) == "valid"
    assert as_an_sdk_has_it(moved) == moved


def ports(*, any_port: bool) -> list[int]:
    heard: list[tuple[int, bytes]] = []
    with listening(heard) as port:
        opened = wire.Client(wire.Endpoint.of(f"http://127.0.0.1:{port}"), wire.Limits(), any_port=any_port)
        for _ in range(12):
            with opened.open() as connection:
                connection.exchange(Request.build("POST", "/", [("Host", "x"), ("Content-Length", "0")]))
    return [each for each, _ in heard]


def test_source_ports_follow_from_nothing() -> None:
    """Drawn by us they are far apart, and odd as often as even."""
    drawn = ports(any_port=True)
    assert len(set(drawn)) == 12
    near = sum(abs(one - other) <= 64 for one, other in pairwise(drawn))
    assert near <= 2
    assert {port % 2 for port in drawn} == {0, 1}


def test_where_no_port_is_to_be_had_the_system_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is no reason not to ask."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setattr(wire, "_PORTS", [taken.getsockname()[1]])
        assert len(ports(any_port=True)) == 12


# Who minds.


@pytest.mark.parametrize("mutant", recognition.MUTANTS, ids=lambda each: each.id)
def test_who_knows_us_is_found_out(mutant: Mutant) -> None:
    """Two passes show it; an ordinary run would have been fooled."""
    if mutant.needs_sockets and sys.platform != "linux":
        pytest.skip("only Linux hands its ports out like this")
    assert mutant.recognises
    assert selftest.tried(mutant, "quick", http=mutant.needs_sockets).breached.keys() == {selftest.CONDUCT}


@pytest.mark.parametrize(
    "mutant",
    [
        each
        for each in recognition.MUTANTS
        if not each.needs_sockets and each.id != "only-who-names-a-case-is-served-well"
    ],
    ids=lambda each: each.id,
)
def test_who_knows_us_serves_an_ordinary_run_well(mutant: Mutant) -> None:
    """What it knows us by is there: without a disguise nothing is found."""
    ready = selftest.for_mutants(DEPTHS["quick"], http=False)
    report, _ = ready.against(selftest.in_process(mutant)).go()
    assert Conclusion.CONFORMANT is report.conclusion, report.reason


def test_the_pictures_that_are_known_are_ours() -> None:
    """The digests in the mutant are those of today's images."""
    witnesses = prepared(USUAL).plan.witnesses
    found = {sha256(Image.open(BytesIO(case.request.body)).tobytes()).hexdigest() for case in witnesses}
    assert found == recognition.KNOWN_PICTURES


_TRICKY = (
    "decision-is-thrown-like-dice one-answer-in-ten-is-slow third-answer-ends-the-connection "
    "every-twentieth-request-is-throttled clock-of-the-server-is-slow"
).split()
TRICKY = [each for each in VARIANTS if each.id in _TRICKY]


@pytest.mark.parametrize("variant", TRICKY, ids=lambda each: each.id)
def test_no_variant_is_accused(variant: Variant) -> None:
    """Dice, slowness and state are no reason to suspect anybody."""
    reports = [report_on(variant, manner) for manner in (Disguise("1"), Disguise("2"), Marked())]
    assert [[row.clause.id for row in report.failed(Level.MUST)] for report in reports] == [[], [], []]
    assert conduct.same_for_all(reports[:2], reports[2]) == ()
    assert conduct.flaky(reports[:2]) == ()


IN_PROCESS = [each for each in MUTANTS if not (each.needs_sockets or each.recognises)]


@pytest.mark.parametrize("mutant", IN_PROCESS[::40], ids=lambda each: each.id)
def test_mutants_are_caught_in_disguise(mutant: Mutant) -> None:
    """What is wrong is wrong with fresh images, too, and is no question of who asks."""
    ready = selftest.for_mutants(DEPTHS["standard"], http=False, signed=mutant.guarded, manner=Disguise("teeth"))
    trial = selftest.try_mutant(mutant, ready.against(selftest.in_process(mutant)))
    assert trial.caught_by(mutant.clauses), f"breached instead: {dict(trial.breached)}"


# What is a difference, and what is not.


def with_row(report: Report, clause: str, change: Callable[[ClauseRow], ClauseRow]) -> Report:
    return replace(report, rows=tuple(change(row) if row.clause.id == clause else row for row in report.rows))


@cache
def faulty() -> Report:
    """A report on a server whose confidence is above 1."""
    return report_on(next(each for each in MUTANTS if "result.confidence" in each.clauses), Marked())


def failing(case: str, judged: int, breached: int) -> Report:
    row = next(row for row in faulty().rows if row.outcome is Outcome.FAILED)
    failures = (replace(row.failures[0], case=case),)
    return with_row(
        course(Marked())[0],
        row.clause.id,
        lambda _: replace(row, failures=failures, judged=judged, breached=breached),
    )


def passing() -> Report:
    return course(Marked())[0]


def test_a_difference_says_what_it_is() -> None:
    """Which clause, what became of it either way, and that in a sentence."""
    [found] = conduct.same_for_all([failing("body.a", 100, 1)] * 3, passing())
    clause = next(row.clause.id for row in faulty().rows if row.outcome is Outcome.FAILED)
    assert (found.clause, found.unrecognised, found.recognised) == (clause, Outcome.FAILED, Outcome.PASSED)
    assert str(found) == (
        f"{clause} is breached in all 3 runs as an ordinary client, and kept when the suite says who asks"
    )
    [other] = conduct.same_for_all([passing()] * 3, failing("body.a", 100, 1))
    assert str(other) == (
        f"{clause} is kept in all 3 runs as an ordinary client, and breached when the suite says who asks"
    )


def test_who_is_always_alike_is_not_accused() -> None:
    """Faults that are there for everybody are no difference."""
    assert conduct.same_for_all([failing("body.a", 100, 1)] * 3, failing("body.a", 100, 1)) == ()
    assert conduct.same_for_all([passing()] * 3, passing()) == ()


def test_who_is_flaky_is_told_apart() -> None:
    """What fails in one run and not in the next has nothing to do with who asks."""
    reports = [failing("body.a", 100, 1), passing(), passing()]
    clause = next(row.clause.id for row in faulty().rows if row.outcome is Outcome.FAILED)
    assert conduct.same_for_all(reports, passing()) == ()
    assert conduct.flaky(reports) == (clause,)
    assert conduct.flaky([passing()] * 3) == conduct.flaky([]) == ()


def test_luck_is_no_difference() -> None:
    """A breach on another case each time, and seldom, may be missing by chance; one in three may not."""
    seldom = [failing(f"body.{letter}", 200, 1) for letter in "abc"]
    often = [failing(f"body.{letter}", 200, 70) for letter in "abc"]
    assert conduct.same_for_all(seldom, passing()) == ()
    assert len(conduct.same_for_all(often, passing())) == 1


def test_what_is_drawn_is_no_difference() -> None:
    """An explored request is another one in every run, even where its name is the same."""
    for name in DRAWN:
        assert conduct.same_for_all([failing(f"{name}7", 200, 1)] * 3, passing()) == ()
        assert len(conduct.same_for_all([failing(f"{name}7", 200, 100)] * 3, passing())) == 1


def test_a_run_that_was_cut_off_keeps_nothing() -> None:
    """What it did not come to see, it cannot have seen kept."""
    cut = replace(passing(), course=replace(passing().course, cut_off="stopped by the operator"))
    assert conduct.same_for_all([failing("body.a", 100, 1)] * 3, cut) == ()
    assert conduct.same_for_all([cut, passing()], failing("body.a", 100, 1)) == ()
    assert len(conduct.same_for_all([failing("body.a", 100, 1)], passing())) == 1


def test_readings_are_no_difference() -> None:
    """Where the documents are silent, two runs may be read in two ways."""
    observed = next(row.clause.id for row in passing().rows if row.readings)
    other = with_row(passing(), observed, lambda row: replace(row, readings={"other": row.judged}))
    assert conduct.same_for_all([other] * 3, passing()) == ()
