"""What comes and what has been, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.client.http_connection import HttpConnection, given

if TYPE_CHECKING:
    from cronpilot.client.agenda import (
        Outlook,
        Timeline,
        TimelineQuery,
        UpcomingPage,
        UpcomingQuery,
    )


class HttpAgenda(HttpConnection):
    """The part of `HttpClient` that looks ahead. Most commands need none of its messages."""

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        from cronpilot.client.agenda import UpcomingPage

        return await self._read(UpcomingPage, "/api/upcoming", given(query))

    async def outlook(self, *, hours: int = 24) -> Outlook:
        from cronpilot.client.agenda import Outlook

        return await self._read(Outlook, "/api/outlook", {"hours": hours})

    async def timeline(self, query: TimelineQuery) -> Timeline:
        from cronpilot.client.agenda import Timeline, TimelineRow

        rows, total = await self._rows(TimelineRow, "/api/timeline", given(query))
        return Timeline(rows=rows, total=total)
