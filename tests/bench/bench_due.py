"""Many tasks due at once, and many minutely tasks after a year off.

    python tests/bench/bench_due.py

Recorded means: rows that another process can read. The bare limit is the same number of rows
written by sqlite3 alone in transactions of 200, each flushed to disk. A block of the loop is the
longest time for which a task of it that wants to run every 2 ms did not; of that, "own CPU" is what
the loop's thread itself used, the rest is waiting for a core or for another thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import SECOND, Row, headless, make_tasks, own_cpu, show, watch_rows

from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.storage.migrate import prepare

YEAR = timedelta(days=365)


class LoopWatch:
    """The longest block of the loop it runs in."""

    def __init__(self) -> None:
        self.wall = self.own = 0.0

    async def run(self) -> None:
        while True:
            began, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.002)
            wall, own = time.perf_counter() - began, time.thread_time() - cpu
            if wall > self.wall:
                self.wall, self.own = wall, own


def bare_inserts(folder: Path, count: int) -> float:
    """Seconds for as many rows with an index and two updates of next_run_at, by sqlite3 alone."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE task (id INTEGER PRIMARY KEY, next_run_at INTEGER);"
        "CREATE TABLE run (id INTEGER PRIMARY KEY, task_id, at, status, UNIQUE (task_id, at));"
    )
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO task VALUES (?, 1)", ((n,) for n in range(count)))
    connection.execute("COMMIT")
    began = time.perf_counter()
    for first in range(0, count, 200):
        ids = range(first, min(first + 200, count))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE task SET next_run_at = 2 WHERE id = ?", ((n,) for n in ids))
        connection.executemany(
            "INSERT INTO run (task_id, at, status) VALUES (?, 1, 'queued')", ((n,) for n in ids)
        )
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


async def all_due(state_dir: Path, count: int) -> tuple[float, float, LoopWatch]:
    """Wall and CPU seconds from the due moment until all is recorded, and how the loop fared."""
    prepare(state_dir / "cronpilot.db")
    due = datetime.now(UTC) + (3 + count // 5000) * SECOND
    database = make_tasks(
        state_dir, count, schedule="30 2 * * *", resolved="30 2 * * *", next_run_at=due
    )  # fmt: skip
    engine = Engine(EngineConfig(state_dir, database, None, "UTC"))
    await engine.start()
    with watch_rows(database, count) as recorded:
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds() - 0.1)
        watch = LoopWatch()
        watching = asyncio.create_task(watch.run())
        cpu = own_cpu()
        at = await asyncio.to_thread(recorded)
        cpu = own_cpu() - cpu
    watching.cancel()
    engine.stopped.set()
    await engine.stop()
    return at - due.timestamp(), cpu, watch


def after_a_year(state_dir: Path, count: int) -> tuple[float, float]:
    """Seconds from the process's start until it is ready, and until all is recorded."""
    then = datetime.now(UTC).replace(second=0, microsecond=0) - YEAR
    database = make_tasks(
        state_dir, count, schedule="* * * * *", resolved="* * * * *", next_run_at=then
    )
    with watch_rows(database, 2 * count) as recorded:  # one folded row and one catch-up for each
        began = time.time()
        with headless(state_dir) as (_, ready):
            return ready, recorded() - began


def rows() -> Iterator[Row]:
    for count, budget in ((1000, 0.1), (10_000, 1.0)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            bare = bare_inserts(Path(folder), count)
            took, cpu, watch = asyncio.run(all_due(Path(folder), count))
        yield Row(
            f"{count:,} tasks due in one second: recorded", took, "s", budget, bare,
            f"CPU {cpu:.2f} s with the first runs",
        )  # fmt: skip
        yield Row(
            "  the loop's longest block meanwhile", watch.wall * 1e3, "ms", 50, None,
            f"own CPU {watch.own * 1e3:.0f} ms",
        )  # fmt: skip
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        empty = Path(folder) / "empty"
        empty.mkdir()
        make_tasks(empty, 1)
        with headless(empty) as (_, bare):
            pass
        full = Path(folder) / "full"
        full.mkdir()
        ready, recorded = after_a_year(full, 1000)
    yield Row("1,000 minutely tasks after a year off: ready", ready, "s", 1.0, bare, "bare: 1 task")
    yield Row("  and everything recorded", recorded, "s")


if __name__ == "__main__":
    show(rows())
