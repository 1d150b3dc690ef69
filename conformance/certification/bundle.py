"""Where everything lies in a bundle, and how what lies there is read: bounded, and never believed.

certificate.json        the signed statement: what was certified, by whom, with what, and the digest of all the rest
test-result.json        the same in the words of in-toto's test results, signed too
key.pub                 the public key that fits the signatures; that it is there vouches for nobody
verification-summary.json   that a certifier has verified it, signed, where one has
requirements.yaml       the set of requirements, as it was
challenge.json          the certifier's seed, where one was given
runs/1, runs/2, runs/3  reports and evidence of the runs that looked like an ordinary client
marked                  report and evidence of the run that said who asks
certificate.html        a page for people, and badge.svg; made of the certificate, and bound by nothing
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.report import document

CERTIFICATE, TEST_RESULT = "certificate.json", "test-result.json"
REQUIREMENTS, CHALLENGE = "requirements.yaml", "challenge.json"
KEY, SUMMARY = "key.pub", "verification-summary.json"
PAGE, BADGE = "certificate.html", "badge.svg"
RUNS = ("runs/1", "runs/2", "runs/3")
MARKED = "marked"
UNBOUND = frozenset({CERTIFICATE, TEST_RESULT, SUMMARY, PAGE, BADGE})
"""What the certificate holds no digest of."""
MOST_BYTES = 1 << 30
"""Of one file in a bundle."""
MOST_FILES = 2000


class Unreadable(Exception):
    """A file of a bundle is not there, or not what it should be. The sentence names it."""


@dataclass(frozen=True)
class Bundle:
    """A folder that claims to be a bundle."""

    folder: Path

    def files(self) -> Iterator[str]:
        """The names of all files, with slashes. Raises Unreadable for what is neither file nor folder."""
        for number, path in enumerate(sorted(self.folder.rglob("*"))):
            name = path.relative_to(self.folder).as_posix()
            if number > MOST_FILES:
                raise Unreadable(f"there are more than {MOST_FILES} files in it")
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise Unreadable(f"{name} is no plain file")
            if path.is_file():
                yield name

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises Unreadable."""
        path = self.folder / name
        try:
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode):  # a pipe would never end
                raise Unreadable(f"{name} is no plain file")
            if found.st_size > MOST_BYTES:
                raise Unreadable(f"{name} is larger than {MOST_BYTES} bytes")
            return path.read_bytes()
        except OSError as error:
            raise Unreadable(f"{name} cannot be read: {error.strerror}") from None

    def digest(self, name: str) -> str:
        """SHA-256 of a file, hexadecimal. Raises Unreadable."""
        return sha256(self.read(name)).hexdigest()

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file that a certificate binds."""
        return {name: self.digest(name) for name in self.files() if name not in UNBOUND}

    def report(self, run: str) -> Mapping[str, Any]:
        """The report of a run, whose own digest fits. Raises OperatorMistake."""
        return document.load(self.folder / run / "report.json")


def written(folder: Path, name: str, content: bytes | str) -> None:
    """Write a file of a bundle."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
