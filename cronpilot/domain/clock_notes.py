"""What the next clock change does to a schedule, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronpilot.domain.cron import Cron
from cronpilot.domain.duration import parse_duration
from cronpilot.domain.schedule import Schedule, ScheduleType
from cronpilot.domain.zones import Change, change_at, changes

_YEAR = timedelta(days=366)
_SECOND = timedelta(seconds=1)
_MOST_NAMED = 3  # times of day; of more only the first and the last
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def clock_note(schedule: Schedule, resolved: str, zone: ZoneInfo, now: datetime) -> str:
    """A sentence about the first clock change within a year that this schedule meets.

    Empty where there is none to speak of: no change of the zone's clock within a year, a schedule
    by hand, a single date at an ordinary time.

    Args:
        resolved: what `schedule.resolve` made of it.
    """
    if schedule.type is ScheduleType.MANUAL:
        return ""
    if schedule.type is ScheduleType.ONCE:
        return _once(datetime.fromisoformat(schedule.config["at"]), zone)
    coming = list(changes(zone, now, now + _YEAR))
    if not coming:
        return ""
    if schedule.type is ScheduleType.INTERVAL:
        return _interval(parse_duration(schedule.config["every"]), coming[0])
    cron = Cron.parse(resolved)
    notes = filter(None, (_calendar(cron, change, zone) for change in coming))
    return next(notes, f"The clock change on {_day(coming[0].local_start)} does not touch it.")


def _calendar(cron: Cron, change: Change, zone: ZoneInfo) -> str:
    """About local times that the change skips or repeats; empty when it has none of them."""
    times = _local_times(cron, *sorted((change.local_end, change.local_start)))
    if not times:
        return ""
    day = _day(times[0])
    if change.shift < timedelta():
        second_pass = (change.at - _SECOND, change.at - change.shift - _SECOND)
        if cron.count(*second_pass, zone, 1):
            return f"On {day} it runs in both passes of the hour that comes twice."
        return f"On {day} it runs once, not twice, at {_named(times)}."
    what = f"the run at {_named(times)}" if len(times) == 1 else f"the runs at {_named(times)}"
    shown = f"{change.local_start:%H:%M}"
    if cron.fields.wildcard or cron.next_after(change.at - _SECOND, zone) != change.at:
        does, that = ("is", "time does") if len(times) == 1 else ("are", "hour does")
        return f"On {day} {what} {does} left out: that {that} not exist."
    if _local_times(cron, change.local_start, change.local_start + _SECOND):
        return f"On {day} {what} and the one at {shown} are one."
    return f"On {day} {what} {'moves to' if len(times) == 1 else 'become one at'} {shown}."


def _local_times(cron: Cron, low: datetime, high: datetime) -> list[datetime]:
    """The naive local times in [low, high) that match, as if the clock were never changed."""
    utc = ZoneInfo("UTC")
    found: list[datetime] = []
    at = cron.next_after(low.replace(tzinfo=UTC) - _SECOND, utc)
    while at is not None and at < high.replace(tzinfo=UTC):
        found.append(at.replace(tzinfo=None))
        at = cron.next_after(at, utc)
    return found


def _interval(every: timedelta, change: Change) -> str:
    day = _day(change.local_start)
    if not abs(change.shift) % every:
        return f"The clock change on {day} does not touch it."
    hours = abs(change.shift) / timedelta(hours=1)
    by = "an hour" if hours == 1 else f"{round(hours * 60)} minutes"
    which = "later" if change.shift > timedelta() else "earlier"
    return f"From {day} on it runs {by} {which} by the clock: it counts elapsed time."


def _once(at: datetime, zone: ZoneInfo) -> str:
    change = None if at.tzinfo else change_at(at, zone)
    if change is None:
        return ""
    if change.shift > timedelta():
        return f"{at:%H:%M} does not exist on {_day(at)}: it runs at {change.local_start:%H:%M}."
    return f"{at:%H:%M} comes twice on {_day(at)}: it runs at the first."


def _named(times: list[datetime]) -> str:
    words = [f"{at:%H:%M}" for at in times]
    if len(words) > _MOST_NAMED:
        return f"{words[0]} to {words[-1]}"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]}"
