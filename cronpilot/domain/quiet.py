"""Quiet times: holidays and maintenance windows in which a task is not started.

A rule says of slots that fall into it either `skip` (they are skipped) or `after` (they are, too,
and one run follows at its end). Days and hours are those of the task's own zone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from cronpilot.domain.zones import to_instant

if TYPE_CHECKING:
    from cronpilot.domain.schedule import FireTimes

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_LONGEST_DAYS = 400  # days of holiday in a row that are looked at
_LONGEST_CHAIN = 20  # quiet times that begin where another ends; more never end
_WINDOW = re.compile(r"(?:(\S+) +)?(\d{1,2}):(\d{2}) *- *(\d{1,2}):(\d{2})", re.ASCII)
_DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})", re.ASCII)
_NEXT = timedelta(microseconds=1)


class Then(StrEnum):
    """What becomes of the slots that fall into a quiet time."""

    SKIP = "skip"
    AFTER = "after"


class Window(NamedTuple):
    """Hours of some days of the week: from `start` on, for `minutes` (at most a day).

    Attributes:
        days: 0 is Monday; the day on which it begins.
        start: minutes after midnight.
    """

    days: frozenset[int]
    start: int
    minutes: int


class Rule(NamedTuple):
    """A named quiet time. `days` are dates as `2026-12-25`, or `12-25` for each year."""

    name: str
    then: Then = Then.SKIP
    days: frozenset[str] = frozenset()
    windows: tuple[Window, ...] = ()


class Quiet(NamedTuple):
    """One stretch of quiet: from `start` up to, not including, `end`."""

    rule: Rule
    start: datetime
    end: datetime


def parse_window(text: str) -> Window:
    """`sun 02:00-04:00`, `mon-fri 22:00-06:00`, `sat,sun 00:00-24:00`; without days: each day.

    Raises:
        ValueError: it is not that, or has no length.
    """
    found = _WINDOW.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(
            f"{text!r} is no window: write sun 02:00-04:00, or 22:00-06:00 for each day"
        )
    start = _minutes(found[2], found[3], text)
    end = _minutes(found[4], found[5], text)
    minutes = (end - start) % 1440 or (1440 if end != start else 0)
    if not minutes:
        raise ValueError(f"{text!r} has no length: 00:00-24:00 is a whole day")
    return Window(_weekdays(found[1], text), start % 1440, minutes)


def _minutes(hours: str, minutes: str, text: str) -> int:
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > 1440:
        raise ValueError(f"{text!r}: {hours}:{minutes} is no time of day")
    return value


def _weekdays(words: str | None, text: str) -> frozenset[int]:
    if words in (None, "daily"):
        return frozenset(range(7))
    assert words is not None
    found: set[int] = set()
    for part in words.split(","):
        first, _, last = part.partition("-")
        if first[:3] not in _DAYS or (last and last[:3] not in _DAYS):
            raise ValueError(f"{text!r}: {part} is no day of the week; write mon to sun")
        begin = _DAYS.index(first[:3])
        length = (_DAYS.index(last[:3]) - begin) % 7 if last else 0
        found |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(found)


def parse_day(text: str) -> str:
    """`2026-12-25`, or `12-25` for each year, as it is kept.

    Raises:
        ValueError: there is no such day.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no date: write 2026-12-25, or 12-25 for each year")
    year, month, day = found.groups()
    date(int(year or 2024), int(month), int(day))  # 2024 has a 29 February
    return text.strip()


# --- what holds at a moment ----------------------------------------------------------------------


def quiet_at(rules: Sequence[Rule], instant: datetime, zone: ZoneInfo) -> Quiet | None:
    """The quiet time in which that moment lies; of several the one whose rule comes first."""
    local = instant.astimezone(zone)
    for rule in rules:
        found = _of_days(rule, instant, local.date(), zone) or _of_windows(
            rule, instant, local.date(), zone
        )
        if found is not None:
            return found
    return None


