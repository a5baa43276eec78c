"""A definition that is changed just when a slot is due: the slot still meets its verdict."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import Reason, Status, Trigger
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history

NIGHT = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
AT_HALF_PAST = "name: a\ncommand: 'true'\nschedule: daily 02:30"


@pytest.fixture
async def due(bench):
    """An engine that has watched a slot come, and has not decided on it yet; and its clock."""
    bench.tasks(AT_HALF_PAST)
    clock = SetClock(NIGHT)
    async with bench.engine(clock=clock) as engine:
        await engine._clock_start
        await asyncio.to_thread(engine._scheduler.stop)  # the pass that is about to decide
        clock.pass_by(timedelta(minutes=30, seconds=1))
        yield engine


async def only_run(engine):
    (run,) = await history(engine, "a")
    return await finished(engine, run.id)


async def test_an_edit_lets_the_slot_run(due):
    task = await due.change_task(1, {"schedule": "daily 05:00"})
    run = await only_run(due)

    assert (run.status, run.trigger, run.reason) == (Status.SUCCESS, Trigger.SCHEDULE, None)
    assert run.scheduled_for == NIGHT + timedelta(minutes=30)
    assert task.next_run_at == NIGHT + timedelta(hours=3)


async def test_a_changed_file_lets_the_slot_run(due, bench):
    bench.tasks(AT_HALF_PAST.replace("02:30", "05:00"))
    await due.reload()
    run = await only_run(due)

    assert (run.status, run.trigger) == (Status.SUCCESS, Trigger.SCHEDULE)


async def test_an_edit_keeps_to_the_overlap_policy_of_the_slot(due):
    await due.change_task(1, {"command": "sleep 60"})
    await due.run_now(1, request_id="by hand")
    await due.change_task(1, {"schedule": "daily 05:00"})
    _, slot = await history(due, "a")

    assert (slot.status, slot.reason) == (Status.SKIPPED, Reason.ALREADY_RUNNING)


async def test_deleting_the_task_ends_the_run_of_the_slot_before_it_starts(due):
    await due.delete_task(1)
    rows = (await due.runs(RunQuery(task_id=1))).rows

    assert [(run.status, run.reason, run.attempts) for run in rows] == [
        (Status.STOPPED, Reason.ARCHIVED, 0)
    ]


async def test_an_edit_in_a_pause_folds_what_passed_as_its_end_would(due):
    await due.pause_task(1)
    await due.change_task(1, {"schedule": "daily 05:00"})
    (run,) = await history(due, "a")

    assert (run.status, run.reason) == (Status.SKIPPED, Reason.PAUSED)


async def test_an_edit_while_the_scheduler_is_paused_folds_too(due):
    await due.pause_scheduler()
    await due.change_task(1, {"schedule": "daily 05:00"})
    (run,) = await history(due, "a")

    assert (run.status, run.reason) == (Status.SKIPPED, Reason.PAUSED)


async def test_what_passed_while_no_engine_ran_is_not_made_up_for_across_a_change(bench):
    bench.tasks(AT_HALF_PAST)
    async with bench.engine(clock=SetClock(NIGHT)):
        pass
    bench.tasks(AT_HALF_PAST.replace("02:30", "05:00"))
    async with bench.engine(clock=SetClock(NIGHT + timedelta(hours=1))) as engine:
        (run,) = await history(engine, "a")

    assert (run.status, run.reason) == (Status.MISSED, Reason.DOWN)
