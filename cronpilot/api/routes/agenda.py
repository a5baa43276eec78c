"""What comes, how much of it an hour, and how it looks beside what has been."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine, tell_total
from cronpilot.client.agenda import Outlook, TimelineQuery, TimelineRow, UpcomingPage, UpcomingQuery

router = APIRouter(prefix="/api", tags=["upcoming"], route_class=LateRoute)


@router.get("/upcoming")
async def list_upcoming(engine: Engine, query: Annotated[UpcomingQuery, Query()]) -> UpcomingPage:
    """Planned starts across all tasks, soonest first, and whom each meets by usual durations."""
    return await engine.upcoming(query)


@router.get("/outlook")
async def show_outlook(engine: Engine, hours: Annotated[int, Query(ge=1, le=168)] = 24) -> Outlook:
    """How many starts are planned in each of the next hours, and of which tasks nothing is."""
    return await engine.outlook(hours=hours)


@router.get("/timeline")
async def show_timeline(
    engine: Engine, query: Annotated[TimelineQuery, Query()], response: Response
) -> list[TimelineRow]:
    """Past runs and planned starts of tasks within a stretch of time, folded into its cells."""
    picture = await engine.timeline(query)
    tell_total(response, picture.total)
    return picture.rows
