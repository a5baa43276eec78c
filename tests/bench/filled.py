"""A state directory as after years of use: many tasks, each with its record, and many runs."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import SECOND, make_tasks

STATUSES = ["success"] * 94 + ["failed", "failed", "timeout", "skipped", "skipped", "missed"]
BETWEEN = 6 * SECOND  # a million of them are 70 days: nothing is old enough to be forgotten
REST = timedelta(minutes=30)  # nothing is due before that

_RUN = """
INSERT INTO run (id, task_id, task_version, trigger, scheduled_for, folded_count, status, detail,
                 priority, attempts, launches, queued_at, started_at, finished_at, exit_code,
                 log_size, actor)
VALUES (?, ?, 1, 'schedule', ?, 1, ?, '', 0, 1, 1, ?, ?, ?, 0, 0, '')
"""
_TASK = """
UPDATE task SET resolved = ?, schedule = ?, next_run_at = ?, last_run_id = ?, runs = ?,
                successes = ?, duration_ms = ?, last_verdicts = ? WHERE id = ?
"""


def fill(state_dir: Path, tasks: int, runs: int) -> Path:
    """Daily tasks of which none is due soon, and their runs in turn; the database's path."""
    now = datetime.now(UTC).replace(microsecond=0)
    path = make_tasks(
        state_dir, tasks, schedule="daily 02:30", resolved="30 2 * * *", next_run_at=now + REST
    )
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    connection.executemany(_RUN, (_run(number, tasks, runs, now) for number in range(runs)))
    connection.executemany(_TASK, _records(tasks, runs, now))
    connection.execute("DELETE FROM news")  # all of it was told long ago
    connection.execute("COMMIT")
    connection.close()
    return path


def _status(number: int) -> str:
    return STATUSES[number * 7919 // 13 % 100]


def _run(number: int, tasks: int, runs: int, now: datetime) -> tuple[object, ...]:
    at = _microseconds(now - BETWEEN * (runs - number))
    return number + 1, 1 + number % tasks, at, _status(number), at, at, at + 2_000_000


def _records(tasks: int, runs: int, now: datetime) -> Iterator[tuple[object, ...]]:
    random_ = random.Random(1)
    for task in range(tasks):
        hour, minute = random_.randrange(24), random_.randrange(60)
        due = now.replace(hour=hour, minute=minute, second=0)
        while due < now + REST:
            due += timedelta(days=1)
        mine = range(task, runs, tasks)
        good = sum(_status(number) == "success" for number in mine)
        schedule = {"type": "daily", "config": {"hour": hour, "minute": minute}}
        yield (
            f"{minute} {hour} * * *", json.dumps(schedule), _microseconds(due),
            mine[-1] + 1 if mine else None, len(mine), good, 2000 * good,
            json.dumps([_status(number) for number in mine[-20:]]), task + 1,
        )  # fmt: skip


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
