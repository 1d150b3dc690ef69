"""No secret is ever written down: not in the answers that are kept, and not in anything that is made of them."""

from __future__ import annotations

import base64
import itertools
import json
import random
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from parrot import PICTURES, PLACES, SPELLINGS, Parrot, answer_of, parsed, sweep, traces, ways
from test_signing import ECHOING, SMALL

from conformance import hooks, run, selftest
from conformance.cli import main
from conformance.clients.process import converse, hushed
from conformance.discretion import Discretion
from conformance.evidence.rejudge import rejudged
from conformance.formats import png
from conformance.known import Known
from conformance.message import Answer, Delivery, NoAnswer, Request, Response
from conformance.patience import authenticated
from conformance.provisions import Command, HttpCall, State, StaticHeader
from conformance.reference.server import running
from conformance.report import document, terminal
from conformance.report.record import Report
from conformance.shards import Shard
from conformance.signing import Principal, Scope, discretion, signed, signer
from conformance.target import Target
from conformance.traffic.ear import Ear
from conformance.traffic.recorded import Spoken
from conformance.wire.answers import read_again

pytest_plugins = ["pytester"]

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfi<CY=EXAMPLEKEY"  # noqa: S105
HUSH = Discretion({"secret": SECRET})
ASKED = Request.build("POST", "/x", [("Host", "h")])
WAYS = list(ways())


class TestOneAnswer:
    """Every place with every spelling."""

    @pytest.mark.parametrize("place", PLACES)
    def test_nothing_of_it_is_left(self, place: str) -> None:
        for spelling in (spelling for where, spelling in WAYS if where == place):
            wire = PLACES[place](SPELLINGS[spelling](SECRET))
            answer = answer_of(wire, ASKED)
            assert traces(answer.wire, [SECRET]) == [SECRET], f"{spelling}: the search does not find it"
            shown = HUSH.answer(answer, ASKED)
            assert traces(repr(shown).encode() + shown.wire, [SECRET]) == [], spelling
            assert len(shown.wire) == len(wire), spelling
            assert type(shown) is type(answer), spelling
            self.assert_as_sound(answer, shown, spelling)

    def assert_as_sound(self, answer: object, shown: object, spelling: str) -> None:
        """JSON stays JSON, a picture stays one, and what is kept reads as what is judged."""
        if isinstance(answer, NoAnswer) or not isinstance(answer, Response) or not isinstance(shown, Response):
            return
        again = read_again(shown.wire, ASKED)
        assert isinstance(again, Response)
        assert (again.headers, again.body, again.reason) == (shown.headers, shown.body, shown.reason), spelling
        assert bool(parsed(answer.body)) == bool(parsed(shown.body)), spelling

    @pytest.mark.parametrize("name", PICTURES)
    @pytest.mark.parametrize("place", ["mask", "php"])
    def test_masks_stay_what_they_are(self, name: str, place: str) -> None:
        """Every checksum is right, and every pixel is where it was."""
        for spelling in SPELLINGS.values():
            data = PICTURES[name](spelling(SECRET))
            text = base64.b64encode(data).decode()
            body = json.dumps({"AnomalyMask": text, "x": 1}).encode()
            body = body.replace(b"/", b"\\/") if place == "php" else body
            shown = HUSH.answer(Response(200, body=body), ASKED)
            assert isinstance(shown, Response)
            mask = base64.b64decode(json.loads(shown.body)["AnomalyMask"])
            found, before = png.read(mask), png.read(data)
            assert found == before
            assert found is not None
            assert found.sound
            assert mask.partition(b"IDAT")[2] == data.partition(b"IDAT")[2]

    @pytest.mark.parametrize("cut", range(8, len(SECRET)))
    def test_a_secret_that_breaks_off(self, cut: int) -> None:
        answer = answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + SECRET[:cut].encode(), ASKED)
        assert SECRET[:8].encode() not in HUSH.answer(answer, ASKED).wire
        assert SECRET[-cut:].encode() not in HUSH.octets(SECRET[-cut:].encode() + b" late", ASKED)

    def test_what_cannot_be_looked_into_is_not_kept(self) -> None:
        wire = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 60\r\n\r\n" + bytes(60)
        shown = HUSH.answer(answer_of(wire, ASKED), ASKED)
        assert isinstance(shown, Response)
        assert shown.body.startswith(b"<left out: what is compressed here")

    def test_a_signature_is_known_to_all_later_answers(self) -> None:
        hush = Discretion({})
        request = signed(ASKED, Principal("AKIAPRINCIPAL", "a-secret"), Scope("r", "s"))
        signature = request.values(b"authorization")[0][-64:].decode()
        hush.remember(request)
        for spelling in SPELLINGS.values():
            answer = answer_of(PLACES["message"](spelling(signature)), ASKED)
            assert traces(hush.answer(answer, ASKED).wire, [signature]) == [], spelling(signature)


