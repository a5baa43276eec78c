from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cronpilot.domain.moments import read_end, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # 13:00 in Berlin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("now", "2026-03-04 12:00", id="now"),
        pytest.param("02:30", "2026-03-04 01:30", id="a time of day is today's"),
        pytest.param("18:00", "2026-03-04 17:00", id="also one to come"),
        pytest.param("2:30", "2026-03-04 01:30", id="without its zero"),
        pytest.param("2026-11-22 02:30", "2026-11-22 01:30", id="a date in the zone"),
        pytest.param("2026-11-22T02:30", "2026-11-22 01:30", id="the same with a T"),
        pytest.param("2026-11-22T02:30Z", "2026-11-22 02:30", id="in UTC"),
        pytest.param("2026-11-22 02:30+05:30", "2026-11-21 21:00", id="an offset of its own"),
        pytest.param("2026-03-29 02:30", "2026-03-29 01:00", id="skipped: right after"),
        pytest.param("2026-10-25 02:30", "2026-10-25 00:30", id="repeated: the first pass"),
    ],
)
def test_a_moment_is_read_in_the_zone(text, expected):
    assert f"{read_moment(text, BERLIN, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "24:00", "12:60", "2026-11-22", "20261122", "9999-12-31 23:59", "٠٢:٣٠"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match="is not a"):
        read_moment(text, BERLIN, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2h", "2026-03-04 14:00", id="from now"),
        pytest.param("1h30m", "2026-03-04 13:30", id="from now, in two units"),
        pytest.param("18:00", "2026-03-04 17:00", id="today"),
        pytest.param("12:00", "2026-03-05 11:00", id="or tomorrow"),
        pytest.param("2026-03-10 08:00", "2026-03-10 07:00", id="a date"),
    ],
)
def test_an_end_lies_ahead(text, expected):
    assert f"{read_end(text, BERLIN, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("text", ["2026-03-04 12:59", "now", "0s"])
def test_an_end_that_has_passed_is_refused(text):
    with pytest.raises(ValueError, match="has passed"):
        read_end(text, BERLIN, NOW)
