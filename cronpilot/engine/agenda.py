"""Answers what comes, how much of it an hour, and how the past and the future of tasks look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from cronpilot.client.agenda import (
    HourLoad,
    Outlook,
    TaskWithoutStart,
    Timeline,
    TimelineBar,
    TimelineQuery,
    TimelineRow,
    UpcomingPage,
    UpcomingQuery,
    UpcomingStart,
)
from cronpilot.client.messages import TaskQuery
from cronpilot.domain.agenda import (
    Going,
    Item,
    Met,
    Occupancy,
    Place,
    Scale,
    Span,
    fold_spans,
    going_at,
    starts_behind,
    starts_by_cell,
    starts_by_hour,
)
from cronpilot.domain.run import Status
from cronpilot.domain.task import Overlap
from cronpilot.engine.planner import offset_of_row, times_of_resolved
from cronpilot.engine.reading import Reader
from cronpilot.engine.views import average_s
from cronpilot.storage import agenda, tasks
from cronpilot.storage.database import Connection
from cronpilot.storage.history import first_at

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_WITHOUT_START = 50
AT_ONCE = timedelta(seconds=5)
"""Taken for what is left of a run that has been going for longer than usual."""


class Agenda:
    """Asks the database in a thread; nothing here waits in the loop.

    Args:
        room: how many runs may go at once, in all and by pool.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        now: Callable[[], datetime],
        room: Callable[[], tuple[int, Mapping[str, int]]],
        zone: Callable[[], ZoneInfo],
    ) -> None:
        self._reader, self._now, self._room, self._zone = reader, now, room, zone

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        """The next planned starts, with those of paused tasks."""
        return await self._reader.read(lambda connection: self._upcoming(connection, query))

    async def outlook(self, *, hours: int = 24) -> Outlook:
        """How many starts are planned in each of the next hours."""
        return await self._reader.read(lambda connection: self._outlook(connection, hours))

    async def timeline(self, query: TimelineQuery) -> Timeline:
        """What has been and what comes of these tasks."""
        return await self._reader.read(lambda connection: self._timeline(connection, query))

    # --- in a thread ---

    def _upcoming(self, connection: Connection, query: UpcomingQuery) -> UpcomingPage:
        now = self._now()
        since, until = max(query.since or now, now), query.until or now + DAY
        from_now = since <= now and not query.after_task
        planned = agenda.planned(connection, query.text, until=since, beyond=query.limit + 1)
        items = [_item(row) for row in planned]
        slots = Occupancy(*self._room())
        for going in self._taken(connection, now) if from_now else going_at(items, since):
            slots.add(going)
        begun = starts_behind(items, Place(since, query.after_task))
        coming = takewhile(lambda start: start[0] < until, begun)
        rows = [
            _start(item, at, slots.start(item, at))
            for _, (at, item) in zip(range(query.limit), coming, strict=False)
        ]
        return UpcomingPage(rows=rows, more=next(coming, None) is not None)

    def _taken(self, connection: Connection, now: datetime) -> Iterable[Going]:
        for row in agenda.taken(connection):
            usual = average_s(row["duration_ms"], row["successes"]) or 0
            end = (row["started_at"] or now) + timedelta(seconds=usual)
            yield Going(max(end, now + AT_ONCE), row["task_id"], row["pool"])

    def _outlook(self, connection: Connection, hours: int) -> Outlook:
        now = self._now()
        top = now.astimezone(self._zone()).replace(minute=0, second=0, microsecond=0)
        first = top.astimezone(now.tzinfo)
        edges = [now, *(first + hour * HOUR for hour in range(1, hours + 1))]
        alike = [_alike(row) for row in agenda.planned_alike(connection, edges[-1])]
        still, total = agenda.without_start(connection, now + DAY, MOST_WITHOUT_START)
        return Outlook(
            at=now,
            hours=[
                HourLoad(at=first + hour * HOUR, starts=starts)
                for hour, starts in enumerate(starts_by_hour(alike, edges))
            ],
            paused_tasks=agenda.count_paused(connection),
            tasks_without_start=total,
            without_start=[
                TaskWithoutStart(task_id=row["id"], task_name=row["name"],
                                 next_run_at=row["next_run_at"], active=row["active"])
                for row in still
            ],
        )  # fmt: skip

    def _timeline(self, connection: Connection, query: TimelineQuery) -> Timeline:
        now, scale = self._now(), Scale(query.since, query.until, query.cells)
        wanted = TaskQuery(text=query.text, sort=query.sort, descending=query.descending,
                           offset=query.offset, limit=query.limit)  # fmt: skip
        rows, total = tasks.page(connection, wanted)
        planned = agenda.items(connection, [row["id"] for row in rows])
        items = {row["id"]: _item(row) for row in planned}
        # What began before the picture may reach into it.
        low = first_at(connection, scale.since - (scale.until - scale.since))
        found = []
        for row in rows:
            item = items.get(row["id"])
            seen = agenda.bars(connection, row["id"], low, scale.until) if scale.since < now else []
            found.append(
                TimelineRow(
                    id=row["id"], name=row["name"], active=row["active"],
                    paused=row["paused_at"] is not None, timezone=row["zone_key"],
                    next_run_at=row["next_run_at"],
                    usual_s=average_s(row["duration_ms"], row["successes"]),
                    bars=[_bar(span) for span in fold_spans(map(_span, seen), scale)],
                    starts=starts_by_cell(item, scale, now) if item else [],
                )
            )  # fmt: skip
        return Timeline(rows=found, total=total)


def _item(row: Mapping[Any, Any]) -> Item:
    """A row of `storage.agenda.planned`."""
    usual = average_s(row["duration_ms"], row["successes"])
    return _of_schedule(row)._replace(
        usual=None if usual is None else timedelta(seconds=usual),
        pool=row["pool"],
        paused=row["paused_at"] is not None,
        overlaps=row["overlap"] is Overlap.ALLOW,
    )


def _alike(row: Mapping[Any, Any]) -> Item:
    """A row of `storage.agenda.planned_alike`."""
    return _of_schedule(row)._replace(tasks=row["tasks"])


def _of_schedule(row: Mapping[Any, Any]) -> Item:
    """What says when it starts."""
    return Item(
        id=row["id"],
        name=row["name"],
        zone=row["zone_key"],
        next_run_at=row["next_run_at"],
        times=times_of_resolved(row["resolved"], row["zone_key"], row["quiet_key"]),
        offset=offset_of_row(row),
    )


def _start(item: Item, at: datetime, met: Met) -> UpcomingStart:
    return UpcomingStart(
        task_id=item.id,
        task_name=item.name,
        scheduled_for=at - item.offset,
        starts_at=at,
        timezone=item.zone,
        paused=item.paused,
        usual_s=None if item.usual is None else item.usual.total_seconds(),
        pool=item.pool,
        together=met.together,
        waits=met.waits,
        quiet=item.quiet(at - item.offset),
    )


def _span(row: Mapping[Any, Any]) -> Span:
    """A run from its start to its end; slots without a run where they were to be."""
    at = row["started_at"] or row["scheduled_for"] or row["queued_at"]
    if row["started_at"] is None and row["status"].is_final:
        until = row["folded_until"] or at
    else:
        until = row["finished_at"]
    return Span(row["id"], at, until, Status(row["status"]), row["folded_count"])


def _bar(span: Span) -> TimelineBar:
    return TimelineBar(
        run_id=span.run_id, at=span.at, until=span.until, status=span.status, count=span.many
    )
