"""A full-screen form for a task, or for its schedule alone: judge, look over, save."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from cronpilot.domain.quiet import from_key
from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.errors import Conflict, CronPilotError
from cronpilot.tui.definition_diff import Changed, as_changes, changed_fields, diff_lines
from cronpilot.tui.formatting import Cell, result
from cronpilot.tui.judging import Filled, Judged, judge
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.schedule_preview import ASKED, meetings, preview_lines
from cronpilot.tui.screens import form_questions
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.task_fields import Section, fields_of, spec_of
from cronpilot.tui.widgets.form_choices import Deed, Pick
from cronpilot.tui.widgets.form_controls import control_of, put_text, text_of
from cronpilot.tui.widgets.form_row import FormRow
from cronpilot.tui.widgets.key_bar import KeyBar, KeyHint, hints_of
from cronpilot.tui.widgets.lines import Lines
from cronpilot.tui.widgets.schedule_fields import ScheduleFields
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import FireTime, TaskView

PAUSE = 0.15
"""Seconds without a key after which what was typed is judged."""
WIDE = 116
"""Columns from which on the preview has room beside the fields."""
_TWO_COLUMNS = 80
"""Columns from which on fire times find room side by side where rows are few."""
AT_ONCE = 2
"""Sections that are there when the form opens; the others follow while one looks at these."""
REREAD = 20.0
"""Seconds after which the countdowns of the preview are told anew."""


class _Fields(VerticalScroll, inherit_bindings=False):
    """Scrolls by the focus alone: page down is the next section's."""


