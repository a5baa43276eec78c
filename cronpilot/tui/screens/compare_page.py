"""Two runs of a task side by side: failed at 03:00, works by hand."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError
from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.widgets.facts import Facts
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.messages import RunView


class ComparePage(AskingScreen[None], inherit_bindings=False):
    """What differs between a run and the last success of its task, or any other run of it."""

    DEFAULT_CSS = """
    ComparePage #run-head { background: $bar; dock: top; }
    ComparePage #compared { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "Back", id="compare.close",
                tooltip="Back to where it was opened"),
        Binding("left_square_bracket", "other(-1)", "With earlier", id="compare.earlier",
                tooltip="Compare it with the run before"),
        Binding("right_square_bracket", "other(1)", "With later", id="compare.later",
                tooltip="Compare it with the run after"),
        Binding("t", "exact", "Times", id="compare.exact",
                tooltip="Whether times, durations and process ids in the output count"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    def __init__(self, run_id: int, task_name: str, zone: tzinfo) -> None:
        super().__init__()
        self.run_id, self.zone = run_id, zone
        self.head = Line(id="run-head")
        self.compared = Facts(id="compared")
        self.key_bar = KeyBar(id="keys")
        self.found: Comparison | None = None
        self._task_name = clean(task_name)
        self._against: int | None = None
        self._exact = False

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.compared
        yield self.key_bar

    def on_mount(self) -> None:
        self.compared.focus()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell())
        self._say("Comparing ...")
        self._read()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._tell)

    @work(exclusive=True, group="compare")
    async def _read(self) -> None:
        try:
            self.found = await self.client.compare(
                self.run_id, against=self._against, exact=self._exact
            )
        except CronPilotError as error:
            if self.found is None:
                self._say(clean(error.problem), clean(error.hint))
            else:
                self.tell_error(error)
            return
        self.compared.scroll_by(-1_000_000)
        self._tell()

    # --- what is said ----------------------------------------------------------------------------

    def _say(self, *sentences: str) -> None:
        self.compared.say([[], *([Cell(f" {one}", "muted")] for one in sentences)])
        self._tell()

    def _tell(self) -> None:
        from cronpilot.client.comparison_words import heading  # after the first paint
        from cronpilot.tui.compare_lines import comparison_lines

        marks, found = self.compared.marks, self.found
        if found is None:
            left = [Piece(self._task_name, "title"), Piece(f"run {self.run_id}", "muted")]
        else:
            left = [Piece(heading(found), "title")]
            width = self.compared.size.width
            self.compared.say(comparison_lines(found, self.zone, width, marks))
        passing = "times count" if self._exact else "times and the like are left out"
        right = [Piece(passing, "muted", 2)]
        if self.pilot_app.client is None:
            right.insert(0, Piece("ENGINE NOT ANSWERING", "bad", 1))
        self.head.show(fit_line(left, right, self.size.width, marks))
        if self.is_current:
            self.key_bar.tell(hints_of(self))

    # --- keys ------------------------------------------------------------------------------------

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def action_exact(self) -> None:
        """Whether what differs each time counts."""
        self._exact = not self._exact
        self._read()

    @work(exclusive=True, group="other run")
    async def action_other(self, by: int) -> None:
        """Compare it with the run before, or after, the one it is compared with."""
        if self.found is None:
            return
        with self.telling():
            other = await self._neighbour(self.found.against, by)
            if other is None:
                which = "earlier" if by < 0 else "later"
                self.notify(f"There is no {which} run with output.", markup=False, timeout=3)
                return
            self._against = other
            self._read()

    async def _neighbour(self, run: RunView, by: int) -> int | None:
        """The next run of the task that was started, and is not this one."""
        from cronpilot.client.messages import RunQuery  # after the first paint

        at: int | None = run.id
        while at is not None:
            side = {"before": at} if by < 0 else {"after": at}
            rows = (await self.client.runs(RunQuery(task_id=run.task_id, limit=50, **side))).rows
            order = rows if by < 0 else rows[::-1]
            for one in order:
                if one.attempts and one.id != self.run_id:
                    return one.id
            at = order[-1].id if len(order) == 50 else None
        return None
