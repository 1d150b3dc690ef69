"""Drives boto3: reads a job, calls DetectAnomalies once for each scenario, says what came back."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


def say(line: dict[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def described(value: Any) -> dict[str, Any]:
    """The type of a member in the words of JSON, or bytes, and a glance at it."""
    if isinstance(value, bytes):
        return {"type": "bytes", "length": len(value), "png": value.startswith(b"\x89PNG\r\n\x1a\n")}
    if isinstance(value, list):
        return {"type": "array", "length": len(value)}
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object"}
    return {"type": kinds.get(type(value), type(value).__name__), "shown": json.dumps(value, default=str)[:80]}


def members(answer: dict[str, Any]) -> dict[str, Any]:
    """The members of the result that are there, those of the anomalies gathered from all entries."""
    result = answer.get("DetectAnomalyResult") or {}
    found = {name: result.get(name) for name in ("IsAnomalous", "Confidence", "Anomalies", "AnomalyMask")}
    found["Source.Type"] = (result.get("Source") or {}).get("Type")
    told = {name: described(value) for name, value in found.items() if value is not None}
    if "Anomalies" in told:
        told["Anomalies"]["entries"] = [entry(each or {}) for each in result["Anomalies"]][:200]
    return told


def entry(anomaly: dict[str, Any]) -> dict[str, str]:
    """The types of what an anomaly holds."""
    area = anomaly.get("PixelAnomaly") or {}
    found = {"Name": anomaly.get("Name"), "Area": area.get("TotalPercentageArea"), "Color": area.get("Color")}
    return {name: described(value)["type"] for name, value in found.items() if value is not None}


def raised(error: Exception, base: type) -> dict[str, Any]:
    """An exception: the service's own, with what it carries, or another."""
    told: dict[str, Any] = {"class": type(error).__name__, "message": str(error)[:500], "service": False}
    if isinstance(error, base):
        response: dict[str, Any] = error.response  # type: ignore[attr-defined]
        named, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        told |= {"service": True, "typed": type(error) is not base, "name": str(named.get("Code", ""))[:200]}
        told |= {"message": str(named.get("Message") or "")[:500], "status": meta.get("HTTPStatusCode")}
        told["attempts"] = meta.get("RetryAttempts", 0) + 1
    return told


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin)
    boto3, botocore = import_module("boto3"), import_module("botocore")
    base = import_module("botocore.exceptions").ClientError
    config = import_module("botocore.config").Config(connect_timeout=job["seconds"], read_timeout=job["seconds"])

    @cache
    def client(endpoint: str) -> Any:
        return boto3.client("lookoutvision", region_name=job["region"], endpoint_url=endpoint, config=config)

    client("http://127.0.0.1:9")  # only loads the model
    say({"hello": f"boto3 {boto3.__version__} (botocore {botocore.__version__}), Python {sys.version.split()[0]}"})
    for each in job["scenarios"]:
        try:
            answer = client(each["endpoint"]).detect_anomalies(
                ProjectName=each["project"],
                ModelVersion=each["version"],
                ContentType=each["content_type"],
                Body=Path(each["body"]).read_bytes(),
            )
            meta = answer["ResponseMetadata"]
            told = {"members": members(answer), "status": meta.get("HTTPStatusCode")}
            say({"scenario": each["id"], **told, "attempts": meta.get("RetryAttempts", 0) + 1})
        except Exception as error:
            say({"scenario": each["id"], "error": raised(error, base)})


main()
