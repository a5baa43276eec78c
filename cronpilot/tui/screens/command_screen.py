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
from textual.widget import Widget
from textual.widgets import Input

from cronpilot.tui.commands import Command
from cronpilot.tui.formatting import Cell
from cronpilot.tui.painting import OnceAFrame
from cronpilot.tui.widgets.command_table import CommandRow, CommandTable
from cronpilot.tui.widgets.form_text import TextField
from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.toned import Line

_AT_FIRST = 5
"""Rows of the frame while the list is not there: what is not seen yet is not painted either."""


class CommandFrame(Vertical):
    """What is above the list, and the frame around both."""

    DEFAULT_CSS = """
    CommandFrame {
        width: 100%; max-width: 120; height: 100%; max-height: 32; margin: 1 2;
        background: $panel; border: round $rule; padding: 0 1;
    }
    CommandFrame TextField { margin-bottom: 1; }
    CommandFrame #commands-foot { height: 1; }
    .-small CommandFrame { margin: 0; border: none; max-height: 100%; }
    .-small CommandFrame TextField { margin-bottom: 0; }
    .-ascii CommandFrame { border: ascii $rule; }
    """


async def look_up_styles(hidden: Widget) -> None:
    """Read the style sheets of the parts, by which the first opening would be twice as slow.

    Args:
        hidden: where nobody sees it: whatever gets a child is painted anew.
    """
    frame = CommandFrame(Line(), TextField(), CommandTable())
    await hidden.mount(frame)
    await frame.remove()


class CommandScreen(OnceAFrame[Command | None], ModalScreen[Command | None]):
    """Returns the command that was chosen."""

    DEFAULT_CSS = "CommandScreen { align: center top; background: $background 60%; }"
    TITLE_: ClassVar[str] = ""
    HINT: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.frame = CommandFrame(id="commands")
        self.frame.styles.height = _AT_FIRST
        self.field = TextField(placeholder=self.HINT)
        self.table = CommandTable(id="command-table")
        self.foot = Line(id="commands-foot")

    def compose(self) -> ComposeResult:
        with self.frame:
            head = Line(id="commands-head")
            head.show([Cell(self.TITLE_, "title")])
            yield head
            yield self.field

    def first_seen(self) -> Region:
        """The line one types into, and what stands above it."""
        frame, field = self.frame.region, self.field.region
        return Region(frame.x, frame.y, frame.width, field.bottom - frame.y)

    def on_mount(self) -> None:
        self._fit(self.app.size)
        self.wait_for_more()
        self.field.focus()

    async def opened(self) -> None:
        """The list comes with the next painting."""
        if not self.table.total:
            self.show_rows()
        if self.frame.is_attached:  # it may have been left meanwhile
            self.frame.styles.height = None
            await self.frame.mount(self.table, self.foot)
            self.call_after_refresh(self.show_all)

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
