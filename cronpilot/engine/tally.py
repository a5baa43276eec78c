"""Counts what ends: verdicts, durations and lateness since the start of the engine.

Rows are read when somebody asks, or when many have changed: an engine that nobody watches does
next to nothing for it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, Final

from cronpilot.domain.run import Status, Trigger
from cronpilot.engine.planner import Changes, offset_of_row
from cronpilot.engine.reading import Reader
from cronpilot.storage import measures

DURATIONS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86_400)
LATENESS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60, 300, 3600)
_MANY = 10_000  # changed runs that are looked at though nobody has asked
_AT_ONCE = 500  # ids in one query
_REMEMBERED = 100_000  # counted runs: one that is told of again is not counted again


@dataclass(slots=True)
class Histogram:
    """How many values lie at or below each bound (seconds)."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total_s: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total_s += seconds

    def cumulative(self) -> list[int]:
        """For each bound, and at last for infinity."""
        return list(accumulate(self.counts))


class Tally:
    """Lives in the engine's loop."""

    def __init__(self, reader: Reader) -> None:
        self.verdicts: Counter[tuple[Status, Trigger]] = Counter()
        self.durations, self.lateness = Histogram(DURATIONS), Histogram(LATENESS)
        self._reader = reader
        self._changed: set[int] = set()
        self._counted: OrderedDict[int, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._settling: asyncio.Task[None] | None = None

    def note(self, changes: Changes) -> None:
        """These runs have changed."""
        self._changed.update(changes.run_ids)
        if len(self._changed) > _MANY and (self._settling is None or self._settling.done()):
            self._settling = asyncio.create_task(self.settle())

    async def settle(self) -> None:
        """Count what has ended since the last time."""
        async with self._turn:
            ids = sorted(self._changed - self._counted.keys())
            self._changed.clear()
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                self._count(await self._reader.read(partial(measures.of_runs, ids=some)))

    def _count(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        for row in rows:
            status: Status = row["status"]
            if not status.is_final:
                continue  # we hear of it again when it is
            self._counted[row["id"]] = None
            self.verdicts[status, row["trigger"]] += row["folded_count"]
            started = row["started_at"]
            if started is None:
                continue
            if row["finished_at"] is not None:
                self.durations.add((row["finished_at"] - started).total_seconds())
            if row["trigger"] is Trigger.SCHEDULE and row["scheduled_for"] is not None:
                late = started - row["scheduled_for"] - offset_of_row(row)
                self.lateness.add(max(0.0, late.total_seconds()))
        while len(self._counted) > _REMEMBERED:
            self._counted.popitem(last=False)
