"""Overlap, worker slots, pools, priorities, deadlines, pauses: for every kind of start."""

from __future__ import annotations

import logging

import pytest

from cronpilot.domain.run import Reason, Status
from cronpilot.engine.dispatcher import Room
from tests.engine.conftest import finished, history, reached, start, until

SLEEPER = "name: {0}\ncommand: sleep 300\nschedule: manual\n{1}"


async def test_skip_refuses_a_second_start_and_warns(bench, caplog):
    bench.tasks(SLEEPER.format("slow", ""))
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        with caplog.at_level(logging.WARNING):
            second = await start(engine, "slow")
        await engine.stop_run(first.id)
        await finished(engine, first.id)

    assert (second.status, second.reason) == (Status.SKIPPED, Reason.ALREADY_RUNNING)
    assert "Task slow is already running, skipping" in caplog.text


async def test_queue_lets_one_wait_and_refuses_a_further_one(bench):
    bench.tasks(SLEEPER.format("slow", "overlap: queue"))
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        second = await start(engine, "slow")
        third = await start(engine, "slow")
        assert (second.status, second.detail) == (Status.QUEUED, "waits for the run before it")
        assert (third.status, third.reason) == (Status.SKIPPED, Reason.QUEUE_FULL)

        await engine.stop_run(first.id)
        await reached(engine, second.id, Status.RUNNING)
        await engine.stop_run(second.id)
        await finished(engine, second.id)


async def test_replace_ends_the_old_run_and_starts_the_new_one(bench):
    bench.tasks(SLEEPER.format("slow", "overlap: replace"))
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        second = await start(engine, "slow")
        old = await finished(engine, first.id)
        new = await reached(engine, second.id, Status.RUNNING)
        await engine.stop_run(new.id)
        await finished(engine, new.id)

    assert (old.status, old.reason) == (Status.STOPPED, Reason.REPLACED)
    assert old.finished_at <= new.started_at


async def test_allow_runs_side_by_side(bench):
    bench.tasks(SLEEPER.format("slow", "overlap: allow"))
    async with bench.engine() as engine:
        runs = [await start(engine, "slow") for _ in range(3)]
        for run in runs:
            await reached(engine, run.id, Status.RUNNING)
        assert (await engine.status()).running == 3
        for run in runs:
            await engine.stop_run(run.id)
            await finished(engine, run.id)


async def test_what_finds_no_slot_waits_and_says_for_what(bench):
    bench.tasks(SLEEPER.format("slow", ""), "name: quick\ncommand: 'true'\nschedule: manual")
    async with bench.engine(max_workers=1) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        quick = await start(engine, "quick")
        assert (quick.status, quick.detail) == (Status.QUEUED, "waits for a free slot 1/1")

        await engine.stop_run(slow.id)
        assert (await finished(engine, quick.id)).status is Status.SUCCESS


