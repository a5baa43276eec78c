"""Fire times around clock changes, against a model of Debian's main loop (`debian_cron.py`)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest

from cronpilot.domain.cron import Cron, next_fires
from cronpilot.domain.zones import changes, offset_at

from . import debian_cron
from .expressions import expression

DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")
WINDOWS = [
    pytest.param("America/New_York", "2026-03-08T07:00", id="an hour is skipped"),
    pytest.param("America/New_York", "2026-11-01T06:00", id="an hour is repeated"),
    pytest.param("Europe/Berlin", "2026-03-29T01:00", id="an hour is skipped in Berlin"),
    pytest.param("Europe/Berlin", "2026-10-25T01:00", id="an hour is repeated in Berlin"),
    pytest.param("Europe/Dublin", "2026-03-29T01:00", id="negative summer time ends"),
    pytest.param("Europe/Dublin", "2026-10-25T01:00", id="negative summer time begins"),
    pytest.param("Australia/Lord_Howe", "2026-10-03T15:30", id="half an hour is skipped"),
    pytest.param("Australia/Lord_Howe", "2026-04-04T15:00", id="half an hour is repeated"),
    pytest.param("Antarctica/Troll", "2026-03-29T01:00", id="two hours are skipped"),
    pytest.param("Antarctica/Troll", "2026-10-25T01:00", id="two hours are repeated"),
    pytest.param("America/Sao_Paulo", "2018-11-04T03:00", id="midnight is skipped"),
    pytest.param(
        "America/Sao_Paulo", "2018-02-18T02:00", id="the hour before midnight comes twice"
    ),
    pytest.param("America/Havana", "2026-03-08T05:00", id="midnight is skipped in Havana"),
    pytest.param("America/Havana", "2026-11-01T05:00", id="midnight comes twice in Havana"),
    pytest.param("Asia/Pyongyang", "2015-08-14T15:00", id="half an hour back for good"),
    pytest.param("Asia/Pyongyang", "2018-05-04T15:00", id="half an hour forward for good"),
    pytest.param("America/Caracas", "2007-12-09T07:00", id="half an hour back in Caracas"),
    pytest.param("Asia/Kathmandu", "1985-12-31T18:30", id="a quarter of an hour is skipped"),
    pytest.param("Pacific/Apia", "2011-12-30T10:00", id="a whole day is skipped"),
    pytest.param("Pacific/Kwajalein", "1993-08-21T12:00", id="a day is skipped at the date line"),
    pytest.param("Antarctica/Casey", "2009-10-17T18:00", id="exactly three hours are skipped"),
    pytest.param("Antarctica/Casey", "2010-03-04T15:00", id="exactly three hours are repeated"),
    pytest.param("Antarctica/Vostok", "1994-01-31T17:00", id="seven hours are repeated"),
    pytest.param("Antarctica/Vostok", "1994-11-01T00:00", id="seven hours are skipped"),
    pytest.param("Africa/Monrovia", "1972-01-07T00:44", id="44 minutes and 30 seconds are skipped"),
    pytest.param("Asia/Tehran", "2022-03-21T20:30", id="midnight is skipped in Tehran"),
    pytest.param("Africa/Casablanca", "2026-02-15T02:00", id="Ramadan begins in Casablanca"),
    pytest.param("Asia/Gaza", "2026-03-28T00:00", id="an hour is skipped in Gaza"),
]


@pytest.mark.parametrize(("zone_name", "change"), WINDOWS)
def test_fire_times_around_a_change_are_those_of_debian(zone_name, change):
    compare(ZoneInfo(zone_name), datetime.fromisoformat(change).replace(tzinfo=UTC), 15, change)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_fire_times_around_any_change_are_those_of_debian(seed):
    random = Random(seed)
    for _ in range(25):
        zone = ZoneInfo(random.choice(sorted(available_timezones())))
        year = random.randint(1973, 2037)
        since = datetime(year, 1, 1, tzinfo=UTC)
        for change in changes(zone, since, since + 366 * DAY):
            compare(zone, change.at, 20, random.random())


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))]
)
def test_the_calendar_of_three_years_is_debians(seed):
    random = Random(seed)
    for _ in range(10):
        text = expression(random, range(24), random.randint(1, 31), random.randint(1, 12))
        job = debian_cron.Job(text)
        days = [date(2027, 6, 1) + number * DAY for number in range(3 * 366)]
        expected = [
            datetime.combine(day, time(hour, minute), UTC)
            for day in days
            if job.runs_on(day)
            for hour in sorted(job.hours)
            for minute in sorted(job.minutes)
        ]
        first = datetime(2027, 5, 31, 23, 59, 59, tzinfo=UTC)

        some = expected[:200]
        assert next_fires(text, "UTC", first, len(some)) == some, text
        last = datetime.combine(days[-1], time(23, 59), UTC)
        assert Cron.parse(text).count(first, last, UTC_ZONE, 10**9) == len(expected), text


def compare(zone: ZoneInfo, change: datetime, expressions: int, seed: object) -> None:
    """Equal lists over two days, and equal answers from any moment in them."""
    random = Random(f"{zone}{seed}")
    begin, end = change - DAY, change + DAY
    turns = [t for t in debian_cron.wake_ups(zone, begin - DAY, end) if t.at > begin]
    local = (change + offset_at(change - DAY, zone)).replace(tzinfo=None)
    for _ in range(expressions):
        hours = range(local.hour - 2 + 24, local.hour + 4 + 24)
        text = expression(random, hours, local.day, local.month)
        cron = Cron.parse(text)
        expected = debian_cron.starts(debian_cron.Job(text), turns)

        assert walk(cron, begin, end, zone) == expected, (text, zone, change)
        for after in moments(random, change):
            check_from(cron, after, end, zone, expected)


def check_from(cron, after, end, zone, expected):
    later = [at for at in expected if at > after]
    earlier = [at for at in expected if at <= after]
    found = cron.next_after(after, zone)
    assert (found == later[0]) if later else (found is None or found > end), (cron, zone, after)
    assert cron.count(after, end, zone, 10_000) == len(later), (cron, zone, after)
    if earlier:
        assert cron.latest(after, zone) == earlier[-1], (cron, zone, after)


def moments(random: Random, change: datetime) -> list[datetime]:
    near = [change + timedelta(seconds=random.randint(-4 * 3600, 4 * 3600)) for _ in range(3)]
    return [change, change - timedelta(seconds=1), *near]


def walk(cron: Cron, begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    found, at = [], begin
    while (at := cron.next_after(at, zone)) is not None and at <= end:
        found.append(at)
    return found
