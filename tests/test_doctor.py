"""``doctor`` and ``init``: what they look at, what they say of it, and how they end."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hostile import HostileServer, Peer, Script, read_request, read_to_end, send, within_watchdog
from PIL import Image

from conformance import doctor, run, selftest
from conformance.cli import main
from conformance.contract.clauses import catalogue
from conformance.doctor import Check, Health
from conformance.in_process import Server
from conformance.mistake import OperatorMistake
from conformance.provisions import Command, SigV4, State, StaticHeader
from conformance.reference.app import DEMO, HONEST, Behaviour, Call, Reason, Refused, Reply
from conformance.reference.server import running
from conformance.reference.service import Service
from conformance.reference.sigv4 import Verifier
from conformance.reference.strains import CREDENTIALS
from conformance.shipped import shipped
from conformance.starter import starter
from conformance.target import Scene, Size, Target, load

PLAIN = load(shipped("fixtures", "targets", "reference.toml"))
SCENES = ("classification", "segmentation", "missing-project", "missing-version", "stopped")
GUARDED = replace(HONEST, admit=Verifier(CREDENTIALS).admit)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as base:
        yield base


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with running(GUARDED) as base:
        yield base


def examined(target: Target, url: str, environ: Mapping[str, str] = selftest.KEYS) -> dict[str, Check]:
    """What was found, by name; whatever the target, it comes back."""
    found = within_watchdog(lambda: list(doctor.examine(replace(target, url=url), environ)))
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def with_scene(name: str, project: str, version: str, size: Size | None = None) -> Target:
    return replace(PLAIN, scenes={**PLAIN.scenes, name: Scene(name, project, version, size)})


def served(behaviour: Behaviour, target: Target = PLAIN) -> dict[str, Check]:
    with running(behaviour) as url:
        return examined(target, url)


class TestScenes:
    """Whether scenes are what they are declared to be."""

    def test_all_is_well(self, url: str) -> None:
        found = examined(PLAIN, url)
        assert list(found) == ["reachable", "clock", *(f"scenes.{scene}" for scene in SCENES)]
        assert {check.health for check in found.values()} == {Health.GOOD}
        assert found["reachable"].text == f"{url} answers"

    @pytest.mark.parametrize(
        ("target", "name", "text"),
        [
            (with_scene("classification", "nobody", "1"), "classification", "404 ResourceNotFoundException"),
            (with_scene("classification", "cookies", "9"), "classification", "404 ResourceNotFoundException"),
            (with_scene("segmentation", "boards", "1"), "segmentation", "409 ConflictException"),
            (with_scene("classification", "circuits", "2"), "classification", "it is served, but a mask comes back"),
            (with_scene("segmentation", "cookies", "1"), "segmentation", "it is served, but no mask comes back"),
            (with_scene("missing-project", "cookies", "1"), "missing-project", "cookies/1 is answered 200"),
            (with_scene("missing-version", "circuits", "2"), "missing-version", "circuits/2 is answered 200"),
            (with_scene("stopped", "cookies", "1"), "stopped", "cookies/1 is answered 200"),
            (with_scene("forbidden", "cookies", "1"), "forbidden", "cookies/1 is answered 200"),
        ],
        ids=lambda value: value if isinstance(value, str) and " " not in value else "",
    )
    def test_one_is_not(self, target: Target, name: str, text: str, url: str) -> None:
        found = examined(target, url)
        assert found[f"scenes.{name}"].health is Health.BAD
        assert text in found[f"scenes.{name}"].text
        assert [check.name for check in found.values() if check.health is Health.BAD] == [f"scenes.{name}"]

    def test_a_forbidden_scene(self) -> None:
        def admit(call: Call) -> None:
            if b"/theirs/" in call.target:
                raise Refused(Reason.FORBIDDEN, "not yours")

        found = served(replace(HONEST, admit=admit), with_scene("forbidden", "theirs", "1"))
        assert found["scenes.forbidden"].health is Health.GOOD

    @pytest.mark.parametrize("fitting", [True, False])
    def test_photographs_are_tried(self, fitting: bool, tmp_path: Path) -> None:
        """The user's own are sent as they are."""
        for number in range(3):
            Image.new("RGB", (96, 80), (100 + number, 90, 80)).save(tmp_path / f"{number}.jpg")
        scene = replace(PLAIN.scenes["classification"], samples=tuple(sorted(tmp_path.iterdir())))
        sizes = {"image_size": lambda size: size == ((96, 80) if fitting else (640, 480))}
        found = served(replace(HONEST, **sizes), replace(PLAIN, scenes={"classification": scene}))  # type: ignore[arg-type]
        check = found["scenes.classification"]
        assert check.health is (Health.GOOD if fitting else Health.BAD)
        assert ("photograph 2" if fitting else "photograph 1 is answered 400") in check.text

    def test_a_model_with_one_size_only(self) -> None:
        behaviour = replace(HONEST, image_size=lambda size: size == (640, 480))
        with_size = with_scene("classification", "cookies", "1", Size(640, 480))
        assert served(behaviour, with_size)["scenes.classification"].health is Health.GOOD
        assert served(behaviour)["scenes.classification"].health is Health.BAD


