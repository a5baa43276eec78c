"""Tasks: which there are, one of them, and what can be done with it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import (
    Engine,
    IfVersion,
    TaskId,
    tell_next,
    tell_next_runs,
    tell_total,
    tell_version,
)
from cronpilot.api.rights import require
from cronpilot.client.messages import (
    Explanation,
    FireTime,
    RunQuery,
    RunView,
    TaskQuery,
    TaskView,
)
from cronpilot.domain.access import Role

router = APIRouter(prefix="/api/tasks", tags=["tasks"], route_class=LateRoute)

RequestId = Annotated[str, Field(min_length=1, max_length=200)]


class Start(BaseModel):
    """`request_id`: the same one again returns the same run, so a start can safely be resent."""

    request_id: RequestId | None = None


class Test(Start):
    """`spec`: fields in place of the task's own, none of them saved. `as_scheduled`: overlap, pools
    and deadline hold as for a slot; else it starts beside whatever goes on."""

    spec: dict[str, Any] | None = None
    as_scheduled: bool = False


class Pause(BaseModel):
    """`until`: when it is resumed by itself. `run_after`: one run then, if a slot has passed."""

    until: AwareDatetime | None = None
    run_after: bool = False


@router.get("/")
async def list_tasks(
    engine: Engine, query: Annotated[TaskQuery, Query()], request: Request, response: Response
) -> list[TaskView]:
    """The tasks that match; how many there are in all in the header X-Total-Count, and where the
    next page is in the header Link."""
    page = await engine.tasks(query)
    tell_total(response, page.total)
    if len(page.rows) == query.limit:
        tell_next(request, response, after=page.rows[-1].id, offset=0)
    return page.rows


@router.get("/find")
async def find_task(
    engine: Engine, name: str, response: Response, archived: bool = False
) -> TaskView:
    """The task of that name, else (all digits) of that id; `archived`: else a deleted one."""
    return tell_version(response, await engine.find_task(name, archived=archived))


@router.get("/{task_id}")
async def get_task(engine: Engine, task_id: TaskId, response: Response) -> TaskView:
    """One task; its version is the ETag."""
    return tell_version(response, await engine.task(task_id))


@router.get("/{task_id}/runs")
async def list_runs_of_task(
    engine: Engine,
    task_id: TaskId,
    query: Annotated[RunQuery, Query()],
    request: Request,
    response: Response,
) -> list[RunView]:
    """Its runs, newest first; where the next page is in the header Link."""
    await engine.task(task_id)
    page = await engine.runs(query.model_copy(update={"task_id": task_id}))
    tell_total(response, page.total)
    tell_next_runs(request, response, query, page)
    return page.rows


@router.get("/{task_id}/fire-times")
async def list_fire_times_of_task(
    engine: Engine, task_id: TaskId, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> list[FireTime]:
    """When it will start next, soonest first."""
    await engine.task(task_id)
    return await engine.fire_times(task_id=task_id, limit=limit)


@router.get("/{task_id}/why")
async def explain_task(
    engine: Engine, task_id: TaskId, at: AwareDatetime | None = None
) -> Explanation:
    """Why it did, or did not, start at that time; without one: what it does now and next."""
    return await engine.why(task_id, at=at)


@router.post("/{task_id}/run", status_code=202)
async def run_task(
    engine: Engine,
    task_id: TaskId,
    if_version: IfVersion,
    body: Start | None = None,
    x_request_id: Annotated[RequestId | None, Header()] = None,
) -> RunView:
    """Start it now. The run may already be over: `skipped: already_running`."""
    request_id = (body.request_id if body else None) or x_request_id or str(uuid.uuid4())
    return await engine.run_now(task_id, request_id=request_id, if_version=if_version)


@router.post("/{task_id}/test", status_code=202)
async def test_task(
    engine: Engine,
    request: Request,
    task_id: TaskId,
    if_version: IfVersion,
    body: Test | None = None,
    x_request_id: Annotated[RequestId | None, Header()] = None,
) -> RunView:
    """Start it as a test, which counts for nothing."""
    body = body or Test()
    if body.spec is not None:
        require(request, Role.ADMIN)
    return await engine.test_task(
        task_id, spec=body.spec, as_scheduled=body.as_scheduled,
        request_id=body.request_id or x_request_id or str(uuid.uuid4()), if_version=if_version,
    )  # fmt: skip


@router.post("/{task_id}/pause")
async def pause_task(
    engine: Engine, task_id: TaskId, if_version: IfVersion, body: Pause | None = None
) -> TaskView:
    """Start it no more until it is resumed, by hand or at `until`; what runs goes on."""
    body = body or Pause()
    return await engine.pause_task(
        task_id, until=body.until, run_after=body.run_after, if_version=if_version
    )


@router.post("/{task_id}/resume")
async def resume_task(engine: Engine, task_id: TaskId, if_version: IfVersion) -> TaskView:
    """Start it again from its next fire time on."""
    return await engine.resume_task(task_id, if_version=if_version)
