"""Mutants that misread what comes with the path: content type, image, and the project, version and state it is for."""

from __future__ import annotations

import base64
import binascii
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

from PIL import Image, UnidentifiedImageError

from conformance.reference.app import (
    ERRORS,
    HONEST,
    SILENCE,
    Behaviour,
    Call,
    Model,
    NoReply,
    Reason,
    Refused,
    Reply,
    Store,
    answer,
    body_sent,
    content_type_has_length,
    content_types_sent,
    detect,
    find_model,
    load_image,
    open_image,
    render,
    size_is_allowed,
    without_parameters,
)
from conformance.reference.detector import Detection
from conformance.reference.strains import Mutant

_PNG = b"\x89PNG\r\n\x1a\n"
_DEPTH, _COLOUR, _INTERLACE = 24, 25, 28  # offsets of bytes in IHDR
_TYPES = HONEST.media_types


def _for_segmentation(call: Call) -> bool:
    return any(b"/%b/" % model.project.encode() in call.target for model in call.store if model.segments)


def _refuse_if(unsupported: bool) -> None:
    if unsupported:
        raise Refused(Reason.IMAGE, "The image is not supported.")


def _crash_if(forgotten: bool) -> None:
    if forgotten:
        raise KeyError("mode")


def _with_error(reason: Reason, status: int, error: str) -> Behaviour:
    return replace(HONEST, errors={**ERRORS, reason: (status, error)})


# Content type.


def missing_type_is_png(call: Call) -> Sequence[str]:
    return content_types_sent(call) or ["image/png"]


def missing_type_crashes(call: Call) -> Sequence[str]:
    return [content_types_sent(call)[0]]


def empty_type_is_png(call: Call) -> Sequence[str]:
    return [value or "image/png" for value in content_types_sent(call)]


def type_is_read_from_the_body(call: Call) -> Sequence[str]:
    return ["image/png" if call.body.startswith(_PNG) else "image/jpeg"]


def type_is_unchecked_for_segmentation(call: Call) -> Sequence[str]:
    return ["image/png"] if _for_segmentation(call) else content_types_sent(call)


def segmentation_takes_png_only(call: Call) -> Sequence[str]:
    types = content_types_sent(call)
    if _for_segmentation(call) and "image/jpeg" in types:
        raise Refused(Reason.CONTENT_TYPE, "content-type must be image/png")
    return types


def every_image_type_is_taken(value: str) -> str:
    return "image/png" if value.lower().startswith("image/") else without_parameters(value)


def type_need_only_begin_with_png(value: str) -> str:
    return "image/png" if value.lower().startswith("image/png") else without_parameters(value)


def type_need_only_mention_png(value: str) -> str:
    return "image/png" if "png" in value.lower() else without_parameters(value)


def type_may_be_a_wildcard(value: str) -> str:
    return "image/png" if fnmatch("image/png", without_parameters(value)) else without_parameters(value)


def long_types_are_taken(value: str) -> bool:
    return len(value) > 0


def types_have_at_most_256_characters(value: str) -> bool:
    return 1 <= len(value) <= 256


def long_types_crash(value: str) -> bool:
    if len(value) > 255:
        raise OverflowError("value too long for type character varying(255)")
    return content_type_has_length(value)


def type_with_parameters_crashes(value: str) -> str:
    (bare,) = value.split(";")
    return without_parameters(bare)


def type_in_capitals_crashes(value: str) -> str:
    if value != value.lower():
        raise KeyError(value)
    return without_parameters(value)


def type_without_a_slash_crashes(value: str) -> str:
    kind, subtype = without_parameters(value).split("/", 1)
    return f"{kind}/{subtype}"


def type_past_ascii_crashes(value: str) -> str:
    return without_parameters(value.encode("ascii").decode())


def image_jpg_crashes(value: str) -> str:
    if without_parameters(value) == "image/jpg":
        raise KeyError("JPG")
    return without_parameters(value)


def repeated_type_crashes(call: Call) -> Sequence[str]:
    (*missing, last) = content_types_sent(call) or [""]
    if missing:
        raise ValueError("too many values to unpack")
    return [last]


# The bytes of the body.


def empty_body_crashes(body: bytes) -> bool:
    return body[0] >= 0


def empty_body_is_a_white_image(call: Call) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(file, "PNG")
    return call.body or file.getvalue()


