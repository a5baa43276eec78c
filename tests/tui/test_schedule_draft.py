"""A schedule while it is typed: what it says, what is wrong with it, what it would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, make_task
from cronpilot.client.messages import FireTime
from cronpilot.domain.quiet import Rule
from cronpilot.domain.schedule import Schedule, ScheduleType
from cronpilot.tui.formatting import Marks
from cronpilot.tui.schedule_draft import ScheduleDraft, read_schedule
from cronpilot.tui.schedule_preview import (
    ASKED,
    Meetings,
    Preview,
    Setting,
    look_ahead,
    meetings,
    preview_lines,
)
from cronpilot.tui.zone_names import zone_matches

SETTING = Setting(NOON, "UTC")


def draft(kind, **fields):
    return ScheduleDraft(type=ScheduleType(kind), **fields)


def said(preview, met=None, width=60):
    lines = preview_lines(preview, met, NOON, width, Marks())
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def fire(name, at):
    return FireTime(task_id=9, task_name=name, scheduled_for=at, starts_at=at, timezone="UTC")


# --- what it says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["hourly", "hourly :30", "daily 14:30", "weekly mon 09:00", "weekly mon,thu 09:00",
     "0 */2 * * 1-5", "@daily", "every 90s", "once 2026-12-24 18:00", "manual"],
)  # fmt: skip
def test_a_schedule_comes_out_of_the_fields_as_it_went_in(text):
    schedule = Schedule.model_validate(text)
    read, problems = read_schedule(ScheduleDraft.of(schedule, None))
    assert (read, problems) == (schedule, {})


@pytest.mark.parametrize("time", ["2:30", "02:30", "0230", " 02:30 "])
def test_a_time_of_day_may_be_typed_in_short(time):
    schedule, _ = read_schedule(draft("daily", time=time))
    assert schedule is not None
    assert schedule.shorthand == "daily 02:30"


def test_to_change_ones_mind_about_the_type_loses_nothing():
    weekly = ScheduleDraft.of(Schedule.model_validate("weekly fri 22:15"), None)
    assert replace(weekly, type=ScheduleType.DAILY).time == "22:15"
    assert replace(weekly, type=ScheduleType.CUSTOM).expression == "15 22 * * fri"


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        (draft("hourly", minute="60"), "minute", "minute cannot be 60."),
        (draft("daily", time="25:00"), "time", "'25:00' is not a time of day."),
        (draft("daily", time=""), "time", "A time is missing."),
        (draft("weekly", days=()), "days", "No day is chosen."),
        (draft("weekly", time="9"), "time", "'9' is not a time of day."),
        (draft("custom", expression="61 * * * *"), "expression",
         "minute: 61 is out of range in '61 * * * *'."),
        (draft("interval", every="5"), "every",
         "every: '5' is not a duration with a unit: write 5s."),
        (draft("once", at="tomorrow"), "at", "'tomorrow' is not a date and time."),
        (draft("daily", timezone="Berlin"), "timezone", "Unknown time zone 'Berlin'."),
    ],
)  # fmt: skip
def test_an_error_stands_beside_its_field(wrong, field, problem):
    _, problems = read_schedule(wrong)
    assert list(problems) == [field]
    assert problems[field].problem == problem


def test_an_error_says_the_way_out():
    _, problems = read_schedule(draft("daily", timezone="Berlin"))
    assert problems["timezone"].hint == "Did you mean Europe/Berlin?"


# --- what it would do ----------------------------------------------------------------------------


def test_the_next_runs_are_told_in_the_zone_with_their_offsets():
    preview = look_ahead(draft("daily", timezone="Europe/Berlin"), SETTING, 2)
    assert said(preview).splitlines() == [
        "It runs every day at 02:30.",
        "",
        "NEXT RUNS IN Europe/Berlin",
        "Thu  5 Mar 2026  02:30  +01:00  in 13h 30m",
        "Fri  6 Mar 2026  02:30  +01:00  in 37h 30m",
        "",
        "On 29 March the run at 02:30 moves to 03:00.",
    ]


def test_where_rows_are_few_the_next_runs_stand_side_by_side():
    preview = look_ahead(draft("daily", timezone="Europe/Berlin"), SETTING, 4)
    lines = preview_lines(preview, None, NOON, 74, Marks(), rows=6)
    assert ["".join(cell.text for cell in line) for line in lines] == [
        "It runs every day at 02:30.",
        "NEXT RUNS IN Europe/Berlin",
        "Thu  5 Mar 02:30 +01:00 in 13h 30m   Sat  7 Mar 02:30 +01:00 in 2d",
        "Fri  6 Mar 02:30 +01:00 in 37h 30m   Sun  8 Mar 02:30 +01:00 in 3d",
        "On 29 March the run at 02:30 moves to 03:00.",
    ]


def test_side_by_side_there_is_room_for_the_year():
    far = draft("custom", expression="0 5 1 */3 *", timezone="Europe/Berlin")
    lines = preview_lines(look_ahead(far, SETTING, 10), None, NOON, 74, Marks(), rows=9)
    assert len(lines) == 9
    assert "".join(cell.text for cell in lines[4]) == (
        "Wed  1 Jul 2026 05:00 +02:00 in 118d Fri  1 Oct 2027 05:00 +02:00 in 575d"
    )


def test_where_they_find_no_room_side_by_side_what_is_told_of_them_stays():
    preview = look_ahead(draft("daily", timezone="Europe/Berlin"), SETTING, 10)
    lines = preview_lines(preview, None, NOON, 60, Marks(), rows=8)
    assert len(lines) == 8
    assert "On 29 March" in lines[-1][0].text


def test_without_a_zone_of_its_own_the_schedulers_counts():
    preview = look_ahead(draft("daily"), Setting(NOON, "Asia/Tokyo"), 1)
    assert "Asia/Tokyo" in said(preview)
    assert preview.fires[0].isoformat() == "2026-03-04T17:30:00+00:00"


def test_a_date_that_is_over_is_called_so():
    preview = look_ahead(draft("once", at="2026-01-01 10:00"), SETTING, 5)
    assert "That is over: it never starts." in said(preview)


def test_a_task_by_hand_has_no_next_runs():
    assert said(look_ahead(draft("manual"), SETTING, 5)) == ("It runs only when started by hand.")


def test_with_an_error_there_is_no_preview():
    assert look_ahead(draft("daily", time="x"), SETTING, 5).schedule is None
    assert said(Preview()) == "No preview yet."


@pytest.mark.parametrize(
    ("type_", "field", "words"),
    [("once", "at", "A date and a time are missing."),
     ("interval", "every", "A length of time is missing."),
     ("daily", "time", "A time is missing.")],
)  # fmt: skip
def test_the_place_of_the_preview_says_what_it_waits_for(type_, field, words):
    preview = look_ahead(draft(type_, **{field: ""}), SETTING, 5)
    assert preview.problems[field].problem == words
    assert f"No preview yet: {words}" in said(preview)


def test_an_interval_that_is_not_changed_keeps_its_anchor():
    kept = make_task(schedule="every 1h", schedule_type="interval",
                     schedule_config={"every": "1h"},
                     next_run_at=NOON + timedelta(minutes=7))  # fmt: skip
    setting = Setting(NOON, "UTC", kept=kept)
    hourly = ScheduleDraft.of(Schedule.model_validate("every 1h"), None)
    assert look_ahead(hourly, setting, 1).fires == (NOON + timedelta(minutes=7),)
    assert look_ahead(replace(hourly, every="2h"), setting, 1).fires == (NOON + timedelta(hours=2),)


def test_a_spread_is_told():
    setting = Setting(NOON, "UTC", name="backup-db", spread=timedelta(hours=1))
    preview = look_ahead(draft("daily"), setting, 1)
    assert timedelta() < preview.offset < timedelta(hours=1)
    assert "later: its spread." in said(preview)


# --- collisions ----------------------------------------------------------------------------------


def test_starts_in_the_same_minute_as_others_are_counted():
    preview = look_ahead(draft("daily"), SETTING, 3)
    others = [fire("probe", preview.fires[0] + timedelta(seconds=59)),
              fire("later", preview.fires[1] + timedelta(seconds=60))]  # fmt: skip
    met = meetings(preview, others)
    assert (met.met, met.known, met.names) == (1, 3, ("probe",))
    assert "! 1 of the next 3 starts together with probe." in said(preview, met)


def test_of_which_start_it_is_known_is_said_where_others_start_often():
    preview = look_ahead(draft("daily"), SETTING, 3)

    assert "! The first of these starts together with probe." in said(
        preview, Meetings(1, 1, ("probe",))
    )


def test_whom_it_meets_is_said_to_the_end_where_there_is_little_room():
    preview = look_ahead(draft("daily"), SETTING, 3)
    met = meetings(preview, [fire("orders-export", preview.fires[0])])
    words = said(preview, met, width=40)
    assert "! 1 of the next 3 starts together with\n" in words
    assert words.endswith("orders-export.")


def test_without_any_the_preview_says_so():
    preview = look_ahead(draft("daily"), SETTING, 3)
    assert "No other task starts in these minutes." in said(preview, meetings(preview, []))


def test_beyond_what_is_known_nothing_is_claimed():
    preview = look_ahead(draft("daily"), SETTING, 3)
    others = [fire("busy", NOON)] * (ASKED - 1) + [fire("busy", preview.fires[1] + timedelta(1))]
    met = meetings(preview, [*others[:-1], fire("busy", preview.fires[1])])
    assert (met.met, met.known) == (1, 2)
    met = meetings(preview, [fire("busy", NOON)] * ASKED)
    assert met.known == 0
    assert "Others start too often to say" in said(preview, met)


def test_names_of_other_tasks_are_harmless():
    preview = look_ahead(draft("daily"), SETTING, 1)
    met = meetings(preview, [fire("\x1b]0;x\x07", preview.fires[0])])
    assert "\x1b" not in said(preview, met)


# --- zones ---------------------------------------------------------------------------------------


def test_zones_are_found_by_their_beginning_then_by_their_city():
    assert zone_matches("europe/be") == ["Europe/Belfast", "Europe/Belgrade", "Europe/Berlin"]
    assert zone_matches("berl") == ["Europe/Berlin"]
    assert zone_matches("new york") == ["America/New_York"]
    assert zone_matches("") == []
    assert zone_matches("nowhere at all") == []


def test_a_preview_marks_what_a_quiet_time_keeps_still():
    rule = Rule("days-off", days=frozenset({"2026-03-05"}))
    preview = look_ahead(draft("daily", time="02:30"), replace(SETTING, quiet=(rule,)), 2)
    lines = [line for line in said(preview).splitlines() if "02:30 " in line]

    assert [line.split("+00:00  ")[1] for line in lines] == ["○ days-off", "in 38h 30m"]
    assert "○ skipped: it falls into that quiet time." in said(preview)
