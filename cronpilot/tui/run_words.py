"""What the history and the page of a run say. Pure, as formatting.py."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import ACTIVE, Status
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    elapsed,
    plural,
    result,
)

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView

WORTH_SAYING = 1.0
"""Seconds. A start that is less late is on time."""
LATE = 60.0
"""Seconds from which on a late start is worth another tone."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamp(at: datetime, now: datetime, zone: tzinfo) -> str:
    """A past moment on the clock of `zone`: `12:00:05` today, `3 Mar 02:30` within ten months,
    else `24 Dec 2025`. Never more than twelve characters."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    month = _MONTHS[local.month - 1]
    if abs((local.date() - today).days) < 300:
        return f"{local.day} {month} {local:%H:%M}"
    return f"{local.day} {month} {local.year}"


def when(run: RunView) -> datetime:
    """The moment a run is listed by: when it was recorded, because its time had come, or because
    an engine was there again. Its id rises with that, and the filters by time are about it; when
    it began is on its page, and how late that was in its row."""
    return run.queued_at


def lateness_s(run: RunView) -> float | None:
    """Seconds between when the slot was to start and its start: its task's spread is not late.
    None where there was no slot, or no start."""
    if run.scheduled_for is None or run.started_at is None:
        return None
    return max(0.0, (run.started_at - run.scheduled_for).total_seconds() - run.spread_s)


def lateness(run: RunView) -> Cell:
    """How late a run began; nothing where it was on time."""
    late = lateness_s(run)
    if late is None or late < WORTH_SAYING:
        return Cell("")
    return Cell(elapsed(late), "warn" if late >= LATE else "muted")


def folded(run: RunView, now: datetime, zone: tzinfo) -> str:
    """What became of several slots in one row: `14 slots missed 02:10-04:20`; else nothing."""
    if run.folded_until is None or run.scheduled_for is None:
        return ""
    first, last = run.scheduled_for.astimezone(zone), run.folded_until.astimezone(zone)
    one_day = first.date() == last.date()
    end = f"{last:%H:%M}" if one_day else stamp(run.folded_until, now, zone)
    begin = f"{first:%H:%M}" if one_day else stamp(run.scheduled_for, now, zone)
    between = "-" if one_day else " - "
    return f"{plural(run.folded_count, 'slot')} {run.status.value} {begin}{between}{end}"


def why(run: RunView, now: datetime, zone: tzinfo) -> str:
    """Why a run has its verdict: `exit 2`, `SIGKILL`, `was still running`; what waits: for what.

    What was folded comes first.
    """
    many = folded(run, now, zone)
    if run.status in ACTIVE:
        return clean(run.detail)
    reason = result(run)
    if run.status is Status.ERROR and run.detail:
        reason = clean(run.detail)
    elif run.status is Status.SUCCESS and run.exit_code:
        reason = f"exit {run.exit_code}"
    return f"{many}: {reason}" if many and reason else many or reason


# --- filters -------------------------------------------------------------------------------------

SPANS: tuple[tuple[str, int | None], ...] = (
    ("all time", None), ("today", 0), ("7 days", 7), ("30 days", 30),
)  # fmt: skip
"""What the history may be limited to: its name, and how many days back it begins."""


def since(days: int | None, now: datetime, zone: tzinfo) -> datetime | None:
    """When that span begins: at midnight on the clock of `zone` for today."""
    if days is None:
        return None
    if days:
        return now - timedelta(days=days)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(now.tzinfo)
