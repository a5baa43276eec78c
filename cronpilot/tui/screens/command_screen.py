"""A line to type into above a list of commands: the palette and the help are two of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.screen import ModalScreen
from textual.widgets import Input

from cronpilot.tui.commands import Command
from cronpilot.tui.formatting import Cell
from cronpilot.tui.painting import OnceAFrame
from cronpilot.tui.widgets.command_table import CommandRow, CommandTable
from cronpilot.tui.widgets.form_text import TextField
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.toned import Line


class CommandScreen(OnceAFrame[Command | None], ModalScreen[Command | None]):
    """Returns the command that was chosen."""

    DEFAULT_CSS = """
    CommandScreen { align: center top; background: $background 60%; }
    CommandScreen #commands {
        width: 100%; max-width: 110; height: 100%; max-height: 32; margin: 1 2;
        background: $panel; border: round $rule; padding: 0 1;
    }
    CommandScreen TextField { margin-bottom: 1; }
    CommandScreen.-small #commands { margin: 0; border: none; max-height: 100%; }
    CommandScreen.-small TextField { margin-bottom: 0; }
    .-ascii CommandScreen #commands { border: ascii $rule; }
    CommandScreen #commands-foot { height: 1; }
    """
    TITLE_: ClassVar[str] = ""
    HINT: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.field = TextField(placeholder=self.HINT)
        self.table = CommandTable(id="command-table")
        self.foot = Line(id="commands-foot")

    def compose(self) -> ComposeResult:
        with Vertical(id="commands"):
            head = Line(id="commands-head")
            head.show([Cell(self.TITLE_, "title")])
            yield head
            yield self.field
            yield self.table
            yield self.foot

    def first_seen(self) -> Region:
        """The line one types into, and what stands above it."""
        frame, field = self.query_one("#commands").region, self.field.region
        return Region(frame.x, frame.y, frame.width, field.bottom - frame.y)

    def on_mount(self) -> None:
        self._fit(self.app.size)
        self.field.focus()
        self.show_rows()

    def on_resize(self) -> None:
        self._fit(self.size)

    def _fit(self, size: Size) -> None:
        self.set_class(size.height < 20 or size.width < 60, "-small")

    @abstractmethod
    def rows(self, typed: str) -> Sequence[CommandRow]:
        """What is listed while this is typed."""

    def show_rows(self) -> None:
        """List again."""
        typed = self.field.value
        self.table.say_instead([[Cell("Nothing is called that.", "muted")]])
        self.table.show(self.rows(typed))
        self.tell()

    @on(LineTable.CursorMoved)
    def tell(self) -> None:
        """The whole sentence about the row under the cursor, which may be cut there."""
        chosen = self.table.chosen
        self.foot.show([Cell(f" {chosen.note}" if chosen else "", "muted")])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.show_rows()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.table.chosen is not None:
            self.choose(self.table.chosen)

    @on(CommandTable.Chosen)
    def _clicked(self, event: CommandTable.Chosen) -> None:
        self.choose(event.command)

    def choose(self, command: Command) -> None:
        """This one is meant."""
        if command.deed is None:
            self.notify("That works elsewhere: where its keys do.", markup=False, timeout=3)
        else:
            self.dismiss(command)

    def action_close(self) -> None:
        """Nothing is done."""
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """The cursor of the list."""
        self.table.move(rows)

    def action_page(self, by: int) -> None:
        """A screenful on or back."""
        self.table.move(by * max(1, self.table.body_height - 1))
