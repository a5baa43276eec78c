"""A few lines of text: the body of a dialog, the help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import wrapped
from cronpilot.tui.widgets.toned import Toned

FRAME = 6
"""Columns of a screen that the frame of a dialog takes."""


class Lines(Toned):
    """Shows lines from the top; scrolls where they do not fit.

    With WRAP, a line that is too long goes on in the next row; else it is cut off.
    """

    WRAP: ClassVar[bool] = False

    def __init__(
        self,
        lines: Sequence[Sequence[Cell]] = (),
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.lines = [list(line) for line in lines]
        self._top = 0
        self._laid: tuple[int, list[list[Cell]]] | None = None  # for this width: the rows

    @property
    def text(self) -> str:
        """What is said, line by line."""
        return "\n".join("".join(cell.text for cell in line) for line in self.lines)

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this from now on."""
        fresh = [list(line) for line in lines]
        if fresh != self.lines:
            height = self.styles.height
            grown = len(fresh) != len(self.lines) and (height is None or height.is_auto)
            self._put(fresh)
            self._top = 0
            self.refresh(layout=grown or self.WRAP)

    def _put(self, lines: list[list[Cell]]) -> None:
        self.lines, self._laid = lines, None

    def rows(self, width: int) -> list[list[Cell]]:
        """What is painted, row by row, in so many columns."""
        if not self.WRAP or width < 1:
            return self.lines
        if self._laid is None or self._laid[0] != width:
            self._laid = width, [row for line in self.lines for row in wrapped(line, width)]
        return self._laid[1]

    def scroll_by(self, rows: int) -> None:
        """Move the text up by so many rows, as far as there is more of it."""
        top = max(0, min(self._top + rows, len(self.rows(self.size.width)) - self.size.height))
        if top != self._top:
            self._top = top
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-3)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        width = max((sum(cell_len(cell.text) for cell in line) for line in self.lines), default=0)
        return min(width, viewport.width - FRAME) if self.WRAP else width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.rows(width))

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, y + self._top
        rows = self.rows(width)
        if index >= len(rows):
            return Strip.blank(width, self.tone_style(""))
        return self.strip(rows[index]).adjust_cell_length(width, self.tone_style(""))


class WrappedLines(Lines):
    """Sentences, and names of any length."""

    WRAP = True
