"""What comes and what has been, over HTTP."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from cronpilot.client.agenda import (
    Outlook,
    Timeline,
    TimelineQuery,
    TimelineRow,
    UpcomingPage,
    UpcomingQuery,
)

M = TypeVar("M", bound=BaseModel)


class HttpAgenda:
    """For HttpClient, which knows how to ask."""

    async def _read(self, kind: type[M], path: str, params: dict[str, Any] | None = None) -> M:
        raise NotImplementedError

    async def _rows(self, kind: type[M], path: str, params: dict[str, Any]) -> tuple[list[M], int]:
        raise NotImplementedError

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        return await self._read(UpcomingPage, "/api/upcoming", _given(query))

    async def outlook(self, *, hours: int = 24) -> Outlook:
        return await self._read(Outlook, "/api/outlook", {"hours": hours})

    async def timeline(self, query: TimelineQuery) -> Timeline:
        rows, total = await self._rows(TimelineRow, "/api/timeline", _given(query))
        return Timeline(rows=rows, total=total)


def _given(query: BaseModel) -> dict[str, Any]:
    """The fields that differ from their defaults, as query parameters."""
    return query.model_dump(mode="json", exclude_defaults=True)
