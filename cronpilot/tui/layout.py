"""What fits: columns into a table, pieces into a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from rich.cells import cell_len, chop_cells, set_cell_size

from cronpilot.tui.formatting import Cell, Cells, Marks, Tone

GAP = 2
"""Blanks between two columns."""
INDENT = 1
"""Blanks before the first one."""
LEAST = 4
"""Cells of a column that is cut off at the edge, for it to be there at all."""


class Size(Protocol):
    """Of a terminal."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


def is_tiny(size: Size) -> bool:
    """Whether a table would say nothing there: then a few words say how things are."""
    return size.width < 24 or size.height < 5


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        width: cells it needs at least.
        most: cells it takes where there is room; equal to `width` for a fixed one.
        rank: 0 stays always; of the others the highest goes first when there is no room.
        gap: blanks before it.
    """

    key: str
    title: str
    width: int
    most: int
    rank: int = 0
    right: bool = False
    gap: int = GAP

    @classmethod
    def fixed(
        cls, key: str, title: str, width: int, *, rank: int = 0, right: bool = False, gap: int = GAP
    ) -> Column:
        return cls(key, title, width, width, rank, right, gap)


class Placed(NamedTuple):
    """A column where it is on the screen; `gap`: the blanks behind it."""

    column: Column
    x: int
    width: int
    gap: int


Claim = tuple[str, int]
"""The key of a column, and how many cells its contents need."""


def fit_columns(
    columns: Sequence[Column], width: int, claims: Iterable[Claim] = ()
) -> list[Placed]:
    """Choose the columns that fit into `width` cells and share out what is left.

    Columns of the highest rank are left out first; those of rank 0 stay, cut if they must be. Room
    that is left goes to those that claim it, in the order of the claims, and then to the columns
    that can use it, in proportion to what they lack.
    """
    kept = list(columns)
    while _needed(kept) > width and (rank := max(column.rank for column in kept)) and kept[1:]:
        kept = [column for column in kept if column.rank != rank]
    widths = {column.key: column.width for column in kept}
    _share(width - _needed(kept), kept, claims, widths)
    placed, x = [], INDENT
    for column, gap in zip(kept, [*(column.gap for column in kept[1:]), GAP], strict=True):
        room = max(0, min(widths[column.key], width - x))
        placed.append(Placed(column, x, room, gap))
        x += widths[column.key] + gap
    # A cell or two of a column would show nothing but that it is cut off.
    first, *others = placed
    return [first, *(one for one in others if one.width >= min(one.column.width, LEAST))]


def _needed(columns: Sequence[Column]) -> int:
    gaps = sum(column.gap for column in columns[1:])
    return INDENT + sum(column.width for column in columns) + gaps


def _share(
    spare: int, columns: Sequence[Column], claims: Iterable[Claim], widths: dict[str, int]
) -> None:
    """Widen them by so many cells at most."""
    most = {column.key: column.most for column in columns}
    for key, needed in claims:
        more = min(spare, min(needed, most.get(key, 0)) - widths.get(key, 0))
        if more > 0:
            widths[key] += more
            spare -= more
    lacking = {key: most[key] - widths[key] for key in most if most[key] > widths[key]}
    total = sum(lacking.values())
    if spare > 0 and total:
        for key, lack in lacking.items():
            widths[key] += min(lack, spare * lack // total)


def cut(text: str, width: int, marks: Marks) -> str:
    """At most `width` cells of `text`; a mark says that something is missing."""
    if len(text) * 2 <= width or cell_len(text) <= width:
        return text
    if width <= 1:
        return marks.cut[:width]
    return set_cell_size(text, width - 1).rstrip() + marks.cut


def pad(text: str, width: int, marks: Marks, *, right: bool = False) -> str:
    """Exactly `width` cells of `text`."""
    short = cut(text, width, marks)
    blanks = " " * max(0, width - cell_len(short))
    return blanks + short if right else short + blanks


def changed_cells(before: str, after: str) -> tuple[int, int]:
    """The columns between which two texts of the same width differ: the first, and the one after
    the last. Of a count of seconds that is a digit or two."""
    if not (before.isascii() and after.isascii()):
        return 0, cell_len(after)  # what looks like one sign may be several
    head = _alike(before, after)
    return head, len(after) - _alike(before[head:][::-1], after[head:][::-1])


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def pad_cells(cells: Cells, width: int) -> list[Cell]:
    """Exactly `width` cells of these pieces: a picture is cut off without a mark."""
    line: list[Cell] = []
    room = width
    for cell in cells:
        length = cell_len(cell.text)
        if length > room:
            line.append(Cell(set_cell_size(cell.text, room), cell.tone))
            return line
        line.append(cell)
        room -= length
    return [*line, Cell(" " * room)] if room else line


def wrapped(line: Sequence[Cell], width: int) -> list[list[Cell]]:
    """A line as rows of at most `width` cells, broken between words where that can be. The further
    rows begin below the last of its cells, or else below the second: below what a label names."""
    if _wide(line) <= width:
        return [list(line)]
    indent = _hanging(line, width)
    rows: list[list[Cell]] = [[]]
    used = 0
    for cell in line:
        for word in re.findall(r"\s*\S+|\s+", cell.text):
            left = word
            while used + cell_len(left) > width:
                if used <= indent:  # longer than a row
                    head = chop_cells(left, max(2, width - used))[0]
                    rows[-1].append(Cell(head, cell.tone))
                    left = left[len(head) :]
                left, used = left.lstrip(), indent
                rows.append([Cell(" " * indent)] if indent else [])
            rows[-1].append(Cell(left, cell.tone))
            used += cell_len(left)
    return rows


def wrap_words(text: str, width: int) -> list[str]:
    """The same of mere text."""
    rows = wrapped([Cell(text)], width) if text else []
    return ["".join(cell.text for cell in row) for row in rows]


def _hanging(line: Sequence[Cell], width: int) -> int:
    """How far the further rows are indented; not by more than half of the room."""
    if len(line) == 1:
        text = line[0].text
        places = [len(text) - len(text.lstrip())]
    else:
        places = [_wide(line[:-1]), _wide(line[:1])]
    return next((place for place in places if place * 2 <= width), 0)


def _wide(cells: Iterable[Cell]) -> int:
    return sum(cell_len(cell.text) for cell in cells)


class Piece(NamedTuple):
    """A part of a line. Of the pieces that do not fit, the highest rank goes first; 0 stays."""

    text: str
    tone: Tone = ""
    rank: int = 0


def fit_line(
    left: Iterable[Piece], right: Iterable[Piece], width: int, marks: Marks, *, between: str = "  "
) -> list[Cell]:
    """One line of exactly `width` cells: `left` at its left edge, `right` at its right edge."""
    lefts = [piece for piece in left if piece.text]
    rights = [piece for piece in right if piece.text]
    while _length(lefts, rights, between) > width:
        rank = max((piece.rank for piece in (*lefts, *rights)), default=0)
        if not rank:
            break
        side = rights if any(piece.rank == rank for piece in rights) else lefts
        index = max(i for i, piece in enumerate(side) if piece.rank == rank)
        del side[index]
    cells = _joined(lefts, between)
    room = width - sum(cell_len(cell.text) for cell in cells) - 2  # a blank at either edge
    tail = _joined(rights, between)
    tail_width = sum(cell_len(cell.text) for cell in tail)
    if tail and tail_width + 1 <= room:
        cells.append(Cell(" " * (room - tail_width)))
        cells += tail
    return _exactly([Cell(" "), *cells], width, marks)


def _joined(pieces: Sequence[Piece], between: str) -> list[Cell]:
    cells: list[Cell] = []
    for piece in pieces:
        if cells:
            cells.append(Cell(between, "muted"))
        cells.append(Cell(piece.text, piece.tone))
    return cells


def _length(lefts: Sequence[Piece], rights: Sequence[Piece], between: str) -> int:
    pieces = [*lefts, *rights]
    seams = max(0, len(lefts) - 1) + max(0, len(rights) - 1)
    return (
        sum(cell_len(piece.text) for piece in pieces)
        + seams * cell_len(between)
        + (2 if lefts and rights else 0)
        + 2
    )


def _exactly(cells: Sequence[Cell], width: int, marks: Marks) -> list[Cell]:
    """Cut or fill, so that the line has exactly `width` cells."""
    line: list[Cell] = []
    room = width
    for cell in cells:
        if room <= 0:
            break
        text = cut(cell.text, room, marks)
        line.append(Cell(text, cell.tone))
        room -= cell_len(text)
    return [*line, Cell(" " * room)] if room > 0 else line


@lru_cache(64)  # the same for each line of a picture
def thumb(total: int, top: int, height: int) -> range:
    """The rows of a scroll bar that stand for what is seen; empty if all `total` lines are."""
    if total <= height or height < 1:
        return range(0)
    length = max(1, height * height // total)
    start = round(top / max(1, total - height) * (height - length))
    return range(start, start + length)
