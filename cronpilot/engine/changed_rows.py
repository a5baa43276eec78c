"""Changed rows as the events that tell of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cronpilot.client.messages import RunChanged, TaskChanged, TaskRemoved
from cronpilot.engine.planner import Changes
from cronpilot.engine.views import task_view
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from cronpilot.client.messages import Event, RunView

RunViews = Callable[[Connection, list[Any]], list["RunView"]]


def changed_rows(connection: Connection, changes: Changes, run_views: RunViews) -> list[Event]:
    """The rows as they are now, tasks first, each kind by id."""
    events: list[Event] = []
    for row in tasks.views(connection, sorted(changes.task_ids)):
        gone = row["archived_at"] is not None
        events.append(TaskRemoved(task_id=row["id"]) if gone else TaskChanged(task=task_view(row)))
    rows = runs.views(connection, sorted(set(changes.run_ids)))
    return [*events, *(RunChanged(run=run) for run in run_views(connection, rows))]
