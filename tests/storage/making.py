"""Rows for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cronpilot.domain.run import Status, Trigger
from cronpilot.domain.task import TaskSpec
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Database
from cronpilot.storage.tables import Origin

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def add_task(database: Database, name: str = "backup", **fields: Any) -> int:
    """A minutely task that is due at noon; `next_run_at` and fields of TaskSpec may be given."""
    plan = tasks.Plan("* * * * *", "UTC", fields.pop("next_run_at", NOON))
    spec = TaskSpec.model_validate(
        {"name": name, "command": "true", "schedule": "* * * * *", **fields}
    )
    return database.write(
        lambda c: tasks.add(c, spec, plan, origin=Origin.FILE, actor="test", at=NOON)
    ).result()


def slot(task_id: int, at: datetime = NOON, status: str = "queued", **fields: Any) -> runs.Slot:
    """A slot to record, queued unless said otherwise."""
    given = {
        "reason": None,
        "priority": 0,
        "pool": None,
        "queued_at": at,
        "trigger": Trigger.SCHEDULE,
        **fields,
    }
    return runs.Slot(
        task_id=task_id, task_version=1, status=Status(status), scheduled_for=at, **given,
    )  # fmt: skip
