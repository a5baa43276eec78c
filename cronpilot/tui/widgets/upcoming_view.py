"""View 3: what comes, as a list and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from cronpilot.tui.formatting import Cell
from cronpilot.tui.inbox import Changes
from cronpilot.tui.timeline import legend
from cronpilot.tui.upcoming_lines import UpcomingLine, strip_lines, upcoming_lines
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.lines import Lines
from cronpilot.tui.widgets.timeline_table import TimelineTable
from cronpilot.tui.widgets.upcoming_table import UpcomingTable
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.client.agenda import Outlook, TimelineRow, UpcomingStart
    from cronpilot.client.messages import EngineStatus

AHEAD = timedelta(days=1)
MOST = 5_000
"""Starts that the list holds; whoever wants to look further than that has the picture."""
AGAIN = timedelta(seconds=5)
"""At most that often it is read again while things change."""
ANYWAY = timedelta(minutes=5)
"""And that often when nothing does: the end of the day moves on."""
JUST_NOW = timedelta(seconds=8)
"""A start stays for that long after its time, as `now`; then all that have passed go at once, so
that the list moves up, and is painted, a few times a minute."""


class UpcomingView(View):
    """The starts of the next 24 hours; `t` shows them as a timeline beside what has been.

    Attributes:
        rows: the starts that were read, without gaps.
    """

    DEFAULT_CSS = """
    UpcomingView { layout: vertical; }
    UpcomingView #upcoming-strip { height: 3; margin: 0 0 1 0; }
    UpcomingView #upcoming-legend { height: 1; display: none; }
    UpcomingView TimelineTable { display: none; }
    UpcomingView.-picture TimelineTable, UpcomingView.-picture #upcoming-legend { display: block; }
    UpcomingView.-picture UpcomingTable, UpcomingView.-picture #upcoming-strip,
    UpcomingView.-short #upcoming-strip { display: none; }
    """
    KEY = "3"
    TITLE = "Upcoming"
    HAS_LOG = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "picture", "Timeline", id="upcoming.timeline",
                tooltip="As a picture with what has been, or as a list"),
    ]  # fmt: skip
    table: LineTable[Any]

    class Wanted(Message):
        """Something of what is seen has to be read; see `lacks`."""

    def __init__(self) -> None:
        self.list = UpcomingTable(id="upcoming-table")
        self.picture = TimelineTable(id="timeline-table")
        super().__init__(self.list, id="upcoming")
        self.strip = Lines(id="upcoming-strip")
        self.signs = Lines(id="upcoming-legend")
        self.rows: list[UpcomingStart] = []
        self.has_more = False
        self.outlook: Outlook | None = None
        self._zone: tzinfo = UTC
        self._stale = True
        self._read_at: datetime | None = None
        self._versions: dict[int, tuple[int, bool]] = {}
        self._figures: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.strip
        yield self.signs
        yield self.list
        yield self.picture

    # --- which of the two ------------------------------------------------------------------------

    @property
    def is_picture(self) -> bool:
        """Whether the timeline is seen."""
        return self.table is self.picture

    def action_picture(self) -> None:
        """The timeline, or the list again."""
        self.table = self.list if self.is_picture else self.picture
        self.set_class(self.is_picture, "-picture")
        self.read_again()
        self.table.focus()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 14, "-short")
        self.call_after_refresh(self._show_strip)

    @property
    def chosen(self) -> tuple[int, str] | None:
        """The id and the name of the task under the cursor."""
        row = self.table.row
        if row is None:
            return None
        if self.is_picture:
            return row.id, row.name
        return (row.start.task_id, row.start.task_name) if row.start else None

    # --- what is read ----------------------------------------------------------------------------

    def read_again(self) -> None:
        """Let it be read anew at the next occasion."""
        self._stale, self._read_at = True, None
        self.post_message(self.Wanted())

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to read anew; taken as read from then on."""
        after = AGAIN if self._stale or self.is_picture else ANYWAY
        due = self._read_at is None or not timedelta() <= now - self._read_at < after
        if due:
            self._stale, self._read_at = False, now
        return due

    def put(self, rows: Sequence[UpcomingStart], *, more: bool) -> None:
        """The starts as they were read, from now on without a gap."""
        self.rows, self.has_more = list(rows), more and len(rows) < MOST
        self._show()

    def put_outlook(self, outlook: Outlook, max_workers: int) -> None:
        """How many start in which hour."""
        self.outlook, self.list.max_workers = outlook, max_workers
        self._show_strip()
        self._show()

    def put_picture(self, offset: int, rows: list[TimelineRow], total: int, scale: Any) -> None:
        """Rows of the timeline."""
        self.picture.put_picture(offset, rows, total, scale)
        seen = Cell(f" {self.picture.window.words}  ", "strong")
        self.signs.show([[seen, *legend(self.list.marks)]])

    def _show(self) -> None:
        now = self.list.now
        if now is None:
            return
        until = self.rows[-1].starts_at if self.has_more and self.rows else now + AHEAD
        outlook = None if self.has_more or self.filter else self.outlook
        lines: list[UpcomingLine] = upcoming_lines(
            self.rows, outlook, self._zone, now, until, self.list.marks
        )
        beyond = 1 if self.has_more else 0  # a line that stands for what follows
        self.list.put_rows(0, lines, len(lines) + beyond)

    def _show_strip(self) -> None:
        if self.outlook is None or not self.size.width:
            return
        self.strip.show(strip_lines(self.outlook, self.size.width, self._zone, self.list.marks))

    @property
    def total(self) -> int:
        return self.picture.total if self.is_picture else len(self.rows)

    @property
    def more(self) -> bool:
        return self.has_more and not self.is_picture

    @property
    def filters(self) -> str:
        return self.filter

    # --- what happens meanwhile ------------------------------------------------------------------

    def tick(self, now: datetime) -> None:
        self.list.now = self.picture.now = now
        if self.rows and self.rows[0].starts_at < now - JUST_NOW:
            self.rows = [row for row in self.rows if row.starts_at > now]
            self._show()
        super().tick(now)

    def apply(self, changes: Changes) -> bool:
        """Only another definition, a pause or another number of tasks changes what comes."""
        fresh = {task.id: (task.version, task.paused_at is None) for task in changes.tasks.values()}
        if any(self._versions.get(task_id) != state for task_id, state in fresh.items()):
            self._versions |= fresh
            self._stale = True
        if changes.status is not None and self._count(changes.status) != self._figures:
            self._figures = self._count(changes.status)
            self._stale = True
        self._stale = self._stale or changes.gap or bool(changes.removed)
        return False

    @staticmethod
    def _count(status: EngineStatus) -> tuple[int, ...]:
        return status.total_tasks, status.active_tasks, status.scheduled_tasks

    def refilter(self, text: str) -> None:
        self.filter = text
        self.rows = []
        self.read_again()

    def set_zone(self, zone: tzinfo) -> None:
        self._zone = self.list.zone = self.picture.zone = zone
        self._show_strip()

    def say_instead(self, *, is_read: bool) -> None:
        """Say why there are no rows."""
        words = "Nothing starts within 24 hours" if is_read else "Reading what comes ..."
        if self.filter and is_read:
            words = "Nothing matches"
        self.list.say_instead([[Cell(words, "muted")]])
        self.picture.say_instead([[Cell(words if self.filter else "No tasks yet", "muted")]])
