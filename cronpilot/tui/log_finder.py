"""Where a pattern stands in one run's output: counted piece by piece, stepped through at once."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cronpilot.client.log_search import LogQuery
    from cronpilot.client.protocol import Client
    from cronpilot.domain.log_search import Pattern

MOST_PLACES = 1_000_000
"""Places that are held, 8 bytes each; further lines are counted only."""
LOOK_AGAIN = 1.0
"""Seconds after which the log of a run that goes on is counted further."""


class LogFinder:
    """What is known so far of the lines that match.

    Attributes:
        counted_to: offset in the file up to which they are counted.
        size: of the file, as far as known.
        found: how many matching lines there are up to there.
        is_counted: all of the file has been looked through.
    """

    def __init__(self, run_id: int, pattern: Pattern) -> None:
        self.run_id, self.pattern = run_id, pattern
        self.counted_to = self.size = self.found = 0
        self.is_counted = False
        self._places = array("Q")

    async def count(self, client: Client, tell: Callable[[], None]) -> None:
        """Look through the whole file, in steps between which it can be cancelled."""
        while True:
            step = await client.search_log(
                self.run_id, self._query(offset=self.counted_to, text=False, limit=50_000)
            )
            room = MOST_PLACES - len(self._places)
            self._places.extend(step.offsets[:room])
            self.found += len(step.offsets)
            self.counted_to, self.size, self.is_counted = step.end, step.size, step.done
            tell()
            if step.done:
                if step.ended:
                    return
                await asyncio.sleep(LOOK_AGAIN)

    async def after(self, client: Client, offset: int) -> int | None:
        """The first match that begins at `offset` or after it."""
        index = bisect_left(self._places, offset)
        if index < len(self._places):
            return self._places[index]
        at = max(offset, self.counted_to if self._knows_all else offset)
        while True:
            step = await client.search_log(
                self.run_id, self._query(offset=at, text=False, limit=1)
            )  # fmt: skip
            if step.offsets:
                return step.offsets[0]
            if step.done:
                return None
            at = step.end

    async def before(self, client: Client, offset: int) -> int | None:
        """The last match that begins before `offset`."""
        if self._knows_all and offset <= self.counted_to:
            index = bisect_left(self._places, offset)
            return self._places[index - 1] if index else None
        at = offset
        while True:
            step = await client.search_log(
                self.run_id, self._query(offset=at, text=False, limit=1, backwards=True)
            )
            if step.offsets:
                return step.offsets[-1]
            if step.done:
                return None
            at = step.start

    def in_words(self, match: int | None) -> str:
        """`3 of 41`, `41 lines`, `none`; while counting with how far it is: `41 so far, 12%`."""
        if self.is_counted and not self.found:
            return "none"
        far = int(100 * self.counted_to / self.size) if self.size else 0
        count = f"{self.found:,}" if self.is_counted else f"{self.found:,} so far, {far}%"
        if match is None:
            return count if not self.is_counted else f"{count} line{'s' * (self.found != 1)}"
        number = bisect_right(self._places, match)
        known = match < self.counted_to and self._knows_all
        return f"{number:,} of {count}" if known else f"? of {count}"

    @property
    def _knows_all(self) -> bool:
        """Whether every place up to `counted_to` is held."""
        return self.found == len(self._places)

    def _query(self, **more: Any) -> LogQuery:
        from cronpilot.client.log_search import LogQuery  # after the first paint

        pattern = self.pattern
        return LogQuery(pattern=pattern.text, regex=pattern.regex, case=pattern.case, **more)
