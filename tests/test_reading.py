"""From the bytes of a request to what the documents say of it: what it breaks, leaves open and wishes for."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conformance.cases import corpus, images, odd_images
from conformance.cases.plan import Plan, plan
from conformance.cases.requests import Subject
from conformance.contract.clauses import catalogue
from conformance.contract.reading import FREE, Reading, read
from conformance.exchange import Case
from conformance.formats import http
from conformance.message import Headers, Request
from conformance.shipped import shipped
from conformance.target import Limits, Scene, Size, Target, load

ROOT = Path(__file__).parent.parent
HOST = b"127.0.0.1:8080"
TARGET = Target(
    name="sample",
    url="http://127.0.0.1:8080",
    scenes={
        "classification": Scene("classification", "cookies", "1"),
        "segmentation": Scene("segmentation", "circuits", "2", image=Size(96, 80)),
        "missing-project": Scene("missing-project", "nobody", "1"),
        "missing-version": Scene("missing-version", "cookies", "7"),
        "stopped": Scene("stopped", "boards", "1"),
    },
)
LIMITED = replace(TARGET, limits=Limits(max_image_bytes=20_000, min_image_side=80, max_image_side=300))
DETECT = "/2020-11-20/projects/cookies/models/1/detect"


@cache
def picture(kind: str = "PNG", size: tuple[int, int] = (256, 192), mode: str = "RGB") -> bytes:
    """A picture that Pillow wrote."""
    file = io.BytesIO()
    Image.new(mode, size, 0 if mode in "1LP" else (90, 120, 60)).save(file, kind)
    return file.getvalue()


PNG, JPEG = picture(), picture("JPEG")


def post(
    target: str | bytes = DETECT,
    content_type: str | None = "image/png",
    body: bytes = PNG,
    *extra: tuple[str, str],
    method: str = "POST",
    version: str = "HTTP/1.1",
    length: str | None = "",
) -> Request:
    """A request with the headers that it must have; ``length`` is the body's unless given, None for no such header."""
    headers: list[tuple[str | bytes, str | bytes]] = [("Host", HOST)]
    headers += [("Content-Type", content_type)] if content_type is not None else []
    headers += [("Content-Length", length or str(len(body)))] if length is not None else []
    return Request.build(method, target, [*headers, *extra], body, version)


def aimed(project: str = "cookies", version: str = "1") -> Request:
    """A request for a project and a version, both as they stand in the path."""
    return post(f"/2020-11-20/projects/{project}/models/{version}/detect")


def typed(content_type: str | None) -> Request:
    return post(content_type=content_type)


def carrying(body: bytes, content_type: str = "image/png") -> Request:
    return post(body=body, content_type=content_type)


def chunked(body: bytes = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG)) -> Request:
    return post(DETECT, "image/png", body, ("Transfer-Encoding", "chunked"), length=None)


def headed(*extra: tuple[str, str]) -> Request:
    return post(DETECT, "image/png", PNG, *extra)


def written(*lines: str, body: bytes = b"") -> Request:
    """A head line by line, and a body."""
    return Request("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1"), body)


LONG_TYPE = "image/png; x=" + "a" * 300
NOTHING: frozenset[str] = frozenset()

