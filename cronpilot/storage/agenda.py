"""Rows for what comes and what goes on: planned tasks without what a list does not need, slots and
processes now, the line before them, and the runs of a task in a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, func, select, text

from cronpilot.storage.database import BY_QUEUE, BY_TASK, DIALECT
from cronpilot.storage.runs import ATTEMPT, RUN, TASK

MOST_BARS = 3_000
"""The newest runs of a task that are looked through for a picture: two days of a minutely one."""

MOST_IN_LINE = 2_000
"""Queued runs whose place is told."""

MOST_CAUGHT_UP = 120
"""The newest runs of a task among which those of one catch-up are looked for: at most 100 are."""

_ITEM = select(
    TASK.c.id, TASK.c.name, TASK.c.next_run_at, TASK.c.paused_at, TASK.c.resolved,
    TASK.c.zone_key, TASK.c.quiet_key, TASK.c.spread, TASK.c.pool, TASK.c.overlap,
    TASK.c.successes, TASK.c.duration_ms,
)  # fmt: skip
_LIVE = TASK.c.archived_at.is_(None)


def planned(
    connection: Connection,
    words: str = "",
    *,
    until: datetime | None = None,
    beyond: int = 0,
) -> list[RowMapping]:
    """The tasks with a next run, soonest first, paused ones too.

    Args:
        words: of the name, all of them.
        until: all that are planned until then, and of the others the `beyond` soonest: among them
            are the first `beyond` starts after that moment.
    """
    wanted = [TASK.c.next_run_at.is_not(None), _LIVE]
    wanted += [
        func.lower(TASK.c.name).contains(word, autoescape=True) for word in words.lower().split()
    ]
    asked = _ITEM.where(*wanted).order_by(TASK.c.next_run_at)
    if until is not None:
        soon = select(func.count()).select_from(TASK).where(*wanted, TASK.c.next_run_at <= until)
        asked = asked.limit(connection.execute(soon).scalar_one() + beyond)
    return list(connection.execute(asked).mappings())


_ALIKE = (
    select(
        func.min(TASK.c.id).label("id"), func.min(TASK.c.name).label("name"),
        func.min(TASK.c.next_run_at).label("next_run_at"), TASK.c.resolved, TASK.c.zone_key,
        TASK.c.quiet_key, TASK.c.spread, func.count().label("tasks"),
    )
    .where(TASK.c.next_run_at < bindparam("before"), TASK.c.paused_at.is_(None), _LIVE)
    .group_by(TASK.c.resolved, TASK.c.zone_key, TASK.c.quiet_key, TASK.c.spread,
              case((TASK.c.spread == timedelta(), 0), else_=TASK.c.id))
)  # fmt: skip
_PAUSED = select(func.count()).where(
    TASK.c.next_run_at.is_not(None), TASK.c.paused_at.is_not(None), _LIVE
)


def planned_alike(connection: Connection, before: datetime) -> list[RowMapping]:
    """What is planned before that moment and not paused; those that start at the same times, of
    which there may be thousands, in one row: how many `tasks`, and the first of each column.

    A spread is each task's own.
    """
    return list(connection.execute(_ALIKE, {"before": before}).mappings())


def count_paused(connection: Connection) -> int:
    """How many tasks are paused that have a next run."""
    return int(connection.execute(_PAUSED).scalar_one())


def items(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    """These tasks as `planned` gives them, as far as something is planned."""
    return list(
        connection.execute(
            _ITEM.where(TASK.c.id.in_(ids), TASK.c.next_run_at.is_not(None))
        ).mappings()
    )


def without_start(
    connection: Connection, until: datetime, most: int
) -> tuple[list[RowMapping], int]:
    """Tasks that start nothing before `until`, soonest first, and how many there are in all."""
    still = _LIVE & (TASK.c.next_run_at.is_(None) | (TASK.c.next_run_at >= until))
    rows = connection.execute(
        select(TASK.c.id, TASK.c.name, TASK.c.next_run_at, TASK.c.active)
        .where(still)
        .order_by(TASK.c.next_run_at.asc().nulls_last(), TASK.c.id)
        .limit(most)
    ).mappings()
    total = connection.execute(select(func.count()).select_from(TASK).where(still)).scalar_one()
    return list(rows), total


def taken(connection: Connection) -> list[RowMapping]:
    """What takes a slot now: task_id, pool, started_at, and what its usual duration is made of."""
    return list(
        connection.execute(
            select(RUN.c.task_id, RUN.c.pool, RUN.c.started_at, TASK.c.successes,
                   TASK.c.duration_ms)
            .join(TASK, TASK.c.id == RUN.c.task_id)
            .where(RUN.c.status.in_(["starting", "running"]))
        ).mappings()
    )  # fmt: skip


_BARS = (
    select(
        RUN.c.id, RUN.c.status, RUN.c.scheduled_for, RUN.c.folded_until, RUN.c.folded_count,
        RUN.c.queued_at, RUN.c.started_at, RUN.c.finished_at,
    )
    .with_hint(RUN, BY_TASK, DIALECT)
    .where(RUN.c.task_id == bindparam("task"), RUN.c.id >= bindparam("low"),
           RUN.c.queued_at < bindparam("until"))
    .order_by(RUN.c.id.desc())
    .limit(MOST_BARS)
)  # fmt: skip


def bars(connection: Connection, task_id: int, low: int, until: datetime) -> list[RowMapping]:
    """The newest runs of a task from the id `low` on that were recorded before `until`."""
    given: dict[str, Any] = {"task": task_id, "low": low, "until": until}
    return list(connection.execute(_BARS, given).mappings())


def processes(connection: Connection) -> list[RowMapping]:
    """Runs whose command goes: id, its pid and when it began."""
    return list(
        connection.execute(
            select(RUN.c.id, ATTEMPT.c.pid, ATTEMPT.c.started_at)
            .join(ATTEMPT, (ATTEMPT.c.run_id == RUN.c.id) & (ATTEMPT.c.launch == RUN.c.launches))
            .where(RUN.c.status == "running", ATTEMPT.c.pid.is_not(None),
                   ATTEMPT.c.started_at.is_not(None))
        ).mappings()
    )  # fmt: skip


_LINE = (
    select(RUN.c.id, RUN.c.pool)
    .with_hint(RUN, BY_QUEUE, DIALECT)
    .where(text("run.status = 'queued'"))
    .order_by(RUN.c.priority.desc(), RUN.c.id)
    .limit(MOST_IN_LINE)
)


def places_in_line(connection: Connection) -> dict[int, int]:
    """How many queued runs come before each, in its pool if it has one, else of all; of the first
    `MOST_IN_LINE`."""
    found: dict[int, int] = {}
    of_pool: dict[str, int] = {}
    for place, row in enumerate(connection.execute(_LINE)):
        found[row.id] = place if row.pool is None else of_pool.get(row.pool, 0)
        if row.pool is not None:
            of_pool[row.pool] = found[row.id] + 1
    return found


_NEWEST = (
    select(RUN.c.id, RUN.c.trigger, RUN.c.queued_at)
    .with_hint(RUN, BY_TASK, DIALECT)
    .where(RUN.c.task_id == bindparam("task"))
    .order_by(RUN.c.id.desc())
    .limit(MOST_CAUGHT_UP)
)


def places_in_catch_up(connection: Connection, task_id: int) -> dict[int, tuple[int, int]]:
    """Of the runs that make up for slots that passed together: the how manieth of how many."""
    batches: dict[datetime, list[int]] = {}
    for row in connection.execute(_NEWEST, {"task": task_id}):
        if row.trigger == "catch_up":
            batches.setdefault(row.queued_at, []).append(row.id)
    return {
        run: (place, len(ids))
        for ids in batches.values()
        for place, run in enumerate(reversed(ids), 1)
    }
