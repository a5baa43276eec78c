"""What the terminal shows, as far as it is known, so that only what differs is written to it.

Nothing here knows widgets: whatever lies over what, a row is what is to be seen in it in the end.
Known is a row of which every cell was written, by us, as a character that is one cell wide in every
terminal; every other row is unknown, and written whatever stands there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import ne
from typing import Generic, NamedTuple, TypeVar

LookT = TypeVar("LookT")

_ONE_CELL_EACH = re.compile(
    r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u0384-\u0482\u048a-\u052f\u2010-\u2027\u2190-\u2193\u21bb"
    r"\u2016\u2500-\u259f\u25a1\u25b8\u25cb\u25cf\u25e6\u2713\u2717]*"
)
"""Characters that no terminal combines with others or shows in two cells; our marks among them."""

NEAR = 8
"""Cells. To go elsewhere, be it over an unchanged gap, costs as much as to write so many."""
WORTH = 40
"""Cells. To scroll costs as much as to write about half as many, and a look at the rest."""
FEWEST = 3
"""Rows that must have moved together before it is called scrolling."""


class Cells(NamedTuple, Generic[LookT]):
    """Cells side by side: a character and a look each."""

    text: str
    looks: list[LookT]


class Scrolled(NamedTuple):
    """The rows from `first` to `last` move `by` rows up; down, where it is less than 0."""

    first: int
    last: int
    by: int


def known(text: str, width: int) -> bool:
    """Whether it is certain how a terminal shows this: `width` cells, a character each."""
    return len(text) == width and (
        (text.isascii() and text.isprintable()) or _ONE_CELL_EACH.fullmatch(text) is not None
    )


class TerminalCopy(Generic[LookT]):
    """Is told of all that is painted, in order, and says which of it has to be written."""

    def __init__(self) -> None:
        self.width = 0
        self._rows: list[Cells[LookT] | None] = []

    def begin(self, width: int, height: int) -> None:
        """Nothing is known of a terminal of that size."""
        self.width = width
        self._rows = [None] * height

    def forget(self) -> None:
        """Somebody else may have written."""
        self.begin(self.width, len(self._rows))

    def put(
        self, y: int, x: int, width: int, cells: Cells[LookT] | None
    ) -> Sequence[tuple[int, int]]:
        """These cells are to be seen in row `y` from `x` on; None: it is not known which. What has
        to be written for that, and is taken as written: stretches, counted from `x`."""
        everything = [(0, width)]
        if not 0 <= y < len(self._rows) or x + width > self.width:
            return everything
        before = self._rows[y]
        if cells is None:
            # A terminal that finds it wider than we do may go on in the next row.
            self._rows[y : y + 2] = [None] * len(self._rows[y : y + 2])
            return everything
        if width == self.width:
            self._rows[y] = cells
            return everything if before is None else _differing(before, cells)
        if before is None:
            return everything
        end = x + width
        self._rows[y] = Cells(
            before.text[:x] + cells.text + before.text[end:],
            before.looks[:x] + cells.looks + before.looks[end:],
        )
        return _differing(Cells(before.text[x:end], before.looks[x:end]), cells)

    def scroll(self, fresh: Mapping[int, Cells[LookT] | None]) -> Scrolled | None:
        """How the terminal has to scroll before `fresh`, the next content of whole rows, is put;
        None: not at all. The rows that it uncovers are unknown."""
        best: Scrolled | None = None
        most = WORTH
        for rows in _stretches(fresh, len(self._rows)):
            scrolled = self._moved(rows, fresh)
            if scrolled is not None and (gain := self._gain(scrolled, fresh)) > most:
                best, most = scrolled, gain
        if best is not None:
            self._rows[best.first : best.last + 1] = self._after(best)
        return best

    def _moved(self, rows: range, fresh: Mapping[int, Cells[LookT] | None]) -> Scrolled | None:
        """How most of these rows have moved, told by their text; the scroll bar is not a part."""
        places: dict[str, int] = {}
        for y in rows:
            row = self._rows[y]
            if row is not None and not row.text.isspace():
                text = row.text[:-1]
                places[text] = -1 if text in places else y
        came = Counter[int]()
        moved: list[tuple[int, int]] = []
        for y in rows:
            row = fresh[y]
            source = places.get(row.text[:-1], -1) if row is not None else -1
            if source >= 0:
                came[source - y] += 1
                moved.append((y, source - y))
        by, count = max(came.items(), key=lambda one: one[1], default=(0, 0))
        if not by or count < FEWEST:
            return None
        targets = [y for y, one in moved if one == by]
        return Scrolled(targets[0] + min(by, 0), targets[-1] + max(by, 0), by)

    def _after(self, scrolled: Scrolled) -> list[Cells[LookT] | None]:
        """The rows from the first to the last, when they have moved."""
        rows = self._rows[scrolled.first : scrolled.last + 1]
        bare: list[Cells[LookT] | None] = [None] * abs(scrolled.by)
        return rows[scrolled.by :] + bare if scrolled.by > 0 else bare + rows[: scrolled.by]

    def _gain(self, scrolled: Scrolled, fresh: Mapping[int, Cells[LookT] | None]) -> int:
        """How many cells fewer have to be written."""
        gain = 0
        for y, after in enumerate(self._after(scrolled), scrolled.first):
            gain += self._differ(self._rows[y], fresh[y]) - self._differ(after, fresh[y])
        return gain

    def _differ(self, before: Cells[LookT] | None, after: Cells[LookT] | None) -> int:
        if before is None or after is None:
            return self.width
        count = sum(map(ne, before.text, after.text))
        return count + NEAR if count else 0


def _stretches(fresh: Mapping[int, object], height: int) -> list[range]:
    """The rows among these that lie below one another."""
    found: list[range] = []
    for y in sorted(fresh):
        if not 0 <= y < height:
            continue
        if found and found[-1].stop == y:
            found[-1] = range(found[-1].start, y + 1)
        else:
            found.append(range(y, y + 1))
    return found


def _differing(before: Cells[LookT], after: Cells[LookT]) -> list[tuple[int, int]]:
    """The stretches in which these differ; near ones are one."""
    if before == after:
        return []
    found: list[tuple[int, int]] = []
    start = end = -NEAR - 1
    each = zip(before.text, after.text, before.looks, after.looks, strict=True)
    for at, (old, new, was, will_be) in enumerate(each):
        if old != new or was is not will_be:
            if at - end > NEAR:
                if start >= 0:
                    found.append((start, end))
                start = at
            end = at + 1
    if start >= 0:
        found.append((start, end))
    return found
