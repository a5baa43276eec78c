"""What a start waits for, and in which order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cronpilot.domain.run import Status, Trigger
from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.storage.migrate import prepare
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, until
from tests.engine.test_edits_at_a_slot import AT_HALF_PAST, NIGHT


async def test_what_is_due_waits_until_the_clock_may_start(bench) -> None:
    bench.tasks(AT_HALF_PAST)
    clock = SetClock(NIGHT)
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(timedelta(hours=1))
    prepare(bench.database)
    engine = Engine(
        EngineConfig(bench.state_dir, bench.database, bench.tasks_file, "UTC", watch=False), clock
    )
    answering = asyncio.Event()
    await engine.start(clock_after=answering)
    try:
        await engine._taking_up.settled.wait()
        assert not engine._scheduler._scheduler.running
        assert await history(engine, "a") == []

        answering.set()
        await engine._clock_start
        (run,) = await until(lambda: history(engine, "a"), "its catch-up")
        run = await finished(engine, run.id)
    finally:
        await engine.stop()

    assert (run.trigger, run.status) == (Trigger.CATCH_UP, Status.SUCCESS)
    assert run.scheduled_for == NIGHT + timedelta(minutes=30)
