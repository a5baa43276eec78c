"""What runs take of the machine now, and what passed while no engine was there."""

from __future__ import annotations

from fastapi import APIRouter

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.live import Downtime, RunUsage

router = APIRouter(prefix="/api", tags=["live"], route_class=LateRoute)


@router.get("/usage")
async def list_usage(engine: Engine) -> list[RunUsage]:
    """CPU and memory of the processes of each run that goes; measured when asked for."""
    return await engine.usage()


@router.get("/downtime")
async def show_downtime(engine: Engine) -> Downtime | None:
    """What passed before this engine started and what it made up for; null where nothing did."""
    return await engine.downtime()


@router.post("/downtime/dismiss", status_code=204)
async def dismiss_downtime(engine: Engine) -> None:
    """It was looked over: say no more of it."""
    await engine.dismiss_downtime()
