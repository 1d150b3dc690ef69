"""The contract as data: the OpenAPI document and the clauses are sound, and both account for the rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.core.result import Ok

from conformance import earned
from conformance.contract.clauses import Clause, Level, catalogue, load_yaml
from conformance.contract.document import digest, document
from conformance.rules import RULES, observations
from conformance.shipped import shipped

OPENAPI = load_yaml("openapi.yaml")
CLAUSES = load_yaml("clauses.yaml")
SCHEMA = json.loads(shipped("schemas", "clauses.schema.json").read_text(encoding="utf-8"))
TARGET_SCHEMA = json.loads(shipped("schemas", "target.schema.json").read_text(encoding="utf-8"))
PATH = "/2020-11-20/projects/{projectName}/models/{modelVersion}/detect"
TESTED = catalogue().tested()
BY_ID = catalogue().clauses


def ids(clauses: list[Clause]) -> list[str]:
    return [clause.id for clause in clauses]


def nested(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every object inside a document, itself included."""
    if isinstance(part, dict):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from nested(each)


# ---- the OpenAPI document


def test_the_document_is_openapi() -> None:
    """OpenAPI 3.1, by its own schema and with every reference and example sound."""
    assert [error.message for error in OpenAPIV31SpecValidator(OPENAPI).iter_errors()] == []


def test_schemathesis_loads_the_document() -> None:
    """The generator finds the one operation, its parameters and both media types in it."""
    (result,) = schemathesis.openapi.from_dict(load_yaml("openapi.yaml")).get_all_operations()
    assert isinstance(result, Ok)
    operation = result.ok()
    assert (operation.method, operation.path) == ("post", PATH)
    assert {"projectName", "modelVersion"} == {parameter.name for parameter in operation.path_parameters}
    assert {"image/png", "image/jpeg"} == {body.media_type for body in operation.body}


def test_the_document_names_known_clauses() -> None:
    """Beside every constraint stands a clause that there is."""
    found = [part["x-clause"] for part in nested(OPENAPI) if "x-clause" in part]
    named = {name for each in found for name in (each.values() if isinstance(each, dict) else [each])}
    assert named
    assert named <= set(BY_ID)


def test_clauses_of_keywords_belong_to_keywords() -> None:
    """Where clauses are given for single keywords, the schema has those keywords."""
    for part in nested(OPENAPI):
        if isinstance(part.get("x-clause"), dict):
            assert set(part["x-clause"]) <= set(part)


def test_patterns_are_anchored() -> None:
    """JSON Schema searches; the contract wants the whole value."""
    named = [part["x-clause"] for part in nested(OPENAPI) if isinstance(part.get("x-clause"), dict)]
    patterns = [part["pattern"] for part in nested(OPENAPI) if "pattern" in part and part not in named]
    assert patterns
    assert all(re.fullmatch(r"\^.*\$", pattern) for pattern in patterns)


def test_the_document_states_the_limits_of_the_page() -> None:
    """Path, labels, media types and result as the page and the model have them."""
    contract = document()
    assert PATH.strip("/") == "/".join(contract.path)
    assert tuple(contract.project[key] for key in ("minLength", "maxLength", "pattern")) == (
        1,
        255,
        r"^[a-zA-Z0-9][a-zA-Z0-9_\-]*$",
    )
    assert tuple(contract.version[key] for key in ("minLength", "maxLength", "pattern")) == (
        1,
        10,
        "^([1-9][0-9]*|latest)$",
    )
    assert (contract.content_type["minLength"], contract.content_type["maxLength"]) == (1, 255)
    assert ["image/png", "image/jpeg"] == list(contract.media_types) == contract.content_type["enum"]


def test_the_document_states_the_errors_of_the_page() -> None:
    """Every documented error once, with its status."""
    assert document().errors == {
        "ValidationException": 400,
        "AccessDeniedException": 403,
        "ResourceNotFoundException": 404,
        "ConflictException": 409,
        "ThrottlingException": 429,
        "InternalServerException": 500,
    }
    assert set(document().errors) == set(document().error_schemas)


