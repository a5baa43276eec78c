"""The figures of the status bar, and who answers."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from pydantic import BaseModel

from cronpilot import __version__
from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.messages import EngineInfo, EngineStatus, Health

router = APIRouter(prefix="/api", tags=["status"], route_class=LateRoute)


class Meta(BaseModel):
    """What a client asks first: `api` is the major version that it has to speak."""

    api: int = 1
    engine: str | None
    version: str = __version__


@router.get("/status")
async def status(engine: Engine) -> EngineStatus:
    """Counts, limits, the next start, and what the user has to know now."""
    return await engine.status()


@router.get("/health")
async def health(engine: Engine) -> Health:
    """What needs attention, most of it of the last 24 hours, and how the engine is doing."""
    return await engine.health()


@router.get("/meta")
async def meta(engine: Engine, request: Request) -> Meta:
    """Who answers, and in which version of the API."""
    known: Callable[[], EngineInfo] | None = request.app.state.info
    # Everybody asks this first: it waits for no look at all tasks, as the status takes one.
    info = known() if known is not None else (await engine.status()).engine
    return Meta(engine=info.id if info else None)
