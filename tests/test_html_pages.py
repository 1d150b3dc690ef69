"""The pages of ``compare`` and ``matrix`` say what the JSON says, and nothing in them that a report said is alive."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browsing import alive, astray, opened, parsed, policy, strictest, unprintable, words
from comparing import CREATED, REFERENCE, edited, judged, row
from playwright.sync_api import Browser, Locator, expect
from test_reports import NASTY

from conformance.cli import main
from conformance.compare import compare
from conformance.contract.clauses import Level, catalogue
from conformance.in_process import Server
from conformance.matrix import side_by_side
from conformance.reference.app import HONEST
from conformance.report import comparison, html, matrix
from conformance.report.comparison import Cause, Change, Comparison
from conformance.report.matrix import Matrix
from conformance.report.record import Outcome
from conformance.report.visible import visible

LARGEST = 3_000_000
PHONE, PAPER = {"width": 360, "height": 700}, {"width": 720, "height": 1040}
STATUS = "success.status"
LESS = replace(
    REFERENCE,
    scenes={name: each for name, each in REFERENCE.scenes.items() if name != "segmentation"},
    states={},
)


def named(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda whole: whole["target"].update(name=name)


def hostile(whole: dict[str, Any]) -> None:
    """Whatever a report may say freely is hostile."""
    whole["target"].update(name=NASTY, version=NASTY, url=NASTY, limits={NASTY: NASTY})
    whole["suite"].update(version=NASTY, contract=NASTY)
    whole["run"].update(seed=NASTY, cut_off=NASTY, unsteady=[NASTY])
    whole["reason"] = NASTY
    for entry in whole["clauses"]:
        entry.update(reason=NASTY, requirement=NASTY, known=NASTY)
        for failure in entry["failures"]:
            failure.update(id=NASTY, case=NASTY, where=NASTY, expected=NASTY, actual=NASTY)
        if "readings" in entry:
            entry.update(readings={NASTY: 3}, question=NASTY)


def of_another_suite(whole: dict[str, Any]) -> None:
    """One clause less, and one of a section that nobody knows here."""
    whole["suite"].update(version="0.0.9")
    whole["target"].update(name="older")
    whole["clauses"].remove(row(whole, STATUS))
    whole["clauses"].append(row(whole, "mask.png") | {"id": "former.clause", "section": "title"})


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports by name."""
    at = tmp_path_factory.mktemp("reports")

    def copied(of: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> Path:
        (at / name).mkdir()
        shutil.copy(of / "report.json", at / name)
        return edited(at / name, edit)

    honest = judged(at / "honest", Server(), edit=named("honest"))
    created = judged(at / "created", Server(CREATED), edit=named("created"))
    return {
        "honest": honest,
        "created": created,
        "less": judged(at / "less", Server(HONEST), LESS, edit=named("less")),
        "hostile": copied(created, "hostile", hostile),
        "older": copied(honest, "older", of_another_suite),
        **{f"like-{n}": copied(created, f"like-{n}", named(f"implementation-number-{n}")) for n in range(12)},
    }


COMPARED = {
    "more": ("less", "created"),
    "less": ("created", "less"),
    "same": ("honest", "honest"),
    "hostile": ("hostile", "honest"),
    "turned-hostile": ("honest", "hostile"),
    "other-clauses": ("honest", "older"),
}
BESIDE = {
    "three": ("honest", "created", "less"),
    "one": ("less",),
    "many": ("honest", "less", *(f"like-{n}" for n in range(12))),
    "hostile": ("hostile", "honest", "older"),
}


@dataclass
class Made:
    """What is shown, and the pages, each made once."""

    folders: Mapping[str, Path]
    texts: dict[str, str]

    def comparison(self, name: str) -> Comparison:
        return compare(*(self.folders[each] for each in COMPARED[name]))

    def matrix(self, name: str) -> Matrix:
        return side_by_side([self.folders[each] for each in BESIDE[name]])

    def text(self, page: str) -> str:
        """A page by its name, such as ``compare same``."""
        kind, name = page.split()
        if page not in self.texts:
            compares = kind == "compare"
            self.texts[page] = (
                html.render_comparison(self.comparison(name)) if compares else html.render_matrix(self.matrix(name))
            )
        return self.texts[page]

    def tree(self, page: str) -> Any:
        return parsed(self.text(page))


@pytest.fixture(scope="session")
def made(folders: dict[str, Path]) -> Made:
    return Made(folders, {})


PAGES = [*(f"compare {name}" for name in COMPARED), *(f"matrix {name}" for name in BESIDE)]


@pytest.mark.parametrize("name", PAGES)
class TestEveryPage:
    """What holds of all of them, whatever was compared."""

    def test_nothing_in_it_is_active(self, made: Made, name: str) -> None:
        """Only elements and attributes that we write, one script, one style, and no address but of data."""
        assert alive(made.tree(name)) == []

    def test_names_of_elements_are_unique_and_lead_somewhere(self, made: Made, name: str) -> None:
        assert astray(made.tree(name)) == []

    def test_its_policy_allows_this_script_and_this_style_alone(self, made: Made, name: str) -> None:
        assert policy(made.tree(name)) == strictest(made.text(name))

    def test_it_is_printable_and_not_too_large(self, made: Made, name: str) -> None:
        assert unprintable(made.text(name)) == set()
        assert len(made.text(name).encode()) < LARGEST

    def test_headings_leave_no_level_out(self, made: Made, name: str) -> None:
        levels = [int(each.tag[1]) for each in made.tree(name).iter("h1", "h2", "h3", "h4", "h5")]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))

    def test_every_clause_is_there_once_with_its_requirement(self, made: Made, name: str) -> None:
        tree = made.tree(name)
        articles = tree.findall(".//article")
        clauses = {each.id for each in catalogue().tested()}
        if any(each.get("data-section") == "title" for each in articles):
            clauses.add("former.clause")
        assert sorted(each.get("id") for each in articles) == sorted(clauses)
        if "hostile" not in name:
            for clause in catalogue().tested():
                text = words(tree.get_element_by_id(clause.id))
                assert " ".join(clause.requirement.replace("`", "").split()) in text


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" in name])
def test_what_is_hostile_is_there_as_text(made: Made, name: str) -> None:
    """Names, findings, readings and reasons are all to be read, escaped."""
    tree = made.tree(name)
    assert visible(NASTY)[:60] in tree.find(".//title").text + tree.find(".//h1").text + words(tree)
    for place in ("taken", "finding"):
        assert any("<script>alert(1)</script>" in words(each) for each in tree.find_class(place)), place
    assert "{{ 7 }}" in words(tree)


