"""What comes and what has been, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cronpilot.client.agenda import (
        Outlook,
        Timeline,
        TimelineQuery,
        UpcomingPage,
        UpcomingQuery,
    )


class HttpAgenda:
    """The part of `HttpClient` that looks ahead. Most commands need none of its messages."""

    async def _read(self, kind: Any, path: str, params: dict[str, Any] | None = None) -> Any:
        raise NotImplementedError

    async def _rows(self, kind: Any, path: str, params: dict[str, Any]) -> Any:
        raise NotImplementedError

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        from cronpilot.client.agenda import UpcomingPage

        page: UpcomingPage = await self._read(UpcomingPage, "/api/upcoming", _given(query))
        return page

    async def outlook(self, *, hours: int = 24) -> Outlook:
        from cronpilot.client.agenda import Outlook

        outlook: Outlook = await self._read(Outlook, "/api/outlook", {"hours": hours})
        return outlook

    async def timeline(self, query: TimelineQuery) -> Timeline:
        from cronpilot.client.agenda import Timeline, TimelineRow

        rows, total = await self._rows(TimelineRow, "/api/timeline", _given(query))
        return Timeline(rows=rows, total=total)


def _given(query: Any) -> dict[str, Any]:
    """The fields that differ from their defaults, as query parameters."""
    given: dict[str, Any] = query.model_dump(mode="json", exclude_defaults=True)
    return given
