"""A line of a run's output, made harmless: its colours are kept, every other control is not obeyed.

Output is data. Cursor movements, titles, hyperlinks, clipboard writes and whatever else a terminal
obeys is left out; so are blinking and concealed text, which deceive the reader.
"""

from __future__ import annotations

import re

from rich.color import Color
from rich.style import Style

from cronpilot.domain.log_text import LONGEST, shown_parts

__all__ = ["LONGEST", "parse_line"]

_ATTRIBUTES = {
    1: Style(bold=True), 2: Style(dim=True), 3: Style(italic=True), 4: Style(underline=True),
    7: Style(reverse=True), 9: Style(strike=True), 21: Style(underline=True),
    22: Style(bold=False, dim=False), 23: Style(italic=False), 24: Style(underline=False),
    27: Style(reverse=False), 29: Style(strike=False),
}  # fmt: skip
_PLAIN = Style()


def parse_line(data: bytes) -> list[tuple[str, Style]]:
    """The text of one line and how it is to look; nothing in the text is obeyed by a terminal."""
    parts: list[tuple[str, Style]] = []
    style = _PLAIN
    for text, codes in shown_parts(data):
        if codes is not None:
            style = _apply(style, codes)
        parts.append((text, style))
    return parts


def _apply(style: Style, codes: str) -> Style:
    """`style` after one SGR sequence; what is not known in it is passed over."""
    numbers = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", codes[:64])]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style = _PLAIN
        elif code in _ATTRIBUTES:
            style += _ATTRIBUTES[code]
        elif code in (38, 48):
            colour = _extended_colour(numbers)
            style += Style(color=colour) if code == 38 else Style(bgcolor=colour)
        elif (colour := _basic_colour(code)) is not None:
            style += Style(color=colour) if code in _FOREGROUNDS else Style(bgcolor=colour)
    return style


_FOREGROUNDS = frozenset([*range(30, 40), *range(90, 98)])


def _basic_colour(code: int) -> Color | None:
    if code in (39, 49):
        return Color.default()
    for first, base in ((30, 0), (40, 0), (90, 8), (100, 8)):
        if first <= code < first + 8:
            return Color.from_ansi(code - first + base)
    return None


def _extended_colour(numbers: list[int]) -> Color | None:
    """Take `5;n` or `2;r;g;b` from the front of `numbers`."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        return Color.from_ansi(min(255, numbers.pop(0)))
    if kind == 2 and len(numbers) >= 3:
        red, green, blue = (min(255, numbers.pop(0)) for _ in range(3))
        return Color.from_rgb(red, green, blue)
    numbers.clear()  # broken off: what follows would be read as something else
    return None
