"""Takes the picture of a failing report, ``report.png``. Needs Debian's chromium; nothing compares the picture."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright
from renew import HERE, judged

from conformance.reference.app import HONEST
from conformance.report import html
from conformance.strains import behaviour_of

FAULTS = ("mask-is-half-as-large", "repeated-type-crashes", "areas-are-rounded-to-a-tenth")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu")


def page() -> str:
    """The report on a server with several faults."""
    faulty = HONEST
    for name in FAULTS:
        changed, _ = behaviour_of(name, None)
        parts = {part: value for part, value in vars(changed).items() if value is not getattr(HONEST, part)}
        faulty = replace(faulty, **parts)
    report = judged(faulty, "faulty")
    return html.render(replace(report, seconds=2.5, started="2026-11-22T10:00:00Z"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(page(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 1200, "height": 1840}, color_scheme="light")
        tab.goto(file.as_uri())
        tab.screenshot(path=HERE / "report.png")
        browser.close()
