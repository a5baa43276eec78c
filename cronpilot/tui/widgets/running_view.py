"""View 2: what runs, and what waits to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import ACTIVE
from cronpilot.tui.inbox import Changes
from cronpilot.tui.widgets.run_table import RunTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, RunView

LINGER = timedelta(seconds=30)
"""A run that ends under the cursor stays that long with its verdict, unless the cursor moves on."""


class RunningView(View):
    """All active runs, oldest first. They are few: all are held, and filtered here."""

    KEY = "2"
    TITLE = "Running"
    table: RunTable

    def __init__(self) -> None:
        super().__init__(RunTable(id="run-table"), id="running")
        self._runs: dict[int, RunView] = {}
        self._ended_at: dict[int, datetime] = {}

    @property
    def chosen(self) -> RunView | None:
        """The run under the cursor."""
        return self.table.row

    def things(self, status: EngineStatus | None) -> int:
        return status.running + status.queued + status.retrying if status else 0

    def put(self, runs: Iterable[RunView]) -> None:
        """All active runs, as just read."""
        active = {run.id: run for run in runs}
        over = {run_id: self._runs[run_id] for run_id in self._ended_at if run_id not in active}
        self._runs = {**over, **active}
        self._ended_at = {run_id: at for run_id, at in self._ended_at.items() if run_id in over}
        self._show()

    def apply(self, changes: Changes) -> bool:
        for run in changes.runs.values():
            if run.status in ACTIVE:
                self._runs[run.id] = run
                self._ended_at.pop(run.id, None)
            elif run.id in self._runs:
                self._end(run)
        if changes.runs:
            self._show()
        return changes.gap

    def let_go(self) -> None:
        """The cursor has moved on: what ended under it may go."""
        here = self.table.row_id
        for run_id in [run_id for run_id in self._ended_at if run_id != here]:
            self._forget(run_id)
        self._show()

    def tick(self, now: datetime) -> None:
        super().tick(now)
        over = [run_id for run_id, ended in self._ended_at.items() if now - ended > LINGER]
        for run_id in over:
            self._forget(run_id)
        if over:
            self._show()

    def set_zone(self, zone: tzinfo) -> None:
        self.table.zone = zone

    def _end(self, run: RunView) -> None:
        if run.id == self.table.row_id and self.table.now is not None:
            self._runs[run.id] = run
            self._ended_at[run.id] = self.table.now
        else:
            self._forget(run.id)

    def _forget(self, run_id: int) -> None:
        self._runs.pop(run_id, None)
        self._ended_at.pop(run_id, None)

    def _show(self) -> None:
        wanted = self.filter.casefold()
        rows = [run for run in self._runs.values() if wanted in run.task_name.casefold()]
        rows.sort(key=lambda run: run.id)
        self.table.put_rows(0, rows, len(rows))

    def refilter(self, text: str) -> None:
        """Show only runs of tasks whose name has `text` in it."""
        self.filter = text
        self._show()