class TestComparison:
    """What changed."""

    @pytest.mark.parametrize("name", COMPARED)
    def test_it_counts_what_the_json_counts(self, made: Made, name: str) -> None:
        whole, tree = comparison.to_document(made.comparison(name)), made.tree(f"compare {name}")
        wanted = whole["counts"] | {"added": len(whole["added"]), "removed": len(whole["removed"])}
        found = Counter(each.get("data-change") for each in tree.findall(".//article"))
        assert found == {change: number for change, number in wanted.items() if number}
        tiles = {words(each.find("span"))[2:]: int(each.findtext("b")) for each in tree.find_class("tile")}
        assert tiles == {change: wanted[change] for change in wanted if change in whole["counts"] or wanted[change]}
        groups = {each.get("id"): int(each.find("h2/span").text) for each in tree.find_class("group")}
        assert groups == {f"group-{change.replace(' ', '-')}": number for change, number in found.items()}

    @pytest.mark.parametrize("name", COMPARED)
    def test_every_clause_says_what_it_was_and_is_and_why(self, made: Made, name: str) -> None:
        whole, tree = comparison.to_document(made.comparison(name)), made.tree(f"compare {name}")
        for entry in whole["clauses"]:
            article = tree.get_element_by_id(entry["id"])
            said = [article.get(f"data-{what}") for what in "change old new level section cause".split()]
            assert said == [*(entry[what] for what in "change old new level section".split()), entry["cause"] or ""]
            text = words(article)
            for when, outcome in (("Before", entry["old"]), ("Now", entry["new"])):
                assert re.search(rf"{when} [✓✗△○–·!] ?{outcome}", text)
            if entry["cause"]:
                why = f"Why: {entry['cause']}. {entry['because']}"
                assert " ".join(why.split()) in text
            (cell,) = tree.xpath(f"//div[@class='map']//a[@href='#{entry['id']}']")
            assert cell.get("title").startswith(f"{entry['id']}: {entry['level']}, {entry['change']}, ")
            assert cell.get("title") == cell.get("aria-label")

    def test_causes_are_counted_and_explained(self, made: Made) -> None:
        whole, tree = comparison.to_document(made.comparison("more")), made.tree("compare more")
        (listed,) = tree.find_class("causes")
        found = {each.find("dt").text.strip(): int(each.findtext("dt/b")) for each in listed.findall("div")}
        assert found == Counter(entry["cause"] for entry in whole["clauses"] if entry["cause"])
        assert all(words(each.find("dd")) for each in listed.findall("div"))

    def test_both_reports_are_introduced(self, made: Made) -> None:
        whole, tree = comparison.to_document(made.comparison("more")), made.tree("compare more")
        for side, name in zip(tree.find_class("side"), ("old", "new"), strict=True):
            for part in ("target", "version", "started", "suite", "conclusion", "report"):
                assert whole[name][part] in words(side)
            assert whole[name]["contract"][:19] in words(side)

    def test_outcomes_before_and_now_are_a_table(self, made: Made) -> None:
        whole, tree = comparison.to_document(made.comparison("more")), made.tree("compare more")
        (table,) = tree.find_class("flow")
        now = [each.text.removeprefix("now ") for each in table.findall("thead/tr/th")[1:]]
        found = {
            (line.findtext("th"), after): int(cell.text)
            for line in table.findall("tbody/tr")
            for after, cell in zip(now, line.findall("td"), strict=True)
        }
        pairs = Counter((entry["old"], entry["new"]) for entry in whole["clauses"])
        assert {pair: number for pair, number in found.items() if number} == pairs

    def test_what_else_is_different_is_listed(self, made: Made) -> None:
        whole, tree = comparison.to_document(made.comparison("less")), made.tree("compare less")
        (table,) = tree.find_class("differences")
        lines = [[cell.text for cell in line.findall("*")] for line in table.findall("tbody/tr")]
        assert lines == [[each["what"], each["old"] or "none", each["new"] or "none"] for each in whole["differences"]]

    def test_notes_are_there(self, made: Made) -> None:
        whole, tree = comparison.to_document(made.comparison("hostile")), made.tree("compare hostile")
        assert whole["notes"]
        notes = [" ".join(each.split()) for each in whole["notes"]]
        assert [words(each) for each in tree.find_class("note")] == notes

    def test_findings_of_both_sides_are_told(self, made: Made) -> None:
        before, now = made.tree("compare less").get_element_by_id(STATUS).find_class("half")
        assert "201" in words(before.find_class("finding")[0])
        assert not now.find_class("finding")

    def test_when_nothing_changed_no_cause_is_named(self, made: Made) -> None:
        tree = made.tree("compare same")
        assert not tree.find_class("causes")
        title = f"{len(catalogue().tested())} unchanged: honest {REFERENCE.version}"
        assert tree.findtext(".//title") == title.rstrip()

    def test_every_change_and_cause_has_its_looks_and_words(self) -> None:
        known = (html.comparison._LOOKS, html.comparison._NOTES, html.comparison._CAUSES)
        assert [set(each) & {*Change, *Cause} for each in known] == [set(Change), set(Change), set(Cause)]


