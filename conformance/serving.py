"""What the reference offers when it is served: which models, to whom, and in which state."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.mistake import OperatorMistake
from conformance.provisions import HttpCall, State
from conformance.reference.access_log import FORMATS, Log, nothing
from conformance.reference.admin import administered
from conformance.reference.app import DEMO, Behaviour, Look, Model, Store
from conformance.reference.credentials import Credentials, CredentialsMistake, Principal, load_credentials
from conformance.reference.server import Setup, running
from conformance.reference.service import Service
from conformance.reference.sigv4 import Verifier
from conformance.shipped import shipped
from conformance.strains import behaviour_of
from conformance.target import Target, load

if TYPE_CHECKING:
    from conformance.reference.vision.files import StoredModel

RESTING = Model("boards", 1, running=False)
"""A model of the demo that does not run."""

_BUNDLED = ("fixtures", "targets", "bundled.toml")
_MASTER, _GUEST = "CONFORMANCE_REFERENCE", "CONFORMANCE_REFERENCE_GUEST"


def store_of(models: Path | None) -> Store:
    """The trained models of a folder, or those of the demo, which are trained now. Raises OperatorMistake."""
    from conformance.reference.vision.demo import demo_models
    from conformance.reference.vision.fields import ModelMistake
    from conformance.reference.vision.files import load as load_models

    if models is None:
        # whoever tries the demo sends what is at hand: its models look at an image of any size
        shown = (Model(each.project, each.version, each.segments, look=_resized(each)) for each in demo_models())
        return (*shown, RESTING)
    try:
        stored = load_models(models)
    except ModelMistake as error:
        raise OperatorMistake(str(error)) from None
    return tuple(
        Model(each.project, each.version, each.segments, size=each.trained.size, look=each.trained.inspect)
        for each in stored
    )


def _resized(model: StoredModel) -> Look:
    """How a model looks at an image of another size than its own: at a copy of that size."""
    size, inspect = model.trained.size, model.trained.inspect
    return inspect if size is None else lambda image, segments: inspect(image.resize(size), segments)


def offer(
    mutant: str | None, variant: str | None, models: Path | None, max_pixels: int | None
) -> tuple[Behaviour, str, Store]:
    """What is served, what it is called, and with which models. Raises OperatorMistake.

    Mutants and variants are told from the honest server by what they do, so their models need no training.
    """
    behaviour, summary = behaviour_of(mutant, variant)
    store = DEMO if mutant or variant else store_of(models)
    if max_pixels is None:
        return behaviour, summary, store

    def allowed(size: tuple[int, int]) -> bool:
        return behaviour.image_size(size) and size[0] * size[1] <= max_pixels

    return replace(behaviour, image_size=allowed), summary, store


def guarded(store: Store, credentials: Path | None) -> Service:
    """The state of a server to which only the principals of a file have access. Raises OperatorMistake."""
    try:
        return Service(store, [Verifier(load_credentials(credentials)).admit] if credentials else [])
    except CredentialsMistake as error:
        raise OperatorMistake(str(error)) from None


def log(name: str) -> Log:
    """An access log on stderr, in that format; ``none`` for none."""
    if name == "none":
        return nothing
    written = FORMATS[name]
    return lambda answered: print(written(answered), file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def bundled() -> Iterator[Target]:
    """The reference with everything: SigV4, hooks for its states, trained models; on free ports, with fresh keys.

    The keys stand in the environment as long as the context lasts, under the names that the target file gives.
    """
    master, guest = (Principal(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)) for _ in range(2))
    guard = Verifier(Credentials((master, replace(guest, allowed=False)))).admit
    service = Service(store_of(None), [guard])
    declared = load(shipped(*_BUNDLED))
    with (
        _in_environment(_variables(_MASTER, master) | _variables(_GUEST, guest)),
        administered(service) as admin,
        running(setup=Setup(service.behaviour(), service.store)) as url,
    ):
        states = {name: _moved(state, admin) for name, state in declared.states.items()}
        yield replace(declared, url=url, states=states)


def _moved(state: State, admin: str) -> State:
    """The state with its hooks where the admin surface is now."""

    def at(hook: object) -> HttpCall | None:
        return replace(hook, url=admin + "/" + hook.url.split("/", 3)[3]) if isinstance(hook, HttpCall) else None

    return replace(state, enter=at(state.enter), leave=at(state.leave))


def _variables(prefix: str, principal: Principal) -> dict[str, str]:
    return {f"{prefix}_ACCESS_KEY": principal.access_key, f"{prefix}_SECRET_KEY": principal.secret}


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
