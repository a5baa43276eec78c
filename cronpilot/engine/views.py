"""Rows as front ends see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cronpilot.client.messages import AttemptView, FireTime, LastRun, RunView, TaskView
from cronpilot.domain.alarms import Alarms, Usual, bound
from cronpilot.domain.duration_text import format_duration
from cronpilot.domain.explain import explain
from cronpilot.domain.explain_briefly import explain_briefly
from cronpilot.domain.plan import spread_offset
from cronpilot.domain.run import Status, Trigger
from cronpilot.domain.task import Limits, TaskSpec
from cronpilot.domain.zones import find_zone
from cronpilot.runner.paths import log_path

_DURATIONS = ("deadline", "spread", "timeout", "stop_grace", "retry_delay", "retry_max_delay")
_OTHERWISE = {"schedule", "timezone", "limits", *_DURATIONS}  # what a TaskView says in another way
_AS_THEY_ARE = tuple(field for field in TaskSpec.model_fields if field not in _OTHERWISE)


@dataclass(frozen=True, slots=True)
class Congestion:
    """Why a queued run may have to wait."""

    max_workers: int
    pools: Mapping[str, int] = field(default_factory=dict)
    busy: Mapping[str | None, int] = field(default_factory=dict)
    linked: bool = True
    paused: bool = False
    disk_full: bool = False


def task_view(row: Mapping[Any, Any]) -> TaskView:
    """A row of `storage.tasks.page` or `.views`."""
    schedule = row["schedule"]
    runs, successes = row["runs"], row["successes"]
    return TaskView(
        **_settings(row),
        timezone=row["zone_key"],
        own_timezone=row["timezone"],
        limits=_limits_as_json(row["limits"]),
        id=row["id"],
        schedule=schedule.shorthand,
        schedule_type=schedule.type,
        schedule_config=schedule.config,
        schedule_words=explain(schedule, resolved=row["resolved"]),
        schedule_brief=explain_briefly(schedule, resolved=row["resolved"]),
        schedule_expression=row["resolved"] if schedule.type.is_cron else None,
        version=row["version"],
        origin=row["origin"],
        differs_from_file=row["entry_hash"] not in (None, row["spec_hash"]),
        archived_at=row["archived_at"],
        next_run_at=row["next_run_at"],
        next_quiet=quiet_name(row, row["next_run_at"]),
        paused_at=row["paused_at"],
        paused_until=row["paused_until"],
        run_after_pause=row["run_after_pause"],
        last_run=last_run(row),
        running=row["going"],
        queued=row["waiting"],
        retrying=row["again"],
        runs=runs,
        successes=successes,
        success_rate=successes / runs if runs else None,
        average_duration_s=average_s(row["duration_ms"], successes),
        last_verdicts=row["last_verdicts"],
    )


def _settings(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields that a TaskView has as they are in the definition, field by field: to make a
    TaskSpec of the row and JSON of that took longer than all the rest of a page."""
    told = {name: row[name] for name in _AS_THEY_ARE}
    for name in _DURATIONS:
        value = row[name]
        told[name] = None if value is None else format_duration(value)
    return told


@lru_cache(maxsize=1024)
def _limits_as_json(limits: Limits) -> dict[str, Any]:
    """Thousands of tasks share a few; a TaskView takes a copy of it."""
    return limits.model_dump(mode="json")


def average_s(duration_ms: int, successes: int) -> float | None:
    """The usual duration of a task: the mean of its successes, in seconds."""
    return duration_ms / successes / 1000 if successes else None


def last_run(row: Mapping[Any, Any]) -> LastRun | None:
    """The newest run in a row of `storage.tasks.page` or `.views`."""
    if row["last_id"] is None:
        return None
    return LastRun(
        id=row["last_id"],
        status=row["last_status"],
        reason=row["last_reason"],
        scheduled_for=row["last_scheduled_for"],
        started_at=row["last_started_at"],
        finished_at=row["last_finished_at"],
        duration_s=_duration_s(row["last_started_at"], row["last_finished_at"]),
        exit_code=row["last_exit_code"],
    )


def _duration_s(started: datetime | None, finished: datetime | None) -> float | None:
    if started is None or finished is None:
        return None
    return max(0.0, (finished - started).total_seconds())


