"""A full-screen form for a task, or for its schedule alone: judge, look over, save."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from textual import on, work
from textual.binding import Binding, BindingType

from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.errors import Conflict, CronPilotError
from cronpilot.tui.definition_diff import Changed, as_changes, changed_fields, diff_lines
from cronpilot.tui.formatting import result
from cronpilot.tui.judging import Filled
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.screens import form_questions
from cronpilot.tui.screens.form_page import FormPage
from cronpilot.tui.task_fields import FORM_FIELDS, fields_of, spec_of
from cronpilot.tui.widgets.form_choices import Deed

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView


class FormScreen(FormPage["TaskView | None"]):
    """Returns the task as saved; None when nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "save", "Save", id="form.save", show=False,
                tooltip="Shows first what would change"),
        Binding("escape,q,ctrl+q", "leave", "Leave", id="form.leave", show=False,
                tooltip="Asks where something is not saved"),
    ]  # fmt: skip

    # --- leaving ---------------------------------------------------------------------------------

    @work(exclusive=True, group="leave")
    async def action_leave(self) -> None:
        """Back to where one came from; asks where something would be lost."""
        answer: str | None = form_questions.DISCARD
        if self.filled.touched:
            answer = await self.app.push_screen_wait(form_questions.leave())
        if answer == form_questions.DISCARD:
            self.dismiss(None)
        elif answer == form_questions.SAVE:
            self.action_save()

    # --- saving ----------------------------------------------------------------------------------

    @on(Deed.Done)
    def _deed(self, event: Deed.Done) -> None:
        if event.deed.id == "save":
            self.action_save()
        else:
            self._test_run(uuid4().hex)

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Show what would change, then save it."""
        spec, changed = await self._changed()
        if spec is None:
            return
        if not changed:
            self.notify("Nothing is changed.", markup=False, timeout=3)
            return
        new = self._filled.task is None
        lines = diff_lines(changed, new=new, to=self.pilot_app.marks.to)
        if await self.app.push_screen_wait(form_questions.save(clean(spec.name), lines, new=new)):
            try:
                await self._write(changed)
            except CronPilotError as error:
                await self._refused(error)

    async def _refused(self, error: CronPilotError) -> None:
        """The engine did not want it; beside the field that it speaks of, if there is one."""
        self.tell_error(error)
        if error.field in FORM_FIELDS and error.field not in self.rows:
            await self.all_there()
        row = self.rows.get(error.field or "")
        if row is not None:
            row.complain(Problem(error.problem, error.hint))
            await self.go_to(row)

    async def _changed(self) -> tuple[Any, list[Changed]]:
        """The definition and what it changes; None where something is wrong, which is shown."""
        self._tried = True
        judged = await self._judge()
        if judged.spec is None:
            await self._show_first_problem(judged.problems)
            return None, []
        before = spec_of(self._filled.fields) if self._filled.task else None
        return judged.spec, changed_fields(before, judged.spec)

    async def _show_first_problem(self, problems: dict[str, Problem]) -> None:
        if not problems.keys() <= self.rows.keys():
            await self.all_there()
        for name, row in self.rows.items():
            if name in problems:
                await self.go_to(row)
                return
        name, problem = next(iter(problems.items()))
        self.tell_error(CronPilotError(f"{name} {problem.problem}", problem.hint))

    async def _write(self, changed: list[Changed]) -> None:
        task = self._filled.task
        try:
            if task is None:
                made = {one.name: one.after for one in changed}
                self.dismiss(await self.client.create_task(made))
            else:
                self.dismiss(
                    await self.client.change_task(
                        task.id, as_changes(changed), if_version=task.version
                    )
                )
        except Conflict as conflict:
            if task is None or conflict.field is not None:
                raise
            await self._settle(task, changed)

    async def _settle(self, task: TaskView, mine: list[Changed]) -> None:
        """Someone else changed it meanwhile: whose fields shall stand?"""
        theirs = await self.client.task(task.id)
        fields = fields_of(theirs)
        theirs_alone = changed_fields(spec_of(self._filled.fields), spec_of(fields))
        differs = diff_lines(theirs_alone, to=self.pilot_app.marks.to)
        answer = await self.app.push_screen_wait(form_questions.conflict(clean(task.name), differs))
        if answer is None:
            return
        begun = Filled.begin(fields, theirs, self._filled.default_zone)
        begun = replace(begun, quiet=self._filled.quiet)
        if answer == form_questions.RELOAD:
            self._load(begun)
        elif answer == form_questions.MERGE:
            merged = {**fields, **as_changes(mine)}
            self._load(begun.refill({k: v for k, v in merged.items() if v is not None}))
            self.notify("Yours stand over theirs. Look it over, then save.", markup=False)
        else:
            await self._overwrite(begun)

    async def _overwrite(self, begun: Filled) -> None:
        """All that is on the form, as it stands, over what someone else has saved."""
        spec = (await self._judge()).spec
        self._filled = replace(self._filled, fields=begun.fields, task=begun.task)
        if spec is None:
            return
        shown = {field.name.split(".")[0] for section in self._sections for field in section.fields}
        shown |= {"schedule", "timezone"}
        every = changed_fields(spec_of(begun.fields), spec)
        await self._write([one for one in every if one.name in shown])

    @work(exclusive=True, group="test")
    async def _test_run(self, request_id: str) -> None:
        spec, changed = await self._changed()
        if spec is None:
            return
        with self.telling():
            if self._filled.task is None:
                if not await self._add_switched_off(clean(spec.name), changed):
                    return
                spec, changed = await self._changed()
            task = self._filled.task
            assert task is not None
            run = await self.client.test_task(
                task.id, spec=as_changes(changed), as_scheduled=True, request_id=request_id
            )
            words = (
                f"was skipped: it {result(run)}" if run.status is Status.SKIPPED else "has begun"
            )
            view = self.key("view.running", "2")
            self.notify(f"Test run {run.id} {words}. View {view} shows it.", markup=False)

    async def _add_switched_off(self, name: str, changed: list[Changed]) -> bool:
        """What is not there cannot be tested: add it so that it does not start by itself, and go on
        with it in the form. False when the user would rather not."""
        if not await self.app.push_screen_wait(form_questions.add_to_test(name)):
            return False
        wanted = {one.name: one.after for one in changed}
        made = await self.client.create_task({**wanted, "active": False})
        begun = Filled.begin(fields_of(made), made, self._filled.default_zone)
        begun = replace(begun, quiet=self._filled.quiet)
        self._load(begun.refill({**fields_of(made), "active": wanted.get("active", True)}))
        return True
