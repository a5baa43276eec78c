"""The panel below a table: the output of the chosen run, and what else one may ask of its task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.widgets.facts import Facts
from cronpilot.tui.widgets.log_panel import LogPanel
from cronpilot.tui.widgets.toned import spots_of


class PanelTab(NamedTuple):
    """One of the things that the panel can show."""

    name: str
    title: str


LOG = PanelTab("log", "Log")
TABS = (
    LOG, PanelTab("next", "Next runs"), PanelTab("runs", "Recent runs"),
    PanelTab("definition", "Definition"),
)  # fmt: skip
ROOM_FOR_NAMES = 110
"""Cells of a head in which the names of all tabs have room beside what it says of the run."""


class DetailPanel(LogPanel):
    """Shows one tab at a time; the log goes on behind the others."""

    DEFAULT_CSS = """
    DetailPanel #details { height: 1fr; display: none; }
    DetailPanel.-details #details { display: block; }
    DetailPanel.-details LogView, DetailPanel.-details FindLine { display: none; }
    """
    TABS: ClassVar[tuple[PanelTab, ...]] = TABS

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.details = Facts(id="details")
        self.tab = LOG
        self._of = ""  # the task that the details are of

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.details

    def focus_content(self) -> None:
        """Give the focus to what shows the current tab."""
        (self.output if self.tab is LOG else self.details).focus()

    def show_tab(self, tab: PanelTab) -> None:
        """Show that one; the focus stays in the panel if it is there."""
        had_focus = self.has_focus_within
        self.tab = tab
        self.set_class(tab is not LOG, "-details")
        if had_focus:
            self.focus_content()
        self.tell()

    def show_details(self, of: str, lines: Sequence[Sequence[Cell]]) -> None:
        """What the current tab says of a task."""
        if of != self._of:
            self.details.scroll_by(-1_000_000)
        self._of = of
        self.details.say(lines)
        self.tell()

    def head_begin(self) -> list[Piece]:
        if self.size.width < ROOM_FOR_NAMES:
            number = self.TABS.index(self.tab) + 1
            return [Piece(f"{self.tab.title} {number}/{len(self.TABS)}", "title", 3)]
        return [
            Piece(f"[{tab.title}]" if tab is self.tab else tab.title,
                  "title" if tab is self.tab else "muted", 3)
            for tab in self.TABS
        ]  # fmt: skip

    def tell(self) -> None:
        if self.tab is LOG:
            super().tell()
        else:
            left = [*self.head_begin(), Piece(clean(self._of), "title")]
            self.head.show(fit_line(left, [], self.head.size.width, self.output.marks))
        begin = self.head_begin()
        steps = ["1"] if len(begin) == 1 else range(-self.TABS.index(self.tab), len(self.TABS))
        self.head.spots = spots_of(
            self.head.cells,
            {piece.text: f"tab({by})" for piece, by in zip(begin, steps, strict=False)},
        )
