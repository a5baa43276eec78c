"""Looks that are found out when they are first painted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from textual.css.styles import RenderStyles
from textual.dom import DOMNode

if TYPE_CHECKING:
    from textual.widget import Widget as _Widget
else:
    _Widget = object  # it stands beside a widget, whose own style sheet Textual goes on to read


class LazyLooks(_Widget):
    """A widget that asks the style sheet for a component only when it paints one.

    Textual's own (8.2) finds out, at each change of a widget's style, what every component it has
    declared would look like. Ours have a dozen tones each, most of which are never seen: a form of
    200 widgets took seconds to open.
    """

    @classmethod
    @cache
    def _get_component_classes(cls) -> frozenset[str]:
        """None, as far as Textual need know."""
        return frozenset()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        before, self._component_styles = self._component_styles, {}
        if any(self._look_up(name) != styles for name, styles in before.items()):
            self.refresh()

    def get_component_styles(self, *names: str) -> RenderStyles:
        for name in names:
            self._look_up(name)
        return super().get_component_styles(*names)

    def _look_up(self, name: str) -> RenderStyles:
        styles = self._component_styles.get(name)
        if styles is None:
            node = DOMNode(classes=name)
            node._attach(self)
            self.app.stylesheet.apply(node, animate=False)
            styles = self._component_styles[name] = node.styles
        return styles
