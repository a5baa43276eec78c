"""Pages through the runs, however many there are: no page scans or counts them all.

A page is found as ids first, in indexes alone: newest first from each task or each status that is
asked for, merged. Only then are its rows read.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, select, text

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import BAD, Status
from cronpilot.domain.text import composed
from cronpilot.storage import runs
from cronpilot.storage.database import BY_OPEN, BY_STATUS, BY_TASK, BY_WHOLE_TABLE, DIALECT
from cronpilot.storage.runs import RUN, TASK
from cronpilot.storage.tables import OPEN

MOST_COUNTED = 10_000
"""A total is counted no further: that takes a millisecond, a million takes a hundred."""
FEW_TASKS = 100
"""Tasks whose runs are looked up one by one; of more, a walk over all runs meets one soon."""
FEW_RUNS = 5_000
"""Runs of a status that are looked through for those of some tasks."""


def page(connection: Connection, query: RunQuery) -> tuple[list[RowMapping], int]:
    """The rows that a query asks for, newest first (active ones: oldest first, all of them), as
    `engine.views.run_view` reads them, and how many match; -1 where that is costly to know."""
    if query.active:
        ids = _open(connection, query)
        return runs.views(connection, ids), len(ids)
    wanted = _wanted(connection, query)
    sources = _sources(connection, wanted)
    found = list(chain.from_iterable(source.ids(connection, wanted, query) for source in sources))
    nearest = heapq.nlargest if query.after is None else heapq.nsmallest
    ids = nearest(query.limit, found)
    rows = runs.views(connection, ids)[::-1]
    if query.before is query.after is None and len(ids) < query.limit:
        return rows, len(ids)
    return rows, _total(connection, wanted, sources)


def first_at(connection: Connection, moment: datetime) -> int:
    """The id of the first run recorded at or after `moment`, or one beyond the last.

    Ids rise with the time of recording, so that some twenty looks at the table find it. Where a
    clock was set back they do not, for as long as it was set back by.
    """
    low, beyond = connection.execute(_ENDS).one()
    while low < beyond:
        middle = (low + beyond) // 2
        row = connection.execute(_FROM, {"least": middle}).first()
        if row is None or row.queued_at >= moment:
            beyond = middle
        else:
            low = row.id + 1
    return int(low)


# Two subqueries: asked for both ends in one, SQLite walks from one to the other.
_ENDS = select(
    func.coalesce(select(func.min(RUN.c.id)).scalar_subquery(), 1),
    func.coalesce(select(func.max(RUN.c.id)).scalar_subquery(), 0) + 1,
)
_FROM = (
    select(RUN.c.id, RUN.c.queued_at)
    .where(RUN.c.id >= bindparam("least"))
    .order_by(RUN.c.id)
    .limit(1)
)


# --- what is asked for ---------------------------------------------------------------------------


class _Wanted(NamedTuple):
    """A query as far as it chooses runs. None: any."""

    tasks: list[int] | None
    statuses: list[str] | None
    low: int  # the lowest id
    beyond: int | None  # ids are below


def _wanted(connection: Connection, query: RunQuery) -> _Wanted:
    statuses = set(query.status) or set(Status)
    if query.bad:
        statuses &= BAD
    return _Wanted(
        tasks=_tasks(connection, query),
        statuses=None if statuses == set(Status) else sorted(map(str, statuses)),
        low=0 if query.since is None else first_at(connection, query.since),
        beyond=None if query.until is None else first_at(connection, query.until),
    )


def _tasks(connection: Connection, query: RunQuery) -> list[int] | None:
    """The tasks that are meant, archived ones too; None: all."""
    words = composed(query.text).lower().split()
    if not words:
        return None if query.task_id is None else [query.task_id]
    named = select(TASK.c.id).where(
        *(func.lower(TASK.c.name).contains(word, autoescape=True) for word in words)
    )
    if query.task_id is not None:
        named = named.where(TASK.c.id == query.task_id)
    return list(connection.execute(named).scalars())


def _open(connection: Connection, query: RunQuery) -> list[int]:
    asked = select(RUN.c.id).with_hint(RUN, BY_OPEN, DIALECT).where(text(OPEN))
    tasks = _tasks(connection, query)
    if tasks is not None:
        asked = asked.where(RUN.c.task_id.in_(tasks))
    if query.status:
        asked = asked.where(RUN.c.status.in_([str(status) for status in query.status]))
    return list(connection.execute(asked).scalars())


# --- where it is found ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """Ids in their order along one index; `rest` filters what the index cannot."""

    base: Select[int]
    values: dict[str, Any]
    is_exact: bool  # nothing is left to filter: counting is cheap

    def ids(self, connection: Connection, wanted: _Wanted, query: RunQuery) -> list[int]:
        """Those of one page: the highest, or the lowest that are higher than `after`."""
        limits = [limit for limit in (wanted.beyond, query.before) if limit is not None]
        low = wanted.low if query.after is None else max(wanted.low, query.after + 1)
        order = RUN.c.id.desc() if query.after is None else RUN.c.id.asc()
        asked = self.base.where(RUN.c.id >= low).order_by(order).limit(query.limit)
        if limits:
            asked = asked.where(RUN.c.id < min(limits))
        return list(connection.execute(asked, self.values).scalars())

    def count(self, connection: Connection, wanted: _Wanted, most: int) -> int:
        """How many there are, counted up to `most`."""
        asked = self.base.where(RUN.c.id >= wanted.low).limit(most)
        if wanted.beyond is not None:
            asked = asked.where(RUN.c.id < wanted.beyond)
        counted = select(func.count()).select_from(asked.subquery())
        return int(connection.execute(counted, self.values).scalar_one())


_IDS = select(RUN.c.id)
_OF_TASK = _IDS.with_hint(RUN, BY_TASK, DIALECT).where(RUN.c.task_id == bindparam("task"))
_OF_STATUS = _IDS.with_hint(RUN, BY_STATUS, DIALECT).where(RUN.c.status == bindparam("is"))
_OF_ALL = _IDS.with_hint(RUN, BY_WHOLE_TABLE, DIALECT)


def _sources(connection: Connection, wanted: _Wanted) -> list[_Source]:
    """Along the indexes that leave the least to filter."""
    tasks, statuses = wanted.tasks, wanted.statuses
    if tasks is None and statuses is None:
        return [_Source(_IDS, {}, is_exact=True)]
    if statuses is None:
        assert tasks is not None
        if len(tasks) <= FEW_TASKS:
            return _by_task(tasks, lambda base: base, is_exact=True)
        return [_Source(_OF_ALL.where(RUN.c.task_id.in_(tasks)), {}, is_exact=False)]
    if tasks is None:
        return _by_status(statuses, lambda base: base, is_exact=True)
    few = sum(
        source.count(connection, wanted, FEW_RUNS)
        for source in _by_status(statuses, lambda base: base, is_exact=True)
    )
    if few < FEW_RUNS or len(tasks) > FEW_TASKS:
        return _by_status(statuses, lambda base: base.where(RUN.c.task_id.in_(tasks)))
    return _by_task(tasks, lambda base: base.where(RUN.c.status.in_(statuses)))


_Narrow = Callable[[Select[int]], Select[int]]


def _by_task(tasks: list[int], narrow: _Narrow, *, is_exact: bool = False) -> list[_Source]:
    return [_Source(narrow(_OF_TASK), {"task": task}, is_exact) for task in tasks]


def _by_status(statuses: list[str], narrow: _Narrow, *, is_exact: bool = False) -> list[_Source]:
    return [_Source(narrow(_OF_STATUS), {"is": status}, is_exact) for status in statuses]


def _total(connection: Connection, wanted: _Wanted, sources: list[_Source]) -> int:
    total = 0
    for source in sources:
        if not source.is_exact or total > MOST_COUNTED:
            return -1
        total += source.count(connection, wanted, MOST_COUNTED + 1)
    return total if total <= MOST_COUNTED else -1
