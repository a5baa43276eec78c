"""Numbers of runs and incidents, as people type them."""

from __future__ import annotations

LARGEST = 10**15
"""More than are ever given out, and no more than any program between here and there can read."""


def is_number(text: str) -> bool:
    """Whether it can be the number of anything."""
    return text.isascii() and text.isdigit() and len(text) <= 15
