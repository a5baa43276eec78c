"""Moments as people type them: `02:30`, `2026-11-22 02:30`, ISO with an offset, `now`, `2h`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronpilot.domain.duration import parse_duration
from cronpilot.domain.zones import to_instant

_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199  # others are slips of the keyboard
FORMS = "Write 02:30, 2026-11-22 02:30, 2026-11-22T02:30+01:00 or now."


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant that a person means, aware UTC.

    Args:
        zone: what has no offset is read in it. A time of day is that of the day it is there `now`;
            one that the clock skips is the moment right after.
    Raises:
        ValueError: it cannot be read.
    """
    words = text.strip()
    if words.lower() == "now":
        return now
    if _CLOCK.fullmatch(words):
        return _of_day(words, now.astimezone(zone).date(), zone, text)
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise ValueError(f"{text!r} is not a time.") from None
    if len(words) < len("2026-11-22T02:30") or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not a date and time.")
    if moment.tzinfo is None:
        return to_instant(moment, zone)
    return moment.astimezone(UTC)


def read_end(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """As `read_moment`, but to come: `2h` from now, `18:00` today or tomorrow.

    Raises:
        ValueError: it cannot be read, or has passed.
    """
    words = text.strip()
    if _CLOCK.fullmatch(words):
        today = now.astimezone(zone).date()
        end = _of_day(words, today, zone, text)
        return end if end > now else _of_day(words, today + timedelta(days=1), zone, text)
    try:
        end = now + parse_duration(words)
    except ValueError:
        end = read_moment(words, zone, now)
    if end <= now:
        raise ValueError(f"{text!r} has passed.")
    return end


def _of_day(words: str, day: date, zone: ZoneInfo, text: str) -> datetime:
    hour, minute, second = (int(part) for part in f"{words}:0".split(":")[:3])
    try:
        clock = time(hour, minute, second)
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day.") from None
    return to_instant(datetime.combine(day, clock), zone)