class TestReaching:
    """Whether anybody is there."""

    @pytest.mark.parametrize(
        ("address", "text"),
        [
            ("http://127.0.0.1:9", "unreachable: "),
            ("http://nobody.invalid", "unreachable: "),
            ("https://127.0.0.1:9", "unreachable: "),
        ],
    )
    def test_nobody(self, address: str, text: str) -> None:
        [check] = examined(PLAIN, address).values()
        assert (check.name, check.health) == ("reachable", Health.BAD)
        assert check.text.startswith(text)

    def test_a_port_that_speaks_no_tls(self, url: str) -> None:
        [check] = examined(PLAIN, url.replace("http:", "https:")).values()
        assert "the port does not speak it" in check.text

    def test_a_certificate_that_nobody_vouches_for(self, tmp_path: Path) -> None:
        pem = certificate(tmp_path)
        with HostileServer(
            [start_tls(pem), read_request, send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")]
        ) as server:
            address = f"https://localhost:{server.port}"
            [check] = examined(PLAIN, address).values()
            assert check.health is Health.BAD
            assert "certificate was refused: self-signed certificate" in check.text
            trusting = replace(PLAIN, ca=pem, scenes={})
            found = examined(trusting, address)
        assert found["reachable"].text == f"{address} answers over TLS, with a certificate that is trusted"

    @pytest.mark.parametrize(
        "script", [[read_to_end], [], [read_request, send(b"SSH-2.0-x\r\n")]], ids=["mute", "hangs-up", "no-http"]
    )
    def test_somebody_else(self, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "ANSWER_SECONDS", 0.3)
        with HostileServer(script) as server:
            [check] = examined(PLAIN, server.url).values()
        assert check.health is Health.BAD

    @pytest.mark.parametrize(("url", "words"), [("http://x/api", "a path"), ("ftp://x", "ftp://")])
    def test_a_bad_url_is_a_mistake(self, url: str, words: str) -> None:
        with pytest.raises(OperatorMistake, match=f"target.url: .*{words}"):
            list(doctor.examine(replace(PLAIN, url=url)))

    def test_time_is_up(self, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """What was not looked at is named, and is no success."""
        monkeypatch.setattr(doctor, "SECONDS", -1.0)
        found = examined(PLAIN, url)
        assert {name for name, check in found.items() if check.health is Health.UNTRIED} == {
            f"scenes.{scene}" for scene in SCENES
        }
        assert main(["doctor", url, "--classification", "cookies/1"]) == 1
        assert "untried  scenes.classification" in capsys.readouterr().out

    def test_a_model_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "ANSWER_SECONDS", 0.3)

        def detect(peer: Peer) -> None:
            read_request(peer)
            if peer.received.startswith(b"GET / "):
                peer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            read_to_end(peer)

        with HostileServer([detect]) as server:
            found = examined(replace(PLAIN, scenes={"stopped": PLAIN.scenes["stopped"]}), server.url)
        assert found["scenes.stopped"] == Check(
            "scenes.stopped", Health.BAD, "boards/1 is answered no answer (timeout)"
        )


class TestSecrets:
    """Whoever asks must be let in, and nobody else."""

    TARGET = selftest.guarded(replace(PLAIN, states={}))

    def test_all_is_well(self, guarded: str) -> None:
        found = examined(self.TARGET, guarded)
        assert {check.health for check in found.values()} == {Health.GOOD}
        assert found["auth"].text == "an unsigned request is answered 403 'MissingAuthenticationTokenException'"

    def test_everybody_is_let_in(self, url: str) -> None:
        found = examined(self.TARGET, url)
        assert found["auth"] == Check("auth", Health.BAD, "an unsigned request is answered 200")
        assert found["scenes.classification"].health is Health.GOOD

    def test_a_wrong_secret(self, guarded: str) -> None:
        found = examined(self.TARGET, guarded, {**selftest.KEYS, "CONFORMANCE_MASTER_SECRET_KEY": "wrong"})
        assert found["scenes.classification"].health is Health.BAD
        assert "403 'InvalidSignatureException'" in found["scenes.classification"].text

    @pytest.mark.parametrize("name", ["CONFORMANCE_MASTER_SECRET_KEY", "CONFORMANCE_GUEST_ACCESS_KEY"])
    def test_a_missing_one_is_a_mistake(self, name: str, guarded: str) -> None:
        environ = {key: value for key, value in selftest.KEYS.items() if key != name}
        with pytest.raises(OperatorMistake, match=f"the environment variable {name} is not set"):
            list(doctor.examine(replace(self.TARGET, url=guarded), environ))

    def test_a_header(self) -> None:
        def admit(call: Call) -> None:
            if call.values(b"x-key") != (b"the right one",):
                raise Refused(Reason.FORBIDDEN, "who are you?")

        target = replace(PLAIN, auth=StaticHeader("X-Key", "KEY"))
        with running(replace(HONEST, admit=admit)) as url:
            assert examined(target, url, {"KEY": "the right one"})["scenes.classification"].health is Health.GOOD
            assert examined(target, url, {"KEY": "another one"})["scenes.classification"].health is Health.BAD

    def test_an_echo_is_not_told(self) -> None:
        """An error may be named after whatever was sent."""
        target = replace(PLAIN, auth=StaticHeader("X-Key", "KEY"))

        def finish(call: Call, reply: Reply) -> Reply:
            key = b"".join(call.values(b"x-key")).decode()
            return replace(reply, status=400).with_header("x-amzn-ErrorType", key) if key else reply

        with running(replace(HONEST, finish=finish)) as url:
            found = examined(target, url, {"KEY": "a-secret-of-mine"})
        told = " ".join(check.text for check in found.values())
        assert "a-secret" not in told
        assert "<value of X-Key" in told

    @pytest.mark.parametrize(
        ("minutes", "health"), [(-10, Health.ODD), (-4, Health.GOOD), (0, Health.GOOD), (10, Health.ODD)]
    )
    def test_a_clock_that_goes_wrong(self, minutes: int, health: Health) -> None:
        """It is told, and signed by."""

        def clock() -> datetime:
            return datetime.now(UTC) + timedelta(minutes=minutes)

        def finish(_: Call, reply: Reply) -> Reply:
            kept = tuple(pair for pair in reply.headers if pair[0].lower() != "date")
            return replace(reply, headers=(*kept, ("Date", clock().strftime("%a, %d %b %Y %H:%M:%S GMT"))))

        verifier = Verifier(CREDENTIALS, clock=clock)
        found = served(replace(HONEST, admit=verifier.admit, finish=finish), self.TARGET)
        assert found["clock"].health is health
        assert found["scenes.classification"].health is Health.GOOD


class TestHooks:
    """States are entered and left once."""

    def hooked(self, enter: tuple[str, ...], leave: tuple[str, ...]) -> Target:
        state = State("fault", Command(enter), Command(leave), seconds=5.0)
        return replace(PLAIN, scenes={}, states={"fault": state})

    def test_all_is_well(self, url: str, tmp_path: Path) -> None:
        target = self.hooked(
            ("touch", str(tmp_path / "entered")), ("mv", str(tmp_path / "entered"), str(tmp_path / "left"))
        )
        assert examined(target, url)["states.fault"] == Check("states.fault", Health.GOOD, "it was entered and left")
        assert [file.name for file in tmp_path.iterdir()] == ["left"]

    def test_entering_fails_and_it_is_left_all_the_same(self, url: str, tmp_path: Path) -> None:
        target = self.hooked(("false",), ("touch", str(tmp_path / "left")))
        found = examined(target, url)["states.fault"]
        assert found == Check("states.fault", Health.BAD, "the hook states.fault.enter (false) failed: exit code 1")
        assert (tmp_path / "left").exists()

    @pytest.mark.parametrize(("enter", "named"), [("true", "leave"), ("false", "enter")])
    def test_leaving_fails(self, enter: str, named: str, url: str) -> None:
        """The first that went wrong is told."""
        found = examined(self.hooked((enter,), ("false",)), url)["states.fault"]
        assert found.text == f"the hook states.fault.{named} (false) failed: exit code 1"

    def test_ctrl_c_leaves_it(self, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def interrupted(_: State) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("conformance.hooks.enter", interrupted)
        target = replace(self.hooked(("true",), ("touch", str(tmp_path / "left"))), url=url)
        with pytest.raises(KeyboardInterrupt):
            list(doctor.examine(target))
        assert (tmp_path / "left").exists()


class TestUnexercised:
    """What a run would leave out."""

    def test_with_everything_declared_there_is_nothing(self) -> None:
        target = selftest.guarded(selftest.reference())
        sized = {
            name: replace(scene, image=Size(64, 64)) if name in ("classification", "segmentation") else scene
            for name, scene in target.scenes.items()
        }
        assert list(doctor.unexercised(replace(target, scenes=sized))) == []

    def test_what_is_listed_is_what_a_run_leaves_out(self) -> None:
        """For want of a declaration; and all that is listed is of the set."""
        target = replace(PLAIN, scenes={"classification": PLAIN.scenes["classification"]})
        listed = {clause.id: needs for clause, needs in doctor.unexercised(target)}
        report, _ = run.prepare(target, shrink=False).against(Server()).go()
        left_out = {row.clause.id for row in report.rows if row.reason.startswith("declare ")}
        assert left_out == set(listed) <= {clause.id for clause in catalogue().tested()}
        assert listed["state.throttled"] == "states.throttled or limits.rate"


class TestCommand:
    """``conformance doctor``."""

    def test_all_is_well(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        scenes = ["--classification", "cookies/1", "--segmentation", "circuits/2"]
        assert main(["doctor", url, *scenes]) == 0
        out = capsys.readouterr().out.splitlines()
        assert out[0] == f"ok       reachable: {url} answers"
        assert [line.split()[0] for line in out[:4]] == ["ok"] * 4
        assert "         MUST state.fault will be unexercised; declare states.fault" in out

    def test_something_is_not(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["doctor", url, "--classification", "nobody/1"]) == 1
        assert "not ok   scenes.classification: a picture of 256x192 is answered 404" in capsys.readouterr().out

    def test_nobody_is_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["doctor", "http://127.0.0.1:9", "--classification", "cookies/1"]) == 3
        assert capsys.readouterr().out.startswith("not ok   reachable: unreachable: ")

    def test_a_mistake(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["doctor", "--target", "nowhere.toml"]) == 2
        assert capsys.readouterr().err == "conformance: nowhere.toml: there is no such target file\n"

    def test_what_a_hook_says_cannot_obey_a_terminal(
        self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "target.toml"
        text = shipped("fixtures", "targets", "reference.toml").read_text(encoding="utf-8").replace(PLAIN.url, url)
        shout = '["sh", "-c", "printf \'\\\\033[31m\\\\n::error::x\'; exit 1"]'
        file.write_text(
            f"{text}\n[states.fault]\nenter = {{command = {shout}}}\nleave = {{command = ['true']}}\n", encoding="utf-8"
        )
        assert main(["doctor", "--target", str(file)]) == 1
        out = capsys.readouterr().out
        assert "not ok   states.fault: the hook states.fault.enter" in out
        assert "exit code 1, saying: \\x1b[31m \\x3a:error::x" in out
        assert "\x1b" not in out


class TestInit:
    """``conformance init``."""

    SCENES = (
        "--classification cookies/1 --segmentation circuits/2 --missing-project nobody/1 --missing-version cookies/8 "
        "--stopped boards/1"
    ).split()

    @pytest.mark.parametrize("number", [1, 2, 5])
    def test_what_it_writes_can_be_loaded(self, number: int, url: str, tmp_path: Path) -> None:
        file = tmp_path / "new.toml"
        assert main(["init", url, *self.SCENES[: 2 * number], "--out", str(file)]) == 0
        target = load(file)
        assert (target.url, target.auth, dict(target.states)) == (url, None, {})
        assert list(target.scenes) == list(SCENES[:number])
        assert target.scenes["classification"] == Scene("classification", "cookies", "1")
        assert "conformance doctor --target new.toml" in file.read_text(encoding="utf-8")
        assert main(["doctor", "--target", str(file)]) == 0

    def test_without_scenes_they_stand_there_as_comments(self, url: str, tmp_path: Path) -> None:
        file = tmp_path / "new.toml"
        assert main(["init", url, "--out", str(file)]) == 0
        text = file.read_text(encoding="utf-8")
        with pytest.raises(OperatorMistake, match="scenes: this key is missing"):
            load(file)
        for scene in SCENES:
            text = text.replace(f"# [scenes.{scene}]", f"[scenes.{scene}]")
        file.write_text(text.replace("# project", "project").replace("# version", "version"), encoding="utf-8")
        assert {scene.project for scene in load(file).scenes.values()} == {"PROJECT"}

    def test_what_is_commented_out_is_valid_too(self, url: str, tmp_path: Path) -> None:
        file = tmp_path / "new.toml"
        assert main(["init", url, *self.SCENES, "--out", str(file)]) == 0
        lines = file.read_text(encoding="utf-8").splitlines()[1:]
        file.write_text("\n".join(line.removeprefix("# ") for line in lines), encoding="utf-8")
        target = load(file)
        assert set(target.states) == {"throttled"}
        assert (target.limits.rate, target.limits.requests) == (5.0, 2000)

    def test_one_that_asks_for_signatures(self, guarded: str, tmp_path: Path) -> None:
        file = tmp_path / "new.toml"
        assert main(["init", guarded, *self.SCENES, "--out", str(file)]) == 0
        assert load(file).auth == SigV4("us-east-1")

    def test_it_does_not_overwrite(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "taken.toml"
        file.write_text("mine", encoding="utf-8")
        assert main(["init", url, *self.SCENES, "--out", str(file)]) == 2
        assert capsys.readouterr().err == f"conformance: {file}: this file cannot be made: File exists\n"
        assert file.read_text(encoding="utf-8") == "mine"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["http://127.0.0.1:9"], "there is nobody to ask: unreachable: "),
            (["http://127.0.0.1:9/api"], "it must not hold a path"),
            (["ftp://x"], "ftp://x"),
            (["http://127.0.0.1:9", "--stopped", "boards"], "this is not of the form PROJECT/VERSION"),
            (["http://127.0.0.1:9", "--stopped", "boards/01"], "scenes.stopped.version"),
        ],
    )
    def test_a_mistake_leaves_no_file(
        self, arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "new.toml"
        assert main(["init", *arguments, "--out", str(file)]) == 2
        assert words in capsys.readouterr().err
        assert not file.exists()

    def test_a_place_that_is_not_there(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["init", url, "--out", str(tmp_path / "no" / "new.toml")]) == 2
        assert "this file cannot be made: No such file or directory" in capsys.readouterr().err

    def test_it_asks_once(self) -> None:
        answer = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with HostileServer([read_request, send(answer), read_to_end]) as server:
            text = starter(replace(PLAIN, url=server.url), "x.toml")
            assert len(server.peers) == 1
        assert "\n[auth] # it refused" in text


def certificate(folder: Path) -> Path:
    """A self-signed certificate for localhost, with its key, as one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", *kind, *names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def start_tls(pem: Path) -> Callable[[Peer], None]:
    def action(peer: Peer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        peer.sock = context.wrap_socket(peer.sock, server_side=True)

    return action


def test_models_are_stopped_and_started_by_hand() -> None:
    """A stopped model is told from a missing one, and from one that runs."""
    service = Service(DEMO)
    with running(service.behaviour()) as url:
        service.set_running("cookies", 1, False)
        assert examined(PLAIN, url)["scenes.classification"].text.endswith("is answered 409 ConflictException")
        service.set_running("cookies", 1, True)
        assert examined(PLAIN, url)["scenes.classification"].health is Health.GOOD
