"""What short commands, and a screen whose engine starts, read of a database: in SQL of their own.

SQLAlchemy and the tables take longer to load than all of these statements together. They say the
same as `tasks.page`, `history.page`, `tasks.totals` ...: a test holds both against each other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cronpilot.domain.run import ACTIVE, BAD
from cronpilot.storage.peek import HEAD

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_S = 5.0
_OPEN = " OR ".join(f"status = '{status}'" for status in ACTIVE)
_BAD = ", ".join(f"'{status}'" for status in BAD)

_TASKS = """
    SELECT t.id, t.name, t.schedule, t.resolved, t.active, t.next_run_at, t.paused_at,
           t.paused_until, r.id AS last_id, r.status AS last_status, r.exit_code AS last_exit_code
    FROM task t LEFT JOIN run r ON r.id = t.last_run_id
    WHERE t.archived_at IS NULL ORDER BY t.id
"""
_PAGE = """
    SELECT t.id, t.name, t.tags, t.pool, t.schedule, t.resolved, t.zone_key, t.quiet_key, t.active,
           t.next_run_at, t.paused_at, t.paused_until, t.runs, t.successes, t.duration_ms,
           t.last_verdicts, t.version, r.id AS last_id, r.status AS last_status,
           r.reason AS last_reason, r.scheduled_for AS last_scheduled_for,
           r.started_at AS last_started_at, r.finished_at AS last_finished_at,
           r.exit_code AS last_exit_code
    FROM task t LEFT JOIN run r ON r.id = t.last_run_id
    WHERE t.archived_at IS NULL ORDER BY t.id LIMIT :limit OFFSET :offset
"""
_COUNT = "SELECT count(*) AS total FROM task WHERE archived_at IS NULL"
_RUNS = """
    SELECT r.id, r.task_id, t.name AS task_name, r.scheduled_for, r.status, r.reason, r.detail,
           r.exit_code, r.signal, r.attempts, r.folded_count, r.log_removed, r.queued_at,
           r.started_at, r.finished_at,
           CASE WHEN r.beside THEN 0
                ELSE coalesce(json_extract(r.spec, '$.max_retries'), t.max_retries)
           END AS max_retries
    FROM run r {index} JOIN task t ON t.id = r.task_id {where} ORDER BY r.id DESC LIMIT :limit
"""
_RUNS_OF_ALL = _RUNS.format(index="NOT INDEXED", where="")
_RUNS_OF_TASK = _RUNS.format(index="INDEXED BY run_task", where="WHERE r.task_id = :task")
_TASK_NAMED = "SELECT id FROM task WHERE name = :name AND archived_at IS NULL"
_TASK_OF_ID = "SELECT id FROM task WHERE id = :id AND archived_at IS NULL"
_TOTALS = f"""
    SELECT count(*) AS total_tasks, coalesce(sum(t.active), 0) AS active_tasks,
           count(t.next_run_at) AS scheduled_tasks,
           coalesce(sum(r.status IN ({_BAD})), 0) AS failing_tasks
    FROM task t LEFT JOIN run r ON r.id = t.last_run_id WHERE t.archived_at IS NULL
"""
_SOONEST = """
    SELECT next_run_at, name AS next_task FROM task
    WHERE next_run_at IS NOT NULL AND paused_at IS NULL AND archived_at IS NULL
    ORDER BY next_run_at LIMIT 1
"""
_OPEN_RUNS = f"SELECT status, count(*) AS n FROM run WHERE ({_OPEN}) GROUP BY status"
_PAUSE = "SELECT key, value FROM setting WHERE key LIKE 'scheduler\\_paused\\_%' ESCAPE '\\'"


class PlainReader:
    """One read-only snapshot of a database.

    Raises:
        sqlite3.Error: it cannot be read.
        LookupError: it has another schema.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        if self._one("SELECT version_num AS found FROM alembic_version").get("found") != HEAD:
            raise LookupError

    def tasks(self) -> list[dict[str, Any]]:
        """All live tasks, by id, with their last run."""
        return self._all(_TASKS)

    def page(self, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Live tasks by id, with their last run; and how many there are in all."""
        total = int(self._one(_COUNT)["total"])
        return self._all(_PAGE, offset=offset, limit=limit), total

    def task_id(self, name: str) -> int:
        """The live task of that name, else (all digits) of that id. Raises LookupError."""
        found = self._one(_TASK_NAMED, name=name)
        if not found and name.isascii() and name.isdigit() and len(name) < 16:
            found = self._one(_TASK_OF_ID, id=int(name))
        return int(found["id"])

    def runs(self, task_id: int | None, limit: int) -> list[dict[str, Any]]:
        """The newest runs, newest first. Served by the ids, or by the index `run_task`."""
        if task_id is None:
            return self._all(_RUNS_OF_ALL, limit=limit)
        return self._all(_RUNS_OF_TASK, limit=limit, task=task_id)

    def figures(self) -> dict[str, Any]:
        """The figures of `client.messages.EngineStatus`."""
        counts = {row["status"]: row["n"] for row in self._all(_OPEN_RUNS)}
        pause = {row["key"]: row["value"] for row in self._all(_PAUSE)}
        return {
            **self._one(_TOTALS),
            **({"next_run_at": None, "next_task": None} | self._one(_SOONEST)),
            "running": counts.get("running", 0) + counts.get("starting", 0),
            "queued": counts.get("queued", 0),
            "retrying": counts.get("retrying", 0),
            "paused": "scheduler_paused_at" in pause,
            "paused_until": pause.get("scheduler_paused_until"),
        }

    def _one(self, statement: str, **values: Any) -> dict[str, Any]:
        return next(iter(self._all(statement, **values)), {})

    def _all(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        cursor = self._connection.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [
            {name: _value(name, value) for name, value in zip(names, row, strict=True)}
            for row in cursor
        ]


@contextmanager
def reading(path: Path, busy_s: float = _BUSY_S) -> Iterator[PlainReader]:
    """A snapshot of the database at `path`, while the block lasts."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        yield PlainReader(connection)
    finally:
        connection.close()


def _value(name: str, value: Any) -> Any:
    """Instants lie in columns as microseconds: see `columns`."""
    if isinstance(value, int) and name.endswith(("_at", "scheduled_for", "paused_until")):
        return _EPOCH + timedelta(microseconds=value)
    return value
