"""All keys that work here, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cronpilot.tui.formatting import Cell
from cronpilot.tui.key_names import key_name
from cronpilot.tui.widgets.lines import Lines

_NOTES = (
    "Everything goes on while you are away: a lost connection does not end the scheduler.",
    "ctrl+z is not offered: it would freeze the scheduler. q, then b, gives the prompt back.",
    "To select text with the mouse, hold shift.",
)


class Entry(NamedTuple):
    """One action and all the keys that do it."""

    keys: str
    title: str
    tooltip: str


class HelpScreen(ModalScreen[None]):
    """The keys of what has the focus first, then those that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,question_mark,q,enter",
            "app.pop_screen",
            "Close",
            id="help.close",
            tooltip="Back",
        ),
        Binding("down,j", "scroll(1)", "Down", id="help.down", tooltip="Further down", show=False),
        Binding("up,k", "scroll(-1)", "Up", id="help.up", tooltip="Further up", show=False),
        Binding(
            "pagedown,space,ctrl+d",
            "scroll(10)",
            "Page down",
            id="help.page_down",
            tooltip="A page on",
            show=False,
        ),
        Binding(
            "pageup,ctrl+u",
            "scroll(-10)",
            "Page up",
            id="help.page_up",
            tooltip="A page back",
            show=False,
        ),
    ]

    def __init__(self, active: Iterable[ActiveBinding], title: str) -> None:
        super().__init__(classes="dialog")
        self._active, self._title = list(active), title

    def compose(self) -> ComposeResult:
        lines = help_lines(self._active, self._title, self.app.size.width)
        with Vertical(id="dialog"):
            yield Lines(lines, id="help-text")

    def action_scroll(self, rows: int) -> None:
        self.query_one(Lines).scroll_by(rows)


def help_lines(active: Sequence[ActiveBinding], title: str, width: int) -> list[list[Cell]]:
    """The help, line by line, for a screen of that width."""
    here = [binding for binding in active if binding.node.__class__.__name__ not in _EVERYWHERE]
    elsewhere = [binding for binding in active if binding not in here]
    lines: list[list[Cell]] = [
        [Cell("Keys", "title"), Cell("  "), Cell("Esc closes, j and k scroll", "muted")]
    ]
    for heading, group in ((title, here), ("Everywhere", elsewhere)):
        entries = list(_entries(group))
        if entries:
            lines += [[], [Cell(heading, "head")]]
            lines += [_line(entry, width) for entry in entries]
    return [*lines, [], *([Cell(note, "muted")] for note in _NOTES)]


_EVERYWHERE = ("Dashboard", "RunPage", "CronPilotApp")


def _entries(active: Iterable[ActiveBinding]) -> Iterable[Entry]:
    found: dict[str, list[ActiveBinding]] = {}
    for binding in active:
        if binding.binding.description and not binding.binding.system:
            found.setdefault(binding.binding.action, []).append(binding)
    for group in found.values():
        keys = " ".join(sorted({key_name(one.binding.key) for one in group}, key=_shortest))
        yield Entry(keys, group[0].binding.description, group[0].tooltip)


def _shortest(key: str) -> tuple[int, str]:
    return len(key), key


def _line(entry: Entry, width: int) -> list[Cell]:
    """With its name and its tooltip, or where there is no room for both with the tooltip."""
    keys = [Cell("  "), Cell(f"{entry.keys:<16}", "strong"), Cell(" ")]
    if width < 100:
        return [*keys, Cell(entry.tooltip or entry.title)]
    return [*keys, Cell(f"{entry.title:<18} "), Cell(entry.tooltip, "muted")]
