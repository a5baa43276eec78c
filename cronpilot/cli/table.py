"""Plain tables: aligned, as wide as the terminal at most, coloured only on one."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cronpilot.domain.text import clean

_COLOURS = {"red": 31, "green": 32, "yellow": 33, "cyan": 36}
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Tinted:
    """A cell with a colour; the words alone must say everything."""

    text: str
    colour: str


Cell = str | Tinted


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `least` is how narrow (in cells) it may become, None: it is never cut."""

    title: str
    least: int | None = None
    right: bool = False


def on_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def has_colour() -> bool:
    """Whether colours are wanted there: see no-color.org."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print it: cut to the terminal's width on one, whole elsewhere."""
    width = shutil.get_terminal_size().columns if on_terminal() else None
    for line in lay_out(columns, rows, width=width, colour=has_colour()):
        print(line)


def lay_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    width: int | None = None,
    colour: bool = False,
) -> Iterator[str]:
    """The lines of a table, titles first. What is in the cells is made harmless here."""
    texts = [[clean(_text(cell)) for cell in row] for row in rows]
    widths = _widths(columns, texts, width)
    yield _line([_fit(c.title, w, c.right) for c, w in zip(columns, widths, strict=True)])
    for row, cells in zip(rows, texts, strict=True):
        fitted = [
            _fit(text, w, column.right)
            for text, w, column in zip(cells, widths, columns, strict=True)
        ]
        if colour:
            fitted = [_tint(text, cell) for text, cell in zip(fitted, row, strict=True)]
        yield _line(fitted)


def cell_width(text: str) -> int:
    """How many cells of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Tinted) else cell


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> list[int]:
    widths = [
        max([cell_width(column.title), *(cell_width(row[place]) for row in rows)])
        for place, column in enumerate(columns)
    ]
    if width is None:
        return widths
    room = width - len(_GAP) * (len(columns) - 1)
    while sum(widths) > room:
        # The widest of those that may still shrink gives a cell.
        spare = [
            (widths[place], place)
            for place, column in enumerate(columns)
            if column.least is not None and widths[place] > column.least
        ]
        if not spare:
            break
        widths[max(spare)[1]] -= 1
    return widths


def _fit(text: str, width: int, right: bool) -> str:
    if cell_width(text) > width:
        text = _cut(text, width)
    padding = " " * (width - cell_width(text))
    return padding + text if right else text + padding


def _cut(text: str, width: int) -> str:
    kept, used = [], 0
    for char in text:
        used += _char_width(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _tint(text: str, cell: Cell) -> str:
    if not isinstance(cell, Tinted):
        return text
    words = text.rstrip()
    return f"\x1b[{_COLOURS[cell.colour]}m{words}\x1b[0m{text[len(words) :]}"


def _line(cells: Sequence[str]) -> str:
    return _GAP.join(cells).rstrip()
