"""What the pinned SDK makes of an answer: botocore's own parser, with the published model, and no network.

A success has to come out whole and typed, an error as its modelled exception. What an answer says and what a client
reads in it are two things: HTML with status 200 is an empty success to boto3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from conformance.contract.document import document
from conformance.contract.schema import shown
from conformance.exchange import ERROR_HEADER, Exchange, shown_name
from conformance.message import Headers, Response
from conformance.rule import Finding, rule
from conformance.rules.selectors import failed_in_the_operation, succeeded

SERVICE = "lookoutvision"
OPERATION = "DetectAnomalies"
_PARSED_HEADERS = (ERROR_HEADER, b"retry-after")
_TYPES: Mapping[str, type] = {"IsAnomalous": bool, "Confidence": float, "Anomalies": list, "AnomalyMask": bytes}
_SMALL = 4096  # bytes of a body whose reading is remembered


@cache
def _model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(SERVICE, "service-2"))


@cache
def _parser() -> Any:
    from botocore.parsers import ResponseParserFactory

    return ResponseParserFactory().create_parser("rest-json")


def _response(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    from botocore.awsrequest import HeadersDict

    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    return {"status_code": status, "headers": HeadersDict(named), "body": body}


def read_success(response: Response) -> Mapping[str, Any] | str:
    """What the client hands to its caller, or how it crashes."""
    shape = _model().operation_model(OPERATION).output_shape
    return _parsed(_response(response.status, response.headers, response.body), shape)


def read_error(response: Response) -> Mapping[str, Any] | str:
    """The exception that the client raises, as its parsed members, or how it crashes instead."""
    headers = tuple((name, value) for name, value in response.headers if name.lower() in _PARSED_HEADERS)
    if len(response.body) <= _SMALL:
        return _remembered_error(response.status, headers, response.body)
    return _error(response.status, headers, response.body)


def _error(status: int, headers: Headers, body: bytes) -> Mapping[str, Any] | str:
    """As the client's endpoint does it: the code first, then the members of the exception of that name."""
    answer = _response(status, headers, body)
    parsed = _parsed(answer, _model().operation_model(OPERATION).output_shape)
    if isinstance(parsed, str):
        return parsed
    code = parsed.get("Error", {}).get("Code")
    shape = _model().shape_for_error_code(code) if isinstance(code, str) else None
    if shape is None:
        return parsed
    members = _parsed(answer, shape)
    return members if isinstance(members, str) else {**parsed, **members, "shape": shape.name}


_remembered_error = lru_cache(maxsize=512)(_error)


def _parsed(answer: dict[str, Any], shape: Any) -> Mapping[str, Any] | str:
    try:
        parsed: Mapping[str, Any] = _parser().parse(answer, shape)
    except Exception as error:  # whatever it raises, its caller would see
        return f"{type(error).__name__}: {error}"
    return parsed


@rule("sdk.reads", when=succeeded)
def the_sdk_reads_a_whole_result(exchange: Exchange) -> Iterator[Finding]:
    parsed = read_success(exchange.response) if exchange.response else {}
    if isinstance(parsed, str):
        yield Finding("answer", "a result that boto3 can read", f"boto3 crashes: {shown(parsed, 120)}")
        return
    result = parsed.get("DetectAnomalyResult", {})
    if not result:
        yield Finding("answer", "a result that boto3 can read", "boto3 reads an empty result")
        return
    for name, value in exchange.result.items():
        read = result.get(name)
        if name in _TYPES and not (isinstance(read, _TYPES[name]) and _same(name, read, value, exchange)):
            yield Finding(name, f"what boto3 reads as the same {_TYPES[name].__name__}", f"boto3 reads {shown(read)}")


def _same(name: str, read: Any, value: Any, exchange: Exchange) -> bool:
    if name == "AnomalyMask":
        return bool(read == exchange.mask)
    if name == "Anomalies":
        return isinstance(value, list) and len(read) == len(value)
    return bool(read == value)


@rule("sdk.reads", when=failed_in_the_operation)
def the_sdk_raises_the_modelled_exception(exchange: Exchange) -> Iterator[Finding]:
    parsed = read_error(exchange.response) if exchange.response else {}
    if isinstance(parsed, str):
        yield Finding("answer", "an error that boto3 can read", f"boto3 crashes: {shown(parsed, 120)}")
    elif parsed.get("shape") not in document().errors or parsed.get("shape") != exchange.error_id:
        read = shown_name(str(parsed.get("Error", {}).get("Code")))
        yield Finding("answer", "a modelled exception in boto3", f"boto3 raises {read}")


RULES = (the_sdk_reads_a_whole_result, the_sdk_raises_the_modelled_exception)
