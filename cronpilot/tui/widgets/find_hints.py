"""The keys of the find line, for the key bar: no letter does anything else while one types."""

from __future__ import annotations

from cronpilot.tui.widgets.key_bar import KeyHint

FIND_HINTS = (
    KeyHint("Enter", "find"), KeyHint("ctrl+r", "regex"), KeyHint("ctrl+g", "case"),
    KeyHint("Esc", "clear"),
)  # fmt: skip
