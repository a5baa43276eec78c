"""How the cells of a row become one line: columns, their titles, and what of a cell changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from cronpilot.tui.formatting import Cell, Cells
from cronpilot.tui.layout import (
    INDENT,
    Claim,
    Column,
    Placed,
    changed_cells,
    fit_columns,
    pad,
    pad_cells,
)
from cronpilot.tui.widgets.toned import Toned, difference

Shown = Mapping[str, Cell | Cells]
"""What a row says, by the key of the column. Under `WHOLE` it is the whole line instead."""
WHOLE = ""


class Columned(Toned):
    """Knows where its columns are, and what a line of them looks like.

    Attributes:
        columns: those that are shown, as far as there is room.
        sorted_by: the key of the column by which the rows are sorted, and whether downward.
    """

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    HEADED: ClassVar[bool] = True
    """Titles stand above the columns."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.columns: Sequence[Column] = self.COLUMNS
        self.sorted_by: tuple[str, bool] | None = None
        self._placed: list[Placed] = []

    @property
    def size(self) -> Size:
        """Textual looks it up in what is seen: slowly, and in vain while a view is hidden. It has
        neither border nor padding, so it is as large as it was laid out."""
        return self.outer_size

    def place_columns(self) -> None:
        """Share the width out among them."""
        self._placed = fit_columns(self.columns, self.size.width - 1, self.claims())

    def claims(self) -> Iterable[Claim]:
        """Which columns are widened first where there is room."""
        return ()

    def sort_by(self, sorted_by: tuple[str, bool] | None) -> None:
        """Say in the header by what the rows are sorted."""
        if sorted_by != self.sorted_by:
            self.sorted_by = sorted_by
            self.refresh(Region(0, 0, self.size.width, 1))

    def titles(self) -> Shown:
        """What stands above the columns; an arrow at the one by which rows are sorted."""
        key, downward = self.sorted_by or ("", False)
        arrow = self.marks.down if downward else self.marks.up
        return {
            column.key: Cell(f"{column.title}{arrow if column.key == key else ''}", "head")
            for column in self.columns
            if column.title
        }

    def column_at(self, x: int) -> str | None:
        """The key of the column in which that cell of a line is."""
        return next((p.column.key for p in self._placed if p.x <= x < p.x + p.width), None)

    def header(self, width: int) -> Strip:
        """The line of the titles."""
        return self.line(self.titles(), None).adjust_cell_length(width, self.tone_style(""))

    def line(self, cells: Shown, under: Style | None, *, is_marked: bool = False) -> Strip:
        """One row, over the background of `under`."""
        parts = [Cell(self.marks.marked, "title") if is_marked else Cell(" " * INDENT)]
        if isinstance(whole := cells.get(WHOLE), Cell):
            return self.strip([*parts, whole], under=under)
        for place in self._placed:
            cell = cells.get(place.column.key, Cell(""))
            if isinstance(cell, Cells):
                parts += [*pad_cells(cell, place.width), Cell(" " * place.gap)]
            else:
                text = pad(cell.text, place.width, self.marks, right=place.column.right)
                parts.append(Cell(text + " " * place.gap, cell.tone))
        return self.strip(parts, under=under)

    def changed(self, before: Shown, after: Shown) -> Iterator[tuple[int, int]]:
        """The stretches of a line, from where and how wide, that read differently now."""
        if WHOLE in before or WHOLE in after:
            yield 0, self.size.width
            return
        for place in self._placed:
            old, new = before.get(place.column.key), after.get(place.column.key)
            if old != new:
                start, end = self._changed_in(place, old, new)
                start, end = min(start, place.width - 1), min(end, place.width)
                yield place.x + start, max(1, end - start)

    def _changed_in(
        self, place: Placed, before: Cell | Cells | None, after: Cell | Cells | None
    ) -> tuple[int, int]:
        if isinstance(before, Cells) and isinstance(after, Cells):
            return difference(before, after)
        if isinstance(before, Cell) and isinstance(after, Cell) and before.tone == after.tone:
            right, marks = place.column.right, self.marks
            return changed_cells(
                pad(before.text, place.width, marks, right=right),
                pad(after.text, place.width, marks, right=right),
            )
        return 0, place.width
