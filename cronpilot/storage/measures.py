"""What is counted and measured: ended runs by their ids, and one line for each task."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, bindparam, select

from cronpilot.storage.tables import Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]
_LAST = _RUN.alias("last_run")

_RUNS = (
    select(
        _RUN.c.id, _RUN.c.status, _RUN.c.trigger, _RUN.c.scheduled_for, _RUN.c.started_at,
        _RUN.c.finished_at, _RUN.c.folded_count, _TASK.c.name, _TASK.c.spread,
    )
    .join(_TASK, _TASK.c.id == _RUN.c.task_id)
    .where(_RUN.c.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip
_TASKS = (
    select(
        _TASK.c.name, _TASK.c.runs, _TASK.c.successes, _TASK.c.duration_ms, _TASK.c.next_run_at,
        _LAST.c.status.label("last_status"), _LAST.c.started_at.label("last_started_at"),
    )
    .outerjoin(_LAST, _LAST.c.id == _TASK.c.last_run_id)
    .where(_TASK.c.archived_at.is_(None))
    .order_by(_TASK.c.id)
    .limit(bindparam("most"))
)  # fmt: skip


def of_runs(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    """These runs, as far as they are counted; the order is not defined."""
    return list(connection.execute(_RUNS, {"ids": list(ids)}).mappings())


def of_tasks(connection: Connection, most: int) -> list[RowMapping]:
    """The first tasks by id, with their totals and their last run."""
    return list(connection.execute(_TASKS, {"most": most}).mappings())
