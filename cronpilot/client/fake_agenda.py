"""What comes and what has been in a fake: the rules of an engine over its dictionaries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile

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
from cronpilot.client.fake_queries import page_of_tasks
from cronpilot.client.fake_store import FakeStore
from cronpilot.client.messages import RunView, TaskQuery, TaskView
from cronpilot.domain.agenda import (
    Going,
    Item,
    Occupancy,
    Place,
    Scale,
    Span,
    fold_spans,
    starts_behind,
    starts_by_cell,
    starts_by_hour,
)
from cronpilot.domain.run import HOLDS_SLOT
from cronpilot.domain.schedule import Schedule, fire_times, resolve
from cronpilot.domain.task import Overlap
from cronpilot.domain.zones import find_zone

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class FakeAgenda(FakeStore):
    """For FakeClient: all of a task's future follows from its `next_run_at` and its schedule."""

    @cached_property
    def _known(self) -> dict[int, tuple[TaskView, Item]]:
        """The tasks as they were last looked at: to read ten thousand schedules takes a while."""
        return {}

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        self.answer()
        now = self._clock()
        since, until = max(query.since or now, now), query.until or now + DAY
        slots = Occupancy(self._max_workers, self.pools)
        for run in self._runs.values():
            if run.status in HOLDS_SLOT:
                end = (run.started_at or now) + timedelta(seconds=run.usual_s or 0)
                slots.add(Going(max(end, now + timedelta(seconds=5)), run.task_id, run.pool))
        words = query.text.casefold().split()
        items = [item for item in self._items()
                 if all(word in item.name.casefold() for word in words)]  # fmt: skip
        begun = starts_behind(items, Place(since, query.after_task))
        coming = takewhile(lambda start: start[0] < until, begun)
        rows = []
        for _, (at, item) in zip(range(query.limit), coming, strict=False):
            met = slots.start(item, at)
            rows.append(
                UpcomingStart(
                    task_id=item.id, task_name=item.name, scheduled_for=at, starts_at=at,
                    timezone=item.zone, paused=item.paused, pool=item.pool,
                    usual_s=item.usual.total_seconds() if item.usual else None,
                    together=met.together, waits=met.waits,
                )
            )  # fmt: skip
        return UpcomingPage(rows=rows, more=next(coming, None) is not None)

    async def outlook(self, *, hours: int = 24) -> Outlook:
        self.answer()
        now = self._clock()
        first = now.replace(minute=0, second=0, microsecond=0)
        items = list(self._items())
        edges = [now, *(first + hour * HOUR for hour in range(1, hours + 1))]
        still = [task for task in self._tasks.values()
                 if task.next_run_at is None or task.next_run_at >= now + DAY]  # fmt: skip
        still.sort(key=lambda task: (task.next_run_at is None, task.next_run_at or now, task.id))
        return Outlook(
            at=now,
            hours=[HourLoad(at=first + hour * HOUR, starts=starts)
                   for hour, starts in enumerate(starts_by_hour(items, edges))],
            paused_tasks=sum(item.paused for item in items),
            tasks_without_start=len(still),
            without_start=[
                TaskWithoutStart(task_id=task.id, task_name=task.name,
                                 next_run_at=task.next_run_at, active=task.active)
                for task in still[:50]
            ],
        )  # fmt: skip

    async def timeline(self, query: TimelineQuery) -> Timeline:
        self.answer()
        now, scale = self._clock(), Scale(query.since, query.until, query.cells)
        page = page_of_tasks(
            self._tasks.values(),
            TaskQuery(text=query.text, sort=query.sort, descending=query.descending,
                      offset=query.offset, limit=query.limit),
        )  # fmt: skip
        items = {item.id: item for item in self._items(page.rows)}
        return Timeline(
            rows=[self._row(task, items.get(task.id), scale, now) for task in page.rows],
            total=page.total,
        )

    def _row(self, task: TaskView, item: Item | None, scale: Scale, now: datetime) -> TimelineRow:
        spans = [_span(run) for run in self._runs.values() if run.task_id == task.id]
        return TimelineRow(
            id=task.id, name=task.name, active=task.active, paused=task.paused_at is not None,
            timezone=task.timezone, next_run_at=task.next_run_at, usual_s=task.average_duration_s,
            bars=[TimelineBar(run_id=span.run_id, at=span.at, until=span.until,
                              status=span.status, count=span.many)
                  for span in fold_spans(spans, scale)],
            starts=starts_by_cell(item, scale, now) if item else [],
        )  # fmt: skip

    def _items(self, tasks: Iterable[TaskView] | None = None) -> Iterable[Item]:
        for task in self._tasks.values() if tasks is None else tasks:
            if task.next_run_at is None:
                continue
            known = self._known.get(task.id)
            if known is not None and known[0] is task:
                yield known[1]
                continue
            zone = find_zone(task.timezone)
            schedule = Schedule.model_validate(task.schedule)
            resolved = resolve(schedule, zone=zone, set_at=task.next_run_at, seed=task.name)
            usual = task.average_duration_s
            item = Item(
                id=task.id, name=task.name, zone=task.timezone, next_run_at=task.next_run_at,
                times=fire_times(schedule.type, resolved, zone),
                usual=None if usual is None else timedelta(seconds=usual), pool=task.pool,
                paused=task.paused_at is not None, overlaps=task.overlap is Overlap.ALLOW,
            )  # fmt: skip
            self._known[task.id] = task, item
            yield item


def _span(run: RunView) -> Span:
    at = run.started_at or run.scheduled_for or run.queued_at
    until = run.finished_at
    if run.started_at is None and run.status.is_final:
        until = run.folded_until or at
    return Span(run.id, at, until, run.status, run.folded_count)
