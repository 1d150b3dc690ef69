"""Successes that are wrong: their status, type and JSON, decision, anomalies, mask. Every refusal is honest."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from PIL import Image, ImageChops, ImageFilter, ImageOps

from conformance.reference.app import (
    HONEST,
    Behaviour,
    Call,
    Json,
    Model,
    Reply,
    detect,
    load_image,
    write_anomaly,
    write_blob,
    write_mask,
    write_payload,
    write_result,
)
from conformance.reference.detector import TYPES, Detection, Region, inspect
from conformance.reference.strains import Mutant

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
NEAREST = Image.Resampling.NEAREST

Fault = TypeVar("Fault", bound=Callable[..., Any])


def _each(stage: Callable[[Fault], Behaviour], clauses: tuple[str, ...], faults: dict[Fault, str]) -> list[Mutant]:
    """A mutant for each fault of one stage that breaks these clauses; its id is the fault's name."""
    return [Mutant(fault.__name__.replace("_", "-"), text, clauses, stage(fault)) for fault, text in faults.items()]


def _finishing(fault: Callable[[Call, Reply], Reply]) -> Behaviour:
    return replace(HONEST, finish=fault)


def _detecting(fault: Callable[[Call, Model, Image.Image], Detection]) -> Behaviour:
    return replace(HONEST, detect=fault)


def _describing(fault: Callable[[Region], Json]) -> Behaviour:
    return replace(HONEST, anomaly=fault)


def _drawing(fault: Callable[[Image.Image], bytes]) -> Behaviour:
    return replace(HONEST, mask=fault)


def _loading(fault: Callable[[Image.Image], Image.Image]) -> Behaviour:
    return replace(HONEST, load_image=fault)


def _in_reply(fault: Callable[[Reply], Reply]) -> Behaviour:
    return replace(HONEST, finish=lambda _call, reply: fault(reply) if reply.status == 200 else reply)


def _in_text(fault: Callable[[bytes], bytes]) -> Behaviour:
    return _in_reply(lambda reply: replace(reply, body=fault(reply.body)))


def _in_payload(fault: Callable[[Json], Any]) -> Behaviour:
    return replace(HONEST, payload=lambda _call, result: fault(result))


def _in_result(fault: Callable[[Json], Json]) -> Behaviour:
    return replace(HONEST, payload=lambda call, result: write_payload(call, fault(result)))


def _in_decision(fault: Callable[[Json], Json]) -> Behaviour:
    return replace(HONEST, result=lambda detection: fault(write_result(detection)))


def _in_segmentation(fault: Callable[[Json], Json]) -> Behaviour:
    return _in_result(lambda result: fault(result) if "AnomalyMask" in result else result)


def _in_classification(fault: Callable[[Json], Json]) -> Behaviour:
    return _in_result(lambda result: result if "AnomalyMask" in result else fault(result))


def _in_anomalies(fault: Callable[[list[Json]], Any]) -> Behaviour:
    return _in_segmentation(lambda result: {**result, "Anomalies": fault(result["Anomalies"])})


def _in_anomaly(fault: Callable[[Json], Json]) -> Behaviour:
    return replace(HONEST, anomaly=lambda region: fault(write_anomaly(region)))


def _in_pixels(fault: Callable[[Json], Json]) -> Behaviour:
    return _in_anomaly(lambda anomaly: {**anomaly, "PixelAnomaly": fault(anomaly["PixelAnomaly"])})


def _in_area(fault: Callable[[float], Any]) -> Behaviour:
    return _in_pixels(lambda pixels: {**pixels, "TotalPercentageArea": fault(pixels["TotalPercentageArea"])})


def _in_colour(fault: Callable[[str], Any]) -> Behaviour:
    return _in_pixels(lambda pixels: {**pixels, "Color": fault(pixels["Color"])})


def _in_name(fault: Callable[[str], Any]) -> Behaviour:
    """In the name of every type but the background."""
    return _in_anomaly(lambda entry: entry if _is_ground(entry) else {**entry, "Name": fault(entry["Name"])})


def _in_detection(fault: Callable[[Detection], Detection]) -> Behaviour:
    return replace(HONEST, detect=lambda call, model, image: fault(detect(call, model, image)))


def _in_mask(fault: Callable[[Image.Image], Image.Image]) -> Behaviour:
    return replace(HONEST, mask=lambda mask: write_mask(fault(mask)))


def _in_file(fault: Callable[[bytes], bytes]) -> Behaviour:
    return replace(HONEST, mask=lambda mask: fault(write_mask(mask)))


def _in_blob(fault: Callable[[bytes], Any]) -> Behaviour:
    return replace(HONEST, blob=fault)


def _is_normal(result: Json) -> bool:
    return len(result["Anomalies"]) == 1


def _is_ground(anomaly: Json) -> bool:
    return bool(anomaly["Name"] == "background")


def _without(members: Json, *names: str) -> Json:
    return {name: value for name, value in members.items() if name not in names}


