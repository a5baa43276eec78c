"""What needs attention, one line a thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from textual.message import Message

from cronpilot.tui.formatting import Cell
from cronpilot.tui.health_lines import HealthLine
from cronpilot.tui.layout import Column
from cronpilot.tui.widgets.line_table import LineTable


class HealthTable(LineTable[HealthLine]):
    """Most urgent first."""

    COLUMNS = (
        Column.fixed("state", "STATE", 9),
        Column("subject", "WHAT", 18, 28),
        Column("words", "HOW IT STANDS", 40, 300),
    )
    STAYS_AT_TOP = True

    class Placed(Message):
        """Its columns have another width."""

    def place_columns(self) -> None:
        super().place_columns()
        self.post_message(self.Placed())

    @property
    def room_for_words(self) -> int:
        """Cells of the last column."""
        return next((place.width for place in self._placed if place.column.key == "words"), 300)

    def cells(self, row: HealthLine, now: datetime) -> Mapping[str, Cell]:
        return {"state": row.state, "subject": row.subject, "words": row.words}
