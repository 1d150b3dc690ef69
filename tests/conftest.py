"""What several modules of tests are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with the module: it keeps an event loop running, on which other tests would stumble."""
    from browsing import chromium

    with chromium() as browser:
        yield browser
