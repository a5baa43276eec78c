"""The line in which one types what to look for in a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from cronpilot.domain.log_search import LONGEST_PATTERN, Pattern
from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.toned import Line


class FindLine(Horizontal):
    """`/ error`: Enter looks for it, Esc ends it; text unless a regular expression is wanted."""

    DEFAULT_CSS = """
    FindLine { height: 1; display: none; }
    FindLine.-open { display: block; }
    FindLine #find-sign { width: 3; }
    FindLine Input { width: 1fr; }
    FindLine #find-kind { width: 34; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Find", id="find.accept", priority=True,
                tooltip="Look for it: the nearest match upwards, then n and N"),
        Binding("ctrl+r", "regex", "Regex", id="find.regex",
                tooltip="What is typed is a regular expression, or plain text"),
        Binding("ctrl+g,ctrl+t", "case", "Case", id="find.case",
                tooltip="Whether capital letters matter"),
        Binding("escape", "clear", "Clear", id="find.clear", tooltip="Look for nothing any more"),
    ]  # fmt: skip

    @dataclass
    class Accepted(Message):
        """This is to be looked for."""

        pattern: Pattern

    @dataclass
    class Cleared(Message):
        """Nothing is to be looked for any more."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.field = Input(
            compact=True, placeholder="text in this log", select_on_focus=False,
            max_length=LONGEST_PATTERN,
        )  # fmt: skip
        self.regex = self.case = False

    def compose(self) -> ComposeResult:
        yield Line(id="find-sign")
        yield self.field
        yield Line(id="find-kind")

    def open(self) -> None:
        """Take the focus, with what was typed before to go on from."""
        self.add_class("-open")
        self.query_one("#find-sign", Line).show([Cell(" "), Cell("/", "title")])
        self._tell()
        self.field.cursor_blink = False
        self.field.cursor_position = len(self.field.value)
        self.field.focus()

    def close(self) -> None:
        """Vanish."""
        self.remove_class("-open")

    def action_accept(self) -> None:
        text = self.field.value
        if text:
            self.post_message(self.Accepted(Pattern(text, self.regex, self.case)))
        else:
            self.post_message(self.Cleared())

    def action_clear(self) -> None:
        self.field.value = ""
        self.post_message(self.Cleared())

    def action_regex(self) -> None:
        self.regex = not self.regex
        self._tell()

    def action_case(self) -> None:
        self.case = not self.case
        self._tell()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_accept()

    @on(Input.Changed)
    def _keep(self, event: Input.Changed) -> None:
        event.stop()

    def _tell(self) -> None:
        """Say what it is taken for."""
        kind = "regular expression" if self.regex else "plain text"
        case = "capitals matter" if self.case else "any case"
        words = [Cell(kind, "strong" if self.regex else "muted"), Cell(", ", "muted"),
                 Cell(case, "strong" if self.case else "muted")]  # fmt: skip
        self.query_one("#find-kind", Line).show(words)
