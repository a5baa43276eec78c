"""The application: one connection, one dashboard, a clock, and the ways to leave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import events, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.worker import WorkerFailed

from cronpilot.domain.access import OWNER, Identity
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, InvalidFile
from cronpilot.tui import themes
from cronpilot.tui.connection import Connection
from cronpilot.tui.formatting import ASCII_MARKS, Marks, needs_ascii
from cronpilot.tui.inbox import Changes, Inbox
from cronpilot.tui.keymap import Keymap, load_keymap
from cronpilot.tui.leave import Leave
from cronpilot.tui.memory import Memory
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.painting import tight
from cronpilot.tui.rights import is_allowed, promotion, refusal
from cronpilot.tui.screens import questions
from cronpilot.tui.screens.acting import ActingScreen
from cronpilot.tui.screens.dashboard import Dashboard
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.terminal import TerminalGuard, driver_for
from cronpilot.tui.terminal_copy import TerminalCopy
from cronpilot.tui.themes_256 import themes_for
from cronpilot.tui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from cronpilot.client.messages import Banner, EngineStatus, Event, RunView
    from cronpilot.client.protocol import Client
    from cronpilot.tui.last_known import LastKnown


UNWATCHED = timedelta(seconds=10)
"""Between two looks at the clock while the terminal says that it has not the focus."""

NOT_SEEN = 0.5
"""Seconds that the engine waits for the rows before it to be painted, at most."""

LEISURE = 2.0
"""Seconds after the engine has answered when there is time for what was put off."""


class CronPilotApp(App[Leave]):
    """Paints first, then connects. `run_app` runs it and says how it was left.

    Args:
        connect: finds or starts an engine; called again whenever the engine is lost. Raises
            CronPilotError while there is none.
        role: `owner` when the engine lives in this process.
        host: name of the machine, for the status bar.
        state_dir: the state directory, for the status bar and the crash file.
        clock: the time now, aware.
        identity: who has logged in; what they may not do is not offered.
        options: looks, keys, mouse.
        last_known: what is shown of the tasks until the engine has told of them.
    """

    TITLE = "CronPilot"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="app.help", key_display="?", show=False,
                tooltip="All keys that work here"),
        Binding("q,ctrl+q", "quit", "Quit", id="app.quit", show=False,
                tooltip="Leave; asks what becomes of it"),
        Binding("colon,ctrl+p", "palette", "Palette", id="app.palette", show=False,
                tooltip="Any action, view or task by a few letters of its name"),
        Binding("ctrl+l", "repaint", "Repaint", id="app.repaint", show=False,
                tooltip="Paint the whole screen again"),
        Binding("T", "next_theme", "Theme", id="app.theme", show=False,
                tooltip="The next theme: dark, light, contrast, 16, mono"),
        Binding("ctrl+c", "say_how_to_quit", show=False, system=True),
        Binding("ctrl+z", "say_why_not_suspended", show=False, system=True),
    ]  # fmt: skip

    ansi_theme_light = Reactive(themes.LOG_ON_LIGHT, init=False)

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        *,
        role: Literal["owner", "attached"],
        host: str,
        state_dir: str,
        clock: Callable[[], datetime],
        theme: str | None = None,
        identity: Identity = OWNER,
        options: ScreenOptions | None = None,
        last_known: LastKnown | None = None,
    ) -> None:
        self.last_known = last_known
        self.options = options or ScreenOptions()
        self.memory = Memory(self.options.memory_file)
        wanted = self.memory.theme(self.options.theme)
        # Before Textual sees NO_COLOR: with the terminal's own colours it leaves all of them out.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.role, self.host, self.state_dir, self.clock = role, host, state_dir, clock
        self.identity = identity
        ascii_only = self.options.ascii
        if ascii_only is None:
            ascii_only = needs_ascii(os.environ)
        self.marks = ASCII_MARKS if ascii_only else Marks()
        self.keymap = Keymap()
        self.key_problem: Banner | None = None
        self.guard: TerminalGuard | None = None
        self.crash: BaseException | None = None
        self.dashboard = Dashboard()
        self._connection = Connection(connect, self)
        self._inbox = Inbox(self._deliver, self._later, time.monotonic)
        self._ticked: datetime | None = None
        self._said: dict[tuple[str, str], float] = {}  # what stands in the corner, until when
        self._type_ahead = TypeAhead(self, super().on_event)
        self._terminal: TerminalCopy[Any] = TerminalCopy()
        self.animation_level = "none"
        depth = self.console.color_system
        for theme_ in themes_for(depth):
            self.register_theme(theme_)
        self.theme = theme or themes.choose_theme(os.environ, wanted, depth)

    @property
    def who(self) -> str:
        """The name and the role of whoever has logged in; empty where nobody had to."""
        return f"{self.identity.name}, {self.identity.role}" if self.identity.name else ""

    @property
    def client(self) -> Client | None:
        """Who answers now; None while nobody does."""
        return self._connection.client

    @property
    def is_starting(self) -> bool:
        """Whether the engine of this process has yet to answer for the first time."""
        board = self.dashboard
        return self.role == "owner" and board.status is None and board.trouble is None

    def get_default_screen(self) -> Screen[Any]:
        return self.dashboard

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.VARIABLES

    def refresh_css(self, animate: bool = True) -> None:
        """Take the colours of a theme. Before the first screen there is nothing to paint anew, and
        the stylesheet, which is about to be read, would be read twice."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def get_driver_class(self) -> type[Driver]:
        return driver_for(super().get_driver_class())

    def on_mount(self) -> None:
        self.set_class(self.marks is ASCII_MARKS, "-ascii")
        self._wait_for_the_next_second()
        self.call_after_refresh(self._stay_connected)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, tight(renderable, self._terminal))

    def on_resize(self) -> None:
        self._terminal.forget()  # it may have cut off what stood at its edges

    # --- the engine ------------------------------------------------------------------------------

    @work(group="connection", exclusive=True)
    async def _stay_connected(self) -> None:
        if self.last_known is not None:
            await self.dashboard.recall()
            await self._painted()
        # pydantic takes a moment to import: in a thread, while keys are answered already.
        await asyncio.to_thread(__import__, "cronpilot.client.messages")
        if self.options.keys_file is not None:
            from cronpilot.tui.key_catalogue import catalogue

            await asyncio.to_thread(catalogue)
            self.read_keys()
        await self._connection.stay()

    async def _painted(self) -> None:
        """Wait until what is shown by now is seen: what follows leaves no time for it. Not for
        long: a terminal that stands still keeps no engine from starting."""
        seen = asyncio.Event()
        self.call_after_refresh(seen.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(seen.wait(), NOT_SEEN)

    def connected(self, status: EngineStatus) -> None:
        """An engine answers."""
        self._ask_who_i_am()
        self.dashboard.connected(status)
        self.set_timer(LEISURE, self._load_what_opens)
        for screen in self._acting_screens():
            if screen is not self.dashboard:
                screen.apply(Changes(status=status, gap=True))

    @work(group="what opens")
    async def _load_what_opens(self) -> None:
        """Not needed for the first paint, but when its key is pressed it should open at once."""
        for name in ("offering", "palette", "run_page", "forms"):
            await asyncio.to_thread(import_module, f"cronpilot.tui.screens.{name}")
        messages = await asyncio.to_thread(import_module, "cronpilot.client.messages")
        await asyncio.to_thread(messages.TaskView.model_rebuild)
        from cronpilot.tui.screens.command_screen import look_up_styles

        hidden = next(view for view in self.dashboard.views if not view.is_current)
        await look_up_styles(hidden)

    def lost(self, error: CronPilotError) -> None:
        """It does so no more."""
        self.dashboard.lost(error)

    def heard(self, event: Event) -> None:
        """It told of a change."""
        self._inbox.add(event)

    def answered(self, status: EngineStatus) -> None:
        """It was asked how it is."""
        self._ask_who_i_am()
        for screen in self._acting_screens():
            screen.answered(status)

    @work(group="who", exclusive=True)
    async def _ask_who_i_am(self) -> None:
        """Whoever has logged in can be given another role meanwhile: then other keys work."""
        if not self.identity.name or self.client is None:
            return
        with contextlib.suppress(CronPilotError):  # the status bar says what is wrong
            me = await self.client.me()
            if me.role is not self.identity.role:
                self.identity = Identity(self.identity.name, me.role)
                self.notify(promotion(self.identity), markup=False, timeout=6)
                for screen in self.screen_stack:
                    screen.refresh_bindings()
                self.dashboard.tick(self.clock())
                self.dashboard.open_log(now=True)

    def _deliver(self, changes: Changes) -> None:
        for screen in self._acting_screens():
            screen.apply(changes)

    def _acting_screens(self) -> list[ActingScreen]:
        """The dashboard, and whatever shows the engine's state above it."""
        return [screen for screen in self.screen_stack if isinstance(screen, ActingScreen)]

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        self.set_timer(seconds, then) if seconds > 0 else self.call_later(then)

    # --- keys ------------------------------------------------------------------------------------

    def key(self, action: str, built_in: str) -> str:
        """How the key of an action is called, with `built_in` where nobody has changed it."""
        return self.keymap.key(action, built_in)

    def read_keys(self) -> None:
        """Take the keys of keys.toml. A bad file changes nothing, and a banner says so."""
        path = self.options.keys_file
        if path is None:
            return
        from cronpilot.client.messages import Banner
        from cronpilot.tui.key_catalogue import catalogue

        try:
            self.keymap = load_keymap(path, catalogue())
        except InvalidFile as error:
            # By its name alone: what is wrong must still have room on 80 columns.
            first, *more = (str(one._replace(file=clean(path.name))) for one in error.complaints)
            seen = f"And {len(more)} more: cronpilot keys {clean(str(path))}"
            hint = seen if more else "The keys stay as they were."
            self.key_problem = Banner(key="keys", text=first, hint=hint)
        else:
            self.key_problem = None
            self.set_keymap(self.keymap.for_textual())
        self.dashboard.tick(self.clock())

    # --- time ------------------------------------------------------------------------------------

    def _wait_for_the_next_second(self) -> None:
        """Countdowns change on the second, all at once."""
        self.set_timer(1.0 - self.clock().microsecond / 1e6 + 0.002, self._tick)

    def _tick(self) -> None:
        self._wait_for_the_next_second()
        if self.guard is not None:
            self.guard.look()
        now = self.clock()
        if not self.app_focus and self._ticked and now - self._ticked < UNWATCHED:
            return  # whoever looks elsewhere does not need every second; what happens is shown
        self._ticked = now
        for screen in self._acting_screens():
            screen.tick(now)

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        self._ticked = None

    def notify(self, message: str, *, title: str = "", timeout: float | None = None,
               **how: Any) -> None:  # fmt: skip
        """Say it in a corner, once as long as it stands there: the same for each press of a key
        would cover the screen."""
        now = time.monotonic()
        self._said = {words: until for words, until in self._said.items() if until > now}
        if (title, message) not in self._said:
            self._said[title, message] = now + (timeout or self.NOTIFICATION_TIMEOUT)
            super().notify(message, title=title, timeout=timeout, **how)

    # --- keys that work everywhere ---------------------------------------------------------------

    @work(group="palette", exclusive=True)
    async def action_help(self) -> None:
        """Show all keys."""
        if not isinstance(self.screen, ModalScreen):
            from cronpilot.tui.screens.offering import open_help  # seldom needed

            await open_help(self, self.screen)

    def action_press(self, key: str) -> None:
        """What a click on a key in the key bar does: the same as the key."""
        self.simulate_key(key)

    def action_repaint(self) -> None:
        """Paint everything again, whatever another program wrote over it."""
        self.refresh(repaint=True, layout=True)
        for screen in self.screen_stack:
            screen.refresh(repaint=True, layout=True)

    def action_next_theme(self) -> None:
        """The next of our themes."""
        names = list(themes.WORDS)
        self.choose_theme(names[(names.index(self.theme) + 1) % len(names)])

    def choose_theme(self, name: str) -> None:
        """This theme from now on, and the next time."""
        self.theme = name
        self.memory.choose_theme(themes.WORDS[name], self.options.theme)

    def action_say_how_to_quit(self) -> None:
        """ctrl+c never quits: here it would end a scheduler by habit."""
        self.notify(f"{self.key('app.quit', 'q')} quits.", markup=False, timeout=3)

    def action_say_why_not_suspended(self) -> None:
        """ctrl+z would stop the scheduler in this process, and with it every start."""
        key = self.key("app.quit", "q")
        instead = f"{key}, then b" if self.role == "owner" else key
        self.notify(f"Not suspended: {instead} gives the prompt back.", markup=False, timeout=4)

    async def on_event(self, event: events.Event) -> None:
        """What is typed waits for what was typed before it."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._type_ahead.take(event)
        else:
            await super().on_event(event)

    def asks_no_more(self) -> None:
        """The worker that says so opens nothing from here on: no key waits for it."""
        self._type_ahead.asks_no_more()

    async def run_action(self, action: Any, *where: Any, **more: Any) -> bool:
        """Do it, or say that this user may not."""
        name = action if isinstance(action, str) else action[1]
        self._type_ahead.begun(name)
        if self.screen is self.dashboard and self.dashboard.is_too_early_for(name):
            self.dashboard.say_too_early()
            return True
        if is_allowed(name, self.identity):
            return await super().run_action(action, *where, **more)
        self.notify(refusal(self.identity), severity="warning", markup=False, timeout=4)
        return True

    def _check_action_state(self, action: str, default_namespace: Any) -> bool | None:
        """What a user may not do is in no key bar and no help."""
        if not is_allowed(action, self.identity):
            return False
        return super()._check_action_state(action, default_namespace)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "palette":
            return isinstance(self.screen, ActingScreen)
        return super().check_action(action, parameters)

    @work(group="palette", exclusive=True)
    async def action_palette(self) -> None:
        """Ask what to do by its name."""
        if isinstance(self.screen, ActingScreen):
            from cronpilot.tui.screens.offering import open_palette  # seldom needed

            await open_palette(self, self.screen)

    def gives_to_browser(self, run: RunView) -> bool:
        """Whether a browser saves a run's output: files here are not those of its user."""
        return False

    # --- leaving ---------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """A viewer leaves at once; the owner of the scheduler is asked."""
        if self.role == "attached":
            self.exit(Leave.VIEWER_QUIT)
        elif not isinstance(self.screen, Dialog):
            self._ask_how_to_leave()

    @work(group="leave", exclusive=True)
    async def _ask_how_to_leave(self) -> None:
        answer = await self.push_screen_wait(questions.leave(self.dashboard.status))
        if answer == questions.BACKGROUND:
            self.exit(Leave.DETACH)
        elif answer == questions.STOP:
            self.exit(Leave.STOP)

    def _handle_exception(self, error: Exception) -> None:
        """Leave, and print nothing: Textual would print a traceback with all local variables, in
        which are the values of tasks. `run_app` writes what is fit to be kept."""
        self.crash = self.crash or (error.error if isinstance(error, WorkerFailed) else error)
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()  # the tests' pilot waits for it
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:
        """Textual's own last resort, without its traceback."""
        self.crash = self.crash or RuntimeError("the input of the terminal could not be read")
        self._close_messages_no_wait()
