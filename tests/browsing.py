"""Our pages as another parser reads them, and as Chromium shows them."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]  # it has no types
import pytest
from lxml import html as third_party  # type: ignore[import-untyped]  # there are no stubs among our tools
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

TAGS = (
    "html head meta title link style script body a header main section article div p h1 h2 h3 h4 h5 ul li dl dt dd "
    "span b small code pre details summary figure figcaption img table caption thead tbody tfoot tr th td form label "
    "input select option fieldset legend output button svg rect line text br"
).split()
ATTRIBUTES = (
    "lang charset http-equiv content name rel href class id title role alt src open hidden tabindex scope for type "
    "value placeholder autocomplete viewbox preserveaspectratio width height x y x1 x2 y1 y2 aria-label "
    "aria-labelledby aria-hidden data-outcome data-level data-section data-document data-change data-cause data-old "
    "data-new data-tells"
).split()
GLYPHS = set("✓✗△○–·…→↓↑≠«»")
"""Besides printable ASCII these are all letters that a page has."""

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
BAD = "axe.run().then(found => found.violations.map(each => [each.impact, each.id, each.nodes[0].html.slice(0, 200)]))"


def parsed(text: str) -> Any:
    return third_party.document_fromstring(text)


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def alive(tree: Any) -> list[str]:
    """What is in a page that none of our templates writes, and what a browser would run or load."""
    elements = [each for each in tree.iter() if isinstance(each.tag, str)]
    found = [f"<{tag}>" for tag in {each.tag for each in elements} - set(TAGS)]
    found += {name for each in elements for name in each.keys()} - set(ATTRIBUTES)  # noqa: SIM118 (an element is no dict)
    found += ["a comment" for each in tree.iter() if not isinstance(each.tag, str)]
    found += [f"not one {tag}" for tag in ("script", "style") if len(tree.findall(f".//{tag}")) != 1]
    found += ["more than one form"] if len(tree.findall(".//form")) > 1 else []
    found += [each for each in tree.xpath("//@href") if not re.match(r"#|data:,$", each)]
    pictures = r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+"
    return found + [each for each in tree.xpath("//@src") if not re.fullmatch(pictures, each)]


def astray(tree: Any) -> list[str]:
    """Names that two elements have, and links and labels that lead to none."""
    names = tree.xpath("//@id")
    goals = {each.get("href")[1:] for each in tree.iter("a")} | set(tree.xpath("//@aria-labelledby"))
    return [*(goals - set(names)), *{name for name in names if names.count(name) > 1}]


def policy(tree: Any) -> dict[str, str]:
    """The policy of a page, by directive."""
    content = tree.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    return dict(each.split(" ", 1) for each in content.split("; "))


def strictest(text: str) -> dict[str, str]:
    """The policy that allows the style and the script that are in a page, and no other."""
    return {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": f"'sha256-{_digest('style', text)}'",
        "script-src": f"'sha256-{_digest('script', text)}'",
    }


def _digest(tag: str, text: str) -> str:
    (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return base64.b64encode(sha256(inside.encode()).digest()).decode()


def unprintable(text: str) -> set[str]:
    """Terminal escapes, bidirectional controls, what XML forbids, and whatever else we do not write in a page."""
    return set(re.sub(r"[ -~\n]", "", text)) - GLYPHS


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Tab:
    """A page with what went on in it besides what it shows."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page, self.said, self.asked = page, list[str](), list[str]()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(file.as_uri())

    def shows(self, number: int) -> None:
        """So many clauses are to be seen, now or in a moment."""
        expect(self.page.locator("article.clause:visible")).to_have_count(number)

    def width(self) -> int:
        """How wide the page is, with all that would have to be scrolled to."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def grave(self) -> list[list[str]]:
        """What axe finds that is serious."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return [each for each in self.page.evaluate(BAD) if each[0] in ("serious", "critical")]


@contextlib.contextmanager
def opened(browser: Browser, folder: Path, text: str, **options: Any) -> Iterator[Tab]:
    """A page in a browser. In the end nothing but itself was asked for, and nothing complained of."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    size: ViewportSize = options.pop("viewport", {"width": 1200, "height": 900})
    context = browser.new_context(viewport=size, **options)
    try:
        tab = Tab(context.new_page(), file)
        yield tab
        assert tab.said == []
        assert [url for url in tab.asked if not url.startswith("data:")] == [file.as_uri()]
    finally:
        context.close()
