"""An engine that comes back takes up what goes on, and tells the truth of what passed."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.runner.leftovers import ended
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, reached, start, until, until_there


async def test_a_run_goes_on_without_an_engine_and_ends_with_its_true_code(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks(f"name: slow\ncommand: {until_there(go)}; exit 7\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)

    async def is_over():
        return ended(bench.state_dir)

    nobody_was_there = datetime.now(UTC)
    go.touch()
    await until(is_over, "the end of the command")
    still_nobody = datetime.now(UTC)
    async with bench.engine() as engine:
        run = await finished(engine, run.id)

    assert (run.status, run.exit_code, run.attempts) == (Status.FAILED, 7, 1)
    assert run.duration_s == pytest.approx((run.finished_at - run.started_at).total_seconds())
    assert nobody_was_there <= run.finished_at <= still_nobody


async def test_a_run_that_still_goes_is_taken_up(bench, tmp_path, caplog):
    caplog.set_level(logging.INFO, "cronpilot")
    go = tmp_path / "go"
    bench.tasks(f"name: slow\ncommand: {until_there(go)}\nschedule: manual")
    async with bench.engine() as engine:
        before = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
    async with bench.engine() as engine:
        after = await engine.run(before.id)
        go.touch()
        last = await finished(engine, before.id)

    assert (after.status, after.pid) == (Status.RUNNING, before.pid)
    assert (last.status, last.attempts) == (Status.SUCCESS, 1)
    assert last.started_at == before.started_at
    assert caplog.text.count("run_started") == 1  # it was started once


async def test_a_run_survives_its_keeper(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks(f"name: slow\ncommand: {until_there(go)}; exit 5\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        bench.kill_keeper()
        go.touch()
        last = await finished(engine, run.id)

        assert (last.status, last.exit_code, last.attempts) == (Status.FAILED, 5, 1)
        again = await finished(engine, (await start(engine, "slow")).id)
        assert again.exit_code == 5


async def test_a_queued_run_is_started_by_the_next_engine(bench):
    bench.tasks(
        "name: slow\ncommand: sleep 300\nschedule: manual",
        "name: other\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine(max_workers=1) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        waiting = await start(engine, "other")
        assert waiting.status is Status.QUEUED
    async with bench.engine() as engine:
        assert (await finished(engine, waiting.id)).status is Status.SUCCESS
        await engine.stop_run(slow.id, signal="KILL")
        await finished(engine, slow.id)


async def test_a_retry_is_not_forgotten(bench):
    bench.tasks(
        "name: flaky\ncommand: test $CRONPILOT_ATTEMPT = 2\nschedule: manual\nmax_retries: 1\n"
        "retry_delay: 1h"
    )
    clock = SetClock(datetime.now(UTC))
    async with bench.engine(clock=clock) as engine:
        run = await reached(engine, (await start(engine, "flaky")).id, Status.RETRYING)
    clock.pass_by(timedelta(hours=1))
    async with bench.engine(clock=clock) as engine:
        last = await finished(engine, run.id)

    assert (last.status, last.attempts) == (Status.SUCCESS, 2)


async def test_after_downtime_one_late_run_and_one_row_for_the_others(bench):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        await until(lambda: history(engine, "tick"), "the first slot")
    await asyncio.sleep(3.2)
    async with bench.engine() as engine:

        async def caught_up():
            return [run for run in await history(engine, "tick") if run.reason is Reason.DOWN]

        folded = (await until(caught_up, "the folded row"))[0]
        rows = await history(engine, "tick")

    following = rows[[row.id for row in rows].index(folded.id) + 1]
    assert folded.status is Status.MISSED
    assert folded.folded_count >= 2
    assert following.trigger in (Trigger.CATCH_UP, Trigger.SCHEDULE)
    assert following.scheduled_for == (folded.folded_until or folded.scheduled_for) + timedelta(
        seconds=1
    )
    covered = sum(row.folded_count for row in rows)
    span = (rows[-1].scheduled_for - rows[0].scheduled_for).total_seconds() + 1
    assert covered == span  # every slot has exactly one verdict


async def test_a_start_of_the_engine_fires_nothing_that_was_not_due(bench):
    bench.tasks("name: new\ncommand: 'true'\nschedule: daily 02:30")
    async with bench.engine() as engine:
        await asyncio.sleep(0.5)
        assert await history(engine, "new") == []
