"""What an explanation is made of: a task, its plan, the row of a slot, what went on around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import FireTimes, ScheduleType


@dataclass(frozen=True, slots=True)
class Row:
    """A run.

    Attributes:
        slot, until, count: the slot, and the last one and the number of those folded into it.
        waits: what a queued run waits for, in words; `ahead`: how many wait before it.
    """

    id: int
    status: Status
    trigger: Trigger
    queued_at: datetime
    slot: datetime | None = None
    until: datetime | None = None
    count: int = 1
    reason: Reason | None = None
    exit_code: int | None = None
    signal: int | None = None
    attempts: int = 0
    max_attempts: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retry_at: datetime | None = None
    detail: str = ""
    waits: str = ""
    ahead: int = 0
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt of the run that is explained."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    exit_code: int | None
    signal: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What decides when a task starts, at one time of its life.

    Attributes:
        calendar: its local times as if clocks were never changed, read in UTC; None for a schedule
            that knows no local time (an interval, a single date).
        words: the shorthand of the schedule.
    """

    times: FireTimes
    calendar: FireTimes | None
    kind: ScheduleType
    words: str
    zone: ZoneInfo
    offset: timedelta = timedelta()
    active: bool = True
    lost_zone: str = ""  # its own, where this machine has no data of it; `zone` stands in


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody made, changed or took away the task. None: there was, or is, no task."""

    at: datetime
    actor: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """The task as it is now."""

    name: str
    plan: Planned
    next_run_at: datetime | None
    overlap: str = "skip"
    missed: str = "once"
    deadline: timedelta | None = None
    timeout: timedelta | None = None
    max_retries: int = 0
    success_codes: tuple[int, ...] = (0,)
    on_lost: str = "mark"
    pool: str | None = None
    archived_at: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    paused_by: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What went on around the slot that is explained, as far as it matters to its verdict.

    Attributes:
        other: the run that was going, or that took its place.
        stopped_by: who stopped it.
        gone_at, back_at: when the engine before stopped (None: not known), and the next one began.
        stepped: by how much somebody moved the clock, in words, if that is why nobody was there.
        kept_since: the oldest slot that still has a row.
    """

    row: Row | None = None
    other: Row | None = None
    tries: tuple[Try, ...] = ()
    stopped_by: str = ""
    gone_at: datetime | None = None
    back_at: datetime | None = None
    stepped: str = ""
    by_hand: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()  # of its plan, from the slot on, oldest first
    kept_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """Who would start it."""

    runs: bool = True
    paused_at: datetime | None = None
