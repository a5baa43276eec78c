"""Quiet times in a running engine: recorded, explained, planned anew when config.yaml changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cronpilot.domain.quiet import Rule, Then, parse_window
from cronpilot.domain.run import Reason, Status

from .clocks import SetClock
from .conftest import history, until

ALWAYS = Rule("always", windows=(parse_window("00:00-24:00"),))
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TASK = "name: tick\ncommand: 'true'\nschedule: every 1s\nquiet: [always]"


async def test_slots_in_a_quiet_time_are_skipped_and_say_so(bench):
    bench.tasks(TASK)
    async with bench.engine(quiet={"always": ALWAYS}) as engine:

        async def skipped():
            return len(await history(engine, "tick")) >= 2

        await until(skipped, "two slots to pass")
        rows = await history(engine, "tick")

    assert {(row.status, row.reason) for row in rows} == {(Status.SKIPPED, Reason.QUIET)}


async def test_a_change_of_config_plans_anew(bench):
    bench.tasks(TASK.replace("every 1s", "daily 02:30"))
    rule = Rule("always", Then.AFTER, windows=(parse_window("02:00-04:00"),))
    async with bench.engine(clock=SetClock(NOON)) as engine:
        task = await engine.find_task("tick")
        plain = await engine.fire_times(task_id=task.id, limit=2)
        await engine.reconfigure(replace(engine._config, quiet={"always": rule}))
        quiet = await engine.fire_times(task_id=task.id, limit=4)

    first = plain[0].starts_at
    assert [time.starts_at for time in plain] == [first, first + timedelta(days=1)]
    assert [time.starts_at - first for time in quiet] == [
        timedelta(), timedelta(hours=1, minutes=30), timedelta(days=1),
        timedelta(days=1, hours=1, minutes=30),
    ]  # fmt: skip


async def test_an_unknown_name_is_quiet_for_nothing(bench):
    bench.tasks(TASK)
    async with bench.engine() as engine:

        async def ran():
            return any(row.status is Status.SUCCESS for row in await history(engine, "tick"))

        assert await until(ran, "a run")


async def test_what_a_quiet_time_will_skip_is_told(bench):
    bench.tasks(TASK.replace("every 1s", "daily 02:30"), "name: loud\ncommand: x\nschedule: hourly")
    rule = Rule("always", Then.AFTER, windows=(parse_window("02:00-04:00"),))
    async with bench.engine(quiet={"always": rule}, clock=SetClock(NOON)) as engine:
        [told] = await engine.quiet_times()
        task = await engine.find_task("tick")

    assert (told.name, told.then, told.tasks, told.task_count) == ("always", "after", ["tick"], 1)
    assert told.starts_at is not None
    assert told.ends_at == told.starts_at + timedelta(hours=2)
    assert [(slot.task_name, slot.quiet) for slot in told.skips] == [("tick", "always")] * 3
    assert (task.quiet, task.next_quiet) == (["always"], "always")


async def test_health_names_the_quiet_time_that_holds(bench):
    bench.tasks(TASK.replace("every 1s", "daily 02:30"))
    async with bench.engine(quiet={"always": ALWAYS}) as engine:
        health = await engine.health()

    [stretch] = health.quiet
    assert (stretch.name, stretch.then, stretch.task_count) == ("always", "skip", 1)
    assert stretch.starts_at <= health.at < stretch.ends_at
