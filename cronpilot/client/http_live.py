"""What runs take of the machine, and what passed without an engine, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cronpilot.client.http_connection import HttpConnection

if TYPE_CHECKING:
    from cronpilot.client.live import Downtime, RunUsage


class HttpLive(HttpConnection):
    """The part of `HttpClient` that looks at processes. Most commands need none of it."""

    async def usage(self) -> list[RunUsage]:
        from cronpilot.client.live import RunUsage

        rows, _ = await self._rows(RunUsage, "/api/usage", {})
        return rows

    async def downtime(self) -> Downtime | None:
        from cronpilot.client.live import Downtime

        answer = await self._ask("GET", "/api/downtime")
        with self._expecting_engine():
            if json.loads(answer.content) is None:
                return None
            return Downtime.model_validate_json(answer.content)

    async def dismiss_downtime(self) -> None:
        await self._ask("POST", "/api/downtime/dismiss")
