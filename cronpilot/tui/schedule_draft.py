"""A schedule while it is typed: what stands in its fields, and what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from cronpilot.domain.schedule import DAYS, Schedule, ScheduleType
from cronpilot.domain.zones import find_zone
from cronpilot.errors import CronPilotError, InvalidSchedule

_CLOCK = re.compile(r"([0-9]{1,2}):?([0-9]{2})")


class Problem(NamedTuple):
    """What is wrong with a field, and what to do about it."""

    problem: str
    hint: str = ""


Problems = Mapping[str, Problem]
"""By the name of the field."""

FIELDS: Mapping[ScheduleType, tuple[str, ...]] = {
    ScheduleType.HOURLY: ("minute",),
    ScheduleType.DAILY: ("time",),
    ScheduleType.WEEKLY: ("days", "time"),
    ScheduleType.CUSTOM: ("expression",),
    ScheduleType.INTERVAL: ("every",),
    ScheduleType.ONCE: ("at",),
    ScheduleType.MANUAL: (),
}
"""The fields that each type has, in the order in which they are filled in."""


_MISSING: Mapping[ScheduleType, Problem] = {
    ScheduleType.INTERVAL: Problem("A length of time is missing.", "Write 90s or 1h30m."),
    ScheduleType.ONCE: Problem("A date and a time are missing.", "Write 2026-12-24 18:00."),
}


@dataclass(frozen=True, slots=True)
class ScheduleDraft:
    """What stands in the fields, whichever type is chosen: to change one's mind loses nothing.

    Attributes:
        minute: empty: the minute at which it is saved.
        time: of day, `02:30`.
        days: of `mon` to `sun`, in that order.
        timezone: empty: the scheduler's.
    """

    type: ScheduleType = ScheduleType.DAILY
    minute: str = "0"
    time: str = "02:30"
    days: tuple[str, ...] = ("mon",)
    expression: str = "30 2 * * *"
    every: str = "1h"
    at: str = ""
    timezone: str = ""

    @classmethod
    def of(cls, schedule: Schedule, timezone: str | None) -> ScheduleDraft:
        """The fields that show this schedule; those of other types show the same where they can."""
        config = schedule.config
        days = config.get("day_of_week", "mon")
        filled: dict[str, Any] = {
            "days": (days,) if isinstance(days, str) else tuple(days),
            "minute": str(config.get("minute", "" if schedule.type is ScheduleType.HOURLY else 0)),
            "expression": schedule.expression,
            "every": config.get("every"),
            "at": str(config["at"]).replace("T", " ") if "at" in config else None,
        }
        if "hour" in config:
            filled["time"] = f"{config['hour']:02}:{config['minute']:02}"
        given = {name: value for name, value in filled.items() if value is not None}
        return cls(type=schedule.type, timezone=timezone or "", **given)

    def config(self) -> dict[str, Any]:
        """The long form's `config` of the chosen type. Raises InvalidSchedule for a bad time."""
        match self.type:
            case ScheduleType.HOURLY:
                minute = self.minute.strip().removeprefix(":")
                return {"minute": minute} if minute else {}
            case ScheduleType.DAILY:
                return _clock(self.time)
            case ScheduleType.WEEKLY:
                return {"day_of_week": [day for day in DAYS if day in self.days],
                        **_clock(self.time)}  # fmt: skip
            case ScheduleType.CUSTOM:
                return {"cron_expression": self.expression}
            case ScheduleType.INTERVAL:
                return {"every": self.every.strip().removeprefix("every ")}
            case ScheduleType.ONCE:
                return {"at": self.at.strip().replace(" ", "T", 1)}
            case ScheduleType.MANUAL:
                return {}


def read_schedule(draft: ScheduleDraft) -> tuple[Schedule | None, Problems]:
    """The schedule that the draft says; None, and what is wrong with which field."""
    problems: dict[str, Problem] = {}
    if draft.timezone.strip():
        try:
            find_zone(draft.timezone.strip())
        except InvalidSchedule as error:
            problems["timezone"] = Problem(error.problem, error.hint)
    schedule = None
    if draft.type in _MISSING and not getattr(draft, FIELDS[draft.type][0]).strip():
        return None, {**problems, FIELDS[draft.type][0]: _MISSING[draft.type]}
    try:
        schedule = Schedule.model_validate({"type": draft.type, "config": draft.config()})
    except InvalidSchedule as error:
        problems["time"] = Problem(error.problem, error.hint)
    except ValidationError as error:
        problems[_field(draft)] = _cause(error)
    return schedule, problems


def _field(draft: ScheduleDraft) -> str:
    """The field of the chosen type that a complaint is about."""
    if draft.type is ScheduleType.WEEKLY and draft.days:
        return "time"
    return FIELDS[draft.type][0]


def _cause(error: ValidationError) -> Problem:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, CronPilotError):
        words = cause.problem.replace("day_of_week is empty.", "No day is chosen.")
        return Problem(words, cause.hint)
    return Problem(f"{first['msg']}.")


def _clock(text: str) -> dict[str, int]:
    """`2:30`, `02:30` and `0230` as hour and minute."""
    found = _CLOCK.fullmatch(text.strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        given = f"{text.strip()!r} is not a time of day." if text.strip() else "A time is missing."
        raise InvalidSchedule(given, "Write 02:30; the last one is 23:59.")
    return {"hour": int(found[1]), "minute": int(found[2])}
