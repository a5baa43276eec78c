"""What a run of `true` costs through the keeper alone, beside posix_spawn without and with a shell.

    python tests/bench/bench_runner.py [RUNS]

Eight at a time. CPU is that of this process, the keeper and all commands together. Without a
database: bench_engine adds it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench_engine import PARALLEL, spawned
from measuring import Command, Row, cpu_of, keeper_of

from cronpilot.runner import AttemptKey, Ended, Linked, Local, Report, StartOrder

ENV = {"PATH": "/usr/bin:/bin"}


async def through_keeper(runs: int, state_dir: Path) -> tuple[float, float]:
    ended = asyncio.Event()
    linked = asyncio.Event()
    left = iter(range(runs))
    done = 0

    def start_next() -> None:
        number = next(left, None)
        if number is not None:
            local.start(StartOrder(AttemptKey(number, 1), 1, ["true"], ENV, "/"))

    def heard(report: Report) -> None:
        nonlocal done
        if isinstance(report, Linked):
            linked.set()
        elif isinstance(report, Ended):
            assert report.exit_code == 0, report
            local.forget([report.key])
            done += 1
            start_next()
            if done == runs:
                ended.set()

    local = Local(state_dir, "bench", heard)
    link = asyncio.create_task(local.run())
    async with asyncio.timeout(60):
        await linked.wait()
    keeper = keeper_of(state_dir)
    began, cpu = time.perf_counter(), time.process_time() + cpu_of(keeper)
    for _ in range(PARALLEL):
        start_next()
    async with asyncio.timeout(600):
        await ended.wait()
    wall, spent = time.perf_counter() - began, time.process_time() + cpu_of(keeper) - cpu
    link.cancel()
    await asyncio.gather(link, return_exceptions=True)
    return wall, spent


def rows(runs: int = 1000) -> Iterator[Row]:
    os.environ["CRONPILOT_KEEPER_IDLE"] = "0.1"
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(through_keeper(runs, Path(folder)))
        time.sleep(0.5)  # the keeper leaves its directory
    for what, (wall, cpu) in (
        ("posix_spawn of `true`", spawned(["/bin/true"], runs)),
        ("posix_spawn of `sh -c true`", spawned(["/bin/sh", "-c", "true"], runs)),
        ("keeper and wrapper, recorded", kept),
    ):
        yield Row(f"{what}: CPU of a run", cpu / runs * 1e3, "ms", note=f"{runs / wall:.0f} runs/s")


if __name__ == "__main__":
    command = Command(__doc__, "300 runs")
    command.add_argument("runs", nargs="?", type=int, default=1000)
    command.show(lambda asked: rows(300 if asked.quick else asked.runs))
