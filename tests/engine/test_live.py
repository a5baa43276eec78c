"""Real processes measured, the real queue's places, and a real time without an engine."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine.downtime import SIGN, said
from tests.engine.clocks import SetClock
from tests.engine.conftest import reached, start, until

MINUTELY = "name: {0}\ncommand: {1}\nschedule: '* * * * *'\n{2}"
START = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)


async def test_a_run_takes_what_all_its_processes_take(bench):
    bench.tasks("name: busy\ncommand: 'sleep 60 & while :; do :; done'\nschedule: manual",
                "name: rest\ncommand: exec sleep 60\nschedule: manual")  # fmt: skip
    async with bench.engine() as engine:
        busy, rest = await start(engine, "busy"), await start(engine, "rest")
        await reached(engine, busy.id, Status.RUNNING)
        await reached(engine, rest.id, Status.RUNNING)

        async def measured():
            usage = {one.run_id: one for one in await engine.usage()}
            works = busy.id in usage and usage[busy.id].cpu_percent
            return usage if works and len(usage) == 2 and usage[busy.id].processes > 1 else None

        usage = await until(measured, "a busy process")
        await engine.stop_run(busy.id, signal="KILL")
        await engine.stop_run(rest.id, signal="KILL")

    assert usage[busy.id].processes > usage[rest.id].processes
    assert usage[busy.id].rss > usage[rest.id].rss > 100_000
    assert usage[rest.id].cpu_percent < usage[busy.id].cpu_percent


async def test_what_waits_says_for_what_and_how_many_are_before_it(bench):
    bench.tasks(*(f"name: {name}\ncommand: sleep 60\nschedule: manual\npool: db"
                  for name in ("one", "two", "three")),
                "name: other\ncommand: sleep 60\nschedule: manual")  # fmt: skip
    async with bench.engine(max_workers=1, pools={"db": 1}) as engine:
        first = await start(engine, "one")
        await reached(engine, first.id, Status.RUNNING)
        for name in ("two", "three", "other"):
            await start(engine, name)
        waiting = (await engine.runs(RunQuery(active=True))).rows[1:]
        await engine.shutdown(with_tasks=True)

    assert [(run.task_name, run.ahead, run.detail) for run in waiting] == [
        ("two", 0, "waits for pool db 1/1"),
        ("three", 1, "waits for pool db 1/1, 1 ahead"),
        ("other", 2, "waits for a free slot 1/1, 2 ahead"),
    ]


async def test_after_a_time_without_an_engine_one_hears_what_passed(bench):
    bench.tasks(MINUTELY.format("tick", "'true'", ""), MINUTELY.format("tock", "'true'", ""),
                MINUTELY.format("never", "'true'", "missed: skip"))  # fmt: skip
    clock = SetClock(START)
    async with bench.engine(clock=clock) as engine:
        assert await engine.downtime() is None
    clock.pass_by(timedelta(hours=2))
    async with bench.engine(clock=clock) as engine:

        async def told():
            downtime = await engine.downtime()
            return downtime if downtime and downtime.missed_slots == 358 else None

        downtime = await until(told, "the review")
        (banner,) = (await engine.status()).banners
        await engine.dismiss_downtime()
        after = await engine.downtime(), (await engine.status()).banners

    assert timedelta(hours=2) <= downtime.until - downtime.since < timedelta(hours=2, minutes=1)
    assert {run.task_name for run in downtime.missed} == {"tick", "tock", "never"}
    assert all(run.reason is Reason.DOWN for run in downtime.missed)
    assert downtime.made_up == 2
    assert {(run.task_name, run.trigger) for run in downtime.runs} == {
        ("tick", Trigger.CATCH_UP), ("tock", Trigger.CATCH_UP)}  # fmt: skip
    assert banner.text == "The engine was down 2 h: 358 slots missed, 2 made up for."
    assert after == (None, [])


async def test_what_is_skipped_beside_a_run_that_went_on_is_not_made_up_for(bench):
    bench.tasks(MINUTELY.format("long", "sleep 300", ""), MINUTELY.format("tick", "'true'", ""))
    clock = SetClock(START)
    async with bench.engine(clock=clock) as engine:
        went_on = await start(engine, "long")
        await reached(engine, went_on.id, Status.RUNNING)
    clock.pass_by(timedelta(minutes=10))
    async with bench.engine(clock=clock) as engine:

        async def told():
            downtime = await engine.downtime()
            return downtime if downtime and downtime.missed_slots == 18 else None

        downtime = await until(told, "the review")
        await engine.stop_run(went_on.id, signal="KILL")

    assert downtime.made_up == 1
    assert [run.task_name for run in downtime.runs] == ["tick"]


async def test_an_engine_that_was_killed_was_last_alive_when_it_last_said_so(bench):
    bench.tasks("name: rare\ncommand: 'true'\nschedule: yearly".replace("yearly", "'0 0 1 1 *'"),
                MINUTELY.format("tick", "'true'", ""))  # fmt: skip
    clock = SetClock(START)
    async with bench.engine(clock=clock):
        await until(lambda: _is_there(bench.state_dir / SIGN), "a sign of life")
    alive = START + timedelta(minutes=90)
    os.utime(bench.state_dir / SIGN, (alive.timestamp(), alive.timestamp()))
    clock.pass_by(timedelta(hours=2))
    async with bench.engine(clock=clock) as engine:
        downtime = await until(engine.downtime, "the review")

    assert downtime.since == alive


async def _is_there(path):
    return path.exists()


@pytest.mark.parametrize(
    ("down", "missed", "made_up", "words"),
    [
        (timedelta(hours=2), 14, 3, "The engine was down 2 h: 14 slots missed, 3 made up for."),
        (timedelta(seconds=20), 1, 0, "The engine was down 20 s: 1 slot missed."),
        (timedelta(minutes=45), 0, 1, "The engine was down 45 min: 1 made up for."),
        (timedelta(days=3), 4320, 0, "The engine was down 3 days: 4,320 slots missed."),
    ],
)
def test_a_downtime_in_words(down, missed, made_up, words):
    assert said(down, missed, made_up) == words