def first_64_kib_alone_are_read(call: Call) -> bytes:
    return call.body[: 64 * 1024]


def body_is_read_as_text(call: Call) -> bytes:
    return call.body.replace(b"\r\n", b"\n")


def base64_is_decoded(call: Call) -> bytes:
    try:
        return base64.b64decode(call.body, validate=True)
    except binascii.Error:
        return call.body


def image_may_begin_anywhere(call: Call) -> bytes:
    return call.body[max(0, call.body.find(_PNG)) :]


def forms_are_unwrapped(call: Call) -> bytes:
    if not call.body.startswith(b"--"):
        return call.body
    boundary, _, rest = call.body.partition(b"\r\n")
    return rest.partition(b"\r\n\r\n")[2].partition(b"\r\n" + boundary)[0]


def type_of_a_form_is_taken(value: str) -> str:
    return "image/png" if without_parameters(value) == "multipart/form-data" else without_parameters(value)


def mismatch_crashes(call: Call) -> bytes:
    if call.body.startswith(_PNG) and b"image/jpeg" in call.values(b"content-type"):
        raise SyntaxError("not a JPEG file")
    if call.body.startswith(b"\xff\xd8") and b"image/png" in call.values(b"content-type"):
        raise SyntaxError("not a PNG file")
    return call.body


def chunks_crash(call: Call) -> bytes:
    return body_sent(call)[: int(call.values(b"content-length")[0])]


def chunks_are_never_answered(call: Call, reply: Reply) -> bytes | NoReply:
    return SILENCE if call.values(b"transfer-encoding") else render(call, reply)


# Whether they are an image at all.


def _open_also(body: bytes, *formats: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(body), formats=["PNG", "JPEG", *formats])
    except Exception:  # as in open_image
        return open_image(body)


def gif_is_taken(body: bytes) -> Image.Image:
    return _open_also(body, "GIF")


def bmp_is_taken(body: bytes) -> Image.Image:
    return _open_also(body, "BMP", "DIB")


def webp_is_taken(body: bytes) -> Image.Image:
    return _open_also(body, "WEBP")


def tiff_is_taken(body: bytes) -> Image.Image:
    return _open_also(body, "TIFF")


def svg_is_drawn(body: bytes) -> Image.Image:
    return Image.new("RGB", (96, 96)) if b"<svg" in body[:1024] else open_image(body)


def pdf_is_drawn(body: bytes) -> Image.Image:
    return Image.new("RGB", (96, 96)) if body.startswith(b"%PDF-") else open_image(body)


def jpeg_is_no_image(body: bytes) -> Image.Image:
    _refuse_if(body.startswith(b"\xff\xd8"))
    return open_image(body)


def png_is_no_image(body: bytes) -> Image.Image:
    _refuse_if(body.startswith(_PNG))
    return open_image(body)


def unreadable_image_is_black(body: bytes) -> Image.Image:
    try:
        return open_image(body)
    except Refused:
        return Image.new("RGB", (96, 96))


def unreadable_image_crashes(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body), formats=["PNG", "JPEG"])


def bombs_crash(body: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(body), formats=["PNG", "JPEG"])
    except UnidentifiedImageError:
        return open_image(body)


def truncated_image_crashes(image: Image.Image) -> Image.Image:
    image.load()
    return image


def bad_checksum_crashes(body: bytes) -> Image.Image:
    for kind, content, checksum in _chunks(body):
        _crash_if(len(checksum) == 4 and zlib.crc32(kind + content) != int.from_bytes(checksum, "big"))
    return open_image(body)


def bytes_behind_the_image_crash(body: bytes) -> Image.Image:
    if body.partition(b"IEND\xaeB`\x82")[2]:
        raise ValueError("trailing data")
    return open_image(body)


def no_pixels_crash(body: bytes) -> Image.Image:
    if body.startswith(_PNG) and len(body) >= _DEPTH:
        width, height = int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")
        _aspect = width / height, height / width
    return open_image(body)


def large_image_crashes(size: tuple[int, int]) -> bool:
    if max(size) > 4096:
        raise MemoryError
    return size_is_allowed(size)


def small_image_crashes(size: tuple[int, int]) -> bool:
    if min(size) < 64:
        raise ValueError("kernel size cannot be greater than input size")
    return size_is_allowed(size)


def odd_sides_crash(size: tuple[int, int]) -> bool:
    if size[0] % 2 or size[1] % 2:
        raise ValueError("cannot reshape array")
    return size_is_allowed(size)


