"""The questions that are asked before something is done that a slip of a finger should not do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cronpilot.domain.run import HOLDS_SLOT
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import elapsed, plural, size
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, RunView

BACKGROUND, STOP = "background", "stop"
UNTIL = "until"
CLOSE, LOG_OUT = "close", "log out"


def stop_run(run: RunView, now: datetime, *, others: int = 0) -> Dialog:
    """Which signal ends this run? Returns it: TERM, KILL or INT."""
    cancel = Choice("Esc", "Cancel", None)
    beside = f"{plural(others, 'other run')} of this task will go on." if others else ""
    title = f"Stop run {run.id} of {run.task_name}?"
    if run.status not in HOLDS_SLOT:
        body = [f"It is {run.status.value}: no process of it runs now.", *([beside] * bool(beside))]
        return Dialog(title, body, [Choice("t", "Take it out of the line", "TERM"), cancel])
    going = elapsed((now - run.started_at).total_seconds()) if run.started_at else "a moment"
    process = f" as process {run.pid}" if run.pid else ""
    body = [f"It has been going for {going}{process}.", *([beside] * bool(beside))]
    return Dialog(
        title,
        body,
        [
            Choice("t", "TERM", "TERM", "ask it to end; KILL after its grace"),
            Choice("k", "KILL", "KILL", "end it at once", "bad"),
            Choice("i", "INT", "INT", "as ctrl+c would"),
            cancel,
        ],
    )


def pause_scheduler() -> Dialog:
    """Shall nothing start by schedule for now? Returns `yes` or `until`."""
    return Dialog(
        "Pause the scheduler?",
        ["Nothing starts by schedule until it is resumed.", "What runs now goes on."],
        [
            Choice("y", "Pause it", "yes"),
            Choice("u", "Pause it until a time", UNTIL, "2h, 18:00, or a date too"),
            Choice("n", "Cancel", None),
        ],
    )


def resume_scheduler() -> Dialog:
    """Shall tasks start by schedule again? Returns `yes`."""
    return Dialog(
        "Resume the scheduler?",
        ["Tasks start by their schedules again.", "What was due meanwhile is not caught up."],
        [Choice("y", "Resume it", "yes"), Choice("n", "Cancel", None)],
    )


def overwrite_file(path: str, count: int) -> Dialog:
    """Shall a file that exists be replaced? Returns `yes`."""
    return Dialog(
        f"Overwrite {path}?",
        [f"It exists already, with {size(count)}."],
        [Choice("y", "Overwrite it", "yes", tone="bad"), Choice("n", "Cancel", None)],
    )


def leave(status: EngineStatus | None) -> Dialog:
    """How to leave the screen that owns the scheduler? Returns `background` or `stop`."""
    running = status.running if status else 0
    if running:
        verb = "goes" if running == 1 else "go"
        note = f"{plural(running, 'run')} {verb} on, taken up at the next start"
    else:
        note = "nothing starts until you come back"
    return Dialog(
        "Leave CronPilot?",
        ["The scheduler runs in this screen."],
        [
            Choice("b", "Keep running in the background", BACKGROUND, "the prompt comes back"),
            Choice("s", "Stop the scheduler", STOP, note),
            Choice("Esc", "Stay", None),
        ],
    )


def leave_browser(name: str) -> Dialog:
    """How to leave the screen in a browser? Returns `close` or `log out`."""
    return Dialog(
        "Leave CronPilot?",
        ["The scheduler goes on either way."],
        [
            Choice("c", "Close the screen", CLOSE, f"{clean(name)} stays logged in here"),
            Choice("o", "Log out", LOG_OUT, "closes all tabs of this log-in"),
            Choice("Esc", "Stay", None),
        ],
    )
