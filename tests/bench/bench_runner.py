"""What a run of `true` costs through the keeper, beside posix_spawn without and with a shell.

    python tests/bench/bench_runner.py [RUNS]

Eight at a time. CPU is that of this process, the keeper and all commands together. Without a
database: bench_engine adds it. Figures of one machine at one moment: read the ratios.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cronpilot.runner import AttemptKey, Ended, Linked, Local, Report, StartOrder

PARALLEL = 8
ENV = {"PATH": "/usr/bin:/bin"}


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int) -> float:
    """Its own and its reaped children's, in seconds."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")


def row(name: str, runs: int, wall: float, cpu: float) -> None:
    print(f"{name:34} {cpu / runs * 1e3:8.2f} {wall / runs * 1e3:9.2f} {runs / wall:8.0f}")


def spawned(words: list[str]) -> Callable[[int], tuple[float, float]]:
    """posix_spawn and wait, nothing recorded: wall and CPU seconds."""

    def measure(runs: int) -> tuple[float, float]:
        began, cpu = time.perf_counter(), time.process_time() + cpu_of_children()
        going = started = 0
        while started < runs or going:
            while going < PARALLEL and started < runs:
                os.posix_spawn(words[0], words, ENV, setsid=True)
                going, started = going + 1, started + 1
            os.wait()
            going -= 1
        spent = time.process_time() + cpu_of_children() - cpu
        return time.perf_counter() - began, spent

    return measure


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
    await linked.wait()
    keeper = int((state_dir / "keeper.lock").read_text())
    began, cpu = time.perf_counter(), time.process_time() + cpu_of(keeper)
    for _ in range(PARALLEL):
        start_next()
    await ended.wait()
    wall, spent = time.perf_counter() - began, time.process_time() + cpu_of(keeper) - cpu
    link.cancel()
    await asyncio.gather(link, return_exceptions=True)
    return wall, spent


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    os.environ["CRONPILOT_KEEPER_IDLE"] = "0.1"
    print(f"{runs} runs, {PARALLEL} at a time    CPU ms/run  wall ms/run   runs/s")
    row("posix_spawn true", runs, *spawned(["/bin/true"])(runs))
    row("posix_spawn sh -c true", runs, *spawned(["/bin/sh", "-c", "true"])(runs))
    with tempfile.TemporaryDirectory() as folder:
        row("keeper + wrapper, recorded", runs, *asyncio.run(through_keeper(runs, Path(folder))))
        time.sleep(0.5)  # the keeper leaves its directory


if __name__ == "__main__":
    main()
