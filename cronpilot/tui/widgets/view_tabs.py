"""The row of views, and what of the list in view is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cronpilot.domain.text import clean
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.widgets.toned import Line


class Tab(NamedTuple):
    """A view: the key that shows it, its name, how many things are in it."""

    key: str
    title: str
    things: int = 0


class ViewTabs(Line):
    """`1 Tasks  2 Running (3)`, and at the right the filter and how many rows it left."""

    def tell(self, tabs: Sequence[Tab], current: str, *, text: str = "", total: int = 0,
             more: bool = False, note: str = "") -> None:  # fmt: skip
        """Show these tabs; `total` counts the rows of the current one, filtered by `text`; `more`:
        as far as they are known."""
        left = []
        for tab in tabs:
            count = f" {tab.things:,}" if tab.things else ""
            active = tab.key == current
            title = f"{tab.key} {tab.title}{count}"
            shown = f"[{title}]" if active else f" {title} "
            left.append(Piece(shown, "title" if active else "muted"))
        right = [Piece(note, "title")] if note else []
        if text:
            right.append(Piece(f"filter {clean(text)}", "warn"))
        if total or text:
            known = f"{total:,} and more" if more else f"{total:,}"
            right.append(Piece(f"{known} found" if text else f"{known} in all", "muted", 1))
        self.show(fit_line(left, right, self.room, self.marks, between=" "))
