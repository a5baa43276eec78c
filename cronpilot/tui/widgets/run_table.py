"""What goes on now: running, waiting for a slot, waiting for its next attempt."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, attempt, moment, run_length, run_state, trigger
from cronpilot.tui.layout import Column
from cronpilot.tui.running_words import expected_end, process_or_wait, progress
from cronpilot.tui.widgets.columned import Shown
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.live import RunUsage
    from cronpilot.client.messages import RunView
else:
    RunView = object  # only a type parameter; pydantic comes after the first paint


NARROW = {
    "usual": Column.fixed("usual", "OF USUAL", 10, rank=1),
    "ends": Column.fixed("ends", "ENDS", 9, rank=2),
    "why": Column("why", "PROCESS / WAITS FOR", 19, 24),
}
"""The same columns where 80 have to do: a shorter bar, but also when the run should end."""
WIDE_FROM = 93
"""Cells from which on all that is not left out on 80 has its full width."""


class RunTable(LineTable[RunView]):
    """One line a run, oldest first."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 14, 36),
        Column.fixed("elapsed", "ELAPSED", 7, right=True),
        Column.fixed("usual", "OF USUAL", 16, rank=1),
        Column.fixed("ends", "ENDS", 11, rank=2),
        Column("why", "PROCESS / WAITS FOR", 24, 44),
        Column.fixed("try", "TRY", 5, rank=4),
        Column.fixed("trigger", "BY", 10, rank=5),
        Column.fixed("run", "RUN", 7, rank=3, right=True),
        Column.fixed("started", "STARTED", 8, rank=6),
    )
    zone: tzinfo = UTC

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._usage: dict[int, RunUsage] = {}

    def place_columns(self) -> None:
        narrow = self.size.width < WIDE_FROM
        self.columns = [NARROW.get(one.key, one) if narrow else one for one in self.COLUMNS]
        super().place_columns()

    def put_usage(self, usage: Iterable[RunUsage]) -> None:
        """What they take, as just measured."""
        self._usage = {one.run_id: one for one in usage}

    def cells(self, row: RunView, now: datetime) -> Shown:
        room = {place.column.key: place.width for place in self._placed}
        started = moment(row.started_at, now, self.zone) if row.started_at else ""
        return {
            "state": run_state(row.status, self.marks),
            "name": Cell(clean(row.task_name), "strong"),
            "elapsed": Cell(run_length(row, now)),
            "usual": progress(row, now, self.marks, room.get("usual", 0)),
            "ends": expected_end(row, now, self.zone, room.get("ends", 0)),
            "why": process_or_wait(row, self._usage.get(row.id), now, room.get("why", 0)),
            "try": Cell(attempt(row), "muted"),
            "trigger": Cell(trigger(row.trigger), "muted"),
            "run": Cell(f"#{row.id}", "muted"),
            "started": Cell(started, "muted"),
        }
