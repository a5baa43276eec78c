"""What short commands show of a database without an engine: a part of what `offline` reads.

Rows have the fields that are shown, under the names of `client.messages`; a document of all fields
is for `offline` to make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cronpilot.client.plain_client import Unsure
from cronpilot.client.plain_rows import Row
from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.explain import explain
from cronpilot.domain.plain_schedule import PlainSchedule
from cronpilot.storage.plain_reader import reading


class PlainDatabase:
    """The questions of `PlainClient` that a database alone can answer."""

    def __init__(self, path: Path, *, max_workers: int) -> None:
        self._path, self._max_workers = path, max_workers

    def tasks(self) -> list[Row]:
        with reading(self._path) as snapshot:
            return [_task(row) for row in snapshot.tasks()]

    def fire_times(self, name: str | None, limit: int) -> list[Row]:
        """To look further than one start takes the rules of the planner. Raises Unsure."""
        raise Unsure

    def runs(self, name: str | None, limit: int) -> list[Row]:
        """The newest runs, newest first. Raises Unsure: one waits, and why takes more to know."""
        with reading(self._path) as snapshot:
            task_id = None if name is None else snapshot.task_id(name)
            return [_run(row) for row in snapshot.runs(task_id, limit)]

    def status(self) -> Row:
        with reading(self._path) as snapshot:
            figures = snapshot.figures()
        return Row({**figures, "max_workers": self._max_workers, "engine": None, "banners": []})


def _task(row: Mapping[str, Any]) -> Row:
    stored = json.loads(row["schedule"])
    schedule = PlainSchedule(ScheduleType(stored["type"]), stored["config"])
    last = {"status": row["last_status"], "exit_code": row["last_exit_code"]}
    return Row(
        {
            **row,
            "schedule_words": explain(schedule, resolved=row["resolved"]),
            "last_run": None if row["last_id"] is None else last,
        }
    )


def _run(row: Mapping[str, Any]) -> Row:
    if row["status"] == "queued":
        raise Unsure
    gone = "Its log was removed to save space." if row["log_removed"] else ""
    took = None
    if row["started_at"] is not None and row["finished_at"] is not None:
        took = max(timedelta(), row["finished_at"] - row["started_at"]).total_seconds()
    return Row(
        {
            **row,
            "detail": f"{row['detail']} {gone}".strip(),
            "max_attempts": row["max_retries"] + 1,
            "duration_s": took,
        }
    )
