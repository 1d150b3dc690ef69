"""report.html: it says what the report says, to people and machines, and nothing in it that a target said is alive."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections import Counter
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from browsing import alive, astray, opened, parsed, policy, strictest, unprintable, words
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, expect
from test_reports import BEHAVIOURS, NASTY, REFERENCE, nasty_target, partial, report_of

from conformance import run
from conformance.contract.clauses import Level, catalogue
from conformance.contract.reading import Reading
from conformance.evidence.rejudge import rejudged
from conformance.exchange import Case, Exchange
from conformance.in_process import Server
from conformance.message import NoAnswer, Request, Response, Silence
from conformance.report import document, html
from conformance.report.html import bodies, chart, views
from conformance.report.html.page import page
from conformance.report.html.pictures import MOST_PIXELS, SIDE, Painter
from conformance.report.record import Outcome, Report
from conformance.report.visible import visible
from conformance.timings import BOUNDS, Timings

LARGEST = 3_000_000
NAMES = [*BEHAVIOURS, "partial", "nasty-target"]


def named(name: str) -> Report:
    return {"partial": partial, "nasty-target": nasty_target}.get(name, lambda: report_of(name))()


@cache
def text_of(name: str) -> str:
    return html.render(named(name))


@cache
def tree_of(name: str) -> Any:
    return parsed(text_of(name))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def report(name: str) -> Report:
    return named(name)


@pytest.fixture
def text(name: str) -> str:
    """The page of the report."""
    return text_of(name)


@pytest.fixture
def tree(name: str) -> Any:
    """The page as another parser reads it. Nobody may change it."""
    return tree_of(name)


class TestPage:
    """The page, as another parser reads it."""

    def test_it_counts_what_the_json_counts(self, report: Report, tree: Any) -> None:
        whole = document.to_document(report)
        articles = tree.findall(".//article")
        found = Counter((each.get("data-level"), each.get("data-outcome")) for each in articles)
        written = {(level, outcome): n for level, row in whole["counts"].items() for outcome, n in row.items() if n}
        assert found == written
        (table,) = tree.find_class("counts")
        rows = {row.findtext("th"): [int(cell.text) for cell in row.findall("td")] for row in table.findall("tbody/tr")}
        assert rows == {level: list(row.values()) for level, row in whole["counts"].items()}

    def test_every_clause_is_there_once_and_on_the_map(self, report: Report, tree: Any) -> None:
        clauses = {row["id"]: row for row in document.to_document(report)["clauses"]}
        articles = {each.get("id"): each for each in tree.findall(".//article")}
        assert sorted(articles) == sorted(clauses)
        assert len(tree.findall(".//article")) == len(clauses)
        for name, clause in clauses.items():
            text = words(articles[name])
            for part in (clause["requirement"].replace("`", ""), *clause["sources"]):
                assert " ".join(part.split()) in text
            assert " ".join(clause["reason"].split()) in text
            assert str(clause["judged"] or "") in text
        cells = [each for each in tree.find_class("cell") if each.tag == "a"]
        assert [cell.get("href") for cell in cells] == [f"#{name}" for name in clauses]
        for cell, clause in zip(cells, clauses.values(), strict=True):
            assert cell.get("title") == cell.get("aria-label")
            outcome = "remark" if (clause["level"], clause["outcome"]) == ("SHOULD", "failed") else clause["outcome"]
            assert cell.get("title").startswith(f"{clause['id']}: {clause['level']}, {outcome}")
            assert cell.text.strip()

    def test_every_failure_is_there_with_what_was_expected_and_found(self, report: Report, tree: Any) -> None:
        failures = [each for row in document.to_document(report)["clauses"] for each in row["failures"]]
        shown = {each.get("id"): each for each in tree.find_class("failure")}
        assert sorted(shown) == sorted(failure["id"] for failure in failures)
        for failure in failures:
            facts = [dd.text for dd in shown[failure["id"]].find(".//dl").iter("dd")]
            assert facts[:3] == [failure["where"], failure["expected"], failure["actual"]]
            copied = [code.text for code in shown[failure["id"]].findall(".//div[@class='copied']/code")]
            repeat = failure["repeat"]
            wanted = [f"python {repeat['script']}", repeat["curl"]] if repeat else []
            assert copied == [line for line in wanted if line]

    def test_it_says_the_conclusion_and_where_it_comes_from(self, report: Report, tree: Any) -> None:
        whole = document.to_document(report)
        (top,) = tree.find_class("top")
        text = words(top)
        for part in (whole["conclusion"], whole["reason"], whole["run"]["seed"], whole["target"]["url"][:50]):
            assert " ".join(part.split()) in text
        assert whole["suite"]["contract"] in words(tree)
        assert tree.findtext(".//title").startswith(whole["conclusion"])

    def test_nothing_in_it_is_active(self, tree: Any) -> None:
        """Only elements and attributes that we write, one script, one style, and no address but of data."""
        assert alive(tree) == []

    def test_names_of_elements_are_unique_and_lead_somewhere(self, tree: Any) -> None:
        assert astray(tree) == []

    def test_its_policy_allows_this_script_and_this_style_alone(self, text: str) -> None:
        assert policy(parsed(text)) == strictest(text)
        assert text.index("Content-Security-Policy") < text.index("<style")

    def test_it_is_printable(self, text: str) -> None:
        """Neither terminal escapes nor bidirectional controls, nor what XML forbids, nor a lone surrogate."""
        assert unprintable(text) == set()

    def test_it_is_not_too_large(self, text: str) -> None:
        assert len(text.encode()) < LARGEST

    def test_what_looks_like_a_template_stays_as_it_is(self) -> None:
        assert "{{ 7 }}" in words(tree_of("nasty-body").find(".//main"))
        assert "{{ 7 }}" in words(tree_of("nasty-target").get_element_by_id("mask.size"))

    def test_a_name_that_a_template_lacks_is_our_error(self) -> None:
        with pytest.raises(Exception, match="'report' is undefined"):
            page("report.html.j2")

    def test_readings_are_there_with_their_question(self) -> None:
        tree = tree_of("honest")
        observed = [row for row in report_of("honest").rows if row.outcome is Outcome.OBSERVED]
        assert observed
        for row in observed:
            article = tree.get_element_by_id(row.clause.id)
            assert row.clause.question.replace("`", "") in words(article)
            (table,) = article.find_class("readings")
            read = {line.findtext("th"): int(line.findtext("td")) for line in table.findall("tbody/tr")}
            assert read == {visible(reading, 160): count for reading, count in (row.readings or {}).items()}

    def test_what_breaks_is_there(self) -> None:
        whole = document.to_document(report_of("nasty-body"))
        tree = tree_of("nasty-body")
        rows = [row for row in whole["clauses"] if row["breaks"]]
        assert rows
        for row in rows:
            (box,) = tree.get_element_by_id(row["id"]).find_class("breaks")
            assert len(box.findall(".//li")) == len(row["breaks"])
            assert all(each["breach"] in words(box) for each in row["breaks"])

    def test_when_the_room_is_used_up_failures_are_told_in_brief(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = report_of("nasty-body")
        whole = len(text_of("nasty-body"))
        monkeypatch.setattr(views, "EXCHANGES", 20_000)
        text = html.render(report)
        tree = parsed(text)
        assert len(text) < whole - 30_000
        assert "this page has no more room" in words(tree)
        assert len(tree.find_class("failure")) == sum(len(row.failures) for row in report.rows)
        assert tree.find_class("exchange")

    def test_without_answers_there_are_no_timings(self) -> None:
        report = report_of("honest")
        silent = replace(report, course=replace(report.course, answered=0, timings=Timings()))
        tree = parsed(html.render(silent))
        assert not tree.find_class("chart")
        assert "indeterminate" in tree.findtext(".//title")


def png_of(width: int = 40, height: int = 30, colour: str = "white", info: PngInfo | None = None) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def huge_png() -> bytes:
    """Sound, some kilobytes, and more pixels than are painted."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = int(MOST_PIXELS**0.5) + 8
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def exchange(image: bytes, mask: Any = None) -> Exchange:
    length = str(len(image)).encode()
    request = Request.build("POST", "/", ((b"Host", b"x"), (b"Content-Length", length)), image)
    result = {"AnomalyMask": base64.b64encode(mask).decode() if isinstance(mask, bytes) else mask}
    return Exchange(
        Case("c", request), Reading(), Response(200, body=json.dumps({"DetectAnomalyResult": result}).encode())
    )


