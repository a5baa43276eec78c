"""What being told costs those who have nothing to tell, and those who do.

    python tests/bench/bench_telling.py

The end of a run is the UPDATE that makes it final, in one transaction of 5,000, with the triggers
that note what somebody may have to hear of; beside it the same without them. A look is one pass
over what goes on with 10,000 tasks, all with a history, of which 200 run.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import Command, Row, make_tasks

from cronpilot.engine import alarms
from cronpilot.engine.concerns import MOST_AT_ONCE
from cronpilot.engine.incidents import Judge, Telling
from cronpilot.engine.usual import Usuals
from cronpilot.notify.rules import Defaults
from cronpilot.storage import incidents
from cronpilot.storage.database import Connection, Database

RUNS = 5_000
TASKS, GOING, HISTORY = 10_000, 200, 20
TELLING = Telling(Defaults(to=["ops@example.org"]))
_RUN = (
    'INSERT INTO run (task_id, task_version, "trigger", folded_count, status, detail, priority,'
    " attempts, launches, queued_at, started_at, finished_at, scheduled_for, actor)"
    " VALUES (?, 1, 'schedule', 1, ?, '', 0, 1, 1, ?, ?, ?, ?, '')"
)


def micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def ends(path: Path, status: str) -> float:
    """Microseconds of CPU for the end of a run."""
    connection = sqlite3.connect(path, isolation_level=None)
    now = micros(datetime.now(UTC))
    connection.execute("BEGIN")
    connection.executemany(
        _RUN, ((1 + n % 1000, "running", now, now, None, None) for n in range(RUNS))
    )
    connection.execute("COMMIT")
    ids = [row[0] for row in connection.execute("SELECT id FROM run WHERE status = 'running'")]
    began = time.process_time()
    connection.execute("BEGIN")
    connection.executemany(
        "UPDATE run SET status = ?, finished_at = ? WHERE id = ?", ((status, now, n) for n in ids)
    )
    connection.execute("COMMIT")
    took = time.process_time() - began
    connection.close()
    return took / RUNS * 1e6


def without_triggers(path: Path) -> None:
    connection = sqlite3.connect(path)
    for name in ("news_of_end_insert", "news_of_end_update", "news_of_start"):
        connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()


def judged(path: Path) -> tuple[float, float]:
    """Microseconds of CPU for judging a failure, and milliseconds for the longest transaction."""
    database = Database(path)
    usuals, longest, began = Usuals(), 0.0, time.process_time()

    def write(connection: Connection) -> None:
        judge = Judge(connection, TELLING, usuals, datetime.now(UTC))
        judge.news(incidents.unjudged(connection, MOST_AT_ONCE))
        judge.finish()

    while database.read(incidents.has_news):
        one = time.perf_counter()
        database.write(write).result()
        longest = max(longest, time.perf_counter() - one)
    took = time.process_time() - began
    database.close()
    return took / RUNS * 1e6, longest * 1e3


def fill(path: Path) -> None:
    """A history for every task, and some that go on."""
    connection = sqlite3.connect(path, isolation_level=None)
    now = datetime.now(UTC)
    connection.execute("BEGIN")
    for back in range(HISTORY, 0, -1):
        at = micros(now - back * timedelta(hours=1))
        end = at + 600_000_000
        connection.executemany(
            _RUN, ((task, "success", at, at, end, at) for task in range(1, TASKS + 1))
        )
    began = micros(now - timedelta(minutes=15))
    connection.executemany(
        _RUN, ((task, "running", began, began, None, began) for task in range(1, GOING + 1))
    )
    connection.execute("UPDATE task SET successes = ?", (HISTORY,))
    connection.execute("COMMIT")
    connection.close()


def looks(path: Path) -> tuple[float, float]:
    """Milliseconds of CPU for the first look, and for one of those that follow."""
    database, usuals = Database(path), Usuals()

    def look() -> float:
        began = time.process_time()
        now = datetime.now(UTC)
        database.read(lambda c: alarms.look(c, TELLING, usuals, now, silence=True))
        return (time.process_time() - began) * 1e3

    first = look()
    later = min(look() for _ in range(20))
    database.close()
    return first, later


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"plain": 1000, "noted": 1000, "many": TASKS}
        plain, noted, many = (database(Path(folder) / name, n) for name, n in sizes.items())
        without_triggers(plain)
        for status in ("success", "failed"):
            yield Row(f"the end of a run: {status}", ends(noted, status), "us CPU",
                      limit=ends(plain, status), note="bare: without triggers")  # fmt: skip
        each, longest = judged(noted)
        yield Row("judging a failure", each, "us CPU")
        yield Row("its longest transaction", longest, "ms")
        fill(many)
        first, later = looks(many)
        yield Row("the first look, 10,000 tasks, 200 run", first, "ms CPU")
        yield Row("a look, every 15 s", later, "ms CPU")


def database(folder: Path, count: int) -> Path:
    """One with so many tasks."""
    folder.mkdir()
    return make_tasks(folder, count)


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
