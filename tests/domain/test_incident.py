"""One incident per fault: told when it opens, once a day, and once when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.incident import (
    Standing,
    Word,
    after_bad,
    after_good,
    is_reminder_due,
    newest_daily,
    reminded,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EIGHT = time(8)


def lived(ends: list[bool], after: int) -> list[Word]:
    """What is said of these ends (True: good), an hour apart, reminders included."""
    said: list[Word] = []
    standing: Standing | None = None
    for number, good in enumerate(ends):
        at = NOON + number * HOUR
        if standing is not None and is_reminder_due(standing, at, newest_daily(at, EIGHT, UTC)):
            standing = reminded(standing, at)
            said.append(Word.REMINDED)
        if good:
            said.append(after_good(standing))
            standing = None
        else:
            standing, word = after_bad(standing, at, after=after)
            said.append(word)
    return said


@given(ends=st.lists(st.booleans(), max_size=120), after=st.integers(1, 4))
def test_each_fault_has_exactly_one_opening_and_one_recovery_whatever_the_order(ends, after):
    said = lived(ends, after)
    streaks = "".join("g" if good else "b" for good in ends).split("g")
    faults = sum(len(streak) >= after for streak in streaks)
    still_open = len(streaks[-1]) >= after

    assert said.count(Word.OPENED) == faults
    assert said.count(Word.RECOVERED) == faults - still_open
    is_open = False
    for word in said:
        match word:
            case Word.OPENED:
                assert not is_open
                is_open = True
            case Word.RECOVERED:
                assert is_open
                is_open = False
            case Word.REPEATED | Word.REMINDED:
                assert is_open
            case _:
                assert not is_open


@given(days=st.integers(0, 20), hour=st.integers(0, 23), acknowledged=st.booleans())
def test_an_open_incident_has_one_line_a_day_unless_somebody_looks_after_it(
    days, hour, acknowledged
):
    opened = NOON.replace(hour=hour)
    standing, _ = after_bad(None, opened)
    if acknowledged:
        standing = Standing(opened, 1, opened, opened, opened, acknowledged=True)
    lines: list[datetime] = []
    for quarter in range(days * 96):
        at = opened + quarter * timedelta(minutes=15)
        if is_reminder_due(standing, at, newest_daily(at, EIGHT, UTC)):
            standing = reminded(standing, at)
            lines.append(at)

    dates = [line.date() for line in lines]
    assert dates == sorted(set(dates))
    if acknowledged:
        assert lines == []
    else:
        assert days - 2 <= len(lines) <= days
        assert all(line.hour == 8 for line in lines)


def test_what_was_told_just_before_the_daily_line_is_not_in_it():
    standing, _ = after_bad(None, NOON.replace(hour=7))

    assert not is_reminder_due(standing, NOON, newest_daily(NOON, EIGHT, UTC))
    assert is_reminder_due(standing, NOON + DAY, newest_daily(NOON + DAY, EIGHT, UTC))


@pytest.mark.parametrize(("hours", "due"), [
    pytest.param(1, False, id="while it is snoozed nothing is said"),
    pytest.param(50, True, id="when the snooze has ended, at once"),
])  # fmt: skip
def test_a_snooze(hours, due):
    until = NOON + 49 * HOUR
    standing = Standing(NOON, 1, NOON, NOON, NOON, snoozed_until=until)
    now = NOON + hours * HOUR

    assert is_reminder_due(standing, now, newest_daily(now, EIGHT, UTC)) is due


def test_what_is_not_an_incident_yet_is_neither_told_nor_reminded_of():
    standing, word = after_bad(None, NOON, after=3)

    assert (word, standing.is_open, after_good(standing)) == (Word.BREWING, False, Word.SUCCEEDED)
    assert not is_reminder_due(standing, NOON + 3 * DAY, NOON + 3 * DAY)


@pytest.mark.parametrize(("now", "expected"), [
    pytest.param("2026-03-04T06:59:00+00:00", "2026-03-03T07:00:00+00:00", id="before it"),
    pytest.param("2026-03-04T07:00:00+00:00", "2026-03-04T07:00:00+00:00", id="at it"),
    pytest.param("2026-03-30T05:59:00+00:00", "2026-03-29T06:00:00+00:00", id="after the change"),
])  # fmt: skip
def test_the_daily_moment_is_by_the_clock_on_the_wall(now, expected):
    berlin = ZoneInfo("Europe/Berlin")

    found = newest_daily(datetime.fromisoformat(now), EIGHT, berlin)

    assert found == datetime.fromisoformat(expected)
