"""A machine that no longer knows a task's time zone: that task waits, and no other does."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.client.messages import TaskQuery
from cronpilot.domain.run import Reason, Status
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, start, until

NOON = datetime(2026, 3, 4, 12, 0, 10, tzinfo=UTC)


def lose_zone(bench, name, zone="Nowhere/City"):
    """As if the machine had known that zone when the task was planned."""
    connection = sqlite3.connect(bench.database)
    connection.execute("UPDATE task SET timezone = ?, zone_key = ? WHERE name = ?",
                       (zone, zone, name))  # fmt: skip
    connection.commit()
    connection.close()


async def test_a_lost_zone_keeps_one_task_waiting_and_says_so(bench):
    bench.tasks(
        "name: lost\ncommand: 'true'\nschedule: '* * * * *'",
        "name: tick\ncommand: 'true'\nschedule: '* * * * *'",
    )
    clock = SetClock(NOON)
    async with bench.engine(clock=clock):
        pass
    lose_zone(bench, "lost")
    clock.pass_by(timedelta(minutes=5))
    async with bench.engine(clock=clock) as engine:
        await until(lambda: history(engine, "tick"), "the slots of the other task")
        by_hand = await finished(engine, (await start(engine, "lost")).id)
        missed, _ = await history(engine, "lost")
        told = {banner.key: banner.text for banner in (await engine.status()).banners}
        views = {task.name: task for task in (await engine.tasks(TaskQuery())).rows}
        upcoming = await engine.fire_times()
        said = await engine.why(views["lost"].id)

    assert told["zones"].endswith("the time zone of 'lost' (Nowhere/City): not planned.")
    assert (missed.status, missed.reason) == (Status.MISSED, Reason.DOWN)
    assert by_hand.status is Status.SUCCESS
    assert views["lost"].next_run_at is None
    assert {fire.task_name for fire in upcoming} == {"tick"}
    assert said.verdict == (
        "This machine does not know its time zone, Nowhere/City: nothing is planned."
    )


async def test_a_zone_that_is_back_is_planned_again(bench):
    bench.tasks("name: lost\ncommand: 'true'\nschedule: daily 14:30")
    clock = SetClock(NOON)
    async with bench.engine(clock=clock):
        pass
    lose_zone(bench, "lost")
    async with bench.engine(clock=clock) as engine:
        assert (await engine.find_task("lost")).next_run_at is None
    connection = sqlite3.connect(bench.database)
    connection.execute("UPDATE task SET timezone = 'Asia/Tokyo'")  # it knows this one
    connection.commit()
    connection.close()
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("lost")
        banners = (await engine.status()).banners

    assert task.next_run_at == datetime(2026, 3, 5, 5, 30, tzinfo=UTC)
    assert "zones" not in [banner.key for banner in banners]


@pytest.mark.parametrize("schedule", ["daily 14:30", "every 2h", "once 2026-03-05 14:30"])
async def test_a_lost_zone_that_is_utc_from_now_on_is_planned_again(bench, schedule):
    bench.tasks(
        f"name: lost\ncommand: 'true'\nschedule: {schedule}",
        "name: over\ncommand: 'true'\nschedule: once 2026-03-04 11:00",
    )
    clock = SetClock(NOON)
    async with bench.engine(clock=clock, timezone="Asia/Tokyo"):
        pass
    lose_zone(bench, "lost")
    async with bench.engine(clock=clock) as engine:
        assert (await engine.find_task("lost")).next_run_at is None
    connection = sqlite3.connect(bench.database)
    connection.execute("UPDATE task SET timezone = NULL")
    connection.commit()
    connection.close()
    for _ in range(2):
        async with bench.engine(clock=clock) as engine:  # its scheduler.timezone is UTC
            task, over = await engine.find_task("lost"), await engine.find_task("over")

    assert task.next_run_at > NOON
    if schedule != "every 2h":
        assert (task.next_run_at.hour, task.next_run_at.minute) == (14, 30)
    assert over.next_run_at is None
    assert (task.version, over.version) == (2, 2)


async def test_a_schedule_that_cannot_be_read_keeps_nobody_else_from_starting(bench):
    bench.tasks(
        "name: damaged\ncommand: 'true'\nschedule: '* * * * *'",
        "name: tick\ncommand: 'true'\nschedule: '* * * * *'",
    )
    clock = SetClock(NOON)
    async with bench.engine(clock=clock) as engine:
        connection = sqlite3.connect(bench.database)
        connection.execute("UPDATE task SET resolved = 'a b c d e' WHERE name = 'damaged'")
        connection.commit()
        connection.close()
        clock.pass_by(timedelta(minutes=1))
        engine._scheduler.wakeup()
        await until(lambda: history(engine, "tick"), "the slots of the other task")

        async def is_told():
            return [b.text for b in (await engine.status()).banners if b.key == "planning"]

        (told,) = await until(is_told, "the banner")

    assert "cannot be read" in told
