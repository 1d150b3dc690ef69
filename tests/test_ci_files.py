"""What users take into their CI: action, workflow, GitLab job and image are sound, and do what they say."""

from __future__ import annotations

import fnmatch
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
import yaml

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "fixtures" / "ci" / "github.yml"
GITLAB = ROOT / "fixtures" / "ci" / "gitlab.yml"
DOCKERFILE = ROOT / "Dockerfile"
TARGET = ROOT / "fixtures" / "targets" / "reference.toml"

FAULT = "mask-is-one-pixel-too-narrow"
REMARK = "grey-png-is-refused"
"""It breaches a SHOULD and no MUST: it passes the gate, and is a step back."""


@cache
def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> list[dict[str, Any]]:
    return list(loaded(ACTION)["runs"]["steps"])


def scripts() -> dict[str, str]:
    """Every script in what users take, by where it is."""
    found = {f"action: {step['name']}": step["run"] for step in steps() if "run" in step}
    jobs = loaded(WORKFLOW)["jobs"]["conformance"]["steps"]
    found |= {f"workflow: {step['name']}": step["run"] for step in jobs if "run" in step}
    return found | {"gitlab": gitlab_script()}


def gitlab_script() -> str:
    """The job's lines as the runner joins them."""
    return "set -eo pipefail\n" + "\n".join(loaded(GITLAB)["conformance"]["script"]) + "\n"


def tool(name: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *arguments], capture_output=True, text=True, check=False, **options)


