"""All keys, made from the bindings themselves: those of here can be done from here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cronpilot.tui.commands import Command, choose
from cronpilot.tui.screens.command_screen import CommandScreen
from cronpilot.tui.widgets.command_table import CommandRow

NOTES = (
    Command("", "Connection lost", "Everything goes on while you are away."),
    Command("", "Questions", "The letter before an answer gives it; n, q, Esc do nothing.",
            keys="letters"),
    Command("", "Suspend", "It would freeze the scheduler. Quit, then b, is the way.",
            keys="ctrl+z"),
    Command("", "Select text", "Hold shift with the mouse; or start with --no-mouse.",
            keys="shift"),
    Command("", "Other keys", "Write a keys.toml; cronpilot keys prints all there are."),
)  # fmt: skip


class HelpScreen(CommandScreen):
    """Those of what has the focus first, then of the screen, then everywhere; then other places.

    Args:
        here: what can be done from where it was opened.
        elsewhere: what keys do in other places.
    """

    TITLE_ = "Keys"
    HINT = "what for? Enter does it, Esc closes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "close", "Close", id="help.close", tooltip="Back"),
        Binding("down,ctrl+n", "move(1)", "Down", id="help.down", tooltip="The next key"),
        Binding("up,ctrl+p", "move(-1)", "Up", id="help.up", tooltip="The key before"),
        Binding("pagedown", "page(1)", "Page down", id="help.page_down", tooltip="A screenful on"),
        Binding("pageup", "page(-1)", "Page up", id="help.page_up", tooltip="A screenful back"),
    ]

    def __init__(self, here: Sequence[Command], elsewhere: Sequence[Command]) -> None:
        super().__init__()
        self._here, self._elsewhere = list(here), [*elsewhere, *NOTES]

    def rows(self, typed: str) -> Sequence[CommandRow]:
        if typed.strip():
            found = choose([*self._here, *self._elsewhere], typed)
            return [CommandRow(place, command) for place, command in enumerate(found)]
        sections = [*_sections(self._here), *_sections(self._elsewhere)]
        return [CommandRow(place, *row) for place, row in enumerate(sections)]

    def choose(self, command: Command) -> None:
        if command.id or command.deed:
            super().choose(command)


def _sections(commands: Sequence[Command]) -> Iterator[tuple[Command | None, str]]:
    """Place by place, in the order in which they come up."""
    for place in dict.fromkeys(command.place for command in commands):
        here = [command for command in commands if command.place == place]
        yield None, (place or "Good to know").upper()
        yield from ((command, "") for command in here)
