"""What a user may choose from, in words: light to load, for those who only show them."""

from __future__ import annotations

from enum import StrEnum


class ScheduleType(StrEnum):
    """The seven kinds of schedule."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    CUSTOM = "custom"
    INTERVAL = "interval"
    ONCE = "once"
    MANUAL = "manual"

    @property
    def is_cron(self) -> bool:
        """Whether five fields say it."""
        return self in (self.HOURLY, self.DAILY, self.WEEKLY, self.CUSTOM)


class Overlap(StrEnum):
    """What a slot does that finds the last run of its task still going."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class Missed(StrEnum):
    """What becomes of slots that passed while nobody was there."""

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"


class OnLost(StrEnum):
    """What becomes of a run whose end nobody can know (the machine went down)."""

    MARK = "mark"
    RERUN = "rerun"


class Notify(StrEnum):
    """After which runs people are told."""

    FAILURE = "failure"
    SUCCESS = "success"
    ALWAYS = "always"
    NEVER = "never"
