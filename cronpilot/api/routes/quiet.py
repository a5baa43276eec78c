"""Quiet times: when they hold, and what they keep still."""

from __future__ import annotations

from fastapi import APIRouter

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.quiet import QuietTime

router = APIRouter(prefix="/api", tags=["upcoming"], route_class=LateRoute)


@router.get("/quiet")
async def list_quiet_times(engine: Engine) -> list[QuietTime]:
    """The quiet times of config.yaml, by name, with the next slots that each will skip."""
    return await engine.quiet_times()
