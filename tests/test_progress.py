"""What a run says while it goes on: lines where there is no terminal, a bar where there is one, nothing when quiet."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from conformance import run, selftest
from conformance.cases import explore
from conformance.cli import main
from conformance.contract.clauses import catalogue
from conformance.course import Progress
from conformance.exploration import DEPTHS, Depth
from conformance.in_process import Server
from conformance.reference.app import HONEST
from conformance.reference.server import running
from conformance.report import terminal
from conformance.target import Target, load

REFERENCE = load(selftest.REFERENCE)
LINE = re.compile(
    r"(?P<seen>\d+)( of (?P<planned>\d+))? judged, (?P<rate>\d+)/s, (?P<breached>\d+) with findings, "
    r"(?P<unexercised>\d+) clauses? unexercised(, (?P<left>\d+) requests left of the budget)?"
)
AT = Progress(seen=1, planned=10, breached=2, unexercised=3, budget_left=None)


class Screen(io.StringIO):
    """What a person would see, and a console that writes there."""

    def console(self, *, is_terminal: bool, width: int = 80) -> Console:
        return Console(file=self, force_terminal=is_terminal, width=width, color_system=None)


def said(moments: Sequence[Progress], planned: int | None, *, is_terminal: bool = False, quiet: bool = False) -> str:
    """What is written for these moments of a run."""
    screen = Screen()
    with terminal.progress(planned, quiet=quiet, console=screen.console(is_terminal=is_terminal)) as on_progress:
        for moment in moments:
            on_progress(moment)
    return screen.getvalue()


def moments(count: int, planned: int | None, budget: int | None = None) -> list[Progress]:
    left = [None if budget is None else budget - seen for seen in range(1, count + 1)]
    return [replace(AT, seen=seen, planned=planned, budget_left=rest) for seen, rest in enumerate(left, 1)]


def lines(text: str) -> list[dict[str, str | None]]:
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    assert None not in found, text
    return [each.groupdict() for each in found if each]


def judged(target: Target, behaviour: object = HONEST, depth: Depth = DEPTHS["quick"]) -> list[Progress]:
    """All that a run says of itself."""
    seen: list[Progress] = []
    server = Server(HONEST if behaviour is HONEST else replace(HONEST, success_status=201))
    run.prepare(target, depth=depth, opener=server.open, shrink=False).go(seen.append)
    return seen


@pytest.fixture(scope="module")
def honest() -> list[Progress]:
    """A quick run against the honest reference, within a budget."""
    return judged(replace(REFERENCE, limits=replace(REFERENCE.limits, requests=1000)))


class TestWhatIsTold:
    """The moments of a run, as they are handed on."""

    def test_every_exchange_is_a_moment(self, honest: list[Progress]) -> None:
        assert [at.seen for at in honest] == list(range(1, len(honest) + 1))
        assert {at.planned for at in honest} == {len(honest)}

    def test_clauses_get_exercised(self, honest: list[Progress]) -> None:
        """Ever fewer are not, down to what the target does not declare."""
        unexercised = [at.unexercised for at in honest]
        assert unexercised == sorted(unexercised, reverse=True)
        assert len(catalogue().tested()) * 0.9 > unexercised[0] > unexercised[-1] >= 1

    def test_the_budget_goes_down(self, honest: list[Progress]) -> None:
        """As fast as requests are sent: those that are under way are counted."""
        left = [at.budget_left for at in honest if at.budget_left is not None]
        assert len(left) == len(honest)
        assert left == sorted(left, reverse=True)
        assert all(rest <= 1000 - at.seen for rest, at in zip(left, honest, strict=True))
        assert left[-1] == 1000 - len(honest)

    def test_findings_are_counted(self, honest: list[Progress]) -> None:
        faulty = judged(REFERENCE, behaviour=None)
        assert {at.breached for at in honest} == {0}
        assert faulty[0].breached == 1
        assert len(faulty) > faulty[-1].breached > 50
        assert {at.budget_left for at in faulty} == {None}

    def test_the_clock_has_no_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody knows how many requests fit into a time."""
        for name in ("VALUES", "SPELLINGS", "DAMAGED", "OTHERS"):
            monkeypatch.setattr(explore, name, 10)
        seen = judged(REFERENCE, depth=Depth.of("quick", examples=5, minutes=1))
        assert {at.planned for at in seen} == {None}


