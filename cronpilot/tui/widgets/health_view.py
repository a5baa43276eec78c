"""View 5: what needs attention, and how the engine is doing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.tui.health_lines import HealthLine, folded, health_lines, unread_line
from cronpilot.tui.inbox import Changes
from cronpilot.tui.widgets.health_table import HealthTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, Health
    from cronpilot.errors import CronPilotError

EVERY = timedelta(seconds=5)
"""How often it is read anew while somebody looks."""


class HealthView(View):
    """Shows what it is given; the same lines in the same order until things change."""

    KEY = "5"
    TITLE = "Health"
    HAS_LOG = False
    HAS_FILTER = False
    table: HealthTable

    def __init__(self) -> None:
        super().__init__(HealthTable(id="health-table"), id="health")
        self._health: Health | None = None
        self._asked_at: datetime | None = None
        self._read_at: datetime | None = None
        self._zone: tzinfo = UTC
        self.trouble: CronPilotError | None = None

    @property
    def chosen(self) -> HealthLine | None:
        """The line under the cursor."""
        return self.table.row

    @property
    def total(self) -> int:
        return 0  # lines are no figure that says anything

    def things(self, status: EngineStatus | None) -> int:
        return (
            max(status.failing_tasks, status.open_incidents) + len(status.banners) if status else 0
        )

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to read anew; taken as read from then on."""
        due = self._asked_at is None or not timedelta() <= now - self._asked_at < EVERY
        if due:
            self._asked_at = now
        return due

    def read_again(self) -> None:
        """Let it be due at once."""
        self._asked_at = None

    def put(self, health: Health, now: datetime) -> None:
        """How things stand."""
        self._health, self._read_at, self.trouble = health, now, None
        self.tick(now)

    def failed(self, trouble: CronPilotError, now: datetime) -> None:
        """It cannot be read now: what is shown stays, but not as if it were so now."""
        self.trouble = trouble
        self.tick(now)

    def tick(self, now: datetime) -> None:
        if self._health is not None:
            told = health_lines(self._health, now, self._zone, self.table.marks)
            if self.trouble is not None and self._read_at is not None:
                told.insert(0, unread_line(self.trouble, self._read_at, now, self._zone))
            lines = folded(told, self.table.room_for_words)
            self.table.now = now
            self.table.put_rows(0, lines, len(lines))
        super().tick(now)

    def on_health_table_placed(self) -> None:
        if self.table.now is not None:
            self.tick(self.table.now)  # lines are folded to the width

    def apply(self, changes: Changes) -> bool:
        return False

    def set_zone(self, zone: tzinfo) -> None:
        self._zone = zone
