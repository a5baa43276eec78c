"""The row of views, and what of the list in view is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from cronpilot.domain.text import clean
from cronpilot.tui.layout import Piece, cut, fit_line
from cronpilot.tui.widgets.toned import Line, spots_of


class Tab(NamedTuple):
    """A view: the key that shows it, its name, how many things are in it."""

    key: str
    title: str
    things: int = 0


class ViewTabs(Line):
    """`1 Tasks  2 Running (3)`, and at the right the filter and how many rows it left."""

    def tell(self, tabs: Sequence[Tab], current: str, *, text: str = "", total: int = 0,
             more: bool = False, note: str = "", last_known: bool = False) -> None:  # fmt: skip
        """Show these tabs; `total` counts the rows of the current one, filtered by `text`; `more`:
        as far as they are known; `last_known`: as they were before there was an engine."""
        right = [Piece(note, "title")] if note else []
        if text:
            right.append(Piece(f"filter {clean(text)}", "warn"))
        if total or text:
            known = f"{total:,} and more" if more else f"{total:,}"
            how = "found" if text else "last known" if last_known else "in all"
            right.append(Piece(f"{known} {how}", "muted", 1))
        room, said = self.room, [piece for piece in right if not piece.rank]
        left = _tabs(tabs, current, titles=True)
        if said and _cells([*left, *said]) > room:
            # What limits the rows may never be off the screen: a view is found by its key, too.
            left = _tabs(tabs, current, titles=False)
            right = right if _cells([*left, *right]) <= room else said
            spare = room - _cells([*left, *right[:-1]]) - 1
            right[-1] = right[-1]._replace(text=cut(right[-1].text, max(1, spare), self.marks))
        cells = fit_line(left, right, room, self.marks, between=" ")
        self.show(cells)
        views = [f"view('{tab.title.lower()}')" for tab in tabs]
        texts = [piece.text for piece in left]
        self.spots = spots_of(cells, dict(zip(texts, views, strict=True)))


def _tabs(tabs: Sequence[Tab], current: str, *, titles: bool) -> list[Piece]:
    """The views; without `titles` only the current one is called by its name."""
    pieces = []
    for tab in tabs:
        active = tab.key == current
        name = f"{tab.key} {tab.title}" if titles or active else tab.key
        words = f"{name} {tab.things:,}" if tab.things and (titles or active) else name
        pieces.append(
            Piece(f"[{words}]" if active else f" {words} ", "title" if active else "muted")
        )
    return pieces


def _cells(pieces: Sequence[Piece]) -> int:
    """How wide they are side by side, with a blank at either edge and one between two."""
    return sum(cell_len(piece.text) + 1 for piece in pieces) + 2
