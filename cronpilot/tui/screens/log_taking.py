"""A screen with a log panel out of which one can take something: text, a file, another run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual import on, work
from textual.binding import Binding

from cronpilot.domain.text import clean
from cronpilot.tui import clipboard
from cronpilot.tui.formatting import plural, size
from cronpilot.tui.log_saving import path_of, proposed_path, save_log
from cronpilot.tui.screens import questions
from cronpilot.tui.screens.log_finding import LogFindingScreen
from cronpilot.tui.widgets.log_view import LogView

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView


LOG_TAKING_KEYS = (
    Binding("C", "compare", "Compare", id="run.compare", show=False,
            tooltip="How this run differs from the last success of its task"),
    Binding("M", "together", "All logs", id="log.together", show=False,
            tooltip="What all running tasks print, or those marked, in one log"),
)  # fmt: skip
"""For the bindings of a screen."""


class LogTakingScreen(LogFindingScreen):
    """Copies, saves, goes through the runs of a task, and compares two of them."""

    # --- the clipboard ---------------------------------------------------------------------------

    @on(LogView.Copied)
    def _copied(self, event: LogView.Copied) -> None:
        self.copy_text(event.text, event.what)

    @work(group="copy")
    async def copy_text(self, text: str, what: str) -> None:
        """To the clipboard of the terminal, and say how much it was."""
        kept = clipboard.fitting(text)
        self._tell_terminal(kept)
        in_tmux = await clipboard.tell_tmux(kept, os.environ)
        lines = plural(kept.count("\n"), "line") if "\n" in kept else ""
        amount = ", ".join(part for part in (lines, plural(len(kept), "character")) if part)
        where = "tmux and the terminal's clipboard" if in_tmux else "the terminal's clipboard"
        cut = f", the first part of {plural(len(text), 'character')}" if kept != text else ""
        self.notify(f"{amount}{cut}, to {where}.", title=f"Copied {what}", markup=False, timeout=4)

    def _tell_terminal(self, text: str) -> None:
        driver = self.app._driver
        if clipboard.needs_wrapping(os.environ) and driver is not None:
            driver.write(clipboard.wrapped(text))
        else:
            self.app.copy_to_clipboard(text)

    # --- a file ----------------------------------------------------------------------------------

    @on(LogView.SaveWanted)
    @work(exclusive=True, group="save log")
    async def _save_wanted(self) -> None:
        from cronpilot.tui.screens.save_log import SaveLog  # after the first paint

        run, finder = self.panel.run_shown, self.panel.finder
        if run is None or self.pilot_app.gives_to_browser(run):
            return
        only = finder.pattern if finder is not None and self.panel.only else None
        what = f"the lines with {self.what_is_looked_for()}" if only else "the whole output"
        title = f"{what} of run {run.id} of {clean(run.task_name)}"
        typed = await self.app.push_screen_wait(SaveLog(title, proposed_path(run)))
        if typed is None:
            return
        with self.telling():
            path = path_of(typed)
            overwrite = path.exists()
            if overwrite:
                question = questions.overwrite_file(str(path), path.stat().st_size)
                if await self.app.push_screen_wait(question) is None:
                    return
            self.pilot_app.asks_no_more()
            self.notify("Writing ...", title=clean(str(path)), markup=False, timeout=1)
            count = await save_log(self.client, run.id, path, only=only, overwrite=overwrite)
            self.notify(f"{size(count)}, readable by you alone.", markup=False, timeout=5,
                        title=f"Saved {clean(str(path))}")  # fmt: skip

    # --- two runs ---

    def action_compare(self) -> None:
        """How the chosen run, or a task's last one, differs from the last success."""
        if run := self.chosen_run():
            self._open_comparison(run.id, run.task_name)
        elif (chosen := self.chosen_task()) and self.log_wanted is not None:
            self._open_comparison(self.log_wanted, chosen[1])

    def _open_comparison(self, run_id: int, task_name: str) -> None:
        from cronpilot.tui.screens.compare_page import ComparePage  # seldom needed

        self.app.push_screen(ComparePage(run_id, task_name, self.panel.output.zone))

    def action_together(self) -> None:
        """What all running tasks print, in one."""
        from cronpilot.tui.screens.together import TogetherPage  # seldom needed

        self.app.push_screen(TogetherPage(self.panel.output.zone, self.tasks_meant()))

    def tasks_meant(self) -> frozenset[int]:
        """The tasks that the user has marked; none of them: all are meant."""
        return frozenset()

    # --- another run -----------------------------------------------------------------------------

    @on(LogView.RunWanted)
    def _run_wanted(self, event: LogView.RunWanted) -> None:
        if self.panel.run_shown is not None:
            self.step_run(event.by, self.panel.run_shown)

    @work(exclusive=True, group="step")
    async def step_run(self, by: int, run: RunView) -> None:
        """Go to another run of the same task."""
        with self.telling():
            other = await self._neighbour(run, by)
            if other is not None:
                self.show_run(other)
                return
            which = "oldest" if by < 0 else "newest"
            self.notify(f"This is its {which} run.", title=clean(run.task_name), markup=False,
                        timeout=3)  # fmt: skip

    def show_run(self, run: RunView) -> None:
        """The user has gone to this run."""
        self.show_log(run.id, pin=True)

    async def _neighbour(self, run: RunView, by: int) -> RunView | None:
        from cronpilot.client.messages import RunQuery  # after the first paint

        side = {"before": run.id} if by < 0 else {"after": run.id}
        rows = (await self.client.runs(RunQuery(task_id=run.task_id, limit=1, **side))).rows
        return rows[0] if rows else None
