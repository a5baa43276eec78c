"""A schedule in plain English.

The days are worded here, from the expanded fields: cron-descriptor 2.1 says "or" where a starred
day field means "and", and cronsim 2.8 calls `0 0 1-31 * 1` Mondays. The times of day are
cron-descriptor's words where they are more than a list of times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.cron import Cron
from cronpilot.domain.cron_grammar import Fields, has_hash
from cronpilot.domain.duration_text import parse_duration
from cronpilot.domain.plain_schedule import Scheduled

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WHICH = ("first", "second", "third", "fourth", "fifth")
_MOST_TIMES = 6  # more times of day than this are a rule, not a list
EVERY_DATE = (1 << 32) - 2
EVERY_WEEKDAY = (1 << 7) - 1
EVERY_MONTH = (1 << 13) - 2


def explain(schedule: Scheduled, *, resolved: str | None = None) -> str:
    """What the schedule means, as the end of a sentence that begins with "It runs".

    Args:
        resolved: what `resolve` made of it, for the numbers of an `H` and the minute of `hourly`.
    """
    match schedule.type:
        case ScheduleType.MANUAL:
            return "only when started by hand"
        case ScheduleType.INTERVAL:
            return f"every {_length(parse_duration(schedule.config['every']))}"
        case ScheduleType.ONCE:
            return _once(datetime.fromisoformat(schedule.config["at"]))
        case _:
            expression = resolved or schedule.expression
            if expression is None:
                return "every hour, at the minute at which it is set"
            if not resolved and has_hash(expression):
                return f"by {expression}, where H is a number of the task's own"
            return explain_cron(expression)


@lru_cache(maxsize=16_384)
def explain_cron(expression: str) -> str:
    """A cron expression in words, with the rule of its two day fields.

    Raises:
        InvalidSchedule: it cannot be read.
    """
    fields = Cron.parse(expression).fields
    times = _times(fields)
    days, is_date = _days(fields)
    months = _months(fields.months)
    if days is None:
        return f"every day{months} at {times}" if times else f"{_pattern(fields)}{_comma(months)}"
    if not is_date:
        return f"{days}{months} at {times}" if times else f"{_pattern(fields)}, {days}{months}"
    if date := _single_date(fields):
        return f"every {date} at {times}" if times else f"{_pattern(fields)}, on {date}"
    when = f"at {times} on {days}" if times else f"{_pattern(fields)}, on {days}"
    if months and ", and on " in days:  # the months hold for both halves
        return f"{months.strip()}, {when}"
    return when + months


# --- times of day ---------------------------------------------------------------------------------


def _times(fields: Fields) -> str:
    """The times of day when they are few; else the empty text."""
    times = [
        f"{hour:02}:{minute:02}"
        for hour in members(fields.hours)
        for minute in members(fields.minutes)
    ]
    return _join(times) if len(times) <= _MOST_TIMES else ""


def _pattern(fields: Fields) -> str:
    """Many times of day as a rule, such as "every 15 minutes, between 08:00 and 18:59"."""
    minute, hour = fields.text.split()[:2]
    minutes, hours = members(fields.minutes), members(fields.hours)
    if len(hours) * len(minutes) == 24 * 60:
        return "every minute"
    if len(minutes) == 1 and hours == list(range(hours[0], hours[-1] + 1)):
        if len(hours) == 24:
            return f"every hour at minute {minutes[0]}"
        return f"every hour from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[0]:02}"
    if len(minutes) == 1 and (step := _whole_step(hour)):
        past = f" at minute {minutes[0]}" if minutes[0] else ""
        return f"every {step} hours{past}{_starting_over(step, 24, 'day')}"
    if len(hours) == 24 and (step := _whole_step(minute)):
        return f"every {step} minutes{_starting_over(step, 60, 'hour')}"
    return _described(_plain_text(minute, fields.minutes, 59), _plain_text(hour, fields.hours, 23))


def _whole_step(text: str) -> int:
    """The 5 of `*/5`; 0 for anything else."""
    return int(text[2:]) if text.startswith("*/") and text[2:].isdigit() else 0


def _starting_over(step: int, size: int, unit: str) -> str:
    """`*/7` is not every seven minutes: from :56 it goes to :00."""
    return f", starting over each {unit}" if size % step else ""


def _plain_text(text: str, bits: int, last: int) -> str:
    """The field as cron-descriptor reads it rightly: for it `5-5/3` is every third minute."""
    numbers = members(bits)
    if len(numbers) == last + 1:
        return "*"
    if len(numbers) == 1 or "," in text:
        return ",".join(map(str, numbers))
    return text


def _described(minute: str, hour: str) -> str:
    from cron_descriptor import Options, get_description  # slow to import, and seldom needed

    # The language is ours, not the machine's; without one it warns where no locale is set.
    options = Options(locale_code="en_US", use_24hour_time_format=True)
    words = str(get_description(f"{minute} {hour} * * *", options))
    words = words[:1].lower() + words[1:]
    return f"at {words}" if words.startswith("minutes") else words


# --- days -----------------------------------------------------------------------------------------


def _days(fields: Fields) -> tuple[str | None, bool]:
    """The days in words, and whether dates are among them; None for every day."""
    every_date = fields.days_of_month == EVERY_DATE
    every_weekday = fields.weekdays == EVERY_WEEKDAY
    if every_date and every_weekday:
        return None, False
    if fields.both_days:
        if every_date:
            return _weekdays(fields), False
        if every_weekday:
            return _dates(fields), True
        return f"{_dates(fields)}, if that is {_weekdays(fields, one=True)}", True
    if every_date or every_weekday:
        return None, False
    return f"{_dates(fields)}, and on {_weekdays(fields)}", True


def _dates(fields: Fields) -> str:
    days = members(fields.days_of_month)
    parts = _dates_by_step(days) or [f"the {ordinal(day)}" for day in days]
    if fields.last_day:
        parts.append("the last day")
    if fields.last_working_day:
        parts.append("the last working day")
    words = _join(neighbours(parts, days) if len(parts) == len(days) else parts)
    return f"{words} of the month"


def _dates_by_step(days: list[int]) -> list[str]:
    """`*/2` as "every 2nd day"; nothing when the days have no common distance."""
    if len(days) < 4:
        return []
    step = days[1] - days[0]
    if step < 2 or days != list(range(days[0], days[-1] + 1, step)):
        return []
    whole = days[0] == 1 and days[-1] + step > 31
    reach = "" if whole else f" from the {ordinal(days[0])} to the {ordinal(days[-1])}"
    return [f"every {ordinal(step)} day{reach}"]


def neighbours(words: list[str], numbers: list[int]) -> list[str]:
    """Three and more neighbours as "first to last"."""
    found: list[str] = []
    begin = 0
    for place in range(1, len(numbers) + 1):
        if place < len(numbers) and numbers[place] == numbers[place - 1] + 1:
            continue
        run = words[begin:place]
        found += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
        begin = place
    return found


def _weekdays(fields: Fields, *, one: bool = False) -> str:
    """`every Friday`, `Monday to Friday`, `the first Friday of the month`; with `one` as in
    "if that is a Friday"."""
    days = [(day - 1) % 7 for day in members(fields.weekdays)]
    days.sort()
    runs = neighbours([WEEKDAYS[day] for day in days], days)
    parts = []
    if runs:
        named = _join(runs, "or" if one else "and")
        article = "a " if one else ("" if len(runs) == 1 and " to " in runs[0] else "every ")
        parts.append(article + named)
    special = [
        f"the {_WHICH[which - 1]} {WEEKDAYS[(day - 1) % 7]}"
        for day, which in sorted(fields.nth_weekdays, key=lambda pair: (pair[1], pair[0]))
    ]
    special += [f"the last {WEEKDAYS[(day - 1) % 7]}" for day in members(fields.last_weekdays)]
    if special:
        parts.append(f"{_join(special, 'or' if one else 'and')} of the month")
    return _join(parts, "or" if one else "and")


def _months(bits: int) -> str:
    """` in January and July`; empty for all twelve."""
    if bits == EVERY_MONTH:
        return ""
    numbers = members(bits)
    return f" in {_join(neighbours([_MONTHS[number - 1] for number in numbers], numbers))}"


def _single_date(fields: Fields) -> str:
    """`29 February` for one day of one month, with no word about weekdays; else empty."""
    days, months = members(fields.days_of_month), members(fields.months)
    alone = fields.both_days and fields.weekdays == EVERY_WEEKDAY
    special = fields.last_day or fields.last_working_day
    if not alone or special or len(days) != 1 or len(months) != 1:
        return ""
    return f"{days[0]} {_MONTHS[months[0] - 1]}"


# --- the other types ------------------------------------------------------------------------------


def _length(every: timedelta) -> str:
    """`90 seconds`, `5 minutes`, `hour`: in the largest unit that tells it in one small number."""
    seconds = every / timedelta(seconds=1)
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 and unit != "day" else _counted(count, unit)
        if unit != "day" and seconds > 10 * size:
            break
    return "second" if seconds == 1 else f"{seconds:g} seconds"


def _counted(count: int, unit: str) -> str:
    if unit == "day":  # an interval is elapsed time: a day has 24 hours whatever the clock does
        return f"{24 * count} hours" if count < 3 else f"{count} days"
    return f"{count} {unit}s"


def _once(at: datetime) -> str:
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    offset = f" UTC{at.isoformat()[-6:]}".replace("UTC+00:00", "UTC") if at.tzinfo else ""
    return f"once on {at.day} {_MONTHS[at.month - 1]} {at.year} at {clock}{offset}"


# --- words ----------------------------------------------------------------------------------------


def members(bits: int) -> list[int]:
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


def _join(words: list[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _comma(words: str) -> str:
    return f",{words}" if words else ""


def ordinal(number: int) -> str:
    if 10 < number % 100 < 14:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
