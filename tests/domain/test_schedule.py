"""The seven kinds of schedule: every way to write them, one normal form, and their fire times."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cronpilot.domain.duration import format_duration
from cronpilot.domain.schedule import DAYS, Schedule, ScheduleType, fire_times, resolve
from cronpilot.errors import InvalidSchedule

BERLIN = ZoneInfo("Europe/Berlin")
SET_AT = datetime(2026, 6, 1, 10, 17, 42, 5, tzinfo=UTC)


@pytest.mark.parametrize(("text", "kind", "config"), [
    ("hourly", "hourly", {}),
    ("hourly :30", "hourly", {"minute": 30}),
    ("hourly :00", "hourly", {"minute": 0}),
    ("daily 14:30", "daily", {"hour": 14, "minute": 30}),
    ("daily 2:30", "daily", {"hour": 2, "minute": 30}),
    ("weekly mon 09:00", "weekly", {"day_of_week": "mon", "hour": 9, "minute": 0}),
    ("weekly mon,thu 09:00", "weekly", {"day_of_week": ["mon", "thu"], "hour": 9, "minute": 0}),
    ("weekly thu, Mon 09:00", "weekly", {"day_of_week": ["mon", "thu"], "hour": 9, "minute": 0}),
    ("weekly Sunday 9:05", "weekly", {"day_of_week": "sun", "hour": 9, "minute": 5}),
    ("0 */2 * * *", "custom", {"cron_expression": "0 */2 * * *"}),
    ("  0  */2 * *\t* ", "custom", {"cron_expression": "0 */2 * * *"}),
    ("H H * * *", "custom", {"cron_expression": "H H * * *"}),
    ("@daily", "custom", {"cron_expression": "@daily"}),
    ("every 90s", "interval", {"every": "1m30s"}),
    ("every 1h 30m", "interval", {"every": "1h30m"}),
    ("once 2026-12-24 18:00", "once", {"at": "2026-12-24T18:00"}),
    ("once 2026-12-24T18:00:30", "once", {"at": "2026-12-24T18:00:30"}),
    ("once 2026-12-24 18:00+01:00", "once", {"at": "2026-12-24T18:00+01:00"}),
    ("manual", "manual", {}),
    ("  DAILY   02:30 ", "daily", {"hour": 2, "minute": 30}),
])  # fmt: skip
def test_the_shorthand(text, kind, config):
    schedule = Schedule.model_validate(text)

    assert schedule.model_dump(mode="json") == {"type": kind, "config": config}


@pytest.mark.parametrize(("long_form", "shorthand"), [
    ({"type": "hourly"}, "hourly"),
    ({"type": "hourly", "config": {"minute": 30}}, "hourly :30"),
    ({"type": "daily", "config": {"hour": 14}}, "daily 14:00"),
    ({"type": "Daily", "config": {"hour": "14", "minute": "30"}}, "daily 14:30"),
    ({"type": "daily", "config": '{"hour": 14, "minute": 30}'}, "daily 14:30"),
    ({"type": "weekly", "config": {"day_of_week": "mon", "hour": 9, "minute": 0}},
     "weekly mon 09:00"),
    ({"type": "weekly", "config": {"day_of_week": ["thu", "Mon", "mon"], "hour": 9}},
     "weekly mon,thu 09:00"),
    ({"type": "weekly", "config": {"day_of_week": "sat,sun", "hour": 9}}, "weekly sat,sun 09:00"),
    ({"type": "custom", "config": {"cron_expression": "0 */2 * * *"}}, "0 */2 * * *"),
    ({"type": "interval", "config": {"every": "90s"}}, "every 1m30s"),
    ({"type": "once", "config": {"at": "2026-12-24T18:00"}}, "once 2026-12-24 18:00"),
    ({"type": "once", "config": {"at": datetime(2026, 12, 24, 18, tzinfo=UTC)}},
     "once 2026-12-24 18:00+00:00"),
    ({"type": "manual", "config": {}}, "manual"),
])  # fmt: skip
def test_the_long_form(long_form, shorthand):
    assert Schedule.model_validate(long_form).shorthand == shorthand


clock = {"hour": st.integers(0, 23), "minute": st.integers(0, 59)}
forms = st.one_of(
    st.builds(dict, type=st.just("hourly"), config=st.fixed_dictionaries(
        {}, optional={"minute": clock["minute"]})),
    st.builds(dict, type=st.just("daily"), config=st.fixed_dictionaries(clock)),
    st.builds(dict, type=st.just("weekly"), config=st.fixed_dictionaries(
        {"day_of_week": st.lists(st.sampled_from(DAYS), min_size=1), **clock})),
    st.builds(dict, type=st.just("interval"), config=st.fixed_dictionaries(
        {"every": st.integers(1000, 10**9).map(
            lambda ms: format_duration(timedelta(milliseconds=ms)))})),
    st.builds(dict, type=st.just("once"), config=st.fixed_dictionaries(
        {"at": st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1),  # noqa: DTZ001
                            timezones=st.none() | st.just(UTC)).map(datetime.isoformat)})),
    st.just({"type": "custom", "config": {"cron_expression": "*/5 8-18 * * mon-fri"}}),
    st.just({"type": "manual", "config": {}}),
)  # fmt: skip


@given(forms)
def test_every_schedule_survives_shorthand_and_json(form):
    schedule = Schedule.model_validate(form)

    assert Schedule.model_validate(schedule.shorthand) == schedule
    assert Schedule.model_validate_json(schedule.model_dump_json()) == schedule
    as_text = {"type": schedule.type.value, "config": json.dumps(schedule.config)}
    assert Schedule.model_validate(as_text) == schedule
    assert hash(Schedule.model_validate(as_text)) == hash(schedule)


REFUSED = [
    ("", "is not a schedule", "five cron fields", "nothing"),
    ("sometimes", "is not a schedule", "five cron fields", "an unknown word"),
    ("dayly 02:30", "is not a schedule", "Did you mean daily 02:30?", "a slip in the word"),
    ("daily", "cannot be read as a schedule", "Write daily 02:30.", "daily without a time"),
    ("daily 2.30", "cannot be read as a schedule", "Write daily 02:30.", "a time with a dot"),
    ("daily 24:00", "hour cannot be 24", "0 to 23", "hour 24"),
    ("daily 02:60", "minute cannot be 60", "0 to 59", "minute 60"),
    ("hourly 30", "cannot be read as a schedule", "hourly :30", "hourly without the colon"),
    ("hourly :60", "minute cannot be 60", "0 to 59", "hourly at minute 60"),
    ("weekly 09:00", "cannot be read as a schedule", "weekly mon,thu 09:00", "weekly without day"),
    ("weekly mon", "cannot be read as a schedule", "weekly mon,thu 09:00", "weekly without time"),
    ("weekly man 09:00", "There is no day 'man'", "mon, tue", "an unknown day"),
    ("weekly mon-fri 09:00", "There is no day 'mon-fri'", "a list", "a range of days"),
    ("every", "cannot be read as a schedule", "every 90s", "every without a length"),
    ("every 90", "not a duration with a unit", "", "a length without unit"),
    ("every 0s", "cannot be", "at least 1s", "no length"),
    ("every 999ms", "cannot be", "at least 1s", "under a second"),
    ("every 99999w", "longer than ten years", "", "longer than ten years"),
    ("once", "cannot be read as a schedule", "once 2026-12-24 18:00", "once without a date"),
    ("once 2026-12-24", "is not a date and time", "2026-12-24 18:00", "a date without time"),
    ("once 2026-02-30 18:00", "is not a date and time", "2026-12-24 18:00", "30 February"),
    ("once 0001-01-01 00:00", "The year 1 cannot be meant", "1970 to 2199", "the year 1"),
    ("once 9999-12-31 23:59", "The year 9999 cannot be meant", "1970 to 2199", "the year 9999"),
    ("manual please", "cannot be read as a schedule", "Write manual.", "more than manual"),
    ("61 * * * *", "minute: 61 is out of range", "0 to 59", "a bad expression"),
    ("0 0 * * * *", "has 6 fields", "every 10s", "six fields"),
    ({"type": "daily", "config": {}}, "hour is missing", "0 to 23", "daily without hour"),
    ({"type": "daily", "config": {"hour": 2.5}}, "hour cannot be 2.5", "0 to 23", "a fraction"),
    ({"type": "daily", "config": {"hour": True}}, "hour cannot be True", "0 to 23", "yes as hour"),
    ({"type": "daily", "config": {"hour": None}}, "hour is missing", "0 to 23", "null as hour"),
    ({"type": "daily", "config": {"hour": 2, "hours": 3}}, "daily does not know 'hours'",
     "hour and minute", "an unknown key"),
    ({"type": "weekly", "config": {"hour": 2}}, "day_of_week is missing", "mon, tue", "no day"),
    ({"type": "weekly", "config": {"day_of_week": [], "hour": 2}}, "day_of_week is empty",
     "at least one", "an empty list of days"),
    ({"type": "weekly", "config": {"day_of_week": 1, "hour": 2}}, "There is no day '1'",
     "mon, tue", "a number as day"),
    ({"type": "custom", "config": {}}, "cron_expression is missing", "five fields",
     "no expression"),
    ({"type": "custom", "config": {"cron_expression": 5}}, "cron_expression is missing",
     "five fields", "a number as expression"),
    ({"type": "interval", "config": {"every": 90}}, "every cannot be 90", "every 90s",
     "a number as length"),
    ({"type": "once", "config": {"at": 5}}, "5 is not a date and time", "2026-12-24 18:00",
     "a number as date"),
    ({"type": "manual", "config": {"at": 5}}, "manual does not know 'at'", "nothing",
     "manual with a date"),
    ({"type": "daily", "config": "{"}, "config is not JSON", "", "broken JSON"),
    ({"type": "daily", "config": "[" * 100_000}, "config is not JSON", "", "deep JSON"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "problem", "hint"), [pytest.param(v, p, h, id=why) for v, p, h, why in REFUSED]
)
def test_bad_input_is_refused_in_words(value, problem, hint):
    with pytest.raises(ValidationError) as refusal:
        Schedule.model_validate(value)

    [error] = refusal.value.errors()
    sentence = error["ctx"]["error"]
    assert isinstance(sentence, InvalidSchedule)
    assert problem in sentence.problem
    assert hint in sentence.hint


@pytest.mark.parametrize("value", [
    pytest.param({"type": "fortnightly"}, id="an unknown type"),
    pytest.param({"type": "daily", "config": [2]}, id="a list as config"),
    pytest.param({"type": "daily", "config": "[2]"}, id="a list in JSON text"),
    pytest.param({"type": "daily", "config": {"hour": 2}, "at": 3}, id="an unknown key"),
    pytest.param({"config": {"hour": 2}}, id="no type"),
    pytest.param(5, id="a number"),
    pytest.param(None, id="nothing"),
    pytest.param(["daily 02:30"], id="a list"),
])  # fmt: skip
def test_other_shapes_are_refused(value):
    with pytest.raises(ValidationError):
        Schedule.model_validate(value)


@given(st.text(max_size=30))
def test_any_text_is_a_schedule_or_refused(text):
    try:
        Schedule.model_validate(text)
    except ValidationError as refusal:
        assert isinstance(refusal.errors()[0]["ctx"]["error"], InvalidSchedule)


# --- resolved -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "resolved"), [
    ("hourly", "17 * * * *"),
    ("hourly :30", "30 * * * *"),
    ("daily 14:30", "30 14 * * *"),
    ("weekly mon,thu 09:00", "0 9 * * mon,thu"),
    ("0 */2 * * *", "0 */2 * * *"),
    ("@daily", "@daily"),
    ("H(5-5) 3 * * *", "5 3 * * *"),
    ("every 90s", "2026-06-01T10:17:42Z/1m30s"),
    ("once 2026-12-24 18:00", "2026-12-24T17:00:00Z"),
    ("once 2026-12-24 18:00-05:00", "2026-12-24T23:00:00Z"),
    ("manual", ""),
])  # fmt: skip
def test_resolving_fixes_what_was_open(text, resolved):
    schedule = Schedule.model_validate(text)

    assert resolve(schedule, zone=BERLIN, set_at=SET_AT, seed="backup") == resolved


def test_hourly_takes_the_minute_of_its_own_zone():
    at = resolve(Schedule(type=ScheduleType.HOURLY), zone=ZoneInfo("Asia/Kolkata"), set_at=SET_AT,
                 seed="")  # fmt: skip

    assert at == "47 * * * *"


@pytest.mark.parametrize(("at", "expected"), [
    ("2026-03-29T02:30", "2026-03-29T01:00:00Z"),
    ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
], ids=["in the skipped hour: right after it", "in the repeated hour: the first pass"])  # fmt: skip
def test_once_at_a_clock_change(at, expected):
    schedule = Schedule(type=ScheduleType.ONCE, config={"at": at})

    assert resolve(schedule, zone=BERLIN, set_at=SET_AT, seed="") == expected


def made(text: str):
    schedule = Schedule.model_validate(text)
    return fire_times(
        schedule.type, resolve(schedule, zone=BERLIN, set_at=SET_AT, seed="x"), BERLIN
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("text", "after", "expected"), [
    ("hourly", "2026-06-01T10:18", "2026-06-01T11:17"),
    ("daily 02:30", "2026-06-01T12:00", "2026-06-02T00:30"),
    ("daily 02:30", "2026-03-28T12:00", "2026-03-29T01:00"),
    ("weekly mon,thu 09:00", "2026-06-01T12:00", "2026-06-04T07:00"),
    ("0 */2 * * *", "2026-06-01T12:00", "2026-06-01T14:00"),
    ("every 90s", "2026-06-01T10:17:42", "2026-06-01T10:19:12"),
    ("every 90s", "2026-06-01T10:19:12", "2026-06-01T10:20:42"),
    ("every 90s", "2020-01-01T00:00", "2026-06-01T10:19:12"),
    ("once 2026-12-24 18:00", "2026-12-24T16:59:59", "2026-12-24T17:00"),
])  # fmt: skip
def test_the_next_fire_time(text, after, expected):
    assert made(text).next_after(at(after)) == at(expected)


@pytest.mark.parametrize(("text", "after"), [
    ("once 2026-12-24 18:00", "2026-12-24T17:00"), ("manual", "2026-06-01T00:00"),
])  # fmt: skip
def test_what_has_no_next_fire_time(text, after):
    assert made(text).next_after(at(after)) is None


@pytest.mark.parametrize(("text", "until", "expected"), [
    ("daily 02:30", "2026-06-02T00:30", "2026-06-02T00:30"),
    ("every 90s", "2026-06-01T10:20:00", "2026-06-01T10:19:12"),
    ("every 90s", "2026-06-01T10:19:11", None),
    ("once 2026-12-24 18:00", "2026-12-24T17:00", "2026-12-24T17:00"),
    ("once 2026-12-24 18:00", "2026-12-24T16:59", None),
    ("manual", "2026-12-24T16:59", None),
])  # fmt: skip
def test_the_latest_fire_time(text, until, expected):
    assert made(text).latest(at(until)) == (at(expected) if expected else None)


@pytest.mark.parametrize(("text", "after", "until", "cap", "expected"), [
    ("daily 02:30", "2026-06-01T00:30", "2026-06-04T00:30", 1000, 3),
    ("daily 02:30", "2026-06-01T00:30", "2026-06-04T00:30", 2, 2),
    ("daily 02:30", "2026-06-04T00:30", "2026-06-01T00:30", 1000, 0),
    ("every 90s", "2020-01-01T00:00", "2026-06-01T10:20:42", 1000, 2),
    ("every 90s", "2026-06-01T10:19:12", "2026-06-01T10:20:42", 1000, 1),
    ("every 90s", "2026-06-02T00:00", "2027-06-02T00:00", 1000, 1000),
    ("once 2026-12-24 18:00", "2026-01-01T00:00", "2026-12-24T17:00", 1000, 1),
    ("once 2026-12-24 18:00", "2026-12-24T17:00", "2027-12-24T17:00", 1000, 0),
    ("manual", "2020-01-01T00:00", "2030-01-01T00:00", 1000, 0),
])  # fmt: skip
def test_counting(text, after, until, cap, expected):
    assert made(text).count(at(after), at(until), cap) == expected
