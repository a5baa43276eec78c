"""View 1: all tasks, sorted and marked as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message

from cronpilot.tui.inbox import Changes
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.task_table import TaskTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskPage, TaskQuery, TaskSort, TaskView

COLUMN_OF: Mapping[TaskSort, str] = {
    "name": "name", "state": "state", "next_run_at": "next", "last_run": "last",
    "duration": "usual", "success_rate": "rate",
}  # fmt: skip
"""The column that shows what the rows are sorted by."""
STEADY = frozenset({"id", "name"})
"""Sorted by these, rows stay where they are while tasks run."""
REST = timedelta(seconds=2)
"""So long after the last key the rows may change their order."""


class TasksView(View):
    """A window on the list of tasks; the engine filters and sorts.

    Attributes:
        marks: the names of the marked tasks by their ids, seen or not.
        sort: by what they are sorted; `descending`: the other way round.
    """

    KEY = "1"
    TITLE = "Tasks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="tasks.mark", show=False,
                tooltip="Mark it, or not; what is done then is done to all marked"),
        Binding("A", "mark_all", "Mark all", id="tasks.mark_all", show=False,
                tooltip="Mark all tasks that the filter shows, or none"),
        Binding("asterisk", "mark_others", "Mark others", key_display="*", id="tasks.mark_others",
                show=False, tooltip="Mark what is not marked, of all that the filter shows"),
        Binding("s", "sort", "Sort", id="tasks.sort", show=False,
                tooltip="What tasks are sorted by; the same once more turns it round"),
        Binding("S", "turn_round", "Turn round", id="tasks.turn_round", show=False,
                tooltip="Sort the other way round"),
        Binding("o", "columns", "Columns", id="tasks.columns", show=False,
                tooltip="Which columns are shown"),
    ]  # fmt: skip
    table: TaskTable

    def __init__(self) -> None:
        super().__init__(TaskTable(id="task-table"), id="tasks")
        self.marks: dict[int, str] = {}
        self.sort: TaskSort = "id"
        self.descending = False
        self.hidden: frozenset[str] = frozenset()
        self.awaits_rows = False  # those that are shown are not those that were asked for
        self._starts_over = False  # the next rows are those of another filter
        self._stale = False
        self._moved_at: datetime | None = None

    class Refiltered(Message):
        """Other tasks are wanted, or in another order."""

    @dataclass
    class Asked(Message):
        """Something is wanted that takes a question, or more tasks than are held."""

        what: Literal["sort", "columns", "mark all", "mark others"]

    def refilter(self, text: str) -> None:
        self.filter = text
        self._starts_over = True
        self._ask_for_rows()

    def _ask_for_rows(self) -> None:
        self.awaits_rows = True
        self.post_message(self.Refiltered())

    def put(self, offset: int, page: TaskPage) -> None:
        """Rows that were asked for."""
        self._stale = False
        self._be_last_known(False)
        self.marks |= {row.id: row.name for row in page.rows if row.id in self.marks}
        if self._starts_over and all(row.id != self.table.row_id for row in page.rows):
            self.table.start_over()
        self._starts_over = False
        self.table.put_rows(offset, page.rows, page.total)

    def answered(self, query: TaskQuery) -> None:
        """There are those rows now, or it was said why there are none."""
        if (query.text, query.sort, query.descending) == (self.filter, self.sort, self.descending):
            self.awaits_rows = False

    def put_last_known(self, offset: int, rows: Sequence[TaskView], total: int) -> None:
        """Rows of which no engine has told so far."""
        self._be_last_known(True)
        self.table.put_rows(offset, rows, total)

    def forget_last_known(self) -> None:
        """Show no rows rather than those."""
        if self.is_last_known:
            self.table.put_rows(0, [], 0)
            self._be_last_known(False)

    @property
    def is_last_known(self) -> bool:
        """Whether what is shown can be looked at, and nothing be done to it."""
        return self.table.is_last_known

    def _be_last_known(self, one: bool) -> None:
        if one is not self.is_last_known:
            self.table.is_last_known = one
            self.set_class(one, "-last-known")

    @property
    def chosen(self) -> TaskView | None:
        """The task under the cursor; none while an engine has yet to tell of it."""
        return None if self.is_last_known else self.table.row

    @property
    def note(self) -> str:
        return f"{len(self.marks):,} marked" if self.marks else ""

    def clear_filters(self) -> None:
        """The marks first: they reach farther than what is seen."""
        if self.marks:
            self.mark({})
        else:
            self.refilter("")

    # --- order and columns -----------------------------------------------------------------------

    def order_by(self, sort: TaskSort, *, descending: bool) -> None:
        """Sort the tasks by this from now on."""
        self.sort, self.descending = sort, descending
        column = COLUMN_OF.get(sort)
        self.table.sort_by((column, descending) if column else None)
        self.table.put_rows(0, [], 0)  # to the top: what comes first is what one wants to see
        self._ask_for_rows()

    def hide(self, columns: Iterable[str]) -> None:
        """Show all columns but these, as far as there is room."""
        self.hidden = frozenset(columns)
        shown = [column for column in TaskTable.COLUMNS if column.key not in self.hidden]
        self.table.show_columns(shown)

    def action_sort(self) -> None:
        self.post_message(self.Asked("sort"))

    def on_line_table_title_clicked(self, event: LineTable.TitleClicked) -> None:
        """Sort by that column; clicked once more, the other way round."""
        event.stop()
        column = "next" if event.column == "in" else event.column
        sort = next((sort for sort, of in COLUMN_OF.items() if of == column), None)
        if sort is not None:
            self.order_by(sort, descending=sort == self.sort and not self.descending)

    def action_turn_round(self) -> None:
        self.order_by(self.sort, descending=not self.descending)

    def action_columns(self) -> None:
        self.post_message(self.Asked("columns"))

    # --- marks -----------------------------------------------------------------------------------

    def mark(self, tasks: Mapping[int, str]) -> None:
        """Mark these tasks and no others."""
        self.marks = dict(tasks)
        self.table.mark(self.marks)
        self.screen.refresh_bindings()

    def action_mark(self) -> None:
        """Mark the task under the cursor, or take its mark, and go on to the next."""
        task = self.table.row
        if task is None:
            return
        marks = dict(self.marks)
        if marks.pop(task.id, None) is None:
            marks[task.id] = task.name
        self.mark(marks)
        self.table.action_move(1)

    def action_mark_all(self) -> None:
        self.post_message(self.Asked("mark all"))

    def action_mark_others(self) -> None:
        self.post_message(self.Asked("mark others"))

    # --- what happens meanwhile ------------------------------------------------------------------

    def on_line_table_cursor_moved(self, event: LineTable.CursorMoved) -> None:
        if event.by_user:
            self._moved_at = self.table.now

    def apply(self, changes: Changes) -> bool:
        redefined = False
        for task in changes.tasks.values():
            before = self.table.find(task.id)
            if before is not None:
                redefined = redefined or before.version != task.version
                self.table.put_row(task)
        self._stale = self._stale or (bool(changes.tasks) and self.sort not in STEADY)
        gone = changes.removed & set(self.marks)
        if gone:
            self.mark({key: name for key, name in self.marks.items() if key not in gone})
        grown = (
            changes.status is not None
            and not self.filter
            and changes.status.total_tasks != self.table.total
        )
        return bool(changes.gap or changes.removed or grown or (redefined and self.filter))

    def tick(self, now: datetime) -> None:
        """Rows that belong elsewhere by now go there once nobody has pressed a key for a while."""
        super().tick(now)
        rested = self._moved_at is None or now - self._moved_at >= REST
        if self._stale and rested:
            self._stale = False
            self.post_message(self.table.RowsWanted(self.table, self.table.wanted_offset()))  # type: ignore[arg-type]

    def set_zone(self, zone: tzinfo) -> None:
        self.table.zone = zone
