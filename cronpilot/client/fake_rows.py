"""The examples of which fakes are made: a task and a run around one noon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cronpilot.client.messages import RunView, TaskView
from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.run import Status, Trigger

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday far from any clock change: when the examples made here take place."""


def make_task(id: int = 1, name: str = "backup-db", **fields: Any) -> TaskView:  # noqa: A002
    """A daily task that has never run; any field of TaskView may be given."""
    given: dict[str, Any] = {
        "command": "true",
        "schedule": "daily 02:30",
        "schedule_type": ScheduleType.DAILY,
        "schedule_config": {"hour": 2, "minute": 30},
        "schedule_words": "every day at 02:30",
        "timezone": "UTC",
        "next_run_at": datetime(2026, 3, 5, 2, 30, tzinfo=UTC),
        **fields,
    }
    return TaskView(id=id, name=name, **given)


def make_run(id: int = 1, **fields: Any) -> RunView:  # noqa: A002
    """A run of task 1 that has been going since noon; any field of RunView may be given. It was
    recorded at its start, or at its (last) slot."""
    times = (fields.get(name) for name in ("started_at", "folded_until", "scheduled_for"))
    recorded = next(filter(None, times), NOON)
    given: dict[str, Any] = {
        "task_id": 1,
        "task_name": "backup-db",
        "trigger": Trigger.SCHEDULE,
        "scheduled_for": NOON,
        "status": Status.RUNNING,
        "attempts": 1,
        "queued_at": recorded,
        "started_at": NOON,
        "pid": 4242,
        **fields,
    }
    return RunView(id=id, **given)