class TestLines:
    """Where there is no terminal: in a log."""

    def test_a_fifth_at_a_time(self) -> None:
        found = lines(said(moments(100, 100), 100))
        assert [(each["seen"], each["planned"]) for each in found] == [
            (str(seen), "100") for seen in (20, 40, 60, 80, 100)
        ]
        assert {(each["breached"], each["unexercised"], each["left"]) for each in found} == {("2", "3", None)}
        assert all(int(each["rate"] or 0) > 0 for each in found)

    @pytest.mark.parametrize("planned", [1, 3, 7])
    def test_short_runs(self, planned: int) -> None:
        assert lines(said(moments(planned, planned), planned))[-1]["seen"] == str(planned)

    def test_long_ones_are_heard_of_now_and_then(self) -> None:
        found = lines(said(moments(9000, 1_000_000), 1_000_000))
        assert [each["seen"] for each in found] == ["2000", "4000", "6000", "8000"]

    def test_a_run_by_the_clock(self) -> None:
        """How many there will be is not told."""
        found = lines(said(moments(4000, None), None))
        assert [(each["seen"], each["planned"]) for each in found] == [("2000", None), ("4000", None)]

    def test_a_budget_is_on_the_same_line(self) -> None:
        """However narrow a log is taken to be."""
        text = said(moments(50_000, 1_000_000, 10_000_000), 1_000_000)
        assert lines(text)[-1]["left"] == str(10_000_000 - 50_000)
        assert max(map(len, text.splitlines())) > 80

    def test_one_clause_is_no_plural(self) -> None:
        text = said([replace(AT, seen=10, unexercised=1), replace(AT, seen=10, unexercised=0)], 10)
        assert ", 1 clause unexercised\n" in text
        assert ", 0 clauses unexercised\n" in text

    def test_no_colours(self) -> None:
        assert "\x1b" not in said(moments(10, 10, 5), 10)


class TestBar:
    """On a terminal."""

    def test_it_shows_the_same(self) -> None:
        screen = Screen()
        console = screen.console(is_terminal=True, width=160)
        with terminal.progress(10, quiet=False, console=console) as on_progress:
            for moment in moments(7, 10, 100):
                on_progress(moment)
        shown = screen.getvalue()
        assert "judging" in shown
        assert "7/10" in shown
        assert "2 with findings, 3 clauses unexercised, 93 requests left of the budget" in shown

    def test_a_run_by_the_clock(self) -> None:
        screen = Screen()
        with terminal.progress(None, quiet=False, console=screen.console(is_terminal=True, width=160)) as on_progress:
            on_progress(replace(AT, seen=7, planned=None))
        assert "7/?" in screen.getvalue()
        assert "None" not in screen.getvalue()

    def test_it_leaves_nothing_behind(self) -> None:
        """The cursor is shown again, and the line erased, even when the run ends in an error."""
        screen = Screen()
        bar = terminal.progress(10, quiet=False, console=screen.console(is_terminal=True))

        def failing() -> None:
            with bar as on_progress:
                on_progress(AT)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            failing()
        shown = screen.getvalue()
        assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
        assert shown.rindex("\x1b[2K") > shown.rindex("judging")

    def test_a_narrow_terminal(self) -> None:
        """Nothing breaks."""
        screen = Screen()
        with terminal.progress(10, quiet=False, console=screen.console(is_terminal=True, width=10)) as on_progress:
            on_progress(AT)
        assert screen.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_quiet_is_quiet(is_terminal: bool) -> None:
    assert said(moments(100, 100, 5), 100, is_terminal=is_terminal, quiet=True) == ""


def test_the_command_says_so_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The announcement, then the lines; standard output has the report alone."""
    text = selftest.REFERENCE.read_text(encoding="utf-8")
    with running() as url:
        file = tmp_path / "target.toml"
        file.write_text(text.replace(REFERENCE.url, url).replace("[limits]", "[limits]\nrequests = 900"), "utf-8")
        assert main(["run", "--target", str(file), "--depth", "quick", "--out", str(tmp_path), "--gate"]) == 0
    out, errors = capsys.readouterr()
    announcement, *rest = errors.splitlines()
    assert announcement.startswith("judging reference at ")
    found = lines("\n".join(rest))
    assert len(found) == 5
    assert all(each["left"] for each in found)
    assert " judged, " not in out
