"""What comes: planned starts in their order, who meets whom by usual durations, how many an hour.

Pure: the clock, the rows and the room are handed in. Starts are instants with a task's spread.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from cronpilot.domain.quiet import WithQuiet
from cronpilot.domain.run import BAD, Status

if TYPE_CHECKING:  # the screen draws with this before it needs pydantic
    from cronpilot.domain.schedule import FireTimes

Waits = Literal["", "slots", "pool", "itself"]
"""Why a start will probably not be a start: too many at once, or its own last run still goes."""

_TICK = timedelta(microseconds=1)
_LEAST = timedelta(seconds=1)  # taken for a run of which nothing is known yet
_FEW = 3  # fire times of a day that are sooner walked than counted hour by hour
_MOST = 10_000_000  # counted a day and schedule: one a second is less


class Item(NamedTuple):
    """A task as far as it is planned.

    Attributes:
        offset: its spread, between its slots and its starts.
        usual: its usual duration; None before it is known.
        overlaps: it may run beside itself.
        tasks: as many start at the same times.
    """

    id: int
    name: str
    zone: str
    next_run_at: datetime
    times: FireTimes
    offset: timedelta = timedelta()
    usual: timedelta | None = None
    pool: str | None = None
    paused: bool = False
    overlaps: bool = False
    tasks: int = 1

    def start_after(self, at: datetime) -> datetime | None:
        """Its first start strictly after `at`, and not before the next one that is planned."""
        if self.next_run_at > at:
            return self.next_run_at
        slot = self.times.next_after(at - self.offset)
        return None if slot is None else slot + self.offset

    def quiet(self, slot: datetime) -> str:
        """The quiet time that keeps this slot from being started; mostly none."""
        found = self.times.quiet(slot) if isinstance(self.times, WithQuiet) else None
        return found.rule.name if found is not None else ""


class Place(NamedTuple):
    """A place in the list of starts: at the same moment the lower id comes first."""

    at: datetime
    task_id: int


def starts_behind(items: Iterable[Item], place: Place) -> Iterator[tuple[datetime, Item]]:
    """Every start behind `place`, in order; without end where a schedule has none."""
    heap = []
    for item in items:
        at = item.start_after(place.at - _TICK)
        if at is not None and (at, item.id) <= place:
            at = item.start_after(place.at)
        if at is not None:
            heap.append((at, item.id, item))
    heapq.heapify(heap)
    while heap:
        at, task_id, item = heap[0]
        following = item.start_after(at)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following, task_id, item))
        yield at, item


# --- who meets whom ------------------------------------------------------------------------------


class Going(NamedTuple):
    """Something that takes a slot until `until`, if it takes as long as usual."""

    until: datetime
    task_id: int
    pool: str | None


class Met(NamedTuple):
    """What a start meets: how many go then, itself among them, and why it will have to wait."""

    together: int
    waits: Waits = ""


@dataclass(slots=True)
class Occupancy:
    """The slots that are taken as time goes by, were everything to take as long as usual."""

    max_workers: int
    pools: Mapping[str, int]
    _ends: list[Going] = field(default_factory=list)

    def add(self, going: Going) -> None:
        """This goes on already."""
        heapq.heappush(self._ends, going)

    def start(self, item: Item, at: datetime) -> Met:
        """What `item` meets at `at`; starts are told in their order."""
        while self._ends and self._ends[0].until <= at:
            heapq.heappop(self._ends)
        if item.paused:
            return Met(0)
        if not item.overlaps and any(going.task_id == item.id for going in self._ends):
            return Met(len(self._ends), "itself")
        self.add(Going(at + max(item.usual or _LEAST, _LEAST), item.id, item.pool))
        together = len(self._ends)
        size = None if item.pool is None else self.pools.get(item.pool)
        if size is not None and sum(going.pool == item.pool for going in self._ends) > size:
            return Met(together, "pool")
        return Met(together, "slots" if together > self.max_workers else "")


def going_at(items: Iterable[Item], at: datetime) -> Iterator[Going]:
    """What will be going at `at` of what starts before, were everything to take as long as usual.

    Starts before the next planned one have had their chance: they are not looked at.
    """
    for item in items:
        if item.usual is None or item.usual < _LEAST or item.paused or item.next_run_at >= at:
            continue
        slot = item.times.latest(at - _TICK - item.offset)
        if slot is not None and slot + item.offset + item.usual > at:
            yield Going(slot + item.offset + item.usual, item.id, item.pool)


# --- how many ------------------------------------------------------------------------------------


def starts_by_hour(items: Iterable[Item], edges: Sequence[datetime]) -> list[int]:
    """How many starts lie between each two neighbours of `edges`: the later one is excluded, and
    so is the first of all.

    Thousands of tasks share a schedule: each is counted once.
    """
    shared: dict[tuple[int, timedelta], list[Item]] = {}
    for item in items:
        if not item.paused and item.next_run_at < edges[-1]:
            shared.setdefault((id(item.times), item.offset), []).append(item)
    totals = [0] * (len(edges) - 1)
    first, *others = edges
    for (_, offset), alike in shared.items():
        borders = [first - offset, *(edge - offset - _TICK for edge in others)]
        for hour, count in _by_hour(alike[0].times, borders):
            totals[hour] += count * sum(item.tasks for item in alike)
    return totals


def _by_hour(times: FireTimes, edges: Sequence[datetime]) -> Iterator[tuple[int, int]]:
    """Hours with a fire time, and how many it has; (edge, next edge] by edge."""
    total = times.count(edges[0], edges[-1], _MOST)
    if total > _FEW:
        for hour, (low, high) in enumerate(pairwise(edges)):
            if count := times.count(low, high, _MOST):
                yield hour, count
        return
    at: datetime | None = edges[0]
    for _ in range(total):
        at = times.next_after(at) if at else None
        if at is not None:
            yield next(hour for hour, edge in enumerate(edges[1:]) if at <= edge), 1


# --- as a picture --------------------------------------------------------------------------------


class Scale(NamedTuple):
    """A stretch of time cut into cells of equal length."""

    since: datetime
    until: datetime
    cells: int

    @property
    def step(self) -> timedelta:
        """How long one cell is."""
        return (self.until - self.since) / self.cells

    def cell(self, at: datetime) -> int:
        """The cell of an instant; below 0 or beyond the last one outside the stretch."""
        return int((at - self.since) // self.step)


def starts_by_cell(item: Item, scale: Scale, now: datetime) -> list[datetime]:
    """The starts to come within the scale: of those in one cell the first."""
    found: list[datetime] = []
    at = item.start_after(max(scale.since, now) - _TICK)
    while at is not None and at < scale.until:
        found.append(at)
        end_of_cell = scale.since + (scale.cell(at) + 1) * scale.step
        at = item.start_after(max(at, end_of_cell - _TICK))
    return found


class Span(NamedTuple):
    """Something that has been, or goes on (`until` is None)."""

    run_id: int
    at: datetime
    until: datetime | None
    status: Status
    many: int = 1  # runs, or slots


def fold_spans(spans: Iterable[Span], scale: Scale) -> list[Span]:
    """Spans of one task, oldest first: those that begin in the same cell become one, which shows
    the gravest verdict, the newest run and the last end."""
    folded: dict[int, Span] = {}
    for span in sorted(spans, key=lambda span: span.at):
        if span.at >= scale.until or (span.until is not None and span.until < scale.since):
            continue
        cell = max(0, scale.cell(span.at))
        before = folded.get(cell)
        folded[cell] = span if before is None else _joined(before, span)
    return list(folded.values())


def _joined(one: Span, other: Span) -> Span:
    ends = [span.until for span in (one, other)]
    return Span(
        run_id=max(one.run_id, other.run_id),
        at=min(one.at, other.at),
        until=None if None in ends else max(end for end in ends if end is not None),
        status=min(one.status, other.status, key=gravity),
        many=one.many + other.many,
    )


def gravity(status: Status) -> int:
    """0 for what most needs to be seen."""
    if status in BAD:
        return 0
    if not status.is_final:
        return 1
    return 3 if status is Status.SUCCESS else 2
