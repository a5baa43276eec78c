"""The bottom row: the keys that work here and now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from textual.screen import Screen

from cronpilot.tui.formatting import Cell
from cronpilot.tui.key_names import key_name
from cronpilot.tui.widgets.toned import Line


class KeyHint(NamedTuple):
    """A key and what it does."""

    key: str
    does: str


ALWAYS = (KeyHint("?", "help"), KeyHint("q", "quit"))


class KeyBar(Line):
    """Shows as many keys as fit, and always how to get help and how to leave."""

    DEFAULT_CSS = "KeyBar { dock: bottom; }"

    def tell(self, hints: Sequence[KeyHint], always: Sequence[KeyHint] = ALWAYS) -> None:
        """Offer these keys, the most useful first, and behind them what is never left out."""
        room = self.size.width - 1 - sum(map(_width, always))
        fitting = []
        for hint in hints:
            if _width(hint) > room:
                break
            room -= _width(hint)
            fitting.append(hint)
        cells = [Cell(" ")]
        for hint in (*fitting, *always):
            cells += [Cell(hint.key, "strong"), Cell(" "), Cell(hint.does, "muted"), Cell("  ")]
        self.show(cells)


def _width(hint: KeyHint) -> int:
    return len(hint.key) + len(hint.does) + 3


def hints_of(screen: Screen[Any]) -> list[KeyHint]:
    """The keys that are worth showing where the focus is, in the order they were declared."""
    found: dict[str, KeyHint] = {}
    for key, (_, binding, enabled, _) in screen.active_bindings.items():
        if binding.show and enabled and binding.action not in found:
            shown = binding.key_display or key_name(key)
            found[binding.action] = KeyHint(shown, binding.description.lower())
    return list(found.values())
