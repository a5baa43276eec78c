"""The clock is set, the machine is suspended, summer time comes and goes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine.clock import ClockWatch
from cronpilot.engine.commands import plan_all_from_now
from cronpilot.engine.heartbeat import SHOWN_S
from cronpilot.engine.planner import decide_due
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, reached, rows_of, start, until

NOON = datetime(2026, 3, 4, 12, 0, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTELY = "name: tick\ncommand: 'true'\nschedule: '* * * * *'"


@pytest.fixture
def clock():
    """Ten seconds after noon UTC on a Wednesday far from any clock change."""
    return SetClock(NOON)


async def banner(engine):
    """What is told of the clock."""
    return [b.text for b in (await engine.status()).banners if b.key == "clock"]


class Held:
    """A clock whose reader is held up, by that many seconds, as soon as it has read the time."""

    def __init__(self, *pauses: float) -> None:
        self._passed, self.pauses = 0.0, list(pauses)

    def now(self) -> datetime:
        read = NOON + timedelta(seconds=self._passed)
        self._passed += self.pauses.pop(0) if self.pauses else 0.0
        return read

    def elapsed(self) -> float:
        return self._passed


def test_a_busy_machine_that_holds_up_a_look_is_no_step_of_the_clock():
    clock = Held()
    watch = ClockWatch(clock)
    steps = []
    for pauses in ([3.0], [], [40.0, 5.0], []):
        clock.pauses = pauses
        steps.append(watch.look())

    assert steps == [timedelta()] * 4


async def test_a_step_forward_is_made_up_for_once_and_told(bench, clock):
    bench.tasks(MINUTELY)
    async with bench.engine(clock=clock) as engine:
        clock.step(HOUR)
        engine._scheduler.wakeup()
        folded, made_up = await rows_of(engine, "tick", 2)
        told = await banner(engine)

    assert (folded.status, folded.reason, folded.folded_count) == ("missed", Reason.DOWN, 59)
    assert made_up.trigger is Trigger.CATCH_UP
    assert made_up.scheduled_for == datetime(2026, 3, 4, 13, 0, tzinfo=UTC)
    assert told[0].startswith("The clock moved +3600 s at 2026-03-04 13:00:")


async def test_a_step_back_plans_anew_and_repeats_nothing(bench, clock):
    bench.tasks(MINUTELY)
    async with bench.engine(clock=clock) as engine:
        clock.pass_by(timedelta(seconds=51))
        engine._scheduler.wakeup()
        await rows_of(engine, "tick", 1)
        clock.step(-HOUR)
        engine._scheduler.wakeup()

        async def planned_anew():
            task = await engine.find_task("tick")
            return task.next_run_at < NOON and task

        task = await until(planned_anew, "a plan for an hour ago")
        told = await banner(engine)
        assert task.next_run_at == datetime(2026, 3, 4, 11, 2, tzinfo=UTC)
        clock.pass_by(timedelta(seconds=60))
        engine._scheduler.wakeup()
        before = await rows_of(engine, "tick", 2)
        clock.pass_by(HOUR - timedelta(seconds=90))
        engine._scheduler.wakeup()
        after = await rows_of(engine, "tick", 4)

    slots = [row.scheduled_for for row in after]
    assert told[0].startswith("The clock moved -3600 s at 2026-03-04 11:01:")
    assert before[1].scheduled_for == datetime(2026, 3, 4, 11, 2, tzinfo=UTC)
    assert len(set(slots)) == len(slots)
    assert sorted(slots)[-1] <= datetime(2026, 3, 4, 12, 1, tzinfo=UTC)


async def test_what_ran_before_the_clock_was_set_back_does_not_run_again(bench, clock):
    bench.tasks("name: noon\ncommand: 'true'\nschedule: daily 12:01")
    async with bench.engine(clock=clock) as engine:
        clock.pass_by(timedelta(seconds=51))
        engine._scheduler.wakeup()
        (first,) = await rows_of(engine, "noon", 1)
        clock.step(-timedelta(minutes=5))
        engine._scheduler.wakeup()
        slot = datetime(2026, 3, 4, 12, 1, tzinfo=UTC)

        async def planned(for_):
            return (await engine.find_task("noon")).next_run_at == for_

        await until(lambda: planned(slot), "the slot planned again")
        clock.pass_by(timedelta(minutes=6))
        engine._scheduler.wakeup()
        await until(lambda: planned(slot + timedelta(days=1)), "the slot passed")

        assert [row.id for row in await history(engine, "noon")] == [first.id]


async def test_an_interval_goes_on_when_the_clock_was_set_behind_its_anchor(bench, clock):
    bench.tasks("name: often\ncommand: 'true'\nschedule: every 5m")
    async with bench.engine(clock=clock) as engine:
        before = (await engine.find_task("often")).next_run_at
        clock.step(-HOUR)
        engine._scheduler.wakeup()

        async def planned_anew():
            at = (await engine.find_task("often")).next_run_at
            return at if at < NOON else None

        after = await until(planned_anew, "a plan for an hour ago")

    assert after == before - HOUR


async def test_a_clock_set_back_while_no_engine_ran_is_noticed_at_the_start(bench, clock):
    bench.tasks(MINUTELY)
    async with bench.engine(clock=clock) as engine:
        before = (await engine.find_task("tick")).next_run_at
    clock.step(-HOUR)
    async with bench.engine(clock=clock) as engine:
        assert (await engine.find_task("tick")).next_run_at == before - HOUR


async def test_a_suspend_is_like_downtime(bench, clock):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: '* * * * *'\nmissed: skip")
    async with bench.engine(clock=clock) as engine:
        clock.step(timedelta(minutes=10, seconds=10))
        engine._scheduler.wakeup()
        (row,) = await rows_of(engine, "tick", 1)

    assert (row.status, row.reason, row.folded_count) == ("missed", Reason.DOWN, 10)


async def test_a_moved_clock_is_told_for_a_while(bench, clock):
    bench.tasks()
    async with bench.engine(clock=clock) as engine:
        clock.step(HOUR)
        engine._scheduler.wakeup()
        await until(lambda: banner(engine), "the banner")
        clock.pass_by(timedelta(seconds=SHOWN_S + 1))
        engine._scheduler.wakeup()

        async def is_silent():
            return not await banner(engine)

        await until(is_silent, "the end of the banner")


@pytest.mark.parametrize(
    ("before", "slot"),
    [
        pytest.param("2026-03-29 00:59:50", "2026-03-29 01:00",
                     id="a fixed time in the skipped hour: once, right after it"),
        pytest.param("2026-10-25 00:29:50", "2026-10-25 00:30",
                     id="a fixed time in the repeated hour: in the first pass only"),
    ],
)  # fmt: skip
async def test_summer_time_comes_and_goes(bench, before, slot):
    clock = SetClock(datetime.fromisoformat(before).replace(tzinfo=UTC))
    bench.tasks("name: night\ncommand: 'true'\nschedule: daily 02:30")
    async with bench.engine(clock=clock, timezone="Europe/Berlin") as engine:
        clock.pass_by(timedelta(seconds=20))  # less than a break in the watch
        engine._scheduler.wakeup()
        await rows_of(engine, "night", 1)
        clock.pass_by(2 * HOUR)
        engine._scheduler.wakeup()
        task = await engine.find_task("night")
        rows = await history(engine, "night")

    assert [f"{row.scheduled_for:%Y-%m-%d %H:%M}" for row in rows] == [slot]
    assert task.next_run_at.date() > rows[0].scheduled_for.date()
    assert rows[0].status is not Status.MISSED


def test_small_steps_are_nobodys_business_and_silence_is_a_break():
    clock = SetClock(NOON)
    watch = ClockWatch(clock)

    clock.step(timedelta(seconds=1))
    assert watch.look() == timedelta()
    assert watch.watched_since < NOON + timedelta(seconds=1)

    clock.pass_by(timedelta(seconds=31))
    assert watch.look() == timedelta()
    assert watch.watched_since > NOON + timedelta(seconds=31)


@pytest.mark.parametrize("overlap", ["replace", "skip"])
async def test_a_slot_that_comes_round_again_neither_stops_nor_says_anything(bench, clock, overlap):
    bench.tasks(f"name: long\ncommand: sleep 60\nschedule: '* * * * *'\noverlap: {overlap}")
    async with bench.engine(clock=clock) as engine:
        clock.pass_by(timedelta(seconds=51))
        engine._scheduler.wakeup()
        (run,) = await rows_of(engine, "long", 1)
        await reached(engine, run.id, Status.RUNNING)
        await asyncio.to_thread(engine._scheduler.stop)
        now = clock.now() - timedelta(seconds=50)
        await engine._write(lambda c: plan_all_from_now(c, now))
        again = now + timedelta(seconds=50)
        changes = await engine._write(lambda c: decide_due(c, [run.task_id], again, NOON))
        task = await engine.find_task("long")

    assert task.next_run_at == datetime(2026, 3, 4, 12, 2, tzinfo=UTC)
    assert (changes.run_ids, changes.to_stop, changes.warnings) == ([], [], [])


async def test_slots_that_passed_after_one_that_was_recorded_are_folded_still(bench, clock):
    bench.tasks(MINUTELY.replace("'true'", "sleep 60"))
    async with bench.engine(clock=clock) as engine:
        clock.pass_by(timedelta(seconds=51))
        engine._scheduler.wakeup()
        await rows_of(engine, "tick", 1)
        await asyncio.to_thread(engine._scheduler.stop)
        now = clock.now() - timedelta(seconds=50)
        await engine._write(lambda c: plan_all_from_now(c, now))
        late = clock.now() + timedelta(minutes=5)
        await engine._write(lambda c: decide_due(c, [1], late, late))
        rows = await history(engine, "tick")

    first, folded, last = sorted(rows, key=lambda row: row.scheduled_for)
    assert (folded.status, folded.folded_count) == (Status.MISSED, 4)
    assert folded.scheduled_for == first.scheduled_for + timedelta(minutes=1)
    assert last.scheduled_for == first.scheduled_for + timedelta(minutes=5)


async def test_a_retry_waits_no_longer_because_the_clock_was_set_back(bench, clock):
    bench.tasks(
        "name: flaky\ncommand: test $CRONPILOT_ATTEMPT = 2\nschedule: manual\nmax_retries: 1\n"
        "retry_delay: 30s"
    )
    async with bench.engine(clock=clock) as engine:
        run = await reached(engine, (await start(engine, "flaky")).id, Status.RETRYING)
        due = run.retry_at
        clock.step(-HOUR)
        engine._scheduler.wakeup()

        async def moved():
            return abs((await engine.run(run.id)).retry_at - (due - HOUR)) < timedelta(seconds=1)

        await until(moved, "the retry an hour earlier")
        clock.pass_by(timedelta(seconds=31))
        last = await finished(engine, run.id)

    assert (last.status, last.attempts) == (Status.SUCCESS, 2)
