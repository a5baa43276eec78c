"""The scheduler as a whole: pause it, reload its tasks, copy its database, end it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.messages import EngineStatus, ReloadResult

router = APIRouter(prefix="/api", tags=["scheduler"], route_class=LateRoute)


class Pause(BaseModel):
    """`until`: when it is resumed by itself."""

    until: AwareDatetime | None = None


class Backup(BaseModel):
    """`path`: a new file on the engine's machine."""

    path: str = Field(min_length=1, max_length=4096)


class Shutdown(BaseModel):
    """`with_tasks`: stop what runs, too; otherwise it goes on without an engine."""

    with_tasks: bool = False


@router.post("/scheduler/pause")
async def pause(engine: Engine, body: Pause | None = None) -> EngineStatus:
    """Start nothing by schedule until it is resumed, by hand or at `until`; what runs goes on."""
    return await engine.pause_scheduler(until=body.until if body else None)


@router.post("/scheduler/resume")
async def resume(engine: Engine) -> EngineStatus:
    """Start by schedule again."""
    return await engine.resume_scheduler()


@router.post("/reload")
async def reload(engine: Engine) -> ReloadResult:
    """Read tasks.yaml again; a file with a mistake changes nothing."""
    return await engine.reload()


@router.post("/backup")
async def backup(engine: Engine, body: Backup) -> Backup:
    """Copy the database, consistent, to a new file; its absolute path."""
    return Backup(path=await engine.backup(body.path))


@router.post("/shutdown", status_code=202)
async def shutdown(engine: Engine, body: Shutdown | None = None) -> Shutdown:
    """End the engine."""
    wanted = body or Shutdown()
    await engine.shutdown(with_tasks=wanted.with_tasks)
    return wanted
