"""What a vendor hands in to a certification body, and what the body's bot says of it in a pull request.

reports/VENDOR/VERSION/README.md    what it is, and how to run it so that others come to the same
reports/VENDOR/VERSION/target.toml  the target file that was certified
reports/VENDOR/VERSION/bundle/      the bundle

VENDOR is the owner of the key, in small letters and with hyphens for all else. Nothing else lies there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.certification import bundle, page, private, requirements
from conformance.certification.bundle import Bundle
from conformance.certification.identity import digest_of
from conformance.certification.keys import Key, Role
from conformance.certification.refusal import Refused
from conformance.certification.verify import Verified, verify
from conformance.evidence.rejudge import described
from conformance.mistake import OperatorMistake
from conformance.report.visible import visible
from conformance.target import complaints, parse

README, TARGET, BUNDLE = "README.md", "target.toml", "bundle"
NOTE = "note"
"""What is said for people to weigh, and decides nothing."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_BYTES = 1 << 20
"""Of the README, and of the target file."""
_LONGEST = 400


@dataclass(frozen=True)
class Check:
    """One line of the table."""

    what: str
    holds: bool
    said: str


def checked(folder: Path, keys: Mapping[str, Key], now: datetime) -> list[Check]:
    """Everything that is looked at in a submission, in order. What cannot be looked at does not hold."""
    return list(_checks(folder.resolve(), keys, now))


def _checks(folder: Path, keys: Mapping[str, Key], now: datetime) -> Iterator[Check]:
    layout = _layout(folder)
    yield layout
    if not layout.holds:
        return  # a name may lead anywhere
    yield _readme(folder / README)
    try:
        verified = verify(folder / BUNDLE, keys, now)
    except Refused as refused:
        yield Check("bundle", False, str(refused))
        return
    predicate = verified.statement["predicate"]
    yield Check("bundle", True, f"{predicate['requirements']['id']} until {predicate['expires'][:10]}")
    yield _names(folder, predicate["target"], keys[verified.key_id])
    yield _target(folder / TARGET, predicate["target"])
    yield _pictures(Bundle(folder / BUNDLE), verified)
    yield from (Check(NOTE, True, each) for each in (*verified.stamps, *_successor(predicate)))


def _layout(folder: Path) -> Check:
    parts = folder.parts[-3:]
    if len(parts) < 3 or parts[0] != "reports" or not all(map(_NAME.fullmatch, parts[1:])):
        return Check("layout", False, "a submission lies in reports/VENDOR/VERSION, of letters, digits, . _ and -")
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    due = sorted((README, TARGET, BUNDLE))
    if there != due:
        return Check("layout", False, f"there should be {', '.join(due)}, and there is {', '.join(there) or 'nothing'}")
    for name in due:
        path = folder / name
        if path.is_symlink() or not (path.is_dir() if name == BUNDLE else path.is_file()):
            return Check("layout", False, f"{name} is no plain {'folder' if name == BUNDLE else 'file'}")
    return Check("layout", True, "/".join(parts))


def _readme(path: Path) -> Check:
    try:
        text = private.read(path, README, _MOST_BYTES).decode("utf-8")
    except (OperatorMistake, UnicodeDecodeError):
        return Check("reproduction", False, f"{README} cannot be read, or is larger than {_MOST_BYTES} bytes")
    if not re.search(r"^#+ .*reproduc", text, re.IGNORECASE | re.MULTILINE) or "conformance certify" not in text:
        said = f"{README} needs a section on how to reproduce it, with `conformance certify`"
        return Check("reproduction", False, said)
    return Check("reproduction", True, f"{README} says how")


def _names(folder: Path, target: Mapping[str, Any], key: Key) -> Check:
    """Version and vendor are those of the folder. A certifier's own key may certify whomever it likes."""
    vendor, version = folder.parts[-2:]
    if target["version"] != version:
        return Check("names", False, f"the folder is named {version}, and the target's version is {target['version']}")
    if key.role is Role.VENDOR and _in_short(key.owner) != _in_short(vendor):
        return Check("names", False, f"the folder is named {vendor}, and the certificate is signed by {key.owner}")
    return Check("names", True, f"{target['name']} {version} of {vendor}, signed by {key.owner} ({key.role})")


def _in_short(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def _target(path: Path, certified: Mapping[str, Any]) -> Check:
    """The file is the one that was certified, and declares what the runs were told."""
    try:
        content = private.read(path, TARGET, _MOST_BYTES)
        document = tomllib.loads(content.decode("utf-8"))
    except (OperatorMistake, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return Check("target file", False, f"{TARGET} cannot be read as TOML")
    if sha256(content).hexdigest() != certified["file"]:
        return Check("target file", False, f"{TARGET} is not the one that was certified")
    for complaint in complaints(document):
        return Check("target file", False, f"{TARGET}: {complaint}")
    if not _declares(document, certified):
        return Check("target file", False, f"{TARGET} declares something else than the runs were made with")
    return Check("target file", True, f"{TARGET} is the one that was certified")


def _declares(document: Mapping[str, Any], certified: Mapping[str, Any]) -> bool:
    """Without a look at files that it names: whoever wrote it could have us read anything."""
    about = {key: each for key, each in document["target"].items() if key != "ca"}
    scenes = {
        name: {key: each for key, each in scene.items() if key != "samples"} if scene else scene
        for name, scene in document["scenes"].items()
    }
    told = {key: each for key, each in document.items() if key != "states"} | {"target": about, "scenes": scenes}
    target = parse(told, Path())
    if certified["photographs"]:  # they decide on sizes that the file does not name
        return [target.name, target.version, target.url] == [certified[key] for key in ("name", "version", "url")]
    declared: str = certified["declared"]
    return digest_of(described(target)) == declared


def _pictures(paper: Bundle, verified: Verified) -> Check:
    """What the certificate does not bind, and people look at, is what comes of the certificate."""
    due = {
        bundle.PAGE: page.certificate(verified.statement, verified.key_id),
        bundle.BADGE: page.badge(verified.statement),
    }
    there = set(paper.files())
    for name, picture in due.items():
        if name in there and paper.read(name) != picture.encode():
            return Check("pictures", False, f"{name} is not a picture of the certificate")
    return Check("pictures", True, "page and badge show what the certificate says")


def _successor(predicate: Mapping[str, Any]) -> Iterator[str]:
    demanded = predicate["requirements"]["id"]
    newest = requirements.find(demanded.rpartition("-")[0]).id
    if newest != demanded:
        yield f"superseded: {newest} has been released since {demanded}"


def table(checks: Sequence[Check]) -> str:
    """The table, as Markdown for a pull request. Nothing that a vendor wrote can be more than text in it."""
    rows = [f"| {_mark(each)} | {each.what} | {_cell(each.said)} |" for each in checks]
    conclusion = "accepted" if all(each.holds for each in checks) else "not accepted"
    return "\n".join([f"**{conclusion}**", "", "| | Check | |", "|---|---|---|", *rows])


def _mark(check: Check) -> str:
    if not check.holds:
        return "✗"
    return "·" if check.what == NOTE else "✓"


def _cell(text: str) -> str:
    """A code span: in it nothing is Markdown but what ends it, or the cell."""
    return "`" + visible(text, _LONGEST).replace("`", "\\x60").replace("|", "\\x7c") + "`"