PATHS = {
    "plain": (aimed(), ""),
    "letters-digits-hyphen-underscore": (aimed("0aZ-_9-_"), ""),
    "one-letter": (aimed("a"), ""),
    "255-letters": (aimed("a" * 255), ""),
    "256-letters": (aimed("a" * 256), "project.length"),
    "256-wrong-letters": (aimed("." * 256), "project.pattern project.length"),
    "empty-project": (aimed(""), "project.length"),
    "leading-hyphen": (aimed("-a"), "project.pattern"),
    "leading-underscore": (aimed("_a"), "project.pattern"),
    "dot-inside": (aimed("a.b"), "project.pattern"),
    "newline-at-end": (aimed("cookies%0A"), "project.pattern"),
    "tab-at-end": (aimed("cookies%09"), "project.pattern"),
    "space": (aimed("a%20b"), "project.pattern"),
    "plus": (aimed("a+b"), "project.pattern"),
    "umlaut": (aimed("%C3%A4"), "project.pattern"),
    "umlaut-behind": (aimed("a%C3%A4"), "project.pattern"),
    "arabic-digit": (aimed("a%D9%A1"), "project.pattern"),
    "full-width-letter": (aimed("%EF%BD%81"), "project.pattern"),
    "escaped-twice": (aimed("%2563ookies"), "project.pattern"),
    "escaped-letter": (aimed("%63ookies"), ""),
    "escaped-hyphen": (aimed("a%2Db"), ""),
    "length-counts-decoded-characters": (aimed("%61" * 255), ""),
    "version-one": (aimed(version="1"), ""),
    "version-latest": (aimed(version="latest"), ""),
    "version-past-int32": (aimed(version="2147483648"), ""),
    "version-of-ten-digits": (aimed(version="9999999999"), ""),
    "version-of-eleven-digits": (aimed(version="10000000000"), "version.length"),
    "empty-version": (aimed(version=""), "version.length"),
    "version-zero": (aimed(version="0"), "version.pattern"),
    "leading-zero": (aimed(version="01"), "version.pattern"),
    "negative": (aimed(version="-1"), "version.pattern"),
    "with-a-fraction": (aimed(version="1.0"), "version.pattern"),
    "latest-capitalised": (aimed(version="Latest"), "version.pattern"),
    "latest-and-more": (aimed(version="latest1"), "version.pattern"),
    "version-and-newline": (aimed(version="1%0A"), "version.pattern"),
    "arabic-version": (aimed(version="%D9%A1"), "version.pattern"),
    "escaped-version": (aimed(version="%31"), ""),
    "long-and-wrong": (aimed(version="0000000000000"), "version.pattern version.length"),
    "both-labels-wrong": (aimed("-", "0"), "project.pattern version.pattern"),
    "encoded-slash": (aimed("a%2Fb"), "path.encoding"),
    "encoded-slash-in-version": (aimed(version="1%2f"), "path.encoding"),
    "dot-dot": (aimed(".."), "path.encoding"),
    "encoded-dot-dot": (aimed("%2E%2E"), "path.encoding"),
    "half-encoded-dot-dot": (aimed(".%2e"), "path.encoding"),
    "dot": (aimed("."), "path.encoding"),
    "three-dots": (aimed("..."), "project.pattern"),
    "nul": (aimed("cookies%00"), "path.encoding"),
    "bad-utf-8": (aimed("cookies%FF"), "path.encoding"),
    "overlong-utf-8": (aimed("%C1%A1"), "path.encoding"),
    "surrogate": (aimed("%ED%A0%80"), "path.encoding"),
    "broken-percent": (aimed("cookies%zz"), "path.encoding"),
    "lone-percent": (aimed("cookies%"), "path.encoding"),
    "detour": (post("/2020-11-20/projects/x/../cookies/models/1/detect"), "path.encoding route.literals"),
}

ROUTES = {
    "other-date": (post(DETECT.replace("2020-11-20", "2020-11-21")), "route.literals"),
    "upper-case": (post(DETECT.replace("detect", "DETECT")), "route.literals"),
    "singular": (post(DETECT.replace("projects", "project")), "route.literals"),
    "models-spelt-otherwise": (post(DETECT.replace("models", "Models")), "route.literals"),
    "segment-missing": (post("/2020-11-20/projects/cookies/models/1"), "route.literals"),
    "segment-extra": (post(DETECT + "/now"), "route.literals"),
    "stage-in-front": (post("/prod" + DETECT), "route.literals"),
    "elsewhere": (post("/elsewhere"), "route.literals"),
    "root": (post("/"), "route.literals"),
    "doubled-slash-before-projects": (post(DETECT.replace("/projects", "//projects")), "route.literals"),
    "doubled-slash-before-the-project": (post(DETECT.replace("/cookies", "//cookies")), "route.literals"),
    "doubled-slash-before-detect": (post(DETECT.replace("/detect", "//detect")), "route.literals"),
    "space-behind-detect": (post(DETECT + "%20"), "route.literals"),
    **{method: (post(method=method), "route.method") for method in "GET HEAD PUT DELETE OPTIONS PATCH DETECT".split()},
    "post-in-lower-case": (post(method="post"), "route.method"),
    "other-method-elsewhere": (post("/elsewhere", method="PUT"), "route.method"),
}

