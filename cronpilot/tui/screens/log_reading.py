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
        self.panel = self.make_panel()
        self.log_wanted: int | None = None  # the run that is, or will be, in the panel
        self.log_pinned = False  # the user went to this run; a newer one does not take its place
        self._log_settles = False  # it is not read before the cursor has rested

    @property
    def is_typing_in_log(self) -> bool:
        """Whether keys are letters of what is looked for."""
        line = self.panel.find_line
        return line is not None and line.has_focus_within

    @property
    def focused_part(self) -> str:
        return "log" if self.panel.output.has_focus else super().focused_part

    def make_panel(self) -> LogPanel:
        """What shows the output."""
        return LogPanel(id="panel")

    async def run_to_read(self, run_id: int) -> int:
        """The run whose output is worth showing where this one is asked for."""
        return run_id

    def run_is_shown(self, task_id: int, run_id: int) -> None:
        """The panel is about to show this run."""

    def show_log(
        self, run_id: int, *, settle: bool = False, again: bool = False, pin: bool = False
    ) -> None:
        """Show the output of a run from its end, then what it prints.

        `again`: it is the same, shown in another way. `pin`: the user went there.
        """
        self.log_pinned = pin or (again and self.log_pinned)
        if not again:
            self.log_wanted = run_id
        self._log_settles = settle
        self._follow_log(run_id, SETTLE if settle else 0, again)

    def hurry_log(self) -> None:
        """The log itself is wanted: do not wait until the cursor has rested."""
        if self._log_settles and self.log_wanted is not None:
            self.show_log(self.log_wanted)

    @work(exclusive=True, group="log")
    async def _follow_log(self, run_id: int, settle: float, again: bool) -> None:
        await asyncio.sleep(settle)
        self._log_settles = False
        feed, panel = LogFeed(self.panel), self.panel
        try:
            if not again:
                run_id = await self.run_to_read(run_id)
            if not again and panel.finder is not None:
                run = await self.client.run(run_id)
                self.run_is_shown(run.task_id, run_id)
            if panel.only and panel.finder is not None:
                await feed.show_matches(self.client, run_id, panel.finder.pattern)
            else:
                await feed.show(self.client, run_id)
        except NoEngine:
            return  # the status bar says so, and connecting again opens the log again
        except NotFound as error:
            self.panel.show_nothing([[Cell(clean(error.problem), "muted")]])
        except CronPilotError as error:
            self.tell_error(error)

    def show_place(self, offset: int) -> None:
        """Show the same run around a place of its output."""
        if self.panel.run_id is not None:
            self._show_place(self.panel.run_id, offset)

    @work(exclusive=True, group="log")
    async def _show_place(self, run_id: int, offset: int) -> None:
        with self.telling():
            await LogFeed(self.panel).show_place(self.client, run_id, offset)

    @on(LogView.TailWanted)
    def _tail_wanted(self) -> None:
        if self.panel.newer is not None:
            self.show_log(self.panel.newer)
        elif self.panel.run_id is not None:
            self.show_log(self.panel.run_id, again=True)

    @on(LogView.PlaceWanted)
    def _place_wanted(self, event: LogView.PlaceWanted) -> None:
        if not self.panel.only:
            self.show_place(event.offset)

    @on(LogView.OlderWanted)
    @work(exclusive=True, group="older log")
    async def _older_wanted(self) -> None:
        run_id, finder = self.panel.run_id, self.panel.finder
        if run_id is None:
            return
        with self.telling():
            if self.panel.only and finder is not None:
                await LogFeed(self.panel).read_older_matches(self.client, run_id, finder.pattern)
            else:
                await LogFeed(self.panel).read_older(self.client, run_id)

    @on(LogView.NewerWanted)
    @work(exclusive=True, group="older log")
    async def _newer_wanted(self) -> None:
        if self.panel.run_id is not None and not self.panel.only:
            with self.telling():
                await LogFeed(self.panel).read_newer(self.client, self.panel.run_id)
