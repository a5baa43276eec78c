"""The part of the dashboard that fills the panel below the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.binding import Binding

from cronpilot.errors import CronPilotError, NoEngine
from cronpilot.tui.inbox import Changes
from cronpilot.tui.screens.log_taking import LogTakingScreen
from cronpilot.tui.widgets.detail_panel import LOG, TABS, DetailPanel

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView
    from cronpilot.tui.formatting import Cell

DETAIL_KEYS = (
    Binding("left_square_bracket", "tab(-1)", "Tab before", id="panel.before", show=False,
            tooltip="Log, next runs, recent runs, definition: the one before"),
    Binding("right_square_bracket", "tab(1)", "Next tab", id="panel.next", show=False,
            tooltip="Log, next runs, recent runs, definition: the next one"),
)  # fmt: skip
"""For the bindings of a screen."""

NEXT, RECENT = 30, 50
"""Starts, and runs, that are read."""


class DetailsScreen(LogTakingScreen):
    """Reads for the panel what belongs to the task of the row under the cursor."""

    panel: DetailPanel

    def make_panel(self) -> DetailPanel:
        return DetailPanel(id="panel")

    def action_tab(self, by: int) -> None:
        """Another tab of the panel."""
        index = (TABS.index(self.panel.tab) + by) % len(TABS)
        self.panel.show_tab(TABS[index])
        self.read_details()

    def show_log_tab(self) -> None:
        """The log, whatever the panel shows."""
        if self.panel.tab is not LOG:
            self.panel.show_tab(LOG)

    def read_details(self) -> None:
        """Read what the current tab shows; nothing where that is the log."""
        chosen = self.chosen_task()
        if self.panel.tab is not LOG and chosen is not None:
            self._read_details(*chosen)

    def apply_to_details(self, changes: Changes) -> None:
        """Things are different now."""
        chosen = self.chosen_task()
        if self.panel.tab is LOG or chosen is None:
            return
        its_runs = any(run.task_id == chosen[0] for run in changes.runs.values())
        if chosen[0] in changes.tasks or its_runs or changes.gap:
            self.read_details()

    @work(exclusive=True, group="read details")
    async def _read_details(self, task_id: int, name: str) -> None:
        try:
            lines = await self._detail_lines(await self.client.task(task_id))
        except NoEngine:
            return  # the status bar says so
        except CronPilotError as error:
            self.tell_error(error)
            return
        self.panel.show_details(name, lines)

    async def _detail_lines(self, task: TaskView) -> list[list[Cell]]:
        from cronpilot.client.messages import RunQuery  # after the first paint
        from cronpilot.tui import detail_lines

        now, zone = self.now(), self.panel.output.zone
        match self.panel.tab.name:
            case "next":
                starts = await self.client.fire_times(task_id=task.id, limit=NEXT)
                return detail_lines.next_lines(starts, task, now, zone)
            case "runs":
                page = await self.client.runs(RunQuery(task_id=task.id, limit=RECENT))
                marks = self.panel.output.marks
                record = [detail_lines.record_line(task, now, marks)] if task.last_verdicts else []
                return [*record, *detail_lines.run_lines(page.rows, now, zone, marks)]
            case _:
                return detail_lines.definition_lines(task, now)
