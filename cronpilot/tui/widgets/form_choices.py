"""The parts of a form in which one chooses: one word of a few, days, and what to do with it all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cronpilot.domain.schedule import DAYS
from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.toned import Toned


class Row(Toned):
    """Words side by side, with a cursor among them while the row has the focus."""

    DEFAULT_CSS = "Row { height: 1; width: 1fr; }"
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "move(-1)",
            "Choose",
            id="choice.left",
            key_display="Left/Right",
            tooltip="The one before",
        ),
        Binding(
            "right", "move(1)", "Choose", id="choice.right", show=False, tooltip="The next one"
        ),
        Binding(
            "enter",
            "screen.next_field",
            "Next",
            id="choice.next",
            tooltip="To the next field",
            show=False,
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0

    @abstractmethod
    def words(self) -> Sequence[Cell]:
        """What stands side by side."""

    @abstractmethod
    def press(self, index: int) -> None:
        """The word of that index is clicked."""

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        self.press_at(event.x)

    def press_at(self, x: int) -> None:
        """The word in that column is clicked, if there is one."""
        end = 0
        for index, word in enumerate(self.words()):
            end += cell_len(word.text)
            if 0 <= x < end:
                self.press(index)
                return

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width, self.tone_style(""))
        cursor = self.get_component_rich_style("tone--cursor", partial=True)
        strips = [
            self.strip([word], under=cursor if self.has_focus and index == self.cursor else None)
            for index, word in enumerate(self.words())
        ]
        return Strip.join(strips).adjust_cell_length(width, self.tone_style(""))


class Pick(Row):
    """One word of a few: by the arrow keys, or by its first letter."""

    @dataclass
    class Picked(Message):
        """Another word is chosen."""

        pick: Pick

    def __init__(self, choices: Sequence[str], value: str) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.value = value

    @property
    def value(self) -> str:
        """The chosen word."""
        return self.choices[self.cursor]

    @value.setter
    def value(self, word: str) -> None:
        self.cursor = self.choices.index(word)
        self.refresh()

    def words(self) -> Sequence[Cell]:
        return pick_words(self.choices, self.value)

    def press(self, index: int) -> None:
        if index != self.cursor:
            self.cursor = index
            self.refresh()
            self.post_message(self.Picked(self))

    def action_move(self, by: int) -> None:
        self.press(max(0, min(self.cursor + by, len(self.choices) - 1)))

    def on_key(self, event: events.Key) -> None:
        count = len(self.choices)
        for step in range(1, count + 1):
            index = (self.cursor + step) % count
            if event.character and self.choices[index].startswith(event.character):
                event.stop()
                event.prevent_default()
                self.press(index)
                return


def pick_words(choices: Sequence[str], value: str) -> list[Cell]:
    """The words of a choice, the chosen one in brackets."""
    return [
        Cell(f"[{word}]", "strong") if word == value else Cell(f" {word} ", "muted")
        for word in choices
    ]


class DayToggles(Row):
    """Seven days, each on or off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "switch",
            "On/off",
            id="choice.switch",
            tooltip="This day; 1 to 7 do it for Monday to Sunday",
        ),
    ]

    @dataclass
    class Toggled(Message):
        """A day was switched on or off."""

        toggles: DayToggles

    def __init__(self, days: Sequence[str] = ()) -> None:
        super().__init__()
        self._on = set(days)

    @property
    def days(self) -> tuple[str, ...]:
        """Those that are on, from Monday on."""
        return tuple(day for day in DAYS if day in self._on)

    @days.setter
    def days(self, days: Sequence[str]) -> None:
        self._on = set(days)
        self.refresh()

    def words(self) -> Sequence[Cell]:
        return day_words(self._on)

    def press(self, index: int) -> None:
        self.cursor = index
        self._on ^= {DAYS[index]}
        self.refresh()
        self.post_message(self.Toggled(self))

    def action_move(self, by: int) -> None:
        self.cursor = (self.cursor + by) % len(DAYS)
        self.refresh()

    def action_switch(self) -> None:
        self.press(self.cursor)

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character in "1234567":
            event.stop()
            self.press(int(event.character) - 1)


def day_words(on: Collection[str]) -> list[Cell]:
    """The seven days, those crossed that are on."""
    return [
        Cell(f"[x]{day} ", "strong") if day in on else Cell(f"[ ]{day} ", "muted") for day in DAYS
    ]


class Deed(Row):
    """A line that does something with the form when Enter is pressed on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "stay", show=False, system=True),
        Binding(
            "enter,space",
            "do",
            "Do it",
            id="choice.do",
            tooltip="What the line says",
            key_display="Enter",
        ),
    ]

    @dataclass
    class Done(Message):
        """It is wanted now."""

        deed: Deed

    def __init__(self, label: str, note: str, *, key: str = "", id: str) -> None:  # noqa: A002
        super().__init__()
        self.id = id
        self._label, self._note, self._key = label, note, key

    def words(self) -> Sequence[Cell]:
        mark = self.marks.cursor if self.has_focus else " "
        return [Cell(f"{mark} {self._label} ", "title"), Cell(f" {self._note}", "muted")]

    def press(self, index: int) -> None:
        self.post_message(self.Done(self))

    def action_stay(self) -> None:
        """There is nothing beside it."""

    def action_do(self) -> None:
        self.press(0)

    def on_key(self, event: events.Key) -> None:
        if self._key and event.character == self._key:
            event.stop()
            self.press(0)