async def test_a_pool_bounds_its_tasks_and_no_others(bench):
    bench.tasks(
        SLEEPER.format("one", "pool: db"),
        SLEEPER.format("two", "pool: db"),
        "name: free\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine(pools={"db": 1}) as engine:
        one = await reached(engine, (await start(engine, "one")).id, Status.RUNNING)
        two = await start(engine, "two")
        assert (two.status, two.detail) == (Status.QUEUED, "waits for pool db 1/1")
        free = await finished(engine, (await start(engine, "free")).id)
        assert free.status is Status.SUCCESS

        await engine.stop_run(one.id)
        await reached(engine, two.id, Status.RUNNING)
        await engine.stop_run(two.id)
        await finished(engine, two.id)


async def test_of_those_that_wait_together_a_pool_lets_in_no_more_than_it_has(bench):
    bench.tasks(
        SLEEPER.format("first", ""), SLEEPER.format("one", "pool: db"),
        SLEEPER.format("two", "pool: db"), "name: last\ncommand: 'true'\nschedule: manual",
    )  # fmt: skip
    async with bench.engine(max_workers=1, pools={"db": 1}) as engine:
        first = await reached(engine, (await start(engine, "first")).id, Status.RUNNING)
        one, two, last = [await start(engine, name) for name in ("one", "two", "last")]
        engine._dispatcher.room = Room(9, {"db": 1})  # as after a change of config.yaml
        await engine.stop_run(first.id)
        await reached(engine, one.id, Status.RUNNING)
        await finished(engine, last.id)
        waits = await engine.run(two.id)
        for run in (one, two):
            await engine.stop_run(run.id)
            await finished(engine, run.id)

    assert (waits.status, waits.detail) == (Status.QUEUED, "waits for pool db 1/1")


async def test_a_run_of_a_pool_takes_a_worker_slot_too(bench):
    bench.tasks(
        SLEEPER.format("slow", "pool: db"), "name: quick\ncommand: 'true'\nschedule: manual"
    )
    async with bench.engine(max_workers=1, pools={"db": 5}) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        quick = await start(engine, "quick")
        await engine.stop_run(slow.id)
        slow, quick = await finished(engine, slow.id), await finished(engine, quick.id)

    assert slow.finished_at <= quick.started_at


async def test_priority_starts_first_then_age(bench):
    bench.tasks(
        SLEEPER.format("slow", "priority: 9"),
        "name: low\ncommand: 'true'\nschedule: manual",
        "name: high\ncommand: 'true'\nschedule: manual\npriority: 5",
    )
    async with bench.engine(max_workers=1) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        low, high = await start(engine, "low"), await start(engine, "high")
        await engine.stop_run(slow.id)
        low, high = await finished(engine, low.id), await finished(engine, high.id)

    assert high.finished_at <= low.started_at


async def test_a_run_that_has_started_meanwhile_is_not_given_up(bench, caplog):
    bench.tasks(SLEEPER.format("late", "deadline: 1h"))
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "late")).id, Status.RUNNING)
        with caplog.at_level(logging.WARNING):
            await engine._dispatcher._give_up([run.id])
        after = await engine.run(run.id)
        await engine.stop_run(run.id)
        await finished(engine, run.id)

    assert after.status is Status.RUNNING
    assert "missed" not in caplog.text


async def test_a_run_that_waits_beyond_its_deadline_is_missed(bench):
    bench.tasks(
        SLEEPER.format("slow", ""),
        "name: late\ncommand: 'true'\nschedule: manual\ndeadline: 1s",
    )
    async with bench.engine(max_workers=1) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        late = await finished(engine, (await start(engine, "late")).id)
        await engine.stop_run(slow.id)
        await finished(engine, slow.id)

    assert (late.status, late.reason, late.attempts) == (Status.MISSED, Reason.DEADLINE, 0)


async def test_a_paused_task_keeps_its_next_run_and_folds_what_passed(bench):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        task = await engine.find_task("tick")
        paused = await engine.pause_task(task.id)
        await until(lambda: _passed(engine, paused.next_run_at, 2), "two slots")
        assert (await engine.task(task.id)).next_run_at == paused.next_run_at
        before = len(await history(engine, "tick"))

        resumed = await engine.resume_task(task.id)
        rows = await history(engine, "tick")

    assert paused.paused_at is not None
    assert resumed.paused_at is None
    assert resumed.next_run_at > paused.next_run_at
    folded = rows[before]
    assert (folded.status, folded.reason) == (Status.SKIPPED, Reason.PAUSED)
    assert folded.folded_count >= 2


async def test_a_paused_scheduler_starts_nothing_but_by_hand(bench):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        status = await engine.pause_scheduler()
        assert status.paused
        count = len(await history(engine, "tick"))
        due = (await engine.find_task("tick")).next_run_at
        await until(lambda: _passed(engine, due, 2), "two slots")
        assert len(await history(engine, "tick")) == count

        by_hand = await finished(engine, (await start(engine, "tick")).id)
        assert by_hand.status is Status.SUCCESS
        assert not (await engine.resume_scheduler()).paused

        async def runs_again() -> bool:
            return (await history(engine, "tick"))[-1].trigger == "schedule"

        await until(runs_again, "a scheduled run after the pause")


@pytest.mark.parametrize("whole", [False, True], ids=["one task", "the scheduler"])
async def test_a_pause_survives_a_restart(bench, whole):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        task = await engine.find_task("tick")
        await (engine.pause_scheduler() if whole else engine.pause_task(task.id))
    async with bench.engine() as engine:
        if whole:
            assert (await engine.status()).paused
        else:
            assert (await engine.task(task.id)).paused_at is not None


async def _passed(engine, instant, seconds) -> bool:
    return (engine._clock.now() - instant).total_seconds() >= seconds
