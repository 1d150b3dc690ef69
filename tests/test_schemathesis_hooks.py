"""Our rules inside Schemathesis: its command line, with and without them, on references honest and not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup

from conformance import selftest
from conformance.cases.openapi import TEMPLATE, plain_document
from conformance.reference.app import DEMO, HONEST, Behaviour, Model, Store
from conformance.reference.mutants import MUTANTS
from conformance.reference.server import running
from conformance.reference.variants import VARIANTS
from conformance.shipped import shipped

ST = Path(sys.executable).with_name("st")
HOOKS = {"SCHEMATHESIS_HOOKS": "conformance.schemathesis"}
DECLARED = {**HOOKS, "CONFORMANCE_TARGET": str(selftest.REFERENCE)}
GOOD = TEMPLATE.format(projectName="cookies", modelVersion="1")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def st_run(tmp_path: Path) -> Run:
    """Run Schemathesis on a server of that behaviour, away from anybody's configuration."""

    def run(
        behaviour: Behaviour, environment: dict[str, str], *options: str, store: Store = DEMO
    ) -> subprocess.CompletedProcess[str]:
        document = str(shipped("schemas", "openapi.yaml"))
        fixed = "--seed 1 --max-examples 15 --generation-database none --no-color --continue-on-failure".split()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SCHEMATHESIS", "CONFORM"))}
        with running(behaviour, store=store) as url:
            command = [str(ST), "run", document, "--url", url, *fixed, *options]
            return subprocess.run(
                command, env={**clean, **environment}, cwd=tmp_path, capture_output=True, text=True, errors="replace"
            )

    return run


def failures(process: subprocess.CompletedProcess[str]) -> set[str]:
    """The titles in the summary."""
    return set(re.findall(r"❌ (ST[^:]*): \d", process.stdout))


def test_the_honest_reference_passes_every_check(st_run: Run) -> None:
    """Neither our check nor one of Schemathesis' own has anything to say."""
    process = st_run(HONEST, DECLARED)
    assert failures(process) == set()
    assert process.returncode == 0, process.stdout


def test_nothing_is_demanded_of_models_that_are_not_declared(st_run: Run) -> None:
    """A server whose models take images of one size only is not accused by us, who cannot know which."""
    variant = next(each.behaviour for each in VARIANTS if each.id == "size-of-the-training-images")
    process = st_run(variant, HOOKS, "--phases", "coverage", "--checks", "conformance")
    assert failures(process) == set()
    assert process.returncode == 0, process.stdout


def test_plain_schemathesis_does_not_accuse_an_honest_server(st_run: Run) -> None:
    """By the document alone, an honest server that has none of its example's models breaks nothing."""
    process = st_run(HONEST, {}, store=(Model("biscuits", 1),))
    assert failures(process) == set()
    assert process.returncode == 0, process.stdout


def test_a_mutant_fails_and_the_clause_is_named(st_run: Run) -> None:
    """Without any scene declared, the failure's title is the clause, and its text says what was expected."""
    mutant = replace(HONEST, project_pattern=lambda _: True)
    process = st_run(mutant, HOOKS, "--phases", "coverage", "--checks", "conformance")
    assert failures(process) == {"ST901 project.pattern"}
    assert process.returncode == 1
    expected = r"- ST901 project\.pattern\n\n +Requirement: .*\n +Where: .*\n +Expected: .*\n +Actual: +404 "
    assert re.search(expected, process.stdout)


def test_a_mutant_is_caught_behind_a_declared_model(st_run: Run) -> None:
    """With the scenes declared, cases reach the models, and what comes back is judged to the last pixel."""
    mutant = next(each.behaviour for each in MUTANTS if each.id == "mask-is-url-safe")
    process = st_run(mutant, DECLARED, "--phases", "examples", "--checks", "conformance")
    assert "ST901 mask.base64" in failures(process)


