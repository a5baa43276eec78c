"""What explains a verdict: the row of a slot, what went on at a moment, who did what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, text

from cronpilot.storage.tables import Attempt, Audit, Run

_RUN = Run.__table__  # type: ignore[attr-defined]
_ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]
_AUDIT = Audit.__table__  # type: ignore[attr-defined]

_NOTES = ("skipped", "missed")  # rows of which nothing ever went


def newest(connection: Connection) -> datetime | None:
    """When the last thing of a run was written down. Served by `run_finished` and the key."""
    ended = connection.execute(select(func.max(_RUN.c.finished_at))).scalar_one_or_none()
    last = connection.execute(
        select(_RUN.c.queued_at, _RUN.c.started_at).order_by(_RUN.c.id.desc()).limit(1)
    ).first()
    known = [at for at in (ended, *(last or ())) if at is not None]
    return max(known, default=None)


def newest_slot(connection: Connection, task_id: int, at: datetime) -> RowMapping | None:
    """The row whose (first) slot is the last one not after `at`. Served by the key `run_slot`."""
    return (
        connection.execute(
            select(_RUN.c.id, _RUN.c.scheduled_for, _RUN.c.folded_until)
            .where(_RUN.c.task_id == task_id, _RUN.c.scheduled_for <= at)
            .order_by(_RUN.c.scheduled_for.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )


def oldest_slot(connection: Connection, task_id: int) -> datetime | None:
    """The first slot of a task that has a row. Served by the key `run_slot`."""
    return connection.execute(
        select(_RUN.c.scheduled_for)
        .where(_RUN.c.task_id == task_id, _RUN.c.scheduled_for.is_not(None))
        .order_by(_RUN.c.scheduled_for)
        .limit(1)
    ).scalar_one_or_none()


def going_at(connection: Connection, task_id: int, run_id: int, at: datetime) -> int | None:
    """The newest run of a task before `run_id` that was not over at `at`.

    Served by the index `run_task`, walked from `run_id` backwards."""
    return connection.execute(
        select(_RUN.c.id)
        .where(
            _RUN.c.task_id == task_id,
            _RUN.c.id < run_id,
            _RUN.c.status.not_in(_NOTES),
            or_(_RUN.c.finished_at.is_(None), _RUN.c.finished_at >= at),
        )
        .order_by(_RUN.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def run_after(connection: Connection, task_id: int, run_id: int) -> int | None:
    """The first run of a task after `run_id` that was to start. Served by `run_task`."""
    return connection.execute(
        select(_RUN.c.id)
        .where(_RUN.c.task_id == task_id, _RUN.c.id > run_id, _RUN.c.status.not_in(_NOTES))
        .order_by(_RUN.c.id)
        .limit(1)
    ).scalar_one_or_none()


def by_hand_around(connection: Connection, task_id: int, at: datetime) -> list[int]:
    """Runs of a task started by hand within a minute of `at`, oldest first.

    Served by the index `run_task`, walked from the newest run back to that moment."""
    minute = timedelta(minutes=1)
    rows = connection.execute(
        select(_RUN.c.id, _RUN.c.trigger, _RUN.c.queued_at)
        .where(_RUN.c.task_id == task_id, _RUN.c.queued_at <= at + minute)
        .order_by(_RUN.c.id.desc())
        .limit(20)
    )
    near = [row.id for row in rows if row.trigger == "manual" and row.queued_at >= at - minute]
    return near[::-1]


def ahead(connection: Connection, run_id: int) -> int:
    """How many queued runs come before this one: in its pool if it has one, else of all."""
    mine = connection.execute(select(_RUN.c.pool, _RUN.c.priority).where(_RUN.c.id == run_id)).one()
    conditions: list[Any] = [
        text("run.status = 'queued'"),
        or_(
            _RUN.c.priority > mine.priority,
            and_(_RUN.c.priority == mine.priority, _RUN.c.id < run_id),
        ),
    ]
    if mine.pool is not None:
        conditions.append(_RUN.c.pool == mine.pool)
    return int(
        connection.execute(select(func.count()).select_from(_RUN).where(*conditions)).scalar_one()
    )


def attempts(connection: Connection, run_id: int) -> list[RowMapping]:
    """The commands of a run that were started and have ended, in their order."""
    return list(
        connection.execute(
            select(_ATTEMPT)
            .where(_ATTEMPT.c.run_id == run_id, _ATTEMPT.c.started_at.is_not(None))
            .order_by(_ATTEMPT.c.launch)
        ).mappings()
    )


def notes_between(
    connection: Connection, since: datetime, until: datetime, actions: Sequence[str]
) -> list[RowMapping]:
    """Lines of the audit of these kinds, oldest first. Served by the index `audit_at`."""
    return list(
        connection.execute(
            select(_AUDIT)
            .where(_AUDIT.c.at >= since, _AUDIT.c.at <= until, _AUDIT.c.action.in_(actions))
            .order_by(_AUDIT.c.at, _AUDIT.c.id)
        ).mappings()
    )


def notes_before(
    connection: Connection, at: datetime, actions: Sequence[str], most: int
) -> list[RowMapping]:
    """The newest lines of the audit of these kinds up to `at`, newest first."""
    return list(
        connection.execute(
            select(_AUDIT)
            .where(_AUDIT.c.at <= at, _AUDIT.c.action.in_(actions))
            .order_by(_AUDIT.c.at.desc(), _AUDIT.c.id.desc())
            .limit(most)
        ).mappings()
    )
