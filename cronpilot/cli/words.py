"""Values as words for people: local time with its zone, durations, verdicts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cronpilot.cli.table import Cell, Tinted
from cronpilot.domain.duration_text import short_length
from cronpilot.domain.run import BAD, Reason, Status
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client.messages import LastRun, RunView, TaskView

NOTHING = "-"


def when(instant: datetime | None) -> str:
    """`2026-03-05 02:30 CET`: this machine's local time; seconds only where they are not zero."""
    if instant is None:
        return NOTHING
    local = instant.astimezone()
    clock = "%H:%M:%S" if local.second else "%H:%M"
    return f"{local:%Y-%m-%d {clock} %Z}"


def how_long(seconds: float | None) -> str:
    """`0.4s`, `42s`, `1m05s`, `2h03m`, `3d04h`."""
    return NOTHING if seconds is None else short_length(seconds)


def verdict(status: Status) -> Cell:
    """The status in its colour."""
    if status is Status.SUCCESS:
        return Tinted(status, "green")
    if status in BAD:
        return Tinted(status, "red")
    if status in (Status.SKIPPED, Status.MISSED, Status.STOPPED, Status.RETRYING):
        return Tinted(status, "yellow")
    return Tinted(status, "cyan")


_REASONS = {
    Reason.ALREADY_RUNNING: "it was already running",
    Reason.QUEUE_FULL: "one was already waiting",
    Reason.DEADLINE: "past its deadline",
    Reason.DOWN: "no engine ran",
    Reason.PAUSED: "paused",
    Reason.QUIET: "quiet time",
    Reason.REPLACED: "replaced by a newer run",
    Reason.USER: "by a user",
    Reason.SETUP: "could not be set up",
    Reason.HOST_RESTART: "the machine restarted",
    Reason.ENGINE_RESTART: "nobody saw its end",
    Reason.LOG_LIMIT: "its log limit",
    Reason.RESTORED: "the database was restored",
    Reason.ARCHIVED: "its task was taken away",
}


def why(run: RunView) -> str:
    """What the status alone does not say, in a few words; may be empty."""
    said = []
    if run.exit_code:
        said.append(f"exit {run.exit_code}")
    if run.signal:
        said.append(f"signal {run.signal}")
    if run.reason is not None:
        said.append(_REASONS[run.reason])
    if run.folded_count > 1:
        said.append(f"{run.folded_count:,} slots")
    if run.attempts > 1:
        said.append(f"attempt {run.attempts} of {run.max_attempts}")
    facts = ", ".join(said)
    detail = clean(run.detail).removeprefix(f"Exit code {run.exit_code}: ").removesuffix(".")
    return ": ".join(part for part in (facts, detail) if part)


def next_run(task: TaskView) -> Cell:
    """When it starts next, or why it does not."""
    if task.paused_at is not None:
        until = f" until {when(task.paused_until)}" if task.paused_until else ""
        return Tinted(f"paused{until}", "yellow")
    if not task.active:
        return "not active"
    return when(task.next_run_at)


def last_result(task: TaskView) -> Cell:
    """What became of its newest run."""
    last: LastRun | None = task.last_run
    if last is None:
        return NOTHING
    cell = verdict(last.status)
    if last.exit_code and isinstance(cell, Tinted):
        return Tinted(f"{cell.text} {last.exit_code}", cell.colour)
    return cell


def outcome(run: RunView) -> str:
    """One sentence about a run: where it stands, or how it ended."""
    name, reason = clean(run.task_name), why(run)
    because = f" ({reason})" if reason else ""
    took = f" after {how_long(run.duration_s)}" if run.duration_s is not None else ""
    return f"Run {run.id} of {name}: {run.status}{took}{because}."
