"""Incidents and telling, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cronpilot.client.http_connection import HttpConnection, given

if TYPE_CHECKING:
    from cronpilot.client.incidents import Delivered, IncidentQuery, IncidentStory
    from cronpilot.client.messages import IncidentView

SENDING_S = 600.0  # a test message to many by a slow server


class HttpIncidents(HttpConnection):
    """The part of `HttpClient` that asks what is wrong. Most commands need none of its messages."""

    async def incidents(self, query: IncidentQuery) -> list[IncidentView]:
        from cronpilot.client.messages import IncidentView

        rows, _ = await self._rows(IncidentView, "/api/incidents/", given(query))
        return rows

    async def incident(self, incident_id: int) -> IncidentStory:
        from cronpilot.client.incidents import IncidentStory

        return await self._read(IncidentStory, f"/api/incidents/{incident_id}")

    async def acknowledge(self, incident_id: int, *, note: str = "") -> IncidentStory:
        return await self._act(incident_id, "acknowledge", {"note": note})

    async def snooze(self, incident_id: int, *, until: datetime | None) -> IncidentStory:
        body = {"until": None if until is None else until.isoformat()}
        return await self._act(incident_id, "snooze", body)

    async def _act(self, incident_id: int, verb: str, body: dict[str, Any]) -> IncidentStory:
        from cronpilot.client.incidents import IncidentStory

        path = f"/api/incidents/{incident_id}/{verb}"
        return await self._change(IncidentStory, path, body)

    async def test_notification(self, *, to: str | None = None) -> list[Delivered]:
        from pydantic import TypeAdapter

        from cronpilot.client.incidents import Delivered

        answer = await self._ask(
            "POST", "/api/notifications/test", json={"to": to}, timeout=SENDING_S
        )
        with self._expecting_engine():
            return TypeAdapter(list[Delivered]).validate_json(answer.content)
