"""A table that paints only what changed, and holds only the rows around what is seen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import Column, thumb
from cronpilot.tui.painting import paint_now
from cronpilot.tui.widgets.columned import Columned, Shown
from cronpilot.tui.widgets.painted_rows import Look, PaintedRows


class Row(Protocol):
    """What can be a row: it is known by its id."""

    @property
    def id(self) -> int: ...


RowT = TypeVar("RowT", bound=Row)
WINDOW = 200
"""Rows that are asked for at once at most, and held."""
FEWEST = 60
"""And at least, however low the table is."""


class LineTable(Columned, Generic[RowT]):
    """One line a row, out of a list that may be far longer than what is held.

    The cursor stays on its row (by id) when rows come, go or move. A subclass says what the cells
    of a row are. Whoever feeds it answers `RowsWanted` with `put_rows`.
    """

    DEFAULT_CSS = "LineTable { height: 1fr; width: 1fr; }"
    SCREENS: ClassVar[int] = 5
    """So many screens of rows are asked for at once. To make and to read a row takes time that the
    next key may have to wait for; of fewer screens some would be asked for with every page."""
    STAYS_AT_TOP: ClassVar[bool] = False
    """While the first row is seen, rows that come in above it are seen too."""
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="table.down", key_display="j", show=False,
                tooltip="The next row"),
        Binding("up,k", "move(-1)", "Up", id="table.up", key_display="k", show=False,
                tooltip="The row before"),
        Binding("pagedown,ctrl+f", "page(1.0)", "Page down", id="table.page_down",
                key_display="PgDn", show=False, tooltip="A screenful on"),
        Binding("pageup", "page(-1.0)", "Page up", id="table.page_up", key_display="PgUp",
                show=False, tooltip="A screenful back"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", id="table.half_down", show=False,
                tooltip="Half a screen on"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", id="table.half_up", show=False,
                tooltip="Half a screen back"),
        Binding("g,home", "edge(-1)", "First row", id="table.first", key_display="g", show=False,
                tooltip="To the top"),
        Binding("G,end", "edge(1)", "Last row", id="table.last", key_display="G", show=False,
                tooltip="To the end"),
    ]  # fmt: skip

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another row. `row_id` is None while that row is not held."""

        table: LineTable[Row]
        row_id: int | None
        by_user: bool

    @dataclass
    class TitleClicked(Message):
        """The title of a column was clicked."""

        column: str

    @dataclass
    class RowsWanted(Message):
        """What is seen is not held: rows from `offset` on are wanted."""

        table: LineTable[Row]
        offset: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineTable.RowsWanted) and message.table is self.table

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.total = 0
        self.top = 0  # index of the first row that is seen
        self.cursor = 0  # index of the row under the cursor
        self.now: datetime | None = None
        self._offset = 0  # index of the first row that is held
        self._rows: list[RowT] = []
        self._index: dict[int, int] = {}
        self._cursor_id: int | None = None
        self._goal: int | None = None  # the row to which the cursor goes with the next rows
        self.marked: set[int] = set()  # ids of rows; see `mark`
        self._shown: dict[int, Shown] = {}  # by index: what is on the screen
        self._painted = PaintedRows()
        self._placed_for: Size | None = None
        self._asked: int | None = None
        self._held_for = 0  # the `at_once` of when rows came
        self._instead: list[list[Cell]] = []

    # --- what a subclass says --------------------------------------------------------------------

    @abstractmethod
    def cells(self, row: RowT, now: datetime) -> Shown:
        """The cells of a row, by the key of their column."""

    # --- rows ------------------------------------------------------------------------------------

    @property
    def row_id(self) -> int | None:
        """The id of the row under the cursor."""
        return self._cursor_id

    @property
    def row(self) -> RowT | None:
        """The row under the cursor, if it is held."""
        return self.row_at(self.cursor)

    @property
    def rows(self) -> Sequence[RowT]:
        """What is held, in order."""
        return self._rows

    def row_at(self, index: int) -> RowT | None:
        held = index - self._offset
        return self._rows[held] if 0 <= held < len(self._rows) else None

    def find(self, row_id: int) -> RowT | None:
        """The row of that id, if it is held."""
        index = self._index.get(row_id)
        return None if index is None else self.row_at(index)

    def put_rows(self, offset: int, rows: Sequence[RowT], total: int) -> None:
        """Hold these rows and no others; `total` is how many the list has in all."""
        if bool(total) != bool(self.total):
            self.refresh()  # between rows and what is said instead of them
        self._offset, self._rows, self.total = offset, list(rows), total
        self._index = {row.id: offset + i for i, row in enumerate(rows)}
        self._asked, self._held_for = None, self.at_once
        goal = self._goal if self._goal in self._index else self._cursor_id
        self._goal = None
        where = self._index.get(goal) if goal is not None else None
        moved = where - self.cursor if where is not None else 0
        if moved and not (self.STAYS_AT_TOP and not self.top):
            # The row keeps its place on the screen, whatever came in above it.
            self.top += moved
        self._place_cursor(self.cursor + moved, by_user=False)
        self._repaint_rows()

    @property
    def at_once(self) -> int:
        """How many rows are asked for at once."""
        return min(WINDOW, max(FEWEST, self.SCREENS * self.body_height))

    def go_to(self, row_id: int) -> None:
        """The cursor goes to this row, if it is among the next that come."""
        self._goal = row_id

    def put_row(self, row: RowT) -> bool:
        """Replace a row that is held; whether it is."""
        index = self._index.get(row.id)
        if index is None:
            return False
        self._rows[index - self._offset] = row
        self._repaint_row(index)
        return True

    def mark(self, ids: Iterable[int]) -> None:
        """Mark these rows and no others; rows that are not held, too."""
        fresh = set(ids)
        for row_id in fresh ^ self.marked:
            if (index := self._index.get(row_id)) is not None:
                self._refresh_row(index)
        self.marked = fresh

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns, as far as there is room."""
        self.columns = columns
        self._place_columns()

    def say_instead(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Say this as long as there are no rows."""
        fresh = [list(line) for line in lines]
        before, self._instead = self._instead, fresh
        if self.total or fresh == before:
            return
        if len(fresh) != len(before):
            self.refresh()
            return
        top = max(0, (self.size.height - len(fresh)) // 3)  # as `centred` places them
        for y, (old, new) in enumerate(zip(before, fresh, strict=True), top):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def said_instead(self) -> str:
        """What stands where rows would be, line by line."""
        return "\n".join("".join(cell.text for cell in line) for line in self._instead)

    def tick(self, now: datetime) -> None:
        """Time has passed: paint the cells that read differently now."""
        self.now = now
        for index in self._seen():
            self._repaint_row(index)

    # --- the cursor ------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self._place_cursor(self.cursor + by)
        paint_now(self)

    def action_page(self, screens: float) -> None:
        step = max(1, int(self.body_height * abs(screens)))
        by = step if screens > 0 else -step
        self._bring_to_top(self.top + by)
        self._place_cursor(self.cursor + by)
        paint_now(self)

    def action_edge(self, side: int) -> None:
        self._place_cursor(0 if side < 0 else self.total - 1)
        paint_now(self)

    def _place_cursor(self, index: int, *, by_user: bool = True) -> None:
        before, before_id = self.cursor, self._cursor_id
        self.cursor = max(0, min(index, self.total - 1))
        row = self.row
        self._cursor_id = row.id if row else None
        self._scroll_into_view()
        if self.cursor != before:
            self._refresh_row(before)
            self._refresh_row(self.cursor)
        if self._cursor_id != before_id or (by_user and self.cursor != before):
            self.post_message(self.CursorMoved(self, self._cursor_id, by_user))  # type: ignore[arg-type]

    # --- scrolling -------------------------------------------------------------------------------

    @property
    def body_height(self) -> int:
        """Rows of the list that can be seen at once."""
        height = self.size.height
        return max(1, height - self._head_of(height))

    @property
    def _head(self) -> int:
        return self._head_of(self.size.height)

    def _head_of(self, height: int) -> int:
        """Rows of the header: none where there is hardly room for the list, or nothing to say."""
        return 1 if self.HEADED and height > 2 else 0

    def _scroll_into_view(self) -> None:
        height = self.body_height
        self._bring_to_top(min(max(self.top, self.cursor - height + 1), self.cursor))

    def _bring_to_top(self, top: int) -> None:
        top = max(0, min(top, self.total - self.body_height))
        if top != self.top:
            self.top = top
            self._forget_unseen()
            self.refresh()
        self._want_rows()

    def _want_rows(self) -> None:
        """Ask for rows when what is seen comes near the edge of what is held."""
        first, last = self.top, min(self.total, self.top + self.body_height)
        margin = min(self.body_height, WINDOW // 4)
        held_to = self._offset + len(self._rows)
        enough_above = self._offset == 0 or first - margin >= self._offset
        enough_below = held_to >= self.total or last + margin <= held_to
        if enough_above and enough_below:
            return
        # As far as can be in the direction in which one goes: it is not asked for again so soon.
        start = last + margin - self.at_once if enough_below else first - margin
        offset = max(0, min(start, self.total - self.at_once))
        is_held = offset == self._offset and self.at_once <= self._held_for
        if offset == self._asked or is_held:
            return
        self._asked = offset
        self.post_message(self.RowsWanted(self, offset))  # type: ignore[arg-type]

    def wanted_offset(self) -> int:
        """From where to read again, so that what is seen lies in the middle of what is held."""
        middle = self.top + self.body_height // 2
        return max(0, min(middle - self.at_once // 2, self.total - self.at_once))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._bring_to_top(self.top + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._bring_to_top(self.top - 3)

    async def on_click(self, event: events.Click) -> None:
        """A row gets the cursor, and is opened by a second click; titles are the subclass's."""
        index = self.top + event.y - self._head
        if event.y < self._head:
            if self.total and (column := self.column_at(event.x)):
                self.post_message(self.TitleClicked(column))
        elif index < self.total:
            is_same = index == self.cursor
            self._place_cursor(index)
            if event.chain > 1 and is_same:
                await self.app.run_action("open", self.screen)

    def on_resize(self) -> None:
        if self.size == self._placed_for:  # seen again, as large as before
            return
        self._placed_for = self.size
        self._place_columns()
        self._scroll_into_view()

    def _place_columns(self) -> None:
        self.place_columns()
        self._shown.clear()
        self._painted.clear()
        self.refresh()

    def on_focus(self, event: events.Focus) -> None:
        event.prevent_default()  # it would paint the whole table
        self.has_focus = True
        self._refresh_row(self.cursor)

    def on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        self._refresh_row(self.cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painted.clear()
        self.refresh()

    # --- painting --------------------------------------------------------------------------------

    def _seen(self) -> range:
        return range(self.top, min(self.total, self.top + self.body_height))

    def _cells_at(self, index: int) -> Shown:
        row = self.row_at(index)
        if row is None or self.now is None:
            return {self.columns[0].key: Cell(self.marks.cut, "muted")}
        return self.cells(row, self.now)

    def _forget_unseen(self) -> None:
        """Keep only what can be seen: of the rest there may be very much."""
        seen = self._seen()
        self._shown = {index: one for index, one in self._shown.items() if index in seen}
        self._painted.keep(seen)

    def _repaint_rows(self) -> None:
        """Paint what differs of everything that is seen, also where rows have ended."""
        seen = self._seen()
        for index in [index for index in self._shown if index not in seen]:
            del self._shown[index]
            self._refresh_row(index)
        for index in seen:
            self._repaint_row(index)

    def _repaint_row(self, index: int) -> None:
        if index not in self._seen():
            return
        after, before = self._cells_at(index), self._shown.get(index)
        if before is None:
            self._shown[index] = after
            self._refresh_row(index)
            return
        if before == after:
            return
        self._shown[index] = after
        y = self._head + index - self.top
        for x, width in self.changed(before, after):
            self.refresh(Region(x, y, width, 1))

    def _refresh_row(self, index: int) -> None:
        y = self._head + index - self.top
        if self._head <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        head = self._head_of(height)
        if not self.total:
            return self.centred(self._instead, y)
        if y < head:
            return self.header(width)
        index = self.top + y - head
        if index >= self.total:
            return Strip.blank(width, self.tone_style(""))
        if index not in self._shown:
            self._shown[index] = self._cells_at(index)
        row = self.row_at(index)
        shown = self._shown[index]
        bar = thumb(self.total, self.top, max(1, height - head))
        look = Look(
            self._cursor_style() if index == self.cursor else None,
            is_marked=bool(self.marked) and row is not None and row.id in self.marked,
            mark=self.marks.thumb if y - head in bar else " ",
        )
        return self._painted.strip(index, shown, look, lambda: self._paint(shown, look, width))

    def _paint(self, shown: Shown, look: Look, width: int) -> Strip:
        plain = self.tone_style("") if look.under is None else self.tone_style("") + look.under
        line = self.line(shown, look.under, is_marked=look.is_marked)
        line = line.adjust_cell_length(width - 1, plain)
        return Strip([*line, Segment(look.mark, self.tone_style("muted"))], width)

    def _cursor_style(self) -> Style:
        name = "tone--cursor" if self.has_focus else "tone--cursor-blurred"
        return self.get_component_rich_style(name, partial=True)
