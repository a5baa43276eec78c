"""The engine in numbers, for those who watch many of them (Prometheus)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cronpilot.client.messages import EngineStatus
from cronpilot.client.users import PoolView
from cronpilot.engine.tally import Tally
from cronpilot.errors import StorageProblem

if TYPE_CHECKING:
    from cronpilot.engine.reading import Reader

_WATCHED_S = 300.0  # the loop is watched for so long after the last question
_EACH_S = 0.5
_WRITE_S = 5.0


class Figures(NamedTuple):
    """One moment of an engine."""

    status: EngineStatus
    pools: Sequence[PoolView]
    tally: Tally
    tasks: Sequence[Mapping[Any, Any]]  # rows of storage.measures.of_tasks
    loop_lag_s: float  # the longest since the last question
    write_s: float | None  # how long an empty transaction took; None: longer than is waited for
    clock_age_s: float  # since the scheduler last looked at what is due
    keeper_linked: bool
    listeners: int
    database_bytes: int
    disk_free_bytes: int


class Sources(NamedTuple):
    """Where the numbers come from."""

    status: Callable[[], Awaitable[EngineStatus]]
    pools: Callable[[], Awaitable[Sequence[PoolView]]]
    write: Callable[[Callable[[Any], None]], Awaitable[None]]
    clock_age_s: Callable[[], float]
    keeper_linked: Callable[[], bool]
    listeners: Callable[[], int]


class Gauge:
    """Takes the numbers of one engine."""

    def __init__(
        self, sources: Sources, tally: Tally, reader: Reader, state_dir: Path, database: Path
    ) -> None:
        self._sources, self._tally, self._reader = sources, tally, reader
        self._state_dir, self._database = state_dir, database
        self._lag = LoopLag()

    async def figures(self, most_tasks: int) -> Figures:
        """All numbers now, with those of at most so many tasks."""
        sources = self._sources
        await self._tally.settle()
        from cronpilot.storage import measures  # the API is loaded without the database

        tasks = await self._reader.read(lambda c: measures.of_tasks(c, most_tasks))
        disk = os.statvfs(self._state_dir)
        return Figures(
            status=await sources.status(), pools=await sources.pools(), tally=self._tally,
            tasks=tasks, loop_lag_s=self._lag.longest_s(), write_s=await self._write_s(),
            clock_age_s=sources.clock_age_s(), keeper_linked=sources.keeper_linked(),
            listeners=sources.listeners(),
            database_bytes=_size(self._database) + _size(Path(f"{self._database}-wal")),
            disk_free_bytes=disk.f_bavail * disk.f_frsize,
        )  # fmt: skip

    async def _write_s(self) -> float | None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_WRITE_S):
                await self._sources.write(lambda _: None)
        except (TimeoutError, StorageProblem):
            return None
        return time.perf_counter() - began

    def close(self) -> None:
        self._lag.close()


class LoopLag:
    """How late the loop comes to what is due; watched only while somebody asks."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._asked_at = 0.0
        self._watching: asyncio.Task[None] | None = None

    def longest_s(self) -> float:
        """Since the last question; 0 at the first."""
        self._asked_at = time.monotonic()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        longest, self._longest_s = self._longest_s, 0.0
        return longest

    def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self) -> None:
        while time.monotonic() - self._asked_at < _WATCHED_S:
            began = time.monotonic()
            await asyncio.sleep(_EACH_S)
            self._longest_s = max(self._longest_s, time.monotonic() - began - _EACH_S)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