CONTENT_TYPES = {
    "png": (typed("image/png"), ""),
    "jpeg": (carrying(JPEG, "image/jpeg"), ""),
    "missing": (typed(None), "content-type.required"),
    "empty": (typed(""), "content-type.required"),
    "blank": (typed("  "), "content-type.required"),
    **{
        value: (typed(value), "content-type.values")
        for value in (
            "image/gif text/plain application/octet-stream binary/octet-stream nonsense image/pngx image/pn image "
            "application/png text/png ;"
        ).split()
    },
    "other-with-parameters": (typed("multipart/form-data; boundary=image"), "content-type.values"),
    "other-naming-png": (typed('text/plain; was="image/png"'), "content-type.values"),
    "other-of-255-letters": (typed("text/" + "a" * 250), "content-type.values"),
    "other-of-256-letters": (typed("text/" + "a" * 251), "content-type.values content-type.length"),
    "png-of-256-letters": (typed(LONG_TYPE[:256]), "content-type.length"),
    "png-of-255-letters": (typed(LONG_TYPE[:255]), ""),
}

BODIES = {
    "empty": (carrying(b""), "body.required"),
    "empty-and-no-length": (post(DETECT, "image/png", b"", length=None), "body.required"),
    "empty-chunks": (chunked(b"0\r\n\r\n"), "body.required"),
    "text": (carrying(b"This is not an image."), "body.image"),
    "one-byte": (carrying(b"\0"), "body.image"),
    "chunked-text": (chunked(b"4\r\ntext\r\n0\r\n\r\n"), "body.image"),
    **{sample.name: (carrying(sample.data), "body.image") for sample in odd_images.other_formats(256, 192)},
    "plain-png": (carrying(PNG), ""),
    "plain-jpeg": (carrying(JPEG, "image/jpeg"), ""),
}

