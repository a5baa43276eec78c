"""What goes on now: running, waiting for a slot, waiting for its next attempt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    against_usual,
    attempt,
    moment,
    run_length,
    run_state,
    trigger,
    why_waiting,
)
from cronpilot.tui.layout import Column
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
else:
    RunView = object  # only a type parameter; pydantic comes after the first paint


class RunTable(LineTable[RunView]):
    """One line a run, oldest first."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 16, 36),
        Column.fixed("elapsed", "ELAPSED", 8, right=True),
        Column.fixed("usual", "OF USUAL", 14, rank=2),
        Column.fixed("try", "TRY", 5, rank=5),
        Column.fixed("trigger", "BY", 8, rank=4),
        Column.fixed("started", "STARTED", 8, rank=6),
        Column.fixed("run", "RUN", 7, rank=3, right=True),
        Column("why", "WAITS FOR / PROCESS", 19, 40, rank=1),
    )
    zone: tzinfo = UTC

    def cells(self, row: RunView, now: datetime) -> Mapping[str, Cell]:
        started = moment(row.started_at, now, self.zone) if row.started_at else ""
        return {
            "state": run_state(row.status, self.marks),
            "name": Cell(clean(row.task_name), "strong"),
            "elapsed": Cell(run_length(row, now)),
            "usual": against_usual(row, now),
            "try": Cell(attempt(row), "muted"),
            "trigger": Cell(trigger(row.trigger), "muted"),
            "started": Cell(started, "muted"),
            "run": Cell(f"#{row.id}", "muted"),
            "why": why_waiting(row, now),
        }
