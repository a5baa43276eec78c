"""Quiet times, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cronpilot.client.quiet import QuietTime


class HttpQuiet:
    """The part of `HttpClient` that asks for quiet times."""

    async def _rows(self, kind: Any, path: str, params: dict[str, Any]) -> Any:
        raise NotImplementedError

    async def quiet_times(self) -> list[QuietTime]:
        from cronpilot.client.quiet import QuietTime

        rows: list[QuietTime]
        rows, _ = await self._rows(QuietTime, "/api/quiet", {})
        return rows
