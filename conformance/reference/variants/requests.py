"""Freedoms in projects and versions, content types and images, and in the order in which they are checked."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from conformance.reference.app import (
    HONEST,
    Call,
    Model,
    Reason,
    Refused,
    Reply,
    Resource,
    Store,
    content_types_sent,
    detect,
    fields_agree,
    find_model,
    literal_decodes_to,
    match_template,
    method_is_post,
    open_image,
    path_of,
    size_is_allowed,
    split_at_slashes,
    without_parameters,
)
from conformance.reference.detector import BACKGROUND, Detection, Region
from conformance.reference.strains import Variant

_SIGNATURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}
_MOST_PIXELS = 24_000_000  # what a careful person decodes without being asked to
_LEAST_SIDE = 8  # pixels: less has no statistics
_SMALL_UPLOAD = 64 * 1024  # bytes

Size = tuple[int, int]


# Resources, and when they are looked up.


def projects_are_found_in_any_case(store: Store, project: str, version: str) -> Model:
    spelt = next((model.project for model in store if model.project.lower() == project.lower()), project)
    return find_model(store, spelt, version)


def latest_is_not_known(store: Store, project: str, version: str) -> Model:
    if version == "latest":
        raise Refused(Reason.NO_MODEL, "There is no such version.", Resource(f"{project}/latest", "MODEL"))
    return find_model(store, project, version)


def projects_of_strangers_are_forbidden(store: Store, project: str, version: str) -> Model:
    """The caller's own account has the projects of the store, and had one named ``nobody``."""
    if project != "nobody" and all(model.project != project for model in store):
        raise Refused(Reason.FORBIDDEN, "You are not authorized to perform: lookoutvision:DetectAnomalies")
    return find_model(store, project, version)


def model_as_named(_store: Store, project: str, version: str) -> Model:
    return Model(project, 0 if version == "latest" else int(version))


def resources_are_looked_up_last(call: Call, named: Model, image: Image.Image) -> Detection:
    model = find_model(call.store, named.project, str(named.version or "latest"))
    if not model.running:
        raise Refused(
            Reason.NOT_RUNNING, "Start the model first.", Resource(f"{model.project}/{model.version}", "MODEL")
        )
    return detect(call, model, image)


def head_is_judged_before_the_upload(call: Call) -> bool:
    """Route, method and content type are refused while the body is still on its way, and the connection closes."""
    if match_template(split_at_slashes(path_of(call.target)), literal_decodes_to) is None:
        raise Refused(Reason.ROUTE, "There is no such operation.")
    if not method_is_post(call.method):
        raise Refused(Reason.METHOD, "The operation is called with POST.", headers=(("Allow", "POST"),))
    if not {without_parameters(value) for value in content_types_sent(call)} & HONEST.media_types:
        raise Refused(Reason.CONTENT_TYPE, "content-type must be one of the following. image/jpeg, image/png")
    return fields_agree(call)


# Content types.


def content_type_is_compared_with_its_case(value: str) -> str:
    return value.partition(";")[0].strip(" \t")


def content_type_is_compared_with_its_parameters(value: str) -> str:
    return value.strip(" \t").lower()


def first_content_type_counts(call: Call) -> Sequence[str]:
    return content_types_sent(call)[:1]


def last_content_type_counts(call: Call) -> Sequence[str]:
    return content_types_sent(call)[-1:]


def content_types_are_joined(call: Call) -> Sequence[str]:
    values = content_types_sent(call)
    return [", ".join(values)] if values else []


# Bodies and images.


def other_format_than_named_is_refused(call: Call) -> bytes:
    named = {without_parameters(value) for value in content_types_sent(call)}
    for media_type, signature in _SIGNATURES.items():
        if call.body.startswith(signature) and media_type not in named:
            raise Refused(Reason.IMAGE, f"The body is of type {media_type}.")
    return call.body


