"""The principals that a server knows, and the file that names them.

The secrets are in no ``repr`` and in no message.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class CredentialsMistake(ValueError):
    """Something in a credentials file is wrong: one sentence that names file and key, and never a value."""


@dataclass(frozen=True)
class Principal:
    """One who may sign requests; ``allowed`` when they may also call DetectAnomalies."""

    access_key: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    """What has to come with every request, where the credentials are temporary."""
    allowed: bool = True
    name: str = ""
    """What a refusal calls them; their access key when empty."""


@dataclass(frozen=True)
class Credentials:
    """All principals that a server knows, and the scope that they must sign for."""

    principals: tuple[Principal, ...]
    region: str = "us-east-1"
    service: str = "lookoutvision"

    def find(self, access_key: str) -> Principal | None:
        """The principal of an access key; None when there is none."""
        return next((each for each in self.principals if each.access_key == access_key), None)


def load_credentials(path: Path) -> Credentials:
    """Read a credentials file. Raises CredentialsMistake when it cannot be read or anything in it is wrong.

    The file is TOML in UTF-8. Access keys must differ; ``session_token``, ``allowed``, ``name`` and the first two lines
    may be left out, and mean what stands here or, for the token and the name, that there is none::

        region = "us-east-1"
        service = "lookoutvision"

        [[principals]]
        access_key_id = "AKIDEXAMPLE"           # letters, digits, "-", "_" and "."
        secret_access_key = "…"                 # printable ASCII
        session_token = "…"                     # for temporary credentials: printable ASCII without spaces
        allowed = true                          # false: signs well, and is answered AccessDeniedException
        name = "inspector"
    """
    try:
        return _credentials(tomllib.loads(path.read_bytes().decode("utf-8")))
    except CredentialsMistake as mistake:
        raise CredentialsMistake(f"{path}: {mistake}") from None
    except OSError as error:
        raise CredentialsMistake(f"{path}: this file cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        place = re.search(r" \(at [^()]*\)\Z", str(error))  # the rest of the message may quote a secret
        raise CredentialsMistake(f"{path}: this is not TOML in UTF-8{place[0] if place else ''}") from None


_Forms = Mapping[str, tuple[str, str]]
_FILE_FORMS: _Forms = {
    "region": (r"[0-9A-Za-z\-]{1,64}", "1 to 64 letters, digits and hyphens"),
    "service": (r"[0-9A-Za-z\-]{1,64}", "1 to 64 letters, digits and hyphens"),
}
_PRINCIPAL_FORMS: _Forms = {
    "access_key_id": (r"[0-9A-Za-z_.\-]{1,128}", "1 to 128 letters, digits, hyphens, underscores and dots"),
    "secret_access_key": (r"[ -~]{1,1024}", "1 to 1024 characters of printable ASCII"),
    "session_token": (r"[!-~]{1,8192}", "1 to 8192 characters of printable ASCII without spaces"),
    "name": (r"[^\x00-\x1f\x7f]{1,128}", "1 to 128 characters without controls"),
}


def _credentials(document: Mapping[str, Any]) -> Credentials:
    _check_keys(document, {*_FILE_FORMS, "principals"}, ["principals"])
    _check_texts(document, _FILE_FORMS)
    tables = document["principals"]
    if not (isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables)):
        raise CredentialsMistake("principals: this must be one or more [[principals]] tables")
    principals = tuple(_principal(table, f"principals[{number}].") for number, table in enumerate(tables, 1))
    if len({principal.access_key for principal in principals}) < len(principals):
        raise CredentialsMistake("principals: two have the same access_key_id")
    return Credentials(principals, **{key: document[key] for key in _FILE_FORMS if key in document})


def _principal(table: Mapping[str, Any], place: str) -> Principal:
    _check_keys(table, {*_PRINCIPAL_FORMS, "allowed"}, ["access_key_id", "secret_access_key"], place)
    _check_texts(table, _PRINCIPAL_FORMS, place)
    allowed = table.get("allowed", True)
    if not isinstance(allowed, bool):
        raise CredentialsMistake(f"{place}allowed: this must be true or false")
    key, secret, token = (table.get(name) for name in ("access_key_id", "secret_access_key", "session_token"))
    return Principal(str(key), str(secret), token, allowed, table.get("name", ""))


def _check_keys(table: Mapping[str, Any], known: set[str], required: list[str], place: str = "") -> None:
    for key in table:
        if key not in known:
            raise CredentialsMistake(f"{place}{ascii(key)[1:-1]}: there is no such key")
    for key in required:
        if key not in table:
            raise CredentialsMistake(f"{place}{key}: this key is missing")


def _check_texts(table: Mapping[str, Any], forms: _Forms, place: str = "") -> None:
    for key, (pattern, words) in forms.items():
        if key in table and not (isinstance(table[key], str) and re.fullmatch(pattern, table[key])):
            raise CredentialsMistake(f"{place}{key}: this must be text of {words}")
