"""How a run comes into being: a slot with its verdict, or a start by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, bindparam, func, insert, select, update

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.storage.database import among, as_list, insert_new
from cronpilot.storage.figures import Result, count_results
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]

_GIVEN = (
    "task_id", "task_version", "trigger", "status", "reason", "scheduled_for", "folded_until",
    "folded_count", "queued_at", "finished_at", "priority", "pool",
)  # fmt: skip
_NEWEST = Prepared(select(func.coalesce(func.max(_RUN.c.id), 0)))
_NEW = Prepared(insert_new(_RUN), _GIVEN)
_ADDED = Prepared(
    select(_RUN.c.id, _RUN.c.task_id, _RUN.c.status)
    .where(_RUN.c.id > bindparam("before"))
    .order_by(_RUN.c.id)
)
_PLAN_ON = Prepared(
    update(_TASK)
    .where(_TASK.c.id == bindparam("task"))
    .values(
        next_run_at=bindparam("next", type_=_TASK.c.next_run_at.type),
        last_run_id=func.coalesce(bindparam("newest"), _TASK.c.last_run_id),
    )
)
_REMEMBER = Prepared(
    update(_TASK).where(_TASK.c.id == bindparam("task")).values(last_run_id=bindparam("newest"))
)


class Slot(NamedTuple):
    """A row to record: one slot with its verdict, or several folded into one."""

    task_id: int
    task_version: int
    trigger: Trigger
    status: Status
    reason: Reason | None
    scheduled_for: datetime
    queued_at: datetime
    priority: int
    pool: str | None
    folded_until: datetime | None = None
    folded_count: int = 1


def record(
    connection: Connection,
    slots: Sequence[Slot],
    moves: Sequence[tuple[int, datetime | None]] = (),
) -> list[int]:
    """Record slots; the ids of the new rows, ascending. A slot that is recorded already is left,
    and not counted again.

    Args:
        moves: tasks and their new `next_run_at`, written along with what their rows remember.
    """
    rows = _add(connection, slots) if slots else []
    newest = _newest(rows)
    _PLAN_ON.run_all(
        connection,
        ({"task": task, "next": at, "newest": newest.pop(task, None)} for task, at in moves),
    )
    _remember_last(connection, newest)
    count_results(
        connection, [Result(task_id, status) for _, task_id, status in rows if status.is_final]
    )
    return [run_id for run_id, _, _ in rows]


def _add(connection: Connection, slots: Sequence[Slot]) -> list[tuple[int, int, Status]]:
    """The new rows: id, task, status."""
    before = _NEWEST.scalar(connection)
    _NEW.run_all(
        connection,
        (
            {
                "task_id": slot.task_id,
                "task_version": slot.task_version,
                "trigger": slot.trigger,
                "status": slot.status,
                "reason": slot.reason,
                "scheduled_for": slot.scheduled_for,
                "folded_until": slot.folded_until,
                "folded_count": slot.folded_count,
                "queued_at": slot.queued_at,
                "finished_at": slot.queued_at if slot.status.is_final else None,
                "priority": slot.priority,
                "pool": slot.pool,
            }
            for slot in slots
        ),
    )
    return cast("list[tuple[int, int, Status]]", _ADDED.tuples(connection, before=before))


def slots_of(connection: Connection, ids: Sequence[int]) -> set[tuple[int, datetime]]:
    """(task, nominal instant) of these runs."""
    found = select(_RUN.c.task_id, _RUN.c.scheduled_for).where(among(_RUN.c.id, "runs"))
    return {tuple(row) for row in connection.execute(found, {"runs": as_list(ids)})}


def _newest(rows: Sequence[tuple[int, int, Status]]) -> dict[int, int]:
    """By task, the newest of these runs that is more than a note about a slot."""
    return {
        task_id: run_id
        for run_id, task_id, status in rows
        if status not in (Status.SKIPPED, Status.MISSED)
    }


def _remember_last(connection: Connection, newest: Mapping[int, int]) -> None:
    """The last result of a task is its newest run that is more than a note about a slot."""
    _REMEMBER.run_all(connection, ({"task": task, "newest": run} for task, run in newest.items()))


def by_request(connection: Connection, request_id: str) -> int | None:
    """The run that this request started already."""
    return connection.execute(
        select(_RUN.c.id).where(_RUN.c.request_id == request_id)
    ).scalar_one_or_none()


def add_manual(
    connection: Connection,
    task: Mapping[Any, Any],
    *,
    request_id: str,
    actor: str,
    at: datetime,
    refused: Reason | None,
    trigger: Trigger = Trigger.MANUAL,
    **also: Any,
) -> int:
    """Record a start by hand; the id of the row. The same request again gives the same row.

    `also` sets further columns. A test is not remembered as its task's last run.
    """
    known = by_request(connection, request_id)
    if known is not None:
        return known
    status = Status.QUEUED if refused is None else Status.SKIPPED
    run_id = connection.execute(
        insert(_RUN)
        .values(
            task_id=task["id"], task_version=task["version"], trigger=trigger,
            status=status, reason=refused, queued_at=at,
            finished_at=None if refused is None else at, priority=task["priority"],
            pool=task["pool"], actor=actor, request_id=request_id, detail="", attempts=0,
            launches=0, folded_count=1, **also,
        )
        .returning(_RUN.c.id)
    ).scalar_one()  # fmt: skip
    if trigger is not Trigger.TEST:
        _remember_last(connection, _newest([(run_id, task["id"], status)]))
    return int(run_id)
