"""The run inside the user's own pytest: one test for each rule, and one for the conclusion.

Loaded by pytest wherever the suite is installed, so it must cost nothing and change nothing until it is asked: it adds
options, and everything else happens in ``conformance/test_conformance.py``, which only ``--pyargs conformance`` finds.
"""

from __future__ import annotations

import pytest

from conformance.scenes import SCENES

OPTIONS = {
    "target": "a target file (TOML)",
    "url": "scheme, host and port of the target, instead of a file or over the file's own",
    **{scene: f"PROJECT/VERSION: {meaning}" for scene, meaning in SCENES.items()},
    "image": "WIDTHxHEIGHT, the only image size that the models take",
    "out": "folder to write the report into",
    "depth": "quick, standard or deep; default standard",
    "seed": "seed of whatever is drawn",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--conformance-…`` options, named as the command's own."""
    group = parser.getgroup("conformance", "DetectAnomalies conformance")
    for name, meaning in OPTIONS.items():
        group.addoption(f"--conformance-{name}", default=None, help=meaning)
    group.addoption("--conformance-gate", action="store_true", help="let a partial conclusion and known failures pass")