HTTP = {
    "absolute-nonsense": (written("NONSENSE"), "http.malformed"),
    "nothing": (Request(b""), "http.malformed"),
    "no-empty-line": (Request(b"POST / HTTP/1.1\r\nHost: a\r\n"), "http.malformed"),
    "bare-line-feeds": (Request(b"POST / HTTP/1.1\nHost: a\n\n"), "http.malformed"),
    "no-host": (written(f"POST {DETECT} HTTP/1.1", "Content-Type: image/png"), "http.malformed"),
    "two-hosts": (headed(("Host", "elsewhere.invalid")), "http.malformed"),
    "two-lengths": (headed(("Content-Length", "5")), "http.malformed"),
    "two-lengths-in-one": (post(length=f"{len(PNG)}, 5"), "http.malformed"),
    "length-with-a-sign": (post(length=f"+{len(PNG)}"), "http.malformed"),
    "length-in-words": (post(length="many"), "http.malformed"),
    "length-and-chunks": (headed(("Transfer-Encoding", "chunked")), "http.malformed"),
    "broken-chunks": (chunked(b"zz\r\ntext\r\n0\r\n\r\n"), "http.malformed"),
    "unknown-coding": (
        post(DETECT, "image/png", PNG, ("Transfer-Encoding", "rot13"), length=None),
        "http.malformed",
    ),
    "unknown-version": (post(version="HTTQ/1.1"), "http.malformed"),
    "space-in-target": (post(DETECT + " x"), "http.malformed"),
    "raw-byte-in-target": (post(DETECT.encode() + b"\xff"), "http.malformed"),
    "fragment-in-target": (post(DETECT + "#x"), "http.malformed"),
    "space-before-colon": (
        written(f"POST {DETECT} HTTP/1.1", "Host: a", "Content-Type : image/png", "Content-Length: 0"),
        "http.malformed",
    ),
    "line-without-colon": (written(f"POST {DETECT} HTTP/1.1", "Host: a", "Nonsense"), "http.malformed"),
    "folded-line": (written(f"POST {DETECT} HTTP/1.1", "Host: a", "X: a", " b"), "http.malformed"),
    "nul-in-header": (headed(("X-Nul", "a\0b")), "http.malformed"),
    "header-bomb-of-one-line": (headed(("X-Huge", "a" * 200_000)), "http.malformed"),
    "header-bomb-of-many-lines": (headed(*(("X-Bomb", "x"),) * 5000), "http.malformed"),
    "http-1.0": (post(version="HTTP/1.0"), ""),
    "space-around-values": (headed(("X-Padded", "\t a \t")), ""),
    "chunk-extensions": (chunked(b"%x;name=value\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG)), ""),
    "trailers": (chunked(b"%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(PNG), PNG)), ""),
}

SEVERAL = {
    "everything": (
        post("/2020-11-20/projects/-/models/0/detect", "text/plain", b""),
        "project.pattern version.pattern content-type.values body.required",
    ),
    "unknown-project-and-type": (
        post("/2020-11-20/projects/unheard-of/models/1/detect", "text/plain", b"text"),
        "content-type.values body.image",
    ),
    "other-route-and-empty-body": (post("/elsewhere", "image/png", b""), "route.literals body.required"),
}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(*row, id=f"{table}-{name}")
        for table, rows in {
            "path": PATHS,
            "route": ROUTES,
            "type": CONTENT_TYPES,
            "body": BODIES,
            "http": HTTP,
            "several": SEVERAL,
        }.items()
        for name, row in rows.items()
    ],
)
def test_a_request_breaks_what_its_bytes_break(request_: Request, expected: str) -> None:
    """The clauses that a request breaks, and no others."""
    assert set(expected.split()) == read(request_, TARGET).breaks


LIMITS = {
    "at-the-weight": (carrying(images.padded_png(256, 192, 20_000).data), True, ""),
    "past-the-weight": (carrying(images.padded_png(256, 192, 20_001).data), False, "body.declared-limits"),
    "narrowest": (carrying(picture(size=(80, 120))), True, ""),
    "too-narrow": (carrying(picture(size=(79, 120))), False, "body.declared-limits"),
    "too-low": (carrying(picture(size=(120, 79))), False, "body.declared-limits"),
    "widest": (carrying(picture(size=(300, 120))), True, ""),
    "too-wide": (carrying(picture(size=(301, 120))), False, "body.declared-limits"),
    "too-high": (carrying(picture(size=(120, 301))), False, "body.declared-limits"),
    "within": (carrying(picture(size=(120, 120))), False, ""),
}


@pytest.mark.parametrize(("request_", "at_limit", "breaks"), LIMITS.values(), ids=LIMITS)
def test_declared_limits_count(request_: Request, at_limit: bool, breaks: str) -> None:
    """At a declared limit an image is taken; past it, it breaks the clause; nothing of it stays open."""
    reading = read(request_, LIMITED)
    assert (frozenset(breaks.split()), NOTHING, at_limit) == (reading.breaks, reading.open, reading.at_limit)


OPEN = {
    "nothing-unusual": (post(), ""),
    "legal-unknown-headers": (headed(("X-Unknown", "1"), ("X-Empty", ""), ("Amz-Sdk-Request", "attempt=1")), ""),
    "user-agent-and-accept": (headed(("User-Agent", "x"), ("Accept", "*/*")), ""),
    "header-names-in-lower-case": (
        written(
            f"POST {DETECT} HTTP/1.1", "host: a", "content-type: image/png", f"content-length: {len(PNG)}", body=PNG
        ),
        "",
    ),
    "head-of-8000-bytes": (headed(("X-Long", "a" * 7850)), ""),
    "escaped-label": (aimed("%63ookies"), ""),
    "query": (post(DETECT + "?x=1"), "route.query"),
    "empty-query": (post(DETECT + "?"), "route.query"),
    "trailing-slash": (post(DETECT + "/"), "route.trailing-slash"),
    "trailing-slashes": (post(DETECT + "//"), "route.trailing-slash"),
    "escaped-letter-in-detect": (post(DETECT.replace("detect", "%64etect")), "route.encoded-literals"),
    "escaped-hyphen-in-date": (post(DETECT.replace("2020-", "2020%2D")), "route.encoded-literals"),
    "absolute-form": (post("http://127.0.0.1:8080" + DETECT), "route.absolute-form"),
    "type-in-upper-case": (typed("IMAGE/PNG"), "content-type.case"),
    "type-with-charset": (typed("image/png; charset=utf-8"), "content-type.parameters"),
    "type-in-upper-case-with-charset": (typed("Image/PNG;charset=utf-8"), "content-type.case content-type.parameters"),
    "jpg": (carrying(JPEG, "image/jpg"), "content-type.jpg"),
    "two-types": (headed(("Content-Type", "image/png")), "content-type.repeated"),
    "two-unlike-types": (headed(("Content-Type", "text/plain")), "content-type.repeated"),
    "png-as-jpeg": (carrying(PNG, "image/jpeg"), "body.mismatch"),
    "jpeg-as-png": (carrying(JPEG), "body.mismatch"),
    **{
        sample.name: (carrying(sample.data, sample.media_type), "body.damaged")
        for sample in odd_images.damaged(256, 192)
    },
    "chunked": (chunked(), "body.length"),
    "expect": (headed(("Expect", "100-continue")), "http.expect"),
    "a-megabyte": (carrying(images.padded_png(256, 192, 1_000_000).data), ""),
    "more-than-eight-megabytes": (carrying(images.padded_png(256, 192, 8_000_001).data), "body.limits"),
    "63-pixels": (carrying(picture(size=(63, 64))), "body.limits"),
    "64-pixels": (carrying(picture(size=(64, 64))), ""),
    "4096-pixels": (carrying(picture(size=(4096, 64))), ""),
    "4097-pixels": (carrying(picture(size=(4097, 64))), "body.limits"),
    "declared-size": (
        post("/2020-11-20/projects/circuits/models/2/detect", body=picture(size=(96, 80))),
        "",
    ),
    "other-size": (
        post("/2020-11-20/projects/circuits/models/2/detect", body=picture(size=(80, 96))),
        "body.dimensions",
    ),
}


@pytest.mark.parametrize(("request_", "expected"), OPEN.values(), ids=OPEN)
def test_a_request_raises_what_the_documents_leave_open(request_: Request, expected: str) -> None:
    """Matters of the interpretation register break nothing, and legal liberties raise none of them."""
    reading = read(request_, TARGET)
    matters = {matter for matter in reading.open if expected or matter != FREE}
    assert (NOTHING, set(expected.split())) == (reading.breaks, matters)


WISHES = {
    "plain-png": (PNG, ""),
    "plain-jpeg": (JPEG, ""),
    "grey": (picture(mode="L"), "body.png-variants"),
    "palette": (picture(mode="P"), "body.png-variants"),
    "one-bit": (picture(mode="1"), "body.png-variants"),
    "alpha": (picture(mode="RGBA"), "body.png-variants"),
    **{f"png-{sample.name}": (sample.data, "body.png-variants") for sample in odd_images.png_variants(256, 192)},
    **{
        f"jpeg-{sample.name}": (sample.data, "body.jpeg-variants")
        for sample in odd_images.jpeg_variants(256, 192)
        if sample.name in ("grey", "progressive", "4-4-4", "4-2-2", "restart-markers", "exif", "not-jfif")
    },
}


@pytest.mark.parametrize(("body", "expected"), WISHES.values(), ids=WISHES)
def test_sound_variants_are_wished_for(body: bytes, expected: str) -> None:
    """A plain picture must be taken, another sound one should be; neither is at fault."""
    content_type = "image/jpeg" if body.startswith(b"\xff\xd8") else "image/png"
    reading = read(carrying(body, content_type), TARGET)
    assert (frozenset(expected.split()), NOTHING, NOTHING) == (reading.wishes, reading.breaks, reading.open)


SCENES = {
    "running": (aimed(), ("classification", True)),
    "running-and-escaped": (aimed("%63ookies", "%31"), ("classification", True)),
    "version-missing": (aimed(version="7"), ("missing-version", True)),
    "version-unheard-of": (aimed(version="8"), (None, True)),
    "stopped": (aimed("boards"), ("stopped", True)),
    "project-missing": (aimed("nobody"), ("missing-project", False)),
    "project-missing-whatever-the-version": (aimed("nobody", "latest"), ("missing-project", False)),
    "project-unheard-of": (aimed("unheard-of"), (None, False)),
    "other-case": (aimed("Cookies"), (None, False)),
}


@pytest.mark.parametrize(("request_", "expected"), SCENES.values(), ids=SCENES)
def test_a_path_names_a_scene(request_: Request, expected: tuple[str | None, bool]) -> None:
    """The declared scene that a path names, and whether its project is declared to exist."""
    reading = read(request_, TARGET)
    assert expected == (reading.scene, reading.exists)


BELOW = {
    "plain": (post(), True),
    "wrong-label": (aimed("-"), True),
    "wrong-type": (typed("text/plain"), True),
    "empty-body": (carrying(b""), True),
    "other-route": (post("/elsewhere"), False),
    "other-method": (post(method="PUT"), False),
    "encoded-slash": (aimed("a%2Fb"), False),
    "trailing-slash": (post(DETECT + "/"), False),
    "no-http": (written("NONSENSE"), False),
}


@pytest.mark.parametrize(("request_", "expected"), BELOW.values(), ids=BELOW)
def test_the_operation_is_reached_by_method_literals_and_labels(request_: Request, expected: bool) -> None:
    """The answer to a request whose method and literals are right and whose labels decode is the operation's."""
    assert expected is read(request_, TARGET).reaches_operation


SEEDS = [row[0] for rows in (PATHS, ROUTES, CONTENT_TYPES, HTTP) for row in rows.values() if len(row[0].wire) < 5000]
HEADS = st.sampled_from([request.head for request in SEEDS]) | st.binary(max_size=200)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(head=HEADS, at=st.integers(0, 400), patch=st.binary(max_size=6), cut=st.integers(0, 6), body=st.binary())
def test_reading_never_raises(head: bytes, at: int, patch: bytes, cut: int, body: bytes) -> None:
    """Whatever the bytes of head and body are, they are read, and read alike again."""
    request = Request(head[:at] + patch + head[at + cut :], body)
    assert read(Request(request.head, request.body), LIMITED) == read(request, LIMITED)


LABELS = st.text(st.sampled_from("aZ09-_.%2FfeE/ä\n١+~ latest"), max_size=14) | st.text(max_size=14)
TYPES = st.sampled_from(["image/png", "image/jpeg", "IMAGE/png;a=b", "", "text/plain"]) | st.text(
    st.characters(max_codepoint=255), max_size=30
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(project=LABELS, version=LABELS, content_type=TYPES, body=st.sampled_from([PNG, JPEG, b"", b"GIF89a", PNG[:40]]))
def test_labels_and_types_never_make_it_raise(project: str, version: str, content_type: str, body: bytes) -> None:
    """Whatever labels and media types say; and no clause is named that there is not."""
    path = f"/2020-11-20/projects/{project}/models/{version}/detect".encode()
    reading = read(post(path, content_type, body), TARGET)
    assert reading.breaks | (reading.open - {FREE}) | reading.wishes <= set(catalogue().clauses)


# ---- the corpus and the plan


@cache
def reference() -> Target:
    return load(ROOT / "fixtures" / "targets" / "reference.toml")


@cache
def planned() -> Plan:
    return plan(reference(), HOST)


@cache
def planned_readings() -> list[tuple[Case, Reading]]:
    """Every single case of the plan and what it is."""
    return readings(planned().singles, reference())


@cache
def unlimited_readings() -> list[tuple[Case, Reading]]:
    """The same for a target that declares no limits."""
    target = replace(reference(), limits=Limits())
    return readings(plan(target, HOST).singles, target)


def readings(cases: Iterable[Case], target: Target) -> list[tuple[Case, Reading]]:
    return [(case, read(case.request, target)) for case in cases]


@pytest.mark.parametrize("clause", [clause.id for clause in catalogue().tested() if clause.earns])
def test_every_request_clause_is_broken_alone_by_a_planned_case(clause: str) -> None:
    """For each clause that says what its breach earns there is a case that breaks nothing else."""
    assert any(reading.breaks == {clause} for _, reading in planned_readings())


@pytest.mark.parametrize(
    "matter",
    [
        clause.id
        for clause in catalogue().tested()
        if clause.question
        and not clause.id.startswith(("state.", "conduct.", "auth."))
        and clause.id != "body.dimensions"
    ],
)
def test_every_open_matter_of_requests_is_raised_alone(matter: str) -> None:
    """For each question of the register there is a case that asks nothing else, where no limits are declared."""
    alone = (frozenset({matter}), NOTHING, NOTHING)
    assert any((reading.open, reading.breaks, reading.wishes) == alone for _, reading in unlimited_readings())


def test_case_ids_are_unique() -> None:
    """No two cases share a name; only the witnesses are sent twice."""
    counts = Counter(case.id for case in planned().cases())
    witnesses = {case.id for case in planned().witnesses}
    assert witnesses == {name for name, count in counts.items() if count > 1}


def test_the_plan_is_deterministic() -> None:
    """The same target gets the same bytes in the same order."""
    images.plain_png.cache_clear()
    images.plain_jpeg.cache_clear()
    images.padded_png.cache_clear()
    for factory in (odd_images.png_variants, odd_images.jpeg_variants, odd_images.damaged, odd_images.other_formats):
        factory.cache_clear()
    assert planned() == plan(load(ROOT / "fixtures" / "targets" / "reference.toml"), HOST)


def test_the_plan_is_affordable() -> None:
    """At most 500 requests in all."""
    assert sum(1 for _ in planned().cases()) <= 500


SIZED = replace(
    reference(),
    scenes={
        name: replace(scene, image=Size(320, 240) if name == "classification" else Size(200, 280))
        if name in ("classification", "segmentation")
        else scene
        for name, scene in reference().scenes.items()
    },
)


def test_every_sound_image_has_the_declared_size() -> None:
    """To a model with a declared size go images of that size, those apart that ask what another size gets."""
    strays = []
    for case, reading in readings(plan(SIZED, HOST).cases(), SIZED):
        scene = SIZED.scenes.get(reading.scene or "")
        if scene and scene.image and reading.picture and reading.picture.sound and "size-" not in case.id:
            with Image.open(io.BytesIO(http.read(case.request).payload)) as sent:
                strays += [case.id] if sent.size != (scene.image.width, scene.image.height) else []
    assert strays == []


def test_other_sizes_are_tried_where_a_size_is_declared() -> None:
    """What a wrong size gets is asked, alone, in some case."""
    found = readings(plan(SIZED, HOST).singles, SIZED)
    assert any((reading.open, reading.breaks) == (frozenset({"body.dimensions"}), NOTHING) for _, reading in found)


def test_every_corpus_entry_uses_known_keys() -> None:
    """Entries are words apart and say nothing but how they differ."""
    for _, entry in corpus.entries():
        assert set(entry) <= corpus.KEYS
        assert "id" in entry


@pytest.mark.parametrize("name", ["classification", "segmentation"])
def test_every_corpus_entry_can_be_built_for_every_scene(name: str) -> None:
    """What an entry breaks does not depend on the scene that it is written for."""
    subject = Subject(reference().scenes[name], HOST)
    other = Subject(reference().scenes["classification"], HOST)
    for section, entry in corpus.entries():
        first, _ = corpus.build(entry, subject)
        second, _ = corpus.build(entry, other)
        assert read(first, reference()).breaks == read(second, reference()).breaks, f"{section}.{entry['id']}"


def test_every_corpus_entry_is_planned() -> None:
    """Nothing written by hand is left out."""
    written_down = {f"{section}.{entry['id']}" for section, entry in corpus.entries()}
    assert written_down <= {case.id for case in planned().singles}
    assert {file.stem for file in shipped("fixtures", "cases").glob("*.yaml")} == {
        name.partition(".")[0] for name in written_down
    }


def test_planned_heads_hold_no_accidents() -> None:
    """Every planned request that is proper HTTP says how long its body is, or chunks it, or has none."""
    for case, reading in readings(planned().cases(), reference()):
        names: Headers = case.request.headers
        announced = {name.lower() for name, _ in names} & {b"content-length", b"transfer-encoding"}
        assert not reading.proper or announced or not case.request.body, case.id
