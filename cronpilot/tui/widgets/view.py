"""A view: a table, and what is said in its place while it has no rows."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from cronpilot.tui.inbox import Changes
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus


class View(Container):
    """One of the numbered views. It knows what it shows and which rows it lacks, not who has them.

    Attributes:
        filter: text that the rows have to match; empty for all of them.
    """

    DEFAULT_CSS = "View { height: 1fr; }"
    BLANK = True  # its parts cover it
    KEY: ClassVar[str]
    TITLE: ClassVar[str]
    HAS_LOG: ClassVar[bool] = True  # a log belongs to the row under the cursor
    HAS_FILTER: ClassVar[bool] = True  # its rows can be limited by a text

    def __init__(self, table: LineTable[Any], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table = table
        self.filter = ""
        self.is_current = False
        self.display = False

    def compose(self) -> ComposeResult:
        yield self.table

    def show(self, *, is_current: bool) -> None:
        """Be the one that is seen, or not. No class says so: all styles would be looked up again,
        which took longer than the rest of going to another view."""
        self.is_current = is_current
        self.styles.display = None if is_current else "none"  # app.tcss may still hide it

    @property
    def filters(self) -> str:
        """What the rows are limited to, in words; empty where all are shown."""
        return self.filter

    @property
    def note(self) -> str:
        """What Esc takes back before the filters, in words: `3 marked`; else empty."""
        return ""

    @property
    def total(self) -> int:
        """How many rows the list has, seen or not; as many as are known where there are `more`."""
        return self.table.total

    @property
    def more(self) -> bool:
        """Whether the list has further rows, nobody knows how many."""
        return False

    def clear_filters(self) -> None:
        """Show all rows again."""
        self.refilter("")

    def refilter(self, text: str) -> None:
        """Show only rows that match `text`; without a filter there are no others."""

    def things(self, status: EngineStatus | None) -> int:
        """How many things its tab counts; 0 for a tab without a figure."""
        return 0

    @abstractmethod
    def apply(self, changes: Changes) -> bool:
        """Take in what has changed; whether the rows have to be read again."""

    @abstractmethod
    def set_zone(self, zone: tzinfo) -> None:
        """Show times on the clock of this zone."""

    def tick(self, now: datetime) -> None:
        """Time has passed."""
        self.table.tick(now)
