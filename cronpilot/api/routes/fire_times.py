"""What comes next, over all tasks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.messages import FireTime

router = APIRouter(prefix="/api/fire-times", tags=["tasks"], route_class=LateRoute)


@router.get("")
async def list_fire_times(
    engine: Engine, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> list[FireTime]:
    """The next planned starts, soonest first."""
    return await engine.fire_times(limit=limit)