class TestMatrix:
    """Implementations side by side."""

    @pytest.mark.parametrize("name", BESIDE)
    def test_it_counts_what_the_json_counts(self, made: Made, name: str) -> None:
        whole, tree = matrix.to_document(made.matrix(name)), made.tree(f"matrix {name}")
        table = tree.find_class("matrix")[0]
        lines = table.findall("tbody/tr") + table.findall("tfoot/tr")[:1]
        wanted = [[cell["counts"] for cell in cells] for cells in cells_of(whole)]
        assert [[counted(cell) for cell in line.findall("td")] for line in lines] == wanted
        titles = [words(line.find("th")) for line in lines]
        assert titles == [*(each["title"] for each in whole["sections"]), "all"]
        labels = [each["label"][:60] for each in whole["implementations"]]
        assert [words(each)[:60] for each in table.findall("thead/tr/th")[1:]] == [
            " ".join(each.split()) for each in labels
        ]

    def test_a_glyph_says_what_the_colour_says(self, made: Made) -> None:
        whole, tree = matrix.to_document(made.matrix("three")), made.tree("matrix three")
        told = {"failed": "✗", "error": "!", "remarks": "△", "gaps": "–", "kept": "✓"}
        lines = tree.find_class("matrix")[0].findall("tbody/tr")
        for line, section in zip(lines, whole["sections"], strict=True):
            for cell, entry in zip(line.findall("td"), section["cells"], strict=True):
                idle = {outcome for outcome, number in entry["counts"].items() if number} == {"not applicable"}
                assert cell.findtext(".//b") == ("·" if idle else told[entry["verdict"]])

    @pytest.mark.parametrize("name", BESIDE)
    def test_every_clause_says_what_came_of_it_everywhere(self, made: Made, name: str) -> None:
        whole, tree = matrix.to_document(made.matrix(name)), made.tree(f"matrix {name}")
        for section in whole["sections"]:
            group = tree.get_element_by_id(f"section-{section['section']}")
            assert [each.get("id") for each in group.iter("article")] == [each["id"] for each in section["clauses"]]
            for clause in section["clauses"]:
                article = tree.get_element_by_id(clause["id"])
                found = [each.find_class("badge")[0].xpath("text()")[0] for each in article.find_class("one")]
                assert found == [outcome or "no such clause" for outcome in clause["outcomes"]]

    @pytest.mark.parametrize("name", ["three", "hostile"])
    def test_readings_are_those_of_the_json(self, made: Made, name: str) -> None:
        """The same letter in a row is the same reading."""
        whole, tree = matrix.to_document(made.matrix(name)), made.tree(f"matrix {name}")
        (table,) = tree.find_class("interpretations")
        lines = {line.find("th/a").text: line for line in table.findall("tbody/tr")}
        assert set(lines) == {each["id"] for each in whole["interpretations"]}
        for entry in whole["interpretations"]:
            cells = lines[entry["id"]].findall("td")
            taken = [frozenset(each) for each in entry["readings"]]
            letters = [cell.findtext("b") or "" for cell in cells]
            assert [bool(each) for each in letters] == [bool(each) for each in taken]
            assert len(set(zip(letters, taken, strict=True))) == len(set(letters)) == len(set(taken))
            for cell, readings in zip(cells, entry["readings"], strict=True):
                shown = words(cell.find("span"))
                assert all(" ".join(visible(each, 60).split())[:50] in shown for each in readings)
            assert ("differ" in words(lines[entry["id"]].find("th"))) == (len(set(taken) - {frozenset()}) > 1)

    def test_what_differs_comes_first(self, made: Made) -> None:
        (table,) = made.tree("matrix three").find_class("interpretations")
        differ = ["differ" in words(line.find("th")) for line in table.findall("tbody/tr")]
        assert differ == sorted(differ, reverse=True)
        assert differ[0]

    def test_sections_that_tell_are_unfolded(self, made: Made) -> None:
        found, tree = made.matrix("three"), made.tree("matrix three")
        telling = {clause.section for clause in found.telling}
        groups = {each.get("id"): each.get("open") is not None for each in tree.find_class("group")}
        assert groups == {f"section-{section}": section in telling for section in found.sections}
        assert telling < set(found.sections)

    def test_differences_between_suites_are_named(self, made: Made) -> None:
        found, tree = made.matrix("hostile"), made.tree("matrix hostile")
        assert [words(each) for each in tree.find_class("note")] == [
            " ".join(visible(each).split()) for each in found.differences
        ]

    def test_implementations_are_introduced(self, made: Made) -> None:
        whole, tree = matrix.to_document(made.matrix("three")), made.tree("matrix three")
        (listed,) = tree.find_class("columns")
        for each, entry in zip(listed, whole["implementations"], strict=True):
            for part in ("label", "target", "version", "started", "suite", "conclusion", "report"):
                assert entry[part] in words(each)


