"""The forms there are: of a schedule, of a task, of a new one, of a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.tui.judging import Filled
from cronpilot.tui.screens.form import FormScreen
from cronpilot.tui.task_fields import SECTIONS, fields_of

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView

_NEW = {
    "name": "",
    "command": "",
    "schedule": {"type": "daily", "config": {"hour": 2, "minute": 30}},
}
_SCHEDULE = tuple(section for section in SECTIONS if not section.fields)


def schedule_form(task: TaskView, default_zone: str) -> FormScreen:
    """When this task runs, and nothing else."""
    filled = Filled.begin(fields_of(task), task, default_zone)
    return FormScreen(f"Schedule of {task.name}", _SCHEDULE, filled)


def task_form(task: TaskView, default_zone: str) -> FormScreen:
    """All of a task."""
    filled = Filled.begin(fields_of(task), task, default_zone)
    return FormScreen(f"Task {task.name}", SECTIONS, filled)


def new_form(default_zone: str) -> FormScreen:
    """A new task, run each night unless something else is chosen."""
    return FormScreen("New task", SECTIONS, Filled.begin(_NEW, None, default_zone))


def copy_form(task: TaskView, default_zone: str) -> FormScreen:
    """A new task that begins as another one is."""
    fields = {**fields_of(task), "name": f"{task.name} (copy)"[:200]}
    return FormScreen(f"Copy of {task.name}", SECTIONS, Filled.begin(fields, None, default_zone))
