"""A few lines of text: the body of a dialog, the help."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.toned import Toned


class Lines(Toned):
    """Shows lines from the top; scrolls where they do not fit."""

    def __init__(
        self,
        lines: Sequence[Sequence[Cell]] = (),
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.lines = [list(line) for line in lines]
        self._top = 0

    @property
    def text(self) -> str:
        """What is said, line by line."""
        return "\n".join("".join(cell.text for cell in line) for line in self.lines)

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this from now on."""
        fresh = [list(line) for line in lines]
        if fresh != self.lines:
            grown = len(fresh) != len(self.lines)
            self.lines, self._top = fresh, 0
            self.refresh(layout=grown)

    def scroll_by(self, rows: int) -> None:
        """Move the text up by so many rows, as far as there is more of it."""
        top = max(0, min(self._top + rows, len(self.lines) - self.size.height))
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
        return max((sum(cell_len(cell.text) for cell in line) for line in self.lines), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, y + self._top
        if index >= len(self.lines):
            return Strip.blank(width, self.tone_style(""))
        return self.strip(self.lines[index]).adjust_cell_length(width, self.tone_style(""))
