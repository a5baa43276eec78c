"""Zones by name, and the local times that do not exist or come twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cronpilot.domain.zones import change_at, changes, find_zone, offset_at, to_instant
from cronpilot.errors import InvalidSchedule

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("name", "hint"), [
    ("Europe/Berln", "Did you mean Europe/Berlin?"),
    ("europe/berlin", "Did you mean Europe/Berlin?"),
    ("Berlin", "Did you mean Europe/Berlin?"),
    ("New York", "Did you mean America/New_York?"),
    ("", "Use an IANA name such as Europe/Berlin."),
    ("/etc/passwd", "Use an IANA name such as Europe/Berlin."),
    ("../../etc/passwd", "Use an IANA name such as Europe/Berlin."),
    ("Mars/Olympus_Mons_Base", "Use an IANA name such as Europe/Berlin."),
    ("Europe", "Use an IANA name such as Europe/Berlin."),
    ("UTC\x00", "Did you mean UTC?"),
    ("\u0415urope/Berlin", "Did you mean Europe/Berlin?"),
    ("x" * 5000, "Use an IANA name such as Europe/Berlin."),
])  # fmt: skip
def test_an_unknown_zone_is_refused_with_the_nearest(name, hint):
    with pytest.raises(InvalidSchedule) as refusal:
        find_zone(name)

    assert refusal.value.problem == f"Unknown time zone {name!r}."
    if "Use an" in hint:
        assert refusal.value.hint
    else:
        assert refusal.value.hint == hint


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5"])
def test_a_known_zone_is_found(name):
    assert find_zone(name).key == name


@pytest.mark.parametrize(("local", "zone", "expected"), [
    pytest.param("2026-06-01T12:00", "Europe/Berlin", "2026-06-01T10:00", id="ordinary"),
    pytest.param("2026-03-29T02:00", "Europe/Berlin", "2026-03-29T01:00", id="skipped: its start"),
    pytest.param("2026-03-29T02:59", "Europe/Berlin", "2026-03-29T01:00", id="skipped: its end"),
    pytest.param("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00", id="right after it"),
    pytest.param("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30", id="repeated: first"),
    pytest.param("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30", id="half an hour"),
    pytest.param("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00", id="a skipped day"),
    pytest.param("1972-01-07T00:20", "Africa/Monrovia", "1972-01-07T00:44:30", id="to the second"),
])  # fmt: skip
def test_local_time_to_instant(local, zone, expected):
    found = to_instant(datetime.fromisoformat(local), ZoneInfo(zone))

    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.tzinfo is UTC


def test_an_ordinary_time_has_no_change():
    assert change_at(datetime.fromisoformat("2026-03-29T03:00"), ZoneInfo("Europe/Berlin")) is None


def test_a_change_knows_what_the_clock_shows():
    change = change_at(datetime.fromisoformat("2026-10-25T02:30"), ZoneInfo("Europe/Berlin"))

    assert change.at == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert change.shift == timedelta(hours=-1)
    assert change.local_end == datetime.fromisoformat("2026-10-25T03:00")
    assert change.local_start == datetime.fromisoformat("2026-10-25T02:00")


def test_the_changes_of_a_year():
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    found = list(changes(ZoneInfo("America/New_York"), begin, end))

    assert [change.at for change in found] == [
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    ]


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Pacific/Kwajalein", "Antarctica/Casey"])
def test_the_offset_differs_on_both_sides_of_each_change(zone):
    zone = ZoneInfo(zone)
    begin, end = datetime(1975, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)

    for change in changes(zone, begin, end):
        assert offset_at(change.at - timedelta(seconds=1), zone) == change.before
        assert offset_at(change.at, zone) == change.after


def test_changes_begin_after_since_and_include_until():
    zone, change = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 1, tzinfo=UTC)

    assert [c.at for c in changes(zone, change - MINUTE, change)] == [change]
    assert list(changes(zone, change, change + MINUTE)) == []
