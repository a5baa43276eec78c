"""The palette: every action, every view and every task by a few letters of its name.

Textual's own was considered: it draws a loading bar while it searches, paints its whole list at
each key, and asks providers for everything there is. This one is made of our tables, and asks the
engine for the few tasks that match.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cronpilot.errors import CronPilotError
from cronpilot.tui.commands import Command, choose, split_verb, with_tasks
from cronpilot.tui.screens.command_screen import CommandScreen
from cronpilot.tui.widgets.command_table import CommandRow

PAUSE = 0.12
"""Seconds without a key after which the engine is asked."""
MOST_TASKS = 8
"""That are listed."""
ASKED = 100
"""Tasks that the engine is asked for: it also finds tags and commands, names are worth more."""

FindTasks = Callable[[str, Sequence[Command]], Awaitable[list[Command]]]
"""Commands about the tasks that match a text: to go there, and these verbs done to them."""


class Palette(CommandScreen):
    """Args:
    commands: what can be done from where it was opened.
    verbs: of these, those that can be done to another task.
    """

    TITLE_ = "Do what?"
    HINT = "an action, a view, a task; or both: run backup"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="palette.close", tooltip="Nothing is done"),
        Binding("down,ctrl+n", "move(1)", "Down", id="palette.down", tooltip="The next one"),
        Binding("up,ctrl+p", "move(-1)", "Up", id="palette.up", tooltip="The one before"),
        Binding("pagedown", "page(1)", "Page down", id="palette.page_down",
                tooltip="A screenful on"),
        Binding("pageup", "page(-1)", "Page up", id="palette.page_up", tooltip="A screenful back"),
    ]  # fmt: skip

    def __init__(
        self,
        commands: Sequence[Command],
        verbs: Sequence[Command],
        recent: Sequence[str],
        find_tasks: FindTasks,
    ) -> None:
        super().__init__()
        self._commands, self._verbs, self._recent = list(commands), list(verbs), recent
        self._find_tasks = find_tasks
        self._found: list[Command] = []

    def rows(self, typed: str) -> Sequence[CommandRow]:
        self._found = [one for one in self._found if typed.strip()]
        self._look_for_tasks(typed.strip())
        return self._listed(typed)

    def _listed(self, typed: str) -> list[CommandRow]:
        meant, rest = split_verb(typed, self._verbs)
        known = choose(self._commands, typed, self._recent)
        twice = {(one.id, one.about) for one in self._found}
        known = [one for one in known if (one.id, one.about) not in twice]
        is_done_to = bool(rest and meant)
        listed = [*self._found, *known] if is_done_to else with_tasks(typed, known, self._found)
        return [CommandRow(place, command) for place, command in enumerate(listed)]

    @work(exclusive=True, group="find tasks")
    async def _look_for_tasks(self, typed: str) -> None:
        if not typed:
            return
        await asyncio.sleep(PAUSE)
        meant, rest = split_verb(typed, self._verbs)
        try:
            found = await self._find_tasks(rest or typed, meant)
            if rest and not (found or meant):
                found = await self._find_tasks(typed, [])
        except CronPilotError:
            return  # the actions are there all the same, and the screen below says what is wrong
        if found != self._found:
            self._found = found
            cursor = self.table.cursor
            self.table.show(self._listed(self.field.value))
            self.table.move(cursor)
            self.tell()
