"""A screen with a log panel: reads what the panel shows, and keeps reading."""

from __future__ import annotations

import asyncio

from textual import on, work

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NoEngine, NotFound
from cronpilot.tui.formatting import Cell
from cronpilot.tui.log_feed import LogFeed
from cronpilot.tui.screens.acting import ActingScreen
from cronpilot.tui.widgets.log_panel import LogPanel
from cronpilot.tui.widgets.log_view import LogView

SETTLE = 0.1
"""Seconds the cursor has to rest on a row before its log is read: not at every key held down."""


class LogReadingScreen(ActingScreen):
    """Feeds `panel` with the output of one run at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.panel = LogPanel(id="panel")
        self.log_wanted: int | None = None  # the run that is, or will be, in the panel

    @property
    def focused_part(self) -> str:
        return "log" if self.panel.output.has_focus else super().focused_part

    async def run_to_read(self, run_id: int) -> int:
        """The run whose output is worth showing where this one is asked for."""
        return run_id

    def show_log(self, run_id: int, *, settle: bool = False) -> None:
        """Show the output of a run from its end, then what it prints."""
        self.log_wanted = run_id
        self._follow_log(run_id, SETTLE if settle else 0)

    @work(exclusive=True, group="log")
    async def _follow_log(self, run_id: int, settle: float) -> None:
        await asyncio.sleep(settle)
        try:
            await LogFeed(self.panel).show(self.client, await self.run_to_read(run_id))
        except NoEngine:
            return  # the status bar says so, and connecting again opens the log again
        except NotFound as error:
            self.panel.show_nothing([[Cell(clean(error.problem), "muted")]])
        except CronPilotError as error:
            self.tell_error(error)

    @on(LogView.TailWanted)
    def _tail_wanted(self) -> None:
        if self.panel.run_id is not None:
            self.show_log(self.panel.run_id)

    @on(LogView.OlderWanted)
    @work(exclusive=True, group="older log")
    async def _older_wanted(self) -> None:
        if self.panel.run_id is not None:
            with self.telling():
                await LogFeed(self.panel).read_older(self.client, self.panel.run_id)