def damaged_files_are_refused(body: bytes) -> Image.Image:
    image = open_image(body)
    if not (_png_is_whole(body) if image.format == "PNG" else body.endswith(b"\xff\xd9")):
        raise Refused(Reason.IMAGE, "The image is damaged.")
    return image


def _png_is_whole(file: bytes) -> bool:
    start = 8
    while start < len(file):
        end = start + 12 + int.from_bytes(file[start : start + 4], "big")
        if zlib.crc32(file[start + 4 : end - 4]) != int.from_bytes(file[end - 4 : end], "big"):
            return False
        if file[start + 4 : start + 8] == b"IEND":
            return end == len(file)
        start = end
    return False


def damaged_pixels_are_taken_as_grey(image: Image.Image) -> Image.Image:
    try:
        image.load()
    except Exception:  # Pillow raises a dozen kinds
        return Image.new("L", image.size, 128)
    return image


def length_is_required(call: Call, reply: Reply) -> Reply:
    if call.method != b"POST" or call.values(b"content-length"):
        return reply
    return Reply(411, (("Content-Type", "text/plain"),), b"Length Required\n", reply.closes)


def chunks_are_refused_at_once(call: Call) -> bool:
    return fields_agree(call) and not call.values(b"transfer-encoding")


def small_uploads_only(body: bytes) -> bool:
    return 0 < len(body) <= _SMALL_UPLOAD


def any_size_is_taken(size: Size) -> bool:
    return min(size) >= 1 and size[0] * size[1] <= _MOST_PIXELS


def nothing_is_found_in_a_few_pixels(call: Call, model: Model, image: Image.Image) -> Detection:
    if min(image.size) >= _LEAST_SIDE:
        return detect(call, model, image)
    if not model.segments:
        return Detection(is_anomalous=False, confidence=0.5)
    name, colour = BACKGROUND
    return Detection(False, 0.5, (Region(name, colour, 1.0),), Image.new("RGB", image.size, colour))


def sides_from_128(size: Size) -> bool:
    return size_is_allowed(size) and min(size) >= 128


def sides_up_to_1024(size: Size) -> bool:
    if max(size) > 1024:
        raise Refused(Reason.BODY_SIZE, "The image has too many pixels.")
    return size_is_allowed(size)


def size_of_the_training_images(size: Size) -> bool:
    return size == (320, 240)


_TRAINED_WITH = {"image": {"width": 320, "height": 240}}
_SIZED_SCENES = {
    "scenes": {
        "classification": {"project": "cookies", "version": "1", **_TRAINED_WITH},
        "segmentation": {"project": "circuits", "version": "2", **_TRAINED_WITH},
    }
}

