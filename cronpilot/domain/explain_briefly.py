"""A cron expression in so few words that they fit a column of a table; the usual ones only.

What is said is the whole of it: an expression that cannot be told so briefly has no such words,
and is shown as it is written.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.cron import Cron
from cronpilot.domain.cron_grammar import Fields, has_hash
from cronpilot.domain.explain import (
    EVERY_DATE,
    EVERY_MONTH,
    EVERY_WEEKDAY,
    WEEKDAYS,
    members,
    neighbours,
    ordinal,
)
from cronpilot.domain.plain_schedule import Scheduled

_MOST = 3  # times of day, minutes or dates that are listed one by one


def explain_briefly(schedule: Scheduled, *, resolved: str | None = None) -> str:
    """What `explain` says, in few words; empty where it takes more, or is brief as it is written.

    Args:
        resolved: what `resolve` made of it, for the numbers of an `H` and the minute of `hourly`.
    """
    if schedule.type is ScheduleType.ONCE:
        return str(schedule.config["at"]).replace("T", " ")
    expression = resolved or schedule.expression
    if not schedule.type.is_cron or expression is None or has_hash(expression):
        return ""
    return explain_cron_briefly(expression) or ""


@lru_cache(maxsize=16_384)
def explain_cron_briefly(expression: str) -> str | None:
    """`Mon-Fri 06:30`, `every 10m 07:00-22:50`, `monthly 1st 04:00`; None if it takes more words.

    A range of times names its first and its last slot of the day.

    Raises:
        InvalidSchedule: it cannot be read.
    """
    fields = Cron.parse(expression).fields
    days, listed, rule = _days(fields), _listed_times(fields), _rule(fields)
    if days is None:
        return None
    if listed:
        return f"{days or 'daily'} {listed}"
    return f"{days} {rule}".strip() if rule else None


def _days(fields: Fields) -> str | None:
    """The days on which it runs: empty for every day, None for what takes more words."""
    special = fields.nth_weekdays or fields.last_weekdays
    if special or fields.last_day or fields.last_working_day or fields.months != EVERY_MONTH:
        return None
    every_date = fields.days_of_month == EVERY_DATE
    every_weekday = fields.weekdays == EVERY_WEEKDAY
    if (every_date and every_weekday) or (not fields.both_days and (every_date or every_weekday)):
        return ""
    if not fields.both_days or not (every_date or every_weekday):
        return None
    if every_date:
        days = sorted((day - 1) % 7 for day in members(fields.weekdays))
        runs = neighbours([WEEKDAYS[day][:3] for day in days], days)
        return " ".join(run.replace(" to ", "-") for run in runs)
    dates = members(fields.days_of_month)
    return f"monthly {' '.join(map(ordinal, dates))}" if len(dates) <= _MOST else None


def _listed_times(fields: Fields) -> str:
    """`02:00, 14:00`; empty when there are more."""
    minutes, hours = members(fields.minutes), members(fields.hours)
    if len(minutes) * len(hours) > _MOST:
        return ""
    return ", ".join(f"{hour:02}:{minute:02}" for hour in hours for minute in minutes)


def _rule(fields: Fields) -> str:
    """Many times of day as a rule; empty when there is none that is brief."""
    minutes, hours = members(fields.minutes), members(fields.hours)
    step = _step(hours)
    if not step:
        return ""
    reach = f"{hours[0]:02}:{minutes[0]:02}-{hours[-1]:02}:{minutes[-1]:02}"
    all_day = len(hours) == 24
    if len(minutes) == 1:
        if step > 1:
            return f"every {step}h {reach}"
        return f"hourly :{minutes[0]:02}" if all_day else f"hourly {reach}"
    if step > 1:
        return ""
    step = _step(minutes)
    if step * len(minutes) == 60:  # as far from the last of an hour to the first of the next
        every = "every minute" if step == 1 else f"every {step}m"
        if not all_day:
            return f"{every} {reach}"
        return every if minutes[0] == 0 else f"{every} from :{minutes[0]:02}"
    if all_day and len(minutes) <= _MOST:
        return "hourly " + " ".join(f":{minute:02}" for minute in minutes)
    return ""


def _step(numbers: list[int]) -> int:
    """The one distance between neighbours; 1 for a single number, 0 where they differ."""
    distances = {after - before for before, after in pairwise(numbers)}
    return distances.pop() if len(distances) == 1 else 0 if distances else 1
