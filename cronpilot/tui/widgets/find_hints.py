"""The keys of a line to type into, for the key bar: no letter does anything else meanwhile."""

from __future__ import annotations

from cronpilot.tui.widgets.key_bar import KeyHint

FILTER_HINTS = (KeyHint("Enter", "to the rows", "enter"), KeyHint("Esc", "clear", "escape"))
FIND_HINTS = (
    KeyHint("Enter", "find", "enter"), KeyHint("ctrl+r", "regex", "ctrl+r"),
    KeyHint("ctrl+g", "case", "ctrl+g"), KeyHint("Esc", "clear", "escape"),
)  # fmt: skip
