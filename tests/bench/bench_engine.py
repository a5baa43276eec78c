"""What a whole durable run of `true` costs through a real engine, beside `sh -c true` alone.

    python tests/bench/bench_engine.py [RUNS]

CPU is that of engine, keeper, wrappers and commands together, from the moment the tasks are due
until the last final row is committed.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from measuring import (
    SECOND,
    Command,
    Row,
    count_rows,
    cpu_of,
    cpu_of_children,
    keeper_of,
    make_tasks,
    own_cpu,
)  # fmt: skip

from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.storage.migrate import prepare

PARALLEL = 8


def spawned(words: list[str], runs: int) -> tuple[float, float]:
    """posix_spawn and wait, eight at a time, nothing recorded: wall and CPU seconds."""
    began, cpu = time.perf_counter(), own_cpu() + cpu_of_children()
    going = started = 0
    while started < runs or going:
        while going < PARALLEL and started < runs:
            os.posix_spawn(words[0], words, {"PATH": "/usr/bin:/bin"}, setsid=True)
            going, started = going + 1, started + 1
        os.wait()
        going -= 1
    return time.perf_counter() - began, own_cpu() + cpu_of_children() - cpu


async def durable(state_dir: Path, runs: int) -> tuple[float, float, float]:
    """Wall and CPU seconds of all runs, and the engine's own part."""
    prepare(state_dir / "cronpilot.db")
    due = datetime.now(UTC) + 3 * SECOND
    database = make_tasks(
        state_dir, runs, schedule="once 2026-01-01 00:00", resolved=due.isoformat(),
        next_run_at=due,
    )  # fmt: skip
    engine = Engine(EngineConfig(state_dir, database, None, "UTC", max_workers=PARALLEL))
    await engine.start()
    await asyncio.sleep(1)
    keeper = keeper_of(state_dir)
    wait = (due - datetime.now(UTC)).total_seconds()
    assert wait > 0, "the machine is too slow for this"
    await asyncio.sleep(wait - 0.02)
    began = time.perf_counter()
    own, others = own_cpu(), cpu_of(keeper)
    while await asyncio.to_thread(count_rows, database, "status = 'success'") < runs:
        await asyncio.sleep(0.05)
    wall, own, others = (
        time.perf_counter() - began, own_cpu() - own, cpu_of(keeper) - others,
    )  # fmt: skip
    await engine.stop()
    return wall, own + others, own


def rows(runs: int = 1000) -> Iterator[Row]:
    bare_wall, bare_cpu = spawned(["/bin/sh", "-c", "true"], runs)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        wall, cpu, own = asyncio.run(durable(Path(folder), runs))
    yield Row("CPU of a durable run of true", cpu / runs * 1e3, "ms", 3.5, bare_cpu / runs * 1e3)
    yield Row("  of which the engine's process", own / runs * 1e3, "ms")
    yield Row(f"durable runs, {PARALLEL} at a time", runs / wall, "runs/s", 500, runs / bare_wall)


if __name__ == "__main__":
    command = Command(__doc__, "300 runs")
    command.add_argument("runs", nargs="?", type=int, default=1000)
    command.show(lambda asked: rows(300 if asked.quick else asked.runs))
