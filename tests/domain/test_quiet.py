"""Quiet times: what they cover, and what becomes of the slots in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronpilot.domain.plan import DueTask, plan
from cronpilot.domain.quiet import (
    Rule,
    Then,
    WithQuiet,
    from_key,
    parse_day,
    parse_window,
    quiet_at,
    to_key,
)
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import Schedule, fire_times, resolve
from cronpilot.domain.task import Missed

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Rule("night", Then.AFTER, windows=(parse_window("22:00-06:00"),))
HOLIDAYS = Rule("holidays", Then.SKIP, days=frozenset({"2026-12-25", "12-26"}))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def times(shorthand: str, *rules: Rule, zone: ZoneInfo = BERLIN) -> WithQuiet:
    schedule = Schedule.model_validate(shorthand)
    resolved = resolve(schedule, zone=zone, set_at=at("2026-01-01T00:00"), seed="x")
    return WithQuiet(fire_times(schedule.type, resolved, zone), rules, zone)


@pytest.mark.parametrize(("text", "inside", "outside"), [
    ("sun 02:00-04:00", ["2026-11-22T02:00", "2026-11-22T03:59"],
     ["2026-11-22T04:00", "2026-11-22T01:59", "2026-11-23T03:00"]),
    ("mon-fri 22:00-06:00", ["2026-11-20T22:00", "2026-11-21T05:59"],
     ["2026-11-21T06:00", "2026-11-21T23:00", "2026-11-23T05:00"]),
    ("sat,sun 00:00-24:00", ["2026-11-21T00:00", "2026-11-22T23:59"], ["2026-11-23T00:00"]),
    ("23:30-00:30", ["2026-11-21T23:30", "2026-11-22T00:29"], ["2026-11-22T00:30"]),
    ("fri-mon 09:00-10:00", ["2026-11-23T09:30", "2026-11-20T09:00"], ["2026-11-24T09:00"]),
])  # fmt: skip
def test_windows_hold_from_their_start_up_to_their_end(
    text: str, inside: list[str], outside: list[str]
):
    rule = Rule("w", windows=(parse_window(text),))

    assert [one for one in inside if quiet_at([rule], at(one), BERLIN) is None] == []
    assert [one for one in outside if quiet_at([rule], at(one), BERLIN)] == []


@pytest.mark.parametrize("text", [
    "sun", "02:00", "02:00-02:00", "25:00-26:00", "02:60-03:00", "xyz 02:00-03:00", "",
])  # fmt: skip
def test_what_is_no_window_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_window(text)


@pytest.mark.parametrize("text", ["2026-02-30", "13-01", "25.12.2026", "12-25-2026", "today"])
def test_what_is_no_day_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_day(text)


def test_a_window_is_as_long_as_the_wall_clock_says_when_the_clocks_change():
    rule = Rule("w", windows=(parse_window("sun 01:00-04:00"),))
    spring = quiet_at([rule], at("2026-03-29T01:30"), BERLIN)
    autumn = quiet_at([rule], at("2026-10-25T01:30"), BERLIN)

    assert spring is not None
    assert autumn is not None
    assert (spring.end - spring.start, autumn.end - autumn.start) == (
        timedelta(hours=2),
        timedelta(hours=4),
    )


def test_days_in_a_row_are_one_quiet_time():
    found = quiet_at([HOLIDAYS], at("2026-12-25T12:00"), BERLIN)

    assert found is not None
    assert (found.start, found.end) == (at("2026-12-25T00:00"), at("2026-12-27T00:00"))
    assert quiet_at([HOLIDAYS], at("2027-12-26T12:00"), BERLIN) is not None
    assert quiet_at([HOLIDAYS], at("2027-12-25T12:00"), BERLIN) is None


def test_slots_in_a_window_with_after_are_followed_by_one_run_at_its_end():
    hourly = times("hourly :30", NIGHT)
    found, moment = [], at("2026-11-20T20:00")
    for _ in range(11):
        following = hourly.next_after(moment)
        assert following is not None
        moment = following
        found.append((moment, hourly.quiet(moment) is None))

    assert [when for when, runs in found if runs] == [
        at("2026-11-20T20:30"), at("2026-11-20T21:30"), at("2026-11-21T06:00"),
    ]  # fmt: skip


def test_a_window_without_a_slot_in_it_starts_nothing():
    assert times("daily 12:00", NIGHT).next_after(at("2026-11-20T13:00")) == at("2026-11-21T12:00")


def test_the_end_of_a_window_inside_another_quiet_time_waits_for_that_to_end():
    morning = Rule("x", Then.SKIP, windows=(parse_window("06:00-08:00"),))
    night = times("daily 23:00", NIGHT, morning)

    assert night.next_after(at("2026-11-20T23:00")) == at("2026-11-21T08:00")


def decide(
    shorthand: str, due: str, now: str, *rules: Rule, missed: Missed = Missed.ONCE
) -> list[tuple[str, Status, Trigger, Reason | None, int]]:
    decided = plan(
        DueTask(times=times(shorthand, *rules), next_run_at=at(due), missed=missed,
                watched_since=at(now) - timedelta(minutes=1)),
        at(now),
    )  # fmt: skip
    return [
        (one.slot.astimezone(BERLIN).strftime("%d %H:%M"), one.status, one.trigger, one.reason,
         one.count)
        for one in decided.verdicts
    ]  # fmt: skip


def test_a_slot_in_a_quiet_time_is_skipped_and_says_so():
    assert decide("daily 02:30", "2026-12-25T02:30", "2026-12-25T02:30", HOLIDAYS) == [
        ("25 02:30", Status.SKIPPED, Trigger.SCHEDULE, Reason.QUIET, 1)
    ]


def test_the_run_at_the_end_of_a_window_is_one_like_any_other():
    assert decide("daily 02:30", "2026-11-21T06:00", "2026-11-21T06:00", NIGHT) == [
        ("21 06:00", Status.QUEUED, Trigger.SCHEDULE, None, 1)
    ]


def test_after_downtime_the_latest_slot_that_is_not_quiet_is_made_up_for():
    verdicts = decide("daily 02:30", "2026-12-22T02:30", "2026-12-26T12:00", HOLIDAYS)

    assert verdicts == [
        ("22 02:30", Status.MISSED, Trigger.SCHEDULE, Reason.DOWN, 2),
        ("24 02:30", Status.QUEUED, Trigger.CATCH_UP, None, 1),
        ("25 02:30", Status.SKIPPED, Trigger.SCHEDULE, Reason.QUIET, 2),
    ]


def test_when_all_that_passed_was_quiet_nothing_is_made_up_for():
    assert decide("daily 02:30", "2026-12-25T02:30", "2026-12-26T12:00", HOLIDAYS) == [
        ("25 02:30", Status.SKIPPED, Trigger.SCHEDULE, Reason.QUIET, 2)
    ]


def test_with_all_each_quiet_slot_among_them_has_its_verdict():
    verdicts = decide(
        "daily 02:30", "2026-12-24T02:30", "2026-12-28T03:00", HOLIDAYS, missed=Missed.ALL
    )

    assert [(when, status) for when, status, *_ in verdicts] == [
        ("24 02:30", Status.QUEUED), ("25 02:30", Status.SKIPPED), ("26 02:30", Status.SKIPPED),
        ("27 02:30", Status.QUEUED), ("28 02:30", Status.QUEUED),
    ]  # fmt: skip


RULES = st.builds(
    Rule,
    name=st.text(max_size=5),
    then=st.sampled_from(Then),
    days=st.frozensets(st.dates().map(lambda day: day.isoformat()), max_size=3),
    windows=st.lists(
        st.sampled_from(["22:00-06:00", "sun 02:00-04:00", "mon-wed 12:00-13:30", "0:00-24:00"])
        .map(parse_window), max_size=2,
    ).map(tuple),
)  # fmt: skip


@given(st.lists(RULES, max_size=3))
def test_rules_read_back_from_their_key_as_the_same(rules: list[Rule]):
    assert from_key(to_key(rules)) == tuple(rules)


@settings(deadline=None)
@given(
    rules=st.lists(RULES, max_size=2).map(tuple),
    shorthand=st.sampled_from(["hourly :30", "daily 02:30", "*/20 * * * *", "every 7h"]),
    seconds=st.integers(0, 365 * 86400),
)
def test_fire_times_ascend_and_only_ends_of_windows_are_added(
    rules: tuple[Rule, ...], shorthand: str, seconds: int
):
    both = times(shorthand, *rules)
    moment, seen = at("2026-01-01T00:00") + timedelta(seconds=seconds), []
    for _ in range(30):
        following = both.next_after(moment)
        if following is None:
            break
        assert following > moment
        seen.append(moment := following)
    for slot in seen:
        is_raw = both.base.latest(slot) == slot
        assert is_raw or (both.quiet(slot) is None and both.quiet(slot - timedelta(seconds=1)))
