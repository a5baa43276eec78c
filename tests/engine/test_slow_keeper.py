"""A keeper that is slow to read what it is asked: a start that was revoked stays revoked."""

from __future__ import annotations

import os
import signal

import pytest

from cronpilot.domain.run import Status
from tests.engine.conftest import finished, start, until


@pytest.fixture
def effects(bench, tmp_path):
    """A task that notes each of its starts, and the file in which it does."""
    file = tmp_path / "effects"
    bench.tasks(
        f"name: once\ncommand: echo $CRONPILOT_RUN >> {file}\nschedule: manual",
        "name: warm\ncommand: 'true'\nschedule: manual",
    )
    return file


async def test_a_start_that_nobody_confirmed_in_time_is_not_made_twice(bench, effects):
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "warm")).id)  # the keeper is there
        os.kill(bench.keeper_pid(), signal.SIGSTOP)
        try:
            run = await start(engine, "once")

            async def asked_again():
                attempts = await engine.attempts(run.id)
                return len(attempts) > 1

            await until(asked_again, "the second launch")
        finally:
            os.kill(bench.keeper_pid(), signal.SIGCONT)
        ended = await finished(engine, run.id)
        await finished(engine, (await start(engine, "warm")).id)  # all before it was read

    assert (ended.status, ended.attempts) == (Status.SUCCESS, 1)
    assert len(effects.read_text().splitlines()) == 1
