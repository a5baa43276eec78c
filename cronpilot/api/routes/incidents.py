"""What is wrong with tasks, who looks after it, and whether people can be told."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import MAX_ID, Engine
from cronpilot.client.incidents import Delivered, IncidentQuery, IncidentStory
from cronpilot.client.messages import IncidentView

router = APIRouter(prefix="/api", tags=["incidents"], route_class=LateRoute)

IncidentId = Annotated[int, Path(ge=1, le=MAX_ID)]


class Acknowledgement(BaseModel):
    """`note`: a line for the timeline, such as what is done about it."""

    note: str = Field(default="", max_length=500)


class Snooze(BaseModel):
    """`until`: no daily lines before then; null: no longer."""

    until: AwareDatetime | None


class TestMessage(BaseModel):
    """`to`: an address or the name of a channel; without it all that config.yaml names."""

    to: str | None = Field(default=None, min_length=1, max_length=300)


@router.get("/incidents/")
async def list_incidents(
    engine: Engine, query: Annotated[IncidentQuery, Query()]
) -> list[IncidentView]:
    """Incidents, newest first; by default those that are open."""
    return await engine.incidents(query)


@router.get("/incidents/{incident_id}")
async def show_incident(engine: Engine, incident_id: IncidentId) -> IncidentStory:
    """One incident with its timeline."""
    return await engine.incident(incident_id)


@router.post("/incidents/{incident_id}/acknowledge")
async def acknowledge(
    engine: Engine, incident_id: IncidentId, body: Acknowledgement | None = None
) -> IncidentStory:
    """Say that somebody looks after it: it is not told of daily any more."""
    return await engine.acknowledge(incident_id, note=body.note if body else "")


@router.post("/incidents/{incident_id}/snooze")
async def snooze(engine: Engine, incident_id: IncidentId, body: Snooze) -> IncidentStory:
    """Be silent about it for a while."""
    until = None if body.until is None else body.until.astimezone(UTC)
    return await engine.snooze(incident_id, until=until)


@router.post("/notifications/test")
async def test_notification(engine: Engine, body: TestMessage | None = None) -> list[Delivered]:
    """Send a test message now, and say what became of it."""
    return await engine.test_notification(to=body.to if body else None)
