"""A part of a log, and how one moves through it: it asks for what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from textual import events
from textual.message import Message

from cronpilot.tui.ansi import LONGEST
from cronpilot.tui.formatting import Cell
from cronpilot.tui.log_window import LogWindow
from cronpilot.tui.painting import paint_now
from cronpilot.tui.widgets.log_lines import TIME_WIDTH, text_of
from cronpilot.tui.widgets.toned import Toned

SIDESTEP = 0.5
"""How far left and right go, as a share of the width."""

Place = tuple[int, int]
"""A line of the window, and which of the rows it takes when it is wrapped."""


class LogScroll(Toned):
    """Holds a window on a log and a place in it.

    Attributes:
        following: it stays at the end, whatever is printed.
        unseen: lines that came since following ended.
        selected: the first of the lines that are chosen, and where the cursor is.
    """

    class OlderWanted(Message):
        """The top was reached, and the file has more above it."""

    class NewerWanted(Message):
        """The bottom was reached, and the file has more below it that nobody adds."""

    class TailWanted(Message):
        """The user wants the end, which is not held."""

    class FollowChanged(Message):
        """Following has begun or ended, or there is news below."""

    class LookChanged(Message):
        """It shows the same lines in another way, or other lines are chosen."""

    @dataclass
    class PlaceWanted(Message):
        """The user wants a place of the file that is not held."""

        offset: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.window = LogWindow()
        self.following = True
        self.wrap = False
        self.times = False
        self.unseen = 0
        self.selected: tuple[int, int] | None = None
        self._top: Place = (0, 0)
        self._x = 0
        self._asked: type[Message] | None = None
        self._instead: list[list[Cell]] = []
        self._left_at = 0  # where the window ended when following did
        self._places: list[Place] | None = None  # what stands in each row; None: find out
        self._widths: dict[tuple[int, int], int] = {}  # cells, by offset and length of a line

    # --- what is shown ---------------------------------------------------------------------------

    def show(self, window: LogWindow, *, top: int | None = None) -> None:
        """Show another part of a log, or another log: at its end, or from that line on."""
        self.window = window
        self.unseen, self._asked, self.selected = 0, None, None
        self.following = top is None
        self._left_at = window.end
        self._widths.clear()
        if top is None:
            self._x = 0
        self._top = self._last_top if top is None else min((top, 0), self._last_top)
        self.repaint_all()

    def leap(self, window: LogWindow) -> None:
        """Show what is newest now, in place of what was; it stays where it is sideways."""
        self.window, self._asked = window, None
        self._widths.clear()
        self._top = self._last_top
        self.repaint_all()

    def append(
        self, data: bytes, size: int, *, end: int | None = None, at: datetime | None = None
    ) -> None:
        """The run has printed something more; see `LogWindow.append`."""
        self.grown(self.window.append(data, size, end=end, at=at))

    def grown(self, lines: int) -> None:
        """So many lines were added at the end of the window."""
        self._asked = None
        if self.following:
            self._lost_at_top(self.window.trim())
            self._top = self._last_top
            self.repaint_all()
            return
        self.unseen += lines
        self.post_message(self.FollowChanged())
        if self.window.is_full:  # what lies far above goes
            far = max(0, self._top[0] - 4 * self.size.height)
            self._lost_at_top(self.window.trim(len(self.window) - far))
        self.repaint_all()

    def prepend(self, offset: int, data: bytes) -> None:
        """Earlier output, which ends where the window begins; what is seen stays where it is."""
        self.grown_above(self.window.prepend(offset, data) if data else 0)

    def grown_above(self, lines: int) -> None:
        """So many lines were added at the top of the window."""
        self._asked = None
        same = (self._top[0] + lines, self._top[1])
        self._top = self._last_top if self.following else min(same, self._last_top)
        if self.selected is not None:
            self.selected = (self.selected[0] + lines, self.selected[1] + lines)
        if self.window.is_full and self._top[0] + self.size.height < len(self.window) // 2:
            self.window.trim_end()
            self.following = False
        self.repaint_all()

    def _lost_at_top(self, lines: int) -> None:
        if lines:
            self._top = (max(0, self._top[0] - lines), self._top[1] if self._top[0] >= lines else 0)
            if self.selected is not None:
                first, cursor = self.selected
                self.selected = (max(0, first - lines), max(0, cursor - lines))

    def say_instead(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this as long as there is no output."""
        fresh = [list(line) for line in lines]
        if fresh != self._instead:
            self._instead = fresh
            if not len(self.window):
                self.repaint_all()

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

    # --- moving ----------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Cells for the text of a line."""
        return max(1, self.size.width - 2 - (TIME_WIDTH if self.times else 0))

    @property
    def _last_top(self) -> Place:
        height = self.size.height
        if not self.wrap:
            return max(0, len(self.window) - height), 0
        index, left = len(self.window), height
        while index > 0 and left > 0:
            index -= 1
            left -= self._height_of(index)
        return index, max(0, -left)

    def _height_of(self, index: int) -> int:
        """Rows that a line takes."""
        if not self.wrap:
            return 1
        return max(1, -(-self._width_of(index) // self.room))

    def _width_of(self, index: int) -> int:
        """Cells of a line."""
        line = self.window[index]
        if self._is_growing(index):
            return cell_len(text_of(line))
        key = self.window.offset_of(index), len(line)
        if key not in self._widths:
            if len(self._widths) > 20_000:
                self._widths.clear()
            self._widths[key] = cell_len(text_of(line))
        return self._widths[key]

    def _is_growing(self, index: int) -> bool:
        """Whether this is the last line, and has no end yet."""
        return self.window.is_open and index == len(self.window) - 1

    def moved(self, place: Place, rows: int) -> Place:
        """The place so many rows further on, or back."""
        index, row = place
        if not self.wrap:
            return index + rows, 0
        row += rows
        while row < 0 and index > 0:
            index -= 1
            row += self._height_of(index)
        while index < len(self.window) and row >= (height := self._height_of(index)):
            row, index = row - height, index + 1
        return index, max(0, row)

    def select_to(self, index: int) -> None:
        """Choose lines up to this one."""
        assert self.selected is not None
        cursor = max(0, min(index, len(self.window) - 1))
        self.selected = (self.selected[0], cursor)
        if (cursor, 0) < self._top:
            self.bring_to_top((cursor, 0))
        elif self.rows_seen() and cursor >= (last := self.rows_seen()[-1][0]):
            self.bring_to_top(self.moved(self._top, cursor - last + 1))
        self.repaint_all()
        self.post_message(self.LookChanged())

    def action_move(self, by: int) -> None:
        if self.selected is not None:
            self.select_to(self.selected[1] + by)
        else:
            self.bring_to_top(self.moved(self._top, by))
        paint_now(self)

    def action_page(self, screens: float) -> None:
        by = int(self.size.height * screens)
        if self.selected is not None:
            self.select_to(self.selected[1] + by)
        else:
            self.bring_to_top(self.moved(self._top, by))
        paint_now(self)

    def action_top(self) -> None:
        if self.window.start > 0:
            self.post_message(self.PlaceWanted(0))
        elif self.selected is not None:
            self.select_to(0)
        else:
            self.bring_to_top((0, 0))

    def action_follow(self) -> None:
        self.selected = None
        window = self.window
        if window.end < window.size or not window.attached or self.following:
            self.post_message(self.TailWanted())
        self.bring_to_top(self._last_top)

    def action_sideways(self, by: int) -> None:
        step = max(1, int(self.size.width * SIDESTEP))
        x = 0 if self.wrap else max(0, min(self._x + by * step, LONGEST - step))
        if x != self._x:
            self._x = x
            self.repaint_all()

    def bring_to_top(self, top: Place) -> None:
        last, upwards = self._last_top, top < self._top
        moved = max((0, 0), min(top, last))
        at_end = moved >= last and self.window.end >= self.window.size
        if moved != self._top:
            self._top = moved
            self.repaint_all()
        self.set_following(at_end and not (upwards and moved < last))
        if upwards and moved[0] < self.size.height:
            self._want(self.OlderWanted, self.window.start > 0)
        elif not upwards and moved[0] + 2 * self.size.height > len(self.window):
            lacking = self.window.end < self.window.size and not self.window.attached
            self._want(self.NewerWanted, lacking)

    def set_following(self, following: bool) -> None:
        if following:
            self.unseen = 0
        if following != self.following:
            self.following = following
            self._left_at = self.window.end
            self.post_message(self.FollowChanged())

    def _want(self, message: type[Message], lacking: bool) -> None:
        if lacking and self._asked is not message:
            self._asked = message
            self.post_message(message())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.bring_to_top(self.moved(self._top, 3))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.bring_to_top(self.moved(self._top, -3))

    def on_resize(self) -> None:
        self._top = self._last_top if self.following else min(self._top, self._last_top)
        self.repaint_all()

    # --- what is seen ----------------------------------------------------------------------------

    def repaint_all(self) -> None:
        self._places = None
        self.refresh()

    def rows_seen(self) -> list[Place]:
        """What stands in each row of the screen."""
        if self._places is None:
            index, row = self._top
            places: list[Place] = []
            while index < len(self.window) and len(places) < self.size.height:
                rows = self._height_of(index)
                places += [(index, one) for one in range(min(row, rows - 1), rows)]
                index, row = index + 1, 0
            self._places = places[: self.size.height]
        return self._places

    def seen_offsets(self) -> tuple[int, int]:
        """The part of the file that is seen: where its first line begins and its last one ends."""
        rows = self.rows_seen()
        if not rows:
            return self.window.start, self.window.end
        return self.window.offset_of(rows[0][0]), self.window.offset_of(rows[-1][0] + 1)

    def thumb(self) -> range:
        """The rows of the scroll bar that stand for what is seen of the whole file."""
        height, (start, end) = self.size.height, self.seen_offsets()
        size = max(self.window.size, self.window.end)
        whole = self.window.start == 0 and len(self.rows_seen()) < height
        if whole or end - start >= size or not size:
            return range(0)
        length = max(1, height * (end - start) // size)
        at = round(start / max(1, size - (end - start)) * (height - length))
        at = min(at, height - length)
        return range(at, at + length)
