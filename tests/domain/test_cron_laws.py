"""What holds for every expression, zone and instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from cronpilot.domain.cron import Cron, next_fires
from cronpilot.errors import InvalidSchedule

from .expressions import expression

ZONES = ("UTC", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "Antarctica/Troll",
         "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca",
         "Antarctica/Casey", "Pacific/Kwajalein")  # fmt: skip
EARLIEST, LATEST = datetime(1975, 1, 1), datetime(2037, 12, 31)  # noqa: DTZ001 - hypothesis' bounds


def can_fire(text: str) -> bool:
    """Not, for example, a fifth Wednesday of September that is also every third day: refused."""
    try:
        Cron.parse(text)
    except ValueError:
        return False
    return True


expressions = (
    st.integers(0, 10**9)
    .map(lambda seed: expression(Random(seed), range(24), 1 + seed % 28, 1 + seed % 12))
    .filter(can_fire)
)
crons = expressions.map(Cron.parse)
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
quickly = settings(max_examples=150, deadline=None)


@quickly
@given(expressions, st.sampled_from(ZONES), instants)
def test_fire_times_rise_strictly_from_the_question(text, zone, after):
    found = next_fires(text, zone, after, 6)

    assert found
    assert all(a < b for a, b in zip([after, *found], found, strict=False))
    assert all(at.second == at.microsecond == 0 for at in found)


@quickly
@given(crons, zones, instants)
def test_the_answer_does_not_depend_on_where_the_question_is_asked(cron, zone, after):
    first = cron.next_after(after, zone)
    middle = after + (first - after) / 2

    assert cron.next_after(middle, zone) == first


@quickly
@given(crons, zones, instants)
def test_between_the_latest_fire_time_and_now_there_is_none(cron, zone, now):
    latest = cron.latest(now, zone)

    assert latest <= now
    assert cron.next_after(latest, zone) > now
    assert cron.next_after(latest - timedelta(seconds=1), zone) == latest
    assert cron.latest(latest, zone) == latest


@quickly
@given(crons, zones, instants, st.integers(0, 200))
def test_counting_agrees_with_walking(cron, zone, after, steps):
    at, until = after, after
    for _ in range(steps):
        at = cron.next_after(at, zone)
        until = at

    assert cron.count(after, until, zone, 10_000) == steps
    assert cron.count(after, until, zone, 7) == min(7, steps)
    if steps:
        assert cron.count(after, until - timedelta(seconds=1), zone, 10_000) == steps - 1


@quickly
@given(crons, zones, instants, st.timedeltas(timedelta(), timedelta(days=800)),
       st.timedeltas(timedelta(), timedelta(days=800)))  # fmt: skip
def test_counts_add_up(cron, zone, begin, first, second):
    middle, end = begin + first, begin + first + second
    total = cron.count(begin, end, zone, 10**9)

    assert total == cron.count(begin, middle, zone, 10**9) + cron.count(middle, end, zone, 10**9)


@settings(max_examples=300, deadline=None)
@given(expressions, instants)
def test_without_clock_changes_croniter_agrees(text, after):
    _, _, day, _, weekday = text.split()
    if "LW" in day or has_range_of_one(text) or ("#" in weekday and "," in weekday):
        return  # croniter has no LW, reads 5-5 as every value, and refuses 1,2#2
    if day[0] != "*" and set(weekday) & set("#L"):
        return  # with a day of month it demands both
    theirs = croniter(croniters(text), after, implement_cron_bug=True, max_years_between_matches=50)

    assert next_fires(text, "UTC", after, 4) == [theirs.get_next(datetime) for _ in range(4)]


def has_range_of_one(text: str) -> bool:
    parts = [part.partition("/")[0] for word in text.split() for part in word.split(",")]
    return any(part.partition("-")[0] == part.partition("-")[2] for part in parts if "-" in part)


def croniters(text: str) -> str:
    """In its spelling: `5L` is `L5`, and a range of weekdays does not end in 7."""
    *rest, weekdays = text.split()
    if weekdays.endswith("L"):
        weekdays = f"L{int(weekdays[:-1]) % 7}"
    reach, _, step = weekdays.partition("/")
    if step and "-" not in reach and reach != "*":
        reach += "-7"
    low, _, high = reach.partition("-")
    if high == "7":
        days = range(int(low), 8, int(step or 1))
        return " ".join([*rest, ",".join(str(day % 7) for day in days)])
    return " ".join([*rest, weekdays])


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("0123456789*/-,LWH#?@RmonfriJAN \t.\u00a0"), max_size=24))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        found = next_fires(text, "Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC), 2)
    except InvalidSchedule as refusal:
        assert refusal.problem
        assert refusal.hint
    else:
        assert found


@pytest.mark.parametrize("text", ["* * * * *", "30 2 * * *", "0 0 29 2 *", "*/7 3 LW * 5L"])
def test_the_normal_form_is_read_as_the_same(text):
    assert Cron.parse(Cron.parse(text).text) == Cron.parse(text)
