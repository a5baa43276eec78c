"""Cron expressions: their fire times in a time zone, as Debian's cron (3.0pl1-162) would have them.

The work is split in three. `cron_grammar` reads the text strictly and croniter expands its fields;
the *calendar* is walked on naive local time, as if clocks were never changed; *one rule* maps the
local times so found to instants. The rule is the one of Debian's main loop (`cron.c`, "too many
clocks, not enough time"), which tells two kinds of expression apart:

- a *wildcard* one, whose minute or hour field starts with a star, follows the clock: nothing in a
  skipped hour, twice in a repeated one;
- a *fixed* one that falls into a skipped hour fires once, right after it; in a repeated hour it
  fires in the first pass only.

Larger changes are corrections of the clock: nothing is made up for, nothing held back. Because
Debian counts the minute of the wake-up too, that begins at exactly three hours forward (as in
Antarctica/Casey), and beyond three hours back.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronpilot.domain.cron_grammar import Fields, read_expression, resolve_hashes
from cronpilot.domain.zones import Change, change_at, changes, find_zone, offset_at
from cronpilot.errors import InvalidSchedule

__all__ = ["Cron", "next_fires", "resolve_hashes"]

_MINUTE = timedelta(minutes=1)
_clock = datetime  # a naive wall-clock time; everything else here is an aware instant
# 29 February on a given weekday can be 40 years away (2088 to 2128: 2100 has none).
_FARTHEST_MONTHS = 41 * 12
_FARTHEST = timedelta(days=41 * 366)
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)  # the ends of the calendar, where offsets overflow
_LATEST = datetime(9998, 1, 1, tzinfo=UTC)
# Debian compares minutes of its clock with those of the last wake-up, which is one minute ago.
_MADE_UP_FOR_ALL = 5  # minutes: "wokeup late", wildcards are made up for as well
_MADE_UP = 180  # minutes: beyond, it is a correction of the clock


def next_fires(expression: str, timezone: str, after: datetime, n: int) -> list[datetime]:
    """The first `n` fire times strictly after `after`: aware UTC, ascending, fewer when it ends.

    Raises:
        ValueError: a bad expression (InvalidSchedule), an unknown zone, or `after` is naive.
    """
    cron, zone = Cron.parse(expression), find_zone(timezone)
    found: list[datetime] = []
    at: datetime | None = _aware(after)
    while at is not None and len(found) < n:
        at = cron.next_after(at, zone)
        if at is not None:
            found.append(at)
    return found


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression. All instants are aware UTC; all answers are stateless."""

    text: str
    """Five fields in normal form, aliases resolved."""
    fields: Fields = field(repr=False, compare=False)
    # Days of a month as bits, by (weekday of the 1st, length): there are only 28 kinds of month.
    _layouts: dict[tuple[int, int], int] = field(repr=False, compare=False, default_factory=dict)
    # The last question and its answer: of one slot several parts ask the same, and so does every
    # task that has this expression. One tuple in a list, for threads.
    _last: list[tuple[datetime, ZoneInfo, datetime | None]] = field(
        repr=False, compare=False, default_factory=list
    )

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read five fields or an alias such as @daily.

        Raises:
            InvalidSchedule: it cannot be read, or could not fire within 40 years.
        """
        return _parse(text)

    def next_after(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first fire time strictly after `after`; None when there is none in 40 years."""
        for asked, where, answer in self._last:
            if asked == after and where is zone:
                return answer
        answer = self._find_next(after, zone)
        self._last[:] = [(after, zone, answer)]
        return answer

    def _find_next(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        after = max(_aware(after), _EARLIEST)
        if after >= _LATEST:
            return None
        here = after.astimezone(zone)
        clock = here.replace(tzinfo=None, fold=0)
        first = self._by_calendar(clock, after, zone)
        again = None if here.fold else self._in_second_pass(clock, zone)
        return again if again is not None and (first is None or again < first) else first

    def latest(self, until: datetime, zone: ZoneInfo) -> datetime | None:
        """The last fire time at or before `until`; None when there is none in 40 years."""
        until = min(_aware(until), _LATEST)
        found, window = None, _MINUTE
        while found is None:
            if window > 2 * _FARTHEST or until - _EARLIEST < window:
                return None
            found = self._first_within(until - window, until, zone)
            window *= 2
        high = until
        while high - found > _MINUTE:  # `found` fires, and nothing in (high, until] does
            middle = found + (high - found) / 2
            later = self._first_within(middle, until, zone)
            found, high = (found, middle) if later is None else (later, high)
        return self._first_within(found, until, zone) or found

    def count(self, after: datetime, until: datetime, zone: ZoneInfo, cap: int) -> int:
        """How many fire times lie in (after, until]; counting stops at `cap`.

        Arithmetic where the offset stays the same; only the hours around a change are walked.
        """
        at, until = max(_aware(after), _EARLIEST), min(_aware(until), _LATEST)
        total = 0
        for change in changes(zone, max(at - 2 * timedelta(days=1), _EARLIEST), until):
            if total >= cap:
                break
            calm_until = change.at - _MINUTE
            if calm_until > at:
                total += self._count_calm(at, calm_until, zone, cap - total)
                at = calm_until
            walk_until = min(until, change.at + abs(change.shift) + _MINUTE)
            while total < cap and (found := self._first_within(at, walk_until, zone)):
                total, at = total + 1, found
            at = max(at, walk_until)
        if at < until:
            total += self._count_calm(at, until, zone, cap - total)
        return min(total, cap) if cap > 0 else 0

    # --- from local times to instants

    def _by_calendar(self, clock: datetime, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first fire time after `after` among the matching local times after `clock`."""
        local = clock
        while (match := self._match_after(local)) is not None:
            local = match
            aware = local.replace(tzinfo=zone)
            offset = aware.utcoffset()
            assert offset is not None
            if offset == aware.replace(fold=1).utcoffset():
                instant = (local - offset).replace(tzinfo=UTC)
                if instant > after:
                    return instant
                continue
            for instant in self._instants(local, zone):
                if instant > after:
                    return instant
        return None

    def _instants(self, local: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """When a matching local time fires that the clock skips or shows twice; ascending."""
        change = change_at(local, zone)
        assert change is not None
        if change.shift < timedelta():
            yield (local - change.before).replace(tzinfo=UTC)
            if self._repeats(change):
                yield (local - change.after).replace(tzinfo=UTC)
            return
        shown = _floor(change.local_start)
        jump = (shown - _floor(change.local_end - timedelta(seconds=1))) // _MINUTE
        most = _MADE_UP_FOR_ALL if self.fields.wildcard else _MADE_UP
        if jump <= most or local == shown:
            yield change.at

    def _repeats(self, change: Change) -> bool:
        """Whether local times fire in the second pass as well."""
        return self.fields.wildcard or 1 + change.shift / _MINUTE <= -_MADE_UP

    def _in_second_pass(self, clock: datetime, zone: ZoneInfo) -> datetime | None:
        """The first fire time of the second pass, when `clock` is in the first one.

        It may match a local time before `clock`, which the calendar does not look at again.
        """
        change = change_at(clock, zone)
        if change is None or change.shift > timedelta() or not self._repeats(change):
            return None
        local = self._match_after(change.local_start - timedelta(seconds=1))
        if local is None or local >= change.local_end:
            return None
        return (local - change.after).replace(tzinfo=UTC)

    def _first_within(self, after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
        found = self.next_after(after, zone)
        return found if found is not None and found <= until else None

    # --- the calendar, on naive local time

    def _match_after(self, clock: datetime) -> datetime | None:
        """The first matching minute after `clock`; None when there is none for 40 years."""
        year, month, day = clock.year, clock.month, clock.day
        minutes, hours = self.fields.minutes, self.fields.hours
        days = self._days(year, month)
        if days >> day & 1:
            hour = clock.hour
            if hours >> hour & 1 and (rest := minutes >> clock.minute + 1):
                return _clock(year, month, day, hour, clock.minute + 1 + _lowest(rest))
            if rest := hours >> hour + 1:
                return _clock(year, month, day, hour + 1 + _lowest(rest), _lowest(minutes))
        days = days >> day + 1 << day + 1
        for _ in range(_FARTHEST_MONTHS):
            if days:
                return _clock(year, month, _lowest(days), _lowest(hours), _lowest(minutes))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
            if year >= _LATEST.year:
                break
            days = self._days(year, month)
        return None

    def _days(self, year: int, month: int) -> int:
        """The matching days of that month: bit 1 is the 1st."""
        if not self.fields.months >> month & 1:
            return 0
        layout = _layout(year, month)
        days = self._layouts.get(layout)
        if days is None:
            days = self._layouts[layout] = self.fields.days(*layout)
        return days

    def _count_calm(self, after: datetime, until: datetime, zone: ZoneInfo, enough: int) -> int:
        """Fire times in (after, until], between which the offset does not change."""
        offset = offset_at(until, zone)
        low = (after + offset).replace(tzinfo=None)
        high = (until + offset).replace(tzinfo=None)
        each = self.fields.minutes.bit_count() * self.fields.hours.bit_count()
        # Whole days from the first to the last, without what lies outside at both ends.
        total = -self._times_until(low) if self._days(low.year, low.month) >> low.day & 1 else 0
        if self._days(high.year, high.month) >> high.day & 1:
            total -= each - self._times_until(high)
        year, month = low.year, low.month
        while (year, month) <= (high.year, high.month) and total < enough + 2 * each:
            days = self._days(year, month)
            if (year, month) == (low.year, low.month):
                days = days >> low.day << low.day
            if (year, month) == (high.year, high.month):
                days &= (2 << high.day) - 1
            total += days.bit_count() * each
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return total

    def _times_until(self, clock: datetime) -> int:
        """How many matching times of day are not later than `clock`."""
        minutes, hours = self.fields.minutes, self.fields.hours
        whole = (hours & (1 << clock.hour) - 1).bit_count() * minutes.bit_count()
        begun = (minutes & (2 << clock.minute) - 1).bit_count() if hours >> clock.hour & 1 else 0
        return whole + begun


_layout = lru_cache(maxsize=4096)(calendar.monthrange)


@lru_cache(maxsize=16_384)
def _parse(text: str) -> Cron:
    fields = read_expression(text)
    cron = Cron(fields.text, fields)
    # Every kind of month comes within 40 years, so a day in any of them is a day that will come.
    lengths = {
        calendar.monthrange(year, month)[1]
        for year in (2023, 2024)
        for month in range(1, 13)
        if fields.months >> month & 1
    }
    if not any(fields.days(first, length) for length in lengths for first in range(7)):
        raise InvalidSchedule(
            f"{text!r} never fires: no such month has such a day.",
            "29 February is the last day of the shortest month; L is the last day of any.",
        )
    return cron


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: fire times are computed between instants")
    return instant.astimezone(UTC)


def _floor(clock: datetime) -> datetime:
    return clock.replace(second=0, microsecond=0)


def _lowest(bits: int) -> int:
    """The position of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1
