"""What a change of the clock (summer time and its like) did to the slots around a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronpilot.domain.schedule import FireTimes
from cronpilot.domain.why_facts import Planned
from cronpilot.domain.why_words import Teller
from cronpilot.domain.zones import Change, changes

_MANY = 100  # slots of a skipped hour are counted up to that
_MOMENT = timedelta(microseconds=1)


def clock_changes(plan: Planned, at: datetime, slot: datetime, tell: Teller) -> list[str]:
    """Sentences about each change that bears on a slot or on the moment asked about."""
    calendar = plan.calendar
    if calendar is None:
        return []
    near = timedelta(hours=26)
    found = []
    for change in changes(plan.zone, at - near, at + near):
        length = abs(change.shift)
        if change.shift > timedelta() and (slot == change.at or _within(at, change, length)):
            found.append(_forward(change, calendar, slot, tell))
        if change.shift < timedelta() and change.at - length <= slot < change.at + length:
            found.append(_back(change, plan.times, slot))
    return found


def _within(at: datetime, change: Change, length: timedelta) -> bool:
    """A local time that the clock skipped is asked about by the moment right after it."""
    return change.at <= at < change.at + min(length, timedelta(minutes=1))


def _forward(change: Change, calendar: FireTimes, slot: datetime, tell: Teller) -> str:
    begin, end = _as_utc(change.local_end), _as_utc(change.local_start)
    swallowed = calendar.count(begin - _MOMENT, end - _MOMENT, _MANY)
    head = f"The clock went from {begin:%H:%M} to {end:%H:%M} at {tell.at(change.at)}"
    if not swallowed:
        return f"{head}; no slot of this task lies in the hour that was skipped."
    if slot != change.at or calendar.latest(end) == end:
        return (
            f"{head}: {_times(swallowed)} in it did not exist that day, and a schedule that follows"
            " the clock starts nothing for them."
        )
    if swallowed == 1:
        return f"{head}: {calendar.latest(end):%H:%M} did not exist, so it started right after."
    return f"{head}: {_times(swallowed)} in it became one start, right after."


def _back(change: Change, times: FireTimes, slot: datetime) -> str:
    begin, end = _as_utc(change.local_start), _as_utc(change.local_end)
    head = f"The clock was put back from {end:%H:%M} to {begin:%H:%M} that day"
    if slot >= change.at:
        return f"{head}: this was the second pass of that hour."
    if times.latest(slot - change.shift) == slot - change.shift:
        return f"{head}: this was the first pass of that hour, and it starts in both."
    return f"{head}: this was the first pass of that hour, and it starts in that one only."


def _times(count: int) -> str:
    return "one time of this task" if count == 1 else f"{count} times of this task"


def _as_utc(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)