@pytest.mark.parametrize(
    ("member", "expected"),
    {
        "Name": (1, 256, "^[a-zA-Z0-9]*$"),
        "Color": (7, 7, "^#[a-zA-Z0-9]{6}$"),
        "AnomalyMask": (4, -(-5_242_880 // 3) * 4, None),
    }.items(),
)
def test_the_document_states_the_constraints_of_the_model(member: str, expected: tuple[int, int, str | None]) -> None:
    """Lengths and patterns of the result's members; the mask's length is counted in base64."""
    found = [part[member] for part in nested(document().result) if isinstance(part.get(member), dict)]
    (constrained,) = {json.dumps(part, sort_keys=True): part for part in found if "maxLength" in part}.values()
    pattern = constrained["pattern"] if expected[2] else None
    assert expected == (constrained["minLength"], constrained["maxLength"], pattern)


def test_references_are_resolved() -> None:
    """The contract that rules are given holds no reference any more."""
    contract = document()
    schemas = [contract.project, contract.version, contract.content_type, contract.result]
    assert [part for part in nested([*schemas, *contract.error_schemas.values()]) if "$ref" in part] == []


def test_the_digest_is_that_of_the_data() -> None:
    """A report names the contract by the same 256 bits every time."""
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest())
    first = digest()
    digest.cache_clear()
    assert first == digest()


# ---- the clauses


def test_the_schemas_are_schemas() -> None:
    """Both JSON Schemas that are shipped keep to draft 2020-12."""
    for schema in (SCHEMA, TARGET_SCHEMA):
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)


def test_the_clauses_keep_to_their_schema() -> None:
    """No unknown key, no unknown word, nothing missing."""
    errors = Draft202012Validator(SCHEMA).iter_errors(CLAUSES)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


SAMPLE = {"id": "a.b", "level": "MUST", "requirement": "It is so.", "sources": ["page Errors"]}
ASKED = {**SAMPLE, "level": "OBSERVE", "question": "Is it?", "readings": ["yes", "no"]}


ENTRIES = {
    "must": (SAMPLE, True),
    "observe": (ASKED, True),
    "own": ({**SAMPLE, "sources": []}, True),
    "untested": ({**SAMPLE, "untested": "needs a hook"}, True),
    "unknown-key": ({**SAMPLE, "note": "x"}, False),
    "unknown-level": ({**SAMPLE, "level": "MAY"}, False),
    "unknown-source": ({**SAMPLE, "sources": ["hearsay"]}, False),
    "unknown-earnings": ({**SAMPLE, "earns": "400"}, False),
    "no-sources": ({key: value for key, value in SAMPLE.items() if key != "sources"}, False),
    "no-full-stop": ({**SAMPLE, "requirement": "It is so"}, False),
    "id-without-section": ({**SAMPLE, "id": "b"}, False),
    "id-with-a-number": ({**SAMPLE, "id": "a.6"}, False),
    "must-with-a-question": ({**SAMPLE, "question": "Is it?"}, False),
    "observe-without-question": ({**SAMPLE, "level": "OBSERVE"}, False),
    "observe-with-one-reading": ({**ASKED, "readings": ["yes"]}, False),
    "observe-that-earns": ({**ASKED, "earns": "4xx"}, False),
    "empty-needs": ({**SAMPLE, "needs": []}, False),
}


@pytest.mark.parametrize(("entry", "valid"), ENTRIES.values(), ids=ENTRIES)
def test_the_schema_is_strict(entry: dict[str, Any], valid: bool) -> None:
    """An entry is as its schema says, or refused."""
    whole = {"sections": {"a": "A"}, "clauses": [entry]}
    assert valid is Draft202012Validator(SCHEMA).is_valid(whole)


def test_clause_ids_are_unique() -> None:
    """One clause, one name: none is hidden behind another."""
    assert [name for name, times in Counter(each["id"] for each in CLAUSES["clauses"]).items() if times > 1] == []
    assert len(CLAUSES["clauses"]) == len(BY_ID)


def test_sections_and_clauses_match() -> None:
    """Every clause stands in a titled section, together with its like, in the order of the sections."""
    sections = [clause.section for clause in BY_ID.values()]
    assert set(sections) == set(catalogue().sections)
    order = list(catalogue().sections)
    assert sections == sorted(sections, key=order.index) or len(dict.fromkeys(sections)) == len(order)


@pytest.mark.parametrize("clause", BY_ID.values(), ids=list(BY_ID))
def test_a_requirement_is_a_sentence(clause: Clause) -> None:
    """It begins with a capital or a name in code, ends in a full stop, and stands on one line."""
    assert re.fullmatch(r"[A-Z0-9`i].*\.", clause.requirement)


@pytest.mark.parametrize("clause", [each for each in BY_ID.values() if each.level is Level.OBSERVE], ids=lambda c: c.id)
def test_an_open_matter_has_a_question_and_readings(clause: Clause) -> None:
    """The interpretation register says what is asked and how it is known to be answered."""
    assert clause.question.endswith("?")
    assert len(clause.readings) >= 2


def test_only_open_matters_have_questions() -> None:
    """A demand asks nothing."""
    assert [each.id for each in BY_ID.values() if each.level is not Level.OBSERVE and each.question] == []


