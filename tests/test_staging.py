"""States, bursts and signatures: whatever is entered is left, budgets hold, and a broken set-up blames nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conformance import hooks, run, selftest
from conformance.cli import main
from conformance.course import Course, Progress
from conformance.exchange import Circumstance, Exchange
from conformance.in_process import Server
from conformance.judge import Judge
from conformance.message import Answer, Delivery, Request, Response
from conformance.mistake import OperatorMistake
from conformance.patience import CutOff, Sender
from conformance.provisions import STATES, Command, HttpCall, Keys, SigV4, State, StaticHeader
from conformance.reference.admin import administered
from conformance.reference.app import DEMO, HONEST, Behaviour, Call, Reason, Refused, Reply
from conformance.reference.server import running
from conformance.reference.service import Service, throttle
from conformance.reference.sigv4 import Verifier
from conformance.reference.strains import CREDENTIALS
from conformance.report import document, terminal
from conformance.report.gate import exit_code
from conformance.report.record import Conclusion, Outcome, Report, compile_report
from conformance.rules import RULES
from conformance.shipped import shipped
from conformance.staging import LEAST_BURST, RECOVERIES, Stage, clock_skew
from conformance.target import Limits, Scene, Target, load

HOST = b"127.0.0.1:8080"
CLAUSES = {
    "stopped": "state.not-running-refused",
    "conflict": "state.conflict",
    "forbidden": "state.forbidden",
    "throttled": "state.throttled",
    "fault": "state.fault",
}


class Staged(Server):
    """The reference in this process, which writes down what is done to it."""

    def __init__(self, behaviour: Behaviour = HONEST, **more: Any) -> None:
        self.events: list[str] = []
        self.waits: list[float] = []
        self.calls = 0
        self._counting = threading.Lock()

        def admit(call: Call) -> None:
            with self._counting:
                self.calls += 1
            behaviour.admit(call)

        super().__init__(replace(behaviour, admit=admit), **more)

    def enter(self, state: State) -> None:
        self.events.append(f"enter {state.name}")
        super().enter(state)

    def leave(self, state: State) -> None:
        self.events.append(f"leave {state.name}")
        super().leave(state)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    @property
    def inside(self) -> str:
        """The state that was entered last and not left."""
        last = self.events[-1] if self.events else ""
        return last.removeprefix("enter ") if last.startswith("enter ") else ""

    def assert_all_left(self) -> None:
        entered = [event.removeprefix("enter ") for event in self.events if event.startswith("enter ")]
        assert self.events == [f"{what} {name}" for name in entered for what in ("enter", "leave")]
        assert self._service.entered() == []
        assert all(self._service.is_running(model) is model.running for model in self._service.store)


@cache
def reference() -> Target:
    return selftest.one_by_one(selftest.reference())


def staged(target: Target, server: Server) -> Stage:
    """The stage of a target, and nothing of the rest of a run."""
    return Stage(target, HOST, server.open, selftest.KEYS, server.enter, server.leave, server.wait)


def seen(target: Target, server: Server, stage: Stage | None = None) -> list[Exchange]:
    """Everything that a stage sends."""
    return list((stage or staged(target, server)).exchanges(Sender(server.open, 4, None)))


def with_limits(target: Target, **limits: Any) -> Target:
    return replace(target, limits=replace(target.limits, **limits))


def only(*names: str) -> Target:
    return replace(reference(), states={name: State(name) for name in names})


def short(target: Target, environ: Mapping[str, str] = selftest.KEYS) -> run.Prepared:
    """A run that sends the witnesses, and what is staged."""
    prepared = run.prepare(target, environ=environ, shrink=False)
    return replace(prepared, plan=replace(prepared.plan, singles=(), sequences=(), flights=()))


@cache
def usual() -> run.Prepared:
    return short(reference())


def judged(server: Server, target: Target | None = None) -> Report:
    report, _ = (short(target) if target else usual()).against(server).go()
    return report


def outcome(report: Report, state: str) -> tuple[Outcome, str]:
    [row] = [row for row in report.rows if row.clause.id == CLAUSES[state]]
    return row.outcome, row.reason


class TestLeaving:
    """Every state that is entered is left."""

    def test_in_a_run_that_goes_well(self) -> None:
        server = Staged()
        report = judged(server)
        assert server.events == [f"{what} {name}" for name in STATES for what in ("enter", "leave")]
        server.assert_all_left()
        assert report.course.mishaps == {}
        assert all(outcome(report, name)[0] is Outcome.PASSED for name in STATES)

    @pytest.mark.parametrize("name", STATES)
    def test_when_the_operator_stops_the_run_in_the_middle(self, name: str) -> None:
        server = Staged()

        def interrupt(_: Progress) -> None:
            if server.inside == name:
                raise KeyboardInterrupt

        report, _ = usual().against(server).go(interrupt)
        server.assert_all_left()
        assert server.events[-1] == f"leave {name}"
        assert report.course.stopped_by_operator
        assert (report.conclusion, exit_code(report, gate=True)) == (Conclusion.INDETERMINATE, 3)

    @pytest.mark.parametrize("where", ["enter", "ask"])
    def test_when_ctrl_c_comes_at_the_worst_moment(self, where: str) -> None:
        """While the hook is at work, or while the target is."""

        class Interrupted(Staged):
            def enter(self, state: State) -> None:
                super().enter(state)
                if where == "enter":
                    raise KeyboardInterrupt

        def admit(_: Call) -> None:
            if server.inside:
                raise KeyboardInterrupt

        server: Staged = Interrupted(replace(HONEST, admit=admit if where == "ask" else HONEST.admit))
        with pytest.raises(KeyboardInterrupt):
            seen(reference(), server)
        server.assert_all_left()
        assert server.events == ["enter stopped", "leave stopped"]

    def test_when_the_budget_is_used_up_at_any_moment(self) -> None:
        target = with_limits(reference(), rate=2.0)
        needed = Staged()
        seen(target, needed)
        for budget in range(needed.calls):
            server = Staged()
            stage, sender = staged(target, server), Sender(server.open, 4, budget)
            with pytest.raises(CutOff):
                list(stage.exchanges(sender))
            server.assert_all_left()
            assert server.calls == sender.sent == budget

    def test_when_nobody_listens_to_the_end(self) -> None:
        server = Staged()
        exchanges = staged(reference(), server).exchanges(Sender(server.open, 4, None))
        next(exchanges)
        assert isinstance(exchanges, Generator)
        exchanges.close()
        server.assert_all_left()

    @pytest.mark.parametrize("half", [False, True], ids=["not-entered", "entered-all-the-same"])
    def test_when_entering_fails(self, half: bool) -> None:
        class Failing(Staged):
            def enter(self, state: State) -> None:
                self.events.append(f"enter {state.name}")
                if half:
                    Server.enter(self, state)
                if state.name == "conflict":
                    raise hooks.HookFailed("the hook states.conflict.enter (POST x) failed: status 500, saying: no")
                Server.enter(self, state)

        server = Failing()
        report = judged(server)
        server.assert_all_left()
        said = "the hook states.conflict.enter (POST x) failed: status 500, saying: no"
        assert outcome(report, "conflict") == (Outcome.ERROR, said)
        assert all(outcome(report, name)[0] is Outcome.PASSED for name in STATES if name != "conflict")
        assert (report.conclusion, exit_code(report, gate=False)) == (Conclusion.INDETERMINATE, 3)
        assert said in report.reason


class Unleavable(Staged):
    """A server whose hook fails when a state is to be left, or does not do it and says so."""

    def __init__(self, state: str, *, says: bool, behaviour: Behaviour = HONEST) -> None:
        super().__init__(behaviour, stuck_in=frozenset({state}))
        self._state = state
        self._says = says

    def leave(self, state: State) -> None:
        super().leave(state)
        if self._says and state.name == self._state:
            raise hooks.HookFailed(f"the hook states.{state.name}.leave (./leave.sh) failed: exit code 1, saying: busy")


class TestNotLeaving:
    """A target that does not come out of a state is for its operator to look at, and no later state is judged in it."""

    @pytest.mark.parametrize("says", [True, False], ids=["the-hook-fails", "the-hook-does-nothing"])
    @pytest.mark.parametrize("name", [name for name in STATES if name != "throttled"])
    def test_it_is_an_error_of_the_set_up(self, name: str, says: bool) -> None:
        server = Unleavable(name, says=says)
        report = judged(server)
        assert report.failed(report.rows[0].clause.level) == []
        later = STATES[STATES.index(name) :]
        for state in STATES:
            found, reason = outcome(report, state)
            assert found is (Outcome.ERROR if state in later else Outcome.PASSED), state
            if state in later:
                assert f"states.{name}.leave" in reason
                assert "saying: busy" in reason or not says
        assert [event for event in server.events if event.startswith("enter")][-1] == f"enter {name}"
        assert (report.conclusion, exit_code(report, gate=False)) == (Conclusion.INDETERMINATE, 3)
        assert f"states.{name}.leave" in report.reason
        assert all(seconds <= 5 for seconds in server.waits)

    def test_a_throttle_that_does_not_end_is_a_failure(self) -> None:
        """There the contract says that the request is served later."""
        server = Unleavable("throttled", says=False)
        report = judged(server)
        assert outcome(report, "throttled")[0] is Outcome.FAILED
        assert outcome(report, "fault")[0] is Outcome.ERROR
        assert report.conclusion is Conclusion.NON_CONFORMANT

    def test_what_a_hook_printed_is_shown_safely(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """It cannot obey a terminal, or speak to a CI system, or break XML."""

        class Noisy(Staged):
            def enter(self, state: State) -> None:
                raise hooks.HookFailed(f"the hook states.{state.name}.enter (x) failed: \x1b[31m\x00::error::\u202e<b>")

        report = judged(Noisy())
        run.write_all(report, tmp_path)
        terminal.show(report, tmp_path)
        out, _ = capfd.readouterr()
        texts = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir() if file.is_file()}
        for name, text in {"": out, **texts}.items():
            assert not set("\x1b\x00\u202e") & set(text)
            assert "::error::" not in text
            commands = [line for line in text.splitlines() if line.lstrip().startswith("::")]
            assert commands == (text.splitlines() if name == "annotations.txt" else [])

    def test_a_secret_that_a_hook_printed_is_not_told(self) -> None:
        secret = selftest.KEYS["CONFORMANCE_MASTER_SECRET_KEY"]

        class Talkative(Staged):
            def enter(self, state: State) -> None:
                raise hooks.HookFailed(f"the hook {state.name} failed, saying: key={secret}")

        target = selftest.guarded(only("fault"))
        server = Talkative()
        stage = staged(target, server)
        seen(target, server, stage)
        assert secret not in stage.mishaps["state.fault"]
        assert "<secret access key of aut" in stage.mishaps["state.fault"]

    def test_a_target_that_served_nothing_before_is_not_waited_for(self) -> None:
        """It is judged in its states, and that it does not recover is not the hook's fault."""
        server = Staged(replace(HONEST, success_status=500))
        stage = staged(reference(), server)
        exchanges = seen(reference(), server, stage)
        assert stage.mishaps == {}
        assert Circumstance.RECOVERED not in {exchange.circumstance for exchange in exchanges}
        server.assert_all_left()


