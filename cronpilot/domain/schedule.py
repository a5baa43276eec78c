"""The schedule types, their config, and shorthand text <-> config.

A schedule is what a user wrote. It is *resolved* once, when it is set: `hourly` takes the minute
of that moment, `H` becomes numbers, an interval gets its anchor. The resolved text is stored beside
the schedule, and `fire_times` makes of it something that can be asked for fire times.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.cron import Cron, resolve_hashes
from cronpilot.domain.duration_text import format_duration, parse_duration
from cronpilot.domain.plain_schedule import expression_of, shorthand_of
from cronpilot.domain.zones import find_zone, to_instant
from cronpilot.errors import InvalidSchedule

__all__ = ["FireTimes", "Schedule", "ScheduleType", "find_zone", "fire_times", "resolve"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = dict(
    zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), DAYS,
        strict=True)
)  # fmt: skip
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
SHORTEST_INTERVAL = timedelta(seconds=1)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199  # of a single date; others are slips of the keyboard


class Schedule(BaseModel):
    """A schedule as its user set it.

    Made from the long form (`type`, `config`), from shorthand text, or from a long form whose
    `config` is JSON text. `config` holds its keys in one normal form, so that two schedules that
    mean the same are equal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    type: ScheduleType
    config: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_any_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return parse_shorthand(value)
        if not isinstance(value, dict):
            return value
        form = dict(value)
        if isinstance(form.get("type"), str):
            form["type"] = form["type"].lower()
        if isinstance(form.get("config"), str):
            form["config"] = _from_json(form["config"])
        return form

    @model_validator(mode="after")
    def _normal_form(self) -> Schedule:
        normal = _NORMALISE[self.type](dict(self.config))
        if normal != self.config:
            object.__setattr__(self, "config", normal)
        return self

    def __hash__(self) -> int:
        return hash((self.type, json.dumps(self.config, sort_keys=True)))

    @property
    def expression(self) -> str | None:
        """The cron expression it stands for, with its `H`; None where there is none (yet)."""
        return expression_of(self.type, self.config)

    @property
    def shorthand(self) -> str:
        """The one line that a user would write; `Schedule.model_validate` reads it back equal."""
        return shorthand_of(self.type, self.config)


# --- shorthand -----------------------------------------------------------------------------------

_FORMS = {
    "hourly": "hourly, or hourly :30",
    "daily": "daily 02:30",
    "weekly": "weekly mon,thu 09:00",
    "every": "every 90s",
    "once": "once 2026-12-24 18:00",
    "manual": "manual",
}


def parse_shorthand(text: str) -> dict[str, Any]:
    """`daily 14:30` and its like as {type, config}; five fields or an alias as custom.

    Raises:
        InvalidSchedule: the text is none of the forms.
    """
    word, _, rest = " ".join(text.split()).partition(" ")
    word = word.lower()
    match word:
        case "manual" if not rest:
            return {"type": "manual", "config": {}}
        case "hourly" if not rest:
            return {"type": "hourly", "config": {}}
        case "hourly" if re.fullmatch(r":[0-9]{2}", rest):
            return {"type": "hourly", "config": {"minute": int(rest[1:])}}
        case "daily" if clock := _clock(rest):
            return {"type": "daily", "config": clock}
        case "weekly":
            days, _, last = rest.rpartition(" ")
            if days and (clock := _clock(last)):
                named = days.lower().replace(" ", "").split(",")
                config = {"day_of_week": named[0] if len(named) == 1 else named, **clock}
                return {"type": "weekly", "config": config}
        case "every" if rest:
            return {"type": "interval", "config": {"every": rest}}
        case "once" if rest:
            return {"type": "once", "config": {"at": rest.replace(" ", "T", 1)}}
    if word in _FORMS:
        raise InvalidSchedule(f"{text!r} cannot be read as a schedule.", f"Write {_FORMS[word]}.")
    if word.isalpha() and len(text.split()) < 5:
        near = difflib.get_close_matches(word, _FORMS, n=1)
        raise InvalidSchedule(
            f"{text!r} is not a schedule.",
            f"Did you mean {_FORMS[near[0]]}?" if near else _ALL_FORMS,
        )
    if word.startswith("@") or len(text.split()) > 1:
        return {"type": "custom", "config": {"cron_expression": text}}
    raise InvalidSchedule(f"{text!r} is not a schedule.", _ALL_FORMS)


_ALL_FORMS = f"Use {'; '.join(_FORMS.values())}; or five cron fields."


