"""Users, who is asking, and the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine, tell_next
from cronpilot.api.rights import identity_of
from cronpilot.client.users import AuditEntry, AuditQuery, Me, UserView
from cronpilot.domain.access import Role

router = APIRouter(prefix="/api", tags=["users"], route_class=LateRoute)

Name = Annotated[str, Path(min_length=1, max_length=200)]
Password = Annotated[str, Field(max_length=4096)]


class NewUser(BaseModel):
    """`password`: at least 8 characters."""

    name: Annotated[str, Field(max_length=200)]
    role: Role
    password: Password


class UserChanges(BaseModel):
    """What is not given stays. A new password ends all sessions of the user."""

    role: Role | None = None
    password: Password | None = None


@router.get("/me")
async def me(request: Request) -> Me:
    """Who is asking; the owner of the unix socket has no name."""
    identity = identity_of(request)
    return Me(name=identity.name, role=identity.role)


@router.get("/users/")
async def list_users(engine: Engine) -> list[UserView]:
    """Everybody who may come in over the network, by name."""
    return await engine.users()


@router.post("/users/", status_code=201)
async def add_user(engine: Engine, body: NewUser) -> UserView:
    """Let somebody in."""
    return await engine.add_user(body.name, role=body.role, password=body.password)


@router.patch("/users/{name:path}")
async def change_user(engine: Engine, name: Name, body: UserChanges) -> UserView:
    """Give a user another role or another password."""
    return await engine.change_user(name, role=body.role, password=body.password)


@router.delete("/users/{name:path}")
async def remove_user(engine: Engine, name: Name) -> UserView:
    """Let somebody in no more; all sessions of the user end."""
    return await engine.remove_user(name)


@router.get("/audit")
async def audit(
    engine: Engine, query: Annotated[AuditQuery, Query()], request: Request, response: Response
) -> list[AuditEntry]:
    """Who did what, newest first; `before` is the id of the last one already seen."""
    entries = await engine.audit(query)
    if len(entries) == query.limit:
        tell_next(request, response, before=entries[-1].id)
    return entries
