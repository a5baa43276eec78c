"""The page of a form: its fields, what they would do, and the way among them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.message import Message
from textual.screen import ScreenResultType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from cronpilot.domain.quiet import from_key
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell
from cronpilot.tui.judging import Filled, Judged, judge
from cronpilot.tui.rights import is_beyond
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.schedule_preview import ASKED, meetings, preview_lines
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.task_fields import FORM_FIELDS, Section
from cronpilot.tui.widgets.form_choices import Deed, Pick
from cronpilot.tui.widgets.form_controls import kind_of
from cronpilot.tui.widgets.form_row import FormRow
from cronpilot.tui.widgets.form_text import TextBox
from cronpilot.tui.widgets.key_bar import KeyBar, hint_of, hints_of
from cronpilot.tui.widgets.lines import Lines
from cronpilot.tui.widgets.schedule_fields import ScheduleFields
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import FireTime

PAUSE = 0.15
"""Seconds without a key after which what was typed is judged."""
WIDE = 116
"""Columns from which on the preview has room beside the fields."""
CLOSE = 15
"""Rows below which a form of one section has no blank ones: its fire times need them."""
_TWO_COLUMNS = 80
"""Columns from which on fire times find room side by side where rows are few."""
AT_ONCE = 2
"""Sections that are there when the form opens. Those that are in sight too follow while one looks
at these, the others when one goes towards them."""
JUST_BELOW = 2
"""Rows below those in sight: who scrolls finds them there."""
REREAD = 20.0
"""Seconds after which the countdowns of the preview are told anew."""


class _Fields(VerticalScroll, inherit_bindings=False):
    """Scrolls by the focus and the wheel alone: page down is the next section's."""

    class Moved(Message):
        """Other rows of it may be in sight now."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, _Fields.Moved)

    class Resized(Message):
        """What has the focus may be out of sight now."""

    def on_resize(self) -> None:
        self.post_message(self.Moved())
        self.post_message(self.Resized())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())


class FormPage(AskingScreen[ScreenResultType]):
    """Shows fields and judges what stands in them; saves nothing.

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
        Binding("question_mark,f1", "app.help", "Help", id="app.help", key_display="?", show=False,
                tooltip="All keys that work here; in a text F1"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    def __init__(self, title: str, sections: tuple[Section, ...], filled: Filled) -> None:
        super().__init__()
        self._title, self._sections, self._filled = clean(title), sections, filled
        self.head, self.key_bar = Line(id="form-head"), KeyBar(id="form-keys")
        self.preview = Lines(id="form-preview")
        self.schedule = ScheduleFields(filled.draft, filled.default_zone, self.preview)
        self.rows: dict[str, FormRow] = {}  # those that are there
        self._tops: list[FormRow] = []  # the first field of each section
        self._others: list[FireTime] | None = None
        self._judged: Judged | None = None
        self._tried = False  # to save: from then on empty fields are complained about, too
        self._timer: Timer | None = None
        self._has_been_seen, self._growing = False, asyncio.Lock()
        self._fields = _Fields(id="form-fields", can_focus=False)

    def compose(self) -> ComposeResult:
        self._set_classes()  # while there are no fields yet whose looks hang on them
        yield self.head
        with Container(id="form"):
            with self._fields:
                yield from self._next_sections(AT_ONCE)
            yield self.preview
        yield self.key_bar
        _ = self._tops[0].control

    # --- its sections ----------------------------------------------------------------------------

    def _next_sections(self, count: int) -> list[Widget]:
        """So many of those that are not there yet, and behind the last what to do with it all."""
        there = len(self._tops)
        widgets = [
            widget
            for section in self._sections[there : there + count]
            for widget in self._section(section)
        ]
        return [*widgets, *self._deeds()] if widgets and self._is_whole else widgets

    @property
    def _is_whole(self) -> bool:
        return len(self._tops) == len(self._sections)

    def _deeds(self) -> Sequence[Widget]:
        save = Deed("Save", "shows first what would change", id="save")
        if len(self._sections) == 1:
            return [save]
        note = "this as it stands, just as by schedule; not counted"
        return [save, Deed("Test run", note, key="t", id="test")]

    def _section(self, section: Section) -> Sequence[Widget]:
        widgets: list[Widget] = []
        if len(self._sections) > 1:
            title = Line()
            title.show([Cell(section.title.upper(), "head")])
            title.add_class("form-section")
            title.set_class(section is self._sections[0], "-first")
            widgets.append(title)
        if not section.fields:
            self.rows |= self.schedule.rows
            self._tops.append(self.schedule.rows["type"])
            return [*widgets, self.schedule]
        rows = {
            field.name: FormRow(field.name, field.label, kind_of(field),
                                self._filled.texts[field.name], self.preview)
            for field in section.fields
        }  # fmt: skip
        self.rows |= rows
        self._tops.append(rows[section.fields[0].name])
        return [*widgets, *rows.values()]

    def on_mount(self) -> None:
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell_keys())
        self.set_focus(self._tops[0].control)
        self._arrange()
        self._ask_for_others()
        self.set_interval(REREAD, self._check)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._start_filling)

    def _start_filling(self) -> None:
        self._has_been_seen = True
        self._fill()

    @on(_Fields.Moved)
    def _fill(self) -> None:
        if self._has_been_seen and self._has_room():
            self._grow_into_sight()

    @work(group="grow")
    async def _grow_into_sight(self) -> None:
        """Mount the sections that are in sight: keys are answered in between."""
        while self._has_room():
            await self._grow(1)

    def _has_room(self) -> bool:
        """Whether a section is missing where one looks, or just below, at their least heights."""
        if self._is_whole:
            return False
        there = self._sections[: len(self._tops)]
        rows = sum(2 + (len(section.fields) or 3) for section in there)
        return rows <= self._fields.scroll_y + self._fields.size.height + JUST_BELOW

    async def _grow(self, count: int) -> None:
        """Mount so many more sections."""
        async with self._growing:
            fresh = self._next_sections(count)
            if fresh and self.is_attached:
                await self._fields.mount(*fresh)
            if fresh and self.is_attached:  # it may have been left meanwhile
                self._tell(self.filled)

    async def all_there(self) -> None:
        """Mounts the sections that are not there yet, for the tenth of a second they take."""
        await self._grow(len(self._sections))

    # --- what stands in it -----------------------------------------------------------------------

    @property
    def is_new(self) -> bool:
        """Whether saving adds a task."""
        return self._filled.task is None

    @property
    def filled(self) -> Filled:
        """The form as it stands."""
        texts = {
            name: row.text for name, row in self.rows.items() if name not in self.schedule.rows
        }
        return replace(
            self._filled, texts={**self._filled.texts, **texts}, draft=self.schedule.draft
        )

    def _load(self, filled: Filled) -> None:
        self._filled = filled
        for name, row in self.rows.items():
            if name not in self.schedule.rows:
                row.text = filled.texts[name]
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
            problem = judged.problems.get(name) if self._tried or name in touched else None
            refused = name in filled.touched and name in FORM_FIELDS and self._may_not_change(name)
            row.complain(Problem("Only an admin may change this.") if refused else problem)
        schedule = judged.preview
        met = meetings(schedule, self._others) if self._others is not None else None
        width = max(30, (self.preview.size.width or self.size.width - 4) - 2)
        self.preview.show(preview_lines(schedule, met, self.now(), width, self.pilot_app.marks,
                                        self._preview_rows()))  # fmt: skip

    def _may_not_change(self, name: str) -> bool:
        return self._filled.task is not None and is_beyond(name, self.pilot_app.identity)

    def _tell_keys(self) -> None:
        if self.is_current:
            keymap = self.pilot_app.keymap
            always = (hint_of(keymap, "form.save", "ctrl+o", "save"),
                      hint_of(keymap, "form.leave", "escape", "leave"))  # fmt: skip
            self.key_bar.tell(hints_of(self), always=always)

    def _set_classes(self) -> None:
        self.set_class(self.app.size.width >= WIDE, "-wide")
        self.set_class(len(self._sections) > 1, "-long")
        self.set_class(self.app.size.height < CLOSE and len(self._sections) == 1, "-close")

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

    def _stops(self) -> list[Widget]:
        """What can be filled in or done, in order; Textual's own chain has those that were mounted
        just now, and are not laid out yet, at its beginning."""
        return [
            widget
            for widget in self._fields.walk_children(Widget)
            if isinstance(widget, FormRow | Deed) and widget.display
        ]

    def _here(self, stops: Sequence[Widget]) -> int:
        """Which of them has the focus."""
        focused = self.focused
        here = focused.parent if focused and isinstance(focused.parent, FormRow) else focused
        return stops.index(here) if here in stops else 0

    async def go_to(self, stop: Widget) -> None:
        """Give it the focus, and bring it into sight."""
        if isinstance(stop, FormRow):
            await stop.enter()
        else:
            self.set_focus(stop, scroll_visible=False)
        self.call_after_refresh(self._bring_into_sight, stop)

    @on(_Fields.Resized)
    def _keep_in_sight(self) -> None:
        stops = self._stops()
        self.call_after_refresh(self._bring_into_sight, stops[self._here(stops)])

    def _bring_into_sight(self, stop: Widget) -> None:
        if stop.is_attached and stop.has_focus_within and not self.can_view_entire(stop):
            self.scroll_to_center(stop, origin_visible=True)

    async def action_next_field(self) -> None:
        """To the next field that can be filled in."""
        stops = self._stops()
        here = self._here(stops)
        if here == len(stops) - 1 and not self._is_whole:
            await self._grow(1)
            stops = self._stops()
        await self.go_to(stops[(here + 1) % len(stops)])

    async def action_field_before(self) -> None:
        """To the field before; from the first to the last line of the form."""
        if not self._here(self._stops()):
            await self.all_there()
        stops = self._stops()
        await self.go_to(stops[self._here(stops) - 1])

    @on(TextBox.Left)
    async def _leave_a_box(self, event: TextBox.Left) -> None:
        await (self.action_next_field() if event.by > 0 else self.action_field_before())

    async def action_section(self, by: int) -> None:
        """To the first field of the next section, or of the one before."""
        stops = self._stops()
        here = self._here(stops)
        if by > 0 and here >= stops.index(self._tops[-1]):
            await self._grow(1)
            stops = self._stops()
        places = [stops.index(top) for top in self._tops]
        if by > 0:
            goal = next((place for place in places if place > here), len(stops) - 1)
        else:
            goal = next((place for place in reversed(places) if place < here), 0)
        await self.go_to(stops[goal])
