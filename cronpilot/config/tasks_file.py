"""tasks.yaml: read strictly, checked as a whole, and either used as a whole or refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from cronpilot.config.document import Document, KeyPath
from cronpilot.config.notices import notices
from cronpilot.config.strict_yaml import load, parse
from cronpilot.config.wording import complaints_of, unknown_key
from cronpilot.domain.task import TaskSpec
from cronpilot.domain.text import composed
from cronpilot.errors import Complaint, InvalidFile

# Fields in which every scalar is text, however it looks: people write `PORT: 8080`, [sleep, 5].
_LITERAL = ("command", "env", "tags")
# Fields of which a task's own words are added to those of `defaults`, key by key.
_JOINED = ("env", "limits", "notify", "alarms")
OF_ONE_TASK = ("name", "was")  # what no two tasks can share


class Entry(NamedTuple):
    """One task of the file, complete with what it takes from `defaults`."""

    spec: TaskSpec
    was: str | None  # the name that it had before; keeps its history
    line: int


@dataclass(frozen=True, slots=True)
class TasksFile:
    """A file in which everything is right; `warnings` are about what may not be meant."""

    path: Path
    entries: list[Entry]
    warnings: list[Complaint] = field(default_factory=list)
    blank: bool = False  # nothing is written in it: more likely cut off than meant


def read_tasks_file(
    path: Path,
    *,
    pools: Collection[str] | None = None,
    quiet: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    timezone: str = "UTC",
    now: datetime | None = None,
) -> TasksFile:
    """Read and check a tasks file. An empty one has no tasks.

    Args:
        pools: those of config.yaml; None: do not warn of others.
        quiet: the quiet times of config.yaml; None: do not warn of others.
        channels: those of its notifications; None: do not warn of others.
        timezone: scheduler.timezone, for tasks that set none.
        now: the aware moment for "is in the past"; default: this one.
    Raises:
        InvalidFile: with every complaint, in the order of the lines.
    """
    document = load(path)
    reading = _Reading(document)
    entries = reading.entries()
    if reading.complaints:
        raise InvalidFile(sorted(reading.complaints, key=lambda complaint: complaint.line))
    tell = notices(
        pools=pools, quiet=quiet, channels=channels, timezone=timezone,
        now=now or datetime.now(UTC),
    )  # fmt: skip
    warnings = [
        document.complaint(("tasks", index, *notice.key), notice.problem, notice.hint)
        for index, entry in enumerate(entries)
        for notice in tell(entry.spec)
    ]
    if document.value is None:
        hint = "To archive every task, write tasks: []."
        warnings.append(document.complaint((), "has nothing in it, so it changes nothing.", hint))
    return TasksFile(path, entries, warnings, blank=document.value is None)


def read_tasks(content: bytes, *, file: str) -> list[Entry]:
    """The entries of a text that is no file; `file` is the name that complaints carry.

    Raises:
        InvalidFile: as for `read_tasks_file`.
    """
    reading = _Reading(parse(content, file=file))
    entries = reading.entries()
    if reading.complaints:
        raise InvalidFile(sorted(reading.complaints, key=lambda complaint: complaint.line))
    return entries


class _Reading:
    """One pass over a document, which goes on after each complaint."""

    def __init__(self, document: Document) -> None:
        self.complaints: list[Complaint] = []
        self._document = document

    def entries(self) -> list[Entry]:
        top = self._top()
        defaults = self._defaults(top.get("defaults"))
        tasks = top.get("tasks")
        if tasks is None:
            return []
        if not isinstance(tasks, list):
            self._complain(("tasks",), "must be a list.", "Begin each task with - name: ...")
            return []
        found = [self._entry(index, value, defaults) for index, value in enumerate(tasks)]
        self._names_once(tasks)
        self._renames(tasks)
        return [entry for entry in found if entry is not None]

    def _complain(self, path: KeyPath, problem: str, hint: str = "") -> None:
        self.complaints.append(self._document.complaint(path, problem, hint))

    def _top(self) -> dict[str, Any]:
        value = self._document.value
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._complain(
                (), "must have the key tasks at its top.", "Begin with tasks: and a list."
            )
            return {}
        for key in value.keys() - {"defaults", "tasks"}:
            problem, hint = unknown_key(key, ("defaults", "tasks"))
            if key in TaskSpec.model_fields:
                hint = "Fields of a task belong into the list under tasks:."
            self._complain((key,), problem, hint)
        return value

    def _defaults(self, value: Any) -> dict[str, Any]:
        """What is right in `defaults`; complaints about the rest are made once, here."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._complain(("defaults",), "must be keys with values.", "Such as timezone: UTC.")
            return {}
        shared = {key: one for key, one in value.items() if key not in OF_ONE_TASK}
        for key in value.keys() - shared.keys():
            self._complain(("defaults", key), "belongs to one task.", "Move it into a task.")
        shared = self._literal(shared, ("defaults",))
        probe = {"name": "probe", "command": "true", "schedule": "manual"}
        try:
            TaskSpec.model_validate(probe | shared)
        except ValidationError as error:
            self.complaints += complaints_of(error, TaskSpec, self._document, ("defaults",))
            wrong = {one["loc"][0] for one in error.errors()}
            return {key: one for key, one in shared.items() if key not in wrong}
        return shared

    def _entry(self, index: int, value: Any, defaults: dict[str, Any]) -> Entry | None:
        here: KeyPath = ("tasks", index)
        if not isinstance(value, dict):
            self._complain(here, "must be a task.", "Give it a name, a command and a schedule.")
            return None
        was = value.get("was")
        if "was" in value and not (isinstance(was, str) and was):
            self._complain((*here, "was"), "must be the text of its former name.")
            was = None
        own = self._literal({key: one for key, one in value.items() if key != "was"}, here)
        try:
            spec = TaskSpec.model_validate(_join(defaults, own))
        except ValidationError as error:
            self.complaints += complaints_of(error, TaskSpec, self._document, here)
            return None
        was = None if was is None else composed(was)
        return Entry(spec, was, self._document.line(here))

    def _literal(self, fields: dict[str, Any], here: KeyPath) -> dict[str, Any]:
        """The fields with the scalars inside `_LITERAL` ones as they were written."""
        return {
            key: self._as_written(value, (*here, key)) if key in _LITERAL else value
            for key, value in fields.items()
        }

    def _as_written(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: self._written(one, (*path, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [self._written(one, (*path, index)) for index, one in enumerate(value)]
        return value

    def _written(self, value: Any, path: KeyPath) -> Any:
        text = self._document.text(path)
        return value if text is None else text

    def _names_once(self, tasks: list[Any]) -> None:
        for first, again in _repeated(tasks, "name"):
            line = self._document.line(("tasks", first, "name"))
            self._complain(
                ("tasks", again, "name"),
                f"{tasks[again]['name']!r} is also the name of the task on line {line}.",
                "Give one of them another name.",
            )

    def _renames(self, tasks: list[Any]) -> None:
        """`was` must name a task that is gone, and only one task can be its heir."""
        for first, again in _repeated(tasks, "was"):
            line = self._document.line(("tasks", first, "was"))
            self._complain(
                ("tasks", again, "was"),
                f"{tasks[again]['was']!r} was already claimed on line {line}.",
                "One task keeps the history.",
            )
        staying = {_word(task, "name") for task in tasks if not _word(task, "was")}
        for index, task in enumerate(tasks):
            was = _word(task, "was")
            if was and (was in staying or was == _word(task, "name")):
                self._complain(
                    ("tasks", index, "was"),
                    f"there still is a task {was!r} in this file.",
                    "Write was: only for a name that is gone.",
                )


def _join(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    joined = defaults | own
    for key in _JOINED:
        shared, mine = (_spelt_out(key, fields.get(key)) for fields in (defaults, own))
        if isinstance(shared, dict) and isinstance(mine, dict):
            joined[key] = shared | mine
    return joined


def _spelt_out(key: str, value: Any) -> Any:
    """The keys that `notify: always` stands for."""
    return {"on": value} if key == "notify" and isinstance(value, str) else value


def _word(task: Any, key: str) -> str | None:
    value = task.get(key) if isinstance(task, dict) else None
    return composed(value) if isinstance(value, str) else None


def _repeated(tasks: list[Any], key: str) -> Iterator[tuple[int, int]]:
    """Pairs of indices (first, again) of tasks with the same text at `key`."""
    seen: dict[str, int] = {}
    for index, task in enumerate(tasks):
        word = _word(task, key)
        if word is None:
            continue
        if word in seen:
            yield seen[word], index
        else:
            seen[word] = index