def _clock(text: str) -> dict[str, int] | None:
    found = _CLOCK.fullmatch(text)
    return {"hour": int(found[1]), "minute": int(found[2])} if found else None


# --- config in its normal form -------------------------------------------------------------------


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSchedule(
            f"config is not JSON: {error}.", 'Write {"hour": 14, "minute": 30}.'
        ) from None


def _number(config: dict[str, Any], key: str, most: int, default: int | None = None) -> int:
    value = config.pop(key, default)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        given = "is missing" if value is None else f"cannot be {value!r}"
        raise InvalidSchedule(f"{key} {given}.", f"Use a number from 0 to {most}.")
    return value


def _no_more(config: dict[str, Any], kind: str, allowed: str) -> None:
    if config:
        raise InvalidSchedule(
            f"{kind} does not know {next(iter(config))!r}.", f"It takes {allowed}."
        )


def _hourly(config: dict[str, Any]) -> dict[str, Any]:
    normal = {"minute": _number(config, "minute", 59)} if "minute" in config else {}
    _no_more(config, "hourly", "minute, or nothing")
    return normal


def _daily(config: dict[str, Any]) -> dict[str, Any]:
    normal = {"hour": _number(config, "hour", 23), "minute": _number(config, "minute", 59, 0)}
    _no_more(config, "daily", "hour and minute")
    return normal


def _weekly(config: dict[str, Any]) -> dict[str, Any]:
    given = config.pop("day_of_week", None)
    names = given if isinstance(given, list) else str(given).split(",")
    days = []
    for name in names:
        day = str(name).strip().lower()
        day = _LONG_DAYS.get(day, day)
        if day not in DAYS:
            raise InvalidSchedule(
                "day_of_week is missing." if given is None else f"There is no day {name!r}.",
                "Use mon, tue, wed, thu, fri, sat, sun, or a list of them such as mon,thu.",
            )
        days.append(day)
    if not days:
        raise InvalidSchedule("day_of_week is empty.", "Name at least one day.")
    days = [day for day in DAYS if day in days]
    normal = {
        "day_of_week": days[0] if len(days) == 1 else days,
        "hour": _number(config, "hour", 23),
        "minute": _number(config, "minute", 59, 0),
    }
    _no_more(config, "weekly", "day_of_week, hour and minute")
    return normal


def _custom(config: dict[str, Any]) -> dict[str, Any]:
    expression = config.pop("cron_expression", None)
    if not isinstance(expression, str):
        raise InvalidSchedule(
            "cron_expression is missing.", "Write five fields, such as 0 */2 * * *."
        )
    _no_more(config, "custom", "cron_expression")
    # H is a number only once a task owns the schedule; any seed shows whether the rest is right.
    Cron.parse(resolve_hashes(expression, seed=""))
    return {"cron_expression": " ".join(expression.split())}


def _interval(config: dict[str, Any]) -> dict[str, Any]:
    every = config.pop("every", None)
    _no_more(config, "interval", "every")
    try:
        length = parse_duration(every) if isinstance(every, str) else None
    except ValueError as error:
        raise InvalidSchedule(f"every: {error}.") from None
    if length is None or length < SHORTEST_INTERVAL:
        raise InvalidSchedule(f"every cannot be {every!r}.", "Use at least 1s, such as every 90s.")
    return {"every": format_duration(length)}


def _once(config: dict[str, Any]) -> dict[str, Any]:
    at = config.pop("at", None)
    _no_more(config, "once", "at")
    moment = _moment(at)
    if moment is None:
        raise InvalidSchedule(f"{at!r} is not a date and time.", "Write 2026-12-24 18:00.")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise InvalidSchedule(
            f"The year {moment.year} cannot be meant.", f"Use {_FIRST_YEAR} to {_LAST_YEAR}."
        )
    precise = "seconds" if moment.second else "minutes"
    return {"at": moment.replace(microsecond=0, fold=0).isoformat(timespec=precise)}


def _moment(at: Any) -> datetime | None:
    """A date with a time of day, as text or as YAML's own; a date alone is none."""
    if isinstance(at, datetime):
        return at
    if not isinstance(at, str) or len(at) < len("2026-12-24T18:00"):
        return None
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None


def _manual(config: dict[str, Any]) -> dict[str, Any]:
    _no_more(config, "manual", "nothing")
    return {}


_NORMALISE: dict[ScheduleType, Callable[[dict[str, Any]], dict[str, Any]]] = {
    ScheduleType.HOURLY: _hourly,
    ScheduleType.DAILY: _daily,
    ScheduleType.WEEKLY: _weekly,
    ScheduleType.CUSTOM: _custom,
    ScheduleType.INTERVAL: _interval,
    ScheduleType.ONCE: _once,
    ScheduleType.MANUAL: _manual,
}


