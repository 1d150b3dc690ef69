"""Takes the pictures of a failing report and of a certificate. Needs Debian's chromium; nothing compares them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from playwright.sync_api import sync_playwright
from renew import HERE, judged

from conformance import selftest
from conformance.certification import certify, page, requirements
from conformance.in_process import Server
from conformance.reference.app import HONEST
from conformance.report import html
from conformance.strains import behaviour_of

FAULTS = ("mask-is-half-as-large", "repeated-type-crashes", "areas-are-rounded-to-a-tenth")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu")


def report() -> str:
    """The report on a server with several faults."""
    faulty = HONEST
    for name in FAULTS:
        changed, _ = behaviour_of(name, None)
        parts = {part: value for part, value in vars(changed).items() if value is not getattr(HONEST, part)}
        faulty = replace(faulty, **parts)
    report = judged(faulty, "faulty")
    return html.render(replace(report, seconds=2.5, started="2026-11-22T10:00:00Z"))


def certificate() -> str:
    """The certificate of a server without faults, whose key and artifact are made up."""
    target = replace(
        selftest.reference(), name="ACME Vision Gateway", version="2.4.1", url="http://vision.acme.example"
    )
    order = certify.Order(target, b"", requirements.find("full"), "7", sha256(b"artifact").hexdigest())
    with tempfile.TemporaryDirectory() as folder:
        tried = certify.attempt(order, Path(folder), served=Server)
        return page.certificate(certify.statement_of(order, tried, Path(folder)), sha256(b"key").hexdigest())


def pictures() -> Iterator[tuple[str, str, int, int]]:
    """Name, page, width and height of each."""
    yield "report.png", report(), 1200, 1840
    yield "certificate.png", certificate(), 1000, 1400


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for name, text, width, height in pictures():
            file = Path(folder) / "page.html"
            file.write_text(text, encoding="utf-8")
            tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            tab.goto(file.as_uri())
            tab.screenshot(path=HERE / name)
        browser.close()