def _anomalous_part(mask: Image.Image) -> Image.Image:
    """White where the mask is not."""
    return ImageChops.invert(mask).convert("L").point(lambda level: 255 if level else 0)


def _saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


# Status and media type.


def success_is_created(reply: Reply) -> Reply:
    return replace(reply, status=201)


def success_is_accepted(reply: Reply) -> Reply:
    return replace(reply, status=202)


def success_has_no_content(reply: Reply) -> Reply:
    return replace(reply, status=204)


def normal_images_are_merely_accepted(reply: Reply) -> Reply:
    return replace(reply, status=202) if b'"IsAnomalous":false' in reply.body else reply


def success_is_plain_text(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "text/plain; charset=utf-8")


def success_is_html(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "text/html; charset=utf-8")


def success_is_of_the_type_of_aws_json(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "application/x-amz-json-1.1")


def success_is_json_lines(reply: Reply) -> Reply:
    return reply.with_header("Content-Type", "application/jsonl")


def success_is_of_no_type(reply: Reply) -> Reply:
    return reply.without_header("Content-Type")


def success_is_of_the_type_of_the_image(call: Call, reply: Reply) -> Reply:
    sent = call.values(b"content-type")
    return reply.with_header("Content-Type", sent[0].decode("latin-1")) if reply.status == 200 else reply


# JSON and content coding.


def success_has_a_byte_order_mark(text: bytes) -> bytes:
    return b"\xef\xbb\xbf" + text


def success_is_utf_16(text: bytes) -> bytes:
    return text.decode().encode("utf-16")


def success_has_latin_1_in_it(text: bytes) -> bytes:
    return text[:-1] + ',"Note":"geprüft"}'.encode("latin-1")


def confidence_is_not_a_number(text: bytes) -> bytes:
    return re.sub(rb'"Confidence":[^,}]+', b'"Confidence":NaN', text)


def area_is_infinite(text: bytes) -> bytes:
    return re.sub(rb'"TotalPercentageArea":[^,}]+', b'"TotalPercentageArea":Infinity', text)


def success_repeats_a_name(text: bytes) -> bytes:
    return text.replace(b'"IsAnomalous":', b'"IsAnomalous":false,"IsAnomalous":')


def repeated_name_is_spelt_with_an_escape(text: bytes) -> bytes:
    return text.replace(b'"Confidence":', b'"Con\\u0066idence":0.5,"Confidence":')


def success_ends_in_a_nul(text: bytes) -> bytes:
    return text + b"\0"


def success_is_written_twice(text: bytes) -> bytes:
    return text + b"\n" + text


def success_is_guarded_against_inclusion(text: bytes) -> bytes:
    return b")]}',\n" + text


def success_is_a_callback(text: bytes) -> bytes:
    return b"callback(" + text + b")"


def success_is_python(text: bytes) -> bytes:
    return repr(json.loads(text)).encode()


def success_has_a_comma_too_many(text: bytes) -> bytes:
    return text[:-2] + b",}}"


def success_is_empty(_text: bytes) -> bytes:
    return b""


def success_is_cut_at_half_a_kilobyte(text: bytes) -> bytes:
    return text[:512]


def success_is_compressed_unasked(reply: Reply) -> Reply:
    return replace(reply, body=gzip.compress(reply.body)).with_header("Content-Encoding", "gzip")


def long_success_is_compressed_unasked(reply: Reply) -> Reply:
    return success_is_compressed_unasked(reply) if len(reply.body) > 500 else reply


def success_is_compressed_in_secret(text: bytes) -> bytes:
    return gzip.compress(text)


def content_coding_is_a_charset(reply: Reply) -> Reply:
    return reply.with_header("Content-Encoding", "utf-8")


# The result and the decision.


def result_has_no_wrapper(result: Json) -> Json:
    return result


def wrapper_is_in_lower_case(result: Json) -> Json:
    return {"detectAnomalyResult": result}


def wrapper_is_named_after_the_operation(result: Json) -> Json:
    return {"DetectAnomaliesResult": result}


def wrapper_is_wrapped(result: Json) -> Json:
    return {"DetectAnomaliesResponse": {"DetectAnomalyResult": result}}


def result_is_a_list(result: Json) -> Json:
    return {"DetectAnomalyResult": [result]}


def result_is_json_in_a_string(result: Json) -> Json:
    return {"DetectAnomalyResult": json.dumps(result)}


def success_is_json_in_a_string(result: Json) -> str:
    return json.dumps({"DetectAnomalyResult": result})


def success_is_a_lambda_envelope(result: Json) -> Json:
    return {"statusCode": 200, "body": json.dumps({"DetectAnomalyResult": result})}


def members_begin_in_lower_case(result: Json) -> Json:
    return {name[0].lower() + name[1:]: value for name, value in result.items()}


def decision_is_a_string(result: Json) -> Json:
    return {**result, "IsAnomalous": str(result["IsAnomalous"]).lower()}


def decision_is_a_number(result: Json) -> Json:
    return {**result, "IsAnomalous": int(result["IsAnomalous"])}


