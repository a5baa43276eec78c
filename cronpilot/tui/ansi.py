"""A line of a run's output, made harmless: its colours are kept, every other control is not obeyed.

Output is data. Cursor movements, titles, hyperlinks, clipboard writes and whatever else a terminal
obeys is left out; so are blinking and concealed text, which deceive the reader.
"""

from __future__ import annotations

import re

from rich.color import Color
from rich.style import Style

from cronpilot.domain.text import clean

LONGEST = 4096
"""Characters of one line that are shown."""

_SEQUENCE = re.compile(
    r"""
    (?P<colour> \x1b\[ [0-9;:]* m )
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]                     # CSI: cursor, erase, modes
    | (?: \x1b[\]PX^_] | [\x90\x98\x9d-\x9f] )                    # OSC, DCS, SOS, PM, APC ...
      [^\x07\x1b\x9c]* (?: \x07 | \x1b\\ | \x9c | $ )             # ... up to their end
    | \x1b [ -/]* [0-~]                                           # two-character sequences
    """,
    re.VERBOSE,
)
_ATTRIBUTES = {
    1: Style(bold=True), 2: Style(dim=True), 3: Style(italic=True), 4: Style(underline=True),
    7: Style(reverse=True), 9: Style(strike=True), 21: Style(underline=True),
    22: Style(bold=False, dim=False), 23: Style(italic=False), 24: Style(underline=False),
    27: Style(reverse=False), 29: Style(strike=False),
}  # fmt: skip
_PLAIN = Style()


def parse_line(data: bytes) -> list[tuple[str, Style]]:
    """The text of one line and how it is to look; nothing in the text is obeyed by a terminal."""
    text = data[: 4 * LONGEST].decode("utf-8", "replace").expandtabs(8)
    if text.isprintable():
        return [(text[:LONGEST], _PLAIN)]
    parts: list[tuple[str, Style]] = []
    style, at = _PLAIN, 0
    for match in _SEQUENCE.finditer(text):
        if match.start() > at:
            parts.append((clean(text[at : match.start()]), style))
        if match["colour"]:
            style = _apply(style, match["colour"][2:-1])
        at = match.end()
    if at < len(text):
        parts.append((clean(text[at:]), style))
    return _shortened(parts)


def _shortened(parts: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    room, kept = LONGEST, []
    for text, style in parts:
        kept.append((text[:room], style))
        room -= len(text)
        if room <= 0:
            break
    return kept


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
