"""What was found, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cronpilot.domain.task import TaskSpec

Notice = str
"""One sentence about what will be different, or has no equal."""

# Words that prepare or guard a command and say nothing about it.
_GUARDS = {"[", "test", "command", "cd", "if", "then", "exec", "nice", "ionice", "sudo", "env",
           "export", "set", "umask", "sleep", "true", "{", "(", "!", "chronic",
           "}", ")", "fi", ".", "source"}  # fmt: skip
_WHOLE = {"[", "test", "command", "cd", "set", "export", "umask", "sleep", "true", ".", "source"}
_NAME_LENGTH = 60


class Kind(StrEnum):
    """Where an entry stands, which decides how it is set aside."""

    CRONTAB = "crontab"  # a line of a crontab
    SCRIPT = "script"  # an executable in a directory that run-parts walks through
    TIMER = "timer"  # a systemd timer


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that starts a command today.

    Attributes:
        where: the file; for the crontab of a user its place in the spool.
        line: from 1; 0 when the file as a whole is meant.
        text: what stands there, to be found again before it is changed.
        owner: whose crontab it is; None for files of the system.
        spec: what it becomes; None when nothing here does the same.
        notices: what will be different, or why it cannot become a task.
        by_itself: False: `--all` leaves it alone, because the notices need a decision.
    """

    kind: Kind
    where: Path
    line: int
    text: str
    owner: str | None
    name: str
    spec: TaskSpec | None
    notices: tuple[Notice, ...] = ()
    by_itself: bool = True

    @property
    def place(self) -> str:
        """File and line, as people say it."""
        return f"{self.where}:{self.line}" if self.line else str(self.where)


def make(
    kind: Kind,
    where: Path,
    fields: dict[str, Any],
    *,
    line: int = 0,
    text: str = "",
    owner: str | None = None,
    notices: Iterable[Notice] = (),
    by_itself: bool = True,
) -> Entry:
    """An entry with these fields of TaskSpec; what they cannot be is told as a notice."""
    said = list(notices)
    spec = None
    try:
        spec = TaskSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
        why = first["msg"].removeprefix("Value error, ").rstrip(".")
        said.append(f"{field or 'It'} cannot be used: {why}.")
    return Entry(kind, where, line, text, owner, fields["name"], spec, tuple(said), by_itself)


def without_equal(
    kind: Kind, where: Path, name: str, notice: Notice, *, line: int = 0, text: str = "",
    owner: str | None = None,
) -> Entry:  # fmt: skip
    """An entry that cannot become a task, and why."""
    return Entry(kind, where, line, text, owner, name, None, (notice,), by_itself=False)


def name_of(command: str) -> str:
    """What a command is about, in a word: its first program that is no guard or preparation."""
    for part in re.split(r"&&|\|\||[;|\n]", command):
        words = part.split()
        while words and (words[0] in _GUARDS or re.match(r"\w+=|-|\d+$", words[0])):
            words = [] if words[0] in _WHOLE else words[1:]
        if words:
            word = words[0].strip("\"'()").rsplit("/", 1)[-1]
            if word:
                return word[:_NAME_LENGTH]
    return "task"


def each_name_once(entries: Iterable[Entry]) -> list[Entry]:
    """The same entries in the same order; a second one of a name is called `name 2`."""
    seen: dict[str, int] = {}
    found = []
    for entry in entries:
        seen[entry.name] = count = seen.get(entry.name, 0) + 1
        if count > 1:
            name = f"{entry.name} {count}"
            spec = entry.spec and entry.spec.model_copy(update={"name": name})
            entry = replace(entry, name=name, spec=spec)  # noqa: PLW2901
        found.append(entry)
    return found