def decision_is_left_out_when_false(result: Json) -> Json:
    return result if result["IsAnomalous"] else _without(result, "IsAnomalous")


def decision_is_called_is_anomaly(result: Json) -> Json:
    return {"IsAnomaly": result["IsAnomalous"], **_without(result, "IsAnomalous")}


def confidence_is_a_string(result: Json) -> Json:
    return {**result, "Confidence": str(result["Confidence"])}


def confidence_is_in_per_cent(result: Json) -> Json:
    return {**result, "Confidence": 100 * result["Confidence"]}


def confidence_is_a_hair_over_one(result: Json) -> Json:
    return {**result, "Confidence": 1.0000001} if result["Confidence"] > 0.9 else result


def confidence_is_negative_for_normal_images(result: Json) -> Json:
    return result if result["IsAnomalous"] else {**result, "Confidence": -result["Confidence"]}


def confidence_is_missing(result: Json) -> Json:
    return _without(result, "Confidence")


def confidence_is_left_out_for_normal_images(result: Json) -> Json:
    return result if result["IsAnomalous"] else _without(result, "Confidence")


def confidence_is_null(result: Json) -> Json:
    return {**result, "Confidence": None}


def confidence_is_true(result: Json) -> Json:
    return {**result, "Confidence": True}


def confidence_is_a_list_of_one(result: Json) -> Json:
    return {**result, "Confidence": [result["Confidence"]]}


def source_type_is_a_bucket(result: Json) -> Json:
    return {**result, "Source": {"Type": "S3"}}


def source_type_is_capitalised(result: Json) -> Json:
    return {**result, "Source": {"Type": "Direct"}}


def source_is_a_string(result: Json) -> Json:
    return {**result, "Source": "direct"}


def source_is_missing(result: Json) -> Json:
    return _without(result, "Source")


def absent_members_are_null(result: Json) -> Json:
    return {**result, "Anomalies": None, "AnomalyMask": None}


# The kinds of model.


def every_model_segments(_call: Call, _model: Model, image: Image.Image) -> Detection:
    return inspect(image, segments=True)


def no_model_segments(_call: Call, _model: Model, image: Image.Image) -> Detection:
    return inspect(image, segments=False)


def classification_has_an_empty_list(result: Json) -> Json:
    return {**result, "Anomalies": []}


def classification_has_an_empty_mask(result: Json) -> Json:
    return {**result, "AnomalyMask": ""}


def classification_lists_the_background(result: Json) -> Json:
    return {**result, "Anomalies": [write_anomaly(Region("background", WHITE, 1.0))]}


def mask_is_missing(result: Json) -> Json:
    return _without(result, "AnomalyMask")


def anomalies_are_missing(result: Json) -> Json:
    return _without(result, "Anomalies")


def mask_is_missing_when_nothing_is_found(result: Json) -> Json:
    return _without(result, "AnomalyMask") if _is_normal(result) else result


def anomalies_are_missing_when_nothing_is_found(result: Json) -> Json:
    return _without(result, "Anomalies") if _is_normal(result) else result


def segmentation_is_missing_when_nothing_is_found(result: Json) -> Json:
    return _without(result, "Anomalies", "AnomalyMask") if _is_normal(result) else result


# The list of anomalies.


def anomalies_are_empty_when_nothing_is_found(anomalies: list[Json]) -> list[Json]:
    return anomalies if len(anomalies) > 1 else []


def anomalies_are_members_by_name(anomalies: list[Json]) -> Json:
    return {anomaly["Name"]: anomaly for anomaly in anomalies}


def smallest_anomaly_comes_first(anomalies: list[Json]) -> list[Json]:
    return sorted(anomalies, key=lambda anomaly: float(anomaly["PixelAnomaly"]["TotalPercentageArea"]))


def background_is_left_out_beside_anomalies(anomalies: list[Json]) -> list[Json]:
    return anomalies[1:] or anomalies


def background_is_in_capitals(region: Region) -> Json:
    return write_anomaly(replace(region, name=region.name.replace("background", "BACKGROUND")))


def background_is_called_normal(region: Region) -> Json:
    return write_anomaly(replace(region, name=region.name.replace("background", "normal")))


def background_is_black(detection: Detection) -> Detection:
    if detection.mask is None:
        return detection
    regions = (replace(detection.regions[0], colour=BLACK), *detection.regions[1:])
    ground = Image.new("RGB", detection.mask.size, BLACK)
    mask = Image.composite(detection.mask, ground, _anomalous_part(detection.mask))
    return replace(detection, regions=regions, mask=mask)


def anomaly_is_listed_twice(anomalies: list[Json]) -> list[Json]:
    return [*anomalies, *anomalies[1:]]


def every_type_is_called_background(region: Region) -> Json:
    return write_anomaly(replace(region, name="background"))


def name_has_a_space(name: str) -> str:
    return f"{name} spot"


def name_has_an_underscore(name: str) -> str:
    return f"{name}_spot"


def name_has_an_umlaut(name: str) -> str:
    return f"{name}fläche"


def name_ends_in_a_newline(name: str) -> str:
    return f"{name}\n"


