"""What the next clock change does to a schedule, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cronpilot.domain.clock_notes import clock_note
from cronpilot.domain.schedule import Schedule, resolve

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


def note(schedule: str, zone: str = "Europe/Berlin", now: datetime = NOON) -> str:
    read, where = Schedule.model_validate(schedule), ZoneInfo(zone)
    return clock_note(read, resolve(read, zone=where, set_at=now, seed="x"), where, now)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("daily 02:30", "On 29 March the run at 02:30 moves to 03:00."),
        ("0,30 2 * * *", "On 29 March the runs at 02:00 and 02:30 become one at 03:00."),
        ("30 2,3 * * *", "On 29 March the run at 02:30 moves to 03:00."),
        ("0 2,3 * * *", "On 29 March the run at 02:00 and the one at 03:00 are one."),
        ("30 * * * *", "On 29 March the run at 02:30 is left out: that time does not exist."),
        (
            "*/10 * * * *",
            "On 29 March the runs at 02:00 to 02:50 are left out: that hour does not exist.",
        ),
        ("daily 12:00", "The clock change on 29 March does not touch it."),
        ("weekly mon 02:30", "The clock change on 29 March does not touch it."),
        ("every 15m", "The clock change on 29 March does not touch it."),
        (
            "every 24h",
            "From 29 March on it runs an hour later by the clock: it counts elapsed time.",
        ),
        ("once 2026-03-29 02:30", "02:30 does not exist on 29 March: it runs at 03:00."),
        ("once 2026-10-25 02:30", "02:30 comes twice on 25 October: it runs at the first."),
        ("once 2026-10-25 12:00", ""),
        ("manual", ""),
    ],
)
def test_before_the_clock_goes_forward(schedule, words):
    assert note(schedule) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("daily 02:30", "On 25 October it runs once, not twice, at 02:30."),
        ("30 * * * *", "On 25 October it runs in both passes of the hour that comes twice."),
        (
            "every 24h",
            "From 25 October on it runs an hour earlier by the clock: it counts elapsed time.",
        ),
    ],
)
def test_before_it_goes_back(schedule, words):
    assert note(schedule, now=SUMMER) == words


def test_a_change_that_leaves_it_alone_is_passed_over_for_the_next_one_that_does_not():
    assert note("daily 01:30", "Europe/London") == "On 29 March the run at 01:30 moves to 02:00."
    assert note("30 2 * 10 *") == "On 25 October it runs once, not twice, at 02:30."


def test_half_an_hour_in_lord_howe():
    assert note("every 4h", "Australia/Lord_Howe") == (
        "From 5 April on it runs 30 minutes earlier by the clock: it counts elapsed time."
    )


def test_nothing_is_said_where_the_clock_is_never_changed():
    assert note("daily 02:30", "UTC") == ""
