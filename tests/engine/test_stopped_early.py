"""Stopped before its command was started: it never is, and its row says so at once."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import pytest

from cronpilot.domain.run import Reason, Status
from cronpilot.engine import dispatcher
from cronpilot.errors import StorageProblem
from cronpilot.runner.messages import Ended, NeverStarted, Started
from tests.engine.conftest import LONG, finished, log_of, reached, start, until


@pytest.fixture
def pipe(bench, tmp_path):
    """The env_file of task `hangs`: opening it waits until somebody writes."""
    os.mkfifo(tmp_path / "pipe")
    bench.tasks(
        f"name: hangs\ncommand: echo $A\nschedule: manual\nenv_file: {tmp_path}/pipe\n"
        "overlap: replace",
        f"name: hurries\ncommand: echo $A\nschedule: manual\nenv_file: {tmp_path}/pipe\n"
        "timeout: 100ms\nmax_retries: 3",
        "name: other\ncommand: 'true'\nschedule: manual",
    )
    return tmp_path / "pipe"


async def test_a_run_whose_env_file_hangs_is_stopped_at_once_and_never_starts(bench, pipe):
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "hangs")).id, Status.STARTING)
        await engine.stop_run(run.id)
        over = await finished(engine, run.id)
        assert (over.status, over.reason, over.attempts) == (Status.STOPPED, Reason.USER, 0)

        await asyncio.to_thread(pipe.write_text, "A=too late\n")  # returns when that was opened
        await finished(engine, (await start(engine, "other")).id)
        again = await start(engine, "hangs")
        await asyncio.to_thread(pipe.write_text, "A=now\n")
        assert await log_of(engine, (await finished(engine, again.id)).id) == "now\n"

        later = await engine.run(run.id)
        assert (later.status, later.finished_at) == (over.status, over.finished_at)
        assert [a.started_at for a in await engine.attempts(run.id)] == [None]


async def test_a_run_whose_env_file_hangs_is_replaced_at_once(bench, pipe):
    async with bench.engine() as engine:
        old = await reached(engine, (await start(engine, "hangs")).id, Status.STARTING)
        new = await start(engine, "hangs")
        over = await finished(engine, old.id)
        await reached(engine, new.id, Status.STARTING)

        assert (over.status, over.reason) == (Status.STOPPED, Reason.REPLACED)


async def test_an_env_file_has_the_time_of_its_task_and_no_more(bench, pipe):
    async with bench.engine() as engine:
        over = await finished(engine, (await start(engine, "hurries")).id)

    assert (over.status, over.reason, over.attempts) == (Status.ERROR, Reason.SETUP, 0)
    assert f"{pipe}" in over.detail
    assert "100ms" in over.detail


async def test_shutdown_with_tasks_does_not_wait_for_an_env_file_that_hangs(bench, pipe):
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "hangs")).id, Status.STARTING)
        await engine.shutdown(with_tasks=True)
        over = await engine.run(run.id)

    assert (over.status, over.reason) == (Status.STOPPED, Reason.USER)


async def test_a_dozen_files_that_hang_leave_the_engine_its_threads(bench, pipe):
    async with bench.engine(max_workers=20) as engine:
        task = await engine.find_task("hangs")
        await engine.change_task(task.id, {"overlap": "allow"})
        hanging = [(await start(engine, "hangs")).id for _ in range(12)]
        for run_id in hanging:
            await reached(engine, run_id, Status.STARTING)
        other = await finished(engine, (await start(engine, "other")).id)
        for run_id in hanging:
            await engine.stop_run(run_id)
            await finished(engine, run_id)

    assert other.status is Status.SUCCESS


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(
            lambda key: NeverStarted(key, "no process", retry=True), id="refused by the machine"
        ),
        pytest.param(lambda key: Ended(key, 1, None, ""), id="ended by itself, with retries left"),
    ],
)
async def test_a_stop_that_the_keeper_never_met_holds_for_the_run(bench, monkeypatch, report):
    bench.tasks("name: it\ncommand: 'false'\nschedule: manual\nmax_retries: 5\nretry_delay: 0s")
    async with bench.engine() as engine:
        given = []
        monkeypatch.setattr(engine._executor, "start", given.append)  # the keeper never hears it
        monkeypatch.setattr(dispatcher, "UNHEARD_S", 2 * LONG)  # nor is it asked again
        run = await reached(engine, (await start(engine, "it")).id, Status.STARTING)

        async def was_ordered():
            return given

        [order] = await until(was_ordered, "the order")
        await engine.stop_run(run.id)
        engine._dispatcher.report(report(order.key))
        over = await finished(engine, run.id)

    assert (over.status, over.reason) == (Status.STOPPED, Reason.USER)
    assert given == [order]


async def test_a_start_that_is_heard_of_after_its_stop_is_stopped_again(bench, monkeypatch):
    """The keeper may have met the stop before it knew of the run."""
    bench.tasks("name: it\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        given, stopped = [], []
        monkeypatch.setattr(engine._executor, "start", given.append)
        monkeypatch.setattr(engine._executor, "stop", lambda key, **how: stopped.append(key))
        monkeypatch.setattr(dispatcher, "UNHEARD_S", 2 * LONG)
        run = await reached(engine, (await start(engine, "it")).id, Status.STARTING)

        async def was_ordered():
            return given

        [order] = await until(was_ordered, "the order")
        await engine.stop_run(run.id)
        engine._dispatcher.report(Started(order.key, 4242, datetime.now(UTC)))
        told = list(stopped)
        engine._dispatcher.report(Ended(order.key, 143, 15, "user"))
        over = await finished(engine, run.id)

    assert told == [order.key, order.key]
    assert over.status is Status.STOPPED


async def test_a_stop_is_passed_on_though_its_answer_cannot_be_read(bench, monkeypatch):
    bench.tasks("name: long\ncommand: sleep 600\nschedule: manual")

    async def refuse(run_id):
        raise StorageProblem("x.db is damaged.", "Restore a backup of it.")

    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(engine._controls._reader, "run", refuse)
            with pytest.raises(StorageProblem):
                await engine.stop_run(run.id)
        over = await finished(engine, run.id)

    assert (over.status, over.reason) == (Status.STOPPED, Reason.USER)


async def test_a_stop_before_the_order_was_given_keeps_it_from_being_given(bench, monkeypatch):
    bench.tasks("name: it\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        start_all, held, given = engine._dispatcher._start_all, [], []
        monkeypatch.setattr(engine._executor, "start", given.append)
        monkeypatch.setattr(engine._dispatcher, "_start_all", held.extend)
        run = await reached(engine, (await start(engine, "it")).id, Status.STARTING)
        await engine.stop_run(run.id)
        monkeypatch.undo()
        start_all(held)
        over = await finished(engine, run.id)

    assert (over.status, over.reason, over.attempts) == (Status.STOPPED, Reason.USER, 0)
    assert given == []
