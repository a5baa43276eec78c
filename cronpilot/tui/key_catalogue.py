"""Every key there is, found in the widgets and screens themselves: so that no list of them lies.

Made for the help, for `keys.toml` and for `cronpilot keys`; the first paint needs none of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from cronpilot.tui.widgets.line_table import LineTable
from cronpilot.tui.widgets.view import View

_PLACES = {
    "app": "Everywhere",
    "screen": "Every view",
    "view": "Views",
    "task": "Tasks and runs",
    "tasks": "The list of tasks",
    "scheduler": "Scheduler",
    "table": "Tables",
    "panel": "Panel below the table",
    "log": "Log",
    "upcoming": "Upcoming",
    "timeline": "Timeline",
    "history": "History",
    "find": "While text is looked for in a log",
    "save": "Saving a log",
    "run": "All about a run",
    "compare": "Two runs side by side",
    "incident": "All about an incident",
    "together": "All that runs in one log",
    "missed": "What was missed",
    "facts": "Facts of a run",
    "filter": "While a filter is typed",
    "form": "Forms",
    "choice": "Forms: choices",
    "zone": "Forms: time zone",
    "dialog": "Questions",
    "help": "Help",
    "palette": "Palette",
}
"""The first part of an id, and what people call that place; in the order in which they are told."""

TYPED_IN = frozenset({"form", "zone", "filter", "find", "save", "help", "palette"})
"""Places where letters are text."""

_FORM = frozenset({"form", "zone", "choice"})
_ALONE = frozenset({"dialog", "help", "palette", "compare", "incident", "save", "together"})


@dataclass(frozen=True, slots=True)
class Known:
    """An action that has keys.

    Attributes:
        id: its name in `keys.toml`, such as `task.run`.
        keys: those it has by default, in Textual's spelling.
        nodes: the classes that bind it.
    """

    id: str
    keys: tuple[str, ...]
    binding: Binding
    nodes: tuple[type[DOMNode], ...]

    @property
    def place(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]

    @property
    def place_name(self) -> str:
        """Where it works, for people."""
        return place_name(self.id)

    @property
    def rank(self) -> int:
        """Where its place stands in the order of places."""
        order = list(_PLACES)
        return order.index(self.place) if self.place in order else len(order)

    def can_meet(self, other: Known) -> bool:
        """Whether both can be asked for at the same time, so that one key cannot do both."""
        near = _surroundings(self.place) == _surroundings(other.place)
        return any(_meet(one, two, near) for one in self.nodes for two in other.nodes)


def place_name(action: str) -> str:
    """Where an action of that id works, for people."""
    place = action.partition(".")[0]
    return _PLACES.get(place, place.capitalize())


def _meet(one: type[DOMNode], two: type[DOMNode], near: bool) -> bool:
    """Whether keys of both classes work at the same time; `near`: they are on one kind of screen.
    Two screens never do, nor two widgets, of which one has the focus, but a table in a view."""
    if one is two:
        return True
    for outer, inner in ((one, two), (two, one)):
        if issubclass(outer, App):
            return not issubclass(inner, ModalScreen)
        if issubclass(outer, Screen):
            return near and not issubclass(inner, Screen)
        if issubclass(outer, View) and issubclass(inner, LineTable):
            return True
    return False


def _surroundings(place: str) -> str:
    """The kind of screen that the place is on."""
    if place in _ALONE:
        return place
    return "form" if place in _FORM else "dashboard"


@cache
def catalogue() -> dict[str, Known]:
    """All of them by id, place by place, each in the order in which it was declared."""
    found: dict[str, Known] = {}
    for node in sorted(nodes(), key=_most_seen_first):
        for binding in own_bindings(node):
            if binding.id is None:
                continue
            keys = tuple(one.key for one in Binding.make_bindings([binding]))
            before = found.get(binding.id)
            binders = (*before.nodes, node) if before else (node,)
            told = before.binding if before else binding
            found[binding.id] = Known(binding.id, keys, told, binders)
    return dict(sorted(found.items(), key=lambda item: item[1].rank))


def _most_seen_first(node: type[DOMNode]) -> tuple[bool, str, str]:
    """Where several bind an id, the dashboard's words for it count."""
    return node.__name__ != "Dashboard", node.__module__, node.__qualname__


def own_bindings(node: type[DOMNode]) -> list[Binding]:
    """What a class of ours binds itself, for people: not what it inherits, nor what is inside."""
    declared = node.__dict__.get("BINDINGS", ())
    return [one for one in declared if isinstance(one, Binding) and not one.system]


def nodes() -> set[type[DOMNode]]:
    """All screens and widgets of ours, and the application."""
    _import_all()
    return set(_ours(DOMNode))


def _ours(parent: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for child in dict.fromkeys(parent.__subclasses__()):
        if child.__module__.startswith("cronpilot.tui."):
            yield child
        yield from _ours(child)


def _import_all() -> None:
    import cronpilot.tui.app
    import cronpilot.tui.screens
    import cronpilot.tui.widgets

    for package in (cronpilot.tui.screens, cronpilot.tui.widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
