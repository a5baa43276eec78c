"""Letters typed ahead: those behind `/`, `:` or `?` belong to the line that is about to open, and
those behind Tab to the next field.

Textual hands each key to what has the focus at that moment. Over a slow line `:run` arrives at
once; without this its letters would be keys of the table, and start or pause what is under the
cursor. In a form they would stand in the field that was left.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from textual import events

from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.log_scroll import LogScroll

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from cronpilot.tui.app import CronPilotApp

OPENERS = {
    "screen.filter": ("slash",),
    "log.find": ("slash",),
    "app.palette": ("colon", "ctrl+p"),
    "app.help": ("question_mark", "f1"),
}
"""What opens such a line, with its built-in keys."""
MOVERS = {
    "form.next": ("tab",),
    "form.before": ("shift+tab",),
    "form.section": ("pagedown",),
    "form.section_before": ("pageup",),
}
"""What leads to another field of a form."""
ACTIONS = frozenset({"filter", "find", "palette", "help", "next_field", "field_before", "section"})
LOOK = 0.01
"""Seconds between two looks whether it is open, while a letter waits."""
UNHEARD, SLOW = 0.3, 3.0
"""Seconds after which letters wait no more: where the key did nothing, and where it was slow."""


class TypeAhead:
    """Holds keys back from the moment an opener is pressed until something else has the focus."""

    def __init__(self, app: CronPilotApp, hand_on: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app, self._hand_on = app, hand_on
        self._held: list[events.Key] = []
        self._before: tuple[Screen[object], Widget | None] | None = None
        self._until = 0.0

    def begun(self, action: str) -> None:
        """An action is about to be done."""
        if self._before is not None and action.partition("(")[0].rpartition(".")[2] in ACTIONS:
            self._until = time.monotonic() + SLOW

    async def take(self, event: events.Key) -> None:
        """Hand the key on, now or when what was opened before it is there."""
        if self._held or self._is_opening():
            self._held.append(event)
            if len(self._held) == 1:
                self._app.set_timer(LOOK, self._look)
            return
        await self._pass(event)

    async def _pass(self, event: events.Key) -> None:
        app, focused = self._app, self._app.focused
        opens = isinstance(focused, LineTable | LogScroll) and event.key in self._keys(OPENERS)
        if isinstance(app.screen, AskingScreen) and app.screen.HOLDS_INPUT:
            opens = event.key in self._keys(MOVERS)
        self._before = (app.screen, focused) if opens else None
        self._until = time.monotonic() + UNHEARD
        await self._hand_on(event)

    def _keys(self, built_in: Mapping[str, tuple[str, ...]]) -> set[str]:
        changed = self._app.keymap.changed
        return {key for name, keys in built_in.items() for key in changed.get(name, keys)}

    def _is_opening(self) -> bool:
        if self._before is None or time.monotonic() > self._until:
            return False
        focused = self._app.focused
        return focused is None or (self._app.screen, focused) == self._before

    async def _look(self) -> None:
        if not self._app.screen_stack:
            return  # the app has ended meanwhile
        while self._held and not self._is_opening():
            await self._pass(self._held.pop(0))
        if self._held:
            self._app.set_timer(LOOK, self._look)
