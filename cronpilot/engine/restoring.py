"""What a copy of the database must be told before an engine may go by it.

It knows nothing of what happened since it was made. Whatever it has open may have run meanwhile,
so nothing of it is started again: unknown is `lost`, and slots that passed are `missed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cronpilot.domain.plan import Plan, fold_paused
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine.opening import reserve
from cronpilot.engine.planner import offset_of_row, times_of_row
from cronpilot.runner.leftovers import Leftovers, installation_of
from cronpilot.runner.messages import AttemptKey
from cronpilot.storage import meta, runs, sessions, tasks
from cronpilot.storage.database import Connection

_LOST = "It was open in the copy that was restored; what became of it is not known."


@dataclass(frozen=True, slots=True)
class Settled:
    """How much of the copy could not be known: open runs, and tasks with slots that passed."""

    tasks: int
    lost_runs: int
    missed_tasks: int


def settle_copy(
    connection: Connection, state_dir: Path, taken: Leftovers, *, source: Path, now: datetime
) -> Settled:
    """Make the copy safe to start from; `taken` are the ids that are given out already."""
    installation = meta.get(connection, meta.INSTALLATION)
    lost = [
        run for run in runs.all_open(connection) if not _has_record(state_dir, run, installation)
    ]  # fmt: skip
    runs.lose(connection, [run["id"] for run in lost], reason=Reason.RESTORED, detail=_LOST)
    runs.count_results(connection, [runs.Result(run["task_id"], Status.LOST) for run in lost])
    missed = _close_slots(connection, now)
    reserve(connection, taken)
    sessions.remove_all(connection)  # who has logged out since then stays outside
    meta.note(
        connection, at=now, actor="restore", action="restore",
        detail=f"{source}: {len(lost)} open runs lost, slots of {missed} tasks missed",
    )  # fmt: skip
    live = [row for row in tasks.all_definitions(connection) if row["archived_at"] is None]
    return Settled(len(live), len(lost), missed)


def _has_record(state_dir: Path, run: Mapping[Any, Any], installation: str | None) -> bool:
    """Its record is there still: the next engine learns from it what became of the run."""
    key = AttemptKey(run["id"], run["launches"])
    return installation is not None and installation_of(state_dir, key) == installation


def _close_slots(connection: Connection, now: datetime) -> int:
    """Fold the slots that passed since the copy was made, and plan on from `now`; of how many
    tasks. Those of a pause are left to its end, which folds them anyway."""
    if meta.get(connection, meta.PAUSED_AT) is not None:
        return 0
    passed = [
        row for row in tasks.all_definitions(connection)
        if row["archived_at"] is None and row["paused_at"] is None
        and row["next_run_at"] is not None and row["next_run_at"] <= now
    ]  # fmt: skip
    for row in passed:
        folded = fold_paused(times_of_row(row), offset_of_row(row), row["next_run_at"], now)
        runs.record(connection, _slots(row, folded, now))
        tasks.set_next(connection, [(row["id"], folded.next_run_at)])
    return len(passed)


def _slots(row: Mapping[Any, Any], folded: Plan, now: datetime) -> list[runs.Slot]:
    return [
        runs.Slot(
            task_id=row["id"], task_version=row["version"], trigger=Trigger.SCHEDULE,
            status=Status.MISSED, reason=Reason.RESTORED, scheduled_for=verdict.slot,
            queued_at=now, priority=row["priority"], pool=row["pool"],
            folded_until=verdict.until, folded_count=verdict.count,
        )
        for verdict in folded.verdicts
    ]  # fmt: skip
