"""The tasks: what each is doing, when it starts next, how it went last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    last_result,
    next_run,
    success_rate,
    task_length,
    task_state,
)
from cronpilot.tui.layout import Column
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView
else:
    TaskView = object  # only a type parameter; pydantic comes after the first paint


class TaskTable(LineTable[TaskView]):
    """One line a task, in the order given."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 14, 30),
        Column("schedule", "SCHEDULE", 14, 40, rank=2),
        Column.fixed("next", "NEXT", 9, rank=1),
        Column.fixed("in", "IN", 7),
        Column.fixed("last", "LAST RUN", 8),
        Column("why", "", 6, 18, rank=4),
        Column.fixed("took", "TOOK", 7, rank=3, right=True),
        Column.fixed("rate", "OK", 4, rank=5, right=True),
    )
    zone: tzinfo = UTC

    def cells(self, row: TaskView, now: datetime) -> Mapping[str, Cell]:
        at, left = next_run(row, now, self.zone)
        last, why = last_result(row, now)
        return {
            "state": task_state(row, self.marks),
            "name": Cell(clean(row.name), "strong"),
            "schedule": Cell(clean(row.schedule_words), "muted"),
            "next": at,
            "in": left,
            "last": last,
            "why": why,
            "took": task_length(row, now),
            "rate": success_rate(row),
        }
