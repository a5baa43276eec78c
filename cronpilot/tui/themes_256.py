"""Dark and light for a terminal of 256 colours, which is what most have over SSH.

Left to Rich, each colour of ours becomes a neighbour of its own: greys turn teal or navy, the row
under the cursor turns as green as success, bars and fields turn black. So these are chosen by hand,
each one a colour that Rich hands on as meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.theme import Theme

from cronpilot.tui.themes import DARK, LIGHT, THEMES

_OTHERS = {
    DARK: {
        "primary": "#87afff", "secondary": "#87d7ff", "accent": "#87afff",
        "foreground": "#d4d4d4", "background": "#121212", "surface": "#1c1c1c",
        "panel": "#262626", "success": "#87d787", "warning": "#d7af5f", "error": "#ff8787",
        "muted": "#adadad", "busy": "#87d7ff", "strong": "#ffffff", "bar": "#1c1c1c",
        "bar-text": "#b8b8b8", "cursor": "#3a3a3a", "cursor-blurred": "#262626",
        "alarm": "#af0000", "rule": "#444444",
    },
    LIGHT: {
        "primary": "#005fd7", "secondary": "#005f87", "accent": "#005fd7",
        "foreground": "#262626", "background": "#ffffff", "surface": "#ffffff",
        "panel": "#f5f5f5", "success": "#005f00", "warning": "#875f00", "error": "#af0000",
        "muted": "#585858", "busy": "#005f87", "strong": "#000000", "bar": "#f5f5f5",
        "bar-text": "#4e4e4e", "cursor": "#d7ffff", "cursor-blurred": "#f5f5f5",
        "alarm": "#af0000", "rule": "#b8b8b8",
    },
}  # fmt: skip


def themes_for(depth: str | None) -> tuple[Theme, ...]:
    """All themes, as a terminal of that depth shows them best; `depth` is Rich's word for it."""
    return tuple(map(_in_256, THEMES)) if depth == "256" else THEMES


def _in_256(theme: Theme) -> Theme:
    others = _OTHERS.get(theme.name)
    if others is None:  # black, white and plain colours, or the terminal's own
        return theme
    own: dict[str, Any] = {
        name: colour for name, colour in others.items() if name not in theme.variables
    }
    ours = {name: colour for name, colour in others.items() if name in theme.variables}
    return replace(theme, **own, variables=theme.variables | ours)
