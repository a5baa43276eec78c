"""What is asked about many tasks at once, and about how the table shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, plural
from cronpilot.tui.layout import wrap_words
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.widgets.choice_list import Choice, ChoiceList
from cronpilot.tui.widgets.lines import Lines
from cronpilot.tui.widgets.task_table import CHOOSABLE, TITLES

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskSort

_ROWS, _WIDTH = 8, 66  # of what is named, on 80x24
_CANCEL = Choice("Esc", "Cancel", None)
PAUSE, UNTIL, RESUME = "pause", "until", "resume"

SORTS: tuple[tuple[str, str, TaskSort], ...] = (
    ("i", "As they were made", "id"),
    ("n", "Name", "name"),
    ("s", "State: failing ones first", "state"),
    ("x", "Next run", "next_run_at"),
    ("l", "Last run", "last_run"),
    ("u", "Usual duration", "duration"),
    ("r", "Success rate", "success_rate"),
)


def named(names: Sequence[str]) -> list[str]:
    """Which tasks: as many names as there is room for, and how many more there are."""
    kept: list[str] = []
    for number, name in enumerate(names):
        more = f", and {len(names) - number:,} more"
        if len(wrap_words(", ".join([*kept, clean(name)]) + more, _WIDTH)) > _ROWS:
            return wrap_words(", ".join(kept) + more, _WIDTH)
        kept.append(clean(name))
    return wrap_words(", ".join(kept), _WIDTH)


def run_many(names: Sequence[str]) -> Dialog:
    """Shall all of these be started now? Returns `yes`."""
    title = f"Run {plural(len(names), 'task')} now?"
    return Dialog(title, named(names), [Choice("y", "Run them", "yes"), _CANCEL])


def stop_many(names: Sequence[str]) -> Dialog:
    """Which signal ends the runs of these? Returns it."""
    title = f"Stop all runs of {plural(len(names), 'task')}?"
    return Dialog(
        title,
        named(names),
        [
            Choice("t", "TERM", "TERM", "ask them to end; KILL after their grace"),
            Choice("k", "KILL", "KILL", "end them at once", "bad"),
            Choice("i", "INT", "INT", "as ctrl+c would"),
            _CANCEL,
        ],
    )


def pause_many(names: Sequence[str]) -> Dialog:
    """What shall become of these? Returns `pause`, `until` or `resume`."""
    title = f"Pause or resume {plural(len(names), 'task')}?"
    return Dialog(
        title,
        named(names),
        [
            Choice("p", "Pause them", PAUSE, "until they are resumed"),
            Choice("u", "Pause them until a time", UNTIL),
            Choice("r", "Resume them", RESUME),
            _CANCEL,
        ],
    )


def delete_many(names: Sequence[str]) -> Dialog:
    """Shall all of these be deleted? Returns `yes`."""
    title = f"Delete {plural(len(names), 'task')}?"
    body = [*named(names), "", "Their runs and logs are kept."]
    return Dialog(title, body, [Choice("y", "Delete them", "yes", "", "bad"), _CANCEL])


def sort_by(current: TaskSort, *, descending: bool) -> Dialog:
    """By what shall the tasks be sorted? Returns the sort."""
    way = "now downward; again: upward" if descending else "now upward; again: downward"
    choices = [Choice(key, label, sort, way if sort == current else "")
               for key, label, sort in SORTS]  # fmt: skip
    return Dialog("Sort the tasks by", [], [*choices, _CANCEL])


class ColumnsDialog(ModalScreen[frozenset[str]]):
    """Which columns are shown: a letter or Enter switches one; Esc closes. Returns the hidden."""

    def __init__(self, hidden: Collection[str]) -> None:
        super().__init__(classes="dialog")
        self._hidden = set(hidden)
        self._list = ChoiceList(self._choices())
        self._list.cursor = 0

    def compose(self) -> ComposeResult:
        head = [[Cell("Columns", "title")],
                [Cell("From the bottom they drop out where there is no room.", "muted")],
                []]  # fmt: skip
        with Vertical(id="dialog"):
            yield Lines(head, id="dialog-text")
            yield self._list

    def _choices(self) -> list[Choice]:
        letters = "abcdefghijklm"
        rows = [
            Choice(letter, TITLES[column.key], column.key,
                   "" if column.key in self._hidden else "shown")
            for letter, column in zip(letters, CHOOSABLE, strict=False)
        ]  # fmt: skip
        return [*rows, Choice("Esc", "Done", None)]

    def on_choice_list_chosen(self, event: ChoiceList.Chosen) -> None:
        self._switch(event.choice.value)

    def on_key(self, event: events.Key) -> None:
        for choice in self._list.choices:
            if event.character == choice.key:
                event.stop()
                self._switch(choice.value)
                return
        if event.key in ("escape", "q", "o"):
            event.stop()
            self.dismiss(frozenset(self._hidden))

    def _switch(self, column: str | None) -> None:
        if column is None:
            self.dismiss(frozenset(self._hidden))
            return
        self._hidden ^= {column}
        self._list.choices = self._choices()
        self._list.refresh()
