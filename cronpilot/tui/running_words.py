"""What the running view says: how far a run is, when it should end, what it takes. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    Cells,
    Marks,
    Tone,
    countdown,
    duration,
    moment,
    result,
    size,
)

if TYPE_CHECKING:
    from cronpilot.client.live import RunUsage
    from cronpilot.client.messages import RunView

BAR = 10
"""Cells of a progress bar; a tenth is about what one can tell by the eye."""
FIGURE = 6
"""Cells of the figure behind it."""
BAND = 11
"""Cells of `12:10-12:25`."""
PROCESS = 24
"""Cells of `pid 1234567  100% 12.3 MB`."""
FAR_OVER = 2.0
"""Times the usual duration from which on a run looks as if it hung."""


def progress(run: RunView, now: datetime, marks: Marks, width: int = BAR + FIGURE) -> Cells:
    """`████▒▒▒▒▒▒ 42%` of the usual duration; `2.3x` and another tone beyond it. The bar has what
    the figure leaves of so many cells."""
    if run.status is not Status.RUNNING or run.started_at is None:
        return Cells()
    if not run.usual_s:
        return Cells([_without_usual(run, now - run.started_at)])
    share = (now - run.started_at).total_seconds() / run.usual_s
    bar = max(0, width - FIGURE)
    done = max(0, min(bar, int(share * bar)))
    tone = _tone(run, share)
    figure = f"{max(0, int(share * 100))}%" if share < FAR_OVER else f"{share:.1f}x"
    return Cells([
        Cell(marks.full * done, tone),
        Cell(marks.rest * (bar - done), "muted"),
        Cell(f" {figure:<5}", "" if tone == "busy" else tone),
    ])  # fmt: skip


def _without_usual(run: RunView, passed: timedelta) -> Cell:
    """Of a task that has not succeeded yet: the alarm that it sets itself, once that has passed."""
    if run.alarm_s is not None and passed.total_seconds() > run.alarm_s:
        return Cell(f"over {duration(run.alarm_s)}", "bad")
    return Cell("none yet", "muted")


def _tone(run: RunView, share: float) -> Tone:
    """By the alarm of its task where there is one, which is told as an incident, too."""
    if run.alarm_s is not None and run.usual_s and share * run.usual_s > run.alarm_s:
        return "bad"
    return "warn" if share >= FAR_OVER else "busy"


def expected_end(run: RunView, now: datetime, zone: tzinfo, width: int = BAND) -> Cell:
    """When it ends if it takes as long as usual: a moment, or the band `12:10-12:25` in which nine
    of ten ended, in fewer cells `by 12:25`. `over`, with the usual duration, from then on. Where
    room is short, the place in line of what waits: the column behind has none for it."""
    if width < BAND and run.status is Status.QUEUED:
        return Cell(_place_in_line(run)[1], "warn")
    if run.status is not Status.RUNNING or run.started_at is None or not run.usual_s:
        return Cell("")
    end = run.started_at + timedelta(seconds=run.usual_s)
    if band := _band(run, now, zone):
        return Cell(band if width >= BAND else f"by {band.partition('-')[2]}", "muted")
    if end <= now:
        return Cell(f"over {duration(run.usual_s)}" if width >= BAND else "over", "warn")
    whole = (
        end.replace(microsecond=0) if run.usual_s < 600 else end.replace(second=0, microsecond=0)
    )
    return Cell(moment(whole, now, zone), "muted")


def _band(run: RunView, now: datetime, zone: tzinfo) -> str:
    """From when to when it usually ends, in eleven cells; empty where minutes say too little, or
    it should have ended."""
    if run.started_at is None or run.usual_low_s is None or run.usual_high_s is None:
        return ""
    first, last = (
        (run.started_at + timedelta(seconds=one)).astimezone(zone)
        for one in (run.usual_low_s, run.usual_high_s)
    )
    today = now.astimezone(zone)
    narrow = last - first < timedelta(minutes=2) or run.usual_high_s < 600
    if narrow or last <= today or last.date() != today.date() or first.date() != today.date():
        return ""
    return f"{first:%H:%M}-{last:%H:%M}"


def process_or_wait(
    run: RunView, usage: RunUsage | None, now: datetime, width: int = PROCESS
) -> Cell:
    """Of what runs its process, CPU and memory; of what waits what for, and its place in line."""
    match run.status:
        case Status.RUNNING:
            return Cell(_process(run, usage, width), "muted")
        case Status.RETRYING if run.retry_at is not None:
            return Cell(f"retry {countdown(run.retry_at - now)}", "warn")
        case Status.QUEUED:
            # The column is called WAITS FOR, and has no room to say it again.
            what, place = _place_in_line(run)
            return Cell(f"{what}, {place}" if place and width >= PROCESS else what, "warn")
        case _:
            return Cell(clean(run.detail) or result(run), "muted")


def _place_in_line(run: RunView) -> tuple[str, str]:
    """`pool db 2/2` and `3 ahead`; or what it waits for and nothing."""
    what = clean(run.detail).removeprefix("waits for ") or "a free slot"
    before, comma, place = what.rpartition(", ")
    return (before, place) if comma and place.endswith(" ahead") else (what, "")


def _process(run: RunView, usage: RunUsage | None, width: int) -> str:
    if width < PROCESS and run.pid and usage is not None:  # the title says that it is a process
        cpu = "" if usage.cpu_percent is None else f"{usage.cpu_percent:.0f}%"
        head = f"{run.pid} {cpu:>4} "
        return head + f"{size(usage.rss):>{max(1, width - len(head))}}"
    pid = f"pid {run.pid}" if run.pid else ""
    if usage is None:
        return pid
    cpu = "" if usage.cpu_percent is None else f"{usage.cpu_percent:.0f}%"
    return f"{pid:<11} {cpu:>4} {size(usage.rss):>7}".rstrip()