class TestRecovering:
    """Afterwards a good request must be served again."""

    def recovering(self, after: int, name: str = "fault") -> tuple[Staged, Stage]:
        """A server that takes so many requests to recover."""
        left: list[int] = []

        class Slow(Staged):
            def leave(self, state: State) -> None:
                super().leave(state)
                left.append(after)

        def admit(_: Call) -> None:
            if left and left[-1]:
                left[-1] -= 1
                raise Refused(Reason.FAULT, "still starting")

        server = Slow(replace(HONEST, admit=admit))
        return server, staged(only(name), server)

    @pytest.mark.parametrize("after", [0, 1, RECOVERIES - 1])
    def test_it_may_take_some_tries(self, after: int) -> None:
        server, stage = self.recovering(after)
        exchanges = seen(stage.target, server, stage)
        assert exchanges[-1].circumstance is Circumstance.RECOVERED
        assert exchanges[-1].status == 200
        assert exchanges[-1].before is exchanges[0]
        assert stage.mishaps == {}
        assert all(one < two for one, two in pairwise(server.waits))
        assert server.calls <= stage.requests

    def test_it_may_not_take_for_ever(self) -> None:
        server, stage = self.recovering(RECOVERIES)
        seen(stage.target, server, stage)
        said = "after the hook states.fault.leave a good request is answered 500 InternalServerException"
        assert stage.mishaps == {"state.fault": said}
        assert server.calls <= stage.requests

    @pytest.mark.parametrize(("asked", "waited"), [("3", 3.0), ("0", 0.0), ("99999", 5.0), ("soon", 0.2)])
    def test_a_retry_after_is_obeyed(self, asked: str, waited: float) -> None:
        def finish(_: Call, reply: Reply) -> Reply:
            kept = tuple(pair for pair in reply.headers if pair[0] != "Retry-After")
            return replace(reply, headers=(*kept, ("Retry-After", asked))) if reply.status == 429 else reply

        server = Staged(replace(HONEST, finish=finish))
        exchanges = seen(reference(), server, staged(only("throttled"), server))
        assert [exchange.status for exchange in exchanges] == [429, 429, 200]
        assert server.waits == [waited]


