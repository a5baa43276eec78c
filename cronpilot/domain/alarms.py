"""Alarms that set themselves: what is unusually late or long for a task, by its own history. Pure.

Bounds are for being few and certain: an alarm that is wrong once a week is switched off by the
second week. So the last good runs decide, single outliers among them do not, and there is a floor
below which nothing is worth an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from statistics import median
from typing import Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from cronpilot.domain.duration import format_duration, parse_duration

SAMPLES = 50
"""Good runs that are looked at, the newest ones."""
FEWEST = 5
"""With fewer of them nobody knows what is usual."""
FLOOR = timedelta(minutes=1)
"""Nothing shorter than this is late, or too long, unless a task says so itself."""
SKIPPED_UNKNOWN, SKIPPED_LEAST = 10, 3
"""Slots in a row without a run: of a task without a history, and of any."""

_SPREADS = 6.0  # median absolute deviations (as standard deviations) above the median
_NORMAL = 1.4826  # makes of a median absolute deviation what a standard deviation would be
_SECOND = timedelta(seconds=1)


class Auto(StrEnum):
    """How an alarm is set without a number."""

    AUTO = "auto"
    OFF = "off"


def _bound(value: Any) -> timedelta | Auto:
    if isinstance(value, str) and value in ("auto", "off"):
        return Auto(value)
    if isinstance(value, timedelta):
        found = value
    elif isinstance(value, str):
        try:
            found = parse_duration(value)
        except ValueError as error:
            raise ValueError(f"{error}; or auto, or off") from None
    else:
        raise ValueError("must be a duration such as 5m, or auto, or off")
    if found < _SECOND:
        raise ValueError("must be a second (1s) or more, or off")
    return found


def _count(value: Any) -> int | Auto:
    if isinstance(value, str) and value in ("auto", "off"):
        return Auto(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000:
        raise ValueError("must be a whole number from 1 to 10000, or auto, or off")
    return value


def _say(value: timedelta | int | Auto) -> int | str:
    if isinstance(value, timedelta):
        return format_duration(value)
    return str(value) if isinstance(value, Auto) else value


Bound = Annotated[
    timedelta | Auto,
    PlainValidator(_bound),
    PlainSerializer(_say, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["auto", "off", "5m"]}),
]
Count = Annotated[
    int | Auto,
    PlainValidator(_count),
    PlainSerializer(_say, return_type=int | str),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "enum": ["auto", "off"]}]}),
]


_USUAL = (Auto.AUTO, Auto.AUTO, Auto.OFF, Auto.AUTO)


class Alarms(BaseModel):
    """When a task is unusual. `off` alone switches all of them off, and is written so."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    late: Bound = Auto.AUTO  # starts so much after its time
    long: Bound = Auto.AUTO  # goes on for so long
    silent: Bound = Auto.OFF  # no success for so long
    skipped: Count = Auto.AUTO  # so many slots in a row without a run

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value not in ("auto", "off"):
                raise ValueError("must be off, auto, or keys such as {long: 2h}")
            return dict.fromkeys(cls.model_fields, "off") if value == "off" else {}
        return value

    @model_serializer(mode="wrap")
    def _as_word(self, handler: SerializerFunctionWrapHandler) -> Any:
        if (self.late, self.long, self.silent, self.skipped) == _USUAL:  # those of nearly all tasks
            return "auto"
        told = {
            name: value
            for name, value in handler(self).items()
            if getattr(self, name) != type(self).model_fields[name].default
        }
        if all(getattr(self, name) is Auto.OFF for name in type(self).model_fields):
            return "off"
        return told or "auto"

    def __hash__(self) -> int:
        return hash((self.late, self.long, self.silent, self.skipped))


# --- what is usual -------------------------------------------------------------------------------


class Usual(NamedTuple):
    """How long something usually takes.

    Attributes:
        low, high: the band in which nine of ten lie.
        alarm: beyond this it is not usual any more.
    """

    low: timedelta
    typical: timedelta
    high: timedelta
    alarm: timedelta


def usual(samples: Sequence[timedelta], *, floor: timedelta = FLOOR) -> Usual | None:
    """What these samples say; None of fewer than `FEWEST`. Their order does not matter.

    The alarm is beyond twice the median, beyond half as much again as all but the longest
    twentieth (a weekly full backup among daily quick ones is usual), and beyond six spreads.
    """
    if len(samples) < FEWEST:
        return None
    ordered = sorted(sample / _SECOND for sample in samples)
    middle = median(ordered)
    spread = _NORMAL * median([abs(one - middle) for one in ordered])
    low, high = _quantile(ordered, 0.05), _quantile(ordered, 0.95)
    alarm = max(floor / _SECOND, 2 * middle, 1.5 * high, middle + _SPREADS * spread)
    return Usual(*(timedelta(seconds=one) for one in (low, middle, high, alarm)))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: always one of the samples."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def bound(setting: timedelta | Auto, history: Usual | None) -> timedelta | None:
    """From when on it is an alarm; None: never."""
    if isinstance(setting, timedelta):
        return setting
    if setting is Auto.OFF or history is None:
        return None
    return history.alarm


def skip_bound(
    setting: int | Auto, length: timedelta | None, between: timedelta | None
) -> int | None:
    """How many slots in a row without a run are an alarm; None: never.

    Args:
        length: from when on a run is too long; a run that is not may well cover slots.
        between: the time from one slot to the next, as far as it is known.
    """
    if not isinstance(setting, Auto):
        return setting
    if setting is Auto.OFF:
        return None
    if length is None or not between:
        return SKIPPED_UNKNOWN
    return max(SKIPPED_LEAST, math.ceil(2 * length / between))
