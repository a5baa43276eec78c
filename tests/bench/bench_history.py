"""Pages of a history of a million runs, or of as many as one says.

    python tests/bench/bench_history.py [RUNS]

Each figure is the slowest of some pages, as an engine reads them before they are sent. The bare
limit is the same page by sqlite3 alone: one SELECT of whole rows, by hand, in the best index.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measuring import Command, Row, make_tasks, say

from cronpilot.client.messages import RunQuery
from cronpilot.client.quiet import QuietTime
from cronpilot.domain.run import Status
from cronpilot.engine.health import HealthReport
from cronpilot.engine.reading import Reader
from cronpilot.engine.views import Congestion
from cronpilot.storage import history
from cronpilot.storage.database import Connection, Database

TASKS, RUNS, BETWEEN = 1_000, 1_000_000, timedelta(seconds=30)
FIRST = datetime(2025, 3, 1, tzinfo=UTC)
STATUSES = ["success"] * 94 + ["failed", "failed", "timeout", "skipped", "skipped", "missed"]
BUDGET_MS = 50.0


def fill(folder: Path, runs: int) -> Path:
    """Runs every 30 s; every second one is of task 1, the others go round."""
    path = make_tasks(folder, TASKS)
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO run (task_id, task_version, trigger, scheduled_for, folded_count, status,"
        " detail, priority, attempts, launches, queued_at, started_at, finished_at, exit_code,"
        " log_size, actor)"
        " VALUES (?, 1, 'schedule', ?, 1, ?, '', 0, 1, 1, ?, ?, ?, 0, 200, '')",
        (_run(number) for number in range(runs)),
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    return path


def _run(number: int) -> tuple[int, int, str, int, int, int]:
    at = round((FIRST + BETWEEN * number).timestamp() * 1e6)
    task = 1 if number % 2 else 2 + number // 2 % (TASKS - 1)
    return task, at, STATUSES[number // 7 % 100], at, at, at


def slowest(ask: Callable[[int], object], places: list[int]) -> float:
    """Milliseconds; each place once to warm up and once to count."""
    found = []
    for place in places:
        ask(place)
        before = time.perf_counter()
        ask(place)
        found.append((time.perf_counter() - before) * 1000)
    return max(found)


async def no_quiet_times() -> list[QuietTime]:
    return []


def rows(runs: int = RUNS) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        say(f"Writing {runs:,} runs ...")
        path = fill(Path(folder), runs)
        database = Database(path)
        bare = sqlite3.connect(path)
        reader = Reader(database, Path(folder), lambda: FIRST, lambda _: Congestion(max_workers=1))
        places = [runs + 1, runs // 2, 5_000]
        middle = FIRST + BETWEEN * (runs // 2)

        def ours(filters: dict[str, Any]) -> float:
            def ask(before: int) -> object:
                query = RunQuery(before=before, limit=200, **filters)

                def read(connection: Connection) -> object:
                    found, _ = history.page(connection, query)
                    return reader.run_views(connection, found)

                return database.read(read)

            return slowest(ask, places)

        def theirs(where: str, *values: object) -> float:
            asked = f"SELECT * FROM run WHERE {where} AND id < ? ORDER BY id DESC LIMIT 200"
            return slowest(lambda before: bare.execute(asked, (*values, before)).fetchall(), places)

        kinds: list[tuple[str, dict[str, Any], str]] = [
            ("everything", {}, "1"),
            ("one task of every second run", {"task_id": 1}, "task_id = 1"),
            ("one task of every 2,000th run", {"task_id": 77}, "task_id = 77"),
            ("one verdict", {"status": [Status.MISSED]}, "status = 'missed'"),
            ("failures", {"bad": True}, "status IN ('failed', 'timeout', 'lost', 'error')"),
            ("failures of a task", {"task_id": 77, "bad": True},
             "task_id = 77 AND status IN ('failed', 'timeout', 'lost', 'error')"),
            ("tasks by text, 1 found", {"text": "00076"}, "task_id = 77"),
            ("tasks by text, all found", {"text": "task"}, "1"),
            ("since the middle", {"since": middle}, f"id >= {runs // 2}"),
        ]  # fmt: skip
        for name, filters, where in kinds:
            yield Row(f"a page of {runs:,}: {name}", ours(filters), "ms",
                      BUDGET_MS, theirs(where))  # fmt: skip
        report = HealthReport(reader, path, Path(folder), now=lambda: FIRST + BETWEEN * runs,
                              engine=lambda: None, banners=list, quiet=no_quiet_times)  # fmt: skip
        took = slowest(lambda _: asyncio.run(report.read()), [0])
        yield Row(f"health, {runs:,} runs", took, "ms")
        bare.close()
        database.close()


if __name__ == "__main__":
    command = Command(__doc__, "100,000 runs")
    command.add_argument("runs", nargs="?", type=int, default=RUNS)
    command.show(lambda asked: rows(100_000 if asked.quick else asked.runs))
