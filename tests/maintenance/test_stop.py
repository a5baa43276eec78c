"""Stopping runs while no engine is there."""

from __future__ import annotations

import asyncio

import pytest

from cronpilot.domain.run import Reason, Status
from cronpilot.errors import Refused, StateDirectoryBusy
from cronpilot.maintenance.stop import stop_without_engine
from cronpilot.runner.executor import Local
from cronpilot.runner.leftovers import ended
from cronpilot.storage.lock import DatabaseLock
from tests.engine.conftest import finished, history, reached, start, until

SLEEPER = "name: {0}\ncommand: sleep 300\nschedule: manual\nstop_grace: 1s\n{1}"


async def leave_running(bench, name: str = "slow", more: str = "") -> int:
    """A run that goes on, and no engine; its id."""
    bench.tasks(SLEEPER.format(name, more))
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, name)).id, Status.RUNNING)
    return run.id


async def stop(settings, ids, *, everything=False):
    return await asyncio.to_thread(
        stop_without_engine, settings, ids, everything=everything, signal="TERM"
    )


async def test_a_run_is_stopped_and_the_next_engine_records_by_whom(bench, settings):
    run_id = await leave_running(bench)

    assert await stop(settings, [run_id]) == ({run_id}, set())

    async with bench.engine() as engine:
        run = await finished(engine, run_id)
    assert (run.status, run.reason) == (Status.STOPPED, Reason.USER)


async def test_it_works_when_the_keeper_has_died_too(bench, settings):
    run_id = await leave_running(bench)
    bench.kill_keeper()

    assert await stop(settings, [run_id]) == ({run_id}, set())

    async with bench.engine() as engine:
        run = await finished(engine, run_id)
    assert (run.status, run.reason) == (Status.STOPPED, Reason.USER)


async def test_a_run_that_ended_by_itself_is_not_called_stopped(bench, settings):
    go = bench.state_dir / "go"
    command = f"until test -e {go}; do sleep 0.05; done"
    bench.tasks(f"name: quick\ncommand: {command!r}\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "quick")).id, Status.RUNNING)
    go.touch()

    async def is_over() -> bool:
        return bool(ended(bench.state_dir))

    await until(is_over, "the end of its command")

    with pytest.raises(Refused, match="has already ended"):
        await stop(settings, [run.id])
    assert await stop(settings, [run.id], everything=True) == (set(), set())

    async with bench.engine() as engine:
        run = await finished(engine, run.id)
    assert (run.status, run.reason, run.exit_code) == (Status.SUCCESS, None, 0)


async def test_what_only_waits_is_ended_at_once(bench, settings):
    bench.tasks(SLEEPER.format("slow", "overlap: queue"))
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        second = await start(engine, "slow")
        assert second.status is Status.QUEUED

    await stop(settings, [first.id, second.id])

    async with bench.engine() as engine:
        await finished(engine, first.id)
        runs = await history(engine, "slow")
    assert [(run.status, run.attempts) for run in runs] == [
        (Status.STOPPED, 1), (Status.STOPPED, 0),
    ]  # fmt: skip


async def test_all_stops_what_no_row_knows_too(bench, settings):
    run_id = await leave_running(bench)
    for path in bench.state_dir.glob("cronpilot.db*"):
        path.unlink()
    async with bench.engine():
        pass  # a new, empty database

    assert await stop(settings, [], everything=True) == (set(), {run_id})


async def test_a_run_that_is_over_is_refused_by_its_number(bench, settings):
    run_id = await leave_running(bench)
    await stop(settings, [run_id])
    async with bench.engine() as engine:
        await finished(engine, run_id)

    with pytest.raises(Refused, match="over already: stopped"):
        await stop(settings, [run_id])


async def test_an_engine_that_owns_the_database_is_not_bypassed(bench, settings):
    run_id = await leave_running(bench)
    lock = DatabaseLock(settings.database)
    assert lock.take()
    try:
        with pytest.raises(StateDirectoryBusy):
            await stop(settings, [run_id])
    finally:
        lock.release()
    await stop(settings, [run_id])


async def test_where_nothing_runs_no_keeper_is_started(bench, settings, monkeypatch):
    bench.tasks(SLEEPER.format("slow", ""))
    async with bench.engine():
        pass
    spawned: list[None] = []
    monkeypatch.setattr(Local, "_spawn", lambda _: spawned.append(None))

    assert await stop(settings, [], everything=True) == (set(), set())

    assert spawned == []
