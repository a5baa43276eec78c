"""Time zones by IANA name, and the instants of local times that do not exist or come twice."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cronpilot.errors import InvalidSchedule

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name.

    Raises:
        InvalidSchedule: no such zone; the sentence offers the nearest known name.
    """
    try:
        if not name or not name.isascii() or name.startswith(("/", ".")):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise InvalidSchedule(f"Unknown time zone {name!r}.", nearest_zone(name)) from None


def is_known(zone: str) -> bool:
    """Whether this machine has data of that zone."""
    try:
        find_zone(zone)
    except InvalidSchedule:
        return False
    return True


def nearest_zone(name: str) -> str:
    """A hint with the zone that was probably meant."""
    known = available_timezones()
    by_lower = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known, reverse=True)}
    by_lower |= {zone.lower(): zone for zone in known}
    wanted = name.lower().replace(" ", "_")
    near = difflib.get_close_matches(wanted, by_lower, n=1, cutoff=0.6)
    return (
        f"Did you mean {by_lower[near[0]]}?" if near else "Use an IANA name such as Europe/Berlin."
    )


class Change(NamedTuple):
    """A zone's clock is put forward or back."""

    at: datetime  # aware UTC, the first instant of the new offset
    before: timedelta  # offsets from UTC
    after: timedelta

    @property
    def shift(self) -> timedelta:
        """Positive when local times are skipped, negative when they come twice."""
        return self.after - self.before

    @property
    def local_end(self) -> datetime:
        """What the clock would show at the change if it were left alone; naive."""
        return self.at.replace(tzinfo=None) + self.before

    @property
    def local_start(self) -> datetime:
        """What the clock shows at the change; naive."""
        return self.at.replace(tzinfo=None) + self.after


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """How far the zone's clock is ahead of UTC at that aware instant."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def change_at(local: datetime, zone: ZoneInfo) -> Change | None:
    """The change that skips or repeats this naive local time; None for an ordinary one."""
    before = local.replace(tzinfo=zone, fold=0).utcoffset()
    after = local.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None and after is not None
    if before == after:
        return None
    # In a gap and in an overlap alike, the two readings lie on the two sides of the change.
    readings = [(local - offset).replace(tzinfo=UTC, fold=0) for offset in (before, after)]
    return Change(_first_instant(min(readings), max(readings), before, zone), before, after)


def to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive wall-clock time: in a repeated hour the first pass, in a skipped
    one the moment right after it."""
    change = change_at(local, zone)
    if change is not None and change.shift > timedelta():
        return change.at
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Change]:
    """The changes in (since, until], ascending. Offsets that last less than a day are not seen."""
    for year in range(since.astimezone(UTC).year, until.astimezone(UTC).year + 1):
        for change in _changes_in(zone, year):
            if since < change.at <= until:
                yield change


@lru_cache(maxsize=4096)
def _changes_in(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    """The changes of one UTC year. zoneinfo keeps its list to itself, so each day is looked at."""
    day = datetime(year, 1, 1, tzinfo=UTC)
    offset = offset_at(day, zone)
    found = []
    while day.year == year:
        tomorrow = day + _DAY
        later = offset_at(tomorrow, zone)
        if later != offset:
            found.append(Change(_first_instant(day, tomorrow, offset, zone), offset, later))
            offset = later
        day = tomorrow
    return tuple(found)


def _first_instant(low: datetime, high: datetime, old: timedelta, zone: ZoneInfo) -> datetime:
    """The first instant in (low, high] at which the offset is no longer `old`, to the second."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if offset_at(middle, zone) == old:
            low = middle
        else:
            high = middle
    return high
