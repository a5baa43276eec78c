"""What short commands, and a screen whose engine starts, show of a database without an engine: a
part of what `offline` reads.

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
from cronpilot.domain.explain_briefly import explain_briefly
from cronpilot.domain.plain_schedule import PlainSchedule, shorthand_of
from cronpilot.domain.run import Status
from cronpilot.domain.zones import find_zone
from cronpilot.storage.plain_reader import reading

_SOON_S = 0.2  # an engine waits for this question


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


def last_known_tasks(path: Path, offset: int, limit: int) -> tuple[list[Row], int] | None:
    """Tasks by their ids as they were last written, with what the screen's table shows of them, and
    how many there are in all.

    None where only an engine can say it: of no database, or one of another version.
    """
    if not path.exists():
        return None
    try:
        with reading(path, busy_s=_SOON_S) as snapshot:
            rows, total = snapshot.page(offset, limit)
        return [_shown_task(row) for row in rows], total
    except Exception:  # noqa: BLE001  the engine, which starts next, reads the same and says it
        return None


def _shown_task(row: Mapping[str, Any]) -> Row:
    schedule = _schedule(row)
    runs, successes = row["runs"], row["successes"]
    last_run = {
        field: row[f"last_{field}"]
        for field in ("id", "status", "reason", "started_at", "finished_at", "exit_code")
    } | {"scheduled_for": row["last_scheduled_for"], "duration_s": _took(row, "last_")}
    return Row(
        {
            **row,
            "tags": json.loads(row["tags"]),
            "schedule": shorthand_of(schedule.type, schedule.config),
            "schedule_type": schedule.type,
            "schedule_words": explain(schedule, resolved=row["resolved"]),
            "schedule_brief": explain_briefly(schedule, resolved=row["resolved"]),
            "timezone": row["zone_key"],
            "active": bool(row["active"]),
            "running": 0,  # nobody knows it
            "queued": 0,
            "retrying": 0,
            "next_quiet": _quiet_name(row),
            "last_run": None if row["last_id"] is None else last_run,
            "success_rate": successes / runs if runs else None,
            "average_duration_s": row["duration_ms"] / successes / 1000 if successes else None,
            "last_verdicts": [Status(word) for word in json.loads(row["last_verdicts"])],
        }
    )


def _quiet_name(row: Mapping[str, Any]) -> str:
    """The quiet time that keeps the next slot from being started; mostly none."""
    if row["next_run_at"] is None or not row["quiet_key"]:
        return ""
    from cronpilot.domain.quiet import from_key, quiet_at  # few tasks have one

    found = quiet_at(from_key(row["quiet_key"]), row["next_run_at"], find_zone(row["zone_key"]))
    return found.rule.name if found is not None else ""


def _schedule(row: Mapping[str, Any]) -> PlainSchedule:
    stored = json.loads(row["schedule"])
    return PlainSchedule(ScheduleType(stored["type"]), stored["config"])


def _took(row: Mapping[str, Any], prefix: str = "") -> float | None:
    """How long a run was, in seconds."""
    started, finished = row[f"{prefix}started_at"], row[f"{prefix}finished_at"]
    if started is None or finished is None:
        return None
    took: timedelta = max(timedelta(), finished - started)
    return took.total_seconds()


def _task(row: Mapping[str, Any]) -> Row:
    schedule = _schedule(row)
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
    return Row(
        {
            **row,
            "detail": f"{row['detail']} {gone}".strip(),
            "max_attempts": row["max_retries"] + 1,
            "duration_s": _took(row),
        }
    )