class FormScreen(AskingScreen["TaskView | None"]):
    """Returns the task as saved; None when nothing was.

    Args:
        title: what is being done.
        sections: the fields that are on it; the section without fields is the schedule.
        filled: what stands in them at first.
    """

    HOLDS_INPUT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,down", "next_field", "Next", id="form.next", key_display="Tab",
                tooltip="The next field"),
        Binding("shift+tab,up", "field_before", "Back", id="form.before", show=False,
                tooltip="The field before"),
        Binding("pagedown", "section(1)", "Section", id="form.section", key_display="PgDn",
                tooltip="The next section"),
        Binding("pageup", "section(-1)", "Section before", id="form.section_before", show=False,
                tooltip="The section before"),
        Binding("ctrl+o", "save", "Save", id="form.save", show=False,
                tooltip="Shows first what would change"),
        Binding("escape,q,ctrl+q", "leave", "Leave", id="form.leave", show=False,
                tooltip="Asks where something is not saved"),
        Binding("question_mark,f1", "app.help", "Help", id="app.help", key_display="?", show=False,
                tooltip="All keys that work here; in a text F1"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    def __init__(self, title: str, sections: tuple[Section, ...], filled: Filled) -> None:
        super().__init__()
        self._title, self._sections, self._filled = clean(title), sections, filled
        self.head, self.key_bar = Line(id="form-head"), KeyBar(id="form-keys")
        self.schedule = ScheduleFields(filled.draft, filled.default_zone)
        self.preview = Lines(id="form-preview")
        self.rows: dict[str, FormRow] = {}
        self._tops: list[Widget] = []  # the first field of each section
        self._others: list[FireTime] | None = None
        self._judged: Judged | None = None
        self._tried = False  # to save: from then on empty fields are complained about, too
        self._timer: Timer | None = None
        self._seen, self._whole = asyncio.Event(), asyncio.Event()
        self._fields = _Fields(id="form-fields", can_focus=False)

    def compose(self) -> ComposeResult:
        self._set_classes()  # while there are no fields yet whose looks hang on them
        yield self.head
        with Container(id="form"):
            with self._fields:
                for section in self._sections[:AT_ONCE]:
                    yield from self._section(section)
                if len(self._sections) <= AT_ONCE:
                    yield from self._deeds()
            yield self.preview
        yield self.key_bar

    def _deeds(self) -> ComposeResult:
        yield Deed("Save", "shows first what would change", id="save")
        if len(self._sections) > 1:
            note = "this as it stands, just as by schedule; not counted"
            yield Deed("Test run", note, key="t", id="test")

    def _section(self, section: Section) -> ComposeResult:
        if len(self._sections) > 1:
            title = Line()
            title.show([Cell(section.title.upper(), "head")])
            title.add_class("form-section")
            title.set_class(section is self._sections[0], "-first")
            yield title
        if not section.fields:
            self.rows |= self.schedule.rows
            self._tops.append(self.schedule.rows["type"].control)
            yield self.schedule
            return
        for field in section.fields:
            row = FormRow(
                field.name, field.label, control_of(field, self._filled.texts[field.name])
            )
            self.rows[field.name] = row
            if field is section.fields[0]:
                self._tops.append(row.control)
            yield row

    def on_mount(self) -> None:
        self._grow()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell_keys())
        self._tops[0].focus()
        self._arrange()
        self._ask_for_others()
        self._check()
        self.set_interval(REREAD, self._check)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._seen.set)

    @work(group="grow")
    async def _grow(self) -> None:
        """The other sections, those that are seen first: keys are answered in between."""
        await self._seen.wait()
        later = self._sections[AT_ONCE:]
        if later:
            await self._fields.mount(*self._section(later[0]))
            rest = [row for section in later[1:] for row in self._section(section)]
            await self._fields.mount(*rest, *self._deeds())
        self._whole.set()
        if self.is_attached:  # it may have been left meanwhile
            self._tell(self.filled)
        if later and self.focused is not None:  # there was less to scroll through when it got it
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    async def _all_there(self) -> None:
        """Waits for the sections that are not there yet, for the tenth of a second they take."""
        self._seen.set()
        await self._whole.wait()

    # --- what stands in it -----------------------------------------------------------------------

    @property
    def is_new(self) -> bool:
        """Whether saving adds a task."""
        return self._filled.task is None

    @property
    def filled(self) -> Filled:
        """The form as it stands."""
        texts = {
            name: text_of(row.control)
            for name, row in self.rows.items()
            if name not in self.schedule.rows
        }
        return replace(
            self._filled, texts={**self._filled.texts, **texts}, draft=self.schedule.draft
        )

    def _load(self, filled: Filled) -> None:
        self._filled = filled
        for name, row in self.rows.items():
            if name not in self.schedule.rows:
                put_text(row.control, filled.texts[name])
        self.schedule.load(filled.draft)
        self._check()

    @on(Input.Submitted)
    async def _go_on(self) -> None:
        await self.action_next_field()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Pick.Picked)
    @on(ScheduleFields.Changed)
    def _wait_for_more(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._check)

    @work(exclusive=True, group="check")
    async def _check(self) -> None:
        await self._judge()

    async def _judge(self) -> Judged:
        """Off the loop: keys are answered meanwhile."""
        filled = self.filled
        self._judged = await asyncio.to_thread(judge, filled, self.now(), self._count())
        if self.is_attached:  # it may have been left meanwhile
            self._tell(filled)
        return self._judged

    @work(exclusive=True, group="others")
    async def _ask_for_others(self) -> None:
        with self.telling():
            planned = await self.client.fire_times(limit=ASKED)
            own = self._filled.task.id if self._filled.task else None
            self._others = [fire for fire in planned if fire.task_id != own]
            rules = {one.name: from_key(one.key)[0] for one in await self.client.quiet_times()}
            self._filled = replace(self._filled, quiet=rules)
            await self._judge()

    # --- what is said ----------------------------------------------------------------------------

    def _count(self) -> int:
        """Fire times that the preview has room for: a schedule alone leaves it more."""
        if self.size.width >= _TWO_COLUMNS:
            return 10
        room = self.size.height - (16 if len(self._sections) == 1 else 19)
        return max(5, min(10, room))

    def _preview_rows(self) -> int:
        """Rows that the preview may have: what the fields leave, or its share of a long form."""
        height = self.size.height
        if self.has_class("-wide"):
            return height - 3
        return height - 10 if len(self._sections) == 1 else (height - 2) // 2 - 1

    def _tell(self, filled: Filled) -> None:
        judged, dirty = self._judged, bool(filled.touched)
        note = [Cell("  not saved", "warn")] if dirty else []
        self.head.show([Cell(" "), Cell(self._title, "title"), *note])
        if judged is None:
            return
        touched = filled.touched | {"type"}
        for name, row in self.rows.items():
            problem = judged.problems.get(name)
            row.complain(problem if self._tried or name in touched else None)
        schedule = judged.preview
        met = meetings(schedule, self._others) if self._others is not None else None
        width = max(30, (self.preview.size.width or self.size.width - 4) - 2)
        self.preview.show(preview_lines(schedule, met, self.now(), width, self.pilot_app.marks,
                                        self._preview_rows()))  # fmt: skip

    def _tell_keys(self) -> None:
        if self.is_current:
            always = (KeyHint(self.key("form.save", "ctrl+o"), "save"),
                      KeyHint(self.key("form.leave", "Esc"), "leave"))  # fmt: skip
            self.key_bar.tell(hints_of(self), always=always)

    def _set_classes(self) -> None:
        self.set_class(self.app.size.width >= WIDE, "-wide")
        self.set_class(len(self._sections) > 1, "-long")

    def _arrange(self) -> None:
        self._set_classes()
        wide = self.has_class("-wide")
        beside = wide or len(self._sections) == 1 or self.schedule.has_focus_within
        self.preview.display = beside and self.size.height >= 12

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        self._check()
        self.call_after_refresh(self._tell_keys)

    def on_descendant_focus(self) -> None:
        self._arrange()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "section" or len(self._sections) > 1

    # --- keys ------------------------------------------------------------------------------------

    async def action_next_field(self) -> None:
        """To the next field that can be filled in."""
        if self.focused is self.focus_chain[-1]:
            await self._all_there()
        self.focus_next()

    async def action_field_before(self) -> None:
        """To the field before; from the first to the last line of the form."""
        if self.focused is self.focus_chain[0]:
            await self._all_there()
        self.focus_previous()

    async def action_section(self, by: int) -> None:
        """To the first field of the next section, or of the one before."""
        await self._all_there()
        order = self.focus_chain
        here = order.index(self.focused) if self.focused in order else 0
        places = [order.index(top) for top in self._tops]
        if by > 0:
            goal = next((place for place in places if place > here), len(order) - 1)
        else:
            goal = next((place for place in reversed(places) if place < here), 0)
        order[goal].focus()

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
        lines = diff_lines(changed, new=new)
        if await self.app.push_screen_wait(form_questions.save(clean(spec.name), lines, new=new)):
            try:
                await self._write(changed)
            except CronPilotError as error:
                self._refused(error)

    def _refused(self, error: CronPilotError) -> None:
        """The engine did not want it; beside the field that it speaks of, if there is one."""
        self.tell_error(error)
        row = self.rows.get(error.field or "")
        if row is not None:
            row.complain(Problem(error.problem, error.hint))
            row.control.focus()

    async def _changed(self) -> tuple[Any, list[Changed]]:
        """The definition and what it changes; None where something is wrong, which is shown."""
        self._tried = True
        await self._all_there()
        judged = await self._judge()
        if judged.spec is None:
            self._show_first_problem(judged.problems)
            return None, []
        before = spec_of(self._filled.fields) if self._filled.task else None
        return judged.spec, changed_fields(before, judged.spec)

    def _show_first_problem(self, problems: dict[str, Problem]) -> None:
        for name, row in self.rows.items():
            if name in problems:
                row.control.focus()
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
        differs = diff_lines(changed_fields(spec_of(self._filled.fields), spec_of(fields)))
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
        shown = {name.split(".")[0] for name in self.rows if name not in self.schedule.rows}
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
