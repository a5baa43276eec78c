"""Laws that hold for every plan, and the clock changes of summer time through `plan`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronpilot.domain.plan import DueTask, fold_paused, next_run_at, plan
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.schedule import ScheduleType, anchored_by, fire_times
from cronpilot.domain.task import Missed, Overlap

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 27, tzinfo=UTC)  # two days before the clock goes forward in Berlin

schedules = st.one_of(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 2,3 * * *", "*/20 2-3 * * *"]).map(
        lambda text: fire_times(ScheduleType.CUSTOM, text, BERLIN)
    ),
    st.integers(1, 5000).map(
        lambda s: fire_times(ScheduleType.INTERVAL, f"2026-03-27T00:00:00Z/{s}s", BERLIN)
    ),
)  # fmt: skip
offsets = st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds))
hours = st.floats(0, 96, allow_nan=False).map(lambda value: timedelta(hours=value))


def task_at(times, offset, since, **facts):
    """A task that is planned from `since` on and watched all the time."""
    first = next_run_at(times, offset, since)
    assert first is not None
    return DueTask(times, first, offset, **{"watched_since": BEGIN - timedelta(days=9), **facts})


def slots_of(decided, times):
    """Every slot that has a verdict, folded rows spread out; at most the first of a cap."""
    found = []
    for verdict in decided.verdicts:
        found.append(verdict.slot)
        while verdict.until is not None and found[-1] < verdict.until:
            found.append(times.next_after(found[-1]))
    return found


@settings(deadline=None)
@given(times=schedules, offset=offsets, first=hours, second=hours, policy=st.sampled_from(Missed))
def test_two_passes_decide_the_same_slots_as_one(times, offset, first, second, policy):
    task = task_at(times, offset, BEGIN, missed=policy)
    middle, end = BEGIN + first, BEGIN + first + second

    at_once = plan(task, end)
    early = plan(task, middle)
    late = plan(task._replace(next_run_at=early.next_run_at), end)

    assert slots_of(early, times) + slots_of(late, times) == slots_of(at_once, times)
    assert late.next_run_at == at_once.next_run_at


@settings(deadline=None)
@given(times=schedules, offset=offsets, late=hours, policy=st.sampled_from(Missed),
       seen=st.booleans(), overlap=st.sampled_from(Overlap), going=st.integers(0, 2))  # fmt: skip
def test_what_is_not_due_has_no_verdict_and_what_is_due_has_one(
    times, offset, late, policy, seen, overlap, going
):
    now = BEGIN + late
    task = task_at(
        times, offset, BEGIN, missed=policy, overlap=overlap, going=going,
        watched_since=BEGIN if seen else now + timedelta(seconds=1),
    )  # fmt: skip

    decided = plan(task, now)

    for verdict in decided.verdicts:
        assert (verdict.until or verdict.slot) + offset <= now
    following = times.next_after(now - offset)
    assert decided.next_run_at == following + offset
    due = times.count(BEGIN - offset, now - offset, 10_000)
    covered = sum(verdict.count for verdict in decided.verdicts)
    assert covered == due or any(verdict.count == 1000 for verdict in decided.verdicts)


@settings(deadline=None)
@given(times=schedules, offset=offsets, late=hours, policy=st.sampled_from(Missed))
def test_planning_again_at_the_same_moment_decides_nothing_more(times, offset, late, policy):
    task = task_at(times, offset, BEGIN, missed=policy)
    decided = plan(task, BEGIN + late)

    again = plan(task._replace(next_run_at=decided.next_run_at), BEGIN + late)

    assert (again.verdicts, again.next_run_at) == ((), decided.next_run_at)


@settings(deadline=None)
@given(times=schedules, offset=offsets, late=hours, back=hours)
def test_after_a_step_back_every_verdict_is_one_that_the_database_has_or_an_earlier_slot(
    times, offset, late, back
):
    """UNIQUE(task_id, scheduled_for) holds back what repeats: it compares nominal slots."""
    now = BEGIN + late
    recorded = set(slots_of(plan(task_at(times, offset, BEGIN), now), times))
    replanned = task_at(times, offset, now - back)

    repeated = slots_of(plan(replanned, now), times)

    assert {slot for slot in repeated if slot + offset > BEGIN} <= recorded


@settings(deadline=None)
@given(times=schedules, offset=offsets, paused=hours, more=hours)
def test_a_pause_folds_what_was_due_in_it_and_nothing_after_it(times, offset, paused, more):
    end = BEGIN + paused
    due = next_run_at(times, offset, BEGIN)
    folded = fold_paused(times, offset, due, end)
    rest = plan(
        DueTask(times, folded.next_run_at, offset, watched_since=BEGIN), end + more
    )  # fmt: skip

    assert {verdict.reason for verdict in folded.verdicts} <= {Reason.PAUSED}
    for verdict in folded.verdicts:
        assert (verdict.until or verdict.slot) + offset <= end
    for verdict in rest.verdicts:
        assert verdict.slot + offset > end


@given(st.integers(1, 100_000), st.integers(-200_000, 200_000))
def test_an_interval_keeps_its_fire_times_when_its_anchor_moves_back(every, moved):
    resolved, now = f"2026-03-04T12:00:00Z/{every}s", NOON + timedelta(seconds=moved)
    before = fire_times(ScheduleType.INTERVAL, resolved, BERLIN)
    after = fire_times(
        ScheduleType.INTERVAL, anchored_by(ScheduleType.INTERVAL, resolved, now), BERLIN
    )

    assert after.next_after(now) - now <= timedelta(seconds=every)
    assert after.next_after(NOON) == before.next_after(NOON)


# --- summer time ---------------------------------------------------------------------------------


def each_second_half_minute(times, since, until):
    """The slots that are queued by a clock that is looked at every 30 seconds."""
    task, now = task_at(times, timedelta(), since), since
    slots = []
    while now <= until:
        decided = plan(task, now)
        slots += [v.slot for v in decided.verdicts if v.status is Status.QUEUED]
        task = task._replace(next_run_at=decided.next_run_at)
        now += timedelta(seconds=30)
    return [f"{slot.astimezone(BERLIN):%H:%M %Z}" for slot in slots]


FORWARD = (datetime(2026, 3, 29, 0, 15, tzinfo=UTC), datetime(2026, 3, 29, 2, 15, tzinfo=UTC))
BACK = (datetime(2026, 10, 24, 23, 45, tzinfo=UTC), datetime(2026, 10, 25, 2, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("expression", "night", "expected"),
    [
        pytest.param("30 2 * * *", FORWARD, ["03:00 CEST"], id="fixed, skipped: right after"),
        pytest.param("*/30 * * * *", FORWARD,
                     ["01:30 CET", "03:00 CEST", "03:30 CEST", "04:00 CEST"],
                     id="wildcard: nothing in the skipped hour"),
        pytest.param("15,45 2 * * *", FORWARD, ["03:00 CEST"], id="two fixed times become one"),
        pytest.param("30 2 * * *", BACK, ["02:30 CEST"], id="fixed, repeated: once"),
        pytest.param("*/30 * * * *", BACK,
                     ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET", "03:00 CET"],
                     id="wildcard: in both passes"),
    ],
)  # fmt: skip
def test_the_nights_on_which_the_clocks_change(expression, night, expected):
    times = fire_times(ScheduleType.CUSTOM, expression, BERLIN)

    assert each_second_half_minute(times, *night) == expected


def test_downtime_over_the_change_counts_what_the_clock_showed():
    times = fire_times(ScheduleType.CUSTOM, "*/30 * * * *", BERLIN)
    task = task_at(times, timedelta(), FORWARD[0], watched_since=FORWARD[1])

    folded, made_up = plan(task, FORWARD[1]).verdicts

    assert (folded.count, folded.slot) == (3, datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert made_up.slot == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