def cells_of(whole: Mapping[str, Any]) -> list[Any]:
    return [*(section["cells"] for section in whole["sections"]), whole["total"]]


def counted(cell: Any) -> dict[str, int]:
    """The outcomes that a cell tells, by the words that are read aloud."""
    told = cell.findtext("span")
    assert told == cell.get("title")
    found = {name: int(number) for number, name in re.findall(r"(\d+) ([a-z ]+)", told)}
    return {str(outcome): found.get(str(outcome), 0) for outcome in Outcome}


class TestCommands:
    """``--html``."""

    def test_pages_are_written(self, folders: dict[str, Path], made: Made, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        assert main(["compare", *(str(folders[name]) for name in COMPARED["less"]), "--html", str(file)]) == 0
        assert file.read_text(encoding="utf-8") == made.text("compare less")
        assert main(["matrix", *(str(folders[name]) for name in BESIDE["three"]), "--html", str(file)]) == 0
        assert file.read_text(encoding="utf-8") == made.text("matrix three")

    def test_a_file_that_cannot_be_written(
        self, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["matrix", str(folders["honest"]), "--html", str(tmp_path)]) == 2
        assert capsys.readouterr().err.startswith(f"conformance: {tmp_path}: this file cannot be written")


@pytest.mark.parametrize("name", ["compare more", "compare turned-hostile", "matrix many", "matrix hostile"])
class TestBrowser:
    """The pages in Chromium. Whatever is done there, nothing but the page is asked for, and nothing complained of."""

    def test_it_fits_a_phone(self, browser: Browser, made: Made, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, made.text(name), viewport=PHONE) as tab:
            for each in tab.page.locator("header details, .panel > details:not([open])").all():
                each.evaluate("details => { details.open = true }")
            tab.page.click("#unfold")
            assert tab.width() <= PHONE["width"]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_serious(
        self, browser: Browser, made: Made, tmp_path: Path, name: str, scheme: str
    ) -> None:
        with opened(browser, tmp_path, made.text(name), color_scheme=scheme) as tab:
            assert tab.grave() == []

    def test_nothing_that_is_said_comes_alive(self, browser: Browser, made: Made, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, made.text(name)) as tab:
            assert tab.page.evaluate("document.scripts.length") == 1

    def test_everything_is_there_without_script(self, browser: Browser, made: Made, tmp_path: Path, name: str) -> None:
        with opened(browser, tmp_path, made.text(name), java_script_enabled=False) as tab:
            assert not tab.page.locator("#filter").is_visible()
            assert tab.page.locator("button:visible").count() == 0
            assert tab.page.locator("article.clause").count() >= len(catalogue().tested())

    def test_paper_holds_every_requirement_and_no_control(
        self, browser: Browser, made: Made, tmp_path: Path, name: str
    ) -> None:
        with opened(browser, tmp_path, made.text(name), viewport=PAPER) as tab:
            tab.page.emulate_media(media="print")
            tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
            assert tab.width() <= PAPER["width"]
            articles = tab.page.locator("article.clause").count()
            assert tab.page.locator(".requirement:visible").count() == articles
            assert tab.page.locator("button:visible, form:visible").count() == 0


class TestComparisonInBrowser:
    """What can be done there."""

    def test_filters_show_what_the_json_counts(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        rows = comparison.to_document(made.comparison("more"))["clauses"]
        with opened(browser, tmp_path, made.text("compare more")) as tab:
            at = tab.page
            tab.shows(len(rows))
            for name in ("change", "cause", "level"):
                for value in {each[name] for each in rows if each[name]}:
                    at.check(f"input[name={name}][value='{value}']")
                    tab.shows(sum(each[name] == value for each in rows))
                    at.uncheck(f"input[name={name}][value='{value}']")
            at.select_option("select[name=old]", "unexercised")
            tab.shows(sum(each["old"] == "unexercised" for each in rows))
            at.select_option("select[name=new]", "passed")
            tab.shows(sum((each["old"], each["new"]) == ("unexercised", "passed") for each in rows))
            at.click("button[type=reset]")
            tab.shows(len(rows))
            at.select_option("select[name=section]", "mask")
            tab.shows(sum(each["section"] == "mask" for each in rows))

    def test_the_search_finds_causes_and_findings(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        with opened(browser, tmp_path, made.text("compare more")) as tab:
            tab.page.fill("input[type=search]", "SUCCESS.status")
            tab.shows(1)
            assert tab.page.locator(".map a.cell:not(.faded)").count() == 1
            assert tab.page.locator(".group:visible").count() == 1
            tab.page.fill("input[type=search]", "nothing says this")
            tab.shows(0)

    def test_cells_and_tiles_lead_to_clauses_by_keyboard(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        with opened(browser, tmp_path, made.text("compare more")) as tab:
            at = tab.page
            at.keyboard.press("Tab")
            assert at.evaluate("document.activeElement.className") == "skip"
            at.keyboard.press("Tab")
            assert at.evaluate("document.activeElement.hash") == "#group-regressed"
            at.check("input[value=regressed]")
            at.focus(".map a[href='#mask.size']")
            at.keyboard.press("Enter")
            goal = at.locator("[id='mask.size']")
            expect(goal.locator("summary").first).to_be_focused()
            assert goal.locator(".requirement").is_visible()
            at.keyboard.press("Space")
            assert not goal.locator(".requirement").is_visible()


class TestMatrixInBrowser:
    """What can be done there."""

    def test_filters_show_what_the_json_counts(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        found = made.matrix("three")
        rows = [each for section in matrix.to_document(found)["sections"] for each in section["clauses"]]
        with opened(browser, tmp_path, made.text("matrix three")) as tab:
            at = tab.page
            for outcome in {outcome for each in rows for outcome in each["outcomes"]}:
                at.check(f"input[value='{outcome}']")
                tab.shows(sum(outcome in each["outcomes"] for each in rows))
                at.uncheck(f"input[value='{outcome}']")
            for level in Level:
                at.check(f"input[value={level}]")
                tab.shows(sum(each["level"] == level for each in rows))
                at.uncheck(f"input[value={level}]")
            at.check("input[name=tells]")
            tab.shows(len(found.telling))
            at.select_option("select[name=section]", "mask")
            tab.shows(sum(each.section == "mask" for each in found.telling))
            assert at.inner_text("#tally").endswith(f" of {len(rows)} clauses")

    def test_what_is_found_is_unfolded(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        with opened(browser, tmp_path, made.text("matrix three")) as tab:
            assert not tab.page.locator("[id='isolation.requests']").is_visible()
            tab.page.fill("input[type=search]", "isolation.")
            tab.shows(sum(each.section == "isolation" for each in catalogue().tested()))
            assert tab.page.locator(".group:visible").count() == 1

    def test_sections_unfold_by_keyboard(self, browser: Browser, made: Made, tmp_path: Path) -> None:
        with opened(browser, tmp_path, made.text("matrix three")) as tab:
            at = tab.page
            at.focus(".matrix a[href='#section-isolation']")
            at.keyboard.press("Enter")
            goal = at.locator("#section-isolation")
            expect(goal.locator("summary").first).to_be_focused()
            assert goal.locator("article").first.is_visible()
            at.keyboard.press("Tab")
            at.keyboard.press("Tab")
            at.keyboard.press("Enter")
            assert goal.locator(".requirement").first.is_visible()
            at.focus(".matrix a[href='#http.expect']")
            at.keyboard.press("Enter")
            expect(at.locator("[id='http.expect'] .requirement")).to_be_visible()

    @pytest.mark.parametrize("viewport", [PHONE, {"width": 1200, "height": 900}], ids=["phone", "desk"])
    def test_many_columns_scroll_inside_their_own_box(
        self, browser: Browser, made: Made, tmp_path: Path, viewport: dict[str, int]
    ) -> None:
        """The names of the rows stay where they are."""
        with opened(browser, tmp_path, made.text("matrix many"), viewport=viewport) as tab:
            box = tab.page.locator(".wide").first
            title = box.locator("tbody th").first
            before, width = place_of(title), box.evaluate("box => box.scrollWidth - box.clientWidth")
            assert width > 200
            box.focus()
            while box.evaluate("box => box.scrollLeft") < 100:
                tab.page.keyboard.press("ArrowRight")
            assert place_of(title) == before
            assert tab.width() <= viewport["width"]


def place_of(element: Locator) -> float:
    """How far from the left an element is to be seen."""
    return float(element.evaluate("element => element.getBoundingClientRect().left"))


def test_the_json_is_what_it_was(made: Made) -> None:
    """Rendering a page changes nothing of what it renders."""
    found = made.comparison("more")
    before = json.dumps(comparison.to_document(found))
    html.render_comparison(found)
    assert json.dumps(comparison.to_document(found)) == before
