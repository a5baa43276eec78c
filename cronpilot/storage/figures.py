"""The figures of a task: how many runs, how many successes, the last verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from cronpilot.domain.run import COUNTED, Status
from cronpilot.storage.database import among, as_list
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import Task

_TASK = Task.__table__  # type: ignore[attr-defined]

REMEMBERED = 20  # verdicts


def duration(started_at: datetime | None, finished_at: datetime | None) -> timedelta | None:
    """How long a run took; None when that is not known, never below zero."""
    if started_at is None or finished_at is None:
        return None
    return max(timedelta(), finished_at - started_at)


class Result(NamedTuple):
    """A verdict for the figures of a task."""

    task_id: int
    status: Status
    duration: timedelta | None = None


_VERDICTS = Prepared(select(_TASK.c.id, _TASK.c.last_verdicts).where(among(_TASK.c.id, "tasks")))
_COUNT = Prepared(
    update(_TASK)
    .where(_TASK.c.id == bindparam("task"))
    .values(
        runs=_TASK.c.runs + bindparam("counted"),
        successes=_TASK.c.successes + bindparam("succeeded"),
        duration_ms=_TASK.c.duration_ms + bindparam("took_ms"),
        last_verdicts=bindparam("verdicts", type_=_TASK.c.last_verdicts.type),
    )
)


def count_results(connection: Connection, results: Sequence[Result]) -> None:
    """Add final runs to the figures of their tasks, in this order."""
    if not results:
        return
    tasks = as_list({result.task_id for result in results})
    verdicts = {row["id"]: row["last_verdicts"] for row in _VERDICTS.rows(connection, tasks=tasks)}
    sums = dict.fromkeys(verdicts, (0, 0, 0))
    for result in results:
        task, status = result.task_id, result.status
        verdicts[task] = [*verdicts[task], str(status)][-REMEMBERED:]
        succeeded = status is Status.SUCCESS
        took = result.duration if succeeded and result.duration else timedelta()
        counted, successes, took_ms = sums[task]
        sums[task] = (
            counted + (status in COUNTED), successes + succeeded,
            took_ms + round(took.total_seconds() * 1000),
        )  # fmt: skip
    _COUNT.run_all(
        connection,
        (
            {
                "task": task, "counted": counted, "succeeded": successes, "took_ms": took_ms,
                "verdicts": verdicts[task],
            }
            for task, (counted, successes, took_ms) in sums.items()
        ),
    )  # fmt: skip
