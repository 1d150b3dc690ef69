"""Drives the AWS CLI, version 1: reads a job, runs `aws lookoutvision detect-anomalies` for each scenario."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from importlib import import_module
from typing import Any

SERVICE_ERROR = re.compile(
    r"An error occurred \(([^)]*)\) when calling the DetectAnomalies operation[^:]*: ?(.*)", re.S
)


def say(line: dict[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def described(value: Any) -> dict[str, Any]:
    """The type of a member as JSON has it, and a glance at it."""
    if isinstance(value, list):
        return {"type": "array", "length": len(value)}
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object"}
    return {"type": kinds.get(type(value), type(value).__name__), "shown": json.dumps(value)[:80]}


def mask(text: Any) -> dict[str, Any]:
    """The mask, which is printed as base64."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        return described(text)
    return {"type": "bytes", "length": len(data), "png": data.startswith(b"\x89PNG\r\n\x1a\n")}


def members(printed: str) -> dict[str, Any]:
    """The members of what was printed; none when nothing was."""
    answer = json.loads(printed) if printed.strip() else {}
    result = answer.get("DetectAnomalyResult") or {}
    found = {name: result.get(name) for name in ("IsAnomalous", "Confidence", "Anomalies")}
    found["Source.Type"] = (result.get("Source") or {}).get("Type")
    told = {name: described(value) for name, value in found.items() if value is not None}
    if "Anomalies" in told:
        told["Anomalies"]["entries"] = [entry(each or {}) for each in result["Anomalies"]][:200]
    if result.get("AnomalyMask") is not None:
        told["AnomalyMask"] = mask(result["AnomalyMask"])
    return told


def entry(anomaly: dict[str, Any]) -> dict[str, str]:
    """The types of what an anomaly holds."""
    area = anomaly.get("PixelAnomaly") or {}
    found = {"Name": anomaly.get("Name"), "Area": area.get("TotalPercentageArea"), "Color": area.get("Color")}
    return {name: described(value)["type"] for name, value in found.items() if value is not None}


def raised(code: int, complaint: str) -> dict[str, Any]:
    """What the CLI complained of: an error of the service, by its name, or its own trouble."""
    lines = complaint.strip()
    if match := SERVICE_ERROR.search(lines):
        return {"class": "", "service": True, "name": match[1][:200], "message": match[2].strip()[:500]}
    return {"class": f"exit code {code}", "service": False, "message": lines[-500:]}


def command(each: dict[str, str], job: dict[str, Any]) -> list[str]:
    """The command line for a scenario."""
    seconds = max(1, round(job["seconds"]))
    return [
        *(sys.executable, "-I", "-m", "awscli", "lookoutvision", "detect-anomalies", "--output=json"),
        f"--endpoint-url={each['endpoint']}",
        f"--region={job['region']}",
        f"--project-name={each['project']}",
        f"--model-version={each['version']}",
        f"--content-type={each['content_type']}",
        f"--body={each['body']}",
        f"--cli-connect-timeout={seconds}",
        f"--cli-read-timeout={seconds}",
    ]


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin)
    version, botocore = import_module("awscli").__version__, import_module("botocore").__version__
    say({"hello": f"aws-cli {version} (botocore {botocore}), Python {sys.version.split()[0]}"})
    for each in job["scenarios"]:
        done = subprocess.run(command(each, job), stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
        printed, complaint = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        try:
            told = {"error": raised(done.returncode, complaint)} if done.returncode else {"members": members(printed)}
        except Exception as error:  # what it printed is no JSON of that form
            told = {"error": {"class": type(error).__name__, "service": False, "message": str(error)[:500]}}
        say({"scenario": each["id"], **told})


main()
