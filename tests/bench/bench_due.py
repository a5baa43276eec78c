"""Many tasks due at once, and many minutely tasks after a year off.

    python tests/bench/bench_due.py

Recorded means: rows that another process can read. The bare limit is the same rows written into
the same tables by sqlite3 alone, in as many transactions, each flushed to disk. A block of the loop
is the longest time for which a task of it that wants to run every 2 ms did not; of that, "own CPU"
is what the loop's thread itself used, the rest is waiting for a core or for another thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import SECOND, Command, Row, headless, make_tasks, own_cpu, watch_rows

from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.engine.scheduling.job_store import PASS
from cronpilot.storage.migrate import prepare

YEAR = timedelta(days=365)
KINDS = 60  # of schedule, policies and the like among tasks that are due in the same second
_QUEUED = """
    INSERT INTO run (task_id, task_version, "trigger", scheduled_for, folded_count, status, detail,
                     priority, attempts, launches, queued_at, actor)
    VALUES (?, 1, 'schedule', 1, 1, 'queued', '', 0, 0, 0, 1, '')
"""


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


def bare_inserts(state_dir: Path, count: int) -> float:
    """Seconds for the same rows in the same tables, by executemany of sqlite3 alone."""
    path = make_tasks(state_dir, count)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
    began = time.perf_counter()
    for first in range(1, count + 1, PASS):
        ids = [(task,) for task in range(first, min(first + PASS, count + 1))]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_QUEUED, ids)
        connection.executemany("UPDATE task SET next_run_at = 2 WHERE id = ?", ids)
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    path.unlink()
    return took


def mix(database: Path, kinds: int) -> None:
    """Let the tasks be of so many kinds: schedules, policies, priorities and pools."""
    connection = sqlite3.connect(database)
    (count,) = connection.execute("SELECT count(*) FROM task").fetchone()
    connection.executemany(
        "UPDATE task SET resolved = ?, overlap = ?, missed = ?, priority = ?, pool = ?"
        " WHERE id = ?",
        (
            (
                f"{n % kinds} 2 * * *", ("skip", "queue", "allow")[n % kinds % 3],
                ("skip", "once", "all")[n % kinds % 3], n % 5, "db" if n % 7 == 0 else None, n + 1,
            )
            for n in range(count)
        ),
    )  # fmt: skip
    connection.commit()
    connection.close()


async def all_due(state_dir: Path, count: int, kinds: int = 1) -> tuple[float, float, LoopWatch]:
    """Wall and CPU seconds from the due moment until all is recorded, and how the loop fared."""
    prepare(state_dir / "cronpilot.db")
    due = datetime.now(UTC) + (6 + count // 1500) * SECOND
    database = make_tasks(
        state_dir, count, schedule="30 2 * * *", resolved="30 2 * * *", next_run_at=due
    )  # fmt: skip
    if kinds > 1:
        mix(database, kinds)
    engine = Engine(EngineConfig(state_dir, database, None, "UTC"))
    await engine.start()
    with watch_rows(database, count) as recorded:
        wait = (due - datetime.now(UTC)).total_seconds()
        assert wait > 0.5, "the machine is too slow for this: it would be a catch-up"
        await asyncio.sleep(wait - 0.1)
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
    for count, budget, kinds in ((1000, 0.1, 1), (10_000, 1.0, 1), (10_000, 1.0, KINDS)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            bare = bare_inserts(Path(folder), count)
            took, cpu, watch = asyncio.run(all_due(Path(folder), count, kinds))
        what = f"{count:,} tasks due in one second" + (f", of {kinds} kinds" if kinds > 1 else "")
        yield Row(
            f"{what}: recorded", took, "s", budget, bare, f"CPU {cpu:.2f} s with the first runs"
        )
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
    Command(__doc__).show(lambda _: rows())
