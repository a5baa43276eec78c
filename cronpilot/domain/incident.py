"""Incidents: one per fault, opened by a failure, told once, ended by exactly one recovery. Pure.

A fault of a task is a series of bad ends that nothing good has interrupted. What is said of it are
`Word`s; who hears them is another question (see `cronpilot.notify.rules`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

SETTLED = timedelta(hours=6)
"""What was told so shortly before the daily line is not in it: it is still news."""


class Fault(StrEnum):
    """What can be wrong with a task; each has its own incident."""

    FAILURE = "failure"  # its runs fail
    LATE = "late"  # its start is overdue
    LONG = "long"  # its run takes too long
    SKIPPED = "skipped"  # slot after slot passes without a run
    SILENT = "silent"  # no success for too long


class Word(StrEnum):
    """What is to be said of an observation."""

    BREWING = "brewing"  # bad, but not yet often enough in a row
    OPENED = "opened"
    REPEATED = "repeated"
    REMINDED = "reminded"
    RECOVERED = "recovered"
    SUCCEEDED = "succeeded"  # good, and nothing was wrong


@dataclass(frozen=True, slots=True)
class Standing:
    """A fault as it stands.

    Attributes:
        since: when the first of its bad ends was.
        count: bad ends in a row.
        opened_at: None while they are too few to be an incident.
        told_at: when it was told or reminded of last.
        acknowledged: somebody looks after it: no more daily lines.
        snoozed_until: no daily lines until then.
    """

    since: datetime
    count: int
    last_at: datetime
    opened_at: datetime | None = None
    told_at: datetime | None = None
    acknowledged: bool = False
    snoozed_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None


def after_bad(standing: Standing | None, at: datetime, *, after: int = 1) -> tuple[Standing, Word]:
    """One more bad end.

    Args:
        standing: None while nothing was wrong.
        after: how many in a row make an incident.
    """
    if standing is None:
        standing = Standing(since=at, count=0, last_at=at)
    standing = replace(standing, count=standing.count + 1, last_at=at)
    if standing.is_open:
        return standing, Word.REPEATED
    if standing.count < after:
        return standing, Word.BREWING
    return replace(standing, opened_at=at, told_at=at), Word.OPENED


def after_good(standing: Standing | None) -> Word:
    """Something good: the fault, if there was one, is over."""
    if standing is not None and standing.is_open:
        return Word.RECOVERED
    return Word.SUCCEEDED


def is_reminder_due(standing: Standing, now: datetime, newest_daily: datetime) -> bool:
    """Whether its daily line is due: once a day, and once when a snooze has ended.

    Args:
        newest_daily: the last moment at or before `now` at which daily lines are told.
    """
    if not standing.is_open or standing.acknowledged or standing.told_at is None:
        return False
    if standing.snoozed_until is not None:
        if now < standing.snoozed_until:
            return False
        if standing.told_at < standing.snoozed_until:
            return True
    return standing.told_at + SETTLED <= newest_daily


def reminded(standing: Standing, now: datetime) -> Standing:
    """Its line was told."""
    return replace(standing, told_at=now)


def newest_daily(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The last moment at or before `now` that shows `at` on the clocks of `zone`."""
    local = now.astimezone(zone)
    moment = datetime.combine(local.date(), at, zone)
    if moment.astimezone(now.tzinfo) > now:
        moment = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return moment.astimezone(now.tzinfo)
