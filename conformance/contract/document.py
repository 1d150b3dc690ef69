"""The OpenAPI document, and what follows from it: the path, the parameters, the schemas, the documented errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from conformance.contract.clauses import load_yaml
from conformance.contract.schema import Schema


@dataclass(frozen=True)
class Document:
    """The contract as data, references resolved."""

    path: tuple[str, ...]
    """The segments of the template path; a label stands as ``{name}``."""
    method: str
    project: Schema
    version: Schema
    content_type: Schema
    media_types: tuple[str, ...]
    result: Schema
    """Schema of the whole body of a success."""
    errors: Mapping[str, int]
    """The documented errors of the operation: id to status."""
    error_schemas: Mapping[str, Schema]
    """The documented errors of the operation: id to the schema of their body."""


@cache
def document() -> Document:
    """The contract that travels with this version of the suite."""
    whole = load_yaml("openapi.yaml")
    ((template, path),) = whole["paths"].items()
    operation = _resolved(path["post"], whole)
    labels = {each["name"]: each["schema"] for each in operation["parameters"]}
    body = operation["requestBody"]
    errors = {reply["x-error"]: code for code, reply in operation["responses"].items() if "x-error" in reply}
    return Document(
        path=tuple(template.strip("/").split("/")),
        method="POST",
        project=labels["projectName"],
        version=labels["modelVersion"],
        content_type=body["x-content-type"],
        media_types=tuple(body["content"]),
        result=_body(operation["responses"]["200"]),
        errors={name: int(code) for name, code in errors.items()},
        error_schemas={name: _body(operation["responses"][code]) for name, code in errors.items()},
    )


@cache
def digest() -> str:
    """SHA-256 over the contract: the OpenAPI document and the clauses, as data."""
    parts = [load_yaml("openapi.yaml"), load_yaml("clauses.yaml")]
    return "sha256:" + sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _body(reply: Mapping[str, Any]) -> Schema:
    schema: Schema = reply["content"]["application/json"]["schema"]
    return schema


def _resolved(part: Any, whole: Mapping[str, Any]) -> Any:
    """Replace each reference by what it points to. The contract has no cycles."""
    if isinstance(part, list):
        return [_resolved(each, whole) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found: Any = whole
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _resolved(found, whole)
    return {key: _resolved(value, whole) for key, value in part.items()}
