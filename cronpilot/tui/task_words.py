"""What the table of tasks says of their record: verdicts, the usual duration, tags. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cronpilot.domain.choices import ScheduleType
from cronpilot.domain.run import ACTIVE, Status
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Cells, Marks, duration, elapsed, moment, run_state

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView

LONGER, SHORTER = 1.25, 0.8
"""How far the last run has to be from the usual duration to be worth an arrow."""
WORTH_AN_ARROW = 1.0
"""Seconds: of what is over sooner, a quarter more says nothing."""


def verdicts(task: TaskView, marks: Marks) -> Cells:
    """The last 20 verdicts as marks, newest first, so that a narrow column cuts off the oldest."""
    return _bar(tuple(task.last_verdicts[-20:]), marks)


@lru_cache(maxsize=2048)
def _bar(statuses: tuple[Status, ...], marks: Marks) -> Cells:
    """Most tasks have one of a few bars; and neighbours of one tone are one piece to paint."""
    signs = [run_state(status, marks) for status in reversed(statuses)]
    return Cells(
        Cell("".join(sign.text[:1] for sign in alike), tone)
        for tone, alike in groupby(signs, key=lambda sign: sign.tone)
    )


def usual(task: TaskView, now: datetime, marks: Marks) -> Cell:
    """How long a run takes, with an arrow where the last one took much longer or shorter; while one
    goes, how long it has been going."""
    run = task.last_run
    if run is not None and run.status in ACTIVE:
        since = run.started_at
        return Cell(elapsed((now - since).total_seconds()) if since else "", "busy")
    average = task.average_duration_s
    last = None if task.running or run is None else run.duration_s
    if average is None:  # it has never been a success
        return Cell(duration(last), "muted")
    return Cell(
        f"{duration(average)}{_trend(average, last, run.status if run else None, marks)}", "muted"
    )


def _trend(average: float, last: float | None, status: Status | None, marks: Marks) -> str:
    if last is None or status is not Status.SUCCESS or max(average, last) < WORTH_AN_ARROW:
        return "  "
    if last > average * LONGER:
        return f" {marks.up}"
    return f" {marks.down}" if last < average * SHORTER else "  "


def plan(task: TaskView, now: datetime, zone: tzinfo, room: int) -> Cell:
    """The schedule in words, in few words where those do not fit into so many cells, or else as in
    tasks.yaml, and the place whose clock it follows if that is another one than `zone`; of a task
    whose pause will end, first until when."""
    words = _schedule(task, place(task, zone), room)
    if task.paused_until is None:
        return Cell(words, "muted")
    return Cell(f"paused until {moment(task.paused_until, now, zone)}, then {words}", "warn")


def place(task: TaskView, zone: tzinfo) -> str:
    """` New York` behind a schedule by the clock of there; empty where the clock is `zone`'s, or
    nothing goes by a clock."""
    if task.schedule_type in (ScheduleType.INTERVAL, ScheduleType.MANUAL):
        return ""
    if task.timezone == getattr(zone, "key", "UTC"):
        return ""
    return " " + clean(task.timezone).rpartition("/")[2].replace("_", " ")


def _schedule(task: TaskView, place: str, room: int) -> str:
    words = clean(task.schedule_words) + place
    if cell_len(words) <= room:
        return words
    if task.schedule_brief and cell_len(task.schedule_brief + place) <= room:
        return task.schedule_brief + place
    brief = clean(task.schedule) + place  # cut off, five fields say less than words
    fits = cell_len(brief) <= room or task.schedule_type is not ScheduleType.CUSTOM
    return brief if fits else words


def tags(task: TaskView) -> Cell:
    """All of its tags, and its pool."""
    words = [*task.tags, *([f"pool {task.pool}"] if task.pool else [])]
    return Cell(clean(" ".join(words)), "muted")
