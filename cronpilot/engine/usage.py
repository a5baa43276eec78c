"""What the processes of running runs take. Nothing is measured unless somebody asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cronpilot.client.live import RunUsage
from cronpilot.engine.reading import Reader
from cronpilot.storage import agenda

if TYPE_CHECKING:
    import psutil

SLACK_S = 5.0
"""A process that began so long after its run is another one with the same number."""
FORGET_S = 60.0
"""A measurement older than this says nothing of the CPU taken now."""


class UsageMeter:
    """Measures in a thread, and remembers the last time for the CPU taken since."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._before: dict[int, tuple[float, float]] = {}  # run -> when, CPU seconds by then

    async def usage(self) -> list[RunUsage]:
        """Of each run that has a process: CPU, memory and how many processes."""
        running = await self._reader.read(agenda.processes)
        return await asyncio.to_thread(self._measure, running) if running else []

    def _measure(self, running: Iterable[Mapping[Any, Any]]) -> list[RunUsage]:
        children = _children()
        now, measured, found = time.monotonic(), {}, []
        for row in running:
            tree = _tree(row["pid"], row["started_at"].timestamp(), children)
            if not tree:
                continue
            cpu, rss = _sums(tree)
            before = self._before.get(row["id"])
            measured[row["id"]] = (now, cpu)
            found.append(RunUsage(run_id=row["id"], rss=rss, processes=len(tree),
                                  cpu_percent=_percent(before, now, cpu)))  # fmt: skip
        self._before = measured
        return found


def _children() -> dict[int, list[psutil.Process]]:
    import psutil  # takes a while, and is seldom needed

    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"], []).append(process)
    return found


def _tree(
    pid: int, started_at: float, children: Mapping[int, list[psutil.Process]]
) -> list[psutil.Process]:
    """The command of a run and all that descend from it; nothing where it is gone."""
    import psutil

    try:
        first = psutil.Process(pid)
        if first.create_time() > started_at + SLACK_S:
            return []
    except psutil.Error:
        return []
    found, todo = [], [first]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += children.get(process.pid, ())
    return found


def _sums(tree: Iterable[psutil.Process]) -> tuple[float, int]:
    """CPU seconds, with those of children that have ended, and bytes of memory."""
    import psutil

    cpu, rss = 0.0, 0
    for process in tree:
        try:
            with process.oneshot():
                cpu += sum(process.cpu_times()[:4])
                rss += process.memory_info().rss
        except psutil.Error:
            continue  # it has ended meanwhile, or is somebody else's
    return cpu, rss


def _percent(before: tuple[float, float] | None, now: float, cpu: float) -> float | None:
    if before is None or not 0 < now - before[0] < FORGET_S:
        return None
    return max(0.0, round((cpu - before[1]) / (now - before[0]) * 100, 1))
