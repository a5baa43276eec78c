"""What alarms look at: the last good runs of a task, what goes on, and who has been silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, func, select, text

from cronpilot.domain.alarms import SAMPLES
from cronpilot.domain.run import Status
from cronpilot.storage.database import BY_OPEN, BY_TASK, DIALECT
from cronpilot.storage.tables import OPEN, Attempt, Run, Task

RUN = Run.__table__  # type: ignore[attr-defined]
TASK = Task.__table__  # type: ignore[attr-defined]
ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

LOOKED_THROUGH = 500
"""Runs of a task among which its last good ones are looked for."""
MOST_OPEN = 1_000
"""Open runs that one pass looks at, the oldest first."""

_NEWEST = (
    select(RUN.c.id, RUN.c.status, RUN.c.trigger, RUN.c.scheduled_for, RUN.c.started_at,
           RUN.c.finished_at, RUN.c.attempts)
    .with_hint(RUN, BY_TASK, DIALECT)
    .where(RUN.c.task_id == bindparam("task"), RUN.c.trigger != "test")
    .order_by(RUN.c.id.desc())
    .limit(LOOKED_THROUGH)
    .subquery()
)  # fmt: skip
_GOOD = (
    select(_NEWEST.c.trigger, _NEWEST.c.scheduled_for, _NEWEST.c.started_at, _NEWEST.c.finished_at)
    .where(_NEWEST.c.status == "success", _NEWEST.c.attempts <= 1)
    .order_by(_NEWEST.c.id.desc())
    .limit(SAMPLES)
)


def good_runs(connection: Connection, task_id: int) -> tuple[list[timedelta], list[timedelta]]:
    """How long the last successes took, and how late those began that had a slot; newest first.

    Successes at the first attempt: pauses between attempts are not what the work takes.
    """
    lengths, delays = [], []
    for row in connection.execute(_GOOD, {"task": task_id}):
        if row.started_at is None or row.finished_at is None:
            continue
        lengths.append(max(timedelta(), row.finished_at - row.started_at))
        if row.trigger == "schedule" and row.scheduled_for is not None:
            delays.append(max(timedelta(), row.started_at - row.scheduled_for))
    return lengths, delays


_ATTEMPT_BEGAN = (
    select(func.max(ATTEMPT.c.started_at)).where(ATTEMPT.c.run_id == RUN.c.id).scalar_subquery()
)
_GOES_ON = (
    select(
        # A run that is tried again began long ago; what is compared with single attempts is this.
        func.coalesce(_ATTEMPT_BEGAN, RUN.c.started_at).label("attempt_began"),
        RUN.c.id.label("run_id"), RUN.c.task_id, RUN.c.status, RUN.c.trigger, RUN.c.scheduled_for,
        RUN.c.queued_at, RUN.c.started_at, TASK.c.name, TASK.c.notify, TASK.c.alarms,
        TASK.c.archived_at, TASK.c.successes, TASK.c.duration_ms, TASK.c.spread, TASK.c.paused_at,
    )
    .with_hint(RUN, BY_OPEN, DIALECT)
    .join(TASK, TASK.c.id == RUN.c.task_id)
    .where(text(OPEN), RUN.c.beside.is_(False), RUN.c.trigger != "test")
    .order_by(RUN.c.task_id, RUN.c.id)
    .limit(MOST_OPEN)
)  # fmt: skip


def goes_on(connection: Connection) -> list[RowMapping]:
    """Runs that are not over, each with what its task wants to be warned of."""
    return list(connection.execute(_GOES_ON).mappings())


def final_status(connection: Connection, run_ids: Sequence[int]) -> dict[int, Status]:
    """Those of these runs that are over."""
    rows = connection.execute(select(RUN.c.id, RUN.c.status).where(RUN.c.id.in_(run_ids)))
    return {row.id: row.status for row in rows if row.status.is_final}


_LAST_GOOD = select(func.max(_NEWEST.c.finished_at)).where(_NEWEST.c.status == "success")
_WATCHED = select(
    TASK.c.id.label("task_id"), TASK.c.name, TASK.c.notify, TASK.c.alarms, TASK.c.archived_at,
    TASK.c.successes, TASK.c.duration_ms, TASK.c.spread, TASK.c.created_at,
).where(
    text("instr(alarms, 'silent') > 0"), TASK.c.archived_at.is_(None), TASK.c.paused_at.is_(None),
    TASK.c.active,
)  # fmt: skip


def watched_for_silence(connection: Connection) -> list[RowMapping]:
    """Tasks that say after how long without a success they are silent. By the index `task_silent`;
    most tasks say nothing of it."""
    return list(connection.execute(_WATCHED).mappings())


def last_success(connection: Connection, task_id: int) -> datetime | None:
    """When a task last succeeded, as far as was looked back."""
    found: datetime | None = connection.execute(_LAST_GOOD, {"task": task_id}).scalar_one_or_none()
    return found
