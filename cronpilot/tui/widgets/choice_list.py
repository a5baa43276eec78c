"""The answers that a dialog offers, one a line, each with its letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.layout import pad
from cronpilot.tui.widgets.toned import Toned

_KEYS = 5  # cells for the letter and the blanks around it


class Choice(NamedTuple):
    """An answer: the key that gives it, what it does, a further word, what the dialog returns."""

    key: str
    label: str
    value: str | None
    note: str = ""
    tone: Tone = ""


class ChoiceList(Toned):
    """The last choice is the harmless one: the cursor stands on it at first."""

    DEFAULT_CSS = "ChoiceList { height: auto; width: 1fr; }"
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up,shift+tab",
            "move(-1)",
            "Up",
            id="dialog.up",
            tooltip="The answer before",
            show=False,
        ),
        Binding(
            "down,tab", "move(1)", "Down", id="dialog.down", tooltip="The next answer", show=False
        ),
        Binding(
            "enter",
            "choose",
            "Choose",
            id="dialog.choose",
            tooltip="Gives the answer under the cursor",
            show=False,
        ),
    ]

    @dataclass
    class Chosen(Message):
        """The answer was given."""

        choice: Choice

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.choices = list(choices)
        self.cursor = len(self.choices) - 1

    def action_move(self, by: int) -> None:
        self.cursor = (self.cursor + by) % len(self.choices)
        self.refresh()

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self.choices[self.cursor]))

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self.choices):
            self.post_message(self.Chosen(self.choices[event.y]))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return _KEYS + 2 + max(len(choice.label) + len(choice.note) + 2 for choice in self.choices)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.choices)

    def render_line(self, y: int) -> Strip:
        if y >= len(self.choices):
            return Strip.blank(self.size.width, self.tone_style(""))
        choice = self.choices[y]
        here = y == self.cursor
        under = self.get_component_rich_style("tone--cursor", partial=True) if here else None
        cells = [
            Cell(f"{self.marks.cursor if here else ' '} "),
            Cell(pad(choice.key, _KEYS, self.marks), "strong"),
            Cell(choice.label, choice.tone),
            Cell("  "),
            Cell(choice.note, "muted"),
        ]
        style = self.tone_style("") if under is None else self.tone_style("") + under
        return self.strip(cells, under=under).adjust_cell_length(self.size.width, style)
