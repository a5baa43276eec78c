"""Revisions: every change of a task's definition, with what it was before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.storage.tables import Revision

_REVISION = Revision.__table__  # type: ignore[attr-defined]


def add(
    connection: Connection,
    task_id: int,
    *,
    at: datetime,
    actor: str,
    version: int,
    before: TaskSpec | None,
    after: TaskSpec | None,
) -> None:
    """Record a change. No `before`: made or brought back; no `after`: archived."""
    values = {
        "task_id": task_id, "at": at, "actor": actor, "version": version,
        "before": None if before is None else spec_dict(before),
        "after": None if after is None else spec_dict(after),
    }  # fmt: skip
    connection.execute(insert(_REVISION), values)


def newest(connection: Connection, task_id: int, *, limit: int) -> list[RowMapping]:
    """The revisions of one task, newest first. Served by the index `revision_task`."""
    return list(
        connection.execute(
            select(_REVISION)
            .where(_REVISION.c.task_id == task_id)
            .order_by(_REVISION.c.id.desc())
            .limit(limit)
        ).mappings()
    )


def at_version(connection: Connection, task_id: int, version: int) -> dict[str, Any] | None:
    """What the definition was at that version; None where it was not kept."""
    return connection.execute(
        select(_REVISION.c.after)
        .where(_REVISION.c.task_id == task_id, _REVISION.c.version == version)
        .order_by(_REVISION.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def one(connection: Connection, task_id: int, revision_id: int) -> RowMapping | None:
    """One revision of that task."""
    return (
        connection.execute(
            select(_REVISION).where(_REVISION.c.task_id == task_id, _REVISION.c.id == revision_id)
        )
        .mappings()
        .one_or_none()
    )
