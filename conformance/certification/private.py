"""Files of certification: read within bounds, never overwritten, and what is secret is for one's own eyes alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from conformance.mistake import OperatorMistake

PUBLIC, SECRET = 0o644, 0o600
"""Modes of files."""


def make(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file that was not there before. Raises OperatorMistake; half a file is never left behind."""
    try:
        # created with its mode, not given it afterwards: nobody can open it in between
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        raise OperatorMistake(f"{path}: there is such a file already, and it is not overwritten") from None
    except OSError as error:
        raise OperatorMistake(f"{path}: this file cannot be written: {error.strerror or error}") from None


def replace(path: Path, content: bytes) -> None:
    """Give a secret file new content, all of it or nothing. Raises OperatorMistake."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        make(beside, content, SECRET)
        beside.replace(path)
    except OSError as error:
        raise OperatorMistake(f"{path}: this file cannot be written: {error.strerror or error}") from None


def read(path: Path, what: str, most: int, *, secret: bool = False) -> bytes:
    """The bytes of a file, at most so many. Raises OperatorMistake, for a secret also when others may open it."""
    try:
        with path.open("rb") as file:
            if secret and os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise OperatorMistake(f"{path}: others may open this {what}; chmod 600 it")
            content = file.read(most + 1)
    except FileNotFoundError:
        raise OperatorMistake(f"{path}: there is no such {what}") from None
    except OSError as error:
        raise OperatorMistake(f"{path}: this {what} cannot be read: {error.strerror or error}") from None
    if len(content) > most:
        raise OperatorMistake(f"{path}: this {what} is larger than {most} bytes")
    return content
