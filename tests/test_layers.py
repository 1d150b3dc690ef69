"""Which room may know which: the directions of imports, read from the sources and never from what happens to load."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "conformance"

RIM = (
    "cli pytest_plugin test_conformance targets catalog strains run in_process selftest "
    "replay known schemathesis clients serving doctor starter traffic "
    "compare trend matrix merge certification"
).split()
LEAVES = {"mistake", "scenes", "shipped"}
"""Whoever is no judge of bytes may import these; they import nothing of ours but each other."""

BELOW = {
    "rules": {"rules", "rule", "judge", "earned", "exchange", "contract", "target", "formats", "message"},
    "judge": {"rule", "earned", "exchange", "contract", "target", "formats", "message"},
    "rule": {"earned", "exchange", "contract", "target", "formats", "message"},
    "earned": {"exchange", "contract", "target", "formats", "message"},
    "exchange": {"contract", "target", "formats", "message"},
    "contract": {"contract", "target", "formats", "message"},
    "target": {"formats", "message", "provisions"},
    "formats": {"formats", "message"},
    "message": set(),
    "cases": {"cases", "contract", "exchange", "formats", "message", "signing", "target"},
    "wire": {"wire", "message"},
    "reference": {"reference", "message"},
    "mistake": set(),
    "scenes": set(),
    "shipped": set(),
    "shards": set(),
    "course": {"timings"},
    "shelf": {"exchange"},
    "timings": set(),
    "waivers": {"contract"},
    "doors": set(),
    "provisions": set(),
    "hooks": {"provisions"},
    "discretion": {"discretion", "formats", "message", "wire"},
    "signing": {"discretion", "formats", "message", "provisions", "mistake"},
    "reduce": {"message"},
    "exploration": {"cases", "exchange", "target"},
    "staging": {"cases", "contract", "exchange", "hooks", "message", "patience", "provisions", "signing", "target"},
}
"""What each room may import of the others; the leaves are added for all but the last few."""
STRICT = {"reference", "wire", "formats", "message", "mistake", "shipped", "doors"}
"""Rooms that may not even import the leaves."""
ABOVE = {"campaign", "evidence", "patience", "report", *RIM}


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)


def module(path: Path) -> str:
    """The dotted name of a source below the package, such as ``rules.states``; empty for the package itself."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> frozenset[str]:
    return frozenset(map(module, sources()))


def imported(tree: ast.AST) -> Iterator[str]:
    """The absolute names that a source imports, anywhere in it, ``from`` imports with the name behind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(imported(ast.parse(path.read_text(encoding="utf-8"))))


def ours(path: Path) -> set[str]:
    """The modules of ours that a source imports; ``__version__`` and the like are the package's."""
    found = set()
    for name in imports(path):
        package, _, inside = name.partition(".")
        if package == "conformance":
            found.add(inside if inside in modules() else inside.rpartition(".")[0])
    return found


def room(name: str) -> str:
    return name.partition(".")[0]


PATHS = [path for path in sources() if module(path)]
JUDGED = [path for path in PATHS if room(module(path)) in BELOW]


def test_every_module_has_its_place() -> None:
    """A new room says here whom it may know."""
    assert {room(module(path)) for path in PATHS} - {"__main__"} <= {*BELOW, *ABOVE}


@pytest.mark.parametrize("path", JUDGED, ids=map(module, JUDGED))
def test_imports_point_downwards(path: Path) -> None:
    """A module imports from its own room and from those that its room may know."""
    own = room(module(path))
    allowed = BELOW[own] | (set() if own in STRICT else LEAVES)
    assert set() == {name for name in ours(path) if room(name) not in allowed and name}


@pytest.mark.parametrize("own", ["campaign", "patience", "report"])
def test_the_course_of_a_run_knows_no_rim(own: str) -> None:
    """Sending and reporting are called by commands, and call none; only the rim knows sockets and the reference."""
    known = {name for path in PATHS if room(module(path)) == own for name in ours(path)}
    assert set() == {room(name) for name in known} & {*RIM, "wire", "reference"}


def test_the_course_of_a_run_knows_no_report() -> None:
    """What happens is reported afterwards."""
    known = {name for path in PATHS if room(module(path)) in ("campaign", "patience") for name in ours(path)}
    assert "report" not in {room(name) for name in known}


def test_the_judge_knows_no_socket_clock_or_file() -> None:
    """Judging is a pure function: nothing in its rooms touches the world."""
    world = set("socket ssl select threading time datetime random subprocess os asyncio http urllib requests".split())
    for path in PATHS:
        if room(module(path)) in ("rules", "judge", "rule", "earned", "exchange", "formats", "message"):
            assert set() == {room(name) for name in imports(path)} & world, module(path)


def test_the_reference_shares_nothing_with_the_judge() -> None:
    """Not the contract, not the formats, not the cases: what both got wrong nobody would find."""
    for path in PATHS:
        if room(module(path)) == "reference":
            assert {room(name) for name in ours(path)} <= {"reference", "message"}, module(path)


def test_only_one_room_knows_schemathesis() -> None:
    """As a generator it is a guest in one room, and we are its guest in another."""
    guests = {module(path) for path in PATHS if "schemathesis" in {room(name) for name in imports(path)}}
    assert guests == {"cases.openapi", "schemathesis"}


def test_contract_does_not_know_exchanges() -> None:
    """A request is read without knowing what was answered."""
    known = {room(name) for path in PATHS if room(module(path)) == "contract" for name in ours(path)}
    assert known.isdisjoint({"exchange", "rule", "rules", "judge", "cases"})


def test_rules_do_not_know_one_another_by_import_order() -> None:
    """No module of rules imports the list of all rules."""
    for path in PATHS:
        if room(module(path)) == "rules":
            assert "conformance.rules.RULES" not in imports(path), module(path)


def cycles(graph: dict[str, set[str]]) -> set[str]:
    """The nodes of a graph that can be reached from themselves."""
    found = set()
    for start in graph:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += graph.get(node, set())
        found |= {start} & seen
    return found


def test_no_module_imports_itself_by_a_detour() -> None:
    """There are no circles, late imports inside functions included."""
    assert set() == cycles({module(path): ours(path) - {module(path), ""} for path in PATHS})


@pytest.mark.parametrize("path", sources(), ids=lambda path: module(path) or "conformance")
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    """Every source opens with a docstring of at least one sentence."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert text.partition("\n")[0].rstrip().endswith(".") or path.name == "__init__.py"
    assert text
