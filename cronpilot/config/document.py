"""The values of a file that was read, and where in it they stand. Not how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cronpilot.domain.text import clean
from cronpilot.errors import Complaint

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the top, such as ("tasks", 2, "schedule")."""


@dataclass(frozen=True, slots=True)
class Document:
    """The plain values of one file, and where in it they stand."""

    file: str
    value: Any
    _lines: dict[KeyPath, int] = field(repr=False)
    _texts: dict[KeyPath, str] = field(repr=False)

    def line(self, path: KeyPath = ()) -> int:
        """The line, from 1, of that key; of its nearest parent that exists when it does not."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def text(self, path: KeyPath) -> str | None:
        """The scalar at that path as it was written, without quotes; None when it is none."""
        return self._texts.get(path)

    def complaint(self, path: KeyPath, problem: str, hint: str = "") -> Complaint:
        """A complaint about that key, safe to be shown."""
        return Complaint(self.file, self.line(path), dotted(path), clean(problem), clean(hint))


def dotted(path: KeyPath) -> str:
    """`("tasks", 2, "env", "A")` as `tasks[2].env.A`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return clean("".join(parts).removeprefix("."))
