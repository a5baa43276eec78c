"""What becomes of due slots, and what follows an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.plan import (
    DueTask,
    Final,
    Outcome,
    Retry,
    RetryRules,
    SlotVerdict,
    after_attempt,
    fold_paused,
    plan,
    retry_delay,
    spread_offset,
)
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import ScheduleType, fire_times
from cronpilot.domain.task import Missed, OnLost, Overlap

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EACH_MINUTE = fire_times(ScheduleType.CUSTOM, "* * * * *", ZoneInfo("UTC"))


def due(since: datetime = NOON, **facts) -> DueTask:
    """A minutely task whose first due slot is `since`, watched all the time by default."""
    return DueTask(EACH_MINUTE, since, **{"watched_since": NOON - timedelta(days=1), **facts})


def at(minute: int) -> datetime:
    return NOON + minute * MINUTE


# --- the slot that is due now ---


def test_a_slot_that_is_due_is_queued_and_the_next_one_planned():
    decided = plan(due(), NOON)

    assert decided.verdicts == (SlotVerdict(NOON, Status.QUEUED),)
    assert decided.next_run_at == at(1)


def test_nothing_happens_before_the_planned_time():
    decided = plan(due(at(1)), NOON)

    assert (decided.verdicts, decided.next_run_at) == ((), at(1))


def test_a_late_pass_still_runs_the_slot_of_its_minute():
    decided = plan(due(), NOON + timedelta(seconds=31))

    assert decided.verdicts == (SlotVerdict(NOON, Status.QUEUED),)
    assert decided.next_run_at == at(1)


def test_a_schedule_that_has_ended_plans_nothing_more():
    once = fire_times(ScheduleType.ONCE, "2026-03-04T12:00:00Z", ZoneInfo("UTC"))

    decided = plan(DueTask(once, NOON), NOON)

    assert decided.verdicts == (SlotVerdict(NOON, Status.QUEUED),)
    assert decided.next_run_at is None


# --- overlap ---


@pytest.mark.parametrize(
    ("overlap", "going", "waiting", "status", "reason"),
    [
        pytest.param("skip", 1, 0, "skipped", "already_running", id="skip while one goes"),
        pytest.param("skip", 0, 1, "skipped", "already_running", id="skip while one is queued"),
        pytest.param("queue", 1, 0, "queued", None, id="queue behind the one that goes"),
        pytest.param("queue", 1, 1, "skipped", "queue_full", id="queue holds one, not two"),
        pytest.param("replace", 1, 0, "queued", None, id="replace takes its place"),
        pytest.param("replace", 0, 1, "queued", None, id="replace takes that of a queued one"),
        pytest.param("allow", 3, 2, "queued", None, id="allow runs beside the others"),
    ],
)
def test_a_slot_that_finds_its_task_busy(overlap, going, waiting, status, reason):
    decided = plan(due(overlap=Overlap(overlap), going=going, waiting=waiting), NOON)

    assert [(v.status, v.reason) for v in decided.verdicts] == [(status, reason)]
    assert decided.replaces is (overlap == "replace")


# --- slots that passed while nobody was there ---


def test_missed_once_runs_the_latest_slot_and_folds_the_others_into_one_row():
    decided = plan(due(at(-10), watched_since=NOON), at(0) + timedelta(seconds=20))

    assert decided.verdicts == (
        SlotVerdict(at(-10), Status.MISSED, reason=Reason.DOWN, until=at(-1), count=10),
        SlotVerdict(at(0), Status.QUEUED),
    )


def test_missed_once_runs_late_what_passed_before_the_engine_came():
    decided = plan(due(at(-1), watched_since=NOON + timedelta(seconds=1)), at(0) + 2 * MINUTE / 4)

    assert decided.verdicts == (
        SlotVerdict(at(-1), Status.MISSED, reason=Reason.DOWN),
        SlotVerdict(at(0), Status.QUEUED, Trigger.CATCH_UP),
    )


def test_missed_skip_runs_nothing_that_passed():
    since = NOON + timedelta(seconds=1)

    decided = plan(due(at(-2), missed=Missed.SKIP, watched_since=since), since)

    assert decided.verdicts == (
        SlotVerdict(at(-2), Status.MISSED, reason=Reason.DOWN, until=at(0), count=3),
    )
    assert decided.next_run_at == at(1)


def test_missed_skip_runs_the_slot_that_is_due_now():
    decided = plan(due(at(-2), missed=Missed.SKIP, watched_since=NOON), NOON)

    assert decided.verdicts == (
        SlotVerdict(at(-2), Status.MISSED, reason=Reason.DOWN, until=at(-1), count=2),
        SlotVerdict(at(0), Status.QUEUED),
    )


def test_missed_all_runs_the_last_ones_oldest_first():
    since = NOON + timedelta(seconds=1)

    decided = plan(
        due(at(-5), missed=Missed.ALL, missed_limit=3, watched_since=since), since
    )  # fmt: skip

    assert decided.verdicts == (
        SlotVerdict(at(-5), Status.MISSED, reason=Reason.DOWN, until=at(-3), count=3),
        SlotVerdict(at(-2), Status.QUEUED, Trigger.CATCH_UP),
        SlotVerdict(at(-1), Status.QUEUED, Trigger.CATCH_UP),
        SlotVerdict(at(0), Status.QUEUED, Trigger.CATCH_UP),
    )


@pytest.mark.parametrize(
    ("minutes_late", "status", "reason"),
    [
        pytest.param(10, "queued", None, id="late by exactly the deadline still runs"),
        pytest.param(11, "missed", "deadline", id="one minute more is missed"),
    ],
)
def test_a_deadline_of_ten_minutes(minutes_late, status, reason):
    once = fire_times(ScheduleType.ONCE, "2026-03-04T12:00:00Z", ZoneInfo("UTC"))
    task = DueTask(
        once, NOON, deadline=10 * MINUTE, watched_since=NOON + timedelta(seconds=1)
    )  # fmt: skip

    decided = plan(task, at(minutes_late))

    assert [(v.status, v.reason) for v in decided.verdicts] == [(status, reason)]


def test_a_deadline_counts_from_the_start_that_the_spread_gave():
    """A slot at noon that its spread starts at 12:05 is 5 minutes late at 12:10, not 10."""
    once = fire_times(ScheduleType.ONCE, "2026-03-04T12:00:00Z", ZoneInfo("UTC"))
    task = DueTask(once, at(5), 5 * MINUTE, deadline=5 * MINUTE, watched_since=NOON)

    assert [v.status for v in plan(task, at(10)).verdicts] == ["queued"]
    assert [v.status for v in plan(task, at(11)).verdicts] == ["missed"]


def test_a_pass_at_the_very_second_of_a_slot_takes_that_one():
    decided = plan(due(at(-1)), NOON)

    assert decided.verdicts == (
        SlotVerdict(at(-1), Status.MISSED, reason=Reason.DOWN),
        SlotVerdict(NOON, Status.QUEUED),
    )
    assert decided.next_run_at == at(1)


def test_a_slot_on_time_is_skipped_while_earlier_ones_are_made_up_for():
    decided = plan(due(at(-2), missed=Missed.ALL, watched_since=NOON), NOON)

    assert decided.verdicts == (
        SlotVerdict(at(-2), Status.QUEUED, Trigger.CATCH_UP),
        SlotVerdict(at(-1), Status.QUEUED, Trigger.CATCH_UP),
        SlotVerdict(NOON, Status.SKIPPED, reason=Reason.ALREADY_RUNNING),
    )


def test_a_minutely_task_after_a_year_counts_up_to_a_thousand():
    decided = plan(due(NOON - timedelta(days=365), watched_since=NOON), NOON)

    assert [v.count for v in decided.verdicts] == [1000, 1]


@given(
    minutes_down=st.integers(0, 3000),
    missed=st.sampled_from(Missed),
    limit=st.integers(1, 20),
    watched=st.booleans(),
    overlap=st.sampled_from(Overlap),
    going=st.integers(0, 2),
)
def test_every_due_slot_meets_exactly_one_verdict(
    minutes_down, missed, limit, watched, overlap, going
):
    task = due(
        at(-minutes_down), missed=missed, missed_limit=limit, overlap=overlap, going=going,
        watched_since=at(-minutes_down) if watched else NOON + timedelta(seconds=1),
    )  # fmt: skip

    decided = plan(task, NOON + timedelta(seconds=2))

    covered = sum(v.count for v in decided.verdicts)
    slots = [v.slot for v in decided.verdicts]
    folded = max(v.count for v in decided.verdicts)
    assert covered == minutes_down + 1 or (folded == 1000 and covered <= minutes_down)
    assert slots == sorted(set(slots))
    assert slots[0] == at(-minutes_down)
    assert decided.next_run_at == at(1)


# --- pause ---


def test_slots_of_a_pause_become_one_row():
    decided = fold_paused(EACH_MINUTE, timedelta(), at(-3), NOON)

    assert decided.verdicts == (
        SlotVerdict(at(-3), Status.SKIPPED, reason=Reason.PAUSED, until=NOON, count=4),
    )
    assert decided.next_run_at == at(1)


def test_a_pause_in_which_nothing_was_due_leaves_no_row():
    decided = fold_paused(EACH_MINUTE, timedelta(), at(1), NOON)

    assert (decided.verdicts, decided.next_run_at) == ((), at(1))


@pytest.mark.parametrize(
    ("since", "verdicts"),
    [
        pytest.param(
            at(0), (SlotVerdict(NOON, Status.QUEUED, Trigger.CATCH_UP),), id="the only one"
        ),
        pytest.param(
            at(-2),
            (
                SlotVerdict(at(-2), Status.SKIPPED, reason=Reason.PAUSED, until=at(-1), count=2),
                SlotVerdict(NOON, Status.QUEUED, Trigger.CATCH_UP),
            ),
            id="the others are one row",
        ),
    ],
)
def test_a_pause_that_ends_with_a_run_makes_up_for_the_latest_slot_once(since, verdicts):
    decided = fold_paused(EACH_MINUTE, timedelta(), since, NOON, make_up=True)

    assert decided.verdicts == verdicts
    assert decided.next_run_at == at(1)


# --- spread ---


def test_spread_moves_every_slot_by_the_same_offset():
    offset = spread_offset("backup", timedelta(seconds=50))
    assert timedelta() < offset < timedelta(seconds=50)

    decided = plan(due(NOON + offset, offset=offset), NOON + offset)

    assert decided.verdicts == (SlotVerdict(NOON, Status.QUEUED),)
    assert decided.next_run_at == at(1) + offset


@given(st.text(max_size=20), st.integers(0, 10_000))
def test_a_spread_offset_is_whole_seconds_below_the_spread(name, seconds):
    offset = spread_offset(name, timedelta(seconds=seconds))

    assert timedelta() <= offset < timedelta(seconds=max(1, seconds))
    assert offset.microseconds == 0


# --- after an attempt ---


@pytest.mark.parametrize(
    ("code", "why", "verdict"),
    [
        pytest.param(0, "", Final(Status.SUCCESS), id="zero is success"),
        pytest.param(3, "", Final(Status.FAILED), id="anything else is failure"),
        pytest.param(None, "", Final(Status.LOST, Reason.ENGINE_RESTART), id="unknown is lost"),
        pytest.param(0, "timeout", Final(Status.TIMEOUT), id="0 after a time-out is a time-out"),
        pytest.param(143, "user", Final(Status.STOPPED, Reason.USER), id="stopped by hand"),
        pytest.param(143, "replaced", Final(Status.STOPPED, Reason.REPLACED), id="replaced"),
        pytest.param(None, "setup", Final(Status.ERROR, Reason.SETUP), id="could not be started"),
        pytest.param(
            None, "host_restart", Final(Status.LOST, Reason.HOST_RESTART), id="machine went down"
        ),
    ],
)
def test_what_an_end_means(code, why, verdict):
    assert after_attempt(Outcome(code, why), 1) == verdict


def test_success_codes_say_what_success_is():
    assert after_attempt(Outcome(3), 1, success_codes=[0, 3]) == Final(Status.SUCCESS)


@pytest.mark.parametrize("why", ["", "timeout"])
def test_a_failed_attempt_is_followed_by_another_while_retries_remain(why):
    rules = RetryRules(max_retries=2, delay=timedelta(seconds=10))

    ends = [after_attempt(Outcome(1, why), n, retry=rules) for n in (1, 2, 3)]

    assert [type(end) for end in ends] == [Retry, Retry, Final]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param(143, "user", id="stopped"),
        pytest.param(None, "", id="lost"),
        pytest.param(None, "setup", id="not started"),
    ],
)
def test_what_is_never_retried(code, why):
    end = after_attempt(Outcome(code, why), 1, retry=RetryRules(max_retries=5))

    assert isinstance(end, Final)


def test_a_run_lost_with_its_machine_runs_again_if_its_task_says_so():
    end = after_attempt(Outcome(None, "host_restart"), 1, on_lost=OnLost.RERUN)

    assert end == Retry(Status.LOST, timedelta())


def test_delays_grow_up_to_their_limit():
    rules = RetryRules(9, timedelta(seconds=60), 2.0, timedelta(minutes=5))

    delays = [retry_delay(rules, n).total_seconds() for n in (1, 2, 3, 4, 5)]

    assert delays == [60, 120, 240, 300, 300]


@given(st.integers(1, 10_000), st.floats(1, 10))
def test_no_delay_overflows(attempts, backoff):
    assert retry_delay(RetryRules(backoff=backoff), attempts) <= timedelta(days=30)
