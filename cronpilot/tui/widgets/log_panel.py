"""The output of one run under a line that says which, how it stands, and whether it is followed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from cronpilot.domain.run import ACTIVE
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    attempt,
    plural,
    result,
    run_length,
    run_state,
    size,
)
from cronpilot.tui.layout import Piece, cut, fit_line
from cronpilot.tui.log_window import LogWindow
from cronpilot.tui.painting import paint_now
from cronpilot.tui.widgets.log_view import LogView
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
    from cronpilot.tui.app import CronPilotApp
    from cronpilot.tui.log_finder import LogFinder
    from cronpilot.tui.widgets.find_line import FindLine


class LogPanel(Vertical):
    """Shows the run it is given; `newer` is a later run of the same task, offered, not forced."""

    DEFAULT_CSS = """
    LogPanel { height: 1fr; }
    """
    BLANK = True  # its parts cover it

    class Shown(Message):
        """Another run's output is there, or why there is none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.head = Line(id="log-head")
        self.output = LogView(id="log")
        self.find_line: FindLine | None = None
        self.finder: LogFinder | None = None
        self.only = False  # only lines that match are shown
        self.note = ""  # a word about what is going on, such as a search
        self.run_id: int | None = None
        self.newer: int | None = None
        self._run: RunView | None = None
        self._now: datetime | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.output

    @property
    def run_shown(self) -> RunView | None:
        """The run whose output is shown."""
        return self._run

    # --- what is shown ---------------------------------------------------------------------------

    def show_run(self, run: RunView, window: LogWindow, *, top: int | None = None) -> None:
        """Show this run, from its end; or from a line on."""
        self.run_id, self.newer, self._run = run.id, None, run
        self.output.show(window, top=top)
        self._say_what_is_missing()
        self.tell()
        self.post_message(self.Shown())

    def show_nothing(self, why: Sequence[Sequence[Cell]]) -> None:
        """There is no run to show."""
        self.run_id, self.newer, self._run = None, None, None
        self.output.show(LogWindow())
        self.output.say_instead(why)
        self.tell()
        self.post_message(self.Shown())

    def update_run(self, run: RunView) -> None:
        """The run stands differently now."""
        if run.id == self.run_id:
            self._run = run
            self._say_what_is_missing()
            self.tell()

    def append(self, data: bytes, file_size: int, *, end: int | None = None) -> None:
        """The run has printed something; `end` as for `LogWindow.append`."""
        self.output.append(data, file_size, end=end, at=self.clock())
        self._say_what_is_missing()
        self.tell()

    def leap(self, window: LogWindow) -> None:
        """The run prints more than can be read: this is its end now."""
        self.output.leap(window)
        self.tell()

    def offer_newer(self, run_id: int) -> None:
        """A later run of the task has begun while an earlier one is being read."""
        self.newer = run_id
        self.tell()

    def tick(self, now: datetime) -> None:
        """Time has passed."""
        self._now = now
        self.tell()

    def clock(self) -> datetime:
        """The time now."""
        return cast("CronPilotApp", self.app).clock()

    async def open_find_line(self) -> None:
        """Let the user type what to look for."""
        from cronpilot.tui.widgets.find_line import FindLine  # after the first paint

        if self.find_line is None:
            self.find_line = FindLine(id="find")
            await self.mount(self.find_line)
        self.find_line.open()

    # --- the head --------------------------------------------------------------------------------

    @on(LogView.FollowChanged)
    def _follow_changed(self) -> None:
        self.tell()

    @on(LogView.LookChanged)
    def _look_changed(self) -> None:
        self.tell()
        paint_now(self.output, self.head)

    def on_resize(self) -> None:
        self.call_after_refresh(self.tell)

    def tell(self) -> None:
        """Say in the head how things stand."""
        run, head = self._run, self.head
        if run is None or self._now is None:
            begin = self.head_begin() or [Piece("log", "muted")]
            head.show(fit_line(begin, [], head.size.width, self.output.marks))
            return
        state = run_state(run.status, self.output.marks)
        name = cut(clean(run.task_name), max(16, head.size.width // 2 - 8), self.output.marks)
        left = [
            *self.head_begin(),
            Piece(name, "title"),
            Piece(f"run {run.id}", "muted", 2),
            Piece(state.text, state.tone),
            Piece(run_length(run, self._now), "", 1),
            Piece(_ending(run), state.tone, 1),
            Piece(f"attempt {attempt(run)}" if attempt(run) else "", "muted", 4),
            Piece(size(self.output.window.size), "muted", 3),
            *self._find_words(),
            *self._look_words(),
        ]
        head.show(fit_line(left, self._follow_mark(run), head.size.width, self.output.marks))

    def head_begin(self) -> list[Piece]:
        """What stands before all else."""
        return []

    def _find_words(self) -> list[Piece]:
        finder = self.finder
        if finder is None:
            return []
        what = "only" if self.only else "/"
        kind = "regex " if finder.pattern.regex else ""
        words = f"{what} {kind}{clean(finder.pattern.text)}"[:40]
        found = self.note or finder.in_words(self.output.match)
        return [Piece(words, "strong", 1), Piece(found, "warn" if found == "none" else "busy")]

    def _look_words(self) -> list[Piece]:
        output = self.output
        chosen = output.selected
        count = abs(chosen[1] - chosen[0]) + 1 if chosen is not None else 0
        return [
            Piece(f"{plural(count, 'line')} chosen" if count else "", "warn"),
            Piece("wrapped" if output.wrap else "", "muted", 4),
            Piece("times: when seen here" if output.times else "", "muted", 3),
        ]

    def _follow_mark(self, run: RunView) -> list[Piece]:
        output = self.output
        if self.newer is not None:
            return [Piece(f"run {self.newer} has begun: End", "warn")]
        if output.following:
            return [Piece("following", "good", 2)] if run.status in ACTIVE else []
        if output.window.end < output.window.size:
            return [Piece(f"{size(output.window.size - output.window.end)} below: End", "warn")]
        if output.unseen:
            return [Piece(f"+{output.unseen:,} new: End", "warn")]
        return [Piece("not following: f", "warn", 2)] if run.status in ACTIVE else []

    # --- instead of output -----------------------------------------------------------------------

    def _say_what_is_missing(self) -> None:
        run = self._run
        if run is None:
            return
        if self.only:
            text = "No line matches so far."
        elif run.started_at is None:
            text = clean(run.detail) or result(run) or "This run has not started."
        elif run.status in ACTIVE:
            text = "No output yet."
        else:
            text = clean(run.detail) or "This run printed nothing."
        self.output.say_instead([[Cell(text, "muted")]])


def _ending(run: RunView) -> str:
    """`exit 0`, `exit 2`, `SIGKILL`, `was still running`; nothing while it goes on."""
    if run.status in ACTIVE:
        return ""
    return result(run) or (f"exit {run.exit_code}" if run.exit_code is not None else "")
