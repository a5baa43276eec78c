"""The rule for keys that come faster than the screen: each waits until the one before it has done
what it does.

Textual hands a key to what has the focus when it comes. Over a slow line `Dbackup` or `:run`
arrives at once; without this the letters would be keys of the table, and start or pause what is
under the cursor, before the question is there that they answer.

A key has done what it does when it has gone its whole way up through the widgets, what it asked the
engine for in order to open something has been answered, what it opened has the focus, and the rows
of the filter or the order that it chose are there. If it was to open something and nothing opened
(refused, no row, no engine), what was typed behind it is meant for nothing that is there: it is
thrown away, as vim does after an error, and a sentence says so.

Esc and a letter in one packet are the same bytes as that letter with Alt. Textual waits 100 ms for
what belongs to an Esc where the terminal does not tell them apart (ESCDELAY changes that, as for
any program; less would tear arrow keys apart on a thin line), and then takes it for Alt. Where
nothing is typed it is Esc and the letter here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from textual import events
from textual.worker import get_current_worker

from cronpilot.tui.formatting import plural

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.widget import Widget
    from textual.worker import Worker

    from cronpilot.tui.app import CronPilotApp

OPENS = frozenset({
    "add_task", "columns", "compare", "copy_task", "delete_task", "do", "edit_schedule",
    "edit_task", "filter", "find", "help", "load_tasks", "open", "open_run", "palette",
    "pause_scheduler", "pause_until", "quit", "save", "show_missed", "snooze", "sort", "stop_run",
    "together",
})  # fmt: skip
"""Actions behind which one types to what they open."""
OF_FORMS = frozenset({"do", "save"})
"""Those of them that may lead to another field instead: to what is wrong there."""
ASKING = frozenset({"act", "ask", "edit", "leave", "missed", "palette", "save", "save log", "test"})
"""Groups of the workers that may open a screen."""
LOOK = 0.01
"""Seconds between two looks whether a key has done what it does, while another waits."""
SLOW = 5.0
"""Seconds after which nothing waits for a key any more: the engine does not answer."""

Typed = events.Key | events.Paste


@dataclass(frozen=True, slots=True)
class _Calm:
    """How things stood on a screen when a key was handed to it."""

    focused: Widget | None
    asking: frozenset[Worker[Any]]


class TypeAhead:
    """Hands on what is typed, one after the other."""

    def __init__(self, app: CronPilotApp, hand_on: Callable[[Typed], Awaitable[None]]) -> None:
        self._app, self._hand_on = app, hand_on
        self._held: deque[Typed] = deque()
        self._calm: WeakKeyDictionary[Screen[Any], _Calm] = WeakKeyDictionary()
        self._acting: WeakSet[Worker[Any]] = WeakSet()
        self._action = ""  # what the last key has begun
        self._way: Iterator[DOMNode] | None = None  # the rest of its way
        self._at: DOMNode | None = None  # where it is on that
        self._until = 0.0  # when it is slow
        self._is_watched = False

    # --- what is told ----------------------------------------------------------------------------

    def begun(self, action: str) -> None:
        """An action is about to be done."""
        self._action = action.partition("(")[0].rpartition(".")[2]

    def asks_no_more(self) -> None:
        """The worker that says so opens nothing from here on, however long it takes."""
        self._acting.add(get_current_worker())

    async def take(self, event: Typed) -> None:
        """Hand it on, now or when what was typed before it is done."""
        if self._held or self._is_under_way():
            self._held.append(event)
            self._watch()
        else:
            await self._pass(event)

    # --- one after the other ---------------------------------------------------------------------

    async def _pass(self, event: Typed) -> None:
        screen, focused = self._app.screen, self._app.focused
        if focused is not None and _is_text(event, focused):
            await self._hand_on(event)  # nothing can come of it but that it stands there
            return
        if letter := self._behind_escape(event):
            event = events.Key("escape", "\x1b")
            self._held.appendleft(letter)
        self._calm[screen] = _Calm(focused, frozenset(self._asking()))
        self._action, self._until = "", time.monotonic() + SLOW
        way = (focused or screen).ancestors_with_self
        # Once with the key, and once with the messages and the change of focus that came of it.
        self._way = iter([*way, *way])
        await self._hand_on(event)
        await self._walk()

    def _behind_escape(self, event: Typed) -> events.Key | None:
        """The letter that came with an Esc. No terminal says so that can tell it from Alt."""
        if not isinstance(event, events.Key) or not event.key.startswith("alt+"):
            return None
        is_bound = any(event.key in keys for keys in self._app.keymap.changed.values())
        character = event.character
        return None if is_bound or not character else events.Key(character, character)

    async def _walk(self) -> None:
        """Follow the key: each part of the screen says when it has handled what came before."""
        for node in self._way or ():
            self._at = node
            if node.call_later(self._walk):
                return
        self._way = self._at = None
        await self._look()

    def _watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            self._app.set_timer(LOOK, self._watched)

    async def _watched(self) -> None:
        self._is_watched = False
        if self._at is not None and not self._at.is_running:
            await self._walk()  # it was closed while the key was there
        await self._look()

    async def _look(self) -> None:
        """Hand on what can be."""
        while self._held and self._app.screen_stack and not self._is_under_way():
            if lost := self._is_typed_to_nothing():
                self._throw_away(lost)
            else:
                await self._pass(self._held.popleft())
        if self._held and self._app.screen_stack:
            self._watch()

    # --- how far it is ---------------------------------------------------------------------------

    def _is_under_way(self) -> bool:
        if time.monotonic() > self._until:
            return False
        if self._way is not None:
            return True
        calm, focused = self._calm.get(self._app.screen), self._app.focused
        if calm is None:  # it has opened this screen
            return focused is None
        if self._app.screen is self._app.dashboard and self._app.dashboard.tasks.awaits_rows:
            return True
        return (focused is None and calm.focused is not None) or not self._asking() <= calm.asking

    def _asking(self) -> set[Worker[Any]]:
        return {
            one
            for one in self._app.workers
            if one.group in ASKING and not one.is_finished and one not in self._acting
        }

    def _is_typed_to_nothing(self) -> str:
        """Why what waits is meant for nothing that is there; empty when it is not so."""
        if time.monotonic() > self._until:
            return "The engine has not answered yet"
        calm = self._calm.get(self._app.screen)
        if self._action not in OPENS or calm is None:
            return ""
        stays = calm.focused is self._app.focused or self._action in OF_FORMS
        return "Nothing opened" if stays else ""

    def _throw_away(self, why: str) -> None:
        count, self._action, self._until = len(self._held), "", 0.0
        self._held.clear()
        self._app.dashboard.tasks.awaits_rows = False  # not for the next key, too
        self._app.notify(f"The {plural(count, 'key')} typed ahead did nothing.", title=why,
                         severity="warning", markup=False)  # fmt: skip


def _is_text(event: Typed, focused: Widget) -> bool:
    if isinstance(event, events.Paste):
        return True
    return focused.check_consume_key(event.key, event.character)