class Rated:
    """Takes so many requests; what comes beyond them is refused until somebody has waited."""

    def __init__(self, burst: int, refusal: Callable[[], Refused]) -> None:
        self._left = self._burst = burst
        self._refusal = refusal
        self._lock = threading.Lock()

    def refill(self) -> None:
        self._left = self._burst

    def admit(self, _: Call) -> None:
        with self._lock:
            self._left -= 1
            if self._left < 0:
                raise self._refusal()


class TestRate:
    """A declared rate is exceeded once, and the target is served later what it refused."""

    TARGET = replace(selftest.reference(), states={}, limits=Limits(rate=4.0))

    def flooded(self, rated: Rated, *, stubborn: bool = False) -> tuple[Report, Staged, list[Exchange]]:
        class Refilled(Staged):
            def wait(self, seconds: float) -> None:
                super().wait(seconds)
                if not stubborn:
                    rated.refill()

        server = Refilled(replace(HONEST, admit=rated.admit))
        stage = staged(self.TARGET, server)
        exchanges = seen(self.TARGET, server, stage)
        assert server.calls <= stage.requests
        judge = Judge(rule for rule in RULES if rule.clause == "state.throttled")
        for exchange in exchanges:
            judge.see(exchange)
        report = compile_report(
            self.TARGET,
            judge.verdicts,
            Course(answered=1),
            planned=1,
            looks=1,
            seed="",
            started="",
            seconds=1.0,
            selected=frozenset({"state.throttled"}),
        )
        return report, server, exchanges

    def test_one_that_throttles(self) -> None:
        report, server, exchanges = self.flooded(Rated(5, lambda: throttle("slower")))
        assert outcome(report, "throttled")[0] is Outcome.PASSED
        burst = [exchange for exchange in exchanges if exchange.circumstance is Circumstance.FLOODED]
        assert len(burst) == 12
        assert sorted(exchange.status or 0 for exchange in burst) == [200] * 5 + [429] * 7
        [last] = exchanges[12:]
        assert (last.circumstance, last.status) == (Circumstance.RECOVERED, 200)
        assert server.waits == [1.0]

    def test_one_that_never_throttles(self) -> None:
        report, server, exchanges = self.flooded(Rated(10**6, lambda: throttle("slower")))
        assert outcome(report, "throttled")[0] is Outcome.UNEXERCISED
        assert {exchange.status for exchange in exchanges} == {200}
        assert server.waits == []
        assert report.conclusion is Conclusion.INDETERMINATE

    def test_one_that_says_something_else(self) -> None:
        report, _, _ = self.flooded(Rated(5, lambda: Refused(Reason.FAULT, "too busy")))
        assert outcome(report, "throttled")[0] is Outcome.FAILED

    def test_one_that_never_serves_again(self) -> None:
        report, server, exchanges = self.flooded(Rated(5, lambda: throttle("slower")), stubborn=True)
        assert outcome(report, "throttled")[0] is Outcome.FAILED
        assert server.waits == [1.0] * RECOVERIES
        assert exchanges[-1].status == 429

    @pytest.mark.parametrize(("rate", "burst"), [(0.01, LEAST_BURST), (5.0, 15), (1000.0, 200)])
    def test_the_burst_is_bounded(self, rate: float, burst: int) -> None:
        target = with_limits(self.TARGET, rate=rate)
        server = Staged()
        assert len(seen(target, server)) == burst == staged(target, server).requests - RECOVERIES

    def test_without_a_declared_rate_there_is_none(self) -> None:
        server = Staged()
        assert seen(with_limits(self.TARGET, rate=None), server) == []
        assert server.calls == 0


