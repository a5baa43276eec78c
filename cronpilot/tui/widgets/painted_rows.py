"""The lines of a table as they were painted, kept as long as nothing about them changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip


class Look(NamedTuple):
    """What of a row's line does not come from its cells."""

    under: Style | None  # the cursor's
    is_marked: bool
    mark: str  # of the scroll bar


class PaintedRows:
    """Gives the very same strip for the same row: what Textual finds out about a strip, such as
    its filtered colours, it keeps in it. A list that scrolls by one row paints two or three."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[object, Look, Strip]] = {}

    def strip(self, index: int, cells: object, look: Look, paint: Callable[[], Strip]) -> Strip:
        """The line of that row; painted anew where its cells are not the same object."""
        held = self._held.get(index)
        if held is None or held[0] is not cells or held[1] != look:
            held = self._held[index] = (cells, look, paint())
        return held[2]

    def keep(self, seen: range) -> None:
        """Forget all other rows."""
        self._held = {index: one for index, one in self._held.items() if index in seen}

    def clear(self) -> None:
        """Everything looks different now."""
        self._held.clear()
