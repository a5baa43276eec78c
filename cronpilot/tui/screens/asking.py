"""A screen that asks the engine, and says what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, EngineStarts, NoEngine
from cronpilot.tui.moving import WatchfulCompositor

if TYPE_CHECKING:
    from cronpilot.client.protocol import Client
    from cronpilot.tui.app import CronPilotApp


class AskingScreen(Screen[ScreenResultType], inherit_bindings=False):
    """Knows who answers, what time it is, and how an error is told."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """Textual paints the whole screen when the focus goes elsewhere; our widgets paint what shows
    that they have it."""
    BLANK = True  # its parts cover it: painting a ground that nobody sees took as long as they do
    HOLDS_INPUT: ClassVar[bool] = False
    """Whether something is lost when it is closed from outside."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = WatchfulCompositor()

    @property
    def pilot_app(self) -> CronPilotApp:
        return cast("CronPilotApp", self.app)

    @property
    def client(self) -> Client:
        """Who answers. Raises NoEngine when nobody does."""
        client = self.pilot_app.client
        if client is None and self.pilot_app.is_starting:
            raise EngineStarts
        if client is None:
            raise NoEngine(self.pilot_app.state_dir)
        return client

    def key(self, action: str, built_in: str) -> str:
        """How the key of an action is called here."""
        return self.pilot_app.key(action, built_in)

    def now(self) -> datetime:
        return self.pilot_app.clock()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What goes wrong inside is said to the user."""
        try:
            yield
        except CronPilotError as error:
            self.tell_error(error)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For what nobody asked for by a key: that no engine answers is said by the status bar, and
        connecting again reads again."""
        try:
            yield
        except NoEngine:
            return
        except CronPilotError as error:
            self.tell_error(error)

    def tell_error(self, error: CronPilotError) -> None:
        """Say what went wrong, and what to do about it."""
        title, hint = clean(error.problem), clean(error.hint)
        self.notify(hint or title, title=title if hint else "", severity="error", markup=False)
