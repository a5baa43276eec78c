"""How the fake engine is doing: what its dictionaries say, on a made-up machine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cronpilot.client.messages import (
    EngineStatus,
    FailingTask,
    Health,
    PassedSlots,
    RunView,
    TaskView,
)
from cronpilot.domain.run import BAD, Status

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def fake_health(
    status: EngineStatus, tasks: Iterable[TaskView], runs: Iterable[RunView], now: datetime
) -> Health:
    """Failing: tasks whose last run is bad; slots and late starts of the last 24 hours."""
    newest_first = sorted(runs, key=lambda run: -run.id)
    day = [run for run in newest_first if now - DAY <= run.queued_at]
    failing = [_failing(task, newest_first) for task in tasks
               if task.last_run and task.last_run.status in BAD]  # fmt: skip
    return Health(
        at=now,
        banners=status.banners,
        failing=failing,
        failing_tasks=len(failing),
        retrying=[run for run in newest_first if run.status is Status.RETRYING],
        passed=_passed(day),
        late=[run for run in day if run.scheduled_for and run.started_at
              and run.started_at - run.scheduled_for > MINUTE],
        disk_free=42_000_000_000,
        disk_size=100_000_000_000,
        database_size=12_300_000,
        logs_size=345_000_000,
        copied_at=now - timedelta(hours=8.5),
        engine=status.engine,
        keeper_pid=2 if status.running else None,
        engine_log=["2026-03-04T08:00:00.120Z INFO event=engine_started version=0.1"],
    )  # fmt: skip


def _failing(task: TaskView, newest_first: list[RunView]) -> FailingTask:
    assert task.last_run is not None
    mine = [run for run in newest_first if run.task_id == task.id]
    success = next((run for run in mine if run.status is Status.SUCCESS), None)
    bad = [run for run in mine if run.status in BAD and (success is None or run.id > success.id)]
    return FailingTask(
        task_id=task.id, task_name=task.name, last_run=task.last_run, failures=max(1, len(bad)),
        since=bad[-1].finished_at if bad else task.last_run.finished_at,
        last_success_at=success.finished_at if success else None,
    )  # fmt: skip


def _passed(runs: list[RunView]) -> list[PassedSlots]:
    found: dict[int, PassedSlots] = {}
    for run in runs:
        if run.status not in (Status.MISSED, Status.SKIPPED):
            continue
        before = found.get(run.task_id)
        missed = run.folded_count if run.status is Status.MISSED else 0
        found[run.task_id] = PassedSlots(
            task_id=run.task_id, task_name=run.task_name,
            missed=missed + (before.missed if before else 0),
            skipped=run.folded_count - missed + (before.skipped if before else 0),
            newest=before.newest if before else run.queued_at,
        )  # fmt: skip
    return sorted(found.values(), key=lambda slots: (-slots.missed, -slots.skipped, slots.task_id))
