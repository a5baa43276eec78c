"""What passed while no engine was there: what was missed, what is made up for, what to do now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cronpilot.domain.run import ACTIVE
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, duration, plural, run_length, run_state
from cronpilot.tui.inbox import Changes
from cronpilot.tui.layout import Column, Piece, fit_line
from cronpilot.tui.rights import is_allowed
from cronpilot.tui.run_words import folded, stamp
from cronpilot.tui.screens.acting import ActingScreen
from cronpilot.tui.widgets.columned import WHOLE, Shown
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.live import Downtime
    from cronpilot.client.messages import EngineStatus, RunView


@dataclass(frozen=True, slots=True)
class CatchUpLine:
    """A row of the page: slots that were missed, a run that makes up for some, or a heading."""

    id: int
    run: RunView | None = None
    heading: str = ""


class CatchUpTable(LineTable[CatchUpLine]):
    """What was made up for above, what was missed below."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("name", "TASK", 22, 36),
        Column("what", "WHAT PASSED", 30, 60),
        Column.fixed("took", "TOOK", 7, right=True, rank=1),
        Column.fixed("run", "RUN", 9, right=True, rank=2),
    )
    zone: tzinfo = UTC

    def cells(self, row: CatchUpLine, now: datetime) -> Shown:
        run = row.run
        if run is None:
            return {WHOLE: Cell(row.heading, "head")}
        slot = stamp(run.scheduled_for or run.queued_at, now, self.zone)
        return {
            "state": run_state(run.status, self.marks),
            "name": Cell(clean(run.task_name), "strong"),
            "what": Cell(folded(run, now, self.zone) or f"slot of {slot}", "muted"),
            "took": Cell(run_length(run, now)),
            "run": Cell(f"#{run.id}", "muted"),
        }


class CatchUpPage(ActingScreen):
    """Over the whole screen; `d` says that it was looked over."""

    DEFAULT_CSS = """
    CatchUpPage #catch-up-head { background: $bar; dock: top; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", id="missed.close",
                tooltip="Back; the banner stays"),
        Binding("enter", "open", "Open", id="missed.open", tooltip="All about this run or slot"),
        Binding("r", "run_now", "Run now", id="task.run",
                tooltip="Start the task of this row now, to make up for what it missed"),
        Binding("x", "stop_run", "Stop", id="task.stop", tooltip="Stop this run; asks how"),
        Binding("d", "dismiss_all", "Dismiss", id="missed.dismiss",
                tooltip="It was looked over: take the banner away"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    SHOWS_STARTS = False

    def __init__(
        self, downtime: Downtime, zone: tzinfo = UTC, status: EngineStatus | None = None
    ) -> None:
        super().__init__()
        self.status = status
        self._downtime = downtime
        self.head = Line(id="catch-up-head")
        self.table = CatchUpTable(id="catch-up-table")
        self.table.zone = zone
        self.key_bar = KeyBar(id="keys")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.table
        yield self.key_bar

    def on_mount(self) -> None:
        self.table.focus()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell_keys())
        self._show()
        self.call_after_refresh(self._tell)

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell)

    # --- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        down = self._downtime
        self.table.now = self.now()
        lines = list(_lines(down, self._how_to_make_up()))
        self.table.put_rows(0, lines, len(lines))
        if self.table.row is not None and self.table.row.run is None:
            self.table.action_move(1)
        self.table.say_instead([[Cell("Nothing passed.", "muted")]])
        self.table.tick(self.now())

    def _how_to_make_up(self) -> str:
        may = is_allowed("run_now", self.pilot_app.identity)
        return f": {self.key('task.run', 'r')} runs the task once now" if may else ""

    def _tell(self) -> None:
        down, zone, now = self._downtime, self.table.zone, self.now()
        length = duration((down.until - down.since).total_seconds())
        left = [
            Piece(f"No engine for {length}", "title"),
            Piece(f"{stamp(down.since, now, zone)} to {stamp(down.until, now, zone)}", "muted", 2),
            Piece(f"{plural(down.missed_slots, 'slot')} missed", "warn"),
            Piece(f"{down.made_up:,} made up for", "", 1),
        ]
        between = f" {self.table.marks.dot} "
        self.head.show(fit_line(left, [], self.size.width, self.table.marks, between=between))
        self._tell_keys()

    def _tell_keys(self) -> None:
        if self.is_current:
            self.key_bar.tell(hints_of(self))

    # --- what the app says -----------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        if changes.status is not None:
            self.status = changes.status
        down = self._downtime
        if any(run.id in changes.runs for run in down.runs):
            fresh = [changes.runs.get(run.id, run) for run in down.runs]
            self._downtime = down.model_copy(update={"runs": fresh})
            self._show()
            self.refresh_bindings()
        self.tick(self.now())

    def answered(self, status: EngineStatus) -> None:
        self.status = status

    def tick(self, now: datetime) -> None:
        self.table.tick(now)

    # --- what a key means ------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop_run":  # what was missed, or is over, cannot be stopped
            run = self.chosen_run()
            return run is not None and run.status in ACTIVE
        return super().check_action(action, parameters)

    @on(LineTable.CursorMoved)
    def _cursor_moved(self) -> None:
        self.refresh_bindings()

    def chosen_run(self) -> RunView | None:
        """Only what can be stopped; of missed slots the task is meant."""
        run = self.table.row.run if self.table.row else None
        return run if run is not None and run in self._downtime.runs else None

    def chosen_task(self) -> tuple[int, str] | None:
        run = self.table.row.run if self.table.row else None
        return None if run is None else (run.task_id, run.task_name)

    def action_open(self) -> None:
        """All about the run or the slots under the cursor."""
        from cronpilot.tui.screens.run_page import RunPage

        if self.table.row and self.table.row.run:
            self.app.push_screen(RunPage(self.table.row.run, self.table.zone))

    @work(exclusive=True, group="act")
    async def action_dismiss_all(self) -> None:
        """It was looked over."""
        with self.telling():
            await self.client.dismiss_downtime()
            self.app.pop_screen()


def _lines(down: Downtime, how: str) -> Iterable[CatchUpLine]:
    if down.runs:
        yield CatchUpLine(-1, heading="MADE UP FOR")
        yield from (CatchUpLine(run.id, run) for run in down.runs)
    if down.missed:
        yield CatchUpLine(-2, heading=f"MISSED FOR GOOD{how}")
        yield from (CatchUpLine(run.id, run) for run in down.missed)
