"""The runs that the history has read: pages, of which only those near what is seen are held.

Rows are known by their position from the newest one on. A page begins behind a run (`before` of a
query), so that pages stay what they are while new runs come in above them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView

PAGE = 200
"""Runs of one page: what an engine gives at once."""
HELD = 3
"""Pages on either side of what is seen that are held, beside the newest one."""


@dataclass(slots=True)
class _Page:
    before: int | None  # the run that it begins behind; None: the newest page
    count: int = 0
    rows: list[RunView] | None = None  # None: read once, and forgotten


@dataclass(slots=True)
class RunPages:
    """What is known of one list of runs, newest first.

    Attributes:
        complete: its oldest run is known.
    """

    complete: bool = False
    _pages: list[_Page] = field(default_factory=lambda: [_Page(None)])

    @property
    def known(self) -> int:
        """How many runs of the list have been read at some time."""
        return sum(page.count for page in self._pages)

    def lacking(self, first: int, last: int) -> list[int]:
        """The pages, by number, that have to be read to see the positions `first` to `last`."""
        found, start = [], 0
        for number, page in enumerate(self._pages):
            is_seen = start <= last and start + page.count > first
            is_next = number == len(self._pages) - 1 and not self.complete and start <= last
            if page.rows is None and (is_seen or is_next):
                found.append(number)
            start += page.count
        return found

    def before(self, number: int) -> int | None:
        """The run behind which that page begins."""
        return self._pages[number].before

    def put(self, number: int, rows: list[RunView]) -> None:
        """Take in a page as it was read."""
        page = self._pages[number]
        page.rows, page.count = rows, len(rows)
        is_last = number == len(self._pages) - 1
        if len(rows) < PAGE:
            del self._pages[number + 1 :]
            self.complete = True
        elif is_last:
            self._pages.append(_Page(rows[-1].id))
        elif self._pages[number + 1].before != rows[-1].id:  # some were added in its middle
            self._pages[number + 1 :] = [_Page(rows[-1].id)]
            self.complete = False

    def forget_all_but(self, first: int, last: int) -> None:
        """Let go of the rows that are far from the positions `first` to `last`."""
        start = 0
        for page in self._pages:
            near = start - HELD * PAGE <= last and start + page.count + HELD * PAGE > first
            if not near and page is not self._pages[0]:
                page.rows = None
            start += page.count

    def around(self, position: int) -> tuple[int, list[RunView]]:
        """The rows without a gap around a position, and the position of the first of them."""
        start, run_start = 0, 0
        rows: list[RunView] = []
        for page in self._pages:
            if page.rows is None:
                if start > position and rows:
                    break
                rows, run_start = [], start + page.count
            else:
                rows = rows + page.rows
            start += page.count
        return run_start, rows

    # --- what happens meanwhile ------------------------------------------------------------------

    def replace(self, run: RunView) -> bool:
        """Take in how a run stands now; whether it is held."""
        for page in self._pages:
            for index, row in enumerate(page.rows or ()):
                if row.id == run.id and page.rows is not None:
                    page.rows[index] = run
                    return True
        return False

    def add(self, run: RunView) -> bool:
        """Take in a run that belongs to the list; whether it lies among what is known."""
        for number, page in enumerate(self._pages):
            beyond = self._pages[number + 1].before if number + 1 < len(self._pages) else None
            if beyond is not None and run.id <= beyond:
                continue
            if page.rows is None or (beyond is None and not self.complete):
                return False
            page.rows.insert(bisect_left(page.rows, -run.id, key=lambda row: -row.id), run)
            page.count += 1
            if number == 0 and page.count >= 2 * PAGE:
                self._split_newest()
            return True
        return False

    def _split_newest(self) -> None:
        newest = self._pages[0]
        rows = newest.rows or []
        older = _Page(rows[PAGE - 1].id, len(rows) - PAGE, rows[PAGE:])
        self._pages[0] = _Page(None, PAGE, rows[:PAGE])
        self._pages.insert(1, older)