def run_view(
    row: Mapping[Any, Any],
    state_dir: Path,
    congestion: Congestion,
    ahead: int | None = None,
    caught_up: tuple[int, int] | None = None,
) -> RunView:
    """A row of `storage.history.page` or `storage.runs.views`.

    Args:
        ahead: its place in line.
        caught_up: of a catch-up, the how manieth of how many it is.
    """
    status = row["status"]
    waits = _why_waiting(row, congestion, ahead, caught_up) if status is Status.QUEUED else ""
    return RunView(
        id=row["id"],
        task_id=row["task_id"],
        task_name=row["task_name"],
        trigger=row["trigger"],
        scheduled_for=row["scheduled_for"],
        status=status,
        reason=row["reason"],
        detail=waits if status is Status.QUEUED else _detail(row),
        ahead=ahead if status is Status.QUEUED else None,
        exit_code=row["exit_code"],
        signal=row["signal"],
        attempts=row["attempts"],
        max_attempts=row["max_retries"] + 1,
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        retry_at=row["retry_at"] if status is Status.RETRYING else None,
        duration_s=_duration_s(row["started_at"], row["finished_at"]),
        cpu_s=None if row["cpu_ms"] is None else row["cpu_ms"] / 1000,
        max_rss=row["max_rss"],
        usual_s=average_s(row["duration_ms"], row["successes"]),
        pid=None if status.is_final else row["pid"],
        pool=row["pool"],
        priority=row["priority"],
        actor=row["actor"],
        log_path=_log_path(row, state_dir),
        log_size=row["log_size"],
        log_removed=row["log_removed"],
        folded_until=row["folded_until"],
        folded_count=row["folded_count"],
        spread_s=spread_offset(row["task_name"], row["spread"]).total_seconds(),
    )


def band(alarms: Alarms, length: Usual | None) -> dict[str, float | None]:
    """The fields of a RunView that say how long its task usually takes, in seconds."""
    alarm = bound(alarms.long, length)
    return {
        "usual_low_s": None if length is None else length.low.total_seconds(),
        "usual_high_s": None if length is None else length.high.total_seconds(),
        "alarm_s": None if alarm is None else alarm.total_seconds(),
    }


def _log_path(row: Mapping[Any, Any], state_dir: Path) -> str | None:
    if not row["attempts"] or row["log_removed"]:
        return None
    return str(log_path(state_dir, row["task_id"], row["id"]))


def _detail(row: Mapping[Any, Any]) -> str:
    gone = "Its log was removed to save space." if row["log_removed"] else ""
    return f"{row['detail']} {gone}".strip()


def attempt_view(row: Mapping[Any, Any]) -> AttemptView:
    """A row of `storage.details.attempts`."""
    return AttemptView(
        number=row["number"],
        launch=row["launch"],
        requested_at=row["requested_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        duration_s=_duration_s(row["started_at"], row["finished_at"]),
        pid=row["pid"],
        exit_code=row["exit_code"],
        signal=row["signal"],
        outcome=row["outcome"],
    )


def _why_waiting(
    row: Mapping[Any, Any], congestion: Congestion, ahead: int | None,
    caught_up: tuple[int, int] | None,
) -> str:  # fmt: skip
    line = f", {ahead} ahead" if ahead else ""
    if row["detail"]:
        return str(row["detail"])
    if not congestion.linked:
        return "waits for the keeper"
    if congestion.disk_full:
        return "waits for room on the disk"
    if row["behind"]:
        place, count = caught_up or (1, 1)
        of_many = f", catching up {place}/{count}" if count > 1 else ""
        return f"waits for the run before it{of_many}"
    if row["trigger"] not in (Trigger.MANUAL, Trigger.TEST):
        if congestion.paused:
            return "waits: the scheduler is paused"
        if row["paused_at"] is not None:
            return "waits: the task is paused"
    pool = row["pool"]
    if pool in congestion.pools and congestion.busy.get(pool, 0) >= congestion.pools[pool]:
        return f"waits for pool {pool} {congestion.busy[pool]}/{congestion.pools[pool]}{line}"
    taken = sum(congestion.busy.values())
    if taken >= congestion.max_workers:
        return f"waits for a free slot {taken}/{congestion.max_workers}{line}"
    return ""


def fire_time(row: Mapping[Any, Any], slot: datetime, starts_at: datetime) -> FireTime:
    """A planned start of a task row."""
    return FireTime(
        task_id=row["id"],
        task_name=row["name"],
        scheduled_for=slot,
        starts_at=starts_at,
        timezone=row["zone_key"],
        quiet=quiet_name(row, slot),
    )


def quiet_name(row: Mapping[Any, Any], slot: datetime | None) -> str:
    """The quiet time of a task row that keeps this slot from being started; mostly none."""
    if slot is None or not row["quiet_key"]:
        return ""
    from cronpilot.domain.quiet import from_key, quiet_at  # few tasks have one

    found = quiet_at(from_key(row["quiet_key"]), slot, find_zone(row["zone_key"]))
    return found.rule.name if found is not None else ""
