"""Pauses that end by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import Task

_TASK = Task.__table__  # type: ignore[attr-defined]

_ENDED = Prepared(
    select(_TASK.c.id, _TASK.c.name, _TASK.c.paused_until)
    .where(_TASK.c.paused_until <= bindparam("now"), _TASK.c.archived_at.is_(None))
    .order_by(_TASK.c.paused_until)
)
_NEXT = Prepared(
    select(_TASK.c.paused_until)
    .where(_TASK.c.paused_until.is_not(None), _TASK.c.archived_at.is_(None))
    .order_by(_TASK.c.paused_until)
    .limit(1)
)


def ended(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """Tasks whose pause is over: id, name, paused_until; soonest first.

    Served by the index `task_pause_end`."""
    return _ENDED.rows(connection, now=now)


def next_end(connection: Connection) -> datetime | None:
    """When the next pause ends. Served by the index `task_pause_end`."""
    at: datetime | None = _NEXT.scalar(connection)
    return at