class TestSyntax:
    """Those who know the formats have nothing against the files."""

    @pytest.mark.parametrize(
        ("file", "schema"), [(ACTION, "github-actions"), (WORKFLOW, "github-workflows"), (GITLAB, "gitlab-ci")]
    )
    def test_it_keeps_the_schema(self, file: Path, schema: str) -> None:
        done = tool("check-jsonschema", "--builtin-schema", f"vendor.{schema}", file)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout

    @pytest.mark.parametrize("name", scripts())
    def test_shellcheck_has_nothing_against_the_scripts(self, name: str) -> None:
        done = tool("shellcheck", "--shell=bash", "--severity=style", "-", input=scripts()[name])
        assert (done.returncode, done.stdout) == (0, "")

    def test_hadolint_has_nothing_against_the_image(self) -> None:
        done = tool("hadolint", "--no-color", DOCKERFILE)
        assert (done.returncode, done.stdout) == (0, "")

    @pytest.mark.parametrize("name", [name for name in scripts() if name != "gitlab"])
    def test_nothing_is_pasted_into_a_script(self, name: str) -> None:
        """An input that is part of the text is run as such."""
        assert "${{" not in scripts()[name]

    def test_the_action_reads_every_input_and_says_what_each_is(self) -> None:
        inputs = loaded(ACTION)["inputs"]
        assert set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text(encoding="utf-8"))) == set(inputs)
        assert all(each["description"].endswith(".") for each in inputs.values())

    def test_the_workflow_and_the_readme_give_the_action_what_it_takes(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        (block,) = re.findall(r"```yaml\n(- uses: .*?)```", readme, re.DOTALL)
        for step in (loaded(WORKFLOW)["jobs"]["conformance"]["steps"][-1], *yaml.safe_load(block)):
            assert set(step["with"]) <= set(loaded(ACTION)["inputs"])


class TestImage:
    """The Dockerfile; there is no daemon here that could build it."""

    def instructions(self, word: str) -> list[list[str]]:
        lines = re.sub(r"\\\n", " ", DOCKERFILE.read_text(encoding="utf-8")).splitlines()
        return [line.split()[1:] for line in lines if line.startswith(f"{word} ")]

    def test_its_base_is_pinned(self) -> None:
        assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-[a-z]+", base[0]) for base in self.instructions("FROM"))

    def test_it_runs_as_nobody_in_particular(self) -> None:
        assert self.instructions("USER") == [["10001:10001"]]
        assert self.instructions("ENTRYPOINT") == [['["conformance"]']]

    def test_what_is_copied_is_there_and_not_ignored(self) -> None:
        copied = {source for words in self.instructions("COPY") for source in words[:-1]}
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        taken = {line[1:] for line in lines if line.startswith("!")}
        assert copied == taken
        assert all((ROOT / source).exists() for source in copied)

    def test_what_is_copied_makes_the_whole_wheel(self, tmp_path: Path) -> None:
        """Neither a file that the build needs is missing nor one that the suite needs when it runs."""
        ignored = shutil.ignore_patterns("__pycache__")
        for source, place in ((words[:-1], words[-1]) for words in self.instructions("COPY")):
            for each in source:
                to = tmp_path / place.lstrip("/")
                if (ROOT / each).is_dir():
                    shutil.copytree(ROOT / each, to, ignore=ignored)
                else:
                    to.mkdir(exist_ok=True)
                    shutil.copy(ROOT / each, to)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-deps"]
        subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(tmp_path / "suite")], check=True)
        (wheel,) = tmp_path.glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        for needed in ("*/cli*.py", "*/_shipped/schemas/clauses.yaml", "*/_shipped/fixtures/targets/reference.toml"):
            assert fnmatch.filter(names, needed) or fnmatch.filter(names, needed.replace("cli*", "cli/*")), needed


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """`conformance serve` on a free port. Nobody waits for it here: that is for who judges it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [str(BIN / "conformance"), "serve", "--port", str(port), "--log-format", "none", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@dataclass
class Runner:
    """As much of GitHub's runner as the action needs: it fills expressions in, runs the steps, keeps what they say."""

    room: Path
    inputs: Mapping[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    summary: str = ""
    log: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    """The artifact."""
    code: int = 0
    """Of the first step that failed."""

    STUB: ClassVar = (
        "#!/usr/bin/env bash\n"
        "# A Python that makes a venv with the suite already in it, and installs nothing.\n"
        'echo "$*" >> "{log}"\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; ln -sf "{bin}/conformance" "$3/bin/"\n'
        'elif [ "$2" != pip ]; then exec "{python}" "$@"; fi\n'
    )

    def go(self) -> Runner:
        stub = self.room / "stub"
        stub.write_text(self.STUB.format(log=self.room / "installed", bin=BIN, python=sys.executable), encoding="utf-8")
        stub.chmod(0o755)
        for step in steps():
            condition = str(step.get("if", ""))
            if (self.code and "cancelled()" not in condition) or not self.holds(condition):
                continue
            if "run" in step:
                self.run(step)
            elif step["uses"].startswith("actions/setup-python@"):
                self.outputs["python"] = {"python-path": str(stub)}
            else:
                assert step["uses"].startswith("actions/upload-artifact@")
                self.kept = {key: self.filled(value) for key, value in step["with"].items()}
        return self

    def run(self, step: Mapping[str, Any]) -> None:
        assert step["shell"] == "bash"
        files = {name: self.room / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        script = self.room / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.room,
            env={
                "PATH": os.environ["PATH"],
                **{name: str(file) for name, file in files.items()},
                **{name: self.filled(value) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        self.log += done.stdout
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        self.outputs[step.get("id", step["name"])] = dict(line.split("=", 1) for line in lines)
        self.code = self.code or done.returncode

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.value(found[1]), text)

    def value(self, expression: str) -> str:
        """The first that is not empty of what stands between ``||``."""
        return next(filter(None, map(self.looked_up, expression.split(" || "))), "")

    def looked_up(self, name: str) -> str:
        kind, _, rest = name.partition(".")
        if kind == "inputs":
            default: str = loaded(ACTION)["inputs"][rest].get("default", "")
            return self.inputs.get(rest, default)
        if kind == "steps":
            step, _, output = rest.partition(".outputs.")
            return self.outputs.get(step, {}).get(output, "")
        return {"github.action_path": str(ROOT), "runner.temp": str(self.room)}[name]

    def holds(self, condition: str) -> bool:
        inner = condition.removeprefix("${{ ").removesuffix(" }}")
        terms = [term for term in inner.split(" && ") if term not in ("", "!cancelled()")]
        pairs = [term.split(" != ") for term in terms]
        return all(self.looked_up(name) != literal.strip("'") for name, literal in pairs)

    @property
    def found(self) -> dict[str, str]:
        """What the action gives to the job."""
        return {name: self.filled(each["value"]) for name, each in loaded(ACTION)["outputs"].items()}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The action, on a sound server."""
    with serving() as url:
        inputs = {"target": str(TARGET), "url": url, "depth": "quick", "seed": "0"}
        return Runner(tmp_path_factory.mktemp("earlier"), inputs).go()


class TestAction:
    """Every step of action.yml, run as GitHub's runner runs it."""

    def test_a_sound_server_passes(self, earlier: Runner) -> None:
        assert earlier.code == 0, earlier.log
        found = {"conclusion": "partial", "report": "conformance-report", "exit-code": "0", "compared": ""}
        assert earlier.found == found
        assert earlier.summary == (earlier.room / "conformance-report" / "github-summary.md").read_text("utf-8")
        annotations = (earlier.room / "conformance-report" / "annotations.txt").read_text("utf-8")
        assert annotations.startswith("::warning title=DetectAnomalies%3A partial::")
        assert earlier.log.endswith(annotations)
        assert earlier.kept == {"name": "conformance-report", "path": "conformance-report"}

    def test_it_installs_its_own_checkout_apart_from_the_jobs_python(self, earlier: Runner) -> None:
        made, installed, *_ = (earlier.room / "installed").read_text(encoding="utf-8").splitlines()
        assert made == f"-m venv {earlier.room / 'detect-anomalies-conformance'}"
        assert installed == f"-m pip install --quiet --disable-pip-version-check {ROOT}"

    def test_a_faulty_server_fails_after_everything_was_shown_and_kept(self, earlier: Runner, tmp_path: Path) -> None:
        with serving("--mutant", FAULT) as url:
            baseline = str(earlier.room / "conformance-report")
            inputs = {"target": str(TARGET), "url": url, "depth": "quick", "baseline": baseline, "out": "a report"}
            runner = Runner(tmp_path, inputs).go()
        assert runner.code == 1, runner.log
        found = {"conclusion": "non-conformant", "report": "a report", "exit-code": "1", "compared": "1"}
        assert runner.found == found
        assert runner.kept["path"] == "a report"
        assert re.search(r"^::error title=MUST mask\.\S+ failed::", runner.log, re.MULTILINE)
        assert "# ✗ DetectAnomalies: non-conformant" in runner.summary
        assert runner.summary.endswith((tmp_path / "a report" / "comparison.md").read_text(encoding="utf-8"))

    def test_a_step_back_fails_although_the_gate_passes(self, earlier: Runner, tmp_path: Path) -> None:
        with serving("--mutant", REMARK) as url:
            baseline = str(earlier.room / "conformance-report")
            inputs = {"target": str(TARGET), "url": url, "depth": "quick", "seed": "0", "baseline": baseline}
            runner = Runner(tmp_path, inputs).go()
        assert (runner.code, runner.found["exit-code"], runner.found["compared"]) == (1, "0", "1"), runner.log

    def test_without_the_gate_partial_is_no_pass(self, tmp_path: Path) -> None:
        """And scenes declare what no target file does, one by one, odd words and all."""
        with serving() as url:
            scenes = {"classification": "cookies/1", "segmentation": "circuits/2", "stopped": "boards/1"}
            more = {"gate": "false", "baseline": "nowhere", "artifact": "", "depth": "quick"}
            runner = Runner(tmp_path, {"url": url, **scenes, **more}).go()
        assert (runner.code, runner.found["conclusion"], runner.kept) == (4, "partial", {}), runner.log
        assert "there is no report in nowhere" in runner.log

    def test_a_server_that_never_comes_is_indeterminate(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        inputs = {"url": url, "classification": "cookies/1", "depth": "quick", "wait": "1"}
        runner = Runner(tmp_path, inputs).go()
        assert (runner.code, runner.found["conclusion"]) == (3, "indeterminate"), runner.log
        assert runner.kept

    @pytest.mark.parametrize(
        "inputs",
        [
            {},
            {"target": "nowhere.toml"},
            {"url": "http://127.0.0.1:9", "classification": "$(touch pwned)`touch pwned`/x; touch pwned", "wait": "0"},
            {"target": "--help; touch pwned", "wait": "a[$(touch pwned)]"},
        ],
        ids=["nothing", "no-file", "odd-scene", "odd-everything"],
    )
    def test_a_mistake_is_2_and_nothing_is_run_that_was_given(self, inputs: dict[str, str], tmp_path: Path) -> None:
        runner = Runner(tmp_path, inputs).go()
        assert (runner.code, runner.found["conclusion"], runner.found["exit-code"]) == (2, "", "2"), runner.log
        assert not (tmp_path / "pwned").exists()


@contextmanager
def artifacts(archive: bytes | None) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """GitLab's API, with an artifact of the default branch or without; its URL, and what it is asked for."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("JOB-TOKEN", "")))
            self.send_response(200 if archive else 404)
            self.end_headers()
            self.wfile.write(archive or b"")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/v4", asked
        finally:
            server.shutdown()


def zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, f"conformance-report/{file.relative_to(folder)}")
    return packed.getvalue()


class TestGitlab:
    """The job's script, as the runner joins its lines, in the image's place this Python's environment."""

    @pytest.mark.parametrize(
        ("options", "baseline", "code"),
        [((), False, 0), ((), True, 0), (("--mutant", FAULT), False, 1), (("--mutant", REMARK), True, 1)],
        ids=["sound", "as-before", "faulty", "a-step-back"],
    )
    def test_the_job(
        self, options: tuple[str, ...], baseline: bool, code: int, earlier: Runner, tmp_path: Path
    ) -> None:
        archive = zipped(earlier.room / "conformance-report") if baseline else None
        with serving(*options) as url, artifacts(archive) as (api, asked):
            given = {"CONFORMANCE_URL": url, "CONFORMANCE_TARGET": str(TARGET), "CONFORMANCE_DEPTH": "quick"}
            ci = {"API_V4_URL": api, "PROJECT_ID": "7", "JOB_TOKEN": "t", "DEFAULT_BRANCH": "a/b", "JOB_NAME": "a job"}
            done = subprocess.run(
                ["bash", "-c", gitlab_script()],
                cwd=tmp_path,
                env={
                    **{key: str(value) for key, value in loaded(GITLAB)["conformance"]["variables"].items()},
                    **given,
                    **{f"CI_{name}": value for name, value in ci.items()},
                    "PATH": f"{BIN}:{os.environ['PATH']}",
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=180,
            )
        assert done.returncode == code, done.stdout
        assert asked == [("/api/v4/projects/7/jobs/artifacts/a%2Fb/download?job=a%20job", "t")]
        assert ("no earlier report" in done.stdout) != baseline
        reports = loaded(GITLAB)["conformance"]["artifacts"]
        assert (tmp_path / reports["reports"]["junit"]).is_file()
        (folder,) = reports["paths"]
        assert (tmp_path / folder / "comparison.md").is_file() == baseline
        assert json.loads((tmp_path / folder / "report.json").read_text(encoding="utf-8"))["conclusion"]
