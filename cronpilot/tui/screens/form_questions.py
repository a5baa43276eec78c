"""What a form asks before something is saved, lost, or written over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, plural
from cronpilot.tui.layout import wrap_words
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.widgets.choice_list import Choice, ChoiceList
from cronpilot.tui.widgets.form_text import TextField
from cronpilot.tui.widgets.lines import WrappedLines

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView

SAVE, DISCARD = "save", "discard"
RELOAD, MERGE, OVERWRITE = "reload", "merge", "overwrite"
_MOST_ROWS, _WIDEST = 12, 72  # of what a question shows, on 80x24


class Review(Dialog):
    """A question whose first answer is what one has just asked for: Enter gives it."""

    def on_mount(self) -> None:
        self.query_one(ChoiceList).cursor = 0


def save(name: str, lines: Sequence[str], *, new: bool) -> Review:
    """Shall this be saved? Returns `save`."""
    title = f"Add {name}?" if new else f"Save {name}?"
    answers = [Choice("y", "Add it" if new else "Save it", SAVE), Choice("n", "Back", None)]
    return Review(title, _some(lines), answers)


def add_to_test(name: str) -> Review:
    """Shall a new task be added, switched off, so that it can be tested? Returns `save`."""
    return Review(
        f"Add {name}, switched off, to test it?",
        ["What is not there cannot run. Saving the form switches it on."],
        [Choice("y", "Add it and test it", SAVE), Choice("n", "Back", None)],
    )


def leave() -> Dialog:
    """Shall what was typed be lost? Returns `save` or `discard`."""
    return Dialog(
        "Leave without saving?",
        ["What was typed here is not saved."],
        [
            Choice("s", "Save it", SAVE, "shows first what would change"),
            Choice("y", "Leave", DISCARD, "what was typed is lost", "bad"),
            Choice("Esc", "Stay", None),
        ],
    )


def conflict(name: str, theirs: Sequence[str]) -> Dialog:
    """Someone else was faster. Returns `reload`, `merge` or `overwrite`."""
    return Dialog(
        f"Someone else changed {name}",
        _some(theirs) or ["Its fields are the same as before."],
        [
            Choice("m", "Merge", MERGE, "what you changed over theirs, to look over"),
            Choice("r", "Reload", RELOAD, "theirs; what you typed is lost"),
            Choice("o", "Overwrite", OVERWRITE, "this form as it stands, now", "bad"),
            Choice("Esc", "Back to the form", None),
        ],
    )


def _some(lines: Sequence[str]) -> list[str]:
    """As many as a small screen has room for, none wider than it."""
    rows = []
    for line in lines:
        first, *rest = wrap_words(line, _WIDEST - 4) or [""]
        rows += [first, *(f"    {row}" for row in rest)]
    if len(rows) <= _MOST_ROWS:
        return rows
    return [*rows[:_MOST_ROWS], f"... and {plural(len(rows) - _MOST_ROWS, 'more line')}"]


def type_the_name(task: TaskView) -> TypeTheName:
    """Shall this task be deleted? Its name has to be typed."""
    counted = plural(task.runs, "run")
    body = ["Nothing of it is planned any more; its runs and logs are kept.",
            f"It has {counted} that count." if task.runs else "It has never run.",
            *(["What runs of it now goes on."] if task.running else [])]  # fmt: skip
    if task.origin == "file":
        body.append("Its entry in tasks.yaml does not bring it back until it is changed.")
    return TypeTheName(task.name, body)


class TypeTheName(ModalScreen[bool]):
    """Returns True when the name of what is to be deleted was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "dismiss(False)",
            "Back",
            id="dialog.back",
            tooltip="Nothing is done",
            show=False,
        )
    ]

    def __init__(self, name: str, body: Sequence[str]) -> None:
        super().__init__(classes="dialog")
        self._asked = clean(name)
        self._body = [clean(line) for line in body]
        self.field = TextField(placeholder="its name")

    def compose(self) -> ComposeResult:
        said = [[Cell(f"Delete {self._asked}?", "title")], *([Cell(line)] for line in self._body),
                [], [Cell("Type its name, then Enter. Esc goes back.", "muted")]]  # fmt: skip
        with Vertical(id="dialog"):
            yield WrappedLines(said, id="dialog-text")
            yield self.field

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        if self.field.value.strip() == self._asked.strip():
            self.dismiss(True)
        else:
            self.notify("That is not its name.", markup=False, timeout=3)


def which_file(text: str) -> WhichFile:
    """Which tasks.yaml? Returns its path."""
    return WhichFile(text)


def load_these(file: str, lines: Sequence[str]) -> Review:
    """Shall these become tasks? Returns `save`."""
    note = "They are kept in the database: the file itself is not followed. For that: --tasks FILE"
    answers = [Choice("y", "Add them", SAVE), Choice("n", "Back", None)]
    return Review(
        f"Add {plural(len(lines), 'task')} of {file}?", [*_some(lines), "", note], answers
    )


class WhichFile(ModalScreen[str | None]):
    """Returns the path that was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "dismiss(None)",
            "Back",
            id="dialog.back",
            tooltip="Nothing is done",
            show=False,
        )
    ]

    def __init__(self, text: str) -> None:
        super().__init__(classes="dialog")
        self.field = TextField(text, placeholder="its path, such as ~/tasks.yaml")

    def compose(self) -> ComposeResult:
        said = [[Cell("Load which tasks.yaml?", "title")],
                [Cell("It is checked, and shown, before anything is added.")], [],
                [Cell("Type its path, then Enter. Esc goes back.", "muted")]]  # fmt: skip
        with Vertical(id="dialog"):
            yield WrappedLines(said, id="dialog-text")
            yield self.field

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        if path := self.field.value.strip():
            self.dismiss(path)
