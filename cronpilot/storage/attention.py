"""What may need somebody's attention: failing tasks, slots without a run, late starts.

Every question looks at a bounded number of rows, so that it may be asked every few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    Select,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)

from cronpilot.domain.run import BAD, Status, Trigger
from cronpilot.storage.database import BY_STATUS, BY_TASK, BY_WHOLE_TABLE, DIALECT
from cronpilot.storage.history import first_at
from cronpilot.storage.meta import AUDIT
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.runs import RUN, TASK

LOOKED_THROUGH = 1_000
"""Runs of a task that are looked through for its last success."""
SLOTS = 20_000
"""The newest slots without a run that are counted, of each kind."""
STARTS = 5_000
"""The newest runs among which late starts are looked for."""
NOTES = 2_000
"""The newest lines of the audit among which steps of the clock are looked for."""


class Streak(NamedTuple):
    """How long a task has been failing."""

    failures: int  # in a row; `LOOKED_THROUGH` or fewer were looked at
    first_at: datetime | None  # when the first of them ended
    last_success_at: datetime | None  # None: none among those looked at


_RECENT = (
    select(RUN.c.id, RUN.c.status, RUN.c.finished_at)
    .with_hint(RUN, BY_TASK, DIALECT)
    .where(RUN.c.task_id == bindparam("task"), RUN.c.trigger != str(Trigger.TEST))
    .order_by(RUN.c.id.desc())
    .limit(LOOKED_THROUGH)
    .subquery()
)
_LAST_SUCCESS = Prepared(
    select(func.max(_RECENT.c.id)).where(_RECENT.c.status == str(Status.SUCCESS))
)
_FAILURES = Prepared(
    select(func.count(), func.min(_RECENT.c.id)).where(
        _RECENT.c.id > bindparam("least"), or_(*(_RECENT.c.status == str(word) for word in BAD))
    )
)
_ENDED = Prepared(select(RUN.c.finished_at).where(RUN.c.id == bindparam("run")))


def streak(connection: Connection, task_id: int) -> Streak:
    """The failures of a task since its last success."""
    success = _LAST_SUCCESS.scalar(connection, task=task_id)
    ((failures, first),) = _FAILURES.tuples(connection, task=task_id, least=success or 0)

    def ended(run_id: int | None) -> datetime | None:
        at: datetime | None = _ENDED.scalar(connection, run=run_id)
        return at

    return Streak(failures, ended(first), ended(success))


def passed_slots(connection: Connection, since: datetime, most: int) -> list[RowMapping]:
    """How many slots of which tasks passed without a run (`missed`, `skipped`), and the `newest`;
    most missed ones first. Pauses, which somebody wanted, are left out."""
    low = first_at(connection, since)
    kinds = [_slots(status, low) for status in (Status.MISSED, Status.SKIPPED)]
    both = kinds[0].union_all(kinds[1]).subquery()
    missed = func.sum(case((both.c.status == "missed", both.c.folded_count), else_=0))
    skipped = func.sum(case((both.c.status == "skipped", both.c.folded_count), else_=0))
    return list(
        connection.execute(
            select(both.c.task_id, TASK.c.name.label("task_name"), missed.label("missed"),
                   skipped.label("skipped"), func.max(both.c.queued_at).label("newest"))
            .join(TASK, TASK.c.id == both.c.task_id)
            .where(TASK.c.archived_at.is_(None))
            .group_by(both.c.task_id, TASK.c.name)
            .order_by(missed.desc(), skipped.desc(), both.c.task_id)
            .limit(most)
        ).mappings()
    )  # fmt: skip


def _slots(status: Status, low: int) -> Select[Any]:
    newest = (
        select(RUN.c.task_id, RUN.c.status, RUN.c.folded_count, RUN.c.queued_at, RUN.c.reason)
        .with_hint(RUN, BY_STATUS, DIALECT)
        .where(RUN.c.status == str(status), RUN.c.id >= low)
        .order_by(RUN.c.id.desc())
        .limit(SLOTS)
        .subquery()
    )
    return select(newest.c.task_id, newest.c.status, newest.c.folded_count,
                  newest.c.queued_at).where(
        func.coalesce(newest.c.reason, "") != "paused"
    )  # fmt: skip


def late_starts(
    connection: Connection, since: datetime, late: timedelta, most: int
) -> Sequence[int]:
    """The newest runs that began later than `late` after their slot and spread; ids, newest first.

    Only the newest `STARTS` runs are looked at.
    """
    newest = (
        select(RUN.c.id, RUN.c.task_id, RUN.c.scheduled_for, RUN.c.started_at)
        .with_hint(RUN, BY_WHOLE_TABLE, DIALECT)
        .where(RUN.c.id >= first_at(connection, since))
        .order_by(RUN.c.id.desc())
        .limit(STARTS)
        .subquery()
    )
    by = cast(newest.c.started_at, Integer) - cast(newest.c.scheduled_for, Integer)
    spread = cast(TASK.c.spread, Integer) * 1000  # stored as milliseconds
    return list(
        connection.execute(
            select(newest.c.id)
            .join(TASK, TASK.c.id == newest.c.task_id)
            .where(by - spread > round(late.total_seconds() * 1e6))
            .order_by(newest.c.id.desc())
            .limit(most)
        ).scalars()
    )


def clock_steps(connection: Connection, since: datetime, most: int) -> list[RowMapping]:
    """When the clock was set, newest first."""
    newest = select(AUDIT).where(AUDIT.c.at >= since).order_by(AUDIT.c.at.desc()).limit(NOTES)
    notes = newest.subquery()
    return list(
        connection.execute(
            select(notes.c.at, notes.c.detail)
            .where(notes.c.action == "clock step")
            .order_by(notes.c.at.desc())
            .limit(most)
        ).mappings()
    )
