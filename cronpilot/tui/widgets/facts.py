"""Lines that can have the focus, and scroll by its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.lines import Lines


class Facts(Lines):
    """Stays where it was scrolled to when what it says changes."""

    DEFAULT_CSS = "Facts { height: auto; width: 1fr; }"
    WRAP = True
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", "Down", id="facts.down", show=False,
                tooltip="The next line"),
        Binding("up,k", "scroll(-1)", "Up", id="facts.up", show=False, tooltip="The line before"),
        Binding("pagedown,space,ctrl+d", "scroll(10)", "Page down", id="facts.page_down",
                show=False, tooltip="Further down"),
        Binding("pageup,ctrl+u", "scroll(-10)", "Page up", id="facts.page_up", show=False,
                tooltip="Further up"),
        Binding("g,home", "scroll(-1000000)", "Top", id="facts.top", show=False,
                tooltip="To the first line"),
        Binding("G,end", "scroll(1000000)", "End", id="facts.end", show=False,
                tooltip="To the last line"),
    ]  # fmt: skip

    def action_scroll(self, rows: int) -> None:
        self.scroll_by(rows)

    def say(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this from now on."""
        fresh = [list(line) for line in lines]
        if fresh != self.lines:
            before = len(self.rows(self.size.width))
            self._put(fresh)
            self.scroll_by(0)
            self.refresh(layout=len(self.rows(self.size.width)) != before)