# --- resolved: what fires when -------------------------------------------------------------------


class FireTimes(Protocol):
    """Something that fires. All instants are aware UTC; all answers are stateless."""

    def next_after(self, after: datetime) -> datetime | None:
        """The first fire time strictly after `after`; None when there is none any more."""

    def latest(self, until: datetime) -> datetime | None:
        """The last fire time at or before `until`; None when there is none."""

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        """How many fire times lie in (after, until]; counting stops at `cap`."""


def resolve(schedule: Schedule, *, zone: ZoneInfo, set_at: datetime, seed: str) -> str:
    """What is stored beside the schedule, so that it keeps its meaning from `set_at` on.

    Args:
        set_at: the aware moment at which it is set: gives `hourly` its minute, an interval its
            anchor (whole seconds).
        seed: names the task; spreads `H` over the field.
    Returns:
        A cron expression, `<anchor>/<every>`, an instant, or the empty text for manual.
    """
    config = schedule.config
    match schedule.type:
        case ScheduleType.HOURLY if not config:
            return f"{set_at.astimezone(zone).minute} * * * *"
        case ScheduleType.INTERVAL:
            anchor = set_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
            return f"{anchor.isoformat()}Z/{config['every']}"
        case ScheduleType.ONCE:
            at = datetime.fromisoformat(config["at"])
            instant = to_instant(at, zone) if at.tzinfo is None else at.astimezone(UTC)
            return f"{instant.replace(tzinfo=None).isoformat()}Z"
        case ScheduleType.MANUAL:
            return ""
        case _:
            return resolve_hashes(schedule.expression or "", seed=seed)


def anchored_by(type_: ScheduleType, resolved: str, now: datetime) -> str:
    """`resolved` as it fires from `now` on, also when the clock was set back behind an interval's
    anchor: that moves back by whole intervals, so that the fire times stay where they were."""
    if type_ is not ScheduleType.INTERVAL:
        return resolved
    text, _, every = resolved.partition("/")
    anchor, step = datetime.fromisoformat(text), parse_duration(every)
    if anchor > now:
        anchor -= -((now - anchor) // step) * step
    return f"{anchor.replace(tzinfo=None).isoformat()}Z/{every}"


def fire_times(type_: ScheduleType, resolved: str, zone: ZoneInfo) -> FireTimes:
    """The fire times of a resolved schedule (see `resolve`)."""
    match type_:
        case ScheduleType.INTERVAL:
            anchor, _, every = resolved.partition("/")
            return _Interval(datetime.fromisoformat(anchor), parse_duration(every))
        case ScheduleType.ONCE:
            return _Once(datetime.fromisoformat(resolved))
        case ScheduleType.MANUAL:
            return _Never()
        case _:
            return _Calendar(Cron.parse(resolved), zone)


@dataclass(frozen=True, slots=True)
class _Calendar:
    cron: Cron
    zone: ZoneInfo

    def next_after(self, after: datetime) -> datetime | None:
        return self.cron.next_after(after, self.zone)

    def latest(self, until: datetime) -> datetime | None:
        return self.cron.latest(until, self.zone)

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        return self.cron.count(after, until, self.zone, cap)


@dataclass(frozen=True, slots=True)
class _Interval:
    """Every `every` from the anchor on, the anchor itself excluded: a task that was just made does
    not start at once."""

    anchor: datetime
    every: timedelta

    def next_after(self, after: datetime) -> datetime:
        return self.anchor + (max(0, self._index(after)) + 1) * self.every

    def latest(self, until: datetime) -> datetime | None:
        index = self._index(until)
        return self.anchor + index * self.every if index >= 1 else None

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        return min(cap, max(0, self._index(until) - max(0, self._index(after))))

    def _index(self, at: datetime) -> int:
        return (at - self.anchor) // self.every


@dataclass(frozen=True, slots=True)
class _Once:
    at: datetime

    def next_after(self, after: datetime) -> datetime | None:
        return self.at if self.at > after else None

    def latest(self, until: datetime) -> datetime | None:
        return self.at if self.at <= until else None

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        return min(cap, int(after < self.at <= until))


@dataclass(frozen=True, slots=True)
class _Never:
    def next_after(self, after: datetime) -> None:
        return None

    def latest(self, until: datetime) -> None:
        return None

    def count(self, after: datetime, until: datetime, cap: int) -> int:
        return 0
