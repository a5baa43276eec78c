"""What all running tasks print, in one."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cronpilot.domain.run import HOLDS_SLOT
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, plural
from cronpilot.tui.inbox import BETWEEN, Changes
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.log_together import Together
from cronpilot.tui.log_window import LogWindow
from cronpilot.tui.screens.log_taking import LogTakingScreen
from cronpilot.tui.widgets.find_hints import FIND_HINTS
from cronpilot.tui.widgets.find_line import FindLine
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.log_view import LogView
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, RunView


class TogetherPage(LogTakingScreen):
    """One log of many: a line of it is a line of a run, with its task's name before it."""

    DEFAULT_CSS = "TogetherPage #run-head { background: $bar; dock: top; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="together.close",
                tooltip="Back to where it was opened"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    def __init__(self, zone: tzinfo, only: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self._only = only  # tasks; empty: all
        self.head = Line(id="run-head")
        self.output = self.panel.output
        self.output.zone = zone
        self.output.is_of_many = True
        self.key_bar = KeyBar(id="keys")
        self._together: Together | None = None
        self._taken = 0  # lines so far; stands for the place in a file

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.panel
        yield self.key_bar

    def on_mount(self) -> None:
        self.panel.head.display = False
        window = LogWindow()
        window.attached = True
        self.output.show(window)
        self.output.say_instead([[Cell("Nothing runs now. What starts is shown here.", "muted")]])
        self.output.focus()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell_keys())
        self._open()
        self.set_interval(BETWEEN, self._show_lines)

    async def on_unmount(self) -> None:
        if self._together is not None:
            await self._together.stop()

    @work(exclusive=True, group="together")
    async def _open(self) -> None:
        from cronpilot.client.messages import RunQuery  # after the first paint

        with self.telling():
            if self._together is not None:
                await self._together.stop()
            self._together = Together(self.client, lambda: None)
            for run in (await self.client.runs(RunQuery(active=True))).rows:
                self._follow(run)
            self.tick(self.now())

    def _follow(self, run: RunView, *, whole: bool = False) -> None:
        goes_on = run.status in HOLDS_SLOT and run.started_at is not None
        if self._together is not None and goes_on and (not self._only or run.task_id in self._only):
            self._together.follow(run, whole=whole)

    def _show_lines(self) -> None:
        lines = self._together.take() if self._together is not None else []
        if not lines:
            return
        window = self.output.window
        numbered = list(enumerate(lines, self._taken))
        self._taken += len(lines)
        self.output.grown(
            window.append_lines(numbered, self._taken, self._taken, at=self.now())
        )  # fmt: skip
        self.tick(self.now())

    # --- what the app says -----------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        if changes.gap:
            self._open()
        for run in changes.runs.values():
            self._follow(run, whole=True)
        self.tick(self.now())

    def answered(self, status: EngineStatus) -> None:
        self.status = status

    def tick(self, now: datetime) -> None:
        count = self._together.count if self._together is not None else 0
        output = self.output
        title = f"{plural(len(self._only), 'marked task')}" if self._only else "All that runs"
        found = f"/ {clean(output.pattern.text)}"[:40] if output.pattern else ""
        left = [Piece(title, "title"), Piece(plural(count, "run"), "busy"),
                Piece(found, "strong")]  # fmt: skip
        news = f"+{output.unseen:,} new: f" if output.unseen else "not following: f"
        clock = f"{now.astimezone(output.zone):%H:%M} {output.zone}"
        state = Piece("following", "good") if output.following else Piece(news, "warn")
        right = [state, Piece(clock, "muted", 2)]
        if self.pilot_app.client is None:
            right.insert(0, Piece("ENGINE NOT ANSWERING", "bad", 1))
        self.head.show(fit_line(left, right, self.size.width, output.marks))

    @on(LogView.FollowChanged)
    @on(LogView.LookChanged)
    def _look_changed(self) -> None:
        self.tick(self.now())

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        self.tick(self.now())
        self._tell_keys()

    def _tell_keys(self) -> None:
        if self.is_current:
            typing = self.is_typing_in_log
            hints = FIND_HINTS if typing else hints_of(self)
            self.key_bar.tell(hints, always=() if typing else None)

    # --- looking for text: in what is held, there is no file of it -------------------------------

    @on(FindLine.Accepted)
    def _look_for(self, event: FindLine.Accepted) -> None:
        event.stop()
        if event.pattern.regex:
            self.notify("Of several runs only plain text can be looked for.", markup=False)
            return
        self.close_find_line()
        self.output.mark(event.pattern)
        self.step_held(-1)

    @on(LogView.StepWanted)
    def _step_held(self, event: LogView.StepWanted) -> None:
        event.stop()
        self.step_held(event.by)

    def end_find(self) -> None:
        self.output.mark(None)
        self.refresh_bindings()
        self.tick(self.now())

    def step_held(self, by: int) -> None:
        """To the next line that matches, among those that are held."""
        if not self.output.step_held(by):
            self.notify("No further match.", markup=False, timeout=2)
        self.refresh_bindings()
        self.tick(self.now())

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def chosen_run(self) -> RunView | None:
        return None

    def chosen_task(self) -> tuple[int, str] | None:
        return None
