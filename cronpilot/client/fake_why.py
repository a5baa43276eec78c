"""Explanations over the rows of a fake: the same sentences as an engine's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cronpilot.client.messages import Explanation, RunQuery, RunView, TaskView
from cronpilot.domain.duration import parse_duration
from cronpilot.domain.plan import spread_offset
from cronpilot.domain.run import Status
from cronpilot.domain.schedule import Schedule, fire_times, resolve
from cronpilot.domain.why import why_at, why_now
from cronpilot.domain.why_facts import Around, Engine, Planned, Row, Task
from cronpilot.domain.zones import find_zone

if TYPE_CHECKING:
    from cronpilot.client.fake import FakeClient

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # when the tasks of a fake were set


class Explanations:
    """Says what an engine would say that knew the tasks since 2020, and only these runs."""

    def __init__(self, fake: FakeClient, clock: Callable[[], datetime]) -> None:
        self._fake, self._clock = fake, clock

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        task = await self._fake.task(task_id)
        runs = (await self._fake.runs(RunQuery(task_id=task_id, limit=200))).rows
        paused = (await self._fake.status()).paused
        return _explain(task, runs, at, self._clock(), paused=paused)


def _explain(
    task: TaskView, runs: Sequence[RunView], at: datetime | None, now: datetime, *, paused: bool
) -> Explanation:
    facts, engine = _facts(task), Engine(paused_at=now if paused else None)
    rows = [_row(run) for run in runs]
    if at is None:
        going = tuple(row for row in rows if not row.status.is_final)
        last = next((row for row in rows if task.last_run and row.id == task.last_run.id), None)
        why = why_now(facts, engine, now, going, Around(row=last))
    else:
        slots = [row for row in rows if row.slot is not None and row.slot <= at]
        near = max(slots, key=lambda row: row.slot or now, default=None)
        other = _in_its_way(rows, near)
        why = why_at(facts, facts.plan, engine, Around(row=near, other=other), at, now)
    return Explanation(
        task_id=task.id, task_name=task.name, at=at, verdict=why.verdict, rule=why.rule,
        because=list(why.because),
        runs=sorted((run for run in runs if run.id in why.runs), key=lambda run: run.id),
        slot=why.slot, next_run_at=task.next_run_at,
    )  # fmt: skip


def _in_its_way(rows: Sequence[Row], near: Row | None) -> Row | None:
    if near is None or near.status is not Status.SKIPPED:
        return None
    before = [row for row in rows if row.id < near.id and row.attempts]
    return max(before, key=lambda row: row.id, default=None)


def _facts(task: TaskView) -> Task:
    schedule, zone = Schedule.model_validate(task.schedule), find_zone(task.timezone)
    resolved = resolve(schedule, zone=zone, set_at=_LONG_AGO, seed=task.name)
    plan = Planned(
        fire_times(schedule.type, resolved, zone), None, schedule.type, schedule.shorthand, zone,
        spread_offset(task.name, parse_duration(task.spread)), task.active,
    )  # fmt: skip
    return Task(
        task.name, plan, task.next_run_at, task.overlap, task.missed,
        max_retries=task.max_retries, success_codes=tuple(task.success_codes), pool=task.pool,
        paused_at=task.paused_at, paused_until=task.paused_until,
    )  # fmt: skip


def _row(run: RunView) -> Row:
    queued = run.status is Status.QUEUED
    return Row(
        id=run.id, status=run.status, trigger=run.trigger, queued_at=run.queued_at,
        slot=run.scheduled_for, until=run.folded_until, count=run.folded_count, reason=run.reason,
        exit_code=run.exit_code, signal=run.signal, attempts=run.attempts,
        max_attempts=run.max_attempts, started_at=run.started_at, finished_at=run.finished_at,
        retry_at=run.retry_at, detail="" if queued else run.detail,
        waits=run.detail if queued else "", actor=run.actor,
    )  # fmt: skip
