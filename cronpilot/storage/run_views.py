"""Runs as people see them, by their ids or from the newest on. Pages of them: see `history`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, and_, case, func, select, text

from cronpilot.domain.run import Status
from cronpilot.storage.run_queue import FREE_TO_GO
from cronpilot.storage.tables import OPEN, WIDE, Attempt, Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]
_ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

_PID = (
    select(_ATTEMPT.c.pid)
    .where(_ATTEMPT.c.run_id == _RUN.c.id, _ATTEMPT.c.launch == _RUN.c.launches)
    .scalar_subquery()
    .label("pid")
)
_BEHIND = and_(_RUN.c.status == "queued", ~FREE_TO_GO).label("behind")  # another run of its task
_RETRIES = case(  # see engine.testing
    (_RUN.c.beside, 0),
    else_=func.coalesce(_RUN.c.spec["max_retries"].as_integer(), _TASK.c.max_retries),
).label("max_retries")
_VIEW = select(
    *(column for column in _RUN.c if column.name not in WIDE),
    _TASK.c.name.label("task_name"), _TASK.c.successes, _TASK.c.duration_ms, _TASK.c.paused_at,
    _TASK.c.alarms, _TASK.c.spread,
    _PID, _BEHIND, _RETRIES,
).join(_TASK, _TASK.c.id == _RUN.c.task_id)  # fmt: skip


def views(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    """The rows of these runs, in the order of their ids."""
    return list(connection.execute(_VIEW.where(_RUN.c.id.in_(ids)).order_by(_RUN.c.id)).mappings())


def counts(connection: Connection) -> dict[Status, int]:
    """How many runs are queued, starting, running, retrying."""
    rows = connection.execute(
        select(_RUN.c.status, func.count().label("n")).where(text(OPEN)).group_by(_RUN.c.status)
    )
    return {row.status: row.n for row in rows}
