"""Which runs, and which logs, may be forgotten. Every read is one page of at most `BATCH` rows.

What stays whatever the rules say, as long as its task is there: what is not over, a task's newest
run, its newest success, its newest failure. Of the rest, successes and skipped slots go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from cronpilot.domain.run import ACTIVE, BAD
from cronpilot.storage.database import among, as_list
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import Attempt, Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]
_ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

BATCH = 200  # rows in one transaction: the writer is taken for some milliseconds
# The rows of slots that a clock set back could bring round again: without them they would be
# started twice. A clock is hardly ever wrong by more than a time zone.
RECENT = timedelta(days=1)

_FAILURES = sorted(BAD)
_OPEN = sorted(ACTIVE)
_NEWER = _RUN.alias("newer")


def _is_one_of(status: ColumnElement[Any], words: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(status == word for word in words))


def _newer(status: ColumnElement[bool]) -> ColumnElement[bool]:
    """The task has a newer run of that kind. Served by the index `run_task`."""
    return exists(
        select(_NEWER.c.id).where(
            _NEWER.c.task_id == _RUN.c.task_id, _NEWER.c.id > _RUN.c.id, status
        )
    )


_IS_FAILURE = _is_one_of(_RUN.c.status, _FAILURES)
_IS_OVER = ~_is_one_of(_RUN.c.status, _OPEN)
_IS_SPARED = and_(
    _TASK.c.archived_at.is_(None),
    or_(
        func.coalesce(_TASK.c.last_run_id, 0) == _RUN.c.id,
        and_(_RUN.c.status == "success", ~_newer(_NEWER.c.status == "success")),
        and_(_IS_FAILURE, ~_newer(_is_one_of(_NEWER.c.status, _FAILURES))),
    ),
)
_GOES = (
    select(_RUN.c.id, _RUN.c.task_id, _RUN.c.attempts, _RUN.c.finished_at)
    .join(_TASK, _TASK.c.id == _RUN.c.task_id)
    .where(_IS_OVER, ~_IS_SPARED)
    .limit(BATCH)
)


class Doomed(NamedTuple):
    """A run that may go. `had_log`: its command was started, so there may be a file."""

    run_id: int
    task_id: int
    had_log: bool


def _doomed(connection: Connection, query: Any) -> list[Doomed]:
    return [Doomed(row.id, row.task_id, bool(row.attempts)) for row in connection.execute(query)]


def _oldest(kind: ColumnElement[bool]) -> Prepared:
    return Prepared(
        _GOES.where(
            _RUN.c.task_id == bindparam("task"),
            kind,
            or_(
                _RUN.c.scheduled_for.is_(None),
                _RUN.c.scheduled_for < bindparam("before", type_=_RUN.c.scheduled_for.type),
            ),
        )
        .order_by(_RUN.c.id)
        .limit(bindparam("most"))
    )


_OLDEST_FAILURES, _OLDEST_OTHERS = _oldest(_IS_FAILURE), _oldest(~_IS_FAILURE)


# --- by count ------------------------------------------------------------------------------------


class Excess(NamedTuple):
    """A task with more rows than it keeps: how many of each kind are too many."""

    task_id: int
    others: int  # successes, skipped and missed slots, stopped runs
    failures: int


def excesses(connection: Connection, keep: int) -> list[Excess]:
    """Tasks with more runs than their `keep`, or than this default.

    Failures may take half of the room, so that they stay longer than successes and yet never push
    all of them out. Reads the index `run_task` once; of the tasks found, their rows.
    """
    counted = select(_RUN.c.task_id, func.count().label("rows")).group_by(_RUN.c.task_id).subquery()
    kept = func.coalesce(_TASK.c.keep, keep)
    full = connection.execute(
        select(_TASK.c.id, kept.label("keep"), counted.c.rows)
        .join(counted, counted.c.task_id == _TASK.c.id)
        .where(counted.c.rows > kept)
    ).all()
    return [_excess(connection, row.id, row.keep, row.rows) for row in full]


def _excess(connection: Connection, task_id: int, keep: int, rows: int) -> Excess:
    failures = connection.execute(
        select(func.sum(case((_IS_FAILURE, 1), else_=0))).where(_RUN.c.task_id == task_id)
    ).scalar_one()
    too_many = rows - keep
    others = min(too_many, max(0, rows - failures - keep // 2))
    return Excess(task_id, others, too_many - others)


def oldest(
    connection: Connection, task_id: int, *, failures: bool, most: int, now: datetime
) -> list[Doomed]:
    """The oldest runs of a task that may go; slots of the last day stay. Served by `run_task`."""
    oldest_of_kind = _OLDEST_FAILURES if failures else _OLDEST_OTHERS
    found = oldest_of_kind.tuples(
        connection, task=task_id, before=now - RECENT, most=min(most, BATCH)
    )
    return [Doomed(run_id, task, bool(attempts)) for run_id, task, attempts, _ in found]


# --- by age --------------------------------------------------------------------------------------


def ended_before(
    connection: Connection, moment: datetime, *, after: tuple[datetime, int] | None
) -> tuple[list[Doomed], tuple[datetime, int] | None]:
    """Runs that ended before `moment` and may go, oldest end first, and where to read on.

    Served by the index `run_finished`.
    """
    query = _GOES.where(_RUN.c.finished_at < moment).order_by(_RUN.c.finished_at, _RUN.c.id)
    if after is not None:
        query = query.where(tuple_(_RUN.c.finished_at, _RUN.c.id) > tuple_(*_typed(after)))
    rows = connection.execute(query).all()
    found = [Doomed(row.id, row.task_id, bool(row.attempts)) for row in rows]
    return found, (rows[-1].finished_at, rows[-1].id) if rows else None


def _typed(after: tuple[datetime, int]) -> tuple[Any, Any]:
    from sqlalchemy import literal

    return literal(after[0], _RUN.c.finished_at.type), literal(after[1])


def ended_somewhen_before(connection: Connection, moment: datetime) -> list[Doomed]:
    """Lost runs whose end nobody knows, asked for before `moment`. Served by `run_finished`."""
    return _doomed(
        connection,
        _GOES.where(_RUN.c.finished_at.is_(None), _RUN.c.queued_at < moment).order_by(_RUN.c.id),
    )


# --- by the size of logs -------------------------------------------------------------------------


def oldest_logs(connection: Connection, *, failures: bool, after: int) -> list[Doomed]:
    """Ended runs with a log that may go, oldest first, with ids above `after`."""
    return _doomed(
        connection,
        _GOES.where(
            _RUN.c.id > after,
            _RUN.c.attempts > 0,
            _RUN.c.log_removed.is_(False),
            _IS_FAILURE if failures else ~_IS_FAILURE,
        ).order_by(_RUN.c.id),
    )


def mark_log_removed(connection: Connection, ids: Sequence[int]) -> None:
    """Say that these runs have no log any more; the files go after the commit."""
    connection.execute(
        update(_RUN).where(_RUN.c.id.in_(ids), _IS_OVER).values(log_removed=True)
    )  # fmt: skip


_HAVING_LOG = Prepared(
    select(_RUN.c.id).where(among(_RUN.c.id, "runs"), _RUN.c.log_removed.is_(False))
)


def without_log(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Which of these have no row, or one that says that the log is gone."""
    asked = set(ids)
    return asked - set(_HAVING_LOG.scalars(connection, runs=as_list(asked)))


# --- forgetting ----------------------------------------------------------------------------------


_OVER = Prepared(select(_RUN.c.id).where(among(_RUN.c.id, "runs"), _IS_OVER))
_FORGET_ATTEMPTS = Prepared(delete(_ATTEMPT).where(among(_ATTEMPT.c.run_id, "runs")))
_FORGET = Prepared(delete(_RUN).where(among(_RUN.c.id, "runs")))


def forget(connection: Connection, ids: Sequence[int]) -> int:
    """Delete runs that are over, with their attempts; how many. Figures of tasks stay."""
    over = as_list(_OVER.scalars(connection, runs=as_list(ids)))
    _FORGET_ATTEMPTS.run(connection, runs=over)
    return _FORGET.run(connection, runs=over)
