"""Runs: what happened, and what happens now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine, RunId, tell_next_runs, tell_total
from cronpilot.client import StopSignal
from cronpilot.client.messages import AttemptView, RunQuery, RunView

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=LateRoute)


class Stop(BaseModel):
    """The signal that goes to the run's whole tree of processes first."""

    signal: StopSignal = "TERM"


@router.get("/")
async def list_runs(
    engine: Engine, query: Annotated[RunQuery, Query()], request: Request, response: Response
) -> list[RunView]:
    """Runs, newest first; `before` is the id of the last one already seen. The header Link says
    where the next page is."""
    page = await engine.runs(query)
    tell_total(response, page.total)
    tell_next_runs(request, response, query, page)
    return page.rows


@router.get("/{run_id}")
async def get_run(engine: Engine, run_id: RunId) -> RunView:
    """One run, with the variables that its command got."""
    return await engine.run(run_id)


@router.get("/{run_id}/attempts")
async def list_attempts(engine: Engine, run_id: RunId) -> list[AttemptView]:
    """Every try to start its command, oldest first."""
    return await engine.attempts(run_id)


@router.post("/{run_id}/stop", status_code=202)
async def stop_run(engine: Engine, run_id: RunId, body: Stop | None = None) -> RunView:
    """Ask it to end; it is killed when its grace is over."""
    return await engine.stop_run(run_id, signal=(body or Stop()).signal)
