"""The lines of one run's output, followed at their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cronpilot.tui.ansi import LONGEST, parse_line
from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import thumb
from cronpilot.tui.log_window import LogWindow
from cronpilot.tui.widgets.toned import Toned

SIDESTEP = 0.5
"""How far left and right go, as a share of the width."""


class LogView(Toned):
    """Shows a part of a log. At its end it follows; a move upwards ends that, End resumes it."""

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="log.down", key_display="j", show=False,
                tooltip="The next line"),
        Binding("up,k", "move(-1)", "Up", id="log.up", key_display="k", show=False,
                tooltip="The line before; following ends"),
        Binding("pagedown,ctrl+f,space", "page(1.0)", "Page down", id="log.page_down",
                key_display="PgDn", show=False, tooltip="A screenful on"),
        Binding("pageup", "page(-1.0)", "Page up", id="log.page_up", key_display="PgUp", show=False,
                tooltip="A screenful back"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", id="log.half_down", show=False,
                tooltip="Half a screen on"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", id="log.half_up", show=False,
                tooltip="Half a screen back"),
        Binding("g,home", "top", "Top", id="log.top", key_display="g", show=False,
                tooltip="To the first line; further ones are read as you go"),
        Binding("end,G", "follow", "Follow", id="log.follow", key_display="End",
                tooltip="To the end, and stay there"),
        Binding("left,h", "sideways(-1)", "Left", id="log.left", key_display="h", show=False,
                tooltip="Half a screen to the left"),
        Binding("right", "sideways(1)", "Right", id="log.right", key_display="→", show=False,
                tooltip="Half a screen to the right"),
    ]  # fmt: skip

    class OlderWanted(Message):
        """The top was reached, and the file has more above it."""

    class TailWanted(Message):
        """The user wants the end, which is not held."""

    class FollowChanged(Message):
        """Following has begun or ended, or there is news below."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.window = LogWindow()
        self.following = True
        self.unseen = 0  # lines that came since following ended
        self._top = 0
        self._x = 0
        self._older_asked = False
        self._instead: list[list[Cell]] = []
        self._left_at = 0  # where the window ended when following did

    # --- what is shown ---------------------------------------------------------------------------

    def show(self, window: LogWindow) -> None:
        """Show another log, at its end."""
        self.window = window
        self.following, self.unseen, self._x = True, 0, 0
        self._older_asked = False
        self._top = self._last_top
        self.refresh()

    def append(self, data: bytes, size: int, *, end: int | None = None) -> None:
        """The run has printed something more; `end` as for `LogWindow.append`."""
        lines = self.window.append(data, size, end=end)
        if self.following:
            self.window.trim()
            self._top = self._last_top
            self.refresh()
            return
        self.unseen += lines
        self.post_message(self.FollowChanged())
        if len(self.window) - self._top <= self.size.height + lines:
            self.refresh()

    def say_instead(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this as long as there is no output."""
        fresh = [list(line) for line in lines]
        if fresh != self._instead:
            self._instead = fresh
            if not len(self.window):
                self.refresh()

    @property
    def said_instead(self) -> str:
        """What stands where output would be, line by line."""
        return "\n".join("".join(cell.text for cell in line) for line in self._instead)

    @property
    def ahead(self) -> int:
        """Bytes held that came since following ended; 0 while following."""
        return 0 if self.following else self.window.end - self._left_at

    def note_size(self, size: int) -> None:
        """The file has grown, though what it grew by is not held."""
        if size > self.window.size:
            self.window.size = size
            self.post_message(self.FollowChanged())

    def prepend(self, offset: int, data: bytes) -> None:
        """Earlier output, which ends where the window begins; what is seen stays where it is."""
        self._older_asked = False
        if data:
            self._top += self.window.prepend(offset, data)
            self.refresh()

    # --- moving ----------------------------------------------------------------------------------

    @property
    def _last_top(self) -> int:
        return max(0, len(self.window) - self.size.height)

    def action_move(self, by: int) -> None:
        self._bring_to_top(self._top + by)

    def action_page(self, screens: float) -> None:
        self._bring_to_top(self._top + int(self.size.height * screens))

    def action_top(self) -> None:
        self._bring_to_top(0)

    def action_follow(self) -> None:
        if self.window.end < self.window.size:
            self.post_message(self.TailWanted())
        self._bring_to_top(self._last_top)

    def action_sideways(self, by: int) -> None:
        step = max(1, int(self.size.width * SIDESTEP))
        x = max(0, min(self._x + by * step, LONGEST - step))
        if x != self._x:
            self._x = x
            self.refresh()

    def _bring_to_top(self, top: int) -> None:
        was_following, upwards = self.following, top < self._top
        moved = max(0, min(top, self._last_top))
        self.following = moved >= self._last_top and not (upwards and moved < self._last_top)
        if moved != self._top:
            self._top = moved
            self.refresh()
        if self.following:
            self.unseen = 0
        if self.following != was_following:
            self._left_at = self.window.end
            self.post_message(self.FollowChanged())
        if upwards and moved < self.size.height:
            self._want_older()

    def _want_older(self) -> None:
        if self.window.start > 0 and not self.window.is_full and not self._older_asked:
            self._older_asked = True
            self.post_message(self.OlderWanted())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._bring_to_top(self._top + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._bring_to_top(self._top - 3)

    def on_resize(self) -> None:
        self._top = self._last_top if self.following else min(self._top, self._last_top)
        self.refresh()

    # --- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        if not len(self.window):
            return self.centred(self._instead, y)
        width = self.size.width
        index = self._top + y
        plain = self.tone_style("")
        if index >= len(self.window):
            return Strip.blank(width, plain)
        parts = parse_line(self.window[index])
        line = Strip([Segment(text, plain + style) for text, style in parts])
        room = width - 2
        shown = line.crop(self._x, self._x + room)
        shown = shown.adjust_cell_length(room, plain)
        more = self.marks.cut if line.cell_length > self._x + room else " "
        bar = thumb(len(self.window), self._top, self.size.height)
        mark = self.marks.thumb if y in bar else " "
        muted = self.tone_style("muted")
        return Strip([Segment(" ", plain), *shown, Segment(more if room > 0 else "", muted),
                      Segment(mark, muted)]).crop(0, width)  # fmt: skip
