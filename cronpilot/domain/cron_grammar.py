"""The text of a cron expression: read strictly, expanded by croniter, `H` made a number.

What Debian's cron reads, and `a/step`, `L`, `LW`, `5L`, `fri#2` and the aliases. What it reads
and silently never runs (`fri-mon`) or reads in part (`1.5`) is refused here, because a typing
error must not become a task that never starts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from operator import or_
from typing import NamedTuple

from cronpilot.errors import InvalidSchedule

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = (
    "sun",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
)  # sun is 0, also at the end of a range

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_LONGEST = 1000  # characters; Debian's own limit for one word
_LARGEST_STEP = 2**31 - 1
_PLAIN = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([a-z0-9]+))?", re.ASCII)
_NTH = re.compile(r"([a-z0-9]+)#([a-z0-9]+)", re.ASCII)
_LAST_WEEKDAY = re.compile(r"(\d+|sun|mon|tue|wed|thu|fri|sat)l", re.ASCII)
_HASH = re.compile(r"H(?:\((\d+)-(\d+)\))?(?:/(\d+))?", re.ASCII)


class Fields(NamedTuple):
    """An expression, expanded. Sets of numbers are bits: bit 5 set means that 5 is in it."""

    text: str
    minutes: int
    hours: int
    months: int
    days_of_month: int
    last_day: bool  # L
    last_working_day: bool  # LW: Monday to Friday
    weekdays: int  # bit 0 is Sunday
    nth_weekdays: frozenset[tuple[int, int]]  # (weekday, 1 to 5)
    last_weekdays: int  # 5L
    wildcard: bool  # the minute or the hour field starts with a star
    both_days: bool  # a day field starts with a star: both must match, else either

    def days(self, first: int, length: int) -> int:
        """The matching days of a month as bits from 1 on.

        Args:
            first: weekday of the 1st, Monday is 0, as `calendar.monthrange` has it.
        """
        by_date = self.days_of_month & (2 << length) - 1
        if self.last_day:
            by_date |= 1 << length
        if self.last_working_day:
            by_date |= 1 << length - max(0, (first + length - 1) % 7 - 4)
        by_weekday = 0
        for day in range(1, length + 1):
            weekday = (first + day) % 7
            if (
                self.weekdays >> weekday & 1
                or (weekday, (day + 6) // 7) in self.nth_weekdays
                or (day + 7 > length and self.last_weekdays >> weekday & 1)
            ):
                by_weekday |= 1 << day
        return by_date & by_weekday if self.both_days else by_date | by_weekday


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.low} to {self.high}{named}"


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)
_DAY, _WEEKDAY = 2, 4  # their places among the fields


@dataclass(slots=True)
class _Item:
    """One part of a comma list: its normal text, and what croniter is asked to expand."""

    text: str
    plain: str = ""  # numbers and ranges
    special: str = ""  # L, LW, l5, 5#2 in croniter's spelling


def read_expression(text: str) -> Fields:
    """Read five fields or an alias.

    Raises:
        InvalidSchedule: names the field, what is wrong with it, and what is allowed.
    """
    words = _words(text)
    items = [
        [_item(part, spec, text) for part in word.split(",")]
        for word, spec in zip(words, _FIELDS, strict=True)
    ]
    normal = [",".join(item.text for item in each) for each in items]
    plain = [_together([item.plain for item in each if item.plain]) for each in items]
    special = [{item.special for item in each if item.special} for each in items]
    minutes, hours, days, months, weekdays = _expand(plain)
    nth, last = _expand_weekdays(special[_WEEKDAY])
    return Fields(
        text=" ".join(normal),
        minutes=minutes,
        hours=hours,
        months=months,
        days_of_month=days,
        last_day="L" in special[_DAY],
        last_working_day="LW" in special[_DAY],
        weekdays=weekdays,
        nth_weekdays=nth,
        last_weekdays=last,
        wildcard=words[0].startswith("*") or words[1].startswith("*"),
        both_days=words[_DAY].startswith("*") or words[_WEEKDAY].startswith("*"),
    )


def _words(text: str) -> list[str]:
    """The five fields in lower case; an alias becomes its five."""
    inner = text.strip(" \t\r\n")
    if not inner:
        raise InvalidSchedule(
            "The cron expression is empty.", "Write five fields, such as 30 2 * * *."
        )
    odd = next((char for char in inner if char != "\t" and not " " <= char <= "~"), None)
    if odd is not None:
        raise InvalidSchedule(
            f"{text!r} has the character {odd!r}, which is not plain text.",
            "Use ASCII letters, digits and ordinary blanks.",
        )
    if len(inner) > _LONGEST:
        raise InvalidSchedule(
            "The cron expression is too long.", f"Use at most {_LONGEST} characters."
        )
    if inner.startswith("@"):
        return _alias(inner).split()
    words = inner.lower().split()
    if len(words) != len(_FIELDS):
        seconds = " For seconds use an interval: every 10s." if len(words) > len(_FIELDS) else ""
        raise InvalidSchedule(
            f"{inner!r} has {len(words)} fields instead of five.",
            f"They are minute, hour, day of month, month, day of week.{seconds}",
        )
    return words


def _alias(word: str) -> str:
    known = ALIASES.get(word.lower())
    if known is not None:
        return known
    if word.lower() == "@reboot":
        raise InvalidSchedule(
            "@reboot is not a time.", "Start the task from a service of the system instead."
        )
    near = difflib.get_close_matches(word.lower(), ALIASES, n=1)
    raise InvalidSchedule(
        f"There is no alias {word!r}.",
        f"Did you mean {near[0]}?" if near else f"Use {', '.join(ALIASES)}.",
    )


# --- one item ------------------------------------------------------------------------------------


def _item(part: str, spec: _Field, text: str) -> _Item:
    if spec.name == "day of month" and part in {"l", "lw"}:
        return _Item(part.upper(), special=part.upper())
    if spec.name == "day of week":
        if found := _LAST_WEEKDAY.fullmatch(part):
            day = _number(found[1], spec, text)
            return _Item(f"{found[1]}L", special=f"l{day % 7}")
        if found := _NTH.fullmatch(part):
            day, nth = _number(found[1], spec, text), found[2]
            if nth not in {"1", "2", "3", "4", "5"}:
                raise InvalidSchedule(
                    f"day of week: there is no number {nth} of a weekday in a month, in {text!r}.",
                    "Use #1 to #5, such as fri#2; 5L is the last Friday.",
                )
            return _Item(part, special=f"{day % 7}#{nth}")
    found = _PLAIN.fullmatch(part)
    if not found or (found[1] == "*" and found[2]):
        raise _junk(part, spec, text)
    return _range(found, spec, text)


def _range(found: re.Match[str], spec: _Field, text: str) -> _Item:
    """`*`, `5`, `1-5`, `*/2`, `1-5/2` or `5/2`, which is `5-<last>/2`."""
    start, end, step_text = found[1], found[2], found[3]
    step = _step(step_text, spec, text) if step_text else 1
    low = spec.low if start == "*" else _number(start, spec, text)
    high = spec.high if start == "*" or (step_text and not end) else low
    if end:
        high = _number(end, spec, text)
    if high < low:
        raise InvalidSchedule(
            f"{spec.name}: the range {start}-{end} runs backwards in {text!r}.",
            _forwards(spec, low, high),
        )
    shown = start if start == "*" else _shown(start)
    shown += f"-{_shown(end)}" if end else ""
    shown += f"/{step}" if step_text else ""
    return _Item(shown, plain=_for_croniter(low, high, step, spec))


def _for_croniter(low: int, high: int, step: int, spec: _Field) -> str:
    """In words that croniter takes as Debian does: for it `5-5` is the whole field, and a range of
    weekdays that ends in 7 runs backwards."""
    if (low, high, step) == (spec.low, spec.high, 1):
        return "*"
    if low + step > high:
        return str(low % 7 if spec.high == 7 else low)
    if spec.high == 7 and high == 7:
        return ",".join(str(day % 7) for day in range(low, high + 1, step))
    return f"{low}-{high}/{step}"


def _together(plain: list[str]) -> str:
    return "*" if "*" in plain else ",".join(plain)


def _step(word: str, spec: _Field, text: str) -> int:
    if not word.isdigit() or not 0 < int(word) <= _LARGEST_STEP:
        raise InvalidSchedule(
            f"{spec.name}: the step {word} cannot be used in {text!r}.",
            "A step is a number from 1 on, such as */15.",
        )
    return int(word)


def _number(word: str, spec: _Field, text: str) -> int:
    if word.isdigit():
        value = int(word)
        if spec.low <= value <= spec.high:
            return value
        raise InvalidSchedule(
            f"{spec.name}: {word} is out of range in {text!r}.", f"Use {spec.allowed}."
        )
    if word in spec.names:
        return spec.names.index(word) + spec.low
    raise _junk(word, spec, text)


def _shown(word: str) -> str:
    return str(int(word)) if word.isdigit() else word


def _forwards(spec: _Field, low: int, high: int) -> str:
    if spec.high == 7 and high == 0:
        return "Sunday at the end of a range is 7, such as 5-7."
    return f"Write two ranges: {low}-{spec.high if spec.high != 7 else 6},{spec.low}-{high}."


def _junk(part: str, spec: _Field, text: str) -> InvalidSchedule:
    problem = f"{spec.name}: {part!r} cannot be read in {text!r}."
    near = difflib.get_close_matches(part, spec.names, n=1, cutoff=0.5) if part.isalpha() else []
    if "?" in part:
        hint = "Write * for every day."
    elif re.fullmatch(r"h(\(.*\))?(/.*)?", part):
        hint = "H is replaced by a number where a task has it; write a capital H, or the number."
    elif part.startswith("r") and not near:
        hint = "There is no random time; H gives each task a fixed time of its own."
    elif re.fullmatch(r"\d+w|w\d*", part):
        hint = "The nearest weekday is not known; LW is the last working day of the month."
    elif spec.high == 7 and re.fullmatch(r"l[0-7]?", part):
        hint = f"The last such day of the month is written {part[1:] or 5}L."
    elif near:
        hint = f"Did you mean {near[0]}?"
    else:
        hint = f"Use {spec.allowed}, *, lists, ranges and steps."
    return InvalidSchedule(problem, hint)


# --- croniter ------------------------------------------------------------------------------------


def _expand(plain: list[str]) -> list[int]:
    """Bits of the numbers in each field; none for a field without plain items."""
    from croniter import croniter  # slow to import, and often not needed

    expanded, _ = croniter.expand(" ".join(each or "*" for each in plain))
    return [
        _bits(_values(values, spec)) if given else 0
        for given, values, spec in zip(plain, expanded, _FIELDS, strict=True)
    ]


def _values(values: Sequence[int | str], spec: _Field) -> list[int]:
    if values == ["*"]:
        return list(range(spec.low, (6 if spec.high == 7 else spec.high) + 1))
    return [int(value) for value in values]


def _expand_weekdays(special: set[str]) -> tuple[frozenset[tuple[int, int]], int]:
    """`5#2` and `l5` as (weekday, which) pairs, and the bits of the last weekdays."""
    if not special:
        return frozenset(), 0
    from croniter import croniter  # slow to import, and often not needed

    _, nth = croniter.expand(f"0 0 * * {','.join(sorted(special))}")
    pairs = [(int(day), str(which)) for day, each in nth.items() for which in each]
    counted = frozenset((day, int(which)) for day, which in pairs if which != "l")
    return counted, _bits(day for day, which in pairs if which == "l")


def _bits(numbers: Iterable[int]) -> int:
    return reduce(or_, (1 << number for number in numbers), 0)


# --- H -------------------------------------------------------------------------------------------


def has_hash(expression: str) -> bool:
    """Whether an `H` stands for a number in it; in `THU` and `MARCH` it does not."""
    return any(_HASH.fullmatch(part) for word in expression.split() for part in word.split(","))


def resolve_hashes(expression: str, *, seed: str) -> str:
    """Replace `H`, `H/15`, `H(0-29)` and `H(0-29)/10` by numbers that depend on the seed alone.

    One hash value is split into the fields, so that minute and hour are independent and tasks
    spread over the whole day; hashes of each field (as croniter's) correlate. Other text, and an
    `H` in any other shape, is left for `Cron.parse` to judge.
    """
    words = expression.split()
    if len(words) != len(_FIELDS) or not any("H" in word for word in words):
        return expression
    value = int.from_bytes(blake2b(seed.encode(errors="replace"), digest_size=8).digest())
    for place, spec in enumerate(_FIELDS):
        value, digit = divmod(value, spec.high - spec.low + 1)
        parts = [_resolve_item(part, spec, digit) for part in words[place].split(",")]
        words[place] = ",".join(parts)
    return " ".join(words)


def _resolve_item(part: str, spec: _Field, digit: int) -> str:
    found = _HASH.fullmatch(part)
    if not found:
        return part
    low, high = spec.low, _LAST_HASHED.get(spec.name, spec.high)
    if found[1]:
        low, high = int(found[1]), int(found[2])
    step = int(found[3] or 1)
    if not (spec.low <= low <= high <= spec.high and step):
        return part
    if not found[3]:
        return str(low + digit % (high - low + 1))
    return f"{low + digit % min(step, high - low + 1)}-{high}/{step}"


# Every month has a 28th, and Sunday has one number only.
_LAST_HASHED = {"day of month": 28, "day of week": 6}