# Kinds of PNG and JPEG.


def _is_png_with(body: bytes, offset: int, *values: int) -> bool:
    return body.startswith(_PNG) and len(body) > offset and body[offset] in values


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Type, content and checksum of each chunk of a PNG file; nothing for other files."""
    place = len(_PNG) if body.startswith(_PNG) else len(body)
    while place < len(body):
        end = place + 8 + int.from_bytes(body[place : place + 4], "big")
        yield body[place + 4 : place + 8], body[place + 8 : end], body[end : end + 4]
        place = end + 4


def _sampling(image: Image.Image) -> tuple[int, int]:
    """How much finer than the colour the brightness of a JPEG is, across and down; (0, 0) for a PNG."""
    layers: list[Any] = getattr(image, "layer", [])
    return (layers[0][1], layers[0][2]) if len(layers) == 3 else (0, 0)


def grey_png_is_refused(body: bytes) -> Image.Image:
    _refuse_if(_is_png_with(body, _COLOUR, 0))
    return open_image(body)


def palette_png_crashes(body: bytes) -> Image.Image:
    _crash_if(_is_png_with(body, _COLOUR, 3))
    return open_image(body)


def grey_png_with_alpha_crashes(body: bytes) -> Image.Image:
    _crash_if(_is_png_with(body, _COLOUR, 4))
    return open_image(body)


def alpha_is_refused(body: bytes) -> Image.Image:
    _refuse_if(_is_png_with(body, _COLOUR, 4, 6))
    return open_image(body)


def one_bit_png_is_refused(body: bytes) -> Image.Image:
    _refuse_if(_is_png_with(body, _DEPTH, 1))
    return open_image(body)


def two_and_four_bits_crash(body: bytes) -> Image.Image:
    _crash_if(_is_png_with(body, _DEPTH, 2, 4))
    return open_image(body)


def sixteen_bits_are_refused(body: bytes) -> Image.Image:
    _refuse_if(_is_png_with(body, _DEPTH, 16))
    return open_image(body)


def sixteen_bit_grey_crashes(image: Image.Image) -> Image.Image:
    _crash_if(image.mode.startswith("I"))
    return load_image(image)


def interlaced_png_is_refused(body: bytes) -> Image.Image:
    _refuse_if(_is_png_with(body, _INTERLACE, 1))
    return open_image(body)


def unknown_chunks_are_refused(body: bytes) -> Image.Image:
    known = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
    _refuse_if(any(kind not in known for kind, _, _ in _chunks(body)))
    return open_image(body)


def transparent_colour_crashes(image: Image.Image) -> Image.Image:
    _crash_if("transparency" in image.info)
    return load_image(image)


def first_idat_alone_is_read(body: bytes) -> Image.Image:
    _refuse_if([kind for kind, _, _ in _chunks(body)].count(b"IDAT") > 1)
    return open_image(body)


def grey_jpeg_crashes(image: Image.Image) -> Image.Image:
    _crash_if(image.format == "JPEG" and image.mode == "L")
    return load_image(image)


def progressive_jpeg_is_refused(image: Image.Image) -> Image.Image:
    _refuse_if("progressive" in image.info)
    return load_image(image)


def jpeg_without_jfif_is_refused(body: bytes) -> Image.Image:
    _refuse_if(body.startswith(b"\xff\xd8") and body[6:10] != b"JFIF")
    return open_image(body)


def exif_crashes(image: Image.Image) -> Image.Image:
    _crash_if("exif" in image.info)
    return load_image(image)


def restart_markers_crash(body: bytes) -> Image.Image:
    _crash_if(body.startswith(b"\xff\xd8") and b"\xff\xdd\x00\x04" in body)
    return open_image(body)


def full_sampling_is_refused(image: Image.Image) -> Image.Image:
    _refuse_if(_sampling(image) == (1, 1))
    return load_image(image)


def halved_sampling_crashes(image: Image.Image) -> Image.Image:
    _crash_if(_sampling(image) == (2, 2))
    return load_image(image)


def segmentation_needs_three_channels(call: Call, model: Model, image: Image.Image) -> Detection:
    if model.segments:
        _red, _green, _blue = image.getbands()
    return detect(call, model, image)


# Projects, versions, states.


def unknown_project_is_the_first(store: Store, project: str, version: str) -> Model:
    known = any(model.project == project for model in store)
    return find_model(store, project, version) if known else store[0]


def unknown_project_crashes(store: Store, project: str, version: str) -> Model:
    _first = [model for model in store if model.project == project][0]  # noqa: RUF015 - the fault
    return find_model(store, project, version)


def unknown_version_is_the_latest(store: Store, project: str, version: str) -> Model:
    known = any(model.project == project and str(model.version) == version for model in store)
    return find_model(store, project, version if known else "latest")


def unknown_version_crashes(store: Store, project: str, version: str) -> Model:
    newest = find_model(store, project, "latest")
    return newest if version == "latest" else {str(newest.version): newest}[version]


def every_project_is_the_first(store: Store, project: str, version: str) -> Model:
    model = find_model(store, project, version)
    return store[0] if model.running else model


def stopped_model_is_served(_model: Model) -> bool:
    return True


def stopped_model_crashes(model: Model) -> bool:
    if not model.running:
        raise ConnectionRefusedError("no worker listens")
    return True


def stopped_model_keeps_the_client_waiting(call: Call, reply: Reply) -> bytes | NoReply:
    return SILENCE if reply.status == 409 else render(call, reply)


def first_refusal_starts_the_model(call: Call, reply: Reply) -> Reply:
    if reply.status != 409:
        return reply
    asked_before, call.server["asked"] = "asked" in call.server, True
    return answer(call, replace(HONEST, running=stopped_model_is_served)) if asked_before else reply


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "declared-limit-is-not-kept",
        "The target declares 8 MiB, and takes twice as much.",
        ("body.declared-limits",),
        replace(HONEST, max_body=2 * HONEST.max_body),
    ),
    Mutant(
        "declared-limit-is-one-byte-lower",
        "The target declares 8 MiB, and takes a byte less.",
        ("body.declared-limits", "route.operation"),
        replace(HONEST, max_body=HONEST.max_body - 1),
    ),
    Mutant(
        "missing-type-is-png",
        "A request without Content-Type is taken for a PNG.",
        ("content-type.required",),
        replace(HONEST, content_types=missing_type_is_png),
    ),
    Mutant(
        "missing-type-crashes",
        "The first Content-Type is taken without looking whether there is one.",
        ("content-type.required", "error.blame"),
        replace(HONEST, content_types=missing_type_crashes),
    ),
    Mutant(
        "empty-type-is-png",
        "An empty Content-Type is taken for image/png.",
        ("content-type.required",),
        replace(HONEST, content_types=empty_type_is_png),
    ),
    Mutant(
        "type-is-read-from-the-body",
        "Content-Type is never looked at: the bytes say what they are.",
        ("content-type.values", "content-type.required", "content-type.length"),
        replace(HONEST, content_types=type_is_read_from_the_body),
    ),
    Mutant(
        "type-is-unchecked-for-segmentation",
        "Content-Type is only looked at for classification models.",
        ("content-type.values", "content-type.required", "content-type.length"),
        replace(HONEST, content_types=type_is_unchecked_for_segmentation),
    ),
    Mutant(
        "segmentation-takes-png-only",
        "Segmentation models refuse image/jpeg.",
        ("content-type.accepted",),
        replace(HONEST, content_types=segmentation_takes_png_only),
    ),
    Mutant(
        "every-image-type-is-taken",
        "Whatever begins with image/ is a good type.",
        ("content-type.values",),
        replace(HONEST, media_type=every_image_type_is_taken),
    ),
    Mutant(
        "type-need-only-begin-with-png",
        "Whatever begins with image/png is a good type, such as image/pngx.",
        ("content-type.values",),
        replace(HONEST, media_type=type_need_only_begin_with_png),
    ),
    Mutant(
        "type-need-only-mention-png",
        "Whatever contains png is a good type, such as text/png.",
        ("content-type.values",),
        replace(HONEST, media_type=type_need_only_mention_png),
    ),
    Mutant(
        "type-may-be-a-wildcard",
        "The types */* and image/* are good ones.",
        ("content-type.values",),
        replace(HONEST, media_type=type_may_be_a_wildcard),
    ),
    Mutant(
        "png-type-is-refused",
        "The type image/png is refused.",
        ("content-type.accepted",),
        replace(HONEST, media_types=_TYPES - {"image/png"}),
    ),
    Mutant(
        "jpeg-type-is-refused",
        "The type image/jpeg is refused.",
        ("content-type.accepted",),
        replace(HONEST, media_types=_TYPES - {"image/jpeg"}),
    ),
    Mutant(
        "gif-type-is-taken",
        "The type image/gif is a good one.",
        ("content-type.values",),
        replace(HONEST, media_types=_TYPES | {"image/gif"}),
    ),
    Mutant(
        "octet-stream-is-taken",
        "The type application/octet-stream is a good one.",
        ("content-type.values",),
        replace(HONEST, media_types=_TYPES | {"application/octet-stream"}),
    ),
    Mutant(
        "binary-octet-stream-is-taken",
        "The type binary/octet-stream, which an old SDK always sends, is a good one.",
        ("content-type.values",),
        replace(HONEST, media_types=_TYPES | {"binary/octet-stream"}),
    ),
    Mutant(
        "type-of-curl-is-taken",
        "The type application/x-www-form-urlencoded, which curl sends unasked, is a good one.",
        ("content-type.values",),
        replace(HONEST, media_types=_TYPES | {"application/x-www-form-urlencoded"}),
    ),
    Mutant(
        "plain-text-is-taken",
        "The type text/plain is a good one.",
        ("content-type.values",),
        replace(HONEST, media_types=_TYPES | {"text/plain"}),
    ),
    Mutant(
        "wrong-type-earns-415",
        "A missing, empty or other type is answered 415.",
        ("content-type.values", "content-type.required", "content-type.length", "error.pair"),
        _with_error(Reason.CONTENT_TYPE, 415, "UnsupportedMediaTypeException"),
    ),
    Mutant(
        "wrong-type-is-no-route",
        "The route is chosen by Content-Type too, so another type is answered 404.",
        ("content-type.values", "content-type.required", "content-type.length"),
        _with_error(Reason.CONTENT_TYPE, 404, "UnknownOperationException"),
    ),
    Mutant(
        "long-types-are-taken",
        "A Content-Type of any length is looked at, and taken when its parameters are what is long.",
        ("content-type.length",),
        replace(HONEST, content_type_length=long_types_are_taken),
    ),
    Mutant(
        "types-have-at-most-256-characters",
        "A Content-Type of 256 characters is looked at.",
        ("content-type.length",),
        replace(HONEST, content_type_length=types_have_at_most_256_characters),
    ),
    Mutant(
        "long-types-crash",
        "A Content-Type of 256 characters or more is a server error.",
        ("content-type.length", "error.blame"),
        replace(HONEST, content_type_length=long_types_crash),
    ),
    Mutant(
        "type-with-parameters-crashes",
        "A Content-Type with a semicolon is a server error.",
        ("error.blame",),
        replace(HONEST, media_type=type_with_parameters_crashes),
    ),
    Mutant(
        "type-in-capitals-crashes",
        "A Content-Type with a capital letter is a server error.",
        ("error.blame",),
        replace(HONEST, media_type=type_in_capitals_crashes),
    ),
    Mutant(
        "type-without-a-slash-crashes",
        "A Content-Type without a slash is a server error.",
        ("content-type.values", "error.blame"),
        replace(HONEST, media_type=type_without_a_slash_crashes),
    ),
    Mutant(
        "type-past-ascii-crashes",
        "A Content-Type with a byte past ASCII is a server error.",
        ("content-type.values", "error.blame"),
        replace(HONEST, media_type=type_past_ascii_crashes),
    ),
    Mutant(
        "image-jpg-crashes",
        "The type image/jpg is handed to a decoder that does not exist.",
        ("error.blame",),
        replace(HONEST, media_type=image_jpg_crashes),
    ),
    Mutant(
        "repeated-type-crashes",
        "A second Content-Type is a server error.",
        ("error.blame",),
        replace(HONEST, content_types=repeated_type_crashes),
    ),
    Mutant(
        "empty-body-crashes",
        "The first byte of the body is looked at without asking whether there is one.",
        ("body.required", "error.blame"),
        replace(HONEST, body_length=empty_body_crashes),
    ),
    Mutant(
        "empty-body-is-a-white-image",
        "An empty body is taken for a white image.",
        ("body.required",),
        replace(HONEST, body=empty_body_is_a_white_image),
    ),
    Mutant(
        "empty-body-earns-no-content",
        "An empty body is answered 204.",
        ("body.required",),
        _with_error(Reason.BODY, 204, "ValidationException"),
    ),
    Mutant(
        "empty-body-earns-411",
        "An empty body is answered 411, as if its length were missing.",
        ("body.required-kind",),
        _with_error(Reason.BODY, 411, "MissingContentLength"),
    ),
    Mutant(
        "first-64-kib-alone-are-read",
        "Of the body only what the first read brings is looked at.",
        ("route.operation", "body.png", "body.jpeg"),
        replace(HONEST, body=first_64_kib_alone_are_read),
    ),
    Mutant(
        "body-is-read-as-text",
        "The body is read as text, so CR LF becomes LF.",
        ("body.png", "route.operation"),
        replace(HONEST, body=body_is_read_as_text),
    ),
    Mutant(
        "bodies-over-512-kib-are-refused",
        "A body of more than 512 KiB is answered 413.",
        ("route.operation",),
        replace(HONEST, max_body=512 * 1024),
    ),
    Mutant(
        "base64-is-decoded",
        "An image in base64 is served.",
        ("body.image",),
        replace(HONEST, body=base64_is_decoded),
    ),
    Mutant(
        "image-may-begin-anywhere",
        "Whatever comes before a PNG signature is skipped.",
        ("body.image",),
        replace(HONEST, body=image_may_begin_anywhere),
    ),
    Mutant(
        "forms-are-unwrapped",
        "An upload by form is served.",
        ("body.image", "content-type.values"),
        replace(HONEST, body=forms_are_unwrapped, media_type=type_of_a_form_is_taken),
    ),
    Mutant(
        "mismatch-crashes",
        "Bytes of the one format sent as the other's type are a server error.",
        ("error.blame",),
        replace(HONEST, body=mismatch_crashes),
    ),
    Mutant(
        "chunks-crash",
        "Content-Length is taken for granted, so a chunked upload is a server error.",
        ("error.blame",),
        replace(HONEST, body=chunks_crash),
    ),
    Mutant(
        "chunks-are-never-answered",
        "A chunked upload is waited for and never answered.",
        ("http.answered",),
        replace(HONEST, render=chunks_are_never_answered),
    ),
    Mutant(
        "gif-is-taken",
        "GIF is decoded too.",
        ("body.image",),
        replace(HONEST, open_image=gif_is_taken),
    ),
    Mutant(
        "bmp-is-taken",
        "BMP is decoded too.",
        ("body.image",),
        replace(HONEST, open_image=bmp_is_taken),
    ),
    Mutant(
        "webp-is-taken",
        "WebP is decoded too.",
        ("body.image",),
        replace(HONEST, open_image=webp_is_taken),
    ),
    Mutant(
        "tiff-is-taken",
        "TIFF is decoded too.",
        ("body.image",),
        replace(HONEST, open_image=tiff_is_taken),
    ),
    Mutant(
        "svg-is-drawn",
        "SVG is drawn and served.",
        ("body.image",),
        replace(HONEST, open_image=svg_is_drawn),
    ),
    Mutant(
        "pdf-is-drawn",
        "The first page of a PDF is drawn and served.",
        ("body.image",),
        replace(HONEST, open_image=pdf_is_drawn),
    ),
    Mutant(
        "jpeg-is-no-image",
        "Every JPEG is refused, whatever its type says.",
        ("body.jpeg", "content-type.accepted"),
        replace(HONEST, open_image=jpeg_is_no_image),
    ),
    Mutant(
        "png-is-no-image",
        "Every PNG is refused, whatever its type says.",
        ("body.png", "content-type.accepted"),
        replace(HONEST, open_image=png_is_no_image),
    ),
    Mutant(
        "unreadable-image-is-black",
        "Bytes that are no image are taken for a black one.",
        ("body.image",),
        replace(HONEST, open_image=unreadable_image_is_black),
    ),
    Mutant(
        "unreadable-image-crashes",
        "Bytes that are no image are a server error.",
        ("body.image", "error.blame"),
        replace(HONEST, open_image=unreadable_image_crashes),
    ),
    Mutant(
        "unreadable-image-earns-422",
        "Bytes that are no image are answered 422.",
        ("error.pair", "body.image-kind"),
        _with_error(Reason.IMAGE, 422, "UnprocessableEntityException"),
    ),
    Mutant(
        "bombs-crash",
        "What Pillow says of a decompression bomb is not caught, and is a server error.",
        ("error.blame",),
        replace(HONEST, open_image=bombs_crash),
    ),
    Mutant(
        "truncated-image-crashes",
        "What Pillow says of a truncated image is not caught, and is a server error.",
        ("error.blame",),
        replace(HONEST, load_image=truncated_image_crashes),
    ),
    Mutant(
        "bad-checksum-crashes",
        "A chunk of a PNG with a wrong checksum is a server error.",
        ("error.blame",),
        replace(HONEST, open_image=bad_checksum_crashes),
    ),
    Mutant(
        "bytes-behind-the-image-crash",
        "Bytes behind the end of a PNG are a server error.",
        ("error.blame",),
        replace(HONEST, open_image=bytes_behind_the_image_crash),
    ),
    Mutant(
        "no-pixels-crash",
        "An image of width or height 0 is divided by.",
        ("error.blame",),
        replace(HONEST, open_image=no_pixels_crash),
    ),
    Mutant(
        "large-image-crashes",
        "An image with a side of more than 4096 pixels is a server error.",
        ("error.blame",),
        replace(HONEST, image_size=large_image_crashes),
    ),
    Mutant(
        "small-image-crashes",
        "An image with a side of less than 64 pixels is a server error.",
        ("error.blame",),
        replace(HONEST, image_size=small_image_crashes),
    ),
    Mutant(
        "odd-sides-crash",
        "An image whose width or height is odd is a server error.",
        ("error.blame",),
        replace(HONEST, image_size=odd_sides_crash),
    ),
    Mutant(
        "grey-png-is-refused",
        "A grey PNG is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=grey_png_is_refused),
    ),
    Mutant(
        "palette-png-crashes",
        "A PNG with a palette is a server error.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, open_image=palette_png_crashes),
    ),
    Mutant(
        "grey-png-with-alpha-crashes",
        "A grey PNG with alpha is a server error.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, open_image=grey_png_with_alpha_crashes),
    ),
    Mutant(
        "alpha-is-refused",
        "A PNG with alpha is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=alpha_is_refused),
    ),
    Mutant(
        "one-bit-png-is-refused",
        "A PNG of one bit is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=one_bit_png_is_refused),
    ),
    Mutant(
        "two-and-four-bits-crash",
        "A PNG of two or four bits is a server error.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, open_image=two_and_four_bits_crash),
    ),
    Mutant(
        "sixteen-bits-are-refused",
        "A PNG of 16 bits is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=sixteen_bits_are_refused),
    ),
    Mutant(
        "sixteen-bit-grey-crashes",
        "A grey PNG of 16 bits is a server error.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, load_image=sixteen_bit_grey_crashes),
    ),
    Mutant(
        "interlaced-png-is-refused",
        "An interlaced PNG is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=interlaced_png_is_refused),
    ),
    Mutant(
        "unknown-chunks-are-refused",
        "A PNG with ancillary chunks is refused.",
        ("body.png-variants",),
        replace(HONEST, open_image=unknown_chunks_are_refused),
    ),
    Mutant(
        "transparent-colour-crashes",
        "A PNG with a tRNS chunk is a server error.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, load_image=transparent_colour_crashes),
    ),
    Mutant(
        "first-idat-alone-is-read",
        "A PNG with several IDAT chunks is refused as truncated.",
        ("body.png", "route.operation"),
        replace(HONEST, open_image=first_idat_alone_is_read),
    ),
    Mutant(
        "grey-jpeg-crashes",
        "A grey JPEG is a server error.",
        ("body.jpeg-variants", "error.blame"),
        replace(HONEST, load_image=grey_jpeg_crashes),
    ),
    Mutant(
        "progressive-jpeg-is-refused",
        "A progressive JPEG is refused.",
        ("body.jpeg-variants",),
        replace(HONEST, load_image=progressive_jpeg_is_refused),
    ),
    Mutant(
        "jpeg-without-jfif-is-refused",
        "A JPEG without JFIF is refused.",
        ("body.jpeg-variants",),
        replace(HONEST, open_image=jpeg_without_jfif_is_refused),
    ),
    Mutant(
        "exif-crashes",
        "A JPEG with EXIF is a server error.",
        ("body.jpeg-variants", "error.blame"),
        replace(HONEST, load_image=exif_crashes),
    ),
    Mutant(
        "restart-markers-crash",
        "A JPEG with restart markers is a server error.",
        ("body.jpeg-variants", "error.blame"),
        replace(HONEST, open_image=restart_markers_crash),
    ),
    Mutant(
        "full-sampling-is-refused",
        "A JPEG whose colour is not subsampled is refused.",
        ("body.jpeg-variants", "body.jpeg"),
        replace(HONEST, load_image=full_sampling_is_refused),
    ),
    Mutant(
        "halved-sampling-crashes",
        "A JPEG whose colour is halved both ways is a server error.",
        ("body.jpeg-variants", "body.jpeg", "error.blame"),
        replace(HONEST, load_image=halved_sampling_crashes),
    ),
    Mutant(
        "segmentation-needs-three-channels",
        "Segmentation models crash on all but RGB images.",
        ("body.png-variants", "error.blame"),
        replace(HONEST, detect=segmentation_needs_three_channels),
    ),
    Mutant(
        "unknown-project-is-the-first",
        "A project that does not exist is answered by the first one.",
        ("state.no-project",),
        replace(HONEST, find_model=unknown_project_is_the_first),
    ),
    Mutant(
        "unknown-project-crashes",
        "A project that does not exist is a server error.",
        ("state.no-project", "error.blame"),
        replace(HONEST, find_model=unknown_project_crashes),
    ),
    Mutant(
        "unknown-project-is-forbidden",
        "A project that does not exist is answered 403.",
        ("state.no-project",),
        _with_error(Reason.NO_PROJECT, 403, "AccessDeniedException"),
    ),
    Mutant(
        "unknown-project-is-invalid",
        "A project that does not exist is answered 400.",
        ("state.no-project", "project.accepted"),
        _with_error(Reason.NO_PROJECT, 400, "ValidationException"),
    ),
    Mutant(
        "unknown-project-is-no-operation",
        "A project that does not exist is answered as an unknown operation.",
        ("state.no-project",),
        _with_error(Reason.NO_PROJECT, 404, "UnknownOperationException"),
    ),
    Mutant(
        "unknown-version-is-the-latest",
        "A version that does not exist is answered by the latest one.",
        ("state.no-version",),
        replace(HONEST, find_model=unknown_version_is_the_latest),
    ),
    Mutant(
        "unknown-version-crashes",
        "A version that does not exist is a server error.",
        ("state.no-version", "error.blame"),
        replace(HONEST, find_model=unknown_version_crashes),
    ),
    Mutant(
        "unknown-version-is-forbidden",
        "A version that does not exist is answered 403.",
        ("state.no-version",),
        _with_error(Reason.NO_MODEL, 403, "AccessDeniedException"),
    ),
    Mutant(
        "unknown-version-is-invalid",
        "A version that does not exist is answered 400.",
        ("state.no-version",),
        _with_error(Reason.NO_MODEL, 400, "ValidationException"),
    ),
    Mutant(
        "unknown-version-is-a-conflict",
        "A version that does not exist is answered 409 like one that is stopped.",
        ("state.no-version",),
        _with_error(Reason.NO_MODEL, 409, "ConflictException"),
    ),
    Mutant(
        "every-project-is-the-first",
        "The path is checked, and then the first model answers.",
        ("isolation.models", "anomalies.kind"),
        replace(HONEST, find_model=every_project_is_the_first),
    ),
    Mutant(
        "stopped-model-is-served",
        "A model that is not running answers all the same.",
        ("state.not-running-refused",),
        replace(HONEST, running=stopped_model_is_served),
    ),
    Mutant(
        "stopped-model-crashes",
        "A model that is not running is a server error.",
        ("state.not-running-refused", "error.blame"),
        replace(HONEST, running=stopped_model_crashes),
    ),
    Mutant(
        "stopped-model-is-accepted-for-later",
        "A model that is not running is answered 202.",
        ("state.not-running-refused",),
        _with_error(Reason.NOT_RUNNING, 202, "ConflictException"),
    ),
    Mutant(
        "stopped-model-keeps-the-client-waiting",
        "A model that is not running is waited for.",
        ("state.not-running-refused", "http.answered"),
        replace(HONEST, render=stopped_model_keeps_the_client_waiting),
    ),
    Mutant(
        "first-refusal-starts-the-model",
        "A model that is not running refuses once, and answers from then on.",
        ("state.not-running-refused",),
        replace(HONEST, finish=first_refusal_starts_the_model),
    ),
)
