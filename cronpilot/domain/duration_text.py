"""Durations as text: 90s, 1h30m, 2d; a bare number is refused, it has no unit. Lengths for people.

Apart from their type in `duration`: who only reads and writes them needs no pydantic.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+", re.ASCII)
LONGEST = timedelta(days=3660)  # ten years: longer is a slip of the keyboard


def parse_duration(text: str) -> timedelta:
    """`1h30m` as a timedelta, to the millisecond.

    Raises:
        ValueError: not a duration, without a unit, or longer than ten years.
    """
    compact = text.replace(" ", "").lower()
    if compact == "0":
        return timedelta()
    if not _WHOLE.fullmatch(compact):
        hint = (
            f"write {compact}s" if compact.replace(".", "", 1).isdigit() else "write 90s or 1h30m"
        )
        raise ValueError(f"{text!r} is not a duration with a unit: {hint}")
    try:
        total = sum((float(n) * _UNITS[unit] for n, unit in _PART.findall(compact)), timedelta())
    except OverflowError:
        total = timedelta.max
    if total > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(milliseconds=round(total / timedelta(milliseconds=1)))


@lru_cache(maxsize=4096)  # pages of tasks have the same few again and again
def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as the same duration."""
    rest = round(value / timedelta(milliseconds=1))
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS[unit] // timedelta(milliseconds=1))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def short_length(seconds: float, *, gap: str = "") -> str:
    """A measured length in few characters: `0.4s`, `42s`, `1m05s`, `2h03m`, `3d04h`.

    Args:
        gap: stands before a unit that is the only one.
    """
    if seconds < 10:
        return f"{seconds:.1f}{gap}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}{gap}s"
