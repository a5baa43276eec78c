"""Asks where a log is to be saved."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.lines import WrappedLines


class SaveLog(ModalScreen[str | None]):
    """Returns the path that was typed; None when nothing is to be saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_with(None)", "Cancel", id="save.cancel", tooltip="Save nothing"),
    ]
    DEFAULT_CSS = """
    SaveLog #dialog { width: 76; }
    SaveLog Lines { height: auto; width: 1fr; }
    SaveLog Input { background: $cursor; background-tint: $cursor 0%; }
    """

    def __init__(self, what: str, proposed: str) -> None:
        super().__init__(classes="dialog")
        self._what, self._proposed = what, proposed

    def compose(self) -> ComposeResult:
        text = [
            [Cell(f"Save {self._what}", "title")],
            [Cell("The file will be readable by you alone. Nothing is overwritten unasked.",
                  "muted")],
            [],
        ]  # fmt: skip
        with Vertical(id="dialog"):
            yield WrappedLines(text, id="dialog-text")
            yield Input(self._proposed, compact=True, select_on_focus=False)
            yield WrappedLines([[], [Cell("Enter", "strong"), Cell(" saves  ", "muted"),
                              Cell("Esc", "strong"), Cell(" cancels", "muted")]])  # fmt: skip

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def action_dismiss_with(self, _: object) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    def _saved(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
