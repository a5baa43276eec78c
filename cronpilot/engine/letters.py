"""What waits in the outbox, made into messages: the facts of the run, and the end of its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cronpilot.domain.incident import Fault, Word
from cronpilot.engine.views import average_s
from cronpilot.notify.message import Told, secrets_of, tail
from cronpilot.runner.logs import read_slice
from cronpilot.runner.paths import log_path
from cronpilot.storage import run_views, tasks
from cronpilot.storage.database import Connection, Database

TAIL_BYTES, SHORT_TAIL_BYTES = 65_536, 2_048  # of output, in a message about one run, and many

Row = Mapping[Any, Any]


def told_of(database: Database, rows: Sequence[Row], state_dir: Path) -> list[Told]:
    """What these rows of the outbox say, with what is known of their runs by now. Blocks."""

    def read(connection: Connection) -> tuple[dict[int, Row], dict[int, Row]]:
        run_ids = sorted({row["run_id"] for row in rows if row["run_id"] is not None})
        task_ids = sorted({row["task_id"] for row in rows if row["task_id"] is not None})
        return (
            {run["id"]: run for run in run_views.views(connection, run_ids)},
            {task["id"]: task for task in tasks.views(connection, task_ids)},
        )

    found, known = database.read(read)
    most = TAIL_BYTES if len(rows) == 1 else SHORT_TAIL_BYTES
    return [
        _told(row, found.get(row["run_id"]), known.get(row["task_id"]), state_dir, most)
        for row in rows
    ]  # fmt: skip


def _told(row: Row, run: Row | None, task: Row | None, state_dir: Path, most: int) -> Told:
    facts = row["facts"]
    word, fault = Word(facts["word"]), Fault(facts["fault"])
    since = facts.get("since")
    lines, unknown = _output(run, state_dir, most) if _wants_output(word, fault) else ([], "")
    return Told(
        word=word, fault=fault, task=facts["task"], state=facts.get("state", ""),
        detail=facts.get("detail", "") if run is None else _detail(facts, run),
        run_id=row["run_id"], incident_id=row["incident_id"],
        since=datetime.fromisoformat(since) if since else None, count=facts.get("count", 1),
        lines=lines, unknown_output=unknown,
        **_of_run(run), **_of_task(task),
    )  # fmt: skip


def _wants_output(word: Word, fault: Fault) -> bool:
    return fault in (Fault.FAILURE, Fault.LONG) and word is not Word.REMINDED


def _detail(facts: Mapping[str, Any], run: Row) -> str:
    """The sentence of that moment, else what the row says by now."""
    return str(facts.get("detail") or run["detail"] or "")


def _of_run(run: Row | None) -> dict[str, Any]:
    if run is None:
        return {}
    return {
        "scheduled_for": run["scheduled_for"], "started_at": run["started_at"],
        "finished_at": run["finished_at"], "attempts": run["attempts"],
        "usual_s": average_s(run["duration_ms"], run["successes"]),
    }  # fmt: skip


def _of_task(task: Row | None) -> dict[str, Any]:
    if task is None:
        return {}
    command = task["command"]
    return {
        "command": command if isinstance(command, str) else " ".join(command),
        "secrets": secrets_of(task["env"]),
    }


def _output(run: Row | None, state_dir: Path, most: int) -> tuple[list[str], str]:
    """The last lines that a run printed, or why there are none."""
    if run is None:
        return [], "The run is not remembered any more."
    if run["log_removed"]:
        return [], "Its output was removed to save space."
    if not run["attempts"]:
        return [], ""
    try:
        piece = read_slice(log_path(state_dir, run["task_id"], run["id"]), -most, most)
    except OSError as error:
        return [], f"Its output cannot be read: {error.strerror}."
    if not piece.data:
        return [], "It printed nothing."
    return tail(piece.data, whole=piece.offset == 0), ""
