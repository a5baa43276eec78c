"""What starts next, across all tasks."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Tone, countdown, duration, moment
from cronpilot.tui.layout import Column
from cronpilot.tui.upcoming_lines import UpcomingLine, known_zone, meets
from cronpilot.tui.widgets.columned import WHOLE, Shown
from cronpilot.tui.widgets.line_table import LineTable


class UpcomingTable(LineTable[UpcomingLine]):
    """One line a start, soonest first."""

    COLUMNS = (
        Column.fixed("at", "STARTS", 9),
        Column.fixed("in", "IN", 7),
        Column("name", "TASK", 16, 32),
        Column.fixed("usual", "USUAL", 7, rank=1, right=True),
        Column("meets", "MEETS", 32, 40),
        Column("zone", "BY ITS OWN CLOCK", 18, 32, rank=2),
    )
    zone: tzinfo = UTC
    max_workers = 10

    def cells(self, row: UpcomingLine, now: datetime) -> Shown:
        start = row.start
        if start is None:
            return {WHOLE: row.note}
        left = countdown(start.starts_at - now).removeprefix("in ")
        tone: Tone = "muted" if start.paused else ""
        return {
            "at": Cell(moment(start.starts_at, now, self.zone), tone),
            "in": Cell(left, "muted" if start.paused else "warn" if "late" in left else ""),
            "name": Cell(clean(start.task_name), "muted" if start.paused else "strong"),
            "usual": Cell(duration(start.usual_s), "muted"),
            "meets": meets(start, self.max_workers, self.marks),
            "zone": Cell(self._own_clock(row), "muted"),
        }

    def _own_clock(self, row: UpcomingLine) -> str:
        """The time on the task's own clock, where that shows another one."""
        start = row.start
        if start is None or start.timezone == str(self.zone):
            return ""
        own = known_zone(start.timezone)
        return f"{start.starts_at.astimezone(own):%H:%M} {start.timezone}" if own else ""
