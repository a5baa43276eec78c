"""What waits to be started: who may go, in which order, and the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    type_coerce,
    update,
)

from cronpilot.domain.run import Status
from cronpilot.domain.task import Overlap
from cronpilot.storage.database import BY_OPEN, BY_QUEUE, DIALECT, among, as_list
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import OPEN, OTHER_OPEN, Attempt, Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]
_ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]
_OTHER = _RUN.alias("other")

# --- who may go ----------------------------------------------------------------------------------


def _goes_before_it(*also: ColumnElement[bool]) -> ColumnElement[bool]:
    """Another run of the task goes on, or waits longer. Served by the index `run_open`."""
    return exists(
        select(_OTHER.c.id)
        .with_hint(_OTHER, BY_OPEN, DIALECT)
        .where(
            text(OTHER_OPEN),
            _OTHER.c.beside.is_(False),
            _OTHER.c.task_id == _RUN.c.task_id,
            _OTHER.c.id != _RUN.c.id,
            or_(_OTHER.c.status != "queued", _OTHER.c.id < _RUN.c.id),
            *also,
        )
    )


# Slots that are made up for go one after the other, also where `allow` lets the others go beside.
_FREE_BESIDE_OTHERS = and_(
    _TASK.c.overlap == "allow",
    or_(_RUN.c.trigger != "catch_up", ~_goes_before_it(_OTHER.c.trigger == "catch_up")),
)
FREE_TO_GO = or_(_RUN.c.beside, _FREE_BESIDE_OTHERS, ~_goes_before_it())

_BY_HAND = or_(_RUN.c.trigger == "manual", _RUN.c.trigger == "test")
_OF_RUN = ("id", "task_id", "trigger", "scheduled_for", "pool", "attempts", "launches", "beside",
           "spec")  # fmt: skip
_OF_TASK = ("id", "name", "command", "shell", "working_dir", "env", "env_file", "user", "timezone",
            "timeout", "stop_grace", "log_limit", "limits")  # fmt: skip
_QUEUE = Prepared(
    select(
        *(_RUN.c[name].label(f"run_{name}") for name in _OF_RUN),
        *(_TASK.c[name].label(f"task_{name}") for name in _OF_TASK),
    )
    .with_hint(_RUN, BY_QUEUE, DIALECT)
    .join(_TASK, _TASK.c.id == _RUN.c.task_id)
    .where(
        text("run.status = 'queued'"),
        FREE_TO_GO,
        or_(_RUN.c.pool.is_(None), ~among(_RUN.c.pool, "full")),
        ~among(_RUN.c.id, "held"),
        or_(
            _BY_HAND,
            and_(bindparam("slots_go", type_=Boolean), _TASK.c.paused_at.is_(None)),
        ),
    )
    .order_by(_RUN.c.priority.desc(), _RUN.c.id)
    .limit(bindparam("most"))
)
_BUSY = Prepared(
    select(_RUN.c.pool, func.count().label("busy"))
    .where(or_(_RUN.c.status == "starting", _RUN.c.status == "running"))
    .group_by(_RUN.c.pool)
)


def busy(connection: Connection) -> dict[str | None, int]:
    """Slots taken now, by pool (None: runs without a pool)."""
    return dict(_BUSY.tuples(connection))


_WAITING = Prepared(
    select(_RUN.c.pool, func.count().label("waiting"))
    .with_hint(_RUN, BY_QUEUE, DIALECT)
    .where(text("run.status = 'queued'"))
    .group_by(_RUN.c.pool)
)


def waiting(connection: Connection) -> dict[str | None, int]:
    """Runs that wait for a slot, by pool (None: runs without a pool). Served by `run_queue`."""
    return dict(_WAITING.tuples(connection))


def waiting_of(connection: Connection, task_id: int) -> list[int]:
    """Runs of a task that have no command now: queued, or waiting for a retry. Their ids."""
    found = (
        select(_RUN.c.id)
        .with_hint(_RUN, BY_OPEN, DIALECT)
        .where(
            text(OPEN), _RUN.c.task_id == task_id,
            or_(_RUN.c.status == "queued", _RUN.c.status == "retrying"),
        )
        .order_by(_RUN.c.id)
    )  # fmt: skip
    return list(connection.execute(found).scalars())


def next_in_queue(
    connection: Connection,
    *,
    most: int,
    full_pools: Sequence[str],
    held: Sequence[int],
    scheduler_paused: bool,
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The runs that may start now, by priority, then oldest first: what a start needs of the run
    and of its task.

    Left out: runs that wait for another one of their task, those of a full pool, `held` ones (ids)
    that back off, and those of a paused task or scheduler unless started by hand.
    """
    found = _QUEUE.tuples(
        connection, most=most, full=as_list(full_pools), held=as_list(held),
        slots_go=not scheduler_paused,
    )  # fmt: skip
    width = len(_OF_RUN)
    return [
        (
            dict(zip(_OF_RUN, row[:width], strict=True)),
            dict(zip(_OF_TASK, row[width:], strict=True)),
        )
        for row in found
    ]


