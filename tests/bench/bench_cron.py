"""What a fire time costs, and 1,000 tasks after a year off.

    python tests/bench/bench_cron.py

The bare limit is croniter, which knows nothing of Debian's rules at a change of the clocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from croniter import croniter
from measuring import Command, Row

from cronpilot.domain import cron
from cronpilot.domain.cron import Cron

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
ROUNDS, TASKS = 300, 1000
YEAR, MINUTE = timedelta(days=365), timedelta(minutes=1)
EXPRESSIONS = (
    "* * * * *",
    "*/15 8-18 * * mon-fri",
    "30 2 * * *",
    "0 9 * * mon,thu",
    "0 0 1 * *",
    "0 0 LW * *",
    "0 12 13 * fri#2",
    "15 10 29 2 *",
)


def microseconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(ROUNDS):
            work()
        best = min(best, (time.perf_counter() - begin) / ROUNDS)
    return best * 1e6


def theirs(text: str) -> str:
    """In croniter's words; it has no LW."""
    return text.replace("LW", "L")


def parse_and_next(text: str) -> None:
    cron._parse.cache_clear()
    Cron.parse(text).next_after(NOW, ZONE)


def costs(text: str) -> Iterator[Row]:
    """Of one expression, from the cheapest question to the dearest."""
    parsed, here = Cron.parse(text), NOW.astimezone(ZONE)
    other, minutes = croniter(theirs(text), here), count()
    for what, ours, others in (
        ("next", lambda: parsed.next_after(NOW + next(minutes) * MINUTE, ZONE),
         lambda: other.get_next(datetime, start_time=here)),
        ("read anew, and next", lambda: parse_and_next(text),
         lambda: croniter(theirs(text), here).get_next(datetime)),
        ("latest", lambda: parsed.latest(NOW, ZONE), None),
        ("counted over a year", lambda: parsed.count(NOW - YEAR, NOW, ZONE, 1000), None),
    ):  # fmt: skip
        limit = None if others is None else microseconds(others)
        yield Row(f"{text}: {what}", microseconds(ours), "us", limit=limit)


def year_off(text: str) -> Row:
    parsed = Cron.parse(text)
    begin = time.perf_counter()
    for number in range(TASKS):
        now = NOW + timedelta(seconds=number)
        parsed.latest(now, ZONE)
        parsed.count(now - YEAR, now, ZONE, 1000)
    return Row(f"{TASKS:,} x '{text}' after a year off", time.perf_counter() - begin, "s")


def rows() -> Iterator[Row]:
    for expression in EXPRESSIONS:
        yield from costs(expression)
    for expression in ("* * * * *", "0 * * * *", "30 2 * * *"):
        yield year_off(expression)


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