def test_earnings_are_known() -> None:
    """What a breach must be answered with is a phrase that the judge can read, and each phrase is used."""
    assert {clause.earns for clause in BY_ID.values() if clause.earns} == set(earned._EARNINGS)
    assert set(earned._EARNINGS) == set(SCHEMA["$defs"]["clause"]["properties"]["earns"]["enum"])


def test_needs_can_be_declared() -> None:
    """What a clause asks a target to declare is a key of target files."""
    scenes = set(TARGET_SCHEMA["properties"]["scenes"]["properties"])
    limits = set(TARGET_SCHEMA["properties"]["limits"]["properties"])
    known = {f"scenes.{name}" for name in scenes} | {f"limits.{name}" for name in limits}
    known |= {f"scenes.{name}.image" for name in ("classification", "segmentation")}
    known |= {f"states.{name}" for name in TARGET_SCHEMA["properties"]["states"]["properties"]}
    known |= {f"auth.{kind}" for kind in TARGET_SCHEMA["properties"]["auth"]["properties"]["kind"]["enum"]}
    assert set() == {need for clause in BY_ID.values() for need in clause.needs} - known


# ---- provenance: clauses and rules, both ways


def test_every_tested_clause_has_a_rule() -> None:
    """No clause of the frozen set goes unjudged."""
    assert [name for name in ids(TESTED) if name not in {rule.clause for rule in RULES}] == []


def test_every_rule_has_a_tested_clause() -> None:
    """No rule demands what no clause demands, or what is said to be untested."""
    assert [rule.id for rule in RULES if rule.clause not in ids(TESTED)] == []


def test_rule_ids_are_unique() -> None:
    """One rule, one name, in words."""
    assert [name for name, times in Counter(rule.id for rule in RULES).items() if times > 1] == []
    assert [rule.id for rule in RULES if not re.fullmatch(r"[a-z][a-z0-9.-]*[a-z0-9]", rule.id)] == []


def test_demands_are_checked_and_questions_are_observed() -> None:
    """A rule of an open matter names a reading and blames nobody; every other rule finds."""
    for rule in RULES:
        is_open = BY_ID[rule.clause].level is Level.OBSERVE
        assert (is_open, not is_open) == (rule.observe is not None, rule.check is not None), rule.id
        assert is_open == (rule in observations.RULES)


def test_every_clause_with_earnings_is_enforced() -> None:
    """What a breach earns is asked for by a rule of the same clause."""
    rules = {rule.id: rule.clause for rule in RULES}
    for clause in TESTED:
        if clause.earns:
            assert clause.id == rules.get(f"{clause.id}-is-enforced")


CONTRACT_ROWS = (
    "route.operation route.literals route.method route.query route.trailing-slash route.encoded-literals "
    "route.absolute-form project.pattern project.length project.accepted version.pattern version.length "
    "version.accepted path.encoding content-type.required content-type.values content-type.length content-type.case "
    "content-type.parameters content-type.jpg content-type.repeated body.required body.image body.png body.jpeg "
    "body.png-variants body.jpeg-variants body.damaged body.mismatch body.dimensions body.limits body.length "
    "success.status success.media-type success.json success.encoding success.result result.is-anomalous "
    "result.confidence result.source result.no-nulls anomalies.kind anomalies.background anomalies.names "
    "anomalies.colours anomalies.area anomalies.area-sum mask.base64 mask.length mask.png mask.size mask.colours "
    "mask.areas error.pair error.id error.id-agreement error.json error.message error.resource error.retry-after "
    "error.discretion error.blame error.transport state.no-project state.no-version state.not-running "
    "state.throttled state.fault state.forbidden http.answered http.framing http.keep-alive http.malformed http.expect "
    "isolation.sequence isolation.concurrent isolation.models conduct.steady sdk.reads"
).split()
"""The rows of CONTRACT.md."""
SHOULDS = set("body.png-variants body.jpeg-variants result.no-nulls anomalies.area-sum mask.areas".split()) | set(
    "error.discretion error.transport http.malformed".split()
)
OBSERVED = set(
    "route.query route.trailing-slash route.encoded-literals route.absolute-form content-type.case "
    "content-type.parameters content-type.jpg content-type.repeated body.damaged body.mismatch body.dimensions "
    "body.limits body.length state.not-running http.expect conduct.steady".split()
)


@pytest.mark.parametrize("name", CONTRACT_ROWS)
def test_every_row_of_the_contract_is_a_clause_of_its_level(name: str) -> None:
    """The catalogue has every row of CONTRACT.md, as hard as it stands there."""
    level = Level.SHOULD if name in SHOULDS else Level.OBSERVE if name in OBSERVED else Level.MUST
    assert level == BY_ID[name].level
