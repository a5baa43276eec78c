"""The bottom row: the keys that work here and now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from textual.binding import ActiveBinding
from textual.screen import Screen

from cronpilot.tui.formatting import Cell
from cronpilot.tui.key_names import NO_KEY, key_name
from cronpilot.tui.widgets.toned import Line, Spot

if TYPE_CHECKING:
    from cronpilot.tui.app import CronPilotApp
    from cronpilot.tui.keymap import Keymap


WIDE = 150
"""Cells from which on the bar also has keys that elsewhere only the help tells."""
_TOLD_ELSEWHERE = frozenset(
    {"move", "page", "edge", "scroll", "sideways", "view", "focus_panel", "resize_log",
     "say_how_to_quit", "help", "quit", "palette", "repaint", "next_theme"}
)  # fmt: skip
"""Arrows need no hint, views have theirs in the tabs, and the rest is always at the end."""


class KeyHint(NamedTuple):
    """A key and what it does; `press`: the same key as Textual calls it, for a click."""

    key: str
    does: str
    press: str = ""


class KeyBar(Line):
    """Shows as many keys as fit, and always how to get help and how to leave."""

    DEFAULT_CSS = "KeyBar { dock: bottom; }"

    def tell(self, hints: Sequence[KeyHint], always: Sequence[KeyHint] | None = None) -> None:
        """Offer these keys, the most useful first, and behind them what is never left out."""
        if always is None:
            always = self._always()
        while len(always) > 2 and sum(map(_width, always)) > self.room:
            always = always[1:]
        room = self.room - 1 - sum(map(_width, always))
        fitting = []
        for hint in hints:
            if _width(hint) > room:
                break
            room -= _width(hint)
            fitting.append(hint)
        cells, spots, end = [Cell(" ")], [], 1
        for hint in (*fitting, *always):
            cells += [Cell(hint.key, "strong"), Cell(" "), Cell(hint.does, "muted"), Cell("  ")]
            start, end = end, end + _width(hint)
            if hint.press:
                spots.append(Spot(start, end - 2, f"app.press({hint.press!r})"))
        self.show(cells)
        self.spots = spots

    def _always(self) -> Sequence[KeyHint]:
        keymap = cast("CronPilotApp", self.app).keymap
        return [
            hint_of(keymap, "app.palette", "colon", "all"),
            hint_of(keymap, "app.help", "question_mark", "help"),
            hint_of(keymap, "app.quit", "q", "quit"),
        ]


def hint_of(keymap: Keymap, action: str, built_in: str, does: str) -> KeyHint:
    """The key of an action, `built_in` (as Textual calls it) where nobody has changed it."""
    press, *_ = keymap.changed.get(action, (built_in,))
    return KeyHint(keymap.key(action, key_name(built_in)), does, press)


def _width(hint: KeyHint) -> int:
    return len(hint.key) + len(hint.does) + 3


def in_order(screen: Screen[Any]) -> list[tuple[str, ActiveBinding]]:
    """The keys that work now, from what has the focus outwards, each node's as it declared them:
    Textual puts those that were changed last."""
    active = list(screen.active_bindings.items())
    nodes = list(dict.fromkeys(one.node for _, one in active))
    declared = {
        (node, binding.action): place
        for node in nodes
        for place, (_, binding) in enumerate(node._bindings)
    }
    return sorted(
        active,
        key=lambda item: (nodes.index(item[1].node),
                          declared.get((item[1].node, item[1].binding.action), 0)),
    )  # fmt: skip


def hints_of(
    screen: Screen[Any],
    *,
    without: Collection[str] = (),
    first: Collection[str] = (),
    words: Mapping[str, str] = MappingProxyType({}),
) -> list[KeyHint]:
    """The keys that are worth showing where the focus is, in the order they were declared.

    Args:
        without: actions that would do nothing just now.
        first: actions that have to be seen however little room there is.
        words: what some actions do just now, where that is less than their name says.
    """
    found: dict[str, KeyHint] = {}
    more: dict[str, KeyHint] = {}
    for key, (_, binding, enabled, _) in in_order(screen):
        action = binding.action
        if not enabled or action in {*found, *more, *without} or key == NO_KEY:
            continue
        bare = action.partition("(")[0].rpartition(".")[2]
        if not binding.show and (not binding.id or bare in _TOLD_ELSEWHERE):
            continue
        shown = binding.key_display or key_name(key)
        into = found if binding.show else more
        into[action] = KeyHint(shown, words.get(action) or binding.description.lower(), key)
    hints = [found[action] for action in sorted(found, key=lambda action: action not in first)]
    return [*hints, *more.values()] if screen.size.width >= WIDE else hints
