"""Definitions: create, change, delete, their revisions, and how they stand to tasks.yaml."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, Field

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import MAX_ID, Engine, IfVersion, TaskId, tell_version
from cronpilot.api.rights import require_for_fields
from cronpilot.client.messages import FileDifference, RevisionView, TaskView

router = APIRouter(prefix="/api", tags=["definitions"], route_class=LateRoute)

Fields = Annotated[dict[str, Any], Body(description="Fields as in tasks.yaml.")]


class NewSchedule(BaseModel):
    """`schedule_config`: an object, or the text of one in JSON."""

    schedule_type: str
    schedule_config: str | dict[str, Any] = Field(default_factory=dict)


class Undo(BaseModel):
    """`revision_id`: put back what was before it; default: before the newest."""

    revision_id: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None


@router.post("/tasks/", status_code=201)
async def create_task(engine: Engine, fields: Fields, response: Response) -> TaskView:
    """Add a task: name, command, schedule, and whatever else a tasks.yaml entry may have."""
    task = await engine.create_task(fields)
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return tell_version(response, task)


@router.patch("/tasks/{task_id}")
async def change_task(
    engine: Engine,
    request: Request,
    task_id: TaskId,
    fields: Fields,
    if_version: IfVersion,
    response: Response,
) -> TaskView:
    """Set these fields; null sets one back to its default."""
    require_for_fields(request, fields)
    task = await engine.change_task(task_id, fields, if_version=if_version)
    return tell_version(response, task)


@router.put("/tasks/{task_id}/schedule")
async def set_schedule(
    engine: Engine, task_id: TaskId, body: NewSchedule, if_version: IfVersion, response: Response
) -> TaskView:
    """Give it another schedule."""
    schedule = {"type": body.schedule_type, "config": body.schedule_config}
    task = await engine.change_task(task_id, {"schedule": schedule}, if_version=if_version)
    return tell_version(response, task)


@router.delete("/tasks/{task_id}")
async def delete_task(
    engine: Engine, task_id: TaskId, if_version: IfVersion, response: Response
) -> TaskView:
    """Archive it; its history stays, and undo brings it back."""
    return tell_version(response, await engine.delete_task(task_id, if_version=if_version))


@router.get("/tasks/{task_id}/revisions")
async def list_revisions(
    engine: Engine, task_id: TaskId, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> list[RevisionView]:
    """The changes of its definition, newest first; also of a task that was deleted."""
    return await engine.revisions(task_id, limit=limit)


@router.post("/tasks/{task_id}/undo")
async def undo(
    engine: Engine,
    task_id: TaskId,
    if_version: IfVersion,
    response: Response,
    body: Undo | None = None,
) -> TaskView:
    """Put back what was before a revision; what it deleted comes back."""
    revision_id = body.revision_id if body else None
    task = await engine.undo(task_id, revision_id=revision_id, if_version=if_version)
    return tell_version(response, task)


@router.get("/export", response_class=Response, responses={200: {"content": {"text/yaml": {}}}})
async def export(engine: Engine) -> Response:
    """All tasks as the text of a tasks.yaml."""
    return Response(await engine.export(), media_type="text/yaml; charset=utf-8")


@router.get("/differences")
async def differences(engine: Engine) -> list[FileDifference]:
    """How the tasks differ from the tasks file in force."""
    return await engine.differences()
