"""View 1: all tasks."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from textual.message import Message

from cronpilot.tui.inbox import Changes
from cronpilot.tui.widgets.task_table import TaskTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskPage, TaskView


class TasksView(View):
    """A window on the list of tasks; the engine filters and sorts."""

    KEY = "1"
    TITLE = "Tasks"
    table: TaskTable

    def __init__(self) -> None:
        super().__init__(TaskTable(id="task-table"), id="tasks")

    class Refiltered(Message):
        """Other tasks are wanted."""

    def refilter(self, text: str) -> None:
        self.filter = text
        self.post_message(self.Refiltered())

    def put(self, offset: int, page: TaskPage) -> None:
        """Rows that were asked for."""
        self.table.put_rows(offset, page.rows, page.total)

    @property
    def chosen(self) -> TaskView | None:
        """The task under the cursor."""
        return self.table.row

    def apply(self, changes: Changes) -> bool:
        redefined = False
        for task in changes.tasks.values():
            before = self.table.find(task.id)
            if before is not None:
                redefined = redefined or before.version != task.version
                self.table.put_row(task)
        grown = (
            changes.status is not None
            and not self.filter
            and changes.status.total_tasks != self.table.total
        )
        return bool(changes.gap or changes.removed or grown or (redefined and self.filter))

    def set_zone(self, zone: tzinfo) -> None:
        self.table.zone = zone
