"""A field of a form: its name, what is typed or chosen, and below it what is wrong with that."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.widgets.toned import Toned

LABEL = 16
"""Cells of the names of fields."""


class FormRow(Toned):
    """Paints all but the control itself: a form has many rows, and each widget costs time."""

    DEFAULT_CSS = """
    FormRow { layout: horizontal; height: auto; width: 1fr; }
    FormRow > Row, FormRow > TextField, FormRow > TextBox { margin-left: 16; }
    """

    def __init__(self, name: str, label: str, control: Widget) -> None:
        super().__init__()
        self.field, self.control = name, control
        self.said = ""  # below the control, in as many rows as it needs
        self._tone: Tone = "bad"
        self._label = label
        self._problem: Problem | None = None
        self._offer = ""

    def compose(self) -> ComposeResult:
        yield self.control

    def complain(self, problem: Problem | None) -> None:
        """This is wrong with it, or nothing is."""
        self._problem = problem
        self._tell()

    def offer(self, words: str) -> None:
        """What it may become; stands there instead of what is wrong."""
        self._offer = words
        self._tell()

    @property
    def _is_bad(self) -> bool:
        return self._problem is not None and not self._offer

    def _tell(self) -> None:
        problem = self._problem
        words = clean(f"{problem.problem} {problem.hint}") if problem else ""
        tone: Tone = "muted" if self._offer else "bad"
        said = self._offer or words
        if (said, tone) != (self.said, self._tone):
            self.said, self._tone = said, tone
            self.refresh(layout=True)

    # --- painting --------------------------------------------------------------------------------

    def _rows(self, width: int) -> list[str]:
        return textwrap.wrap(self.said, max(10, width - LABEL))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, width) + len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not y:
            mark = self.marks.late if self._is_bad else " "
            cells = [Cell(f"{mark} {self._label}", "bad" if self._is_bad else "muted")]
        else:
            rows = self._rows(width)
            index = y - (self.size.height - len(rows))
            cells = [Cell(" " * LABEL), Cell(rows[index] if index >= 0 else "", self._tone)]
        return self.strip(cells).adjust_cell_length(width, self.tone_style(""))
