"""Follows the tasks file in force: reads it at the start, on demand, and when it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cronpilot.client.messages import Banner, FileDifference, ReloadResult
from cronpilot.config.watcher import Signature, signature, wait_for_change
from cronpilot.domain.text import clean
from cronpilot.engine.differences import NO_FILE, differences
from cronpilot.engine.planner import Changes
from cronpilot.engine.tasks_file import Applied, apply_tasks_file
from cronpilot.errors import CronPilotError, InvalidFile, Refused, StorageProblem
from cronpilot.storage import tasks
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from cronpilot.config.tasks_file import TasksFile
    from cronpilot.engine.config import EngineConfig
    from cronpilot.engine.notices import Notices
    from cronpilot.engine.reading import Reader

T = TypeVar("T")


class Write(Protocol):
    """Runs a closure in a transaction of the writer."""

    async def __call__(self, closure: Callable[[Connection], T]) -> T: ...


class Follower:
    """Keeps the database at what the file says; one reading at a time."""

    def __init__(
        self,
        *,
        config: Callable[[], EngineConfig],
        now: Callable[[], datetime],
        watched_since: Callable[[], datetime],
        write: Write,
        reader: Reader,
        notices: Notices,
        changed: Callable[[Changes], None],
    ) -> None:
        self._config, self._now, self._watched_since = config, now, watched_since
        self._write, self._reader = write, reader
        self._notices, self._changed = notices, changed
        self._seen: Signature = ()
        self._take_over = config().take_over
        self._turn = asyncio.Lock()

    async def reload(self) -> ReloadResult:
        """Read it now. Raises InvalidFile; then nothing has changed."""
        async with self._turn:
            path = self._config().tasks_file
            if path is None:
                return ReloadResult(file=None)
            # Before it is read: what is written from here on is seen by the next look.
            self._seen = await asyncio.to_thread(signature, path)
            applied = await self._apply(await self._read_file(path))
            self._take_over = False
            self._tell(path, applied)
            return applied.result

    async def read(self) -> None:
        """Read it now; a bad one changes nothing, and is said."""
        try:
            await self.reload()
        except InvalidFile as error:
            first = error.complaints[0]
            more = len(error.complaints) - 1
            self._notices.show(
                Banner(
                    key="tasks.yaml", severity="error",
                    text=f"{first}{f' (and {more} more)' if more else ''}",
                    hint="The last good version stays in force. See: cronpilot validate",
                )
            )  # fmt: skip
        except CronPilotError as error:
            self._notices.trouble("tasks.yaml", error)
            if isinstance(error, StorageProblem):
                self._seen = ()  # what it says is not in force yet: the next look tries again

    async def watch(self) -> None:
        """Read it whenever it has changed, until cancelled."""
        path = self._config().tasks_file
        if path is None or not self._config().watch:
            await asyncio.Event().wait()
            return
        while True:
            await wait_for_change(path, lambda: self._seen)
            await self.read()

    async def differences(self) -> list[FileDifference]:
        """How the tasks differ from it. Raises InvalidFile; Refused where there is none."""
        path = self._config().tasks_file
        if path is None:
            raise Refused(*NO_FILE)
        file = await self._read_file(path)
        return await self._reader.read(lambda c: differences(file, tasks.all_definitions(c)))

    async def _read_file(self, path: Path) -> TasksFile:
        config = self._config()
        return await asyncio.to_thread(
            _read_tasks_file, path, pools=config.pools, quiet=config.quiet,
            channels=config.notifications.channels, timezone=config.timezone,
        )  # fmt: skip

    async def _apply(self, file: TasksFile) -> Applied:
        now, ground, take_over = self._now(), self._config().ground, self._take_over
        since = self._watched_since()
        return await self._write(
            lambda c: apply_tasks_file(
                c, file, ground=ground, now=now, watched_since=since, take_over=take_over
            )
        )

    def _tell(self, path: Path, applied: Applied) -> None:
        result = applied.result
        if result.refused:
            self._notices.show(Banner(key="tasks.yaml", text=" ".join(result.refused)))
        else:
            self._notices.clear("tasks.yaml")
        if result.overridden:
            self._notices.show(_overridden(path, result.overridden))
        elif applied.changes.task_ids:
            self._notices.clear(_EDITS)
        if applied.others:
            self._notices.show(_others(path, applied.others))
        else:
            self._notices.clear(_OTHERS)
        if applied.changes.task_ids:
            self._changed(applied.changes)


_EDITS, _OTHERS = "tasks.yaml edits", "tasks.yaml others"


def _overridden(path: Path, names: list[str]) -> Banner:
    first = clean(names[0])
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Banner(
        key=_EDITS,
        text=f"{clean(str(path))} has changed {first!r}{more}, edited here before: the file won.",
        hint=f"The edit is kept: cronpilot undo {first!r}",
    )


def _others(path: Path, others: Mapping[str, int]) -> Banner:
    of = ", ".join(f"{count} of {clean(file)}" for file, count in sorted(others.items()))
    return Banner(
        key=_OTHERS,
        severity="information",
        text=f"Tasks of another tasks file are still here: {of}.",
        hint=f"To archive them, start once with: --tasks {clean(str(path))} --yes",
    )


def _read_tasks_file(path: Path, **known: Any) -> TasksFile:
    from cronpilot.config.tasks_file import read_tasks_file  # YAML, which many do without

    return read_tasks_file(path, **known)