_CLAIM = Prepared(
    update(_RUN)
    .where(_RUN.c.id == bindparam("run"), _RUN.c.status == "queued")
    .values(
        status="starting", launches=_RUN.c.launches + 1, detail="", retry_at=None,
        environment=bindparam("variables", type_=_RUN.c.environment.type),
    )
)  # fmt: skip
_LAUNCH = Prepared(
    insert(_ATTEMPT), ("run_id", "launch", "number", "boot_id", "requested_at")
)  # fmt: skip


def claim(
    connection: Connection,
    runs: Sequence[Mapping[str, Any]],
    environments: Sequence[Mapping[str, str] | None],
    *,
    boot_id: str,
    at: datetime,
) -> None:
    """Mark these queued runs as starting, each with the row of its next launch.

    Args:
        environments: of each run, secrets masked; None where it is not known yet.
    """
    _CLAIM.run_all(
        connection,
        (
            {"run": run["id"], "variables": variables}
            for run, variables in zip(runs, environments, strict=True)
        ),
    )
    _LAUNCH.run_all(
        connection,
        (
            {
                "run_id": run["id"],
                "launch": run["launches"] + 1,
                "number": run["attempts"] + 1,
                "boot_id": boot_id,
                "requested_at": at,
            }
            for run in runs
        ),
    )


# --- what waits too long, or again ---------------------------------------------------------------


def due_retries(connection: Connection, now: datetime) -> list[int]:
    """Put retries whose time has come back into the queue; their ids."""
    return list(
        connection.execute(
            update(_RUN)
            .where(_RUN.c.status == "retrying", _RUN.c.retry_at <= now)
            .values(status=Status.QUEUED)
            .returning(_RUN.c.id)
        ).scalars()
    )


def move_retries(connection: Connection, step: timedelta) -> None:
    """Let retries be due by so much later, or earlier: the clock was set."""
    moved = type_coerce(_RUN.c.retry_at, Integer) + step // timedelta(microseconds=1)
    connection.execute(
        update(_RUN).where(_RUN.c.status == "retrying").values(retry_at=moved)
    )  # fmt: skip


def next_retry(connection: Connection) -> datetime | None:
    """When the next retry is due."""
    return connection.execute(
        select(func.min(_RUN.c.retry_at)).where(_RUN.c.status == "retrying")
    ).scalar_one_or_none()


_SLOT = func.coalesce(_RUN.c.scheduled_for, _RUN.c.queued_at, type_=Integer)
_ALLOWED = (cast(_TASK.c.deadline, Integer) + cast(_TASK.c.spread, Integer)) * 1000  # from ms to us
_OVERDUE = Prepared(
    select(_RUN.c.id)
    .with_hint(_RUN, BY_QUEUE, DIALECT)
    .join(_TASK, _TASK.c.id == _RUN.c.task_id)
    .where(
        text("run.status = 'queued'"),
        _RUN.c.beside.is_(False),
        _TASK.c.deadline.is_not(None),
        _RUN.c.attempts == 0,
        cast(func.coalesce(_SLOT, 0), Integer) + _ALLOWED
        < cast(bindparam("now", type_=_RUN.c.queued_at.type), Integer),
    )
)


def overdue(connection: Connection, now: datetime) -> list[int]:
    """Queued runs that have waited beyond their task's deadline and were never started; ids."""
    return _OVERDUE.scalars(connection, now=now)


def tasks_with_queue(connection: Connection, overlap: Overlap) -> list[int]:
    """Tasks of that policy that have a run in the queue."""
    return list(
        connection.execute(
            select(_RUN.c.task_id)
            .distinct()
            .with_hint(_RUN, BY_QUEUE, DIALECT)
            .join(_TASK, _TASK.c.id == _RUN.c.task_id)
            .where(
                text("run.status = 'queued'"), _RUN.c.beside.is_(False), _TASK.c.overlap == overlap
            )
        ).scalars()
    )
