"""The tasks: what each is doing, when it starts next, how it went so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, last_result, next_run, success_rate, task_state
from cronpilot.tui.last_known import as_last_known
from cronpilot.tui.layout import Claim, Column
from cronpilot.tui.task_widths import Widest, widest
from cronpilot.tui.task_words import plan, tags, usual, verdicts
from cronpilot.tui.widgets.columned import Shown
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView
else:
    TaskView = object  # only a type parameter; pydantic comes after the first paint

VERDICTS = 20
BRIEF = 21
"""Cells in which a schedule is told in few words: `every 10m 07:00-22:50`. One that takes more is
shown as it is written rather than that verdicts are cut off."""


class TaskTable(LineTable[TaskView]):
    """One line a task, in the order given. The last of COLUMNS are the first to find no room."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 14, 30, gap=1),
        Column("schedule", "SCHEDULE", 15, 40, rank=2),
        Column.fixed("next", "NEXT", 9, rank=1),
        Column.fixed("in", "IN", 7),
        Column.fixed("last", "LAST RUN", 8),
        Column("verdicts", "LAST 20", 10, VERDICTS, rank=3),
        Column.fixed("usual", "USUAL", 9, rank=4, right=True, gap=1),
        Column.fixed("rate", "OK", 4, rank=5, right=True, gap=1),
        Column("tags", "TAGS", 20, 30, rank=6),
        Column("why", "LAST RESULT", 19, 30, rank=7),
    )
    zone: tzinfo = UTC
    is_last_known = False
    """Whether no engine has told of the rows so far."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._widest = Widest()

    def claims(self) -> Iterable[Claim]:
        """Names are seen whole first, then schedules in few words, then all of the verdicts."""
        yield "name", self._widest.name
        yield "schedule", min(self._widest.brief, BRIEF)
        yield "verdicts", VERDICTS
        yield "schedule", self._widest.schedule

    def put_rows(self, offset: int, rows: Sequence[TaskView], total: int) -> None:
        self._make_room(rows, self._widest if total else Widest())
        super().put_rows(offset, rows, total)

    def put_row(self, row: TaskView) -> bool:
        is_held = super().put_row(row)
        if is_held:
            self._make_room([row], self._widest)
        return is_held

    def _make_room(self, rows: Sequence[TaskView], before: Widest) -> None:
        """Columns grow with what has to go into them; they do not shrink before the list is
        another one, so that they stand still while one goes through it."""
        self._widest = widest(rows, before, self.zone)
        if self._widest != before and self._placed:
            placed = self._placed
            self.place_columns()
            if self._placed != placed:
                self._place_columns()

    def start_over(self) -> None:
        """The next rows are those of another list: its first are looked at, wherever one was."""
        if self.cursor:
            self.cursor = self.top = 0
            self._forget_unseen()
            self.refresh()

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
