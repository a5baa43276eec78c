"""Test runs: they show what would happen, and count for nothing."""

from __future__ import annotations

import os

import pytest

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.errors import ConfigError
from tests.engine.conftest import finished, log_of, reached, start, until, until_there


async def start_test(engine, name, **how):
    """Start a test of that task."""
    task = await engine.find_task(name)
    return await engine.test_task(task.id, request_id=os.urandom(8).hex(), **how)


@pytest.mark.parametrize("as_scheduled", [False, True])
async def test_a_test_is_kept_out_of_every_figure(bench, as_scheduled):
    bench.tasks("name: bad\ncommand: echo $CRONPILOT_TASK; false\nschedule: manual")
    async with bench.engine() as engine:
        before = await engine.find_task("bad")
        started = await start_test(engine, "bad", as_scheduled=as_scheduled)
        run = await finished(engine, started.id)
        after, status = await engine.find_task("bad"), await engine.status()
        said = await log_of(engine, run.id)

    assert (run.trigger, run.status, run.exit_code) == (Trigger.TEST, Status.FAILED, 1)
    assert said == "bad\n"
    assert after == before
    assert status.failing_tasks == 0


async def test_a_test_starts_beside_its_task_and_no_slot_minds_it(bench):
    bench.tasks("name: slow\ncommand: sleep 300\nschedule: manual\npool: db")
    async with bench.engine(pools={"db": 1}) as engine:
        test = await reached(engine, (await start_test(engine, "slow")).id, Status.RUNNING)
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        another = await reached(engine, (await start_test(engine, "slow")).id, Status.RUNNING)
        for one in (test, run, another):
            await engine.stop_run(one.id)
            await finished(engine, one.id)


async def test_as_scheduled_overlap_holds(bench):
    bench.tasks("name: slow\ncommand: sleep 300\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        refused = await start_test(engine, "slow", as_scheduled=True)
        verdicts = (await engine.find_task("slow")).last_verdicts
        await engine.stop_run(run.id)
        await finished(engine, run.id)

    assert (refused.status, refused.reason) == (Status.SKIPPED, Reason.ALREADY_RUNNING)
    assert verdicts == []


async def test_as_scheduled_pools_and_deadline_hold(bench):
    bench.tasks(
        "name: slow\ncommand: sleep 300\nschedule: manual\npool: db",
        "name: late\ncommand: 'true'\nschedule: manual\npool: db\ndeadline: 1s",
    )
    async with bench.engine(pools={"db": 1}) as engine:
        slow = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        test = await start_test(engine, "late", as_scheduled=True)
        late = await finished(engine, test.id)
        await engine.stop_run(slow.id)
        await finished(engine, slow.id)

    assert test.detail == "waits for pool db 1/1"
    assert (late.status, late.reason) == (Status.MISSED, Reason.DEADLINE)


@pytest.mark.parametrize(
    ("as_scheduled", "attempts"),
    [pytest.param(False, 1, id="a test is one attempt"),
     pytest.param(True, 3, id="as scheduled it is retried as the task says")],
)  # fmt: skip
async def test_retries_of_a_test(bench, as_scheduled, attempts):
    bench.tasks("name: bad\ncommand: 'false'\nschedule: manual\nmax_retries: 2\nretry_delay: 50ms")
    async with bench.engine() as engine:
        test = await start_test(engine, "bad", as_scheduled=as_scheduled)
        run = await finished(engine, test.id)
        tried = await engine.attempts(run.id)

    assert (run.status, run.attempts) == (Status.FAILED, attempts)
    assert [attempt.number for attempt in tried] == list(range(1, attempts + 1))
    assert {(attempt.outcome, attempt.exit_code) for attempt in tried} == {(Status.FAILED, 1)}


async def test_a_definition_that_is_not_saved_is_what_runs(bench):
    bench.tasks("name: greet\ncommand: echo old; exit 4\nschedule: manual\nenv: {WHO: you}")
    async with bench.engine() as engine:
        task = await engine.find_task("greet")
        test = await start_test(
            engine, "greet",
            spec={"command": "echo new $WHO; exit 3", "success_codes": [3], "max_retries": 7},
        )  # fmt: skip
        run = await finished(engine, test.id)
        said = await log_of(engine, run.id)
        after = await engine.find_task("greet")

    assert (run.status, run.exit_code, said) == (Status.SUCCESS, 3, "new you\n")
    assert run.max_attempts == 1
    assert after == task


async def test_a_definition_that_makes_no_sense_is_refused(bench):
    bench.tasks("name: greet\ncommand: echo hi\nschedule: manual")
    async with bench.engine() as engine:
        with pytest.raises(ConfigError, match="timeout") as caught:
            await start_test(engine, "greet", spec={"timeout": "often"})
        assert caught.value.field == "timeout"


async def test_the_same_request_is_one_test(bench):
    bench.tasks("name: one\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        task = await engine.find_task("one")
        first = await engine.test_task(task.id, request_id="abc")
        again = await engine.test_task(task.id, request_id="abc")
        by_hand = await engine.run_now(task.id, request_id="abc")
        await finished(engine, first.id)

    assert first.id == again.id == by_hand.id


async def test_a_start_that_is_resent_while_it_runs_leaves_no_verdict(bench):
    bench.tasks("name: slow\ncommand: sleep 300\nschedule: manual")
    async with bench.engine() as engine:
        task = await engine.find_task("slow")
        run = await engine.run_now(task.id, request_id="abc")
        await reached(engine, run.id, Status.RUNNING)
        again = await engine.run_now(task.id, request_id="abc")
        verdicts = (await engine.task(task.id)).last_verdicts
        await engine.stop_run(run.id)
        await finished(engine, run.id)

    assert (again.id, verdicts) == (run.id, [])


async def test_a_test_goes_on_under_the_next_engine(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks("name: slow\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        test = await start_test(engine, "slow", spec={"command": f"{until_there(go)}; exit 5"})
        await reached(engine, test.id, Status.RUNNING)
    go.touch()
    async with bench.engine() as engine:
        run = await finished(engine, test.id)

    assert (run.status, run.exit_code, run.trigger) == (Status.FAILED, 5, Trigger.TEST)


async def test_a_test_of_a_paused_task_starts(bench):
    bench.tasks("name: calm\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        await engine.pause_task((await engine.find_task("calm")).id)

        async def is_done():
            run = await engine.run((await start_test(engine, "calm")).id)
            return (await finished(engine, run.id)).status is Status.SUCCESS

        assert await until(is_done)
