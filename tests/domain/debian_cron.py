"""Debian's cron (3.0pl1-162) as a plain model, written apart from the product for comparison.

It wakes up at each minute of real time and does what the main loop in `cron.c` is documented to do
(cron(8): "Special considerations exist when the clock is changed by less than 3 hours ...", and the
comments on virtualTime and timeRunning there). Slow and simple on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = ((0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, WEEKDAYS))


@dataclass(frozen=True)
class WakeUp:
    """One turn of the main loop: the local minutes (since 1970) it looks jobs up for."""

    at: datetime
    wildcard: tuple[int, ...]
    fixed: tuple[int, ...]


def wake_ups(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[WakeUp]:
    """Each turn of the main loop of a cron that was started at `start`."""
    now = start
    offset = _offset(now, zone)
    time_running = virtual_time = _clock_minute(now, offset)
    while True:
        # cron_sleep: until the clock, as far as it is known, shows the next minute
        now += timedelta(seconds=60 - (_seconds(now) + offset) % 60)
        if now > end:
            return
        offset = _offset(now, zone)
        clock_time = _clock_minute(now, offset)
        if clock_time == time_running:
            continue
        time_running = clock_time
        difference = time_running - virtual_time
        if difference == 1:
            virtual_time = time_running
            yield WakeUp(now, (time_running,), (time_running,))
        elif 0 < difference <= 5:  # woke up late: everything, for each minute
            each = tuple(range(virtual_time + 1, time_running + 1))
            virtual_time = time_running
            yield WakeUp(now, each, each)
        elif 5 < difference <= 180:  # the clock went forward
            each = tuple(range(virtual_time + 1, time_running + 1))
            virtual_time = time_running
            yield WakeUp(now, (time_running,), each)
        elif -180 < difference <= 0:  # it went back: fixed jobs have run already
            yield WakeUp(now, (time_running,), ())
        else:  # it was corrected
            virtual_time = time_running
            yield WakeUp(now, (time_running,), (time_running,))


class Job:
    """A line of a crontab, in the grammar of Debian plus a/step, L, LW, 5L and fri#2."""

    def __init__(self, expression: str) -> None:
        words = expression.lower().split()
        self.minutes, self.hours, self.days, self.months, self.weekdays = (
            self._field(word, *spec) for word, spec in zip(words, FIELDS, strict=True)
        )
        self.wildcard = words[0][0] == "*" or words[1][0] == "*"
        self.day_words = words[2].split(",")
        self.weekday_words = words[4].split(",")
        self.both = words[2][0] == "*" or words[4][0] == "*"

    @staticmethod
    def _field(word: str, low: int, high: int, names: list[str]) -> set[int]:
        def number(text: str) -> int:
            return names.index(text) + low if text in names else int(text)

        found: set[int] = set()
        for part in word.split(","):
            if (part.endswith("l") and part != "jul") or part == "lw" or "#" in part:
                continue
            reach, _, step = part.partition("/")
            first, _, last = reach.partition("-")
            if first == "*":
                first, last = str(low), str(high)
            begin = number(first)
            end = number(last) if last else (high if step else begin)
            found |= set(range(begin, end + 1, int(step or 1)))
        return found

    def matches(self, minute: int) -> bool:
        """Whether it runs at that local minute since 1970."""
        if minute % 60 not in self.minutes or minute // 60 % 24 not in self.hours:
            return False
        return self.runs_on((EPOCH + timedelta(minutes=minute)).date())

    def runs_on(self, day: date) -> bool:
        """The rule of the day fields."""
        if day.month not in self.months:
            return False
        by_date, by_weekday = self._by_date(day), self._by_weekday(day)
        return (by_date and by_weekday) if self.both else (by_date or by_weekday)

    def _by_date(self, day: date) -> bool:
        last = (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        working = last
        while working.isoweekday() > 5:
            working -= timedelta(days=1)
        return (
            day.day in self.days
            or ("l" in self.day_words and day == last)
            or ("lw" in self.day_words and day == working)
        )

    def _by_weekday(self, day: date) -> bool:
        cron_days = {day.isoweekday(), day.isoweekday() % 7}  # Sunday is 0 and 7
        if cron_days & self.weekdays:
            return True
        names = {str(number) for number in cron_days} | {WEEKDAYS[day.isoweekday()]}
        nth = (day.day - 1) // 7 + 1
        is_last = (day + timedelta(days=7)).month != day.month
        return any(
            word in {f"{name}#{nth}" for name in names}
            or (is_last and word in {f"{name}l" for name in names})
            for word in self.weekday_words
        )


def starts(job: Job, turns: list[WakeUp]) -> list[datetime]:
    """When that job is started; two starts at one moment count as one."""
    return [
        turn.at
        for turn in turns
        if any(job.matches(m) for m in (turn.wildcard if job.wildcard else turn.fixed))
    ]


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _seconds(instant: datetime) -> int:
    return int((instant - EPOCH).total_seconds())


def _clock_minute(instant: datetime, offset: int) -> int:
    return (_seconds(instant) + offset) // 60
