"""The page and the badge show what the certificate says, and nothing in them that a vendor wrote is alive."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from browsing import alive, astray, opened, parsed, policy, strictest, unprintable, words
from certificates import DIGEST, NASTY, limited, statement
from playwright.sync_api import Browser

from conformance.certification import bundle, envelope, page
from conformance.certification import statement as statements
from conformance.report.visible import visible

PHONE = {"width": 360, "height": 700}
SVG = "{http://www.w3.org/2000/svg}"
LONG = (
    "Acme Vision Inspection Gateway for Bottling Lines, Enterprise Edition with Everything, and a Name without an End"
)
MADE = {
    "plain": statement(),
    "limited": limited(),
    "long": limited(LONG * 3, LONG, f"https://{'v' * 900}.example"),
    "hostile": limited(NASTY, NASTY, NASTY),
}


def shown(name: str) -> str:
    return page.certificate(MADE[name], DIGEST)


def tree(name: str) -> Any:
    return parsed(shown(name))


@pytest.mark.parametrize("name", MADE)
class TestEveryPage:
    """What holds of all of them."""

    def test_what_is_shown_is_a_certificate(self, name: str) -> None:
        """Or these tests would show nothing."""
        assert list(statements.complaints(MADE[name])) == []

    def test_nothing_in_it_is_active(self, name: str) -> None:
        assert alive(tree(name)) == []
        assert astray(tree(name)) == []
        assert policy(tree(name)) == strictest(shown(name))
        assert unprintable(shown(name)) == set()

    def test_all_that_matters_is_there(self, name: str) -> None:
        said = MADE[name]["predicate"]
        text = words(tree(name))
        for each in (said["requirements"]["id"], "2026-11-23", "2027-11-23", DIGEST, page.COMMAND):
            assert each in text
        for limit in page.limits(said):
            assert " ".join(limit.split()) in text

    def test_every_clause_is_there_once_under_its_outcome(self, name: str) -> None:
        outcomes = MADE[name]["predicate"]["outcomes"]
        found: dict[str, str] = {}
        for group in tree(name).findall(".//details"):
            clauses = [each.text for each in group.findall("p/code")]
            mark, number = re.fullmatch(r"[✓✗△○–·]\s*([a-z ]+) (\d+)", words(group.find("summary"))).groups()  # type: ignore[union-attr]
            assert len(clauses) == int(number)
            found |= dict.fromkeys(clauses, mark)
        assert found == outcomes

    def test_it_is_the_same_when_the_certificate_was_read_again(self, name: str) -> None:
        """Whoever verifies it can draw it, and compare."""
        again = json.loads(envelope.canonical(MADE[name]))
        assert page.certificate(again, DIGEST) == shown(name)
        assert page.badge(again) == page.badge(MADE[name])

    def test_the_badge_is_a_picture_of_set_and_date(self, name: str) -> None:
        text = page.badge(MADE[name])
        root = ElementTree.fromstring(text)  # noqa: S314  (it is ours)
        assert Counter(each.tag.removeprefix(SVG) for each in root.iter()) == Counter(
            "svg title rect path g text text".split()
        )
        assert [each.text for each in root.iter(f"{SVG}text")] == [
            "DetectAnomalies",
            f"{MADE[name]['predicate']['requirements']['id']} until 2027-11-23",
        ]
        title = root.findtext(f"{SVG}title")
        assert title is not None
        assert visible(MADE[name]["predicate"]["target"]["name"])[:60] in title
        assert text.isascii()
        assert len(text) < 2000

    def test_no_attribute_of_the_badge_runs_or_loads(self, name: str) -> None:
        root = ElementTree.fromstring(page.badge(MADE[name]))  # noqa: S314
        attributes = {attribute for each in root.iter() for attribute in each.attrib}
        allowed = "width height role aria-label rx fill d font-family font-size text-anchor x y"
        assert attributes == set(allowed.split())


@pytest.mark.parametrize("name", MADE)
class TestBrowser:
    """The page in Chromium. Nothing but the page is asked for, and nothing complained of."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_serious(self, browser: Browser, tmp_path: Path, name: str, scheme: str) -> None:
        with opened(browser, tmp_path, shown(name), color_scheme=scheme) as tab:
            assert tab.grave() == []
            for each in tab.page.locator("details").all():
                each.evaluate("details => { details.open = true }")
            assert tab.grave() == []

    def test_it_fits_a_phone(self, browser: Browser, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, shown(name), viewport=PHONE) as tab:
            for each in tab.page.locator("details").all():
                each.evaluate("details => { details.open = true }")
            assert tab.width() <= PHONE["width"]

    def test_it_is_one_sheet_of_a4_with_every_clause(self, browser: Browser, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, shown(name)) as tab:
            printed = tab.page.pdf(format="A4", print_background=True)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
            tab.page.emulate_media(media="print")
            tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
            clauses = len(MADE[name]["predicate"]["outcomes"])
            assert tab.page.locator(".ids code:visible").count() == clauses
            assert tab.page.locator("button:visible").count() == 0

    def test_nothing_that_is_said_comes_alive(self, browser: Browser, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, shown(name)) as tab:
            assert tab.page.evaluate("document.scripts.length") == 1
            assert visible(MADE[name]["predicate"]["target"]["name"])[:30] in tab.page.inner_text("h1")

    def test_the_badge_is_drawn_without_overflow(self, browser: Browser, tmp_path: Path, name: str) -> None:
        """Each text lies inside its half."""
        file = tmp_path / bundle.BADGE
        file.write_text(page.badge(MADE[name]), encoding="ascii")
        tab = browser.new_page()
        tab.goto(file.as_uri())
        boxes = tab.evaluate(
            "[...document.querySelectorAll('path, text')].map(e => e.getBBox()).map(b => [b.x, b.x + b.width])"
        )
        whole = tab.evaluate("document.documentElement.width.baseVal.value")
        (left, middle), (first, after), (second, end) = boxes
        assert left <= first < after <= middle <= second < end <= whole
        tab.close()
