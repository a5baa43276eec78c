"""What crosses about users, pools and the audit."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from cronpilot.client.message import Message
from cronpilot.domain.access import Role


class UserView(Message):
    """Somebody who may come in over the network."""

    name: str
    role: Role
    created_at: datetime
    password_set_at: datetime


class Me(Message):
    """Who is asking. `name` is empty for the owner of the unix socket."""

    name: str
    role: Role


class PoolView(Message):
    """Slots that the runs of its tasks share. The pool without a name is all worker slots."""

    name: str
    slots: int
    busy: int
    waiting: int


class AuditEntry(Message):
    """Somebody did something."""

    id: int
    at: datetime
    actor: str
    action: str
    task_id: int | None = None
    run_id: int | None = None
    detail: str = ""


class AuditQuery(Message):
    """Which entries, newest first; `before` is the id of the last one already seen."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    actor: str | None = None  # exactly this one
    action: str | None = None
    since: datetime | None = None  # at or after
    until: datetime | None = None  # before
    before: int | None = Field(default=None, ge=1, le=2**53)
    limit: int = Field(default=50, ge=1, le=200)
