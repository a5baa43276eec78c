"""Until when? `2h`, `18:00`, or a date and a time, with what that means while it is typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, cast
from zoneinfo import ZoneInfo

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from cronpilot.domain.moments import read_end
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, countdown
from cronpilot.tui.widgets.form_text import TextField
from cronpilot.tui.widgets.lines import WrappedLines

if TYPE_CHECKING:
    from cronpilot.tui.app import CronPilotApp


class AskMoment(ModalScreen[datetime | None]):
    """Returns the moment; None when nothing is to happen.

    Args:
        title: what will last until then.
        zone: what has no offset is read in it.
    """

    DEFAULT_CSS = "AskMoment #moment-said { height: 1; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back", tooltip="Nothing is done",
                show=False)
    ]  # fmt: skip

    def __init__(self, title: str, zone: ZoneInfo) -> None:
        super().__init__(classes="dialog")
        self._title, self._zone = clean(title), zone
        self.field = TextField(placeholder="2h, 18:00, or a date and a time")
        self._said = WrappedLines([], id="moment-said")

    def compose(self) -> ComposeResult:
        head = [[Cell(self._title, "title")], [Cell(f"Times are those of {self._zone}.", "muted")]]
        with Vertical(id="dialog"):
            yield WrappedLines([*head, []], id="dialog-text")
            yield self.field
            yield self._said

    def on_mount(self) -> None:
        self._said.show([[Cell(self._hint(), "muted")]])

    @property
    def text(self) -> str:
        """What the dialog says of what is typed, for tests."""
        return self._said.text

    def _now(self) -> datetime:
        return cast("CronPilotApp", self.app).clock()

    def _hint(self) -> str:
        tomorrow = self._now().astimezone(self._zone) + timedelta(days=1)
        return f"Write 2h, 18:00 or {tomorrow:%Y-%m-%d} 18:00."

    @on(Input.Changed)
    def _tell(self, event: Input.Changed) -> None:
        event.stop()
        if not self.field.value.strip():
            self._said.show([[Cell(self._hint(), "muted")]])
            return
        try:
            end = read_end(self.field.value, self._zone, self._now())
        except ValueError as error:
            self._said.show([[Cell(clean(str(error)), "warn")]])
            return
        local = end.astimezone(self._zone)
        words = f"Until {local:%a} {local.day} {local:%b %Y %H:%M}, {countdown(end - self._now())}."
        self._said.show([[Cell(words, "strong"), Cell(" Enter does it.", "muted")]])

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            self.dismiss(read_end(self.field.value, self._zone, self._now()))
        except ValueError:
            self._said.show([[Cell(f"That is no time to come. {self._hint()}", "warn")]])
