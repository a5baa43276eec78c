"""What can be done to definitions from a screen: schedule, whole task, new, copy, delete, undo.

The forms are imported at the first key: the first paint needs none of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual import work
from textual.binding import Binding

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound
from cronpilot.tui.screens.acting import ActingScreen

if TYPE_CHECKING:
    from cronpilot.client.messages import RevisionView, TaskView
    from cronpilot.tui.screens.form import FormScreen

EDITING_KEYS = (
    Binding("e", "edit_schedule", "Schedule", id="task.schedule", tooltip="When this task runs"),
    Binding("E", "edit_task", "Edit", id="task.edit", show=False,
            tooltip="All fields of this task"),
    Binding("a", "add_task", "Add", id="task.add", tooltip="A new task"),
    Binding("c", "copy_task", "Copy", id="task.copy", show=False,
            tooltip="A new task like this one"),
    Binding("D", "delete_task", "Delete", id="task.delete", show=False,
            tooltip="Take this task away; asks for its name, keeps its history"),
    Binding("u", "undo", "Undo", id="task.undo", show=False,
            tooltip="Put this task back to what it was before its last change"),
    Binding("U", "undelete", "Undelete", id="task.undelete", show=False,
            tooltip="Bring back what was deleted last on this screen"),
)  # fmt: skip
"""For the bindings of a screen."""


class EditingScreen(ActingScreen):
    """Changes the definition of what `chosen_task` names at the press of a key."""

    ON_A_TASK = ActingScreen.ON_A_TASK | {
        "edit_schedule", "edit_task", "copy_task", "delete_task", "undo",
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._deleted: list[tuple[int, str]] = []

    def action_edit_schedule(self) -> None:
        """The schedule of the chosen task."""
        if chosen := self.chosen_task():
            self._edit(chosen[0], schedule_only=True)

    def action_edit_task(self) -> None:
        """All of the chosen task."""
        if chosen := self.chosen_task():
            self._edit(chosen[0], schedule_only=False)

    @work(exclusive=True, group="edit")
    async def _edit(self, task_id: int, *, schedule_only: bool) -> None:
        with self.telling():
            task = await self.client.task(task_id)
            from cronpilot.tui.screens.forms import schedule_form, task_form

            make = schedule_form if schedule_only else task_form
            await self._fill_in(make(task, self._zone_name()))

    @work(exclusive=True, group="edit")
    async def action_add_task(self) -> None:
        """A new task."""
        from cronpilot.tui.screens.forms import new_form

        await self._fill_in(new_form(self._zone_name()))

    def action_copy_task(self) -> None:
        """A new task that begins as the chosen one is."""
        if chosen := self.chosen_task():
            self._copy(chosen[0])

    @work(exclusive=True, group="edit")
    async def _copy(self, task_id: int) -> None:
        with self.telling():
            task = await self.client.task(task_id)
            from cronpilot.tui.screens.forms import copy_form

            await self._fill_in(copy_form(task, self._zone_name()))

    async def _fill_in(self, form: FormScreen) -> None:
        new = form.is_new
        saved = await self.app.push_screen_wait(form)
        if saved is not None:
            does = f"It runs {clean(saved.schedule_words)}."
            title = f"{'Added' if new else 'Saved'} {clean(saved.name)}"
            hint = "" if new else f" {self.key('task.undo', 'u')} undoes the change."
            self.notify(does + hint, title=title, markup=False)
            if new:
                self.added(saved)

    @abstractmethod
    def added(self, task: TaskView) -> None:
        """A task was made: show it."""

    def _zone_name(self) -> str:
        return self.status.timezone if self.status else "UTC"

    # --- deleting --------------------------------------------------------------------------------

    def action_delete_task(self) -> None:
        """Take the chosen task away, once its name was typed."""
        if chosen := self.chosen_task():
            self._delete(chosen[0])

    @work(exclusive=True, group="edit")
    async def _delete(self, task_id: int) -> None:
        from cronpilot.tui.screens.form_questions import type_the_name

        with self.telling():
            task = await self.client.task(task_id)
            if not await self.app.push_screen_wait(type_the_name(task)):
                return
            gone = await self.client.delete_task(task_id, if_version=task.version)
            self.remember_deleted(gone.id, gone.name)
            back = f"{self.key('task.undelete', 'U')} brings it back."
            self.notify(back, title=f"Deleted {clean(gone.name)}", markup=False)

    def remember_deleted(self, task_id: int, name: str) -> None:
        """What was deleted last is what is brought back first."""
        self._deleted.append((task_id, name))

    @work(exclusive=True, group="edit")
    async def action_undelete(self) -> None:
        """Bring back what was deleted last here."""
        if not self._deleted:
            self.notify("Nothing was deleted on this screen.", markup=False, timeout=3)
            return
        task_id, name = self._deleted[-1]
        with self.telling():
            await self.client.undo(task_id)
            self._deleted.pop()
            self.notify("It is back as it was.", title=clean(name), markup=False)

    # --- undoing ---------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Put the chosen task back to what it was before its last change."""
        if chosen := self.chosen_task():
            self._undo(*chosen)

    @work(exclusive=True, group="edit")
    async def _undo(self, task_id: int, name: str) -> None:
        with self.telling():
            task = await self.client.task(task_id)
            newest = await self.client.revisions(task_id, limit=1)
            if not newest:
                raise CronPilotError(f"There is nothing to undo of {name!r}.")
            await self._undo_that(task, newest[0])

    async def _undo_that(self, task: TaskView, revision: RevisionView) -> None:
        from cronpilot.tui.definition_diff import Changed, diff_lines

        try:
            await self.client.undo(task.id, revision_id=revision.id, if_version=task.version)
        except NotFound as error:  # it was taken away meanwhile
            raise CronPilotError(error.problem) from error
        back = [Changed(one.field, one.after, one.before) for one in revision.changes]
        lines = "\n".join(diff_lines(back, to=self.pilot_app.marks.to))
        again = f"{self.key('task.undo', 'u')} once more takes that back."
        self.notify(f"{lines}\n{again}", title=f"Undone: {clean(task.name)}", markup=False)
