"""One run over the whole screen: why it started, how it went, what it printed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region

from cronpilot.domain.text import clean
from cronpilot.errors import NotFound
from cronpilot.tui.inbox import Changes
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.meaning import MEANT
from cronpilot.tui.painting import OnceAFrame
from cronpilot.tui.run_report import report, still_to_come
from cronpilot.tui.screens.log_taking import LOG_TAKING_KEYS, LogTakingScreen
from cronpilot.tui.widgets.facts import Facts
from cronpilot.tui.widgets.find_hints import FIND_HINTS
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.log_panel import LogPanel
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import AttemptView, EngineStatus, RunView, TaskView


PATIENCE = 0.08
"""Seconds for which the page waits for the end of the log, so that both are painted at once."""


class RunPage(OnceAFrame[None], LogTakingScreen):
    """The facts above, the output below; `[` and `]` go through the runs of its task."""

    DEFAULT_CSS = """
    RunPage #run-head { background: $bar; dock: top; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "Back", id="run.close",
                tooltip="Back to where it was opened"),
        Binding("left_square_bracket", "step(-1)", "Earlier", id="run.earlier",
                tooltip="Its task's run before"),
        Binding("right_square_bracket", "step(1)", "Later", id="run.later",
                tooltip="Its task's next run"),
        Binding("tab,shift+tab", "other_part", "Facts or log", id="screen.other_part",
                tooltip="Between the facts and the output; both scroll"),
        Binding("r", "run_now", "Run", id="task.run",
                tooltip="Start its task now, whatever its schedule"),
        Binding("x", "stop_run", "Stop", id="task.stop", tooltip="Stop this run; asks how"),
        Binding("p", "pause_task", "Pause", id="task.pause",
                tooltip="Pause its task, or resume it"),
        *LOG_TAKING_KEYS,
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    SHOWS_STARTS = False

    def __init__(self, run: RunView, zone: tzinfo = UTC) -> None:
        super().__init__()
        self.run_shown = run
        self.zone = self.panel.output.zone = zone
        self.head = Line(id="run-head")
        self.facts = Facts(id="run-facts")
        self.key_bar = KeyBar(id="keys")
        self._has_log = False  # its output was read, or there is none
        self._is_read = False  # so was what a list does not tell of it
        self._of_task: TaskView | None = None
        self._attempts: list[AttemptView] = []

    def compose(self) -> ComposeResult:
        self._open(self.run_shown)  # the engine answers while the parts are put in their places
        yield self.head
        yield self.facts
        yield self.panel
        yield self.key_bar

    def on_mount(self) -> None:
        if not self._has_log:
            self.wait_for_more()
            self.set_timer(PATIENCE, self.show_all)
        self.panel.output.focus()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell_keys())

    async def opened(self) -> None:
        self._read(self.run_shown.id, self.run_shown.task_id)

    def first_seen(self) -> Region:
        """Which run it is, and how it went."""
        return self.head.region.union(self.facts.region)

    @on(LogPanel.Shown)
    def _log_shown(self) -> None:
        self._has_log = True
        self.show_all()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        self.tick(self.now())
        self._tell_keys()

    # --- which run -------------------------------------------------------------------------------

    def _open(self, run: RunView) -> None:
        self.run_shown, self._attempts = run, []
        self.facts.scroll_by(-1_000_000)
        self._is_read = False
        self.show_log(run.id)
        self.tick(self.now())

    @work(exclusive=True, group="read run")
    async def _read(self, run_id: int, task_id: int) -> None:
        """Everything about it: lists leave out its variables, and know no attempts."""
        with self.telling():
            self.run_shown, self._attempts, self._of_task = await asyncio.gather(
                self.client.run(run_id), self.client.attempts(run_id), self._read_task(task_id)
            )
            self._is_read = True
            self.tick(self.now())

    async def _read_task(self, task_id: int) -> TaskView | None:
        try:
            return await self.client.task(task_id)
        except NotFound:
            return None

    def action_step(self, by: int) -> None:
        """Another run of the same task."""
        self.step_run(by, self.run_shown)

    def show_run(self, run: RunView) -> None:
        self._open(run)
        self._read(run.id, run.task_id)

    # --- what the app says -----------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        run = changes.runs.get(self.run_shown.id)
        if run is not None:
            self.run_shown = run.model_copy(update={"environment": self.run_shown.environment})
            self.panel.update_run(run)
            self._read(run.id, run.task_id)
        if changes.status is not None:
            self.status = changes.status
        if changes.gap:
            self.show_run(self.run_shown)
        self.tick(self.now())

    def answered(self, status: EngineStatus) -> None:
        self.status = status

    def tick(self, now: datetime) -> None:
        marks = self.facts.marks
        run = self.run_shown
        width, height = self.size if self.size.width else self.app.size
        left = [Piece(clean(run.task_name), "title"), Piece(f"run {run.id}", "muted")]
        right = [Piece(f"{now.astimezone(self.zone):%H:%M} {self.zone}", "muted", 2)]
        if self.pilot_app.client is None:
            right.insert(0, Piece("ENGINE NOT ANSWERING", "bad", 1))
        self.head.show(fit_line(left, right, width, marks))
        self.facts.say(report(run, self._attempts, self._of_task, now, self.zone, marks,
                              is_read=self._is_read))  # fmt: skip
        # As high as they are or will be, at most half; the output has the rest.
        rows = len(self.facts.lines) + (0 if self._is_read else still_to_come(run))
        self.facts.styles.height = max(1, min(rows, (height - 2) // 2))
        self.panel.tick(now)

    # --- keys ------------------------------------------------------------------------------------

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def action_other_part(self) -> None:
        """From the facts to the output, or back."""
        other = self.facts if self.panel.output.has_focus else self.panel.output
        other.focus()

    def _tell_keys(self) -> None:
        if self.is_current:
            typing = self.is_typing_in_log
            hints = FIND_HINTS if typing else hints_of(self)
            self.key_bar.tell(hints, always=() if typing else None)

    def chosen_run(self) -> RunView | None:
        meant = MEANT.get()
        return self.run_shown if meant is None else meant.run

    def chosen_task(self) -> tuple[int, str] | None:
        meant = MEANT.get()
        return (self.run_shown.task_id, self.run_shown.task_name) if meant is None else meant.task
