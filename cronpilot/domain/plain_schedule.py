"""A stored schedule, and the expression it stands for: light to load, for those who check none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from cronpilot.domain.choices import ScheduleType


class Scheduled(Protocol):
    """What `domain.explain` has to know of a schedule."""

    @property
    def type(self) -> ScheduleType: ...

    @property
    def config(self) -> Mapping[str, Any]: ...

    @property
    def expression(self) -> str | None: ...


class PlainSchedule(NamedTuple):
    """A schedule as it was stored, in its normal form: `domain.schedule.Schedule` checked it."""

    type: ScheduleType
    config: Mapping[str, Any]

    @property
    def expression(self) -> str | None:
        return expression_of(self.type, self.config)


def expression_of(kind: ScheduleType, config: Mapping[str, Any]) -> str | None:
    """The cron expression of a schedule in its normal form, with its `H`; None where there is none
    (yet)."""
    match kind:
        case ScheduleType.HOURLY if config:
            return f"{config['minute']} * * * *"
        case ScheduleType.DAILY:
            return f"{config['minute']} {config['hour']} * * *"
        case ScheduleType.WEEKLY:
            return f"{config['minute']} {config['hour']} * * {days_of(config)}"
        case ScheduleType.CUSTOM:
            return str(config["cron_expression"])
        case _:
            return None


def shorthand_of(kind: ScheduleType, config: Mapping[str, Any]) -> str:
    """The one line that a user would write for a schedule in its normal form."""
    match kind:
        case ScheduleType.HOURLY:
            return f"hourly :{config['minute']:02}" if config else "hourly"
        case ScheduleType.DAILY:
            return f"daily {config['hour']:02}:{config['minute']:02}"
        case ScheduleType.WEEKLY:
            return f"weekly {days_of(config)} {config['hour']:02}:{config['minute']:02}"
        case ScheduleType.CUSTOM:
            return str(config["cron_expression"])
        case ScheduleType.INTERVAL:
            return f"every {config['every']}"
        case ScheduleType.ONCE:
            return f"once {str(config['at']).replace('T', ' ')}"
        case ScheduleType.MANUAL:
            return "manual"


def days_of(config: Mapping[str, Any]) -> str:
    """The days of a weekly schedule, joined by commas."""
    days = config["day_of_week"]
    return days if isinstance(days, str) else ",".join(days)
