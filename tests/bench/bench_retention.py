"""Forgetting 90,000 of 100,000 runs with their logs, beside an engine's writes.

    python tests/bench/bench_retention.py

The longest wait is that of a write which is handed in every 5 ms while the pass goes on: what the
pass adds to the time that the start of a run takes. Beside it: the same without a pass. The bare
limit is one DELETE by sqlite3 alone, in one transaction, of the same rows without their logs.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import Command, Row, make_tasks

from cronpilot.config.settings import RetentionSettings
from cronpilot.engine.retention import Pass
from cronpilot.runner.paths import log_path
from cronpilot.storage import meta
from cronpilot.storage.database import Database

TASKS, RUNS, KEPT = 100, 100_000, 100  # KEPT: of each task
ALONE_S = 5  # for which nothing else goes on
LOG = b"x" * 200


def make_runs(state_dir: Path) -> Path:
    """Runs of the last 60 days, one in ten a failure, each with an attempt and a small log."""
    path = make_tasks(state_dir, TASKS)
    first = datetime.now(UTC) - timedelta(days=60)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("BEGIN")
    for number in range(1, RUNS + 1):
        task, status = 1 + number % TASKS, "failed" if number % 10 == 0 else "success"
        at = round((first + timedelta(seconds=50 * number)).timestamp() * 1e6)
        connection.execute(
            "INSERT INTO run (id, task_id, task_version, trigger, scheduled_for, folded_count,"
            " status, detail, priority, attempts, launches, queued_at, started_at, finished_at,"
            " log_size, actor)"
            " VALUES (?, ?, 1, 'schedule', ?, 1, ?, '', 0, 1, 1, ?, ?, ?, 200, '')",
            (number, task, at, status, at, at, at),
        )
        connection.execute(
            "INSERT INTO attempt (run_id, launch, number, boot_id, requested_at)"
            " VALUES (?, 1, 1, '', ?)",
            (number, at),
        )
    connection.execute("COMMIT")
    connection.close()
    return path


def make_logs(state_dir: Path) -> None:
    for number in range(1, RUNS + 1):
        log = log_path(state_dir, 1 + number % TASKS, number)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(LOG)


class Writing:
    """Hands a small write in every 5 ms, in a thread; knows the longest wait for a commit."""

    def __init__(self, database: Database) -> None:
        self._database, self._stop = database, threading.Event()
        self.longest = 0.0
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        while not self._stop.wait(0.005):
            began = time.perf_counter()
            self._database.write(lambda c: meta.put(c, "bench", "1")).result()
            self.longest = max(self.longest, time.perf_counter() - began)

    def __enter__(self) -> Writing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def bare_delete(path: Path) -> float:
    """Seconds for the oldest rows, by sqlite3 alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    last = RUNS - TASKS * KEPT
    connection.execute("DELETE FROM attempt WHERE run_id <= ?", (last,))
    connection.execute("DELETE FROM run WHERE id <= ?", (last,))
    connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def forget(state_dir: Path, rules: RetentionSettings) -> tuple[float, float, Pass]:
    """Seconds of a pass, the longest wait of a write meanwhile, and what was done."""
    database = Database(state_dir / "cronpilot.db")
    job = Pass(database, state_dir, rules, datetime.now(UTC))
    with Writing(database) as writing:
        began = time.perf_counter()
        job.run()
        took = time.perf_counter() - began
    database.close()
    return took, writing.longest, job


def quiet(state_dir: Path, seconds: float) -> float:
    """The longest wait of a write while nothing else goes on."""
    database = Database(state_dir / "cronpilot.db")
    with Writing(database) as writing:
        time.sleep(seconds)
    database.close()
    return writing.longest


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bare_dir, state_dir = Path(folder) / "bare", Path(folder) / "state"
        for each in (bare_dir, state_dir):
            each.mkdir()
            make_runs(each)
        make_logs(state_dir)
        alone = quiet(state_dir, ALONE_S)
        nothing, _, _ = forget(state_dir, RetentionSettings())
        took, longest, job = forget(state_dir, RetentionSettings(runs=KEPT))
        bare = bare_delete(bare_dir / "cronpilot.db")
    yield Row("retention: 100,000 runs and logs looked over, none goes", nothing, "s")
    yield Row(
        f"retention: {job.done.runs:,} of 100,000 runs and their logs go", took, "s", None, bare
    )
    yield Row("  the longest wait of a write meanwhile", longest * 1e3, "ms", None, alone * 1e3)


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