class TestInnocence:
    """What is no secret stays."""

    @pytest.mark.parametrize("word", ["a-token", "application/json", "AAAAAAAAAAAA", "abcabcabcabc", "00000000"])
    def test_short_common_and_dull_words(self, word: str) -> None:
        body = json.dumps(
            {"Message": f"{word} stands here", "AnomalyMask": base64.b64encode(bytes(99)).decode()}
        ).encode()
        answer = answer_of(PLACES["raw"](body.decode()), ASKED)
        assert Discretion({"secret": word}).answer(answer, ASKED) is answer

    def test_pictures_are_not_hit_by_chance(self) -> None:
        """A thousand secrets of eight letters, and a megabyte of whatever: nothing of it is one."""
        rng = random.Random(4)  # noqa: S311
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        hush = Discretion({str(number): "".join(rng.choices(letters, k=8)) for number in range(1000)})
        noise = rng.randbytes(100_000)
        for body in (noise, base64.b64encode(noise), noise.hex().encode()):
            answer = Response(200, body=body)
            assert hush.answer(answer, ASKED) is answer

    def test_short_secrets_are_not_looked_for_among_pixels(self) -> None:
        data = PICTURES["private"]("x")
        inside = data[data.index(b"IDAT") + 20 :][:8]
        body = base64.b64encode(data)
        assert Discretion({"secret": inside.decode("latin-1")}).answer(Response(200, body=body), ASKED).body == body  # type: ignore[union-attr]


KEYS = {name: value for name, value in selftest.KEYS.items() if value}
TARGET = selftest.guarded(SMALL)
MADE = (
    "report.json report.md report.html junit.xml ctrf.json annotations.txt github-summary.md badge.json evidence.jsonl "
    "evidence.blobs"
).split()


def parroting(folder: Path, shard: Shard | None = None) -> tuple[Report, Parrot]:
    """A run against the parrot, with everything that is written of it."""
    parrot = Parrot(list(KEYS.values()), every=2)
    prepared = run.prepare(TARGET, environ=KEYS).against(parrot)
    few = replace(prepared.plan, singles=prepared.plan.singles[::8], flights=prepared.plan.flights[:1])
    prepared = replace(prepared, plan=few)
    folder.mkdir()
    report, _ = (prepared.only_shard(shard) if shard else prepared).go(evidence=folder)
    if not shard:
        run.write_all(report, folder)
        Known(folder / "known", TARGET.name).keep(report)
        terminal.show(report, folder)
    return report, parrot


def everything(folder: Path, capfd: pytest.CaptureFixture[str]) -> tuple[Report, Parrot]:
    """Whatever a run, and the commands that work on what it leaves, write and print."""
    report, parrot = parroting(folder / "run")
    for number in (1, 2):
        parroting(folder / f"shard-{number}", Shard(number, 2))
    one, two = str(folder / "run"), str(folder / "merged")
    for words in (
        ["merge", str(folder / "shard-1"), str(folder / "shard-2"), "--out", two],
        ["judge", one, "--har", str(folder / "run.har"), "--out", str(folder / "judged")],
        ["judge", str(folder / "run.har"), "--out", str(folder / "heard")],
        ["compare", one, two, *_files(folder, "compared")],
        ["matrix", one, two, *_files(folder, "matrix")],
        ["trend", str(folder), "--markdown", str(folder / "trend.md")],
        ["waive", one, "--owner", "me", "--days", "30", "--out", str(folder / "waivers.toml")],
    ):
        assert main(words) != 2, words
    out, errors = capfd.readouterr()
    (folder / "printed").write_text(out + errors, encoding="utf-8")
    return report, parrot


def _files(folder: Path, name: str) -> list[str]:
    return [word for kind in ("markdown", "json", "html") for word in (f"--{kind}", str(folder / f"{name}.{kind}"))]


