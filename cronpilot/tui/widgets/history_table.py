"""What has happened: one line a run, a slot that was not run, or slots missed in a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, attempt, run_length, run_state, trigger
from cronpilot.tui.layout import Column
from cronpilot.tui.run_words import lateness, stamp, when, why
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
else:
    RunView = object  # only a type parameter; pydantic comes after the first paint


class HistoryTable(LineTable[RunView]):
    """Newest first."""

    COLUMNS = (
        Column.fixed("when", "WHEN", 12),
        Column.fixed("state", "VERDICT", 9),
        Column("name", "TASK", 15, 30),
        Column.fixed("took", "TOOK", 7, right=True),
        Column("why", "WHY", 27, 60, rank=1),
        Column.fixed("late", "LATE", 7, rank=3, right=True),
        Column.fixed("try", "TRY", 5, rank=5),
        Column.fixed("trigger", "BY", 8, rank=4),
        Column.fixed("run", "RUN", 9, rank=2, right=True),
    )
    zone: tzinfo = UTC
    STAYS_AT_TOP = True

    def cells(self, row: RunView, now: datetime) -> Mapping[str, Cell]:
        return {
            "when": Cell(stamp(when(row), now, self.zone), "muted"),
            "state": run_state(row.status, self.marks),
            "name": Cell(clean(row.task_name), "strong"),
            "took": Cell(run_length(row, now)),
            "why": Cell(why(row, now, self.zone), "muted"),
            "late": lateness(row),
            "try": Cell(attempt(row), "muted"),
            "trigger": Cell(trigger(row.trigger), "muted"),
            "run": Cell(f"#{row.id}", "muted"),
        }
