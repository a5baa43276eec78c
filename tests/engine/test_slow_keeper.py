"""A keeper that is slow to read what it is asked: a start that was revoked stays revoked."""

from __future__ import annotations

import errno
import os
import signal
import threading
from contextlib import contextmanager

import pytest

from cronpilot.domain.run import Status
from cronpilot.engine import preparation
from cronpilot.engine.launch import make_order
from tests.engine.conftest import LONG, finished, reached, start, until


@pytest.fixture
def effects(bench, tmp_path):
    """A task that notes each of its starts, and the file in which it does."""
    file = tmp_path / "effects"
    bench.tasks(
        f"name: once\ncommand: echo $CRONPILOT_RUN >> {file}\nschedule: manual",
        f"name: file\ncommand: echo $CRONPILOT_RUN >> {file}\nschedule: manual\n"
        "env_file: /dev/null",
        "name: warm\ncommand: 'true'\nschedule: manual",
    )
    return file


@contextmanager
def stopped(bench):
    """The keeper reads nothing meanwhile."""
    pid = bench.keeper_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def asked_again(engine, run):
    """Its second launch."""

    async def is_there():
        return len(await engine.attempts(run.id)) > 1

    await until(is_there, "the second launch")


async def test_a_start_that_nobody_confirmed_in_time_is_not_made_twice(bench, effects):
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "warm")).id)  # the keeper is there
        with stopped(bench):
            run = await start(engine, "once")
            await asked_again(engine, run)
        ended = await finished(engine, run.id)
        await finished(engine, (await start(engine, "warm")).id)  # all before it was read

    assert (ended.status, ended.attempts) == (Status.SUCCESS, 1)
    assert len(effects.read_text().splitlines()) == 1


async def test_a_start_that_cannot_be_revoked_yet_is_looked_at_again(bench, effects, monkeypatch):
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "warm")).id)
        settle, refusals = engine._executor.settle, [OSError(errno.ENOSPC, "No space left")]

        def settle_later(key, *, boot_id):
            if refusals:
                raise refusals.pop()
            settle(key, boot_id=boot_id)

        monkeypatch.setattr(engine._executor, "settle", settle_later)
        with stopped(bench):
            run = await start(engine, "once")
            await asked_again(engine, run)
        ended = await finished(engine, run.id)

    assert refusals == []
    assert (ended.status, ended.attempts) == (Status.SUCCESS, 1)


async def test_an_env_file_that_is_read_at_last_starts_nothing_that_was_asked_for_again(
    bench, effects, monkeypatch
):
    gate, orders = threading.Event(), []

    def make_order_late(launcher, claim):
        if claim.key.launch == 1:
            gate.wait(LONG)
        order = make_order(launcher, claim)
        orders.append(claim.key.launch)
        return order

    monkeypatch.setattr(preparation, "make_order", make_order_late)
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "warm")).id)
        run = await reached(engine, (await start(engine, "file")).id, Status.STARTING)
        bench.kill_keeper()
        ended = await finished(engine, run.id)
        gate.set()

        async def both():
            return sorted(orders) == [1, 2]

        await until(both, "both orders")
        await finished(engine, (await start(engine, "warm")).id)

    assert (ended.status, ended.attempts) == (Status.SUCCESS, 1)
    assert len(effects.read_text().splitlines()) == 1
