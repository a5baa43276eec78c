"""The keys of the dashboard, in the order in which the key bar offers them.

An id names the action in `keys.toml`; keys that do the same elsewhere share it.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from cronpilot.tui.screens.details import DETAIL_KEYS
from cronpilot.tui.screens.editing import EDITING_KEYS
from cronpilot.tui.screens.first_start import FIRST_START_KEYS
from cronpilot.tui.screens.live import LIVE_KEYS
from cronpilot.tui.screens.log_taking import LOG_TAKING_KEYS
from cronpilot.tui.screens.many import MANY_KEYS

DASHBOARD_KEYS: list[BindingType] = [
    Binding("escape", "back", "Back", id="screen.back", tooltip="Filter off, else out of the log"),
    Binding("enter", "open", "Open", id="screen.open", tooltip="A task's log, or all about a run"),
    Binding("r", "run_now", "Run", id="task.run",
            tooltip="Start this task now, whatever its schedule"),
    Binding("x", "stop_run", "Stop", id="task.stop", tooltip="Stop this run; asks how"),
    Binding("p", "pause_task", "Pause", id="task.pause", tooltip="Pause this task, or resume it"),
    *LIVE_KEYS,
    *MANY_KEYS,
    *EDITING_KEYS,
    *FIRST_START_KEYS,
    Binding("slash", "filter", "Filter", id="screen.filter",
            tooltip="Only rows that match a text"),
    Binding("1", "view('tasks')", "Tasks", id="view.tasks", show=False, tooltip="All tasks"),
    Binding("2", "view('running')", "Running", id="view.running", show=False,
            tooltip="What runs and waits"),
    Binding("3", "view('upcoming')", "Upcoming", id="view.upcoming", show=False,
            tooltip="What starts in the next 24 hours, and the timeline"),
    Binding("4", "view('history')", "History", id="view.history", show=False,
            tooltip="All that has happened"),
    Binding("5", "view('health')", "Health", id="view.health", show=False,
            tooltip="What needs attention"),
    Binding("l", "focus_log", "Log", id="log.focus", tooltip="Into the log, or out of it"),
    Binding("L", "whole_log", "Whole log", id="log.whole", show=False,
            tooltip="The log over the whole screen"),
    Binding("plus,equals_sign", "resize_log(1)", "More log", id="log.more", show=False,
            tooltip="The log: none, a part, all of the screen"),
    Binding("underscore,minus", "resize_log(-1)", "Less log", id="log.less", show=False,
            tooltip="The log: all, a part, none of the screen"),
    *DETAIL_KEYS,
    *LOG_TAKING_KEYS,
    Binding("P", "pause_scheduler", "Pause all", id="scheduler.pause", show=False,
            tooltip="Pause the whole scheduler, or resume it; asks first"),
    Binding("tab,shift+tab", "focus_panel", "Table or log", id="screen.other_part", show=False,
            tooltip="Between the table and the log"),
    Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
]  # fmt: skip
