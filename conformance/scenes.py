"""The scenes that a command line can declare, for every command and the pytest plugin."""

from __future__ import annotations

SCENES = {
    "classification": "a running classification model",
    "segmentation": "a running segmentation model",
    "missing-project": "a project that does not exist",
    "missing-version": "a version that does not exist, of a project that does",
    "stopped": "a model that is not running",
}
"""By name: what the project and version of the scene are."""
