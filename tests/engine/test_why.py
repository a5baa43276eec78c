"""`why` on a real engine: what was recorded, and what was not, comes back as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.domain.run import Status
from cronpilot.engine.offline import OfflineClient
from cronpilot.errors import NoEngine, NotFound, UsageProblem
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, history, reached, rows_of, start

START = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTELY = "name: {0}\ncommand: {1}\nschedule: '* * * * *'\n{2}"


@pytest.fixture
def clock():
    """Half a minute past noon UTC on a Wednesday."""
    return SetClock(START)


async def go_to(engine, clock, minute):
    """A second past that minute after noon."""
    clock.pass_by(datetime(2026, 3, 4, 12, minute, 1, tzinfo=UTC) - clock.now())
    engine._scheduler.wakeup()


def noon(minute):
    return datetime(2026, 3, 4, 12, minute, tzinfo=UTC)


async def why(engine, name, at=None):
    return await engine.why((await engine.find_task(name)).id, at=at)


async def test_a_slot_that_ran_and_one_that_failed(bench, clock):
    bench.tasks(MINUTELY.format("good", "'true'", ""), MINUTELY.format("bad", "exit 3", ""))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        for name in ("good", "bad"):
            await finished(engine, (await rows_of(engine, name, 1))[0].id)
        good, bad = await why(engine, "good", noon(1)), await why(engine, "bad", noon(1))

    assert (good.verdict, good.slot) == ("It ran and succeeded.", noon(1))
    assert (bad.verdict, bad.rule) == ("It ran and failed with exit code 3.", "success_codes: 0")
    assert [run.exit_code for run in bad.runs] == [3]


async def test_a_skipped_slot_names_the_run_that_was_going(bench, clock):
    bench.tasks(MINUTELY.format("slow", "sleep 300", ""))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "slow", 1)
        await reached(engine, first.id, Status.RUNNING)
        await go_to(engine, clock, 2)
        await rows_of(engine, "slow", 2)
        said = await why(engine, "slow", noon(2))
        now = await why(engine, "slow")
        await engine.stop_run(first.id)
        await finished(engine, first.id)

    assert said.verdict == f"It was skipped: run {first.id} was still going."
    assert said.rule == "overlap: skip"
    assert [run.id for run in said.runs] == [first.id, first.id + 1]
    assert said.because[0].endswith("is not over: running.")
    assert now.verdict == "It starts next at 2026-03-04 12:03 UTC."
    assert now.because[0].startswith(f"Run {first.id} is running since ")


async def test_a_stopped_run_names_who_stopped_it(bench):
    bench.tasks(MINUTELY.format("slow", "sleep 300", "active: false"))
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        await engine.stop_run(run.id)
        await finished(engine, run.id)
        said = await why(engine, "slow")

    assert said.because[0].startswith(f"Its last run, {run.id}, was stopped by local:")


async def test_a_replaced_run_names_the_one_that_took_its_place(bench, clock):
    bench.tasks(MINUTELY.format("slow", "sleep 300", "overlap: replace"))
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 1)
        (first,) = await rows_of(engine, "slow", 1)
        await reached(engine, first.id, Status.RUNNING)
        await go_to(engine, clock, 2)
        _, second = await rows_of(engine, "slow", 2)
        await finished(engine, first.id)
        said = await why(engine, "slow", noon(1))
        await reached(engine, second.id, Status.RUNNING)
        await engine.stop_run(second.id)
        await finished(engine, second.id)

    assert said.verdict == f"It was stopped: run {second.id} took its place."
    assert said.rule == "overlap: replace"


async def test_a_queued_run_says_what_it_waits_for_and_its_place(bench):
    sleeper = "name: {0}\ncommand: sleep 300\nschedule: manual\npool: db"
    bench.tasks(*(sleeper.format(name) for name in ("one", "two", "three")))
    async with bench.engine(pools={"db": 1}) as engine:
        one = await reached(engine, (await start(engine, "one")).id, Status.RUNNING)
        await start(engine, "two")
        await start(engine, "three")
        said = (await why(engine, "three")).because[0]
        for run in (await history(engine, "three")) + (await history(engine, "two")):
            await engine.stop_run(run.id)
        await engine.stop_run(one.id)
        await finished(engine, one.id)

    assert said.endswith("it waits for pool db 1/1, 1 ahead.")


async def test_a_retry_tells_when_and_how_often(bench):
    bench.tasks("name: flaky\ncommand: exit 9\nschedule: manual\nmax_retries: 2\nretry_delay: 1h")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "flaky")).id, Status.RETRYING)
        said = (await why(engine, "flaky")).because[0]
        await engine.stop_run(run.id)

    assert f"Run {run.id} failed with exit code 9 and tries again at " in said
    assert said.endswith("attempt 2 of 3.")


async def test_missed_slots_name_the_time_without_an_engine(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", "missed: skip"))
    async with bench.engine(clock=clock):
        pass
    clock.pass_by(10 * MINUTE)
    async with bench.engine(clock=clock) as engine:
        await rows_of(engine, "tick", 1)
        said = await why(engine, "tick", noon(5))

    assert (said.verdict, said.rule) == ("It was missed: no engine ran.", "missed: skip")
    assert said.because[0].startswith("The engine stopped at 2026-03-04 12:00:3")
    assert "The next one began at 2026-03-04 12:10:3" in said.because[0]
    assert said.because[1] == (
        "One row stands for 10 slots, from 2026-03-04 12:01 UTC to 2026-03-04 12:10 UTC."
    )


async def test_without_an_engine_the_database_explains(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock):
        pass
    client = OfflineClient(bench.database, bench.state_dir, max_workers=1, timezone="UTC")
    task = await client.find_task("tick")
    said = await client.why(task.id)
    with pytest.raises(NoEngine):
        await client.pause_task(task.id, until=noon(5))
    await client.close()

    if task.next_run_at > datetime.now(UTC):
        assert said.because[0] == "No engine runs now: without one, nothing starts."
    else:
        assert "no engine runs. The next one decides, by missed: once." in said.verdict


@pytest.mark.parametrize(
    ("more", "rule", "verdict"),
    [
        pytest.param("schedule: daily 02:30\nactive: false", "inactive",
                     "It is inactive (active: false): nothing is planned.", id="inactive"),
        pytest.param("schedule: manual", "manual",
                     "It has no schedule: it starts only by hand.", id="manual"),
        pytest.param("schedule: once 2026-03-01 18:00", "once",
                     "Its one time, once 2026-03-01 18:00, has passed: nothing is planned.",
                     id="once, and it has passed"),
        pytest.param("schedule: daily 14:30", "schedule: daily 14:30",
                     "It starts next at 2026-03-04 14:30 UTC.", id="planned"),
    ],
)  # fmt: skip
async def test_what_comes_next_or_why_nothing_does(bench, clock, more, rule, verdict):
    bench.tasks(f"name: task\ncommand: 'true'\n{more}")
    async with bench.engine(clock=clock) as engine:
        said = await why(engine, "task")

    assert (said.verdict, said.rule) == (verdict, rule)


async def test_nothing_was_planned_before_it_was_made(bench, clock):
    bench.tasks("name: task\ncommand: 'true'\nschedule: hourly :15")
    async with bench.engine(clock=clock) as engine:
        said = await why(engine, "task", noon(0) - timedelta(days=1))

    assert said.rule == "not made yet"
    assert said.verdict.startswith(
        "There was no such task at 2026-03-03 12:00 UTC: it was made at 2026-03-04 12:00:3"
    )
    assert said.verdict.endswith(" by tasks.yaml.")


async def test_a_moment_between_slots_names_those_around_it(bench, clock):
    bench.tasks("name: task\ncommand: 'true'\nschedule: '*/10 * * * *'")
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 10)
        await finished(engine, (await rows_of(engine, "task", 1))[0].id)
        said = await why(engine, "task", noon(14))
        future = await why(engine, "task", noon(40))

    assert said.rule == "no slot"
    assert said.verdict == (
        "No slot at 2026-03-04 12:14 UTC. The one before it, 2026-03-04 12:10 UTC, ran and"
        " succeeded."
    )
    assert said.because[0] == "The next slot after that: 2026-03-04 12:20 UTC."
    assert future.verdict == "It is planned for 2026-03-04 12:40 UTC."


async def test_a_changed_schedule_is_named_with_who_changed_it(bench, clock):
    bench.tasks("name: task\ncommand: 'true'\nschedule: '*/10 * * * *'")
    async with bench.engine(clock=clock) as engine:
        await go_to(engine, clock, 5)
        bench.tasks("name: task\ncommand: 'true'\nschedule: daily 03:00")
        await engine.reload()
        await go_to(engine, clock, 15)
        before = await why(engine, "task", noon(0))
        after = await why(engine, "task", noon(10))
        now = await why(engine, "task")

    assert before.rule == "not made yet"
    assert after.rule == "no slot"
    assert after.slot == datetime(2026, 3, 4, 3, tzinfo=UTC)
    assert (
        "tasks.yaml changed '*/10 * * * *' to 'daily 03:00' at 2026-03-04 12:05:01 UTC: nothing"
        " before that is made up for." in after.because
    )
    assert now.verdict == "It starts next at 2026-03-05 03:00 UTC."


async def test_a_pause_is_named_with_who_and_until_when(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("tick")
        await engine.pause_task(task.id, until=noon(30))
        await go_to(engine, clock, 5)
        now, slot = await why(engine, "tick"), await why(engine, "tick", noon(3))
        await engine.resume_task(task.id)
        folded = await why(engine, "tick", noon(3))

    assert now.rule == slot.rule == folded.rule == "paused"
    assert now.verdict.startswith("It is paused since 2026-03-04 12:00:3")
    assert " by local:" in now.verdict
    assert "until 2026-03-04 12:30 UTC" in now.verdict
    assert slot.verdict == "It has no verdict yet: the task is paused."
    assert folded.verdict == "It was skipped: it was paused."


async def test_a_paused_scheduler_is_named(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        await engine.pause_scheduler()
        await go_to(engine, clock, 5)
        said = await why(engine, "tick", noon(3))
        now = await why(engine, "tick")

    assert (now.rule, said.rule) == ("scheduler paused", "scheduler paused")


async def test_an_archived_task_still_explains_itself(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", ""))
    async with bench.engine(clock=clock) as engine:
        task = await engine.find_task("tick")
        bench.tasks()
        await engine.reload()
        said = await engine.why(task.id)

    assert said.rule == "archived"
    assert said.verdict.startswith("It was taken away at 2026-03-04 12:00:3")


async def test_a_start_by_hand_is_found_by_its_time(bench):
    bench.tasks("name: task\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "task")).id)
        said = await why(engine, "task", run.queued_at)

    assert said.rule == "manual"
    assert f"Run {run.id} was started by hand by local:" in said.because[0]
    assert [row.id for row in said.runs] == [run.id]


async def test_a_step_of_the_clock_is_the_reason_for_what_it_jumped_over(bench, clock):
    bench.tasks(MINUTELY.format("tick", "'true'", "missed: skip"))
    async with bench.engine(clock=clock) as engine:
        clock.step(timedelta(hours=1))
        engine._scheduler.wakeup()
        await rows_of(engine, "tick", 1)
        said = await why(engine, "tick", noon(20))

    assert said.verdict == "It was missed: the clock was moved (+3600 s)."


async def test_the_hour_that_was_skipped(bench):
    clock = SetClock(datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC))
    bench.tasks("name: night\ncommand: 'true'\nschedule: daily 02:30")
    async with bench.engine(clock=clock, timezone="Europe/Berlin") as engine:
        clock.pass_by(timedelta(seconds=15))
        engine._scheduler.wakeup()
        await finished(engine, (await rows_of(engine, "night", 1))[0].id)
        said = await why(engine, "night", datetime(2026, 3, 29, 1, tzinfo=UTC))

    assert said.verdict == "It ran and succeeded."
    assert said.because[-1] == (
        "The clock went from 02:00 to 03:00 at 2026-03-29 03:00 CEST: 02:30 did not exist, so it"
        " started right after."
    )


async def test_nonsense_is_refused(bench):
    bench.tasks("name: task\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        with pytest.raises(NotFound):
            await engine.why(99)
        with pytest.raises(UsageProblem):
            await engine.why(1, at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
