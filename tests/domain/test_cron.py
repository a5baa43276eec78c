"""What an expression means: the tricky cases, one by one, with literal answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cronpilot.domain.cron import Cron, next_fires, resolve_hashes
from cronpilot.errors import InvalidSchedule

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NEW_YORK, LORD_HOWE, SAO_PAULO = "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"


def case(expression: str, zone: str, after: str, *expected: str, why: str):
    """Local times; an instant is meant by its offset, which is needed where a time is ambiguous."""
    return pytest.param(expression, zone, after, expected, id=why)


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), [
    case("0 0 13 * 5", "UTC", "2026-02-01T00:00",
         "2026-02-06T00:00", "2026-02-13T00:00", "2026-02-20T00:00", "2026-02-27T00:00",
         why="a date or a weekday is enough when neither field starts with a star"),
    case("0 0 */2 * 1", "UTC", "2026-06-01T00:00",
         "2026-06-15T00:00", "2026-06-29T00:00", "2026-07-13T00:00",
         why="both must match when the day of month starts with a star"),
    case("0 0 1 * */2", "UTC", "2026-01-01T00:00", "2026-02-01T00:00", "2026-03-01T00:00",
         "2026-08-01T00:00",
         why="both must match when the day of week starts with a star"),
    case("0 0 1-31 * 1", "UTC", "2026-06-01T00:00", "2026-06-02T00:00", "2026-06-03T00:00",
         why="a full range is not a star: every day"),
    case("0 0 * * 5-7", "UTC", "2026-06-01T00:00",
         "2026-06-05T00:00", "2026-06-06T00:00", "2026-06-07T00:00", "2026-06-12T00:00",
         why="7 is Sunday at the end of a range"),
    case("0 0 * * sun-tue", "UTC", "2026-06-01T12:00",
         "2026-06-02T00:00", "2026-06-07T00:00", "2026-06-08T00:00",
         why="names make ranges, and sun is 0"),
    case("0 0 * * 1", "UTC", "2026-06-01T12:00", "2026-06-08T00:00", why="1 is Monday"),
    case("0 0 * * 1-7/3", "UTC", "2026-06-01T00:00",
         "2026-06-04T00:00", "2026-06-07T00:00", "2026-06-08T00:00",
         why="a step over a range of weekdays ends on Sunday"),
    case("15 10 29 2 *", "UTC", "2026-01-01T00:00",
         "2028-02-29T10:15", "2032-02-29T10:15", "2036-02-29T10:15", why="leap days"),
    case("0 0 29 2 *", "UTC", "2096-03-01T00:00", "2104-02-29T00:00", why="2100 has no leap day"),
    case("0 0 31 2 0", "UTC", "2026-02-01T00:00",
         "2026-02-08T00:00", "2026-02-15T00:00", "2026-02-22T00:00",
         why="an impossible date leaves the weekday"),
    case("1-1 * * * *", "UTC", "2026-06-01T00:00", "2026-06-01T00:01", "2026-06-01T01:01",
         why="a range of one is one"),
    case("5-5/3 * * * *", "UTC", "2026-06-01T00:00", "2026-06-01T00:05", "2026-06-01T01:05",
         why="a range of one with a step is one"),
    case("41-42/15 * * * *", "UTC", "2026-06-01T00:00", "2026-06-01T00:41", "2026-06-01T01:41",
         why="a step longer than its range gives the first"),
    case("*/70 * * * *", "UTC", "2026-06-01T00:00", "2026-06-01T01:00",
         why="a step longer than the field gives the first"),
    case("0 0 1 mar-8 *", "UTC", "2026-06-15T00:00",
         "2026-07-01T00:00", "2026-08-01T00:00", "2027-03-01T00:00",
         why="a name and a number make a range"),
    case("5/15 * * * *", "UTC", "2026-06-01T00:00",
         "2026-06-01T00:05", "2026-06-01T00:20", "2026-06-01T00:35", "2026-06-01T00:50",
         "2026-06-01T01:05", why="a start with a step goes on to the end of the field"),
    case("59/15 * * * *", "UTC", "2026-06-01T00:00", "2026-06-01T00:59", "2026-06-01T01:59",
         why="a start at the end of the field with a step is one minute"),
    case("0 0 * * 6/1", "UTC", "2026-06-01T00:00", "2026-06-06T00:00", "2026-06-07T00:00",
         "2026-06-13T00:00", why="weekdays go on to 7, which is Sunday"),
    case("9,* 0 * * *", "UTC", "2026-06-01T00:08", "2026-06-01T00:09", "2026-06-01T00:10",
         why="a star in a list is every value"),
    case("07 008 * * *", "UTC", "2026-06-01T00:00", "2026-06-01T08:07", why="leading zeros"),
    case("0\t0\t*\t*   MON", "UTC", "2026-06-01T12:00", "2026-06-08T00:00",
         why="tabs, runs of blanks and capitals"),
    case("0 0 L * *", "UTC", "2026-01-31T00:00",
         "2026-02-28T00:00", "2026-03-31T00:00", "2026-04-30T00:00",
         why="L is the last day of the month"),
    case("0 0 LW * *", "UTC", "2026-05-01T00:00", "2026-05-29T00:00", "2026-06-30T00:00",
         why="LW is the last day from Monday to Friday"),
    case("0 0 15,l * *", "UTC", "2026-02-01T00:00", "2026-02-15T00:00", "2026-02-28T00:00",
         why="L in a list, in small letters"),
    case("0 0 L * 1", "UTC", "2026-06-23T00:00", "2026-06-29T00:00", "2026-06-30T00:00",
         "2026-07-06T00:00", why="L or a weekday"),
    case("0 0 * * 5L", "UTC", "2026-06-01T00:00", "2026-06-26T00:00", "2026-07-31T00:00",
         why="5L is the last Friday"),
    case("0 0 * * fri#2", "UTC", "2026-06-01T00:00", "2026-06-12T00:00", "2026-07-10T00:00",
         why="fri#2 is the second Friday"),
    case("0 0 * * 1#5", "UTC", "2026-06-01T00:00", "2026-06-29T00:00", "2026-08-31T00:00",
         why="a fifth Monday is not in every month"),
    case("0 0 13 * fri#1", "UTC", "2026-06-01T00:00",
         "2026-06-05T00:00", "2026-06-13T00:00", "2026-07-03T00:00",
         why="a date or the first Friday"),
    case("0 0 * * 1,2#2", "UTC", "2026-06-01T00:00", "2026-06-08T00:00", "2026-06-09T00:00",
         "2026-06-15T00:00", why="every Monday and the second Tuesday"),
    case("0 0 * * 7L,0#1", "UTC", "2026-06-01T00:00", "2026-06-07T00:00", "2026-06-28T00:00",
         why="Sunday as 7 and 0 with L and #"),
])  # fmt: skip
def test_the_calendar(expression, zone, after, expected):
    assert fires(expression, zone, after, len(expected)) == instants(zone, expected)


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), [
    case("30 2 * * *", NEW_YORK, "2026-03-07T12:00", "2026-03-08T03:00-04:00", "2026-03-09T02:30",
         why="a fixed time in the skipped hour fires right after it"),
    case("0,30 2 * * *", NEW_YORK, "2026-03-07T12:00", "2026-03-08T03:00-04:00",
         "2026-03-09T02:00", why="two fixed times in one skipped hour fire once"),
    case("30 2,3 * * *", NEW_YORK, "2026-03-07T12:00", "2026-03-08T03:00-04:00",
         "2026-03-08T03:30-04:00", "2026-03-09T02:30",
         why="the slot after the skipped hour keeps its own time"),
    case("0 2,3 * * *", NEW_YORK, "2026-03-07T12:00", "2026-03-08T03:00-04:00",
         "2026-03-09T02:00", why="made up at the moment of a regular slot: once"),
    case("*/15 2 * * *", NEW_YORK, "2026-03-08T01:00", "2026-03-09T02:00",
         why="a starred minute follows the clock: nothing in the skipped hour"),
    case("0 */2 * * *", NEW_YORK, "2026-03-08T00:30", "2026-03-08T04:00", "2026-03-08T06:00",
         why="a starred hour follows the clock"),
    case("9 0 * * *", NEW_YORK, "2026-03-08T00:09", "2026-03-09T00:09",
         why="the day after the spring change is not lost"),
    case("30 0 * * mon", NEW_YORK, "2026-03-08T00:09", "2026-03-09T00:30",
         why="nor is the Monday after it"),
    case("*/20 2-4 * * *", NEW_YORK, "2026-03-08T01:00", "2026-03-08T03:00", "2026-03-08T03:20",
         why="the hour after the skipped one comes once"),
    case("30 1 * * *", NEW_YORK, "2026-10-31T12:00", "2026-11-01T01:30-04:00", "2026-11-02T01:30",
         why="a fixed time in the repeated hour fires in the first pass only"),
    case("30 1 * * *", NEW_YORK, "2026-11-01T01:10-05:00", "2026-11-02T01:30",
         why="asked in the second pass it is the next day's turn"),
    case("*/30 1 * * *", NEW_YORK, "2026-11-01T00:59", "2026-11-01T01:00-04:00",
         "2026-11-01T01:30-04:00", "2026-11-01T01:00-05:00", "2026-11-01T01:30-05:00",
         "2026-11-02T01:00", why="a starred minute fires in both passes"),
    case("0-9/3 * * * *", NEW_YORK, "2026-11-01T01:09-04:00", "2026-11-01T01:00-05:00",
         why="from late in the first pass to early in the second"),
    case("0 * * * *", NEW_YORK, "2026-11-01T00:30", "2026-11-01T01:00-04:00",
         "2026-11-01T01:00-05:00", "2026-11-01T02:00", why="an hourly task runs every hour"),
    case("15 2 * * *", LORD_HOWE, "2026-10-03T12:00", "2026-10-04T02:30+11:00",
         "2026-10-05T02:15", why="half an hour is skipped"),
    case("* 0 * * *", LORD_HOWE, "2026-04-05T00:59", "2026-04-06T00:00", "2026-04-06T00:01",
         why="the day after half an hour was repeated begins at midnight"),
    case("*/9 1 * * *", LORD_HOWE, "2026-04-05T01:40+11:00", "2026-04-05T01:45+11:00",
         "2026-04-05T01:54+11:00", "2026-04-05T01:36+10:30", "2026-04-05T01:45+10:30",
         why="half an hour comes twice"),
    case("* 0-1 * * *", "Antarctica/Troll", "2026-10-25T02:59+02:00", "2026-10-25T01:00+00:00",
         why="two hours come twice"),
    case("0 0 * * *", SAO_PAULO, "2018-11-03T12:00", "2018-11-04T01:00-02:00",
         "2018-11-05T00:00", why="a missing midnight"),
    case("*/30 0 * * 0", SAO_PAULO, "2018-11-03T12:00", "2018-11-11T00:00",
         why="a missing midnight and a starred minute"),
    case("0 1 * * *", "Europe/Dublin", "2026-10-24T12:00", "2026-10-25T01:00+01:00",
         "2026-10-26T01:00", why="winter is Dublin's saved time"),
    case("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00", "2012-12-30T12:00",
         why="a day that the zone skipped is a correction, not made up"),
    case("0 4 * * *", "Antarctica/Casey", "2009-10-17T12:00", "2009-10-19T04:00",
         why="three skipped hours are a correction: Debian counts the minute of the wake-up too"),
    case("18 * * * *", "Asia/Pyongyang", "2018-05-04T23:00", "2018-05-04T23:18+08:30",
         "2018-05-05T00:18+09:00", why="half an hour forward that is not summer time"),
    case("30 3 * * *", "Antarctica/Vostok", "1994-01-31T12:00", "1994-02-01T03:30+00:00",
         why="a clock that went back by seven hours starts anew"),
])  # fmt: skip
def test_clock_changes(expression, zone, after, expected):
    assert fires(expression, zone, after, len(expected)) == instants(zone, expected)


REFUSED = [
    ("", "empty", "nothing"),
    ("   ", "empty", "blanks"),
    ("* * * *", "has 4 fields", "four fields"),
    ("*/10 * * * * *", "has 6 fields", "six fields: seconds first or last, nobody agrees"),
    ("0 0 * * * root", "has 6 fields", "a user name"),
    ("60 * * * *", "minute: 60 is out of range", "minute 60"),
    ("0 24 * * *", "hour: 24 is out of range", "hour 24"),
    ("0 0 0 * *", "day of month: 0 is out of range", "day 0"),
    ("0 0 32 * *", "day of month: 32 is out of range", "day 32"),
    ("0 0 * 0 *", "month: 0 is out of range", "month 0"),
    ("0 0 * 13 *", "month: 13 is out of range", "month 13"),
    ("0 0 * * 8", "day of week: 8 is out of range", "weekday 8"),
    ("5-64/30 * * * *", "minute: 64 is out of range", "a range that ends outside"),
    ("0 22-2 * * *", "the range 22-2 runs backwards", "a backward range of hours"),
    ("0 0 * * fri-mon", "the range fri-mon runs backwards", "a backward range of weekdays"),
    ("0 0 * * sat-sun", "the range sat-sun runs backwards", "sun is 0 in Debian's ranges"),
    ("0 0 * nov-feb *", "the range nov-feb runs backwards", "a backward range of months"),
    ("*/0 * * * *", "the step 0", "a step of nothing"),
    ("1-5/0 * * * *", "the step 0", "a range with a step of nothing"),
    ("*/-5 * * * *", "cannot be read", "a negative step"),
    ("*/mon * * * *", "the step mon", "a name as step"),
    ("-5 * * * *", "cannot be read", "a negative number"),
    ("*5 * * * *", "cannot be read", "junk behind a star"),
    ("*-5 * * * *", "cannot be read", "a range from a star"),
    ("1-5-7 * * * *", "cannot be read", "a range of three"),
    ("1.5 * * * *", "cannot be read", "a fraction"),
    ("1,,2 * * * *", "cannot be read", "an empty place in a list"),
    ("1, * * * *", "cannot be read", "a list that ends with a comma"),
    ("1/ * * * *", "cannot be read", "a step that is missing"),
    ("1/2/3 * * * *", "cannot be read", "two steps"),
    ("mon * * * *", "minute: 'mon' cannot be read", "a weekday as minute"),
    ("0 0 * monday *", "cannot be read", "a weekday as month"),
    ("0 0 * * tues", "cannot be read", "a weekday in four letters"),
    ("0 0 * * monday", "cannot be read", "a whole weekday"),
    ("0 0 ? * *", "cannot be read", "a question mark"),
    ("0 0 15W * *", "cannot be read", "the nearest weekday"),
    ("0 0 W * *", "cannot be read", "W alone"),
    ("0 0 1-L * *", "cannot be read", "a range to L"),
    ("0 0 L-3 * *", "cannot be read", "days before the last"),
    ("0 0 * * L", "cannot be read", "L without its weekday"),
    ("0 0 * * L5", "cannot be read", "L before the weekday"),
    ("0 0 * * fri#0", "no number 0", "the weekday number 0"),
    ("0 0 * * fri#6", "no number 6", "the sixth weekday"),
    ("0 0 * * 8#1", "8 is out of range", "the first of weekday 8"),
    ("0 0 * * mon-fri#2", "cannot be read", "a range of second weekdays"),
    ("0 0 L,LW W * *", "has 6 fields", "too many after a list"),
    ("R * * * *", "cannot be read", "a random minute"),
    ("H * * * *", "cannot be read", "a hash that was not resolved"),
    ("@reboot", "@reboot is not a time", "the start of the machine"),
    ("@dayly", "no alias '@dayly'", "an unknown alias"),
    ("@daily x", "no alias '@daily x'", "an alias with more behind it"),
    ("0 0 30 2 *", "never fires", "30 February"),
    ("0 0 31 4,6,9,11 *", "never fires", "the 31st of months with 30 days"),
    ("0 0 */31 2 fri#2", "never fires", "the second Friday on the first"),
    ("0\u00a00 * * *", "which is not plain text", "a no-break space"),
    ("0 0 * * *\u00a0", "which is not plain text", "a no-break space at the end"),
    ("\u0665 * * * *", "which is not plain text", "an Arabic digit"),
    ("\uff15 * * * *", "which is not plain text", "a wide digit"),
    ("0 0 * * \u043con", "which is not plain text", "a Cyrillic letter"),
    ("0 0\n* * *", "which is not plain text", "two lines"),
    ("0 0 * * *\x00", "which is not plain text", "a NUL"),
    ("0 0\x0b* * *", "which is not plain text", "a vertical tab"),
    ("1" * 2000, "too long", "a thousand characters and more"),
    (f"*/{'9' * 400} * * * *", "cannot be used", "a step beyond counting"),
]


@pytest.mark.parametrize(
    ("expression", "problem"), [pytest.param(e, p, id=why) for e, p, why in REFUSED]
)
def test_refused(expression, problem):
    with pytest.raises(InvalidSchedule) as refusal:
        Cron.parse(expression)

    assert problem in refusal.value.problem
    assert refusal.value.hint.endswith((".", "?"))


@pytest.mark.parametrize(("expression", "hint"), [
    ("61 * * * *", "Use 0 to 59."),
    ("0 0 * 13 *", "Use 1 to 12 or jan to dec."),
    ("0 0 * * tues", "Did you mean tue?"),
    ("0 0 * janu *", "Did you mean jan?"),
    ("0 22-2 * * *", "Write two ranges: 22-23,0-2."),
    ("0 0 * * fri-mon", "Write two ranges: 5-6,0-1."),
    ("0 0 * * sat-sun", "Sunday at the end of a range is 7, such as 5-7."),
    ("0 0 ? * *", "Write * for every day."),
    ("0 0 * * L5", "The last such day of the month is written 5L."),
    ("@dayly", "Did you mean @daily?"),
    ("*/10 * * * * *", "They are minute, hour, day of month, month, day of week."
                       " For seconds use an interval: every 10s."),
])  # fmt: skip
def test_a_refusal_says_what_to_write(expression, hint):
    with pytest.raises(InvalidSchedule) as refusal:
        Cron.parse(expression)

    assert refusal.value.hint == hint


@pytest.mark.parametrize(("alias", "five"), [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
])  # fmt: skip
def test_an_alias_is_its_five_fields(alias, five):
    assert Cron.parse(alias) == Cron.parse(five)
    assert Cron.parse(alias).text == five


def test_the_text_is_in_normal_form():
    assert Cron.parse(" 05  */2\tl,LW JAN-3 FRI#2,5l ").text == "5 */2 L,LW jan-3 fri#2,5L"


@pytest.mark.parametrize(("zone", "after", "problem"), [
    pytest.param("Europe/Berln", datetime(2026, 1, 1, tzinfo=UTC), "Unknown time zone", id="zone"),
    pytest.param("../UTC", datetime(2026, 1, 1, tzinfo=UTC), "Unknown time zone", id="path"),
    pytest.param("UTC", datetime(2026, 1, 1), "has no time zone", id="naive moment"),  # noqa: DTZ001
])  # fmt: skip
def test_next_fires_refuses(zone, after, problem):
    with pytest.raises(ValueError, match=problem):
        next_fires("* * * * *", zone, after, 1)


@pytest.mark.parametrize("n", [0, -1])
def test_no_fire_times_are_none(n):
    assert next_fires("* * * * *", "UTC", datetime(2026, 1, 1, tzinfo=UTC), n) == []


def test_fire_times_are_aware_utc_whatever_zone_the_question_is_in():
    after = datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))

    [found] = next_fires("0 9 * * *", "Europe/Berlin", after, 1)

    assert found == datetime(2026, 6, 1, 7, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_seconds_count_strictly_after():
    at = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    half = timedelta(microseconds=500_000)

    assert next_fires("* * * * *", "UTC", at - half, 1) == [at]
    assert next_fires("* * * * *", "UTC", at, 1) == [at + timedelta(minutes=1)]
    assert next_fires("* * * * *", "UTC", at + half, 1) == [at + timedelta(minutes=1)]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Adak"])
@pytest.mark.parametrize("edge", [EARLIEST, LATEST])
def test_the_ends_of_the_calendar_end_quietly(zone, edge):
    cron, at = Cron.parse("* * * * *"), edge

    found = cron.next_after(at, ZoneInfo(zone))

    assert found is None or found > at
    assert cron.latest(at, ZoneInfo(zone)) is None or edge is LATEST
    assert cron.count(at, at, ZoneInfo(zone), 10) == 0


@pytest.mark.parametrize("year", [1800, 1883, 1900, 1937])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Amsterdam", "Africa/Monrovia"])
def test_offsets_of_odd_seconds_still_go_forward(zone, year):
    found = next_fires("*/20 * * * *", zone, datetime(year, 7, 1, tzinfo=UTC), 200)

    assert len(found) == 200
    assert all(a < b for a, b in pairwise(found))


def test_missed_minutes_of_a_year_are_counted_without_walking_them():
    until, zone = datetime(2026, 11, 1, 12, tzinfo=UTC), ZoneInfo(NEW_YORK)
    after = until - timedelta(days=365)

    assert Cron.parse("* * * * *").count(after, until, zone, 1000) == 1000
    assert Cron.parse("* * * * *").count(after, until, zone, 10**6) == 365 * 24 * 60
    assert Cron.parse("30 2 * * *").count(after, until, zone, 10**6) == 365
    assert Cron.parse("30 1 * * *").count(after, until, zone, 10**6) == 365


# --- H --------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", ["30 2 * * *", "@daily", "*/5 * * * thu", "nonsense"])
def test_without_a_hash_nothing_changes(expression):
    assert resolve_hashes(expression, seed="backup") == expression


@pytest.mark.parametrize(("expression", "first", "last"), [
    ("H * * * *", 0, 59),
    ("H(0-29) * * * *", 0, 29),
    ("H(10-12) * * * *", 10, 12),
])  # fmt: skip
def test_a_hash_becomes_a_number_of_its_range(expression, first, last):
    minutes = {int(resolve_hashes(expression, seed=str(n)).split()[0]) for n in range(2000)}

    assert minutes == set(range(first, last + 1))


def test_a_hash_with_a_step_shifts_the_step():
    found = {resolve_hashes("H/15 * * * *", seed=str(n)) for n in range(500)}

    assert found == {f"{first}-59/15 * * * *" for first in range(15)}
    assert resolve_hashes("H(0-29)/10 * * * *", seed="backup").split()[0].endswith("-29/10")


def test_a_hash_depends_on_the_seed_alone():
    assert resolve_hashes("H H * * *", seed="backup") == resolve_hashes("H H * * *", seed="backup")
    assert resolve_hashes("H H H H H", seed="backup") == "30 17 3 11 6"


def test_hashes_spread_over_the_whole_day():
    times = [resolve_hashes("H H * * *", seed=f"task {n}") for n in range(1000)]

    assert len(set(times)) > 650  # of 1440; as many as chance gives, croniter's own reach 237


@pytest.mark.parametrize("expression", ["H(5-60) * * * *", "H(9-5) * * * *", "H/0 * * * *",
                                        "H-5 * * * *", "h * * * *", "0 H(0-24) * * *"])  # fmt: skip
def test_a_bad_hash_is_refused_with_a_sentence(expression):
    texts = [resolve_hashes(expression, seed=str(n)) for n in range(300)]

    with pytest.raises(InvalidSchedule):
        [Cron.parse(text) for text in texts]


def test_a_resolved_hash_can_always_be_read():
    for n in range(300):
        Cron.parse(resolve_hashes("H/7,H(3-9)/2 H(1-5) H H H/2", seed=str(n)))


# --- help -----------------------------------------------------------------------------


def fires(expression: str, zone: str, after: str, n: int) -> list[datetime]:
    return next_fires(expression, zone, local(after, zone), n)


def instants(zone: str, texts: tuple[str, ...]) -> list[datetime]:
    return [local(text, zone).astimezone(UTC) for text in texts]


def local(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
