"""Adding and changing tasks: how a definition becomes a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cronpilot.domain.plan import COUNT_CAP, next_run_at, spread_offset
from cronpilot.domain.quiet import Rule, to_key
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import anchored_by, resolve
from cronpilot.domain.task import TaskSpec
from cronpilot.engine.planner import (
    Changes,
    decide_due,
    fold_while_paused,
    offset_of_row,
    times_of,
    times_of_row,
)
from cronpilot.engine.reports import TAKEN_AWAY, finish
from cronpilot.storage import meta, runs, tasks
from cronpilot.storage.database import Connection

_PLANNED_BY = ("schedule", "timezone", "spread", "active", "quiet")


@dataclass(frozen=True, slots=True)
class Ground:
    """What config.yaml says that plans depend on.

    Attributes:
        timezone: of tasks that set none.
        quiet: the quiet times, by name.
    """

    timezone: str
    quiet: Mapping[str, Rule] = field(default_factory=dict)

    def quiet_key(self, names: Iterable[str]) -> str:
        """The quiet times of these names as they are stored beside a task; others are left out."""
        return to_key(self.quiet[name] for name in names if name in self.quiet)


def first_plan(spec: TaskSpec, ground: Ground, now: datetime) -> tasks.Plan:
    """The plan of a definition that is set at `now`: nothing before that is made up for."""
    zone = spec.zone(ground.timezone)
    resolved = resolve(spec.schedule, zone=zone, set_at=now, seed=spec.name)
    return _planned(spec, resolved, zone.key, ground, now)


def change_definition(
    connection: Connection,
    row: Mapping[Any, Any],
    spec: TaskSpec,
    *,
    ground: Ground,
    actor: str,
    now: datetime,
    watched_since: datetime | None = None,
    **also: Any,
) -> Changes:
    """Give a task another definition. Only what concerns its schedule plans it anew; slots that had
    passed without a verdict get theirs first (see `close_slots`)."""
    changes = Changes({row["id"]})
    if _plans_alike(row, spec, ground):
        plan = tasks.Plan(row["resolved"], row["zone_key"], row["next_run_at"], row["quiet_key"])
    else:
        changes.add(close_slots(connection, row, now, watched_since))
        plan = _plan_again(row, spec, ground, now)
    tasks.change(connection, row, spec, plan, actor=actor, at=now, **also)
    return changes


def archive(
    connection: Connection,
    row: Mapping[Any, Any],
    *,
    actor: str,
    now: datetime,
    by_hand: bool,
    watched_since: datetime | None = None,
) -> Changes:
    """Take a task away; slots that had passed without a verdict get theirs first. What runs goes
    on; what waits for its start, or for a retry, ends."""
    changes = close_slots(connection, row, now, watched_since)
    changes.run_ids += _end_waiting(connection, row["id"], now)
    tasks.archive(connection, row, actor=actor, at=now, by_hand=by_hand)
    changes.task_ids.add(row["id"])
    return changes


def _end_waiting(connection: Connection, task_id: int, now: datetime) -> list[int]:
    waiting = runs.waiting_of(connection, task_id)
    for run in runs.states(connection, waiting).values():
        finish(connection, run, TAKEN_AWAY, finished_at=now, started_at=run["started_at"])
    return waiting


def plan_from_now(connection: Connection, row: Mapping[Any, Any], now: datetime) -> None:
    """Plan a task's next run from `now` on, as after a backward step of the clock."""
    spec = tasks.spec_of(row)
    resolved = anchored_by(spec.schedule.type, row["resolved"], now)
    tasks.set_columns(
        connection, row["id"], resolved=resolved,
        next_run_at=_next(spec, resolved, row["zone_key"], row["quiet_key"], now),
    )  # fmt: skip


def close_slots(
    connection: Connection,
    row: Mapping[Any, Any],
    now: datetime,
    watched_since: datetime | None = None,
) -> Changes:
    """Record slots that were due and had no verdict when their plan was changed.

    What passed in a pause is folded as by its end. What became due a moment ago, while an engine
    watched, is decided as the pass over due tasks was about to: by the definition of that moment.
    The rest passed while nobody was there, and is not made up for across a change.

    Args:
        watched_since: from when on the clock has been watched; None: nobody did.
    """
    due = row["next_run_at"]
    if due is None or due > now:
        return Changes()
    if row["paused_at"] is not None or meta.get(connection, meta.PAUSED_AT) is not None:
        return fold_while_paused(connection, [row["id"]], now)
    if watched_since is not None and due >= watched_since:
        return decide_due(connection, [row["id"]], now, watched_since)
    return Changes(run_ids=_miss(connection, row, due, now))


def _miss(
    connection: Connection, row: Mapping[Any, Any], due: datetime, now: datetime
) -> list[int]:
    """Record all slots from `due` on as missed, in one row."""
    times, offset = times_of_row(row), offset_of_row(row)
    first = due - offset
    last = times.latest(now - offset) or first
    count = 1 + times.count(first, last, COUNT_CAP - 1) if last > first else 1
    slot = runs.Slot(
        task_id=row["id"],
        task_version=row["version"],
        trigger=Trigger.SCHEDULE,
        status=Status.MISSED,
        reason=Reason.DOWN,
        scheduled_for=first,
        queued_at=now,
        priority=row["priority"],
        pool=row["pool"],
        folded_until=last if count > 1 else None,
        folded_count=count,
    )
    return runs.record(connection, [slot])


def _plans_alike(row: Mapping[Any, Any], spec: TaskSpec, ground: Ground) -> bool:
    same = all(row[name] == getattr(spec, name) for name in _PLANNED_BY)
    # The offset of a spread is made from the name, and is part of next_run_at.
    same = same and (not spec.spread or row["name"] == spec.name)
    same = same and row["quiet_key"] == ground.quiet_key(spec.quiet)
    return same and row["zone_key"] == spec.zone(ground.timezone).key and row["archived_at"] is None


def _plan_again(
    row: Mapping[Any, Any], spec: TaskSpec, ground: Ground, now: datetime
) -> tasks.Plan:
    fresh = first_plan(spec, ground, now)
    if row["schedule"] == spec.schedule and row["zone_key"] == fresh.zone:
        # The schedule itself is the same: its minute, its anchor, its hashed numbers stay.
        return _planned(spec, row["resolved"], row["zone_key"], ground, now)
    return fresh


def _planned(spec: TaskSpec, resolved: str, zone: str, ground: Ground, now: datetime) -> tasks.Plan:
    quiet = ground.quiet_key(spec.quiet)
    return tasks.Plan(resolved, zone, _next(spec, resolved, zone, quiet, now), quiet)


def _next(spec: TaskSpec, resolved: str, zone: str, quiet: str, now: datetime) -> datetime | None:
    if not spec.active:
        return None
    times = times_of(spec.schedule.type, resolved, zone, quiet)
    return next_run_at(times, spread_offset(spec.name, spec.spread), now)
