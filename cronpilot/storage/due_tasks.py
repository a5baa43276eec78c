"""Due tasks, those that are alike together: one row for each kind of them, not for each task.

What becomes of a slot depends on a task's schedule and rules and not on which task it is, and the
thousands that a full hour brings are of a few kinds. So that hour costs what its kinds cost, and
what SQLite needs to write the rows down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, literal, select, text, update

from cronpilot.domain.task import Missed, Overlap
from cronpilot.storage.columns import to_microseconds
from cronpilot.storage.database import (
    among,
    as_list,
    as_table,
    by_id,
    insert_new,
    list_of,
    listed,
)
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import PLANNED, Run, Task

_TASK = Task.__table__  # type: ignore[attr-defined]
_RUN = Run.__table__  # type: ignore[attr-defined]


class Alike(NamedTuple):
    """Tasks that are due at the same moment and plan on in the same way.

    Attributes:
        name: of the one task that it is, if it is spread: its name says by how much. Else empty.
    """

    ids: list[int]
    next_run_at: datetime
    resolved: str
    zone_key: str
    quiet_key: str
    spread: timedelta
    name: str


class AlikeRules(NamedTuple):
    """Tasks that are due at the same moment, without a spread, for which the same rules hold."""

    ids: list[int]
    next_run_at: datetime
    resolved: str
    zone_key: str
    quiet_key: str
    overlap: Overlap
    missed: Missed
    missed_limit: int
    deadline: timedelta | None


_FIRST = (
    select(_TASK.c.id, _TASK.c.name, _TASK.c.next_run_at, _TASK.c.resolved, _TASK.c.zone_key,
           _TASK.c.quiet_key, _TASK.c.spread)
    .where(text(PLANNED), _TASK.c.next_run_at <= bindparam("now"))
    .order_by(_TASK.c.next_run_at)
    .limit(bindparam("most"))
    .subquery("task")
)  # fmt: skip
_SPREAD_NAME = case((_FIRST.c.spread > timedelta(), _FIRST.c.name), else_="")
_WHEN = (
    _FIRST.c.next_run_at, _FIRST.c.resolved, _FIRST.c.zone_key, _FIRST.c.quiet_key,
    _FIRST.c.spread, _SPREAD_NAME,
)  # fmt: skip
_DUE = Prepared(
    select(listed(_FIRST.c.id), *_WHEN).group_by(*_WHEN).order_by(_FIRST.c.next_run_at)
)  # fmt: skip


def due(connection: Connection, now: datetime, most: int) -> list[Alike]:
    """The `most` tasks that are due longest, soonest first. Served by the index `task_due`."""
    return [Alike(list_of(ids), *how) for ids, *how in _DUE.tuples(connection, now=now, most=most)]


_RULES = (
    _TASK.c.next_run_at, _TASK.c.resolved, _TASK.c.zone_key, _TASK.c.quiet_key, _TASK.c.overlap,
    _TASK.c.missed, _TASK.c.missed_limit, _TASK.c.deadline,
)  # fmt: skip
_BY_RULES = Prepared(
    select(listed(_TASK.c.id), *_RULES)
    .where(
        among(_TASK.c.id, "ids"), text(PLANNED), _TASK.c.next_run_at <= bindparam("now"),
        _TASK.c.spread == timedelta(),
    )
    .group_by(*_RULES)
)  # fmt: skip


def by_rules(connection: Connection, ids: Sequence[int], now: datetime) -> list[AlikeRules]:
    """Of these tasks those that are still due at `now` and have no spread."""
    return [
        AlikeRules(list_of(alike), *rules)
        for alike, *rules in _BY_RULES.tuples(connection, ids=as_list(ids), now=now)
    ]


_SLOT: dict[str, Any] = {
    "task_id": _TASK.c.id, "task_version": _TASK.c.version, "trigger": literal("schedule"),
    "status": literal("queued"), "scheduled_for": _TASK.c.next_run_at,
    "folded_count": literal(1), "detail": literal(""), "actor": literal(""),
    "attempts": literal(0), "launches": literal(0),
    "queued_at": bindparam("now", type_=_RUN.c.queued_at.type),
    "priority": _TASK.c.priority, "pool": _TASK.c.pool,
}  # fmt: skip
_NEWEST = Prepared(select(func.coalesce(func.max(_RUN.c.id), 0)))
_QUEUE = Prepared(
    insert_new(_RUN).from_select(
        list(_SLOT),
        select(*_SLOT.values()).where(among(_TASK.c.id, "ids")).order_by(_TASK.c.id),
        include_defaults=False,
    )
)
_ADDED = Prepared(select(listed(_RUN.c.id)).where(_RUN.c.id > bindparam("before")))
_ITS_RUN = (
    select(func.max(_RUN.c.id))
    .where(_RUN.c.task_id == _TASK.c.id, _RUN.c.id > bindparam("before"))
    .scalar_subquery()
)
_PLANS = by_id("plans")
_PLAN_ON = Prepared(
    update(_TASK)
    .where(_TASK.c.id == _PLANS.c.id)
    .values(
        next_run_at=_PLANS.c.value,
        last_run_id=func.coalesce(_ITS_RUN, _TASK.c.last_run_id),
    )
)


def queue(connection: Connection, plans: Mapping[int, datetime | None], now: datetime) -> list[int]:
    """Record the slot of which each of these tasks is due as a queued run, and plan them on; the
    ids of the new runs, ascending. A slot that is recorded already is left.

    Args:
        plans: the new `next_run_at` of tasks without a spread.
    """
    if not plans:
        return []
    before = _NEWEST.scalar(connection)
    _QUEUE.run(connection, ids=as_list(plans), now=now)
    _PLAN_ON.run(connection, plans=as_table(_stored(plans)), before=before)
    return list_of(_ADDED.scalar(connection, before=before))


def _stored(plans: Mapping[int, datetime | None]) -> dict[int, int | None]:
    """As the column stores it; few of these instants differ."""
    texts = {at: to_microseconds(at) for at in set(plans.values())}
    return {task: texts[at] for task, at in plans.items()}
