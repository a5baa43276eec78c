"""The screen in a browser: there is no terminal, but a server at the other end of a pipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver

from cronpilot.tui import themes
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.leave import Leave
from cronpilot.tui.log_saving import proposed_path
from cronpilot.tui.screens import questions
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.terminal import report_crash

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView


class BrowserDriver(WebDriver):
    """Textual's driver for a browser, that ends with its server and tells it how it was left.

    Textual's own stays for ever when the server is killed: its input just ends.
    """

    def run_input_thread(self) -> None:
        super().run_input_thread()
        loop = self._app._loop
        if not self.exit_event.is_set() and loop is not None:
            loop.call_soon_threadsafe(self._app.exit, Leave.HANGUP)

    def stop_application_mode(self) -> None:
        assert isinstance(self._app, BrowserApp)
        if self._app.crash is not None:
            self.write_meta({"type": "broken"})
        elif self._app.return_value is Leave.LOG_OUT:
            self.write_meta({"type": "log_out"})
        super().stop_application_mode()


class BrowserApp(CronPilotApp):
    """The same screen, always of an engine elsewhere: leaving closes the tab, or logs out."""

    def get_driver_class(self) -> type[Driver]:
        return BrowserDriver

    def on_ready(self) -> None:
        """Let the page have the screen's colour where no cell reaches."""
        self._tell_server(type="look", ground=str(self.current_theme.background))

    def choose_theme(self, name: str) -> None:
        """This theme from now on, and the next time in this browser."""
        super().choose_theme(name)
        self._tell_server(type="theme", word=themes.WORDS[name])
        self.on_ready()

    async def action_quit(self) -> None:
        """Ask whether to log out, too."""
        if not isinstance(self.screen, Dialog):
            self._ask_whether_to_log_out()

    @work(group="leave", exclusive=True)
    async def _ask_whether_to_log_out(self) -> None:
        answer = await self.push_screen_wait(questions.leave_browser(self.identity.name))
        if answer == questions.CLOSE:
            self.exit(Leave.VIEWER_QUIT)
        elif answer == questions.LOG_OUT:
            self.exit(Leave.LOG_OUT)

    def gives_to_browser(self, run: RunView) -> bool:
        self._tell_server(type="download", run=run.id, name=Path(proposed_path(run)).name)
        self.notify("Your browser saves the whole output.", markup=False, timeout=4)
        return True

    def push_screen(self, screen: Any, *args: Any, **options: Any) -> Any:
        if isinstance(screen, AskingScreen) and screen.HOLDS_INPUT:
            self._tell_unsaved(True)
        return super().push_screen(screen, *args, **options)

    def pop_screen(self) -> Any:
        popped = super().pop_screen()
        asking = [screen for screen in self.screen_stack if isinstance(screen, AskingScreen)]
        self._tell_unsaved(any(screen.HOLDS_INPUT for screen in asking))
        return popped

    def _tell_unsaved(self, yes: bool) -> None:
        """While a form is open the page asks before it closes: elsewhere ctrl+w deletes a word."""
        self._tell_server(type="unsaved", yes=yes)

    def _tell_server(self, **said: object) -> None:
        if isinstance(self._driver, BrowserDriver):
            self._driver.write_meta(said)


def run_in_browser(app: BrowserApp) -> Leave:
    """Run the screen until its tab is closed; how it was left."""
    left = app.run()
    if app.crash is not None:
        report_crash(app.crash, Path(app.state_dir))
    return left if left is not None and app.crash is None else Leave.CRASHED
