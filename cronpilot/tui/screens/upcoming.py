"""The part of the dashboard that looks ahead: reads what view 3 lacks, while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from cronpilot.errors import CronPilotError, NoEngine
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.widgets.line_table import WINDOW, LineTable
from cronpilot.tui.widgets.timeline_table import TimelineTable
from cronpilot.tui.widgets.upcoming_view import MOST, UpcomingView

if TYPE_CHECKING:
    from cronpilot.client.agenda import UpcomingStart
    from cronpilot.client.messages import EngineStatus


class UpcomingScreen(AskingScreen[None], inherit_bindings=False):
    """Asks for starts page by page, for the hours, and for the timeline."""

    status: EngineStatus | None

    def __init__(self) -> None:
        super().__init__()
        self.upcoming = UpcomingView()

    def tell_upcoming(self) -> None:
        """While it is seen: read it when it is time to, and say why there are no rows."""
        view = self.upcoming
        view.say_instead(is_read=view.outlook is not None)
        if not view.is_current or self.pilot_app.client is None:
            return
        if view.is_due(self.now()):
            self._read_upcoming()

    @on(UpcomingView.Wanted)
    def _upcoming_wanted(self) -> None:
        self.tell_upcoming()

    @on(TimelineTable.Moved)
    def _timeline_moved(self) -> None:
        if self.upcoming.is_picture and self.upcoming.is_current:
            self._read_timeline(self.upcoming.picture.wanted_offset())

    @on(LineTable.RowsWanted)
    def _upcoming_rows_wanted(self, event: LineTable.RowsWanted) -> None:
        if event.table is self.upcoming.picture:
            self._read_timeline(event.offset)
        elif event.table is self.upcoming.list and self.upcoming.has_more:
            self._read_more()

    def _read_upcoming(self) -> None:
        if self.upcoming.is_picture:
            self._read_timeline(self.upcoming.picture.wanted_offset())
        else:
            self._read_starts()
            self._read_outlook()

    @work(exclusive=True, group="read starts")
    async def _read_starts(self) -> None:
        """From now on, as far as the list was read before."""
        view = self.upcoming
        wanted = min(len(view.rows), MOST)
        rows: list[UpcomingStart] = []
        more = True
        try:
            while more and (not rows or len(rows) < wanted):
                rows, more = await self._page_behind(rows)
        except NoEngine:
            return  # the status bar says so, and connecting again reads again
        except CronPilotError as error:
            self.tell_error(error)
            return
        view.put(rows, more=more)

    @work(exclusive=True, group="read starts")
    async def _read_more(self) -> None:
        try:
            rows, more = await self._page_behind(self.upcoming.rows)
        except NoEngine:
            return
        except CronPilotError as error:
            self.tell_error(error)
            return
        self.upcoming.put(rows, more=more)

    async def _page_behind(self, rows: list[UpcomingStart]) -> tuple[list[UpcomingStart], bool]:
        """These starts and the page that follows, and whether there are more."""
        from cronpilot.client.agenda import UpcomingQuery  # after the first paint

        query = UpcomingQuery(text=self.upcoming.filter, limit=WINDOW)
        if rows:
            last = rows[-1]
            query = query.model_copy(
                update={"since": last.starts_at, "after_task": last.task_id}
            )  # fmt: skip
        page = await self.client.upcoming(query)
        return [*rows, *page.rows], page.more

    @work(exclusive=True, group="read outlook")
    async def _read_outlook(self) -> None:
        try:
            outlook = await self.client.outlook()
        except CronPilotError:
            return  # the list says what is wrong
        self.upcoming.put_outlook(outlook, self.status.max_workers if self.status else 10)
        self.tell_upcoming()

    def timeline_order(self) -> tuple[str, bool]:
        """By what the rows of the timeline are sorted, and whether downward."""
        return "id", False

    @work(exclusive=True, group="read timeline")
    async def _read_timeline(self, offset: int) -> None:
        from cronpilot.client.agenda import TimelineQuery  # after the first paint

        view = self.upcoming
        table = view.picture
        if not table.canvas_width:
            return
        scale = table.window.scale(self.now(), table.canvas_width)
        sort, descending = self.timeline_order()
        query = TimelineQuery.model_validate(
            {"since": scale.since, "until": scale.until, "cells": scale.cells, "sort": sort,
             "descending": descending, "text": view.filter, "offset": offset,
             "limit": table.at_once}
        )  # fmt: skip
        try:
            picture = await self.client.timeline(query)
        except NoEngine:
            return
        except CronPilotError as error:
            self.tell_error(error)
            return
        view.put_picture(offset, picture.rows, picture.total, scale)