def painted(uri: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(uri.partition(",")[2])))


class TestPictures:
    """What is painted, and what is not."""

    def test_image_mask_and_overlay(self) -> None:
        mask = Image.new("RGB", (40, 30), "white")
        mask.paste((0, 128, 0), (10, 10, 20, 20))
        file = BytesIO()
        mask.save(file, "PNG")
        image, returned, overlay = Painter(10**6).paint(exchange(png_of(colour="red"), file.getvalue()))
        assert [each.title for each in (image, returned, overlay)] == ["Image sent", "Mask returned", "Overlay"]
        assert painted(image.uri).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
        assert "40x30 pixels, 2 colours" in returned.note
        over = painted(overlay.uri).convert("RGB")
        grey, marked = over.getpixel((0, 0)), over.getpixel((15, 15))
        assert isinstance(grey, tuple)
        assert isinstance(marked, tuple)
        assert grey[0] == grey[1] == grey[2]
        assert marked[1] > marked[0]

    def test_what_differs_in_size_is_laid_over_all_the_same(self) -> None:
        *_, overlay = Painter(10**6).paint(exchange(png_of(40, 30), png_of(30, 40, "green")))
        assert (overlay.width, overlay.height) == (40, 40)
        assert "sizes differ" in overlay.note

    def test_large_pictures_become_small(self) -> None:
        image, *_ = Painter(10**6).paint(exchange(png_of(1000, 500)))
        assert max(painted(image.uri).size) == SIDE
        assert "1000x500" in image.note

    @pytest.mark.parametrize(
        ("mask", "said"),
        [
            (huge_png(), "too many pixels"),
            ("<script>", "no base64"),
            (7, "no base64"),
            (b"GIF89a", "no PNG"),
            (b"<svg onload=alert(1)>", "no PNG"),
            (png_of()[:-20], "not shown"),
            (png_of() + b"<script>alert(1)</script>", "not shown"),
        ],
        ids="huge text number gif svg cut polyglot".split(),
    )
    def test_what_is_no_sound_picture_is_not_painted(self, mask: Any, said: str) -> None:
        image, returned = Painter(10**6).paint(exchange(png_of(), mask))
        assert image.uri
        assert not returned.uri
        assert said in returned.note

    def test_what_else_is_in_a_file_is_left_out(self) -> None:
        info = PngInfo()
        info.add_text("comment", "<script>alert(1)</script>")
        for each in Painter(10**6).paint(exchange(png_of(info=info), png_of(info=info))):
            assert b"script" not in base64.b64decode(each.uri.partition(",")[2])

    def test_they_are_bounded_together(self) -> None:
        painter = Painter(len(Painter(10**6).paint(exchange(png_of()))[0].uri) + 10)
        first, second = (painter.paint(exchange(png_of()))[0] for _ in range(2))
        assert first.uri
        assert not second.uri
        assert "enough pictures" in second.note

    def test_no_body_is_no_picture(self) -> None:
        assert Painter(10**6).paint(exchange(b"")) == []

    def test_what_is_no_image_says_so(self) -> None:
        (image,) = Painter(10**6).paint(exchange(b"%PDF-1.4"))
        assert "no sound PNG" in image.note


