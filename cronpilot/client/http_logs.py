"""A run's output over HTTP: looking for text in it, and comparing it with another run's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.client.http_connection import HttpConnection, given

if TYPE_CHECKING:
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.log_search import LogMatches, LogQuery


class HttpLogs(HttpConnection):
    """The part of `HttpClient` that looks into logs."""

    async def search_log(self, run_id: int, query: LogQuery) -> LogMatches:
        from cronpilot.client.log_search import LogMatches  # most commands need none of it

        return await self._read(LogMatches, f"/api/runs/{run_id}/log/search", given(query))

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        from cronpilot.client.comparison import CompareQuery, Comparison  # see above

        query = CompareQuery(against=against, exact=exact)
        return await self._read(Comparison, f"/api/runs/{run_id}/compare", given(query))
