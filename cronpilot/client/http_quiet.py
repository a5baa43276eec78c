"""Quiet times, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.client.http_connection import HttpConnection

if TYPE_CHECKING:
    from cronpilot.client.quiet import QuietTime


class HttpQuiet(HttpConnection):
    """The part of `HttpClient` that asks for quiet times."""

    async def quiet_times(self) -> list[QuietTime]:
        from cronpilot.client.quiet import QuietTime

        rows, _ = await self._rows(QuietTime, "/api/quiet", {})
        return rows
