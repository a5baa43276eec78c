"""What the running view says: how far a run is, when it should end, what it takes. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Cells, Marks, countdown, duration, moment, result, size

if TYPE_CHECKING:
    from cronpilot.client.live import RunUsage
    from cronpilot.client.messages import RunView

BAR = 10
"""Cells of a progress bar; a tenth is about what one can tell by the eye."""
FAR_OVER = 2.0
"""Times the usual duration from which on a run looks as if it hung."""


def progress(run: RunView, now: datetime, marks: Marks) -> Cells:
    """`████▒▒▒▒▒▒ 42%` of the usual duration; `2.3x` and another tone beyond it."""
    if run.status is not Status.RUNNING or run.started_at is None:
        return Cells()
    if not run.usual_s:
        return Cells([Cell("no usual yet", "muted")])
    share = (now - run.started_at).total_seconds() / run.usual_s
    done = max(0, min(BAR, int(share * BAR)))
    tone = "warn" if share >= FAR_OVER else "busy"
    figure = f"{max(0, int(share * 100))}%" if share < FAR_OVER else f"{share:.1f}x"
    return Cells([
        Cell(marks.full * done, tone),  # type: ignore[arg-type]
        Cell(marks.rest * (BAR - done), "muted"),
        Cell(f" {figure:<5}", tone if share >= FAR_OVER else ""),  # type: ignore[arg-type]
    ])  # fmt: skip


def expected_end(run: RunView, now: datetime, zone: tzinfo) -> Cell:
    """When it ends if it takes as long as usual; `over` with the usual duration from then on."""
    if run.status is not Status.RUNNING or run.started_at is None or not run.usual_s:
        return Cell("")
    end = run.started_at + timedelta(seconds=run.usual_s)
    if end <= now:
        return Cell(f"over {duration(run.usual_s)}", "warn")
    whole = (
        end.replace(microsecond=0) if run.usual_s < 600 else end.replace(second=0, microsecond=0)
    )
    return Cell(moment(whole, now, zone), "muted")


def process_or_wait(run: RunView, usage: RunUsage | None, now: datetime) -> Cell:
    """Of what runs its process, CPU and memory; of what waits what for, and its place in line."""
    match run.status:
        case Status.RUNNING:
            return Cell(_process(run, usage), "muted")
        case Status.RETRYING if run.retry_at is not None:
            return Cell(f"retry {countdown(run.retry_at - now)}", "warn")
        case Status.QUEUED:
            return Cell(clean(run.detail) or "waits for a free slot", "warn")
        case _:
            return Cell(clean(run.detail) or result(run), "muted")


def _process(run: RunView, usage: RunUsage | None) -> str:
    pid = f"pid {run.pid}" if run.pid else ""
    if usage is None:
        return pid
    cpu = "" if usage.cpu_percent is None else f"{usage.cpu_percent:.0f}%"
    return f"{pid:<11} {cpu:>4} {size(usage.rss):>7}".rstrip()