def name_is_one_character_too_long(name: str) -> str:
    return name.ljust(257, "x")


def name_is_empty(_name: str) -> str:
    return ""


def name_is_a_class_number(name: str) -> int:
    return [kind for kind, _ in TYPES].index(name)


def name_is_missing(anomaly: Json) -> Json:
    return anomaly if _is_ground(anomaly) else _without(anomaly, "Name")


def colour_has_no_hash(colour: str) -> str:
    return colour[1:]


def colour_has_three_digits(colour: str) -> str:
    return "#" + colour[1::2]


def colour_has_an_alpha(colour: str) -> str:
    return colour + "FF"


def colour_ends_in_a_newline(colour: str) -> str:
    return colour + "\n"


def colour_is_a_list(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))


def colour_is_missing(pixels: Json) -> Json:
    return _without(pixels, "Color")


def every_type_is_white(detection: Detection) -> Detection:
    regions = tuple(replace(region, colour=WHITE) for region in detection.regions)
    mask = detection.mask and Image.new("RGB", detection.mask.size, WHITE)
    return replace(detection, regions=regions, mask=mask)


def colour_of_an_anomaly_is_in_lower_case(region: Region) -> Json:
    anomaly = write_anomaly(region)
    pixels = anomaly["PixelAnomaly"]
    return anomaly if _is_ground(anomaly) else {**anomaly, "PixelAnomaly": {**pixels, "Color": pixels["Color"].lower()}}


def unseen_type_has_no_hex_colour(anomalies: list[Json]) -> list[Json]:
    return [*anomalies, {"Name": "unseen", "PixelAnomaly": {"TotalPercentageArea": 0.0, "Color": "#ZZZZZZ"}}]


def area_is_in_per_cent(area: float) -> float:
    return 100 * area


def area_is_a_string(area: float) -> str:
    return str(area)


def area_of_the_whole_is_true(area: float) -> float | bool:
    return True if area == 1 else area


def area_of_the_whole_is_a_hair_over_one(area: float) -> float:
    return 1.0000001 if area == 1 else area


def area_is_missing(pixels: Json) -> Json:
    return _without(pixels, "TotalPercentageArea")


def area_of_the_background_is_missing(anomaly: Json) -> Json:
    return {**anomaly, "PixelAnomaly": area_is_missing(anomaly["PixelAnomaly"])} if _is_ground(anomaly) else anomaly


def pixel_anomaly_is_missing(anomaly: Json) -> Json:
    return _without(anomaly, "PixelAnomaly")


def pixel_anomaly_is_flattened(anomaly: Json) -> Json:
    return {"Name": anomaly["Name"], **anomaly["PixelAnomaly"]}


def unseen_types_have_no_area(anomalies: list[Json]) -> list[Json]:
    seen = {anomaly["Name"] for anomaly in anomalies}
    unseen = [write_anomaly(Region(name, colour, 0.0)) for name, colour in TYPES if name not in seen]
    return [*anomalies, *({**entry, "PixelAnomaly": area_is_missing(entry["PixelAnomaly"])} for entry in unseen)]


def background_is_the_whole_image(detection: Detection) -> Detection:
    regions = tuple(
        replace(region, area=1.0) if region.name == "background" else region for region in detection.regions
    )
    return replace(detection, regions=regions)


def areas_are_rounded_to_a_tenth(area: float) -> float:
    return round(area, 1)


def areas_are_in_the_wrong_order(detection: Detection) -> Detection:
    areas = [region.area for region in reversed(detection.regions)]
    return replace(
        detection,
        regions=tuple(replace(region, area=area) for region, area in zip(detection.regions, areas, strict=True)),
    )


# The mask as text and as a file.


def mask_is_url_safe(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).decode()


def mask_has_no_padding(blob: bytes) -> str:
    return write_blob(blob).rstrip("=")


def mask_is_broken_into_lines(blob: bytes) -> str:
    return base64.encodebytes(blob).decode().rstrip("\n")


def mask_ends_in_a_newline(blob: bytes) -> str:
    return write_blob(blob) + "\n"


def mask_is_a_data_url(blob: bytes) -> str:
    return "data:image/png;base64," + write_blob(blob)


def mask_is_python_bytes(blob: bytes) -> str:
    return str(base64.b64encode(blob))


def mask_is_a_list_of_numbers(blob: bytes) -> list[int]:
    return list(blob)


def mask_is_hexadecimal(blob: bytes) -> str:
    return blob.hex()


def mask_is_encoded_twice(blob: bytes) -> str:
    return write_blob(base64.b64encode(blob))


def mask_is_empty_when_nothing_is_found(mask: Image.Image) -> bytes:
    return write_mask(mask) if mask.getcolors(1) is None else b""


def mask_is_one_byte_too_long(file: bytes) -> bytes:
    kind, content = b"paDd", bytes(5_242_881 - len(file) - 12)
    chunk = len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
    return file[:-12] + chunk + file[-12:]


def mask_is_a_jpeg(mask: Image.Image) -> bytes:
    return _saved(mask, "JPEG")


