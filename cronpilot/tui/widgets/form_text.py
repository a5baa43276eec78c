"""The parts of a form in which one types: what is pasted into them commands no terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Input, TextArea
from textual.widgets.input import Selection

from cronpilot.domain.text import clean
from cronpilot.tui.zone_names import zone_matches

_MOST_ROWS = 6
"""Of a field with several lines; it scrolls where there are more."""


class TextField(Input):
    """One line."""

    # As `compact=True`, which finds out in vain what a field that is on no screen yet looks like.
    DEFAULT_CSS = "TextField { width: 1fr; height: 1; padding: 0; border: none !important; }"

    # Textual's own lays the whole screen out anew with each key. Our width depends on no text.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0))

    def __init__(self, text: str = "", placeholder: str = "", *, replace: bool = False) -> None:
        """`replace`: what is typed first takes the place of what stands there."""
        super().__init__(text, placeholder=placeholder, select_on_focus=replace, validate_on=())
        self.set_reactive(Input.cursor_blink, False)

    def validate_value(self, value: str) -> str:
        return clean(value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One line has no pages: those keys are the screen's."""
        return not action.startswith("page_") and super().check_action(action, parameters)

    def place_cursor(self, x: int) -> None:
        """At the character in that column; behind the last where there is none."""
        if x >= 0:
            self.selection = Selection.cursor(self._cell_offset_to_index(x))


class TextBox(TextArea):
    """Several lines. Up in the first and down in the last go on to the next field."""

    DEFAULT_CSS = "TextBox { width: 1fr; height: 1; padding: 0; border: none !important; }"

    @dataclass
    class Left(Message):
        """The cursor went beyond its first line (by: -1) or its last (1)."""

        by: int

    class OtherRows(Message):
        """Others of its rows are seen, or there are more of them."""

    def __init__(self, text: str = "", placeholder: str = "") -> None:
        super().__init__(text, placeholder=placeholder, highlight_cursor_line=False)
        self.set_reactive(TextArea.cursor_blink, False)
        self.unseen = (0, 0)  # rows above and below what is seen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Few lines have no pages: those keys are the screen's."""
        return not action.startswith("cursor_page") and super().check_action(action, parameters)

    def on_mount(self) -> None:
        self._fit()

    @on(TextArea.Changed)
    def _fit(self) -> None:
        self.styles.height = min(max(1, self.wrapped_document.height), _MOST_ROWS)
        self._count_unseen()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._count_unseen()

    def _count_unseen(self) -> None:
        above, rows = round(self.scroll_y), self.wrapped_document.height
        unseen = above, max(0, rows - above - _MOST_ROWS)
        if unseen != self.unseen:
            self.unseen = unseen
            self.post_message(self.OtherRows())

    def on_resize(self) -> None:
        self.call_next(self._fit)  # once Textual has broken the lines anew

    def edit(self, edit: Edit) -> EditResult:
        edit.text = clean_lines(edit.text)
        return super().edit(edit)

    def action_cursor_up(self, select: bool = False) -> None:
        if self.cursor_at_first_line and not select:
            self.post_message(self.Left(-1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.cursor_at_last_line and not select:
            self.post_message(self.Left(1))
        else:
            super().action_cursor_down(select)


def clean_lines(text: str) -> str:
    """Several lines, tabs and line breaks kept, in which no other control is obeyed."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(clean, line.split("\t"))) for line in lines)


class ZoneField(TextField):
    """A time zone by its name. While the name is not whole, those that it may become are offered:
    up and down choose among them, Tab, Enter and Right take the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "take", "Take", id="zone.take", key_display="Tab", tooltip="The marked name"
        ),
        Binding(
            "down",
            "choose(1)",
            "Other",
            id="zone.next",
            key_display="Down",
            tooltip="The next name",
        ),
        Binding(
            "up", "choose(-1)", "Other", id="zone.before", show=False, tooltip="The name before"
        ),
    ]

    def __init__(self, text: str = "", placeholder: str = "") -> None:
        super().__init__(text, placeholder, replace=True)
        self.matches: list[str] = []
        self.chosen = 0

    @on(Input.Changed)
    def _match(self) -> None:
        found = zone_matches(self.value)
        if found[:1] == [self.value] or not self.has_focus:
            found = []
        if found != self.matches:
            self.matches, self.chosen = found, 0
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("take", "choose"):
            return bool(self.matches)
        return super().check_action(action, parameters)

    def action_take(self) -> None:
        """The chosen name stands there, whole."""
        self.value = self.matches[self.chosen]
        self.cursor_position = len(self.value)

    async def action_submit(self) -> None:
        """Enter: the chosen name; else on to the next field."""
        if self.matches:
            self.action_take()
        else:
            await super().action_submit()

    def action_choose(self, by: int) -> None:
        self.chosen = (self.chosen + by) % len(self.matches)
        self.post_message(self.Changed(self, self.value, None))

    def action_cursor_right(self, select: bool = False) -> None:
        if self.matches and self.cursor_at_end:
            self.action_take()
        else:
            super().action_cursor_right(select)
