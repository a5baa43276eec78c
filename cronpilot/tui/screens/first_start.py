"""Where there are no tasks yet: load a tasks.yaml, try a demo, hear of what cron does here."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.binding import Binding

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError
from cronpilot.tui.formatting import plural
from cronpilot.tui.screens.editing import EditingScreen
from cronpilot.tui.screens.empty import CronLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cronpilot.config.tasks_file import Entry

FIRST_START_KEYS = (
    Binding("i", "load_tasks", "Load", id="task.load", tooltip="Add the tasks of a tasks.yaml"),
    Binding("d", "add_demo", "Demo", id="task.demo", tooltip="Add four harmless examples"),
)  # fmt: skip
"""For the bindings of a screen."""

_MOST_NAMED = 3  # places: more find no room on 80 columns


class FirstStartScreen(EditingScreen):
    """Fills an empty list of tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.cron_lines: CronLines | None = None

    @property
    def has_no_tasks(self) -> bool:
        """Whether it is known that there are none."""
        return self.status is not None and not self.status.total_tasks

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "add_demo":
            return self.has_no_tasks
        if action in self.ON_A_TASK and self.has_no_tasks:
            return False
        return super().check_action(action, parameters)

    # --- what is there already -------------------------------------------------------------------

    def look_for_cron_lines(self) -> None:
        """Once, where there are no tasks yet and the engine is on this machine."""
        wanted = self.pilot_app.options.look_for_cron and self.cron_lines is None
        if wanted and self.has_no_tasks:
            self._look_for_cron_lines()

    @work(exclusive=True, group="cron lines")
    async def _look_for_cron_lines(self) -> None:
        try:
            self.cron_lines = await asyncio.to_thread(_cron_lines)
        except (CronPilotError, OSError, ValueError):
            return  # it was only for a hint; `cronpilot adopt` says what is wrong
        self.tick(self.now())

    # --- load ------------------------------------------------------------------------------------

    @work(exclusive=True, group="edit")
    async def action_load_tasks(self) -> None:
        """Add the tasks of a file."""
        from cronpilot.tui.screens.form_questions import load_these, which_file

        path = await self.app.push_screen_wait(which_file(_likely_file()))
        if path is None:
            return
        with self.telling():
            entries = await asyncio.to_thread(_entries_of, Path(path).expanduser())
            question = load_these(clean(path), [_told(entry) for entry in entries])
            if await self.app.push_screen_wait(question):
                from cronpilot.domain.task import told_dict

                await self._add([told_dict(entry.spec) for entry in entries])

    @work(exclusive=True, group="edit")
    async def action_add_demo(self) -> None:
        """Add the examples."""
        from cronpilot.tui.demo_tasks import DEMO_TASKS, TAG

        await self._add([{**task, "tags": [TAG]} for task in DEMO_TASKS])

    async def _add(self, specs: Sequence[dict[str, Any]]) -> None:
        """Each on its own: one that is refused does not keep the others out."""
        self.pilot_app.asks_no_more()
        refused: list[CronPilotError] = []
        for spec in specs:
            try:
                await self.client.create_task(spec)
            except CronPilotError as error:
                refused.append(error)
        if refused:
            self.tell_error(refused[0])
        if added := len(specs) - len(refused):
            away = f"{self.key('task.delete', 'D')} takes one away again."
            words = f"{plural(len(refused), 'task')} refused." if refused else away
            self.notify(words, title=f"Added {plural(added, 'task')}", markup=False)


def _cron_lines() -> CronLines:
    """Reads crontabs, run-parts directories and timers; takes a moment."""
    from cronpilot.adopt import Machine, look

    places = Counter(_place(entry.where) for entry in look(Machine.here()))
    files = [place for place, _ in places.most_common(_MOST_NAMED)]
    return CronLines(places.total(), tuple(files))


def _place(file: Path) -> str:
    """A crontab by its name, of the many files of a directory only the directory."""
    return str(file if file.parent == Path("/etc") else file.parent)


def _likely_file() -> str:
    here = Path.cwd() / "tasks.yaml"
    return str(here) if here.is_file() else ""


def _entries_of(path: Path) -> list[Entry]:
    from cronpilot.config.tasks_file import read_tasks_file

    return read_tasks_file(path).entries


def _told(entry: Entry) -> str:
    return f"{clean(entry.spec.name)}: {clean(entry.spec.schedule.shorthand)}"
