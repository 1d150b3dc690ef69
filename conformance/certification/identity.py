"""What a certificate says of who judged, with what, and whom: the suite's own files, the environment, the target."""

from __future__ import annotations

import json
import platform
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from conformance import __version__
from conformance.shipped import shipped
from conformance.wire.client import Endpoint

DISTRIBUTION = "detect-anomalies-conformance"
_PACKAGE = Path(__file__).resolve().parent.parent
_TRAVELLERS = ("schemas", "fixtures")
"""What travels with the package: inside it in a wheel, beside it in a checkout."""
_LIBRARIES = "botocore cryptography h11 hypothesis jinja2 jsonschema numpy pillow requests schemathesis scipy".split()
_SECONDS = 10.0


class Origin(StrEnum):
    """Where the installed files come from."""

    WHEEL = "wheel"  # every file is the one that the wheel's own record names
    SELF_BUILT = "self-built"  # a checkout, or files that were changed since


@dataclass(frozen=True)
class Suite:
    """The suite that is installed."""

    version: str
    sha256: str
    """Over names and digests of all its files; the same for a checkout and for the wheel that is built of it."""
    origin: Origin

    def to_document(self) -> dict[str, str]:
        """As JSON-able data."""
        return {"name": DISTRIBUTION, "version": self.version, "sha256": self.sha256, "origin": str(self.origin)}


@cache
def suite() -> Suite:
    """The suite that runs this."""
    return Suite(__version__, _digest(dict(_files())), _origin())


def _files() -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of every file of the suite, whichever way it is installed."""
    rooms = {"conformance": _PACKAGE, **{name: shipped(name) for name in _TRAVELLERS}}
    for room, folder in rooms.items():
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            if path.is_file() and not ({"__pycache__", "_shipped", "node_modules"} & set(parts)):
                yield "/".join((room, *parts)), sha256(path.read_bytes()).hexdigest()


def _digest(files: Mapping[str, str]) -> str:
    return sha256("".join(f"{name}\0{digest}\n" for name, digest in sorted(files.items())).encode()).hexdigest()


def _origin() -> Origin:
    try:
        installed = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Origin.SELF_BUILT
    return Origin.WHEEL if _is_as_recorded(installed) else Origin.SELF_BUILT


def _is_as_recorded(installed: Distribution) -> bool:
    """Whether the files of the package are those in the record of the wheel, each with its digest."""
    recorded = {Path(str(each.locate())).resolve(): each.hash for each in installed.files or ()}
    ours = {path for path in _PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return all(_fits(path, recorded.get(path)) for path in ours) and all(
        path in ours for path in recorded if path.is_relative_to(_PACKAGE) and "__pycache__" not in path.parts
    )


def _fits(path: Path, recorded: Any) -> bool:
    if recorded is None or recorded.mode != "sha256":
        return False
    import base64

    found = base64.urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    return bool(found == recorded.value)


def environment() -> dict[str, str]:
    """The versions of whatever takes part in a verdict. Neither user nor host is named."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "openssl": ssl.OPENSSL_VERSION,
        **{name: version(name) for name in _LIBRARIES},
    }


def asserted(url: str, ca: str | None, server: str) -> dict[str, str]:
    """What a target says of itself, where its vendor does not name what was certified: nobody vouches for it."""
    told = {"url": url, "server": server}
    certificate = _certificate(Endpoint.of(url, ca))
    return {**told, "tls-certificate-sha256": certificate} if certificate else told


def _certificate(endpoint: Endpoint) -> str:
    """SHA-256 of the certificate that an endpoint shows, in DER; empty where it shows none."""
    if endpoint.scheme != "https":
        return ""
    context = ssl.create_default_context(cafile=endpoint.ca_file)
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.host) as secured,
        ):
            return sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError:
        return ""


def digest_of(document: Any) -> str:
    """SHA-256 of JSON-able data in one canonical form, hexadecimal."""
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