def _of_days(rule: Rule, instant: datetime, day: date, zone: ZoneInfo) -> Quiet | None:
    if not _has(rule, day):
        return None
    first = last = day
    for _ in range(_LONGEST_DAYS):
        if not _has(rule, first - _DAY):
            break
        first -= _DAY
    for _ in range(_LONGEST_DAYS):
        last += _DAY
        if not _has(rule, last):
            break
    start, end = (to_instant(datetime.combine(one, time()), zone) for one in (first, last))
    return Quiet(rule, start, end) if start <= instant < end else None


def _has(rule: Rule, day: date) -> bool:
    return day.isoformat() in rule.days or f"{day:%m-%d}" in rule.days


def _of_windows(rule: Rule, instant: datetime, day: date, zone: ZoneInfo) -> Quiet | None:
    for window in rule.windows:
        for begins in (day - _DAY, day):
            if begins.weekday() not in window.days:
                continue
            opening = datetime.combine(begins, time()) + timedelta(minutes=window.start)
            start = to_instant(opening, zone)
            end = to_instant(opening + timedelta(minutes=window.minutes), zone)
            if start <= instant < end:
                return Quiet(rule, start, end)
    return None


def following_quiet(rule: Rule, now: datetime, zone: ZoneInfo) -> Quiet | None:
    """The stretch of this rule that holds at `now`, or its next one within about a year."""
    held = quiet_at([rule], now, zone)
    if held is not None:
        return held
    today = now.astimezone(zone).date()
    for ahead in range(_LONGEST_DAYS):
        day = today + ahead * _DAY
        starts = [0] if _has(rule, day) else []
        starts += [one.start for one in rule.windows if day.weekday() in one.days]
        for minutes in sorted(starts):
            start = to_instant(datetime.combine(day, time()) + timedelta(minutes=minutes), zone)
            found = quiet_at([rule], start, zone) if start > now else None
            if found is not None:
                return found
    return None


# --- fire times with quiet times in them ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WithQuiet:
    """The fire times of a schedule, and the ends of quiet times at which it makes up for some.

    Slots inside a quiet time are still among them, because each of them gets its verdict; `quiet`
    tells which they are.
    """

    base: FireTimes
    rules: tuple[Rule, ...]
    zone: ZoneInfo

    def quiet(self, slot: datetime) -> Quiet | None:
        """The quiet time that keeps this slot from being started."""
        return quiet_at(self.rules, slot, self.zone)

    def next_after(self, after: datetime) -> datetime | None:
        following = self.base.next_after(after)
        makes_up = self._end_after(after)
        if following is None or makes_up is None:
            return following or makes_up
        return min(following, makes_up)

    def latest(self, until: datetime) -> datetime | None:
        latest = self.base.latest(until)
        if latest is None:
            return None
        quiet = self.quiet(latest)
        if quiet is None or quiet.rule.then is not Then.AFTER:
            return latest
        end = self._clear(quiet.end)
        return end if end <= until else latest

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        return self.base.count(after, until, cap)

    def _end_after(self, moment: datetime) -> datetime | None:
        """Where the quiet time of that moment ends, if a slot was skipped in it by then."""
        quiet = self.quiet(moment)
        if quiet is None or quiet.rule.then is not Then.AFTER:
            return None
        first = self.base.next_after(quiet.start - _NEXT)
        return self._clear(quiet.end) if first is not None and first <= moment else None

    def _clear(self, end: datetime) -> datetime:
        """The first moment from `end` on that is in no other quiet time."""
        for _ in range(_LONGEST_CHAIN):
            quiet = self.quiet(end)
            if quiet is None:
                break
            end = quiet.end
        return end


# --- as text -------------------------------------------------------------------------------------


def to_key(rules: Iterable[Rule]) -> str:
    """The rules as one text, the same for the same rules; empty for none."""
    found = [
        [
            rule.name, rule.then.value, sorted(rule.days),
            [[sorted(one.days), one.start, one.minutes] for one in rule.windows],
        ]
        for rule in rules
    ]  # fmt: skip
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if found else ""


@lru_cache(maxsize=256)
def from_key(key: str) -> tuple[Rule, ...]:
    """What `to_key` made of rules."""
    return tuple(
        Rule(
            name, Then(then), frozenset(days),
            tuple(Window(frozenset(on), start, minutes) for on, start, minutes in windows),
        )
        for name, then, days, windows in (json.loads(key) if key else [])
    )  # fmt: skip