def test_a_bad_target_file_is_named(st_run: Run) -> None:
    """An operator's mistake stops Schemathesis before anything is sent."""
    process = st_run(HONEST, {**HOOKS, "CONFORMANCE_TARGET": "nowhere.toml"})
    assert process.returncode == 2
    assert "nowhere.toml: there is no such target file" in process.stdout + process.stderr


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """The module itself; importing it registers its check and its hook in this process too."""
    import conformance.schemathesis

    return conformance.schemathesis


def case_and_response(
    status: int, headers: dict[str, list[str]], body: bytes, url: str, **sent: Any
) -> tuple[Any, Any]:
    """A case of ours, and an answer to a request for it."""
    schema = schemathesis.openapi.from_dict(plain_document(), config=schemathesis.Config())
    case = schema[TEMPLATE]["POST"].Case(path_parameters={"projectName": "cookies", "modelVersion": "1"})
    request = requests.Request("POST", url, **sent).prepare()
    return case, schemathesis.Response(status, headers, body, request, 0.1, True)


def check(hooks: ModuleType, case: Any, response: Any) -> list[str] | None:
    """The clauses that fail; None when the check does not judge."""
    try:
        return None if hooks.conformance(None, response, case) else []
    except FailureGroup as group:
        return [failure.title for failure in group.exceptions]


def test_what_cannot_be_seen_is_not_judged(hooks: ModuleType) -> None:
    """Streamed uploads, bodies kept in part, and other operations are nobody's fault."""
    url = "http://127.0.0.1:8080" + GOOD
    assert check(hooks, *case_and_response(200, {}, b"", url)) is not None
    assert check(hooks, *case_and_response(200, {}, b"", url, data=iter([b"x"]))) is None
    case, response = case_and_response(200, {}, b"", url)
    response.content_size = 10
    assert check(hooks, case, response) is None
    case, response = case_and_response(200, {}, b"", url)
    case.path = "/health"
    assert check(hooks, case, response) is None


def test_the_request_is_what_was_sent(hooks: ModuleType) -> None:
    """Method, path, headers and body are those of the prepared request; a base path is not part of the operation."""
    prepared = requests.Request(
        "POST", "http://127.0.0.1:8080/base" + GOOD, headers={"Content-Type": "image/png"}, data=b"abc"
    ).prepare()
    request = hooks._request(prepared, "/base")
    assert (request.method, request.target, request.body) == (b"POST", GOOD.encode(), b"abc")
    assert request.headers[0] == (b"Host", b"127.0.0.1:8080")
    assert request.values(b"content-length") == (b"3",)
    assert request.values(b"content-type") == (b"image/png",)


TEXTS = st.text(st.characters(blacklist_characters="\r\n", codec="utf-8"), max_size=8)
BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"null", b"[]", b"{}", b'{"DetectAnomalyResult":null}', b'{"DetectAnomalyResult":[]}', b"NaN"]),
    TEXTS.map(lambda text: b'{"__type":"' + text.encode() + b'","Message":"' + text.encode() + b'"}'),
)


@settings(deadline=None, max_examples=60)
@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2), max_size=2),
    body=BODIES,
    path=st.sampled_from(
        [GOOD, "/%ff/x", "//a//b", "/?", GOOD + "?a=b", TEMPLATE.format(projectName="-", modelVersion=0)]
    ),
    data=st.one_of(st.none(), st.binary(max_size=20), st.text(max_size=5)),
)
def test_nothing_but_a_failure_is_ever_raised(
    hooks: ModuleType, status: int, headers: dict[str, list[str]], body: bytes, path: str, data: bytes | str | None
) -> None:
    """Whatever came back, the check says what is wrong, and in printable ASCII."""
    case, response = case_and_response(status, headers, body, "http://h" + path, data=data)
    try:
        hooks.conformance(None, response, case)
    except FailureGroup as group:
        for failure in group.exceptions:
            assert failure.message.replace("\n", "").isprintable()
            assert failure.message.isascii()
            assert "fault of the suite" not in failure.title
