"""A field of a form: its name, what is typed or chosen, and below it what is wrong with that."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import AwaitMount, Widget

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.widgets.form_choices import Row
from cronpilot.tui.widgets.form_controls import Kind, put_text, text_of
from cronpilot.tui.widgets.form_text import TextBox, TextField
from cronpilot.tui.widgets.toned import Toned

LABEL = 16
"""Cells of the names of fields."""


class FormRow(Toned):
    """Paints all of it until somebody fills it in: most of the many rows of a form are only looked
    at, and each widget costs time, those in which one types the most.

    Args:
        looks: whose tones are its own: all rows look the same, and finding out takes time.
    """

    DEFAULT_CSS = """
    FormRow { layout: horizontal; height: auto; width: 1fr; }
    FormRow > Row, FormRow > TextField, FormRow > TextBox { margin-left: 16; }
    """
    can_focus = True

    def __init__(self, name: str, label: str, kind: Kind, text: str, looks: Toned) -> None:
        super().__init__()
        self.field = name
        self.said = ""  # below the control, in as many rows as it needs
        self._label, self._kind, self._text, self._looks_of = label, kind, text, looks
        self._control: Widget | None = None
        self._is_there: AwaitMount | None = None
        self._is_composed = False
        self._tone: Tone = "bad"
        self._problem: Problem | None = None
        self._offer = ""

    def compose(self) -> ComposeResult:
        self._is_composed = True
        if self._control is not None:
            yield self._control

    # --- what stands in it -----------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What stands in it."""
        return self._text if self._control is None else text_of(self._control)

    @text.setter
    def text(self, text: str) -> None:
        self._text = text
        if self._control is not None:
            put_text(self._control, text)
        elif self.is_attached:
            self._open_where_it_is_long()
            self.refresh()

    @property
    def control(self) -> Widget:
        """What it is filled in with: there from now on."""
        if self._control is None:
            self._control = self._kind.control(self._text)
            self.can_focus = False
            if self._is_composed:
                self._is_there = self.mount(self._control)
        return self._control

    async def enter(self) -> None:
        """Give its control the focus."""
        control = self.control
        if self._is_there is not None:
            await self._is_there
            self._is_there = None
        self.screen.set_focus(control, scroll_visible=False)

    async def on_focus(self) -> None:
        await self.enter()

    async def on_mouse_down(self, event: events.MouseDown) -> None:
        """As if what is clicked at had been there already."""
        if event.widget is not self:
            return  # its control has heard of it
        await self.enter()
        control, x = self.control, event.x - LABEL
        if isinstance(control, Row):
            control.press_at(x)
        elif isinstance(control, TextField):
            control.call_after_refresh(control.place_cursor, x)  # once it has a width and the focus

    def on_resize(self) -> None:
        self._open_where_it_is_long()

    def _open_where_it_is_long(self) -> None:
        """Several rows are broken as their control breaks them."""
        room = self.size.width - LABEL
        if self._kind.lines and ("\n" in self._text or cell_len(self._text) >= room > 0):
            _ = self.control

    # --- what is said of it ----------------------------------------------------------------------

    def complain(self, problem: Problem | None) -> None:
        """This is wrong with it, or nothing is."""
        self._problem = problem
        self._tell()

    def offer(self, words: str) -> None:
        """What it may become; stands there instead of what is wrong."""
        self._offer = words
        self._tell()

    @property
    def _is_bad(self) -> bool:
        return self._problem is not None and not self._offer

    def _tell(self) -> None:
        problem = self._problem
        words = clean(f"{problem.problem} {problem.hint}") if problem else ""
        tone: Tone = "muted" if self._offer else "bad"
        said = self._offer or words
        if (said, tone) != (self.said, self._tone):
            self.said, self._tone = said, tone
            if self.is_attached:
                self.refresh(layout=True)

    @on(TextBox.OtherRows)
    def _say_what_is_unseen(self) -> None:
        self.refresh()

    # --- painting --------------------------------------------------------------------------------

    def tone_style(self, tone: Tone, *, under: Style | None = None) -> Style:
        return self._looks_of.tone_style(tone, under=under)

    def _rows(self, width: int) -> list[str]:
        return textwrap.wrap(self.said, max(10, width - LABEL)) if self.said else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        own = 1
        if self._control is not None:
            own = super().get_content_height(container, viewport, width)
        return own + len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not y:
            return self._first_line(width)
        rows = self._rows(width)
        own = self.size.height - len(rows)
        cells = [Cell(self._unseen_rows(y, own).ljust(LABEL), "muted")]
        cells.append(Cell(rows[y - own] if y >= own else "", self._tone))
        return self.strip(cells).adjust_cell_length(width, self.tone_style(""))

    def _unseen_rows(self, y: int, own: int) -> str:
        """How many more rows its control has, beside the first of them below the name and beside
        the last."""
        above, below = self._control.unseen if isinstance(self._control, TextBox) else (0, 0)
        if above and y == 1:
            return f"  {self.marks.up} {above:,} more"
        return f"  {self.marks.down} {below:,} more" if below and y == own - 1 else ""

    def _first_line(self, width: int) -> Strip:
        mark = self.marks.late if self._is_bad else " "
        label = self.strip([Cell(f"{mark} {self._label}", "bad" if self._is_bad else "muted")])
        label = label.adjust_cell_length(LABEL, self.tone_style(""))
        room = max(0, width - LABEL)
        face = self.strip(self._kind.face(self._text))
        face = face.adjust_cell_length(room, self.tone_style(self._kind.ground))
        return Strip.join([label, face]).crop(0, width)