def guarded() -> Target:
    return selftest.guarded(reference())


def guarding(more: Behaviour = HONEST, clock: Callable[[], datetime] | None = None) -> Behaviour:
    verifier = Verifier(CREDENTIALS)
    return replace(more, admit=(replace(verifier, clock=clock) if clock else verifier).admit)


class TestForbidden:
    """Whoever may not ask: the keys of somebody, or a model that is not ours."""

    def test_by_keys(self) -> None:
        server = Staged(guarding())
        report, _ = run.prepare(guarded(), environ=selftest.KEYS, shrink=False).against(server).go()
        assert outcome(report, "forbidden")[0] is Outcome.PASSED
        assert report.conclusion is Conclusion.CONFORMANT

    def test_by_keys_of_somebody_who_may(self) -> None:
        target = guarded()
        assert isinstance(target.auth, SigV4)
        may = State("forbidden", keys=target.auth.keys)
        server = Staged(guarding())
        exchanges = seen(target, server, staged(replace(target, states={"forbidden": may}), server))
        found = [each for each in exchanges if each.circumstance is Circumstance.FORBIDDEN]
        assert [exchange.status for exchange in found] == [200, 200]

    @pytest.mark.parametrize(
        ("refusal", "expected"),
        [
            (lambda: Refused(Reason.FORBIDDEN, "not yours"), Outcome.PASSED),
            (lambda: Refused(Reason.NO_PROJECT, "nothing here"), Outcome.FAILED),
        ],
        ids=["403", "404"],
    )
    def test_by_a_scene(self, refusal: Callable[[], Refused], expected: Outcome) -> None:
        """A running model that we may not use needs no hook."""

        def admit(call: Call) -> None:
            if b"/somebody-elses/" in call.target:
                raise refusal()

        scene = Scene("forbidden", "somebody-elses", "1")
        target = replace(reference(), scenes={**reference().scenes, "forbidden": scene}, states={})
        prepared = run.prepare(target, shrink=False)
        report, _ = prepared.against(Staged(replace(HONEST, admit=admit))).go()
        assert outcome(report, "forbidden")[0] is expected

    def test_without_either_it_is_unexercised(self) -> None:
        report = judged(Staged(), replace(reference(), states={}))
        found, reason = outcome(report, "forbidden")
        assert (found, reason) == (
            Outcome.UNEXERCISED,
            "declare states.forbidden or scenes.forbidden to have it exercised",
        )


