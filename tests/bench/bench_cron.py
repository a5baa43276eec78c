"""What a fire time costs, in microseconds, beside croniter; and 1,000 tasks after a year off.

python tests/bench/bench_cron.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from cronpilot.domain import cron
from cronpilot.domain.cron import Cron

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
YEAR = timedelta(days=365)
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


def microseconds(work: Callable[[], object], rounds: int = 300) -> float:
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(rounds):
            work()
        best = min(best, (time.perf_counter() - begin) / rounds)
    return best * 1e6


def theirs(text: str) -> str:
    """In croniter's words; it has no LW."""
    return text.replace("LW", "L")


def parse_and_next(text: str) -> None:
    cron._parse.cache_clear()
    Cron.parse(text).next_after(NOW, ZONE)


def line(text: str) -> None:
    parsed = Cron.parse(text)
    here = NOW.astimezone(ZONE)
    other = croniter(theirs(text), here)
    figures = (
        microseconds(lambda: parse_and_next(text)),
        microseconds(lambda: croniter(theirs(text), here).get_next(datetime)),
        microseconds(lambda: Cron.parse(text).next_after(NOW, ZONE)),
        microseconds(lambda: other.get_next(datetime, start_time=here)),
        microseconds(lambda: parsed.latest(NOW, ZONE)),
        microseconds(lambda: parsed.count(NOW - YEAR, NOW, ZONE, 1000)),
    )
    print(f"{text:<24}" + "".join(f"{figure:>12.1f}" for figure in figures))


def year_off(text: str, tasks: int = 1000) -> None:
    parsed = Cron.parse(text)
    begin = time.perf_counter()
    for number in range(tasks):
        now = NOW + timedelta(seconds=number)
        parsed.latest(now, ZONE)
        parsed.count(now - YEAR, now, ZONE, 1000)
    print(f"{tasks} x {text!r} after a year off: {time.perf_counter() - begin:.3f} s")


if __name__ == "__main__":
    print("microseconds a call       parse+next    croniter        next    croniter"
          "      latest  count year")  # fmt: skip
    for expression in EXPRESSIONS:
        line(expression)
    for expression in ("* * * * *", "0 * * * *", "30 2 * * *"):
        year_off(expression)
