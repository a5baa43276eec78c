"""What stands where rows would be, while there are none. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError
from cronpilot.tui.formatting import Cell, countdown, moment

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, TaskView

Text = list[list[Cell]]


def no_tasks(
    text: str,
    role: Literal["owner", "attached"],
    status: EngineStatus | None,
    trouble: CronPilotError | None,
) -> Text:
    """Why view 1 has no rows. `text` is its filter."""
    if status is None and trouble is not None:
        lines = [[Cell(line, "bad")] for line in map(clean, trouble.problem.splitlines())]
        return [*lines, [], [Cell(clean(trouble.hint))], [Cell("Trying again.", "muted")]]
    if status is None:
        words = "Starting the engine" if role == "owner" else "Connecting"
        return [[Cell(f"{words} ...", "muted")]]
    if text:
        return _no_match(text)
    if status.total_tasks:
        return [[Cell("Reading the tasks ...", "muted")]]
    file = status.engine.tasks_file if status.engine else None
    where = f"Declare them in {clean(file)}." if file else "Declare them in a tasks.yaml."
    return [
        [Cell("No tasks yet", "title")],
        [],
        [Cell(where)],
        [Cell("cronpilot validate", "strong"), Cell(" checks it", "muted")],
    ]


def no_runs(text: str, status: EngineStatus | None, now: datetime, zone: tzinfo) -> Text:
    """Why view 2 has no rows, and what comes next. `text` is its filter."""
    if text:
        return _no_match(text)
    lines: Text = [[Cell("Nothing runs now", "title")], []]
    if status is None:
        return lines
    if status.paused:
        return [*lines, [Cell("The scheduler is paused. P resumes it.", "warn")]]
    if status.next_run_at is None:
        return [*lines, [Cell("Nothing is planned either.", "muted")]]
    left = countdown(status.next_run_at - now)
    at = moment(status.next_run_at, now, zone)
    name = clean(status.next_task or "")
    return [
        *lines,
        [Cell("Next: ", "muted"), Cell(name, "strong"), Cell("  "), Cell(f"{left}, at {at}")],
    ]


def no_history(filters: str, *, is_read: bool) -> Text:
    """Why view 4 has no rows. `filters` are those in force, in words."""
    if not is_read:
        return [[Cell("Reading the history ...", "muted")]]
    if filters:
        return _no_match(filters)
    return [[Cell("Nothing has run yet", "title")], [],
            [Cell("Whatever a task does, or fails to do, is listed here.", "muted")]]  # fmt: skip


def no_log(task: TaskView | None) -> Text:
    """Why the log panel is empty for this task."""
    if task is None:
        return []
    return [[Cell(clean(task.name), "strong"), Cell(" has not run yet", "muted")],
            [Cell("r", "strong"), Cell(" runs it now", "muted")]]  # fmt: skip


def _no_match(text: str) -> Text:
    return [
        [Cell("Nothing matches ", "muted"), Cell(clean(text), "strong")],
        [Cell("Esc", "strong"), Cell(" takes the filter back", "muted")],
    ]
