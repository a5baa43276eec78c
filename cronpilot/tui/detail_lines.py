"""What the panel says of a task beside its log: next runs, last runs, definition. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from cronpilot.domain.secrets import mask
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    Marks,
    age,
    countdown,
    duration,
    result,
    run_length,
    run_state,
    success_rate,
    trigger,
)
from cronpilot.tui.run_words import stamp
from cronpilot.tui.task_words import usual, verdicts

if TYPE_CHECKING:
    from cronpilot.client.messages import FireTime, RunView, TaskView

Line = list[Cell]

_HIDDEN = {
    "id", "name", "schedule_type", "schedule_config", "schedule_words", "version", "origin",
    "schedule_brief", "schedule_expression",
    "differs_from_file", "archived_at", "next_run_at", "paused_at", "paused_until", "last_run",
    "running", "queued", "retrying", "runs", "successes", "success_rate", "average_duration_s",
    "last_verdicts", "own_timezone", "schedule", "command", "timezone",
}  # fmt: skip
"""Of a task as front ends see it: what is no part of its definition, or said in another way."""


def next_lines(
    starts: Sequence[FireTime], task: TaskView, now: datetime, zone: tzinfo
) -> list[Line]:  # fmt: skip
    """The next starts, on the clock of the engine and of the task, and counted down."""
    if not starts:
        why = "It is off." if not task.active else "Nothing is planned: it starts only by hand."
        return [[Cell(f" {why}", "muted")]]
    lines: list[Line] = []
    if task.paused_at is not None:
        lines.append([Cell(" It is paused: these start only once it is resumed.", "warn")])
    for start in starts:
        local = start.starts_at.astimezone(zone)
        spread = start.starts_at - start.scheduled_for
        also = f"  {spread.total_seconds():g}s after its slot" if spread else ""
        lines.append([
            Cell(f" {local:%a %Y-%m-%d %H:%M:%S}"), Cell(f" {local:%Z}", "muted"),
            Cell(f"  {countdown(start.starts_at - now)}"), Cell(also, "muted"),
        ])  # fmt: skip
    return lines


def run_lines(
    runs: Sequence[RunView], now: datetime, zone: tzinfo, marks: Marks
) -> list[Line]:  # fmt: skip
    """The newest runs, one line each."""
    if not runs:
        return [[Cell(" It has not run yet.", "muted")]]
    return [
        [
            Cell(f" #{run.id:<8}", "muted"),
            Cell(f"{stamp(run.started_at or run.queued_at, now, zone):<14}"),
            _padded(run_state(run.status, marks), 11),
            Cell(f"{run_length(run, now):>9}  "),
            Cell(f"{trigger(run.trigger):<9} ", "muted"),
            Cell(result(run) or clean(run.detail), "muted"),
        ]
        for run in runs
    ]


def record_line(task: TaskView, now: datetime, marks: Marks) -> Line:
    """What the table of tasks has no room for on 80 columns: verdicts, success, usual duration."""
    rate = success_rate(task)
    average = task.average_duration_s
    words = [Cell(" last ", "muted"), *verdicts(task, marks)]
    if rate.text:
        words += [Cell("  ok ", "muted"), rate, Cell(f" of {task.runs:,}", "muted")]
    if average is not None:
        took = usual(task, now, marks) if not task.running else Cell(duration(average), "muted")
        words += [Cell("  usual ", "muted"), Cell(took.text.strip(), "")]
    return words


def definition_lines(task: TaskView, now: datetime) -> list[Line]:
    """What it is, in the words of tasks.yaml; secrets are masked."""
    command = task.command if isinstance(task.command, str) else " ".join(task.command)
    first, *more = [clean(line) for line in command.strip().splitlines()] or [""]
    lines = [_field("command", first, "strong"), *(_field("", line, "strong") for line in more)]
    lines.append(_field("schedule", f"{clean(task.schedule)}  ({clean(task.schedule_words)})"))
    own = "" if task.own_timezone else "  (the scheduler's)"
    lines.append(_field("timezone", clean(task.timezone) + own))
    lines += [_field(name, text) for name, text in _others(task)]
    origin = {"file": "tasks.yaml", "screen": "this screen", "api": "the API"}[task.origin]
    edited = ", edited since" if task.differs_from_file else ""
    lines.append(_field("version", f"{task.version}, from {origin}{edited}", "muted"))
    if task.last_run is not None and task.last_run.finished_at is not None:
        ended = age(now - task.last_run.finished_at)
        lines.append(_field("last run", f"{task.last_run.status.value}, {ended}", "muted"))
    return lines


def _others(task: TaskView) -> Iterator[tuple[str, str]]:
    """The fields that are not as they are by default."""
    for name, field in type(task).model_fields.items():
        if name in _HIDDEN:
            continue
        value = getattr(task, name)
        if value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, Mapping):  # of several things those that are said
            value = {key: one for key, one in value.items() if one is not None}
            if not value:
                continue
        if name == "env":
            value = mask(value)
        yield name, _told(value)


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{clean(str(key))}={_told(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_told(one) for one in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(str(value))


def _field(name: str, text: str, tone: Any = "") -> Line:
    return [Cell(f" {name:<16}", "muted"), Cell(text, tone)]


def _padded(cell: Cell, width: int) -> Cell:
    return Cell(f"{cell.text:<{width}}", cell.tone)
