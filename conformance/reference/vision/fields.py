"""The members of a model's description, each checked when it is asked for."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ModelMistake(ValueError):
    """Why a model cannot be read or written: one sentence that names the file."""


@dataclass(frozen=True)
class Fields:
    """The members of a JSON object, and the file that they are from."""

    file: Path
    members: dict[str, Any]

    @staticmethod
    def parse(file: Path, content: bytes) -> Fields:
        """Read a JSON object. Raises ModelMistake for anything else."""
        try:
            members = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError):
            raise ModelMistake(f"{file} is not JSON in UTF-8") from None
        if not isinstance(members, dict):
            raise ModelMistake(f"{file} does not describe a model of ours")
        return Fields(file, members)

    def get(self, name: str) -> Any:
        """A member, unchecked; None when it is missing."""
        return self.members.get(name)

    def expect(self, holds: bool, name: str) -> None:
        """Raise ModelMistake about a member unless something holds."""
        if not holds:
            raise ModelMistake(f"{self.file} is damaged: {name} is missing or impossible")

    def text(self, name: str) -> str:
        """A string."""
        value = self.get(name)
        self.expect(isinstance(value, str), name)
        return str(value)

    def flag(self, name: str) -> bool:
        """A boolean."""
        value = self.get(name)
        self.expect(isinstance(value, bool), name)
        return bool(value)

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.get(name)
        self.expect(type(value) is int and least <= value <= most, name)
        return int(value)

    def number(self, name: str, least: float, most: float) -> float:
        """A number within bounds."""
        return self._finite(self.get(name), name, least, most)

    def numbers(self, name: str, count: int, least: float = -1e9, most: float = 1e9) -> list[float]:
        """So many numbers within bounds."""
        values = self.get(name)
        self.expect(isinstance(values, list) and len(values) == count, name)
        return [self._finite(value, name, least, most) for value in values]

    def pair(self, values: object, name: str) -> tuple[float, float]:
        """Two numbers within a member."""
        if not isinstance(values, list) or len(values) != 2:
            self.expect(False, name)
            raise AssertionError
        return self._finite(values[0], name, -1e9, 1e9), self._finite(values[1], name, -1e9, 1e9)

    def _finite(self, value: object, name: str, least: float, most: float) -> float:
        if type(value) in (int, float) and math.isfinite(value) and least <= value <= most:  # type: ignore[arg-type, operator]
            return float(value)  # type: ignore[arg-type]
        raise ModelMistake(f"{self.file} is damaged: {name} is missing or impossible")
