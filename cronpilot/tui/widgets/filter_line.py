"""The line in which a filter is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.toned import Line

PAUSE = 0.15
"""Seconds without a key after which the filter is applied."""


class FilterLine(Horizontal):
    """`/ backup`: applied while typing; Enter goes to the rows, Esc takes it back."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; }
    FilterLine.-open { display: block; }
    FilterLine Line { width: 3; }
    FilterLine Input { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "accept", "Apply", id="filter.apply", tooltip="Go to the rows"),
        Binding("escape", "clear", "Clear", id="filter.clear", tooltip="Take the filter back"),
    ]

    @dataclass
    class Changed(Message):
        """Another text is wanted."""

        text: str

    @dataclass
    class Closed(Message):
        """The user is done typing."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.field = Input(compact=True, placeholder="name, tag or command", select_on_focus=False)
        self._sent = ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="filter-sign")
        yield self.field

    def open(self, text: str) -> None:
        """Take the focus, with this text to go on from."""
        self.add_class("-open")
        self.query_one(Line).show([Cell(" "), Cell("/", "title")])
        self.field.cursor_blink = False
        self._sent = text
        self.field.value = text
        self.field.cursor_position = len(text)
        self.field.focus()

    def close(self) -> None:
        """Vanish; the filter stays as it is."""
        self._stop_timer()
        self.remove_class("-open")

    def action_accept(self) -> None:
        self._send()
        self.post_message(self.Closed())

    def action_clear(self) -> None:
        self.field.value = ""
        self._send()
        self.post_message(self.Closed())

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_accept()

    @on(Input.Changed)
    def _wait_for_more(self, event: Input.Changed) -> None:
        event.stop()
        self._stop_timer()
        self._timer = self.set_timer(PAUSE, self._send)

    def _send(self) -> None:
        self._stop_timer()
        text = self.field.value.strip()
        if text != self._sent:
            self._sent = text
            self.post_message(self.Changed(text))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
