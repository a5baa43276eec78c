"""The tasks: what each is doing, when it starts next, how it went so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, last_result, next_run, success_rate, task_state
from cronpilot.tui.last_known import as_last_known
from cronpilot.tui.layout import Column
from cronpilot.tui.task_words import plan, tags, usual, verdicts
from cronpilot.tui.widgets.columned import Shown
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView
else:
    TaskView = object  # only a type parameter; pydantic comes after the first paint


class TaskTable(LineTable[TaskView]):
    """One line a task, in the order given. The last of COLUMNS are the first to find no room."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 14, 30),
        Column("schedule", "SCHEDULE", 15, 40, rank=2),
        Column.fixed("next", "NEXT", 9, rank=1),
        Column.fixed("in", "IN", 7),
        Column.fixed("last", "LAST RUN", 8),
        Column("verdicts", "LAST 20", 10, 20, rank=3),
        Column.fixed("usual", "USUAL", 9, rank=4, right=True),
        Column.fixed("rate", "OK", 4, rank=5, right=True),
        Column("tags", "TAGS", 20, 30, rank=6),
        Column("why", "LAST RESULT", 19, 30, rank=7),
    )
    zone: tzinfo = UTC
    is_last_known = False
    """Whether no engine has told of the rows so far."""

    def cells(self, row: TaskView, now: datetime) -> Shown:
        at, left = next_run(row, now, self.zone)
        last, why = last_result(row, now)
        room = next((p.width for p in self._placed if p.column.key == "schedule"), 0)
        shown: Shown = {
            "state": task_state(row, self.marks),
            "name": Cell(clean(row.name), "strong"),
            "schedule": plan(row, now, self.zone, room),
            "next": at,
            "in": left,
            "last": last,
            "verdicts": verdicts(row, self.marks),
            "usual": usual(row, now, self.marks),
            "rate": success_rate(row),
            "tags": tags(row),
            "why": why,
        }
        return as_last_known(shown, row, now, self.marks) if self.is_last_known else shown


CHOOSABLE: Sequence[Column] = TaskTable.COLUMNS[2:]
"""State and name are always there: a row has to say what it is about."""
TITLES = {"schedule": "Schedule", "next": "Next run", "in": "Counted down", "last": "Last run",
          "verdicts": "Last 20 verdicts", "usual": "Usual duration", "rate": "Success rate",
          "tags": "Tags and pool", "why": "Last result"}  # fmt: skip
"""What the columns are called where there is room for it."""