class TestARun:
    """Everything that is left behind."""

    def test_nothing_of_it_is_written_down(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        report, parrot = everything(tmp_path, capfd)
        assert parrot.said > 50
        assert {*MADE} <= {file.name for file in (tmp_path / "run").iterdir()}
        assert sweep(tmp_path, KEYS.values(), parrot.signatures) == {}
        self.assert_told(report, tmp_path / "run", parrot)

    def assert_told(self, report: Report, folder: Path, parrot: Parrot) -> None:
        """How many answers repeated a secret stands in each form, and what is judged again comes to the same."""
        assert parrot.said <= report.course.echoes <= parrot.said + 3  # the reference names whom it turns away
        told = f"requests carried credentials; {report.course.echoes} answers repeated one, which was overwritten"
        assert document.load(folder / "report.json")["run"]["echoes"] == report.course.echoes
        for name in ("report.md", "report.html"):
            assert told in (folder / name).read_text(encoding="utf-8")
        assert document.to_document(rejudged(folder)) == document.load(folder / "report.json")

    def test_without_discretion_everything_is_found(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The search is searched: whoever hides nothing is found out by each kind of file that holds answers."""

        def indiscreet(_: Discretion, answer: Answer, _request: Request) -> Answer:
            return answer

        monkeypatch.setattr(Discretion, "answer", indiscreet)
        _, parrot = everything(tmp_path, capfd)
        found = sweep(tmp_path, KEYS.values(), parrot.signatures)
        rendered = ("report.json", "report.md", "report.html", "junit.xml", "ctrf.json")  # annotations tell a few only
        assert {f"{folder}/{name}" for folder in ("run", "judged", "merged") for name in rendered} <= found.keys()
        kept = {f"{folder}/evidence.blobs" for folder in ("run", "merged", "shard-1", "shard-2")}
        assert kept | {"run.har", "matrix.html", "waivers.toml"} <= found.keys()


TOKEN = "a-token-that/nobody+knows="  # noqa: S105


class TestHooks:
    """What hooks say of the operator's environment."""

    @pytest.mark.parametrize("behind", [0, 380, 390, 395])
    def test_secrets_are_hidden_before_anything_is_cut(self, behind: int) -> None:
        """A half of one would be left otherwise, at the beginning of what is told."""
        program = f"import sys; print('{TOKEN}' + '.' * {behind}); sys.exit(1)"
        state = State("fault", enter=Command((sys.executable, "-c", program)))
        with pytest.raises(hooks.HookFailed) as failed:
            hooks.enter(state)
        assert TOKEN[-5:] in str(failed.value)
        told = failed.value.told(Discretion({"key": TOKEN}).text)
        assert "saying: " in told
        assert all(TOKEN[at : at + 5] not in told.rpartition("saying: ")[2] for at in range(len(TOKEN) - 4))

    def test_what_a_hook_is_called_with(self) -> None:
        """Headers by which a hook knows us may come back in what it says."""
        call = HttpCall("POST", "http://127.0.0.1:1/", {"Authorization": f"Bearer {TOKEN}"})
        hush = discretion(None, [State("fault", enter=call)], {})
        assert traces(hush.text(f"no entry for {TOKEN}").encode(), [TOKEN]) == []

    def test_basic_credentials(self) -> None:
        """Whoever repeats the password alone repeats it."""
        value = "Basic " + base64.b64encode(b"operator:correct-horse").decode()
        hush = discretion(StaticHeader("Authorization", "KEY"), (), {"KEY": value})
        assert "correct-horse" not in hush.text("the password correct-horse is wrong")
        assert hush.text("Basic authentication is wanted") == "Basic authentication is wanted"


SCENE = ("--conformance-classification", "cookies/1")


class TestCrashes:
    """What is told of our own faults."""

    def test_an_exception_that_quotes_what_was_sent(self) -> None:
        class Broken:
            lost_idle, reusable = False, True

            def exchange(self, request: Request, delivery: Delivery = Delivery.WHOLE) -> Answer:  # noqa: ARG002
                raise ValueError(f"cannot send {request.head!r}")

            def settle(self) -> bytes:
                return b""

            def close(self) -> None: ...

        auth = StaticHeader("X-Key", "KEY")
        opened = authenticated(Broken, signer(auth, {"KEY": TOKEN}), discretion(auth, (), {"KEY": TOKEN}))
        with pytest.raises(RuntimeError, match="ValueError: cannot send") as crashed:
            opened().exchange(ASKED)
        assert traces("".join(traceback.format_exception(crashed.value)).encode(), [TOKEN]) == []

    def test_pytest_shows_no_arguments(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ours are environments and signed requests."""
        monkeypatch.setenv("A_FIRST_KEY", TOKEN)
        lines = (
            "from conformance import run",
            f"def prepare(target, environ={{'A_FIRST_KEY': '{TOKEN}'}}, **more):",
            "    raise ValueError('prepared badly')",
            "run.prepare = prepare",
        )
        pytester.path.joinpath("crash.py").write_text("\n".join(lines), encoding="utf-8")
        asked = ["-p", "no:schemathesis", "-p", "crash", "--pyargs", "conformance", "-k", "conclusion", "-l"]
        result = pytester.runpytest_subprocess(*asked, "--conformance-url", "http://127.0.0.1:1", *SCENE)
        assert "prepared badly" in result.stdout.str()
        assert traces((result.stdout.str() + result.stderr.str()).encode(), [TOKEN]) == []


class TestCommands:
    """What commands print, against a server that echoes."""

    @pytest.fixture
    def target(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setenv("ACME_KEY", TOKEN)
        with running(replace(ECHOING, success_status=201)) as url:
            file = tmp_path / "acme.toml"
            file.write_text(
                f'[target]\nname = "acme"\nurl = "{url}"\n[scenes.classification]\nproject = "cookies"\nversion = "1"\n'
                '[auth]\nkind = "header"\nheader = "X-Api-Key"\nvalue_env = "ACME_KEY"\n'
                '[states.fault]\nenter = {command = ["sh", "-c", "env; exit 1"]}\nleave = {command = ["true"]}\n',
                encoding="utf-8",
            )
            yield file

    def test_doctor_run_replay_and_help(
        self, target: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        main(["doctor", "--target", str(target)])
        main(
            ["run", "--target", str(target), "--depth", "quick", "--only", "state", "--only", "success", "--out", "out"]
        )
        main(["replay", "out"])
        with pytest.raises(SystemExit):
            main(["run", "--help"])
        out, errors = capfd.readouterr()
        assert "saying: " in out
        (tmp_path / "printed").write_text(out + errors, encoding="utf-8")
        assert sweep(tmp_path, [TOKEN]) == {}

    def test_pytest(self, target: Path, pytester: pytest.Pytester) -> None:
        asked = ["-p", "no:schemathesis", "--pyargs", "conformance", "--conformance-depth", "quick", "-l"]
        result = pytester.runpytest_subprocess(*asked, "--conformance-target", str(target), "--conformance-out", "out")
        assert "saying: " in result.stdout.str() + (pytester.path / "out" / "report.json").read_text(encoding="utf-8")
        (pytester.path / "printed").write_text(result.stdout.str() + result.stderr.str(), encoding="utf-8")
        assert sweep(pytester.path, [TOKEN]) == {}


class TestOthers:
    """Those of clients whose traffic we are shown."""

    COOKIE = "b2f1c0de-session-of-somebody"
    SIGNED = signed(
        Request.build("POST", "/2020-11-20/projects/cookies/models/1/detect", [("Host", "h")]),
        Principal("ASIASOMEBODYSKEY", "never-sent", TOKEN),
        Scope("r", "s"),
    )

    def spoken(self, number: int, echo: str, request: Request = SIGNED) -> Spoken:
        headers = (*request.headers, (b"Cookie", f"id={self.COOKIE}; theme=dark".encode()))
        body = json.dumps({"Message": f"no, {echo}"}).encode()
        answered = ((b"Content-Type", b"application/json"), (b"X-Echo", echo.encode()))
        target = b"/2020-11-20/projects/cookies/models/1/detect?X-Amz-Security-Token=" + quote(TOKEN, safe="").encode()
        return Spoken(f"proxy.{number}", b"POST", target, headers, b"", 200, answered, body)

    def test_the_proxy_keeps_and_says_nothing_of_them(self, tmp_path: Path) -> None:
        signature = self.SIGNED.values(b"authorization")[0][-64:].decode()
        secrets = [TOKEN, self.COOKIE, "ASIASOMEBODYSKEY", signature]
        ear = Ear(Target("x", "http://recorded.invalid"), tmp_path)
        plain = Request.build("POST", "/x", [("Host", "h")])
        said: list[str] = []
        for number, (secret, spelling) in enumerate(itertools.product(secrets, SPELLINGS.values())):
            request = self.SIGNED if number < 2 or number % 2 else plain
            said += ear.hear(self.spoken(number, spelling(secret), request))
        heard = ear.end()
        run.write_all(heard.report, tmp_path)
        (tmp_path / "said").write_text("\n".join([*said, *heard.remarks]), encoding="utf-8")
        assert said
        assert sweep(tmp_path, secrets) == {}
        assert rejudged(tmp_path).rows == heard.report.rows
        assert "clients sent credentials" in (tmp_path / "report.md").read_text(encoding="utf-8")

    def test_without_discretion_they_are_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Discretion, "learn", lambda *_: None)
        ear = Ear(Target("x", "http://recorded.invalid"), tmp_path)
        ear.hear(self.spoken(1, f"{TOKEN} {self.COOKIE}"))
        run.write_all(ear.end().report, tmp_path)
        assert {"evidence.blobs", "report.json", "report.html"} <= sweep(tmp_path, [TOKEN, self.COOKIE]).keys()

    def test_what_real_clients_print(self, tmp_path: Path) -> None:
        """Drivers say what they were told, and end in tracebacks."""
        line = json.dumps({"scenario": TOKEN, "error": {"message": TOKEN}})
        program = f"print({line!r}); raise ValueError('{TOKEN}' + 290 * '.')"
        hide = Discretion({"key": TOKEN}).text
        heard = converse([sys.executable, "-c", program], {}, {}, tmp_path, 20.0, hide=hide)
        assert "exit code 1" in heard.trouble
        assert all(TOKEN[at : at + 5] not in heard.trouble for at in range(len(TOKEN) - 4))
        assert traces(json.dumps(hushed(heard.lines, hide)).encode(), [TOKEN]) == []
