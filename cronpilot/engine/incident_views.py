"""Incidents as front ends read them: with an engine and without one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cronpilot.client.messages import IncidentView, TellingState
from cronpilot.errors import NotFound
from cronpilot.storage import incidents, outbox
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from cronpilot.client.incidents import IncidentQuery, IncidentStory
    from cronpilot.engine.reading import Reader

MOST_SHOWN = 50
WEEK = timedelta(days=7)


class IncidentReader:
    """Answers what front ends ask about incidents."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def incidents(self, query: IncidentQuery) -> list[IncidentView]:
        def read(connection: Connection) -> list[IncidentView]:
            rows = incidents.page(
                connection, state=query.state, task_id=query.task_id, most=query.limit,
                before=query.before,
            )  # fmt: skip
            return [incident_view(row) for row in rows]

        return await self._reader.read(read)

    async def incident(self, incident_id: int) -> IncidentStory:
        return await self._reader.read(lambda connection: story_of(connection, incident_id))


def incident_view(row: Mapping[Any, Any]) -> IncidentView:
    """A row of `storage.incidents.page`."""
    return IncidentView.model_validate(dict(row))


def story_of(connection: Connection, incident_id: int) -> IncidentStory:
    """An incident with its timeline. Raises NotFound."""
    from cronpilot.client.incidents import IncidentEventView, IncidentStory

    row = incidents.one(connection, incident_id)
    if row is None:
        raise NotFound("incident", str(incident_id))
    events = [
        IncidentEventView.model_validate(dict(event))
        for event in incidents.timeline(connection, incident_id)
    ]
    return IncidentStory.model_validate({**row, "events": events})


def open_incidents(connection: Connection) -> list[IncidentView]:
    """The newest of those that are open."""
    rows = incidents.page(connection, state="open", task_id=None, most=MOST_SHOWN, before=None)
    return [incident_view(row) for row in rows]


def telling_state(connection: Connection, now: datetime, dropped: int) -> TellingState:
    """How sending goes."""
    state = outbox.state(connection, now - WEEK)
    return TellingState(
        waiting=state.waiting, oldest_at=state.oldest_at, gave_up=state.gave_up,
        error=state.error, error_at=state.error_at, error_target=state.error_target,
        sent_at=state.sent_at, dropped=dropped,
    )  # fmt: skip