def mask_is_a_gif(mask: Image.Image) -> bytes:
    return _saved(mask, "GIF")


def mask_is_a_bitmap(mask: Image.Image) -> bytes:
    return _saved(mask, "BMP")


def mask_is_raw_pixels(mask: Image.Image) -> bytes:
    return mask.tobytes()


def mask_has_a_bad_checksum(file: bytes) -> bytes:
    return file[:-13] + bytes([file[-13] ^ 1]) + file[-12:]


def mask_has_no_end(file: bytes) -> bytes:
    return file[:-12]


def mask_is_half_a_file(file: bytes) -> bytes:
    return file[: len(file) // 2]


def mask_has_bytes_behind_its_end(file: bytes) -> bytes:
    return file + b"\r\n"


# The mask as a picture.


def mask_has_its_sides_swapped(mask: Image.Image) -> Image.Image:
    return mask.transpose(Image.Transpose.TRANSPOSE)


def mask_is_one_pixel_too_narrow(mask: Image.Image) -> Image.Image:
    return mask.crop((0, 0, mask.width - 1, mask.height))


def mask_is_one_pixel_too_low(mask: Image.Image) -> Image.Image:
    return mask.crop((0, 0, mask.width, mask.height - 1))


def mask_is_half_as_large(mask: Image.Image) -> Image.Image:
    return mask.resize((mask.width // 2, mask.height // 2), NEAREST)


def mask_is_always_256_pixels_square(mask: Image.Image) -> Image.Image:
    return mask.resize((256, 256), NEAREST)


def mask_is_always_square(mask: Image.Image) -> Image.Image:
    return ImageOps.pad(mask, (max(mask.size),) * 2, NEAREST, color=WHITE)


def mask_is_padded_to_whole_blocks(mask: Image.Image) -> Image.Image:
    return ImageOps.expand(mask, (0, 0, -mask.width % 32, -mask.height % 32), WHITE)


def mask_of_a_large_image_is_small(mask: Image.Image) -> Image.Image:
    return ImageOps.contain(mask, (512, 512), NEAREST) if max(mask.size) > 512 else mask


def mask_of_a_jpeg_is_half_as_large(image: Image.Image) -> Image.Image:
    image.draft("RGB", (image.width // 2, image.height // 2))
    return load_image(image)


def mask_has_soft_edges(mask: Image.Image) -> Image.Image:
    return mask.filter(ImageFilter.BoxBlur(1))


def mask_has_blue_for_red(mask: Image.Image) -> Image.Image:
    red, green, blue = mask.split()
    return Image.merge("RGB", (blue, green, red))


def mask_is_grey(mask: Image.Image) -> Image.Image:
    return mask.convert("L")


def mask_is_black_and_white(mask: Image.Image) -> Image.Image:
    return ImageChops.invert(_anomalous_part(mask)).convert("1")


def mask_holds_class_numbers(mask: Image.Image) -> Image.Image:
    return mask.convert("L").point(lambda level: 0 if level == 255 else 1 if level < 150 else 2)


def mask_has_one_stray_pixel(mask: Image.Image) -> Image.Image:
    stray = mask.copy()
    stray.putpixel((mask.width - 1, mask.height - 1), (255, 255, 254))
    return stray


def mask_is_inverted(mask: Image.Image) -> Image.Image:
    return ImageChops.invert(mask)


def mask_is_black_when_nothing_is_found(mask: Image.Image) -> Image.Image:
    return Image.new("RGB", mask.size, BLACK) if mask.getcolors(1) else mask


def mask_is_transparent_black_for_background(mask: Image.Image) -> Image.Image:
    return Image.composite(mask.convert("RGBA"), Image.new("RGBA", mask.size), _anomalous_part(mask))


def mask_is_in_the_palette_of_the_web(mask: Image.Image) -> Image.Image:
    return mask.convert("P", dither=Image.Dither.NONE, palette=Image.Palette.WEB)


def mask_went_through_jpeg(mask: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(_saved(mask, "JPEG"))).convert("RGB")


def mask_is_laid_over_the_image(call: Call, model: Model, image: Image.Image) -> Detection:
    detection = detect(call, model, image)
    mask = detection.mask
    return detection if mask is None else replace(detection, mask=Image.blend(image.convert("RGB"), mask, 0.5))


def mask_has_the_mode_of_the_image(call: Call, model: Model, image: Image.Image) -> Detection:
    detection = detect(call, model, image)
    if detection.mask is None or image.mode not in ("1", "L", "P"):
        return detection
    return replace(detection, mask=detection.mask.convert(image.mode))


def mask_shows_anomalies_too_large(mask: Image.Image) -> Image.Image:
    return mask.filter(ImageFilter.MinFilter(9))


MUTANTS: tuple[Mutant, ...] = (
    *_each(
        _in_reply,
        ("success.status",),
        {
            success_is_created: "A success has status 201.",
            success_is_accepted: "A success has status 202.",
            success_has_no_content: "A success has status 204, and so no body.",
            normal_images_are_merely_accepted: "The answer for a normal image has status 202.",
        },
    ),
    *_each(
        _in_reply,
        ("success.media-type",),
        {
            success_is_plain_text: "A success is sent as text/plain.",
            success_is_html: "A success is sent as text/html, the default of the framework.",
            success_is_of_the_type_of_aws_json: "A success is sent as another AWS protocol would.",
            success_is_json_lines: "A success is sent as application/jsonl, which only begins like JSON.",
            success_is_of_no_type: "A success has no Content-Type.",
        },
    ),
    *_each(
        _finishing,
        ("success.media-type",),
        {
            success_is_of_the_type_of_the_image: "The Content-Type of a success is that of the request.",
        },
    ),
    *_each(
        _in_text,
        ("success.json",),
        {
            success_has_a_byte_order_mark: "A success begins with a byte order mark.",
            success_is_utf_16: "A success is written in UTF-16.",
            success_has_latin_1_in_it: "A success carries a remark in Latin-1, so it is not UTF-8.",
            success_repeats_a_name: "IsAnomalous is there twice.",
            repeated_name_is_spelt_with_an_escape: "Confidence is there twice, once with an escape in its name.",
            success_ends_in_a_nul: "A success ends in the zero byte of a C string.",
            success_is_written_twice: "The JSON text of a success is written twice.",
            success_is_guarded_against_inclusion: "A success begins with the guard that some put before JSON.",
            success_is_a_callback: "A success is wrapped into a call of a function, as JSONP.",
            success_is_python: "A success is the repr of a dict.",
            success_has_a_comma_too_many: "A comma stands behind the last member.",
            success_is_empty: "A success has no body.",
            success_is_cut_at_half_a_kilobyte: "Everything past 512 bytes of a success is lost before it is measured.",
            success_is_compressed_in_secret: "A success is compressed and no header says so.",
        },
    ),
    *_each(
        _in_text,
        ("success.json", "result.confidence"),
        {
            confidence_is_not_a_number: "Confidence is a bare NaN.",
        },
    ),
    *_each(
        _in_text,
        ("success.json", "anomalies.area"),
        {
            area_is_infinite: "Areas are a bare Infinity.",
        },
    ),
    *_each(
        _in_reply,
        ("success.encoding",),
        {
            success_is_compressed_unasked: "A success is compressed unasked.",
            long_success_is_compressed_unasked: "A success of more than 500 bytes is compressed unasked.",
            content_coding_is_a_charset: "Content-Encoding names the character set.",
        },
    ),
    *_each(
        _in_payload,
        ("success.result",),
        {
            result_has_no_wrapper: "The members of the result stand at the top.",
            wrapper_is_in_lower_case: "The wrapper is called detectAnomalyResult.",
            wrapper_is_named_after_the_operation: "The wrapper is called DetectAnomaliesResult.",
            wrapper_is_wrapped: "The wrapper stands in one more, named after the operation.",
            result_is_a_list: "DetectAnomalyResult is a list with the result in it.",
            result_is_json_in_a_string: "DetectAnomalyResult is a string of JSON.",
            success_is_json_in_a_string: "The whole answer is a JSON string of JSON.",
            success_is_a_lambda_envelope: "The answer is still in the envelope that a function hands to its gateway.",
        },
    ),
    *_each(
        _in_result,
        ("result.is-anomalous", "result.confidence"),
        {
            members_begin_in_lower_case: "The members of the result are called isAnomalous, confidence and so on.",
        },
    ),
    *_each(
        _in_decision,
        ("result.is-anomalous",),
        {
            decision_is_a_string: "IsAnomalous is a string.",
            decision_is_a_number: "IsAnomalous is 0 or 1.",
            decision_is_left_out_when_false: "IsAnomalous is left out when it is false.",
            decision_is_called_is_anomaly: "IsAnomalous is called IsAnomaly.",
        },
    ),
    *_each(
        _in_decision,
        ("result.confidence",),
        {
            confidence_is_a_string: "Confidence is a string.",
            confidence_is_in_per_cent: "Confidence goes from 0 to 100.",
            confidence_is_a_hair_over_one: "A high confidence is rounded up to a little more than 1.",
            confidence_is_negative_for_normal_images: "Confidence has the sign of the decision.",
            confidence_is_missing: "There is no Confidence.",
            confidence_is_left_out_for_normal_images: "Only anomalous images get a Confidence.",
            confidence_is_null: "Confidence is null.",
            confidence_is_true: "Confidence is true, which some languages take for 1.",
            confidence_is_a_list_of_one: "Confidence is a list of one number.",
        },
    ),
    *_each(
        _in_decision,
        ("result.source",),
        {
            source_type_is_a_bucket: "Source.Type is S3.",
            source_type_is_capitalised: "Source.Type is Direct.",
            source_is_a_string: "Source is the string that its Type ought to be.",
        },
    ),
    *_each(
        _in_decision,
        ("result.source-present",),
        {
            source_is_missing: "There is no Source.",
        },
    ),
    *_each(
        _in_classification,
        ("result.no-nulls",),
        {
            absent_members_are_null: "What a classification model leaves out is null.",
        },
    ),
    *_each(
        _detecting,
        ("anomalies.kind",),
        {
            every_model_segments: "A classification model returns anomalies and a mask.",
            no_model_segments: "A segmentation model returns neither anomalies nor a mask.",
        },
    ),
    *_each(
        _in_classification,
        ("anomalies.kind",),
        {
            classification_has_an_empty_list: "A classification model returns an empty list of anomalies.",
            classification_has_an_empty_mask: "A classification model returns an empty mask.",
            classification_lists_the_background: "A classification model lists the background, but has no mask.",
        },
    ),
    *_each(
        _in_segmentation,
        ("anomalies.kind",),
        {
            mask_is_missing: "A segmentation model returns no mask.",
            anomalies_are_missing: "A segmentation model returns a mask alone.",
            mask_is_missing_when_nothing_is_found: "There is no mask when the background is all there is.",
            anomalies_are_missing_when_nothing_is_found: "There is no list when the background is all there is.",
            segmentation_is_missing_when_nothing_is_found: "There is neither when the background is all there is.",
        },
    ),
    *_each(
        _in_anomalies,
        ("anomalies.background", "mask.colours"),
        {
            anomalies_are_empty_when_nothing_is_found: "The list is empty when the background is all there is.",
            background_is_left_out_beside_anomalies: "The background is not listed where there are anomalies.",
        },
    ),
    *_each(
        _in_anomalies,
        ("anomalies.background", "anomalies.kind"),
        {
            anomalies_are_members_by_name: "Anomalies is an object with the names as its members.",
        },
    ),
    *_each(
        _in_anomalies,
        ("anomalies.background",),
        {
            smallest_anomaly_comes_first: "The anomalies are sorted by area, so the background comes last.",
        },
    ),
    *_each(
        _describing,
        ("anomalies.background",),
        {
            background_is_in_capitals: "The background is called BACKGROUND.",
            background_is_called_normal: "The background is called normal.",
        },
    ),
    *_each(
        _in_detection,
        ("anomalies.background-colour",),
        {
            background_is_black: "The background is black, in the list and in the mask.",
        },
    ),
    *_each(
        _in_anomalies,
        ("anomalies.names", "anomalies.colours"),
        {
            anomaly_is_listed_twice: "Every anomaly is listed twice.",
        },
    ),
    *_each(
        _describing,
        ("anomalies.names",),
        {
            every_type_is_called_background: "Every type is called background.",
        },
    ),
    *_each(
        _in_name,
        ("anomalies.names",),
        {
            name_has_a_space: "Names have a space in them.",
            name_has_an_underscore: "Names have an underscore in them.",
            name_has_an_umlaut: "Names have a letter beyond ASCII in them.",
            name_ends_in_a_newline: "Names end in a newline.",
            name_is_one_character_too_long: "Names have 257 characters.",
            name_is_empty: "Names are empty.",
            name_is_a_class_number: "Names are numbers.",
        },
    ),
    *_each(
        _in_anomaly,
        ("anomalies.names",),
        {
            name_is_missing: "Anomalies have no name.",
        },
    ),
    *_each(
        _in_colour,
        ("anomalies.colours",),
        {
            colour_has_no_hash: "Colours have no #.",
            colour_has_three_digits: "Colours have three digits.",
            colour_has_an_alpha: "Colours have eight digits.",
            colour_ends_in_a_newline: "Colours end in a newline.",
            colour_is_a_list: "Colours are lists of red, green and blue.",
        },
    ),
    *_each(
        _in_pixels,
        ("anomalies.colours",),
        {
            colour_is_missing: "There are no colours.",
        },
    ),
    Mutant(
        "every-type-is-white",
        "Every type is white in list and mask, in two spellings.",
        ("anomalies.colours",),
        replace(_in_detection(every_type_is_white), anomaly=colour_of_an_anomaly_is_in_lower_case),
    ),
    *_each(
        _in_anomalies,
        ("anomalies.colours-hex",),
        {
            unseen_type_has_no_hex_colour: "A type that is not in the mask has the colour #ZZZZZZ.",
        },
    ),
    *_each(
        _in_area,
        ("anomalies.area",),
        {
            area_is_in_per_cent: "Areas go from 0 to 100.",
            area_is_a_string: "Areas are strings.",
            area_of_the_whole_is_true: "The area of the whole image is true, which some languages take for 1.",
            area_of_the_whole_is_a_hair_over_one: "The area of the whole image is a little more than 1.",
        },
    ),
    *_each(
        _in_pixels,
        ("anomalies.area",),
        {
            area_is_missing: "There are no areas.",
        },
    ),
    *_each(
        _in_anomaly,
        ("anomalies.area",),
        {
            area_of_the_background_is_missing: "The background has no area.",
        },
    ),
    *_each(
        _in_anomaly,
        ("anomalies.area", "anomalies.colours"),
        {
            pixel_anomaly_is_missing: "There is no PixelAnomaly.",
            pixel_anomaly_is_flattened: "Colour and area stand beside the name.",
        },
    ),
    *_each(
        _in_anomalies,
        ("anomalies.area",),
        {
            unseen_types_have_no_area: "Types that are not in the mask are listed without an area.",
        },
    ),
    *_each(
        _in_detection,
        ("anomalies.area-sum", "mask.areas"),
        {
            background_is_the_whole_image: "The area of the background is always 1.",
        },
    ),
    *_each(
        _in_area,
        ("mask.areas",),
        {
            areas_are_rounded_to_a_tenth: "Areas are rounded to one digit.",
        },
    ),
    *_each(
        _in_detection,
        ("mask.areas",),
        {
            areas_are_in_the_wrong_order: "The areas are given to the wrong types.",
        },
    ),
    *_each(
        _in_blob,
        ("mask.base64",),
        {
            mask_is_url_safe: "The mask is base64 in the alphabet for URLs.",
            mask_has_no_padding: "The base64 of the mask has no padding.",
            mask_is_broken_into_lines: "The base64 of the mask is broken into lines.",
            mask_ends_in_a_newline: "The base64 of the mask ends in a newline.",
            mask_is_a_data_url: "The mask is a data: URL.",
            mask_is_python_bytes: "The mask is the repr of bytes.",
            mask_is_a_list_of_numbers: "The mask is a list of numbers.",
        },
    ),
    *_each(
        _in_blob,
        ("mask.png", "mask.base64"),
        {
            mask_is_hexadecimal: "The mask is hexadecimal.",
        },
    ),
    *_each(
        _in_blob,
        ("mask.png",),
        {
            mask_is_encoded_twice: "The mask is base64 of base64.",
        },
    ),
    *_each(
        _drawing,
        ("mask.length",),
        {
            mask_is_empty_when_nothing_is_found: "The mask is empty when the background is all there is.",
        },
    ),
    *_each(
        _in_file,
        ("mask.length",),
        {
            mask_is_one_byte_too_long: "The mask has 5242881 bytes.",
        },
    ),
    *_each(
        _drawing,
        ("mask.png",),
        {
            mask_is_a_jpeg: "The mask is a JPEG file.",
            mask_is_a_gif: "The mask is a GIF file.",
            mask_is_a_bitmap: "The mask is a BMP file.",
            mask_is_raw_pixels: "The mask is pixels without any file around them.",
        },
    ),
    *_each(
        _in_file,
        ("mask.png",),
        {
            mask_has_a_bad_checksum: "A checksum in the mask is wrong.",
            mask_has_no_end: "The mask has no IEND chunk.",
            mask_is_half_a_file: "The mask is cut in half.",
            mask_has_bytes_behind_its_end: "Stray bytes follow the IEND chunk of the mask.",
        },
    ),
    *_each(
        _in_mask,
        ("mask.size",),
        {
            mask_has_its_sides_swapped: "Width and height of the mask are swapped.",
            mask_is_one_pixel_too_narrow: "The mask lacks a column.",
            mask_is_one_pixel_too_low: "The mask lacks a row.",
            mask_is_half_as_large: "The mask has half the width and height.",
            mask_is_always_256_pixels_square: "The mask has the size of the network, not of the image.",
            mask_is_always_square: "The mask of an oblong image is square.",
            mask_is_padded_to_whole_blocks: "The sides of the mask are multiples of 32.",
            mask_of_a_large_image_is_small: "No side of the mask is longer than 512 pixels.",
        },
    ),
    *_each(
        _loading,
        ("mask.size",),
        {
            mask_of_a_jpeg_is_half_as_large: "JPEG images are decoded at half their size, and so is the mask.",
        },
    ),
    *_each(
        _in_mask,
        ("mask.colours",),
        {
            mask_has_soft_edges: "The edges in the mask are soft.",
            mask_has_blue_for_red: "Red and blue are swapped in the mask.",
            mask_is_grey: "The mask has lost its colours.",
            mask_is_black_and_white: "Every anomaly is black in the mask.",
            mask_holds_class_numbers: "The pixels of the mask are numbers of types.",
            mask_has_one_stray_pixel: "One pixel in a corner of the mask is not quite white.",
            mask_is_inverted: "The mask is a negative.",
            mask_is_black_when_nothing_is_found: "The mask is black when the background is all there is.",
            mask_is_transparent_black_for_background: "The background of the mask is transparent black and not white.",
            mask_is_in_the_palette_of_the_web: "The colours of the mask are the nearest of 216.",
            mask_went_through_jpeg: "The mask has been a JPEG file before.",
        },
    ),
    *_each(
        _detecting,
        ("mask.colours",),
        {
            mask_is_laid_over_the_image: "The mask is mixed with the image.",
            mask_has_the_mode_of_the_image: "Grey and palette images get a mask in their own mode.",
        },
    ),
    *_each(
        _in_mask,
        ("mask.areas",),
        {
            mask_shows_anomalies_too_large: "Anomalies are larger in the mask than their area says.",
        },
    ),
)