VARIANTS: tuple[Variant, ...] = (
    Variant(
        "projects-are-found-in-any-case",
        "Whether names differ by case is never judged.",
        replace(HONEST, find_model=projects_are_found_in_any_case),
    ),
    Variant(
        "latest-is-not-known",
        "What `latest` means is never judged; version.accepted only forbids to call it invalid.",
        replace(HONEST, find_model=latest_is_not_known),
    ),
    Variant(
        "projects-of-strangers-are-forbidden",
        "project.accepted allows 403; the declared missing project is 404 as state.no-project asks.",
        replace(HONEST, find_model=projects_of_strangers_are_forbidden),
        {"scenes": {"missing-project": {"project": "nobody", "version": "1"}}},
    ),
    Variant(
        "resources-are-looked-up-last",
        "Order of validation is never judged: content type and image come before project, version and state here.",
        replace(HONEST, find_model=model_as_named, detect=resources_are_looked_up_last),
    ),
    Variant(
        "head-is-judged-before-the-upload",
        "http.expect and http.keep-alive allow a final answer before the body, on a connection that then closes.",
        replace(HONEST, fields_agree=head_is_judged_before_the_upload),
    ),
    Variant(
        "content-type-is-compared-with-its-case",
        "content-type.case is OBSERVE, and refused with 400 ValidationException is one of its readings.",
        replace(HONEST, media_type=content_type_is_compared_with_its_case),
    ),
    Variant(
        "content-type-is-compared-with-its-parameters",
        "content-type.parameters is OBSERVE, and refused with 400 ValidationException is one of its readings.",
        replace(HONEST, media_type=content_type_is_compared_with_its_parameters),
    ),
    Variant(
        "image-jpg-is-taken",
        "content-type.jpg is OBSERVE, and taken is one of its readings.",
        replace(HONEST, media_types=HONEST.media_types | {"image/jpg"}),
    ),
    Variant(
        "first-content-type-counts",
        "content-type.repeated is OBSERVE, and the first counts is one of its readings.",
        replace(HONEST, content_types=first_content_type_counts),
    ),
    Variant(
        "last-content-type-counts",
        "content-type.repeated is OBSERVE, and the last counts is one of its readings.",
        replace(HONEST, content_types=last_content_type_counts),
    ),
    Variant(
        "content-types-are-joined",
        "content-type.repeated is OBSERVE: RFC 9110, 5.3 joins two lines by a comma, and that is no media type.",
        replace(HONEST, content_types=content_types_are_joined),
    ),
    Variant(
        "other-format-than-named-is-refused",
        "body.mismatch is OBSERVE, and refused with a 4xx is one of its readings.",
        replace(HONEST, body=other_format_than_named_is_refused),
    ),
    Variant(
        "damaged-files-are-refused",
        "body.damaged is OBSERVE: bad checksums, missing ends and stray bytes are all refused here.",
        replace(HONEST, open_image=damaged_files_are_refused),
    ),
    Variant(
        "damaged-pixels-are-taken-as-grey",
        "body.damaged is OBSERVE: whatever has the header of an image is taken here.",
        replace(HONEST, load_image=damaged_pixels_are_taken_as_grey),
    ),
    Variant(
        "length-is-required",
        "body.length is OBSERVE, the model's requiresLength makes clients send one, and 411 is a refusal by transport.",
        replace(HONEST, finish=length_is_required),
    ),
    Variant(
        "chunks-are-refused-at-once",
        "body.length is OBSERVE: chunks get a 400 here before they have been read.",
        replace(HONEST, fields_agree=chunks_are_refused_at_once),
    ),
    Variant(
        "any-size-is-taken",
        "body.limits is OBSERVE: 64 and 4096 pixels are published for training images only.",
        replace(HONEST, image_size=any_size_is_taken, detect=nothing_is_found_in_a_few_pixels),
    ),
    Variant(
        "sides-from-128",
        "body.limits: the target file may declare limits.",
        replace(HONEST, image_size=sides_from_128),
        {"limits": {"min_image_side": 128}},
    ),
    Variant(
        "sides-up-to-1024",
        "body.limits: the target file may declare limits, and past them 413 is as good as 400.",
        replace(HONEST, image_size=sides_up_to_1024),
        {"limits": {"max_image_side": 1024}},
    ),
    Variant(
        "size-of-the-training-images",
        "body.dimensions is OBSERVE, and every other size than the declared is refused here.",
        replace(HONEST, image_size=size_of_the_training_images),
        _SIZED_SCENES,
    ),
    Variant(
        "declared-size-is-not-enforced",
        "body.dimensions is OBSERVE, and taken is one of its readings.",
        HONEST,
        _SIZED_SCENES,
    ),
    Variant(
        "small-uploads-only",
        "body.limits: past a declared limit any 4xx will do, such as 400 on a connection that goes on.",
        replace(HONEST, body_length=small_uploads_only),
        {"limits": {"max_image_bytes": _SMALL_UPLOAD}},
    ),
    Variant(
        "large-uploads-are-413-at-once",
        "body.limits: past a declared limit 413 is right, and it comes before the body and closes.",
        replace(HONEST, max_body=_SMALL_UPLOAD),
        {"limits": {"max_image_bytes": _SMALL_UPLOAD}},
    ),
)
