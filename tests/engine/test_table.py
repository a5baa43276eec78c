"""The rows of the table of schedules, on a real engine whose clock is set to the point."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.domain.plan import spread_offset
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine.scheduling import job_store
from cronpilot.errors import StorageProblem, UsageProblem
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, reached, rows_of, start, until

START = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
MINUTELY = "name: {0}\ncommand: {1}\nschedule: '* * * * *'\n{2}"
SLEEP = "sleep 300"


@pytest.fixture
def clock():
    """Half a minute past noon UTC on a Wednesday far from any clock change."""
    return SetClock(START)


def noon(minute):
    return datetime(2026, 3, 4, 12, minute, tzinfo=UTC)


async def go_to(engine, clock, minute):
    """A second past that minute after noon, with a look at the clock shortly before it: a jump over
    the minute itself would be a break in the watch."""
    before = noon(minute) - timedelta(seconds=5)
    clock.pass_by(before - clock.now())
    engine._scheduler.wakeup()

    async def seen():
        return engine._watch.seen_at >= before

    await until(seen, "a look at the clock")
    clock.pass_by(timedelta(seconds=6))
    engine._scheduler.wakeup()


async def end(engine, *runs):
    for run in runs:
        await engine.stop_run(run.id)
        await finished(engine, run.id)


# --- overlap, by the schedule --------------------------------------------------------------------


async def test_replace_by_schedule_stops_the_old_run_and_starts_the_new_one(bench, clock):
    bench.tasks(MINUTELY.format("slow", SLEEP, "overlap: replace"))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "slow", 1)
        await reached(engine, first.id, Status.RUNNING)
        await go_to(engine, clock, 2)
        _, second = await rows_of(engine, "slow", 2)
        old = await finished(engine, first.id)
        new = await reached(engine, second.id, Status.RUNNING)
        await end(engine, new)

    assert (old.status, old.reason) == (Status.STOPPED, Reason.REPLACED)
    assert (new.scheduled_for, new.trigger) == (noon(2), Trigger.SCHEDULE)
    assert old.finished_at <= new.started_at


async def test_replace_holds_also_when_the_database_refuses_at_first(bench, clock, monkeypatch):
    bench.tasks(MINUTELY.format("slow", SLEEP, "overlap: replace"))
    async with bench.engine(clock=clock) as engine:
        write, refusals = engine._controls._write, [StorageProblem("The disk is full.")]

        async def write_later(closure):
            if refusals:
                raise refusals.pop()
            return await write(closure)

        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "slow", 1)
        await reached(engine, first.id, Status.RUNNING)
        monkeypatch.setattr(engine._controls, "_write", write_later)
        await go_to(engine, clock, 2)
        old = await finished(engine, first.id)
        _, second = await rows_of(engine, "slow", 2)
        await end(engine, await reached(engine, second.id, Status.RUNNING))

    assert refusals == []
    assert (old.status, old.reason) == (Status.STOPPED, Reason.REPLACED)


async def test_queue_by_schedule_keeps_one_waiting(bench, clock):
    bench.tasks(MINUTELY.format("slow", SLEEP, "overlap: queue"))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "slow", 1)
        await reached(engine, first.id, Status.RUNNING)
        for minute in (2, 3):
            await go_to(engine, clock, minute)
            rows = await rows_of(engine, "slow", minute)
        await end(engine, rows[1], rows[0])

    assert [(row.status, row.reason) for row in rows] == [
        (Status.RUNNING, None),
        (Status.QUEUED, None),
        (Status.SKIPPED, Reason.QUEUE_FULL),
    ]


async def test_allow_by_schedule_runs_beside_it(bench, clock):
    bench.tasks(MINUTELY.format("slow", SLEEP, "overlap: allow"))
    async with bench.engine(clock=clock) as engine:
        for minute in (1, 2):
            await go_to(engine, clock, minute)
            rows = await rows_of(engine, "slow", minute)
            await reached(engine, rows[-1].id, Status.RUNNING)
        assert (await engine.run(rows[0].id)).status is Status.RUNNING
        await end(engine, *rows)


async def test_a_run_that_waits_for_its_retry_counts_as_going(bench, clock):
    bench.tasks(MINUTELY.format("flaky", "'false'", "max_retries: 1\nretry_delay: 1h"))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "flaky", 1)
        await reached(engine, first.id, Status.RETRYING)
        await go_to(engine, clock, 2)
        _, second = await rows_of(engine, "flaky", 2)
        await end(engine, first)

    assert (second.status, second.reason) == (Status.SKIPPED, Reason.ALREADY_RUNNING)


# --- nobody was there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missed", "verdicts"),
    [
        pytest.param("skip", [("missed", 6)], id="skip makes up for nothing"),
        pytest.param("once", [("missed", 5), ("success", 1)], id="once: the latest"),
        pytest.param("all\nmissed_limit: 2", [("missed", 4), ("success", 1), ("success", 1)],
                     id="all: the last ones, oldest first"),
    ],
)  # fmt: skip
async def test_missed_slots_after_a_restart(bench, clock, missed, verdicts):
    bench.tasks(MINUTELY.format("tick", "'true'", f"missed: {missed}"))
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(timedelta(minutes=6))
    async with bench.engine(clock=clock) as engine:
        rows = await rows_of(engine, "tick", len(verdicts))
        rows = [await finished(engine, row.id) for row in rows]

    assert [(row.status, row.folded_count) for row in rows] == verdicts
    assert rows[0].scheduled_for == noon(1)
    assert (rows[-1].folded_until or rows[-1].scheduled_for) == noon(6)
    assert {row.trigger for row in rows if row.status is Status.SUCCESS} <= {Trigger.CATCH_UP}
    starts = [row.started_at for row in rows if row.started_at]
    assert starts == sorted(starts)


async def test_what_is_made_up_for_comes_one_after_the_other(bench, clock):
    bench.tasks(MINUTELY.format("slow", SLEEP, "missed: all\nmissed_limit: 3\noverlap: allow"))
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(timedelta(minutes=3))
    async with bench.engine(clock=clock) as engine:
        rows = await rows_of(engine, "slow", 3)
        await reached(engine, rows[0].id, Status.RUNNING)
        waiting = [(await engine.run(row.id)).detail for row in rows[1:]]
        await end(engine, *reversed(rows))

    assert waiting == [f"waits for the run before it, catching up {n}/3" for n in (2, 3)]


@pytest.mark.parametrize(
    ("deadline", "status", "reason"),
    [
        pytest.param("10m", Status.SUCCESS, None, id="within it"),
        pytest.param("2m", Status.MISSED, Reason.DEADLINE, id="beyond it"),
    ],
)
async def test_a_deadline_bounds_how_late_the_latest_slot_may_start(
    bench, clock, deadline, status, reason
):
    bench.tasks(f"name: late\ncommand: 'true'\nschedule: hourly :05\ndeadline: {deadline}")
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(timedelta(minutes=10))
    async with bench.engine(clock=clock) as engine:
        run = await finished(engine, (await rows_of(engine, "late", 1))[0].id)

    assert (run.status, run.reason, run.scheduled_for) == (status, reason, noon(5))


@pytest.mark.parametrize(
    ("missed", "status"),
    [pytest.param("once", Status.SUCCESS, id="made up for"),
     pytest.param("skip", Status.MISSED, id="or told as missed")],
)  # fmt: skip
async def test_a_single_date_that_passed_while_nobody_was_there(bench, clock, missed, status):
    bench.tasks(f"name: single\ncommand: 'true'\nschedule: once 2026-03-04 12:05\nmissed: {missed}")
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(timedelta(hours=1))
    async with bench.engine(clock=clock) as engine:
        run = await finished(engine, (await rows_of(engine, "single", 1))[0].id)
        task = await engine.find_task("single")

    assert (run.status, task.next_run_at) == (status, None)


async def test_a_single_date_is_planned_no_more_after_it_ran(bench, clock):
    bench.tasks("name: single\ncommand: 'true'\nschedule: once 2026-03-04 12:01")
    async with bench.engine(clock=clock) as engine:
        before = (await engine.find_task("single")).next_run_at
        await go_to(engine, clock, 1)
        run = await finished(engine, (await rows_of(engine, "single", 1))[0].id)
        after = (await engine.find_task("single")).next_run_at

    assert (before, run.status, after) == (noon(1), Status.SUCCESS, None)


# --- created, edited, disabled at T --------------------------------------------------------------


async def test_nothing_is_made_up_for_across_an_edit(bench, clock):
    bench.tasks("name: task\ncommand: 'true'\nschedule: hourly :50")
    async with bench.engine(clock=clock) as engine:
        clock.pass_by(timedelta(minutes=10))
        bench.tasks("name: task\ncommand: 'true'\nschedule: hourly :05")
        await engine.reload()
        edited = await engine.find_task("task")
        bench.tasks("name: task\ncommand: 'true'\nschedule: hourly :05\nactive: false")
        await engine.reload()
        clock.pass_by(timedelta(hours=3))
        bench.tasks("name: task\ncommand: 'true'\nschedule: hourly :05")
        await engine.reload()
        again = await engine.find_task("task")
        engine._scheduler.wakeup()
        await asyncio.sleep(0.2)
        rows = await history(engine, "task")

    assert edited.next_run_at == noon(5) + timedelta(hours=1)
    assert again.next_run_at == noon(5) + timedelta(hours=4)
    assert rows == []


async def test_spread_shows_in_the_next_run(bench, clock):
    bench.tasks("name: spread\ncommand: 'true'\nschedule: hourly :05\nspread: 30m")
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("spread")
        (fire,) = await engine.fire_times(task_id=task.id, limit=1)
    offset = spread_offset("spread", timedelta(minutes=30))

    assert timedelta() < offset < timedelta(minutes=30)
    assert task.next_run_at == noon(5) + offset
    assert (fire.scheduled_for, fire.starts_at) == (noon(5), noon(5) + offset)


async def test_a_run_knows_the_spread_of_its_slot(bench, clock):
    bench.tasks(MINUTELY.format("spread", "'true'", "spread: 30m"))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 40)
        *_, run = await rows_of(engine, "spread", 1)

    assert run.spread_s == spread_offset("spread", timedelta(minutes=30)).total_seconds() > 0


# --- limits hold for every kind of start ---------------------------------------------------------


async def test_a_pool_bounds_slots_catch_ups_and_retries_too(bench, clock):
    bench.tasks(
        "name: holder\ncommand: sleep 300\nschedule: manual\npool: db",
        "name: retry\ncommand: test $CRONPILOT_ATTEMPT = 2\nschedule: manual\npool: db\n"
        "max_retries: 1\nretry_delay: 2m",
        MINUTELY.format("slot", "'true'", "pool: db"),
    )
    async with bench.engine(clock=clock, pools={"db": 1}) as engine:
        retry = await reached(engine, (await start(engine, "retry")).id, Status.RETRYING)
        holder = await reached(engine, (await start(engine, "holder")).id, Status.RUNNING)
        await go_to(engine, clock, 1)
        (slot,) = await rows_of(engine, "slot", 1)
        await go_to(engine, clock, 4)  # beyond the pause before the retry
        retry = await reached(engine, retry.id, Status.QUEUED)
        slot = await engine.run(slot.id)
        await end(engine, holder)
        ended = [await finished(engine, run.id) for run in (retry, slot)]

    assert slot.detail.startswith("waits for pool db 1/1")
    assert retry.detail.startswith("waits for pool db 1/1")
    assert [run.status for run in ended] == [Status.SUCCESS] * 2


async def test_priority_orders_catch_ups(bench, clock):
    def entry(name, priority):
        return MINUTELY.format(name, "'true'", f"priority: {priority}")

    bench.tasks(
        "name: holder\ncommand: sleep 300\nschedule: manual", entry("low", 1), entry("high", 7)
    )
    async with bench.engine(clock=clock, max_workers=1) as engine:
        holder = await reached(engine, (await start(engine, "holder")).id, Status.RUNNING)
    clock.pass_by(timedelta(minutes=1))
    async with bench.engine(clock=clock, max_workers=1) as engine:
        (low,), (high,) = await rows_of(engine, "low", 1), await rows_of(engine, "high", 1)
        assert low.status is high.status is Status.QUEUED
        await end(engine, holder)
        low, high = await finished(engine, low.id), await finished(engine, high.id)

    assert (low.trigger, high.trigger) == (Trigger.CATCH_UP, Trigger.CATCH_UP)
    assert high.finished_at <= low.started_at


# --- the machine died ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_lost", "status", "attempts"),
    [pytest.param("mark", Status.LOST, 1, id="marked as lost"),
     pytest.param("rerun", Status.SUCCESS, 2, id="run again, as the next attempt")],
)  # fmt: skip
async def test_a_run_lost_with_its_machine(bench, monkeypatch, on_lost, status, attempts):
    bench.tasks(
        "name: long\ncommand: test $CRONPILOT_ATTEMPT = 2 || sleep 300\nschedule: manual\n"
        f"on_lost: {on_lost}"
    )
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "long")).id, Status.RUNNING)
    bench.power_cut(run.pid)
    monkeypatch.setenv("CRONPILOT_FAKE_BOOT", "another-start-of-the-machine")
    async with bench.engine() as engine:
        ended = await finished(engine, run.id)

    assert (ended.status, ended.attempts) == (status, attempts)
    if on_lost == "mark":
        assert (ended.reason, ended.exit_code) == (Reason.HOST_RESTART, None)


# --- a pause that ends by itself -----------------------------------------------------------------


async def test_a_pause_ends_by_itself_and_the_slot_of_that_moment_runs(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("tick")
        paused = await engine.pause_task(task.id, until=noon(4))
        assert (paused.paused_until, paused.next_run_at) == (noon(4), noon(1))
        await go_to(engine, clock, 2)
        await asyncio.sleep(0.2)
        assert await history(engine, "tick") == []
        await go_to(engine, clock, 4)
        folded, ran = await rows_of(engine, "tick", 2)
        resumed = await engine.task(task.id)

    assert (folded.status, folded.reason, folded.folded_count) == ("skipped", Reason.PAUSED, 3)
    assert (folded.scheduled_for, folded.folded_until) == (noon(1), noon(3))
    assert ran.scheduled_for == noon(4)
    assert (resumed.paused_at, resumed.paused_until) == (None, None)


async def test_a_pause_can_be_followed_by_one_run_for_what_passed(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("tick")
        await engine.pause_task(task.id, run_after=True)
        await go_to(engine, clock, 3)
        clock.step(timedelta(seconds=30))
        await engine.resume_task(task.id)
        folded, ran = await rows_of(engine, "tick", 2)
        resumed = await engine.task(task.id)

    assert (folded.reason, folded.scheduled_for, folded.folded_count) == (
        Reason.PAUSED,
        noon(1),
        2,
    )
    assert (ran.scheduled_for, ran.trigger) == (noon(3), "catch_up")
    assert resumed.run_after_pause is False


async def test_no_run_follows_a_pause_in_which_one_still_goes(bench, clock):
    bench.tasks(MINUTELY.format("tick", SLEEP, ""))
    async with bench.engine(clock=clock) as engine:
        by_hand = await reached(engine, (await start(engine, "tick")).id, Status.RUNNING)
        await engine.pause_task(by_hand.task_id, run_after=True)
        await go_to(engine, clock, 3)
        await engine.resume_task(by_hand.task_id)
        _, *passed = await history(engine, "tick")
        await engine.shutdown(with_tasks=True)

    assert [(run.status, run.reason, run.folded_count) for run in passed] == [
        (Status.SKIPPED, Reason.PAUSED, 3)
    ]


async def test_a_pause_that_ended_while_no_engine_ran(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        await engine.pause_task((await engine.find_task("tick")).id, until=noon(4))
    clock.pass_by(timedelta(minutes=7))
    async with bench.engine(clock=clock) as engine:
        paused, down, made_up = await rows_of(engine, "tick", 3)

    assert (paused.reason, paused.folded_count) == (Reason.PAUSED, 3)
    assert (down.reason, down.scheduled_for, down.folded_until) == (Reason.DOWN, noon(4), noon(6))
    assert (made_up.trigger, made_up.scheduled_for) == (Trigger.CATCH_UP, noon(7))


async def test_a_pause_of_the_whole_scheduler_ends_by_itself(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        assert (await engine.pause_scheduler(until=noon(4))).paused_until == noon(4)
        await go_to(engine, clock, 2)
        await asyncio.sleep(0.2)
        assert await history(engine, "tick") == []
        await go_to(engine, clock, 4)
        folded, ran = await rows_of(engine, "tick", 2)
        status = await engine.status()

    assert (folded.reason, folded.scheduled_for, folded.folded_until) == (
        Reason.PAUSED, noon(1), noon(3))  # fmt: skip
    assert ran.scheduled_for == noon(4)
    assert (status.paused, status.paused_until) == (False, None)


async def test_a_pause_of_the_whole_scheduler_that_ended_while_no_engine_ran(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        await engine.pause_scheduler(until=noon(4))
        with pytest.raises(UsageProblem, match="has passed"):
            await engine.pause_scheduler(until=noon(0))
        assert (await engine.status()).paused_until == noon(4)
    clock.pass_by(timedelta(minutes=7))
    async with bench.engine(clock=clock) as engine:
        paused, down, made_up = await rows_of(engine, "tick", 3)

    assert (paused.reason, paused.folded_count) == (Reason.PAUSED, 3)
    assert (down.reason, made_up.trigger) == (Reason.DOWN, Trigger.CATCH_UP)


@pytest.fixture
def no_heartbeat(monkeypatch):
    """Nothing wakes the scheduler but what it waits for."""
    monkeypatch.setattr(job_store, "HEARTBEAT", timedelta(hours=1))


async def test_a_pause_wakes_the_engine_to_the_moment(bench, no_heartbeat):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1h")
    async with bench.engine() as engine:
        task = await engine.find_task("tick")
        end_of_it = datetime.now(UTC) + timedelta(seconds=0.5)
        await engine.pause_task(task.id, until=end_of_it)

        async def resumed():
            return (await engine.task(task.id)).paused_at is None

        await until(resumed, "the end of the pause")


async def test_a_pause_of_the_whole_scheduler_wakes_the_engine_too(bench, no_heartbeat):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1h")
    async with bench.engine() as engine:
        await engine.pause_scheduler(until=datetime.now(UTC) + timedelta(seconds=0.5))

        async def resumed():
            return not (await engine.status()).paused

        await until(resumed, "the end of the pause")