class TestBudget:
    """Announcements and budgets."""

    def test_no_more_is_sent_than_announced(self) -> None:
        """By an honest target, with everything declared; its clock costs a request, too."""
        target = replace(guarded(), limits=replace(guarded().limits, rate=3.0))
        server = Staged(guarding())
        prepared = run.prepare(target, environ=selftest.KEYS, shrink=False)
        report, _ = prepared.against(server).go()
        assert report.course.sent <= prepared.planned == report.planned
        assert prepared.planned - report.course.sent < 60
        assert report.course.seen < report.course.sent

    def test_progress_does_not_run_past_its_end(self) -> None:
        far: list[tuple[int, int | None]] = []
        server = Staged(guarding())
        short(guarded()).against(server).go(lambda at: far.append((at.seen, at.planned)))
        assert all(planned is not None and seen <= planned for seen, planned in far)

    @pytest.mark.parametrize("budget", [1, 2, 9, 30, 60, 75])
    def test_the_budget_holds_for_everything(self, budget: int) -> None:
        """Signatures, clock and all: what arrives at the server is counted."""
        arrived = 0

        class Counted(Staged):
            def open(self) -> Any:
                connection = super().open()
                exchange = connection.exchange

                def counted(request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:
                    nonlocal arrived
                    arrived += 1
                    return exchange(request, delivery)

                connection.exchange = counted  # type: ignore[method-assign]
                return connection

        server = Counted(guarding())
        report = judged(server, with_limits(guarded(), requests=budget))
        assert arrived == report.course.sent == budget
        assert report.course.cut_off == f"the budget of {budget} requests is used up"
        assert report.conclusion is Conclusion.INDETERMINATE
        server.assert_all_left()

    @pytest.mark.parametrize(("words", "is_staged"), [("mask", False), ("success", False), ("state", True)])
    def test_a_selection_without_states_sets_nothing_up(self, words: str, is_staged: bool) -> None:
        server = Staged()
        prepared = run.prepare(reference(), only=(words,), shrink=False).against(server)
        report, _ = prepared.go()
        assert bool(server.events) is is_staged
        assert report.course.sent <= prepared.planned
        assert run.prepare(reference(), shrink=False).planned - prepared.planned == (0 if is_staged else 40)

    def test_a_state_is_asked_in_the_scene_that_it_names(self) -> None:
        target = replace(reference(), states={"fault": State("fault", scene="segmentation")})
        server = Staged()
        found = {exchange.request.target for exchange in seen(target, server)}
        assert found == {b"/2020-11-20/projects/circuits/models/2/detect"}

    def test_without_a_running_model_nothing_is_sent(self) -> None:
        target = replace(guarded(), scenes={}, limits=Limits(rate=3.0))
        server = Staged(guarding())
        assert seen(target, server) == []
        assert server.events == []


class TestCredentials:
    """Keys that are not taken: the target cannot be judged, and is not blamed."""

    @pytest.mark.parametrize("spoilt", ["CONFORMANCE_MASTER_SECRET_KEY", "CONFORMANCE_MASTER_ACCESS_KEY"])
    def test_wrong_keys(self, spoilt: str) -> None:
        target, server = guarded(), Staged(guarding())
        environ = {**selftest.KEYS, spoilt: "wrong and never issued"}
        report, _ = short(target, environ).against(server).go()
        assert (report.conclusion, exit_code(report, gate=False)) == (Conclusion.INDETERMINATE, 3)
        assert report.reason.startswith("the target refuses our credentials: 403 ")
        assert server.events == []
        assert server.calls < 100

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_header_that_is_not_taken(self, status: int) -> None:
        finish = replace(HONEST, finish=lambda _, reply: replace(reply, status=status, body=b"<h1>Who are you?</h1>"))
        target = replace(reference(), auth=StaticHeader("X-Api-Key", "KEY"))
        server = Staged(finish)
        report, _ = short(target, {"KEY": "wrong and never issued"}).against(server).go()
        assert report.conclusion is Conclusion.INDETERMINATE
        assert report.reason == f"the target refuses our credentials: {status}"
        assert server.events == []

    def test_a_missing_guest_is_a_mistake(self) -> None:
        environ = {name: value for name, value in selftest.KEYS.items() if "GUEST" not in name}
        with pytest.raises(
            OperatorMistake, match=r"^states\.forbidden\.keys: .*CONFORMANCE_GUEST_ACCESS_KEY is not set"
        ):
            run.prepare(guarded(), environ=environ)


class TestClock:
    """A target whose clock goes wrong is signed for by its clock."""

    @pytest.mark.parametrize("minutes", [-90, -10, 0, 10, 90])
    def test_a_server_with_a_clock_of_its_own(self, minutes: int) -> None:
        def clock() -> datetime:
            return datetime.now(UTC) + timedelta(minutes=minutes)

        def finish(_: Call, reply: Reply) -> Reply:
            kept = tuple(pair for pair in reply.headers if pair[0].lower() != "date")
            return replace(reply, headers=(*kept, ("Date", clock().strftime("%a, %d %b %Y %H:%M:%S GMT"))))

        server = Staged(guarding(replace(HONEST, finish=finish), clock))
        report = judged(server, guarded())
        rows = {row.clause.id: row.outcome for row in report.rows if row.clause.section in ("auth", "success")}
        assert rows["auth.accepted"] is rows["auth.refused"] is rows["success.status"] is Outcome.PASSED

    @pytest.mark.parametrize(
        "values",
        [
            [],
            [b""],
            [b"yesterday"],
            [b"\xff\xfe"],
            [b"Fri, 31 Dec 9999 23:59:59 GMT"],
            [b"Mon, 01 Jan 2024 00:00:00 -0000"],
            [b"Mon, 01 Jan 2024 00:00:00 +9999"],
            [b"Mon, 01 Jan 1999999999999 00:00:00 GMT"],
            [b"Mon, 01 Jan 2024 99999999999999999999:00:00 GMT"],
            [b"(" * 5000],
            [b"Mon, 01 Jan 2024 00:00:00 GMT"] * 2,
        ],
    )
    def test_a_date_that_is_none_is_nothing(self, values: list[bytes]) -> None:
        """Nothing that a target says of its time makes us fail."""
        assert clock_skew(lambda: Dated(values), HOST) == timedelta()

    @pytest.mark.parametrize("year", [1970, 1971, 2500, 9998])
    def test_any_year_can_be_signed_for(self, year: int) -> None:
        skew = clock_skew(lambda: Dated([b"Sat, 01 Jan %d 00:00:00 GMT" % year]), HOST)
        assert (datetime.now(UTC) + skew + timedelta(minutes=1)).year == year
        stage = staged(guarded(), Staged())
        stage.skew = skew
        assert stage.requests > 40


class Dated:
    """A connection to a server that says nothing but what time it is."""

    lost_idle, reusable = False, True

    def __init__(self, values: list[bytes]) -> None:
        self._values = values

    def exchange(self, *_: object) -> Answer:
        return Response(200, tuple((b"Date", value) for value in self._values))

    def settle(self) -> bytes:
        return b""

    def close(self) -> None:
        """There is nothing to close."""


def test_the_command_says_which_hook_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the target file to the exit code: a real server, real hooks, one of which fails."""
    service = Service(DEMO)
    file, out = tmp_path / "target.toml", tmp_path / "out"
    with running(service.behaviour()) as url, administered(service) as admin:
        file.write_text(
            f'[target]\nname = "x"\nurl = "{url}"\n'
            '[scenes.classification]\nproject = "cookies"\nversion = "1"\nimage = {width = 64, height = 64}\n'
            f'[states.stopped]\nenter = {{url = "{admin}/models/cookies/1/stop"}}\n'
            f'leave = {{url = "{admin}/models/cookies/1/begin"}}\n',
            encoding="utf-8",
        )
        code = main(["run", "--target", str(file), "--depth", "quick", "--only", "state", "--out", str(out)])
    said = f"the hook states.stopped.leave (POST {admin}/models/cookies/1/begin) failed: status 404, saying: "
    printed = " ".join(capsys.readouterr().out.split())
    written = document.load(out / "report.json")
    [row] = [row for row in written["clauses"] if row["id"] == "state.not-running-refused"]
    assert (code, written["conclusion"], row["outcome"]) == (3, "indeterminate", "error")
    assert row["reason"].startswith(said)
    assert said in written["reason"]
    assert "states.stopped.leave" in printed
    assert "there is no such thing" in printed


class TestTargetFile:
    """What a target file may say of keys, states and rates."""

    GOOD = '[target]\nname = "x"\nurl = "http://127.0.0.1:9"\n[scenes.classification]\nproject = "c"\nversion = "1"\n'
    HOOKS = 'enter = {url = "http://x/"}\nleave = {command = ["y"]}\n'

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[states.tired]\n" + HOOKS, "states.tired: there is no such key"),
            ("[states.fault]\n", "states.fault: it needs either enter and leave, or keys"),
            ('[states.fault]\nenter = {url = "http://x/"}\n', "states.fault: it needs either enter and leave, or keys"),
            (f"[states.fault]\n{HOOKS}keys = {{}}\n", "states.fault: it needs either enter and leave, or keys"),
            (f"[states.fault]\n{HOOKS}seconds = nan\n", "states.fault.seconds: nan is not a finite number"),
            (f"[states.fault]\n{HOOKS}seconds = inf\n", "states.fault.seconds"),
            (f"[states.fault]\n{HOOKS}seconds = 0\n", "states.fault.seconds: 0"),
            (f"[states.fault]\n{HOOKS}retries = 11\n", "states.fault.retries: 11"),
            (f"[states.fault]\n{HOOKS}retries = 0.5\n", "states.fault.retries: 0.5"),
            (f'[states.fault]\n{HOOKS}scene = "segmentation"\n', "states.fault.scene: the scene 'segmentation' is not"),
            (f'[states.fault]\n{HOOKS}scene = "stopped"\n', "states.fault.scene: 'stopped'"),
            ("[states.fault]\nenter = {}\nleave = {}\n", "states.fault.enter: it needs either url, or command"),
            ('[states.fault]\nenter = {command = []}\nleave = {command = ["y"]}\n', "states.fault.enter.command"),
            ('[states.fault]\nenter = {command = "y"}\nleave = {command = ["y"]}\n', "states.fault.enter.command"),
            ('[states.fault]\nenter = {url = "ftp://x"}\nleave = {command = ["y"]}\n', "states.fault.enter.url"),
            (
                '[states.fault]\nenter = {url = "http://x", method = "TRACE"}\nleave = {command = ["y"]}\n',
                "states.fault.enter.method",
            ),
            ("[states.forbidden.keys]\n", 'states.forbidden.keys: keys are of use only with auth.kind = "sigv4"'),
            ('[auth]\nkind = "basic"\n', "auth.kind: 'basic'"),
            ('[auth]\nregion = "r"\n', "auth.kind: this key is missing"),
            ('[auth]\nkind = "sigv4"\n', "auth.region: this key is missing"),
            ('[auth]\nkind = "sigv4"\nregion = "r"\nsecret_key = "hush"\n', "auth.secret_key: there is no such key"),
            ('[auth]\nkind = "sigv4"\nregion = "r"\nsecret_key_env = "a b"\n', "auth.secret_key_env: 'a b'"),
            ('[auth]\nkind = "header"\nheader = "X"\n', "auth.value_env: this key is missing"),
            ('[auth]\nkind = "header"\nheader = "X: y"\nvalue_env = "V"\n', "auth.header: 'X: y'"),
            ('auth = "sigv4"\n', "there is no such key"),
            ("[limits]\nrate = 0\n", "limits.rate: 0"),
            ("[limits]\nrate = 1001\n", "limits.rate: 1001"),
            ("[limits]\nrate = nan\n", "limits.rate: nan is not a finite number"),
            ("[limits]\nrate = true\n", "limits.rate: True"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_key(self, text: str, words: str, tmp_path: Path) -> None:
        file = tmp_path / "target.toml"
        file.write_text(self.GOOD + text, encoding="utf-8")
        with pytest.raises(OperatorMistake) as refused:
            load(file)
        assert str(refused.value).startswith(f"{file}: ")
        assert words in str(refused.value)
        assert "hush" not in str(refused.value)

    def test_everything_that_it_may_say(self, tmp_path: Path) -> None:
        file = tmp_path / "target.toml"
        file.write_text(
            self.GOOD
            + '[limits]\nrate = 5\n[auth]\nkind = "sigv4"\nregion = "r"\nprofile = "p"\n'
            + '[states.fault]\nenter = {url = "http://x/", method = "PUT", headers = {A = "b"}, body = "c"}\n'
            + 'leave = {command = ["y", "z"]}\nseconds = 2\nretries = 3\nscene = "classification"\n'
            + '[states.forbidden.keys]\naccess_key_env = "A"\nsecret_key_env = "S"\nsession_token_env = "T"\n',
            encoding="utf-8",
        )
        target = load(file)
        assert target.limits.rate == 5.0
        assert target.auth == SigV4("r", keys=Keys(profile="p"))
        assert target.states == {
            "fault": State(
                "fault",
                HttpCall("PUT", "http://x/", {"A": "b"}, "c"),
                Command(("y", "z")),
                seconds=2.0,
                retries=3,
                scene="classification",
            ),
            "forbidden": State("forbidden", keys=Keys("A", "S", "T")),
        }

    def test_the_bundled_one(self) -> None:
        """It declares all that there is."""
        target = load(shipped("fixtures", "targets", "bundled.toml"))
        assert set(target.states) == set(STATES)
        assert isinstance(target.auth, SigV4)
