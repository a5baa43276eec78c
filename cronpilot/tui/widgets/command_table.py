"""The list of commands below a line in which one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.style import Style
from textual import events
from textual.message import Message

from cronpilot.tui.commands import Command
from cronpilot.tui.formatting import Cell
from cronpilot.tui.layout import Column
from cronpilot.tui.painting import paint_now
from cronpilot.tui.widgets.columned import WHOLE
from cronpilot.tui.widgets.line_table import LineTable

ROOMY = 100
"""Cells from which on nothing has to be cut."""
LONGEST_KEYS = 17
"""Cells of `PgDn Space ctrl+d`."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command, or the name of a place above its commands."""

    id: int
    command: Command | None
    heading: str = ""


class CommandTable(LineTable[CommandRow]):
    """Never has the focus: the line above it has, and passes the keys that move on."""

    COLUMNS = (
        Column("name", "", 22, 44),
        Column("note", "", 26, 200, rank=1),
        Column("keys", "", 12, 20),
    )
    can_focus = False
    HEADED = False  # its columns need no titles

    @dataclass
    class Chosen(Message):
        """A row was clicked."""

        command: Command

    def show(self, rows: Sequence[CommandRow]) -> None:
        """These from now on, the cursor on the first that can be chosen."""
        self.now = self.now or datetime.now(UTC)  # no cell of it depends on it
        self.top = self.cursor = 0
        self._shown.clear()
        self.put_rows(0, rows, len(rows))
        self._place_cursor(0)
        self._leave_heading(1)
        self.refresh()

    @property
    def chosen(self) -> Command | None:
        """The command under the cursor."""
        return self.row.command if self.row else None

    def cells(self, row: CommandRow, now: datetime) -> Mapping[str, Cell]:
        if row.command is None:
            return {WHOLE: Cell(row.heading, "head")}
        command = row.command
        tone = "muted" if command.deed is None else "strong"
        return {
            "name": Cell(command.name, tone),  # type: ignore[arg-type]
            "note": Cell(command.note, "muted"),
            "keys": Cell(command.keys, "title"),
        }

    def place_columns(self) -> None:
        """Where there is room for all, the longest keys are not cut either."""
        if self.size.width >= ROOMY:
            self.columns = (*self.COLUMNS[:-1], Column("keys", "", LONGEST_KEYS, 20))
        else:
            self.columns = self.COLUMNS
        super().place_columns()

    def action_edge(self, side: int) -> None:
        super().action_edge(side)
        self._leave_heading(-side)

    def move(self, rows: int) -> None:
        """By so many rows; never onto a heading."""
        self._place_cursor(self.cursor + rows)
        self._leave_heading(1 if rows > 0 else -1)
        paint_now(self)

    def _leave_heading(self, by: int) -> None:
        for step in (by, -by):
            while self.row is not None and self.row.command is None:
                before = self.cursor
                self._place_cursor(self.cursor + step)
                if self.cursor == before:
                    break

    async def on_click(self, event: events.Click) -> None:
        await super().on_click(event)
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_resize(self) -> None:
        self.top = 0
        super().on_resize()

    def _cursor_style(self) -> Style:
        return self.get_component_rich_style("tone--cursor", partial=True)
