"""A field of a form: its name, what is typed or chosen, and below it what is wrong with that."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.layout import wrap_words
from cronpilot.tui.schedule_draft import Problem
from cronpilot.tui.widgets.toned import Line, Toned

LABEL = 16
"""Cells of the names of fields."""


class Sentence(Toned):
    """Words that take as many rows as they need, indented as what they are about."""

    DEFAULT_CSS = "Sentence { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.said = ""
        self._tone: Tone = ""
        self.display = False

    def say(self, words: str, tone: Tone) -> None:
        """Say this from now on; nothing takes no room."""
        if (words, tone) == (self.said, self._tone):
            return
        self.said, self._tone = words, tone
        self.display = bool(words)
        self.refresh(layout=True)

    def _rows(self, width: int) -> list[str]:
        return wrap_words(self.said, max(10, width - LABEL))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        rows, width = self._rows(self.size.width), self.size.width
        words = rows[y] if y < len(rows) else ""
        line = self.strip([Cell(" " * LABEL), Cell(words, self._tone)])
        return line.adjust_cell_length(width, self.tone_style(""))


class FormRow(Horizontal):
    """Yield its `note` right below it."""

    DEFAULT_CSS = """
    FormRow { height: auto; width: 1fr; }
    FormRow > Line { width: 16; }
    """

    def __init__(self, name: str, label: str, control: Widget) -> None:
        super().__init__()
        self.field, self.control, self.note = name, control, Sentence()
        self._label, self._words = Line(), label
        self._problem: Problem | None = None
        self._offer = ""

    def compose(self) -> ComposeResult:
        yield self._label
        yield self.control

    def on_mount(self) -> None:
        self._tell()

    def show(self, shown: bool) -> None:
        """Whether this field is there at all."""
        self.display = shown
        self.note.display = shown and bool(self.note.said)

    def complain(self, problem: Problem | None) -> None:
        """This is wrong with it, or nothing is."""
        self._problem = problem
        self._tell()

    def offer(self, words: str) -> None:
        """What it may become; stands there instead of what is wrong."""
        self._offer = words
        self._tell()

    def _tell(self) -> None:
        problem = self._problem
        bad = problem is not None and not self._offer
        mark = self._label.marks.late if bad else " "
        self._label.show([Cell(f"{mark} {self._words}", "bad" if bad else "muted")])
        if self._offer:
            self.note.say(self._offer, "muted")
        else:
            self.note.say(clean(f"{problem.problem} {problem.hint}") if problem else "", "bad")
        self.note.display = self.display and bool(self.note.said)
