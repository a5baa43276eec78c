"""View 4: everything that has happened, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from cronpilot.domain.run import BAD, Status
from cronpilot.tui import run_words
from cronpilot.tui.inbox import Changes
from cronpilot.tui.run_pages import PAGE, RunPages
from cronpilot.tui.widgets.history_table import HistoryTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
    from cronpilot.errors import CronPilotError
    from cronpilot.tui.widgets.line_table import LineTable

VERDICTS = (None, Status.SUCCESS, Status.FAILED, Status.TIMEOUT, Status.ERROR, Status.LOST,
            Status.STOPPED, Status.SKIPPED, Status.MISSED)  # fmt: skip


class HistoryView(View):
    """All runs, newest first, of which it holds what is near. It says which page it lacks.

    Attributes:
        bad: only failures.
        verdict: only runs with this one.
        span: the index in `run_words.SPANS` of how far back it reaches.
    """

    KEY = "4"
    TITLE = "History"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "only_bad", "Failed", id="history.failed",
                tooltip="Only runs that failed, or all again"),
        Binding("v", "verdict(1)", "Verdict", id="history.verdict",
                tooltip="Only one verdict: the next one"),
        Binding("V", "verdict(-1)", "Verdict before", id="history.verdict_before", show=False,
                tooltip="Only one verdict: the one before"),
        Binding("t", "span", "Time", id="history.time", tooltip="Today, 7 days, 30 days, all time"),
    ]  # fmt: skip
    table: HistoryTable

    @dataclass
    class PageWanted(Message):
        """A page has to be read."""

        number: int

    class Refiltered(Message):
        """Other runs are wanted: nothing of what was read is of use."""

    def __init__(self) -> None:
        super().__init__(HistoryTable(id="history-table"), id="history")
        self.pages = RunPages()
        self.bad = False
        self.verdict: Status | None = None
        self.span = 0
        self._filtered_at: datetime | None = None
        self._asked: set[int] = set()
        self.trouble: CronPilotError | None = None  # what kept it from being read
        self._went_down = False  # somebody looks at a run further below

    def show(self, *, is_current: bool) -> None:
        """Whoever comes back to it sees the newest, unless they had gone to another run."""
        comes_back = is_current and not self.is_current
        super().show(is_current=is_current)
        if comes_back and not self._went_down and self.table.cursor:
            self.table.action_edge(-1)

    def on_line_table_cursor_moved(self, event: LineTable.CursorMoved) -> None:
        if event.by_user:
            self._went_down = self.table.cursor > 0

    # --- what is asked for -----------------------------------------------------------------------

    def asked_for(self) -> dict[str, Any]:
        """The fields of the RunQuery that fits the filters."""
        asked: dict[str, Any] = {"text": self.filter, "bad": self.bad, "limit": PAGE}
        if self.verdict is not None:
            asked["status"] = [self.verdict]
        if self._since is not None:
            asked["since"] = self._since
        return asked

    @property
    def _since(self) -> datetime | None:
        if self._filtered_at is None:
            return None
        return run_words.since(run_words.SPANS[self.span][1], self._filtered_at, self.table.zone)

    @property
    def filters(self) -> str:
        """What the list is limited to, in words."""
        span = run_words.SPANS[self.span][0] if self.span else ""
        verdict = "failed only" if self.bad else self.verdict.value if self.verdict else ""
        return ", ".join(word for word in (self.filter, verdict, span) if word)

    @property
    def is_read(self) -> bool:
        """Whether the newest page is there, so that an empty list means that there is nothing."""
        return bool(self.pages.known) or self.pages.complete

    @property
    def more(self) -> bool:
        """Whether there are further runs, nobody knows how many."""
        return not self.pages.complete

    @property
    def total(self) -> int:
        return self.pages.known

    def refilter(self, text: str | None = None, *, bad: bool | None = None) -> None:
        """Limit the list; what is not given stays."""
        self.filter = self.filter if text is None else text
        self.bad = self.bad if bad is None else bad
        self._from_the_top()

    def clear_filters(self) -> None:
        """All runs again."""
        self.filter, self.bad, self.verdict, self.span = "", False, None, 0
        self._from_the_top()

    def _from_the_top(self) -> None:
        self.read_again()
        self.table.put_rows(0, [], 0)

    def read_again(self) -> None:
        """Forget what was read; the rows stay on the screen until others are there."""
        self._filtered_at = self.table.now
        self.pages = RunPages()
        self._asked.clear()
        self.post_message(self.Refiltered())

    def action_only_bad(self) -> None:
        """Failures only, or everything again."""
        self.verdict = None
        self.refilter(bad=not self.bad)

    def action_verdict(self, by: int) -> None:
        """One verdict after the other, then all of them."""
        index = (VERDICTS.index(self.verdict) + by) % len(VERDICTS)
        self.bad, self.verdict = False, VERDICTS[index]
        self._from_the_top()

    def action_span(self) -> None:
        """Another stretch of time."""
        self.span = (self.span + 1) % len(run_words.SPANS)
        self._from_the_top()

    @property
    def chosen(self) -> RunView | None:
        """The run under the cursor."""
        return self.table.row

    # --- pages -----------------------------------------------------------------------------------

    def look_for_pages(self, first: int | None = None) -> None:
        """Ask for what has to be read to show the rows from `first` on."""
        first = self.table.top if first is None else first
        for number in self.pages.lacking(first, first + PAGE - 1):
            if number not in self._asked:
                self._asked.add(number)
                self.post_message(self.PageWanted(number))

    def put(self, pages: RunPages, number: int, rows: Sequence[RunView]) -> None:
        """A page that was asked for; `pages` is the list it was asked for."""
        if pages is not self.pages:
            return
        self.trouble = None
        self._asked.discard(number)
        self.pages.put(number, list(rows))
        top = self.table.top
        self.pages.forget_all_but(top, top + self.table.body_height)
        self._show()

    def failed(self, number: int, trouble: CronPilotError | None = None) -> None:
        """That page could not be read: a further one may be asked for again by scrolling, the first
        one when everything is."""
        self.trouble = trouble
        if number:
            self._asked.discard(number)

    def _show(self) -> None:
        offset, rows = self.pages.around(self.table.top)
        beyond = 1 if self.more and self.pages.known else 0  # a line that stands for what follows
        self.table.put_rows(offset, rows, self.pages.known + beyond)

    # --- what happens meanwhile ------------------------------------------------------------------

    def apply(self, changes: Changes) -> bool:
        if changes.gap:
            return True
        if not self.is_read:
            return False
        moved = False
        for run in sorted(changes.runs.values(), key=lambda run: run.id):
            if self.pages.replace(run):
                self.table.put_row(run)
            elif self._matches(run):
                moved = self.pages.add(run) or moved
        if moved:
            self._show()
        return False

    def _matches(self, run: RunView) -> bool:
        name = run.task_name.casefold()
        return (
            all(word in name for word in self.filter.casefold().split())
            and (not self.bad or run.status in BAD)
            and self.verdict in (None, run.status)
            and (self._since is None or run.queued_at >= self._since)
        )

    def set_zone(self, zone: tzinfo) -> None:
        self.table.zone = zone
