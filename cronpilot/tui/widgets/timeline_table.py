"""The timeline: one line a task, its past as bars, its future as outlines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.layout import Column
from cronpilot.tui.timeline import Window, axis, draw
from cronpilot.tui.widgets.columned import Shown
from cronpilot.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from cronpilot.client.agenda import TimelineRow
    from cronpilot.domain.agenda import Scale
else:
    TimelineRow = object  # only a type parameter; pydantic comes after the first paint


class TimelineTable(LineTable[TimelineRow]):
    """Paints the stretch of time that was read; another one is asked for by `Moved`.

    Attributes:
        window: which stretch is wanted.
    """

    SCREENS = 3  # a row of it is a day of runs
    COLUMNS = (Column.fixed("name", "TASK", 20), Column("canvas", "", 30, 1000))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move_time(-0.25)", "Earlier", key_display="Left", id="timeline.earlier",
                tooltip="A quarter of the picture back"),
        Binding("right", "move_time(0.25)", "Later", key_display="Right", id="timeline.later",
                tooltip="A quarter of the picture on"),
        Binding("plus,equals_sign", "zoom(-1)", "Closer", id="timeline.closer",
                tooltip="See less time, and more of it"),
        Binding("minus,underscore", "zoom(1)", "Farther", key_display="-", id="timeline.farther",
                tooltip="See more time at once"),
        Binding("0", "to_now", "Now", id="timeline.now", tooltip="Back to the line at now"),
    ]  # fmt: skip
    zone: tzinfo = UTC

    @dataclass
    class Moved(Message):
        """Another stretch of time is wanted."""

        table: TimelineTable

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.window = Window()
        self._scale: Scale | None = None  # of the rows that are held

    @property
    def canvas_width(self) -> int:
        """Cells that the picture has."""
        return next((place.width for place in self._placed if place.column.key == "canvas"), 0)

    def put_picture(self, offset: int, rows: list[TimelineRow], total: int, scale: Scale) -> None:
        """Rows as they were read, for this stretch of time."""
        if scale != self._scale:
            self._scale = scale
            self.refresh()  # the axis, too
        self.put_rows(offset, rows, total)

    def cells(self, row: TimelineRow, now: datetime) -> Shown:
        tone: Tone = "muted" if row.paused or not row.active else "strong"
        shown: dict[str, Cell] = {"name": Cell(clean(row.name), tone)}
        if self._scale is None:
            return shown
        return {**shown, "canvas": draw(row, self._scale, now, self.marks)}

    def titles(self) -> Shown:
        if self._scale is None or self.now is None:
            return super().titles()
        return {**super().titles(), "canvas": axis(self._scale, self.zone)}

    def action_move_time(self, by: float) -> None:
        self.window.move(by)
        self.post_message(self.Moved(self))

    def action_zoom(self, by: int) -> None:
        self.window.change_zoom(by)
        self.post_message(self.Moved(self))

    def action_to_now(self) -> None:
        self.window.moved *= 0
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        super().on_resize()
        self.post_message(self.Moved(self))
