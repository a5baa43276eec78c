"""A question with a few answers. The harmless one is the default; Esc and n give it too."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell
from cronpilot.tui.widgets.choice_list import Choice, ChoiceList
from cronpilot.tui.widgets.lines import WrappedLines


class Dialog(ModalScreen[str | None]):
    """Returns the value of the choice; None when nothing is to happen.

    Args:
        title: the question, with the name of what it is about.
        body: what the user should know, a sentence a line.
        choices: the answers; the last one is the default and does nothing.
    """

    def __init__(self, title: str, body: Sequence[str], choices: Sequence[Choice]) -> None:
        super().__init__(classes="dialog")
        self._title = clean(title)
        self._body = [clean(sentence) for sentence in body]
        self._choices = list(choices)

    def compose(self) -> ComposeResult:
        text = [[Cell(self._title, "title")], *([Cell(line)] for line in self._body), []]
        with Vertical(id="dialog"):
            yield WrappedLines(text, id="dialog-text")
            yield ChoiceList(self._choices)

    @property
    def text(self) -> str:
        """All that the dialog says, for tests and for those who read it aloud."""
        answers = [f"{choice.key} {choice.label}" for choice in self._choices]
        return "\n".join([self._title, *self._body, *answers])

    @on(ChoiceList.Chosen)
    def _answer(self, event: ChoiceList.Chosen) -> None:
        self.dismiss(event.choice.value)

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.value)
                return
        if event.key in ("escape", "n", "q"):
            event.stop()
            self.dismiss(None)
