"""What needs attention, and how the engine itself is doing: cheap enough for every few seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronpilot.client.messages import (
    Banner,
    ClockStep,
    EngineInfo,
    FailingTask,
    Health,
    PassedSlots,
    QuietStretch,
    RunQuery,
    TaskQuery,
)
from cronpilot.client.quiet import QuietTime
from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.engine.incident_views import open_incidents, telling_state
from cronpilot.engine.reading import Reader
from cronpilot.engine.views import last_run
from cronpilot.storage import attention, backups, history, runs, tasks
from cronpilot.storage.database import Connection

MOST = 50  # lines of each kind
DAY, WEEK = timedelta(days=1), timedelta(days=7)
LATE = timedelta(minutes=1)
LOG_LINES, LOG_BYTES = 30, 16_384  # of the end of engine.log
MEASURE_S = 0.5  # how long the logs are measured at most
MEASURED_FOR_S = 600.0  # how long what was measured is good
QUIET_FOR_S = 60.0  # and what quiet times there are


class HealthReport:
    """Answers `Client.health`. What it measures on the disk is remembered for some minutes."""

    def __init__(
        self,
        reader: Reader,
        database: Path,
        state_dir: Path,
        *,
        now: Callable[[], datetime],
        engine: Callable[[], EngineInfo | None],
        banners: Callable[[], list[Banner]],
        dropped: Callable[[], int] = lambda: 0,
        quiet: Callable[[], Awaitable[list[QuietTime]]],
    ) -> None:
        self._reader, self._database, self._state_dir = reader, database, state_dir
        self._now, self._engine, self._banners = now, engine, banners
        self._dropped, self._quiet = dropped, quiet
        self._logs: tuple[int, bool] | None = None
        self._measured_at = 0.0
        self._stretches: list[QuietStretch] = []
        self._asked_at = -QUIET_FOR_S

    async def read(self) -> Health:
        """Everything as one snapshot."""
        engine, banners = self._engine(), self._banners()
        quiet = await self._soon()
        return await self._reader.read(lambda c: self._read(c, engine, banners, quiet))

    def _read(
        self,
        connection: Connection,
        engine: EngineInfo | None,
        banners: list[Banner],
        quiet: list[QuietStretch],
    ) -> Health:
        now = self._now()
        failing, failing_tasks = _failing(connection)
        retrying, _ = history.page(connection, RunQuery(status=[Status.RETRYING], limit=MOST))
        late = runs.views(connection, attention.late_starts(connection, now - DAY, LATE, MOST))
        logs, whole = self._measure_logs()
        disk = os.statvfs(self._state_dir)
        return Health(
            at=now,
            banners=banners,
            incidents=open_incidents(connection),
            telling=telling_state(connection, now, self._dropped()),
            failing=failing,
            failing_tasks=failing_tasks,
            retrying=self._reader.run_views(connection, retrying),
            passed=[
                PassedSlots(**row)
                for row in attention.passed_slots(connection, now - DAY, MOST)
            ],
            late=self._reader.run_views(connection, late[::-1]),
            clock_steps=[
                ClockStep(**row) for row in attention.clock_steps(connection, now - WEEK, MOST)
            ],
            disk_free=disk.f_bavail * disk.f_frsize,
            disk_size=disk.f_blocks * disk.f_frsize,
            database_size=_size(self._database) + _size(Path(f"{self._database}-wal")),
            logs_size=logs,
            logs_measured=whole,
            copied_at=_written_at(backups.newest(backups.folder_of(self._state_dir))),
            quiet=quiet,
            engine=engine,
            keeper_pid=_keeper(self._state_dir),
            engine_log=_tail(self._state_dir / "engine.log"),
        )  # fmt: skip

    async def _soon(self) -> list[QuietStretch]:
        """The quiet times that hold now or begin within a week; looked up each minute."""
        if time.monotonic() - self._asked_at > QUIET_FOR_S:
            self._stretches = _soon(await self._quiet(), self._now())
            self._asked_at = time.monotonic()
        return self._stretches

    def _measure_logs(self) -> tuple[int, bool]:
        """Bytes of all logs; False beside it: of as many as could be looked at in the time."""
        if self._logs is None or time.monotonic() - self._measured_at > MEASURED_FOR_S:
            self._logs = _folder_size(self._state_dir / "logs", MEASURE_S)
            self._measured_at = time.monotonic()
        return self._logs


def _soon(quiet: list[QuietTime], now: datetime) -> list[QuietStretch]:
    """The quiet times that hold now or begin within a week, soonest first."""
    found = [
        QuietStretch(name=one.name, then=one.then.value, starts_at=one.starts_at,
                     ends_at=one.ends_at, task_count=one.task_count, skips=len(one.skips))
        for one in quiet
        if one.starts_at is not None and one.ends_at is not None and one.starts_at < now + WEEK
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.starts_at, one.name))


def _failing(connection: Connection) -> tuple[list[FailingTask], int]:
    rows, total = tasks.page(connection, TaskQuery(state="failing", sort="last_run", limit=MOST,
                                                   descending=True))  # fmt: skip
    found = []
    for row in rows:
        newest, streak = last_run(row), attention.streak(connection, row["id"])
        assert newest is not None  # or it would not be failing
        found.append(
            FailingTask(task_id=row["id"], task_name=row["name"], last_run=newest,
                        failures=streak.failures, since=streak.first_at,
                        last_success_at=streak.last_success_at)
        )  # fmt: skip
    return found, total


def _folder_size(folder: Path, seconds: float) -> tuple[int, bool]:
    total, end = 0, time.monotonic() + seconds
    for where, _, names in os.walk(folder):
        if time.monotonic() > end:
            return total, False
        total += sum(_size(Path(where, name)) for name in names)
    return total, True


def _size(path: Path) -> int:
    """0 for a file that is not there (any more)."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _written_at(path: Path | None) -> datetime | None:
    return None if path is None else datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _keeper(state_dir: Path) -> int | None:
    """The process that holds the tasks, as far as one lives: it leaves when nothing runs."""
    try:
        pid = int((state_dir / "keeper.lock").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if Path(f"/proc/{pid}").exists() else None


def _tail(path: Path) -> list[str]:
    """The last lines of the engine's log, newest last."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    whole = lines if size <= LOG_BYTES else lines[1:]
    return [clean(line) for line in whole[-LOG_LINES:]]