class TestBodies:
    """Bodies and heads as text."""

    @given(st.binary(max_size=4000) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
    @example(json.dumps({NASTY: [NASTY] * 99}).encode())
    @example(b"[" * 63 + b"]" * 63)
    @example(b'"' + b"\x7f" * 99 + b'"')
    @example(b"[1e999, 123456789012345678901234567890]")
    def test_they_are_printable_and_bounded(self, data: bytes) -> None:
        shown = bodies.body(data)
        assert (shown is None) == (not data)
        if shown:
            assert re.fullmatch(r"[ -~\n]*", shown.text)
            assert shown.text.count("\n") <= bodies.LINES
            assert str(len(data)) in shown.title

    def test_json_is_laid_out(self) -> None:
        shown = bodies.body(b'{"a":[1,"' + b"x" * 500 + b'"]}')
        assert shown
        assert shown.text.splitlines()[:3] == ["{", '  "a": [', "    1,"]
        assert "(500 letters in all)" in shown.text

    def test_bytes_are_dumped(self) -> None:
        shown = bodies.body(bytes(range(256)) * 4)
        assert shown
        assert shown.text.startswith("0000 00 01 02")
        assert shown.text.endswith("... 768 more bytes")

    def test_silence_says_why(self) -> None:
        shown = bodies.received(NoAnswer(Silence.TIMEOUT, "after 5 s", b"HTTP/1.1 "))
        assert "timeout. after 5 s" in shown.head
        assert shown.body
        assert shown.body.text == "HTTP/1.1 "


TIMES = st.lists(st.floats(0, 10**5, allow_nan=False), max_size=60)


class TestTimings:
    """Times in constant memory."""

    @given(TIMES)
    def test_what_is_written_is_read_again(self, times: list[float]) -> None:
        timings = timed(times)
        written = json.loads(json.dumps(timings.to_document()))
        assert Timings.of(written) == timings
        assert Timings.of(written).to_document() == written
        assert sum(bucket["answers"] for bucket in written["buckets"]) == written["answers"] == len(times)
        assert len(timings.counts) <= len(BOUNDS)

    @given(TIMES.filter(bool), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
    def test_quantiles_are_those_of_the_times_to_the_width_of_a_bucket(self, times: list[float], share: float) -> None:
        wanted = sorted(round(each, 6) for each in times)[max(0, -int(-share * len(times) // 1) - 1)]
        found = timed(times).quantile(share)
        assert min(wanted, BOUNDS[-1]) <= found
        assert found <= max(wanted * 1.13, BOUNDS[0])

    @given(TIMES)
    def test_a_chart_stands_within_its_frame(self, times: list[float]) -> None:
        drawn = chart.of(timed(times))
        assert (drawn is None) == (not times)
        if drawn:
            places = [bar.x + bar.width for bar in drawn.bars] + [x for x, _ in drawn.ticks] + [drawn.median]
            assert all(0 <= place <= chart.WIDTH + 1 for place in places)
            assert all(0 <= bar.y <= chart.BASE and bar.height >= 0 for bar in drawn.bars)

    @pytest.mark.parametrize("edit", [{"buckets": [{"until": 7, "answers": 1}]}, {"buckets": None}, {"min": "x"}])
    def test_what_was_not_written_is_refused(self, edit: dict[str, Any]) -> None:
        with pytest.raises((KeyError, TypeError, ValueError)):
            Timings.of(Timings().to_document() | edit)

    def test_a_run_that_is_judged_again_has_the_same(self, tmp_path: Path) -> None:
        report, _ = run.prepare(REFERENCE, only=("http",)).against(Server()).go(evidence=tmp_path)
        assert report.course.timings.number
        assert rejudged(tmp_path).course.timings == report.course.timings


def timed(times: list[float]) -> Timings:
    timings = Timings()
    for each in times:
        timings.add(each)
    return timings


def from_document(row: dict[str, Any], name: str) -> bool:
    return any(source.split()[0] == name for source in row["sources"])


class TestBrowser:
    """The page in Chromium. Whatever is done there, nothing but the page is asked for, and nothing complained of."""

    def test_filters_show_what_the_json_counts(self, browser: Browser, tmp_path: Path) -> None:
        report = report_of("nasty-result")
        rows = document.to_document(report)["clauses"]
        with opened(browser, tmp_path, text_of("nasty-result")) as tab:
            at = tab.page
            tab.shows(len(rows))
            for outcome in {row["outcome"] for row in rows}:
                at.check(f"input[value='{outcome}']")
                tab.shows(sum(row["outcome"] == outcome for row in rows))
                at.uncheck(f"input[value='{outcome}']")
            for level in Level:
                at.check(f"input[value={level}]")
                tab.shows(sum(row["level"] == level for row in rows))
                at.uncheck(f"input[value={level}]")
            at.select_option("select[name=section]", "mask")
            tab.shows(sum(row["section"] == "mask" for row in rows))
            at.select_option("select[name=document]", "protocol")
            tab.shows(sum(row["section"] == "mask" and from_document(row, "protocol") for row in rows))
            at.click("button[type=reset]")
            tab.shows(len(rows))
            at.select_option("select[name=document]", "model")
            tab.shows(sum(from_document(row, "model") for row in rows))
            assert at.inner_text("#tally").endswith(f" of {len(rows)} clauses")

    def test_the_search_finds_text_of_clauses_and_answers(self, browser: Browser, tmp_path: Path) -> None:
        with opened(browser, tmp_path, text_of("nasty-result")) as tab:
            tab.page.fill("input[type=search]", "MASK.size")
            tab.shows(1)
            assert tab.page.locator("article:visible").get_attribute("id") == "mask.size"
            assert tab.page.locator("section.group:visible").count() == 1
            assert tab.page.locator(".map a.cell:not(.faded)").count() == 1
            tab.page.fill("input[type=search]", "EVIL.example")
            expect(tab.page.locator("[id='result.is-anomalous']")).to_be_visible()
            tab.page.fill("input[type=search]", "nothing says this")
            tab.shows(0)
            assert tab.page.locator("section.group:visible").count() == 0

    def test_a_cell_leads_to_its_clause_by_keyboard_whatever_is_filtered(
        self, browser: Browser, tmp_path: Path
    ) -> None:
        with opened(browser, tmp_path, text_of("nasty-result")) as tab:
            at = tab.page
            at.keyboard.press("Tab")
            assert at.evaluate("document.activeElement.className") == "skip"
            at.check("input[value=failed]")
            at.focus(".map a[href='#route.operation']")
            at.keyboard.press("Tab")
            assert at.evaluate("document.activeElement.hash") == "#route.literals"
            at.keyboard.press("Enter")
            expect(at.locator("[id='route.literals'] summary").first).to_be_focused()
            goal = at.locator("[id='route.literals']")
            assert goal.locator(".requirement").is_visible()
            at.keyboard.press("Space")
            assert not goal.locator(".requirement").is_visible()

    def test_copying_takes_the_whole_line(self, browser: Browser, tmp_path: Path) -> None:
        report = report_of("nasty-result")
        failures = [each for row in document.to_document(report)["clauses"] for each in row["failures"]]
        failure = next(each for each in failures if each["repeat"] and each["repeat"]["curl"])
        with opened(
            browser, tmp_path, text_of("nasty-result"), permissions=["clipboard-read", "clipboard-write"]
        ) as tab:
            box = tab.page.locator(f"[id='{failure['id']}']")
            for label, text in {
                "curl": failure["repeat"]["curl"],
                "command": f"python {failure['repeat']['script']}",
            }.items():
                button = box.locator(f"button[aria-label*='{label}']")
                button.focus()
                tab.page.keyboard.press("Enter")
                button.get_by_text("Copied").wait_for()
                assert tab.page.evaluate("navigator.clipboard.readText()") == text

    def test_everything_is_there_without_script(self, browser: Browser, tmp_path: Path) -> None:
        with opened(browser, tmp_path, text_of("nasty-result"), java_script_enabled=False) as tab:
            tab.shows(len(catalogue().tested()))
            assert not tab.page.locator("#filter").is_visible()
            assert tab.page.locator("button:visible").count() == 0

    @pytest.mark.parametrize("name", ["nasty-result", "nasty-target"])
    def test_it_fits_a_phone(self, browser: Browser, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, text_of(name), viewport={"width": 360, "height": 700}) as tab:
            tab.page.click("#unfold")
            assert tab.width() <= 360

    def test_paper_holds_every_requirement_and_no_control(self, browser: Browser, tmp_path: Path) -> None:
        with opened(browser, tmp_path, text_of("another-status")) as tab:
            tab.page.emulate_media(media="print")
            tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
            assert tab.page.locator(".requirement:visible").count() == len(catalogue().tested())
            assert tab.page.locator("button:visible, form:visible").count() == 0
            tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
            tab.page.emulate_media(media="screen")
            assert tab.page.locator(".requirement:visible").count() < len(catalogue().tested())

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_serious(self, browser: Browser, tmp_path: Path, scheme: str) -> None:
        with opened(browser, tmp_path, text_of("another-status"), color_scheme=scheme) as tab:
            assert tab.grave() == []

    @pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("nasty")])
    def test_nothing_that_is_said_comes_alive(self, browser: Browser, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, text_of(name)) as tab:
            assert tab.page.evaluate("document.scripts.length") == 1
            assert tab.page.title().startswith("non-conformant: ")
