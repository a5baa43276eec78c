"""A keeper that answers: what went on is taken up, whatever stands in the way at first."""

from __future__ import annotations

import asyncio
import errno
from datetime import timedelta
from types import SimpleNamespace

import psutil
import pytest

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine import recovery
from cronpilot.runner.messages import AttemptKey
from cronpilot.storage import runs, tasks
from tests.engine.conftest import finished, history, reached, start, until, until_there


async def test_what_cannot_be_taken_up_at_once_is_tried_again(bench, monkeypatch):
    settle_all, refusals = recovery.settle_all, [OSError(errno.ENOSPC, "No space left on device")]

    def settle_later(*about):
        if refusals:
            raise refusals.pop()
        settle_all(*about)

    monkeypatch.setattr(recovery, "settle_all", settle_later)
    bench.tasks("name: hello\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "hello")).id)

    assert refusals == []
    assert run.status is Status.SUCCESS


async def test_what_is_under_way_for_a_keeper_that_is_gone_ends_there():
    held, done = [], []

    async def read(question):
        if question is runs.in_flight:
            taking_up.unlinked()
        return []

    taking_up = recovery.TakingUp(
        read=read,
        state_dir=None,
        executor=None,
        trouble=held.append,
        replace=None,
        stop_again=None,
        done=done.append,
    )
    await taking_up.linked([AttemptKey(1, 1)])

    assert (held, done) == ([], [])


def test_what_the_keeper_holds_is_not_settled():
    asked = []
    executor = SimpleNamespace(settle=lambda key, *, boot_id: asked.append((key, boot_id)))
    rows = [{"id": run, "launches": 2, "boot_id": "this one"} for run in (1, 2)]

    recovery.settle_all(executor, rows, [AttemptKey(1, 2), AttemptKey(2, 1)])

    assert asked == [(AttemptKey(2, 2), "this one")]


async def test_slots_that_are_made_up_for_do_not_replace_each_other_after_a_restart(bench):
    bench.tasks("name: each\ncommand: sleep 60\nschedule: every 1h\noverlap: replace\nmissed: all")
    async with bench.engine() as engine:

        def go_back(connection):
            (row,) = tasks.facts(connection, [1])
            # No slot as late as the engine's start: that one would not be made up for.
            anchor = row["next_run_at"] - timedelta(days=365, minutes=30)
            tasks.set_columns(
                connection, 1, next_run_at=anchor, resolved=f"{anchor:%Y-%m-%dT%H:%M:%SZ}/1h"
            )

        await engine._write(go_back)
        engine._scheduler.wakeup()

        async def some():
            rows = await history(engine, "each")
            return [run for run in rows if run.trigger is Trigger.CATCH_UP and not run.reason]

        first, *others = await until(some, "the slots made up for")
        await reached(engine, first.id, Status.RUNNING)
        to_stop = await engine._reader.read(recovery.to_replace)
        by_hand = await start(engine, "each")
        wished = await engine._reader.read(recovery.to_replace)
        await engine.shutdown(with_tasks=True)

    assert (len(others), by_hand.status) == (9, Status.QUEUED)
    assert to_stop == []
    assert first.id in wished


@pytest.mark.parametrize("state", [Status.RUNNING, Status.QUEUED, Status.RETRYING])
async def test_what_was_to_be_replaced_when_the_engine_died_is_replaced_by_the_next(
    bench, monkeypatch, state
):
    """It died when the new run was committed, and before the old one was stopped."""
    command = "exit 1" if state is Status.RETRYING else "sleep 60"
    bench.tasks(
        f"name: it\ncommand: {command}\nschedule: manual\noverlap: replace\npool: one\n"
        "max_retries: 1\nretry_delay: 1h",
        "name: other\ncommand: sleep 60\nschedule: manual\npool: one",
    )
    async with bench.engine(pools={"one": 1}) as engine:
        monkeypatch.setattr(engine._controls, "replace", lambda _: asyncio.sleep(0))
        if state is Status.QUEUED:
            await reached(engine, (await start(engine, "other")).id, Status.RUNNING)
        old = await reached(engine, (await start(engine, "it")).id, state)
        new = await start(engine, "it")

    async with bench.engine(pools={"one": 1}) as engine:
        old = await finished(engine, old.id)
        expected = Status.QUEUED if state is Status.QUEUED else Status.RUNNING
        if state is not Status.RETRYING:
            await reached(engine, new.id, expected)

    assert (old.status, old.reason) == (Status.STOPPED, Reason.REPLACED)


async def test_a_run_that_would_be_retried_ends_with_the_engine(bench, monkeypatch, tmp_path):
    go = tmp_path / "go"
    bench.tasks(
        f"name: flaky\ncommand: {until_there(go)}; exit 1\nschedule: manual\nmax_retries: 9\n"
        "retry_delay: 1h"
    )
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "flaky")).id, Status.RUNNING)
        monkeypatch.setattr(engine._executor, "stop", lambda *about, **more: go.touch())  # too late
        await engine.shutdown(with_tasks=True)
        ended = await engine.run(run.id)

    assert (ended.status, ended.attempts) == (Status.STOPPED, 1)


# --- stops that could not be passed on -----------------------------------------------------------


def lives(pid: int) -> bool:
    """What nobody has buried yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def long_run(bench):
    bench.tasks("name: long\ncommand: sleep 600\nschedule: manual\nmax_retries: 3")


async def test_a_stop_while_no_keeper_answers_is_done_by_the_next_one(bench, monkeypatch, long_run):
    settle_all, is_asked = recovery.settle_all, asyncio.Event()

    def settle_later(*about):
        if not is_asked.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        settle_all(*about)

    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
        monkeypatch.setattr(recovery, "settle_all", settle_later)
        bench.kill_keeper()

        async def is_alone():
            return not engine._dispatcher.is_linked

        await until(is_alone, "the end of the keeper")
        await engine.stop_run(run.id)
        assert (await engine.run(run.id)).status is Status.RUNNING
        is_asked.set()
        over = await finished(engine, run.id)

    assert (over.status, over.reason, over.attempts) == (Status.STOPPED, Reason.USER, 1)
    assert not lives(run.pid)


async def test_a_stop_that_died_with_its_engine_is_done_by_the_next_one(
    bench, monkeypatch, long_run
):
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
        monkeypatch.setattr(engine._dispatcher, "stop", lambda *_: None)
        await engine.stop_run(run.id)
    assert lives(run.pid)
    async with bench.engine() as engine:
        over = await finished(engine, run.id)

    assert (over.status, over.reason, over.attempts) == (Status.STOPPED, Reason.USER, 1)
    assert not lives(run.pid)


async def test_a_run_that_nobody_has_told_to_stop_goes_on_beside_one_that_was(
    bench, monkeypatch, long_run
):
    bench.tasks("name: long\ncommand: sleep 600\nschedule: manual\noverlap: allow")
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
        second = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
        monkeypatch.setattr(engine._dispatcher, "stop", lambda *_: None)
        await engine.stop_run(first.id)
    async with bench.engine() as engine:
        over = await finished(engine, first.id)
        other = await engine.run(second.id)
        assert lives(second.pid)

    assert (over.status, other.status) == (Status.STOPPED, Status.RUNNING)
